"""What the words around calendar periods make of them: 'since Thanksgiving', 'between October 1 and mid-November', '2017年上半年'.

Every combination is read in one place: a period says its days, the words before and between say which of them are meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from assistant.linking.calendar_days import Days, relative
from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER, to_number
from assistant.linking.part_of_period import PART, PART_ZH, part_of, without_part
from assistant.linking.periods import Period, periods, zh_unit
from assistant.linking.spans import Span


@dataclass(frozen=True)
class Dated:
    """Words and the days they mean, `first` up to, not including, `after`; first None = ever before `after`."""

    span: Span
    first: date | None
    after: date


_THE = r"(?:the\s+)?"
_BETWEEN_EN = re.compile(rf"\s*(?P<to>to|through|thru|until|till|up to|-|–|—|/|&|and|or)\s*{_THE}", re.I)
_BETWEEN_ZH = re.compile(r"\s*(?:起|开始)?[，,]?\s*(?P<to>到|至|-|~|—|和|与|跟|、|或|或者)\s*")
_LEADS_EN = (
    ("since", re.compile(r"\b(?:ever\s+)?(?:since|on or after|(?:as )?of and after|no earlier than|not before|starting(?: in| from)?|beginning in)\s+(?:the\s+|last\s+)?$", re.I)),
    ("after", re.compile(r"\bafter\s+(?:the\s+|last\s+)?$", re.I)),
    ("before", re.compile(r"\b(?:before|prior to|earlier than|ahead of|up (?:to|until)|until|till|by(?= the start))\s+(?:the\s+|last\s+)?$", re.I)),
    ("in", re.compile(
        r"\b(?:(?:in|during|over|on|at|around|for|of|throughout|(?:all|right) through|within|across|only in|inside|from|this|last)\s+(?:(?:all|the whole|the entire|most)\s+(?:of\s+)?)?(?:the\s+)?|all(?: of)?\s+(?:the\s+)?|the\s+|(?:calendar|fiscal) year\s+)$", re.I,
    )),
)  # fmt: skip
_AROUND = re.compile(
    rf"\b(?:(?:in|on|during|over|within)\s+)?(?:the\s+)?(?:(?P<n>{EN_NUMBER})\s+)?(?P<u>day|weekend|week|month|year)s?\s+"
    r"(?:before|leading up to|ahead of|prior to|running up to|(?P<after>after|following))\s+(?:the\s+)?$",
    re.I,
)
"""'the two weeks before Thanksgiving'."""
_MEASURED = re.compile(
    r"\s+(?:spend(?:ing)?|orders?|sales|purchases?|visits?|trips?|shopping|baskets?|revenue|units)\b", re.I
)
"""'their December spend': a month before what is measured in it."""
_TO_THE_END = re.compile(
    r"\b(?:(?:at any time\s+)?(?:before|prior to|until|till|by|up (?:to|until)|through|thru)\s+(?:the\s+)?(?:very\s+)?end of"
    r"|(?:up to|until|till|through|by) and including"
    r"|(?<!all )(?<!right )(?<!way )(?<!half)(?<!mid)\b(?:up\s+)?(?:through|thru))\s+(?:the\s+)?$",
    re.I,
)
"""'until the end of June', 'through June': all that was before July."""
_AROUND_ZH = re.compile(
    rf"(?:之)?(?:前|(?P<after>后))(?:的|那)?(?P<n>{ZH_NUMBER}|半)?个?(?P<u>天|周末?|星期|礼拜|月)(?:之?内|里)?"
)
"""'圣诞节前一周', '感恩节后三天'."""
_TRAILS_EN = re.compile(
    r"\s+(?:onwards?|on(?=\s*(?:$|[.,;?!)]))|forward|to date|to now|until now|and (?:after|later|onwards?))\b",
    re.I,
)
_UP_TO_ZH = re.compile(r"截[至止]到?\s*$")
_TRAILS_ZH = (
    (
        "since",
        re.compile(
            r"(?:以来|[及和]?以后|[及和]?之后|往后|至今|到现在|到今天|起|开始|后(?=[^来，。]|就|再|没))"
        ),
    ),
    ("after", re.compile(r"(?:结束|过完|过了|过)(?:之|以)?后")),
    ("before", re.compile(r"(?:以前|之前|前(?![三四两\d]))")),
    ("in", re.compile(r"(?:期间|之间|当天|那天|那阵子?|里|中|内|时候?)")),
)
_ENDED_EN = re.compile(
    r"\s+(?:(?:has|had)\s+)?(?:ended|finished|closed)\b|\s+(?:was|were|is|had been)\s+(?:over|done|finished|past|behind us)\b",
    re.I,
)
_ONCE = re.compile(r"\b(?:since|after|once|when)\s+(?:the\s+)?$", re.I)
"""'after September ended', 'once the summer was over'."""
_LEADS_ZH = re.compile(r"(?:从|自从?|打从?|在|于)\s*$")


def dated(text: str, chinese: bool, as_of: date) -> list[Dated]:
    """Every calendar expression, left to right; times yet to come are left out."""
    found = list(periods(text, chinese, as_of))
    if chinese:
        found = _apart(text, found, as_of)
    out: list[Dated] = []
    place = 0
    while place < len(found):
        pair = found[place : place + 2]
        made = _range(text, chinese, pair[0], pair[1], as_of) if len(pair) == 2 else None
        taken = 2 if made is not None else 1
        if made is None and (listed := _listed_months(text, found[place:], as_of)):
            made, taken = listed
        place += taken
        made = made or _alone(text, chinese, pair[0], as_of)
        if made is not None and made.after > (made.first or date.min):
            out.append(made)
    return out


_THIS_ZH, _LAST_ZH = re.compile(r"这|本|当前"), re.compile(r"上(?!上)一?个?(?P<u>季度?|月|周|星期|礼拜)")


def _always(days: Days) -> Callable[[int], Days | None]:
    return lambda _: days


def _apart(text: str, found: list[Period], as_of: date) -> list[Period]:
    """'这个月比上个月': where the last month is this one's (on its last day), the one before is meant by 'last'."""
    said = [(period, text[slice(*period.span)]) for period in found if period.kind == "relative"]
    this = {period.days(as_of) for period, words in said if _THIS_ZH.match(words)}
    out = []
    for period in found:
        last = _LAST_ZH.match(text, period.span[0]) if period.kind == "relative" else None
        if last is not None and period.days(as_of) in this:
            days = relative(zh_unit(last["u"]), 2, as_of)
            period = Period(period.span, period.kind, _always(days), days[0].year)
        out.append(period)
    return out


