"""Next best products: what to offer a segment that its members have not bought recently.

A segment's score of an item is the mean prediction of the item model over its members, where those who
bought it recently count 0: it measures the demand that is still open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from insights.item_model import RECENT_DAYS, WINDOW_DAYS, ItemModel, Level, build_model
from segments.errors import DefinitionError
from segments.ports import Figure

MIN_SIZE = 10
"""Fewer buyers than this are not told of: their figures would tell of single customers."""


@dataclass(frozen=True)
class Recommendation:
    """One thing to offer.

    key: the category, or the item id. score: mean score over the members (no unit, for ranking).
    open_share: share of members who have not bought it recently. buying: share of members who bought it
    in the window, with a Wilson interval; buying_everyone the same of all customers. lift: the members'
    score over everyone's (above 1: it suits them more than others).
    """

    rank: int
    key: str
    name: str
    category: str
    department: str
    score: float
    open_share: float
    buying: float
    low: float
    high: float
    buying_everyone: float
    lift: float


@dataclass(frozen=True)
class Recommendations:
    """The best things to offer a segment, best first.

    size: members; active: those who bought something in the window, whom all shares and scores are of.
    """

    level: Level
    size: int
    active: int
    window_days: int
    recent_days: int
    confidence: float
    items: tuple[Recommendation, ...]

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = [
            Figure("size", self.size, "customers", "customers in the segment", "分群客户数"),
            Figure(
                "active",
                self.active,
                "customers",
                f"members who bought something in the last {self.window_days} days",
                f"最近{self.window_days}天有购买的成员数",
            ),
        ]
        for item in self.items:
            name = f"{item.rank}.{item.key}"
            days = self.recent_days
            found += [
                Figure(
                    f"{name}.buying",
                    item.buying,
                    "share",
                    f"share of members who already buy {item.name}",
                    f"已购买{item.name}的成员占比",
                    item.low,
                    item.high,
                    self.confidence,
                ),
                Figure(
                    f"{name}.buying_everyone",
                    item.buying_everyone,
                    "share",
                    f"share of all customers who buy {item.name}",
                    f"购买{item.name}的全部客户占比",
                ),
                Figure(
                    f"{name}.open",
                    item.open_share,
                    "share",
                    f"share of members who have not bought {item.name} in the last {days} days",
                    f"最近{days}天未购买{item.name}的成员占比",
                ),
                Figure(
                    f"{name}.lift",
                    item.lift,
                    "ratio",
                    f"how much better {item.name} suits members than everyone",
                    f"{item.name}对成员的适合度与全体之比",
                ),
            ]
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a recommendation, best first; `key` with `level` says what to look up in items."""
        return [asdict(item) | {"level": self.level} for item in self.items]


def recommend(
    members: Sequence[str],
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    as_of: date,
    top: int = 10,
    level: Level = "category",
    *,
    exclude: Collection[str] = (),
    window_days: int = WINDOW_DAYS,
    recent_days: int = RECENT_DAYS,
    min_size: int = MIN_SIZE,
    confidence: float = 0.95,
    model: ItemModel | None = None,
) -> Recommendations:
    """The `top` categories or products to offer members, from purchases before `as_of`.

    exclude: departments or categories that are not goods (fuel, coupons, deposits). model: one built
    before by `build_model`, whose settings then count; without it one is built (seconds).
    Raises DefinitionError when fewer than `min_size` members bought something in the window.
    """
    if model is None:
        model = build_model(
            purchases,
            items,
            as_of,
            level,
            exclude=exclude,
            window_days=window_days,
            recent_days=recent_days,
        )
    wanted = set(members)
    rows = np.flatnonzero(model.customers.isin(wanted))
    if len(rows) < min_size:
        raise DefinitionError(
            f"{len(rows)} of the {len(wanted)} members bought something in the {model.window_days} days "
            f"before {model.as_of}: too few to recommend for; it takes {min_size}.",
            f"{len(wanted)}名成员中，只有{len(rows)}名在{model.as_of}之前的{model.window_days}天里买过东西，太少，无法推荐；至少需要{min_size}名。",
        )
    described = _described(items, model.level)
    scores = model.mean_scores(rows)
    best = np.argsort(-scores, kind="stable")[:top]
    found = [
        _recommendation(model, rows, int(place), rank, float(scores[place]), described, confidence)
        for rank, place in enumerate(best, 1)
        if scores[place] > 0
    ]
    return Recommendations(
        model.level, len(wanted), len(rows), model.window_days, model.recent_days, confidence, tuple(found)
    )


def _recommendation(
    model: ItemModel,
    rows: np.ndarray,
    place: int,
    rank: int,
    score: float,
    described: pd.DataFrame,
    confidence: float,
) -> Recommendation:
    key = str(model.keys[place])
    share = binomtest(int((model.weight[rows, place] > 0).sum()), len(rows))
    interval = share.proportion_ci(confidence, method="wilson")
    return Recommendation(
        rank=rank,
        key=key,
        name=str(described.at[key, "name"]),
        category=str(described.at[key, "category"]),
        department=str(described.at[key, "department"]),
        score=score,
        open_share=1 - float(model.recent[rows, place].sum()) / len(rows),
        buying=float(share.statistic),
        low=float(interval.low),
        high=float(interval.high),
        buying_everyone=float(model.buying[place]),
        lift=score / float(model.everyone[place]),
    )


def _described(items: pd.DataFrame, level: Level) -> pd.DataFrame:
    """name, category and department of every key (a category's department is its most frequent one; '' without)."""
    goods = items.dropna(subset=["category"]).fillna({"department": ""})
    if level == "product":
        return goods.set_index("item_id")[["name", "category", "department"]]
    counts = goods.groupby(["category", "department"]).size().sort_values(kind="stable").reset_index()
    last = counts.drop_duplicates("category", keep="last")
    return last.assign(name=last["category"]).set_index(last["category"].to_numpy())
