"""What the visual editor's controls do to a definition: pure functions from a tree and an action to a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from segments import edit
from segments.definition import (
    AllOf,
    AnyOf,
    EventCondition,
    FeatureCondition,
    ItemFilter,
    MemberOf,
    Node,
    PropensityCondition,
    Value,
    Window,
)
from segments.edit import Place
from segments.errors import UserError
from segments.features import Feature, FeatureType
from serving.views import Choices

Action = Mapping[str, Any]
TOP_SHARE = 0.2
NOT_EVER = ""
"""What an empty field of days means: no bound."""


def act(tree: Node, action: Action, choices: Choices) -> Node:
    """The tree after an action `{do, place, ...}`. Raises UserError for one that is not known, DefinitionError for a
    place that is gone."""
    place = to_place(str(action.get("place", "")))
    do = str(action.get("do", ""))
    if do == "set":
        part = edit.part_at(tree, place)
        return edit.replace_at(tree, place, _set(part, str(action["field"]), action.get("value"), choices))
    if do not in _ACTIONS:
        raise UserError(f"edit: '{do}' is not an action of the editor.")
    return _ACTIONS[do](tree, place, action, choices)


def to_place(text: str) -> Place:
    """A place as the page writes it: '1.0.2', empty for the root."""
    try:
        return tuple(int(number) for number in text.split(".")) if text else ()
    except ValueError:
        raise UserError(f"edit: '{text[:40]}' is not a place in a definition.") from None


def from_place(place: Place) -> str:
    """A place as the page writes it."""
    return ".".join(map(str, place))


def tidy(tree: Node) -> Node:
    """The tree without the group that only holds one part for the editor's sake."""
    return tree.children[0] if isinstance(tree, AllOf) and len(tree.children) == 1 else tree


def made(kind: str, choices: Choices) -> Node:
    """A new part to begin with. Raises UserError when there is nothing to name."""
    match kind:
        case "feature":
            features = [f for f in choices.catalogue if f.name == "orders_90d"] or list(choices.catalogue)
            return of_feature(features[0], choices)
        case "event":
            return EventCondition("purchase", window=Window(90))
        case "propensity":
            if not choices.outcomes:
                raise UserError("There is no propensity model yet; run: segassist build")
            usual = "purchase_30d" if "purchase_30d" in choices.outcomes else choices.outcomes[0]
            return PropensityCondition(usual, top_share=TOP_SHARE)
        case "member":
            if not choices.segments:
                raise UserError("No segment is saved yet; save one to use it in another.")
            return MemberOf(choices.segments[0])
        case "group":
            return AnyOf(())
        case _:
            raise UserError(f"edit: '{kind}' is not a kind of condition.")


def of_feature(feature: Feature, choices: Choices) -> FeatureCondition:
    """A condition on a feature with a value that fits its type."""
    match feature.type:
        case FeatureType.NUMBER:
            return FeatureCondition(feature.name, ">=", 1)
        case FeatureType.SHARE:
            return FeatureCondition(feature.name, ">=", 0.5)
        case FeatureType.BOOLEAN:
            return FeatureCondition(feature.name, "=", True)
        case _:
            return FeatureCondition(feature.name, "in", choices.values(feature)[:1])


def _add(tree: Node, place: Place, action: Action, choices: Choices) -> Node:
    group = edit.part_at(tree, place)
    count = len(group.children) if isinstance(group, AllOf | AnyOf) else 0
    part = made(str(action.get("kind")), choices)
    if part == AnyOf(()) and isinstance(group, AnyOf):
        part = AllOf(())
    return edit.insert_at(tree, (*place, count), part)


def _kind(tree: Node, place: Place, action: Action, _choices: Choices) -> Node:
    return edit.regroup_at(tree, place, AnyOf if action.get("value") == "any_of" else AllOf)


def _drop(tree: Node, place: Place, action: Action, _choices: Choices) -> Node:
    return edit.relocate_at(tree, place, to_place(str(action.get("to", ""))))


_ACTIONS: dict[str, Callable[[Node, Place, Action, Choices], Node]] = {
    "add": _add,
    "kind": _kind,
    "drop": _drop,
    "remove": lambda tree, place, _action, _choices: edit.remove_at(tree, place),
    "duplicate": lambda tree, place, _action, _choices: edit.duplicate_at(tree, place),
    "up": lambda tree, place, _action, _choices: edit.move_at(tree, place, -1),
    "down": lambda tree, place, _action, _choices: edit.move_at(tree, place, 1),
    "negate": lambda tree, place, _action, _choices: edit.negate_at(tree, place),
    "nest": lambda tree, place, _action, _choices: edit.nest_at(tree, place),
}


