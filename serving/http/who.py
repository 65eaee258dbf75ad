"""Who asks, for routes: `Reader`, `Asker`, ... are callers whose role has been found to be enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from anyio import from_thread
from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from serving.access import Caller, Permission
from serving.http.guard import caller_of
from serving.service import Service

LOOP_SECONDS = 60.0
"""For the server's loop to say whether a client is there, which takes it a moment."""
BEARER = HTTPBearer(
    auto_error=False, description="An API key of `segassist users add`; not asked for while there is no user."
)


def _having(permission: Permission) -> Callable[..., Awaitable[Caller]]:
    async def caller(request: Request, _documented: Annotated[object, Security(BEARER)] = None) -> Caller:
        found = caller_of(request.scope)
        if not found.may(permission):  # it is written down, which waits for the disk
            service: Service = request.app.state.service
            what = f"{request.method} {request.url.path}"[:200]
            await run_in_threadpool(service.check, found, permission, what)
        return found

    return caller


def has_gone(request: Request) -> Callable[[], bool]:
    """Whether the client of a request has closed its connection. Made in a route's thread, asked from any."""
    loop = from_thread.run_sync(asyncio.get_running_loop)

    def gone() -> bool:
        if not loop.is_running():  # a server that ends finishes what it has
            return False
        return asyncio.run_coroutine_threadsafe(request.is_disconnected(), loop).result(LOOP_SECONDS)

    return gone


Reader = Annotated[Caller, Depends(_having("read"))]
Asker = Annotated[Caller, Depends(_having("ask"))]
Writer = Annotated[Caller, Depends(_having("write"))]
Exporter = Annotated[Caller, Depends(_having("export"))]
Operator = Annotated[Caller, Depends(_having("operate"))]
