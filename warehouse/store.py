"""The warehouse of one workspace: a DuckDB file with events, items, customers, campaigns, features.

Built into a temporary file and moved into place, so that a half-built warehouse is never opened.
Open warehouses are read-only: any number of processes may read the same file.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
from sqlglot import expressions as sge

from segments.attributes import CustomerAttribute
from segments.attributes import of_json as attribute_of_json
from segments.catalogue import standard_catalogue
from segments.errors import NotBuiltError, StorageError
from segments.features import Catalogue
from segments.ports import Progress, silent
from segments.tastes import Taste, of_json
from warehouse import daily, reviews
from warehouse.connection import MEMORY_VARIABLE, SPILL_VARIABLE, clear_spills, connect
from warehouse.quality import clean_and_check
from warehouse.refresh import refresh
from warehouse.tables import Tables
from warehouse.write import (
    forget_old,
    looking_into,
    read_meta,
    spent_departments,
    write_meta,
    write_tables,
)

FILE = "warehouse.duckdb"


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
    except duckdb.OutOfMemoryException as error:
        text = str(error)
        if "max_temp_directory_size" in text:
            raise StorageError(
                f"There is no room on the disk for what does not fit into memory beside {path}; free some space, or "
                f"raise {SPILL_VARIABLE} where it is set, and run it again."
            ) from error
        raise StorageError(
            f"The work on {path} does not fit into the memory limit; raise {MEMORY_VARIABLE} and run it again."
        ) from error
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
    load: Callable[[duckdb.DuckDBPyConnection], object],
    progress: Progress = silent,
    note: Callable[[duckdb.DuckDBPyConnection], Mapping[str, Any]] = lambda _connection: {},
) -> Path:
    """Load, clean, check and pseudonymise a source, compute the feature mart; return the file.

    `load` creates raw_events, raw_items, raw_customers, raw_campaigns and, where there are any, raw_reviews
    (`warehouse.reviews`), raw_placements of display and mailer (item_id, week, units, display, mailer) and raw_positions
    (item_id, week, display, mailer, stores, units). `note` may write tables of its own and returns what `meta` is to hold
    besides. Rules that were taken back in the warehouse before stay off, and what retention removed from it stays away.
    Nothing is left in place when it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = known_of(folder / FILE)
    off = list(before.get("rules_off", ()))
    with replacing(folder / FILE) as partial:
        connection = connect(partial)
        try:
            progress(0.0, "reading the source files")
            load(connection)
            forget_old(connection, before.get("forget_before"))
            progress(0.3, "cleaning and checking")
            report = clean_and_check(connection, folder, off=off)
            progress(0.4, "replacing customer ids by pseudonyms")
            write_tables(connection, folder)
            reviews.keep(connection)
            daily.keep(connection)
            known = {
                "departments": spent_departments(connection),
                "quality": report.to_dict(),
                "rules_off": off,
                "forget_before": before.get("forget_before"),
            }
            write_meta(connection, known | dict(note(connection)))
        finally:
            connection.close()
        progress(0.6, "computing the feature mart")
        write_features(partial)
    progress(1.0, "warehouse ready")
    return folder / FILE


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A file to write beside a warehouse; moved over it when the block ends well."""
    partial = target.with_name(target.name + ".partial")
    with storage_errors(target):
        for path in (target, partial):
            clear_spills(path)
        partial.unlink(missing_ok=True)
        partial.with_name(partial.name + ".wal").unlink(missing_ok=True)
        try:
            yield partial
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)


def known_of(path: Path) -> dict[str, Any]:
    """The meta data of a warehouse file; empty for one that is missing or damaged."""
    if not path.exists():
        return {}
    try:
        with looking_into(path) as connection:
            return read_meta(connection)
    except duckdb.Error:
        return {}


def write_features(path: Path) -> None:
    """Compute the feature mart as of the warehouse's date; it takes the place of an earlier one."""
    warehouse = Warehouse(path, read_only=False)
    try:
        expression = warehouse.mart_expression(warehouse.as_of)
        warehouse.connection.create_table("features", expression, overwrite=True)
        # Else it may wait in the log beside the file, which does not move with it.
        warehouse.connection.raw_sql("CHECKPOINT")
    finally:
        warehouse.close()


