"""Stores that train a propensity model together without sharing rows, against each alone and all rows in one place.

    python -m eval.bench.federated [--workspace DIR] [--outcome NAME] [--epsilon 1 3 8]

Every household belongs to the store where it shopped most before the last training cut; stores with fewer than
--least households are one 'other' store. Models learn on the training cuts and are tested on the test cut. The AUC is
that among each store's own households, weighted by their number. With --epsilon, what privacy costs is beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from torch import nn

from assistant.workspace import DEFAULT, open_workspace
from propensity.dataset import HABITS
from propensity.evaluate import LEVEL, RESAMPLES, interval
from propensity.federated.averaging import joined, train_alone, train_federated
from propensity.federated.private import Privacy, train_private
from propensity.federated.stores import (
    Store,
    logistic,
    mean_store_auc,
    network,
    probabilities,
    stores_of,
)
from propensity.matrices import Matrices
from propensity.outcomes import parse
from propensity.plan import temporal_plan
from serving.terminal import steps
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

COLUMNS = [name for name in HABITS if name != "trip_first"]
SEED = 20171101


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--outcome", default="purchase_14d")
    parser.add_argument("--least", type=int, default=30, help="households of a store of its own")
    parser.add_argument("--epsilon", type=float, nargs="*", default=[1.0, 3.0, 8.0])
    parser.add_argument(
        "--network", action="store_true", help="a small neural network, not logistic regression"
    )
    options = parser.parse_args()
    warehouse = Warehouse(open_workspace(options.workspace).warehouse)
    with steps() as progress:
        training, test = _stores(warehouse, options.outcome, options.least, progress("What each store knows"))
        start = network(len(COLUMNS)) if options.network else logistic(len(COLUMNS))
        said = _scores(training, test, start, options.epsilon, progress)
    _print(options.outcome, training, test, said)


def _stores(
    warehouse: Warehouse, outcome: str, least: int, progress: Callable[[float, str], None]
) -> tuple[list[Store], list[Store]]:
    tables = TrainingTables(warehouse)
    plan, asked, matrices = (
        temporal_plan(tables.first_day, tables.as_of),
        parse(outcome, ()),
        Matrices(tables),
    )
    store_of = main_store(warehouse, plan.train[-1], least)
    cuts = (*plan.train, plan.test)
    snapshots = []
    for place, cut in enumerate(cuts):
        progress(place / len(cuts), f"what was known on {cut}")
        snapshots.append(matrices.snapshot(asked, cut))
    progress(1.0, f"{store_of.nunique()} stores")
    training = stores_of(snapshots[:-1], COLUMNS, store_of)
    names = {store.name for store in training}
    return training, [s for s in stores_of(snapshots[-1:], COLUMNS, store_of) if s.name in names]


def main_store(warehouse: Warehouse, before: date, least: int) -> pd.Series:
    """The store of each customer, by customer_id: where most of their shopping days before a date were."""
    purchases = warehouse.events("purchase", "customer_id", "channel", "ts")
    past = purchases[purchases["ts"] < pd.Timestamp(before)]
    days = past.assign(day=past["ts"].dt.normalize()).drop_duplicates(["customer_id", "channel", "day"])
    counts = days.groupby(["customer_id", "channel"]).size().reset_index(name="days")
    counts = counts.sort_values(["days", "channel"], ascending=[False, True])
    first = counts.drop_duplicates("customer_id").set_index("customer_id")["channel"]
    sizes = first.map(first.value_counts())
    return first.where(sizes >= least, "other")


def _scores(
    training: list[Store],
    test: list[Store],
    start: nn.Module,
    epsilons: list[float],
    progress: Callable[[str], Callable[[float, str], None]],
) -> dict[str, list[np.ndarray]]:
    known = {store.name: store for store in training}
    alone = [probabilities(train_alone(known[store.name], start), store.features) for store in test]
    models = {"all rows in one place": train_alone(joined(training), start)}
    models["together, no row shared"] = train_federated(
        training, start, progress=progress("Federated averaging")
    )
    persons = [store.one_row_each(SEED) for store in training]
    for epsilon in epsilons:
        title = f"together, private (epsilon {epsilon:g}, delta 1e-05)"
        models[title] = train_private(persons, start, Privacy(epsilon), progress(title))
    said = {name: [probabilities(model, store.features) for store in test] for name, model in models.items()}
    return {"each store alone": alone} | said


def _print(outcome: str, training: list[Store], test: list[Store], said: dict[str, list[np.ndarray]]) -> None:
    customers = sum(len(store) for store in test)
    table = Table(title=f"{outcome}: {len(test)} stores, {customers:,} customers tested")
    for name in (
        "trained",
        f"AUC within stores ({LEVEL:.0%})",
        "against each alone",
        "against all in one place",
    ):
        table.add_column(name)
    samples = {name: bootstrap(test, scores) for name, scores in said.items()}
    for name, scores in said.items():
        low, high = interval(samples[name])
        cells = [f"{mean_store_auc(test, scores):.3f} ({low:.3f}-{high:.3f})"]
        for other in ("each store alone", "all rows in one place"):
            gap_low, gap_high = interval(samples[name] - samples[other])
            gap = mean_store_auc(test, scores) - mean_store_auc(test, said[other])
            cells.append("-" if other == name else f"{gap:+.3f} ({gap_low:+.3f} to {gap_high:+.3f})")
        table.add_row(name, *cells)
    Console().print(table)


def bootstrap(stores: list[Store], scores: list[np.ndarray]) -> np.ndarray:
    """`mean_store_auc` of resampled customers, each store's own; the same draws for every model."""
    random, found = np.random.default_rng(SEED), []
    for _ in range(RESAMPLES):
        rows = [random.integers(0, len(store), len(store)) for store in stores]
        drawn = [
            Store(s.name, s.features[r], s.labels[r], s.customers[r])
            for s, r in zip(stores, rows, strict=True)
        ]
        found.append(mean_store_auc(drawn, [said[r] for said, r in zip(scores, rows, strict=True)]))
    return np.array(found)


if __name__ == "__main__":
    main()
