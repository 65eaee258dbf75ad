"""English constructs beyond single conditions: days and hours, first purchases, ranks, comparisons, own words, places."""

from datetime import date

import pandas as pd
import pytest

from assistant.linking.clauses import Reading
from assistant.linking.here import Here
from assistant.linking.left_out import left_out
from assistant.linking.likely import outcome_of
from assistant.linking.linker import Linker
from assistant.linking.occasions import occasions
from assistant.rooms import Rooms, make_linker
from segments.canonical import fingerprint
from segments.catalogue import standard_catalogue
from segments.codec import from_json, to_json
from segments.definition import (
    EventCondition,
    Node,
    Occasion,
    PropensityCondition,
    RankCondition,
    RepeatCondition,
    Window,
)
from segments.ports import Outcome

AS_OF = date(2018, 1, 1)
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return make_linker(opened, dense=False)


def read(linker: Linker, question: str) -> object:
    reading = linker.link(question).reading
    return None if reading is None else to_json(reading)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("beer on a Sunday", Occasion(weekdays=("sun",))),
        ("fri or sat, 5pm or later", Occasion(weekdays=("fri", "sat"), hours=(17, 24))),
        ("Monday to Friday between 5 and 8 in the evening", Occasion(weekdays=WORKDAYS, hours=(17, 20))),
        ("placed between 22:00 and 05:00", Occasion(hours=(22, 5))),
        ("from 12 until 14 o'clock", Occasion(hours=(12, 14))),
        ("before eight in the morning", Occasion(hours=(0, 8))),
        ("shopped store 367 at least twice", Occasion(channel=("367",))),
        ("in stores 367 and 406", Occasion(channel=("367", "406"))),
    ],
)
def test_days_hours_and_stores_are_read(text: str, expected: Occasion) -> None:
    assert [mention.occasion for mention in occasions(text, chinese=False)] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "since Black Friday",
        "between 5 and 10 orders",
        "from 12 to 20 times",
        "who sat on it",
        "5 to 8 orders",
    ],
)
def test_what_is_no_occasion_is_left(text: str) -> None:
    assert occasions(text, chinese=False) == []


BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "beer, fri or sat, 5pm or later, min 4x since july 1",
            BEER
            | {"from_days_ago": 184, "weekdays": ["fri", "sat"], "hours": [17, 24], "op": ">=", "value": 4},
        ),
        (
            "bought beer on Saturday or Sunday and never from Monday until Friday, in the last 180 days",
            {
                "all_of": [
                    BEER | {"from_days_ago": 180, "weekdays": ["sat", "sun"]},
                    {"not": BEER | {"from_days_ago": 180, "weekdays": list(WORKDAYS)}},
                ]
            },
        ),
        ("who had beer in their very first basket", {"first": "purchase", "items": BEER["items"]}),
        (
            "customers whose first purchase was between September 1 and the end of November",
            {"first": "purchase", "from_days_ago": 122, "to_days_ago": 31},
        ),
        (
            "the 50 customers with the longest time since their last purchase",
            {"rank_by": "recency_days", "count": 50},
        ),
        (
            "bottom 10% of customers on # of orders, past 180 days",
            {"rank_by": "orders_180d", "share": 0.1, "lowest": True},
        ),
        (
            "customers whose December spend was more than twice their November spend",
            {
                "compare": {"event": "purchase", "measure": "value", "from_days_ago": 31},
                "op": ">",
                "than": {"event": "purchase", "measure": "value", "from_days_ago": 61, "to_days_ago": 31},
                "factor": 2.0,
            },
        ),
        (
            "got a campaign in november then bought nothing for 10 days after",
            {
                "sequence": [{"event": "exposure"}],
                "then_not": {"event": "purchase", "within_days": 10},
                "from_days_ago": 61,
                "to_days_ago": 31,
            },
        ),
        (
            "customers who have age band 55-64 or above and bought category BEERS/ALES in the last 30 days",
            {"all_of": [{"feature": "age", "op": ">=", "value": "55-64"}, BEER | {"from_days_ago": 30}]},
        ),
        (
            "spent over $1,000 last year, yet less than $50 in the last 60 days",
            {
                "all_of": [
                    {"event": "purchase", "from_days_ago": 365, "measure": "value", "op": ">", "value": 1000},
                    {"event": "purchase", "from_days_ago": 60, "measure": "value", "op": "<", "value": 50},
                ]
            },
        ),
    ],
)
def test_a_construct_is_read_whole(linker: Linker, question: str, expected: dict[str, object]) -> None:
    found = read(linker, question)
    assert found == expected or _plain(found) == _plain(expected)


