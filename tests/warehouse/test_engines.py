"""One definition, the same members on DuckDB, PostgreSQL and Spark: real engines, the whole language."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import get_args

import duckdb
import ibis
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from segments.codec import from_json
from segments.definition import Node
from segments.errors import DataError, DefinitionError, OperatorError
from segments.features import Aggregate, Computation, Measure, Part
from tests.conftest import loader
from tests.warehouse.busy import busy_source
from tests.warehouse.definitions import conditions, definitions
from warehouse.audience import Audiences
from warehouse.engine import Engine, copy_to
from warehouse.files import load
from warehouse.mapping import parse_mapping
from warehouse.store import Warehouse, build
from warehouse.tables import Tables

EACH_KIND = [
    {"event": "purchase", "items": {"text": ["kind 4", "milk"]}, "weekdays": ["sat", "sun"]},
    {"event": "return", "op": "<", "value": 2, "hours": [18, 7]},
    {"sequence": [{"event": "view"}, {"event": "purchase", "within_days": 7}], "same_item": True},
    {
        "sequence": [{"event": "view", "items": {"category": ["SOUP", "BEER"]}}],
        "then_not": {"event": "purchase", "within_days": 10},
    },
    {"repeat": "view", "times": 2, "within_days": 7, "unit": "sessions", "without": "purchase"},
    {"repeat": "purchase", "times": 2, "within_days": 20, "unit": "days"},
    {"first": "purchase", "items": {"category": ["SOUP"]}},
    {"last": "view", "from_days_ago": 10, "channel": ["app"]},
    {"compare": {"feature": "spend_90d"}, "op": ">", "than": {"event": "view", "measure": "value"}},
    {"rank_by": "spend_90d", "share": 0.2, "among": {"event": "view", "op": ">=", "value": 3}},
    {"rank_by": "mean_gap_days", "count": 4, "lowest": True},
    {"feature": "age", "op": "between", "value": ["25-34", "45-54"]},
    {"feature": "favourite_department", "op": "in", "value": ["GROCERY", "DAIRY"]},
    {"not": {"feature": "has_children", "op": "=", "value": True}},
    {"propensity": "purchase_30d", "min_probability": 0.7},
    {"propensity": "purchase_30d", "top_share": 0.25},
    {"uplift": "7", "min_effect": 0.3},
    {"uplift": "7", "top_share": 0.25},
    {"similar_to": {"segment": {"feature": "spend_90d", "op": ">", "value": 0}}, "top": 5},
    {"similar_to": {"text": "tea"}, "top": 4, "among": {"feature": "recency_days", "op": "<=", "value": 40}},
    {"all_of": [{"member_of": "viewers"}, {"feature": "recency_days", "op": "<=", "value": 40}]},
    {"any_of": [{"member_of": {"discovery": "kinds", "cluster": 1}}, {"event": "return"}]},
]


class Told:
    """Answers of models and the index that follow from the customers' ids alone."""

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids

    def propensity(self, outcome):
        return pd.Series([place / len(self.ids) for place in range(len(self.ids))], self.ids)

    def uplift(self, campaign):
        return 1 - 2 * self.propensity(campaign)

    def similar(self, seeds, top, within):
        return [one for one in self.ids if one not in seeds and (within is None or one in within)][:top]

    def caring(self, text, top, within):
        return [one for one in self.ids if within is None or one in within][len(text) :][:top]

    def cluster(self, discovery, number):
        return self.ids[number::2]


def audiences(tables: Tables) -> Audiences:
    ids = sorted(tables.fetch(tables.table("features").select("customer_id"))["customer_id"])
    viewers = from_json({"event": "view", "op": ">=", "value": 3})
    return Audiences(
        tables, Told(ids), lambda _name: viewers, lambda: ["viewers"], discoveries=lambda: {"kinds": 2}
    )


