"""Intervals against published values and by simulation: they hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from campaigns.effects import adjusted, difference_of_means, difference_of_shares, heterogeneity, holm
from campaigns.monitor import look_alpha, spent
from segments.errors import DefinitionError


def of(yes: int, total: int) -> np.ndarray:
    return np.repeat([1.0, 0.0], [yes, total - yes])


def test_newcombe_as_published() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table II, contrast (a): 56/70 and 48/80, method 10.
    effect = difference_of_shares(of(56, 70), of(48, 80))
    assert (effect.low, effect.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    # And contrast (h) there: 10/10 and 0/10.
    effect = difference_of_shares(of(10, 10), of(0, 10))
    assert (effect.low, effect.high) == pytest.approx((0.6075, 1.0), abs=5e-5)


def test_welch_agrees_with_the_formula() -> None:
    one, two = np.array([3.0, 5, 7, 9]), np.array([1.0, 2, 3])
    effect = difference_of_means(one, two)
    error = (20 / 3 / 4 + 1 / 3) ** 0.5
    assert effect.error == pytest.approx(error)
    df = (20 / 12 + 1 / 3) ** 2 / ((20 / 12) ** 2 / 3 + (1 / 3) ** 2 / 2)
    from scipy.stats import t

    assert effect.high - effect.low == pytest.approx(2 * t.ppf(0.975, df) * error)
    alike = difference_of_means(np.ones(5), np.ones(5))
    assert (alike.difference, alike.p_value, alike.found) == (0.0, 1.0, False)


def skewed(random: np.random.Generator, count: int) -> np.ndarray:
    """Spend as it is: half of the customers buy nothing, a few buy much."""
    return random.binomial(1, 0.5, count) * random.lognormal(3, 1, count)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(12)
    runs, means, shares, cuped = 1000, 0, 0, 0
    widths = []
    for _ in range(runs):
        before = skewed(random, 600)
        treated = random.permutation(600) < 400
        outcome = 0.7 * before + skewed(random, 600) + 5.0 * treated
        plain = difference_of_means(outcome[treated], outcome[~treated])
        clean, _ = adjusted(outcome, before, treated)
        better = difference_of_means(clean[treated], clean[~treated])
        bought = random.binomial(1, np.where(treated, 0.12, 0.08)).astype(float)
        part = difference_of_shares(bought[treated], bought[~treated])
        means += plain.low <= 5 <= plain.high
        cuped += better.low <= 5 <= better.high
        shares += part.low <= 0.04 <= part.high
        widths.append((better.high - better.low) / (plain.high - plain.low))
    # Three standard errors of a share of 0.95 over the runs are 0.021.
    for hits in (means, cuped, shares):
        assert hits / runs == pytest.approx(0.95, abs=0.021)
    assert np.mean(widths) < 0.9, "what was known before must narrow the interval"


def test_adjusting_leaves_the_share_of_variance_that_theory_says() -> None:
    random = np.random.default_rng(3)
    before = random.normal(0, 1, 40_000)
    treated = random.random(40_000) < 0.5
    outcome = 0.6 * before + 0.8 * random.normal(0, 1, 40_000) + 10 * treated
    _, left = adjusted(outcome, before, treated)
    assert left == pytest.approx(1 - 0.6**2, abs=0.01), "1 - r^2 (Deng et al. 2013), the effect left out of r"


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_heterogeneity_is_seen_when_it_is_there_and_seldom_else() -> None:
    random = np.random.default_rng(8)

    def p_value(gaps: tuple[float, ...]) -> float:
        return heterogeneity(
            [difference_of_means(random.normal(gap, 1, 200), random.normal(0, 1, 200)) for gap in gaps]
        )

    assert p_value((0.0, 0.0, 1.0)) < 1e-6
    alarms = np.mean([p_value((0.3, 0.3, 0.3)) < 0.05 for _ in range(400)])
    assert alarms == pytest.approx(0.05, abs=0.035)


def test_spending_starts_at_nothing_and_ends_at_alpha() -> None:
    assert spent(0, 0.05) == 0
    assert spent(1, 0.05) == pytest.approx(0.05)
    # 2 - 2 Phi(1.95996 / sqrt(0.5)): half-way almost nothing is spent.
    assert spent(0.5, 0.05) == pytest.approx(0.00557, abs=1e-5)
    looks = [0.25, 0.5, 0.75, 1.0]
    used = [look_alpha(share, looks[:i], 0.05) for i, share in enumerate(looks)]
    assert sum(used) == pytest.approx(0.05)
    assert used[-1] > 0.025, "the final look keeps most"
    assert look_alpha(0.5, [0.25, 0.5], 0.05) == look_alpha(0.5, [0.25], 0.05), "the same look again is free"
    with pytest.raises(DefinitionError, match=r"not 1\.2"):
        spent(1.2, 0.05)


def test_looking_every_third_day_raises_no_more_alarms_than_promised() -> None:
    random = np.random.default_rng(21)
    runs, alarms, naive = 400, 0, 0
    for _ in range(runs):
        # Nobody is treated; a customer's days are alike, as customers' days are.
        rate = random.gamma(0.5, 2.0, (300, 1))
        spend = random.poisson(rate, (300, 30)).cumsum(axis=1)
        treated = random.permutation(300) < 200
        seen: list[float] = []
        found = peeked = False
        for day in range(3, 31, 3):
            share = day / 30
            alpha = look_alpha(share, seen, 0.05)
            seen.append(share)
            p = difference_of_means(spend[treated, day - 1], spend[~treated, day - 1]).p_value
            found |= p < alpha
            peeked |= p < 0.05
        alarms += found
        naive += peeked
    assert alarms / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    assert naive > alarms, "plain p-values at every look alarm more often"
