"""Does a definition hold? Names exist, types fit, windows are not empty, nothing contradicts itself.

All mistakes are told together, each in one sentence that names the field and what would be accepted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from segments.definition import (
    AllOf,
    AnyOf,
    EventCondition,
    FeatureCondition,
    ItemFilter,
    MemberOf,
    Node,
    Not,
    PropensityCondition,
    SimilarityCondition,
)
from segments.errors import DefinitionError
from segments.features import Catalogue, Feature, FeatureType
from segments.intervals import Interval, interval_of


@dataclass(frozen=True)
class Vocabulary:
    """The names that exist in a workspace. None means: not known here, so not checked.

    items: item field (department, category, brand) -> its values.
    """

    catalogue: Catalogue
    items: Mapping[str, Collection[str]] = field(default_factory=dict)
    segments: Collection[str] | None = None
    outcomes: Collection[str] | None = None


MAX_DAYS = 36_500
"""A hundred years: farther back no engine's dates are needed."""
MAX_NUMBER = 1e15
"""Beyond it a double no longer holds every whole number."""


def validate(node: Node, vocabulary: Vocabulary) -> None:
    """Raise DefinitionError with every issue of the definition, or return."""
    found = issues(node, vocabulary)
    if found:
        raise DefinitionError(found)


def issues(node: Node, vocabulary: Vocabulary) -> list[str]:
    """One sentence for each mistake, in reading order; empty when the definition holds."""
    found: list[str] = []
    _visit(node, vocabulary, found)
    return found


def _visit(node: Node, vocabulary: Vocabulary, found: list[str]) -> None:
    match node:
        case AllOf(children):
            for child in children:
                _visit(child, vocabulary, found)
            found += _contradictions(children)
        case AnyOf(children):
            if not children:
                found.append("any_of: has no conditions, so nobody could belong; give at least one.")
            for child in children:
                _visit(child, vocabulary, found)
        case Not(child):
            _visit(child, vocabulary, found)
        case FeatureCondition():
            found += _feature(node, vocabulary.catalogue)
        case EventCondition():
            found += _event(node, vocabulary)
        case PropensityCondition():
            found += _propensity(node, vocabulary)
        case SimilarityCondition(_, segment, _) if segment is not None:
            _visit(segment, vocabulary, found)
        case MemberOf(name) if vocabulary.segments is not None and name not in vocabulary.segments:
            found.append(f"member_of: no saved segment is named '{name}'{_hint(name, vocabulary.segments)}.")
        case _:
            pass


def _hint(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""


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
        low, high = _rank(feature, values[0]), _rank(feature, values[1])
        if low > high:
            found.append(f"{name}.value: between needs low <= high; got {values[0]} and {values[1]}.")
    return found


def _rank(feature: Feature, value: object) -> float:
    return float(feature.levels.index(str(value))) if feature.levels else float(value)  # type: ignore[arg-type]


def _event(node: EventCondition, vocabulary: Vocabulary) -> list[str]:
    found = _items(node.items, vocabulary)
    start, end = node.window.start, node.window.end
    if max(start or 0, end) > MAX_DAYS:
        found.append(
            f"{node.event}: the window reaches {max(start or 0, end)} days back; at most {MAX_DAYS} are accepted."
        )
        return found
    if any(abs(v) > MAX_NUMBER for v in (node.value if isinstance(node.value, tuple) else (node.value,))):
        found.append(f"{node.event}.value: must be at most {MAX_NUMBER:g}; got {node.value}.")
        return found
    if end < 0 or (start is not None and start < 0):
        found.append(f"{node.event}: window days must not be negative; got from {start} to {end}.")
    elif start is not None and start <= end:
        found.append(
            f"{node.event}: the window from {start} to {end} days ago is empty; "
            "from_days_ago must be larger than to_days_ago."
        )
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


def _items(items: ItemFilter, vocabulary: Vocabulary) -> list[str]:
    found: list[str] = []
    for name, known in vocabulary.items.items():
        for value in getattr(items, name, ()):
            if value not in known:
                found.append(f"items.{name}: '{value}' is not a {name} here{_hint(value, known)}.")
    return found


def _propensity(node: PropensityCondition, vocabulary: Vocabulary) -> list[str]:
    found: list[str] = []
    base = node.outcome.split(":")[0]
    if vocabulary.outcomes is not None and node.outcome not in vocabulary.outcomes:
        category = node.outcome.removeprefix("purchase_30d:")
        if base != "purchase_30d" or category not in vocabulary.items.get("category", ()):
            hint = _hint(node.outcome, vocabulary.outcomes) or f"; known are {', '.join(vocabulary.outcomes)}"
            found.append(f"propensity: no model predicts '{node.outcome}'{hint}.")
    for name, value in (("min_probability", node.min_probability), ("top_share", node.top_share)):
        if value is not None and not 0 < value <= 1:
            found.append(f"propensity.{name}: must be above 0 and at most 1; got {value}.")
    return found


def _listed(node: FeatureCondition) -> set[object] | None:
    """The values that '=' or 'in' allow where values are not numbers; None for other comparisons."""
    if node.op == "=" and isinstance(node.value, str | bool):
        return {node.value}
    return set(node.value) if node.op == "in" and isinstance(node.value, tuple) else None


def _contradictions(children: tuple[Node, ...]) -> list[str]:
    """Pairs inside one all_of that no customer can meet: x and not x, or ranges that do not overlap."""
    found: list[str] = []
    present = set(children)
    for child in children:
        if isinstance(child, Not) and child.child in present:
            found.append("all_of: asks for a condition and for its opposite, so nobody could belong.")
    allowed: dict[str, set[object]] = {}
    for child in children:
        if isinstance(child, FeatureCondition) and (values := _listed(child)) is not None:
            allowed[child.feature] = allowed.get(child.feature, values) & values
    for feature, values in allowed.items():
        if not values:
            found.append(f"{feature}: its conditions contradict each other (no value meets them all).")
    ranges: dict[object, Interval] = {}
    for child in children:
        key, interval = interval_of(child)
        if key is None or interval is None:
            continue
        merged = ranges[key].meet(interval) if key in ranges else interval
        if merged.empty and not (key in ranges and ranges[key].empty):
            name = (
                child.feature if isinstance(child, FeatureCondition) else getattr(child, "event", "condition")
            )
            found.append(f"{name}: its conditions contradict each other (no value meets them all).")
        ranges[key] = merged
    return found
