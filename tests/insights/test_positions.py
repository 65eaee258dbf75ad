"""Planted effects of display positions are found beside busy weeks and the mailer, and what too few had is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from insights.positions import NAMES, position_effects

PLANTED = {"": 1.0, "display_front_end_cap": 2.0, "display_in_shelf": 1.0}
MAILER = "mailer_front_page_feature"


def cells(items: int = 40) -> pd.DataFrame:
    """30 weeks of 100 stores: whole weeks are good where end caps are many, and the mailer triples what is sold."""
    random = np.random.default_rng(4)
    rows = []
    for i in range(items):
        for week in range(30):
            good = 1 + 2 * (week % 3 == 0)
            many = 20 if good > 1 else 4
            for mailer, stores in (("", 60), (MAILER, 40)):
                shown = {"display_front_end_cap": many, "display_in_shelf": 8, "": stores - many - 8}
                for display, count in shown.items():
                    rate = 0.1 * good * PLANTED[display] * (3 if mailer else 1)
                    rows.append((f"i{i}", week, display, mailer, count, float(random.poisson(rate * count))))
    return pd.DataFrame(rows, columns=["item_id", "week", "display", "mailer", "stores", "units"])


def test_planted_factors_are_inside_narrow_intervals_greatest_first() -> None:
    effects = position_effects(cells()).effects
    assert [e.position for e in effects] == ["display_front_end_cap", "display_in_shelf"]
    for effect in effects:
        assert effect.low < PLANTED[effect.position] < effect.high
        assert effect.high / effect.low < 1.3
    assert effects[1].store_weeks == 40 * 30 * 2 * 8


def test_a_plain_comparison_would_credit_the_position_with_the_good_weeks() -> None:
    sold = cells().groupby("display")[["units", "stores"]].sum()
    rate = sold["units"] / sold["stores"]
    assert rate["display_front_end_cap"] / rate[""] > 2.4


def test_the_fit_is_that_of_a_regression_with_every_level() -> None:
    from sklearn.linear_model import PoissonRegressor

    table = cells(items=12)
    table = table[table["week"] < 4]
    levels = pd.get_dummies(table["item_id"] + table["week"].astype(str) + table["mailer"], dtype=float)
    inputs = np.column_stack([table["display"] == name for name in PLANTED if name] + [levels])
    whole = PoissonRegressor(alpha=1e-8, max_iter=5000, tol=1e-9)
    whole.fit(inputs, table["units"] / table["stores"], sample_weight=table["stores"])
    found = {e.position: np.log(e.factor) for e in position_effects(table).effects}
    assert found["display_front_end_cap"] == pytest.approx(whole.coef_[0], abs=2e-3)
    assert found["display_in_shelf"] == pytest.approx(whole.coef_[1], abs=2e-3)


def test_what_few_items_had_is_no_effect_and_no_store_without_one() -> None:
    table = cells()
    few = table["item_id"].isin([f"i{i}" for i in range(9)]) & (table["display"] == "display_in_shelf")
    table.loc[few, "display"] = "display_store_rear"
    table.loc[few, "units"] *= 100
    effects = {e.position: e for e in position_effects(table).effects}
    assert "display_store_rear" not in effects
    assert effects["display_front_end_cap"].low < 2 < effects["display_front_end_cap"].high
    assert position_effects(table[table["display"] == ""]).effects == ()


def test_figures_are_unique_and_bilingual() -> None:
    found = position_effects(cells())
    assert len({f.name for f in found.figures()}) == len(found.figures())
    assert all(f.label_en and f.label_zh for f in found.figures())
    assert all(row["words"] and row["words_zh"] for row in found.rows())
    assert len({words for words, _ in NAMES.values()}) == len(NAMES)
