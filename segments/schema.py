"""The JSON Schema (2020-12) of the segment language."""

from __future__ import annotations

from typing import Any

from segments.codec import MAX_STEPS, MAX_TEXT
from segments.definition import (
    COMPARE_OPERATORS,
    EVENT_MEASURES,
    EVENT_OPERATORS,
    EVENT_TYPES,
    REPEAT_UNITS,
    WEEKDAYS,
)
from segments.features import NUMERIC_OPERATORS, SET_OPERATORS, Catalogue
from segments.fields import ITEM_FIELDS

_NODE = {"$ref": "#/$defs/node"}
_PARAMETER = {
    "type": "object",
    "properties": {"param": {"type": "string"}, "value": {"type": "number"}},
    "required": ["param"],
    "additionalProperties": False,
}
_NUMBER = {"anyOf": [{"type": "number"}, _PARAMETER]}
_DAYS = {"anyOf": [{"type": "integer", "minimum": 0}, _PARAMETER]}
_SPAN = {"anyOf": [{"type": "integer", "minimum": 1}, _PARAMETER]}
_SHARE = {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 1}, _PARAMETER]}
_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}
_EVENT = {"enum": list(EVENT_TYPES)}
_HOUR = {"type": "integer", "minimum": 0, "maximum": 24}
_TRUE = {"type": "boolean"}


def json_schema(catalogue: Catalogue | None = None) -> dict[str, Any]:
    """The schema of a definition; with a catalogue, feature names are enumerated."""
    feature: dict[str, Any] = {"type": "string"}
    if catalogue is not None:
        feature = {"enum": [known.name for known in catalogue]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "segment definition",
        **_NODE,
        "$defs": {"node": {"oneOf": [*_groups(), *_behaviour(), *_values(feature), *_models()]}},
    }


def _groups() -> list[dict[str, Any]]:
    children = {"type": "array", "items": _NODE}
    return [
        _object({"all_of": children}, "all_of"),
        _object({"any_of": children}, "any_of"),
        _object({"not": _NODE}, "not"),
    ]


def _behaviour() -> list[dict[str, Any]]:
    pair = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
    measured = {
        "measure": {"enum": list(EVENT_MEASURES)},
        "op": {"enum": list(EVENT_OPERATORS)},
        "value": {"anyOf": [_NUMBER, pair]},
    }
    step = _object({"event": _EVENT, "items": _items(), "within_days": _SPAN} | _occasion(), "event")
    steps = {"type": "array", "items": step, "minItems": 1, "maxItems": MAX_STEPS}
    repeat = {"repeat": _EVENT, "times": {"type": "integer", "minimum": 2}, "within_days": _SPAN}
    repeat |= {"unit": {"enum": list(REPEAT_UNITS)}, "without": _EVENT}
    return [
        _object({"event": _EVENT} | _what() | measured, "event"),
        _object({"sequence": steps, "then_not": step, "same_item": _TRUE} | _window(), "sequence"),
        _object(repeat | _what(), "repeat", "times", "within_days"),
        _object({"first": _EVENT} | _what(), "first"),
        _object({"last": _EVENT} | _what(), "last"),
    ]


def _values(feature: dict[str, Any]) -> list[dict[str, Any]]:
    scalar = {"type": ["number", "string", "boolean"]}
    value = {"anyOf": [scalar, {"type": "array", "items": scalar}]}
    operators = {"enum": [*NUMERIC_OPERATORS, *SET_OPERATORS]}
    quantity = {
        "oneOf": [
            _object({"feature": feature}, "feature"),
            _object({"event": _EVENT, "measure": {"enum": list(EVENT_MEASURES)}} | _what(), "event"),
        ]
    }
    compare = {
        "compare": quantity,
        "op": {"enum": list(COMPARE_OPERATORS)},
        "factor": _NUMBER,
        "than": quantity,
    }
    rank = {"rank_by": feature, "count": _SPAN, "share": _SHARE, "lowest": _TRUE, "among": _NODE}
    return [
        _object({"feature": feature, "op": operators, "value": value}, "feature", "op", "value"),
        _object(compare, "compare", "op", "than"),
        _object(rank, "rank_by"),
    ]


def _models() -> list[dict[str, Any]]:
    to = {
        "oneOf": [
            _object({"segment": _NODE}, "segment"),
            _object({"customer": {"type": "string"}}, "customer"),
            _object({"text": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}}, "text"),
        ]
    }
    discovered = {"discovery": {"type": "string"}, "cluster": _SPAN}
    cluster = _object(discovered, "discovery", "cluster")
    scored = {"propensity": {"type": "string"}, "min_probability": _SHARE, "top_share": _SHARE}
    return [
        _object(scored, "propensity"),
        _object({"uplift": {"type": "string"}, "min_effect": _SHARE, "top_share": _SHARE}, "uplift"),
        _object({"similar_to": to, "top": _SPAN, "among": _NODE}, "similar_to", "top"),
        _object({"member_of": {"oneOf": [{"type": "string"}, cluster]}}, "member_of"),
    ]


def _items() -> dict[str, Any]:
    return _object(dict.fromkeys(ITEM_FIELDS, _TEXTS))


def _window() -> dict[str, Any]:
    return {"from_days_ago": _DAYS, "to_days_ago": _DAYS}


def _occasion() -> dict[str, Any]:
    hours = {"type": "array", "items": _HOUR, "minItems": 2, "maxItems": 2}
    return {
        "weekdays": {"type": "array", "items": {"enum": list(WEEKDAYS)}},
        "hours": hours,
        "channel": _TEXTS,
        "campaign": _TEXTS,
    }


def _what() -> dict[str, Any]:
    return {"items": _items()} | _window() | _occasion()


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
