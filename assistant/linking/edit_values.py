"""Another time or number in the place of the one that a condition has."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from assistant.linking.numbers import Number
from assistant.linking.windows import TimeMention
from segments.definition import (
    Condition,
    EventCondition,
    FeatureCondition,
    SimilarityCondition,
)

_LOWER = re.compile(r"\b(?:lower|minimum|min|floor|bottom)\b|下限|最低|至少", re.IGNORECASE)
_UPPER = re.compile(r"\b(?:upper|maximum|max|ceiling|cap)\b|上限|最高|最多", re.IGNORECASE)


FEWEST_DAYS = 3
"""How many days a number alone means at least: 'either one is fine'."""


def with_time(condition: Condition, time: TimeMention, windowed: bool) -> Condition | None:
    """The condition in another time; None where it has none. windowed: whether a condition beside it has a time, so that
    one without is not meant."""
    if isinstance(condition, EventCondition) and (condition.window.start is not None or not windowed):
        return replace(condition, window=time.window)
    if isinstance(condition, FeatureCondition) and condition.feature in (
        "recency_days",
        "tenure_days",
        "mean_gap_days",
    ):
        return replace(condition, value=time.window.start or 0)
    return None


def with_number(condition: Condition, number: Number, text: str) -> Condition | None:
    """The condition with another number; None where the number's unit is not the condition's. text: the message, which
    says which end of a range is meant."""
    value = int(number.value) if float(number.value).is_integer() else number.value
    if isinstance(condition, EventCondition):
        measures = {
            "money": "value",
            "units": "quantity",
            "times": "count",
            "orders": "count",
            "coupons": "count",
        }
        trivial = (condition.measure, condition.op, condition.value) == ("count", ">=", 1)
        if number.op == "between":
            return None
        if number.unit == "" and trivial:
            return _in_days(condition, value)
        if number.unit and measures.get(number.unit) != condition.measure:
            return None
        return _with_value(condition, value, number.op, text)
    if isinstance(condition, SimilarityCondition) and number.unit in ("people", "customers", ""):
        return replace(condition, top=int(number.value))
    numeric = isinstance(condition, FeatureCondition) and (
        condition.op == "between" or isinstance(condition.value, int | float)
    )
    if isinstance(condition, FeatureCondition) and numeric:
        if isinstance(condition.value, bool) or number.op == "between":
            return None
        share = condition.feature.endswith("_share_365d") or condition.feature.startswith(
            ("share_", "discount_rate")
        )
        if share != (number.unit == "percent"):
            return None
        return _with_value(condition, number.value / 100 if share else value, number.op, text)
    return None


def _in_days(condition: EventCondition, days: float) -> EventCondition | None:
    """'Tighten to 60': the condition in so many last days, where its time is one of last days."""
    window = condition.window
    rolling = window.start is not None and not window.end
    if not rolling or not isinstance(days, int) or days < FEWEST_DAYS:
        return None
    return replace(condition, window=replace(window, start=days))


def _with_value(
    condition: EventCondition | FeatureCondition, value: float, op: str | None, text: str
) -> Condition | None:
    """The condition with another value; of a range, the end that is spoken of."""
    if condition.op != "between" or not isinstance(condition.value, tuple):
        return replace(condition, value=value, op=op or condition.op)
    low, high = cast(tuple[float, float], condition.value)
    lower = op in (">", ">=") or _LOWER.search(text) is not None
    upper = op in ("<", "<=") or _UPPER.search(text) is not None
    moved = (value, high) if lower else (low, value)
    return None if lower == upper or moved[0] > moved[1] else replace(condition, value=moved)
