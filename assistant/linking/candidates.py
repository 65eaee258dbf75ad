"""Clauses turned into candidate conditions: the only conditions this turn's plan can choose from.

What the question leaves open is filled with a stated reading ('I took quiet as 30 days').
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from assistant.linking.clauses import Reading
from assistant.linking.cues import Vague
from assistant.linking.draft import Draft
from assistant.linking.drafts import drafts
from assistant.linking.event_conditions import counted, event_condition, plain_number
from assistant.linking.feature_conditions import (
    Quantile,
    feature_conditions,
    rank_condition,
    ranked_over,
    share_conditions,
    two_digits,
    unit_conditions,
)
from assistant.linking.features import FeatureLinker, FeatureMention
from assistant.linking.items import ItemMention
from assistant.linking.numbers import Number
from assistant.linking.windows import TimeMention
from segments.definition import (
    AllOf,
    AnyOf,
    ComparisonCondition,
    Condition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    ItemFilter,
    Node,
    Not,
    PropensityCondition,
    RepeatCondition,
    SequenceCondition,
    TouchCondition,
    Window,
)
from segments.features import Catalogue


@dataclass(frozen=True)
class Candidate:
    """A condition the question may ask for; `reading` states what was assumed, `joins` how it is attached."""

    node: Node
    start: int
    end: int
    joins: frozenset[str] = frozenset()
    reading: str = ""


def candidates(reading: Reading, linker: FeatureLinker, quantile: Quantile) -> list[Candidate]:
    """Every candidate of a question, in reading order."""
    found: list[Candidate] = []
    for draft in drafts(reading, linker.catalogue):
        found += _build(draft, reading, linker, quantile)
    unique: dict[Node, Candidate] = {}
    for candidate in found:
        unique.setdefault(candidate.node, candidate)
    return [c for c in unique.values() if not _overruled(c, list(unique.values()))]


_SAME_AS_SPEND = ("spend_365d", "spend_lifetime")
_SAME_AS_ORDERS = ("orders_365d",)


def _overruled(assumed: Candidate, all_: list[Candidate]) -> bool:
    """Whether a vague word was made exact elsewhere ('big spenders (over $5,000)', 'regulars, 50+ trips')."""
    node = assumed.node
    if node == EventCondition("coupon_redeem"):
        # '用过活动13的券': the coupon is that campaign's.
        leaves = (other.node for other in all_)
        return any(
            isinstance(c, EventCondition) and c.event == node.event and c.occasion.campaign for c in leaves
        )
    if assumed.reading == "quiet":
        return any(other is not assumed and _says_recency(other) for other in all_)
    if assumed.reading not in ("vague", "most") or not isinstance(node, FeatureCondition):
        return False
    for other in all_:
        stated = other.node
        if other is assumed or other.reading in ("vague", "most", "quiet"):
            continue
        if isinstance(stated, FeatureCondition):
            trend = node.feature == "overdue_ratio" and stated.feature.endswith("_trend_90d")
            if stated.feature == node.feature or trend:
                return True
        if isinstance(stated, EventCondition) and stated.event == "purchase" and not stated.items:
            if node.feature in _SAME_AS_SPEND and stated.measure == "value":
                return True
            if node.feature in _SAME_AS_ORDERS and stated.measure == "count" and stated.value != 1:
                return True
    return False


def _says_recency(candidate: Candidate) -> bool:
    """Whether a condition says itself how long ago the last purchase was ('lapsed: last order 31-75 days ago')."""
    node = candidate.node
    if candidate.reading == "quiet":
        return False
    if isinstance(node, FeatureCondition):
        return node.feature == "recency_days"
    leaf = node.child if isinstance(node, Not) else None
    return (
        isinstance(leaf, EventCondition)
        and leaf.event == "purchase"
        and not leaf.items
        and leaf.window.end == 0
    )


def _build(draft: Draft, reading: Reading, linker: FeatureLinker, quantile: Quantile) -> list[Candidate]:
    clause, catalogue = draft.clause, linker.catalogue
    free = list(clause.numbers)
    made: list[tuple[Node, str, bool]] = []
    items = list(draft.items or [])
    made += [
        (_in_time(_as_trend(p.condition, catalogue), draft.window), "", False)
        for p in clause.patterns
        if _known(p.condition, catalogue)
    ]
    made += [(t.condition, "", False) for t in clause.trends if t.condition.feature in catalogue]
    over = draft.window or ranked_over(reading)
    ranked = [rank_condition(top, items, over, linker) for top in clause.tops]
    made += [(node, "rank", False) for node in ranked if node is not None]
    made += [_vague(vague, quantile, draft.window) for vague in clause.vague]
    made += feature_conditions(clause, reading, free, items, draft.window, linker, quantile)
    made += share_conditions(free, items, clause, catalogue)
    if any(isinstance(node, FeatureCondition) and node.feature in _LENGTHS for node, _, _ in made):
        # 'a gap of 14 days': the length is the feature's value, not when something was bought.
        draft = replace(draft, window=None if len(clause.windows) < 2 else clause.windows[-1])
    event, note = event_condition(draft, reading, free, items)
    handled = "neg" in clause.flags and event is None
    if event is not None and not _said_whole(event, [node for node, _, _ in made]):
        event = _all_of_them(_alternatives(event, items), reading.text[clause.start : clause.end + 4], items)
        if isinstance(event, EventCondition) and not draft.negative and draft.kind != "quiet":
            made += _second_counts(event, free)
        event = _in_each(event, draft.window)
        made.append((Not(event) if draft.negative or draft.kind == "quiet" else event, note, True))
    made += unit_conditions(free, clause, linker, draft.kind)
    out = []
    for node, text, polar in made:
        if not polar and (handled or (draft.negative and event is None)):
            node = Not(node)
        out.append(Candidate(node, clause.start, clause.end, clause.joins, text))
    return out


def _said_whole(event: Node, made: list[Node]) -> bool:
    """Whether an event's verb is that of a pattern: 'shopped on four days within a week' says no other visit."""
    return any(
        isinstance(node, RepeatCondition) and event == EventCondition(node.event, window=node.window)
        for node in made
    )


