"""What each display position goes with: stores that had it against stores that did not, item by item and week by week.

A Poisson regression of the units that a store sells, with a level for every item in every week in the same place of the
mailer: neither a good week, a large item nor the mailer is credited to a display. What is left is how stores differ: those
that put up a display may sell more of the item anyway. Places in the mailer cannot be told apart so: nearly every store
has the same mailer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from segments.ports import Figure

MIN_ITEMS = 10
"""Items that sold in a position, from which its effect is told."""
STEPS, CLOSE, RIDGE = 60, 1e-6, 1e-9
NAMES = {
    "display_store_front": ("display at the front of the store", "门店前部陈列"),
    "display_store_rear": ("display at the rear of the store", "门店后部陈列"),
    "display_front_end_cap": ("front end cap", "前端架"),
    "display_mid_aisle_end_cap": ("mid-aisle end cap", "通道中部端架"),
    "display_rear_end_cap": ("rear end cap", "后端架"),
    "display_side_aisle_end_cap": ("side-aisle end cap", "侧通道端架"),
    "display_in_aisle": ("in-aisle display", "通道内陈列"),
    "display_secondary_location": ("display in a second location", "第二陈列位"),
    "display_in_shelf": ("in-shelf display", "货架内陈列"),
}
"""Positions in words (en, zh)."""


@dataclass(frozen=True)
class PositionEffect:
    """Units in the stores that had the display over those of as many stores without any, of the same item and week.

    factor: 1 is no difference; the interval is clustered by item. store_weeks: weeks of an item in a store.
    """

    position: str
    factor: float
    low: float
    high: float
    store_weeks: int


@dataclass(frozen=True)
class Positions:
    """The effect of each position that enough items had, greatest first."""

    effects: tuple[PositionEffect, ...]
    level: float

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = []
        for e in self.effects:
            en, zh = NAMES[e.position]
            words = f"times the units with {en}", f"有{zh}时销量的倍数"
            found.append(Figure(f"{e.position}.factor", e.factor, "ratio", *words, e.low, e.high, self.level))
            words = f"weeks of an item in a store with {en}", f"有{zh}的商品门店周数"
            found.append(Figure(f"{e.position}.store_weeks", e.store_weeks, "count", *words))
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a position, with its words."""
        return [
            asdict(e) | {"words": NAMES[e.position][0], "words_zh": NAMES[e.position][1]}
            for e in self.effects
        ]


def position_effects(cells: pd.DataFrame, level: float = 0.95) -> Positions:
    """The effects from cells: item_id, week, display (of `NAMES`, '' for none), mailer (any name), stores, units.

    A cell holds the stores with the same positions for an item in a week. No effect where too few items had any.
    """
    names = [name for name in NAMES if _enough(cells, name)]
    if not names:
        return Positions((), level)
    # A store with a position of which too little is known is no store without any.
    cells = cells[cells["display"].isin(["", *names])]
    inputs = np.column_stack([cells["display"] == name for name in names]).astype(float)
    group = cells.groupby(["item_id", "week", "mailer"], sort=False).ngroup().to_numpy()
    item, _ = pd.factorize(cells["item_id"])
    units, stores = cells["units"].to_numpy(float), cells["stores"].to_numpy(float)
    beta = np.zeros(len(names))
    for _ in range(STEPS):
        scores, information = _by_item(units, stores, inputs, group, item, beta)
        whole = information.sum(axis=0) + RIDGE * np.eye(len(beta))
        step = np.clip(np.linalg.solve(whole, scores.sum(axis=0)), -1.0, 1.0)
        beta = beta + step
        if np.abs(step).max() < CLOSE:
            break
    # An item's weeks are not independent of one another: the sandwich estimate of the variance, clustered by item.
    solved = np.linalg.solve(whole, scores.T)
    half = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt((solved**2).sum(axis=1))
    low, high = np.exp(beta - half), np.exp(beta + half)
    effects = [
        PositionEffect(
            name, float(np.exp(beta[i])), float(low[i]), float(high[i]), int(stores @ inputs[:, i])
        )
        for i, name in enumerate(names)
    ]
    return Positions(tuple(sorted(effects, key=lambda effect: -effect.factor)), level)


def _enough(cells: pd.DataFrame, name: str) -> bool:
    sold = cells.loc[(cells["display"] == name) & (cells["units"] > 0), "item_id"]
    return bool(sold.nunique() >= MIN_ITEMS)


def _by_item(
    units: np.ndarray,
    stores: np.ndarray,
    inputs: np.ndarray,
    group: np.ndarray,
    item: np.ndarray,
    beta: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Each item's part of the score (items, k) and of the information (items, k, k) of the Poisson regression at beta.

    With the levels solved for, a group's units are spread over its cells as stores times exp(inputs @ beta).
    """
    weight = stores * np.exp(inputs @ beta)
    expected = weight * (np.bincount(group, units) / np.bincount(group, weight))[group]
    size = np.maximum(np.bincount(group, expected), 1e-12)
    means = [np.bincount(group, expected * column) / size for column in inputs.T]
    centred = inputs - np.stack(means, axis=1)[group]
    count, wide = int(item.max()) + 1, len(beta)
    scores, information = np.zeros((count, wide)), np.zeros((count, wide, wide))
    np.add.at(scores, item, inputs * (units - expected)[:, None])
    np.add.at(information, item, expected[:, None, None] * centred[:, :, None] * centred[:, None, :])
    return scores, information
