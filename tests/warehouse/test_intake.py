"""Days added to a warehouse: as if loaded at once, never twice, corrections in place, changed columns named."""

import hashlib
import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from segments.errors import ConflictError, DataError, UserError
from warehouse.append import append, load_all
from warehouse.clean import FUTURE, MAX_EVENTS_A_DAY, REFUND
from warehouse.erase import erase
from warehouse.intake import take_in
from warehouse.ledger import mark, read_ledger
from warehouse.mapping import parse_mapping
from warehouse.pseudonyms import KEY_FILE, Vault
from warehouse.restore import restore
from warehouse.store import FILE, Warehouse, known_of

MAPPING = """
name = "Shop"
[[events]]
files = ["days"]
type = "purchase"
customer = "who"
time = "at"
item = "sku"
order = "no"
quantity = "n"
value = "= n * price"
[[items]]
files = ["items.csv"]
item = "sku"
category = "kind"
department = "area"
[[customers]]
files = ["people.csv"]
customer = "who"
age = "age"
"""


def day(number: int, rows: int = 40) -> pd.DataFrame:
    """A day's purchases by some of 12 customers, one more of them new each day."""
    return pd.DataFrame(
        [
            {
                "who": f"c{(row * 7 + number) % 12 if row else 100 + number}",
                "at": f"2024-03-{number:02d} {row % 24:02d}:15:00",
                "sku": f"p{row % 5}",
                "no": f"{number}-{row}",
                "n": 1 + row % 3,
                "price": 1.5 + row,
            }
            for row in range(rows)
        ]
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "days").mkdir()
    for number in (1, 2, 3):
        day(number).to_csv(tmp_path / f"days/{number:02d}.csv", index=False)
    items = [{"sku": f"p{n}", "kind": f"KIND {n}", "area": "GROCERY" if n < 3 else "DRUG"} for n in range(5)]
    pd.DataFrame(items).to_csv(tmp_path / "items.csv", index=False)
    pd.DataFrame([{"who": f"c{n}", "age": "25-34"} for n in range(6)]).to_csv(
        tmp_path / "people.csv", index=False
    )
    return tmp_path


def ingest(shop: Path, into: str = "ws", text: str = MAPPING, **given: bool):
    """Take in what is new; (intake, what was added)."""
    mapping, folder = parse_mapping(text, shop, "shop.toml"), shop / into
    folder.mkdir(exist_ok=True)
    intake = take_in(mapping, read_ledger(folder / FILE), "code", **given)
    added = None
    if intake.action == "build":
        load_all(mapping, folder, intake, "code")
    elif intake.action == "add":
        added = append(folder, mapping, intake)
    ledger = read_ledger(folder / FILE)
    assert mark(ledger.mapping, ledger.files) == intake.mark
    return intake, added


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    warehouse = Warehouse(folder / FILE)
    try:
        found = {}
        for name in ("events", "items", "customers", "features", "rejects"):
            rows = warehouse.fetch(warehouse.table(name)).drop(columns="file_no", errors="ignore")
            found[name] = rows.sort_values(list(rows.columns)).reset_index(drop=True)
        # Summed, because what was taken out stands there with a minus.
        counts = warehouse.fetch(warehouse.table("daily"))
        sums = counts.groupby(["day", "type", "value"], dropna=False)["events"].sum()
        found["daily"] = sums[sums != 0].reset_index()
        return found
    finally:
        warehouse.close()


def same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name, rows in one.items():
        pd.testing.assert_frame_equal(rows, other[name], rtol=1e-9, check_dtype=False)


def add_day(shop: Path, number: int, rows: pd.DataFrame | None = None) -> None:
    (day(number) if rows is None else rows).to_csv(shop / f"days/{number:02d}.csv", index=False)


def ingest_with_its_key(shop, text=MAPPING):
    """A second workspace, "whole", of the first one's pseudonyms. The key's file is copied as it is, encrypted or not."""
    (shop / "whole").mkdir()
    (shop / "whole" / KEY_FILE).write_bytes((shop / "ws" / KEY_FILE).read_bytes())
    ingest(shop, "whole", text)


def test_days_added_are_as_if_loaded_at_once(shop):
    first, _ = ingest(shop)
    assert first.action == "build"
    for number in (4, 5):
        add_day(shop, number)
        intake, added = ingest(shop)
        assert (intake.action, added.events, added.replaced) == ("add", 40, 0)
    ingest_with_its_key(shop)
    same(tables(shop / "ws"), tables(shop / "whole"))
    assert Vault(shop / "ws").customer_id("c105") is not None


