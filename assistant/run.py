"""The run stage: a checked plan turned into tool calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from assistant.back import KEPT_TURNS, spoken_other
from assistant.change_intents import DIFF
from assistant.linking.likely import outcome_of
from assistant.linking.link import Link
from assistant.market_intents import MARKET_TOOLS
from assistant.one_customer import EXPLAIN, MEMBERSHIP
from assistant.plan import OF_EVERYONE, ON_CAMPAIGN, READ_AGAIN, Plan
from assistant.replies import CLARIFY, reply
from assistant.spoken_campaign import spoken_campaign, unknown_campaign
from assistant.tools import DEFAULT_TOP, ToolResult, Tools, admit
from segments.canonical import fingerprint
from segments.codec import from_json, to_json
from segments.definition import EVERYONE, Node, SimilarityCondition
from segments.errors import InternalError, UserError
from segments.explain import Language

Around = Callable[[str, Mapping[str, Any]], AbstractContextManager[object]]
"""Entered around every call of a tool with its name and JSON arguments; while it raises, nothing has been done."""


def unwatched(_tool: str, _arguments: Mapping[str, Any]) -> AbstractContextManager[object]:
    """Where nobody is told of calls before they are made."""
    return nullcontext()


@dataclass
class Outcome:
    """What running a plan led to: calls (kept even when one fails), a result, or a question to the marketer.

    around: entered around each call. pending: the call that waits for the marketer's yes, or for a name. stopped: why a
    later one of several steps could not be run. unrun: the steps after it, in the message's words.
    """

    around: Around = unwatched
    calls: list[dict[str, Any]] = field(default_factory=list)
    result: ToolResult | None = None
    question: str | None = None
    pending: dict[str, Any] | None = None
    stopped: UserError | str | None = None
    unrun: list[str] = field(default_factory=list)

    def call(self, tool: str, run: Callable[..., ToolResult], *subject: Node, **arguments: Any) -> None:
        """Run a tool on its subject and note the call; what it raises goes on to the caller."""
        self.note(tool, **arguments)
        given = self.calls[-1]["arguments"]
        if subject:
            given = {"definition": to_json(subject[0])} | given
        with self.around(tool, given):
            self.result = run(*subject, **arguments)

    def note(self, tool: str, /, **arguments: Any) -> None:
        """Write a call down."""
        given = {
            key: to_json(value)
            if isinstance(value, Node)
            else str(value)
            if isinstance(value, date)
            else value
            for key, value in arguments.items()
            if value is not None
        }
        self.calls.append({"name": tool, "arguments": given})


def run_tool(
    outcome: Outcome,
    tools: Tools,
    plan: Plan,
    link: Link,
    segment: Node | None,
    current: Node | None,
    trail: list[dict[str, Any]],
    planned: dict[str, Any] | None = None,
) -> None:
    """Run the plan's tool on the segment that it takes from the message, else on the current one."""
    said = {_SPOKEN[key]: value for key, value in plan.arguments.items() if key in _SPOKEN}
    link = replace(link, intents=replace(link.intents, **said)) if said else link
    intents = link.intents
    of_customer = plan.tool == "find_lookalikes" and intents.customer
    admit(tools.rooms, "find_lookalikes_of_customer" if of_customer else plan.tool)
    match plan.tool:
        case "define_segment" | "refine_segment":
            _define(outcome, tools, plan, link, segment, current)
        case "measure_campaign":
            _measure(outcome, tools, link)
        case "list_segments":
            outcome.call("list_segments", tools.list_segments)
        case "list_plans":
            outcome.call("list_plans", tools.list_plans)
        case "open_plan":
            outcome.call("open_plan", tools.open_plan, name=plan.arguments["names"][0])
        case "compare_segments" if "names" in plan.arguments:
            _compare_saved(outcome, tools, plan.arguments["names"])
        case "count_part" if segment is not None and current is not None:
            outcome.call("count_part", tools.count_part, current, part=segment)
        case "compare_saved_plans":
            _compare_saved_plans(
                outcome, tools, plan.arguments["names"], link.language, current, planned or {}
            )
        case "overlap_segments":
            outcome.call("overlap_segments", tools.overlap_segments)
        case "discover_segments":
            outcome.call("discover_segments", tools.discover_segments, k=intents.k)
        case "delete_segment":
            _delete(outcome, tools, plan, link)
        case "show_segment" if intents.name:
            outcome.call("open_segment", tools.open_segment, name=intents.name)
        case "find_lookalikes" if intents.customer:
            top = intents.top or DEFAULT_TOP
            outcome.call(
                "find_lookalikes", tools.find_lookalikes_of_customer, customer=intents.customer, top=top
            )
        case tool if tool == EXPLAIN:
            tools.rooms.disclosure.one_customer(EXPLAIN)
            asked = {"customer": intents.customer, "outcome": outcome_of(intents, link.categories)}
            outcome.call(EXPLAIN, tools.explain_propensity, **asked)
        case tool if tool == MEMBERSHIP and current is not None:
            tools.rooms.disclosure.one_customer(MEMBERSHIP)
            outcome.call(MEMBERSHIP, tools.explain_membership, current, customer=plan.arguments["customer"])
        case tool if tool in MARKET_TOOLS:
            _market(outcome, tools, tool, link, current)
        case tool if tool in OF_EVERYONE and segment is None and current is None:
            _on_segment(outcome, tools, plan, link, EVERYONE, trail)
        case _:
            subject = segment if segment is not None else current
            if subject is None:
                outcome.question = reply(CLARIFY["no_segment"], link.language)
                return
            if segment is not None:
                outcome.note("define_segment", definition=to_json(segment))
            if plan.tool in ON_CAMPAIGN:
                _on_campaign(outcome, tools, plan.tool, link, subject, planned or {})
            else:
                _on_segment(outcome, tools, plan, link, subject, trail)


