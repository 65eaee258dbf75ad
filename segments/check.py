"""Does a definition hold? Names exist, types fit, windows are not empty, nothing contradicts itself.

All mistakes are told together, each in one sentence that names the field and what would be accepted.
"""

from __future__ import annotations

from segments.canonical import canonical
from segments.check_conditions import condition_issues
from segments.definition import (
    AllOf,
    AnyOf,
    FeatureCondition,
    Node,
    Not,
    RankCondition,
    SimilarityCondition,
    inner_groups,
)
from segments.edit import Place, walk
from segments.errors import DefinitionError, Sentence
from segments.intervals import Interval, interval_of
from segments.issues import Issue
from segments.vocabulary import Vocabulary


def validate(node: Node, vocabulary: Vocabulary) -> None:
    """Raise DefinitionError with every issue of the definition, or return."""
    found = issues(node, vocabulary)
    if found:
        raise DefinitionError.of(*found)


def issues(node: Node, vocabulary: Vocabulary) -> list[Sentence]:
    """One sentence for each mistake, in reading order; empty when the definition holds."""
    found: list[Sentence] = []
    _visit(node, vocabulary, found)
    return found or _contradicted(node)


def issues_at(node: Node, vocabulary: Vocabulary) -> dict[Place, list[Sentence]]:
    """The issues of each part that has any, by its place; those of the whole stand at the root, ()."""
    found: dict[Place, list[Sentence]] = {}
    for place, part in walk(node):
        own: list[Sentence] = []
        if isinstance(
            part, RankCondition | SimilarityCondition
        ):  # the groups inside have places of their own
            own = condition_issues(part, vocabulary)
        elif not isinstance(part, AllOf | AnyOf | Not) or part == AnyOf(()):
            _visit(part, vocabulary, own)
        if own:
            found[place] = own
    return found or ({(): whole} if (whole := _contradicted(node)) else {})


def _visit(node: Node, vocabulary: Vocabulary, found: list[Sentence]) -> None:
    match node:
        case AllOf(children):
            for child in children:
                _visit(child, vocabulary, found)
        case AnyOf(children):
            if not children:
                found.append(Issue("any_of_empty"))
            for child in children:
                _visit(child, vocabulary, found)
        case Not(child):
            _visit(child, vocabulary, found)
        case _:
            found += condition_issues(node, vocabulary)
            for group in inner_groups(node):
                _visit(group, vocabulary, found)


def _contradicted(node: Node) -> list[Sentence]:
    """What no customer can meet. Asked of the canonical form, so that two spellings of one meaning are judged alike."""
    return list(dict.fromkeys(_impossible(canonical(node))))


def _impossible(node: Node) -> list[Sentence]:
    """Every all_of of a canonical tree that asks for what no customer can meet."""
    match node:
        case AllOf(children) | AnyOf(children):
            inner = [issue for child in children for issue in _impossible(child)]
            return inner + (_contradictions(children) if isinstance(node, AllOf) else [])
        case Not(child):
            return _impossible(child)
        case _:
            return [issue for group in inner_groups(node) for issue in _impossible(group)]


def _listed(node: FeatureCondition) -> set[object] | None:
    """The values that '=' or 'in' allow where values are not numbers; None for other comparisons."""
    if node.op == "=" and isinstance(node.value, str | bool):
        return {node.value}
    return set(node.value) if node.op == "in" and isinstance(node.value, tuple) else None


def _contradictions(children: tuple[Node, ...]) -> list[Sentence]:
    """Pairs inside one all_of that no customer can meet: x and not x, or ranges that do not overlap."""
    found: list[Sentence] = []
    present = set(children)
    for child in children:
        if isinstance(child, Not) and child.child in present:
            found.append(Issue("opposite"))
    allowed: dict[str, set[object]] = {}
    for child in children:
        if isinstance(child, FeatureCondition) and (values := _listed(child)) is not None:
            allowed[child.feature] = allowed.get(child.feature, values) & values
    for feature, values in allowed.items():
        if not values:
            found.append(Issue("contradiction", name=feature))
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
            found.append(Issue("contradiction", name=name))
        ranges[key] = merged
    return found
