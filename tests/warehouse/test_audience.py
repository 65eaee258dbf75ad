"""Compiled definitions against an independent evaluator, and the shape of what is compiled."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings

from segments.canonical import canonical
from segments.codec import from_json
from segments.definition import AllOf, Not
from segments.errors import DefinitionError, NotFoundError
from tests.conftest import loader
from tests.warehouse.brute_force import BruteForce
from tests.warehouse.busy import busy_source
from tests.warehouse.definitions import definitions
from warehouse.audience import Audiences
from warehouse.store import Warehouse, build


@pytest.fixture(scope="module", params=[1, 2, 3])
def shop(request, tmp_path_factory):
    """A small random warehouse, its audiences and the evaluator that shares no code with them."""
    folder = tmp_path_factory.mktemp(f"shop{request.param}")
    warehouse = Warehouse(build(folder, loader(busy_source(request.param))))
    fetch, table = warehouse.fetch, warehouse.table
    brute = BruteForce(
        fetch(table("events")),
        fetch(table("items")),
        warehouse.features(),
        warehouse.catalogue,
        warehouse.as_of,
    )
    return Audiences(warehouse), brute


# The thorough run: SEGASSIST_EXAMPLES=3600 pytest -k brute_force --timeout 0 --hypothesis-show-statistics, over 10,000
# definitions over the three shops; the statistics say how many were compared and how many refused as ill-formed.
@given(definition=definitions)
@settings(
    max_examples=int(os.environ.get("SEGASSIST_EXAMPLES", "50")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_compiled_members_equal_the_brute_force_members(shop, definition):
    audiences, brute = shop
    try:
        found = audiences.members(from_json(definition))
    except DefinitionError:
        event("refused")
        return
    event("compared")
    assert found == brute.members(definition)
    # A fresh cache, because members are kept under the canonical form's hash.
    assert Audiences(audiences.warehouse).members(canonical(from_json(definition))) == found


class Chosen:
    """Answers for models and the index: everybody."""

    def __init__(self, customers):
        self.customers = customers

    def propensity(self, outcome):
        return pd.Series(0.9, self.customers)

    def similar(self, seeds, top, within):
        return self.customers


def test_expressions_that_hold_chosen_ids_are_not_kept(small_warehouse):
    customers = list(small_warehouse.features().index)
    audiences = Audiences(small_warehouse, Chosen(customers), outcomes=["churn"])
    plain = from_json({"event": "coupon_redeem"})
    likely = from_json({"propensity": "churn", "min_probability": 0.5})
    alike = from_json({"similar_to": {"customer": customers[0]}, "top": 50})
    assert audiences.expression(plain) is audiences.expression(plain)
    for chosen in (likely, alike, AllOf((plain, Not(likely)))):
        assert audiences.expression(chosen) is not audiences.expression(chosen)
        assert audiences.size(chosen) == len(audiences.members(chosen))


def test_a_count_does_not_wait_for_another_query(small_warehouse):
    audiences = Audiences(small_warehouse)
    bought, often = {"event": "purchase"}, {"feature": "orders_90d", "op": ">=", "value": 2}
    expected = len(audiences.members(from_json({"all_of": [bought, often]})))
    held, done = threading.Event(), threading.Event()

    def query() -> None:
        with small_warehouse._lock:
            held.set()
            done.wait(60)

    other = threading.Thread(target=query)
    other.start()
    try:
        held.wait(60)
        # By other audiences, which have kept no answer.
        with ThreadPoolExecutor(1) as pool:
            counted = pool.submit(Audiences(small_warehouse).size, from_json({"all_of": [often, bought]}))
            assert counted.result(timeout=60) == expected
    finally:
        done.set()
        other.join()


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


def test_saved_names_are_read_only_for_a_definition_that_uses_one(small_warehouse):
    asked = []
    soup = from_json({"event": "purchase", "items": {"category": ["SOUP"]}})
    audiences = Audiences(
        small_warehouse, saved=lambda _name: soup, saved_names=lambda: asked.append(1) or ["soup"]
    )
    for ask in (audiences.size, audiences.sql, audiences.members, audiences.expression):
        ask(soup)
    assert not asked
    audiences.size(from_json({"not": {"member_of": "soup"}}))
    assert asked


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
