"""Power analysis against published values."""

from __future__ import annotations

import numpy as np
import pytest

from campaigns.power import (
    Metric,
    design_holdout,
    detectable_effect,
    detectable_share,
    sample_size,
    share_effect,
)
from segments.errors import DefinitionError


def buyers(baseline: float, expected: float) -> Metric:
    return Metric("bought", "share", "share", baseline, expected, 0.0, 30, "share who buy", "购买占比")


def test_known_sample_sizes() -> None:
    # statsmodels 0.15.0, NormalIndPower().solve_power: 1569.772, 392.443, 330.653, 245.277 and 680.353.
    assert sample_size(0.1) == 1570
    assert sample_size(0.2) == 393
    assert sample_size(0.3, alpha=0.01, power=0.9) == 331
    assert sample_size(0.2, ratio=4) == 246
    assert share_effect(0.10, 0.15) == pytest.approx(0.15189772139085922)
    assert sample_size(share_effect(0.10, 0.15)) == 681


def test_the_test_really_has_that_power() -> None:
    random = np.random.default_rng(3)
    n = sample_size(share_effect(0.10, 0.15))
    one, two = random.binomial(n, 0.10, 20_000) / n, random.binomial(n, 0.15, 20_000) / n
    pooled = (one + two) / 2
    found = np.abs(two - one) / np.sqrt(2 * pooled * (1 - pooled) / n) > 1.959964
    assert found.mean() == pytest.approx(0.8, abs=0.015)


def test_detectable_is_the_inverse_of_size() -> None:
    effect = detectable_effect(1570, 1570)
    assert effect == pytest.approx(0.1, abs=1e-4)
    assert share_effect(0.2, detectable_share(0.2, effect)) == pytest.approx(effect)
    assert detectable_share(0.99, 3.0) == 1.0


def test_the_holdout_is_the_smallest_that_does() -> None:
    metric = buyers(0.10, 0.05)
    plan = design_holdout(5000, metric)
    assert plan.powered
    assert plan.contact + plan.holdout == 5000
    assert plan.detectable <= 0.05
    assert detectable_effect(plan.contact + 1, plan.holdout - 1) > metric.effect
    assert plan.needed == 2 * 681


def test_a_segment_too_small_is_told_plainly() -> None:
    plan = design_holdout(100, buyers(0.10, 0.05))
    assert not plan.powered
    assert plan.holdout == 30
    assert plan.detectable > 0.05
    assert not design_holdout(100, buyers(0.10, 0.0)).powered
    assert design_holdout(100, buyers(0.10, 0.0)).needed is None


def test_means_use_their_deviation() -> None:
    spend = Metric("spend", "mean", "currency", 200.0, 20.0, 100.0, 30, "spend", "消费")
    plan = design_holdout(100_000, spend)
    assert plan.needed == 2 * 393
    assert plan.detectable == pytest.approx(20, rel=0.01)


def test_bad_designs() -> None:
    with pytest.raises(DefinitionError, match="at least 2 customers"):
        design_holdout(1, buyers(0.1, 0.05))
    with pytest.raises(DefinitionError, match=r"not 0\.7"):
        design_holdout(100, buyers(0.1, 0.05), max_share=0.7)
    with pytest.raises(DefinitionError, match="effect to detect is 0"):
        sample_size(0)
