"""What was planted is found and told in words; what is usual is not; a leak is noticed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from insights.anomalies import LABELS, Anomalies, find_anomalies, scores
from insights.leaks import find_leaks
from insights.signals import (
    WORDS,
    coupon_signals,
    customer_signals,
    order_signals,
    with_behaviour,
)
from segments.errors import DataError
from tests.conftest import ROOT

FRAUD = ROOT.parent / "shared" / "data" / "fraud" / "payment_fraud.csv"


@pytest.fixture(scope="module")
def purchases() -> pd.DataFrame:
    """100 customers, 20 orders each of 3 lines; four things planted."""
    random = np.random.default_rng(1)
    n = 100 * 20 * 3
    order = np.arange(n) // 3
    item = random.integers(0, 20, n)
    quantity = random.integers(1, 4, n).astype(float)
    rows = pd.DataFrame(
        {
            "customer_id": [f"c{o // 20:03d}" for o in order],
            "order_id": [f"o{o}" for o in order],
            "item_id": [f"i{i}" for i in item],
            "quantity": quantity,
            "value": quantity * (2.0 + item) * random.uniform(0.9, 1.1, n),
            "discount": random.uniform(0, 0.5, n),
            "channel": "s1",
            "ts": pd.Timestamp("2024-01-01") + pd.to_timedelta(order % 20 * 5, unit="D"),
        }
    )
    rows.loc[0, "value"] *= 60  # o0: a price 60 times the usual
    rows.loc[30, ["quantity", "value"]] *= 100  # o10: a hundred times the units at the usual price
    rows.loc[rows["order_id"] == "o30", "discount"] = 500.0
    rows.loc[rows["customer_id"] == "c050", "ts"] = pd.Timestamp("2024-01-03")
    return rows


@pytest.fixture(scope="module")
def orders(purchases: pd.DataFrame) -> Anomalies:
    return find_anomalies(order_signals(purchases), 3)


def test_planted_orders_come_first_with_their_reasons(orders: Anomalies) -> None:
    found = {a.id: a for a in orders.anomalies}
    assert set(found) == {"o0", "o10", "o30"}
    assert any("times the item's usual" in reason and "price" in reason for reason in found["o0"].reasons)
    assert "quantity" in found["o10"].signals
    assert "price" not in found["o10"].signals
    assert found["o30"].signals[0] == "discount"
    assert orders.population == 2000
    assert orders.flagged < 20
    assert all(len(a.reasons) == len(a.reasons_zh) >= 1 for a in orders.anomalies)


def test_the_fact_in_words_is_the_fact(orders: Anomalies) -> None:
    reason = next(r for r in next(a for a in orders.anomalies if a.id == "o0").reasons if "price" in r)
    ratio = float(reason.split("unit price ")[1].split(" times")[0])
    assert ratio == pytest.approx(60, rel=0.15)


def test_a_busy_day_and_an_odd_behaviour_are_found(purchases: pd.DataFrame) -> None:
    none = pd.DataFrame({"customer_id": [], "ts": pd.to_datetime([])})
    signals = customer_signals(purchases, none)
    found = find_anomalies(signals, 5)
    assert any(a.id == "c050" and "20 orders in one day" in a.reasons for a in found.anomalies)
    distances = pd.Series(np.random.default_rng(0).uniform(0.01, 0.03, 100), signals.surprise.index)
    distances["c007"] = 0.9
    far = find_anomalies(with_behaviour(signals, distances.drop("c003")), 5)
    assert any(a.id == "c007" and a.signals[0] == "behaviour" for a in far.anomalies)


def test_coupons_that_break_a_rule() -> None:
    day = pd.Timestamp("2024-01-10")
    rows = [(f"c{i}", f"u{i % 60}", "1", day) for i in range(600)]
    rows.append(("stranger", "u1", "1", day))
    rows.append(("c2", "u2", "1", pd.Timestamp("2024-03-01")))
    rows += [("c3", "u3", "1", day)] * 40
    redemptions = pd.DataFrame(rows, columns=["customer_id", "item_id", "campaign_id", "ts"])
    sent = pd.DataFrame({"customer_id": [f"c{i}" for i in range(600)], "campaign_id": "1"})
    campaigns = pd.DataFrame(
        {"campaign_id": ["1"], "start_date": [pd.Timestamp("2024-01-01")], "end_date": ["2024-02-01"]}
    ).assign(end_date=lambda frame: pd.to_datetime(frame["end_date"]))
    found = {a.id: a.signals for a in find_anomalies(coupon_signals(redemptions, sent, campaigns)).anomalies}
    assert found["1:u1"] == ("not_sent",)
    assert found["1:u2"] == ("out_of_time",)
    assert {"repeated", "one_customer"} <= set(found["1:u3"])
    assert set(found) == {"1:u1", "1:u2", "1:u3"}


def test_scores_rank_between_0_and_1_and_repeat() -> None:
    table = pd.DataFrame(np.random.default_rng(4).gamma(1, 1, (300, 3)), columns=["a", "b", "c"])
    table.loc[5] = 50.0
    first = scores(table)
    assert first.idxmax() == 5
    assert first.between(0, 1).all()
    assert first.equals(scores(table))


def test_too_few_to_tell(purchases: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="There are 20 orders; it takes 50"):
        find_anomalies(order_signals(purchases[purchases["customer_id"] == "c001"]))


def test_every_signal_has_words(orders: Anomalies) -> None:
    assert set(WORDS) == set(LABELS)
    assert all(en and zh for en, zh in [*WORDS.values(), *LABELS.values()])
    assert len({f.name for f in orders.figures()}) == len(orders.figures())


def test_a_planted_leak_is_noticed_and_honest_columns_are_not() -> None:
    random = np.random.default_rng(2)
    labels = random.integers(0, 2, 2000)
    features = pd.DataFrame(
        {
            "honest": labels + random.normal(0, 1.0, 2000),
            "noise": random.choice(["a", "b", "c"], 2000),
            "leak": np.where(labels == 1, "paid back", random.choice(["open", "closed"], 2000)),
        }
    )
    assert [leak.feature for leak in find_leaks(features, labels)] == ["leak"]


def test_the_leak_of_payment_fraud_is_noticed() -> None:
    if not FRAUD.exists():
        pytest.skip(f"the shared data set is not at {FRAUD}")
    payments = pd.read_csv(FRAUD)
    leaks = find_leaks(payments.drop(columns="label"), payments["label"].tolist())
    assert [leak.feature for leak in leaks] == ["accountAgeDays"]
    assert (leaks[0].low, leaks[0].high) == (1.0, 1.0)
    assert "every positive has 1," in leaks[0].words()
