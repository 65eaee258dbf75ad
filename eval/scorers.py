"""Scorers: each says exactly what it compares. Scores lie in 0..1; None means that a case does not ask for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from assistant.market_intents import MARKET_TOOLS
from eval.arguments import arguments_right, wanted
from eval.clarity import answerable, offered_apart
from eval.strategy_rubric import rubric
from segments.codec import from_json
from segments.definition import Node
from segments.errors import UserError

NO_SEGMENT_TOOLS = frozenset(
    {"refuse", "clarify", "list_segments", "discover_segments", "delete_segment", "measure_campaign"}
    | set(MARKET_TOOLS)
)
Members = Callable[[Node], Collection[str]]
"""The members of a definition; raises UserError when it does not hold."""


def score(record: dict[str, Any], members: Members) -> dict[str, float | None]:
    """Every score of a record (see `eval.record`), from what is written in it and the gold's members."""
    f1 = segment_f1(record, members)
    called, refused, asked = record["called"], record["refused"] is not None, bool(record["clarification"])
    return {
        "f1": f1,
        "exact": None if f1 is None else float(f1 == 1.0),
        "tool": float(not record["error"] and tool_right(record["tool"], called, refused, asked)),
        "grounded": float(grounded(record["answer"], record["evidence"])) if record["evidence"] else None,
        "language": float(in_language(record["answer"], record["language"])) if record["answer"] else 0.0,
        "rubric": strategy_score(record),
        "arguments": arguments_score(record),
        "offered": _offered_f1(record, members),
        "apart": offered_apart(record, members),
        "answerable": answerable(record["clarification"], record["turns"]) if asked else None,
    }


def arguments_score(record: dict[str, Any]) -> float | None:
    """The share of the wanted arguments that the tool was called with; None where none are known of the case, or the
    record is of before calls were kept."""
    arguments = wanted().get(tuple(record["turns"]))
    if arguments is None or "calls" not in record:
        return None
    return arguments_right(arguments, record["tool"], record["calls"])


def _offered_f1(record: dict[str, Any], members: Members) -> float | None:
    """The better F1 of the two readings that an answer offers; None where it offers one, or no segment is expected."""
    first = segment_f1(record, members)
    if first is None or not record.get("other"):
        return None
    return max(first, segment_f1(record | {"found": record["other"]}, members) or 0.0)


def strategy_score(record: dict[str, Any]) -> float | None:
    """The share of the rubric's rules that a plan keeps; None where no plan is told."""
    if record["plan"] is None or record["called"][-1:] != ["plan_strategy"]:
        return None
    kept = rubric(record["plan"], record["answer"])
    return sum(kept.values()) / len(kept)


def segment_f1(record: dict[str, Any], members: Members) -> float | None:
    """Best F1 against gold and its accepted alternatives; None where no segment is expected."""
    if record["gold"] is None or record["tool"] in NO_SEGMENT_TOOLS:
        return None
    if record["found"] is None:
        return 0.0
    try:
        found = members(from_json(record["found"]))
    except UserError:
        return 0.0
    golds = (record["gold"], *record["also"])
    return max(member_f1(found, members(from_json(gold))) for gold in golds)


def member_f1(found: Collection[str], gold: Collection[str]) -> float:
    """F1 of two member sets; 1 when both are empty."""
    mine, theirs = set(found), set(gold)
    if not mine and not theirs:
        return 1.0
    return 2 * len(mine & theirs) / (len(mine) + len(theirs))


def tool_right(expected: str, called: Sequence[str], refused: bool, asked: bool) -> bool:
    """Whether the last tool called is the expected one; a define and a refine that end alike are one."""
    if expected == "refuse":
        return refused
    if expected == "clarify":
        return asked
    if expected == "clarify_or_assume":
        return asked or bool(called)
    last = called[-1] if called else None
    same = {"define_segment": "define", "refine_segment": "define", "open_segment": "show_segment"}
    return last is not None and same.get(last, last) == same.get(expected, expected)


_NUMBER = re.compile(r"(?<![A-Za-z_0-9.])\d[\d,]*(?:\.\d+)?")


def grounded(answer: str, evidence: Sequence[dict[str, Any]]) -> bool:
    """Whether every number of the answer is in the evidence as printed, or rounds from a value in it.

    Reads the JSON of the evidence, not the assistant's own check: a share may be shown as per cent.
    """
    printed = [float(n.replace(",", "")) for n in _NUMBER.findall(json.dumps(evidence, ensure_ascii=False))]
    held = printed + [value * 100 for value in printed]
    for said in _NUMBER.findall(answer):
        half = 0.5 * 10 ** -len(said.partition(".")[2]) + 1e-9
        value = float(said.replace(",", ""))
        if not any(abs(value - known) <= half for known in held):
            return False
    return True


_QUOTED = re.compile(r"[\"“「《'‘].*?[\"”」》'’]|[A-Z0-9][A-Z0-9 &/.:()'-]+")
"""Names and product values, which stay as the data has them in either language."""


def in_language(answer: str, language: str) -> bool:
    """Whether an answer is written in the language of its question: Chinese has more Han than Latin letters,
    English no Han at all, quoted names and capitals left out."""
    plain = _QUOTED.sub("", answer)
    han = len(re.findall(r"[一-鿿]", plain))
    return han * 2 > len(re.findall(r"[A-Za-z]", plain)) if language == "zh" else han == 0
