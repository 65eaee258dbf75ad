"""The queue in front of the language model: fair among users, bounded, left by who goes. The model is a named stand-in."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from assistant.llm import OpenAIChat
from segments.errors import BusyError
from serving.access import Role
from serving.http.api import create_api
from serving.service import Service
from serving.turns import Ticket, TurnQueue
from tests.serving.conftest import serving
from tests.serving.fakes import FakeLLM

QUESTION = "who bought beer?"


def order(queue: TurnQueue, tickets: list[Ticket]) -> list[str]:
    """Who is served in which order, one after the other."""
    served = []
    left = list(tickets)
    while left:
        (now,) = [ticket for ticket in left if ticket.started.is_set()]
        served.append(now.user)
        left.remove(now)
        queue.leave(now)
    return served


def test_users_take_turns_and_a_flood_delays_nobody_else():
    queue = TurnQueue(1, 64)
    flood = [queue.enter("a") for _ in range(10)]
    others = [queue.enter(user) for user in ("b", "b", "c")]
    assert [queue.position(ticket) for ticket in (*flood[:3], *others)] == [0, 0, 3, 1, 4, 2]
    assert order(queue, [*flood, *others]) == ["a", "a", "b", "c", "a", "b", *"aaaaaaa"]
    assert queue.waiting == 0


def test_who_leaves_makes_room_and_one_that_runs_is_not_left_twice():
    queue = TurnQueue(1, 64)
    first, second, third = queue.enter("a"), queue.enter("b"), queue.enter("c")
    queue.leave(second)
    assert queue.position(third) == 0
    assert queue.waiting == 1
    queue.leave(first)
    queue.leave(first)
    assert third.started.is_set()
    fourth = queue.enter("d")
    assert not fourth.started.is_set(), "one at once"


def test_a_full_queue_and_a_full_share_say_when_to_ask_again():
    queue = TurnQueue(1, 8)
    for user in "abcdefghi":
        queue.enter(user)
    with pytest.raises(BusyError, match=r"8 questions wait .* in about 90 s") as told:
        queue.enter("j")
    assert (told.value.seconds, "已有8个问题" in told.value.zh) == (90, True)
    queue = TurnQueue(1, 8)
    for _ in range(3):
        queue.enter("a")
    with pytest.raises(BusyError, match="2 of your questions wait already"):
        queue.enter("a")
    queue.enter("b")


def test_a_wait_ends_after_its_time_or_when_who_asked_has_gone(monkeypatch):
    monkeypatch.setattr("serving.turns.LOOK_SECONDS", 0.01)
    queue = TurnQueue(1, 8, seconds=0)
    queue.enter("a")
    with queue.enter("b") as ticket, pytest.raises(BusyError, match="busy for 0 s with other questions"):
        list(ticket.positions())
    queue.seconds = 60
    with queue.enter("b") as ticket, pytest.raises(BusyError, match="has gone"):
        list(ticket.positions(lambda: True))
    assert queue.waiting == 0


# Over the API

SETTINGS = "turns_at_once = 1\nturns_waiting = 24\nrequests_per_minute = 100000\n"


class Shop:
    """An API with eight users over a stand-in for the language model, which answers at once."""

    def __init__(self, folder: Path) -> None:
        self.llm = FakeLLM()
        self.service = Service.open(folder, OpenAIChat(self.llm.base_url, "stand-in"))
        self.keys = {f"user{n}": self.service.users.add(f"user{n}", Role.marketer) for n in range(8)}
        self.url = ""

    def ask(self, user: str, **headers: str) -> httpx.Response:
        """One question of a user."""
        headers["authorization"] = f"Bearer {self.keys[user]}"
        return httpx.post(f"{self.url}/v1/ask", json={"question": QUESTION}, headers=headers, timeout=120)

    def hold(self) -> Ticket:
        """Occupies the one turn that runs, as somebody whose answer takes long."""
        ticket = self.service.turns.enter("somebody")
        assert ticket.started.is_set()
        return ticket

    def until_waiting(self, count: int) -> None:
        """Until so many turns wait."""
        until = time.monotonic() + 60
        while self.service.turns.waiting != count:
            assert time.monotonic() < until, f"{self.service.turns.waiting} wait, not {count}"
            time.sleep(0.02)


@pytest.fixture(scope="module")
def shop(make_workspace, tmp_path_factory) -> Iterator[Shop]:
    made = Shop(make_workspace(tmp_path_factory.mktemp("turns"), SETTINGS))
    with serving(create_api(made.service)) as made.url:
        yield made
    made.llm.close()


def test_eight_users_are_served_in_turn_and_one_who_floods_delays_none(shop):
    held, served, lock = shop.hold(), [], threading.Lock()

    def ask(user: str) -> int:
        answer = shop.ask(user)
        with lock:
            served.append(user)
        return answer.status_code

    with ThreadPoolExecutor(20) as pool:
        flood = [pool.submit(ask, "user0") for _ in range(6)]
        shop.until_waiting(6)
        others = []
        for n in range(1, 8):
            others += [pool.submit(ask, f"user{n}") for _ in range(2)]
            shop.until_waiting(6 + 2 * n)
        shop.service.turns.leave(held)
        assert [each.result() for each in (*flood, *others)] == [200] * 20
    # What is told at the same moment may be heard in another order, so the rounds are compared, not each place.
    assert served.index("user7") < 10, served
    last = {user: max(place for place, who in enumerate(served) if who == user) for user in shop.keys}
    assert all(last[user] < last["user0"] for user in shop.keys if user != "user0"), served
    assert served[-3:] == ["user0"] * 3, served


def test_a_full_queue_is_a_problem_with_when_to_ask_again(shop):
    held = shop.hold()
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(shop.ask, "user1") for _ in range(6)]
        shop.until_waiting(6)
        refused = shop.ask("user1", **{"accept-language": "zh"})
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        assert refused.json()["detail"].startswith("您已有6个问题在排队；")
        assert int(refused.headers["retry-after"]) >= 1
        shop.service.turns.leave(held)
        assert [each.result().status_code for each in waiting] == [200] * 6
    refusals = [
        entry.detail["failed"] for entry in shop.service.audit.entries(10) if "failed" in entry.detail
    ]
    assert refusals == ["busy"]


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/ask/stream", "/v1/chat/completions"])
def test_who_goes_while_waiting_is_not_waited_for(shop, path):
    held, asked = shop.hold(), len(shop.service.audit.entries(1000))
    body = {"question": QUESTION}
    if "chat" in path:
        body = {"model": "segment-assistant", "messages": [{"role": "user", "content": QUESTION}]}
    headers = {"authorization": f"Bearer {shop.keys['user2']}"}
    with suppress(httpx.ReadTimeout), httpx.Client(timeout=0.5) as client:
        if "stream" in path:
            with client.stream("POST", shop.url + path, json=body, headers=headers) as answer:
                lines = answer.iter_lines()
                assert (next(lines), next(lines)) == ("event: step", 'data: {"step": "queue", "before": 0}')
        else:
            client.post(shop.url + path, json=body, headers=headers)
    shop.until_waiting(0)
    shop.service.turns.leave(held)
    entries = shop.service.audit.entries(1000)[asked:]
    assert "tools" not in [key for entry in entries for key in entry.detail], "it was not answered"
    assert shop.ask("user2").status_code == 200
