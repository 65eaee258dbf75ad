"""A workspace's state in SQL: SQLite by default, any database by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DatabaseError, IntegrityError

from segments.errors import StorageError


def open_engine(url: str | Path, **options: Any) -> Engine:
    """The engine of an SQLite file or of a database's URL."""
    return create_engine(f"sqlite:///{url}" if isinstance(url, Path) else url, **options)


@contextmanager
def transaction(engine: Engine, failed: str) -> Iterator[Connection]:
    """One transaction. Raises StorageError that begins with `failed`.

    IntegrityError is left to the caller, who knows what it means.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except DatabaseError as error:
        raise StorageError(f"{failed} ({error.orig}); free the file or disk.") from error
