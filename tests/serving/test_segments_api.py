"""Saved segments over HTTP: versions, tags, pages, and writes that are sent twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.usefixtures("tidy")

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
LOYAL = {"feature": "orders_90d", "op": ">=", "value": 5}


def put(client, name, definition, **headers):
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return client.put(f"/v1/segments/{name}", json={"definition": definition}, headers=named)


def test_a_segment_has_its_versions(client):
    tags = [put(client, "history", definition).headers["etag"] for definition in (BEER, LOYAL, LOYAL)]
    assert tags[0] != tags[1] == tags[2]
    found = client.get("/v1/segments/history")
    assert found.headers["etag"] == tags[1]
    body = found.json()
    assert (body["version"], body["definition"]) == (2, LOYAL)
    assert [v["version"] for v in body["versions"]] == [2, 1]
    old = client.get("/v1/segments/history", params={"version": 1})
    assert old.json()["definition"] == BEER
    assert old.headers["etag"] == tags[0]
    page = client.get("/v1/segments/history", params={"offset": 1, "limit": 1})
    assert (page.headers["x-total-count"], found.headers["x-total-count"]) == ("2", "2")
    assert (page.json()["version"], [v["version"] for v in page.json()["versions"]]) == (2, [1])
    missing = client.get("/v1/segments/history", params={"version": 3})
    assert missing.status_code == 404
    assert "newest is 2" in missing.json()["detail"]


def test_what_has_not_changed_is_not_sent_again(client):
    tag = put(client, "cached", BEER).headers["etag"]
    again = client.get("/v1/segments/cached", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    put(client, "cached", LOYAL)
    assert client.get("/v1/segments/cached", headers={"if-none-match": tag}).status_code == 200


def test_a_change_over_what_was_not_seen_is_refused(client):
    tag = put(client, "shared", BEER).headers["etag"]
    assert put(client, "shared", LOYAL, if_match=tag).status_code == 200
    late = put(client, "shared", {"not": BEER}, if_match=tag)
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert "is at version 2" in late.json()["detail"]
    assert client.get("/v1/segments/shared").json()["definition"] == LOYAL
    assert client.delete("/v1/segments/shared", headers={"if-match": tag}).status_code == 412
    new = client.get("/v1/segments/shared").headers["etag"]
    assert client.delete("/v1/segments/shared", headers={"if-match": new}).status_code == 204
    gone = put(client, "shared", BEER, if_match=new)
    assert (gone.status_code, "not there any more" in gone.json()["detail"]) == (412, True)


def test_a_star_matches_whatever_is_there(client):
    assert put(client, "star", BEER, if_match="*").status_code == 412
    put(client, "star", BEER)
    assert put(client, "star", LOYAL, if_match="*").status_code == 200


def test_of_two_who_change_the_same_version_one_is_refused(client):
    tag = put(client, "race", BEER).headers["etag"]
    definitions = [LOYAL | {"value": value} for value in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda d: put(client, "race", d, if_match=tag).status_code, definitions))
    assert answers.count(200) == 1
    assert set(answers) <= {200, 409, 412, 503}
    assert client.get("/v1/segments/race").json()["version"] == 2


def test_segments_come_in_pages(client):
    for number in range(5):
        put(client, f"page {number}", BEER)
    everything = client.get("/v1/segments")
    total = int(everything.headers["x-total-count"])
    assert len(everything.json()) == total >= 5
    pages = [
        client.get("/v1/segments", params={"offset": at, "limit": 2}).json() for at in range(0, total, 2)
    ]
    assert [s for page in pages for s in page] == everything.json()


def test_members_come_in_pages(client):
    def page(offset):
        body = {"definition": BEER, "offset": offset, "limit": 500}
        return client.post("/v1/segments/members", json=body).json()

    first, second, third = page(0), page(500), page(1000)
    assert (first["next"], second["next"], third["next"]) == (500, 1000, None)
    members = first["members"] + second["members"] + third["members"]
    assert len(members) == len(set(members)) == first["total"] == 1298
    assert page(5000) == first | {"members": [], "next": None}


def test_scores_come_likeliest_first(client):
    body = {"definition": BEER, "outcome": "purchase_30d", "limit": 20}
    found = client.post("/v1/propensity/scores", json=body).json()
    scores = [row["probability"] for row in found["scores"]]
    assert scores == sorted(scores, reverse=True)
    assert (len(scores), found["total"], found["next"]) == (20, 1298, 20)
    assert all(0 <= score <= 1 for score in scores)
    unknown = client.post("/v1/propensity/scores", json=body | {"outcome": "world_peace"})
    assert unknown.status_code == 404


def test_overlap_counts_every_two(client):
    matrix = client.post("/v1/segments/overlap", json={"definitions": [BEER, LOYAL, {"not": BEER}]}).json()
    (a, ab, no), (ba, b, _), (_, _, rest) = matrix["customers"]
    assert a == 1298
    assert ab == ba <= min(a, b)
    assert no == 0
    assert a + rest == 2469


@pytest.mark.parametrize("tool", ["profile_segment", "recommend_products", "show_segment"])
def test_a_tool_answers_with_evidence(client, tool):
    found = client.post(f"/v1/tools/{tool}", json={"definition": BEER})
    assert found.status_code == 200, found.text[:300]
    assert found.json()["evidence"][0]["figures"]
    assert found.json()["definition"] == BEER


def test_the_tools_say_what_they_take(client):
    found = {tool["name"]: tool for tool in client.get("/v1/tools").json()}
    assert found["plan_strategy"]["permission"] == "read"
    assert set(found["compare_segments"]["arguments"]["required"]) == {"definition", "other", "name"}


def test_the_catalogue_has_the_values_that_definitions_use(client):
    assert "BEERS/ALES" in client.get("/v1/values").json()["category"]


# Idempotency


def test_a_write_sent_twice_is_done_once(client):
    key = {"idempotency-key": "once-1"}
    body = {"name": "once", "definition": BEER}
    first = client.post("/v1/segments", json=body, headers=key)
    put(client, "once", LOYAL)
    again = client.post("/v1/segments", json=body, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get("/v1/segments/once").json()["version"] == 2
    assert client.post("/v1/segments", json=body).json()["version"] == 3


def test_a_question_sent_twice_is_asked_once(client, model):
    model.replies.append("define_segment")
    key = {"idempotency-key": "asked-1"}
    body = {"question": "who bought beer?", "conversation": "asked-once"}
    first = client.post("/v1/ask", json=body, headers=key)
    again = client.post("/v1/ask", json=body, headers=key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(client.get("/v1/conversations/asked-once").json()["turns"]) == 1


def test_a_key_is_for_one_request(client):
    key = {"idempotency-key": "once-2"}
    client.post("/v1/segments", json={"name": "other", "definition": BEER}, headers=key)
    another = client.post("/v1/segments", json={"name": "other", "definition": LOYAL}, headers=key)
    assert (another.status_code, another.json()["code"]) == (409, "conflict")
    assert "used for another request" in another.json()["detail"]


def test_a_write_that_failed_may_be_tried_again(client):
    key = {"idempotency-key": "once-3"}
    broken = client.post("/v1/segments", json={"name": "later", "definition": {"all_of": 1}}, headers=key)
    assert broken.status_code == 422
    mended = client.post("/v1/segments", json={"name": "later", "definition": BEER}, headers=key)
    assert mended.status_code == 201


def test_of_many_that_are_sent_at_once_one_is_done(client):
    key = {"idempotency-key": "once-4"}
    body = {"definition": LOYAL | {"value": 3}}
    client.delete("/v1/segments/at-once")
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda _: client.put("/v1/segments/at-once", json=body, headers=key), range(6))
        )
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    assert client.get("/v1/segments/at-once").json()["version"] == 1


# Operation


def test_metrics_count_requests_by_their_route(client):
    client.get("/v1/segments/no-such-thing")
    text = client.get("/metrics").text
    assert 'segassist_requests_total{method="GET",route="/v1/segments/{name:path}",status="404"}' in text
    assert "no-such-thing" not in text
    assert "segassist_request_seconds_bucket" in text


def test_readiness_names_the_part_that_is_missing(make_workspace, tmp_path):
    from fastapi.testclient import TestClient

    from serving.http.api import create_api
    from serving.service import Service

    service = Service.open(make_workspace(tmp_path / "w"))
    down = {"language model": "The language model does not answer; start it again."}
    with TestClient(create_api(service, lambda: down), base_url="http://localhost") as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "parts": {"warehouse": "ok", "segments": "ok", "users": "ok", "audit": "ok"} | down,
    }


def test_the_documentation_needs_no_other_site(client):
    import re

    page = client.get("/docs").text
    links = re.findall(r'(?:src|href)="([^"]+)"', page) + re.findall(r"url: '([^']+)'", page)
    assert links
    assert all(link.startswith("/") for link in links)
    for link in links:
        assert client.get(link).status_code == 200
    assert "swagger" in client.get(next(link for link in links if link.endswith(".js"))).text[:5000].lower()


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de;q=x, ;;", "en"),
        ("", "en"),
    ],
)
def test_what_is_wrong_with_a_definition_is_said_in_the_language_asked_for(client, wanted, language):
    body = {"definition": {"feature": "orders_90", "op": ">=", "value": 5}}
    answer = client.post("/v1/segments/preview", json=body, headers={"accept-language": wanted})
    assert (answer.status_code, answer.headers["content-language"]) == (422, language)
    said = {"en": "did you mean orders_90d", "zh": "您是指orders_90d"}[language]
    assert said in answer.json()["detail"]
    assert answer.json()["issues"] == [answer.json()["detail"]]


def test_what_is_not_there_is_said_in_the_language_asked_for(client):
    chinese = client.get("/v1/segments/Nobody", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert (chinese.status_code, chinese.headers["content-language"]) == (404, "zh")
    assert chinese.json()["detail"].startswith("没有名为“Nobody”的已保存分群")
    english = client.get("/v1/segments/Nobody")
    assert "No saved segment is named 'Nobody'" in english.json()["detail"]
