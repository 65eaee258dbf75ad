"""Lookalikes: planted groups are found, seeds are left out, bad seeds are told."""

from __future__ import annotations

import numpy as np
import pytest

from indexes.index import CustomerIndex
from indexes.lookalikes import METHODS, Method, lookalikes
from segments.errors import DefinitionError, NotFoundError
from tests.indexes.planted import group_of, planted, random_vectors, vectors

GROUPS, EACH = 5, 60
PLANTED = planted(GROUPS, EACH)
INDEX = CustomerIndex.build(PLANTED, "cpu")
EVERY = pytest.mark.parametrize("method", METHODS)


def members(group: int) -> list[str]:
    return [customer for customer in PLANTED.customer_ids if group_of(customer, GROUPS) == group]


@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.parametrize("method", ["centroid", "one_class"])
def test_the_rest_of_a_planted_group_is_found(group: int, method: Method) -> None:
    seeds = members(group)[:15]
    found = {match.customer_id for match in lookalikes(INDEX, seeds, EACH - 15, method=method)}
    assert len(found & set(members(group))) / (EACH - 15) >= 0.95


@pytest.mark.parametrize("group", range(GROUPS))
def test_votes_go_to_the_planted_group(group: int) -> None:
    found = [match.customer_id for match in lookalikes(INDEX, members(group)[:15], 30, method="votes")]
    assert len(found) == 30
    assert sum(group_of(customer, GROUPS) == group for customer in found) >= 29


def test_what_all_have_in_common_says_nothing() -> None:
    # All share a large part; average customers are nearer to the seeds' plain mean than the group is.
    random = np.random.default_rng(2)
    groups = np.arange(440) % 4
    rows = 3 * np.eye(16)[15] + np.where(groups[:, None] == np.arange(16), 0.6, 0)
    rows[:240] += random.normal(0, 0.2, (240, 16))
    rows[240:] = 3 * np.eye(16)[15] + random.normal(0, 0.02, (200, 16))
    index = CustomerIndex.build(vectors(rows), "cpu")
    seeds = [f"c{i:05d}" for i in range(240) if groups[i] == 2][:20]
    found = [match.customer_id for match in lookalikes(index, seeds, 40)]
    right = [customer for customer in found if int(customer[1:]) < 240 and group_of(customer, 4) == 2]
    assert len(right) >= 36


@EVERY
def test_seeds_are_left_out_and_the_nearest_come_first(method: Method) -> None:
    seeds = members(1)[:10]
    found = lookalikes(INDEX, seeds, 100, method=method)
    assert not {match.customer_id for match in found} & set(seeds)
    similarities = [match.similarity for match in found]
    assert similarities == sorted(similarities, reverse=True)
    assert len({match.customer_id for match in found}) == len(found)


def test_as_many_as_there_are_and_no_more() -> None:
    seeds = members(0)
    assert len(lookalikes(INDEX, seeds, 10_000)) == GROUPS * EACH - EACH
    assert len(lookalikes(INDEX, seeds, 7)) == 7
    assert lookalikes(INDEX, PLANTED.customer_ids, 5) == []


def test_one_customer_is_a_seed_too() -> None:
    found = lookalikes(INDEX, members(3)[:1], 20)
    assert sum(group_of(match.customer_id, GROUPS) == 3 for match in found) >= 18


@EVERY
def test_within_keeps_to_the_given_customers(method: Method) -> None:
    within = members(1) + members(4)
    found = lookalikes(INDEX, members(4)[:10], 70, within=within, method=method)
    assert {match.customer_id for match in found} <= set(within) - set(members(4)[:10])
    assert [group_of(match.customer_id, GROUPS) for match in found[:45]] == [4] * 45


def test_another_method_is_told() -> None:
    with pytest.raises(DefinitionError, match="'magic' is not one of centroid, votes, one_class"):
        lookalikes(INDEX, members(0), 5, method="magic")  # type: ignore[arg-type]


def test_similarity_is_a_cosine() -> None:
    index = CustomerIndex.build(random_vectors(100), "cpu")
    found = lookalikes(index, ["c00001", "c00002"], 98)
    assert all(-1.0001 <= match.similarity <= 1.0001 for match in found)
    matrix = random_vectors(100).matrix
    direction = matrix[[1, 2]].mean(axis=0) - matrix.mean(axis=0)
    best = int(found[0].customer_id[1:])
    assert found[0].similarity == pytest.approx(
        matrix[best] @ direction / np.linalg.norm(direction), abs=1e-5
    )


@EVERY
def test_no_seeds_and_unknown_seeds_are_told(method: Method) -> None:
    with pytest.raises(DefinitionError, match="no customers; widen it first"):
        lookalikes(INDEX, [], 10, method=method)
    with pytest.raises(NotFoundError, match="'nobody'"):
        lookalikes(INDEX, ["c00001", "nobody"], 10, method=method)
