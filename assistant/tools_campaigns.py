"""What the campaign tools do: holdouts assigned and read, plans compared, back-tested, saved, put into words.

Each function takes the rooms and returns the evidence and the answer in English and Chinese; every number
of a text is a figure of its evidence.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from assistant.disclosure import is_asked
from assistant.documents import Documents, SavedDocument
from assistant.lookalike_method import how_found
from campaigns.acquire import Acquisition, acquisition
from campaigns.assign import aa_check, bands_of
from campaigns.assumptions import Terms
from campaigns.backtest import backtest
from campaigns.compare import compare_plans
from campaigns.copy import facts
from campaigns.dial import MIN_HIDDEN, SIZES, Dial, dial, halves
from campaigns.display import difference, money
from campaigns.experiment import (
    Experiment,
    experiment_of_plan,
    make_experiment,
    outcomes,
    purchases_read,
)
from campaigns.goals import GOAL_WORDS
from campaigns.measure import Measurement, past_campaign, read_experiment
from campaigns.page import to_html
from campaigns.plan import Strategy
from campaigns.power import detectable_effect
from campaigns.verdict import tell
from indexes.lookalikes import lookalikes
from segments.atomic import write_text
from segments.codec import to_json
from segments.definition import Node, SimilarityCondition
from segments.errors import DefinitionError, NotFoundError, StorageError
from segments.issues import Issue
from segments.ports import Evidence, Figure

if TYPE_CHECKING:
    from assistant.rooms import Rooms

HOLDOUT_SHARE = 0.2
"""Of a test that no plan sizes: four of five customers get the campaign, and the test loses little power."""
DEFAULT_BUDGET = 1000.0
"""Currency, when a plan is asked for without a budget; the answer says so."""
LEARNED = (
    "\n- It is a random test of who responds: ask \"what is the uplift of '{0}'?\"; plans take it into account.",
    "\n- 它是说明“谁会响应”的随机试验：可问“实验‘{0}’的增益如何？”；新的方案会用到它。",
)
"""Of an experiment that is over, after its verdict."""
DEFAULT_LOOKALIKES = 100
"""Of a segment too small to measure how far lookalikes are still like it."""
AA_RUNS = 100
DAYS = 30


class Told(NamedTuple):
    """Evidence, and the answer in English and Chinese."""

    evidence: Evidence
    texts: tuple[str, str]


def assign_holdout(
    rooms: Rooms, members: list[str], definition: Node, name: str | None, share: float | None
) -> Told:
    """Assign the members to contact and holdout, save the experiment, and say what it can find."""
    settings, start = rooms.workspace.settings, rooms.warehouse.as_of
    features = rooms.warehouse.features().reindex(members)
    made = make_experiment(
        name or _free_name(rooms.experiments, f"test {start.isoformat()}"),
        start,
        bands_of(features["spend_365d"], features["recency_days"]),
        horizon_days=DAYS,
        holdout_share=HOLDOUT_SHARE if share is None else share,
        definition=to_json(definition),
        contact_cost=settings.contact_cost,
        gross_margin=settings.gross_margin,
    )
    return _begin(rooms, made, None)


def assign_plan(
    rooms: Rooms, plan: Strategy, definition: Node | None, name: str | None, share: float | None
) -> Told:
    """Carry a plan out as an experiment, save it, and say what it took from the plan and what it can find."""
    start = rooms.warehouse.as_of
    told = None if definition is None else to_json(definition)
    free = name or _free_name(rooms.experiments, f"test {start.isoformat()}")
    return _begin(rooms, experiment_of_plan(plan, free, start, told, share), plan)


def _begin(rooms: Rooms, made: Experiment, plan: Strategy | None) -> Told:
    """Check and save an experiment. plan: the one that it carries out."""
    store, settings, start = rooms.experiments, rooms.workspace.settings, made.start
    strata = pd.Series({customer: stratum for customer, (stratum, _) in made.arms.items()})
    part = made.holdout_share
    contact, held = len(made.customers("contact")), len(made.customers("holdout"))
    smallest = settings.smallest_of_all  # everybody may read it
    if min(contact, held) < smallest:
        raise DefinitionError.of(Issue("arms_too_small", contact=contact, held=held, smallest=smallest))
    # What everybody spent in the days before is the best guess of how much spend varies after.
    before = outcomes(made, purchases_read(made, rooms.purchases, rooms.items), start)["before"]
    check = aa_check(before, strata, part, made.salt, runs=AA_RUNS)
    effect = detectable_effect(contact, held)
    found = effect * float(before.std(ddof=1)) if plan is None else plan.holdout.metric.difference(effect)
    store.save(made.name, made.to_dict(), replace=False)
    figures: tuple[Figure, ...] = (
        Figure("contact", contact, "customers", "customers to contact", "触达组客户数"),
        Figure("holdout", held, "customers", "customers held out", "对照组客户数"),
        Figure("share", part, "share", "share held out", "对照组比例"),
        Figure("strata", int(strata.nunique()), "count", "strata", "分层数"),
        Figure(
            "detectable",
            found,
            "share" if made.kind == "share" else "currency",
            "difference found 4 times in 5",
            "5次中有4次能测出的差异",
        ),
        Figure(
            "aa_rate",
            check.rate,
            "share",
            "false alarms of A/A runs",
            "A/A 检验误报率",
            check.low,
            check.high,
            0.99,
        ),
        Figure("aa_runs", check.runs, "count", "A/A runs", "A/A 检验次数"),
        Figure("days", made.horizon_days, "days", "days until it is read", "观察天数"),
        Figure("start", start.isoformat(), "date", "first day", "开始日期"),
        Figure("end", made.end.isoformat(), "date", "result due", "结果日期"),
        Figure("name", made.name, "text", "experiment", "实验"),
    )
    if plan is not None:
        figures += (
            Figure("chosen", len(made.arms), "customers", "customers that the plan chose", "方案入选客户数"),
            Figure("plan_size", plan.size, "customers", "customers in the plan's segment", "方案分群客户数"),
            Figure(
                "plan_holdout", plan.holdout.holdout, "customers", "held out by the plan", "方案对照组客户数"
            ),
            Figure("metric", plan.holdout.metric.label_en, "text", "primary metric", "主要指标"),
        )
    texts = _assigned(made, contact, held, found, check.rate, rooms.workspace.settings.currency, plan)
    return Told(Evidence("", "assign_holdout", figures), texts)


def _free_name(store: Documents, wanted: str) -> str:
    number, name = 1, wanted
    while name in store:
        number += 1
        name = f"{wanted} no {number}"
    return name


def _assigned(
    made: Experiment,
    contact: int,
    held: int,
    found: float,
    alarms: float,
    currency: str,
    plan: Strategy | None,
) -> tuple[str, str]:
    shown = difference(made.kind, found, currency)
    by, by_zh = ("value and recency", "价值与近度") if plan is None else ("tier", "层")
    adjusted, adjusted_zh = (
        (", before adjusting for past spend", "（未按过往消费校正）") if plan is None else ("", "")
    )
    taken, taken_zh = ("", "") if plan is None else _taken(made, held, plan)
    return (
        f"**'{made.name}' is assigned**: contact {contact:,} customers, leave {held:,} alone, balanced by {by}. "
        f"The same customers stay in the same arm.\n"
        f"{taken}"
        f"- Runs {made.horizon_days} days from {made.start}; ask \"how did '{made.name}' do?\" on {made.end}.\n"
        f"- It finds a difference of {shown} per customer 4 times in 5{adjusted}.\n"
        f"- A/A check on the time before: {alarms:.1%} false alarms in {AA_RUNS} runs.",
        f"**“{made.name}”已分组**：触达{contact:,}名，保留{held:,}名不触达，按{by_zh}均衡；同一客户始终在同一组。\n"
        f"{taken_zh}"
        f"- 自{made.start}起观察{made.horizon_days}天；{made.end}可问“{made.name}效果如何？”。\n"
        f"- 人均差异达{shown}时，5次中有4次能测出{adjusted_zh}。\n"
        f"- 用此前的数据做A/A检验：{AA_RUNS}次中误报{alarms:.1%}。",
    )


def _taken(made: Experiment, held: int, plan: Strategy) -> tuple[str, str]:
    """What an experiment took from its plan, in English and Chinese."""
    metric = plan.holdout.metric
    as_sized = held == plan.holdout.holdout
    sized = "its holdout" if as_sized else f"a holdout of {held:,} instead of its {plan.holdout.holdout:,}"
    sized_zh = "其对照组" if as_sized else f"对照组{held:,}名（方案为{plan.holdout.holdout:,}名）"
    return (
        f"- Taken from the plan: the {len(made.arms):,} customers that it chose of {plan.size:,}, each with their "
        f"offer; {sized}; the primary metric, {metric.label_en}.\n",
        f"- 取自方案：{plan.size:,}名中入选的{len(made.arms):,}名客户及各自的优惠；{sized_zh}；"
        f"主要指标：{metric.label_zh}。\n",
    )


def measure_campaign(rooms: Rooms, name: str | None) -> Told:
    """What an experiment did, or how those whom a past campaign reached differ from the others."""
    store = rooms.experiments
    known = name or store.newest()
    if known is None:
        raise NotFoundError(
            "No experiment is saved yet; assign a holdout first, or name a past campaign.",
            "还没有保存的实验；请先设置对照组，或说出一次以往的活动。",
        )
    learned = False
    if known in store:
        experiment = Experiment.from_dict(store.load(known))
        bought = purchases_read(experiment, rooms.purchases, rooms.items)
        found = read_experiment(experiment, bought, rooms.warehouse.as_of)
        learned = rooms.trials.teaches(experiment)
        store.change(known, lambda now: Experiment.from_dict(now).looked(rooms.warehouse.as_of).to_dict())
    else:
        found = _past(rooms, known)
    currency = rooms.workspace.settings.currency
    evidence = Evidence(
        "", "measure_campaign", (Figure("name", known, "text", "campaign", "活动"), *found.figures())
    )
    texts = (tell(found, "en", currency), tell(found, "zh", currency))
    if learned:
        texts = texts[0] + LEARNED[0].format(known), texts[1] + LEARNED[1].format(known)
    return Told(evidence, texts)


def _past(rooms: Rooms, name: str) -> Measurement:
    starts = dict(zip(rooms.campaigns["campaign_id"], pd.to_datetime(rooms.campaigns["start"]), strict=True))
    if name not in starts:
        saved = ", ".join(rooms.experiments.names()) or "none"
        raise NotFoundError(
            f"No experiment or campaign is named '{name}'; experiments: {saved}; campaigns of the data: "
            f"{', '.join(sorted(starts)[:12])}.",
            f"没有名为“{name}”的实验或活动；实验：{saved}；数据中的活动：{'、'.join(sorted(starts)[:12])}。",
        )
    start = starts[name].date()
    reached = rooms.exposures
    ids = set(reached.loc[reached["campaign_id"] == name, "customer_id"])
    # Bands as they were when it began: what came after may be its effect.
    day = min(start, rooms.warehouse.as_of - timedelta(days=1))
    features = rooms.warehouse.features(day)
    strata = bands_of(features["spend_365d"], features["recency_days"])
    return past_campaign(name, start, DAYS, ids, strata, rooms.purchases, rooms.warehouse.as_of)


class Target(NamedTuple):
    """Whom a plan is for. acquisition: how they were found, where they are lookalikes of a segment."""

    definition: Node
    members: list[str]
    acquisition: Acquisition | None


def target(
    rooms: Rooms, members_of: Callable[[Node], list[str]], definition: Node, goal: str | None, top: int | None
) -> Target:
    """Whom a plan with that goal is for: the segment, or, to acquire its lookalikes, these. Lookalikes as a segment are
    taken as they are, not for their own. members_of: of a segment large enough to plan for, else an error. top: how many
    lookalikes; by default as many as the dial says."""
    if goal != "acquire_lookalikes":
        return Target(definition, members_of(definition), None)
    segment, among, wanted = definition, None, top
    if isinstance(definition, SimilarityCondition) and definition.segment is not None:
        segment, among, wanted = definition.segment, definition.among, top or definition.top
    seeds = members_of(segment)
    measured = None if among is not None or len(seeds) < 2 * MIN_HIDDEN else _dialled(rooms, seeds)
    found = acquisition(len(seeds), measured, wanted, DEFAULT_LOOKALIKES)
    nearest = SimilarityCondition(min(found.size, rooms.audiences.population), segment=segment, among=among)
    return Target(nearest, members_of(nearest), found)


def compare_terms(
    rooms: Rooms, whom: Target, goal: str | None, first: tuple[float, Terms], second: tuple[float, Terms]
) -> tuple[Told, Strategy]:
    """The plan with another budget or other terms beside the plan before, and that plan."""
    _, members, found_by = whom
    one, two = (rooms.strategy(members, goal, budget, found_by, terms) for budget, terms in (first, second))
    found = compare_plans(one, two)
    currency = rooms.workspace.settings.currency
    evidence = Evidence("", "compare_plans", found.figures(), tuple(found.rows()))
    return Told(evidence, (found.to_markdown("en", currency), found.to_markdown("zh", currency))), two


def backtest_strategy(rooms: Rooms, definition: Node) -> Told:
    """The segment and the forecast of its response rebuilt at past dates, and what came next."""
    tables = (rooms.exposures, rooms.redemptions, rooms.campaigns, rooms.purchases)
    found = backtest(
        lambda day: rooms.audiences.at(day).members(definition),
        *tables,
        rooms.warehouse.as_of,
        rooms.assumptions,
    )
    smallest = rooms.disclosure.k
    if any(0 < d.members < smallest for d in found.dates):
        raise DefinitionError.of(Issue("backtest_too_few", smallest=smallest))
    days = Figure("horizon_days", found.horizon_days, "days", "days looked at", "观察天数")
    evidence = Evidence("", "backtest_strategy", (days, *found.figures()))
    return Told(evidence, (found.to_markdown("en"), found.to_markdown("zh")))


def dial_lookalikes(rooms: Rooms, members: list[str]) -> Told:
    """How much like the segment its nearest customers are, by the size of the audience."""
    found = _dialled(rooms, members)
    how = how_found(rooms, halves(members)[0], max(SIZES))
    evidence = Evidence("", "dial_lookalikes", (*found.figures(), *how), tuple(found.rows()))
    lines = {figure.name: figure.value for figure in how}
    return Told(
        evidence,
        (
            f"{found.to_markdown('en')}\n\n{lines['method_en']}",
            f"{found.to_markdown('zh')}\n\n{lines['method_zh']}",
        ),
    )


def _dialled(rooms: Rooms, members: list[str]) -> Dial:
    seeds, hidden = halves(members)
    method = rooms.lookalike_method(len(seeds))
    ranked = [match.customer_id for match in lookalikes(rooms.index, seeds, max(SIZES), method=method)]
    return dial(ranked, hidden, rooms.audiences.population, len(seeds))


def keep_plan(
    rooms: Rooms, strategy: Strategy, definition: Node, name: str, if_match: str | None = None
) -> SavedDocument:
    """Save a segment's plan under a name, with its Markdown, HTML and JSON as files for whoever runs it.

    Raises StaleError when the plan of that name is not at the version with the tag `if_match`, DefinitionError for fewer
    customers than every role is shown.
    """
    smallest = rooms.workspace.settings.smallest_of_all  # everybody may read it
    if not is_asked(definition) and rooms.audiences.size(definition) < smallest:
        raise DefinitionError.of(Issue("too_few", smallest=smallest))
    content = replace(strategy, definition=to_json(definition)).saved()
    saved = rooms.plans.save(name, content, if_match=if_match)
    currency = rooms.workspace.settings.currency
    stem = rooms.workspace.folder / plan_files(saved.name)
    for language in ("en", "zh"):
        words = strategy.to_markdown(language, currency)
        _write(stem.with_name(f"{stem.name}.{language}.md"), words)
        _write(stem.with_name(f"{stem.name}.{language}.html"), to_html(words, saved.name, language))
    _write(stem.with_name(f"{stem.name}.json"), json.dumps(strategy.to_dict(), ensure_ascii=False, indent=1))
    return saved


def plan_files(name: str) -> str:
    """Where a plan's files are in the workspace, without their endings."""
    return f"plans/export/{file_stem(name)}"


