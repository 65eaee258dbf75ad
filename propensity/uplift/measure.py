"""How well scores order customers by the effect of a treatment: Qini, AUUC, uplift@k, value of a policy.

Customers are weighted by one over the chance of their arm, which changes nothing in a randomised test with
equal arms and takes what was measured of the targeting out of an observational one. With equal weights the
figures are scikit-uplift's. Intervals are bootstraps over customers; scores are held fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
RESAMPLES = 300
TOP = 0.3
SEED = 20171101
_CHUNK = 4_000_000
"""Cells of one block of resamples: 32 MB a matrix."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its central interval at LEVEL."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Policy:
    """What treating the customers with a score over a threshold gains, a customer, against treating nobody.

    everyone: the gain of treating all. over_everyone: the gain over treating all.
    """

    treated_share: float
    gain: Estimate
    everyone: Estimate
    over_everyone: Estimate


@dataclass(frozen=True)
class Measures:
    """Figures of one learner's scores on customers that it was not fitted on.

    qini, auuc: area between the curve and chance over that of the best curve possible in hindsight (Radcliffe,
    2007; Devriendt, Guns and Verbeke, 2020). top_uplift: the difference of the arms' response among the TOP
    share with the highest scores. average: among all.
    """

    qini: Estimate
    auuc: Estimate
    top_uplift: Estimate
    average: Estimate


def measure(
    effects: np.ndarray, treated: np.ndarray, response: np.ndarray, weights: np.ndarray, top: float = TOP
) -> Measures:
    """The figures of scores, of the same customers' arms, responses (0/1) and weights."""
    best = 2.0 * (treated == response) + (
        response
        if ((response == 1) & (treated == 0)).sum() > ((response == 0) & (treated == 1)).sum()
        else treated
    )
    gain = response * treated - response * (1.0 - treated)
    mine, perfect_qini, perfect_uplift = (_Order(s, treated, response) for s in (effects, gain, best))

    def figures(counts: np.ndarray) -> np.ndarray:
        curves, ideal, summit = mine.sums(counts), perfect_qini.sums(counts), perfect_uplift.sums(counts)
        return np.column_stack(
            [
                _area(*_qini(curves)) / _area(*_qini(ideal)),
                _area(*_uplift(curves)) / _area(*_uplift(summit)),
                _top(curves, top),
                _top(curves, 1.0),
            ]
        )

    return Measures(*_estimates(figures, weights))


def policy_value(
    effects: np.ndarray,
    treated: np.ndarray,
    response: np.ndarray,
    weights: np.ndarray,
    value: float = 1.0,
    cost: float = 0.0,
) -> Policy:
    """The value of treating whoever's effect is worth more than it costs.

    value: of one response. cost: of treating one customer, in the same unit. The estimator is the weighted mean
    of each arm among the customers that the policy puts into it (inverse probability weighting).
    """
    chosen = effects * value > cost

    def gains(counts: np.ndarray) -> np.ndarray:
        total = counts.sum(axis=1)
        parts = []
        for rows in (chosen, ~chosen):
            share = counts[:, rows].sum(axis=1) / total
            means = [
                _mean(counts[:, rows & (treated == arm)], response[rows & (treated == arm)]) for arm in (1, 0)
            ]
            parts.append(share * ((means[0] - means[1]) * value - cost))
        return np.column_stack([parts[0], parts[0] + parts[1], -parts[1]])

    share = float(np.average(chosen, weights=weights))
    return Policy(share, *_estimates(gains, weights))


class _Order:
    """Customers from the highest score down; equal scores are taken together."""

    def __init__(self, scores: np.ndarray, treated: np.ndarray, response: np.ndarray) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
        self._treated, self._response = treated[self._order] == 1, response[self._order]

    def sums(self, counts: np.ndarray) -> tuple[np.ndarray, ...]:
        """Running sums at each distinct score, from 0: treated, others, and their responses."""
        ordered = counts[:, self._order]
        columns = (self._treated, ~self._treated)
        parts = [ordered * arm for arm in columns] + [ordered * (arm * self._response) for arm in columns]
        return tuple(np.pad(np.cumsum(part, axis=1)[:, self._ends], ((0, 0), (1, 0))) for part in parts)


def _qini(sums: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    treated, others, treated_response, other_response = sums
    return treated + others, treated_response - other_response * _ratio(treated, others)


def _uplift(sums: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    treated, others, treated_response, other_response = sums
    count = treated + others
    return count, (_ratio(treated_response, treated) - _ratio(other_response, others)) * count


def _area(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The area between a curve and the straight line to its end."""
    return np.asarray(np.trapezoid(y, x, axis=1) - x[:, -1] * y[:, -1] / 2)


def _top(sums: tuple[np.ndarray, ...], share: float) -> np.ndarray:
    """The difference of response in the top share; of equal scores at its border, their part."""
    count = sums[0] + sums[1]
    out = []
    for row, total in enumerate(count[:, -1]):
        treated, others, *responses = (np.interp(share * total, count[row], part[row]) for part in sums)
        out.append(_ratio(responses[0], treated) - _ratio(responses[1], others))
    return np.array(out)


def _mean(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    return _ratio(counts @ values, counts.sum(axis=1))


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    return np.divide(over, under, out=np.zeros_like(over, dtype="float64"), where=np.asarray(under) > 0)


def _estimates(figures: Callable[[np.ndarray], np.ndarray], weights: np.ndarray) -> list[Estimate]:
    """Each column of `figures` on the data, with the interval of its bootstrap."""
    count = len(weights)
    random = np.random.default_rng(SEED)
    samples, left, block = [], RESAMPLES, max(1, _CHUNK // count)
    while left > 0:
        drawn = random.multinomial(count, np.full(count, 1 / count), size=min(block, left))
        samples.append(figures(drawn * weights))
        left -= block
    values = figures(weights[None, :].astype("float64"))[0]
    low, high = np.nanquantile(np.concatenate(samples), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return [Estimate(float(v), float(a), float(b)) for v, a, b in zip(values, low, high, strict=True)]
