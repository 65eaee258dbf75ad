"""What a condition is about, in the plain words that take it out: 'without the kids condition', '把孩子的条件去掉'."""

from __future__ import annotations

import re
from dataclasses import dataclass

from segments.definition import Condition, EventCondition, FeatureCondition, RankCondition


@dataclass(frozen=True)
class Topic:
    """features: what their names begin with. measure: of purchases that are about it too."""

    words: re.Pattern[str]
    features: tuple[str, ...]
    measure: str = ""


def _topic(words: str, *features: str, measure: str = "") -> Topic:
    return Topic(re.compile(words, re.IGNORECASE), features, measure)


TOPICS = (
    _topic(
        r"\b(?:kids?|child(?:ren)?|parents?|famil(?:y|ies))\b|孩子|小孩|娃|子女|亲子|家长",
        "has_children",
        "kids_count",
    ),
    _topic(r"\bages?\b|年龄|年纪|岁数", "age"),
    _topic(r"\b(?:income|earnings?|salar(?:y|ies))\b|收入|工资|薪水", "income"),
    _topic(
        r"\b(?:home ?owners?(?:hip)?|hous(?:e|ing)|rent(?:ers?|ing)?)\b|住房|房子|房产|租房|有房|自有房",
        "home_ownership",
    ),
    _topic(r"\b(?:marri(?:ed|age)|marital|singles?)\b|婚姻|结婚|已婚|未婚|单身", "marital_status"),
    _topic(r"\bhousehold size\b|家庭人数|人口", "household_size"),
    _topic(
        r"\b(?:spend(?:ing|ers?)?|spent|money|amounts?)\b|消费|花费|金额|花钱",
        "spend_",
        measure="value",
    ),
    _topic(r"\b(?:baskets?|order value)\b|客单|购物篮", "basket_"),
    _topic(r"\b(?:discounts?|deals?)\b|折扣|打折", "discount_"),
)
"""What people call the conditions that a segment may have; of the others, their own words are known."""


def topics(text: str) -> tuple[Topic, ...]:
    """The topics that a text names."""
    return tuple(topic for topic in TOPICS if topic.words.search(text))


def on_topic(condition: Condition, spoken: tuple[Topic, ...]) -> bool:
    """Whether a condition is about one of the topics."""
    if isinstance(condition, FeatureCondition | RankCondition):
        return any(condition.feature.startswith(topic.features) for topic in spoken)
    of_money = isinstance(condition, EventCondition) and not condition.items and condition.measure == "value"
    return of_money and any(topic.measure == "value" for topic in spoken)
