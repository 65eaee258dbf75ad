"""Model-only columns and labels: how a customer buys at all, buys certain items, and answers campaigns.

Every feature comes from events before `as_of`, every label from [as_of, as_of + horizon). A campaign's end
date is used only for campaigns the customer was already sent: it is printed on the coupon.

Columns that start with `trip_` speak of all purchases, `item_` of the purchases of certain items, `mail_`
of campaigns sent and `coupon_` of coupons redeemed. Ages count days back from as_of: yesterday has age 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from segments.catalogue import slug
from segments.definition import ItemFilter
from segments.features import Catalogue
from segments.ports import Eligible, NextAction, Outcome
from warehouse.compile import matching_items
from warehouse.mart import days_before
from warehouse.store import Warehouse

WINDOWS = (7, 14, 28, 56, 112)
HORIZONS = (14, 30)
DECAYS = (7, 21, 60, 150)
"""Days after which a purchase counts 1/e in the fading sums."""
ACTIVITY_DECAYS = (60, 150)
MAX_CAMPAIGN_DAYS = 30
"""A campaign with more days left than the longest horizon has no more chance than one with this many."""


def item_history(warehouse: Warehouse, items: ItemFilter, as_of: date) -> pd.DataFrame:
    """How each customer bought these items before `as_of`, indexed by customer_id, `item_` columns.

    Only customers who bought any of them have a row.
    """
    wanted = matching_items(warehouse.table("items"), items)
    rows = _before(warehouse, "purchase", as_of).filter(lambda event: event.item_id.isin(wanted.item_id))
    return _rhythm(warehouse, rows, ("customer_id",)).add_prefix("item_")


def category_panel(warehouse: Warehouse, categories: Sequence[str], as_of: date) -> pd.DataFrame:
    """`item_history` of many categories in one query, indexed by (category, customer_id)."""
    rows = _with_category(warehouse, _before(warehouse, "purchase", as_of))
    rows = rows.filter(rows.category.isin(list(categories)))
    return _rhythm(warehouse, rows, ("category", "customer_id")).add_prefix("item_")


def category_activity(warehouse: Warehouse, as_of: date) -> pd.DataFrame:
    """Days with a purchase of each category, fading with age: column (decay days, category) by customer.

    The decay is exp(-age / days); 0 for a category never bought.
    """
    rows = _with_category(warehouse, _before(warehouse, "purchase", as_of))
    days = rows.select("customer_id", "category", "age").distinct()
    sums = {f"d{tau}": _fading(days, tau).sum() for tau in ACTIVITY_DECAYS}
    table = warehouse.fetch(days.group_by("customer_id", "category").aggregate(**sums))
    wide = table.pivot(index="customer_id", columns="category").sort_index(axis=1)
    wide = wide.rename(columns=lambda name: int(name[1:]), level=0)
    return wide.fillna(0.0).astype("float32").sort_index()


def item_purchases(warehouse: Warehouse, as_of: date) -> pd.DataFrame:
    """How often each customer bought each item: columns customer_id, item_id, lines."""
    rows = _before(warehouse, "purchase", as_of).filter(lambda event: event.item_id.notnull())
    return warehouse.fetch(rows.group_by("customer_id", "item_id").aggregate(lines=rows.count()))


def extra_features(warehouse: Warehouse, as_of: date) -> pd.DataFrame:
    """Columns that only models use (`trip_`, `mail_`, `coupon_`), for every customer known at `as_of`."""
    trips = _rhythm(warehouse, _before(warehouse, "purchase", as_of), ("customer_id",)).add_prefix("trip_")
    return trips.join([_mail(warehouse, as_of), _coupons(warehouse, as_of)], how="outer").sort_index()


def labels(warehouse: Warehouse, outcome: Outcome, as_of: date) -> pd.Series:
    """1 where the outcome's event falls in [as_of, as_of + horizon), for every eligible customer known at `as_of`;
    the other way round for an outcome that is the absence of the event."""
    rows = _after(warehouse, outcome.event, as_of, outcome.horizon_days)
    if outcome.items:
        wanted = matching_items(warehouse.table("items"), outcome.items)
        rows = rows.filter(lambda event: event.item_id.isin(wanted.item_id))
    who = warehouse.fetch(rows.select("customer_id").distinct())["customer_id"]
    asked = eligible_customers(warehouse, outcome.eligible, as_of)
    return pd.Series((asked.isin(who) != outcome.absent).astype("int8"), index=asked, name=outcome.name)


def first_actions(warehouse: Warehouse, action: NextAction, as_of: date) -> pd.Series:
    """The place in `action.events` of what comes first in [as_of, as_of + horizon), for every eligible customer
    known at `as_of`; their number where none comes. Of events at the same instant, the one listed first counts."""
    events = warehouse.table("events")
    rows = events.filter(
        events.type.isin(list(action.events)),
        events.ts >= days_before(as_of, 0),
        events.ts < days_before(as_of, -action.horizon_days),
    )
    first = rows.group_by("customer_id", "type").aggregate(ts=rows.ts.min())
    times = warehouse.fetch(first).pivot(index="customer_id", columns="type", values="ts")
    asked = eligible_customers(warehouse, action.eligible, as_of)
    times = times.reindex(index=asked, columns=list(action.events))
    moments = times.to_numpy(dtype="datetime64[ns]")
    none = np.isnat(moments).all(axis=1)
    latest = np.where(np.isnat(moments), np.datetime64("2200-01-01", "ns"), moments)
    return pd.Series(np.where(none, len(action.events), latest.argmin(axis=1)).astype("int8"), asked)


def eligible_customers(warehouse: Warehouse, eligible: Eligible | None, as_of: date) -> pd.Index:
    """The customers known at `as_of` whom an outcome is asked of, by id; None means all of them."""
    if eligible is None:
        return _known_customers(warehouse, as_of)
    rows = _before(warehouse, eligible.event, as_of)
    rows = rows.filter(rows.age <= eligible.within_days)
    counts = rows.group_by("customer_id").aggregate(events=rows.count())
    able = warehouse.fetch(counts.filter(counts.events >= eligible.at_least))["customer_id"]
    return pd.Index(able.sort_values(), name="customer_id")


def category_labels(
    warehouse: Warehouse, categories: Sequence[str], as_of: date, horizon_days: int
) -> pd.DataFrame:
    """1 where the customer buys the category in [as_of, as_of + horizon): customers by categories."""
    rows = _with_category(warehouse, _after(warehouse, "purchase", as_of, horizon_days))
    rows = rows.filter(rows.category.isin(list(categories))).select("customer_id", "category").distinct()
    found = warehouse.fetch(rows)
    counts = pd.crosstab(found["customer_id"], found["category"])
    known = _known_customers(warehouse, as_of)
    return counts.reindex(index=known, columns=list(categories)).fillna(0).astype("int8")


def _known_customers(warehouse: Warehouse, as_of: date) -> pd.Index:
    events = warehouse.table("events")
    known = events.filter(events.ts < days_before(as_of, 0)).select("customer_id").distinct()
    return pd.Index(warehouse.fetch(known)["customer_id"].sort_values(), name="customer_id")


def _before(warehouse: Warehouse, event: str, as_of: date) -> ir.Table:
    events = warehouse.table("events")
    past = events.filter(events.type == event, events.ts < days_before(as_of, 0))
    return past.mutate(age=ibis.literal(as_of).delta(past.ts.date(), unit="day"))


def _after(warehouse: Warehouse, event: str, as_of: date, horizon_days: int) -> ir.Table:
    events = warehouse.table("events")
    return events.filter(
        events.type == event,
        events.ts >= days_before(as_of, 0),
        events.ts < days_before(as_of, -horizon_days),
    )


def _with_category(warehouse: Warehouse, rows: ir.Table) -> ir.Table:
    items = warehouse.table("items")
    named = items.filter(items.category.notnull()).select("item_id", "category")
    return rows.inner_join(named, "item_id").drop("item_id")


def _fading(rows: ir.Table, days: int) -> ir.NumericValue:
    return (rows.age * (-1.0 / days)).exp()


def _rhythm(warehouse: Warehouse, rows: ir.Table, keys: tuple[str, ...]) -> pd.DataFrame:
    """Counts, values, gaps and hazards of the purchase days of each key; only keys that have any."""
    days = rows.group_by(*keys, "age").aggregate(
        value=rows.value.sum(),
        lines=rows.count(),
        discount=rows.discount.sum(),
    )
    order = ibis.window(group_by=list(keys), order_by=days.age)
    # Place 0 is the latest day; its gap is the one that ended with it.
    days = days.mutate(
        gap=days.age.lead(1).over(order) - days.age,
        place=ibis.row_number().over(order),
        recency=days.age.min().over(ibis.window(group_by=list(keys))),
    )
    table = days.group_by(*keys).aggregate(**_sums(days))
    return _ratios(warehouse.fetch(table).set_index(list(keys)).sort_index().astype("float32"))


def _sums(days: ir.Table) -> dict[str, ir.Value]:
    columns = {
        "recency": days.age.min(),
        "first": days.age.max(),
        "days": days.count(),
        "value": days.value.sum(),
        "lines": days.lines.sum(),
        "discount": days.discount.sum(),
        "gap_median": days.gap.median(),
        "gap_max": days.gap.max(),
        "gap_std": days.gap.std(),
        "gap_recent": days.gap.mean(where=days.place < 5),
        "gap_last": days.gap.max(where=days.place == 0),
        "last_value": days.value.max(where=days.place == 0),
        "gaps_longer": days.gap.count(where=days.gap > days.recency),
        "gaps_reached": days.gap.count(where=days.gap >= days.recency),
    }
    for n in HORIZONS:
        due = (days.gap >= days.recency) & (days.gap < days.recency + n)
        columns[f"gaps_due_{n}"] = days.gap.count(where=due)
        columns[f"blocks_{n}"] = ((days.age - 1) // n).nunique()
    for n in WINDOWS:
        inside = days.age <= n
        columns[f"days_{n}"] = days.count(where=inside)
        columns[f"value_{n}"] = days.value.sum(where=inside).fill_null(0)
        columns[f"lines_{n}"] = days.lines.sum(where=inside).fill_null(0)
        if n >= 28:
            columns[f"weeks_{n}"] = ((days.age - 1) // 7).nunique(where=inside)
    for tau in DECAYS:
        columns[f"decay_{tau}"] = _fading(days, tau).sum()
        columns[f"decay_value_{tau}"] = (_fading(days, tau) * days.value).sum()
    return columns


def _ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Rates, overdue ratios and the empirical hazard (shares of own gaps, smoothed by half a gap)."""
    first, recency, days = table["first"], table["recency"], table["days"]
    gap_mean = (first - recency) / (days - 1).where(days > 1)
    ratios = {
        "rate": days / first.clip(lower=14),
        "gap_mean": gap_mean,
        "gap_variation": table["gap_std"] / gap_mean,
        "overdue_mean": recency / gap_mean,
        "overdue_median": recency / table["gap_median"],
        "overdue_max": recency / table["gap_max"],
        "survival": (table["gaps_longer"] + 0.5) / days,
        "value_per_day": table["value"] / days,
        "last_value_ratio": table["last_value"] * days / table["value"].where(table["value"] > 0),
        "discount_rate": table["discount"] / (table["discount"] + table["value"]).where(table["value"] > 0),
        "recent_rate": table["days_28"] / 28 * first.clip(lower=14) / days,
        "trend": table["days_28"] / (table["days_56"] - table["days_28"] + 1),
    }
    for n in HORIZONS:
        ratios[f"hazard_{n}"] = (table[f"gaps_due_{n}"] + 0.5) / (table["gaps_reached"] + 1)
        ratios[f"block_share_{n}"] = table[f"blocks_{n}"] / np.ceil(first / n)
        ratios[f"poisson_{n}"] = 1 - np.exp(-table["decay_21"] / 21 * n)
    for n in (28, 56, 112):
        observed = first.clip(lower=7, upper=n)
        ratios[f"days_rate_{n}"] = table[f"days_{n}"] / observed
        ratios[f"value_rate_{n}"] = table[f"value_{n}"] / observed
    return pd.concat([table, pd.DataFrame(ratios)], axis=1).astype("float32")


