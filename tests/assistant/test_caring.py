"""Customers are searched for by what words mean; goods bought are still goods bought."""

from datetime import date

import pandas as pd
import pytest

from assistant.linking.caring import DEFAULT_TOP, caring
from assistant.linking.here import Here
from assistant.linking.linker import Linker
from segments.catalogue import standard_catalogue
from segments.definition import SimilarityCondition, conditions


@pytest.fixture(scope="module")
def linker() -> Linker:
    catalogue = standard_catalogue([])
    values = {"category": ("BEER", "BABY FOOD"), "department": (), "brand": ()}
    features = pd.DataFrame({feature.name: [1.0] for feature in catalogue})
    return Linker(catalogue, features, values, ["RED BEER"], date(2020, 1, 1), None, Here())


@pytest.mark.parametrize(
    ("question", "top", "text"),
    [
        ("customers into organic baby things", DEFAULT_TOP, "organic baby things"),
        ("the 200 customers most into organic baby things", 200, "organic baby things"),
        ("who cares most about healthy snacks?", DEFAULT_TOP, "healthy snacks"),
        ("Who is really into grilling?", DEFAULT_TOP, "grilling"),
        ("people who are passionate about baking, please", DEFAULT_TOP, "baking"),
    ],
)
def test_words_are_searched_for_by_their_meaning(linker, question, top, text):
    link = linker.link(question)
    assert link.reading == SimilarityCondition(top, text=text)
    assert link.missing == link.unknown == ()


def test_it_stands_beside_others(linker):
    reading = linker.link("the 50 people most into grilling who bought beer in the last 30 days").reading
    found = list(conditions(reading))
    assert SimilarityCondition(50, text="grilling") in found
    assert len(found) == 2


@pytest.mark.parametrize(
    "question",
    [
        "customers who put more than $60 into beer",
        "what customers put into the same basket",
        "split our customers into 5 groups",
        "turn them into a segment",
        "divide the customers into natural groups",
    ],
)
def test_other_uses_of_the_word_are_left_alone(question):
    assert list(caring(question)) == []
