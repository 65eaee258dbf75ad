"""What has had its time is removed, by one process of all; what a user saved is not."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from assistant.conversations import Conversations
from assistant.sql import Database
from segments.errors import StorageError, UnauthenticatedError
from serving.access import Role
from serving.http.api import create_api
from serving.schedule import Schedule
from serving.service import Service
from serving.tidy import tidy
from tests.assistant.conftest import postgres_url, where  # noqa: F401 - fixtures
from tests.warehouse.conftest import postgres_server  # noqa: F401 - a fixture

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=91)


@pytest.fixture(params=["sqlite", "postgres"])
def service(request, make_workspace, tmp_path, model, monkeypatch):
    """A service of one analyst, its state in a file or in PostgreSQL."""
    if request.param == "postgres":
        monkeypatch.setenv("SEGASSIST_STATE_URL", request.getfixturevalue("postgres_url"))
    return Service.open(make_workspace(tmp_path / "w"), model)


@pytest.fixture
def key(service):
    return service.users.add("ada", Role.analyst)


@pytest.fixture
def client(service, key):
    with TestClient(create_api(service), headers={"authorization": f"Bearer {key}"}) as opened:
        yield opened


def chat(client, *said, **more) -> str:
    """The conversation's name of a chat's next answer, its text kept for the next."""
    messages = [{"role": "user" if n % 2 == 0 else "assistant", "content": t} for n, t in enumerate(said)]
    body = {"model": "segment-assistant", "messages": messages} | more
    answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["segassist"]["conversation"]


def wait_for_export(client, job) -> None:
    path = f"/v1/exports/{job['id']}"
    while client.get(path).json()["state"] in ("queued", "running"):
        threading.Event().wait(0.1)
    assert client.get(path).json()["state"] == "done"


def test_what_has_had_its_time_goes_and_what_was_saved_stays(service, client, model, tmp_path):
    model.replies += ["define_segment"] * 4
    saved = {"idempotency-key": "one"}
    assert (
        client.post("/v1/segments", json={"definition": BEER, "name": "Beer"}, headers=saved).status_code
        == 201
    )
    asked = client.post("/v1/ask", json={"question": "who bought beer?"}).json()["conversation"]
    hidden = chat(client, "who bought beer?")
    named = chat(client, "who bought beer?", metadata={"conversation": "h-spring"})
    linked = chat(client, "who bought beer?")
    client.post(f"/v1/conversations/{linked}/share").raise_for_status()
    service.users.new_session("ada", timedelta(hours=1))
    first, second = (
        client.post("/v1/exports", json={"definition": BEER, "name": name}).json() for name in ("a", "b")
    )
    for job in (first, second):
        wait_for_export(client, job)
    folder = service.rooms.workspace.folder / "exports"
    files = set(folder.rglob("members.csv"))
    assert len(files) == 2

    assert tidy(service, NOW + timedelta(minutes=1)) == {}, "nothing has had its time yet"
    assert set(folder.rglob("members.csv")) == files
    # Two chats of one message each have a conversation and a copy of where it stood, the same one for both.
    removed = tidy(service, LATER)
    assert removed == {"sessions": 1, "answers": 1, "exports": 2, "chats": 2}
    entry = service.audit.entries(1)[0]
    assert (entry.who, entry.via, entry.action, entry.detail) == ("segassist", "schedule", "tidied", removed)
    assert not list(folder.rglob("members.csv"))
    assert client.get("/v1/exports").json() == []
    assert client.get(f"/v1/exports/{first['id']}").status_code == 404
    assert client.get(f"/v1/conversations/{hidden}").status_code == 404
    for kept in (asked, named, linked):
        assert client.get(f"/v1/conversations/{kept}").status_code == 200
    assert {asked, "h-spring"} == {one["id"] for one in client.get("/v1/conversations").json()}
    assert [segment["name"] for segment in client.get("/v1/segments").json()] == ["Beer"]
    assert client.get("/v1/me").json()["name"] == "ada", "a key of a program does not end"
    assert tidy(service, LATER) == {}
    again = client.post("/v1/segments", json={"definition": BEER, "name": "Beer"}, headers=saved)
    assert "idempotency-replayed" not in again.headers
    assert service.audit.verify().breaks == ()


def test_nothing_is_removed_that_cannot_be_written_down(service, key, monkeypatch):
    service.users.new_session("ada", timedelta(hours=1))

    def broken(*_args, **_more):
        raise StorageError("The audit log cannot be used.")

    with monkeypatch.context() as patched:
        patched.setattr(service.audit, "write", broken)
        with pytest.raises(StorageError, match="audit log"):
            tidy(service, LATER)
    assert service.users.ended(LATER) == 1


def test_one_of_many_processes_takes_what_is_due(where):  # noqa: F811
    schedules = [Schedule(Database(where)) for _ in range(6)]
    barrier, took = threading.Barrier(6), []

    def take(schedule):
        barrier.wait()
        took.append(schedule.take("tidy", timedelta(hours=1), NOW))

    threads = [threading.Thread(target=take, args=(schedule,)) for schedule in schedules]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(took) == [False] * 5 + [True]
    first, other = schedules[:2]
    assert not other.take("tidy", timedelta(hours=1), NOW + timedelta(minutes=59))
    assert other.take("another", timedelta(hours=1), NOW)
    assert other.take("tidy", timedelta(hours=1), NOW + timedelta(hours=1))
    assert not first.take("tidy", timedelta(hours=1), NOW + timedelta(hours=1))
    assert first.take("tidy", timedelta(hours=1), NOW - timedelta(days=1)), "a clock that was set back"


def test_a_session_ends_with_the_key_it_was_begun_with(service, key):
    users = service.users
    key_id, second = users.caller(key).key, users.new_key("ada")
    session = users.new_session("ada", timedelta(hours=1), key_id)
    other = users.new_session("ada", timedelta(hours=1), users.caller(second).key)
    with pytest.raises(UnauthenticatedError, match="begins no other one"):
        users.new_session("ada", timedelta(hours=1), users.caller(session).key)
    users.revoke_key(key_id)
    with pytest.raises(UnauthenticatedError):
        users.caller(session)
    assert users.caller(other).name == "ada"


def test_a_browser_signs_in_and_out_in_the_log_before_it_has_its_session(service, key, monkeypatch):
    with TestClient(create_api(service), follow_redirects=False) as browser:
        assert browser.post("/signin", data={"key": key}).status_code == 303
        assert browser.get("/v1/me").status_code == 200
        browser.post("/signin", data={"key": browser.cookies["segassist"]})
        assert browser.get("/v1/me").status_code == 200
        assert browser.post("/signout").status_code == 303
        assert next((e.who, e.via, e.action) for e in service.audit.entries() if "sign" in e.action) == (
            "ada",
            "page",
            "sign_in",
        )
        assert service.audit.entries(1)[0].action == "sign_out"

        def broken(*_args, **_more):
            raise StorageError("The audit log cannot be used.")

        before = service.users.ended(LATER)
        monkeypatch.setattr(service.audit, "write", broken)
        assert browser.post("/signin", data={"key": key}).status_code == 503
        assert service.users.ended(LATER) == before, "no session without its entry"


def test_conversations_are_idle_from_their_last_change_on(service, client, model):
    model.replies += ["define_segment"]
    hidden = chat(client, "who bought beer?")
    kept = Conversations(service.rooms.workspace.conversations)
    try:
        assert kept.idle_copies(NOW - timedelta(minutes=5)) == []
        found = kept.idle_copies(datetime.now(UTC) + timedelta(minutes=5))
        assert f"ada:{hidden}" in found
        assert len(found) == 2
    finally:
        kept.close()