def test_daily_counts_that_are_not_of_these_events_are_made_anew(shop):
    ingest(shop)
    with duckdb.connect(str(shop / "ws" / FILE)) as connection:
        connection.execute("DELETE FROM daily WHERE day = DATE '2024-03-02'")
    add_day(shop, 4)
    ingest(shop)
    ingest_with_its_key(shop)
    same(tables(shop / "ws"), tables(shop / "whole"))


def test_daily_counts_are_of_the_events_that_are_kept(shop):
    ingest(shop)
    erase(shop / "ws", "c3")
    add_day(shop, 4)
    _, added = ingest(shop)
    assert added.events < len(day(4)), "the day tells of a person who was erased"
    add_day(shop, 5, day(5)[lambda rows: rows["who"] != "c3"])
    ingest(shop)
    found = tables(shop / "ws")
    assert found["daily"]["events"].sum() == len(found["events"])
    by_day = found["events"].groupby(found["events"]["ts"].dt.normalize()).size()
    assert found["daily"].groupby("day")["events"].sum().to_dict() == by_day.to_dict()


def test_without_order_numbers_what_a_customer_buys_at_one_time_is_an_order(shop):
    text = MAPPING.replace('order = "no"\n', "")
    pd.concat([day(1), day(1).head(3)]).to_csv(shop / "days/01.csv", index=False)
    ingest(shop, text=text)
    add_day(shop, 4)
    ingest(shop, text=text)
    bought = pd.concat([day(number) for number in (1, 2, 3, 4)])
    expected = bought.groupby("who")["at"].nunique()
    found = tables(shop / "ws")
    vault = Vault(shop / "ws")
    orders = found["features"].set_index("customer_id")["orders_lifetime"]
    assert {who: orders[vault.customer_id(who)] for who in expected.index} == expected.to_dict()
    assert found["events"].groupby("order_id")["customer_id"].nunique().eq(1).all()
    checks = json.loads((shop / "ws" / "quality.json").read_text())["checks"]
    assert "taken for one order" in next(c["detail"] for c in checks if c["name"] == "order_id complete")
    ingest_with_its_key(shop, text)
    same(found, tables(shop / "whole"))


def test_one_event_of_the_future_is_left_out_and_does_not_move_today(shop):
    ingest(shop)
    coming = pd.Timestamp.now().normalize() + pd.Timedelta(days=3)
    add_day(shop, 4, pd.concat([day(4), day(4).head(1).assign(at="2099-01-01 00:00:00"),
                                day(4).head(1).assign(at=str(coming))]))  # fmt: skip
    _, added = ingest(shop)
    assert added.events == 40
    assert known_of(shop / "ws" / FILE)["as_of"] == "2024-03-05"
    report = json.loads((shop / "ws" / "quality.json").read_text())
    check = next(c for c in report["checks"] if c["name"] == "no future events")
    assert (check["verdict"], check["detail"][:28]) == ("warn", "2 events lie in the future; ")
    assert tables(shop / "ws")["rejects"]["rule"].tolist() == [FUTURE.name] * 2
    assert restore(shop / "ws", "future") == 2
    assert known_of(shop / "ws" / FILE)["as_of"] == "2099-01-02"


def test_a_clock_that_is_ahead_is_no_future(shop):
    tomorrow = pd.Timestamp.now().normalize() + pd.Timedelta(days=1, hours=13)
    add_day(shop, 4, pd.concat([day(4), day(4).head(1).assign(at=str(tomorrow))]))
    ingest(shop)
    assert len(tables(shop / "ws")["events"]) == 161


def test_many_events_of_the_future_stop_the_load(shop):
    ingest(shop)
    before = (shop / "ws" / FILE).read_bytes()
    add_day(shop, 4, pd.concat([day(4), day(5).head(5).assign(at="2099-01-01 00:00:00")]))
    with pytest.raises(DataError, match=r"5 events lie in the future; 5 of them \(11.11%\)"):
        ingest(shop)
    assert (shop / "ws" / FILE).read_bytes() == before


