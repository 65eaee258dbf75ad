"""Train, test and register the models of a workspace; a finished one is not trained again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from propensity import evaluate as ev
from propensity.dataset import category_matrix, customer_matrix
from propensity.drift import reference
from propensity.model import CATEGORIES, COUPONS, CUSTOMERS, PropensityModel, train, validation_cuts
from propensity.outcomes import CATEGORY_HORIZON, CUSTOMER_OUTCOMES, POOLED, category_outcome, model_name
from propensity.plan import TemporalPlan, temporal_plan
from propensity.registry import Card, Registry
from propensity.tables import OutcomeTables
from segments.ports import Outcome, Progress, Snapshot, silent

PANEL_CUTS = 6
"""Category cuts in one fit: mean AUC 0.839 on the 30 largest categories, with four 0.838."""
PANEL_LARGEST, PANEL_SPREAD = 25, 15
"""Categories the pooled model learns from: the largest, and some spread evenly over all others."""
PANEL_ROWS = 60_000
CARD_CATEGORIES = 100
"""The largest categories by spend have a card each."""
MEAN_CATEGORIES = 30
CHUNK = 60


def code_version() -> str:
    """12 hex digits over the source of this room and LightGBM's version."""
    digest = hashlib.sha256(lgb.__version__.encode())
    for name in (
        "calibrate",
        "dataset",
        "drift",
        "evaluate",
        "model",
        "outcomes",
        "plan",
        "registry",
        "training",
    ):
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:12]


def train_all(
    tables: OutcomeTables,
    folder: Path,
    progress: Progress = silent,
    outcomes: Sequence[str] | None = None,
) -> list[Card]:
    """Train what is missing and return the cards of all models in `folder`.

    outcomes: names to train (default: all; any category stands for the pooled category model). May be
    interrupted at any point: what is finished stays.
    """
    registry = Registry(folder)
    wanted = [outcome.name for outcome in CUSTOMER_OUTCOMES] + [POOLED]
    if not tables.categories:
        wanted.remove(POOLED)
    if outcomes is not None:
        chosen = {model_name(name) for name in outcomes}
        wanted = [name for name in wanted if name in chosen]
    data_hash, version = tables.data_hash, code_version()
    missing = [name for name in wanted if not registry.has(name, data_hash, version)]
    if missing:
        trainer = Trainer(tables, registry, version)
        for place, name in enumerate(missing):
            trainer.train(name, _part(progress, place, len(missing)))
    if outcomes is None:
        registry.finish([name for name in wanted if registry.has(name, data_hash, version)])
    progress(1.0, "propensity models ready")
    return registry.cards()


def _part(progress: Progress, place: int, parts: int) -> Progress:
    return lambda done, what: progress((place + done) / parts, what)


