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
COMPARE_OPERATORS = (">=", ">", "<=", "<", "=")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RepeatUnit = Literal["orders", "sessions", "days"]
REPEAT_UNITS = ("orders", "sessions", "days")


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
        return bool(self.values)

    @property
    def values(self) -> tuple[str, ...]:
        """What is named, in whichever field."""
        return (*self.department, *self.category, *self.brand, *self.text)


@dataclass(frozen=True)
class Occasion:
    """On which days, hours and channels, of which campaigns: any value within a field, all given fields together; empty
    means any.

    weekdays: of WEEKDAYS. hours: [from, to) of the day, 0..24, over midnight when from > to.
    channel: where it happened, e.g. a store's number. campaign: which one it was received from or redeemed for.
    """

    weekdays: tuple[str, ...] = ()
    hours: tuple[int, int] | None = None
    channel: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.weekdays or self.hours or self.channel or self.campaign)


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
    occasion: Occasion = Occasion()


@dataclass(frozen=True)
class Step:
    """One event of a sequence, at most `within_days` times 24 hours after the one before (None: any time)."""

    event: str
    items: ItemFilter = ItemFilter()
    within_days: int | None = None
    occasion: Occasion = Occasion()


@dataclass(frozen=True)
class SequenceCondition:
    """The customer did the steps in order, each strictly later than the one before, the first in `window`.

    then_not: a step that did not follow the last one. With `within_days` it is judged only for last
    steps that lie at least so many days before the as-of date; without, it never happened since.
    same_item: all steps speak of one item ("viewed it, then did not buy it").
    """

    steps: tuple[Step, ...]
    then_not: Step | None = None
    window: Window = Window()
    same_item: bool = False


@dataclass(frozen=True)
class RepeatCondition:
    """Some `times` orders, sessions or days with such events began within `within_days` times 24 hours.

    without: an event type none of which lies between the begin of the first and the end of the last.
    """

    event: str
    times: int
    within_days: int
    unit: RepeatUnit = "orders"
    items: ItemFilter = ItemFilter()
    window: Window = Window()
    without: str | None = None
    occasion: Occasion = Occasion()


@dataclass(frozen=True)
class TouchCondition:
    """The customer's first (or last) such event before the as-of date was on `items` and lies in `window`.

    Events of the same moment are one touch: one of them on the items is enough.
    """

    which: Literal["first", "last"]
    event: str
    items: ItemFilter = ItemFilter()
    window: Window = Window()
    occasion: Occasion = Occasion()


@dataclass(frozen=True)
class EventQuantity:
    """A number to compare: a measure of the customer's events, 0 without such events."""

    event: str
    items: ItemFilter = ItemFilter()
    window: Window = Window()
    measure: EventMeasure = "count"
    occasion: Occasion = Occasion()


Quantity = str | EventQuantity
"""A feature's name or a measure of events."""


@dataclass(frozen=True)
class ComparisonCondition:
    """`left op factor * right`: two windows or two features compared for each customer."""

    left: Quantity
    op: str
    right: Quantity
    factor: float = 1.0


@dataclass(frozen=True)
class RankCondition:
    """The `count` customers, or the `share` of them, with the highest (lowest) value of a feature.

    among: whom to rank; None means everyone. Customers without a value are not ranked; ties go by id.
    """

    feature: str
    count: int | None = None
    share: float | None = None
    lowest: bool = False
    among: Node | None = None


@dataclass(frozen=True)
class PropensityCondition:
    """The customer's probability of `outcome` is at least `min_probability`, or in the `top_share`."""

    outcome: str
    min_probability: float | None = None
    top_share: float | None = None


@dataclass(frozen=True)
class UpliftCondition:
    """The customer would buy because of a campaign like that one: by the estimate, it raises their probability to buy by
    at least `min_effect` (0..1), or by more than it does of others (`top_share`)."""

    campaign: str
    min_effect: float | None = None
    top_share: float | None = None


@dataclass(frozen=True)
class SimilarityCondition:
    """The `top` customers whose behaviour is nearest to a segment's (or one customer's), these left out, or to those
    who care most about what a text means.

    Exactly one of segment, customer and text. among: whom to choose from; None means everyone.
    """

    top: int
    segment: Node | None = None
    customer: str | None = None
    text: str | None = None
    among: Node | None = None


@dataclass(frozen=True)
class MemberOf:
    """The customer belongs to the saved segment of that name."""

    segment: str


@dataclass(frozen=True)
class InCluster:
    """The customer was put into that cluster by a discovery of natural segments: who they are stays as it was then."""

    discovery: str
    number: int


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


Condition = (
    FeatureCondition
    | EventCondition
    | SequenceCondition
    | RepeatCondition
    | TouchCondition
    | ComparisonCondition
    | RankCondition
    | PropensityCondition
    | UpliftCondition
    | SimilarityCondition
    | MemberOf
    | InCluster
)
Node = AllOf | AnyOf | Not | Condition
SegmentDefinition = Node
EVERYONE = AllOf(())


def conditions(node: Node) -> Iterator[Condition]:
    """Every condition of the tree, left to right (those inside a seed or a ranked group left out)."""
    match node:
        case AllOf(children) | AnyOf(children):
            for child in children:
                yield from conditions(child)
        case Not(child):
            yield from conditions(child)
        case _:
            yield node


def inner_groups(condition: Condition) -> tuple[Node, ...]:
    """The definitions inside a condition: the seed of a similarity, and the group that it or a rank is among."""
    match condition:
        case SimilarityCondition(segment=segment, among=among):
            return tuple(group for group in (segment, among) if group is not None)
        case RankCondition(among=among) if among is not None:
            return (among,)
        case _:
            return ()


def every_condition(node: Node) -> Iterator[Condition]:
    """Every condition of the tree and of the seeds and ranked groups inside it."""
    for condition in conditions(node):
        yield condition
        for group in inner_groups(condition):
            yield from every_condition(group)


def named_segments(node: Node) -> Iterator[str]:
    """The names of saved segments that the definition rests on, those inside seeds and ranked groups too."""
    return (condition.segment for condition in every_condition(node) if isinstance(condition, MemberOf))


def used_features(node: Node) -> Iterator[str]:
    """The names of the features that the definition asks for itself, those inside seeds and ranked groups too."""
    for condition in every_condition(node):
        if isinstance(condition, FeatureCondition | RankCondition):
            yield condition.feature
        elif isinstance(condition, ComparisonCondition):
            yield from (side for side in (condition.left, condition.right) if isinstance(side, str))


def top_level(node: Node) -> tuple[Node, ...]:
    """The parts a person would call 'the conditions': the children of an `all_of`, else the node."""
    return node.children if isinstance(node, AllOf) else (node,)
