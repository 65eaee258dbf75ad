"""Differencing: the counts that a reader has been shown, and whether one more would give a small group away.

A group of fewer than k customers is never shown. Two counts may still give one away: 'spent over 500' and 'spent over
500, not 19 to 24' differ by exactly those who are. So the audiences whose sizes a reader has seen are remembered, and
a size is held back when it and one or two of these would tell the size of a group of 1 to k - 1 customers:

- one lies within the other and leaves so few (the complement of a group lies within everyone);
- |A| + |B| - |C| or |A| - |B| - |C| counts so few customers, each once: A and B with their union or intersection, or
  a group cut out of another in two parts (a tracker: Denning, Denning and Schwartz 1979).

Query-set-overlap control after Hundepool et al., Statistical Disclosure Control (2012), chapter 3. What a reader could
learn by combining four counts or more is not looked for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cached_property

import numpy as np
from pyroaring import BitMap

from segments.definition import EVERYONE, Node, RankCondition, SimilarityCondition
from segments.errors import DefinitionError
from segments.issues import Issue
from warehouse.audience import Audiences
from warehouse.suppression import shown, small

READERS = 4096
"""Readers remembered at once; the one who has not asked for longest is forgotten first."""
_reader: ContextVar[str | None] = ContextVar("reader", default=None)


@contextmanager
def read_by(reader: str) -> Iterator[None]:
    """What is counted inside the block is shown to this reader; outside of any, to a program, which is not held."""
    token = _reader.set(reader)
    try:
        yield
    finally:
        _reader.reset(token)


def reader_of(conversation: str) -> str:
    """Who reads a conversation: its user ('USER:NAME'), else the conversation itself."""
    return conversation.partition(":")[0]


class Ledger:
    """The sets of customers whose sizes one reader knows."""

    def __init__(self, everyone: BitMap, k: int) -> None:
        self._k = k
        self._sets, self._sizes = [everyone], np.array([len(everyone)])

    def __len__(self) -> int:
        return len(self._sets)

    def add(self, found: BitMap) -> None:
        """The reader has seen this set's size."""
        if not any(found == self._sets[place] for place in np.flatnonzero(self._sizes == len(found))):
            self._sets.append(found)
            self._sizes = np.append(self._sizes, len(found))

    def gives_away(self, found: BitMap) -> bool:
        """Whether this set's size, with those known, would tell the size of a group of 1 to k - 1 customers."""
        if not found or any(found == self._sets[p] for p in np.flatnonzero(self._sizes == len(found))):
            return False
        return self._nested(found) or self._combined(found)

    def _nested(self, found: BitMap) -> bool:
        apart = np.abs(self._sizes - len(found))
        near = np.flatnonzero((apart > 0) & (apart < self._k))
        return any(found < self._sets[place] or self._sets[place] < found for place in near)

    def _combined(self, found: BitMap) -> bool:
        n, sizes = len(found), self._sizes
        one, other = sizes[:, None], sizes[None, :]
        return (
            self._any(one + other - n, lambda a, b: _sum_less(a, b, found))
            or self._any(one + n - other, lambda a, b: _sum_less(a, found, b))
            or self._any(n - one - other, lambda a, b: _parts(found, a, b))
            or self._any(one - n - other, lambda a, b: _parts(a, found, b))
        )

    def _any(self, counted: np.ndarray, holds: Callable[[BitMap, BitMap], bool]) -> bool:
        """Whether some two known sets, of sizes such that so few would be counted, count a group with the new one."""
        hits = np.argwhere((counted > 0) & (counted < self._k))
        return any(holds(self._sets[a], self._sets[b]) for a, b in hits if a != b)


def _sum_less(a: BitMap, b: BitMap, c: BitMap) -> bool:
    """Whether |a| + |b| - |c| counts the customers of a group once each and nobody else."""
    return bool((a & b) <= c and c <= (a | b))


def _parts(whole: BitMap, a: BitMap, b: BitMap) -> bool:
    """Whether |whole| - |a| - |b| counts what two separate parts leave over."""
    return bool(a <= whole and b <= whole and a.isdisjoint(b))


class Disclosure:
    """Sizes of audiences as a chat may see them, for every reader and date."""

    def __init__(self, audiences: Callable[[], Audiences], k: int) -> None:
        self._audiences, self._k = audiences, k
        self._ledgers: OrderedDict[tuple[str, date], Ledger] = OrderedDict()
        self._everyone: dict[date, BitMap] = {}
        # To see what is known and to add to it is one step: two questions at once must not each pass alone.
        self._lock = threading.RLock()

    def shown(self, definition: Node, as_of: date | None = None) -> int | str:
        """The size; '<k' for a small group; '≈N' when the size would give a small group away."""
        audiences = self._at(as_of)
        if _reader.get() is None:
            return shown(audiences.size(definition), self._k)
        return self.shown_members(audiences.members(definition), as_of, asked=_is_asked(definition))

    def shown_members(
        self, members: Collection[str], as_of: date | None = None, *, asked: bool = False
    ) -> int | str:
        """As `shown`, of a set of customers. asked: its size is what was asked for, so it tells nothing."""
        size = len(members)
        if _reader.get() is None or small(size, self._k):
            return shown(size, self._k)
        with self._lock:
            ledger, found = self._ledger(as_of), self._bits(members)
            if not asked and ledger.gives_away(found):
                return self._about(size)
            ledger.add(found)
        return size

    def check(self, members: Collection[str]) -> None:
        """Raise DefinitionError when figures of these customers, with what was shown, would tell of fewer than k."""
        if _reader.get() is None:
            return
        with self._lock:
            told = self._ledger(None).gives_away(self._bits(members))
        if told:
            raise DefinitionError(Issue("differs_by_few", smallest=self._k))

    def held_back(self, groups: Mapping[str, Collection[str]]) -> list[str]:
        """The groups of a table whose sizes would give a small one away; the others count as shown."""
        if _reader.get() is None:
            return []
        held = []
        with self._lock:
            ledger = self._ledger(None)
            for name, members in groups.items():
                found = self._bits(members)
                if ledger.gives_away(found):
                    held.append(name)
                else:
                    ledger.add(found)
        return held

    def _about(self, size: int) -> str:
        """Rounded so coarsely that the group in between could be none or more than k."""
        step = 2 * self._k
        return f"≈{max(1, round(size / step)) * step:,}"

    def _at(self, as_of: date | None) -> Audiences:
        audiences = self._audiences()
        return audiences if as_of is None else audiences.at(as_of)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {customer: place for place, customer in enumerate(self._audiences().members(EVERYONE))}

    def _bits(self, members: Collection[str]) -> BitMap:
        return BitMap(sorted(self._places[customer] for customer in members))

    def _ledger(self, as_of: date | None) -> Ledger:
        audiences = self._at(as_of)
        day = audiences.as_of
        if day not in self._everyone:
            self._everyone[day] = self._bits(audiences.members(EVERYONE))
        key = (_reader.get() or "", day)
        ledger = self._ledgers.setdefault(key, Ledger(self._everyone[day], self._k))
        self._ledgers.move_to_end(key)
        while len(self._ledgers) > READERS:
            self._ledgers.popitem(last=False)
        return ledger


def _is_asked(definition: Node) -> bool:
    """Whether a definition's size is a number of the definition itself ('the top 50', '500 lookalikes')."""
    return isinstance(definition, SimilarityCondition) or (
        isinstance(definition, RankCondition) and definition.count is not None
    )
