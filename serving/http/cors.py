"""Pages of other sites that the settings name (`cors_origins`): what they may send, and which headers they may read."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from segments.errors import ForbiddenError
from serving.http.problems import asked_for, problem_of

ALLOWED = ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-ID"]
SHOWN = ["Content-Disposition", "Content-Language", "ETag", "Idempotency-Replayed", "Location", "Retry-After"]
SHOWN += ["WWW-Authenticate", "X-Request-ID", "X-Total-Count"]


class Cors(CORSMiddleware):
    """An ASGI layer that answers preflights, refused ones with a problem."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=list(origins),
            allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
            allow_headers=ALLOWED,
            expose_headers=SHOWN,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; let anything else through."""
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and {"origin", "access-control-request-method"} <= set(headers):
            response: Response = self.preflight_response(request_headers=headers)
            if response.status_code >= 400:
                error = ForbiddenError(
                    "Pages of this origin may not send this; `cors_origins` names those that may.",
                    "这个来源的页面不能发送这个请求；cors_origins 列出可以发送的来源。",
                )
                response = problem_of(error, scope["path"], language=asked_for(headers))
            await response(scope, receive, send)
            return
        await super().__call__(scope, receive, send)