def _plain(data: object) -> object:
    """Definitions alike but for what is left out because it is usual."""
    usual = {"measure": "count", "op": ">=", "value": 1, "factor": 1.0, "lowest": False}
    if isinstance(data, list):
        return [_plain(each) for each in data]
    if isinstance(data, dict):
        return {
            key: _plain(value) for key, value in data.items() if usual.get(key) != value or key == "feature"
        }
    return data


@pytest.fixture(scope="module")
def clickstream() -> Linker:
    """A shop with views, carts and returns, in three countries."""
    catalogue = standard_catalogue([])
    here = Here(
        frozenset({"purchase", "view", "add_to_cart", "search", "return"}),
        ("France", "Germany", "United Kingdom"),
    )
    values = {"category": ("SHOES", "LAMPS"), "department": (), "brand": ()}
    features = pd.DataFrame({feature.name: [1.0] for feature in catalogue})
    return Linker(catalogue, features, values, ["RED SHOES"], date(2020, 1, 1), None, here)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("who has returned something?", {"event": "return"}),
        (
            "customers with 5 or more returns in the past year",
            {"event": "return", "from_days_ago": 365, "value": 5},
        ),
        ("customers in Germany", {"event": "purchase", "channel": ["Germany"]}),
        (
            "French or British customers who ordered in the last 90 days",
            {"event": "purchase", "from_days_ago": 90, "channel": ["France", "United Kingdom"]},
        ),
        ("法国的客户", {"event": "purchase", "channel": ["France"]}),
        (
            "who viewed shoes but did not buy them within 7 days?",
            {
                "sequence": [{"event": "view", "items": {"category": ["SHOES"]}}],
                "then_not": {"event": "purchase", "items": {"category": ["SHOES"]}, "within_days": 7},
                "same_item": True,
            },
        ),
        (
            "who put something in the cart and never bought it",
            {"sequence": [{"event": "add_to_cart"}], "then_not": {"event": "purchase"}, "same_item": True},
        ),
        ("customers who searched for lamps", {"event": "search", "items": {"category": ["LAMPS"]}}),
        ("最近90天退过货的客户", {"event": "return", "from_days_ago": 90}),
    ],
)
def test_what_happens_here_is_understood(
    clickstream: Linker, question: str, expected: dict[str, object]
) -> None:
    assert _plain(read(clickstream, question)) == expected


def test_where_nothing_is_returned_returns_are_unknown(linker: Linker) -> None:
    assert linker.link("who returned beer?").missing == ("returned",)


