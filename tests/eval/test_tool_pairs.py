"""Pairs of messages and tools: what joins them, what is left out, and the pairs that ship."""

from pathlib import Path
from typing import Any

import pytest

from assistant import tool_reading
from assistant.tool_reading import ASKED, REASONS
from eval.adapter import tools
from eval.adapter.train import _lesson
from eval.cases import load_cases
from eval.json_lines import read_lines

SHIPPED = Path(tools.__file__).with_name("tool_pairs.jsonl")


def said(message: str, tool: str = "trend_segment", **more: str) -> dict[str, Any]:
    return {"language": "en", "message": message, "tool": tool, **more}


def written(*messages: dict[str, Any]) -> tuple[list[dict[str, str]], dict[str, int]]:
    pairs, fate = tools.join(messages, load_cases("test"))
    return [pair for pair in pairs if pair["source"] == "written"], dict(fate)


def test_a_message_is_taken_once_and_never_one_of_a_test_question() -> None:
    tested = load_cases("test")[0].turns[-1]
    pairs, fate = written(said("Up or down?"), said("up or DOWN"), said(tested.upper()))
    assert [pair["request"] for pair in pairs] == ["Up or down?"]
    assert fate["twice"] == 1
    assert fate["a test question's"] == 1


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (said("Up?", "grow_segment"), "'grow_segment'"),
        (said("Up?", "refuse"), "reason None"),
        (said("Up?", "refuse", reason="boredom"), "'boredom'"),
    ],
)
def test_an_unknown_label_is_named(row: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        tools.join([row], [])


def test_a_pair_is_learned_as_the_assistant_asks() -> None:
    pair = written(said("drop it all", "refuse", reason="destructive"))[0][0]
    question, answer = _lesson(pair)
    assert question == tool_reading.asked("drop it all")
    assert answer == '{"tool":"refuse","reason":"destructive"}'


def test_the_pairs_that_ship_hold_every_tool_and_no_test_question() -> None:
    pairs = read_lines(SHIPPED)
    learned = {pair["tool"] for pair in pairs if pair["split"] == "train"}
    assert learned <= {*ASKED, "refuse"}
    assert set(ASKED) <= learned
    assert all((pair["tool"] == "refuse") == (pair.get("reason") in REASONS) for pair in pairs)
    tested = {tools._key(case.turns[-1]) for case in load_cases("test")}
    assert not tested & {tools._key(pair["request"]) for pair in pairs}
    held = [pair for pair in pairs if pair["split"] == "held"]
    assert len(held) > 100
    assert {pair["language"] for pair in held} == {"en", "zh"}
