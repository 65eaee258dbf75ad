"""What is asked of the answer that was shown last: why, in fewer words, save it; and of a segment's habits."""

import pytest

from assistant.greetings import spoken_sales
from assistant.naming import name_alone
from assistant.spoken_answers import (
    spoken_budget,
    spoken_leave_out,
    spoken_list_out,
    spoken_save_it,
    spoken_shorter,
    spoken_versions,
    spoken_why,
)
from assistant.spoken_habits import spoken_goods, spoken_places
from assistant.spoken_requests import spoken_figures
from campaigns.copy import LENGTHS
from campaigns.plan import Strategy
from segments.codec import from_json
from segments.errors import DefinitionError
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, SOUP, call, shown_in, values
from tests.assistant.test_campaigns import forget, good_copy, other_copy

__all__ = ["forget"]


@pytest.mark.parametrize(
    ("asks", "message"),
    [
        (spoken_why, "why?"),
        (spoken_why, "how do you know that?"),
        (spoken_why, "为什么？"),
        (spoken_why, "依据是什么？"),
        (spoken_shorter, "make it shorter"),
        (spoken_shorter, "shorter please"),
        (spoken_shorter, "再短一点"),
        (spoken_shorter, "太长了"),
        (spoken_save_it, "save it as spring"),
        (spoken_save_it, "save this"),
        (spoken_save_it, "保存为春季"),
        (spoken_leave_out, "leave them out of the campaign"),
        (spoken_leave_out, "活动里把他们排除"),
        (spoken_places, "where do they shop?"),
        (spoken_places, "which stores do they visit most?"),
        (spoken_places, "他们在哪里购物？"),
        (spoken_goods, "what are their favourite products?"),
        (spoken_goods, "what do they usually buy?"),
        (spoken_goods, "他们最喜欢什么商品？"),
        (spoken_goods, "他们一般买什么"),
        (spoken_goods, "what else do they buy?"),
        (spoken_places, "which stores?"),
        (spoken_places, "在哪些店买"),
        (spoken_figures, "compare to everyone"),
        (spoken_sales, "how are sales going?"),
        (spoken_sales, "生意怎么样？"),
    ],
)
def test_it_is_asked_for(asks, message):
    assert asks(message)


@pytest.mark.parametrize(
    ("asks", "message"),
    [
        (spoken_why, "why do soup buyers leave?"),
        (spoken_why, "为什么汤的销量下降？"),
        (spoken_shorter, "customers with a shorter purchase cycle"),
        (spoken_shorter, "make it 30 days"),
        (spoken_save_it, "save them as VIP"),
        (spoken_save_it, "save the segment as VIP"),
        (spoken_save_it, "保存分群为VIP"),
        (spoken_leave_out, "leave out beer buyers"),
        (spoken_places, "who shops at store 367?"),
        (spoken_goods, "what should we recommend to them?"),
        (spoken_sales, "how are soup sales going?"),
        (spoken_sales, "how did campaign 18 do?"),
    ],
)
def test_whoever_says_more_asks_for_something_else(asks, message):
    assert not asks(message)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Spring push", "Spring push"),
        ("call it 'Spring'", "Spring"),
        ("就叫春季", "春季"),
        ("春季召回。", "春季召回"),
    ],
)
def test_a_name_may_be_all_that_is_said(message, name):
    assert name_alone(message) == name


@pytest.mark.parametrize(
    "message", ["who bought soup?", "never mind", "算了", "no", "plan a campaign for them please now"]
)
def test_what_asks_for_something_else_is_no_name(message):
    assert name_alone(message) is None


def names(answer):
    return [each["name"] for each in answer.tool_calls]


@pytest.mark.parametrize(
    ("question", "why", "whom"),
    [
        ("what sets them apart?", "why?", "whom it is about: customers who bought anything"),
        ("他们有什么特点？", "为什么？", "说的是谁：最近 90 天内购买"),
    ],
)
def test_why_tells_what_the_last_answer_rests_on(talk, question, why, whom):
    talk.use(BIG_SPENDERS)
    first = talk.ask(question, call("profile_segment"))
    answer = talk.ask(why)
    assert answer.tool_calls == []
    assert whom in answer.answer
    # Nothing is told that the answer's evidence does not hold.
    assert values(answer.answer) <= shown_in(first.evidence)
    assert values(answer.answer) <= shown_in(answer.evidence)
    assert talk.ask(why).answer == answer.answer
    assert talk.current == BIG_SPENDERS


