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
