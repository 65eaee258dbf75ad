"""Where conversations are kept between turns: LangGraph checkpoints in an SQLite file, or in PostgreSQL by its URL."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from assistant.mentions import Mention
from assistant.sql import WAIT_SECONDS, conninfo, identity, storage_error
from segments.errors import OperatorError

FAILED = "The conversations cannot be used"
COPY = "h-"
"""How the names of conversations begin that are copies of where another one stood: they are not listed."""
_COPY = re.compile(rf"{COPY}(?:[0-9a-f]{{12}}|[0-9a-f]{{40}})")
GREGORIAN = datetime(1582, 10, 15, tzinfo=UTC)
"""From when UUIDs count."""
LATEST = (
    "SELECT thread_id FROM checkpoints WHERE checkpoint_ns = '' AND substr(thread_id, 1, %s) = %s "
    "GROUP BY thread_id ORDER BY max(checkpoint_id) DESC, thread_id"
)
"""Ids of checkpoints begin with the time."""
IDLE = (
    "SELECT thread_id FROM checkpoints WHERE checkpoint_ns = '' "
    "GROUP BY thread_id HAVING max(checkpoint_id) < %s ORDER BY thread_id"
)
BLOBS = {
    "checkpoint_blobs": "blob",
    "checkpoint_writes": "blob",
    "checkpoints": "convert_to(checkpoint::text, 'UTF8')",
}
"""PostgreSQL: the tables of checkpoints and what of each may name a customer."""


class _Store(Protocol):
    saver: Any

    def threads(self, space: str) -> list[str]: ...

    def idle(self, before: str) -> list[str]: ...

    def used(self) -> Any: ...

    def forget(self, mention: Mention) -> int: ...

    def close(self) -> None: ...


class Conversations:
    """The conversations of one workspace. `saver` is LangGraph's; use it within `used`. Raises StorageError."""

    def __init__(self, where: str | Path) -> None:
        file = str(where).removeprefix("sqlite:///").partition("?")[0]
        own = isinstance(where, str) and not where.startswith("sqlite")
        self._store: _Store = _Server(str(where)) if own else _File(Path(file))
        self.saver = self._store.saver

    @contextmanager
    def used(self) -> Iterator[None]:
        """What a database says about itself within, as one sentence."""
        with self._store.used():
            yield

    def threads(self, space: str) -> list[str]:
        """The threads whose names begin so, the last changed first; use it within `used`."""
        return self._store.threads(space)

    def idle_copies(self, before: datetime) -> list[str]:
        """The threads of copies that were last changed before a time, but for those that a link opens."""
        with self.used():
            copies = [thread for thread in self._store.idle(_first_id(before)) if is_copy(thread)]
            return [thread for thread in copies if not self._values(thread).get("shared")]

    def delete(self, thread: str) -> None:
        """Delete a thread with everything in it; use it within `used`."""
        self.saver.delete_thread(thread)

    def _values(self, thread: str) -> dict[str, Any]:
        kept = self.saver.get_tuple({"configurable": {"thread_id": thread}})
        return {} if kept is None else dict(kept.checkpoint["channel_values"])

    def forget(self, mention: Mention) -> int:
        """Delete the conversations whose stored state speaks of the customer; how many there were."""
        with self._store.used():
            return self._store.forget(mention)

    def close(self) -> None:
        """Close the connections."""
        self._store.close()


