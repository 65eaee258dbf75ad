"""Rows of a source that a mapping does not take, counted: by its `where`, and by what its column of types says.

The table left_out has one row for each source, file and reason, 'taken' among them, so that a correction of a file takes
its counts along. `said` is the type that is not mapped; null for types that are none of the most frequent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

TYPES = 20
"""Different types that are told of a file, most frequent first."""
_COLUMNS = "source VARCHAR, file_no INTEGER, reason VARCHAR, said VARCHAR, rows BIGINT"


@dataclass(frozen=True)
class LeftOut:
    """What a source held and what was taken of it. types: of the rows not taken by their type, what they said."""

    source: str
    rows: int
    taken: int
    by_where: int
    by_type: int
    types: dict[str, int]


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Create raw_left_out, without a row, where it is not there: not every source has a mapping."""
    connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS raw_left_out ({_COLUMNS})")


def keep(connection: duckdb.DuckDBPyConnection) -> None:
    """Add what was counted to the warehouse's table."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS left_out ({_COLUMNS})")
    connection.execute("INSERT INTO left_out SELECT * FROM raw_left_out")


def counting(label: str, rows: str, number: str, where: str, said: str, mapped: str) -> str:
    """SQL that counts a source into raw_left_out, reading only the columns that the tests name.

    rows: what to select from. number: SQL of a row's file. where, mapped: SQL tests, empty where there is none. said: SQL
    of a row's type, which `mapped` is a test of; empty without it.
    """
    # Types are counted as they are and tested once each: there are far fewer of them than rows.
    kept = f"({where}) IS TRUE" if where else "true"
    known = f"({mapped}) IS TRUE" if mapped else "true"
    return f"""
        WITH counted AS (SELECT {number} AS file_no, {kept} AS kept, {said or "NULL::VARCHAR"} AS said,
                                any_value({known}) AS known, count(*) AS rows FROM {rows} GROUP BY 1, 2, 3),
        told AS (SELECT file_no, CASE WHEN NOT kept THEN 'where' WHEN NOT known THEN 'type' ELSE 'taken' END AS reason,
                        CASE WHEN reason = 'type' THEN left(said, 40) END AS said, sum(rows) AS rows
                 FROM counted GROUP BY ALL),
        placed AS (SELECT *, row_number() OVER (PARTITION BY file_no, reason ORDER BY rows DESC, said) AS place FROM told)
        INSERT INTO raw_left_out
        SELECT {label}, file_no, reason, CASE WHEN place <= {TYPES} THEN said END, sum(rows)::BIGINT
        FROM placed GROUP BY ALL
    """


def read(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[LeftOut, ...]:
    """What left_out or raw_left_out tells of each source that did not take every row."""
    found = connection.execute(
        "SELECT source, sum(rows)::BIGINT, (coalesce(sum(rows) FILTER (reason = 'taken'), 0))::BIGINT, "
        "(coalesce(sum(rows) FILTER (reason = 'where'), 0))::BIGINT, "
        f"(coalesce(sum(rows) FILTER (reason = 'type'), 0))::BIGINT FROM {table} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    types = connection.execute(
        f"SELECT source, said, sum(rows)::BIGINT FROM {table} WHERE reason = 'type' AND said IS NOT NULL "
        f"GROUP BY ALL ORDER BY 3 DESC, 2"
    ).fetchall()
    return tuple(
        LeftOut(source, rows, taken, by_where, by_type, _first(types, source))
        for source, rows, taken, by_where, by_type in found
        if taken < rows
    )


def _first(types: Sequence[tuple[str, str, int]], source: str) -> dict[str, int]:
    return dict([(said, rows) for of, said, rows in types if of == source][:TYPES])
