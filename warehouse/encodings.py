"""The encodings that files of text have beside UTF-8: which there are, and which one a file seems to have."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CHUNK = 1 << 20
"""Bytes that are read at once."""
LOOKED_AT = 64 << 20
"""Bytes of a file that are looked at to tell its encoding."""
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error)
"""What reading a gzip file that is not whole raises."""
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_READ_AS = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "utf-8-sig": "utf-8"}
"""Encodings that are read as one that holds more, as browsers do (WHATWG's Encoding Standard)."""
_FIRST_LEVEL = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]")
_WESTERN = {*"€‚ƒ„…†‡ˆ‰‹‘’“”•–—˜™›", *map(chr, range(0xA0, 0x100))}
"""What western European files hold beyond ASCII."""


@dataclass(frozen=True)
class Detected:
    """The encoding that a file seems to have, as a mapping says it, and why."""

    encoding: str
    why: str


def codec_of(encoding: str) -> str:
    """Python's name of an encoding that files may have. Raises LookupError for another."""
    name = codecs.lookup(encoding).name
    name = _READ_AS.get(name, name)
    plain = bytes([*b"\t\n\r", *range(32, 127)])
    # Of those in which ASCII is written otherwise, only UTF-16 is met in files of tables.
    if not name.startswith("utf-16") and plain.decode(name, "replace") != plain.decode("ascii"):
        raise LookupError(encoding)
    codecs.getincrementaldecoder(name)
    return name


def is_encoding(value: object) -> bool:
    """Whether files may have an encoding of this name."""
    try:
        codec_of(value if isinstance(value, str) else "")
    except (LookupError, ValueError):
        return False
    return True


def parquet(path: Path) -> bool:
    """Whether a file is Parquet, which is no text, by its ending."""
    return ".parquet" in (suffix.lower() for suffix in path.suffixes)


def opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    """The bytes of a file, plain or gzip."""
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def detected(path: Path) -> Detected | None:
    """The encoding that a file of text has beside UTF-8; None for UTF-8, and where nothing tells it.

    Only strict readings count: UTF-16 by its mark or its zero bytes, GB18030 where the signs are everyday Chinese ones,
    Windows-1252 where letters and signs of western Europe stand among ASCII. Of the first 64 MB.
    """
    try:
        return _detected(path)
    except BROKEN:
        return None


def _detected(path: Path) -> Detected | None:
    with opened(path) as file:
        wide = _utf16(file.read(CHUNK))
    if wide:
        return Detected(
            wide, "it begins with the mark of UTF-16, or every other byte of its first lines is zero"
        )
    if _beyond_ascii(path, "utf-8") is not None:
        return None
    chinese = _beyond_ascii(path, "gb18030")
    if chinese and _everyday(chinese):
        return Detected("gb18030", f"it is not UTF-8, and as Chinese it reads {_shown(chinese)}")
    western = _beyond_ascii(path, "cp1252")
    if western and _western(western):
        return Detected("windows-1252", f"it is not UTF-8, and as western text it reads {_shown(western)}")
    return None


def _utf16(begun: bytes) -> str:
    """Which UTF-16 a file is that begins so; empty for none."""
    if begun.startswith(UTF16_MARKS):
        return "utf-16"
    for name, other in (("utf-16-le", 1), ("utf-16-be", 0)):
        # What parts the columns and rows is ASCII in every file.
        if begun[other::2].count(0) > len(begun) / 16 and not begun[1 - other :: 2].count(0):
            return name
    return ""


def _beyond_ascii(path: Path, codec: str) -> Counter[str] | None:
    """How often a file holds each run of signs beyond ASCII; None where it is not in the encoding."""
    decoder = codecs.getincrementaldecoder(codec)()
    found: Counter[str] = Counter()
    with opened(path) as file:
        for _ in range(LOOKED_AT // CHUNK):
            piece = file.read(CHUNK)
            try:
                found.update(re.findall(r"[^\x00-\x7f]+", decoder.decode(piece, not piece)))
            except UnicodeDecodeError:
                return None
            if not piece:
                break
    return found


def _everyday(runs: Counter[str]) -> bool:
    """Whether text read as GB18030 is mostly of the 3,755 most used characters, the first level of GB 2312: another
    encoding of the same bytes gives rare ones."""
    signs: Counter[str] = Counter()
    for run, times in runs.items():
        for sign in run:
            signs[sign] += times
    written = {sign: times for sign, times in signs.items() if "\u4e00" <= sign <= "\u9fff"}
    usual = sum(times for sign, times in written.items() if _FIRST_LEVEL.fullmatch(sign.encode("gb18030")))
    return usual >= 0.8 * sum(written.values()) and sum(written.values()) >= 0.5 * signs.total()


def _western(runs: Counter[str]) -> bool:
    """Whether text read as Windows-1252 is of its letters and signs, nearly always one at a time among ASCII: the letters
    of another alphabet stand together."""
    alone = sum(times for run, times in runs.items() if len(run) == 1)
    return {sign for run in runs for sign in run} <= _WESTERN and alone >= 0.8 * runs.total()


def _shown(runs: Counter[str]) -> str:
    """The most frequent signs, not words: those may be somebody's name."""
    signs: Counter[str] = Counter()
    for run, times in runs.most_common(1000):
        signs.update(dict.fromkeys(run, times))
    return ", ".join(sign for sign, _ in signs.most_common(6))
