"""From a model's log-odds to probabilities that come true as often as they say.

The map is chosen by log loss on validation groups that did not fit it. Plain isotonic regression is not
offered: its steps make ties, and a top share of customers needs an order. `platt+recent` is not chosen but set: its level
follows the share of customers who did it lately.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

EDGE = 1e-4
"""No probability is nearer than this to 0 or 1."""
KINDS = ("none", "platt", "platt+isotonic")
RECENT = "platt+recent"


@dataclass(frozen=True)
class Calibrator:
    """A strictly increasing map of log-odds: Platt's line, or its mean with isotonic steps.

    recent: the offset at which the customers of a date would come to a recent rate; the line's offset is then the mean of
    the two.
    """

    kind: str = "none"
    slope: float = 1.0
    offset: float = 0.0
    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    recent: float | None = None

    def __call__(self, log_odds: np.ndarray) -> np.ndarray:
        """Probabilities."""
        offset = self.offset if self.recent is None else (self.offset + self.recent) / 2
        probability = _sigmoid(self.slope * log_odds + offset)
        if self.knots:
            probability = (probability + np.interp(log_odds, self.knots, self.values)) / 2
        return np.asarray(EDGE + (1 - 2 * EDGE) * probability)

    def at_rate(self, log_odds: np.ndarray, rate: float) -> Calibrator:
        """The map for customers of whom a share of `rate` did it lately; other kinds than RECENT stay as they are."""
        if self.kind != RECENT or not EDGE < rate < 1 - EDGE:
            return self
        line = self.slope * log_odds
        reach = 20.0 + float(np.abs(line).max())
        return replace(
            self, recent=float(brentq(lambda by: _sigmoid(line + by).mean() - rate, -reach, reach))
        )


def fit(kind: str, log_odds: np.ndarray, labels: np.ndarray) -> Calibrator:
    """A calibrator of that kind; Platt scaling as in Platt (1999), unregularised."""
    if kind == "none" or labels.min() == labels.max():
        return Calibrator()
    line = LogisticRegression(C=np.inf).fit(log_odds.reshape(-1, 1), labels)
    slope, offset = float(line.coef_[0, 0]), float(line.intercept_[0])
    if slope <= 0:
        return Calibrator()
    if kind in ("platt", RECENT):
        return Calibrator(kind, slope, offset)
    steps = IsotonicRegression(out_of_bounds="clip").fit(log_odds, labels)
    return Calibrator(
        kind, slope, offset, tuple(steps.X_thresholds_.tolist()), tuple(steps.y_thresholds_.tolist())
    )


def choose(log_odds: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> Calibrator:
    """The kind with the least log loss on groups left out of its fit, fitted on all of them."""
    losses = {kind: _left_out_loss(kind, log_odds, labels, groups) for kind in KINDS}
    return fit(min(KINDS, key=lambda kind: losses[kind]), log_odds, labels)


def _sigmoid(log_odds: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def _left_out_loss(kind: str, log_odds: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> float:
    total = 0.0
    for group in np.unique(groups):
        inside = groups == group
        calibrator = fit(kind, log_odds[~inside], labels[~inside])
        total += log_loss(labels[inside], calibrator(log_odds[inside]), labels=[0, 1]) * inside.sum()
    return total
