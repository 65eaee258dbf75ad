"""Scorers: each says exactly what it compares. Scores lie in 0..1."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Sequence
from typing import Any

from assistant.market_intents import MARKET_TOOLS

NO_SEGMENT_TOOLS = frozenset(
    {"refuse", "clarify", "list_segments", "discover_segments", "delete_segment", "measure_campaign"}
    | set(MARKET_TOOLS)
)


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


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
