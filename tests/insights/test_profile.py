"""Profiles of generated customers whose differences are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from insights.profile import profile
from segments.catalogue import standard_catalogue
from segments.errors import DataError, DefinitionError
from segments.features import Catalogue

NAMES = ("recency_days", "spend_90d", "spend_180d", "spend_365d", "orders_365d", "age", "has_children")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    standard = standard_catalogue()
    return Catalogue(standard[name] for name in NAMES)


@pytest.fixture(scope="module")
def features() -> pd.DataFrame:
    """1,000 customers; the first 100 spend twice as much and are mostly 65+; a half has no known age."""
    random = np.random.default_rng(7)
    spend = random.gamma(4, 250, 1000)
    spend[:100] *= 2
    age = random.choice(["19-24", "25-34", "65+"], 1000).astype(object)
    age[:80] = "65+"
    age[np.arange(1000) % 2 == 1] = np.nan
    children = random.choice([True, False], 1000).astype(object)
    children[900:] = None
    return pd.DataFrame(
        {
            "recency_days": random.integers(1, 60, 1000).astype(float),
            "spend_90d": spend / 4 * random.uniform(0.9, 1.1, 1000),
            "spend_180d": spend / 2 * random.uniform(0.9, 1.1, 1000),
            "spend_365d": spend,
            "orders_365d": random.poisson(50, 1000).astype(float),
            "age": age,
            "has_children": children,
        },
        index=pd.Index([f"c{i:04d}" for i in range(1000)], name="customer_id"),
    )


def test_size_and_shares_by_hand(features: pd.DataFrame, catalogue: Catalogue) -> None:
    found = profile(list(features.index[:100]), features, catalogue)
    assert (found.size, found.population, found.share) == (100, 1000, 0.1)
    total = features["spend_365d"].sum()
    assert found.spend_share == pytest.approx(features["spend_365d"].iloc[:100].sum() / total)
    average = next(a for a in found.averages if a.feature == "spend_365d")
    assert average.low < average.members < average.high
    assert average.members == pytest.approx(features["spend_365d"].iloc[:100].mean())
    assert average.everyone == pytest.approx(total / 1000)


def test_traits_name_what_was_planted_and_nothing_else(features: pd.DataFrame, catalogue: Catalogue) -> None:
    found = profile(list(features.index[:100]), features, catalogue)
    assert {trait.feature for trait in found.traits} >= {"age"}
    spends = [trait for trait in found.traits if trait.feature.startswith("spend_")]
    assert len(spends) == 1, "one feature tells of the spend, not three windows"
    assert {t.feature for t in found.traits} <= {"age", "spend_90d", "spend_180d", "spend_365d"}
    assert [abs(t.strength) for t in found.traits] == sorted(
        (abs(t.strength) for t in found.traits), reverse=True
    )


def test_shares_are_of_those_with_a_known_value(features: pd.DataFrame, catalogue: Catalogue) -> None:
    found = profile(list(features.index[:100]), features, catalogue)
    trait = next(t for t in found.traits if t.feature == "age")
    known = features["age"].notna()
    ours, seniors = known[:100].sum(), (features["age"] == "65+")
    assert (trait.value, trait.known) == ("65+", ours)
    assert trait.members == pytest.approx(seniors[:100].sum() / ours)
    assert trait.others == pytest.approx(seniors[100:].sum() / known[100:].sum())
    assert trait.index == pytest.approx(trait.members / (seniors.sum() / known.sum()))


def test_random_segments_seldom_have_traits(features: pd.DataFrame, catalogue: Catalogue) -> None:
    others = features.iloc[100:]
    found = [profile(list(others.sample(200, random_state=i).index), others, catalogue) for i in range(100)]
    # The familywise level is 5 %: 11 or more of 100 would happen once in a hundred runs.
    assert sum(bool(one.traits) for one in found) <= 10


def test_a_feature_that_defines_the_segment_can_be_left_out(
    features: pd.DataFrame, catalogue: Catalogue
) -> None:
    found = profile(list(features.index[:100]), features, catalogue, exclude=("age",))
    assert "age" not in {trait.feature for trait in found.traits}


def test_figures_are_unique_and_bilingual(features: pd.DataFrame, catalogue: Catalogue) -> None:
    figures = profile(list(features.index[:100]), features, catalogue).figures()
    names = [figure.name for figure in figures]
    assert len(names) == len(set(names))
    assert all(figure.label_en and figure.label_zh for figure in figures)


def test_everyone_has_no_traits(features: pd.DataFrame, catalogue: Catalogue) -> None:
    found = profile(list(features.index), features, catalogue)
    assert found.share == found.spend_share == 1.0
    assert found.traits == ()


def test_bad_segments_are_told_plainly(features: pd.DataFrame, catalogue: Catalogue) -> None:
    with pytest.raises(DefinitionError, match="too small to describe"):
        profile(list(features.index[:9]), features, catalogue)
    with pytest.raises(DefinitionError, match="1 of the 21 members are not among"):
        profile([*features.index[:20], "nobody"], features, catalogue)
    with pytest.raises(DataError, match="lacks 'age'"):
        profile(list(features.index[:20]), features.drop(columns="age"), catalogue)
