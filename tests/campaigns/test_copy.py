"""The checks of copy: a clean draft passes, every kind of mistake is told, each in its part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from campaigns.copy import BrandRules, Copy, facts, problems, schema, to_markdown
from campaigns.plan import Strategy
from campaigns.strategy import plan_strategy

if TYPE_CHECKING:
    from tests.campaigns.conftest import Slice

OFFERS = [{"key": "CHEESE", "name": "CHEESE", "level": "category"}]
GOOD = {
    "subject": "Cheese for your table",
    "body": "Take 10% off cheese with this coupon.",
    "sms": "10% off cheese.",
}
GOOD_ZH = {"subject": "奶酪优惠来了", "body": "凭券购买奶酪，立减10%。", "sms": "奶酪减10%，欢迎光临。"}


@pytest.fixture(scope="module")
def planned(journey: Slice) -> Strategy:
    members = list(journey.features.nlargest(60, "spend_365d").index)
    given = journey._asdict() | {"recommendations": OFFERS}
    s = plan_strategy(members, "grow_basket", 40.0, **given)
    depth = s.offers[0].depth
    assert f"{depth:.0%}" in facts(s, "en")
    return s


def with_depth(draft: dict[str, str], s: Strategy) -> dict[str, str]:
    return {part: text.replace("10%", f"{s.offers[0].depth:.0%}") for part, text in draft.items()}


def test_a_clean_draft_passes(planned: Strategy) -> None:
    assert problems(with_depth(GOOD, planned), planned, "en", BrandRules()) == []
    assert problems(with_depth(GOOD_ZH, planned), planned, "zh", BrandRules()) == []


@pytest.mark.parametrize(
    ("part", "text", "says"),
    [
        ("subject", "Cheese " * 20, "at most 60"),
        ("subject", "", "is missing"),
        ("sms", "40% off cheese", "'40' is not a figure"),
        ("body", "Twice the cheese", "'Twice' is not a figure"),
        ("body", "Dear [Name], cheese awaits", "placeholder"),
        ("body", "Hi {{first_name}}, cheese", "placeholder"),
        ("sms", "Cheese at www.shop.com", "a link"),
        ("body", "**Cheese** awaits", "markup"),
        ("body", "Cheese is FREE today", "'free' must not be used"),
        ("body", "Our yucky cheese", "'yucky' must not be used"),
        ("body", "We want to grow the spend of regular customers", "the retailer's aim"),
        ("subject", "奶酪优惠", "must be written in English"),
    ],
)
def test_every_mistake_is_told(planned: Strategy, part: str, text: str, says: str) -> None:
    found = problems(with_depth(GOOD, planned) | {part: text}, planned, "en", BrandRules(("yucky",)))
    assert any(line.startswith(f"{part}: ") and says in line for line in found), found


def test_words_within_words_are_no_mistake(planned: Strategy) -> None:
    assert not problems(with_depth(GOOD, planned) | {"body": "Freedom to cook"}, planned, "en", BrandRules())


def test_mistakes_in_chinese(planned: Strategy) -> None:
    for text, says in (("全场半价", "半价"), ("奶酪打八折", "八折"), ("Cheese", "written in Chinese")):
        found = problems(with_depth(GOOD_ZH, planned) | {"sms": text}, planned, "zh", BrandRules())
        assert any(says in line for line in found), found


def test_a_writer_is_told_of_no_customer(planned: Strategy) -> None:
    told = facts(planned, "en") + facts(planned, "zh")
    assert "cheese" in told
    assert str(planned.size) not in told
    assert set(schema("zh")["required"]) == {"subject", "body", "sms"}


def test_words(planned: Strategy) -> None:
    copies = (Copy("A", **GOOD), Copy("B", **GOOD))
    assert to_markdown(copies, "en").count("- Subject: Cheese for your table") == 2
    assert "- 主题：奶酪优惠来了" in to_markdown((Copy("A", **GOOD_ZH),), "zh")
