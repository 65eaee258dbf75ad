"""Wordings made plain before anything is read: number words, fractions, analysts' shorthand, what was taken back.

The rules are data (`lexicon/rewrite_en.tsv`, `rewrite_zh.tsv`), tried in order; a replacement `{name}` is what
the function of that name here makes of the match.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from opencc import OpenCC

from assistant.linking import lexicon
from assistant.linking.calendar_days import MONTHS
from assistant.linking.corrections import corrected
from assistant.linking.numbers import ORDINALS, spelt_out, to_number
from assistant.linking.preamble import asked_part

_FILLERS = re.compile(r"(?:,\s*|\s+|^)(?:um+|uh+|erm?|hmm+)\b[,.…]*(?=\s|$)", re.IGNORECASE)
_SAID_TWICE = re.compile(r"\b([a-z]{2,}),?\s+(?=\1\b)", re.IGNORECASE)
_WIDE = str.maketrans("０１２３４５６７８９％＄", "0123456789%$")
_YEAR_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")

Replacement = str | Callable[[re.Match[str]], str]


def plain(text: str, chinese: bool) -> str:
    """The text with every rewriting rule of its language applied."""
    text = asked_part(simplified(text) if chinese else text.translate(_WIDE), chinese)
    text = corrected(text if chinese else spelt_out(_SAID_TWICE.sub("", _FILLERS.sub(" ", text))), chinese)
    for pattern, replacement in _rules("rewrite_zh.tsv" if chinese else "rewrite_en.tsv"):
        text = pattern.sub(replacement, text)
    return text if chinese else spelt_out(text)


def simplified(text: str) -> str:
    """Traditional characters as simplified ones, which the Chinese rules are written in; letters of full width as usual."""
    return _converter().convert(text.translate(_WIDE))


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


@cache
def _rules(name: str) -> tuple[tuple[re.Pattern[str], Replacement], ...]:
    rows = (row for row in lexicon.rows(name) if len(row) > 1)
    return tuple((re.compile(row[0], re.IGNORECASE), _replacement(row[1])) for row in rows)


def _replacement(said: str) -> Replacement:
    call = re.fullmatch(r"\{(\w+)\}(.*)", said)
    if call is None:
        return said
    function, tail = _FUNCTIONS[call[1]], call[2]
    return lambda match: function(match) + tail


def _below(match: re.Match[str]) -> str:
    """'at least one coupon but fewer than five' -> 'between 1 and 4 coupon'; words that are no numbers stay."""
    try:
        return f"between {to_number(match[1]):g} and {to_number(match[3]) - 1:g} {match[2] or ''}"
    except (KeyError, ValueError, IndexError):
        return match[0]


def _family(match: re.Match[str]) -> str:
    """'households of 3 or more' -> '3 or more person households'."""
    if not re.fullmatch(r"\d|one|two|three|four|five|six", match[2], re.IGNORECASE):
        return match[0]
    more = match[3] or ("or more" if match[0].endswith("+") else "")
    return f"{match[2]} {more if more.startswith('or') else ''} person households"


_PARTS = {
    "half": 2,
    "third": 3,
    "tercile": 3,
    "quarter": 4,
    "quartile": 4,
    "fifth": 5,
    "quintile": 5,
    "sixth": 6,
}
_PARTS |= {"tenth": 10, "decile": 10, "percentile": 100}


def _percent(share: float) -> str:
    return f"{round(100 * share):g}%"


def _fraction(match: re.Match[str]) -> str:
    """'a third' -> '33%', 'three-quarters' -> '75%'."""
    words = re.findall(r"[a-z]+", match[0].lower())
    count = {"two": 2, "three": 3, "four": 4, "nine": 9}.get(words[0], 1)
    lead = match[1] if len(match.groups()) > 1 and match[1] else ""
    return lead + _percent(count / _PARTS[words[-1].removesuffix("s")])


def _ratio(match: re.Match[str]) -> str:
    """'two in five orders' -> '40% of orders'; 'over $500 in 20 orders' and '30 in 5 shops' are no share."""
    part, whole = to_number(match[1]), to_number(match[2])
    money = match.string[: match.start()].rstrip()[-1:] in tuple("$£€¥￥")
    return match[0] if money or not whole or part > whole else f"{_percent(part / whole)} of "


_PACE = {"day": 1, "week": 7, "fortnight": 14, "month": 30, "天": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30}
_NTH = {"": 1, "other": 2, "second": 2, "third": 3, "fourth": 4}


def _pace(times: int, nth: str | None, unit: str) -> str:
    """'once every two weeks' -> 'purchase interval of 14 days or less'."""
    said = (nth or "").strip().lower()
    days = (_NTH.get(said) or to_number(said)) * _PACE[unit.lower()] / times
    return f"purchase interval of {days:g} days or less"


_TEENS = (
    "eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_DAY_NAMES = (*ORDINALS, *_TEENS.split())


def _day_of(said: str) -> int:
    """'twenty second' -> 22, 'thirtieth' -> 30, 'first' -> 1."""
    words = re.split(r"[- ]", said.lower())
    if words[0] == "thirtieth":
        return 30
    tens = {"twenty": 20, "thirty": 30}.get(words[0], 0)
    return tens + _DAY_NAMES.index(words[-1]) + 1


def _edge_days(match: re.Match[str]) -> str:
    """'first seven days of December' -> 'first 7 days of December'."""
    return f"{match[1]} {to_number(match[2]):g} days of "


def _interval(match: re.Match[str]) -> str:
    """'two weeks or more between shops' -> 'purchase interval of 14 days or more'."""
    count = 1 if match[1].lower() in ("a", "an") else to_number(match[1])
    more = "more" if match[3].lower() in ("more", "longer", "over") else "less"
    return f"purchase interval of {count * _PACE[match[2].lower().removesuffix('s')]:g} days or {more}"


_LENGTH_SAID = re.compile(
    r"\b(?:last|past|for|in|over|within) (\d+|[a-z]+)[- ](days?|weeks?|months?)\b|\b(\d+)\s?(d|w)\b",
    re.IGNORECASE,
)
_MONTH_SAID = "|".join(MONTHS)
_DAY_SAID = re.compile(rf"\b(?:(?:{_MONTH_SAID}) \d{{1,2}}|\d{{1,2}} (?:{_MONTH_SAID}))\b", re.IGNORECASE)


def _before_then(match: re.Match[str]) -> str:
    """'nothing for 8 weeks, came 20 times before that': before the length or the day said last."""
    said = match.string[: match.start()]
    days = list(_DAY_SAID.finditer(said))
    lengths = list(_LENGTH_SAID.finditer(said))
    if lengths and (not days or lengths[-1].start() > days[-1].start()):
        count, unit = lengths[-1][1] or lengths[-1][3], lengths[-1][2] or lengths[-1][4]
        return f"more than {count} { {'d': 'days', 'w': 'weeks'}.get(unit, unit) } ago"
    return f"before {days[-1][0]}" if days else match[0]


def _before_month(match: re.Match[str]) -> str:
    """'during December ... before that month' -> 'before December'."""
    months = re.findall(rf"\b(?:{_MONTH_SAID})\b", match.string[: match.start()], re.IGNORECASE)
    return f"before {months[-1]}" if months and match[1].lower() == "month" else match[0]


def _times_side(match: re.Match[str]) -> str:
    """'Q4 spend > 2x Q3' -> 'Q4 spend more than 2 times Q3'."""
    words = {
        ">": "more than",
        ">=": "at least",
        "≥": "at least",
        "<": "less than",
        "<=": "at most",
        "≤": "at most",
    }
    return f"{match[1]} {match[2] or ''}{words[match[3]]} {match[4]} times the "


def _any_of(match: re.Match[str]) -> str:
    """'any of tea, coffee and cocoa' -> 'tea or coffee or cocoa'."""
    return re.sub(r",\s*(?:(?:and|or)\s+)?|\s+and\s+", " or ", match[1])


def _any_of_zh(match: re.Match[str]) -> str:
    """'茶、咖啡、可可买过一样' -> '茶或咖啡或可可买过'."""
    said = match.string[: match.start()]
    return match[1].replace("、", "或") + ("" if re.search(r"(?:买|购买?|拿)[过了]?$", said) else "买过")


def _night_hours(match: re.Match[str]) -> str:
    """'between ten at night and five in the morning' -> 'between 22:00 and 5:00'."""
    try:
        first, last = to_number(match[1]), to_number(match[2])
    except (KeyError, ValueError):
        return match[0]
    return f"between {first + 12:g}:00 and {last:g}:00" if first < 12 else match[0]


def _ratio_of(match: re.Match[str]) -> str:
    """'four visits in five or more' -> '80% or more of visits'; what is no share stays."""
    part, whole = to_number(match[1]), to_number(match[3])
    return f"{_percent(part / whole)}{match[4] or ''} of {match[2]}" if part < whole else match[0]


def _not_yet(match: re.Match[str]) -> str:
    """'hasn't got to a fifth order yet' -> 'have fewer than 5 orders'."""
    return f"have fewer than {ORDINALS.index(match[1].lower()) + 1} {match[2]}s"


