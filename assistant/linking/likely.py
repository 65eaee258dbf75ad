"""Whom a model expects to do something, as a condition: 'the 10 % most likely to buy', 'over 80 % likely to redeem'."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.intents import Intents
from assistant.linking.candidates import Candidate, propensity_candidate
from assistant.linking.clauses import Reading
from segments.definition import EventCondition, ItemFilter, Node, PropensityCondition

MOST_LIKELY = re.compile(
    r"\b(?:most likely|likeliest|highest (?:predicted )?(?:probability|chance|propensity|likelihood|odds)|best (?:chance|odds)"
    r"|(?:by|on|in|of|for) (?:their |the |our )?(?:predicted |model(?:led)? )?(?:probability|likelihood|propensity|chances?|odds)(?: score)?)\b"
    r"|\b(?:who|which (?:of (?:our|the|my) )?(?:customers|shoppers|people|households|buyers)) (?:will|are going to|is going to)"
    r"(?: (?:most|very|probably|likely|soon))* (?:buy|purchase|order|redeem|return|shop|come back)\b(?! (?:only|just)\b)(?![^.?!]*\b(?:because|anyway|without|regardless|if|thanks to)\b)"
    r"|(?:谁|哪些(?:客户|顾客|用户|会员|家庭|人)?)(?:最?(?:可能|有可能))?(?:将会?|会(?!员))(?![^。？?]*(?:因|才|靠|也会))[^。？?，,]{0,8}(?:购买|买|下单|回来|复购|用券)"
    r"|最有?(?:可能|机会|希望)|(?:概率|可能性|几率|机率|倾向)(?:最[高大])?(?=.{0,20}前|最)|最大(?:概率|可能)",
    re.IGNORECASE,
)
_SHARE_LIKELY = re.compile(
    r"(\d+(?:\.\d+)?)\s?(?:%|percent)(?: of (?:our |the |all )?\w+)?(?: who are| that are)? most likely",
    re.IGNORECASE,
)
_PROBABILITY = re.compile(
    r"\b(?:probabilit\w+|likelihood|propensit\w+|chances?|odds|likely|sure|certain)\b|概率|可能性|几率|机率|倾向",
    re.IGNORECASE,
)
LEAST_COUNT = 10
"""Of customers, said without a comparison: a smaller number is one of persons in a household as often."""


def most_likely(
    message: str, reading: Reading, intents: Intents, mentions: list[ItemFilter], population: int
) -> Candidate | None:
    """'the 10 % most likely to buy', 'the 100 likeliest': a condition on a model's probability, not a question about it."""
    if not MOST_LIKELY.search(message):
        return None
    outcome = outcome_of(intents, [category for items in mentions for category in items.category])
    tops = [top.share for clause in reading.clauses for top in clause.tops if top.share]
    numbers = [number for clause in reading.clauses for number in clause.numbers]
    said = _SHARE_LIKELY.search(message)
    shares = [n.value / 100 for n in numbers if n.unit == "percent" and n.op is None]
    share = float(said[1]) / 100 if said else next(iter([*tops, *shares]), None)
    count = _count_said(reading) if share is None else None
    if count is not None and count < population:
        return propensity_candidate(outcome, count / population, counted=True)
    return propensity_candidate(outcome, share)


def _count_said(reading: Reading) -> int | None:
    """How many customers a message asks for; that number is no condition then."""
    for clause in reading.clauses:
        if top := next((top.count for top in clause.tops if top.count), None):
            return top
        for number in clause.numbers:
            counts = (
                number.op is None and number.unit in ("people", "customers") and number.value >= LEAST_COUNT
            )
            if counts and number.value.is_integer():
                clause.numbers.remove(number)
                return int(number.value)
    return None


def probable(
    message: str, reading: Reading, intents: Intents, mentions: list[ItemFilter]
) -> Candidate | None:
    """'over 80 % likely to buy', '购买概率不低于0.9': a floor on a model's probability."""
    for clause in reading.clauses:
        said = _PROBABILITY.search(reading.text[clause.start : clause.end])
        for number in clause.numbers if said else ():
            value = number.value / 100 if number.unit == "percent" else number.value
            if number.unit in ("percent", "") and 0 < value < 1 and number.op in (">", ">="):
                clause.numbers.remove(number)
                outcome = outcome_of(intents, [category for items in mentions for category in items.category])
                return Candidate(PropensityCondition(outcome, min_probability=round(value, 4)), 0, 0)
    return None


def outcome_of(intents: Intents, categories: Sequence[str]) -> str:
    """The outcome asked about: the workspace's own, a category's purchase when one is named, a purchase or redemption."""
    outcome = intents.outcome or "purchase_30d"
    any_purchase = outcome in ("purchase_14d", "purchase_30d")
    return f"purchase_30d:{categories[0]}" if categories and any_purchase else outcome


def speaks_of(node: Node, likely: Node) -> bool:
    """Whether a condition only repeats what is to be predicted ('buy beer', 'redeem a coupon')."""
    return (
        isinstance(node, EventCondition)
        and isinstance(likely, PropensityCondition)
        and (
            node.event == ("coupon_redeem" if likely.outcome.startswith("coupon") else "purchase")
            and node.window.start is None
            and node.measure == "count"
        )
    )


def counted(likely: Candidate, population: int) -> list[float]:
    """The number of customers that a likeliest share stands for; none where no number was said."""
    node = likely.node
    share = node.top_share if isinstance(node, PropensityCondition) and likely.reading == "share" else None
    return [] if share is None else [float(round(share * population))]
