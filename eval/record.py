"""The record of a run: one JSON line a case, written as it ends, so that an interrupted run goes on where it was.

A record holds everything that scoring needs, so a run is scored anew without asking again (`rescore`).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import UsageMetadataCallbackHandler, get_usage_metadata_callback

import prompts
from assistant.app import Answer, Assistant
from assistant.bundle import tools_fingerprint
from eval.cases import Case
from eval.scorers import Members, score
from segments.atomic import write_text
from segments.codec import to_json
from segments.errors import DataError

Record = dict[str, Any]


def run_identity(model: str, arm: str = "") -> dict[str, str]:
    """What a record was made by: commit ('+' when the tree had changes), prompts, tools, model, ablation arm."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False
    )
    return {
        "commit": done.stdout.strip() or "unknown",
        "prompts": prompts.fingerprint(),
        "tools": tools_fingerprint(),
        "model": model,
        "arm": arm,
    }


def ask_case(assistant: Assistant, case: Case, members: Members, run: dict[str, str]) -> Record:
    """Ask a case's turns, write down what came of the last, and score it. What it raises becomes `error`."""
    answer: Answer | None = None
    conversation, error = None, ""
    seconds: list[float] = []
    tokens = _Tokens()
    try:
        for turn in case.turns:
            with get_usage_metadata_callback() as usage:
                answer = assistant.ask(turn, conversation)
            conversation = answer.conversation
            seconds.append(answer.timings["total"])
            tokens.add(usage)
    except Exception as raised:  # noqa: BLE001 - a turn that crashes is a failed case, not the end of the run
        answer, error = None, f"{getattr(raised, 'code', type(raised).__name__)}: {raised}"
    record = _record(case, answer) | {
        "other": _other_reading(assistant, conversation) if answer else None,
        "error": error,
        "seconds": seconds,
        "tokens": tokens.to_json(),
        "run": run,
    }
    return record | {"scores": score(record, members)}


def _record(case: Case, answer: Answer | None) -> Record:
    return {
        "id": case.id,
        "split": case.split,
        "language": case.language,
        "kind": case.kind,
        "turns": list(case.turns),
        "tool": case.tool,
        "gold": to_json(case.gold) if case.gold is not None else None,
        "also": [to_json(other) for other in case.also],
        "found": answer.segment["definition"] if answer and answer.segment else None,
        "words": answer.segment["words"] if answer and answer.segment else None,
        "calls": answer.tool_calls if answer else [],
        "called": [call["name"] for call in answer.tool_calls] if answer else [],
        "answer": answer.answer if answer else "",
        "evidence": answer.evidence if answer else [],
        "refused": answer.refused if answer else None,
        "clarification": answer.clarification if answer else None,
        "timings": answer.timings if answer else {},
        "plan": answer.strategy.to_dict() if answer and answer.strategy else None,
    }


def _other_reading(assistant: Assistant, conversation: str | None) -> dict[str, Any] | None:
    """The other reading that the last answer offers, which a 'yes' would take; None where it offers none."""
    pending = assistant.kept.state(conversation).get("pending") if conversation else None
    offered = pending is not None and pending["tool"] == "define_segment"
    return pending["arguments"]["definition"] if pending is not None and offered else None


class _Tokens:
    """Prompt and completion tokens of each turn that asked the model, as its server counted them."""

    def __init__(self) -> None:
        self.prompt: list[int] = []
        self.completion: list[int] = []
        self.cached_share: list[float] = []

    def add(self, usage: UsageMetadataCallbackHandler) -> None:
        """One turn's calls; nothing when the server counts no tokens."""
        counts = list(usage.usage_metadata.values())
        prompt = sum(count["input_tokens"] for count in counts)
        if not prompt:
            return
        self.prompt.append(prompt)
        self.completion.append(sum(count["output_tokens"] for count in counts))
        self.cached_share.append(
            sum(count.get("input_token_details", {}).get("cache_read", 0) for count in counts) / prompt
        )

    def to_json(self) -> dict[str, list[int] | list[float]]:
        return {"prompt": self.prompt, "completion": self.completion, "cached_share": self.cached_share}


def load(path: Path) -> list[Record]:
    """The records of a run; a last line that was cut off is left out. Raises DataError for any other bad line."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return list(_parsed(lines, path))


def _parsed(lines: Sequence[str], path: Path) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            if number < len(lines):
                raise DataError(f"{path} line {number}: not JSON; the run cannot be read.") from error


def save(path: Path, records: Sequence[Record]) -> None:
    """Write a whole run at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def append(path: Path, record: Record) -> None:
    """Add one record to a run."""
    with path.open("a", encoding="utf-8") as out:
        out.write(json.dumps(record, ensure_ascii=False) + "\n")


def rescore(records: Sequence[Record], members: Members) -> list[Record]:
    """The records with scores computed anew; nothing is asked."""
    return [record | {"scores": score(record, members)} for record in records]