def test_why_tells_what_was_assumed(talk):
    talk.ask("big spenders", call("define_segment"))
    assert "You gave no threshold, so I chose the one shown" in talk.ask("why?").answer


def test_where_nothing_was_answered_why_is_no_request(talk):
    assert "Which customers do you mean?" in talk.ask("why?", call("clarify")).answer


@pytest.mark.parametrize(
    ("write", "shorter"), [("write the e-mail", "make it shorter"), ("帮我写邮件", "再短一点")]
)
def test_copy_is_written_again_in_half_the_length(talk, write, shorter):
    talk.use(BIG_SPENDERS)

    def copies(schema):
        zh = schema["properties"]["subject"]["maxLength"] <= LENGTHS["zh"]["subject"]
        return dict.fromkeys(schema["properties"], "好物等您来选" if zh else "A coupon waits")

    def others(schema):
        return copies(schema) | {"subject": "专享优惠" if "再" in shorter else "For you"}

    talk.ask(write, call("write_copy"), copies, others, lawless=True)
    long = talk.model.schemas[-1]["properties"]
    answer = talk.ask(shorter, copies, others, lawless=True)
    short = talk.model.schemas[-1]["properties"]
    assert names(answer) == ["write_copy"]
    assert {part: 2 * short[part]["maxLength"] for part in short} == {
        part: long[part]["maxLength"] for part in long
    }
    assert ("版本 A" if "再" in shorter else "Variant A") in answer.answer


def test_copy_that_is_too_long_to_be_short_is_not_shown(talk):
    talk.use(BIG_SPENDERS)
    talk.ask("write the e-mail", call("write_copy"), good_copy, other_copy, lawless=True)
    wordy = good_copy({}) | {"subject": "A coupon that waits for you on your next trip"}
    answer = talk.ask("shorter please", wordy, wordy, wordy, wordy, lawless=True)
    assert "none is shown" in answer.answer
    assert "at most 30" in talk.model.prompts[-1][-1][1]


def test_the_plan_that_was_shown_last_is_saved_and_its_budget_told(talk):
    talk.use(BIG_SPENDERS)
    talk.ask("plan a win-back campaign for them with $500", call("plan_strategy"))
    talk.ask("with $900 instead?", call("compare_plans"))
    asked = talk.ask("save the plan", call("save_plan"))
    assert asked.clarification == "Under which name shall I save the plan?"
    saved = talk.ask("Spring push")
    assert names(saved) == ["save_plan"]
    assert "**Plan 'Spring push' is saved**: win back lapsed customers with $900.00" in saved.answer
    assert Strategy.restored(talk.rooms.plans.load("Spring push")).budget == 900


@pytest.mark.parametrize(
    ("plan", "instead", "save"),
    [
        ("plan a win-back campaign for them with $500", "with $900 instead?", "save it as 'S1'"),
        ("用500美元给他们制定召回方案", "换成900美元预算呢？", "保存为“S1”"),
    ],
)
def test_saving_it_after_a_plan_saves_the_plan(talk, plan, instead, save):
    talk.use(BIG_SPENDERS)
    talk.ask(plan, call("plan_strategy"))
    talk.ask(instead, call("compare_plans"))
    saved = talk.ask(save)
    assert names(saved) == ["save_plan"]
    assert Strategy.restored(talk.rooms.plans.load("S1")).budget == 900
    assert talk.rooms.library.names() == []


@pytest.mark.parametrize(
    ("message", "budget"),
    [("and with 4k?", 4000), ("what about $900?", 900), ("如果4000呢", 4000), ("1万呢", 10_000)],
)
def test_another_budget_may_be_all_that_is_said(message, budget):
    assert spoken_budget(message) == budget


@pytest.mark.parametrize(
    "message", ["and the 2nd?", "what about 5%?", "with kids?", "30呢", "what about soup?"]
)
def test_what_is_no_budget_is_none(message):
    assert spoken_budget(message) is None


def test_another_budget_after_a_plan_is_compared_with_it(talk):
    talk.use(BIG_SPENDERS)
    talk.ask("plan a win-back campaign for them with $500", call("plan_strategy"))
    answer = talk.ask("and with 4k?")
    assert answer.tool_calls[-1]["arguments"] == {"budget": 4000.0, "goal": "win_back", "before": 500.0}


def test_a_segment_without_a_name_is_asked_for_one_and_saved(talk):
    talk.use(SOUP)
    assert talk.ask("save this", call("save_segment")).clarification == "Under which name?"
    assert names(talk.ask("Soup fans")) == ["save_segment"]
    assert talk.rooms.library.names() == ["Soup fans"]


