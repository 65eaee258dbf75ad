"""Models looked at on demand: families compared, a model's card, and how far its customers have moved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from assistant.scoring import Propensities
from assistant.sequences import days_of, sequence_snapshots
from assistant.workspace import Workspace
from propensity.choices import Choice, Choices, by_hand, chosen
from propensity.compare import Comparison, compare
from propensity.dataset import customer_matrix
from propensity.declared import Declared, answers, each_outcome
from propensity.drift import Drift, drifts, reference
from propensity.evaluate import auc, bootstrap_auc, ece, interval
from propensity.families import FAMILIES, NAMED, ON_SEQUENCES, Family, searched
from propensity.model_card import build_card, family
from propensity.outcomes import CATEGORY_PREFIX, CUSTOMER_OUTCOMES, model_name, parse
from propensity.plan import temporal_plan
from propensity.registry import Registry
from propensity.tracking import track
from propensity.training import Trainer, code_version, settings_of
from propensity.tuning import tune
from propensity.versions import Version, Versions
from segments.errors import NotFoundError
from segments.ports import NextAction, Outcome, Progress, Snapshot
from warehouse.history import TrainingTables
from warehouse.store import Warehouse


@dataclass(frozen=True)
class ModelDrift:
    """How far an outcome's scores and features have moved since its test and training. features: most moved first."""

    outcome: str
    as_of: date
    scores: Drift
    features: tuple[Drift, ...]


def model_card(workspace: Workspace, outcome: str) -> dict[str, Any]:
    """The card of a model as JSON. Raises NotFoundError, NotBuiltError."""
    warehouse, registry = Warehouse(workspace.warehouse), Registry(workspace.models)
    card = registry.card(outcome)
    tested = registry.tested(outcome)
    features = TrainingTables(warehouse).features(date.fromisoformat(card.test_cut))
    groups = features[[known.name for known in warehouse.catalogue if known.group and known.name in features]]
    drivers = Propensities(warehouse, workspace.models).importance(outcome)
    choice = None if ":" in card.outcome else Choices(workspace.models).of(card.outcome)
    return build_card(card, family(registry.model(outcome)), tested, groups, drivers, choice)


def model_drift(workspace: Workspace, outcome: str) -> ModelDrift:
    """Today's scores against those of the test cut, today's features against the training. Raises as `model_card`."""
    with closing(Warehouse(workspace.warehouse)) as warehouse:
        scored = Propensities(warehouse, workspace.models)
        return drift_of(outcome, scored, Registry(workspace.models), warehouse.as_of)


def drift_of(outcome: str, scored: Propensities, registry: Registry, as_of: date) -> ModelDrift:
    """The same of models that are open already. as_of: of the scores."""
    then, now = registry.tested(outcome)[["score"]], scored.scores(outcome).to_frame("score")
    moved = drifts(registry.reference(outcome), scored.matrix(outcome))
    return ModelDrift(registry.card(outcome).outcome, as_of, drifts(reference([then]), now)[0], tuple(moved))


@dataclass(frozen=True)
class Performance:
    """What came true of one version's scores. auc and the rest: None until `known_from`, when the horizon is over."""

    outcome: str
    version: int
    scored_as_of: date
    known_from: date
    tested_auc: float
    tested_ece: float
    customers: int = 0
    positives: int = 0
    auc: float | None = None
    auc_low: float | None = None
    auc_high: float | None = None
    ece: float | None = None


def model_versions(workspace: Workspace) -> tuple[Version, ...]:
    """Every version of every model, oldest first."""
    versions = Versions(Registry(workspace.models))
    return tuple(version for name in versions.names() for version in versions.of(name))


def roll_back(workspace: Workspace, outcome: str, number: int | None = None) -> Version:
    """Put an earlier version of an outcome's model in use. Raises NotFoundError when there is none."""
    warehouse = Warehouse(workspace.warehouse)
    try:
        trainer = Trainer(
            TrainingTables(warehouse),
            Registry(workspace.models),
            code_version(),
            workspace.settings.outcomes,
            days_of(workspace, warehouse),
        )
        return trainer.back(model_name(outcome), number)
    finally:
        warehouse.close()


def track_versions(workspace: Workspace, folder: Path) -> int:
    """Write every version as a run that MLflow reads; how many. Raises StorageError."""
    versions = Versions(Registry(workspace.models))
    found = model_versions(workspace)
    track([(version, versions.registry_of(version).cards()) for version in found], folder)
    return len(found)


def past_performance(workspace: Workspace, outcome: str) -> tuple[Performance, ...]:
    """What came true of the scores of each version of an outcome's model, asked as that version was declared.

    A version that had no such outcome is left out. Raises NotFoundError, NotBuiltError.
    """
    with closing(Warehouse(workspace.warehouse)) as warehouse:
        return performance_of(outcome, Registry(workspace.models), warehouse)


def performance_of(outcome: str, registry: Registry, warehouse: Warehouse) -> tuple[Performance, ...]:
    """The same of models and data that are open already."""
    name, versions, tables = registry.outcome(outcome).name, Versions(registry), TrainingTables(warehouse)
    found = []
    for version in versions.of(model_name(name)):
        then = versions.registry_of(version)
        if name not in then.outcomes():
            continue
        asked, card, scores = then.outcome(name), then.card(name), then.scores(name)
        scored = date.fromisoformat(card.scored_as_of)
        row = Performance(
            name,
            version.number,
            scored,
            scored + timedelta(days=asked.horizon_days),
            card.auc,
            card.ece,
        )
        if row.known_from <= warehouse.as_of:
            labels = _labels(tables, then.declaration(version.model), asked, scored)
            row = _came_true(row, scores, labels)
        found.append(row)
    return tuple(found)


