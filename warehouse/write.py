"""The raw tables of a load made into the warehouse's: ids replaced by pseudonyms, rows in order, what is known noted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from segments.definition import EVENT_TYPES
from segments.errors import DataError
from warehouse import left_out
from warehouse.connection import attach, scratch
from warehouse.pseudonyms import AS_NUMBER, AS_TEXT, extend_vault, load_or_create_key, write_vault

MIN_DEPARTMENT_SHARE = 0.002
"""Departments with a smaller share of spend get no features of their own (noise, not habits)."""
_TYPES = tuple(enumerate(sorted(EVENT_TYPES)))
_TYPE_NUMBER = f"(CASE type {' '.join(f'WHEN {kind!r} THEN {n}' for n, kind in _TYPES)} END)::UTINYINT"
_TYPE_TEXT = f"CASE type {' '.join(f'WHEN {n} THEN {kind!r}' for n, kind in _TYPES)} END"
EVENT_ORDER = f"{_TYPE_NUMBER}, v.number, ts"
"""Of events: by type, customer_id and ts, the first two as whole numbers, which are sorted in half the time of texts."""
_ORDERED = ("purchase", "return")
"""Events that are counted by their orders."""
_ORDER = "left(md5({customer} || '|' || ts::VARCHAR), 16)"
"""SQL of the order of a line without a number: what one customer bought at one time is one order. It is made from the
pseudonym, because one made from the customer's own id would tell that id to whoever tries some."""
_UNNUMBERED = f"order_id IS NULL AND type IN {_ORDERED}"
_COMPRESSED = {"session_id": " USING COMPRESSION zstd"}
"""How columns of events are written other than the engine chooses: looking for a dictionary of sessions, which hardly two
events share, takes three times as long as Zstandard, for a file about as large that is read as fast."""
LATER_COLUMNS = (
    ("event_id", "VARCHAR"),
    ("file_no", "INTEGER"),
    ("unknown_currency", "VARCHAR"),
    ("unreadable", "VARCHAR"),
)
"""Columns of events that only a mapping's files fill: their id, the ledger's number of the file, and (of rejects only) the
currency of an amount that could not be converted and the field that could not be read."""


def count(connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()) -> int:
    """The number that a query gives, or the rows that a change touched; 0 for none."""
    row = connection.execute(query, list(values)).fetchone()
    return int(row[0] or 0) if row else 0


def has_table(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether there is a table of this name, temporary or not, in whatever database is attached."""
    return bool(count(connection, "SELECT count(*) FROM duckdb_tables() WHERE table_name = $1", [name]))


def attach_old(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the tables of a warehouse file readable as `old.<table>`; nothing can be written to it."""
    attach(connection, path, "old")


@contextmanager
def looking_into(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that sees the tables of a warehouse file as they are on disk now, read-only.

    The file is attached, because a connection to its path may be handed it as this process opened it before.
    """
    with scratch(path) as connection:
        attach_old(connection, path)
        connection.execute("USE old")
        yield connection


def complete_events(connection: duckdb.DuckDBPyConnection, table: str = "raw_events") -> None:
    """Give a table of events the columns that a source may lack."""
    for name, kind in LATER_COLUMNS:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} {kind}")


def forget_old(connection: duckdb.DuckDBPyConnection, before: str | None) -> None:
    """Drop raw events from before the date (ISO) that retention set, and who has none left; they are kept nowhere."""
    if before:
        gone = f"SELECT source_id FROM raw_events GROUP BY 1 HAVING max(ts) < TIMESTAMP '{before}'"
        connection.execute(f"DELETE FROM raw_customers WHERE source_id IN ({gone})")
        for table in ("raw_events", *(("raw_reviews",) if has_table(connection, "raw_reviews") else ())):
            connection.execute(f"DELETE FROM {table} WHERE ts < TIMESTAMP '{before}'")


def count_ids(connection: duckdb.DuckDBPyConnection) -> None:
    """Create raw_ids (source_id, events), of raw_events before any rule of cleaning, unless it is there."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS raw_ids AS SELECT source_id, count(*) AS events FROM raw_events GROUP BY 1"
    )


def known_ids(connection: duckdb.DuckDBPyConnection, folder: Path, *, extend: bool) -> None:
    """Create the temporary table `vault` (customer_id, source_id, number) of everybody in the raw tables.

    number: the pseudonym as one. extend: those ids are added to the vault, instead of making it anew.
    """
    count_ids(connection)
    named = ["raw_ids", "raw_customers", *(("raw_reviews",) if has_table(connection, "raw_reviews") else ())]
    union = " UNION ".join(f"SELECT source_id FROM {table}" for table in named)
    rows = connection.execute(f"{union} ORDER BY 1").fetchall()
    ids = [row[0] for row in rows if row[0] is not None]
    vault = (extend_vault if extend else write_vault)(folder, ids, load_or_create_key(folder))
    connection.register("arriving_vault", vault)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE vault AS "
        f"SELECT *, {AS_NUMBER.format('customer_id')} AS number FROM arriving_vault"
    )
    connection.unregister("arriving_vault")


