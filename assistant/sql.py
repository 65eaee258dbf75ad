"""A workspace's state in SQL: an SQLite file by default, PostgreSQL by its URL; upgraded when it is opened.

Readers never wait for writers (SQLite in WAL mode). A writer takes the lock before it reads what it will change, so
that two writers, in whichever processes, never start from the same state.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DisconnectionError, IntegrityError
from sqlalchemy.pool import QueuePool

from assistant.migrations import Part, is_current, upgrade
from segments.errors import DataError, OperatorError, StorageError

WAIT_SECONDS = 30.0
"""How long a writer waits for another one."""
CONNECT_SECONDS = 5
CONNECTIONS = 64
POSTGRES = "postgresql"
WAYS_OUT = {
    "locked": "another program holds it; ask again",
    "is full": "free some space on its disk",
    "unable to open": "the file is gone or may not be read; put it back: segassist restore",
    "no such table": "restore it from a backup: segassist restore",
    "malformed": "restore it from a backup: segassist restore",
    "not a database": "restore it from a backup: segassist restore",
}
"""What to do, by what SQLite says."""


class Database:
    """One database with a part of the state. Thread-safe, and for any number of processes.

    where: an SQLite file, or a URL (`postgresql://host/name`, `sqlite:///file?timeout=30`). Raises StorageError when
    it cannot be used, DataError when a newer version has written it.
    """

    def __init__(
        self,
        where: str | Path,
        part: Part = "state",
        failed: str = "The state cannot be used",
    ) -> None:
        self.failed, url = failed, _url(where)
        self.is_file = url.get_backend_name() == "sqlite"
        self.name = url.render_as_string(hide_password=True)
        self._engine = _sqlite(url, failed) if self.is_file else _server(url)
        # Threads of one process take turns here; waiting on the file itself is by polling, and not in order.
        self._turn = threading.Lock() if self.is_file else nullcontext()
        with self.read() as connection:
            current = is_current(connection, part)
        if not current:
            self._upgrade(part)
        if self.is_file:  # last: setting the mode would make a database of a file that is none
            self._let_read()

    @contextmanager
    def read(self, failed: str = "") -> Iterator[Connection]:
        """One transaction that changes nothing. Raises StorageError that begins with `failed`."""
        with _one_sentence(failed or self.failed), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, failed: str = "", lock: str = "state", *, waits: bool = True) -> Iterator[Connection]:
        """One transaction that may read and change; only one holds `lock` at a time. Raises StorageError.

        IntegrityError is left to the caller, who knows what it means. waits: what is written is on the disk at the end;
        else a killed process loses none of it, but a machine that goes off may lose the last second's.
        """
        with _one_sentence(failed or self.failed), self._turn, self._engine.connect() as connection:
            changing = connection.execution_options(changes=True)
            unwaiting = nullcontext() if waits else self._not_waiting(changing)
            with unwaiting, changing.begin():
                if not self.is_file:
                    if not waits:
                        changing.execute(text("SET LOCAL synchronous_commit = off"))
                    query = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
                    changing.execute(query, {"name": f"segassist {lock}"})
                yield changing

    def compact(self) -> None:
        """Write a file anew, so that what was deleted cannot be read in it; a server does so by itself (autovacuum)."""
        if self.is_file:
            with _one_sentence(self.failed), self._turn, self._engine.connect() as connection:
                raw = connection.connection.driver_connection
                raw.execute("VACUUM")  # type: ignore[union-attr]
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _not_waiting(self, connection: Connection) -> Iterator[None]:
        """A file's transactions in the block do not wait for the disk; a server is told so within each."""
        if not self.is_file:
            yield
            return
        file = connection.connection
        before = file.cursor().execute("PRAGMA synchronous").fetchone()[0]
        file.cursor().execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            file.cursor().execute(f"PRAGMA synchronous = {before}")

    def _let_read(self) -> None:
        """Put the file into WAL mode, where it is not."""
        # Another program may hold the file in its old mode; then it is changed at a later start.
        waiting = suppress(sqlite3.OperationalError)
        with _one_sentence(self.failed, raw=True), closing(self._engine.raw_connection()) as raw, waiting:
            raw.cursor().execute("PRAGMA journal_mode = WAL")

    def _upgrade(self, part: Part) -> None:
        with self.write(lock="migrations") as connection:
            upgrade(connection, part, self.name)


