"""What one appended day costs beside the full build: 1/365 of generated behaviour, ingested as its own file.

python -m eval.bench.append [--customers 100000] [--events 10000000] [--folder FOLDER]

Prints each stage's seconds and what processor time it took, of the day also as a share of the full build's, which a busy
machine does not change. Both are done by one process, so that neither is charged for loading libraries.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import duckdb

from eval.bench.scale import memory, timed
from warehouse.append import append, load_all
from warehouse.intake import take_in
from warehouse.ledger import read_ledger
from warehouse.mapping import read_mapping
from warehouse.store import FILE
from warehouse.synthetic import generate
from warehouse.write import count

TARGET = 0.05


def main() -> None:
    """Generate, set the last day aside, build, append it, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run(asked.folder or Path(temporary), asked.customers, asked.events)


def run(folder: Path, customers: int, events: int) -> None:
    """One size."""
    source = folder / "source"
    mapping_file = generate(source, customers, events)
    day = folder / "day.parquet"
    rows = set_last_day_aside(source / "events", day)
    print(f"{customers:,} customers, {events:,} events, {rows:,} of them on the last day")
    # Loaded when it is first needed, which would be in the full build.
    import pandera.pandas  # noqa: F401

    full = ingest(folder / "workspace", mapping_file, "full build")
    shutil.copy(day, source / "events" / "day.parquet")
    ingest(folder / "workspace", mapping_file, "appended day", full)
    again, _ = timed(
        take_in, read_mapping(str(mapping_file)), read_ledger(folder / "workspace" / FILE), "bench"
    )
    print(f"nothing new                       {again:7.2f} s   peak memory {memory():.1f} GB")


def set_last_day_aside(events: Path, day: Path) -> int:
    """Move the last day's rows out of the event files; how many there are."""
    connection = duckdb.connect()
    found = connection.execute(f"SELECT max(ts)::DATE FROM read_parquet('{events}/*.parquet')").fetchone()
    last = found[0] if found else None
    connection.execute(
        f"COPY (FROM read_parquet('{events}/*.parquet') WHERE ts::DATE = '{last}') TO '{day}' (FORMAT parquet)"
    )
    for path in sorted(events.glob("*.parquet")):
        kept = path.with_suffix(".kept")
        connection.execute(
            f"COPY (FROM read_parquet('{path}') WHERE ts::DATE < '{last}') TO '{kept}' (FORMAT parquet)"
        )
        kept.replace(path)
    return count(connection, f"SELECT count(*) FROM read_parquet('{day}')")


def ingest(workspace: Path, mapping_file: Path, what: str, of: float | None = None) -> float:
    """Take in what is new, stage by stage; processor time in seconds. of: what each stage is shown as a share of."""
    workspace.mkdir(parents=True, exist_ok=True)
    stages: list[tuple[str, float, float]] = []

    def heard(_share: float, stage: str) -> None:
        stages.append((stage, time.perf_counter(), time.process_time()))

    heard(0.0, "looking at the files")
    mapping = read_mapping(str(mapping_file))
    intake = take_in(mapping, read_ledger(workspace / FILE), "bench")
    if intake.action == "build":
        load_all(mapping, workspace, intake, "bench", heard)
    else:
        append(workspace, mapping, intake, heard)
    heard(1.0, "")

    def tell(stage: str, seconds: float, worked: float) -> None:
        share = "" if of is None else f"   {worked / of:6.1%} of the full build's"
        print(f"{what}: {stage:38.38} {seconds:8.2f} s, {worked:6.2f} s of processor time{share}")

    for (stage, began, idle), (_, ended, worked) in pairwise(stages):
        if stage != "warehouse ready":
            tell(stage, ended - began, worked - idle)
    (_, began, idle), (_, ended, worked) = stages[0], stages[-1]
    target = "" if of is None else f" (target {TARGET:.0%})"
    tell(f"in all{target}", ended - began, worked - idle)
    return worked - idle


if __name__ == "__main__":
    main()
