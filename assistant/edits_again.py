"""A second reading of an edit, by the model that writes segments as sketches: beside the segment's own words and, where
that finds others than the edit does, beside the messages that led to the segment. It leads unless one of the two speaks
for the edit, which is told beside it. Where both find the same with some certainty, it need not be what the words' rules
hold an edit to be, nor even what they do not refuse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.linking.edits import Edit
from assistant.linking.link import Confidence, Link
from assistant.plan import READ_AGAIN, Plan, edited
from assistant.second_reading import SecondReader, Sketch, doubtful, said_outright
from assistant.sketch import sketchable
from segments.codec import to_json
from segments.definition import Node, conditions
from segments.explain import Language

PLAINLY = 0.9
"""From which probability a reading leads where the words put another number or time into the one condition that can take
it: 'tighten to 60' is read as more than 60 days with less."""
ENDS = (".", "?", "!", "。", "？", "！")


def reread(
    second: SecondReader,
    plan: Plan,
    link: Link,
    current: Node,
    told: str,
    led: str,
    *,
    nothing: bool,
    always: bool,
) -> tuple[Plan, Link] | None:
    """The plan of another reading, with the edit beside it as the link's alternative; None where there is no other.

    told: the current segment in words. led: the messages that led to it, empty where none did. nothing: whether the edit
    that was planned does not hold. always: whether to read again what left no doubt. Of 33 edits in others' wording that
    no pair was learned from, 10 are right by the edit and 22 so; of the dev split's 114 conversations, which the edits were
    made for, 86 and 97. Raises LLMUnavailableError.
    """
    nothing = nothing or (plan.tool == "clarify" and plan.reason is None)
    edits = [link.edit(name) for name in plan.edits]
    wished = nothing or (_readable(edits, link) and (always or doubtful(link)))
    if not (wished and sketchable(current)):
        return None
    edit = None if nothing else edited(plan, link, current)
    sure = not (nothing or doubtful(link))
    said = {word for each in edits if sure and each.node is not None for word in said_outright(each.node)}
    kinds = {each.kind for each in edits if not nothing}

    plainly = len(link.edits) == 1 and bool(edits) and edits[0].values

    def fits(sketch: Sketch, members: set[str], before: set[str], twice: bool) -> bool:
        """It loses no condition where the edit's words change one, has no further one where they take one away, is quite
        sure where they put another number or time where only one condition can take it or every clause is read, and,
        unless it was read twice, holds what they say outright and lets nobody in where they narrow."""
        if sketch.node is None or (plainly and sketch.probability < PLAINLY):
            return False
        more = len(list(conditions(sketch.node))) - len(list(conditions(current)))
        loses = kinds == {"change"} and more < 0
        gains = kinds == {"remove"} and more > 0 and not (link.unknown or link.unused)
        narrows = not (sure and kinds == {"add"}) or members <= before
        return not (loses or gains) and (twice or (said <= said_outright(sketch.node) and narrows))

    found = second.edited(link, current, told, led, edit, fits)
    if found is None or found[0] is edit:
        return None
    node, agreed = found
    confidence: Confidence = "medium" if agreed and edit is None else "low"
    beside = replace(link, alternative=edit, confidence=confidence)
    return Plan("refine_segment", arguments={"definition": to_json(node), READ_AGAIN: True}), beside


def instead_of_refusing(
    second: SecondReader, link: Link, current: Node, told: str, led: str
) -> tuple[Plan, Link] | None:
    """The plan of an edit by a message that else is refused for something that the data lack: what both readings find, or
    one of them and the words' only edit; None where they differ, and for what asks a question or for a tool. Raises
    LLMUnavailableError."""
    asks = _QUESTION.search(link.message) or link.intents.tools or link.intents.destructive
    if asks or not sketchable(current):
        return None
    only = link.edits[0].apply(current) if len(link.edits) == 1 else None
    found = second.edited(link, current, told, led, only, lambda _sketch, _members, _before, twice: twice)
    if found is None:
        return None
    node, _ = found
    arguments = {"definition": to_json(node), READ_AGAIN: True, "confirmed": True}
    beside = replace(link, missing=(), alternative=None, confidence="low")
    return Plan("refine_segment", arguments=arguments), beside


_QUESTION = re.compile(
    r"[?？]|^\W*(?:how|what|why|when|where|do|does|did|is|are|can|could)\b|多少|几[个位户人]|什么|啥|吗|呢$",
    re.IGNORECASE,
)


def _readable(edits: Sequence[Edit], link: Link) -> bool:
    """Whether edits may be read otherwise: not those of how many of the ranked, nor those that plainly let more in."""
    plain = all(edit.kind == "widen" for edit in edits) and not doubtful(link)
    return bool(edits) and not plain and not any(edit.ranks for edit in edits)


def led_to(plan: Plan, led: Sequence[str], message: str) -> list[str]:
    """The messages that lead to the segment of a plan, after those that led to the one before; none where words do not."""
    taken = "confirmed" in plan.arguments and READ_AGAIN not in plan.arguments
    if taken or plan.tool not in ("define_segment", "refine_segment"):
        return []
    return [message] if plan.tool == "define_segment" else [*led, message] if led else []


def as_sentence(text: str, language: Language) -> str:
    """The text with an end."""
    text = text.strip()
    return text if text.endswith(ENDS) else text + ("。" if language == "zh" else ".")
