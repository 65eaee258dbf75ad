"""What a speaker puts right while speaking: 'in the last month, no wait, make that sixty days', '近三十天，哦不，六十天'.

The value said last takes the place of the nearest value of its kind said before, and the words of the correction go.
"""

from __future__ import annotations

import re

from assistant.linking.calendar_days import MONTHS
from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER

_UNIT_EN = r"(?:days?|weeks?|months?|quarters?|years?|times|trips|visits|orders|purchases|coupons|dollars|bucks|percent|%|units|items|stores|people|customers|a visit|a trip)"
_MONTHS = "|".join(MONTHS)
_BOUND = r"(?:at least |at most |over |more than |under |less than |fewer than |up to |top |the last |the past |like |about |just |only )*"
_TAKEN_BACK = "wait|sorry|hang on|hold on|actually|rather|correction|scratch that|strike that|excuse me"
_UNPAUSED = rf"(?:(?:no|nope),?\s+(?:{_TAKEN_BACK}|make|let's)\b|(?:{_TAKEN_BACK}),?\s+(?:make|let's make|call) (?:that|it)\b)"
"""What takes back without a pause before it: 'in the last month but no wait', '30 days actually make that 60'."""
_CUE_EN = (
    rf"(?:\s*[,;.…—–-]+\s*|\s+(?=(?:(?:but|or|oh|well|er)\s+)*{_UNPAUSED}))(?:(?:but|or|oh|well|er|i mean)\b[\s,.…—–-]*)*"
    rf"(?:(?:no|nope)(?=\s*[,;.…—–-]|\s+(?:{_TAKEN_BACK}|make|call|let's))|{_TAKEN_BACK})\b[\s,;.…—–-]*"
    rf"(?:(?:{_TAKEN_BACK}|no|i mean|well)\b[\s,;.…—–-]*)*"
    r"(?:(?:make|let's make|call) (?:that|it)|let's say|say|it's|that's|should be|i meant)?[\s,]*"
)
_NUMBER_EN = re.compile(rf"{_CUE_EN}(?P<new>{_BOUND}\$?(?P<n>{EN_NUMBER})(?: ?(?P<u>{_UNIT_EN}))?)\b", re.I)
_VALUE_EN = re.compile(
    rf"\$?(?P<n>{EN_NUMBER})(?: ?(?P<u>{_UNIT_EN}))?|\b(?P<one>a|one|the (?:last|past)|last|past) (?P<u1>day|week|fortnight|month|quarter|year)\b",
    re.I,
)
_MONTH_EN = re.compile(
    rf"\b(?:{_MONTHS})(?:(?:,| or| and| to)+ (?:{_MONTHS}))*{_CUE_EN}(?:just |only )*(?P<new>(?:{_MONTHS})\b)",
    re.I,
)
_TIMES = {"day", "week", "fortnight", "month", "quarter", "year"}

_UNIT_ZH = r"(?:天|周|个?月|年|次|单|笔|张|块|元|美元|%|成|件|家|人|岁)"
_NUMBER_ZH = re.compile(
    rf"[，,、。\s…]*(?:哦不|啊不|噢不|不对|不不|等等|等一下|等下|说错了?|错了|更正)[，,、\s]*(?:还是)?(?:应该是?|改成|改为|换成|是|就|算)?(?P<new>(?P<n>{ZH_NUMBER})(?P<u>{_UNIT_ZH}))(?:吧|好了)?"
)
_VALUE_ZH = re.compile(rf"(?P<n>{ZH_NUMBER})(?P<u>{_UNIT_ZH})")


def corrected(text: str, chinese: bool) -> str:
    """The text as the speaker meant it in the end; numbers of two words or more are digits already."""
    text = text if chinese else _MONTH_EN.sub(r"\g<new>", text)
    place = 0
    while (found := (_NUMBER_ZH if chinese else _NUMBER_EN).search(text, place)) is not None:
        mended = _put_right(text, found, chinese)
        place = found.end() if mended is None else 0
        text = mended or text
    return text


def _put_right(text: str, found: re.Match[str], chinese: bool) -> str | None:
    """The text with the corrected value in the place of what it corrects; None when nothing of its kind was said."""
    before = list((_VALUE_ZH if chinese else _VALUE_EN).finditer(text[: found.start()]))
    unit = _kind(found["u"])
    for said in reversed(before):
        other = said.groupdict()
        kind = _kind(other["u"] or other.get("u1"))
        if not unit or not kind or kind == unit or {kind, unit} <= _TIMES:
            new = found["n"] + (_spaced(found["u"] or other["u"], chinese) if unit or kind else "")
            sign = "$" if said[0].startswith("$") or found["new"].lstrip().startswith("$") else ""
            if other.get("u1"):
                lead = "" if other["one"].lower() in ("a", "one") else other["one"] + " "
                new = lead + found["n"] + _spaced(found["u"] or other["u1"] + "s", chinese)
            return text[: said.start()] + sign + new + text[said.end() : found.start()] + text[found.end() :]
    return None


def _spaced(unit: str | None, chinese: bool) -> str:
    return (unit or "") if chinese or not unit else f" {unit}"


def _kind(unit: str | None) -> str:
    return (unit or "").lower().rstrip("s").removeprefix("个")
