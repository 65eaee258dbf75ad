"""Praise and complaint in both languages: the word list, the trained model on real reviews, aspects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from insights.lexicon import ASPECTS, ASPECTS_ZH
from insights.sentiment import WordList, summarize_reviews, tongue_of, train_sentiment
from segments.errors import DataError
from tests.conftest import ROOT

TAKEAWAY = ROOT.parent / "shared" / "data" / "reviews_zh" / "waimai_10k.csv.gz"


@pytest.mark.parametrize(
    ("text", "praise"),
    [
        ("I love it, great sound", True),
        ("Terrible, it broke and I want a refund", False),
        ("not good at all", False),
        ("no problems, works great", True),
        ("味道很好，送货快", True),
        ("太难吃了，失望", False),
        ("不好", False),
        ("不满意", False),
    ],
)
def test_the_word_list_in_both_languages(text: str, praise: bool) -> None:
    chance = WordList().positive([text])[0]
    assert (chance > 0.5) == praise
    assert chance != 0.5


def test_nothing_said_is_neither() -> None:
    assert WordList().positive(["I ordered it on Monday"])[0] == 0.5
    assert (tongue_of("ok 好"), tongue_of("ok")) == ("zh", "en")


def test_the_trained_model_beats_the_word_list_on_real_reviews() -> None:
    if not TAKEAWAY.exists():
        pytest.skip(f"the shared data set is not at {TAKEAWAY}")
    rows = pd.read_csv(TAKEAWAY).dropna().drop_duplicates("review").sample(4000, random_state=2)
    train, test = rows[:3000], rows[3000:]
    model = train_sentiment(list(train["review"]), list(train["label"]))
    texts, truth = list(test["review"]), test["label"]
    ours, theirs = (f1_score(truth, m.positive(texts) >= 0.5, average="macro") for m in (model, WordList()))
    assert ours > 0.8
    assert ours > theirs + 0.05


def test_too_few_or_one_sided_reviews_teach_nothing() -> None:
    with pytest.raises(DataError, match="at least 200 rated reviews"):
        train_sentiment(["good"] * 10, [1] * 10)
    with pytest.raises(DataError, match="of both kinds"):
        train_sentiment(["good"] * 300, [1] * 300)


def test_aspects_are_told_apart_clause_by_clause() -> None:
    texts = ["The price is great but delivery was terrible"] * 12 + ["味道很好，但是送货太慢"] * 12
    summary = summarize_reviews([*texts, "", "   "], WordList())
    assert summary.reviews == 24
    found = {a.aspect: a for a in summary.aspects}
    assert (found["price"].praise, found["delivery"].praise, found["taste"].praise) == (1.0, 0.0, 1.0)
    assert (found["delivery"].mentions, found["taste"].mentions) == (24, 12)
    assert 0 < found["delivery"].high < 0.2
    assert [a.mentions for a in summary.aspects] == sorted(
        (a.mentions for a in summary.aspects), reverse=True
    )
    names = [figure.name for figure in summary.figures()]
    assert len(names) == len(set(names))
    assert all(np.isfinite(row["low"]) for row in summary.rows())


def test_every_aspect_has_both_languages() -> None:
    assert set(ASPECTS) == set(ASPECTS_ZH)
    assert all(words["en"] and words["zh"] for words in ASPECTS.values())


def test_no_text_is_told() -> None:
    with pytest.raises(DataError, match="no reviews with a text"):
        summarize_reviews(["", "  "], WordList())
