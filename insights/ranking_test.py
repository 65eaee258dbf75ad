"""How the rankers would have done on days they had not seen, against popularity, with intervals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from insights.item_model import BATCH, RECENT_DAYS, WINDOW_DAYS, ItemModel, Level, build_model, buying_days
from insights.rankers import METHODS, Method
from segments.errors import DefinitionError
from segments.ports import Figure

RECALL_AT, NDCG_AT = 20, 10
RESAMPLES = 1000
SEED = 29

NAMES = {
    "linear": ("linear model of items", "线性物品模型"),
    "trending": ("linear model of items and trend", "线性物品模型加趋势"),
    "item_knn": ("item-kNN", "物品近邻"),
    "als": ("implicit ALS", "隐式 ALS"),
    "popular": ("popularity", "热门排行"),
}
"""Each method in words."""


@dataclass(frozen=True)
class MethodScore:
    """How one method's lists did; intervals by bootstrap over customers.

    recall: mean share of a customer's things that are among the first 20. ndcg: mean normalised discounted
    gain of the first 10. The ratios are to popularity's, resampled with the same customers.
    """

    method: Method
    recall: float
    recall_interval: tuple[float, float]
    recall_ratio: float
    recall_ratio_interval: tuple[float, float]
    ndcg: float
    ndcg_interval: tuple[float, float]
    ndcg_ratio: float
    ndcg_ratio_interval: tuple[float, float]


@dataclass(frozen=True)
class RankingTest:
    """How lists made at `cut` did in the `horizon_days` after it, best method (by NDCG) first.

    customers: those who bought something new to them after the cut, which is all that counts as a hit
    unless `repeats`: then everything they bought does. Things too rare to be ranked count as missed.
    """

    level: Level
    cut: date
    horizon_days: int
    customers: int
    repeats: bool
    confidence: float
    scores: tuple[MethodScore, ...]

    @property
    def best(self) -> MethodScore:
        """The method with the highest NDCG."""
        return self.scores[0]

    def score(self, method: Method) -> MethodScore:
        """One method's score."""
        return next(score for score in self.scores if score.method == method)

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = [
            Figure("customers", self.customers, "customers", "customers tested", "测试客户数"),
            Figure("cut", self.cut.isoformat(), "date", "lists made on", "清单生成日"),
            Figure("horizon", self.horizon_days, "days", "days tested", "测试天数"),
            Figure("method", self.best.method, "text", "best method", "最佳方法"),
        ]
        for s in self.scores:
            en, zh = NAMES[s.method]
            measures = (
                ("recall", s.recall, s.recall_interval, "share", f"recall@{RECALL_AT}", "召回率"),
                ("ndcg", s.ndcg, s.ndcg_interval, "ratio", f"NDCG@{NDCG_AT}", "NDCG"),
                ("recall_ratio", s.recall_ratio, s.recall_ratio_interval, "ratio", "recall", "召回率"),
                ("ndcg_ratio", s.ndcg_ratio, s.ndcg_ratio_interval, "ratio", "NDCG", "NDCG"),
            )
            for name, value, (low, high), unit, label_en, label_zh in measures:
                against = name.endswith("ratio")
                label = f"{label_en} of {en}" + (" against popularity's" if against else "")
                label_z = f"{zh}的{label_zh}" + ("与热门之比" if against else "")
                full = f"{s.method}.{name}"
                found.append(Figure(full, value, unit, label, label_z, low, high, self.confidence))
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a method, best first."""
        return [
            {"method": s.method, "name": NAMES[s.method][0], "name_zh": NAMES[s.method][1]}
            | {"recall": s.recall, "ndcg": s.ndcg}
            for s in self.scores
        ]


def evaluate(
    members: Sequence[str],
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    as_of: date,
    level: Level = "product",
    *,
    methods: Sequence[Method] = METHODS,
    exclude: Collection[str] = (),
    repeats: bool = False,
    horizon_days: int = 30,
    window_days: int = WINDOW_DAYS,
    recent_days: int = RECENT_DAYS,
    confidence: float = 0.95,
) -> RankingTest:
    """Make each member's lists from purchases before `as_of - horizon_days`; score them on those after.

    Popularity is the number of customers who bought the thing in the `recent_days` before the cut; it is
    always among the methods. Raises DefinitionError when no member bought anything new after the cut.
    """
    cut = as_of - timedelta(days=horizon_days)
    compared: list[Method] = [*(m for m in methods if m != "popular"), "popular"]
    model = build_model(
        purchases,
        items,
        cut,
        level,
        exclude=exclude,
        window_days=window_days,
        recent_days=recent_days,
        method="popular",
    )
    rows = np.flatnonzero(model.customers.isin(set(members)))
    later = buying_days(purchases, items, as_of, level, exclude, horizon_days)
    if not repeats:
        later = _new(later, buying_days(purchases, items, cut, level, exclude, recent_days))
    bought, total = _bought(later, model, rows)
    if not total.any():
        raise DefinitionError(
            f"No member bought anything new to them in the {horizon_days} days after {cut}.",
            f"{cut}之后的{horizon_days}天里，没有成员买过对他们来说是新的东西。",
        )
    measured = np.array([_measure(model.ranked_by(m), rows, bought, total, repeats) for m in compared])
    return RankingTest(
        level,
        cut,
        horizon_days,
        int((total > 0).sum()),
        repeats,
        confidence,
        tuple(_scores(compared, measured[:, :, total > 0], confidence)),
    )


def _new(later: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """What customers bought later and not shortly before."""
    on = ["customer_id", "key"]
    known = pd.MultiIndex.from_frame(earlier[on])
    return later[~pd.MultiIndex.from_frame(later[on]).isin(known)]


def _bought(later: pd.DataFrame, model: ItemModel, rows: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Which things each customer in `rows` bought, and how many, those that no model ranks included."""
    pairs = later.drop_duplicates(["customer_id", "key"])
    row = model.customers[rows].get_indexer(pd.Index(pairs["customer_id"]))
    column = model.keys.get_indexer(pd.Index(pairs["key"]))
    total = np.bincount(row[row >= 0], minlength=len(rows))
    found = (row >= 0) & (column >= 0)
    marks = (np.ones(found.sum(), bool), (row[found], column[found]))
    return sparse.csr_matrix(marks, shape=(len(rows), len(model.keys))), total


