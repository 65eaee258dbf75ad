"""`segassist` as people and scripts run it: what it prints, and its exit code and one sentence when it cannot."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SEGASSIST = Path(sys.executable).with_name("segassist")
BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
ANSWER_KEYS = [
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
]
SEGMENT_KEYS = ["name", "definition", "hash", "size", "reachable", "sql", "words"]
TIMINGS = ["link", "plan", "check", "run", "answer", "total"]


class Ran(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


def segassist(*arguments: object) -> Ran:
    command = [str(SEGASSIST), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def failed(ran: Ran, code: int, kind: str, *said: str) -> None:
    """It failed with this exit code and one sentence on stderr that says all of `said`."""
    assert ran.err.count("\n") == 1, ran.err[-1500:]
    assert re.match(rf"error \({kind}\): ", ran.err), ran.err
    for words in said:
        assert words in ran.err
    assert ran.code == code, ran.err
    assert ran.out == ""


@pytest.fixture(scope="module")
def workspace(make_workspace, fake_llm, tmp_path_factory) -> Path:
    """A workspace whose language model is the fake server."""
    return make_workspace(tmp_path_factory.mktemp("cli"), f'llm_base_url = "{fake_llm.base_url}"\n')


@pytest.fixture
def beer(tmp_path) -> Path:
    path = tmp_path / "beer.json"
    path.write_text(json.dumps(BEER))
    return path


def settings(folder: Path, text: str | bytes) -> Path:
    """A workspace that counts as built and has these settings."""
    (folder / "ready.json").write_text("{}")
    (folder / "segassist.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def gold_definitions() -> list[dict[str, Any]]:
    lines = [
        line for path in sorted(ROOT.glob("eval/questions/*.jsonl")) for line in path.open(encoding="utf-8")
    ]
    cases = [json.loads(line) for line in lines]
    return [definition for case in cases for definition in [case["gold"], *case["also"]] if definition]


# Without a language model


def test_help_names_the_commands():
    ran = segassist("--help")
    assert ran.code == 0
    for command in ("build", "ask", "models", "features", "schema", "segment", "serve"):
        assert re.search(rf"\b{command}\b", ran.out), command


def test_an_unknown_command_is_bad_use():
    ran = segassist("destroy")
    assert ran.code == 2
    assert "Traceback" not in ran.err


def test_the_schema_holds_every_expected_definition():
    schema = json.loads(segassist("schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    golds = gold_definitions()
    assert len(golds) > 100
    assert [gold for gold in golds if not validator.is_valid(gold)] == []
    for wrong in (
        {},
        BEER | {"valeu": 1},
        {"feature": "age", "op": "~", "value": 1},
        {"all_of": BEER},
        [BEER],
    ):
        assert not validator.is_valid(wrong), wrong


def test_the_features_are_listed_in_both_languages(workspace):
    found = {
        feature["name"]: feature
        for feature in json.loads(segassist("features", "--json", "-w", workspace).out)
    }
    assert set(found["age"]) == {
        "name",
        "type",
        "unit",
        "en",
        "zh",
        "synonyms_en",
        "synonyms_zh",
        "operators",
        "levels",
    }
    assert found["orders_90d"]["en"] == "number of orders in the last 90 days"
    for feature in found.values():
        assert feature["operators"]
        assert re.search(r"[\u4e00-\u9fff]", feature["zh"]), feature["name"]


def test_the_models_show_how_they_were_tested(workspace):
    cards = json.loads(segassist("models", "--json", "-w", workspace).out)
    documented = {
        "outcome",
        "auc",
        "auc_low",
        "auc_high",
        "ece",
        "baseline_auc",
        "baseline_ece",
        "test_cut",
        "customers",
        "positives",
        "features",
    }
    assert {"purchase_14d", "purchase_30d", "coupon_redeem_30d"} <= {card["outcome"] for card in cards}
    for card in cards:
        assert documented <= set(card)
        assert 0.5 < card["auc_low"] <= card["auc"] <= card["auc_high"] <= 1
        assert 0 <= card["ece"] < 0.2
        assert card["customers"] > 1000
        assert card["positives"] > 10


def test_a_preview_lists_the_source_ids_of_those_it_counts(workspace, beer):
    from warehouse.completejourney import data_files

    found = json.loads(segassist("segment", "preview", beer, "--json", "--members", "-w", workspace).out)
    assert list(found) == [*SEGMENT_KEYS, "members"]
    assert found["size"] == len(found["members"]) == len(set(found["members"]))
    files = data_files()
    bought = pd.read_parquet(files["transactions"], columns=["household_id", "product_id"])
    products = pd.read_parquet(files["products"], columns=["product_id", "product_category"])
    beers = products.loc[products["product_category"] == "BEERS/ALES", "product_id"]
    expected = bought.loc[bought["product_id"].isin(beers), "household_id"].unique()
    assert sorted(map(int, found["members"])) == sorted(expected)


def test_a_preview_without_members_shows_no_ids(workspace, beer):
    assert (
        list(json.loads(segassist("segment", "preview", beer, "--json", "-w", workspace).out)) == SEGMENT_KEYS
    )


def test_a_size_is_estimated_and_compared_between_two_dates(workspace, beer):
    whole = segassist("segment", "estimate", beer, "--share", 1, "-w", workspace).out
    assert whole.startswith("About 1,298 customers (1,249 to 1,346, 95% interval, from 2,469 of 2,469")
    dates = ("--from", "2017-03-01", "--to", "2017-09-01")
    found = json.loads(segassist("segment", "diff", beer, *dates, "--members", "-w", workspace).out)
    assert found["after"] - found["before"] == found["entered"] - found["left"]
    assert len(found["entered_members"]) == found["entered"] > 0


def test_a_definition_is_followed_over_a_year_and_broken_down_by_a_feature(workspace, beer):
    trend = segassist("segment", "trend", beer, "-w", workspace)
    assert trend.code == 0, trend.err
    assert "2018-01-01" in trend.out
    found = json.loads(segassist("segment", "breakdown", beer, "age", "--json", "-w", workspace).out)
    assert "45-54" in json.dumps(found)
    failed(
        segassist("segment", "breakdown", beer, "agee", "-w", workspace), 2, "not_found", "did you mean age"
    )
    failed(segassist("segment", "overlap", "-w", workspace), 2, "not_found", "fewer than two segments")


def test_sql_is_written_in_the_dialect_asked_for(workspace, beer):
    ran = segassist("segment", "sql", beer, "--dialect", "spark", "-w", workspace)
    assert ran.code == 0
    assert "`t0`.`customer_id`" in ran.out
    assert "BEERS/ALES" in ran.out


# Bad use


def test_a_question_or_a_file_and_not_both():
    failed(segassist("ask"), 2, "bad_request", "neither")
    failed(segassist("ask", "who?", "--file", "x.jsonl"), 2, "bad_request", "both")


LINES = {
    "cut off": (b'"who bought beer?"\n{"question"', 2),
    "an object": (b'{"question": "who?"}\n', 1),
    "an empty list": (b'"who?"\n\n[]\n', 3),
    "a list of numbers": (b"[1]\n", 1),
    "not UTF-8": (b'"who?"\n"\xff\xfe"\n', 2),
}


@pytest.mark.parametrize("kind", LINES)
def test_a_malformed_line_of_questions_is_named(tmp_path, kind):
    content, number = LINES[kind]
    path = tmp_path / "questions.jsonl"
    path.write_bytes(content)
    failed(segassist("ask", "--file", path), 2, "bad_request", f"{path} line {number}")


def test_a_missing_questions_file_is_bad_use(tmp_path):
    failed(segassist("ask", "--file", tmp_path / "none.jsonl"), 2, r"\w+", "none.jsonl does not exist")


def test_a_definition_that_cannot_be_read_is_bad_use(workspace, tmp_path):
    path = tmp_path / "definition.json"
    command = ("segment", "preview", path, "-w", workspace)
    failed(segassist(*command), 2, "bad_request", "definition.json does not exist")
    path.write_text("{")
    failed(segassist(*command), 2, "invalid_definition", "definition.json: not valid JSON")
    path.write_text('{"feature": "orders_90", "op": ">=", "value": 5}')
    failed(segassist(*command), 2, "invalid_definition", "did you mean orders_90d")
    path.write_text('{"not": ' * 10_000 + json.dumps(BEER) + "}" * 10_000)
    failed(segassist(*command), 2, "invalid_definition")


# The installation needs a hand


def test_a_workspace_that_is_not_built_says_what_to_run(tmp_path, beer):
    advice = f"run: segassist build --workspace {tmp_path}"
    for command in (["ask", "who?"], ["features"], ["segment", "preview", beer]):
        failed(segassist(*command, "-w", tmp_path), 3, "not_built", advice)


def test_an_unknown_setting_is_named_with_those_there_are(tmp_path):
    folder = settings(tmp_path, 'llm_base_uri = "x"\n')
    failed(
        segassist("features", "-w", folder), 1, "bad_data", "'llm_base_uri' is not a setting", "llm_base_url"
    )


@pytest.mark.parametrize("text", ["llm_base_url\n", 'name = "\n', b'name = "\xff"\n'], ids=str)
def test_broken_settings_are_one_sentence(tmp_path, text):
    failed(segassist("features", "-w", settings(tmp_path, text)), 1, "bad_data", "segassist.toml")


@pytest.mark.parametrize(
    "text", ['min_group = "ten"', "min_group = -1", "currency = 5", 'exclude_categories = "FUEL"']
)
def test_a_setting_of_the_wrong_kind_is_refused(tmp_path, text):
    failed(segassist("features", "-w", settings(tmp_path, text)), 1, "bad_data", text.split(" = ")[0])


def test_a_language_model_out_of_reach_says_how_to_start_one(make_workspace, tmp_path):
    folder = make_workspace(tmp_path / "down", 'llm_base_url = "http://127.0.0.1:9/v1"\n')
    advice = ("http://127.0.0.1:9/v1", "start it with: segassist serve llm")
    failed(segassist("ask", "who bought beer?", "-w", folder), 4, "llm_unavailable", *advice)


def test_a_port_in_use_is_named(workspace):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = segassist("serve", "--port", port, "-w", workspace)
    failed(ran, 1, "port_in_use", f"Port {port} on 127.0.0.1 is in use", "--port")


# With a language model


@pytest.fixture(scope="module")
def answered(workspace, fake_llm, tmp_path_factory) -> list[dict[str, Any]]:
    """What `ask --json --file` printed: a question, a conversation of two, a refusal, and Chinese."""
    fake_llm.reset()
    path = tmp_path_factory.mktemp("questions") / "questions.jsonl"
    asked = [
        "who bought beer in the last 30 days?",
        ["who bought beer?", "only those with children"],
        "what will the weather be like tomorrow?",
        "最近30天买过啤酒的客户",
    ]
    path.write_text("\n\n".join(json.dumps(turns, ensure_ascii=False) for turns in asked), encoding="utf-8")
    ran = segassist("ask", "--json", "--members", "--file", path, "-w", workspace)
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def test_each_conversation_is_one_object_with_the_documented_keys(answered):
    assert len(answered) == 4
    for answer in answered:
        assert list(answer) == ANSWER_KEYS
        assert list(answer["timings"]) == TIMINGS
        assert all(seconds >= 0 for seconds in answer["timings"].values())
        for item in answer["evidence"]:
            assert list(item) == ["id", "tool", "figures", "rows", "notes"]
        for call in answer["tool_calls"]:
            assert list(call) == ["name", "arguments"]


def test_a_segment_in_an_answer_lists_its_members(answered):
    for answer in (answered[0], answered[1], answered[3]):
        assert list(answer["segment"]) == [*SEGMENT_KEYS, "members"]
        assert answer["segment"]["size"] == len(answer["segment"]["members"]) > 0


def test_a_conversation_is_answered_by_its_last_turn(answered):
    assert answered[1]["question"] == "only those with children"
    assert len(answered[1]["segment"]["definition"]["all_of"]) == 2
    assert answered[1]["tool_calls"][0]["name"] == "refine_segment"


def test_conversations_of_a_file_do_not_mix(answered):
    assert answered[2]["segment"] is None
    assert answered[2]["refused"]
    assert answered[3]["segment"]["definition"] == answered[0]["segment"]["definition"]


def test_the_language_of_the_question_is_kept(answered):
    assert [answer["language"] for answer in answered] == ["en", "en", "en", "zh"]
    assert "客户" in answered[3]["segment"]["words"]


def test_a_conversation_goes_on_in_the_next_command(workspace, fake_llm):
    fake_llm.reset()
    first = segassist("ask", "who bought beer?", "-c", "deck", "-w", workspace)
    assert (first.code, first.err) == (0, "")
    assert "1,298 customers" in first.out
    second = segassist("ask", "only those with children", "--json", "-c", "deck", "-w", workspace)
    segment = json.loads(second.out)["segment"]
    assert len(segment["definition"]["all_of"]) == 2
    assert "members" not in segment


# Models looked at on demand


def test_an_answer_is_saved_and_replayed(workspace, fake_llm, tmp_path):
    fake_llm.reset()
    path = tmp_path / "answer.json"
    question = "who bought beer in the last 30 days?"
    assert segassist("ask", question, "--bundle", path, "--workspace", workspace).code == 0
    fake_llm.raw = "a replay asks no language model"
    ran = segassist("replay", path, "--workspace", workspace)
    fake_llm.reset()
    assert (ran.code, ran.out.strip()) == (0, "same")
    path.write_text(path.read_text(encoding="utf-8").replace("BEERS/ALES", "SOUP"), encoding="utf-8")
    ran = segassist("replay", path, "--json", "--workspace", workspace)
    assert ran.code == 1
    found = json.loads(ran.out)
    assert found["same"] is False
    assert "members" not in [difference["field"] for difference in found["differences"]]
    assert "segment.sql" in [difference["field"] for difference in found["differences"]]
    failed(
        segassist("replay", tmp_path / "none.json", "--workspace", workspace), 1, "bad_data", "not a bundle"
    )
    failed(
        segassist("ask", "--file", path, "--bundle", path, "--workspace", workspace),
        2,
        "bad_request",
        "--bundle",
    )


def test_a_models_card_and_drift_are_told(workspace, tmp_path):
    from propensity.registry import Registry
    from segments.errors import NotBuiltError

    try:
        Registry(workspace / "models").tested("purchase_30d")
    except NotBuiltError:
        pytest.skip("the demo's models were trained by an older version: run `make build`")
    page = tmp_path / "card.html"
    assert (
        segassist("models", "card", "purchase_30d", "--out", page, "-w", workspace).out
        == f"Written: {page}\n"
    )
    assert "Model card: purchase_30d" in page.read_text()
    card = json.loads(segassist("models", "card", "purchase_30d", "--json", "-w", workspace).out)
    assert (card["card"]["outcome"], card["family"]) == ("purchase_30d", "LightGBM")
    assert {row["feature"] for row in card["fairness"]} >= {"age", "income"}
    drift = json.loads(segassist("models", "drift", "purchase_30d", "--json", "-w", workspace).out)
    assert drift["scores"]["psi"] < 0.25
    assert len(drift["features"]) == len(card["card"]["features"])


def test_one_customer_is_explained_at_the_command_line(workspace):
    found = json.loads(segassist("models", "explain", "purchase_30d", "1", "--json", "-w", workspace).out)
    shown = {figure["name"]: figure["display"] for figure in found["figures"]}
    said = segassist("models", "explain", "purchase_30d", "1", "-w", workspace).out
    assert said.startswith(
        f"purchase_30d as of 2018-01-01: {shown['probability']}, everyone's {shown['everyone']}; "
    )
    assert said.count("log-odds") == len(found["rows"]) > 0
    last = json.loads(segassist("audit", "show", "--json", "-w", workspace).out.splitlines()[-1])
    assert (last["via"], last["detail"]["tools"][0]["name"]) == ("cli", "explain_propensity")
    failed(
        segassist("models", "explain", "purchase_30d", "x", "-w", workspace),
        2,
        "not_found",
        "no customer 'x'",
    )


def test_an_outcome_that_is_not_there_has_no_card_drift_or_comparison(workspace):
    for command in ("card", "drift", "compare"):
        failed(segassist("models", command, "world_peace", "-w", workspace), 2, "not_found", "world_peace")


def test_versions_of_models_are_listed_and_a_wrong_one_is_told(workspace, tmp_path):
    versions = json.loads(segassist("models", "list", "--json", "-w", workspace).out)
    assert sum(version["status"] == "in use" for version in versions) == len({v["model"] for v in versions})
    written = segassist("models", "track", "--to", tmp_path / "mlruns", "-w", workspace).out
    assert written.startswith(f"{len(versions)} runs written")
    for command in ("rollback", "performance"):
        failed(segassist("models", command, "world_peace", "-w", workspace), 2, "not_found", "world_peace")