def test_a_day_without_customers_stops_the_load_and_some_guests_are_told(shop):
    ingest(shop)
    assert verdicts(shop / "ws")["customer and time given"][0] == "pass"
    add_day(shop, 4, day(4).assign(who=[None] * 10 + list(day(4)["who"][10:])))
    ingest(shop)
    verdict, said = verdicts(shop / "ws")["customer and time given"]
    assert (verdict, said[:24]) == ("warn", "10 events (25.00%) have ")
    assert "The last load: 30 events after cleaning." in (shop / "ws" / "quality.html").read_text()
    before = (shop / "ws" / FILE).read_bytes()
    add_day(shop, 5, day(5).assign(who=None))
    with pytest.raises(DataError, match=r"40 events \(100.00%\) have no customer or no time"):
        ingest(shop)
    assert (shop / "ws" / FILE).read_bytes() == before


def verdicts(folder: Path) -> dict[str, tuple[str, str]]:
    checks = json.loads((folder / "quality.json").read_text())["checks"]
    return {check["name"]: (check["verdict"], check["detail"]) for check in checks}


def test_goods_that_the_item_table_lacks_are_counted_also_when_a_day_is_added(shop):
    ingest(shop)
    assert verdicts(shop / "ws")["items known"][0] == "pass"
    add_day(shop, 4, day(4).assign(sku=["q1"] * 3 + ["p1"] * 37))
    ingest(shop)
    said = "3 purchase lines (7.50%) name an item that the item table lacks."
    assert verdicts(shop / "ws")["items known"] == ("warn", said)
    # Bought is not described: the item is as unknown the day after.
    add_day(shop, 5, day(5).assign(sku="q1"))
    with pytest.raises(DataError, match=r"40 purchase lines \(100.00%\) name an item"):
        ingest(shop)


def test_an_item_described_in_two_ways_is_told(shop):
    items = pd.read_csv(shop / "items.csv")
    pd.concat([items, items.head(1).assign(kind="OTHER")]).to_csv(shop / "items.csv", index=False)
    ingest(shop)
    verdict, said = verdicts(shop / "ws")["item ids unique"]
    assert (verdict, said[:16]) == ("warn", "1 of 5 items are")


def test_a_customer_table_of_other_ids_stops_the_load(shop):
    ingest(shop)
    assert verdicts(shop / "ws")["customers known"][0] == "warn"
    people = pd.read_csv(shop / "people.csv")
    pd.concat([people, people.head(1).assign(age="65+")]).to_csv(shop / "people.csv", index=False)
    ingest(shop)
    assert verdicts(shop / "ws")["customer ids unique"][0] == "warn"
    people.assign(who=people["who"] + "@x").to_csv(shop / "people.csv", index=False)
    with pytest.raises(DataError, match=r"\(100.00%\) are not in the customer table"):
        ingest(shop, rebuild=True)


@pytest.mark.parametrize(
    ("campaigns", "said"),
    [
        (
            "id,from\nx,2024-03-01\n",
            "campaigns: 120 events (100.00%) name a campaign that the campaign table lacks",
        ),
        ("id,from\nc,2024-03-01\nc,2024-03-02\n", "campaigns: 1 campaign ids occur twice"),
    ],
)
def test_campaigns_that_are_not_known_or_twice_stop_the_load(campaigns, said, shop):
    (shop / "campaigns.csv").write_text(campaigns)
    text = MAPPING.replace('value = "= n * price"', 'value = "= n * price"\ncampaign = "= \'c\'"')
    text += '[[campaigns]]\nfiles = ["campaigns.csv"]\ncampaign = "id"\nstart = "from"\n'
    with pytest.raises(DataError) as error:
        ingest(shop, text=text)
    assert said.partition(": ")[2] in str(error.value)


def test_an_order_line_of_less_than_nothing_is_a_return(shop):
    back = day(1).head(2).assign(n=-2, price=3.5, no="back")
    add_day(shop, 1, pd.concat([day(1), back]))
    ingest(shop)
    events, rejects = tables(shop / "ws")["events"], tables(shop / "ws")["rejects"]
    returns = events[events["type"] == "return"]
    assert returns[["order_id", "quantity", "value"]].to_numpy().tolist() == [["back", 2.0, 7.0]] * 2
    assert (events["type"] == "purchase").sum() == 120
    assert rejects[["rule", "quantity", "value"]].to_numpy().tolist() == [[REFUND.name, -2.0, -7.0]] * 2
    with pytest.raises(UserError, match="less than nothing cannot be bought"):
        restore(shop / "ws", "refund")


