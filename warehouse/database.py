"""Databases that Ibis speaks to, by their address: a table is brought into DuckDB for ingestion, or put there."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import sqlglot as sg
import sqlglot.expressions as sge

from segments.errors import ConflictError, DataError

ENVIRONMENT = "env:"


@dataclass(frozen=True)
class Range:
    """The rows of a table that a load reads: those whose column is above `after` (text; empty: all) and at most `upto`.

    again: days of a time below `after` that are read once more, for rows that were committed late.
    """

    column: str
    after: str
    upto: str
    again: int = 0


def newest(address: str, table: str, column: str) -> str:
    """The largest value of a column, as text; empty for a table without rows. Raises DataError as `table_view` does."""
    with opened(address) as database:
        rows = _table(database, table)
        if column not in rows.columns:
            raise DataError(
                f"since: the table '{table}' has no column '{column}'; it has {', '.join(rows.columns)}."
            )
        if not (rows[column].type().is_temporal() or rows[column].type().is_integer()):
            raise DataError(
                f"since: the column '{column}' of '{table}' must hold times or whole numbers that only grow."
            )
        found: str | None = rows[column].max().cast("string").to_pyarrow().as_py()
    return found or ""


def table_view(
    connection: duckdb.DuckDBPyConnection, address: str, table: str, part: Range | None = None
) -> str:
    """The name of a temporary table with the rows, all or a part of them, read once a connection.

    Raises DataError for an environment variable that is not set, a database that cannot be reached or a
    table that it lacks; the address, which may hold a password, is not shown.
    """
    name = "source_" + hashlib.sha256(f"{address}|{table}|{part}".encode()).hexdigest()[:12]
    known = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = $1", [name]).fetchone()
    if known is None:
        rows = _fetch(address, table, part)
        connection.register("arriving", rows)
        connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM arriving")
        connection.unregister("arriving")
    return name


def replace_table(address: str, table: str, rows: pd.DataFrame) -> None:
    """Put rows into a table of a database, in place of all that an earlier call put there.

    A database with transactions does it in one, in the table that is there: views on it and rights to it stay. Raises
    DataError when the database cannot be reached or refuses, ConflictError for a table that has other columns, so that
    nobody else's is replaced, and when it would hold other rows.
    """
    with opened(address) as database:
        there = table in database.list_tables()
        if there and list(database.table(table).columns) != list(rows.columns):
            raise ConflictError(
                f"name: the database has another table '{table}', which is not replaced; choose another name.",
                f"name：数据库中已有另一个表“{table}”，不会被替换；请换一个名称。",
            )
        try:
            if there and hasattr(database, "begin"):
                held = _refill(database, table, rows)
            else:
                database.create_table(table, ibis.memtable(rows), overwrite=True)
                held = int(database.table(table).count().execute())
        except ConflictError:
            raise
        except Exception as error:  # noqa: BLE001 - every driver has errors of its own
            # Without the driver's text, which may hold rows.
            raise DataError(
                f"database: the table '{table}' was not taken ({type(error).__name__}); give the user of the address "
                "the right to create tables, and to delete and insert rows of this one.",
                f"database：数据库没有接受表“{table}”（{type(error).__name__}）；请授予该地址的用户建表权限，以及在此表中删除和"
                "插入行的权限。",
            ) from None
        if held != len(rows):
            database.drop_table(table)
            raise _other_rows(table, held, len(rows))


def _refill(database: Any, table: str, rows: pd.DataFrame) -> int:
    """Put rows in place of those of a table in one transaction; how many it holds."""
    arriving = f"arriving_{uuid.uuid4().hex[:12]}"
    database.create_table(arriving, ibis.memtable(rows), temp=True)
    into, source = _quoted(database, table), _quoted(database, arriving)
    with database.begin() as cursor:
        cursor.execute(f"DELETE FROM {into}")
        cursor.execute(f"INSERT INTO {into} SELECT * FROM {source}")
        cursor.execute(f"SELECT count(*) FROM {into}")
        held = int(cursor.fetchone()[0])
        if held != len(rows):  # and so the rows before stay
            raise _other_rows(table, held, len(rows))
    return held


def _other_rows(table: str, held: int, given: int) -> ConflictError:
    return ConflictError(
        f"The table '{table}' held {held} rows of {given} and was not kept; export again.",
        f"表“{table}”只有{given}行中的{held}行，未予保留；请重新导出。",
    )


def remove_rows(
    address: str,
    tables: Mapping[str, Collection[str]],
    columns: Sequence[str],
    column: str,
    value: str,
    *,
    below: bool = False,
) -> dict[str, int]:
    """Remove the rows with a text in a column, or with one below it, from those of the tables that have exactly these
    columns; how many, by table. tables: each with what the last column holds of rows that may go; others stay.

    Raises DataError when the database cannot be reached, and naming the table that still has such rows.
    """
    removed: dict[str, int] = {}
    if not tables:
        return removed
    with opened(address) as database:
        there = set(database.list_tables())
        for name, keys in tables.items():
            table = database.table(name) if name in there else None
            if table is None or list(table.columns) != list(columns):
                continue
            test = table[column] < value if below else table[column] == value
            chosen = table.filter(test, table[columns[-1]].isin(list(keys)))
            rows = int(chosen.count().execute())
            if not rows:
                continue
            comparison = (sge.LT if below else sge.EQ)(
                this=sg.column(column, quoted=True), expression=sge.convert(value)
            )
            owned = sg.column(columns[-1], quoted=True).isin(*keys)
            removal = sge.Delete(
                this=sg.table(name, quoted=True), where=sge.Where(this=sg.and_(comparison, owned))
            )
            try:
                _execute(database, removal.sql(database.dialect))
                left = int(chosen.count().execute())
            except Exception:  # noqa: BLE001 - every driver has errors of its own, whose text may hold rows
                left = rows
            if left:
                raise DataError(
                    f"database: the table '{name}' keeps {left} rows that must go; give the user of the address the "
                    "right to delete rows of it, and run it again.",
                    f"database：表“{name}”仍保留{left}行必须删除的数据；请授予该地址的用户删除其行的权限，然后重新运行。",
                )
            removed[name] = rows
    return removed


def _execute(database: Any, sql: str) -> None:
    if hasattr(database, "begin"):
        with database.begin() as cursor:
            cursor.execute(sql)
    else:
        database.raw_sql(sql)


def _quoted(database: Any, table: str) -> str:
    return sg.table(table, quoted=True).sql(database.dialect)


def address_of(said: str, what: str = "database") -> str:
    """The address of `what`, read from the environment where 'env:NAME' is said. Raises DataError where that is not set."""
    if not said.startswith(ENVIRONMENT):
        return said
    name = said.removeprefix(ENVIRONMENT)
    if not os.environ.get(name):
        raise DataError(f"{what}: the environment variable {name} is not set; it should hold the address.")
    return os.environ[name]


@contextmanager
def opened(said: str) -> Iterator[ibis.BaseBackend]:
    """A connection to the database of an address. Raises DataError, without the address, which may hold a password."""
    address = address_of(said)
    kind = address.split(":", 1)[0]
    try:
        database = ibis.connect(address)
    except Exception as error:  # noqa: BLE001 - every driver has errors of its own
        # Neither the address nor the driver's text is shown: both may hold the password.
        raise DataError(
            f"database: cannot connect to the {kind} database ({type(error).__name__})."
        ) from None
    try:
        yield database
    finally:
        database.disconnect()


def _fetch(address: str, table: str, part: Range | None) -> object:
    with opened(address) as database:
        rows = _table(database, table)
        return (rows if part is None else rows.filter(*_within(rows, part))).to_pyarrow()


def _within(rows: ir.Table, part: Range) -> list[ir.BooleanValue]:
    """The tests of a part; rows without a value in the column are read with the whole table only."""
    column = rows[part.column]
    low, high = (ibis.literal(value).cast(column.type()) for value in (part.after or part.upto, part.upto))
    if not part.after:
        return [(column <= high) | column.isnull()]
    if part.again and column.type().is_temporal():
        low -= ibis.interval(days=part.again)
    return [column > low, column <= high]


def _table(database: ibis.BaseBackend, table: str) -> ir.Table:
    if table not in database.list_tables():
        raise DataError(f"database: the {database.name} database has no table '{table}'.")
    return database.table(table)
