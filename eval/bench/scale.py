"""How the warehouse grows: load, features, counts and bitmaps on generated behaviour, against pandas.

python -m eval.bench.scale [--customers 100000] [--events 10000000] [--folder FOLDER]

Prints seconds, the 95th percentile of counts over random definitions, peak memory, and the ratio to the same
counts in pandas in the same run.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from segments.codec import from_json
from warehouse.audience import Audiences
from warehouse.bitmaps import Bitmaps
from warehouse.files import load
from warehouse.mapping import read_mapping
from warehouse.store import Warehouse, build
from warehouse.synthetic import generate

RUNS = 20


def main() -> None:
    """Generate, build, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run(asked.folder or Path(temporary), asked.customers, asked.events)


def run(folder: Path, customers: int, events: int) -> None:
    """One size, all figures."""
    source, workspace = folder / "source", folder / "workspace"
    seconds, mapping = timed(generate, source, customers, events)
    print(f"{customers:,} customers, {events:,} events")
    print(f"generate            {seconds:8.1f} s   {events / seconds / 1e6:.2f} M events/s")
    stages: list[tuple[float, str]] = []
    began = time.perf_counter()
    path = build(
        workspace,
        lambda connection: load(read_mapping(str(mapping)), connection),
        lambda _share, what: stages.append((time.perf_counter() - began, what)),
    )
    total = time.perf_counter() - began
    ends = [at for at, _ in stages[1:]] + [total]
    for (start, what), end in zip(stages, ends, strict=True):
        if end - start > 0.05:
            print(f"{what:36.36} {end - start:8.1f} s   {events / (end - start) / 1e6:.2f} M events/s")
    print(f"build in all        {total:8.1f} s   peak memory {memory():.1f} GB")
    warehouse = Warehouse(path)
    counts(warehouse)
    bitmaps(warehouse)
    against_pandas(warehouse)


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
            {"feature": "spend_365d", "op": ">", "value": rng.randint(20, 400)},
            {"feature": "recency_days", "op": "<=", "value": rng.randint(20, 200)},
            {"not": {"feature": "categories_365d", "op": "<", "value": rng.randint(2, 10)}},
            {
                "any_of": [
                    {"feature": "spend_30d", "op": ">", "value": 10},
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
        "value": rng.randint(1, 40),
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


def counts(warehouse: Warehouse) -> None:
    """95th percentile of counting random definitions of three kinds."""
    for name, make, target in (
        ("5 feature conditions", feature_definition, 0.3),
        ("event with a window", event_definition, 2.0),
        ("sequence of two", sequence_definition, 10.0),
    ):
        rng, audiences = random.Random(7), Audiences(warehouse)
        audiences.size(from_json(make(rng)))
        seconds = [timed(audiences.size, from_json(make(rng)))[0] for _ in range(RUNS)]
        p95 = float(np.quantile(seconds, 0.95))
        print(f"count: {name:24} p95 {p95 * 1000:8.0f} ms   (target {target * 1000:.0f} ms at 1 M customers)")


def bitmaps(warehouse: Warehouse) -> None:
    """Counting again after one of five conditions changed, the changed one known to the engine already."""
    rng, found = random.Random(11), Bitmaps(Audiences(warehouse))
    parts = [event_definition(rng) for _ in range(8)]
    for part in parts:
        found.size(from_json(part))
    seconds = []
    for _ in range(RUNS):
        node = from_json({"all_of": [{"any_of": rng.sample(parts, 3)}, {"not": rng.choice(parts)}]})
        seconds.append(timed(found.size, node)[0])
    print(f"recount from bitmaps            p95 {np.quantile(seconds, 0.95) * 1000:8.1f} ms   (target 50 ms)")


def against_pandas(warehouse: Warehouse) -> None:
    """The same event count in pandas over the same columns in memory, and the ratio."""
    events = warehouse.table("events")
    columns = ["customer_id", "ts", "type", "item_id", "value"]
    frame = warehouse.fetch(events.select(*columns))
    items = warehouse.fetch(warehouse.table("items")).set_index("item_id")["category"]
    rng, ratios = random.Random(7), []
    event_definition(rng)
    for _ in range(3):
        definition = event_definition(rng)
        ours, size = timed(Audiences(warehouse).size, from_json(definition))
        theirs, other = timed(pandas_size, frame, items, definition, warehouse)
        if size != other:
            raise SystemExit(f"pandas counts {other}, the engine {size}: {definition}")
        ratios.append(theirs / ours)
    print(f"the same counts in pandas       {np.median(ratios):.0f} times slower (same customers counted)")


def pandas_size(
    frame: pd.DataFrame, items: pd.Series, definition: dict[str, Any], warehouse: Warehouse
) -> int:
    """The event definition by pandas."""
    start = pd.Timestamp(warehouse.as_of - timedelta(days=definition["from_days_ago"]))
    rows = frame[(frame["type"] == definition["event"]) & (frame["ts"] >= start)]
    rows = rows[rows["item_id"].map(items).isin(definition["items"]["category"])]
    spend = rows.groupby("customer_id")["value"].sum()
    return int((spend > definition["value"]).sum())


if __name__ == "__main__":
    main()
