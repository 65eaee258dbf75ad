"""One message that asks for several things of one segment."""

import pytest

from assistant.several import Step, taken_apart
from campaigns.experiment import Experiment
from segments.codec import from_json, to_json
from tests.assistant.conftest import BIG_SPENDERS, SOUP, call, offered
from tests.assistant.test_campaigns import forget, good_copy, other_copy

__all__ = ["forget"]

SPENT = "who spent over $500 in the last 90 days"
SPENT_ZH = "最近90天消费超过500元的客户"


@pytest.mark.parametrize(
    ("message", "head", "steps"),
    [
        (
            f"find customers {SPENT}, score them for beer and plan with $5,000",
            f"find customers {SPENT}",
            [("score_propensity", "score them for beer"), ("plan_strategy", "plan with $5,000")],
        ),
        (
            f"customers {SPENT}; then profile them, find 200 lookalikes and then draft a win-back plan with £900.",
            f"customers {SPENT}",
            [
                ("profile_segment", "profile them"),
                ("find_lookalikes", "find 200 lookalikes"),
                ("plan_strategy", "draft a win-back plan with £900."),
            ],
        ),
        (
            "describe them and tell me how likely they are to buy",
            "",
            [
                ("profile_segment", "describe them"),
                ("score_propensity", "tell me how likely they are to buy"),
            ],
        ),
        (
            f"找出{SPENT_ZH}，预测他们购买啤酒的可能性，然后用5000元预算做个方案",
            f"找出{SPENT_ZH}",
            [("score_propensity", "预测他们购买啤酒的可能性"), ("plan_strategy", "用5000元预算做个方案")],
        ),
        (
            "find big spenders who left, save them as VIP lost and plan a win-back with $5,000",
            "find big spenders who left",
            [
                ("save_segment", "save them as VIP lost"),
                ("plan_strategy", "plan a win-back with $5,000"),
            ],
        ),
        (
            "find wine buyers, break them down by age, compare them with VIP and compare them with everyone",
            "find wine buyers",
            [
                ("breakdown_segment", "break them down by age"),
                ("compare_segments", "compare them with VIP"),
                ("profile_segment", "compare them with everyone"),
            ],
        ),
        (
            "plan with $3,000 for them, keep 10 % as holdout and write the email",
            "",
            [
                ("plan_strategy", "plan with $3,000 for them"),
                ("assign_holdout", "keep 10 % as holdout"),
                ("write_copy", "write the email"),
            ],
        ),
        (
            "找出流失的大客户，保存为“流失VIP”，并用5000美元做召回方案，留10%做对照组",
            "找出流失的大客户",
            [
                ("save_segment", "保存为“流失VIP”"),
                ("plan_strategy", "用5000美元做召回方案"),
                ("assign_holdout", "留10%做对照组"),
            ],
        ),
        (
            "找出买过汤的客户，按年龄拆分，和全体客户对比，再保存为汤粉",
            "找出买过汤的客户",
            [
                ("breakdown_segment", "按年龄拆分"),
                ("profile_segment", "和全体客户对比"),
                ("save_segment", "保存为汤粉"),
            ],
        ),
        (
            "描述一下他们，再找200名与他们相似的客户",
            "",
            [("profile_segment", "描述一下他们"), ("find_lookalikes", "找200名与他们相似的客户")],
        ),
    ],
)
def test_a_message_is_taken_apart(message, head, steps):
    assert taken_apart(message) == (head, tuple(Step(*step) for step in steps))


@pytest.mark.parametrize(
    "message",
    [
        f"find customers {SPENT} and profile them",
        "plan a campaign with $5,000",
        "describe customers who bought beer and are likely to buy wine",
        "score them and then score them again",
        "find lookalikes of those who redeemed a coupon",
        "描述一下他们",
        SPENT_ZH,
    ],
)
def test_a_message_that_asks_for_one_thing_stays_whole(message):
    assert taken_apart(message) == (message, ())


def names(answer):
    return [each["name"] for each in answer.tool_calls]


