"""Compiled definitions against an independent evaluator, and the shape of what is compiled."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segments.codec import from_json
from segments.errors import DefinitionError, NotFoundError
from tests.warehouse.brute_force import BruteForce
from warehouse.audience import Audiences

windows = st.sampled_from(
    [{}, {"from_days_ago": 90}, {"from_days_ago": 200, "to_days_ago": 60}, {"to_days_ago": 120}]
)
items = st.sampled_from(
    [
        {},
        {"items": {"category": ["SOUP"]}},
        {"items": {"category": ["BEER", "MILK"]}},
        {"items": {"brand": ["Private"]}},
        {"items": {"department": ["GROCERY"], "brand": ["National"]}},
        {"items": {"text": ["kind 4", "milk"]}},
    ]
)
measures = st.sampled_from(["count", "quantity", "value"])
amounts = st.one_of(
    st.tuples(st.sampled_from([">=", ">", "<=", "<", "="]), st.integers(0, 40)),
    st.tuples(st.just("between"), st.tuples(st.integers(0, 10), st.integers(10, 60)).map(list)),
)
event_conditions = st.builds(
    lambda event, window, item, measure, amount: {
        "event": event,
        **window,
        **(item if event == "purchase" else {}),
        "measure": measure,
        "op": amount[0],
        "value": amount[1],
    },
    st.sampled_from(["purchase", "purchase", "exposure", "coupon_redeem"]),
    windows,
    items,
    measures,
    amounts,
)
feature_conditions = st.one_of(
    st.builds(
        lambda name, op, value: {"feature": name, "op": op, "value": value},
        st.sampled_from(
            ["orders_90d", "recency_days", "mean_gap_days", "spend_trend_90d", "categories_365d"]
        ),
        st.sampled_from([">=", ">", "<=", "<", "=", "!="]),
        st.integers(0, 12),
    ),
    st.sampled_from(
        [
            {"feature": "age", "op": ">=", "value": "45-54"},
            {"feature": "age", "op": "between", "value": ["25-34", "45-54"]},
            {"feature": "marital_status", "op": "not_in", "value": ["Married"]},
            {"feature": "has_children", "op": "=", "value": False},
            {"feature": "kids_count", "op": "<=", "value": "1"},
        ]
    ),
)
definitions = st.recursive(
    event_conditions | feature_conditions,
    lambda children: (
        st.lists(children, min_size=1, max_size=3).map(lambda c: {"all_of": c})
        | st.lists(children, min_size=1, max_size=3).map(lambda c: {"any_of": c})
        | children.map(lambda c: {"not": c})
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def brute(small_warehouse):
    fetch, table = small_warehouse.fetch, small_warehouse.table
    return BruteForce(
        fetch(table("events")),
        fetch(table("items")),
        small_warehouse.features(),
        small_warehouse.catalogue,
        small_warehouse.as_of,
    )


@given(definition=definitions)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_compiled_members_equal_the_brute_force_members(small_warehouse, brute, definition):
    audiences = Audiences(small_warehouse)
    try:
        found = audiences.members(from_json(definition))
    except DefinitionError:
        return
    assert found == brute.members(definition)


def test_a_customer_without_such_events_has_measure_zero(small_warehouse):
    audiences = Audiences(small_warehouse)
    few = from_json({"event": "coupon_redeem", "op": "<", "value": 1})
    some = from_json({"event": "coupon_redeem"})
    assert audiences.size(few) + audiences.size(some) == audiences.population


def test_not_is_the_plain_complement_also_for_missing_values(small_warehouse):
    audiences = Audiences(small_warehouse)
    condition = {"feature": "age", "op": ">=", "value": "45-54"}
    both = audiences.size(from_json(condition)) + audiences.size(from_json({"not": condition}))
    assert both == audiences.population


def test_nobody_is_a_count_of_zero(small_warehouse):
    assert (
        Audiences(small_warehouse).size(from_json({"feature": "spend_365d", "op": ">", "value": 10_000_000}))
        == 0
    )


def test_a_bad_definition_runs_nothing(small_warehouse):
    with pytest.raises(DefinitionError, match="not in the catalogue"):
        Audiences(small_warehouse).members(from_json({"feature": "zodiac", "op": "=", "value": "leo"}))


def test_saved_segments_are_resolved_by_name(small_warehouse):
    soup = from_json({"event": "purchase", "items": {"category": ["SOUP"]}})
    audiences = Audiences(small_warehouse, saved=lambda _name: soup, saved_names=lambda: ["soup"])
    assert audiences.members(from_json({"member_of": "soup"})) == audiences.members(soup)
    with pytest.raises((DefinitionError, NotFoundError), match="no saved segment"):
        audiences.members(from_json({"member_of": "other"}))


def test_sql_is_one_select_over_the_mart_and_the_events(small_warehouse):
    definition = {
        "all_of": [{"feature": "orders_90d", "op": ">=", "value": 3}, {"not": {"event": "coupon_redeem"}}]
    }
    sql = " ".join(Audiences(small_warehouse).sql(from_json(definition)).split())
    for part in (
        'FROM "features"',
        'COALESCE("t0"."orders_90d" >= 3, FALSE) AND NOT',
        "\"type\" = 'coupon_redeem'",
        "MAKE_TIMESTAMP(2018, 1, 1, 0, 0, 0.0)",
        '"measure" >= 1',
    ):
        assert part in sql


@pytest.mark.parametrize(("dialect", "quoted"), [("bigquery", "`features`"), ("snowflake", '"features"')])
def test_other_dialects_are_written(small_warehouse, dialect, quoted):
    assert quoted in Audiences(small_warehouse).sql(
        from_json({"event": "purchase", "from_days_ago": 30}), dialect
    )
