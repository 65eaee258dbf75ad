"""The log in JSON lines: each request with its id, errors by where they arose, and nothing that was asked."""

import io
import json
import logging

import httpx
import pytest
from fastapi.testclient import TestClient

from segments.errors import OperatorError, StorageError
from serving import logs
from serving.http.api import create_api
from serving.service import Service

SECRET = "ada lovelace, 12 Primrose Hill"


@pytest.fixture
def log(monkeypatch):
    """What the process writes while the log is JSON; the loggers are as before afterwards."""
    written, root, access = io.StringIO(), logging.getLogger(), logging.getLogger(logs.ACCESS)
    before = root.handlers[:], root.level, access.level
    monkeypatch.setenv(logs.VARIABLE, "json")
    monkeypatch.setattr("sys.stderr", written)
    assert logs.start_logging()
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:], root.level = before[0], before[1]
    access.setLevel(before[2])


@pytest.fixture
def client(make_workspace, scripted, tmp_path):
    api = create_api(Service.open(make_workspace(tmp_path / "w"), scripted))

    @api.get("/v1/broken/{name}")
    def broken(name: str) -> None:
        raise ValueError(f"cannot read {name}")

    api.router.routes.insert(0, api.router.routes.pop())
    return TestClient(api, base_url="http://localhost")


def test_a_users_500_leads_to_its_line(client, log):
    answer = client.get(f"/v1/broken/{SECRET}")
    asked = answer.headers["x-request-id"]
    assert (answer.status_code, answer.json()["request_id"]) == (500, asked)
    failed, request = (line for line in log() if line.get("request_id") == asked)
    assert (failed["level"], failed["error"]["type"]) == ("error", "ValueError")
    assert any("broken" in place for place in failed["error"]["at"])
    assert (request["route"], request["status"]) == ("/v1/broken/{name}", 500)
    assert request["seconds"] >= 0
    assert "cannot read" not in json.dumps(log())
    assert SECRET not in json.dumps(log())


def test_an_id_that_a_proxy_gives_is_kept_where_it_can_be_one(client, log):
    def given(value):
        return client.get("/healthz", headers={"X-Request-ID": value}).headers["x-request-id"]

    assert given("proxy-7.a_b") == "proxy-7.a_b"
    for odd in ("", "a b", "x" * 65, 'a"b'):
        assert given(odd) != odd
    assert next(line["request_id"] for line in log()) == "proxy-7.a_b"
    assert len({line["request_id"] for line in log()}) == 5


def test_no_question_is_in_the_log(client, log):
    client.post("/v1/ask", json={"question": SECRET, "conversation": "no such name"})
    client.get("/v1/me", headers={"authorization": f"Bearer {SECRET}"})
    assert [line["status"] for line in log()] == [422, 200]
    assert SECRET not in json.dumps(log())


def test_an_error_of_ours_is_told_with_its_cause(log):
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise StorageError("The disk is full.", "磁盘已满。") from error
    except StorageError:
        logging.getLogger("test").exception("failed")
    (line,) = log()
    assert line["error"]["message"] == "The disk is full."
    assert line["error"]["cause"]["type"] == "ValueError"
    assert SECRET not in json.dumps(line)
    assert "request_id" not in line


def test_the_log_is_text_unless_json_is_asked_for(monkeypatch):
    monkeypatch.delenv(logs.VARIABLE, raising=False)
    assert not logs.start_logging()
    monkeypatch.setenv(logs.VARIABLE, "xml")
    with pytest.raises(OperatorError, match="SEGASSIST_LOG: must be text or json; got 'xml'"):
        logs.start_logging()


def test_problems_of_the_guard_have_the_id_too(guarded):
    answer = httpx.get(f"{guarded.url}/v1/me")
    assert answer.status_code == 401
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
