"""What each stage of a turn is worth: the same questions with one stage left out, beside the whole.

    python -m eval.ablate [--cases 40] [--arm no_check] [--out eval/runs/ablation]

Nothing in the product is switched: each arm is put together from the product's own parts with one replaced. An arm is
a record like any run's, so an interrupted run goes on, and two arms are compared case by case.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from assistant.app import Assistant
from assistant.graph import TurnGraph
from assistant.linking.candidates import Candidate
from assistant.linking.link import Link
from assistant.llm import ChatModel, tuned
from assistant.plan import Plan
from assistant.rooms import Rooms, make_linker
from assistant.turn import State, Turn
from assistant.workspace import DEFAULT, open_workspace
from eval.cases import fast_subset, load_cases
from eval.metrics import METRICS, Record, measure, paired
from eval.record import append, ask_case, load, run_identity
from eval.run import members_of
from segments.definition import AllOf, AnyOf, Node, Not
from segments.errors import ModelRetryError
from segments.explain import explain
from segments.features import Catalogue

SHOWN = tuple(
    metric
    for metric in METRICS
    if metric.name
    in ("segments right (F1 >= 0.9)", "tool right", "errors", "median seconds a turn", "median prompt tokens")
)
COMPOSE = (
    "Conditions c1, c2, ... were found in a marketer's message. Answer with one JSON object that says how they combine: "
    '"all_of" (each must hold), "any_of" (one of these must hold too), "exclude" (must not hold). Leave out what the '
    "message does not ask for."
)


class WithoutExamples:
    """A `ChatModel` that is shown the instructions and the message, no worked example."""

    def __init__(self, model: ChatModel) -> None:
        self._model, self.tuned = model, tuned(model)

    def json(self, messages: list[tuple[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """The plan."""
        return self._model.json([*(m for m in messages if m[0] == "system"), messages[-1]], schema)

    def stream(self, messages: list[tuple[str, str]]) -> Iterator[str]:
        """Free text, as it is."""
        return self._model.stream(messages)


class WithoutConstraint:
    """A `ChatModel` that is told the schema in words and may answer any JSON object."""

    def __init__(self, model: ChatModel) -> None:
        self._model, self.tuned = model, tuned(model)

    def json(self, messages: list[tuple[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """The plan."""
        role, text = messages[-1]
        told = f"{text}\nAnswer with one JSON object of this schema: {json.dumps(schema, ensure_ascii=False)}"
        return self._model.json([*messages[:-1], (role, told)], {"type": "object"})

    def stream(self, messages: list[tuple[str, str]]) -> Iterator[str]:
        """Free text, as it is."""
        return self._model.stream(messages)


class Unchecked(TurnGraph):
    """A turn whose plan is run as it is: no check, no repair."""

    def check(self, state: State, turn: Turn) -> State:
        """Nothing is checked."""
        turn.correction, turn.plan = None, turn.plan or Plan("clarify")
        return {}


class ReadOnce(TurnGraph):
    """A turn in which no message is read again, whatever the workspace wishes."""

    def reread(self, link: Link, current: Node | None) -> Link:
        """The linker's reading stays."""
        return link


class ByWords(TurnGraph):
    """A turn whose tool is the one that the words' rules find."""

    def read_tool(self, turn: Turn, state: State, saved: Sequence[str]) -> Link:
        """The linker's own finding stays."""
        assert turn.link is not None
        return turn.link


