"""Readings of single questions compared with golds by who belongs."""

from __future__ import annotations

from assistant.rooms import Rooms
from eval.cases import Case
from eval.scorers import member_f1
from segments.canonical import fingerprint
from segments.definition import Node
from segments.errors import UserError

RIGHT = 0.95
"""Member-set F1 from which a reading counts as right."""


class Readings:
    """Compares definitions of one workspace; members are kept, since many cases share them."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._known: dict[str, frozenset[str]] = {}

    def members(self, node: Node) -> frozenset[str]:
        """Who belongs; somebody who is nobody where the definition does not hold."""
        mark = fingerprint(node)
        if mark not in self._known:
            try:
                self._known[mark] = frozenset(self._rooms.audiences.members(node))
            except UserError:
                self._known[mark] = frozenset({"(cannot be run)"})
        return self._known[mark]

    def f1(self, case: Case, reading: Node | None) -> float:
        """Of a reading against the gold, or the one as good that it is nearest to; 0 without a reading or a gold."""
        if reading is None or case.gold is None:
            return 0.0
        mine = self.members(reading)
        return max(member_f1(mine, self.members(gold)) for gold in (case.gold, *case.also))
