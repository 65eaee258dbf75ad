"""The check stage: can the plan be run, does what it defines hold, does it keep what was said? One sentence for each fault.

What a plan may name is bounded by the turn's schema, but a server may not honour it: everything is checked
again here.
"""

from __future__ import annotations

from dataclasses import replace

from assistant.linking.link import Link
from assistant.negation import negates, said_negation
from assistant.plan import CURRENT, DESCRIBED, ON_SEGMENT, Plan, definition_of, edited, offered_tools
from assistant.replies import REFUSE
from segments.check import issues
from segments.definition import Node
from segments.errors import DefinitionError, Sentence
from segments.vocabulary import Vocabulary


def mistakes(plan: Plan, link: Link, current: Node | None) -> list[Sentence]:
    """What the model got wrong, each as a sentence: tools, segments and edits that are not offered."""
    offered = offered_tools(link, current is not None)
    if plan.tool not in offered:
        accepted = ", ".join(offered)
        return [
            Sentence(
                f"'{plan.tool}' is not a tool of this turn; use one of {accepted}.",
                f"“{plan.tool}”不是本轮的工具；可用{accepted}。",
            )
        ]
    segments = [DESCRIBED] if link.reading is not None else []
    if plan.tool == "define_segment" and plan.segment not in segments:
        return [
            Sentence(f"define_segment needs the segment {DESCRIBED}.", f"define_segment需要分群{DESCRIBED}。")
        ]
    if plan.tool in ON_SEGMENT and plan.segment not in (None, *segments, *([CURRENT] if current else [])):
        return [
            Sentence(f"'{plan.segment}' is not a segment of this turn.", f"“{plan.segment}”不是本轮的分群。")
        ]
    if plan.tool == "refuse" and plan.reason not in REFUSE:
        reasons = ", ".join(REFUSE)
        return [Sentence(f"refuse needs a reason of {reasons}.", f"refuse需要一个理由：{reasons}。")]
    if plan.tool == "refine_segment" and (not plan.edits or not set(plan.edits) <= set(link.edit_ids)):
        accepted = ", ".join(link.edit_ids)
        return [Sentence(f"refine_segment needs edits of {accepted}.", f"refine_segment需要修改{accepted}。")]
    return []


def unsaid(plan: Plan, link: Link) -> list[Sentence]:
    """What the segment of a plan plainly lacks of the message: a negation, where it leaves nobody out. Numbers, times and
    goods that it lacks the link tells (`Link.unused`)."""
    edits = [link.edit(name) for name in plan.edits]
    if edits:
        made = [] if any(edit.kind in ("remove", "change") for edit in edits) else [e.node for e in edits]
    else:
        made = [definition_of(plan, link)] if plan.segment == DESCRIBED and link.other is None else []
    nodes = [node for node in made if node is not None]
    word = said_negation(link.message, link.language) if nodes else None
    if word is None or any(map(negates, nodes)):
        return []
    return [
        Sentence(
            f"Your message says '{word}', but this segment leaves nobody out: please check it.",
            f"您的话里有“{word}”，但这个分群没有排除任何人，请核对。",
        )
    ]


def objections(plan: Plan, link: Link, current: Node | None, vocabulary: Vocabulary) -> list[Sentence]:
    """Why the segment of a plan without mistakes does not hold, each as a sentence for model or marketer."""
    try:
        result = edited(plan, link, current) if plan.edits and current else definition_of(plan, link)
    except DefinitionError as error:
        return list(error.issues)
    return issues(result, vocabulary) if result is not None else []


def instead(plan: Plan, link: Link, current: Node | None, vocabulary: Vocabulary) -> Plan | None:
    """Another edit by the same words, where the plan's does not hold; None where there is none that does."""
    if len(plan.edits) != 1:
        return None
    chosen = link.edit(plan.edits[0])
    for number, edit in enumerate(link.edits, 1):
        other = replace(plan, edits=(f"e{number}",))
        if (
            edit.source == chosen.source
            and edit != chosen
            and not objections(other, link, current, vocabulary)
        ):
            return other
    return None