def _mail(warehouse: Warehouse, as_of: date) -> pd.DataFrame:
    """Campaigns sent and still running, and how the customer answered, in all and by campaign type."""
    campaigns = warehouse.table("campaigns")
    sent = _before(warehouse, "exposure", as_of).inner_join(campaigns, "campaign_id")
    left = campaigns.end_date.cast("date").delta(ibis.literal(as_of), unit="day") + 1
    sent = sent.select("customer_id", "campaign_id", "age", kind=campaigns.type, left=left)
    redeemed = _before(warehouse, "coupon_redeem", as_of)
    coupons = redeemed.group_by("customer_id", "campaign_id").aggregate(coupons=redeemed.count())
    rows = sent.left_join(coupons, ["customer_id", "campaign_id"]).select(
        "customer_id", "age", "kind", "left", coupons=coupons.coupons.fill_null(0)
    )
    kinds = warehouse.fetch(campaigns.select("type").distinct())["type"].dropna()
    tests = {"": ibis.literal(True)} | {f"_{slug(kind)}": rows.kind == kind for kind in sorted(kinds)}
    columns: dict[str, ir.Value] = {}
    for suffix, test in tests.items():
        columns |= _mail_columns(rows, test, suffix)
    table = warehouse.fetch(rows.group_by("customer_id").aggregate(**columns))
    table = table.set_index("customer_id").astype("float32")
    for suffix in tests:
        # One in five is a first guess worth one campaign, so that a first mailing is not read as a refusal.
        response = (table[f"mail_answered{suffix}"] + 0.2) / (table[f"mail_sent{suffix}"] + 1)
        table[f"mail_response{suffix}"] = response
        running = table[f"mail_running{suffix}"] * table[f"mail_days_left{suffix}"] / MAX_CAMPAIGN_DAYS
        table[f"mail_expected{suffix}"] = response * running
    return table


