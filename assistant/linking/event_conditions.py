"""What a clause says of events, as a condition: what was bought, how often, for how much, when.

What the question leaves open is filled with a stated reading ('I took quiet as 30 days').
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.linking.campaigns import RESPONSE
from assistant.linking.clauses import Reading
from assistant.linking.draft import Draft
from assistant.linking.here import EVENT_WORDS
from assistant.linking.items import ItemMention, alternatives
from assistant.linking.lengths import days_said
from assistant.linking.numbers import Number
from assistant.linking.windows import TimeMention
from segments.definition import (
    AnyOf,
    EventCondition,
    EventMeasure,
    FeatureCondition,
    ItemFilter,
    Node,
    Occasion,
    Window,
)

QUIET_DAYS = 30
"""'quiet', 'inactive' without a length: DESIGN's reading of 'recent'."""
LAPSED_DAYS = 90
"""'lapsed', 'churned' without a length."""
_NAME = re.compile(r"(?:\bcampaign\s*(?:no\.?|nr\.?|number|#)?|(?<!次)活动)\s*#?$", re.IGNORECASE)
"""Before a campaign's name: 'received campaign 18' counts nothing, also where no campaign is known by that name."""
_EVENTS = {"redeem": "coupon_redeem", "campaign": "exposure"}


def event_condition(
    draft: Draft, reading: Reading, free: list[Number], items: list[ItemMention]
) -> tuple[Node | None, str]:
    """The event condition of a clause, and the reading it needed."""
    kind, window = draft.kind, draft.window
    if kind == "first_purchase":
        if window is None:
            return None, ""
        op, days = ("<=", window.window.start or 0) if not window.gap else days_said(window, reading.text, "")
        return FeatureCondition("tenure_days", op, days), ""
    if kind == "last_purchase" and not items:
        return _last_purchase(reading, window), ""
    if kind == "quiet" and not items:
        if window is not None:
            return EventCondition("purchase", window=window.window), ""
        words = reading.text[draft.clause.start : draft.clause.end]
        lapsed = re.search(r"laps|churn|dormant|\bleft\b|流失|沉睡", words, re.I)
        days = LAPSED_DAYS if lapsed else QUIET_DAYS
        # 'never made a purchase' has no time and needs none.
        return EventCondition("purchase", window=Window(days, 0)), "quiet"
    if kind in EVENT_WORDS:
        wanted, *others = alternatives(reading.text, items)
        condition = EventCondition(kind, wanted, window_of(window), occasion=draft.occasion)
        return _any_kind(counted(condition, free, ("money", "times", "orders", "units", "")), others), ""
    if kind in ("redeem", "campaign"):
        named = dict.fromkeys(name for mention in draft.clause.campaigns for name in mention.names)
        condition = EventCondition(
            _EVENTS[kind], window=window_of(window), occasion=Occasion(campaign=tuple(named))
        )
        free = [number for number in free if not _NAME.search(reading.text[: number.span[0]])]
        said = reading.text[draft.clause.start : draft.clause.end]
        note = "responded" if kind == "redeem" and RESPONSE.search(said) else ""
        return counted(condition, free, ("coupons", "campaigns", "times", "")), note
    if kind in ("purchase", "spend", "quiet", "last_purchase"):
        return _purchase(draft, reading.text, free, items)
    if kind == "" and items and not draft.clause.features:
        return _purchase(draft, reading.text, free, items)
    if kind == "" and draft.negative and window is not None and not draft.clause.content:
        return EventCondition("purchase", window=window.window), ""
    return None, ""


