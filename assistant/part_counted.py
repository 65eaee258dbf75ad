"""A part of the segment that was only counted, and then changed: 'how many of them have not come for 30 days?',
'make the 30 days two weeks'."""

from __future__ import annotations

from collections.abc import Callable

from assistant.back import KEPT_TURNS
from assistant.linking.link import Link
from assistant.turn import State
from segments.codec import from_json, to_json
from segments.definition import AllOf, Node, conditions


def narrowed_to_part(question: str, state: State, link: Callable[[str, Node], Link]) -> State:
    """The segment narrowed to the part that was counted last, as the current one, where a message changes what was said of
    that part; nothing else. link: links a message beside a segment."""
    current, called = state.get("current"), state.get("called", [])
    if not current or not called or called[-1]["name"] != "count_part":
        return {}
    whole, part = from_json(current), from_json(called[-1]["arguments"]["part"])
    both = AllOf((whole, part))
    said = set(conditions(part)) - set(conditions(whole))
    edits = link(question, both).edits
    if not edits or any(edit.kind != "change" or edit.target not in said for edit in edits):
        return {}
    return {"current": to_json(both), "trail": [*state.get("trail", []), current][-KEPT_TURNS:], "led": []}
