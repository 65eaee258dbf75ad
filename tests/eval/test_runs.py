"""Runs: metrics with intervals, comparison of two, gate, re-scoring, and a report that keeps the test split to itself."""

import json
import re

import numpy as np
import pytest

from assistant.toolbox import tool_specs
from eval import gate
from eval.arguments import arguments_right, wanted
from eval.cases import fast_subset, load_cases
from eval.clarity import answerable
from eval.intervals import bootstrap, mcnemar, quantile
from eval.metrics import METRICS, failed, measure, paired
from eval.record import append, load, rescore, save
from eval.report import html
from eval.run import failures
from eval.scorers import in_language, member_f1, tool_right
from segments.errors import DataError

RIGHT = METRICS[0]
SECRET = "who bought the secret of the test split?"


def by_name(name: str):
    return next(metric for metric in METRICS if metric.name == name)


def wrong(record, case_id, **given):
    return record(case_id, scores={"f1": 0.2, "exact": 0.0}, **given)


def test_the_interval_holds_the_mean_of_what_was_drawn():
    """A 95 % interval of a share of 0.7 from 80 cases holds it in at least 90 of 100 draws."""
    random = np.random.default_rng(3)
    held = 0
    for _ in range(100):
        value, low, high = bootstrap((random.random(80) < 0.7).astype(float).tolist())
        assert low <= value <= high
        held += low <= 0.7 <= high
    assert held >= 90


def test_an_interval_of_all_or_nothing_is_open():
    assert bootstrap([1.0] * 60) == (1.0, 0.95, 1.0)
    assert bootstrap([0.0] * 30) == (0.0, 0.0, 0.1)
    assert np.isnan(bootstrap([])[0])
    assert bootstrap([1.0, 2.0, 9.0], quantile(0.5))[0] == 2.0


def test_mcnemar_is_the_binomial_test():
    from scipy.stats import binomtest

    for lost, won in ((0, 0), (3, 0), (2, 9), (7, 7)):
        known = binomtest(min(lost, won), lost + won).pvalue if lost + won else 1.0
        assert mcnemar(lost, won) == pytest.approx(known)


def test_metrics_of_some_records(record):
    records = [
        record("a"),
        wrong(record, "b"),
        record("c", tool="refuse", refused="no", gold=None, scores={"f1": None}),
    ]
    records.append(record("d", refused="no", called=[], scores={"f1": 0.0, "tool": 0.0}))
    assert measure(RIGHT, records).value == pytest.approx(1 / 3)
    assert measure(by_name("refusal recall"), records).value == 1
    assert measure(by_name("refusal precision"), records).value == 0.5
    assert measure(by_name("false refusals"), records).value == pytest.approx(1 / 3)
    assert measure(by_name("median seconds a turn"), records).value == 2
    assert measure(by_name("conversations right"), records).n == 0
    assert [failed(r) for r in records] == [False, True, False, True]


def test_two_runs_are_compared_case_by_case(record):
    before = [record("a"), wrong(record, "b"), wrong(record, "c"), record("only before")]
    after = [record("a"), record("b"), record("c"), wrong(record, "only after")]
    found = paired(RIGHT, before, after)
    assert (found.n, found.difference) == (3, pytest.approx(2 / 3))
    assert found.p == 0.5
    assert paired(RIGHT, before, before).difference == 0


def test_the_gate_lets_no_metric_fall(record, tmp_path):
    path = tmp_path / "baseline.json"
    good = [record(str(i)) for i in range(50)]
    path.write_text(gate.baseline(good))
    assert gate.check(good, path) == []
    one = [*good[:49], wrong(record, "49")]
    assert gate.check(one, path) == []
    two = [*good[:48], wrong(record, "48"), wrong(record, "49")]
    fallen = {sentence.split(":")[0] for sentence in gate.check(two, path)}
    assert fallen == {RIGHT.name, "segments right (F1 >= 0.95)", "members equal"}
    refusing = [*good[:40], *(record(str(i), refused="no") for i in range(40, 50))]
    assert "false refusals" in [sentence.split(":")[0] for sentence in gate.check(refusing, path)]
    path.write_text("{}")
    with pytest.raises(DataError, match="--write-baseline"):
        gate.check(good, path)


