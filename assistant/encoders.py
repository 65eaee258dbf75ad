"""Learned behaviour encoders of a workspace: trained, judged against the aggregate, and which of them makes the index."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from assistant.behaviour import folder_of
from assistant.workspace import Workspace
from indexes.behaviour import encode_behaviour
from indexes.encoder.decision import AGGREGATE, Decision, decide, gain
from indexes.encoder.encoder import joined, train_encoder
from indexes.encoder.evaluate import Scores, linear_head, score, tasks
from indexes.encoder.network import KINDS, Shape
from indexes.encoder.training import CURVE, Training
from indexes.text import SentenceEncoder
from segments.ports import Progress, silent
from warehouse.store import Warehouse

HORIZON = 30


@dataclass(frozen=True)
class Judged:
    """Scores by encoder as of a date, what was decided, and where the trained encoders are.

    curves: of each kind, the loss on customers held out, by step.
    """

    as_of: date
    scores: dict[str, Scores]
    decision: Decision
    folder: Path
    curves: dict[str, dict[int, float]]


def train_encoders(
    workspace: Workspace,
    training: Training | None = None,
    progress: Callable[[str], Progress] = lambda _title: silent,
) -> Judged:
    """Train a Transformer and an LSTM on all but the last 30 days, and judge both on these,
    alone and beside the aggregate.

    Interrupted, it goes on from its checkpoints. The next build makes the index with what was decided
    (`assistant.behaviour`).
    """
    warehouse = Warehouse(workspace.warehouse)
    try:
        as_of = warehouse.as_of - timedelta(days=HORIZON)
        items = warehouse.fetch(warehouse.table("items"))
        purchases = warehouse.events("purchase", "customer_id", "item_id", "ts", "value")
        found = tasks(purchases, items, as_of, HORIZON)
        customers = list(found.labels.index)
        known = purchases[purchases["ts"] < pd.Timestamp(as_of)]
        text = SentenceEncoder(workspace.settings.encoder)
        features = warehouse.features(as_of).reindex(found.labels.index)
    finally:
        warehouse.close()
    folder = folder_of(workspace)
    vectors = {AGGREGATE: encode_behaviour(known, items, features, text, as_of)}
    for kind in KINDS:
        shown = progress(f"Train the {kind}")
        made = train_encoder(known, items, text, as_of, folder / kind, Shape(kind), training, shown)
        vectors[kind] = made.encode(known, items, customers, as_of)
        vectors[f"aggregate + {kind}"] = joined(vectors[AGGREGATE], vectors[kind])
    heads = {name: linear_head(made, found) for name, made in vectors.items()}
    scores = {name: score(head, found) for name, head in heads.items()}
    gains = {name: gain(heads[AGGREGATE], head, found) for name, head in heads.items() if name != AGGREGATE}
    decision = decide(scores, gains, as_of)
    decision.save(folder)
    curves: dict[str, dict[int, float]] = {kind: _curve(folder / kind) for kind in KINDS}
    return Judged(as_of, scores, decision, folder, curves)


def _curve(folder: Path) -> dict[int, float]:
    points = json.loads((folder / CURVE).read_bytes())
    return {point["step"]: point["held_out"] for point in points}
