"""The typed client against the real server."""

import inspect
import re
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from pydantic import ValidationError

from serving.client import ApiError, Client

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
LOYAL = {"feature": "orders_90d", "op": ">=", "value": 5}


@pytest.fixture(scope="module")
def typed(server):
    with Client(server) as opened:
        yield opened


def test_a_question_and_its_members(typed, model):
    model.replies.append("define_segment")
    answer = typed.ask("who bought beer?")
    assert answer.segment is not None
    assert answer.segment.size == 1298
    members = list(typed.members(answer.segment.definition))
    assert len(members) == len(set(members)) == 1298
    assert [turn.question for turn in typed.conversation(answer.conversation).turns] == ["who bought beer?"]


def test_a_turn_is_streamed(typed, model):
    model.replies.append("define_segment")
    found = list(typed.stream("who bought beer?"))
    assert [event for event, _ in found] == ["step"] * 5 + ["answer"]
    assert found[-1][1]["segment"]["size"] == 1298


def test_segments_are_saved_changed_and_deleted(typed):
    saved = typed.save("a/b & c", BEER)
    assert (saved.name, saved.version) == ("a/b & c", 1)
    seen = typed.segment("a/b & c")
    assert seen.definition == BEER
    assert typed.save("a/b & c", LOYAL, over=seen).version == 2
    with pytest.raises(ApiError, match="is at version 2") as caught:
        typed.save("a/b & c", {"not": BEER}, over=seen)
    assert (caught.value.status, caught.value.code) == (412, "precondition_failed")
    assert typed.segment("a/b & c", version=1).definition == BEER
    assert "a/b & c" in {segment.name for segment in typed.segments()}
    typed.delete("a/b & c", over=typed.segment("a/b & c"))
    with pytest.raises(ApiError, match="not_found"):
        typed.segment("a/b & c")


def test_plans_are_saved_and_changed_and_experiments_listed(typed):
    saved = typed.save_plan("a/b & c", LOYAL, budget=300)
    assert (saved.version, [plan.name for plan in typed.plans()]) == (1, ["a/b & c"])
    assert typed.save_plan("a/b & c", BEER, goal="cross_sell", over=saved).version == 2
    with pytest.raises(ApiError, match="Plan 'a/b & c' is at version 2"):
        typed.save_plan("a/b & c", LOYAL, over=saved)
    assert typed.plan("a/b & c", version=1).content["budget"] == 300
    assert typed.plan_words("a/b & c").startswith("## Strategy: ")
    assert typed.plan_words("a/b & c", "zh", html=True).startswith("<!doctype html>")
    typed.call("assign_holdout", definition=BEER, name="spring")
    assert [test.name for test in typed.experiments()] == ["spring"]
    sizes = typed.experiment("spring").content
    assert len(typed.experiment_customers("spring", "holdout")) == sizes["holdout"] > 0
    assert {one.arm for one in typed.experiment_customers("spring")} == {"contact", "holdout"}
    beer = set(typed.members(BEER))
    planned = typed.plan_customers("a/b & c")
    assert {one.customer for one in planned} < beer
    assert all(one.tier and one.offer for one in planned)
    with pytest.raises(ApiError, match="precondition_failed"):
        typed.delete_plan("a/b & c", over=saved)
    typed.delete_plan("a/b & c")
    assert typed.plans() == []


def test_tools_scores_and_catalogue(typed):
    assert typed.preview(BEER).size == 1298
    assert typed.overlap([BEER, LOYAL])[0][0] == 1298
    alike = typed.call("find_lookalikes", definition=BEER, top=25)
    assert alike.definition == {"similar_to": {"segment": BEER}, "top": 25}
    scores = list(typed.scores(BEER, "purchase_30d"))
    assert len(scores) == 1298
    assert scores[0][1] >= scores[-1][1]
    one = typed.score(scores[0][0], "purchase_30d")
    assert (one.probability, one.outcome) == (pytest.approx(scores[0][1]), "purchase_30d")
    assert one.drivers
    assert "orders_90d" in {feature.name for feature in typed.features()}
    assert "purchase_30d" in {card.outcome for card in typed.models()}
    assert "BEERS/ALES" in typed.values()["category"]
    assert "define_segment" in {tool.name for tool in typed.tools()}
    assert (typed.me().role, typed.ready().ready) == ("admin", True)