def file_stem(name: str) -> str:
    """A name as the name of a file, without its ending."""
    return "".join(c if c.isalnum() else "-" for c in name)


def save_plan(rooms: Rooms, strategy: Strategy, definition: Node, name: str) -> Told:
    """Save a plan and say where it is."""
    saved = keep_plan(rooms, strategy, definition, name)
    kept, where = saved.name, plan_files(saved.name)
    budget, goal = (
        money(strategy.budget, rooms.workspace.settings.currency),
        GOAL_WORDS[strategy.objective.goal],
    )
    figures = (
        Figure("name", kept, "text", "plan", "方案"),
        Figure("version", saved.version, "count", "version", "版本"),
        Figure("goal", strategy.objective.goal, "text", "goal", "目标"),
        Figure("budget", strategy.budget, "currency", "budget", "预算"),
        Figure("files", where, "text", "files", "文件"),
        Figure("contacts", strategy.forecast.contacts, "customers", "customers contacted", "触达客户数"),
    )
    return Told(
        Evidence("", "save_plan", figures),
        (
            f"**Plan '{kept}' is saved**: {goal[0]} with {budget}, as Markdown, HTML and JSON in {where}.",
            f"**方案“{kept}”已保存**：{goal[1]}，预算 {budget}，Markdown、HTML 与 JSON 文件在 {where}。",
        ),
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise StorageError(f"{path} could not be written ({error}); free the disk.") from error


def copy_brief(strategy: Strategy) -> Evidence:
    """What a writer of copy is told; the figures that copy may show."""
    return Evidence("", "write_copy", notes=(facts(strategy, "en"), facts(strategy, "zh")))
