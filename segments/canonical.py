"""The canonical form of a definition and its content hash.

Two definitions that mean the same by the usual identities have the same canonical form: order and
repetition inside groups, nesting of like groups, single-child groups, double negation, De Morgan,
overlapping ranges of one quantity, one-value sets, number spelling (500 and 500.0).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass, replace
from typing import Any

from segments.codec import to_json
from segments.definition import (
    WEEKDAYS,
    AllOf,
    AnyOf,
    EventCondition,
    FeatureCondition,
    ItemFilter,
    Node,
    Not,
    Occasion,
    Value,
)
from segments.intervals import Interval, interval_of, to_comparison
from segments.parameters import plain


def canonical(node: Node) -> Node:
    """The canonical form; idempotent, and with the same members as `node`."""
    return _canonical(node, negated=False)


def fingerprint(node: Node) -> str:
    """The content hash: 16 hex digits of the SHA-256 of the canonical JSON."""
    text = json.dumps(to_json(canonical(node)), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(node: Node, *, negated: bool) -> Node:
    match node:
        case Not(child):
            return _canonical(child, negated=not negated)
        case AllOf(children):
            kind: type[AllOf | AnyOf] = AnyOf if negated else AllOf
            return _group(kind, [_canonical(child, negated=negated) for child in children])
        case AnyOf(children):
            kind = AllOf if negated else AnyOf
            return _group(kind, [_canonical(child, negated=negated) for child in children])
        case _:
            leaf, flip = _leaf(node)
            return Not(leaf) if negated != flip else leaf


def _group(kind: type[AllOf | AnyOf], children: list[Node]) -> Node:
    flat: list[Node] = []
    for child in children:
        flat += child.children if isinstance(child, kind) else [child]
    if kind is AllOf:
        flat = _merge_ranges(flat)
    unique = sorted(set(flat), key=_sort_key)
    return unique[0] if len(unique) == 1 else kind(tuple(unique))


def _sort_key(node: Node) -> str:
    return json.dumps(to_json(node), sort_keys=True, ensure_ascii=False)


def _merge_ranges(children: list[Node]) -> list[Node]:
    merged: dict[object, Interval] = {}
    first: dict[object, FeatureCondition | EventCondition] = {}
    rest: list[Node] = []
    for child in children:
        key, interval = interval_of(child)
        if interval is None or not isinstance(child, FeatureCondition | EventCondition):
            rest.append(child)
            continue
        merged[key] = merged[key].meet(interval) if key in merged else interval
        first.setdefault(key, child)
    for key, interval in merged.items():
        rest += _from_interval(first[key], interval)
    return rest


def _from_interval(leaf: FeatureCondition | EventCondition, interval: Interval) -> list[Node]:
    single = to_comparison(interval)
    if single is not None and not interval.empty:
        return [_with(leaf, *single)]
    low = _with(leaf, ">=" if interval.low_in else ">", interval.low)
    high = _with(leaf, "<=" if interval.high_in else "<", interval.high)
    return [low, high]


def _with(leaf: FeatureCondition | EventCondition, op: str, value: float | tuple[float, float]) -> Node:
    number = tuple(map(_number, value)) if isinstance(value, tuple) else _number(value)
    return replace(leaf, op=op, value=number)


def _leaf(node: Node) -> tuple[Node, bool]:
    """The canonical leaf, and whether it is to be read negated (`count = 0` is `not count >= 1`)."""
    if isinstance(node, FeatureCondition):
        return _feature(node.feature, node.op, node.value), False
    leaf = _plain(node)
    if isinstance(leaf, EventCondition) and leaf.measure == "count":
        if (leaf.op, leaf.value) in {("=", 0), ("<", 1), ("<=", 0)}:
            return replace(leaf, op=">=", value=1), True
        if (leaf.op, leaf.value) == (">", 0):
            return replace(leaf, op=">=", value=1), False
    return leaf, False


def _plain(value: Any) -> Any:
    """A condition, or a part of one, with lists sorted, numbers spelt one way and inner groups canonical."""
    match value:
        case ItemFilter():
            return _items(value)
        case Occasion():
            return _occasion(value)
        case tuple():
            return tuple(map(_plain, value))
        case AllOf() | AnyOf() | Not() | FeatureCondition():
            return canonical(value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: _plain(getattr(value, f.name)) for f in fields(value)})
        case _:
            return _number(value)


def _feature(feature: str, op: str, value: Value | tuple[Value, ...]) -> FeatureCondition:
    if isinstance(value, tuple) and op in ("in", "not_in"):
        unique = tuple(sorted({_number(v) for v in value}, key=str))
        if len(unique) == 1:
            return FeatureCondition(feature, "=" if op == "in" else "!=", unique[0])
        return FeatureCondition(feature, op, unique)
    if isinstance(value, tuple):
        return FeatureCondition(feature, op, tuple(map(_number, value)))
    return FeatureCondition(feature, op, _number(value))


def _items(items: ItemFilter) -> ItemFilter:
    return ItemFilter(
        department=tuple(sorted(set(items.department))),
        category=tuple(sorted(set(items.category))),
        brand=tuple(sorted(set(items.brand))),
        text=tuple(sorted({text.lower() for text in items.text})),
    )


def _occasion(occasion: Occasion) -> Occasion:
    """Weekdays in order, the whole week and the whole day left out."""
    days = tuple(day for day in WEEKDAYS if day in occasion.weekdays)
    hours = None if occasion.hours == (0, 24) else occasion.hours
    named = (tuple(sorted(set(names))) for names in (occasion.channel, occasion.campaign))
    return Occasion(() if days == WEEKDAYS else days, hours, *named)


def _number(value: Any) -> Any:
    """500.0 -> 500, and a parameter's number without its name, so that all spellings hash alike."""
    value = plain(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
