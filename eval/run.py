"""Run the question set against an assistant and report, split by split.

    python -m eval.run [--split dev] [--language zh] [--out eval/runs/NAME.jsonl]

Each case is one line of the record, written as it ends: a run that is interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

import prompts
from assistant.app import Answer, Assistant
from assistant.workspace import DEFAULT
from eval.cases import Case, load_cases
from eval.scorers import NO_SEGMENT_TOOLS, grounded, member_f1, tool_right, wilson
from segments.codec import from_json, to_json
from segments.errors import SegAssistError

RIGHT = 0.9
"""A segment is right when its member-set F1 against gold is at least this."""


def commit() -> str:
    """The commit the run was made from, with '+' when the tree had changes."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def run_case(assistant: Assistant, case: Case) -> dict[str, Any]:
    """Ask a case's turns and score the last one. An error of ours becomes the record's `error`."""
    answer: Answer | None = None
    conversation = None
    times = []
    try:
        for turn in case.turns:
            answer = assistant.ask(turn, conversation)
            conversation = answer.conversation
            times.append(answer.timings["total"])
    except SegAssistError as error:
        return _record(case, None, times) | {
            "error": f"{error.code}: {error}",
            "f1": 0.0,
            "tool_right": False,
        }
    assert answer is not None
    called = [call["name"] for call in answer.tool_calls]
    right = tool_right(case.tool, called, answer.refused is not None, answer.clarification is not None)
    return _record(case, answer, times) | {"f1": _f1(assistant, case, answer), "tool_right": right}


def _record(case: Case, answer: Answer | None, times: list[float]) -> dict[str, Any]:
    return {
        "id": case.id,
        "split": case.split,
        "language": case.language,
        "kind": case.kind,
        "turns": list(case.turns),
        "tool": case.tool,
        "gold": to_json(case.gold) if case.gold is not None else None,
        "found": answer.segment["definition"] if answer and answer.segment else None,
        "called": [call["name"] for call in answer.tool_calls] if answer else [],
        "answer": answer.answer if answer else "",
        "evidence": answer.evidence if answer else [],
        "refused": answer.refused if answer else None,
        "clarification": answer.clarification if answer else None,
        "grounded": grounded(answer.answer, answer.evidence) if answer else False,
        "seconds": times,
        "timings": answer.timings if answer else {},
    }


def _f1(assistant: Assistant, case: Case, answer: Answer) -> float | None:
    """Best F1 against gold and its accepted alternatives; None where no segment is expected."""
    if case.gold is None or case.tool in NO_SEGMENT_TOOLS:
        return None
    if answer.segment is None:
        return 0.0
    audiences = assistant.rooms.audiences
    found = audiences.members(from_json(answer.segment["definition"]))
    return max(member_f1(found, audiences.members(gold)) for gold in (case.gold, *case.also))


def report(records: list[dict[str, Any]]) -> Table:
    """Right segments, tools and latency by split and language."""
    table = Table(title=f"{len(records)} cases, commit {commit()}, prompts {prompts.fingerprint()}")
    for name in ("split", "language", "segments right", "tools right", "grounded", "median s", "p95 s"):
        table.add_column(name)
    for split in ("dev", "test"):
        for language in ("en", "zh", "both"):
            chosen = [r for r in records if r["split"] == split and language in (r["language"], "both")]
            if not chosen:
                continue
            scored = [r["f1"] for r in chosen if r["f1"] is not None]
            seconds = sorted(s for r in chosen for s in r["seconds"])
            table.add_row(
                split,
                language,
                _share([f1 >= RIGHT for f1 in scored]),
                _share([r["tool_right"] for r in chosen]),
                _share([r["grounded"] for r in chosen if r["evidence"]]),
                f"{statistics.median(seconds):.1f}" if seconds else "-",
                f"{seconds[int(0.95 * (len(seconds) - 1))]:.1f}" if seconds else "-",
            )
    return table


def _share(hits: list[bool]) -> str:
    low, high = wilson(sum(hits), len(hits))
    share = sum(hits) / len(hits) if hits else 0.0
    return f"{share:.1%} ({sum(hits)}/{len(hits)}; {low:.0%}-{high:.0%})"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--questions", default="", help="a folder of eval/questions: another retailer's set")
    parser.add_argument("--split", choices=("dev", "test"))
    parser.add_argument("--language", choices=("en", "zh"))
    parser.add_argument("--kind")
    parser.add_argument("--out", type=Path, default=Path("eval/runs/latest.jsonl"))
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run of the same name")
    parser.add_argument(
        "--show-test", action="store_true", help="list failures of the test split too (then never tune on it)"
    )
    arguments = parser.parse_args()
    from serving.cli import assistant_for

    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    if arguments.fresh:
        arguments.out.unlink(missing_ok=True)
    records = (
        [json.loads(line) for line in arguments.out.read_text().splitlines()]
        if arguments.out.exists()
        else []
    )
    done = {record["id"] for record in records}
    cases = load_cases(arguments.split, arguments.language, arguments.kind, folder=arguments.questions)
    with assistant_for(arguments.workspace) as assistant, arguments.out.open("a", encoding="utf-8") as out:
        assistant.warm()
        for case in track([case for case in cases if case.id not in done], description="asking"):
            record = run_case(assistant, case)
            records.append(record)
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
            out.flush()
    console = Console()
    console.print(report(records))
    for record in records:
        if record["split"] == "test" and not arguments.show_test:
            continue
        if (record["f1"] is not None and record["f1"] < RIGHT) or not record["tool_right"]:
            f1 = "  -  " if record["f1"] is None else f"{record['f1']:.2f}"
            console.print(
                f"{record['id']:14} f1 {f1} {record['called']} {record['turns'][-1]}",
                highlight=False,
                markup=False,
            )


if __name__ == "__main__":
    main()
