"""A mapping proposed for a file: the right columns, reasons, personal columns told, nothing guessed at load."""

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from segments.errors import DataError
from tests.conftest import ROOT
from warehouse.files import load
from warehouse.mapping import parse_mapping
from warehouse.personal import personal_kind
from warehouse.quality import report_of
from warehouse.store import FILE, build, known_of
from warehouse.suggest import suggest

SHARED = ROOT.parent / "shared" / "data"


def loaded(path: Path) -> dict[str, int]:
    """Events by type after the proposal is loaded as it is."""
    connection = duckdb.connect()
    load(parse_mapping(suggest(path).toml, path.parent, "suggested"), connection)
    return dict(connection.execute("SELECT type, count(*) FROM raw_events GROUP BY 1").fetchall())


def test_an_orders_table_is_understood_and_loads(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "order_id,member_id,email,created_at,sku,product_name,qty,unit_price\n"
        "1,m1,a@x.com,03/25/2024 10:00,s1,Green tea,2,3.5\n2,m2,b@y.org,12/01/2024 09:30,s2,Jam,1,4\n"
    )
    found = suggest(path)
    fields = {guess.field: guess.column for guess in found.guesses}
    assert fields["customer"] == "member_id"
    assert fields["time"] == "created_at"
    assert fields["order"] == "order_id"
    assert fields["name"] == "product_name"
    assert any("email looks personal" in note for note in found.notes)
    assert all(guess.reason for guess in found.guesses)
    assert loaded(path) == {"purchase": 2}


def test_a_file_without_names_of_columns_is_told_so(tmp_path):
    path = tmp_path / "UserBehavior.csv"
    path.write_text("1,2268318,2520377,pv,1511544070\n1,2333346,2520771,pv,1511561733\n")
    with pytest.raises(
        DataError, match=r"first line of UserBehavior.csv holds values, not names: 1, .*header = "
    ):
        suggest(path)


def test_a_clickstream_is_understood_and_loads(tmp_path):
    path = tmp_path / "clicks.parquet"
    pd.DataFrame(
        {
            "timestamp": [1_433_221_332_117, 1_433_224_214_164, 1_433_221_999_827],
            "visitorid": [257597, 992329, 111016],
            "event": ["view", "addtocart", "transaction"],
            "itemid": [355908, 248676, 318965],
        }
    ).to_parquet(path)
    assert loaded(path) == {"view": 1, "add_to_cart": 1, "purchase": 1}


def test_chinese_column_names_are_understood(tmp_path):
    path = tmp_path / "订单.csv"
    path.write_text(
        "订单号,会员号,下单时间,商品编号,数量,金额,手机号\n1,u1,2024-03-01 10:00:00,p1,2,30,+86 138 0013 8000\n"
    )
    found = suggest(path)
    assert loaded(path) == {"purchase": 1}
    assert any("phone number" in note for note in found.notes)


@pytest.mark.parametrize(
    ("names", "note"),
    [
        (("first_name", "Ann", "Bob"), "first_name looks personal (name): it is not mapped and never read."),
        (("contact", "a@x.com", "b@y.org"), "contact looks personal (e-mail address): it is not mapped"),
        (("name", "Ann", "Bob"), "name may be a person's name, as an item has several: it is not mapped"),
        (("store", "ann@x.com", "bob@y.org"), "store looks personal (e-mail address): it is not mapped"),
    ],
)
def test_what_names_a_person_is_never_proposed_for_a_product(names, note, tmp_path):
    path, (column, ann, bob) = tmp_path / "orders.csv", names
    path.write_text(
        f"order_id,customer_id,{column},ordered_at,sku,price\n"
        f"1,m1,{ann},2024-03-05 10:00:00,s1,3\n2,m2,{bob},2024-03-06 10:00:00,s1,3\n"
    )
    found = suggest(path)
    assert column not in {guess.column for guess in found.guesses}
    assert f'"{column}"' not in found.toml
    assert any(said.startswith(note) for said in found.notes)


def test_rows_without_a_customer_are_counted_by_the_load(tmp_path):
    path = tmp_path / "orders.csv"
    lines = [f"{n},{f'm{n}' if n else ''},2024-03-05 10:00:00,s1,3" for n in range(10)]
    path.write_text("\n".join(["order_id,customer_id,ordered_at,sku,price", *lines]) + "\n")
    found = suggest(path)
    assert "10.0% of the rows have no customer; they are counted and kept apart." in found.notes
    mapping = parse_mapping(found.toml, tmp_path, "suggested")
    build(tmp_path / "ws", lambda connection: load(mapping, connection))
    rules = {rule.name: rule.rows for rule in report_of(known_of(tmp_path / "ws" / FILE)["quality"]).rules}
    assert rules["event without customer or time"] == 1


