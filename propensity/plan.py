"""Which as-of dates train, validate, test and serve; no label window ever reaches into a later stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from segments.errors import DataError

TEST_LAG_DAYS = 61
"""The test cut lies two months back: one for its labels, one more for cuts that only the served model sees."""
TRAIN_LAG_DAYS = 32
"""The last training cut is this long before the test cut, so that 30 days of labels end before it."""
STEP_DAYS = 21
"""Weekly, 14-day and 21-day steps validated alike (AUC within 0.001); fewer cuts cost less."""
MIN_HISTORY_DAYS = 80
"""An earlier cut has too little behind it to be like the cuts the model will meet."""


@dataclass(frozen=True)
class TemporalPlan:
    """Training cuts (oldest first), the test cut, and the cuts that the served model is fitted on."""

    train: tuple[date, ...]
    test: date
    served: tuple[date, ...]
    as_of: date


def temporal_plan(
    first_day: date, as_of: date, max_horizon: int = 30, step_days: int = STEP_DAYS
) -> TemporalPlan:
    """The plan for data from `first_day` up to `as_of`.

    Raises DataError when the history is too short for a training, a validation and a test cut.
    """
    test = as_of - timedelta(days=max(TEST_LAG_DAYS, 2 * max_horizon + 1))
    anchor, step = test - timedelta(days=max(TRAIN_LAG_DAYS, max_horizon + 2)), timedelta(days=step_days)
    earliest = first_day + timedelta(days=MIN_HISTORY_DAYS)
    train: list[date] = []
    while anchor - len(train) * step >= earliest:
        train.append(anchor - len(train) * step)
    later: list[date] = []
    while anchor + (len(later) + 1) * step + timedelta(days=max_horizon) <= as_of:
        later.append(anchor + (len(later) + 1) * step)
    train.reverse()
    if not train or not earlier(train, train[-1], max_horizon):
        days = MIN_HISTORY_DAYS + 2 * STEP_DAYS + TRAIN_LAG_DAYS + TEST_LAG_DAYS
        raise DataError(
            f"The purchases cover {(as_of - first_day).days} days; propensity models need at least {days}."
        )
    return TemporalPlan(tuple(train), test, (*train, *later), as_of)


def earlier(cuts: Sequence[date], cut: date, horizon_days: int) -> list[date]:
    """The cuts whose labels are complete at `cut`."""
    return [each for each in cuts if each + timedelta(days=horizon_days) <= cut]
