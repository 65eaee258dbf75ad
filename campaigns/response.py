"""What past campaigns earned: who responded, and what responders spent. Observed, not caused.

A response is at least one redemption of a campaign by a customer exposed to it. One customer's
exposures are alike, so intervals use the effective number of exposures: the number divided by the
design effect of the clustering by customer (Korn and Graubard 1998, Survey Methodology 24), in
Jeffreys' interval (Brown, Cai and DasGupta 2001, Statistical Science 16).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from math import sqrt
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import beta, norm

from campaigns.spend import Timeline
from segments.errors import DataError
from segments.ports import Figure

Who = Literal["segment", "others", "everyone"]
MIN_CUSTOMERS = 10
"""A rate over fewer customers is not told: it would tell of single ones."""
WHO_ZH = {"segment": "分群", "others": "其他客户", "everyone": "全体客户"}


@dataclass(frozen=True)
class ResponseRate:
    """Responders over exposures of one group: by campaign type, or by coupon value band.

    effective: exposures after the design effect. low, high: Jeffreys interval.
    """

    by: Literal["type", "coupon_value"]
    group: str
    who: Who
    customers: int
    exposures: int
    responses: int
    rate: float
    low: float
    high: float
    effective: float


@dataclass(frozen=True)
class SpendChange:
    """Spend in the days after an exposure against the same number of days before, per exposure.

    difference: change of the responders less change of the others, with an interval over customers;
    error its standard error; deviation the standard deviation of a responder's change. Responders
    chose to respond, so the difference is not what the campaign caused.
    """

    group: str
    days: int
    responses: int
    others: int
    responders_before: float
    responders_after: float
    others_before: float
    others_after: float
    difference: float
    low: float
    high: float
    error: float
    deviation: float


@dataclass(frozen=True)
class CampaignResponse:
    """Response rates and spend changes; running: exposures left out because their campaign had not ended."""

    level: float
    rates: tuple[ResponseRate, ...]
    spend: tuple[SpendChange, ...]
    running: int
    observational: bool = True

    def rate(self, group: str, who: Who, by: str = "type") -> ResponseRate | None:
        """The rate of one group, or None when too few customers were exposed."""
        return next((r for r in self.rates if (r.by, r.group, r.who) == (by, group, who)), None)

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = []
        for r in self.rates:
            name, zh = f"{r.by}.{r.group}.{r.who}", f"{WHO_ZH[r.who]}，{r.group}"
            en = f"{r.who}, {r.group}"
            found += [
                Figure(
                    f"{name}.rate",
                    r.rate,
                    "share",
                    f"response rate, {en}",
                    f"响应率，{zh}",
                    r.low,
                    r.high,
                    self.level,
                ),
                Figure(f"{name}.exposures", r.exposures, "count", f"exposures, {en}", f"触达次数，{zh}"),
                Figure(f"{name}.responses", r.responses, "count", f"responses, {en}", f"响应次数，{zh}"),
            ]
        for s in self.spend:
            found += _spend_figures(s, self.level)
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a rate."""
        return [asdict(rate) for rate in self.rates]


