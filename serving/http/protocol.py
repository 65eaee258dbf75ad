"""What HTTP itself asks of every path that programs use: HEAD, methods that are not there, bodies of another kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.problems import asked_for, http_problem

PLACES = ("/v1", "/healthz", "/readyz", "/metrics", "/openapi.json", "/mcp")
"""Where programs ask; the page is mounted at / and would answer the rest of it in its own way."""
METHODS = ("DELETE", "GET", "HEAD", "POST", "PUT")
STREAM = "/mcp"
"""A GET of it has no end, so a HEAD of it is no GET without a body."""


class Protocol:
    """An ASGI layer: HEAD is answered as GET without the body, and a body under /v1 is JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on what the routes know how to answer."""
        if scope["type"] == "http" and _is_at(scope["path"], PLACES):
            headers = Headers(scope=scope)
            if scope["path"].startswith("/v1/") and _has_body(headers) and not _is_json(headers):
                refusal = http_problem(HTTPException(415), scope["path"], asked_for(headers))
                await refusal(scope, receive, send)
                return
            if scope["method"] == "HEAD" and not _is_at(scope["path"], (STREAM,)):
                await self._head(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        asked = {**scope, "method": "GET"}  # a copy: what sends the answer must know it for one to a HEAD
        await self.app(asked, receive, without_body)
        if "route" in asked:
            scope["route"] = asked["route"]


def add_nothing(api: FastAPI) -> None:
    """After every other route: what is asked where programs ask, and is no route, is a problem."""

    known = list(api.router.routes)

    async def nothing(request: Request) -> Any:
        raise _nothing_of(known, request.scope)

    for place in PLACES:
        api.router.routes.append(Route(place, _Any(nothing)))
        api.router.routes.append(Route(f"{place}/{{path:path}}", _Any(nothing)))


class _Any:
    """An endpoint for all methods: Starlette gives a function GET alone."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.answer(Request(scope, receive, send))


def _nothing_of(known: Sequence[BaseRoute], scope: Scope) -> HTTPException:
    """405 with the methods that there are at the path, or 404."""

    def answers(method: str) -> bool:
        return any(route.matches({**scope, "method": method})[0] is Match.FULL for route in known)

    allowed = [method for method in METHODS if answers("GET" if method == "HEAD" else method)]
    return HTTPException(405, headers={"Allow": ", ".join(allowed)}) if allowed else HTTPException(404)


def _is_at(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _is_json(headers: Headers) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
