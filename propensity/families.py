"""Families of models that may predict an outcome, simplest first, all fitted and calibrated in the same way.

A family learns on earlier cuts and is calibrated (Platt) on one later cut, which boosting also stops on; so a
margin, a vote and a probability become comparable, and no row is drawn at random into either.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from propensity.calibrate import fit as calibrate
from propensity.model import CUSTOMERS, PATIENCE, THREADS, Settings

LogOdds = Callable[[np.ndarray], np.ndarray]
Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], LogOdds]
"""(features, labels) of the earlier cuts, (features, labels) of the calibration cut; gives log-odds of a matrix."""
CERTAIN = 12.0
"""Log-odds are kept within this: a vote of all trees is not a certainty."""
SEED = 1


@dataclass(frozen=True)
class Family:
    """A declared family. fit: how it learns; None for the stack, which learns from the others."""

    name: str
    words: str
    fit: Fit | None


def _scikit(make: Callable[[], Any], scaled: bool) -> Fit:
    """A scikit-learn classifier after imputation and, where distances matter, ranks as normal scores: money and
    counts are so skewed that a plain scale lets a few customers speak for all."""

    def fit(features: np.ndarray, labels: np.ndarray, _held: np.ndarray, _known: np.ndarray) -> LogOdds:
        steps: list[Any] = [SimpleImputer(strategy="median", keep_empty_features=True)]
        if scaled:
            steps.append(
                QuantileTransformer(n_quantiles=100, output_distribution="normal", random_state=SEED)
            )
        # Few passes are how the network is kept from learning by heart, not a failure to converge.
        with (
            threadpool_limits(THREADS),
            warnings.catch_warnings(category=ConvergenceWarning, action="ignore"),
        ):
            model = make_pipeline(*steps, make()).fit(features, labels)
        if hasattr(model, "predict_proba"):
            return lambda matrix: _logit(model.predict_proba(matrix)[:, 1])
        return lambda matrix: np.clip(model.decision_function(matrix), -CERTAIN, CERTAIN)

    return fit


def boosted(settings: Settings) -> Fit:
    """LightGBM, stopped when the calibration cut's log loss no longer improves."""

    def fit(features: np.ndarray, labels: np.ndarray, held: np.ndarray, known: np.ndarray) -> LogOdds:
        data = lgb.Dataset(features, labels)
        model = lgb.train(
            settings.parameters() | {"metric": "binary_logloss"},
            data,
            settings.max_rounds,
            valid_sets=[lgb.Dataset(held, known, reference=data)],
            callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
        )
        return lambda matrix: np.asarray(model.predict(matrix, raw_score=True, num_threads=THREADS))

    return fit


FAMILIES = (
    Family("naive_bayes", "naive Bayes", _scikit(GaussianNB, scaled=True)),
    Family(
        "logistic",
        "logistic regression",
        _scikit(lambda: LogisticRegression(C=0.01, max_iter=1000), scaled=True),
    ),
    Family(
        "tree",
        "decision tree",
        _scikit(
            lambda: DecisionTreeClassifier(max_depth=6, min_samples_leaf=100, random_state=SEED), scaled=False
        ),
    ),
    Family("svm", "linear support vector machine", _scikit(lambda: LinearSVC(C=0.001), scaled=True)),
    Family(
        "forest",
        "random forest",
        _scikit(
            lambda: RandomForestClassifier(150, min_samples_leaf=20, n_jobs=THREADS, random_state=SEED),
            scaled=False,
        ),
    ),
    Family("lightgbm", "gradient boosting (LightGBM)", boosted(CUSTOMERS)),
    Family(
        "mlp",
        "neural network (two hidden layers)",
        _scikit(
            lambda: MLPClassifier((32, 16), alpha=1.0, batch_size=512, max_iter=15, random_state=SEED),
            scaled=True,
        ),
    ),
    Family("stack", "stack of all others", None),
)
"""In order of simplicity: of families that do equally well, the first is preferred."""


def sequence_family(kind: str, words: str) -> Family:
    """A frozen sequence encoder's vectors with a logistic regression; `compare` is given the vectors by `kind`."""
    fit = _scikit(lambda: LogisticRegression(C=0.01, max_iter=1000), scaled=True)
    return Family(kind, f"{words} on shopping days", fit)


Rows = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray], np.ndarray]
"""(features, labels) of the cuts to learn on, (features, labels) of the cut to calibrate on, features to test on."""


def fit_families(
    families: Sequence[Family],
    past: tuple[np.ndarray, np.ndarray],
    held: tuple[np.ndarray, np.ndarray],
    test: np.ndarray,
    done: Callable[[str], None] = lambda _name: None,
    others: Mapping[str, Rows] | None = None,
) -> dict[str, np.ndarray]:
    """Calibrated probabilities of the test rows by family.

    past, held: (features, labels) of the cuts to learn on and of the cut to calibrate on. `done` hears of each
    family as it ends. others: rows in place of these for families that see other columns, by name.
    """
    on_held, on_test, out = [], [], {}
    for family in families:
        if family.fit is None:
            continue
        seen, checked, asked = (others or {}).get(family.name, (past, held, test))
        log_odds = family.fit(*seen, *checked)
        raw = log_odds(checked[0])
        calibrator = calibrate("platt", raw, checked[1])
        out[family.name] = calibrator(log_odds(asked))
        on_held.append(_logit(calibrator(raw)))
        on_test.append(_logit(out[family.name]))
        done(family.words)
    for family in families:
        if family.fit is None:
            # Shrunk hard: the others say nearly the same, and the calibration cut is small.
            stack = LogisticRegression(C=0.1).fit(np.column_stack(on_held), held[1])
            out[family.name] = stack.predict_proba(np.column_stack(on_test))[:, 1]
            done(family.words)
    return out


def _logit(probability: np.ndarray) -> np.ndarray:
    edge = 1 / (1 + np.exp(CERTAIN))
    inside = np.clip(probability, edge, 1 - edge)
    return np.asarray(np.log(inside / (1 - inside)))
