"""Misspelt words put right, when exactly one known word is near enough to be meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol, runtime_checkable


@runtime_checkable
class KnowsWords(Protocol):
    """A text encoder that can say which words it knows: none of them is a slip of the pen."""

    @property
    def words(self) -> frozenset[str]:
        """Whole words of its vocabulary, in lower case."""
        ...


SHORTEST = 5
"""Shorter words have too many neighbours: 'tea' and 'pea' are one letter apart."""
LONG = 8
"""Words from this length on may have two letters wrong."""


class Speller:
    """Corrects words against a vocabulary. Built once for a workspace."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_initial: dict[str, set[str]] = defaultdict(set)
        for word in words:
            if len(word) >= SHORTEST - 1 and word.isalpha():
                self._by_initial[word[0]].add(word)

    def correct(self, word: str) -> str | None:
        """The one known word that is meant, or None. First letters are seldom wrong, so they must agree."""
        if len(word) < SHORTEST:
            return None
        allowed = 2 if len(word) >= LONG else 1
        near: dict[int, list[str]] = defaultdict(list)
        for known in self._by_initial[word[0]]:
            if abs(len(known) - len(word)) <= allowed:
                away = distance(word, known, allowed)
                if away <= allowed:
                    near[away].append(known)
        best = near[min(near)] if near else []
        return best[0] if len(best) == 1 else None


def distance(a: str, b: str, limit: int) -> int:
    """Letters added, dropped, changed or swapped with a neighbour (optimal string alignment); limit + 1 when more."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)
