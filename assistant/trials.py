"""Past campaigns and measured experiments as an uplift study takes them: who was contacted, and who responded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import pandas as pd

from assistant.documents import Documents
from campaigns.experiment import Experiment, outcomes
from campaigns.uplift import UpliftStudy
from propensity.dataset import customer_matrix
from propensity.uplift.study import LEAST
from segments.errors import DataError, NotFoundError
from segments.ports import Outcome
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

RESPONSE = Outcome("purchase_14d", "purchase", 14)
"""What counts as a response to a campaign: a purchase soon after the start. Redeeming cannot be one: it takes a coupon
to redeem. An experiment has a metric and a window of its own."""


@dataclass(frozen=True)
class Trial:
    """What is known of one before its customers' features are. reached, held: customers of its two arms; held is None
    where all who were not reached are the others. randomised: whether chance decided."""

    kind: Literal["experiment", "campaign"]
    name: str
    start: date
    horizon_days: int
    reached: frozenset[str]
    held: frozenset[str] | None
    randomised: bool
    offer_only: bool = False

    @property
    def end(self) -> date:
        """The first day that no longer counts."""
        return self.start + timedelta(days=self.horizon_days)


@dataclass(frozen=True)
class TrialData:
    """What a study learns from. features: as known at the start, by customer_id; treated, response: 0/1, indexed like
    it. spent: what each spent on what counts as a response, currency."""

    trial: Trial
    features: pd.DataFrame
    treated: pd.Series
    response: pd.Series
    spent: pd.Series

    @property
    def study(self) -> UpliftStudy:
        """Which test it was, for a plan."""
        reached = int(self.treated.sum())
        return UpliftStudy(
            self.trial.kind, self.trial.name, self.trial.start, reached, len(self.treated) - reached
        )


class SavedExperiments(Mapping[str, Experiment]):
    """The experiments of a store, each read when it is asked for: one that was damaged is told of then only.

    One that was read is kept until its document changes: every plan asks for all of them, and each names its customers.
    """

    def __init__(self, store: Documents) -> None:
        self._store = store
        self._kept: dict[str, tuple[str, Experiment]] = {}

    def __getitem__(self, name: str) -> Experiment:
        saved = self._store.get(name)
        kept = self._kept.get(name)
        if kept is None or kept[0] != saved.tag:
            kept = saved.tag, Experiment.from_dict(self._store.load(name, saved.version))
            self._kept[name] = kept
        return kept[1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._store

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.names())

    def __len__(self) -> int:
        return len(self._store.names())


class Trials:
    """The campaigns of a warehouse and the experiments of a workspace.

    experiments: by name, as they are now. purchases: what an experiment is read by. Events do not say how customers
    were picked, so a campaign counts as targeted unless it is in `randomised`; an experiment is random by its making.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        randomised: Collection[str] = (),
        experiments: Mapping[str, Experiment] = MappingProxyType({}),
        purchases: Callable[[Experiment], pd.DataFrame] | None = None,
    ) -> None:
        self._warehouse, self._randomised = warehouse, randomised
        self._experiments, self._purchases = experiments, purchases
        self.tables = TrainingTables(warehouse)

    def named(self, name: str) -> Trial:
        """A campaign or an experiment. Raises NotFoundError, DataError where it is too early to see what it changed."""
        if name in self._experiments:
            found = _of_experiment(self._experiments[name])
        elif name in self._campaigns:
            found = self._campaigns[name]
        else:
            known = ", ".join(self.names[:60])
            raise NotFoundError(
                f"campaign: there is no campaign '{name}'; known are {known or 'none'}.",
                f"campaign：没有活动“{name}”；现有{known or '无'}。",
            )
        if found.end > self.tables.as_of:
            raise DataError(
                f"campaign: {name} began on {found.start}, too lately to see what it changed.",
                f"campaign：{name}从{found.start}开始，时间太近，看不出带来了什么变化。",
            )
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Campaigns by number, 9 before 13, then experiments."""
        return (*self._campaign_names, *sorted(self._experiments))

    def newest(self) -> Trial:
        """The one that is meant where none is named: a random one before any other, of those the one that reached most
        customers (the latest of equals). Raises DataError."""
        random = self.random()
        if random:
            return random[0]
        over = [trial for trial in self._campaigns.values() if self._over(trial)]
        if not over:
            raise DataError(
                "campaign: no campaign has been over for long enough to see what it changed.",
                "campaign：没有结束足够久的活动，看不出带来了什么变化。",
            )
        return max(over, key=lambda trial: (len(trial.reached), trial.start))

    def random(self) -> list[Trial]:
        """The random ones that are over and have customers enough in both arms, largest first."""
        found = [_of_experiment(made) for made in self._sound()]
        if self._randomised:
            found += [trial for trial in self._campaigns.values() if trial.randomised]
        taught = filter(self._teaches, found)
        return sorted(taught, key=lambda trial: (len(trial.reached), trial.start), reverse=True)

    def teaches(self, made: Experiment) -> bool:
        """Whether an experiment is one of those."""
        return self._teaches(_of_experiment(made))

    def data(self, trial: Trial) -> TrialData:
        """What a study of it learns from."""
        tables, start = self.tables, trial.start
        features = customer_matrix(tables.features(start), tables.extra(start), tables.catalogue)
        if trial.kind == "experiment":
            made = self._experiments[trial.name]
            assert self._purchases is not None
            spent = outcomes(made, self._purchases(made), tables.as_of)["spent"]
            features = features[features.index.isin(spent.index)]
            response = (spent > 0).astype(int)
        else:
            spent = self._spent(start, trial.end)
            response = tables.labels(RESPONSE, start)
        treated = pd.Series(features.index.isin(list(trial.reached)).astype(int), features.index)
        response = response.reindex(features.index).fillna(0).astype(int)
        return TrialData(trial, features, treated, response, spent.reindex(features.index).fillna(0.0))

    def _sound(self) -> Iterator[Experiment]:
        """The experiments that can be read; a damaged one is told of to who asks for it."""
        for name in self._experiments:
            try:
                yield self._experiments[name]
            except DataError:
                continue

    def _teaches(self, trial: Trial) -> bool:
        smaller = min(len(trial.reached), LEAST if trial.held is None else len(trial.held))
        return smaller >= LEAST and self._over(trial)

    def _over(self, trial: Trial) -> bool:
        return self.tables.first_day < trial.start and trial.end <= self.tables.as_of

    @cached_property
    def _campaign_names(self) -> tuple[str, ...]:
        events = self._warehouse.table("events")
        reached = events.filter(events.type == "exposure").select("campaign_id").distinct()
        known = self._warehouse.fetch(reached)["campaign_id"].dropna()
        return tuple(sorted(map(str, known), key=lambda each: (len(each), each)))

    @cached_property
    def _campaigns(self) -> dict[str, Trial]:
        reached = self._warehouse.events("exposure", "customer_id", "campaign_id", "ts")
        return {
            str(name): Trial(
                "campaign",
                str(name),
                rows["ts"].min().date(),
                RESPONSE.horizon_days,
                frozenset(rows["customer_id"]),
                None,
                str(name) in self._randomised,
            )
            for name, rows in reached.groupby("campaign_id")
        }

    def _spent(self, start: date, end: date) -> pd.Series:
        bought = self._warehouse.events("purchase", "customer_id", "ts", "value")
        inside = (bought["ts"] >= pd.Timestamp(start)) & (bought["ts"] < pd.Timestamp(end))
        return bought[inside].groupby("customer_id")["value"].sum()


def _of_experiment(made: Experiment) -> Trial:
    return Trial(
        "experiment",
        made.name,
        made.start,
        made.horizon_days,
        frozenset(made.customers("contact")),
        frozenset(made.customers("holdout")),
        True,
        made.metric == "bought_offer",
    )
