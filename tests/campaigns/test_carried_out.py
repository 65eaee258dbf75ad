"""A plan carried out as an experiment: who, how they are held out, and what is compared."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from campaigns.experiment import METRIC_OF, Experiment, experiment_of_plan, outcomes
from campaigns.measure import read_experiment
from campaigns.verdict import tell
from tests.campaigns.test_strategy import plan, regulars

if TYPE_CHECKING:
    from tests.campaigns.conftest import Slice


def test_an_experiment_of_a_plan_is_its_customers_arms_offers_and_metric(journey: Slice) -> None:
    planned = plan(journey, regulars(journey), "grow_basket")
    made = experiment_of_plan(planned, "spring", journey.as_of, None)
    assert {c: (t, made.offers[c], a) for c, (t, a) in made.arms.items()} == planned.arms
    assert len(made.customers("holdout")) == planned.holdout.holdout
    assert (made.metric, made.horizon_days) == ("spend", planned.holdout.metric.horizon_days)
    assert (made.contact_cost, made.gross_margin) == (
        planned.assumptions.contact_cost,
        planned.assumptions.gross_margin,
    )
    assert made.export_rows() == planned.export_rows()
    assert Experiment.from_dict(made.to_dict()) == made
    more = experiment_of_plan(planned, "spring", journey.as_of, None, share=0.4)
    assert set(more.arms) == set(made.arms)
    assert len(more.customers("holdout")) == round(0.4 * len(made.arms))


def test_a_cross_selling_plan_is_compared_by_who_buys_what_they_are_offered(journey: Slice) -> None:
    planned = plan(journey, regulars(journey), "cross_sell")
    assert METRIC_OF[planned.holdout.metric.name] == "bought_offer"
    start = journey.as_of - timedelta(days=60)
    made = experiment_of_plan(planned, "soup", start, None)
    bought = journey.purchases.merge(journey.items[["item_id", "category"]], on="item_id")
    found = outcomes(made, bought, journey.as_of)["outcome"]
    inside = bought[(bought["ts"].dt.date >= start) & (bought["ts"].dt.date < made.end)]
    expected = {
        c
        for c, category, value in inside.groupby(["customer_id", "category"])["value"]
        .sum()
        .reset_index()
        .values
        if made.offers.get(c) == category and value > 0
    }
    assert set(found.index[found == 1]) == expected
    assert 0 < len(expected) < len(made.arms)
    read = read_experiment(made, bought, journey.as_of)
    assert (read.kind, read.profit) == ("share", None)
    assert " pp" in tell(read, "en")


@pytest.mark.parametrize("goal", ["win_back", "retain", "grow_basket", "cross_sell", "activate_coupon"])
def test_every_metric_of_a_plan_can_be_read(journey: Slice, goal: str) -> None:
    assert plan(journey, regulars(journey), goal).holdout.metric.name in METRIC_OF
