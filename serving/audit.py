"""The audit log: who asked what, which tools ran with which arguments, what was exported and how much.

Append-only, in a SQL table of its own. Each entry holds the hash of the one before it, keyed (HMAC-SHA-256)
with a file that belongs apart from the log, so that an entry that is changed, removed or put in between is
found by `verify`. A person who is erased is taken out of the entries by `redact`, which the chain holds too.
What a chain cannot show is that its end was cut off: note the head that `verify` prints, and hand it in the
next time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
    text,
    update,
)

from assistant.mentions import Mention
from assistant.sql import Database
from segments.atomic import made_once
from segments.errors import DataError, StorageError, code_of
from serving.access import OWNER, Caller

FILE, KEY_FILE = "audit.sqlite", "audit.key"
KEY_VARIABLE = "SEGASSIST_AUDIT_KEY_FILE"
START = "0" * 64
REDACTED = "redacted"
"""The action of an entry that says what earlier ones were redacted to."""

_metadata = MetaData()
_entries = Table(
    "audit_log",
    _metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("who", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("via", String(16), nullable=False),
    Column("action", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
_FIELDS = ("seq", "at", "who", "role", "via", "action", "detail", "previous")


@dataclass(frozen=True)
class Entry:
    """One entry. detail: question, tools, definition, count, as far as the action has them."""

    seq: int
    at: str
    who: str
    role: str
    via: str
    action: str
    detail: dict[str, Any]
    hash: str


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: entries read, the head `SEQ:HASH`, and one sentence for each break."""

    entries: int
    head: str
    breaks: tuple[str, ...]


class Audit:
    """The log of one workspace; any number of processes may append.

    where: its database, when it is not the file `audit.sqlite` of the folder.
    """

    def __init__(self, folder: Path, where: str | Path | None = None) -> None:
        place = folder / FILE if where is None else where
        named = f"The audit log {place}" if isinstance(place, Path) else "The audit log"
        self._log = Database(place, "audit", f"{named} cannot be used, so nothing is answered")
        used = bool(self.entries(1))
        self._key = _key(Path(os.environ.get(KEY_VARIABLE) or folder / KEY_FILE), used)

    def write(self, caller: Caller, action: str, **detail: Any) -> Entry:
        """Append an entry and return it once it is on disk. Raises StorageError."""
        content = _text({k: v for k, v in detail.items() if v is not None})
        # The lock is held before the last entry is read, so that two writers cannot follow the same one.
        with self._log.write(lock="audit") as connection:
            return self._append(connection, caller, action, content)

    def close(self) -> None:
        """Close its connections."""
        self._log.close()

    @contextmanager
    def changing(self, caller: Caller, action: str, **detail: Any) -> Iterator[dict[str, Any]]:
        """Write the entry of a change that is then made in the block. When it fails, or the block has put what came of it
        into what it is given, one more entry says so, with the number of the first. Raises StorageError before the
        block, of which nothing is done then."""
        came: dict[str, Any] = {}
        entry = self.write(caller, action, **detail)
        try:
            yield came
        except BaseException as error:
            self.write(caller, action, **detail | {"failed": code_of(error), "entry": entry.seq})
            raise
        if came:
            self.write(caller, action, **detail | came | {"entry": entry.seq})

    def _append(self, connection: Connection, caller: Caller, action: str, detail: str) -> Entry:
        ending = select(_entries.c.seq, _entries.c.hash)
        last = connection.execute(ending.order_by(_entries.c.seq.desc()).limit(1)).one_or_none()
        row = {
            "seq": 1 if last is None else last.seq + 1,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": caller.name,
            "role": caller.role.name,
            "via": caller.via,
            "action": action,
            "detail": detail,
            "previous": START if last is None else last.hash,
        }
        row["hash"] = self._digest(row)
        connection.execute(insert(_entries).values(**row))
        return _entry(row)

    def entries(self, last: int | None = None, before: int | None = None) -> list[Entry]:
        """The entries in order; with `last`, only so many of the newest ones; with `before`, of those before that one."""
        query = select(_entries).order_by(_entries.c.seq.desc())
        if before is not None:
            query = query.where(_entries.c.seq < before)
        with self._reading() as connection:
            rows = connection.execute(query if last is None else query.limit(last)).all()
        return [_entry(row._asdict()) for row in reversed(rows)]

    def redact(self, mention: Mention) -> int:
        """Take a customer out of the entries' details; how many entries speak of them.

        Their hashes stay, so the chain and heads noted earlier do. One more entry, of the chain like any other, says what
        each was redacted to: `verify` accepts that and no other change.
        """
        count, changed = 0, {}
        with self._log.write(lock="audit") as connection, _changeable(connection):
            rows = [row._asdict() for row in connection.execute(select(_entries).order_by(_entries.c.seq))]
            hashes = {str(row["seq"]): row["hash"] for row in rows}
            for row in rows:
                if row["action"] == REDACTED and _same(self._digest(row), row["hash"]):
                    hashes |= _entry(row).detail["entries"]
            for row in rows:
                detail = _entry(row).detail
                kept = mention.without(detail)
                if row["action"] == REDACTED or kept == detail:
                    continue
                content, count = _text(kept), count + 1
                connection.execute(
                    update(_entries).where(_entries.c.seq == row["seq"]).values(detail=content)
                )
                # An entry that somebody had changed stays one.
                if _same(self._digest(row), hashes[str(row["seq"])]):
                    changed[str(row["seq"])] = self._digest(row | {"detail": content})
            if changed:
                self._append(connection, OWNER.by("cli"), REDACTED, _text({"entries": changed}))
        if count:
            self._log.compact()
        return count

    def verify(self, head: str | None = None) -> Verdict:
        """Check every entry against the one before it; with a head noted earlier, that it is still there."""
        breaks, previous, number, found = [], START, 0, head in (None, f"0:{START}")
        changed: dict[str, tuple[str, str]] = {}
        redacted: dict[str, str] = {}
        query = select(_entries).order_by(_entries.c.seq).execution_options(yield_per=1000)
        with self._reading() as connection:
            for number, row in enumerate(connection.execute(query), 1):
                if row.seq != number:
                    breaks.append(f"Entry {number} is missing: entry {row.seq} follows {number - 1}.")
                    break
                if row.previous != previous:
                    breaks.append(f"Entry {row.seq} does not follow entry {row.seq - 1}.")
                digest = self._digest(row._asdict())
                if not _same(digest, row.hash):
                    changed[str(row.seq)] = digest, _words(f"{row.at}, {row.who}, {row.action}")
                elif row.action == REDACTED:
                    redacted |= _entry(row._asdict()).detail["entries"]
                previous = row.hash
                found = found or head == f"{row.seq}:{row.hash}"
        breaks += [
            f"Entry {seq} ({what}) was changed."
            for seq, (digest, what) in changed.items()
            if not _same(digest, redacted.get(seq, ""))
        ]
        if not found:
            breaks.append(f"The head {str(head)[:24]}… is not in the log: its end was cut off or rewritten.")
        return Verdict(number, f"{number}:{previous}", tuple(breaks))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction that reads, also what somebody made of the file that is no UTF-8."""
        with self._log.read() as connection:
            raw: Any = connection.connection.driver_connection
            if self._log.is_file:
                raw.text_factory = lambda found: found.decode("utf-8", "surrogateescape")
            try:
                yield connection
            finally:
                if self._log.is_file:
                    raw.text_factory = str

    def _digest(self, row: Any) -> str:
        content = json.dumps([row[field] for field in _FIELDS], ensure_ascii=True, default=repr)
        return hmac.new(self._key, content.encode(), hashlib.sha256).hexdigest()


@contextmanager
def _changeable(connection: Connection) -> Iterator[None]:
    """Entries may be changed within, in this transaction alone: what refuses it is taken away and put back."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER audit_no_update"))
        yield
        connection.execute(text("ALTER TABLE audit_log ENABLE TRIGGER audit_no_update"))
        return
    refusing = connection.execute(
        text("SELECT sql FROM sqlite_master WHERE name = 'audit_no_UPDATE'")
    ).scalar_one_or_none()
    # Who had the file in hand may have taken it away.
    connection.execute(text("DROP TRIGGER IF EXISTS audit_no_UPDATE"))
    yield
    if refusing is not None:
        connection.exec_driver_sql(refusing)


