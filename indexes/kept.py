"""What an index is made with, kept beside it from one making to the next: what the aggregate learned, and item texts'
vectors, which take longer than everything else.

Both are caches: where a file is missing or damaged, its content is made again and nothing of an answer changes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from indexes.behaviour import Aggregate
from segments.atomic import beside
from segments.ports import TextEncoder

AGGREGATE, TEXTS = "aggregate.npz", "texts.npz"


def keep_aggregate(folder: Path, learned: Aggregate) -> None:
    """Keep what was learned."""
    arrays = {field.name: getattr(learned, field.name) for field in fields(learned)}
    arrays["categories"] = _written(learned.categories)
    _write(folder / AGGREGATE, {name: array for name, array in arrays.items() if array is not None})


def kept_aggregate(folder: Path) -> Aggregate | None:
    """What was learned; None where there is nothing that can be read."""
    found = _read(folder / AGGREGATE)
    try:
        arrays = {field.name: found.get(field.name) for field in fields(Aggregate)}
        return Aggregate(**arrays | {"categories": tuple(_words(found["categories"]))})  # type: ignore[arg-type]
    except (KeyError, ValueError):
        return None


class KeptTexts:
    """A `TextEncoder` that keeps the vectors of texts in a folder and encodes only new ones."""

    def __init__(self, encoder: TextEncoder, folder: Path) -> None:
        self._encoder, self._folder, self.name = encoder, folder, encoder.name
        self._used: dict[str, np.ndarray] = {}
        self.encoded = 0

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._encoder.dimension

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 of shape (len(texts), dimension), rows of unit length."""
        asked = dict.fromkeys(texts)
        known = self._used if asked.keys() <= self._used.keys() else self._kept() | self._used
        new = [text for text in asked if text not in known]
        self.encoded += len(new)
        if new:
            known |= dict(zip(new, self._encoder.encode(new), strict=True))
        self._used |= {text: known[text] for text in asked}
        return np.stack([known[text] for text in texts])

    def save(self) -> None:
        """Keep the vectors of the texts that were asked for; of others nothing is kept."""
        if self._used:
            arrays = {"name": _written([self.name]), "texts": _written(list(self._used))}
            _write(self._folder / TEXTS, arrays | {"vectors": np.stack(list(self._used.values()))})

    def _kept(self) -> dict[str, np.ndarray]:
        found = _read(self._folder / TEXTS)
        try:
            if _words(found["name"]) != [self.name]:
                return {}
            return dict(zip(_words(found["texts"]), found["vectors"], strict=True))
        except (KeyError, ValueError):
            return {}


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file, whose checksums are looked at; none where it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as found:
            return dict(found)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return {}


def _written(words: Sequence[str]) -> np.ndarray:
    return np.frombuffer(json.dumps(list(words), ensure_ascii=False).encode(), dtype=np.uint8)


def _words(written: np.ndarray) -> list[str]:
    found: list[str] = json.loads(written.tobytes().decode())
    return found
