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


WINE = ItemFilter(category=("DOMESTIC WINE", "IMPORTED WINE", "MISC WINE"))
CAT, DOG = ItemFilter(category=("CAT FOOD",)), ItemFilter(category=("DOG FOODS",))


def against(
    one: ItemFilter, op: str, other: ItemFilter, measure: str, days: int | None = None, factor: float = 1.0
):
    left, right = (EventQuantity("purchase", goods, Window(days), measure) for goods in (one, other))
    return ComparisonCondition(left, op, right, factor)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("customers who spent more on wine than on beer", against(WINE, ">", BEER, "value")),
        ("who buys more cat food than dog food", against(CAT, ">", DOG, "quantity")),
        (
            "people who bought tea more often than coffee in the last half year",
            against(TEA, ">", COFFEE, "count", 180),
        ),
        (
            "who spends at least twice as much on wine as on beer this year",
            against(WINE, ">=", BEER, "value", 365, 2.0),
        ),
        (
            "Spend on cat food is lower than on dog food over the last six months",
            against(CAT, "<", DOG, "value", 180),
        ),
        (
            "whose wine spend beats their beer spend in the last 90 days",
            against(WINE, ">", BEER, "value", 90),
        ),
        ("in 2017 more $ went on wine than on beer", against(WINE, ">", BEER, "value", 365)),
        ("猫粮花的钱比狗粮多的（去年）", against(CAT, ">", DOG, "value", 365)),
        ("近三个月茶叶买的次数少于咖啡的客户", against(TEA, "<", COFFEE, "count", 90)),
        ("花在猫粮上比花在狗粮上多的", against(CAT, ">", DOG, "value")),
        ("茶叶花费是咖啡的2倍以上，近半年", against(TEA, ">=", COFFEE, "value", 180, 2.0)),
        ("茶＞咖啡 金额 近90天", against(TEA, ">", COFFEE, "value", 90)),
    ],
)
def test_goods_are_compared_with_goods(text, expected, linker):
    assert linker.link(text).reading == expected


@pytest.mark.parametrize(
    "text",
    [
        "who spends less on tea than on coffee and came at least 5 times in the last 90 days",
        "茶叶花的钱比咖啡少，而且近90天来过5次以上",
    ],
)
def test_the_time_of_another_condition_is_not_the_comparisons(text, linker):
    reading = linker.link(text).reading
    assert isinstance(reading, AllOf)
    assert against(TEA, "<", COFFEE, "value") in reading.children


@pytest.mark.parametrize(
    "text",
    [
        "who spent more than $50 on wine",
        "啤酒花费超过100元的客户",
        "spent more on beer than in the quarter before",
    ],
)
def test_an_amount_or_another_time_is_no_other_goods(text, linker):
    found = conditions(linker.link(text).reading)
    assert not any(isinstance(c, ComparisonCondition) and _of_two_goods(c) for c in found)


def _of_two_goods(condition: ComparisonCondition) -> bool:
    left, right = condition.left, condition.right
    return isinstance(left, EventQuantity) and isinstance(right, EventQuantity) and left.items != right.items


@pytest.mark.parametrize(
    "text",
    [
        "the last time they shopped with us was in September",
        "whose last order was in September",
        "最后一单停在9月的",
        "最后一次购买在9月的客户",
    ],
)
def test_the_last_purchase_lies_in_a_month(text, linker):
    assert linker.link(text).reading == TouchCondition("last", "purchase", window=Window(122, 92))


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("在啤酒上花费超过一百元且买过茶叶的客户", None),
        ("近90天茶叶花费高于五十元并买过咖啡的", None),
        ("猫粮花的钱比狗粮多三百元以上", None),
        ("wine buyers who spend more than average on beer", None),
        ("啤酒或茶叶花的钱比咖啡多的客户", ItemFilter(category=("BEERS/ALES", "TEAS"))),
        ("customers who bought tea and whose wine spend exceeds their beer spend", WINE),
    ],
)
def test_only_the_goods_of_the_comparison_are_compared(text, compared, linker):
    found = [c for c in conditions(linker.link(text).reading) if isinstance(c, ComparisonCondition)]
    assert [c.left.items for c in found if isinstance(c.left, EventQuantity)] == (
        [compared] if compared else []
    )


@pytest.mark.parametrize(
    "text",
    [
        "最后一次购买不在9月的客户",
        "最近一次双十一买过啤酒",
        "最后一次在9月买啤酒",
        "最近一次11月的活动收到的",
    ],
)
def test_another_last_time_is_no_last_purchase_in_a_month(text, linker):
    found = conditions(linker.link(text).reading)
    assert not any(isinstance(condition, TouchCondition) for condition in found)


@pytest.mark.parametrize(
    "text",
    [
        "any of beer, coffee, tea",
        "who bought at least one of beer, coffee or tea",
        "啤酒、咖啡、茶，三样里头沾一样就行",
        "啤酒、咖啡、茶三样里至少买过一样",
    ],
)
def test_any_of_a_list_is_one_condition(text, linker):
    (bought,) = conditions(linker.link(text).reading)
    assert set(bought.items.category) == {"BEERS/ALES", "COFFEE", "TEAS"}