def _bounds(match: re.Match[str]) -> str:
    """'more than 15 days but at most 45' -> 'between 16 and 45 days': counts are whole, money and shares as said."""
    try:
        low, high = (to_number(match[group].strip("$%")) for group in (1, 3))
    except (KeyError, ValueError, IndexError):
        return match[0]
    unit = (match[4] or match[2] or "").strip()
    if "$" in match[0] or "%" in match[0] or unit in ("dollars", "bucks", ""):
        sign = "$" if "$" in match[0] else ""
        return f"between {sign}{low:g} and {sign}{high:g}{'%' if '%' in match[0] else ' ' + unit}"
    words = match[0].lower()
    low += 1 if re.match(r"over|more|above|longer|older|bigger|>(?!=)", words) else 0
    high -= 1 if re.search(r"\b(?:less than|fewer than|under|below)\b|<(?!=)", words) else 0
    ago = " ago" if re.search(r"\b(?:back|ago)\b", words) else ""
    return f"between {low:g} and {high:g} {unit}{ago}"


def _adjacent_zh(match: re.Match[str]) -> str:
    """'一两趟' -> '1到2趟'; digits that do not follow each other stay."""
    low, high = to_number(match[1]), to_number(match[2])
    return f"{low:g}到{high:g}" if high - low == 1 else match[0]


