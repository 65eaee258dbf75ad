"""What families of models on sequences see: vectors of customers' shopping days, by encoders trained before any fold.

An encoder learns without labels on purchases before the first date that anything is calibrated on, so that no fold is
judged by what its encoder has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from assistant.behaviour import folder_of
from assistant.workspace import Workspace
from indexes.encoder.encoder import LearnedEncoder, train_encoder
from indexes.encoder.network import KINDS, Shape
from indexes.encoder.training import Training
from indexes.text import RememberedTexts, SentenceEncoder
from propensity.compare import FOLDS, fold_cuts, split
from propensity.families import sequence_family
from segments.ports import Progress, Snapshot
from warehouse.store import Warehouse

ON_SEQUENCES = (sequence_family("lstm", "LSTM"), sequence_family("transformer", "Transformer"))
"""Named by their kind of encoder; each has a logistic regression on its vectors."""


def sequence_snapshots(
    workspace: Workspace,
    warehouse: Warehouse,
    snapshots: Sequence[Snapshot],
    horizon_days: int,
    steps: int,
    progress: Callable[[str], Progress],
) -> dict[str, list[Snapshot]]:
    """By kind of encoder: the same cuts, customers and labels with its vectors for columns.

    steps: of training. Interrupted, it goes on from the checkpoints in the workspace. Raises DataError when there are too
    few cuts.
    """
    cuts = [snapshot.as_of for snapshot in snapshots]
    end = split(cuts, fold_cuts(cuts, horizon_days)[-FOLDS:][0], horizon_days)[1]
    items = warehouse.fetch(warehouse.table("items"))
    purchases = warehouse.events("purchase", "customer_id", "item_id", "ts", "value")
    known = purchases[purchases["ts"] < pd.Timestamp(end)]
    text = RememberedTexts(SentenceEncoder(workspace.settings.encoder))
    found: dict[str, list[Snapshot]] = {}
    for kind in KINDS:
        folder, shown = folder_of(workspace) / f"before-{end}" / kind, progress(f"Train the {kind}")
        encoder = train_encoder(known, items, text, end, folder, Shape(kind), Training(steps=steps), shown)
        found[kind] = [_seen(encoder, purchases, items, snapshot) for snapshot in snapshots]
    return found


def _seen(
    encoder: LearnedEncoder, purchases: pd.DataFrame, items: pd.DataFrame, snapshot: Snapshot
) -> Snapshot:
    customers = snapshot.features.index
    vectors = encoder.encode(purchases, items, list(customers), snapshot.as_of)
    table = pd.DataFrame(vectors.matrix, pd.Index(vectors.customer_ids, name=customers.name))
    return replace(snapshot, features=table.reindex(customers).rename(columns="v{}".format))
