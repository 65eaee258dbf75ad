"""What contacting each member should bring, and by simulation how sure that is.

Response: the segment's response rate to the chosen kind of campaign, spread over the members in
proportion to their coupon propensity; to an offer that fits a member less than their best one, in
proportion to the fit. Gain of a response: for trip goals (win_back, retain) the usual
order value times the probability that the customer would not have come anyway; for cross_sell and
acquire_lookalikes the usual spend on the offer times the probability of not buying it anyway; for grow_basket and
activate_coupon the observed rise of responders' spend beyond that of non-responders. All of it times
the assumed incremental share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from campaigns.assumptions import Assumptions
from campaigns.goals import OFFER_GOALS, Goal
from campaigns.offer import Channel, Habits, Offer
from campaigns.response import SpendChange
from campaigns.uplift import Uplift
from segments.errors import DataError, DefinitionError, NotFoundError

COUPON = "coupon_redeem_30d"
PURCHASE = "purchase_30d"
TRIP_GOALS = ("win_back", "retain")


@dataclass(frozen=True)
class Expectation:
    """Per member (row, in the order of `customers`) and offer (column): arrays of shape (n, m).

    response: probability of responding when contacted. anyway: probability of the wanted purchase
    without contact. gain: revenue (currency) of a response, before the incremental share. gain_error:
    standard error of the mean gain as a share of it; rate, posterior: the response rate and the Beta
    parameters it is uncertain by.
    """

    customers: tuple[str, ...]
    response: np.ndarray
    anyway: np.ndarray
    gain: np.ndarray
    gain_error: float
    rate: float
    posterior: tuple[float, float]


@dataclass(frozen=True)
class Forecast:
    """Simulated outcome of contacting some customers: means with intervals (low, high).

    chance_to_pay: share of draws in which the margin covers the cost. roi is net margin over cost.
    """

    contacts: int
    responders: float
    responders_interval: tuple[float, float]
    revenue: float
    revenue_interval: tuple[float, float]
    cost: float
    cost_interval: tuple[float, float]
    net: float
    net_interval: tuple[float, float]
    roi: float
    roi_interval: tuple[float, float]
    chance_to_pay: float


def expect(
    goal: Goal,
    ours: pd.DataFrame,
    probabilities: Mapping[str, pd.Series],
    channel: Channel | None,
    spend: SpendChange | None,
    offers: Sequence[Offer],
    habits: Habits,
    assumptions: Assumptions,
    uplift: Uplift | None = None,
) -> Expectation:
    """What each member (row of `ours`) should bring by each offer.

    uplift: what contact causes in each customer; a member's gain is scaled by theirs over the members'
    mean, below 0 as 0. Raises NotFoundError for a missing outcome, DataError for members
    without a score, DefinitionError when neither past campaigns nor the assumptions tell the response
    rate or the gain, or the uplift is nowhere above 0.
    """
    # A shop without coupons has no model of them: who is likelier to buy is likelier to respond.
    score = _scores(probabilities, COUPON if COUPON in probabilities else PURCHASE, ours.index)
    rate, posterior = _rate(channel, assumptions)
    mean = float(score.mean())
    response = np.minimum(1.0, rate * score / mean) if mean > 0 else np.full(len(score), rate)
    anyway, gain, error = _gain(goal, ours, probabilities, spend, offers, habits, assumptions)
    if uplift is not None:
        gain = gain * _relative(uplift, ours.index)[:, None]
    return Expectation(
        tuple(ours.index), response[:, None] * habits.taste, anyway, gain, error, rate, posterior
    )


def _relative(uplift: Uplift, customers: pd.Index) -> np.ndarray:
    known = uplift.effects.reindex(customers)
    factor = known.fillna(known.mean()).clip(lower=0.0).to_numpy(float)
    if not np.nan_to_num(factor).sum() > 0:
        raise DefinitionError(
            f"The uplift of every member is 0 or below by {uplift.study.words[0]}: contact would gain nothing.",
            f"据{uplift.study.words[1]}，每名成员的增益都不大于0：触达不会带来收益。",
        )
    return factor / factor.mean()


def _scores(probabilities: Mapping[str, pd.Series], outcome: str, customers: pd.Index) -> np.ndarray:
    if outcome not in probabilities:
        known = ", ".join(sorted(probabilities)) or "none"
        raise NotFoundError(
            f"A plan needs the probabilities of '{outcome}'; given were: {known}.",
            f"方案需要“{outcome}”的概率；给出的有：{known}。",
        )
    scores = probabilities[outcome].reindex(customers)
    if scores.isna().any():
        raise DataError(
            f"{int(scores.isna().sum())} of {len(customers)} members have no score for '{outcome}'; "
            "score everyone as of the same date.",
            f"{len(customers)}名成员中有{int(scores.isna().sum())}名没有“{outcome}”的分数；请按同一日期为所有人评分。",
        )
    return scores.to_numpy(float)


def _rate(channel: Channel | None, assumptions: Assumptions) -> tuple[float, tuple[float, float]]:
    if channel is not None:
        return channel.rate, channel.posterior
    rate, weight = assumptions.response_rate, assumptions.prior_exposures
    if rate is None:
        raise DefinitionError(
            "No past campaign tells a response rate; set response_rate (0 to 1) in segassist.toml.",
            "没有以往活动能说明响应率；请在 segassist.toml 中设置 response_rate（0到1）。",
        )
    return rate, (rate * weight + 0.5, (1 - rate) * weight + 0.5)


def _gain(
    goal: Goal,
    ours: pd.DataFrame,
    probabilities: Mapping[str, pd.Series],
    spend: SpendChange | None,
    offers: Sequence[Offer],
    habits: Habits,
    assumptions: Assumptions,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Per member: probability of the purchase anyway, and gain of a response; relative error of the gain."""
    shape = habits.taste.shape
    come = np.broadcast_to(_scores(probabilities, PURCHASE, ours.index)[:, None], shape)
    if goal in TRIP_GOALS:
        basket = (
            ours["basket_value_365d"].fillna(ours["basket_value_365d"].median()).fillna(0.0).to_numpy(float)
        )
        spread = float(basket.std(ddof=1)) if shape[0] > 1 else 0.0
        error = spread / basket.mean() / shape[0] ** 0.5 if basket.mean() > 0 else 0.0
        return come, (1 - come) * basket[:, None], float(error)
    if goal in OFFER_GOALS:
        anyway = np.column_stack(
            [
                _scores(probabilities, f"{PURCHASE}:{offer.key}", ours.index)
                if f"{PURCHASE}:{offer.key}" in probabilities
                else np.full(shape[0], float(habits.recent[:, place].mean()))
                for place, offer in enumerate(offers)
            ]
        )
        return anyway, (1 - anyway) * [offer.spend for offer in offers], 0.0
    if assumptions.gain_per_response is not None:
        return come, np.full(shape, assumptions.gain_per_response), 0.0
    if spend is None:
        raise DefinitionError(
            "Past campaigns have too few responses to tell what one is worth; give gain_per_response in the "
            "assumptions.",
            "以往活动的响应太少，看不出一次响应值多少；请在假设中给出 gain_per_response。",
        )
    if spend.difference <= 0:
        raise DefinitionError(
            f"Responders of past campaigns did not spend more than others ({spend.difference:.2f} in "
            f"{spend.days} days); give gain_per_response in the assumptions to plan all the same.",
            f"以往活动的响应者并不比别人花得更多（{spend.days}天相差{spend.difference:.2f}）；"
            "仍要制定方案，请在假设中给出 gain_per_response。",
        )
    return come, np.full(shape, spend.difference), spend.error / spend.difference


