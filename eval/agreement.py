"""How often annotators who did not know the golds of the test split read its questions as the golds do.

    python -m eval.agreement [--workspace workspaces/demo]

It says what a reader can reach on these questions. Two readings are the same where F1 of their members is 0.95 or more.
Of the test split only sums are shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from assistant.rooms import Rooms
from assistant.workspace import DEFAULT, open_workspace
from eval.cases import QUESTIONS, Case, load_cases
from eval.intervals import wilson
from eval.json_lines import read_lines
from eval.readings import RIGHT
from eval.run import members_of
from eval.scorers import NO_SEGMENT_TOOLS, Members, member_f1
from segments.codec import from_json
from segments.definition import Node

FOLDER = QUESTIONS / "agreement"


@dataclass(frozen=True)
class Annotation:
    """first: what the annotator took a question to mean; other: as good a reading, if any."""

    first: Node | None
    other: Node | None = None


def read_annotations(name: str) -> dict[str, Annotation]:
    """The annotations of an annotator, by case."""

    def node(row: Mapping[str, object], key: str) -> Node | None:
        return from_json(row[key]) if key in row else None

    return {
        str(row["id"]): Annotation(node(row, "definition"), node(row, "other"))
        for row in read_lines(FOLDER / f"{name}.jsonl")
    }


def same(one: Sequence[Node | None], others: Sequence[Node | None], members: Members) -> bool:
    """Whether any of the readings finds those whom any of the others finds."""
    return any(
        member_f1(members(each), members(other)) >= RIGHT
        for each in one
        if each is not None
        for other in others
        if other is not None
    )


def agreements(
    cases: Sequence[Case], a: Mapping[str, Annotation], b: Mapping[str, Annotation], members: Members
) -> Iterator[tuple[str, int, int]]:
    """What is compared, in how many cases it is the same, and of how many."""
    both = [case for case in cases if case.id in a and case.id in b]

    def count(
        name: str, pairs: Sequence[tuple[list[Node | None], list[Node | None]]]
    ) -> tuple[str, int, int]:
        return name, sum(same(one, other, members) for one, other in pairs), len(pairs)

    for name, read in (("a", a), ("b", b)):
        golds = [([read[case.id].first], [case.gold, *case.also]) for case in both]
        yield count(f"{name} and the gold or `also`", golds)
        yield count(f"{name} and the gold alone", [(mine, gold[:1]) for mine, gold in golds])
    yield count("a and b", [([a[case.id].first], [b[case.id].first]) for case in both])
    either = [
        ([a[case.id].first, a[case.id].other, b[case.id].first, b[case.id].other], [case.gold, *case.also])
        for case in both
    ]
    yield count("any of theirs and the gold or `also`", either)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    asked = parser.parse_args()
    members = members_of(Rooms(open_workspace(asked.workspace)))
    cases = [
        case for case in load_cases("test") if case.gold is not None and case.tool not in NO_SEGMENT_TOOLS
    ]
    a, b, console = read_annotations("a"), read_annotations("b"), Console(highlight=False)
    parts = {"all": cases} | {
        language: [case for case in cases if case.language == language] for language in ("en", "zh")
    }
    parts["conversations"] = [case for case in cases if len(case.turns) > 1]
    for name, part in parts.items():
        for what, agreed, of in agreements(part, a, b, members):
            low, high = wilson(agreed, of)
            console.print(
                f"{name:14} {what:36} {agreed:4} of {of:4}  {agreed / of:.1%} ({low:.1%} to {high:.1%})"
            )


if __name__ == "__main__":
    main()
