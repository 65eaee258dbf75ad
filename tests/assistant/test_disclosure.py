"""No count, and no two or three counts together, give a group of fewer than k customers away."""

from itertools import combinations, permutations

import numpy as np
import pytest
from pyroaring import BitMap

from assistant.disclosure import Ledger, read_by, reader_of
from assistant.tools import Tools
from segments.codec import from_json
from segments.definition import AllOf, AnyOf, Node, Not
from segments.errors import DefinitionError
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, call

K = 10
EVERYONE = BitMap(range(1000))


def spent(over: float) -> Node:
    return from_json({"event": "purchase", "measure": "value", "op": ">", "value": over})


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(EVERYONE, K)


def test_a_group_within_one_that_was_shown(ledger):
    ledger.add(BitMap(range(500)))
    assert ledger.gives_away(BitMap(range(495)))
    assert ledger.gives_away(BitMap(range(509)))
    assert not ledger.gives_away(BitMap(range(500)))
    assert not ledger.gives_away(BitMap(range(490)))
    assert not ledger.gives_away(BitMap(range(5, 505)))


def test_all_but_a_few(ledger):
    assert ledger.gives_away(BitMap(range(991)))
    assert not ledger.gives_away(BitMap(range(990)))


def test_a_tracker(ledger):
    """|A and B| = |A| + |B| - |A or B|."""
    ledger.add(BitMap(range(500)))
    ledger.add(BitMap(range(495, 900)))
    assert ledger.gives_away(BitMap(range(900)))
    assert not ledger.gives_away(BitMap(range(950)))


def test_a_group_cut_out_in_two_parts(ledger):
    ledger.add(BitMap(range(500)))
    ledger.add(BitMap(range(200)))
    assert ledger.gives_away(BitMap(range(203, 500)))
    assert not ledger.gives_away(BitMap(range(250, 500)))


def test_what_a_ledger_lets_through_gives_no_small_group_away():
    """Against every sum of two and three sets, by brute force."""
    random, ledger = np.random.default_rng(1), Ledger(BitMap(range(60)), 6)
    kept = [np.ones(60, int)]
    for _ in range(300):
        start, length = random.integers(0, 60), random.integers(6, 55)
        found = {int(place) % 60 for place in range(start, start + length)} ^ set(
            random.choice(60, 2).tolist()
        )
        if len(found) >= 6 and not ledger.gives_away(BitMap(found)):
            ledger.add(BitMap(found))
            kept.append(np.isin(np.arange(60), list(found)).astype(int))
    kept = kept[:40]
    assert len(kept) > 15
    sums = [a - b for a, b in permutations(kept, 2)]
    sums += [a + b - c for c in kept for a, b in combinations(kept, 2)]
    sums += [a - b - c for a in kept for b, c in combinations(kept, 2)]
    assert not [s for s in sums if set(s.tolist()) <= {0, 1} and 0 < s.sum() < 6]


@pytest.fixture
def near(opened) -> tuple[Node, Node]:
    """Two segments that differ by three customers."""
    events = opened.warehouse.table("events")
    bought = events.filter(events.type == "purchase").group_by("customer_id")
    spend = opened.warehouse.fetch(bought.aggregate(spend=events.value.sum()))["spend"].nlargest(203)
    high, low = float(spend.iloc[200]), float(spend.iloc[202])
    return spent(high + 0.001), spent(low - 0.001)


def test_the_next_size_is_rounded_and_not_described(rooms, near):
    tools = Tools(rooms)
    few, more = near
    assert (rooms.audiences.size(few), rooms.audiences.size(more)) == (200, 203)
    with read_by("someone"):
        assert tools.show_segment(few).evidence[0].figures[0].value == 200
        evidence = tools.refine_segment(more, few).evidence[0]
        assert evidence.figures[0].value == "≈200"
        assert "share" not in [figure.name for figure in evidence.figures]
        for tool in (tools.profile_segment, tools.recommend_products, tools.plan_strategy):
            with pytest.raises(DefinitionError, match="fewer than 10 customers"):
                tool(more)
        with pytest.raises(DefinitionError, match="fewer than 10 customers"):
            tools.breakdown_segment(more, "age")
        compared = tools.compare_segments(few, more, "the other").evidence[0]
        assert [figure.value for figure in compared.figures if figure.name == "other_size"] == ["≈200"]
    with read_by("another"):
        assert tools.show_segment(more).evidence[0].figures[0].value == 203
    assert tools.show_segment(more).evidence[0].figures[0].value == 203, "a program is not held"


def test_a_small_group_cannot_be_had_by_leaving_it_out(rooms, tiny):
    tools, few = Tools(rooms), from_json(tiny)
    with read_by("someone"):
        assert tools.show_segment(few).evidence[0].figures[0].value == "<10"
        assert str(tools.show_segment(Not(few)).evidence[0].figures[0].value).startswith("≈")
        everyone = AnyOf((few, Not(few)))
        assert tools.show_segment(everyone).evidence[0].figures[0].value == rooms.audiences.population
        parents = from_json(PARENTS)
        assert isinstance(tools.show_segment(parents).evidence[0].figures[0].value, int)
        without = tools.refine_segment(AllOf((parents, Not(few))), parents).evidence[0].figures[0].value
        removed = rooms.audiences.size(AllOf((parents, few)))
        assert isinstance(without, str) if removed else without == rooms.audiences.size(parents)


def test_a_conversation_says_so(talk, near):
    few, more = near
    talk.assistant.set_segment(talk.name, few)
    talk.ask("show me the segment", call("show_segment"))
    talk.assistant.set_segment(talk.name, more)
    answer = talk.ask("show me the segment", call("show_segment"))
    assert "About 200 customers" in answer.answer
    assert "too small to show" in answer.answer
    talk.use(BIG_SPENDERS)
    assert "About" not in talk.ask("show me the segment", call("show_segment")).answer


def test_a_reader_is_a_user_or_a_conversation():
    assert reader_of("ann:first") == reader_of("ann:second") == "ann"
    assert reader_of("0a1b") == "0a1b"
