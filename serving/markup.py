"""Text that a model, a person or the data wrote, made inert for a page that reads Markdown and HTML."""

from __future__ import annotations

from html import escape

_LIVE = (("[", "&#91;"), ("]", "&#93;"), ("://", "&#58;//"), ("www.", "www&#46;"))
"""What Markdown makes links and pictures of; the assistant's own answers have tables and bold text, but no link."""


def inert(text: str) -> str:
    """The text with its tags shown as they are written, and no link or picture in it."""
    text = escape(text, quote=False)
    for live, dead in _LIVE:
        text = text.replace(live, dead)
    return text
