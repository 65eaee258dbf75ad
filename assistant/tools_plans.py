"""What the tools of saved campaign plans do: list them, show one as it was made, put two side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.tools_campaigns import Told
from campaigns.compare import compare_plans
from campaigns.display import money
from campaigns.goals import GOAL_WORDS
from campaigns.plan import Strategy
from segments.codec import from_json
from segments.definition import Node
from segments.errors import DefinitionError
from segments.issues import Issue
from segments.ports import Evidence, Figure

if TYPE_CHECKING:
    from assistant.rooms import Rooms

NONE_SAVED = (
    "No plan is saved yet. Plan a campaign for a segment, then say: save the plan as spring.",
    "还没有保存的方案。请先为一个分群制定方案，然后说：把方案保存为春季。",
)


def saved_plan(rooms: Rooms, name: str) -> Strategy:
    """A saved plan at its newest version. Raises NotFoundError; DefinitionError for fewer customers than are shown."""
    plan = Strategy.restored(rooms.plans.load(name))
    if plan.size < rooms.disclosure.k:
        raise DefinitionError.of(Issue("too_few", smallest=rooms.disclosure.k))
    return plan


def segment_of(plan: Strategy) -> Node | None:
    """Whom a plan is for; None for one that was saved before plans held it."""
    return None if plan.definition is None else from_json(plan.definition)


def list_plans(rooms: Rooms) -> Told:
    """The saved plans by name: goal, budget, day. How many customers each contacts is told when it is opened."""
    currency = rooms.workspace.settings.currency
    rows: list[dict[str, object]] = []
    english: list[str] = []
    chinese: list[str] = []
    for saved in rooms.plans.all():
        plan = Strategy.restored(rooms.plans.load(saved.name))
        rows.append(
            {
                "name": saved.name,
                "version": saved.version,
                "goal": plan.objective.goal,
                "budget": plan.budget,
                "as_of": plan.as_of.isoformat(),
            }
        )
        goal, budget = GOAL_WORDS[plan.objective.goal], money(plan.budget, currency)
        english.append(f"- **{saved.name}** (v{saved.version}): {goal[0]}, {budget}, as of {plan.as_of}")
        chinese.append(f"- **{saved.name}**（v{saved.version}）：{goal[1]}，{budget}，截至 {plan.as_of}")
    figure = Figure("plans", len(rows), "count", "saved plans", "已保存方案")
    texts = (
        "\n".join([f"**Saved plans: {len(rows)}**", *english]),
        "\n".join([f"**已保存方案：{len(rows)} 个**", *chinese]),
    )
    return Told(Evidence("", "list_plans", (figure,), tuple(rows)), texts if rows else NONE_SAVED)


def open_plan(rooms: Rooms, name: str, plan: Strategy) -> Told:
    """A saved plan as it was made."""
    saved, currency = rooms.plans.get(name), rooms.workspace.settings.currency
    figures = (
        Figure("name", saved.name, "text", "plan", "方案"),
        Figure("version", saved.version, "count", "version", "版本"),
        Figure("made_as_of", plan.as_of.isoformat(), "date", "made as of", "制定时截至"),
        *plan.figures(),
    )
    notes = (*plan.notes("en", currency), *plan.notes("zh", currency))
    heads = (
        f"**Plan '{saved.name}'** (version {saved.version}), as it was made as of {plan.as_of}.",
        f"**方案“{saved.name}”**（第 {saved.version} 版），按截至 {plan.as_of} 的数据制定。",
    )
    texts = (
        f"{heads[0]}\n\n{plan.to_markdown('en', currency)}",
        f"{heads[1]}\n\n{plan.to_markdown('zh', currency)}",
    )
    return Told(Evidence("", "open_plan", figures, tuple(plan.rows()), notes), texts)


def compare_saved_plans(
    rooms: Rooms, name: str, first: Strategy, other: str | None, second: Strategy
) -> Told:
    """A saved plan beside another: a saved one by its name, or (other None) the plan that is talked of."""
    named = (name, name), ("this plan", "当前方案") if other is None else (other, other)
    found, currency = compare_plans(first, second, named), rooms.workspace.settings.currency
    figures = [
        *found.figures(),
        *(Figure(f"plan.{place}", en, "text", "plan", "方案") for place, (en, _) in enumerate(named)),
        *(
            Figure(f"as_of.{place}", plan.as_of.isoformat(), "date", "as of", "截至")
            for place, plan in enumerate((first, second))
        ),
    ]
    evidence = Evidence("", "compare_saved_plans", tuple(figures), tuple(found.rows()))
    return Told(evidence, (found.to_markdown("en", currency), found.to_markdown("zh", currency)))
