"""The same tables on another engine: PostgreSQL, Spark, or any Ibis backend the retailer has.

An `Engine` offers what audiences need of a warehouse, so `Audiences(Engine(...))` counts the same
definitions there. `copy_to` brings a workspace's tables over.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import date
from functools import cached_property

import ibis
import ibis.expr.types as ir
import pandas as pd

from segments.errors import OperatorError
from segments.features import Catalogue
from warehouse.items import item_values
from warehouse.mart import feature_mart
from warehouse.store import Warehouse

TABLES = ("events", "items", "customers")


class Engine:
    """Events, items and customers in a database that Ibis speaks to, with the feature mart computed there.

    prefix: put before the tables' names (`events`, `items`, `customers`, `features`).
    """

    def __init__(
        self, connection: ibis.BaseBackend, catalogue: Catalogue, as_of: date, prefix: str = ""
    ) -> None:
        self.connection, self.catalogue, self.as_of, self.prefix = connection, catalogue, as_of, prefix
        self._lock = threading.RLock()
        self._tables: dict[str, ir.Table] = {}

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

    def mart_expression(self, as_of: date, names: Collection[str] | None = None) -> ir.Table:
        """The feature mart as of a date, as an expression; with names, only these features."""
        wanted = Catalogue(f for f in self.catalogue if names is None or f.name in names)
        return feature_mart(self.table("events"), self.table("items"), self.table("customers"), wanted, as_of)

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

    @cached_property
    def item_values(self) -> dict[str, tuple[str, ...]]:
        """department, category and brand values that somebody bought, by spend, largest first."""
        return item_values(self.table("events"), self.table("items"), self.fetch)


def copy_to(warehouse: Warehouse, connection: ibis.BaseBackend, prefix: str = "") -> Engine:
    """Copy the workspace's tables into a database, compute its features there, return the engine."""
    for name in TABLES:
        table = warehouse.table(name)
        # With the schema, because a column without any value has no type of its own.
        rows = ibis.memtable(warehouse.fetch(table), schema=table.schema())
        connection.create_table(prefix + name, rows, overwrite=True)
    engine = Engine(connection, warehouse.catalogue, warehouse.as_of, prefix)
    engine.build_features()
    return engine
