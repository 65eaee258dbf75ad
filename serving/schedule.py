"""What is done now and then, by one of all the processes that share a state: whoever takes a task first when it is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, Connection, DateTime, MetaData, String, Table, delete, insert, select

from assistant.sql import Database

FAILED = "The schedule cannot be used"
_schedule = Table(
    "schedule",
    MetaData(),
    Column("task", String(32), primary_key=True),
    Column("begun_at", DateTime(timezone=True), nullable=False),
)


class Schedule:
    """When each task was last begun."""

    def __init__(self, state: Database) -> None:
        self._state = state

    def take(self, task: str, every: timedelta, now: datetime | None = None) -> bool:
        """Whether the task is due and is the caller's to do now; nobody else has it until it is due again."""
        now = now or datetime.now(UTC)
        with self._state.read(FAILED) as connection:  # most find that it is not due, and keep nobody waiting
            if not _is_due(connection, task, every, now):
                return False
        with self._state.write(FAILED, "schedule") as connection:
            if not _is_due(connection, task, every, now):
                return False
            connection.execute(delete(_schedule).where(_schedule.c.task == task))
            connection.execute(insert(_schedule).values(task=task, begun_at=now))
        return True


def _is_due(connection: Connection, task: str, every: timedelta, now: datetime) -> bool:
    begun = connection.execute(
        select(_schedule.c.begun_at).where(_schedule.c.task == task)
    ).scalar_one_or_none()
    if begun is None:
        return True
    begun = begun if begun.tzinfo else begun.replace(tzinfo=UTC)  # SQLite keeps no zone
    # One that was begun in the future was so before a clock was set back.
    return abs(now - begun) >= every
