"""Retention: nothing older in any store, nor back by a later load; who has nothing left is forgotten."""

from datetime import date, datetime

import pandas as pd
import pytest

from segments.codec import from_json
from segments.errors import UserError
from tests.conftest import loader, small_source
from warehouse.audience import Audiences
from warehouse.export import export, latest
from warehouse.pseudonyms import Vault
from warehouse.retain import older, retain
from warehouse.store import FILE, Warehouse, build

EVERYBODY = from_json({"feature": "orders_lifetime", "op": ">=", "value": 0})
BEFORE = date(2017, 10, 1)


def source():
    """A source in which one customer, with a row of their own, has only one old purchase."""
    tables = small_source()
    events, people = tables["events"], tables["customers"]
    events.loc[0, ["source_id", "ts"]] = ("old", datetime(2017, 2, 1))
    tables["customers"] = pd.concat([people, people.head(1).assign(source_id="old")], ignore_index=True)
    return tables


def test_nothing_older_is_left_and_it_does_not_come_back(tmp_path):
    build(tmp_path, loader(source()))
    warehouse = Warehouse(tmp_path / FILE)
    old = export(
        Audiences(warehouse).at(date(2017, 9, 1)), Vault(tmp_path), EVERYBODY, tmp_path / "exports", "a"
    )
    new = export(Audiences(warehouse), Vault(tmp_path), EVERYBODY, tmp_path / "exports", "a")
    features, forgotten = warehouse.features(), Vault(tmp_path).customer_id("old")
    warehouse.close()
    assert older(tmp_path, BEFORE) == ["warehouse table events", old.name]

    found = retain(tmp_path, 3)
    assert (found.before, found.traces, len(found.exports)) == (BEFORE, (), 1)
    assert not old.exists()
    assert new.exists()
    assert found.rows["events"] > 0
    assert found.rows["vault"] >= 1
    assert Vault(tmp_path).customer_id("old") is None
    assert forgotten.encode() not in (tmp_path / FILE).read_bytes()
    warehouse = Warehouse(tmp_path / FILE)
    kept = warehouse.features()
    assert set(kept.index) < set(features.index)
    # What is asked of the time that is kept is as it was.
    assert (kept["spend_90d"] == features.loc[kept.index, "spend_90d"]).all()
    assert kept["tenure_days"].max() <= 92
    warehouse.close()

    build(tmp_path, loader(source()))
    assert older(tmp_path, BEFORE) == []
    assert Vault(tmp_path).customer_id("old") is None


def test_too_few_months_are_told_and_changes_nothing(tmp_path):
    tables = small_source()
    build(tmp_path, loader(tables))
    good = (tmp_path / FILE).read_bytes()
    with pytest.raises(UserError, match="--months: must be at least 1; got 0"):
        retain(tmp_path, 0)
    assert (tmp_path / FILE).read_bytes() == good


def test_what_a_killed_or_damaged_export_left_goes_and_stops_no_retention(tmp_path):
    build(tmp_path, loader(source()))
    warehouse = Warehouse(tmp_path / FILE)
    good, bad = (
        export(Audiences(warehouse), Vault(tmp_path), EVERYBODY, tmp_path / "exports", "a") for _ in range(2)
    )
    warehouse.close()
    (bad / "manifest.json").write_text("{")
    killed = good.with_name(".20240101T000000Z-abcdef.partial")
    killed.mkdir()
    (killed / "members.csv").write_text("customer\nold\n")
    found = retain(tmp_path, 3)
    assert (found.traces, found.exports) == ((), (str(bad.relative_to(tmp_path)),))
    assert not killed.exists()
    assert latest(tmp_path / "exports", "a") == good
