"""Behaviour of more than one event is read whole, in English and Chinese."""

import pytest

from assistant.linking.linker import Linker
from assistant.rooms import Rooms
from segments.definition import (
    AllOf,
    ComparisonCondition,
    EventQuantity,
    FeatureCondition,
    ItemFilter,
    RepeatCondition,
    SequenceCondition,
    Step,
    TouchCondition,
    Window,
    conditions,
)
from tests.assistant.conftest import Talk

BEER, CHIPS = ItemFilter(category=("BEERS/ALES",)), ItemFilter(category=("BAG SNACKS",))
COFFEE, TEA = ItemFilter(category=("COFFEE",)), ItemFilter(category=("TEAS",))


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return Talk(opened, "patterns").assistant.linker


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "customers who bought beer then chips within 30 days",
            SequenceCondition((Step("purchase", BEER), Step("purchase", CHIPS, 30))),
        ),
        (
            "people who bought chips within 7 days of buying beer",
            SequenceCondition((Step("purchase", BEER), Step("purchase", CHIPS, 7))),
        ),
        (
            "received a campaign but did not redeem a coupon within 14 days",
            SequenceCondition((Step("exposure"),), Step("coupon_redeem", within_days=14)),
        ),
        (
            "redeemed a coupon within a week after a campaign",
            SequenceCondition((Step("exposure"), Step("coupon_redeem", within_days=7))),
        ),
        (
            "customers who bought coffee followed by tea",
            SequenceCondition((Step("purchase", COFFEE), Step("purchase", TEA))),
        ),
        (
            "先买了咖啡，后来又买了茶的客户",
            SequenceCondition((Step("purchase", COFFEE), Step("purchase", TEA))),
        ),
        ("customers whose first purchase was coffee", TouchCondition("first", "purchase", COFFEE)),
        ("首单就是咖啡的人", TouchCondition("first", "purchase", COFFEE)),
        ("at least 3 orders within any 7 days", RepeatCondition("purchase", 3, 7)),
        ("任意7天内来过3次的客户", RepeatCondition("purchase", 3, 7)),
        *(
            (
                text,
                ComparisonCondition(
                    EventQuantity("purchase", window=Window(31, 0), measure="value"),
                    "<",
                    EventQuantity("purchase", window=Window(61, 31), measure="value"),
                ),
            )
            for text in ("spent less in December than in November", "12月消费比11月少的客户")
        ),
        ("spent less than the quarter before", FeatureCondition("spend_trend_90d", "<", 1)),
    ],
)
def test_a_pattern_is_one_condition(linker, text, expected):
    assert linker.link(text).reading == expected


def test_a_sequence_in_chinese_names_its_days(linker):
    (sequence,) = conditions(linker.link("买了啤酒后30天内又买薯片的").reading)
    assert isinstance(sequence, SequenceCondition)
    assert [step.within_days for step in sequence.steps] == [None, 30]
    assert sequence.steps[0].items == BEER


def test_a_pattern_stands_beside_other_conditions(linker):
    reading = linker.link("parents whose first purchase was coffee").reading
    assert isinstance(reading, AllOf)
    assert FeatureCondition("has_children", "=", True) in reading.children


@pytest.mark.parametrize(
    "text",
    [
        "bought soup and crackers in the last 30 days",
        "bought beer last month but not in the last 14 days",
        "bought beer in the last 90 days but did not buy chips in the last 30 days",
        "bought soup and crackers within 30 days",
    ],
)
def test_no_order_is_read_where_none_was_said(linker, text):
    assert not any(isinstance(node, SequenceCondition) for node in conditions(linker.link(text).reading))
