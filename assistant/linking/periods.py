"""Calendar periods of a question: days, weeks, months, quarters, halves, seasons, years, holidays, and what a
preposition makes of them ('since Thanksgiving', 'between October 1 and mid-November', '2017年上半年').

A period without a year is the latest that had begun before the as-of date. Every combination is read in one
place: a period says its days, the words before and between say which of them are meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER, to_number
from assistant.linking.spans import Span, free

Days = tuple[date, date]
"""First day, and the day after the last."""
MONTHS = "january february march april may june july august september october november december".split()
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
    "final": 4,
    "last": 4,
}
_SEASONS = {
    "spring": 3,
    "summer": 6,
    "fall": 9,
    "autumn": 9,
    "winter": 12,
    "春": 3,
    "夏": 6,
    "秋": 9,
    "冬": 12,
}
_MONTH = "|".join([*MONTHS, *(name[:3] for name in MONTHS if name != "may"), "sept"])


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


@dataclass(frozen=True)
class Dated:
    """Words and the days they mean, `first` up to, not including, `after`; first None = ever before `after`."""

    span: Span
    first: date | None
    after: date


def black_friday(year: int) -> date:
    """The day after the fourth Thursday of November."""
    return _weekday(year, 11, 3, 4) + timedelta(days=1)


def _weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """The n-th such weekday (Monday 0) of a month; n 0 = the last."""
    if nth == 0:
        last = _month_start(year * 12 + month) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _easter(year: int) -> date:
    """Easter Sunday (anonymous Gregorian computus)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * e) // 451
    month, day = divmod(h + e - 7 * m + 114, 31)
    return date(year, month, day + 1)


_HOLIDAYS: dict[str, Callable[[int], date]] = {
    r"black friday|黑色星期五|黑五": black_friday,
    r"cyber monday|网络星期一": lambda y: black_friday(y) + timedelta(days=3),
    r"thanksgiving(?: day)?|感恩节": lambda y: black_friday(y) - timedelta(days=1),
    r"christmas eve|平安夜": lambda y: date(y, 12, 24),
    r"christmas(?: day)?|xmas|圣诞节?": lambda y: date(y, 12, 25),
    r"new year'?s eve|跨年夜?": lambda y: date(y, 12, 31),
    r"new year(?:'?s)?(?: day)?|元旦": lambda y: date(y, 1, 1),
    r"halloween|万圣节": lambda y: date(y, 10, 31),
    r"labou?r day": lambda y: _weekday(y, 9, 0, 1),
    r"memorial day": lambda y: _weekday(y, 5, 0, 0),
    r"independence day|(?:the )?(?:fourth|4th) of july|july (?:4th|fourth)|独立日": lambda y: date(y, 7, 4),
    r"valentine'?s(?: day)?|(?<!白色)情人节": lambda y: date(y, 2, 14),
    r"mother'?s day|母亲节": lambda y: _weekday(y, 5, 6, 2),
    r"father'?s day|父亲节": lambda y: _weekday(y, 6, 6, 3),
    r"easter(?: sunday)?|复活节": _easter,
    r"st\.? patrick'?s(?: day)?": lambda y: date(y, 3, 17),
    r"veterans day": lambda y: date(y, 11, 11),
    r"bonfire night|guy fawkes(?: (?:night|day))?": lambda y: date(y, 11, 5),
    r"boxing day": lambda y: date(y, 12, 26),
    r"国庆节?": lambda y: date(y, 10, 1),
    r"劳动节|五一(?!个|次)": lambda y: date(y, 5, 1),
    r"儿童节": lambda y: date(y, 6, 1),
    r"双十一|双11": lambda y: date(y, 11, 11),
    r"双十二|双12": lambda y: date(y, 12, 12),
}


def _month_start(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)


def _months(year: int, first: int, count: int) -> Days:
    start = year * 12 + first - 1
    return _month_start(start), _month_start(start + count)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _day_span(year: int, month: int, first: int, last: int) -> Days | None:
    start, end = _day(year, month, first), _day(year, month, last)
    return None if start is None or end is None or end < start else (start, end + timedelta(days=1))


