"""Several changes in one message, each read in what the one before left."""

import pytest

from assistant.by_clause import by_clause
from segments.codec import from_json, to_json
from segments.edit import fewer_of
from tests.assistant.conftest import PARENTS, SOUP, call

WINE = ["DOMESTIC WINE", "IMPORTED WINE", "MISC WINE"]
WINE_OR_SOUP = {"event": "purchase", "items": {"category": [*WINE, "SOUP"]}, "from_days_ago": 60}
CHICKEN = {"event": "purchase", "items": {"category": ["CHICKEN"]}, "from_days_ago": 30}


def parts(linker, message, current):
    link = linker.link(message, current, asked="refine_segment")
    return by_clause(
        link,
        current,
        lambda said, segment: linker.link(said, segment, asked="refine_segment"),
        lambda segment: linker.disagreement(link, segment)[0],
    )


@pytest.mark.parametrize(
    ("message", "current", "edited"),
    [
        (
            "lose the soup bit and stretch it to 120 days",
            WINE_OR_SOUP,
            {"event": "purchase", "items": {"category": WINE}, "from_days_ago": 120},
        ),
        ("娃那个条件拿掉，时间缩到30天", {"all_of": [SOUP, PARENTS]}, SOUP | {"from_days_ago": 30}),
        (
            "换成牛肉，而且至少三次",
            CHICKEN,
            CHICKEN | {"items": {"category": ["BEEF"]}, "measure": "count", "op": ">=", "value": 3},
        ),
    ],
)
def test_each_clause_changes_what_the_one_before_left(whole_linker, message, current, edited):
    link = parts(whole_linker, message, from_json(current))
    assert to_json(link.edits[0].node) == edited
    assert not link.unused


@pytest.mark.parametrize(
    "message",
    [
        "only those with children",
        "make it 90 days",
        "beer instead of soup, please",
        "only parents, and they should be married",
    ],
)
def test_what_is_read_as_a_whole_stays_so(whole_linker, message):
    assert parts(whole_linker, message, from_json(SOUP)) is None


def test_a_message_of_two_changes_makes_both(talk):
    talk.use({"all_of": [SOUP, PARENTS]})
    talk.ask("娃那个条件拿掉，时间缩到30天", tool={"tool": "refine_segment"}, sure=0.97)
    assert talk.current == SOUP | {"from_days_ago": 30}


def test_known_edits_are_made_without_asking_the_model(talk):
    talk.use(SOUP)
    talk.ask("only married ones with children", tool={"tool": "refine_segment"}, sure=0.97)
    assert len(talk.current["all_of"]) == 3
    assert talk.model.prompts == []


@pytest.mark.parametrize("message", ["swap soup for beer and wine", "use beer"])
def test_without_a_reading_of_the_tool_the_model_chooses(talk, message):
    talk.use(SOUP)
    talk.ask(message, *([call("refine_segment", edits=["e1"])] if message == "use beer" else []))
    assert talk.current != SOUP


def test_the_highest_of_the_highest_by_the_same_measure_are_the_fewer():
    ranked = {"rank_by": "spend_365d", "count": 50, "among": {"rank_by": "spend_365d", "count": 200}}
    assert to_json(fewer_of(from_json(ranked))) == {"rank_by": "spend_365d", "count": 50}
    for other in (
        {"rank_by": "orders_365d", "count": 200},
        {"rank_by": "spend_365d", "count": 200, "lowest": True},
    ):
        kept = from_json(ranked | {"among": other})
        assert fewer_of(kept) == kept
