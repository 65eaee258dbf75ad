"""Counts at once: never more than allowed, first come first served, and a clear no when too many wait."""

import threading

import pytest

from segments.errors import BusyError
from serving.queue import Queue

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}


class Held:
    """A turn that a thread holds until it is let go."""

    def __init__(self, queue, name, begun):
        self._let_go = threading.Event()
        self._thread = threading.Thread(target=self._hold, args=(queue, name, begun))
        self._thread.start()

    def _hold(self, queue, name, begun):
        with queue.turn():
            begun.append(name)
            self._let_go.wait(30)

    def end(self):
        self._let_go.set()
        self._thread.join(30)


def until(holds):
    wait = threading.Event()
    for _ in range(3000):
        if holds():
            return
        wait.wait(0.01)
    raise AssertionError("it never held")


def test_who_came_first_is_first_and_no_more_are_at_work_than_may():
    queue, begun, turns = Queue(at_once=2, waiting=3), [], []
    for name in range(5):
        turns.append(Held(queue, name, begun))
        until(lambda name=name: len(begun) + len(queue._waiting) == name + 1)
    assert begun == [0, 1]
    for done in (1, 0, 2, 3, 4):
        turns[done].end()
        until(lambda: len(begun) + len(queue._waiting) == 5)
    assert begun == [0, 1, 2, 3, 4]
    with queue.turn(), queue.turn():
        pass


def test_who_would_wait_behind_too_many_is_told_and_the_others_go_on():
    queue, begun = Queue(at_once=1, waiting=1), []
    first = Held(queue, "first", begun)
    until(lambda: begun == ["first"])
    second = Held(queue, "second", begun)
    until(lambda: len(queue._waiting) == 1)
    with pytest.raises(BusyError, match="1 counts are waiting already"), queue.turn():
        raise AssertionError("a turn that there was not")
    first.end()
    until(lambda: begun == ["first", "second"])
    second.end()


def test_a_turn_that_fails_is_given_back():
    queue = Queue(at_once=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ValueError, match="x"), queue.turn():
            raise ValueError("x")


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("preview", {"definition": BEER}),
        ("members", {"definition": BEER}),
        ("overlap", {"definitions": [BEER, BEER]}),
    ],
)
def test_a_server_that_is_busy_says_when_to_come_back(guarded, monkeypatch, path, more):
    monkeypatch.setattr(guarded.service, "counts", Queue(at_once=1, waiting=0))
    with guarded.client("admin") as client:
        with guarded.service.counts.turn():
            answer = client.post(f"/v1/segments/{path}", json=more)
            assert client.get("/v1/me").status_code == 200
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
            503,
            "busy",
            "1",
        )
        assert client.post(f"/v1/segments/{path}", json=more).status_code == 200


def test_a_viewer_is_counted_for_within_one_turn(guarded, monkeypatch):
    """Their preview counts twice, once for what they may see; it must not wait for itself."""
    monkeypatch.setattr(guarded.service, "counts", Queue(at_once=1, waiting=0))
    with guarded.client("viewer") as client:
        assert client.post("/v1/segments/preview", json={"definition": BEER}).json()["size"] == 1298
