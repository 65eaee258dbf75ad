"""Wordings that were once misread, several of each kind in both languages, beside near misses that mean something else."""

import pytest

from assistant.intents import read_intents, spoken_weeks
from assistant.linking.link import is_chinese
from assistant.linking.linker import Linker
from assistant.linking.numbers import numbers
from assistant.outright import Known, outright
from assistant.plan import offered_tools
from assistant.ranked_value import asks_ranked_value
from assistant.rooms import Rooms, make_linker
from segments.codec import from_json, to_json
from tests.assistant.conftest import PARENTS

NOBODY = Known(None, (), (), False, False, None, ())


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return make_linker(opened, dense=False)


@pytest.mark.parametrize(
    ("message", "customer", "top"),
    [
        ("find 60 shoppers like household 718", "718", 60),
        ("find me fifty shoppers similar to household 718", "718", 50),
        ("find 25 families like household 718", "718", 25),
        ("get 30 clients that resemble household 718", "718", 30),
        ("find 80 guests like customer 55", "55", 80),
        ("60 customers like household 718", "718", 60),
        ("找60位像客户718的人", "718", 60),
        ("找60个像718号家庭的客户", "718", 60),
        ("找60户与家庭718相似的家庭", "718", 60),
        ("找跟客户1023购物习惯接近的50户家庭", "1023", 50),
        ("像会员33这样的顾客找80个", "33", 80),
    ],
)
def test_how_many_customers_are_wanted_is_no_condition(linker, message, customer, top):
    link = linker.link(message)
    assert offered_tools(link, False) == ("find_lookalikes",)
    assert (link.reading, link.intents.customer, link.intents.top) == (None, customer, top)


@pytest.mark.parametrize(
    ("message", "top"), [("find 150 shoppers just like these", 150), ("帮我扩到500人", 500)]
)
def test_nor_is_it_where_they_are_like_the_current_segment(linker, message, top):
    link = linker.link(message, from_json(PARENTS))
    assert offered_tools(link, True) == ("find_lookalikes",)
    assert link.intents.top == top


@pytest.mark.parametrize(
    ("message", "feature", "value"),
    [
        ("customers who shopped at 3 stores", "stores_365d", 3),
        ("customers of 60 shops", "stores_365d", 60),
        ("去过3家店的客户", "stores_365d", 3),
        ("people in households of five", "household_size", "5+"),
        ("3口之家", "household_size", "3"),
    ],
)
def test_stores_and_persons_are_still_counted(linker, message, feature, value):
    read = to_json(linker.link(message).reading)
    assert (read["feature"], read["value"]) == (feature, value)


@pytest.mark.parametrize(
    ("message", "weeks"),
    [
        ("what will our customers spend over the next 12 weeks?", 12),
        ("what are our shoppers going to spend over the next 6 months?", 26),
        ("how much revenue will our customers bring in over the next quarter?", 13),
        ("我们的客户未来12周会花多少钱？", 12),
        ("预计所有顾客下个季度消费多少？", 13),
    ],
)
def test_what_everyone_will_spend_is_a_question_of_value(linker, message, weeks):
    link = linker.link(message)
    assert offered_tools(link, False) == ("customer_value",)
    assert (link.reading, link.intents.weeks) == (None, weeks)


def test_what_they_will_spend_is_no_question_of_probability(linker):
    link = linker.link("what will they spend over the next 12 weeks?", from_json(PARENTS))
    assert link.intents.tools == ("customer_value",)


@pytest.mark.parametrize(
    "message",
    [
        "what did our customers spend over the last 12 weeks?",
        "which customers spend over $500?",
        "what will beer sell next month?",
        "过去12周消费最多的客户",
    ],
)
def test_what_was_spent_and_what_goods_sell_is_none(message):
    assert "customer_value" not in read_intents(message, ()).tools