@pytest.mark.parametrize(("question", "head"), [("where do they shop?", "**Where they shop**"),
                                                ("他们在哪里购物？", "**购物地点**")])  # fmt: skip
def test_where_they_shop_is_counted_over_their_orders(talk, question, head):
    talk.use(SOUP)
    answer = talk.ask(question)
    assert head in answer.answer
    figures = {figure["name"]: figure for figure in answer.evidence[-1]["figures"]}
    bought = talk.rooms.purchases.drop_duplicates("order_id")
    bought = bought[bought["ts"] >= "2017-01-01"]
    theirs = bought[bought["customer_id"].isin(talk.rooms.audiences.members(from_json(SOUP)))]
    assert figures["orders"]["value"] == len(theirs)
    store = figures["place.0"]["label"].removeprefix("store ")
    assert figures["place.0"]["value"] == pytest.approx((theirs["channel"] == store).mean())
    assert figures["place.0.everyone"]["value"] == pytest.approx((bought["channel"] == store).mean())
    assert theirs[theirs["channel"] == store]["customer_id"].nunique() >= talk.rooms.disclosure.k


def test_what_they_buy_is_counted_by_spend(talk):
    talk.use(PARENTS)
    answer = talk.ask("what are their favourite products?")
    assert "**What they buy**" in answer.answer
    figures = {figure["name"]: figure for figure in answer.evidence[-1]["figures"]}
    bought = talk.rooms.purchases
    bought = bought[bought["ts"] >= "2017-01-01"]
    theirs = bought[bought["customer_id"].isin(talk.rooms.audiences.members(from_json(PARENTS)))]
    kinds = talk.rooms.items.set_index("item_id")["category"]
    spent = theirs.groupby(theirs["item_id"].map(kinds))["value"].sum().sort_values(ascending=False)
    assert figures["spent"]["value"] == pytest.approx(theirs["value"].sum())
    assert [figures[f"goods.{place}"]["label"] for place in range(3)] == list(spent.index[:3])
    assert figures["goods.0"]["value"] == pytest.approx(spent.iloc[0] / theirs["value"].sum())


def test_habits_of_too_few_are_not_told(talk, tiny):
    for tool in (talk.assistant.tools.profile_places, talk.assistant.tools.profile_goods):
        with pytest.raises(DefinitionError, match="too few"):
            tool(from_json(tiny))


@pytest.mark.parametrize(
    ("narrow", "out"), [("who have kids", "leave them out of the campaign"), ("有孩子的", "活动里把他们排除")]
)
def test_those_who_were_singled_out_are_left_out(talk, narrow, out):
    talk.use(SOUP)
    talk.ask(narrow, call("refine_segment"))
    answer = talk.ask(out)
    assert names(answer) == ["refine_segment"]
    assert talk.current == {"all_of": [SOUP, {"not": PARENTS}]}
    assert "**" in answer.answer


def test_odd_customers_are_no_segment_to_leave_out(talk):
    talk.use(SOUP)
    talk.ask("any suspicious customers?", call("find_anomalies"))
    answer = talk.ask("leave them out of the campaign")
    assert "export_anomalies" in answer.clarification
    assert talk.current == SOUP


@pytest.mark.parametrize(
    ("question", "said"),
    [("how are sales going?", "forecast demand for soup"), ("销售情况怎么样？", "预测汤的需求")],
)
def test_how_sales_go_is_answered_with_what_can_be_asked(talk, question, said):
    assert said in talk.ask(question).clarification
    talk.use(SOUP)
    assert names(talk.ask(question)) == ["profile_segment"]


@pytest.mark.parametrize(
    "message", ["A/B两个版本", "two versions", "give me A/B variants", "another version please", "再来一版"]
)
def test_other_variants_of_the_copy_are_asked_for(message):
    assert spoken_versions(message)


@pytest.mark.parametrize("message", ["two versions of the segment", "版本", "who bought two?"])
def test_what_asks_for_no_variants(message):
    assert not spoken_versions(message)


@pytest.mark.parametrize(
    "message", ["export them as csv", "download the list", "导出名单", "把他们导出成csv"]
)
def test_whoever_wants_the_customers_is_told_where_they_are(talk, message):
    talk.use(BIG_SPENDERS)
    answer = talk.ask(message)
    assert not answer.tool_calls
    assert "segassist export" in (answer.clarification or "")


@pytest.mark.parametrize(
    "message", ["export the plan", "who downloads coupons?", "导出方案", "the customers who bought soup"]
)
def test_what_asks_for_no_list(message):
    assert not spoken_list_out(message)
