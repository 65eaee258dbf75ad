"""Customer lifetime value: published parameters, planted customers, and formulas against simulation."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from eval.bench.clv import CALIBRATED, PUBLISHED, cdnow
from propensity.clv import (
    Fit,
    expected_transactions,
    expected_value,
    fit_bgnbd,
    fit_gamma_gamma,
    probability_active,
    simulate,
    summarise,
)
from propensity.clv_learned import constant_rate, held_out, learned, outcomes, training_cuts
from propensity.worth import CustomerWorth
from segments.errors import DataError
from tests.conftest import ROOT

SHARED = ROOT.parent / "shared" / "data"
START = date(2020, 1, 1)
BUYING = Fit(("r", "alpha", "a", "b"), np.array([0.6, 4.0, 0.8, 2.5]), np.zeros((4, 4)), 0.0)
SPENDING = Fit(("p", "q", "gamma"), np.array([5.0, 4.0, 20.0]), np.zeros((3, 3)), 0.0)


def purchases(customers: int = 1500, weeks: int = 80, seed: int = 5) -> pd.DataFrame:
    """Customers who arrive in the first 10 weeks and buy and leave as the model has it."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        rate, leaving = random.gamma(0.6, 1 / 4.0), random.beta(0.8, 2.5)
        scale, day = random.gamma(4.0, 1 / 20.0), random.uniform(0, 70)
        while day < weeks * 7:
            rows.append((f"c{number}", day, random.gamma(5.0) / scale))
            if len(rows) > 1 and rows[-2][0] == rows[-1][0] and random.random() < leaving:
                break
            day += max(1.0, random.exponential(7 / max(rate, 1e-6)))
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "value"])
    return frame.assign(ts=pd.Timestamp(START) + pd.to_timedelta(frame["day"], unit="D"))[
        ["customer_id", "ts", "value"]
    ]


@pytest.fixture(scope="module")
def bought() -> pd.DataFrame:
    return purchases()


@pytest.fixture(scope="module")
def summary(bought) -> pd.DataFrame:
    return summarise(bought, START + timedelta(weeks=40))


def test_a_summary_counts_days_after_the_first_and_nothing_from_the_cut_on():
    rows = [
        ("a", "2020-01-01 09:00", 5),
        ("a", "2020-01-01 18:00", 5),
        ("a", "2020-01-08", 20),
        ("a", "2020-01-15", 40),
    ]
    rows += [("a", "2020-02-01", 999), ("b", "2020-01-31", 7)]
    frame = pd.DataFrame(rows, columns=["customer_id", "ts", "value"]).assign(
        ts=lambda f: pd.to_datetime(f["ts"], format="mixed")
    )
    found = summarise(frame, date(2020, 2, 1))
    assert found.loc["a"].to_dict() == {
        "frequency": 2,
        "recency": 2.0,
        "age": pytest.approx(30 / 7),
        "value": 30,
    }
    assert found.loc["b", ["frequency", "recency", "age"]].tolist() == [0, 0, 0]
    assert np.isnan(found.loc["b", "value"])


def test_planted_parameters_are_found_within_their_uncertainty(summary):
    for fit, planted in ((fit_bgnbd(summary), BUYING), (fit_gamma_gamma(summary), SPENDING)):
        deviations = np.sqrt(np.diag(fit.covariance))
        assert (np.abs(np.log(fit.values / planted.values)) < 4 * deviations + 0.05).all()
        assert (deviations < 0.6).all()


def test_expectations_are_the_mean_of_what_is_simulated(summary):
    part = summary.sample(300, random_state=1)
    counts, worth = simulate(BUYING, SPENDING, part, 26, draws=3000)
    expected = expected_transactions(BUYING, part, 26)
    assert counts.mean() == pytest.approx(expected.sum(), rel=0.01)
    assert worth.mean() == pytest.approx((expected * expected_value(SPENDING, part)).sum(), rel=0.02)


def test_the_transformed_formula_is_the_printed_one():
    x, recency, age, weeks = 3.0, 20.0, 30.0, 10.0
    r, alpha, a, b = BUYING.values
    series = hyp2f1(r + x, b + x, a + b + x - 1, weeks / (alpha + age + weeks))
    above = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / (alpha + age + weeks)) ** (r + x) * series)
    printed = above / (1 + a / (b + x - 1) * ((alpha + age) / (alpha + recency)) ** (r + x))
    one = pd.DataFrame({"frequency": [x], "recency": [recency], "age": [age], "value": [10.0]})
    assert expected_transactions(BUYING, one, weeks)[0] == pytest.approx(printed, rel=1e-12)


@pytest.mark.parametrize("a", [0.999999, 1.0, 1.000001, 0.001, 30.0])
def test_extreme_customers_have_finite_expectations(a):
    fit = Fit(BUYING.names, np.array([0.6, 4.0, a, 2.5]), np.zeros((4, 4)), 0.0)
    daily = pd.DataFrame(
        {"frequency": [0, 1, 364, 5000], "recency": [0, 1, 52, 52], "age": [52, 52, 52, 52.1]}
    )
    found = expected_transactions(fit, daily.assign(value=3.0), 52)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found.to_numpy() <= (daily["frequency"] + 1) * 1.1).all()


