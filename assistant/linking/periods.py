"""Calendar periods as a question says them: days, weeks, months, quarters, halves, seasons, years, holidays.

A period without a year is the latest that had begun before the as-of date. What the words around it make of it is read in
`dated`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from assistant.linking.calendar_days import (
    HOLIDAYS,
    MONTH,
    ORDINALS,
    SEASONS,
    Days,
    day_of,
    day_span,
    month_number,
    months_from,
    relative,
    weekend_of,
    year_said,
)
from assistant.linking.numbers import ZH_NUMBER, to_number
from assistant.linking.part_of_period import PART
from assistant.linking.spans import Span, free


@dataclass(frozen=True)
class Period:
    """A calendar period as said. `of` gives its days in a year; `year` is the year said, if any.

    weak: a word that only means a time after a preposition ('May', 'fall', 'spring').
    """

    span: Span
    kind: str
    of: Callable[[int], Days | None]
    year: int | None = None
    weak: bool = False

    def days(self, as_of: date) -> Days | None:
        """The days of the year said, else of the latest such period begun before the as-of date."""
        if self.year is not None:
            return self.of(self.year)
        years = range(as_of.year, as_of.year - 9, -1)
        found = (self.of(year) for year in years)
        return next((days for days in found if days is not None and days[0] < as_of), None)

    def days_after(self, start: date) -> Days | None:
        """The first such period that ends after a day: the end of a range."""
        if self.year is not None:
            return self.of(self.year)
        found = (self.of(year) for year in range(start.year - 1, start.year + 9))
        return next((days for days in found if days is not None and days[1] > start), None)


Maker = Callable[[re.Match[str], date], Period | None]
_Y = r"(?:,?\s*(?:of\s+)?(?P<y>20\d\d|last year|this year))?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"


def _of_year(kind: str, of: Callable[[re.Match[str], int], Days | None], *, weak: bool = False) -> Maker:
    def make(match: re.Match[str], as_of: date) -> Period | None:
        groups = match.groupdict()
        said = groups.get("y") or groups.get("y2")
        year = year_said(said.split()[0] if said else None, as_of)
        return Period(match.span(), kind, lambda y: of(match, y), year, weak and year is None)

    return make


def _fixed(kind: str, days: Callable[[re.Match[str], date], Days]) -> Maker:
    def make(match: re.Match[str], as_of: date) -> Period | None:
        found = days(match, as_of)
        return Period(match.span(), kind, lambda _: found, found[0].year)

    return make


def _holiday(match: re.Match[str], year: int) -> Days:
    day = next(on for said, on in HOLIDAYS.items() if re.fullmatch(said, match["h"].lower()))(year)
    monday, groups = day - timedelta(days=day.weekday()), match.groupdict()
    if groups.get("weekend"):
        # The nearest one; 'Labor Day weekend' ends with its Monday, 'Thanksgiving weekend' begins with its Thursday.
        saturday = monday + timedelta(days=5 if day.weekday() > 1 else -2)
        sunday = saturday + timedelta(days=1)
        beside = day if day.weekday() in (0, 3, 4) else saturday
        return min(saturday, beside), max(sunday, beside) + timedelta(days=1)
    if groups.get("week") or groups.get("week_of"):
        return monday, monday + timedelta(days=7)
    return day, day + timedelta(days=1)


def _en_days(match: re.Match[str], year: int) -> Days | None:
    """'December 1 to 7'; '23 or 24 December' only where one follows the other, since one time is meant."""
    first, last = int(match["d"]), int(match["e"])
    between = re.search(r"\b(?:between|from)\s+(?:the\s+)?$", match.string[: match.start()], re.IGNORECASE)
    listed = match["j"].lower() in ("and", "or") and not between and last != first + 1
    return None if listed else day_span(year, month_number(match["m"]), first, last)


def _en_week(match: re.Match[str], year: int) -> Days | None:
    """'the week of December 13' is its calendar week; a week that begins on a day is the seven days from it."""
    day = day_of(year, month_number(match["m"] or match["m2"]), int(match["d"] or match["d2"]))
    if day is None:
        return None
    if match["how"].lower() == "of":
        day -= timedelta(days=day.weekday())
    return day, day + timedelta(days=7)


def _en_slashed(match: re.Match[str], year: int) -> Days | None:
    """'12/1-12/24': months first, as in the US, unless only days first make dates; a range may end in the year after."""
    pairs = [(int(match["m"]), int(match["d"])), (int(match["m2"]), int(match["d2"]))]
    for first, last in (pairs, [(month, day) for day, month in pairs]):
        start, end = day_of(year, *first), day_of(year + (last < first), *last)
        if start is not None and end is not None:
            return start, end + timedelta(days=1)
    return None


_DAY_LEAD = re.compile(
    r"\b(?:since|after|before|until|till|by|from|on|starting|beginning|up to|prior to)\s+$", re.IGNORECASE
)
_DAY_TRAIL = re.compile(r"\s+(?:onwards?|on(?=\s*(?:$|[.,;?!)]))|forward|to date)\b", re.IGNORECASE)


def _en_slash(match: re.Match[str], as_of: date) -> Period | None:
    """'since 9/1': month first, as in the US, unless only day first makes a date; '2/3' alone is a fraction."""
    text, one, two = match.string, int(match["a"]), int(match["b"])
    if not (_DAY_LEAD.search(text[: match.start()]) or _DAY_TRAIL.match(text, match.end())):
        return None
    month, day = (one, two) if one <= 12 else (two, one)
    if day_of(as_of.year, month, day) is None:
        return None
    return Period(match.span(), "day", lambda y: day_span(y, month, day, day))


def _quarters(match: re.Match[str], year: int) -> Days:
    """'the first three quarters' of a year."""
    count = int(to_number(match["n"]))
    return months_from(year, 1, 3 * count)


def _zh_months(year: int, first: str, last: str) -> Days | None:
    """'6-8月', '三四月份'."""
    a, b = int(to_number(first)), int(to_number(last))
    return months_from(year, a, b - a + 1) if 1 <= a < b <= 12 else None


def _en_relative(match: re.Match[str], as_of: date) -> Days:
    back = {"last": 1, "previous": 1, "prior": 1}.get(match["w"].lower(), 0)
    return relative(match["u"].lower(), back + bool(match["more"]), as_of)


def _of_a_part(match: re.Match[str], as_of: date) -> Period | None:
    """'the last three months of the year': the year is a time where a part of it is said."""
    if not PART.search(match.string[: match.start()]):
        return None
    days = relative(match["u"].lower(), 0, as_of)
    return Period(match.span(), "relative", lambda _: days, days[0].year)


def _iso(match: re.Match[str], _as_of: date) -> Period | None:
    day = day_of(int(match["y"]), int(match["m"]), int(match["d"]))
    if day is None:
        return None
    return Period(match.span(), "day", lambda _: (day, day + timedelta(days=1)), day.year)


def _compiled(patterns: Sequence[tuple[str, Maker]]) -> tuple[tuple[re.Pattern[str], Maker], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), make) for pattern, make in patterns)


_HOLIDAY = "|".join(HOLIDAYS)
_ISO = r"(?P<y>20\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)"
_EN = _compiled(
    (
        (_ISO, _iso),
        (r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>20\d\d)(?!\d)", _iso),
        # As the National Retail Federation counts it.
        (rf"\b(?:the\s+)?(?:holiday|christmas|xmas|festive)(?:\s+shopping)?\s+(?:season|period)\b{_Y}", _of_year("days", lambda _, y: months_from(y, 11, 2))),
        (
            rf"(?P<week_of>\bthe\s+week\s+of\s+)?\b(?P<h>{_HOLIDAY})(?:(?P<weekend>\s+weekend)|(?P<week>\s+week))?\b(?!\s+(?:seasonal|stuff|decor\w*|goods|items|products|aisle|merchandise)\b){_Y}",
            _of_year("holiday", _holiday),
        ),
        (
            rf"\b(?:the\s+)?week\s+(?P<how>of|beginning|starting|commencing)\s+(?:on\s+)?(?:the\s+)?(?:(?P<m>{MONTH})\.?\s+{_DAY}|{_DAY.replace('<d>', '<d2>')}\s+(?:of\s+)?(?P<m2>{MONTH}))\b{_Y}",
            _of_year("days", _en_week),
        ),
        (r"(?<![\d/$.])(?P<m>\d{1,2})/(?P<d>\d{1,2})\s*(?:-|–|—|to|through|thru)\s*(?P<m2>\d{1,2})/(?P<d2>\d{1,2})(?![\d/])", _of_year("days", _en_slashed)),
        (r"(?<![\d/$.])(?P<a>\d{1,2})/(?P<b>\d{1,2})(?![\d/%])", _en_slash),
        (r"(?<![\d/$.])(?P<m>0?[1-9]|1[0-2])/(?P<y>20\d\d)(?!\d)", _of_year("month", lambda m, y: months_from(y, int(m["m"]), 1))),
        (
            rf"\b(?P<m>{MONTH})\.?\s+(?:the\s+)?{_DAY}\s*(?P<j>-|–|—|to|through|thru|and|or|until)\s*(?:the\s+)?(?P<e>\d{{1,2}})(?:st|nd|rd|th)?\b(?!,?\d){_Y}",
            _of_year("days", _en_days),
        ),
        (
            rf"\b(?:the\s+)?{_DAY}\s*(?P<j>-|–|—|to|through|thru|and|or|until)\s*(?:the\s+)?(?P<e>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m>{MONTH})\b\.?{_Y}",
            _of_year("days", _en_days),
        ),
        (
            rf"\b(?P<m>{MONTH})\.?\s+(?:the\s+)?{_DAY}\b(?!\s*(?:%|,\d{{3}}|k\b)){_Y}",
            _of_year("day", lambda m, y: day_span(y, month_number(m["m"]), int(m["d"]), int(m["d"]))),
        ),
        (
            rf"\b(?:the\s+)?{_DAY}\s+(?:of\s+)?(?P<m>{MONTH})\b\.?{_Y}",
            _of_year("day", lambda m, y: day_span(y, month_number(m["m"]), int(m["d"]), int(m["d"]))),
        ),
        (
            rf"\b(?:the\s+)?(?:(?P<y2>20\d\d)\s*)?(?:q(?P<q>[1-4])|(?P<o>first|second|third|fourth|1st|2nd|3rd|4th|final|last(?=\s+quarter\s+of\b))\s+quarter)(?:\s+of\s+the year)?\b{_Y}",
            _of_year("quarter", lambda m, y: months_from(y, 3 * _quarter(m) - 2, 3)),
        ),
        (
            rf"\b(?:the\s+)?first\s+(?P<n>two|three|2|3)\s+quarters(?:\s+of\s+the year)?\b{_Y}",
            _of_year("quarters", _quarters),
        ),
        (
            rf"\b(?:the\s+)?(?:h(?P<q>[12])|(?P<o>first|second|last|latter|back|front)\s+half)\b(?!\s+of\s+(?:{MONTH})\b)(?:\s+of\s+the year)?{_Y}",
            _of_year("half", lambda m, y: months_from(y, 1 if (m["q"] or m["o"]).lower() in ("1", "first", "front") else 7, 6)),
        ),
        (r"\b(?:all|the whole|the entire)\s+year(?:\s+(?:long|round|through))?\b(?!\s+(?:of|before|after))", _fixed("relative", lambda _, a: relative("year", 0, a))),
        (r"(?<=\bof )the\s+(?P<u>year|quarter|month)\b", _of_a_part),
        (r"\bthe\s+(?P<u>week|month|quarter|year)\s+before\s+last\b", _fixed("relative", lambda m, a: relative(m["u"].lower(), 2, a))),
        (
            rf"\b(?P<w>last|previous|prior|this|current)\s+(?P<u>week|month|quarter|year)\b(?:(?P<more>\s+before\s+last)|(?!\s+(?:before|of\s+(?:{MONTH})\b)))",
            _fixed("relative", _en_relative),
        ),
        (
            rf"\b(?:the months? of\s+)?(?P<m>{MONTH})\b\.?{_Y}",
            _of_year("month", lambda m, y: months_from(y, month_number(m["m"]), 1), weak=True),
        ),
        (
            rf"\b(?P<s>spring|summer|fall|autumn|winter)(?:time|\s+months)?\b{_Y}",
            _of_year("season", lambda m, y: months_from(y, SEASONS[m["s"].lower()], 3), weak=True),
        ),
        (r"(?<![\d$,.-])\b(?P<y>20[012]\d)\b(?![\d,.]\d|\s*(?:units?|items?|dollars|bucks|orders|trips|times|%))", _of_year("year", lambda _, y: months_from(y, 1, 12))),
    )
)  # fmt: skip


def _quarter(match: re.Match[str]) -> int:
    return int(match["q"]) if match["q"] else ORDINALS[match["o"].lower()]


_ZY = r"(?:(?P<y>20\d\d|去|今|前)年的?)?"
_ZH = _compiled(
    (
        (_ISO, _iso),
        (rf"{_ZY}国庆节?(?:的?(?:期间|长假|黄金周|假期|那几天|那一?周))", _of_year("days", lambda _, y: day_span(y, 10, 1, 7))),
        (rf"{_ZY}暑(?:假|期)(?:期间)?", _of_year("season", lambda _, y: months_from(y, 7, 2))),
        (rf"{_ZY}(?P<h>{_HOLIDAY})(?P<week>[那当同]?一?周(?!年)|所在的?那?一?周)?", _of_year("holiday", _holiday)),
        (
            rf"{_ZY}(?P<m>{ZH_NUMBER})月份?(?P<d>{ZH_NUMBER})[日号]?\s*(?:到|至|-|~|—)\s*(?P<e>{ZH_NUMBER})[日号]",
            _of_year("days", lambda m, y: _zh_days(y, m["m"], m["d"], m["e"])),
        ),
        (rf"{_ZY}(?P<m>{ZH_NUMBER})月份?(?P<d>{ZH_NUMBER})[日号]", _of_year("day", lambda m, y: _zh_days(y, m["m"], m["d"], m["d"]))),
        (rf"{_ZY}前(?P<n>[两二三23])季度", _of_year("quarters", _quarters)),
        (rf"{_ZY}(?:入(?P<s>[春夏秋冬])|开(?P<s2>春))", _of_year("day", lambda m, y: day_span(y, SEASONS[m["s"] or m["s2"]], 1, 1))),
        (rf"{_ZY}(?<![\d近第])(?P<a>{ZH_NUMBER})月?份?(?:到|至|-|~|—)(?P<b>{ZH_NUMBER})月(?:份|(?![\d一二三四五六七八九十]))", _of_year("months", lambda m, y: _zh_months(y, m["a"], m["b"]))),
        (rf"{_ZY}(?<![\d十近第])(?P<a>[一二三四五六七八])(?P<b>[二三四五六七八九])月(?:份|(?!\d))", _of_year("months", lambda m, y: _zh_months(y, m["a"], m["b"]) if to_number(m["b"]) - to_number(m["a"]) == 1 else None)),
        (rf"{_ZY}(?:第?(?P<q>[一二三四1234])个?季度|Q(?P<q2>[1-4]))", _of_year("quarter", lambda m, y: months_from(y, 3 * int(to_number(m["q"] or m["q2"])) - 2, 3))),
        (rf"{_ZY}(?P<o>[上下前后])半年", _of_year("half", lambda m, y: months_from(y, 1 if m["o"] in "上前" else 7, 6))),
        (r"(?P<w>上|这|本)个?周末", _fixed("days", lambda m, a: weekend_of(m["w"], a))),
        (r"(?:上上个?|前个)(?P<u>季度?|月|周|星期|礼拜)", _fixed("relative", lambda m, a: relative(zh_unit(m["u"]), 2, a))),
        (r"(?:上一?个?|前一个?)(?P<u>季度?|月(?!\d)|周(?!末)|星期|礼拜)(?:份)?", _fixed("relative", lambda m, a: relative(zh_unit(m["u"]), 1, a))),
        (r"(?:这个?|本|当前这?个?)(?P<u>季度?|月(?!\d)|周(?!末)|星期|礼拜)(?:份)?", _fixed("relative", lambda m, a: relative(zh_unit(m["u"]), 0, a))),
        (r"(?:(?P<y>20\d\d|去|今|前)年的?)?(?P<s>[春夏秋冬])[天季]", _of_year("season", lambda m, y: months_from(y, SEASONS[m["s"]], 3))),
        (rf"{_ZY}(?<!近)(?<!去)(?<![这几每多两数])(?P<m>{ZH_NUMBER})月(?:份|(?!\d))(?!以?内)", _of_year("month", lambda m, y: _zh_month(y, m["m"]))),
        (r"(?:去年|上一?年(?!度))(?:全年|一整年|整年|一年)?", _fixed("relative", lambda _, a: relative("year", 1, a))),
        (r"今年(?:全年|一整年|以来|至今)?|本年度?", _fixed("relative", lambda _, a: relative("year", 0, a))),
        (r"前年", _fixed("relative", lambda _, a: relative("year", 2, a))),
        (r"(?P<y>20\d\d)年(?:全年|一整年|整年|度)?", _of_year("year", lambda _, y: months_from(y, 1, 12))),
        (r"(?<!前)(?:全年|一整年|整年|一年到头)(?!度)", _fixed("relative", lambda _, a: relative("year", 0, a))),
    )
)  # fmt: skip


def zh_unit(said: str) -> str:
    """The unit that a Chinese word names: month, quarter or week."""
    return {"月": "month", "季": "quarter"}.get(said[0], "week")


def _zh_days(year: int, month: str, first: str, last: str) -> Days | None:
    number = int(to_number(month))
    return day_span(year, number, int(to_number(first)), int(to_number(last))) if 1 <= number <= 12 else None


def _zh_month(year: int, month: str) -> Days | None:
    number = to_number(month)
    return months_from(year, int(number), 1) if number in range(1, 13) else None


def periods(text: str, chinese: bool, as_of: date) -> Iterator[Period]:
    """Every period that a text names, left to right, each part of it read once."""
    found: list[Period] = []
    for pattern, make in _ZH if chinese else _EN:
        for match in pattern.finditer(text):
            if not free(match.span(), (p.span for p in found)):
                continue
            period = make(match, as_of)
            if period is not None:
                found.append(period)
    yield from sorted(found, key=lambda period: period.span)
