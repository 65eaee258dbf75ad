"""Words that ask outright for a kind of condition: a reading without that kind is doubted."""

import pytest

from assistant.linking.asked_kinds import unheld
from assistant.second_reading import doubtful
from segments.codec import from_json
from segments.definition import Node
from tests.assistant.conftest import Talk

BOUGHT = {"event": "purchase", "items": {"category": ["SOUP"]}}
SPENT = {"event": "purchase", "measure": "value", "op": ">", "value": 100}
COMPARED = {
    "compare": {"event": "purchase", "from_days_ago": 90},
    "op": "<",
    "than": {"event": "purchase", "from_days_ago": 180, "to_days_ago": 90},
}


def lost(text: str, definition: dict) -> list[str]:
    chinese = not text.isascii()
    nodes: list[Node] = [from_json(definition)]
    return [text[slice(*span)] for span in unheld(text, chinese, nodes)]


@pytest.mark.parametrize(
    ("text", "holds", "lacks", "word"),
    [
        ("came less often than they did around Easter", COMPARED, BOUGHT, "than"),
        ("the top 5 percent by spend", {"rank_by": "spend_365d", "share": 0.05}, SPENT, "top 5"),
        ("who never bought soup", {"not": BOUGHT}, BOUGHT, "never bought"),
        (
            "soup buyers who came back 7 days later",
            {"sequence": [BOUGHT, {"event": "purchase", "within_days": 7}]},
            BOUGHT,
            "days later",
        ),
        (
            "whose first order had soup",
            {"first": "purchase", "items": BOUGHT["items"]},
            BOUGHT,
            "first order",
        ),
        ("whose last order had soup", {"last": "purchase", "items": BOUGHT["items"]}, BOUGHT, "last order"),
        ("used a coupon for soup", {"all_of": [BOUGHT, {"event": "coupon_redeem"}]}, BOUGHT, "used a coupon"),
        ("mailed soup buyers", {"all_of": [BOUGHT, {"event": "exposure"}]}, BOUGHT, "mailed"),
        (
            "soup buyers likely to buy",
            {"all_of": [BOUGHT, {"propensity": "purchase_30d", "top_share": 0.2}]},
            BOUGHT,
            "likely",
        ),
        ("soup on weekends", BOUGHT | {"weekdays": ["sat", "sun"]}, BOUGHT, "weekends"),
        ("soup buyers, november", BOUGHT | {"from_days_ago": 61, "to_days_ago": 31}, BOUGHT, "november"),
        ("近90天比以前来得少", COMPARED, BOUGHT, "比以前来得少"),
        ("消费前5%的人", {"rank_by": "spend_365d", "share": 0.05}, SPENT, "前5%"),
        ("从没买过汤", {"not": BOUGHT}, BOUGHT, "从没"),
        (
            "周末来买汤的",
            {"all_of": [BOUGHT, {"feature": "weekend_share_365d", "op": ">", "value": 0.5}]},
            BOUGHT,
            "周末",
        ),
        ("核过券的", {"event": "coupon_redeem"}, BOUGHT, "核过券"),
    ],
)
def test_a_kind_that_words_ask_for_is_missed_where_it_lacks(text, holds, lacks, word):
    assert lost(text, holds) == []
    assert lost(text, lacks) == [word]


@pytest.mark.parametrize(
    "text",
    [
        "spent more than $50 on soup",
        "soup rather than anything",
        "at the top of the list: soup",
        "soup buyers by Friday please",
        "soup since Black Friday",
        "汤占比高的",
        "两周四单买汤",
        "大概率买汤",
        "more than eighteen soups",
        "soup earlier than last year",
        "soup within the first two weeks of the month",
        "soup within 30 days of today",
        "an audience for our campaign: soup",
        "前3个月买汤的",
        "先看看买汤的",
        "汤比萨买得多的",
    ],
)
def test_words_that_only_look_like_it_ask_for_nothing(text):
    assert lost(text, BOUGHT) == []


def test_a_reading_without_what_was_asked_for_is_doubted_and_told(talk: Talk):
    linker = talk.assistant.linker
    link = linker.link("soup buyers of some November")
    assert doubtful(link)
    assert "November" in link.unused
    assert not doubtful(linker.link("customers who bought soup and beer"))


def test_an_edit_says_less_than_a_definition_and_is_not_measured_by_it(talk: Talk):
    linker, current = talk.assistant.linker, from_json(BOUGHT)
    link = linker.link("exclude those who never came on weekends", current)
    assert "weekends" not in link.unused
