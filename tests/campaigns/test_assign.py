"""Assignment: balanced, pinned, stable when customers are added; the checks notice what they should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from campaigns.assign import aa_check, assign, bands_of, sample_ratio
from segments.errors import DefinitionError


def strata(count: int) -> pd.Series:
    names = [f"c{i}" for i in range(count)]
    return pd.Series(["high", "low", "low"] * (count // 3) + ["high"] * (count % 3), index=names)


def test_assignment_is_balanced_in_every_stratum() -> None:
    tiers = strata(1000)
    arms = assign(tiers, 0.137, "spring")
    assert (arms == "holdout").sum() == 137
    for tier, size in tiers.value_counts().items():
        assert abs((arms[tiers == tier] == "holdout").sum() - size * 0.137) < 1


def test_assignment_depends_on_seed_and_id_alone() -> None:
    tiers = strata(300)
    arms = assign(tiers, 0.2, "spring")
    shuffled = tiers.sample(frac=1, random_state=5)
    pd.testing.assert_series_equal(assign(shuffled, 0.2, "spring").sort_index(), arms.sort_index())
    assert (assign(tiers, 0.2, "autumn") != arms).any()
    # Pinned: an arm once told to a mailing house must not change with a release.
    assert sorted(assign(strata(30), 0.2, "spring").loc[lambda a: a == "holdout"].index) == PINNED


PINNED = ["c12", "c19", "c2", "c3", "c4", "c7"]


def test_a_share_outside_its_range_is_told() -> None:
    with pytest.raises(DefinitionError, match="holdout share"):
        assign({"a": "x"}, 1.0, "seed")


def test_newcomers_leave_the_others_where_they_are() -> None:
    first, everyone = strata(400), strata(1000)
    old = assign(first, 0.25, "spring")
    arms = assign(everyone, 0.25, "spring", old.to_dict())
    pd.testing.assert_series_equal(arms[first.index], old)
    for tier in ("high", "low"):
        assert (arms[everyone == tier] == "holdout").mean() == pytest.approx(0.25, abs=0.005)


def test_another_campaign_is_independent() -> None:
    tiers = strata(20_000)
    one, two = (assign(tiers, 0.5, salt) == "holdout" for salt in ("spring", "autumn"))
    assert (one & two).mean() == pytest.approx(0.25, abs=0.015)


def test_bands_are_of_equal_size_and_follow_the_values() -> None:
    names = [f"c{i}" for i in range(90)]
    random = np.random.default_rng(1)
    value = pd.Series(random.permutation(90), index=names, dtype=float)
    recency = pd.Series(np.arange(90.0), index=names)
    recency.iloc[0] = np.nan
    bands = bands_of(value, recency)
    parts = bands.str.extract(r"value (\d), recency (\d)").astype(int)
    assert parts[0].value_counts().tolist() == parts[1].value_counts().tolist() == [30, 30, 30]
    assert value[parts[0] == 1].max() < value[parts[0] == 2].min()
    assert parts[1].iloc[0] == 3, "nobody knows when they last came: the longest"


def test_a_mismatch_of_the_arms_is_noticed() -> None:
    assert not sample_ratio(8000, 2000, 0.2).mismatch
    lost = sample_ratio(8000, 1800, 0.2)
    # By hand: expected 7840 and 1960, chi-square 3.265 + 13.061.
    assert lost.p_value == pytest.approx(5.33e-5, rel=0.01)
    assert lost.mismatch


def test_arms_treated_alike_raise_few_alarms() -> None:
    tiers = strata(600)
    spend = pd.Series(np.random.default_rng(4).gamma(0.5, 80, 600), index=tiers.index)
    check = aa_check(spend, tiers, 0.3, "spring", runs=300)
    assert check.passed
    assert 0.01 < check.rate < 0.1
    with pytest.raises(DefinitionError, match="fewer than 2"):
        aa_check(spend, tiers, 0.001, "spring")