def _mail_columns(rows: ir.Table, test: ir.BooleanValue, suffix: str) -> dict[str, ir.Value]:
    running = test & (rows.left > 0)
    answered = rows.coupons > 0
    left = ibis.least(rows.left, MAX_CAMPAIGN_DAYS)
    return {
        f"mail_sent{suffix}": rows.count(where=test),
        f"mail_age{suffix}": rows.age.min(where=test),
        f"mail_answered{suffix}": rows.count(where=test & answered),
        f"mail_coupons{suffix}": rows.coupons.sum(where=test).fill_null(0),
        f"mail_running{suffix}": rows.count(where=running),
        f"mail_running_age{suffix}": rows.age.min(where=running),
        f"mail_running_answered{suffix}": rows.count(where=running & answered),
        f"mail_running_coupons{suffix}": rows.coupons.sum(where=running).fill_null(0),
        f"mail_days_left{suffix}": left.max(where=running).fill_null(0),
        f"mail_days_left_sum{suffix}": left.sum(where=running).fill_null(0),
    }


def _coupons(warehouse: Warehouse, as_of: date) -> pd.DataFrame:
    rows = _before(warehouse, "coupon_redeem", as_of)
    columns: dict[str, ir.Value] = {
        "coupon_count": rows.count(),
        "coupon_days": rows.age.nunique(),
        "coupon_recency": rows.age.min(),
        "coupon_first": rows.age.max(),
        "coupon_campaigns": rows.campaign_id.nunique(),
    }
    for n in (14, 28, 56, 112):
        columns[f"coupon_count_{n}"] = rows.count(where=rows.age <= n)
        columns[f"coupon_days_{n}"] = rows.age.nunique(where=rows.age <= n)
    for tau in DECAYS[1:]:
        columns[f"coupon_decay_{tau}"] = _fading(rows, tau).sum()
    table = warehouse.fetch(rows.group_by("customer_id").aggregate(**columns))
    return table.set_index("customer_id").astype("float32")


