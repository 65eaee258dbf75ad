"""One value that cannot be read is one event that is kept apart; a column that cannot be read stops the load."""

import json
from pathlib import Path

import pytest

from segments.errors import DataError
from warehouse.append import append, load_all
from warehouse.files import load
from warehouse.intake import take_in
from warehouse.ledger import read_ledger
from warehouse.mapping import Mapping, parse_mapping
from warehouse.quality import JSON_FILE
from warehouse.restore import restore
from warehouse.store import FILE, Warehouse, build

SHOP = """
[[events]]
files = "e*.csv"
type = "purchase"
customer = "u"
time = "t"
item = "i"
order = "o"
quantity = "n"
value = "v"
"""
SOUND = [f"c{n % 7},2024-02-{n % 28 + 1:02d} 10:00,x,o{n},2,1.5" for n in range(60)]


def written(path: Path, rows: list[str], header: str = "u,t,i,o,n,v") -> None:
    path.write_text("\n".join([header, *rows]) + "\n")


def made(text: str, folder: Path) -> Warehouse:
    mapping = parse_mapping(text, folder, "m")
    return Warehouse(build(folder / "ws", lambda connection: load(mapping, connection)))


def reported(folder: Path, name: str = "values readable") -> dict:
    report = json.loads((folder / "ws" / JSON_FILE).read_text())
    return next(check for check in report["checks"] if check["name"] == name)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a,2024-02-03,x,o,1,N/A", "value (1, such as 'N/A')"),
        ("a,2024-02-03,x,o,two,3", "quantity (1, such as 'two')"),
        ("a,yesterday,x,o,1,3", "time (1, such as 'yesterday')"),
        ("a,2024-02-03,x,o,1,a@b.org", "value (1, such as '...')"),
    ],
)
def test_one_unreadable_value_is_one_event_kept_apart(row, told, tmp_path):
    written(tmp_path / "e.csv", [*SOUND, row])
    warehouse = made(SHOP, tmp_path)
    assert len(warehouse.fetch(warehouse.table("events"))) == 60
    assert warehouse.fetch(warehouse.table("events"))["value"].eq(1.5).all()
    rejects = warehouse.fetch(warehouse.table("rejects"))
    assert rejects["rule"].tolist() == ["number or time that cannot be read"]
    warehouse.close()
    check = reported(tmp_path)
    assert check["verdict"] == "warn"
    assert check["detail"].startswith(f"1 events (1.64%) hold what is no number or time: {told}")
    assert "已剔除" in check["detail_zh"]


def test_an_empty_value_is_not_given_and_not_unreadable(tmp_path):
    written(tmp_path / "e.csv", [*SOUND, 'a,2024-02-03,x,o,1," "', "a,2024-02-03,x,o9,,"])
    warehouse = made(SHOP, tmp_path)
    assert len(warehouse.fetch(warehouse.table("events"))) == 62
    assert len(warehouse.fetch(warehouse.table("rejects"))) == 0
    warehouse.close()


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ("= n * v", ""),
        ("= n * v", "n > 0 AND v > 0"),
        ("= -(-v) * 2", "v >= 0"),
        ("= v::DOUBLE * 2", ""),
        ("= replace(v, 'x', '')::DOUBLE * 2", ""),
    ],
)
def test_what_is_calculated_from_an_unreadable_value_is_unreadable(said, where, tmp_path):
    written(tmp_path / "e.csv", [*SOUND, "a,2024-02-03,x,o,2,N/A"])
    text = SHOP.replace('value = "v"', f'value = "{said}"')
    warehouse = made(f'{text}where = "{where}"\n' if where else text, tmp_path)
    events = warehouse.fetch(warehouse.table("events"))
    assert events["value"].tolist() == [3.0] * 60
    assert warehouse.fetch(warehouse.table("rejects"))["unreadable"].tolist() == ["value: N/A"]
    warehouse.close()


