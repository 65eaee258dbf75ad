"""Where 'or' reaches, and misspelt words put right."""

import pytest

from assistant.linking.candidates import Candidate
from assistant.linking.scope import readings
from assistant.linking.spelling import Speller, distance
from segments.definition import AllOf, AnyOf, FeatureCondition, Node

A, B, C = (FeatureCondition(name, "=", True) for name in ("has_a", "has_b", "has_c"))


def read(text: str) -> tuple[Node, ...]:
    """The readings of a text in which A, B and C stand for conditions."""
    nodes = {"A": A, "B": B, "C": C}
    found = [Candidate(nodes[char], i, i + 1) for i, char in enumerate(text) if char in nodes]
    return readings(text, found)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("A and B", AllOf((A, B))),
        ("A or B", AnyOf((A, B))),
        ("A and either B or C", AllOf((A, AnyOf((B, C))))),
        ("either A or B and C", AllOf((AnyOf((A, B)), C))),
        ("A or B, but C", AllOf((AnyOf((A, B)), C))),
        ("A and B, or C", AnyOf((AllOf((A, B)), C))),
        ("A, B or C", AnyOf((A, B, C))),
        ("A并且要么B要么C", AllOf((A, AnyOf((B, C))))),
        ("A并且B，或者C", AnyOf((AllOf((A, B)), C))),
    ],
)
def test_the_likelier_reading_comes_first(text, first):
    assert read(text)[0] == first


def test_both_readings_are_told_where_they_differ():
    assert read("A and B or C") == (AllOf((A, AnyOf((B, C)))), AnyOf((AllOf((A, B)), C)))


@pytest.mark.parametrize("text", ["A and B", "A or B", "A but B", "A and either B or C"])
def test_there_is_one_reading_where_nothing_is_ambiguous(text):
    assert len(read(text)) == 1


def test_nothing_found_reads_as_nothing():
    assert read("all of them") == ()


SPELLER = Speller(["bought", "customers", "yogurt", "chicken", "spend", "spent", "loyal"])


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("baught", "bought"),
        ("custmers", "customers"),
        ("cusotmers", "customers"),
        ("yoghurt", "yogurt"),
        ("spenf", None),  # spend or spent: two words are as near
        ("mought", None),  # another first letter
        ("tea", None),  # too short to tell
        ("zodiac", None),
    ],
)
def test_a_word_is_put_right_when_only_one_is_near(word, meant):
    assert SPELLER.correct(word) == meant


@pytest.mark.parametrize(
    ("a", "b", "away"), [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "abcd", 1), ("abc", "xyz", 3)]
)
def test_distance_counts_swaps_as_one(a, b, away):
    assert distance(a, b, 3) == away
