"""The log: text as Python writes it or, with SEGASSIST_LOG=json, one JSON object a line, with each request's id.

No line holds what was asked, a key, or the text of an error that is not ours: it may quote either.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from segments.errors import OperatorError, SegAssistError

VARIABLE = "SEGASSIST_LOG"
ACCESS = "segassist.access"
"""The logger that has one entry for each request."""
GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What an id that a proxy or a caller gives may look like."""
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered; empty outside one."""


def new_request_id(given: str = "") -> str:
    """The id that was given, where it can be one; else a new one."""
    return given if GIVEN.fullmatch(given) else secrets.token_hex(8)


def in_json() -> bool:
    """Whether the environment asks for JSON. Raises OperatorError for what is neither."""
    asked = os.environ.get(VARIABLE, "text")
    if asked not in ("text", "json"):
        raise OperatorError(f"{VARIABLE}: must be text or json; got '{asked}'.")
    return asked == "json"


def start_logging() -> bool:
    """Write this process's log as the environment asks; False where it stays text."""
    if not in_json():
        return False
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(ACCESS).setLevel(logging.INFO)
    return True


class JsonLines(logging.Formatter):
    """time (UTC), level, logger, message; where they are known request_id, the fields of a request, and error."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if asked := request_id.get():
            entry["request_id"] = asked
        entry |= getattr(record, "request", {})
        if record.exc_info and (error := record.exc_info[1]) is not None:
            entry["error"] = _told(error)
        return json.dumps(entry, ensure_ascii=True)


def _told(error: BaseException) -> dict[str, Any]:
    """What an error is and where it arose: our own with its sentence, and what caused it."""
    frames = traceback.extract_tb(error.__traceback__)
    told: dict[str, Any] = {
        "type": type(error).__qualname__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if isinstance(error, SegAssistError):
        told["message"] = str(error)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told | ({"cause": _told(cause)} if cause is not None else {})
