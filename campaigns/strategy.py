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

from campaigns.acquire import Acquisition
from campaigns.assign import assign
from campaigns.assumptions import Assumptions
from campaigns.budget import BudgetSplit, Candidates, split_budget
from campaigns.expect import TRIP_GOALS, Expectation, Forecast, expect, simulate
from campaigns.goals import OFFER_GOALS, Goal, choose_objective
from campaigns.mind import imbalances, tired
from campaigns.offer import Channel, Offer, make_offers, offer_habits, plan_timing, rank_channels
from campaigns.plan import Strategy, TierPlan
from campaigns.power import Holdout, Metric, design_holdout
from campaigns.response import measure_response
from campaigns.spend import Timeline
from campaigns.uplift import Uplift
from segments.catalogue import standard_catalogue
from segments.errors import DefinitionError

MIN_SIZE = 10
"""Smaller segments and smaller plans are not made: their figures would tell of single customers."""
TIERS = ("high", "middle", "low")
PROTECTED = tuple(feature.name for feature in standard_catalogue() if feature.group)
"""Attributes that every workspace knows and that fairness is watched for."""
SHARE_GOALS = (*TRIP_GOALS, *OFFER_GOALS)
"""Goals whose arms are compared by the share who buy; the others by spend."""


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
    uplift: Uplift | None = None,
    acquisition: Acquisition | None = None,
    protected: Sequence[str] = PROTECTED,
) -> Strategy:
    """Plan a campaign for the members within `budget` (currency).

    probabilities: outcome -> probability by customer; `purchase_30d` is needed, `coupon_redeem_30d` where the
    shop has coupons, `purchase_30d:<category>` sharpens cross-selling. recommendations: rows with key, name and level, best
    first. uplift: what contact causes in each customer, where a randomised test tells it.
    acquisition: how the members were found, where they are lookalikes of a segment. protected: features between whose
    values fairness is watched, where the feature mart has them.
    Raises DefinitionError for an empty or tiny segment, an unknown goal, a budget that is not positive or
    too small, or figures that neither the data nor the assumptions hold.
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
    offers = make_offers(ours, purchases, items, as_of, recommendations, taken)
    channels = rank_channels(response, taken)
    channel = channels[0] if channels and taken.response_rate is None else None
    gain = next((change for change in response.spend if change.group == "all"), None)
    habits = offer_habits(ours.index, offers, purchases, items, as_of, taken.horizon_days)
    expected = expect(objective.goal, ours, probabilities, channel, gain, offers, habits, taken, uplift)
    rested = ~tired(ours["campaigns_received_90d"], taken.max_contacts_90d).to_numpy()
    candidates = _candidates(expected, offers, rested, taken)
    split, holdout, arms = _choose(candidates, budget, objective.goal, expected, purchases, as_of, taken)
    plans, forecast = _plans(candidates, split, arms, expected, offers, taken)
    return Strategy(
        objective=objective,
        as_of=as_of,
        size=len(ours),
        budget=float(budget),
        tiers=plans,
        offers=offers,
        channel=channel,
        channels=channels,
        gain=gain,
        timing=plan_timing(ours, purchases, as_of, taken),
        split=split,
        forecast=forecast,
        break_even=_break_even(forecast, taken),
        holdout=holdout,
        left_alone=int((~rested).sum()),
        passed_over=imbalances(ours, arms, protected),
        uplift=None if uplift is None else uplift.study,
        acquisition=acquisition,
        assumptions=taken,
        caveats=_caveats(objective.goal, channel, split, forecast, holdout, taken, uplift, acquisition),
        arms=arms,
    )


def _check(members: Sequence[str], budget: float, features: pd.DataFrame) -> np.ndarray:
    wanted = set(members)
    if not wanted:
        raise DefinitionError(
            "The segment is empty; there is nobody to plan for.", "该分群是空的，没有可以计划的对象。"
        )
    if len(wanted) < MIN_SIZE:
        raise DefinitionError(
            f"A segment of {len(wanted)} is too small to plan for; it takes {MIN_SIZE} customers.",
            f"{len(wanted)}名客户的分群太小，无法制定方案；至少需要{MIN_SIZE}名。",
        )
    if not budget > 0 or not np.isfinite(budget):
        raise DefinitionError(
            f"The budget must be above 0, not {budget:g}.", f"预算必须大于0，而给的是{budget:g}。"
        )
    inside = np.asarray(features.index.isin(list(wanted)))
    if int(inside.sum()) < len(wanted):
        raise DefinitionError(
            f"{len(wanted) - int(inside.sum())} of the {len(wanted)} members are not among the customers of "
            "the feature mart; take the members as of the same date.",
            f"{len(wanted)}名成员中有{len(wanted) - int(inside.sum())}名不在特征表的客户中；请取同一日期的成员。",
        )
    return inside


def _candidates(
    expected: Expectation, offers: Sequence[Offer], rested: np.ndarray, assumptions: Assumptions
) -> Candidates:
    """Tiers are thirds of the members by response times gain (times uplift, where known), best first; one of a small
    segment."""
    worth = expected.response * expected.gain
    order = np.argsort(-worth.max(axis=1), kind="stable")
    names = TIERS if len(order) >= MIN_SIZE * len(TIERS) else ("all",)
    tier = np.empty(len(order), int)
    for place, part in enumerate(np.array_split(order, len(names))):
        tier[part] = place
    faces = np.array([offer.face_value for offer in offers])
    return Candidates(
        customers=expected.customers,
        tiers=names,
        tier=tier,
        offers=tuple(offer.name for offer in offers),
        gain=worth * assumptions.gross_margin * assumptions.incremental,
        cost=assumptions.contact_cost + expected.response * faces,
        allowed=rested,
        caps=dict(assumptions.tier_caps),
    )


def _choose(
    candidates: Candidates,
    budget: float,
    goal: Goal,
    expected: Expectation,
    purchases: pd.DataFrame,
    as_of: date,
    assumptions: Assumptions,
) -> tuple[BudgetSplit, Holdout, dict[str, tuple[str, str, str]]]:
    """Choose customers so that those contacted, the holdout left out, cost at most the budget."""

    spend = None if goal in SHARE_GOALS else _recent_spend(expected.customers, purchases, as_of, assumptions)

    def design(pool: float) -> tuple[BudgetSplit, Holdout]:
        split = split_budget(candidates, pool, only_paying=assumptions.only_paying)
        if split.contacts < MIN_SIZE:
            raise DefinitionError(*_too_few(split.contacts, budget, candidates, assumptions))
        places, offers = _places(candidates, split.choices())
        metric = _metric(goal, expected, places, offers, spend, assumptions)
        return split, design_holdout(split.contacts, metric, max_share=assumptions.max_holdout_share)

    split, holdout = design(budget)
    # What the holdout saves is spent on more customers.
    pool = budget * split.contacts / holdout.contact
    while True:
        split, holdout = design(pool)
        choices = split.choices()
        strata = {c: tier for c, (tier, _) in choices.items()}
        arms = assign(strata, holdout.holdout / len(strata), assumptions.seed)
        contacted = {c: choices[c] for c in arms.index[arms == "contact"]}
        places, offers = _places(candidates, contacted)
        spent = float(candidates.cost[places, offers].sum())
        if spent <= budget:
            chosen = {str(c): (*choices[str(c)], str(arm)) for c, arm in arms.items()}
            return replace(split, budget=budget), holdout, chosen
        pool *= 0.995 * budget / spent


def _places(candidates: Candidates, choices: Mapping[str, tuple[str, str]]) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each customer and their offer."""
    places = pd.Index(candidates.customers).get_indexer(pd.Index(list(choices), dtype=object))
    column = {name: place for place, name in enumerate(candidates.offers)}
    return places, np.array([column[offer] for _, offer in choices.values()], int)


