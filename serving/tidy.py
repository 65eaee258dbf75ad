"""What has had its time is removed, so that nothing grows for ever: browsers' sessions, first answers of Idempotency-Keys,
export jobs with their files, and where chats of the OpenAI protocol stood. The settings say when (`session_hours`,
`answers_hours`, `export_days`, `chat_days`); what a user saved is none of it.

Every server process looks, and one of them does it, once an hour.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

from assistant.conversations import Conversations
from segments.errors import SegAssistError
from serving.access import Caller, Role
from serving.http.idempotency import Answers
from serving.schedule import Schedule
from serving.service import Service
from warehouse.export import withdraw

EVERY = timedelta(hours=1)
LOOK_SECONDS = 60.0
SCHEDULE = Caller("segassist", Role.admin, "schedule")
"""Who did it, in the audit log."""


def tidy(service: Service, now: datetime) -> dict[str, int]:
    """Remove what has had its time by now, written in the audit log first; how many of each there were.

    Raises StorageError.
    """
    settings, answers = service.rooms.workspace.settings, answers_of(service)
    jobs = service.jobs.ended(now - timedelta(days=settings.export_days))
    conversations = Conversations(service.rooms.workspace.conversations)
    try:
        chats = conversations.idle_copies(now - timedelta(days=settings.chat_days))
        counts = {
            "sessions": service.users.ended(now),
            "answers": answers.old(now),
            "exports": len(jobs),
            "chats": len(chats),
        }
        found = {what: count for what, count in counts.items() if count}
        if not found:
            return {}
        with service.changing(SCHEDULE, "tidied", **found):
            service.users.forget_ended(now)
            answers.forget_old(now)
            for job_id, folder in jobs.items():
                if folder is not None:
                    withdraw(service.rooms.workspace.folder / "exports" / folder)
                service.jobs.forget(job_id)
            with conversations.used():
                for thread in chats:
                    conversations.delete(thread)
    finally:
        conversations.close()
    return found


def answers_of(service: Service) -> Answers:
    """The kept answers of a workspace's API."""
    return Answers(service.rooms.state, timedelta(hours=service.rooms.workspace.settings.answers_hours))


class Tidier:
    """Looks once a minute whether it is time and nobody else does it, until it is stopped."""

    def __init__(self, service: Service) -> None:
        self._service, self._schedule = service, Schedule(service.rooms.state)
        self._stopping, self._log = threading.Event(), logging.getLogger(__name__)
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is being removed is removed."""
        self._stopping.set()
        self._thread.join(10)

    def _look(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                if self._schedule.take("tidy", EVERY):
                    tidy(self._service, datetime.now(UTC))
            except SegAssistError as error:  # the state is locked or gone for now
                self._log.warning("%s", error)
            except Exception:  # noqa: BLE001 - what is wrong this hour may be right in the next
                self._log.exception("What has had its time could not be removed")
