"""A back-test before sending: the same segment and rule rebuilt at past dates, and what happened next.

At each date the members are those who met the definition then, and the response rate is foretold from
the campaigns that had ended by then, by the rule that a plan uses. What came after is compared with it:
how many of those whom a campaign reached responded, and what members bought whom none reached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
from scipy.stats import betabinom

from campaigns.assumptions import Assumptions
from campaigns.display import share, span
from campaigns.offer import rank_channels
from campaigns.response import MIN_CUSTOMERS, jeffreys, measure_response
from segments.errors import DefinitionError
from segments.ports import Figure

DATES = 3


@dataclass(frozen=True)
class PastDate:
    """One date. foretold: the response rate of campaigns `type` expected then; reached, responded: members
    whom such a campaign reached in the horizon after, and how many of them responded before it ended.
    low, high: what share of them the forecast allowed for. bought: share of members reached by no
    campaign who bought in the horizon, of `quiet`, with Jeffreys' interval. None: not enough data.
    """

    day: date
    members: int
    type: str | None
    foretold: float | None
    low: float | None
    high: float | None
    reached: int
    responded: int
    quiet: int
    bought: float | None
    bought_low: float | None
    bought_high: float | None

    @property
    def observed(self) -> float | None:
        """The response rate that came, or None when too few were reached."""
        return self.responded / self.reached if self.reached >= MIN_CUSTOMERS else None

    @property
    def held(self) -> bool | None:
        """Whether the forecast held; None when it cannot be told."""
        if self.observed is None or self.low is None or self.high is None:
            return None
        return self.low <= self.observed <= self.high


@dataclass(frozen=True)
class Backtest:
    """All dates, newest first."""

    horizon_days: int
    level: float
    dates: tuple[PastDate, ...]

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = []
        for d in self.dates:
            day = d.day.isoformat()
            found.append(
                Figure(f"{day}.members", d.members, "customers", f"members on {day}", f"{day}的成员")
            )
            if d.foretold is not None:
                words = (f"response foretold on {day}", f"{day}预测的响应率")
                found.append(
                    Figure(f"{day}.foretold", d.foretold, "share", *words, d.low, d.high, self.level)
                )
            if d.observed is not None:
                found += [
                    Figure(
                        f"{day}.observed", d.observed, "share", f"response after {day}", f"{day}之后的响应率"
                    ),
                    Figure(
                        f"{day}.reached", d.reached, "customers", f"reached after {day}", f"{day}之后触达"
                    ),
                ]
            if d.bought is not None:
                words = (f"bought uncontacted after {day}", f"{day}之后未触达而购买")
                found.append(
                    Figure(
                        f"{day}.bought", d.bought, "share", *words, d.bought_low, d.bought_high, self.level
                    )
                )
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a date."""
        return [
            asdict(d) | {"day": d.day.isoformat(), "observed": d.observed, "held": d.held} for d in self.dates
        ]

    def to_markdown(self, language: str = "en") -> str:
        """One sentence a date ('en' or 'zh')."""
        zh = language == "zh"
        head = (
            f"**回测**（同一分群与规则在过去日期重建，观察其后{self.horizon_days}天）"
            if zh
            else f"**Back-test** (segment and rule rebuilt at past dates; the {self.horizon_days} days after each)"
        )
        return "\n".join([head, *(f"- {_sentence(d, zh)}" for d in self.dates)])


def _sentence(d: PastDate, zh: bool) -> str:
    day, none = d.day.isoformat(), "数据不足" if zh else "not enough data"
    bought = none
    if d.bought is not None and d.bought_low is not None and d.bought_high is not None:
        bought = f"{share(d.bought)} ({span(d.bought_low, d.bought_high, share)})"
    response = none
    if d.observed is not None and d.foretold is not None and d.low is not None and d.high is not None:
        foretold = f"{share(d.foretold)} ({span(d.low, d.high, share)})"
        response = (
            f"预测{foretold}，实际{share(d.observed)}（{d.reached:,}名），{'相符' if d.held else '不符'}"
            if zh
            else f"{foretold} foretold, {share(d.observed)} came ({d.reached:,} reached), which "
            f"{'holds' if d.held else 'does not hold'}"
        )
    text = (
        f"{day}：{d.members:,}名成员；响应率：{response}；未触达者购买占比：{bought}。"
        if zh
        else f"{day}: {d.members:,} members; response: {response}; bought without contact: {bought}."
    )
    return text.replace(" (", "（").replace(")", "）") if zh else text


