"""The temporal plan: no label window reaches into a later stage, and too short a history is told."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propensity.model import CUSTOMERS, validation_cuts
from propensity.plan import MIN_HISTORY_DAYS, earlier, temporal_plan
from segments.errors import DataError

HORIZON = timedelta(days=30)
NEEDED = 215
FIRST = date(2017, 1, 1)


def as_of(days: int) -> date:
    return FIRST + timedelta(days=days)


@given(first=st.dates(date(2012, 1, 1), date(2024, 1, 1)), length=st.integers(NEEDED, 1500))
def test_no_label_window_reaches_into_a_later_stage(first: date, length: int) -> None:
    plan = temporal_plan(first, first + timedelta(days=length))
    assert all(cut + HORIZON <= plan.test for cut in plan.train)
    assert plan.test + HORIZON <= plan.as_of
    assert all(cut + HORIZON <= plan.as_of for cut in plan.served)
    for held in validation_cuts(plan.train, 30, CUSTOMERS):
        past = earlier(plan.train, held, 30)
        assert past
        assert all(cut + HORIZON <= held for cut in past)


@given(length=st.integers(NEEDED, 1500))
def test_cuts_are_in_order_and_have_a_history(length: int) -> None:
    plan = temporal_plan(FIRST, as_of(length))
    assert list(plan.train) == sorted(set(plan.train))
    assert list(plan.served) == sorted(set(plan.served))
    assert set(plan.train) <= set(plan.served)
    assert plan.test not in plan.train
    assert (plan.train[0] - FIRST).days >= MIN_HISTORY_DAYS


def test_the_served_model_sees_later_cuts_than_the_tested_one() -> None:
    plan = temporal_plan(FIRST, as_of(365))
    assert plan.served[-1] > plan.test > plan.train[-1]


@pytest.mark.parametrize("length", [0, 30, 100, NEEDED - 1])
def test_too_short_a_history_says_how_much_is_needed(length: int) -> None:
    with pytest.raises(DataError, match=rf"cover {length} days; .* at least {NEEDED}") as raised:
        temporal_plan(FIRST, as_of(length))
    needed = int(re.findall(r"\d+", str(raised.value))[-1])
    assert temporal_plan(FIRST, as_of(needed)).train


@pytest.mark.parametrize("horizon", [7, 30, 45])
def test_a_plan_for_another_horizon_keeps_its_labels_apart_too(horizon: int) -> None:
    plan = temporal_plan(FIRST, as_of(500), horizon)
    assert all(cut + timedelta(days=horizon) <= plan.test for cut in plan.train)
    assert all(cut + timedelta(days=horizon) <= plan.as_of for cut in (*plan.served, plan.test))