_SPOKEN = {"named": "name", "goal": "goal", "budget": "budget", "margin": "margin", "discount": "discount"}
"""Arguments of a plan that stand in the place of what the message's words say."""
_TERMS = ("margin", "discount")
"""Of a plan, beside goal and budget."""


def _on_campaign(
    outcome: Outcome, tools: Tools, tool: str, link: Link, subject: Node, planned: dict[str, Any]
) -> None:
    """planned: goal, budget and terms of the plan before this turn, which 'instead' and 'the plan' mean. An experiment on
    the segment that was planned for carries that plan out."""
    intents = link.intents
    before = {name: planned[name] for name in _TERMS if name in planned}
    own = {name: value for name in _TERMS if (value := getattr(intents, name)) is not None}
    terms = before | own
    meant = planned.get("goal")
    if meant == "acquire_lookalikes" and planned.get("segment") != fingerprint(subject):
        meant = None  # of another segment's lookalikes
    goal = intents.goal or meant
    budget = intents.budget if intents.budget is not None else planned.get("budget")
    match tool:
        case "assign_holdout":
            of_plan = planned if planned.get("segment") == fingerprint(subject) else {}
            outcome.call(
                tool,
                tools.assign_holdout,
                subject,
                name=intents.name,
                share=intents.holdout,
                goal=of_plan.get("goal"),
                budget=of_plan.get("budget"),
                **(before if of_plan else {}),
            )
        case "compare_plans" if planned and (intents.budget is not None or terms != before):
            were = {f"{name}_before": value for name, value in before.items()}
            instead = {"budget": budget, "goal": goal, "before": planned["budget"]} | terms | were
            outcome.call(tool, tools.compare_plans, subject, **instead)
        case "backtest_strategy":
            outcome.call(tool, tools.backtest_strategy, subject)
        case "dial_lookalikes":
            outcome.call(tool, tools.dial_lookalikes, subject)
        case "write_copy":
            outcome.call(tool, tools.write_copy, subject, goal=goal, budget=budget, **terms)
        case "save_plan" if intents.name:
            shown = meant or goal
            asked = {"name": intents.name, "goal": shown, "budget": budget} | terms
            outcome.call(tool, tools.save_plan, subject, **asked)
        case "save_plan":
            outcome.question = reply(CLARIFY["no_plan_name"], link.language)
            outcome.pending = {"tool": tool, "arguments": {"named": None}}
        case _ if intents.goal == "acquire_lookalikes":
            if link.among is not None:
                top = intents.top or DEFAULT_TOP
                subject = SimilarityCondition(top, segment=subject, among=link.among)
            asked = {"goal": intents.goal, "budget": intents.budget, "top": intents.top}
            outcome.call("plan_strategy", tools.plan_strategy, subject, **asked)
        case _:
            # 'What should we not do?' is asked of the plan that was just made for them.
            bare = intents.goal is None and intents.budget is None
            same = bare and planned.get("segment") == fingerprint(subject)
            asked = (
                {name: planned.get(name) for name in ("goal", "budget")} | terms
                if same
                else {"goal": intents.goal, "budget": intents.budget} | own
            )
            outcome.call("plan_strategy", tools.plan_strategy, subject, **asked)


