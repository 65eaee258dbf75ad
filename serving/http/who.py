"""Who asks, for routes: `Reader`, `Asker`, ... are callers whose role has been found to be enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Having:
    """A dependency: the caller, whose role must be enough for the permission."""

    permission: Permission

    async def __call__(
        self, request: Request, _documented: Annotated[object, Security(BEARER)] = None
    ) -> Caller:
        """Raises ForbiddenError."""
        found = caller_of(request.scope)
        if not found.may(self.permission):  # it is written down, which waits for the disk
            service: Service = request.app.state.service
            await run_in_threadpool(service.check, found, self.permission, asked_of(request))
        return found


def asked_of(request: Request) -> str:
    """What a request asks for, as the audit log tells it."""
    return f"{request.method} {request.url.path}"[:200]


def has_gone(request: Request) -> Callable[[], bool]:
    """Whether the client of a request has closed its connection. Made in a route's thread, asked from any."""
    loop = from_thread.run_sync(asyncio.get_running_loop)

    def gone() -> bool:
        if not loop.is_running():  # a server that ends finishes what it has
            return False
        return asyncio.run_coroutine_threadsafe(request.is_disconnected(), loop).result(LOOP_SECONDS)

    return gone


Reader = Annotated[Caller, Depends(Having("read"))]
Asker = Annotated[Caller, Depends(Having("ask"))]
Writer = Annotated[Caller, Depends(Having("write"))]
Exporter = Annotated[Caller, Depends(Having("export"))]
Operator = Annotated[Caller, Depends(Having("operate"))]
