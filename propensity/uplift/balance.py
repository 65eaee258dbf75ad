"""Whether those who were treated can be compared with those who were not: overlap and covariate balance.

Weighting by the chance of treatment removes what the features know of the targeting, nothing else. So only a
randomised test is called causal, and only when its arms do look alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from propensity.uplift.learners import arm_weights

ALIKE = 0.1
"""A standardised mean difference below this is no imbalance worth a word (Austin, 2009)."""
OVERLAP = (0.1, 0.9)
"""Chances of treatment between which both arms have enough alike (Crump, Hotz, Imbens and Mitnik, 2009)."""
SHRINKAGE = 0.1
"""C of the logistic regression: with hundreds of correlated features a weaker one separates by noise."""
NOISE = 4.0
"""Randomised arms of n and m known values differ by chance: standard errors that the largest of many may reach."""


@dataclass(frozen=True)
class Balance:
    """How alike the arms are. differences: standardised mean differences by feature, largest first, columns
    `before` and `after` weighting, and `error`: the standard error of `before` where chance alone drew the arms.
    overlap: share of customers with a chance of treatment inside OVERLAP. targeting_auc: how well the features tell who
    was treated; 0.5 when treated at random.
    """

    randomised: bool
    treated: int
    others: int
    targeting_auc: float
    overlap: float
    differences: pd.DataFrame

    @property
    def largest_before(self) -> float:
        """The largest difference in size, as the campaign was sent."""
        return float(self.differences["before"].abs().max())

    @property
    def largest_after(self) -> float:
        """The largest difference in size after weighting."""
        return float(self.differences["after"].abs().max())

    @property
    def causal(self) -> bool:
        """Whether a difference between the arms may be called an effect: randomised, and it shows."""
        allowed = np.maximum(ALIKE, NOISE * self.differences["error"])
        return self.randomised and bool((self.differences["before"].abs() <= allowed).all())


def chance_model(features: pd.DataFrame, treated: np.ndarray) -> Pipeline:
    """The chance of treatment from features: a logistic regression."""
    model = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=SHRINKAGE, max_iter=2000),
    )
    return model.fit(features.to_numpy(dtype="float64"), treated)


def chances(features: pd.DataFrame, treated: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Each customer's chance of treatment by a model fitted on the other folds."""
    out = np.empty(len(treated))
    for each in np.unique(fold):
        held = fold == each
        model = chance_model(features[~held], treated[~held])
        out[held] = model.predict_proba(features[held].to_numpy(dtype="float64"))[:, 1]
    return out


def balance(features: pd.DataFrame, treated: np.ndarray, chance: np.ndarray, randomised: bool) -> Balance:
    """Compare the arms feature by feature. chance: of treatment, by models that did not see the customer."""
    weights = arm_weights(treated, chance)
    found = pd.DataFrame(
        {
            "before": _differences(features, treated, np.ones(len(treated))),
            "after": _differences(features, treated, weights),
            "error": _errors(features, treated),
        },
        index=features.columns,
    )
    order = found["before"].abs().sort_values(ascending=False, kind="stable").index
    low, high = OVERLAP
    return Balance(
        randomised,
        int(treated.sum()),
        int((treated == 0).sum()),
        float(roc_auc_score(treated, chance)),
        float(((chance >= low) & (chance <= high)).mean()),
        found.loc[order],
    )


def _errors(features: pd.DataFrame, treated: np.ndarray) -> np.ndarray:
    """sqrt(1 / n + 1 / m), n and m the known values of each arm; infinite where an arm has none."""
    known = features.notna().to_numpy()
    with np.errstate(divide="ignore"):
        return np.sqrt(1 / known[treated == 1].sum(axis=0) + 1 / known[treated == 0].sum(axis=0))


def _differences(features: pd.DataFrame, treated: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(mean of treated - mean of others) / pooled standard deviation, each over the known values.

    The deviation is the unweighted one before and after, so that the two are on one scale (Stuart, 2010).
    """
    out = []
    for name in features:
        values = features[name].to_numpy(dtype="float64")
        means, variances = [], []
        for arm in (1, 0):
            rows = (treated == arm) & np.isfinite(values)
            known = values[rows]
            means.append(np.average(known, weights=weights[rows]) if len(known) else np.nan)
            variances.append(known.var() if len(known) else np.nan)
        spread = np.sqrt(np.mean(variances))
        out.append((means[0] - means[1]) / spread if spread > 0 else 0.0)
    return np.nan_to_num(np.array(out))