def past_dates(as_of: date, first: date, horizon_days: int, count: int = DATES) -> list[date]:
    """Up to `count` dates, newest first, whose horizon lies within the data and before the next one."""
    days = [as_of - timedelta(days=horizon_days * (i + 1)) for i in range(count)]
    return [day for day in days if day - timedelta(days=horizon_days) >= first]


def backtest(
    members_at: Callable[[date], Sequence[str]],
    exposures: pd.DataFrame,
    redemptions: pd.DataFrame,
    campaigns: pd.DataFrame,
    purchases: pd.DataFrame,
    as_of: date,
    assumptions: Assumptions | None = None,
) -> Backtest:
    """Rebuild and look what came next; the tables are those of `plan_strategy`.

    Raises DefinitionError when the data are too short for a single date.
    """
    taken = assumptions or Assumptions()
    days = past_dates(as_of, purchases["ts"].min().date(), taken.horizon_days)
    if not days:
        raise DefinitionError(
            f"Back-test: not enough data; it takes {2 * taken.horizon_days} days, and they begin on "
            f"{purchases['ts'].min().date()}.",
            f"回测：数据不足；需要{2 * taken.horizon_days}天，而数据从{purchases['ts'].min().date()}开始。",
        )
    tables = (exposures, redemptions, campaigns, purchases)
    return Backtest(
        taken.horizon_days,
        taken.level,
        tuple(_look(day, members_at(day), tables, as_of, taken) for day in days),
    )


def _look(
    day: date, members: Sequence[str], tables: tuple[pd.DataFrame, ...], as_of: date, taken: Assumptions
) -> PastDate:
    exposures, redemptions, campaigns, purchases = tables
    start = pd.Timestamp(day)
    end = start + pd.Timedelta(days=taken.horizon_days)
    known = measure_response(
        members, exposures, redemptions, campaigns, None, day, days=taken.horizon_days, level=taken.level
    )
    channel = next(iter(rank_channels(known, taken)), None)
    inside = set(members)
    after = exposures[
        (exposures["ts"] >= start) & (exposures["ts"] < end) & exposures["customer_id"].isin(inside)
    ]
    reached = responded = 0
    if channel is not None:
        ended = campaigns[
            (campaigns["type"] == channel.type) & (pd.to_datetime(campaigns["end"]) < pd.Timestamp(as_of))
        ]
        keys = ["customer_id", "campaign_id"]
        sent = after.loc[after["campaign_id"].isin(ended["campaign_id"]), keys].drop_duplicates()
        used = redemptions.loc[redemptions["ts"] < pd.Timestamp(as_of), keys].drop_duplicates()
        reached, responded = len(sent), len(sent.merge(used, on=keys))
    low = high = bought = bought_low = bought_high = None
    if channel is not None and reached:
        # What the forecast allows for: its own uncertainty and that of so many tosses.
        tail = (1 - taken.level) / 2
        spread = betabinom(reached, *channel.posterior)
        low, high = float(spread.ppf(tail)) / reached, float(spread.ppf(1 - tail)) / reached
    quiet = inside - set(after["customer_id"])
    if len(quiet) >= MIN_CUSTOMERS:
        rows = purchases[(purchases["ts"] >= start) & (purchases["ts"] < end)]
        buyers = len(quiet & set(rows["customer_id"]))
        bought = buyers / len(quiet)
        bought_low, bought_high = jeffreys(buyers, len(quiet), taken.level)
    return PastDate(
        day, len(members), channel.type if channel else None, channel.rate if channel else None, low, high,
        reached, responded, len(quiet), bought, bought_low, bought_high,
    )  # fmt: skip
