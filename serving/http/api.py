"""The HTTP API over one service. Errors are RFC 9457 problem details with our codes; /docs needs no other site."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool

from assistant.app import Answer
from segments.errors import SegAssistError
from segments.explain import Language
from segments.issues import in_language
from serving.access import Caller
from serving.http import schemas
from serving.http.campaigns import campaign_routes
from serving.http.chat import chat_routes
from serving.http.conversations import conversation_routes
from serving.http.events import event_stream
from serving.http.exports import export_routes
from serving.http.guard import Guard
from serving.http.idempotency import UNKEYED, IdempotentRoute, declare
from serving.http.openapi import document
from serving.http.problems import RESPONSES, add_handlers, asked_for, seen
from serving.http.protocol import Protocol, add_nothing
from serving.http.segments import segment_routes
from serving.http.signin import add_signin
from serving.http.tools import propensity_routes, tool_routes
from serving.http.who import Asker, Operator, Reader, has_gone
from serving.jobs import Runner
from serving.metrics import MEDIA
from serving.service import Service
from serving.tidy import Tidier, answers_of

ABOUT = (
    "Customer segments, what they are like and what they will do. With users, every call takes an API key; roles "
    "are viewer < marketer < analyst < admin. Every problem has a stable `code`."
)


def create_api(service: Service, ready: Callable[[], dict[str, str]] = dict) -> FastAPI:
    """The API over one service. ready: more parts that readiness depends on, each 'ok' or a sentence."""
    api = FastAPIOffline(
        title="segment-assistant",
        version="1",
        description=ABOUT,
        redoc_url=None,
        responses=RESPONSES,
        lifespan=lambda _: _running(service),
    )
    settings = service.rooms.workspace.settings
    api.state.service = service
    api.state.answers = answers_of(service)
    api.state.metrics = service.metrics
    add_handlers(api)
    add_signin(api, service)
    _health(api, service, ready)
    _ask(api, service)
    for router in (
        conversation_routes(service),
        segment_routes(service),
        campaign_routes(service),
        export_routes(service),
        tool_routes(service),
        propensity_routes(service),
        chat_routes(service),
    ):
        api.include_router(router)
    _catalogue(api, service)

    add_nothing(api)
    api.openapi = lambda: document(api)  # type: ignore[method-assign]
    api.add_middleware(Protocol)
    api.add_middleware(
        Guard,
        users=service.users,
        metrics=service.metrics,
        per_minute=settings.requests_per_minute,
        origins=settings.cors_origins,
        names=settings.trace_content,
    )
    return api


THREADS = 128
"""Requests at work at once in one process, beside questions, which wait for the language model. Most of them wait too, for
their turn at the warehouse, and must not keep the quick ones waiting with them."""


@asynccontextmanager
async def _running(service: Service) -> AsyncIterator[None]:
    """While the server runs, it has its threads, does export jobs and removes what has had its time."""
    current_default_thread_limiter().total_tokens = THREADS + service.turns.places + service.turns.at_once
    runner, tidier = Runner(service.jobs, service.make_export), Tidier(service)
    runner.start()
    tidier.start()
    yield
    await run_in_threadpool(tidier.stop)
    await run_in_threadpool(runner.stop)


def _health(api: FastAPI, service: Service, ready: Callable[[], dict[str, str]]) -> None:
    @api.get("/healthz", tags=["operation"])
    def health() -> schemas.Health:
        """Whether the service answers, and the data's date."""
        return schemas.Health(status="ok", as_of=service.rooms.warehouse.as_of.isoformat())

    @api.get("/readyz", tags=["operation"], response_model=schemas.Readiness, responses={503: _UNREADY})
    def readiness() -> Response:
        """Whether questions can be answered: data, saved segments, audit log, language model."""
        parts = {name: _state(check) for name, check in _parts(service).items()} | ready()
        is_ready = all(state == "ok" for state in parts.values())
        return JSONResponse({"ready": is_ready, "parts": parts}, 200 if is_ready else 503)

    @api.get(
        "/metrics",
        tags=["operation"],
        responses={200: {"content": {"text/plain": {}}}},
        response_class=Response,
    )
    def metrics(caller: Operator) -> Response:
        """Counters in Prometheus's text format."""
        return Response(service.metrics.text(), media_type=MEDIA)

    @api.get("/v1/audit", tags=["operation"])
    def audit(
        caller: Operator,
        last: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[
            int | None, Query(ge=1, le=2**31, description="A `seq`: the page before it.")
        ] = None,
    ) -> list[schemas.AuditEntry]:
        """The newest entries of the audit log, oldest first; with `before`, the newest of those before that one."""
        return [schemas.AuditEntry(**vars(entry)) for entry in service.audit.entries(last, before)]

    @api.get("/v1/me", tags=["operation"])
    def me(caller: Reader) -> schemas.Me:
        """Who the key belongs to."""
        return schemas.Me(name=caller.name, role=caller.role.name)


