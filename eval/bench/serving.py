"""What a language model server does for many conversations at once, whichever backend it is.

    python -m eval.bench.serving --base-url http://127.0.0.1:8081/v1 [--conversations 1 8 32 128] [--tokens 64]
                                 [--weights-gb 8.2 --bandwidth-gb 3350] [--workspace W] [--out FILE.json]

Every conversation asks twice, the second time with the first answer before it, after the assistant's own instructions;
an answer has exactly `--tokens` tokens. For each number of conversations at once: time to the first token, time between
tokens, tokens a second of all together. With the size of the weights and the memory bandwidth of the card also the
floor of one conversation: each token reads all weights once. Then, one request at a time, what the prefix cache saves
of the time to the first token, and what the sketch's JSON schema costs: once when it is new, and with every token.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from assistant.llm import PLAIN
from assistant.plan import instructions
from assistant.sketch import sketch_schema
from assistant.workspace import DEFAULT, open_workspace
from eval.bench.turn import quantile
from eval.cases import load_cases
from serving.llm.probe import served_model
from serving.llm.warm import ROLES
from warehouse.store import Warehouse

PATIENCE = 3600.0

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Timed:
    """One answer: seconds to its first token and to its end, its tokens, its text."""

    first: float
    whole: float
    tokens: int
    text: str

    @property
    def between(self) -> float:
        """Seconds from one token to the next."""
        return (self.whole - self.first) / max(1, self.tokens - 1)


@dataclass
class Bench:
    """A server and how it is asked."""

    client: httpx.AsyncClient
    model: str
    tokens: int
    questions: Sequence[str]
    repeats: int

    async def ask(self, messages: Messages, schema: dict[str, Any] | None = None) -> Timed:
        """One streamed answer. Without a schema it goes on to the last token, whatever the model would say."""
        body: dict[str, Any] = {"model": self.model, "messages": messages, "temperature": 0, "stream": True}
        body |= {"max_tokens": self.tokens, "stream_options": {"include_usage": True}} | PLAIN
        if schema is None:
            body["ignore_eos"] = True
        else:
            form = {"name": "sketch", "schema": schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        began, first, tokens, text = time.perf_counter(), 0.0, 0, ""
        async with self.client.stream("POST", "chat/completions", json=body) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                piece = json.loads(line.removeprefix("data: "))
                said = "".join(choice["delta"].get("content") or "" for choice in piece["choices"])
                if said and not first:
                    first = time.perf_counter() - began
                text += said
                tokens = (piece.get("usage") or {}).get("completion_tokens", tokens)
        return Timed(first, time.perf_counter() - began, tokens, text)

    def prompt(self, number: int, before: str = "") -> Messages:
        """The instructions, with `before` ahead of them, and a question."""
        shown = [{"role": ROLES.get(role, role), "content": text} for role, text in instructions()]
        shown[0]["content"] = before + shown[0]["content"]
        return [*shown, {"role": "user", "content": self.questions[number % len(self.questions)]}]

    async def conversation(self, number: int) -> list[Timed]:
        """Two turns."""
        messages = self.prompt(number)
        first = await self.ask(messages)
        answered = {"role": "assistant", "content": first.text}
        again = {"role": "user", "content": self.questions[(number + 1) % len(self.questions)]}
        return [first, await self.ask([*messages, answered, again])]


@dataclass(frozen=True)
class Together:
    """What so many conversations at once saw; seconds, and tokens of all of them a second."""

    conversations: int
    first_p50: float
    first_p95: float
    between_p50: float
    between_p95: float
    tokens_per_second: float


async def together(bench: Bench, conversations: int) -> Together:
    """That many conversations at the same moment."""
    began = time.perf_counter()
    talks = await asyncio.gather(*(bench.conversation(number) for number in range(conversations)))
    whole = time.perf_counter() - began
    turns = [turn for talk in talks for turn in talk]
    first, between = [turn.first for turn in turns], [turn.between for turn in turns]
    return Together(
        conversations,
        *(quantile(first, 0.5), quantile(first, 0.95), quantile(between, 0.5), quantile(between, 0.95)),
        sum(turn.tokens for turn in turns) / whole,
    )


async def prefix(bench: Bench) -> tuple[float, float]:
    """Median seconds to the first token after instructions that were read before, and that were not."""
    cached, fresh = [], []
    for number in range(bench.repeats):
        fresh.append((await bench.ask(bench.prompt(number, f"Turn {time.time_ns()}. "))).first)
        cached.append((await bench.ask(bench.prompt(number))).first)
    return statistics.median(cached), statistics.median(fresh)


async def constrained(bench: Bench, schema: dict[str, Any]) -> tuple[float, float, float, float]:
    """Seconds to the first token with a schema that is new, with one seen before; between tokens with one, and without."""
    new, seen, held, free = [], [], [], []
    for number in range(bench.repeats):
        fresh = schema | {"title": f"Sketch {time.time_ns()}"}
        await bench.ask(bench.prompt(number))
        new.append((await bench.ask(bench.prompt(number), fresh)).first)
        again = await bench.ask(bench.prompt(number), fresh)
        seen.append(again.first)
        held.append(again.between)
        free.append((await bench.ask(bench.prompt(number))).between)
    return (*(statistics.median(seconds) for seconds in (new, seen, held, free)),)  # type: ignore[return-value]


async def measure(asked: argparse.Namespace, model: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Everything, printed as it comes."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=asked.base_url, timeout=PATIENCE, limits=limits) as client:
        bench = Bench(
            client, model, asked.tokens, [case.turns[0] for case in load_cases("dev")], asked.repeats
        )
        await bench.ask(bench.prompt(0))
        print(f"{model} at {asked.base_url}, {asked.tokens} tokens an answer")
        print("conversations  first p50, p95 (ms)  between p50, p95 (ms)  tokens/s")
        rows = []
        for number in asked.conversations:
            row = await together(bench, number)
            rows.append(row)
            print(
                f"{number:13d}  {row.first_p50 * 1e3:9.0f} {row.first_p95 * 1e3:9.0f}"
                f"  {row.between_p50 * 1e3:10.1f} {row.between_p95 * 1e3:10.1f}  {row.tokens_per_second:8.1f}",
                flush=True,
            )
        floor = asked.weights_gb / asked.bandwidth_gb if asked.weights_gb and asked.bandwidth_gb else None
        if floor is not None:
            print(f"floor of one conversation: {floor * 1e3:.2f} ms a token ({1 / floor:.0f} tokens/s)")
        cached, fresh = await prefix(bench)
        print(
            f"first token: {cached * 1e3:.0f} ms after instructions read before, {fresh * 1e3:.0f} ms after new ones"
        )
        new, seen, held, free = await constrained(bench, schema)
        print(f"under a schema: first token {new * 1e3:.0f} ms when it is new, {seen * 1e3:.0f} ms when not")
        print(f"between tokens: {held * 1e3:.1f} ms under a schema, {free * 1e3:.1f} ms without")
    return {
        "model": model,
        "tokens": asked.tokens,
        "together": [asdict(row) for row in rows],
        "floor_seconds": floor,
        "first_token": {"cached": cached, "fresh": fresh, "schema_new": new, "schema_seen": seen},
        "between_tokens": {"schema": held, "free": free},
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--conversations", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5, help="of what is asked one at a time")
    parser.add_argument(
        "--weights-gb", type=float, default=0.0, help="size of the weights as they are served"
    )
    parser.add_argument(
        "--bandwidth-gb", type=float, default=0.0, help="GB/s of the card; 3350 for an H100 SXM"
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    model = served_model(asked.base_url)
    if model is None:
        raise SystemExit(f"no language model answers at {asked.base_url}")
    with closing(Warehouse(open_workspace(asked.workspace).warehouse)) as warehouse:
        schema = sketch_schema(warehouse.catalogue, ("purchase",), ("purchase_30d",))
    found = asyncio.run(measure(asked, model, schema))
    if asked.out is not None:
        asked.out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
