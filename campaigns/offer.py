"""What to offer, through which kind of campaign, and when: read from the segment's own history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from campaigns.assumptions import Assumptions
from campaigns.response import CampaignResponse, jeffreys
from segments.catalogue import PARTS
from segments.errors import DefinitionError
from segments.ports import Figure

OFFERED = 3
DEPTH_STEP = 0.05
MIN_DEPTH, MAX_DEPTH = 0.05, 0.3
"""A coupon is at least one step deep, and deeper than 30 % few grocers' margins bear."""
WINDOW_DAYS = 365
TASTE_WEIGHT = 10
"""Orders: a dozen or so tell more of a member than the segment does."""
WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
PARTS_ZH = {"morning": "上午", "afternoon": "下午", "evening": "晚上", "night": "深夜"}


@dataclass(frozen=True)
class Offer:
    """A coupon on one thing, and how deep.

    usual_discount: the members' mean discount as a share of list price; depth: the assumed discount, else the next step
    of 5 % above the usual one, at most the gross margin, so that no coupon sells below cost. spend: mean list spend
    (currency) on the thing in an order that has it; face_value: cost of one redeemed coupon.
    """

    key: str
    name: str
    level: str
    usual_discount: float
    depth: float
    spend: float
    face_value: float

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        n = self.name
        return (
            Figure("depth", self.depth, "share", f"discount offered, {n}", f"优惠力度，{n}"),
            Figure("spend", self.spend, "currency", f"usual spend in an order, {n}", f"每单消费，{n}"),
            Figure(
                "face_value",
                self.face_value,
                "currency",
                f"cost of a redeemed coupon, {n}",
                f"每张核销券成本，{n}",
            ),
        )


@dataclass(frozen=True)
class Channel:
    """A kind of campaign with its response rate in the segment, blended with everyone's.

    exposures, responses: the segment's own. posterior: the two parameters of the Beta distribution
    that the rate and its interval come from.
    """

    type: str
    exposures: int
    responses: int
    rate: float
    low: float
    high: float
    rate_everyone: float
    posterior: tuple[float, float]


@dataclass(frozen=True)
class Timing:
    """When members shop, and so when to post. Shares are of the orders of the last 365 days.

    weekday: 0 Monday to 6 Sunday. last_contact_days: median among those ever contacted (None: nobody
    was); contacts_90d: mean contacts in the last 90 days.
    """

    weekday: int
    weekday_share: float
    weekday_lift: float
    part: str
    part_share: float
    part_lift: float
    last_contact_days: float | None
    contacts_90d: float
    post_on: date
    arrive_on: date

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        day_en, day_zh = f"orders on {WEEKDAYS_EN[self.weekday]}", f"{WEEKDAYS_ZH[self.weekday]}订单"
        part_en, part_zh = f"orders in the {self.part}", f"{PARTS_ZH[self.part]}订单"
        found = [
            Figure("weekday_share", self.weekday_share, "share", f"share of {day_en}", f"{day_zh}占比"),
            Figure(
                "weekday_lift",
                self.weekday_lift,
                "ratio",
                f"{day_en}, against everyone",
                f"{day_zh}与全体之比",
            ),
            Figure("part_share", self.part_share, "share", f"share of {part_en}", f"{part_zh}占比"),
            Figure(
                "part_lift", self.part_lift, "ratio", f"{part_en}, against everyone", f"{part_zh}与全体之比"
            ),
            Figure(
                "contacts_90d", self.contacts_90d, "count", "contacts in 90 days, mean", "90天内平均触达次数"
            ),
            Figure("post_on", self.post_on.isoformat(), "date", "posting date", "寄出日期"),
            Figure("arrive_on", self.arrive_on.isoformat(), "date", "arrival date", "送达日期"),
        ]
        if self.last_contact_days is not None:
            words = "days since the last contact, median", "距上次触达天数中位数"
            found.append(Figure("last_contact_days", self.last_contact_days, "days", *words))
        return tuple(found)


def make_offers(
    ours: pd.DataFrame,
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    as_of: date,
    recommendations: Sequence[Mapping[str, Any]],
    assumptions: Assumptions,
) -> tuple[Offer, ...]:
    """One offer for each of the first recommendations (rows with key, name, level), best first.

    Raises DefinitionError without recommendations, or when nobody bought what they name.
    """
    if not recommendations:
        raise DefinitionError(
            "There is nothing to offer; make recommendations for the segment first.",
            "没有可提供的；请先为该分群生成推荐。",
        )
    usual = float(ours["discount_rate_365d"].mean())
    usual = 0.0 if np.isnan(usual) else usual
    step = max(MIN_DEPTH, ceil(usual / DEPTH_STEP - 1e-9) * DEPTH_STEP)
    depth = assumptions.discount or min(MAX_DEPTH, assumptions.gross_margin, step)
    rows = _recent(purchases, as_of)
    found = []
    for row in recommendations[:OFFERED]:
        key, level = str(row["key"]), str(row["level"])
        bought = rows[rows["item_id"].isin(_items_of(items, key, level))]
        if bought.empty:
            continue
        spend = float((bought["value"] + bought["discount"]).sum() / bought["order_id"].nunique())
        face = assumptions.coupon_face_value
        found.append(
            Offer(key, str(row["name"]), level, usual, depth, spend, depth * spend if face is None else face)
        )
    if not found:
        keys = ", ".join(str(row["key"]) for row in recommendations[:OFFERED])
        raise DefinitionError(
            f"Nobody bought {keys} in the {WINDOW_DAYS} days before {as_of}.",
            f"{as_of}之前的{WINDOW_DAYS}天里没有人买过{keys}。",
        )
    return tuple(found)