class _File:
    """An SQLite file. When it was moved away or replaced while it was open, what is there now is opened."""

    def __init__(self, path: Path) -> None:
        from langgraph.checkpoint.sqlite import SqliteSaver

        self.path = path
        with self._sentence():
            self.saver = SqliteSaver(self._connect("rwc"))
            self.saver.setup()

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        opened = sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=WAIT_SECONDS)
        self._opened = identity(self.path)
        return opened

    @contextmanager
    def used(self) -> Iterator[None]:
        with self._sentence():
            if identity(self.path) != self._opened:
                with self.saver.lock:
                    self.saver.conn, before = self._connect("rw"), self.saver.conn
                    self.saver.is_setup = False
                    before.close()
                self.saver.setup()
            yield

    @contextmanager
    def _sentence(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise storage_error(f"The conversations in {self.path} cannot be used", error) from error

    def threads(self, space: str) -> list[str]:
        with self.saver.cursor(transaction=False) as cursor:
            return [row[0] for row in cursor.execute(LATEST.replace("%s", "?"), [len(space), space])]

    def idle(self, before: str) -> list[str]:
        with self.saver.cursor(transaction=False) as cursor:
            return [row[0] for row in cursor.execute(IDLE.replace("%s", "?"), [before])]

    def forget(self, mention: Mention) -> int:
        with closing(self._connect("rw")) as connection:
            threads: set[str] = set()
            for table, column in (("checkpoints", "checkpoint"), ("writes", "value")):
                query = f"SELECT thread_id, {column} FROM {table} WHERE instr({column}, CAST(? AS BLOB)) > 0"
                for needle in mention.needles:
                    rows = connection.execute(query, [needle])
                    threads |= {thread for thread, content in rows if mention.within(content)}
            with connection:
                for table in ("checkpoints", "writes"):
                    found = [(thread,) for thread in sorted(threads)]
                    connection.executemany(f"DELETE FROM {table} WHERE thread_id = ?", found)
            # Deleted pages stay readable in the file and in its log until both are written anew.
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(threads)

    def close(self) -> None:
        self.saver.conn.close()


class _Server:
    """A PostgreSQL database, through a pool whose connections are tried before they are used."""

    def __init__(self, url: str) -> None:
        try:
            from langgraph.checkpoint.postgres import PostgresSaver
            from psycopg.rows import dict_row
            from psycopg_pool import ConnectionPool
        except ModuleNotFoundError as error:
            raise OperatorError(
                f"state_url: {error.name} is not installed; run: pip install 'segment-assistant[postgres]'"
            ) from error
        self._pool: Any = ConnectionPool(
            conninfo(url),
            kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
            min_size=0,
            max_size=20,
            timeout=10,
            check=ConnectionPool.check_connection,
            open=True,
        )
        with self.used():
            self.saver = PostgresSaver(self._pool)
            self._set_up()

    def _set_up(self) -> None:
        """One process at a time. None waits within a query: the indexes are made when no query is under way."""
        lock = "hashtextextended('segassist conversations', 0)"
        with self._pool.connection() as connection:
            while not connection.execute(f"SELECT pg_try_advisory_lock({lock}) AS mine").fetchone()["mine"]:
                time.sleep(0.1)
            try:
                self.saver.setup()
            finally:
                connection.execute(f"SELECT pg_advisory_unlock({lock})")

    @contextmanager
    def used(self) -> Iterator[None]:
        import psycopg
        from psycopg_pool import PoolTimeout

        try:
            yield
        except (psycopg.Error, PoolTimeout) as error:
            raise storage_error(FAILED, error) from error

    def threads(self, space: str) -> list[str]:
        with self._pool.connection() as connection:
            return [row["thread_id"] for row in connection.execute(LATEST, [len(space), space])]

    def idle(self, before: str) -> list[str]:
        with self._pool.connection() as connection:
            return [row["thread_id"] for row in connection.execute(IDLE, [before])]

    def forget(self, mention: Mention) -> int:
        with self._pool.connection() as connection, connection.transaction():
            threads: set[str] = set()
            for table, content in BLOBS.items():
                query = f"SELECT thread_id, {content} AS content FROM {table} WHERE position(%s::bytea IN {content}) > 0"
                for needle in mention.needles:
                    rows = connection.execute(query, [needle.encode()])
                    threads |= {row["thread_id"] for row in rows if mention.within(bytes(row["content"]))}
            for table in BLOBS:
                connection.execute(f"DELETE FROM {table} WHERE thread_id = ANY(%s)", [sorted(threads)])
        return len(threads)

    def close(self) -> None:
        self._pool.close()


def is_copy(thread: str) -> bool:
    """Whether a thread, of whichever user, is a copy of where a conversation stood. What a person named is none."""
    return bool(_COPY.fullmatch(thread.rpartition(":")[2]))


def _first_id(at: datetime) -> str:
    """The least id of a checkpoint that was made at that time: a UUID of version 6, which begins with the time."""
    ticks = (at - GREGORIAN) // timedelta(microseconds=1) * 10
    return f"{ticks >> 28:08x}-{(ticks >> 12) & 0xFFFF:04x}-6{ticks & 0xFFF:03x}"
