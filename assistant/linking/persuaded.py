"""Who a past campaign would move: 'the 10 % most persuadable by campaign 18', '会被活动18打动的前10%客户'.

A question about what a campaign did is another thing; here it is a condition, on the estimate of that campaign's effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.linking.numbers import DIGITS, EN_NUMBER, to_number
from assistant.linking.patterns import Pattern
from assistant.linking.spans import Span, free
from segments.definition import UpliftCondition

_SHARE = rf"(?P<n>{DIGITS}|{EN_NUMBER})\s?(?:%|percent\b|per cent\b)"
_WHO = r"(?:of\s+)?(?:(?:all|our|the|my)\s+)*(?:customers|shoppers|people|households|buyers)"
_MOVED = r"(?:easily\s+)?(?:persuadable|persuaded|convinced|swayed|influenced)"
_CAMPAIGN = (
    r"(?:the\s+)?(?:campaign|mailing)\s*(?:no\.?\s*|number\s+|#\s*)?(?P<campaign>[A-Za-z]{0,3}\d[\w-]*)"
)
_LEAST = r"(?:at\s+least|no\s+less\s+than|>=|≥)"
_ENGLISH_TOP = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 'the 10 % most persuadable by campaign 18', 'the top 5% of customers who are most easily swayed by campaign 18'
        rf"(?:\bthe\s+)?(?:\btop\s+)?{_SHARE}(?:\s+{_WHO})?\s+(?:who\s+are\s+|that\s+are\s+)?(?:the\s+)?most\s+{_MOVED}\s+(?:by|with|for)\s+{_CAMPAIGN}",
        # 'the most persuadable 10 % of customers for campaign 18'
        rf"(?:\bthe\s+)?\bmost\s+{_MOVED}\s+{_SHARE}(?:\s+{_WHO})?\s+(?:by|with|for)\s+{_CAMPAIGN}",
        # 'top 10 % by uplift of campaign 18'
        rf"(?:\bthe\s+)?\btop\s+{_SHARE}(?:\s+{_WHO})?\s+(?:by|in|on|for)\s+(?:the\s+)?(?:expected\s+|estimated\s+)?uplift\s+(?:of|from|by|for|in)\s+{_CAMPAIGN}",
    )
)
_ENGLISH_LEAST = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 'an uplift of at least 2 % from campaign 18', 'an uplift from campaign 18 of at least 2 %'
        rf"(?:\ban?\s+)?(?:(?:expected|estimated)\s+)?\buplift\s+of\s+{_LEAST}\s*{_SHARE}\s+(?:from|by|for|in|with)\s+{_CAMPAIGN}",
        rf"(?:\ban?\s+)?(?:(?:expected|estimated)\s+)?\buplift\s+(?:of|from|by|for|in)\s+{_CAMPAIGN}\s+(?:of|is)\s+{_LEAST}\s*{_SHARE}",
    )
)
_ZH_CAMPAIGN = r"(?:(?:营销)?活动\s*(?P<campaign>[A-Za-z]{0,3}\d[A-Za-z0-9_-]*)(?:\s*号)?|(?P<number>\d+)\s*号(?:营销)?活动)"
_ZH_SHARE = r"(?P<n>\d+(?:\.\d+)?)\s*[%％]"
_ZH_WHO = r"(?:的?(?:客户|顾客|会员|用户|人群?))?"
_CHINESE_TOP = tuple(
    re.compile(pattern)
    for pattern in (
        # '会被活动18打动的前10%客户', '最容易被活动18说服的10%客户'
        rf"(?:最)?(?:容易|可能|会|易)?被{_ZH_CAMPAIGN}所?(?:打动|说服|撬动|影响){_ZH_WHO}(?:中|里)?的?(?:最(?:高|多)的?)?(?:前|头部)?\s*{_ZH_SHARE}{_ZH_WHO}",
        # '活动18增益最高的前10%客户'
        rf"{_ZH_CAMPAIGN}的?(?:预期|预计)?增益(?:排名?|最?[高大]的?)?(?:前|头部)?\s*{_ZH_SHARE}{_ZH_WHO}",
    )
)
_CHINESE_LEAST = (
    re.compile(
        rf"{_ZH_CAMPAIGN}的?(?:预期|预计)?增益(?:至少|不低于|不少于|大于等于|>=|≥)\s*(?:为|是)?\s*{_ZH_SHARE}{_ZH_WHO}"
    ),
)


def persuaded(text: str, chinese: bool) -> Iterator[Pattern]:
    """Every condition on what a campaign would change; a share that is none, or all, is left to others."""
    top, least = (_CHINESE_TOP, _CHINESE_LEAST) if chinese else (_ENGLISH_TOP, _ENGLISH_LEAST)
    busy: list[Span] = []
    for patterns, named in ((least, "min_effect"), (top, "top_share")):
        for pattern in patterns:
            for match in pattern.finditer(text):
                share = to_number(match["n"]) / 100
                if not 0 < share < 1 or not free(match.span(), busy):
                    continue
                busy.append(match.span())
                said = match.groupdict()
                campaign = said["campaign"] or said.get("number") or ""
                yield Pattern(match.span(), UpliftCondition(campaign, **{named: round(share, 4)}))
