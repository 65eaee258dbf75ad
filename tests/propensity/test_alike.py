"""What customers who buy the same products buy: against a plain computation, and where there is nothing to go by."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from propensity import alike
from propensity.alike import alike_activity

CUSTOMERS, ITEMS = 90, 25
LINES = np.random.default_rng(3).poisson(0.4, (CUSTOMERS, ITEMS))
PURCHASES = pd.DataFrame(
    [(f"c{who:02d}", f"i{item}", LINES[who, item]) for who, item in np.argwhere(LINES)],
    columns=["customer_id", "item_id", "lines"],
)
ACTIVITY = pd.DataFrame(
    {
        (60, "SOUP"): np.linspace(0, 3, CUSTOMERS),
        (60, "BEER"): np.sin(np.arange(CUSTOMERS)) + 1,
        (150, "SOUP"): np.linspace(4, 1, CUSTOMERS),
        (150, "BEER"): np.arange(CUSTOMERS) % 7,
    },
    index=pd.Index([f"c{who:02d}" for who in range(CUSTOMERS)], name="customer_id"),
)


def by_hand(nearest: int) -> pd.DataFrame:
    """The same with dense tables of every pair."""
    counts = PURCHASES.pivot(index="customer_id", columns="item_id", values="lines")
    counts = counts.reindex(ACTIVITY.index).fillna(0)
    buyers = (counts > 0).sum()
    counts = counts.loc[:, buyers >= 3]
    weighted = np.log1p(counts) * np.log(CUSTOMERS / buyers[buyers >= 3])
    unit = weighted.div(np.sqrt((weighted**2).sum(axis=1)), axis=0).to_numpy()
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, 0)
    weights = np.where(cosine >= np.sort(cosine, axis=1)[:, [-nearest]], cosine, 0) ** 2
    weights /= weights.sum(axis=1, keepdims=True)
    return pd.DataFrame(weights @ np.log1p(ACTIVITY.to_numpy()), ACTIVITY.index, ACTIVITY.columns)


def test_the_nearest_others_are_averaged_by_the_square_of_their_cosine() -> None:
    pd.testing.assert_frame_equal(
        alike_activity(PURCHASES, ACTIVITY), by_hand(alike.NEAREST), check_dtype=False, rtol=1e-4
    )


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = alike_activity(PURCHASES, ACTIVITY)
    monkeypatch.setattr(alike, "ROWS", 7)
    pd.testing.assert_frame_equal(alike_activity(PURCHASES, ACTIVITY), whole, rtol=1e-5)


def test_the_order_of_purchases_changes_nothing() -> None:
    turned = PURCHASES.iloc[::-1]
    pd.testing.assert_frame_equal(
        alike_activity(turned, ACTIVITY), alike_activity(PURCHASES, ACTIVITY), rtol=1e-4
    )


def test_somebodys_own_purchases_are_left_out() -> None:
    changed = ACTIVITY.copy()
    changed.loc["c05"] = 1000.0
    before, after = alike_activity(PURCHASES, ACTIVITY), alike_activity(PURCHASES, changed)
    pd.testing.assert_series_equal(after.loc["c05"], before.loc["c05"])
    assert (after.drop("c05") > before.drop("c05") + 1e-6).any(axis=1).sum() > alike.NEAREST / 2


def test_of_more_customers_a_drawn_part_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "REFERENCES", 20)
    drawn = alike_activity(PURCHASES, ACTIVITY)
    assert drawn.index.equals(ACTIVITY.index)
    logarithmic = np.log1p(ACTIVITY)
    assert ((drawn >= logarithmic.min() - 1e-5) & (drawn <= logarithmic.max() + 1e-5)).all(axis=None)
    chosen = np.random.default_rng(alike.SEED).choice(np.arange(CUSTOMERS), 20, replace=False)
    changed = ACTIVITY.copy()
    changed.iloc[np.setdiff1d(np.arange(CUSTOMERS), chosen)] = 1000.0
    pd.testing.assert_frame_equal(alike_activity(PURCHASES, changed), drawn)


def test_without_products_nobody_is_alike() -> None:
    found = alike_activity(PURCHASES.iloc[:0], ACTIVITY)
    assert (found == 0).all(axis=None)
    lone = alike_activity(PURCHASES[PURCHASES.customer_id != "c05"], ACTIVITY)
    assert (lone.loc["c05"] == 0).all()
    assert (lone.drop("c05") > 0).any(axis=1).all()


def test_without_customers_there_is_nothing() -> None:
    assert alike_activity(PURCHASES.iloc[:0], ACTIVITY.iloc[:0]).empty


def test_who_bought_only_what_has_no_category_is_left_out():
    """They have purchases and no activity."""
    more = pd.DataFrame([("x1", "i0", 1), ("x2", "i99", 2)], columns=PURCHASES.columns)
    found = alike_activity(pd.concat([PURCHASES, more]), ACTIVITY)
    pd.testing.assert_frame_equal(found, alike_activity(PURCHASES, ACTIVITY))