def _same(digest: str, kept: object) -> bool:
    """Whether a hash is the one that is kept, which somebody may have made anything of."""
    return hmac.compare_digest(digest.encode(), str(kept).encode("utf-8", "backslashreplace"))


def _words(found: object) -> str:
    """Text that can be shown, of whatever a column holds."""
    return str(found).encode("utf-8", "backslashreplace").decode()


def _text(detail: dict[str, Any]) -> str:
    return json.dumps(detail, ensure_ascii=True, sort_keys=True)


def _entry(row: dict[str, Any]) -> Entry:
    try:
        detail = json.loads(row["detail"])
    except ValueError:  # tampered with; `verify` says so
        detail = None
    if not isinstance(detail, dict):
        detail = {"unreadable": _words(row["detail"])}
    kept = {name: _words(row[name]) for name in ("at", "who", "role", "via", "action", "hash")}
    return Entry(row["seq"], **kept, detail=detail)


def _key(path: Path, used: bool) -> bytes:
    """The log's key, 32 random bytes made on first use and readable by the owner alone.

    used: whether there is a log that was written with a key, so that a new one would only hide that it is gone.
    """
    if used and not path.exists():
        raise DataError(
            f"The audit log's key {path} is gone; put it back from a backup, or name it in {KEY_VARIABLE}."
        )
    try:
        key = made_once(path, secrets.token_bytes(32))
    except OSError as error:
        raise StorageError(f"The audit log's key {path} cannot be written: {error.strerror}.") from error
    if len(key) < 32:
        raise DataError(f"{path}: an audit key has 32 bytes at least; got {len(key)}.")
    return key
