"""The gate: each fault is found by its check, stops what must not go on, and the reports are written."""

import json
import subprocess
import sys
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from segments.errors import DataError
from tests.conftest import ROOT, loader, small_source
from warehouse import gate, quality
from warehouse.gate import checks
from warehouse.quality import QualityReport
from warehouse.store import Warehouse, build


def built(folder, change):
    """The checks by name after a change to a sound source."""
    source = small_source()
    change(source)
    warehouse = Warehouse(build(folder, loader(source)))
    return {check["name"]: check["verdict"] for check in warehouse.meta["quality"]["checks"]}, warehouse


def test_a_sound_source_passes_all_but_freshness(tmp_path):
    verdicts, warehouse = built(tmp_path, lambda _source: None)
    assert verdicts.pop("fresh") == "warn"
    assert set(verdicts.values()) == {"pass"}
    report = json.loads((tmp_path / "quality.json").read_text())
    assert report["verdict"] == "warn"
    assert report["checks"] == warehouse.meta["quality"]["checks"]
    page = (tmp_path / "quality.html").read_text()
    assert page.count("<svg ") == 2
    assert "http" not in page


@pytest.mark.parametrize("times", [1, 7, 1000])
def test_the_plots_count_every_event_and_line(tmp_path, times):
    source = small_source()
    source["events"]["value"] *= times
    warehouse = Warehouse(build(tmp_path, loader(source)))
    events = warehouse.fetch(warehouse.table("events"))
    weekly = quality._weekly(warehouse.connection.con, "daily")
    assert {kind: sum(n for _, n in weeks) for kind, weeks in weekly.items()} == dict(
        events["type"].value_counts()
    )
    bars, width = quality._values(warehouse.connection.con, "daily")
    worth = events.loc[(events["type"] == "purchase") & (events["value"] > 0), "value"]
    assert sum(bars.values()) == len(worth)
    assert max(bars) < quality.BARS + 1
    low = (worth < width * (max(bars) // 2)).sum()
    # A value's third digit is rounded, so that a line may stand one bar further.
    assert (
        abs(sum(lines for bar, lines in bars.items() if bar < max(bars) // 2) - low) <= bars[max(bars) // 2]
    )


def test_unequal_periods_are_told_by_their_stability():
    values, even = np.arange(1.0, 101.0), np.ones(100)
    assert gate._stability(values, even * 3, even) == pytest.approx(0, abs=0.01)
    assert gate._stability(values, even * (values > 50), even) > gate.PSI_WARN
    assert gate._stability(values, even, even * 0) is None


def _double(source):
    source["events"] = pd.concat([source["events"], source["events"]], ignore_index=True)


def _shift(source):
    late = source["events"]["ts"] > source["events"]["ts"].max() - timedelta(days=28)
    source["events"].loc[late, "value"] = source["events"].loc[late, "value"] * 4


def _surge(source):
    events = source["events"]
    late = events[events["ts"] > events["ts"].max() - timedelta(days=28)].copy()
    copies = [late.assign(ts=late["ts"] + timedelta(minutes=n), order_id=f"n{n}") for n in range(1, 6)]
    source["events"] = pd.concat([events, *copies], ignore_index=True)
    source["events"] = source["events"][source["events"]["ts"] <= events["ts"].max()]


def _some_orphans(source):
    source["events"].loc[source["events"].index[:5], "item_id"] = "nowhere"


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (_double, "no equal rows"),
        (_shift, "steady values"),
        (_surge, "steady volume"),
        (_some_orphans, "items known"),
        (lambda s: s["events"].__setitem__("order_id", None), "order_id complete"),
    ],
)
def test_a_fault_is_found_by_its_check(change, check, tmp_path):
    verdicts, _ = built(tmp_path, change)
    worse = {name for name, verdict in verdicts.items() if verdict != "pass"} - {"fresh"}
    assert worse == {check}


def _unknown_type(source):
    source["events"].loc[0, "type"] = "teleport"


def _all_orphans(source):
    source["events"]["item_id"] = "nowhere"


def _twice_an_item(source):
    source["items"] = pd.concat([source["items"], source["items"].head(1)], ignore_index=True)


def _nothing(source):
    source["events"] = source["events"].head(0)


def test_equal_rows_of_large_data_are_found_among_some_customers(tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "TWINS_SAMPLE", 100)
    verdicts, warehouse = built(tmp_path, _double)
    assert verdicts["no equal rows"] == "warn"
    said = next(c["detail"] for c in warehouse.meta["quality"]["checks"] if c["name"] == "no equal rows")
    assert "among one customer in" in said
    assert "(50.00%)" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_unknown_type, "isin"),
        (_all_orphans, "name an item"),
        (_twice_an_item, "occur twice"),
        (_nothing, "0 events"),
    ],
)
def test_what_fails_the_gate_does_not_become_features(change, said, tmp_path):
    build(tmp_path, loader(small_source()))
    before = (tmp_path / "warehouse.duckdb").read_bytes()
    source = small_source()
    change(source)
    with pytest.raises(DataError, match=said):
        build(tmp_path, loader(source))
    assert (tmp_path / "warehouse.duckdb").read_bytes() == before
    assert json.loads((tmp_path / "quality.json").read_text())["verdict"] == "stop"


def test_what_a_rule_touched_is_kept_as_it_was(tmp_path):
    source = small_source()
    events = source["events"]
    events.loc[0, ["quantity", "value"]] = (0, 0)
    events.loc[1, "quantity"] = 50_000
    tester = events.iloc[2].to_dict() | {"source_id": "test_user 12"}
    bot = [events.iloc[3].to_dict() | {"source_id": "bot", "type": "view", "value": 0.0} for _ in range(2001)]
    source["events"] = pd.concat([events, pd.DataFrame([tester, *bot])], ignore_index=True)
    warehouse = Warehouse(build(tmp_path, loader(source)))
    rejects = warehouse.fetch(warehouse.table("rejects")).groupby("rule").size().to_dict()
    assert rejects == {
        "purchase without units and value": 1,
        "more than 1000 units on one line": 1,
        "order of a test customer": 1,
        "more than 2000 events of one customer on one day": 2001,
    }
    kept = warehouse.fetch(warehouse.table("rejects"))
    assert kept.loc[kept["rule"] == "more than 1000 units on one line", "quantity"].tolist() == [50_000]
    assert "source_id" not in kept.columns


def test_freshness_is_judged_against_today(tmp_path):
    connection = duckdb.connect()
    loader(small_source())(connection)
    by_name = {check.name: check for check in checks(connection, date(2018, 1, 3))}
    assert by_name["fresh"].verdict == "pass"
    assert "3 days ago" in by_name["fresh"].detail
    assert QualityReport(1, (), tuple(by_name.values())).verdict == "pass"


def test_checking_says_nothing_of_what_other_libraries_warn_of(tmp_path):
    """In a process of its own: libraries warn when they are first loaded."""
    code = (
        "import sys; from pathlib import Path; from tests.conftest import loader, small_source; "
        "from warehouse.store import build; build(Path(sys.argv[1]), loader(small_source()))"
    )
    command = [sys.executable, "-W", "error::FutureWarning", "-c", code, str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