@pytest.mark.parametrize(
    ("head", "rows", "own"),
    [
        ("line_id,order_id", ["1,a", "2,a", "3,b"], "line_id"),
        ("order_id,line_id", ["1,a", "2,a", "3,b"], "order_id"),  # an order each, the lines numbered within
        ("流水号,order_id", ["x1,a", "x2,a", "x3,b"], "流水号"),
        ("line_id,order_id", ["1,a", "1,a", "2,b"], None),
        ("weight,order_id", ["1.5,a", "2.5,a", "3.5,b"], None),  # differs in every row, and numbers none
        ("phone_no,order_id", ["+86 138 0013 8000,a", "+86 138 0013 8001,a", "+86 138 0013 8002,b"], None),
    ],
)
def test_a_column_that_numbers_the_rows_is_offered_as_their_id(head, rows, own, tmp_path):
    path = tmp_path / "orders.csv"
    lines = [f"{row},m{n % 2},2024-03-05 10:00:00,s1,3" for n, row in enumerate(rows)]
    path.write_text("\n".join([f"{head},customer_id,ordered_at,sku,price", *lines]) + "\n")
    offered = [note for note in suggest(path).notes if "add id = " in note]
    assert [f'add id = "{own}"' in note for note in offered] == ([True] if own else [])


def test_the_offered_id_makes_a_correction_replace(tmp_path):
    path = tmp_path / "orders.csv"
    head = "line_id,order_id,customer_id,ordered_at,sku,price\n"
    path.write_text(head + "1,a,m1,2024-03-05 10:00:00,s1,3\n2,a,m1,2024-03-05 10:00:00,s2,4\n")
    text = suggest(path).toml + 'id = "line_id"\n'
    (tmp_path / "orders_later.csv").write_text(head + "2,a,m1,2024-03-05 10:00:00,s2,9\n")
    mapping = parse_mapping(text.replace("orders.csv", "orders*.csv"), tmp_path, "suggested")
    build(tmp_path / "ws", lambda connection: load(mapping, connection))
    with duckdb.connect(str(tmp_path / "ws" / FILE), read_only=True) as connection:
        assert connection.execute("SELECT sum(value), count(*) FROM events").fetchone() == (12.0, 2)


def test_a_products_plain_name_is_proposed(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "order_id,customer_id,name,ordered_at,sku,price\n"
        "1,m1,Tea,2024-03-05 10:00:00,s1,3\n2,m2,Tea,2024-03-06 10:00:00,s1,3\n"
    )
    assert 'name = "name"' in suggest(path).toml


def test_a_file_without_a_customer_is_refused(tmp_path):
    path = tmp_path / "weather.csv"
    path.write_text("day,rain\n2024-01-01,3\n")
    with pytest.raises(DataError, match="looks like a customer"):
        suggest(path)
    with pytest.raises(DataError, match="is no file"):
        suggest(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("file", "types"),
    [
        ("online_retail/online_retail.csv.gz", {"purchase"}),
        ("rees46/2019-Oct-sample.csv", {"view", "add_to_cart", "purchase"}),
    ],
)
def test_real_files_load_with_the_proposal(file, types):
    path = SHARED / file
    if not path.exists():
        pytest.skip(f"{file} of the shared test data is not here")
    assert set(loaded(path)) == types


ORDERS = """order_id,customer_id,ordered_at,sku,qty,total,currency,campaign_id
1,m1,2024-03-25 10:00,s1,2,"€1.234,50",EUR,c1
2,m2,2024-03-26 10:00,s2,1,"€3,00",EUR,
3,m3,2024-03-27 10:00,s1,1,"£5,00",GBP,c1
"""
PEOPLE = """customer_id,email,Tier,country,birthYear,newsletter_opt_in,joined
m1,a@x.com,Gold,ES,1980,yes,2023-01-01
m2,b@y.org,silver,FR,1990,no,2023-02-01
m4,c@y.org,gold,ES,1990,no,2023-02-01
"""
PRODUCTS = "id,title,category,list_price\ns1,Tea,Drinks,3\ns2,Jam,Food,4\n"
CAMPAIGNS = "campaign_id,name,start_date,end_date,channel\nc1,Spring,13/03/2024,15/03/2024,mail\n"


@pytest.fixture
def files(tmp_path):
    """A shop's four exports."""
    made = {"orders": ORDERS, "people": PEOPLE, "products": PRODUCTS, "campaigns": CAMPAIGNS}
    for name, text in made.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return [tmp_path / f"{name}.csv" for name in made]


