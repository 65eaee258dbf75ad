"""Differencing: the counts that a reader has been shown, and whether one more would give a small group away.

A group of fewer than k customers is never shown. Two counts may still give one away: 'spent over 500' and 'spent over
500, not 19 to 24' differ by exactly those who are. So the audiences whose sizes a reader has seen are remembered, and
a size is held back when it and one or two of these would tell the size of a group of 1 to k - 1 customers:

- one lies within the other and leaves so few (the complement of a group lies within everyone);
- |A| + |B| - |C| or |A| - |B| - |C| counts so few customers, each once: A and B with their union or intersection, or
  a group cut out of another in two parts (a tracker: Denning, Denning and Schwartz 1979).

Where the workspace asks for noise (`assistant.noise`), counts carry it in place of that, and nothing else of customers is
told to who reads them.

A reader's k is that of their role, and a new size is held against it with all that they were ever told, also in a role of a
smaller k. Each reader is held to what they were told themselves: colleagues were always free to tell each other, and when
somebody who is shown groups of 10 speaks of them, no larger k of a listener can undo it. What the program itself hands from
one reader to another is held to the larger k: plans and experiments, which everybody may read, are not kept of groups under
the largest k of all roles (`Settings.smallest_of_all`), and a shared conversation is not opened to a role with a larger k
than its owner's. What they say is in no reader's list, as before: it is of groups that are large enough for everybody.

Query-set-overlap control after Hundepool et al., Statistical Disclosure Control (2012), chapter 3. What a reader could
learn by combining four counts or more is not looked for.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from pyroaring import BitMap

from assistant.noise import Noise
from assistant.sizes_told import SizesTold
from segments.canonical import canonical
from segments.definition import EVERYONE, Node, RankCondition, SimilarityCondition
from segments.errors import DefinitionError, ForbiddenError
from segments.issues import Issue
from warehouse.audience import Audiences
from warehouse.estimate import Estimate, Sample
from warehouse.suppression import shown, small
from warehouse.trend import Change

SETS = 1000
"""That one reader may know the sizes of, on one date; further sizes are told rounded, until there are new data."""
OPEN = 1024
"""Readers whose sets a process holds in memory; those of others are read again when they ask."""
_reader: ContextVar[str | None] = ContextVar("reader", default=None)


@dataclass(frozen=True)
class Viewer:
    """Who pays for what a reader sees: a user, or '' for everybody where there are none. exact: counts
    without noise, and single customers; for who may export. k: the smallest group that they are shown, where that is more
    than the workspace's."""

    user: str = ""
    exact: bool = False
    k: int = 0


EVERYBODY = Viewer()
_viewer: ContextVar[Viewer] = ContextVar("viewer", default=EVERYBODY)
_judgements: ContextVar[Judgements] = ContextVar("judgements")


@contextmanager
def read_by(reader: str, viewer: Viewer = EVERYBODY, said: Sequence[bool] = ()) -> Iterator[Judgements]:
    """What is counted inside the block is shown to this reader; outside of any, to a program, which is not held."""
    judgements = Judgements(said)
    tokens = _reader.set(reader), _viewer.set(viewer), _judgements.set(judgements)
    try:
        yield judgements
    finally:
        _reader.reset(tokens[0])
        _viewer.reset(tokens[1])
        _judgements.reset(tokens[2])


def reader_of(conversation: str) -> str:
    """Who reads a conversation: its user ('USER:NAME'), else the conversation itself."""
    return conversation.partition(":")[0]


