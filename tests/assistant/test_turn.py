"""One turn with a fake model over the real demo data: plan, check, run, answer."""

import json
import re
import threading

import pytest

from assistant.app import Assistant
from assistant.grounding import numbers_in
from assistant.plan import offered_tools
from prompts import examples
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.errors import LLMUnavailableError, ModelRetryError
from tests.assistant.conftest import (
    BIG_SPENDERS,
    PARENTS,
    SOUP,
    ScriptedModel,
    call,
    fresh_workspace,
    offered,
    shown_in,
    values,
)

SPENT = "who spent over $500 in the last 90 days?"


def test_a_question_becomes_a_segment_that_is_counted_right(talk):
    answer = talk.ask(SPENT, call("define_segment"))
    assert answer.segment["definition"] == BIG_SPENDERS
    counted = talk.rooms.warehouse.connection.raw_sql(
        "SELECT count(*) FROM (SELECT customer_id FROM events WHERE type = 'purchase' "
        "AND ts >= DATE '2017-10-03' AND ts < DATE '2018-01-01' GROUP BY 1 HAVING sum(value) > 500)"
    ).fetchone()[0]
    assert answer.segment["size"] == counted
    assert f"**{counted} customers**" in answer.answer
    assert [called["name"] for called in answer.tool_calls] == ["define_segment"]
    assert (answer.clarification, answer.refused) == (None, None)


def test_an_answer_is_plain_json(talk):
    answer = talk.ask(SPENT, call("define_segment"))
    assert json.loads(json.dumps(answer.to_dict())) == answer.to_dict()
    assert set(answer.timings) == {"link", "plan", "check", "run", "answer", "total"}
    assert answer.timings["total"] >= answer.timings["run"] > 0


def test_a_chinese_question_has_a_chinese_answer(talk):
    answer = talk.ask("最近90天消费超过500元的客户", call("define_segment"))
    assert answer.language == "zh"
    assert answer.segment["definition"] == BIG_SPENDERS
    assert f"**{answer.segment['size']} 位客户**" in answer.answer


def test_the_prompt_begins_the_same_every_turn(talk):
    talk.ask(SPENT, call("define_segment"))
    first = talk.model.prompts[0]
    talk.ask("有孩子的客户", call("define_segment"))
    assert talk.model.prompts[0][:-1] == first[:-1]
    assert talk.model.prompts[0][-1] != first[-1]
    assert first[0][0] == "system"


@pytest.mark.parametrize(
    "example", examples("plan_examples.jsonl"), ids=lambda example: example["input"][-30:]
)
def test_a_worked_example_shows_what_its_message_may_be_answered_with(talk, example):
    message = example["input"].rpartition("Message: ")[2]
    current = None if example["input"].startswith("current: none") else from_json(SOUP)
    link = talk.assistant.linker.link(message, current)
    assert example["output"]["tool"] in offered_tools(link, current is not None)


def test_amounts_are_said_as_they_were_asked(talk):
    answer = talk.ask("who spent over $123.45 in the last 90 days?", call("define_segment"))
    assert answer.segment["definition"]["value"] == 123.45
    assert "$123.45" in answer.answer


def test_the_currency_of_the_workspace_is_shown(demo_folder, tmp_path):
    folder = fresh_workspace(demo_folder, tmp_path)
    (folder / "segassist.toml").unlink()
    (folder / "segassist.toml").write_text('currency = "€"\n', encoding="utf-8")
    answer = Assistant.open(folder, ScriptedModel(call("define_segment"))).ask(SPENT)
    assert "€500" in answer.answer
    assert "$" not in answer.answer


# --- What was said is kept ---------------------------------------------------------------------


def leaves(definition) -> list[str]:
    """The conditions of a definition, as JSON, whatever joins them."""
    for kind in ("all_of", "any_of"):
        if kind in definition:
            return sorted(leaf for child in definition[kind] for leaf in leaves(child))
    return [json.dumps(definition, sort_keys=True)]


def test_no_reading_drops_a_condition(talk):
    answer = talk.ask("who bought beer in the last 30 days and has children?", call("define_segment"))
    beer = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}, "from_days_ago": 30}
    assert leaves(answer.segment["definition"]) == leaves({"all_of": [beer, PARENTS]})
    assert set(answer.segment["definition"]) == {"all_of"}


@pytest.mark.parametrize("question", ["who has children or redeemed a coupon?", "有孩子或者用过优惠券的客户"])
def test_alternatives_are_never_read_as_and(talk, question):
    for pick in (0, -1):
        definition = talk.ask(question, call("define_segment", pick)).segment["definition"]
        assert set(definition) == {"any_of"}
        assert leaves(definition) == leaves({"any_of": [PARENTS, {"event": "coupon_redeem"}]})


