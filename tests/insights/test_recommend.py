"""Recommendations on a basket of known tastes, and against popularity on real days not seen."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from insights.item_model import build_model
from insights.rankers import METHODS
from insights.ranking_test import evaluate
from insights.recommend import recommend
from segments.errors import DataError, DefinitionError

if TYPE_CHECKING:
    from tests.insights.conftest import Slice

AS_OF = date(2024, 3, 1)
NOT_GOODS = ("COUPON/MISC ITEMS", "FUEL", "COUPONS/STORE & MFG", "COUPON", "BOTTLE DEPOSITS")

ITEMS = pd.DataFrame(
    {
        "item_id": ["beer1", "chips1", "tea1", "cake1", "fuel1"],
        "department": ["D", "D", "D", "D", "FUEL"],
        "category": ["beer", "chips", "tea", "cake", "gas"],
        "brand": "National",
        "name": ["Beer", "Chips", "Tea", "Cake", "Gas"],
    }
)


def tastes() -> pd.DataFrame:
    """20 customers buy beer and chips, 20 tea and cake; 12 beer only, lately; everyone buys gas."""
    rows = []
    for i in range(52):
        own = ("beer1", "chips1") if i < 20 else ("tea1", "cake1") if i < 40 else ("beer1",)
        for item in (*own, "fuel1"):
            for ts in ("2024-01-05 10:00", "2024-02-20 10:00"):
                rows.append((f"c{i:02d}", pd.Timestamp(ts), item, f"{i}{ts}", 1.0, 5.0, 0.0, "s1"))
    columns = ["customer_id", "ts", "item_id", "order_id", "quantity", "value", "discount", "channel"]
    return pd.DataFrame(rows, columns=columns)


def beer_only() -> list[str]:
    return [f"c{i:02d}" for i in range(40, 52)]


def test_beer_drinkers_are_offered_chips() -> None:
    found = recommend(beer_only(), tastes(), ITEMS, AS_OF, top=2, exclude=("FUEL",))
    best = found.items[0]
    assert (best.key, best.department) == ("chips", "D")
    assert (best.buying, best.open_share) == (0.0, 1.0)
    assert best.low == 0.0
    assert 0 < best.high < 0.3
    assert best.buying_everyone == pytest.approx(20 / 52)
    assert best.lift > 1
    assert all(row["level"] == "category" for row in found.rows())


def test_what_was_bought_recently_is_not_offered_and_older_things_are() -> None:
    purchases = tastes()
    old = purchases[~((purchases["item_id"] == "beer1") & (purchases["ts"] > "2024-02-01"))]
    found = recommend(beer_only(), old, ITEMS, AS_OF, top=1, exclude=("FUEL",))
    assert found.items[0].key == "beer"
    assert found.items[0].buying == 1.0
    assert recommend(beer_only(), purchases, ITEMS, AS_OF, top=1, exclude=("FUEL",)).items[0].key != "beer"


def test_things_that_are_not_goods_appear_only_when_not_excluded() -> None:
    kept = build_model(tastes(), ITEMS, AS_OF)
    assert "gas" in kept.keys
    assert "gas" not in build_model(tastes(), ITEMS, AS_OF, exclude=("FUEL",)).keys


def test_nothing_after_the_date_counts() -> None:
    later = tastes().assign(ts=pd.Timestamp("2024-03-02"), item_id="cake1")
    both = pd.concat([tastes(), later])
    one = recommend(beer_only(), tastes(), ITEMS, AS_OF, exclude=("FUEL",))
    assert recommend(beer_only(), both, ITEMS, AS_OF, exclude=("FUEL",)) == one


def test_too_few_buyers_and_no_purchases_are_told() -> None:
    with pytest.raises(DefinitionError, match="9 of the 9 members"):
        recommend(beer_only()[:9], tastes(), ITEMS, AS_OF)
    with pytest.raises(DefinitionError, match="0 of the 12 members"):
        recommend([f"x{i}" for i in range(12)], tastes(), ITEMS, AS_OF)
    with pytest.raises(DataError, match="No purchases"):
        recommend(beer_only(), tastes(), ITEMS, date(2020, 1, 1))


def test_ahead_of_popularity_and_neighbours_on_days_not_seen(journey: Slice) -> None:
    often = journey.purchases["item_id"].value_counts().index[:1000]
    purchases = journey.purchases[journey.purchases["item_id"].isin(often)]
    customers = sorted(purchases["customer_id"].unique())
    test = evaluate(customers, purchases, journey.items, journey.as_of, exclude=NOT_GOODS)
    assert test.customers > 300
    assert test.cut == date(2017, 12, 2)
    assert {score.method for score in test.scores} == set(METHODS)
    assert test.best.method in ("linear", "trending")
    assert test.best.recall_ratio_interval[0] > 1, "the whole interval of the ratio lies above 1"
    assert test.best.ndcg_ratio_interval[0] > 1
    assert test.best.recall > test.score("item_knn").recall
    popular = test.score("popular")
    assert popular.recall_ratio == popular.ndcg_ratio == 1.0
    assert test.best.recall_ratio == pytest.approx(test.best.recall / popular.recall)
    names = [figure.name for figure in test.figures()]
    assert len(names) == len(set(names))


def test_one_model_serves_many_segments(journey: Slice) -> None:
    model = build_model(journey.purchases, journey.items, journey.as_of, exclude=NOT_GOODS)
    customers = sorted(journey.purchases["customer_id"].unique())
    pet_owners = journey.purchases.merge(
        journey.items[journey.items["category"] == "DOG FOODS"], on="item_id"
    )
    for members in (customers[:50], sorted(pet_owners["customer_id"].unique())):
        found = recommend(members, journey.purchases, journey.items, journey.as_of, 300, model=model)
        assert found.active == len(members)
        lifts = {item.key: item.lift for item in found.items}
    assert lifts["DOG FOODS"] > 1.5
    names = [figure.name for figure in found.figures()]
    assert len(names) == len(set(names))
