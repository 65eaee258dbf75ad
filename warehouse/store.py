"""The warehouse of one workspace: a DuckDB file with events, items, customers, campaigns, features.

Built into a temporary file and moved into place, so that a half-built warehouse is never opened.
Open warehouses are read-only: any number of processes may read the same file.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd

from segments.catalogue import standard_catalogue
from segments.errors import DataError, NotBuiltError, StorageError
from segments.features import Catalogue
from segments.ports import Progress, silent
from warehouse.pseudonyms import load_or_create_key, write_vault
from warehouse.quality import clean_and_check
from warehouse.tables import Tables

FILE = "warehouse.duckdb"
MIN_DEPARTMENT_SHARE = 0.002
"""Departments with a smaller share of spend get no features of their own (noise, not habits)."""


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """DuckDB and OS errors about the file itself, as one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageError(
                f"The disk is full while writing {path}; free some space and run it again."
            ) from error
        raise StorageError(f"Cannot write {path}: {error.strerror}.") from error
    except duckdb.IOException as error:
        text = str(error)
        if "lock" in text:
            raise StorageError(f"Another process holds {path}; stop it and run this again.") from error
        if "No space" in text or "disk full" in text.lower():
            raise StorageError(
                f"The disk is full while writing {path}; free some space and run it again."
            ) from error
        raise StorageError(
            f"Cannot open {path}: {text.splitlines()[0]} Rebuild it with: segassist build"
        ) from error


def build(
    folder: Path,
    load: Callable[[duckdb.DuckDBPyConnection], None],
    progress: Progress = silent,
) -> Path:
    """Load, clean, check and pseudonymise a source, compute the feature mart; return the file.

    `load` creates raw_events, raw_items, raw_customers, raw_campaigns and, where display and mailer positions
    are known, raw_placements (item_id, week, units, display, mailer). Nothing is left in place
    when it fails.
    """
    target = folder / FILE
    partial = folder / (FILE + ".partial")
    folder.mkdir(parents=True, exist_ok=True)
    partial.unlink(missing_ok=True)
    with storage_errors(target):
        connection = duckdb.connect(str(partial))
        try:
            progress(0.0, "reading the source files")
            load(connection)
            progress(0.3, "cleaning and checking")
            report = clean_and_check(connection, folder)
            progress(0.4, "replacing customer ids by pseudonyms")
            _write_tables(connection, folder)
            _write_meta(connection, report.to_dict())
        finally:
            connection.close()
        progress(0.6, "computing the feature mart")
        _write_features(partial)
        os.replace(partial, target)
    progress(1.0, "warehouse ready")
    return target


def _write_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    rows = connection.execute(
        "SELECT source_id FROM raw_events UNION SELECT source_id FROM raw_customers "
        "UNION SELECT source_id FROM raw_rejects WHERE source_id IS NOT NULL ORDER BY 1"
    ).fetchall()
    vault = write_vault(folder, [row[0] for row in rows], load_or_create_key(folder))
    connection.register("vault", vault)
    # Rows of nobody are kept among the rejects only; rows of erased persons, whom the vault lacks, nowhere.
    for table, order, nobody in (
        ("events", "customer_id, ts", "false"),
        ("customers", "customer_id", "false"),
        ("rejects", "rule, customer_id, ts", "r.source_id IS NULL"),
    ):
        connection.execute(
            f"CREATE TABLE {table} AS SELECT v.customer_id, r.* EXCLUDE (source_id) "
            f"FROM raw_{table} r LEFT JOIN vault v USING (source_id) "
            f"WHERE v.customer_id IS NOT NULL OR {nobody} ORDER BY {order}"
        )
    connection.unregister("vault")
    connection.execute("CREATE TABLE items AS SELECT * FROM raw_items ORDER BY item_id")
    connection.execute("CREATE TABLE campaigns AS SELECT * FROM raw_campaigns ORDER BY campaign_id")
    if connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'raw_placements'").fetchone():
        connection.execute("CREATE TABLE placements AS SELECT * FROM raw_placements ORDER BY item_id, week")


