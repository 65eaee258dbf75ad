"""Answers that are kept for an Idempotency-Key: of changes alone, for those who may ask, and written down."""

import time

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from serving.access import Role
from serving.http.api import create_api
from serving.service import Service

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
KEYED = {"idempotency-key": "once"}


@pytest.fixture
def shop(make_workspace, tmp_path):
    """A service with one analyst, and a client of theirs."""
    service = Service.open(make_workspace(tmp_path / "w"))
    key = service.users.add("ada", Role.analyst)
    with TestClient(create_api(service), headers={"authorization": f"Bearer {key}"}) as client:
        yield service, client


def lower(service: Service, role: Role) -> None:
    with service.rooms.state.write() as connection:
        connection.execute(text("UPDATE users SET role = :role"), {"role": int(role)})


def kept(service: Service) -> int:
    with service.rooms.state.read() as connection:
        return connection.execute(text("SELECT count(*) FROM idempotent_answers")).scalar_one()


READS = {
    "members": ("POST", "/v1/segments/members", {"definition": BEER, "limit": 3}),
    "movers": (
        "POST",
        "/v1/segments/diff/members",
        {"definition": BEER, "earlier": "2017-10-01", "which": "left", "limit": 3},
    ),
    "suspicious customers": ("POST", "/v1/tools/export_anomalies", {}),
    "a list": ("GET", "/v1/exports", None),
}


@pytest.mark.parametrize("what", READS)
def test_what_is_only_read_is_never_kept(shop, what):
    """A key in the header of a read changes nothing: no answer is kept, and none is given again to a lower role."""
    service, client = shop
    method, path, body = READS[what]
    first, second = (client.request(method, path, json=body, headers=KEYED) for _ in range(2))
    assert first.status_code == second.status_code == 200, first.text[:300]
    assert first.headers.get("x-total-count") == second.headers.get("x-total-count")
    assert kept(service) == 0
    lower(service, Role.marketer)
    assert client.request(method, path, json=body, headers=KEYED).status_code == 403
    assert service.audit.entries(1)[0].action == "denied"


def test_a_kept_answer_is_given_to_those_alone_who_may_still_ask(shop):
    service, client = shop
    body = {"name": "once", "definition": BEER}

    def save():
        return client.post("/v1/segments", json=body, headers=KEYED)

    assert save().status_code == 201
    again = save()
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    entry = service.audit.entries(1)[0]
    assert (entry.action, entry.who, entry.detail) == ("answered again", "ada", {"of": "POST /v1/segments"})
    lower(service, Role.marketer)  # who may save, but another answer may be theirs
    assert (save().status_code, save().json()["code"]) == (409, "conflict")
    lower(service, Role.viewer)
    assert save().status_code == 403
    assert service.audit.entries(1)[0].action == "denied"


def test_what_is_kept_is_what_the_document_says_takes_a_key_and_changes_something(shop):
    _, client = shop
    paths = client.get("/openapi.json").json()["paths"]
    taking = {
        (method.upper(), path)
        for path, methods in paths.items()
        for method, told in methods.items()
        if any(p["name"] == "Idempotency-Key" for p in told.get("parameters", ()))
    }
    assert not {(method, path) for method, path in taking if method == "GET"}
    assert not {(method, path) for method, path, _ in READS.values()} & taking
    assert {("POST", "/v1/tools/save_segment"), ("POST", "/v1/exports"), ("POST", "/v1/ask")} <= taking
    assert ("POST", "/v1/tools/define_segment") not in taking


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/ask/stream", {"question": "who bought beer?"}),
        (
            "POST",
            "/v1/chat/completions",
            {"model": "segment-assistant", "messages": [{"role": "user", "content": "x"}]},
        ),
        ("POST", "/v1/conversations/mine/share", None),
        ("DELETE", "/v1/conversations/mine/share", None),
    ],
)
def test_where_no_answer_can_be_kept_a_key_is_refused(shop, method, path, body):
    _, client = shop
    answer = client.request(method, path, json=body, headers=KEYED)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "Idempotency-Key: is not taken here" in answer.json()["detail"]


def test_a_file_is_fetched_with_a_key_in_the_header_too(shop):
    service, client = shop
    job = client.post("/v1/exports", json={"definition": BEER, "name": "beer"}).json()
    while client.get(f"/v1/exports/{job['id']}").json()["state"] in ("queued", "running"):
        time.sleep(0.05)
    for _ in range(2):
        assert client.get(f"/v1/exports/{job['id']}/file", headers=KEYED).text.startswith("customer\n")
    assert [e.action for e in service.audit.entries(2)] == ["download", "download"]
