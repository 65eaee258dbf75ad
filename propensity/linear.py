"""Logistic regression on normal scores: the smooth member of a blend with boosted trees.

Money and counts are so skewed that a plain scale lets a few customers speak for all; ranks as normal scores do not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

KNOTS = 100
EDGE = 1e-7
"""A rank is kept this far from 0 and 1, so that its normal score is finite (as scikit-learn's QuantileTransformer)."""
STRENGTH = 0.003
"""Inverse of the ridge penalty. Of 0.001 to 0.1, on coupon validation cuts, the best AUC."""


@dataclass(frozen=True)
class Linear:
    """medians: (columns,), in place of missing values. knots: (KNOTS, columns), quantiles. weights: (columns,)."""

    medians: np.ndarray
    knots: np.ndarray
    weights: np.ndarray
    offset: float

    @classmethod
    def fit(cls, matrix: np.ndarray, labels: np.ndarray, threads: int) -> Linear:
        """Fit on rows (float32, NaN for missing) with 0/1 labels; rows of one label alone tell only its rate."""
        known = np.where(np.isfinite(matrix).any(axis=0), matrix, 0.0)
        medians = np.nanmedian(known, axis=0)
        filled = np.where(np.isnan(known), medians, known)
        knots = np.quantile(filled, np.linspace(0, 1, KNOTS), axis=0)
        scaled = cls(medians, knots, np.zeros(len(medians)), 0.0)
        if labels.min() == labels.max():
            rate = (labels.sum() + 0.5) / (len(labels) + 1)
            return replace(scaled, offset=float(np.log(rate / (1 - rate))))
        with threadpool_limits(threads):
            model = LogisticRegression(C=STRENGTH, max_iter=500).fit(scaled.scores(matrix), labels)
        return cls(medians, knots, model.coef_[0], float(model.intercept_[0]))

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        """Normal scores, rows and columns like the matrix; ties get the middle of their ranks."""
        filled = np.where(np.isfinite(matrix), matrix, self.medians)
        ranks, out = np.linspace(0, 1, KNOTS), np.empty(filled.shape)
        for column in range(filled.shape[1]):
            values, knots = filled[:, column], self.knots[:, column]
            up = np.interp(values, knots, ranks)
            down = -np.interp(-values, -knots[::-1], -ranks[::-1])
            out[:, column] = norm.ppf(np.clip((up + down) / 2, EDGE, 1 - EDGE))
        return out

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """Of rows."""
        return np.asarray(self.scores(matrix) @ self.weights + self.offset)

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """What each column adds to the log-odds: exact SHAP values of a linear model around a score of 0."""
        return np.asarray(self.scores(matrix) * self.weights)

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "medians": self.medians.tolist(),
            "knots": self.knots.tolist(),
            "weights": self.weights.tolist(),
            "offset": self.offset,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Linear:
        """What `to_json` gave."""
        medians, knots, weights = (np.array(data[name]) for name in ("medians", "knots", "weights"))
        return cls(medians, knots, weights, data["offset"])
