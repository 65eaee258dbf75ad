"""Customers who buy the same products, and what they buy: what somebody's own purchases do not show yet.

Two customers are as alike as the cosine of their baskets, in which a product counts the more the fewer buy it (tf-idf).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

NEAREST = 60
"""The most similar customers whose purchases are averaged."""
LEAST_BUYERS = 3
"""A product of fewer buyers tells nobody's likeness."""
REFERENCES = 5000
"""The nearest are sought among so many customers, drawn where there are more: time grows with the customers, not with
their square."""
ROWS = 500
"""Customers compared at a time: 10 MB against all references."""
SEED = 1


def alike_activity(purchases: pd.DataFrame, activity: pd.DataFrame) -> pd.DataFrame:
    """What the most similar other customers buy: columns like `activity` (fading purchase days by category), logarithmic,
    weighted by the square of the cosine; index like `activity`.

    purchases: columns customer_id, item_id and lines (how often it was bought).
    """
    baskets = _baskets(purchases, activity.index)
    known = np.log1p(activity.to_numpy(dtype="float32"))
    chosen = np.arange(len(activity))
    if len(chosen) > REFERENCES:
        chosen = np.sort(np.random.default_rng(SEED).choice(chosen, REFERENCES, replace=False))
    others, theirs = baskets[chosen].T.tocsr(), known[chosen]
    parts = [
        _nearest(baskets[start : start + ROWS], others, chosen, start) @ theirs
        for start in range(0, len(activity), ROWS)
    ]
    return pd.DataFrame(np.concatenate(parts) if parts else known, activity.index, activity.columns)


def _baskets(purchases: pd.DataFrame, customers: pd.Index) -> sparse.csr_matrix:
    """tf-idf of products, each customer of length 1; rows as in `customers`, purchases of others left out."""
    # Whoever bought nothing but products of no known category has no activity, but purchases.
    purchases = purchases[purchases["customer_id"].isin(customers)]
    who = customers.get_indexer(pd.Index(purchases["customer_id"]))
    items, products = pd.factorize(purchases["item_id"])
    lines = np.log1p(purchases["lines"].to_numpy(dtype="float32"))
    counts = sparse.csr_matrix((lines, (who, items)), shape=(len(customers), len(products)))
    buyers = np.bincount(items, minlength=len(products))
    kept = buyers >= LEAST_BUYERS
    weighted = counts[:, kept] @ sparse.diags(np.log(len(customers) / buyers[kept]).astype("float32"))
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return (sparse.diags(1 / np.maximum(length, 1e-9).astype("float32")) @ weighted).tocsr()


def _nearest(
    rows: sparse.csr_matrix, others: sparse.csr_matrix, chosen: np.ndarray, start: int
) -> sparse.csr_matrix:
    """Weights of the references for these customers, the first of whom is at `start`; their sum is 1, of nobody alike 0."""
    cosine = (rows @ others).toarray()
    place = np.arange(len(cosine))
    cosine[(place[:, None] + start) == chosen] = 0.0
    count = min(NEAREST, cosine.shape[1])
    near = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
    weights = np.take_along_axis(cosine, near, axis=1) ** 2
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return sparse.csr_matrix((weights.ravel(), (np.repeat(place, count), near.ravel())), shape=cosine.shape)
