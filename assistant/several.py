"""One message that asks for several things of one segment: 'find ..., score them for beer and plan with $5,000'.

What each step asks is read on its own, so that its words are no condition of the segment. Only plain requests are taken
apart: a verb of a tool at the start of a part, and 'them' or nothing as its object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.linking.link import Link
from assistant.linking.numbers import MONEY
from segments.definition import EventCondition, conditions

_THEM = r"(?:them|these|those|this|that|it|(?:the|this|that|these|those) (?:segments?|groups?|audience|customers|people|shoppers)|their)\b"
_THEM_ZH = r"(?:他们|她们|它们|这些(?:人|客户|顾客)?|这群(?:人|客户)|该分群|这个分群|其)"
_TO_ALL = r"(?:everyone|everybody|all (?:the )?(?:other )?customers|the average(?: customer)?|the rest)\b"
_TO_ALL_ZH = r"(?:全体|所有(?:人|客户|顾客)|全部客户|其他人|大家|平均)"
_STEPS = {
    "save_segment": rf"(?:save|store|keep) {_THEM} (?:as|under)\b|(?:call|name) {_THEM} (?!for\b)|save as\b"
    rf"|(?:把?{_THEM_ZH})?(?:保存|存)(?:为|成|下来)|命名为",
    "breakdown_segment": rf"(?:break|split) {_THEM} (?:down |up )?by\b|(?:group|count) {_THEM} by\b"
    rf"|按[^，。；]{{1,12}}?(?:拆分|细分|分布|分组|统计)",
    "compare_segments": rf"compare {_THEM} (?:with|to|against) (?!{_TO_ALL})|(?:把?{_THEM_ZH})?[和与跟同](?!{_TO_ALL_ZH})[^，。；]{{1,20}}?(?:做个?|进行)?(?:对比|比较|相比)",
    "assign_holdout": r"(?:keep|leave|set aside|reserve|hold (?:out|back)) (?:a )?\d+(?:\.\d+)? ?(?:%|percent)(?: (?:of them|of these))?(?: (?:as|for|aside|out|back|in)(?: an?| the)? ?(?:hold-?out|control)?(?: group)?)?"
    r"|(?:with|keep|add|use|set up|make) an? (?:\d+(?:\.\d+)? ?(?:%|percent) )?(?:hold-?out|control)(?: group)?\b|hold (?:out|back) \d"
    r"|(?:留|保留|留出|预留|设)(?:出|下)?\d+(?:\.\d+)?%?(?:的)?(?:人|客户)?(?:作为?|做|当)?(?:对照组?|不发)|(?:设|留)(?:个|一个)?对照组",
    "write_copy": r"(?:write|draft|compose)(?: (?:me|us|them))? (?:an?|the|some|their) (?:[\w-]+ )?(?:e-?mails?|sms|texts?|messages?|copy|newsletter|subject lines?)\b"
    r"|(?:写|拟|起草|撰写)(?:一)?[封条份段个]?[^，。；]{0,8}?(?:邮件|短信|文案|推文)",
    "score_propensity": rf"(?:score|rate) {_THEM}|(?:predict|estimate|tell me|say|see|check|find out)?\s*how likely (?:they|these|those|it)\b"
    rf"|(?:predict|estimate) their (?:propensity|likelihood|probability|chances?)\b|will they (?:buy|come|return|redeem|shop)\b"
    rf"|(?:给|对|为){_THEM_ZH}(?:进行)?(?:打分|评分)|(?:打分|评分)|(?:预测|估计|评估)(?:一下)?{_THEM_ZH}?.{{0,16}}?(?:可能性|概率|倾向)",
    "profile_segment": rf"compare {_THEM} (?:with|to|against) {_TO_ALL}|(?:把?{_THEM_ZH})?[和与跟同]{_TO_ALL_ZH}(?:客户|人)?(?:做个?|进行)?(?:对比|比较|相比)|(?:profile|describe|characteri[sz]e) {_THEM}|tell me (?:more )?about {_THEM}|what (?:sets|makes) them (?:apart|different)\b"
    rf"|(?:描述|介绍|分析|刻画)(?:一下)?{_THEM_ZH}|(?:做|给出?|看看?)(?:一下|个|出)?{_THEM_ZH}?的?画像|看看?{_THEM_ZH}(?:有)?什么特点",
    "find_lookalikes": rf"(?:find|get|give me|show(?: me)?|add|list)?\s*(?:me )?(?:the |their |another )?(?:\d[\d,]*\s+)?(?:closest |nearest |best )?look-?\s?alikes?\b"
    rf"|(?:find|get|give me|show(?: me)?) (?:\d[\d,]* )?(?:more )?(?:people|customers|shoppers|others) (?:just )?like {_THEM}"
    rf"|(?:再|并)?(?:找|查找|给出?)(?:出|到)?\s?(?:\d+)?\s?[名个位]?(?:和|与|跟|像)?{_THEM_ZH}?(?:最)?的?(?:相似|类似)(?:的)?(?:客户|人群?|顾客)|(?:再)?找(?:出)?\s?\d*\s?[名个位]?像{_THEM_ZH}的(?:客户|人|顾客)",
    "plan_strategy": rf"plan (?:(?:an?|the|me an?) (?:[\w-]+ )?(?:campaign|strategy)|(?:an?|the|me an?) (?:win-?back|re-?activation|retention|cross-?sell|coupon)\b|with {MONEY}|for {_THEM}|it\b)|(?:draft|propose|suggest|make|create|build|write|recommend) (?:me )?(?:a|the) (?:[\w-]+ )?(?:campaign|plan|strategy)\b|what (?:do|should|can|could) we (?:offer|send|give) them\b"
    rf"|(?:用|拿|以|按){MONEY}(?:的)?(?:预算)?.{{0,12}}?(?:方案|策略|计划|活动)|(?:制定|做|出|设计|规划|给出?)(?:一下|一?[个份套])?.{{0,12}}?(?:方案|策略|营销计划)",
}
_OF = {
    "score_propensity": ("purchase", "coupon_redeem"),
    "plan_strategy": ("exposure", "coupon_redeem"),
    "assign_holdout": ("exposure",),
    "write_copy": ("exposure", "coupon_redeem", "purchase"),
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
    if tool == "save_segment" and not link.intents.name:
        return False
    own = all(isinstance(each, EventCondition) and each.event in _OF.get(tool, ()) for each in described)
    return own and not (others or link.intents.destructive or link.missing)
