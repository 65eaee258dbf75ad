"""The API under load: concurrent users of mixed calls, with a stand-in for the language model (`eval.bench.standin`).

python -m eval.bench.load [--workspace W] [--users 200] [--seconds 300] [--workers N] [--alone 0]

A copy of the workspace is served by `segassist serve api` in a process of its own. Each user has a key, makes a call,
waits 1 to 3 seconds and makes the next. Printed: calls, errors and latencies of each kind of call, and the server's
memory once warm and at the end, and its CPU time, which says more where others use the machine too. With `--alone N`
also what N calls of each kind cost when nobody else calls. Exit code 1 when there is an error, or counting a segment
takes longer than the target.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from eval.bench.standin import NAME
from serving.access import Role
from serving.llm.probe import free_port
from serving.users import Users

TARGET_SECONDS = 0.3
"""Of 95 in 100 previews."""
THINK = (1.0, 3.0)
RAMP_SECONDS, WARM_SECONDS, START_SECONDS = 10.0, 20.0, 240.0
BUILT = ("warehouse.duckdb", "indexes", "models", "ready.json", "vault.key", "vault.parquet")
CATEGORIES = (
    "BEERS/ALES",
    "SOUP",
    "CHEESE",
    "FLUID MILK PRODUCTS",
    "BABY FOODS",
    "COFFEE",
    "CANDY - PACKAGED",
)

Call = tuple[str, str, dict[str, Any] | None]
"""Method, path, body."""


def condition(rng: random.Random, kind: str) -> dict[str, Any]:
    """One of some 400 conditions: what, how often and since when somebody bought, or a number of theirs."""
    if kind == "purchase":
        bought = {"event": "purchase", "items": {"category": [rng.choice(CATEGORIES)]}}
        since = rng.choice(({}, *({"from_days_ago": days} for days in (30, 90, 180, 365))))
        return bought | since | {"op": ">=", "value": rng.randint(1, 3)}
    limits = {"recency_days": range(5, 61), "spend_365d": range(50, 2000, 10), "orders_90d": range(1, 21)}
    return {"feature": kind, "op": ">=", "value": rng.choice(limits[kind])}


def definition(rng: random.Random) -> dict[str, Any]:
    """One to three conditions, as people try them: the conditions recur, the whole is mostly one that nobody asked for."""
    kinds = rng.sample(("purchase", "recency_days", "spend_365d", "orders_90d"), rng.randint(1, 3))
    parts = [condition(rng, kind) for kind in kinds]
    if len(parts) > 1 and rng.random() < 0.3:
        parts[-1] = {"not": parts[-1]}
    return parts[0] if len(parts) == 1 else {rng.choice(("all_of", "any_of")): parts}


def shoppers(rng: random.Random) -> dict[str, Any]:
    """A segment that is large enough to be profiled."""
    return {"feature": "orders_90d", "op": ">=", "value": rng.randint(1, 6)}


CALLS: dict[str, tuple[int, Callable[[random.Random, int], Call]]] = {
    "preview": (40, lambda r, _u: ("POST", "/v1/segments/preview", {"definition": definition(r)})),
    "list": (10, lambda _r, _u: ("GET", "/v1/segments?limit=50", None)),
    "save": (6, lambda r, u: ("PUT", f"/v1/segments/user%20{u}", {"definition": definition(r)})),
    "me": (10, lambda _r, _u: ("GET", "/v1/me", None)),
    "features": (5, lambda _r, _u: ("GET", "/v1/features", None)),
    "members": (
        6,
        lambda r, _u: ("POST", "/v1/segments/members", {"definition": definition(r), "limit": 100}),
    ),
    "overlap": (
        4,
        lambda r, _u: ("POST", "/v1/segments/overlap", {"definitions": [definition(r), definition(r)]}),
    ),
    "profile": (3, lambda r, _u: ("POST", "/v1/tools/profile_segment", {"definition": shoppers(r)})),
    "audit": (3, lambda _r, _u: ("GET", "/v1/audit?last=50", None)),
    "export": (2, lambda r, u: ("POST", "/v1/exports", {"definition": definition(r), "name": f"user {u}"})),
    "jobs": (4, lambda _r, _u: ("GET", "/v1/exports?limit=10", None)),
    "ask": (3, lambda r, _u: ("POST", "/v1/ask", {"question": f"who bought {r.choice(('beer', 'soup'))}?"})),
    "health": (4, lambda _r, _u: ("GET", "/healthz", None)),
}
"""Share of all calls, and the call."""


@dataclass
class Seen:
    """Latencies (seconds) and errors by kind of call."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


