"""Demand forecasts on series whose future is known, intervals that cover, and stock that lasts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from insights.demand import DemandModel, Panel, category_demand, store_key, weekly_panel
from insights.forecasting import Forecasts, forecast, point_forecast, seasonal_naive, wape
from segments.errors import DataError, NotFoundError

if TYPE_CHECKING:
    from tests.insights.conftest import Slice

AS_OF = date(2024, 1, 1)


def noisy(weeks: int, series: int = 60) -> np.ndarray:
    """Poisson sales around levels of 5 to 200."""
    levels = np.geomspace(5, 200, series)
    return np.random.default_rng(5).poisson(levels[:, None], (series, weeks)).astype(float)


@pytest.fixture(scope="module")
def made() -> tuple[np.ndarray, Forecasts]:
    values = noisy(52)
    return values, forecast(values[:, :48], 4, origins=4)


def test_beats_last_week_where_there_is_only_noise(made: tuple[np.ndarray, Forecasts]) -> None:
    values, found = made
    after = values[:, 48:]
    assert wape(after, found.point) < 0.85 * wape(after, seasonal_naive(values[:, :48], 4))
    assert found.wape < 0.85 * found.naive_wape


def test_intervals_cover_what_came(made: tuple[np.ndarray, Forecasts]) -> None:
    values, found = made
    low, high = found.interval(0.9)
    assert (low >= 0).all()
    assert (low <= found.point).all()
    inside = (values[:, 48:] >= low) & (values[:, 48:] <= high)
    assert 0.84 < inside.mean() < 0.96
    assert 0.84 < found.coverage(0.9) < 0.95
    wide = found.interval(0.98)
    assert (wide[1] >= high).all()


def test_stock_and_shortfall_fit_together(made: tuple[np.ndarray, Forecasts]) -> None:
    _, found = made
    for series in (0, 30, 59):
        order = found.total_quantile(series, 4, 0.95)
        assert order > found.total(series, 4)
        assert found.shortfall(series, 4, order) == pytest.approx(0.05, abs=0.01)
        assert found.shortfall(series, 4, 0.0) > 0.99
        assert found.shortfall(series, 4, 10 * order) == 0.0


def test_seasonal_naive_by_hand() -> None:
    year = np.arange(104.0)[None]
    assert seasonal_naive(year, 3).tolist() == [[52.0, 53.0, 54.0]]
    assert seasonal_naive(year[:, :60], 3).tolist() == [[59.0] * 3]


def test_a_yearly_season_is_learned_from_three_years() -> None:
    weeks = np.arange(160)
    wave = 100 + 60 * np.sin(2 * np.pi * weeks / 52)
    values = np.random.default_rng(2).poisson(wave * np.geomspace(0.5, 2, 30)[:, None]).astype(float)
    after, before = values[:, 156:], values[:, :156]
    last = np.repeat(before[:, -13:].mean(axis=1)[:, None], 4, axis=1)
    assert wape(after, point_forecast(before, 4)) < wape(after, last)


def test_weeks_end_at_the_date_and_part_weeks_do_not_count() -> None:
    days = pd.Series(pd.date_range("2023-05-01", "2024-01-03", freq="D"))
    keys = pd.Series(["tea"] * len(days))
    panel = weekly_panel(days, keys, pd.Series(np.ones(len(days))), AS_OF)
    assert panel.values.shape == (1, 35), "245 days before the date; the two after it are not known"
    assert (panel.values == 7).all()
    assert panel.weeks(2) == (date(2024, 1, 1), date(2024, 1, 8))
    with pytest.raises(DataError, match="at least 30 weeks"):
        weekly_panel(days[-60:], keys[-60:], pd.Series(np.ones(60), days.index[-60:]), AS_OF)
    with pytest.raises(DataError, match="Nothing sells"):
        weekly_panel(days, keys, pd.Series(np.zeros(len(days))), AS_OF)


def test_demand_says_what_to_order(made: tuple[np.ndarray, Forecasts]) -> None:
    values, found = made
    keys = tuple(f"k{i}" for i in range(len(values)))
    model = DemandModel(Panel(AS_OF, keys, values[:, :48]), found)
    with_stock = model.demand("k30", stock=50)
    assert with_stock.reorder == pytest.approx(with_stock.order_up_to - 50)
    assert with_stock.risk is not None
    assert with_stock.risk > with_stock.risk_expected
    assert with_stock.low < with_stock.expected < with_stock.high
    assert with_stock.last == values[30, 44:48].sum()
    assert model.demand("k30").reorder is None
    assert model.demand("k30", stock=10_000).reorder == 0.0
    figures = with_stock.figures()
    assert len({f.name for f in figures}) == len(figures)
    assert all(f.label_en and f.label_zh for f in (*figures, *model.test_figures()))
    assert [row["start"] for row in with_stock.rows()][:2] == ["2024-01-01", "2024-01-08"]
    with pytest.raises(NotFoundError, match="k99: sells too little"):
        model.demand("k99")


def test_real_categories_and_stores(journey: Slice) -> None:
    frame = journey.purchases
    busiest = frame["channel"].value_counts().index[0]
    model = category_demand(frame, journey.items, journey.as_of, exclude=("FUEL",), origins=2)
    soup = model.demand("SOUP")
    assert 0.5 < soup.expected / soup.last < 2
    assert model.forecasts.wape < model.forecasts.naive_wape
    stores = category_demand(frame, journey.items, journey.as_of, stores=(busiest,), origins=1)
    assert all(key.endswith(f" @ {busiest}") for key in stores.panel.keys)
    assert stores.demand(store_key("FLUID MILK PRODUCTS", busiest)).expected > 0