def test_every_reading_of_and_with_or_keeps_all_conditions(talk):
    question = "homeowners with children, or anyone who redeemed a coupon"
    owners = {"feature": "home_ownership", "op": "=", "value": "Homeowner"}
    for pick in (0, -1):
        found = leaves(talk.ask(question, call("define_segment", pick)).segment["definition"])
        assert found == leaves({"all_of": [owners, PARENTS, {"event": "coupon_redeem"}]})


@pytest.mark.parametrize(
    ("question", "word"),
    [("customers with children and a zodiac sign", "zodiac"), ("有孩子而且属狮子座的客户", "狮子座")],
)
def test_words_that_were_not_used_are_said(talk, question, word):
    assert word in talk.ask(question, call("define_segment")).answer


# --- Check and repair --------------------------------------------------------------------------


def test_a_bad_plan_is_repaired_once_with_the_reason(talk):
    bad = {"tool": "define_segment", "segment": "r9"}
    answer = talk.ask(SPENT, bad, call("define_segment"), lawless=True)
    assert len(talk.model.prompts) == 2
    assert "Correction:" not in talk.model.prompts[0][-1][1]
    assert re.search(r"\nCorrection: \w.*\.$", talk.model.turn)
    assert talk.model.prompts[1][:-1] == talk.model.prompts[0][:-1]
    assert answer.segment["definition"] == BIG_SPENDERS


def test_every_step_and_problem_is_shown(talk):
    talk.model.script({"tool": "define_segment", "segment": "r9"}, call("define_segment"), lawless=True)
    steps = []
    talk.assistant.ask(SPENT, on_step=lambda step, data: steps.append((step, data)))
    assert [step for step, _ in steps] == ["link", "plan", "check", "plan", "check", "run", "answer"]
    assert [bool(data["problems"]) for step, data in steps if step == "check"] == [True, False]


def test_an_answer_that_is_not_json_is_asked_for_again_with_the_reason(talk):
    answer = talk.ask(SPENT, ModelRetryError("Your answer was not valid JSON."), call("define_segment"))
    assert "Correction: Your answer was not valid JSON." in talk.model.turn
    assert answer.segment["definition"] == BIG_SPENDERS


def test_two_answers_that_are_not_json_invent_nothing(talk):
    answer = talk.ask(SPENT, *[ModelRetryError("Your answer was not valid JSON.")] * 2)
    assert answer.clarification or answer.segment["definition"] == BIG_SPENDERS
    if answer.clarification:
        assert answer.answer == answer.clarification
        assert (answer.tool_calls, answer.segment, answer.evidence) == ([], None, [])


LAWLESS = {
    "nothing": {},
    "no tool": {"segment": "r1"},
    "a tool that does not exist": {"tool": "drop_tables"},
    "a tool that is no text": {"tool": ["define_segment"], "segment": "r1"},
    "a tool that was not offered": {"tool": "list_segments"},
    "no segment": {"tool": "define_segment"},
    "a segment that was not found": {"tool": "define_segment", "segment": "r9"},
    "a segment before the first": {"tool": "define_segment", "segment": "r0"},
    "a segment with a foreign name": {"tool": "define_segment", "segment": "spend"},
    "a current segment where there is none": {"tool": "define_segment", "segment": "current"},
    "a list for a segment": {"tool": "define_segment", "segment": ["r1"]},
    "an object for a segment": {"tool": "define_segment", "segment": {"r1": 1}},
    "edits where none are": {"tool": "refine_segment", "edits": ["e7"]},
    "a number for a list": {"tool": "refine_segment", "edits": 3},
    "edits that are no text": {"tool": "refine_segment", "edits": [["e1"]]},
    "a reason that does not exist": {"tool": "refuse", "reason": "boredom"},
}
"""What a server that does not honour the schema may answer."""


@pytest.mark.parametrize("bad", LAWLESS.values(), ids=LAWLESS)
def test_an_answer_outside_the_schema_is_repaired_once(talk, bad):
    answer = talk.ask(SPENT, bad, call("define_segment"), lawless=True)
    assert "Correction:" in talk.model.turn
    assert answer.segment["definition"] == BIG_SPENDERS


@pytest.mark.parametrize("bad", LAWLESS.values(), ids=LAWLESS)
def test_two_answers_outside_the_schema_run_nothing_that_was_not_asked(talk, bad):
    answer = talk.ask(SPENT, bad, bad, lawless=True)
    assert answer.clarification or answer.segment["definition"] == BIG_SPENDERS


