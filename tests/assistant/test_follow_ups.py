"""What may be asked next: understood by the assistant, and answerable by the workspace."""

from dataclasses import replace

import pytest

from assistant import follow_ups
from assistant.app import Assistant
from assistant.disclosure import Viewer
from assistant.follow_ups import Answerable
from assistant.intents import read_intents
from assistant.linking.clusters import numbered
from assistant.linking.numbers import numbers
from assistant.rooms import Rooms
from assistant.workspace import open_workspace
from segments.catalogue import standard_catalogue
from segments.codec import from_json
from segments.features import Catalogue, FeatureType
from tests.assistant.conftest import BIG_SPENDERS, ScriptedModel, call

RETAIL = standard_catalogue()
HERE = Answerable(RETAIL, "$", ("purchase_30d",), responses=True)


@pytest.mark.parametrize("currency", ["$", "£", "€", "¥", "CHF"])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("tool", follow_ups.QUESTIONS)
def test_the_assistant_understands_what_is_offered(tool, language, currency):
    question = replace(HERE, currency=currency).question(tool, language)
    if tool.startswith("cluster_"):
        assert [number for _, number in numbered(question)] == [int(tool.removeprefix("cluster_"))]
        return
    intents = read_intents(question, numbers(question, language == "zh", []))
    assert tool in intents.tools
    if tool in ("plan_strategy", "compare_plans"):
        assert intents.budget == (follow_ups.AMOUNT if tool == "plan_strategy" else follow_ups.MORE)
        assert currency in question


def test_what_was_just_done_is_not_offered_again():
    for tool in (*follow_ups.AFTER, "nothing"):
        offered = follow_ups.follow_ups([tool], "en", HERE)
        assert 1 <= len(offered) <= follow_ups.SHOWN
        if tool in follow_ups.QUESTIONS:
            assert HERE.question(tool, "en") not in offered


def offered(here, language="en"):
    return {
        question for tool in follow_ups.AFTER for question in follow_ups.follow_ups([tool], language, here)
    }


def test_a_breakdown_is_by_what_the_workspace_knows_of_its_customers():
    assert "Break it down by age" in offered(HERE)
    assert "按年龄拆分看看" in offered(HERE, "zh")
    ageless = replace(HERE, features=Catalogue(f for f in RETAIL if f.name != "age"))
    found = [question for question in offered(ageless) if question.startswith("Break it down by")]
    assert len(found) == 1
    assert found != ["Break it down by age"]
    groups = (FeatureType.BAND, FeatureType.CATEGORY)
    plain = replace(HERE, features=Catalogue(f for f in RETAIL if f.type not in groups))
    assert not any(question.startswith("Break it down") for question in offered(plain))


def test_plans_are_offered_where_responses_are_known_and_forecasts_where_a_model_is():
    assert {"What do we offer them with $5,000?", "Back-test it"} <= offered(HERE)
    unknown = offered(replace(HERE, responses=False))
    assert not [
        q for q in unknown if "offer them" in q or "budget" in q or q in ("Back-test it", "Write the e-mail")
    ]
    assert "Will they come back?" in offered(HERE)
    assert "Will they come back?" not in offered(replace(HERE, outcomes=("purchase_14d",)))


def test_who_is_told_counts_alone_is_offered_counts_alone():
    assert offered(replace(HERE, counts_only=True)) == {
        "How has this segment changed over time?",
        "Find 200 people like them",
    }


def test_an_answer_says_what_may_be_asked_next(talk):
    answer = talk.ask("who spent over $500 in the last 90 days?", call("define_segment"))
    assert answer.follow_ups == [
        "What sets them apart?",
        "How has this segment changed over time?",
        "Will they come back?",
    ]
    assert answer.to_dict()["follow_ups"] == answer.follow_ups
    chinese = talk.ask("描述一下他们", call("profile_segment"))
    assert chinese.follow_ups == ["找200个像他们的人", "他们会回来吗？", "给他们推荐什么商品？"]


def test_nothing_is_offered_after_a_question_a_refusal_or_of_a_group_too_small(talk, tiny):
    assert talk.ask("undo").follow_ups == []
    assert talk.ask("what's the weather like tomorrow?").follow_ups == []
    talk.use(tiny)
    assert talk.ask("show the current segment", call("show_segment")).follow_ups == []


def test_budgets_are_in_the_workspaces_currency(workspace):
    settings = workspace / "segassist.toml"
    text = settings.read_text(encoding="utf-8")
    settings.unlink()
    lines = [line for line in text.splitlines() if not line.startswith("currency")]
    settings.write_text("\n".join(['currency = "£"', *lines]), encoding="utf-8")
    talk = Assistant(Rooms(open_workspace(workspace)), ScriptedModel(call("plan_strategy")))
    talk.set_segment("c", from_json(BIG_SPENDERS))
    answer = talk.ask("plan with 5,000 pounds", "c", viewer=Viewer(exact=True))
    assert "£5,000" in answer.answer
    assert answer.follow_ups[0] == "What if the budget were £10,000?"
