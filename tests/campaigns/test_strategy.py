"""Whole plans on real households: the numbers hang together, and bad requests are told plainly."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from campaigns.assumptions import Assumptions
from campaigns.goals import GOALS
from campaigns.mind import imbalances
from campaigns.plan import Strategy
from campaigns.strategy import plan_strategy
from campaigns.uplift import Uplift, UpliftStudy
from segments.errors import DataError, DefinitionError, NotFoundError

if TYPE_CHECKING:
    from tests.campaigns.conftest import Slice

OFFERS = [
    {"key": "CHEESE", "name": "CHEESE", "level": "category"},
    {"key": "SOUP", "name": "SOUP", "level": "category"},
]


def plan(
    journey: Slice, members: list[str], goal: str | None = None, budget: float = 100.0, **more: Any
) -> Strategy:
    given: dict[str, Any] = journey._asdict() | {"recommendations": OFFERS} | more
    return plan_strategy(members, goal, budget, **given)


def regulars(journey: Slice) -> list[str]:
    return list(journey.features.nlargest(300, "spend_365d").index)


def lapsed(journey: Slice) -> list[str]:
    return list(journey.features.index[journey.features["recency_days"] > 60])


@pytest.mark.parametrize("goal", GOALS)
def test_every_goal_gives_a_plan_that_hangs_together(journey: Slice, goal: str) -> None:
    s = plan(journey, regulars(journey), goal)
    assert s.forecast.contacts == sum(t.contact for t in s.tiers) == s.holdout.contact
    assert s.holdout.holdout == sum(t.holdout for t in s.tiers)
    assert sum(t.size for t in s.tiers) == s.size == 300
    assert [arm for _, _, arm in s.arms.values()].count("holdout") == s.holdout.holdout
    assert {offer for _, offer, _ in s.arms.values()} <= {offer.name for offer in s.offers}
    for t in s.tiers:
        assert sum(count for _, count in t.offers) == t.chosen
    f, a = s.forecast, s.assumptions
    assert f.net == pytest.approx(f.revenue * a.gross_margin - f.cost)
    assert f.cost == pytest.approx(sum(t.forecast.cost for t in s.tiers))
    faces = [offer.face_value for offer in s.offers]
    per_response = (f.cost - f.contacts * a.contact_cost) / f.responders
    assert min(faces) - 1e-9 <= per_response <= max(faces) + 1e-9
    assert f.cost <= s.budget * 1.02, "the expected cost is within the budget, up to the noise of the draws"
    for name in ("responders", "revenue", "cost", "net", "roi"):
        low, high = getattr(f, f"{name}_interval")
        assert low <= getattr(f, name) <= high
    assert s.break_even == pytest.approx(a.incremental * f.cost / (f.revenue * a.gross_margin))


def test_the_best_are_contacted_first(journey: Slice) -> None:
    s = plan(journey, regulars(journey), "grow_basket", 40)
    assert [t.name for t in s.tiers] == ["high", "middle", "low"]
    assert s.tiers[0].response > s.tiers[1].response >= s.tiers[2].response
    assert s.tiers[0].contact > 0
    assert s.tiers[2].contact == 0


def test_response_is_that_of_the_chosen_campaigns(journey: Slice) -> None:
    s = plan(journey, regulars(journey), "grow_basket", 10_000)
    assert s.channel is not None
    assert s.channel == max(s.channels, key=lambda c: c.low)
    assert s.size / 3 * sum(t.response for t in s.tiers) == pytest.approx(s.channel.rate * s.size, rel=1e-6)
    assert s.forecast.responders / s.forecast.contacts == pytest.approx(s.channel.rate, rel=0.1)
    assert "budget_left" in s.caveats


def test_goals_follow_from_the_data(journey: Slice) -> None:
    s = plan(journey, lapsed(journey))
    reason = s.objective.reason
    assert (s.objective.goal, s.objective.given) == ("win_back", False)
    assert reason is not None
    assert reason.value == journey.features.loc[lapsed(journey), "overdue_ratio"].median()
    assert plan(journey, regulars(journey)).objective.goal != "win_back"
    assert plan(journey, lapsed(journey), "retain").objective.given


def test_timing_and_offer_by_hand(journey: Slice) -> None:
    members = regulars(journey)
    s = plan(journey, members, "grow_basket")
    orders = journey.purchases[journey.purchases["customer_id"].isin(members)].drop_duplicates("order_id")
    days = orders["ts"].dt.day_of_week.value_counts(normalize=True)
    assert s.timing.weekday == days.idxmax() == s.timing.arrive_on.weekday()
    assert s.timing.weekday_share == pytest.approx(days.max())
    assert (s.timing.arrive_on - s.timing.post_on).days == 2
    assert s.timing.post_on >= journey.as_of
    usual = journey.features.loc[members, "discount_rate_365d"].mean()
    rows = journey.purchases.merge(journey.items, on="item_id")
    for offer in s.offers:
        assert offer.usual_discount == pytest.approx(usual)
        assert 0 <= offer.depth - usual < 0.05
        bought = rows[(rows["category"] == offer.key) & (rows["ts"] >= "2017-01-01")]
        spend = (bought["value"] + bought["discount"]).sum() / bought["order_id"].nunique()
        assert offer.face_value == pytest.approx(offer.depth * spend)
    # At a margin of 25 % a coupon of 10 % leaves 15 of the 90 that are paid.
    depth = s.offers[0].depth
    assert s.margin_kept == pytest.approx((0.25 - depth) / (1 - depth))
    poor = plan(journey, members, "grow_basket", assumptions=Assumptions(gross_margin=0.06))
    assert poor.offers[0].depth == 0.06, "no coupon sells below cost"


def test_the_same_request_gives_the_same_plan(journey: Slice) -> None:
    one, two = (plan(journey, regulars(journey), "retain") for _ in range(2))
    assert one.to_dict() == two.to_dict()
    assert one.arms == two.arms
    other = plan(journey, regulars(journey), "retain", assumptions=Assumptions(seed="other"))
    assert other.arms != one.arms


def test_certain_assumptions_narrow_the_interval(journey: Slice) -> None:
    def width(s: Strategy) -> float:
        return s.forecast.revenue_interval[1] - s.forecast.revenue_interval[0]

    wide = plan(journey, regulars(journey), "grow_basket")
    sure = plan(
        journey, regulars(journey), "grow_basket", assumptions=Assumptions(incremental_share=(0.5, 0.5))
    )
    assert width(sure) < width(wide)
    assert sure.forecast.revenue == pytest.approx(wide.forecast.revenue, rel=0.05)


def test_json_has_no_customer_ids_and_figures_hold_every_number_of_the_words(journey: Slice) -> None:
    s = plan(journey, regulars(journey), "win_back")
    text = json.dumps(s.to_dict(), allow_nan=False)
    assert "customer_id" not in text
    assert 'chosen": [' not in text
    assert len(s.export_rows()) == s.holdout.holdout + s.holdout.contact
    figures = s.figures()
    assert len({figure.name for figure in figures}) == len(figures)
    assert all(
        isinstance(f.value, int | float | str) and not isinstance(f.value, np.generic) for f in figures
    )
    known = {f"{x:,.2f}" for f in figures for x in (f.value, f.low, f.high) if isinstance(x, int | float)}
    for language in ("en", "zh"):
        words = s.to_markdown(language, "€").split("**Mind.**")[0].split("**注意。**")[0]
        money = [sign + digits for sign, digits in re.findall(r"(-?)€(\d[\d,]*\.\d\d)", words)]
        assert len(money) > 10
        assert set(money) <= known | {x.lstrip("-") for x in known}, language
        assert not re.search(r"(?<![\d.€])\d[\d,]*\.\d\d(?![\d%])(?! pp)", words.split("：")[-1]), (
            "money has its sign"
        )


def test_words_in_both_languages_name_every_caveat(journey: Slice) -> None:
    s = plan(journey, lapsed(journey))
    assert {"underpowered", "incremental_assumed"} <= set(s.caveats)
    assert len(s.notes("en")) == len(s.notes("zh")) == len(s.caveats)
    assert "挽回流失客户" in s.to_markdown("zh")
    assert not re.search("[一-鿿][,;:()]|[,;:()][一-鿿]", s.to_markdown("zh"))
    with pytest.raises(DefinitionError, match="'fr'"):
        s.to_markdown("fr")


def test_a_saved_plan_is_the_same_plan(journey: Slice) -> None:
    s = plan(journey, regulars(journey), "cross_sell")
    again = Strategy.restored(json.loads(json.dumps(s.saved())))
    assert again == s
    assert again.to_markdown("zh") == s.to_markdown("zh")
    hopeless = replace(s, break_even=float("inf"))
    assert Strategy.restored(json.loads(json.dumps(hopeless.saved()))) == hopeless
    with pytest.raises(DataError, match=r"offers.*not a saved plan"):
        Strategy.restored({k: v for k, v in s.saved().items() if k != "offers"})


def test_the_tired_are_left_alone_and_caps_hold(journey: Slice) -> None:
    members = regulars(journey)
    s = plan(journey, members, "grow_basket", 400, assumptions=Assumptions(max_contacts_90d=3))
    often = journey.features.loc[members, "campaigns_received_90d"] >= 3
    assert s.left_alone == often.sum() > 0
    assert not set(s.arms) & set(often.index[often])
    assert f"{s.left_alone} members are left alone" in s.to_markdown("en")
    capped = plan(journey, members, "grow_basket", 400, assumptions=Assumptions(tier_caps=(("high", 20),)))
    assert capped.tiers[0].chosen == 20
    with pytest.raises(DefinitionError, match="max_contacts_90d"):
        plan(journey, list(often.index[often])[:30], "retain", assumptions=Assumptions(max_contacts_90d=1))


def test_what_contact_causes_decides_whom_to_contact(journey: Slice) -> None:
    members = regulars(journey)
    effects = pd.Series(np.where(np.arange(300) % 2 == 0, 2.0, -1.0), index=members)
    study = UpliftStudy("experiment", "spring", journey.as_of, 1200, 300)
    s = plan(journey, members, "grow_basket", 60, uplift=Uplift(study, effects))
    assert s.uplift == study
    assert "as experiment 'spring' of 2018-01-01 (1,200 contacted, 300 not) tells" in s.to_markdown("en")
    assert "实验“spring”（触达1,200名，未触达300名）所说明的个体增量" in s.to_markdown("zh")
    assert {"uplift.reached", "uplift.left_out"} <= {figure.name for figure in s.figures()}
    assert "uplift_unknown" not in s.caveats
    assert Strategy.restored(s.saved()) == s
    moved = set(effects.index[effects > 0])
    assert np.mean([c in moved for c in s.arms]) > 0.95
    with pytest.raises(DefinitionError, match="0 or below by experiment 'spring'"):
        plan(journey, members, "grow_basket", 60, uplift=Uplift(study, -effects.abs()))
    without = plan(journey, members, "grow_basket", 60)
    assert "No randomised test tells who responds" in without.to_markdown("en")
    assert "尚无随机试验" in without.to_markdown("zh")


def test_a_group_passed_over_is_told() -> None:
    people = pd.DataFrame(
        {"age": ["young"] * 50 + ["old"] * 50 + ["rare"] * 5}, index=[f"c{i}" for i in range(105)]
    )
    chosen = [f"c{i}" for i in (*range(40), *range(50, 60))]
    (found,) = imbalances(people, chosen, ("age", "income"))
    assert (found.least, found.least_share, found.most, found.most_share) == ("old", 0.2, "young", 0.8)
    assert not imbalances(people, [f"c{i}" for i in range(100)], ("age",))


def test_only_contacts_that_pay(journey: Slice) -> None:
    s = plan(journey, regulars(journey), "grow_basket", 500, assumptions=Assumptions(only_paying=True))
    assert s.split.contacts == s.split.paying_contacts
    with pytest.raises(DefinitionError, match="only_paying"):
        plan(
            journey, lapsed(journey), assumptions=Assumptions(only_paying=True, contact_cost=50), budget=1000
        )


def test_a_retailer_without_campaigns_must_assume(journey: Slice) -> None:
    none = {"exposures": journey.exposures[:0], "redemptions": journey.redemptions[:0]}
    with pytest.raises(DefinitionError, match="set response_rate"):
        plan(journey, regulars(journey), "retain", **none)
    s = plan(journey, regulars(journey), "retain", **none, assumptions=Assumptions(response_rate=0.05))
    assert s.channel is None
    assert "response_assumed" in s.caveats
    assert s.forecast.responders / s.forecast.contacts < 0.2
    with pytest.raises(DefinitionError, match="gain_per_response"):
        plan(journey, regulars(journey), "grow_basket", **none, assumptions=Assumptions(response_rate=0.05))


def test_bad_requests_are_told_plainly(journey: Slice) -> None:
    members = regulars(journey)
    for budget in (0, -10, float("nan"), float("inf")):
        with pytest.raises(DefinitionError, match="budget must be above 0"):
            plan(journey, members, budget=budget)
    with pytest.raises(DefinitionError, match="segment is empty"):
        plan(journey, [])
    with pytest.raises(DefinitionError, match="too small to plan"):
        plan(journey, members[:9])
    with pytest.raises(DefinitionError, match="no goal 'world_peace'"):
        plan(journey, members, "world_peace")
    with pytest.raises(DefinitionError, match="pays for 1 contacts"):
        plan(journey, members, "retain", 1)
    with pytest.raises(DefinitionError, match="nothing to offer"):
        plan(journey, members, recommendations=[])
    with pytest.raises(NotFoundError, match="needs the probabilities of"):
        plan(journey, members, "retain", probabilities={})
    few = {name: scores.iloc[:5] for name, scores in journey.probabilities.items()}
    with pytest.raises(DataError, match="have no score"):
        plan(journey, members, "retain", probabilities=few)
    with pytest.raises(DefinitionError, match=r"contact_cost.*gross_margin"):
        Assumptions(contact_cost=0, gross_margin=2)
