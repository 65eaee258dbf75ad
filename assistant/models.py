"""Models looked at on demand: families compared on a workspace's own outcomes."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from propensity.compare import Comparison, compare
from propensity.dataset import customer_matrix
from propensity.families import FAMILIES, Family, boosted
from propensity.model import COUPONS, CUSTOMERS
from propensity.outcomes import parse
from propensity.plan import temporal_plan
from propensity.tuning import tune
from segments.ports import Outcome, Progress, Snapshot
from warehouse.history import TrainingTables
from warehouse.store import Warehouse


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
