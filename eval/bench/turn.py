"""How long a turn takes, warm, stage by stage; and what the server's prefix cache is worth.

    python -m eval.bench.turn [--workspace DIR] [--turns 60]

Asks development questions (conversations turn by turn) through the configured language model and prints the
median and 95th percentile of each stage, of the first visible step, and of everything but the language
model. The baseline is the same plan call with a prompt that the cache has never seen: its instructions begin
with a number used once.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from assistant.app import Assistant
from assistant.llm import ChatModel, TunedModel, tuned
from assistant.plan import instructions, offered_tools, schema, turn_text
from assistant.workspace import DEFAULT, open_workspace
from eval.cases import load_cases
from segments.errors import SegAssistError
from serving.cli import llm_for

UNCACHED_CALLS = 5
TARGETS = {"total": (8.0, 20.0), "first step": (0.5, None), "all but the LLM": (0.2, None)}


@dataclass
class Timed:
    """A ChatModel that adds up the time spent in the model behind it."""

    model: ChatModel
    seconds: float = 0.0
    calls: list[float] = field(default_factory=list)

    def json(self, messages: list[tuple[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """`model.json`, timed."""
        began = time.perf_counter()
        try:
            return self.model.json(messages, schema)
        finally:
            self.calls.append(time.perf_counter() - began)
            self.seconds += self.calls[-1]

    @property
    def tuned(self) -> Beside | None:
        """The model with its adapter: of the turn's seconds, but none of the plan's calls."""
        adapted = tuned(self.model)
        return None if adapted is None else Beside(adapted, self)

    def stream(self, messages: list[tuple[str, str]]) -> Iterator[str]:
        """`model.stream`, timed."""
        began = time.perf_counter()
        yield from self.model.stream(messages)
        self.seconds += time.perf_counter() - began


@dataclass
class Beside:
    """A `TunedModel` whose time is added to another model's."""

    model: TunedModel
    timed: Timed

    def weighed(
        self, messages: list[tuple[str, str]], schema: dict[str, Any], draw: int = 0
    ) -> tuple[dict[str, Any], float]:
        """`model.weighed`, timed."""
        began = time.perf_counter()
        try:
            return self.model.weighed(messages, schema, draw)
        finally:
            self.timed.seconds += time.perf_counter() - began


def measure(assistant: Assistant, timed: Timed, turns: int) -> dict[str, list[float]]:
    """Seconds of each stage over the first `turns` turns of the development questions."""
    found: dict[str, list[float]] = {}
    asked = [case.turns for case in load_cases("dev")]
    asked = asked[:: max(1, sum(map(len, asked)) // turns)]
    for conversation in track(asked, description="asking"):
        thread = None
        for question in conversation:
            began, first, timed.seconds = time.perf_counter(), [0.0], 0.0

            def seen(_step: str, _data: object, began: float = began, first: list[float] = first) -> None:
                first[0] = first[0] or time.perf_counter() - began

            try:
                answer = assistant.ask(question, thread, seen)
            except SegAssistError:
                break
            thread = answer.conversation
            stages = answer.timings | {
                "first step": first[0],
                "all but the LLM": answer.timings["total"] - timed.seconds,
            }
            for name, seconds in stages.items():
                found.setdefault(name, []).append(seconds)
    return found


def uncached(assistant: Assistant, model: ChatModel) -> float:
    """Median seconds of a plan call whose instructions no cache holds."""
    seconds = []
    for number, case in enumerate(load_cases("dev")[:UNCACHED_CALLS]):
        link = assistant.linker.link(case.turns[0])
        system, *rest = instructions()
        fresh = (system[0], f"Turn {time.time_ns()}-{number}.\n{system[1]}")
        text = ("human", turn_text(link, None, assistant.linker.catalogue))
        began = time.perf_counter()
        model.json([fresh, *rest, text], schema(link, offered_tools(link, False), False))
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile, by the nearest rank below."""
    return sorted(values)[int(q * (len(values) - 1))]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--turns", type=int, default=60)
    arguments = parser.parse_args()
    workspace = open_workspace(arguments.workspace)
    with llm_for(arguments.workspace) as server:
        model = server.chat
        timed = Timed(model)
        assistant = Assistant.open(workspace.folder, timed)
        assistant.warm()
        found = measure(assistant, timed, arguments.turns)
        baseline = uncached(assistant, model)
    table = Table(title=f"{len(found['total'])} turns, seconds, {server.backend} {server.model}")
    for name in ("stage", "median", "p95", "target"):
        table.add_column(name)
    for name, values in found.items():
        median, high = statistics.median(values), quantile(values, 0.95)
        wanted = TARGETS.get(name)
        met = "" if wanted is None else _verdict(median, high, wanted)
        table.add_row(name, f"{median:.3f}", f"{high:.3f}", met)
    console = Console()
    console.print(table)
    cached = statistics.median(timed.calls)
    console.print(
        f"plan call: {cached:.2f} s with the prefix cache, {baseline:.2f} s without: {baseline / cached:.1f} times faster"
    )


def _verdict(median: float, high: float, wanted: tuple[float, float | None]) -> str:
    most, tail = wanted
    met = median <= most and (tail is None or high <= tail)
    limit = f"median <= {most:g}" + (f", p95 <= {tail:g}" if tail else "")
    return f"{limit}: {'met' if met else 'MISSED'}"


if __name__ == "__main__":
    main()
