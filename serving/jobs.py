"""Exports as jobs: kept in the state, done by whichever server process is free, taken over when that one dies.

A process that works on a job counts up its `beat`. A job whose beat stands still is put back into the queue by any
other process, which measures with its own monotonic clock: no clock of two machines needs to agree, or to run on.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from assistant.sql import Database
from segments.codec import from_json, to_json
from segments.definition import Node
from segments.errors import ConflictError, InternalError, NotFoundError, SegAssistError
from segments.issues import in_language
from segments.ports import Progress
from serving.access import Caller, Role
from serving.http.problems import seen

BEAT_SECONDS = 1.0
STILL_SECONDS = 6.0
"""A job whose beat has not moved for so long is taken to be nobody's."""
ATTEMPTS = 3
WAITING = {"state": "queued", "step": "waiting", "progress": 0.0}
"""Of a job that nobody works on yet, or any more."""
FAILED = "The export jobs cannot be used"
MOMENT = DateTime(timezone=True)

State = Literal["queued", "running", "done", "failed", "cancelled"]
_jobs = Table(
    "export_jobs",
    MetaData(),
    Column("id", String(32), primary_key=True),
    Column("user", String(64)),
    Column("role", Integer),
    Column("via", String(16)),
    Column("name", String(80)),
    Column("format", String(16)),
    Column("channel", String(80)),
    Column("webhook", String(80)),
    Column("definition", Text),
    Column("state", String(16)),
    Column("progress", Float),
    Column("step", String(80)),
    Column("attempts", Integer),
    Column("cancel", Boolean),
    Column("count", Integer),
    Column("folder", Text),
    Column("code", String(40)),
    Column("detail", Text),
    Column("detail_zh", Text),
    Column("owner", String(32)),
    Column("beat", Integer),
    Column("created_at", MOMENT),
    Column("ended_at", MOMENT),
)


@dataclass(frozen=True)
class Job:
    """One export. channel: only members who agreed to it; empty for everyone. webhook: which of the workspace's it is
    delivered to; empty for none. progress: 0 to 1. folder: of the export, once it is made, under the workspace's exports;
    count: customers in it."""

    id: str
    user: str
    role: Role
    via: str
    name: str
    format: str
    channel: str
    webhook: str
    definition: Node
    state: State
    progress: float
    step: str
    attempts: int
    count: int | None
    folder: str | None
    code: str | None
    detail: str | None
    detail_zh: str | None
    created_at: datetime
    ended_at: datetime | None

    @property
    def caller(self) -> Caller:
        """Who asked for it."""
        return Caller(self.user, self.role, self.via)

    @property
    def has_file(self) -> bool:
        """Whether there is a file that can be fetched: also of a job that failed to deliver it."""
        return self.folder is not None and self.ended_at is not None