@pytest.mark.parametrize(
    ("question", "mended", "said"),
    [
        (SPENT, "I took the segment that your message describes", "'drop_tables' is not a tool of this turn"),
        ("最近90天消费超过500元的客户", "我采用了消息中描述的分群", "“drop_tables”不是本轮的工具"),
    ],
)
def test_a_plan_that_is_not_the_models_is_told_and_so_is_what_was_wrong_with_its_own(
    talk, question, mended, said
):
    bad = {"tool": "drop_tables"}
    heard = []
    talk.model.script(bad, bad, lawless=True)
    answer = talk.assistant.ask(question, talk.name, lambda step, data: heard.append((step, data)))
    assert answer.segment["definition"] == BIG_SPENDERS
    assert mended in answer.answer
    checks = [data["problems"] for step, data in heard if step == "check"]
    assert len(checks) == 2
    assert all(said in problems[0] for problems in checks)


def test_a_mended_edit_is_told(talk):
    talk.use(SOUP)
    bad = {"tool": "drop_tables"}
    answer = talk.ask("only those with children", bad, bad, lawless=True)
    assert "so I made the likeliest edit" in answer.answer
    right = talk.ask("only those over 55", bad, call("refine_segment"), lawless=True)
    assert "likeliest edit" not in right.answer


def test_a_refusal_outside_the_schema_is_repaired_too(talk):
    bad = {"tool": "refuse", "reason": "boredom"}
    answer = talk.ask("what's the tide like tomorrow?", bad, call("refuse"), lawless=True)
    assert answer.refused


@pytest.mark.parametrize("edits", [["e9"], ["e0"], ["x"], [], "e1", None, 3])
def test_edits_outside_the_schema_are_not_made(talk, edits):
    talk.use(SOUP)
    bad = {"tool": "refine_segment", "edits": edits}
    answer = talk.ask("only those with children", bad, bad, lawless=True)
    assert talk.current == (SOUP if answer.clarification else {"all_of": [SOUP, PARENTS]})


def test_an_edit_whose_answers_cannot_be_read_never_replaces_the_segment(talk):
    talk.use(SOUP)
    bad = ModelRetryError("Your answer was not valid JSON.")
    answer = talk.ask("only those with children", bad, bad)
    assert talk.current == (SOUP if answer.clarification else {"all_of": [SOUP, PARENTS]})


CONTRADICTIONS = {
    "sums": "spent over $500 in the last 90 days and under $100 in the last 90 days",
    "did and did not": "bought beer in the last 30 days but did not buy beer in the last 30 days",
    "in Chinese": "最近90天消费超过500元但最近90天消费低于100元的客户",
    "a yes and a no": "customers with children and without children",
}


@pytest.mark.parametrize("question", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_is_said_and_the_segment_stays(talk, question):
    talk.use(SOUP)
    answer = talk.ask(question, call("define_segment"))
    assert answer.clarification
    assert re.search("矛盾|反面" if answer.language == "zh" else "contradict|opposite", answer.answer)
    assert answer.evidence == []
    assert talk.current == SOUP


def test_an_edit_that_contradicts_the_segment_is_said_and_the_segment_stays(talk):
    talk.use(SOUP)
    answer = talk.ask("exclude those who bought soup in the last 60 days", call("refine_segment"))
    assert "opposite" in answer.clarification
    assert talk.current == SOUP


def test_edits_that_exclude_each_other_are_not_both_made(talk):
    talk.use({"all_of": [BIG_SPENDERS, PARENTS]})
    both = call("refine_segment", edits=["e1", "e2"])  # each replaces the same condition
    answer = talk.ask("change it to the last 30 days, or 60 days", both)
    days = [30, 60] if answer.clarification is None else [90]
    assert talk.current in [{"all_of": [BIG_SPENDERS | {"from_days_ago": n}, PARENTS]} for n in days]


def test_nobody_is_an_honest_answer(talk):
    answer = talk.ask("who spent over $50,000 in the last 30 days?", call("define_segment"))
    assert answer.segment["size"] == 0
    assert answer.answer.startswith("No customer matches")


ODD = [
    "who bought beer in the last 0 days?",
    "who bought beer in the last 5000000 days?",
    "who spent over $99999999999999999999999999?",
    "who spent over $0?",
]


@pytest.mark.parametrize("question", ODD)
def test_an_impossible_number_is_a_sentence_not_a_crash(talk, question):
    talk.model.script(*[call("define_segment")] * 2)
    assert talk.assistant.ask(question, talk.name).answer


# --- Refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        "delete all customers from the database",
        "drop the events table",
        "wipe our transaction history",
        "update customers set age = 30",
        "清空数据库",
        "把所有客户数据删除",
    ],
)
def test_what_would_destroy_data_is_refused_and_calls_nothing(talk, question):
    talk.use(SOUP)
    answer = talk.ask(question, call("refuse"))
    changing = {"define_segment", "refine_segment", "delete_segment", "save_segment"}
    assert not changing & set(offered(talk.model.schemas[0]))
    assert answer.refused == answer.answer
    assert ("只能读取" if answer.language == "zh" else "I only read it") in answer.answer
    assert (answer.tool_calls, answer.segment) == ([], None)
    assert talk.current == SOUP


