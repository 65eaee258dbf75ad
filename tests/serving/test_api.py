"""The HTTP API over the demo workspace: what each endpoint answers, and what every mistake gets back."""

import json
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from segments.errors import LLMUnavailableError, ModelRetryError

ROOT = Path(__file__).parents[2]
LOYAL = {"feature": "orders_90d", "op": ">=", "value": 5}
BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
NOBODY = {"feature": "orders_90d", "op": ">", "value": 1_000_000}
EVERYONE = {"all_of": []}
SEGMENT_KEYS = {"name", "definition", "hash", "size", "reachable", "sql", "words", "estimate"}
ANSWER_KEYS = {
    "question",
    "answer",
    "language",
    "tool_calls",
    "segment",
    "evidence",
    "clarification",
    "refused",
    "confidence",
    "follow_ups",
    "timings",
    "conversation",
    "turn",
}
ANY, FIND, REFINE = "", "define_segment", "refine_segment"
INJECTION = "'; DROP TABLE segment_versions; DROP TABLE events; --"


def preview(client, definition):
    return client.post("/v1/segments/preview", json={"definition": definition})


def save(client, name, definition):
    return client.post("/v1/segments", json={"name": name, "definition": definition})


def saved(client) -> dict:
    return {segment["name"]: segment for segment in client.get("/v1/segments").json()}


def delete(client, name):
    return client.delete(f"/v1/segments/{quote(name, safe='')}")


def ask(client, question, conversation=None):
    return client.post("/v1/ask", json={"question": question, "conversation": conversation})


def problem(response, status, code) -> dict:
    """The body, which must be RFC 9457 problem details with this status and code."""
    assert response.status_code == status, response.text[:300]
    assert response.headers["content-type"].split(";")[0] == "application/problem+json", response.text[:300]
    body = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"]
    assert body["title"]
    assert body["detail"]
    return body


