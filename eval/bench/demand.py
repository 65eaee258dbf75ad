"""Demand forecasts against seasonal naive on weeks not seen, and the coverage of their 90 % intervals.

    python -m eval.bench.demand [--workspace DIR] [--data DIR]

Rolling origin: at each of the last 13 origins four weeks are forecast from the weeks before, with intervals
from the errors of the 8 origins whose four weeks were over by then. On the workspace's units by category, by
category in its five largest stores, and, with --data, on the UCI weekly sales (811 products, 52 weeks).
With less than two years the seasonal naive forecast of a week is the week before.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table

from assistant.workspace import DEFAULT, open_workspace
from insights.demand import HORIZON, LEVEL, store_key, weekly_panel
from insights.forecasting import CALIBRATION, at_origin, edges, wape
from insights.item_model import barred
from warehouse.store import Warehouse

ORIGINS = 13
STORES = 5
TARGET = 0.85
COVERAGE = (0.87, 0.93)
RESAMPLES = 1000
WEEKLY_SALES = "weekly_sales/Sales_Transactions_Dataset_Weekly.csv.gz"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--data", type=Path, help="folder that holds " + WEEKLY_SALES)
    arguments = parser.parse_args()
    table = Table(title=f"{HORIZON} weeks ahead, last {ORIGINS} origins")
    for name in ("series", "WAPE", "seasonal naive", "ratio (95 %)", "coverage", "by origin", "by size"):
        table.add_column(name)
    for name, values in _panels(arguments.workspace, arguments.data).items():
        table.add_row(f"{name} ({len(values)})", *_measured(name, values))
    Console(width=150).print(table)


def _panels(folder: Path, data: Path | None) -> dict[str, np.ndarray]:
    workspace = open_workspace(folder)
    warehouse, excluded = Warehouse(workspace.warehouse), list(workspace.settings.exclude_categories)
    events, items = warehouse.table("events"), warehouse.table("items")
    bought = events.filter(events.type == "purchase").inner_join(items, "item_id")
    rows = warehouse.fetch(bought.select("ts", "category", "department", "quantity", "channel"))
    rows = rows[~barred(rows, excluded)]
    large = rows[rows["channel"].isin(rows["channel"].value_counts().index[:STORES])]
    stores = store_key(large["category"], large["channel"])
    as_of = warehouse.as_of
    panels = {
        "categories": weekly_panel(rows["ts"], rows["category"], rows["quantity"], as_of).values,
        "in stores": weekly_panel(large["ts"], stores, large["quantity"], as_of).values,
    }
    if data is not None:
        sales = pd.read_csv(data / WEEKLY_SALES)
        panels["UCI products"] = sales[[f"W{week}" for week in range(52)]].to_numpy(float)
    return panels


def _measured(name: str, values: np.ndarray) -> list[str]:
    weeks = values.shape[1]
    tested = range(weeks - HORIZON - ORIGINS + 1, weeks - HORIZON + 1)
    first = tested[0] - HORIZON - CALIBRATION + 1
    made = {o: at_origin(values, o, HORIZON) for o in track(range(first, tested[-1] + 1), description=name)}
    errors = {o: (actual - guess) / scale[:, None] for o, (actual, guess, _, scale) in made.items()}
    inside = []
    for origin in tested:
        known = range(origin - HORIZON - CALIBRATION + 1, origin - HORIZON + 1)
        lower, upper = edges(np.stack([errors[o] for o in known]), LEVEL)
        inside.append((errors[origin] >= lower) & (errors[origin] <= upper))
    actual, guess, naive = (np.stack([made[o][part] for o in tested]) for part in range(3))
    low, high = _ratio_interval(actual, guess, naive)
    ratio, covered = wape(actual, guess) / wape(actual, naive), float(np.mean(inside))
    size = np.argsort(np.argsort(values.mean(axis=1))) * 3 // len(values)
    thirds = [np.mean([hit[size == third] for hit in inside]) for third in range(3)]
    origins = [float(hit.mean()) for hit in inside]
    return [
        f"{wape(actual, guess):.4f}",
        f"{wape(actual, naive):.4f}",
        f"{ratio:.3f} ({low:.3f}-{high:.3f}) {'met' if ratio <= TARGET else 'MISSED'}",
        f"{covered:.3f} {'met' if COVERAGE[0] <= covered <= COVERAGE[1] else 'MISSED'}",
        f"{min(origins):.3f}-{max(origins):.3f}",
        " ".join(f"{third:.3f}" for third in thirds),
    ]


def _ratio_interval(actual: np.ndarray, guess: np.ndarray, naive: np.ndarray) -> tuple[float, float]:
    """Interval of the ratio of errors, by bootstrap over series."""
    ours, theirs = (np.abs(actual - made).sum(axis=(0, 2)) for made in (guess, naive))
    drawn = np.random.default_rng(7).integers(0, len(ours), (RESAMPLES, len(ours)))
    low, high = np.quantile(ours[drawn].sum(axis=1) / theirs[drawn].sum(axis=1), (0.025, 0.975))
    return float(low), float(high)


if __name__ == "__main__":
    main()
