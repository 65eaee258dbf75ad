"""One message that asks for several things of one segment: 'find ..., score them for beer and plan with $5,000'.

What each step asks is read on its own, so that its words are no condition of the segment. Only plain requests are taken
apart: a verb of a tool at the start of a part, and 'them' or nothing as its object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.linking.linker import Link
from assistant.linking.numbers import MONEY
from segments.definition import EventCondition, conditions

_THEM = r"(?:them|these|those|this|that|it|(?:the|this|that|these|those) (?:segments?|groups?|audience|customers|people|shoppers)|their)\b"
_THEM_ZH = r"(?:他们|她们|它们|这些(?:人|客户|顾客)?|这群(?:人|客户)|该分群|这个分群|其)"
_STEPS = {
    "score_propensity": rf"(?:score|rate) {_THEM}|(?:predict|estimate|tell me|say|see|check|find out)?\s*how likely (?:they|these|those|it)\b"
    rf"|(?:predict|estimate) their (?:propensity|likelihood|probability|chances?)\b|will they (?:buy|come|return|redeem|shop)\b"
    rf"|(?:给|对|为){_THEM_ZH}(?:进行)?(?:打分|评分)|(?:打分|评分)|(?:预测|估计|评估)(?:一下)?{_THEM_ZH}?.{{0,16}}?(?:可能性|概率|倾向)",
    "profile_segment": rf"(?:profile|describe|characteri[sz]e) {_THEM}|tell me (?:more )?about {_THEM}|what (?:sets|makes) them (?:apart|different)\b"
    rf"|(?:描述|介绍|分析|刻画)(?:一下)?{_THEM_ZH}|(?:做|给出?|看看?)(?:一下|个|出)?{_THEM_ZH}?的?画像|看看?{_THEM_ZH}(?:有)?什么特点",
    "find_lookalikes": rf"(?:find|get|give me|show(?: me)?|add|list)?\s*(?:me )?(?:the |their |another )?(?:\d[\d,]*\s+)?(?:closest |nearest |best )?look-?\s?alikes?\b"
    rf"|(?:find|get|give me|show(?: me)?) (?:\d[\d,]* )?(?:more )?(?:people|customers|shoppers|others) (?:just )?like {_THEM}"
    rf"|(?:再|并)?(?:找|查找|给出?)(?:出|到)?\s?(?:\d+)?\s?[名个位]?(?:和|与|跟|像)?{_THEM_ZH}?(?:最)?的?(?:相似|类似)(?:的)?(?:客户|人群?|顾客)|(?:再)?找(?:出)?\s?\d*\s?[名个位]?像{_THEM_ZH}的(?:客户|人|顾客)",
    "plan_strategy": rf"plan (?:(?:a|the|me a) (?:[\w-]+ )?(?:campaign|strategy)|with {MONEY}|for {_THEM}|it\b)|(?:draft|propose|suggest|make|create|build|write|recommend) (?:me )?(?:a|the) (?:[\w-]+ )?(?:campaign|plan|strategy)\b|what (?:do|should|can|could) we (?:offer|send|give) them\b"
    rf"|(?:用|拿|以|按){MONEY}(?:的)?(?:预算)?.{{0,12}}?(?:方案|策略|计划|活动)|(?:制定|做|出|设计|规划|给出?)(?:一下|一?[个份套])?.{{0,12}}?(?:方案|策略|营销计划)",
}
_OF = {
    "score_propensity": ("purchase", "coupon_redeem"),
    "plan_strategy": ("exposure", "coupon_redeem"),
}
"""Events that a step's words speak of without describing anybody: 'score them for beer', 'plan a coupon campaign'."""
_PART = re.compile(
    r"(?:(?:^|[,;.:，；。、]|\b(?:and|then|also|next|finally|afterwards)\b|然后|接着|之后|最后|并且?|再|同时|还要?|以及)\s*(?:(?:请|帮我|please|(?:can|could) you|now|let's|i want to)\s*)*)+"
    + "(?:"
    + "|".join(f"(?P<{tool}>{words})" for tool, words in _STEPS.items())
    + ")",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Step:
    """One tool that a message asks for, in the words that ask for it."""

    tool: str
    text: str


def taken_apart(message: str) -> tuple[str, tuple[Step, ...]]:
    """What is said of the segment, and the steps in reading order; the whole message and none where fewer than two
    different ones are asked for."""
    starts = [
        (match.start(), match.lastgroup or "", match.start(match.lastgroup or 0))
        for match in _PART.finditer(message)
    ]
    if len({tool for _, tool, _ in starts}) < 2 or len({tool for _, tool, _ in starts}) < len(starts):
        return message, ()
    ends = [start for start, _, _ in starts[1:]] + [len(message)]
    steps = tuple(
        Step(tool, message[said:end].strip(" ,;，；、"))
        for (_, tool, said), end in zip(starts, ends, strict=True)
    )
    return message[: starts[0][0]].strip(" ,;，；、"), steps


def is_step(tool: str, link: Link) -> bool:
    """Whether what the words of a step hold is for its tool alone: they ask for nothing else and describe nobody."""
    others = set(link.intents.tools) - _STEPS.keys()
    described = conditions(link.reading) if link.reading is not None else ()
    own = all(isinstance(each, EventCondition) and each.event in _OF.get(tool, ()) for each in described)
    return own and not (others or link.intents.destructive or link.missing)
