"""Words that ask who entered and who left a segment between two dates, and those dates.

Such a message asks for nothing else: where these words stand, no other tool is offered. The dates are read by the
same rules as those of conditions (`assistant.linking.windows`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from assistant.linking.spans import Span, blanked
from assistant.linking.windows import TimeMention, windows

DIFF = "diff_segment"
DEFAULT_DAYS = 30
"""Back from the date of the data, where a message names no date."""

_IN = (
    r"(?:enter(?:ed|s|ing)?|join(?:ed|s|ing)?|(?:came|come|coming|got) in(?:to)?|new(?:ly in)?|gained|added)"
)
_OUT = r"(?:le(?:ft|aves?|aving)|lost|exit(?:ed|s)?|went out|gone|drop(?:ped|s|ping)? (?:out|off)|f[ea]ll(?:en)? out)"
# No text can be matched in two ways by what repeats here: else the time to read a message grows without bound.
_LINK = (
    r"(?:\s*(?:,|/|&|\band\b|\bor\b|\bversus\b|\bvs\.?|\bwho|\bhow many|\bhas|\bhave|\bdid|\bpeople|\bcustomers|\bit"
    r"|\bthis segment))+\s*"
)
_SEGMENT = r"(?:(?:the|this|that|our|my|its|their) (?:segment|group|audience|list))"
_IT = rf"(?:it|this|that|they|these|those|{_SEGMENT}(?: of (?:it|them|customers))?|(?:the|its|their) (?:size|number))"
_WHO = (
    r"(?:who(?:'s| is| are| has| have)?|how many(?: people| customers| have| has)*|(?:which|what) customers"
    r"|any(?:body|one))"
)
_OPENED = r"(?:ever since|since|(?:as )?compared? (?:to|with|against)|relative to|against|versus|vs\.?|than (?:in )?)"
_CHANGED = (
    r"(?:changed?|differ(?:ent|s)?|compare[ds]?|moved?|gr[oe]wn?|shr[iau]nk|developed|bigger|larger|smaller)"
)
_THEN = (
    r"(?:the )?(?:last|previous|past|early|mid|late|yesterday"
    r"|(?:a|an|one|two|three|six|\d+) (?:day|week|month|quarter|year)s?\b|20\d\d"
    r"|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|spring|summer|fall|autumn|winter|\d"
    r"|black friday|cyber|thanksgiving|christmas|new year|halloween|easter"
    r"|(?:labou?r|memorial|independence|valentine|mother|father))"
)
_Q_ZH = r"(?:(?:又|都|各|分别|有|一共|总共){0,4}(?:谁|哪些人|哪些(?:客户|顾客)|(?:多少|几)(?:个?人|位|名|个|客户|顾客)?)?)"
_IN_ZH = rf"(?:新?加入|新增|新进入?|进入|进来|流入|进)(?:了|的|过)?{_Q_ZH}"
_OUT_ZH = rf"(?:流失|离开|退出|流出|掉出|出去|走(?!势)|出(?!现))(?:了|的|过)?{_Q_ZH}"
_SEGMENT_ZH = r"(?:这个|该|此)(?:分群|人群|群体?)"
_LINK_ZH = rf"(?:的|{_SEGMENT_ZH})?(?:[，、,；和与及/又还]|同时|以及){{0,4}}{_Q_ZH}"
_CUES = re.compile(
    "|".join(
        (
            rf"\b(?:{_WHO}\s*)?(?:did |are )?\b(?:{_IN}{_LINK}{_OUT}|{_OUT}{_LINK}{_IN})\b(?: (?:it|them|{_SEGMENT}))?",
            r"\bins?\s*/\s*outs?\b|\b(?:in|out)flows?(?: and (?:in|out)flows?)?\b|\bcomings and goings\b",
            rf"\b{_WHO}\s+(?:{_IN}|{_OUT})(?: of| to| from| in)? (?:it|{_SEGMENT})\b",
            rf"\bwhat(?:'s| has| have)? changed\b(?: (?:in|about|with|for) (?:it|them|{_SEGMENT}))?"
            r"(?=[^?]*\b(?:since|between|compared))",
            rf"\b(?:how(?: much)?|by how much|what) (?:did|has|have|does|do|is|are) {_IT}\b[^?.!]{{0,20}}?\b{_CHANGED}\b"
            rf"(?=\s*(?:since\b|(?:{_OPENED}|between|from|to|with)\s+{_THEN}))",
            rf"\b(?:compare|difference between) (?:it|this|them|{_SEGMENT})(?: now| today)?"
            rf"(?=\s+(?:{_OPENED}|with|to|and)\s+{_THEN})",
            rf"{_Q_ZH}(?:{_IN_ZH}{_LINK_ZH}{_OUT_ZH}|{_OUT_ZH}{_LINK_ZH}{_IN_ZH})(?:{_SEGMENT_ZH})?",
            rf"(?:谁|哪些人|哪些(?:客户|顾客)|多少(?:人|位|名|客户|顾客)?)(?:新?加入|新进入?|进入|离开|退出|流出|掉出)(?:了|过)?{_SEGMENT_ZH}",
            r"(?:以来|至今)[，,]?(?:又|都|有){0,2}(?:谁|哪些人|哪些(?:客户|顾客)|多少(?:人|位|名|客户|顾客)?)"
            r"(?:新?加入|新进入?|进入|离开|退出|流出|掉出)了?(?=[。？！?!]?$)",
            rf"\b{_WHO} (?:left|dropped out|fell out)(?=\s+since\b)",
            r"(?:以来|相比|相较|对比|比起来?)[，,]?(?:他们|[这该]个?(?:分群|人群)|人数|规模|分群)?的?(?:人数|规模)?(?:都|又)?(?:有|发生)?了?"
            r"(?:怎么|什么|哪些|多少|多大)?的?(?:变了?|变化|变动|增减|不同)",
            r"(?<=[月周季度年天前])(?:多|少|增加|减少|增长)了?(?:多少|几)(?:个?人|位|名|客户|顾客)",
            r"(?:进出|进进出出|(?:人员|成员|人群|分群)(?:的)?(?:变动|进出))(?:情况)?",
        )
    ),
    re.IGNORECASE,
)
_OPEN = re.compile(rf"\b{_OPENED}\s+(?:the\s+)?(?=\S)", re.IGNORECASE)
_OPEN_ZH = re.compile(r"以来|至今|到现在|起|开始|之?后|相比|相较|对比|比起?|较|自|从")
_RANGE_ZH = re.compile(r"到|至(?!今)|和.{0,10}之间")


@dataclass(frozen=True)
class SpokenChange:
    """Where a message asks for a change, and between which dates; `later` None for the date of the data.

    dated: whether the message names a date. Without one it is `DEFAULT_DAYS` before the date of the data.
    """

    spans: tuple[Span, ...]
    earlier: date
    later: date | None = None
    dated: bool = True


def asks_change(message: str) -> bool:
    """Whether a message asks who entered and who left."""
    return _CUES.search(message) is not None


def spoken_change(message: str, chinese: bool, as_of: date) -> SpokenChange | None:
    """The change that a message asks for; None where it asks for none."""
    cues = [match.span() for match in _CUES.finditer(message)]
    if not cues:
        return None
    times = list(_times(message, chinese, as_of))
    if not times:
        return undated_change(as_of, cues)
    # 'Since October' is the question's; of other times the one after the question, since one before may describe whom.
    open_ones = [(time, opened) for time, opened in times if opened]
    asked = [(time, opened) for time, opened in times if time.span[0] >= cues[0][0]]
    time, opened = (open_ones or asked or times)[-1]
    earlier = as_of - timedelta(days=time.window.start or 0)
    later = None if opened or time.window.end == 0 else _end(time, as_of)
    if later == earlier:  # one day is where a change begins
        later = None
    return SpokenChange((*cues, time.span), earlier, later)


def undated_change(as_of: date, cues: Sequence[Span] = ()) -> SpokenChange:
    """The change that a message asks for without a date."""
    return SpokenChange(tuple(cues), as_of - timedelta(days=DEFAULT_DAYS), dated=False)


def _end(time: TimeMention, as_of: date) -> date:
    """The date that a closed time ends with: 'between 1 and 15 October' compares these two days, 'in October' a month's
    beginning with the next one's."""
    after = as_of - timedelta(days=time.window.end)
    return after if time.last is None or after.day == 1 else time.last


def _times(message: str, chinese: bool, as_of: date) -> Iterator[tuple[TimeMention, bool]]:
    """Every time with a beginning, and whether it is open: from that day on ('since October', 相比上个月)."""
    opens = [] if chinese else [match.span() for match in _OPEN.finditer(message)]
    # 'since last month' is a month ago, not the day that it ended: 'since' opens the time, and 'in' names it.
    text = message
    for start, end in opens:
        text = blanked(text, [(start, end)])
        text = f"{text[:start]}in{text[start + 2 :]}"
    for time in windows(text, chinese, as_of):
        if time.window.start is None:
            continue
        if chinese:
            before, after = message[max(0, time.span[0] - 3) : time.span[0]], message[time.span[1] :]
            said = message[slice(*time.span)] + after[:5]
            opened = bool(_OPEN_ZH.search(before[-2:] + said)) and not _RANGE_ZH.search(
                message[slice(*time.span)]
            )
        else:
            opened = any(start <= time.span[0] <= end for start, end in opens) or time.gap
        yield time, opened
