"""How the warehouse grows: load, features, counts and bitmaps on generated behaviour, against pandas.

python -m eval.bench.scale [--customers 100000] [--events 10000000] [--folder FOLDER] [--tenth] [--profiles 100000000]

Prints seconds and processor seconds, events a second, the 95th percentile of counts over random definitions, peak memory,
and the ratio to the same counts in pandas in the same run. --tenth: of a tenth of both first, and how many times faster
its counts are. What is generated into FOLDER is kept, and taken again by the next run of that size.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from segments.codec import from_json
from segments.definition import EVERYONE, Node
from warehouse.audience import Audiences
from warehouse.bitmaps import Bitmaps
from warehouse.files import load
from warehouse.mapping import read_mapping
from warehouse.store import Warehouse, build
from warehouse.synthetic import generate

RUNS = 20
HALF_A_CENT = 0.005
"""Added to what sums are compared with: no sum of prices lies there, so that the order of adding decides nothing."""
PANDAS_MOST = 10_000_000
"""Events that pandas is asked to hold in memory."""


def main() -> None:
    """Generate, build, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--tenth", action="store_true")
    parser.add_argument("--profiles", type=int, default=100_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        tenth = run(folder, asked.customers // 10, asked.events // 10, 0) if asked.tenth else {}
        whole = run(folder, asked.customers, asked.events, asked.profiles)
    for name, p95 in tenth.items():
        print(f"a tenth of the customers: {name:24} {whole[name] / p95:6.1f} times faster   (target 5)")


def run(folder: Path, customers: int, events: int, profiles: int) -> dict[str, float]:
    """One size, all figures; the 95th percentile of counts in seconds. profiles: of how many bitmaps are combined."""
    source, workspace = folder / f"source-{customers}-{events}", folder / f"workspace-{customers}-{events}"
    print(f"{customers:,} customers, {events:,} events")
    mapping = source / "mapping.toml"
    if not mapping.exists():
        seconds, mapping = timed(generate, source, customers, events)
        print(f"generate            {seconds:8.1f} s   {events / seconds / 1e6:.2f} M events/s")
    path = built(workspace, mapping, events)
    warehouse = Warehouse(path)
    p95 = counts(warehouse)
    bitmaps(warehouse)
    if profiles:
        many_profiles(warehouse, profiles)
    previews(warehouse)
    if events <= PANDAS_MOST:
        against_pandas(warehouse)
    warehouse.close()
    return p95


def built(workspace: Path, mapping: Path, events: int) -> Path:
    """The warehouse of a mapping, with the figures of each stage."""
    stages: list[tuple[float, float, float, str]] = []

    def heard(_share: float, what: str) -> None:
        stages.append((time.perf_counter(), time.process_time(), memory(), what))

    path = build(workspace, lambda connection: load(read_mapping(str(mapping)), connection), heard)
    for (began, worked, _, what), (ended, rested, peak, _) in pairwise(stages):
        print(f"{what:38.38}{_spent(ended - began, rested - worked, events)}, peak memory {peak:.1f} GB")
    (began, worked, _, _), (ended, rested, peak, _), (last, at_last, _, _) = stages[0], stages[-2], stages[-1]
    print(f"{'ingest in all':38}{_spent(ended - began, rested - worked, events)}   (target 1 M events/s)")
    print(f"{'feature mart':38}{_spent(last - ended, at_last - rested, events)}   (target 600 s)")
    print(f"{'peak memory':38}{memory():8.1f} GB   (target 16 GB)")
    return path


def _spent(seconds: float, processor: float, events: int) -> str:
    rates = (
        f"{events / seconds / 1e6:.2f} M events/s, {events / processor / 1e6:.2f} M for each processor second"
    )
    return (
        f"{seconds:8.1f} s, {processor:8.1f} s of processor time   {rates}"
        if seconds > 0.05
        else f"{seconds:8.1f} s"
    )


def timed(work: Callable[..., Any], *given: Any) -> tuple[float, Any]:
    """Seconds and the result."""
    began = time.perf_counter()
    result = work(*given)
    return time.perf_counter() - began, result


def memory() -> float:
    """Peak resident memory in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def feature_definition(rng: random.Random) -> dict[str, Any]:
    """Five conditions on features."""
    return {
        "all_of": [
            {"feature": "orders_90d", "op": ">=", "value": rng.randint(1, 5)},
            {"feature": "spend_365d", "op": ">", "value": rng.randint(20, 400) + HALF_A_CENT},
            {"feature": "recency_days", "op": "<=", "value": rng.randint(20, 200)},
            {"not": {"feature": "categories_365d", "op": "<", "value": rng.randint(2, 10)}},
            {
                "any_of": [
                    {"feature": "spend_30d", "op": ">", "value": 10 + HALF_A_CENT},
                    {"feature": "orders_30d", "op": "=", "value": 0},
                ]
            },
        ]
    }


def event_definition(rng: random.Random) -> dict[str, Any]:
    """One event condition with a window."""
    return {
        "event": "purchase",
        "items": {"category": [f"CATEGORY {rng.randint(0, 119)}"]},
        "from_days_ago": rng.randint(20, 300),
        "measure": "value",
        "op": ">",
        "value": rng.randint(1, 40) + HALF_A_CENT,
    }


def sequence_definition(rng: random.Random) -> dict[str, Any]:
    """A view of a category, then a purchase of it within days."""
    items = {"category": [f"CATEGORY {rng.randint(0, 119)}"]}
    within = rng.randint(3, 30)
    return {
        "sequence": [
            {"event": "view", "items": items},
            {"event": "purchase", "items": items, "within_days": within},
        ]
    }


def counts(warehouse: Warehouse) -> dict[str, float]:
    """95th percentile of counting random definitions of three kinds, in seconds."""
    found = {}
    for name, make, target in (
        ("5 feature conditions", feature_definition, 0.3),
        ("event with a window", event_definition, 2.0),
        ("sequence of two", sequence_definition, 10.0),
    ):
        rng, audiences = random.Random(7), Audiences(warehouse)
        audiences.size(from_json(make(rng)))
        seconds = [timed(audiences.size, from_json(make(rng)))[0] for _ in range(RUNS)]
        found[name] = float(np.quantile(seconds, 0.95))
        p95 = found[name] * 1000
        print(f"count: {name:24} p95 {p95:8.0f} ms   (target {target * 1000:.0f} ms at 1 M customers)")
    return found


def mixed_definition(rng: random.Random) -> dict[str, Any]:
    """Five conditions of every kind: two features, two events, a sequence."""
    orders, spend = feature_definition(rng)["all_of"][:2]
    return {
        "all_of": [
            *(orders, spend, event_definition(rng), {"not": event_definition(rng)}),
            sequence_definition(rng),
        ]
    }


def previews(warehouse: Warehouse) -> None:
    """A definition of five conditions counted again after one changed: the caller's own time, the engine's apart."""
    rng, audiences = random.Random(13), Audiences(warehouse)
    parts = mixed_definition(rng)["all_of"]
    audiences.size(from_json({"all_of": parts}))
    compiling = []
    for _ in range(RUNS):
        changed = from_json({"all_of": [event_definition(rng), *parts[1:]]})
        compiling.append(timed(lambda node: warehouse.sql(audiences.expression(node)), changed)[0])
    print(f"compiling five conditions of every kind      {np.median(compiling) * 1000:8.1f} ms")
    for name, make in (
        ("a feature", lambda: feature_definition(rng)["all_of"][0]),
        ("an event", lambda: event_definition(rng)),
    ):
        python = []
        for _ in range(RUNS):
            changed = from_json({"all_of": [make(), *parts[1:]]})
            began = time.thread_time()
            audiences.size(changed)
            python.append(time.thread_time() - began)
        print(f"five conditions, {name:9} changed: processor time {np.median(python) * 1000:8.1f} ms")


def bitmaps(warehouse: Warehouse) -> None:
    """Counting again after one of five conditions changed, the changed one known to the engine already."""
    rng, found = random.Random(11), Bitmaps(Audiences(warehouse))
    parts = [event_definition(rng) for _ in range(8)]
    for part in parts:
        found.of(from_json(part))
    seconds = []
    for _ in range(RUNS):
        node = from_json({"all_of": [{"any_of": rng.sample(parts, 3)}, {"not": rng.choice(parts)}]})
        seconds.append(timed(found.of, node)[0])
    print(f"recount from bitmaps            p95 {np.quantile(seconds, 0.95) * 1000:8.1f} ms   (target 50 ms)")


class Profiles(Audiences):
    """Stands where the engine would be: each condition holds of a random share of so many profiles."""

    def __init__(self, warehouse: Warehouse, number: int) -> None:
        super().__init__(warehouse)
        self._number, self._rng = number, np.random.default_rng(17)

    def places(self, definition: Node) -> np.ndarray:
        """Row numbers of those whom a condition holds of."""
        share = 1.0 if definition == EVERYONE else self._rng.uniform(0.02, 0.6)
        return np.flatnonzero(self._rng.random(self._number, dtype=np.float32) < share)


def many_profiles(warehouse: Warehouse, number: int) -> None:
    """Five conditions combined over so many profiles, each known already."""
    rng, found = random.Random(19), Bitmaps(Profiles(warehouse, number))
    parts = [event_definition(rng) for _ in range(8)]
    for part in parts:
        found.of(from_json(part))
    seconds, processor = [], []
    for _ in range(RUNS):
        one, two, three, four, five = rng.sample(parts, 5)
        node = from_json({"all_of": [one, {"any_of": [two, three, four]}, {"not": five}]})
        began = time.thread_time()
        seconds.append(timed(found.of, node)[0])
        processor.append(time.thread_time() - began)
    p95, median = np.quantile(seconds, 0.95) * 1000, np.median(processor) * 1000
    print(
        f"{number:,} profiles, five conditions  p95 {p95:8.1f} ms   (target 100 ms), processor time {median:.1f} ms"
    )


def against_pandas(warehouse: Warehouse) -> None:
    """The same counts in pandas over the same columns in memory: the ratio of each kind, and of all together."""
    events = warehouse.table("events")
    columns = ["customer_id", "ts", "type", "item_id", "order_id", "value"]
    frame = warehouse.fetch(events.select(*columns))
    items = warehouse.fetch(warehouse.table("items")).set_index("item_id")["category"]
    ours_in_all = theirs_in_all = 0.0
    for name, make, pandas_size in (
        ("5 feature conditions", feature_definition, pandas_features),
        ("event with a window", event_definition, pandas_event),
        ("sequence of two", sequence_definition, pandas_sequence),
    ):
        rng, audiences, ratios = random.Random(7), Audiences(warehouse), []
        audiences.size(from_json(make(rng)))
        for _ in range(3):
            definition = make(rng)
            ours, size = timed(audiences.size, from_json(definition))
            theirs, other = timed(pandas_size, frame, items, definition, warehouse.as_of)
            if size != other:
                raise SystemExit(f"pandas counts {other}, the engine {size}: {definition}")
            ratios.append(theirs / ours)
            ours_in_all, theirs_in_all = ours_in_all + ours, theirs_in_all + theirs
        print(f"pandas: {name:24} {np.median(ratios):6.0f} times slower (same customers counted)")
    print(f"pandas: {'all nine together':24} {theirs_in_all / ours_in_all:6.0f} times slower   (target 20)")


def pandas_features(frame: pd.DataFrame, items: pd.Series, definition: dict[str, Any], as_of: date) -> int:
    """Five features by pandas, from the events: who has no feature mart computes them."""
    orders, spend, recency, few, quiet = definition["all_of"]
    bought = frame[frame["type"] == "purchase"]
    customers = pd.Index(frame["customer_id"].unique())
    since = {
        days: bought[bought["ts"] >= pd.Timestamp(as_of - timedelta(days=days))] for days in (30, 90, 365)
    }

    def counted(days: int, column: str) -> pd.Series:
        return since[days].groupby("customer_id")[column].nunique().reindex(customers, fill_value=0)

    def spent(days: int) -> pd.Series:
        return since[days].groupby("customer_id")["value"].sum().reindex(customers, fill_value=0)

    last = bought.groupby("customer_id")["ts"].max().dt.normalize().reindex(customers)
    kinds = since[365].assign(kind=since[365]["item_id"].map(items))
    breadth = kinds.groupby("customer_id")["kind"].nunique().reindex(customers, fill_value=0)
    some, none = quiet["any_of"]
    found = (
        (counted(90, "order_id") >= orders["value"])
        & (spent(365) > spend["value"])
        & ((pd.Timestamp(as_of) - last).dt.days <= recency["value"])
        & ~(breadth < few["not"]["value"])
        & ((spent(30) > some["value"]) | (counted(30, "order_id") == none["value"]))
    )
    return int(found.sum())


def pandas_event(frame: pd.DataFrame, items: pd.Series, definition: dict[str, Any], as_of: date) -> int:
    """The event definition by pandas."""
    start = pd.Timestamp(as_of - timedelta(days=definition["from_days_ago"]))
    rows = frame[(frame["type"] == definition["event"]) & (frame["ts"] >= start)]
    rows = rows[rows["item_id"].map(items).isin(definition["items"]["category"])]
    spend = rows.groupby("customer_id")["value"].sum()
    return int((spend > definition["value"]).sum())


def pandas_sequence(frame: pd.DataFrame, items: pd.Series, definition: dict[str, Any], as_of: date) -> int:
    """The sequence by pandas: each second event with the last first one before it."""
    first, second = definition["sequence"]
    rows = frame[frame["item_id"].map(items).isin(first["items"]["category"])].sort_values("ts")
    began = rows.loc[rows["type"] == first["event"], ["customer_id", "ts"]].assign(began=lambda r: r["ts"])
    then = rows.loc[rows["type"] == second["event"], ["customer_id", "ts"]]
    pairs = pd.merge_asof(then, began, on="ts", by="customer_id", allow_exact_matches=False)
    within = pairs["ts"] - pairs["began"] <= timedelta(days=second["within_days"])
    return int(pairs.loc[within, "customer_id"].nunique())


if __name__ == "__main__":
    main()
