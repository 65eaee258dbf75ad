"""The typed client against the real server."""

import httpx
import pytest

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
    typed.call("assign_holdout", definition=BEER, name="spring")
    assert [test.name for test in typed.experiments()] == ["spring"]
    assert typed.experiment("spring").content["contact"] > 0


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
    assert "purchase_30d" in {card["outcome"] for card in typed.models()}
    assert "define_segment" in {tool.name for tool in typed.tools()}
    assert (typed.me().role, typed.ready().ready) == ("admin", True)


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
