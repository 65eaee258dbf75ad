"""Planted effects of display and mailer are found; confounded ones would not be, and the warning is there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from insights.placement import WARNING, placement_effect
from segments.errors import NotFoundError


def sales(mailer: float = 1.6, display: float = 1.0, items: int = 60) -> pd.DataFrame:
    """40 weeks; large items and good weeks are mailed more often, which a plain comparison would credit."""
    random = np.random.default_rng(8)
    size, season = np.geomspace(2, 60, items), 1 + 0.5 * np.sin(np.arange(40) / 6)
    rows = []
    for i in range(items):
        for week in range(40):
            mailed = random.random() < 0.1 + 0.3 * (i / items) + 0.2 * (season[week] > 1)
            shown = random.random() < 0.2
            mean = size[i] * season[week] * mailer**mailed * display**shown
            rows.append((f"i{i}", week, float(random.poisson(mean)), 0.3 * shown, 1.0 * mailed))
    return pd.DataFrame(rows, columns=["item_id", "week", "units", "display", "mailer"])


def test_the_planted_factor_is_inside_a_narrow_interval() -> None:
    table = sales()
    found = {e.position: e for e in placement_effect(table).effects}
    mailer = found["mailer"]
    assert mailer.low < 1.6 < mailer.high
    assert mailer.high - mailer.low < 0.2
    assert mailer.share == 1.0
    plain = table[table["mailer"] > 0]["units"].mean() / table[table["mailer"] == 0]["units"].mean()
    assert plain > mailer.high, "the plain comparison credits the mailer with large items and good weeks"
    assert found["display"].low < 1 < found["display"].high


def test_a_factor_is_of_the_usual_share_of_stores() -> None:
    display = {e.position: e for e in placement_effect(sales(1.0, 1.3)).effects}["display"]
    assert display.share == pytest.approx(0.3)
    assert display.low < 1.3 < display.high


def test_the_fit_is_that_of_a_regression_with_every_level() -> None:
    from sklearn.linear_model import PoissonRegressor

    table = sales(items=12)
    levels = pd.get_dummies(table[["item_id", "week"]].astype(str), dtype=float)
    inputs = np.column_stack([table[["display", "mailer"]], levels])
    whole = PoissonRegressor(alpha=1e-8, max_iter=5000, tol=1e-9).fit(inputs, table["units"])
    found = {e.position: e for e in placement_effect(table).effects}
    assert np.log(found["mailer"].factor) == pytest.approx(whole.coef_[1], abs=2e-3)


def test_nothing_to_compare_is_told() -> None:
    with pytest.raises(NotFoundError, match="9 items were sold; it takes 10"):
        placement_effect(sales(items=9))
    with pytest.raises(NotFoundError, match="no effect shows"):
        placement_effect(sales().assign(display=0.0, mailer=0.0))


def test_figures_are_unique_and_bilingual() -> None:
    figures = placement_effect(sales()).figures()
    assert len({f.name for f in figures}) == len(figures)
    assert all(f.label_en and f.label_zh for f in figures)
    assert all(WARNING)
