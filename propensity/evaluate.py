"""How good a model is on a cut it never saw: AUC, calibration, Brier score, lift, against plain RFM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from propensity.model import CUSTOMERS, THREADS
from segments.ports import Snapshot

RFM = (
    "recency_days",
    "tenure_days",
    "mean_gap_days",
    "overdue_ratio",
    "orders_30d",
    "spend_30d",
    "orders_90d",
    "spend_90d",
    "orders_180d",
    "spend_180d",
    "orders_lifetime",
    "spend_lifetime",
)
"""The baseline: what any retailer computes first."""
BASELINE_ROUNDS = 80
BASELINE_RATE = 0.055
"""As many rounds times rate as 150 at 0.03 (equal AUC on validation cuts), in half the time."""
LEVEL = 0.95
RESAMPLES = 300
BINS = 10
SEED = 20171101


@dataclass(frozen=True)
class Evaluation:
    """Figures of one model on one test cut; the interval of the AUC is a bootstrap over customers.

    ece: expected calibration error over `ece_bins` bins of equal count. lift_top_decile: the share of
    positives among the tenth with the highest scores, over the share among all.
    """

    customers: int
    positives: int
    auc: float
    auc_low: float
    auc_high: float
    level: float
    ece: float
    ece_bins: int
    brier: float
    lift_top_decile: float
    baseline_auc: float
    baseline_ece: float


def evaluate(labels: np.ndarray, scores: np.ndarray, baseline: np.ndarray) -> Evaluation:
    """Compare probabilities (and the baseline's) with 0/1 labels of the same customers."""
    low, high = interval(bootstrap_auc(labels, scores))
    top = np.argsort(-scores, kind="stable")[: max(1, len(scores) // 10)]
    rate = float(labels.mean())
    return Evaluation(
        customers=len(labels),
        positives=int(labels.sum()),
        auc=auc(labels, scores),
        auc_low=low,
        auc_high=high,
        level=LEVEL,
        ece=ece(labels, scores),
        ece_bins=BINS,
        brier=float(np.mean((scores - labels) ** 2)),
        lift_top_decile=float(labels[top].mean()) / rate if rate else float("nan"),
        baseline_auc=auc(labels, baseline),
        baseline_ece=ece(labels, baseline),
    )


def mean(results: Mapping[str, Evaluation], samples: Sequence[np.ndarray]) -> Evaluation:
    """The mean over the first results, as many as there are bootstrap samples, each of the same customers."""
    first = list(results.values())[: len(samples)]
    low, high = interval(np.mean(samples, axis=0))
    means: dict[str, Any] = {
        name: float(np.mean([getattr(result, name) for result in first]))
        for name in ("auc", "ece", "brier", "lift_top_decile", "baseline_auc", "baseline_ece")
    }
    positives = sum(result.positives for result in first)
    return replace(first[0], positives=positives, auc_low=low, auc_high=high, **means)


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; ties count half; NaN when only one class occurs."""
    return float(_weighted_auc(labels, scores, np.ones((1, len(labels))))[0])


def bootstrap_auc(labels: np.ndarray, scores: np.ndarray, resamples: int = RESAMPLES) -> np.ndarray:
    """The AUC of `resamples` bootstrap samples; equal lengths resample the same customers."""
    return _weighted_auc(labels, scores, resampled(len(labels), resamples).astype("float64"))


def resampled(count: int, resamples: int = RESAMPLES) -> np.ndarray:
    """How often each of `count` customers is drawn, a row a bootstrap sample; the same for equal counts."""
    return np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), size=resamples)


def interval(samples: np.ndarray) -> tuple[float, float]:
    """The central interval of the samples at LEVEL."""
    low, high = np.nanquantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _weighted_auc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The AUC under each row of weights: positives beat the negatives below and half of those level."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    positive = np.add.reduceat(weights[:, order] * labels[order], starts, axis=1)
    negative = np.add.reduceat(weights[:, order] * (1 - labels[order]), starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(1) * negative.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(pairs > 0, (positive * below).sum(1) / pairs, np.nan))


def log_losses(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The loss of each label, its probability kept away from 0 and 1."""
    inside = np.clip(scores, 1e-6, 1 - 1e-6)
    return -np.asarray(np.where(labels == 1, np.log(inside), np.log1p(-inside)))


def ece(labels: np.ndarray, scores: np.ndarray, bins: int = BINS) -> float:
    """Mean |mean score - share of positives| over bins of equal count, weighted by count."""
    groups = np.array_split(np.argsort(scores, kind="stable"), bins)
    gaps = [abs(scores[g].mean() - labels[g].mean()) * len(g) for g in groups if len(g)]
    return float(sum(gaps) / len(labels))


def baseline_scores(snapshots: Sequence[Snapshot], test: pd.DataFrame) -> np.ndarray:
    """Scores of the same learner on twelve plain RFM features, trained on the same cuts."""
    matrix = np.concatenate([s.features[list(RFM)].to_numpy(dtype="float32") for s in snapshots])
    labels = np.concatenate([s.labels.to_numpy() for s in snapshots if s.labels is not None])
    parameters = CUSTOMERS.parameters() | {"learning_rate": BASELINE_RATE}
    booster = lgb.train(parameters, lgb.Dataset(matrix, labels), BASELINE_ROUNDS)
    return np.asarray(booster.predict(test[list(RFM)].to_numpy(dtype="float32"), num_threads=THREADS))
