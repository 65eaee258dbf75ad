"""Several people chatting at once with the real language model: is everyone served in order, and does the page answer?

python -m eval.bench.chatters [--workspace W] [--users 8] [--questions 2]

A copy of the workspace is served by `segassist serve`, with the language model of its settings. All users ask at the
same moment, and again as soon as they are answered. Meanwhile the page is opened and a segment counted once a second.
Printed: how long each waited, how many answers came before one that was asked for earlier, and what the page took.
Exit code 1 when somebody was not answered, or waited for more than two rounds of everybody.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

from eval.bench.load import BUILT, wait_until_up
from serving.access import Role
from serving.llm.probe import free_port
from serving.users import Users

QUESTIONS = (
    "who spent over $500 in the last 90 days?",
    "customers who bought beer but not in the last 30 days",
    "who redeemed at least two coupons?",
    "households with children that bought baby foods",
)
COUNTED = {"definition": {"feature": "orders_90d", "op": ">=", "value": 3}}
LONGEST_SECONDS = 1800.0


@dataclass(frozen=True)
class Turn:
    """One question: when it was asked and answered (s), and what went wrong, if anything."""

    user: int
    asked: float
    answered: float
    problem: str = ""

    @property
    def seconds(self) -> float:
        """From the question to the end of the answer."""
        return self.answered - self.asked


async def chat(number: int, url: str, key: str, questions: int) -> list[Turn]:
    """One user's turns, one after the other in one conversation."""
    turns = []
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=LONGEST_SECONDS) as client:
        for turn in range(questions):
            body = {"question": QUESTIONS[(number + turn) % len(QUESTIONS)], "conversation": f"user{number}"}
            asked, problem = time.monotonic(), "no answer came"
            try:
                async with client.stream("POST", "/v1/ask/stream", json=body) as answer:
                    async for line in answer.aiter_lines():
                        if line == "event: answer":
                            problem = ""
                        elif line.startswith("data:") and '"code"' in line and problem:
                            problem = line[:200]
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__} {error}"
            turns.append(Turn(number, asked, time.monotonic(), problem))
    return turns


async def watch(url: str, key: str, seen: dict[str, list[float]]) -> None:
    """Open the page and count a segment once a second, until cancelled."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        while True:
            for name in seen:
                began = time.perf_counter()
                if name == "page":
                    answer = await client.get("/", cookies={"segassist": key})
                else:
                    headers = {"Authorization": f"Bearer {key}"}
                    answer = await client.post("/v1/segments/preview", json=COUNTED, headers=headers)
                answer.raise_for_status()
                seen[name].append(time.perf_counter() - began)
            await asyncio.sleep(1)


async def talk(url: str, keys: list[str], questions: int) -> tuple[list[Turn], dict[str, list[float]]]:
    """Every turn of everybody, and the seconds that the page and a count took meanwhile."""
    seen: dict[str, list[float]] = {"page": [], "preview": []}
    watching = asyncio.create_task(watch(url, keys[-1], seen))
    users = [chat(number, url, key, questions) for number, key in enumerate(keys[:-1])]
    turns = [turn for each in await asyncio.gather(*users) for turn in each]
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    return turns, seen


def overtaken(turns: list[Turn]) -> int:
    """Pairs of turns where the later question, asked at least a second after the other, was answered first."""
    return sum(
        one.asked + 1 < other.asked and other.answered < one.answered for one in turns for other in turns
    )


def report(turns: list[Turn], seen: dict[str, list[float]]) -> int:
    """Print what was seen; the exit code."""
    users, whole = {turn.user for turn in turns}, max(t.answered for t in turns) - min(t.asked for t in turns)
    each = whole / len(turns)
    print(f"\n{len(users)} users, {len(turns)} questions in {whole:.0f} s, {each:.1f} s a question")
    for user in sorted(users):
        waited = ", ".join(f"{turn.seconds:.0f}" for turn in turns if turn.user == user)
        print(f"user {user}: answered after {waited} s")
    longest = max(turn.seconds for turn in turns)
    print(f"longest: {longest:.0f} s, {longest / (each * len(users)):.2f} rounds of everybody")
    print(f"answered before one that was asked earlier: {overtaken(turns)} pairs")
    for name, found in seen.items():
        p50, p95 = np.percentile(np.array(found) * 1000, [50, 95])
        print(f"{name} meanwhile: {len(found)} times, p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    problems = [f"user {turn.user}: {turn.problem}" for turn in turns if turn.problem]
    print("\n".join(problems) or "everybody was answered")
    return 1 if problems or longest > 2 * each * len(users) else 0


def main() -> int:
    """Copy, start, talk, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=Path("workspaces/demo"))
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--questions", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="segassist-chatters-") as name:
        folder, port = Path(name), free_port("127.0.0.1")
        for built in (*BUILT, "segassist.toml"):
            (folder / built).symlink_to((asked.workspace / built).resolve())
        users = Users(folder / "state.sqlite")
        keys = [users.add(f"user{number}", Role.marketer) for number in range(asked.users + 1)]
        print(f"load of this machine before: {os.getloadavg()[0]:.1f}")
        serve = ["serve", "--port", str(port), "-w", str(folder)]
        server = subprocess.Popen([sys.executable, "-m", "serving.cli", *serve])
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_up(f"{url}/readyz", server, {"Authorization": f"Bearer {keys[0]}"}, LONGEST_SECONDS)
            turns, seen = asyncio.run(talk(url, keys, asked.questions))
        finally:
            server.terminate()
            server.wait(60)
    return report(turns, seen)


if __name__ == "__main__":
    sys.exit(main())
