"""The bundle of a turn over HTTP: whose it is, what it holds for which role, and that it replays to the same."""

import json

import httpx
import pytest

from assistant.bundle import WITHHELD, read_bundle, replay
from assistant.disclosure import read_by
from segments.codec import from_json
from serving.client import ApiError, Client

COFFEE = {"event": "purchase", "items": {"category": ["COFFEE"]}}

FIND, REFINE, SHOW = "define_segment", "refine_segment", "show_segment"


@pytest.fixture
def talk(guarded, model):
    """`talk(role, (question, reply), ...)`: a conversation of a role, its id, and a client of that role."""
    opened = []

    def ask(role, *turns, conversation=None):
        client = Client(guarded.url, guarded.keys[role])
        opened.append(client)
        for question, reply in turns:
            model.replies.append(reply)
            answer = client.ask(question, conversation)
            conversation = answer.conversation
        return conversation, client

    yield ask
    for client in opened:
        client.close()


def replayed(bundle, guarded, tmp_path):
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(bundle), encoding="utf-8")
    return replay(read_bundle(path), guarded.service.rooms.workspace)


@pytest.mark.parametrize("role", ["marketer", "analyst"])
def test_every_turn_of_a_conversation_replays_to_the_same(talk, guarded, tmp_path, role):
    turns = [("who bought beer?", FIND), ("only those with children", REFINE), ("show the definition", SHOW)]
    conversation, client = talk(role, *turns)
    assert [turn.number for turn in client.conversation(conversation).turns] == [1, 2, 3]
    for number, (question, reply) in enumerate(turns, 1):
        bundle = client.bundle(conversation, number)
        assert bundle["question"] == question
        assert [said["said"]["tool"] for said in bundle["replies"]] == [reply]
        found = replayed(bundle, guarded, tmp_path)
        assert found.same, [str(difference) for difference in found.differences]
    assert client.bundle(conversation) == client.bundle(conversation, 3)


def test_how_many_and_who_they_are_is_for_those_who_may_export(talk):
    conversation, marketer = talk("marketer", ("who bought beer?", FIND))
    theirs = marketer.bundle(conversation)
    assert (theirs["withheld"], theirs["members"]) == (list(WITHHELD), None)
    assert "size" not in theirs["segment"]
    conversation, analyst = talk("analyst", ("who bought beer?", FIND))
    whole = analyst.bundle(conversation)
    assert (len(whole["members"]), whole["segment"]["size"]) == (64, 1298)
    assert "withheld" not in whole


def test_a_size_that_was_held_back_is_held_back_in_the_replay(talk, guarded, tmp_path):
    """What the reader was shown before is in no bundle, so what was judged of it is."""
    rooms = guarded.service.rooms
    members = rooms.audiences.members(from_json(COFFEE))
    with read_by("marketer@shop"):
        assert rooms.disclosure.shown_members(members[:-3]) == len(members) - 3
    conversation, client = talk("marketer", ("who bought coffee?", FIND))
    bundle = client.bundle(conversation)
    assert bundle["segment"]["definition"] == COFFEE
    assert "About 1,280 customers" in bundle["answer"]
    assert replayed(bundle, guarded, tmp_path).same
    assert not replayed(bundle | {"judged": []}, guarded, tmp_path).same


def test_an_edited_segment_leaves_the_bundle_of_the_answer(talk, guarded, tmp_path):
    conversation, client = talk("analyst", ("who bought beer?", FIND))
    caller = guarded.service.users.caller(guarded.keys["analyst"])
    before = client.bundle(conversation)
    guarded.service.set_segment(caller, conversation, from_json(COFFEE))
    assert client.bundle(conversation) == before


def test_a_conversation_that_goes_on_from_a_chats_history_has_bundles(talk, guarded, model, tmp_path):
    """Chat clients send the history; each answer begins from a copy of where the conversation stood."""
    _, client = talk("analyst")
    headers = {"authorization": f"Bearer {guarded.keys['analyst']}"}
    messages = []
    for question, reply in (("who bought beer?", FIND), ("only those with children", REFINE)):
        model.replies.append(reply)
        messages.append({"role": "user", "content": question})
        body = {"model": "segment-assistant", "messages": messages}
        answer = httpx.post(
            f"{guarded.url}/v1/chat/completions", json=body, headers=headers, timeout=60
        ).json()
        messages.append(answer["choices"][0]["message"])
    conversation = answer["segassist"]["conversation"]
    assert [client.bundle(conversation, n)["question"] for n in (1, 2)] == [
        "who bought beer?",
        "only those with children",
    ]
    assert replayed(client.bundle(conversation), guarded, tmp_path).same


def test_a_bundle_is_its_users_own_and_its_fetching_is_written_down(talk, guarded):
    conversation, client = talk("marketer", ("who bought beer?", FIND))
    with Client(guarded.url, guarded.keys["admin"]) as other, pytest.raises(ApiError, match="not_found"):
        other.bundle(conversation)
    client.bundle(conversation)
    entry = guarded.service.audit.entries(1)[-1]
    assert (entry.action, entry.who, entry.detail["conversation"]) == (
        "bundle",
        "marketer@shop",
        conversation,
    )


def test_a_turn_that_was_not_is_not_found(talk):
    conversation, client = talk("marketer", ("who bought beer?", FIND))
    with pytest.raises(ApiError, match="no bundle of turn 2"):
        client.bundle(conversation, 2)
    with pytest.raises(ApiError, match="There is no conversation"):
        client.bundle("never-begun")


def test_a_bundle_comes_as_a_file(guarded, talk):
    conversation, _ = talk("marketer", ("who bought beer?", FIND))
    with guarded.client("marketer") as client:
        answer = client.get(f"/v1/conversations/{conversation}/bundle")
    assert answer.headers["content-disposition"] == f'attachment; filename="{conversation}.bundle.json"'
    assert answer.headers["content-type"] == "application/json"