def test_a_file_ingested_twice_changes_nothing_under_any_name(shop):
    ingest(shop)
    before = hashlib.sha256((shop / "ws" / FILE).read_bytes()).hexdigest()
    (shop / "days/copy.csv").write_bytes((shop / "days/02.csv").read_bytes())
    (shop / "days/01.csv").touch()
    intake, added = ingest(shop)
    assert (intake.action, added) == ("nothing", None)
    assert intake.notes == (
        "days/copy.csv has the content of days/02.csv, which is ingested: it changes nothing.",
    )
    assert hashlib.sha256((shop / "ws" / FILE).read_bytes()).hexdigest() == before


def test_what_was_ingested_is_known_in_a_folder_with_an_apostrophe(shop):
    ingest(shop, "Ada's")
    intake, _ = ingest(shop, "Ada's")
    assert intake.action == "nothing"


def test_a_file_that_is_gone_keeps_its_rows(shop):
    ingest(shop)
    (shop / "days/01.csv").unlink()
    add_day(shop, 4)
    ingest(shop)
    assert len(tables(shop / "ws")["events"]) == 160


def test_a_correction_needs_to_be_said_and_takes_the_old_place(shop):
    ingest(shop)
    add_day(shop, 2, day(2).assign(price=100.0).head(30))
    with pytest.raises(ConflictError, match=r"days/02\.csv: was ingested before with other content"):
        ingest(shop)
    intake, added = ingest(shop, replace=True)
    assert (added.events, added.replaced) == (30, 40)
    assert intake.reason == "1 corrected file; 4 ingested before."
    ingest_with_its_key(shop)
    # Who is only in the rows taken out is no customer any more, but stays in the vault.
    same(tables(shop / "ws"), tables(shop / "whole"))


def test_names_that_rotate_lose_no_rows(shop):
    ingest(shop)
    (shop / "days/03.csv").rename(shop / "days/yesterday.csv")
    add_day(shop, 3, day(4))
    intake, added = ingest(shop, replace=True)
    assert (added.events, added.replaced, intake.notes) == (80, 40, ())
    assert intake.reason == "1 new and 1 corrected files; 4 ingested before."
    ingest_with_its_key(shop)
    same(tables(shop / "ws"), tables(shop / "whole"))


def test_an_event_with_a_known_id_takes_the_place_of_the_earlier_one(shop):
    text = MAPPING.replace('order = "no"', 'order = "no"\nid = "no"')
    ingest(shop, text=text)
    late = pd.concat([day(3).head(2).assign(price=500.0), day(4).head(3)])
    add_day(shop, 4, late)
    _, added = ingest(shop, text=text)
    assert (added.events, added.replaced) == (5, 2)
    events = tables(shop / "ws")["events"]
    assert len(events) == 123
    assert events.set_index("event_id").loc["3-1", "value"] == 1000.0
    add_day(shop, 5, pd.concat([day(5).head(1), day(5).head(1).assign(price=9.0)]))
    ingest(shop, text=text)
    assert tables(shop / "ws")["events"].set_index("event_id").loc["5-0", "value"] == 9.0


def test_items_and_customers_are_corrected_by_their_key(shop):
    ingest(shop)
    pd.DataFrame([{"sku": "p1", "kind": "TEA", "area": "GROCERY"}]).to_csv(shop / "items.csv", index=False)
    pd.DataFrame([{"who": "c3", "age": "65+"}]).to_csv(shop / "people.csv", index=False)
    intake, _ = ingest(shop)
    assert intake.action == "add"
    found = tables(shop / "ws")
    assert found["items"].set_index("item_id")["category"].to_dict()["p1"] == "TEA"
    assert len(found["items"]) == 5
    ages = found["customers"].set_index("customer_id")["age"]
    assert ages[Vault(shop / "ws").customer_id("c3")] == "65+"
    assert (ages == "25-34").sum() == 5


@pytest.mark.parametrize(
    ("change", "said", "stops"),
    [
        (lambda d: d.assign(coupon=1), "the column 'coupon' (BIGINT) is new; it is not mapped, so it is not read.", False),
        (lambda d: d.drop(columns="note"), "the column 'note', which is not mapped, is missing", False),
        (lambda d: d.drop(columns="price"), "the column 'price', which is read as value, is missing", True),
        (lambda d: d.assign(sku="1.5"), "the column 'sku' was VARCHAR and is DOUBLE; it is read as item.", True),
        (lambda d: d.assign(note=7), "the column 'note' was VARCHAR and is BIGINT; it is not mapped", False),
        (lambda d: d.assign(price=3), None, False),
        (lambda d: d.assign(note=None), None, False),
    ],
)  # fmt: skip
def test_drift_of_the_columns_is_named(change, said, stops, shop):
    for number in (1, 2, 3):
        add_day(shop, number, day(number).assign(note="x"))
    ingest(shop)
    before = (shop / "ws" / FILE).read_bytes()
    add_day(shop, 4, change(day(4).assign(note="x")))
    if stops:
        with pytest.raises(DataError) as error:
            ingest(shop)
        assert f"days/04.csv: {said}" in str(error.value)
        assert (shop / "ws" / FILE).read_bytes() == before
    else:
        intake, _ = ingest(shop)
        assert len(intake.notes) == (said is not None)
        assert all(note.startswith(f"days/04.csv: {said}") for note in intake.notes)