def simulate(
    expectation: Expectation,
    groups: Mapping[str, tuple[np.ndarray, np.ndarray]],
    face_values: Sequence[float],
    assumptions: Assumptions,
) -> dict[str, Forecast]:
    """Forecast of contacting each group, given as (places of members, their offers), and all as 'total'.

    Uncertain in each draw: the response rate (Beta), the mean gain (normal), the incremental share
    (uniform over its range), and who responds (binomial). The first three are shared by all groups.
    """
    seed = int.from_bytes(hashlib.sha256(assumptions.seed.encode()).digest()[:8], "big")
    random = np.random.default_rng(seed)
    draws = assumptions.draws
    rate = random.beta(*expectation.posterior, draws) / expectation.rate
    worth = random.normal(1.0, expectation.gain_error, draws)
    share = random.uniform(*assumptions.incremental_share, draws)
    faces = np.asarray(face_values, float)
    drawn: dict[str, _Drawn] = {}
    for name, (places, offers) in groups.items():
        response, gain = expectation.response[places, offers], expectation.gain[places, offers]
        chance = float(response.mean()) if len(places) else 0.0
        weight = response / response.sum() if response.sum() > 0 else response
        responders = random.binomial(len(places), np.minimum(1.0, chance * rate))
        revenue = responders * float((weight * gain).sum()) * worth * share
        cost = len(places) * assumptions.contact_cost + responders * float((weight * faces[offers]).sum())
        drawn[name] = _Drawn(len(places), responders, revenue, cost)
    every = list(drawn.values())
    drawn["total"] = _Drawn(
        sum(part.contacts for part in every),
        np.sum([part.responders for part in every], axis=0),
        np.sum([part.revenue for part in every], axis=0),
        np.sum([part.cost for part in every], axis=0),
    )
    return {name: _forecast(part, assumptions) for name, part in drawn.items()}


class _Drawn(NamedTuple):
    """Contacts, and one value of each a draw."""

    contacts: int
    responders: np.ndarray
    revenue: np.ndarray
    cost: np.ndarray


def _forecast(drawn: _Drawn, assumptions: Assumptions) -> Forecast:
    contacts, responders, revenue, cost = drawn
    net = revenue * assumptions.gross_margin - cost
    roi = net / np.maximum(cost, 1e-9)

    def interval(values: np.ndarray) -> tuple[float, float]:
        tail = (1 - assumptions.level) / 2
        low, high = np.quantile(values, [tail, 1 - tail])
        return float(low), float(high)

    return Forecast(
        contacts=contacts,
        responders=float(np.mean(responders)),
        responders_interval=interval(responders),
        revenue=float(revenue.mean()),
        revenue_interval=interval(revenue),
        cost=float(np.mean(cost)),
        cost_interval=interval(cost),
        net=float(net.mean()),
        net_interval=interval(net),
        roi=float(roi.mean()),
        roi_interval=interval(roi),
        chance_to_pay=float((net > 0).mean()),
    )
