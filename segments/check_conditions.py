"""Does one condition hold: do its names exist, do its values fit, is its window not empty?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from segments.definition import (
    ComparisonCondition,
    Condition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    InCluster,
    ItemFilter,
    MemberOf,
    Occasion,
    PropensityCondition,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    TouchCondition,
    UpliftCondition,
    Window,
)
from segments.errors import Sentence
from segments.features import Catalogue, Favourite, Feature, FeatureType
from segments.issues import Issue
from segments.vocabulary import Vocabulary, near_names

MAX_DAYS = 36_500
"""A hundred years: farther back no engine's dates are needed."""
MAX_NUMBER = 1e15
"""Beyond it a double no longer holds every whole number."""
MAX_TIMES = 1_000
"""More orders or sessions within one span no customer has."""
KNOWN_CAMPAIGNS = 30
"""Of the campaigns that there are, as many as a message names: the last ones."""


def condition_issues(node: Condition, vocabulary: Vocabulary) -> list[Sentence]:
    """One sentence for each mistake of one condition (what a seed or ranked group holds is not looked at)."""
    match node:
        case FeatureCondition():
            return _feature(node, vocabulary.catalogue) or _favourite(node, vocabulary)
        case EventCondition():
            return _event(node, vocabulary)
        case SequenceCondition():
            return _sequence(node, vocabulary)
        case RepeatCondition():
            return _repeat(node, vocabulary)
        case TouchCondition():
            return _what(node, node.event, vocabulary)
        case ComparisonCondition():
            return _comparison(node, vocabulary)
        case RankCondition():
            return _rank(node, vocabulary)
        case PropensityCondition():
            return _propensity(node, vocabulary)
        case UpliftCondition():
            return _uplift(node, vocabulary)
        case MemberOf(name) if vocabulary.segments is not None and name not in vocabulary.segments:
            return [_unknown("segment", name, vocabulary.segments)]
        case InCluster() if vocabulary.discoveries is not None:
            return _cluster(node, vocabulary.discoveries)
        case _:
            return []


def _cluster(node: InCluster, discoveries: Mapping[str, int]) -> list[Sentence]:
    if node.discovery not in discoveries:
        near = near_names(node.discovery, discoveries)
        return [Issue("discovery_like" if near else "discovery_unknown", name=node.discovery, near=near)]
    count = discoveries[node.discovery]
    return [] if 1 <= node.number <= count else [Issue("cluster_outside", count=count, number=node.number)]


def _feature(node: FeatureCondition, catalogue: Catalogue) -> list[Sentence]:
    feature = catalogue.get(node.feature)
    if feature is None:
        return [_unknown_feature("feature", node.feature, catalogue)]
    if node.op not in feature.operators:
        name, accepted = feature.name, feature.operators
        return [Issue("operator", name=name, op=node.op, type=feature.type, accepted=accepted)]
    return _value(node, feature)


def _favourite(node: FeatureCondition, vocabulary: Vocabulary) -> list[Sentence]:
    """That a favourite is none of the items' departments, categories or brands."""
    feature = vocabulary.catalogue.get(node.feature)
    of = feature.computation.column if feature and isinstance(feature.computation, Favourite) else ""
    known = vocabulary.items.get(of, ())
    values = node.value if isinstance(node.value, tuple) else (node.value,)
    found = list[Sentence]()
    for value in values if known else ():
        if isinstance(value, str) and value not in known:
            same = [one for one in known if one.casefold() == value.casefold()]
            near = same or near_names(value, known)
            found.append(
                Issue("value_like" if near else "value_unknown", name=node.feature, value=value, near=near)
            )
    return found