class Jobs:
    """The export jobs of one workspace. Every change is one transaction."""

    def __init__(self, state: Database) -> None:
        self._state = state

    def create(
        self,
        caller: Caller,
        definition: Node,
        name: str,
        file_format: str,
        channel: str = "",
        webhook: str = "",
    ) -> Job:
        """Put an export into the queue."""
        now = datetime.now(UTC)
        row = {
            "id": f"{now:%Y%m%dt%H%M%S}-{secrets.token_hex(3)}",
            "user": caller.name,
            "role": int(caller.role),
            "via": caller.via,
            "name": name,
            "format": file_format,
            "channel": channel,
            "webhook": webhook,
            "definition": json.dumps(to_json(definition), ensure_ascii=False),
            "attempts": 0,
            "cancel": False,
            "beat": 0,
            "created_at": now,
        } | WAITING
        with self._state.write(FAILED) as connection:
            connection.execute(insert(_jobs).values(**row))
        return self.get(str(row["id"]))

    def get(self, job_id: str) -> Job:
        """One job. Raises NotFoundError."""
        with self._state.read(FAILED) as connection:
            row = connection.execute(select(_jobs).where(_jobs.c.id == job_id)).one_or_none()
        if row is None:
            raise no_job(job_id)
        return _read(row)

    def page(self, user: str | None = None, offset: int = 0, limit: int = 100) -> tuple[list[Job], int]:
        """Jobs of one user or of all, newest first, and how many there are."""
        whose = [] if user is None else [_jobs.c.user == user]
        query = select(_jobs).where(*whose).order_by(_jobs.c.created_at.desc(), _jobs.c.id)
        with self._state.read(FAILED) as connection:
            total = connection.execute(select(func.count()).select_from(_jobs).where(*whose)).scalar_one()
            rows = connection.execute(query.offset(offset).limit(limit)).all()
        return [_read(row) for row in rows], total

    def cancel(self, job_id: str) -> Job:
        """Stop a job that has not ended. Raises NotFoundError, ConflictError."""
        with self._state.write(FAILED) as connection:
            mine = update(_jobs).where(_jobs.c.id == job_id)
            queued = mine.where(_jobs.c.state == "queued").values(
                state="cancelled", ended_at=datetime.now(UTC)
            )
            running = mine.where(_jobs.c.state == "running").values(cancel=True)
            changed = connection.execute(queued).rowcount or connection.execute(running).rowcount
        job = self.get(job_id)
        if not changed:
            raise ConflictError(
                f"export: job {job_id} is {job.state} already.",
                f"export：任务{job_id}的状态已是{job.state}。",
            )
        return job

    def claim(self, owner: str) -> Job | None:
        """The job that waits longest, now the owner's; None when none waits."""
        taken = {"state": "running", "owner": owner, "attempts": _jobs.c.attempts + 1, "step": "starting"}
        while (job_id := self._waiting()) is not None:
            mine = update(_jobs).where(_jobs.c.id == job_id, _jobs.c.state == "queued")
            with self._state.write(FAILED, "jobs") as connection:
                claimed = connection.execute(mine.values(**taken)).rowcount
            if claimed:  # else another process was quicker
                return self.get(job_id)
        return None

    def _waiting(self) -> str | None:
        """Looked for without the writers' lock, which processes with nothing to do would else take all the time."""
        query = select(_jobs.c.id).where(_jobs.c.state == "queued").order_by(_jobs.c.created_at).limit(1)
        with self._state.read(FAILED) as connection:
            waiting: str | None = connection.execute(query).scalar_one_or_none()
        return waiting

    def beat(self, owner: str, job_id: str, progress: float, step: str) -> Literal["on", "cancel", "lost"]:
        """Say that the owner is alive and how far it is; hear whether to go on."""
        with self._state.write(FAILED) as connection:
            mine = _jobs.c.id == job_id, _jobs.c.owner == owner, _jobs.c.state == "running"
            values = {"beat": _jobs.c.beat + 1, "progress": progress, "step": step[:80]}
            if not connection.execute(update(_jobs).where(*mine).values(**values)).rowcount:
                return "lost"
            cancelled = connection.execute(select(_jobs.c.cancel).where(_jobs.c.id == job_id)).scalar_one()
        return "cancel" if cancelled else "on"

    def finish(self, owner: str, job_id: str, state: State, **values: Any) -> None:
        """End the owner's job, or give it back (`queued`)."""
        mine = _jobs.c.id == job_id, _jobs.c.owner == owner, _jobs.c.state == "running"
        ended = {} if state == "queued" else {"ended_at": datetime.now(UTC)}
        with self._state.write(FAILED) as connection:
            connection.execute(update(_jobs).where(*mine).values(state=state, owner=None, **ended, **values))

    def made(self, job: Job, folder: str, count: int) -> bool:
        """Keep what a running job has made before it is delivered: whoever takes the job over delivers the same. False
        where another has taken it over already."""
        running = _jobs.c.state == "running", _jobs.c.attempts == job.attempts, _jobs.c.folder.is_(None)
        mine = update(_jobs).where(_jobs.c.id == job.id, *running)
        with self._state.write(FAILED) as connection:
            return bool(connection.execute(mine.values(folder=folder, count=count)).rowcount)

    def again(self, job_id: str) -> Job:
        """Put a job that made its file and did not deliver it back into the queue. Raises NotFoundError, ConflictError."""
        ended = _jobs.c.state.in_(("failed", "cancelled"))
        undelivered = ended, _jobs.c.webhook != "", _jobs.c.folder.is_not(None)
        told = dict.fromkeys(("code", "detail", "detail_zh", "ended_at"))
        with self._state.write(FAILED) as connection:
            mine = update(_jobs).where(_jobs.c.id == job_id, *undelivered)
            changed = connection.execute(mine.values(attempts=0, cancel=False, **WAITING, **told)).rowcount
        job = self.get(job_id)
        if not changed:
            raise ConflictError(
                f"export: job {job_id} is {job.state}; only a delivery that failed or was cancelled is tried again.",
                f"export：任务{job_id}的状态是{job.state}；只有失败或已取消的投递可以重试。",
            )
        return job

    def ended(self, before: datetime) -> dict[str, str | None]:
        """The folders of the exports, under the workspace's, of jobs that ended before a time; None where there is none."""
        query = select(_jobs.c.id, _jobs.c.folder).where(_jobs.c.ended_at < before)
        with self._state.read(FAILED) as connection:
            return {row.id: row.folder for row in connection.execute(query)}

    def forget(self, job_id: str) -> None:
        """Remove a job that has ended."""
        with self._state.write(FAILED) as connection:
            connection.execute(delete(_jobs).where(_jobs.c.id == job_id, _jobs.c.ended_at.is_not(None)))

    def running(self) -> dict[str, int]:
        """The beat of every job that somebody works on."""
        query = select(_jobs.c.id, _jobs.c.beat).where(_jobs.c.state == "running")
        with self._state.read(FAILED) as connection:
            return {row.id: row.beat for row in connection.execute(query)}

    def give_up(self, job_id: str, beat: int) -> None:
        """Put a job whose owner is gone back into the queue; one that has ended so too often fails."""
        mine = update(_jobs).where(_jobs.c.id == job_id, _jobs.c.state == "running", _jobs.c.beat == beat)
        failed = {
            "state": "failed",
            "code": InternalError.code,
            "detail": f"Its server ended {ATTEMPTS} times while it was at work.",
            "detail_zh": f"处理它的服务器中途结束了{ATTEMPTS}次。",
            "ended_at": datetime.now(UTC),
        }
        with self._state.write(FAILED) as connection:
            connection.execute(mine.where(_jobs.c.attempts >= ATTEMPTS).values(owner=None, **failed))
            connection.execute(mine.values(owner=None, **WAITING))


