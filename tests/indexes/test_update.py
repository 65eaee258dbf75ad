"""An index brought to later vectors finds what one made anew finds; where that is not enough, it says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from indexes.behaviour import BehaviourVectors
from indexes.index import CustomerIndex
from indexes.kinds import KINDS
from indexes.update import MOVED, update
from tests.indexes.planted import nearest_by_hand, random_vectors, vectors

COUNT, DIMENSION = 3_000, 16
TOMORROW = date(2018, 1, 2)


def clustered(count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(30, DIMENSION))
    return np.asarray(centres[random.integers(0, 30, count)] + random.normal(0, 0.4, (count, DIMENSION)))


TODAY = vectors(clustered(COUNT, 1))


def later(moved: int = 100, new: int = 20, gone: int = 10) -> BehaviourVectors:
    """The next day: the first `moved` are elsewhere, `new` came, of the others `gone` went."""
    matrix = np.concatenate([clustered(moved, 2), TODAY.matrix[moved:], clustered(new, 3)])
    made = vectors(matrix)
    ids = TODAY.customer_ids + tuple(f"n{i:05d}" for i in range(new))
    kept = np.r_[0:moved, moved + gone : len(ids)]
    return BehaviourVectors(tuple(ids[row] for row in kept), made.matrix[kept], TODAY.encoder, TOMORROW)


def found(index: CustomerIndex, query: np.ndarray, k: int = 50) -> list[str]:
    return [match.customer_id for match in index.search(query, k)]


@pytest.mark.parametrize("kind", KINDS)
def test_it_finds_the_neighbours_that_an_index_made_anew_finds(kind: str, tmp_path: Path) -> None:
    CustomerIndex.build(TODAY, "cpu", kind).save(tmp_path)
    index, tomorrow = CustomerIndex.load(tmp_path, "cpu"), later()
    done = update(index, tomorrow)
    assert (done.moved, done.new, done.gone, done.why_not) == (100, 20, 10, "")
    assert done.words == "updated: 100 customers moved, 20 came, 10 went"
    index.save(tmp_path)
    index, anew = CustomerIndex.load(tmp_path, "cpu"), CustomerIndex.build(tomorrow, "cpu", kind)
    assert (index.as_of, index.changed, index.kind) == (TOMORROW, 130, kind)
    assert set(index.customer_ids) == set(tomorrow.customer_ids)
    queries = np.concatenate([tomorrow.matrix[:30], tomorrow.matrix[-30:], vectors(clustered(20, 9)).matrix])
    if kind == "flat":
        for query in queries:
            assert found(index, query) == found(anew, query) == nearest_by_hand(tomorrow, query, 50)
        return
    right = [set(nearest_by_hand(tomorrow, query, 50)) for query in queries]
    for each in (index, anew):
        shares = [len(set(found(each, q)) & r) / 50 for q, r in zip(queries, right, strict=True)]
        assert np.mean(shares) >= 0.92
    assert index.recall is not None
    assert index.recall.share >= 0.9


def test_where_nothing_moved_only_the_date_changes() -> None:
    index = CustomerIndex.build(TODAY, "cpu")
    assert update(index, replace(TODAY, as_of=TOMORROW)).words == "updated: 0 customers moved, 0 came, 0 went"
    assert (index.as_of, index.changed, len(index)) == (TOMORROW, 0, COUNT)


def turned(share: float) -> BehaviourVectors:
    """Everybody's vector turned a little, to a cosine distance of `share` of what counts as moved; hundred of them."""
    angle = np.arccos(1 - share * MOVED)
    matrix = TODAY.matrix.copy().astype(np.float64)
    side = np.roll(matrix[:100], 1, axis=1)
    side -= (side * matrix[:100]).sum(axis=1, keepdims=True) * matrix[:100]
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    matrix[:100] = np.cos(angle) * matrix[:100] + np.sin(angle) * side
    return replace(TODAY, matrix=matrix.astype(np.float32), as_of=TOMORROW)


def test_what_hardly_moved_stays_until_the_days_add_up() -> None:
    index = CustomerIndex.build(TODAY, "cpu")
    assert update(index, turned(0.7)).moved == 0
    assert index.vectors_of(["c00007"]) == pytest.approx(TODAY.matrix[7:8])
    # The same direction once more: each step is small, what is kept is too far from today's.
    assert update(index, turned(2.0)).moved == 100
    kept = index.vectors_of(list(TODAY.customer_ids))
    assert (1 - (kept * turned(2.0).matrix).sum(axis=1)).max() <= MOVED


def test_too_many_changes_ask_for_an_index_made_anew() -> None:
    index = CustomerIndex.build(TODAY, "cpu")
    assert update(index, later(moved=700)).why_not == "730 of 3010 customers changed since it was made"
    assert index.as_of == TODAY.as_of, "it was left alone"
    assert update(index, later(moved=400)).why_not == ""
    more = later(moved=400)
    matrix = more.matrix.copy()
    matrix[1000:1300] = vectors(clustered(300, 8)).matrix
    done = update(index, replace(more, matrix=matrix))
    assert done.why_not == "730 of 3010 customers changed since it was made", "changes of all days count"


def test_vectors_of_another_encoder_ask_for_it_too() -> None:
    index = CustomerIndex.build(TODAY, "cpu")
    assert update(index, replace(TODAY, encoder="other")).why_not == "another encoder made it"
    assert update(index, random_vectors(10)).why_not != "", "nearly all are gone"


def test_a_search_that_finds_too_little_asks_for_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    index = CustomerIndex.build(TODAY, "cpu", "ivf_flat")
    monkeypatch.setattr("indexes.update.TUNED_TO", 1.01)
    assert update(index, later()).why_not.startswith("its cells no longer fit: recall ")
