"""Several tools asked for in one message, run one after another on one segment, and their results as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from assistant.linking.link import Link
from assistant.plan import CURRENT, Plan
from assistant.replies import CLARIFY, reply
from assistant.run import Outcome, run_tool
from assistant.tools import ToolResult, Tools
from segments.canonical import fingerprint
from segments.definition import Node
from segments.errors import UserError
from segments.explain import Language
from segments.issues import in_language
from segments.ports import Evidence, Figure


def run_steps(
    outcome: Outcome,
    tools: Tools,
    steps: Sequence[tuple[str, Link]],
    current: Node | None,
    trail: list[dict[str, Any]],
    planned: dict[str, Any] | None = None,
) -> None:
    """Run several tools, in order, on the one segment that the outcome already has, else on the current one.

    The results are one after another in the outcome's. What cannot be run stops the rest, which is told, and loses nothing
    of what was. A plan that a step makes is the one that the steps after it carry out.
    """
    subject = outcome.result.definition if outcome.result is not None else current
    results = [] if outcome.result is None else [outcome.result]
    for place, (tool, link) in enumerate(steps):
        if subject is None:
            outcome.question = reply(CLARIFY["no_segment"], link.language)
            return
        try:
            run_tool(outcome, tools, Plan(tool, CURRENT), link, None, subject, trail, planned)
        except UserError as error:
            if not results:
                raise
            outcome.stopped = error
        if outcome.question is not None:
            if not results:
                return
            outcome.stopped, outcome.question = outcome.question, None
        if outcome.stopped is not None:
            outcome.unrun = [rest.message for _, rest in steps[place + 1 :]]
            break
        assert outcome.result is not None
        results.append(outcome.result)
        planned = planned_by(outcome.result) or planned
    outcome.result = joined(results)


def stopped(outcome: Outcome, language: Language) -> str | None:
    """Why a step could not be run, and which were not tried after it; None where all were run."""
    if outcome.stopped is None:
        return None
    said, rest = outcome.stopped, outcome.unrun
    why = said if isinstance(said, str) else in_language(said, language)
    if not rest:
        return why
    not_done = (f"Not done either: {'; '.join(rest)}.", f"后面的也没有执行：{'；'.join(rest)}。")
    return f"{why} {not_done[language == 'zh']}"


def planned_by(result: ToolResult) -> dict[str, Any] | None:
    """Goal, budget, segment (its hash) and own terms of the plan that a result shows; None where it shows none."""
    if result.strategy is None:
        return None
    segment = None if result.definition is None else fingerprint(result.definition)
    plan = result.strategy
    terms = {name: value for name, value in asdict(plan.terms).items() if value is not None}
    return {"goal": plan.objective.goal, "budget": plan.budget, "segment": segment} | terms


def joined(results: Sequence[ToolResult]) -> ToolResult:
    """Several results as one: whose size was just told is not told again."""
    parts: list[ToolResult] = []
    told: tuple[Figure, ...] = ()
    for result in results:
        kept: list[Evidence] = []
        for each in result.evidence:
            sized = any(figure.name == "definition_en" for figure in each.figures)
            if sized and each.figures == told:
                continue
            told = each.figures if sized else told
            kept.append(each)
        parts.append(replace(result, evidence=tuple(kept)))
    plans = [result.strategy for result in results if result.strategy is not None]
    evidence = tuple(each for part in parts for each in part.evidence)
    strategy = plans[-1] if plans else None
    return replace(results[-1], evidence=evidence, strategy=strategy, texts=None, parts=tuple(parts))
