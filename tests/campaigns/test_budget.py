"""The greedy split against a linear programme, and its constraints."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from campaigns.budget import Tier, split_budget
from segments.errors import DefinitionError


def tier(name: str, gains: list[float], cost: float = 1.0, **limits: float) -> Tier:
    ids = tuple(f"{name}{i}" for i in range(len(gains)))
    return Tier(name, ids, np.array(gains), np.full(len(gains), cost), **limits)  # type: ignore[arg-type]


def test_by_hand() -> None:
    split = split_budget([tier("a", [1.2, 3.0, 2.0]), tier("b", [2.5, 1.1])], 3)
    assert [a.chosen for a in split.allocations] == [("a1", "a2"), ("b0",)]
    assert (split.contacts, split.cost, split.gain) == (3, 3.0, 7.5)
    assert split.shadow_price == pytest.approx(0.2), "the next contact gains 1.2 for 1"
    assert (split.paying_contacts, split.paying_cost) == (5, 5.0)


def test_no_money_is_spent_at_a_loss_unless_asked() -> None:
    tiers = [tier("a", [2.0, 0.5, 0.1])]
    careful = split_budget(tiers, 10)
    assert (careful.contacts, careful.shadow_price) == (1, 0.0)
    assert split_budget(tiers, 10, only_paying=False).contacts == 3
    assert split_budget(tiers, 2, only_paying=False).shadow_price == pytest.approx(-0.9)


def test_agrees_with_a_linear_programme() -> None:
    random = np.random.default_rng(11)
    tiers = [
        Tier(
            name, tuple(f"{name}{i}" for i in range(40)), random.gamma(2, 1, 40), random.uniform(0.5, 1.5, 40)
        )
        for name in "abc"
    ]
    split = split_budget(tiers, 30)
    gain, cost = np.concatenate([t.gain for t in tiers]), np.concatenate([t.cost for t in tiers])
    best = linprog(-(gain - cost), A_ub=cost[None, :], b_ub=[30], bounds=(0, 1))
    # The programme may cut one contact in pieces, so it is ahead by less than that contact.
    assert 0 <= -best.fun - (split.gain - split.cost) < (gain - cost).max()
    assert -best.ineqlin.marginals[0] == pytest.approx(split.shadow_price, abs=1e-6)
    assert split.cost <= 30


def test_returns_diminish() -> None:
    random = np.random.default_rng(2)
    tiers = [tier("a", list(random.gamma(2, 1, 60)))]
    nets = [(s := split_budget(tiers, budget)).gain - s.cost for budget in (5, 10, 15, 20, 25)]
    steps = np.diff(nets)
    assert (steps[1:] <= steps[:-1] + 1e-9).all()


def test_minimum_and_cap_of_a_tier() -> None:
    tiers = [tier("a", [5.0, 4.0, 3.0], max_contacts=1), tier("b", [0.3, 0.2, 0.1], min_budget=2.0)]
    split = split_budget(tiers, 10)
    assert [a.contacts for a in split.allocations] == [1, 2]


def test_bad_budgets() -> None:
    for budget in (0, -5, float("nan")):
        with pytest.raises(DefinitionError, match="budget must be above 0"):
            split_budget([tier("a", [1.0])], budget)
    with pytest.raises(DefinitionError, match="minimums"):
        split_budget([tier("a", [1.0], min_budget=3)], 2)
    with pytest.raises(DefinitionError, match="must cost more than 0"):
        split_budget([tier("a", [1.0], cost=0)], 2)
