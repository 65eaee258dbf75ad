"""A mapping's files and tables read into raw_events, raw_items, raw_customers, raw_campaigns and raw_reviews, by DuckDB."""

from __future__ import annotations

from collections.abc import Mapping as Table
from collections.abc import Sequence
from pathlib import Path

import duckdb

from segments.errors import DataError
from warehouse import left_out
from warehouse.attributes import few_levels
from warehouse.connection import identifier
from warehouse.database import Range
from warehouse.ledger import Columns
from warehouse.mapping import Mapping
from warehouse.rates import UNKNOWN
from warehouse.raw_rows import (
    DEFAULTS,
    RAW_CUSTOMERS,
    RAW_EVENTS,
    RAW_ITEMS,
    Reading,
    campaign_rows,
    customer_rows,
    event_rows,
    item_rows,
    not_given,
    review_rows,
    run,
)
from warehouse.readable import UNREADABLE
from warehouse.reviews import take_reviews
from warehouse.unread import note_unread
from warehouse.utf8 import utf8_copies

SURPRISES = ("CSV Error on Line", "JSON transform error")
"""What the engine says of a value that the first rows of its column had not led it to expect."""


def load(
    mapping: Mapping,
    connection: duckdb.DuckDBPyConnection,
    numbers: Table[Path, int] | None = None,
    parts: Table[int, Range | None] | None = None,
) -> dict[int, Columns]:
    """Create the raw tables from the files of these numbers (default: all) and these parts of the databases' tables
    (default: all of them, whole); the columns of each source read.

    A value that does not fit its column's first rows makes all be read anew, by columns that every value fits.
    Raises DataError naming the file, the table and the field that cannot be read.
    """
    if numbers is None:
        paths = [p for s in mapping.sources if not s.database for p in mapping.paths(s)]
        numbers = {path: number for number, path in enumerate(dict.fromkeys(paths))}
    with utf8_copies(connection) as copies:
        reading = Reading(connection, mapping, numbers, copies, parts)
        connection.begin()
        try:
            columns = _load(reading)
        except DataError as error:
            connection.rollback()
            if not any(words in str(error) for words in SURPRISES):
                raise
            return _load(Reading(connection, mapping, numbers, copies, parts, whole=True))
        except BaseException:
            connection.rollback()
            raise
        connection.commit()
        return columns


def _load(reading: Reading) -> dict[int, Columns]:
    connection = reading.connection
    left_out.begin(connection)
    _load_events(reading)
    _load_items(reading)
    _load_customers(reading)
    campaigns = [campaign_rows(reading, place, source) for place, source in reading.of("campaigns")]
    empty = "NULL::VARCHAR AS campaign_id, NULL::VARCHAR AS type, NULL::DATE AS start_date, NULL::DATE AS end_date"
    faults = "NULL::VARCHAR AS fault_start_date, NULL::VARCHAR AS fault_end_date"
    _create(connection, "given_campaigns", campaigns or [f"SELECT {empty}, {faults} WHERE false"])
    if campaigns:
        note_unread(connection, "campaigns", ("start_date", "end_date"))
    connection.execute(
        "CREATE TEMP TABLE raw_campaigns AS SELECT DISTINCT * EXCLUDE (fault_start_date, fault_end_date) "
        "FROM given_campaigns WHERE fault_start_date IS NULL"
    )
    _load_reviews(reading)
    return reading.columns


