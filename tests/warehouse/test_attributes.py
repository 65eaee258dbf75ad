"""Attributes that a retailer declares: read by kind, counted where they cannot be, features on every engine."""

from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest

from segments.codec import from_json
from segments.errors import DataError
from segments.explain import explain
from tests.conftest import ROOT
from warehouse.append import append, load_all
from warehouse.audience import Audiences
from warehouse.engine import copy_to
from warehouse.intake import take_in
from warehouse.ledger import read_ledger
from warehouse.mapping import Mapping, parse_mapping
from warehouse.quality import report_of
from warehouse.store import FILE, Warehouse, write_features

REAL = ROOT.parent / "shared" / "data" / "marketing_campaign"
EVENTS = """
[[events]]
files = ["orders*.csv"]
type = "purchase"
customer = "u"
time = "t"
item = "i"
"""
PEOPLE = """
[[customers]]
files = ["people*.csv"]
customer = "u"
[[customers.attributes]]
name = "tier"
column = "Tier"
kind = "ordered"
levels = ["bronze", "silver", "gold"]
levels_zh = ["铜卡", "银卡", "金卡"]
label = "loyalty tier"
label_zh = "会员等级"
group = true
[[customers.attributes]]
name = "country"
kind = "text"
[[customers.attributes]]
name = "points"
kind = "number"
[[customers.attributes]]
name = "newsletter"
column = "News"
kind = "yes-no"
[[customers.attributes]]
name = "joined"
kind = "date"
"""
MAPPING = EVENTS + PEOPLE
ORDERS = [("a", "2024-01-05"), ("b", "2024-02-01"), ("c", "2024-02-10"), ("d", "2024-02-20")]
ROWS = [
    ("a", "Gold ", "ES", 10, "yes", "2023-12-31"),
    ("b", "silver", "FR", 2.5, "N", "2024-02-21"),
    ("c", "BRONZE", "ES", None, None, "2024-02-25"),
    ("d", "platinum", "", "lots", "perhaps", "2024-01-01"),
]
COLUMNS = ["u", "Tier", "country", "points", "News", "joined"]


def people(rows, path: Path) -> None:
    pd.DataFrame(rows, columns=COLUMNS).to_csv(path, index=False)


def orders(rows, path: Path) -> None:
    pd.DataFrame([(u, t, "x") for u, t in rows], columns=["u", "t", "i"]).to_csv(path, index=False)


def ingest(folder: Path, mapping: Mapping) -> Warehouse:
    workspace = folder / "ws"
    intake = take_in(mapping, read_ledger(workspace / FILE), "code")
    if intake.action == "build":
        load_all(mapping, workspace, intake, "code")
    elif intake.action == "add":
        append(workspace, mapping, intake)
    return Warehouse(workspace / FILE)


@pytest.fixture
def shop(tmp_path):
    orders(ORDERS, tmp_path / "orders1.csv")
    people(ROWS, tmp_path / "people1.csv")
    return tmp_path


def by_id(warehouse: Warehouse, folder: Path) -> pd.DataFrame:
    """The feature mart by the ids of the source."""
    vault = pd.read_parquet(folder / "ws" / "vault.parquet")
    return warehouse.features().rename(index=dict(vault[["customer_id", "source_id"]].to_numpy()))


def check(warehouse: Warehouse, name: str):
    return next(c for c in report_of(warehouse.meta["quality"]).checks if c.name == name)


def test_each_kind_is_read_and_what_cannot_be_is_counted(shop):
    warehouse = ingest(shop, parse_mapping(MAPPING, shop, "m"))
    found = by_id(warehouse, shop)
    assert found["tier"].fillna("-").to_dict() == {"a": "gold", "b": "silver", "c": "bronze", "d": "-"}
    assert found["country"].fillna("-").to_dict() == {"a": "ES", "b": "FR", "c": "ES", "d": "-"}
    assert found["points"].fillna(-1).to_dict() == {"a": 10.0, "b": 2.5, "c": -1, "d": -1}
    assert found["newsletter"].dropna().to_dict() == {"a": True, "b": False}
    # As of 2024-02-21: whoever joins that day or later has not yet.
    assert warehouse.as_of == date(2024, 2, 21)
    assert found["joined_days"].fillna(-1).to_dict() == {"a": 52, "b": -1, "c": -1, "d": 51}
    said = check(warehouse, "customers readable")
    assert said.verdict == "warn"
    assert "tier (1 of 4, such as 'platinum')" in said.detail
    assert "points (1 of 3, such as 'lots')" in said.detail
    assert "newsletter (1 of 3, such as 'perhaps')" in said.detail
    assert warehouse.catalogue["country"].levels == ("ES", "FR")
    assert [f.name for f in warehouse.catalogue if f.group and f.name == "tier"] == ["tier"]
    warehouse.close()


