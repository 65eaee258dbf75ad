"""What a trainer needs of the retailer's data; the composition root hands over something that has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import pandas as pd

from segments.definition import ItemFilter
from segments.features import Catalogue
from segments.ports import Eligible, NextAction, Outcome


class OutcomeTables(Protocol):
    """Point-in-time tables: features only from before `as_of`, labels only from the days that follow."""

    @property
    def as_of(self) -> date:
        """The day after the last event."""
        ...

    @property
    def first_day(self) -> date:
        """The day of the first purchase."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """The features there are."""
        ...

    @property
    def categories(self) -> tuple[str, ...]:
        """Item categories, largest spend first."""
        ...

    @property
    def data_hash(self) -> str:
        """Changes whenever the data or the way features are computed changes."""
        ...

    def features(self, as_of: date) -> pd.DataFrame:
        """The feature mart by customer_id."""
        ...

    def extra(self, as_of: date) -> pd.DataFrame:
        """Numeric columns for models only, by customer_id."""
        ...

    def item_history(self, items: ItemFilter, as_of: date) -> pd.DataFrame:
        """`item_` columns of the customers who bought such items, by customer_id."""
        ...

    def category_panel(self, categories: Sequence[str], as_of: date) -> pd.DataFrame:
        """`item_history` of each category, by (category, customer_id)."""
        ...

    def category_activity(self, as_of: date) -> pd.DataFrame:
        """Fading purchase days: column (decay days, category), by customer_id."""
        ...

    def item_purchases(self, as_of: date) -> pd.DataFrame:
        """How often each customer bought each item: customer_id, item_id, lines."""
        ...

    def labels(self, outcome: Outcome, as_of: date) -> pd.Series:
        """0/1 by customer_id, from [as_of, as_of + horizon), of the eligible customers."""
        ...

    def first_actions(self, action: NextAction, as_of: date) -> pd.Series:
        """The place in `action.events` of what comes first, by customer_id; their number where none comes."""
        ...

    def eligible(self, eligible: Eligible | None, as_of: date) -> pd.Index:
        """The customers whom an outcome is asked of as of a date."""
        ...

    def category_labels(self, categories: Sequence[str], as_of: date, horizon_days: int) -> pd.DataFrame:
        """0/1, customers by categories."""
        ...