def _load_events(reading: Reading) -> None:
    """A column that no source fills is computed where it is asked for: of a wide table a fifth less is kept."""
    filled = {said for _, source in reading.of("events") for said in source.columns}
    columns = {}
    queries = [event_rows(reading, place, source) for place, source in reading.of("events")]
    if reading.doubtful:
        filled.add(UNREADABLE)
    others = (
        ("file_no", "", "INTEGER"),
        (UNKNOWN, "currency", "VARCHAR"),
        (UNREADABLE, UNREADABLE, "VARCHAR"),
    )
    for name, said, kind in (*RAW_EVENTS, *others):
        # A rule of cleaning may set the quantity.
        told = said in ("", "quantity", *filled)
        columns[name] = kind if told else f"{kind} AS ({DEFAULTS.get(name, 'NULL')}::{kind})"
    shown = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    reading.connection.execute(f"CREATE TEMP TABLE raw_events ({shown})")
    if queries:
        kept = ", ".join(name for name, kind in columns.items() if " AS " not in kind)
        rows = f"SELECT {kept} FROM ({' UNION ALL '.join(queries)})"
        run(reading.connection, "events", f"INSERT INTO raw_events ({kept}) {rows}")


def _load_items(reading: Reading) -> None:
    """One row an item, also for items that were bought but are not described."""
    connection = reading.connection
    found = [item_rows(reading, place, source) for place, source in reading.of("items")]
    _create(connection, "given_items", found or [_empty(("item_id", *(name for name, _ in RAW_ITEMS)))])
    # The value an item has most often, so that a misspelt line does not make a second item.
    _one_each(connection, "items", "item_id", "mode", [name for name, _ in RAW_ITEMS])
    connection.execute(
        "INSERT INTO raw_items BY NAME SELECT DISTINCT item_id FROM raw_events WHERE type = 'purchase' "
        "AND item_id IS NOT NULL AND item_id NOT IN (SELECT item_id FROM raw_items)"
    )


def _load_customers(reading: Reading) -> None:
    connection = reading.connection
    sources = reading.of("customers")
    channels = sorted({channel for _, source in sources for channel in source.reach})
    own = [attribute.name for attribute in reading.mapping.attributes]
    known = [name for name, _ in RAW_CUSTOMERS if name not in own]
    found = [customer_rows(reading, place, source, channels) for place, source in sources]
    if not found:
        rows = _empty(("source_id", *known))
        given = "".join(f", {column}" for one in reading.mapping.attributes for column in not_given(one))
        found = [rows.replace(" WHERE false", f"{given} WHERE false")]
    _create(connection, "given_customers", found)
    note_unread(connection, "customers", own)
    few_levels(connection, reading.mapping.attributes)
    names = [*known, *map(identifier, own), *(f"reach_{channel}" for channel in channels)]
    _one_each(connection, "customers", "source_id", "any_value", names)


def _load_reviews(reading: Reading) -> None:
    """Only where there are any: most mappings have none."""
    found = [review_rows(reading, place, source) for place, source in reading.of("reviews")]
    if found:
        _create(reading.connection, "given_reviews", found)
        note_unread(reading.connection, "reviews", ("ts", "rating"))
        take_reviews(reading.connection)


def _one_each(
    connection: duckdb.DuckDBPyConnection, what: str, key: str, choice: str, names: Sequence[str]
) -> None:
    """One row a key, in raw_WHAT, of what was given; the gate is told in the view known_WHAT which keys differ."""
    values = ", ".join(f"{choice}({name}) AS {name}" for name in names)
    alike = f"hash({', '.join(names)})"
    connection.execute(
        f"CREATE TEMP TABLE known_{what} AS SELECT {key}, {values}, min({alike}) <> max({alike}) AS differs "
        f"FROM given_{what} WHERE {key} IS NOT NULL GROUP BY 1"
    )
    connection.execute(f"CREATE TEMP TABLE raw_{what} AS SELECT * EXCLUDE (differs) FROM known_{what}")


def _empty(names: Sequence[str]) -> str:
    return "SELECT " + ", ".join(f"NULL::VARCHAR AS {name}" for name in names) + " WHERE false"


def _create(connection: duckdb.DuckDBPyConnection, table: str, queries: list[str]) -> None:
    statement = f"CREATE TEMP TABLE {table} AS {' UNION ALL '.join(queries)}"
    run(connection, table.split("_")[1], statement)