def _range(text: str, chinese: bool, a: Period, b: Period, as_of: date) -> Dated | None:
    """'A to B', 'between A and B': the year that one of them says is the other's."""
    joint = (_BETWEEN_ZH if chinese else _BETWEEN_EN).fullmatch(
        without_part(text[a.span[1] : b.span[0]], chinese)
    )
    if joint is None:
        return None
    before = text[: a.span[0]]
    opened = re.search(r"\b(?:between|from)\s+(?:the\s+)?$", without_part(before, chinese), re.I)
    word = joint["to"].lower()
    if (
        word in ("and", "or", "/", "&", "和", "与", "跟", "、", "或", "或者")
        and not opened
        and not (chinese and text[b.span[1] :].startswith("之间"))
    ):
        return _months_in_a_row(text, a, b, as_of)
    if a.year is None and b.year is not None:
        a = Period(a.span, a.kind, a.of, b.year if b.kind != "relative" else None)
    first_days = a.days(as_of)
    if first_days is None:
        return None
    start, _ = part_of(text, chinese, a.span, first_days)
    end_days = b.days_after(start)
    if end_days is None:
        return None
    low, high = part_of(text, chinese, b.span, end_days)
    # 'between Thanksgiving and Christmas' ends as Christmas begins; 'to Christmas' and 'October to December' include it.
    end = low if b.kind == "holiday" and word in ("and", "until", "till") else high
    span = (opened.start() if opened else a.span[0], b.span[1])
    part = PART_ZH.match(text, b.span[1]) if chinese else None
    span = (span[0], part.end() if part else span[1])
    tail = re.match(r"(?:\s*inclusive\b|之间|期间|为止|止|这段时间)", text[span[1] :])
    return Dated((span[0], span[1] + (tail.end() if tail else 0)), start, min(end, as_of))


