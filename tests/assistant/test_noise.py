"""Noised counts: the mechanism's distribution, answers that stay, and a budget that nothing resets but a grant."""

import math
import threading
from collections import Counter

import pytest

from assistant.noise import Noise
from assistant.sql import Database
from segments.errors import ForbiddenError, OperatorError

pytest.importorskip("opendp")
EPSILON = 0.5


@pytest.fixture
def noise(tmp_path):
    return Noise(Database(tmp_path / "state.sqlite"), EPSILON, 2.0)


def test_the_noise_is_geometric_with_the_scale_that_epsilon_asks_for(noise):
    """Its distribution is the reference's: (1 - a) / (1 + a) * a^|x| with a = exp(-epsilon)."""
    draws = Counter(noise._mechanism(1000) - 1000 for _ in range(20_000))
    ratio = math.exp(-EPSILON)
    for x in range(-6, 7):
        expected = 20_000 * (1 - ratio) / (1 + ratio) * ratio ** abs(x)
        assert abs(draws[x] - expected) < 5 * math.sqrt(expected), (x, draws[x], expected)
    inside = sum(count for x, count in draws.items() if abs(x) <= noise.margin) / 20_000
    closer = sum(count for x, count in draws.items() if abs(x) < noise.margin) / 20_000
    assert closer < 0.95 <= inside + 0.005


def test_the_mechanism_is_epsilon_private_for_one_customer(noise):
    assert noise._mechanism.map(1) == pytest.approx(EPSILON, rel=1e-6)
    assert noise._mechanism.map(1) <= EPSILON


def test_the_same_question_has_the_same_answer_and_is_paid_for_once(where):
    noise = Noise(Database(where), EPSILON, 2.0)
    first = noise.count("q1", 500, "ada")
    assert [noise.count("q1", 500, "ada") for _ in range(5)] == [first] * 5
    assert noise.spent() == {"ada": EPSILON}
    assert noise.count("q1", 500, "ben") == first, "two users together learn no more than one"
    assert noise.spent() == {"ada": EPSILON, "ben": EPSILON}
    again = Noise(Database(where), EPSILON, 2.0)
    assert again.count("q1", 500, "ada") == first
    assert again.spent() == {"ada": EPSILON, "ben": EPSILON}


def test_a_spent_budget_says_so_and_a_restart_does_not_reset_it(where):
    noise = Noise(Database(where), EPSILON, 2.0)
    seen = {f"q{n}": noise.count(f"q{n}", 100 * n, "ada") for n in range(4)}
    for asked in (noise, Noise(Database(where), EPSILON, 2.0)):
        with pytest.raises(ForbiddenError, match=r"spent \(2 of 2\).*privacy budget --grant"):
            asked.count("q9", 900, "ada")
        assert {question: asked.count(question, 0, "ada") for question in seen} == seen
    noise.count("q9", 900, "ben")
    noise.grant("ada")
    noise.count("q9", 900, "ada")
    assert noise.spent() == {"ada": EPSILON, "ben": EPSILON}


def test_groups_that_do_not_overlap_are_paid_for_together(noise):
    sizes = {"young": 300, "old": 0, "unknown": 20}
    found = noise.counts("by age", sizes, "ada")
    assert found.keys() == sizes.keys()
    assert min(found.values()) >= 0
    assert noise.counts("by age", sizes, "ada") == found
    assert noise.spent() == {"ada": EPSILON}


def test_two_questions_at_once_never_overspend(where):
    noise = Noise(Database(where), EPSILON, 2.0)
    refused = []

    def ask(number: int) -> None:
        try:
            noise.count(f"q{number}", 100, "ada")
        except ForbiddenError:
            refused.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 8
    assert noise.spent() == {"ada": 2.0}


def test_without_opendp_there_are_no_counts_without_noise(tmp_path, monkeypatch):
    monkeypatch.setattr("assistant.noise.find_spec", lambda _name: None)
    with pytest.raises(OperatorError, match="segment-assistant"):
        Noise(Database(tmp_path / "state.sqlite"), EPSILON, 2.0)
