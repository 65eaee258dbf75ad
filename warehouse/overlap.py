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
class Pair:
    """Two segments by name: customers in both, the share of either that is in both, one meaning or not.

    jaccard: both / either, 1 for two empty segments.
    """

    first: str
    second: str
    both: int
    jaccard: float
    same_meaning: bool

    @property
    def near_duplicate(self) -> bool:
        """Whether one of the two could go."""
        return self.same_meaning or self.jaccard >= NEAR_DUPLICATE


def overlaps(audiences: Audiences, segments: Mapping[str, Node]) -> list[Pair]:
    """Every pair of the named segments, most alike first."""
    members = {name: set(audiences.members(node)) for name, node in segments.items()}
    prints = {name: fingerprint(node) for name, node in segments.items()}
    pairs = []
    for first, second in combinations(segments, 2):
        both, either = len(members[first] & members[second]), len(members[first] | members[second])
        same = prints[first] == prints[second]
        pairs.append(Pair(first, second, both, both / either if either else 1.0, same))
    return sorted(pairs, key=lambda pair: (-pair.jaccard, pair.first, pair.second))
