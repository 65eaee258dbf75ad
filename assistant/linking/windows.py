"""Time expressions of a question as windows of days before the as-of date, in English and Chinese.

'last N days' rolls; 'last month / quarter / year' and named months are calendar periods, as marketers
mean them. Every window carries the words that state the reading ('last quarter = 1 Oct to 31 Dec 2017').
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER, Span, to_number
from segments.definition import Window

DAYS = {"day": 1, "week": 7, "fortnight": 14, "month": 30, "quarter": 90, "year": 365}
"""Days of a rolling unit; 'half a year' is 180, 'three months' 90."""
_ZH_DAYS = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30, "季度": 90, "季": 90, "年": 365}
_MONTHS = ("january february march april may june july august september october november december").split()
_MONTH = "|".join([*_MONTHS, *(name[:3] for name in _MONTHS if name != "may"), "sept"])


@dataclass(frozen=True)
class TimeMention:
    """A time expression. `gap`: it says how long ago something last happened ('more than 60 days ago').

    `bare`: only a length ('for a month', '120 days'), which a verb or an edit gives its meaning.
    """

    span: Span
    window: Window
    text: str
    first: date | None = None
    last: date | None = None
    gap: bool = False
    bare: bool = False

    @property
    def calendar(self) -> bool:
        """Whether it names calendar days."""
        return self.first is not None


def windows(text: str, chinese: bool, as_of: date) -> list[TimeMention]:
    """Every time expression, left to right, none overlapping; earlier patterns win."""
    found: list[TimeMention] = []
    for pattern, read in _ZH_PATTERNS if chinese else _EN_PATTERNS:
        for match in pattern.finditer(text):
            if any(match.start() < m.span[1] and m.span[0] < match.end() for m in found):
                continue
            mention = read(match, as_of)
            if mention is not None and _holds(mention.window):
                found.append(mention)
    return sorted(found, key=lambda mention: mention.span)


def _holds(window: Window) -> bool:
    """Whether any day lies inside: 'the last 0 days' and times yet to come say nothing."""
    return window.end >= 0 and (window.end > 0 if window.start is None else window.start > window.end)


def _rolling(
    match: re.Match[str], start: int, end: int = 0, *, gap: bool = False, bare: bool = False
) -> TimeMention:
    return TimeMention(match.span(), Window(start, end), match.group().strip(), gap=gap, bare=bare)


def _calendar(match: re.Match[str], first: date, after: date, as_of: date) -> TimeMention | None:
    """The days from `first` up to, not including, `after`; cut at the as-of date."""
    after = min(after, as_of)
    if first >= after:
        return None
    window = Window((as_of - first).days, (as_of - after).days)
    return TimeMention(match.span(), window, match.group().strip(), first, after - timedelta(days=1))


def _period(unit: str, back: int, as_of: date) -> tuple[date, date]:
    """First day and the day after the last of the calendar unit `back` before the one of `as_of`."""
    if unit == "week":
        first = as_of - timedelta(days=as_of.weekday() + 7 * back)
        return first, first + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "half": 6, "year": 12}[unit]
    index = (as_of.year * 12 + as_of.month - 1) // months - back
    return _month_start(index * months), _month_start((index + 1) * months)


def _month_start(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)


def _current(unit: str, as_of: date) -> tuple[date, date]:
    """'this month': the period of the last known day (on its first morning, the one before)."""
    return _period(unit, 0, as_of - timedelta(days=1))


def _month_number(name: str) -> int:
    return next(i for i, month in enumerate(_MONTHS, 1) if month.startswith(name.lower()[:3]))


def _month_range(first: int, last: int, as_of: date, year: int | None = None) -> tuple[date, date]:
    """The most recent run of months `first`..`last` that had begun before the as-of date."""
    chosen = year or (as_of - timedelta(days=1)).year
    if year is None and date(chosen, first, 1) >= as_of:
        chosen -= 1
    end_year = chosen if last >= first else chosen + 1
    return date(chosen, first, 1), _month_start(end_year * 12 + last)


def _latest_day(month: int, day: int, as_of: date) -> date | None:
    """The last such day before the as-of date; None for a day that no calendar has."""
    for year in range(as_of.year, as_of.year - 9, -1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found < as_of:
            return found
    return None


def black_friday(year: int) -> date:
    """The day after the fourth Thursday of November."""
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 22)


def _named_day(name: str, as_of: date) -> date:
    year = (as_of - timedelta(days=1)).year
    name = name.lower()
    days: dict[str, Callable[[int], date]] = {
        "black friday": black_friday,
        "黑色星期五": black_friday,
        "黑五": black_friday,
        "thanksgiving": lambda y: black_friday(y) - timedelta(days=1),
        "感恩节": lambda y: black_friday(y) - timedelta(days=1),
        "christmas": lambda y: date(y, 12, 25),
        "圣诞节": lambda y: date(y, 12, 25),
        "圣诞": lambda y: date(y, 12, 25),
        "halloween": lambda y: date(y, 10, 31),
        "万圣节": lambda y: date(y, 10, 31),
        "labor day": lambda y: date(y, 9, 1) + timedelta(days=(0 - date(y, 9, 1).weekday()) % 7),
        "independence day": lambda y: date(y, 7, 4),
        "new year": lambda y: date(y, 1, 1),
        "元旦": lambda y: date(y, 1, 1),
        "国庆": lambda y: date(y, 10, 1),
    }
    day = days[name](year)
    return day if day < as_of else days[name](year - 1)


# --- English -----------------------------------------------------------------------------------

_N = rf"(?P<n>a couple of|couple of|couple|{EN_NUMBER}|a few|few|several|a)"
_U = r"(?P<u>day|week|fortnight|month|quarter|year)s?"
_HOLIDAY = r"black friday|thanksgiving|christmas|halloween|labor day|independence day|new year"


def _count(text: str) -> float:
    return {
        "a": 1.0,
        "a couple of": 2.0,
        "couple of": 2.0,
        "couple": 2.0,
        "a few": 3.0,
        "few": 3.0,
        "several": 3.0,
    }.get(text.lower()) or to_number(text)


def _days(match: re.Match[str], n: str = "n", u: str = "u") -> int:
    return round(_count(match[n]) * DAYS[match[u].lower()])


def _en_last_n(match: re.Match[str], _as_of: date) -> TimeMention:
    return _rolling(match, _days(match))


def _en_plain_days(match: re.Match[str], _as_of: date) -> TimeMention:
    return _rolling(match, int(match["n"]))


def _en_half_year(match: re.Match[str], _as_of: date) -> TimeMention:
    return _rolling(match, 180, bare=not match["lead"])


def _en_the_last(match: re.Match[str], _as_of: date) -> TimeMention:
    return _rolling(match, DAYS[match["u"].lower()])


def _en_calendar(match: re.Match[str], as_of: date) -> TimeMention | None:
    word = match["w"].lower()
    unit = match["u"].lower()
    back = {"last": 1, "previous": 1, "prior": 1}.get(word, 0)
    return _calendar(match, *(_period(unit, back, as_of) if back else _current(unit, as_of)), as_of)


def _en_yesterday(match: re.Match[str], as_of: date) -> TimeMention | None:
    return _calendar(match, as_of - timedelta(days=1), as_of, as_of)


def _en_between_ago(match: re.Match[str], _as_of: date) -> TimeMention | None:
    unit = DAYS[match["u"].lower()]
    near, far = sorted((round(_count(match["a"]) * unit), round(_count(match["b"]) * unit)))
    return _rolling(match, far, near) if near < far else None


def _en_over_ago(match: re.Match[str], _as_of: date) -> TimeMention:
    return _rolling(match, _days(match), gap=True)


def _en_months(match: re.Match[str], as_of: date) -> TimeMention | None:
    first = _month_number(match["a"])
    last = _month_number(match["b"]) if match["b"] else first
    year = int(match["y"]) if match["y"] else None
    return _calendar(match, *_month_range(first, last, as_of, year), as_of)


def _en_since(match: re.Match[str], as_of: date) -> TimeMention | None:
    if match["h"]:
        return _calendar(match, _named_day(match["h"], as_of), as_of, as_of)
    first = _latest_day(_month_number(match["a"]), int(match["d"] or match["d2"] or 1), as_of)
    return _calendar(match, first, as_of, as_of) if first is not None else None


def _en_days(match: re.Match[str], as_of: date) -> TimeMention | None:
    """'December 18 to 24'."""
    month = _month_number(match["a"])
    first, last = (_latest_day(month, int(match[day]), as_of) for day in ("d", "e"))
    if first is None or last is None or last < first:
        return None
    return _calendar(match, first, last + timedelta(days=1), as_of)


def _en_before(match: re.Match[str], as_of: date) -> TimeMention | None:
    end = _latest_day(_month_number(match["a"]), int(match["d"] or 1), as_of)
    if end is None:
        return None
    return TimeMention(match.span(), Window(None, (as_of - end).days), match.group().strip())


def _en_quarter(match: re.Match[str], as_of: date) -> TimeMention | None:
    word = (match["q"] or match["o"]).lower()
    number = {"first": 1, "second": 2, "third": 3, "fourth": 4, "final": 4}.get(word) or int(word[-1])
    return _calendar(match, *_month_range(3 * number - 2, 3 * number, as_of), as_of)


def _en_half(match: re.Match[str], as_of: date) -> TimeMention | None:
    first = 1 if match["o"].lower() == "first" else 7
    return _calendar(match, *_month_range(first, first + 5, as_of), as_of)


def _en_since_season(match: re.Match[str], as_of: date) -> TimeMention | None:
    season = _en_season(match, as_of)
    if season is None or season.last is None:
        return None
    return _calendar(match, season.last + timedelta(days=1), as_of, as_of)


def _en_season(match: re.Match[str], as_of: date) -> TimeMention | None:
    spans = {"spring": (3, 5), "summer": (6, 8), "fall": (9, 11), "autumn": (9, 11), "winter": (12, 2)}
    return _calendar(match, *_month_range(*spans[match["s"].lower()], as_of), as_of)


def _en_year(match: re.Match[str], as_of: date) -> TimeMention | None:
    year = int(match["y"])
    return _calendar(match, date(year, 1, 1), date(year + 1, 1, 1), as_of)


def _en_on(match: re.Match[str], as_of: date) -> TimeMention | None:
    day = _named_day(match["h"], as_of)
    return _calendar(match, day, day + timedelta(days=1), as_of)


def _en_bare(match: re.Match[str], _as_of: date) -> TimeMention:
    return _rolling(match, _days(match), bare=True)


_LEAD = r"(?:\b(?:in|over|during|within|for|across|throughout)\s+)?"
_EN_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], TimeMention | None]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (
            rf"(?:\bbetween\s+)?\b(?P<a>{EN_NUMBER})\s*(?:-|–|to|and)\s*(?P<b>{EN_NUMBER})\s+{_U}\s+(?:ago|back|prior)",
            _en_between_ago,
        ),
        (
            rf"\b(?P<lead>{_LEAD}(?:the\s+)?(?:last|past|previous|recent|prior)\s+)(?:half\s+a?\s?year|six months)\b",
            _en_half_year,
        ),
        (r"(?P<lead>\b(?:in|over|within)\s+)?\bhalf\s+a\s+year\b", _en_half_year),
        (
            rf"\b{_LEAD}(?:the\s+|their\s+|these\s+)?(?:last|past|previous|recent|prior|most recent|trailing)\s+{_N}\s*-?{_U}\b",
            _en_last_n,
        ),
        (rf"\b{_LEAD}the\s+(?:last|past)\s+{_U}\b(?!\s+before)", _en_the_last),
        (rf"\b{_LEAD}past\s+{_U}\b", _en_the_last),
        (
            rf"\b{_LEAD}(?:the\s+)?(?P<w>last|previous|prior|this|current)\s+(?P<u>week|month|quarter|year)\b(?!\s+before)",
            _en_calendar,
        ),
        (r"\byesterday\b", _en_yesterday),
        (rf"\b(?:more than|over|at least|longer than|beyond)\s+{_N}\s+{_U}\s+ago\b", _en_over_ago),
        (rf"\b{_N}\s+(?:or more|\+)\s*{_U}\s+ago\b", _en_over_ago),
        (rf"\b{_LEAD}(?:less than|fewer than|under)\s+{_N}\s+{_U}\s+ago\b", _en_last_n),
        (
            rf"\b(?:between|from)\s+(?P<a>{_MONTH})\.?\s+(?:and|to|through|until|-)\s+(?P<b>{_MONTH})\b\.?(?:\s+(?:of\s+)?(?P<y>20\d\d))?",
            _en_months,
        ),
        (rf"\bin\s+(?P<a>{_MONTH})\.?\s+(?:or|and)\s+(?:in\s+)?(?P<b>{_MONTH})\b\.?(?P<y>(?!))?", _en_months),
        (
            rf"\bsince\s+(?:the\s+)?(?:(?P<h>{_HOLIDAY})|(?:(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?:the start of |early )?(?P<a>{_MONTH})\b\.?(?:\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?)?)",
            _en_since,
        ),
        (
            rf"\bafter\s+(?:the\s+)?(?:(?P<h>{_HOLIDAY})|(?:(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?P<a>{_MONTH})\b\.?(?:\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?)?)",
            _en_since,
        ),
        (rf"\bbefore\s+(?P<a>{_MONTH})\b\.?(?:\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?)?", _en_before),
        (
            rf"\b(?:in|during|over|throughout|of|for)\s+(?:the\s+month\s+of\s+|all\s+of\s+)?(?P<a>{_MONTH})\b\.?(?P<b>(?!))?(?:,?\s+(?:of\s+)?(?P<y>20\d\d))?",
            _en_months,
        ),
        (
            rf"\b(?:between\s+|from\s+)?(?P<a>{_MONTH})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s*(?:-|–|to|through|and|until)\s*(?P<e>\d{{1,2}})(?:st|nd|rd|th)?\b",
            _en_days,
        ),
        (
            rf"\b(?:between\s+|from\s+)?(?:the\s+)?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s*(?:-|–|to|through|and|until)\s*(?:the\s+)?(?P<e>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<a>{_MONTH})\b",
            _en_days,
        ),
        (
            rf"\b(?P<a>{_MONTH})\b\.?\s*(?:-|–|to|through|until)\s*(?P<b>{_MONTH})\b\.?(?P<y>(?!))?",
            _en_months,
        ),
        (
            rf"\b(?P<a>{_MONTH})\b\.?(?:\s*(?:-|to|through)\s*(?P<b>{_MONTH})\b)?\.?\s+(?P<y>20\d\d)",
            _en_months,
        ),
        (
            r"\b(?:in\s+|during\s+)?(?:the\s+)?(?:(?P<q>q[1-4])|(?P<o>first|second|third|fourth|final)\s+quarter)\b",
            _en_quarter,
        ),
        (
            r"\b(?:in\s+|during\s+)?(?:the\s+)?(?P<o>first|second)\s+half(?:\s+of\s+(?:the\s+year|20\d\d))?\b",
            _en_half,
        ),
        (r"\bsince\s+(?:the\s+|last\s+)?(?P<s>spring|summer|fall|autumn|winter)\b", _en_since_season),
        (
            r"\b(?:in|during|over|last|this|all)\s+(?:the\s+)?(?P<s>spring|summer|fall|autumn|winter)\b",
            _en_season,
        ),
        (r"\b(?:in|during|throughout)\s+(?P<y>20\d\d)\b", _en_year),
        (rf"\b(?:on|at|around|over|during)\s+(?P<h>{_HOLIDAY})\b", _en_on),
        (rf"\b{_N}\s*-?\s*{_U}\s+ago\b", _en_over_ago),
        (
            rf"\b(?:in|within|for|over)\s+(?:over\s+|more than\s+|at least\s+|about\s+|the\s+)?{_N}\s*-?\s*{_U}\b(?!\s*-?olds?)",
            _en_bare,
        ),
        (rf"\b{_N}\s*-?\s*(?P<u>day|week|fortnight|month|quarter)s?\b", _en_bare),
        (
            r"\b(?:in|over|within)\s+the\s+(?:last|past)\s+(?P<n>\d+)(?=\s*(?:[.,;?!)]|$|and\b|but\b))(?P<u>)",
            _en_plain_days,
        ),
    )
)

# --- Chinese -----------------------------------------------------------------------------------

_ZN = rf"(?P<n>{ZH_NUMBER}|半|几)"
_ZU = r"(?:个)?(?P<u>天|日|周|星期|礼拜|月|季度|季|年)"
_ZH_HOLIDAY = "黑色星期五|黑五|感恩节|圣诞节|圣诞|万圣节|元旦|国庆"


def _zh_count(match: re.Match[str]) -> int:
    unit = _ZH_DAYS[match["u"]]
    if match["n"] == "半":
        return {365: 180, 30: 15}.get(unit, unit // 2)
    return round((3 if match["n"] == "几" else to_number(match["n"])) * unit)


def _zh_last_n(match: re.Match[str], _as_of: date) -> TimeMention:
    return _rolling(match, _zh_count(match))


def _zh_recent(match: re.Match[str], _as_of: date) -> TimeMention:
    return _rolling(match, _ZH_DAYS[match["u"]])


def _zh_calendar(match: re.Match[str], as_of: date) -> TimeMention | None:
    word = match.group()
    unit = next(
        name
        for name, mark in (
            ("quarter", "季"),
            ("month", "月"),
            ("week", "周"),
            ("week", "星期"),
            ("week", "礼拜"),
            ("year", "年"),
        )
        if mark in word
    )
    if word[0] in "上去前":
        return _calendar(match, *_period(unit, 1, as_of), as_of)
    return _calendar(match, *_current(unit, as_of), as_of)


def _zh_between_ago(match: re.Match[str], _as_of: date) -> TimeMention | None:
    unit = _ZH_DAYS[match["u"]]
    near, far = sorted((round(to_number(match["a"]) * unit), round(to_number(match["b"]) * unit)))
    return _rolling(match, far, near) if near < far else None


def _zh_ago(match: re.Match[str], _as_of: date) -> TimeMention:
    return _rolling(match, _zh_count(match), gap=True)


def _zh_months(match: re.Match[str], as_of: date) -> TimeMention | None:
    first = int(to_number(match["a"]))
    last = int(to_number(match["b"])) if match["b"] else first
    if not (1 <= first <= 12 and 1 <= last <= 12):
        return None
    if re.search("[和、]", match.group()) and last != first + 1:
        return None
    said = match["y"] or ""
    this = (as_of - timedelta(days=1)).year
    year = int(said) if said.isdigit() else {"去": this - 1, "今": this}.get(said)
    if said == "去" and as_of.day == as_of.month == 1:
        # On New Year's Day 'this year' is the one that ended, but 'last year' is too.
        year = this
    return _calendar(match, *_month_range(first, last, as_of, year), as_of)


def _zh_since(match: re.Match[str], as_of: date) -> TimeMention | None:
    if match["h"]:
        return _calendar(match, _named_day(match["h"], as_of), as_of, as_of)
    month = int(to_number(match["a"]))
    if not 1 <= month <= 12:
        return None
    first = _latest_day(month, int(to_number(match["d"])) if match["d"] else 1, as_of)
    return _calendar(match, first, as_of, as_of) if first is not None else None


def _zh_quarter(match: re.Match[str], as_of: date) -> TimeMention | None:
    number = int(to_number(match["q"]))
    return _calendar(match, *_month_range(3 * number - 2, 3 * number, as_of), as_of) if number <= 4 else None


def _zh_half(match: re.Match[str], as_of: date) -> TimeMention | None:
    first = 1 if match["o"] == "上" else 7
    return _calendar(match, *_month_range(first, first + 5, as_of), as_of)


def _zh_bare(match: re.Match[str], _as_of: date) -> TimeMention:
    return _rolling(match, _zh_count(match), bare=True)


def _zh_on(match: re.Match[str], as_of: date) -> TimeMention | None:
    day = _named_day(match["h"], as_of)
    return _calendar(match, day, day + timedelta(days=1), as_of)


def _zh_season(match: re.Match[str], as_of: date) -> TimeMention | None:
    spans = {"春": (3, 5), "夏": (6, 8), "秋": (9, 11), "冬": (12, 2)}
    return _calendar(match, *_month_range(*spans[match["s"]], as_of), as_of)


def _zh_year(match: re.Match[str], as_of: date) -> TimeMention | None:
    year = int(match["y"])
    return _calendar(match, date(year, 1, 1), date(year + 1, 1, 1), as_of)


_ZH_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], TimeMention | None]], ...] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (
            rf"(?P<a>{ZH_NUMBER})\s*(?:个?[天日周月])?\s*(?:到|至|-|~)\s*(?P<b>{ZH_NUMBER})\s*{_ZU}\s*(?:之?前|以前)(?:之间)?",
            _zh_between_ago,
        ),
        (
            rf"(?:在)?(?:最近|近|过去|这|前|之前|此前|最近这|过往)(?:的)?\s*{_ZN}\s*{_ZU}(?:以来|之内|以内|内|里|中|间)?",
            _zh_last_n,
        ),
        (
            r"(?:最近|近|过去)(?:这|的)?一?个?(?P<u>周|星期|礼拜|月|季度|年)(?:以来|之内|以内|内|里|中|间)?",
            _zh_recent,
        ),
        (r"(?:(?:去|今|20\d\d)年)?第?(?P<q>[一二三四1234])季度", _zh_quarter),
        (r"(?:(?:去|今|20\d\d)年)?(?P<s>[春夏秋冬])[天季]", _zh_season),
        (
            rf"(?P<y>20\d\d|去|今)年(?P<a>{ZH_NUMBER})\s*月份?(?:\s*(?:到|至|-|和|、)\s*(?P<b>{ZH_NUMBER})\s*月份?)?(?:期间|之间|里|中|内)?",
            _zh_months,
        ),
        (
            r"(?:上个?|这个|本|前个)(?:季度|季|星期|礼拜|周|月)|去年|今年|上一?年|上一?个?季度|上一个月",
            _zh_calendar,
        ),
        (
            rf"(?:自从?|从)?(?:(?P<h>{_ZH_HOLIDAY})|(?P<a>{ZH_NUMBER})月份?(?:(?P<d>{ZH_NUMBER})[日号])?)(?:以来|之后|以后|至今|到现在|起)",
            _zh_since,
        ),
        (
            rf"(?:(?P<y>20\d\d|去|今)年)?(?P<a>{ZH_NUMBER})\s*月份?(?:\s*(?:到|至|-|和|、)\s*(?P<b>{ZH_NUMBER})\s*月份?)?(?:期间|之间|里|中|内)?",
            _zh_months,
        ),
        (r"(?P<o>[上下])半年", _zh_half),
        (r"(?P<y>20\d\d)年", _zh_year),
        (rf"(?:在)?(?P<h>{_ZH_HOLIDAY})(?:那天|当天|期间)?", _zh_on),
        (rf"(?:超过|至少|多于|大于)?\s*{_ZN}\s*{_ZU}\s*(?:之前|以前|前)", _zh_ago),
        (rf"{_ZN}\s*{_ZU}(?:之内|以内|内)", _zh_last_n),
        (
            rf"(?:超过|至少|有|已经|已|连续)?\s*{_ZN}\s*(?:个)?(?P<u>天|周|星期|礼拜|月|季度|年)(?!龄|纪|级)(?:以上|多)?",
            _zh_bare,
        ),
    )
)


def iter_labels(mentions: list[TimeMention]) -> Iterator[str]:
    """'last quarter = 2017-10-01 to 2017-12-31' for each calendar expression."""
    for mention in mentions:
        if mention.first is not None and mention.last is not None:
            yield f"{mention.text} = {mention.first.isoformat()} to {mention.last.isoformat()}"
