"""The queue in front of the language model: so many turns run at once, and users take turns for the others.

Fair by round robin: whoever asks ten things at once has one of them answered, then everybody else who waits one of
theirs, then the second. A queue that is full, or a user's share of it, refuses at once and says when to ask again; so does
a wait that takes too long. One queue for each server process: what several processes send at once, the language model's
server takes in the order it likes.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Self

from segments.errors import BusyError, GoneError

SHARE = 4
"""A user may hold one in so many of the queue's places."""
WAIT_SECONDS = 120.0
LOOK_SECONDS = 1.0
"""How often who waits is told the place, and is looked for whether they are still there."""
FIRST_GUESS_SECONDS = 10.0
"""What a turn is taken to last before any has ended: what the embedded model needs on two cores."""


class TurnQueue:
    """at_once: turns that run together. places: turns that wait at most."""

    def __init__(self, at_once: int, places: int, seconds: float = WAIT_SECONDS) -> None:
        self.at_once, self.places, self.seconds = at_once, places, seconds
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._running, self._turn_seconds = 0, FIRST_GUESS_SECONDS

    def enter(self, user: str) -> Ticket:
        """A place in the queue. Raises BusyError when it, or the user's share of it, is full."""
        ticket = Ticket(self, user)
        with self._lock:
            mine, all_ = len(self._waiting.get(user, ())), sum(map(len, self._waiting.values()))
            again = self._seconds_for(all_ + 1)
            if mine >= max(1, self.places // SHARE):
                raise BusyError(
                    f"{mine} of your questions wait already; ask again when one is answered, in about {again} s.",
                    f"您已有{mine}个问题在排队；请在其中一个得到回答后再问，大约{again}秒。",
                    again,
                )
            if all_ >= self.places:
                raise BusyError(
                    f"{all_} questions wait for the language model already; ask again in about {again} s.",
                    f"已有{all_}个问题在等待语言模型；请在大约{again}秒后再问。",
                    again,
                )
            self._waiting.setdefault(user, deque()).append(ticket)
            self._start_next()
        return ticket

    @property
    def waiting(self) -> int:
        """How many turns wait."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def position(self, ticket: Ticket) -> int:
        """How many turns are started before this one, if nobody else comes; 0 for the next and for one that runs."""
        with self._lock:
            if ticket.started.is_set() or ticket not in self._waiting.get(ticket.user, ()):
                return 0
            round_, before = self._waiting[ticket.user].index(ticket), True
            count = round_
            for user, tickets in self._waiting.items():
                before = before and user != ticket.user
                if user != ticket.user:
                    count += min(len(tickets), round_ + before)
            return count

    def leave(self, ticket: Ticket) -> None:
        """The turn has ended, or is not wanted any more."""
        with self._lock:
            tickets = self._waiting.get(ticket.user, deque())
            if ticket in tickets:
                tickets.remove(ticket)
                if not tickets:
                    del self._waiting[ticket.user]
            elif ticket.started.is_set() and not ticket.ended:
                ticket.ended = True
                self._running -= 1
                self._turn_seconds += (time.monotonic() - ticket.began - self._turn_seconds) / 10
                self._start_next()

    def late(self) -> BusyError:
        """What is told to who has waited too long."""
        with self._lock:
            again = self._seconds_for(sum(map(len, self._waiting.values())))
        return BusyError(
            f"The language model was busy for {self.seconds:g} s with other questions; ask again in about {again} s.",
            f"语言模型在{self.seconds:g}秒内一直忙于其他问题；请在大约{again}秒后再问。",
            again,
        )

    def _seconds_for(self, turns: int) -> int:
        return max(1, math.ceil(turns * self._turn_seconds / self.at_once))

    def _start_next(self) -> None:
        while self._running < self.at_once and self._waiting:
            user, tickets = self._waiting.popitem(last=False)
            ticket = tickets.popleft()
            if tickets:
                self._waiting[user] = tickets
            self._running += 1
            ticket.began = time.monotonic()
            ticket.started.set()


class Ticket:
    """One turn's place. Used in a `with` block, which it leaves at the end, unless somebody else was given that to do."""

    def __init__(self, queue: TurnQueue, user: str) -> None:
        self._queue, self.user = queue, user
        self.started, self.ended, self.began = threading.Event(), False, 0.0
        self._handed_over = False

    def positions(self, gone: Callable[[], bool] = lambda: False) -> Iterator[int]:
        """How many turns are before this one, once a second until it starts.

        gone: whether who asked has left, who then waits no more. Raises BusyError when that is so, or after too long.
        """
        until = time.monotonic() + self._queue.seconds
        while not self.started.is_set():
            yield self._queue.position(self)
            if self.started.wait(LOOK_SECONDS):
                return
            if gone():
                raise GoneError
            if time.monotonic() > until:
                raise self._queue.late()

    def hand_over(self) -> Callable[[], None]:
        """What whoever ends the turn has to call, in place of the `with` block."""
        self._handed_over = True
        return lambda: self._queue.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._handed_over:
            self._queue.leave(self)
