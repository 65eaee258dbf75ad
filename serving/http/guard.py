"""What every request meets first: who asks, how big, how often, from where; and the headers that every answer has.

One ASGI layer around the API, the MCP server and the page, so that nothing is reached beside it.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.tracing import span
from segments.errors import (
    ForbiddenError,
    NotFoundError,
    SegAssistError,
    TooLargeError,
    TooManyError,
    UnauthenticatedError,
    UserError,
)
from segments.explain import Language
from segments.issues import in_language
from serving.access import OWNER, Caller
from serving.http.cors import Cors
from serving.http.problems import BUG, asked_for, problem_of
from serving.logs import ACCESS, new_request_id, request_id
from serving.metrics import Metrics
from serving.users import Users

COOKIE = "segassist"
REQUEST_HEADER = "X-Request-ID"
"""Has the request's id: a proxy's or a caller's own where it is sent, and in every answer."""
MAX_BODY = 1_000_000
OPEN = frozenset({"/healthz", "/readyz", "/signin", "/signin/provider", "/signin/callback", "/signout"})
"""Paths that need no key."""
MACHINE = ("/v1/", "/mcp", "/metrics", "/openapi.json", "/healthz", "/readyz")
"""Paths that programs use: they are told in JSON what is wrong, not sent to the sign-in page."""
THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
FILES = tuple(f"/gradio_api/{name}" for name in ("upload", "process_recording", "file", "stream", "proxy"))
"""Where the page's library takes files from anybody who may see the page, and hands out those that it keeps. Nothing here
has a use for them: what is downloaded goes by `serving.page.downloads`."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_BUCKETS = 10_000
PAGE_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


class Buckets:
    """Requests by key: `per_minute` on average, as many at once. In this process's memory."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """Seconds to wait until the next request may be made; 0 when this one may."""
        now = time.monotonic()
        left, at = self._left.pop(name, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - at) * self.per_minute / 60)
        wait = 0.0 if left >= 1 else (1 - left) * 60 / self.per_minute
        self._left[name] = (left if wait else left - 1, now)
        if len(self._left) > MAX_BUCKETS:
            self._left.popitem(last=False)
        return wait


