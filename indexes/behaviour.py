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
NOISE = 1e-6
"""Share of the largest singular value below which one is not told from zero."""
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


@dataclass(frozen=True)
class Aggregate:
    """What was learned of all customers once: it makes a vector that compares with theirs without another look at them.

    categories: the rows of tastes (c, d). centre (t,) and meaning (t, d): of mean text vectors, None without text.
    middle, mean, spread (h,): of each habit, what a missing one counts as, and its scale. A new category says nothing in
    the tastes until the aggregate is learned anew; what its items mean counts at once.
    """

    categories: tuple[str, ...]
    tastes: np.ndarray
    centre: np.ndarray | None
    meaning: np.ndarray | None
    middle: np.ndarray
    mean: np.ndarray
    spread: np.ndarray

    def name(self, encoder: TextEncoder | None) -> str:
        """Text encoder, settings, and a hash of what was learned: vectors of the same name have meaning together."""
        learned = hashlib.sha256("\n".join(self.categories).encode())
        for array in (self.tastes, self.centre, self.meaning, self.middle, self.mean, self.spread):
            if array is not None:
                learned.update(np.ascontiguousarray(array).tobytes())
        return (
            f"aggregate:{encoder.name if encoder else 'no-text'}:{_fingerprint()}:{learned.hexdigest()[:8]}"
        )


def encode_behaviour(
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    features: pd.DataFrame,
    encoder: TextEncoder | None,
    as_of: date,
    progress: Progress = silent,
    learned: Aggregate | None = None,
) -> BehaviourVectors:
    """Vectors of every customer of `features` from purchases before `as_of`; as `learn_behaviour` without `learned`."""
    if learned is None:
        return learn_behaviour(purchases, items, features, encoder, as_of, progress)[0]
    known = _read(purchases, items, features, encoder, as_of, progress)
    return _encoded(known, learned, encoder, as_of)


def learn_behaviour(
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    features: pd.DataFrame,
    encoder: TextEncoder | None,
    as_of: date,
    progress: Progress = silent,
) -> tuple[BehaviourVectors, Aggregate]:
    """Vectors of every customer of `features` from purchases before `as_of`, and what was learned of all for them.

    purchases: customer_id, item_id, ts, value. items: item_id, department, category, name. features:
    indexed by customer_id. encoder None leaves the meaning block out. Raises DataError without purchases.
    """
    known = _read(purchases, items, features, encoder, as_of, progress)
    progress(0.9, "what all have in common")
    learned = _learned(known)
    return _encoded(known, learned, encoder, as_of), learned


@dataclass(frozen=True)
class _Known:
    """What vectors are made of. spend: (n, categories); meaning: mean text vectors (n, t); habits: on log scale (n, h)."""

    customers: pd.Index
    spend: sparse.csr_matrix
    categories: tuple[str, ...]
    meaning: np.ndarray | None
    habits: pd.DataFrame


def _read(
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    features: pd.DataFrame,
    encoder: TextEncoder | None,
    as_of: date,
    progress: Progress,
) -> _Known:
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
    spend, names = _counts(who, what["category"].to_numpy(), weight, len(customers))
    progress(0.5, "meaning of the items")
    meaning = None if encoder is None else _meaning(who, what, weight, len(customers), encoder)
    return _Known(customers, spend, tuple(map(str, names)), meaning, _habits(features.loc[customers]))


def _learned(known: _Known) -> Aggregate:
    centre = meaning = None
    if known.meaning is not None:
        centre = known.meaning.mean(axis=0)
        meaning = _reduced(known.meaning - centre, TEXT_DIMENSIONS)
    return Aggregate(
        known.categories,
        _tastes(known.spend, TASTE_DIMENSIONS),
        centre,
        meaning,
        *_scale(known.habits),
    )


