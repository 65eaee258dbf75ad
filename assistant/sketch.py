"""A sketch: a definition as JSON whose goods and calendar times are still the request's own words.

A fine-tuned model writes sketches. It need not know a retailer's catalogue of goods nor today's date: the words are
looked up here by the parts that look up everybody's words, so that one adapter serves every workspace.

    {"all_of":[{"event":"purchase","items":"wine","when":"last quarter"},{"not":{"event":"purchase","from_days_ago":30}}]}
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import prompts
from segments.codec import from_json, to_json
from segments.definition import EVENT_TYPES, ItemFilter, Node, Window
from segments.errors import ModelRetryError
from segments.features import NUMERIC_OPERATORS, Catalogue, Feature, FeatureType
from segments.fields import WINDOW_KEYS, items_json, window_json
from segments.schema import json_schema

ITEMS, WHEN = "items", "when"
OR = " or "
WORDS = {"type": "string", "minLength": 1, "maxLength": 60}
ORDER = (
    *("event", "first", "last", "repeat", "sequence", "rank_by", "compare", "propensity"),
    *("times", "within_days", "unit", "without", "then_not", "same_item", "weekdays", "hours", "channel"),
    *("feature", "measure", "op", "value", "factor", "than"),
    *(ITEMS, "from_days_ago", "to_days_ago", WHEN),
    *("count", "share", "lowest", "among", "min_probability", "top_share"),
)
"""In what order a sketch's fields come: a server that constrains an answer lets them come in the schema's order only."""
SAID = {*ORDER, "all_of", "any_of", "not"}


def asked(message: str) -> list[tuple[str, str]]:
    """What the model is asked: it is trained on exactly this."""
    return [("system", prompts.load("sketch_system.md").strip()), ("human", message)]


def to_sketch(node: Node, goods: Mapping[ItemFilter, str], times: Mapping[Window, str]) -> dict[str, Any]:
    """The definition with the request's words for its goods and calendar times; goods it has no words for keep their
    catalogue names."""
    said = {json.dumps(items_json(items)[ITEMS]): word for items, word in goods.items()}
    spoken = {json.dumps(window_json(window)): word for window, word in times.items()}

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(inner) for inner in value]
        if not isinstance(value, dict):
            return int(value) if isinstance(value, float) and value.is_integer() else value
        out = {key: walk(inner) for key, inner in value.items() if key not in WINDOW_KEYS | {ITEMS}}
        if ITEMS in value:
            out[ITEMS] = said.get(json.dumps(value[ITEMS])) or _names(value[ITEMS])
        window = {key: days for key, days in value.items() if key in WINDOW_KEYS}
        known = spoken.get(json.dumps(window)) if window else None
        return out | ({WHEN: known} if known else window)

    result: dict[str, Any] = walk(to_json(node))
    return result


def _names(items: dict[str, list[str]]) -> str:
    brands = "".join(f"{brand.lower()} brand " for brand in items.get("brand", ()))
    named = OR.join(v.lower() for field, values in items.items() if field != "brand" for v in values)
    return (brands + named).strip()


def from_sketch(
    sketch: dict[str, Any],
    goods: Callable[[str], ItemFilter],
    time: Callable[[str], Window | None],
    level: Callable[[str, str], str | None] = lambda _feature, said: said,
) -> Node:
    """The definition of a sketch. goods, time: what words mean here; no goods, no time: not known. level: how a feature's
    value is spelt here; None: it has no such value.

    Raises ModelRetryError for words that mean nothing here, DefinitionError for what is no definition.
    """

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        out = {key: walk(inner) for key, inner in value.items() if key not in (ITEMS, WHEN)}
        if "feature" in out and "value" in out:
            out["value"] = spelt(str(out["feature"]), out["value"])
        if WHEN in value:
            window = time(str(value[WHEN]))
            if window is None:
                raise ModelRetryError(f'"{WHEN}": {value[WHEN]!r} is no time.')
            out |= window_json(window)
        if ITEMS not in value:
            return out
        named = [items_json(items) for items in meant(str(value[ITEMS]))]
        if len(named) > 1 and "measure" in out:
            raise ModelRetryError(
                f'"{ITEMS}": {value[ITEMS]!r} are of different kinds and cannot be counted together.'
            )
        return out | named[0] if len(named) == 1 else {"any_of": [out | items for items in named]}

    def spelt(feature: str, value: Any) -> Any:
        if isinstance(value, list):
            return [spelt(feature, one) for one in value]
        if not isinstance(value, str):
            return value
        known = level(feature, value)
        if known is None:
            raise ModelRetryError(f'"value": {feature} is never {value!r}.')
        return known

    def meant(words: str) -> list[ItemFilter]:
        found = goods(words)
        named = [found] if found else [goods(part) for part in words.split(OR)]
        if not all(named):
            raise ModelRetryError(f'"{ITEMS}": nothing here is called {words!r}.')
        return named

    return from_json(walk(sketch))


EVER = {"spend_365d": "spend_lifetime", "orders_365d": "orders_lifetime"}
_OF_A_YEAR = re.compile(
    r"\b(?:years?|yr|annual\w*|yearly|365|52 weeks|(?:12|twelve) months|l365d|ytd|2\d{3})\b|年|365|(?:12|十二)个月",
    re.IGNORECASE,
)


def without_year(sketch: dict[str, Any], message: str) -> dict[str, Any]:
    """The sketch with all that was ever spent and ordered where it says a year's and the message speaks of no year: the
    model learned from a shop whose history is a year, where both are the same."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: EVER.get(v, v) if k in ("feature", "rank_by") else walk(v) for k, v in value.items()}
        return [walk(each) for each in value] if isinstance(value, list) else value

    changed: dict[str, Any] = sketch if _OF_A_YEAR.search(message) else walk(sketch)
    return changed


