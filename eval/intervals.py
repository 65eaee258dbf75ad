"""Intervals of a measure over cases, by resampling the cases (percentile bootstrap, Efron 1979)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

RESAMPLES = 2_000
SEED = 7
Statistic = Callable[[np.ndarray], np.ndarray]
"""One number for each row of an array of shape (resamples, cases)."""


def mean(rows: np.ndarray) -> np.ndarray:
    """The mean of each row."""
    out: np.ndarray = rows.mean(axis=1)
    return out


def quantile(q: float) -> Statistic:
    """The q-quantile of each row."""
    return lambda rows: np.quantile(rows, q, axis=1)


def bootstrap(values: Sequence[float], statistic: Statistic = mean) -> tuple[float, float, float]:
    """(value, low, high): the statistic and its 95 % interval. All or none of 0/1 values: rule of three.

    Resampling says nothing of a share of 0 or 1, so its open end is 3/n away (Hanley and Lippman-Hand 1983).
    """
    if not values:
        return math.nan, math.nan, math.nan
    array = np.asarray(values, dtype=float)
    value = float(statistic(array[None, :])[0])
    if statistic is mean and set(array.tolist()) in ({0.0}, {1.0}):
        edge = min(1.0, 3 / len(array))
        return value, max(0.0, value - edge), min(1.0, value + edge)
    rows = np.random.default_rng(SEED).integers(0, len(array), size=(RESAMPLES, len(array)))
    low, high = np.quantile(statistic(array[rows]), [0.025, 0.975])
    return value, float(low), float(high)


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value that two runs over the same cases are alike (McNemar 1947, binomial form)."""
    n, k = only_first + only_second, min(only_first, only_second)
    if n == 0:
        return 1.0
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
