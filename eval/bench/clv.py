"""Customer lifetime value on held-out weeks: BG/NBD and Gamma-Gamma, a machine-learned rival, a constant rate.

    python -m eval.bench.clv [--data DIR] [--workspace DIR]

CDNOW's 1/10 sample: parameters against Fader, Hardie and Lee (2005), then 39 and 13 held-out weeks. With a
workspace: its own last 13 weeks.
"""

from __future__ import annotations

import argparse
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from assistant.workspace import open_workspace
from propensity.clv import LEVEL, fit_bgnbd, fit_gamma_gamma, summarise
from propensity.clv_learned import constant_rate, held_out, learned, outcomes, probabilistic
from propensity.worth import CustomerWorth
from segments.errors import DataError
from warehouse.store import Warehouse

CALIBRATED = date(1997, 10, 1)
PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426, "p": 6.25, "q": 3.74, "gamma": 15.44}
BASELINE = "constant rate"


def cdnow(folder: Path) -> pd.DataFrame:
    """Purchases of the 1/10 sample: customer_id, ts, value."""
    names = ["master", "customer_id", "ts", "quantity", "value"]
    data = pd.read_csv(folder / "cdnow" / "CDNOW_sample.txt", sep=r"\s+", header=None, names=names)
    return data.assign(ts=pd.to_datetime(data["ts"].astype(str)))[["customer_id", "ts", "value"]]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--workspace", type=Path)
    given = parser.parse_args()
    console = Console(width=130)
    purchases = cdnow(given.data)
    console.print(_parameters(purchases))
    for weeks in (39, 13):
        console.print(_held_out(purchases, CALIBRATED, weeks, f"CDNOW, {weeks} weeks from {CALIBRATED}"))
    if given.workspace:
        warehouse = Warehouse(open_workspace(given.workspace).warehouse)
        bought = warehouse.events("purchase", "customer_id", "ts", "value")
        cut = warehouse.as_of - timedelta(weeks=13)
        console.print(_held_out(bought, cut, 13, f"{given.workspace}, 13 weeks from {cut}"))


def _parameters(purchases: pd.DataFrame) -> Table:
    summary = summarise(purchases, CALIBRATED)
    table = Table(title=f"CDNOW 1/10 sample, {len(summary)} customers: parameters")
    for name in ("parameter", "found", "published", "found / published"):
        table.add_column(name)
    for fit in (fit_bgnbd(summary), fit_gamma_gamma(summary)):
        for name in fit.names:
            published = PUBLISHED[name]
            table.add_row(name, f"{fit[name]:.4f}", f"{published:.3f}", f"{fit[name] / published:.4f}")
    return table


def _held_out(purchases: pd.DataFrame, cut: date, weeks: int, title: str) -> Table:
    began = time.perf_counter()
    expected, spent = probabilistic(purchases, cut, weeks)
    methods = {BASELINE: constant_rate(purchases, cut, weeks), "BG/NBD + Gamma-Gamma": expected}
    try:
        methods["LightGBM"] = learned(purchases, cut, weeks)
        note = ""
    except DataError as error:
        note = f"\nno LightGBM: {error}"
    actual = outcomes(purchases, cut, weeks, expected.index)
    worth = CustomerWorth(purchases[purchases["ts"] < pd.Timestamp(cut)], cut)
    told = worth.group(list(actual.index), weeks).value
    total = float(actual["value"].sum())
    spread = (
        f"actual spend {total:,.0f} {_inside(total, told.low, told.high)} as the product tells it, "
        f"{_inside(total, *np.quantile(spent, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))} of the models alone"
    )
    table = Table(
        title=f"{title} ({len(actual)} customers, {time.perf_counter() - began:.1f} s)\n{spread}{note}"
    )
    for name in (
        "target",
        "method",
        "MAE",
        f"of {BASELINE}'s",
        "95 %, difference",
        "correlation",
        "total / actual",
    ):
        table.add_column(name)
    rows = held_out(actual, methods, BASELINE)
    errors = {row.target: row.mean_absolute_error for row in rows if row.method == BASELINE}
    for row in rows:
        table.add_row(
            row.target,
            row.method,
            f"{row.mean_absolute_error:.3f}",
            f"{row.mean_absolute_error / errors[row.target]:.3f}",
            f"{row.low:+.3f} to {row.high:+.3f}",
            f"{row.correlation:.3f}",
            f"{row.predicted / row.actual:.3f}",
        )
    return table


def _inside(total: float, low: float, high: float) -> str:
    inside = "inside" if low <= total <= high else "OUTSIDE"
    return f"{inside} the {LEVEL:.0%} interval {low:,.0f} to {high:,.0f}"


if __name__ == "__main__":
    main()
