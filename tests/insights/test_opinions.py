"""What many reviews say together: by aspect and item, once a review, nothing of too few."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from insights.lexicon import ASPECTS, ASPECTS_ZH
from insights.opinions import NEITHER, WHOLE, opinions, summarize
from insights.sentiment import WordList
from segments.errors import UserError


def told_of(rows: list[tuple[str, str, float | None, str]]) -> pd.DataFrame:
    """What the word list makes of (customer, item, rating, text)."""
    reviews = pd.DataFrame(rows, columns=["customer_id", "item_id", "rating", "text"])
    reviews["review"] = [f"r{n}" for n in range(len(reviews))]
    told = opinions(reviews, WordList())
    return told.merge(reviews[["review", "customer_id", "item_id"]], on="review")


ENGLISH = "The price is great but delivery was terrible"
CHINESE = "味道很好，但是送货太慢"


def test_aspects_are_told_apart_clause_by_clause() -> None:
    told = told_of([(f"c{n}", "i", 5.0, ENGLISH if n % 2 else CHINESE) for n in range(24)])
    found = summarize(told, 10)
    aspects = {a.aspect: a for a in found.aspects}
    assert (aspects["price"].praise, aspects["delivery"].praise, aspects["taste"].praise) == (1.0, 0.0, 1.0)
    assert (aspects["delivery"].mentions, aspects["taste"].mentions) == (24, 12)
    assert 0 < aspects["delivery"].high < 0.2
    assert [a.mentions for a in found.aspects] == sorted((a.mentions for a in found.aspects), reverse=True)
    names = [figure.name for figure in found.figures()]
    assert len(names) == len(set(names))
    assert all(np.isfinite(row["low"]) for row in found.rows())


def test_stars_count_for_the_whole_and_words_where_there_are_none() -> None:
    told = told_of([("a", "i", 1, "I love it"), ("b", "i", None, "I love it"), ("c", "i", 3, "I love it")])
    whole = told[told["aspect"] == WHOLE].set_index("customer_id")["praise"]
    assert whole["a"] == 0
    assert whole["b"] > NEITHER
    assert whole["c"] == NEITHER


def test_what_one_review_says_of_an_aspect_counts_once() -> None:
    text = "Shipping was slow. The package arrived late, broken. Delivery on Monday."
    told = told_of([("a", "i", None, text), ("b", "i", None, "Delivered on Monday"), ("c", "i", 2, "")])
    delivery = told[told["aspect"] == "delivery"].set_index("customer_id")["praise"]
    assert delivery["a"] < NEITHER
    assert delivery["b"] == NEITHER
    assert len(delivery) == 2


def test_groups_of_too_few_customers_are_held_back() -> None:
    many = [(f"c{n}", "i", 5.0, "good price") for n in range(20)]
    one = [("talker", "i", 1.0, f"slow delivery {n}") for n in range(30)]
    found = summarize(told_of([*many, *one]), 10)
    assert [a.aspect for a in found.aspects] == ["price"]
    assert found.held_back == 1, "thirty reviews of one customer are one customer's"
    with pytest.raises(UserError, match="too few customers have said"):
        summarize(told_of(one), 10)
    with pytest.raises(UserError, match="it takes 25 of them"):
        summarize(told_of(many), 25)
    with pytest.raises(UserError, match="too few"):
        summarize(told_of([(f"c{n}", "i", None, "bought on Monday") for n in range(20)]), 10)


def test_an_item_that_falls_behind_is_named_and_others_are_not() -> None:
    rows = [(f"c{n}", "good", 5.0 if n % 10 else 1.0, "") for n in range(200)]
    rows += [(f"c{n}", "bad", 1.0 if n % 3 else 5.0, "") for n in range(30)]
    rows += [(f"c{n}", "few", 1.0, "") for n in range(5)]
    found = summarize(told_of(rows), 10)
    assert [item.item_id for item in found.items] == ["bad"]
    assert found.items[0].reviews == 30
    assert found.items[0].high < found.low


def test_no_reviews_say_nothing() -> None:
    empty = pd.DataFrame({"review": [], "rating": [], "text": []})
    assert len(opinions(empty, WordList())) == 0


def test_every_aspect_has_both_languages() -> None:
    assert set(ASPECTS) == set(ASPECTS_ZH)
    assert all(words["en"] and words["zh"] for words in ASPECTS.values())