def _bounds_zh(match: re.Match[str]) -> str:
    """'超过四十五日但不足九十日' -> '46到89天': days and counts are whole, money and shares as said."""
    try:
        low, high = to_number(match[2]), to_number(match[5])
    except (KeyError, ValueError):
        return match[0]
    unit = (match[6] or match[3] or "").replace("日", "天")
    if low >= high or (match[3] and match[3].replace("日", "天") != unit):
        return match[0]
    if unit not in ("元", "美元", "块", "%"):
        low += 1 if match[1] in ("超过", "多于", "大于", "逾") else 0
        high -= 1 if match[4] in ("不足", "少于", "低于", "不到", "未满", "小于") else 0
    return f"{low:g}到{high:g}{unit}"


def _each_of_zh(match: re.Match[str]) -> str:
    """'第二、第三季度' -> '第2季度、第3季度'."""
    names = re.split(r"[、和及与跟]", match[1] + match[2])
    lead = "第" if match[3] == "季度" else ""
    return "、".join(f"{lead}{to_number(name.removeprefix('第')):g}{match[3]}" for name in names)


_FUNCTIONS: dict[str, Callable[[re.Match[str]], str]] = {
    "below": _below,
    "family": _family,
    "a_month": lambda m: f"最近365天{m[1]}{m[2] or ''}{12 * to_number(m[3]):g}",
    "list_or": lambda match: match[1].replace("、", "或"),
    "often_zh": lambda m: f"平均购买间隔不超过{round(_PACE[m[1]] / to_number(m[2]), 1):g}天",
    "adjacent": _adjacent_zh,
    "bounds_zh": _bounds_zh,
    "and_half": lambda match: f"{30 * to_number(match[1]) + 15:g}天",
    "each_of": _each_of_zh,
    "any_of_zh": _any_of_zh,
    "bounds": _bounds,
    "every": lambda match: _pace(1, match[1], match[2]),
    "pace": lambda match: _pace(2 if match[1].lower() == "twice" else 1, match[2], match[3]),
    "pace_zh": lambda match: f"平均购买间隔不超过{to_number(match[1] or '1') * _PACE[match[2]]:g}天",
    "fraction": _fraction,
    "fraction_zh": lambda match: _percent(to_number(match[2]) / to_number(match[1])),
    "quantile": lambda match: f"{match[1]} {_percent(1 / _PARTS[match[2].lower()])}",
    "ratio": _ratio,
    "times": lambda match: f"{ {'once': 1, 'twice': 2, 'thrice': 3}[match[1].lower()] } or more times",
    "hours": lambda match: f"{match[1]} {int(match[2]) // 24} days",
    "month_day": lambda match: f"{match[1]} {_day_of(match[2])}".replace("  ", " "),
    "days_spoken": lambda match: f"the {_day_of(match[1])}th {match[2]}the {_day_of(match[3])}th",
    "edge_days": _edge_days,
    "interval": _interval,
    "ratio_of": _ratio_of,
    "before_then": _before_then,
    "before_month": _before_month,
    "iso_month": lambda match: f"{MONTHS[int(match[2]) - 1]} {match[1]}",
    "any_of": _any_of,
    "night_hours": _night_hours,
    "times_side": _times_side,
    "not_yet": _not_yet,
    "number": lambda match: f"{to_number(match[1]):g}",
    "tenths_and": lambda m: f"{to_number(m[1]) * 10 + (5 if m[2] == '半' else to_number(m[2])):g}%",
    "tenths": lambda match: f"{to_number(match[1]) * 10:g}%",
    "year": lambda match: match[0].translate(_YEAR_DIGITS),
}