async def user(number: int, url: str, key: str, until: float, seen: Seen) -> None:
    """One user, from a random moment of the ramp to the end."""
    rng = random.Random(number)
    names, weights = list(CALLS), [weight for weight, _ in CALLS.values()]
    headers = {"Authorization": f"Bearer {key}"}
    await asyncio.sleep(rng.uniform(0, RAMP_SECONDS))
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        while time.monotonic() < until:
            name = rng.choices(names, weights)[0]
            method, path, body = CALLS[name][1](rng, number)
            began = time.perf_counter()
            try:
                answer = await client.request(method, path, json=body)
                if answer.is_error:
                    seen.errors[name].append(f"{answer.status_code} {answer.text[:150]}")
            except httpx.HTTPError as error:
                seen.errors[name].append(f"{type(error).__name__} {error}")
            seen.seconds[name].append(time.perf_counter() - began)
            await asyncio.sleep(rng.uniform(*THINK))


async def drive(
    url: str, keys: list[str], seconds: float, memory: Callable[[], float]
) -> tuple[Seen, list[float]]:
    """All users until the end, and the server's memory (MB) once warm and then every tenth of the time."""
    seen, until = Seen(), time.monotonic() + seconds
    users = [asyncio.create_task(user(n, url, key, until, seen)) for n, key in enumerate(keys)]
    await asyncio.sleep(min(WARM_SECONDS, seconds / 2))
    held = [memory()]
    while (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(left, seconds / 10))
        held.append(memory())
    await asyncio.gather(*users)
    return seen, held


def family(pid: int) -> Iterator[Path]:
    """The folder in /proc of a process and of all its children."""
    folder = Path(f"/proc/{pid}")
    with suppress(OSError):
        children = (folder / "task" / str(pid) / "children").read_text().split()
        yield folder
        for child in children:
            yield from family(int(child))


def memory_of(pid: int) -> float:
    """Resident memory (MB) of a process and all its children."""
    total = 0.0
    for folder in family(pid):
        with suppress(OSError):
            status = (folder / "status").read_text().splitlines()
            total += next((int(line.split()[1]) for line in status if line.startswith("VmRSS")), 0) / 1024
    return total