@pytest.mark.parametrize(
    ("message", "weeks", "count"),
    [
        ("the 100 most valuable customers over the next year", 52, 100),
        ("top 30 most valuable households in the next 6 months", 26, 30),
        ("top 100 customers by predicted value", None, 100),
        ("未来一年最有价值的100位客户", 52, 100),
        ("未来三个月贡献最大的50位顾客", 13, 50),
        ("预测价值最高的50位客户", None, 50),
        ("按未来价值排名前100的客户", None, 100),
    ],
)
def test_the_most_valuable_to_come_are_ranked_and_what_they_are_worth_is_told(linker, message, weeks, count):
    link = linker.link(message)
    plan = outright(message, link, NOBODY)
    assert plan is not None
    assert (plan.tool, plan.segment) == ("customer_value", "described")
    assert to_json(link.reading) == {"rank_by": "spend_365d", "count": count}
    assert (link.intents.weeks, link.unused) == (weeks, ())


@pytest.mark.parametrize(
    "message",
    [
        "our 200 most valuable shoppers",
        "价值最高的200名顾客",
        "customers with LTV above $2000",
        "dormant and LTV > $1.8k",
        "终身价值高的客户",
        "high lifetime value customers who bought beer",
        "去年最有价值的100位客户",
    ],
)
def test_who_is_valuable_by_what_was_spent_is_a_segment(linker, message):
    assert not asks_ranked_value(message)
    assert "customer_value" not in linker.link(message).intents.tools


@pytest.mark.parametrize("message", ["our 200 most valuable shoppers", "价值最高的200名顾客"])
def test_the_most_valuable_are_ranked_by_spend(linker, message):
    assert to_json(linker.link(message).reading) == {"rank_by": "spend_365d", "count": 200}


def test_the_answer_tells_by_what_the_most_valuable_are_ranked(talk):
    answer = talk.ask("未来一年最有价值的100位客户")
    assert answer.tool_calls[-1] == {"name": "customer_value", "arguments": {"weeks": 52.0}}
    assert answer.segment["size"] == 100
    assert "按过去的消费选出" in answer.answer
    assert "chosen by what they spent" in talk.ask("top 100 customers by predicted value").answer


@pytest.mark.parametrize(
    ("message", "tool", "campaign"),
    [
        ("活动18的增益有多大？", "estimate_uplift", "18"),
        ("18号活动的增益是多少？", "estimate_uplift", "18"),
        ("活动30对谁有效？", "estimate_uplift", "30"),
        ("who was persuaded by campaign 18?", "estimate_uplift", "18"),
        ("what is the uplift of campaign 18?", "estimate_uplift", "18"),
        ("活动18带来多少增益", "measure_campaign", "18"),
        ("did campaign 8 change anything in what people bought?", "measure_campaign", "8"),
        ("what did campaign 26 change?", "measure_campaign", "26"),
        ("哪些客户是被活动8说服的？", "estimate_uplift", "8"),
        ("活动26有多少客户是因为活动才买的？", "estimate_uplift", "26"),
    ],
)
def test_what_a_campaign_did_says_nobody(linker, message, tool, campaign):
    link = linker.link(message)
    assert offered_tools(link, False) == (tool,)
    assert link.intents.campaign == campaign


@pytest.mark.parametrize(
    ("message", "definition"),
    [
        ("收到活动18的客户里增益有多大？", {"event": "exposure", "campaign": ["18"]}),
        (
            "how much uplift did campaign 8 have among beer buyers?",
            {"event": "purchase", "items": {"category": ["BEERS/ALES"]}},
        ),
        (
            "would soup buyers have come without campaign 30?",
            {"event": "purchase", "items": {"category": ["SOUP"]}},
        ),
    ],
)
def test_whom_an_uplift_is_asked_of_stays(linker, message, definition):
    link = linker.link(message)
    assert "estimate_uplift" in link.intents.tools
    assert to_json(link.reading) == definition


@pytest.mark.parametrize("message", ["top 10% by uplift of campaign 18", "活动18增益最高的前10%客户"])
def test_a_rank_by_uplift_is_still_a_segment(linker, message):
    assert to_json(linker.link(message).reading) == {"uplift": "18", "top_share": 0.1}


