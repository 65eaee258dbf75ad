"""Goods against other goods: 'spent more on wine than on beer', 'twice as much pasta as rice', '牛肉花的钱比鸡肉多',
'啤酒花费是汽水的2倍以上'.

Money, times and units are told apart by the words; where none says what is counted, units are: 'more cat food than dog food'.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

from assistant.linking.numbers import ZH_NUMBER, to_number
from assistant.linking.spans import Span, after_last, blanked
from assistant.linking.windows import TimeMention, windows
from segments.definition import (
    ComparisonCondition,
    EventMeasure,
    EventQuantity,
    ItemFilter,
    Window,
)

FindItems = Callable[[str], ItemFilter]
"""What items a part of the message names; an empty filter for none."""
Time = tuple[Span, Window]
"""Where a time is said, and which."""

_OUTDOES = re.compile(r"exceed|outweigh|outstrip|outnumber|outsell|beat|topp", re.IGNORECASE)
_THAN = re.compile(r"\bthan\b", re.IGNORECASE)
_AS_MUCH = re.compile(r"\bas (?:much|many|often)\b", re.IGNORECASE)
_AS = re.compile(r"\bas\b", re.IGNORECASE)
_ENDS = re.compile(r"[,;:()–—]|\b(?:and|but|who|whom|which|with|while|or else|plus|as well)\b", re.IGNORECASE)
"""What ends the goods that others are compared with."""
_LEAD = re.compile(r"\b(?:whose|whom|who|that|where|and|but|or else)\b|[,:;]", re.IGNORECASE)
"""'beer or wine' are the goods of one side."""
_NOBODYS = re.compile(
    r"\s*(?:the\s+)?(?:averages?|usual|before|most|others?|normal|typical|ever)\b", re.IGNORECASE
)
"""'More than average on beer' compares with no other goods."""
_NEAR = 45
"""Characters between 'more' and its 'than' at most."""
_OFTEN = re.compile(
    r"\b(?:often|times(?! as)|trips?|orders?|visits?|occasions|frequen\w+|count)\b", re.IGNORECASE
)
_IN_MONEY = re.compile(
    r"\b(?:monetary|dollars?|bucks|money|spen[dt]\w*|spending|revenue|value|worth|pa(?:y|id)|la(?:y|id) out)\b|[$€£¥]"
    r"|\b(?:more|less|much) on\b",
    re.IGNORECASE,
)
_BOUGHT = re.compile(
    r"\b(?:units?|quantit\w+|volumes?|b[ou]y\w*|bought|purchas\w+|took|takes?|get|got)\b", re.IGNORECASE
)


def compared_goods(
    text: str, time: Time | None, op: str, factor: float, change: Span, items: FindItems
) -> tuple[Span, ComparisonCondition] | None:
    """The comparison of two kinds of goods that an English text says, where it says one.

    text: without its times. time: the one that it says. op, factor, change: what it says of the two, and where.
    """
    begin = after_last(_LEAD, text, 0, change[0])
    sides = _sides(text, begin, change, items)
    if sides is None:
        return None
    one, other, end = sides
    measure = _measure(text[begin:end], bool(_OUTDOES.search(text[slice(*change)])))
    time = time if time is not None and _said_of(text, (begin, end), time[0]) else None
    span = (begin, end) if time is None else (min(begin, time[0][0]), max(end, time[0][1]))
    return span, _condition(one, other, measure, time, op, factor)


def _said_of(text: str, compared: Span, time: Span) -> bool:
    """Whether a time stands in the comparison or just beside it, and so is the comparison's."""
    if time[1] <= compared[0]:
        return re.fullmatch(r"[\s,:]*", text[time[1] : compared[0]]) is not None
    return time[0] < compared[1] or re.fullmatch(r"[\s,(]*", text[compared[1] : time[0]]) is not None


def _sides(
    text: str, begin: int, change: Span, items: FindItems
) -> tuple[ItemFilter, ItemFilter, int] | None:
    """The goods of both sides, and where the second ends. begin: where what is compared begins."""
    before, place = text[begin : change[0]], change[1]
    if _OUTDOES.search(text[slice(*change)]):
        said, after = before, place
    else:
        much = _AS_MUCH.match(text, place + 1)
        joint = (_AS if much else _THAN).search(text, much.end() if much else place)
        if joint is None or joint.start() - place > _NEAR:
            return None
        between = text[place : joint.start()]
        said, after = between if items(between) else before, joint.end()
    if _NOBODYS.match(text, after):
        return None
    ends = _ENDS.search(text, after)
    end = ends.start() if ends else len(text.rstrip(" .?!"))
    one, other = items(said), items(text[after:end])
    return (one, other, end) if one and other and one != other else None


def _measure(said: str, outdoes: bool) -> EventMeasure:
    if _OFTEN.search(said):
        return "count"
    if _IN_MONEY.search(said):
        return "value"
    return "quantity" if not outdoes and _BOUGHT.search(said) else "count"


def _condition(
    one: ItemFilter, other: ItemFilter, measure: EventMeasure, time: Time | None, op: str, factor: float
) -> ComparisonCondition:
    window = Window() if time is None else time[1]
    left, right = (EventQuantity("purchase", goods, window, measure) for goods in (one, other))
    return ComparisonCondition(left, op, right, round(factor, 4))


