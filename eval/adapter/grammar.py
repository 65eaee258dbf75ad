"""Random definitions of the segment language as a retailer's marketers may ask for them, with what they say.

Every leaf comes from the workspace: its catalogue and the spread of its features, its goods, events, channels and
models. The same seed gives the same definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import pandas as pd

from assistant.linking import lexicon
from assistant.linking.linker import Linker
from segments.definition import (
    WEEKDAYS,
    AllOf,
    AnyOf,
    ComparisonCondition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    ItemFilter,
    Node,
    Not,
    Occasion,
    PropensityCondition,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    Step,
    TouchCondition,
    Window,
)
from segments.explain import Language
from segments.features import Attribute, Catalogue, Feature, FeatureType

DAYS = (7, 10, 14, 21, 30, 45, 60, 75, 90, 120, 150, 180, 240, 270, 365)
EARLIER = ((60, 30), (90, 30), (120, 60), (180, 90), (365, 180))
CALENDAR: Mapping[str, tuple[str, ...]] = {
    "en": (
        "last month",
        "last quarter",
        "in the third quarter",
        "in Q2",
        "in the first half of the year",
        "in December",
        "in November",
        "in October",
        "in August",
        "in May",
        "since September 1",
        "since November 15",
        "since Thanksgiving",
        "between October 1 and November 15",
        "before July 1",
        "this year",
        "in the summer",
        "in the two weeks before Christmas",
    ),
    "zh": (
        "上个月",
        "上个季度",
        "第三季度",
        "二季度",
        "上半年",
        "12月",
        "11月",
        "10月",
        "8月",
        "5月",
        "9月1日以来",
        "11月15日以来",
        "感恩节以来",
        "10月1日到11月15日",
        "7月1日之前",
        "今年",
        "夏天",
        "圣诞节前两周",
    ),
}
"""Calendar words as marketers say them; those that this workspace's date gives no days are left out."""
SHARES = (0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75)


@dataclass(frozen=True)
class Stock:
    """What the requests of one retailer can speak of.

    goods: words a person says and the items they mean, a language each. times: calendar words and their days.
    channels: what shop or way of sale an event names. events: the event types that happened here.
    """

    catalogue: Catalogue
    table: pd.DataFrame
    goods: Mapping[Language, Sequence[tuple[str, ItemFilter]]]
    times: Mapping[Language, Sequence[tuple[str, Window]]]
    events: Sequence[str]
    channels: Sequence[str]
    outcomes: Sequence[str]

    @staticmethod
    def of(
        linker: Linker,
        table: pd.DataFrame,
        categories: Sequence[str],
        channels: Sequence[str],
        outcomes: Sequence[str],
    ) -> Stock:
        """The stock of a workspace: goods are the lexicon's words and the categories' names that mean something here."""
        english = [*lexicon.table("synonyms_en.tsv"), *(category.lower() for category in categories)]
        chinese = lexicon.table("items_zh.tsv")
        goods = {
            "en": [(word, linker.goods(word)) for word in dict.fromkeys(english)],
            "zh": [(word, linker.goods(word)) for word in chinese],
        }
        times = {
            language: [
                (said, window) for said in CALENDAR[language] if (window := linker.time(said)) is not None
            ]
            for language in ("en", "zh")
        }
        return Stock(
            linker.catalogue,
            table,
            {language: [pair for pair in pairs if pair[1]] for language, pairs in goods.items()},  # type: ignore[misc]
            times,  # type: ignore[arg-type]
            sorted(linker.events),
            channels,
            outcomes,
        )


@dataclass
class Draft:
    """A definition, and the words of the request for its goods and calendar times."""

    node: Node
    goods: dict[ItemFilter, str] = field(default_factory=dict)
    times: dict[Window, str] = field(default_factory=dict)