def _month_number(name: str) -> int:
    return next(i for i, month in enumerate(MONTHS, 1) if month.startswith(name.lower()[:3]))


def _year(said: str | None, as_of: date) -> int | None:
    """'2017', '去', 'last' as a year. On New Year's Day 'this year' is the one that ended, and 'last year' too."""
    if not said:
        return None
    if said.isdigit():
        return int(said)
    this = (as_of - timedelta(days=1)).year
    back = 1 if said.lower() in ("去", "last", "上") else 2 if said == "前" else 0
    return this - max(0, back - (1 if as_of.day == as_of.month == 1 and back else 0))


def _relative(unit: str, back: int, as_of: date) -> Days:
    """The calendar unit `back` before the as-of date's; 0: that of the last known day."""
    day = as_of if back else as_of - timedelta(days=1)
    if unit == "week":
        first = day - timedelta(days=day.weekday() + 7 * back)
        return first, first + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "half": 6, "year": 12}[unit]
    index = (day.year * 12 + day.month - 1) // months - back
    return _month_start(index * months), _month_start((index + 1) * months)


# --- What a period is -------------------------------------------------------------------------
Maker = Callable[[re.Match[str], date], Period | None]
_Y = r"(?:,?\s*(?:of\s+)?(?P<y>20\d\d|last year|this year))?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"


def _of_year(kind: str, of: Callable[[re.Match[str], int], Days | None], *, weak: bool = False) -> Maker:
    def make(match: re.Match[str], as_of: date) -> Period | None:
        groups = match.groupdict()
        said = groups.get("y") or groups.get("y2")
        year = _year(said.split()[0] if said else None, as_of)
        return Period(match.span(), kind, lambda y: of(match, y), year, weak and year is None)

    return make


def _fixed(kind: str, days: Callable[[re.Match[str], date], Days]) -> Maker:
    def make(match: re.Match[str], as_of: date) -> Period | None:
        found = days(match, as_of)
        return Period(match.span(), kind, lambda _: found, found[0].year)

    return make


def _holiday(match: re.Match[str], year: int) -> Days:
    day = next(on for said, on in _HOLIDAYS.items() if re.fullmatch(said, match["h"].lower()))(year)
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
    return None if listed else _day_span(year, _month_number(match["m"]), first, last)


def _en_week(match: re.Match[str], year: int) -> Days | None:
    """'the week of December 13' is its calendar week; a week that begins on a day is the seven days from it."""
    day = _day(year, _month_number(match["m"] or match["m2"]), int(match["d"] or match["d2"]))
    if day is None:
        return None
    if match["how"].lower() == "of":
        day -= timedelta(days=day.weekday())
    return day, day + timedelta(days=7)


def _en_slashed(match: re.Match[str], year: int) -> Days | None:
    """'12/1-12/24': months first, as in the US, unless only days first make dates; a range may end in the year after."""
    pairs = [(int(match["m"]), int(match["d"])), (int(match["m2"]), int(match["d2"]))]
    for first, last in (pairs, [(month, day) for day, month in pairs]):
        start, end = _day(year, *first), _day(year + (last < first), *last)
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
    if _day(as_of.year, month, day) is None:
        return None
    return Period(match.span(), "day", lambda y: _day_span(y, month, day, day))


def _quarters(match: re.Match[str], year: int) -> Days:
    """'the first three quarters' of a year."""
    count = int(to_number(match["n"]))
    return _months(year, 1, 3 * count)


def _zh_months(year: int, first: str, last: str) -> Days | None:
    """'6-8月', '三四月份'."""
    a, b = int(to_number(first)), int(to_number(last))
    return _months(year, a, b - a + 1) if 1 <= a < b <= 12 else None


def _en_relative(match: re.Match[str], as_of: date) -> Days:
    back = {"last": 1, "previous": 1, "prior": 1}.get(match["w"].lower(), 0)
    return _relative(match["u"].lower(), back + bool(match["more"]), as_of)


def _of_a_part(match: re.Match[str], as_of: date) -> Period | None:
    """'the last three months of the year': the year is a time where a part of it is said."""
    if not _PART.search(match.string[: match.start()]):
        return None
    days = _relative(match["u"].lower(), 0, as_of)
    return Period(match.span(), "relative", lambda _: days, days[0].year)


