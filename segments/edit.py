"""Edits of a definition as add / remove / change on the tree: what was there stays unless named.

Those of a conversation name a part by what it says (`add`, `remove`, `change`); those of an editor name it by its
place (`..._at`), because the same condition may stand in a tree twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from segments.definition import (
    EVERYONE,
    AllOf,
    AnyOf,
    Condition,
    EventCondition,
    FeatureCondition,
    MemberOf,
    Node,
    Not,
    RankCondition,
    SimilarityCondition,
    inner_groups,
    top_level,
)
from segments.errors import DefinitionError
from segments.issues import Issue


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
        raise DefinitionError(
            "remove: the current segment has no such condition.", "remove：当前分群没有这样的条件。"
        )
    return EVERYONE if out is None else out


def change(node: Node, target: Node, new: Node) -> Node:
    """The definition with `target` replaced by `new`. Raises DefinitionError when it does not occur."""
    found, out = _replace(node, target, new)
    if not found or out is None:
        raise DefinitionError(
            "change: the current segment has no such condition.", "change：当前分群没有这样的条件。"
        )
    return out


def fewer_of(node: Node) -> Node:
    """The highest 50 of the highest 200 by the same measure as the highest 50; anything else as it is."""
    if not isinstance(node, RankCondition) or not isinstance(node.among, RankCondition):
        return node
    inner = node.among
    same = replace(node, count=inner.count, among=inner.among) == inner
    if not same or node.count is None or inner.count is None:
        return node
    return fewer_of(replace(inner, count=min(node.count, inner.count)))


def affirmed(node: Node) -> Node:
    """What a negation negates; anything else as it is."""
    return node.child if isinstance(node, Not) else node


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


def difference(old: Node, new: Node) -> tuple[list[Node], list[Node]]:
    """(conditions only in `new`, conditions only in `old`), each negated where it is: what an edit added and removed."""
    before, after = list(_signed(old)), list(_signed(new))
    return [c for c in after if c not in before], [c for c in before if c not in after]


def _signed(node: Node, negated: bool = False) -> Iterator[Node]:
    match node:
        case AllOf(children) | AnyOf(children):
            for child in children:
                yield from _signed(child, negated)
        case Not(child):
            yield from _signed(child, not negated)
        case _:
            yield Not(node) if negated else node


Place = tuple[int, ...]
"""Where a part stands: the child to take at each level from the root. The child of a `not` is 0; the groups inside a rank
or a similarity are those of `inner_groups`, in their order."""


def walk(node: Node, place: Place = ()) -> Iterator[tuple[Place, Node]]:
    """Every part with its place, a group before its children."""
    yield place, node
    for number, child in enumerate(_children(node)):
        yield from walk(child, (*place, number))


def part_at(node: Node, place: Place) -> Node:
    """The part at a place. Raises DefinitionError when there is none."""
    for number in place:
        children = _children(node)
        if not 0 <= number < len(children):
            raise DefinitionError.of(Issue("part_gone"))
        node = children[number]
    return node


def replace_at(node: Node, place: Place, new: Node) -> Node:
    """The definition with the part at a place replaced."""
    if not place:
        return new
    parent = part_at(node, place[:-1])
    part_at(parent, place[-1:])
    children = list(_children(parent))
    children[place[-1]] = new
    return replace_at(node, place[:-1], _with(parent, children))


def insert_at(node: Node, place: Place, new: Node) -> Node:
    """The definition with a new part before the one at a place, or last in its group."""
    group = _group_of(node, place)
    children = list(_children(group))
    children.insert(place[-1], new)
    return replace_at(node, place[:-1], _with(group, children))


def remove_at(node: Node, place: Place) -> Node:
    """The definition without the part at a place; a `not` goes with what it negates. Without a root, or the segment that a
    similarity is to: everyone; without the group that a condition is among: one among everyone."""
    if not place:
        return EVERYONE
    parent = part_at(node, place[:-1])
    if isinstance(parent, Not):
        return remove_at(node, place[:-1])
    part_at(parent, place[-1:])
    if isinstance(parent, SimilarityCondition) and parent.segment is not None and place[-1] == 0:
        return replace_at(node, place, EVERYONE)
    children = [child for number, child in enumerate(_children(parent)) if number != place[-1]]
    return replace_at(node, place[:-1], _with(parent, children))


def duplicate_at(node: Node, place: Place) -> Node:
    """The definition with a copy of a part right after it."""
    return insert_at(node, (*place[:-1], place[-1] + 1), part_at(node, place)) if place else node


def relocate_at(node: Node, place: Place, to: Place) -> Node:
    """The definition with a part moved before the one at another place, of any group but its own inside."""
    if not place or to[: len(place)] == place:
        return node
    part, gone = part_at(node, place), MemberOf("moved from here")
    marked = insert_at(replace_at(node, place, gone), to, part)
    return remove_at(marked, next(at for at, each in walk(marked) if each is gone))


def negate_at(node: Node, place: Place) -> Node:
    """The definition with a part negated, or its negation taken away."""
    part = part_at(node, place)
    return replace_at(node, place, part.child if isinstance(part, Not) else Not(part))


def nest_at(node: Node, place: Place) -> Node:
    """The definition with a part in a group of its own: any_of inside an all_of, else all_of."""
    parent = part_at(node, place[:-1]) if place else None
    part = part_at(node, place)
    return replace_at(node, place, AnyOf((part,)) if isinstance(parent, AllOf) else AllOf((part,)))


def regroup_at(node: Node, place: Place, kind: type[AllOf] | type[AnyOf]) -> Node:
    """The definition with a group's kind changed, its children kept."""
    return replace_at(node, place, kind(_children(part_at(node, place))))


def rooted(node: Node) -> Node:
    """The same meaning with a group at the root, so that a condition can stand beside the first."""
    return node if isinstance(node, AllOf | AnyOf) else AllOf((node,))


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case AllOf(children) | AnyOf(children):
            return children
        case Not(child):
            return (child,)
        case RankCondition() | SimilarityCondition():
            return inner_groups(node)
        case _:
            return ()


def _with(node: Node, children: list[Node]) -> Node:
    match node:
        case AllOf() | AnyOf():
            return type(node)(tuple(children))
        case RankCondition():
            return replace(node, among=children[0] if children else None)
        case SimilarityCondition():
            seed, among = children[: node.segment is not None], children[node.segment is not None :]
            return replace(node, segment=seed[0] if seed else None, among=among[0] if among else None)
        case _:
            return Not(children[0])


def _group_of(node: Node, place: Place) -> Node:
    group = part_at(node, place[:-1])
    if not isinstance(group, AllOf | AnyOf):
        raise DefinitionError.of(Issue("not_a_group"))
    return group


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
