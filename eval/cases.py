"""Cases: questions with gold, as JSON lines under `eval/questions/`."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.json_lines import read_lines
from segments.codec import from_json
from segments.definition import Node

QUESTIONS = Path(__file__).parent / "questions"


@dataclass(frozen=True)
class Case:
    """A conversation, the segment it should end with (or one of `also`), and the last turn's tool."""

    id: str
    split: str
    language: str
    kind: str
    turns: tuple[str, ...]
    gold: Node | None
    also: tuple[Node, ...]
    tool: str


def load_cases(
    split: str | None = None,
    language: str | None = None,
    kind: str | None = None,
    file: str = "*.jsonl",
    folder: str = "",
) -> list[Case]:
    """The cases of the files that match `file`, in file order; the other filters keep the equal ones.

    folder: the question set of another retailer, beside the demo's ('online_retail').
    """
    cases = []
    for path in sorted((QUESTIONS / folder).glob(file)):
        cases += [_case(row) for row in read_lines(path)]
    return [
        case
        for case in cases
        if (split is None or case.split == split)
        and (language is None or case.language == language)
        and (kind is None or case.kind == kind)
    ]


FAST_PER_KIND = 1


def fast_subset(cases: Sequence[Case]) -> list[Case]:
    """A dev case of every kind and language, the same ones every time: those whose ids hash lowest."""
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).digest()):
        if case.split == "dev":
            groups[case.kind, case.language].append(case)
    chosen = {case.id for group in groups.values() for case in group[:FAST_PER_KIND]}
    return [case for case in cases if case.id in chosen]


def _case(data: dict[str, Any]) -> Case:
    also: Sequence[dict[str, Any]] = data.get("also", ())
    return Case(
        data["id"],
        data["split"],
        data["language"],
        data["kind"],
        tuple(data["turns"]),
        from_json(data["gold"]) if data.get("gold") else None,
        tuple(from_json(other) for other in also),
        data["tool"],
    )