YEAR = {"from_days_ago": 365}
QUARTER = {"event": "purchase", "from_days_ago": 90}
SAID_WHOLE = [
    (
        "a customer received a campaign in the last 180 days, purchased no later than 10 days "
        "after that, and then redeemed a coupon within 20 days",
        {
            "sequence": [
                {"event": "exposure"},
                {"event": "purchase", "within_days": 10},
                {"event": "coupon_redeem", "within_days": 20},
            ],
            "from_days_ago": 180,
        },
    ),
    (
        "which customers were exposed to a campaign in the last 120 days that was not followed by "
        "any purchase within the subsequent 14 days",
        {
            "sequence": [{"event": "exposure"}],
            "then_not": {"event": "purchase", "within_days": 14},
            "from_days_ago": 120,
        },
    ),
    (
        "customers who bought some coffee and bought that identical product again no more than 14 days later",
        {
            "sequence": [
                {"event": "purchase", "items": {"category": ["COFFEE"]}},
                {"event": "purchase", "items": {"category": ["COFFEE"]}, "within_days": 14},
            ],
            "same_item": True,
        },
    ),
    (
        "customers whose first recorded purchase falls between 1 April and 30 June 2017",
        {"first": "purchase", "from_days_ago": 275, "to_days_ago": 184},
    ),
    (
        "considering only customers known to have children, which 40 have the highest number of "
        "orders in the last 90 days?",
        {
            "rank_by": "orders_90d",
            "count": 40,
            "among": {"feature": "has_children", "op": "=", "value": True},
        },
    ),
    (
        "the 25 households with the smallest proportion of their yearly spend going to private label",
        {"rank_by": "private_label_share_365d", "count": 25, "lowest": True},
    ),
    (
        "customers whose order count of the last 60 days is no higher than 60 percent of the order "
        "count of the 60 days preceding it",
        {
            "compare": {"event": "purchase", "from_days_ago": 60},
            "op": "<=",
            "than": {"event": "purchase", "from_days_ago": 120, "to_days_ago": 60},
            "factor": 0.6,
        },
    ),
    (
        "people for whom private-label purchases outweigh national-brand purchases in monetary "
        "terms over the last 365 days",
        {
            "compare": {"event": "purchase", "items": {"brand": ["Private"]}, "measure": "value"} | YEAR,
            "op": ">",
            "than": {"event": "purchase", "items": {"brand": ["National"]}, "measure": "value"} | YEAR,
        },
    ),
    (
        "customers whose average order value of the last 90 days is higher than their own average "
        "order value of the last 365 days",
        {"compare": {"feature": "basket_value_90d"}, "op": ">", "than": {"feature": "basket_value_365d"}},
    ),
    (
        "shopped on at least four distinct days within a span of seven in the last 90 days",
        {"repeat": "purchase", "times": 4, "within_days": 7, "unit": "days", "from_days_ago": 90},
    ),
    (
        "at least ten orders at store 343 in the last 90 days, or at least ten at store 372",
        {
            "any_of": [
                QUARTER | {"channel": [store], "measure": "count", "op": ">=", "value": 10}
                for store in ("343", "372")
            ]
        },
    ),
    (
        "married couples with three or more coupon redemptions or unmarried people with no redemption at all",
        {
            "any_of": [
                {
                    "all_of": [
                        {"feature": "marital_status", "op": "=", "value": "Married"},
                        {"event": "coupon_redeem", "measure": "count", "op": ">=", "value": 3},
                    ]
                },
                {
                    "all_of": [
                        {"feature": "marital_status", "op": "=", "value": "Unmarried"},
                        {"not": {"event": "coupon_redeem"}},
                    ]
                },
            ]
        },
    ),
    (
        "customers whose probability of purchasing within the next 14 days is at least 0.9 and who "
        "have not redeemed any coupon in the last 90 days",
        {
            "all_of": [
                {"not": {"event": "coupon_redeem", "from_days_ago": 90}},
                {"propensity": "purchase_14d", "min_probability": 0.9},
            ]
        },
    ),
    ("nothing from July 1", {"not": {"event": "purchase", "from_days_ago": 184}}),
]


@pytest.mark.parametrize(("question", "expected"), SAID_WHOLE)
def test_an_analysts_sentence_is_read_whole(
    linker: Linker, question: str, expected: dict[str, object]
) -> None:
    reading = linker.link(question).reading
    assert reading is not None
    assert fingerprint(reading) == fingerprint(from_json(expected))


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("customers who spent over $500 last quarter", ()),
        ("who is over 55 and earns under 50k", ()),
        ("spend down 30% in the last 90 days against the 90 before", ()),
        ("fewer orders in the last 30 days than in the 60 days before", ()),
        ("through the door at ten p.m. or later, five visits minimum in the past year", ()),
        ("bread and eggs and milk, all three of them, in the past thirty days", ()),
    ],
)
def test_what_a_reading_holds_is_not_left_out(linker: Linker, question: str, left: tuple[str, ...]) -> None:
    assert linker.link(question).unused == left


def test_what_a_reading_does_not_hold_is_said() -> None:
    """The reading is asked, whatever made it: here one that holds a part of the message alone."""
    text = (
        "bought beer at least 5 times in the last 30 days and wine since October 1, over 40% of it on offer"
    )
    reading = Reading(text, False, (), ())
    node = from_json({"event": "purchase", "items": {"category": ["BEERS/ALES"]}, "from_days_ago": 30})
    found = left_out(reading, [node], AS_OF)
    assert found == ("at least 5 times", "since October 1", "over 40%")
    assert left_out(reading, [node], AS_OF, arguments=[5.0]) == ("since October 1", "over 40%")


