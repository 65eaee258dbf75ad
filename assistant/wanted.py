"""Whether who asked is still there. A turn that nobody waits for any more is given up while it has done nothing, and its
call of the language model broken off, so that the time goes to those who wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar

from segments.errors import GoneError

LOOK_SECONDS = 0.25
"""How often who asked is looked for while the language model works."""

UNDONE = ("link", "plan", "check")
"""Steps of a turn after which it has done nothing yet."""


def nobody_goes() -> bool:
    """Of those who come back for their answer: they count as there."""
    return False


T = TypeVar("T")
_gone: ContextVar[Callable[[], bool]] = ContextVar("gone", default=nobody_goes)


@contextmanager
def wanted_until(gone: Callable[[], bool]) -> Iterator[None]:
    """Within it, `awaited` gives up once `gone` says that who asked has left."""
    before = _gone.set(gone)
    try:
        yield
    finally:
        _gone.reset(before)


def unless_gone(
    gone: Callable[[], bool], hear: Callable[[str, dict[str, Any]], None]
) -> Callable[[str, dict[str, Any]], None]:
    """`hear`, of the steps of a turn; it raises GoneError where who asked has left and the turn has done nothing yet."""

    def heard(step: str, data: dict[str, Any]) -> None:
        if step in UNDONE and gone():
            raise GoneError
        hear(step, data)

    return heard


def awaited(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled, and GoneError raised, once who asked has left."""
    gone = _gone.get()
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        while not wait([future], LOOK_SECONDS).done:
            if gone():
                raise GoneError
        return future.result()
    finally:
        future.cancel()


_STARTING = threading.Lock()
"""Two first calls at the same time would each get a loop of their own, and their client would work on one only."""


def _loop() -> asyncio.AbstractEventLoop:
    """The event loop that all calls of the process share, in a thread of its own: a client's connections belong to one."""
    with _STARTING:
        return _started()


@cache
def _started() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="language-model-calls", daemon=True).start()
    return loop