def _value(node: FeatureCondition, feature: Feature) -> list[Sentence]:
    name, value = feature.name, node.value
    many = node.op in ("in", "not_in", "between")
    if many != isinstance(value, tuple):
        return [Issue("takes_list" if many else "takes_one", name=name, op=node.op, value=value)]
    values = value if isinstance(value, tuple) else (value,)
    if node.op == "between" and len(values) != 2:
        return [Issue("takes_two", name=name, count=len(values))]
    if not values:
        return [Issue("list_empty", name=name)]
    found: list[Sentence] = []
    for one in values:
        is_number = isinstance(one, int | float) and not isinstance(one, bool)
        if is_number and abs(one) > MAX_NUMBER:  # type: ignore[arg-type]
            found.append(Issue("too_large", name=name, most=MAX_NUMBER, value=one))
        elif feature.numeric and not is_number:
            found.append(Issue("not_number", name=name, unit=feature.unit, value=one))
        elif feature.type is FeatureType.SHARE and not 0 <= float(one) <= 1:
            found.append(Issue("not_share", name=name, value=one))
        elif feature.type is FeatureType.BOOLEAN and not isinstance(one, bool):
            found.append(Issue("not_boolean", name=name, value=one))
        elif feature.levels and one not in feature.levels:
            found.append(Issue("not_level", name=name, value=one, levels=feature.levels))
        elif not feature.numeric and feature.type is not FeatureType.BOOLEAN and not isinstance(one, str):
            found.append(Issue("not_text", name=name, value=one))
    if not found and node.op == "between":
        low, high = _level(feature, values[0]), _level(feature, values[1])
        if low > high:
            found.append(Issue("low_above_high", name=name, low=values[0], high=values[1]))
    return found


def _level(feature: Feature, value: object) -> float:
    return float(feature.levels.index(str(value))) if feature.levels else float(value)  # type: ignore[arg-type]


def _event(node: EventCondition, vocabulary: Vocabulary) -> list[Sentence]:
    found = _what(node, node.event, vocabulary)
    if any(abs(v) > MAX_NUMBER for v in (node.value if isinstance(node.value, tuple) else (node.value,))):
        found.append(Issue("too_large", name=node.event, most=MAX_NUMBER, value=node.value))
        return found
    many = isinstance(node.value, tuple)
    if (node.op == "between") != many:
        found.append(Issue("between_or_one", name=node.event, value=node.value))
    elif isinstance(node.value, tuple):
        if len(node.value) != 2 or node.value[0] > node.value[1]:
            found.append(Issue("two_numbers", name=node.event, value=node.value))
    elif node.value < 0:
        found.append(Issue("negative", name=node.event, value=node.value))
    elif node.op == "<" and node.value == 0:
        found.append(Issue("below_zero", name=node.event))
    return found


def _what(
    node: EventCondition | RepeatCondition | TouchCondition | EventQuantity,
    name: str,
    vocabulary: Vocabulary,
) -> list[Sentence]:
    """Mistakes of the items, the window and the occasion."""
    found = _items(node.items, vocabulary)
    return found + _window(node.window, name) + _occasion(node.occasion, name)


def _window(window: Window, name: str) -> list[Sentence]:
    start, end = window.start, window.end
    if max(start or 0, end) > MAX_DAYS:
        return [Issue("window_far", name=name, days=max(start or 0, end), most=MAX_DAYS)]
    if end < 0 or (start is not None and start < 0):
        return [Issue("window_negative", name=name, start=start, end=end)]
    if start is not None and start <= end:
        return [Issue("window_empty", name=name, start=start, end=end)]
    return []


def _occasion(occasion: Occasion, name: str) -> list[Sentence]:
    if occasion.hours is None:
        return []
    start, end = occasion.hours
    if not (0 <= start <= 24 and 0 <= end <= 24):
        return [Issue("hours_outside", name=name, start=start, end=end)]
    if start == end:
        return [Issue("hours_empty", name=name, start=start, end=end)]
    return []


def _sequence(node: SequenceCondition, vocabulary: Vocabulary) -> list[Sentence]:
    found = _window(node.window, "sequence")
    for step in (*node.steps, *((node.then_not,) if node.then_not else ())):
        found += _items(step.items, vocabulary) + _occasion(step.occasion, step.event)
        if step.within_days is not None and not 1 <= step.within_days <= MAX_DAYS:
            found.append(Issue("within_days", name=step.event, most=MAX_DAYS, value=step.within_days))
    return found