def _items_of(items: pd.DataFrame, key: str, level: str) -> pd.Series:
    return items.loc[items["category" if level == "category" else "item_id"] == key, "item_id"]


@dataclass(frozen=True)
class Habits:
    """What each member (row) bought of each offer (column).

    taste: how the offer fits the member, 1 for the one that fits best: the share of their orders of 365
    days that have it, drawn to the segment's share by `TASTE_WEIGHT` orders. recent: whether they bought
    it in the last `days`.
    """

    taste: np.ndarray
    recent: np.ndarray


def offer_habits(
    members: pd.Index,
    offers: Sequence[Offer],
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    as_of: date,
    days: int,
) -> Habits:
    """The members' habits, in their order."""
    rows = _recent(purchases, as_of)
    rows = rows[rows["customer_id"].isin(members)]
    orders = rows.groupby("customer_id")["order_id"].nunique().reindex(members, fill_value=0).to_numpy(float)
    since = pd.Timestamp(as_of) - pd.Timedelta(days=days)
    tastes, recent = [], []
    for offer in offers:
        bought = rows[rows["item_id"].isin(_items_of(items, offer.key, offer.level))]
        counts = (
            bought.groupby("customer_id")["order_id"].nunique().reindex(members, fill_value=0).to_numpy(float)
        )
        mean = counts.sum() / max(1.0, orders.sum())
        tastes.append((counts + TASTE_WEIGHT * mean) / (orders + TASTE_WEIGHT))
        recent.append(members.isin(bought.loc[bought["ts"] >= since, "customer_id"]))
    taste = np.column_stack(tastes)
    best = taste.max(axis=1, keepdims=True)
    return Habits(np.divide(taste, best, out=np.ones_like(taste), where=best > 0), np.column_stack(recent))


def rank_channels(response: CampaignResponse, assumptions: Assumptions) -> tuple[Channel, ...]:
    """Kinds of past campaigns, the one with the highest lower end of its response rate first."""
    found = []
    for everyone in response.rates:
        if everyone.by != "type" or everyone.who != "everyone":
            continue
        own = response.rate(everyone.group, "segment")
        trials = own.effective if own else 0.0
        successes = own.rate * trials if own else 0.0
        weight = min(float(assumptions.prior_exposures), everyone.effective)
        a = successes + weight * everyone.rate
        b = trials - successes + weight * (1 - everyone.rate)
        low, high = jeffreys(a, a + b, assumptions.level)
        found.append(
            Channel(
                everyone.group,
                own.exposures if own else 0,
                own.responses if own else 0,
                a / (a + b),
                low,
                high,
                everyone.rate,
                (a + 0.5, b + 0.5),
            )
        )
    return tuple(sorted(found, key=lambda channel: (-channel.low, channel.type)))


def plan_timing(ours: pd.DataFrame, purchases: pd.DataFrame, as_of: date, assumptions: Assumptions) -> Timing:
    """Arrive on the members' busiest weekday, after the rest since their last contact.

    Raises DefinitionError when no member ordered in the window.
    """
    orders = _recent(purchases, as_of).drop_duplicates("order_id")
    inside = orders["customer_id"].isin(ours.index)
    if not inside.any():
        raise DefinitionError(
            f"No member ordered in the {WINDOW_DAYS} days before {as_of}; no habit to plan by.",
            f"{as_of}之前的{WINDOW_DAYS}天里没有成员下过单，没有习惯可依。",
        )
    weekday, day_share, day_lift = _peak(orders["ts"].dt.day_of_week, inside)
    part, part_share, part_lift = _peak(_part(orders["ts"].dt.hour), inside)
    last = ours["campaign_recency_days"].median()
    wait = 0 if np.isnan(last) else max(0, ceil(assumptions.min_contact_gap_days - last))
    first = as_of + timedelta(days=wait + assumptions.mail_days)
    arrive = first + timedelta(days=(int(weekday) - first.weekday()) % 7)
    return Timing(
        weekday=int(weekday),
        weekday_share=day_share,
        weekday_lift=day_lift,
        part=str(part),
        part_share=part_share,
        part_lift=part_lift,
        last_contact_days=None if np.isnan(last) else float(last),
        contacts_90d=float(ours["campaigns_received_90d"].fillna(0).mean()),
        post_on=arrive - timedelta(days=assumptions.mail_days),
        arrive_on=arrive,
    )


def _recent(purchases: pd.DataFrame, as_of: date, days: int = WINDOW_DAYS) -> pd.DataFrame:
    end = pd.Timestamp(as_of)
    return purchases[(purchases["ts"] < end) & (purchases["ts"] >= end - pd.Timedelta(days=days))]


def _part(hours: pd.Series) -> pd.Series:
    names = {
        hour: name
        for name, (start, end) in PARTS.items()
        for hour in (range(start, end) if start < end else (*range(start, 24), *range(end)))
    }
    return hours.map(names)


def _peak(values: pd.Series, inside: pd.Series) -> tuple[Any, float, float]:
    """The most frequent value among the members' orders, its share, and that over everyone's share."""
    shares = values[inside].value_counts(normalize=True).sort_index(kind="stable")
    place = int(shares.to_numpy().argmax())
    peak, share = shares.index[place], float(shares.iloc[place])
    return peak, share, share / float((values == peak).mean())
