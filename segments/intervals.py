"""Number ranges: what a comparison allows. Used to find contradictions and to merge ranges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from segments.definition import EventCondition, FeatureCondition, Node


@dataclass(frozen=True)
class Interval:
    """The values from `low` to `high`, each end included or not."""

    low: float = -inf
    high: float = inf
    low_in: bool = True
    high_in: bool = True

    @property
    def empty(self) -> bool:
        """Whether no value lies inside."""
        return self.low > self.high or (self.low == self.high and not (self.low_in and self.high_in))

    def meet(self, other: Interval) -> Interval:
        """The values in both."""
        low, low_in = max((self.low, not self.low_in), (other.low, not other.low_in))
        high, high_in = min((self.high, self.high_in), (other.high, other.high_in))
        return Interval(low, high, not low_in, high_in)


def from_comparison(op: str, value: object) -> Interval | None:
    """The interval of a numeric comparison, or None when it is not one."""
    if op == "between" and isinstance(value, tuple) and len(value) == 2 and all(map(_is_number, value)):
        return Interval(float(value[0]), float(value[1]))
    if not _is_number(value):
        return None
    number = float(value)  # type: ignore[arg-type]
    match op:
        case ">=":
            return Interval(low=number)
        case ">":
            return Interval(low=number, low_in=False)
        case "<=":
            return Interval(high=number)
        case "<":
            return Interval(high=number, high_in=False)
        case "=":
            return Interval(number, number)
    return None


def interval_of(node: Node) -> tuple[object, Interval | None]:
    """What a condition measures (equal keys: the same quantity) and the interval it allows."""
    if isinstance(node, FeatureCondition):
        return node.feature, from_comparison(node.op, node.value)
    if isinstance(node, EventCondition):
        return replace(node, op=">=", value=1), from_comparison(node.op, node.value)
    return None, None


def to_comparison(interval: Interval) -> tuple[str, float | tuple[float, float]] | None:
    """The one comparison that allows exactly the interval, or None when it takes two."""
    if interval.low == interval.high:
        return "=", interval.low
    if interval.high == inf:
        return (">=" if interval.low_in else ">"), interval.low
    if interval.low == -inf:
        return ("<=" if interval.high_in else "<"), interval.high
    if interval.low_in and interval.high_in:
        return "between", (interval.low, interval.high)
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