def _measure(
    model: ItemModel, rows: np.ndarray, bought: sparse.csr_matrix, total: np.ndarray, repeats: bool
) -> np.ndarray:
    """Recall and NDCG of every customer in `rows`, shape (2, len(rows)); 0 where nothing was bought."""
    discount = 1 / np.log2(np.arange(2, NDCG_AT + 2))
    out = np.zeros((2, len(rows)))
    for start in range(0, len(rows), BATCH):
        part = slice(start, start + BATCH)
        scores = model.ranker.scores(rows[part]) if repeats else model.scores(rows[part])
        best = np.argsort(-scores, axis=1, kind="stable")[:, :RECALL_AT]
        hits = np.take_along_axis(bought[part].toarray(), best, axis=1)
        many = np.maximum(total[part], 1)
        out[0, part] = hits.sum(axis=1) / many
        ideal = np.cumsum(discount)[np.minimum(many, NDCG_AT) - 1]
        out[1, part] = hits[:, :NDCG_AT] @ discount[: hits.shape[1]] / ideal
    return out


def _scores(methods: Sequence[Method], measured: np.ndarray, confidence: float) -> list[MethodScore]:
    """From shape (methods, 2, customers), popularity last; best first."""
    customers = measured.shape[2]
    drawn = np.random.default_rng(SEED).multinomial(customers, np.full(customers, 1 / customers), RESAMPLES)
    means = measured.mean(axis=2)
    resampled = np.einsum("mkc,rc->rmk", measured, drawn / customers, optimize=True)
    edges = (1 - confidence) / 2, (1 + confidence) / 2
    # Popularity without a single hit makes ratios infinite, which is what they are.
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, ratios = means / means[-1], resampled / resampled[:, -1:]
    spread, ratio_spread = np.quantile(resampled, edges, axis=0), np.quantile(ratios, edges, axis=0)

    def both(edge: np.ndarray, place: int, measure: int) -> tuple[float, float]:
        return float(edge[0, place, measure]), float(edge[1, place, measure])

    found = [
        MethodScore(
            method,
            float(means[i, 0]),
            both(spread, i, 0),
            float(ratio[i, 0]),
            both(ratio_spread, i, 0),
            float(means[i, 1]),
            both(spread, i, 1),
            float(ratio[i, 1]),
            both(ratio_spread, i, 1),
        )
        for i, method in enumerate(methods)
    ]
    return sorted(found, key=lambda score: -score.ndcg)