OWN = (
    Outcome("review_30d", "review", 30, None, "leaves a review within 30 days", "30天内写评价"),
    Outcome("churn_60d", "purchase", 60, None, "no purchase within 60 days", "60天内流失", True),
)


@pytest.fixture(scope="module")
def reviewed() -> Linker:
    """A shop with reviews that declares two outcomes of its own."""
    catalogue = standard_catalogue([])
    features = pd.DataFrame({feature.name: [1.0] for feature in catalogue})
    values = {"category": ("SHOES", "LAMPS"), "department": (), "brand": ()}
    here = Here(frozenset({"purchase", "review"}), (), OWN)
    return Linker(catalogue, features, values, ["RED SHOES"], date(2020, 1, 1), None, here)


@pytest.mark.parametrize(
    ("question", "outcome", "of"),
    [
        ("who is likely to leave a review?", "review_30d", None),
        ("谁会写评价", "review_30d", None),
        ("which customers will write a review?", "review_30d", None),
        ("谁可能流失？", "churn_60d", None),
        ("how likely are those who bought shoes to churn?", "churn_60d", "purchase"),
        ("of those who bought shoes, who will leave a review?", "review_30d", "purchase"),
        ("who is likely to buy shoes?", "purchase_30d:SHOES", None),
        ("how likely are those who left a review to buy again?", "purchase_30d", "review"),
    ],
)
def test_outcomes_of_ones_own_are_asked_about_by_their_labels(
    reviewed: Linker, question: str, outcome: str, of: str | None
) -> None:
    link = reviewed.link(question)
    assert link.message == question
    assert "score_propensity" in link.intents.tools
    assert outcome_of(link.intents, link.categories) == outcome
    assert (of, link.unknown) == (
        link.reading.event if isinstance(link.reading, EventCondition) else None,
        (),
    )


@pytest.mark.parametrize("question", ["the 10% most likely to leave a review", "写评价概率最高的10%客户"])
def test_the_most_likely_of_an_outcome_of_ones_own_are_a_segment(reviewed: Linker, question: str) -> None:
    assert reviewed.link(question).reading == PropensityCondition("review_30d", top_share=0.1)


def test_what_was_done_is_no_outcome_to_come(reviewed: Linker) -> None:
    assert isinstance(reviewed.link("who left a review?").reading, EventCondition)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "stone fruit, top 10% next month",
            PropensityCondition("purchase_30d:STONE FRUIT", top_share=0.1),
        ),
        (
            "a top 20% dinner sausage likelihood in 30 days",
            PropensityCondition("purchase_30d:DINNER SAUSAGE", top_share=0.2),
        ),
        ("the 20 lowest meat spenders", RankCondition("spend_meat_365d", 20, lowest=True)),
        ("top 5% packaged seafood share", RankCondition("share_seafood_pckgd_365d", share=0.05)),
        (
            "two orders within 14 days sometime in the last 90 days",
            RepeatCondition("purchase", 2, 14, window=Window(90)),
        ),
    ],
)
def test_ranks_of_departments_and_forecasts_and_bursts_are_read(
    linker: Linker, question: str, expected: Node
) -> None:
    assert linker.link(question).reading == expected


def test_two_orders_within_a_week_alone_are_no_burst(linker: Linker) -> None:
    assert read(linker, "who placed two orders within a week?") == {
        "event": "purchase",
        "measure": "count",
        "op": ">=",
        "value": 2,
        "from_days_ago": 7,
    }


def test_a_change_between_periods_compares_no_segments(linker: Linker) -> None:
    question = "whose spend went up by 20% or more over the last three months vs the three before"
    assert "compare_segments" not in linker.link(question).intents.tools


@pytest.mark.parametrize("question", ["who received campaign 999", "收到活动999的客户"])
def test_the_name_of_a_campaign_nobody_knows_counts_nothing_and_is_told_to_be_left_out(
    linker: Linker, question: str
) -> None:
    link = linker.link(question)
    assert link.reading == EventCondition("exposure")
    assert link.unused == ("999",)
