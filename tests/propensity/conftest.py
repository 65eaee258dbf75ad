"""A small retailer with seven months of history, and models of synthetic customers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from propensity.candidate import Candidate, Card
from propensity.drift import Reference
from propensity.model import PropensityModel, train
from propensity.registry import Registry
from segments.ports import Snapshot
from tests.conftest import loader, small_source
from warehouse.store import build

FIRST_DAY = datetime(2017, 5, 20)
CUSTOMER_IDS = pd.Index([f"c{i:03d}" for i in range(400)], name="customer_id")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """On busy cores LightGBM's two threads wait for each other: 20 s instead of 0.5 s for a small model."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("model", "evaluate"):
            patch.setattr(f"propensity.{module}.THREADS", 1)
        yield


def retailer_source() -> dict[str, pd.DataFrame]:
    """The small source with real campaign dates, two campaign types and events from FIRST_DAY on."""
    source = small_source(seed=11, customers=120)
    events = source["events"]
    events = events[events["ts"] >= FIRST_DAY].copy()
    mailed = events["type"].isin(["exposure", "coupon_redeem"])
    events.loc[mailed & (events["source_id"].astype(int) % 2 == 0), "campaign_id"] = "2"
    campaigns = pd.DataFrame(
        {
            "campaign_id": ["1", "2"],
            "type": ["Type A", "Type B"],
            "start_date": [date(2017, 6, 1), date(2017, 9, 1)],
            "end_date": [date(2017, 10, 20), date(2017, 12, 20)],
        }
    )
    return source | {"events": events, "campaigns": campaigns}


@pytest.fixture(scope="session")
def retailer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The retailer's warehouse file."""
    return build(tmp_path_factory.mktemp("retailer"), loader(retailer_source()))


def altered(path: Path, folder: Path, *statements: str) -> Path:
    """A copy of a warehouse file after these SQL statements."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "altered.duckdb"
    shutil.copy(path, copy)
    with duckdb.connect(str(copy)) as connection:
        for statement in statements:
            connection.execute(statement)
    return copy


def snapshot(as_of: date, seed: int) -> Snapshot:
    """400 customers of whom `a` says that they will, `b` that they will not, and the rest nothing."""
    random = np.random.default_rng(seed)
    features = pd.DataFrame(random.normal(size=(400, 5)), CUSTOMER_IDS, list("abcde"))
    chance = 1 / (1 + np.exp(1 - 1.5 * features["a"] + features["b"]))
    labels = pd.Series((random.random(400) < chance).astype(int), CUSTOMER_IDS)
    return Snapshot(as_of, features, labels)


def snapshots(count: int = 5, seed: int = 0) -> list[Snapshot]:
    return [snapshot(date(2017, 1, 1) + timedelta(days=30 * i), seed + i) for i in range(count)]


@pytest.fixture(scope="session")
def model() -> PropensityModel:
    return train(snapshots(), 30)


@pytest.fixture(scope="session")
def other_model() -> PropensityModel:
    return train(snapshots(seed=50), 30)


def sample_card(outcome: str, **changes: Any) -> Card:
    """A card with something of the right type in every field."""
    samples: dict[str, Any] = {"str": "2017-11-01", "int": 3, "float": 0.5}
    values = {field.name: samples.get(str(field.type), ("2017-09-01",)) for field in fields(Card)}
    return Card(**values | {"outcome": outcome, "model": outcome} | changes)


def save(
    folder: Path,
    name: str,
    model: PropensityModel,
    scores: pd.DataFrame,
    cards: list[Card],
    tested: pd.DataFrame | None = None,
    reference: Reference | None = None,
) -> None:
    """Put a model in use that a training without a trial left."""
    Registry(folder).commit(Candidate(name, model.to_bytes(), scores, tuple(cards), None, tested, reference))
