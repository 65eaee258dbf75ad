"""Known frauds among the inspected: the anomaly score against simple rules; and a leak that must be noticed.

    python -m eval.bench.anomalies --data DIR

DMwR sales reports (401,146, of them 15,732 inspected, 1,270 frauds): all are scored without labels, the
inspected are ranked by the score; precision among the first k. Only of sellers with an odd number: the
floors of the surprises were chosen on the others. The simple rule is the box plot's: distance
of the unit price from the product's median, in interquartile ranges. Intervals (95 %) by bootstrap over
reports. Then payment_fraud, where accountAgeDays was made from the label.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.metrics import average_precision_score

from insights.anomalies import scores
from insights.leaks import find_leaks
from insights.signals import order_signals
from segments.errors import DataError

REPORTS = "fraud/dmwr_sales.RData"
PAYMENTS = "fraud/payment_fraud.csv"
CUTS = (50, 250, 500, 800)
RESAMPLES = 500


def sales_reports(path: Path) -> pd.DataFrame:
    """customer_id (the seller), item_id, order_id (the report), quantity, value, inspection."""
    try:
        import pyreadr
    except ImportError as error:
        raise DataError("Reading RData needs pyreadr; run: pip install 'segment-assistant[dev]'") from error
    rows = next(iter(pyreadr.read_r(str(path)).values()))
    return pd.DataFrame(
        {
            "customer_id": rows["ID"].astype(str),
            "item_id": rows["Prod"].astype(str),
            "order_id": np.arange(len(rows)),
            "quantity": pd.to_numeric(rows["Quant"]),
            "value": rows["Val"],
            "inspection": rows["Insp"].astype(str),
        }
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds " + REPORTS)
    data, console = parser.parse_args().data, Console(width=150)
    reports = sales_reports(data / REPORTS)
    signals = order_signals(reports)
    odd = reports["customer_id"].str[1:].astype(int) % 2 == 1
    inspected = (odd & (reports["inspection"] != "unkn")).to_numpy()
    fraud = (reports["inspection"] == "fraud").to_numpy()[inspected]
    value = reports["value"].fillna(0.0).to_numpy()
    methods = {
        "anomaly score": scores(signals.surprise).to_numpy(),
        "strongest surprise only": signals.surprise.max(axis=1).to_numpy(),
        "box-plot rule on unit price": _box_plot(reports),
        "largest value": value,
    }
    table = Table(title=f"{fraud.sum()} frauds of {len(fraud)} inspected ({fraud.mean():.3f} by chance)")
    for name in ("ranked by", *(f"precision@{k}" for k in CUTS), f"recall@{CUTS[-1]}", "AP (95 %)"):
        table.add_column(name)
    for name, score in methods.items():
        table.add_row(name, *_measured(score[inspected], fraud))
    console.print(table)
    payments = pd.read_csv(data / PAYMENTS)
    leaks = find_leaks(payments.drop(columns="label"), payments["label"].tolist())
    console.print("Leaks in payment_fraud: " + ("; ".join(leak.words() for leak in leaks) or "NONE FOUND"))


def _box_plot(reports: pd.DataFrame) -> np.ndarray:
    price = reports["value"] / reports["quantity"]
    grouped = price.groupby(reports["item_id"])
    low, middle, high = (grouped.transform("quantile", share) for share in (0.25, 0.5, 0.75))
    off = (price - middle).abs() / (high - low).clip(lower=1e-6)
    return off.replace(np.inf, np.nan).fillna(0.0).to_numpy()


def _measured(score: np.ndarray, fraud: np.ndarray) -> list[str]:
    random = np.random.default_rng(3)
    drawn = random.integers(0, len(fraud), (RESAMPLES, len(fraud)))
    spread = [_precisions(score[rows], fraud[rows]) for rows in drawn]
    low, high = np.quantile(np.array(spread), (0.025, 0.975), axis=0)
    values = _precisions(score, fraud)
    cells = [f"{v:.3f} ({lo:.3f}-{hi:.3f})" for v, lo, hi in zip(values, low, high, strict=True)]
    found = fraud[np.argsort(-score, kind="stable")[: CUTS[-1]]].sum() / fraud.sum()
    return [*cells[:-1], f"{found:.3f}", cells[-1]]


def _precisions(score: np.ndarray, fraud: np.ndarray) -> list[float]:
    best = fraud[np.argsort(-score, kind="stable")]
    return [*(float(best[:k].mean()) for k in CUTS), float(average_precision_score(fraud, score))]


if __name__ == "__main__":
    main()
