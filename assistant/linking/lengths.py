"""A length of time as a comparison: 'gap over 20 days', 'customer for at least 6 months'."""

from __future__ import annotations

import re

from assistant.linking.windows import TimeMention
from segments.definition import (
    Condition,
    FeatureCondition,
    TouchCondition,
)


def length_condition(feature: str, length: TimeMention, text: str) -> Condition:
    """'首次购买发生于第三季度' says when the first purchase was; any other length is the feature's value."""
    ended = length.calendar and length.window.end > 0
    if feature == "tenure_days" and ended:
        return TouchCondition("first", "purchase", window=length.window)
    if feature == "recency_days" and length.window.end > 0 and length.window.start is not None:
        return FeatureCondition(feature, "between", (length.window.end, length.window.start))
    return FeatureCondition(feature, *days_said(length, text, feature))


def since_condition(feature: str, window: TimeMention, text: str) -> FeatureCondition:
    """'enrolled in the last 90 days', 'enrolled in March', 'enrolled more than a year ago': when a customer's own date was."""
    start, end = window.window.start, window.window.end
    if end > 0 and start is None:
        return FeatureCondition(feature, ">", end)
    if end > 0 and start is not None:
        return FeatureCondition(feature, "between", (end + 1, start))
    return FeatureCondition(feature, *days_said(window, text, "tenure_days"))


_LENGTHS_ZH = (
    ("<=", re.compile(r"(?:不|没有?|未)(?:超过|多于|大于)|至多|最多|以内|之内|以下")),
    (">=", re.compile(r"(?:不|没有?)(?:少于|低于|小于)|至少|以上|(?<![不未])满")),
    ("<", re.compile(r"[不没未]到|少于|低于|小于|不足|[不未]满")),
    (">", re.compile(r"超过|多于|大于|逾")),
)
"""How a Chinese length compares, the negated words before those they hold."""


def days_said(window: TimeMention, text: str, feature: str) -> tuple[str, float]:
    """A length of time as a comparison: 'gap over 20 days', 'customer for at least 6 months'."""
    days = window.window.start or 0
    if feature == "tenure_days" and window.calendar:
        return "<=", days
    before = text[max(0, window.span[0] - 25) : window.span[0]] + window.text
    after = text[window.span[1] : window.span[1] + 20]
    said = window.text + after[:2]
    if (op := next((op for op, words in _LENGTHS_ZH if words.search(said)), None)) is not None:
        return op, days
    if window.text.endswith("内"):
        return "<=", days
    if re.search(r"or less|or fewer|at most|up to|no more than|<=|≤|以内|不超过", before + after, re.I):
        return "<=", days
    if re.search(r">=|≥", before):
        return ">=", days
    if re.search(r"less than|under|fewer|within|<|不到|少于|低于", before, re.I):
        return "<", days
    if re.search(r"at least|至少|以上|不少于|or more", before, re.I):
        return ">=", days
    if feature == "tenure_days" and re.search(r"in the (?:last|past)|最近|近", before, re.I):
        return "<=", days
    return ">", days
