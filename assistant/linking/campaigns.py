"""Which of the retailer's campaigns a message names: 'received campaign 18', 'responded to the last campaign', 18号活动.

Only campaigns that are known: any other number beside the word counts something, or is told to be left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from assistant.linking.numbers import to_number
from assistant.linking.spans import Span, free
from segments.definition import Condition, EventCondition, Node, Not, Occasion, SequenceCondition, Step
from segments.edit import affirmed

OF_CAMPAIGN = ("exposure", "coupon_redeem")
"""Events that know which campaign they are of."""
_COUNTS = r"(?!\s*(?:times|x\b|or more|\+|%|days?|weeks?|months?|[次个天周月名位%％]))"
_LAST = re.compile(
    r"(?:(?<=responded to )|(?<=respond to )|(?<=responders to )|(?<=reacted to ))(?:the |our |that )?(?:last|latest|most recent|newest) (?=(?:campaign|mailing)\b)"
    r"|(?:上一?次|上个|最近一次|最新一?次?的?)(?=(?:营销)?活动)(?=.{0,8}(?:响应|回应|反应))|(?<=响应)(?:了|过)?(?:上一?次|上个|最近一次)(?=(?:营销)?活动)",
    re.IGNORECASE,
)
"""'The last campaign', of those who responded to it."""
_THE_SAME = re.compile(
    r"\b(?:this|that|the same) (?=(?:campaign|mailing)(?:['’]s)?\b(?!\s*[#\d]))|\bits (?=coupons?\b)|(?:这一?个?|该|此|同一?个?)(?=(?:营销)?活动(?!\s*\d))",
    re.IGNORECASE,
)
"""The campaign that was named before: 'mailed campaign 18 but redeemed none of its coupons', 18号活动触达了，这个活动的券没核销."""
RESPONSE = re.compile(r"\brespon(?:d|ders?\b)|\breact(?:ed|s|ing)? to\b|响应|回应|反应", re.IGNORECASE)
"""Words for redeeming a coupon of a campaign."""


@dataclass(frozen=True)
class CampaignMention:
    """Where campaigns are named, and which."""

    span: Span
    names: tuple[str, ...]


def named_campaigns(text: str, known: Sequence[str]) -> list[CampaignMention]:
    """The campaigns that a text names. known: their names, in order of their beginning."""
    if not known:
        return []
    listed, one, spelt = _patterns(tuple(known))
    found = []
    for match in listed.finditer(text):
        said = next(name for name in ("en", "zh", "of_zh") if match[name])
        names = tuple(dict.fromkeys(spelt[name.casefold()] for name in one.findall(match[said])))
        found.append(CampaignMention(match.span(said), names))
    for match in re.finditer(r"第?([一二三四五六七八九十百]+)\s*号(?=\s*的?(?:营销)?活动)", text):
        name = spelt.get(f"{to_number(match[1]):g}")
        if name is not None:
            found.append(CampaignMention(match.span(), (name,)))
    found += [CampaignMention(match.span(), (known[-1],)) for match in _LAST.finditer(text)]
    for match in _THE_SAME.finditer(text):
        before = [mention for mention in found if mention.span[1] <= match.start()]
        if before:
            found.append(CampaignMention(match.span(), max(before, key=lambda mention: mention.span).names))
    return sorted(found, key=lambda mention: mention.span)


@lru_cache(maxsize=8)
def _patterns(known: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    """A list of names beside the word for campaigns, one name, and how each is spelt."""
    names = "|".join(sorted(map(re.escape, known), key=len, reverse=True))
    one = rf"(?<![A-Za-z0-9_.])(?:{names})(?![.]?[A-Za-z0-9_])"
    several = rf"{one}(?:(?:\s*,\s*(?:or |and )?|\s+(?:or|and)\s+)(?:campaign\s+)?{one})*"
    several_zh = rf"{one}(?:\s*[、和或及]\s*(?:活动\s*)?{one})*"
    listed = re.compile(
        rf"\b(?:campaigns?|mailings?)\s*(?:no\.?\s*|nr\.?\s*|number\s+|#\s*)?['\"“]?(?P<en>{several}){_COUNTS}"
        rf"|活动\s*(?P<zh>{several_zh}){_COUNTS}|第?(?P<of_zh>{several_zh})\s*号\s*的?(?=(?:营销)?活动)",
        re.IGNORECASE,
    )
    return listed, re.compile(one, re.IGNORECASE), {name.casefold(): name for name in known}


_OF_IT = re.compile(
    r"\b(?:from|of|in|to) (?:it|that|this)\b(?! (?!campaign|mailing)\w)|它的?(?=券|优惠)", re.IGNORECASE
)


def of_the_same(node: Node, text: str, existing: Sequence[Condition]) -> Node:
    """An event that a message says of the one campaign of the segment at hand ('and redeemed a coupon from it'): of that
    campaign; as it was where none is spoken of, or the segment has none, or more than one."""
    names = {
        each.occasion.campaign
        for each in existing
        if isinstance(each, EventCondition) and each.occasion.campaign
    }
    leaf = affirmed(node)
    if (
        len(names) != 1
        or not isinstance(leaf, EventCondition)
        or not (_OF_IT.search(text) or _THE_SAME.search(text))
    ):
        return node
    made = _of(leaf, Occasion(campaign=names.pop()))
    return Not(made) if isinstance(node, Not) else made


Event = TypeVar("Event", Step, EventCondition)


def _of(event: Event, campaign: Occasion) -> Event:
    """An event of a campaign, where it knows which one it is of and nothing else of its occasion was said."""
    return replace(event, occasion=campaign) if event.event in OF_CAMPAIGN and not event.occasion else event


def of_campaign(condition: Condition, span: Span, named: Sequence[CampaignMention]) -> Condition:
    """One thing after another that was said with the name of one campaign: its exposures and coupons are of that one."""
    inside = [mention for mention in named if not free(mention.span, [span])]
    if len(inside) != 1 or not isinstance(condition, SequenceCondition):
        return condition
    occasion = Occasion(campaign=inside[0].names)
    after = None if condition.then_not is None else _of(condition.then_not, occasion)
    return replace(condition, steps=tuple(_of(step, occasion) for step in condition.steps), then_not=after)
