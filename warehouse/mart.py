"""The feature mart: one row a customer, as of a date, computed by the engine from the catalogue.

Point-in-time correct by construction: every expression starts from events before `as_of`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import reduce

import ibis
import ibis.expr.types as ir

from segments.catalogue import PARTS
from segments.features import (
    Aggregate,
    Attribute,
    Catalogue,
    Computation,
    Favourite,
    Feature,
    FeatureType,
    Gap,
    Ratio,
    Recency,
)

Primitive = Aggregate | Recency | Gap
_COUNTED_ONCE = {
    **{"orders": "order_id", "items": "item_id", "categories": "category", "stores": "channel"},
    "days": "day",
}
"""Measures that count different values, and of which column."""
_SUMMED = ("value", "discount", "quantity")
SPENT = "purchase"
"""The type of the events that spend is summed over."""


def days_before(as_of: date, days: int) -> datetime:
    """Midnight `days` days before `as_of`."""
    return datetime.combine(as_of, time()) - timedelta(days=days)


def feature_mart(
    events: ir.Table,
    items: ir.Table,
    customers: ir.Table,
    catalogue: Catalogue,
    as_of: date,
    whom: ir.Table | None = None,
) -> ir.Table:
    """customer_id and one column a feature, for every customer with an event before `as_of`.

    whom: customer_id of those who are wanted, each once and with such an event; default everybody.
    """
    known = events.filter(events.ts < days_before(as_of, 0))
    features = list(catalogue)
    tables = [known.select("customer_id").distinct() if whom is None else whom.select("customer_id")]
    for event in used_events(catalogue):
        of_type = known.filter(known.type == event, *_since(known, features, event, as_of))
        wanted = [p for p in _primitives(features) if p.event == event]
        favourites = [f.computation for f in features if isinstance(f.computation, Favourite)]
        asked = _asked_of(wanted, favourites if event == SPENT else [])
        rows = _described(of_type if whom is None else of_type.semi_join(whom, "customer_id"), items, asked)
        tables += _aggregates(rows, wanted, as_of)
        if event == SPENT:
            tables += _favourites(rows, features, as_of)
    if any(isinstance(feature.computation, Attribute) for feature in features):
        tables.append(customers)
    # One join of them all, so that no table between is made, which takes Ibis long to compile.
    wide = tables[0]
    for place, table in enumerate(tables[1:]):
        wide = wide.left_join(table, "customer_id", rname=f"{{name}}_{place}")
    columns = {feature.name: _column(wide, feature, as_of) for feature in features}
    return wide.select("customer_id", **columns)


def _primitives(features: Iterable[Feature]) -> list[Primitive]:
    found: dict[Primitive, None] = {}
    for feature in features:
        computation = feature.computation
        parts = (
            (computation.numerator, computation.denominator)
            if isinstance(computation, Ratio)
            else (computation,)
        )
        found |= {part: None for part in parts if isinstance(part, Primitive)}
    return list(found)


def _since(events: ir.Table, features: list[Feature], event: str, as_of: date) -> list[ir.BooleanValue]:
    """The test that passes over events from before all windows; none where a feature asks for all time."""
    starts = [
        p.start if isinstance(p, Aggregate) else None for p in _primitives(features) if p.event == event
    ]
    if event == SPENT:
        starts += [f.computation.start for f in features if isinstance(f.computation, Favourite)]
    known = [start for start in starts if start is not None]
    return [events.ts >= days_before(as_of, max(known))] if len(known) == len(starts) else []


def _asked_of(primitives: Iterable[Primitive], favourites: Iterable[Favourite]) -> set[str]:
    """The columns, of events or of their items, that primitives count, or test besides the time."""
    found = {favourite.column for favourite in favourites}
    for primitive in primitives:
        found |= {_counted_once(primitive) or ""}
        if not isinstance(primitive, Gap):
            found |= {column for column, _ in primitive.where}
        if isinstance(primitive, Aggregate) and primitive.near is not None:
            found.add(primitive.near[0])
    return found


def _described(rows: ir.Table, items: ir.Table, asked: set[str]) -> ir.Table:
    """Events with what is asked of their items, and no more, because the engine reads and keeps these columns."""
    own = [rows[name] for name in ("customer_id", "ts", "item_id", "order_id", "channel", *_SUMMED)]
    of_items = [name for name in items.columns if name in asked and name not in ("item_id", "name")]
    if not of_items:
        return rows.select(*own)
    described = rows.left_join(items, rows.item_id == items.item_id)
    return described.select(*own, *(items[name] for name in of_items))


def used_events(catalogue: Catalogue) -> list[str]:
    """The types of events that features are computed from."""
    favourites = [SPENT for feature in catalogue if isinstance(feature.computation, Favourite)]
    return list(dict.fromkeys([*(p.event for p in _primitives(catalogue)), *favourites]))


def _aggregates(rows: ir.Table, primitives: list[Primitive], as_of: date) -> list[ir.Table]:
    """Grouped tables of one type's events: one of sums, and one for each column whose values are counted."""
    tables = []
    for counted in dict.fromkeys(map(_counted_once, primitives)):
        wanted = [p for p in primitives if _counted_once(p) == counted]
        if counted is None:
            columns = {_key(p): _aggregate(rows, p, as_of) for p in wanted if not isinstance(p, Gap)}
            tables.append(rows.group_by("customer_id").aggregate(**columns))
        else:
            tables.append(_distinct_counts(rows, counted, wanted, as_of))
    return tables