def test_a_column_that_mostly_cannot_be_read_stops_the_load(shop):
    people([(u, t, c, "many", n, j) for u, t, c, _, n, j in ROWS], shop / "people1.csv")
    with pytest.raises(DataError, match=r"points \(4 of 4, such as 'many'\)"):
        ingest(shop, parse_mapping(MAPPING, shop, "m"))


def test_a_later_file_brings_values_and_levels_and_the_days_go_on(shop):
    mapping = parse_mapping(MAPPING, shop, "m")
    ingest(shop, mapping).close()
    people(
        [("b", "gold", None, None, "yes", None), ("e", "gold", "DE", 1, "Y", "2024-02-24")],
        shop / "people2.csv",
    )
    orders([("e", "2024-02-25")], shop / "orders2.csv")
    warehouse = ingest(shop, mapping)
    found = by_id(warehouse, shop)
    assert found["tier"].dropna().to_dict() == {"a": "gold", "b": "gold", "c": "bronze", "e": "gold"}
    assert found.loc["b", "country"] == "FR"  # what the new row does not tell stays
    assert found["joined_days"].to_dict() == {"a": 57, "b": 5, "c": 1, "d": 56, "e": 2}
    assert warehouse.catalogue["country"].levels == ("ES", "FR", "DE")
    said = check(warehouse, "attribute values known")
    assert (said.verdict, "country 'DE' (1)" in said.detail) == ("warn", True)
    refreshed = warehouse.features()
    warehouse.close()
    write_features(shop / "ws" / FILE)
    whole = Warehouse(shop / "ws" / FILE)
    pd.testing.assert_frame_equal(refreshed, whole.features(), check_dtype=False)
    whole.close()


def test_a_date_is_known_only_after_it(shop):
    warehouse = ingest(shop, parse_mapping(MAPPING, shop, "m"))
    day = date(2024, 2, 15)
    early = warehouse.features(day)["joined_days"]
    assert sorted(early.dropna()) == [46.0]
    warehouse.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('kind = "number"', 'kind = "amount"'), r"attributes\[2\]\.kind: must be one of text, ordered"),
        (('name = "points"', 'name = "spend_365d"'), r"\.name: 'spend_365d' is computed here"),
        (('name = "joined"', 'name = "recency"'), r"\.name: 'recency' is computed here"),
        (('name = "points"', 'name = "Points"'), r"\.name: must be small letters"),
        (('name = "points"', 'name = "tier"'), r"\.name: 'tier' is declared twice"),
        (
            ('levels_zh = ["铜卡", "银卡", "金卡"]', 'levels_zh = ["铜卡"]'),
            r"levels_zh: must be as many as the levels: 3",
        ),
        (('levels = ["bronze", "silver", "gold"]\n', ""), r"levels: must name the values in order"),
        (('column = "Tier"', 'colum = "Tier"'), r"colum: not a field here; accepted are column"),
        (
            ('customer = "u"\n[[customers.attr', 'customer = "u"\ntier = "T"\n[[customers.attr'),
            "tier: is not a field",
        ),
        (('name = "country"', 'name = "age"\ngroup = 3'), r"group: must be true or false"),
        (('kind = "date"', 'kind = "date"\ngroup = true'), r"group: is of values that part customers"),
        (('column = "Tier"', 'column = "Tear"'), None),
    ],
)
def test_a_mistake_names_its_field(shop, change, said):
    text = MAPPING.replace(*change)
    assert text != MAPPING
    if said is None:
        with pytest.raises(DataError, match=r"customers\.attributes\.tier: there is no column 'Tear'"):
            ingest(shop, parse_mapping(text, shop, "m"))
        return
    with pytest.raises(DataError, match=said):
        parse_mapping(text, shop, "m")


def test_an_attribute_takes_the_place_of_a_known_one_but_not_beside_it(shop):
    own = MAPPING.replace('name = "points"', 'name = "age"\ncolumn = "points"')
    warehouse = ingest(shop, parse_mapping(own, shop, "m"))
    assert warehouse.catalogue["age"].numeric
    assert by_id(warehouse, shop).loc["a", "age"] == 10.0
    warehouse.close()
    with pytest.raises(DataError, match=r"customers\.age: is declared as an attribute too"):
        parse_mapping(own.replace('files = ["people', 'age = "points"\nfiles = ["people'), shop, "m")


@pytest.mark.parametrize(
    ("name", "column", "values", "kind"),
    [
        ("contact", "contact", ["ann@shop.com", "bob@x.org", "cy@x.org", "di@x.org"], "e-mail address"),
        ("called", "last_name", ["Miller", "Smith", "Kim", "Li"], "name"),
        ("last_name", "c7", ["Miller", "Smith", "Kim", "Li"], "name"),
    ],
)
def test_what_looks_personal_is_refused_unless_allowed(shop, name, column, values, kind):
    pd.DataFrame({"u": list("abcd"), column: values}).to_csv(shop / "people1.csv", index=False)
    declared = f'[[customers]]\nfiles = "people1.csv"\ncustomer = "u"\n{{}}[[customers.attributes]]\nname = "{name}"\n'
    declared += f'column = "{column}"\nkind = "text"\n'
    with pytest.raises(DataError, match=rf"'{column}' \(as attributes.{name}; {kind}\)"):
        ingest(shop, parse_mapping(EVENTS + declared.format(""), shop, "m"))
    allowed = declared.format(f'personal = ["{column}"]\n')
    warehouse = ingest(shop, parse_mapping(EVENTS + allowed, shop, "m"))
    assert set(warehouse.catalogue[name].levels) == set(values)
    warehouse.close()