def test_the_shipped_baseline_can_be_read(record):
    from tests.conftest import ROOT

    assert gate.check([record("a")], ROOT / "eval" / "baseline.json")


def test_a_run_is_read_as_far_as_it_was_written(record, tmp_path):
    path = tmp_path / "run.jsonl"
    save(path, [record("a")])
    append(path, record("b"))
    with path.open("a") as file:
        file.write('{"id": "c", "spl')
    assert [r["id"] for r in load(path)] == ["a", "b"]
    path.write_text("not json\n" + path.read_text())
    with pytest.raises(DataError, match="line 1"):
        load(path)


def test_scores_are_made_anew_from_the_record(record):
    stale = wrong(record, "a", called=["profile_segment"])
    fresh = rescore([stale], lambda _node: {"x", "y"})[0]
    assert fresh["scores"]["f1"] == 1
    assert fresh["scores"]["tool"] == 0
    assert stale["scores"]["f1"] == 0.2


def test_the_report_shows_dev_failures_and_hides_the_test_split(record):
    hostile = "who <script>alert(1)</script>?"
    records = [
        record("fine"),
        wrong(record, "bad", question=hostile, answer="<img src=x onerror=1>"),
        wrong(record, "hidden", question=SECRET, answer=SECRET, split="test"),
    ]
    before = [record("fine"), record("bad"), record("hidden", question=SECRET, split="test")]
    page = html(records, before)
    assert "secret" not in page
    assert "1 more of the test split" in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"<script|<img|src=\"http|href=\"http", page)
    assert "Newly wrong: 2, of them 1 of the test split" in page


def test_the_terminal_hides_the_test_split_too(record, capsys):
    from rich.console import Console

    failures(
        [wrong(record, "hidden", question=SECRET, split="test"), wrong(record, "bad", question="dev?")],
        Console(),
    )
    said = capsys.readouterr().out
    assert "dev?" in said
    assert "secret" not in said
    assert "and 1 of the test split" in said


def test_the_fast_subset_is_dev_of_every_kind_and_the_same_every_time():
    cases = load_cases()
    subset = fast_subset(cases)
    assert {case.split for case in subset} == {"dev"}
    assert {case.kind for case in subset} == {case.kind for case in cases if case.split == "dev"}
    assert {case.id for case in subset} == {case.id for case in fast_subset(cases[::-1])}
    assert 50 <= len(subset) <= 120


def test_scorers():
    assert member_f1({"a", "b"}, {"b", "c"}) == 0.5
    assert member_f1(set(), set()) == 1
    assert tool_right("define_segment", ["refine_segment"], False, False)
    assert not tool_right("refuse", ["define_segment"], False, False)
    assert in_language("**12 位客户**：购买品类 BEERS/ALES", "zh")
    assert not in_language("12 customers bought beer", "zh")
    assert in_language('12 customers; segment "啤酒"', "en")
    assert not in_language("12 位客户", "en")
    assert json.dumps(METRICS[0].values({"scores": {"f1": 0.95}})) == "[1.0]"


def test_the_commands_of_the_page_exist_with_their_options():
    import subprocess
    import sys

    from tests.conftest import ROOT

    text = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    used: dict[str, set[str]] = {}
    for module, rest in re.findall(r"^python -m (\S+)([^#\n]*)", text, re.MULTILINE):
        used.setdefault(module, set()).update(re.findall(r"--[a-z-]+", rest))
    known = {"eval.run", "eval.ablate", "eval.attack", "eval.differencing", "eval.adapter.judge"}
    assert set(used) == known
    for module, options in used.items():
        shown = subprocess.run(
            [sys.executable, "-m", module, "--help"], capture_output=True, text=True, cwd=ROOT
        )
        assert options <= set(re.findall(r"--[a-z-]+", shown.stdout)), module


# --- Arguments and questions back ---------------------------------------------------------------


