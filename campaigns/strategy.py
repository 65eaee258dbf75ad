"""The strategy of a campaign for one segment: objective, who, offer, channel, timing, budget, holdout.

Every number is computed from the tables handed over or is an assumption that the strategy returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from campaigns.assumptions import Assumptions
from campaigns.budget import BudgetSplit, Tier, split_budget
from campaigns.expect import TRIP_GOALS, Expectation, Forecast, expect, simulate
from campaigns.experiment import Holdout, Metric, assign, design_holdout
from campaigns.goals import Goal, Objective, choose_objective
from campaigns.markdown import render
from campaigns.offer import Channel, Offer, Timing, make_offer, offered_buyers, plan_timing, rank_channels
from campaigns.response import SpendChange, measure_response
from campaigns.spend import Timeline
from segments.errors import DefinitionError
from segments.ports import Figure

MIN_SIZE = 10
"""Smaller segments and smaller plans are not made: their figures would tell of single customers."""
TIERS = ("high", "middle", "low")


@dataclass(frozen=True)
class TierPlan:
    """One tier of the members by expected gain (response times gain): how many, whom to contact, what for."""

    name: str
    size: int
    response: float
    gain: float
    chosen: int
    contact: int
    holdout: int
    forecast: Forecast


@dataclass(frozen=True)
class Strategy:
    """A plan. `forecast` is of the contacted customers; `split` of contacted and held-out ones together.

    break_even: the incremental share at which the margin just covers the cost (above 1: it cannot).
    caveats: codes, in words by `notes`. arms: customer_id -> (tier, arm), for the export only.
    """

    objective: Objective
    as_of: date
    size: int
    budget: float
    tiers: tuple[TierPlan, ...]
    offer: Offer
    channel: Channel | None
    channels: tuple[Channel, ...]
    gain: SpendChange | None
    timing: Timing
    split: BudgetSplit
    forecast: Forecast
    break_even: float
    holdout: Holdout
    assumptions: Assumptions
    caveats: tuple[str, ...]
    arms: Mapping[str, tuple[str, str]]

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        level = self.assumptions.level
        f = self.forecast
        found = [
            Figure("size", self.size, "customers", "customers in the segment", "分群客户数"),
            Figure("budget", self.budget, "currency", "budget", "预算"),
            *forecast_figures("", f, "", "", level),
            Figure("break_even", self.break_even, "ratio", "incremental share at break-even", "盈亏平衡的增量比例"),
            Figure("shadow_price", self.split.shadow_price, "currency", "net margin of one more unit", "追加一元的净毛利"),
            Figure("paying_contacts", self.split.paying_contacts, "customers", "contacts that pay back", "可回本的触达数"),
            Figure("paying_cost", self.split.paying_cost, "currency", "cost of the contacts that pay back", "可回本触达的成本"),
        ]
        for tier in self.tiers:
            name, en, zh = f"tier.{tier.name}.", f", tier {tier.name}", f",{tier.name}层"
            found += [
                Figure(f"{name}size", tier.size, "customers", f"customers{en}", f"客户数{zh}"),
                Figure(f"{name}response", tier.response, "probability", f"mean response{en}", f"平均响应概率{zh}"),
                Figure(f"{name}held", tier.holdout, "customers", f"held out{en}", f"对照组{zh}"),
                *forecast_figures(name, tier.forecast, en, zh, level),
            ]
        for channel in self.channels:
            en, zh = f"response rate in the segment, {channel.type}", f"分群响应率,{channel.type}"
            found.append(
                Figure(f"channel.{channel.type}", channel.rate, "share", en, zh, channel.low, channel.high, level)
            )
        for prefix, part in (
            ("objective", self.objective),
            ("offer", self.offer),
            ("timing", self.timing),
            ("holdout", self.holdout),
            ("assumption", self.assumptions),
        ):
            found += [replace(figure, name=f"{prefix}.{figure.name}") for figure in part.figures()]
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a tier."""
        return [
            {key: value for key, value in asdict(tier).items() if key != "forecast"}
            | {"cost": tier.forecast.cost, "responders": tier.forecast.responders}
            | {"revenue": tier.forecast.revenue, "roi": tier.forecast.roi}
            for tier in self.tiers
        ]

    def export_rows(self) -> list[dict[str, str]]:
        """customer_id, tier and arm of every customer who is contacted or held out."""
        return [{"customer_id": c, "tier": tier, "arm": arm} for c, (tier, arm) in self.arms.items()]

    def to_dict(self) -> dict[str, Any]:
        """JSON form, without customer ids."""
        plain = asdict(replace(self, arms={}))
        del plain["arms"]
        for allocation in plain["split"]["allocations"]:
            del allocation["chosen"]
        plain["objective"]["reason"] = asdict(self.objective.reason) if self.objective.reason else None
        return _jsonable(plain)

    def to_markdown(self, language: str = "en") -> str:
        """The plan in words ('en' or 'zh')."""
        return render(self, language)


