"""Chinese behaviour that is more than one event: '收到活动后3天内下单', '任意七日之内下单达六笔', '12月消费较11月下降40%'.

Each is read whole, before the rest of the message is cut into clauses; a time said beside one stays a clause's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Literal

from assistant.linking.goods_compared import FindItems, compared_goods_zh
from assistant.linking.numbers import ZH_NUMBER, to_number
from assistant.linking.patterns import Pattern, longer_said
from assistant.linking.spans import free
from assistant.linking.windows import TimeMention, windows
from segments.definition import (
    ComparisonCondition,
    Condition,
    EventMeasure,
    EventQuantity,
    ItemFilter,
    RepeatCondition,
    RepeatUnit,
    SequenceCondition,
    Step,
    TouchCondition,
    Window,
)

_DAYS = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30, "季度": 90, "年": 365}
_UNIT = r"个?(?P<u>天|日|周|星期|礼拜|月)"


def patterns_zh(text: str, as_of: date, items: FindItems) -> list[Pattern]:
    """Every such pattern of a Chinese message, left to right, none overlapping."""
    found: list[Pattern] = []
    for read in (_comparisons, _sequences, _touches, _repeats):
        for pattern in read(text, as_of, items):
            if free(pattern.span, (p.span for p in found)):
                found.append(pattern)
    return sorted(found, key=lambda pattern: pattern.span)


def _length(count: str | None, unit: str) -> int:
    return round((0.5 if count == "半" else to_number(count or "1")) * _DAYS[unit])


# --- One thing after another ---------------------------------------------------------------------
_BUYS = r"(?:购买|买|入手|囤|下单|消费|购物|光顾|来店|到店|回来|回购|复购|来)"
_FIRST = (
    r"(?P<exposure>(?:收到|接到|接收|接受|参与|参加)(?:过|了)?(?:[^，。；,]{0,8}?)(?:活动|推广|直邮)(?:触达|推送)?"
    r"|被[^，。；,]{0,4}?(?:触达|推送)(?:过|了)?|(?:在|于)?(?:营销|推广|促销)活动(?=之?后|以后)|活动(?:发|推送|送|寄)(?:到|出去?|了)(?=之?后|以后))"
    r"|(?P<redeem>(?:使用|用|核销|兑换|领用)(?:过|了|完)?[^，。；,]{0,6}?券|核销)"
    rf"|(?P<buy>{_BUYS})(?:过|了|完)?(?P<a>[^，。；,]{{0,12}}?)"
)
_THEN = (
    r"(?:(?P<no>没有?|未曾|未|不曾|从未|没能)(?:再|有|发生|进行)*(?:过|任何)*)?"
    r"(?:(?P<redeem2>(?:使用|用|核销|兑换)(?:过|了)?[^，。；,的]{0,6}?券|核销|用券)"
    rf"|(?P<buy2>{_BUYS})(?:过|了)?(?P<b>[^，。；,的]{{0,10}}?))(?=的|$|[，。；,？?\s]|者|且|并|而)"
)
_SEQUENCE = re.compile(
    rf"(?:{_FIRST})(?:\s*[，,]?\s*(?:之后|以后|此后|过后|后)|(?<=活动)|(?<=推广)|(?<=直邮)|(?<=触达)|(?<=推送)|(?<=券))(?:的|起)?[，,]?\s*(?:在)?(?P<n>{ZH_NUMBER}|半)\s*{_UNIT}"
    rf"(?:之内|以内|内|里|时间内)(?:就|便|即|又|再|还|也|都|仍|却|立即|马上|曾|有)*{_THEN}"
)


def _sequences(text: str, _: date, items: FindItems) -> Iterator[Pattern]:
    for match in _SEQUENCE.finditer(text):
        first = _step(match, "exposure", "redeem", "buy", "a", items, None)
        last = _step(match, "", "redeem2", "buy2", "b", items, _length(match["n"], match["u"]))
        if first is None or last is None:
            continue
        condition = SequenceCondition((first,), last) if match["no"] else SequenceCondition((first, last))
        yield Pattern(match.span(), condition)


def _step(
    match: re.Match[str],
    exposure: str,
    redeem: str,
    buy: str,
    what: str,
    items: FindItems,
    within: int | None,
) -> Step | None:
    """The event that a part of a sequence says; None where it names something unknown."""
    if exposure and match[exposure]:
        return Step("exposure", within_days=within)
    if match[redeem]:
        return Step("coupon_redeem", within_days=within)
    said = re.sub(
        r"任何|东西|商品|购买|下单|购物|消费|[的买来了过]|[一二两\d][次单笔]", "", match[what] or ""
    ).strip()
    named = items(said) if said else None
    if said and not named:
        return None
    return Step("purchase", named, within) if named else Step("purchase", within_days=within)


# --- The first or last thing ---------------------------------------------------------------------
_TOUCH = re.compile(
    r"(?P<which>首次|首单|第一次|最近一次|最后一次)(?:购买|下单|购物)?(?:的是|买的是|就是|是)?(?P<a>[^，。；,]{0,40}?)[，,]\s*时间为\s*"
)


_LAST_IN = re.compile(
    r"最[后近]一(?:单|[次回趟](?:购买|购物|下单|消费|来店|到店|买东西|来买东西|来))的?(?:时间)?(?:就|还|都)?(?:是|停留?|落|发生)?在?(?P<when>[^，。；,]{1,14})"
)
"""'最后一单停在9月'."""


def _touches(text: str, as_of: date, items: FindItems) -> Iterator[Pattern]:
    for match in _LAST_IN.finditer(text):
        times = windows(match["when"], True, as_of)
        if times and times[0].calendar and times[0].span[0] == 0:
            end = match.start("when") + times[0].span[1]
            if re.match(r"的?(?:时候)?(?:买|收|用|领|活动)", text[end:]):
                continue  # the goods or the campaign of that time
            yield Pattern((match.start(), end), TouchCondition("last", "purchase", window=times[0].window))
    for match in _TOUCH.finditer(text):
        which: Literal["first", "last"] = "last" if match["which"].startswith("最") else "first"
        named = items(match["a"]) if match["a"].strip() else None
        touch = TouchCondition(which, "purchase", named) if named else TouchCondition(which, "purchase")
        if named or not match["a"].strip():
            yield Pattern(match.span(), touch)


# --- Often within some days ----------------------------------------------------------------------
_TIMES = rf"(?P<k>{ZH_NUMBER})\s*(?P<unit>次|单|笔|趟|回|遍|天|日)(?:订单)?(?:及?以上|或更多|多)?"
_REPEATS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:曾|有过?)?(?:在)?(?:任意|任何|任一|同一?|某一?|哪一?|随便哪?一?|连续)(?:个)?(?:连续)?的?(?P<n>{ZH_NUMBER})?\s*{_UNIT}(?:之内|以内|内|里头?|时间内)?"
        rf"(?:曾|就|能|都|总共|一共|累计|连续)*(?:{_BUYS}|下(?=[过了满达\d一二两三四五六七八九十])|跑|逛)(?:过|了|满|达到?|足)*(?:至少|不少于|不低于|超过|起码|够)?{_TIMES}",
        rf"在\s*(?P<n>{ZH_NUMBER})\s*{_UNIT}之内有\s*{_TIMES}购买",
    )
)


_ONCE = re.compile(
    rf"(?<![近这去前])一个?(?P<u>天|周|星期|礼拜)(?:之内|以内|内|里)(?:曾|就|能|都|总共)*(?:{_BUYS}|下(?=[过了\d一二两三四五六七八九十])|跑|逛)(?:过|了|满|达到?)*(?:至少|不少于|超过)?{_TIMES}"
)
"""'一周内来过五次': any week of the time that is said besides it, else the last one."""


_BURST = re.compile(
    rf"(?<![近这去前最])(?:曾|有过?|出现|存在)*(?:在)?(?P<n>{ZH_NUMBER})个?\s*{_UNIT}(?:之内|以内|内|里)?(?:有过?|出现过?|下过?|下单|来过?)*(?:至少)?(?P<k>{ZH_NUMBER})\s*(?:次|个)?(?P<unit>单|笔)(?:订单)?"
)
"""'半年内有过10天两单': of the longer time, which must be said besides."""


def _repeats(text: str, as_of: date, _items: FindItems) -> Iterator[Pattern]:
    for pattern in _REPEATS:
        for match in pattern.finditer(text):
            times, days = int(to_number(match["k"])), _length(match["n"], match["u"])
            times += 1 if "超过" in match.group() else 0
            unit: RepeatUnit = "days" if match["unit"] in "天日" else "orders"
            if times >= 2:
                yield Pattern(match.span(), RepeatCondition("purchase", times, days, unit))
    for match in _BURST.finditer(text):
        times, days = int(to_number(match["k"])), _length(match["n"], match["u"])
        part = text[max(text.rfind(mark, 0, match.start()) for mark in "。；;") + 1 : match.start()]
        if times >= 2 and longer_said(part, days, True, as_of):
            yield Pattern(match.span(), RepeatCondition("purchase", times, days))
    for match in _ONCE.finditer(text):
        times, rest = int(to_number(match["k"])), text[: match.start()] + "，" + text[match.end() :]
        longer = [
            w for w in windows(rest, True, as_of) if (w.window.start or 0) > 7 and not (w.bare or w.gap)
        ]
        if times >= 2 and len(longer) == 1:
            yield Pattern(match.span(), RepeatCondition("purchase", times, _length("1", match["u"])))


# --- One period against another ------------------------------------------------------------------
_WHAT = (
    r"(?:(?P<value{0}>(?:累计|总)?(?:消费|花费|支出|开销|购买的?金额|花的?钱)(?:总?金?额|总额)?|花得|花)"
    r"|(?P<count{0}>(?:订单|下单|购物|购买|来店|到店|光顾|单(?=量))(?:总?数量?|的?次数|量|频次|笔数)?|买得|来得))"
)
_SAME, _OTHER = _WHAT.replace("{0}", ""), _WHAT.replace("{0}", "2")
_LESS = r"减少|下降|降低|下滑|下跌|缩减|回落|少|低|跌|降|减"
_MORE = r"增加|增长|上升|提高|提升|上涨|攀升|多|高|涨|升|增"
_SOFT = r"(?:有所|明显|大幅|显著|却|反而|反倒|则|竟|还|要|了|又|整体|已|至少|不少于|超过)*"
_HOW_MUCH = rf"(?:了|出)?(?P<sharp>至少|不少于|超过|不低于)?\s*(?:(?P<p>{ZH_NUMBER})\s*[%％]|(?P<half>一半))?(?:(?:及|或)?以上|多)?"
_CHANGED = re.compile(
    rf"(?P<now>[^，。；,;]{{2,16}}?)的?{_SAME}?\s*(?:相?较于?|相比于?|对比|环比|比|与|和|跟)\s*(?P<then>[^，。；,;]{{2,14}}?)(?:的)?{_OTHER}?(?:相比)?[，,]?{_SOFT}"
    rf"(?:(?P<less>{_LESS})|(?P<more>{_MORE}))(?:(?P<value3>花|消费)|(?P<count3>来|下单|买))?{_HOW_MUCH}"
)
_OPS = {
    "多于": ">", "高于": ">", "超过": ">", "大于": ">", "不少于": ">=", "不低于": ">=", "至少": ">=",
    "少于": "<", "低于": "<", "不及": "<", "不到": "<", "不足": "<", "小于": "<", "至多": "<=", "不超过": "<=", "不高于": "<=",
}  # fmt: skip
_AGAINST = re.compile(
    rf"(?P<now>[^，。；,;]{{2,16}}?)的?{_SAME}\s*(?P<op>{'|'.join(sorted(_OPS, key=len, reverse=True))})\s*(?P<then>[^，。；,;]{{2,16}}?)(?:的)?{_OTHER}?"
    rf"(?:的?\s*(?:(?P<p>{ZH_NUMBER})\s*[%％]|(?P<half>一半)|(?P<x>{ZH_NUMBER}|两)\s*倍))?(?=的|$|[，。；,？?]|且|并|而|者|但)"
)
_TIMES_OF = re.compile(
    rf"(?P<now>[^，。；,;]{{2,16}}?)的?{_SAME}\s*(?P<lead>不到|不足|至少|超过|至多)?(?:是|为|有|做到|冲到|达到?|占|降到|降至|减到|涨到|只有|仅为?)+\s*(?P<then>[^，。；,;]{{2,16}}?)(?:的)?{_OTHER}?的?\s*"
    rf"(?P<lead2>不到|不足|至少|超过|至多)?(?:(?P<p>{ZH_NUMBER})\s*[%％]|(?P<half>一半)|(?P<x>{ZH_NUMBER}|两)\s*倍)(?P<tail>(?:及|或)?以上|(?:及|或)?以下|以内|多|不到)?"
)
_ALSO = re.compile(
    rf"[，,]?\s*(?:而|但|可|同时|且)?{_SAME}{_SOFT}(?:(?P<less>{_LESS})|(?P<more>{_MORE})){_HOW_MUCH}(?=的|$|[，。；,？?]|且|并|而|者)"
)
_BEFORE = re.compile(
    rf"(?:再|在)?(?:往前|此前|之前|先前|前|更早|上一?个?|前一?个?)(?:的|推|整整|那|这)*(?P<n>{ZH_NUMBER})?\s*个?(?P<u>天|日|周|星期|礼拜|月|季度)?(?:内|里)?"
)
"""'此前九十天', '之前', '上一个90天': as long as the time before it, and just before it."""


def _comparisons(text: str, as_of: date, items: FindItems) -> Iterator[Pattern]:
    for span, condition in compared_goods_zh(text, as_of, items):
        yield Pattern(span, condition)
    for pattern in (_CHANGED, _AGAINST, _TIMES_OF):
        for match in pattern.finditer(text):
            now = windows(match["now"], True, as_of)
            if len(now) != 1 or now[0].window.start is None:
                continue
            earlier = _earlier(match["then"], now[0], as_of)
            if earlier is None or not match["then"].strip():
                continue
            if not any(match.groupdict().get(name) for name in _SAID):
                continue
            start = match.start("now") + now[0].span[0]
            ahead = re.search(r"[^，。；,;]*$", text[:start])
            goods = items(ahead.group()) if ahead else ItemFilter()
            start = ahead.start() if ahead and goods else start
            op, factor = _change(match) if pattern is _CHANGED else _ratio(match)
            measure = _measure(match)
            yield Pattern((start, match.end()), _compared(now[0].window, earlier, measure, op, factor, goods))
            also = _ALSO.match(text, match.end())
            if also is not None:
                again = _compared(now[0].window, earlier, _measure(also), *_change(also), goods)
                yield Pattern(also.span(), again)


_SAID = ("value", "count", "value2", "count2", "value3", "count3")
"""Groups that say what is compared."""


def _measure(match: re.Match[str]) -> EventMeasure:
    groups = match.groupdict()
    said = next((name for name in _SAID if groups.get(name)), "count")
    return "value" if said.startswith("value") else "count"


def _change(match: re.Match[str]) -> tuple[str, float]:
    """'下降百分之四十及以上' -> at most 0.6 times."""
    share = 0.5 if match["half"] else to_number(match["p"]) / 100 if match["p"] else 0.0
    strict = (
        not share or match["sharp"] == "超过" or "超过" in match.group()[match.end("now") - match.start() :]
    )
    if match["less"]:
        return ("<" if strict else "<="), round(1 - share, 6)
    return (">" if strict else ">="), round(1 + share, 6)


def _ratio(match: re.Match[str]) -> tuple[str, float]:
    """'不到11月的一半' -> less than 0.5 times."""
    factor = 0.5 if match["half"] else to_number(match["p"]) / 100 if match["p"] else 1.0
    groups = match.groupdict()
    if groups.get("op"):
        op = _OPS[groups["op"]]
    else:
        said = "".join(groups[name] or "" for name in ("lead", "lead2", "tail"))
        below = re.search(r"不到|不足|以下|以内|至多", said)
        op = ("<" if "不" in said else "<=") if below else ">" if re.search(r"超过|多", said) else ">="
    return op, to_number(match["x"]) if match["x"] else round(factor, 6)


def _earlier(said: str, now: TimeMention, as_of: date) -> Window | None:
    """The time compared with: named, or just before the other."""
    before = _BEFORE.fullmatch(said.strip())
    start, end = now.window.start or 0, now.window.end
    if before is not None and not now.calendar:
        length = _length(before["n"], before["u"]) if before["u"] else start - end
        return Window(start + length, start)
    then = windows(f"{now.text}，{said}", True, as_of)[1:]
    if len(then) != 1 or then[0].window.start is None or then[0].window == now.window:
        return None
    return then[0].window if then[0].calendar or then[0].window.end else None


def _compared(
    now: Window, then: Window, measure: EventMeasure, op: str, factor: float, goods: ItemFilter
) -> Condition:
    left, right = (EventQuantity("purchase", goods, window, measure) for window in (now, then))
    return ComparisonCondition(left, op, right, factor)