def measure_response(
    members: Sequence[str],
    exposures: pd.DataFrame,
    redemptions: pd.DataFrame,
    campaigns: pd.DataFrame,
    purchases: pd.DataFrame | None,
    as_of: date,
    *,
    days: int = 30,
    coupons: pd.DataFrame | None = None,
    level: float = 0.95,
    min_customers: int = MIN_CUSTOMERS,
) -> CampaignResponse:
    """Measure the campaigns that ended before `as_of`.

    campaigns: campaign_id, type, end. coupons: campaign_id, coupon_id, value (currency); with it, and a
    coupon_id in `redemptions`, rates by band of coupon value are told too. Spend changes are over
    everyone, by type and for all types together, from exposures with `days` of data before and after;
    with `purchases` None they are left out.
    Raises DataError when a campaign is exposed to but not described.
    """
    moment = pd.Timestamp(as_of)
    pairs = _pairs(exposures, redemptions, campaigns, moment)
    running = int((pairs["end"] >= moment).sum())
    ended = pairs[pairs["end"] < moment]
    inside = ended["customer_id"].isin(set(members))
    audiences: Audiences = (("segment", ended[inside]), ("others", ended[~inside]), ("everyone", ended))
    rates = _rates("type", "type", audiences, level, min_customers)
    if coupons is not None:
        banded = _by_coupon_value(ended, redemptions, coupons)
        marked = banded["customer_id"].isin(set(members))
        audiences = (("segment", banded[marked]), ("others", banded[~marked]), ("everyone", banded))
        rates += _rates("coupon_value", "band", audiences, level, min_customers)
    spend: tuple[SpendChange, ...] = ()
    if purchases is not None:
        # Both windows must lie within the days that the data cover.
        days_before = pairs["ts"] - pd.Timedelta(days=days) >= purchases["ts"].min()
        days_after = pairs["ts"] + pd.Timedelta(days=days) <= moment
        spend = _spend_changes(pairs[days_before & days_after], purchases, days, level, min_customers)
    return CampaignResponse(level, rates, spend, running)


Audiences = tuple[tuple[Who, pd.DataFrame], ...]


def _rates(
    by: Literal["type", "coupon_value"], column: str, audiences: Audiences, level: float, least: int
) -> tuple[ResponseRate, ...]:
    return tuple(
        found
        for who, rows in audiences
        for group, part in rows.groupby(column, sort=True)
        if (found := _rate(by, str(group), who, part, level, least))
    )


def _spend_changes(
    pairs: pd.DataFrame, purchases: pd.DataFrame, days: int, level: float, least: int
) -> tuple[SpendChange, ...]:
    timeline = Timeline(purchases)
    groups = [("all", pairs), *((str(name), part) for name, part in pairs.groupby("type", sort=True))]
    return tuple(
        change
        for group, part in groups
        if (change := _spend_change(group, part, timeline, days, level, least))
    )


def _pairs(
    exposures: pd.DataFrame, redemptions: pd.DataFrame, campaigns: pd.DataFrame, as_of: pd.Timestamp
) -> pd.DataFrame:
    """One row an exposed (customer, campaign): ts, type, end, responded."""
    keys = ["customer_id", "campaign_id"]
    sent = exposures[exposures["ts"] < as_of].sort_values("ts").drop_duplicates(keys)
    redeemed = redemptions.loc[redemptions["ts"] < as_of, keys].drop_duplicates().assign(responded=True)
    pairs = sent.merge(campaigns[["campaign_id", "type", "end"]], on="campaign_id", how="left")
    if pairs["type"].isna().any():
        name = pairs.loc[pairs["type"].isna(), "campaign_id"].iloc[0]
        raise DataError(f"Campaign '{name}' has exposures but no description; add it to the campaigns table.")
    pairs = pairs.merge(redeemed, on=keys, how="left")
    pairs["responded"] = pairs["responded"].notna()
    pairs["end"] = pd.to_datetime(pairs["end"])
    return pairs


def _rate(
    by: Literal["type", "coupon_value"], group: str, who: Who, rows: pd.DataFrame, level: float, least: int
) -> ResponseRate | None:
    customers = rows.groupby("customer_id")["responded"].agg(["size", "sum"])
    if len(customers) < least:
        return None
    exposures, responses = int(customers["size"].sum()), int(customers["sum"].sum())
    rate = responses / exposures
    effective = _effective(customers["size"].to_numpy(float), customers["sum"].to_numpy(float))
    low, high = jeffreys(rate * effective, effective, level)
    return ResponseRate(by, group, who, len(customers), exposures, responses, rate, low, high, effective)


def _effective(exposures: np.ndarray, responses: np.ndarray) -> float:
    """Exposures over the design effect, between the number of customers and that of exposures.

    With no variation to measure it by (nobody or everybody responded) each customer counts once.
    """
    count, total = len(exposures), float(exposures.sum())
    rate = float(responses.sum()) / total
    if rate in (0.0, 1.0):
        return float(count)
    variance = count / (count - 1) * float(((responses - rate * exposures) ** 2).sum()) / total**2
    return min(total, max(rate * (1 - rate) / variance, 1.0))


