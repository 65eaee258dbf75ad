"""How many events of each type came each day, and what lines of purchase were worth: counted once, and kept.

The gate's volume and drift and the report's plots are sums of the table `daily`, so that an added day costs what a day
holds. It is a sum itself: what is taken out of the events is added to it with a minus. Whatever changes events in another
way drops it, and the next who asks counts all of them again.
"""

from __future__ import annotations

import duckdb

from warehouse.write import count

DIGITS = 3
"""Of a line's value: as fine as a plot shows, and so few different ones that a day's are fewer than its lines."""
_ROUNDED = (
    f"round(value::DOUBLE, {DIGITS - 1} - TRY_CAST(floor(log10(nullif(abs(value::DOUBLE), 0))) AS INTEGER))"
)
_VALUE = f"CASE WHEN type = 'purchase' THEN CASE WHEN value = 0 THEN 0.0 ELSE {_ROUNDED} END END"


def counted(events: str, sign: str = "") -> str:
    """SQL of the daily counts (day, type, value, events) of what SQL names events by ts, type and value.

    value: of lines of purchase, to `DIGITS` digits; null for other types.
    """
    return (
        f"SELECT ts::DATE AS day, type, {_VALUE} AS value, ({sign}count(*))::BIGINT AS events "
        f"FROM {events} GROUP BY ALL"
    )


def count_raw(connection: duckdb.DuckDBPyConnection) -> None:
    """Create raw_daily, of raw_events."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE raw_daily AS {counted('raw_events')}")


def keep(connection: duckdb.DuckDBPyConnection) -> None:
    """Create `daily` of a warehouse loaded in full: raw_daily, unless some raw events did not become events."""
    if _total(connection, "raw_daily") == count(connection, "SELECT count(*) FROM events"):
        connection.execute("CREATE TABLE daily AS SELECT * FROM raw_daily ORDER BY day")
    else:
        connection.execute(f"CREATE TABLE daily AS {counted('events')} ORDER BY day")


def need(connection: duckdb.DuckDBPyConnection) -> None:
    """Create `daily` anew where it is missing or is not of these events."""
    there = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'daily'").fetchone()
    if there and _total(connection, "daily") == count(connection, "SELECT count(*) FROM events"):
        return
    forget(connection)
    connection.execute(f"CREATE TABLE daily AS {counted('events')} ORDER BY day")


def add(connection: duckdb.DuckDBPyConnection, events: str, added: int) -> None:
    """Count so many events that come in: raw_daily, unless some raw events did not; events: as in `counted`."""
    whole = _total(connection, "raw_daily") == added
    connection.execute(f"INSERT INTO daily {'FROM raw_daily' if whole else counted(events)} ORDER BY day")


def take_out(connection: duckdb.DuckDBPyConnection, events: str) -> None:
    """Count events that go; to be called before they are gone."""
    connection.execute(f"INSERT INTO daily {counted(events, '-')}")


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop `daily`: the events are others now."""
    connection.execute("DROP TABLE IF EXISTS daily")


def _total(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return count(connection, f"SELECT sum(events) FROM {table}")
