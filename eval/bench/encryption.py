"""What encryption at rest costs: the same build and the same counts on generated behaviour, plain and encrypted.

python -m eval.bench.encryption [--customers 20000] [--events 2000000] [--rounds 5]

Prints the seconds of a full build, of opening the warehouse for its first count, and of counts after it (median).
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import tempfile
from pathlib import Path

from eval.bench.scale import timed
from segments.codec import from_json
from warehouse.append import load_all
from warehouse.audience import Audiences
from warehouse.encryption import KEY_FILE_VARIABLE, KEY_VARIABLE
from warehouse.intake import take_in
from warehouse.mapping import read_mapping
from warehouse.store import FILE, Warehouse
from warehouse.synthetic import generate

BOUGHT = {
    "all_of": [
        {"event": "purchase", "op": ">=", "value": 2, "from_days_ago": 60},
        {"feature": "spend_90d", "op": ">", "value": 50},
    ]
}


def main() -> None:
    """Generate once, then build and count without and with a key."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    os.environ.pop(KEY_FILE_VARIABLE, None)
    with tempfile.TemporaryDirectory() as temporary:
        mapping = generate(Path(temporary) / "source", asked.customers, asked.events)
        sizes = set()
        for state in ("plain", "encrypted"):
            os.environ.pop(KEY_VARIABLE, None)
            if state == "encrypted":
                os.environ[KEY_VARIABLE] = secrets.token_urlsafe(32)
            sizes.add(measure(Path(temporary) / state, mapping, state, asked.rounds))
        if len(sizes) != 1:
            raise SystemExit(f"The counts differ: {sizes}")


def measure(folder: Path, mapping_file: Path, state: str, rounds: int) -> int:
    """One state: build, first count, later counts; returns the count."""
    folder.mkdir()
    mapping = read_mapping(str(mapping_file))
    intake = take_in(mapping, None, "bench")
    built, _ = timed(load_all, mapping, folder, intake, "bench")
    definition = from_json(BOUGHT)

    def first() -> int:
        warehouse = Warehouse(folder / FILE)
        try:
            return Audiences(warehouse, outcomes=()).size(definition)
        finally:
            warehouse.close()

    opened = [timed(first) for _ in range(rounds)]
    warehouse = Warehouse(folder / FILE)
    later = [timed(lambda: Audiences(warehouse, outcomes=()).size(definition)) for _ in range(rounds + 1)][1:]
    warehouse.close()
    size = opened[0][1]
    print(
        f"{state:10} build {built:7.2f} s   open and count {statistics.median(t for t, _ in opened) * 1000:7.1f} ms"
        f"   count {statistics.median(t for t, _ in later) * 1000:7.1f} ms   "
        f"{(folder / FILE).stat().st_size / 1e6:.1f} MB   {size:,} customers"
    )
    return size


if __name__ == "__main__":
    main()
