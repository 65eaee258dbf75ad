"""Campaigns in conversation: a holdout assigned and read, budgets compared, copy written, in both languages."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assistant.grounding import numbers_in, ungrounded
from assistant.intents import read_intents
from assistant.linking.numbers import Number, numbers
from assistant.tools import Tools
from assistant.tools_campaigns import AA_RUNS
from campaigns.dial import SIZES, dial, halves
from campaigns.experiment import Experiment, make_experiment
from campaigns.plan import Strategy
from indexes.lookalikes import lookalikes as lookalikes_of
from segments.codec import from_json, to_json
from segments.definition import FeatureCondition, SimilarityCondition
from segments.errors import NotFoundError, UserError
from tests.assistant.conftest import BIG_SPENDERS, SOUP, call


@pytest.fixture(autouse=True)
def forget(rooms):
    """What a test saves is deleted after it."""
    yield
    for store in (rooms.experiments, rooms.plans):
        for name in store.names():
            store.delete(name)


def grounded(answer) -> bool:
    """Whether every number of an answer is a value of its evidence, at the precision it is written with."""
    figures = [figure for item in answer.evidence for figure in item["figures"]]
    raw = [
        abs(f[key])
        for f in figures
        for key in ("value", "low", "high", "level")
        if isinstance(f.get(key), int | float)
    ]
    raw += [value * 100 for value in raw]
    words = [text for f in figures for text in (f["label"], f["display"], str(f["value"]))]
    words += [note for item in answer.evidence for note in item["notes"]]
    said = {number for text in words for number in numbers_in(text)} | {str(AA_RUNS)}
    strangers = [
        number
        for number in numbers_in(answer.answer)
        if number not in said
        and not any(
            abs(float(number) - value) <= 0.5 * 10 ** -len(number.partition(".")[2]) + 1e-9 for value in raw
        )
    ]
    assert not strangers, strangers
    return bool(numbers_in(answer.answer))


@pytest.mark.parametrize(
    ("message", "tool"),
    [
        ("run an A/B test for them", "assign_holdout"),
        ("assign a holdout of 10% for them", "assign_holdout"),
        ("给他们做A/B测试", "assign_holdout"),
        ("为他们设置对照组", "assign_holdout"),
        ("how did campaign 18 do?", "measure_campaign"),
        ("how did the test 'spring' perform?", "measure_campaign"),
        ("did the last campaign work?", "measure_campaign"),
        ("活动18效果如何？", "measure_campaign"),
        ("with $10,000 instead?", "compare_plans"),
        ("with 10000 instead?", "compare_plans"),
        ("what if the budget were $500?", "compare_plans"),
        ("with £10,000 instead?", "compare_plans"),
        ("with 10,000 pounds instead?", "compare_plans"),
        ("and with 500 euros instead", "compare_plans"),
        ("what if we had €500?", "compare_plans"),
        ("如果换成¥10000呢？", "compare_plans"),
        ("换成500英镑呢？", "compare_plans"),
        ("what can we do with £500", "plan_strategy"),
        ("we have about 500 pounds for them", "plan_strategy"),
        ("如果预算换成10000元呢？", "compare_plans"),
        ("把方案保存为春季召回", "save_plan"),
        ("保存方案为春季召回", "save_plan"),
        ("back-test it before we send", "backtest_strategy"),
        ("回测一下", "backtest_strategy"),
        ("how far can we expand to lookalikes?", "dial_lookalikes"),
        ("write the e-mail", "write_copy"),
        ("draft a subject line and an SMS for them", "write_copy"),
        ("帮我写邮件", "write_copy"),
        ("save the plan as 'spring'", "save_plan"),
        ("保存方案为“春季”", "save_plan"),
    ],
)
def test_words_that_ask_for_a_campaign(message: str, tool: str):
    assert read_intents(message, [Number((0, 1), 500.0, unit="money")]).tools == (tool,)


@pytest.mark.parametrize(
    "message",
    [
        "who spent over $500 last quarter?",
        "how do they differ from everyone?",
        "how likely are they to buy?",
        "customers who received a campaign",
        "plan a campaign with $500",
        "save this as 'Test buyers'",
        "who redeemed coupons from emails",
        "find lookalikes of them",
        "客户的消费如何",
    ],
)
def test_words_that_do_not(message: str):
    tools = read_intents(message, [Number((0, 1), 500.0, unit="money")]).tools
    campaign = {
        "assign_holdout",
        "measure_campaign",
        "compare_plans",
        "write_copy",
        "save_plan",
        "backtest_strategy",
    }
    assert not campaign & set(tools)


@pytest.mark.parametrize("message", ["what should we not do?", "What should we avoid?", "有什么不该做的？"])
def test_what_not_to_do_is_told_of_the_plan_just_made(talk, message):
    talk.use(BIG_SPENDERS)
    talk.ask("plan a win-back campaign with $300 for them", call("plan_strategy"))
    answer = talk.ask(message, call("plan_strategy"))
    assert answer.tool_calls[-1]["arguments"] == {"goal": "win_back", "budget": 300}
    assert "Do not" in answer.answer or "不要" in answer.answer
    talk.use(SOUP)
    other = talk.ask(message, call("plan_strategy"))
    assert other.tool_calls[-1]["arguments"] == {}


def test_a_budget_that_does_not_bind_is_said_to_change_nothing(talk):
    talk.use(BIG_SPENDERS)
    talk.ask("plan a win-back campaign with $50,000 for them", call("plan_strategy"))
    more = talk.ask("with $90,000 instead?", call("compare_plans"))
    assert "The budget changes nothing" in more.answer
    talk.ask("plan a win-back campaign with $50,000 for them", call("plan_strategy"))
    less = talk.ask("换成100美元呢？", call("compare_plans"))
    assert "预算不起作用" not in less.answer


def test_a_holdout_is_assigned_saved_and_read(talk, rooms):
    talk.use(BIG_SPENDERS)
    assigned = talk.ask("run an A/B test for them, hold out 25%, call it spring", call("assign_holdout"))
    assert assigned.clarification is None, assigned.clarification
    assert "'spring' is assigned" in assigned.answer
    made = Experiment.from_dict(rooms.experiments.load("spring"))
    assert made.holdout_share == 0.25
    held, contact = made.customers("holdout"), made.customers("contact")
    assert len(held) + len(contact) == assigned.segment["size"]
    assert abs(len(held) - 0.25 * assigned.segment["size"]) <= 0.5
    assert f"{len(held):,}" in assigned.answer
    assert grounded(assigned)
    again = talk.ask("run an A/B test for them, call it spring", call("assign_holdout"))
    assert "already" in again.clarification
    early = talk.ask("how did 'spring' do?", call("measure_campaign"))
    assert "nothing to measure yet" in early.clarification


def test_an_experiment_after_a_plan_carries_it_out_for_the_segment_that_it_is_for(talk, rooms):
    talk.use(BIG_SPENDERS)
    planned = talk.ask("plan a win-back campaign with $300 for them", call("plan_strategy"))
    assigned = talk.ask("run an A/B test for them, call it spring", call("assign_holdout"))
    of_plan = assigned.tool_calls[-1]["arguments"]
    assert (of_plan["goal"], of_plan["budget"]) == ("win_back", 300)
    made = Experiment.from_dict(rooms.experiments.load("spring"))
    assert len(made.customers("contact")) < planned.segment["size"] * 0.9
    talk.use(SOUP)
    other = talk.ask("run an A/B test for them, call it soup", call("assign_holdout"))
    assert set(other.tool_calls[-1]["arguments"]) == {"name"}


def test_a_plan_is_carried_out_as_planned_and_said_so(rooms):
    definition = from_json(BIG_SPENDERS)
    tools = Tools(rooms)
    planned = tools.plan_strategy(definition, "win_back", 300).strategy
    result = tools.assign_holdout(definition, name="spring", goal="win_back", budget=300)
    made = Experiment.from_dict(rooms.experiments.load("spring"))
    assert {c: (t, made.offers[c], a) for c, (t, a) in made.arms.items()} == planned.arms
    assert (made.metric, made.definition) == ("bought", to_json(definition))
    english, chinese = result.texts
    held, metric = planned.holdout.holdout, planned.holdout.metric
    assert f"leave {held:,} alone" in english
    assert f"the {len(planned.arms):,} customers that it chose of {planned.size:,}" in english
    assert metric.label_en in english
    assert "取自方案" in chinese
    assert metric.label_zh in chinese
    for text in result.texts:
        assert not ungrounded(text, result.evidence)


def test_a_saved_plan_is_carried_out_by_its_name(rooms):
    tools, definition = Tools(rooms), from_json(BIG_SPENDERS)
    tools.save_plan(definition, "Big spring", "cross_sell", 300)
    planned = Strategy.restored(rooms.plans.load("Big spring"))
    result = tools.assign_holdout(plan="Big spring", name="A/B", share=0.5)
    made = Experiment.from_dict(rooms.experiments.load("A/B"))
    assert set(made.arms) == set(planned.arms)
    assert (made.metric, made.holdout_share) == ("bought_offer", 0.5)
    assert result.definition == definition
    held = len(made.customers("holdout"))
    assert f"a holdout of {held:,} instead of its {planned.holdout.holdout:,}" in result.texts[0]
    assert not ungrounded(result.texts[0], result.evidence)
    begun = (rooms.warehouse.as_of - timedelta(days=60)).isoformat()
    rooms.experiments.change("A/B", lambda content: content | {"start": begun})
    assert "pp" in tools.measure_campaign("A/B").texts[0]
    with pytest.raises(NotFoundError, match="No plan is named 'Bigger'"):
        tools.assign_holdout(plan="Bigger")
    with pytest.raises(UserError, match="give a definition, or in `plan`"):
        tools.assign_holdout(name="nobody")


def test_arms_treated_alike_are_told_to_be_alike(talk, rooms):
    """An experiment that began 60 days before the data end, in which nobody was treated differently.

    Arms drawn at random differ by chance once in twenty times, and each workspace's key draws others: of a few
    draws the one whose arms turned out most alike is taken.
    """
    import datetime

    from campaigns.assign import bands_of
    from campaigns.experiment import make_experiment
    from campaigns.measure import read_experiment

    start = rooms.warehouse.as_of - datetime.timedelta(days=60)
    features = rooms.warehouse.features()
    strata = bands_of(features["spend_365d"], features["recency_days"])

    def drawn(name):
        return make_experiment(name, start, strata, holdout_share=0.3, contact_cost=0.5, gross_margin=0.25)

    def apart(made):
        return abs(read_experiment(made, rooms.purchases, rooms.warehouse.as_of).primary.difference)

    made = min((drawn(f"quiet{number}") for number in range(8)), key=apart)
    rooms.experiments.save(made.name, made.to_dict())
    read = talk.ask(f"how did the test '{made.name}' do?", call("measure_campaign"))
    assert "No difference was found" in read.answer
    assert grounded(read)
    chinese = talk.ask(f"实验“{made.name}”效果如何？", call("measure_campaign"))
    assert "未发现" in chinese.answer
    assert Experiment.from_dict(rooms.experiments.load(made.name)).looks == (made.end,)


def test_a_past_campaign_is_observed_not_caused(talk):
    read = talk.ask("how did campaign 13 do?", call("measure_campaign"))
    assert "Observed, not caused" in read.answer
    assert grounded(read)
    unknown = talk.ask("how did campaign 99 do?", call("measure_campaign"))
    assert "No experiment or campaign is named '99'" in unknown.clarification


def test_another_budget_instead(talk):
    talk.use(BIG_SPENDERS)
    first = talk.ask("plan a win-back campaign for them with $500", call("plan_strategy"))
    assert "$500.00" in first.answer
    other = talk.ask("with $900 instead?", call("compare_plans"))
    assert other.tool_calls[-1]["arguments"] == {"budget": 900.0, "goal": "win_back", "before": 500.0}
    assert "+$400.00" in other.answer
    assert grounded(other)
    chinese = talk.ask("如果预算换成700元呢？", call("compare_plans"))
    assert "新方案" in chinese.answer
    assert talk.current == BIG_SPENDERS


def test_without_a_plan_before_it_is_a_plan(talk):
    talk.use(BIG_SPENDERS)
    answer = talk.ask("what if the budget were $500?", call("compare_plans"))
    assert answer.tool_calls[-1]["name"] == "plan_strategy"


def good_copy(_schema: dict) -> dict:
    return {
        "subject": "A treat for your table",
        "body": "Use the coupon on your next trip.",
        "sms": "A coupon waits.",
    }


def other_copy(schema: dict) -> dict:
    return good_copy(schema) | {"subject": "Something good is waiting"}


def test_copy_is_shown_only_when_it_holds(talk):
    talk.use(BIG_SPENDERS)
    bad = good_copy({}) | {"sms": "90% off everything, [Name]!"}
    answer = talk.ask("write the e-mail", call("write_copy"), good_copy, bad, other_copy, lawless=True)
    assert "**Variant A**" in answer.answer
    assert "Something good is waiting" in answer.answer
    assert "90" not in answer.answer
    repair = talk.model.prompts[-1][-1][1]
    assert "'90' is not a figure of the plan" in repair
    assert "placeholder" in repair
    none = talk.ask("write the e-mail", call("write_copy"), bad, bad, bad, bad, lawless=True)
    assert "none is shown" in none.answer


def test_a_plan_is_saved_with_its_files(talk, rooms):
    talk.use(BIG_SPENDERS)
    saved = talk.ask("save the plan as 'Big spring'", call("save_plan"))
    assert "Plan 'Big spring' is saved" in saved.answer
    restored = Strategy.restored(rooms.plans.load("Big spring"))
    folder = Path(rooms.workspace.folder) / "plans" / "export"
    assert {p.suffix for p in folder.glob("Big-spring*")} == {".md", ".html", ".json"}
    assert "<table>" in (folder / "Big-spring.en.html").read_text(encoding="utf-8")
    text = (folder / "Big-spring.json").read_text(encoding="utf-8")
    assert not any(customer in text for customer in restored.arms), "a file to hand around names no customer"


@pytest.mark.parametrize(("message", "name"), [("save the plan as 'Loyalty push'", "Loyalty push"),
                                               ("保存方案为“留存计划”", "留存计划")])  # fmt: skip
def test_what_a_saved_plan_is_called_is_not_what_it_is_for(talk, rooms, message, name):
    talk.use(BIG_SPENDERS)
    talk.ask("plan a win-back campaign for them with $500", call("plan_strategy"))
    talk.ask(message, call("save_plan"))
    saved = Strategy.restored(rooms.plans.load(name))
    assert (saved.objective.goal, saved.budget) == ("win_back", 500)


def test_the_plan_that_was_shown_is_saved_whatever_else_is_said_of_it(talk, rooms):
    talk.use(BIG_SPENDERS)
    talk.ask("plan a win-back campaign for them with $500", call("plan_strategy"))
    talk.ask("save the loyalty plan as 'May'", call("save_plan"))
    assert Strategy.restored(rooms.plans.load("May")).objective.goal == "win_back"


SPOKEN = [
    ("how did the spring sale campaign do?", "Spring Sale"),
    ("how did Spring Sale do?", "Spring Sale"),
    ("春节促销活动效果如何？", "春节促销"),
    ("春节促销效果怎么样？", "春节促销"),
]


@pytest.mark.parametrize(("message", "name"), SPOKEN)
def test_an_experiment_is_measured_by_the_name_that_is_spoken(talk, message, name):
    talk.use(BIG_SPENDERS)
    for each in ("Spring Sale", "春节促销", "the newest"):
        talk.ask(f"run an A/B test for them, call it '{each}'", call("assign_holdout"))
    asked = talk.ask(message, call("measure_campaign"))
    assert asked.tool_calls == [{"name": "measure_campaign", "arguments": {"name": name}}]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "how did the Summer Push campaign do?",
            "named 'Summer Push'; experiments: spring; campaigns of the data: 1,",
        ),
        ("how did Summer Push do?", "named 'Summer Push'; experiments: spring"),
        ("中秋会员日活动效果如何？", "没有名为“中秋会员日”的实验或活动；实验：spring"),
    ],
)
def test_an_unknown_name_is_said_and_what_there_is_is_listed(talk, message, said):
    talk.use(BIG_SPENDERS)
    talk.ask("run an A/B test for them, call it spring", call("assign_holdout"))
    assert said in talk.ask(message, call("measure_campaign")).clarification


@pytest.mark.parametrize(
    "message", ["did the last campaign work?", "how did it do?", "上次的营销活动效果如何？"]
)
def test_the_newest_experiment_is_meant_where_no_name_is_spoken(talk, message):
    talk.use(BIG_SPENDERS)
    talk.ask("run an A/B test for them, call it spring", call("assign_holdout"))
    asked = talk.ask(message, call("measure_campaign"))
    assert asked.tool_calls == [{"name": "measure_campaign", "arguments": {}}]
    assert "nothing to measure yet" in asked.clarification or "还" in asked.clarification


def test_pounds_of_goods_are_no_money():
    assert numbers("who bought 3 pounds of beef", False, [])[0].unit != "money"


def test_backtest_and_dial_are_grounded(talk):
    talk.use(BIG_SPENDERS)
    for message, tool, word in (("回测一下", "backtest_strategy", "回测"),
                                ("how far can we expand to lookalikes?", "dial_lookalikes", "Lookalike dial")):  # fmt: skip
        answer = talk.ask(message, call(tool))
        assert word in answer.answer
        assert grounded(answer)


def test_an_experiment_that_is_over_tells_the_next_plan_who_responds(talk, rooms, monkeypatch):
    """Contact made four of five of those who had spent more than the median buy, and nobody else; one of ten buy anyway."""
    start = rooms.warehouse.as_of - timedelta(days=30)
    spend = rooms.warehouse.features(start)["spend_365d"].fillna(0.0)
    quiet = make_experiment("Quiet push", start, pd.Series("all", spend.index), horizon_days=14)
    rooms.experiments.save(quiet.name, quiet.to_dict())
    assert "uplift_unknown" in rooms.strategy(list(spend.index), None, 500).caveats, (
        "nobody was treated differently"
    )
    rooms.experiments.delete(quiet.name)

    made = make_experiment("Gouda push", start, pd.Series("all", spend.index), horizon_days=14)
    moved = set(spend.index[spend > spend.median()]) & set(made.customers("contact"))
    luck = pd.Series(np.random.default_rng(1).random(len(spend)), spend.index)
    buyers = luck.index[luck < np.where(luck.index.isin(list(moved)), 0.8, 0.1)]
    within = (rooms.purchases["ts"] >= pd.Timestamp(start)) & (
        rooms.purchases["ts"] < pd.Timestamp(start + timedelta(days=14))
    )
    came = rooms.purchases.head(1).merge(
        pd.DataFrame({"customer_id": buyers}), how="cross", suffixes=("_x", "")
    )
    came = came.drop(columns="customer_id_x").assign(ts=pd.Timestamp(start) + pd.Timedelta(days=2), value=9.0)
    planted = pd.concat([rooms.purchases[~within], came], ignore_index=True)
    monkeypatch.setitem(rooms.__dict__, "purchases", planted)
    rooms.experiments.save("Gouda push", made.to_dict())

    everybody = list(spend.index)  # half of whom contact moves: big spenders alone it moves nearly all alike
    plan = rooms.strategy(everybody, "win_back", 500)
    assert (plan.uplift.kind, plan.uplift.name) == ("experiment", "Gouda push")
    effects = rooms.uplift.for_plans().effects.reindex(everybody)
    high = [c for c in everybody if plan.arms.get(c, ("",))[0] == "high"]
    assert high
    assert effects[high].mean() > effects.mean() + 0.1
    assert "as experiment 'Gouda push' of" in plan.to_markdown("en")
    read = talk.ask("how did 'Gouda push' do?", call("measure_campaign"))
    assert "ask \"what is the uplift of 'Gouda push'?\"" in read.answer
    talk.use(BIG_SPENDERS)
    for question, said in (
        ("what is the uplift of 'Gouda push' among them?", "Learned from experiment Gouda push"),
        ("实验‘Gouda push’对他们的增益如何？", "实验 Gouda push"),
    ):
        answer = talk.ask(question, call("estimate_uplift"))
        assert answer.tool_calls[-1] == {"name": "estimate_uplift", "arguments": {"campaign": "Gouda push"}}
        assert said in answer.answer
        assert grounded(answer)


ACQUIRING = (
    "get me new customers like them with $3,000",
    "find us more customers like them, budget $3000",
    "plan a campaign to win new customers who resemble these with $3,000",
    "we have $3,000 to attract people similar to them",
    "给我用3000元找像他们一样的新客户",
    "用3000元预算获取与他们相似的新客户",
    "为他们的相似人群做个拉新方案，预算3000元",
)


@pytest.mark.parametrize("message", ACQUIRING)
def test_lookalikes_with_a_budget_are_to_be_acquired(talk, message):
    link = talk.assistant.linker.link(message)
    assert (link.intents.tools, link.intents.goal, link.intents.budget) == (
        ("plan_strategy",),
        "acquire_lookalikes",
        3000,
    )
    assert (link.reading, link.missing, link.unknown) == (None, (), ())


@pytest.mark.parametrize(
    "message", ["find lookalikes of them", "more customers like them", "win them back with $500"]
)
def test_lookalikes_without_a_plan_and_plans_without_lookalikes_are_not(message):
    assert read_intents(message, [Number((0, 1), 500.0, unit="money")]).goal != "acquire_lookalikes"


def test_a_plan_to_acquire_lookalikes_is_for_them_and_not_for_the_segment(talk, rooms):
    talk.use(BIG_SPENDERS)
    answer = talk.ask(ACQUIRING[0], call("plan_strategy"))
    seeds, plan = set(rooms.audiences.members(from_json(BIG_SPENDERS))), answer.strategy
    lookalikes = rooms.audiences.members(from_json(talk.current))
    assert from_json(talk.current) == SimilarityCondition(plan.size, segment=from_json(BIG_SPENDERS))
    assert not seeds & set(lookalikes)
    assert set(plan.arms) <= set(lookalikes)
    found = plan.acquisition
    assert (found.seed, found.size, found.asked) == (len(seeds), plan.size, False)
    dialled = rooms_dial(rooms, BIG_SPENDERS)
    assert found.size == max(s.size for s in dialled if s.low > 1)
    assert f"nearest in behaviour to the segment's {len(seeds):,}, none of them a member" in answer.answer
    assert "give the segment's export to an advertiser" in answer.answer
    assert plan.holdout.metric.name == "bought_offer"
    assert "行为上与该分群" in plan.to_markdown("zh")

    again = talk.ask("with $500 instead?", call("compare_plans"))
    assert again.evidence[0]["figures"][0]["value"] == plan.size, "of the same lookalikes, not of theirs"
    assigned = talk.ask("run an A/B test for them, call it spring", call("assign_holdout"))
    assert set(Experiment.from_dict(rooms.experiments.load("spring")).arms) == set(plan.arms), assigned.answer


def rooms_dial(rooms, definition):
    seeds, hidden = halves(rooms.audiences.members(from_json(definition)))
    ranked = [match.customer_id for match in lookalikes_of(rooms.index, seeds, max(SIZES))]
    return dial(ranked, hidden, rooms.audiences.population, len(seeds)).settings


def test_as_many_lookalikes_as_asked_for_and_the_lift_that_was_measured(rooms):
    tools, definition = Tools(rooms), from_json(BIG_SPENDERS)
    told = tools.plan_strategy(definition, "acquire_lookalikes", 300, top=250)
    plan = told.strategy
    for language in ("en", "zh"):
        assert ungrounded(plan.to_markdown(language), told.evidence) == []
    assert (plan.size, plan.acquisition.asked, plan.acquisition.measured.size) == (250, True, 200)
    few = FeatureCondition(
        "spend_365d", ">", float(rooms.warehouse.features()["spend_365d"].nlargest(21).iloc[-1])
    )
    unmeasured = tools.plan_strategy(few, "acquire_lookalikes", 300).strategy
    assert (unmeasured.size, unmeasured.acquisition.measured) == (100, None)
    assert {"lift_unmeasured", "lookalikes_known"} <= set(unmeasured.caveats)


@pytest.mark.parametrize("message", ["cross-sell to them with $4,000", "用4000美元给他们做交叉销售"])
def test_cross_selling_with_a_budget_is_a_plan(message: str):
    found = read_intents(message, [Number((0, 1), 4000.0, unit="money")])
    assert found.tools == ("plan_strategy",)
    assert (found.goal, found.budget) == ("cross_sell", 4000.0)
    assert "recommend_products" in read_intents("what can we cross-sell to them?", []).tools


@pytest.mark.parametrize("message", ["活动18效果如何？", "how did campaign 18 do?"])
def test_a_campaign_is_named_by_its_number_alone(message: str):
    assert read_intents(message, []).name == "18"