def plan_strategy(
    members: Sequence[str],
    goal: str | None,
    budget: float,
    features: pd.DataFrame,
    probabilities: Mapping[str, pd.Series],
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    exposures: pd.DataFrame,
    redemptions: pd.DataFrame,
    campaigns: pd.DataFrame,
    as_of: date,
    recommendations: Sequence[Mapping[str, Any]],
    assumptions: Assumptions | None = None,
) -> Strategy:
    """Plan a campaign for the members within `budget` (currency).

    probabilities: outcome -> probability by customer; `coupon_redeem_30d` and `purchase_30d` are needed,
    `purchase_30d:<category>` sharpens cross-selling. recommendations: rows with key, name and level, best
    first. Raises DefinitionError for an empty or tiny segment, an unknown goal, a budget that is not
    positive or too small, or figures that neither the data nor the assumptions hold.
    """
    taken = assumptions or Assumptions()
    inside = _check(members, budget, features)
    ours = features[inside]
    objective = choose_objective(goal, features, inside)
    response = measure_response(
        members, exposures, redemptions, campaigns, purchases, as_of, days=taken.horizon_days, level=taken.level
    )
    offer = make_offer(ours, purchases, items, as_of, recommendations, taken)
    channels = rank_channels(response, taken)
    channel = channels[0] if channels and taken.response_rate is None else None
    gain = next((change for change in response.spend if change.group == "all"), None)
    buyers = offered_buyers(offer, purchases, items, as_of, taken.horizon_days)
    expected = expect(objective.goal, ours, probabilities, channel, gain, offer, buyers, taken)
    tiers = _tiers(expected, offer, taken)
    split, holdout, arms = _choose(tiers, budget, objective.goal, expected, purchases, as_of, taken)
    plans, forecast = _plans(split, arms, expected, offer, taken)
    break_even = _break_even(forecast, taken)
    caveats = _caveats(objective.goal, channel, split, forecast, holdout, taken)
    return Strategy(
        objective=objective,
        as_of=as_of,
        size=len(ours),
        budget=float(budget),
        tiers=plans,
        offer=offer,
        channel=channel,
        channels=channels,
        gain=gain,
        timing=plan_timing(ours, purchases, as_of, taken),
        split=split,
        forecast=forecast,
        break_even=break_even,
        holdout=holdout,
        assumptions=taken,
        caveats=caveats,
        arms=arms,
    )


def _check(members: Sequence[str], budget: float, features: pd.DataFrame) -> np.ndarray:
    wanted = set(members)
    if not wanted:
        raise DefinitionError("The segment is empty; there is nobody to plan for.")
    if len(wanted) < MIN_SIZE:
        raise DefinitionError(f"A segment of {len(wanted)} is too small to plan for; it takes {MIN_SIZE} customers.")
    if not budget > 0 or not np.isfinite(budget):
        raise DefinitionError(f"The budget must be above 0, not {budget:g}.")
    inside = np.asarray(features.index.isin(list(wanted)))
    if int(inside.sum()) < len(wanted):
        raise DefinitionError(
            f"{len(wanted) - int(inside.sum())} of the {len(wanted)} members are not among the customers of "
            "the feature mart; take the members as of the same date."
        )
    return inside


