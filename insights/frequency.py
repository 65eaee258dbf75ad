"""How many mails are too many: what customers do after 0, 1, 2, ... campaigns in a month.

Customers who buy much are sent more, so each number of campaigns is weighed to the same mix of customers: by
fifths of what they spent in the 90 days before (direct standardisation). That makes it fairer, not a test.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from segments.errors import DataError
from segments.ports import Figure

MONTH = 30
BEFORE = 90
FIFTHS = 5
MIN_PERIODS = 100
"""A number of campaigns with fewer customer-months than this joins the one below."""
RESAMPLES = 300
SEED = 59
WARNING = (
    "Observed, not tried: who was sent how many was not drawn by lot, and spend before tells only part of the "
    "difference. Try a lower cap on a random half before relying on it.",
    "这是观察结果而非实验：触达次数并非随机分配，过往消费只能解释部分差异；请先对随机一半客户试行上限。",
)


@dataclass(frozen=True)
class FrequencyPoint:
    """Customer-months with this many campaigns (`at_least` for the last point).

    responding: share that redeemed a coupon, standardised, with an interval by bootstrap over customers;
    gain: responding less that of the point before, with its interval; None for the first.
    """

    campaigns: int
    at_least: bool
    customer_months: int
    responding: float
    low: float
    high: float
    gain: float | None
    gain_low: float | None
    gain_high: float | None


@dataclass(frozen=True)
class FrequencyCurve:
    """The response curve. cap: the number after which one more campaign shows no gain beyond its interval.

    capped: False when every step still gains, so that the data show no cap.
    """

    months: int
    level: float
    points: tuple[FrequencyPoint, ...]
    cap: int
    capped: bool

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = [
            Figure("cap", self.cap, "count", "campaigns in 30 days at most", "30天内活动次数上限"),
            Figure("months", self.months, "count", "months compared", "比较的月数"),
        ]
        for p in self.points:
            en, zh = (
                (f"{p.campaigns} or more", f"{p.campaigns}次及以上")
                if p.at_least
                else (
                    str(p.campaigns),
                    f"{p.campaigns}次",
                )
            )
            name = f"campaigns_{p.campaigns}"
            found += [
                Figure(
                    f"{name}.responding",
                    p.responding,
                    "share",
                    f"redeem after {en} campaign{'' if p.campaigns == 1 else 's'} in a month",
                    f"一个月{zh}活动后的核销率",
                    p.low,
                    p.high,
                    self.level,
                ),
                Figure(
                    f"{name}.customer_months",
                    p.customer_months,
                    "count",
                    f"customer-months with {en}",
                    f"{zh}的客户月数",
                ),
            ]
            if p.gain is not None:
                found.append(
                    Figure(
                        f"{name}.gain",
                        p.gain,
                        "share",
                        f"gained by campaign {p.campaigns}",
                        f"第{p.campaigns}次活动的提升",
                        p.gain_low,
                        p.gain_high,
                        self.level,
                    )
                )
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a number of campaigns."""
        return [asdict(point) for point in self.points]