def _iso(match: re.Match[str], _as_of: date) -> Period | None:
    day = _day(int(match["y"]), int(match["m"]), int(match["d"]))
    if day is None:
        return None
    return Period(match.span(), "day", lambda _: (day, day + timedelta(days=1)), day.year)


def _compiled(patterns: Sequence[tuple[str, Maker]]) -> tuple[tuple[re.Pattern[str], Maker], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), make) for pattern, make in patterns)


_HOLIDAY = "|".join(_HOLIDAYS)
_ISO = r"(?P<y>20\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)"
_EN = _compiled(
    (
        (_ISO, _iso),
        (r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>20\d\d)(?!\d)", _iso),
        # As the National Retail Federation counts it.
        (rf"\b(?:the\s+)?(?:holiday|christmas|xmas|festive)(?:\s+shopping)?\s+(?:season|period)\b{_Y}", _of_year("days", lambda _, y: _months(y, 11, 2))),
        (
            rf"(?P<week_of>\bthe\s+week\s+of\s+)?\b(?P<h>{_HOLIDAY})(?:(?P<weekend>\s+weekend)|(?P<week>\s+week))?\b(?!\s+(?:seasonal|stuff|decor\w*|goods|items|products|aisle|merchandise)\b){_Y}",
            _of_year("holiday", _holiday),
        ),
        (
            rf"\b(?:the\s+)?week\s+(?P<how>of|beginning|starting|commencing)\s+(?:on\s+)?(?:the\s+)?(?:(?P<m>{_MONTH})\.?\s+{_DAY}|{_DAY.replace('<d>', '<d2>')}\s+(?:of\s+)?(?P<m2>{_MONTH}))\b{_Y}",
            _of_year("days", _en_week),
        ),
        (r"(?<![\d/$.])(?P<m>\d{1,2})/(?P<d>\d{1,2})\s*(?:-|–|—|to|through|thru)\s*(?P<m2>\d{1,2})/(?P<d2>\d{1,2})(?![\d/])", _of_year("days", _en_slashed)),
        (r"(?<![\d/$.])(?P<a>\d{1,2})/(?P<b>\d{1,2})(?![\d/%])", _en_slash),
        (r"(?<![\d/$.])(?P<m>0?[1-9]|1[0-2])/(?P<y>20\d\d)(?!\d)", _of_year("month", lambda m, y: _months(y, int(m["m"]), 1))),
        (
            rf"\b(?P<m>{_MONTH})\.?\s+(?:the\s+)?{_DAY}\s*(?P<j>-|–|—|to|through|thru|and|or|until)\s*(?:the\s+)?(?P<e>\d{{1,2}})(?:st|nd|rd|th)?\b(?!,?\d){_Y}",
            _of_year("days", _en_days),
        ),
        (
            rf"\b(?:the\s+)?{_DAY}\s*(?P<j>-|–|—|to|through|thru|and|or|until)\s*(?:the\s+)?(?P<e>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m>{_MONTH})\b\.?{_Y}",
            _of_year("days", _en_days),
        ),
        (
            rf"\b(?P<m>{_MONTH})\.?\s+(?:the\s+)?{_DAY}\b(?!\s*(?:%|,\d{{3}}|k\b)){_Y}",
            _of_year("day", lambda m, y: _day_span(y, _month_number(m["m"]), int(m["d"]), int(m["d"]))),
        ),
        (
            rf"\b(?:the\s+)?{_DAY}\s+(?:of\s+)?(?P<m>{_MONTH})\b\.?{_Y}",
            _of_year("day", lambda m, y: _day_span(y, _month_number(m["m"]), int(m["d"]), int(m["d"]))),
        ),
        (
            rf"\b(?:the\s+)?(?:(?P<y2>20\d\d)\s*)?(?:q(?P<q>[1-4])|(?P<o>first|second|third|fourth|1st|2nd|3rd|4th|final|last(?=\s+quarter\s+of\b))\s+quarter)(?:\s+of\s+the year)?\b{_Y}",
            _of_year("quarter", lambda m, y: _months(y, 3 * _quarter(m) - 2, 3)),
        ),
        (
            rf"\b(?:the\s+)?first\s+(?P<n>two|three|2|3)\s+quarters(?:\s+of\s+the year)?\b{_Y}",
            _of_year("quarters", _quarters),
        ),
        (
            rf"\b(?:the\s+)?(?:h(?P<q>[12])|(?P<o>first|second|last|latter|back|front)\s+half)\b(?!\s+of\s+(?:{_MONTH})\b)(?:\s+of\s+the year)?{_Y}",
            _of_year("half", lambda m, y: _months(y, 1 if (m["q"] or m["o"]).lower() in ("1", "first", "front") else 7, 6)),
        ),
        (r"\b(?:all|the whole|the entire)\s+year(?:\s+(?:long|round|through))?\b(?!\s+(?:of|before|after))", _fixed("relative", lambda _, a: _relative("year", 0, a))),
        (r"(?<=\bof )the\s+(?P<u>year|quarter|month)\b", _of_a_part),
        (r"\bthe\s+(?P<u>week|month|quarter|year)\s+before\s+last\b", _fixed("relative", lambda m, a: _relative(m["u"].lower(), 2, a))),
        (
            rf"\b(?P<w>last|previous|prior|this|current)\s+(?P<u>week|month|quarter|year)\b(?:(?P<more>\s+before\s+last)|(?!\s+(?:before|of\s+(?:{_MONTH})\b)))",
            _fixed("relative", _en_relative),
        ),
        (
            rf"\b(?:the months? of\s+)?(?P<m>{_MONTH})\b\.?{_Y}",
            _of_year("month", lambda m, y: _months(y, _month_number(m["m"]), 1), weak=True),
        ),
        (
            rf"\b(?P<s>spring|summer|fall|autumn|winter)(?:time|\s+months)?\b{_Y}",
            _of_year("season", lambda m, y: _months(y, _SEASONS[m["s"].lower()], 3), weak=True),
        ),
        (r"(?<![\d$,.-])\b(?P<y>20[012]\d)\b(?![\d,.]\d|\s*(?:units?|items?|dollars|bucks|orders|trips|times|%))", _of_year("year", lambda _, y: _months(y, 1, 12))),
    )
)  # fmt: skip