class Grammar:
    """Draws definitions. One draft at a time notes how its goods and times are said."""

    def __init__(self, stock: Stock, language: Language, seed: int) -> None:
        self.stock, self.language, self.random = stock, language, Random(seed)
        self._draft = Draft(AllOf(()))
        numeric = [f for f in stock.catalogue if f.numeric and f.name in stock.table]
        self._numeric = [f for f in numeric if stock.table[f.name].nunique() > 3]
        self._levels = [f for f in stock.catalogue if not f.numeric and _levels(f, stock.table)]

    def draft(self) -> Draft:
        """One definition: mostly one to three conditions, now and then nested."""
        self._draft = Draft(AllOf(()))
        shape = self.random.random()
        if shape < 0.3:
            node = self._condition()
        elif shape < 0.7:
            node = AllOf((self._condition(), self._condition()))
        elif shape < 0.84:
            node = AllOf((self._condition(), self._condition(), self._condition()))
        elif shape < 0.92:
            node = AnyOf((self._condition(), self._condition()))
        else:
            either = AnyOf((self._condition(), self._condition()))
            node = AllOf((either, self._condition()))
        self._draft.node = node
        return self._draft

    def _condition(self) -> Node:
        kinds: list[tuple[float, Callable[[], Node]]] = [
            (22, self._feature),
            (9, self._level),
            (20, self._bought),
            (9, self._not_bought),
            (6, self._not_seen),
            (7, self._other_event),
            (6, self._sequence),
            (3, self._repeat),
            (4, self._touch),
            (6, self._comparison),
            (7, self._rank),
            (3, self._occasion),
            (4 if self.stock.outcomes else 0, self._propensity),
        ]
        return self.random.choices([make for _, make in kinds], [weight for weight, _ in kinds])[0]()

    def _feature(self) -> Node:
        feature = self.random.choice(self._numeric)
        value = self._value(feature)
        op = self.random.choices((">=", ">", "<=", "<", "between"), (35, 20, 15, 20, 10))[0]
        high = self._value(feature, 0.7, 0.95)
        if op == "between" and high > value:
            return FeatureCondition(feature.name, op, (value, high))
        return FeatureCondition(feature.name, ">=" if op == "between" else op, value)

    def _value(self, feature: Feature, low: float = 0.15, high: float = 0.9) -> float:
        spread = self.stock.table[feature.name].dropna()
        value = float(spread.quantile(self.random.uniform(low, high)))
        if feature.type is FeatureType.SHARE:
            return max(round(value / 0.05) * 0.05, 0.05) if value < 1 else 1.0
        return _round(value) if value else 1.0

    def _level(self) -> Node:
        feature = self.random.choice(self._levels)
        levels = _levels(feature, self.stock.table)
        if feature.type is FeatureType.BOOLEAN:
            return FeatureCondition(feature.name, "=", self.random.random() < 0.7)
        if feature.type is FeatureType.BAND and self.random.random() < 0.5:
            return FeatureCondition(
                feature.name, self.random.choice((">=", "<=")), self.random.choice(levels[1:-1] or levels)
            )
        if len(levels) > 3 and self.random.random() < 0.3:
            return FeatureCondition(feature.name, "in", tuple(self.random.sample(levels, 2)))
        return FeatureCondition(
            feature.name, "!=" if self.random.random() < 0.15 else "=", self.random.choice(levels)
        )

    def _bought(self) -> Node:
        items = self._goods() if self.random.random() < 0.8 else ItemFilter()
        measure, op, value = "count", ">=", 1.0
        if self.random.random() < 0.6 or not items:
            measure = self.random.choices(("count", "value", "quantity"), (50, 40, 10 if items else 0))[0]
            op = self.random.choices((">=", ">", "<", "<=", "="), (40, 25, 15, 10, 10))[0]
            value = float(
                self.random.choice((20, 30, 50, 75, 100, 150, 200, 500))
                if measure == "value"
                else self.random.choice((2, 3, 4, 5, 6, 8, 10, 12, 20))
            )
            op = ">=" if measure == "value" and op == "=" else op
            value = float(self.random.choice((1, 2, 3))) if op == "=" else value
        return EventCondition("purchase", items, self._window(), measure, op, value)  # type: ignore[arg-type]

    def _not_bought(self) -> Node:
        return Not(EventCondition("purchase", self._goods(), self._window()))

    def _not_seen(self) -> Node:
        return Not(EventCondition("purchase", window=Window(self.random.choice(DAYS))))

    def _other_event(self) -> Node:
        kinds = [e for e in self.stock.events if e not in ("purchase", "search")]
        if not kinds:
            return self._bought()
        event = self.random.choice(kinds)
        if self.random.random() < 0.35:
            return Not(EventCondition(event, window=self._window()))
        value = float(self.random.choices((1, 2, 3, 5), (50, 20, 20, 10))[0])
        return EventCondition(event, window=self._window(), value=value)

    def _sequence(self) -> Node:
        firsts = [e for e in self.stock.events if e in ("coupon_redeem", "exposure", "view", "add_to_cart")]
        first = (
            Step("purchase", self._goods())
            if self.random.random() < 0.6 or not firsts
            else Step(self.random.choice(firsts))
        )
        within = self.random.choice((None, 3, 7, 14, 30, 60))
        then = Step(
            "purchase",
            first.items if self.random.random() < 0.3 and first.items else self._goods(),
            within,
        )
        window = self._window() if self.random.random() < 0.6 else Window()
        if self.random.random() < 0.4:
            return SequenceCondition((first,), then, window)
        return SequenceCondition((first, then), None, window)

    def _repeat(self) -> Node:
        return RepeatCondition(
            "purchase",
            self.random.choice((2, 3, 4, 5)),
            self.random.choice((7, 10, 14, 30)),
            "orders",
            window=Window(self.random.choice((90, 180, 365))),
        )

    def _touch(self) -> Node:
        items = self._goods() if self.random.random() < 0.4 else ItemFilter()
        which = self.random.choices(("first", "last"), (70, 30))[0]
        return TouchCondition(which, "purchase", items, self._window(always=True))  # type: ignore[arg-type]

    def _comparison(self) -> Node:
        items = self._goods() if self.random.random() < 0.5 else ItemFilter()
        measure = self.random.choices(("value", "count"), (70, 30))[0]
        op, factor = self.random.choice(
            (("<", 1.0), ("<=", 0.5), ("<=", 0.7), (">", 1.0), (">=", 2.0), (">=", 1.5))
        )
        if items and self.random.random() < 0.35:
            other, window = self._goods(), Window(self.random.choice(DAYS[4:]))
            left, right = (EventQuantity("purchase", i, window, measure) for i in (items, other))  # type: ignore[arg-type]
            return ComparisonCondition(left, ">", right)
        days = self.random.choice((30, 60, 90, 180))
        near, before = Window(days), Window(2 * days, days)
        left, right = (EventQuantity("purchase", items, w, measure) for w in (near, before))  # type: ignore[arg-type]
        return ComparisonCondition(left, op, right, factor)

    def _rank(self) -> Node:
        feature = self.random.choice(self._numeric).name
        lowest = self.random.random() < 0.25
        among = self._level() if self.random.random() < 0.25 else None
        if self.random.random() < 0.5:
            return RankCondition(feature, self.random.choice((20, 50, 100, 200, 500)), None, lowest, among)
        return RankCondition(feature, None, self.random.choice((0.05, 0.1, 0.2, 0.25)), lowest, among)

    def _occasion(self) -> Node:
        kind = self.random.random()
        occasion = Occasion(weekdays=tuple(self.random.sample(WEEKDAYS, 1)))
        if kind < 0.35:
            occasion = Occasion(hours=self.random.choice(((6, 9), (9, 12), (12, 14), (17, 20), (20, 24))))
        elif kind < 0.6 and self.stock.channels:
            occasion = Occasion(channel=(self.random.choice(self.stock.channels),))
        return EventCondition(
            "purchase",
            window=self._window(),
            value=float(self.random.choice((1, 3, 5, 10))),
            occasion=occasion,
        )

    def _propensity(self) -> Node:
        outcome = self.random.choice(self.stock.outcomes)
        if self.random.random() < 0.5:
            return PropensityCondition(outcome, top_share=self.random.choice((0.05, 0.1, 0.2)))
        return PropensityCondition(outcome, min_probability=self.random.choice((0.3, 0.5, 0.6, 0.7, 0.8)))

    def _goods(self) -> ItemFilter:
        pairs = self.stock.goods[self.language]
        if not pairs:
            return ItemFilter()
        word, items = self.random.choice(pairs)
        self._draft.goods.setdefault(items, word)
        return items

    def _window(self, *, always: bool = False) -> Window:
        kind = self.random.random()
        if kind < 0.22 and not always:
            return Window()
        if kind < 0.42 and self.stock.times[self.language]:
            said, window = self.random.choice(self.stock.times[self.language])
            self._draft.times.setdefault(window, said)
            return window
        if kind < 0.5:
            return Window(*self.random.choice(EARLIER))
        if kind < 0.54:
            return Window(None, self.random.choice(DAYS[4:]))
        return Window(self.random.choice(DAYS))


def _levels(feature: Feature, table: pd.DataFrame) -> list[str]:
    if feature.type is FeatureType.BOOLEAN:
        return ["yes", "no"] if isinstance(feature.computation, Attribute) else []
    if feature.name not in table or not isinstance(feature.computation, Attribute):
        return []
    known = set(table[feature.name].dropna().astype(str))
    return [level for level in feature.levels if level in known]


def _round(value: float) -> float:
    """A number that a person would say: two leading digits, the second a 5 or a 0 from a hundred on."""
    if abs(value) < 10:
        return float(round(value)) or 1.0
    scale: float = 10 ** (len(str(int(abs(value)))) - 2)
    step = scale * 5 if value >= 100 else scale
    return float(round(value / step) * step)
