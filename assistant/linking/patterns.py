"""Behaviour that is more than one event: one thing after another, often within some days, the first thing bought,
one period against another. Each is read whole, before the rest of the message is cut into clauses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from assistant.linking.comparisons import comparisons
from assistant.linking.goods_compared import FindItems
from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER, to_number
from assistant.linking.spans import Span, free
from assistant.linking.windows import windows
from segments.definition import (
    ComparisonCondition,
    Condition,
    EventMeasure,
    EventQuantity,
    ItemFilter,
    RepeatCondition,
    RepeatUnit,
    SequenceCondition,
    Step,
    TouchCondition,
    Window,
)


@dataclass(frozen=True)
class Pattern:
    """A condition that the words of `span` say as a whole."""

    span: Span
    condition: Condition


def patterns(
    text: str, chinese: bool, as_of: date, items: FindItems, events: Collection[str] = ()
) -> list[Pattern]:
    """Every pattern of behaviour, none overlapping; one whose items are unknown is left to the clauses.

    events: the kinds of events besides the usual ones that happen here.
    """
    looked = () if chinese or not {"view", "add_to_cart"} & set(events) else _looked(text, items)
    found: list[Pattern] = [p for p in looked if _steps(p.condition) <= {"purchase", *events}]
    for read in (_comparisons, _sequences, _touches, _repeats):
        for pattern in read(text, chinese, as_of, items):
            if free(pattern.span, (p.span for p in found)):
                found.append(pattern)
    return sorted(found, key=lambda pattern: pattern.span)


def _steps(condition: Condition) -> set[str]:
    return {step.event for step in condition.steps} if isinstance(condition, SequenceCondition) else set()


# --- One thing after another --------------------------------------------------------------------
_DAYS = {"day": 1, "week": 7, "month": 30, "fortnight": 14, "天": 1, "日": 1, "周": 7, "星期": 7, "月": 30}
_BUY = r"(?:bought|buy(?:s|ing)?|purchas(?:ed?|es|ing)|got|picked up|had|redeem(?:ed|ing)?|us(?:ed|ing)|receiv(?:ed|ing)|gett?ing|came|come|shopped|visited|respond(?:ed)?|(?:handed|cashed|turned) in)"
_WITHIN = rf"(?:(?:with)?in(?:side)?|no (?:more|later) than|not (?:more|later) than)\s+(?:the\s+(?:next|following|subsequent)\s+)?(?P<n>{EN_NUMBER}|an?)\s+(?P<u>day|week|month|fortnight)s?"
_PART_A = r"(?P<a>[^.;?!,]{2,50}?)"
_PART_B = r"(?P<b>[^.;?!,]{2,50}?)"
_END = r"(?=\s*(?:$|[.,;?!)]|\b(?:in the (?:last|past)|during|since|who|and (?:who|have|has|are))\b))"
_NOT = r"(?P<no>not|never|didn't|did not|haven't|hasn't|without|failed to|no)"
_AFTER = r"(?:after(?:wards?| that| it)?|later|thereafter|of (?:it|that|this|receiving (?:it|one)|that \w+)|following|that followed|from then)"
_THIRD = _WITHIN.replace("<n>", "<n2>").replace("<u>", "<u2>")
_SEQUENCES_EN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 'received a campaign, purchased no later than 10 days after that, and then redeemed a coupon within 20 days'
        rf"\b{_BUY}\s+(?P<a>[^.;?!,]{{2,60}}?),?\s+(?:and\s+)?(?:then\s+)?(?P<b>{_BUY}[^.;?!,]{{0,30}}?)\s+{_WITHIN}(?:\s+{_AFTER})?,?\s+(?:and\s+)?(?:then\s+)?"
        rf"(?P<c>{_BUY}[^.;?!,]{{0,40}}?)\s+{_THIRD}(?:\s+(?:{_AFTER}|after (?:the|that|their) \w+))?{_END}",
        # 'bought some coffee and bought that identical product again no more than 14 days later'
        rf"\b{_BUY}\s+{_PART_A},?\s+(?:and|then)\s+(?:then\s+)?{_BUY}\s+(?:the|that)\s+(?:very\s+)?(?P<same>same|identical)\s+(?:product|item|thing|one|sku|article)(?P<b>(?<=\w))(?:\s+again)?\s+{_WITHIN}(?:\s+{_AFTER})?{_END}",
        # 'bought beer, then chips within 30 days'; 'got a campaign but did not redeem a coupon within 14 days'
        rf"\b{_BUY}\s+{_PART_A},?\s+(?:and\s+|but\s+)?(?P<how>then|afterwards|later|subsequently|followed (?:it )?(?:up )?(?:by|with)|went on to|but|and)\s+"
        rf"(?:{_NOT}\s+(?:then\s+)?)?(?:then\s+)?(?:(?:{_BUY}|by|back)\s+)*{_PART_B}\s+{_WITHIN}(?P<after>\s+(?:after(?:wards| that| it)?|later|of (?:it|that)|thereafter))?{_END}",
        # 'chips within 30 days of buying beer', 'redeemed a coupon within a week after a campaign'
        rf"\b{_BUY}\s+(?P<b>[^.;?!,]{{2,50}}?)\s+{_WITHIN}\s+(?:of|after|following|from)\s+(?:(?:{_BUY}|a purchase of|purchase of)\s+)*{_PART_A}{_END}",
        # 'got a campaign then bought nothing for 10 days after'
        rf"\b{_BUY}\s+{_PART_A},?\s+(?:and\s+|but\s+)?(?:then|afterwards|after that)\s+(?:(?:{_BUY}|did|made|spent|placed)\s+)?(?P<no>nothing|no (?:purchase|order)s?|not (?:buy|shop|order|come)(?: anything| back| in)?)(?P<b>(?<=\w))\s+(?:for|within|in|over)\s+(?:the\s+)?(?:next\s+)?(?P<n>{EN_NUMBER}|an?)\s+(?P<u>day|week|month|fortnight)s?(?:\s+{_AFTER})?",
        # 'bought diapers and subsequently, within 14 days of that purchase, baby food'
        rf"\b{_BUY}\s+{_PART_A},?\s+(?:and\s+)?(?:subsequently|then|afterwards|later),?\s+{_WITHIN}(?:\s+{_AFTER})?,?\s+(?:(?:{_BUY})\s+)?{_PART_B}{_END}",
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


_LOOKED_EN = re.compile(
    r"\b(?:(?P<view>view(?:ed|s)?|looked at|browsed|saw)|(?P<cart>added|put|adds?))\s+(?P<a>[^.;?!,]{2,50}?)(?:\s+(?:to|in|into) (?:the |their |a )?(?:cart|basket|bag))?\s*,?\s+"
    r"(?:and|but|then|without)\s+(?:then\s+)?(?:(?P<no>did not|didn't|do not|don't|never|not|failed to)\s+(?:then\s+|go on to\s+)?)?"
    rf"(?P<verb>buy(?:ing)?|bought|purchas(?:ed?|ing)|order(?:ed|ing)?)\s+(?P<b>it|them|[^.;?!,]{{2,40}}?)(?:\s+{_WITHIN}(?:\s+{_AFTER})?)?{_END}",
    re.IGNORECASE,
)
"""'viewed shoes but did not buy them within 7 days', 'added a lamp to the cart without buying it'."""


def _looked(text: str, items: FindItems) -> Iterator[Pattern]:
    for match in _LOOKED_EN.finditer(text):
        said = match.group().lower()
        pronoun = match["b"].lower() in ("it", "them")
        if not (pronoun or match["n"] or "then" in said) or (
            match["cart"] and not re.search("cart|basket|bag", said)
        ):
            continue
        named = items(match["a"])
        if not named and not _ANY_ITEM.search(match["a"]):
            continue
        first = Step("view" if match["view"] else "add_to_cart", named)
        within = _within(match["n"], match["u"]) if match["n"] else None
        last = Step("purchase", named if pronoun else items(match["b"]), within)
        if match["no"] or "without" in said:
            yield Pattern(match.span(), SequenceCondition((first,), last, same_item=pronoun))
        else:
            yield Pattern(match.span(), SequenceCondition((first, last), same_item=pronoun))


_ANY_ITEM = re.compile(r"\b(?:products?|items?|something|anything|articles?|things?|goods)\b", re.IGNORECASE)
_LATER_EN = re.compile(
    rf"\b(?P<no>(?:have |has |had |did )?(?:not|never)\s+|(?:didn't|haven't|hasn't|without)\s+|(?:make|made) no\s+)?(?P<b>(?:{_BUY}|order(?:ed|ing)?|shop|visit|respond)\b[^.;?!,]{{0,40}}?)\s+"
    rf"(?:no later than|(?:with)?in(?:side)?|in under)\s+(?:the\s+)?(?P<n>{EN_NUMBER}|an?)\s+(?P<u>day|week|month|fortnight)s?\s+{_AFTER}",
    re.IGNORECASE,
)
"""'... a campaign was sent ..., those who redeemed a coupon no later than 21 days afterwards'."""
_EARLIER_EN = re.compile(r"\b(?:campaigns?|mailings?|mailers?|coupons?|vouchers?)\b", re.IGNORECASE)


def _sequences(text: str, chinese: bool, as_of: date, items: FindItems) -> Iterator[Pattern]:
    yield from _in_one_go(text, chinese, as_of, items)
    for match in () if chinese else _LATER_EN.finditer(text):
        before = [m for m in _EARLIER_EN.finditer(text[: match.start()]) if match.start() - m.end() < 90]
        start = before[0].start() if before else None
        first = _step(before[0].group(), items, None) if before else None
        last = _step(match["b"], items, _within(match["n"], match["u"]), first)
        if start is None or first is None or last is None:
            continue
        window = _said_in(text[start : match.start()], chinese, as_of)
        lead = re.search(
            r"(?:\bof (?:the )?(?:customers|households|people|those) )?(?:\bto whom )?(?:\b(?:an?|the|any) )?$",
            text[:start],
            re.I,
        )
        span = (lead.start() if lead else start, match.end())
        if match["no"]:
            yield Pattern(span, SequenceCondition((first,), last, window))
        else:
            yield Pattern(span, SequenceCondition((first, last), window=window))


def _within(number: str, unit: str) -> int:
    count = 1.0 if number.lower() in ("a", "an") else to_number(number)
    return round(count * _DAYS[unit.lower()])


def _said_in(part: str, chinese: bool, as_of: date) -> Window:
    """The one time that a part of the message says; everything when it says none."""
    found = [mention for mention in windows(part, chinese, as_of) if not (mention.gap or mention.bare)]
    return found[0].window if len(found) == 1 else Window()


def _in_one_go(text: str, chinese: bool, as_of: date, items: FindItems) -> Iterator[Pattern]:
    for pattern in _SEQUENCES_ZH if chinese else _SEQUENCES_EN:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            plain = (groups.get("how") or "").lower() in ("and", "but")
            if plain and not (groups.get("no") or groups.get("after")):
                continue  # 'bought soup and crackers within 30 days' says no order.
            said = groups.get("n")
            within = _within(said, match["u"]) if said else None
            window = _said_in(match["a"], chinese, as_of)
            first = _step(match["a"], items, None)
            last = _step(match["b"] or "", items, within, first)
            if groups.get("same") and first is not None:
                last = Step(first.event, first.items, within)
                yield Pattern(match.span(), SequenceCondition((first, last), window=window, same_item=True))
                continue
            if first is None or last is None or (first == last and within is None):
                continue
            if groups.get("c"):
                third = _step(match["c"], items, _within(match["n2"], match["u2"]), last)
                if third is not None:
                    yield Pattern(match.span(), SequenceCondition((first, last, third), window=window))
            elif groups.get("no"):
                yield Pattern(match.span(), SequenceCondition((first,), last, window))
            else:
                yield Pattern(match.span(), SequenceCondition((first, last), window=window))


_EVENTS = (
    ("coupon_redeem", re.compile(r"coupon|voucher|redeem|redempt|\brespond|券|响应", re.IGNORECASE)),
    ("exposure", re.compile(r"campaign|mailing|mailer|活动", re.IGNORECASE)),
)
_ANYTHING = re.compile(
    r"\b(?:anything|something|again|back|purchas(?:e|ed|es|ing)|orders?|ordered|shop|shopped)\b|东西|任何",
    re.IGNORECASE,
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
_WHICH = r"(?P<which>first(?:[- ]ever)?|1st|initial|last|latest|most recent|final)"
_TOUCH_NOUN = r"(?:purchase|order|basket|buy(?:ing)?|visit|shop|trip|transaction|shopping trip|thing (?:they )?bought|time (?:that )?(?:they|he|she) (?:shopped|bought|came|visited|ordered))s?"
_TOUCHES_EN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 'had diapers in their very first basket'
        rf"\b(?:had|have|bought|put|with|got)\s+(?P<before>[a-z' -]{{3,60}}?)\s+in\s+(?:their|the|his|her)\s+(?:very\s+)?{_WHICH}(?:\s+ever)?\s+{_TOUCH_NOUN}(?P<rest>[^.;?!,]{{0,60}})",
        rf"\b(?:(?:whose|their|the|his|her|an?)\s+)?(?:very\s+)?{_WHICH}(?:\s+(?:ever|recorded|registered|known))?\s+{_TOUCH_NOUN}(?:\s+(?:ever|with us|with this retailer|here|on (?:file|record)))*\s+(?P<rest>[^.;?!]{{3,90}})",
    )
)
_TOUCHED = re.compile(
    r"\b(?:was|were|is|includ(?:ed|es)|contain(?:ed|s)|ha[ds]|of|started with|with)\b(?: an?| some| something from| anything from)?(?: either(?: of)?| one of| any of)?(?: the| our)?(?: two)? (?P<a>[a-z' -]{3,40}?)(?=\s*(?:$|[.,;?!)]|\b(?:and|in|but|who|since|on|between|during|took|as)\b))",
    re.IGNORECASE,
)
_HAPPENED = re.compile(
    r"^\W*(?:(?:was|were|is|fell|falls|falling|came|lies|lay|happens|happened|occurred|took place|made|placed|dates?(?: from)?|that)(?:\s+|$))*$",
    re.IGNORECASE,
)
_TOUCH_ZH = re.compile(
    r"(?P<which>第一次|首次|首单|头一次|最近一次|最后一次)(?:购买|购物|下单|买)?(?:的)?(?:东西|商品)?里?(?:就)?(?:是|买的是|包含|包括|买了|有|带了|含)(?P<a>[^，。的]{1,10})"
)


def _touches(text: str, chinese: bool, as_of: date, items: FindItems) -> Iterator[Pattern]:
    if not chinese:
        yield from _touches_en(text, as_of, items)
        return
    for match in _TOUCH_ZH.finditer(text):
        named = items(match["a"])
        if named:
            first = match["which"] in ("第一次", "首次", "首单", "头一次")
            yield Pattern(match.span(), TouchCondition("first" if first else "last", "purchase", named))


def _touches_en(text: str, as_of: date, items: FindItems) -> Iterator[Pattern]:
    """The first or last purchase with what was in it, or the first in a time of the calendar."""
    for pattern in _TOUCHES_EN:
        for match in pattern.finditer(text):
            rest, place = match["rest"], match.start("rest")
            said = match.groupdict().get("before") or ""
            end = place
            named = items(said) if said else ItemFilter()
            touched = None if said else _TOUCHED.search(rest)
            if touched is not None and touched.start() <= 12 and items(touched["a"]):
                named, end = items(touched["a"]), place + touched.end("a")
            times = [t for t in windows(rest, chinese=False, as_of=as_of) if not (t.gap or t.bare)]
            time = times[0] if times else None
            joint = "" if time is None else rest[end - place : time.span[0]]
            own = time is not None and _HAPPENED.match(re.sub(r"^\W*(?:and|that)\b", "", joint.strip()))
            window = time.window if time is not None and own else Window()
            if time is not None and own:
                end = place + time.span[1]
            which: Literal["first", "last"] = (
                "last" if re.match(r"last|latest|most|final", match["which"], re.I) else "first"
            )
            dated = which == "first" or re.search(r"\b(?:was|is|were|fell|falls|dates?)\b", joint, re.I)
            if named or (dated and window != Window() and time is not None and time.calendar):
                yield Pattern((match.start(), end), TouchCondition(which, "purchase", named, window))


# --- Often within some days --------------------------------------------------------------------
_REPEAT_EN = re.compile(
    rf"\b(?:at least\s+)?(?P<k>{EN_NUMBER})(?: or more|\+)?\s+(?:orders|trips|visits|shops|times|purchases)\s+(?:with)?in\s+(?:any|a single|one single|the same)\s+"
    rf"(?:(?P<n>{EN_NUMBER})[\s-]?)?(?P<u>day|week|month)s?(?: period| span| stretch)?",
    re.IGNORECASE,
)
_REPEATS_EN = (
    _REPEAT_EN,
    re.compile(
        rf"\b(?:at least\s+)?(?P<k>{EN_NUMBER})(?: or more|\+)?\s+(?P<unit>(?:different |separate |distinct )?days|orders|trips|visits|shops|times|purchases)\s+"
        rf"(?:inside\s+(?:of\s+)?|(?:with)?in\s+(?:the space of|(?:some|any|an?|one) (?:\w+ )?(?:span|period|stretch|window) of|any)\s+)(?:(?P<n>{EN_NUMBER}|an?)(?:[\s-]?(?P<u>day|week|month)s?\b|(?=\s*(?:[,.;?!]|$)|\s+(?:in|over|during|within)\b)))",
        re.IGNORECASE,
    ),
)
_REPEAT_ZH = re.compile(
    rf"(?:任意|任何|同一?个?)(?P<n>{ZH_NUMBER})?个?(?P<u>天|周|星期|月)(?:之?内|里)?(?:至少|都)?(?:来|买|下单|购物|光顾)(?:过|了)?(?:至少)?(?P<k>{ZH_NUMBER})[次单回](?:以上)?"
)


_BURST_EN = re.compile(
    rf"\b(?:any |at least )?(?P<k>{EN_NUMBER})(?: or more|\+)?\s+(?:orders?|trips|visits|shops)\s+(?:\w+ed |fell |made |begun )?(?:with)?in(?:side)?\s+(?:of )?"
    rf"(?P<n>{EN_NUMBER}|an?|one|any)[\s-]?(?P<u>day|week|month|fortnight)s?\b(?:\s+(?:span|period|stretch|of each other))?",
    re.IGNORECASE,
)
"""'five orders in a week sometime in the last half year': of the longer time, which must be said besides."""


def _repeats(text: str, chinese: bool, as_of: date, _items: FindItems) -> Iterator[Pattern]:
    for pattern in (_REPEAT_ZH,) if chinese else (*_REPEATS_EN, _BURST_EN):
        for match in pattern.finditer(text):
            times, days = int(to_number(match["k"])), _within(match["n"] or "1", match["u"] or "day")
            by_days = "days" in (match.groupdict().get("unit") or "").lower()
            if pattern is _BURST_EN and not _in_longer(text, match.span(), days, as_of):
                continue
            if times >= 2 and days > 0:
                unit: RepeatUnit = "days" if by_days else "orders"
                yield Pattern(match.span(), RepeatCondition("purchase", times, days, unit))


def _in_longer(text: str, span: Span, days: int, as_of: date) -> bool:
    """Whether the sentence says, besides, a longer time up to now."""
    start = max(text.rfind(mark, 0, span[0]) for mark in ".;")
    ends = [place for mark in ".;" if (place := text.find(mark, span[1])) >= 0]
    sentence = text[start + 1 : span[0]] + "," + text[span[1] : min(ends, default=len(text))]
    return longer_said(sentence, days, False, as_of)


def longer_said(text: str, days: int, chinese: bool, as_of: date) -> bool:
    """Whether a text says a time up to now of more than so many days."""
    times = (time for time in windows(text, chinese, as_of) if not (time.bare or time.gap))
    return any((time.window.start or 0) > days and time.window.end == 0 for time in times)


# --- One period against another ----------------------------------------------------------------
_COMPARED_EN = re.compile(
    rf"\b(?P<what>spen[dt](?:s|ing)?|order(?:ed|s|ing)?|shop(?:ped|s)?|visit(?:ed|s)?|came(?: in)?|bought|buy)\s+(?:at least (?:(?P<p>{EN_NUMBER})\s?%\s+)|(?P<x>twice|double) )?"
    r"(?P<d>less|more|fewer|as much)(?: often| money)?(?P<mid>[^.;?]{0,40}?)\b(?:than|as)\s+(?:(?:they|he|she) (?:did|had|spent)\s+|what they (?:did|spent)\s+)?(?P<ref>[^.;?,]{3,30})",
    re.IGNORECASE,
)
_COMPARED_ZH = re.compile(
    r"(?P<mid>[^，。；]{2,12}?)(?:的)?(?P<what>消费|花费|花的?钱?|订单|下单)?(?:金额|数)?比(?P<ref>[^，。；]{2,12}?)(?:的)?(?P<what2>消费|花费|花得?|订单|下单|来得?)?(?:金额|数)?(?:要|还)?(?P<d>少|多|低|高)"
)


def _comparisons(text: str, chinese: bool, as_of: date, items: FindItems) -> Iterator[Pattern]:
    if not chinese:
        for span, condition in comparisons(text, as_of, items):
            yield Pattern(span, condition)
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
