"""The real text encoder, and the small warehouse as the tables that indexes are built from."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import pytest

from indexes.behaviour import BehaviourVectors, encode_behaviour
from indexes.text import SentenceEncoder
from tests.indexes.planted import AS_OF
from warehouse.store import Warehouse


class Tables(NamedTuple):
    """The arguments of `encode_behaviour`, and spend by category."""

    purchases: pd.DataFrame
    items: pd.DataFrame
    features: pd.DataFrame

    @property
    def spend(self) -> pd.DataFrame:
        bought = self.purchases.merge(self.items, on="item_id")
        return bought.groupby(["customer_id", "category"], as_index=False)["value"].sum()


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


@pytest.fixture(scope="session")
def tables(small_warehouse: Warehouse) -> Tables:
    events = small_warehouse.table("events")
    bought = events.filter(events.type == "purchase").select("customer_id", "item_id", "ts", "value")
    items = small_warehouse.fetch(small_warehouse.table("items"))
    return Tables(small_warehouse.fetch(bought), items, small_warehouse.features())


@pytest.fixture(scope="session")
def encoded(tables: Tables, encoder: SentenceEncoder) -> BehaviourVectors:
    return encode_behaviour(*tables, encoder, AS_OF)