class TrainingTables:
    """What the propensity trainer asks of a warehouse (satisfies `propensity.tables.OutcomeTables`)."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    @property
    def as_of(self) -> date:
        """The day after the last event."""
        return self._warehouse.as_of

    @cached_property
    def first_day(self) -> date:
        """The day of the first purchase."""
        events = self._warehouse.table("events")
        first = events.filter(events.type == "purchase").aggregate(day=events.ts.min())
        day: date = pd.Timestamp(self._warehouse.fetch(first)["day"].iloc[0]).date()
        return day

    @property
    def catalogue(self) -> Catalogue:
        """The features there are."""
        return self._warehouse.catalogue

    @property
    def categories(self) -> tuple[str, ...]:
        """Item categories that somebody bought, by spend, largest first."""
        return self._warehouse.item_values["category"]

    @cached_property
    def data_hash(self) -> str:
        """16 hex digits that change with any row, the features known, or how they are computed."""
        digest = hashlib.sha256()
        for name in ("events", "items", "customers", "campaigns"):
            table = self._warehouse.table(name)
            # Row hashes are added as whole numbers, so that neither order nor threads matter.
            row = ibis.struct({column: table[column] for column in table.columns}).hash()
            sums = table.select(row=row).aggregate(rows=ibis._.count(), sum=(ibis._.row % 2**31).sum())
            digest.update(repr(self._warehouse.fetch(sums).iloc[0].tolist()).encode())
        for module in ("history", "mart", "compile"):
            digest.update((Path(__file__).parent / f"{module}.py").read_bytes())
        digest.update(repr(list(self._warehouse.catalogue)).encode())
        digest.update("\n".join(self.categories).encode())
        return digest.hexdigest()[:16]

    def features(self, as_of: date) -> pd.DataFrame:
        """The feature mart as of a date."""
        return self._warehouse.features(as_of)

    def extra(self, as_of: date) -> pd.DataFrame:
        """`extra_features`."""
        return extra_features(self._warehouse, as_of)

    def item_history(self, items: ItemFilter, as_of: date) -> pd.DataFrame:
        """`item_history`."""
        return item_history(self._warehouse, items, as_of)

    def category_panel(self, categories: Sequence[str], as_of: date) -> pd.DataFrame:
        """`category_panel`."""
        return category_panel(self._warehouse, categories, as_of)

    def category_activity(self, as_of: date) -> pd.DataFrame:
        """`category_activity`."""
        return category_activity(self._warehouse, as_of)

    def item_purchases(self, as_of: date) -> pd.DataFrame:
        """`item_purchases`."""
        return item_purchases(self._warehouse, as_of)

    def labels(self, outcome: Outcome, as_of: date) -> pd.Series:
        """`labels`."""
        return labels(self._warehouse, outcome, as_of)

    def first_actions(self, action: NextAction, as_of: date) -> pd.Series:
        """`first_actions`."""
        return first_actions(self._warehouse, action, as_of)

    def eligible(self, eligible: Eligible | None, as_of: date) -> pd.Index:
        """`eligible_customers`."""
        return eligible_customers(self._warehouse, eligible, as_of)

    def category_labels(self, categories: Sequence[str], as_of: date, horizon_days: int) -> pd.DataFrame:
        """`category_labels`."""
        return category_labels(self._warehouse, categories, as_of, horizon_days)
