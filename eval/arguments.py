"""What the tools of dev questions are to be called with (`eval/arguments.jsonl`), and whether they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from eval.cases import load_cases
from eval.json_lines import read_lines

WANTED = Path(__file__).parent / "arguments.jsonl"


@cache
def wanted() -> dict[tuple[str, ...], dict[str, Any]]:
    """Arguments by the turns of a case: of the last turn's tool, those that its words settle. None: it must not be given.

    By turns, because another retailer's questions have the same ids.
    """
    turns = {case.id: case.turns for case in load_cases("dev")}
    return {turns[row["id"]]: row["arguments"] for row in read_lines(WANTED)}


def arguments_right(arguments: Mapping[str, Any], tool: str, calls: Sequence[Mapping[str, Any]]) -> float:
    """The share of the wanted arguments that the last call of the tool has; 0 where it was not called.

    Numbers are compared by value, text without case, lists as sets. Arguments that nothing is said of may be anything.
    """
    called = next((call["arguments"] for call in reversed(calls) if call["name"] == tool), None)
    if called is None:
        return 0.0
    return sum(_same(value, called.get(name)) for name, value in arguments.items()) / len(arguments)


def _same(wanted: Any, found: Any) -> bool:
    if wanted is None or found is None:
        return wanted is found
    if isinstance(wanted, list):
        return isinstance(found, list) and set(map(_plain, wanted)) == set(map(_plain, found))
    return bool(_plain(wanted) == _plain(found))


def _plain(value: Any) -> float | str:
    """A number or a text as it is compared: '18' and 18 are the same campaign."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value).casefold().strip()
