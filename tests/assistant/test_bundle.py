"""An answer saved as a bundle is replayed to the same result, without the model, and what differs is said."""

import dataclasses
import json
from pathlib import Path

import pytest

from assistant.bundle import make_bundle, read_bundle, replay, save_bundle
from assistant.documents import Documents
from assistant.library import Library
from assistant.workspace import open_workspace
from segments.codec import from_json
from segments.errors import DataError, UserError
from tests.assistant.conftest import BIG_SPENDERS, ScriptedModel, Talk, call

QUESTION = "who spent over $500 in the last 90 days?"


@pytest.fixture
def asked(talk: Talk):
    return talk.ask(QUESTION, call("define_segment"))


@pytest.fixture
def bundle(talk, asked, tmp_path):
    path = tmp_path / "answers" / "bundle.json"
    save_bundle(path, make_bundle(talk.rooms, asked))
    return read_bundle(path)


def test_a_bundle_holds_what_the_answer_came_from(bundle, asked, talk):
    assert bundle["question"] == QUESTION
    assert bundle["segment"]["definition"] == BIG_SPENDERS
    assert bundle["segment"]["sql"] == asked.segment["sql"]
    assert bundle["evidence"] == asked.evidence
    assert [reply["said"]["tool"] for reply in bundle["replies"]] == ["define_segment"]
    assert len(bundle["members"]) == 64
    assert {"prompts", "tools", "catalogue", "data", "as_of", "model", "code"} <= bundle.keys()
    members = talk.rooms.audiences.members(from_json(BIG_SPENDERS))
    assert not any(member in json.dumps(bundle) for member in members[:50])


def test_a_replay_is_the_same_and_leaves_nothing_behind(bundle, talk):
    folder = talk.rooms.workspace.folder
    before = sorted(path.name for path in folder.iterdir()), talk.rooms.library.names()
    found = replay(bundle, talk.rooms.workspace)
    assert (found.same, found.differences) == (True, ())
    assert (sorted(path.name for path in folder.iterdir()), talk.rooms.library.names()) == before


def test_a_turn_that_changed_something_is_replayed_from_where_it_stood(talk):
    talk.ask(QUESTION, call("define_segment"))
    talk.ask("only those with children", call("refine_segment"))
    saved = talk.ask('save it as "Big families"', call("save_segment"))
    bundle = make_bundle(talk.rooms, saved)
    assert talk.rooms.library.names() == ["Big families"]
    talk.rooms.library.delete("Big families")
    assert replay(bundle, talk.rooms.workspace).differences == ()
    assert talk.rooms.library.names() == []


def test_a_replay_leaves_the_database_of_the_state_alone(talk, tmp_path, monkeypatch):
    talk.use(BIG_SPENDERS)
    bundle = make_bundle(talk.rooms, talk.ask('save it as "Big"', call("save_segment")))
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    Documents(url, "experiment").save("spring", {})
    monkeypatch.setenv("SEGASSIST_STATE_URL", url)
    workspace = open_workspace(talk.rooms.workspace.folder)
    assert (workspace.state, workspace.audit, workspace.conversations) == (url, url, url)
    assert replay(bundle, workspace).same
    assert Library(url).names() == []
    assert [saved.version for saved in Documents(url, "experiment").all()] == [1]


def test_what_differs_is_named(bundle, talk):
    bundle["segment"]["sql"] = "SELECT 1"
    bundle["evidence"][0]["figures"][0]["value"] += 1
    bundle["prompts"] = "000000000000"
    found = replay(bundle, talk.rooms.workspace)
    assert not found.same
    assert {d.field: d.result for d in found.differences} == {
        "segment.sql": True,
        "evidence[0].figures[0].value": True,
        "prompts": False,
    }


def test_a_model_that_answers_otherwise_is_noticed(talk):
    talk.ask(QUESTION, call("define_segment"))
    question = "what sets them apart, and how likely are they to come back?"
    bundle = make_bundle(talk.rooms, talk.ask(question, call("profile_segment")))
    assert replay(bundle, talk.rooms.workspace, ScriptedModel(call("profile_segment"))).same
    other = replay(bundle, talk.rooms.workspace, ScriptedModel(call("score_propensity")))
    assert "tool_calls[0].name" in [difference.field for difference in other.differences]


def test_a_bundle_with_too_few_answers_of_the_model_is_different(bundle, talk):
    bundle["replies"] = []
    found = replay(bundle, talk.rooms.workspace)
    assert [d.field for d in found.differences] == ["replies"]
    assert "--ask-model" in found.differences[0].now


def test_a_small_group_stays_hidden_in_a_bundle(talk, tiny):
    talk.use(tiny)
    answer = talk.ask("show me the segment", call("show_segment"))
    assert make_bundle(talk.rooms, answer)["segment"]["size"] == "<10"


@pytest.mark.parametrize("text", ["", "[]", '{"format": 9}', '{"format": 1}'])
def test_what_is_no_bundle_is_refused(tmp_path: Path, text):
    path = tmp_path / "bundle.json"
    path.write_text(text)
    with pytest.raises(DataError, match="bundle"):
        read_bundle(path)


def test_an_answer_without_its_record_is_not_saved(talk, asked):
    with pytest.raises(UserError, match="ask it again"):
        make_bundle(talk.rooms, dataclasses.replace(asked, trace=None))


def test_the_workspace_may_be_opened_while_the_assistant_runs(bundle, talk):
    assert replay(bundle, open_workspace(talk.rooms.workspace.folder)).same
