"""A part of a calendar period: 'early November', 'the second half of October', '11月中旬'."""

from __future__ import annotations

import re
from datetime import timedelta

from assistant.linking.calendar_days import Days, month_start
from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER, to_number
from assistant.linking.spans import Span

PART = re.compile(
    r"\b(?:(?P<early>early(?: in)?|beginning of|start of|first (?:couple of |few |two )?weeks? of)"
    r"|(?P<mid>mid(?:dle of)?)|(?P<late>late(?: in)?|end of|last (?:couple of |few |two )?weeks? of)"
    rf"|first (?P<days>{EN_NUMBER}) days of|(?:last|final) (?P<tail_days>{EN_NUMBER}) days of"
    rf"|first (?P<heads>{EN_NUMBER}) (?P<head_unit>week|month)s of|(?:last|final|closing) (?P<tails>{EN_NUMBER}) (?P<tail_unit>week|month)s of"
    r"|(?P<h1>(?:first|front) half of)|(?P<h2>(?:second|latter|last|back) half of))[\s-]*(?:the\s+(?:month\s+of\s+)?)?$",
    re.I,
)  # fmt: skip
PART_ZH = re.compile(
    r"(?:的)?(?:(?P<h1>[上前]半月)|(?P<h2>[下后]半月)|(?P<early>初|上旬|开头)|(?P<mid>中旬|中(?=[以到至之，、])|月中)"
    rf"|[前头](?P<days>{ZH_NUMBER})天|最后(?P<tail_days>{ZH_NUMBER})天"
    r"|(?P<late>底|末|下旬)|(?:第(?P<nth>[一二三四])|(?P<head>[前头])(?P<heads>[一两二三])?|最后(?P<tails>[一两二三]?))个?(?:周(?!末)|星期|礼拜))"
)


def without_part(text: str, chinese: bool) -> str:
    """What stands beside a period, without the part of it that is said."""
    if chinese:
        return PART_ZH.sub("", text)
    return re.sub(r"(?:the\s+)?$", "", PART.sub("", text)) if PART.search(text) else text


def part_of(text: str, chinese: bool, span: Span, days: Days) -> Days:
    """The days of a period, or of the part of it that is meant. span: the period's words."""
    match = PART_ZH.match(text, span[1]) if chinese else PART.search(text[: span[0]])
    if match is None:
        return days
    first, after = days
    length = (after - first).days
    said = match.group().lower()
    groups = match.groupdict()
    if count := groups["days"] or groups["tail_days"]:
        several = timedelta(days=round(to_number(count)))
        return (first, first + several) if groups["days"] else (after - several, after)
    if re.search(r"周|星期|礼拜", said):
        if groups["nth"]:
            begun = first + timedelta(days=7 * int(to_number(groups["nth"])) - 7)
            return begun, begun + timedelta(days=7)
        several = timedelta(days=7 * int(to_number(groups["heads"] or groups["tails"] or "一")))
        return (first, first + several) if groups["head"] else (after - several, after)
    if not chinese and (count := groups["heads"] or groups["tails"]):
        number, unit = round(to_number(count)), (groups["head_unit"] or groups["tail_unit"]).lower()
        if unit == "week":
            several = timedelta(days=7 * number)
            return (first, first + several) if groups["heads"] else (after - several, after)
        begin, end = first.year * 12 + first.month - 1, after.year * 12 + after.month - 1
        return (
            (first, min(after, month_start(begin + number)))
            if groups["heads"]
            else (max(first, month_start(end - number)), after)
        )
    if "week" in said:
        weeks = 7 * (2 if re.search(r"couple|two", said) else 3 if "few" in said else 1)
        return (
            (first, first + timedelta(days=weeks))
            if groups["early"]
            else (after - timedelta(days=weeks), after)
        )
    if groups.get("h1") or groups.get("h2"):
        half = first + timedelta(days=(length + 1) // 2)
        return (first, half) if groups.get("h1") else (half, after)
    third = timedelta(days=round(length / 3))
    if groups["early"]:
        return first, first + third
    return (first + third, after - third) if groups["mid"] else (after - third, after)
