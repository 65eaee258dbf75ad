"""Words as data: synonyms, abbreviations, Chinese item words, chatter, what retail data seldom has."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def table(name: str) -> dict[str, str]:
    """A tab-separated file: word -> meaning."""
    return dict(line.split("\t", 1) for line in _text(name).splitlines() if "\t" in line)


@cache
def words(name: str) -> frozenset[str]:
    """A file of words."""
    return frozenset(_text(name).split())


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The columns of a tab-separated file's lines; lines that begin with '# ' are comments."""
    lines = (line for line in _text(name).splitlines() if line and not line.startswith("# "))
    return tuple(tuple(line.split("\t")) for line in lines)


def _text(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