def _quarter(match: re.Match[str]) -> int:
    return int(match["q"]) if match["q"] else _ORDINALS[match["o"].lower()]


_ZY = r"(?:(?P<y>20\d\d|去|今|前)年的?)?"
_ZH = _compiled(
    (
        (_ISO, _iso),
        (rf"{_ZY}国庆节?(?:的?(?:期间|长假|黄金周|假期|那几天|那一?周))", _of_year("days", lambda _, y: _day_span(y, 10, 1, 7))),
        (rf"{_ZY}暑(?:假|期)(?:期间)?", _of_year("season", lambda _, y: _months(y, 7, 2))),
        (rf"{_ZY}(?P<h>{_HOLIDAY})(?P<week>[那当同]?一?周(?!年)|所在的?那?一?周)?", _of_year("holiday", _holiday)),
        (
            rf"{_ZY}(?P<m>{ZH_NUMBER})月份?(?P<d>{ZH_NUMBER})[日号]?\s*(?:到|至|-|~|—)\s*(?P<e>{ZH_NUMBER})[日号]",
            _of_year("days", lambda m, y: _zh_days(y, m["m"], m["d"], m["e"])),
        ),
        (rf"{_ZY}(?P<m>{ZH_NUMBER})月份?(?P<d>{ZH_NUMBER})[日号]", _of_year("day", lambda m, y: _zh_days(y, m["m"], m["d"], m["d"]))),
        (rf"{_ZY}前(?P<n>[两二三23])季度", _of_year("quarters", _quarters)),
        (rf"{_ZY}(?:入(?P<s>[春夏秋冬])|开(?P<s2>春))", _of_year("day", lambda m, y: _day_span(y, _SEASONS[m["s"] or m["s2"]], 1, 1))),
        (rf"{_ZY}(?<![\d近第])(?P<a>{ZH_NUMBER})月?份?(?:到|至|-|~|—)(?P<b>{ZH_NUMBER})月(?:份|(?![\d一二三四五六七八九十]))", _of_year("months", lambda m, y: _zh_months(y, m["a"], m["b"]))),
        (rf"{_ZY}(?<![\d十近第])(?P<a>[一二三四五六七八])(?P<b>[二三四五六七八九])月(?:份|(?!\d))", _of_year("months", lambda m, y: _zh_months(y, m["a"], m["b"]) if to_number(m["b"]) - to_number(m["a"]) == 1 else None)),
        (rf"{_ZY}(?:第?(?P<q>[一二三四1234])个?季度|Q(?P<q2>[1-4]))", _of_year("quarter", lambda m, y: _months(y, 3 * int(to_number(m["q"] or m["q2"])) - 2, 3))),
        (rf"{_ZY}(?P<o>[上下前后])半年", _of_year("half", lambda m, y: _months(y, 1 if m["o"] in "上前" else 7, 6))),
        (r"(?P<w>上|这|本)个?周末", _fixed("days", lambda m, a: _weekend(m["w"], a))),
        (r"(?:上上个?|前个)(?P<u>季度?|月|周|星期|礼拜)", _fixed("relative", lambda m, a: _relative(_zh_unit(m["u"]), 2, a))),
        (r"(?:上一?个?|前一个?)(?P<u>季度?|月(?!\d)|周(?!末)|星期|礼拜)(?:份)?", _fixed("relative", lambda m, a: _relative(_zh_unit(m["u"]), 1, a))),
        (r"(?:这个?|本|当前这?个?)(?P<u>季度?|月(?!\d)|周(?!末)|星期|礼拜)(?:份)?", _fixed("relative", lambda m, a: _relative(_zh_unit(m["u"]), 0, a))),
        (r"(?:(?P<y>20\d\d|去|今|前)年的?)?(?P<s>[春夏秋冬])[天季]", _of_year("season", lambda m, y: _months(y, _SEASONS[m["s"]], 3))),
        (rf"{_ZY}(?<!近)(?<!去)(?<![这几每多两数])(?P<m>{ZH_NUMBER})月(?:份|(?!\d))(?!以?内)", _of_year("month", lambda m, y: _zh_month(y, m["m"]))),
        (r"(?:去年|上一?年(?!度))(?:全年|一整年|整年|一年)?", _fixed("relative", lambda _, a: _relative("year", 1, a))),
        (r"今年(?:全年|一整年|以来|至今)?|本年度?", _fixed("relative", lambda _, a: _relative("year", 0, a))),
        (r"前年", _fixed("relative", lambda _, a: _relative("year", 2, a))),
        (r"(?P<y>20\d\d)年(?:全年|一整年|整年|度)?", _of_year("year", lambda _, y: _months(y, 1, 12))),
        (r"(?<!前)(?:全年|一整年|整年|一年到头)(?!度)", _fixed("relative", lambda _, a: _relative("year", 0, a))),
    )
)  # fmt: skip