def _compare_saved_plans(
    outcome: Outcome,
    tools: Tools,
    names: Sequence[str],
    language: Language,
    current: Node | None,
    planned: dict[str, Any],
) -> None:
    """Two saved plans, or one and the plan that was made before this turn."""
    if len(names) > 1:
        outcome.call("compare_saved_plans", tools.compare_saved_plans, name=names[0], other=names[1])
    elif current is None or planned.get("segment") != fingerprint(current):
        outcome.question = reply(CLARIFY["no_plan"], language, names[0])
    else:
        meant = {name: planned[name] for name in ("goal", "budget", *_TERMS) if name in planned}
        asked = {"definition": current} | meant
        outcome.call("compare_saved_plans", tools.compare_saved_plans, name=names[0], **asked)


def _past_names(tools: Tools) -> list[str]:
    """What experiments and campaigns are called."""
    return [*tools.rooms.experiments.names(), *map(str, tools.rooms.campaigns["campaign_id"])]


def _measure(outcome: Outcome, tools: Tools, link: Link) -> None:
    said = link.intents.name or link.intents.campaign
    name = spoken_campaign(link.message, said, _past_names(tools)) or unknown_campaign(link.message)
    outcome.call("measure_campaign", tools.measure_campaign, name=name)


def _define(
    outcome: Outcome, tools: Tools, plan: Plan, link: Link, segment: Node | None, current: Node | None
) -> None:
    if segment is None:
        raise InternalError(f"A checked {plan.tool} plan has no conditions.")
    outcome.note(plan.tool, definition=to_json(segment))
    if plan.tool == "refine_segment" and current is not None:
        other = link.alternative if READ_AGAIN in plan.arguments else None
        outcome.result = tools.refine_segment(segment, current, other)
    else:
        outcome.result = tools.define_segment(segment, link.alternative)


def _market(outcome: Outcome, tools: Tools, tool: str, link: Link, current: Node | None) -> None:
    """Run a tool that asks about goods, orders or campaigns."""
    given, category = link.intents.arguments, next(iter(link.categories), None)
    match tool:
        case "bought_together":
            subject = current if given.get("of_them") else None
            outcome.note(tool, categories=list(link.categories))
            outcome.result = tools.bought_together(subject, link.categories)
        case "review_sentiment":
            subject = current if given.get("of_them") else None
            outcome.note(tool, goods=list(link.goods))
            outcome.result = tools.review_sentiment(subject, link.goods)
        case "find_anomalies":
            outcome.call(tool, tools.find_anomalies, kind=given["kind"])
        case "mail_frequency":
            outcome.call(tool, tools.mail_frequency)
        case _ if category is None:
            outcome.question = reply(CLARIFY["no_category"], link.language)
        case "forecast_demand":
            asked = {"store": given.get("store"), "stock": given.get("stock")}
            outcome.call(tool, tools.forecast_demand, category=category, **asked)
        case _:
            outcome.call(tool, tools.placement_effect, category=category)


def _delete(outcome: Outcome, tools: Tools, plan: Plan, link: Link) -> None:
    name = plan.arguments.get("name") or link.intents.name
    if not name:
        outcome.question = reply(CLARIFY["no_name"], link.language)
    elif plan.arguments.get("confirmed"):
        outcome.call("delete_segment", tools.delete_segment, name=name)
    else:
        outcome.note("delete_segment", name=name)
        tools.rooms.library.get(name)
        outcome.question = reply(CLARIFY["delete"], link.language, name)
        outcome.pending = {"tool": "delete_segment", "arguments": {"name": name}}


