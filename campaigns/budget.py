"""A budget split over tiers by expected margin, best contacts first.

The returns of a tier diminish by themselves: its customers are contacted in the order of expected
margin per unit of money, so each further contact earns less than the one before. With concave returns
the greedy choice, always the contact with the highest margin per unit of cost, is optimal (Fox 1966,
Discrete optimization via marginal analysis; here up to the cost of one contact). The margin that one
more unit of budget would earn is the shadow price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segments.errors import DefinitionError
from segments.ports import Figure


@dataclass(frozen=True)
class Tier:
    """Customers who may be contacted with one offer.

    customers: ids; gain: expected margin (currency) of contacting each, before its cost; cost: expected
    cost (currency, above 0) of contacting each. min_budget: money the tier gets in any case;
    max_contacts: the most customers to contact (None: all).
    """

    name: str
    customers: tuple[str, ...]
    gain: np.ndarray
    cost: np.ndarray
    min_budget: float = 0.0
    max_contacts: int | None = None


@dataclass(frozen=True)
class Allocation:
    """What one tier gets. gain: expected margin before costs; chosen: the customers, best first."""

    tier: str
    size: int
    contacts: int
    cost: float
    gain: float
    chosen: tuple[str, ...]


@dataclass(frozen=True)
class BudgetSplit:
    """The split. shadow_price: net margin of one more unit of budget (0 when the budget does not bind).

    paying_contacts, paying_cost: the contacts over all tiers, budget aside, whose gain covers their
    cost, and what they would cost together.
    """

    budget: float
    allocations: tuple[Allocation, ...]
    cost: float
    gain: float
    shadow_price: float
    paying_contacts: int
    paying_cost: float

    @property
    def contacts(self) -> int:
        """Customers contacted in all."""
        return sum(a.contacts for a in self.allocations)

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = [
            Figure("budget", self.budget, "currency", "budget", "预算"),
            Figure("cost", self.cost, "currency", "expected cost", "预期成本"),
            Figure("gain", self.gain, "currency", "expected margin before costs", "预期毛利(未扣成本)"),
            Figure("contacts", self.contacts, "customers", "customers contacted", "触达客户数"),
            Figure(
                "shadow_price",
                self.shadow_price,
                "currency",
                "net margin of one more unit",
                "追加一元的净毛利",
            ),
            Figure(
                "paying_contacts",
                self.paying_contacts,
                "customers",
                "contacts that pay back",
                "可回本的触达数",
            ),
            Figure(
                "paying_cost",
                self.paying_cost,
                "currency",
                "cost of the contacts that pay back",
                "可回本触达的成本",
            ),
        ]
        for a in self.allocations:
            found += [
                Figure(
                    f"{a.tier}.contacts", a.contacts, "customers", f"contacts, {a.tier}", f"触达数,{a.tier}"
                ),
                Figure(
                    f"{a.tier}.cost", a.cost, "currency", f"expected cost, {a.tier}", f"预期成本,{a.tier}"
                ),
                Figure(
                    f"{a.tier}.gain", a.gain, "currency", f"expected margin, {a.tier}", f"预期毛利,{a.tier}"
                ),
            ]
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a tier."""
        return [
            {"tier": a.tier, "size": a.size, "contacts": a.contacts, "cost": a.cost, "gain": a.gain}
            for a in self.allocations
        ]


def split_budget(tiers: Sequence[Tier], budget: float, *, only_paying: bool = True) -> BudgetSplit:
    """Choose whom to contact for at most `budget` (currency) of expected cost.

    Each tier first gets its `min_budget`; the rest goes to the best contacts of all tiers. only_paying:
    stop where a contact costs more than it gains (the minimums are spent all the same).
    Raises DefinitionError when the budget is not positive, the minimums exceed it, or a cost is not
    positive.
    """
    _check(tiers, budget)
    orders = [np.argsort(-(tier.gain / tier.cost), kind="stable")[: tier.max_contacts] for tier in tiers]
    taken = [_minimum(tier, order) for tier, order in zip(tiers, orders, strict=True)]
    spent = sum(float(t.cost[o[:n]].sum()) for t, o, n in zip(tiers, orders, taken, strict=True))
    offers = [
        (-float(tier.gain[place] / tier.cost[place]), index, int(place))
        for index, (tier, order) in enumerate(zip(tiers, orders, strict=True))
        for place in order[taken[index] :]
    ]
    price = 0.0
    # Within a tier the order is by ratio already, and sorting is stable, so a tier's contacts stay a prefix.
    for ratio, index, place in sorted(offers, key=lambda offer: offer[:2]):
        if only_paying and -ratio < 1:
            break
        cost = float(tiers[index].cost[place])
        if spent + cost > budget + 1e-9:
            price = -ratio - 1
            break
        spent += cost
        taken[index] += 1
    return _result(tiers, orders, taken, budget, price)


def _check(tiers: Sequence[Tier], budget: float) -> None:
    if not budget > 0:
        raise DefinitionError(f"The budget must be above 0, not {budget:g}.")
    for tier in tiers:
        if len(tier.cost) and not tier.cost.min() > 0:
            raise DefinitionError(f"Every contact of tier '{tier.name}' must cost more than 0.")
    least = sum(tier.min_budget for tier in tiers)
    if least > budget:
        raise DefinitionError(f"The tiers' minimums ({least:g}) exceed the budget ({budget:g}).")


def _minimum(tier: Tier, order: np.ndarray) -> int:
    """How many of the best contacts fit into the tier's minimum."""
    return int(np.searchsorted(np.cumsum(tier.cost[order]), tier.min_budget + 1e-9, side="right"))


def _result(
    tiers: Sequence[Tier], orders: list[np.ndarray], taken: list[int], budget: float, price: float
) -> BudgetSplit:
    allocations, paying, paying_cost = [], 0, 0.0
    for tier, order, count in zip(tiers, orders, taken, strict=True):
        chosen = order[:count]
        pays = order[tier.gain[order] >= tier.cost[order]]
        paying, paying_cost = paying + len(pays), paying_cost + float(tier.cost[pays].sum())
        allocations.append(
            Allocation(
                tier.name,
                len(tier.customers),
                count,
                float(tier.cost[chosen].sum()),
                float(tier.gain[chosen].sum()),
                tuple(tier.customers[place] for place in chosen),
            )
        )
    return BudgetSplit(
        budget,
        tuple(allocations),
        sum(a.cost for a in allocations),
        sum(a.gain for a in allocations),
        price,
        paying,
        paying_cost,
    )
