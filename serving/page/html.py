"""Small pieces of HTML for the page's views; whatever comes from data is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from assistant.naming import MAX_NAME
from serving.page.words import Say

ACTIONS = (Path(__file__).parent / "actions.js").read_text(encoding="utf-8")
"""Hands clicks and changes of elements with `data-do` to Python as the event `act`."""


_ICONS = {
    "up": "M12 19V5M5 12l7-7 7 7",
    "down": "M12 5v14M5 12l7 7 7-7",
    "duplicate": "M9 9h11v11H9zM5 15H4V4h11v1",
    "nest": "M8 4H5v16h3M16 4h3v16h-3M10 12h4",
    "remove": "M6 6l12 12M18 6L6 18",
}


def button(label: str, do: str, *, title: str = "", css: str = "", off: bool = False, **data: str) -> str:
    """A button whose click comes to Python as `{"do": do, **data}`. Its `data-key`, unless given, is what it does to what:
    it has the focus again when it is drawn anew."""
    data = {"key": ":".join([do, *data.values()])} | data
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    named = f' title="{escape(title)}" aria-label="{escape(title)}"' if title else ""
    css = escape(f"act {css}".strip())
    disabled = " disabled" if off else ""
    return f'<button type="button" class="{css}" data-do="{do}"{attributes}{named}{disabled}>{_face(label)}</button>'


def really(say: Say, title: str, name: str) -> str:
    """The question before something is deleted, with its two answers. title: as it is shown; name: as Python knows it."""
    yes = button(say("library.really"), "really", css="danger", name=name)
    question = f'<div role="alert">{escape(say("library.sure", name=title))}</div>'
    # The focus of the button that asked, and back to it.
    return question + yes + button(say("library.keep"), "keep", key=f"delete:{name}")


def renaming(say: Say, title: str, value: str, name: str) -> str:
    """The field for another name, with a way back. value: what it begins with."""
    label = escape(say("library.new_name", name=title))
    field = (
        f'<input type="text" data-do="renamed" data-name="{escape(name)}" data-key="rename:{escape(name)}" '
        f'value="{escape(value)}" '
        f'aria-label="{label}" maxlength="{MAX_NAME}">'
    )
    return field + button(say("library.keep"), "keep", key=f"rename:{name}")


def _face(label: str) -> str:
    """An icon by its name, else the text."""
    if label not in _ICONS:
        return escape(label)
    return f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{_ICONS[label]}"/></svg>'


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "", numbers: Sequence[int] = ()
) -> str:
    """A table; cells are HTML already. numbers: columns that are aligned as numbers. One that ends with words or buttons
    has its rows as blocks where it is narrow, so that these are in sight."""

    def cell(tag: str, place: int, content: str) -> str:
        css = ' class="number"' if place in numbers else ""
        named = ' scope="col"' if tag == "th" else f' data-head="{escape(head[place])}"'
        return f"<{tag}{css}{named}>{content}</{tag}>"

    top = "".join(cell("th", place, escape(title)) for place, title in enumerate(head))
    body = "".join(
        "<tr>" + "".join(cell("td", place, content) for place, content in enumerate(row)) + "</tr>"
        for row in rows
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    css = "scroll" if len(head) - 1 in numbers else "scroll blocks"
    return (
        f'<div class="{css}" tabindex="0" role="region" aria-label="{escape(caption or head[0])}">'
        f"<table>{said}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def pages(say: Say, page: int, each: int, total: int, where: str) -> str:
    """The way to the pages before and after one (from 0) of a list; nothing where there is one only. where: of the list's
    two places for it."""
    if total <= each:
        return ""
    first, last = page * each + 1, min(total, (page + 1) * each)
    back = button(say("pages.back"), "turn", off=not page, to=str(page - 1), key=f"back:{where}")
    on = button(say("pages.on"), "turn", off=last == total, to=str(page + 1), key=f"on:{where}")
    said = escape(say("pages.shown", first=first, last=last, total=total))
    return (
        f'<nav class="pages" aria-label="{escape(say(f"pages.{where}"))}">{back}<span>{said}</span>{on}</nav>'
    )


def notice(text: str, kind: str = "empty") -> str:
    """A sentence in place of content, or above it what was done. kind: empty, loading, done or error."""
    role = ' role="alert"' if kind == "error" else ' role="status"'
    return f'<div class="notice {kind}"{role}>{escape(text)}</div>'


def chip(text: str, kind: str = "") -> str:
    """A word in a box."""
    return f'<span class="chip {kind}">{escape(text)}</span>'


def sparkline(values: Sequence[int | None], label: str) -> str:
    """A line of sizes without axes, 240 by 48; gaps where a size is not shown."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(0, *known), max(1, *known)
    step = 232 / (len(values) - 1)
    parts: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            parts.append([])
        else:
            parts[-1].append(f"{4 + place * step:.1f},{44 - 40 * (value - low) / (high - low):.1f}")
    lines = "".join(f'<polyline points="{" ".join(part)}"/>' for part in parts if part)
    end = parts[-1][-1].split(",") if parts[-1] else None
    dot = f'<circle cx="{end[0]}" cy="{end[1]}" r="3.5"/>' if end else ""
    return (
        f'<svg class="spark" viewBox="0 0 240 48" role="img" aria-label="{escape(label)}">{lines}{dot}</svg>'
        f'<div class="hint">{escape(label)}</div>'
    )
