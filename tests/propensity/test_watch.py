"""Models that no longer hold are found: scores that moved, and scores that did not come true."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assistant.scoring import Propensities
from assistant.watch import LEAST_CUSTOMERS, Watched, watch_models
from propensity.drift import psi
from propensity.model import PropensityModel
from propensity.registry import Registry
from propensity.versions import Versions
from tests.propensity.conftest import sample_card
from tests.propensity.test_performance import CUT, Candidate
from warehouse.history import TrainingTables
from warehouse.store import Warehouse


@pytest.fixture(scope="module")
def models(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's models, to be changed."""
    return Path(shutil.copytree(demo_folder / "models", tmp_path_factory.mktemp("watch") / "models"))


def watched(warehouse: Warehouse, models: Path) -> dict[str, Watched]:
    found = watch_models(Propensities(warehouse, models), Registry(models), warehouse)
    return {model.outcome: model for model in found}


def test_scores_that_moved_are_told_and_no_others(demo_warehouse: Warehouse, models: Path) -> None:
    before = watched(demo_warehouse, models)
    assert set(before) >= {"purchase_14d", "purchase_30d", "coupon_redeem_30d"}
    assert all(":" not in name for name in before)
    for model in before.values():
        assert model.psi is not None
        assert model.holds == (model.psi < 0.25)
    registry = Registry(models)
    candidate = registry.candidate("purchase_30d")
    registry.commit(replace(candidate, scores=candidate.scores**4))
    after = watched(demo_warehouse, models)
    moved = after.pop("purchase_30d")
    assert not moved.holds
    assert moved.psi is not None
    assert moved.psi > 0.25
    assert f"PSI of the scores {moved.psi:.3f} (moved)" in moved.words
    before.pop("purchase_30d")
    assert after == before


def test_chance_alone_stays_below_what_is_watched() -> None:
    random = np.random.default_rng(3)
    tenths = [random.multinomial(LEAST_CUSTOMERS, np.full(10, 0.1)) / LEAST_CUSTOMERS for _ in range(400)]
    assert np.quantile([psi(a, b) for a, b in zip(tenths[::2], tenths[1::2], strict=True)], 0.95) < 0.1


@pytest.mark.parametrize("tested_auc", [0.9, 0.5])
def test_scores_that_did_not_come_true_are_told(
    retailer: Path, tmp_path: Path, model: PropensityModel, tested_auc: float
) -> None:
    os.link(retailer, tmp_path / "warehouse.duckdb")
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    tables = TrainingTables(warehouse)
    who = tables.eligible(None, CUT)
    assert len(who) < LEAST_CUSTOMERS
    scores = pd.DataFrame({"purchase_14d": np.full(len(who), 0.5)}, who)
    tested = pd.DataFrame({"purchase_14d": 0.5, "label:purchase_14d": 0.0}, who)
    card = sample_card("purchase_14d", scored_as_of=CUT.isoformat(), auc=tested_auc)
    offered = Candidate("purchase_14d", model.to_bytes(), scores, (card,), tested=tested)
    registry = Registry(tmp_path / "models")
    Versions(registry).offer(offered)
    registry.finish(["purchase_14d"])
    (found,) = watched(warehouse, tmp_path / "models").values()
    warehouse.close()
    assert (found.psi, found.holds) == (None, tested_auc == 0.5)
    assert f"{len(who)} customers are too few to tell drift from chance" in found.words
    assert f"{'worse than 0.900' if tested_auc == 0.9 else 'beside 0.500'} in the test" in found.words
