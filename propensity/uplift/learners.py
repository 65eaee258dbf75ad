"""Learners of uplift: the change of each customer's response that a treatment makes.

A learner is fitted on a study (who was treated, who responded) and gives a function from features to effects
(-1..1). All share one base model, so that they differ only in what they do with the treatment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from sklearn.tree import DecisionTreeRegressor

from propensity.model import THREADS

Effects = Callable[[np.ndarray], np.ndarray]
ROUNDS = 80
LEAF = 200
"""Least customers in a leaf; at most a twentieth of the study."""
TREE_LEAVES = 16
CHANCE_EDGE = 0.05
"""No treatment chance is taken as nearer than this to 0 or 1, so that no customer weighs more than 20."""


@dataclass(frozen=True)
class Study:
    """Customers of whom some were treated, and what they did then.

    features: float32 (customers, columns). treated, response: 0/1. chance: each customer's chance of being
    treated (the propensity score of Rosenbaum and Rubin, 1983): a constant in a randomised test.
    """

    features: np.ndarray
    treated: np.ndarray
    response: np.ndarray
    chance: np.ndarray

    def part(self, rows: np.ndarray) -> Study:
        """Some of the customers."""
        return Study(self.features[rows], self.treated[rows], self.response[rows], self.chance[rows])

    def clipped(self) -> np.ndarray:
        """The chance, kept away from 0 and 1."""
        return np.clip(self.chance, CHANCE_EDGE, 1 - CHANCE_EDGE)

    def transformed(self) -> np.ndarray:
        """The transformed outcome, whose mean given the features is the effect (Athey and Imbens, 2016)."""
        chance = self.clipped()
        return np.asarray(self.response * (self.treated - chance) / (chance * (1 - chance)))


def s_learner(study: Study) -> Effects:
    """One model that sees the treatment as a feature (Lo, 2002)."""
    with_treatment = np.column_stack([study.features, study.treated])
    model = _fit(with_treatment, study.response, "binary")

    def effects(features: np.ndarray) -> np.ndarray:
        ones = np.ones(len(features), dtype="float32")
        treated, untreated = (np.column_stack([features, ones * flag]) for flag in (1, 0))
        return _predict(model, treated) - _predict(model, untreated)

    return effects


def t_learner(study: Study) -> Effects:
    """Two models, of the treated and of the others (Hansotia and Rukstales, 2002)."""
    treated, untreated = _arms(study)
    return lambda features: _predict(treated, features) - _predict(untreated, features)


def x_learner(study: Study) -> Effects:
    """Effects imputed with the other arm's model, then learned (Kuenzel, Sekhon, Bickel and Yu, 2019)."""
    treated, untreated = _arms(study)
    is_treated = study.treated == 1
    gained = study.response - _predict(untreated, study.features)
    missed = _predict(treated, study.features) - study.response
    of_treated = _fit(study.features[is_treated], gained[is_treated], "regression")
    of_others = _fit(study.features[~is_treated], missed[~is_treated], "regression")
    share = float(study.clipped().mean())

    def effects(features: np.ndarray) -> np.ndarray:
        return share * _predict(of_others, features) + (1 - share) * _predict(of_treated, features)

    return effects


def transformed_outcome(study: Study) -> Effects:
    """A regression of the transformed outcome (class transformation, Jaskowski and Jaroszewicz, 2012)."""
    model = _fit(study.features, study.transformed(), "regression")
    return lambda features: _predict(model, features)


def dr_learner(study: Study) -> Effects:
    """A regression of doubly robust effects: right when either the responses or the chances of treatment are
    well modelled (Kennedy, 2023, arXiv:2004.14497)."""
    treated, untreated = (_predict(model, study.features) for model in _arms(study))
    own = np.where(study.treated == 1, treated, untreated)
    signed = np.where(study.treated == 1, 1.0, -1.0) * treatment_weights(study)
    model = _fit(study.features, treated - untreated + signed * (study.response - own), "regression")
    return lambda features: _predict(model, features)


def uplift_tree(study: Study) -> Effects:
    """A tree of the transformed outcome whose leaves hold the weighted difference of the arms.

    Splits that separate means of the transformed outcome separate effects (Athey and Imbens, 2016).
    """
    features = np.nan_to_num(study.features, nan=-1.0)
    least = min(2 * LEAF, max(20, len(features) // 10))
    tree = DecisionTreeRegressor(max_leaf_nodes=TREE_LEAVES, min_samples_leaf=least, random_state=1)
    tree.fit(features, study.transformed())
    leaves, weights = tree.apply(features), treatment_weights(study)
    values = {leaf: _difference(study, weights, leaves == leaf) for leaf in np.unique(leaves)}
    return lambda new: np.array([values[leaf] for leaf in tree.apply(np.nan_to_num(new, nan=-1.0))])


def treatment_weights(study: Study) -> np.ndarray:
    """One over the chance of the arm that a customer is in (inverse probability weights)."""
    return arm_weights(study.treated, study.chance)


def arm_weights(treated: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """One over the chance of each customer's arm, that chance kept away from 0."""
    clipped = np.clip(chance, CHANCE_EDGE, 1 - CHANCE_EDGE)
    return np.asarray(np.where(treated == 1, 1 / clipped, 1 / (1 - clipped)))


LEARNERS: dict[str, Callable[[Study], Effects]] = {
    "S": s_learner,
    "T": t_learner,
    "X": x_learner,
    "transformed outcome": transformed_outcome,
    "doubly robust": dr_learner,
    "uplift tree": uplift_tree,
}


def untreated_response(study: Study) -> Effects:
    """The probability of a response without treatment, by features, from the untreated alone."""
    arm = study.treated == 0
    model = _fit(study.features[arm], study.response[arm], "binary")
    return lambda features: _predict(model, features)


def _arms(study: Study) -> tuple[lgb.Booster, lgb.Booster]:
    arms = (study.treated == 1, study.treated == 0)
    treated, untreated = (_fit(study.features[arm], study.response[arm], "binary") for arm in arms)
    return treated, untreated


def _difference(study: Study, weights: np.ndarray, rows: np.ndarray) -> float:
    means = []
    for arm in (1, 0):
        inside = rows & (study.treated == arm)
        # A leaf without one of the arms says nothing of the effect.
        if not inside.any():
            return 0.0
        means.append(np.average(study.response[inside], weights=weights[inside]))
    return float(means[0] - means[1])


def _fit(features: np.ndarray, target: np.ndarray, objective: str) -> lgb.Booster:
    parameters = {
        "objective": objective,
        "learning_rate": 0.05,
        "num_leaves": 6,
        "min_child_samples": min(LEAF, max(10, len(features) // 20)),
        "feature_fraction": 0.7,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 10.0,
        "num_threads": THREADS,
        "seed": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    return lgb.train(parameters, lgb.Dataset(features.astype("float32"), target), ROUNDS)


def _predict(model: lgb.Booster, features: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(features.astype("float32"), num_threads=THREADS))