def _tiers(expected: Expectation, offer: Offer, assumptions: Assumptions) -> list[Tier]:
    """Thirds of the members by response times gain, best first; one tier below three times the least size."""
    worth = expected.response * expected.gain
    gain = worth * assumptions.gross_margin * assumptions.incremental
    cost = assumptions.contact_cost + expected.response * offer.face_value
    order = np.argsort(-worth, kind="stable")
    names = TIERS if len(order) >= MIN_SIZE * len(TIERS) else ("all",)
    return [
        Tier(name, tuple(expected.customers[i] for i in part), gain[part], cost[part])
        for name, part in zip(names, np.array_split(order, len(names)), strict=True)
    ]


def _choose(
    tiers: list[Tier],
    budget: float,
    goal: Goal,
    expected: Expectation,
    purchases: pd.DataFrame,
    as_of: date,
    assumptions: Assumptions,
) -> tuple[BudgetSplit, Holdout, dict[str, tuple[str, str]]]:
    """Choose customers so that those contacted, the holdout left out, cost at most the budget."""
    pool = budget
    cost = {c: float(x) for tier in tiers for c, x in zip(tier.customers, tier.cost, strict=True)}
    while True:
        split = split_budget(tiers, pool, only_paying=assumptions.only_paying)
        strata = {c: a.tier for a in split.allocations for c in a.chosen}
        if len(strata) < MIN_SIZE:
            raise DefinitionError(_too_few(len(strata), budget, assumptions))
        metric = _metric(goal, expected, list(strata), purchases, as_of, assumptions)
        holdout = design_holdout(len(strata), metric, max_share=assumptions.max_holdout_share)
        if pool == budget:
            # What the holdout saves is spent on more customers.
            pool = budget * len(strata) / holdout.contact * 1.0000001
            continue
        arms = assign(strata, holdout.holdout / len(strata), assumptions.seed)
        spent = sum(cost[customer] for customer in arms.index[arms == "contact"])
        if spent <= budget:
            chosen = {c: (strata[c], str(arm)) for c, arm in arms.items()}
            return replace(split, budget=budget), holdout, chosen
        pool = max(pool * 0.995 * budget / spent, 1e-9)


def _too_few(contacts: int, budget: float, assumptions: Assumptions) -> str:
    if assumptions.only_paying:
        return (
            f"Only {contacts} contacts are expected to pay back under the assumptions; a plan takes {MIN_SIZE}. "
            "Set only_paying to false to plan all the same."
        )
    return f"The budget of {budget:g} pays for {contacts} contacts; a plan takes at least {MIN_SIZE}."


def _metric(
    goal: Goal,
    expected: Expectation,
    chosen: list[str],
    purchases: pd.DataFrame,
    as_of: date,
    assumptions: Assumptions,
) -> Metric:
    """What the arms are compared by. A coupon's use is none: customers held out get no coupon."""
    places = pd.Index(expected.customers).get_indexer(pd.Index(chosen))
    response, anyway = expected.response[places], expected.anyway[places]
    days = assumptions.horizon_days
    if goal in TRIP_GOALS or goal == "cross_sell":
        offered = goal == "cross_sell"
        return Metric(
            name="bought_offer" if offered else "bought",
            kind="share",
            unit="share",
            baseline=float(anyway.mean()),
            expected=float((response * (1 - anyway)).mean()) * assumptions.incremental,
            deviation=0.0,
            horizon_days=days,
            label_en=f"share who buy {'the offer ' if offered else ''}within {days} days",
            label_zh=f"{days}天内购买{'所推商品' if offered else ''}的占比",
        )
    timeline = Timeline(purchases)
    moments = pd.Series([pd.Timestamp(as_of)] * len(chosen))
    last = timeline.spend(pd.Series(chosen), moments, -days, 0)
    before = timeline.spend(pd.Series(chosen), moments, -2 * days, -days)
    varied = last.std() > 0 and before.std() > 0
    alike = float(np.corrcoef(last, before)[0, 1]) if varied else 0.0
    return Metric(
        name="spend_adjusted",
        kind="mean",
        unit="currency",
        baseline=float(last.mean()),
        expected=float((response * expected.gain[places]).mean()) * assumptions.incremental,
        # Adjusting for the spend before leaves 1 - r^2 of the variance (Deng et al. 2013, CUPED).
        deviation=float(last.std(ddof=1) * np.sqrt(1 - alike**2)),
        horizon_days=days,
        label_en=f"spend per customer in {days} days, adjusted for the {days} days before",
        label_zh=f"{days}天人均消费(按此前{days}天校正)",
    )