def _set(part: Node, field: str, value: Any, choices: Choices) -> Node:
    match part:
        case FeatureCondition():
            return _set_feature(part, field, value, choices)
        case EventCondition():
            return _set_event(part, field, value)
        case PropensityCondition():
            return _set_propensity(part, field, value)
        case MemberOf() if field == "segment":
            return MemberOf(str(value))
        case _:
            raise UserError(f"edit: this condition has no field '{field}' here; change it in the text.")


def _set_feature(part: FeatureCondition, field: str, value: Any, choices: Choices) -> FeatureCondition:
    feature = choices.catalogue.get(part.feature)
    if field == "feature" and (known := choices.catalogue.get(str(value))) is not None:
        return of_feature(known, choices)
    if feature is None:
        raise UserError(f"edit: '{part.feature}' is not in the catalogue; choose a feature first.")
    if field == "op":
        return replace(part, op=str(value), value=_for_operator(part.value, str(value)))
    if field in ("low", "high"):
        low, high = part.value if isinstance(part.value, tuple) and len(part.value) == 2 else (0, 0)
        bound = _read(value, feature)
        return replace(part, value=(bound, high) if field == "low" else (low, bound))
    if isinstance(value, list):
        return replace(part, value=tuple(str(each) for each in value))
    return replace(part, value=_read(value, feature))


def _for_operator(value: Value | tuple[Value, ...], op: str) -> Value | tuple[Value, ...]:
    """The value in the shape that an operator takes: one, two, or a list."""
    given = value if isinstance(value, tuple) else (value,)
    if op == "between":
        return (given[0], given[-1]) if given else (0, 0)
    if op in ("in", "not_in"):
        return given
    return given[0] if given else ""


def _read(value: Any, feature: Feature) -> Value:
    """What was typed; what is no number stays as it is, and the check says so."""
    if feature.type is FeatureType.BOOLEAN:
        return value in (True, "true")
    if feature.type is FeatureType.SHARE:
        number = _number(value)
        return round(number / 100, 6) if isinstance(number, int | float) else number
    return _number(value) if feature.type is FeatureType.NUMBER else str(value)


def _number(value: Any) -> float | int | str:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _set_event(part: EventCondition, field: str, value: Any) -> EventCondition:
    name, _, column = field.partition(".")
    if name in ("pick", "drop"):
        return replace(part, items=_items(part.items, column, str(value), name == "pick"))
    if field in ("start", "end"):
        days = _number(value) if value != NOT_EVER else (None if field == "start" else 0)
        if isinstance(days, str | float):
            raise UserError(f"window: must be a whole number of days; got {value}.")
        window = replace(part.window, start=days) if field == "start" else replace(part.window, end=days or 0)
        return replace(part, window=window)
    if field == "op":
        return replace(part, op=str(value), value=_for_operator(part.value, str(value)))  # type: ignore[arg-type]
    if field in ("low", "high"):
        low, high = part.value if isinstance(part.value, tuple) else (part.value, part.value)
        return replace(part, value=(_amount(value), high) if field == "low" else (low, _amount(value)))
    if field == "value":
        return replace(part, value=_amount(value))
    if field == "event":
        return replace(part, event=str(value))
    if field == "measure" and value in ("count", "quantity", "value"):
        return replace(part, measure=value)
    raise UserError(f"edit: an event has no field '{field}' here; change it in the text.")


def _amount(value: Any) -> float | int:
    number = _number(value)
    if isinstance(number, str):
        raise UserError(f"value: must be a number; got '{number[:20]}'.")
    return number


def _items(items: ItemFilter, column: str, value: str, pick: bool) -> ItemFilter:
    if column not in ("department", "category", "brand", "text"):
        raise UserError(f"edit: items have no '{column}'.")
    before = tuple(each for each in getattr(items, column) if each != value)
    return replace(items, **{column: (*before, value) if pick and value.strip() else before})


def _set_propensity(part: PropensityCondition, field: str, value: Any) -> PropensityCondition:
    if field == "outcome":
        return replace(part, outcome=str(value))
    share = part.top_share if part.top_share is not None else part.min_probability
    if field == "value":
        share = round(_amount(value) / 100, 6)
    by_share = value == "top_share" if field == "mode" else part.top_share is not None
    return PropensityCondition(part.outcome, None if by_share else share, share if by_share else None)


__all__ = ["act", "from_place", "made", "tidy", "to_place"]