def _on_segment(
    outcome: Outcome, tools: Tools, plan: Plan, link: Link, subject: Node, trail: list[dict[str, Any]]
) -> None:
    intents = link.intents
    match plan.tool:
        case "show_segment":
            outcome.call("show_segment", tools.show_segment, subject)
        case "profile_segment":
            outcome.call("profile_segment", tools.profile_segment, subject)
        case "profile_times":
            outcome.call("profile_times", tools.profile_times, subject)
        case "profile_places":
            outcome.call("profile_places", tools.profile_places, subject)
        case "profile_goods":
            outcome.call("profile_goods", tools.profile_goods, subject)
        case "find_lookalikes":
            top = intents.top or DEFAULT_TOP
            outcome.call("find_lookalikes", tools.find_lookalikes, subject, top=top, among=link.among)
        case "score_propensity":
            outcome.call(
                "score_propensity",
                tools.score_propensity,
                subject,
                outcome=outcome_of(link.intents, link.categories),
            )
        case "estimate_uplift":
            name = spoken_campaign(link.message, intents.campaign, _past_names(tools))
            outcome.call("estimate_uplift", tools.estimate_uplift, subject, campaign=name)
        case "customer_value":
            outcome.call("customer_value", tools.customer_value, subject, weeks=intents.weeks)
        case "recommend_products":
            outcome.call("recommend_products", tools.recommend_products, subject)
        case "save_segment" if intents.name:
            outcome.call("save_segment", tools.save_segment, subject, name=intents.name)
        case "save_segment":
            outcome.question = reply(CLARIFY["no_name"], link.language)
            outcome.pending = {"tool": "save_segment", "arguments": {"named": None}}
        case "find_duplicates":
            outcome.call("find_duplicates", tools.find_duplicates, subject)
        case "trend_segment":
            outcome.call("trend_segment", tools.trend_segment, subject)
        case tool if tool == DIFF:
            dates = {name: link.intents.arguments.get(name) for name in ("earlier", "later")}
            outcome.call(DIFF, tools.diff_segment, subject, **dates)
        case "breakdown_segment" if link.intents.feature:
            outcome.call("breakdown_segment", tools.breakdown_segment, subject, feature=link.intents.feature)
        case "breakdown_segment":
            outcome.question = reply(CLARIFY["no_feature"], link.language)
        case "compare_segments":
            _compare(outcome, tools, link, subject, trail)
        case _:
            raise InternalError(f"No tool is named '{plan.tool}'.")


def _compare_saved(outcome: Outcome, tools: Tools, names: tuple[str, str]) -> None:
    """Two saved segments: the first is the current one then."""
    one, other = (tools.rooms.library.get(name).definition for name in names)
    outcome.call("open_segment", tools.open_segment, name=names[0])
    outcome.note("compare_segments", name=names[1], other=other)
    outcome.result = tools.compare_segments(one, other, names[1])


def _compare(outcome: Outcome, tools: Tools, link: Link, subject: Node, trail: list[dict[str, Any]]) -> None:
    """With what the message describes, a saved segment it names, or the segment before this one."""
    chinese = link.language == "zh"
    if link.other is not None:
        other, name = link.other, "另一组" if chinese else "the other group"
    elif link.intents.name:
        other, name = tools.rooms.library.get(link.intents.name).definition, link.intents.name
    elif (number := spoken_other(link.message)) is not None:
        said = [from_json(each) for each in trail]
        if not 1 <= number <= len(said) or len(said) >= KEPT_TURNS:
            outcome.question = reply(CLARIFY["no_such"], link.language)
            return
        other, name = said[number - 1], f"第 {number} 个分群" if chinese else f"segment {number}"
    elif trail:
        other, name = from_json(trail[-1]), "上一个分群" if chinese else "the previous segment"
    else:
        outcome.question = reply(CLARIFY["compare"], link.language)
        return
    outcome.note("compare_segments", name=name, other=other)
    outcome.result = tools.compare_segments(subject, other, name)
