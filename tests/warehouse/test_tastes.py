"""Taste features: computed by the engine from how near items are, as of any date, kept through every change."""

from datetime import date, datetime, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segments.codec import from_json
from segments.errors import DataError
from segments.explain import explain
from segments.features import Catalogue
from segments.tastes import Taste, read_tastes
from tests.conftest import loader, small_source
from warehouse.audience import Audiences
from warehouse.engine import copy_to
from warehouse.erase import erase
from warehouse.mart import feature_mart
from warehouse.pseudonyms import Vault
from warehouse.restore import restore
from warehouse.store import FILE, Warehouse, build
from warehouse.tastes import nearest, write_tastes

MILK = Taste("milky", ("milk",), "milk products", "奶制品", near=0.5)
SWEET = Taste("sweet", ("candy",), "sweets", "甜食", near=0.3, days=60, synonyms_en=("sweet tooth",))
FEATURE = MILK.feature


def near(items: pd.DataFrame) -> pd.DataFrame:
    """Made-up cosines: milk is near milk; sweets fade with the number of the item; one item has no text."""
    number = items["item_id"].str[1:].astype(int)
    milk = np.where(items["category"] == "MILK", 0.8, 0.2)
    sweet = pd.Series(1 - number / 10).where(number != 3)
    return pd.DataFrame({"item_id": items["item_id"], "taste_milky": milk, "taste_sweet": sweet})


