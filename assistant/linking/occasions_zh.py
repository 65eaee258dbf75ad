"""Days of the week, hours and stores of a Chinese question: '周一至周五', '晚上10点以后到凌晨2点', '367号门店'."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.linking.spans import Span
from segments.catalogue import PARTS
from segments.definition import WEEKDAYS, Occasion

_NAMES = dict(zip("一二三四五六", range(6), strict=True)) | {"日": 6, "天": 6, "七": 6}
_NAME = r"(?:周|星期|礼拜)"
_WEEK = rf"(?:(?<![上下本这个半\d一二两三四五六七八九十几]){_NAME})"
_OF_DAYS = r"(?:的(?=[早晚上下中夜凌傍深午半清\d]))?"
_AND_PART = r"(?:的?(?P<part>早上|上午|下午|傍晚|晚上|深夜|夜里)(?!\s*[\d一二两三四五六七八九十]+\s*[点时]))?"
_DAY = rf"{_WEEK}(?P<{{0}}>[一二三四五六日天])"
_RANGE = re.compile(
    rf"(?:每个?)?{_DAY.format('a')}\s*(?:到|至|-|~|—)\s*{_NAME}?(?P<b>[一二三四五六日天])(?![天个次趟单笔回]){_AND_PART}{_OF_DAYS}"
)
_LIST = re.compile(
    rf"(?:每个?|逢)?{_WEEK}(?P<days>[一二三四五六日天](?:(?:\s*(?:、|或|和|与|及|跟)\s*{_NAME}?|{_NAME})?[一二三四五六日天](?![天个月年次趟单笔回]))*)(?![天个次趟单笔回]){_AND_PART}{_OF_DAYS}"
)
_WORKDAYS = re.compile(rf"(?:工作日|平日(?!里?的?客单)|周中){_AND_PART}{_OF_DAYS}")
_PART_HOURS = dict.fromkeys(("早上", "上午"), PARTS["morning"]) | {"下午": PARTS["afternoon"]}
_PART_HOURS |= dict.fromkeys(("傍晚", "晚上"), PARTS["evening"]) | dict.fromkeys(
    ("深夜", "夜里"), PARTS["night"]
)
_PART = r"(?:凌晨|清晨|早晨|早上|上午|中午|下午|傍晚|晚上|晚间|夜里|夜间|深夜|半夜|午夜|早|晚)"
_HOUR = rf"(?P<{{0}}p>{_PART})?\s*(?P<{{0}}>\d{{{{1,2}}}}|[零一二两三四五六七八九十]{{{{1,3}}}})\s*(?:点钟?|时(?!候|间|段|期|常)|:00)(?:整)?"
_A, _B = _HOUR.format("a"), _HOUR.format("b")
_LATER = r"(?:以后|之后|过后|后|起)"
_HOURS = (
    ("between", re.compile(rf"(?:从)?{_A}(?:{_LATER})?\s*(?:到|至|-|~|—)\s*(?:第二天|次日|隔天)?{_B}(?:之间|之前|以前|前)?")),
    ("since", re.compile(rf"{_A}(?:{_LATER}|以上|开始)")),
    ("until", re.compile(rf"{_A}(?:之前|以前|前)")),
)  # fmt: skip
_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
_N = r"(?:\d{1,5}|[一二三四五六七八九][〇零一二三四五六七八九]{1,4}|[一二三四五六七八九])"
_STORE = re.compile(
    rf"(?:(?:编号|门店|店铺)(?:为|是|号|编号)*\s*(?P<n>{_N}(?:\s*(?:、|或|和)\s*{_N})*)\s*号?(?:门店|店铺?)?(?!家|个|%|次|天)"
    rf"|(?P<m>{_N}(?:\s*号?\s*(?:、|或|和)\s*{_N})*)\s*号(?:的)?(?:门店|店铺?|分店|柜)|(?P<k>\d{{2,5}})\s*(?:门店|分店|店)(?!铺?数|里买)"
    rf"|经渠道\s*(?P<c>\w+(?:或\w+)*))"
)


def occasions_zh(text: str) -> Iterator[tuple[Span, Occasion]]:
    """Every occasion said, with its place; parts of the day and weekends alone are left to the features."""
    for match in _RANGE.finditer(text):
        first, last = _NAMES[match["a"]], _NAMES[match["b"]]
        days = tuple(WEEKDAYS[(first + i) % 7] for i in range((last - first) % 7 + 1))
        yield match.span(), Occasion(weekdays=days, hours=_PART_HOURS.get(match["part"] or ""))
    for match in _WORKDAYS.finditer(text):
        yield match.span(), Occasion(weekdays=WEEKDAYS[:5], hours=_PART_HOURS.get(match["part"] or ""))
    for match in _LIST.finditer(text):
        said = {_NAMES[char] for char in match["days"] if char in _NAMES}
        hours = _PART_HOURS.get(match["part"] or "")
        yield match.span(), Occasion(weekdays=tuple(WEEKDAYS[day] for day in sorted(said)), hours=hours)
    for how, pattern in _HOURS:
        for match in pattern.finditer(text):
            if (hours := _hours(how, match)) is not None:
                yield match.span(), Occasion(hours=hours)
    for match in _STORE.finditer(text):
        stores = next(group for group in match.groups() if group)
        names = tuple(name.translate(_DIGITS) for name in re.findall(r"[^\s、或和号]+", stores))
        yield match.span(), Occasion(channel=names)


def _hours(how: str, match: re.Match[str]) -> tuple[int, int] | None:
    """The hours from, to; None when they are no hours of a day."""
    first = _hour(match["a"], match["ap"])
    if how == "since":
        return (first, 24) if first is not None and first < 24 else None
    if how == "until":
        return (0, first) if first else None
    part = match["bp"] or (
        match["ap"] if match["ap"] not in ("凌晨", "上午", "早上", "早晨", "清晨", "早") else None
    )
    last = _hour(match["b"], part if match["bp"] or not match["ap"] else match["ap"])
    if (
        first is not None
        and last is not None
        and last <= first
        and not match["bp"]
        and match["ap"] in ("上午", "早上", "早")
    ):
        last += 12 if last < 12 else 0
    return None if first is None or last is None or first == last or first > 23 else (first, last)


def _hour(said: str, part: str | None) -> int | None:
    hour = int(said) if said.isdigit() else _chinese_hour(said)
    if hour is None or hour > 24:
        return None
    afternoon = part in ("下午", "傍晚", "晚上", "晚间", "晚") or (part == "中午" and hour < 6)
    night = part in ("夜里", "夜间", "深夜", "半夜", "午夜")
    if (afternoon and hour < 12) or (night and 6 <= hour < 12):
        return hour + 12
    return 0 if hour == 12 and (night or part in ("晚上", "凌晨")) else hour


def _chinese_hour(said: str) -> int | None:
    digits = "零一二三四五六七八九"
    if said in ("两", "二"):
        return 2
    if "十" not in said:
        return digits.index(said) if len(said) == 1 and said in digits else None
    tens, ones = said.split("十", 1)
    if any(len(part) > 1 or (part and part not in digits) for part in (tens, ones)):
        return None
    return (digits.index(tens) if tens else 1) * 10 + (digits.index(ones) if ones else 0)
