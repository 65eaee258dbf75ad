"""The tools as LangChain sees them: described, typed, and exact about the definitions they carry."""

import json
import re
from dataclasses import replace

import pytest

from assistant.toolbox import langchain_tools
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.errors import DefinitionError, NotFoundError
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, SOUP

NESTED = {"all_of": [{"any_of": [SOUP, {"not": PARENTS}]}, BIG_SPENDERS]}
ON_A_SEGMENT = {
    "define_segment": {},
    "profile_segment": {},
    "find_lookalikes": {"top": 25},
    "score_propensity": {"outcome": "purchase_30d"},
    "estimate_uplift": {},
    "customer_value": {"weeks": 26},
    "recommend_products": {},
    "plan_strategy": {"goal": "win_back", "budget": 500},
    "save_segment": {"name": "mine"},
}
WITH_ANOTHER = {
    "refine_segment": {"previous": SOUP},
    "compare_segments": {"other": SOUP, "name": "soup buyers"},
}
ON_A_SEGMENT |= {"show_segment": {}, **WITH_ANOTHER}
PLAIN = {
    "find_lookalikes_of_customer",
    "explain_propensity",
    "discover_segments",
    "list_segments",
    "delete_segment",
    "open_segment",
    "bought_together",
    "forecast_demand",
    "find_anomalies",
    "placement_effect",
    "mail_frequency",
    "review_sentiment",
}


@pytest.fixture
def tools(talk):
    return {tool.name: tool for tool in langchain_tools(talk.assistant.tools)}


def test_every_tool_says_what_it_does_and_takes(tools):
    assert set(tools) >= set(ON_A_SEGMENT) | PLAIN
    for tool in tools.values():
        assert len(tool.description) > 20
        assert "\n" not in tool.description
        assert isinstance(tool.args, dict)
    for name, extra in ON_A_SEGMENT.items():
        schema = tools[name].tool_call_schema
        assert set(schema["properties"]) >= {"definition", *extra}
        assert "definition" in schema["required"]
        json.dumps(schema)
    assert set(tools["delete_segment"].args) == set(tools["open_segment"].args) == {"name"}
    assert set(tools["discover_segments"].args) == {"k"}


@pytest.mark.parametrize("definition", [BIG_SPENDERS, SOUP, {"not": PARENTS}, NESTED])
def test_a_definition_comes_back_as_it_went_in(tools, definition):
    out = tools["define_segment"].invoke({"definition": definition})
    assert out["definition"] == definition
    assert out["hash"] == fingerprint(from_json(definition))
    assert json.loads(json.dumps(out)) == out


@pytest.mark.parametrize("name", ON_A_SEGMENT)
def test_a_tool_returns_evidence_about_the_segment(tools, talk, name):
    out = tools[name].invoke({"definition": BIG_SPENDERS, **ON_A_SEGMENT[name]})
    figures = {figure["name"]: figure for figure in out["evidence"][0]["figures"]}
    expected = 25 if name == "find_lookalikes" else talk.rooms.audiences.size(from_json(BIG_SPENDERS))
    assert figures["size"]["value"] == expected
    assert all(figure["display"] for item in out["evidence"] for figure in item["figures"])
    json.dumps(out)


def test_lookalikes_are_a_segment_of_their_own(tools):
    found = tools["find_lookalikes"].invoke({"definition": BIG_SPENDERS, "top": 25})
    assert found["definition"] == {"similar_to": {"segment": BIG_SPENDERS}, "top": 25}
    again = tools["define_segment"].invoke({"definition": found["definition"]})
    assert again["evidence"][0]["figures"][0]["value"] == 25


def test_saved_segments_are_opened_listed_and_deleted(tools):
    tools["save_segment"].invoke({"definition": NESTED, "name": "nested"})
    assert tools["open_segment"].invoke({"name": "nested"})["hash"] == fingerprint(from_json(NESTED))
    listed = tools["list_segments"].invoke({})
    assert [row["name"] for row in listed["evidence"][0]["rows"]] == ["nested"]
    tools["delete_segment"].invoke({"name": "nested"})
    assert tools["list_segments"].invoke({})["evidence"][0]["rows"] == []
    with pytest.raises(NotFoundError):
        tools["open_segment"].invoke({"name": "nested"})


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"feature": "zodiac", "op": "=", "value": "leo"}, "not in the catalogue"),
        ({"event": "purchase", "items": {"category": ["SOUPS"]}}, "did you mean SOUP"),
        ({"member_of": "nobody"}, "no saved segment is named 'nobody'"),
        ({}, "must hold exactly one of"),
        ({"all_of": [PARENTS, {"not": PARENTS}]}, "its opposite"),
    ],
)
def test_a_definition_that_does_not_hold_is_told_in_a_sentence(tools, definition, said):
    with pytest.raises(DefinitionError, match=said):
        tools["define_segment"].invoke({"definition": definition})


def test_an_outcome_that_no_model_predicts_is_told(tools):
    with pytest.raises(NotFoundError, match="no outcome 'world_peace'"):
        tools["score_propensity"].invoke({"definition": BIG_SPENDERS, "outcome": "world_peace"})


def test_a_small_segment_is_not_described(tools, tiny):
    for name in ("profile_segment", "recommend_products"):
        with pytest.raises(DefinitionError, match="fewer than 10 customers"):
            tools[name].invoke({"definition": tiny})


def test_a_method_that_returns_a_result_is_a_tool_and_nothing_else_is():
    import inspect

    from assistant.toolbox import tool_specs
    from assistant.tools import Tools

    public = {name for name, _ in inspect.getmembers(Tools, inspect.isfunction) if not name.startswith("_")}
    assert set(tool_specs()) == public


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("find_lookalikes", {"definition": SOUP, "top": "many"}, "top: "),
        ("find_lookalikes", {"definition": SOUP, "top": 0}, "top"),
        ("plan_strategy", {"definition": SOUP, "budget": float("nan")}, "NaN"),
        ("open_segment", {"name": "\ud800"}, "half a character"),
        ("open_segment", {}, "name: "),
        ("list_segments", {"sort": "size"}, "sort: "),
        ("drop_table", {}, "there is no tool 'drop_table'"),
    ],
)
def test_arguments_that_do_not_fit_are_told_in_a_sentence(talk, name, arguments, said):
    from assistant.toolbox import call_tool
    from segments.errors import UserError

    with pytest.raises(UserError, match=re.compile(re.escape(said), re.IGNORECASE)):
        call_tool(talk.assistant.tools, name, arguments)


def test_a_definition_may_name_a_parameter_of_the_workspace(rooms, monkeypatch):
    from assistant.toolbox import call_tool
    from assistant.tools import Tools

    lately = {"event": "purchase", "from_days_ago": {"param": "recent_days"}}
    with pytest.raises(DefinitionError, match="no parameter of this workspace"):
        call_tool(Tools(rooms), "show_segment", {"definition": lately})
    settings = replace(rooms.workspace.settings, parameters={"recent_days": 30})
    monkeypatch.setattr(rooms, "workspace", replace(rooms.workspace, settings=settings))
    found = call_tool(Tools(rooms), "show_segment", {"definition": lately})
    assert found["definition"]["from_days_ago"] == {"param": "recent_days", "value": 30}


def test_a_schema_says_how_a_definition_is_written(tools):
    import jsonschema

    schema = tools["define_segment"].tool_call_schema
    jsonschema.validate({"definition": NESTED}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"definition": {"feature": "age"}}, schema)
