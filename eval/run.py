"""Run a question set against an assistant and report, split by split.

    python -m eval.run [--split dev] [--language zh] [--out eval/runs/NAME.jsonl]
    python -m eval.run --fast --gate eval/baseline.json        the regression gate
    python -m eval.run --rescore --out eval/runs/NAME.jsonl    scores anew, nothing is asked
    python -m eval.run --compare eval/runs/BEFORE.jsonl        beside an earlier run, case by case

Each case is one line of the record, written as it ends: a run that is interrupted goes on where it was. Of the test
split only numbers are shown.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from assistant.app import Assistant
from assistant.rooms import Rooms
from assistant.workspace import DEFAULT, open_workspace
from eval import gate
from eval.cases import Case, fast_subset, load_cases
from eval.metrics import METRICS, Record, failed, measure, paired
from eval.record import append, ask_case, load, rescore, run_identity, save
from eval.report import html
from eval.scorers import Members
from segments.atomic import write_text
from segments.canonical import fingerprint
from segments.codec import from_json, to_json
from segments.definition import Node
from segments.errors import UserError
from serving.llm.server import connect


def members_of(rooms: Rooms) -> Members:
    """The members of definitions, each counted once."""

    @cache
    def known(_key: str, text: str) -> frozenset[str]:
        return frozenset(rooms.audiences.members(from_json(json.loads(text))))

    def members(node: Node) -> Collection[str]:
        return known(fingerprint(node), json.dumps(to_json(node)))

    return members


@contextmanager
def opened(workspace: Path, base_url: str, model: str) -> Iterator[Assistant]:
    """The assistant of a workspace: with its own language model, or any server of the OpenAI protocol (and its adapter)."""
    if base_url:
        chat = connect(base_url).chat
        yield Assistant(Rooms(open_workspace(workspace)), replace(chat, model=model or chat.model))
        return
    from serving.cli import assistant_for

    with assistant_for(workspace) as assistant:
        yield assistant


def ask_all(assistant: Assistant, cases: Sequence[Case], out: Path, model: str) -> list[Record]:
    """Ask the cases that the record does not hold yet."""
    records = load(out)
    save(out, records)
    done = {record["id"] for record in records}
    members, run = members_of(assistant.rooms), run_identity(model)
    assistant.warm()
    for case in track([case for case in cases if case.id not in done], description="asking"):
        records.append(ask_case(assistant, case, members, run))
        append(out, records[-1])
    wanted = {case.id for case in cases}
    return [record for record in records if record["id"] in wanted]


def table(records: Sequence[Record]) -> Table:
    """The metrics by split and language; a metric that nothing bears on is left out."""
    shown = Table(title=f"{len(records)} cases; share (95 % interval; n)")
    groups = {
        (split, language): [r for r in records if r["split"] == split and language in (r["language"], "both")]
        for split in ("dev", "test")
        for language in ("en", "zh", "both")
    }
    groups = {name: chosen for name, chosen in groups.items() if chosen}
    for name in ("metric", *(f"{split} {language}" for split, language in groups)):
        shown.add_column(name)
    for metric in METRICS:
        row = [measure(metric, chosen) for chosen in groups.values()]
        if any(cell.n for cell in row):
            shown.add_row(metric.name, *map(str, row))
    return shown


def comparison(before: Sequence[Record], after: Sequence[Record]) -> Table:
    """Every metric, this run less an earlier one, on the cases of both."""
    shown = Table(title="this run less the earlier one, case by case")
    for name in ("metric", "cases", "difference", "95 % interval", "p (McNemar, exact)"):
        shown.add_column(name)
    for metric in METRICS:
        found = paired(metric, before, after)
        if found.n:
            digits = "+.1%" if metric.unit == "share" else "+.2f"
            edges = f"{found.low:{digits}} to {found.high:{digits}}"
            p = f"{found.p:.3f}" if metric.unit == "share" else "-"
            shown.add_row(metric.name, str(found.n), f"{found.difference:{digits}}", edges, p)
    return shown


def failures(records: Sequence[Record], console: Console) -> None:
    """The dev cases that went wrong, one a line. Of the test split only how many."""
    for record in records:
        if record["split"] != "test" and failed(record):
            f1 = record["scores"]["f1"]
            line = f"{record['id']:16} f1 {'  - ' if f1 is None else f'{f1:.2f}'} {record['called']} {record['turns'][-1]}"
            console.print(line, highlight=False, markup=False)
    hidden = sum(record["split"] == "test" and failed(record) for record in records)
    if hidden:
        console.print(f"and {hidden} of the test split, which are not shown")


def main() -> None:
    """Command line."""
    given = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 180)
    cases = load_cases(given.split, given.language, given.kind, folder=given.questions)
    if given.fast:
        cases = fast_subset(cases)
    if given.rescore:
        rooms = Rooms(open_workspace(given.workspace))
        records = rescore(load(given.out), members_of(rooms))
        save(given.out, records)
    else:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        if given.fresh:
            given.out.unlink(missing_ok=True)
        try:
            with opened(given.workspace, given.base_url, given.model) as assistant:
                records = ask_all(assistant, cases, given.out, given.model or given.base_url or "embedded")
        except UserError as error:
            sys.exit(str(error))
    console.print(table(records))
    failures(records, console)
    before = load(given.compare) if given.compare else []
    if before:
        console.print(comparison(before, records))
    page = given.out.with_suffix(".html")
    write_text(page, html(records, before))
    console.print(f"Report: {page}", highlight=False)
    if given.write_baseline:
        write_text(given.write_baseline, gate.baseline(records))
    if given.gate:
        broken = gate.check(records, given.gate)
        for sentence in broken:
            console.print(sentence, style="red", highlight=False, markup=False)
        sys.exit(1 if broken else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m eval.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--questions", default="", help="a folder of eval/questions: another retailer's set")
    parser.add_argument("--split", choices=("dev", "test"))
    parser.add_argument("--language", choices=("en", "zh"))
    parser.add_argument("--kind")
    parser.add_argument("--fast", action="store_true", help="some sixty dev questions of every kind, for CI")
    parser.add_argument("--out", type=Path, default=Path("eval/runs/latest.jsonl"))
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run of the same name")
    parser.add_argument("--rescore", action="store_true", help="score the record of --out anew; ask nothing")
    parser.add_argument("--compare", type=Path, help="the record of an earlier run")
    parser.add_argument("--gate", type=Path, help="a baseline; exit status 1 when a metric fell below it")
    parser.add_argument("--write-baseline", type=Path, help="write this run's metrics as a baseline")
    parser.add_argument(
        "--base-url", default="", help="any server of the OpenAI protocol, e.g. http://host:8000/v1"
    )
    parser.add_argument("--model", default="", help="the name the server knows its model by")
    return parser.parse_args()


if __name__ == "__main__":
    main()
