"""The run stage: a checked plan turned into tool calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assistant.linking.linker import Link
from assistant.plan import Plan
from assistant.replies import CLARIFY, reply
from assistant.tools import DEFAULT_TOP, ToolResult, Tools
from segments.codec import from_json, to_json
from segments.definition import Node
from segments.errors import InternalError


@dataclass(frozen=True)
class Outcome:
    """What running a plan led to: a result, or a question to the marketer (with what waits for its answer)."""

    calls: list[dict[str, Any]]
    result: ToolResult | None = None
    question: str | None = None
    pending: dict[str, Any] | None = None


def run_tool(
    tools: Tools,
    plan: Plan,
    link: Link,
    segment: Node | None,
    current: Node | None,
    trail: list[dict[str, Any]],
) -> Outcome:
    """Run the plan's tool on the segment it names, else on the current one."""
    intents = link.intents
    if plan.tool in ("define_segment", "refine_segment"):
        return _define(tools, plan, segment, current)
    if plan.tool == "list_segments":
        return Outcome([_call("list_segments")], tools.list_segments())
    if plan.tool == "discover_segments":
        return Outcome([_call("discover_segments", k=intents.k)], tools.discover_segments(intents.k))
    if plan.tool == "delete_segment":
        return _delete(tools, plan, link)
    if plan.tool == "show_segment" and intents.name:
        return Outcome([_call("open_segment", name=intents.name)], tools.open_segment(intents.name))
    subject = segment if segment is not None else current
    if subject is None:
        return Outcome([], question=reply(CLARIFY["no_segment"], link.language))
    before = [_call("define_segment", definition=to_json(subject))] if segment is not None else []
    outcome = _on_segment(tools, plan, link, subject, trail)
    return Outcome([*before, *outcome.calls], outcome.result, outcome.question, outcome.pending)


def _define(tools: Tools, plan: Plan, segment: Node | None, current: Node | None) -> Outcome:
    if segment is None:
        raise InternalError(f"A checked {plan.tool} plan has no conditions.")
    call = _call(plan.tool, definition=to_json(segment))
    if plan.tool == "refine_segment" and current is not None:
        return Outcome([call], tools.refine_segment(segment, current))
    return Outcome([call], tools.define_segment(segment))


def _delete(tools: Tools, plan: Plan, link: Link) -> Outcome:
    name = plan.arguments.get("name") or link.intents.name
    if not name:
        return Outcome([], question=reply(CLARIFY["no_name"], link.language))
    if plan.arguments.get("confirmed"):
        return Outcome([_call("delete_segment", name=name)], tools.delete_segment(name))
    tools.rooms.library.get(name)
    pending = {"tool": "delete_segment", "arguments": {"name": name}}
    return Outcome(
        [_call("delete_segment", name=name)], None, reply(CLARIFY["delete"], link.language, name), pending
    )


def _on_segment(tools: Tools, plan: Plan, link: Link, subject: Node, trail: list[dict[str, Any]]) -> Outcome:
    intents = link.intents
    match plan.tool:
        case "show_segment":
            return Outcome([_call("show_segment")], tools.show_segment(subject))
        case "profile_segment":
            return Outcome([_call("profile_segment")], tools.profile_segment(subject))
        case "find_lookalikes":
            top = intents.top or DEFAULT_TOP
            return Outcome([_call("find_lookalikes", top=top)], tools.find_lookalikes(subject, top))
        case "score_propensity":
            outcome = _outcome(link)
            return Outcome(
                [_call("score_propensity", outcome=outcome)], tools.score_propensity(subject, outcome)
            )
        case "recommend_products":
            return Outcome([_call("recommend_products")], tools.recommend_products(subject))
        case "plan_strategy":
            call = _call("plan_strategy", goal=intents.goal, budget=intents.budget)
            return Outcome([call], tools.plan_strategy(subject, intents.goal, intents.budget))
        case "save_segment":
            if not intents.name:
                return Outcome([], question=reply(CLARIFY["no_name"], link.language))
            return Outcome(
                [_call("save_segment", name=intents.name)], tools.save_segment(subject, intents.name)
            )
        case "compare_segments":
            return _compare(tools, link, subject, trail)
    raise InternalError(f"No tool is named '{plan.tool}'.")


def _compare(tools: Tools, link: Link, subject: Node, trail: list[dict[str, Any]]) -> Outcome:
    name = link.intents.name
    if name:
        other = tools.rooms.library.get(name).definition
    elif trail:
        name = "the previous segment" if link.language == "en" else "上一个分群"
        other = from_json(trail[-1])
    else:
        return Outcome([], question=reply(CLARIFY["compare"], link.language))
    return Outcome([_call("compare_segments", name=name)], tools.compare_segments(subject, other, name))


def _outcome(link: Link) -> str:
    """The outcome asked for: a category's purchase when one is named, else a purchase or a redemption."""
    base = link.intents.outcome or "purchase_30d"
    if link.categories and base != "coupon_redeem_30d":
        return f"purchase_30d:{link.categories[0]}"
    return base


def _call(tool: str, /, **arguments: Any) -> dict[str, Any]:
    return {"name": tool, "arguments": {key: value for key, value in arguments.items() if value is not None}}
