"""What display and mailer positions go with: sales of the same items in weeks with and without.

A Poisson regression of an item's weekly units on the share of stores that displayed it and the share whose
mailer showed it, with a level for every item and every week (fixed effects): an item is compared with itself,
and a good week is not credited to the mailer. The factor is for the share of stores that a position usually
has: all stores at once are seldom seen, so nothing is said of them. It is observed, not tried: what is
promoted is often also cheaper, or chosen because it was about to sell.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from segments.errors import NotFoundError
from segments.ports import Figure

Position = Literal["display", "mailer"]

MIN_ITEMS = 10
RESAMPLES = 200
STEPS, CLOSE = 60, 1e-6
SEED = 53
WARNING = (
    "Observed, not tried: promoted items are often also cheaper, or chosen because they were about to sell. "
    "Only a test with stores drawn by lot would show the effect.",
    "这是观察结果而非实验：促销商品往往同时降价，或本来就会热销；只有随机抽取门店的测试才能证明效果。",
)
NAMES: dict[Position, tuple[str, str]] = {
    "display": ("in-store display", "店内陈列"),
    "mailer": ("mailer", "广告邮件"),
}


@dataclass(frozen=True)
class PlacementEffect:
    """Units sold in weeks with the position in `share` of the stores over weeks in none, of the same items.

    factor: 1 is no difference; the interval is by bootstrap over items. item_weeks: with the position in at
    least one store; share: the median share of stores in those weeks.
    """

    position: Position
    share: float
    factor: float
    low: float
    high: float
    item_weeks: int


@dataclass(frozen=True)
class Placement:
    """The effects of both positions, each with the other held equal."""

    items: int
    weeks: int
    units: float
    level: float
    effects: tuple[PlacementEffect, ...]

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = [
            Figure("items", self.items, "items", "items compared with themselves", "与自身比较的商品数"),
            Figure("weeks", self.weeks, "count", "weeks", "周数"),
            Figure("units", round(self.units), "items", "units sold", "销量"),
        ]
        for e in self.effects:
            en, zh = NAMES[e.position]
            found += [
                Figure(
                    f"{e.position}.factor",
                    e.factor,
                    "ratio",
                    f"times the units with {en}",
                    f"有{zh}时销量的倍数",
                    e.low,
                    e.high,
                    self.level,
                ),
                Figure(f"{e.position}.share", e.share, "share", f"of stores with {en}", f"有{zh}的门店占比"),
                Figure(
                    f"{e.position}.item_weeks",
                    e.item_weeks,
                    "count",
                    f"item-weeks with {en}",
                    f"有{zh}的商品周数",
                ),
            ]
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a position."""
        return [asdict(effect) for effect in self.effects]


def placement_effect(sales: pd.DataFrame, level: float = 0.95) -> Placement:
    """The effects from one row an item and week: item_id, week, units, display and mailer (shares, 0..1).

    Weeks without a sale must be rows too (units 0), else nothing is learned of the weeks that failed.
    Raises NotFoundError when fewer than 10 items ever sold, or no position varies.
    """
    sold = sales[sales.groupby("item_id")["units"].transform("sum") > 0].sort_values(["item_id", "week"])
    item, items = pd.factorize(sold["item_id"])
    week, weeks = pd.factorize(sold["week"])
    if len(items) < MIN_ITEMS:
        raise NotFoundError(
            f"Of this category {len(items)} items were sold; it takes {MIN_ITEMS} to tell the effect of a position.",
            f"这个品类只卖出过{len(items)}种商品；看陈列位置的效果至少需要{MIN_ITEMS}种。",
        )
    positions: list[Position] = [p for p in NAMES if sold.groupby("item_id")[p].nunique().max() > 1]
    if not positions:
        raise NotFoundError(
            "No item of this category had a display or mailer in some weeks and not in others, so no effect shows.",
            "这个品类没有商品在有的周有陈列或邮报、有的周没有，看不出效果。",
        )
    units, shares = sold["units"].to_numpy(float), sold[positions].to_numpy(float)
    estimate = _fit(units, shares, item, week, np.ones(len(items)))
    random = np.random.default_rng(SEED)
    drawn = np.array(
        [
            _fit(
                units, shares, item, week, random.multinomial(len(items), np.full(len(items), 1 / len(items)))
            )
            for _ in range(RESAMPLES)
        ]
    )
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2), axis=0)
    effects = []
    for i, position in enumerate(positions):
        placed = sold.loc[sold[position] > 0, position]
        share = float(placed.median())
        factor, lower, upper = (float(np.exp(b[i] * share)) for b in (estimate, low, high))
        effects.append(PlacementEffect(position, share, factor, lower, upper, len(placed)))
    return Placement(len(items), len(weeks), float(units.sum()), level, tuple(effects))


def _fit(
    units: np.ndarray, shares: np.ndarray, item: np.ndarray, week: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Coefficients of a weighted Poisson regression with item and week levels, by Newton's method.

    The levels are solved for in turn (their Poisson equations have closed forms), the coefficients by
    Newton steps on shares from which item and week means have been taken.
    """
    each = weight[item].astype(float)
    rows = np.flatnonzero(each)
    y, x, w, i, t = units[rows], shares[rows], each[rows], item[rows], week[rows]
    beta, by_week = np.zeros(x.shape[1]), np.ones(int(week.max()) + 1)
    total_item, total_week = np.bincount(i, w * y), np.bincount(t, w * y, len(by_week))
    for _ in range(STEPS):
        base = np.exp(x @ beta)
        by_item = _ratio(total_item, np.bincount(i, w * base * by_week[t], len(total_item)))
        by_week = _ratio(total_week, np.bincount(t, w * base * by_item[i], len(by_week)))
        expected = w * base * by_item[i] * by_week[t]
        centred = _centred(_centred(x, expected, i), expected, t)
        information = (centred * expected[:, None]).T @ centred + 1e-9 * np.eye(x.shape[1])
        step = np.linalg.solve(information, centred.T @ (w * y - expected))
        beta = beta + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < CLOSE:
            break
    return np.asarray(beta)


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    return np.divide(over, under, out=np.zeros(len(over)), where=under > 0)


def _centred(x: np.ndarray, weight: np.ndarray, group: np.ndarray) -> np.ndarray:
    """x less its weighted mean within each group."""
    size = np.bincount(group, weight)
    means = [_ratio(np.bincount(group, weight * column), size) for column in x.T]
    return x - np.stack(means, axis=1)[group]
