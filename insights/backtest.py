"""How recommendations would have done on days they had not seen, against popularity."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from insights.item_model import BATCH, RECENT_DAYS, WINDOW_DAYS, Level, build_model, buying_days
from segments.errors import DefinitionError
from segments.ports import Figure


@dataclass(frozen=True)
class RecommendationTest:
    """How lists of `top` made at `cut` did in the `horizon_days` after it, against the most popular things.

    Only what a customer had not bought in the `recent_days` before counts as a hit, for both. hit_rate:
    share of `customers` (those who did buy something new to them) with a hit. recall: mean share of
    their new things that were on the list. The differences are paired, with normal intervals.
    """

    cut: date
    horizon_days: int
    top: int
    customers: int
    hit_rate: float
    hit_rate_popular: float
    hit_rate_gain: tuple[float, float]
    recall: float
    recall_popular: float
    recall_gain: tuple[float, float]

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        days, top = self.horizon_days, self.top
        en = f"with a list of {top}, next {days} days"
        zh = f"({top}项清单,其后{days}天)"
        hit, recall = self.hit_rate - self.hit_rate_popular, self.recall - self.recall_popular
        return (
            Figure("customers", self.customers, "customers", "customers tested", "测试客户数"),
            Figure("hit_rate", self.hit_rate, "share", f"hit rate {en}", f"命中率{zh}"),
            Figure(
                "hit_rate_popular", self.hit_rate_popular, "share", f"popularity's {en}", f"热门命中率{zh}"
            ),
            Figure("hit_rate_gain", hit, "share", "hit rate gained", "命中率提升", *self.hit_rate_gain, 0.95),
            Figure("recall", self.recall, "share", f"recall {en}", f"召回率{zh}"),
            Figure(
                "recall_popular", self.recall_popular, "share", f"popularity's recall {en}", f"热门召回率{zh}"
            ),
            Figure("recall_gain", recall, "share", "recall gained", "召回率提升", *self.recall_gain, 0.95),
        )

    def rows(self) -> list[dict[str, Any]]:
        """One dict a method."""
        return [
            {"method": "recommended", "hit_rate": self.hit_rate, "recall": self.recall},
            {"method": "popular", "hit_rate": self.hit_rate_popular, "recall": self.recall_popular},
        ]


def evaluate(
    members: Sequence[str],
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    as_of: date,
    top: int = 10,
    level: Level = "category",
    *,
    exclude: Collection[str] = (),
    horizon_days: int = 30,
    window_days: int = WINDOW_DAYS,
    recent_days: int = RECENT_DAYS,
) -> RecommendationTest:
    """Make each member's list from purchases before `as_of - horizon_days`; score it on those after.

    Popularity is the number of customers who bought the thing in the `horizon_days` before the cut.
    Raises DefinitionError when no member bought anything new after the cut.
    """
    cut = as_of - timedelta(days=horizon_days)
    model = build_model(
        purchases, items, cut, level, exclude=exclude, window_days=window_days, recent_days=recent_days
    )
    rows = np.flatnonzero(model.customers.isin(set(members)))
    later = buying_days(purchases, items, as_of, level, exclude, horizon_days)
    earlier = buying_days(purchases, items, cut, level, exclude, horizon_days)
    buyers = earlier.drop_duplicates(["customer_id", "key"])["key"].value_counts()
    popular = buyers.reindex(model.keys, fill_value=0).to_numpy(float)
    bought = _marked(later, model.customers[rows], model.keys)
    ours, theirs, new = (np.zeros(len(rows)) for _ in range(3))
    for start in range(0, len(rows), BATCH):
        part = slice(start, start + BATCH)
        unbought = ~model.recent[rows[part]].toarray()
        wanted = bought[part].toarray() & unbought
        ours[part] = _hits(model.scores(rows[part]), wanted, top)
        theirs[part] = _hits(np.where(unbought, popular, -1.0), wanted, top)
        new[part] = wanted.sum(axis=1)
    if not new.any():
        raise DefinitionError(
            f"No member bought anything new to them in the {horizon_days} days after {cut}."
        )
    ours, theirs, new = ours[new > 0], theirs[new > 0], new[new > 0]
    return RecommendationTest(
        cut=cut,
        horizon_days=horizon_days,
        top=top,
        customers=len(new),
        hit_rate=float((ours > 0).mean()),
        hit_rate_popular=float((theirs > 0).mean()),
        hit_rate_gain=_paired((ours > 0).astype(float) - (theirs > 0)),
        recall=float((ours / new).mean()),
        recall_popular=float((theirs / new).mean()),
        recall_gain=_paired((ours - theirs) / new),
    )


def _marked(days: pd.DataFrame, customers: pd.Index, keys: pd.Index) -> sparse.csr_matrix:
    """True where a customer (row) bought a thing (column)."""
    pairs = days.drop_duplicates(["customer_id", "key"])
    rows, columns = (
        customers.get_indexer(pd.Index(pairs["customer_id"])),
        keys.get_indexer(pd.Index(pairs["key"])),
    )
    found = (rows >= 0) & (columns >= 0)
    marks = (np.ones(found.sum(), bool), (rows[found], columns[found]))
    return sparse.csr_matrix(marks, shape=(len(customers), len(keys)))


def _hits(scores: np.ndarray, wanted: np.ndarray, top: int) -> np.ndarray:
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return np.take_along_axis(wanted, best, axis=1).sum(axis=1)


def _paired(difference: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean of paired differences."""
    reach = 1.96 * float(difference.std(ddof=1)) / len(difference) ** 0.5 if len(difference) > 1 else 0.0
    return float(difference.mean()) - reach, float(difference.mean()) + reach
