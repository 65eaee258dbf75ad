"""The tool of customer lifetime value: what a segment is worth over a horizon, as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from propensity.clv import LEVEL
from propensity.worth import TRIED_WEEKS, CustomerWorth, GroupWorth
from segments.errors import UserError
from segments.ports import Evidence, Figure

if TYPE_CHECKING:
    from assistant.rooms import Rooms

DEFAULT_WEEKS = 52.0
MAX_WEEKS = 156.0
KEPT = 32
"""Curves kept: to simulate one takes 0.15 s of a core for 400 customers, 0.8 s for 2,500."""
STEPS = 4
"""Points of the curve of expected spend, evenly up to the horizon."""


class Worths:
    """The value models of one workspace, fitted when first asked."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._curve = lru_cache(KEPT)(self._simulated)

    @cached_property
    def models(self) -> CustomerWorth:
        """Fitted to all purchases. Raises DataError when too few customers bought again."""
        bought = self._rooms.purchases[["customer_id", "ts", "value"]]
        return CustomerWorth(bought, self._rooms.warehouse.as_of)

    def evidence(self, members: Sequence[str], weeks: float | None) -> Evidence:
        """What the members are worth. Raises UserError when the horizon is too long to say."""
        horizon = DEFAULT_WEEKS if weeks is None else weeks
        if not 0 < horizon <= MAX_WEEKS:
            raise UserError(
                f"weeks: must be above 0 and at most {MAX_WEEKS:.0f}; got {horizon:g}.",
                f"weeks：必须大于0且不超过{MAX_WEEKS:.0f}，而给的是{horizon:g}。",
            )
        steps = self._curve(tuple(sorted(members)), horizon)
        return Evidence(
            "", "customer_value", _figures(self.models, steps[-1]), tuple(_row(step) for step in steps)
        )

    def _simulated(self, members: tuple[str, ...], horizon: float) -> list[GroupWorth]:
        """The curve of expected spend, its last point the horizon's."""
        return [self.models.group(members, horizon * step / STEPS) for step in range(1, STEPS + 1)]


def _row(found: GroupWorth) -> dict[str, float]:
    """A point of the curve of expected spend."""
    value = found.value
    return {
        "weeks": round(found.weeks, 1),
        "expected": round(value.expected, 2),
        "low": round(value.low, 2),
        "high": round(value.high, 2),
    }


def _figures(models: CustomerWorth, found: GroupWorth) -> tuple[Figure, ...]:
    value, transactions, count = found.value, found.transactions, found.customers
    each = [edge / count for edge in (value.expected, value.low, value.high)]
    interval = (LEVEL,)
    return (
        Figure(
            "value",
            value.expected,
            "currency",
            "expected spend",
            "预计消费",
            value.low,
            value.high,
            *interval,
        ),
        Figure("value_each", each[0], "currency", "a customer", "人均", each[1], each[2], *interval),
        Figure(
            "transactions",
            round(transactions.expected),
            "orders",
            "expected days with a purchase",
            "预计购买天数",
            round(transactions.low),
            round(transactions.high),
            *interval,
        ),
        Figure("active", round(found.active), "customers", "expected to be still active", "预计仍活跃"),
        Figure("members", count, "customers", "customers", "客户数"),
        Figure("weeks", round(found.weeks, 1), "count", "weeks ahead", "未来周数"),
        Figure(
            "history_weeks", round(models.history_weeks), "count", "weeks of purchases known", "已知购买周数"
        ),
        Figure("tried_weeks", TRIED_WEEKS, "count", "weeks tried", "检验周数"),
        Figure(
            "tried",
            models.tried[1],
            "ratio",
            "actual over expected spend, when tried",
            "检验时实际与预计之比",
        ),
    )
