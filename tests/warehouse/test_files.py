"""A retailer's own files: read by a mapping, every mistake told, real data sets ingested."""

import gzip
import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from segments.errors import DataError, NotFoundError
from tests.conftest import ROOT
from warehouse.files import load
from warehouse.mapping import parse_mapping, read_mapping, ready_made
from warehouse.store import Warehouse, build

SHARED = ROOT.parent / "shared" / "data"

MAPPING = """
name = "Shop"
[[events]]
files = ["orders*.csv*"]
type = "purchase"
customer = "who"
time = "at"
item = "sku"
order = "no"
quantity = "n"
value = "= n * price"
[[items]]
files = ["items.jsonl"]
item = "sku"
name = "title"
category = "kind"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "orders1.csv").write_text("who,at,sku,no,n,price\na,2024-01-02 10:00,x,1,2,3.5\n")
    with gzip.open(tmp_path / "orders2.csv.gz", "wt") as file:
        file.write("who,at,sku,no,n,price\nb,2024-01-03 11:00,y,2,1,4\nb,2024-01-05 09:00,z,3,1,1\n")
    rows = [{"sku": "x", "title": "Tea", "kind": "TEA"}, {"sku": "y", "title": "Jam", "kind": "JAM"}]
    (tmp_path / "items.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return tmp_path


def loaded(text: str, folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    load(parse_mapping(text, folder, "shop.toml"), connection)
    return connection


@pytest.mark.parametrize("files", [1, 2, 7])
def test_each_event_carries_the_number_of_its_file(files, tmp_path):
    # Numbers in another order than the names, one of them with an apostrophe.
    numbers = {tmp_path / f"d'{place}.csv": (place * 3 + 1) % 7 for place in range(files)}
    for path in numbers:
        path.write_text(f'who,at\n"{path.name}",2024-01-02\n"{path.name}",2024-01-03\n')
    text = '[[events]]\nfiles = ["*.csv"]\ntype = "view"\ncustomer = "who"\ntime = "at"\n'
    connection = duckdb.connect()
    load(parse_mapping(text, tmp_path, "shop.toml"), connection, numbers)
    told = dict(connection.execute("SELECT DISTINCT source_id, file_no FROM raw_events").fetchall())
    assert told == {path.name: number for path, number in numbers.items()}


def test_files_of_a_pattern_are_read_together_gzip_and_json_too(shop):
    connection = loaded(MAPPING, shop)
    events = connection.execute(
        "SELECT source_id, item_id, order_id, value FROM raw_events ORDER BY ts"
    ).fetchall()
    assert events == [("a", "x", "1", 7.0), ("b", "y", "2", 4.0), ("b", "z", "3", 1.0)]
    items = dict(connection.execute("SELECT item_id, category FROM raw_items").fetchall())
    # 'z' was bought but is not described: it is an item all the same.
    assert items == {"x": "TEA", "y": "JAM", "z": None}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("n/*/*/o.csv", ["n/2024/01/o.csv", "n/2024/02/o.csv"]),
        ("n/**/*.csv", ["n/2023.csv", "n/2024/01/o.csv", "n/2024/02/o.csv"]),
        ("n", ["n/2023.csv", "n/2024/01/o.csv", "n/2024/02/o.csv"]),
        ("n/*", ["n/2023.csv", "n/2024/01/o.csv", "n/2024/02/o.csv"]),
        ("n/2024", ["n/2024/01/o.csv", "n/2024/02/o.csv"]),
        ("n/2023.csv", ["n/2023.csv"]),
    ],
)
def test_folders_and_patterns_reach_every_level_and_leave_marks_of_programs(pattern, expected, tmp_path):
    (tmp_path / "n/2024/01/_temporary").mkdir(parents=True)
    (tmp_path / "n/2024/02").mkdir()
    for n, name in enumerate(("2023.csv", "2024/01/o.csv", "2024/02/o.csv", "2024/01/_temporary/o.csv")):
        (tmp_path / "n" / name).write_text(f"who,at\nc{n},2024-01-0{n + 1}\n")
    for name in ("_SUCCESS", ".DS_Store", "2024/01/_SUCCESS", "2024/01/.o.csv.crc"):
        (tmp_path / "n" / name).write_bytes(b"\0")
    text = f'[[events]]\nfiles = ["{pattern}"]\ntype = "view"\ncustomer = "who"\ntime = "at"\n'
    mapping = parse_mapping(text, tmp_path, "m")
    assert [path.relative_to(tmp_path).as_posix() for path in mapping.paths(mapping.sources[0])] == expected
    assert loaded(text, tmp_path).execute("SELECT count(*) FROM raw_events").fetchone() == (len(expected),)


@pytest.mark.parametrize(
    ("header", "value", "mapped", "said"),
    [
        ("k7", "ann@shop.com", 'channel = "k7"', "'k7' (as channel; e-mail address)"),
        ("k7", "ann@shop.com", 'channel = "= lower(k7)"', "'k7' (as channel; e-mail address)"),
        ("last_name", "Miller", 'session = "last_name"', "'last_name' (as session; name)"),
        ("tel", "+44 20 7946 0958", 'order = "tel"', "'tel' (as order; phone number)"),
    ],
)
def test_a_personal_column_is_read_only_when_the_mapping_allows_it(header, value, mapped, said, tmp_path):
    (tmp_path / "o.csv").write_text(f"who,at,{header}\nbob@x.org,2024-01-01,{value}\n")
    text = f'[[events]]\nfiles = "o.csv"\ntype = "purchase"\ncustomer = "who"\ntime = "at"\n{mapped}\n'
    with pytest.raises(DataError) as error:
        loaded(text, tmp_path)
    assert str(error.value).startswith(f"events: what looks personal would be kept as it is: {said}; ")
    assert str(error.value).endswith(f'allow it with personal = ["{header}"].')
    assert "Miller" not in str(error.value)
    allowed = loaded(text + f'personal = ["{header}"]\n', tmp_path)
    assert allowed.execute("SELECT count(*) FROM raw_events").fetchone() == (1,)


def test_an_items_table_with_a_personal_column_is_refused_too(shop):
    (shop / "items.jsonl").write_text(json.dumps({"sku": "x", "title": "Tea", "kind": "a@x.com"}))
    with pytest.raises(DataError, match=r"^items: what looks personal .*'kind' \(as category; e-mail"):
        loaded(MAPPING, shop)


def test_parquet_is_read(shop):
    pd.read_csv(shop / "orders1.csv").to_parquet(shop / "orders.parquet")
    connection = loaded(MAPPING.replace("orders*.csv*", "orders.parquet"), shop)
    assert connection.execute("SELECT sum(value) FROM raw_events").fetchone() == (7.0,)


def test_a_type_column_is_translated_and_other_rows_left_out(tmp_path):
    (tmp_path / "e.csv").write_text("u,t,k\na,2024-01-01,pv\na,2024-01-02,buy\na,2024-01-03,fav\n")
    text = """
    [[events]]
    files = "e.csv"
    customer = "u"
    time = "t"
    type = { column = "k", values = { pv = "view", buy = "purchase" } }
    """
    rows = loaded(text, tmp_path).execute("SELECT type, value FROM raw_events ORDER BY ts").fetchall()
    assert rows == [("view", 0.0), ("purchase", 0.0)]


def test_unix_times_and_time_zones(tmp_path):
    (tmp_path / "e.csv").write_text("u,t\na,1514764800\n")
    text = """
    [[events]]
    files = "e.csv"
    type = "purchase"
    customer = "u"
    time = "t"
    time_format = "unix"
    time_zone = "America/New_York"
    """
    (when,) = loaded(text, tmp_path).execute("SELECT ts FROM raw_events").fetchone()
    assert str(when) == "2017-12-31 19:00:00"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('type = "purchase"', 'type = "bought"'), "events.type: 'bought' is not one of view"),
        (('customer = "who"', ""), "events.customer: is missing"),
        (('order = "no"', 'ordr = "no"'), "events.ordr: is not a field; did you mean order?"),
        (('files = ["items.jsonl"]', ""), "items.files: is missing"),
        (('name = "Shop"', "name = "), "not valid TOML"),
    ],
)
def test_a_mistake_in_the_mapping_names_the_field(change, said, shop):
    with pytest.raises(DataError, match=r"^shop\.toml: ") as error:
        parse_mapping(MAPPING.replace(*change), shop, "shop.toml")
    assert said in str(error.value)


def test_all_mistakes_are_told_together(shop):
    with pytest.raises(DataError) as error:
        parse_mapping(MAPPING.replace('customer = "who"', "").replace('item = "sku"', ""), shop, "m")
    assert "events.customer" in str(error.value)
    assert "items.item" in str(error.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('time = "at"', 'time = "when"'), "events.time: there is no column 'when'; the file has who, at"),
        (("orders*.csv*", "sales.csv"), "events.files: 'sales.csv' matches no file"),
        (("= n * price", "= n * cost"), "events: cannot be read: Binder Error"),
        (
            ('item = "sku"\norder', 'item = "sku"\nwhere = "n >"\norder'),
            "events: cannot be read: Parser Error",
        ),
    ],
)
def test_files_that_do_not_fit_are_told(change, said, shop):
    with pytest.raises(DataError, match=said.replace("(", r"\(")):
        loaded(MAPPING.replace(*change), shop)


def test_every_ready_made_mapping_holds(tmp_path):
    assert {"online_retail", "rees46", "retailrocket", "taobao", "orders"} <= set(ready_made())
    for name in ready_made():
        assert [source for source in read_mapping(name, tmp_path).sources if source.kind == "events"]


def test_an_unknown_mapping_suggests_the_nearest(tmp_path):
    with pytest.raises(NotFoundError, match="online_retail"):
        read_mapping("online-retail", tmp_path)


CURRENCIES = """
[rates]
GBP = 1.0
usd = 0.5
EUR = [{ from = 2024-01-01, rate = 0.8 }, { from = "2024-07-01", rate = 0.9 }]

