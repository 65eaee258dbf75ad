"""HTTP's own rules, on the server that has the page too: methods, ranges, conditions, kinds of bodies, events, CORS."""

import time

import httpx
import pytest
from fastapi.testclient import TestClient

from serving.client import Client
from serving.http import events
from serving.http.api import create_api
from serving.service import Service
from tests.serving.test_api import problem

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
LOYAL = {"feature": "orders_90d", "op": ">=", "value": 5}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("OPTIONS", "/v1/me", "GET, HEAD"),
        ("TRACE", "/v1/segments", "GET, HEAD, POST"),
        ("PATCH", "/v1/segments", "GET, HEAD, POST"),
        ("PATCH", "/v1/segments/any", "DELETE, GET, HEAD, PUT"),
        ("HEAD", "/v1/ask", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("DELETE", "/metrics", "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_has_not_is_told_with_those_it_has(client, method, path, allowed):
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    if method != "HEAD":
        problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/v1", "/v1/nothing", "/v1/a/b", "/healthz/x", "/mcp/x"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PATCH"])
def test_where_programs_ask_the_page_answers_nothing(client, method, path):
    problem(client.request(method, path), 404, "not_found")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/segments", "/v1/features", "/openapi.json"])
def test_head_answers_as_get_without_the_body(client, path):
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    told = ("content-type", "content-length", "x-total-count")
    assert [head.headers.get(name) for name in told] == [get.headers.get(name) for name in told]


def test_what_http_itself_refuses_is_said_in_chinese_too(client):
    chinese = {"accept-language": "zh"}
    for answer, said in (
        (client.patch("/v1/segments", headers=chinese), "不支持这个方法"),
        (client.get("/v1/nothing", headers=chinese), "没有内容"),
        (client.get("/v1/segments/a%0Ab", headers=chinese), "没有"),
        (
            client.post("/v1/ask", content=b"x", headers=chinese | {"content-type": "text/plain"}),
            "application/json",
        ),
        (
            client.post(
                "/v1/ask", content=b"\xff\xfe{", headers=chinese | {"content-type": "application/json"}
            ),
            "请",
        ),
    ):
        assert said in answer.json()["detail"], answer.text
        assert answer.headers["content-language"] == "zh"


def test_a_body_that_is_no_json_is_told_so(client):
    answer = client.post("/v1/ask", content=b'{"question": "x"}', headers={"content-type": "text/plain"})
    problem(answer, 415, "unsupported_media_type")


def test_a_field_that_is_not_known_is_named(client):
    answer = client.post("/v1/segments/preview", json={"definition": BEER, "nmae": "x"})
    assert "body.nmae" in problem(answer, 422, "bad_request")["detail"]


@pytest.mark.parametrize("asked", ["bytes=99999999-", "lines=1-2", "bytes=0-3"])
def test_a_file_comes_whole_whatever_range_is_asked_for(server, client, asked):
    with Client(server) as typed:
        job = typed.wait_for(typed.export(BEER, "ranges"), 60)
    answer = client.get(str(job.file), headers={"range": asked})
    assert answer.status_code == 200
    assert answer.text.startswith("customer\n")
    assert answer.headers["accept-ranges"] == "none"


def test_conditions_name_versions_in_every_way_that_http_has(client):
    path = "/v1/segments/conditions"
    client.delete(path)
    new = {"if-none-match": "*"}
    tag = client.put(path, json={"definition": BEER}, headers=new).headers["etag"]
    try:
        problem(client.put(path, json={"definition": LOYAL}, headers=new), 412, "precondition_failed")
        for seen in (tag, f"W/{tag}", f'"x", {tag}', f'W/"x",W/{tag}', "*"):
            assert client.get(path, headers={"if-none-match": seen}).status_code == 304, seen
        for seen in ('"x"', 'W/"x", "y"'):
            assert client.get(path, headers={"if-none-match": seen}).status_code == 200, seen
        others = client.put(path, json={"definition": LOYAL}, headers={"if-match": '"x", "y"'})
        problem(others, 412, "precondition_failed")
        listed = {"if-match": f'"x", {tag}'}
        assert client.put(path, json={"definition": LOYAL}, headers=listed).status_code == 200
    finally:
        client.delete(path)


def test_a_stream_that_is_quiet_is_kept_open_and_passes_proxies(client, scripted, model, monkeypatch):
    monkeypatch.setattr(events, "QUIET_SECONDS", 0.05)
    answering = scripted.json

    def slowly(messages, schema):
        time.sleep(0.5)
        return answering(messages, schema)

    monkeypatch.setattr(scripted, "json", slowly)
    model.replies.append("define_segment")
    answer = client.post("/v1/ask/stream", json={"question": "who bought beer in the last 30 days?"})
    assert events.ALIVE in answer.text
    assert "event: answer" in answer.text
    assert answer.headers["x-accel-buffering"] == "no"
    assert "no-cache" in answer.headers["cache-control"]


# Browsers


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://{host}"},
        {"origin": "https://evil.example"},
    ],
)
def test_a_session_changes_nothing_for_a_page_that_is_not_ours(guarded, headers):
    host = guarded.url.removeprefix("http://")
    asked = {name: value.format(host=host) for name, value in headers.items()}
    with httpx.Client(base_url=guarded.url) as browser:
        browser.post("/signin", data={"key": guarded.keys["marketer"]})
        body = {"name": "csrf", "definition": BEER}
        problem(browser.post("/v1/segments", json=body, headers=asked), 403, "forbidden")
        ours = {"origin": guarded.url, "sec-fetch-site": "same-origin"}
        assert browser.post("/v1/segments", json=body, headers=ours).status_code == 201
        assert browser.delete("/v1/segments/csrf", headers=ours).status_code == 204


def test_pages_and_answers_with_a_session_are_not_kept_by_browsers(guarded):
    signed = httpx.post(f"{guarded.url}/signin", data={"key": guarded.keys["viewer"]})
    assert signed.headers["cache-control"] == "no-store"
    page = httpx.get(guarded.url, cookies=dict(signed.cookies))
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-store"


def test_a_named_origin_reads_what_it_needs_and_calls_with_a_key_alone(make_workspace, tmp_path):
    from serving.access import Role

    shop = "https://shop.example"
    service = Service.open(make_workspace(tmp_path / "w", f'cors_origins = ["{shop}"]\n'))
    key = service.users.add("ada", Role.marketer)
    asked = {"origin": shop, "access-control-request-method": "PUT"}
    with TestClient(create_api(service)) as client:
        right = client.options("/v1/segments/x", headers=asked)
        assert (right.status_code, right.headers["access-control-allow-origin"]) == (200, shop)
        refused = client.options("/v1/segments/x", headers=asked | {"origin": "https://evil.example"})
        problem(refused, 403, "forbidden")
        unknown = client.get("/v1/me", headers={"origin": shop})
        assert (unknown.status_code, unknown.headers["access-control-allow-origin"]) == (401, shop)
        for answer in (right, refused, unknown):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-request-id"]
        shown = unknown.headers["access-control-expose-headers"]
        for name in ("Location", "Idempotency-Replayed", "Content-Disposition", "ETag", "X-Total-Count"):
            assert name in shown
        body = {"name": "cors", "definition": BEER}
        keyed = {"origin": shop, "authorization": f"Bearer {key}", "sec-fetch-site": "cross-site"}
        assert client.post("/v1/segments", json=body, headers=keyed).status_code == 201
        by_cookie = client.post(
            "/v1/segments", json=body, headers={"origin": shop, "cookie": f"segassist={key}"}
        )
        problem(by_cookie, 403, "forbidden")