def pseudonymised(table: str) -> str:
    """SQL of a raw table's rows with pseudonyms; of events and rejects, every bought or returned line with an order.

    Rows of nobody are kept among the rejects only; rows of erased persons, whom the vault lacks, nowhere.
    """
    nobody = "r.source_id IS NULL" if table == "rejects" else "false"
    made = _ORDER.format(customer="v.customer_id")
    ordered = f"REPLACE (CASE WHEN {_UNNUMBERED} THEN {made} ELSE order_id::VARCHAR END AS order_id) "
    if table in ("customers", "reviews"):
        ordered = ""
    return (
        f"SELECT v.customer_id, r.* EXCLUDE (source_id) {ordered}FROM raw_{table} r LEFT JOIN vault v USING (source_id) "
        f"WHERE v.customer_id IS NOT NULL OR {nobody}"
    )


def events_in_order(connection: duckdb.DuckDBPyConnection) -> str:
    """SQL of raw_events with pseudonyms, by type, customer_id and ts. The gate has seen that every type is known.

    What is sorted is as narrow as can be, because it is written to the disk where it does not fit into memory:
    type and customer_id as numbers, and no column without any value.
    """
    columns = {row[0]: row[1] for row in connection.execute("DESCRIBE raw_events").fetchall()}
    empty = {
        name: f"NULL::{kind} AS {name}"
        for name, kind in columns.items()
        if not connection.execute(f"SELECT 1 FROM raw_events WHERE {name} IS NOT NULL LIMIT 1").fetchone()
    }
    carried = [name for name in columns if name not in ("source_id", "type", *empty)]
    customer = AS_TEXT.format("number")
    told = empty | {
        "source_id": f"{customer} AS customer_id",
        "type": f"{_TYPE_TEXT} AS type",
    }
    if connection.execute(f"SELECT 1 FROM raw_events WHERE {_UNNUMBERED} LIMIT 1").fetchone():
        ordered = ", ".join(str(n) for n, kind in _TYPES if kind in _ORDERED)
        given = "NULL" if "order_id" in empty else "order_id::VARCHAR"
        made = f"CASE WHEN type IN ({ordered}) THEN {_ORDER.format(customer=customer)} END"
        told["order_id"] = f"coalesce({given}, {made}) AS order_id"
    return (
        f"SELECT {', '.join(told.get(name, name) for name in columns)} FROM "
        f"(SELECT v.number, {_TYPE_NUMBER} AS type, {', '.join(carried)} FROM raw_events JOIN vault v USING (source_id) "
        "ORDER BY type, number, ts)"
    )


def write_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Create events, customers, rejects, items, campaigns, placements and positions from the raw tables."""
    known_ids(connection, folder, extend=False)
    # By type first: a condition speaks of one type, and the engine passes over blocks of others unread.
    rows = events_in_order(connection)
    columns = ", ".join(
        f"{name} {kind}{_COMPRESSED.get(name, '') if kind == 'VARCHAR' else ''}"
        for name, kind, *_ in connection.execute(f"DESCRIBE {rows}").fetchall()
    )
    connection.execute(f"CREATE TABLE events ({columns})")
    connection.execute(f"INSERT INTO events {rows}")
    for table, order in {"customers": "customer_id", "rejects": "rule, customer_id, ts"}.items():
        connection.execute(f"CREATE TABLE {table} AS {pseudonymised(table)} ORDER BY {order}")
    connection.execute("CREATE TABLE items AS SELECT * FROM raw_items ORDER BY item_id")
    connection.execute("CREATE TABLE campaigns AS SELECT * FROM raw_campaigns ORDER BY campaign_id")
    left_out.keep(connection)
    if has_table(connection, "raw_placements"):
        connection.execute("CREATE TABLE placements AS SELECT * FROM raw_placements ORDER BY item_id, week")
    if has_table(connection, "raw_positions"):
        connection.execute("CREATE TABLE positions AS SELECT * FROM raw_positions ORDER BY ALL")


def write_meta(connection: duckdb.DuckDBPyConnection, known: Mapping[str, Any]) -> None:
    """Write what is known of the data, with its as-of date. Raises DataError when there is no event."""
    row = connection.execute("SELECT max(ts)::DATE FROM events").fetchone()
    if row is None or row[0] is None:
        raise DataError("The source has no events with a date; nothing can be built from it.")
    meta = {**known, "as_of": (row[0] + timedelta(days=1)).isoformat()}
    connection.execute("CREATE OR REPLACE TABLE meta AS SELECT $1 AS content", [json.dumps(meta)])


def read_meta(connection: duckdb.DuckDBPyConnection, table: str = "meta") -> dict[str, Any]:
    """What `write_meta` wrote; table: `old.meta` for that of an attached warehouse."""
    row = connection.execute(f"SELECT content FROM {table}").fetchone()
    return dict(json.loads(row[0])) if row else {}


def spent_departments(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The departments that get features of their own, largest spend first."""
    rows = connection.execute(
        "WITH bought AS (SELECT department, value FROM events JOIN items USING (item_id) "
        "WHERE type = 'purchase' AND department IS NOT NULL) "
        "SELECT department FROM bought GROUP BY 1 "
        f"HAVING sum(value) >= {MIN_DEPARTMENT_SHARE} * (SELECT sum(value) FROM bought) "
        "ORDER BY sum(value) DESC, 1"
    ).fetchall()
    return [department for (department,) in rows]
