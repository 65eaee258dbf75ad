"""A table of a database (any that Ibis speaks to) brought into DuckDB for ingestion."""

from __future__ import annotations

import hashlib
import os

import duckdb
import ibis

from segments.errors import DataError

ENVIRONMENT = "env:"


def table_view(connection: duckdb.DuckDBPyConnection, address: str, table: str) -> str:
    """The name of a temporary table with the rows, read once a connection.

    Raises DataError for an environment variable that is not set, a database that cannot be reached or a
    table that it lacks; the address, which may hold a password, is not shown.
    """
    name = "source_" + hashlib.sha256(f"{address}|{table}".encode()).hexdigest()[:12]
    known = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = $1", [name]).fetchone()
    if known is None:
        rows = _fetch(_address(address), table)
        connection.register("arriving", rows)
        connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM arriving")
        connection.unregister("arriving")
    return name


def _address(said: str) -> str:
    if not said.startswith(ENVIRONMENT):
        return said
    name = said.removeprefix(ENVIRONMENT)
    if not os.environ.get(name):
        raise DataError(f"database: the environment variable {name} is not set; it should hold the address.")
    return os.environ[name]


def _fetch(address: str, table: str) -> object:
    kind = address.split(":", 1)[0]
    try:
        database = ibis.connect(address)
    except Exception as error:  # noqa: BLE001 - every driver has errors of its own
        # Neither the address nor the driver's text is shown: both may hold the password.
        raise DataError(
            f"database: cannot connect to the {kind} database ({type(error).__name__})."
        ) from None
    try:
        if table not in database.list_tables():
            raise DataError(f"database: the {kind} database has no table '{table}'.")
        return database.table(table).to_pyarrow()
    finally:
        database.disconnect()
