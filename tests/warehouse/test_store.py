"""Building a warehouse: cleaning counted, pseudonyms kept apart, point-in-time features, nothing half-built."""

import stat
from datetime import date, datetime, timedelta

import duckdb
import pandas as pd
import pytest

from segments.errors import DataError, NotBuiltError, StorageError
from tests.conftest import loader, small_source
from warehouse import completejourney
from warehouse.pseudonyms import Vault
from warehouse.store import FILE, Warehouse, build


def test_cleaning_counts_what_it_does(tmp_path):
    source = small_source()
    events = source["events"]
    events.loc[0, ["quantity", "value"]] = (0, 0)
    events.loc[1, "quantity"] = 50_000
    warehouse = Warehouse(build(tmp_path, loader(source)))
    rules = {rule["name"]: rule["rows"] for rule in warehouse.meta["quality"]["rules"]}
    assert rules["purchase without units and value"] == 1
    assert rules["more than 1000 units on one line"] == 1
    assert warehouse.meta["quality"]["events"] == len(events) - 1


def test_as_of_is_the_day_after_the_last_event(small_warehouse):
    assert small_warehouse.as_of == date(2018, 1, 1)


def test_source_ids_are_only_in_the_vault(tmp_path, small_tables):
    warehouse = Warehouse(build(tmp_path, loader(small_tables)))
    ids = warehouse.features().index
    assert all(len(customer) == 16 for customer in ids)
    vault = Vault(tmp_path)
    assert sorted(vault.source_ids(list(ids))) == sorted(set(small_tables["events"]["source_id"]))
    assert vault.customer_id("0") in ids
    assert vault.customer_id("no such") is None
    assert stat.S_IMODE((tmp_path / "vault.key").stat().st_mode) == 0o600


def test_events_lie_by_type_then_customer_then_time(small_warehouse):
    """What lets a condition pass over blocks of other types, and keeps a customer's rows together."""
    order = ["type", "customer_id", "ts"]
    rows = small_warehouse.fetch(small_warehouse.table("events").select(*order))
    assert rows["type"].nunique() > 1
    pd.testing.assert_frame_equal(rows, rows.sort_values(order, kind="stable", ignore_index=True))


def test_hand_checked_features(tmp_path):
    source = small_source(customers=2)
    base = source["events"].iloc[0].to_dict() | {"source_id": "7", "type": "purchase", "discount": 1.0}
    at = datetime(2017, 12, 30, 10)  # a Saturday
    rows = [
        base | {"ts": at, "order_id": "a", "item_id": "i0", "quantity": 2.0, "value": 9.0},
        base | {"ts": at, "order_id": "a", "item_id": "i1", "quantity": 1.0, "value": 3.0},
        base
        | {"ts": at - timedelta(days=10), "order_id": "b", "item_id": "i1", "quantity": 1.0, "value": 6.0},
    ]
    source["events"] = pd.concat([source["events"], pd.DataFrame(rows)], ignore_index=True)
    warehouse = Warehouse(build(tmp_path, loader(source)))
    row = warehouse.features().loc[Vault(tmp_path).customer_id("7")]
    assert row["recency_days"] == 2
    assert row["tenure_days"] == 12
    assert row["mean_gap_days"] == 10
    assert row["orders_30d"] == 2
    assert row["spend_30d"] == 18
    assert row["basket_value_365d"] == 9
    assert row["weekend_share_365d"] == 0.5
    assert row["morning_share_365d"] == 1
    assert row["private_label_share_365d"] == 0.5
    assert row["discount_rate_365d"] == pytest.approx(3 / 21)
    assert row["coupons_redeemed_365d"] == 0
    assert row["favourite_department"] == "GROCERY"


@pytest.mark.parametrize("cut", [date(2017, 6, 1), date(2017, 10, 15)])
def test_nothing_after_the_cut_reaches_a_feature(tmp_path, cut):
    source = small_source()
    before = Warehouse(build(tmp_path / "a", loader(source))).features(cut)
    events = source["events"]
    after = events["ts"] >= datetime.combine(cut, datetime.min.time())
    events.loc[after, "value"] *= 100
    events.loc[after, "item_id"] = "i5"
    source["events"] = events[~after | (events.index % 2 == 0)]
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "vault.key").write_bytes((tmp_path / "a" / "vault.key").read_bytes())
    again = Warehouse(build(tmp_path / "b", loader(source))).features(cut)
    # Department features are declared from the whole data, so compare what both catalogues have.
    shared = [name for name in before.columns if name in again.columns]
    assert len(shared) >= 50
    # Sums of floats may differ in the last digit with the order of the rows.
    pd.testing.assert_frame_equal(before[shared], again[shared], rtol=1e-9)


def test_a_source_that_fails_leaves_the_old_warehouse(tmp_path, small_tables):
    build(tmp_path, loader(small_tables))
    good = (tmp_path / FILE).read_bytes()
    broken = dict(small_tables) | {"events": small_tables["events"].assign(item_id="unknown")}
    with pytest.raises(DataError, match="lacks"):
        build(tmp_path, loader(broken))
    assert (tmp_path / FILE).read_bytes() == good


def test_a_missing_or_corrupt_source_file_is_named(tmp_path):
    files = completejourney.data_files()
    bad = tmp_path / "transactions.parquet"
    with pytest.raises(DataError, match="transactions"):
        completejourney.load(duckdb.connect(), files | {"transactions": str(bad)})
    bad.write_bytes(b"PAR1 nothing")
    with pytest.raises(DataError, match="transactions"):
        completejourney.load(duckdb.connect(), files | {"transactions": str(bad)})


def test_a_full_disk_is_one_sentence_and_changes_nothing(tmp_path, small_tables, monkeypatch):
    import errno

    build(tmp_path, loader(small_tables))
    good = (tmp_path / FILE).read_bytes()

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("warehouse.store.os.replace", full)
    with pytest.raises(StorageError, match="disk is full"):
        build(tmp_path, loader(small_tables))
    assert (tmp_path / FILE).read_bytes() == good


def test_an_unbuilt_or_corrupt_warehouse_says_what_to_run(tmp_path):
    with pytest.raises(NotBuiltError, match="segassist build"):
        Warehouse(tmp_path / FILE)
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError, match="segassist build"):
        Warehouse(tmp_path / FILE)


def test_stores_are_counted_by_the_positions_of_an_item(tmp_path):
    """Three stores: one has an end cap and a front page, one the front page, one nothing; what never sold has no row."""
    connection = duckdb.connect()
    connection.execute(
        f"""COPY (SELECT * FROM (VALUES (7, 1, '3', 'D', 1), (7, 2, '0', 'D', 1), (8, 3, 'A', '0', 1))
            AS rows (product_id, store_id, display_location, mailer_location, week)) TO '{tmp_path}/promotions.parquet'"""
    )
    connection.execute(
        f"""COPY (SELECT * FROM (VALUES (7, 1, 1, 5), (7, 3, 1, 2), (7, 9, 1, 4), (7, 1, 2, 6))
            AS rows (product_id, store_id, week, quantity)) TO '{tmp_path}/transactions.parquet'"""
    )
    files = {name: f"{tmp_path}/{name}.parquet" for name in ("promotions", "transactions")}
    rows = connection.execute(completejourney.POSITIONS.format(**files)).fetchall()
    assert sorted(rows) == [
        ("7", 1, "", "", 1, 2.0),
        ("7", 1, "", "mailer_front_page_feature", 1, 0.0),
        ("7", 1, "display_front_end_cap", "mailer_front_page_feature", 1, 5.0),
    ]