_ALL_OF_THEM = re.compile(r"都(?![没不未])|全都|\b(?:both|all (?:of them|three|four))\b", re.IGNORECASE)


def _all_of_them(event: Node, said: str, items: list[ItemMention]) -> Node:
    """'猫砂猫粮都买': every one of the items, not any."""
    if not isinstance(event, EventCondition) or len(items) < 2 or not _ALL_OF_THEM.search(said):
        return event
    if event.measure != "count" or event.value != 1:
        return event
    return AllOf(tuple(replace(event, items=item.items) for item in items))


def _known(condition: Condition, catalogue: Catalogue) -> bool:
    """Whether the features that a pattern compares are the catalogue's."""
    if not isinstance(condition, ComparisonCondition):
        return True
    return all(side in catalogue for side in (condition.left, condition.right) if isinstance(side, str))


def _in_each(event: Node, window: TimeMention | None) -> Node:
    """'in each of the months October, November and December': once for every one of them."""
    if window is None or not window.parts or not isinstance(event, EventCondition):
        return event
    return AllOf(tuple(replace(event, window=part) for part in window.parts))


def _in_time(condition: Condition, window: TimeMention | None) -> Node:
    """A pattern in the time said beside it."""
    if window is None or window.gap or isinstance(condition, ComparisonCondition):
        return condition
    span = condition.within_days if isinstance(condition, RepeatCondition) else 0
    if window.window.end == 0 and (window.window.start or span + 1) <= span:
        return condition  # 'on at least one day' is the span itself.
    if isinstance(condition, SequenceCondition | RepeatCondition | TouchCondition):
        return condition if condition.window != Window() else replace(condition, window=window.window)
    return condition


_TRENDS = {
    ("value", Window(90, 0), Window(180, 90)): "spend_trend_90d",
    ("count", Window(90, 0), Window(180, 90)): "orders_trend_90d",
    ("value", Window(30, 0), Window(60, 30)): "spend_trend_30d",
}
"""Comparisons of two windows that the catalogue has as one feature."""


def _as_trend(condition: Condition, catalogue: Catalogue) -> Condition:
    """'消费少于此前九十天' is the house's trend, where the catalogue has it."""
    if not isinstance(condition, ComparisonCondition):
        return condition
    left, right = condition.left, condition.right
    if (
        not (isinstance(left, EventQuantity) and isinstance(right, EventQuantity))
        or left.items
        or left.occasion
    ):
        return condition
    feature = _TRENDS.get((left.measure, left.window, right.window), "")
    if left.event != "purchase" or feature not in catalogue:
        return condition
    return FeatureCondition(feature, condition.op, plain_number(condition.factor))


def _second_counts(event: EventCondition, free: list[Number]) -> list[tuple[Node, str, bool]]:
    """'at least $2,500 from fewer than 60 orders': one verb, two measures."""
    if event.event != "purchase" or event.items:
        return []
    counts = [n for n in free if n.unit in ("orders", "times") and event.measure == "value"]
    sums = [n for n in free if n.unit == "money" and event.measure == "count"]
    out: list[tuple[Node, str, bool]] = []
    for number in (*counts, *sums):
        out.append(
            (counted(EventCondition("purchase", window=event.window), free, (number.unit,)), "", False)
        )
    return out


def _alternatives(event: Node, items: list[ItemMention]) -> Node:
    """'bananas or apples', one a product name and one a category: one filter would ask for both at once."""
    if not isinstance(event, EventCondition):
        return event
    parts = [
        ItemFilter(**{name: getattr(event.items, name)}, brand=event.items.brand)
        for name in ("department", "category", "text")
        if getattr(event.items, name)
    ]
    single = any(sum(map(bool, (i.items.department, i.items.category, i.items.text))) > 1 for i in items)
    if len(parts) < 2 or single:
        return event
    return AnyOf(tuple(replace(event, items=part) for part in parts))


def _vague(vague: Vague, quantile: Quantile, window: TimeMention | None) -> tuple[Node, str, bool]:
    """A vague word's own condition; a time said with it ('new customers in the last 60 days') replaces its own."""
    node = vague.node
    if window is not None and not window.gap:
        if isinstance(node, EventCondition):
            return replace(node, window=window.window), "", False
        if isinstance(node, FeatureCondition) and node.feature == "tenure_days" and window.window.start:
            return replace(node, value=window.window.start), "", False
    if vague.quantile is not None and isinstance(node, FeatureCondition):
        node = replace(node, value=two_digits(quantile(node.feature, vague.quantile)))
    return node, "vague", False


_LENGTHS = ("recency_days", "tenure_days", "mean_gap_days", "coupon_recency_days", "campaign_recency_days")


def propensity_candidate(outcome: str, share: float | None, *, counted: bool = False) -> Candidate:
    """'the 10 % most likely to buy': a propensity condition (a fifth when no share was said). counted: whether the share
    is that of a number of customers."""
    said = "top" if not share else "share" if counted else ""
    return Candidate(PropensityCondition(outcome, top_share=share or 0.2), 0, 0, frozenset(), said)


__all__ = ["Candidate", "FeatureMention", "candidates", "propensity_candidate"]