class Trainer:
    """Trains the models of one workspace from shared point-in-time matrices."""

    def __init__(self, tables: OutcomeTables, registry: Registry, version: str) -> None:
        self._tables, self._registry, self._version = tables, registry, version
        self.plan: TemporalPlan = temporal_plan(tables.first_day, tables.as_of)
        self._coupons = temporal_plan(tables.first_day, tables.as_of, step_days=COUPONS.step_days)
        self._customers: dict[date, pd.DataFrame] = {}

    def train(self, name: str, progress: Progress) -> None:
        """Train, test, refit, score and save the model of that name."""
        if name == POOLED:
            self._train_categories(progress)
        else:
            self._train_customers(next(o for o in CUSTOMER_OUTCOMES if o.name == name), progress)

    def _matrix(self, as_of: date) -> pd.DataFrame:
        if as_of not in self._customers:
            self._customers[as_of] = customer_matrix(self._tables.features(as_of), self._tables.extra(as_of))
        return self._customers[as_of]

    def _train_customers(self, outcome: Outcome, progress: Progress) -> None:
        coupons = outcome.event == "coupon_redeem"
        plan, settings = (self._coupons, COUPONS) if coupons else (self.plan, CUSTOMERS)
        snapshots = {}
        cuts = sorted({*plan.served, plan.test})
        for place, cut in enumerate(cuts):
            progress(0.6 * place / len(cuts), f"{outcome.name}: what was known on {cut}")
            features = self._matrix(cut)
            labels = self._tables.labels(outcome, cut).reindex(features.index).fillna(0)
            snapshots[cut] = Snapshot(cut, features, labels)
        progress(0.6, f"{outcome.name}: training")
        training, test = [snapshots[cut] for cut in plan.train], snapshots[plan.test]
        if any(_constant(chosen) for chosen in (training, [test])):
            progress(1.0, f"{outcome.name}: the data has no such event to learn from, so there is no model")
            return
        tested = train(training, outcome.horizon_days, settings)
        progress(0.8, f"{outcome.name}: testing on {plan.test}")
        known, predicted = _values(test), tested.predict(test.features)
        result = ev.evaluate(known, predicted.to_numpy(), ev.baseline_scores(training, test.features))
        progress(0.85, f"{outcome.name}: training the served model")
        served = tested.refitted([snapshots[cut] for cut in plan.served], settings)
        scores = self.scores(outcome.name, served)
        held = validation_cuts(plan.train, outcome.horizon_days, settings)
        card = self._card(outcome.name, outcome.name, result, served, plan.train, held, plan.served)
        said = pd.DataFrame({outcome.name: predicted, f"label:{outcome.name}": known}, predicted.index)
        learned = reference([snapshots[cut].features[list(served.features)] for cut in plan.served])
        self._registry.save(outcome.name, served, scores, [card], said, learned)
        progress(1.0, f"{outcome.name}: AUC {result.auc:.3f}")

    def _train_categories(self, progress: Progress) -> None:
        plan = self.plan
        learned = learned_categories(self._tables.categories)
        training = plan.train[-PANEL_CUTS:]
        held = validation_cuts(plan.train, CATEGORY_HORIZON, CATEGORIES)
        past = [cut for cut in plan.train if (held[-1] - cut).days >= CATEGORY_HORIZON][-PANEL_CUTS:]
        served = plan.served[-PANEL_CUTS:]
        panels = {}
        cuts = sorted({*past, *held, *training, *served})
        for place, cut in enumerate(cuts):
            progress(0.5 * place / len(cuts), f"category histories on {cut}")
            panels[cut] = self._panel_snapshot(learned, cut)
        progress(0.5, "category model: training")
        chosen = train([panels[cut] for cut in sorted({*past, *held})], CATEGORY_HORIZON, CATEGORIES)
        tested = chosen.refitted([panels[cut] for cut in training], CATEGORIES)
        progress(0.65, f"category model: testing on {plan.test}")
        results, said = self._test_categories(tested, training)
        progress(0.85, "category model: training the served model")
        model = chosen.refitted([panels[cut] for cut in served], CATEGORIES)
        progress(0.9, f"category model: scores as of {plan.as_of}")
        scores = self.scores(POOLED, model)
        cards = [
            self._card(name, POOLED, result, model, training, held, served)
            for name, result in results.items()
        ]
        cards[0] = replace(cards[0], categories=min(MEAN_CATEGORIES, len(results) - 1))
        learned_on = reference([panels[cut].features[list(model.features)] for cut in served])
        self._registry.save(POOLED, model, scores, cards, said, learned_on)
        progress(1.0, f"category model: mean AUC {cards[0].auc:.3f}")

    def _panel(self, categories: Sequence[str], cut: date) -> pd.DataFrame:
        panel = self._tables.category_panel(categories, cut)
        return category_matrix(self._matrix(cut), panel, self._activity(cut), categories)

    def _activity(self, cut: date) -> pd.DataFrame:
        return self._tables.category_activity(cut)

    def _panel_snapshot(self, categories: Sequence[str], cut: date) -> Snapshot:
        matrix = self._panel(categories, cut)
        labels = self._tables.category_labels(categories, cut, CATEGORY_HORIZON)
        values = pd.Series(labels.T.to_numpy().ravel(), matrix.index)
        if len(matrix) > PANEL_ROWS:
            kept = np.random.default_rng(cut.toordinal()).choice(len(matrix), PANEL_ROWS, replace=False)
            kept.sort()
            matrix, values = matrix.iloc[kept], values.iloc[kept]
        return Snapshot(cut, matrix, values)

    def scores(self, name: str, model: PropensityModel) -> pd.DataFrame:
        """What a model of that name says of every customer as of today: customers by outcome names."""
        if name == POOLED:
            return self.category_scores(model, self._tables.categories, self.plan.as_of)
        return model.predict(self._matrix(self.plan.as_of)).to_frame(name)

    def category_scores(self, model: PropensityModel, categories: Sequence[str], cut: date) -> pd.DataFrame:
        """Probabilities as of a cut: customers by outcome names."""
        parts = []
        for start in range(0, len(categories), CHUNK):
            chunk = categories[start : start + CHUNK]
            parts.append(model.predict(self._panel(chunk, cut)).unstack("category")[list(chunk)])
        scores = pd.concat(parts, axis=1)
        scores.columns = pd.Index([category_outcome(category).name for category in scores.columns])
        return scores

    def _test_categories(
        self, model: PropensityModel, training: Sequence[date]
    ) -> tuple[dict[str, ev.Evaluation], pd.DataFrame]:
        """The pooled model's own evaluation first, then one for each large category; and what was said of them."""
        categories = list(self._tables.categories[:CARD_CATEGORIES])
        test = self.plan.test
        features = self._matrix(test)
        known = {
            cut: self._tables.category_labels(categories, cut, CATEGORY_HORIZON).reindex(
                self._matrix(cut).index, fill_value=0
            )
            for cut in (*training, test)
        }
        scores = self.category_scores(model, categories, test)
        results: dict[str, ev.Evaluation] = {}
        said: dict[str, pd.Series] = {}
        samples: list[np.ndarray] = []
        for category in categories:
            labels, name = known[test][category].to_numpy(), category_outcome(category).name
            if labels.min() == labels.max():
                continue
            past = [Snapshot(cut, self._matrix(cut), known[cut][category]) for cut in training]
            values = scores[name].to_numpy(dtype="float64")
            said |= {name: scores[name], f"label:{name}": known[test][category]}
            results[name] = ev.evaluate(labels, values, ev.baseline_scores(past, features))
            if len(samples) < MEAN_CATEGORIES:
                samples.append(ev.bootstrap_auc(labels, values))
        return {POOLED: _mean(results, samples)} | results, pd.DataFrame(said)

    def _card(
        self,
        outcome: str,
        model: str,
        result: ev.Evaluation,
        served: PropensityModel,
        training: Sequence[date],
        held: Sequence[date],
        cuts: Sequence[date],
    ) -> Card:
        return Card(
            outcome=outcome,
            model=model,
            train_cuts=_iso(training),
            validation_cuts=_iso(held),
            test_cut=self.plan.test.isoformat(),
            **asdict(result),
            baseline_features=ev.RFM,
            features=served.features,
            rounds=served.rounds,
            calibration=served.calibrator.kind,
            served_cuts=_iso(cuts),
            scored_as_of=self.plan.as_of.isoformat(),
            data_hash=self._tables.data_hash,
            code_version=self._version,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )


def learned_categories(categories: Sequence[str]) -> list[str]:
    """The categories whose rows the pooled model is fitted on."""
    rest = categories[PANEL_LARGEST:]
    step = max(1, len(rest) // PANEL_SPREAD)
    return [*categories[:PANEL_LARGEST], *rest[::step][:PANEL_SPREAD]]


def _mean(results: dict[str, ev.Evaluation], samples: Sequence[np.ndarray]) -> ev.Evaluation:
    """The mean over the largest categories; every bootstrap sample has the same customers in all of them."""
    largest = list(results.values())[: len(samples)]
    low, high = ev.interval(np.mean(samples, axis=0))
    means: dict[str, Any] = {
        name: float(np.mean([getattr(result, name) for result in largest]))
        for name in ("auc", "ece", "brier", "lift_top_decile", "baseline_auc", "baseline_ece")
    }
    positives = sum(result.positives for result in largest)
    return replace(largest[0], positives=positives, auc_low=low, auc_high=high, **means)


def _constant(snapshots: Sequence[Snapshot]) -> bool:
    """Whether all customers of all snapshots have the same label: nothing to learn or to test."""
    labels = np.concatenate([_values(snapshot) for snapshot in snapshots])
    return bool(labels.min() == labels.max())


def _values(snapshot: Snapshot) -> np.ndarray:
    labels: np.ndarray = snapshot.labels.to_numpy() if snapshot.labels is not None else np.array([])
    return labels


def _iso(cuts: Sequence[date]) -> tuple[str, ...]:
    return tuple(cut.isoformat() for cut in cuts)