class Ledger:
    """The sets of customers whose sizes one reader knows."""

    def __init__(self, everyone: BitMap, k: int) -> None:
        self._k = k
        self._sets, self._sizes = [everyone], np.array([len(everyone)])

    @property
    def told(self) -> int:
        """How many sets there are beside everyone."""
        return len(self._sets) - 1

    def copy(self, k: int) -> Ledger:
        """One to try on what more sets would tell, of groups of fewer than k."""
        made = Ledger(self._sets[0], k)
        made._sets, made._sizes = [*self._sets], self._sizes
        return made

    def __contains__(self, found: BitMap) -> bool:
        return any(found == self._sets[place] for place in np.flatnonzero(self._sizes == len(found)))

    def add(self, found: BitMap) -> None:
        """The reader has seen this set's size."""
        if found not in self:
            self._sets.append(found)
            self._sizes = np.append(self._sizes, len(found))

    def after(self, number: int) -> list[BitMap]:
        """The sets that came after the first `number` beside everyone."""
        return self._sets[number + 1 :]

    def gives_away(self, found: BitMap) -> bool:
        """Whether this set's size, with those known, would tell the size of a group of 1 to k - 1 customers."""
        if not found or found in self:
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


class Judgements:
    """What was judged of each size that a reader was told: whether it would give a small group away.

    That rests on all that the reader was shown before. said: judgements of an earlier time, taken in their order
    before any is made anew, so that a turn that is run again tells the same.
    """

    def __init__(self, said: Sequence[bool] = ()) -> None:
        self._said, self.made = deque(said), list[bool]()

    def said(self, count: int) -> list[bool]:
        """The next judgements of an earlier time, as many as there are."""
        return [self._said.popleft() for _ in range(min(count, len(self._said)))]


def _sum_less(a: BitMap, b: BitMap, c: BitMap) -> bool:
    """Whether |a| + |b| - |c| counts the customers of a group once each and nobody else."""
    return bool((a & b) <= c and c <= (a | b))


def _parts(whole: BitMap, a: BitMap, b: BitMap) -> bool:
    """Whether |whole| - |a| - |b| counts what two separate parts leave over."""
    return bool(a <= whole and b <= whole and a.isdisjoint(b))


@dataclass(frozen=True)
class Moved:
    """Both sizes of a change, and how many entered, left and stayed; None where one of them would tell too much."""

    before: int | str
    after: int | str
    parts: tuple[int, int, int] | None = None


