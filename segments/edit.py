"""Edits of a definition as add / remove / change on the tree: what was there stays unless named."""

from __future__ import annotations

from dataclasses import replace

from segments.definition import (
    EVERYONE,
    AllOf,
    AnyOf,
    Condition,
    EventCondition,
    FeatureCondition,
    Node,
    Not,
    RankCondition,
    conditions,
    top_level,
)
from segments.errors import DefinitionError


def add(node: Node, extra: Node) -> Node:
    """The definition with one more condition that must hold."""
    return _all((*top_level(node), *top_level(extra)))


def either(node: Node, extra: Node) -> Node:
    """The definition widened to those who meet `extra` instead."""
    parts = node.children if isinstance(node, AnyOf) else (node,)
    return AnyOf((*parts, extra))


def remove(node: Node, target: Node) -> Node:
    """The definition without every occurrence of `target` (or of its negation).

    Raises DefinitionError when it does not occur.
    """
    found, out = _replace(node, target, None)
    if not found:
        raise DefinitionError("remove: the current segment has no such condition.")
    return EVERYONE if out is None else out


def change(node: Node, target: Node, new: Node) -> Node:
    """The definition with `target` replaced by `new`. Raises DefinitionError when it does not occur."""
    found, out = _replace(node, target, new)
    if not found or out is None:
        raise DefinitionError("change: the current segment has no such condition.")
    return out


def same_subject(a: Condition, b: Condition) -> bool:
    """Whether two conditions speak of the same thing, so that one may replace the other."""
    if isinstance(a, FeatureCondition) and isinstance(b, FeatureCondition):
        return a.feature == b.feature
    if isinstance(a, EventCondition) and isinstance(b, EventCondition):
        return a.event == b.event and a.items == b.items
    if isinstance(a, RankCondition) and isinstance(b, RankCondition):
        return a.feature == b.feature
    return type(a) is type(b)


def with_window(condition: EventCondition, start: int | None, end: int) -> EventCondition:
    """The event condition over another window."""
    return replace(condition, window=replace(condition.window, start=start, end=end))


def difference(old: Node, new: Node) -> tuple[list[Condition], list[Condition]]:
    """(conditions only in `new`, conditions only in `old`): what an edit added and removed."""
    before, after = list(conditions(old)), list(conditions(new))
    return [c for c in after if c not in before], [c for c in before if c not in after]


def _all(parts: tuple[Node, ...]) -> Node:
    unique = tuple(dict.fromkeys(parts))
    return unique[0] if len(unique) == 1 else AllOf(unique)


def _replace(node: Node, target: Node, new: Node | None) -> tuple[bool, Node | None]:
    if node == target:
        return True, new
    match node:
        case Not(child):
            found, out = _replace(child, target, new)
            return found, (None if out is None else Not(out))
        case AllOf(children) | AnyOf(children):
            results = [_replace(child, target, new) for child in children]
            kept = tuple(out for _, out in results if out is not None)
            found = any(hit for hit, _ in results)
            if not found:
                return False, node
            if not kept:
                return True, None
            return True, (kept[0] if len(kept) == 1 else type(node)(kept))
        case _:
            return False, node
