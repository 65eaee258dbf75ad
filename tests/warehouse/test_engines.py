"""One definition, the same members on DuckDB, PostgreSQL and Spark: real engines, the whole language."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import ibis
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from segments.codec import from_json
from segments.errors import DefinitionError, OperatorError
from tests.conftest import loader
from tests.warehouse.busy import busy_source
from tests.warehouse.definitions import conditions, definitions
from warehouse.audience import Audiences
from warehouse.engine import Engine, copy_to
from warehouse.store import Warehouse, build

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
]


@pytest.fixture(scope="module")
def duck(tmp_path_factory) -> Warehouse:
    return Warehouse(build(tmp_path_factory.mktemp("duck"), loader(busy_source(3))))


def _postgres_programs() -> Path | None:
    places = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


@pytest.fixture(scope="module")
def postgres(duck):
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: run scripts/install-test-programs")
    # Not below pytest's own folder, which only its owner may enter: PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="segassist-postgres-"))
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*user, str(programs / program), *arguments], check=True, cwd="/", stdout=subprocess.DEVNULL
        )

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
    # A socket's path may have at most 107 letters.
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    run("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        connection = ibis.postgres.connect(host=str(folder), user="postgres", database="postgres")
        yield copy_to(duck, connection)
        connection.disconnect()
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def spark(duck, tmp_path_factory):
    if shutil.which("java") is None:
        pytest.skip("Java is not installed: run scripts/install-test-programs")
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("spark")))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield copy_to(duck, ibis.pyspark.connect(session))
    session.stop()


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
    assert Audiences(engine).members(node) == Audiences(duck).members(node)


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


def test_a_database_without_the_tables_is_told(duck):
    empty = Engine(ibis.duckdb.connect(), duck.catalogue, duck.as_of)
    with pytest.raises(OperatorError, match="has no table 'events'"):
        Audiences(empty).members(from_json({"event": "purchase"}))


@pytest.mark.parametrize("dialect", ["postgres", "spark", "snowflake", "bigquery", "clickhouse", "trino"])
@pytest.mark.parametrize("definition", EACH_KIND, ids=lambda d: "-".join(map(str, d))[:40])
def test_every_kind_is_written_in_other_dialects(duck, definition, dialect):
    sql = Audiences(duck).sql(from_json(definition), dialect)
    assert sql.lstrip().upper().startswith(("SELECT", "WITH"))
    assert "customer_id" in sql