class Disclosure:
    """Sizes of audiences as a chat may see them, for every reader and date."""

    def __init__(
        self,
        audiences: Callable[[], Audiences],
        k: int,
        told: SizesTold,
        noise: Noise | None = None,
        data: str = "",
    ) -> None:
        """data: names what the counts are of; other data are other questions."""
        self._audiences, self._k, self._noise, self._data = audiences, k, noise, data
        self._told = told
        self._open: OrderedDict[tuple[str, date], _Known] = OrderedDict()
        self._everyone: dict[date, BitMap] = {}
        # To see what is known and to add to it is one step: two questions at once must not each pass alone.
        self._lock = threading.RLock()

    @property
    def k(self) -> int:
        """The smallest group that is shown now."""
        return self.smallest(_viewer.get())

    def smallest(self, viewer: Viewer) -> int:
        """The smallest group that a viewer is shown."""
        return max(self._k, viewer.k)

    @property
    def margin(self) -> int | None:
        """How far a count shown now lies from the true one at most (`noise.LEVEL`); None without noise."""
        noisy = self._noise is not None and _reader.get() is not None and not _viewer.get().exact
        return self._noise.margin if noisy and self._noise is not None else None

    def counts_only(self, what: str) -> None:
        """Raise ForbiddenError where counts carry noise: what else is told of customers does not."""
        if self.margin is not None:
            raise ForbiddenError(
                f"{what}: counts carry noise here for the privacy of customers, and nothing else is told of them "
                "to your role; somebody who may export can see it.",
                f"{what}：为保护客户隐私，这里的计数带有噪声，您的角色看不到客户的其他信息；有导出权限的人可以查看。",
            )

    def one_customer(self, what: str) -> None:
        """Raise ForbiddenError for a reader who may not be told of a single customer: see `Viewer.exact`."""
        if _reader.get() is not None and not _viewer.get().exact:
            raise ForbiddenError(
                f"{what}: a single customer is spoken of only to somebody who may export customers, and to no other "
                "program's language model.",
                f"{what}：只有拥有导出权限的人才能查看单个客户，也不会告诉其他程序的语言模型。",
            )

    def shown(self, definition: Node, as_of: date | None = None) -> int | str:
        """The size, with noise where asked for; '<k' for a small group; '≈N' when it would give a small group away."""
        audiences = self._at(as_of)
        if self._noise is not None and self.margin is not None:
            if canonical(definition) == EVERYONE:
                return audiences.size(definition)
            size = audiences.size(definition)
            noised = self._noise.count(self._question(definition, audiences), size, _viewer.get().user)
            return noised if noised >= self.k else f"<{self.k}"
        if _reader.get() is None:
            return shown(audiences.size(definition), self.k)
        return self.shown_members(audiences.members(definition), as_of, asked=is_asked(definition))

    def shown_both(self, one: Node, other: Node) -> int | str:
        """As `shown`, of the customers in both, who may be none by what the two say."""
        if canonical(one) == canonical(other):
            return self.shown(one)
        audiences = self._audiences()
        both = set(audiences.members(one)) & set(audiences.members(other))
        if self._noise is None or self.margin is None:
            return self.shown_members(both)
        said = sorted(self._question(each, audiences) for each in (one, other))
        question = hashlib.sha256(" and ".join(said).encode()).hexdigest()[:32]
        noised = self._noise.count(question, len(both), _viewer.get().user)
        return noised if noised >= self.k else f"<{self.k}"

    def shown_members(
        self, members: Collection[str], as_of: date | None = None, *, asked: bool = False
    ) -> int | str:
        """As `shown`, of a set of customers. asked: its size is what was asked for, so it tells nothing."""
        size = len(members)
        if _reader.get() is None or small(size, self.k):
            return shown(size, self.k)
        (gives_away,) = self._judge([members], as_of, asked=asked)
        return self._about(size) if gives_away else size

    def parts(self, definition: Node, by: str, sizes: Mapping[str, int]) -> Mapping[str, int]:
        """The sizes of parts that do not overlap, by label, with noise where asked for. by: what they are parts by."""
        if self._noise is None or self.margin is None:
            return sizes
        question = self._question(definition, self._audiences(), by)
        return self._noise.counts(question, sizes, _viewer.get().user)

    def check(self, members: Collection[str]) -> None:
        """Raise DefinitionError when figures of these customers, with what was shown, would tell of fewer than k."""
        if _reader.get() is None or self.margin is not None:
            return
        if self._judge([members], tell=False) == [True]:
            raise DefinitionError.of(Issue("differs_by_few", smallest=self.k))

    def held_back(self, groups: Mapping[str, Collection[str]], as_of: date | None = None) -> list[str]:
        """The groups of a table whose sizes would give a small one away; the others count as shown."""
        if _reader.get() is None or self.margin is not None:
            return []
        judged = self._judge(list(groups.values()), as_of)
        return [name for name, gives_away in zip(groups, judged, strict=True) if gives_away]

    def estimated(self, sample: Sample) -> Estimate | None:
        """What a sample tells; None where it would give a small group away. Raises ForbiddenError under noise.

        The same customers are drawn each time, so the count among them is held to what holds for any count.
        """
        self.counts_only("estimate")
        shown_sizes = [self.shown_members(part) for part in (sample.drawn, sample.members)]
        return sample.estimate if all(isinstance(size, int) for size in shown_sizes) else None

    def moved(self, definition: Node, change: Change) -> Moved:
        """A definition's change between two dates as a reader may see it. Raises ForbiddenError under noise.

        With both sizes any one of the three parts tells the others, so they are shown together or not at all.
        """
        self.counts_only("diff")
        before, after = (self.shown(definition, day) for day in (change.earlier, change.later))
        parts = len(change.entered), len(change.left), change.stayed
        if isinstance(before, str) or isinstance(after, str) or any(small(size, self.k) for size in parts):
            return Moved(before, after)
        held = self.held_back({"entered": change.entered}, change.later)
        held = held or self.held_back({"left": change.left}, change.earlier)
        return Moved(before, after, None if held else parts)

    def _question(self, definition: Node, audiences: Audiences, by: str = "") -> str:
        """Names a count: of what data, of which date, of whom. A saved segment counts as what it says now."""
        said = [self._data, audiences.as_of.isoformat(), by, *audiences.meanings(definition)]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]

    def _about(self, size: int) -> str:
        """Rounded so coarsely that the group in between could be none or more than k."""
        step = 2 * self.k
        return f"≈{max(1, round(size / step)) * step:,}"

    def _at(self, as_of: date | None) -> Audiences:
        audiences = self._audiences()
        return audiences if as_of is None else audiences.at(as_of)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {customer: place for place, customer in enumerate(self._audiences().members(EVERYONE))}

    def _bits(self, members: Collection[str]) -> BitMap:
        return BitMap(sorted(self._places[customer] for customer in members))

    def _judge(
        self,
        groups: Sequence[Collection[str]],
        as_of: date | None = None,
        *,
        asked: bool = False,
        tell: bool = True,
    ) -> list[bool]:
        """Which sizes, told one after the other, would give a small group away; with `tell` the others are told.

        asked: none does. What is told is written down before, as the sets that follow those known here; when they do
        not, another process has told something, and all is judged again.
        """
        sets = [self._bits(members) for members in groups]
        judgements = _judgements.get()
        said = [False] * len(sets) if asked else judgements.said(len(sets))
        with self._lock:
            known = self._known(as_of)
            if not tell:
                self._learn(known)
            while True:
                ledger = known.ledger.copy(self.k)
                judged = [
                    self._tell(ledger, found, said[n] if n < len(said) else None)
                    for n, found in enumerate(sets)
                ]
                new = ledger.after(known.ledger.told) if tell else []
                if not new or self._told.add(known.reader, known.data, known.number, new):
                    break
                self._learn(known)
            known.ledger, known.number = ledger if tell else known.ledger, known.number + len(new)
        if not asked:
            judgements.made += judged
        return judged

    @staticmethod
    def _tell(ledger: Ledger, found: BitMap, said: bool | None) -> bool:
        """Whether a size gives a small group away (said: as was judged before); else it is known from here on."""
        gives_away = said
        if said is None:
            gives_away = ledger.gives_away(found) or (ledger.told >= SETS and found not in ledger)
        if not gives_away:
            ledger.add(found)
        return bool(gives_away)

    def _learn(self, known: _Known) -> None:
        """Take over what other processes have told the reader."""
        for number, found in self._told.after(known.reader, known.data, known.number):
            known.ledger.add(found)
            known.number = number

    @cached_property
    def _everybody(self) -> str:
        """Names the data and who its customers are, whose places the sets hold."""
        return hashlib.sha256("\n".join([self._data, *self._places]).encode()).hexdigest()

    def _known(self, as_of: date | None) -> _Known:
        """What the reader knows as of a date."""
        audiences = self._at(as_of)
        day, reader = audiences.as_of, _reader.get() or ""
        if day not in self._everyone:
            self._everyone[day] = self._bits(audiences.members(EVERYONE))
        if (reader, day) not in self._open:
            data = hashlib.sha256(f"{self._everybody} {day}".encode()).hexdigest()[:32]
            known = _Known(reader, data, Ledger(self._everyone[day], self._k))
            self._learn(known)
            self._open[reader, day] = known
        self._open.move_to_end((reader, day))
        while len(self._open) > OPEN:
            self._open.popitem(last=False)
        return self._open[reader, day]


@dataclass
class _Known:
    """What a reader knows here of what data; number: of the newest set in the state that is in it."""

    reader: str
    data: str
    ledger: Ledger
    number: int = 0


def is_asked(definition: Node) -> bool:
    """Whether a definition's size is a number of the definition itself ('the top 50', '500 lookalikes')."""
    # Among some customers it may be theirs, when they are fewer than were asked for.
    return (
        isinstance(definition, SimilarityCondition)
        or (isinstance(definition, RankCondition) and definition.count is not None)
    ) and definition.among is None