def _weekend(said: str, as_of: date) -> Days:
    """Saturday and Sunday of the week before the as-of date's, or of its last known day's."""
    monday, _ = _relative("week", 1 if said == "上" else 0, as_of)
    return monday + timedelta(days=5), monday + timedelta(days=7)


def _zh_unit(said: str) -> str:
    return {"月": "month", "季": "quarter"}.get(said[0], "week")


def _zh_days(year: int, month: str, first: str, last: str) -> Days | None:
    number = int(to_number(month))
    return _day_span(year, number, int(to_number(first)), int(to_number(last))) if 1 <= number <= 12 else None


def _zh_month(year: int, month: str) -> Days | None:
    number = to_number(month)
    return _months(year, int(number), 1) if number in range(1, 13) else None


# --- What is meant of it -----------------------------------------------------------------------
_THE = r"(?:the\s+)?"
_BETWEEN_EN = re.compile(rf"\s*(?P<to>to|through|thru|until|till|up to|-|–|—|/|&|and|or)\s*{_THE}", re.I)
_BETWEEN_ZH = re.compile(r"\s*(?:起|开始)?[，,]?\s*(?P<to>到|至|-|~|—|和|与|跟|、|或|或者)\s*")
_PART = re.compile(
    r"\b(?:(?P<early>early(?: in)?|beginning of|start of|first (?:couple of |few |two )?weeks? of)"
    r"|(?P<mid>mid(?:dle of)?)|(?P<late>late(?: in)?|end of|last (?:couple of |few |two )?weeks? of)"
    rf"|first (?P<days>{EN_NUMBER}) days of|(?:last|final) (?P<tail_days>{EN_NUMBER}) days of"
    rf"|first (?P<heads>{EN_NUMBER}) (?P<head_unit>week|month)s of|(?:last|final|closing) (?P<tails>{EN_NUMBER}) (?P<tail_unit>week|month)s of"
    r"|(?P<h1>(?:first|front) half of)|(?P<h2>(?:second|latter|last|back) half of))[\s-]*(?:the\s+(?:month\s+of\s+)?)?$",
    re.I,
)  # fmt: skip
_PART_ZH = re.compile(
    r"(?:的)?(?:(?P<h1>[上前]半月)|(?P<h2>[下后]半月)|(?P<early>初|上旬|开头)|(?P<mid>中旬|中(?=[以到至之，、])|月中)"
    rf"|[前头](?P<days>{ZH_NUMBER})天|最后(?P<tail_days>{ZH_NUMBER})天"
    r"|(?P<late>底|末|下旬)|(?:第(?P<nth>[一二三四])|(?P<head>[前头])(?P<heads>[一两二三])?|最后(?P<tails>[一两二三]?))个?(?:周(?!末)|星期|礼拜))"
)
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
    found = list(_periods(text, chinese, as_of))
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


