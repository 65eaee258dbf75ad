"""Families of models that may predict an outcome, simplest first, all fitted and calibrated in the same way.

A family learns on earlier cuts and is calibrated (Platt) on one later cut, which boosting also stops on; so a
margin, a vote and a probability become comparable, and no row is drawn at random into either.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
from scipy.special import logit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from propensity.calibrate import fit as calibrate
from propensity.learned import Bayes, Learned, Network, Trees, Weighted
from propensity.linear import Linear
from propensity.model import BLEND, BOOSTED, COUPONS, CUSTOMERS, PATIENCE, THREADS, Settings

Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], Learned]
"""(features, labels) of the earlier cuts, (features, labels) of the calibration cut."""
SEED = 1
STACK, SEARCHED = "stack", "lightgbm_searched"
TREES = {
    "objective": "binary",
    "max_bin": 127,
    "num_threads": THREADS,
    "seed": SEED,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
FOREST = TREES | {
    "boosting": "rf",
    "num_leaves": 255,
    "min_child_samples": 20,
    "bagging_fraction": 0.632,
    "bagging_freq": 1,
}
"""A random forest (Breiman, 2001): each tree sees 63.2 % of the rows, as many as a bootstrap sample has different ones,
and each split the square root of the columns. The first step of boosting on log loss splits as the Gini impurity does."""
FOREST_TREES = 150
TREE = TREES | {"num_leaves": 64, "max_depth": 6, "min_child_samples": 100, "learning_rate": 1.0}


@dataclass(frozen=True)
class Family:
    """A declared family. fit: how it learns; None for the stack, which learns from the others. settings: of those that
    boost, whose number of rounds a build chooses on several cuts (`propensity.model.train`). sequence: it sees nothing but
    the vectors of a sequence encoder of its name.
    """

    name: str
    words: str
    fit: Fit | None
    settings: Settings | None = None
    sequence: bool = False


def _plain(learn: Callable[[np.ndarray, np.ndarray], Learned]) -> Fit:
    """A family that has no use for the calibration cut."""

    def fit(features: np.ndarray, labels: np.ndarray, _held: np.ndarray, _known: np.ndarray) -> Learned:
        # Few passes are how the network is kept from learning by heart, not a failure to converge.
        with (
            threadpool_limits(THREADS),
            warnings.catch_warnings(category=ConvergenceWarning, action="ignore"),
        ):
            return learn(features, labels)

    return fit


def _forest(features: np.ndarray, labels: np.ndarray) -> Learned:
    columns = features.shape[1]
    drawn = {"feature_fraction_bynode": max(1.0, np.sqrt(columns)) / columns}
    return Trees(lgb.train(FOREST | drawn, lgb.Dataset(features, labels), FOREST_TREES), FOREST_TREES)


def _tree(features: np.ndarray, labels: np.ndarray) -> Learned:
    booster = lgb.train(TREE, lgb.Dataset(features, labels), 1)
    # One step of boosting leaves shares; a leaf that all or none did would be unsure of nothing without the half.
    place = np.asarray(booster.predict(features, pred_leaf=True, num_threads=THREADS)).ravel().astype(int)
    for leaf in np.unique(place):
        inside = labels[place == leaf]
        booster.set_leaf_output(0, int(leaf), float(logit((inside.sum() + 0.5) / (len(inside) + 1))))
    return Trees(booster, 1)


def _network(features: np.ndarray, labels: np.ndarray) -> Learned:
    batch = min(512, len(labels))
    model = MLPClassifier((32, 16), alpha=1.0, batch_size=batch, max_iter=15, random_state=SEED)
    return Network.fit(features, labels, model)


def boosted(settings: Settings) -> Fit:
    """LightGBM, stopped when the calibration cut's metric no longer improves, and beside it a logistic regression where
    the settings blend one in."""

    def fit(features: np.ndarray, labels: np.ndarray, held: np.ndarray, known: np.ndarray) -> Learned:
        data = lgb.Dataset(features, labels)
        model = lgb.train(
            settings.parameters(),
            data,
            settings.max_rounds,
            valid_sets=[lgb.Dataset(held, known, reference=data)],
            callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
        )
        return _blended(Trees(model, model.best_iteration), features, labels, settings)

    return fit


def _blended(trees: Trees, features: np.ndarray, labels: np.ndarray, settings: Settings) -> Learned:
    if not settings.linear:
        return trees
    line = Linear.fit(features, labels, THREADS)
    return Weighted((trees, line), (1 - settings.linear, settings.linear))


FAMILIES = (
    Family("naive_bayes", "naive Bayes", _plain(Bayes.fit)),
    Family("logistic", "logistic regression", _plain(lambda x, y: Linear.fit(x, y, THREADS, 0.01))),
    Family("tree", "decision tree", _plain(_tree)),
    Family("svm", "linear support vector machine", _plain(lambda x, y: Linear.margin(x, y, 0.001, SEED))),
    Family("forest", "random forest", _plain(_forest)),
    Family(BOOSTED, "gradient boosting (LightGBM)", boosted(CUSTOMERS), CUSTOMERS),
    Family(
        BLEND,
        "gradient boosting and, at half of the log-odds, logistic regression",
        boosted(COUPONS),
        COUPONS,
    ),
    Family("mlp", "neural network (two hidden layers)", _plain(_network)),
    Family(STACK, "stack of all others", None),
)
"""In order of simplicity: of families that do equally well, the first is preferred."""
ON_SEQUENCES = tuple(
    Family(kind, f"{words} on shopping days", FAMILIES[1].fit, sequence=True)
    for kind, words in (("lstm", "LSTM"), ("transformer", "Transformer"))
)
"""A logistic regression on the vectors of a frozen encoder: minutes of training, so only those who ask for them compare and
build them."""
NAMED = {family.name: family for family in (*FAMILIES, *ON_SEQUENCES)}


def searched(settings: Settings) -> Family:
    """LightGBM with settings that were searched for."""
    settings = replace(settings, family=BOOSTED)
    return Family(SEARCHED, "LightGBM with searched settings", boosted(settings), settings)


Labelled = tuple[np.ndarray, np.ndarray]
"""Features and labels of the same rows."""
Rows = tuple[Labelled, Labelled, np.ndarray]
"""The cuts to learn on, the cut to calibrate on, features to test on."""


def fit_families(
    families: Sequence[Family],
    past: Labelled,
    held: Labelled,
    test: np.ndarray,
    done: Callable[[str], None] = lambda _name: None,
    others: Mapping[str, Rows] | None = None,
) -> dict[str, np.ndarray]:
    """Calibrated probabilities of the test rows by family.

    past, held: (features, labels) of the cuts to learn on and of the cut to calibrate on. `done` hears of each
    family as it ends. others: rows in place of these for families that see other columns, by name; the stack is of
    those that see these.
    """
    members: list[Learned] = []
    out = {}
    for family in families:
        if family.fit is None:
            continue
        seen, checked, asked = (others or {}).get(family.name, (past, held, test))
        learned = family.fit(*seen, *checked)
        calibrator = calibrate("platt", learned.log_odds(checked[0]), checked[1])
        out[family.name] = calibrator(learned.log_odds(asked))
        if family in FAMILIES:
            members.append(learned)
        done(family.words)
    for family in families:
        if family.fit is None:
            learned = stack(members, *held)
            calibrator = calibrate("platt", learned.log_odds(held[0]), held[1])
            out[family.name] = calibrator(learned.log_odds(test))
            done(family.words)
    return out


def stack(members: Sequence[Learned], held: np.ndarray, known: np.ndarray) -> Weighted:
    """The members, calibrated on a later cut than they learned on, and weighted by a logistic regression there."""
    raw = np.column_stack([member.log_odds(held) for member in members])
    lines = [calibrate("platt", raw[:, place], known) for place in range(raw.shape[1])]
    slopes = np.array([line.slope for line in lines])
    offsets = np.array([line.offset for line in lines])
    # Shrunk hard: the members say nearly the same, and the calibration cut is small.
    found = LogisticRegression(C=0.1).fit(raw * slopes + offsets, known)
    weights = found.coef_[0]
    return Weighted(
        tuple(members), tuple((weights * slopes).tolist()), float(found.intercept_[0] + weights @ offsets)
    )


def fit_one(name: str, past: Labelled, held: Labelled) -> Learned:
    """What the family of that name learns on `past`; `held` is the later cut that stacking and boosting look at."""
    family = NAMED[name]
    if family.fit is not None:
        return family.fit(*past, *held)
    return stack([member.fit(*past, *held) for member in FAMILIES if member.fit], *held)


def fit_again(name: str, learned: Learned, features: np.ndarray, labels: np.ndarray) -> Learned:
    """The same on these rows: rounds and a stack's weights are those that were chosen before."""
    family = NAMED[name]
    if isinstance(learned, Weighted) and family.fit is None:
        names = [member.name for member in FAMILIES if member.fit]
        pairs = zip(names, learned.members, strict=True)
        return replace(learned, members=tuple(fit_again(n, each, features, labels) for n, each in pairs))
    if family.settings is not None:
        trees = learned.members[0] if isinstance(learned, Weighted) else learned
        rounds = trees.rounds if isinstance(trees, Trees) else family.settings.max_rounds
        booster = lgb.train(family.settings.parameters(), lgb.Dataset(features, labels), rounds)
        return _blended(Trees(booster, rounds), features, labels, family.settings)
    return fit_one(name, (features, labels), (features, labels))
