"""Whom a campaign would move is a condition, in English and Chinese; what a campaign did is still a question."""

from datetime import date

import pandas as pd
import pytest

from assistant.linking.here import Here
from assistant.linking.linker import Linker
from assistant.linking.persuaded import persuaded
from segments.catalogue import standard_catalogue
from segments.codec import to_json
from segments.definition import EventCondition, ItemFilter, Not, UpliftCondition, conditions


@pytest.fixture(scope="module")
def linker() -> Linker:
    catalogue = standard_catalogue([])
    values = {"category": ("BEER", "LAMPS"), "department": (), "brand": ()}
    features = pd.DataFrame({feature.name: [1.0] for feature in catalogue})
    return Linker(catalogue, features, values, ["RED BEER"], date(2020, 1, 1), None, Here())


TENTH, LEAST = {"uplift": "18", "top_share": 0.1}, {"uplift": "18", "min_effect": 0.02}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who are the 10 % most persuadable by campaign 18?", TENTH),
        ("the most persuadable 10% of our customers for campaign #18", TENTH),
        ("the top ten percent of customers who are most easily swayed by mailing 18", TENTH),
        ("list the top 10% by expected uplift of campaign 18", TENTH),
        ("customers with an uplift of at least 2 % from campaign 18", LEAST),
        ("an estimated uplift from campaign 18 of at least 2%", LEAST),
        ("会被活动18打动的前10%客户", TENTH),
        ("最容易被活动18说服的10%客户有哪些", TENTH),
        ("18号活动增益最高的前10%客户", TENTH),
        ("活动18增益至少2%的客户", LEAST),
    ],
)
def test_it_is_a_condition_and_no_question_about_the_campaign(linker, question, expected):
    link = linker.link(question)
    assert to_json(link.reading) == expected
    assert "estimate_uplift" not in link.intents.tools
    assert link.missing == link.unknown == ()


@pytest.mark.parametrize(
    "question",
    [
        "the 10 % most persuadable by campaign 18 who bought beer",
        "买过BEER且会被活动18打动的前10%客户",
    ],
)
def test_it_stands_beside_others(linker, question):
    reading = linker.link(question).reading
    assert set(conditions(reading)) == {
        UpliftCondition("18", top_share=0.1),
        EventCondition("purchase", ItemFilter(category=("BEER",))),
    }


@pytest.mark.parametrize(
    "question",
    [
        "people who bought beer, excluding the 10 % most persuadable by campaign 18",
        "买过BEER的客户，排除会被活动18打动的前10%客户",
    ],
)
def test_it_can_be_what_is_left_out(linker, question):
    assert Not(UpliftCondition("18", top_share=0.1)) in linker.link(question).reading.children


@pytest.mark.parametrize(
    "question", ["What was the uplift of campaign 18 among women?", "活动18对他们的增益是多少？"]
)
def test_what_a_campaign_did_is_still_a_question(linker, question):
    assert "estimate_uplift" in linker.link(question).intents.tools


@pytest.mark.parametrize("share", ["0", "100", "250"])
def test_a_share_of_none_or_all_is_no_such_condition(share):
    assert not list(persuaded(f"the {share} % most persuadable by campaign 18", False))
    assert not list(persuaded(f"会被活动18打动的前{share}%客户", True))


def test_letters_before_a_campaign_s_number_are_part_of_its_name():
    (found,) = persuaded("the top 5% most persuadable by campaign C7", False)
    assert found.condition == UpliftCondition("C7", top_share=0.05)
