"""The seams between rooms: what floor 1 offers and what the composition root plugs together.

Rooms of floor 1 import only floor 0, so what one of them needs of another comes through one of
these Protocols or as a plain table (pandas DataFrame or numpy array) that the caller hands over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from segments.definition import ItemFilter

Progress = Callable[[float, str], None]
"""Called with (share done in 0..1, what is being done); raise from it to interrupt."""


def silent(_share: float, _what: str) -> None:
    """A Progress that shows nothing."""


@dataclass(frozen=True)
class Eligible:
    """Whom an outcome is asked of: customers with at least `at_least` such events in the `within_days` days before
    the as-of date."""

    event: str
    within_days: int
    at_least: int = 1


@dataclass(frozen=True)
class Outcome:
    """What a propensity model predicts: `event` on `items` within `horizon_days` of the as-of date.

    `items` None means any item. `name` is unique and stable, e.g. `purchase_30d`,
    `purchase_30d:BEERS/ALES`. absent: the outcome is that no such event comes, e.g. churn. eligible: None means
    every customer known at the date.
    """

    name: str
    event: str
    horizon_days: int
    items: ItemFilter | None = None
    label_en: str = ""
    label_zh: str = ""
    absent: bool = False
    eligible: Eligible | None = None


@dataclass(frozen=True)
class NextAction:
    """A question with several answers: which of `events` comes first within `horizon_days`, or none of them."""

    name: str
    events: tuple[str, ...]
    horizon_days: int
    label_en: str = ""
    label_zh: str = ""
    eligible: Eligible | None = None


@dataclass(frozen=True)
class Snapshot:
    """What was known of every customer as of a date, and (where already known) what came next.

    features: one row a customer, indexed by customer_id, only from events before `as_of`.
    labels: 0/1 indexed like `features`, from events in [as_of, as_of + horizon); None when open.
    """

    as_of: date
    features: pd.DataFrame
    labels: pd.Series | None = None


class TextEncoder(Protocol):
    """Turns texts into unit-length vectors; one encoder serves linking and the item index."""

    name: str

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 of shape (len(texts), dimension), rows of unit length."""
        ...


class SequenceEncoders(Protocol):
    """Encoders that read customers' shopping days in order, made and asked as bytes."""

    @property
    def version(self) -> str:
        """Changes with the code that trains them and makes vectors."""
        ...

    def train(self, kind: str, before: date, steps: int, progress: Progress) -> bytes:
        """One of that kind, trained without labels on what was bought before a date."""
        ...

    def vectors(self, encoder: bytes, as_of: date) -> pd.DataFrame:
        """Every customer's vector as of a date: float32 by customer_id, columns `sequence:0`, `sequence:1`, ..."""
        ...


class AudienceResolver(Protocol):
    """Answers the conditions of a definition that SQL alone cannot: models, indexes, saved segments."""

    def propensity(self, outcome: str) -> pd.Series:
        """Calibrated probability (0..1) by customer_id, for every customer."""
        ...

    def uplift(self, campaign: str) -> pd.Series:
        """Estimated change of the probability to buy by a campaign like that one, by customer_id, for every customer."""
        ...

    def similar(self, seeds: Sequence[str], top: int, within: Sequence[str] | None) -> list[str]:
        """The `top` customers nearest to the seeds, nearest first, seeds left out; only of those within, if given."""
        ...

    def caring(self, text: str, top: int, within: Sequence[str] | None) -> list[str]:
        """The `top` customers nearest to those who care most about what a text means."""
        ...

    def cluster(self, discovery: str, number: int) -> list[str]:
        """The customers whom a discovery put into a cluster."""
        ...


@dataclass(frozen=True)
class Figure:
    """One number with its meaning: the only thing an answer may quote.

    unit is one of: customers, currency, share (0..1), probability (0..1), days, orders, items, ratio,
    effect, count, date, text. `low`/`high` is the interval where there is one, at `level`.
    """

    name: str
    value: float | int | str
    unit: str
    label_en: str
    label_zh: str
    low: float | None = None
    high: float | None = None
    level: float | None = None


@dataclass(frozen=True)
class Evidence:
    """What one tool call returned: an id, figures, and rows for a table or plot."""

    id: str
    tool: str
    figures: tuple[Figure, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