def _last_purchase(reading: Reading, window: TimeMention | None) -> Node | None:
    if window is None:
        return None
    start, end = window.window.start, window.window.end
    before = reading.text[max(0, window.span[0] - 6) : window.span[0]]
    if re.search(r"<=?|≤", before):
        return FeatureCondition(
            "recency_days", "<" if "<" in before and "=" not in before else "<=", start or 0
        )
    if window.gap or (window.bare and re.search(r"more|over|least|超过|以上", window.text)):
        op = ">=" if re.search(r"at least|至少|or more|以上", window.text, re.I) else ">"
        return FeatureCondition("recency_days", op, start or 0)
    if end and start:
        return FeatureCondition("recency_days", "between", (end, start))
    if start is None:
        return FeatureCondition("recency_days", ">", end)
    return EventCondition("purchase", window=window.window)


def window_of(mention: TimeMention | None) -> Window:
    """The days that a time expression means for an event; everything when none was said."""
    if mention is None:
        return Window()
    if mention.gap:
        return Window(None, mention.window.start or 0)
    return mention.window


def _purchase(
    draft: Draft, text: str, free: list[Number], items: list[ItemMention]
) -> tuple[Node | None, str]:
    wanted, *others = alternatives(text, items)
    condition = EventCondition("purchase", wanted, window_of(draft.window), occasion=draft.occasion)
    found = counted(
        condition,
        free,
        ("money", "orders", "times", "units", ""),
        [item for item in items if not _TRIPS.match(text, item.span[1])],
        spend=draft.kind == "spend",
    )
    if found == condition and not wanted and draft.window is None and not draft.occasion:
        habit = any(mention.condition is None for mention in draft.clause.features)
        if draft.negative and draft.kind == "purchase" and draft.clause.flags & {"purchase"} and not habit:
            return EventCondition("purchase", window=Window(QUIET_DAYS, 0)), "quiet"
        return None, ""
    if found == condition and draft.kind == "spend" and not wanted:
        return (condition, "") if draft.negative else (None, "")
    if others:
        return _any_kind(found, others), ""
    if isinstance(found, EventCondition) and found.measure == "value" and found.window == Window():
        return found, "ever"
    return found, ""


def _any_kind(found: EventCondition, others: Sequence[ItemFilter]) -> Node | None:
    """The condition for any of goods of different kinds, which cannot be counted together; None where they would be."""
    if not others:
        return found
    if replace(found, items=ItemFilter()) != EventCondition(
        found.event, window=found.window, occasion=found.occasion
    ):
        return None
    return AnyOf((found, *(replace(found, items=items) for items in others)))


_TRIPS = re.compile(r"[\s-]*(?:trips?|orders?|visits?|runs?|purchases|times|次|单)\b", re.IGNORECASE)
_MEASURES: dict[str, EventMeasure] = {"money": "value", "units": "quantity"}


def counted(
    condition: EventCondition,
    free: list[Number],
    units: tuple[str, ...],
    items: Sequence[ItemMention] = (),
    *,
    spend: bool = False,
) -> EventCondition:
    """The condition with the first of the `free` numbers that has one of the `units`, which is then no longer free.

    items: those that stand beside the number decide whether it counts them or orders. spend: a bare number is money.
    """
    number = next((n for n in free if n.unit in units), None)
    if number is None:
        return condition
    # '6 or more frozen pizzas' counts pizzas; 'frozen pizza at least 6 times' and '6 pizza trips' orders.
    adjacent = any(0 <= item.span[0] - number.span[1] <= 1 for item in items)
    free.remove(number)
    measure = _MEASURES.get(number.unit, "count")
    if number.unit == "" and spend:
        measure = "value"
    elif number.unit == "" and condition.items and condition.event == "purchase":
        measure = "quantity" if number.value > 1 and (number.op is None or adjacent) else "count"
    value: float | tuple[float, float] = plain_number(number.value)
    op = number.op or ("=" if number.value == 0 else ">=")
    if op == "between" and number.high is not None:
        value = (plain_number(number.value), plain_number(number.high))
    return replace(condition, measure=measure, op=op, value=value)


def plain_number(value: float) -> float:
    """3.0 as 3, so that a definition reads as it was said."""
    return int(value) if float(value).is_integer() else value
