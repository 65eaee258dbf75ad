"""The response curve of campaigns a month: saturation is found, and big buyers are not credited to mails."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from insights.frequency import FrequencyCurve, frequency_curve
from segments.errors import DataError

AS_OF = date(2024, 1, 1)
RATE = {0: 0.05, 1: 0.2, 2: 0.35, 3: 0.35, 4: 0.35}


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """900 customers, a year: answers rise up to two campaigns a month, then no more.

    A half spends ten times as much, is sent more and redeems twice as often whatever it is sent.
    """
    random = np.random.default_rng(6)
    sent, used, bought = [], [], []
    for number in range(900):
        customer, big = f"c{number}", number % 2
        for month in range(12):
            start = pd.Timestamp(AS_OF) - pd.Timedelta(days=30 * (12 - month))
            bought.append((customer, start + pd.Timedelta(days=3), 100.0 * (1 + 9 * big)))
            count = int(random.choice(5, p=[0.1, 0.2, 0.3, 0.2, 0.2] if big else [0.3, 0.3, 0.2, 0.1, 0.1]))
            sent += [(customer, f"m{month}.{k}", start + pd.Timedelta(days=k)) for k in range(count)]
            if random.random() < RATE[count] * (1 + big):
                used.append((customer, start + pd.Timedelta(days=20)))
    return (
        pd.DataFrame(sent, columns=["customer_id", "campaign_id", "ts"]),
        pd.DataFrame(used, columns=["customer_id", "ts"]),
        pd.DataFrame(bought, columns=["customer_id", "ts", "value"]),
    )


@pytest.fixture(scope="module")
def curve(tables: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]) -> FrequencyCurve:
    return frequency_curve(*tables, AS_OF)


def test_the_cap_is_where_one_more_gains_nothing(curve: FrequencyCurve) -> None:
    assert (curve.cap, curve.capped) == (2, True)
    assert [p.campaigns for p in curve.points] == [0, 1, 2, 3, 4]
    assert [p.at_least for p in curve.points] == [False] * 4 + [True]


def test_rates_are_those_of_the_same_mix_of_customers(curve: FrequencyCurve) -> None:
    # Whatever the number, half of the customers answer at the plain rate and half at twice that.
    for point in curve.points:
        assert point.low - 0.01 < 1.5 * RATE[point.campaigns] < point.high + 0.01
    assert curve.points[1].gain == pytest.approx(curve.points[1].responding - curve.points[0].responding)


def test_figures_are_unique_and_bilingual(curve: FrequencyCurve) -> None:
    figures = curve.figures()
    assert len({f.name for f in figures}) == len(figures)
    assert all(f.label_en and f.label_zh for f in figures)
    assert len(curve.rows()) == 5


def test_too_few_mails_or_days_are_told(tables: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]) -> None:
    sent, used, bought = tables
    with pytest.raises(DataError, match="Fewer than 100 customer-months"):
        frequency_curve(sent[:20], used, bought, AS_OF)
    with pytest.raises(DataError, match="shorter than 120 days"):
        frequency_curve(sent, used, bought, date(2023, 3, 1))
