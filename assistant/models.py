"""Models looked at on demand: families compared, a model's card, and how far its customers have moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from assistant.scoring import Propensities
from assistant.workspace import Workspace
from propensity.compare import Comparison, compare
from propensity.dataset import customer_matrix
from propensity.drift import Drift, drifts, reference
from propensity.families import FAMILIES, Family, boosted
from propensity.model import COUPONS, CUSTOMERS
from propensity.model_card import build_card
from propensity.outcomes import parse
from propensity.plan import temporal_plan
from propensity.registry import Registry
from propensity.tuning import tune
from segments.ports import Outcome, Progress, Snapshot
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

DEMOGRAPHICS = ("age", "income", "household_size", "has_children", "marital_status", "home_ownership")
"""Features by whose values a card shows whom a model works for, where the workspace has them."""


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
    groups = features[[name for name in DEMOGRAPHICS if name in features]]
    return build_card(card, tested, groups, Propensities(warehouse, workspace.models).importance(outcome))


def model_drift(workspace: Workspace, outcome: str) -> ModelDrift:
    """Today's scores against those of the test cut, today's features against the training. Raises as `model_card`."""
    warehouse, registry = Warehouse(workspace.warehouse), Registry(workspace.models)
    scored = Propensities(warehouse, workspace.models)
    then, now = registry.tested(outcome)[["score"]], scored.scores(outcome).to_frame("score")
    moved = drifts(registry.reference(outcome), scored.matrix(outcome))
    return ModelDrift(
        registry.card(outcome).outcome, warehouse.as_of, drifts(reference([then]), now)[0], tuple(moved)
    )


def compare_families(
    warehouse: Warehouse, outcome: str, trials: int, progress: Callable[[str], Progress]
) -> Comparison:
    """Every family on one outcome, over cuts in time that end before the models' own test cut.

    trials: settings of LightGBM to search through; 0 compares the default alone. Raises NotFoundError, DataError.
    """
    tables = TrainingTables(warehouse)
    wanted = parse(outcome, tables.categories)
    snapshots = labelled(tables, wanted, progress(f"What was known at each cut, for {wanted.name}"))
    families: tuple[Family, ...] = FAMILIES
    if trials:
        settings = tune(
            snapshots, wanted.horizon_days, trials, progress=progress("Search for LightGBM's settings")
        )
        searched = Family("lightgbm_searched", "LightGBM with searched settings", boosted(settings))
        families = (*FAMILIES[:-1], searched, FAMILIES[-1])
    return compare(snapshots, wanted.horizon_days, families, progress("Compare families"))


def labelled(tables: TrainingTables, outcome: Outcome, progress: Progress) -> list[Snapshot]:
    """What was known at each training cut and what came next; a category's own history beside the rest."""
    settings = COUPONS if outcome.event == "coupon_redeem" else CUSTOMERS
    plan = temporal_plan(tables.first_day, tables.as_of, step_days=settings.step_days)
    found = []
    for place, cut in enumerate(plan.train):
        progress(place / len(plan.train), f"what was known on {cut}")
        extra = tables.extra(cut)
        if outcome.items is not None:
            extra = extra.join(tables.item_history(outcome.items, cut), how="left")
        features = customer_matrix(tables.features(cut), extra)
        labels: pd.Series = tables.labels(outcome, cut).reindex(features.index).fillna(0).astype("int8")
        found.append(Snapshot(cut, features, labels))
    progress(1.0, f"{len(found)} cuts")
    return found
