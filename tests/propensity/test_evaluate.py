"""The figures of a card against sklearn's and against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

from propensity.evaluate import auc, baseline_scores, bootstrap_auc, ece, evaluate, interval
from segments.ports import Snapshot
from tests.propensity.conftest import snapshots


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and scores that are N(1, 1) for positives and N(0, 1) for the others: AUC 0.7602."""
    random = np.random.default_rng(seed)
    labels = (random.random(count) < 0.4).astype(int)
    return labels, random.normal(labels, 1.0)


pairs = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9])), min_size=2)


@given(rows=pairs.filter(lambda rows: len({label for label, _ in rows}) == 2))
def test_auc_is_sklearns_also_with_ties(rows: list[tuple[int, float]]) -> None:
    labels, scores = (np.array(column) for column in zip(*rows, strict=True))
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))


def test_auc_is_sklearns_on_many_customers() -> None:
    labels, scores = drawn(3000, 1)
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert auc(labels, scores.round(1)) == pytest.approx(roc_auc_score(labels, scores.round(1)))


def test_auc_by_hand() -> None:
    assert auc(np.array([0, 1]), np.array([0.2, 0.7])) == 1.0
    assert auc(np.array([0, 1]), np.array([0.7, 0.2])) == 0.0
    assert auc(np.array([0, 1, 0, 1]), np.full(4, 0.3)) == 0.5
    assert auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.8])) == 3.5 / 4


def test_one_class_alone_has_no_auc() -> None:
    assert math.isnan(auc(np.zeros(5), np.arange(5.0)))
    assert math.isnan(auc(np.ones(5), np.arange(5.0)))


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_holds_the_point_and_narrows_with_customers(seed: int) -> None:
    widths = []
    for count in (200, 3200):
        labels, scores = drawn(count, seed)
        low, high = interval(bootstrap_auc(labels, scores))
        assert low < auc(labels, scores) < high
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.35)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    intervals = [interval(bootstrap_auc(*drawn(300, seed))) for seed in range(100)]
    covered = sum(low <= 0.7602 <= high for low, high in intervals)
    # Of 100 at 95 %, fewer than 88 or all would happen once in some hundred runs.
    assert 88 <= covered <= 99


def test_two_models_are_resampled_alike() -> None:
    labels, scores = drawn(400, 2)
    assert bootstrap_auc(labels, scores) == pytest.approx(bootstrap_auc(labels, np.exp(scores)))


def test_ece_by_hand() -> None:
    scores = np.array([0.2] * 10 + [0.8] * 10)
    labels = np.array([1] * 2 + [0] * 8 + [1] * 6 + [0] * 4)
    assert ece(labels, scores, bins=2) == pytest.approx((0 + 0.2) / 2)
    assert ece(labels, scores, bins=1) == pytest.approx(0.1)
    assert ece(np.array([1, 1, 0]), np.array([0.9, 0.6, 0.3]), bins=3) == pytest.approx(0.8 / 3)


def test_ece_of_true_probabilities_is_small_and_of_shifted_ones_the_shift() -> None:
    random = np.random.default_rng(3)
    scores = random.uniform(0.1, 0.7, 50_000)
    labels = (random.random(50_000) < scores).astype(int)
    assert ece(labels, scores) < 0.01
    assert ece(labels, scores + 0.2) == pytest.approx(0.2, abs=0.01)


def test_the_figures_do_not_depend_on_the_order_of_customers() -> None:
    labels, scores = drawn(500, 4)
    scores = 1 / (1 + np.exp(-scores))
    order = np.random.default_rng(0).permutation(500)
    one, two = (evaluate(labels[rows], scores[rows], scores[rows]) for rows in (np.arange(500), order))
    for name in ("auc", "ece", "brier", "lift_top_decile", "positives"):
        assert getattr(one, name) == pytest.approx(getattr(two, name)), name


def test_all_figures_by_hand() -> None:
    labels = np.array([1, 1] + [0] * 16 + [1, 1])
    scores = np.linspace(0.95, 0.05, 20)
    found = evaluate(labels, scores, scores[::-1])
    assert (found.customers, found.positives) == (20, 4)
    assert found.auc == found.baseline_auc == 0.5
    assert found.brier == pytest.approx(brier_score_loss(labels, scores))
    assert found.lift_top_decile == pytest.approx(1.0 / 0.2)
    assert found.auc_low < 0.5 < found.auc_high


@pytest.mark.filterwarnings("ignore:All-NaN slice")
def test_nobody_did_it_has_no_lift_and_no_auc() -> None:
    found = evaluate(np.zeros(50, dtype=int), np.linspace(0.01, 0.2, 50), np.full(50, 0.1))
    assert math.isnan(found.auc)
    assert math.isnan(found.lift_top_decile)
    assert found.ece == pytest.approx(0.105, abs=0.01)


def test_the_baseline_learns_from_rfm_alone() -> None:
    names = ["recency_days", "tenure_days", "mean_gap_days", "overdue_ratio"]
    names += [
        f"{kind}_{window}" for kind in ("orders", "spend") for window in ("30d", "90d", "180d", "lifetime")
    ]

    def as_rfm(snapshot: Snapshot) -> Snapshot:
        random = np.random.default_rng(snapshot.as_of.toordinal())
        features = snapshot.features.assign(**{name: random.normal(size=400) for name in names})
        return Snapshot(snapshot.as_of, features.assign(recency_days=snapshot.features["a"]), snapshot.labels)

    *training, test = [as_rfm(each) for each in snapshots(6)]
    assert test.labels is not None
    assert auc(test.labels.to_numpy(), baseline_scores(training, test.features)) > 0.7
    blind = test.features.assign(recency_days=0.0)
    assert auc(test.labels.to_numpy(), baseline_scores(training, blind)) == pytest.approx(0.5, abs=0.1)