@pytest.mark.parametrize(
    ("message", "count", "outcome"),
    [
        ("最有可能用券的100个人", 100, "coupon_redeem_30d"),
        ("top 200 shoppers by probability to purchase", 200, "purchase_30d"),
        ("the 150 customers most likely to buy soup", 150, "purchase_30d:SOUP"),
    ],
)
def test_so_many_of_the_likeliest_are_their_share(linker, opened, message, count, outcome):
    link = linker.link(message)
    read = to_json(link.reading)
    assert read["propensity"] == outcome
    assert round(read["top_share"] * len(linker._table)) == count
    assert link.unused == ()
    assert [candidate.reading for candidate in link.candidates] == ["share"]
    assert len(opened.audiences.members(link.reading)) == count


def test_persons_of_a_household_are_no_such_number(linker):
    read = to_json(linker.link("households of 4 people most likely to buy soup").reading)
    assert {part.get("top_share") for part in read["all_of"]} == {None, 0.2}


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("which shoppers will probably buy beer in the next 30 days?", "purchase_30d:BEERS/ALES"),
        ("who will redeem a coupon in the next month?", "coupon_redeem_30d"),
        ("哪些客户会在下个月买啤酒？", "purchase_30d:BEERS/ALES"),
        ("谁会在两周内回来？", "purchase_14d"),
    ],
)
def test_who_will_do_it_is_no_past(linker, message, outcome):
    assert to_json(linker.link(message).reading) == {"propensity": outcome, "top_share": 0.2}


@pytest.mark.parametrize(
    "message", ["谁会因为优惠券才购买", "who would buy anyway?", "who will get the mailing?"]
)
def test_who_would_do_it_because_of_something_is_no_probability(linker, message):
    assert "propensity" not in str(linker.link(message).reading)


@pytest.mark.parametrize(
    ("message", "tool"),
    [
        ("group shoppers by how they behave", "discover_segments"),
        ("cluster everybody into six personas", "discover_segments"),
        ("describe the personas among our customers", "discover_segments"),
        ("按行为给客户分个群", "discover_segments"),
        ("帮我自动找出客户群体", "discover_segments"),
        ("segment our customers by age", "breakdown_segment"),
        ("split all customers by income", "breakdown_segment"),
        ("把客户按年龄分组", "breakdown_segment"),
        ("what sells along with diapers?", "bought_together"),
        ("which categories are bought along with soup?", "bought_together"),
        ("买啤酒的人还会一起买什么？", "bought_together"),
        ("would mailing them more often help?", "mail_frequency"),
        ("多久联系一次客户合适？", "mail_frequency"),
        ("邮件发太多会不会适得其反？", "mail_frequency"),
        ("买了尿布的顾客还常买什么？", "bought_together"),
        ("what is a customer worth on average?", "customer_value"),
        ("他们的LTV是多少", "customer_value"),
        ("买啤酒的顾客还常来吗", "define_segment"),
        ("would you show me customers who have bought beer without a coupon?", "define_segment"),
        ("customers who have bought without a coupon", "define_segment"),
        ("收到活动18的客户", "define_segment"),
    ],
)
def test_the_tool_that_is_asked_for(linker, message, tool):
    assert offered_tools(linker.link(message), False) == (tool,)


def test_the_biggest_baskets_are_ranked_by_what_one_is_worth(linker):
    for message in ("the 20 customers with the biggest baskets", "平均订单价值最高的20位客户"):
        assert to_json(linker.link(message).reading) == {"rank_by": "basket_value_365d", "count": 20}


def test_next_quarter_is_a_horizon_in_chinese():
    assert [spoken_weeks(text) for text in ("下个季度", "下一个月", "上个季度")] == [13, 52 / 12, None]


@pytest.mark.parametrize(
    ("message", "unit"),
    [
        ("60 shoppers", "customers"),
        ("3 shops", "stores"),
        ("six personas", "segments"),
        ("4 persons", "people"),
        ("10 packets", "units"),
        ("two childs", "kids"),
        ("30%off", "percent"),
        ("3次App下单", "times"),
        ("60户", "customers"),
    ],
)
def test_a_unit_is_a_whole_word(message, unit):
    assert [number.unit for number in numbers(message, is_chinese(message), [])] == [unit]
