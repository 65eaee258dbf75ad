"""The methods of finding lookalikes tried on buyers held out: what is found is kept, and decides which one is used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from indexes import trial
from indexes.index import CustomerIndex
from indexes.lookalikes import METHODS
from indexes.trial import FILE, Trial, forget, halves, try_methods
from segments.errors import ChecksumError
from tests.indexes.planted import AS_OF, planted

GROUPS, EACH = 6, 70
PLANTED = planted(GROUPS, EACH)
INDEX = CustomerIndex.build(PLANTED, "cpu")
ITEMS = pd.DataFrame(
    {"item_id": [f"i{g}" for g in range(GROUPS)], "category": [f"C{g}" for g in range(GROUPS)]}
)


def purchases(groups: int = GROUPS, at: str = "2017-12-01") -> pd.DataFrame:
    """Each of a planted group buys that group's item."""
    rows = [
        (customer, f"i{place % GROUPS}", pd.Timestamp(at), 10.0 + place)
        for place, customer in enumerate(PLANTED.customer_ids)
        if place % GROUPS < groups
    ]
    return pd.DataFrame(rows, columns=["customer_id", "item_id", "ts", "value"])


@pytest.fixture(scope="module")
def tried() -> Trial:
    found = try_methods(INDEX, purchases(), ITEMS)
    assert found is not None
    return found


def test_what_is_found_is_the_share_of_the_held_out_over_chance(tried: Trial) -> None:
    assert (tried.categories, tried.customers, tried.as_of) == (GROUPS, GROUPS * EACH, AS_OF.isoformat())
    for method in METHODS:
        found = tried.found[method]
        # The twentieth of 420 are 21 buyers: 10 seeds, 11 held out.
        assert 0 < found.recall <= 1
        assert found.lift == pytest.approx(found.recall * (GROUPS * EACH - 10) / 11)
        assert found.low <= found.lift <= found.high
    assert tried.found["centroid"].low > 3, "the index knows the planted groups"


def test_vectors_that_know_nothing_find_no_more_than_chance() -> None:
    mixed = purchases()
    mixed["item_id"] = np.random.default_rng(3).permutation(mixed["item_id"])
    found = try_methods(INDEX, mixed, ITEMS)
    assert found is not None
    assert found.found["centroid"].low < 1 < found.found["centroid"].high + 1
    assert found.found["centroid"].lift < 3


def test_it_is_kept_beside_the_index(tried: Trial, tmp_path: Path) -> None:
    assert Trial.load(tmp_path) is None
    tried.save(tmp_path)
    assert Trial.load(tmp_path) == tried
    (tmp_path / FILE).write_text('{"method": "magic"}')
    with pytest.raises(ChecksumError, match=r"segassist build$"):
        Trial.load(tmp_path)
    forget(tmp_path)
    assert Trial.load(tmp_path) is None


def test_too_few_categories_and_old_purchases_say_nothing() -> None:
    assert try_methods(INDEX, purchases(groups=4), ITEMS) is None
    assert try_methods(INDEX, purchases(), ITEMS, excluded=["C0", "C1"]) is None
    assert try_methods(INDEX, purchases(at="2016-06-01"), ITEMS) is None
    assert try_methods(INDEX, purchases(at=AS_OF.isoformat()), ITEMS) is None, "not before the date"


def test_of_many_customers_a_sample_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SAMPLE", 240)
    found = try_methods(INDEX, purchases(), ITEMS)
    assert found is not None
    assert found.customers == 240


def test_the_default_gives_way_only_to_what_is_better_beyond_chance() -> None:
    drawn = np.random.default_rng(1).integers(0, 8, (500, 8))
    base = [4.0, 6.0, 5.0, 9.0, 3.0, 7.0, 5.0, 6.0]

    def best(one_class: list[float], votes: list[float] = base) -> str:
        return trial._best({"centroid": base, "votes": votes, "one_class": one_class}, drawn)

    assert best([x + 0.5 for x in base]) == "one_class"
    assert best([x + (2 if i % 2 else -1.8) for i, x in enumerate(base)]) == "centroid"
    assert best(base, votes=[x + 5 for x in base]) == "centroid", "votes rank only some"


def test_halves_are_of_those_who_spent_most() -> None:
    spend = pd.Series(range(1000), index=[f"c{i:04d}" for i in range(1000)], dtype=float)
    seeds, held = halves(spend)
    assert (len(seeds), len(held)) == (25, 25)
    assert set(seeds) | set(held) == set(spend.index[-50:])