def _plans(
    split: BudgetSplit,
    arms: Mapping[str, tuple[str, str]],
    expected: Expectation,
    offer: Offer,
    assumptions: Assumptions,
) -> tuple[tuple[TierPlan, ...], Forecast]:
    index = pd.Index(expected.customers)
    contacted = {
        a.tier: index.get_indexer(pd.Index([c for c in a.chosen if arms[c][1] == "contact"], dtype=object))
        for a in split.allocations
    }
    forecasts = simulate(expected, contacted, offer.face_value, assumptions)
    # Tiers are thirds by response times gain, in the order of the allocations.
    order = np.argsort(-(expected.response * expected.gain), kind="stable")
    parts = np.array_split(order, len(split.allocations))
    plans = tuple(
        TierPlan(
            name=a.tier,
            size=a.size,
            response=float(expected.response[part].mean()),
            gain=float(expected.gain[part].mean()),
            chosen=a.contacts,
            contact=len(contacted[a.tier]),
            holdout=a.contacts - len(contacted[a.tier]),
            forecast=forecasts[a.tier],
        )
        for a, part in zip(split.allocations, parts, strict=True)
    )
    return plans, forecasts["total"]


def _break_even(forecast: Forecast, assumptions: Assumptions) -> float:
    margin = forecast.revenue * assumptions.gross_margin
    return assumptions.incremental * forecast.cost / margin if margin > 0 else float("inf")


def _caveats(
    goal: Goal,
    channel: Channel | None,
    split: BudgetSplit,
    forecast: Forecast,
    holdout: Holdout,
    assumptions: Assumptions,
) -> tuple[str, ...]:
    found = ["incremental_assumed", "one_horizon"]
    if channel is None:
        found.append("response_assumed")
    else:
        found.append("observational")
        if channel.exposures < assumptions.prior_exposures:
            found.append("few_exposures")
    if goal in TRIP_GOALS or goal == "cross_sell":
        found.append("independent")
    if forecast.net < 0:
        found.append("loss_expected")
    if not holdout.powered:
        found.append("underpowered")
    if forecast.cost < 0.95 * split.budget:
        found.append("budget_left")
    return tuple(found)


def forecast_figures(prefix: str, f: Forecast, en: str, zh: str, level: float) -> list[Figure]:
    """The numbers of a forecast, with their intervals at `level`."""
    numbers = (
        ("responders", f.responders, f.responders_interval, "customers", "expected responders", "预期响应客户数"),
        ("revenue", f.revenue, f.revenue_interval, "currency", "expected incremental revenue", "预期增量收入"),
        ("cost", f.cost, f.cost_interval, "currency", "expected cost", "预期成本"),
        ("net", f.net, f.net_interval, "currency", "expected net margin", "预期净毛利"),
        ("roi", f.roi, f.roi_interval, "ratio", "expected return on cost", "预期投资回报率"),
    )
    return [
        Figure(f"{prefix}contacts", f.contacts, "customers", f"customers contacted{en}", f"触达客户数{zh}"),
        *(
            Figure(f"{prefix}{name}", value, unit, f"{e}{en}", f"{z}{zh}", low, high, level)
            for name, value, (low, high), unit, e, z in numbers
        ),
        Figure(
            f"{prefix}chance_to_pay", f.chance_to_pay, "probability", f"chance to pay back{en}", f"回本概率{zh}"
        ),
    ]


def _jsonable(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [_jsonable(item) for item in value]
        case date():
            return value.isoformat()
        case float() if not np.isfinite(value):
            return None
        case _:
            return value
