"""Membership inference by differencing: thousands of automated follow-ups against the suppression of small groups.

    python -m eval.differencing [--workspace DIR] [--follow-ups 10000] [--readers 20]

Each reader is an attacker with a conversation of its own who asks for sizes by the assistant's tools, and tries what the
literature knows: thresholds moved a little, a group left out and added again, unions and intersections (trackers),
complements, parts of a table, comparisons, the same at past dates. The judge then takes every size that was shown and
derives what follows from one, two or three of them, knowing all members: a group of 1 to k - 1 customers whose size
follows is disclosed. It shares no code with the protection. Each reader is a line of the record, so an interrupted run
goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from assistant.disclosure import Viewer, read_by
from assistant.rooms import Rooms
from assistant.tools import Tools
from assistant.workspace import DEFAULT, open_workspace
from segments.definition import (
    EVERYONE,
    AllOf,
    AnyOf,
    EventCondition,
    FeatureCondition,
    ItemFilter,
    Node,
    Not,
    Window,
)
from segments.errors import UserError

WINDOWS = (7, 14, 30, 60, 90, 180, 365)


@dataclass
class Shown:
    """What one reader was shown: sets of customers (as 0/1 rows) whose exact size is known."""

    rows: list[np.ndarray] = field(default_factory=list)
    how: list[str] = field(default_factory=list)


class Attacker:
    """Asks for sizes, one follow-up after the other, and remembers those that were shown exactly."""

    def __init__(self, rooms: Rooms, seed: int, *, protected: bool = True, k: int = 0) -> None:
        """k: the smallest group that the attacker's role is shown, where that is more than the workspace's."""
        self._tools, self._rooms = Tools(rooms), rooms
        self._random = np.random.default_rng(seed)
        self._customers = rooms.audiences.members(EVERYONE)
        self._place = {customer: place for place, customer in enumerate(self._customers)}
        self._categories = rooms.warehouse.item_values["category"][:60]
        # A reader of its own for each run: what an earlier one was told is not forgotten.
        self._reader = f"attacker-{seed}-{uuid.uuid4().hex[:8]}" if protected else None
        self._viewer = Viewer(k=k)
        self.shown, self.tried, self.held = Shown(), Counter[str](), 0
        self._known(EVERYONE, "population")

    def ask(self, follow_ups: int) -> None:
        """Ask as many follow-ups."""
        with read_by(self._reader, self._viewer) if self._reader else nullcontext():
            while self.tried.total() < follow_ups:
                for how, definition, other in self._ideas():
                    self.tried[how] += 1
                    if other is None:
                        self._count(how, definition)
                    else:
                        self._compare(how, definition, other)

    def _ideas(self) -> Iterator[tuple[str, Node, Node | None]]:
        base, small = self._broad(), self._narrow()
        yield "broad", base, None
        yield "direct", small, None
        yield "left out", AllOf((base, Not(small))), None
        yield "added", AnyOf((base, small)), None
        yield "complement", Not(small), None
        yield "intersection", AllOf((base, small)), None
        yield "tracker", AnyOf((AllOf((base, small)), Not(base))), None
        yield "threshold", self._moved(base), None
        other = self._broad()
        yield "broad", other, None
        yield "union", AnyOf((base, other)), None
        yield "intersection", AllOf((base, other)), None
        yield "compared", base, self._moved(base)
        yield "compared", base, AllOf((base, Not(small)))

    def _broad(self) -> Node:
        days, kind = int(self._random.choice(WINDOWS)), self._random.integers(3)
        if kind == 0:
            category = str(self._random.choice(self._categories[:20]))
            return EventCondition("purchase", ItemFilter(category=(category,)), Window(days, 0))
        if kind == 1:
            spend = float(self._random.choice((50, 100, 200, 500)))
            return EventCondition("purchase", window=Window(days, 0), measure="value", op=">", value=spend)
        return FeatureCondition("recency_days", "<=", int(self._random.integers(5, 60)))

    def _narrow(self) -> Node:
        """A group that is often small: a rare product and a rare age, or very large spend."""
        if self._random.integers(2):
            spend = float(self._random.integers(3_000, 12_000))
            return EventCondition("purchase", measure="value", op=">", value=spend)
        category = str(self._random.choice(self._categories))
        bought = EventCondition(
            "purchase", ItemFilter(category=(category,)), Window(int(self._random.choice(WINDOWS)), 0)
        )
        return AllOf((bought, FeatureCondition("orders_30d", "<=", int(self._random.integers(0, 4)))))

    def _moved(self, node: Node) -> Node:
        """The same condition, its number moved a little."""
        step = int(self._random.integers(1, 6))
        if isinstance(node, FeatureCondition) and isinstance(node.value, int):
            return replace(node, value=node.value + step)
        if isinstance(node, EventCondition) and node.measure == "value" and isinstance(node.value, float):
            return replace(node, value=node.value + step / 2)
        if isinstance(node, EventCondition) and node.window.start is not None:
            return replace(node, window=Window(node.window.start + 1, 0))
        return node

    def _count(self, how: str, definition: Node) -> None:
        try:
            figures = self._tools.show_segment(definition).evidence[0].figures
        except UserError:
            return
        self._note(how, definition, figures[0].value)

    def _compare(self, how: str, definition: Node, other: Node) -> None:
        try:
            found = {
                f.name: f.value
                for f in self._tools.compare_segments(definition, other, "other").evidence[0].figures
            }
        except UserError:
            return
        self._note(how, definition, found["size"])
        self._note(how, other, found["other_size"])
        self._note(how, AllOf((definition, other)), found["overlap"])

    def _note(self, how: str, definition: Node, value: object) -> None:
        if isinstance(value, int):
            self._known(definition, how)
        else:
            self.held += 1

    def _known(self, definition: Node, how: str) -> None:
        row = np.zeros(len(self._customers), bool)
        row[[self._place[customer] for customer in self._rooms.audiences.members(definition)]] = True
        self.shown.rows.append(row)
        self.shown.how.append(how)


def disclosed(shown: Shown, k: int) -> list[str]:
    """The small groups whose size follows from one, two or three of the sizes shown, each as a sentence."""
    rows = np.unique(np.array(shown.rows), axis=0)
    sizes = rows.sum(axis=1)
    found = [f"a group of {size} shown as it is" for size in sizes if 0 < size < k]
    for a, b in combinations(range(len(rows)), 2):
        apart = abs(int(sizes[a]) - int(sizes[b]))
        if 0 < apart < k and _one_sided(rows[a], rows[b]):
            found.append(f"{apart} customers by two sizes, {sizes[a]} and {sizes[b]}")
    return found + list(_of_three(rows, sizes, k))


def _one_sided(a: np.ndarray, b: np.ndarray) -> bool:
    return not (a & ~b).any() or not (b & ~a).any()


def _of_three(rows: np.ndarray, sizes: np.ndarray, k: int) -> Iterator[str]:
    """a + b - c and a - b - c that count a small group once each."""
    whole = rows.astype(np.int8)
    for c in range(len(rows)):
        sums, rests = sizes[:, None] + sizes[None, :] - sizes[c], sizes[c] - sizes[:, None] - sizes[None, :]
        for counted, sign in ((sums, 1), (rests, -1)):
            for a, b in np.argwhere(np.triu((counted > 0) & (counted < k), 1)):
                left = sign * (whole[a] + whole[b] - whole[c])
                if len({a, b, c}) == 3 and left.min() >= 0 and left.max() <= 1:
                    yield f"{counted[a, b]} customers by three sizes, {sizes[a]}, {sizes[b]} and {sizes[c]}"


def main() -> None:
    """Command line; exit status 1 when a group was disclosed."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.differencing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--follow-ups", type=int, default=10_000)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument(
        "--unprotected", action="store_true", help="what would be disclosed if small groups alone were hidden"
    )
    parser.add_argument(
        "--k", type=int, default=0, help="attack as a role that is shown no group of fewer than K"
    )
    parser.add_argument("--out", type=Path, default=Path("eval/runs/differencing.jsonl"))
    parser.add_argument("--fresh", action="store_true", help="forget the readers of an earlier run")
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    if given.fresh:
        given.out.unlink(missing_ok=True)
    done = _read(given.out)
    each = given.follow_ups // given.readers
    wanted = [seed for seed in range(given.readers) if seed not in done]
    if wanted:
        rooms = Rooms(open_workspace(given.workspace))
        for seed in track(wanted, description="attacking"):
            done[seed] = _attack(rooms, seed, each, protected=not given.unprotected, k=given.k)
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(done[seed]) + "\n")
    sys.exit(_tell([done[seed] for seed in range(given.readers)]))


