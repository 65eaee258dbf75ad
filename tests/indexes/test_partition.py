"""The number of groups is explained and honest; density clustering sees what is dense."""

from __future__ import annotations

import re

import numpy as np
import pytest

from indexes.partition import choose_k, density, partition
from segments.errors import Sentence
from tests.indexes.planted import planted, random_vectors


def test_planted_groups_are_separate_and_stable() -> None:
    found = partition(planted(5, 60).matrix)
    assert len(set(found.labels)) == 5
    assert found.stability > 0.95
    assert "5 separates best" in found.reason
    assert f"stable: agreement {found.stability:.2f}" in found.reason


def test_where_there_are_no_groups_it_is_said() -> None:
    found = partition(random_vectors(400).matrix)
    assert found.stability < 0.75
    assert "none reaches 0.75" in found.reason
    assert "convenient, not natural" in found.reason


def test_a_number_that_was_asked_for_is_taken_and_tried() -> None:
    right, wrong = (partition(planted(5, 60).matrix, k) for k in (5, 7))
    assert [len(set(found.labels)) for found in (right, wrong)] == [5, 7]
    assert right.stability > 0.95 > wrong.stability
    assert f"5 was asked for: silhouette {right.silhouette:.3f}; stable: agreement" in right.reason
    assert "7 was asked for" in wrong.reason
    same_figures(right.reason)
    same_figures(wrong.reason)


def test_a_choice_on_a_sample_holds_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexes.partition.CHOSEN_ON", 200)
    found = partition(planted(4, 300).matrix)
    assert len(found.labels) == 1200
    assert all(len(set(found.labels[group::4])) == 1 for group in range(4))


@pytest.mark.parametrize(
    ("separated", "stable", "k", "said"),
    [
        ({3: 0.4, 4: 0.5}, {3: 0.9, 4: 0.8}, 4, "4 separates best: silhouette 0.500 of 3 to 4"),
        ({3: 0.4, 4: 0.5}, {3: 0.9, 4: 0.3}, 3, "4 separates better (0.500) but comes out differently"),
        ({3: 0.4, 4: 0.5}, {3: 0.6, 4: 0.3}, 3, "3 is the most stable under resampling: agreement 0.60"),
    ],
)
def test_separation_decides_among_the_stable(
    separated: dict[int, float], stable: dict[int, float], k: int, said: str
) -> None:
    chosen, reason = choose_k(separated, stable)
    assert chosen == k
    assert said in reason
    same_figures(reason)


def test_dense_groups_are_counted_and_the_rest_is_outside() -> None:
    groups = planted(3, 100, noise=0.05).matrix
    found = density(np.vstack([groups, random_vectors(20).matrix]))
    assert found.groups == 3
    assert 0.02 < found.outside < 0.2
    assert f"finds 3 dense groups and leaves {found.outside:.0%}" in found.reason
    none, few = density(random_vectors(400).matrix), density(random_vectors(7).matrix)
    assert none.groups == few.groups == 0
    assert "too few customers (7)" in few.reason
    for each in (found, none, few):
        same_figures(each.reason)


def same_figures(reason: Sentence) -> None:
    """A reason says in Chinese what it says in English."""
    assert re.search("[一-鿿]", reason.zh)
    assert set(re.findall(r"\d+\.?\d*", reason.zh)) == set(re.findall(r"\d+\.?\d*", reason))