def _months_in_a_row(text: str, a: Period, b: Period, as_of: date) -> Dated | None:
    """'in July and August', 'in Q3 and Q4' are one time; 'in March and October' two."""
    lead = re.search(r"\b(?:in|during|over)\s+(?:the\s+)?$|在?$", text[: a.span[0]], re.I)
    # Chinese quarters are joined later (`in_each`), where 'in each of them' is read.
    kinds = ("month",) if lead and lead.group() in ("", "在") else ("month", "quarter")
    if a.kind != b.kind or a.kind not in kinds or not lead:
        return None
    days = _without_gap(Period(a.span, a.kind, a.of, a.year or b.year).days(as_of), [b])
    return Dated((lead.start(), b.span[1]), days[0], min(days[1], as_of)) if days else None


def _without_gap(first: Days | None, rest: Sequence[Period]) -> Days | None:
    """The days of a period and of those that follow it, each beginning as the one before ends; None where one does not."""
    whole = first
    for period in rest:
        days = period.days_after(whole[0]) if whole else None
        whole = (whole[0], days[1]) if whole and days and days[0] == whole[1] else None
    return whole


_LISTED = re.compile(r"\s*(?:,|,?\s*(?:and|or|&))\s*", re.I)


def _listed_months(text: str, found: Sequence[Period], as_of: date) -> tuple[Dated, int] | None:
    """'in June, July and August': one time, and how many periods it is said in."""
    count = 1
    while (
        count < len(found)
        and found[count].kind == "month"
        and _LISTED.fullmatch(text[found[count - 1].span[1] : found[count].span[0]])
    ):
        count += 1
    lead = re.search(r"\b(?:in|during|over)\s+(?:the\s+)?$", text[: found[0].span[0]], re.I)
    if count < 3 or lead is None or found[0].kind != "month":
        return None
    days = _without_gap(found[0].days(as_of), found[1:count])
    if days is None:
        return None
    return Dated((lead.start(), found[count - 1].span[1]), days[0], min(days[1], as_of)), count


def _alone(text: str, chinese: bool, period: Period, as_of: date) -> Dated | None:
    days = period.days(as_of)
    if days is None:
        return None
    first, after = part_of(text, chinese, period.span, days)
    start, end = period.span
    if not chinese and period.kind not in ("season", "holiday") and (to := _TO_THE_END.search(text[:start])):
        return Dated((to.start(), end), None, min(days[1], as_of))
    part = PART.search(text[:start]) if not chinese else None
    start = part.start() if part else start
    if part and (the := re.search(r"\bthe\s+$", text[:start], re.I)):
        start = the.start()
    if not chinese and (around := _AROUND.search(text[:start])):
        if around["u"].lower() == "weekend":
            return _cut((around.start(), end), *_weekend_beside((first, after), bool(around["after"])), as_of)
        unit = {"day": 1, "week": 7, "month": 30, "year": 365}[around["u"].lower()]
        length = timedelta(days=round(to_number(around["n"] or "1") * unit))
        if around["after"]:
            return _cut((around.start(), end), after, after + length, as_of)
        return _cut((around.start(), end), first - length, first, as_of)
    if chinese and period.kind == "holiday" and (beside := _AROUND_ZH.match(text, end)):
        return _beside(beside, (start, beside.end()), days, as_of)
    if not chinese and (over := _ENDED_EN.match(text, end)) and (once := _ONCE.search(text[:start])):
        return _cut((once.start(), over.end()), after, as_of, as_of)
    if chinese and (up_to := _UP_TO_ZH.search(text[:start])):
        _, _, trail_to = _how(text, chinese, start, end)
        return Dated((up_to.start(), trail_to), None, min(days[1], as_of))
    how, lead_from, trail_to = _how(text, chinese, start, end)
    if how is None and period.weak and part is None and not (not chinese and _MEASURED.match(text, end)):
        return None
    if how == "in" and period.weak and period.kind == "season" and not _season_lead(text[lead_from:start]):
        return None
    span = (lead_from, trail_to)
    opened = not chinese and re.match(r"from\b", text[lead_from:start], re.I)
    if how == "since" or (opened and (part or after - first == timedelta(days=1))):
        # 'nothing from July 1', 'from mid-October': a day and a part begin a time, a month is one.
        ended = (
            period.kind == "season"
            or (period.kind == "relative" and not chinese)
            or _at_the_end(text, part, end)
        )
        return _cut(span, after if ended else first, as_of, as_of)
    if how == "after":
        whole = period.kind in ("season", "month", "quarter", "half", "year", "relative")
        return _cut(span, after if whole else first, as_of, as_of)
    if how == "before":
        return Dated(span, None, first) if first < as_of else None
    return _cut(span, first, after, as_of)


