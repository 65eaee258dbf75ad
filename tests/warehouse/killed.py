"""Kills ingest, feature build and export at random moments, looks at what is left, and finishes the work.

python -m tests.warehouse.killed FOLDER TRIALS SEED

Each trial adds a day to a shop and kills the process that ingests and exports it. What is left must be the shop
of before or after, whole; doing it again must give exactly the rows of all days. Prints one line a trial; the
exit code is that of the first look that finds something wrong.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pandera.pandas  # noqa: F401 - loaded before the clock runs, not by every child

from segments.codec import from_json
from segments.errors import NotFoundError
from warehouse.append import append, load_all
from warehouse.audience import Audiences
from warehouse.export import export, latest, manifest_of, read_members
from warehouse.intake import take_in
from warehouse.ledger import read_ledger
from warehouse.mapping import parse_mapping
from warehouse.pseudonyms import Vault
from warehouse.store import FILE, Warehouse

ROWS = 3_000
EVERYBODY = from_json({"feature": "orders_lifetime", "op": ">=", "value": 0})
MAPPING = """
[[events]]
files = ["days"]
type = "purchase"
customer = "who"
time = "at"
item = "sku"
order = "no"
value = "price"
"""


def main(folder: Path, trials: int, seed: int) -> None:
    """All trials; leaves at the first thing that is wrong."""
    rng, usual = random.Random(seed), 3.0
    (folder / "days").mkdir(parents=True)
    for trial in range(1, trials + 1):
        add_day(folder, trial)
        after = rng.uniform(0, usual)
        killed = run(lambda: work(folder), after)
        run(lambda day=trial: look(folder, day - 1, day))  # type: ignore[misc]
        began = time.monotonic()
        run(lambda: work(folder))
        usual = time.monotonic() - began
        run(lambda day=trial: look(folder, day, day))  # type: ignore[misc]
        print(f"trial {trial}: {'killed' if killed else 'done'} after {after:.2f} s", flush=True)


def run(what: Callable[[], None], kill_after: float | None = None) -> bool:
    """Do it in a child; whether the child was killed. Ends with the child's exit code when it fails."""
    child = os.fork()
    if child == 0:
        try:
            what()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - a forked child must end here, whatever happened
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        sys.exit(os.WEXITSTATUS(status))
    return False


def add_day(folder: Path, day: int) -> None:
    """One day's purchases of customers of whom a few are new."""
    rng = random.Random(day)
    at = pd.Timestamp(2024, 1, 1) + pd.Timedelta(days=day)
    rows = [
        {
            "who": f"c{rng.randrange(100 + 10 * day)}",
            "at": at,
            "sku": f"p{n % 50}",
            "no": f"{day}-{n}",
            "price": n,
        }
        for n in range(ROWS)
    ]
    pd.DataFrame(rows).to_parquet(folder / f"days/{day:03d}.parquet")


def work(folder: Path) -> None:
    """Ingest what is new, build the features, export everybody."""
    mapping, into = parse_mapping(MAPPING, folder, "shop.toml"), folder / "ws"
    into.mkdir(exist_ok=True)
    intake = take_in(mapping, read_ledger(into / FILE), "code")
    if intake.action == "build":
        load_all(mapping, into, intake, "code")
    elif intake.action == "add":
        append(into, mapping, intake)
    warehouse = Warehouse(into / FILE)
    export(Audiences(warehouse), Vault(into), EVERYBODY, into / "exports", "all")


def look(folder: Path, least: int, most: int) -> None:
    """Raise AssertionError unless the shop is whole, of `least` to `most` days."""
    path = folder / "ws" / FILE
    ledger = read_ledger(path)
    days = len(ledger.files) if ledger else 0
    assert least <= days <= most, f"{days} days, not {least} to {most}"
    members = None
    try:
        made = latest(folder / "ws" / "exports", "all")
        manifest = manifest_of(made)
        members = read_members(made / manifest.file)
        assert len(set(members)) == len(members) == manifest.count
    except NotFoundError:
        assert least == 0, "the last good export is lost"
    if ledger is None:
        return
    given = duckdb.execute(f"SELECT * FROM read_parquet('{folder}/days/*.parquet')").df()
    given = given[given["at"] < pd.Timestamp(2024, 1, 2) + pd.Timedelta(days=days)]
    warehouse = Warehouse(path)
    events = warehouse.fetch(warehouse.table("events"))
    assert sorted(events["order_id"]) == sorted(given["no"]), "events are lost or doubled"
    features, customers = warehouse.features(), set(given["who"])
    assert set(Vault(folder / "ws").source_ids(list(features.index))) == customers
    assert features["spend_lifetime"].sum() == given["price"].sum()
    assert str(warehouse.as_of) == str((given["at"].max() + pd.Timedelta(days=1)).date())
    if members is not None and least == most:
        assert set(members) == customers


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
