"""Frozen behaviour vectors on held-out tasks: aggregate, LSTM and Transformer, beside the tabular features.

    python -m eval.bench.encoder [--workspace DIR] [--as-of 2017-11-01] [--steps 800] [--folder DIR]

Everything is trained and encoded from purchases before the date; labels are from the 30 days after it. The
tabular row is the feature mart as of the date through LightGBM, on the same folds of customers; it knows
nothing of single products. Each learned vector is also judged beside the aggregate. Checkpoints stay in
--folder, where a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import date
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.table import Table
from sklearn.model_selection import KFold

from assistant.workspace import DEFAULT, open_workspace
from indexes.behaviour import BehaviourVectors, encode_behaviour
from indexes.encoder.decision import AGGREGATE, decide, gain
from indexes.encoder.encoder import joined, train_encoder
from indexes.encoder.evaluate import FOLDS, SEED, Scores, Tasks, areas, linear_head, score, tasks
from indexes.encoder.network import KINDS, Shape
from indexes.encoder.training import Training
from indexes.text import RememberedTexts, SentenceEncoder
from serving.terminal import steps
from warehouse.store import Warehouse

SHARE = 0.97
"""Of the tabular AUC, that frozen vectors should reach."""


def tabular(features: pd.DataFrame, found: Tasks) -> pd.Series:
    """AUROC of LightGBM on the feature mart, for churn and the categories."""
    table = features.reindex(found.labels.index).select_dtypes("number").to_numpy(dtype=float)
    names = ["churn", *found.of("category")]
    scores = pd.DataFrame(0.0, found.labels.index, names)
    for fitted, judged in KFold(FOLDS, shuffle=True, random_state=SEED).split(table):
        for name in names:
            label = found.labels[name].to_numpy()
            rows = fitted[~np.isnan(label[fitted])]
            model = lightgbm.LGBMClassifier(
                n_estimators=60, learning_rate=0.05, num_leaves=7, min_child_samples=30, subsample=0.8, subsample_freq=1,
                colsample_bytree=0.5, n_jobs=1, random_state=SEED, verbose=-1,
            )  # fmt: skip
            model.fit(table[rows], label[rows])
            scores.loc[found.labels.index[judged], name] = model.predict_proba(table[judged])[:, 1]
    return areas(scores, found)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2017, 11, 1))
    parser.add_argument("--steps", type=int, default=Training().steps)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    workspace = open_workspace(arguments.workspace)
    warehouse = Warehouse(workspace.warehouse)
    items = warehouse.fetch(warehouse.table("items"))
    purchases = warehouse.events("purchase", "customer_id", "item_id", "ts", "value")
    as_of, text = arguments.as_of, RememberedTexts(SentenceEncoder(workspace.settings.encoder))
    found = tasks(purchases, items, as_of)
    known = purchases[purchases["ts"] < pd.Timestamp(as_of)]
    features = warehouse.features(as_of).reindex(found.labels.index)
    vectors: dict[str, BehaviourVectors] = {
        "aggregate": encode_behaviour(known, items, features, text, as_of)
    }
    took: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary, steps() as progress:
        for kind in KINDS:
            began = time.process_time()
            folder = (arguments.folder or Path(temporary)) / kind
            shape, training = Shape(kind=kind), Training(steps=arguments.steps)
            encoder = train_encoder(known, items, text, as_of, folder, shape, training, progress(kind))
            took[kind] = time.process_time() - began
            vectors[kind] = encoder.encode(known, items, list(found.labels.index), as_of)
    for name in took:
        vectors[f"aggregate + {name}"] = joined(vectors["aggregate"], vectors[name])
    heads = {name: linear_head(made, found) for name, made in vectors.items()}
    judged = {name: score(head, found) for name, head in heads.items()}
    gains = {name: gain(heads[AGGREGATE], head, found) for name, head in heads.items() if name != AGGREGATE}
    area = tabular(features, found)
    _print(judged, area, found, took, as_of)
    print(decide(judged, gains, as_of).words)


def _print(
    judged: dict[str, Scores], area: pd.Series, found: Tasks, took: dict[str, float], as_of: date
) -> None:
    console = Console(width=120)
    churn, category = float(area["churn"]), float(area[found.of("category")].mean())
    sizes = f"{len(found.of('category'))} categories, {len(found.of('product'))} products"
    table = Table(title=f"AUROC of frozen vectors with a linear head as of {as_of}; {sizes}")
    for name in (
        "vectors",
        "churn",
        "category",
        "product",
        "mean",
        "novelty",
        "diversity",
        "of tabular",
        "CPU s",
    ):
        table.add_column(name)
    for name, one in judged.items():
        share = (one.churn + one.category) / (churn + category)
        table.add_row(
            name,
            *(f"{value:.4f}" for value in (one.churn, one.category, one.product, one.mean)),
            f"{one.novelty:.3f}",
            f"{one.diversity:.3f}",
            f"{share:.3f} {'met' if share >= SHARE else 'MISSED'}",
            f"{took[name]:.0f}" if name in took else "-",
        )
    table.add_row("tabular (LightGBM)", f"{churn:.4f}", f"{category:.4f}", *["-"] * 4, "1", "-")
    console.print(table)


if __name__ == "__main__":
    main()
