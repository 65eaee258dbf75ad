"""Made-up behaviour at any size, the same for the same seed: to try the product, and for benchmarks of scale.

Few customers do most and few items sell most (power laws), evenings and weekends are busy, visits come in
sessions, and an add to cart is rarer than a view and a purchase rarer still. Every value follows from a hash
of the seed, the row and the field, so parts can be made in any order.
"""

from __future__ import annotations

from pathlib import Path

from segments.ports import Progress, silent
from warehouse.connection import scratch

PART = 5_000_000
"""Events in one Parquet file."""
KINDS = ("view", "add_to_cart", "purchase", "return", "coupon_redeem")
MAPPING = """name = "Synthetic shop"
currency = "$"

[[events]]
files = ["events"]
type = { column = "type", values = { VALUES } }
customer = "customer"
time = "ts"
item = "item"
order = "order_no"
session = "session"
quantity = "quantity"
value = "value"
channel = "channel"

[[items]]
files = ["items.parquet"]
item = "item"
name = "name"
category = "category"
department = "department"
brand = "brand"
"""


def generate(
    folder: Path,
    customers: int,
    events: int,
    seed: int = 1,
    items: int = 5_000,
    days: int = 365,
    progress: Progress = silent,
) -> Path:
    """Write events/*.parquet, items.parquet and mapping.toml; return the mapping's path."""
    (folder / "events").mkdir(parents=True, exist_ok=True)
    connection = scratch(folder / "events")
    connection.execute(f"COPY ({_items(seed, items)}) TO '{folder / 'items.parquet'}' (FORMAT parquet)")
    parts = max(1, -(-events // PART))
    for part in range(parts):
        progress(part / parts, f"events, part {part + 1} of {parts}")
        first, last = part * PART, min(events, (part + 1) * PART)
        query = _events(seed, first, last, customers, items, days)
        connection.execute(
            f"COPY ({query}) TO '{folder / 'events' / f'part{part:04d}.parquet'}' (FORMAT parquet)"
        )
    path = folder / "mapping.toml"
    values = ", ".join(f'{kind} = "{kind}"' for kind in KINDS)
    path.write_text(MAPPING.replace("VALUES", values), encoding="utf-8")
    progress(1.0, "generated")
    return path


def _u(seed: int, field: str, row: str = "i") -> str:
    """SQL of a number in [0, 1) that follows from the seed, the field and the row."""
    return f"(hash({row}, '{field}', {seed}) / 18446744073709551616.0)"


def _items(seed: int, items: int) -> str:
    return f"""
        SELECT 'p' || i AS item, 'PRODUCT ' || i AS name, 'CATEGORY ' || (i % 120) AS category,
               'DEPARTMENT ' || (i % 12) AS department,
               CASE WHEN {_u(seed, "brand")} < 0.3 THEN 'Private' ELSE 'National' END AS brand
        FROM range({items}) t(i)"""


def _events(seed: int, first: int, last: int, customers: int, items: int, days: int) -> str:
    kind = _u(seed, "kind")
    return f"""
        WITH drawn AS (
            SELECT i, floor({customers} * pow({_u(seed, "who")}, 1.6))::BIGINT AS who,
                   floor({days} * {_u(seed, "day")})::INTEGER AS day,
                   -- Two draws averaged lean towards the evening, as shops' hours do.
                   floor(8 + 7 * ({_u(seed, "hour")} + {_u(seed, "hour2")}))::INTEGER AS hour,
                   floor(3600 * {_u(seed, "second")})::INTEGER AS second,
                   floor({items} * pow({_u(seed, "item")}, 2.2))::INTEGER AS product,
                   CASE WHEN {kind} < 0.58 THEN 'view' WHEN {kind} < 0.72 THEN 'add_to_cart'
                        WHEN {kind} < 0.97 THEN 'purchase' WHEN {kind} < 0.98 THEN 'return'
                        ELSE 'coupon_redeem' END AS type
            FROM range({first}, {last}) t(i))
        SELECT 'c' || who AS customer,
               TIMESTAMP '2024-01-01' + to_days(day) + to_hours(hour % 24) + to_seconds(second) AS ts,
               type, 'p' || product AS item,
               CASE WHEN type IN ('purchase', 'return') THEN who || '-' || day END AS order_no,
               who || '-' || day || '-' || (hour // 4) AS session,
               (1 + floor(-ln(1 - {_u(seed, "quantity")})))::DOUBLE AS quantity,
               CASE WHEN type IN ('purchase', 'return')
                    THEN round((1 + 30 * pow({_u(seed, "price", "product")}, 3))
                               * (1 + floor(-ln(1 - {_u(seed, "quantity")}))), 2) ELSE 0 END AS value,
               CASE WHEN {_u(seed, "channel", "who")} < 0.6 THEN 'web' ELSE 'store' END AS channel
        FROM drawn"""