def _ask(api: FastAPI, service: Service) -> None:
    router = APIRouter(tags=["questions"], route_class=IdempotentRoute)

    @router.post("/v1/ask", dependencies=[Depends(declare)])
    def ask(body: schemas.Ask, caller: Asker, request: Request) -> schemas.Answer:
        """Answer one turn. 503 `busy` with Retry-After when too many wait."""
        found = service.ask(caller, body.question, body.conversation, has_gone(request))
        return schemas.Answer(**_answer(found))

    api.include_router(router)

    @api.post(
        "/v1/ask/stream",
        tags=["questions"],
        responses={200: {"content": {"text/event-stream": {}}}},
        response_class=StreamingResponse,
        dependencies=UNKEYED,
    )
    def ask_stream(body: schemas.Ask, caller: Asker, request: Request) -> StreamingResponse:
        """Answer one turn as server-sent events: a `step` event for each step, then `answer` or `error`.

        While the turn waits for others, a step `queue` says how many are `before` it."""
        events = _events(service, caller, body, asked_for(request.headers), has_gone(request))
        return event_stream(events)


def _catalogue(api: FastAPI, service: Service) -> None:
    @api.get("/v1/features", tags=["catalogue"])
    def features(caller: Reader) -> list[schemas.Feature]:
        """The feature catalogue."""
        return [
            schemas.Feature(
                name=f.name, type=f.type.value, unit=f.unit, en=f.en, zh=f.zh, levels=list(f.levels)
            )
            for f in service.rooms.warehouse.catalogue
        ]

    @api.get("/v1/values", tags=["catalogue"])
    def values(caller: Reader) -> dict[str, list[str]]:
        """The departments, categories and brands that somebody bought, by spend, largest first."""
        return {name: list(found) for name, found in service.rooms.warehouse.item_values.items()}


_UNREADY = {
    "description": "A part is not available.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}},
}


def _parts(service: Service) -> dict[str, Callable[[], Any]]:
    return {
        "warehouse": lambda: service.rooms.warehouse.as_of,
        "segments": service.rooms.library.names,
        "users": lambda: service.users.on,
        "audit": lambda: service.audit.entries(1),
    }


def _state(check: Callable[[], Any]) -> str:
    try:
        check()
    except SegAssistError as error:
        return str(error)
    return "ok"


def _events(
    service: Service, caller: Caller, body: schemas.Ask, language: Language, gone: Callable[[], bool]
) -> Generator[str]:
    try:
        for step, data in service.stream(caller, body.question, body.conversation, gone):
            if step == "done":
                yield _event("answer", _answer(data))
            else:
                yield _event("step", {"step": step} | data)
    except Exception as error:  # noqa: BLE001 - told to the reader
        told = seen(error, "A streamed turn")
        yield _event("error", {"code": told.code, "detail": in_language(told, language)})


def _answer(answer: Answer) -> dict[str, Any]:
    return answer.to_dict() | {"conversation": answer.conversation, "turn": answer.turn}


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
