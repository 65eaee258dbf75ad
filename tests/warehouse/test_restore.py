"""A cleaning rule taken back: rows as in the source, counted, and off until it is enforced again."""

import json

import pandas as pd
import pytest

from segments.errors import NotFoundError, UserError
from tests.conftest import loader, small_source
from warehouse.quality import JSON_FILE
from warehouse.restore import enforce, restore
from warehouse.retain import older, retain
from warehouse.store import FILE, Warehouse, build, known_of


def dirty() -> dict[str, pd.DataFrame]:
    """A source with one row for four of the rules; the robot's first row is a meter reading too."""
    source = small_source()
    events = source["events"]
    events.loc[0, ["quantity", "value"]] = (0, 0)
    events.loc[1, "quantity"] = 50_000
    bot = [events.iloc[3].to_dict() | {"source_id": "bot", "order_id": f"b{n}"} for n in range(2001)]
    bot[0]["quantity"] = 7_000
    source["events"] = pd.concat([events, pd.DataFrame(bot)], ignore_index=True)
    return source


def rows(folder, name="events") -> pd.DataFrame:
    warehouse = Warehouse(folder / FILE)
    try:
        return warehouse.fetch(warehouse.table(name))
    finally:
        warehouse.close()


def rule(folder, name: str) -> dict:
    found = json.loads((folder / JSON_FILE).read_text())["rules"]
    return next(entry for entry in found if entry["name"].startswith(name))


def test_dropped_rows_come_back_and_are_counted(tmp_path):
    build(tmp_path, loader(dirty()))
    before, customers = len(rows(tmp_path)), len(rows(tmp_path, "features"))
    assert restore(tmp_path, "bots") == 2001
    assert len(rows(tmp_path)) == before + 2001
    assert len(rows(tmp_path, "features")) == customers + 1
    assert rule(tmp_path, "more than 2000") == {
        "name": "more than 2000 events of one customer on one day",
        "action": "taken back",
        "rows": 2001,
        "restored": 2001,
    }
    assert not rows(tmp_path, "rejects")["rule"].str.startswith("more than 2000").any()


def test_a_changed_value_comes_back_also_where_the_row_was_dropped_after(tmp_path):
    build(tmp_path, loader(dirty()))
    before = rows(tmp_path)
    assert restore(tmp_path, "meter") == 1
    after = rows(tmp_path)
    assert len(after) == len(before)
    assert after["quantity"].max() == 50_000
    assert 7_000 in set(rows(tmp_path, "rejects")["quantity"])
    assert restore(tmp_path, "bots") == 2001
    assert 7_000 in set(rows(tmp_path)["quantity"])


def test_a_rule_taken_back_stays_off_until_it_is_enforced(tmp_path):
    build(tmp_path, loader(dirty()))
    restore(tmp_path, "empty")
    build(tmp_path, loader(dirty()))
    assert known_of(tmp_path / FILE)["rules_off"] == ["empty"]
    assert rule(tmp_path, "purchase without")["action"] == "not applied"
    assert (rows(tmp_path)["value"] == 0).sum() > 0
    enforce(tmp_path, "empty")
    build(tmp_path, loader(dirty()))
    assert rule(tmp_path, "purchase without")["rows"] == 1


def test_a_folder_may_have_an_apostrophe(tmp_path):
    folder = tmp_path / "Ada's shop"
    build(folder, loader(dirty()))
    restore(folder, "empty")
    retained = retain(folder, 3)
    build(folder, loader(dirty()))
    known = known_of(folder / FILE)
    assert (known["rules_off"], known["forget_before"]) == (["empty"], retained.before.isoformat())
    assert older(folder, retained.before) == []


def test_what_cannot_be_taken_back_is_told(tmp_path):
    build(tmp_path, loader(dirty()))
    good = (tmp_path / FILE).read_bytes()
    with pytest.raises(NotFoundError, match="rule: there is no 'robots'; known are unreadable, nobody, "):
        restore(tmp_path, "robots")
    with pytest.raises(UserError, match="cannot be taken back"):
        restore(tmp_path, "nobody")
    assert (tmp_path / FILE).read_bytes() == good