def open_database(where: Database | str | Path, failed: str) -> Database:
    """The database itself, or the state's at a place."""
    return where if isinstance(where, Database) else Database(where, failed=failed)


def conninfo(where: str) -> str:
    """A PostgreSQL URL as its own library takes it. One that is not encoded as it should be (a '%' or a space in the
    password) SQLAlchemy reads as it was meant, and libpq not at all: it then logs a piece of the password. Raises
    DataError."""
    from psycopg.conninfo import make_conninfo

    url = _url(where)
    given: dict[str, Any] = url.translate_connect_args(username="user", database="dbname")
    return make_conninfo(**given | dict(url.query))


def _url(where: str | Path) -> URL:
    if isinstance(where, Path):
        return URL.create("sqlite", database=str(where))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):  # which may say the password
        raise DataError("state_url: not a URL; write postgresql://USER@HOST/DATABASE.") from None
    backend = url.get_backend_name()
    if backend not in ("sqlite", POSTGRES):
        raise DataError(f"state_url: must begin with {POSTGRES}:// or sqlite:///; got {backend}://.")
    return url.set(drivername=f"{POSTGRES}+psycopg") if backend == POSTGRES else url


def _server(url: URL) -> Engine:
    try:
        # A connection is tried before it is used, so that a database that was started anew is found again.
        return create_engine(
            url,
            pool_pre_ping=True,
            max_overflow=CONNECTIONS,
            connect_args={"connect_timeout": CONNECT_SECONDS},
        )
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"state_url: {error.name} is not installed; run: pip install 'segment-assistant[postgres]'"
        ) from error


def _sqlite(url: URL, failed: str) -> Engine:
    path, wait = Path(url.database or ""), float(str(url.query.get("timeout", WAIT_SECONDS)))

    def connect(mode: str) -> sqlite3.Connection:
        name = f"file:{quote(str(path.absolute()))}?mode={mode}"
        return sqlite3.connect(name, timeout=wait, uri=True, check_same_thread=False)

    with _one_sentence(failed, raw=True):
        connect("rwc").close()
    engine = create_engine(
        "sqlite://", creator=lambda: connect("rw"), poolclass=QueuePool, max_overflow=CONNECTIONS
    )

    def opened(_connection: object, record: Any) -> None:
        record.info["file"] = identity(path)

    def used(_connection: object, record: Any, _proxy: object) -> None:
        # A connection to a file that was moved away or replaced would go on writing where nobody reads.
        if record.info["file"] != identity(path):
            raise DisconnectionError

    def begin(connection: Connection) -> None:
        kind = "IMMEDIATE" if connection.get_execution_options().get("changes") else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {kind}")

    event.listen(engine, "connect", opened)
    event.listen(engine, "checkout", used)
    event.listen(engine, "begin", begin)
    return engine


def identity(path: Path) -> tuple[int, int] | None:
    """Which file is at a path; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _one_sentence(failed: str, raw: bool = False) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DatabaseError as error:
        raise storage_error(failed, error.orig) from error
    except sqlite3.DatabaseError as error:
        if not raw:
            raise
        raise storage_error(failed, error) from error


def storage_error(failed: str, error: object) -> StorageError:
    """What a database said, as one sentence that begins with `failed` and ends with the way out."""
    said = " ".join(str(error).split())[:200]
    server = not isinstance(error, sqlite3.Error)
    way = next((way for word, way in WAYS_OUT.items() if word in said), "see: segassist doctor")
    return StorageError(f"{failed} ({said}); {'see that the database answers' if server else way}.")
