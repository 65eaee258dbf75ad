"""What will be bought in the next weeks: by category and by store, with stock-out risk and what to reorder."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from insights.forecasting import CALIBRATION, MIN_WEEKS, Forecasts, forecast
from insights.item_model import barred
from segments.errors import DataError, NotFoundError
from segments.ports import Figure, Progress, silent

HORIZON = 4
LEVEL = 0.9
SERVICE = 0.95
"""Share of times that the reorder suggestion is meant to last until the next delivery."""
MIN_WEEKLY = 1.0
"""Series that sell fewer units a week on average over the last quarter are not forecast."""
QUARTER = 13


@dataclass(frozen=True)
class Panel:
    """Weekly units of every series: weeks end at `as_of`, oldest first; values (series, weeks)."""

    as_of: date
    keys: tuple[str, ...]
    values: np.ndarray

    def weeks(self, ahead: int) -> tuple[date, ...]:
        """First days of the next weeks."""
        return tuple(self.as_of + timedelta(days=7 * step) for step in range(ahead))


def weekly_panel(days: pd.Series, keys: pd.Series, quantities: pd.Series, as_of: date) -> Panel:
    """Units a week by key, from rows of (time, key, quantity); only whole weeks before `as_of`.

    Raises DataError when there are too few weeks or no series sells enough.
    """
    age = (pd.Timestamp(as_of) - days.dt.floor("D")).dt.days - 1
    weeks = int(age.max() + 1) // 7 if len(age) else 0
    if weeks < MIN_WEEKS:
        raise DataError(
            f"Demand is forecast from at least {MIN_WEEKS} weeks of purchases; there are {weeks}.",
            f"需求预测至少需要{MIN_WEEKS}周的购买；这里有{weeks}周。",
        )
    kept = (age >= 0) & (age < 7 * weeks) & keys.notna()
    rows, names = pd.factorize(keys[kept], sort=True)
    values = np.zeros((len(names), weeks))
    np.add.at(values, (rows, weeks - 1 - age[kept].to_numpy() // 7), quantities[kept].to_numpy(float))
    enough = values[:, -QUARTER:].mean(axis=1) >= MIN_WEEKLY
    if not enough.any():
        raise DataError(
            f"Nothing sells {MIN_WEEKLY:g} unit a week or more, so no demand can be forecast.",
            f"没有任何东西每周卖到{MIN_WEEKLY:g}件，无法预测需求。",
        )
    return Panel(as_of, tuple(str(name) for name in names[enough]), values[enough])


@dataclass(frozen=True)
class WeekDemand:
    """Units expected in the week that starts on `start`, with an interval."""

    start: date
    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class Demand:
    """Demand of one series over the next weeks.

    low, high: of the whole time. last: units of as many weeks just before. order_up_to: units that last
    until the end with probability `service`; safety of them are beyond what is expected. risk_expected:
    probability that a stock of exactly the expected units runs out; risk: that the given `stock` does.
    """

    key: str
    weeks: tuple[WeekDemand, ...]
    expected: float
    low: float
    high: float
    level: float
    last: float
    order_up_to: float
    safety: float
    service: float
    risk_expected: float
    stock: float | None = None
    risk: float | None = None

    @property
    def reorder(self) -> float | None:
        """Units to order now, when the stock is known."""
        return None if self.stock is None else max(self.order_up_to - self.stock, 0.0)

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted; names start with the key."""
        n, key = len(self.weeks), self.key
        found = [
            Figure(
                "expected",
                round(self.expected),
                "items",
                f"units of {key} in the next {n} weeks",
                f"未来{n}周{key}销量",
                round(self.low),
                round(self.high),
                self.level,
            ),
            Figure("last", round(self.last), "items", f"the last {n} weeks", f"过去{n}周"),
            Figure(
                "order_up_to",
                round(self.order_up_to),
                "items",
                f"stock that lasts {n} weeks",
                f"够{n}周的库存",
            ),
            Figure("service", self.service, "probability", "with probability", "概率"),
            Figure("safety", round(self.safety), "items", "of it safety stock", "其中安全库存"),
            Figure(
                "risk_expected",
                self.risk_expected,
                "probability",
                "risk of running out with only the expected units",
                "仅备预期销量时的缺货风险",
            ),
        ]
        for number, week in enumerate(self.weeks, 1):
            start = week.start.isoformat()
            found.append(
                Figure(
                    f"week_{number}",
                    round(week.expected),
                    "items",
                    f"week from {start}",
                    f"{start}起一周",
                    round(week.low),
                    round(week.high),
                    self.level,
                )
            )
        if self.stock is not None and self.risk is not None and self.reorder is not None:
            found += [
                Figure("stock", self.stock, "items", "stock", "库存"),
                Figure("risk", self.risk, "probability", "risk of running out", "缺货风险"),
                Figure("reorder", round(self.reorder), "items", "units to order now", "建议订货量"),
            ]
        return tuple(Figure(f"{key}.{f.name}", *_rest(f)) for f in found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a week."""
        return [asdict(week) | {"start": week.start.isoformat(), "key": self.key} for week in self.weeks]


def _rest(figure: Figure) -> tuple[Any, ...]:
    return tuple(asdict(figure).values())[1:]


@dataclass(frozen=True)
class DemandModel:
    """All series of a panel, forecast; and how the method did at earlier origins, for all of them."""

    panel: Panel
    forecasts: Forecasts

    def demand(self, key: str, stock: float | None = None, weeks: int | None = None) -> Demand:
        """One series' demand. Raises NotFoundError for one that is not forecast."""
        if key not in self.panel.keys:
            raise NotFoundError(
                f"{key}: sells too little for a forecast (fewer than {MIN_WEEKLY:g} unit a week); name a larger one.",
                f"{key}：销量太少，无法预测（每周不足{MIN_WEEKLY:g}件）；请换一个更大的。",
            )
        place, made = self.panel.keys.index(key), self.forecasts
        ahead = min(weeks or made.horizon, made.horizon)
        low, high = (bound[place] for bound in made.interval(LEVEL))
        starts = self.panel.weeks(ahead)
        expected = made.total(place, ahead)
        order = made.total_quantile(place, ahead, SERVICE)
        return Demand(
            key=key,
            weeks=tuple(
                WeekDemand(start, float(made.point[place, i]), float(low[i]), float(high[i]))
                for i, start in enumerate(starts)
            ),
            expected=expected,
            low=made.total_quantile(place, ahead, (1 - LEVEL) / 2),
            high=made.total_quantile(place, ahead, (1 + LEVEL) / 2),
            level=LEVEL,
            last=float(self.panel.values[place, -ahead:].sum()),
            order_up_to=order,
            safety=order - expected,
            service=SERVICE,
            risk_expected=made.shortfall(place, ahead, expected),
            stock=stock,
            risk=None if stock is None else made.shortfall(place, ahead, stock),
        )

    def test_figures(self) -> tuple[Figure, ...]:
        """How far the forecasts can be trusted: error and coverage at earlier origins, over all series."""
        made = self.forecasts
        return (
            Figure("wape", made.wape, "share", "error on weeks not seen (WAPE)", "未见周的误差(WAPE)"),
            Figure("naive_wape", made.naive_wape, "share", "seasonal naive's error", "季节性朴素预测的误差"),
            Figure(
                "coverage",
                made.coverage(LEVEL),
                "share",
                f"weeks inside their {LEVEL:.0%} intervals",
                f"落入{LEVEL:.0%}区间的周占比",
            ),
            Figure("series", len(self.panel.keys), "count", "series forecast together", "共同预测的序列数"),
            Figure("origins", len(made.errors), "count", "earlier weeks tested", "检验的起点数"),
        )


def category_demand(
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    as_of: date,
    *,
    exclude: Collection[str] = (),
    stores: Collection[str] = (),
    horizon: int = HORIZON,
    origins: int = CALIBRATION,
    progress: Progress = silent,
) -> DemandModel:
    """Forecast the units of every category, or (with `stores`, the channels) of every category in each.

    purchases: ts, item_id, quantity and, for stores, channel. Keys are the category, or `store_key`.
    Raises DataError when the history is too short.
    """
    category = items.loc[~barred(items, exclude)].set_index("item_id")["category"]
    if stores:
        purchases = purchases[purchases["channel"].isin(list(stores))]
    keys = purchases["item_id"].map(category)
    if stores:
        keys = store_key(keys, purchases["channel"]).where(keys.notna())
    panel = weekly_panel(purchases["ts"], keys, purchases["quantity"], as_of)
    return DemandModel(panel, forecast(panel.values, horizon, origins=origins, progress=progress))


def store_key(category: Any, store: Any) -> Any:
    """The name of a category in a store, for one pair or two columns."""
    return category + " @ " + store