def test_several_files_are_told_apart_and_joined(files):
    found = suggest(*files)
    for name, kind in {
        "orders": "events",
        "people": "customers",
        "products": "items",
        "campaigns": "campaigns",
    }.items():
        assert f"{name}.csv holds {kind}." in found.notes
    assert (
        "orders.csv and people.csv join by customer_id = customer_id: 67% of the customers of the first are in the second."
        in found.notes
    )
    assert any(note.startswith("orders.csv and products.csv join by sku = id: 100%") for note in found.notes)
    assert any(
        "Amounts are in EUR, GBP: give [rates] what one GBP is worth in EUR" in note for note in found.notes
    )
    assert any("email looks personal" in note for note in found.notes)
    toml = found.toml.replace("# GBP = ...", "GBP = 1.2 #")
    connection = duckdb.connect()
    load(parse_mapping(toml, files[0].parent, "suggested"), connection)
    values = connection.execute("SELECT value, campaign_id FROM raw_events ORDER BY ts").fetchall()
    assert values == [(1234.5, "c1"), (3.0, None), (6.0, "c1")]
    people = connection.execute(
        "SELECT source_id, tier, country, birth_year, reach_email, joined::VARCHAR FROM raw_customers ORDER BY 1"
    ).fetchall()
    assert people[0] == ("m1", "gold", "ES", 1980.0, True, "2023-01-01")
    assert connection.execute("SELECT name FROM raw_items WHERE item_id = 's1'").fetchall() == [("Tea",)]
    campaign = connection.execute(
        "SELECT type, start_date::VARCHAR, end_date::VARCHAR FROM raw_campaigns"
    ).fetchall()
    assert campaign == [("mail", "2024-03-13", "2024-03-15")]


@pytest.mark.parametrize(
    ("start", "end", "read"),
    [
        ("1710288000", "1710460800", ("2024-03-13", "2024-03-15")),
        ("1710288000000", "1710460800000", ("2024-03-13", "2024-03-15")),
        ("13/03/2024", "2024-03-15", ("2024-03-13", "2024-03-15")),
        ("2024-03-13", "15/03/2024", ("2024-03-13", "2024-03-15")),
        # Of two ways of writing one is named: the end is left out, and that is said.
        ("13/03/2024", "20240315", ("2024-03-13", "2024-04-12")),
    ],
)
def test_campaigns_are_read_as_their_times_are_written(start, end, read, files, tmp_path):
    (tmp_path / "campaigns.csv").write_text(f"campaign_id,start_date,end_date\nc1,{start},{end}\n")
    found = suggest(files[0], tmp_path / "campaigns.csv")
    connection = duckdb.connect()
    load(parse_mapping(found.toml.replace("# GBP = ...", "GBP = 1.2 #"), tmp_path, "suggested"), connection)
    days = "SELECT start_date::VARCHAR, end_date::VARCHAR FROM raw_campaigns"
    assert connection.execute(days).fetchall() == [read]
    assert any("a campaign lasts 30 days" in note for note in found.notes) == (end == "20240315")


def test_a_chinese_customer_table_is_understood(files, tmp_path):
    path = tmp_path / "会员.csv"
    path.write_text(
        "会员号,性别,会员等级,注册日期,接收短信,积分,手机号\n"
        "m1,女,金卡,2023-01-01,是,10,+86 138 0013 8000\nm2,男,银卡,2023-02-01,否,20,+86 138 0013 8001\n",
        encoding="utf-8",
    )
    found = suggest(files[0], path)
    assert "会员.csv: 手机号 looks personal (phone number): it is not mapped and never read." in found.notes
    mapping = parse_mapping(found.toml.replace("# GBP = ...", "GBP = 1.2 #"), tmp_path, "suggested")
    said = {one.name: (one.kind, one.levels, one.label_zh) for one in mapping.attributes}
    assert said == {
        "gender": ("text", (), "性别"),
        "tier": ("ordered", ("银卡", "金卡"), "会员等级"),
        "registered": ("date", (), "注册日期"),
        "points": ("number", (), "积分"),
    }
    assert [one.name for one in mapping.attributes if one.group] == ["gender"]
    assert mapping.sources[-1].reach == {"sms": "接收短信"}


@pytest.mark.parametrize(
    ("column", "values", "sign", "read"),
    [
        ("total", ["$1,234.50", "$3"], "$", [3.0, 1234.5]),
        ("total", ["1.234,50 €", "3,00 €"], "€", [3.0, 1234.5]),
        ("金额(元)", ["30元", "1,200元"], "¥", [30.0, 1200.0]),
        ("total_gbp", ["3.5", "4"], "£", [3.5, 4.0]),
        ("total", ["3.5", "4"], "$", [3.5, 4.0]),
    ],
)
def test_the_currency_and_the_amounts_are_read_as_files_write_them(column, values, sign, read, tmp_path):
    path = tmp_path / "orders.csv"
    table = {
        "customer_id": ["a", "b"],
        "ordered_at": ["2024-03-05", "2024-03-06"],
        "order_id": [1, 2],
        "sku": "s",
    }
    pd.DataFrame(table | {column: values}).to_csv(path, index=False)
    found = suggest(path)
    mapping = parse_mapping(found.toml, tmp_path, "suggested")
    assert mapping.currency == sign
    connection = duckdb.connect()
    load(mapping, connection)
    assert sorted(v for (v,) in connection.execute("SELECT value FROM raw_events").fetchall()) == read


