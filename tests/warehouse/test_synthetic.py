"""Generated behaviour: the same for the same seed, skewed like a shop's, and loadable."""

import duckdb
import pytest

from warehouse.files import load
from warehouse.mapping import read_mapping
from warehouse.store import Warehouse, build
from warehouse.synthetic import generate


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    return generate(folder, customers=500, events=20_000)


def test_the_same_seed_gives_the_same_rows(source, tmp_path):
    again = generate(tmp_path / "again", customers=500, events=20_000)
    other = generate(tmp_path / "other", customers=500, events=20_000, seed=2)
    query = "SELECT sum(hash(COLUMNS(*)::VARCHAR)) FROM read_parquet('{}')"
    first, same, differs = (
        duckdb.execute(query.format(path.parent / "events" / "*.parquet")).fetchone()
        for path in (source, again, other)
    )
    assert first == same != differs


def test_it_loads_and_a_few_do_most(source, tmp_path):
    warehouse = Warehouse(build(tmp_path, lambda c: load(read_mapping(str(source)), c)))
    features = warehouse.features()
    assert 300 < len(features) <= 500
    spend = features["spend_365d"].sort_values(ascending=False)
    assert spend.head(len(spend) // 5).sum() > 0.3 * spend.sum()
    verdicts = {c["name"]: c["verdict"] for c in warehouse.meta["quality"]["checks"]}
    assert "stop" not in verdicts.values()
