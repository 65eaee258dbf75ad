"""One thing put in the place of another in a segment: 'change wine to beer', 'beer instead of wine', '把葡萄酒换成啤酒'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.linking.clauses import Reading
from assistant.linking.items import merged
from assistant.linking.spans import Span
from segments.definition import (
    ComparisonCondition,
    Condition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    ItemFilter,
    Node,
    Quantity,
    RepeatCondition,
    TouchCondition,
)

_OUT, _IN = r"(?P<out>[^.;?!，。]{1,40}?)", r"(?P<in>[^.;?!，。]{1,60})"
_SWAPS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:swap|put|switch|substitute)\s+(?:in\s+)?(?P<in>[^.;?!]{1,40}?)\s+(?:instead of|in place of)\s+(?P<out>[^.;?!]{1,60})",
        r"\b(?:swap in|substitute)\s+(?P<in>[^.;?!]{1,40}?)\s+for\s+(?P<out>[^.;?!]{1,60})",
        rf"\b(?:change|switch|swap|replace|turn|trade)\s+(?:out\s+)?{_OUT}\s+(?:to|for|with|by|into)\s+{_IN}",
        r"(?P<in>[^.;?!,]{1,40}?),?\s+(?:instead of|rather than|in place of)\s+(?P<out>[^.;?!]{1,60})",
        rf"(?:把|将)?{_OUT}(?:都|全部?)?(?:换成|换为|替换成|替换为|改成|改为|变成|换作){_IN}",
        r"(?P<in>[^.;?!,]{1,40}?),?\s+(?:and\s+)?not\s+(?P<out>[^.;?!,]{1,40})",
        r"\bnot\s+(?P<out>[^.;?!,]{1,40}?)(?:,|,?\s+but)\s+(?P<in>[^.;?!,]{1,40})",
        r"不(?:是|要)(?P<out>[^，,。；？！]{1,12}?)[，,]?(?:而)?(?:是|要)(?P<in>[^，,。；？！]{1,12})",
        r"(?:是|要|拿|用|跟|和)(?P<in>[^，,。；？！]{1,12}?)[，,]?(?:而)?不(?:是|要|和|跟)(?P<out>[^，,。；？！]{1,12})",
        r"(?P<out>[^，,。；？！]{1,12}?)(?:都|就|也)?(?:不要|不看|不算|别要|撤)了?[，,](?:换|改)(?:成|为|看|要)?(?P<in>[^，,。；？！]{1,12})",
        r"(?:改?用|换)?(?P<in>[^，。；？！]{1,12}?)(?:来)?(?:代替|替换|取代|替代|而不是)(?P<out>[^，。；？！]{1,20})",
    )
)
"""What goes out and what comes in."""
_GOODS = ("department", "category", "text")


@dataclass(frozen=True)
class Swap:
    """A condition of the segment and what it becomes."""

    target: Condition
    node: Condition


def swaps(reading: Reading, found: Sequence[Node], existing: Sequence[Condition]) -> tuple[Swap, ...]:
    """The conditions that a message puts something else into, where it names both what goes and what comes.

    found: the conditions that its words make.
    """
    for pattern in _SWAPS:
        match = pattern.search(reading.text)
        if match is None:
            continue
        made = (
            *_swaps(reading, match.span("out"), match.span("in"), existing),
            *_values(found, existing),
        )
        if made:
            return tuple({swap.target: swap for swap in reversed(made)}.values())
    return ()


def _values(found: Sequence[Node], existing: Sequence[Condition]) -> Iterator[Swap]:
    """'Replace 2 kids with 3 or more kids': two values of one feature, of which one is there."""
    for condition in existing:
        if not isinstance(condition, FeatureCondition):
            continue
        alike = [
            node for node in found if isinstance(node, FeatureCondition) and node.feature == condition.feature
        ]
        if len(alike) == 2 and condition in alike:
            yield Swap(condition, alike[1 - alike.index(condition)])


def _swaps(reading: Reading, out: Span, into: Span, existing: Sequence[Condition]) -> Iterator[Swap]:
    goods = [mention for clause in reading.clauses for mention in clause.items]
    gone = merged([mention.items for mention in goods if _within(mention.span, out)])
    come = merged([mention.items for mention in goods if _within(mention.span, into)])
    words = [mention for clause in reading.clauses for mention in clause.features]
    named = {mention.feature for mention in words if _within(mention.span, out)}
    wanted = next((m.condition for m in words if m.condition and _within(m.span, into)), None)
    times = [time.window for clause in reading.clauses for time in clause.windows if _within(time.span, into)]
    for condition in existing:
        if isinstance(condition, EventCondition | RepeatCondition | TouchCondition) and gone and come:
            exchanged = _exchanged(condition.items, gone, come)
            if exchanged is not None:
                window = times[0] if times else condition.window
                yield Swap(condition, replace(condition, items=exchanged, window=window))
        elif isinstance(condition, ComparisonCondition) and gone and come:
            left, right = (_quantity(side, gone, come) for side in (condition.left, condition.right))
            if (left, right) != (condition.left, condition.right):
                yield Swap(condition, replace(condition, left=left, right=right))
        elif isinstance(condition, FeatureCondition) and condition.feature in named and wanted is not None:
            yield Swap(condition, wanted)


def _quantity(side: Quantity, gone: ItemFilter, come: ItemFilter) -> Quantity:
    """One side of a comparison with some goods in the place of others; as it was where it is not of these."""
    items = _exchanged(side.items, gone, come) if isinstance(side, EventQuantity) else None
    return side if items is None or isinstance(side, str) else replace(side, items=items)


def _within(span: Span, part: Span) -> bool:
    return part[0] <= span[0] and span[1] <= part[1]


def _exchanged(items: ItemFilter, gone: ItemFilter, come: ItemFilter) -> ItemFilter | None:
    """The goods with some put in the place of others; None where these are not among them, or what is left would narrow
    what comes instead of standing beside it."""
    shared = [name for name in (*_GOODS, "brand") if set(getattr(items, name)) & set(getattr(gone, name))]
    if not shared:
        return None
    kept = {name: tuple(v for v in getattr(items, name) if v not in getattr(gone, name)) for name in _GOODS}
    brand = tuple(v for v in items.brand if v not in gone.brand)
    new = {name: getattr(come, name) for name in _GOODS}
    kinds = [{name for name, values in each.items() if values} for each in (kept, new)]
    if kinds[0] and kinds[1] and kinds[0] != kinds[1]:
        return None
    goods = {name: tuple(dict.fromkeys((*kept[name], *new[name]))) for name in _GOODS}
    return ItemFilter(**goods, brand=come.brand or brand)
