"""The segment definition: an immutable typed tree that says who belongs.

Logic is two-valued: a condition on a missing value is false, and `not` is its plain complement, so
the same definition gives the same members on every engine. Windows are half-open and count days
back from the as-of date: `[as_of - start, as_of - end)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Value = float | int | bool | str
EVENT_TYPES = (
    "view",
    "search",
    "add_to_cart",
    "purchase",
    "return",
    "review",
    "exposure",
    "ad_click",
    "coupon_redeem",
)
EventMeasure = Literal["count", "quantity", "value"]
EVENT_MEASURES = ("count", "quantity", "value")
EVENT_OPERATORS = (">=", ">", "<=", "<", "=", "between")


@dataclass(frozen=True)
class ItemFilter:
    """Which items: any value within a field, all given fields together; empty means any item.

    `text` matches whole words of the item's name, in any letter case.
    """

    department: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    text: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.department or self.category or self.brand or self.text)


@dataclass(frozen=True)
class Window:
    """Days before the as-of date, from `start` (far, None = ever) to `end` (near, 0 = as of)."""

    start: int | None = None
    end: int = 0


@dataclass(frozen=True)
class FeatureCondition:
    """A feature compared with a value; `between` takes (low, high), both included; `in` a tuple."""

    feature: str
    op: str
    value: Value | tuple[Value, ...]


@dataclass(frozen=True)
class EventCondition:
    """The customer did `event` on `items` in `window`, with `measure op value` (default: at least once).

    measure: count = distinct orders for purchases and returns, else events; quantity = units;
    value = currency. A customer without such events has measure 0, so `count < 3` includes them.
    """

    event: str
    items: ItemFilter = ItemFilter()
    window: Window = Window()
    measure: EventMeasure = "count"
    op: str = ">="
    value: float | tuple[float, float] = 1


@dataclass(frozen=True)
class PropensityCondition:
    """The customer's probability of `outcome` is at least `min_probability`, or in the `top_share`."""

    outcome: str
    min_probability: float | None = None
    top_share: float | None = None


@dataclass(frozen=True)
class SimilarityCondition:
    """The `top` customers whose behaviour is nearest to a segment's (or one customer's), these left out."""

    top: int
    segment: Node | None = None
    customer: str | None = None


@dataclass(frozen=True)
class MemberOf:
    """The customer belongs to the saved segment of that name."""

    segment: str


@dataclass(frozen=True)
class AllOf:
    """Every child holds; no children means everyone."""

    children: tuple[Node, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one child holds; no children means nobody."""

    children: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """The child does not hold."""

    child: Node


Condition = FeatureCondition | EventCondition | PropensityCondition | SimilarityCondition | MemberOf
Node = AllOf | AnyOf | Not | Condition
SegmentDefinition = Node
EVERYONE = AllOf(())


def conditions(node: Node) -> Iterator[Condition]:
    """Every condition of the tree, left to right (those inside a similarity's seed left out)."""
    match node:
        case AllOf(children) | AnyOf(children):
            for child in children:
                yield from conditions(child)
        case Not(child):
            yield from conditions(child)
        case _:
            yield node


def top_level(node: Node) -> tuple[Node, ...]:
    """The parts a person would call 'the conditions': the children of an `all_of`, else the node."""
    return node.children if isinstance(node, AllOf) else (node,)