_PART = r"[^，。；,;？?！!：:（）()\n]"
NO_COMPARISON = r"(?![例率较如方重值分萨目利起赛熊格])"
"""What 比 is followed by where it compares nothing: 比萨, 比例."""
_AMOUNT_ZH = re.compile(r"\s*[¥￥$]?\s*[\d一二两三四五六七八九十百千万半]")
_MORE_ZH = r"超过|多于|高于|大于|多过|高过|胜过|大过|[>＞]"
_LESS_ZH = r"少于|低于|小于|不如|不及|少过|[<＜]"
_COMPARED_ZH = re.compile(
    rf"(?P<a>{_PART}{{1,28}}?)(?:(?P<than>(?<![对占环同百分])比{NO_COMPARISON})|(?P<more>{_MORE_ZH})|(?P<less>{_LESS_ZH})|(?P<is>是|达到?))"
    rf"(?P<b>{_PART}{{1,24}})"
)
_DIRECTION_ZH = re.compile(r"(?P<b>.+?)(?:还|要|更|来得|得)*(?P<dir>多|高|勤|频繁|频|大|少|低|小)")
_TIMES_ZH = re.compile(
    rf"(?P<b>.+?)的?(?:(?P<x>\d+(?:\.\d+)?|{ZH_NUMBER})\s?倍|(?P<half>一?半))(?:或?(?:及|以上|往上|更多))?"
)
_LEAD_ZH = re.compile(r"(?<=[的，,])或者?|并且?|而且|且|同时|但是?|另外")
_COUNTED_ZH: tuple[tuple[EventMeasure, re.Pattern[str]], ...] = (
    ("count", re.compile(r"次|勤|频|趟|单数|订单|回数")),
    ("quantity", re.compile(r"件|数量|个数|瓶|包数|销量|份数")),
    ("value", re.compile(r"钱|花|额|消费|支出|费用|刀|元|块")),
)
_BESIDE = re.compile(r"[的人客户们家庭者\s，,（(：:金额次数]*")
"""Between a comparison and the time that is said beside it."""


def compared_goods_zh(text: str, as_of: date, items: FindItems) -> Iterator[tuple[Span, ComparisonCondition]]:
    """Every comparison of two kinds of goods that a Chinese text says."""
    times = windows(text, True, as_of)
    bare = blanked(text, [time.span for time in times], "　")
    for match in _COMPARED_ZH.finditer(bare):
        said = _said_zh(match)
        if said is None:
            continue
        right, op, factor, end = said
        start = after_last(_LEAD_ZH, bare, *match.span("a"))
        one, other = items(bare[start : match.end("a")]), items(right)
        if not (one and other) or one == other:
            continue
        inside = [time for time in times if start <= time.span[0] and time.span[1] <= end]
        if len(inside) > 1:
            continue
        mention = inside[0] if inside else _beside(text, (start, end), times)
        time = None if mention is None else (mention.span, mention.window)
        span = (start, end) if time is None else (min(start, time[0][0]), max(end, time[0][1]))
        yield span, _condition(one, other, _measure_zh(text[slice(*span)]), time, op, factor)


def _said_zh(match: re.Match[str]) -> tuple[str, str, float, int] | None:
    """(the second goods' words, operator, factor, end) of what stands after the comparing word."""
    place, said = match.start("b"), match["b"]
    times = _TIMES_ZH.match(said)
    if times is not None and not match["than"]:
        factor = 0.5 if times["half"] else to_number(times["x"])
        op = "<" if match["less"] else ">" if match["more"] else ">="
        return times["b"], op, factor, place + times.end()
    if match["is"]:
        return None
    if not match["than"]:
        if _AMOUNT_ZH.match(said):
            return None  # 'over a hundred'
        ends = re.search(rf"的(?!钱|花|消|支|金|次|数)|\d|{_LEAD_ZH.pattern}", said)
        cut = ends.start() if ends else len(said)
        return said[:cut], ">" if match["more"] else "<", 1.0, place + cut
    direction = _DIRECTION_ZH.match(said)
    if direction is None or _AMOUNT_ZH.match(said, direction.end()):
        return None  # 'more by two tenths' is another comparison
    op = "<" if direction["dir"] in "少低小" else ">"
    return direction["b"], op, 1.0, place + direction.end()


def _beside(text: str, span: Span, times: list[TimeMention]) -> TimeMention | None:
    """The time that is said for a comparison just before or after it, and for nothing else."""
    for time in times:
        if time.span[0] >= span[1] and _BESIDE.fullmatch(text, span[1], time.span[0]):
            return time if re.match(r"\s*(?:[）)，,。；;！!]|$)", text[time.span[1] :]) else None
        if time.span[1] <= span[0] and re.fullmatch(r"[里内的\s，,：:]*", text[time.span[1] : span[0]]):
            return time
    return None


def _measure_zh(said: str) -> EventMeasure:
    for measure, words in _COUNTED_ZH:
        if words.search(said):
            return measure
    return "quantity"