def jeffreys(successes: float, trials: float, level: float = 0.95) -> tuple[float, float]:
    """Jeffreys' interval of a share; the end is 0 or 1 where nothing or everything succeeded."""
    tail = (1 - level) / 2
    posterior = beta(successes + 0.5, trials - successes + 0.5)
    low = 0.0 if successes == 0 else float(posterior.ppf(tail))
    high = 1.0 if successes == trials else float(posterior.ppf(1 - tail))
    return low, high


def _by_coupon_value(ended: pd.DataFrame, redemptions: pd.DataFrame, coupons: pd.DataFrame) -> pd.DataFrame:
    """Exposures to a campaign that offered a coupon of the band; responded: redeemed one of that band.

    Bands are thirds of the coupons offered.
    """
    bands = pd.qcut(coupons["value"], 3, duplicates="drop").astype("str")
    offered = coupons.assign(band=bands)
    used = redemptions.merge(offered[["campaign_id", "coupon_id", "band"]], on=["campaign_id", "coupon_id"])
    used = used[["customer_id", "campaign_id", "band"]].drop_duplicates().assign(used=True)
    rows = ended.merge(offered[["campaign_id", "band"]].drop_duplicates(), on="campaign_id")
    rows = rows.merge(used, on=["customer_id", "campaign_id", "band"], how="left")
    return rows.assign(responded=rows["used"].notna())


def _spend_change(
    group: str, rows: pd.DataFrame, timeline: Timeline, days: int, level: float, least: int
) -> SpendChange | None:
    responders = rows[rows["responded"]]
    if responders["customer_id"].nunique() < least or len(responders) == len(rows):
        return None
    before = timeline.spend(rows["customer_id"], rows["ts"], -days, 0)
    after = timeline.spend(rows["customer_id"], rows["ts"], 0, days)
    yes = rows["responded"].to_numpy()
    change = after - before
    difference = float(change[yes].mean() - change[~yes].mean())
    # Sum of residuals of the difference by customer: exposures of one customer share their purchases.
    residual = np.where(
        yes, (change - change[yes].mean()) / yes.sum(), -(change - change[~yes].mean()) / (~yes).sum()
    )
    error = sqrt(float((pd.Series(residual).groupby(rows["customer_id"].to_numpy()).sum() ** 2).sum()))
    reach = float(norm.ppf((1 + level) / 2)) * error
    return SpendChange(
        group=group,
        days=days,
        responses=int(yes.sum()),
        others=int((~yes).sum()),
        responders_before=float(before[yes].mean()),
        responders_after=float(after[yes].mean()),
        others_before=float(before[~yes].mean()),
        others_after=float(after[~yes].mean()),
        difference=difference,
        low=difference - reach,
        high=difference + reach,
        error=error,
        deviation=float(change[yes].std(ddof=1)),
    )


def _spend_figures(s: SpendChange, level: float) -> list[Figure]:
    name, days = f"spend.{s.group}", s.days
    en, zh = f"{days} days, {s.group}", f"{days}天，{s.group}"
    numbers = (
        ("responders_before", s.responders_before, "responders' spend before", "响应者此前消费"),
        ("responders_after", s.responders_after, "responders' spend after", "响应者此后消费"),
        ("others_before", s.others_before, "non-responders' spend before", "未响应者此前消费"),
        ("others_after", s.others_after, "non-responders' spend after", "未响应者此后消费"),
    )
    found = [Figure(f"{name}.{key}", v, "currency", f"{e}, {en}", f"{z}，{zh}") for key, v, e, z in numbers]
    en, zh = f"responders' change beyond the others' (not causal), {en}", f"响应者额外变化（非因果）,{zh}"
    found.append(Figure(f"{name}.difference", s.difference, "currency", en, zh, s.low, s.high, level))
    return found
