"""Conditions over the order of events, as Ibis tables of the customers who meet them.

`rows_of` hands over the matching events of a condition's part: one row an event before the as-of date,
with customer_id, ts, item_id, order_id, session_id.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date
from functools import reduce

import ibis
import ibis.expr.types as ir

from segments.definition import RepeatCondition, SequenceCondition, Step, TouchCondition, Window
from warehouse.mart import days_before

Rows = Callable[..., ir.Table]


def in_window(events: ir.Table, window: Window, as_of: date) -> list[ir.BooleanValue]:
    """The tests that an event's time must pass."""
    tests = [events.ts < days_before(as_of, window.end)]
    if window.start is not None:
        tests.append(events.ts >= days_before(as_of, window.start))
    return tests


def sequence(node: SequenceCondition, rows_of: Rows, as_of: date) -> ir.Table:
    """customer_id of those with the steps in order, and without the step that must not follow."""
    keys = ["customer_id", "item_id"] if node.same_item else ["customer_id"]
    first = node.steps[0]
    reached = _moments(rows_of(first.event, first.items, node.window, first.occasion), keys)
    for step in node.steps[1:]:
        later = _moments(rows_of(step.event, step.items, Window(), step.occasion), keys).rename(then="ts")
        pairs = reached.inner_join(later, keys)
        reached = pairs.filter(_follows(pairs, step)).select(*keys, ts="then").distinct()
    if node.then_not is not None:
        step = node.then_not
        if step.within_days is not None:
            # A purchase that may still come within its days is no verdict yet.
            reached = reached.filter(reached.ts <= days_before(as_of, step.within_days))
        later = _moments(rows_of(step.event, step.items, Window(), step.occasion), keys).rename(then="ts")
        tests = [reached[key] == later[key] for key in keys] + [later.then > reached.ts]
        if step.within_days is not None:
            tests.append(later.then <= reached.ts + ibis.interval(days=step.within_days))
        reached = reached.anti_join(later, reduce(operator.and_, tests))
    return reached.select("customer_id").distinct()


def _moments(rows: ir.Table, keys: list[str]) -> ir.Table:
    return rows.select(*keys, "ts").distinct()


def _follows(pairs: ir.Table, step: Step) -> ir.BooleanValue:
    after = pairs.then > pairs.ts
    if step.within_days is None:
        return after
    return after & (pairs.then <= pairs.ts + ibis.interval(days=step.within_days))


def repeat(node: RepeatCondition, rows_of: Rows) -> ir.Table:
    """customer_id of those with `times` orders, sessions or days begun within the span."""
    rows = rows_of(node.event, node.items, node.window, node.occasion)
    unit = {"orders": rows.order_id, "sessions": rows.session_id, "days": rows.ts.date()}[node.unit]
    begun = (
        rows.mutate(unit=unit)
        .filter(ibis._.unit.notnull())
        .group_by("customer_id", "unit")
        .aggregate(start=ibis._.ts.min(), stop=ibis._.ts.max())
    )
    # If any such units lie within the span, then so do the last of them and those just before it.
    in_turn = ibis.window(group_by="customer_id", order_by=["start", "unit"])
    spans = begun.mutate(first=begun.start.lag(node.times - 1).over(in_turn))
    spans = spans.filter(
        spans["first"].notnull() & (spans.start <= spans["first"] + ibis.interval(days=node.within_days))
    )
    if node.without is not None:
        between = rows_of(node.without, window=Window()).select("customer_id", then="ts")
        spans = spans.anti_join(
            between,
            (spans.customer_id == between.customer_id)
            & (between.then >= spans["first"])
            & (between.then <= spans.stop),
        )
    return spans.select("customer_id").distinct()


def touch(node: TouchCondition, rows_of: Rows, as_of: date) -> ir.Table:
    """customer_id of those whose first (last) event of the kind fits the items, the occasion and the window."""
    every = rows_of(node.event, window=Window())
    edge = every.ts.min() if node.which == "first" else every.ts.max()
    edges = every.group_by("customer_id").aggregate(edge=edge)
    rows = rows_of(node.event, node.items, node.window, node.occasion)
    touched = rows.inner_join(edges, (rows.customer_id == edges.customer_id) & (rows.ts == edges.edge))
    return touched.select("customer_id").distinct()
