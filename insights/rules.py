"""What is bought together: pairs of things that share a basket more often than chance would have it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, stats

from insights.item_model import Level, barred
from segments.errors import DefinitionError
from segments.ports import Figure

MIN_SHARE = 0.01
"""A pair in a smaller share of the baskets (those with the focus, if there is one) is a curiosity."""
MIN_BASKETS = 20
"""A pair in fewer baskets is hearsay."""
MIN_CUSTOMERS = 10
"""A pair bought by fewer customers would tell of single ones."""


@dataclass(frozen=True)
class Rule:
    """Who puts `item` into a basket also puts `other` in (an association rule, Agrawal et al. 1993).

    support: share of all baskets with both. confidence: share of the baskets with `item` that have `other`,
    with a Wilson interval. lift: confidence over the share of all baskets with `other` (above 1: more often
    than chance).
    """

    rank: int
    item: str
    other: str
    baskets: int
    customers: int
    support: float
    confidence: float
    low: float
    high: float
    lift: float
    lift_low: float
    lift_high: float


@dataclass(frozen=True)
class Rules:
    """The strongest rules of a segment's baskets, by the lower bound of their lift."""

    level: Level
    baskets: int
    customers: int
    confidence_level: float
    rules: tuple[Rule, ...]

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = [
            Figure("baskets", self.baskets, "orders", "baskets compared", "比较的购物篮数"),
            Figure("customers", self.customers, "customers", "customers who filled them", "涉及客户数"),
        ]
        for rule in self.rules:
            pair, level = f"{rule.item} + {rule.other}", self.confidence_level
            found += [
                Figure(
                    f"{rule.rank}.support",
                    rule.support,
                    "share",
                    f"share of baskets with {pair}",
                    f"同时含{rule.item}与{rule.other}的购物篮占比",
                ),
                Figure(
                    f"{rule.rank}.confidence",
                    rule.confidence,
                    "share",
                    f"share of baskets with {rule.item} that have {rule.other}",
                    f"含{rule.item}的购物篮中含{rule.other}的占比",
                    rule.low,
                    rule.high,
                    level,
                ),
                Figure(
                    f"{rule.rank}.lift",
                    rule.lift,
                    "ratio",
                    f"lift of {pair}",
                    f"{rule.item}与{rule.other}的提升度",
                    rule.lift_low,
                    rule.lift_high,
                    level,
                ),
            ]
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a rule, strongest first."""
        return [asdict(rule) | {"level": self.level} for rule in self.rules]


def bought_together(
    members: Sequence[str],
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    level: Level = "category",
    *,
    focus: Collection[str] = (),
    exclude: Collection[str] = (),
    top: int = 10,
    min_baskets: int = MIN_BASKETS,
    min_customers: int = MIN_CUSTOMERS,
    confidence: float = 0.95,
) -> Rules:
    """Rules from the members' baskets (columns customer_id, order_id, item_id of `purchases`).

    level: rules of categories, or of products by their names (one name may be many sizes and brands).
    focus: only rules whose first thing (a name of that level) is among these. A pair is listed once, in its
    more confident direction, when its lift is above 1 beyond the interval.
    Raises DefinitionError when nothing of `focus` is bought or no pair is frequent enough.
    """
    marks, keys, owner = _baskets(set(members), purchases, items, level, exclude)
    wanted = keys.isin(list(focus)) if focus else np.ones(len(keys), bool)
    if focus and not wanted.any():
        raise DefinitionError(
            f"{', '.join(sorted(focus))}: none of the segment's baskets holds it.",
            f"{'、'.join(sorted(focus))}：该分群的购物篮里都没有。",
        )
    compared = marks[:, wanted].getnnz(axis=1).astype(bool).sum()
    enough = max(min_baskets, int(np.ceil(MIN_SHARE * compared)))
    found = _pairs(marks, wanted, enough, confidence, both=bool(focus))
    chosen: list[Rule] = []
    for pair in found:
        a, b, n, share, low, high, common = pair
        both = np.asarray((marks[:, a].multiply(marks[:, b])).todense(), bool).ravel()
        customers = len(np.unique(owner[both]))
        if customers >= min_customers:
            chosen.append(
                Rule(
                    len(chosen) + 1,
                    str(keys[a]),
                    str(keys[b]),
                    n,
                    customers,
                    n / len(owner),
                    share,
                    low,
                    high,
                    share / common,
                    low / common,
                    high / common,
                )
            )
        if len(chosen) == top:
            break
    if not chosen:
        raise DefinitionError(
            f"No two things share {enough} baskets of {min_customers} customers more often than chance; "
            "take a wider segment.",
            f"没有两样东西在{min_customers}名客户的{enough}个购物篮中同时出现得比偶然更多；请换一个更大的分群。",
        )
    return Rules(level, len(owner), len(np.unique(owner)), confidence, tuple(chosen))


def _baskets(
    members: set[str], purchases: pd.DataFrame, items: pd.DataFrame, level: Level, exclude: Collection[str]
) -> tuple[sparse.csc_matrix, pd.Index, np.ndarray]:
    """Baskets by things (0/1), the things, and the customer (a number) of every basket."""
    goods = items.loc[~barred(items, exclude)].dropna(subset=["category", "name"])
    key = goods["category" if level == "category" else "name"]
    columns, keys = pd.factorize(key, sort=True)
    ours = purchases.loc[purchases["customer_id"].isin(members), ["customer_id", "order_id", "item_id"]]
    bought, known = pd.factorize(ours["item_id"])
    column = pd.Series(columns, index=goods["item_id"]).reindex(known).to_numpy()[bought]
    kept = ~np.isnan(column) & ours["order_id"].notna().to_numpy()
    if not kept.any():
        raise DefinitionError(
            "The segment's customers bought nothing; take a wider segment.",
            "该分群的客户没有买过东西；请换一个更大的分群。",
        )
    rows, orders = pd.factorize(ours["order_id"][kept])
    owner = np.zeros(len(orders), int)
    owner[rows] = pd.factorize(ours["customer_id"][kept])[0]
    shape = (len(orders), len(keys))
    marks = sparse.csc_matrix((np.ones(kept.sum(), np.int32), (rows, column[kept].astype(int))), shape=shape)
    marks.data[:] = 1
    return marks, pd.Index(keys), owner


def _pairs(
    marks: sparse.csc_matrix, wanted: np.ndarray, min_baskets: int, confidence: float, *, both: bool
) -> list[tuple[int, int, int, float, float, float, float]]:
    """(item, other, baskets, confidence, low, high, share with other), by the lower bound of lift."""
    total = marks.shape[0]
    held = np.asarray(marks.sum(axis=0)).ravel()
    together = (marks[:, np.flatnonzero(wanted)].T @ marks).tocoo()
    a, b, n = np.flatnonzero(wanted)[together.row], together.col, together.data
    kept = (a != b) & (n >= min_baskets)
    if not both:
        # The rarer of the two is the better predictor of the other.
        kept &= (held[a] < held[b]) | ((held[a] == held[b]) & (a < b))
    a, b, n = a[kept], b[kept], n[kept]
    share, common = n / held[a], held[b] / total
    low, high = _wilson(n, held[a], confidence)
    order = np.argsort(-(low / common), kind="stable")
    return [
        (int(a[i]), int(b[i]), int(n[i]), float(share[i]), float(low[i]), float(high[i]), float(common[i]))
        for i in order
        if low[i] > common[i]
    ]


def _wilson(hits: np.ndarray, of: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval of every share (Wilson 1927)."""
    z = float(stats.norm.ppf((1 + confidence) / 2))
    share, scale = hits / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / scale
    reach = z / scale * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return middle - reach, middle + reach
