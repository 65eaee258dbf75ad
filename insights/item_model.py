"""What a customer with such a history buys next: customers by items, and a ranker fitted on them.

A customer's weight for an item is log(1 + number of days they bought it), each day decayed by its age.
`python -m eval.bench.recommend` measures the rankers against each other; `ranking_test` does on any data.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from insights.rankers import RANKERS, Method, Ranker
from segments.errors import DataError

Level = Literal["category", "product"]

HALF_LIFE_DAYS = 120
MAX_ITEMS = 3000
"""Only the items with most buyers are ranked, which bounds a matrix of items by items (72 MB)."""
BATCH = 10_000
"""Customers scored at once, which bounds the matrix of scores (240 MB)."""
WINDOW_DAYS = 365
RECENT_DAYS = 30


@dataclass(frozen=True)
class ItemModel:
    """Customers by items: decayed weights and what was bought recently; and what ranks the items.

    Only customers and items (keys) with a purchase in the window are in it.
    """

    level: Level
    as_of: date
    window_days: int
    recent_days: int
    customers: pd.Index
    keys: pd.Index
    weight: sparse.csr_matrix
    recent: sparse.csr_matrix
    method: Method
    ranker: Ranker

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Scores of shape (len(rows), items), at least 0; 0 where the customer bought it recently."""
        scored = np.maximum(self.ranker.scores(rows), 0.0)
        scored[self.recent[rows].toarray()] = 0.0
        return scored

    def mean_scores(self, rows: np.ndarray) -> np.ndarray:
        """Mean score of every item over the customers in `rows`."""
        total = np.zeros(len(self.keys))
        for start in range(0, len(rows), BATCH):
            total += self.scores(rows[start : start + BATCH]).sum(axis=0)
        return total / len(rows)

    def ranked_by(self, method: Method) -> ItemModel:
        """The same customers and items with another ranker, fitted now."""
        return replace(self, method=method, ranker=RANKERS[method](self.weight, self.recent))

    @cached_property
    def everyone(self) -> np.ndarray:
        """Mean score of every item over all customers."""
        return self.mean_scores(np.arange(len(self.customers)))

    @cached_property
    def buying(self) -> np.ndarray:
        """Share of all customers who bought each item in the window."""
        return np.asarray((self.weight > 0).mean(axis=0)).ravel()


def barred(items: pd.DataFrame, exclude: Collection[str]) -> pd.Series:
    """Whether an item's department or category is one that is no product (postage, charges)."""
    return items["department"].isin(exclude) | items["category"].isin(exclude)


def build_model(
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    as_of: date,
    level: Level = "category",
    *,
    exclude: Collection[str] = (),
    window_days: int = WINDOW_DAYS,
    recent_days: int = RECENT_DAYS,
    max_items: int = MAX_ITEMS,
    method: Method = "linear",
) -> ItemModel:
    """Fit on the purchases before `as_of`; one model serves every segment.

    exclude: departments or categories that are not goods (fuel, coupons, deposits).
    Raises DataError when the window holds no purchase.
    """
    days = buying_days(purchases, items, as_of, level, exclude, window_days)
    if days.empty:
        raise DataError(
            f"No purchases in the {window_days} days before {as_of}; nothing can be recommended.",
            f"{as_of}之前的{window_days}天没有购买，无法推荐。",
        )
    buyers = days.drop_duplicates(["customer_id", "key"])["key"].value_counts()
    kept = days[days["key"].isin(buyers.index[:max_items])]
    rows, customers = pd.factorize(kept["customer_id"], sort=True)
    columns, keys = pd.factorize(kept["key"], sort=True)
    age = (pd.Timestamp(as_of) - kept["day"]).dt.days.to_numpy()
    shape = (len(customers), len(keys))
    weight = sparse.csr_matrix((0.5 ** (age / HALF_LIFE_DAYS), (rows, columns)), shape=shape).log1p()
    fresh = age <= recent_days
    recent = sparse.csr_matrix((np.ones(fresh.sum(), bool), (rows[fresh], columns[fresh])), shape=shape)
    return ItemModel(
        level,
        as_of,
        window_days,
        recent_days,
        pd.Index(customers),
        pd.Index(keys),
        weight,
        recent,
        method,
        RANKERS[method](weight, recent),
    )


def buying_days(
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    as_of: date,
    level: Level,
    exclude: Collection[str],
    window_days: int,
) -> pd.DataFrame:
    """customer_id, key and day, one row for each day on which a customer bought a thing in the window."""
    end = pd.Timestamp(as_of)
    inside = (purchases["ts"] < end) & (purchases["ts"] >= end - pd.Timedelta(days=window_days))
    goods = items.loc[~barred(items, exclude) & items["category"].notna()]
    key = goods["category"] if level == "category" else goods["item_id"]
    keys = pd.Series(key.to_numpy(), index=goods["item_id"].to_numpy())
    rows = purchases.loc[inside, ["customer_id", "item_id", "ts"]]
    rows = rows.assign(key=rows["item_id"].map(keys), day=rows["ts"].dt.floor("D")).dropna(subset=["key"])
    return rows[["customer_id", "key", "day"]].drop_duplicates()