def _too_few(
    contacts: int, budget: float, candidates: Candidates, assumptions: Assumptions
) -> tuple[str, str]:
    """Why there are too few to plan for, in English and Chinese."""
    rested = len(candidates.customers) if candidates.allowed is None else int(candidates.allowed.sum())
    if rested < MIN_SIZE:
        return (
            f"Only {rested} members had fewer than {assumptions.max_contacts_90d} contacts in 90 days; a plan takes "
            f"{MIN_SIZE}. Wait, or raise max_contacts_90d.",
            f"90天内触达少于{assumptions.max_contacts_90d}次的成员只有{rested}名；方案需要"
            f"{MIN_SIZE}名。请再等等，或调高 max_contacts_90d。",
        )
    if assumptions.only_paying:
        return (
            f"Only {contacts} contacts are expected to pay back under the assumptions; a plan takes "
            f"{MIN_SIZE}. Set only_paying to false to plan all the same.",
            f"按假设只有{contacts}次触达能收回成本；方案需要{MIN_SIZE}次。仍要制定方案，请把 only_paying 设为 false。",
        )
    return (
        f"The budget of {budget:g} pays for {contacts} contacts; a plan takes at least {MIN_SIZE}.",
        f"预算{budget:g}只够{contacts}次触达；方案至少需要{MIN_SIZE}次。",
    )