def parts_of(value: object) -> Iterator[object]:
    """An immutable value of the language with everything it is made of."""
    yield value
    if isinstance(value, tuple):
        for part in value:
            yield from parts_of(part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from parts_of(getattr(value, field.name))


def test_each_kind_of_condition_and_of_feature_is_among_those_compared(duck):
    kinds = {type(part) for definition in EACH_KIND for part in parts_of(from_json(definition))}
    missing = set(get_args(Node)) - kinds
    assert not missing
    # The mart is compared whole; what is near a taste is compared in test_tastes.
    computed = [part for feature in duck.catalogue for part in parts_of(feature.computation)]
    assert set(get_args(Computation)) == {type(part) for part in computed} - {
        str,
        int,
        type(None),
        tuple,
        bool,
    }
    measures = {part.measure for part in computed if isinstance(part, Aggregate)}
    assert set(get_args(Measure)) == measures
    assert set(get_args(Part)) == {part.part for part in computed if isinstance(part, Aggregate)} - {None}


@pytest.fixture(scope="module")
def duck(tmp_path_factory) -> Warehouse:
    return Warehouse(build(tmp_path_factory.mktemp("duck"), loader(busy_source(3))))


@pytest.fixture(scope="module")
def postgres(postgres_server, duck):
    connection = ibis.postgres.connect(host=postgres_server, user="postgres", database="postgres")
    yield copy_to(duck, connection)
    connection.disconnect()


@pytest.fixture(scope="module")
def spark(duck, spark_session):
    return copy_to(duck, ibis.pyspark.connect(spark_session))


@pytest.fixture(scope="module", params=["postgres", "spark"])
def engine(request) -> Engine:
    return request.getfixturevalue(request.param)


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
def test_the_feature_mart_is_the_same(duck, engine):
    found = engine.fetch(engine.table("features")).set_index("customer_id").sort_index()
    pd.testing.assert_frame_equal(found[list(duck.features().columns)], duck.features(), check_dtype=False)
    assert engine.item_values.keys() == duck.item_values.keys()


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
@pytest.mark.parametrize("definition", EACH_KIND, ids=lambda d: "-".join(map(str, d))[:40])
def test_each_kind_has_the_same_members(duck, engine, definition):
    node = from_json(definition)
    assert audiences(engine).members(node) == audiences(duck).members(node)


# Generation only, because shrinking on a slow engine takes minutes and the other engine's test shrinks too.
@given(definition=definitions | conditions)
@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_random_definitions_have_the_same_members_on_postgres(duck, postgres, definition):
    try:
        found = Audiences(duck).members(from_json(definition))
    except DefinitionError:
        return
    assert Audiences(postgres).members(from_json(definition)) == found


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
@given(definition=conditions)
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_random_definitions_have_the_same_members_on_spark(duck, spark, definition):
    try:
        found = Audiences(duck).members(from_json(definition))
    except DefinitionError:
        return
    assert Audiences(spark).members(from_json(definition)) == found


def test_a_table_of_a_database_is_ingested(postgres_server, postgres, duck, tmp_path, monkeypatch):
    text = """
    [[events]]
    database = "env:SHOP_DATABASE"
    table = "events"
    type = { column = "type", values = { purchase = "purchase", view = "view" } }
    customer = "customer_id"
    time = "ts"
    item = "item_id"
    order = "order_id"
    quantity = "quantity"
    value = "value"
    """
    mapping = parse_mapping(text, tmp_path, "shop.toml")
    monkeypatch.delenv("SHOP_DATABASE", raising=False)
    with pytest.raises(DataError, match="variable SHOP_DATABASE is not set"):
        load(mapping, duckdb.connect())
    monkeypatch.setenv("SHOP_DATABASE", f"postgresql://postgres@/postgres?host={postgres_server}")
    warehouse = Warehouse(build(tmp_path, lambda connection: load(mapping, connection)))
    events = duck.fetch(duck.table("events"))
    wanted = events[events["type"].isin(["purchase", "view"])]
    found = warehouse.fetch(warehouse.table("events"))
    assert found["type"].value_counts().to_dict() == wanted["type"].value_counts().to_dict()
    assert found["value"].sum() == wanted["value"].sum()
    warehouse.close()
    with pytest.raises(DataError, match="has no table 'nothing'"):
        load(parse_mapping(text.replace('"events"', '"nothing"'), tmp_path, "shop.toml"), duckdb.connect())


def test_a_database_that_cannot_be_reached_does_not_show_its_password(tmp_path):
    text = """
    [[events]]
    database = "postgresql://shop:s3cret@127.0.0.1:9/shop"
    table = "events"
    type = "purchase"
    customer = "c"
    time = "t"
    """
    with pytest.raises(DataError, match="cannot connect to the postgresql database") as caught:
        load(parse_mapping(text, tmp_path, "shop.toml"), duckdb.connect())
    assert "s3cret" not in str(caught.value)


def test_a_database_without_the_tables_is_told(duck):
    empty = Engine(ibis.duckdb.connect(), duck.catalogue, duck.as_of)
    with pytest.raises(OperatorError, match="has no table 'events'"):
        Audiences(empty).members(from_json({"event": "purchase"}))


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
@pytest.mark.parametrize("name", ["postgres", "spark"])
@pytest.mark.parametrize("definition", EACH_KIND, ids=lambda d: "-".join(map(str, d))[:40])
def test_the_sql_that_is_written_finds_the_same_members(duck, request, definition, name):
    node = from_json(definition)
    sql = audiences(duck).sql(node, name)
    if "listed_customers" in sql:
        return  # what models chose is a table that the engine does not have
    connection = request.getfixturevalue(name).connection
    rows = connection.raw_sql(sql)
    found = [row[0] for row in (rows.fetchall() if name == "postgres" else rows.collect())]
    if name == "postgres":
        rows.close()
    assert sorted(found) == audiences(duck).members(node)


def test_two_lists_that_models_made_are_two_tables(duck):
    both = {"all_of": [{"propensity": "purchase_30d", "top_share": 0.5}, {"uplift": "7", "top_share": 0.25}]}
    sql = audiences(duck).sql(from_json(both), "postgres")
    assert "listed_customers_1" in sql
    assert "listed_customers_2" in sql


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "bigquery", "trino", "clickhouse", "spark"])
def test_weekdays_and_times_are_written_as_every_engine_has_them(duck, dialect):
    sql = audiences(duck).sql(from_json({"event": "purchase", "weekdays": ["sat"]}), dialect).upper()
    # Days of a week are counted from 0 or from 1, and few engines put a time together from numbers.
    for words in ("DAY_OF_WEEK", "DAYOFWEEK", "FROM_PARTS", "MAKE_TIMESTAMP"):
        assert words not in sql
    assert "1970-01-05" in sql


@pytest.mark.parametrize("dialect", ["postgres", "spark", "snowflake", "bigquery", "clickhouse", "trino"])
@pytest.mark.parametrize("definition", EACH_KIND, ids=lambda d: "-".join(map(str, d))[:40])
def test_every_kind_is_written_in_other_dialects(duck, definition, dialect):
    sql = audiences(duck).sql(from_json(definition), dialect)
    assert sql.lstrip().upper().startswith(("SELECT", "WITH"))
    assert "customer_id" in sql
