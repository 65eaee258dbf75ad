"""What can be asked of an audience: past dates, overlap, why, breakdown, estimates, bitmaps, suppression."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segments.codec import from_json, to_json
from segments.definition import EVERYONE, AllOf, AnyOf, Not
from segments.errors import DefinitionError, NotFoundError, UserError
from tests.conftest import loader
from tests.warehouse.brute_force import BruteForce
from tests.warehouse.busy import busy_source
from tests.warehouse.definitions import conditions, definitions
from warehouse.audience import Audiences
from warehouse.bitmaps import Bitmaps
from warehouse.breakdown import breakdown
from warehouse.estimate import draw
from warehouse.overlap import beside, overlaps
from warehouse.queries import Queries
from warehouse.store import Warehouse, build
from warehouse.suppression import suppress
from warehouse.trend import Point, change, drift, filled_from, trend
from warehouse.why import why

SOUP = from_json({"event": "purchase", "items": {"category": ["SOUP"]}, "from_days_ago": 30})
BIG = from_json({"feature": "spend_90d", "op": ">=", "value": 40})


@pytest.fixture(scope="module")
def audiences(tmp_path_factory) -> Audiences:
    return Audiences(Warehouse(build(tmp_path_factory.mktemp("views"), loader(busy_source(5, customers=80)))))


def test_a_past_date_knows_only_what_was_known_then(audiences):
    warehouse = audiences.warehouse
    past = warehouse.as_of - timedelta(days=20)
    brute = BruteForce(
        warehouse.fetch(warehouse.table("events")),
        warehouse.fetch(warehouse.table("items")),
        warehouse.features(past),
        warehouse.catalogue,
        past,
    )
    for definition in (
        {"event": "purchase", "from_days_ago": 30, "measure": "value", "op": ">", "value": 10},
        {"feature": "orders_90d", "op": ">=", "value": 2},
        {"sequence": [{"event": "view"}, {"event": "purchase", "within_days": 7}]},
        {"rank_by": "spend_90d", "share": 0.2},
    ):
        found = audiences.at(past).members(from_json(definition))
        assert found == brute.members(definition), definition


def test_the_future_and_models_of_the_past_are_refused(audiences):
    with pytest.raises(UserError, match="later than the data"):
        audiences.at(audiences.as_of + timedelta(days=1))
    past = audiences.at(audiences.as_of - timedelta(days=5))
    with pytest.raises(DefinitionError, match="only as of today's data"):
        past.members(from_json({"propensity": "purchase_30d", "top_share": 0.1}))
    with pytest.raises(DefinitionError, match="only as of today's data"):
        past.members(from_json({"uplift": "1", "top_share": 0.1}))


def test_a_past_date_computes_what_saved_segments_ask_for(audiences):
    saved = {"big": BIG, "wrapped": from_json({"member_of": "big"})}
    nested = Audiences(audiences.warehouse, saved=saved.__getitem__, saved_names=lambda: saved)
    past = audiences.as_of - timedelta(days=20)
    assert nested.at(past).members(from_json({"member_of": "wrapped"})) == audiences.at(past).members(BIG)


def test_a_trend_ends_today_and_its_changes_add_up(audiences):
    points = trend(audiences, SOUP, points=4, days=14)
    assert [p.as_of for p in points][-1] == audiences.as_of
    assert points[-1].size == audiences.size(SOUP)
    moved = change(audiences, SOUP, points[0].as_of, points[-1].as_of)
    assert points[0].size == moved.stayed + len(moved.left)
    assert points[-1].size == moved.stayed + len(moved.entered)
    assert not set(moved.entered) & set(moved.left)
    with pytest.raises(UserError, match="do not reach back to 2001-01-01"):
        change(audiences, SOUP, date(2001, 1, 1), audiences.as_of)
    with pytest.raises(UserError, match="is not before"):
        change(audiences, SOUP, audiences.as_of, audiences.as_of)


@pytest.mark.parametrize(
    ("definition", "days"),
    [
        (SOUP, 30),
        (AllOf((BIG, Not(SOUP))), 90),
        (from_json({"event": "purchase"}), 0),
        (from_json({"feature": "orders_lifetime", "op": ">", "value": 1}), 0),
        (
            from_json(
                {
                    "rank_by": "spend_365d",
                    "share": 0.2,
                    "among": {"feature": "recency_days", "op": "<", "value": 9},
                }
            ),
            365,
        ),
    ],
)
def test_from_when_on_a_trend_sees_all_its_days(audiences, definition, days):
    events = audiences.warehouse.fetch(audiences.warehouse.table("events"))
    first = events[events["type"] == "purchase"]["ts"].min().date()
    assert filled_from(audiences, definition) == (first + timedelta(days=days) if days else None)


def test_a_jump_is_told_and_a_steady_size_is_not(audiences):
    def points(*sizes):
        return [Point(audiences.as_of, size, 1000) for size in sizes]

    assert drift(points(100, 104, 98, 101, 150)).alert
    fallen = drift(points(100, 104, 98, 100, 50))
    assert (fallen.step, fallen.alert) == (-0.5, True)
    assert not drift(points(100, 104, 98, 101, 105)).alert
    assert not drift(points(100, 160, 90, 170, 100)).alert
    assert drift(points(100, 150)) is None


def test_overlap_counts_are_set_counts_and_twins_are_told(audiences):
    twin = AllOf((SOUP, SOUP))
    segments = {"soup": SOUP, "twin": twin, "big": BIG}
    pairs = {(p.first, p.second): p for p in overlaps(audiences, segments)}
    unsaved = beside(audiences, from_json({"not": {"not": to_json(SOUP)}}), segments)
    assert [(each.name, each.near_duplicate, each.same_meaning) for each in unsaved[:2]] == [
        ("soup", True, True),
        ("twin", True, True),
    ]
    assert (unsaved[2].name, unsaved[2].both, unsaved[2].jaccard) == (
        "big",
        pairs["soup", "big"].both,
        pairs["soup", "big"].jaccard,
    )
    soup, big = set(audiences.members(SOUP)), set(audiences.members(BIG))
    assert pairs["soup", "twin"].same_meaning
    assert pairs["soup", "twin"].near_duplicate
    assert pairs["soup", "big"].both == len(soup & big)
    assert pairs["soup", "big"].jaccard == pytest.approx(len(soup & big) / len(soup | big))


def test_why_agrees_with_membership_and_names_what_is_missing(audiences):
    definition = AllOf((SOUP, BIG, Not(from_json({"event": "return"}))))
    inside = set(audiences.members(definition))
    for customer in audiences.members(EVERYONE)[:30]:
        found = why(audiences, definition, customer)
        assert found.belongs == (customer in inside)
        assert found.belongs == (not found.missing)
        returned = found.verdicts[2]
        assert not returned.wanted
        assert returned.holds == (returned.value > 0)
    alternatives = (AnyOf((SOUP, BIG)), Not(AllOf((SOUP, BIG))))
    for definition in (AllOf((alternatives[0], Not(from_json({"event": "return"})))), *alternatives):
        inside = set(audiences.members(definition))
        for customer in audiences.members(EVERYONE)[:30]:
            assert (not why(audiences, definition, customer).missing) == (customer in inside)
    with pytest.raises(NotFoundError, match="no customer 'nobody'"):
        why(audiences, definition, "nobody")


def test_a_number_just_below_its_bound_is_a_near_miss(audiences):
    spend = audiences.warehouse.features()["spend_90d"]
    customer, value = next((c, v) for c, v in spend.items() if v > 10)
    near = from_json({"feature": "spend_90d", "op": ">=", "value": value * 1.1})
    far = from_json({"feature": "spend_90d", "op": ">=", "value": value * 3})
    assert why(audiences, near, customer).missing[0].near_miss
    assert not why(audiences, far, customer).missing[0].near_miss


def test_how_far_a_customer_came_is_told_of_sequences_and_repetitions(audiences):
    soup, beer = ({"event": "purchase", "items": {"category": [name]}} for name in ("SOUP", "BEER"))
    twice = AllOf((SOUP, from_json({"not": soup | {"value": 2}})))
    sequence = from_json({"sequence": [soup, beer, soup]})
    repeat = from_json({"repeat": "purchase", "times": 40, "within_days": 14})
    begun = from_json({"sequence": [soup, beer]})
    steps = set()
    for customer in audiences.members(twice)[:20]:
        (verdict,) = why(audiences, sequence, customer).verdicts
        done = 2 if customer in audiences.members(begun) else 1
        assert not verdict.holds
        assert verdict.value == done
        steps.add(done)
        (verdict,) = why(audiences, repeat, customer).verdicts
        most = int(verdict.value)
        assert most == 1 or customer in audiences.members(replace(repeat, times=most))
        assert customer not in audiences.members(replace(repeat, times=most + 1))
    assert steps == {1, 2}
    never = from_json({"sequence": [soup], "then_not": {"event": "purchase"}})
    (customer,) = [c for c in audiences.members(SOUP) if c not in audiences.members(never)][:1]
    (verdict,) = why(audiences, never, customer).verdicts
    assert verdict.value == 1
    (verdict,) = why(audiences, begun, audiences.members(begun)[0]).verdicts
    assert verdict.value is None


@pytest.mark.parametrize("name", ["spend_90d", "age", "has_children", "recency_days"])
def test_a_breakdown_adds_up_and_hides_small_groups(audiences, name):
    warehouse, members = audiences.warehouse, audiences.members(BIG)
    shown = breakdown(members, warehouse.features(), warehouse.catalogue, name, k=1)
    assert sum(group.size for group in shown) == len(members)
    assert sum(group.everyone for group in shown) == pytest.approx(1)
    hidden = breakdown(members, warehouse.features(), warehouse.catalogue, name, k=10)
    assert all(group.size is None or group.size == 0 or group.size >= 10 for group in hidden)


def test_an_unknown_feature_is_named(audiences):
    with pytest.raises(NotFoundError, match="did you mean age"):
        breakdown([], audiences.warehouse.features(), audiences.warehouse.catalogue, "agee", 10)


@given(
    sizes=st.dictionaries(st.text("abcdef", min_size=1), st.integers(0, 30), max_size=8), k=st.integers(1, 15)
)
def test_no_held_back_group_follows_from_the_total(sizes, k):
    shown = suppress(sizes, k)
    assert all(size is None or size == sizes[name] for name, size in shown.items())
    assert all(size is None or size == 0 or size >= k for size in shown.values())
    held = [name for name, size in shown.items() if size is None]
    others = [name for name in sizes if sizes[name] > 0 and name not in held]
    if held and others:
        assert len(held) >= 2
        assert sum(sizes[name] for name in held) >= k


def test_an_estimate_covers_the_truth_about_as_often_as_it_says(tmp_path_factory):
    covered = 0
    for seed in range(6):
        folder = tmp_path_factory.mktemp("sampled")
        shop = Audiences(Warehouse(build(folder, loader(busy_source(seed, customers=150)))))
        for definition in (SOUP, BIG, from_json({"event": "return"})):
            found = draw(shop, definition, 0.3).estimate
            covered += found.low <= shop.size(definition) <= found.high
            assert 0 < found.sampled < found.population
    assert covered >= 15
    assert draw(shop, SOUP, 1.0).estimate.size == shop.size(SOUP)
    best = from_json({"rank_by": "spend_90d", "count": 3})
    saved = Audiences(shop.warehouse, saved=lambda _name: best, saved_names=lambda: ["best"])
    for ranked in (best, from_json({"not": {"member_of": "best"}})):
        with pytest.raises(DefinitionError, match="needs all customers"):
            draw(saved, ranked)
    for share in (0.0, 1.5):
        with pytest.raises(UserError, match="at most 1"):
            draw(shop, SOUP, share)


@given(definition=definitions)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_bitmaps_and_engine_agree(audiences, definition):
    node = from_json(definition)
    try:
        found = audiences.warehouse.column(audiences.expression(node)).tolist()
    except DefinitionError:
        return
    assert audiences.members(node) == sorted(found)
    assert len(Bitmaps(audiences).of(node)) == len(found)


@given(definition=definitions)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_sql_put_together_of_conditions_gives_the_members(audiences, definition):
    node = from_json(definition)
    try:
        found = audiences.members(node)
    except DefinitionError:
        return
    told = audiences.warehouse.connection.con.execute(audiences.sql(node)).fetchall()
    assert sorted(row[0] for row in told) == found


def test_one_changed_condition_is_written_alone(audiences):
    queries = Queries(audiences)
    parts = [{"feature": "orders_90d", "op": ">=", "value": n} for n in (1, 2)] + [{"event": "view"}]
    first = queries.of(from_json({"any_of": parts})).sql()
    assert queries.written == 3
    changed = {"all_of": [{"not": {"any_of": parts}}, {"feature": "orders_90d", "op": ">=", "value": 3}]}
    assert "NOT (" in queries.of(from_json(changed)).sql()
    assert queries.written == 4
    assert queries.of(from_json({"any_of": parts})).sql() == first


@given(parts=st.lists(conditions, min_size=5, max_size=5, unique_by=repr), new=conditions)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_one_changed_condition_asks_the_engine_once(audiences, parts, new):
    bitmaps = Bitmaps(audiences)
    try:
        bitmaps.of(from_json({"any_of": parts}))
        before = bitmaps.asked
        bitmaps.of(from_json({"any_of": [*parts[:-1], new]}))
    except DefinitionError:
        return
    assert bitmaps.asked <= before + 1
