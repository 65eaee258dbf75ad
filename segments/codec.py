"""Definition <-> JSON, and the JSON Schema of the language.

`to_json` and `from_json` are exact inverses. `from_json` reads structure only (names and types of
keys); whether features exist and values fit is `segments.check`'s question.
"""

from __future__ import annotations

import json
from typing import Any

from segments.definition import (
    EVENT_MEASURES,
    EVENT_OPERATORS,
    EVENT_TYPES,
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
    Window,
)
from segments.errors import DefinitionError
from segments.features import NUMERIC_OPERATORS, SET_OPERATORS, Catalogue

ITEM_FIELDS = ("department", "category", "brand", "text")
KINDS = ("all_of", "any_of", "not", "feature", "event", "propensity", "similar_to", "member_of")
MAX_DEPTH = 20
MAX_CONDITIONS = 100
_EVENT_KEYS = {"event", "items", "from_days_ago", "to_days_ago", "measure", "op", "value"}
_FEATURE_KEYS = {"feature", "op", "value"}


def to_json(node: Node) -> dict[str, Any]:
    """The JSON form; defaults (no items, ever, at least once) are left out."""
    match node:
        case AllOf(children):
            return {"all_of": [to_json(child) for child in children]}
        case AnyOf(children):
            return {"any_of": [to_json(child) for child in children]}
        case Not(child):
            return {"not": to_json(child)}
        case FeatureCondition(feature, op, value):
            return {"feature": feature, "op": op, "value": list(value) if isinstance(value, tuple) else value}
        case EventCondition():
            return _event_to_json(node)
        case PropensityCondition(outcome, low, top):
            extra = {"min_probability": low} if low is not None else {"top_share": top}
            return {"propensity": outcome, **extra}
        case SimilarityCondition(count, segment, customer):
            to = {"segment": to_json(segment)} if segment is not None else {"customer": customer}
            return {"similar_to": to, "top": count}
        case MemberOf(name):
            return {"member_of": name}


def _event_to_json(node: EventCondition) -> dict[str, Any]:
    out: dict[str, Any] = {"event": node.event}
    items = {name: list(getattr(node.items, name)) for name in ITEM_FIELDS if getattr(node.items, name)}
    if items:
        out["items"] = items
    if node.window.start is not None:
        out["from_days_ago"] = node.window.start
    if node.window.end:
        out["to_days_ago"] = node.window.end
    if (node.measure, node.op, node.value) != ("count", ">=", 1):
        value = list(node.value) if isinstance(node.value, tuple) else node.value
        out |= {"measure": node.measure, "op": node.op, "value": value}
    return out


def from_json(data: object) -> Node:
    """Read a definition.

    Raises DefinitionError with one sentence for each mistake, each naming the path of the field.
    """
    _writable(data)
    issues: list[str] = []
    node = _read(data, "definition", issues, 0)
    if issues or node is None:
        raise DefinitionError(issues)
    return node