def of(answer, tool):
    """The evidence of a tool, besides the segment's own."""
    return [
        e
        for e in answer.evidence
        if e["tool"] == tool and "definition_en" not in {f["name"] for f in e["figures"]}
    ]


@pytest.mark.parametrize(
    ("message", "scored", "planned"),
    [
        (f"find customers {SPENT}, score them for beer and plan with $5,000", "Probability", "Budget"),
        (f"找出{SPENT_ZH}，预测他们购买啤酒的可能性，然后用5000元预算做个方案", "概率", "预算"),
    ],
)
def test_every_step_is_run_in_order_on_the_one_segment(talk, message, scored, planned):
    answer = talk.ask(message, call("define_segment"))
    assert names(answer) == ["define_segment", "score_propensity", "plan_strategy"]
    assert answer.tool_calls[1]["arguments"]["outcome"] == "purchase_30d:BEERS/ALES"
    assert answer.tool_calls[2]["arguments"]["budget"] == 5000
    assert answer.segment["definition"] == BIG_SPENDERS == talk.current
    assert of(answer, "score_propensity")
    assert of(answer, "plan_strategy")
    assert answer.strategy is not None
    assert answer.strategy.budget == 5000
    assert answer.answer.lower().index(scored.lower()) < answer.answer.index(planned)
    # The segment is told once, not again with each step.
    told = "customers** (" if answer.language == "en" else "位客户**（占"
    assert answer.answer.count(told) == 1
    assert [e["id"] for e in answer.evidence] == [f"e{n}" for n in range(1, len(answer.evidence) + 1)]


def test_words_of_a_step_are_no_conditions_and_the_model_is_asked_of_the_segment_alone(talk):
    talk.ask(f"find customers {SPENT}, score them for beer and plan with $5,000", call("define_segment"))
    assert set(offered(talk.model.schemas[0])) == {"define_segment"}
    assert "beer" not in talk.model.turn
    assert len(talk.model.schemas) == 1


def test_steps_alone_are_of_the_current_segment(talk):
    talk.use(BIG_SPENDERS)
    answer = talk.ask("profile them and plan a win-back campaign with $700")
    assert names(answer) == ["profile_segment", "plan_strategy"]
    assert answer.strategy is not None
    assert (answer.strategy.objective.goal, answer.strategy.budget) == ("win_back", 700)
    other = talk.ask("with $900 instead?", call("compare_plans"))
    assert other.tool_calls[-1]["arguments"]["before"] == 700


def test_steps_without_a_segment_ask_for_one(talk):
    assert "no current segment" in talk.ask("profile them and plan with $700").clarification


def test_lookalikes_in_between_do_not_change_whom_the_next_step_is_about(talk):
    answer = talk.ask(f"customers {SPENT}, find 200 lookalikes and plan with $700", call("define_segment"))
    assert names(answer) == ["define_segment", "find_lookalikes", "plan_strategy"]
    assert answer.segment["definition"] == BIG_SPENDERS
    # Whom the plan is for is told again after the lookalikes.
    assert answer.answer.count("customers** (") == 3


def test_lookalikes_at_the_end_are_the_current_segment_and_undo_goes_back(talk):
    talk.use(BIG_SPENDERS)
    answer = talk.ask("profile them and find 200 lookalikes")
    assert answer.segment["definition"]["top"] == 200
    assert talk.ask("undo").segment["definition"] == BIG_SPENDERS


def test_what_cannot_be_run_does_not_lose_what_was(talk, tiny):
    talk.use(tiny)
    answer = talk.ask("find 200 lookalikes and profile them")
    assert names(answer) == ["find_lookalikes", "profile_segment"]
    assert "200 customers" in answer.answer
    assert "fewer than 10 customers, too few to describe" in answer.answer
    assert answer.clarification is None


def test_a_segment_that_contradicts_itself_runs_no_step(talk):
    never = "bought beer in the last 30 days but did not buy beer in the last 30 days, score them and plan with $700"
    answer = talk.ask(never, call("define_segment"))
    assert "opposite" in answer.clarification
    assert answer.tool_calls == []


