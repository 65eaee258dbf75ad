"""What audiences need of a warehouse, whichever engine keeps it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from datetime import date
from functools import cached_property

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from sqlglot import expressions as sge

from segments.features import Catalogue
from warehouse.mart import feature_mart

ITEM_FIELDS = ("department", "category", "brand")


def narrowed(table: ir.Table, columns: Collection[str]) -> ir.Table:
    """A stored table as if it had only these of its columns; anything else is given back as it is.

    What an expression costs to compile grows with the columns of its tables: a condition on events takes 6 ms
    instead of 18.
    """
    stored, schema = table.op(), table.schema()
    if not isinstance(stored, ops.DatabaseTable):
        return table
    kept = ibis.schema({name: schema[name] for name in schema.names if name in columns})
    return ops.DatabaseTable(stored.name, kept, stored.source, stored.namespace).to_expr()


class Tables(ABC):
    """Events, items, customers and features behind one connection.

    numbered: whether the engine numbers the rows of a stored table, which bitmaps are made of.
    """

    numbered = False

    @property
    @abstractmethod
    def as_of(self) -> date:
        """The day after the last event."""

    @property
    @abstractmethod
    def catalogue(self) -> Catalogue:
        """The features there are."""

    @abstractmethod
    def table(self, name: str) -> ir.Table:
        """A table by name, as an Ibis table."""

    @abstractmethod
    def sql(self, expression: ir.Table) -> str:
        """The expression in the engine's own SQL."""

    def to_sqlglot(self, expression: ir.Table) -> sge.Select:
        """The expression as a SELECT taken apart, where the engine numbers its rows."""
        raise NotImplementedError

    @abstractmethod
    def fetch(self, expression: ir.Table) -> pd.DataFrame:
        """Run an expression."""

    def rows(self, expression: ir.Table) -> pd.DataFrame:
        """Run an expression, where an engine can without waiting for other queries."""
        return self.fetch(expression)

    def column(self, expression: ir.Table) -> np.ndarray:
        """The values of an expression of one column."""
        return self.rows(expression).iloc[:, 0].to_numpy()

    def mart_expression(self, as_of: date, names: Collection[str] | None = None) -> ir.Table:
        """The feature mart as of a date, as an expression; with names, only these features."""
        wanted = Catalogue(f for f in self.catalogue if names is None or f.name in names)
        return feature_mart(self.table("events"), self.table("items"), self.table("customers"), wanted, as_of)

    @cached_property
    def happened(self) -> dict[str, tuple[str, ...]]:
        """`types` of events that there are, and `channels` in which more than one customer bought, in order."""
        events = self.table("events")
        types = self.fetch(events.select("type").distinct().order_by("type"))["type"]
        bought = events.filter(events.type == "purchase", events.channel.notnull())
        by_channel = bought.group_by("channel").aggregate(customers=bought.customer_id.nunique())
        channels = self.fetch(by_channel.filter(by_channel.customers > 1).order_by("channel"))["channel"]
        return {"types": tuple(map(str, types)), "channels": tuple(map(str, channels))}

    @cached_property
    def item_values(self) -> dict[str, tuple[str, ...]]:
        """department, category and brand values that somebody bought, by spend, largest first."""
        events, items = self.table("events"), self.table("items")
        bought = events.filter(events.type == "purchase").inner_join(items, "item_id")
        values = {}
        for name in ITEM_FIELDS:
            spend = bought.filter(bought[name].notnull()).group_by(name).aggregate(spend=bought.value.sum())
            values[name] = tuple(self.fetch(spend.order_by([ibis.desc("spend"), name]))[name])
        return values
