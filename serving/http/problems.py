"""Errors as RFC 9457 problem details with our codes, and how the OpenAPI documents them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from segments.errors import (
    BusyError,
    ConflictError,
    DefinitionError,
    ForbiddenError,
    InternalError,
    NotFoundError,
    OperatorError,
    SegAssistError,
    StaleError,
    TooLargeError,
    TooManyError,
    UnauthenticatedError,
    UserError,
)
from segments.explain import Language
from segments.issues import in_language, sentences
from serving.http.field_words import message
from serving.logs import request_id

STATUS: tuple[tuple[type[SegAssistError], int], ...] = (
    (UnauthenticatedError, 401),
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (StaleError, 412),
    (ConflictError, 409),
    (TooLargeError, 413),
    (TooManyError, 429),
    (DefinitionError, 422),
    (UserError, 400),
    (OperatorError, 503),
    (SegAssistError, 500),
)
"""The first class that fits gives the status."""
CODES = {
    401: UnauthenticatedError.code,
    403: ForbiddenError.code,
    404: NotFoundError.code,
    405: "method_not_allowed",
    413: TooLargeError.code,
    415: "unsupported_media_type",
}
HTTP_WORDS = {
    400: ("The request's body cannot be read; send JSON.", "请求的内容无法读取；请发送 JSON。"),
    404: ("There is nothing at this address; see /openapi.json.", "这个地址没有内容；见 /openapi.json。"),
    405: (
        "This address is there, but not for this method; Allow says for which.",
        "这个地址不支持这个方法；Allow 里写着支持哪些。",
    ),
    415: (
        "Content-Type: send the body as application/json.",
        "Content-Type：请以 application/json 发送内容。",
    ),
}
"""What is said where no sentence of ours is: the framework's own are in English only."""
BUG = InternalError(
    "Something went wrong on our side; the server's log says what.", "我们这边出错了；服务器的日志里有原因。"
)
MEDIA = "application/problem+json"
OPENAI = ("/v1/chat/", "/v1/models/")
"""Where clients of the OpenAI protocol look for `error` and show its message."""


class Problem(BaseModel):
    """What went wrong (RFC 9457). `code` is stable; `detail` is one sentence for a person."""

    type: str
    title: str
    status: int
    code: str = Field(examples=["invalid_definition"])
    detail: str
    request_id: str | None = Field(None, description="finds the request in the server's log")
    issues: list[str] | None = Field(None, description="one sentence for each mistake in a definition")
    error: dict[str, str] | None = Field(None, description="the same for clients of the OpenAI protocol")


_MEANS = {
    400: "The request cannot be met as it stands.",
    401: "No API key, or one that does not hold.",
    403: "The key's role is not enough.",
    404: "There is nothing of that name.",
    409: "The change contradicts what is stored.",
    410: "The answer kept for the Idempotency-Key was about a person who was erased since.",
    412: "It has changed since the caller looked (If-Match), or is there already (If-None-Match).",
    413: "The request has too many bytes.",
    415: "The body is no JSON.",
    422: "A definition or a field does not hold.",
    429: "The key has made too many requests; see Retry-After.",
    500: "Our mistake.",
    503: "A part that is needed is not available, or too busy; then see Retry-After.",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, words in _MEANS.items()
}


def seen(error: Exception, what: str) -> SegAssistError:
    """An error as its reader may see it: ours as it is, any other as our bug, which the log has whole."""
    if isinstance(error, SegAssistError):
        return error
    logging.getLogger(__name__).error("%s failed", what, exc_info=error)
    return BUG


def said_of(errors: Iterable[Any], language: Language = "en") -> str:
    """What is wrong where, of pydantic's errors, without sending back what was sent."""
    colon, semicolon = (": ", "; ") if language == "en" else ("：", "；")
    said = (f"{'.'.join(map(str, one['loc']))}{colon}{message(one, language)}" for one in errors)
    return semicolon.join(said)[:500]


def status_of(error: SegAssistError) -> int:
    """The HTTP status of one of our errors."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def problem_of(
    error: SegAssistError, path: str, headers: dict[str, str] | None = None, language: Language = "en"
) -> Response:
    """One of our errors as the response to a request for `path`, in the language."""
    more = {"issues": sentences(error.issues, language)} if isinstance(error, DefinitionError) else {}
    again = {"Retry-After": str(error.seconds)} if isinstance(error, BusyError) else {}
    headers = _spoken(language) | again | (headers or {})
    return problem(path, status_of(error), error.code, in_language(error, language), headers, **more)


def _spoken(language: Language) -> dict[str, str]:
    return {"Content-Language": language, "Vary": "Accept-Language"}


def asked_for(headers: Headers) -> Language:
    """Of a request's headers: Chinese where the caller would rather have it than English."""
    wanted: dict[str, float] = {}
    for part in headers.get("accept-language", "").lower().split(","):
        name, _, quality = part.strip().partition(";q=")
        with suppress(ValueError):
            wanted.setdefault(name.partition("-")[0], float(quality or 1))
    return "zh" if wanted.get("zh", 0) > wanted.get("en", 0) else "en"


def add_handlers(api: FastAPI) -> None:
    """Answer every error that a route raises with a problem."""

    @api.exception_handler(SegAssistError)
    def ours(request: Request, error: SegAssistError) -> Response:
        return problem_of(error, request.url.path, language=asked_for(request.headers))

    @api.exception_handler(RequestValidationError)
    def bad_request(request: Request, error: RequestValidationError) -> Response:
        language = asked_for(request.headers)
        said = said_of(error.errors(), language)
        return problem(request.url.path, 422, UserError.code, said, _spoken(language))

    @api.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        return http_problem(error, request.url.path, asked_for(request.headers))


def http_problem(error: HTTPException, path: str, language: Language) -> Response:
    """An error of HTTP itself as the response to a request for `path`, in the language."""
    status = error.status_code
    told = HTTP_WORDS.get(status, (str(error.detail),) * 2)[language == "zh"]
    headers = _spoken(language) | dict(error.headers or {})
    return problem(path, status, CODES.get(status, UserError.code), told, headers)


def problem(
    path: str, status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """A problem as a response; what cannot be written as UTF-8 is escaped."""
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail} | more
    if path.startswith(OPENAI):
        body["error"] = {"message": detail, "type": code, "code": code}
    if asked := request_id.get():
        body["request_id"] = asked
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(text, status, headers=headers, media_type=MEDIA)
