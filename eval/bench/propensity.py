"""Propensity on the test cut, trained here and now, beside plain RFM on the same cuts.

    python -m eval.bench.propensity [--workspace DIR]

Trains every model into a temporary folder (nothing of the workspace is touched) and prints AUC with its
interval, calibration error, the ratio to twelve plain RFM features with the same learner, and the target.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assistant.scoring import train
from assistant.workspace import DEFAULT, open_workspace
from serving.terminal import steps
from warehouse.store import Warehouse

TARGETS = {
    "purchase_14d": 0.865,
    "purchase_30d": 0.885,
    "coupon_redeem_30d": 0.925,
    "purchase_30d:BEERS/ALES": 0.87,
    "purchase_30d:BABY FOODS": 0.93,
    "purchase_30d:*": 0.84,
}
MAX_ECE = 0.02


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    warehouse = Warehouse(open_workspace(parser.parse_args().workspace).warehouse)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, steps() as progress:
        cards = {card.outcome: card for card in train(warehouse, Path(folder), progress("Train"))}
    seconds = time.perf_counter() - began
    first = cards["purchase_30d"]
    title = f"trained up to {first.train_cuts[-1]}, tested on {first.test_cut}; {seconds:.0f} s"
    table = Table(title=title)
    for name in ("outcome", "AUC (95 %)", "target", "ECE", "RFM AUC", "RFM ECE", "error left, of RFM's"):
        table.add_column(name)
    for outcome, target in TARGETS.items():
        card = cards[outcome]
        table.add_row(
            outcome,
            f"{card.auc:.3f} ({card.auc_low:.3f}-{card.auc_high:.3f})",
            f"{target:.3f} {'met' if card.auc >= target else 'MISSED'}",
            f"{card.ece:.3f} {'met' if card.ece <= MAX_ECE else 'MISSED'}",
            f"{card.baseline_auc:.3f}",
            f"{card.baseline_ece:.3f}",
            f"{(1 - card.auc) / (1 - card.baseline_auc):.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
