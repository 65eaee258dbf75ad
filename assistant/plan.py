"""The plan stage: one LLM call, under a JSON Schema made for this turn, that picks a tool and conditions.

The model composes; it cannot invent: conditions, edits and tools are those that the link stage found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import prompts
from assistant.intents import TOOLS
from assistant.linking.linker import Link
from assistant.llm import ChatModel
from segments.definition import AllOf, AnyOf, Node
from segments.explain import explain
from segments.features import Catalogue

TAKES_CONDITIONS = frozenset(
    {
        "define_segment",
        "profile_segment",
        "find_lookalikes",
        "score_propensity",
        "recommend_products",
        "plan_strategy",
        "save_segment",
        "show_segment",
    }
)
NEEDS_SEGMENT = frozenset(
    {
        "refine_segment",
        "profile_segment",
        "find_lookalikes",
        "score_propensity",
        "recommend_products",
        "save_segment",
    }
)


@dataclass(frozen=True)
class Plan:
    """What to do this turn: a tool, the conditions of a new segment, or the edits of the current one."""

    tool: str
    all: tuple[str, ...] = ()
    any: tuple[tuple[str, ...], ...] = ()
    edits: tuple[str, ...] = ()
    reason: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Every condition id in the plan."""
        return self.all + tuple(name for group in self.any for name in group)


def offered_tools(link: Link, has_segment: bool) -> tuple[str, ...]:
    """The tools that the message's words and the conversation allow."""
    offered = set(link.intents.tools)
    if link.candidates:
        offered.add("define_segment")
    if has_segment and link.edits:
        offered.add("refine_segment")
    if not has_segment and not link.candidates:
        offered -= NEEDS_SEGMENT
    nothing_found = not link.candidates and not link.edits and not link.intents.tools
    if link.unknown or link.intents.destructive or nothing_found:
        offered.add("refuse")
    if nothing_found or (link.unknown and not link.candidates):
        offered.add("clarify")
    if link.intents.destructive:
        offered -= {"define_segment", "refine_segment", "delete_segment"}
    return tuple(tool for tool in TOOLS if tool in offered) or ("clarify",)


def schema(link: Link, tools: tuple[str, ...]) -> dict[str, Any]:
    """The narrow JSON Schema of this turn."""
    return {"anyOf": [_tool_schema(tool, link) for tool in tools]}


def _tool_schema(tool: str, link: Link) -> dict[str, Any]:
    properties: dict[str, Any] = {"tool": {"const": tool}}
    ids = [f"c{i}" for i in range(1, len(link.candidates) + 1)]
    if tool in TAKES_CONDITIONS and ids:
        properties["all"] = _ids(ids)
        if link.says_or and len(ids) > 1:
            properties["any"] = {"type": "array", "items": _ids(ids, at_least=1), "maxItems": 4}
    if tool == "refine_segment":
        properties["edits"] = _ids([f"e{i}" for i in range(1, len(link.edits) + 1)], at_least=1)
        properties["edits"]["maxItems"] = len({edit.source for edit in link.edits})
    if tool == "refuse":
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


def _ids(ids: list[str], at_least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": {"enum": ids}, "minItems": at_least, "maxItems": len(ids)}


def turn_text(link: Link, current: Node | None, catalogue: Catalogue) -> str:
    """The changing end of the prompt: what was found, then the message."""
    lines = [f"Current segment: {'none' if current is None else explain(current, catalogue)}"]
    for i, candidate in enumerate(link.candidates, 1):
        mark = " (or)" if "or" in candidate.joins else ""
        lines.append(f"c{i}{mark}: {_words(candidate.node, catalogue)}")
    for i, edit in enumerate(link.edits, 1):
        target = "" if edit.target is None else _words(edit.target, catalogue)
        node = "" if edit.node is None else _words(edit.node, catalogue)
        lines.append(f"e{i}: {edit.kind}: " + (f"{target} -> {node}" if target and node else target or node))
    if link.unknown:
        lines.append("Not in the data: " + ", ".join(link.unknown[:8]))
    lines.append(f"Message: {link.message}")
    return "\n".join(lines)


def _words(node: Node, catalogue: Catalogue) -> str:
    return explain(node, catalogue).removeprefix("customers who ")


def messages(turn: str) -> list[tuple[str, str]]:
    """The whole prompt: instructions and worked examples (the same every turn), then this turn."""
    shown: list[tuple[str, str]] = [("system", prompts.load("plan_system.md"))]
    for example in prompts.examples("plan_examples.jsonl"):
        shown.append(("human", example["input"]))
        shown.append(("ai", json.dumps(example["output"], ensure_ascii=False)))
    return [*shown, ("human", turn)]


def make_plan(
    model: ChatModel, link: Link, current: Node | None, catalogue: Catalogue, correction: str | None = None
) -> Plan:
    """Ask the model for the plan; `correction` tells it what was wrong with its last one."""
    prompt = messages(turn_text(link, current, catalogue))
    if correction:
        role, text = prompt[-1]
        prompt[-1] = (role, f"{text}\nCorrection: {correction}")
    answer = model.json(prompt, schema(link, offered_tools(link, current is not None)))
    return read_plan(answer)


def read_plan(answer: dict[str, Any]) -> Plan:
    """The model's JSON as a Plan, repetitions dropped."""
    chosen = tuple(dict.fromkeys(answer.get("all", ())))
    groups = tuple(
        dict.fromkeys(
            tuple(dict.fromkeys(g for g in group if g not in chosen)) for group in answer.get("any", ())
        )
    )
    return Plan(
        tool=answer["tool"],
        all=chosen,
        any=tuple(group for group in groups if group),
        edits=tuple(dict.fromkeys(answer.get("edits", ()))),
        reason=answer.get("reason"),
    )


def definition_of(plan: Plan, link: Link) -> Node | None:
    """The segment that the plan's conditions define, or None when it names none."""
    if not plan.chosen:
        return None
    parts: list[Node] = [link.candidate(name).node for name in plan.all]
    groups = [_group([link.candidate(name).node for name in group]) for group in plan.any]
    if groups:
        parts.append(groups[0] if len(groups) == 1 else AnyOf(tuple(groups)))
    return _group(parts)


def _group(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def edited(plan: Plan, link: Link, current: Node) -> Node:
    """The current segment after the plan's edits."""
    out = current
    for name in plan.edits:
        out = link.edit(name).apply(out)
    return out


__all__ = ["Plan", "definition_of", "edited", "make_plan", "offered_tools", "read_plan", "schema"]