def frequency_curve(
    exposures: pd.DataFrame,
    redemptions: pd.DataFrame,
    purchases: pd.DataFrame,
    as_of: date,
    level: float = 0.95,
) -> FrequencyCurve:
    """From exposures (customer_id, campaign_id, ts), redemptions (customer_id, ts), purchases (customer_id, ts,
    value), in months of 30 days that end at `as_of`, the first 90 days left out.

    Counts customers who were ever sent a campaign: the others are not asked. Raises DataError when fewer than
    100 customer-months had a campaign.
    """
    table = _customer_months(exposures, redemptions, purchases, as_of)
    enough = [n for n in range(int(table["sent"].max()) + 1) if (table["sent"] >= n).sum() >= MIN_PERIODS]
    most = max(enough, default=0)
    if most == 0:
        raise DataError(
            f"Fewer than {MIN_PERIODS} customer-months had a campaign: too few to tell how many are too many.",
            f"有活动的“客户·月”不足{MIN_PERIODS}个，看不出多少次算太多。",
        )
    table["sent"] = table["sent"].clip(upper=most)
    owner, customers = pd.factorize(table["customer_id"])
    cell = table["sent"].to_numpy() * FIFTHS + table["fifth"].to_numpy()
    responded = table["responded"].to_numpy(float)
    random = np.random.default_rng(SEED)
    chance = np.full(len(customers), 1 / len(customers))
    draws = [random.multinomial(len(customers), chance) for _ in range(RESAMPLES)]
    rates = _rates(np.ones(len(table)), cell, responded, most)
    drawn = np.array([_rates(draw[owner].astype(float), cell, responded, most) for draw in draws])
    edges = (1 - level) / 2, (1 + level) / 2
    low, high = np.quantile(drawn, edges, axis=0)
    gains, (gain_low, gain_high) = np.diff(rates), np.quantile(np.diff(drawn, axis=1), edges, axis=0)
    points = tuple(
        FrequencyPoint(
            n,
            n == most,
            int((table["sent"] == n).sum()),
            float(rates[n]),
            float(low[n]),
            float(high[n]),
            *((float(g[n - 1]) for g in (gains, gain_low, gain_high)) if n else (None, None, None)),
        )
        for n in range(most + 1)
    )
    cap = next((n for n in range(most) if gain_low[n] <= 0), most)
    return FrequencyCurve(int(table["month"].nunique()), level, points, cap, cap < most)


def _customer_months(
    exposures: pd.DataFrame, redemptions: pd.DataFrame, purchases: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """customer_id, month, sent (campaigns), responded (0/1), fifth (of spend in the 90 days before)."""
    first = min(frame["ts"].min() for frame in (purchases, exposures))
    months = ((pd.Timestamp(as_of) - first).days - BEFORE) // MONTH
    who = pd.Index(np.sort(exposures["customer_id"].unique()))
    parts = []
    for month in range(months):
        end = pd.Timestamp(as_of) - pd.Timedelta(days=MONTH * month)
        start = end - pd.Timedelta(days=MONTH)
        sent = _within(exposures, start, end).groupby("customer_id")["campaign_id"].nunique()
        used = _within(redemptions, start, end)["customer_id"].unique()
        spent = (
            _within(purchases, start - pd.Timedelta(days=BEFORE), start).groupby("customer_id")["value"].sum()
        )
        rank = spent.reindex(who, fill_value=0.0).rank(method="first", pct=True)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": who,
                    "month": month,
                    "sent": sent.reindex(who, fill_value=0).to_numpy(),
                    "responded": who.isin(used),
                    "fifth": np.minimum((rank.to_numpy() * FIFTHS).astype(int), FIFTHS - 1),
                }
            )
        )
    if not parts:
        raise DataError(
            f"The history is shorter than {BEFORE + MONTH} days: too short for a response curve.",
            f"历史不足{BEFORE + MONTH}天，无法得到响应曲线。",
        )
    return pd.concat(parts, ignore_index=True)


def _within(rows: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    return rows[(rows["ts"] >= start) & (rows["ts"] < end)]


def _rates(weight: np.ndarray, cell: np.ndarray, responded: np.ndarray, most: int) -> np.ndarray:
    """Share responding for each number of campaigns, over the fifths as they are in all customer-months."""
    shape = (most + 1, FIFTHS)
    count = np.bincount(cell, weight, np.prod(shape)).reshape(shape)
    hits = np.bincount(cell, weight * responded, np.prod(shape)).reshape(shape)
    mix = np.where(count > 0, count.sum(axis=0), 0.0)
    rate = np.divide(hits, count, out=np.zeros(shape), where=count > 0)
    return np.asarray((rate * mix).sum(axis=1) / np.maximum(mix.sum(axis=1), 1e-12))
