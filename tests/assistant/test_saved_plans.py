"""Saved plans in the chat: listed, opened and put side by side, in both languages, without a language model."""

import pytest

from assistant.grounding import ungrounded
from assistant.saved_plans import PlanRequest, spoken_plans
from assistant.tools import Tools
from campaigns.plan import Strategy
from segments.codec import from_json, to_json
from segments.errors import DefinitionError, NotFoundError, UserError
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, SOUP, call
from tests.assistant.test_campaigns import forget, grounded

__all__ = ["forget"]

KNOWN, SEGMENTS = ["spring", "Loyalty push", "春季", "2024"], ["VIP", "spring buyers"]


@pytest.mark.parametrize(
    "message",
    [
        "show my plans",
        "Show me my plans.",
        "list saved strategies",
        "list the plans",
        "what plans do we have?",
        "which plans have we saved so far?",
        "can you show me all the saved campaign plans, please",
        "my plans",
        "我的方案",
        "列出方案",
        "有哪些已保存的方案？",
        "看看我们保存的方案",
        "保存了哪些方案？",
        "方案列表",
    ],
)
def test_the_list_is_asked_for(message):
    assert spoken_plans(message, KNOWN, SEGMENTS) == PlanRequest("list_plans")


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("open the plan 'spring'", "spring"),
        ("open the plan spring", "spring"),
        ("please show me the loyalty push plan again", "Loyalty push"),
        ("open spring", "spring"),
        ("show me the strategy called “autumn”", "autumn"),
        ("go back to the plan 'spring'", "spring"),
        ("打开方案“春季”", "春季"),
        ("打开春季方案", "春季"),
        ("请查看一下“夏季”方案", "夏季"),
        ("打开春季", "春季"),
        ("open the plan Winback", "Winback"),
        ("打开方案召回", "召回"),
    ],
)
def test_one_is_asked_for_by_its_name(message, name):
    assert spoken_plans(message, KNOWN, SEGMENTS) == PlanRequest("open_plan", (name,))


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ("compare it with the plan 'spring'", ("spring",)),
        ("how does this plan compare with Loyalty push?", ("Loyalty push",)),
        ("compare spring with loyalty push", ("spring", "Loyalty push")),
        ("what is the difference between the plans 'spring' and 'autumn'?", ("spring", "autumn")),
        ("把它和方案“春季”比较", ("春季",)),
        ("方案“春季”和“夏季”有什么区别？", ("春季", "夏季")),
    ],
)
def test_plans_are_compared_by_their_names(message, names):
    assert spoken_plans(message, KNOWN, SEGMENTS) == PlanRequest("compare_saved_plans", names)


@pytest.mark.parametrize(
    "message",
    [
        "plan a win-back campaign for them with $500",
        "show me a plan for lapsed customers",
        "save the plan as 'spring'",
        "compare them with 'VIP'",
        "compare this with VIP",
        "open 'VIP'",
        "open the segment 'VIP'",
        "customers who bought in spring",
        "show me customers who came in spring",
        "compare them with spring visitors",
        "run an A/B test of the plan 'spring'",
        "how did the spring campaign do?",
        "who spent over 2024 dollars?",
        "给他们制定方案",
        "把方案保存为春季",
        "打开分群“VIP”",
    ],
)
def test_whoever_asks_for_something_else_is_not_answered_with_plans(message):
    assert spoken_plans(message, KNOWN, SEGMENTS) is None


def plan(talk, name, definition, budget):
    return Tools(talk.rooms).save_plan(from_json(definition), name, "win_back", budget).strategy


def test_no_plan_is_no_list(talk):
    assert talk.ask("show my plans").answer.startswith("No plan is saved yet")
    assert talk.ask("列出方案").answer.startswith("还没有保存的方案")