def test_a_text_that_tells_single_customers_apart_is_refused(shop):
    everybody = [f"c{n}" for n in range(120)]
    orders([(u, "2024-01-05") for u in everybody], shop / "orders1.csv")
    people([(u, "gold", f"place {u}", 1, "y", "2023-01-01") for u in everybody], shop / "people1.csv")
    with pytest.raises(DataError, match=r"attributes\.country: has 120 different values, of 100"):
        ingest(shop, parse_mapping(MAPPING, shop, "m"))


def test_a_retyped_column_is_told_and_a_missing_one_stops(shop):
    mapping = parse_mapping(MAPPING, shop, "m")
    ingest(shop, mapping).close()
    pd.DataFrame(ROWS[:1], columns=COLUMNS).drop(columns="Tier").to_csv(shop / "people2.csv", index=False)
    with pytest.raises(DataError, match=r"'Tier', which is read as attributes.tier, is missing"):
        ingest(shop, mapping)


def test_dates_of_campaigns_that_cannot_be_read_are_counted(shop):
    rows = [("c1", "01.03.2024", "05.03.2024"), ("c2", "soon", "05.03.2024"), ("c3", "01.04.2024", "never")]
    rows += [(f"d{n}", "01.05.2024", "02.05.2024") for n in range(3)]
    pd.DataFrame(rows, columns=["c", "s", "e"]).to_csv(shop / "campaigns.csv", index=False)
    table = '[[campaigns]]\nfiles = "campaigns.csv"\ncampaign = "c"\nstart = "s"\nend = "e"\ntime_format = "%d.%m.%Y"\n'
    warehouse = ingest(shop, parse_mapping(EVENTS + table, shop, "m"))
    found = warehouse.fetch(warehouse.table("campaigns")).set_index("campaign_id")
    assert sorted(found.index) == ["c1", "c3", "d0", "d1", "d2"]
    assert [str(day)[:10] for day in found.loc[["c1", "c3"], "end_date"]] == ["2024-03-05", "2024-05-01"]
    said = check(warehouse, "campaigns readable")
    assert said.verdict == "warn"
    assert "start_date (1 of 6, such as 'soon')" in said.detail
    assert "end_date (1 of 6, such as 'never')" in said.detail
    warehouse.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The real customer table of a marketing campaign, whose enrolment is taken for a purchase."""
    if not REAL.exists():
        pytest.skip("the shared test data are not here")
    folder = tmp_path_factory.mktemp("real")
    (folder / "marketing_campaign.csv").symlink_to(REAL / "marketing_campaign.csv")
    warehouse = ingest(
        folder, parse_mapping((Path(__file__).parent / "personality.toml").read_text("utf-8"), folder, "m")
    )
    yield warehouse
    warehouse.close()


DEFINITION = {
    "all_of": [
        {"feature": "education", "op": ">=", "value": "Master"},
        {"feature": "marital_status", "op": "in", "value": ["Divorced", "Widow"]},
        {"feature": "income", "op": ">", "value": 40000},
        {"feature": "complained", "op": "=", "value": False},
        {"feature": "enrolled_days", "op": "<=", "value": 500},
    ]
}


def test_real_attributes_are_counted_as_pandas_counts_them(real):
    table = pd.read_csv(REAL / "marketing_campaign.csv", sep=";")
    days = (pd.Timestamp(real.as_of) - pd.to_datetime(table["Dt_Customer"])).dt.days
    wanted = table[
        table["Education"].isin(["Master", "PhD"])
        & table["Marital_Status"].isin(["Divorced", "Widow"])
        & (table["Income"] > 40000)
        & (table["Complain"] == 0)
        & (days <= 500)
    ]
    definition = from_json(DEFINITION)
    assert Audiences(real).size(definition) == len(wanted) > 50
    said = explain(definition, real.catalogue, "en")
    assert "education Master or above" in said
    assert "学历为 Master及以上" in explain(definition, real.catalogue, "zh")
    assert check(real, "customers readable").verdict == "pass"


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
def test_attributes_are_the_same_on_other_engines(real, request, name):
    engine = copy_to(real, request.getfixturevalue(name), "attributes_")
    definition = from_json(DEFINITION)
    assert Audiences(engine).members(definition) == Audiences(real).members(definition)
    found = engine.fetch(engine.table("features")).set_index("customer_id").sort_index()
    own = [feature.name for feature in real.catalogue if feature.attribute]
    pd.testing.assert_frame_equal(found[own], real.features()[own], check_dtype=False)