def _write_meta(connection: duckdb.DuckDBPyConnection, quality: dict[str, object]) -> None:
    row = connection.execute("SELECT max(ts)::DATE FROM events").fetchone()
    if row is None or row[0] is None:
        raise DataError("The source has no events with a date; nothing can be built from it.")
    departments = connection.execute(
        "WITH bought AS (SELECT department, value FROM events JOIN items USING (item_id) "
        "WHERE type = 'purchase' AND department IS NOT NULL) "
        "SELECT department FROM bought GROUP BY 1 "
        f"HAVING sum(value) >= {MIN_DEPARTMENT_SHARE} * (SELECT sum(value) FROM bought) "
        "ORDER BY sum(value) DESC, 1"
    ).fetchall()
    meta = {
        "as_of": (row[0] + timedelta(days=1)).isoformat(),
        "departments": [department for (department,) in departments],
        "quality": quality,
    }
    connection.execute("CREATE TABLE meta AS SELECT $1 AS content", [json.dumps(meta)])


def _write_features(path: Path) -> None:
    warehouse = Warehouse(path, read_only=False)
    try:
        expression = warehouse.mart_expression(warehouse.as_of)
        warehouse.connection.create_table("features", expression)
    finally:
        warehouse.close()


class Warehouse(Tables):
    """An open warehouse. Thread-safe: one query at a time on one connection."""

    def __init__(self, path: Path, *, read_only: bool = True) -> None:
        if not path.exists():
            raise NotBuiltError(f"There is no warehouse at {path}; run: segassist build")
        with storage_errors(path):
            self.connection = ibis.duckdb.connect(str(path), read_only=read_only)
        self._lock = threading.RLock()
        self._snapshots: dict[date, pd.DataFrame] = {}
        self._tables: dict[str, ir.Table] = {}

    def close(self) -> None:
        """Close the connection."""
        self.connection.disconnect()

    @cached_property
    def meta(self) -> dict[str, Any]:
        """as_of, departments and the quality report."""
        content = self.fetch(self.connection.table("meta"))["content"].iloc[0]
        return dict(json.loads(content))

    @cached_property
    def as_of(self) -> date:
        """The day after the last event."""
        return date.fromisoformat(self.meta["as_of"])

    @cached_property
    def catalogue(self) -> Catalogue:
        """The features of this workspace."""
        return standard_catalogue(self.meta["departments"])

    def table(self, name: str) -> ir.Table:
        """events, items, customers, campaigns, features or rejects, as an Ibis table."""
        with self._lock:
            if name not in self._tables:
                self._tables[name] = self.connection.table(name)
            return self._tables[name]

    def sql(self, expression: ir.Table) -> str:
        """The expression as DuckDB's SQL."""
        with self._lock:
            return str(self.connection.compile(expression))

    def fetch(self, expression: ir.Table) -> pd.DataFrame:
        """Run an expression."""
        with self._lock:
            return (
                expression.execute()
                if expression._find_backends()[0]
                else self.connection.execute(expression)
            )

    def events(self, kind: str, *columns: str) -> pd.DataFrame:
        """Columns of the events of a type."""
        events = self.table("events")
        return self.fetch(events.filter(events.type == kind).select(*columns))

    def features(self, as_of: date | None = None) -> pd.DataFrame:
        """The feature mart as of a date (default: the warehouse's), indexed by customer_id."""
        day = as_of or self.as_of
        if day not in self._snapshots:
            source = self.table("features") if day == self.as_of else self.mart_expression(day)
            self._snapshots[day] = self.fetch(source).set_index("customer_id").sort_index()
        return self._snapshots[day]

    @cached_property
    def item_names(self) -> tuple[str, ...]:
        """Product names that somebody bought, most bought first."""
        events, items = self.table("events"), self.table("items")
        bought = events.filter(events.type == "purchase").inner_join(items, "item_id")
        counts = bought.filter(bought.name.notnull()).group_by("name").aggregate(lines=ibis._.count())
        return tuple(self.fetch(counts.order_by([ibis.desc("lines"), "name"]))["name"])
