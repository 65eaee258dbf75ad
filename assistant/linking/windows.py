"""Time expressions of a question as windows of days before the as-of date, in English and Chinese.

'last N days' rolls; 'last month / quarter / year', named months and dates are calendar periods, as marketers
mean them (`periods.py`), and carry the days that state the reading ('last quarter = 1 Oct to 31 Dec 2017').
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from assistant.linking.calendar_days import MONTHS
from assistant.linking.dated import Dated, dated
from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER, to_number
from assistant.linking.spans import Span, free
from segments.check_conditions import MAX_DAYS
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
    # '2017 年' is no length of 2017 years.
    found = [m for m in found if max(m.window.start or 0, m.window.end) <= MAX_DAYS]
    found.sort(key=lambda mention: mention.span)
    # 'the week before Christmas (December 18 to 24)': the days in brackets are those meant.
    exact = [b for a, b in pairwise(found) if _BRACKET.fullmatch(text[a.span[1] : b.span[0]]) and b.calendar]
    if exact:
        kept = [m for i, m in enumerate(found) if i + 1 == len(found) or found[i + 1] not in exact]
        found = [_in_brackets(found[found.index(m) - 1], m) if m in exact else m for m in kept]
    return (
        in_each(text, before_that(text, found)) if chinese else _before_those(text, _named_twice(text, found))
    )


_OPEN = re.compile(r"\s*(?:(?P<since>since|from|自从?)|(?P<before>before|until|till|up to))\b", re.IGNORECASE)


def _in_brackets(said: TimeMention, exact: TimeMention) -> TimeMention:
    """A time with its days in brackets: those days, or 'since Thanksgiving (November 23)' from that day on."""
    mention = replace(exact, span=(said.span[0], exact.span[1]))
    leads = _OPEN.match(said.text)
    if leads is None or exact.first != exact.last:
        return mention
    day = exact.window.start
    window = Window(day, 0) if leads["since"] else Window(said.window.start, day or 0)
    return replace(mention, window=window, text=said.text)


def _same_day(time: TimeMention, day: TimeMention) -> bool:
    """Whether a time begins on a day, or is all that was before it."""
    edge = time.window.end if time.window.start is None else time.window.start
    return day.calendar and day.first == day.last and day.window.start == edge


_WHICH_IS = re.compile(r"\s*,\s*(?:(?:that|which)\s+(?:is|was)\s+)?(?:on\s+)?(?:the\s+)?", re.IGNORECASE)


def _named_twice(text: str, found: list[TimeMention]) -> list[TimeMention]:
    """'since Thanksgiving, November 23': the date says once more which day is meant."""
    out = list[TimeMention]()
    for mention in found:
        if (
            out
            and _same_day(out[-1], mention)
            and _WHICH_IS.fullmatch(text[out[-1].span[1] : mention.span[0]])
        ):
            out[-1] = replace(out[-1], span=(out[-1].span[0], mention.span[1]))
        else:
            out.append(mention)
    return out


_PRIOR = re.compile(r"\s+(?:before|prior to|preceding) (?:that|those|these|them|it)\b", re.IGNORECASE)


def _before_those(text: str, found: list[TimeMention]) -> list[TimeMention]:
    """'None in the last 45 days, five in the 90 days before those': the second time ends where the first began."""
    out = list[TimeMention]()
    for mention in found:
        prior = _PRIOR.match(text, mention.span[1])
        start = out[-1].window.start if out and not (out[-1].bare or out[-1].gap) else None
        if prior is not None and mention.bare and start is not None:
            length = (mention.window.start or 0) - mention.window.end
            span = (mention.span[0], prior.end())
            mention = TimeMention(span, Window(start + length, start), text[slice(*span)])
        out.append(mention)
    return out


_BEFORE_THAT = re.compile(
    rf"(?:(?:再|更)?(?:往前|早|在此之前|在那之前)|上一?个|前一个|(?<!天)(?<!月)(?<!年)(?<!周)(?:在)?之前(?=的?[\d一二两三四五六七八九十半]))(?:再|推|数|的|整整|那|这|一)*(?P<n>{ZH_NUMBER}|半)?\s*个?(?P<u>天|日|周|星期|礼拜|月|季度|年)(?:里|内|间)?"
)


def before_that(text: str, found: list[TimeMention]) -> list[TimeMention]:
    """'最近一周来过，再往前30天没来': the second time ends where the first began."""
    out = list(found)
    for match in _BEFORE_THAT.finditer(text):
        earlier = [m for m in out if m.span[1] <= match.start() and m.window.start and not m.calendar]
        number = match["n"] or re.search(r"前|早", match.group())
        earlier = [m for m in earlier if number and not (m.bare or m.gap)]
        if not earlier:
            continue
        start = earlier[-1].window.start or 0
        length = _span_of(match["n"] or "1", match["u"])
        out = [m for m in out if m.span[1] <= match.start() or m.span[0] >= match.end()]
        out.append(TimeMention(match.span(), Window(start + length, start), match.group()))
    return sorted(out, key=lambda mention: mention.span)


_LISTED = re.compile(r"\s*(?:、|和|及|与|跟|以及)\s*")
_EACH = re.compile(
    r"[)）]?(?:这?[两三四]个?(?:月份?|季度))?(?:里|中|内)?(?:都|均|皆|各|分别|每个?月[^，。]{0,6}?(?:都|均))(?![没未不无])"
)
_EVERY_MONTH = re.compile(r"[)）]?(?:里|中|内|期间|的)?(?:每个?月(?:份)?|月月|逐月)(?:里|都|均|至少|各|中)*")


def in_each(text: str, found: list[TimeMention]) -> list[TimeMention]:
    """'第二、第三季度均购买过': one time, which holds in each of its parts; without 'each' neighbours are one time."""
    out: list[TimeMention] = []
    run: list[TimeMention] = []
    for mention in found:
        joined = run and mention.calendar and _LISTED.fullmatch(text[run[-1].span[1] : mention.span[0]])
        if not joined:
            out += _as_one(text, run)
            run = []
        run.append(mention)
    return out + _as_one(text, run)


def _as_one(text: str, run: list[TimeMention]) -> list[TimeMention]:
    if not run or not run[0].calendar:
        return run
    span = (run[0].span[0], run[-1].span[1])
    each = _EACH.match(text, span[1])
    parts = [mention.window for mention in run]
    if each and len(run) > 1:
        parts = [
            w for m in run for w in (_months_of(m) if re.search(r"月\D*[、和及与跟]", m.text) else [m.window])
        ]
    if len(run) == 1:
        every = _EVERY_MONTH.match(text, span[1])
        parts = (
            _months_of(run[0]) if every or (each and re.search(r"月\D*[、和及与跟]", run[0].text)) else parts
        )
        each = every or each
    first = min(m.first for m in run if m.first)
    last = max(m.last for m in run if m.last)
    whole = Window(max(w.start or 0 for w in parts), min(w.end for w in parts))
    if each and len(parts) > 1:
        return [
            TimeMention((span[0], each.end()), whole, text[slice(*span)], first, last, parts=tuple(parts))
        ]
    ordered = sorted(parts, key=lambda w: -(w.start or 0))
    if len(run) > 1 and all(a.end == b.start for a, b in pairwise(ordered)):
        return [TimeMention(span, whole, text[slice(*span)], first, last)]
    return run


def _months_of(mention: TimeMention) -> list[Window]:
    """The calendar months of a time that is made of whole ones; else the time itself."""
    first, last, as_of_end = mention.first, mention.last, mention.window.end
    if first is None or last is None or first.day != 1 or (last + timedelta(days=1)).day != 1:
        return [mention.window]
    parts, day = [], first
    while day <= last:
        after = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        ago = [(last - d).days + 1 + as_of_end for d in (day, after)]
        parts.append(Window(ago[0], ago[1]))
        day = after
    return parts


_BRACKET = re.compile(r"\s*(?:黄金周|长假|假期|当天|当日|那天|期间)?(?:[(（]|[，,]?(?:即|也就是|就是))\s*")


def _claim(found: list[TimeMention], made: Iterator[TimeMention | None]) -> None:
    for mention in made:
        if mention is None or not _holds(mention.window):
            continue
        if free(mention.span, (other.span for other in found)):
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
_OF_A_PERIOD = rf"(?!\s+of\s+(?:the\s+)?(?:year|quarter|month|half|season|20\d\d|last|this|q[1-4]|h[12]|spring|summer|fall|autumn|winter|{'|'.join(name[:3] for name in MONTHS)}))"
"""'The last two weeks of December' are no two weeks before today."""
_EN_ROLLING = _compiled(
    (
        (rf"(?:\b(?:between|from)\s+)?\b(?P<a>{EN_NUMBER}|an?)\s*(?:(?P<u1>day|week|month)s?\s*)?(?:-|–|to|and)\s*(?P<b>{EN_NUMBER})\s+{_U}\s+(?:ago|back|prior|earlier)", _between_ago),
        (rf"\b{_LEAD}(?:the\s+)?{_PAST}\s+(?:half\s+a?\s?-?year|six months)\b", lambda match: _rolling(match, 180)),
        (r"\b(?:in|over|within|for)\s+(?:the\s+)?(?:last\s+)?half\s+(?:a|the)\s+year\b", lambda match: _rolling(match, 180)),
        (r"\bhalf\s+a\s+year\b(?!\s+ago)", lambda match: _rolling(match, 180, bare=True)),
        (rf"\b{_LEAD}(?:the\s+|their\s+|these\s+|this\s+|our\s+)?{_PAST}\s+{_N}\s*-?{_U}\b(?:-?\s?ish\b|\s+or so\b)?{_OF_A_PERIOD}", _length()),
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
        (r"\bthe day before yesterday\b", lambda match: _rolling(match, 2, 1)),
        (r"\byesterday\b", lambda match: _rolling(match, 1)),
    )
)  # fmt: skip

# --- Chinese -----------------------------------------------------------------------------------
_ZN = rf"(?P<n>{ZH_NUMBER}|半|几)"
_ZU = r"(?:个)?(?P<u>天|日|周|星期|礼拜|月|季度|季|年)"
_ZH_PAST = (
    r"(?:最近|近|过去|这|(?<![节诞旦庆夜五一二月份])前(?![两二三23]季度)|之前|此前|过往|刚过去的?)(?:的|这)?"
)
_ZH_END = r"(?:以来|之内|以内|内|里头?|中|间|来(?=，|,|一直|总|共|都))?"
_ZH_ROLLING = _compiled(
    (
        (rf"(?P<a>{ZH_NUMBER})\s*(?:个?(?P<u1>[天日周月])(?:之?前|以前)?)?\s*(?:到|至|-|~)\s*(?P<b>{ZH_NUMBER})\s*{_ZU}\s*(?:之?前|以前)(?:之间)?", _between_ago),
        (rf"(?:在)?{_ZH_PAST}\s*{_ZN}\s*{_ZU}{_ZH_END}", _length()),
        (rf"(?:在)?(?:最近|近|过去|刚过去的?)(?:这|的)?一?个?(?P<u>周(?!末)|星期|礼拜|月|季度|季|年){_ZH_END}", _length()),
    )
)  # fmt: skip
_ZH_BARE = _compiled(
    (
        (rf"(?:(?:超过|至少|多于|大于)(?:是|在)?)?\s*{_ZN}\s*{_ZU}\s*(?:多)?(?:之前|以前|前)", _length(gap=True)),
        (rf"{_ZN}\s*{_ZU}(?:之内|以内|内|里)", _length()),
        (r"(?:每|一)个?(?P<u>季度|月|年|周)(?=(?:能?(?:至少|最少|最多|要|得)?(?:买|来|下|花|逛|消费|购物|光顾)))", _length()),
        (rf"(?:(?:不|没有?|未|已)?(?:超过|多于|大于|少于|小于|低于|足|满|逾)|[不没未]到|至少|至多|最多|有|已经|已|连续|整整|足足)*\s*(?<![\d一二三四五六七八九十][-到至~—])(?<!\d){_ZN}\s*(?:个)?(?P<u>天|周(?!岁|末)|星期|礼拜|月|季度|年)(?!龄|纪|级|收入|薪)(?:以上|以下|以内|多|没|都没)?(?<![没])", _length(bare=True)),
        (r"(?<![\d天日周月年])前天(?!天)", lambda match: _rolling(match, 2, 1)),
        (r"昨[天日]", lambda match: _rolling(match, 1)),
    )
)  # fmt: skip


def iter_labels(mentions: list[TimeMention]) -> Iterator[str]:
    """'last quarter = 2017-10-01 to 2017-12-31' for each calendar expression."""
    for mention in mentions:
        if mention.first is not None and mention.last is not None:
            yield f"{mention.text} = {mention.first.isoformat()} to {mention.last.isoformat()}"
