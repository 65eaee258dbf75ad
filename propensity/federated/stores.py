"""Stores that each keep their own customers' rows, and the model that they train together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from propensity.evaluate import auc
from segments.ports import Snapshot

LOG_SCALE = 5.0
"""Columns are log1p values over this: a public constant near the logarithm of the largest counts and amounts, so that
no statistic of anybody's rows is needed to scale them."""
BOUND = 2.0


@dataclass(frozen=True)
class Store:
    """One store's rows. features: (rows, columns) float32. labels: (rows,) 0 or 1. customers: whose each row is."""

    name: str
    features: torch.Tensor
    labels: torch.Tensor
    customers: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def one_row_each(self, seed: int) -> Store:
        """One row of every customer, drawn by the seed: the unit that differential privacy then protects is a person."""
        order = np.random.default_rng(seed).permutation(len(self))
        _, first = np.unique(self.customers[order], return_index=True)
        chosen = np.sort(order[first])
        return Store(self.name, self.features[chosen], self.labels[chosen], self.customers[chosen])


def scaled(features: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """float32 columns within [-BOUND, BOUND]: signed logarithms over LOG_SCALE; a missing value is 0."""
    values = features[list(columns)].to_numpy(dtype="float32")
    logs = np.sign(values) * np.log1p(np.abs(values)) / LOG_SCALE
    return np.asarray(np.clip(np.nan_to_num(logs), -BOUND, BOUND), dtype="float32")


def stores_of(snapshots: Sequence[Snapshot], columns: Sequence[str], store_of: pd.Series) -> list[Store]:
    """Each store's rows over all snapshots, by name. store_of: store by customer_id; others are left out."""
    parts: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    for snapshot in snapshots:
        if snapshot.labels is None:
            raise ValueError(f"The snapshot of {snapshot.as_of} has no labels.")
        rows = scaled(snapshot.features, columns)
        labels = snapshot.labels.reindex(snapshot.features.index).to_numpy(dtype="float32")
        ids = snapshot.features.index.to_numpy(dtype=object)
        names = store_of.reindex(snapshot.features.index).to_numpy(dtype=object)
        for name in pd.unique(names[pd.notna(names)]):
            own = names == name
            parts.setdefault(str(name), []).append((rows[own], labels[own], ids[own]))
    return [
        Store(
            name,
            torch.from_numpy(np.concatenate([rows for rows, _, _ in parts[name]])),
            torch.from_numpy(np.concatenate([labels for _, labels, _ in parts[name]])),
            np.concatenate([ids for _, _, ids in parts[name]]),
        )
        for name in sorted(parts)
    ]


def logistic(columns: int) -> nn.Module:
    """Logistic regression that starts at zero."""
    layer = nn.Linear(columns, 1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def network(columns: int, hidden: int = 16, seed: int = 1) -> nn.Module:
    """One hidden layer; every store starts from the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(columns, hidden), nn.Tanh(), nn.Linear(hidden, 1))


def probabilities(model: nn.Module, features: torch.Tensor) -> np.ndarray:
    """What a model says of rows."""
    with torch.no_grad():
        return np.asarray(torch.sigmoid(model(features).squeeze(1)).numpy(), dtype="float64")


def mean_store_auc(stores: Sequence[Store], scores: Sequence[np.ndarray]) -> float:
    """The AUC among each store's own customers, weighted by their number; stores with one answer only are left out."""
    areas = np.array([auc(store.labels.numpy(), said) for store, said in zip(stores, scores, strict=True)])
    weights = np.array([len(store) for store in stores], dtype="float64")
    known = np.isfinite(areas)
    return float(np.average(areas[known], weights=weights[known]))
