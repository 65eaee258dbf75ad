"""How many counts run at once in one process, and in what order the others wait.

Counts share the processors, and the interpreter with the loop that answers everybody: more of them at once make each
slower and the quick answers slow too, and finish no sooner.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from segments.errors import BusyError

AT_ONCE = max(2, os.cpu_count() or 1)
WAITING = 64
"""Half of the threads that requests have (`serving.http.api.THREADS`): the others stay for what is not a count."""


class Queue:
    """`at_once` at work, up to `waiting` behind them, first come first served."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._free, self._most = at_once, waiting
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it within the block. Raises BusyError when too many wait already."""
        self._come()
        try:
            yield
        finally:
            self._go()

    def _come(self) -> None:
        with self._lock:
            if self._free:  # nobody waits while one is free: who leaves hands over
                self._free -= 1
                return
            if len(self._waiting) >= self._most:
                raise BusyError(f"{self._most} counts are waiting already; ask again in a moment.")
            mine = threading.Event()
            self._waiting.append(mine)
        mine.wait()

    def _go(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
