"""What a group of customers is worth over a horizon, with an interval that has been tried on the recent past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from propensity.clv import (
    LEVEL,
    Fit,
    expected_transactions,
    expected_value,
    fit_bgnbd,
    fit_gamma_gamma,
    probability_active,
    simulate,
    summarise,
    transactions_of,
)

TRIED_WEEKS = 13
"""The last weeks, held out to see how far the expected total is off."""


@dataclass(frozen=True)
class Spread:
    """An expected total with its central interval at `propensity.clv.LEVEL`."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class GroupWorth:
    """What these customers are expected to do in `weeks`. active: expected number who still buy at all."""

    customers: int
    weeks: float
    active: float
    transactions: Spread
    value: Spread


class CustomerWorth:
    """BG/NBD and Gamma-Gamma fitted to a retailer's purchases (customer_id, ts, value) before `as_of`.

    tried: what came over what the models, fitted `TRIED_WEEKS` ago, expected of those weeks: transactions, value.
    Raises DataError when too few customers bought again.
    """

    def __init__(self, purchases: pd.DataFrame, as_of: date) -> None:
        self.as_of, self.first_day = as_of, purchases["ts"].min().date()
        self._summary = summarise(purchases, as_of)
        self._buying, self._spending = fit_bgnbd(self._summary), fit_gamma_gamma(self._summary)
        self.tried = self._try(purchases, as_of - timedelta(weeks=TRIED_WEEKS))

    @property
    def history_weeks(self) -> float:
        """How long the purchases go back."""
        return (self.as_of - self.first_day).days / 7

    def customers(self, weeks: float) -> pd.DataFrame:
        """Expected `transactions` and `value` of every customer in the next `weeks`, by customer_id."""
        count = expected_transactions(self._buying, self._summary, weeks)
        value = count * expected_value(self._spending, self._summary)
        return pd.DataFrame({"transactions": count, "value": value})

    def group(self, members: Sequence[str], weeks: float) -> GroupWorth:
        """What the members together are worth; who never bought counts for nothing.

        The interval holds what the models are unsure of and chance. It is widened by the factor that the total was
        off in the weeks that were tried: seasons and trends are no part of these models.
        """
        part = self._summary.loc[self._summary.index.intersection(list(members))]
        each = self.customers(weeks).loc[part.index]
        draws = simulate(self._buying, self._spending, part, weeks)
        spreads = [
            self._widened(float(each[name].sum()), drawn, off)
            for name, drawn, off in zip(("transactions", "value"), draws, self.tried, strict=True)
        ]
        return GroupWorth(
            len(members), weeks, float(probability_active(self._buying, part).sum()), spreads[0], spreads[1]
        )

    @staticmethod
    def _widened(expected: float, drawn: np.ndarray, off: float) -> Spread:
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Spread(
            expected, float(min(low, expected) * min(1.0, off)), float(max(high, expected) * max(1.0, off))
        )

    def _try(self, purchases: pd.DataFrame, cut: date) -> tuple[float, float]:
        summary = summarise(purchases, cut)
        buying: Fit = fit_bgnbd(summary)
        count = expected_transactions(buying, summary, TRIED_WEEKS)
        value = count * expected_value(fit_gamma_gamma(summary), summary)
        after = transactions_of(purchases[purchases["ts"] >= pd.Timestamp(cut)])
        after = after[after["customer_id"].isin(summary.index)]
        return len(after) / float(count.sum()), float(after["value"].sum()) / float(value.sum())
