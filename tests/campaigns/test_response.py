"""Response rates and spend changes by hand, and on the real campaigns against an independent query."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import pytest

from campaigns.response import CampaignResponse, jeffreys, measure_response
from campaigns.spend import Timeline
from segments.errors import DataError

if TYPE_CHECKING:
    from tests.campaigns.conftest import Slice

CAMPAIGNS = pd.DataFrame(
    {
        "campaign_id": ["1", "2"],
        "type": ["A", "B"],
        "start": pd.to_datetime(["2024-02-01", "2024-06-01"]),
        "end": pd.to_datetime(["2024-03-01", "2024-12-31"]),
    }
)


def mailed(count: int, campaign: str = "1") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:02d}" for i in range(count)],
            "campaign_id": campaign,
            "ts": pd.Timestamp("2024-02-01"),
        }
    )


def bought() -> pd.DataFrame:
    """Everyone spends 10 a day before the mailing; the first 12 spend 15 in the week after, others 10."""
    days = pd.date_range("2024-01-01", "2024-03-10")
    rows = [
        (f"c{i:02d}", day, 15.0 if i < 12 and day >= pd.Timestamp("2024-02-01") else 10.0)
        for i in range(40)
        for day in days
    ]
    return pd.DataFrame(rows, columns=["customer_id", "ts", "value"])


def measured(**changes: object) -> CampaignResponse:
    redeemed = mailed(12).assign(ts=pd.Timestamp("2024-02-05"), coupon_id="k1")
    given = {
        "members": [f"c{i:02d}" for i in range(20)],
        "exposures": pd.concat([mailed(40), mailed(10, "2")]),
        # Two coupons of one campaign are one response.
        "redemptions": pd.concat([redeemed, redeemed.assign(coupon_id="k2")]),
        "campaigns": CAMPAIGNS,
        "purchases": bought(),
        "as_of": date(2024, 3, 11),
        "days": 7,
    } | changes
    return measure_response(**given)  # type: ignore[arg-type]


def test_rates_by_hand() -> None:
    found = measured()
    rates = {r.who: (r.exposures, r.responses, r.rate) for r in found.rates}
    assert rates == {"segment": (20, 12, 0.6), "others": (20, 0, 0.0), "everyone": (40, 12, 0.3)}
    assert found.running == 10, "a campaign that has not ended is not counted"
    own = found.rate("A", "segment")
    assert own is not None
    assert own.effective == pytest.approx(19), "one exposure a customer: only Bessel's correction"
    assert own.low < 0.6 < own.high
    assert found.observational


def test_spend_change_by_hand() -> None:
    change = next(s for s in measured().spend if s.group == "A")
    assert (change.responders_before, change.responders_after) == (70.0, 105.0)
    assert (change.others_before, change.others_after) == (70.0, 70.0)
    assert change.difference == 35.0
    assert change.error == pytest.approx(0.0, abs=1e-9)


def test_few_customers_are_not_told() -> None:
    found = measured(members=[f"c{i:02d}" for i in range(9)])
    assert found.rate("A", "segment") is None
    assert found.rate("A", "everyone") is not None


def test_rates_by_coupon_value() -> None:
    coupons = pd.DataFrame({"campaign_id": "1", "coupon_id": ["k1", "k2", "k3"], "value": [0.5, 1.0, 5.0]})
    found = measured(coupons=coupons)
    rates = [r.rate for r in found.rates if r.by == "coupon_value" and r.who == "everyone"]
    assert sorted(rates) == [0.0, 0.3, 0.3], "nobody used the third coupon"


def test_an_undescribed_campaign_is_named() -> None:
    with pytest.raises(DataError, match="Campaign '9'"):
        measured(exposures=mailed(20, "9"))


def test_clustered_exposures_count_for_less() -> None:
    many = pd.concat([mailed(40, str(i)) for i in range(5)])
    campaigns = pd.DataFrame({"campaign_id": list("01234"), "type": "A", "end": pd.Timestamp("2024-03-01")})
    always = pd.concat([mailed(12, str(i)) for i in range(5)])
    found = measured(exposures=many, redemptions=always, campaigns=campaigns).rate("A", "everyone")
    assert found is not None
    assert (found.exposures, found.rate) == (200, 0.3)
    assert found.effective == pytest.approx(39, abs=0.1), "five copies of 40 answers are 40 answers"


def test_jeffreys_against_known_values() -> None:
    # statsmodels 0.15.0, proportion_confint(method="jeffreys").
    assert jeffreys(12, 20) == pytest.approx((0.3839203163, 0.7893705861))
    assert jeffreys(0, 10) == pytest.approx((0.0, 0.2171962675)), "an end where nobody responded is 0"
    assert jeffreys(10, 10) == pytest.approx((1 - 0.2171962675, 1.0))


def test_timeline_is_half_open_and_knows_strangers() -> None:
    line = Timeline(bought())
    who, when = pd.Series(["c00", "c39", "stranger"]), pd.Series([pd.Timestamp("2024-02-01")] * 3)
    np.testing.assert_allclose(line.spend(who, when, -1, 1), [25.0, 20.0, 0.0])
    np.testing.assert_allclose(line.spend(who, when, -1, 0), [10.0, 10.0, 0.0])


def test_real_campaigns_agree_with_an_independent_query(journey: Slice) -> None:
    found = measure_response(
        list(journey.features.index[:100]),
        journey.exposures,
        journey.redemptions,
        journey.campaigns,
        journey.purchases,
        journey.as_of,
    )
    connection = duckdb.connect()
    for name in ("exposures", "redemptions", "campaigns", "purchases"):
        connection.register(name, getattr(journey, name))
    by_hand = connection.sql("""
        SELECT type, count(*), count(*) FILTER (EXISTS (
            SELECT 1 FROM redemptions r WHERE r.customer_id = e.customer_id
            AND r.campaign_id = e.campaign_id))
        FROM exposures e JOIN campaigns c USING (campaign_id) WHERE c."end" < DATE '2018-01-01' GROUP BY 1
    """).fetchall()
    assert {(r.group, r.exposures, r.responses) for r in found.rates if r.who == "everyone"} == set(by_hand)
    change = next(s for s in found.spend if s.group == "Type A")
    after = connection.sql("""
        WITH pairs AS (
            SELECT e.*, EXISTS (SELECT 1 FROM redemptions r WHERE r.customer_id = e.customer_id
                                AND r.campaign_id = e.campaign_id) AS yes
            FROM exposures e JOIN campaigns c USING (campaign_id) WHERE type = 'Type A'
              AND e.ts + INTERVAL 30 DAY <= DATE '2018-01-01'
              AND e.ts - INTERVAL 30 DAY >= (SELECT min(ts) FROM purchases))
        SELECT sum(p.value) / (SELECT count(*) FROM pairs WHERE yes)
        FROM pairs JOIN purchases p ON p.customer_id = pairs.customer_id
          AND p.ts >= pairs.ts AND p.ts < pairs.ts + INTERVAL 30 DAY WHERE yes
    """).fetchall()[0][0]
    assert change.responders_after == pytest.approx(after)
    assert change.low < change.difference < change.high
