"""The plan stage: one LLM call, under a JSON Schema made for this turn, that picks a tool and its segment.

The model chooses; it cannot invent: tools, segments and edits are those that the link stage found.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import prompts
from assistant.change_intents import DIFF
from assistant.intents import AHEAD, CAMPAIGN_CUES, TOOLS
from assistant.linking.link import Link
from assistant.llm import ChatModel
from assistant.market_intents import MARKET_TOOLS
from assistant.one_customer import EXPLAIN
from segments.codec import from_json
from segments.definition import EventCondition, InCluster, MemberOf, Node, conditions
from segments.errors import DefinitionError, ModelRetryError
from segments.explain import explain
from segments.features import Catalogue

ON_CAMPAIGN = (
    "plan_strategy",
    "assign_holdout",
    "compare_plans",
    "backtest_strategy",
    "dial_lookalikes",
    "write_copy",
    "save_plan",
)
"""Tools that plan or run a campaign for a segment."""
ON_SEGMENT = (
    "profile_segment",
    "find_lookalikes",
    "score_propensity",
    "estimate_uplift",
    "customer_value",
    "recommend_products",
    *ON_CAMPAIGN,
    "save_segment",
    "show_segment",
    "compare_segments",
    "trend_segment",
    DIFF,
    "breakdown_segment",
)
"""Tools that work on a segment: the one that the message describes, or the current one."""
OF_THOSE_AT_HAND = ("save_segment", "assign_holdout", "compare_plans", "dial_lookalikes", "save_plan", DIFF)
"""Those of them that a message asks of the segment at hand, whatever else it names."""
OF_EVERYONE = (*AHEAD, "breakdown_segment", "trend_segment")
"""Tools that work on everyone where there is no segment."""
DESCRIBED, CURRENT = "described", "current"
READ_AGAIN = "read_again"
"""Marks an edit that was read a second time, and otherwise than its words had been."""


@dataclass(frozen=True)
class Plan:
    """What to do this turn. segment: 'described' by the message, 'current', or None for a tool without one."""

    tool: str
    segment: str | None = None
    edits: tuple[str, ...] = ()
    reason: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def read_twice(self) -> bool:
        """Whether its segment is one that two readings of the message were weighed for."""
        return self.segment == DESCRIBED or READ_AGAIN in self.arguments

    @property
    def counts_other(self) -> bool:
        """Whether its tool counts another reading beside the one that is taken, where there is one."""
        return self.tool == "define_segment" or READ_AGAIN in self.arguments


def offered_tools(link: Link, has_segment: bool) -> tuple[str, ...]:
    """The tools that the message's words and the conversation allow: one where it is known what is asked for."""
    if link.asked == "refine_segment" and not link.edits:
        return ("clarify",)
    if link.asked is not None:
        return (link.asked,)
    if set(link.intents.tools) & {*MARKET_TOOLS, EXPLAIN, DIFF}:
        return link.intents.tools
    offered = set(link.intents.tools)
    plain = not (link.intents.destructive or link.missing)
    if plain and offered and offered <= CAMPAIGN_CUES.keys():
        return tuple(offered)
    if link.reading is not None:
        offered.add("define_segment")
    if has_segment and link.edits:
        offered.add("refine_segment")
    if not has_segment and link.reading is None:
        # Offered all the same, so that the answer can say that a segment is missing.
        offered -= {*ON_SEGMENT, "refine_segment"} - {
            "show_segment",
            "compare_segments",
            *ON_CAMPAIGN,
            *OF_EVERYONE,
        }
        if link.intents.customer is not None:
            offered.add("find_lookalikes")
    if link.intents.destructive:
        offered -= {"define_segment", "refine_segment", "delete_segment"}
    nothing = link.reading is None and not (link.edits or link.intents.tools)
    if (
        link.missing
        or link.intents.destructive
        or (nothing and not (link.names_customers or (has_segment and link.means_them)))
    ):
        offered.add("refuse")
    if nothing or (link.missing and link.reading is None):
        offered.add("clarify")
    return tuple(tool for tool in TOOLS if tool in offered) or ("clarify",)


def schema(link: Link, tools: Collection[str], has_segment: bool) -> dict[str, Any]:
    """The narrow JSON Schema of this turn."""
    return {"anyOf": [_tool_schema(tool, link, has_segment) for tool in tools]}