def events(client, body) -> list[tuple[str, dict]]:
    """(event, data) of a streamed answer."""
    with client.stream("POST", "/v1/ask/stream", json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        blocks = "".join(response.iter_text()).strip().split("\n\n")
    found = []
    for block in blocks:
        name, data = block.split("\n", 1)
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


# What each endpoint answers


def test_health_tells_the_date_of_the_data(client):
    assert client.get("/healthz").json() == {"status": "ok", "as_of": "2018-01-01"}


def test_a_question_is_answered(client, model):
    model.replies.append(FIND)
    answer = ask(client, "who spent over $500 last quarter?").json()
    assert set(answer) == ANSWER_KEYS
    assert set(answer["segment"]) == SEGMENT_KEYS
    assert answer["segment"]["size"] == 869
    assert "**869 customers**" in answer["answer"]
    assert [call["name"] for call in answer["tool_calls"]] == ["define_segment"]
    assert (answer["clarification"], answer["refused"]) == (None, None)
    assert answer["evidence"][0]["id"] == "e1"
    assert "What sets them apart?" in answer["follow_ups"]


def test_a_conversation_goes_on(client, model):
    model.replies += [FIND, REFINE]
    first = ask(client, "who bought beer?").json()
    second = ask(client, "only those with children", first["conversation"]).json()
    assert second["conversation"] == first["conversation"]
    assert len(second["segment"]["definition"]["all_of"]) == 2
    assert 0 < second["segment"]["size"] < first["segment"]["size"]


def test_a_chinese_question_gets_a_chinese_answer(client, model):
    model.replies.append(FIND)
    answer = ask(client, "最近30天买过啤酒的客户").json()
    assert answer["language"] == "zh"
    assert "位客户" in answer["answer"]


def test_the_steps_are_streamed_in_order_and_the_answer_comes_last(client, model):
    model.replies.append(FIND)
    found = events(client, {"question": "who bought beer in the last 30 days?"})
    assert [data["step"] for name, data in found[:-1] if name == "step"] == [
        "link",
        "plan",
        "check",
        "run",
        "answer",
    ]
    assert [name for name, _ in found] == ["step"] * 5 + ["answer"]
    last = found[-1][1]
    assert set(last) == ANSWER_KEYS
    assert last["answer"] == found[-2][1]["text"]


def test_a_repaired_plan_shows_both_tries(client, model):
    model.replies += [ModelRetryError("Your answer was not JSON."), FIND]
    found = events(client, {"question": "who bought beer in the last 30 days?"})
    assert [data.get("step") for _, data in found] == [
        "link",
        "plan",
        "check",
        "plan",
        "check",
        "run",
        "answer",
        None,
    ]
    assert "Correction:" in model.asked[1]


def test_a_preview_counts_without_saving(client):
    before = saved(client)
    found = preview(client, LOYAL).json()
    assert set(found) == SEGMENT_KEYS
    assert found["definition"] == LOYAL
    assert 0 < found["size"] < preview(client, EVERYONE).json()["size"] == 2469
    assert "orders_90d" in found["sql"]
    assert saved(client) == before


@pytest.mark.parametrize(
    "definition",
    [
        {"all_of": [LOYAL, BEER]},
        {"similar_to": {"segment": BEER}, "top": 50},
        {"propensity": "purchase_30d", "top_share": 0.1},
    ],
    ids=["conditions", "lookalikes", "propensity"],
)
def test_a_definition_shows_the_same_sql_each_time(client, definition):
    first, second = preview(client, definition).json(), preview(client, definition).json()
    assert first == second


def test_a_segment_of_nobody_is_counted_as_such(client):
    assert preview(client, NOBODY).json()["size"] == 0


def test_a_segment_is_saved_listed_used_and_deleted(client):
    first = save(client, "  loyal  ", LOYAL)
    assert first.status_code == 201
    assert first.json() == {"name": "loyal", "version": 1, "hash": first.json()["hash"]}
    listed = saved(client)["loyal"]
    assert set(listed) == {"name", "version", "hash", "definition", "words", "saved_at"}
    assert listed["definition"] == LOYAL
    assert preview(client, {"member_of": "loyal"}).json()["size"] == preview(client, LOYAL).json()["size"]
    assert preview(client, LOYAL).json()["name"] == "loyal"
    assert delete(client, "loyal").status_code == 204
    assert "loyal" not in saved(client)


def test_saving_again_makes_a_version_only_when_the_meaning_changes(client):
    same = {"all_of": [LOYAL | {"value": 5.0}]}
    versions = [save(client, "versions", d).json()["version"] for d in (LOYAL, same, BEER, BEER)]
    assert versions == [1, 1, 2, 2]
    assert saved(client)["versions"]["definition"] == BEER


def test_the_time_of_saving_has_its_zone(client):
    save(client, "when", LOYAL)
    assert datetime.fromisoformat(saved(client)["when"]["saved_at"]).tzinfo is not None


def test_the_features_are_those_a_definition_may_use(client):
    found = {feature["name"]: feature for feature in client.get("/v1/features").json()}
    assert set(found["age"]) == {"name", "type", "unit", "en", "zh", "levels"}
    assert found["age"]["levels"][0] == "19-24"
    for name in ("orders_90d", "recency_days", "weekend_share_365d"):
        assert preview(client, {"feature": name, "op": ">=", "value": 0}).status_code == 200


def test_the_models_show_their_tests(client):
    found = {card["outcome"]: card for card in client.get("/v1/propensity").json()}
    assert {"purchase_14d", "purchase_30d", "coupon_redeem_30d"} <= set(found)
    for card in found.values():
        assert 0.5 < card["auc_low"] <= card["auc"] <= card["auc_high"] <= 1


def test_one_customers_probability_is_the_one_of_the_page_of_scores(client):
    asked = {"definition": LOYAL, "outcome": "purchase_30d", "limit": 1}
    (likeliest,) = client.post("/v1/propensity/scores", json=asked).json()["scores"]
    body = {"customer": likeliest["customer"], "outcome": "purchase_30d"}
    found = client.post("/v1/propensity/score", json=body).json()
    assert found["customer"] == likeliest["customer"]
    assert found["probability"] == pytest.approx(likeliest["probability"])
    assert found["probability"] > found["everyone"]
    assert found["above"] > 0.9
    assert found["drivers"][0]["effect"] > 0
    unknown = client.post("/v1/propensity/score", json=body | {"customer": "nobody"})
    assert "no customer 'nobody'" in problem(unknown, 404, "not_found")["detail"]
    unknown = client.post("/v1/propensity/score", json=body | {"outcome": "win_lottery"})
    assert "purchase_14d, purchase_30d" in problem(unknown, 404, "not_found")["detail"]


def test_every_example_of_a_score_holds(client):
    document = client.get("/openapi.json").json()
    properties = document["components"]["schemas"]["OneScore"]["properties"]
    body = {name: part["examples"][0] for name, part in properties.items()}
    assert client.post("/v1/propensity/score", json=body).status_code == 200
    tool = document["paths"]["/v1/tools/explain_propensity"]["post"]["requestBody"]["content"]
    assert tool["application/json"]["example"] == body


def test_the_api_describes_itself(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/v1/ask", "/v1/ask/stream", "/v1/segments/preview", "/v1/segments", "/healthz"} <= set(paths)


def test_every_call_that_takes_a_body_shows_an_example_of_it(client):
    api = client.get("/openapi.json").json()
    schemas = api["components"]["schemas"]

    def shown(schema: dict) -> bool:
        """Whether an example can be put together of what is asked for."""
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
        if {"example", "examples", "default", "const", "enum"} & set(schema):
            return True
        asked = [schema["properties"][name] for name in schema.get("required", ())]
        return schema.get("type") in ("object", None) and all(shown(each) for each in asked)

    lacking = []
    for path, methods in api["paths"].items():
        for method, told in methods.items():
            for kind in told.get("requestBody", {}).get("content", {}).values():
                if not ({"example", "examples"} & set(kind) or shown(kind["schema"])):
                    lacking.append((method, path))
    assert lacking == []


# Mistakes of the caller


BROKEN = {
    "unknown feature": (LOYAL | {"feature": "orders_90"}, "did you mean orders_90d"),
    "wrong type": (LOYAL | {"value": "many"}, "must be a number of orders"),
    "wrong operator": ({"feature": "has_children", "op": ">=", "value": True}, "does not fit"),
    "empty window": (BEER | {"from_days_ago": 10, "to_days_ago": 30}, "is empty"),
    "contradiction": ({"all_of": [LOYAL, LOYAL | {"op": "<", "value": 2}]}, "contradict"),
    "nobody could belong": ({"any_of": []}, "nobody could belong"),
    "unknown category": ({"event": "purchase", "items": {"category": ["BEERS"]}}, "BEERS/ALES"),
    "unknown segment": ({"member_of": "nobody's"}, "no saved segment is named"),
    "unknown campaign": ({"uplift": "99", "top_share": 0.1}, "no past campaign"),
    "unknown outcome": ({"propensity": "win_lottery", "top_share": 0.1}, "no model predicts"),
    "unknown field": (LOYAL | {"valeu": 5}, "not a field here"),
    "two kinds in one": (LOYAL | BEER, "exactly one of"),
    "nothing": ({}, "exactly one of"),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_definition_that_does_not_hold_is_explained(client, mistake):
    definition, said = BROKEN[mistake]
    body = problem(preview(client, definition), 422, "invalid_definition")
    assert said in body["detail"]
    assert body["issues"]


def test_all_mistakes_are_told_together(client):
    wrong = {"all_of": [LOYAL | {"feature": "shoe_size"}, LOYAL | {"value": "many"}, BEER | {"value": -1}]}
    assert len(problem(preview(client, wrong), 422, "invalid_definition")["issues"]) == 3


def test_nothing_is_saved_of_a_definition_that_does_not_hold(client):
    before = saved(client)
    for definition, _ in BROKEN.values():
        problem(save(client, "broken", definition), 422, "invalid_definition")
    assert saved(client) == before


def test_an_unknown_customer_is_not_found(client):
    problem(preview(client, {"similar_to": {"customer": "nobody"}, "top": 5}), 404, "not_found")


def test_an_unknown_segment_is_not_deleted(client):
    save(client, "beer lovers", BEER)
    body = problem(delete(client, "beer lover"), 404, "not_found")
    assert "did you mean beer lovers" in body["detail"]
    assert "beer lovers" in saved(client)


def test_a_name_without_a_printable_character_is_refused(client):
    for name in ("   ", "a\nb", "a\0b"):
        problem(save(client, name, LOYAL), 400, "bad_request")


JSON = {"content-type": "application/json"}
BODIES = {
    "no body": {},
    "cut off": {"content": '{"definition": {"feature"', "headers": JSON},
    "not UTF-8": {"content": b"\xff\xfe\x00{", "headers": JSON},
    "a list": {"json": [1, 2]},
    "a definition that is a list": {"json": {"definition": [LOYAL]}},
    "no definition": {"json": {}},
    "a form": {"data": {"definition": "x"}},
    "a file": {"files": {"definition": b"x"}},
    "JSON sent as text": {
        "content": json.dumps({"definition": LOYAL}),
        "headers": {"content-type": "text/plain"},
    },
    "a number of 9,000 digits": {
        "content": '{"definition": {"feature": "orders_90d", "op": ">=", "value": ' + "9" * 9000 + "}}",
        "headers": JSON,
    },
    "10,000 lists in each other": {
        "content": '{"definition": ' + "[" * 10_000 + "]" * 10_000 + "}",
        "headers": JSON,
    },
    "10,000 times not": {
        "content": '{"definition": ' + '{"not": ' * 10_000 + json.dumps(LOYAL) + "}" * 10_000 + "}",
        "headers": JSON,
    },
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_bad_body_gets_one_problem(client, kind):
    response = client.post("/v1/segments/preview", **BODIES[kind])
    assert response.status_code in (400, 413, 415, 422), response.text[:300]
    other_kind = kind in ("a form", "a file", "JSON sent as text")
    problem(response, response.status_code, "unsupported_media_type" if other_kind else "bad_request")


def test_deep_nesting_is_refused_in_one_sentence(client):
    deep = LOYAL
    for _ in range(300):
        deep = {"not": deep}
    body = problem(preview(client, deep), 422, "invalid_definition")
    assert len(body["issues"]) == 1
    assert "nested deeper than 20 levels" in body["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"question": "x" * 2001},
        {"question": "x" * 5_000_000},
        {"question": ""},
        {"question": 7},
        {},
        {"question": "who bought beer?", "conversation": "../x"},
    ],
    ids=["too long", "5 MB", "empty", "a number", "none", "a bad conversation id"],
)
def test_a_question_that_cannot_be_asked_is_a_problem(client, model, body):
    response = client.post("/v1/ask", json=body)
    assert response.status_code in (400, 413, 422)
    problem(response, response.status_code, "too_large" if response.status_code == 413 else "bad_request")
    assert len(response.text) < 2000, "the question is sent back"
    assert not model.asked


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("PUT", "/v1/ask"), ("GET", "/v1/ask")])
def test_an_address_that_is_not_there_is_a_problem(client, method, path):
    response = client.request(method, path)
    assert response.status_code in (404, 405)
    problem(response, response.status_code, response.json().get("code"))


# Hostile input: anything but a failure of the server


def raw(value) -> str:
    return '{"definition": {"feature": "orders_90d", "op": ">=", "value": ' + value + "}}"


def product_named(text) -> str:
    return json.dumps({"definition": {"event": "purchase", "items": {"text": [text]}}})


HOSTILE = {
    "a number of 31 digits": raw("1" + "0" * 30),
    "a number of 401 digits": raw("1" + "0" * 400),
    "a 64-bit overflow": raw(str(2**63)),
    "a window before the year 1": json.dumps({"definition": BEER | {"from_days_ago": 9_999_999}}),
    "a window of 10^12 days": json.dumps({"definition": BEER | {"from_days_ago": 10**12}}),
    "a count of 401 digits": json.dumps({"definition": BEER | {"value": 10**400}}),
    "half a character": '{"definition": {"member_of": "\\ud800"}}',
    "half a character as a feature": '{"definition": {"feature": "\\ud800", "op": ">=", "value": 1}}',
    "half a character as a product": product_named("\ud800"),
    "a NUL in a product": product_named("a\0b"),
    "a blank product": product_named("   "),
    "SQL in a product": product_named(INJECTION),
    "SQL in a category": json.dumps(
        {"definition": {"event": "purchase", "items": {"category": [INJECTION]}}}
    ),
    "SQL in a feature": json.dumps({"definition": LOYAL | {"feature": INJECTION}}),
    "SQL in a segment": json.dumps({"definition": {"member_of": INJECTION}}),
    "SQL in a customer": json.dumps({"definition": {"similar_to": {"customer": INJECTION}, "top": 5}}),
    "a pattern in a product": product_named("((((a+)+)+)+$"),
    "text from right to left": product_named("\u202e\ufeff🍺"),
    "a top of 31 digits": json.dumps({"definition": {"similar_to": {"segment": LOYAL}, "top": 10**30}}),
    "null for a number that has a default": json.dumps(
        {
            "definition": {
                "compare": {"feature": "orders_90d"},
                "op": ">",
                "factor": None,
                "than": {"feature": "orders_365d"},
            }
        }
    ),
    "1,000 alternatives": json.dumps({"definition": {"any_of": [LOYAL | {"value": n} for n in range(1000)]}}),
    "5,000 times the same": json.dumps({"definition": {"all_of": [LOYAL] * 5000}}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_definitions_do_not_break_the_server(client, kind):
    response = client.post("/v1/segments/preview", content=HOSTILE[kind], headers=JSON)
    assert response.status_code < 500, response.text[:300]
    if response.status_code != 200:
        problem(response, response.status_code, response.json()["code"])


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused(client, value):
    """It could not be written back as JSON: two definitions that differ would look alike."""
    response = client.post("/v1/segments/preview", content=raw(value), headers=JSON)
    problem(response, response.status_code, "invalid_definition")


def test_sql_in_names_and_products_changes_nothing(client):
    everyone = preview(client, EVERYONE).json()["size"]
    assert save(client, INJECTION, LOYAL).status_code == 201
    assert saved(client)[INJECTION]["definition"] == LOYAL
    text = preview(client, {"event": "purchase", "items": {"text": [INJECTION]}}).json()
    assert text["size"] == 0
    assert delete(client, INJECTION).status_code == 204
    assert preview(client, EVERYONE).json()["size"] == everyone
    assert preview(client, BEER).json()["size"] == 1298


@pytest.mark.parametrize("name", ["名字", "🙂 b", "100 % & more?#", "a/b", "<b>x</b>", "%2e"])
def test_every_name_that_can_be_saved_can_be_deleted(client, name):
    assert save(client, name, LOYAL).status_code == 201
    assert name in saved(client)
    assert delete(client, name).status_code == 204
    assert name not in saved(client)


@pytest.mark.parametrize("name", ["a\u202eb", "a\u200bb", "..", ".", "a/../b", "a/customers", "a\u2028b"])
def test_a_name_that_misleads_or_that_no_address_reaches_is_refused(client, name):
    answer = save(client, name, LOYAL)
    assert (answer.status_code, answer.json()["detail"][:17]) == (400, "name: must be 1 t")
    assert name not in saved(client)


def test_half_a_character_as_a_name_is_refused(client):
    body = '{"name": "\\ud800", "definition": ' + json.dumps(LOYAL) + "}"
    response = client.post("/v1/segments", content=body, headers=JSON)
    problem(response, response.status_code, "bad_request")
    assert all(name.isprintable() for name in saved(client))


def test_a_segment_cannot_contain_itself(client):
    save(client, "circle", LOYAL)
    response = save(client, "circle", {"member_of": "circle"})
    problem(response, response.status_code, "invalid_definition")
    assert preview(client, {"member_of": "circle"}).status_code == 200


def test_segments_cannot_contain_each_other(client):
    save(client, "yin", LOYAL)
    save(client, "yang", {"not": {"member_of": "yin"}})
    response = save(client, "yin", {"any_of": [BEER, {"member_of": "yang"}]})
    problem(response, response.status_code, "invalid_definition")
    assert preview(client, {"member_of": "yang"}).status_code == 200


def test_a_segment_whose_part_was_deleted_says_so(client):
    save(client, "part", LOYAL)
    save(client, "whole", {"member_of": "part"})
    delete(client, "part")
    response = preview(client, {"member_of": "whole"})
    assert "part" in problem(response, response.status_code, response.json()["code"])["detail"]
    assert "whole" in saved(client)
    delete(client, "whole")


@pytest.mark.parametrize(
    "question",
    [
        "who bought beer in the last 9999999 days?",
        "who spent over $" + "9" * 400 + "?",
        "\u202e\ufeff who bought beer?",
        "who bought beer?\0",
        INJECTION + " who bought beer?",
        "who bought \ud800 beer?",
    ],
    ids=["a window before the year 1", "400 digits", "right to left", "NUL", "SQL", "half a character"],
)
def test_hostile_questions_do_not_break_the_server(client, model, question):
    model.replies += [ANY, ANY]
    body = json.dumps({"question": question})
    response = client.post("/v1/ask", content=body, headers=JSON)
    model.replies.clear()
    assert response.status_code < 500, response.text[:300]


# Trouble behind the API


def test_a_language_model_that_is_down_is_a_503(client, model):
    model.replies.append(LLMUnavailableError("The language model cannot be reached; start it."))
    body = problem(ask(client, "who bought beer?"), 503, "llm_unavailable")
    assert "cannot be reached" in body["detail"]


def test_a_language_model_that_is_down_ends_the_stream_with_an_error(client, model):
    model.replies.append(LLMUnavailableError("The language model cannot be reached; start it."))
    found = events(client, {"question": "who bought beer?"})
    assert [name for name, _ in found] == ["step", "error"]
    assert found[-1][1]["code"] == "llm_unavailable"


def test_a_failed_turn_leaves_the_conversation_as_it_was(client, model):
    model.replies.append(FIND)
    first = ask(client, "who bought beer?").json()
    model.replies.append(LLMUnavailableError("down"))
    problem(ask(client, "only those with children", first["conversation"]), 503, "llm_unavailable")
    model.replies.append("show_segment")
    again = ask(client, "show me the definition", first["conversation"]).json()
    assert again["segment"] == first["segment"]


def test_a_model_that_never_answers_json_does_not_break_the_turn(client, model):
    model.replies += [ModelRetryError("Your answer was not JSON."), ModelRetryError("Again not.")]
    answer = ask(client, "who bought beer?").json()
    assert answer["clarification"] or answer["segment"]["size"] == 1298


OUTSIDE = {
    "no tool": {},
    "an unknown tool": {"tool": "drop_table"},
    "a tool that is no text": {"tool": ["define_segment"]},
    "an unknown segment": {"tool": "define_segment", "segment": "r9"},
    "a segment that is no id": {"tool": "define_segment", "segment": "beer"},
    "a list for a segment": {"tool": "define_segment", "segment": ["r1"]},
    "a number for a segment": {"tool": "define_segment", "segment": 5},
    "no current segment": {"tool": "profile_segment", "segment": "current"},
    "an edit of nothing": {"tool": "refine_segment", "edits": ["e1"]},
    "a number for edits": {"tool": "refine_segment", "edits": 5},
    "a reason that is none": {"tool": "refuse", "reason": "tired"},
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_a_model_that_ignores_the_schema_does_not_break_the_server(client, model, kind):
    """A server may not honour response_format; its plan is then the model's mistake, not a crash."""
    model.replies += [OUTSIDE[kind], OUTSIDE[kind]]
    response = ask(client, "who bought beer?")
    model.replies.clear()
    assert response.status_code in (200, 503), response.text[:300]


def test_a_bug_of_ours_is_a_problem_without_its_details(client, model):
    model.replies.append(RuntimeError("secret path /home/x"))
    body = problem(ask(client, "who bought beer?"), 500, "internal")
    assert "secret" not in body["detail"]


def test_a_bug_of_ours_ends_the_stream_with_an_error(client, model):
    model.replies.append(RuntimeError("secret path /home/x"))
    found = events(client, {"question": "who bought beer?"})
    assert found[-1][0] == "error"
    assert found[-1][1]["code"] == "internal"
    assert "secret" not in str(found)


@pytest.mark.parametrize("who", ["customers over 55", "customers who bought beer"])
def test_a_plan_for_a_segment_is_answered_with_its_figures(client, model, who):
    model.replies.append("plan_strategy")
    model.words.append("We miss you.")
    response = ask(client, f"what do we offer {who} with $5,000?")
    assert response.status_code == 200, response.text[:300]
    assert "We miss you." in response.json()["answer"]
    assert "5,000" in response.json()["answer"]


# Many at once


@pytest.fixture(scope="module")
def callers(make_workspace, tmp_path_factory) -> dict:
    """What eight callers at the same time got, and what one alone got, from a server of their own."""
    folder = make_workspace(tmp_path_factory.mktemp("callers"))
    command = [sys.executable, "-m", "tests.serving.callers", str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=45, check=False)
    assert ran.returncode == 0, ran.stderr[-500:]
    return json.loads(ran.stdout)


def test_callers_at_the_same_time_get_their_own_answers(callers):
    alone, together = callers["alone"], callers["together"]
    assert [status for status, _ in alone] == [200] * len(alone)
    assert Counter(status for status, _ in together) == {200: len(together)}
    assert together == alone * (len(together) // len(alone))


def test_those_who_save_one_name_at_the_same_time_lose_nothing(callers):
    assert {status for status, _ in callers["saves"]} <= {201, 409, 503}
    versions = {body["version"]: body["hash"] for status, body in callers["saves"] if status == 201}
    saved = callers["saved"]["race"]
    assert saved["version"] == max(versions)
    assert saved["hash"] == versions[max(versions)]