def _attack(rooms: Rooms, seed: int, follow_ups: int, *, protected: bool, k: int) -> dict[str, Any]:
    attacker, started = Attacker(rooms, seed, protected=protected, k=k), time.perf_counter()
    attacker.ask(follow_ups)
    return {
        "seed": seed,
        "tried": dict(attacker.tried),
        "shown": len(attacker.shown.rows),
        "held": attacker.held,
        "disclosed": disclosed(attacker.shown, max(k, rooms.workspace.settings.min_group)),
        "seconds": time.perf_counter() - started,
    }


def _read(path: Path) -> dict[int, dict[str, Any]]:
    """The readers that are done, by their seeds."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {found["seed"]: found for found in map(json.loads, lines)}


def _tell(readers: Sequence[dict[str, Any]]) -> int:
    """Print what was tried and what came of it; 1 when a group was disclosed."""
    tried = sum((Counter(reader["tried"]) for reader in readers), Counter[str]())
    leaks = [leak for reader in readers for leak in reader["disclosed"]]
    table = Table(title=f"{tried.total()} follow-ups by {len(readers)} readers")
    for name in ("what was tried", "times"):
        table.add_column(name)
    for how, n in tried.most_common():
        table.add_row(how, str(n))
    console = Console(width=120)
    console.print(table)
    shown, held, seconds = (sum(reader[name] for reader in readers) for name in ("shown", "held", "seconds"))
    console.print(f"{shown} sizes shown, {held} held back, {seconds:.0f} s; disclosed: {len(leaks)}")
    for leak in leaks[:20]:
        console.print(leak, highlight=False)
    return int(bool(leaks))


if __name__ == "__main__":
    main()
