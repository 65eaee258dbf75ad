"""Why one customer is in a segment, or what is missing: the verdict of each condition, and near misses."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite

import ibis.expr.types as ir

from segments.definition import (
    EVERYONE,
    AllOf,
    AnyOf,
    Condition,
    EventCondition,
    FeatureCondition,
    Node,
    Not,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
)
from segments.errors import NotFoundError
from segments.intervals import from_comparison
from warehouse.audience import Audiences

NEAR = 0.2
"""A number that misses its bound by at most this share of it is a near miss."""


@dataclass(frozen=True)
class Verdict:
    """One condition for one customer.

    holds: the condition itself, before any `not` around it; wanted: what the segment asks of it (false
    under a `not`); value: the customer's number or level where the condition measures one; of a sequence or a repetition
    that does not hold, how many of its steps or times there were. needed: false where it speaks against belonging, but is
    one of several ways in, of which another is met.
    """

    condition: Condition
    holds: bool
    wanted: bool
    value: float | str | bool | None = None
    near_miss: bool = False
    needed: bool = True

    @property
    def met(self) -> bool:
        """Whether the condition speaks for belonging."""
        return self.holds == self.wanted


@dataclass(frozen=True)
class Why:
    """Whether the customer belongs, and each condition's verdict in reading order."""

    belongs: bool
    verdicts: tuple[Verdict, ...]

    @property
    def missing(self) -> tuple[Verdict, ...]:
        """The conditions that keep the customer out, near misses first; none where the customer belongs."""
        kept_out = (v for v in self.verdicts if v.needed and not v.met)
        return tuple(sorted(kept_out, key=lambda v: not v.near_miss))


def why(audiences: Audiences, definition: Node, customer_id: str) -> Why:
    """The verdicts for one customer (a pseudonym). Raises NotFoundError for an unknown one."""
    if not _meets(audiences, EVERYONE, customer_id):
        raise NotFoundError(
            f"customer: there is no customer '{customer_id}' as of {audiences.as_of}.",
            f"customer：截至{audiences.as_of}没有客户“{customer_id}”。",
        )
    _, verdicts = _judged(audiences, definition, customer_id, wanted=True)
    return Why(customer_id in set(audiences.members(definition)), verdicts)


def _only(customer_id: str) -> Callable[[ir.Table], ir.Table]:
    return lambda table: table.filter(table.customer_id == customer_id)


def _judged(
    audiences: Audiences, node: Node, customer_id: str, *, wanted: bool
) -> tuple[bool, tuple[Verdict, ...]]:
    """Whether the customer meets a part of the definition, and the verdicts of its conditions."""
    match node:
        case AllOf(children) | AnyOf(children):
            parts = [_judged(audiences, child, customer_id, wanted=wanted) for child in children]
            verdicts = tuple(verdict for _, some in parts for verdict in some)
            # Under a `not`, one part that fails is enough to keep `all_of` from holding.
            if isinstance(node, AllOf) == wanted:
                return all(met for met, _ in parts), verdicts
            if any(met for met, _ in parts):
                return True, tuple(v if v.met else replace(v, needed=False) for v in verdicts)
            return False, verdicts
        case Not(child):
            return _judged(audiences, child, customer_id, wanted=not wanted)
        case _:
            verdict = _verdict(audiences, node, wanted, customer_id)
            return verdict.met, (verdict,)


def _verdict(audiences: Audiences, condition: Condition, wanted: bool, customer_id: str) -> Verdict:
    holds = customer_id in set(audiences.members(condition))
    value = _value(audiences, condition, customer_id, holds)
    near = holds != wanted and _near(condition, value)
    return Verdict(condition, holds, wanted, value, near)


def _value(
    audiences: Audiences, condition: Condition, customer_id: str, holds: bool
) -> float | str | bool | None:
    compiler = audiences.compiler(condition, _only(customer_id))
    match condition:
        case FeatureCondition(feature) | RankCondition(feature):
            found = audiences.warehouse.fetch(compiler.features.select(value=feature))["value"]
        case EventCondition():
            found = audiences.warehouse.fetch(compiler.measured(condition))["measure"]
            if found.empty:
                return 0.0
        case SequenceCondition() | RepeatCondition() if not holds:
            return float(_came(audiences, condition, customer_id))
        case _:
            return None
    value = found.iloc[0]
    if value is None or value != value:
        return None
    return value if isinstance(value, str | bool) else float(value)


def _came(audiences: Audiences, condition: SequenceCondition | RepeatCondition, customer_id: str) -> int:
    """How many steps or times there were of a condition that does not hold: all steps where something followed that was not
    to. Who came so far came less far as well, so that it is looked for by halves."""
    if isinstance(condition, RepeatCondition):
        most = condition.times - 1
    else:
        most = len(condition.steps) - (condition.then_not is None)
    counts = range(1, most + 1)
    return bisect_left(
        counts, True, key=lambda count: not _meets(audiences, _cut(condition, count), customer_id)
    )


def _cut(condition: SequenceCondition | RepeatCondition, count: int) -> Node:
    """The condition with its first steps, or with so many times; once is an event."""
    begun = condition if isinstance(condition, RepeatCondition) else condition.steps[0]
    if count == 1:
        return EventCondition(begun.event, begun.items, condition.window, occasion=begun.occasion)
    if isinstance(condition, RepeatCondition):
        return replace(condition, times=count)
    return replace(condition, steps=condition.steps[:count], then_not=None)


def _meets(audiences: Audiences, node: Node, customer_id: str) -> bool:
    compiler = audiences.compiler(node, _only(customer_id))
    return not audiences.warehouse.fetch(compiler.compile(node)).empty


def _near(condition: Condition, value: float | str | bool | None) -> bool:
    match condition:
        case FeatureCondition() | EventCondition():
            interval = from_comparison(condition.op, condition.value)
        case RepeatCondition(times=times):
            interval = from_comparison(">=", times)
        case _:
            return False
    if interval is None or isinstance(value, str | bool) or value is None:
        return False
    bounds = (bound for bound in (interval.low, interval.high) if isfinite(bound))
    return any(abs(value - bound) <= NEAR * abs(bound) for bound in bounds)