def test_the_real_customer_table_is_proposed_and_loads(tmp_path):
    path = SHARED / "marketing_campaign" / "marketing_campaign.csv"
    if not path.exists():
        pytest.skip("the shared test data are not here")
    (tmp_path / path.name).symlink_to(path)
    pd.DataFrame({"user_id": [5524, 2174], "ordered_at": "2014-07-01", "sku": "x", "price": 3.0}).to_csv(
        tmp_path / "orders.csv", index=False
    )
    found = suggest(tmp_path / "orders.csv", tmp_path / path.name)
    assert any("join by user_id = ID: 100%" in note for note in found.notes)
    mapping = parse_mapping(found.toml, tmp_path, "suggested")
    kinds = {one.name: one.kind for one in mapping.attributes}
    assert (kinds["education"], kinds["income"], kinds["complain"], kinds["dt_customer"]) == (
        *("text", "number", "yes-no", "date"),
    )
    connection = duckdb.connect()
    load(mapping, connection)
    assert connection.execute("SELECT count(*), count(education) FROM raw_customers").fetchone() == (
        2240,
        2240,
    )


@pytest.mark.parametrize(
    ("name", "examples", "kind"),
    [
        ("Email", [], "e-mail address"),
        ("contact", ["ann@shop.com", "bob@x.org"], "e-mail address"),
        ("c7", ["+1 650 253 0000", "+44 20 7946 0958"], "phone number"),
        ("LastName", ["Miller"], "name"),
        ("client", ["10.0.0.1", "192.168.1.7"], "network address"),
        ("身份证号", [], "identity number"),
        ("customer_id", ["17850", "13047"], None),
        ("InvoiceDate", ["2010-12-01 08:26:00"], None),
        ("product_name", ["TEA (GREEN)"], None),
        ("price", ["2.55"], None),
        ("barcode", ["4006381333931"], None),
    ],
)
def test_personal_columns_are_recognised(name, examples, kind):
    assert personal_kind(name, examples) == kind


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"customer_id,ordered_at,total\n", "has no rows"),
        (
            "customer;ordered_at;city\nk1;2024-01-01;Москва\n".encode("cp1251"),
            "is not UTF-8; say with encoding",
        ),
        (
            b'id,day,total,note\r\n1,2024-01-01,"$1,200.50",x\r\n\n2,2024-01-02,"$3,100.50",x\r\n',
            "line ends of two kinds",
        ),
    ],
)
def test_what_is_wrong_with_a_file_and_what_to_do_is_said(content, said, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        suggest(path)
    if "rows" not in said:
        mapping = '[[events]]\nfiles = ["orders.csv"]\ntype = "purchase"\ncustomer = "id"\ntime = "day"\n'
        with pytest.raises(DataError, match=rf"orders\.csv.*{said}"):
            load(parse_mapping(mapping, tmp_path, "m"), duckdb.connect())


def test_objects_of_json_are_no_column_and_their_parts_are_shown(tmp_path):
    path = tmp_path / "clicks.jsonl"
    path.write_text(
        '{"user": {"id": "u1", "ip": "10.0.0.1"}, "client": "c1", "ts": 1704067200, "event": "view"}\n'
    )
    found = suggest(path)
    assert {guess.field: guess.column for guess in found.guesses}["customer"] == "client"
    assert any('\'= "user"."PART"\'' in note for note in found.notes)
    path.write_text('{"user": {"id": "u1", "ip": "10.0.0.1"}, "ts": 1704067200, "event": "view"}\n')
    with pytest.raises(DataError, match=r'looks like a customer.*"user"."PART"'):
        suggest(path)
    mapping = found.toml.replace('customer = "client"', 'customer = \'= "user"."id"\'')
    connection = duckdb.connect()
    load(parse_mapping(mapping, tmp_path, "m"), connection)
    assert connection.execute("SELECT source_id FROM raw_events").fetchall() == [("u1",)]


@pytest.mark.parametrize(("moment", "utc"), [("2024-03-01T10:00:00Z", True), ("2024-03-01T10:00:00", False)])
def test_times_in_utc_ask_for_the_shops_zone(moment, utc, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(f"order_id,customer_id,ordered_at,total\n1,c1,{moment},5\n2,c1,{moment},5\n")
    assert any("time_zone" in note for note in suggest(path).notes) == utc
