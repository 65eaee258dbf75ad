"""A retailer's own attributes are found by their declared words, in both languages, and counted."""

import pandas as pd
import pytest

from assistant.linking.linker import Linker
from segments.codec import to_json
from tests.conftest import ROOT
from warehouse.append import load_all
from warehouse.audience import Audiences
from warehouse.intake import take_in
from warehouse.mapping import parse_mapping
from warehouse.store import FILE, Warehouse

REAL = ROOT.parent / "shared" / "data" / "marketing_campaign"


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The real customer table of a marketing campaign, by the mapping of the warehouse's tests."""
    if not REAL.exists():
        pytest.skip("the shared test data are not here")
    folder = tmp_path_factory.mktemp("real")
    (folder / "marketing_campaign.csv").symlink_to(REAL / "marketing_campaign.csv")
    text = (ROOT / "tests" / "warehouse" / "personality.toml").read_text("utf-8")
    mapping = parse_mapping(text, folder, "m")
    load_all(mapping, folder, take_in(mapping, None, "code"), "code")
    warehouse = Warehouse(folder / FILE)
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def linker(real):
    return Linker(real.catalogue, real.features(), real.item_values, real.item_names, real.as_of, None)


def one(feature, value, op="="):
    return {"feature": feature, "op": op, "value": value}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("PhD customers", one("education", "PhD")),
        ("customers whose degree is at least a Master", one("education", "Master", ">=")),
        ("customers with a master or a phd", one("education", ["Master", "PhD"], "in")),
        ("divorced customers", one("marital_status", "Divorced")),
        ("customers who are not divorced", {"not": one("marital_status", "Divorced")}),
        ("customers with yearly income over 50000", one("income", 50000, ">")),
        ("customers with birth year between 1960 and 1975", one("birth_year", [1960, 1975], "between")),
        ("customers who complained", one("complained", True)),
        ("customers who never complained", {"not": one("complained", True)}),
        ("customers enrolled in the last 90 days", one("enrolled_days", 90, "<=")),
        ("customers who registered more than 365 days ago", one("enrolled_days", 365, ">")),
        ("博士客户", one("education", "PhD")),
        ("学历硕士及以上的客户", one("education", "Master", ">=")),
        ("硕士或博士的客户", one("education", ["Master", "PhD"], "in")),
        ("婚姻状况为Divorced的客户", one("marital_status", "Divorced")),
        ("年收入超过50000的客户", one("income", 50000, ">")),
        ("没有投诉的客户", {"not": one("complained", True)}),
        ("最近90天注册的客户", one("enrolled_days", 90, "<=")),
    ],
)
def test_a_question_is_read_by_the_declared_words(linker, message, expected):
    link = linker.link(message)
    assert to_json(link.reading) == expected
    assert (link.unused, link.unknown) == ((), ())


def test_the_reading_is_counted_as_the_file_says(linker, real):
    table = pd.read_csv(REAL / "marketing_campaign.csv", sep=";")
    reading = linker.link("divorced customers with a master or a phd and yearly income over 50000").reading
    wanted = table["Marital_Status"].eq("Divorced") & table["Education"].isin(["Master", "PhD"])
    assert Audiences(real).size(reading) == int((wanted & (table["Income"] > 50000)).sum()) > 10
