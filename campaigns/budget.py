"""A budget allocated over customers and offers: at most one offer each, within budget and tiers' caps.

A multiple-choice knapsack. Its linear relaxation is solved by Dantzig-Wolfe decomposition (1960,
Operations Research 8): at a price of the budget and of each cap, every customer's best offer is known;
HiGHS finds the prices by cutting planes. The price of the budget is its shadow price. The few customers
for whom the prices do not decide are then settled exactly by HiGHS's branch and cut, the others being
fixed by their reduced cost. The answer is within `TOLERANCE` of the best there is, and `slack` says how
close.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix, vstack

from segments.errors import DefinitionError

TOLERANCE = 1e-4
MAX_CUTS = 300
PRECISION = 1e-9
MILP_SECONDS = 2.0
FIRST_CORE, LAST_CORE = 64, 4096
"""Options that branch and cut settles: at first, and at most."""


@dataclass(frozen=True)
class Candidates:
    """Who could be contacted with what. n customers, m offers.

    tier: index into `tiers` of each customer, shape (n,). gain: expected margin (currency) of contacting
    a customer with an offer, before its cost; cost: expected cost (currency, above 0); both (n, m).
    allowed: False for customers who must not be contacted, shape (n,). caps: most contacts of a tier.
    """

    customers: tuple[str, ...]
    tiers: tuple[str, ...]
    tier: np.ndarray
    offers: tuple[str, ...]
    gain: np.ndarray
    cost: np.ndarray
    allowed: np.ndarray | None = None
    caps: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Allocation:
    """What one tier gets of one offer. gain: expected margin before costs; chosen: customers, best first."""

    tier: str
    offer: str
    contacts: int
    cost: float
    gain: float
    chosen: tuple[str, ...]


BUDGET_STEP = 1.0
"""The unit of budget (in the workspace's currency) whose worth the shadow price is."""


@dataclass(frozen=True)
class BudgetSplit:
    """The split. shadow_price: net margin of one more unit of budget (0 when the budget does not bind).

    paying_contacts, paying_cost: the contacts, budget aside, whose gain covers their cost, and what they
    would cost together. slack: the most (currency of margin) that any other split could gain beyond this.
    """

    budget: float
    allocations: tuple[Allocation, ...]
    cost: float
    gain: float
    shadow_price: float
    paying_contacts: int
    paying_cost: float
    slack: float

    @property
    def contacts(self) -> int:
        """Customers contacted in all."""
        return sum(a.contacts for a in self.allocations)

    def choices(self) -> dict[str, tuple[str, str]]:
        """customer_id -> (tier, offer) of everyone contacted."""
        return {c: (a.tier, a.offer) for a in self.allocations for c in a.chosen}


def split_budget(candidates: Candidates, budget: float, *, only_paying: bool = True) -> BudgetSplit:
    """Choose whom to contact with what for at most `budget` (currency) of expected cost.

    only_paying: the largest margin after costs, so that nobody is contacted at a loss; else the largest
    margin that the budget buys. Raises DefinitionError when the budget is not positive, a cost is not
    positive, or a cap names no tier.
    """
    _check(candidates, budget)
    value = candidates.gain - candidates.cost if only_paying else candidates.gain
    problem = _Problem(candidates, value, float(budget))
    prices, bound = problem.prices()
    choice = problem.choose(prices, bound)
    price = float(prices[0])
    return _result(candidates, choice, budget, price if only_paying else price - 1 if price > 0 else 0.0,
                   bound - problem.worth(choice))  # fmt: skip


def _check(c: Candidates, budget: float) -> None:
    if not budget > 0:
        raise DefinitionError(
            f"The budget must be above 0, not {budget:g}.", f"预算必须大于0，而给的是{budget:g}。"
        )
    if c.cost.size and not c.cost.min() > 0:
        raise DefinitionError("Every contact must cost more than 0.", "每次触达的成本必须大于0。")
    for name, most in c.caps.items():
        if name not in c.tiers:
            raise DefinitionError(
                f"caps: there is no tier '{name}'; tiers are {', '.join(c.tiers)}.",
                f"caps：没有价值层“{name}”；现有{'、'.join(c.tiers)}。",
            )
        if most < 0:
            raise DefinitionError(
                f"caps: the most contacts of tier '{name}' must be at least 0, not {most}.",
                f"caps：价值层“{name}”的触达上限至少为0，而给的是{most}。",
            )


class _Problem:
    """One knapsack. Constraints: the budget first, then one for each capped tier. Offer -1: none."""

    def __init__(self, c: Candidates, value: np.ndarray, budget: float) -> None:
        self.cost = c.cost
        self.value = value if c.allowed is None else np.where(c.allowed[:, None], value, -np.inf)
        capped = [i for i, name in enumerate(c.tiers) if name in c.caps]
        # More than everyone's dearest offer costs is not spent, and sums past it lose their last digits.
        enough = 2.0 * float(c.cost.max(axis=1, initial=0.0).sum()) + 1.0
        self.limits = np.array([min(budget, enough), *(float(c.caps[c.tiers[i]]) for i in capped)])
        slot = np.full(len(c.tiers), len(capped) + 1)
        slot[capped] = np.arange(1, len(capped) + 1)
        # The constraint of each customer's tier; the one past the last is no constraint.
        self.slot = slot[c.tier]
        # Sums of money are compared up to the last digit of a float.
        self.limits[0] *= 1 + 1e-9

    def reduced(self, prices: np.ndarray) -> np.ndarray:
        """Value of each option less what it uses, at the prices; shape (n, m)."""
        return self.value - prices[0] * self.cost - np.append(prices, 0.0)[self.slot][:, None]

    def best(self, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each customer's best offer at the prices (-1: none) and what it is worth beyond them."""
        reduced = self.reduced(prices)
        offer = reduced.argmax(axis=1) if reduced.size else np.zeros(0, int)
        worth = reduced[np.arange(len(offer)), offer]
        return np.where(worth > 0, offer, -1), np.maximum(worth, 0.0)

    def worth(self, offer: np.ndarray) -> float:
        """Value of a choice."""
        places = np.flatnonzero(offer >= 0)
        return float(self.value[places, offer[places]].sum())

    def use(self, offer: np.ndarray) -> np.ndarray:
        """What a choice uses of each constraint."""
        places = np.flatnonzero(offer >= 0)
        counts = np.bincount(self.slot[places], minlength=len(self.limits) + 1)[: len(self.limits)].astype(
            float
        )
        counts[0] = self.cost[places, offer[places]].sum()
        return counts

    def prices(self) -> tuple[np.ndarray, float]:
        """Prices of the constraints and the upper bound on the value that they prove.

        Of equally good prices the one with the lowest price of the budget: what one more unit brings,
        not what one less would cost.
        """
        count = len(self.limits)
        finite = np.isfinite(self.value)
        top = float((self.value[finite] / self.cost[finite]).max(initial=0.0)) + 1.0
        most = float(self.value[finite].max(initial=0.0)) + 1.0
        bounds = [(0.0, top), *[(0.0, most)] * (count - 1)]
        rows: list[np.ndarray] = []
        sides: list[float] = []

        def dual(prices: np.ndarray) -> float:
            """The bound at some prices; what it rests on is added to the master as a cut."""
            offer, worth = self.best(prices)
            rows.append(np.append(self.limits - self.use(offer), -1.0))
            sides.append(-self.worth(offer))
            return float(prices @ self.limits + worth.sum())

        found, best, prices = np.zeros(count), np.inf, np.zeros(count)
        for _ in range(MAX_CUTS):
            bound = dual(prices)
            if bound < best:
                best, found = bound, prices
            master = linprog(
                [*[0.0] * count, 1.0], A_ub=rows, b_ub=sides, bounds=[*bounds, (None, None)], method="highs"
            )
            if best - master.fun <= PRECISION * max(1.0, abs(best)):
                break
            prices = np.asarray(master.x[:count])
        allowed = best + 10 * PRECISION * max(1.0, abs(best))
        for _ in range(MAX_CUTS):
            lowest = linprog(
                [1.0, *[0.0] * count],
                A_ub=rows,
                b_ub=sides,
                bounds=[*bounds, (allowed, allowed)],
                method="highs",
            )
            if lowest.x is None or lowest.x[0] >= found[0] - PRECISION:
                break
            prices = np.asarray(lowest.x[:count])
            if dual(prices) <= allowed * (1 + PRECISION):
                found = prices
                break
        return found, best

    def choose(self, prices: np.ndarray, bound: float) -> np.ndarray:
        """The best choice: options whose reduced cost exceeds the gap cannot be in it and are left out."""
        offer, worth = self.best(prices)
        loss = worth[:, None] - self.reduced(prices)
        tolerance = TOLERANCE * max(bound, 1e-9)
        # To give a customer nothing is an option too: it loses what the best offer is worth.
        ordered = np.sort(np.concatenate([loss[np.isfinite(loss)], worth]))
        best, size = self._within(offer, worth), FIRST_CORE
        while True:
            reach = float(ordered[min(size, len(ordered)) - 1]) if len(ordered) else 0.0
            settled = self._settle(offer, worth, loss, reach, tolerance)
            if settled is not None and self.worth(settled) > self.worth(best):
                best = settled
            # What lies beyond the reach could not make up for its own loss.
            if bound - self.worth(best) <= max(reach, tolerance) or size >= min(len(ordered), LAST_CORE):
                return best
            size *= 4

    def _within(self, offer: np.ndarray, worth: np.ndarray) -> np.ndarray:
        """The choice with the least worthy contacts dropped until every constraint holds."""
        out = offer.copy()
        for i in range(len(self.limits)):
            places = np.flatnonzero((out >= 0) & ((self.slot == i) if i else True))
            ranked = places[np.argsort(-worth[places], kind="stable")]
            used = self.cost[ranked, out[ranked]].cumsum() if i == 0 else np.arange(1, len(ranked) + 1)
            out[ranked[used > self.limits[i]]] = -1
        return out

    def _settle(
        self, offer: np.ndarray, worth: np.ndarray, loss: np.ndarray, reach: float, tolerance: float
    ) -> np.ndarray | None:
        """Settle the customers who have another option within `reach`; None when that cannot be done."""
        near = (loss <= reach) & np.isfinite(self.value)
        open_ = (near.sum(axis=1) + (worth <= reach)) > 1
        fixed = np.where(open_, -1, offer)
        places, offers = np.nonzero(near & open_[:, None])
        left = self.limits - self.use(fixed)
        if (left < 0).any():
            return None
        if not len(places):
            return fixed
        columns = np.arange(len(places))
        _, owner = np.unique(places, return_inverse=True)
        ones = np.ones(len(places))
        rows = [csr_matrix(self.cost[places, offers][None, :])]
        for i in range(1, len(self.limits)):
            rows.append(csr_matrix((self.slot[places] == i).astype(float)[None, :]))
        rows.append(csr_matrix((ones, (owner, columns)), shape=(owner.max() + 1, len(places))))
        upper = np.concatenate([left, np.ones(owner.max() + 1)])
        values = self.value[places, offers]
        solved = milp(
            -values,
            constraints=LinearConstraint(vstack(rows), ub=upper),
            integrality=ones,
            bounds=Bounds(0, 1),
            options={
                "time_limit": MILP_SECONDS,
                "mip_rel_gap": tolerance / max(float(values.sum()), tolerance),
            },
        )
        if solved.x is None:
            return None
        taken = np.flatnonzero(np.asarray(solved.x) > 0.5)
        out = fixed.copy()
        out[places[taken]] = offers[taken]
        return out


def _result(c: Candidates, choice: np.ndarray, budget: float, price: float, slack: float) -> BudgetSplit:
    allocations = []
    for t, tier in enumerate(c.tiers):
        for o, offer in enumerate(c.offers):
            places = np.flatnonzero((c.tier == t) & (choice == o))
            if not len(places):
                continue
            gain, cost = c.gain[places, o], c.cost[places, o]
            ordered = places[np.argsort(-gain / cost, kind="stable")]
            allocations.append(
                Allocation(
                    tier,
                    offer,
                    len(places),
                    float(cost.sum()),
                    float(gain.sum()),
                    tuple(c.customers[place] for place in ordered),
                )
            )
    best = (c.gain - c.cost).argmax(axis=1) if c.gain.size else np.zeros(0, int)
    every = np.arange(len(c.customers))
    pays = c.gain[every, best] >= c.cost[every, best]
    if c.allowed is not None:
        pays &= c.allowed
    return BudgetSplit(
        float(budget),
        tuple(allocations),
        sum(a.cost for a in allocations),
        sum(a.gain for a in allocations),
        price,
        int(pays.sum()),
        float(c.cost[every, best][pays].sum()),
        max(0.0, slack),
    )