def _at_the_end(text: str, part: re.Match[str] | None, end: int) -> bool:
    """Whether the end of a period is said, after which a time begins: 'since the end of June', 6月底以来."""
    return (
        re.match(r"end of", part.group(), re.I) is not None
        if part
        else re.match(r"[底末]", text[end:]) is not None
    )


def _weekend_beside(days: Days, afterwards: bool) -> Days:
    """The last Saturday and Sunday before some days, or the first after them."""
    first, after = days
    saturday = after + timedelta(days=(5 - after.weekday()) % 7)
    if not afterwards:
        saturday = first - timedelta(days=(first.weekday() - 6) % 7 + 1)
    return saturday, saturday + timedelta(days=2)


def _beside(match: re.Match[str], span: Span, days: Days, as_of: date) -> Dated | None:
    """'圣诞节前一周' is the seven days that end as the holiday begins."""
    if match["u"] == "周末":
        return _cut(span, *_weekend_beside(days, bool(match["after"])), as_of)
    count = 0.5 if match["n"] == "半" else to_number(match["n"] or "1")
    length = timedelta(days=round(count * {"天": 1, "月": 30}.get(match["u"], 7)))
    first, after = days
    return (
        _cut(span, after, after + length, as_of)
        if match["after"]
        else _cut(span, first - length, first, as_of)
    )


def _season_lead(lead: str) -> bool:
    return re.search(r"\b(?:in|during|over|last|this|throughout|all|across)\b", lead, re.I) is not None


def _cut(span: Span, first: date, after: date, as_of: date) -> Dated | None:
    after = min(after, as_of)
    return Dated(span, first, after) if first < after else None


def _how(text: str, chinese: bool, start: int, end: int) -> tuple[str | None, int, int]:
    """What the words around a period make of it, and the whole of those words."""
    if chinese:
        part = PART_ZH.match(text, end)
        end = part.end() if part else end
        lead = _LEADS_ZH.search(text[:start])
        start = lead.start() if lead else start
        for how, pattern in _TRAILS_ZH:
            match = pattern.match(text, end)
            if match:
                return how, start, match.end()
        return (
            ("since" if lead and lead.group().strip() in ("从", "自", "自从", "打从") else "in"),
            start,
            end,
        )
    for how, pattern in _LEADS_EN:
        match = pattern.search(text[:start])
        if match:
            trail = _TRAILS_EN.match(text, end)
            on = bool(trail) and how == "in" and match.group().strip().lower().startswith("from")
            return ("since" if on else how), match.start(), trail.end() if on and trail else end
    trail = _TRAILS_EN.match(text, end)
    return ("since", start, trail.end()) if trail else (None, start, end)
