"""A past campaign studied: what it changed, for whom, how far that may be believed, and who would respond next.

Every figure of the past is from models that did not see the customer it is about (five folds by customer).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from propensity.uplift.balance import Balance, balance, chances
from propensity.uplift.learners import LEARNERS, Effects, Study, treatment_weights, untreated_response
from propensity.uplift.measure import Measures, Policy, measure, policy_value
from segments.errors import DataError

FOLDS = 5
SEED = 1
LEARNER = "X"
"""Best of five on Hillstrom's women's e-mail together with the T-learner (eval/bench/uplift.py), and the better
founded of the two when few were treated."""
LEAST = 100
"""Customers that each arm must have, and a tenth of it that must and that must not have responded."""
WORTHWHILE = 0.01
"""An effect smaller than one response more of a hundred treated is called none."""
GROUPS = ("persuadable", "sure_thing", "lost_cause", "do_not_disturb")


@dataclass(frozen=True)
class CampaignStudy:
    """What a campaign did. customers: `effect` (change of the response probability by the treatment) and
    `untreated` (response probability without it), by customer_id.
    """

    balance: Balance
    measures: Measures
    policy: Policy
    customers: pd.DataFrame

    @property
    def tells_who(self) -> bool:
        """Whether the scores order customers by effect better than chance does."""
        return self.measures.qini.low > 0


def study_campaign(
    features: pd.DataFrame,
    treated: pd.Series,
    response: pd.Series,
    current: pd.DataFrame,
    randomised: bool = False,
    value: float = 1.0,
    cost: float = 0.0,
) -> CampaignStudy:
    """Learn from a campaign and score today's customers.

    features: what was known before it, by customer_id. treated, response: 0/1, indexed like it. current: the same
    columns as known today, of the customers to score. value: of one response; cost: of treating one customer, in the
    same unit: the policy treats whose effect is worth more than it costs. Raises DataError when too few were treated,
    left out, responded or did not.
    """
    arm, answer = treated.reindex(features.index).to_numpy(), response.reindex(features.index).to_numpy()
    _check(arm, answer)
    draft = Study(features.to_numpy(dtype="float32"), arm, answer, np.full(len(arm), arm.mean()))
    chance = chances(features, arm, folds(draft))
    balanced = balance(features, arm, chance, randomised)
    study = draft if randomised else Study(draft.features, arm, answer, chance)
    learner = LEARNERS[LEARNER]
    effects, weights = cross_fitted(study, learner), treatment_weights(study)
    now = current[list(features)].to_numpy(dtype="float32")
    scored = {"effect": learner(study)(now), "untreated": untreated_response(study)(now)}
    return CampaignStudy(
        balanced,
        measure(effects, arm, answer, weights),
        policy_value(effects, arm, answer, weights, value, cost),
        pd.DataFrame(scored, index=current.index),
    )


def group_shares(customers: pd.DataFrame) -> pd.DataFrame:
    """Each customer's probability of being persuadable, a sure thing, a lost cause, or better not disturbed.

    With p1 and p0 the probability of a response with and without treatment: min(p0, p1) respond anyway,
    1 - max(p0, p1) in no case, and the difference does because of the treatment, or fails to. That takes a
    treatment to move a customer in one direction only (monotone response; Pearl, 2009, section 9.2.3).
    """
    untreated = customers["untreated"].clip(0, 1)
    treated = (customers["untreated"] + customers["effect"]).clip(0, 1)
    return pd.DataFrame(
        {
            "persuadable": (treated - untreated).clip(lower=0),
            "sure_thing": np.minimum(treated, untreated),
            "lost_cause": 1 - np.maximum(treated, untreated),
            "do_not_disturb": (untreated - treated).clip(lower=0),
        },
        index=customers.index,
    )


def group_of(customers: pd.DataFrame, worthwhile: float = WORTHWHILE) -> pd.Series:
    """The group to treat each customer as: by the sign of an effect that is worthwhile, else by what they do
    without treatment. worthwhile: cost of a treatment over the value of a response."""
    effect, untreated = customers["effect"], customers["untreated"]
    conditions = [effect >= worthwhile, effect <= -worthwhile, untreated >= 0.5]
    names = np.select(conditions, ["persuadable", "do_not_disturb", "sure_thing"], "lost_cause")
    return pd.Series(names, index=customers.index, name="group")


def cross_fitted(study: Study, learner: Callable[[Study], Effects]) -> np.ndarray:
    """Effects of each customer from a learner fitted on the other folds."""
    fold = folds(study)
    out = np.empty(len(fold))
    for each in range(FOLDS):
        held = fold == each
        out[held] = learner(study.part(~held))(study.features[held])
    return out


def folds(study: Study) -> np.ndarray:
    """The fold (0..FOLDS-1) of each customer: equal shares of each arm and response, at random."""
    kinds = study.treated * 2 + study.response
    order = np.lexsort((np.random.default_rng(SEED).random(len(kinds)), kinds))
    fold = np.empty(len(kinds), dtype=int)
    fold[order] = np.arange(len(kinds)) % FOLDS
    return fold


def _check(treated: np.ndarray, response: np.ndarray) -> None:
    for arm, name in ((1, "reached"), (0, "left out")):
        inside = treated == arm
        count, responded = int(inside.sum()), int(response[inside].sum())
        if count < LEAST or min(responded, count - responded) < LEAST // 10:
            raise DataError(
                f"campaign: of the {count} customers {name}, {responded} responded; an uplift study needs at least "
                f"{LEAST} {name}, of whom {LEAST // 10} did and {LEAST // 10} did not.",
                f"campaign：{count}名{name}客户中有{responded}名响应；"
                f"增益研究至少需要{LEAST}名，其中至少各有{LEAST // 10}名响应和未响应。",
            )
