"""A database's table read by a column that only grows: what is new is added, and all is as if loaded at once."""

import os
from collections.abc import Callable

import ibis
import pytest

from segments.errors import DataError
from tests.warehouse.test_intake import ingest, same, tables

MAPPING = """
name = "Shop"
[[events]]
database = "env:SHOP_DATABASE"
table = "TABLE"
since = "changed"
type = "purchase"
id = "id"
customer = "who"
time = "at"
item = "sku"
order = "no"
quantity = "n"
value = "price"
"""


@pytest.fixture
def orders(postgres_server, monkeypatch) -> Callable[..., None]:
    """Puts orders (id, day, changed, price) into a real table of orders, one in place of another of its id."""
    address = f"postgresql://postgres@/postgres?host={postgres_server}"
    monkeypatch.setenv("SHOP_DATABASE", address)
    database = ibis.connect(address)
    run = database.raw_sql
    run("DROP TABLE IF EXISTS orders_since")
    run(
        "CREATE TABLE orders_since (id INTEGER PRIMARY KEY, who VARCHAR, at TIMESTAMP, sku VARCHAR, no VARCHAR, "
        "n INTEGER, price DOUBLE PRECISION, changed TIMESTAMP, number INTEGER)"
    )

    def put(*rows: tuple[int, int, str, float]) -> None:
        for id_, day, changed, price in rows:
            run(f"DELETE FROM orders_since WHERE id = {id_}")
            run(
                f"INSERT INTO orders_since VALUES ({id_}, 'c{id_ % 7}', '2024-03-{day:02d} 10:00', 'p{id_ % 3}', "
                f"'o{id_}', 1, {price}, '2024-03-{changed}', {id_})"
            )

    yield put
    run("DROP TABLE orders_since")
    database.disconnect()


FIRST = [(n, 1 + n % 3, f"{1 + n % 3:02d} 12:00:00.{n:06d}", 2.0 + n) for n in range(40)]
LATER = [(100 + n, 4, f"04 12:00:00.{n:06d}", 5.0 + n) for n in range(10)]
TEXT = MAPPING.replace("TABLE", "orders_since")


def test_only_what_is_new_is_read_and_all_is_as_if_loaded_at_once(orders, tmp_path):
    orders(*FIRST)
    first, _ = ingest(tmp_path, text=TEXT)
    assert first.action == "build"
    again, _ = ingest(tmp_path, text=TEXT)
    assert again.action == "nothing"
    orders(*LATER, (3, 1, "04 13:00", 99.0), (200, 2, "03 11:00", 7.0))  # new, corrected, committed late
    more, added = ingest(tmp_path, text=TEXT)
    assert more.action == "add"
    assert more.parts[0].after.startswith("2024-03-03 12:00:00.0000")
    assert added.events < len(FIRST)  # of the old ones only a day is read again
    added_to = tables(tmp_path / "ws")
    assert len(added_to["events"]) == len(FIRST) + len(LATER) + 1
    assert ingest(tmp_path, text=TEXT)[0].action == "nothing"
    whole, _ = ingest(tmp_path, text=TEXT, rebuild=True)
    assert whole.action == "build"
    same(tables(tmp_path / "ws"), added_to)


def test_rows_without_an_id_are_read_once_by_a_number(orders, tmp_path):
    text = TEXT.replace('since = "changed"', 'since = "number"').replace('id = "id"\n', "")
    orders(*FIRST)
    ingest(tmp_path, text=text)
    orders(*LATER)
    _, added = ingest(tmp_path, text=text)
    assert added.events == len(LATER)
    added_to = tables(tmp_path / "ws")
    ingest(tmp_path, text=text, rebuild=True)
    same(tables(tmp_path / "ws"), added_to)


def test_an_empty_table_waits_for_its_first_rows(orders, tmp_path):
    both = TEXT + TEXT.partition('name = "Shop"')[2].replace("orders_since", "orders_later")
    orders(*FIRST)
    address = ibis.connect(os.environ["SHOP_DATABASE"])
    address.raw_sql("CREATE TABLE orders_later (LIKE orders_since)")
    try:
        ingest(tmp_path, text=both)
        address.raw_sql(
            "INSERT INTO orders_later SELECT id + 500, who, at, sku, no || 'x', n, price, changed, number FROM orders_since"
        )
        more, added = ingest(tmp_path, text=both)
        assert (more.action, list(more.parts), added.events) == ("add", [1], len(FIRST))
    finally:
        address.raw_sql("DROP TABLE orders_later")
        address.disconnect()


@pytest.mark.parametrize(
    ("since", "told"),
    [
        ("nothing", "has no column 'nothing'; it has id"),
        ("sku", "must hold times or whole numbers that only grow"),
    ],
)
def test_a_column_that_cannot_tell_what_is_new_is_refused(orders, tmp_path, since, told):
    orders(*FIRST[:2])
    with pytest.raises(DataError, match=told):
        ingest(tmp_path, text=TEXT.replace('since = "changed"', f'since = "{since}"'))


def test_files_are_known_by_themselves(tmp_path):
    text = TEXT.replace('database = "env:SHOP_DATABASE"\ntable = "orders_since"', 'files = ["days"]')
    with pytest.raises(DataError, match="is for a table of a database"):
        ingest(tmp_path, text=text)