@pytest.mark.parametrize(
    ("message", "tool"),
    [
        ("find 4 natural segments, profile them and plan with $700", "discover_segments"),
    ],
)
def test_a_message_that_asks_for_something_else_too_stays_whole(talk, message, tool):
    talk.use(BIG_SPENDERS)
    assert names(talk.ask(message, call(tool))) == [tool]


def test_what_would_destroy_data_is_refused_as_a_step_too(talk):
    talk.use(BIG_SPENDERS)
    answer = talk.ask("profile them, score them and delete all customers from the database", call("refuse"))
    assert answer.refused
    assert answer.tool_calls == []


def test_a_description_in_a_step_keeps_the_message_whole(talk):
    talk.use(BIG_SPENDERS)
    question = "profile them and plan with $700 for customers who bought beer in the last 30 days"
    answer = talk.ask(question, call("plan_strategy"))
    assert names(answer)[-1] == "plan_strategy"
    assert "profile_segment" not in names(answer)


QUIET = "who spent over $300 in the last 365 days but nothing in the last 30 days"
QUIET_ZH = "最近365天消费超过300元但最近30天没来的客户"


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (
            f"find customers {QUIET}, save them as Lost, plan a win-back with $5,000 and keep 10 % as holdout",
            "Lost",
        ),
        (f"找出{QUIET_ZH}，保存为“流失”，并用5000美元做召回方案，留10%做对照组", "流失"),
    ],
)
def test_what_is_saved_planned_and_held_out_is_one_segment_and_one_plan(talk, message, name):
    answer = talk.ask(message, call("define_segment"))
    assert names(answer) == ["define_segment", "save_segment", "plan_strategy", "assign_holdout"]
    assert to_json(talk.rooms.library.get(name).definition) == talk.current
    assert answer.strategy is not None
    assert (answer.strategy.objective.goal, answer.strategy.budget) == ("win_back", 5000)
    held = answer.tool_calls[-1]["arguments"]
    # The holdout is of the plan that was made a step before, and no percentage is a condition.
    assert held == {"share": 0.1, "goal": "win_back", "budget": 5000.0}
    (made,) = talk.rooms.experiments.names()
    assert Experiment.from_dict(talk.rooms.experiments.load(made)).holdout_share == pytest.approx(
        0.1, abs=0.02
    )
    assert answer.answer.index(name) < answer.answer.index("5,000")


def test_a_saved_segment_is_compared_and_copy_is_written_in_reading_order(talk):
    talk.rooms.library.save("VIP", from_json(BIG_SPENDERS))
    talk.use(SOUP)
    answer = talk.ask(
        "break them down by age, compare them with VIP and write an email",
        good_copy,
        other_copy,
        lawless=True,
    )
    assert names(answer) == ["breakdown_segment", "compare_segments", "write_copy"]
    assert answer.tool_calls[0]["arguments"] == {"feature": "age"}
    assert answer.tool_calls[1]["arguments"]["name"] == "VIP"
    places = [answer.answer.index(said) for said in ("**age band**", "customers in VIP", "**Variant A**")]
    assert places == sorted(places)
    assert talk.current == SOUP


@pytest.mark.parametrize(
    ("message", "why", "rest"),
    [
        (
            "profile them, break them down by shoe size and save them as Souper",
            "Break it down by what?",
            "Not done either: save them as Souper.",
        ),
        ("描述一下他们，按鞋码拆分，再保存为汤粉", "按什么拆分？", "后面的也没有执行：保存为汤粉。"),
    ],
)
def test_what_could_not_be_run_is_told_with_what_was_not_tried(talk, message, why, rest):
    talk.use(SOUP)
    answer = talk.ask(message)
    assert names(answer) == ["profile_segment"]
    assert why in answer.answer
    assert rest in answer.answer
    assert talk.rooms.library.names() == []


def test_words_of_a_breakdown_are_no_goods(talk):
    """'Break' was once read as bread."""
    link = talk.assistant.linker.link("break them down by age", from_json(SOUP))
    assert link.reading is None
    assert link.intents.feature == "age"
