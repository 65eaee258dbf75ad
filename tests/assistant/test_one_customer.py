"""Why a model says what it says of one customer, asked in a conversation."""

import pytest

from assistant.disclosure import Viewer
from assistant.one_customer import EXPLAIN, MEMBERSHIP, asked_customer, outcome_of_leaving, spoken_member
from segments.codec import from_json
from segments.definition import ItemFilter
from segments.ports import Outcome
from tests.assistant.conftest import PARENTS, call, shown_in, values

ANALYST = Viewer(exact=True)


@pytest.mark.parametrize(
    ("question", "customer"),
    [
        ("why will customer 1234 buy?", "1234"),
        ("Why is household #A17 likely to churn?", "A17"),
        ("how likely is shopper 0042 to redeem a coupon?", "0042"),
        ("客户 1234 为什么可能流失", "1234"),
        ("用户77会买啤酒吗？", "77"),
        ("客户编号C9购买的可能性多大", "C9"),
        ("客户3个月内会不会购买", None),
        ("会员30天内流失的概率", None),
        ("用户30天内会买啤酒吗", None),
        ("customers who will churn", None),
        ("why did 300 customers churn?", None),
        ("find 50 people who shop like customer 1234", None),
        ("why is customer 1234 in this segment?", None),
        ("像客户1234的人", None),
    ],
)
def test_the_customer_whose_probability_is_asked_for(question, customer):
    assert asked_customer(question) == customer


@pytest.mark.parametrize(
    ("question", "customer"),
    [
        ("why is customer 1234 in this segment?", "1234"),
        ("Why isn't 718 in there?", "718"),
        ("so why was household #A17 left out?", "A17"),
        ("how come 45 is not in the list", "45"),
        ("is shopper 0042 in it?", "0042"),
        ("does 77 belong to this group?", "77"),
        ("what's missing for 718?", "718"),
        ("what would 45 need to be in?", "45"),
        ("为什么客户1234在这个人群里？", "1234"),
        ("718号客户怎么没进来", None),
        ("718号客户为什么不在里面？", "718"),
        ("客户77在这个人群里吗？", "77"),
        ("718还差什么？", "718"),
        ("why is customer 1234 likely to buy?", None),
        ("why are 300 customers in this segment so valuable?", None),
        ("is 500 in total enough?", None),
        ("who is in this segment?", None),
        ("30天内买过啤酒的在里面吗", None),
        ("find 50 like customer 1234", None),
    ],
)
def test_the_customer_whose_place_in_the_segment_is_asked_for(question, customer):
    assert spoken_member(question) == customer


def test_leaving_is_the_outcome_that_no_purchase_comes():
    soon = Outcome("quiet_30d", "purchase", 30, absent=True)
    late = Outcome("churn_90d", "purchase", 90, absent=True)
    beer = Outcome("no_beer", "purchase", 180, ItemFilter(category=("BEER",)), absent=True)
    review = Outcome("no_review", "review", 180, absent=True)
    assert outcome_of_leaving((soon, late, beer, review)) == "churn_90d"
    assert outcome_of_leaving((beer, review)) is None


@pytest.fixture
def customer(talk):
    """(the retailer's own id, pseudonym) of somebody."""
    known = str(talk.rooms.propensity.scores("purchase_30d").index[7])
    (source,) = talk.rooms.vault.source_ids([known])
    return source, known


@pytest.mark.parametrize(
    ("question", "outcome", "said"),
    [
        ("why will customer {} buy?", "purchase_30d", "less likely (as of"),
        ("how likely is household {} to redeem a coupon?", "coupon_redeem_30d", "Tested on"),
        ("客户 {} 为什么会买啤酒？", "purchase_30d:BEERS/ALES", "的客户可能性更低"),
        ("customer {}: why will they come back in two weeks?", "purchase_14d", "log-odds"),
    ],
)
def test_why_of_one_customer_is_the_models_own_word(talk, customer, question, outcome, said):
    source, known = customer
    talk.use(PARENTS)
    answer = talk.ask(question.format(source), call(EXPLAIN), viewer=ANALYST)
    assert answer.tool_calls == [{"name": EXPLAIN, "arguments": {"customer": source, "outcome": outcome}}]
    figures = {figure["name"]: figure for figure in answer.evidence[0]["figures"]}
    assert figures["probability"]["value"] == talk.rooms.propensity.scores(outcome)[known]
    assert said in answer.answer
    assert figures["probability"]["display"] in answer.answer
    assert values(answer.answer) <= shown_in(answer.evidence)
    assert talk.current == PARENTS


@pytest.mark.parametrize(
    ("question", "said"),
    [("why will customer {} churn?", "No model of leaving"), ("客户 {} 为什么可能流失", "没有声明流失模型")],
)
def test_leaving_without_a_model_of_it_is_said_to_be_the_reverse_of_coming(talk, customer, question, said):
    answer = talk.ask(question.format(customer[0]), call(EXPLAIN), viewer=ANALYST)
    assert answer.tool_calls[0]["arguments"]["outcome"] == "purchase_30d"
    assert said in answer.answer


def test_a_single_customer_is_told_of_only_to_who_may_export(talk, customer):
    answer = talk.ask(f"why will customer {customer[0]} buy?", call(EXPLAIN))
    assert "somebody who may export customers" in (answer.clarification or "")
    assert answer.evidence == []
    answer = talk.ask(f"客户 {customer[0]} 为什么会购买？", call(EXPLAIN))
    assert "只有拥有导出权限的人" in (answer.clarification or "")


def test_a_customer_who_is_not_there_is_said_to_be_unknown(talk):
    answer = talk.ask("why will customer 99999999 buy?", call(EXPLAIN), viewer=ANALYST)
    assert "99999999" in (answer.clarification or "")


@pytest.mark.parametrize(
    ("question", "said"), [("why is {} in there?", "in the segment"), ("为什么客户{}在里面？", "属于")]
)
def test_why_of_one_customer_in_the_segment_is_each_conditions_verdict(talk, customer, question, said):
    source, known = customer
    talk.use(PARENTS)
    answer = talk.ask(question.format(source), viewer=ANALYST)
    assert answer.tool_calls == [{"name": MEMBERSHIP, "arguments": {"customer": source}}]
    belongs = known in set(talk.rooms.audiences.members(from_json(PARENTS)))
    figures = {figure["name"]: figure["value"] for item in answer.evidence for figure in item["figures"]}
    assert figures["belongs"] == ("yes" if belongs else "no")
    assert said in answer.answer
    assert talk.current == PARENTS
    refused = talk.ask(question.format(source))
    assert refused.evidence == []


def test_deleting_a_customer_stays_refused(talk):
    link = talk.assistant.linker.link("delete customer 12 who will churn")
    assert link.intents.destructive
    assert EXPLAIN not in link.intents.tools
