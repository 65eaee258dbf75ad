"""Customers are searched for by what words mean; goods bought are still goods bought."""

from datetime import date

import pandas as pd
import pytest

from assistant.linking.caring import DEFAULT_TOP, caring
from assistant.linking.here import Here
from assistant.linking.linker import Linker
from assistant.outright import Known, outright
from assistant.replies import CLARIFY
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
    assert list(caring(question, False, lambda _words: None)) == []


@pytest.mark.parametrize(
    ("question", "top", "text"),
    [
        ("对有机婴儿用品最感兴趣的200位客户", 200, "organic baby care"),
        ("对有机婴儿用品感兴趣的客户", DEFAULT_TOP, "organic baby care"),
        ("谁对啤酒最上心？", DEFAULT_TOP, "beer"),
        ("最关注健康食品的50位顾客", 50, "nutrition"),
    ],
)
def test_chinese_words_are_searched_for_by_what_their_goods_are_called_in_english(
    linker, question, top, text
):
    link = linker.link(question)
    assert link.reading == SimilarityCondition(top, text=text)
    assert (link.missing, link.unknown, link.unsearchable) == ((), (), ())


@pytest.mark.parametrize("question", ["热衷健身蛋白粉的客户", "谁对天文摄影最上心？"])
def test_chinese_words_that_are_no_goods_are_told_and_not_searched_for(linker, question):
    link = linker.link(question)
    assert link.reading is None
    assert link.unsearchable
    plan = outright(question, link, Known(None, (), (), False, False, None, ()))
    assert plan is not None
    assert (plan.tool, plan.reason) == ("clarify", "unsearchable")
    assert "不懂中文" in CLARIFY["unsearchable"][1]


@pytest.mark.parametrize("question", ["买过啤酒的客户", "喜欢啤酒的客户", "对优惠券感兴趣的客户"])
def test_who_bought_goods_or_likes_coupons_is_not_searched_for(linker, question):
    link = linker.link(question)
    assert link.unsearchable == ()
    assert not any(isinstance(part, SimilarityCondition) for part in conditions(link.reading))
