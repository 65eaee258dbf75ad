"""A plan changed in words: margin, discount, once more, as a file; the experiment that came of it by its name."""

import pytest

from assistant.spoken_plan import spoken_as_file, spoken_experiment, spoken_plan_again, spoken_terms


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
