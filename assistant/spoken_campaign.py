"""Which campaign or experiment a message asks about: one that is known, or the name that it says."""

from __future__ import annotations

import re
from collections.abc import Collection

_DETERMINERS = r"(?:the|our|my|your|that|this|a|an|did|does|was|is|of|has)"
_BEFORE_EN = re.compile(
    rf"\b{_DETERMINERS}\s+(?P<said>(?:(?!{_DETERMINERS}\b)[\w'&%./-]+\s+){{1,5}})"
    r"(?:campaign|test|experiment|mailing|promotion)s?\b",
    re.IGNORECASE,
)
_SUBJECT_EN = re.compile(
    r"\bhow (?:did|has|have|is|was|are)\s+(?P<said>[^?]{1,60}?)\s+(?:do|done|doing|perform(?:ed|ing)?|go|going|work(?:ed|ing)?|land)\b",
    re.IGNORECASE,
)
_SUBJECT_ZH = re.compile(
    r"(?P<said>[^，。？！,?!]{2,20}?)(?:活动|实验|测试|促销)的?(?:效果|结果|表现|成效|成绩|战绩|收效|回报|业绩|做得|怎么样|如何)"
)
_GENERIC_EN = frozenset(
    "a an the our my your this that these those its their it they them he she we all any each some last latest newest "
    "recent most current previous past first new old big whole campaign campaigns test tests experiment experiments "
    "mailing mailings promotion promotions email emails e-mail e-mails mail coupon coupons voucher vouchers discount "
    "offer offers marketing sms ab a/b ad ads holdout win-back retention loyalty activation plan segment group audience "
    "month week year quarter much many more because of from by for in on with to results result outcome lift effect "
    "impact redemption rate was were is are did does do has have been and or how what which who when well really "
    "actually so far go things thing one ones us customers people buy bought spend spent did't didn't".split()
)
"""Words before 'campaign' that name none."""
_GENERIC_ZH = re.compile(
    r"上上?[次个]|上一?[次个场]|这[次个场]|那[次个场]|本次|此次|最[近新后]的?|刚才|之前|以往|我们|咱们|我|你|请问|看看|看一下|告诉|"
    r"收到|参加|参与|的|了|吗|营销|推广|优惠券?|折扣|邮件|短信|推送|广告|召回|挽回|[aA]\s*/?\s*[bB]|对照|发送?|做|办|搞|[次个场]|所有|每|各|整体|总体"
)


def spoken_campaign(message: str, name: str | None, known: Collection[str]) -> str | None:
    """The known campaign or experiment that a message names, as it is spelt where it is kept; else `name`.

    name: what was read as one, in quotes or digits.
    """
    if name is not None:
        return next((each for each in known if each.casefold() == name.casefold()), name)
    for each in sorted(known, key=len, reverse=True):
        # A bare number is a count or a day as often as a campaign.
        found = re.search(rf"(?<![A-Za-z0-9_]){re.escape(each)}(?![A-Za-z0-9_])", message, re.IGNORECASE)
        if found and not each.isdigit():
            return each
    return None


def unknown_campaign(message: str) -> str | None:
    """The words that stand where a message about one campaign has its name ('the Spring Sale campaign'); None where
    they name none ('the last campaign')."""
    match = _BEFORE_EN.search(message)
    name = _kept(match["said"]) if match else None
    if name is None and (match := _SUBJECT_EN.search(message)):
        # Whatever is asked after is a name only where it is written as one.
        name = _kept(match["said"])
        name = name if name and name[0].isupper() else None
    if name is None and (match := _SUBJECT_ZH.search(message)):
        said = _GENERIC_ZH.sub("", match["said"]).strip()
        name = said if len(said) > 1 else None
    return name


def _kept(said: str) -> str | None:
    words = said.split()
    names = [place for place, word in enumerate(words) if word.casefold() not in _GENERIC_EN]
    return " ".join(words[names[0] : names[-1] + 1]) if names else None
