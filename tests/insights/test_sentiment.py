"""Praise and complaint in both languages: the word list, the trained model on real reviews, and which of them scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from insights.sentiment import WordList, choose_scorer, macro_f1, tongue_of, train_sentiment
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


def rated(count: int) -> tuple[list[str], np.ndarray]:
    """Real takeaway reviews with five stars or one."""
    rows = pd.read_csv(TAKEAWAY).dropna().sample(count, random_state=2)
    return list(rows["review"]), np.where(rows["label"] == 1, 5.0, 1.0)


def test_the_scorer_is_the_trained_model_where_it_is_surely_better_on_reviews_not_seen() -> None:
    if not TAKEAWAY.exists():
        pytest.skip(f"the shared data set is not at {TAKEAWAY}")
    texts, ratings = rated(4000)
    found = choose_scorer(texts, ratings)
    assert found.name == "trained"
    assert found.f1 is not None
    assert found.low is not None
    assert found.words_f1 is not None
    assert found.words_f1 < found.low < found.f1
    assert found.held_out == round(0.2 * len(set(texts)))
    listed = choose_scorer(texts, ratings, "words")
    assert (listed.name, listed.f1) == ("words", pytest.approx(found.words_f1))


def test_what_the_word_list_does_as_well_it_does() -> None:
    """Praise and complaint in its own words: no model can be surely better."""
    texts = [f"{word} {n}" for n in range(300) for word in ("great", "terrible")]
    found = choose_scorer(texts, np.array([5.0, 1.0] * 300))
    assert (found.name, found.f1, found.words_f1) == ("words", 1.0, 1.0)


@pytest.mark.parametrize("ratings", [[5.0] * 400, [np.nan] * 400, [3.0] * 400, [5.0, 1.0] * 50])
def test_without_enough_stars_of_both_kinds_the_word_list_is_untested(ratings: list[float]) -> None:
    found = choose_scorer([f"text {n}" for n in range(len(ratings))], np.array(ratings))
    assert (found.name, found.held_out, found.f1) == ("words", 0, None)


def test_equal_texts_are_never_in_both_parts() -> None:
    """Labels by lot cannot be learned; with equal texts in both parts they could be remembered."""
    random = np.random.default_rng(4)
    lots = [
        (f"{random.integers(10**9)} {random.integers(10**9)}", random.choice([1.0, 5.0])) for _ in range(500)
    ]
    found = choose_scorer([text for text, _ in lots for _ in range(3)], np.repeat([r for _, r in lots], 3))
    assert found.name == "words"


def test_macro_f1_is_the_librarys() -> None:
    random = np.random.default_rng(1)
    truth, guess = random.integers(0, 2, 200), random.random(200) < 0.4
    assert macro_f1(truth, guess) == pytest.approx(f1_score(truth, guess, average="macro"))
