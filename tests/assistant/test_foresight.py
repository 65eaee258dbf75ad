"""Whom a coupon would move and what customers are worth: asked in both languages, answered with their doubts."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from assistant.answer import plain
from assistant.grounding import ungrounded
from assistant.intents import read_intents, spoken_ahead, spoken_weeks
from assistant.tools import ToolResult
from assistant.tools_uplift import CampaignUplift
from assistant.trials import Trials
from campaigns.experiment import Experiment, make_experiment
from propensity.dataset import customer_matrix
from segments.codec import from_json
from segments.errors import DataError, DefinitionError, NotFoundError, UserError
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, call, shown_in, values
from tests.conftest import loader, small_source
from warehouse.history import TrainingTables
from warehouse.store import Warehouse, build

UPLIFT = (
    "which of them would buy because of the coupon?",
    "who would only respond because of campaign 13?",
    "who are the persuadables among them?",
    "who would buy anyway?",
    "谁会因为优惠券才购买",
    "他们中哪些人没有优惠券也会买？",
    "Whom should we leave out because contacting them backfires?",
    "哪些客户不发券也会买？",
    "发券反而不买的客户有多少？",
)
WORTH = (
    "what are they worth over the next year?",
    "what's their CLV?",
    "how much will they spend next quarter?",
    "what is the lifetime value of these customers?",
    "他们未来一年值多少",
    "预测一下他们的终身价值",
    "他们未来三个月会花多少？",
    "How much will families with children spend over the next year?",
    "Expected revenue from customers who bought in the last 30 days over the next 6 months",
)


@pytest.mark.parametrize("question", UPLIFT)
def test_words_that_ask_whom_a_campaign_moves(question):
    assert read_intents(question, ()).tools == ("estimate_uplift",)


@pytest.mark.parametrize("question", WORTH)
def test_words_that_ask_what_customers_are_worth(question):
    assert read_intents(question, ()).tools == ("customer_value",)


@pytest.mark.parametrize(
    "question",
    [
        "customers who bought because of price",
        "families worth targeting with a coupon",
        "households with a high net worth",
        "dormant and LTV > $1.8k",
        "终身价值高的客户",
        "who redeemed a coupon last month",
        "因为优惠券购买的客户",
        "how likely are they to redeem a coupon?",
    ],
)
def test_words_that_ask_for_something_else(question):
    assert not {"estimate_uplift", "customer_value"} & set(read_intents(question, ()).tools)
    assert spoken_ahead(question) == []


@pytest.mark.parametrize(
    ("question", "weeks"),
    [
        ("over the next year", 52),
        ("in the next six months", 26),
        ("next quarter", 13),
        ("within the coming 10 weeks", 10),
        ("未来半年", 26),
        ("接下来三个月", 13),
        ("未来两周", 2),
        ("in the next seven months", 7 * 52 / 12),
        ("未来三十天", 30 / 7),
        ("明年", 52),
        ("in the last year", None),
    ],
)
def test_a_horizon_is_read_in_weeks(question, weeks):
    assert spoken_weeks(question) == weeks


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("What will customers who bought beer in the last 30 days want next?", "recommend_products"),
        ("有孩子的家庭下一步最可能买什么？", "recommend_products"),
        ("How many groups are there really, and why that many?", "discover_segments"),
    ],
)
def test_words_that_ask_what_comes_next_and_how_many_groups_there_are(question, tool):
    assert read_intents(question, ()).tools == (tool,)


def test_whose_spend_is_to_come_is_read(talk):
    answer = talk.ask(
        "How much will families with children spend over the next year?", call("customer_value", 0)
    )
    assert [(called["name"], called["arguments"]) for called in answer.tool_calls] == [
        ("define_segment", {"definition": PARENTS}),
        ("customer_value", {"weeks": 52}),
    ]


def test_what_is_to_come_is_no_condition_of_the_segment(talk):
    link = talk.assistant.linker.link("what will households with kids be worth over the next 6 months?")
    assert link.reading == from_json(PARENTS)
    assert (link.intents.tools, link.intents.weeks) == (("customer_value",), 26)
    link = talk.assistant.linker.link("有孩子的家庭中谁会因为优惠券才购买？")
    assert link.reading == from_json(PARENTS)


@pytest.mark.parametrize(
    ("question", "said"), [(UPLIFT[0], "not a causal effect"), (UPLIFT[4], "这不是因果效应")]
)
def test_a_targeted_campaign_is_answered_with_the_check_and_never_as_causal(talk, question, said):
    talk.use(PARENTS)
    answer = talk.ask(question, call("estimate_uplift"))
    assert said in answer.answer
    figures = {figure["name"]: figure for figure in answer.evidence[1]["figures"]}
    assert 0.5 < figures["targeting_auc"]["value"] <= 1
    assert 0 < figures["overlap"]["value"] < 1
    assert figures["after"]["value"] < figures["before"]["value"]
    groups = sum(
        figures[name]["value"] for name in ("persuadable", "sure_thing", "lost_cause", "do_not_disturb")
    )
    assert groups == pytest.approx(answer.segment["size"], abs=2)
    assert figures["average"]["low"] < figures["average"]["value"] < figures["average"]["high"]
    for name in ("policy_share", "policy_gain", "policy_over_everyone", "auuc"):
        assert figures[name]["display"] in answer.answer


@pytest.mark.parametrize("question", [WORTH[0], WORTH[4]])
def test_what_a_segment_is_worth_comes_with_an_interval_and_how_it_was_tried(talk, question):
    talk.use(BIG_SPENDERS)
    answer = talk.ask(question, call("customer_value"))
    assert answer.tool_calls[-1] == {"name": "customer_value", "arguments": {"weeks": 52.0}}
    figures = {figure["name"]: figure for figure in answer.evidence[1]["figures"]}
    value = figures["value"]
    assert value["low"] < value["value"] < value["high"]
    assert figures["value_each"]["value"] == pytest.approx(value["value"] / answer.segment["size"])
    assert figures["weeks"]["value"] == 52
    assert 0.8 < figures["tried"]["value"] < 1.25
    assert value["display"] in answer.answer


def test_what_a_segment_is_worth_is_simulated_once(rooms):
    members = rooms.audiences.members(from_json(BIG_SPENDERS))
    first = rooms.worths.evidence(members, 26)
    before = rooms.worths._curve.cache_info()
    assert rooms.worths.evidence(members[::-1], 26.0) == first
    assert rooms.worths.evidence(members, 27) != first
    after = rooms.worths._curve.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (1, 1)


def test_one_customers_drivers_add_up_to_their_own_log_odds(talk, monkeypatch):
    monkeypatch.setattr("assistant.scoring.DRIVERS", 99)
    monkeypatch.setattr("assistant.scoring.LEAST_EFFECT", 0.0)
    rooms, tools = talk.rooms, talk.assistant.tools
    for outcome in ("purchase_30d", "coupon_redeem_30d", "purchase_30d:BEERS/ALES"):
        scores = rooms.propensity.scores(outcome)
        customer = str(scores.index[7])
        (source,) = rooms.vault.source_ids([customer])
        result = tools.explain_propensity(source, outcome)
        found = {figure.name: figure.value for figure in result.evidence[0].figures}
        assert found["probability"] == scores[customer]
        assert found["everyone"] == pytest.approx(scores.mean())
        assert found["above"] == (scores < scores[customer]).mean()
        log_odds = rooms.propensity._registry.model(outcome).log_odds(rooms.propensity.matrix(outcome))
        mine = log_odds[list(rooms.propensity.customers.index).index(customer)] - log_odds.mean()
        effects = [row["effect"] for row in result.evidence[0].rows]
        assert sum(effects) == pytest.approx(mine, abs=0.005 * len(effects) + 1e-6)
        for language in ("en", "zh"):
            assert ungrounded(plain(result, language, "$", 10), result.evidence) == []


def test_who_is_not_asked_an_outcome_has_no_probability(talk, monkeypatch):
    scores = talk.rooms.propensity.scores("purchase_30d")
    customer = str(scores.index[0])
    (source,) = talk.rooms.vault.source_ids([customer])
    monkeypatch.setattr(talk.rooms.propensity, "scores", lambda _outcome: scores.drop(customer))
    with pytest.raises(NotFoundError, match="has no probability of purchase_30d, which is asked of other"):
        talk.assistant.tools.explain_propensity(source, "purchase_30d")


def test_reaching_only_those_who_pay_is_worth_what_the_effects_say(tested):
    """Responders spend 9.00 in the time and a margin of a quarter is left of it; cost as the caller gives it."""
    tables = TrainingTables(tested)
    matrix = customer_matrix(tables.features(tables.as_of), tables.extra(tables.as_of), tables.catalogue)

    def figures(cost):
        found = CampaignUplift(Trials(tested, ("7",)), lambda: matrix, cost, 0.25).evidence(
            list(matrix.index), None
        )
        return {figure.name: figure for figure in found.figures}

    cheap, dear = figures(0.5), figures(1_000.0)
    worth, average = cheap["response_value"].value, cheap["average"].value
    bought = tested.events("purchase", "customer_id", "ts", "value")
    start = pd.Timestamp(cheap["start"].value)
    inside = bought[(bought["ts"] >= start) & (bought["ts"] < start + pd.Timedelta(days=14))]
    spent = inside[inside["customer_id"].isin(tables.features(start.date()).index)]
    each = spent["value"].sum() / spent["customer_id"].nunique()
    assert worth == pytest.approx(0.25 * each)
    assert cheap["contact_cost"].value == 0.5
    assert cheap["policy_everyone"].value == pytest.approx(average * worth - 0.5, abs=0.05 * worth)
    gain, everyone = cheap["policy_gain"], cheap["policy_everyone"]
    assert cheap["policy_over_everyone"].value == pytest.approx(gain.value - everyone.value)
    assert (dear["policy_share"].value, dear["policy_gain"].value) == (0, 0)
    assert dear["policy_over_everyone"].value > 900


def test_without_a_segment_everyone_is_meant(talk):
    answer = talk.ask("what are our customers worth over the next quarter?", call("customer_value"))
    assert answer.evidence[0]["figures"][0]["value"] == talk.rooms.audiences.population


def test_every_number_of_both_answers_is_in_the_evidence(talk):
    node = from_json(PARENTS)
    for result in (
        talk.assistant.tools.estimate_uplift(node),
        talk.assistant.tools.customer_value(node, 26.0),
    ):
        for language in ("en", "zh"):
            assert ungrounded(plain(result, language, "$", 10), result.evidence) == []


def test_a_campaign_or_horizon_that_cannot_be_is_told(talk):
    tools, node = talk.assistant.tools, from_json(PARENTS)
    with pytest.raises(NotFoundError, match="campaign: there is no campaign '99'; known are 1, 2, 3"):
        tools.estimate_uplift(node, campaign="99")
    with pytest.raises(DataError, match="campaign: 23 began on 2017-12-28, too lately"):
        tools.estimate_uplift(node, campaign="23")
    with pytest.raises(DataError, match=r"customers reached, .* at least 100 reached"):
        tools.estimate_uplift(node, campaign="1")
    with pytest.raises(UserError, match="weeks: must be above 0 and at most 156; got 1000"):
        tools.customer_value(node, weeks=1000)


@pytest.fixture(scope="module")
def tested(tmp_path_factory) -> Warehouse:
    """A retailer that mailed half of 600 customers on 1 September, drawn at random; of those, 200 came because of it."""
    source = small_source(seed=3, customers=600)
    events, random = source["events"], np.random.default_rng(3)
    events = events[~events["type"].isin(["exposure", "coupon_redeem"])]
    reached = random.permutation(600)[:300]
    mailed = pd.DataFrame({"source_id": [str(i) for i in reached], "ts": pd.Timestamp(2017, 9, 1)})
    mailed = mailed.assign(
        type="exposure", quantity=1.0, value=0.0, discount=0.0, channel="mail", campaign_id="7"
    )
    came = mailed.head(200).assign(
        ts=pd.Timestamp(2017, 9, 5), type="purchase", item_id="i0", value=9.0, campaign_id=None
    )
    came["order_id"] = "late-" + came["source_id"]
    source["events"] = pd.concat([events, mailed, came], ignore_index=True)
    source["campaigns"] = source["campaigns"].assign(campaign_id="7")
    folder = tmp_path_factory.mktemp("tested")
    return Warehouse(build(folder, loader(source)))


def test_a_campaign_that_was_declared_random_and_looks_so_has_an_effect(tested):
    tables = TrainingTables(tested)
    matrix = customer_matrix(tables.features(tables.as_of), tables.extra(tables.as_of), tables.catalogue)
    for randomised in (("7",), ()):
        uplift = CampaignUplift(Trials(tested, randomised), lambda: matrix, 0.5, 0.25)
        found = uplift.evidence(list(matrix.index), None)
        figures = {figure.name: figure for figure in found.figures}
        assert figures["campaign"].value == "7"
        planted = 2 / 3 * (1 - figures["rate_left_out"].value)
        assert figures["average"].low < planted < figures["average"].high
        assert figures["average"].low > 0.3
        assert figures["targeting_auc"].value < 0.6
        assert figures["auuc"].low <= figures["auuc"].value <= figures["auuc"].high
        text = plain(ToolResult((found,)), "en", "$", 10)
        assert ("the difference is its effect" in text) == bool(randomised)
        assert ("not a causal effect" in text) == (not randomised)
        assert ungrounded(text, (found,)) == []


def test_who_buys_because_of_a_campaign_is_a_condition_with_its_doubts(talk):
    rooms = talk.rooms
    effects = rooms.uplift.effects("18")
    half = float(effects.quantile(0.75))
    assert len(effects) == rooms.audiences.population
    moved = from_json({"uplift": "18", "min_effect": half})
    assert set(rooms.audiences.members(moved)) == set(effects.index[effects >= half])
    top = from_json({"uplift": "18", "top_share": 0.1})
    members = rooms.audiences.members(top)
    assert len(members) == round(len(effects) * 0.1)
    assert effects[members].min() >= effects.drop(members).max()
    talk.use({"uplift": "18", "top_share": 0.1})
    for question, said in (
        ("show the current segment", "learned from an observational study"),
        ("当前分群", "增益来自观察性研究"),
    ):
        answer = talk.ask(question, call("show_segment"))
        assert said in answer.answer
        assert values(answer.answer) <= shown_in(answer.evidence)
    talk.use(PARENTS)
    assert "observational" not in talk.ask("show the current segment", call("show_segment")).answer


def test_the_uplift_of_a_campaign_that_never_was_is_refused_with_the_ones_there_are(talk):
    with pytest.raises(DefinitionError, match="no past campaign 'spring'; known are"):
        talk.rooms.audiences.size(from_json({"uplift": "spring", "top_share": 0.1}))


def test_a_campaign_sent_at_random_has_no_doubts_of_its_cause(tested):
    tables = TrainingTables(tested)
    matrix = customer_matrix(tables.features(tables.as_of), tables.extra(tables.as_of), tables.catalogue)
    uplift = CampaignUplift(Trials(tested, ("7",)), lambda: matrix, 0.5, 0.25)
    assert Trials(tested, ("7",)).names == ("7",)
    assert "sent at random, so" in uplift.doubts("7")
    assert "为随机投放" in uplift.doubts("7").zh


def test_an_experiment_that_is_over_is_a_random_study_and_tells_a_plan(tested):
    """The 300 who were mailed as a saved experiment's contacts: whoever is drawn, 200 of them came because of it."""
    tables = TrainingTables(tested)
    matrix = customer_matrix(tables.features(tables.as_of), tables.extra(tables.as_of), tables.catalogue)
    bought = tested.events("purchase", "customer_id", "ts", "value")
    mailed = set(tested.events("exposure", "customer_id")["customer_id"])
    everyone = pd.Series("all", index=tables.features(date(2017, 9, 1)).index)
    drawn = make_experiment("spring", date(2017, 9, 1), everyone, horizon_days=14, holdout_share=0.5)
    arms = {c: ("all", "contact" if c in mailed else "holdout") for c in drawn.arms}

    def uplift(**more):
        made = Experiment.from_dict(drawn.to_dict() | {"arms": arms} | more)
        trials = Trials(tested, (), {"spring": made}, lambda _made: bought)
        return CampaignUplift(trials, lambda: matrix, 0.5, 0.25)

    for named in (None, "spring"):
        found = uplift().evidence(list(matrix.index), named)
        figures = {figure.name: figure for figure in found.figures}
        assert (figures["campaign"].value, figures["campaign"].label_en) == ("spring", "experiment")
        assert figures["reached"].value + figures["left_out"].value == len(arms)
        assert figures["average"].low > 0.3
        english = plain(ToolResult((found,)), "en", "$", 10)
        assert "Learned from experiment spring of 2017-09-01" in english
        assert "Its arms were drawn at random" in english
        assert "实验 spring" in plain(ToolResult((found,)), "zh", "$", 10)
    told = uplift().for_plans()
    if "tells who" in found.notes:
        assert told.study.words[0].startswith("experiment 'spring' of 2017-09-01")
        assert told.effects.index.equals(matrix.index)
    else:
        assert told is None
    open_still = uplift(horizon_days=4000)
    assert open_still.for_plans() is None
    with pytest.raises(DataError, match="spring began on 2017-09-01, too lately"):
        open_still.evidence(list(matrix.index), "spring")
    with pytest.raises(NotFoundError, match="no campaign 'autumn'; known are 7, spring"):
        uplift().evidence(list(matrix.index), "autumn")


def test_a_damaged_experiment_hides_no_other_and_is_told_of_by_name(tested):
    class Damaged(dict):
        def __getitem__(self, name):
            raise DataError(f"This is not a saved experiment ('{name}'); it was changed by hand.")

    trials = Trials(tested, ("7",), Damaged(autumn=None))
    assert [trial.name for trial in trials.random()] == ["7"]
    assert trials.names == ("7", "autumn")
    with pytest.raises(DataError, match="changed by hand"):
        trials.named("autumn")
