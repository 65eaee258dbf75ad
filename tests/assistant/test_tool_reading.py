"""Which tool the tuned model reads, when it leads, and what a turn does with it. The model is a FAKE; the words' rules, the
linker and the tools are the real ones."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from assistant import tool_reading
from assistant.app import Answer, Assistant
from assistant.intents import Intents
from assistant.linking.link import Link
from assistant.linking.linker import Linker
from assistant.plan import offered_tools, schema
from assistant.rooms import Rooms, make_linker
from assistant.tool_reading import (
    ASKED,
    DESCRIBES,
    EDITS,
    FAIRLY,
    LACKING,
    REFUSED,
    REFUSED_WHOLE,
    SCHEMA,
    SURE,
    ToolReading,
    answerable,
    takes,
)
from assistant.toolbox import tool_specs
from segments.codec import from_json
from segments.errors import ModelRetryError
from tests.assistant.conftest import ScriptedModel, call, wish

COFFEE = from_json({"event": "purchase", "items": {"category": ["COFFEE"]}})
ODDS = "coffee buyers, will we get sight of those again?"


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return make_linker(opened, dense=False)


def test_every_tool_that_may_be_read_exists() -> None:
    stages = {"define_segment", "refine_segment", "clarify"}
    assert {tool for tool in ASKED if tool not in stages} <= set(tool_specs())


def test_what_may_be_answered_is_a_tool_or_a_refusal_with_its_reason() -> None:
    jsonschema.validate({"tool": "trend_segment"}, SCHEMA)
    jsonschema.validate({"tool": "refuse", "reason": "protected"}, SCHEMA)
    for answer in ({"tool": "refuse"}, {"tool": "drop_table"}, {"tool": "clarify", "reason": "protected"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(answer, SCHEMA)


def test_an_answer_that_is_no_tool_counts_as_none() -> None:
    class Lawless:
        def weighed(self, messages: object, schema: object, draw: int = 0) -> tuple[dict[str, str], float]:
            return {"tool": "rm_rf"}, 1.0

    class Silent:
        def weighed(self, messages: object, schema: object, draw: int = 0) -> tuple[dict[str, str], float]:
            raise ModelRetryError("Your answer was not valid JSON.")

    assert tool_reading.read_tool(Lawless(), "hello") is None
    assert tool_reading.read_tool(Silent(), "hello") is None


@pytest.mark.parametrize(
    ("tool", "offered", "has_segment", "from_"),
    [
        ("find_anomalies", ("define_segment",), False, SURE),
        ("customer_value", ("define_segment", "customer_value"), False, FAIRLY),
        ("refuse", ("define_segment",), False, REFUSED),
        ("define_segment", ("clarify", "refuse"), False, SURE),
        ("define_segment", ("define_segment", "customer_value"), False, DESCRIBES),
        ("refine_segment", ("write_copy",), True, DESCRIBES),
    ],
)
def test_a_tool_is_taken_from_a_probability_on(
    tool: str, offered: tuple[str, ...], has_segment: bool, from_: float
) -> None:
    assert takes(ToolReading(tool, None, from_), offered, has_segment, whole=False)
    assert not takes(ToolReading(tool, None, from_ - 0.01), offered, has_segment, whole=False)


def test_a_message_that_the_words_explain_wholly_is_refused_only_where_the_model_is_sure() -> None:
    for probability, refused in ((REFUSED_WHOLE, True), (REFUSED_WHOLE - 0.01, False)):
        assert (
            takes(ToolReading("refuse", None, probability), ("define_segment",), False, whole=True) is refused
        )


@pytest.mark.parametrize(
    "message", ["wine drinkers please", "买过啤酒的给我拉出来", "who bought ramen in November?"]
)
def test_nothing_is_lacking_in_a_message_that_the_words_explain_wholly(workspace: Path, message: str) -> None:
    refused = {"tool": "refuse", "reason": "unknown_field"}
    answer = asks(workspace, refused, call("define_segment"))(message)
    assert answer.refused is None
    assert answer.segment is not None


def test_whom_words_describe_by_when_they_shop_is_not_asked_when(linker: Linker) -> None:
    reading = ToolReading("profile_times", None, 0.99)
    for message, asks_when in (
        ("who shops mostly in the evening?", False),
        ("when do beer buyers shop?", True),
    ):
        link = linker.link(message, asked="profile_times")
        assert answerable(reading, link, None) is asks_when, message


def test_two_dates_are_compared_where_words_or_a_segment_at_hand_ask_for_it(linker: Linker) -> None:
    reading, spent_less = ToolReading("diff_segment", None, 0.9), "customers who spend less than last quarter"
    assert not answerable(reading, linker.link(spent_less, asked="diff_segment"), None)
    link = linker.link("any churn in there?", COFFEE, asked="diff_segment")
    assert answerable(reading, link, COFFEE)
    assert link.intents.arguments["earlier"] < linker.as_of


def test_what_an_edit_takes_out_of_the_segment_at_hand_deletes_no_saved_one(linker: Linker) -> None:
    current = from_json({"event": "purchase", "items": {"category": ["BEERS/ALES", "SOUP"]}})
    reading = ToolReading("delete_segment", None, 1.0)
    for message, deletes in (("drop the soup", False), ("drop Soup people", True)):
        link = linker.link(message, current, saved=("Soup people",), asked="delete_segment")
        assert answerable(reading, link, current) is deletes, message


def test_an_edit_is_believed_from_a_probability_on_where_a_segment_is_at_hand() -> None:
    edit, both = ToolReading("refine_segment", None, EDITS), ("define_segment", "refine_segment")
    assert takes(edit, both, True, whole=True)
    assert takes(edit, ("clarify",), True, whole=False)
    assert not takes(replace(edit, probability=EDITS - 0.01), both, True, whole=True)
    assert not answerable(edit, link_of_nothing(), from_json({"similar_to": {"customer": "1"}, "top": 9}))


def link_of_nothing() -> Link:
    """A message in which nothing was found."""
    return Link("en", "flibber", (), None, None, (), Intents(()))


def test_a_full_description_may_narrow_the_segment_at_hand() -> None:
    assert not takes(
        ToolReading("define_segment", None, 1.0),
        ("define_segment", "refine_segment"),
        True,
        whole=False,
    )
    for offered, has_segment in ((("refine_segment",), True), (("define_segment",), False)):
        described = ToolReading("define_segment", None, 1.0)
        assert not takes(described, offered, has_segment, whole=False)


@pytest.mark.parametrize(
    ("tool", "message", "has_segment", "can"),
    [
        ("define_segment", "customers who bought coffee", False, True),
        ("define_segment", "hello", False, True),
        ("define_segment", "hello", True, False),
        ("refine_segment", "only those who bought beer", True, True),
        ("refine_segment", "only those who bought beer", False, False),
        ("count_part", "who of them has kids?", True, True),
        ("count_part", "who of them has kids?", False, False),
        ("explain_propensity", "2070, on what grounds?", False, True),
        ("explain_propensity", "on what grounds?", False, False),
        ("clarify", "delete all customers", False, False),
        ("refuse", "delete all customers", False, True),
        ("plan_strategy", "delete all customers", True, False),
    ],
)
def test_a_tool_is_only_taken_with_what_it_needs(
    linker: Linker, tool: str, message: str, has_segment: bool, can: bool
) -> None:
    current = COFFEE if has_segment else None
    link = linker.link(message, current, asked=tool)
    assert answerable(ToolReading(tool, None, 1.0), link, current) is can


def test_a_link_of_a_known_tool_offers_that_one_and_keeps_the_segment(linker: Linker) -> None:
    link = linker.link(ODDS, asked="score_propensity")
    assert offered_tools(link, has_segment=False) == ("score_propensity",)
    assert link.reading == COFFEE
    as_segment = linker.link("people likely to come back, coffee drinkers", asked="define_segment")
    assert as_segment.intents.tools == ()


def test_the_arguments_of_a_known_tool_are_read_from_the_words(linker: Linker) -> None:
    plan = linker.link("five grand for them, work something out", COFFEE, asked="plan_strategy")
    assert plan.intents.budget == 5000
    units = linker.link("soup, the coming 4 weeks, units", asked="forecast_demand")
    assert units.intents.tools == ("forecast_demand",)
    assert units.categories == ("SOUP",)


@pytest.mark.parametrize(
    ("tool", "message", "whom"),
    [
        ("score_propensity", ODDS, ["described"]),
        ("customer_value", "what'll the over-45 coffee crowd be worth to us?", ["described"]),
        ("customer_value", "what'll they be worth to us?", ["current"]),
        ("save_segment", "keep those as coffee lot", ["described", "current"]),
    ],
)
def test_who_describes_people_asks_of_them_and_not_of_the_segment_at_hand(
    linker: Linker, tool: str, message: str, whom: list[str]
) -> None:
    parents = from_json({"feature": "has_children", "op": "=", "value": True})
    link = linker.link(message, parents, asked=tool)
    (offered,) = schema(link, [tool], has_segment=True)["anyOf"]
    assert offered["properties"]["segment"] == {"enum": whom}


def test_goods_known_by_a_word_of_their_names_alone_may_be_no_description(linker: Linker) -> None:
    link = linker.link(
        ODDS, from_json({"feature": "has_children", "op": "=", "value": True}), asked="profile_goods"
    )
    named = replace(
        link, reading=from_json({"event": "purchase", "items": {"text": ["clean"]}}), asked="write_copy"
    )
    (offered,) = schema(named, ["write_copy"], has_segment=True)["anyOf"]
    assert offered["properties"]["segment"] == {"enum": ["described", "current"]}


def asks(
    workspace: Path, tool: dict[str, str], *replies: dict[str, str], sure: float = 0.95
) -> Callable[[str], Answer]:
    wish(workspace, "always")
    return Assistant.open(workspace, ScriptedModel(*replies, tool=tool, sure=sure)).ask


def test_the_tool_that_is_read_is_run(workspace: Path) -> None:
    ask = asks(workspace, {"tool": "score_propensity"}, call("score_propensity"))
    answer = ask("coffee buyers, will we get sight of those again?")
    assert answer.tool_calls[-1]["name"] == "score_propensity"
    assert any(evidence["tool"] == "score_propensity" for evidence in answer.evidence)


def test_what_the_data_lack_is_refused_and_the_rest_offered(workspace: Path) -> None:
    ask = asks(workspace, {"tool": "refuse", "reason": "unknown_field"})
    answer = ask("coffee buyers who came in by the park and ride")
    assert answer.refused is not None
    assert "coffee" in answer.refused.lower()


def test_whom_no_segment_is_made_of_is_refused_by_what_the_model_reads(workspace: Path) -> None:
    answer = asks(workspace, {"tool": "refuse", "reason": "protected"})(
        "coffee buyers who'd fall for anything"
    )
    assert answer.refused is not None
    assert "race, religion" in answer.refused


def test_without_a_second_reading_the_words_alone_decide(workspace: Path) -> None:
    wish(workspace, "off")
    model = ScriptedModel(call("define_segment"), tool={"tool": "refuse", "reason": "protected"}, sure=1.0)
    answer = Assistant.open(workspace, model).ask("customers who bought coffee")
    assert answer.tool_calls[-1]["name"] == "define_segment"
    assert model.tuned is not None
    assert model.tuned.asked_tools == []


def test_where_only_doubts_are_read_again_plain_words_decide(workspace: Path) -> None:
    wish(workspace, "doubt")
    model = ScriptedModel(call("define_segment"), call("define_segment"), tool={"tool": "clarify"}, sure=0.1)
    ask = Assistant.open(workspace, model).ask
    ask("customers who bought coffee")
    assert model.tuned is not None
    assert model.tuned.asked_tools == []
    ask("the flibber crowd who bought coffee")
    assert model.tuned.asked_tools == ["the flibber crowd who bought coffee"]


SPENT = {"event": "purchase", "measure": "value", "op": ">", "value": 500, "from_days_ago": 90}


def test_one_sketch_is_enough_where_the_model_reads_a_description(workspace: Path) -> None:
    wish(workspace, "always")
    nobody = {"all_of": [SPENT, {"not": SPENT}]}
    model = ScriptedModel(call("define_segment"), sketch=[SPENT, nobody], tool={"tool": "define_segment"})
    answer = Assistant.open(workspace, model).ask("the half grand quarterlies")
    assert answer.segment is not None
    assert answer.segment["definition"] == SPENT
    assert answer.confidence == "low"


def test_where_no_sketch_describes_anybody_the_words_finding_stands(workspace: Path) -> None:
    wish(workspace, "always")
    model = ScriptedModel(call("clarify"), tool={"tool": "define_segment"})
    answer = Assistant.open(workspace, model).ask("the half grand quarterlies")
    assert answer.segment is None
    assert answer.clarification is not None


def test_what_the_model_takes_for_deleting_takes_out_what_no_segment_is_named_like(workspace: Path) -> None:
    wish(workspace, "always")
    model = ScriptedModel(call("define_segment"))
    talk = Assistant.open(workspace, model)
    first = talk.ask("customers who bought coffee and tea")
    model.script(call("refine_segment", edits=["e1"]), tool={"tool": "delete_segment"}, sure=0.95)
    second = talk.ask("tea's out", first.conversation)
    assert [each["name"] for each in second.tool_calls] == ["refine_segment"]


BANANAS = {"event": "purchase", "items": "香蕉", "measure": "count", "op": ">=", "value": 20}


@pytest.mark.parametrize(
    ("message", "sure", "sketch", "answered"),
    [
        ("香蕉买了20次以上的人", LACKING - 0.01, BANANAS, True),
        ("香蕉买了20次以上的人", LACKING - 0.01, {"not": BANANAS}, False),
        ("香蕉买了20次以上的人", LACKING, BANANAS, False),
        ("flibber fans who spent over $500 in the last 90 days", 0.5, SPENT, False),
        ("parents with a gym membership", 0.5, {"feature": "has_children", "op": "=", "value": True}, False),
    ],
)
def test_a_refusal_that_the_model_hesitates_to_gives_way_to_what_both_readings_find_in_all_the_words(
    workspace: Path, message: str, sure: float, sketch: dict[str, object], answered: bool
) -> None:
    wish(workspace, "always")
    model = ScriptedModel(
        call("define_segment"), sketch=sketch, tool={"tool": "refuse", "reason": "unknown_field"}, sure=sure
    )
    answer = Assistant.open(workspace, model).ask(message)
    assert (answer.segment is not None) is answered
    assert (answer.refused is None) is answered


def test_without_a_second_reading_the_words_refuse_alone(workspace: Path) -> None:
    wish(workspace, "off")
    model = ScriptedModel(sketch=SPENT, tool={"tool": "refuse", "reason": "unknown_field"}, sure=0.5)
    assert Assistant.open(workspace, model).ask("parents with a gym membership").refused
    assert model.tuned is not None
    assert model.tuned.asked_tools == []
