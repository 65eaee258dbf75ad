"""Point-in-time matrices of one workspace, each computed once however many models ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from propensity.alike import alike_activity
from propensity.dataset import category_matrix, customer_matrix
from propensity.model import CalibratedModel
from propensity.outcomes import category_outcome
from propensity.tables import OutcomeTables
from segments.errors import InternalError
from segments.ports import Eligible, NextAction, Outcome, SequenceEncoders, Snapshot

RATE_WEEKS = 4
"""Weekly dates whose mean is the recent rate: one is at the mercy of a weekend, eight lag behind."""
CHUNK = 60
"""Categories scored at a time."""


class Matrices:
    """Customers' columns as of dates, with labels where asked for. sequences: for the families on sequences."""

    def __init__(self, tables: OutcomeTables, sequences: SequenceEncoders | None = None) -> None:
        self.tables, self._sequences = tables, sequences
        self._customers: dict[date, pd.DataFrame] = {}
        self._activity: tuple[date, pd.DataFrame, pd.DataFrame] | None = None

    @property
    def sequences(self) -> SequenceEncoders:
        """Raises InternalError where none were handed over."""
        if self._sequences is None:
            raise InternalError("A model on shopping days needs the sequence encoders, and none were given.")
        return self._sequences

    def customers(self, as_of: date, eligible: Eligible | None = None, encoder: bytes = b"") -> pd.DataFrame:
        """The columns of every customer, or of those whom an outcome is asked of; with an encoder its vectors too."""
        if as_of not in self._customers:
            features, extra = self.tables.features(as_of), self.tables.extra(as_of)
            self._customers[as_of] = customer_matrix(features, extra, self.tables.catalogue)
        everyone = self._customers[as_of]
        if encoder:
            everyone = everyone.join(self.sequences.vectors(encoder, as_of))
        return everyone if eligible is None else everyone.reindex(self.tables.eligible(eligible, as_of))

    def snapshot(self, asked: Outcome | NextAction, as_of: date, encoder: bytes = b"") -> Snapshot:
        """What was known of the eligible customers and what came next."""
        features = self.customers(as_of, asked.eligible, encoder)
        if isinstance(asked, NextAction):
            labels = self.tables.first_actions(asked, as_of)
        else:
            labels = self.tables.labels(asked, as_of)
        return Snapshot(as_of, features, labels.reindex(features.index).fillna(0))

    def recent_rate(self, outcome: Outcome, as_of: date) -> float:
        """The share of eligible customers who did it, mean over the last weekly dates with complete labels at `as_of`."""
        last = as_of - timedelta(days=outcome.horizon_days)
        dates = [last - timedelta(weeks=week) for week in range(RATE_WEEKS)]
        return float(np.mean([self.tables.labels(outcome, day).mean() for day in dates]))

    def panel(self, categories: Sequence[str], as_of: date) -> pd.DataFrame:
        """The columns of every (category, customer)."""
        history = self.tables.category_panel(categories, as_of)
        activity, alike = self._activities(as_of)
        customers, catalogue = self.customers(as_of), self.tables.catalogue
        return category_matrix(customers, history, activity, alike, categories, catalogue)

    def _activities(self, as_of: date) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Customers' own and that of those who buy the same products; kept for the chunks of one date."""
        if self._activity is None or self._activity[0] != as_of:
            own = self.tables.category_activity(as_of)
            self._activity = as_of, own, alike_activity(self.tables.item_purchases(as_of), own)
        return self._activity[1:]

    def panel_snapshot(
        self, categories: Sequence[str], as_of: date, horizon_days: int, most_rows: int
    ) -> Snapshot:
        """A panel with labels; of more rows than `most_rows`, that many drawn by the date."""
        matrix = self.panel(categories, as_of)
        labels = self.tables.category_labels(categories, as_of, horizon_days)
        values = pd.Series(labels.T.to_numpy().ravel(), matrix.index)
        if len(matrix) > most_rows:
            kept = np.random.default_rng(as_of.toordinal()).choice(len(matrix), most_rows, replace=False)
            kept.sort()
            matrix, values = matrix.iloc[kept], values.iloc[kept]
        return Snapshot(as_of, matrix, values)

    def category_scores(self, model: CalibratedModel, categories: Sequence[str], as_of: date) -> pd.DataFrame:
        """A pooled model's probabilities as of a date: customers by outcome names."""
        parts = []
        for start in range(0, len(categories), CHUNK):
            chunk = categories[start : start + CHUNK]
            parts.append(model.predict(self.panel(chunk, as_of)).unstack("category")[list(chunk)])
        scores = pd.concat(parts, axis=1)
        scores.columns = pd.Index([category_outcome(str(name)).name for name in scores.columns])
        return scores
