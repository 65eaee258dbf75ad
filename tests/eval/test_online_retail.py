"""The second retailer's questions are well-formed, and their golds hold on the workspace that the mapping makes."""

from collections import Counter

import duckdb
import pytest

from eval.cases import Case, load_cases
from segments.canonical import fingerprint
from segments.catalogue import standard_catalogue
from segments.check import issues
from segments.vocabulary import Vocabulary
from tests.conftest import ROOT
from warehouse.files import load
from warehouse.mapping import read_mapping
from warehouse.store import Warehouse, build

DATA = ROOT.parent / "shared" / "data" / "online_retail"
CASES = load_cases(folder="online_retail")
VOCABULARY = Vocabulary(standard_catalogue(()), {}, outcomes=("purchase_30d",))
COMMON = 10
"""Customers that a question's audience has at least: smaller ones are not shown."""


def test_there_are_enough():
    assert len(CASES) >= 60
    assert sum(case.language == "zh" for case in CASES) >= len(CASES) / 3
    assert sum(case.split == "test" for case in CASES) >= 15
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_golds_hold(case: Case):
    golds = (case.gold, *case.also) if case.gold is not None else ()
    assert not any(issues(gold, VOCABULARY) for gold in golds)
    assert len({fingerprint(gold) for gold in golds}) == len(golds), "two readings are the same segment"


@pytest.mark.skipif(not DATA.exists(), reason="the Online Retail data are not here")
def test_the_mapping_makes_kinds_of_goods_from_names(tmp_path):
    mapping = read_mapping("online_retail", DATA)
    connection = duckdb.connect()
    load(mapping, connection)
    found = dict(connection.execute("SELECT name, category FROM raw_items").fetchall())
    assert found["JUMBO BAG RED RETROSPOT"] == "JUMBO BAG"
    assert found["WHITE HANGING HEART T-LIGHT HOLDER"] == "T-LIGHT HOLDER"
    assert found["POSTAGE"] == "POSTAGE"
    assert Counter(found.values())["OTHER GOODS"] < len(found) / 4


@pytest.mark.skipif(not DATA.exists(), reason="the Online Retail data are not here")
def test_the_golds_are_audiences_worth_asking_for(tmp_path):
    from warehouse.audience import Audiences

    mapping = read_mapping("online_retail", DATA)
    build(tmp_path, lambda connection: load(mapping, connection))
    audiences = Audiences(Warehouse(tmp_path / "warehouse.duckdb"), outcomes=())
    plain = [case for case in CASES if case.gold is not None and case.tool == "define_segment"]
    assert [case.id for case in plain if audiences.size(case.gold) < COMMON] == []
