"""The rubric keeps a real plan and finds each part that is missing or does not add up."""

import copy

import pytest

from eval.strategy_rubric import RULES, rubric
from segments.codec import from_json
from tests.assistant.conftest import BIG_SPENDERS, Talk, call

RULE_BREAKERS = {
    "tiers": lambda plan: plan.update(tiers=[]),
    "offer": lambda plan: plan["offers"][0].update(depth=0.9),
    "budget": lambda plan: plan["split"].update(cost=plan["split"]["cost"] + 5),
    "holdout": lambda plan: plan["holdout"].update(holdout=0),
    "interval": lambda plan: plan["forecast"].update(revenue=1e12),
    "when": lambda plan: plan["timing"].pop("weekday"),
    "figures": lambda plan: plan.update(budget=123_456.0),
}


@pytest.fixture(scope="module")
def told(opened):
    talk = Talk(opened, "rubric")
    talk.use(BIG_SPENDERS)
    answer = talk.ask("what do we offer them with $5,000?", call("plan_strategy"))
    assert opened.audiences.size(from_json(BIG_SPENDERS)) > 100
    return answer.strategy.to_dict(), answer.answer


def test_a_real_plan_keeps_every_rule(told):
    assert rubric(*told) == dict.fromkeys(RULES, True)


@pytest.mark.parametrize("rule", RULE_BREAKERS)
def test_a_broken_plan_breaks_its_rule(told, rule):
    plan, text = copy.deepcopy(told[0]), told[1]
    RULE_BREAKERS[rule](plan)
    assert not rubric(plan, text)[rule]


def test_who_is_held_out_costs_nothing(opened):
    talk = Talk(opened, "rubric of little money")
    talk.use(BIG_SPENDERS)
    answer = talk.ask("what do we offer them with $400?", call("plan_strategy"))
    plan = answer.strategy.to_dict()
    assert plan["split"]["cost"] > plan["budget"] > plan["forecast"]["cost"]
    assert rubric(plan, answer.answer) == dict.fromkeys(RULES, True)
    plan["forecast"]["cost"] = plan["forecast"]["cost_interval"][1] = plan["budget"] + 1
    assert not rubric(plan, answer.answer)["budget"]


def test_a_plan_that_does_not_say_what_not_to_do(told):
    plan, text = told
    assert not rubric(plan, text.replace("**Do not", "**Do"))["what not"]


def test_a_plan_in_chinese_is_told_alike(opened):
    talk = Talk(opened, "rubric zh")
    talk.use(BIG_SPENDERS)
    answer = talk.ask("5000美元预算，给他们什么优惠？", call("plan_strategy"))
    assert rubric(answer.strategy.to_dict(), answer.answer) == dict.fromkeys(RULES, True)
