"""How often annotators read the test questions as the golds do: their files, and the counting."""

from eval.agreement import Annotation, agreements, read_annotations
from eval.cases import Case, load_cases
from segments.codec import from_json
from segments.definition import Node

KIDS = from_json({"feature": "has_children", "op": "=", "value": True})
BUYERS = from_json({"event": "purchase", "from_days_ago": 30})
NOBODY = from_json({"event": "coupon_redeem", "from_days_ago": 1})


def members(node: Node) -> tuple[str, ...]:
    return {KIDS: ("1", "2"), BUYERS: ("1", "2", "3"), NOBODY: ()}[node]


def case(name: str, gold: Node, *also: Node) -> Case:
    return Case(name, "test", "en", "basic", ("who?",), gold, also, "define_segment")


def test_every_annotation_is_of_a_test_question_with_a_gold():
    asked = {case.id for case in load_cases("test") if case.gold is not None}
    for name in ("a", "b"):
        found = read_annotations(name)
        assert set(found) == asked
        assert sum(each.first is not None for each in found.values()) > 0.99 * len(asked)


def test_who_is_found_decides_and_what_was_not_read_agrees_with_nothing():
    cases = [case("1", KIDS), case("2", BUYERS, KIDS), case("3", NOBODY), case("4", KIDS)]
    a = {"1": Annotation(KIDS), "2": Annotation(KIDS), "3": Annotation(None), "4": Annotation(BUYERS, KIDS)}
    b = {"1": Annotation(KIDS), "2": Annotation(BUYERS), "3": Annotation(None), "5": Annotation(KIDS)}
    found = {what: (agreed, of) for what, agreed, of in agreements(cases, a, b, members)}
    assert found == {
        "a and the gold or `also`": (2, 3),
        "a and the gold alone": (1, 3),
        "b and the gold or `also`": (2, 3),
        "b and the gold alone": (2, 3),
        "a and b": (1, 3),
        "any of theirs and the gold or `also`": (2, 3),
    }
