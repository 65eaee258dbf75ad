"""Model matrices: every customer and every (category, customer) in order, finite or missing, never infinite."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from propensity.alike import alike_activity
from propensity.dataset import category_matrix, customer_matrix, household
from segments.catalogue import standard_catalogue
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

CUT = date(2017, 10, 1)


@pytest.fixture(scope="module")
def tables(retailer: Path) -> Iterator[TrainingTables]:
    warehouse = Warehouse(retailer)
    yield TrainingTables(warehouse)
    warehouse.close()


@pytest.fixture(scope="module")
def customers(tables: TrainingTables) -> pd.DataFrame:
    return customer_matrix(tables.features(CUT), tables.extra(CUT), tables.catalogue)


@pytest.fixture(scope="module")
def activity(tables: TrainingTables) -> pd.DataFrame:
    return tables.category_activity(CUT)


@pytest.fixture(scope="module")
def alike(tables: TrainingTables, activity: pd.DataFrame) -> pd.DataFrame:
    return alike_activity(tables.item_purchases(CUT), activity)


def test_a_band_becomes_its_place_in_order(tables: TrainingTables, customers: pd.DataFrame) -> None:
    ages, levels = tables.features(CUT)["age"], standard_catalogue()["age"].levels
    known = ages.dropna()
    assert 0 < len(known) < len(ages)
    assert [levels[int(place)] for place in customers.loc[known.index, "age"]] == list(known)
    assert customers.loc[ages.isna(), "age"].isna().all()
    assert set(customers["has_children"].dropna()) == {0.0, 1.0}


def test_every_customer_has_a_row_of_finite_or_missing_numbers(
    tables: TrainingTables, customers: pd.DataFrame
) -> None:
    assert list(customers.index) == sorted(tables.features(CUT).index)
    assert (customers.dtypes == "float32").all()
    assert not np.isinf(customers.to_numpy()).any()


def test_an_infinite_ratio_is_missing(tables: TrainingTables) -> None:
    endless = tables.extra(CUT).assign(trip_endless=np.inf)
    assert customer_matrix(tables.features(CUT), endless, tables.catalogue)["trip_endless"].isna().all()


@pytest.mark.parametrize("categories", [("SOUP", "BEER"), ("CANDY",), ("BEER", "NEVER SOLD", "SOUP")])
def test_every_category_has_every_customer_in_order(
    tables: TrainingTables,
    customers: pd.DataFrame,
    activity: pd.DataFrame,
    alike: pd.DataFrame,
    categories: tuple[str, ...],
) -> None:
    panel = tables.category_panel(categories, CUT)
    matrix = category_matrix(customers, panel, activity, alike, categories, tables.catalogue)
    assert list(matrix.index) == [(category, who) for category in categories for who in customers.index]
    assert matrix.xs(categories[-1])["trip_rate"].equals(customers["trip_rate"])
    pd.testing.assert_frame_equal(
        matrix.loc[panel.index, list(panel)], panel.astype("float32"), check_dtype=False
    )
    assert matrix.drop(index=panel.index)["item_days"].isna().all()
    assert not np.isinf(matrix.to_numpy()).any()


def test_a_category_row_says_who_the_customer_is_as_far_as_the_workspace_knows(
    tables: TrainingTables, customers: pd.DataFrame, activity: pd.DataFrame, alike: pd.DataFrame
) -> None:
    panel = tables.category_panel(("SOUP", "BEER"), CUT)
    matrix = category_matrix(customers, panel, activity, alike, ("SOUP", "BEER"), tables.catalogue)
    assert customers["age"].nunique() > 1
    for category in ("SOUP", "BEER"):
        rows = matrix.xs(category)
        pd.testing.assert_frame_equal(rows[["age", "kids_count"]], customers[["age", "kids_count"]])
    unknown = customers.drop(columns=[name for name in household(tables.catalogue) if name in customers])
    columns = category_matrix(unknown, panel, activity, alike, ("SOUP", "BEER"), tables.catalogue)
    assert not set(household(tables.catalogue)) & set(columns)


def test_a_row_does_not_depend_on_which_other_categories_are_asked(
    tables: TrainingTables, customers: pd.DataFrame, activity: pd.DataFrame, alike: pd.DataFrame
) -> None:
    alone, among = (
        category_matrix(
            customers, tables.category_panel(names, CUT), activity, alike, names, tables.catalogue
        ).xs("BEER")
        for names in (("BEER",), ("SOUP", "BEER", "MILK"))
    )
    pd.testing.assert_frame_equal(alone, among)


def test_a_category_is_expected_by_its_share_of_visits_and_by_how_often_these_come(
    tables: TrainingTables, customers: pd.DataFrame, activity: pd.DataFrame, alike: pd.DataFrame
) -> None:
    panel = tables.category_panel(("SOUP",), CUT)
    rows = category_matrix(customers, panel, activity, alike, ("SOUP",), tables.catalogue).xs("SOUP")
    soup = panel.xs("SOUP")["item_decay_60"].reindex(customers.index).fillna(0)
    visits = customers["trip_decay_60"].fillna(0)
    share = (soup + 4 * soup.sum() / visits.sum()) / (visits + 4)
    for column, days in (("item_expected", 60), ("item_expected_recent", 21)):
        rate = customers[f"trip_decay_{days}"] / days / (1 - np.exp(-customers["trip_first"] / days))
        pd.testing.assert_series_equal(
            rows[column], 1 - (1 - share) ** (30 * rate), check_names=False, check_dtype=False, rtol=1e-4
        )
    bought = customers.index[customers["trip_first"].notna()]
    assert rows.loc[bought, "item_expected_ever"].between(0, 1).all()
    assert rows["item_expected_ever"].drop(bought).isna().all(), "of who never bought nothing is known"
    never = bought.intersection(soup.index[soup == 0])
    assert len(never)
    assert (rows.loc[never, "item_expected"] > 0).all(), "everyone's share stands behind their own"


def test_a_category_row_says_what_customers_with_the_same_products_buy(
    tables: TrainingTables, customers: pd.DataFrame, activity: pd.DataFrame, alike: pd.DataFrame
) -> None:
    names = ("BEER", "NEVER SOLD")
    panel = tables.category_panel(names, CUT)
    matrix = category_matrix(customers, panel, activity, alike, names, tables.catalogue)
    beer = matrix.xs("BEER")
    for column, days in (("alike_recent", 60), ("alike_lasting", 150)):
        pd.testing.assert_series_equal(
            beer.loc[alike.index, column], alike[days]["BEER"], check_names=False, check_dtype=False
        )
    assert matrix.xs("NEVER SOLD")[["alike_recent", "alike_lasting"]].isna().all(axis=None)