class _Stop(BaseException):
    """Raised within the work, which leaves nothing behind."""


class Runner:
    """Does one job at a time in a thread, and beats in another, until it is stopped."""

    def __init__(self, jobs: Jobs, work: Callable[[Job, Progress], tuple[str, int]]) -> None:
        self._jobs, self._work, self._owner = jobs, work, secrets.token_hex(8)
        self._stopping, self._log = threading.Event(), logging.getLogger(__name__)
        self._job: Job | None = None
        self._said: Literal["on", "cancel", "lost"] = "on"
        self._at = (0.0, "starting")
        self._seen: dict[str, tuple[int, float]] = {}
        self._threads = [threading.Thread(target=t, daemon=True) for t in (self._serve, self._beat)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; a job at work goes back into the queue."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(10)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                job = self._jobs.claim(self._owner)
                if job is not None:
                    self._do(job)
                    continue
            except SegAssistError as error:  # the state is locked or gone for now
                self._log.warning("%s", error)
            self._stopping.wait(BEAT_SECONDS / 2)

    def _do(self, job: Job) -> None:
        self._said, self._at, self._job = "on", (0.0, "starting"), job
        try:
            folder, count = self._work(job, self._report)
            self._jobs.finish(
                self._owner, job.id, "done", progress=1.0, step="done", folder=folder, count=count
            )
        except _Stop:
            ended: dict[str, State] = {"on": "queued", "cancel": "cancelled"}
            if self._said in ended:
                self._jobs.finish(self._owner, job.id, ended[self._said], step=ended[self._said])
        except Exception as error:  # noqa: BLE001 - kept with the job, for whoever asked for it
            told = seen(error, f"Export job {job.id}")
            said = {"detail": in_language(told, "en"), "detail_zh": in_language(told, "zh")}
            values = {"step": "failed", "code": told.code} | said
            self._jobs.finish(self._owner, job.id, "failed", **values)
        finally:
            self._job = None

    def _report(self, share: float, what: str) -> None:
        self._at = (share, what)
        if self._stopping.is_set() or self._said != "on":
            raise _Stop

    def _beat(self) -> None:
        while not self._stopping.wait(BEAT_SECONDS):
            try:
                job = self._job
                if job is not None:
                    said = self._jobs.beat(self._owner, job.id, *self._at)
                    if self._job is job:
                        self._said = said
                self._take_over()
            except SegAssistError as error:
                self._log.warning("%s", error)

    def _take_over(self) -> None:
        now, running = time.monotonic(), self._jobs.running()
        self._seen = {
            job_id: before if (before := self._seen.get(job_id, (-1, now)))[0] == beat else (beat, now)
            for job_id, beat in running.items()
        }
        for job_id, (beat, since) in self._seen.items():
            if now - since > STILL_SECONDS:
                self._jobs.give_up(job_id, beat)


def no_job(job_id: str) -> NotFoundError:
    """What is said of a job that is not there, or not the caller's."""
    return NotFoundError(f"There is no export job '{job_id}'.", f"没有导出任务“{job_id}”。")


def _read(row: Row[Any]) -> Job:
    kept = {name: getattr(row, name) for name in Job.__dataclass_fields__}
    kept |= {name: _utc(kept[name]) for name in ("created_at", "ended_at")}
    return Job(**kept | {"role": Role(row.role), "definition": from_json(json.loads(row.definition))})


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)  # SQLite keeps no zone
