"""Propensity on the test cut, trained here and now, beside plain RFM on the same cuts.

    python -m eval.bench.propensity [--workspace DIR] [--built]

Trains every model into a temporary folder (nothing of the workspace is touched), or takes those that the workspace
was built with (--built), as they were when they were tested; prints AUC with its
interval, calibration error, the ratio to twelve plain RFM features with the same learner, and the target.
Beside the calibration error what a model that is exactly right would show of these customers by chance.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from assistant.scoring import train
from assistant.workspace import DEFAULT, open_workspace
from propensity.candidate import Card
from propensity.evaluate import ece
from propensity.promotion import LABEL
from propensity.registry import Registry
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
DRAWS = 500
SEED = 17


def chance_ece(probabilities: np.ndarray) -> np.ndarray:
    """The calibration errors that exact probabilities have by chance: of DRAWS times labels drawn by them."""
    random = np.random.default_rng(SEED)
    drawn = (random.random(len(probabilities)) < probabilities for _ in range(DRAWS))
    return np.array([ece(labels.astype(float), probabilities) for labels in drawn])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--built", action="store_true", help="the workspace's own models, nothing is trained")
    arguments = parser.parse_args()
    workspace = open_workspace(arguments.workspace)
    if arguments.built:
        _print(*_found(Registry(workspace.models)), "as built")
        return
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, steps() as progress:
        train(Warehouse(workspace.warehouse), Path(folder), progress("Train"))
        found = _found(Registry(Path(folder)))
    _print(*found, f"{time.perf_counter() - began:.0f} s")


def _found(registry: Registry) -> tuple[dict[str, Card], dict[str, pd.DataFrame | None]]:
    """The cards, and what was said on the test cut, by outcome."""
    cards = {card.outcome: card for card in registry.cards()}
    return cards, {name: registry.candidate(cards[name].model).tested for name in TARGETS}


def _print(cards: dict[str, Card], tested: dict[str, pd.DataFrame | None], how: str) -> None:
    first = cards["purchase_30d"]
    title = f"trained up to {first.train_cuts[-1]}, tested on {first.test_cut}; {how}"
    table = Table(title=title)
    measures = ("AUC (95 %)", "target", "ECE", "ECE by chance (95 % below)", "RFM AUC", "RFM ECE")
    for name in ("outcome", *measures, "error left, of RFM's"):
        table.add_column(name)
    for outcome, target in TARGETS.items():
        card = cards[outcome]
        table.add_row(
            outcome,
            f"{card.auc:.3f} ({card.auc_low:.3f}-{card.auc_high:.3f})",
            f"{target:.3f} {'met' if card.auc >= target else 'MISSED'}",
            f"{card.ece:.3f} {'met' if card.ece <= MAX_ECE else 'MISSED'}",
            _by_chance(card, tested[outcome]),
            f"{card.baseline_auc:.3f}",
            f"{card.baseline_ece:.3f}",
            f"{(1 - card.auc) / (1 - card.baseline_auc):.2f}",
        )
    Console(width=150).print(table)


def _by_chance(card: Card, tested: pd.DataFrame | None) -> str:
    """Of the categories' mean, the mean over as many of the largest as it is of."""
    if tested is None:
        return ""
    said = [str(name) for name in tested if not str(name).startswith(LABEL)]
    names = [card.outcome] if card.outcome in said else said[: card.categories]
    found = np.mean([chance_ece(tested[name].to_numpy(dtype="float64")) for name in names], axis=0)
    return f"{found.mean():.3f} ({np.quantile(found, 0.95):.3f})"


if __name__ == "__main__":
    main()
