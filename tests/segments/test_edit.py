"""Edits by place: what an editor does to a definition, and where its mistakes are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segments import edit
from segments.catalogue import standard_catalogue
from segments.check import issues, issues_at
from segments.definition import (
    EVERYONE,
    AllOf,
    AnyOf,
    FeatureCondition,
    Not,
    RankCondition,
    SimilarityCondition,
)
from segments.errors import DefinitionError
from segments.vocabulary import Vocabulary

A, B, C, D = (FeatureCondition("orders_90d", ">=", number) for number in (1, 2, 3, 4))
TREE = AllOf((A, AnyOf((B, Not(C))), Not(D)))


def trees(depth: int = 3) -> st.SearchStrategy:
    leaf = st.sampled_from([A, B, C, D])
    if depth == 0:
        return leaf
    group = st.lists(trees(depth - 1), min_size=1, max_size=3).map(tuple)
    return st.one_of(leaf, group.map(AllOf), group.map(AnyOf), trees(depth - 1).map(Not))


def test_every_part_has_a_place():
    assert [place for place, _ in edit.walk(TREE)] == [
        (),
        (0,),
        (1,),
        (1, 0),
        (1, 1),
        (1, 1, 0),
        (2,),
        (2, 0),
    ]
    assert edit.part_at(TREE, (1, 1, 0)) == C


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda t: edit.replace_at(t, (1, 0), D), AllOf((A, AnyOf((D, Not(C))), Not(D)))),
        (lambda t: edit.insert_at(t, (1, 2), A), AllOf((A, AnyOf((B, Not(C), A)), Not(D)))),
        (lambda t: edit.remove_at(t, (0,)), AllOf((AnyOf((B, Not(C))), Not(D)))),
        (lambda t: edit.remove_at(t, (2, 0)), AllOf((A, AnyOf((B, Not(C)))))),
        (lambda t: edit.remove_at(t, ()), EVERYONE),
        (lambda t: edit.duplicate_at(t, (0,)), AllOf((A, A, AnyOf((B, Not(C))), Not(D)))),
        (lambda t: edit.relocate_at(t, (0,), (1, 1)), AllOf((AnyOf((B, A, Not(C))), Not(D)))),
        (lambda t: edit.relocate_at(t, (1, 0), (0,)), AllOf((B, A, AnyOf((Not(C),)), Not(D)))),
        (lambda t: edit.relocate_at(t, (1,), (1, 0)), TREE),
        (lambda t: edit.negate_at(t, (0,)), AllOf((Not(A), AnyOf((B, Not(C))), Not(D)))),
        (lambda t: edit.negate_at(t, (2,)), AllOf((A, AnyOf((B, Not(C))), D))),
        (lambda t: edit.nest_at(t, (0,)), AllOf((AnyOf((A,)), AnyOf((B, Not(C))), Not(D)))),
        (lambda t: edit.nest_at(t, (1, 0)), AllOf((A, AnyOf((AllOf((B,)), Not(C))), Not(D)))),
        (lambda t: edit.regroup_at(t, (1,), AllOf), AllOf((A, AllOf((B, Not(C))), Not(D)))),
    ],
)
def test_an_edit_changes_the_part_at_its_place_and_nothing_else(change, expected):
    assert change(TREE) == expected


RANKED = AllOf((RankCondition("spend_90d", count=9, among=AllOf((A, B))), C))


@pytest.mark.parametrize(
    ("change", "among"),
    [
        (lambda t: edit.replace_at(t, (0, 0), D), D),
        (lambda t: edit.insert_at(t, (0, 0, 2), C), AllOf((A, B, C))),
        (lambda t: edit.remove_at(t, (0, 0, 0)), AllOf((B,))),
        (lambda t: edit.remove_at(t, (0, 0)), None),
        (lambda t: edit.negate_at(t, (0, 0)), Not(AllOf((A, B)))),
        (lambda t: edit.relocate_at(t, (1,), (0, 0, 0)), AllOf((C, A, B))),
    ],
)
def test_the_group_that_a_rank_is_among_is_edited_like_any_other(change, among):
    assert edit.part_at(change(RANKED), (0,)) == RankCondition("spend_90d", count=9, among=among)


def test_a_group_is_dragged_out_of_a_rank():
    moved = edit.relocate_at(RANKED, (0, 0), (2,))
    assert moved == AllOf((RankCondition("spend_90d", count=9), C, AllOf((A, B))))
    with pytest.raises(DefinitionError, match="only a group"):
        edit.duplicate_at(RANKED, (0, 0))


def test_a_mistake_in_the_group_of_a_rank_has_its_place():
    wrong = FeatureCondition("orders_90", ">=", 1)
    tree = RankCondition("spend_90", count=9, among=AllOf((A, wrong)))
    found = issues_at(tree, Vocabulary(standard_catalogue()))
    assert sorted(found) == [(), (0, 1)]
    assert [place for place, said in found.items() if "orders_90'" in said[0]] == [(0, 1)]


LIKE = SimilarityCondition(50, segment=AllOf((A,)), among=AllOf((B, C)))


@pytest.mark.parametrize(
    ("change", "segment", "among"),
    [
        (lambda t: edit.insert_at(t, (0, 0, 1), D), AllOf((A, D)), AllOf((B, C))),
        (lambda t: edit.remove_at(t, (0, 1, 0)), AllOf((A,)), AllOf((C,))),
        (lambda t: edit.remove_at(t, (0, 1)), AllOf((A,)), None),
        (lambda t: edit.remove_at(t, (0, 0)), EVERYONE, AllOf((B, C))),
        (lambda t: edit.relocate_at(t, (0, 1, 0), (0, 0, 1)), AllOf((A, B)), AllOf((C,))),
    ],
)
def test_both_groups_of_a_similarity_are_edited_like_any_other(change, segment, among):
    assert change(AllOf((LIKE,))) == AllOf((SimilarityCondition(50, segment=segment, among=among),))


def test_the_group_that_a_similarity_by_text_is_among_is_its_first():
    tree = SimilarityCondition(50, text="wine", among=AllOf((A,)))
    assert edit.insert_at(tree, (0, 1), B).among == AllOf((A, B))
    assert edit.remove_at(tree, (0,)) == SimilarityCondition(50, text="wine")


def test_a_mistake_in_the_seed_of_a_similarity_has_its_place():
    wrong = FeatureCondition("orders_90", ">=", 1)
    tree = SimilarityCondition(50, segment=AllOf((A, wrong)), among=AllOf((B,)))
    assert list(issues_at(tree, Vocabulary(standard_catalogue()))) == [(0, 1)]


@pytest.mark.parametrize("place", [(9,), (0, 0), (1, 5), (-1,)])
def test_a_place_that_is_gone_is_told(place):
    for change in (edit.part_at, edit.negate_at, edit.remove_at):
        with pytest.raises(DefinitionError, match="no such part"):
            change(TREE, place)


def test_parts_stand_side_by_side_in_groups_only():
    with pytest.raises(DefinitionError, match="only a group"):
        edit.insert_at(TREE, (2, 1), A)


def test_a_root_that_is_a_condition_is_put_into_a_group():
    assert edit.rooted(A) == AllOf((A,))
    assert edit.rooted(AnyOf((A,))) == AnyOf((A,))


@given(trees(), st.data())
def test_edits_undo_each_other_at_every_place(tree, data):
    tree = edit.rooted(tree)
    place = data.draw(st.sampled_from([place for place, _ in edit.walk(tree)]))
    part = edit.part_at(tree, place)
    assert edit.replace_at(tree, place, part) == tree
    if not (isinstance(part, Not) and isinstance(part.child, Not)):
        assert edit.negate_at(edit.negate_at(tree, place), place) == tree
    if place and isinstance(edit.part_at(tree, place[:-1]), AllOf | AnyOf):
        copied = edit.duplicate_at(tree, place)
        assert edit.remove_at(copied, place) == tree


def test_a_mistake_is_told_at_its_place():
    vocabulary = Vocabulary(standard_catalogue())
    wrong = FeatureCondition("orders_90", ">=", 5)
    found = issues_at(AllOf((A, AnyOf(()), Not(wrong))), vocabulary)
    assert set(found) == {(1,), (2, 0)}
    assert "did you mean orders_90d" in found[(2, 0)][0]
    assert issues_at(TREE, vocabulary) == {}


def test_a_contradiction_is_told_at_the_root():
    vocabulary = Vocabulary(standard_catalogue())
    tree = AllOf((A, FeatureCondition("orders_90d", "<", 1)))
    assert issues_at(tree, vocabulary) == {(): issues(tree, vocabulary)}
