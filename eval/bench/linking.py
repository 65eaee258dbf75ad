"""Recall of linking, without a language model: what of each gold segment the link stage finds.

    python -m eval.bench.linking [--workspace DIR] [--split dev] [--file NAME.jsonl]

For single questions: the share whose first reading has a member-set F1 of at least 0.95, the share whose tool is
offered, and of all features, items, numbers and windows of the golds the share that the reading holds; beside the
same linker without its text encoder (lexical only). Of the test split only sums are shown, never a question.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assistant.linking.link import Link
from assistant.linking.linker import Linker
from assistant.plan import offered_tools
from assistant.rooms import Rooms, make_linker
from assistant.workspace import DEFAULT, open_workspace
from eval.cases import Case, load_cases
from eval.intervals import wilson
from eval.readings import RIGHT, Readings
from segments.definition import (
    ComparisonCondition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    ItemFilter,
    Node,
    PropensityCondition,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    TouchCondition,
    Window,
    conditions,
)

NO_READING = ("list_segments", "discover_segments", "find_lookalikes")
Part = tuple[str, object]
"""What a definition holds: ('features' | 'items' | 'numbers' | 'windows', value)."""


def parts(node: Node) -> set[Part]:
    """Everything of a definition that a question has to say."""
    return {part for condition in conditions(node) for part in _parts(condition)}


def _parts(condition: Node) -> Iterator[Part]:
    match condition:
        case FeatureCondition(feature, _, value):
            yield "features", feature
            yield from _numbers(value)
        case RankCondition(feature=feature, count=count, share=share):
            yield "features", feature
            yield from _numbers((count, share))
        case PropensityCondition(outcome=outcome, min_probability=low, top_share=share):
            yield "features", outcome
            yield from _numbers((low, share))
        case EventCondition(items=items, window=window, measure=measure, value=value):
            yield from _of_event(items, window)
            if (measure, value) != ("count", 1):
                yield from _numbers(value)
        case SequenceCondition(steps=steps, then_not=after, window=window):
            for step in (*steps, *([after] if after else [])):
                yield from _of_event(step.items, window)
                yield from _numbers(step.within_days)
        case TouchCondition(items=items, window=window):
            yield from _of_event(items, window)
        case RepeatCondition(items=items, window=window, times=times, within_days=days):
            yield from _of_event(items, window)
            yield from _numbers((times, days))
        case ComparisonCondition(left=left, right=right, factor=factor):
            for side in (left, right):
                if isinstance(side, EventQuantity):
                    yield from _of_event(side.items, side.window)
                else:
                    yield "features", side
            if factor != 1:
                yield from _numbers(factor)


def _of_event(items: ItemFilter, window: Window) -> Iterator[Part]:
    for name in ("department", "category", "brand", "text"):
        for value in getattr(items, name):
            yield "items", (name, value)
    if window != Window():
        yield "windows", (window.start, window.end)


def _numbers(value: object) -> Iterator[Part]:
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, int | float) and not isinstance(number, bool):
            yield "numbers", float(number)


class Score:
    """Sums over cases, by language."""

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.tools: Counter[str] = Counter()
        self.answerable: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.wanted: Counter[str] = Counter()

    def add(self, case: Case, link: Link, f1: float | None) -> None:
        """One case; `f1` None where no reading is wanted."""
        language = case.language
        self.asked[language] += 1
        self.tools[language] += case.tool in offered_tools(link, False) or case.tool == "clarify_or_assume"
        if f1 is None or case.gold is None:
            return
        self.answerable[language] += 1
        self.right[language] += f1 >= RIGHT
        mine = parts(link.reading) if link.reading is not None else set()
        gold = max(
            (parts(g) for g in (case.gold, *case.also)),
            key=lambda wanted: len(wanted & mine) / max(1, len(wanted)),
        )
        self.wanted.update(kind for kind, _ in gold)
        self.found.update(kind for kind, _ in gold & mine)


def score(linker: Linker, cases: list[Case], readings: Readings) -> Score:
    """Link every case and compare its reading with the gold's members."""
    total = Score()
    for case in cases:
        link = linker.link(case.turns[0])
        f1 = None
        if case.gold is not None and case.tool not in NO_READING:
            f1 = readings.f1(case, link.reading)
        total.add(case, link, f1)
    return total


def _share(found: int, wanted: int) -> str:
    low, high = wilson(found, wanted)
    return f"{found}/{wanted} = {found / max(1, wanted):.1%} ({low:.0%}-{high:.0%})"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--file", default="*.jsonl", help="one file of eval/questions/ only")
    options = parser.parse_args()
    rooms = Rooms(open_workspace(options.workspace))
    cases = [case for case in load_cases(options.split, file=options.file) if len(case.turns) == 1]
    readings = Readings(rooms)
    whole = score(make_linker(rooms), cases, readings)
    lexical = score(make_linker(rooms, dense=False), cases, readings)
    table = Table(title=f"{len(cases)} single questions of the {options.split} split")
    for name in ("", "linker", "lexical only", "ratio"):
        table.add_column(name)
    rows = [(f"reading right, {language}", "right", "answerable", language) for language in ("en", "zh")]
    rows += [(f"tool offered, {language}", "tools", "asked", language) for language in ("en", "zh")]
    rows += [
        (f"{kind} found", "found", "wanted", kind) for kind in ("features", "items", "numbers", "windows")
    ]
    for title, found, wanted, key in rows:
        mine, all_ = getattr(whole, found)[key], getattr(whole, wanted)[key]
        base, base_all = getattr(lexical, found)[key], getattr(lexical, wanted)[key]
        ratio = (mine / max(1, all_)) / (base / base_all) if base else float("nan")
        table.add_row(title, _share(mine, all_), _share(base, base_all), f"{ratio:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
