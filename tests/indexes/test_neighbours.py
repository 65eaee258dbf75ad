"""How alone a customer is, by the index: as by numpy, of any number of customers, whatever the kind of index."""

from __future__ import annotations

import numpy as np
import pytest

from indexes import kinds, neighbours
from indexes.index import CustomerIndex
from indexes.neighbours import distances
from tests.indexes.planted import planted, random_vectors, vectors


def by_hand(matrix: np.ndarray, count: int) -> np.ndarray:
    cosines = matrix @ matrix.T
    np.fill_diagonal(cosines, -np.inf)
    return 1 - np.sort(cosines, axis=1)[:, -count:].mean(axis=1)


def test_distances_are_those_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BLOCK", 64)
    given = random_vectors(300)
    found = distances(CustomerIndex.build(given, "cpu"))
    assert tuple(found.index) == given.customer_ids
    assert found.to_numpy() == pytest.approx(by_hand(given.matrix, 10), abs=1e-5)


def test_who_is_unlike_anyone_is_farthest_in_an_approximate_index_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kinds, "EXACT_BELOW", 500)
    rows = planted(4, 500).matrix.copy()
    rows[77] = -rows.mean(axis=0)
    index = CustomerIndex.build(vectors(rows), "cpu")
    assert index.kind != "flat"
    found = distances(index)
    assert found.notna().all()
    assert found.idxmax() == "c00077"


def test_who_is_gone_is_nobodys_neighbour_and_who_is_alone_has_none() -> None:
    given = random_vectors(12)
    index = CustomerIndex.build(given, "cpu")
    index.remove(given.customer_ids[:1])
    found = distances(index, 3)
    assert tuple(found.index) == given.customer_ids[1:]
    assert found.to_numpy() == pytest.approx(by_hand(given.matrix[1:], 3), abs=1e-5)
    index.remove(given.customer_ids[2:])
    assert np.isnan(distances(index)[given.customer_ids[1]])


def test_twins_are_no_distance_apart() -> None:
    given = vectors(np.repeat(random_vectors(3).matrix, 20, axis=0))
    assert distances(CustomerIndex.build(given, "cpu")).to_numpy() == pytest.approx(0, abs=1e-5)
