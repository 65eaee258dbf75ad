"""Outcome names: read, and corrected when they are wrong."""

from __future__ import annotations

import pytest

from propensity.outcomes import CUSTOMER_OUTCOMES, POOLED, category_outcome, model_name, outcomes, parse
from segments.errors import NotFoundError

CATEGORIES = ("BEERS/ALES", "BABY FOODS", "FLUID MILK PRODUCTS", "SOFT DRINKS")


@pytest.mark.parametrize("outcome", outcomes(CATEGORIES), ids=lambda outcome: outcome.name)
def test_every_outcome_is_found_by_its_name(outcome) -> None:
    assert parse(outcome.name, CATEGORIES) == outcome
    assert parse(f" {outcome.name} ", CATEGORIES) == outcome
    assert outcome.label_en
    assert outcome.label_zh


def test_letter_case_of_a_category_does_not_matter() -> None:
    beers = parse("purchase_30d: beers/Ales", CATEGORIES)
    assert beers.name == "purchase_30d:BEERS/ALES"
    assert beers.items is not None
    assert beers.items.category == ("BEERS/ALES",)
    assert (beers.event, beers.horizon_days) == ("purchase", 30)


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [("BEER/ALE", "BEERS/ALES"), ("baby food", "BABY FOODS"), ("softdrinks", "SOFT DRINKS")],
)
def test_a_misspelt_category_is_answered_with_the_nearest(wanted: str, meant: str) -> None:
    with pytest.raises(NotFoundError, match=rf"'{wanted}'.*Did you mean {meant}\b.*\?$"):
        parse(f"purchase_30d:{wanted}", CATEGORIES)


def test_a_category_like_none_gets_no_suggestion() -> None:
    with pytest.raises(NotFoundError) as raised:
        parse("purchase_30d:zzzz", CATEGORIES)
    assert "Did you mean" not in str(raised.value)


@pytest.mark.parametrize("name", ["churn", "purchase_60d", "coupon_redeem_30d:BABY FOODS", ""])
def test_an_unknown_outcome_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(NotFoundError) as raised:
        parse(name, CATEGORIES)
    for outcome in CUSTOMER_OUTCOMES:
        assert outcome.name in str(raised.value)
    assert "purchase_30d:<CATEGORY>" in str(raised.value)


def test_all_categories_share_one_model() -> None:
    assert {model_name(category_outcome(category).name) for category in CATEGORIES} == {POOLED}
    assert [model_name(outcome.name) for outcome in CUSTOMER_OUTCOMES] == [o.name for o in CUSTOMER_OUTCOMES]