def test_what_would_destroy_data_is_refused_even_by_a_model_that_fails(talk):
    talk.use(SOUP)
    bad = ModelRetryError("Your answer was not valid JSON.")
    answer = talk.ask("delete all customers who have children", bad, bad)
    assert answer.tool_calls == []
    assert talk.current == SOUP


@pytest.mark.parametrize(
    "question", ["what's the tide like tomorrow?", "who painted the Mona Lisa?", "月球离地球多远？"]
)
def test_what_is_not_about_customers_is_refused(talk, question):
    answer = talk.ask(question, call("refuse"))
    assert set(offered(talk.model.schemas[0])) <= {"refuse", "clarify"}
    assert answer.refused
    assert answer.tool_calls == []


def test_a_field_that_the_data_lacks_is_named(talk):
    answer = talk.ask("customers by zodiac sign")
    assert "zodiac" in answer.refused
    assert answer.tool_calls == []
    assert not talk.model.schemas


@pytest.mark.parametrize(
    ("message", "lacks", "yes", "rest"),
    [
        ("vegans who bought beer", "vegans", "yes", "who bought beer"),
        ("住在浦东、买过啤酒的人", "住在", "是", "买过啤酒的人"),
    ],
)
def test_what_a_description_lacks_is_told_first_and_yes_takes_the_rest(talk, message, lacks, yes, rest):
    answer = talk.ask(message)
    assert lacks in answer.refused
    taken = talk.ask(yes).tool_calls[0]["arguments"]["definition"]
    assert taken == talk.ask(rest, call("define_segment")).tool_calls[0]["arguments"]["definition"]


def test_a_question_without_a_segment_asks_for_one(talk):
    assert talk.ask("what makes them different?", call("clarify")).clarification
    assert set(offered(talk.model.schemas[0])) == {"clarify"}


# --- The model is away -------------------------------------------------------------------------

AWAY = LLMUnavailableError("The language model at http://x cannot be reached; start it.")


def test_an_unreachable_model_leaves_the_conversation_as_it_was(talk):
    talk.ask(SPENT, call("define_segment"))
    before = talk.assistant.history(talk.name)
    with pytest.raises(LLMUnavailableError, match="cannot be reached"):
        talk.ask("only those with children", AWAY)
    assert talk.assistant.history(talk.name) == before
    assert talk.current == BIG_SPENDERS
    answer = talk.ask("only those with children", call("refine_segment"))
    assert answer.segment["definition"] == {"all_of": [BIG_SPENDERS, PARENTS]}


def test_a_model_that_goes_away_during_the_repair_leaves_the_conversation_as_it_was(talk):
    with pytest.raises(LLMUnavailableError):
        talk.ask(SPENT, ModelRetryError("Your answer was not valid JSON."), AWAY)
    assert talk.assistant.history(talk.name) == []
    assert talk.current is None


PLAN, PLAN_ZH = "plan a campaign with a $2,000 budget", "用2000元预算做一个营销方案"


def test_a_plan_stands_without_the_models_words(talk):
    talk.use(BIG_SPENDERS)
    answer = talk.ask(PLAN, call("plan_strategy"), says=AWAY)
    assert answer.strategy is not None
    assert "Budget" in answer.answer


def test_the_models_words_introduce_a_plan_and_see_no_figure(talk):
    talk.use(BIG_SPENDERS)
    answer = talk.ask(PLAN, call("plan_strategy"), says="Thank them for coming. They will like it.")
    assert answer.answer.startswith("Thank them for coming. They will like it.")
    assert numbers_in(talk.model.turn) == []


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (PLAN, "Give them 20% off."),
        (PLAN, "Expect 300 responders. Go."),
        (PLAN, "Give them twenty percent off."),
        (PLAN, "Half of them will come."),
        (PLAN_ZH, "预计 30% 的客户会响应。"),
        (PLAN_ZH, "预计三成客户会响应。"),
        (PLAN_ZH, "约五百位客户会回来。"),
    ],
)
def test_the_models_words_are_dropped_when_they_hold_a_figure(talk, question, says):
    talk.use(BIG_SPENDERS)
    answer = talk.ask(question, call("plan_strategy"), says=says)
    assert says not in answer.answer
    assert answer.strategy is not None