def _key(primitive: Primitive) -> str:
    """A column name unique to the primitive, short enough for every engine (PostgreSQL cuts at 63 letters)."""
    start = primitive.measure if isinstance(primitive, Aggregate) else type(primitive).__name__.lower()
    return f"{start}_{hashlib.sha256(repr(primitive).encode()).hexdigest()[:12]}"


def _counted_once(primitive: Primitive) -> str | None:
    """The column whose different values the primitive counts; None for sums, counts and edges."""
    if isinstance(primitive, Gap):
        return "day"
    return _COUNTED_ONCE.get(primitive.measure) if isinstance(primitive, Aggregate) else None


def _distinct_counts(rows: ir.Table, column: str, wanted: list[Primitive], as_of: date) -> ir.Table:
    """Counts of a column's different values, in two steps: is a value in the window, then how many are.

    An engine keeps one table of (customer, value) that way, instead of one for each count.
    """
    value = rows.ts.date() if column == "day" else rows[column]
    flags = {}
    for primitive in wanted:
        inside = _in_window(rows, primitive, as_of) if isinstance(primitive, Aggregate) else None
        flags[_key(primitive)] = rows.count() > 0 if inside is None else inside.any()
    values = rows.group_by("customer_id", counted=value).aggregate(**flags)
    values = values.filter(values.counted.notnull())
    counts = {}
    for primitive in wanted:
        if not isinstance(primitive, Aggregate):
            span = values.counted.max().delta(values.counted.min(), unit="day")
            counts[_key(primitive)] = (span / (values.count() - 1).nullif(0)).cast("float64")
        else:
            counts[_key(primitive)] = values[_key(primitive)].sum()
    return values.group_by("customer_id").aggregate(**counts)


def _aggregate(rows: ir.Table, primitive: Aggregate | Recency, as_of: date) -> ir.Value:
    if isinstance(primitive, Recency):
        day = rows.ts.date()
        where = _where(rows, primitive.where)
        edge = day.min(where=where) if primitive.first else day.max(where=where)
        return ibis.literal(as_of).delta(edge, unit="day").cast("float64")
    where = _in_window(rows, primitive, as_of)
    match primitive.measure:
        case "list_value":
            return (rows.value + rows.discount).sum(where=where)
        case "lines":
            return rows.count(where=where)
        case measure:
            return rows[measure].sum(where=where)


def _where(rows: ir.Table, where: tuple[tuple[str, str], ...]) -> ir.BooleanValue | None:
    tests = [rows[column] == value for column, value in where]
    return reduce(lambda a, b: a & b, tests) if tests else None


def _in_window(rows: ir.Table, aggregate: Aggregate, as_of: date) -> ir.BooleanValue | None:
    tests = [rows[column] == value for column, value in aggregate.where]
    if aggregate.start is not None:
        tests.append(rows.ts >= days_before(as_of, aggregate.start))
    if aggregate.end:
        tests.append(rows.ts < days_before(as_of, aggregate.end))
    if aggregate.near is not None:
        column, least = aggregate.near
        tests.append(rows[column] >= least)
    if aggregate.part == "weekend":
        tests.append(rows.ts.day_of_week.index() >= 5)
    elif aggregate.part is not None:
        tests.append(in_hours(rows.ts, *PARTS[aggregate.part]))
    return reduce(lambda a, b: a & b, tests) if tests else None


def in_hours(ts: ir.TimestampValue, start: int, end: int) -> ir.BooleanValue:
    """Whether the hour of the day lies in [start, end), over midnight when start > end."""
    hour = ts.hour()
    return (hour >= start) & (hour < end) if start < end else (hour >= start) | (hour < end)


def _favourites(bought: ir.Table, features: list[Feature], as_of: date) -> list[ir.Table]:
    tables = []
    for feature in features:
        if isinstance(feature.computation, Favourite):
            column, start = feature.computation.column, feature.computation.start
            rows = bought.filter(bought.ts >= days_before(as_of, start), bought[column].notnull())
            spend = rows.group_by("customer_id", column).aggregate(spend=rows.value.sum())
            # Ties go to the first name, so that every engine answers alike.
            first = ibis.row_number().over(
                group_by="customer_id", order_by=[ibis.desc("spend"), ibis.asc(column)]
            )
            best = spend.mutate(place=first).filter(lambda t: t.place == 0)
            tables.append(best.select("customer_id", **{_favourite_key(feature.computation): best[column]}))
    return tables


def _favourite_key(favourite: Favourite) -> str:
    return f"favourite_{favourite.column}_{favourite.start}"


def _column(wide: ir.Table, feature: Feature, as_of: date) -> ir.Value:
    computation = feature.computation
    value = _compute(wide, computation)
    if isinstance(computation, Attribute) and computation.since:
        day = value.cast("date")
        value = ibis.ifelse(day < ibis.literal(as_of), ibis.literal(as_of).delta(day, unit="day"), None)
    if feature.numeric:
        return value.cast("float64")
    return value.cast("boolean" if feature.type is FeatureType.BOOLEAN else "string")


def _compute(wide: ir.Table, computation: Computation) -> ir.Value:
    match computation:
        case Attribute(column):
            return wide[column] if column in wide.columns else ibis.null().cast("string")
        case Favourite():
            return wide[_favourite_key(computation)]
        case Ratio(numerator, denominator):
            top, bottom = _compute(wide, numerator), _compute(wide, denominator)
            return top.cast("float64") / bottom.cast("float64").nullif(0.0)
        case Aggregate():
            return wide[_key(computation)].fill_null(0)
        case _:
            return wide[_key(computation)]
