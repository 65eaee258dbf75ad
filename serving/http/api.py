"""The HTTP API: ask, segments, catalogue, models, health. Errors are RFC 9457 problem details with our codes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse
from pydantic import AfterValidator, BaseModel, Field
from starlette.exceptions import HTTPException

from assistant.app import Assistant, describe_segment
from assistant.scoring import cards
from segments.codec import from_json, to_json
from segments.errors import (
    ConflictError,
    DefinitionError,
    InternalError,
    NotFoundError,
    OperatorError,
    SegAssistError,
    UserError,
)
from segments.explain import explain

STATUS: tuple[tuple[type[SegAssistError], int], ...] = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (DefinitionError, 422),
    (UserError, 400),
    (OperatorError, 503),
    (SegAssistError, 500),
)
"""The first class that fits gives the status."""


BUG = InternalError("Something went wrong on our side; the server's log says what.")


def _whole(text: str) -> str:
    """Text that can be written as UTF-8 (JSON may hold half a character)."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a character") from error
    return text


Whole = Annotated[str, AfterValidator(_whole)]


class Ask(BaseModel):
    """A question, alone or in a conversation."""

    question: Whole = Field(min_length=1, max_length=2000, examples=["who spent over $500 last quarter?"])
    conversation: str | None = Field(None, max_length=64, pattern=r"^[\w-]+$")


class Definition(BaseModel):
    """A segment definition (see `segassist schema`)."""

    definition: dict[str, Any] = Field(examples=[{"feature": "orders_90d", "op": ">=", "value": 5}])


class Saved(Definition):
    """A definition and the name to save it under."""

    name: Whole = Field(min_length=1, max_length=80)


def create_api(assistant: Assistant) -> FastAPI:
    """The API over one assistant."""
    api = FastAPI(title="segment-assistant", version="1")
    rooms = assistant.rooms

    @api.exception_handler(SegAssistError)
    def ours(_request: Request, error: SegAssistError) -> Response:
        status = next(code for kind, code in STATUS if isinstance(error, kind))
        more = {"issues": list(error.issues)} if isinstance(error, DefinitionError) else {}
        return _problem(status, error.code, str(error), **more)

    @api.exception_handler(RequestValidationError)
    def bad_body(_request: Request, error: RequestValidationError) -> Response:
        """What is wrong where, without sending back what was sent."""
        said = [".".join(map(str, one["loc"])) + f": {one['msg']}" for one in error.errors()]
        return _problem(422, UserError.code, "; ".join(said)[:500])

    @api.exception_handler(HTTPException)
    def http(_request: Request, error: HTTPException) -> Response:
        code = NotFoundError.code if error.status_code == 404 else UserError.code
        return _problem(error.status_code, code, str(error.detail))

    @api.exception_handler(Exception)
    def bug(_request: Request, _error: Exception) -> Response:
        return _problem(500, BUG.code, str(BUG))

    @api.get("/healthz")
    def health() -> dict[str, str]:
        """Whether the service answers, and the data's date."""
        return {"status": "ok", "as_of": rooms.warehouse.as_of.isoformat()}

    @api.post("/v1/ask")
    def ask(body: Ask) -> dict[str, Any]:
        """Answer one turn."""
        answer = assistant.ask(body.question, body.conversation)
        return answer.to_dict() | {"conversation": answer.conversation}

    @api.post("/v1/ask/stream")
    def ask_stream(body: Ask) -> StreamingResponse:
        """Answer one turn as server-sent events: a `step` event for each step, then `answer` or `error`."""
        return StreamingResponse(_events(assistant, body), media_type="text/event-stream")

    @api.post("/v1/segments/preview")
    def preview(body: Definition) -> dict[str, Any]:
        """Count a definition and show its SQL and words."""
        return describe_segment(rooms, from_json(body.definition))

    @api.get("/v1/segments")
    def segments() -> list[dict[str, Any]]:
        """Saved segments."""
        catalogue = rooms.warehouse.catalogue
        return [
            {
                "name": s.name,
                "version": s.version,
                "hash": s.hash,
                "definition": to_json(s.definition),
                "words": explain(s.definition, catalogue),
                "saved_at": s.saved_at.isoformat(),
            }
            for s in rooms.library.all()
        ]

    @api.post("/v1/segments", status_code=201)
    def save(body: Saved) -> dict[str, Any]:
        """Save a definition under a name; the same definition again changes nothing."""
        definition = from_json(body.definition)
        rooms.audiences.size(definition)
        saved = rooms.library.save(body.name, definition)
        return {"name": saved.name, "version": saved.version, "hash": saved.hash}

    @api.delete("/v1/segments/{name:path}", status_code=204)
    def delete(name: str) -> None:
        """Delete a saved segment."""
        rooms.library.delete(name)

    @api.get("/v1/features")
    def features() -> list[dict[str, Any]]:
        """The feature catalogue."""
        return [
            {"name": f.name, "type": f.type.value, "unit": f.unit, "en": f.en, "zh": f.zh, "levels": f.levels}
            for f in rooms.warehouse.catalogue
        ]

    @api.get("/v1/models")
    def models() -> list[dict[str, Any]]:
        """The propensity models' cards."""
        return cards(rooms.workspace.models)

    @api.api_route(
        "/v1/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
    )
    def nothing(path: str) -> None:
        """The page is mounted at / and would answer in its own way."""
        raise NotFoundError(f"There is nothing at /v1/{path} for this method; see /openapi.json.")

    return api


def _problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """RFC 9457. What cannot be written as UTF-8 is escaped."""
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail} | more
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(text, status, media_type="application/problem+json")


def _events(assistant: Assistant, body: Ask) -> Iterator[str]:
    try:
        for step, data in assistant.stream(body.question, body.conversation):
            if step == "done":
                yield _event("answer", data.to_dict() | {"conversation": data.conversation})
            else:
                yield _event("step", {"step": step} | data)
    except SegAssistError as error:
        yield _event("error", {"code": error.code, "detail": str(error)})
    except Exception:
        logging.getLogger(__name__).exception("A streamed turn failed")
        yield _event("error", {"code": BUG.code, "detail": str(BUG)})


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
