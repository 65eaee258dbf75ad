"""Shared fixtures: the demo workspace (built by `make build`) and a small generated warehouse."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from warehouse.store import Warehouse, build

# A test says what must hold, not how fast: on a busy machine any example may take long.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "workspaces" / "demo"

CATEGORIES = ["SOUP", "BEER", "MILK", "CANDY"]
DEPARTMENTS = {"SOUP": "GROCERY", "BEER": "GROCERY", "MILK": "DAIRY", "CANDY": "DRUG GM"}


def small_source(seed: int = 7, customers: int = 60) -> dict[str, pd.DataFrame]:
    """Random but real-looking raw tables: purchases over a year, exposures, redemptions, demographics."""
    rng = np.random.default_rng(seed)
    last = datetime(2017, 12, 31, 18)
    items = pd.DataFrame(
        [
            {
                "item_id": f"i{n}",
                "department": DEPARTMENTS[CATEGORIES[n % 4]],
                "category": CATEGORIES[n % 4],
                "brand": "Private" if n % 3 == 0 else "National",
                "name": f"{CATEGORIES[n % 4]} KIND {n}",
            }
            for n in range(12)
        ]
    )
    rows = []
    for customer in range(customers):
        for order in range(int(rng.integers(1, 12))):
            when = last - timedelta(days=int(rng.integers(0, 360)), hours=int(rng.integers(0, 14)))
            for _ in range(int(rng.integers(1, 4))):
                value = round(float(rng.gamma(2, 6)), 2)
                rows.append(
                    (
                        str(customer),
                        when,
                        "purchase",
                        f"i{rng.integers(0, 12)}",
                        f"o{customer}-{order}",
                        None,
                        float(rng.integers(1, 4)),
                        value,
                        round(value * 0.1, 2),
                        f"s{rng.integers(0, 3)}",
                        None,
                    )
                )
        for kind, chance in (("exposure", 0.5), ("coupon_redeem", 0.3)):
            if rng.random() < chance:
                when = last - timedelta(days=int(rng.integers(0, 200)))
                rows.append((str(customer), when, kind, None, None, None, 1.0, 0.0, 0.0, "mail", "1"))
    rows.append(("0", last, "purchase", "i0", "o-last", None, 1.0, 5.0, 0.0, "s0", None))
    columns = [
        "source_id",
        "ts",
        "type",
        "item_id",
        "order_id",
        "session_id",
        "quantity",
        "value",
        "discount",
        "channel",
        "campaign_id",
    ]
    known = [str(c) for c in range(0, customers, 2)]
    people = pd.DataFrame(
        {
            "source_id": known,
            "age": [["19-24", "25-34", "45-54", "65+"][i % 4] for i in range(len(known))],
            "income": [["Under 15K", "50-74K", "250K+"][i % 3] for i in range(len(known))],
            "home_ownership": "Homeowner",
            "marital_status": [["Married", "Unmarried"][i % 2] for i in range(len(known))],
            "household_size": [["1", "2", "5+"][i % 3] for i in range(len(known))],
            "household_composition": "2 Adults Kids",
            "kids_count": [["0", "1", "3+"][i % 3] for i in range(len(known))],
            "has_children": [i % 3 != 0 for i in range(len(known))],
        }
    )
    campaigns = pd.DataFrame(
        {
            "campaign_id": ["1"],
            "type": ["Type A"],
            "start_date": [datetime(2017, 6, 1)],
            "end_date": [datetime(2017, 8, 1)],
        }
    )
    return {
        "events": pd.DataFrame(rows, columns=columns),
        "items": items,
        "customers": people,
        "campaigns": campaigns,
    }


def loader(source: dict[str, pd.DataFrame]):
    """A `load` for `warehouse.store.build` that reads data frames."""

    def load(connection) -> None:
        for name, table in source.items():
            connection.register(f"given_{name}", table)
            connection.execute(f"CREATE TEMP TABLE raw_{name} AS SELECT * FROM given_{name}")
            connection.unregister(f"given_{name}")

    return load


@pytest.fixture(scope="session")
def small_tables() -> dict[str, pd.DataFrame]:
    return small_source()


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory, small_tables) -> Path:
    folder = tmp_path_factory.mktemp("small")
    build(folder, loader(small_tables))
    return folder


@pytest.fixture(scope="session")
def small_warehouse(small_folder) -> Warehouse:
    return Warehouse(small_folder / "warehouse.duckdb")


@pytest.fixture(scope="session")
def demo_folder() -> Path:
    if not (DEMO / "ready.json").exists():
        pytest.skip("the demo workspace is not built: run `make build`")
    return DEMO


@pytest.fixture(scope="session")
def demo_warehouse(demo_folder) -> Warehouse:
    return Warehouse(demo_folder / "warehouse.duckdb")
