"""The feature mart brought to a later date in place, at the cost of what changed, equal to one computed in full.

Between two as-of dates a feature changes for a customer when one of their events came, went, or crossed an edge of
its window ("30 days ago"). Features whose windows reach less far back than others' are computed together, for those
whom one of their edges passed and from no more days than they hold; whom an edge of the others passed gets all features
anew, because most of them changed. Everybody else only grew older, which shows in recencies and in what they are divided
by.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import duckdb
import ibis.expr.types as ir

from segments.features import Aggregate, Attribute, Catalogue, Computation, Favourite, Feature, Ratio, Recency
from warehouse.mart import SPENT, feature_mart


def refresh(backend: Any, catalogue: Catalogue, before: date, as_of: date) -> bool:
    """Bring the table `features` of an Ibis DuckDB backend from one date to a later one, with what happened since.

    The table `touched` (customer_id, kept) names everybody whose events or attributes are others than they were as of
    `before`, as often as one likes; kept: whether they have an event for sure. False, and nothing done, where only a
    full computation will do: the date went back, or the catalogue changed.
    """
    connection, days = backend.con, (as_of - before).days
    features = backend.table("features")
    aged = _aged(catalogue, as_of, days)
    if days < 0 or aged is None or set(features.columns) != {"customer_id", *(f.name for f in catalogue)}:
        return False
    if days and aged:
        connection.execute(f"UPDATE features SET {_assigned(aged)}")
    near, far = by_reach(catalogue)
    _cross(connection, near, far, before, as_of)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE wholly AS SELECT customer_id FROM touched "
        "UNION SELECT customer_id FROM crossed WHERE far"
    )
    tables = [backend.table(name) for name in ("events", "items", "customers")]
    if days and near:
        anew = _compiled(
            backend, tables, Catalogue(near), as_of, "FROM crossed ANTI JOIN wholly USING (customer_id)"
        )
        columns = {feature.name: f'n."{feature.name}"' for feature in near}
        connection.execute(
            f"UPDATE features SET {_assigned(columns)} FROM ({anew}) n WHERE n.customer_id = features.customer_id"
        )
    # Who has no event left leaves the mart.
    doubtful = "SELECT customer_id FROM touched WHERE NOT kept"
    gone = ""
    if connection.execute(f"{doubtful} LIMIT 1").fetchone():
        known = f"SELECT customer_id FROM events WHERE ts < DATE '{as_of}' AND customer_id IN ({doubtful})"
        gone = f" WHERE customer_id NOT IN ({doubtful}) OR customer_id IN ({known})"
    anew = _compiled(backend, tables, catalogue, as_of, f"FROM wholly{gone}")
    connection.execute("DELETE FROM features WHERE customer_id IN (SELECT customer_id FROM wholly)")
    connection.execute(f"INSERT INTO features BY NAME {anew}")
    return True


def _compiled(backend: Any, tables: list[ir.Table], catalogue: Catalogue, as_of: date, whom: str) -> str:
    """SQL of these features of those whom a query finds, kept because the engine would ask it at each place."""
    backend.con.execute(f"CREATE OR REPLACE TEMP TABLE whom AS {whom}")
    found = backend.table("whom", database=("temp", "main"))
    events, items, customers = tables
    return str(backend.compile(feature_mart(events, items, customers, catalogue, as_of, found)))


def _assigned(columns: dict[str, str]) -> str:
    return ", ".join(f'"{name}" = {value}' for name, value in columns.items())


def by_reach(catalogue: Catalogue) -> tuple[list[Feature], list[Feature]]:
    """The features with windows, those whose windows reach farthest back of all apart from the others, as (near, far)."""
    reach = {
        feature: max((edge for _, edge in window_edges([feature.computation])), default=0)
        for feature in catalogue
    }
    farthest = max(reach.values(), default=0)
    return (
        [feature for feature, edge in reach.items() if 0 < edge < farthest],
        [feature for feature, edge in reach.items() if 0 < edge == farthest],
    )


def window_edges(computations: Iterable[Computation]) -> set[tuple[str, int]]:
    """(type of event, days before the as-of date) at which an event enters or leaves a window.

    Without the as-of date itself: what crosses it is a new event.
    """
    found: set[tuple[str, int]] = set()
    for computation in _parts(computations):
        if isinstance(computation, Aggregate):
            found |= {(computation.event, edge) for edge in (computation.start, computation.end) if edge}
        elif isinstance(computation, Favourite):
            found.add((SPENT, computation.start))
    return found


def _parts(computations: Iterable[Computation]) -> Iterable[Computation]:
    for computation in computations:
        if isinstance(computation, Ratio):
            yield from (computation.numerator, computation.denominator)
        else:
            yield computation


def _cross(
    connection: duckdb.DuckDBPyConnection,
    near: Sequence[Feature],
    far: Sequence[Feature],
    before: date,
    as_of: date,
) -> None:
    """Create `crossed` (customer_id, far): whose events an edge of these features passed between the two dates."""
    rows = [
        f"('{event}', {is_far}, DATE '{before - timedelta(edge - day)}')"
        for is_far, features in ((False, near), (True, far))
        for event, edge in sorted(window_edges(feature.computation for feature in features))
        for day in range((as_of - before).days)
    ]
    passed = f"VALUES {', '.join(rows)}" if rows else "SELECT '', false, NULL::DATE WHERE false"
    # All edges by one reading of the events, of which they are passed by few.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE crossed AS "
        f"WITH edges(type, far, day) AS ({passed}) "
        "SELECT DISTINCT customer_id, far FROM events JOIN edges "
        "ON events.type = edges.type AND events.ts::DATE = edges.day"
    )


def _aged(catalogue: Catalogue, as_of: date, days: int) -> dict[str, str] | None:
    """SQL of what grows with time alone, some days later; None where it does not follow from the mart."""
    named = {feature.computation: feature.name for feature in catalogue}
    found = {}
    for feature in catalogue:
        computation = feature.computation
        if isinstance(computation, Attribute) and computation.since:
            column = f'c."{computation.column}"'
            found[feature.name] = (
                f"(SELECT CASE WHEN {column} < DATE '{as_of}' THEN date_diff('day', {column}, DATE '{as_of}') END "
                "FROM customers c WHERE c.customer_id = features.customer_id)"
            )
        elif isinstance(computation, Recency):
            found[feature.name] = f'"{feature.name}" + {days}'
        elif isinstance(computation, Ratio) and isinstance(computation.numerator, Recency):
            age, over = named.get(computation.numerator), named.get(computation.denominator)
            if age is None or over is None:
                return None
            found[feature.name] = f'("{age}" + {days}) / nullif("{over}", 0)'
    return found