def _writable(data: object) -> None:
    """Raise DefinitionError for what JSON or UTF-8 cannot hold, so that every later step may rely on it."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
        text.encode()
    except RecursionError:
        raise DefinitionError(f"definition: nested deeper than {MAX_DEPTH} levels; flatten it.") from None
    except UnicodeEncodeError:
        raise DefinitionError("definition: holds half a character (a lone surrogate).") from None
    except (TypeError, ValueError) as error:
        raise DefinitionError(f"definition: holds what JSON cannot write ({error}).") from None
    if "\\u0000" in text:
        raise DefinitionError("definition: holds a NUL character.")


def _read(data: object, path: str, issues: list[str], depth: int) -> Node | None:
    if depth > MAX_DEPTH:
        issues.append(f"{path}: nested deeper than {MAX_DEPTH} levels; flatten the definition.")
        return None
    if not isinstance(data, dict):
        issues.append(f"{path}: must be an object with one of {', '.join(KINDS)}; got {_short(data)}.")
        return None
    kinds = [kind for kind in KINDS if kind in data]
    if len(kinds) != 1:
        got = " and ".join(kinds) or ", ".join(map(str, data)) or "nothing"
        issues.append(f"{path}: must hold exactly one of {', '.join(KINDS)}; got {got}.")
        return None
    reader = _READERS[kinds[0]]
    return reader(data, path, issues, depth)


def _extra(data: dict[str, Any], allowed: set[str], path: str, issues: list[str]) -> None:
    for key in data:
        if key not in allowed:
            issues.append(f"{path}.{key}: not a field here; accepted are {', '.join(sorted(allowed))}.")


def _read_group(data: dict[str, Any], path: str, issues: list[str], depth: int) -> Node | None:
    kind = "all_of" if "all_of" in data else "any_of"
    _extra(data, {kind}, path, issues)
    children = data[kind]
    if isinstance(children, list) and len(children) > MAX_CONDITIONS:
        issues.append(f"{path}.{kind}: at most {MAX_CONDITIONS} conditions; got {len(children)}.")
        return None
    if not isinstance(children, list):
        issues.append(f"{path}.{kind}: must be a list of conditions; got {_short(children)}.")
        return None
    read = [_read(c, f"{path}.{kind}[{i}]", issues, depth + 1) for i, c in enumerate(children)]
    nodes = tuple(node for node in read if node is not None)
    return AllOf(nodes) if kind == "all_of" else AnyOf(nodes)


def _read_not(data: dict[str, Any], path: str, issues: list[str], depth: int) -> Node | None:
    _extra(data, {"not"}, path, issues)
    child = _read(data["not"], f"{path}.not", issues, depth + 1)
    return None if child is None else Not(child)


def _read_feature(data: dict[str, Any], path: str, issues: list[str], _depth: int) -> Node | None:
    _extra(data, _FEATURE_KEYS, path, issues)
    before = len(issues)
    name, op, value = data["feature"], data.get("op"), data.get("value")
    if not isinstance(name, str):
        issues.append(f"{path}.feature: must be a feature's name; got {_short(name)}.")
    if op not in (*NUMERIC_OPERATORS, *SET_OPERATORS):
        accepted = ", ".join((*NUMERIC_OPERATORS, *SET_OPERATORS))
        issues.append(f"{path}.op: must be one of {accepted}; got {_short(op)}.")
    if isinstance(value, list):
        if not all(isinstance(v, str | int | float | bool) for v in value):
            issues.append(f"{path}.value: a list may hold only numbers, texts or booleans.")
        value = tuple(value)
    elif not isinstance(value, str | int | float | bool):
        issues.append(
            f"{path}.value: must be a number, text, boolean or a list of them; got {_short(value)}."
        )
    if len(issues) > before or not isinstance(name, str) or not isinstance(op, str):
        return None
    return FeatureCondition(name, op, value)  # type: ignore[arg-type]


def _read_event(data: dict[str, Any], path: str, issues: list[str], _depth: int) -> Node | None:
    _extra(data, _EVENT_KEYS, path, issues)
    before = len(issues)
    event, measure, op = data["event"], data.get("measure", "count"), data.get("op", ">=")
    for key, got, accepted in (
        ("event", event, EVENT_TYPES),
        ("measure", measure, EVENT_MEASURES),
        ("op", op, EVENT_OPERATORS),
    ):
        if got not in accepted:
            issues.append(f"{path}.{key}: must be one of {', '.join(accepted)}; got {_short(got)}.")
    start, end = data.get("from_days_ago"), data.get("to_days_ago", 0)
    for key, got, optional in (("from_days_ago", start, True), ("to_days_ago", end, False)):
        if not (isinstance(got, int) and not isinstance(got, bool)) and not (optional and got is None):
            issues.append(f"{path}.{key}: must be a whole number of days; got {_short(got)}.")
    value = data.get("value", 1)
    if isinstance(value, list):
        value = tuple(value)
    numbers = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in numbers):
        issues.append(f"{path}.value: must be a number, or two for between; got {_short(data.get('value'))}.")
    items = _read_items(data.get("items"), f"{path}.items", issues)
    if len(issues) > before:
        return None
    return EventCondition(event, items, Window(start, end), measure, op, value)


def _read_items(data: object, path: str, issues: list[str]) -> ItemFilter:
    if data is None:
        return ItemFilter()
    if not isinstance(data, dict):
        issues.append(f"{path}: must be an object with {', '.join(ITEM_FIELDS)}; got {_short(data)}.")
        return ItemFilter()
    _extra(data, set(ITEM_FIELDS), path, issues)
    fields: dict[str, tuple[str, ...]] = {}
    for name in ITEM_FIELDS:
        values = data.get(name, [])
        if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values):
            issues.append(f"{path}.{name}: must be a list of texts; got {_short(values)}.")
        else:
            fields[name] = tuple(values)
    return ItemFilter(**fields)


def _read_propensity(data: dict[str, Any], path: str, issues: list[str], _depth: int) -> Node | None:
    _extra(data, {"propensity", "min_probability", "top_share"}, path, issues)
    low, top = data.get("min_probability"), data.get("top_share")
    numbers = [v for v in (low, top) if isinstance(v, int | float) and not isinstance(v, bool)]
    if not isinstance(data["propensity"], str) or len(numbers) != 1 or (low is not None and top is not None):
        issues.append(
            f"{path}: a propensity needs an outcome's name and either min_probability or top_share."
        )
        return None
    return PropensityCondition(data["propensity"], low, top)


def _read_similar(data: dict[str, Any], path: str, issues: list[str], depth: int) -> Node | None:
    _extra(data, {"similar_to", "top"}, path, issues)
    to, top = data["similar_to"], data.get("top")
    if not isinstance(top, int) or isinstance(top, bool) or top < 1:
        issues.append(f"{path}.top: must be a whole number of customers, at least 1; got {_short(top)}.")
        return None
    if not isinstance(to, dict) or len(to) != 1 or next(iter(to)) not in ("segment", "customer"):
        issues.append(f"{path}.similar_to: must hold either segment (a definition) or customer (an id).")
        return None
    if "customer" in to:
        return SimilarityCondition(top, customer=str(to["customer"]))
    seed = _read(to["segment"], f"{path}.similar_to.segment", issues, depth + 1)
    return None if seed is None else SimilarityCondition(top, segment=seed)


def _read_member(data: dict[str, Any], path: str, issues: list[str], _depth: int) -> Node | None:
    _extra(data, {"member_of"}, path, issues)
    if not isinstance(data["member_of"], str):
        issues.append(f"{path}.member_of: must be a saved segment's name; got {_short(data['member_of'])}.")
        return None
    return MemberOf(data["member_of"])


_READERS = {
    "all_of": _read_group,
    "any_of": _read_group,
    "not": _read_not,
    "feature": _read_feature,
    "event": _read_event,
    "propensity": _read_propensity,
    "similar_to": _read_similar,
    "member_of": _read_member,
}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def json_schema(catalogue: Catalogue | None = None) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a definition; with a catalogue, feature names are enumerated."""
    scalar = {"type": ["number", "string", "boolean"]}
    name: dict[str, Any] = {"type": "string"}
    if catalogue is not None:
        name = {"enum": [feature.name for feature in catalogue]}
    texts = {"type": "array", "items": {"type": "string", "minLength": 1}}
    number = {"type": "number"}
    node = {"$ref": "#/$defs/node"}
    days = {"type": "integer", "minimum": 0}
    share = {"type": "number", "minimum": 0, "maximum": 1}
    kinds = [
        _object({"all_of": {"type": "array", "items": node}}, ["all_of"]),
        _object({"any_of": {"type": "array", "items": node}}, ["any_of"]),
        _object({"not": node}, ["not"]),
        _object(
            {
                "feature": name,
                "op": {"enum": [*NUMERIC_OPERATORS, *SET_OPERATORS]},
                "value": {"anyOf": [scalar, {"type": "array", "items": scalar}]},
            },
            ["feature", "op", "value"],
        ),
        _object(
            {
                "event": {"enum": list(EVENT_TYPES)},
                "items": _object(dict.fromkeys(ITEM_FIELDS, texts), []),
                "from_days_ago": days,
                "to_days_ago": days,
                "measure": {"enum": list(EVENT_MEASURES)},
                "op": {"enum": list(EVENT_OPERATORS)},
                "value": {
                    "anyOf": [number, {"type": "array", "items": number, "minItems": 2, "maxItems": 2}]
                },
            },
            ["event"],
        ),
        _object(
            {"propensity": {"type": "string"}, "min_probability": share, "top_share": share}, ["propensity"]
        ),
        _object(
            {
                "similar_to": {
                    "oneOf": [
                        _object({"segment": node}, ["segment"]),
                        _object({"customer": {"type": "string"}}, ["customer"]),
                    ]
                },
                "top": {"type": "integer", "minimum": 1},
            },
            ["similar_to", "top"],
        ),
        _object({"member_of": {"type": "string"}}, ["member_of"]),
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "segment definition",
        **node,
        "$defs": {"node": {"oneOf": kinds}},
    }


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