def _repeat(node: RepeatCondition, vocabulary: Vocabulary) -> list[Sentence]:
    found = _what(node, node.event, vocabulary)
    if not 1 <= node.within_days <= MAX_DAYS:
        found.append(Issue("within_days", name=node.event, most=MAX_DAYS, value=node.within_days))
    if not 2 <= node.times <= MAX_TIMES:
        found.append(Issue("times", name=node.event, most=MAX_TIMES, value=node.times))
    if node.without == node.event:
        found.append(Issue("repeat_without_itself", name=node.event))
    return found


def _comparison(node: ComparisonCondition, vocabulary: Vocabulary) -> list[Sentence]:
    found: list[Sentence] = []
    for side in (node.left, node.right):
        if isinstance(side, EventQuantity):
            found += _what(side, side.event, vocabulary)
        else:
            found += _numeric(side, "compare", vocabulary.catalogue)
    if not 0 < node.factor <= MAX_NUMBER:
        found.append(Issue("factor", value=node.factor))
    if node.left == node.right and not found:
        found.append(Issue("same_sides"))
    return found


def _rank(node: RankCondition, vocabulary: Vocabulary) -> list[Sentence]:
    found = _numeric(node.feature, "rank_by", vocabulary.catalogue)
    if node.share is not None and not 0 < node.share <= 1:
        found.append(Issue("share_range", name="rank_by.share", value=node.share))
    if node.count is not None and not 1 <= node.count <= MAX_NUMBER:
        found.append(Issue("count_range", name="rank_by.count", value=node.count))
    return found


def _numeric(name: str, field: str, catalogue: Catalogue) -> list[Sentence]:
    """Mistakes of a feature that must be a number."""
    feature = catalogue.get(name)
    if feature is None:
        return [_unknown_feature(field, name, catalogue)]
    return [] if feature.numeric else [Issue("not_ordered", field=field, name=name, type=feature.type)]


def _unknown_feature(field: str, name: str, catalogue: Catalogue) -> Issue:
    near = catalogue.suggest(name)
    return Issue("feature_like" if near else "feature_unknown", field=field, name=name, near=near)


def _unknown(kind: str, name: str, known: Collection[str]) -> Issue:
    """That no saved segment, or no model, has this name."""
    near = near_names(name, known)
    return Issue(f"{kind}_like" if near else f"{kind}_unknown", name=name, near=near, known=list(known))


def _items(items: ItemFilter, vocabulary: Vocabulary) -> list[Sentence]:
    found: list[Sentence] = []
    for name, known in vocabulary.items.items():
        for value in getattr(items, name, ()):
            if value not in known:
                near = near_names(value, known)
                found.append(
                    Issue("item_like" if near else "item_unknown", field=name, value=value, near=near)
                )
    return found


def _propensity(node: PropensityCondition, vocabulary: Vocabulary) -> list[Sentence]:
    found: list[Sentence] = []
    base = node.outcome.split(":")[0]
    if vocabulary.outcomes is not None and node.outcome not in vocabulary.outcomes:
        category = node.outcome.removeprefix("purchase_30d:")
        if base != "purchase_30d" or category not in vocabulary.items.get("category", ()):
            none = Issue("outcome_none", name=node.outcome)
            found.append(
                _unknown("outcome", node.outcome, vocabulary.outcomes) if vocabulary.outcomes else none
            )
    return found + _shares("propensity", min_probability=node.min_probability, top_share=node.top_share)


def _uplift(node: UpliftCondition, vocabulary: Vocabulary) -> list[Sentence]:
    found: list[Sentence] = []
    if vocabulary.campaigns is not None and node.campaign not in vocabulary.campaigns:
        # Campaigns are numbered mostly, so what is spelt alike is no hint.
        known = list(vocabulary.campaigns)[-KNOWN_CAMPAIGNS:]
        found.append(Issue("campaign_unknown" if known else "campaign_none", name=node.campaign, known=known))
    return found + _shares("uplift", min_effect=node.min_effect, top_share=node.top_share)


def _shares(kind: str, **values: float | None) -> list[Sentence]:
    """That a share of a condition of this kind is not one."""
    return [
        Issue("share_range", name=f"{kind}.{name}", value=value)
        for name, value in values.items()
        if value is not None and not 0 < value <= 1
    ]