def tasting(folder, source, tastes=(MILK, SWEET)) -> Warehouse:
    build(folder, loader(source))
    write_tastes(folder, tastes, near(source["items"]))
    return Warehouse(folder / FILE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def shop(folder):
    return tasting(folder, small_source())


def by_hand(source, taste: Taste, as_of: date) -> pd.Series:
    """The share, by loops over the source."""
    cosines = near(source["items"]).set_index("item_id")[taste.column]
    end = datetime.combine(as_of, datetime.min.time())
    events = source["events"]
    rows = events[
        (events["type"] == "purchase")
        & (events["ts"] < end)
        & (events["ts"] >= end - timedelta(days=taste.days))
    ]
    shares = {}
    for customer, own in rows.groupby("source_id"):
        close = sum(row.value for row in own.itertuples() if cosines[row.item_id] >= taste.near)
        shares[customer] = close / own["value"].sum()
    return pd.Series(shares, dtype=float)


@pytest.mark.parametrize("taste", [MILK, SWEET], ids=lambda taste: taste.name)
@pytest.mark.parametrize("as_of", [date(2018, 1, 1), date(2017, 8, 15)])
def test_it_is_the_share_of_spend_on_items_that_are_near(folder, shop, taste, as_of):
    found = shop.features(as_of)[taste.feature].dropna()
    found.index = Vault(folder).source_ids(list(found.index))
    expected = by_hand(small_source(), taste, as_of)
    assert 0 < expected.mean() < 1
    pd.testing.assert_series_equal(found.sort_index(), expected.sort_index(), check_names=False, rtol=1e-9)


@given(
    cut=st.dates(date(2017, 3, 1), date(2017, 12, 1)),
    later=st.lists(
        st.tuples(st.integers(0, 59), st.integers(0, 11), st.integers(0, 300), st.floats(0.01, 1e4)),
        min_size=1,
        max_size=8,
    ),
)
@settings(max_examples=25, deadline=None)
def test_no_event_after_the_date_changes_it(shop, cut, later):
    """Whatever is bought from the date on: the features as of the date are as they were."""
    names = [MILK.feature, SWEET.feature]
    before = shop.fetch(shop.mart_expression(cut, names)).set_index("customer_id").sort_index()
    ids = sorted(shop.features().index)
    rows = pd.DataFrame(
        {
            "customer_id": [ids[who % len(ids)] for who, *_ in later],
            "ts": [
                datetime.combine(cut, datetime.min.time()) + timedelta(hours=hours)
                for _, _, hours, _ in later
            ],
            "item_id": [f"i{item}" for _, item, _, _ in later],
            "value": [value for *_, value in later],
        }
    )
    events = shop.table("events")
    columns = {n: rows[n] if n in rows else pd.Series([None] * len(rows)) for n in events.columns}
    more = pd.DataFrame(columns).assign(type="purchase", quantity=1.0, discount=0.0)
    wanted = Catalogue(feature for feature in shop.catalogue if feature.name in names)
    longer = events.union(ibis.memtable(more, schema=events.schema()))
    expression = feature_mart(longer, shop.table("items"), shop.table("customers"), wanted, cut)
    after = shop.fetch(expression).set_index("customer_id").sort_index()
    pd.testing.assert_frame_equal(after, before, rtol=1e-9)


def test_it_is_a_feature_of_the_language_with_its_words(shop):
    definition = from_json({"feature": FEATURE, "op": ">=", "value": 0.3})
    audiences = Audiences(shop)
    expected = int((shop.features()[FEATURE] >= 0.3).sum())
    assert audiences.size(definition) == expected > 0
    assert "share of spend near milk products in the last 365 days" in explain(
        definition, shop.catalogue, "en"
    )
    assert "奶制品相近的消费占比" in explain(definition, shop.catalogue, "zh")
    assert "sweet tooth" in shop.catalogue[SWEET.feature].synonyms_en


@pytest.fixture(scope="module")
def postgres(postgres_server):
    connection = ibis.postgres.connect(host=postgres_server, user="postgres", database="postgres")
    yield connection
    connection.disconnect()


@pytest.fixture(scope="module")
def spark(spark_session):
    return ibis.pyspark.connect(spark_session)


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
@pytest.mark.parametrize("name", ["postgres", "spark"])
def test_it_is_the_same_on_other_engines(shop, request, name):
    engine = copy_to(shop, request.getfixturevalue(name), "tastes_")
    definition = from_json(
        {
            "all_of": [
                {"feature": FEATURE, "op": ">", "value": 0.1},
                {"feature": SWEET.feature, "op": "<", "value": 0.9},
            ]
        }
    )
    members = Audiences(engine).members(definition)
    assert members == Audiences(shop).members(definition)
    assert 0 < len(members) < 60
    found = engine.fetch(engine.table("features")).set_index("customer_id").sort_index()
    tastes = [FEATURE, SWEET.feature]
    pd.testing.assert_frame_equal(found[tastes], shop.features()[tastes], check_dtype=False, rtol=1e-9)


def test_tastes_are_kept_when_the_data_change_and_replaced_when_declared_anew(tmp_path):
    source = small_source()
    folder = tmp_path
    tasting(folder, source).close()
    someone = next(iter(source["events"]["source_id"]))
    erase(folder, someone)
    restore(folder, "empty")
    warehouse = Warehouse(folder / FILE)
    assert warehouse.tastes == (MILK, SWEET)
    assert (warehouse.features()[FEATURE] > 0).any()
    warehouse.close()
    write_tastes(folder, (MILK,), near(source["items"]))
    warehouse = Warehouse(folder / FILE)
    assert FEATURE in warehouse.features()
    assert SWEET.feature not in warehouse.features()
    assert "taste_sweet" not in warehouse.table("items").columns
    warehouse.close()
    write_tastes(folder, (), near(source["items"]))
    warehouse = Warehouse(folder / FILE)
    assert FEATURE not in warehouse.features()
    assert len(warehouse.table("items").columns) == len(source["items"].columns)


def test_what_counts_as_near_can_be_looked_at(shop):
    found = nearest(shop, MILK)
    assert found.items == 3
    assert all("MILK" in kind for kind in found.within)
    assert not any("MILK" in kind for kind in found.beyond)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"name": "Organic!", "phrases": ["x"]}, r"tastes\[0\].name: must be small letters"),
        ({"name": "organic"}, "phrases: must be a list of texts"),
        ({"name": "organic", "phrases": []}, "phrases: must name at least one"),
        ({"name": "organic", "phrases": "food"}, "phrases: must be a list of texts; got 'food'"),
        ({"name": "organic", "phrases": ["x"], "near": 2}, "near: must lie above 0 and at most 1; got 2"),
        (
            {"name": "organic", "phrases": ["x"], "days": 0},
            "days: must be a whole number of days, at least 1",
        ),
        ({"name": "organic", "phrases": ["x"], "colour": 1}, "colour: not a field here"),
        ({"name": "organic", "phrases": ["x"], "label": 3}, "label: must be a text"),
        ("organic", "must be a table"),
    ],
)
def test_a_mistake_in_a_declaration_is_named(declared, said):
    with pytest.raises(DataError, match=said):
        read_tastes([declared], "segassist.toml")


def test_names_are_declared_once():
    with pytest.raises(DataError, match="there is a taste 'organic' already"):
        read_tastes([{"name": "organic", "phrases": ["x"]}] * 2, "segassist.toml")