NOT_OURS = {
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{model}"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/segments"),
}
"""For Prometheus, load balancers and clients of the OpenAI protocol; and saving by POST, which `save` does by PUT."""


def test_the_client_has_a_method_for_every_call_of_the_api(server):
    called: set[tuple[str, str]] = set()
    keyed: set[tuple[str, str]] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.method, request.url.raw_path.decode().partition("?")[0]
        called.add(asked)
        if "idempotency-key" in request.headers:
            keyed.add(asked)
        return httpx.Response(404, json={"code": "not_found", "detail": "a stand-in answers nothing"})

    given = {"definition": BEER, "definitions": [BEER, BEER], "which": "left", "earlier": date(2017, 10, 1)}
    given |= {
        "job": SimpleNamespace(id="j"),
        "path": Path("/nowhere"),
        "tool": "profile_segment",
        "outcome": "o",
    }
    with Client("http://stand-in", transport=httpx.MockTransport(answer)) as client:
        for name, method in inspect.getmembers(client, inspect.ismethod):
            if name.startswith("_") or name == "close":
                continue
            needed = inspect.signature(method).parameters.values()
            needed = [p for p in needed if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
            with suppress(ApiError, ValidationError):
                found = method(*(given.get(p.name, "x") for p in needed))
                list(found if inspect.isgenerator(found) else ())
    paths = httpx.get(f"{server}/openapi.json", timeout=30).json()["paths"]
    offered = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    plain = {
        (method, path)
        for method, path in offered
        for asked, where in called
        if asked == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), where)
    }
    missing = {(method, path) for method, path in offered - plain if not path.startswith("/v1/tools/")}
    assert missing == NOT_OURS
    assert {("DELETE", f"/v1/{kind}/x") for kind in ("segments", "plans", "experiments")} <= keyed


def test_the_whole_audit_log_is_read_page_by_page(guarded, monkeypatch):
    monkeypatch.setattr("serving.client.AUDIT_PAGE", 3)
    with Client(guarded.url, guarded.keys["admin"]) as admin:
        for _ in range(7):
            admin.call("list_segments")
        read = list(admin.audit())
    kept = guarded.service.audit.entries()
    assert [entry.seq for entry in read] == [entry.seq for entry in reversed(kept)]
    assert len(read) >= 7


def test_every_mistake_in_a_definition_comes_along(typed):
    with pytest.raises(ApiError) as caught:
        typed.preview({"all_of": [LOYAL | {"feature": "shoe_size"}, LOYAL | {"value": "many"}]})
    assert (caught.value.code, len(caught.value.issues)) == ("invalid_definition", 2)


def test_a_key_that_does_not_hold_is_told(guarded):
    with Client(guarded.url, "sga_no_no") as stranger, pytest.raises(ApiError, match="unauthenticated"):
        stranger.me()
    with Client(guarded.url, guarded.keys["viewer"]) as viewer:
        assert viewer.me().role == "viewer"
        with pytest.raises(ApiError, match="viewer") as caught:
            list(viewer.stream("who bought beer?"))
    assert caught.value.code == "forbidden"


def test_an_answer_that_is_no_problem_is_still_an_error():
    gateway = httpx.MockTransport(lambda _request: httpx.Response(502, text="<h1>Bad gateway</h1>"))
    with (
        Client("http://elsewhere", transport=gateway) as client,
        pytest.raises(ApiError, match="Bad gateway"),
    ):
        client.me()
