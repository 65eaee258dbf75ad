"""Who is likeliest to buy something: 'top 20 % for likelihood to buy soup next month', '啤酒30天购买概率排前10%'.

A question about the probability of a segment is another thing; here it is a condition, on a category's own model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.linking.numbers import DIGITS, EN_NUMBER, to_number
from assistant.linking.patterns import FindItems, Pattern
from assistant.linking.spans import Span, free
from segments.definition import PropensityCondition

_TOP = rf"(?:the\s+)?(?:top|likeliest|most likely)\s+(?P<n>{DIGITS}|{EN_NUMBER})\s?(?:%|percent\b|per cent\b)(?:\s+of\s+(?:all\s+)?(?:customers|shoppers|people|households))?"
_CHANCE = r"(?:propensity|likelihood|probability|chances?|odds|prospects?)"
_SOON = r"(?:(?:over|in|within|for|during|the)\s+)*(?:(?:next|coming|following)\s+(?:month|thirty days|30\s?(?:days|d))|30\s?(?:days|d)\b|a month|30(?=\s*$))"
_GOODS = r"(?P<goods>[a-z][^,;:.?!()%]{2,48}?)"
_END = rf"(?:\s*[,(]?\s*{_SOON}\)?|(?=\s*(?:$|[,;:.?!()])|\s+(?:and|or|but|who|with|plus)\b))"
_ENGLISH = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 'Cookies propensity, the top 20%, next 30 days'
        rf"\b{_GOODS}\s+{_CHANCE}\s*[,:]?\s+(?:in\s+)?{_TOP}(?:\s*[,(]?\s*{_SOON}\)?)?",
        # 'top 10 % for likelihood to buy dry beans in a month', 'the top 10% likely to buy canned juices next month'
        rf"\b(?:in\s+)?{_TOP}\s+(?:(?:for|by|on|in|of|most)\s+)?(?:(?:the|their)\s+)?(?:{_CHANCE}|likely|likeliest)\s+(?:(?:to|of|for)\s+)?(?:buy(?:ing)?\s+|purchas(?:e|ing)\s+|get(?:ting)?\s+)?{_GOODS}{_END}",
        # 'a top 20% dinner sausage likelihood in 30'
        rf"\b(?:in\s+)?{_TOP}\s+(?:(?:for|by|on|in)\s+)?{_GOODS}\s+{_CHANCE}(?:\s*[,(]?\s*{_SOON}\)?)?",
        # 'top 5% for lawn & garden shop next month', 'stone fruit, top 10% next month'
        rf"\b(?:in\s+)?{_TOP}\s+(?:for buying|for getting|to buy|to get|for)\s+{_GOODS}{_END}",
        rf"(?:^|(?<=[,;:.])\s*){_GOODS},\s+{_TOP}{_END}",
    )
)
_FRONT = r"(?:都)?(?:能|可以)?(?:排名?|位列|位于|处于|居于|在|属于|最高的?)*(?:前|top\s*|头部)\s*(?P<n>\d+(?:\.\d+)?)\s*[%％]"
_ZH_SOON = r"(?:未来|接下来|今后|往后)?(?:的)?(?:下?个?月|一个月|30\s*[天日](?:内|之内)?)?(?:里|内)?的?"
_CHINESE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<goods>[^，。；,、：:（(]{{1,24}}?)[，, ]?\s*{_ZH_SOON}(?:会)?(?:购买|买|下单)?的?(?:概率|可能性|几率|机率|倾向)[，, ]?{_FRONT}",
        rf"{_ZH_SOON}(?:会)?(?:购买|买|下单)(?P<goods>[^，。；,、：:（(的]{{1,24}}?)的?(?:概率|可能性|几率|机率|倾向)[，, ]?{_FRONT}",
    )
)


def foreseen(text: str, chinese: bool, items: FindItems) -> Iterator[Pattern]:
    """Every rank by the model of one category; one whose goods are unknown, or several, is left to others."""
    busy: list[Span] = []
    for pattern in _CHINESE if chinese else _ENGLISH:
        for match in pattern.finditer(text):
            category, share = _category(match["goods"], items), to_number(match["n"]) / 100
            if category is None or not 0 < share < 1:
                continue
            if not free(match.span(), busy):
                continue
            span = _narrowed(match, items)
            busy.append(span)
            yield Pattern(span, PropensityCondition(f"purchase_30d:{category}", top_share=round(share, 4)))


def _category(goods: str, items: FindItems) -> str | None:
    """The one category that the words name, of several the one of that very name."""
    found = items(goods)
    if found.department or found.brand or found.text:
        return None
    named = [
        name for name in found.category if len(found.category) == 1 or name.lower() == goods.strip().lower()
    ]
    return named[0] if named else None


def _narrowed(match: re.Match[str], items: FindItems) -> Span:
    """The match without what stands before its goods and says something else ('married, soup propensity top 5 %')."""
    start, goods = match.start("goods"), match["goods"]
    if match.start() < start:
        return match.span()
    wanted = items(goods)
    for cut in [
        m.end() for m in re.finditer(r"\s+(?:and|or|with|but|plus|a|an|the)\s+|或者?|并且?|且", goods)
    ][::-1]:
        if items(goods[cut:]) == wanted:
            return start + cut, match.end()
    return match.span()
