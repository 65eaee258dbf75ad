"""A definition in words, in English or Chinese: what the marketer reads back and what the check compares."""

from __future__ import annotations

from typing import Literal

from segments.amounts import number
from segments.definition import Node
from segments.features import Catalogue
from segments.parameters import used_parameters
from segments.words_en import English
from segments.words_zh import Chinese

Language = Literal["en", "zh"]


def explain(node: Node, catalogue: Catalogue, language: Language = "en", currency: str = "$") -> str:
    """One sentence that says who belongs, and which of its numbers are the workspace's parameters."""
    words = Chinese(catalogue, currency) if language == "zh" else English(catalogue, currency)
    named = used_parameters(node)
    if not named:
        return words.whole(node)
    said = (", " if language == "en" else "，").join(
        f"{name} = {number(value)}" for name, value in named.items()
    )
    return f"{words.whole(node)} ({said})" if language == "en" else f"{words.whole(node)}（{said}）"
