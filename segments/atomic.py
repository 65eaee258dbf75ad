"""Files written whole or not at all: beside their place first, then moved over it. And their checksum."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; moved over it when the block ends well, removed when it does not.

    The name is the writer's own, so that two writers of one file never mix.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all."""
    with beside(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, whole or not at all."""
    with beside(path) as partial:
        partial.touch(0o600)
        partial.write_bytes(content)


def made_once(path: Path, content: bytes) -> bytes:
    """A file's bytes; where there is none, `content` is written first, whole, for the owner alone.

    Of two writers the first one wins, and both read what it wrote.
    """
    if not path.exists():
        partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            with suppress(FileExistsError):
                os.link(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    return path.read_bytes()


def sha256_of(path: Path) -> str:
    """A file's SHA-256 in hex, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