def test_plans_are_listed_and_opened_as_they_were_made(talk):
    saved = plan(talk, "spring", BIG_SPENDERS, 300)
    plan(talk, "夏季", BIG_SPENDERS, 400)
    listed = talk.ask("show my plans")
    assert [each["name"] for each in listed.tool_calls] == ["list_plans"]
    assert "- **spring** (v1): win back lapsed customers, $300.00" in listed.answer
    assert "- **夏季**（v1）：挽回流失客户，$400.00" in talk.ask("我的方案").answer
    opened = talk.ask("open the plan 'spring'")
    assert saved.to_markdown("en") in opened.answer
    assert "Plan 'spring'" in opened.answer
    assert talk.current == BIG_SPENDERS == opened.segment["definition"]
    assert "方案“夏季”" in talk.ask("打开方案“夏季”").answer


def test_a_plan_that_was_opened_is_the_one_that_is_talked_of(talk):
    plan(talk, "spring", BIG_SPENDERS, 300)
    talk.ask("open the plan 'spring'")
    other = talk.ask("with $600 instead?", call("compare_plans"))
    assert other.tool_calls[-1]["arguments"] == {"budget": 600.0, "goal": "win_back", "before": 300.0}


def test_a_name_that_no_plan_has_is_told_with_those_that_are_near(talk):
    plan(talk, "spring", BIG_SPENDERS, 300)
    assert "No plan is named 'sprin'; did you mean spring?" in talk.ask("open the plan 'sprin'").clarification
    assert "没有名为“春季”的方案" in talk.ask("打开方案“春季”").clarification


def test_the_plan_at_hand_is_put_beside_a_saved_one(talk):
    plan(talk, "spring", BIG_SPENDERS, 300)
    asked = talk.ask("compare it with the plan 'spring'")
    assert asked.clarification.startswith("Compare 'spring' with which plan?")
    talk.use(BIG_SPENDERS)
    talk.ask("plan a win-back campaign for them with $500", call("plan_strategy"))
    compared = talk.ask("compare it with the plan 'spring'")
    assert "| | spring | this plan | difference |" in compared.answer
    assert "+$200.00" in compared.answer
    assert "different customers" not in compared.answer
    assert grounded(compared)
    assert "| | spring | 当前方案 | 差异 |" in talk.ask("把它和方案“spring”比较").answer
    assert talk.current == BIG_SPENDERS


def test_two_saved_plans_are_put_side_by_side_and_whom_they_are_for_is_told(talk):
    plan(talk, "spring", BIG_SPENDERS, 300)
    plan(talk, "summer", SOUP, 400)
    compared = talk.ask("compare spring with summer")
    assert compared.tool_calls == [
        {"name": "compare_saved_plans", "arguments": {"name": "spring", "other": "summer"}}
    ]
    assert "| | spring | summer | difference |" in compared.answer
    assert "The two plans are for different customers." in compared.answer
    assert "两个方案面向不同的客户。" in talk.ask("比较方案“spring”和“summer”").answer
    assert grounded(compared)


def test_the_tools_take_plans_by_name(rooms):
    tools, definition = Tools(rooms), from_json(BIG_SPENDERS)
    tools.save_plan(definition, "spring", "win_back", 300)
    for result in (
        tools.open_plan("spring"),
        tools.compare_saved_plans("spring", definition=definition, goal="win_back", budget=600.0),
    ):
        for text in result.texts:
            assert not ungrounded(text, result.evidence)
    with pytest.raises(UserError, match="give `other`"):
        tools.compare_saved_plans("spring")
    with pytest.raises(NotFoundError, match="No plan is named 'autumn'"):
        tools.compare_saved_plans("spring", "autumn")


def test_a_plan_of_fewer_customers_than_are_shown_is_not_opened(rooms):
    tools = Tools(rooms)
    made = tools.plan_strategy(from_json(BIG_SPENDERS), "win_back", 300).strategy
    content = made.saved() | {"size": rooms.disclosure.k - 1, "definition": to_json(from_json(PARENTS))}
    rooms.plans.save("few", content)
    assert Strategy.restored(rooms.plans.load("few")).size < rooms.disclosure.k
    with pytest.raises(DefinitionError, match="few"):
        tools.open_plan("few")