[[events]]
files = "e.csv"
type = "purchase"
customer = "u"
time = "t"
item = "i"
value = "v"
discount = "d"
currency = "c"
"""


def test_amounts_are_converted_by_the_rate_of_their_day(tmp_path):
    (tmp_path / "e.csv").write_text(
        "u,t,i,v,d,c\na,2024-02-01,x,10,1,GBP\na,2024-02-02,x,10,1,usd \na,2024-06-30,x,10,0,EUR\n"
        "a,2024-07-01,x,10,0,EUR\na,2023-12-31,x,10,0,EUR\na,2024-08-01,x,7,0,CHF\na,2024-08-02,x,5,0,\n"
        "a,2024-08-03,x,0,0,\n"
    )
    rows = loaded(CURRENCIES, tmp_path).execute(
        "SELECT value, discount, unknown_currency FROM raw_events ORDER BY ts"
    )
    # Before the first rate, in an unknown currency or in none: the amount is left as it was, and named.
    assert rows.fetchall() == [
        *((10, 0, "EUR"), (10, 1, None), (5, 0.5, None), (8, 0, None), (9, 0, None), (7, 0, "CHF")),
        *((5, 0, "?"), (0, 0, None)),
    ]


def test_a_currency_without_a_rate_is_rejected_and_named(tmp_path):
    lines = [f"c{n},2024-02-{n % 28 + 1:02d},x,10,0,GBP\n" for n in range(40)]
    (tmp_path / "e.csv").write_text("".join(["u,t,i,v,d,c\n", *lines, "a,2024-08-01,x,7,0,CHF\n"]))
    mapping = parse_mapping(CURRENCIES, tmp_path, "m")
    warehouse = Warehouse(build(tmp_path / "ws", lambda connection: load(mapping, connection)))
    checks = {check["name"]: check for check in warehouse.meta["quality"]["checks"]}
    assert checks["currencies known"]["verdict"] == "warn"
    assert "1 events (2.44%) are in a currency without a rate on their day: CHF (1)" in str(
        checks["currencies known"]
    )
    assert len(warehouse.fetch(warehouse.table("events"))) == 40
    assert warehouse.fetch(warehouse.table("rejects"))["value"].tolist() == [7]
    warehouse.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("GBP = 1.0", "GBP = 0"), "rates.GBP: must be a number above 0"),
        (("rate = 0.8", "rte = 0.8"), "rates.EUR: must be a number above 0, or a list of"),
        (("[rates]", "[rate]"), "rate: is not a field; did you mean rates?"),
    ],
)
def test_a_mistake_in_the_rates_is_named(change, said, tmp_path):
    with pytest.raises(DataError) as error:
        parse_mapping(CURRENCIES.replace(*change), tmp_path, "m")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("name", "folder", "events", "customers", "types"),
    [
        ("online_retail", "online_retail", 406_789, 4_371, {"purchase", "return"}),
        ("rees46", "rees46", 1_000, None, {"view", "add_to_cart", "purchase"}),
        ("taobao", "taobao", None, 815, {"view", "add_to_cart", "purchase"}),
        # 64,000 earlier purchases, 42,694 e-mails, 9,394 visits and 578 purchases after them.
        ("hillstrom", "hillstrom", 116_666, 64_000, {"view", "exposure", "purchase"}),
    ],
)
def test_real_data_sets_are_ingested(name, folder, events, customers, types, tmp_path):
    if not (SHARED / folder).exists():
        pytest.skip("shared/data is not here")
    mapping = read_mapping(name, SHARED / folder)
    warehouse = Warehouse(build(tmp_path, lambda connection: load(mapping, connection)))
    table = warehouse.table("events")
    found = warehouse.fetch(table.group_by("type").aggregate(rows=table.count()))
    assert set(found["type"]) == types
    assert events is None or abs(int(found["rows"].sum()) - events) <= 0.001 * events
    if customers is None:
        customers = pd.read_csv(next((SHARED / folder).glob("*.csv")))["user_id"].nunique()
    assert len(warehouse.features()) == customers
    warehouse.close()
