"""The feature mart brought to a later date at the cost of what changed, equal to one computed in full.

Between two as-of dates a customer's features change when one of their events came, went, or crossed an edge of a
window ("30 days ago"). They are computed anew from all their events; everybody else only grew older, which
shows in recencies and in what is divided by or into them.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from datetime import date
from functools import reduce

import ibis
import ibis.expr.types as ir

from segments.features import Aggregate, Catalogue, Computation, Favourite, Ratio, Recency
from warehouse.mart import SPENT, days_before, feature_mart


def changed_customers(
    events: ir.Table, catalogue: Catalogue, touched: ir.Table, before: date, as_of: date
) -> ir.Table:
    """customer_id of everybody who changed between the two dates, and whether `wholly`.

    touched: customer_id of everybody whose events or attributes are others than they were as of `before`. They
    change wholly, and so does whom the farthest edge passed; others in the features of nearer edges only.
    """
    edges = window_edges(catalogue)
    farthest = max((edge for found in edges.values() for edge in found), default=0)
    far = {event: found & {farthest} for event, found in edges.items()}
    crossing = events.filter(_crosses(events, edges, before, as_of))
    crossing = crossing.select("customer_id", wholly=_crosses(crossing, far, before, as_of))
    every = touched.select("customer_id", wholly=ibis.literal(True)).union(crossing)
    return every.group_by("customer_id").aggregate(wholly=every.wholly.any())


def refreshed(
    events: ir.Table,
    items: ir.Table,
    customers: ir.Table,
    catalogue: Catalogue,
    features: ir.Table,
    changed: ir.Table,
    before: date,
    as_of: date,
) -> ir.Table | None:
    """`feature_mart` as of a date from `features`, the one as of `before`; `changed` as by `changed_customers`.

    None where only a full computation will do: the date went back, or the catalogue changed.
    """
    carried = None if as_of < before else _carried(features, catalogue, (as_of - before).days)
    if carried is None:
        return None
    wholly, partly = changed.filter(changed.wholly), changed.filter(~changed.wholly)
    anew = feature_mart(events, items, customers, catalogue, as_of, wholly)
    near = _near(catalogue)
    some = feature_mart(events, items, customers, near, as_of, partly)
    old = carried.drop(*(feature.name for feature in near))
    mended = old.inner_join(some, "customer_id").select(*carried.columns)
    return carried.anti_join(changed, "customer_id").union(mended).union(anew)


def _near(catalogue: Catalogue) -> Catalogue:
    """The features with an edge that is not the farthest of all."""
    farthest = max((edge for found in window_edges(catalogue).values() for edge in found), default=0)
    return Catalogue(
        feature
        for feature in catalogue
        if any(found - {farthest} for found in window_edges(Catalogue([feature])).values())
    )


def window_edges(catalogue: Catalogue) -> dict[str, set[int]]:
    """Days before the as-of date at which an event of a type enters or leaves the window of a feature."""
    found: dict[str, set[int]] = {}
    for computation in _parts(feature.computation for feature in catalogue):
        if isinstance(computation, Aggregate):
            edges = {computation.start or 0, computation.end} - {0}
            found.setdefault(computation.event, set()).update(edges)
        elif isinstance(computation, Favourite):
            found.setdefault(SPENT, set()).add(computation.start)
    return found


def _parts(computations: Iterable[Computation]) -> Iterable[Computation]:
    for computation in computations:
        if isinstance(computation, Ratio):
            yield from (computation.numerator, computation.denominator)
        else:
            yield computation


def _crosses(events: ir.Table, edges: Mapping[str, set[int]], before: date, as_of: date) -> ir.BooleanValue:
    """Whether an edge of a window passed the event between the two dates."""
    tests = [
        (events.type == event)
        & (events.ts >= days_before(before, edge))
        & (events.ts < days_before(as_of, edge))
        for event, found in edges.items()
        for edge in sorted(found)
    ]
    return reduce(operator.or_, tests, ibis.literal(False))


def _carried(features: ir.Table, catalogue: Catalogue, days: int) -> ir.Table | None:
    """The features of customers who did nothing, some days later; None where that does not follow from the mart."""
    if set(features.columns) != {"customer_id", *(feature.name for feature in catalogue)}:
        return None
    named = {feature.computation: feature.name for feature in catalogue}
    columns: dict[str, ir.Value] = {}
    for feature in catalogue:
        column, computation = features[feature.name], feature.computation
        if isinstance(computation, Recency):
            column = column + float(days)
        elif isinstance(computation, Ratio) and isinstance(computation.numerator, Recency):
            age, over = named.get(computation.numerator), named.get(computation.denominator)
            if age is None or over is None:
                return None
            column = (features[age] + float(days)) / features[over].nullif(0.0)
        columns[feature.name] = column
    return features.select("customer_id", **columns)
