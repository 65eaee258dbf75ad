"""The split against brute force, a linear programme of its own, and hand-made cases."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from campaigns.budget import TOLERANCE, Candidates, split_budget
from segments.errors import DefinitionError


def one_offer(gains: list[float], cost: float = 1.0, **more: object) -> Candidates:
    ids = tuple(f"c{i}" for i in range(len(gains)))
    gain = np.array(gains)[:, None]
    zeros = np.zeros(len(ids), int)
    return Candidates(ids, ("all",), zeros, ("A",), gain, np.full_like(gain, cost), **more)  # type: ignore[arg-type]


def generated(seed: int, count: int, offers: int, **more: object) -> Candidates:
    random = np.random.default_rng(seed)
    gain, cost = random.gamma(2, 1, (count, offers)), random.uniform(0.5, 1.5, (count, offers))
    names = tuple("ABC"[:offers])
    ids = tuple(f"c{i}" for i in range(count))
    return Candidates(ids, ("x", "y"), random.integers(0, 2, count), names, gain, cost, **more)  # type: ignore[arg-type]


def brute_force(c: Candidates, budget: float, paying: bool) -> float:
    """The best value over every way to give each customer one offer or none."""
    best, value = 0.0, c.gain - c.cost if paying else c.gain
    for choice in product(range(-1, len(c.offers)), repeat=len(c.customers)):
        taken = [(i, o) for i, o in enumerate(choice) if o >= 0]
        if c.allowed is not None and not all(c.allowed[i] for i, _ in taken):
            continue
        if sum(c.cost[i, o] for i, o in taken) > budget:
            continue
        if any(sum(c.tiers[c.tier[i]] == t for i, _ in taken) > most for t, most in c.caps.items()):
            continue
        best = max(best, float(sum(value[i, o] for i, o in taken)))
    return best


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 6),
    offers=st.integers(1, 3),
    budget=st.floats(0.3, 6),
    cap=st.none() | st.integers(0, 3),
    paying=st.booleans(),
    masked=st.booleans(),
)
def test_is_the_best_there_is(
    seed: int, count: int, offers: int, budget: float, cap: int | None, paying: bool, masked: bool
) -> None:
    allowed = np.random.default_rng(seed + 1).random(count) < 0.7 if masked else None
    c = generated(seed, count, offers, allowed=allowed, caps={} if cap is None else {"x": cap})
    split = split_budget(c, budget, only_paying=paying)
    best = brute_force(c, budget, paying)
    found = split.gain - split.cost if paying else split.gain
    assert found >= best - TOLERANCE * max(best, 1) - 1e-9
    assert found <= best + 1e-9
    assert split.cost <= budget * (1 + 1e-8)
    assert found + split.slack >= best - 1e-9, "the slack is a true bound"
    ids = [customer for a in split.allocations for customer in a.chosen]
    assert len(ids) == len(set(ids)), "at most one offer a customer"


def test_by_hand() -> None:
    split = split_budget(one_offer([1.2, 3.0, 2.0, 2.5, 1.1]), 3)
    assert [a.chosen for a in split.allocations] == [("c1", "c3", "c2")]
    assert (split.contacts, split.cost, split.gain) == (3, 3.0, 7.5)
    assert split.shadow_price == pytest.approx(0.2), "the next contact gains 1.2 for 1"
    assert (split.paying_contacts, split.paying_cost) == (5, 5.0)


def test_a_dear_offer_goes_only_to_whom_it_moves() -> None:
    gain, cost = np.array([[2.0, 5.0], [2.0, 2.2], [2.0, 2.1]]), np.array([[1.0, 2.0]] * 3)
    c = Candidates(("a", "b", "c"), ("all",), np.zeros(3, int), ("mild", "deep"), gain, cost)
    assert split_budget(c, 4).choices() == {"a": ("all", "deep"), "b": ("all", "mild"), "c": ("all", "mild")}


def test_no_money_is_spent_at_a_loss_unless_asked() -> None:
    c = one_offer([2.0, 0.5, 0.1])
    careful = split_budget(c, 10)
    assert (careful.contacts, careful.shadow_price) == (1, 0.0)
    assert split_budget(c, 10, only_paying=False).contacts == 3
    assert split_budget(c, 2, only_paying=False).shadow_price == pytest.approx(-0.9)


def test_caps_and_those_who_must_be_left_alone() -> None:
    c = generated(3, 40, 2, caps={"x": 4}, allowed=np.arange(40) % 5 > 0)
    split = split_budget(c, 100)
    tiers = [tier for tier, _ in split.choices().values()]
    assert tiers.count("x") == 4
    assert not {f"c{i}" for i in range(0, 40, 5)} & set(split.choices())


def test_the_shadow_price_is_what_one_more_unit_brings() -> None:
    c = generated(11, 4000, 3, caps={"x": 150})
    budget = 200.0
    split = split_budget(c, budget)
    more, less = split_budget(c, budget + 5), split_budget(c, budget - 5)
    assert ((more.gain - more.cost) - (less.gain - less.cost)) / 10 == pytest.approx(
        split.shadow_price, rel=0.05
    )
    # And the dual of the whole programme, solved in one piece.
    m = c.gain.shape[1]
    once = np.kron(np.eye(400), np.ones(m))
    small = Candidates(c.customers[:400], c.tiers, c.tier[:400], c.offers, c.gain[:400], c.cost[:400])
    whole = linprog(
        -(small.gain - small.cost).ravel(),
        A_ub=np.vstack([small.cost.ravel(), once]),
        b_ub=[20, *[1] * 400],
        bounds=(0, 1),
    )
    part = split_budget(small, 20)
    assert part.shadow_price == pytest.approx(-whole.ineqlin.marginals[0], rel=1e-6)
    assert part.gain - part.cost + part.slack == pytest.approx(-whole.fun, rel=1e-6)


def test_beats_the_best_offer_first_rule() -> None:
    """The rule it replaces gave each customer the offer with the best ratio, best ratios first."""
    c = generated(5, 300, 3)
    ratio = c.gain / c.cost
    offer = ratio.argmax(axis=1)
    places = np.arange(300)
    order = np.argsort(-ratio.max(axis=1))
    spent = c.cost[places, offer][order].cumsum()
    greedy = c.gain[places, offer][order][spent <= 240].sum()
    assert split_budget(c, 240, only_paying=False).gain > 1.01 * greedy


def test_returns_diminish_and_equal_customers_are_no_trouble() -> None:
    c = one_offer(list(np.random.default_rng(2).gamma(2, 1, 60)))
    nets = [(s := split_budget(c, budget)).gain - s.cost for budget in (5, 10, 15, 20, 25)]
    steps = np.diff(nets)
    assert (steps[1:] <= steps[:-1] + 1e-9).all()
    alike = split_budget(one_offer([2.0] * 3000, cost=0.7), 100)
    assert alike.contacts == 142
    assert alike.slack < 2.0


def test_more_money_than_there_is_to_spend_changes_nothing() -> None:
    rich = split_budget(one_offer([3.0, 2.0, 0.5]), 1.6e308)
    assert (rich.contacts, rich.gain, rich.shadow_price) == (2, 5.0, 0.0)


def test_bad_budgets() -> None:
    for budget in (0, -5, float("nan")):
        with pytest.raises(DefinitionError, match="budget must be above 0"):
            split_budget(one_offer([1.0]), budget)
    with pytest.raises(DefinitionError, match="must cost more than 0"):
        split_budget(one_offer([1.0], cost=0), 2)
    with pytest.raises(DefinitionError, match="no tier 'vip'"):
        split_budget(one_offer([1.0], caps={"vip": 3}), 2)