def _periods(text: str, chinese: bool, as_of: date) -> Iterator[Period]:
    found: list[Period] = []
    for pattern, make in _ZH if chinese else _EN:
        for match in pattern.finditer(text):
            if not free(match.span(), (p.span for p in found)):
                continue
            period = make(match, as_of)
            if period is not None:
                found.append(period)
    yield from sorted(found, key=lambda period: period.span)


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
            days = _relative(_zh_unit(last["u"]), 2, as_of)
            period = Period(period.span, period.kind, _always(days), days[0].year)
        out.append(period)
    return out


def _range(text: str, chinese: bool, a: Period, b: Period, as_of: date) -> Dated | None:
    """'A to B', 'between A and B': the year that one of them says is the other's."""
    joint = (_BETWEEN_ZH if chinese else _BETWEEN_EN).fullmatch(
        _without_part(text[a.span[1] : b.span[0]], chinese)
    )
    if joint is None:
        return None
    before = text[: a.span[0]]
    opened = re.search(r"\b(?:between|from)\s+(?:the\s+)?$", _without_part(before, chinese), re.I)
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
    start, _ = _part(text, chinese, a, first_days)
    end_days = b.days_after(start)
    if end_days is None:
        return None
    low, high = _part(text, chinese, b, end_days)
    # 'between Thanksgiving and Christmas' ends as Christmas begins; 'to Christmas' and 'October to December' include it.
    end = low if b.kind == "holiday" and word in ("and", "until", "till") else high
    span = (opened.start() if opened else a.span[0], b.span[1])
    part = _PART_ZH.match(text, b.span[1]) if chinese else None
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
    first, after = _part(text, chinese, period, days)
    start, end = period.span
    if not chinese and period.kind not in ("season", "holiday") and (to := _TO_THE_END.search(text[:start])):
        return Dated((to.start(), end), None, min(days[1], as_of))
    part = _PART.search(text[:start]) if not chinese else None
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
        part = _PART_ZH.match(text, end)
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


def _without_part(text: str, chinese: bool) -> str:
    if chinese:
        return _PART_ZH.sub("", text)
    return re.sub(r"(?:the\s+)?$", "", _PART.sub("", text)) if _PART.search(text) else text


def _part(text: str, chinese: bool, period: Period, days: Days) -> Days:
    """'early November', 'the second half of October', '11月中旬': the part of the period that is meant."""
    match = _PART_ZH.match(text, period.span[1]) if chinese else _PART.search(text[: period.span[0]])
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
            (first, min(after, _month_start(begin + number)))
            if groups["heads"]
            else (max(first, _month_start(end - number)), after)
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
