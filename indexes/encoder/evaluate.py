"""How much frozen vectors know of what comes next: a linear head on each task, as RecSys Challenge 2025 does.

Vectors are made from purchases before `as_of`, labels from the `horizon` days after it. One ridge head for
every task is fitted on four fifths of the customers and judged on the last fifth, five times over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from indexes.behaviour import BehaviourVectors
from segments.errors import DataError

CATEGORIES, PRODUCTS = 30, 100
POPULAR_DAYS, ACTIVE_DAYS = 90, 60
LEAST = 10
"""Customers of either label that a task needs."""
LEAST_TASKS = {"churn": 1, "category": 1, "product": 2}
"""Tasks of each kind that an encoder is judged by; of one product there is no diversity."""
FOLDS, SEED, TOP = 5, 7, 10
PENALTIES = tuple(np.geomspace(1, 1e5, 11))


@dataclass(frozen=True)
class Tasks:
    """Labels (0/1, NaN where a customer is not judged) by customer, one column a task.

    churn: bought in the last 60 days, nothing in the horizon. category:, product:: bought it in the horizon;
    the 30 categories and 100 products with the most buyers in the 90 days before.
    """

    labels: pd.DataFrame
    popularity: pd.Series

    def of(self, kind: str) -> list[str]:
        """The names of one kind of task: churn, category or product."""
        return [name for name in map(str, self.labels) if name.split(":")[0] == kind]


@dataclass(frozen=True)
class Scores:
    """Mean AUROC of each kind of task; novelty and diversity of the ten products scored highest.

    novelty: 1 - mean share of the most popular product's buyers. diversity: entropy of the products given to
    all customers over that of a uniform choice.
    """

    churn: float
    category: float
    product: float
    novelty: float
    diversity: float

    @property
    def mean(self) -> float:
        """Of the three AUROCs."""
        return (self.churn + self.category + self.product) / 3


def tasks(purchases: pd.DataFrame, items: pd.DataFrame, as_of: date, horizon: int = 30) -> Tasks:
    """Tasks as of a date. Raises DataError when the data ends before the horizon, or holds too little to judge by."""
    start = pd.Timestamp(as_of)
    end = start + pd.Timedelta(days=horizon)
    if purchases["ts"].max() < end - pd.Timedelta(days=1):
        raise DataError(
            f"as_of: the data must reach {horizon} days beyond {as_of} for anything to be judged."
        )
    rows = purchases.assign(
        category=purchases["item_id"].map(pd.Series(items["category"].to_numpy(), index=items["item_id"]))
    )
    recent = rows[(rows["ts"] < start) & (rows["ts"] >= start - pd.Timedelta(days=POPULAR_DAYS))]
    active = rows.loc[
        (rows["ts"] < start) & (rows["ts"] >= start - pd.Timedelta(days=ACTIVE_DAYS)), "customer_id"
    ]
    later = rows[(rows["ts"] >= start) & (rows["ts"] < end)]
    customers = pd.Index(sorted(rows.loc[rows["ts"] < start, "customer_id"].unique()))
    back, judged = customers.isin(later["customer_id"]), customers.isin(active)
    labels: dict[str, np.ndarray] = {}
    if min((judged & back).sum(), (judged & ~back).sum()) >= LEAST:
        labels["churn"] = np.where(judged, (~back).astype(float), np.nan)
    popularity = {}
    for kind, column, count in (("category", "category", CATEGORIES), ("product", "item_id", PRODUCTS)):
        buyers = recent.groupby(column)["customer_id"].nunique().sort_values(ascending=False, kind="stable")
        for name, number in buyers.head(count).items():
            bought = customers.isin(later.loc[later[column] == name, "customer_id"])
            if LEAST <= bought.sum() <= len(bought) - LEAST:
                labels[f"{kind}:{name}"] = bought.astype(float)
                popularity[f"{kind}:{name}"] = float(number)
    found = Tasks(pd.DataFrame(labels, index=customers), pd.Series(popularity, dtype=float))
    for kind, least in LEAST_TASKS.items():
        if len(found.of(kind)) < least:
            raise DataError(
                f"{kind}: too few customers to judge an encoder by; of the {horizon} days from {as_of}, {least} such "
                f"outcome{'s' if least > 1 else ''} must have at least {LEAST} customers who did and {LEAST} who did not."
            )
    return found


def linear_head(vectors: BehaviourVectors, found: Tasks) -> pd.DataFrame:
    """Out-of-fold scores of every task (customers by tasks), by ridge regression on frozen vectors.

    Raises DataError where a customer of the tasks has none; others may have one, in any order.
    """
    rows = vectors.rows(list(found.labels.index))
    if len(rows) != len(found.labels):
        raise DataError("vectors: every customer of the tasks needs one.")
    matrix = vectors.matrix[rows]
    scores = pd.DataFrame(0.0, found.labels.index, found.labels.columns)
    for fitted, judged in KFold(FOLDS, shuffle=True, random_state=SEED).split(matrix):
        labels = found.labels.iloc[fitted]
        # Customers outside a task count as its average there: they pull the head in no direction.
        filled = labels.fillna(labels.mean())
        head = make_pipeline(StandardScaler(), RidgeCV(PENALTIES, alpha_per_target=True))
        head.fit(matrix[fitted], filled.to_numpy())
        # Less the fitted mean: it is low where the judged fifth's is high, which would push AUROC below chance.
        scores.iloc[judged] = head.predict(matrix[judged]) - filled.mean().to_numpy()
    return scores


def areas(scores: pd.DataFrame, found: Tasks) -> pd.Series:
    """AUROC of every task that `scores` has."""
    out = {}
    for name in map(str, scores):
        label = found.labels[name]
        known = label.notna()
        out[name] = float(roc_auc_score(label[known], scores.loc[known, name]))
    return pd.Series(out)


def score(scores: pd.DataFrame, found: Tasks) -> Scores:
    """Scores of what a head said of all tasks."""
    area = areas(scores, found)
    products = found.of("product")
    best = np.argsort(-scores[products].to_numpy(), axis=1)[:, : min(TOP, len(products))]
    popular = found.popularity[products].to_numpy() / found.popularity[products].max()
    share = np.bincount(best.ravel(), minlength=len(products)) / best.size
    entropy = -float((share[share > 0] * np.log(share[share > 0])).sum())
    return Scores(
        float(area["churn"]),
        float(area[found.of("category")].mean()),
        float(area[products].mean()),
        1 - float(popular[best].mean()),
        entropy / float(np.log(len(products))),
    )
