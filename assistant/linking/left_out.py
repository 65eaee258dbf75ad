"""What a message says that its reading does not hold: a number, a time or goods that no condition took; and the other
way round, what a definition holds that the message does not say.

The reading is asked, not the reader: whatever way the conditions were made, what they hold is in them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from assistant.linking.asked_kinds import unheld
from assistant.linking.clauses import Reading
from assistant.linking.numbers import Number, numbers
from assistant.linking.occasions import occasions
from assistant.linking.spans import Span, free
from assistant.linking.trend import trends
from assistant.linking.windows import DAYS, windows
from segments.codec import to_json
from segments.definition import (
    ComparisonCondition,
    EventCondition,
    FeatureCondition,
    ItemFilter,
    Node,
    RankCondition,
    SimilarityCondition,
    Window,
    conditions,
    every_condition,
)

_CLOCK = re.compile(
    r"\s*(?:o['’]?clock|[ap]\.?m\b|in the (?:morning|afternoon|evening)|at night|[点时])", re.I
)
_HALF = re.compile(r"\bhal(?:f|v\w*)\b|一?半", re.IGNORECASE)
_FEW = 3
"""'all three of them', 'both', '两个条件': a small number without unit or comparison counts words, not customers."""


_MONEY = ("money", "per_order")
_OF_MONEY = re.compile(r"(?:spend|basket_value|discount)_\d+d$|spend_(?!trend)|discount_365d$")
_COUNTED = ("customers", "people", "orders", "times", "units", "coupons", "campaigns", "stores", "categories")
"""Units of what is counted: no sum of money has them."""


@dataclass(frozen=True)
class Held:
    """What conditions hold: their numbers, their words in lower case (items, levels, features), and whether any
    compares two times. money, counts: of the numbers, those that are sums and those that count something; '500 customers'
    is not held by a sum of 500."""

    numbers: frozenset[float]
    words: frozenset[str]
    compares: bool
    money: frozenset[float] = frozenset()
    counts: frozenset[float] = frozenset()

    @staticmethod
    def by(nodes: Sequence[Node]) -> Held:
        """What a few nodes hold together."""
        said = [value for node in nodes for value in _leaves(to_json(node))]
        words = {value.lower() for value in said if isinstance(value, str)}
        held = {float(value) for value in said if isinstance(value, int | float)}
        # 'spend_90d', 'purchase_30d:BEERS/ALES': the days and the category of a name.
        held |= {float(days) for word in words for days in re.findall(r"_(\d+)d\b", word)}
        held |= {float(word.removesuffix("+")) for word in words if re.fullmatch(r"\d+\+?", word)}
        words |= {word.partition(":")[2] for word in words if ":" in word}
        two_times = any(isinstance(c, ComparisonCondition) for node in nodes for c in conditions(node))
        compares = two_times or any("_trend_" in word for word in words)
        money, counts = _by_kind(nodes)
        return Held(frozenset(held), frozenset(words), compares, money - counts, counts - money)

    @property
    def of_bands(self) -> bool:
        """Whether a band ('55-64', '75-99K') is held: it swallows the number that chose it."""
        return any(re.fullmatch(r"\$?\d+k?(?:-\d+k?|\+)", word) for word in self.words)

    def number(self, number: Number) -> bool:
        """Whether a number is held, a percentage as a share or as the change that it makes."""
        if number.unit in ("years", "money", "") and self.of_bands:
            return True
        return all(self._value(value, number.unit) for value in (number.value, number.high) if value)

    def _value(self, value: float, unit: str) -> bool:
        share = round(value / 100, 6)
        ways = {share, round(1 - share, 6), round(1 + share, 6)}
        if unit != "percent":
            # 'more than 15 and at most 45' of whole things is 16 to 45.
            ways |= {value, value - 1, value + 1}
        other = self.counts if unit in _MONEY else self.money if unit in _COUNTED else frozenset()
        return value == 1 or bool(ways & (self.numbers - other))

    def time(self, window: Window) -> bool:
        """Whether a time is held, give or take the day that it begins or ends with. Of two times that are compared
        one may be said by its length alone ('than in the 60 days before')."""
        start, end = window.start or 0, window.end
        lengths = (
            {start - end, *(n + start - end for n in self.numbers)} if self.compares and start else set()
        )
        return bool(lengths & self.numbers) or all(
            not ago or {ago - 1, ago, ago + 1} & self.numbers for ago in (start, end)
        )

    def items(self, items: ItemFilter) -> bool:
        """Whether any of the goods named is held, or a feature made of them."""
        named = [value.lower() for value in items.values]
        slugs = [re.sub(r"[^a-z0-9]+", "_", name).strip("_") for name in named]
        return any(
            name in self.words or any(slug in word for word in self.words)
            for name, slug in zip(named, slugs, strict=True)
        )


def _by_kind(nodes: Sequence[Node]) -> tuple[frozenset[float], frozenset[float]]:
    """The numbers that are sums of money, and those that count customers, events or days."""
    money: set[float] = set()
    counts: set[float] = set()
    for condition in (condition for node in nodes for condition in every_condition(node)):
        match condition:
            case EventCondition(measure=measure, value=value, window=window):
                (money if measure == "value" else counts).update(_values(value))
                counts |= {float(days) for days in (window.start, window.end) if days}
            case FeatureCondition(feature=feature, value=value):
                (money if _OF_MONEY.match(feature) else counts).update(_values(value))
            case RankCondition(count=int(count)) | SimilarityCondition(top=count):
                counts.add(float(count))
            case _:
                pass
    return frozenset(money), frozenset(counts)


def _values(value: object) -> Iterator[float]:
    for one in value if isinstance(value, tuple) else (value,):
        if isinstance(one, int | float) and not isinstance(one, bool):
            yield float(one)


def made_up(reading: Reading, node: Node, as_of: date) -> tuple[str, ...]:
    """The numbers and goods that a definition holds though the message does not name them."""
    text, chinese = reading.text, reading.chinese
    times = windows(text, chinese, as_of)
    spoken = numbers(text, chinese, [])
    said = {value for number in spoken for value in (number.value, number.high) if value is not None}
    said |= {1.0, float(DAYS["year"]), *map(float, re.findall(r"\d+(?:\.\d+)?", text))}
    said |= {0.5} if _HALF.search(text) else set()
    for window in (w for time in times for w in (time.window, *time.parts)):
        said |= {float(days) for days in (window.start, window.end, (window.start or 0) - window.end) if days}
    # Of two times that are compared the earlier one ends twice as long ago.
    said |= {2 * n for n in said}
    said |= {round(v, 6) for n in said for v in (n / 100, 1 - n / 100, 1 + n / 100, n - 1, n + 1)}
    named = [mention.items for clause in reading.clauses for mention in clause.items]
    goods = {value for items in named for value in items.values}
    small = {float(n) for n in range(_FEW + 1)}
    out = [f"{value:g}" for value in sorted(Held.by([node]).numbers - said - small)]
    for condition in conditions(node):
        items = getattr(condition, "items", None)
        if items and goods.isdisjoint(items.values):
            out += items.values
    return tuple(dict.fromkeys(out))


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def left_out(
    reading: Reading,
    nodes: Sequence[Node],
    as_of: date,
    arguments: Collection[float] = (),
    budget: float | None = None,
    *,
    whole: bool = False,
) -> tuple[str, ...]:
    """The words for numbers, times and goods that neither the nodes nor a tool's arguments hold, in reading order.

    arguments: what a tool was told to count. budget: what it may spend. whole: whether the message says a segment and
    nothing else; then also the words that ask for a kind of condition that no node holds.
    """
    text, chinese, held = reading.text, reading.chinese, Held.by(nodes)
    times = windows(text, chinese, as_of)
    changes = [t.span for t in trends(text, chinese)] if held.compares else []
    when = [m.span for m in occasions(text, chinese)]
    lost: list[Span] = []
    for time in times:
        if not all(held.time(window) for window in time.parts or (time.window,)) and free(time.span, changes):
            lost.append(time.span)
    taken = [*(time.span for time in times), *when, *changes]
    for number in numbers(text, chinese, taken):
        taken_by = number.value == budget if number.unit in _MONEY else number.value in (*arguments, budget)
        if taken_by or held.number(number) or _CLOCK.match(text, number.span[1]):
            continue
        if number.value > _FEW or number.unit or number.op:
            lost.append(number.span)
    named = [mention for clause in reading.clauses for mention in clause.items]
    lost += [mention.span for mention in named if not held.items(mention.items)]
    lost += unheld(text, chinese, nodes) if whole else ()
    return tuple(dict.fromkeys(text[slice(*span)].strip() for span in sorted(lost)))