def cpu_of(pid: int) -> float:
    """CPU time (s) that a process and all its children have used."""
    ticks = 0
    for folder in family(pid):
        with suppress(OSError):
            # The name, in brackets, may hold blanks.
            ticks += sum(int(n) for n in (folder / "stat").read_text().rpartition(")")[2].split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def alone(client: httpx.Client, keys: list[str], calls: int, cpu: Callable[[], float]) -> None:
    """Print the server's CPU time for each kind of call, made one after the other by the users in turn."""
    rng, turn = random.Random(11), itertools.cycle(keys)
    print(f"{'alone':10} {'CPU ms a call':>14}")
    for name, (_, make) in CALLS.items():
        used = cpu()
        for _ in range(calls):
            method, path, body = make(rng, 0)
            headers = {"Authorization": f"Bearer {next(turn)}"}
            client.request(method, path, json=body, headers=headers).raise_for_status()
        print(f"{name:10} {(cpu() - used) / calls * 1000:14.1f}", flush=True)


def report(seen: Seen, held: list[float], seconds: float, users: int, cpu: float) -> int:
    """Print what was seen; the exit code."""
    every = sum(len(found) for found in seen.seconds.values())
    print(f"\n{users} users, {seconds:.0f} s: {every:,} calls, {every / seconds:.0f} a second")
    print(f"{'call':10} {'n':>6} {'errors':>6} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8}")
    for name in CALLS:
        found = np.array(seen.seconds.get(name, [0.0])) * 1000
        p50, p95, p99 = np.percentile(found, [50, 95, 99])
        print(f"{name:10} {len(found):6} {len(seen.errors[name]):6} {p50:8.0f} {p95:8.0f} {p99:8.0f}")
    for name, errors in seen.errors.items():
        for error in sorted(set(errors))[:3]:
            print(f"error of {name}: {error}")
    print(
        f"memory of the server: {held[0]:.0f} MB once warm, {held[-1]:.0f} MB at the end; each tenth: ",
        end="",
    )
    print(" ".join(f"{mb:.0f}" for mb in held))
    print(f"the server's CPU time: {cpu:.0f} s, {cpu / max(every, 1) * 1000:.1f} ms a call")
    p95 = float(np.percentile(seen.seconds.get("preview", [9.9]), 95))
    failed = sum(len(errors) for errors in seen.errors.values())
    print(f"preview p95 {p95 * 1000:.0f} ms, {p95 / TARGET_SECONDS:.2f} of the target; {failed} errors")
    return 0 if p95 <= TARGET_SECONDS and not failed else 1


def main() -> int:
    """Copy, start, drive, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=Path("workspaces/demo"))
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; one a core")
    parser.add_argument("--alone", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="segassist-load-") as name:
        folder, ports = Path(name), (free_port("127.0.0.1"), free_port("127.0.0.1"))
        for built in BUILT:
            (folder / built).symlink_to((asked.workspace / built).resolve())
        settings = (asked.workspace / "segassist.toml").read_text(encoding="utf-8")
        (folder / "segassist.toml").write_text(
            f'{settings}\nllm_base_url = "http://127.0.0.1:{ports[0]}/v1"\n'
        )
        users = Users(folder / "state.sqlite")
        keys = [users.add(f"user{number}", Role.admin) for number in range(asked.users)]
        print(f"language model: {NAME}; load of this machine before: {os.getloadavg()[0]:.1f}")
        standin = subprocess.Popen([sys.executable, "-m", "eval.bench.standin", str(ports[0])])
        serve = ["serve", "api", "--workers", str(asked.workers), "--port", str(ports[1]), "-w", str(folder)]
        try:
            wait_until_up(f"http://127.0.0.1:{ports[0]}/v1/models", standin, {})
            began = time.monotonic()
            server = subprocess.Popen([sys.executable, "-m", "serving.cli", *serve])
            try:
                url, headers = f"http://127.0.0.1:{ports[1]}", {"Authorization": f"Bearer {keys[0]}"}
                wait_until_up(f"{url}/readyz", server, headers)
                print(f"ready after {time.monotonic() - began:.1f} s, {asked.workers} workers")
                ask = {"question": "who bought beer?"}
                httpx.post(f"{url}/v1/ask", json=ask, headers=headers, timeout=300).raise_for_status()
                print(f"first question answered after {time.monotonic() - began:.1f} s")
                if asked.alone:
                    with httpx.Client(base_url=url, timeout=60) as client:
                        alone(client, keys, asked.alone, lambda: cpu_of(server.pid))
                used = cpu_of(server.pid)
                seen, held = asyncio.run(drive(url, keys, asked.seconds, lambda: memory_of(server.pid)))
                used = cpu_of(server.pid) - used
            finally:
                server.terminate()
                server.wait(30)
        finally:
            standin.terminate()
            standin.wait(10)
    return report(seen, held, asked.seconds, asked.users, used)


def wait_until_up(
    url: str, process: subprocess.Popen[bytes], headers: dict[str, str], seconds: float = START_SECONDS
) -> None:
    """Wait until a server's process answers at the address. Raises SystemExit when it does not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, headers=headers, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url} did not answer")


if __name__ == "__main__":
    sys.exit(main())
