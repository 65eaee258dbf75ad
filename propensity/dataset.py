"""Model matrices: float32 columns, rows are customers or (category, customer) pairs.

The pooled category matrix has, beside the customer's own history of the category, how lively the category
is, what the customer's other categories say about it (`near_*`) and what customers who buy the same products buy
(`alike_*`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from segments.features import Catalogue, FeatureType

HABITS = (
    "recency_days",
    "mean_gap_days",
    "overdue_ratio",
    "orders_30d",
    "orders_90d",
    "spend_30d",
    "spend_90d",
    "basket_lines_365d",
    "basket_value_90d",
    "categories_90d",
    "categories_365d",
    "products_365d",
    "stores_365d",
    "discount_rate_365d",
    "private_label_share_365d",
    "trip_rate",
    "trip_decay_21",
    "trip_decay_60",
    "trip_block_share_14",
    "trip_block_share_30",
    "trip_hazard_30",
    "trip_weeks_56",
    "trip_days_28",
    "trip_value_28",
    "trip_lines_28",
    "trip_overdue_median",
    "trip_gap_median",
    "trip_first",
)
"""What customers do, as the category model sees it."""
NEIGHBOURS = 10
PRIOR_VISITS = 4.0
"""A customer's share of visits with the category is drawn to everyone's as if they had made so many more."""
RIDGE = 0.5
"""Shrinkage of `near_expected`, in units of the number of customers (correlation scale)."""


def household(catalogue: Catalogue) -> tuple[str, ...]:
    """Who customers are, as far as the workspace knows: every attribute that the catalogue declares."""
    return tuple(feature.name for feature in catalogue if feature.attribute)


def customer_matrix(features: pd.DataFrame, extra: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Features and extra columns as float32; bands and known categories become their place in order."""
    columns = {}
    for name in features:
        known = catalogue.get(str(name))
        if known is not None and known.levels:
            places = {level: place for place, level in enumerate(known.levels)}
            columns[name] = features[name].map(places)
        elif known is not None and known.type is FeatureType.BOOLEAN:
            columns[name] = features[name].map({True: 1.0, False: 0.0})
        elif pd.api.types.is_numeric_dtype(features[name]):
            columns[name] = features[name]
    matrix = pd.DataFrame(columns, index=features.index).join(extra)
    return _finite(matrix).sort_index()


def category_matrix(
    customers: pd.DataFrame,
    panel: pd.DataFrame,
    activity: pd.DataFrame,
    alike: pd.DataFrame,
    categories: Sequence[str],
    catalogue: Catalogue,
) -> pd.DataFrame:
    """One row for every (category, customer), categories in the given order, customers as in `customers`.

    panel: `item_` columns by (category, customer_id); pairs without a purchase may be absent. alike: of the activity,
    `propensity.alike.alike_activity`.
    """
    index = pd.MultiIndex.from_product([categories, customers.index], names=["category", "customer_id"])
    history = panel.reindex(index)
    own = [*HABITS, *(name for name in household(catalogue) if name in customers)]
    matrix = pd.concat(
        [
            history,
            pd.DataFrame(np.tile(customers[own].to_numpy(), (len(categories), 1)), index, own),
            _shares(history, customers, len(categories)),
            _expected(history, customers, len(categories)),
            _liveliness(history, categories, len(customers)),
            _neighbours(activity.reindex(customers.index).fillna(0.0), index, categories),
            _alike(alike.reindex(customers.index).fillna(0.0), index, categories),
        ],
        axis=1,
    )
    return _finite(matrix)


def _shares(history: pd.DataFrame, customers: pd.DataFrame, copies: int) -> pd.DataFrame:
    def tiled(name: str) -> np.ndarray:
        return np.tile(customers[name].to_numpy(), copies)

    return pd.DataFrame(
        {
            "item_share_value": history["item_value"] / tiled("spend_lifetime"),
            "item_share_days": history["item_days"] / tiled("trip_days"),
            "item_share_days_56": history["item_days_56"] / tiled("trip_days_56"),
            "item_days_since_visit": history["item_recency"] - tiled("trip_recency"),
        }
    )


