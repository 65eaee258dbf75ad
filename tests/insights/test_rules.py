"""Bought-together rules on baskets counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy.stats import binomtest

from insights.rules import bought_together
from segments.errors import DefinitionError

ITEMS = pd.DataFrame(
    {
        "item_id": ["p1", "s1", "m1", "x1"],
        "department": ["D", "D", "D", "COUPON"],
        "category": ["pasta", "sauce", "milk", "coupon"],
        "name": ["Pasta", "Sauce", "Milk", "Coupon"],
    }
)


def baskets() -> pd.DataFrame:
    """200 baskets of 50 customers: 30 pasta and sauce, 10 pasta, 30 sauce, milk in every second; coupons."""
    rows = []
    for number in range(200):
        held = ["x1"]
        held += ["p1"] if number < 40 else []
        held += ["s1"] if number < 30 or number >= 170 else []
        held += ["m1"] if number % 2 else []
        rows += [(f"c{number % 50}", f"o{number}", item) for item in held]
    return pd.DataFrame(rows, columns=["customer_id", "order_id", "item_id"])


EVERYONE = [f"c{i}" for i in range(50)]


def test_measures_by_hand() -> None:
    found = bought_together(EVERYONE, baskets(), ITEMS, exclude=("COUPON",))
    assert (found.baskets, found.customers) == (200 - 65, 50), "a basket of coupons only is none"
    rule = found.rules[0]
    assert (rule.item, rule.other, rule.baskets, rule.customers) == ("pasta", "sauce", 30, 30)
    assert rule.support == pytest.approx(30 / 135)
    assert rule.confidence == pytest.approx(30 / 40)
    assert rule.lift == pytest.approx((30 / 40) / (60 / 135))
    interval = binomtest(30, 40).proportion_ci(0.95, method="wilson")
    assert (rule.low, rule.high) == pytest.approx((interval.low, interval.high))
    assert len(found.rules) == 1, "milk goes with nothing in particular"


def test_a_focus_stands_first_and_names_may_be_asked_for() -> None:
    found = bought_together(EVERYONE, baskets(), ITEMS, "product", focus=("Sauce",), exclude=("COUPON",))
    assert [(rule.item, rule.other) for rule in found.rules] == [("Sauce", "Pasta")]
    assert found.rules[0].confidence == pytest.approx(30 / 60)


def test_pairs_of_few_customers_are_not_told() -> None:
    few = baskets().assign(
        customer_id=lambda rows: "c" + (rows["order_id"].str[1:].astype(int) % 9).astype(str)
    )
    with pytest.raises(DefinitionError, match="No two things share"):
        bought_together(EVERYONE, few, ITEMS, exclude=("COUPON",))


def test_only_the_members_baskets_count() -> None:
    with pytest.raises(DefinitionError, match="bought nothing"):
        bought_together(["nobody"], baskets(), ITEMS)
    with pytest.raises(DefinitionError, match="none of the segment's baskets holds"):
        bought_together(EVERYONE, baskets(), ITEMS, focus=("tea",))


def test_figures_are_unique_and_bilingual() -> None:
    figures = bought_together(EVERYONE, baskets(), ITEMS, exclude=("COUPON",)).figures()
    assert len({figure.name for figure in figures}) == len(figures)
    assert all(figure.label_en and figure.label_zh for figure in figures)
