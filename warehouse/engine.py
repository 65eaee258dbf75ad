"""The same tables on another engine: PostgreSQL, Spark, or any Ibis backend the retailer has.

An `Engine` offers what audiences need of a warehouse, so `Audiences(Engine(...))` counts the same
definitions there. `copy_to` brings a workspace's tables over.
"""

from __future__ import annotations

import threading
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from segments.errors import OperatorError
from segments.features import Catalogue
from warehouse.store import Warehouse
from warehouse.tables import Tables

COPIED = ("events", "items", "customers")


class Engine(Tables):
    """Events, items and customers in a database that Ibis speaks to, with the feature mart computed there.

    prefix: put before the tables' names (`events`, `items`, `customers`, `features`).
    """

    def __init__(
        self, connection: ibis.BaseBackend, catalogue: Catalogue, as_of: date, prefix: str = ""
    ) -> None:
        self.connection, self.prefix = connection, prefix
        self._catalogue, self._as_of = catalogue, as_of
        self._lock = threading.RLock()
        self._tables: dict[str, ir.Table] = {}

    @property
    def as_of(self) -> date:
        """The day after the last event."""
        return self._as_of

    @property
    def catalogue(self) -> Catalogue:
        """The features there are."""
        return self._catalogue

    def table(self, name: str) -> ir.Table:
        """events, items, customers or features; the features are computed when there is no such table."""
        if name not in self._tables:
            stored = self.connection.list_tables()
            if self.prefix + name in stored:
                self._tables[name] = self.connection.table(self.prefix + name)
            elif name == "features":
                self._tables[name] = self.mart_expression(self.as_of)
            else:
                raise OperatorError(
                    f"The database has no table '{self.prefix}{name}'; copy the tables to it first."
                )
        return self._tables[name]

    def build_features(self) -> None:
        """Compute the feature mart in the database and keep it as a table there."""
        self._tables.pop("features", None)
        name = self.prefix + "features"
        self.connection.create_table(name, self.mart_expression(self.as_of), overwrite=True)

    def sql(self, expression: ir.Table) -> str:
        """The expression in the database's own SQL."""
        return str(self.connection.compile(expression))

    def fetch(self, expression: ir.Table) -> pd.DataFrame:
        """Run an expression."""
        with self._lock:
            return self.connection.execute(expression)


def copy_to(warehouse: Warehouse, connection: ibis.BaseBackend, prefix: str = "") -> Engine:
    """Copy the workspace's tables into a database, compute its features there, return the engine."""
    for name in COPIED:
        table = warehouse.table(name)
        # With the schema, because a column without any value has no type of its own.
        rows = ibis.memtable(warehouse.fetch(table), schema=table.schema())
        connection.create_table(prefix + name, rows, overwrite=True)
    engine = Engine(connection, warehouse.catalogue, warehouse.as_of, prefix)
    engine.build_features()
    return engine