def _expected(history: pd.DataFrame, customers: pd.DataFrame, copies: int) -> pd.DataFrame:
    """The chance of the category in 30 days if visits come as lately, and each holds it as often as visits have.

    Shares of visits are shrunk to the category's own (an empirical Bayes estimate, beta prior of PRIOR_VISITS).
    """
    first = customers["trip_first"].to_numpy()
    columns = {}
    for name, bought, made, pace in (
        ("item_expected", "item_decay_60", "trip_decay_60", 60),
        ("item_expected_recent", "item_decay_60", "trip_decay_60", 21),
        ("item_expected_ever", "item_days", "trip_days", 60),
    ):
        days = history[bought].fillna(0.0).to_numpy().reshape(copies, -1)
        visits = customers[made].fillna(0.0).to_numpy()
        share = (days + PRIOR_VISITS * days.sum(1, keepdims=True) / visits.sum()) / (visits + PRIOR_VISITS)
        # A fading sum of one visit a day since the first is the most that could be.
        rate = customers[f"trip_decay_{pace}"].to_numpy() / (pace * (1 - np.exp(-first / pace)))
        columns[name] = (1 - (1 - share.clip(0, 1)) ** (30 * rate)).ravel()
    return pd.DataFrame(columns, history.index)


def _liveliness(history: pd.DataFrame, categories: Sequence[str], customers: int) -> pd.DataFrame:
    """How many buy the category, and how often: the same for all rows of a category."""

    def spread(values: pd.Series) -> np.ndarray:
        return np.repeat(values.reindex(list(categories)).to_numpy(), customers)

    groups = history.groupby(level="category", sort=False)
    buyers = groups["item_days"].count()
    recent = (history["item_days_28"] > 0).groupby(level="category", sort=False).mean()
    quarter = (history["item_days_112"] > 0).groupby(level="category", sort=False).mean()
    columns: dict[str, pd.Series] = {
        "category_buyers": buyers / customers,
        "category_buyers_28": recent,
        "category_buyers_112": quarter,
        "category_trend": recent / (quarter + 1e-6),
        "category_days": groups["item_days"].sum() / buyers.clip(lower=1),
        "category_gap": groups["item_gap_median"].median(),
    }
    return pd.DataFrame({name: spread(column) for name, column in columns.items()}, history.index)


def _neighbours(activity: pd.DataFrame, index: pd.MultiIndex, categories: Sequence[str]) -> pd.DataFrame:
    """What purchases of other categories say: the ten most correlated ones, and a ridge prediction.

    The ridge prediction of a column from all others is EASE (Steck, 2019, arXiv:1905.03375).
    """
    decays = sorted(activity.columns.unique(0))
    recent, lasting = (
        _standard(activity.xs(days, axis=1, level=0).to_numpy(dtype="float64")) for days in decays
    )
    names = list(activity.xs(decays[0], axis=1, level=0).columns)
    correlation = lasting.T @ lasting / len(lasting)
    inverse = np.linalg.inv(correlation + RIDGE * np.eye(len(names)))
    out = np.full((len(categories), len(activity), 3), np.nan, dtype="float32")
    for place, category in enumerate(categories):
        if category not in names:
            continue
        own = names.index(category)
        weights = correlation[own].clip(min=0)
        weights[own] = 0
        near = np.argsort(-weights, kind="stable")[:NEIGHBOURS]
        share = weights[near] / max(weights[near].sum(), 1e-9)
        others = -inverse[own] / inverse[own, own]
        others[own] = 0
        out[place] = np.column_stack([recent[:, near] @ share, lasting[:, near] @ share, lasting @ others])
    return pd.DataFrame(out.reshape(-1, 3), index, ["near_recent", "near_lasting", "near_expected"])


def _alike(alike: pd.DataFrame, index: pd.MultiIndex, categories: Sequence[str]) -> pd.DataFrame:
    """What customers who buy the same products buy of the category, lately and for longer."""
    columns = {}
    for name, days in zip(("alike_recent", "alike_lasting"), sorted(alike.columns.unique(0)), strict=True):
        wanted = pd.MultiIndex.from_product([[days], categories])
        columns[name] = alike.reindex(columns=wanted).to_numpy().T.ravel()
    return pd.DataFrame(columns, index)


def _standard(sums: np.ndarray) -> np.ndarray:
    values = np.log1p(sums)
    centred: np.ndarray = (values - values.mean(0)) / (values.std(0) + 1e-6)
    return centred


def _finite(matrix: pd.DataFrame) -> pd.DataFrame:
    return matrix.astype("float32").replace([np.inf, -np.inf], np.nan)
