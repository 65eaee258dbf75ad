"""The check stage: can the plan be run, and does what it defines hold? One sentence for each mistake.

What a plan may name is bounded by the turn's schema, but a server may not honour it: everything is checked
again here.
"""

from __future__ import annotations

from assistant.linking.linker import Link
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
    if plan.tool == "refine_segment":
        edits = [f"e{i}" for i in range(1, len(link.edits) + 1)]
        if not plan.edits or not set(plan.edits) <= set(edits):
            accepted = ", ".join(edits)
            return [
                Sentence(f"refine_segment needs edits of {accepted}.", f"refine_segment需要修改{accepted}。")
            ]
    return []


def objections(plan: Plan, link: Link, current: Node | None, vocabulary: Vocabulary) -> list[Sentence]:
    """Why the segment of a plan without mistakes does not hold, each as a sentence for model or marketer."""
    try:
        result = edited(plan, link, current) if plan.edits and current else definition_of(plan, link)
    except DefinitionError as error:
        return list(error.issues)
    return issues(result, vocabulary) if result is not None else []
