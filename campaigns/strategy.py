"""The strategy of a campaign for one segment: objective, who, offer, channel, timing, budget, holdout.

Every number is computed from the tables handed over or is an assumption that the strategy returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from campaigns.assumptions import Assumptions
from campaigns.budget import BudgetSplit, Tier, split_budget
from campaigns.expect import TRIP_GOALS, Expectation, Forecast, expect, simulate
from campaigns.goals import Goal, choose_objective
from campaigns.offer import Channel, Offer, make_offer, offered_buyers, plan_timing, rank_channels
from campaigns.plan import Strategy, TierPlan
from campaigns.power import Holdout, Metric, design_holdout
from campaigns.response import measure_response
from campaigns.spend import Timeline
from segments.errors import DefinitionError

MIN_SIZE = 10
"""Smaller segments and smaller plans are not made: their figures would tell of single customers."""
TIERS = ("high", "middle", "low")


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
        members,
        exposures,
        redemptions,
        campaigns,
        purchases,
        as_of,
        days=taken.horizon_days,
        level=taken.level,
    )
    offer = make_offer(ours, purchases, items, as_of, recommendations, taken)
    channels = rank_channels(response, taken)
    channel = channels[0] if channels and taken.response_rate is None else None
    gain = next((change for change in response.spend if change.group == "all"), None)
    buyers = offered_buyers(offer, purchases, items, as_of, taken.horizon_days)
    expected = expect(objective.goal, ours, probabilities, channel, gain, offer, buyers, taken)
    tiers = _tiers(expected, offer, taken)
    split, holdout, arms = _choose(tiers, budget, objective.goal, expected, purchases, as_of, taken)
    plans, forecast = _plans(tiers, split, arms, expected, offer, taken)
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
        raise DefinitionError(
            f"A segment of {len(wanted)} is too small to plan for; it takes {MIN_SIZE} customers."
        )
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
    cost = {c: float(x) for tier in tiers for c, x in zip(tier.customers, tier.cost, strict=True)}

    def design(pool: float) -> tuple[BudgetSplit, Holdout]:
        split = split_budget(tiers, pool, only_paying=assumptions.only_paying)
        chosen = [c for a in split.allocations for c in a.chosen]
        if len(chosen) < MIN_SIZE:
            raise DefinitionError(_too_few(len(chosen), budget, assumptions))
        metric = _metric(goal, expected, chosen, purchases, as_of, assumptions)
        return split, design_holdout(len(chosen), metric, max_share=assumptions.max_holdout_share)

    split, holdout = design(budget)
    # What the holdout saves is spent on more customers.
    pool = budget * split.contacts / holdout.contact
    while True:
        split, holdout = design(pool)
        strata = {c: a.tier for a in split.allocations for c in a.chosen}
        arms = assign(strata, holdout.holdout / len(strata), assumptions.seed)
        spent = sum(cost[customer] for customer in arms.index[arms == "contact"])
        if spent <= budget:
            chosen = {str(c): (strata[str(c)], str(arm)) for c, arm in arms.items()}
            return replace(split, budget=budget), holdout, chosen
        pool *= 0.995 * budget / spent


def _too_few(contacts: int, budget: float, assumptions: Assumptions) -> str:
    if assumptions.only_paying:
        return (
            f"Only {contacts} contacts are expected to pay back under the assumptions; a plan takes "
            f"{MIN_SIZE}. Set only_paying to false to plan all the same."
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
    tiers: list[Tier],
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
    parts = [index.get_indexer(pd.Index(tier.customers, dtype=object)) for tier in tiers]
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
