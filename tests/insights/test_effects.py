"""Effect sizes against numbers worked by hand and from the book."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from insights.effects import hedges_g, log_odds_ratio, mean_interval


def with_moments(mean: float, deviation: float, count: int) -> np.ndarray:
    """Values of exactly this mean and sample standard deviation."""
    values = np.arange(count, dtype=float)
    return mean + deviation * (values - values.mean()) / values.std(ddof=1)


def test_hedges_g_is_that_of_the_books_example() -> None:
    # Borenstein et al. 2009, chapter 4: means 103 and 100, deviations 5.5 and 4.5, 50 in each group.
    effect = hedges_g(with_moments(103, 5.5, 50), with_moments(100, 4.5, 50))
    assert effect is not None
    assert effect.estimate == pytest.approx(0.5924, abs=1e-4)
    assert effect.error**2 == pytest.approx(0.0411, abs=1e-4)


def test_no_effect_without_spread_or_with_one_value() -> None:
    assert hedges_g(np.ones(5), np.ones(5)) is None
    assert hedges_g(np.ones(1), np.arange(5.0)) is None


def test_log_odds_ratio_by_hand() -> None:
    effect = log_odds_ratio(20, 50, 10, 100)
    assert effect.estimate == pytest.approx(log(20.5 * 90.5 / (30.5 * 10.5)))
    low, high = effect.interval(0.95)
    assert exp(low) == pytest.approx(2.477, abs=0.005)
    assert exp(high) == pytest.approx(13.55, abs=0.01)
    assert effect.differs(0.95)
    assert not log_odds_ratio(5, 50, 10, 100).differs(0.95)


def test_an_odds_ratio_of_an_impossible_value_is_finite() -> None:
    assert np.isfinite(log_odds_ratio(10, 10, 0, 500).estimate)


def test_mean_interval_is_students() -> None:
    mean, low, high = mean_interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 0.95)
    assert mean == 3.0
    assert high - mean == pytest.approx(2.776 * 1.5811 / 5**0.5, abs=1e-3)
    assert mean - low == pytest.approx(high - mean)
