"""A second reading of an edit, by the model that writes segments as sketches: beside the conversation that led to the
current segment, and beside the segment's own words. What it makes of both alike leads, with the edit told beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.linking.linker import Link
from assistant.plan import READ_AGAIN, Plan, edited
from assistant.second_reading import SecondReader, doubtful
from segments.codec import to_json
from segments.definition import Node
from segments.explain import Language

ENDS = (".", "?", "!", "。", "？", "！")


def reread(
    second: SecondReader,
    plan: Plan,
    link: Link,
    current: Node,
    tellings: Sequence[str],
    *,
    nothing: bool,
    always: bool,
) -> tuple[Plan, Link] | None:
    """The plan of another reading, with the edit beside it as the link's alternative; None where there is no other.

    tellings: what tells the current segment. nothing: whether the edit that was planned does not hold. always: whether to
    read again what left no doubt. In the dev split's conversations both tellings agreed on another reading than the edit's
    in 9: it was right in 8, the edit in 3. Raises LLMUnavailableError.
    """
    nothing = nothing or (plan.tool == "clarify" and plan.reason is None)
    edits = [link.edit(name) for name in plan.edits]
    # What takes a condition away or lets more in, the model has not learned.
    readable = bool(edits) and not any(edit.settled or edit.kind in ("remove", "widen") for edit in edits)
    if not (nothing or (readable and (always or doubtful(link)))):
        return None
    edit = None if nothing else edited(plan, link, current)
    found = second.edited(link, current, tellings, edit)
    if found is None:
        return None
    told = replace(link, alternative=edit, confidence="medium" if edit is None else "low")
    return Plan("refine_segment", arguments={"definition": to_json(found), READ_AGAIN: True}), told


def led_to(plan: Plan, led: Sequence[str], message: str) -> list[str]:
    """The messages that lead to the segment of a plan, after those that led to the one before; none where words do not."""
    if "confirmed" in plan.arguments or plan.tool not in ("define_segment", "refine_segment"):
        return []
    return [message] if plan.tool == "define_segment" else [*led, message] if led else []


def as_sentence(text: str, language: Language) -> str:
    """The text with an end."""
    text = text.strip()
    return text if text.endswith(ENDS) else text + ("。" if language == "zh" else ".")