class Guard:
    """The ASGI layer. A request that may not pass gets a problem, or the sign-in page."""

    def __init__(
        self,
        app: ASGIApp,
        users: Users,
        metrics: Metrics,
        per_minute: int,
        origins: Collection[str] = (),
        max_body: int = MAX_BODY,
        names: bool = False,
    ) -> None:
        """names: whether traces say who asked."""
        self.app, self.users, self.metrics, self.names = app, users, metrics, names
        self.buckets, self.origins, self.max_body = Buckets(per_minute), frozenset(origins), max_body
        self.admitting: ASGIApp = Cors(self._admit, self.origins) if self.origins else self._admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "websocket":  # nothing here speaks it
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id.set(new_request_id(Headers(scope=scope).get(REQUEST_HEADER, "")))
        # What a caller's own trace is, in the W3C's header; the span is named when the route is known.
        with span("request", SpanKind.SERVER, extract(dict(Headers(scope=scope)))) as opened:
            status = await self._answer(scope, receive, send)
            route = f"{scope['method']} {route_of(scope)}"
            opened.update_name(route)
            opened.set_attribute("http.request.method", scope["method"])
            opened.set_attribute("http.route", route_of(scope))
            opened.set_attribute("http.response.status_code", status)
            caller = scope.get("state", {}).get("caller")
            if self.names and caller is not None:
                opened.set_attribute("user.id", caller.name)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> int:
        began, status, started = time.perf_counter(), 500, False

        async def answer(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                headers = MutableHeaders(scope=message)
                headers[REQUEST_HEADER] = request_id.get()
                _secure(scope, headers)
            await send(message)

        try:
            await self.admitting(scope, receive, answer)
        except Exception:
            logging.getLogger(__name__).exception("%s %s failed", scope["method"], route_of(scope))
            if started:  # cut it off, so that nobody takes it for whole
                raise
            language = asked_for(Headers(scope=scope))
            await problem_of(BUG, scope["path"], language=language)(scope, receive, answer)
        finally:
            took = time.perf_counter() - began
            self.metrics.request(route_of(scope), scope["method"], status, took)
            asked = {"method": scope["method"], "route": route_of(scope), "status": status}
            seconds = {"seconds": round(took, 4)}
            logging.getLogger(ACCESS).info("request", extra={"request": asked | seconds})
        return status

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
        else:
            await self.app(scope, self._bounded(receive, asked_for(Headers(scope=scope))), send)

    async def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that may not pass; else who asks is written into its state."""
        headers = Headers(scope=scope)
        path, language = scope["path"], asked_for(headers)
        try:
            self._check_size(headers)
            if any(files in path for files in FILES):
                raise NotFoundError(
                    "No files are taken or given here; data come in with: segassist ingest",
                    "这里不接收也不提供文件；数据请用 segassist ingest 导入。",
                )
            self._check_origin(scope, headers)
            caller = await run_in_threadpool(self._caller, scope, headers)
        except UnauthenticatedError as error:
            if path.startswith(MACHINE) or scope["method"] not in SAFE:
                return problem_of(error, path, {"WWW-Authenticate": "Bearer"}, language)
            return RedirectResponse("/signin", 303)
        except SegAssistError as error:
            return problem_of(error, path, language=language)
        wait = self._wait(scope, caller)
        if wait:
            return problem_of(
                TooManyError(
                    f"More than {self.buckets.per_minute} requests a minute; wait {wait:.0f} s.",
                    f"每分钟超过{self.buckets.per_minute}个请求；请等{wait:.0f}秒。",
                ),
                path,
                {"Retry-After": str(int(wait) + 1)},
                language,
            )
        scope.setdefault("state", {})["caller"] = caller
        return None

    def _check_size(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.max_body:
            raise _too_large(self.max_body)

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        """A browser says which page a request comes from. A change may come from our own pages; from those of a named
        origin too, but with a key, as a browser sends the cookie by itself whoever asks."""
        origin, keyed = headers.get("origin"), _bearer(headers) is not None
        if scope["method"] in SAFE or (origin in self.origins and (keyed or not _cookie(headers))):
            return
        elsewhere = not keyed and headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if elsewhere or (origin is not None and origin != f"{scope['scheme']}://{headers.get('host', '')}"):
            raise ForbiddenError(
                "This request comes from a page of another site (by Origin or Sec-Fetch-Site); it is not served. Is it our "
                "own page, then the proxy hides Host or X-Forwarded-Proto.",
                "这个请求来自其他网站的页面（见 Origin 或 Sec-Fetch-Site），不予处理。如果来自我们自己的页面，"
                "说明代理没有传递 Host 或 X-Forwarded-Proto。",
            )

    def _caller(self, scope: Scope, headers: Headers) -> Caller | None:
        """Who asks; None where nobody needs to be known. Raises UnauthenticatedError."""
        if not self.users.on:
            if urlsplit(f"//{headers.get('host', '')}").hostname not in THIS_MACHINE:
                raise UserError(
                    "Without users, this server answers on localhost only; run: segassist users add",
                    "没有设置用户时，这台服务器只在 localhost 上响应；请运行：segassist users add",
                )
            return OWNER
        if scope["path"] in OPEN:
            return None
        key = _bearer(headers) or _cookie(headers)
        if not key:
            raise UnauthenticatedError(
                "This takes an API key: send 'Authorization: Bearer KEY'.",
                "需要 API 密钥：请发送“Authorization: Bearer 密钥”。",
            )
        return self.users.caller(key)

    def _wait(self, scope: Scope, caller: Caller | None) -> float:
        if caller is not None and caller.key:
            counts = scope["path"].startswith("/v1/") or scope["method"] not in SAFE
            return self.buckets.take(caller.key) if counts else 0.0
        if scope["path"].startswith("/signin/") or (scope["path"] == "/signin" and scope["method"] == "POST"):
            return self.buckets.take(f"from {(scope.get('client') or ('?',))[0]}")
        return 0.0

    def _bounded(self, receive: Receive, language: Language) -> Receive:
        """`receive`, until the body has more bytes than are read: a body need not say its length."""
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.max_body:
                raise HTTPException(413, in_language(_too_large(self.max_body), language))
            return message

        return bounded


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        f"A request may have {limit:,} bytes; this one has more.", f"一个请求最多{limit:,}字节，而这个更大。"
    )


def _bearer(headers: Headers) -> str | None:
    """The key that a program sends; None where it sends none."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _cookie(headers: Headers) -> str:
    """The key of a browser's session, or nothing."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie is not None else ""


def _secure(scope: Scope, headers: MutableHeaders) -> None:
    api = scope["path"].startswith(MACHINE)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Content-Security-Policy"] = API_POLICY if api else PAGE_POLICY
    page = headers.get("content-type", "").startswith("text/html") or "set-cookie" in headers
    if api or page:
        headers.setdefault("Cache-Control", "no-store")
    if scope.get("scheme") == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"


def route_of(scope: Scope) -> str:
    """A request's route by its pattern: a path may hold anything."""
    pattern = str(getattr(scope.get("route"), "path", ""))
    known = scope["path"].startswith(("/v1", "/healthz", "/readyz", "/metrics"))
    return (pattern if known else "page") or "unknown"


def caller_of(scope: Any) -> Caller:
    """Who asks, as the guard found."""
    caller: Caller = scope["state"]["caller"]
    return caller
