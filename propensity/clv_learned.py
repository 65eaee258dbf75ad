"""The machine-learned rival of `clv`: LightGBM on how a customer bought, and both on weeks that neither has seen.

It needs a past as long as the horizon to learn from, so it cannot look further ahead than half the history; the
probability models can, which is why they serve and this one referees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import lightgbm as lgb
import numpy as np
import pandas as pd

from propensity.clv import (
    expected_transactions,
    expected_value,
    fit_bgnbd,
    fit_gamma_gamma,
    simulate,
    summarise,
    transactions_of,
)
from propensity.model import THREADS
from segments.errors import DataError

WINDOWS = (4, 8, 13, 26)
CUTS = 3
"""Training cuts, each half a horizon before the next; the last one's labels end at the test cut."""
HISTORY_WEEKS = 8
"""Weeks that a training cut must have behind it."""
ROUNDS = 150
RESAMPLES = 300
LEVEL = 0.95


@dataclass(frozen=True)
class HeldOut:
    """One method's error on held-out weeks, a customer. low, high: of the mean absolute error's difference to
    the constant rate, a bootstrap over customers; below 0 when the method is better."""

    method: str
    target: str
    mean_absolute_error: float
    correlation: float
    predicted: float
    actual: float
    low: float
    high: float


def behaviour(purchases: pd.DataFrame, cut: date) -> pd.DataFrame:
    """Columns that describe how each customer bought before `cut`, indexed by customer_id."""
    summary = summarise(purchases, cut)
    days = transactions_of(purchases[purchases["ts"] < pd.Timestamp(cut)])
    age = (pd.Timestamp(cut) - days["day"]).dt.days
    # One row a customer and day, in order of both.
    gaps = days.groupby("customer_id")["day"].diff().dt.days
    columns = {str(name): summary[name] for name in summary}
    columns["since"] = summary["age"] - summary["recency"]
    columns["rate"] = summary["frequency"] / (summary["age"] + 1)
    columns["first_value"] = days.groupby("customer_id")["value"].first()
    columns["gap_spread"] = gaps.groupby(days["customer_id"]).std()
    for weeks in WINDOWS:
        recent = days[age <= weeks * 7].groupby("customer_id")["value"]
        columns[f"count_{weeks}"] = recent.size().reindex(summary.index, fill_value=0)
        columns[f"spend_{weeks}"] = recent.sum().reindex(summary.index, fill_value=0.0)
    frame = pd.DataFrame(columns, index=summary.index)
    return frame.astype("float32")


def outcomes(purchases: pd.DataFrame, cut: date, weeks: int, customers: pd.Index) -> pd.DataFrame:
    """`transactions` and `value` of each customer in the `weeks` from `cut` on."""
    end = pd.Timestamp(cut) + pd.Timedelta(weeks=weeks)
    rows = purchases[(purchases["ts"] >= pd.Timestamp(cut)) & (purchases["ts"] < end)]
    groups = transactions_of(rows).groupby("customer_id")["value"]
    found = pd.DataFrame({"transactions": groups.size(), "value": groups.sum()})
    return found.reindex(customers).fillna(0.0)


def learned(purchases: pd.DataFrame, cut: date, weeks: int) -> pd.DataFrame:
    """The rival's `transactions` and `value` in the `weeks` from `cut` on, learned from before `cut` alone."""
    cuts = training_cuts(purchases["ts"].min().date(), cut, weeks)
    frames = [behaviour(purchases, each) for each in cuts]
    labels = [outcomes(purchases, each, weeks, frame.index) for each, frame in zip(cuts, frames, strict=True)]
    matrix, known, now = pd.concat(frames), pd.concat(labels), behaviour(purchases, cut)
    out = {}
    for target, objective in (("transactions", "poisson"), ("value", "tweedie")):
        parameters = {
            "objective": objective,
            "learning_rate": 0.04,
            "num_leaves": 8,
            "min_child_samples": 40,
            "lambda_l2": 5.0,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "num_threads": THREADS,
            "seed": 1,
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
        }
        data = lgb.Dataset(matrix.to_numpy(), known[target].clip(lower=0).to_numpy())
        model = lgb.train(parameters, data, ROUNDS)
        out[target] = np.asarray(model.predict(now.to_numpy(), num_threads=THREADS))
    return pd.DataFrame(out, index=now.index)


def training_cuts(first_day: date, cut: date, weeks: int) -> list[date]:
    """The cuts that the rival learns from. Raises DataError when the history is too short for one."""
    last = cut - timedelta(weeks=weeks)
    cuts = [last - k * timedelta(weeks=weeks) / 2 for k in range(CUTS)]
    able = [each for each in cuts if each >= first_day + timedelta(weeks=HISTORY_WEEKS)]
    if not able:
        raise DataError(
            f"weeks: {weeks} weeks ahead take {weeks + HISTORY_WEEKS} weeks of purchases to learn from; there are "
            f"{(cut - first_day).days // 7}.",
            f"weeks：预测{weeks}周需要{weeks + HISTORY_WEEKS}周的购买来学习，而这里有{(cut - first_day).days // 7}周。",
        )
    return able


def probabilistic(purchases: pd.DataFrame, cut: date, weeks: int) -> tuple[pd.DataFrame, np.ndarray]:
    """BG/NBD's and Gamma-Gamma's `transactions` and `value`, and what all customers may spend (draws)."""
    summary = summarise(purchases, cut)
    buying, worth = fit_bgnbd(summary), fit_gamma_gamma(summary)
    count = expected_transactions(buying, summary, weeks)
    table = pd.DataFrame({"transactions": count, "value": count * expected_value(worth, summary)})
    return table, simulate(buying, worth, summary, weeks)[1]


def constant_rate(purchases: pd.DataFrame, cut: date, weeks: int) -> pd.DataFrame:
    """The baseline: everyone goes on as they have since their first purchase."""
    summary = summarise(purchases, cut)
    count = summary["frequency"] / summary["age"].clip(lower=1.0) * weeks
    return pd.DataFrame({"transactions": count, "value": count * summary["value"].fillna(0.0)})


def held_out(actual: pd.DataFrame, methods: dict[str, pd.DataFrame], baseline: str) -> list[HeldOut]:
    """Compare predictions with what came, method by method."""
    random = np.random.default_rng(1)
    count = len(actual)
    weights = random.multinomial(count, np.full(count, 1 / count), size=RESAMPLES) / count
    found = []
    for target in ("transactions", "value"):
        truth = actual[target].to_numpy()
        errors = {name: np.abs(_aligned(table, actual, target) - truth) for name, table in methods.items()}
        for name, table in methods.items():
            predicted = _aligned(table, actual, target)
            differences = weights @ (errors[name] - errors[baseline])
            low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            correlation = float(np.corrcoef(predicted, truth)[0, 1])
            totals = (float(predicted.sum()), float(truth.sum()))
            found.append(
                HeldOut(
                    name, target, float(errors[name].mean()), correlation, *totals, float(low), float(high)
                )
            )
    return found


def _aligned(table: pd.DataFrame, actual: pd.DataFrame, target: str) -> np.ndarray:
    values: np.ndarray = table[target].reindex(actual.index).to_numpy(dtype="float64")
    return values