def test_arguments_are_those_of_the_last_call_by_value():
    calls = [
        {"name": "plan_strategy", "arguments": {"budget": 1}},
        {"name": "define_segment", "arguments": {"definition": {}}},
        {"name": "plan_strategy", "arguments": {"budget": 4000.0, "goal": "win_back"}},
    ]
    assert arguments_right({"budget": 4000, "goal": "win_back"}, "plan_strategy", calls) == 1
    assert arguments_right({"budget": 4000, "goal": "retain"}, "plan_strategy", calls) == 0.5
    assert arguments_right({"goal": None}, "plan_strategy", calls) == 0, "it must not be given"
    assert arguments_right({"top": 5}, "find_lookalikes", calls) == 0
    found = [{"name": "bought_together", "arguments": {"categories": ["SOUP", "Crackers"]}}]
    assert arguments_right({"categories": ["CRACKERS", "soup"]}, "bought_together", found) == 1
    measured = [{"name": "measure_campaign", "arguments": {"name": "18"}}]
    assert arguments_right({"name": 18}, "measure_campaign", measured) == 1


def test_arguments_are_known_of_dev_questions_only_and_by_names_that_their_tools_have():
    cases = {case.turns: case for case in load_cases()}
    specs = tool_specs()
    for turns, arguments in wanted().items():
        assert cases[turns].split == "dev"
        assert set(arguments) <= set(specs[cases[turns].tool].schema["properties"]), turns
    assert len(wanted()) > 80
    assert {cases[turns].language for turns in wanted()} == {"en", "zh"}


def test_another_retailers_question_of_the_same_id_wants_no_arguments(record):
    other = load_cases(folder="online_retail", file="tools.jsonl")[0]
    found = record("en-lookalike-001", turns=list(other.turns), calls=[], tool=other.tool, called=[])
    assert rescore([found], lambda _node: ())[0]["scores"]["arguments"] is None


def test_wrong_arguments_are_a_failure_that_the_report_tells(record):
    turns = next(list(case.turns) for case in load_cases("dev") if case.id == "en-lookalike-001")
    asked = {
        "tool": "find_lookalikes",
        "gold": None,
        "called": ["find_lookalikes"],
        "found": None,
        "turns": turns,
    }
    calls = [{"name": "find_lookalikes", "arguments": {"top": 100}}]
    wrong_top, right_top = (
        rescore([record("en-lookalike-001", calls=[call], **asked)], lambda _node: ())[0]
        for call in (calls[0], {"name": "find_lookalikes", "arguments": {"top": 500}})
    )
    assert (wrong_top["scores"]["arguments"], right_top["scores"]["arguments"]) == (0, 1)
    assert (failed(wrong_top), failed(right_top)) == (True, False)
    assert measure(by_name("arguments right"), [wrong_top, right_top]).value == 0.5
    page = html([wrong_top], [right_top])
    assert "Arguments wanted" in page
    assert "Newly wrong: 1" in page
    older = record("en-lookalike-001", **asked)
    assert rescore([older], lambda _node: ())[0]["scores"]["arguments"] is None


def test_a_question_of_two_readings_is_judged_by_what_it_splits_and_whether_one_is_right(record):
    sets = {"a": {"1", "2", "3", "4"}, "b": {"3", "4"}, "gold": {"3", "4"}}

    def members(node):
        return sets[node.segment]

    def scores(found, other):
        given = {"found": {"member_of": found}, "gold": {"member_of": "gold"}}
        return rescore([record("x", other=other and {"member_of": other}, **given)], members)[0]["scores"]

    assert (scores("a", "b")["apart"], scores("a", "b")["offered"]) == (0.5, 1.0)
    assert (scores("b", "b")["apart"], scores("a", "a")["offered"]) == (0.0, pytest.approx(2 / 3))
    assert (scores("a", None)["apart"], scores("a", None)["offered"]) == (None, None)


@pytest.mark.parametrize(
    ("question", "turns", "good"),
    [
        ("Which customers do you mean? For example by spend or recency.", ["the good ones"], 1),
        ("按什么拆分？例如年龄或消费金额。", ["拆分一下"], 1),
        ("Delete the saved segment 'gas test'? Answer yes to confirm.", ["delete the segment gas test"], 1),
        ("Under which name?", ["save it"], 0),
        ("The segment is empty; there is nobody to plan for.", ["plan it"], 0),
    ],
)
def test_a_question_back_can_be_answered_where_it_asks_and_offers_something(question, turns, good):
    assert answerable(question, turns) == good