def test_a_changed_type_may_be_taken_as_it_is(shop):
    with (shop / "items.csv").open("a") as items:
        items.write("1,KIND 1,DRUG\n")
    ingest(shop)
    add_day(shop, 4, day(4).assign(sku="1"))
    intake, added = ingest(shop, accept_drift=True)
    assert added.events == 40
    assert "'sku' was VARCHAR and is BIGINT" in intake.notes[0]


def test_a_file_of_the_first_load_without_a_mapped_column_is_named(shop):
    for number in (1, 2):
        add_day(shop, number, day(number))
    add_day(shop, 3, day(3).rename(columns={"price": "cost"}))
    with pytest.raises(
        DataError, match=r"days/03\.csv: the column 'price', which is read as value, is missing"
    ):
        ingest(shop)
    intake, _ = ingest(shop, accept_drift=True)
    assert "'price', which is read as value, is missing" in intake.notes[0]
    # What was taken is taken again by another version of the code, and asked about where the mapping changes.
    mapping, ledger = parse_mapping(MAPPING, shop, "shop.toml"), read_ledger(shop / "ws" / FILE)
    assert take_in(mapping, ledger, "newer code").action == "build"
    with pytest.raises(DataError, match="is missing"):
        take_in(mapping, ledger, "code", rebuild=True)


def test_a_day_that_fails_the_gate_changes_nothing(shop):
    ingest(shop)
    before = (shop / "ws" / FILE).read_bytes()
    add_day(shop, 4, day(4).assign(sku=None))
    with pytest.raises(DataError, match="did not pass the checks"):
        ingest(shop)
    assert (shop / "ws" / FILE).read_bytes() == before
    assert not list((shop / "ws").glob("*.partial*"))


def test_exports_that_overlap_are_noticed(shop):
    ingest(shop)
    add_day(shop, 4, pd.concat([day(3).head(10), day(4)]))
    ingest(shop)
    report = json.loads((shop / "ws" / "quality.json").read_text())
    check = next(c for c in report["checks"] if c["name"] == "not ingested before")
    assert check["verdict"] == "warn"
    assert check["detail"].startswith("10 new rows equal")


def test_a_robot_whose_day_comes_in_parts_is_found(shop):
    ingest(shop)
    half = pd.concat([day(4).head(1).assign(who="bot")] * (MAX_EVENTS_A_DAY // 2 + 1))
    for part in (4, 5):
        add_day(shop, part, half.assign(no=f"x{part}"))
        ingest(shop)
    found = tables(shop / "ws")
    bot = Vault(shop / "ws").customer_id("bot")
    assert bot not in set(found["events"]["customer_id"])
    assert (found["rejects"]["customer_id"] == bot).sum() == MAX_EVENTS_A_DAY + 2
    add_day(shop, 6, day(6).head(1).assign(who="bot"))
    ingest(shop)
    assert bot not in set(tables(shop / "ws")["events"]["customer_id"])


def test_a_changed_mapping_reads_everything_anew_and_loses_nothing(shop):
    ingest(shop)
    changed = MAPPING.replace("n * price", "n * price * 2")
    intake, _ = ingest(shop, text=changed)
    assert (intake.action, intake.reason) == ("build", "The mapping has changed, so everything is read anew.")
    (shop / "days/01.csv").unlink()
    with pytest.raises(
        DataError, match=r"1 of the files ingested before are gone, the first of them days/01\.csv"
    ):
        ingest(shop)
    intake, _ = ingest(shop, rebuild=True)
    assert len(tables(shop / "ws")["events"]) == 80


def test_the_same_content_under_two_names_is_read_once(shop):
    (shop / "days/copy.csv").write_bytes((shop / "days/02.csv").read_bytes())
    intake, _ = ingest(shop)
    assert intake.notes == ("days/copy.csv has the content of days/02.csv: it is read once.",)
    assert len(tables(shop / "ws")["events"]) == 120