def _encoded(known: _Known, learned: Aggregate, encoder: TextEncoder | None, as_of: date) -> BehaviourVectors:
    place = pd.Index(known.categories).get_indexer(pd.Index(learned.categories))
    spend = known.spend[:, place[place >= 0]]
    blocks = [_logged(spend) @ learned.tastes[place >= 0]]
    if known.meaning is not None and learned.meaning is not None:
        blocks.append((known.meaning - learned.centre) @ learned.meaning)
    blocks.append(_scaled(known.habits, learned.middle, learned.mean, learned.spread))
    weights = WEIGHTS if encoder is not None else (WEIGHTS[0], WEIGHTS[2])
    matrix = np.hstack([w * _unit(block) for w, block in zip(weights, blocks, strict=True)])
    name = learned.name(encoder)
    return BehaviourVectors(tuple(known.customers), _unit(matrix).astype(np.float32), name, as_of)


def habit_vectors(features: pd.DataFrame) -> np.ndarray:
    """Plain RFM vectors of unit length: the baseline of the lookalike benchmark."""
    habits = _habits(features.sort_index())
    return _unit(_scaled(habits, *_scale(habits))).astype(np.float32)


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
    return np.asarray(_logged(spend) @ _tastes(spend, dimensions))


def _tastes(spend: sparse.csr_matrix, dimensions: int) -> np.ndarray:
    """What the logarithm of spend is multiplied by to become tastes: (categories, at most `dimensions`)."""
    counts = _logged(spend)
    buyers = np.asarray((counts > 0).sum(axis=0)).ravel()
    rarity = np.log((1 + counts.shape[0]) / (1 + buyers)) + 0.1
    return np.asarray(rarity[:, None] * _reduced(counts @ sparse.diags(rarity), dimensions))


def _logged(spend: sparse.csr_matrix) -> sparse.csr_matrix:
    counts = spend.copy()
    counts.data = np.log1p(counts.data)
    return counts


def _reduced(matrix: sparse.csr_matrix | np.ndarray, dimensions: int) -> np.ndarray:
    """What rows (n, c) are multiplied by to become their strongest directions: (c, at most `dimensions`).

    Each is divided by the square root of its strength, which keeps the few largest directions (how much) from drowning
    the rest (what); what has hardly any strength is noise of the arithmetic and left out.
    """
    size = min(dimensions, min(matrix.shape) - 1)
    if size < 1:
        return np.eye(matrix.shape[1])
    _, scale, right = randomized_svd(matrix, size, random_state=SEED)
    kept = scale > NOISE * scale[0]
    return np.asarray(right.T * np.where(kept, 1 / np.sqrt(np.where(kept, scale, 1)), 0))


def _meaning(
    who: np.ndarray, what: pd.DataFrame, weight: np.ndarray, n: int, encoder: TextEncoder
) -> np.ndarray:
    counts, names = _counts(who, item_texts(what).to_numpy(), weight, n)
    vectors = encoder.encode(list(names))
    return np.asarray((counts @ vectors) / np.maximum(counts.sum(axis=1), 1e-9))


def item_texts(items: pd.DataFrame) -> pd.Series:
    """'department | category | name', the text an item is encoded by; missing parts are left out."""
    columns = [items[name].fillna("").astype(str) for name in ("department", "category", "name")]
    return (columns[0] + " | " + columns[1] + " | " + columns[2]).str.strip(" |").str.lower()


def _habits(features: pd.DataFrame) -> pd.DataFrame:
    """On log scale, NaN where unknown."""
    table = features[[name for name in HABITS if name in features]].astype("float64")
    return pd.DataFrame(np.log1p(table.clip(lower=0)))


def _scale(habits: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each habit, what a missing one counts as, the mean and the spread."""
    middle = habits.median().fillna(0.0)
    filled = habits.fillna(middle)
    return middle.to_numpy(), filled.mean().to_numpy(), filled.std().fillna(1).replace(0, 1).to_numpy()


def _scaled(habits: pd.DataFrame, middle: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    known = habits.to_numpy()
    filled = np.where(np.isnan(known), middle, known)
    return np.asarray(((filled - mean) / spread).clip(-3, 3))


def _unit(matrix: np.ndarray) -> np.ndarray:
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
