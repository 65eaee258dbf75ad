"""Pairs to learn from: messages as people write them, and the tools that they ask for.

    python -m eval.adapter.tools --messages said.jsonl --out tool_pairs.jsonl

Somebody, or a larger model of your own, writes messages and what each asks for: {"language": "en", "message": ...,
"tool": ...} a line, and the reason where it is refused (`assistant.tool_reading.ASKED`, `REASONS`). To these come the dev
questions, and requests of `pairs.jsonl`, which describe a segment. A message that a test question holds is left out.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.tool_reading import ASKED, REASONS
from eval.cases import Case, load_cases
from eval.json_lines import read_lines, write_lines

PAIRS = Path(__file__).with_name("pairs.jsonl")
DESCRIPTIONS = 400
"""How many requests of `pairs.jsonl` are taken."""
HELD = 22 / 256
"""Share of the written messages that no pair is learned from."""
SAID = {"clarify_or_assume": "clarify"}
"""Of a question that may be answered either way: what the model is to say of it."""


def join(
    messages: Iterable[dict[str, Any]], cases: Sequence[Case]
) -> tuple[list[dict[str, str]], Counter[str]]:
    """Pairs of written messages and of dev questions, and what became of the messages. Raises ValueError for an unknown
    tool or reason."""
    tested = {_key(case.turns[-1]) for case in cases if case.split == "test"}
    fate, rows, seen = Counter[str](), list[dict[str, str]](), set[str]()
    for number, row in enumerate(messages, 1):
        message, key = row["message"].strip(), _key(row["message"])
        if key in tested or key in seen:
            fate["a test question's" if key in tested else "twice"] += 1
            continue
        seen.add(key)
        split = "held" if hashlib.sha256(message.encode()).digest()[0] < HELD * 256 else "train"
        rows.append(
            _pair(f"{row['language']}-tool-{number:04}", "written", split, message, row["language"], row)
        )
        fate[split] += 1
    dev = [case for case in cases if case.split == "dev" and case.tool not in (None, "define_segment")]
    rows += [_of_case(case) for case in dev if _key(case.turns[-1]) not in seen | tested]
    return [*rows, *_descriptions(tested | seen)], fate


def _pair(
    name: str, source: str, split: str, message: str, language: str, said: dict[str, Any]
) -> dict[str, str]:
    tool = said["tool"]
    if tool not in (*ASKED, "refuse"):
        raise ValueError(f"{name}: the tool {tool!r} is none of {', '.join(ASKED)}, refuse.")
    made = {
        "id": name,
        "source": source,
        "language": language,
        "split": split,
        "request": message,
        "tool": tool,
    }
    if tool != "refuse":
        return made
    if said.get("reason") not in REASONS:
        raise ValueError(f"{name}: the reason {said.get('reason')!r} is none of {', '.join(REASONS)}.")
    return made | {"reason": said["reason"]}


def _of_case(case: Case) -> dict[str, str]:
    reason = case.kind if case.kind in REASONS else "out_of_scope"
    said = {"tool": SAID.get(str(case.tool), case.tool), "reason": reason}
    return _pair(case.id, "dev", "train", case.turns[-1], case.language, said)


def _descriptions(taken: set[str]) -> Iterator[dict[str, str]]:
    """Every so many request of the pairs of sketches."""
    voices = [pair for pair in read_lines(PAIRS) if pair["source"] == "voice" and pair["split"] == "train"]
    for pair in voices[:: max(1, len(voices) // DESCRIPTIONS)]:
        if _key(pair["request"]) not in taken:
            said = {"tool": "define_segment"}
            yield _pair(pair["id"], "voice", "train", pair["request"], pair["language"], said)


def _key(message: str) -> str:
    """A message for comparing: its letters and figures."""
    return "".join(filter(str.isalnum, message.casefold()))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    written = [row for path in asked.messages for row in read_lines(path)]
    pairs, fate = join(written, load_cases("dev") + load_cases("test"))
    write_lines(asked.out, pairs)
    print(f"{asked.out}: {len(pairs)} pairs ({', '.join(f'{what} {n}' for what, n in sorted(fate.items()))})")


if __name__ == "__main__":
    main()
