"""Files of another encoding as UTF-8, which is all that the engine reads: copies that live as long as one reading.

Converted piece by piece, so that a file may be larger than memory, and strictly: one that is not in its encoding is named
with the line, and nothing of it is read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from gzip import GzipFile
from pathlib import Path
from typing import IO

import duckdb

from segments.errors import DataError
from warehouse.connection import folder_beside
from warehouse.encodings import BROKEN, CHUNK, UTF16_MARKS, codec_of, detected, opened, parquet

HEAD = CHUNK
"""Bytes from the beginning of a file that hold its first rows."""
_NEVER = re.compile("[\0\x80-\x9f]")
"""Signs that no text holds: they are what letters of another encoding become."""


@dataclass
class Utf8Copies:
    """Files as UTF-8, each converted once, into `folder`. made: file, codec and whether only its head -> its copy."""

    folder: Path
    made: dict[tuple[Path, str, bool], Path] = field(default_factory=dict)

    def of(self, path: Path, encoding: str, *, head: bool = False) -> Path:
        """What to read for a file that is said to be in an encoding (empty: UTF-8). head: its first rows will do.

        Raises DataError naming the file and the line that is not in the encoding.
        """
        codec = codec_of(encoding) if encoding else "utf-8"
        if codec == "utf-8":
            return path
        key = (path, codec, head)
        if key not in self.made:
            place = self.folder / str(len(self.made))
            place.mkdir(parents=True, mode=0o700)
            copy = place / path.name.removesuffix(".gz")
            _convert(path, copy, encoding, HEAD if head else None)
            self.made[key] = copy
        return self.made[key]

    def in_words(self, said: str) -> str:
        """What is said of copies, as of the files they were made from."""
        for (path, _, _), copy in self.made.items():
            said = said.replace(str(copy), str(path))
        return said


@contextmanager
def utf8_copies(connection: duckdb.DuckDBPyConnection) -> Iterator[Utf8Copies]:
    """A place for copies beside what a connection spills, gone with the block; its DataErrors name the files."""
    with folder_beside(connection) as folder:
        copies = Utf8Copies(folder)
        try:
            yield copies
        except DataError as error:
            said = copies.in_words(str(error))
            if said == str(error):
                raise
            raise DataError(said) from error


def _convert(path: Path, copy: Path, encoding: str, most: int | None) -> None:
    """Write a file as UTF-8: all, or its first bytes. Raises DataError where it is not in the encoding."""
    if parquet(path):
        raise DataError(f"encoding: {path} is Parquet, which is UTF-8; leave encoding out of its table.")
    try:
        with opened(path) as file, copy.open("wb") as out:
            is_utf8 = _write(path, file, out, encoding, most)
    except BROKEN as error:
        raise DataError(f"cannot read {path}: it is no whole gzip file ({error}).") from error
    if is_utf8:
        raise DataError(
            f"encoding: {path} is UTF-8, not {encoding}; give files of UTF-8 a table of their own, without encoding."
        )


def _write(path: Path, file: IO[bytes] | GzipFile, out: IO[bytes], encoding: str, most: int | None) -> bool:
    """Whether the file was read to its end and is UTF-8 anyway, with signs beyond ASCII: other text hardly ever is."""
    codec, piece, line = codec_of(encoding), file.read(CHUNK), 1
    wide = codec.startswith("utf-16")
    if wide and piece and b"\0" not in piece:
        raise DataError(_not_in(path, encoding, line))
    if codec == "utf-16" and not piece.startswith(UTF16_MARKS):
        codec = "utf-16-le"  # as Windows writes it
    decoder, plain = codecs.getincrementaldecoder(codec)(), _Plain()
    while True:
        try:
            text = decoder.decode(piece, not piece)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(codec, "ignore")
            raise DataError(_not_in(path, encoding, line + before.count("\n"))) from error
        wrong = _NEVER.search(text)
        if wrong:
            raise DataError(_not_in(path, encoding, line + text.count("\n", 0, wrong.start())))
        out.write(text.encode())
        plain.take(piece)
        if not piece:
            return plain.is_utf8 and not wide
        if most is not None and file.tell() >= most:
            return False
        line += text.count("\n")
        piece = file.read(CHUNK)


class _Plain:
    """Whether what was taken is UTF-8, and holds anything beyond ASCII."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._holds, self._beyond = True, False

    def take(self, piece: bytes) -> None:
        if self._holds:
            self._beyond = self._beyond or not piece.isascii()
            try:
                self._decoder.decode(piece, not piece)
            except UnicodeDecodeError:
                self._holds = False

    @property
    def is_utf8(self) -> bool:
        return self._holds and self._beyond


def _not_in(path: Path, encoding: str, line: int) -> str:
    found = detected(path)
    hint = f" It may be {found.encoding}: {found.why}." if found else ""
    return f"encoding: {path} is not {encoding}: line {line} cannot be read as that.{hint}"
