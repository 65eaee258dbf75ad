"""Model matrices: every customer and every (category, customer) in order, finite or missing, never infinite."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

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
    tables: TrainingTables, customers: pd.DataFrame, categories: tuple[str, ...]
) -> None:
    panel = tables.category_panel(categories, CUT)
    matrix = category_matrix(customers, panel, tables.category_activity(CUT), categories, tables.catalogue)
    assert list(matrix.index) == [(category, who) for category in categories for who in customers.index]
    assert matrix.xs(categories[-1])["trip_rate"].equals(customers["trip_rate"])
    pd.testing.assert_frame_equal(
        matrix.loc[panel.index, list(panel)], panel.astype("float32"), check_dtype=False
    )
    assert matrix.drop(index=panel.index)["item_days"].isna().all()
    assert not np.isinf(matrix.to_numpy()).any()


def test_a_category_row_says_who_the_customer_is_as_far_as_the_workspace_knows(
    tables: TrainingTables, customers: pd.DataFrame
) -> None:
    panel, activity = tables.category_panel(("SOUP", "BEER"), CUT), tables.category_activity(CUT)
    matrix = category_matrix(customers, panel, activity, ("SOUP", "BEER"), tables.catalogue)
    assert customers["age"].nunique() > 1
    for category in ("SOUP", "BEER"):
        rows = matrix.xs(category)
        pd.testing.assert_frame_equal(rows[["age", "kids_count"]], customers[["age", "kids_count"]])
    unknown = customers.drop(columns=[name for name in household(tables.catalogue) if name in customers])
    columns = category_matrix(unknown, panel, activity, ("SOUP", "BEER"), tables.catalogue)
    assert not set(household(tables.catalogue)) & set(columns)


def test_a_row_does_not_depend_on_which_other_categories_are_asked(
    tables: TrainingTables, customers: pd.DataFrame
) -> None:
    activity = tables.category_activity(CUT)
    alone, among = (
        category_matrix(customers, tables.category_panel(names, CUT), activity, names, tables.catalogue).xs(
            "BEER"
        )
        for names in (("BEER",), ("SOUP", "BEER", "MILK"))
    )
    pd.testing.assert_frame_equal(alone, among)
