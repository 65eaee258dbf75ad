"""A plan changed in words: margin, discount, once more, as a file; the experiment that came of it by its name."""

import pytest

from assistant.intents import spoken_name
from assistant.spoken_plan import spoken_as_file, spoken_experiment, spoken_plan_again, spoken_terms
from campaigns.plan import Strategy
from tests.assistant.conftest import BIG_SPENDERS, SOUP, call


@pytest.mark.parametrize(
    ("message", "terms"),
    [
        ("what if margin is 20%?", {"margin": 0.2}),
        ("and if our gross margin were only 18.5 %", {"margin": 0.185}),
        ("with a 30% margin instead", {"margin": 0.3}),
        ("set the margin to 20 percent", {"margin": 0.2}),
        ("把毛利率改成20%", {"margin": 0.2}),
        ("如果毛利率只有百分之十八呢？", {"margin": 0.18}),
        ("make the offer 15% off instead", {"discount": 0.15}),
        ("what about 10% off?", {"discount": 0.1}),
        ("what if we give them 20%?", {"discount": 0.2}),
        ("with a 10% coupon instead", {"discount": 0.1}),
        ("change the discount to 12.5%", {"discount": 0.125}),
        ("优惠改成15%", {"discount": 0.15}),
        ("改成八五折", {"discount": 0.15}),
        ("打9折呢？", {"discount": 0.1}),
        ("如果优惠力度是百分之十呢", {"discount": 0.1}),
        ("only those who got a 20% discount", {}),
        ("keep 10% as holdout", {}),
        ("what if 20% of them respond?", {}),
        ("customers with a margin above 20%", {}),
        ("用过8折券的客户", {}),
    ],
)
def test_other_terms_of_a_plan_are_heard_and_nothing_else(message, terms):
    assert spoken_terms(message) == terms


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("plan it again", True),
        ("redo the plan", True),
        ("update the plan please", True),
        ("重新做一份方案", True),
        ("更新方案", True),
        ("plan a win-back with $5,000", False),
        ("show the plan again", False),
        ("给他们做一个方案", False),
    ],
)
def test_the_same_plan_once_more(message, asked):
    assert spoken_plan_again(message) is asked


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("export it as html", True),
        ("download the plan", True),
        ("give me the plan as a PDF", True),
        ("save it as markdown", True),
        ("导出成markdown", True),
        ("把方案导出为HTML文件", True),
        ("导出方案", True),
        ("save it as Spring", False),
        ("保存为春季", False),
        ("export them", False),
    ],
)
def test_a_plan_as_a_file(message, asked):
    assert spoken_as_file(message) is asked


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("measure BabyTest", "BabyTest"),
        ("how is BabyTest doing?", None),
        ("check on the babytest experiment", "BabyTest"),
        ("results of BabyTest", "BabyTest"),
        ("评估一下BabyTest的效果", "BabyTest"),
        ("BabyTest怎么样了", "BabyTest"),
        ("measure Other", None),
        ("measure BabyTest against those who buy wine", None),
    ],
)
def test_an_experiment_is_measured_by_its_name(message, name):
    assert spoken_experiment(message, ["BabyTest", "春季"]) == name


def test_a_plan_is_changed_in_words_and_kept_as_it_is_now(talk, rooms):
    talk.use(BIG_SPENDERS)
    talk.ask("plan a win-back campaign with $300 for them", call("plan_strategy"))
    margin = talk.ask("what if margin is 20%?")
    assert margin.tool_calls[-1]["arguments"] == {
        "budget": 300,
        "goal": "win_back",
        "before": 300,
        "margin": 0.2,
    }
    assert "| assumed gross margin | 25.0% | 20.0% | -5.0% |" in margin.answer
    offer = talk.ask("优惠改成九折")
    asked = offer.tool_calls[-1]["arguments"]
    assert (asked["margin"], asked["margin_before"], asked["discount"]) == (0.2, 0.2, 0.1)
    assert "毛利率" not in offer.answer, "both plans have it"
    too_deep = talk.ask("offer 40% off")
    assert too_deep.clarification is not None
    assert "at most the gross margin of 20%" in too_deep.clarification
    assert talk.ask("export it as html").clarification == "Under which name shall I save the plan?"
    talk.ask("Spring")
    kept = Strategy.restored(rooms.plans.load("Spring"))
    assert (kept.assumptions.gross_margin, kept.offers[0].depth) == (0.2, 0.1)
    rooms.plans.delete("Spring")


def test_the_plan_is_made_once_more_for_the_segment_as_it_is_now(talk):
    talk.use(BIG_SPENDERS)
    talk.ask("plan a win-back campaign with $300 for them", call("plan_strategy"))
    talk.ask("what about 10% off?")
    talk.use(SOUP)
    again = talk.ask("redo the plan")
    assert again.tool_calls[-1]["arguments"] == {"goal": "win_back", "budget": 300, "discount": 0.1}
    assert "does to the response is not known here" in again.answer


def test_an_instruction_is_no_name_for_a_plan(talk, rooms):
    talk.use(BIG_SPENDERS)
    talk.ask("plan a win-back campaign with $300 for them", call("plan_strategy"))
    talk.ask("导出成markdown")
    talk.ask("排除收到过邮件的人", call("refine_segment"))
    assert not rooms.plans.names()


def test_a_holdout_is_named_by_what_it_is_called():
    assert spoken_name("keep 10% as holdout called BabyTest")[1] == "BabyTest"
    assert spoken_name("keep 10% as holdout and call it Spring test")[1] == "Spring test"
