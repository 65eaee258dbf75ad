"""How segments overlap: customers in both, Jaccard, and near-duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from segments.canonical import fingerprint
from segments.definition import Node
from warehouse.audience import Audiences

NEAR_DUPLICATE = 0.9
"""Jaccard from which two segments are told to be near-duplicates."""


@dataclass(frozen=True)
class Likeness:
    """How alike two segments are: customers in both, the share of either that is in both, one meaning or not.

    jaccard: both / either, 1 for two empty segments.
    """

    both: int
    jaccard: float
    same_meaning: bool

    @property
    def near_duplicate(self) -> bool:
        """Whether one of the two could go."""
        return self.same_meaning or self.jaccard >= NEAR_DUPLICATE


@dataclass(frozen=True)
class Pair(Likeness):
    """Two segments by name."""

    first: str
    second: str


@dataclass(frozen=True)
class Beside(Likeness):
    """A definition beside a segment of that name."""

    name: str


def overlaps(audiences: Audiences, segments: Mapping[str, Node]) -> list[Pair]:
    """Every pair of the named segments, most alike first."""
    counted = {name: _counted(audiences, node) for name, node in segments.items()}
    pairs = [
        Pair(*_alike(counted[first], counted[second]), first, second)
        for first, second in combinations(segments, 2)
    ]
    return sorted(pairs, key=lambda pair: (-pair.jaccard, pair.first, pair.second))


def beside(audiences: Audiences, definition: Node, segments: Mapping[str, Node]) -> list[Beside]:
    """A definition, which need not be saved, beside each of the named segments: near-duplicates first, most alike first."""
    own = _counted(audiences, definition)
    found = [Beside(*_alike(own, _counted(audiences, node)), name) for name, node in segments.items()]
    return sorted(found, key=lambda each: (not each.near_duplicate, -each.jaccard, each.name))


def _counted(audiences: Audiences, definition: Node) -> tuple[set[str], str]:
    return set(audiences.members(definition)), fingerprint(definition)


def _alike(one: tuple[set[str], str], other: tuple[set[str], str]) -> tuple[int, float, bool]:
    both, either = len(one[0] & other[0]), len(one[0] | other[0])
    return both, both / either if either else 1.0, one[1] == other[1]
