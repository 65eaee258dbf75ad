"""What the page shows beyond the evidence of tools: tables ready to draw, under the same roles as everything else.

Each method checks its caller first and gives plain values. Groups of fewer customers than their role is shown are
None, and so is one more where the rest would give them away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from assistant.documents import SavedDocument
from assistant.library import SavedSegment
from assistant.models import model_card
from assistant.trials import SavedExperiments
from campaigns.experiment import Experiment
from campaigns.plan import Strategy
from indexes.projection import project
from propensity.registry import Registry
from segments.canonical import fingerprint
from segments.definition import EVENT_TYPES, Node, Not, named_segments
from segments.edit import walk
from segments.errors import DefinitionError, ForbiddenError, NotBuiltError, SegAssistError
from segments.features import Catalogue, Feature
from segments.parameters import Parameters
from serving.access import Caller
from serving.service import Service
from warehouse.quality import JSON_FILE
from warehouse.recent import Recent
from warehouse.suppression import small, suppress
from warehouse.trend import Change, change

FIFTHS = 5
BINS = 10
MAP_POINTS = 3000
"""Points of a map: more are neither told apart nor drawn quickly."""
MIX = 10
KEPT_CHANGES = 500
"""Of saved segments, with who entered and left."""
MOST_VALUES = 1000
"""Values offered of an item field: a browser's list of more is slow; any other can still be typed."""


@dataclass(frozen=True)
class Choices:
    """What conditions may name in a workspace.

    levels: the values of features that are no numbers. trials: the campaigns and experiments that uplift is learned from.
    campaigns: each one's id and what it was, the newest first. events: the kinds that happened. clusters: each cluster's
    version and number (`version#number`) and its name in English and Chinese, those of the newest discovery first.
    """

    catalogue: Catalogue
    levels: Mapping[str, tuple[str, ...]]
    items: Mapping[str, tuple[str, ...]]
    segments: tuple[str, ...]
    outcomes: tuple[str, ...]
    channels: tuple[str, ...] = ()
    trials: tuple[str, ...] = ()
    campaigns: Mapping[str, str] = field(default_factory=dict)
    events: Collection[str] = EVENT_TYPES
    clusters: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    parameters: Parameters = field(default_factory=dict)

    def values(self, feature: Feature) -> tuple[str, ...]:
        """The values to choose from; empty for numbers."""
        return feature.levels or self.levels.get(feature.name, ())


@dataclass(frozen=True)
class Grid:
    """Shares of the members by fifths of everyone: cells[row][column], None where held back."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class CategoryShare:
    """A category's share of the members' spend and of everyone's, 0..1."""

    category: str
    members: float
    everyone: float


@dataclass(frozen=True)
class Histogram:
    """Shares of members (None where held back) and of everyone in `BINS` ranges of probability."""

    edges: tuple[float, ...]
    members: tuple[float | None, ...]
    everyone: tuple[float, ...]


@dataclass(frozen=True)
class BehaviourMap:
    """Points (x, y) of customers in two dimensions of behaviour; `kept` is the share of the variance they hold."""

    members: np.ndarray
    others: np.ndarray
    kept: float


@dataclass(frozen=True)
class LibraryEntry:
    """A saved segment as the library lists it.

    problem: why it cannot be counted any more. moved: customers who entered and left since it was saved; None when
    the data are no newer than that, or (`dated` False) when a condition cannot be asked of a past date.
    """

    saved: SavedSegment
    owner: str
    size: int | None
    problem: SegAssistError | None = None
    moved: tuple[int | None, int | None] | None = None
    dated: bool = True


