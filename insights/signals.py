"""What may be odd about orders, customers and coupons: measured as surprise, with the fact behind it.

A surprise is the distance from the usual (a median) in robust spreads: `|x - median| / sqrt((1.4826 MAD)^2 +
floor^2)`. The floor keeps things that never vary from being alarmed by their first change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

Kind = Literal["order", "customer", "coupon"]

MIN_KNOWN = 5
"""What is usual is not known of an item or customer with fewer rows; its surprise is 0."""
PRICE_FLOOR, AMOUNT_FLOOR = 0.5, 1.0
"""Floors of logarithms: a price hardly ever doubles, but people buy three times as much as they like.

Chosen on half of the sellers of the sales reports with known frauds; the benchmark shows the other half.
"""

WORDS: Mapping[str, tuple[str, str]] = {
    "price": ("a unit price {x:.3g} times the item's usual", "单价为该商品平时的{x:.3g}倍"),
    "quantity": ("{x:.3g} times the item's usual units in one line", "单行数量为该商品平时的{x:.3g}倍"),
    "value": ("an order of {x:.3g} times the customer's usual value", "订单金额为该客户平时的{x:.3g}倍"),
    "discount": ("{x:.0%} of the price taken off", "折扣占原价的{x:.0%}"),
    "orders_a_day": ("{x:.0f} orders in one day", "一天内{x:.0f}笔订单"),
    "stores_a_day": ("{x:.0f} stores in one day", "一天内到{x:.0f}家门店"),
    "coupons_a_day": ("{x:.0f} coupons redeemed in one day", "一天内核销{x:.0f}张优惠券"),
    "behaviour": (
        "behaviour unlike anyone's (distance {x:.2f} to the nearest)",
        "行为与众不同（与最近者距离{x:.2f}）",
    ),
    "redemptions": ("redeemed {x:.0f} times", "被核销{x:.0f}次"),
    "one_customer": ("{x:.0%} of the redemptions by one customer", "{x:.0%}的核销来自同一客户"),
    "repeated": ("redeemed {x:.0f} times by the same customer", "同一客户核销{x:.0f}次"),
    "not_sent": (
        "{x:.0f} redemptions by customers it was not sent to",
        "{x:.0f}次核销来自未收到该活动的客户",
    ),
    "out_of_time": ("{x:.0f} redemptions outside the campaign's dates", "{x:.0f}次核销在活动日期之外"),
}
"""Every signal in words; x is its fact."""
RULE = 10.0
"""Surprise of what a rule forbids: beyond any threshold."""


@dataclass(frozen=True)
class Signals:
    """Of every subject (index: its id) each signal's surprise (0 is usual) and the fact that it speaks of."""

    kind: Kind
    surprise: pd.DataFrame
    facts: pd.DataFrame


def order_signals(purchases: pd.DataFrame) -> Signals:
    """Every order: its oddest line, its value beside the customer's usual, its discount.

    purchases: customer_id, order_id, item_id, quantity, value and, where known, discount.
    """
    lines = _line_surprises(purchases)
    lines["order_id"] = purchases["order_id"].to_numpy()
    whole = purchases.groupby("order_id").agg(customer_id=("customer_id", "first"), value=("value", "sum"))
    value, ratio = _surprise(_log(whole["value"]), whole["customer_id"], AMOUNT_FLOOR)
    surprise, facts = {"value": value}, {"value": ratio}
    for name in ("price", "quantity"):
        oddest = lines.sort_values(name, ascending=False).drop_duplicates("order_id").set_index("order_id")
        surprise[name] = oddest[name].reindex(whole.index)
        facts[name] = oddest[f"{name}_ratio"].reindex(whole.index)
    if "discount" in purchases:
        off = purchases.groupby("order_id")["discount"].sum()
        facts["discount"] = (off / (off + whole["value"]).where(lambda full: full > 0)).fillna(0.0)
        surprise["discount"] = _above(facts["discount"], 0.1)
    return _signals("order", surprise, facts)


def customer_signals(purchases: pd.DataFrame, redemptions: pd.DataFrame) -> Signals:
    """Every customer: their oddest line, their busiest day.

    purchases: as for orders, with ts and channel; redemptions: customer_id, ts.
    """
    lines = _line_surprises(purchases)
    lines["customer_id"] = purchases["customer_id"].to_numpy()
    everyone = pd.Index(np.sort(purchases["customer_id"].unique()), name="customer_id")
    surprise, facts = {}, {}
    for name in ("price", "quantity"):
        oddest = lines.sort_values(name, ascending=False).drop_duplicates("customer_id")
        oddest = oddest.set_index("customer_id").reindex(everyone)
        # Who buys much has an odd line sooner or later, so the oddest is measured against everyone's oddest.
        surprise[name], facts[name] = _above(oddest[name], 1.0), oddest[f"{name}_ratio"]
    spent = purchases.groupby("customer_id")[["discount", "value"]].sum().reindex(everyone)
    facts["discount"] = spent["discount"] / spent.sum(axis=1).where(lambda full: full > 0)
    surprise["discount"] = _above(facts["discount"], 0.1)
    day = purchases["ts"].dt.floor("D")
    by_day = purchases.assign(day=day).groupby(["customer_id", "day"])
    facts["orders_a_day"] = by_day["order_id"].nunique().groupby("customer_id").max()
    facts["stores_a_day"] = by_day["channel"].nunique().groupby("customer_id").max()
    redeemed = redemptions.groupby(["customer_id", redemptions["ts"].dt.floor("D")]).size()
    facts["coupons_a_day"] = redeemed.groupby("customer_id").max().reindex(everyone, fill_value=0)
    for name in ("orders_a_day", "stores_a_day", "coupons_a_day"):
        surprise[name] = _above(facts[name].astype(float), 1.0)
    return _signals("customer", surprise, facts)


