"""Audiences: who meets a definition as of the warehouse's date, how many they are, and the SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cached_property

import duckdb
import ibis.expr.types as ir
import pandas as pd
import sqlglot

from segments.canonical import fingerprint
from segments.check import validate
from segments.definition import EVERYONE, Node
from segments.errors import InternalError, NotFoundError
from segments.ports import AudienceResolver
from segments.vocabulary import Vocabulary
from warehouse.compile import Compiler
from warehouse.store import Warehouse


def _no_saved_segment(name: str) -> Node:
    raise NotFoundError(f"member_of: no saved segment is named '{name}'.")


class Audiences:
    """Counts and lists the members of checked definitions."""

    def __init__(
        self,
        warehouse: Warehouse,
        resolver: AudienceResolver | None = None,
        saved: Callable[[str], Node] = _no_saved_segment,
        saved_names: Callable[[], Collection[str]] = tuple,
        outcomes: Collection[str] | None = None,
    ) -> None:
        self.warehouse = warehouse
        self._resolver, self._saved, self._saved_names = resolver, saved, saved_names
        self._outcomes = outcomes
        self._members: dict[str, list[str]] = {}

    @property
    def vocabulary(self) -> Vocabulary:
        """The names a definition may use here."""
        return Vocabulary(
            self.warehouse.catalogue, self._item_sets, frozenset(self._saved_names()), self._outcomes
        )

    @cached_property
    def _item_sets(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(values) for name, values in self.warehouse.item_values.items()}

    @cached_property
    def population(self) -> int:
        """Customers in all."""
        return len(self.members(EVERYONE))

    def members(self, definition: Node) -> list[str]:
        """Customer ids, sorted. Raises DefinitionError when the definition does not hold."""
        # A saved segment may change behind its name, so definitions that use one are not kept.
        key = fingerprint(definition)
        if key not in self._members:
            found = self._run(self._compile(definition).order_by("customer_id"))["customer_id"].tolist()
            if "MemberOf(" in repr(definition):
                return found
            self._members[key] = found
        return self._members[key]

    def size(self, definition: Node) -> int:
        """How many members."""
        return len(self.members(definition))

    def sql(self, definition: Node, dialect: str = "duckdb") -> str:
        """The definition as a SELECT in the dialect (any that sqlglot writes), formatted."""
        # Lists from models and the index have a name of their own at each run; the same text each time is wanted.
        query = re.sub(
            r"ibis_pandas_memtable_\w+", "listed_customers", self.warehouse.sql(self._compile(definition))
        )
        return sqlglot.transpile(query, read="duckdb", write=dialect, pretty=True)[0]

    def _compile(self, definition: Node) -> ir.Table:
        validate(definition, self.vocabulary)
        table = self.warehouse.table
        compiler = Compiler(
            table("features"),
            table("events"),
            table("items"),
            self.warehouse.catalogue,
            self.warehouse.as_of,
            self._resolver,
            self._saved,
            self.members,
        )
        return compiler.compile(definition)

    def _run(self, expression: ir.Table) -> pd.DataFrame:
        try:
            return self.warehouse.fetch(expression)
        except (duckdb.ConversionException, duckdb.BinderException) as error:
            raise InternalError(f"A checked definition did not run: {error}") from error
