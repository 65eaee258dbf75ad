"""A definition in words, in English or Chinese: what the marketer reads back and what the check compares."""

from __future__ import annotations

from typing import Literal

from segments.definition import Node
from segments.features import Catalogue
from segments.words_en import English
from segments.words_zh import Chinese

Language = Literal["en", "zh"]


def explain(node: Node, catalogue: Catalogue, language: Language = "en", currency: str = "$") -> str:
    """One sentence that says who belongs."""
    words = Chinese(catalogue, currency) if language == "zh" else English(catalogue, currency)
    return words.whole(node)