def _tool_schema(tool: str, link: Link, has_segment: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {"tool": {"const": tool}}
    described = [DESCRIBED] if link.reading is not None else []
    if tool == "define_segment":
        properties["segment"] = {"enum": described}
    elif tool in ON_SEGMENT and (described or has_segment):
        # Who names a segment means it and no other.
        named = isinstance(link.reading, MemberOf | InCluster) or _describes(tool, link)
        properties["segment"] = {"enum": [*described, *([CURRENT] if has_segment and not named else [])]}
    elif tool == "refine_segment":
        properties["edits"] = {
            "type": "array",
            "items": {"enum": list(link.edit_ids)},
            "minItems": 1,
            "maxItems": len({edit.source for edit in link.edits}),
        }
    elif tool == "refuse":
        reasons = ["destructive"] if link.intents.destructive else ["out_of_scope"]
        if link.unknown and not link.intents.destructive:
            reasons.append("unknown_field")
        properties["reason"] = {"enum": reasons}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _describes(tool: str, link: Link) -> bool:
    """Whether a message that is known to ask for a tool also describes whom it asks of: of 255 messages of two authors,
    with another segment at hand, 162 of 173 that do hold a description, and 10 of 82 that do not, 7 of which are left out
    here: goods known by a word of their names alone ('clean cell'), and tools of the segment at hand."""
    if link.asked != tool or tool in OF_THOSE_AT_HAND or link.reading is None:
        return False
    return any(not (isinstance(c, EventCondition) and c.items.text) for c in conditions(link.reading))


def turn_text(link: Link, current: Node | None, catalogue: Catalogue) -> str:
    """The changing end of the prompt: what was found, then the message."""
    lines = [f"current: {'none' if current is None else explain(current, catalogue)}"]
    if link.reading is not None:
        lines.append(f"{DESCRIBED}: {explain(link.reading, catalogue)}")
    for i, edit in enumerate(link.edits, 1):
        target = "" if edit.target is None else _words(edit.target, catalogue)
        node = "" if edit.node is None else _words(edit.node, catalogue)
        lines.append(f"e{i}: {edit.kind}: " + (f"{target} -> {node}" if target and node else target or node))
    if link.missing:
        lines.append("Not in the data: " + ", ".join(link.missing[:8]))
    lines.append(f"Message: {link.message}")
    return "\n".join(lines)


def _words(node: Node, catalogue: Catalogue) -> str:
    return explain(node, catalogue).removeprefix("customers who ")


def instructions() -> list[tuple[str, str]]:
    """The part of the prompt that is the same every turn: instructions and worked examples."""
    shown: list[tuple[str, str]] = [("system", prompts.load("plan_system.md"))]
    for example in prompts.examples("plan_examples.jsonl"):
        shown.append(("human", example["input"]))
        shown.append(("ai", json.dumps(example["output"], ensure_ascii=False)))
    return shown


def make_plan(
    model: ChatModel, link: Link, current: Node | None, catalogue: Catalogue, correction: str | None = None
) -> Plan:
    """Ask the model for the plan; `correction` tells it what was wrong with its last one."""
    text = turn_text(link, current, catalogue)
    if correction:
        text += f"\nCorrection: {correction}"
    has_segment = current is not None
    allowed = schema(link, offered_tools(link, has_segment), has_segment)
    return read_plan(model.json([*instructions(), ("human", text)], allowed))


def likeliest_edits(link: Link, current: Node) -> Plan:
    """The plan of a message that is known to change the segment: the likeliest edit of each part of its words, but of what
    another has changed already. Of 15 edits in others' wording that leave a choice the model's finds the same customers."""
    chosen, sources, targets, segment = list[str](), set[str](), list[Node](), current
    for name, edit in zip(link.edit_ids, link.edits, strict=True):
        if edit.source in sources:
            continue
        sources.add(edit.source)
        try:
            changed = edit.apply(segment)
        except DefinitionError:
            continue
        if edit.target is None or edit.target not in targets:
            segment = changed
            chosen.append(name)
            targets += [] if edit.target is None else [edit.target]
    return Plan("refine_segment", edits=tuple(chosen))


def with_every_change(plan: Plan, link: Link, current: Node) -> Plan:
    """The plan with the changes of every part of the words, where it has only some of them and each part puts another value
    into a condition that is there: 'discount 15 % will do, and five coupons in half a year'."""
    if not set(plan.edits) <= set(link.edit_ids):
        return plan
    likeliest = likeliest_edits(link, current)
    every = all(link.edit(name).kind == "change" for name in likeliest.edits)
    some, all_of_them = ({link.edit(name).source for name in each.edits} for each in (plan, likeliest))
    return likeliest if every and some < all_of_them else plan


def read_plan(answer: dict[str, Any]) -> Plan:
    """The model's JSON as a Plan, repetitions dropped. Raises ModelRetryError for fields of a wrong type."""
    edits = answer.get("edits", [])
    if not isinstance(edits, list) or not all(isinstance(edit, str) for edit in edits):
        raise ModelRetryError('"edits" must be a list of ids such as ["e1"].')
    for name in ("tool", "segment", "reason"):
        if not isinstance(answer.get(name, ""), str):
            raise ModelRetryError(f'"{name}" must be a text.')
    return Plan(
        tool=str(answer.get("tool")),
        segment=answer.get("segment"),
        edits=tuple(dict.fromkeys(edits)),
        reason=answer.get("reason"),
    )


def definition_of(plan: Plan, link: Link) -> Node | None:
    """The segment that the plan takes from the message, or was given; None when it takes none."""
    if "definition" in plan.arguments:
        return from_json(plan.arguments["definition"])
    return link.reading if plan.segment == DESCRIBED else None


def edited(plan: Plan, link: Link, current: Node) -> Node:
    """The current segment after the plan's edits."""
    out = current
    for name in plan.edits:
        out = link.edit(name).apply(out)
    return out
