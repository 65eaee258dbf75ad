"""A linear model on normal scores: logistic regression, the margin of a support vector machine, and the smooth member of
a blend with boosted trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from propensity.normal_scores import NormalScores

STRENGTH = 0.003
"""Inverse of the ridge penalty. Of 0.001 to 0.1, on coupon validation cuts, the best AUC."""


@dataclass(frozen=True)
class Linear:
    """weights: (columns,), of the normal scores."""

    scale: NormalScores
    weights: np.ndarray
    offset: float

    @classmethod
    def fit(cls, matrix: np.ndarray, labels: np.ndarray, threads: int, strength: float = STRENGTH) -> Linear:
        """Logistic regression on rows (float32, NaN for missing) with 0/1 labels; rows of one label alone tell only
        its rate. strength: inverse of the ridge penalty."""
        scale = NormalScores.fit(matrix)
        if labels.min() == labels.max():
            rate = (labels.sum() + 0.5) / (len(labels) + 1)
            return cls(scale, np.zeros(matrix.shape[1]), float(np.log(rate / (1 - rate))))
        with threadpool_limits(threads):
            model = LogisticRegression(C=strength, max_iter=1000).fit(scale.of(matrix), labels)
        return cls(scale, model.coef_[0], float(model.intercept_[0]))

    @classmethod
    def margin(cls, matrix: np.ndarray, labels: np.ndarray, strength: float, seed: int) -> Linear:
        """The margin of a linear support vector machine, on rows as for `fit`."""
        scale = NormalScores.fit(matrix)
        model = LinearSVC(C=strength, random_state=seed).fit(scale.of(matrix), labels)
        return cls(scale, model.coef_[0], float(model.intercept_[0]))

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """Of rows."""
        return np.asarray(self.scale.of(matrix) @ self.weights + self.offset)

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """What each column adds to the log-odds: exact SHAP values of a linear model around a score of 0."""
        return np.asarray(self.scale.of(matrix) * self.weights)

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        return self.scale.to_json() | {"weights": self.weights.tolist(), "offset": self.offset}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Linear:
        """What `to_json` gave."""
        return cls(NormalScores.from_json(data), np.array(data["weights"]), data["offset"])
