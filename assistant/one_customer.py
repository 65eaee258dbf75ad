"""Words that ask of one customer, by the retailer's own id: what a model says ('why will customer 1234 churn?'), or why the
customer is in the segment at hand or not ('why is 1234 not in there?').

Such a message describes no segment: where these words stand, no other tool is offered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from segments.ports import Outcome

EXPLAIN = "explain_propensity"
MEMBERSHIP = "explain_membership"
OF_ONE = (EXPLAIN, MEMBERSHIP)
"""Tools that tell of a single customer."""
REVERSED = "reversed"
"""The argument that says: asked why one will go, and answered with the probability to come, for want of a model of it."""

_CUSTOMER = re.compile(
    r"\b(?:customer|household|shopper|client|buyer)\s+(?:#|no\.?\s*|number\s+|id\s+)?([A-Za-z]*\d[A-Za-z0-9_-]*)\b"
    r"|(?:客户|家庭|用户|顾客)\s*(?:编号|ID|id|号)?\s*([A-Za-z]*\d[A-Za-z0-9_-]*)"
    r"(?![\d.]|\s*(?:个|天|日|周|月|年|岁|次|元|块|人|位|家|户|名|笔|单|件|折|成|趟|%|％|万|千|百|多|到|至|以))",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\b(?:why|how (?:likely|probable)|likely|likelihood|chances?|odds|probabilit\w+|propensit\w+|will|would"
    r"|(?:is|be|are|they) going to|explain|what (?:drives|makes)|prob|drivers?|reasons?)\b|\bp\("
    r"|为什么|为何|凭什么|原因|怎么会|会不会|会|可能|概率|几率|倾向|解释",
    re.IGNORECASE,
)
_BUY = re.compile(
    r"\b(?:buy|purchas\w+|order|shop|come back|return|redeem\w*|use (?:an? |the |our )?(?:coupons?|vouchers?))\b"
    r"|购买|下单|消费|复购|回购|回来|再来|核销|用(?:优惠)?券|使用优惠券|买",
    re.IGNORECASE,
)
_LEAVE = re.compile(
    r"\b(?:churn\w*|laps(?:e|ing)|leave us|stop (?:buying|shopping|coming))\b"
    r"|\b(?:not|never|won't) (?:buy|shop|order|come back|return)\b"
    r"|流失|离开|不再(?:来|买|购买|消费|回来)|不会(?:再)?(?:来|买|购买|消费|回来)",
    re.IGNORECASE,
)


_NUMBER = re.compile(r"(?<![\d.])\d{1,12}(?![\d.]|\s*%)")


def asked_customer(message: str, known: bool = False) -> str | None:
    """The one customer (source id) whose probability a message asks for; None when it asks for none. known: whether it is
    known to ask for one, so that the only number in it names the customer."""
    found = _CUSTOMER.search(message)
    if found is not None and (
        known or (_ASKED.search(message) and (_BUY.search(message) or _LEAVE.search(message)))
    ):
        return found[1] or found[2]
    numbers = _NUMBER.findall(message) if known else []
    return numbers[0] if len(numbers) == 1 else None


_ID = (
    r"(?:(?:customer|household|shopper|client|buyer|number|id)\s+)?(?:#|no\.?\s*)?([A-Za-z]*\d[A-Za-z0-9_-]*)"
)
_THERE = (
    r"(?:\W*(?:in|of|from|to|for|among|here|there|it|this|that|these|those|the|my|our|current"
    r"|segment|group|list|audience|lot))*\W*$"
)
_IN = (
    r"(?:in|included|excluded|missing|left out|out|part|here|there|among|make it|get in|qualify|belong|not)\b"
)
_ZH_ID = r"(?:客户|家庭|用户|顾客)?\s*([A-Za-z]*\d[A-Za-z0-9_-]*)\s*(?:号)?\s*(?:客户|家庭|用户|顾客)?"
_ZH_THERE = (
    r"(?:这个|这批|这群|这|人群|分群|名单|人|里面|里边|其中|当中|里|中|内|之|了|的|吗|呢|啊)*[?？。!！\s]*$"
)
_BELONGS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^\W*(?:(?:so|but|and|ok|okay)\W+)?(?:why|how come)\s+(?:is|isn['’]?t|was|wasn['’]?t|are|did|didn['’]?t|does"
        rf"|doesn['’]?t)\s+{_ID}\s+(?:not\s+)?{_IN}{_THERE}",
        rf"^\W*how come\s+{_ID}\s+(?:is|isn['’]?t|was|wasn['’]?t|didn['’]?t)\s+(?:not\s+)?{_IN}{_THERE}",
        rf"^\W*(?:is|isn['’]?t|does|doesn['’]?t)\s+{_ID}\s+{_IN}{_THERE}",
        rf"^\W*what(?:['’]s|\s+is)\s+(?:missing|lacking)\s+(?:for|from|with)\s+{_ID}{_THERE}",
        rf"^\W*what\s+(?:would|does)\s+{_ID}\s+(?:need|have|take|lack)\b(?:\s+to\s+(?:be|get|make it))?{_THERE}",
        rf"^\s*(?:为什么|为何|怎么|凭什么)\s*{_ZH_ID}\s*(?:会|也|就|没有?|不)?(?:在|进|入选|属于|算|被排除|落选){_ZH_THERE}",
        rf"^\s*{_ZH_ID}\s*(?:为什么|为何|怎么|凭什么)\s*(?:会|也|就|没有?|不)?(?:在|进|入选|属于|算|被排除|落选){_ZH_THERE}",
        rf"^\s*{_ZH_ID}\s*(?:在不在|是不是在|属不属于|在|属于){_ZH_THERE}(?<=[吗内里中面群单?？])",
        rf"^\s*{_ZH_ID}\s*(?:还)?(?:差|缺)(?:了)?(?:什么|在哪|哪里|哪条|哪个条件){_ZH_THERE}",
    )
)


def spoken_member(message: str) -> str | None:
    """The one customer (source id) of whom a message asks why they are in the segment at hand, or what is missing; None
    where it asks for none."""
    found = next((match for pattern in _BELONGS if (match := pattern.search(message))), None)
    return None if found is None else found[1]


def leaves(message: str) -> bool:
    """Whether it is asked why the customer would go, not come."""
    return bool(_LEAVE.search(message))


def outcome_of_leaving(outcomes: Sequence[Outcome]) -> str | None:
    """The workspace's own outcome that no purchase comes, the longest-sighted of several; None where none is declared."""
    found = [
        outcome
        for outcome in outcomes
        if outcome.absent and outcome.event == "purchase" and not outcome.items
    ]
    return max(found, key=lambda outcome: outcome.horizon_days).name if found else None
