"""No leakage: what happens at or after the cut changes nothing that was known at the cut."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from propensity.outcomes import CUSTOMER_OUTCOMES, category_outcome
from segments.definition import ItemFilter
from segments.ports import Outcome
from tests.conftest import CATEGORIES
from tests.propensity.conftest import altered
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

CUTS = (date(2017, 8, 15), date(2017, 10, 1), date(2017, 11, 20))
KINDS = ("purchase", "exposure", "coupon_redeem", "return", "review", "search")
TABLES = ("features", "extra", "item_history", "category_panel", "category_activity", "item_purchases")
OUTCOMES = (*CUSTOMER_OUTCOMES, category_outcome("BEER"))


def known(path: Path, cut: date) -> dict[str, pd.DataFrame]:
    """Every table of what was known at the cut."""
    warehouse = Warehouse(path)
    try:
        tables = TrainingTables(warehouse)
        found = (
            tables.features(cut),
            tables.extra(cut),
            tables.item_history(ItemFilter(category=("SOUP",)), cut),
            tables.category_panel(CATEGORIES, cut),
            tables.category_activity(cut),
            tables.item_purchases(cut).set_index(["customer_id", "item_id"]).sort_index(),
        )
        return dict(zip(TABLES, found, strict=True))
    finally:
        warehouse.close()


def insert(customer: str, ts: datetime, kind: str, item: str = "i1") -> str:
    return (
        "INSERT INTO events (customer_id, ts, type, item_id, order_id, quantity, value, discount, channel, "
        f"campaign_id) VALUES ('{customer}', '{ts}', '{kind}', '{item}', 'new', 3, 70, 20, 's9', '1')"
    )


def rows_of(customer: str, table: pd.DataFrame) -> pd.DataFrame:
    return table[table.index.get_level_values("customer_id") == customer]


def midnight(cut: date) -> datetime:
    return datetime.combine(cut, time())


@pytest.fixture(scope="module")
def customer(retailer: Path) -> str:
    """One who has bought before every cut."""
    with duckdb.connect(str(retailer), read_only=True) as connection:
        row = connection.execute(
            "SELECT customer_id FROM events WHERE type = 'purchase' AND ts < '2017-08-01' ORDER BY ts LIMIT 1"
        ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.fixture(scope="module")
def before(retailer: Path) -> dict[date, dict[str, pd.DataFrame]]:
    return {cut: known(retailer, cut) for cut in CUTS}


later_events = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([0, 1, 3600, 86_400, 40 * 86_400]),
        st.sampled_from(KINDS),
        st.sampled_from(["i0", "i5", "i10", "unknown"]),
    ),
    max_size=6,
)


@given(cut=st.sampled_from(CUTS), removed=st.integers(0, 4), changed=st.integers(0, 3), added=later_events)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_events_at_or_after_the_cut_change_no_feature(
    retailer: Path,
    before: dict[date, dict[str, pd.DataFrame]],
    customer: str,
    tmp_path_factory: pytest.TempPathFactory,
    cut: date,
    removed: int,
    changed: int,
    added: list[tuple[bool, int, str, str]],
) -> None:
    start = midnight(cut)
    statements = [
        f"DELETE FROM events WHERE ts >= '{start}' AND rowid % 4 < {removed}",
        f"""UPDATE events SET customer_id = '{customer}', item_id = 'i7', value = value * 100, discount = 9,
            quantity = 9, channel = 's9', campaign_id = '2', ts = ts + INTERVAL 5 DAY, type = CASE type
            WHEN 'purchase' THEN 'coupon_redeem' ELSE 'purchase' END
            WHERE ts >= '{start}' AND rowid % 4 = {changed}""",
    ]
    statements += [
        insert(customer if old else "newcomer", start + timedelta(seconds=seconds), kind, item)
        for old, seconds, kind, item in added
    ]
    now = known(altered(retailer, tmp_path_factory.mktemp("later"), *statements), cut)
    for name in TABLES:
        # Sums of floats may differ in the last digit with the order of the rows.
        pd.testing.assert_frame_equal(before[cut][name], now[name], rtol=1e-5)


@pytest.mark.parametrize("cut", CUTS)
def test_an_event_a_second_before_the_cut_reaches_every_table(
    retailer: Path,
    before: dict[date, dict[str, pd.DataFrame]],
    customer: str,
    tmp_path: Path,
    cut: date,
) -> None:
    # i0 is a SOUP; with a coupon the columns on campaigns move too.
    last = midnight(cut) - timedelta(seconds=1)
    changes = [insert(customer, last, "purchase", "i0"), insert(customer, last, "coupon_redeem")]
    now = known(altered(retailer, tmp_path, *changes), cut)
    for name in TABLES:
        assert not rows_of(customer, before[cut][name]).equals(rows_of(customer, now[name])), name
    assert (now["extra"].loc[customer, ["trip_recency", "coupon_recency"]] == 1).all()


def test_the_columns_of_every_family_are_compared(before: dict[date, dict[str, pd.DataFrame]]) -> None:
    tables = before[CUTS[1]]
    assert {name.split("_")[0] for name in tables["extra"]} == {"trip", "mail", "coupon"}
    assert (tables["extra"][["mail_answered", "mail_running", "coupon_count"]].sum() > 0).all()
    assert len(tables["features"].columns) > 50
    assert set(tables["category_panel"].index.get_level_values("category")) == set(CATEGORIES)


@pytest.fixture(scope="module")
def open_retailer(retailer: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse(retailer)
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def events(open_retailer: Warehouse) -> pd.DataFrame:
    joined = open_retailer.table("events").left_join(open_retailer.table("items"), "item_id")
    return open_retailer.fetch(joined)


def labels_by_hand(events: pd.DataFrame, outcome: Outcome, cut: date) -> dict[str, int]:
    start = pd.Timestamp(cut)
    inside = (events["ts"] >= start) & (events["ts"] < start + pd.Timedelta(days=outcome.horizon_days))
    inside &= events["type"] == outcome.event
    if outcome.items is not None:
        inside &= events["category"].isin(outcome.items.category)
    who = set(events.loc[inside, "customer_id"])
    return {
        customer: int(customer in who) for customer in set(events.loc[events["ts"] < start, "customer_id"])
    }


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.name)
@pytest.mark.parametrize("cut", CUTS)
def test_labels_come_from_the_horizon_and_from_nowhere_else(
    open_retailer: Warehouse, events: pd.DataFrame, outcome: Outcome, cut: date
) -> None:
    labels = TrainingTables(open_retailer).labels(outcome, cut)
    assert labels.to_dict() == labels_by_hand(events, outcome, cut)
    assert labels.sum() > 0


@pytest.mark.parametrize("cut", CUTS)
def test_category_labels_are_those_of_each_category(open_retailer: Warehouse, cut: date) -> None:
    tables = TrainingTables(open_retailer)
    table = tables.category_labels(CATEGORIES, cut, 30)
    assert list(table.columns) == CATEGORIES
    for category in CATEGORIES:
        alone = tables.labels(category_outcome(category), cut)
        pd.testing.assert_series_equal(table[category], alone, check_names=False)


@pytest.mark.parametrize(
    ("offset", "label"),
    [
        (timedelta(seconds=-1), 0),
        (timedelta(0), 1),
        (timedelta(days=14, seconds=-1), 1),
        (timedelta(days=14), 0),
    ],
    ids=["just before", "at the cut", "last second", "just after"],
)
def test_the_horizon_is_half_open(
    retailer: Path, customer: str, tmp_path: Path, offset: timedelta, label: int
) -> None:
    cut = CUTS[1]
    ts = midnight(cut) + offset
    path = altered(
        retailer,
        tmp_path,
        f"DELETE FROM events WHERE customer_id = '{customer}' AND ts >= '{midnight(cut)}'",
        insert(customer, ts, "purchase"),
    )
    warehouse = Warehouse(path)
    try:
        assert TrainingTables(warehouse).labels(CUSTOMER_OUTCOMES[0], cut)[customer] == label
    finally:
        warehouse.close()


def test_who_is_unknown_at_the_cut_has_no_label(retailer: Path, tmp_path: Path) -> None:
    path = altered(retailer, tmp_path, insert("newcomer", midnight(CUTS[1]), "purchase"))
    warehouse = Warehouse(path)
    try:
        tables = TrainingTables(warehouse)
        assert "newcomer" not in tables.labels(CUSTOMER_OUTCOMES[0], CUTS[1])
        assert "newcomer" not in tables.features(CUTS[1]).index
        assert "newcomer" not in tables.category_labels(CATEGORIES, CUTS[1], 30).index
    finally:
        warehouse.close()


def test_campaign_dates_may_be_timestamps(small_warehouse: Warehouse) -> None:
    extra = TrainingTables(small_warehouse).extra(date(2017, 7, 1))
    assert extra["mail_sent"].sum() > 0