class Views:
    """The page's own reads of one service."""

    def __init__(self, service: Service) -> None:
        self.service, self.rooms = service, service.rooms
        self._cards: dict[str, Mapping[str, Any]] = {}
        self._changes: Recent[Change] = Recent(KEPT_CHANGES)

    # The language

    def counts_parts(self, caller: Caller) -> bool:
        """Whether parts of a definition are counted by themselves: not in very large data, where each takes as long as the
        whole, and not where counts carry noise, of which each would take its share of the privacy budget."""
        return not (self.service.very_large or self.service.noises(caller))

    def parts(self, caller: Caller, definition: Node) -> dict[str, int | str | None]:
        """How many customers each part of a definition holds by itself, with the `not` around it, by its fingerprint: as
        `Service.told`, None for a part that does not hold here. Empty where parts are not counted."""
        if not self.counts_parts(caller):
            return {}
        # The whole comes first: what may be told is told of it before it is told of its parts.
        every = dict(walk(definition))
        sizes: dict[str, int | str | None] = {}
        for place, part in every.items():
            if place and isinstance(every[place[:-1]], Not):
                continue
            try:
                sizes[fingerprint(part)] = self.service.told(caller, part)
            except SegAssistError:  # said beside it, or with the whole
                sizes[fingerprint(part)] = None
        return sizes

    def choices(self, caller: Caller) -> Choices:
        """What a definition may name here."""
        self.service.check(caller, "read", "catalogue")
        levels, items = self._values
        return Choices(
            self.rooms.warehouse.catalogue,
            levels,
            items,
            tuple(self.rooms.library.names()),
            self.rooms.propensity.outcomes,
            self.rooms.warehouse.happened["channels"],
            self.rooms.trials.names,
            {name: f"{kind} · {start}" for name, kind, start in self.campaigns(caller)},
            self.rooms.warehouse.happened["types"],
            self._clusters(caller),
            self.rooms.workspace.settings.parameters,
        )

    def _clusters(self, caller: Caller) -> dict[str, tuple[str, str]]:
        """As in `Choices`; none where counts carry noise, as nothing else is told of customers then."""
        if self.service.noises(caller):
            return {}
        kept = self.rooms.discoveries
        return {
            f"{version}#{cluster.number}": (cluster.name_en, cluster.name_zh)
            for version in reversed(kept.versions())
            for cluster in kept.clusters(version)
        }

    @cached_property
    def _values(self) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
        """Of features without declared levels, and of items; the most bought first."""
        features = self.rooms.warehouse.features()
        levels = {
            feature.name: tuple(sorted(map(str, features[feature.name].dropna().unique())))
            for feature in self.rooms.warehouse.catalogue
            if not feature.numeric and not feature.levels and feature.name in features
        }
        items = {
            name: tuple(values)[:MOST_VALUES] for name, values in self.rooms.warehouse.item_values.items()
        }
        return levels, items

    # A segment

    def rfm(self, caller: Caller, definition: Node) -> Grid:
        """Members by recency and frequency, in fifths of everyone."""
        k = self.service.smallest(caller)
        members = self._members(caller, definition)
        features = self.rooms.warehouse.features()
        recency = _fifths(features["recency_days"], lowest_is_best=True)
        frequency = _fifths(features["orders_365d"], lowest_is_best=False)
        names = tuple(str(number) for number in range(1, FIFTHS + 1))
        mine = pd.crosstab(recency.loc[members], frequency.loc[members])
        mine = mine.reindex(index=range(1, FIFTHS + 1), columns=range(1, FIFTHS + 1), fill_value=0)
        sizes = suppress({f"{r}.{f}": int(mine.loc[r, f]) for r in mine.index for f in mine.columns}, k)
        cells = tuple(
            tuple(None if (size := sizes[f"{r}.{f}"]) is None else size / len(members) for f in mine.columns)
            for r in mine.index
        )
        return Grid(names, names, cells)

    def category_mix(self, caller: Caller, definition: Node) -> list[CategoryShare]:
        """The categories that members spend most on, of those that at least the minimum of them bought."""
        members = self._members(caller, definition)
        spend, everyone = self._spend
        mine = spend[spend["customer_id"].isin(members)]
        buyers = mine.groupby("category")["customer_id"].nunique()
        shares = mine.groupby("category")["value"].sum() / mine["value"].sum()
        shares = shares[buyers >= self.service.smallest(caller)].sort_values(ascending=False).head(MIX)
        return [
            CategoryShare(str(name), float(share), float(everyone.loc[str(name)]))
            for name, share in shares.items()
        ]

    def probabilities(self, caller: Caller, definition: Node, outcome: str) -> Histogram:
        """Members and everyone by their probability of an outcome."""
        members = self._members(caller, definition)
        scores = self.rooms.propensity.scores(outcome)
        edges = np.linspace(0, 1, BINS + 1)
        mine, _ = np.histogram(scores.reindex(members).dropna(), edges)
        everyone, _ = np.histogram(scores, edges)
        counts = {str(place): int(count) for place, count in enumerate(mine)}
        sizes = suppress(counts, self.service.smallest(caller))
        shown = tuple(None if size is None else size / len(members) for size in sizes.values())
        return Histogram(tuple(map(float, edges)), shown, tuple(map(float, everyone / len(scores))))

    def behaviour_map(self, caller: Caller, definition: Node) -> BehaviourMap:
        """The behaviour index in two dimensions, the members apart; a fixed sample of large crowds."""
        members = set(self._members(caller, definition))
        points, kept = self._projection
        inside = np.array([customer in members for customer in self.rooms.index.customer_ids])
        return BehaviourMap(_sample(points[inside]), _sample(points[~inside]), kept)

    @cached_property
    def _projection(self) -> tuple[np.ndarray, float]:
        """Of the whole index, computed once: it changes only with a new build."""
        return project(self.rooms.index.matrix())

    @cached_property
    def _spend(self) -> tuple[pd.DataFrame, pd.Series]:
        """(customer_id, category, value) of a year, and each category's share of everyone's spend."""
        purchases = self.rooms.purchases[["customer_id", "ts", "item_id", "value"]]
        start = pd.Timestamp(self.rooms.warehouse.as_of) - pd.Timedelta(days=365)
        recent = purchases[purchases["ts"] >= start].merge(
            self.rooms.items[["item_id", "category"]], on="item_id"
        )
        spend = recent.groupby(["customer_id", "category"], observed=True)["value"].sum().reset_index()
        totals = spend.groupby("category")["value"].sum()
        return spend, totals / totals.sum()

    def _members(self, caller: Caller, definition: Node) -> list[str]:
        """Members of a group that is large enough to describe. Raises DefinitionError."""
        self.service.check(caller, "read", "describe")
        if self.service.noises(caller):
            raise ForbiddenError(
                "describe: counts carry noise here, and nothing else is told of customers to your role.",
                "describe：这里的计数带有噪声，您的角色看不到客户的其他信息。",
            )
        members, k = self.rooms.audiences.members(definition), self.service.smallest(caller)
        if len(members) < k:
            raise DefinitionError(
                f"The segment has fewer than {k} customers, too few to describe; widen it.",
                f"该分群不足{k}名客户，人数太少，无法描述；请放宽条件。",
            )
        return members

    # Saved segments

    def library(
        self,
        caller: Caller,
        wanted: Callable[[SavedSegment, str], bool] = lambda _saved, _owner: True,
        start: int = 0,
        most: int | None = None,
    ) -> tuple[list[LibraryEntry], int]:
        """Saved segments by name, those that are wanted by what they say and whose they are, and how many these are.

        Only `most` of them from `start` on are counted and given.
        """
        self.service.check(caller, "read", "library")
        owned = [(saved, self.rooms.library.owner(saved.name)) for saved in self.rooms.library.all()]
        found = [(saved, owner) for saved, owner in owned if wanted(saved, owner)]
        shown = found[start:] if most is None else found[start : start + most]
        return [self._entry(caller, saved, owner) for saved, owner in shown], len(found)

    def overlaps(self, caller: Caller, definition: Node) -> list[tuple[str, float]]:
        """(name, Jaccard 0..1) of the saved segments that overlap most; those that no longer hold are left out."""
        members, found = set(self._members(caller, definition)), []
        for saved in self.rooms.library.all():
            try:
                others = set(self.rooms.audiences.members(saved.definition))
            except DefinitionError:
                continue
            both = len(members & others)
            if others != members and not small(both, self.service.smallest(caller)):
                found.append((saved.name, both / len(members | others)))
        return sorted(found, key=lambda pair: -pair[1])[:MIX]

    def saved(self, caller: Caller, name: str) -> SavedSegment:
        """A saved segment at its newest version. Raises NotFoundError."""
        self.service.check(caller, "read", "saved segment")
        return self.rooms.library.get(name)

    def _entry(self, caller: Caller, saved: SavedSegment, owner: str) -> LibraryEntry:
        try:
            size = self.service.size(caller, saved.definition)
        except (DefinitionError, ForbiddenError) as error:
            return LibraryEntry(saved, owner, None, error)
        try:
            return LibraryEntry(saved, owner, size, moved=self._moved(caller, saved))
        except DefinitionError:
            return LibraryEntry(saved, owner, size, dated=False)

    def _moved(self, caller: Caller, saved: SavedSegment) -> tuple[int | None, int | None] | None:
        then, now = saved.saved_at.date(), self.rooms.warehouse.as_of
        if then >= now:
            return None
        if self.service.noises(caller):
            return None, None
        key = f"{saved.hash} {then}"
        found = self._changes.get(key)
        if found is None:
            found = change(self.rooms.audiences, saved.definition, then, now)
            # What rests on other saved segments changes with them.
            if not any(named_segments(saved.definition)):
                self._changes.put(key, found)
        told = self.service.moved(caller, saved.definition, found)
        return told["entered"], told["left"]

    # Campaigns

    def plans(self, caller: Caller) -> list[SavedDocument]:
        """Saved plans by name, each at its newest version."""
        self.service.check(caller, "read", "plans")
        return self.rooms.plans.all()

    def plan(self, caller: Caller, name: str) -> Strategy:
        """A saved plan. Raises NotFoundError."""
        self.service.check(caller, "read", "plan")
        return Strategy.restored(self.rooms.plans.load(name))

    def experiments(self, caller: Caller) -> list[Experiment]:
        """Saved experiments by name."""
        self.service.check(caller, "read", "experiments")
        return list(SavedExperiments(self.rooms.experiments).values())

    def campaigns(self, caller: Caller) -> list[tuple[str, str, date]]:
        """(id, type, first day) of the campaigns in the data, newest first."""
        self.service.check(caller, "read", "campaigns")
        found = self.rooms.campaigns.sort_values("start", ascending=False)
        days = pd.to_datetime(found["start"]).dt.date
        return list(zip(found["campaign_id"].astype(str), found["type"].astype(str), days, strict=True))

    # Models and data

    def models(self, caller: Caller) -> list[str]:
        """The outcomes that have a model of their own; none before they are trained."""
        self.service.check(caller, "read", "models")
        try:
            return [card.outcome for card in Registry(self.rooms.workspace.models).cards()]
        except NotBuiltError:
            return []

    def model_card(self, caller: Caller, outcome: str) -> Mapping[str, Any]:
        """An outcome's card with curves, drivers and groups. Raises NotFoundError."""
        self.service.check(caller, "read", "model card")
        if outcome not in self._cards:
            self._cards[outcome] = model_card(self.rooms.workspace, outcome)
        return self._cards[outcome]

    def quality(self, caller: Caller) -> Mapping[str, Any]:
        """The quality gate's report. Raises NotBuiltError."""
        self.service.check(caller, "read", "quality")
        path = self.rooms.workspace.folder / JSON_FILE
        if not path.exists():
            raise NotBuiltError(
                "There is no quality report yet; run: segassist build",
                "还没有质量报告；请管理员运行：segassist build",
            )
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return report


def _fifths(values: pd.Series, *, lowest_is_best: bool) -> pd.Series:
    """1 (worst) to 5 (best) by rank; customers without a value are worst."""
    rank = values.rank(method="first", ascending=not lowest_is_best, na_option="top", pct=True)
    return pd.Series(np.ceil(rank * FIFTHS), values.index).clip(1, FIFTHS).astype(int)


def _sample(points: np.ndarray) -> np.ndarray:
    if len(points) <= MAP_POINTS:
        return points
    return points[np.random.default_rng(7).choice(len(points), MAP_POINTS, replace=False)]


__all__ = ["Views"]