def sketchable(node: Node) -> bool:
    """Whether a sketch can say the definition: similar customers, saved segments, uplift, campaigns by number, natural
    groups and parameters have no place in it."""

    def said(value: Any) -> bool:
        if isinstance(value, list):
            return all(said(inner) for inner in value)
        if not isinstance(value, dict):
            return True
        return all(key in SAID and (key == ITEMS or said(inner)) for key, inner in value.items())

    return said(to_json(node))


def sketch_schema(catalogue: Catalogue, events: Collection[str], outcomes: Collection[str]) -> dict[str, Any]:
    """The JSON Schema of the sketches that a workspace allows: its features, each with the values it has, the events that
    happened, the outcomes that are predicted. Similar customers, saved segments and uplift are not sketched."""
    schema = _spoken(json_schema(catalogue), list(events))
    kinds = []
    for kind in schema["$defs"]["node"]["oneOf"]:
        fields = kind["properties"]
        if "propensity" in fields:
            fields["propensity"] = {"enum": list(outcomes)}
        if "feature" in fields:
            kinds += _feature_kinds(catalogue)
        elif not {"similar_to", "member_of", "uplift"} & set(fields) and (
            outcomes or "propensity" not in fields
        ):
            kinds += _in_order(kind)
    schema["$defs"]["node"] = {"anyOf": kinds}
    return schema


def _in_order(kind: dict[str, Any]) -> list[dict[str, Any]]:
    """The kind once with and once without each field that is optional and stands before a required one: llama.cpp writes
    required fields first, so that such a field could never be written in the order that the model learned."""
    fields, required = list(kind["properties"]), kind["required"]
    for place, name in enumerate(fields):
        if name not in required and any(later in required for later in fields[place:]):
            without = {key: value for key, value in kind["properties"].items() if key != name}
            return _in_order(kind | {"required": [*required, name]}) + _in_order(
                kind | {"properties": without}
            )
    return [kind]


def _feature_kinds(catalogue: Catalogue) -> list[dict[str, Any]]:
    numeric = [feature.name for feature in catalogue if feature.numeric]
    pair = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    number = {"anyOf": [{"type": "number"}, pair]}
    named: list[tuple[list[str], Sequence[str], dict[str, Any]]] = [(numeric, NUMERIC_OPERATORS, number)]
    named += [([f.name], f.operators, _levels(f)) for f in catalogue if not f.numeric]
    return [
        {
            "type": "object",
            "properties": {"feature": {"enum": names}, "op": {"enum": list(operators)}, "value": value},
            "required": ["feature", "op", "value"],
            "additionalProperties": False,
        }
        for names, operators, value in named
        if names
    ]


def _levels(feature: Feature) -> dict[str, Any]:
    if feature.type is FeatureType.BOOLEAN:
        return {"type": "boolean"}
    level: dict[str, Any] = {"enum": list(feature.levels)} if feature.levels else WORDS
    return {"anyOf": [level, {"type": "array", "items": level, "minItems": 1}]}


def _spoken(value: Any, events: list[str]) -> Any:
    """A definition's schema as a sketch's: words for goods and times, plain numbers, events that happened, fields in the
    sketch's order."""
    if isinstance(value, list):
        return [_spoken(inner, events) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.get("enum") == list(EVENT_TYPES):
        return {"enum": events}
    choices = value.get("anyOf", [])
    if len(choices) == 2 and "param" in choices[1].get("properties", {}):
        return _spoken(choices[0], events)
    out = {key: _spoken(inner, events) for key, inner in value.items()}
    fields = out.get("properties")
    if isinstance(fields, dict):
        if ITEMS in fields:
            fields[ITEMS] = WORDS
        if "from_days_ago" in fields:
            fields[WHEN] = WORDS
        out["properties"] = {
            key: fields[key]
            for key in sorted(fields, key=lambda k: ORDER.index(k) if k in ORDER else len(ORDER))
        }
    return out


def compact(sketch: dict[str, Any]) -> str:
    """The text of a sketch as the model writes it: no spaces between."""
    return json.dumps(sketch, ensure_ascii=False, separators=(",", ":"))