def _labels(tables: TrainingTables, declared: Declared | None, asked: Outcome, cut: date) -> pd.Series:
    """0/1 of an outcome; declared: what it is an answer of, where it is a next action's."""
    if isinstance(declared, NextAction):
        return (tables.first_actions(declared, cut) == answers(declared).index(asked)).astype("int8")
    return tables.labels(asked, cut)


def _came_true(row: Performance, scores: pd.Series, labels: pd.Series) -> Performance:
    both = scores.index.intersection(labels.index)
    said, known = scores[both].to_numpy(dtype="float64"), labels[both].to_numpy()
    low, high = interval(bootstrap_auc(known, said))
    return replace(
        row,
        customers=len(both),
        positives=int(known.sum()),
        auc=auc(known, said),
        auc_low=low,
        auc_high=high,
        ece=ece(known, said),
    )


@dataclass(frozen=True)
class Compared:
    """A comparison, and what the next build makes of it, in words. choice: what was kept; None where nothing was."""

    found: Comparison
    choice: Choice | None
    words: str


def compare_families(
    workspace: Workspace, outcome: str, trials: int, steps: int, progress: Callable[[str], Progress]
) -> Compared:
    """Every family on one outcome, over cuts in time that end before the models' own test cut; the next build trains the
    chosen one, for an outcome that has a model of its own.

    trials: settings of LightGBM to search through; 0 compares the default alone. steps: of training a Transformer and an
    LSTM on sequences; 0 leaves these families out. Raises NotFoundError, DataError.
    """
    with closing(Warehouse(workspace.warehouse)) as warehouse:
        tables = TrainingTables(warehouse)
        declared = workspace.settings.outcomes
        own = [each for asked in declared if isinstance(asked, Outcome) for each in each_outcome(asked)]
        wanted = parse(outcome, tables.categories, own)
        snapshots = labelled(tables, wanted, progress(f"What was known at each cut, for {wanted.name}"))
        families: tuple[Family, ...] = FAMILIES
        settings = None
        if trials:
            settings = tune(
                snapshots, wanted.horizon_days, trials, progress=progress("Search for LightGBM's settings")
            )
            families = (*FAMILIES[:-1], searched(settings), FAMILIES[-1])
        vectors: dict[str, list[Snapshot]] = {}
        if steps:
            days = days_of(workspace, warehouse)
            vectors = sequence_snapshots(days, snapshots, wanted.horizon_days, steps, progress)
            families = (*families[:-1], *ON_SEQUENCES, families[-1])
        shown = progress("Compare families")
        found = compare(snapshots, wanted.horizon_days, families, shown, others=vectors)
    if wanted.name.startswith(CATEGORY_PREFIX):
        return Compared(found, None, "One model answers every category; this changes nothing of it.")
    choice = chosen(wanted.name, found, settings, steps)
    Choices(workspace.models).keep(choice)
    return Compared(found, choice, _next_build(workspace, choice))


def choose_family(workspace: Workspace, outcome: str, name: str) -> str:
    """The next build trains that family for an outcome, `default` for what it was before any comparison; the words say
    what comes of it. Raises NotFoundError for an outcome without a model of its own, DataError for another family.
    """
    own = [asked for asked in workspace.settings.outcomes if isinstance(asked, Outcome)]
    known = [each.name for each in (*CUSTOMER_OUTCOMES, *own)]
    if outcome not in known:
        raise NotFoundError(
            f"{outcome} has no model of its own whose family could be chosen; these have: {', '.join(known)}.",
            f"{outcome}没有可以选择模型族的单独模型；可选的有：{'、'.join(known)}。",
        )
    choices = Choices(workspace.models)
    if name == "default":
        known_before = choices.drop(outcome)
        return (
            f"The next build trains the default for {outcome}."
            if known_before
            else f"{outcome} had the default already."
        )
    choice = by_hand(outcome, name)
    choices.keep(choice)
    return _next_build(workspace, choice)


def _next_build(workspace: Workspace, choice: Choice) -> str:
    """What a build does about a choice."""
    words, registry = NAMED[choice.family].words, Registry(workspace.models)
    undo = f"to undo: segassist models choose {choice.outcome} default"
    used = registry.card(choice.outcome).family if registry.has_any(choice.outcome) else None
    if used == choice.family and not choice.settings:
        return f"{choice.outcome} has such a model in use: {words}; nothing changes ({undo})."
    return f"The next `segassist build` or `refresh` trains it for {choice.outcome}: {words} ({undo})."


def labelled(tables: TrainingTables, outcome: Outcome, progress: Progress) -> list[Snapshot]:
    """What was known at each training cut and what came next; a category's own history beside the rest."""
    plan = temporal_plan(tables.first_day, tables.as_of, step_days=settings_of(outcome).step_days)
    found = []
    for place, cut in enumerate(plan.train):
        progress(place / len(plan.train), f"what was known on {cut}")
        extra = tables.extra(cut)
        if outcome.items is not None:
            extra = extra.join(tables.item_history(outcome.items, cut), how="left")
        features = customer_matrix(tables.features(cut), extra, tables.catalogue)
        if outcome.eligible is not None:
            features = features.reindex(tables.eligible(outcome.eligible, cut))
        labels: pd.Series = tables.labels(outcome, cut).reindex(features.index).fillna(0).astype("int8")
        found.append(Snapshot(cut, features, labels))
    progress(1.0, f"{len(found)} cuts")
    return found
