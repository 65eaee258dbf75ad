"""Does one condition hold: do its names exist, do its values fit, is its window not empty?"""

from __future__ import annotations

from collections.abc import Mapping

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
    Window,
)
from segments.features import Catalogue, Feature, FeatureType
from segments.vocabulary import Vocabulary, hint

MAX_DAYS = 36_500
"""A hundred years: farther back no engine's dates are needed."""
MAX_NUMBER = 1e15
"""Beyond it a double no longer holds every whole number."""
MAX_TIMES = 1_000
"""More orders or sessions within one span no customer has."""


def condition_issues(node: Condition, vocabulary: Vocabulary) -> list[str]:
    """One sentence for each mistake of one condition (what a seed or ranked group holds is not looked at)."""
    match node:
        case FeatureCondition():
            return _feature(node, vocabulary.catalogue)
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
        case MemberOf(name) if vocabulary.segments is not None and name not in vocabulary.segments:
            return [f"member_of: no saved segment is named '{name}'{hint(name, vocabulary.segments)}."]
        case InCluster() if vocabulary.discoveries is not None:
            return _cluster(node, vocabulary.discoveries)
        case _:
            return []


def _cluster(node: InCluster, discoveries: Mapping[str, int]) -> list[str]:
    if node.discovery not in discoveries:
        near = hint(node.discovery, discoveries) or "; `segassist segment clusters` lists them"
        return [f"member_of.discovery: there is no discovery '{node.discovery}'{near}."]
    count = discoveries[node.discovery]
    if not 1 <= node.number <= count:
        return [f"member_of.cluster: must lie between 1 and {count}; got {node.number}."]
    return []


def _feature(node: FeatureCondition, catalogue: Catalogue) -> list[str]:
    feature = catalogue.get(node.feature)
    if feature is None:
        near = catalogue.suggest(node.feature)
        hint = f"did you mean {' or '.join(near)}?" if near else "`segassist features` lists them."
        return [f"feature: '{node.feature}' is not in the catalogue; {hint}"]
    if node.op not in feature.operators:
        accepted = ", ".join(feature.operators)
        return [f"{feature.name}.op: '{node.op}' does not fit a {feature.type}; accepted are {accepted}."]
    return _value(node, feature)


def _value(node: FeatureCondition, feature: Feature) -> list[str]:
    name, value = feature.name, node.value
    many = node.op in ("in", "not_in", "between")
    if many != isinstance(value, tuple):
        wanted = "a list" if many else "a single value"
        return [f"{name}.value: '{node.op}' takes {wanted}; got {value!r}."]
    values = value if isinstance(value, tuple) else (value,)
    if node.op == "between" and len(values) != 2:
        return [f"{name}.value: between takes two values, low and high; got {len(values)}."]
    if not values:
        return [f"{name}.value: the list is empty; give at least one value."]
    found: list[str] = []
    for one in values:
        is_number = isinstance(one, int | float) and not isinstance(one, bool)
        if is_number and abs(one) > MAX_NUMBER:  # type: ignore[arg-type]
            found.append(f"{name}.value: must be at most {MAX_NUMBER:g}; got {one}.")
        elif feature.numeric and not is_number:
            found.append(f"{name}.value: must be a number of {feature.unit}; got {one!r}.")
        elif feature.type is FeatureType.SHARE and not 0 <= float(one) <= 1:
            found.append(f"{name}.value: a share lies between 0 and 1 (0.3 is 30 %); got {one}.")
        elif feature.type is FeatureType.BOOLEAN and not isinstance(one, bool):
            found.append(f"{name}.value: must be true or false; got {one!r}.")
        elif feature.levels and one not in feature.levels:
            found.append(f"{name}.value: '{one}' is not one of {', '.join(feature.levels)}.")
        elif not feature.numeric and feature.type is not FeatureType.BOOLEAN and not isinstance(one, str):
            found.append(f"{name}.value: must be a text; got {one!r}.")
    if not found and node.op == "between":
        low, high = _level(feature, values[0]), _level(feature, values[1])
        if low > high:
            found.append(f"{name}.value: between needs low <= high; got {values[0]} and {values[1]}.")
    return found


def _level(feature: Feature, value: object) -> float:
    return float(feature.levels.index(str(value))) if feature.levels else float(value)  # type: ignore[arg-type]


def _event(node: EventCondition, vocabulary: Vocabulary) -> list[str]:
    found = _what(node, node.event, vocabulary)
    if any(abs(v) > MAX_NUMBER for v in (node.value if isinstance(node.value, tuple) else (node.value,))):
        found.append(f"{node.event}.value: must be at most {MAX_NUMBER:g}; got {node.value}.")
        return found
    many = isinstance(node.value, tuple)
    if (node.op == "between") != many:
        found.append(f"{node.event}.value: between takes two numbers, other operators one; got {node.value}.")
    elif isinstance(node.value, tuple):
        if len(node.value) != 2 or node.value[0] > node.value[1]:
            found.append(f"{node.event}.value: between needs two numbers, low <= high; got {node.value}.")
    elif node.value < 0:
        found.append(f"{node.event}.value: must not be negative; got {node.value}.")
    elif node.op == "<" and node.value == 0:
        found.append(f"{node.event}.value: fewer than 0 holds for nobody; use = 0 for 'never'.")
    return found


