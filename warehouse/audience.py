"""Audiences: who meets a definition as of a date, how many they are, and the SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import TypeVar

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from segments.canonical import fingerprint
from segments.check import validate
from segments.definition import (
    EVERYONE,
    AllOf,
    InCluster,
    MemberOf,
    Node,
    PropensityCondition,
    RankCondition,
    SimilarityCondition,
    UpliftCondition,
    conditions,
    every_condition,
    named_segments,
    used_features,
)
from segments.errors import DefinitionError, InternalError, NotFoundError, UserError
from segments.ports import AudienceResolver
from segments.vocabulary import Vocabulary
from warehouse.bitmaps import Bitmaps
from warehouse.compile import EVENT_COLUMNS, ITEM_COLUMNS, Compiler
from warehouse.dialects import in_dialect, naming_lists
from warehouse.queries import Queries
from warehouse.recent import Recent
from warehouse.tables import Tables, narrowed

_Found = TypeVar("_Found")

KEPT_IDS, KEPT_SIZES, KEPT_QUERIES, KEPT_EXPRESSIONS = 200_000, 20_000, 2_000, 200
"""Customer ids of all kept member lists (about 20 MB), counts, queries (10 MB) and expressions (15 MB): the most recently
used ones."""


def _lasts(definition: Node) -> bool:
    """Whether what it gives stays the same: a saved segment may change behind its name."""
    return not any(named_segments(definition))


def _holds_ids(definition: Node) -> bool:
    """Whether its expression holds the ids that a model or the index chose: as many as there are customers."""
    return any(
        isinstance(condition, PropensityCondition | UpliftCondition | SimilarityCondition | InCluster)
        for condition in every_condition(definition)
    )


def _no_saved_segment(name: str) -> Node:
    raise NotFoundError(
        f"member_of: no saved segment is named '{name}'.", f"member_of：没有名为“{name}”的已保存分群。"
    )


class _Present:
    """Stands where models and the index would be for a past date, and says that they are not."""

    def __init__(self, as_of: date) -> None:
        self._as_of = as_of

    def propensity(self, outcome: str) -> pd.Series:
        """Raises DefinitionError."""
        raise self._no(f"propensity of {outcome}", f"“{outcome}”的倾向")

    def uplift(self, campaign: str) -> pd.Series:
        """Raises DefinitionError."""
        raise self._no(f"uplift of campaign {campaign}", f"营销活动“{campaign}”的增益")

    def similar(self, seeds: Sequence[str], top: int, within: Sequence[str] | None) -> list[str]:
        """Raises DefinitionError."""
        raise self._no("similarity", "相似度")

    def caring(self, text: str, top: int, within: Sequence[str] | None) -> list[str]:
        """Raises DefinitionError."""
        raise self._no("similarity", "相似度")

    def cluster(self, discovery: str, number: int) -> list[str]:
        """Raises DefinitionError."""
        raise self._no("membership of a discovered cluster", "聚类")

    def _no(self, what: str, zh: str) -> DefinitionError:
        return DefinitionError(
            f"as_of: the {what} is known only as of today's data, not as of {self._as_of}; "
            "ask for a past date only of what customers did or are.",
            f"as_of：{zh}只能按今天的数据计算，不能截至{self._as_of}；过去的日期只能问客户做过什么或是什么样的人。",
        )


class Audiences:
    """Counts and lists the members of checked definitions."""

    def __init__(
        self,
        warehouse: Tables,
        resolver: AudienceResolver | None = None,
        saved: Callable[[str], Node] = _no_saved_segment,
        saved_names: Callable[[], Collection[str]] = tuple,
        outcomes: Collection[str] | None = None,
        as_of: date | None = None,
        discoveries: Callable[[], Mapping[str, int] | None] = lambda: None,
        campaigns: Callable[[], Collection[str] | None] = lambda: None,
    ) -> None:
        self.warehouse = warehouse
        self.as_of = as_of or warehouse.as_of
        self._resolver, self._saved, self._saved_names = resolver, saved, saved_names
        self._outcomes, self._discoveries, self._campaigns = outcomes, discoveries, campaigns
        self._members: Recent[list[str]] = Recent(KEPT_IDS, len)
        self._sizes: Recent[int] = Recent(KEPT_SIZES)
        self._queries: Recent[str] = Recent(KEPT_QUERIES)
        self._expressions: Recent[ir.Table] = Recent(KEPT_EXPRESSIONS)

    def at(self, as_of: date) -> Audiences:
        """The audiences as they were at an earlier date: only events before it are known.

        Raises DefinitionError when a definition asks a model or the index, which know only the present.
        """
        if as_of > self.warehouse.as_of:
            raise UserError(
                f"as_of: {as_of} is later than the data, which ends before {self.warehouse.as_of}.",
                f"as_of：{as_of}晚于数据，数据在{self.warehouse.as_of}之前结束。",
            )
        if as_of == self.as_of:
            return self
        return Audiences(
            self.warehouse,
            _Present(as_of),
            self._saved,
            self._saved_names,
            self._outcomes,
            as_of,
            self._discoveries,
            self._campaigns,
        )

    @property
    def vocabulary(self) -> Vocabulary:
        """The names a definition may use here."""
        return self._vocabulary(self._saved_names(), self._campaigns())

    def check(self, definition: Node) -> None:
        """Raise DefinitionError when the definition does not hold here."""
        # The names of saved segments and of campaigns are read anew at each check, and there may be thousands.
        names = self._saved_names() if any(named_segments(definition)) else ()
        uplift = any(isinstance(each, UpliftCondition) for each in every_condition(definition))
        validate(definition, self._vocabulary(names, self._campaigns() if uplift else None))

    def _vocabulary(self, saved_names: Collection[str], campaigns: Collection[str] | None) -> Vocabulary:
        return Vocabulary(
            self.warehouse.catalogue,
            self._item_sets,
            frozenset(saved_names),
            self._outcomes,
            self._discoveries(),
            campaigns,
        )

    @cached_property
    def _item_sets(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(values) for name, values in self.warehouse.item_values.items()}

    @cached_property
    def population(self) -> int:
        """Customers in all."""
        return self.size(EVERYONE)

    @property
    def _numbered(self) -> bool:
        """Whether customers have row numbers: the feature mart of the day is stored, and by an engine with them."""
        return self.warehouse.numbered and self.as_of == self.warehouse.as_of

    @cached_property
    def bitmaps(self) -> Bitmaps:
        """The conditions that were counted lately."""
        return Bitmaps(self)

    @cached_property
    def queries(self) -> Queries:
        """The conditions that were written as SQL lately."""
        return Queries(self)

    def places(self, definition: Node) -> np.ndarray:
        """Row numbers of the members in the stored feature mart, of a definition that holds; they are not kept."""
        return self._run(self.warehouse.column, self.compiler(definition).places(definition))

    def places_of_each(self, definitions: Sequence[Node]) -> list[np.ndarray]:
        """As `places`, of several definitions, by one question to the engine."""
        tests = self.compiler(AllOf(tuple(definitions))).tests(definitions)
        rows = self._run(self.warehouse.rows, tests)
        places = rows.pop("place").to_numpy()
        return [places[rows[column].to_numpy(dtype=bool)] for column in rows]

    def members(self, definition: Node) -> list[str]:
        """Customer ids, sorted. Raises DefinitionError when the definition does not hold."""
        key = fingerprint(definition)
        kept = self._members.get(key)
        if kept is not None:
            return kept
        found = self._listed(definition)
        return self._members.put(key, found) if _lasts(definition) else found

    def _listed(self, definition: Node) -> list[str]:
        """The members' ids, sorted; from the bitmaps of the conditions where customers have row numbers."""
        if self._numbered:
            return sorted(self._ids[self.bitmaps.of(definition).to_array()].tolist())
        listed: list[str] = self._run(
            self.warehouse.column, self.expression(definition).order_by("customer_id")
        ).tolist()
        return listed

    @cached_property
    def _ids(self) -> np.ndarray:
        """The customer id of each row number of the stored feature mart."""
        features = self.warehouse.table("features")
        rows = self.warehouse.fetch(features.select("customer_id", place=features.rowid()))
        ids = np.empty(int(rows["place"].max()) + 1 if len(rows) else 0, dtype=object)
        ids[rows["place"].to_numpy()] = rows["customer_id"].to_numpy()
        return ids

    def size(self, definition: Node) -> int:
        """How many members; from the bitmaps of the conditions where there are any, so that a changed one is asked for
        alone."""
        key = fingerprint(definition)
        members = self._members.get(key)
        kept = self._sizes.get(key) if members is None else len(members)
        if kept is not None:
            return kept
        if self._numbered:
            size = len(self.bitmaps.of(definition))
        else:
            counted = self.expression(definition).aggregate(size=ibis._.count())
            size = int(self._run(self.warehouse.column, counted)[0])
        return self._sizes.put(key, size) if _lasts(definition) else size

    def sql(self, definition: Node, dialect: str = "duckdb") -> str:
        """The definition as a SELECT in the dialect (any that sqlglot writes), formatted.

        Whom models or the index chose it reads from tables listed_customers_1, listed_customers_2 ... of one column.
        """
        key = f"{dialect} {fingerprint(definition)}"
        kept = self._queries.get(key)
        if kept is not None:
            return kept
        if self._numbered:
            text = self.queries.of(definition).sql("duckdb", pretty=True, copy=False)
        else:
            text = self.warehouse.sql(self.expression(definition))
        text = naming_lists(text)
        if dialect != "duckdb" or not self._numbered:
            text = in_dialect(text, dialect)
        return self._queries.put(key, text) if _lasts(definition) else text

    def expression(self, definition: Node) -> ir.Table:
        """The members' customer_id, to be joined. Raises DefinitionError when the definition does not hold."""
        key = fingerprint(definition)
        kept = self._expressions.get(key)
        if kept is not None:
            return kept
        self.check(definition)
        made = self.compiler(definition).compile(definition)
        return self._expressions.put(key, made) if _lasts(definition) and not _holds_ids(definition) else made

    def compiler(
        self, definition: Node, only: Callable[[ir.Table], ir.Table] = lambda table: table
    ) -> Compiler:
        """A compiler for a definition over this date's data; `only` narrows it to some customers."""
        table = self.warehouse.table
        # With a feature more, or customer_id alone would be 'all columns', and all of them would come.
        used = {"customer_id", *self._used(definition), next(iter(self.warehouse.catalogue)).name}
        features = narrowed(self._features(definition), used)
        return Compiler(
            only(features),
            only(narrowed(table("events"), EVENT_COLUMNS)),
            narrowed(table("items"), ITEM_COLUMNS),
            self.warehouse.catalogue,
            self.as_of,
            self._resolver,
            self._saved,
            self.members,
        )

    def _features(self, definition: Node) -> ir.Table:
        """The feature mart; of a past date only what the definition asks for is computed."""
        if self.as_of == self.warehouse.as_of:
            return self.warehouse.table("features")
        return self.warehouse.mart_expression(self.as_of, self._used(definition))

    def meanings(self, definition: Node) -> list[str]:
        """The fingerprint of a definition, and of every saved segment that it rests on."""
        return [
            fingerprint(definition),
            *(print_ for name in named_segments(definition) for print_ in self.meanings(self._saved(name))),
        ]

    def ranks(self, definition: Node) -> bool:
        """Whether who belongs depends on the others: it asks for a rank, itself or through a saved segment."""
        return any(
            isinstance(condition, RankCondition)
            or (isinstance(condition, MemberOf) and self.ranks(self._saved(condition.segment)))
            for condition in conditions(definition)
        )

    def _used(self, definition: Node) -> set[str]:
        """The features a definition asks for, itself and through the saved segments it rests on."""
        saved = (self._used(self._saved(name)) for name in named_segments(definition))
        return set(used_features(definition)).union(*saved)

    def _run(self, engine: Callable[[ir.Table], _Found], expression: ir.Table) -> _Found:
        try:
            return engine(expression)
        except (duckdb.ConversionException, duckdb.BinderException) as error:
            raise InternalError(f"A checked definition did not run: {error}") from error