def test_who_has_been_away_for_long_is_likely_gone_and_worth_less():
    rows = pd.DataFrame(
        {"frequency": [10, 10, 0], "recency": [39, 12, 0], "age": [40, 40, 40], "value": [9, 9, np.nan]}
    )
    active = probability_active(BUYING, rows)
    assert active[0] > 0.8 > 0.1 > active[1]
    assert active[2] == 1
    expected = expected_transactions(BUYING, rows, 26)
    assert expected[0] > 5 * expected[1]
    # One who bought once is worth everyone's mean, p * gamma / (q - 1).
    assert expected_value(SPENDING, rows)[2] == pytest.approx(5 * 20 / 3)


def test_the_interval_of_a_total_holds_what_came(bought, summary):
    fits = fit_bgnbd(summary), fit_gamma_gamma(summary)
    cut = START + timedelta(weeks=40)
    actual = outcomes(bought, cut, 26, summary.index)
    counts, worth = simulate(*fits, summary, 26)
    for draws, came in ((counts, actual["transactions"].sum()), (worth, actual["value"].sum())):
        low, high = np.quantile(draws, [0.01, 0.99])
        assert low < came < high
        assert high < 2 * low


def test_on_its_own_kind_of_customers_the_model_beats_a_constant_rate(bought, summary):
    cut = START + timedelta(weeks=40)
    counts = expected_transactions(fit_bgnbd(summary), summary, 26)
    mine = pd.DataFrame(
        {"transactions": counts, "value": counts * expected_value(fit_gamma_gamma(summary), summary)}
    )
    methods = {"rate": constant_rate(bought, cut, 26), "model": mine}
    rows = {
        (r.method, r.target): r for r in held_out(outcomes(bought, cut, 26, summary.index), methods, "rate")
    }
    assert rows["model", "transactions"].high < 0
    assert rows["model", "value"].high < 0
    assert rows["rate", "value"].low == rows["rate", "value"].high == 0


def test_the_rival_learns_from_before_the_cut_alone(bought):
    cut = START + timedelta(weeks=52)
    later = bought["ts"] >= pd.Timestamp(cut)
    assert later.any()
    before = learned(bought[~later], cut, 13)
    pd.testing.assert_frame_equal(learned(bought, cut, 13), before)
    assert all(each + timedelta(weeks=13) <= cut for each in training_cuts(START, cut, 13))
    actual = outcomes(bought, cut, 13, before.index)
    assert np.corrcoef(before["transactions"], actual["transactions"])[0, 1] > 0.5


def test_too_little_to_learn_from_is_said(bought, summary):
    with pytest.raises(DataError, match=r"99 customers, .* it takes 100 of each"):
        fit_bgnbd(summary.head(99))
    with pytest.raises(DataError, match="100 customers, 0 of whom bought again"):
        fit_bgnbd(summary.assign(frequency=0.0).head(100))
    with pytest.raises(
        DataError, match="52 weeks ahead take 60 weeks of purchases to learn from; there are 40"
    ):
        learned(bought, START + timedelta(weeks=40), 52)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real data sets are not here (../shared/data)")
def test_cdnow_has_the_published_parameters():
    summary = summarise(cdnow(SHARED), CALIBRATED)
    assert len(summary) == 2357
    fits = fit_bgnbd(summary), fit_gamma_gamma(summary)
    assert fits[0].log_likelihood == pytest.approx(-9582.4, abs=0.05)
    for fit in fits:
        for name in fit.names:
            assert fit[name] == pytest.approx(PUBLISHED[name], rel=0.01), name


@pytest.fixture(scope="module")
def worth(bought) -> CustomerWorth:
    cut = START + timedelta(weeks=50)
    return CustomerWorth(bought[bought["ts"] < pd.Timestamp(cut)], cut)


def test_groups_are_worth_what_came_and_more_over_longer(bought, worth):
    actual = outcomes(bought, worth.as_of, 26, worth.customers(26).index)
    best = worth.customers(26)["value"].nlargest(400).index
    for members in (list(actual.index), list(best)):
        found = worth.group(members, 26)
        assert found.value.low < actual.loc[members, "value"].sum() < found.value.high
        assert found.transactions.low < found.transactions.expected < found.transactions.high
        assert 0 < found.active < len(members)
        assert worth.group(members, 52).value.expected > found.value.expected
    assert found.value.expected > 0.6 * worth.group(list(actual.index), 26).value.expected


def test_the_interval_is_widened_by_how_far_the_total_was_off(worth):
    drawn = np.linspace(90, 110, 1001)
    plain, off = worth._widened(100, drawn, 1.0), worth._widened(100, drawn, 1.3)
    assert (off.low, off.high) == (plain.low, pytest.approx(1.3 * plain.high))
    assert 0.7 < worth.tried[0] < 1.3
    assert worth.group([], 26).value.expected == 0