# --- Every tool --------------------------------------------------------------------------------

TOOLS = {
    "profile_segment": ("describe them", "描述一下他们"),
    "find_lookalikes": ("find 200 lookalikes of them", "找200个相似的客户"),
    "score_propensity": ("how likely are they to buy in the next two weeks?", "他们两周内购买的可能性多大？"),
    "recommend_products": ("what should we recommend to them?", "给他们推荐什么？"),
    "plan_strategy": (PLAN, PLAN_ZH),
    "show_segment": ("show the current segment", "当前分群"),
    "discover_segments": ("find 4 natural segments", "把客户分成4类"),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_answers_with_what_its_evidence_holds(talk, tool, language):
    talk.use(BIG_SPENDERS)
    answer = talk.ask(TOOLS[tool][language == "zh"], call(tool))
    assert [called["name"] for called in answer.tool_calls] == [tool]
    assert answer.language == language
    assert len(answer.answer) > 40
    if tool != "plan_strategy":  # a plan rounds differently; the turn itself checked it
        assert values(answer.answer) <= shown_in(answer.evidence)


def test_a_category_is_what_the_probability_is_of(talk):
    talk.use(BIG_SPENDERS)
    answer = talk.ask("how likely are they to buy beer?", call("score_propensity"))
    assert answer.tool_calls[0]["arguments"]["outcome"] == "purchase_30d:BEERS/ALES"
    assert 0 < answer.evidence[1]["figures"][0]["value"] < 1


def test_a_tool_may_describe_new_customers(talk):
    answer = talk.ask("describe customers who bought beer in the last 30 days", call("profile_segment"))
    assert [called["name"] for called in answer.tool_calls] == ["define_segment", "profile_segment"]
    assert answer.segment["definition"]["items"] == {"category": ["BEERS/ALES"]}


def test_the_same_question_in_both_languages_is_one_segment(talk):
    pairs = [
        ("who bought soup last month?", "上个月买过汤的客户"),
        ("who spent over $500 last quarter?", "上季度消费超过500元的客户"),
        ("customers with children", "有孩子的客户"),
        ("who redeemed at least 3 coupons?", "至少使用过3张优惠券的客户"),
        ("the top 100 customers by spend", "消费最高的前100名客户"),
    ]
    for english, chinese in pairs:
        links = [talk.assistant.linker.link(text) for text in (english, chinese)]
        hashes = [[fingerprint(candidate.node) for candidate in link.candidates] for link in links]
        assert hashes[0] == hashes[1] != [], english


# --- Streaming and concurrency -----------------------------------------------------------------


def test_steps_are_streamed_in_order_and_before_the_model_has_answered(talk):
    gate = threading.Event()

    def slow(schema):
        assert gate.wait(20), "the first step was not shown before the model answered"
        return call("define_segment")(schema)

    talk.model.script(slow)
    steps = talk.assistant.stream(SPENT, talk.name)
    assert next(steps)[0] == "link"
    gate.set()
    rest = list(steps)
    assert [step for step, _ in rest] == ["plan", "check", "run", "answer", "done"]
    assert rest[-1][1].segment["definition"] == BIG_SPENDERS
    assert rest[-2][1]["text"] == rest[-1][1].answer


def test_an_error_is_raised_to_whoever_reads_the_stream(talk):
    talk.model.script(AWAY)
    steps = talk.assistant.stream(SPENT, talk.name)
    assert next(steps)[0] == "link"
    with pytest.raises(LLMUnavailableError):
        list(steps)


def test_conversations_at_the_same_time_do_not_mix(talk):
    questions = {f"who spent over ${n}00 in the last 90 days?": n * 100 for n in range(2, 8)}
    talk.model.script(*[call("define_segment")] * len(questions))
    found = {}

    def work(question):
        try:
            found[question] = talk.assistant.ask(question).segment["definition"]["value"]
        except Exception as error:  # noqa: BLE001 - shown by the comparison below
            found[question] = error

    threads = [threading.Thread(target=work, args=(question,)) for question in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == questions


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("describe them", "fewer than 10 customers, too few to describe"),
        ("描述一下他们", "该分群不足10名客户，人数太少"),
    ],
)
def test_why_a_segment_cannot_be_described_is_said_in_the_language_of_the_question(
    talk, tiny, question, said
):
    talk.use(tiny)
    answer = talk.ask(question, call("profile_segment"))
    assert said in answer.clarification
    assert said in answer.answer