def _what(
    node: EventCondition | RepeatCondition | TouchCondition | EventQuantity,
    name: str,
    vocabulary: Vocabulary,
) -> list[str]:
    """Mistakes of the items, the window and the occasion."""
    found = _items(node.items, vocabulary)
    return found + _window(node.window, name) + _occasion(node.occasion, name)


def _window(window: Window, name: str) -> list[str]:
    start, end = window.start, window.end
    if max(start or 0, end) > MAX_DAYS:
        far = max(start or 0, end)
        return [f"{name}: the window reaches {far} days back; at most {MAX_DAYS} are accepted."]
    if end < 0 or (start is not None and start < 0):
        return [f"{name}: window days must not be negative; got from {start} to {end}."]
    if start is not None and start <= end:
        return [
            f"{name}: the window from {start} to {end} days ago is empty; "
            "from_days_ago must be larger than to_days_ago."
        ]
    return []


def _occasion(occasion: Occasion, name: str) -> list[str]:
    if occasion.hours is None:
        return []
    start, end = occasion.hours
    if not (0 <= start <= 24 and 0 <= end <= 24):
        return [f"{name}.hours: must lie in 0..24; got {start} and {end}."]
    if start == end:
        return [f"{name}.hours: from {start} to {end} is empty; leave hours out for the whole day."]
    return []


def _sequence(node: SequenceCondition, vocabulary: Vocabulary) -> list[str]:
    found = _window(node.window, "sequence")
    for step in (*node.steps, *((node.then_not,) if node.then_not else ())):
        found += _items(step.items, vocabulary) + _occasion(step.occasion, step.event)
        if step.within_days is not None and not 1 <= step.within_days <= MAX_DAYS:
            found.append(
                f"{step.event}.within_days: must lie between 1 and {MAX_DAYS}; got {step.within_days}."
            )
    return found


def _repeat(node: RepeatCondition, vocabulary: Vocabulary) -> list[str]:
    found = _what(node, node.event, vocabulary)
    if not 1 <= node.within_days <= MAX_DAYS:
        found.append(f"{node.event}.within_days: must lie between 1 and {MAX_DAYS}; got {node.within_days}.")
    if not 2 <= node.times <= MAX_TIMES:
        found.append(f"{node.event}.times: must lie between 2 and {MAX_TIMES}; got {node.times}.")
    if node.without == node.event:
        found.append(f"repeat.without: {node.event} cannot be repeated without itself; name another event.")
    return found


def _comparison(node: ComparisonCondition, vocabulary: Vocabulary) -> list[str]:
    found: list[str] = []
    for side in (node.left, node.right):
        if isinstance(side, EventQuantity):
            found += _what(side, side.event, vocabulary)
        else:
            found += _numeric(side, "compare", vocabulary.catalogue)
    if not 0 < node.factor <= MAX_NUMBER:
        found.append(f"compare.factor: must be above 0; got {node.factor}.")
    if node.left == node.right and not found:
        found.append("compare: both sides are the same, so there is nothing to compare.")
    return found


def _rank(node: RankCondition, vocabulary: Vocabulary) -> list[str]:
    found = _numeric(node.feature, "rank_by", vocabulary.catalogue)
    if node.share is not None and not 0 < node.share <= 1:
        found.append(f"rank_by.share: must be above 0 and at most 1; got {node.share}.")
    if node.count is not None and not 1 <= node.count <= MAX_NUMBER:
        found.append(f"rank_by.count: must be at least 1; got {node.count}.")
    return found


def _numeric(name: str, field: str, catalogue: Catalogue) -> list[str]:
    """Mistakes of a feature that must be a number."""
    feature = catalogue.get(name)
    if feature is None:
        near = catalogue.suggest(name)
        said = f"did you mean {' or '.join(near)}?" if near else "`segassist features` lists them."
        return [f"{field}: '{name}' is not in the catalogue; {said}"]
    if not feature.numeric:
        return [f"{field}: '{name}' is a {feature.type}; only numbers and shares can be ordered here."]
    return []


def _items(items: ItemFilter, vocabulary: Vocabulary) -> list[str]:
    found: list[str] = []
    for name, known in vocabulary.items.items():
        for value in getattr(items, name, ()):
            if value not in known:
                found.append(f"items.{name}: '{value}' is not a {name} here{hint(value, known)}.")
    return found


def _propensity(node: PropensityCondition, vocabulary: Vocabulary) -> list[str]:
    found: list[str] = []
    base = node.outcome.split(":")[0]
    if vocabulary.outcomes is not None and node.outcome not in vocabulary.outcomes:
        category = node.outcome.removeprefix("purchase_30d:")
        if base != "purchase_30d" or category not in vocabulary.items.get("category", ()):
            said = hint(node.outcome, vocabulary.outcomes) or f"; known are {', '.join(vocabulary.outcomes)}"
            found.append(f"propensity: no model predicts '{node.outcome}'{said}.")
    for name, value in (("min_probability", node.min_probability), ("top_share", node.top_share)):
        if value is not None and not 0 < value <= 1:
            found.append(f"propensity.{name}: must be above 0 and at most 1; got {value}.")
    return found
