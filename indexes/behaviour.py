"""Behaviour vectors: one unit vector a customer, a plain aggregate of what they bought, when and how much.

Three blocks, each of unit length before its weight: tastes (recency-weighted spend over categories,
TF-IDF, reduced by SVD), meaning (recency-weighted mean of the items' text vectors, so that an item never
seen before still counts), habits (log-scaled recency, frequency, monetary value and breadth).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from segments.errors import DataError
from segments.ports import Progress, TextEncoder, silent

TASTE_DIMENSIONS = 96
TEXT_DIMENSIONS = 32
HALF_LIFE_DAYS = 120.0
WEIGHTS = (1.0, 0.35, 0.25)
"""Of tastes, meaning and habits; chosen by `eval.bench.lookalikes` on categories outside its 30."""
HABITS = (
    "recency_days",
    "orders_90d",
    "orders_365d",
    "spend_90d",
    "spend_365d",
    "basket_value_365d",
    "categories_365d",
    "private_label_share_365d",
    "discount_rate_365d",
    "weekend_share_365d",
)
SEED = 7


@dataclass(frozen=True)
class BehaviourVectors:
    """Customers and their vectors. matrix: float32 of shape (n, d), rows of unit length, in id order."""

    customer_ids: tuple[str, ...]
    matrix: np.ndarray
    encoder: str
    as_of: date

    def rows(self, customer_ids: Sequence[str]) -> np.ndarray:
        """The row numbers of customers that are here."""
        place = {customer: i for i, customer in enumerate(self.customer_ids)}
        return np.array([place[c] for c in customer_ids if c in place], dtype=np.int64)


def encode_behaviour(
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    features: pd.DataFrame,
    encoder: TextEncoder | None,
    as_of: date,
    progress: Progress = silent,
) -> BehaviourVectors:
    """Vectors of every customer of `features` from purchases before `as_of`.

    purchases: customer_id, item_id, ts, value. items: item_id, department, category, name. features:
    indexed by customer_id. encoder None leaves the meaning block out. Raises DataError without purchases.
    """
    rows = purchases[purchases["ts"] < pd.Timestamp(as_of)]
    if rows.empty:
        raise DataError(
            f"No purchases before {as_of}: behaviour cannot be encoded.",
            f"{as_of}之前没有购买，无法编码行为。",
        )
    customers = features.index.sort_values()
    progress(0.1, "weighing purchases by recency")
    age = (pd.Timestamp(as_of) - rows["ts"]).dt.days.to_numpy()
    weight = np.exp2(-age / HALF_LIFE_DAYS) * np.log1p(rows["value"].clip(lower=0).to_numpy())
    who = customers.get_indexer(pd.Index(rows["customer_id"]))
    what = items.set_index("item_id").reindex(rows["item_id"])
    progress(0.3, "tastes")
    spend, _ = _counts(who, what["category"].to_numpy(), weight, len(customers))
    blocks = [tastes(spend)]
    progress(0.5, "meaning of the items")
    if encoder is not None:
        blocks.append(_meaning(who, what, weight, len(customers), encoder))
    progress(0.9, "habits")
    blocks.append(_habits(features.loc[customers]))
    weights = WEIGHTS if encoder is not None else (WEIGHTS[0], WEIGHTS[2])
    matrix = np.hstack([w * _unit(block) for w, block in zip(weights, blocks, strict=True)])
    name = f"aggregate:{encoder.name if encoder else 'no-text'}:{_fingerprint()}"
    return BehaviourVectors(tuple(customers), _unit(matrix).astype(np.float32), name, as_of)


def habit_vectors(features: pd.DataFrame) -> np.ndarray:
    """Plain RFM vectors of unit length: the baseline of the lookalike benchmark."""
    return _unit(_habits(features.sort_index())).astype(np.float32)


def _fingerprint() -> str:
    settings = repr((TASTE_DIMENSIONS, TEXT_DIMENSIONS, HALF_LIFE_DAYS, WEIGHTS, HABITS, SEED))
    return hashlib.sha256(settings.encode()).hexdigest()[:8]


def _counts(
    who: np.ndarray, what: np.ndarray, weight: np.ndarray, n: int
) -> tuple[sparse.csr_matrix, pd.Index]:
    codes, names = pd.factorize(what, sort=True)
    keep = (codes >= 0) & (who >= 0)
    shape = (n, len(names))
    return sparse.csr_matrix((weight[keep], (who[keep], codes[keep])), shape=shape), pd.Index(names)


def tastes(spend: sparse.csr_matrix, dimensions: int = TASTE_DIMENSIONS) -> np.ndarray:
    """Spend (n customers, categories) as n vectors of at most `dimensions`: TF-IDF of its logarithm, SVD."""
    counts = spend.copy()
    counts.data = np.log1p(counts.data)
    buyers = np.asarray((counts > 0).sum(axis=0)).ravel()
    weighted = counts @ sparse.diags(np.log((1 + counts.shape[0]) / (1 + buyers)) + 0.1)
    size = min(dimensions, min(weighted.shape) - 1)
    if size < 1:
        return np.asarray(weighted.todense())
    left, scale, _ = randomized_svd(weighted, size, random_state=SEED)
    # The square root keeps the few largest directions (how much) from drowning the rest (what).
    return left * np.sqrt(scale)


def _meaning(
    who: np.ndarray, what: pd.DataFrame, weight: np.ndarray, n: int, encoder: TextEncoder
) -> np.ndarray:
    texts = item_texts(what)
    counts, names = _counts(who, texts.to_numpy(), weight, n)
    vectors = encoder.encode(list(names))
    mean = np.asarray((counts @ vectors) / np.maximum(counts.sum(axis=1), 1e-9))
    mean -= mean.mean(axis=0)
    size = min(TEXT_DIMENSIONS, min(mean.shape) - 1)
    if size < 1:
        return mean
    left, scale, _ = randomized_svd(mean, size, random_state=SEED)
    return left * np.sqrt(scale)


def item_texts(items: pd.DataFrame) -> pd.Series:
    """'department | category | name', the text an item is encoded by; missing parts are left out."""
    columns = [items[name].fillna("").astype(str) for name in ("department", "category", "name")]
    return (columns[0] + " | " + columns[1] + " | " + columns[2]).str.strip(" |").str.lower()


def _habits(features: pd.DataFrame) -> np.ndarray:
    table = features[[name for name in HABITS if name in features]].astype("float64")
    table = table.fillna(table.median()).fillna(0.0)
    logs = pd.DataFrame(np.log1p(table.clip(lower=0)))
    spread = logs.std().fillna(1).replace(0, 1)
    scaled: np.ndarray = ((logs - logs.mean()) / spread).clip(-3, 3).to_numpy()
    return scaled


def _unit(matrix: np.ndarray) -> np.ndarray:
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
