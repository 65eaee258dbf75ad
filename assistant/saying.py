"""Sentences of answers, in the marketer's language."""

from __future__ import annotations

from assistant.grounding import display, label
from segments.explain import Language
from segments.ports import Figure


def say(language: Language, en: str, zh: str) -> str:
    """The sentence in the language."""
    return zh if language == "zh" else en


def line(figure: Figure, language: Language, currency: str) -> str:
    return f"- {label(figure, language)}: {display(figure, currency)}"
