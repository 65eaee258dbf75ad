"""Behaviour that is more than one event: one thing after another, often within some days, the first thing bought,
one period against another. Each is read whole, before the rest of the message is cut into clauses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER, Span, to_number
from assistant.linking.windows import windows
from segments.definition import (
    ComparisonCondition,
    Condition,
    EventMeasure,
    EventQuantity,
    ItemFilter,
    RepeatCondition,
    SequenceCondition,
    Step,
    TouchCondition,
    Window,
)

FindItems = Callable[[str], ItemFilter]
"""What items a part of the message names; an empty filter for none."""


@dataclass(frozen=True)
class Pattern:
    """A condition that the words of `span` say as a whole."""

    span: Span
    condition: Condition


def patterns(text: str, chinese: bool, as_of: date, items: FindItems) -> list[Pattern]:
    """Every pattern of behaviour, none overlapping; one whose items are unknown is left to the clauses."""
    found: list[Pattern] = []
    for read in (_comparisons, _sequences, _touches, _repeats):
        for pattern in read(text, chinese, as_of, items):
            if not any(pattern.span[0] < p.span[1] and p.span[0] < pattern.span[1] for p in found):
                found.append(pattern)
    return sorted(found, key=lambda pattern: pattern.span)


# --- One thing after another --------------------------------------------------------------------
_DAYS = {"day": 1, "week": 7, "month": 30, "fortnight": 14, "天": 1, "日": 1, "周": 7, "星期": 7, "月": 30}
_BUY = r"(?:bought|buy(?:s|ing)?|purchas(?:ed?|es|ing)|got|picked up|had|redeem(?:ed|ing)?|us(?:ed|ing)|receiv(?:ed|ing)|gett?ing|came|come|shopped|visited|respond(?:ed)?)"
_WITHIN = rf"(?:with)?in(?:side)?\s+(?:the\s+(?:next|following)\s+)?(?P<n>{EN_NUMBER}|an?)\s+(?P<u>day|week|month|fortnight)s?"
_PART_A = r"(?P<a>[^.;?!,]{2,50}?)"
_PART_B = r"(?P<b>[^.;?!,]{2,50}?)"
_END = r"(?=\s*(?:$|[.,;?!)]|\b(?:in the (?:last|past)|during|since|who|and (?:who|have|has|are))\b))"
_NOT = r"(?P<no>not|never|didn't|did not|haven't|hasn't|without|failed to|no)"
_SEQUENCES_EN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 'bought beer, then chips within 30 days'; 'got a campaign but did not redeem a coupon within 14 days'
        rf"\b{_BUY}\s+{_PART_A},?\s+(?:and\s+|but\s+)?(?P<how>then|afterwards|later|subsequently|followed (?:it )?(?:up )?(?:by|with)|went on to|but|and)\s+"
        rf"(?:{_NOT}\s+(?:then\s+)?)?(?:then\s+)?(?:(?:{_BUY}|by|back)\s+)*{_PART_B}\s+{_WITHIN}(?P<after>\s+(?:after(?:wards| that| it)?|later|of (?:it|that)|thereafter))?{_END}",
        # 'chips within 30 days of buying beer', 'redeemed a coupon within a week after a campaign'
        rf"\b{_BUY}\s+(?P<b>[^.;?!,]{{2,50}}?)\s+{_WITHIN}\s+(?:of|after|following|from)\s+(?:(?:{_BUY}|a purchase of|purchase of)\s+)*{_PART_A}{_END}",
        # 'bought beer then chips', 'bought beer followed by chips'
        rf"\b{_BUY}\s+{_PART_A},?\s+(?:and\s+)?(?:then|followed (?:it )?(?:up )?(?:by|with)|and later|and subsequently)\s+(?:(?:{_BUY})\s+)?{_PART_B}{_END}",
    )
)
_ZN = rf"(?P<n>{ZH_NUMBER})\s*个?(?P<u>天|日|周|星期|月)"
_ZA = r"(?P<a>[^，。；,]{1,14}?)"
_ZB = r"(?P<b>[^，。；,的]{1,14}?)"
_ZEND = r"(?=的|$|[，。；,？?])"
_SEQUENCES_ZH = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:先)?(?:买|购买|收到|用)(?:了|过)?{_ZA}(?:之?后|以后|完|，)+(?:的|在)?{_ZN}(?:之?内|以内|里)?(?:就)?(?:又|再|还|也|接着|然后)?(?P<no>没有?|未)?(?:再|又)?(?:买|购买|用|来)(?:了|过)?{_ZB}?{_ZEND}",
        rf"先(?:买|购买)(?:了|过)?{_ZA}[，,]?(?:然后|接着|后来|之后|后|再)+(?:又|再)?(?:买|购买)(?:了|过)?{_ZB}(?P<n>(?!))?(?P<u>(?!))?(?P<no>(?!))?{_ZEND}",
    )
)


def _sequences(text: str, chinese: bool, _: date, items: FindItems) -> Iterator[Pattern]:
    for pattern in _SEQUENCES_ZH if chinese else _SEQUENCES_EN:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            plain = (groups.get("how") or "").lower() in ("and", "but")
            if plain and not (groups.get("no") or groups.get("after")):
                continue  # 'bought soup and crackers within 30 days' says no order.
            said = groups.get("n")
            within = None
            if said:
                count = 1.0 if said.lower() in ("a", "an") else to_number(said)
                within = round(count * _DAYS[match["u"].lower()])
            first = _step(match["a"], items, None)
            last = _step(match["b"] or "", items, within, first)
            if first is None or last is None or (first == last and within is None):
                continue
            if groups.get("no"):
                yield Pattern(match.span(), SequenceCondition((first,), last))
            else:
                yield Pattern(match.span(), SequenceCondition((first, last)))


_EVENTS = (
    ("coupon_redeem", re.compile(r"coupon|voucher|redeem|券", re.IGNORECASE)),
    ("exposure", re.compile(r"campaign|mailing|mailer|活动", re.IGNORECASE)),
)
_ANYTHING = re.compile(
    r"\b(?:anything|something|again|back|any purchase|order|shop)\b|东西|任何", re.IGNORECASE
)
_SAME = re.compile(r"\b(?:it|them|more of it|the same)\b(?: again)?|同样", re.IGNORECASE)


def _step(said: str, items: FindItems, within: int | None, before: Step | None = None) -> Step | None:
    """The event that a part names, or None when it names none."""
    for event, words in _EVENTS:
        if words.search(said):
            return Step(event, within_days=within)
    named = items(said)
    if named:
        return Step("purchase", named, within)
    if before is not None and _SAME.search(said):
        return Step(before.event, before.items, within)
    return Step("purchase", within_days=within) if _ANYTHING.search(said) or (before and not said) else None


# --- The first or last thing -------------------------------------------------------------------
_TOUCH_EN = re.compile(
    r"\b(?P<which>first|last|latest|most recent)(?: ever| ever)? (?:purchase|order|basket|buy|trip|thing (?:they )?bought)s?(?: ever| with us)?"
    r" (?:was|were|is|included|includes|contained|had|of|started with)(?: an?| some)? (?P<a>[a-z' -]{3,30}?)(?=\s*(?:$|[.,;?!]|\b(?:and|in|but|who|since)\b))",
    re.IGNORECASE,
)
_TOUCH_ZH = re.compile(
    r"(?P<which>第一次|首次|首单|头一次|最近一次|最后一次)(?:购买|购物|下单|买)?(?:的)?(?:东西|商品)?里?(?:就)?(?:是|买的是|包含|包括|买了|有|带了|含)(?P<a>[^，。的]{1,10})"
)


def _touches(text: str, chinese: bool, _: date, items: FindItems) -> Iterator[Pattern]:
    for match in (_TOUCH_ZH if chinese else _TOUCH_EN).finditer(text):
        named = items(match["a"])
        if named:
            first = match["which"].lower() in ("first", "第一次", "首次", "首单", "头一次")
            yield Pattern(match.span(), TouchCondition("first" if first else "last", "purchase", named))


# --- Often within some days --------------------------------------------------------------------
_REPEAT_EN = re.compile(
    rf"\b(?:at least\s+)?(?P<k>{EN_NUMBER})(?: or more|\+)?\s+(?:orders|trips|visits|times|purchases)\s+(?:with)?in\s+(?:any|a single|one single|the same)\s+"
    rf"(?:(?P<n>{EN_NUMBER})[\s-]?)?(?P<u>day|week|month)s?(?: period| span| stretch)?",
    re.IGNORECASE,
)
_REPEAT_ZH = re.compile(
    rf"(?:任意|任何|同一?个?)(?P<n>{ZH_NUMBER})?个?(?P<u>天|周|星期|月)(?:之?内|里)?(?:至少|都)?(?:来|买|下单|购物|光顾)(?:过|了)?(?:至少)?(?P<k>{ZH_NUMBER})[次单回](?:以上)?"
)


def _repeats(text: str, chinese: bool, _: date, _items: FindItems) -> Iterator[Pattern]:
    for match in (_REPEAT_ZH if chinese else _REPEAT_EN).finditer(text):
        times, days = (
            int(to_number(match["k"])),
            round(to_number(match["n"] or "1") * _DAYS[match["u"].lower()]),
        )
        if times >= 2:
            yield Pattern(match.span(), RepeatCondition("purchase", times, days))


# --- One period against another ----------------------------------------------------------------
_COMPARED_EN = re.compile(
    rf"\b(?P<what>spen[dt](?:s|ing)?|order(?:ed|s|ing)?|shop(?:ped|s)?|visit(?:ed|s)?|came(?: in)?|bought|buy)\s+(?:at least (?:(?P<p>{EN_NUMBER})\s?%\s+)|(?P<x>twice|double) )?"
    r"(?P<d>less|more|fewer|as much)(?: often| money)?(?P<mid>[^.;?]{0,40}?)\b(?:than|as)\s+(?:(?:they|he|she) (?:did|had|spent)\s+|what they (?:did|spent)\s+)?(?P<ref>[^.;?,]{3,30})",
    re.IGNORECASE,
)
_COMPARED_ZH = re.compile(
    r"(?P<mid>[^，。；]{2,12}?)(?:的)?(?P<what>消费|花费|花的?钱?|订单|下单)?(?:金额|数)?比(?P<ref>[^，。；]{2,12}?)(?:的)?(?P<what2>消费|花费|花得?|订单|下单|来得?)?(?:金额|数)?(?:要|还)?(?P<d>少|多|低|高)"
)


def _comparisons(text: str, chinese: bool, as_of: date, _: FindItems) -> Iterator[Pattern]:
    for match in (_COMPARED_ZH if chinese else _COMPARED_EN).finditer(text):
        groups = match.groupdict()
        now, then = (windows(match[part], chinese, as_of) for part in ("mid", "ref"))
        if len(now) != 1 or len(then) != 1 or not (now[0].calendar and then[0].calendar):
            continue
        what = (groups.get("what") or groups.get("what2") or "").lower()
        if not what:
            continue
        measure: EventMeasure = "value" if re.match(r"spen|消费|花", what) else "count"
        more = match["d"].lower() in ("more", "多", "高", "as much")
        factor = 1.0
        if groups.get("p"):
            factor += (1 if more else -1) * to_number(groups["p"]) / 100
        if groups.get("x"):
            factor = 2.0
        op = (">=" if more else "<=") if factor != 1.0 else (">" if more else "<")
        end = match.start("ref") + then[0].span[1] if not chinese else match.end()
        start = match.start() if not chinese else match.start("mid") + now[0].span[0]
        yield Pattern((start, end), ComparisonCondition(
            _quantity(now[0].window, measure), op, _quantity(then[0].window, measure), round(factor, 4)
        ))  # fmt: skip


def _quantity(window: Window, measure: EventMeasure) -> EventQuantity:
    return EventQuantity("purchase", window=window, measure=measure)