class ComposedByModel(TurnGraph):
    """A turn in which linking finds the conditions, and the model says how they combine."""

    def link(self, state: State, turn: Turn) -> State:
        """Link, then ask the model for the reading."""
        super().link(state, turn)
        link = turn.link
        if link is not None and link.reading is not None and link.candidates:
            try:
                reading = self._compose(link)
            except ModelRetryError:
                reading = None
            turn.link = replace(link, reading=reading, alternative=None)
        return {}

    def _compose(self, link: Link) -> Node | None:
        names = [f"c{place}" for place in range(1, len(link.candidates) + 1)]
        lines = [f"{n}: {_told(c, self.catalogue)}" for n, c in zip(names, link.candidates, strict=True)]
        part = {"type": "array", "items": {"enum": names}, "maxItems": len(names)}
        keys = ("all_of", "any_of", "exclude")
        schema = {
            "type": "object",
            "properties": dict.fromkeys(keys, part),
            "required": list(keys),
            "additionalProperties": False,
        }
        text = "\n".join([*lines, f"Message: {link.message}"])
        said = self.model.json([("system", COMPOSE), ("human", text)], schema)
        every, some, out = (
            [link.candidates[int(n[1:]) - 1].node for n in dict.fromkeys(said[k])] for k in keys
        )
        parts = [*every, *([AnyOf(tuple(some))] if some else []), *(Not(node) for node in out)]
        return AllOf(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None


def _told(candidate: Candidate, catalogue: Catalogue) -> str:
    return explain(candidate.node, catalogue).removeprefix("customers who ")


@dataclass(frozen=True)
class Arm:
    """One way to put an assistant together."""

    name: str
    title: str
    make: Callable[[Rooms, ChatModel], Assistant]


ARMS = (
    Arm("whole", "the product as it is", Assistant),
    Arm("no_readings", "without linking's readings", lambda r, m: Assistant(r, m, graph=ComposedByModel)),
    Arm("read_once", "without a second reading", lambda r, m: Assistant(r, m, graph=ReadOnce)),
    Arm("tool_by_words", "without reading the tool", lambda r, m: Assistant(r, m, graph=ByWords)),
    Arm("no_dense", "linking by spelling only", lambda r, m: Assistant(r, m, make_linker(r, dense=False))),
    Arm("no_examples", "without worked examples", lambda r, m: Assistant(r, WithoutExamples(m))),
    Arm("no_check", "without check and repair", lambda r, m: Assistant(r, m, graph=Unchecked)),
    Arm("no_constraint", "without constrained decoding", lambda r, m: Assistant(r, WithoutConstraint(m))),
)


def table(records: dict[str, list[Record]]) -> Table:
    """Each arm's metrics, and on how many cases it is right more or less often than the whole."""
    shown = Table(title=f"{len(records['whole'])} dev cases each; share (95 % interval; n)")
    for name in ("arm", *(metric.name for metric in SHOWN), "segments: difference to the whole", "p"):
        shown.add_column(name)
    for arm in ARMS:
        found = records.get(arm.name)
        if found:
            against = paired(SHOWN[0], records["whole"], found)
            edges = f"{against.difference:+.1%} ({against.low:+.1%} to {against.high:+.1%})"
            cells = [str(measure(metric, found)) for metric in SHOWN]
            shown.add_row(
                arm.title, *cells, *(("", "") if arm.name == "whole" else (edges, f"{against.p:.3f}"))
            )
    return shown


def run_arm(
    arm: Arm, rooms: Rooms, model: ChatModel, cases: Sequence[Any], out: Path, name: str
) -> list[Record]:
    """An arm's records, those that are there already not asked again."""
    records = load(out)
    done = {record["id"] for record in records}
    members, run = members_of(rooms), run_identity(name, arm.name)
    assistant = arm.make(rooms, model)
    assistant.warm()
    for case in track([case for case in cases if case.id not in done], description=arm.title):
        records.append(ask_case(assistant, case, members, run))
        append(out, records[-1])
    wanted = {case.id for case in cases}
    return [record for record in records if record["id"] in wanted]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.ablate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument(
        "--cases", type=int, default=40, help="the first so many of the fast subset, spread over it"
    )
    parser.add_argument("--arm", choices=[arm.name for arm in ARMS], action="append")
    parser.add_argument("--out", type=Path, default=Path("eval/runs/ablation"))
    given = parser.parse_args()
    from serving.cli import llm_for

    subset = fast_subset(load_cases())
    cases = subset[:: max(1, len(subset) // given.cases)][: given.cases]
    given.out.mkdir(parents=True, exist_ok=True)
    rooms, records = Rooms(open_workspace(given.workspace)), {}
    with llm_for(given.workspace) as server:
        model = server.chat
        for arm in ARMS:
            if arm.name == "whole" or not given.arm or arm.name in given.arm:
                out = given.out / f"{arm.name}.jsonl"
                records[arm.name] = run_arm(arm, rooms, model, cases, out, server.model)
    Console(width=220).print(table(records))


if __name__ == "__main__":
    main()
