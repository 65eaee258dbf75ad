"""'The 100 most valuable customers over the next year': who is most valuable by a value that is still to come.

Future spend is estimated of a group, not of one customer beside another: they are ranked by what they spent, and what these
are worth over the horizon is told.
"""

from __future__ import annotations

import re

_PEOPLE = r"(?:customers?|shoppers?|households?|buyers?|clients?|people|families|ones|accounts)"
_AHEAD = r"(?:(?:over|in|within|for|during|across) )?(?:the )?(?:next|coming|following) "
_EXPECTED = r"(?:predicted|expected|projected|estimated|forecast(?:ed)?|future|life-?time)"
_WORTH = rf"(?:{_EXPECTED} )+(?:customer )?(?:value|worth|spend(?:ing)?|revenue)"
_VALUE = rf"(?:(?:{_EXPECTED} )*(?:clv|cltv|ltv)|{_WORTH})"
_ENGLISH = re.compile(
    rf"\b(?:most|highest)[ -](?:valuable|value|worth)\b(?: {_PEOPLE})?[^.?!,;]{{0,40}}?\b{_AHEAD}"
    rf"|{_AHEAD}[^.?!,;]{{1,30}}\b(?:most|highest)[ -](?:valuable|value) {_PEOPLE}"
    rf"|\b{_PEOPLE} (?:(?:ranked |sorted )?(?:by|on) (?:the |their )?|(?:with|of|having) (?:the |their )?(?:highest|largest|biggest|greatest|most) ){_VALUE}\b",
    re.IGNORECASE,
)
_AHEAD_ZH = r"(?:未来|今后|接下来|往后|以后|明年|下一?个?(?:季度|月|年))"
_VALUE_ZH = r"(?:(?:预测|预计|预期|预估|未来|将来|终身|终生|生命周期)的?(?:总|客户)?价值|CLV|LTV)"
_MOST_ZH = r"(?:最有价值|(?:价值|贡献)最[高大]|最值钱)"
_CHINESE = re.compile(
    rf"{_AHEAD_ZH}[^，。？?,]{{0,12}}{_MOST_ZH}|{_MOST_ZH}[^，。？?,]{{0,8}}{_AHEAD_ZH}"
    rf"|{_VALUE_ZH}(?:的?排[名行序]|排在)?[，,]?(?:最[高大]|前)",
    re.IGNORECASE,
)


def asks_ranked_value(message: str) -> bool:
    """Whether a message asks for whoever is most valuable by what is still to come."""
    return bool(_ENGLISH.search(message) or _CHINESE.search(message))
