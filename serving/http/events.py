"""Server-sent events that reach their reader: no proxy holds them back, and none takes the connection for dead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import cast

from anyio import CancelScope
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool

QUIET_SECONDS = 10.0
"""After so long without an event a comment is sent: proxies cut a connection after 30 to 60 quiet seconds."""
ALIVE = ": still at work\n\n"
HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-cache, no-store"}


def event_stream(events: Generator[str]) -> StreamingResponse:
    """The events as a response, each sent as it comes."""
    return StreamingResponse(_alive(events), media_type="text/event-stream", headers=HEADERS)


async def _alive(events: Generator[str]) -> AsyncIterator[str]:
    coming = iterate_in_threadpool(events)
    while True:
        following = asyncio.ensure_future(cast("asyncio.Future[str]", anext(coming)))
        try:
            while not (await asyncio.wait([following], timeout=QUIET_SECONDS))[0]:
                yield ALIVE
            yield await following
        except StopAsyncIteration:
            return
        except BaseException:  # the reader has gone: the turn hears of it by itself, and is let end
            with CancelScope(shield=True):
                await asyncio.wait([following])
                await run_in_threadpool(events.close)
            raise
