"""The HTTP API: ask, segments, catalogue, models, health. Errors are RFC 9457 problem details with our codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from assistant.app import Assistant, describe_segment
from assistant.scoring import cards
from segments.codec import from_json, to_json
from segments.errors import (
    ConflictError,
    DefinitionError,
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


class Ask(BaseModel):
    """A question, alone or in a conversation."""

    question: str = Field(min_length=1, max_length=2000, examples=["who spent over $500 last quarter?"])
    conversation: str | None = Field(None, max_length=64, pattern=r"^[\w-]+$")


class Definition(BaseModel):
    """A segment definition (see `segassist schema`)."""

    definition: dict[str, Any] = Field(examples=[{"feature": "orders_90d", "op": ">=", "value": 5}])


class Saved(Definition):
    """A definition and the name to save it under."""

    name: str = Field(min_length=1, max_length=80)


def create_api(assistant: Assistant) -> FastAPI:
    """The API over one assistant."""
    api = FastAPI(title="segment-assistant", version="1")
    rooms = assistant.rooms

    @api.exception_handler(SegAssistError)
    def problem(_request: Request, error: SegAssistError) -> JSONResponse:
        status = next(code for kind, code in STATUS if isinstance(error, kind))
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": error.code,
            "status": status,
            "code": error.code,
            "detail": str(error),
        }
        if isinstance(error, DefinitionError):
            body["issues"] = list(error.issues)
        return JSONResponse(body, status, media_type="application/problem+json")

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

    @api.delete("/v1/segments/{name}", status_code=204)
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

    return api


def _events(assistant: Assistant, body: Ask) -> Iterator[str]:
    try:
        for step, data in assistant.stream(body.question, body.conversation):
            if step == "done":
                yield _event("answer", data.to_dict() | {"conversation": data.conversation})
            else:
                yield _event("step", {"step": step} | data)
    except SegAssistError as error:
        yield _event("error", {"code": error.code, "detail": str(error)})


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
