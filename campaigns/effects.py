"""The difference that contact made, with intervals: means, shares, adjusted for what was known before.

Means: Welch's t. Shares: Newcombe's hybrid score interval (1998, Statistics in Medicine 17, method 10)
and the pooled z test. Adjustment: CUPED (Deng, Xu, Kohavi and Walker 2013, WSDM). Several strata: Holm
(1979, Scandinavian Journal of Statistics 6) for the p-values, Bonferroni for the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.stats import binomtest, chi2, norm, ttest_ind

LEVEL = 0.95


@dataclass(frozen=True)
class Effect:
    """One comparison: customers and mean outcome of each arm, contact less holdout with its interval."""

    contact: int
    holdout: int
    mean_contact: float
    mean_holdout: float
    difference: float
    low: float
    high: float
    error: float
    p_value: float
    level: float

    @property
    def found(self) -> bool:
        """Whether the interval leaves no difference out."""
        return self.low > 0 or self.high < 0


def difference_of_means(contact: np.ndarray, holdout: np.ndarray, level: float = LEVEL) -> Effect:
    """Welch's interval of the difference; each arm has at least 2 customers."""
    means = float(np.mean(contact)), float(np.mean(holdout))
    error = sqrt(
        float(np.var(contact, ddof=1)) / len(contact) + float(np.var(holdout, ddof=1)) / len(holdout)
    )
    if error == 0.0:
        # Everybody alike in both arms: nothing left to chance.
        gap = means[0] - means[1]
        return Effect(len(contact), len(holdout), *means, gap, gap, gap, 0.0, float(gap == 0), level)
    test = ttest_ind(contact, holdout, equal_var=False)
    reach = test.confidence_interval(level)
    low, high = float(reach.low), float(reach.high)
    return Effect(
        len(contact), len(holdout), *means, means[0] - means[1], low, high, error, float(test.pvalue), level
    )


def difference_of_shares(contact: np.ndarray, holdout: np.ndarray, level: float = LEVEL) -> Effect:
    """Newcombe's interval of the difference of two shares; the arrays hold 0 and 1."""
    sizes, yes = (len(contact), len(holdout)), (int(np.sum(contact)), int(np.sum(holdout)))
    one, two = yes[0] / sizes[0], yes[1] / sizes[1]
    (low1, high1), (low2, high2) = (
        binomtest(k, n).proportion_ci(level, method="wilson") for k, n in zip(yes, sizes, strict=True)
    )
    gap, pooled = one - two, sum(yes) / sum(sizes)
    low = gap - sqrt((one - low1) ** 2 + (high2 - two) ** 2)
    high = gap + sqrt((high1 - one) ** 2 + (two - low2) ** 2)
    error = sqrt(one * (1 - one) / sizes[0] + two * (1 - two) / sizes[1])
    spread = sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
    p = float(2 * norm.sf(abs(gap) / spread)) if spread > 0 else 1.0
    return Effect(*sizes, one, two, gap, low, high, error, p, level)


def adjusted(outcome: np.ndarray, before: np.ndarray, treated: np.ndarray) -> tuple[np.ndarray, float]:
    """The outcome less what `before` (shape (n,) or (n, covariates)) foretold, and the variance left (0..1).

    The slope is fitted within the arms, so an effect does not leak into it; assignment is independent of
    `before`, so the mean difference stays what it was and only its noise shrinks.
    """
    covariates = before.reshape(len(outcome), -1).astype(float)
    inside, target = covariates.copy(), outcome.astype(float).copy()
    for arm in (treated, ~treated):
        inside[arm] -= inside[arm].mean(axis=0)
        target[arm] -= target[arm].mean()
    slopes = np.linalg.lstsq(inside, target, rcond=None)[0]
    total = float((target**2).sum())
    left = float(((target - inside @ slopes) ** 2).sum()) / total if total > 0 else 1.0
    return outcome - (covariates - covariates.mean(axis=0)) @ slopes, left


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given."""
    order = np.argsort(p_values)
    count, running = len(p_values), 0.0
    out = [0.0] * count
    for rank, place in enumerate(order):
        running = max(running, min(1.0, (count - rank) * p_values[place]))
        out[place] = running
    return out


def heterogeneity(effects: Sequence[Effect]) -> float:
    """p-value of Cochran's Q: whether the strata's differences vary more than chance lets them."""
    usable = [e for e in effects if e.error > 0]
    if len(usable) < 2:
        return 1.0
    weights = np.array([1 / e.error**2 for e in usable])
    gaps = np.array([e.difference for e in usable])
    mean = float((weights * gaps).sum() / weights.sum())
    return float(chi2.sf(float((weights * (gaps - mean) ** 2).sum()), len(usable) - 1))