def with_behaviour(signals: Signals, distances: pd.Series) -> Signals:
    """Customer signals with how far each is from those who behave most alike.

    distances: by customer_id, NaN where not known. Those without one have no such surprise.
    """
    far = distances.reindex(signals.surprise.index)
    odd = _above(far, 0.02).fillna(0.0)
    return Signals(
        signals.kind, signals.surprise.assign(behaviour=odd), signals.facts.assign(behaviour=far.fillna(0.0))
    )


def coupon_signals(redemptions: pd.DataFrame, exposures: pd.DataFrame, campaigns: pd.DataFrame) -> Signals:
    """Every coupon of every campaign: how often, by whom and when it was redeemed.

    redemptions: customer_id, item_id (the coupon), campaign_id, ts; exposures: customer_id, campaign_id;
    campaigns: campaign_id, start_date, end_date. Redemptions by customers it was not sent to, or outside
    the dates, break a rule whatever their number.
    """
    sent = exposures[["customer_id", "campaign_id"]].drop_duplicates().assign(sent=True)
    rows = redemptions.merge(sent, how="left").merge(campaigns, on="campaign_id", how="left")
    rows["coupon"] = rows["campaign_id"].astype(str) + ":" + rows["item_id"].astype(str)
    rows["not_sent"] = rows["sent"].isna()
    day, start, end = (pd.to_datetime(rows[name]) for name in ("ts", "start_date", "end_date"))
    rows["out_of_time"] = (day.dt.floor("D") < start) | (day.dt.floor("D") > end)
    coupon = rows.groupby("coupon")
    count, by_one = coupon.size(), rows.groupby(["coupon", "customer_id"]).size().groupby("coupon").max()
    facts = {
        "redemptions": count.astype(float),
        "one_customer": (by_one / count).where(count >= MIN_KNOWN, 0.0),
        "repeated": by_one.astype(float),
        "not_sent": coupon["not_sent"].sum().astype(float),
        "out_of_time": coupon["out_of_time"].sum().astype(float),
    }
    surprise = {
        "redemptions": _above(_log(facts["redemptions"]), PRICE_FLOOR),
        "one_customer": _above(facts["one_customer"], 0.1),
        "repeated": _above(facts["repeated"], 1.0),
        "not_sent": RULE * (facts["not_sent"] > 0),
        "out_of_time": RULE * (facts["out_of_time"] > 0),
    }
    return _signals("coupon", surprise, facts)


def _signals(kind: Kind, surprise: Mapping[str, pd.Series], facts: Mapping[str, pd.Series]) -> Signals:
    return Signals(kind, pd.DataFrame(surprise).fillna(0.0), pd.DataFrame(facts).fillna(0.0))


def _line_surprises(purchases: pd.DataFrame) -> pd.DataFrame:
    """Of every line: price and quantity (surprises) and their ratios to the item's usual."""
    out = pd.DataFrame(index=purchases.index)
    price = _log(purchases["value"]) - _log(purchases["quantity"])
    units = _log(purchases["quantity"])
    for name, values, floor in (("price", price, PRICE_FLOOR), ("quantity", units, AMOUNT_FLOOR)):
        out[name], out[f"{name}_ratio"] = _surprise(values, purchases["item_id"], floor)
    return out


def _surprise(values: pd.Series, group: pd.Series, floor: float) -> tuple[pd.Series, pd.Series]:
    """Surprise of logarithms within their group, and the ratio to its median; 0 and 1 where not known."""
    grouped = values.groupby(group.to_numpy())
    off = values - grouped.transform("median")
    spread = 1.4826 * off.abs().groupby(group.to_numpy()).transform("median")
    known = (grouped.transform("count") >= MIN_KNOWN) & off.notna()
    surprise = off.abs() / np.sqrt(spread**2 + floor**2)
    return surprise.where(known, 0.0), off.where(known, 0.0).transform("exp")


def _above(values: pd.Series, floor: float) -> pd.Series:
    """Surprise of what lies above everyone's median; nothing odd about lying below."""
    off = values - values.median()
    spread = 1.4826 * off.abs().median()
    return (off / np.sqrt(spread**2 + floor**2)).clip(lower=0.0)


def _log(values: pd.Series) -> pd.Series:
    return values.astype(float).where(values > 0).transform("log")
