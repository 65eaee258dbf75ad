"""What a feature is: its name, type, unit, words, and how it is computed from events.

A feature is declared here once (see `catalogue.py`); the warehouse compiles the computation to its
engine, the language checks conditions against the type, the assistant links words to the synonyms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Literal


class FeatureType(StrEnum):
    """How a feature's values compare."""

    NUMBER = "number"
    SHARE = "share"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    BAND = "band"


NUMERIC_OPERATORS = (">=", ">", "<=", "<", "=", "!=", "between")
SET_OPERATORS = ("in", "not_in")
OPERATORS: Mapping[FeatureType, tuple[str, ...]] = {
    FeatureType.NUMBER: NUMERIC_OPERATORS,
    FeatureType.SHARE: NUMERIC_OPERATORS,
    FeatureType.BOOLEAN: ("=",),
    FeatureType.CATEGORY: ("=", "!=", "in", "not_in"),
    FeatureType.BAND: ("=", "!=", ">=", "<=", "in", "not_in", "between"),
}

Measure = Literal[
    "value", "discount", "list_value", "quantity", "orders", "lines", "items", "categories", "days", "stores"
]
Part = Literal["weekend", "morning", "afternoon", "evening", "night"]


@dataclass(frozen=True)
class Aggregate:
    """A measure of the customer's events in `[as_of - start, as_of - end)` days; start None = ever.

    `where` narrows on item attributes (column -> value), `part` on the time of the event, `near` on items whose
    column holds at least a number: how near they are to a taste (column, cosine).
    Measures: value, discount and list_value (value + discount) are sums in currency, quantity a sum of
    units, lines counts events, orders / items / categories / days / stores count distinct ones.
    """

    measure: Measure
    start: int | None = None
    end: int = 0
    event: str = "purchase"
    where: tuple[tuple[str, str], ...] = ()
    part: Part | None = None
    near: tuple[str, float] | None = None


@dataclass(frozen=True)
class Ratio:
    """`numerator / denominator`; null where the denominator is 0 or unknown."""

    numerator: Aggregate | Recency
    denominator: Aggregate | Gap


@dataclass(frozen=True)
class Recency:
    """Whole days from the last (or, with `first`, the first) such event to as of, at least 1."""

    event: str = "purchase"
    first: bool = False
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Gap:
    """Mean days between purchase days: (last - first) / (purchase days - 1); null below two days."""

    event: str = "purchase"


@dataclass(frozen=True)
class Favourite:
    """The value of the item attribute `column` with the highest spend in the window."""

    column: str
    start: int


@dataclass(frozen=True)
class Attribute:
    """A column of the customers table; since: it holds a date, the value is the whole days from it to as of, at least 1.

    A date that is not before as of is not known yet. Everything else is as the customers table tells it now.
    """

    column: str
    # Not shown, so that what is marked by the catalogue of before stays as it is.
    since: bool = field(default=False, repr=False)


Computation = Aggregate | Ratio | Recency | Gap | Favourite | Attribute


@dataclass(frozen=True)
class Feature:
    """One entry of the catalogue.

    unit: currency, days, orders, items, ... as shown to people; `share` values lie in 0..1.
    levels: the ordered values of a band, or the known values of a category. group: whether fairness is watched
    between its values.
    """

    name: str
    type: FeatureType
    unit: str
    en: str
    zh: str
    computation: Computation
    synonyms_en: tuple[str, ...] = ()
    synonyms_zh: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    levels_zh: tuple[str, ...] = field(default=())
    group: bool = field(default=False, repr=False)

    @property
    def attribute(self) -> bool:
        """Whether it tells who customers are, as their table says it, not what they did."""
        return isinstance(self.computation, Attribute)

    @property
    def operators(self) -> tuple[str, ...]:
        """The operators a condition on this feature may use."""
        return OPERATORS[self.type]

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.type in (FeatureType.NUMBER, FeatureType.SHARE)


class Catalogue:
    """The features of one workspace, by name, in declared order."""

    def __init__(self, features: Iterable[Feature]) -> None:
        self._features = {feature.name: feature for feature in features}

    def __iter__(self) -> Iterator[Feature]:
        return iter(self._features.values())

    def __len__(self) -> int:
        return len(self._features)

    def __contains__(self, name: object) -> bool:
        return name in self._features

    def __getitem__(self, name: str) -> Feature:
        return self._features[name]

    def get(self, name: str) -> Feature | None:
        """The feature of that name, or None."""
        return self._features.get(name)

    def suggest(self, name: str, n: int = 3) -> list[str]:
        """Names close to a misspelt one, best first."""
        return get_close_matches(name, self._features, n=n, cutoff=0.5)
