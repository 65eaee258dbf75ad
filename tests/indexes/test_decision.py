"""A learned encoder takes the aggregate's place only where it is better beyond chance, and what was decided is kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from indexes.encoder.decision import AGGREGATE, FILE, Decision, Gain, decide, gain
from indexes.encoder.evaluate import Scores, Tasks
from segments.errors import DataError

COUNT, DAY = 600, date(2017, 12, 2)
NAMES = ["churn", "category:BEER", "product:1", "product:2"]


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(1).normal(size=(COUNT, len(NAMES))), columns=NAMES)


@pytest.fixture(scope="module")
def found(truth: pd.DataFrame) -> Tasks:
    chance = 1 / (1 + np.exp(-2 * truth))
    labels = (np.random.default_rng(2).random(truth.shape) < chance).astype(float)
    labels.loc[:50, "churn"] = np.nan
    return Tasks(labels, pd.Series({"category:BEER": 9.0, "product:1": 5.0, "product:2": 4.0}))


def said(truth: pd.DataFrame, noise: float, seed: int) -> pd.DataFrame:
    return truth + noise * np.random.default_rng(seed).normal(size=truth.shape)


def test_the_gain_is_the_difference_of_the_mean_areas(truth: pd.DataFrame, found: Tasks) -> None:
    base, rival = said(truth, 2.0, 3), said(truth, 0.2, 4)
    by = gain(base, rival, found)

    def area(scores: pd.DataFrame, name: str) -> float:
        known = found.labels[name].notna()
        return float(roc_auc_score(found.labels.loc[known, name], scores.loc[known, name]))

    differences = {name: area(rival, name) - area(base, name) for name in NAMES}
    product = (differences["product:1"] + differences["product:2"]) / 2
    assert by.product == pytest.approx(product)
    assert by.mean == pytest.approx((differences["churn"] + differences["category:BEER"] + product) / 3)
    assert 0 < by.low < by.mean < by.high
    assert by.sure


def test_what_says_the_same_gains_nothing_and_ties_are_half(truth: pd.DataFrame, found: Tasks) -> None:
    same = gain(said(truth, 1.0, 3), said(truth, 1.0, 3), found)
    assert (same.mean, same.low, same.high, same.sure) == (0, 0, 0, False)
    silent = gain(said(truth, 1.0, 3), truth * 0, found)
    assert silent.high < 0
    assert gain(truth * 0, truth * 0 + 1, found).mean == 0


def test_a_gain_within_chance_is_not_sure(truth: pd.DataFrame, found: Tasks) -> None:
    close = gain(said(truth, 1.0, 3), said(truth, 1.0, 5), found)
    assert close.low < 0 < close.high
    assert not close.sure


def scores(product: float) -> Scores:
    return Scores(0.8, 0.7, product, 0.5, 0.5)


JUDGED = {
    AGGREGATE: scores(0.6),
    "lstm": scores(0.62),
    "transformer": scores(0.64),
    "aggregate + lstm": scores(0.61),
}


def by(mean: float, low: float, product: float) -> Gain:
    return Gain(mean, low, mean + (mean - low), product, low, product + 0.01)


def test_the_best_of_those_that_are_surely_better_is_taken(tmp_path: Path) -> None:
    gains = {
        "lstm": by(0.02, 0.01, 0.02),
        "transformer": by(0.04, -0.01, 0.04),
        "aggregate + lstm": by(0.01, 0.005, 0.01),
    }
    decided = decide(JUDGED, gains, DAY)
    assert decided.encoder == "lstm"
    assert decided.words.startswith(
        "The lstm beats the aggregate on held-out tasks: mean AUROC 0.7067 against 0.7000 (+0.0200"
    )
    decided.save(tmp_path)
    assert Decision.load(tmp_path) == decided


@pytest.mark.parametrize("gains", [{"lstm": by(0.02, -0.01, 0.02)}, {"lstm": by(0.02, 0.01, -0.001)}])
def test_otherwise_the_aggregate_stays(gains: dict[str, Gain]) -> None:
    decided = decide(JUDGED, gains, DAY)
    assert decided.encoder == AGGREGATE
    assert decided.words.startswith("The aggregate stays the default: the lstm is not surely better")


@pytest.mark.parametrize("text", ["{", "[]", '{"encoder": "lstm", "words": "", "as_of": "", "gains": {}}'])
def test_a_damaged_decision_is_told_and_none_is_none(tmp_path: Path, text: str) -> None:
    assert Decision.load(tmp_path) is None
    (tmp_path / FILE).write_text(text)
    with pytest.raises(DataError, match=r"damaged.*segassist index train-encoder.*behaviour_encoder"):
        Decision.load(tmp_path)
