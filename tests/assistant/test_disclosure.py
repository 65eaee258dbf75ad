"""No count, and no two or three counts together, give a group of fewer than k customers away."""

import json
import subprocess
import sys
from itertools import combinations, permutations

import numpy as np
import pytest
from pyroaring import BitMap

from assistant import disclosure
from assistant.disclosure import Ledger, read_by, reader_of
from assistant.rooms import Rooms
from assistant.sizes_told import SizesTold
from assistant.sql import Database
from assistant.tools import Tools
from assistant.workspace import open_workspace
from segments.codec import from_json, to_json
from segments.definition import AllOf, AnyOf, Node, Not
from segments.errors import DefinitionError
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, SOUP, call
from tests.conftest import ROOT

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


# Kept in the state


def sizes(rooms: Rooms, *definitions: Node, reader: str = "ann") -> list[int | str]:
    with read_by(reader):
        return [rooms.disclosure.shown(definition) for definition in definitions]


def test_what_was_told_outlives_a_restart(workspace, near):
    few, more = near
    before = Rooms(open_workspace(workspace))
    assert sizes(before, few) == [200]
    before.warehouse.close()
    after = Rooms(open_workspace(workspace))
    assert sizes(after, more, few) == ["≈200", 200]
    assert sizes(after, more, reader="bob") == [203], "another reader knows nothing"


TELLER = """
import json, sys
from pathlib import Path
from assistant.rooms import Rooms
from assistant.disclosure import read_by
from assistant.workspace import open_workspace
from segments.codec import from_json
rooms = Rooms(open_workspace(Path(sys.argv[1])))
for line in sys.stdin:
    with read_by("ann"):
        print(json.dumps(rooms.disclosure.shown(from_json(json.loads(line)))), flush=True)
"""


def test_what_one_process_tells_another_one_knows(workspace, near):
    """Both have told the reader something before, so that neither opens what the reader knows anew."""
    few, more = near
    rooms, command = Rooms(open_workspace(workspace)), [sys.executable, "-c", TELLER, str(workspace)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:

        def elsewhere(definition: Node) -> int | str:
            print(json.dumps(to_json(definition)), file=other.stdin, flush=True)
            return json.loads(other.stdout.readline())

        soup, parents = from_json(SOUP), from_json(PARENTS)
        assert isinstance(elsewhere(soup), int)
        assert all(isinstance(size, int) for size in sizes(rooms, parents))
        assert elsewhere(few) == 200
        assert sizes(rooms, more) == ["≈200"]
        with read_by("ann"), pytest.raises(DefinitionError, match="fewer than 10 customers"):
            rooms.disclosure.check(rooms.audiences.members(more))
        assert elsewhere(parents) == sizes(rooms, parents)[0], "told once more, which tells nothing new"
        other.stdin.close()


def test_a_reader_who_knows_many_sizes_is_told_rounded_ones(workspace, monkeypatch):
    rooms = Rooms(open_workspace(workspace))
    monkeypatch.setattr(disclosure, "SETS", 1)
    soup, parents = from_json(SOUP), from_json(PARENTS)
    first, second, again = sizes(rooms, soup, parents, soup)
    assert (type(first), str(second)[0], again) == (int, "≈", first)


def test_of_two_who_tell_at_once_one_learns_of_the_other(where):
    one, two = SizesTold(Database(where)), SizesTold(Database(where))
    assert one.add("ann", "d", 0, [BitMap([1, 2]), BitMap([3])])
    assert not two.add("ann", "d", 0, [BitMap([4])])
    assert two.after("ann", "d", 0) == [(1, BitMap([1, 2])), (2, BitMap([3]))]
    assert not two.add("ann", "d", 1, [BitMap([4]), BitMap([5])]), "neither is written"
    assert two.add("ann", "d", 2, [BitMap([4])])
    assert one.after("ann", "d", 2) == [(3, BitMap([4]))]
    assert one.after("ann", "other data", 0) == []


def test_who_has_not_asked_for_longest_is_forgotten(where):
    told = SizesTold(Database(where), readers=10)
    for number in range(10):
        told.add(f"reader {number}", "d", 0, [BitMap([number])])
    told.add("reader 0", "d", 1, [BitMap([99])])
    for number in range(10, 12):
        told.add(f"reader {number}", "d", 0, [BitMap([number])])
    known = [number for number in range(12) if told.after(f"reader {number}", "d", 0)]
    assert known == [0, *range(3, 12)]
    assert len(told.after("reader 0", "d", 0)) == 2