def refresh_features(path: Path, before: date) -> None:
    """Bring the feature mart to the warehouse's date, from the one as of `before`.

    The table `touched` (customer_id, kept) names who has other events or attributes than then, as `refresh` asks; it is
    dropped.
    """
    warehouse = Warehouse(path, read_only=False)
    try:
        done = refresh(warehouse.connection, warehouse.catalogue, before, warehouse.as_of)
        warehouse.connection.raw_sql("DROP TABLE touched; CHECKPOINT")
    finally:
        warehouse.close()
    if not done:
        write_features(path)


class Warehouse(Tables):
    """An open warehouse. Thread-safe: one query at a time on one connection, counts and lists on ones of their own."""

    numbered = True

    def __init__(self, path: Path, *, read_only: bool = True) -> None:
        if not path.exists():
            raise NotBuiltError(f"There is no warehouse at {path}; run: segassist build")
        self.path = path
        with storage_errors(path):
            self.connection = ibis.duckdb.from_connection(connect(path, read_only=read_only))
        self._lock = threading.RLock()
        self._snapshots: dict[date, pd.DataFrame] = {}
        self._tables: dict[str, ir.Table] = {}

    def close(self) -> None:
        """Close the connection."""
        self.connection.disconnect()

    @cached_property
    def meta(self) -> dict[str, Any]:
        """as_of, departments and the quality report."""
        # A damaged file opens as long as nobody reads the damaged part of it.
        with storage_errors(self.path):
            content = self.fetch(self.connection.table("meta"))["content"].iloc[0]
        return dict(json.loads(content))

    @property
    def base(self) -> str:
        """Names the load in full that the data began with; empty where no ledger is kept."""
        return str(self.meta.get("ledger", {}).get("base", ""))

    @cached_property
    def as_of(self) -> date:
        """The day after the last event."""
        return date.fromisoformat(self.meta["as_of"])

    @cached_property
    def catalogue(self) -> Catalogue:
        """The features of this workspace."""
        return standard_catalogue(self.meta["departments"], self.tastes, self.attributes)

    @cached_property
    def attributes(self) -> tuple[CustomerAttribute, ...]:
        """The attributes of customers that the mapping declares, with their levels."""
        return tuple(attribute_of_json(known) for known in self.meta.get("attributes", ()))

    @cached_property
    def tastes(self) -> tuple[Taste, ...]:
        """The tastes that items were compared with."""
        return tuple(of_json(known) for known in self.meta.get("tastes", ()))

    def table(self, name: str) -> ir.Table:
        """events, items, customers, campaigns, features or rejects, as an Ibis table."""
        if name not in self._tables:
            with self._lock:
                self._tables[name] = self.connection.table(name)
        return self._tables[name]

    def sql(self, expression: ir.Table) -> str:
        """The expression as DuckDB's SQL."""
        with self._lock:
            return str(self.connection.compile(expression))

    def to_sqlglot(self, expression: ir.Table) -> sge.Select:
        """The expression as a SELECT in DuckDB's SQL, taken apart."""
        select: sge.Select = self.connection.compiler.to_sqlglot(expression)
        return select

    def fetch(self, expression: ir.Table) -> pd.DataFrame:
        """Run an expression."""
        with self._lock, storage_errors(self.path):
            return (
                expression.execute()
                if expression._find_backends()[0]
                else self.connection.execute(expression)
            )

    def rows(self, expression: ir.Table) -> pd.DataFrame:
        """Run an expression; not behind other queries, unless it holds a listed table."""
        if expression.op().find(ops.InMemoryTable):
            return super().rows(expression)
        query = str(self.connection.compile(expression))
        with storage_errors(self.path), self.connection.con.cursor() as cursor:
            cursor.execute(f'USE "{self._catalog}"')
            return cursor.execute(query).df()

    @cached_property
    def _catalog(self) -> str:
        with self._lock:
            return str(self.connection.current_catalog)

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