def _recent_spend(
    customers: Sequence[str], purchases: pd.DataFrame, as_of: date, assumptions: Assumptions
) -> np.ndarray:
    """Each customer's spend in the last horizon and in the one before it: shape (2, customers)."""
    timeline, days = Timeline(purchases), assumptions.horizon_days
    everyone = pd.Series(customers)
    moments = pd.Series([pd.Timestamp(as_of)] * len(everyone))
    return np.stack(
        [
            timeline.spend(everyone, moments, -days, 0),
            timeline.spend(everyone, moments, -2 * days, -days),
        ]
    )


def _metric(
    goal: Goal,
    expected: Expectation,
    places: np.ndarray,
    offers: np.ndarray,
    spend: np.ndarray | None,
    assumptions: Assumptions,
) -> Metric:
    """What the arms are compared by. A coupon's use is none: customers held out get no coupon.

    spend: of every customer, as `_recent_spend` gives it; None where a share who buy is compared.
    """
    response, anyway = expected.response[places, offers], expected.anyway[places, offers]
    days = assumptions.horizon_days
    if spend is None:
        offered = goal in OFFER_GOALS
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
    last, before = spend[:, places]
    varied = last.std() > 0 and before.std() > 0
    alike = float(np.corrcoef(last, before)[0, 1]) if varied else 0.0
    return Metric(
        name="spend_adjusted",
        kind="mean",
        unit="currency",
        baseline=float(last.mean()),
        expected=float((response * expected.gain[places, offers]).mean()) * assumptions.incremental,
        # Adjusting for the spend before leaves 1 - r^2 of the variance (Deng et al. 2013, CUPED).
        deviation=float(last.std(ddof=1) * np.sqrt(1 - alike**2)),
        horizon_days=days,
        label_en=f"spend per customer in {days} days, adjusted for the {days} days before",
        label_zh=f"{days}天人均消费（按此前{days}天校正）",
    )


def _plans(
    candidates: Candidates,
    split: BudgetSplit,
    arms: Mapping[str, tuple[str, str, str]],
    expected: Expectation,
    offers: Sequence[Offer],
    assumptions: Assumptions,
) -> tuple[tuple[TierPlan, ...], Forecast]:
    choices = split.choices()
    contacted = {
        name: _places(
            candidates, {c: o for c, o in choices.items() if o[0] == name and arms[c][2] == "contact"}
        )
        for name in candidates.tiers
    }
    forecasts = simulate(expected, contacted, [offer.face_value for offer in offers], assumptions)
    best = (expected.response * expected.gain).argmax(axis=1)
    plans = []
    for number, name in enumerate(candidates.tiers):
        part = np.flatnonzero(candidates.tier == number)
        chosen = [offer for tier, offer in choices.values() if tier == name]
        contacts = len(contacted[name][0])
        plans.append(
            TierPlan(
                name=name,
                size=len(part),
                response=float(expected.response[part, best[part]].mean()),
                gain=float(expected.gain[part, best[part]].mean()),
                chosen=len(chosen),
                contact=contacts,
                holdout=len(chosen) - contacts,
                offers=tuple((offer, chosen.count(offer)) for offer in candidates.offers if offer in chosen),
                forecast=forecasts[name],
            )
        )
    return tuple(plans), forecasts["total"]


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
    uplift: Uplift | None,
    acquisition: Acquisition | None,
) -> tuple[str, ...]:
    found = ["incremental_assumed", "one_horizon"]
    if uplift is None:
        found.append("uplift_unknown")
    if acquisition is not None:
        found.append("lookalikes_known")
        if acquisition.measured is None:
            found.append("lift_unmeasured")
        elif not acquisition.proven:
            found.append("lift_unproven")
    if channel is None:
        found.append("response_assumed")
    else:
        found.append("observational")
        if channel.exposures < assumptions.prior_exposures:
            found.append("few_exposures")
    if assumptions.discount is not None:
        found.append("discount_set")
    if goal in SHARE_GOALS:
        found.append("independent")
    if forecast.net < 0:
        found.append("loss_expected")
    if not holdout.powered:
        found.append("underpowered")
    if forecast.cost < 0.95 * split.budget:
        found.append("budget_left")
    return tuple(found)
