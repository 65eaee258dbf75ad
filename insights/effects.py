"""Effect sizes with intervals, on one scale so that numbers and categories can be ranked together.

Numbers: Hedges' g, the bias-corrected standardised mean difference (Borenstein, Hedges, Higgins and
Rothstein 2009, Introduction to Meta-Analysis, equations 4.18 to 4.24). Shares: log odds ratio with
Woolf's variance and the 0.5 correction of Haldane and Anscombe. A log odds ratio becomes a
standardised difference by `sqrt(3) / pi` (Hasselblad and Hedges 1995; equation 7.1 of the same book).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, sqrt

import numpy as np
from scipy.special import ndtri, stdtrit

LOG_ODDS_TO_D = sqrt(3) / pi


@dataclass(frozen=True)
class Effect:
    """An estimate with its standard error; intervals are normal approximations."""

    estimate: float
    error: float

    def interval(self, level: float) -> tuple[float, float]:
        """The interval at a level such as 0.95."""
        reach = float(ndtri((1 + level) / 2)) * self.error
        return self.estimate - reach, self.estimate + reach

    def differs(self, level: float) -> bool:
        """Whether the interval at the level leaves out 0."""
        low, high = self.interval(level)
        return low > 0 or high < 0


def hedges_g(inside: np.ndarray, outside: np.ndarray) -> Effect | None:
    """Standardised difference `inside - outside`; None below two values a side or without any spread."""
    n1, n2 = len(inside), len(outside)
    if n1 < 2 or n2 < 2:
        return None
    freedom = n1 + n2 - 2
    pooled = ((n1 - 1) * inside.var(ddof=1) + (n2 - 1) * outside.var(ddof=1)) / freedom
    if pooled <= 0:
        return None
    d = float((inside.mean() - outside.mean()) / sqrt(pooled))
    correction = 1 - 3 / (4 * freedom - 1)
    variance = (n1 + n2) / (n1 * n2) + d * d / (2 * (n1 + n2))
    return Effect(correction * d, correction * sqrt(variance))


def log_odds_ratio(inside: int, n_inside: int, outside: int, n_outside: int) -> Effect:
    """Log odds ratio of a value: `inside` of `n_inside` members hold it, `outside` of `n_outside` others."""
    a, b, c, d = (x + 0.5 for x in (inside, n_inside - inside, outside, n_outside - outside))
    return Effect(log(a * d / (b * c)), sqrt(1 / a + 1 / b + 1 / c + 1 / d))


def mean_interval(values: np.ndarray, level: float) -> tuple[float, float, float]:
    """Mean with Student's t interval; the interval is the mean itself below two values."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, mean, mean
    quantile = float(stdtrit(len(values) - 1, (1 + level) / 2))
    reach = quantile * float(values.std(ddof=1)) / sqrt(len(values))
    return mean, mean - reach, mean + reach
