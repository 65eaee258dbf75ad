"""Time expressions of a question as windows of days before the as-of date, in English and Chinese.

'last N days' rolls; 'last month / quarter / year', named months and dates are calendar periods, as marketers
mean them (`periods.py`), and carry the days that state the reading ('last quarter = 1 Oct to 31 Dec 2017').
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER, Span, to_number
from assistant.linking.periods import Dated, dated
from segments.definition import Window

DAYS = {"day": 1, "week": 7, "fortnight": 14, "month": 30, "quarter": 90, "year": 365}
"""Days of a rolling unit; 'half a year' is 180, 'three months' 90."""
_ZH_DAYS = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30, "季度": 90, "季": 90, "年": 365}
FEW = 3
"""'a few weeks', 几周."""


@dataclass(frozen=True)
class TimeMention:
    """A time expression. `gap`: it says how long ago something last happened ('more than 60 days ago').

    `bare`: only a length ('for a month', '120 days'), which a verb or an edit gives its meaning.
    `parts`: the windows in each of which it happened ('in every month of the last quarter').
    """

    span: Span
    window: Window
    text: str
    first: date | None = None
    last: date | None = None
    gap: bool = False
    bare: bool = False
    parts: tuple[Window, ...] = ()

    @property
    def calendar(self) -> bool:
        """Whether it names calendar days."""
        return self.first is not None


def windows(text: str, chinese: bool, as_of: date) -> list[TimeMention]:
    """Every time expression, left to right, none overlapping: lengths before today, the calendar, bare lengths."""
    rolling, bare = (_ZH_ROLLING, _ZH_BARE) if chinese else (_EN_ROLLING, _EN_BARE)
    found: list[TimeMention] = []
    _claim(found, (read(match) for pattern, read in rolling for match in pattern.finditer(text)))
    _claim(found, (_calendar(text, said, as_of) for said in dated(text, chinese, as_of)))
    _claim(found, (read(match) for pattern, read in bare for match in pattern.finditer(text)))
    found.sort(key=lambda mention: mention.span)
    # 'the week before Christmas (December 18 to 24)': the days in brackets are those meant.
    exact = [b for a, b in pairwise(found) if _BRACKET.fullmatch(text[a.span[1] : b.span[0]]) and b.calendar]
    return [mention for i, mention in enumerate(found) if i + 1 == len(found) or found[i + 1] not in exact]


_BRACKET = re.compile(r"\s*(?:黄金周|长假|假期|当天|当日|那天|期间)?(?:[(（]|[，,]?(?:即|也就是|就是))\s*")


def _claim(found: list[TimeMention], made: Iterator[TimeMention | None]) -> None:
    for mention in made:
        if mention is None or not _holds(mention.window):
            continue
        if not any(mention.span[0] < other.span[1] and other.span[0] < mention.span[1] for other in found):
            found.append(mention)


def _holds(window: Window) -> bool:
    """Whether any day lies inside: 'the last 0 days' and times yet to come say nothing."""
    return window.end >= 0 and (window.end > 0 if window.start is None else window.start > window.end)


def _calendar(text: str, said: Dated, as_of: date) -> TimeMention:
    words = text[slice(*said.span)].strip()
    end = (as_of - said.after).days
    if said.first is None:
        return TimeMention(said.span, Window(None, end), words)
    window = Window((as_of - said.first).days, end)
    return TimeMention(said.span, window, words, said.first, said.after - timedelta(days=1))


Read = Callable[[re.Match[str]], TimeMention | None]


def _rolling(
    match: re.Match[str], start: int, end: int = 0, *, gap: bool = False, bare: bool = False
) -> TimeMention:
    return TimeMention(match.span(), Window(start, end), match.group().strip(), gap=gap, bare=bare)


def _length(*, gap: bool = False, bare: bool = False) -> Read:
    """'<n> <unit>' before today."""
    return lambda match: _rolling(match, _days(match), gap=gap, bare=bare)


def _between_ago(match: re.Match[str]) -> TimeMention | None:
    """'between 30 and 60 days ago', 'one to three months back'."""
    near_unit = match.groupdict().get("u1") or match["u"]
    near, far = sorted((_span_of(match["a"], near_unit), _span_of(match["b"], match["u"])))
    return _rolling(match, far, near) if near < far else None


def _days(match: re.Match[str]) -> int:
    groups = match.groupdict()
    return _span_of(groups.get("n") or "1", match["u"])


def _span_of(number: str, unit: str) -> int:
    """Days of a count and a unit, in either language."""
    length = _ZH_DAYS.get(unit) or DAYS[unit.lower().removesuffix("s")]
    said = number.lower().removeprefix("the ").strip()
    if said == "半":
        return {365: 180, 30: 15}.get(length, length // 2)
    if said.startswith(("half", "six month")):
        return 180
    return round(_COUNTS[said] * length) if said in _COUNTS else round(to_number(said) * length)


_COUNTS = {"a": 1, "an": 1, "one": 1, "a couple of": 2, "couple of": 2, "couple": 2, "a couple": 2, "a few": FEW, "few": FEW, "several": FEW, "几": FEW, "这几": FEW}  # fmt: skip


def _compiled(patterns: Sequence[tuple[str, Read]]) -> tuple[tuple[re.Pattern[str], Read], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), read) for pattern, read in patterns)


# --- English -----------------------------------------------------------------------------------
_N = rf"(?P<n>a couple of|couple of|a couple|couple|{EN_NUMBER}|a few|few|several|an?)"
_U = r"(?P<u>day|week|fortnight|month|quarter|year)s?"
_PAST = r"(?:last|past|previous|recent|prior|most recent|trailing|preceding|latest|final)"
_LEAD = r"(?:\b(?:at any (?:point|time) )?(?:in|over|during|within|for|across|throughout|inside(?: of)?)\s+)?"
_MORE = r"(?:more than|over|at least|longer than|upwards of|not less than|beyond|>=?|older than)"
_EN_ROLLING = _compiled(
    (
        (rf"(?:\b(?:between|from)\s+)?\b(?P<a>{EN_NUMBER}|an?)\s*(?:(?P<u1>day|week|month)s?\s*)?(?:-|–|to|and)\s*(?P<b>{EN_NUMBER})\s+{_U}\s+(?:ago|back|prior|earlier)", _between_ago),
        (rf"\b{_LEAD}(?:the\s+)?{_PAST}\s+(?:half\s+a?\s?-?year|six months)\b", lambda match: _rolling(match, 180)),
        (r"\b(?:in|over|within|for)\s+(?:the\s+)?(?:last\s+)?half\s+(?:a|the)\s+year\b", lambda match: _rolling(match, 180)),
        (r"\bhalf\s+a\s+year\b(?!\s+ago)", lambda match: _rolling(match, 180, bare=True)),
        (rf"\b{_LEAD}(?:the\s+|their\s+|these\s+|this\s+|our\s+)?{_PAST}\s+{_N}\s*-?{_U}\b(?:-?\s?ish\b|\s+or so\b)?", _length()),
        (rf"\b{_LEAD}the\s+(?:last|past|trailing)\s+{_U}(?:-?\s?ish\b|\s+or so\b)?\b(?!\s+(?:before|of))(?<!last half)", _length()),
        (rf"\b{_LEAD}(?:this\s+)?(?:past|trailing)\s+{_U}\b", _length()),
        (rf"\b{_MORE}\s+{_N}\s+{_U}\s+(?:ago|back)\b", _length(gap=True)),
        (rf"\b{_N}\s+(?:or more|\+|plus)\s*{_U}\s+(?:ago|back)\b", _length(gap=True)),
        (rf"\b{_LEAD}(?:less than|fewer than|under)\s+{_N}\s+{_U}\s+ago\b", _length()),
    )
)  # fmt: skip
_EN_BARE = _compiled(
    (
        (r"\b(?:half a year|six months)\s+ago\b", lambda match: _rolling(match, 180, gap=True)),
        (rf"\b{_N}\s*-?\s*{_U}\s+(?:ago|back)\b", _length(gap=True)),
        (r"(?<=\w)\s+(?:(?:a|per|each|every)\s+|/\s?)(?P<u>week|month|quarter|year)\b", _length()),
        (r"\b(?:in|over|during|across)\s+(?:the|a)\s+(?P<u>year|quarter|month|week)\b(?!\s+(?:of|before|after|since))", _length()),
        (rf"\b(?:in|within|for|over)\s+(?:over\s+|more than\s+|at least\s+|about\s+|the\s+|like\s+|a good\s+|nearly\s+|almost\s+)?{_N}\s*-?\s*{_U}\b(?!\s*-?olds?)", _length(bare=True)),
        (rf"\b{_N}\s*-?\s*(?P<u>day|week|fortnight|month|quarter)s?\b(?:\s+(?:or more|plus|straight|running))?", _length(bare=True)),
        (r"\b(?:in|over|within)\s+the\s+(?:last|past)\s+(?P<n>\d+)(?=\s*(?:[.,;?!)]|$|and\b|but\b))", lambda match: _rolling(match, int(match["n"]))),
        (r"\byesterday\b", lambda match: _rolling(match, 1)),
    )
)  # fmt: skip

# --- Chinese -----------------------------------------------------------------------------------
_ZN = rf"(?P<n>{ZH_NUMBER}|半|几)"
_ZU = r"(?:个)?(?P<u>天|日|周|星期|礼拜|月|季度|季|年)"
_ZH_PAST = r"(?:最近|近|过去|这|前|之前|此前|过往|刚过去的?)(?:的|这)?"
_ZH_END = r"(?:以来|之内|以内|内|里头?|中|间|来(?=，|,|一直|总|共|都))?"
_ZH_ROLLING = _compiled(
    (
        (rf"(?P<a>{ZH_NUMBER})\s*(?:个?(?P<u1>[天日周月]))?\s*(?:到|至|-|~)\s*(?P<b>{ZH_NUMBER})\s*{_ZU}\s*(?:之?前|以前)(?:之间)?", _between_ago),
        (rf"(?:在)?{_ZH_PAST}\s*{_ZN}\s*{_ZU}{_ZH_END}", _length()),
        (rf"(?:在)?(?:最近|近|过去|刚过去的?)(?:这|的)?一?个?(?P<u>周(?!末)|星期|礼拜|月|季度|季|年){_ZH_END}", _length()),
    )
)  # fmt: skip
_ZH_BARE = _compiled(
    (
        (rf"(?:超过|至少|多于|大于)?\s*{_ZN}\s*{_ZU}\s*(?:多)?(?:之前|以前|前)", _length(gap=True)),
        (rf"{_ZN}\s*{_ZU}(?:之内|以内|内|里)", _length()),
        (r"(?:每|一)个?(?P<u>季度|月|年|周)(?=(?:能?(?:至少|最少|最多|要|得)?(?:买|来|下|花|逛|消费|购物|光顾)))", _length()),
        (rf"(?:(?:不|没有?|未|已)?(?:超过|多于|大于|少于|小于|低于|足|满|逾)|[不没未]到|至少|至多|最多|有|已经|已|连续|整整|足足)*\s*{_ZN}\s*(?:个)?(?P<u>天|周|星期|礼拜|月|季度|年)(?!龄|纪|级|收入|薪)(?:以上|以下|以内|多|没|都没)?(?<![没])", _length(bare=True)),
        (r"昨[天日]", lambda match: _rolling(match, 1)),
    )
)  # fmt: skip


def iter_labels(mentions: list[TimeMention]) -> Iterator[str]:
    """'last quarter = 2017-10-01 to 2017-12-31' for each calendar expression."""
    for mention in mentions:
        if mention.first is not None and mention.last is not None:
            yield f"{mention.text} = {mention.first.isoformat()} to {mention.last.isoformat()}"
