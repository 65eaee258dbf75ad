"""One time against another, or some days against others, in English: 'their December spend was more than twice
their November spend', 'units of milk fell by 25 % or more from Q3 to Q4', 'more orders than in the 60 days before'."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from assistant.linking.goods_compared import FindItems, compared_goods
from assistant.linking.numbers import DIGITS, EN_NUMBER, to_number
from assistant.linking.occasions import ALWAYS, occasions
from assistant.linking.spans import Span, after_last, blanked
from assistant.linking.windows import windows
from segments.definition import (
    ComparisonCondition,
    EventMeasure,
    EventQuantity,
    ItemFilter,
    Occasion,
    Window,
)

_PARTS = re.compile(
    r"[.;?!](?!\d)|,?\s*\b(?:restricted to|subject to|conditional (?:on|upon)|limited to|provided|assuming|as long as|among|i want|with (?=at least|a minimum|no fewer|more than \d))",
    re.IGNORECASE,
)
"""What ends a comparison: the sentence, or what the customers must be besides."""
_VALUE = r"spen[dt](?:s|ing)?|money|dollars|revenue|outlay|value|sales"
_UNITS = r"units?|quantit(?:y|ies)|volumes?"
_COUNT = r"orders?|ordered|trips?|visits?|visited|shop(?:ped|s)?|purchases?|times|often|(?:came|come)(?!\s+(?:to|out)\b)|frequency|bought"
_BASKET = (
    r"(?:average|avg|mean) (?:order|basket|ticket)(?: value| size)?|(?:order|basket) value|basket average"
)
_MEASURE = re.compile(
    rf"\b(?:(?P<basket>{_BASKET})|(?P<units>{_UNITS})|(?P<value>{_VALUE})|(?P<count>{_COUNT}))\b",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    rf"\bthe\s+(?:same\s+)?(?:(?P<n>{EN_NUMBER})\s+)?(?:(?P<u>day|week|month)s?\s+)?(?:preceding|before|prior(?: to)?|previous(?: to)?|earlier(?: than)?|leading up to)(?:\s+(?:that|those|these|it|them)\b(?:\s+\d+)?)?",
    re.IGNORECASE,
)
_EARLIER = re.compile(r"\b(?:previous|prior|preceding|earlier)\b", re.IGNORECASE)
"""'compared to the previous 90 days': those before the last 90."""
_FROM_TO = re.compile(
    r"\bfrom\s+([\w ]{2,25}?)\s+to\s+([\w ]{2,25}?)(?=\s*(?:$|[.,;?!)])|\s+(?:and|with|among|but)\b)",
    re.IGNORECASE,
)
_TIMES = rf"(?:(?P<twice>twice|double)|half|(?P<x>{EN_NUMBER})\s?(?:x|times))"
_NO_AMOUNT = rf"(?!\s+(?:than\s+|of\s+)?(?:[$€£]\s?\d|{EN_NUMBER}))"
"""'less than $50' is an amount, not a comparison of two times."""
_UP, _DOWN = r"more|higher|greater|bigger|larger|above|up|over", r"less|lower|fewer|smaller|below|down|under"
_BOUNDS = {
    "no higher than": "<=", "no more than": "<=", "no greater than": "<=", "not more than": "<=", "at most": "<=", "up to": "<=",
    "less than": "<", "lower than": "<", "under": "<", "below": "<",
    "no less than": ">=", "no lower than": ">=", "at least": ">=", "more than": ">", "higher than": ">", "over": ">", "above": ">",
}  # fmt: skip
"""'no higher than 60 percent of ...': the operator that bounds a share of the other time."""
_CHANGES = (
    # (pattern, whether it says a change over time: then the later time is compared with the earlier)
    (re.compile(rf"\b(?P<most>at least|more than|over)?\s*(?P<p>{DIGITS})\s?(?:%|percent)\s+(?:(?P<up>{_UP})|(?P<down>{_DOWN}))\b", re.I), False),
    (re.compile(rf"\b(?P<cmp>{'|'.join(_BOUNDS)})\s+(?P<p>{DIGITS})\s?(?:%|percent)\s+of\b", re.I), False),
    (re.compile(rf"\b(?P<least>at least|no less than)?\s*(?P<over>more than|over|exceed\w*|above)?\s*{_TIMES}(?=\s+(?:as|their|the|what|that|those|his|her|of)\b)", re.I), False),
    (re.compile(rf"\b(?:fell|fallen|dropp?(?:ed)?|declined?|decreased?|shrank|shrunk|went down|down|cut|reduced|slipped)\s*(?:by\s+)?(?P<more>more than|over|at least)?\s*(?:(?P<p>{DIGITS})\s?(?:%|percent)|(?P<half>half))(?:\s+or more)?(?P<down>)", re.I), True),
    (re.compile(rf"\b(?:rose|risen|grew|grown|increased?|went up|up|climbed|jumped)\s*(?:by\s+)?(?P<more>more than|over|at least)?\s*(?P<p>{DIGITS})\s?(?:%|percent)(?:\s+or more)?(?P<up>)", re.I), True),
    (re.compile(r"\b(?:at least |more than )?(?P<half>halved|cut in half|fell by half|dropped by half)\b", re.I), True),
    (re.compile(r"\b(?:at least |more than )?(?P<double>doubled)\b", re.I), True),
    (re.compile(rf"(?<!no )\b(?:(?P<up>{_UP}|exceed(?:s|ed|ing)?|topp?(?:ed|s)|beats?|outstripped|outweigh(?:s|ed)?)|(?P<down>{_DOWN}|fell short of|trailed))\b{_NO_AMOUNT}", re.I), False),
    (re.compile(r"\b(?:(?P<up>rose|grew|increased|went up|climbed)|(?P<down>fell|dropped|declined|decreased|shrank|went down))\b", re.I), True),
)  # fmt: skip


@dataclass(frozen=True)
class _Side:
    """What one side of a comparison is of, and where it is said."""

    span: Span
    window: Window
    occasion: Occasion = ALWAYS


def comparisons(text: str, as_of: date, items: FindItems) -> Iterator[tuple[Span, ComparisonCondition]]:
    """Every comparison of two times or two sets of days; a measure, both sides and a change must all be said."""
    place = 0
    for end in [*(match.start() for match in _PARTS.finditer(text)), len(text)]:
        found = _in_part(text[place:end], as_of, items)
        if found is not None:
            (start, stop), condition = found
            yield (place + start, place + stop), condition
        place = end + 1


def _in_part(part: str, as_of: date, items: FindItems) -> tuple[Span, ComparisonCondition] | None:
    sides = _sides(part, as_of)
    rest = blanked(part, [side.span for side in sides])
    change = _change(rest)
    if change is None:
        return None
    op, factor, span, over_time = change
    if len(sides) < 2:
        time = (sides[0].span, sides[0].window) if sides else None
        return compared_goods(rest, time, op, factor, span, items)
    measure = _MEASURE.search(rest)
    if len(sides) > 2:
        # Other times of the message are other conditions': those next to the change are compared.
        sides = [
            *[s for s in sides if s.span[1] <= span[0]][-1:],
            *[s for s in sides if s.span[0] >= span[1]][:1],
        ]
        said = list(_MEASURE.finditer(rest, max(sides[0].span[0] - 60, 0) if sides else 0, span[0]))
        measure = said[-1] if said else None
    if len(sides) != 2 or measure is None:
        return None
    first, second = sides
    joined = part[first.span[1] : second.span[0]]
    between = first.span[1] <= span[0] <= second.span[0] or re.search(r"\bthan\b|\bas\b", joined, re.I)
    from_to = re.search(r"\bto\b", joined, re.I) and re.search(r"\bfrom\s*$", part[: first.span[0]], re.I)
    against = re.search(r"\b(?:vs\.?|versus|against|compared)\b", joined, re.I)
    if from_to or (over_time and not against and _later(second, first)):
        first, second = second, first
    elif not (between or against):
        return None
    named = items(part)
    left, right = (_quantity(measure, side, named) for side in (first, second))
    if left == right:
        return None
    start = min(first.span[0], second.span[0], span[0], measure.start())
    end = max(first.span[1], second.span[1], span[1], measure.end() if measure.start() > start else 0)
    return (after_last(_LEAD, part, 0, start), end), ComparisonCondition(left, op, right, round(factor, 4))


_LEAD = re.compile(r"\b(?:whose|whom|who|that|where|and|but|either|or)\b|[,:]", re.IGNORECASE)


def _sides(part: str, as_of: date) -> list[_Side]:
    times = [t for t in windows(part, chinese=False, as_of=as_of) if not t.gap]
    sides = [_Side(t.span, t.window) for t in times if not t.bare]
    apart = _FROM_TO.search(part)
    if apart is not None and len(sides) == 1:
        ends = [windows(f"in {apart[i]}", chinese=False, as_of=as_of) for i in (1, 2)]
        if all(len(found) == 1 for found in ends):
            return [_Side(apart.span(i), ends[i - 1][0].window) for i in (1, 2)]
    for match in _RELATIVE.finditer(part):
        before = [side for side in sides if side.span[1] <= match.start()]
        if not before:
            continue
        start = before[-1].window.start
        unit = {"day": 1, "week": 7, "month": 30}.get((match["u"] or "").lower())
        said = to_number(match["n"]) if match["n"] else 0
        # 'the three before' are as long as what they precede.
        as_long = unit is None and said <= 12
        length = (start or 0) - before[-1].window.end if as_long else round(said * (unit or 1))
        sides = [s for s in sides if s.span[1] <= match.start() or match.end() <= s.span[0]]
        if start is not None and length > 0:
            sides.append(_Side(match.span(), Window(start + length, start)))
    if (
        len(sides) == 2
        and sides[0].window == sides[1].window
        and _EARLIER.search(part[slice(*sides[1].span)])
    ):
        start, end = sides[0].window.start or 0, sides[0].window.end
        sides[1] = _Side(sides[1].span, Window(2 * start - end, start))
    days = [m for m in occasions(part, chinese=False) if m.occasion.weekdays or m.occasion.hours]
    if len(days) == 2 and len({side.window for side in sides}) <= 1:
        window = sides[0].window if sides else Window()
        return [_Side(mention.span, window, mention.occasion) for mention in days]
    return sorted(sides, key=lambda side: side.span)


def _change(part: str) -> tuple[str, float, Span, bool] | None:
    """(operator, factor, span, whether it is a change over time) of what a part says of its two sides."""
    for pattern, over_time in _CHANGES:
        match = pattern.search(part)
        if match is None:
            continue
        groups = {name: value for name, value in match.groupdict().items() if value is not None}
        said = match.group().lower()
        if "cmp" in groups:
            return (
                _BOUNDS[re.sub(r"\s+", " ", groups["cmp"].lower())],
                to_number(groups["p"]) / 100,
                match.span(),
                over_time,
            )
        strict = bool(groups.get("over")) or "more than" in said or re.match(r"over\b", said) is not None
        if groups.get("p"):
            change = to_number(groups["p"]) / 100
            up = "up" in groups
            return (
                (">" if strict else ">=", 1 + change, match.span(), over_time)
                if up
                else ("<" if strict else "<=", 1 - change, match.span(), over_time)
            )
        if "half" in groups or said.strip() == "half":
            return "<" if strict else "<=", 0.5, match.span(), over_time
        if "double" in groups or "twice" in groups or "x" in groups:
            factor = to_number(groups["x"]) if "x" in groups else 2.0
            return ">" if strict else ">=", factor, match.span(), over_time
        return ">" if "up" in groups else "<", 1.0, match.span(), over_time
    return None


def _later(one: _Side, other: _Side) -> bool:
    return one.window.end < other.window.end


def _quantity(measure: re.Match[str], side: _Side, items: ItemFilter) -> EventQuantity | str:
    if measure["basket"]:
        return f"basket_value_{side.window.start}d"
    of: EventMeasure = "quantity" if measure["units"] else "value" if measure["value"] else "count"
    return EventQuantity("purchase", items, side.window, of, side.occasion)
