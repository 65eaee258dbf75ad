"""Ranks as normal scores: money and counts are so skewed that a plain scale lets a few customers speak for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

KNOTS = 100
EDGE = 1e-7
"""A rank is kept this far from 0 and 1, so that its normal score is finite (as scikit-learn's QuantileTransformer)."""


@dataclass(frozen=True)
class NormalScores:
    """medians: (columns,), in place of missing values. knots: (KNOTS, columns), quantiles."""

    medians: np.ndarray
    knots: np.ndarray

    @classmethod
    def fit(cls, matrix: np.ndarray) -> NormalScores:
        """Of rows (float32, NaN for missing); a column that is never known counts as 0."""
        known = np.where(np.isfinite(matrix).any(axis=0), matrix, 0.0)
        medians = np.nanmedian(known, axis=0)
        filled = np.where(np.isnan(known), medians, known)
        return cls(medians, np.quantile(filled, np.linspace(0, 1, KNOTS), axis=0))

    def of(self, matrix: np.ndarray) -> np.ndarray:
        """Normal scores, rows and columns like the matrix; ties get the middle of their ranks."""
        filled = np.where(np.isfinite(matrix), matrix, self.medians)
        ranks, out = np.linspace(0, 1, KNOTS), np.empty(filled.shape)
        for column in range(filled.shape[1]):
            values, knots = filled[:, column], self.knots[:, column]
            up = np.interp(values, knots, ranks)
            down = -np.interp(-values, -knots[::-1], -ranks[::-1])
            out[:, column] = norm.ppf(np.clip((up + down) / 2, EDGE, 1 - EDGE))
        return out

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        return {"medians": self.medians.tolist(), "knots": self.knots.tolist()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> NormalScores:
        """What `to_json` gave."""
        return cls(np.array(data["medians"]), np.array(data["knots"]))