def test_a_row_that_where_cannot_be_told_of_is_named_by_it(tmp_path):
    written(tmp_path / "e.csv", [*(f"{row},1" for row in SOUND), "a,2024-02-03,x,o,2,1,?"], "u,t,i,o,n,v,ok")
    warehouse = made(f'{SHOP}where = "ok = 1"\n', tmp_path)
    assert warehouse.fetch(warehouse.table("rejects"))["unreadable"].tolist() == ["where: ?"]
    warehouse.close()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_value_far_down_a_file_is_found_too(kind, tmp_path):
    days = [f"2024-{n % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(120_000)]
    if kind == "csv":
        rows = [f"c{n},{day} 10:00,x,o{n},2,1.5" for n, day in enumerate(days)]
        written(tmp_path / "e.csv", [*rows, "a,2024-02-03 09:00,x,o,2,N/A", "b,soon,x,o,2,3"])
    else:
        rows = [
            {"u": f"c{n}", "t": day, "i": "x", "o": f"o{n}", "n": 2, "v": 1.5} for n, day in enumerate(days)
        ]
        rows += [rows[0] | {"v": "N/A"}, rows[1] | {"t": "soon"}]
        (tmp_path / "e.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    warehouse = made(SHOP.replace("e*.csv", "e*"), tmp_path)
    events = warehouse.fetch(warehouse.table("events"))
    assert len(events) == 120_000
    assert events["value"].eq(1.5).all()
    assert sorted(warehouse.fetch(warehouse.table("rejects"))["unreadable"]) == ["time: soon", "value: N/A"]
    warehouse.close()


def test_a_share_of_unreadable_values_stops_and_names_the_field(tmp_path):
    written(tmp_path / "e.csv", [*SOUND, *(["a,2024-02-03,x,o,1,N/A"] * 4)])
    with pytest.raises(DataError, match=r"hold what is no number or time: value \(4, such as 'N/A'\)"):
        made(SHOP, tmp_path)


def test_a_column_of_one_type_of_events_that_cannot_be_read_stops_however_rare_the_type(tmp_path):
    text = SHOP.replace('"purchase"', '{ column = "e", values = { see = "view", buy = "purchase" } }')
    views = [f"{row},see" for row in SOUND] * 20
    written(tmp_path / "e.csv", [*views, *(["a,2024-02-03,x,o,1,1.5 EUR,buy"] * 20)], "u,t,i,o,n,v,e")
    with pytest.raises(DataError, match=r"value \(20, such as '1\.5 EUR'\)"):
        made(text, tmp_path)


def taken(mapping: Mapping, folder: Path) -> tuple:
    intake = take_in(mapping, read_ledger(folder / FILE), "test")
    if intake.action == "build":
        load_all(mapping, folder, intake, "test")
    else:
        append(folder, mapping, intake)
    return intake.notes


def test_a_day_with_an_unreadable_value_is_added_and_the_rule_is_taken_back(tmp_path):
    folder, mapping = tmp_path / "ws", parse_mapping(SHOP, tmp_path, "m")
    written(tmp_path / "e1.csv", SOUND)
    taken(mapping, folder)
    late = [f"c1,2024-03-01 1{n % 10}:00,x,p{n},2,1.5" for n in range(40)]
    written(tmp_path / "e2.csv", [*late, "a,2024-03-02,x,o,4,N/A"])
    notes = taken(mapping, folder)
    assert any("the column 'v' was DOUBLE and is VARCHAR; it is read as value" in note for note in notes)
    written(tmp_path / "e3.csv", [*(f"{row}0" for row in late), "a,tomorrow,x,o,4,2"])
    taken(mapping, folder)
    rules = json.loads((folder / JSON_FILE).read_text())
    assert rules["verdict"] == "warn"
    # The amount counts as not given; an event without a time is none.
    assert restore(folder, "unreadable") == 1
    warehouse = Warehouse(folder / FILE)
    events = warehouse.fetch(warehouse.table("events"))
    assert len(events) == 60 + 80 + 1
    assert events[events["quantity"] == 4]["value"].tolist() == [0.0]
    assert warehouse.fetch(warehouse.table("rejects"))["unreadable"].tolist() == ["time: tomorrow"]
    warehouse.close()


def test_a_day_that_comes_without_the_customer_table_says_nothing_of_it(tmp_path):
    people = '[[customers]]\nfiles = ["people.csv"]\ncustomer = "u"\n'
    tier = '[[customers.attributes]]\nname = "tier"\nkind = "text"\n'
    mapping, ready = parse_mapping(SHOP + people + tier, tmp_path, "m"), tmp_path / "ws"
    ready.mkdir()
    written(tmp_path / "people.csv", ["c0,gold", "c1,silver"], "u,tier")
    written(tmp_path / "e1.csv", SOUND)
    load_all(mapping, ready, take_in(mapping, None, "code"), "code")
    assert reported(tmp_path, "customers readable")["verdict"] == "pass"
    written(tmp_path / "e2.csv", ["c0,2024-03-01 10:00,x,o99,2,1.5"])
    append(ready, mapping, take_in(mapping, read_ledger(ready / FILE), "code"))
    checks = json.loads((ready / JSON_FILE).read_text())["checks"]
    assert [check for check in checks if "tier" in check["detail"]] == []
