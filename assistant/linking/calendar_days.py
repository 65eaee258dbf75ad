"""The calendar: the days of months, quarters, seasons and holidays, and which unit is the last or this one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

Days = tuple[date, date]
"""First day, and the day after the last."""
MONTHS = "january february march april may june july august september october november december".split()
ORDINALS = {
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
SEASONS = {
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
MONTH = "|".join([*MONTHS, *(name[:3] for name in MONTHS if name != "may"), "sept"])


def black_friday(year: int) -> date:
    """The day after the fourth Thursday of November."""
    return _weekday(year, 11, 3, 4) + timedelta(days=1)


def _weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """The n-th such weekday (Monday 0) of a month; n 0 = the last."""
    if nth == 0:
        last = month_start(year * 12 + month) - timedelta(days=1)
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


HOLIDAYS: dict[str, Callable[[int], date]] = {
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


def month_start(months: int) -> date:
    """The first day of a month, counted from the year 0."""
    return date(months // 12, months % 12 + 1, 1)


def months_from(year: int, first: int, count: int) -> Days:
    """So many months of a year, from its `first` (January 1) on."""
    start = year * 12 + first - 1
    return month_start(start), month_start(start + count)


def day_of(year: int, month: int, day: int) -> date | None:
    """The day; None where the calendar has none."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def day_span(year: int, month: int, first: int, last: int) -> Days | None:
    """Days of a month, both included; None where the calendar has them not."""
    start, end = day_of(year, month, first), day_of(year, month, last)
    return None if start is None or end is None or end < start else (start, end + timedelta(days=1))


def month_number(name: str) -> int:
    """1 to 12, by the first three letters."""
    return next(i for i, month in enumerate(MONTHS, 1) if month.startswith(name.lower()[:3]))


def year_said(said: str | None, as_of: date) -> int | None:
    """'2017', '去', 'last' as a year. On New Year's Day 'this year' is the one that ended, and 'last year' too."""
    if not said:
        return None
    if said.isdigit():
        return int(said)
    this = (as_of - timedelta(days=1)).year
    back = 1 if said.lower() in ("去", "last", "上") else 2 if said == "前" else 0
    return this - max(0, back - (1 if as_of.day == as_of.month == 1 and back else 0))


def relative(unit: str, back: int, as_of: date) -> Days:
    """The calendar unit `back` before the as-of date's; 0: that of the last known day."""
    day = as_of if back else as_of - timedelta(days=1)
    if unit == "week":
        first = day - timedelta(days=day.weekday() + 7 * back)
        return first, first + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "half": 6, "year": 12}[unit]
    index = (day.year * 12 + day.month - 1) // months - back
    return month_start(index * months), month_start((index + 1) * months)


def weekend_of(said: str, as_of: date) -> Days:
    """Saturday and Sunday of the week before the as-of date's, or of its last known day's."""
    monday, _ = relative("week", 1 if said == "上" else 0, as_of)
    return monday + timedelta(days=5), monday + timedelta(days=7)
