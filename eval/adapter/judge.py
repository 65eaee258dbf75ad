"""What a second reading by sketches is worth, on single questions that describe a segment.

    python -m eval.adapter.judge --base-url http://127.0.0.1:8081/v1 [--split dev [--held] | --split test]

For the linker, the sketch alone, and the product with `second_reading` = doubt and = always: how many readings have the
gold's members; of the last, how many right and wrong ones are told beside the one taken, and how often each confidence
is right; and the seconds a sketch takes. Of the test split only sums are shown; --out (dev only) writes every question.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track

from assistant.llm import TunedModel, tuned
from assistant.rooms import Rooms, make_linker
from assistant.second_reading import SecondReader, Sketch, describes, doubtful
from assistant.workspace import DEFAULT, open_workspace
from eval.adapter.pairs import HELD
from eval.cases import Case, load_cases
from eval.intervals import wilson
from eval.json_lines import write_lines
from eval.readings import RIGHT, Readings
from segments.definition import Node
from segments.explain import explain
from serving.llm.server import connect

LEVELS = ("high", "medium", "low", "none")


def judge(
    rooms: Rooms, reader: SecondReader, adapted: TunedModel, cases: list[Case], console: Console
) -> list[dict[str, object]]:
    """One row a case; the sums are printed."""
    readings = Readings(rooms)

    def right(reading: Node | None) -> bool:
        return readings.f1(case, reading) >= RIGHT

    counts, seconds, rows = Counter[str](), list[float](), list[dict[str, object]]()
    for case in track(cases, "asking", console=console):
        message = case.turns[0]
        link = reader.linker.link(message)
        began = time.perf_counter()
        sketch = reader.sketched(adapted, message)
        seconds.append(time.perf_counter() - began)
        sketches = partial(_again, reader, adapted, message, sketch)
        joined = reader.chosen(link, sketches) if describes(link, None) else link
        told = joined.alternative if joined.alternative != link.alternative else None
        found = {
            "linker": right(link.reading),
            "sketch": right(sketch.node),
            "doubt": right((joined if doubtful(link) else link).reading),
            "always": right(joined.reading),
            "told, right": right(told),
            "told, wrong": told is not None and not right(told),
        }
        confidence = joined.confidence or "none"
        counts.update(name for name, holds in found.items() if holds)
        counts.update([f"of {confidence}", *([f"{confidence} right"] if found["always"] else [])])
        rows.append(
            {"id": case.id, "request": case.turns[0], "confidence": confidence}
            | {"probability": sketch.probability}
            | found
            | {
                "read": _words(rooms, link.reading),
                "sketched": _words(rooms, sketch.node),
                "gold": _words(rooms, case.gold),
            }
        )
    shown = [(name, name, len(cases)) for name in found] if cases else []
    shown += [(f"{level} confidence", f"{level} right", counts[f"of {level}"]) for level in LEVELS]
    for title, name, of in shown:
        if of:
            low, high = wilson(counts[name], of)
            console.print(
                f"{title:20} {counts[name]:4} of {of:4}  {counts[name] / of:.1%} ({low:.1%} to {high:.1%})"
            )
    if seconds:
        console.print(
            f"seconds a sketch: median {statistics.median(seconds):.1f}, longest {max(seconds):.1f}"
        )
    return rows


def _again(reader: SecondReader, adapted: TunedModel, message: str, first: Sketch, draw: int) -> Sketch:
    """The n-th sketch of a message, the first of which is made already."""
    return reader.sketched(adapted, message, draw) if draw else first


def _words(rooms: Rooms, node: Node | None) -> str | None:
    return None if node is None else explain(node, rooms.warehouse.catalogue)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--base-url", required=True, help="a server that has a sketch adapter")
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--held", action="store_true", help="only the voices that no pair is learned from")
    parser.add_argument("--file", default="*.jsonl", help="question files, as a glob")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.out is not None and asked.split == "test":
        parser.error("--out: the test split is never shown; leave it out, or take --split dev")
    model = connect(asked.base_url).chat
    adapted = tuned(model)
    if adapted is None:
        parser.error(f"--base-url: the server at {asked.base_url} has no sketch adapter")
    rooms = Rooms(open_workspace(asked.workspace))
    audiences = rooms.audiences
    reader = SecondReader(make_linker(rooms), model, audiences.vocabulary, audiences.members)
    cases = [
        case
        for case in load_cases(asked.split, file=asked.file)
        if len(case.turns) == 1 and case.gold is not None and (not asked.held or HELD.search(case.id))
    ]
    rows = judge(rooms, reader, adapted, cases, Console(highlight=False))
    if asked.out is not None:
        write_lines(asked.out, rows)


if __name__ == "__main__":
    main()
