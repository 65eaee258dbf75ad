"""A write that is sent again with the same Idempotency-Key is not done again: its first answer is given once more."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import delete as sql_delete
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool

from assistant.mentions import Mention
from assistant.sql import Database
from segments.errors import ConflictError, UserError
from serving.http.guard import caller_of
from serving.http.problems import MEDIA, problem
from serving.http.who import Having, asked_of
from serving.service import Service

RUNNING = timedelta(minutes=10)
"""After this long a request that has not ended is taken to have died with its server, on another machine; on this one
that is seen at once. Longer than a question waits (two minutes) and is answered (90 s a call of the language model)."""
HEADERS = ("content-type", "etag", "location")

GONE = "The answer was about a person who was erased since; the request was done and is not done again."

_metadata = MetaData()
_answers = Table(
    "idempotent_answers",
    _metadata,
    Column("user", String(64), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("at", String(40), nullable=False),
    Column("owner", String(120)),
    Column("status", Integer),
    Column("headers", Text),
    Column("body", LargeBinary),
)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Sent again with the same key within a day (or as long as the server keeps answers: `answers_hours`), "
        "the first answer comes back and nothing is done twice.",
    ),
]


def declare(_key: IdempotencyKey = None) -> None:
    """A dependency that documents the header, of routes that change something: their answers are kept."""


def refuse(request: Request) -> None:
    """A dependency of routes that change something and whose answers cannot be kept. Raises UserError."""
    if "idempotency-key" in request.headers:
        raise UserError(
            "Idempotency-Key: is not taken here, because the answer is not kept; send the request without it.",
            "Idempotency-Key：这里不接受，因为答案不会保留；请去掉后再发送。",
        )


UNKEYED = [Depends(refuse)]


class Answers:
    """First answers, in the workspace's state, so that any worker knows them. kept: for how long."""

    def __init__(self, state: Database, kept: timedelta) -> None:
        self._state, self._kept = state, kept

    def begin(self, user: str, key: str, request: str) -> Response | None:
        """The first answer, or None when the request is to be done now. Raises ConflictError."""
        mine = _answers.c.user == user, _answers.c.key == key
        now, me = datetime.now(UTC), this_process()
        try:
            with self._state.write() as connection:
                connection.execute(sql_delete(_answers).where(*mine, self._over(now)))
                new = {"user": user, "key": key, "request": request, "at": now.isoformat(), "owner": me}
                connection.execute(insert(_answers).values(**new))
                return None
        except IntegrityError:
            with self._state.read() as connection:
                row = connection.execute(select(_answers).where(*mine)).one_or_none()
        if row is not None and row.status is None and row.request == request and is_gone(row.owner):
            taken = {"owner": me, "at": now.isoformat()}
            with self._state.write() as connection:
                same = update(_answers).where(*mine, _answers.c.owner == row.owner)
                if connection.execute(same.values(**taken)).rowcount:
                    return None
        if row is None or row.status is None:
            raise ConflictError(
                "A request with this Idempotency-Key is being answered; wait for it.",
                "带有这个 Idempotency-Key 的请求正在处理；请等它结束。",
            )
        if row.request != request:
            raise ConflictError(
                "This Idempotency-Key was used for another request, or in another role; take a new one.",
                "这个 Idempotency-Key 已用于另一个请求，或在另一个角色下用过；请换一个。",
            )
        return Response(row.body, row.status, json.loads(row.headers) | {"Idempotency-Replayed": "true"})

    def finish(self, user: str, key: str, response: Response | None) -> None:
        """Keep the answer; None when it failed, so that the request may be tried again."""
        mine = _answers.c.user == user, _answers.c.key == key
        with self._state.write() as connection:
            if response is None:
                connection.execute(sql_delete(_answers).where(*mine))
                return
            headers = json.dumps({h: response.headers[h] for h in HEADERS if h in response.headers})
            kept = {"status": response.status_code, "headers": headers, "body": bytes(response.body)}
            connection.execute(update(_answers).where(*mine).values(**kept))

    def old(self, now: datetime) -> int:
        """How many answers have been kept for long enough, or were never finished."""
        query = select(func.count()).select_from(_answers).where(self._over(now))
        with self._state.read() as connection:
            return int(connection.execute(query).scalar_one())

    def forget_old(self, now: datetime) -> None:
        """Remove those."""
        with self._state.write() as connection:
            connection.execute(sql_delete(_answers).where(self._over(now)))

    def _over(self, now: datetime) -> ColumnElement[bool]:
        old = _answers.c.at < (now - self._kept).isoformat()
        dead = _answers.c.status.is_(None) & (_answers.c.at < (now - RUNNING).isoformat())
        return old | dead

    def forget(self, mention: Mention) -> int:
        """Take the bodies that speak of a customer out of the kept answers; how many there were.

        The request is still known, so that it is not done again: its answer is gone (410).
        """
        with self._state.write() as connection:
            answered = select(_answers).where(_answers.c.body.is_not(None), _answers.c.status != 410)
            rows = connection.execute(answered).all()
            found = [row for row in rows if mention.may_be_within((row.headers or "").encode() + row.body)]
            for row in found:
                mine = _answers.c.user == row.user, _answers.c.key == row.key
                kept = {
                    "status": 410,
                    "headers": json.dumps({"content-type": MEDIA}),
                    "body": problem("", 410, "gone", GONE).body,
                }
                connection.execute(update(_answers).where(*mine).values(**kept))
        if found:
            self._state.compact()
        return len(found)


def this_process() -> str:
    """This process by machine, number and start: no other one has ever had all three."""
    return f"{socket.gethostname()[:64]}:{os.getpid()}:{_started(os.getpid())}"


def is_gone(process: str | None) -> bool:
    """Whether a process of this machine has ended; of another machine's nobody knows."""
    host, number, _ = (process or "::").rsplit(":", 2)
    if host != socket.gethostname()[:64] or not number.isdigit():
        return False
    return process != f"{host}:{number}:{_started(int(number))}"


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty when there is none, or where the system does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


class IdempotentRoute(APIRoute):
    """A route whose answers, if it depends on `declare`, are kept for requests that name an Idempotency-Key. One is given
    again to those alone who may still ask for it, in the role that they had, and it is written down."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler behind the kept answers."""
        original = super().get_route_handler()
        calls = _calls(self.dependant)
        if declare not in calls:
            return original
        needed = [call for call in calls if isinstance(call, Having)]

        async def handler(request: Request) -> Response:
            key = request.headers.get("idempotency-key")
            if not key or len(key) > 200:
                return await original(request)
            for having in needed:
                await having(request)
            answers: Answers = request.app.state.answers
            service: Service = request.app.state.service
            caller = caller_of(request.scope)
            user = caller.name
            # Without the host: behind a balancer the same request may reach this server by another name.
            where = f"{request.url.path}?{request.url.query}"
            conditions = (request.headers.get(name, "") for name in ("if-match", "if-none-match"))
            parts = (caller.role.name, request.method, where, *conditions)
            digest = hashlib.sha256("\n".join(parts).encode() + await request.body()).hexdigest()
            kept = await run_in_threadpool(answers.begin, user, key, digest)
            if kept is not None:
                await run_in_threadpool(service.log, caller, "answered again", of=asked_of(request))
                return kept
            response = None
            try:
                response = await original(request)
            finally:
                await run_in_threadpool(answers.finish, user, key, response)
            return response

        return handler


def _calls(dependant: Dependant) -> list[Any]:
    return [found for each in dependant.dependencies for found in (each.call, *_calls(each))]
