"""A feature mart brought to a later date is the one computed in full, whatever came in between."""

import random
from datetime import date, datetime, timedelta

import ibis
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from segments.catalogue import PARTS, standard_catalogue
from segments.features import (
    Aggregate,
    Attribute,
    Catalogue,
    Favourite,
    Feature,
    FeatureType,
    Gap,
    Ratio,
    Recency,
)
from warehouse.mart import feature_mart
from warehouse.refresh import by_reach, refresh, window_edges

CATALOGUE = standard_catalogue(["GROCERY", "DRUG"])
START = date(2023, 1, 1)
ITEMS = pd.DataFrame(
    {
        "item_id": [f"p{n}" for n in range(6)],
        "department": ["GROCERY", "GROCERY", "DRUG", "DRUG", "FLORAL", None],
        "category": [f"KIND {n % 4}" for n in range(6)],
        "brand": ["Private", "National"] * 3,
        "taste_sweet": [0.1, 0.4, None, 0.7, 0.5, 0.2],
    }
)
EVENT_COLUMNS = {
    **dict.fromkeys(("customer_id", "type", "item_id", "order_id", "channel"), "string"),
    **{"ts": "timestamp", "value": "float64", "discount": "float64", "quantity": "float64"},
}
TOUCHED = {"customer_id": "string", "kept": "boolean"}
EVENTS = ("purchase", "view", "return", "coupon_redeem", "exposure")


def some_events(rng: random.Random, first: int, last: int, rows: int) -> list[dict]:
    """Events of 30 customers on the days [first, last) after START."""
    found = []
    for _ in range(rows if last > first else 0):
        customer, day = f"c{rng.randrange(30)}", rng.randrange(first, last)
        found.append(
            {
                "customer_id": customer,
                "type": rng.choice(["purchase", "purchase", *EVENTS]),
                "item_id": f"p{rng.randrange(6)}",
                # Some orders hold lines of several days, as corrections make them.
                "order_id": f"{customer}-{day // rng.choice((1, 1, 7))}",
                "channel": rng.choice(["web", "store", None]),
                "ts": datetime.combine(START, datetime.min.time())
                + timedelta(days=day, hours=rng.randrange(24), minutes=rng.randrange(60)),
                "value": rng.randrange(1, 400) / 4,
                "discount": rng.randrange(0, 8) / 4,
                "quantity": float(rng.randrange(1, 5)),
            }
        )
    return found


def starting(connection, rng, days, rows):
    """Tables of a shop, its mart among them, after so many days."""
    connection.create_table("items", ITEMS)
    ages = {f"c{n}": rng.choice(["25-34", "65+"]) for n in range(20)}
    events = some_events(rng, 0, days, rows)
    store(connection, events, ages)
    return events, ages


def store(connection, rows, ages):
    frame = pd.DataFrame(rows, columns=list(EVENT_COLUMNS))
    people = pd.DataFrame({"customer_id": list(ages), "age": list(ages.values())})
    connection.create_table("events", frame, schema=EVENT_COLUMNS, overwrite=True)
    connection.create_table("customers", people, overwrite=True)


def full(connection, catalogue, as_of):
    return feature_mart(*map(connection.table, ("events", "items", "customers")), catalogue, as_of)


def grows_as_in_full(rng, catalogue, steps, days, rows):
    """The mart brought on by each of the steps (days) is the one that is computed in full."""
    connection, day = ibis.duckdb.connect(), days
    kept, ages = starting(connection, rng, days, rows)
    before = START + timedelta(days=day)
    connection.create_table("features", full(connection, catalogue, before))
    for step in steps:
        # What arrives: the new days, some late events, another attribute, and a correction that takes rows out.
        later = day + step
        came = some_events(rng, day, later, min(10 * step, 200)) + some_events(rng, 0, day, rng.randrange(4))
        gone = [kept.pop(rng.randrange(len(kept))) for _ in range(rng.randrange(4)) if kept]
        ages["c3"] = rng.choice(["35-44", "45-54"])
        kept, day = kept + came, later
        store(connection, kept, ages)
        touched = [(row["customer_id"], True) for row in came]
        touched += [(row["customer_id"], False) for row in gone] + [("c3", False)]
        connection.create_table("touched", ibis.memtable(touched, schema=TOUCHED), overwrite=True)
        as_of = START + timedelta(days=day)
        assert refresh(connection, catalogue, before, as_of)
        found = in_order(connection.table("features").execute())
        wanted = in_order(full(connection, catalogue, as_of).execute())
        pd.testing.assert_frame_equal(found, wanted, check_exact=True)
        before = as_of
    connection.disconnect()


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("customer_id").reset_index(drop=True)


def test_appended_days_give_the_mart_of_a_full_computation():
    grows_as_in_full(random.Random(1), CATALOGUE, (0, 1, 1, 30, 200), days=400, rows=900)


_days = st.sampled_from([1, 2, 7, 30, 45])
_wheres = st.sampled_from([(), (("department", "GROCERY"),), (("brand", "Private"),)])
_aggregates = st.builds(
    lambda measure, start, end, event, where, part, near: Aggregate(
        measure, None if start is None else start + end, end, event, where, part, near
    ),
    st.sampled_from(
        [
            "value",
            "discount",
            "list_value",
            "quantity",
            "orders",
            "lines",
            "items",
            "categories",
            "days",
            "stores",
        ]
    ),
    st.none() | _days,
    st.sampled_from([0, 0, 3, 30]),
    st.sampled_from(EVENTS),
    _wheres,
    st.none() | st.sampled_from(["weekend", *PARTS]),
    st.none() | st.just(("taste_sweet", 0.4)),
)
_recencies = st.builds(Recency, st.sampled_from(EVENTS), st.booleans(), _wheres)
_gaps = st.builds(Gap, st.sampled_from(EVENTS))
_numbers = st.one_of(_aggregates, _recencies, _gaps)


@st.composite
def catalogues(draw):
    """A few features of every kind, with what their ratios are of."""
    ratios = draw(st.lists(st.builds(Ratio, _aggregates | _recencies, _aggregates | _gaps), max_size=3))
    numbers = draw(st.lists(_numbers, min_size=1, max_size=6))
    # A recency's quotient grows older by its parts.
    numbers += [
        part for r in ratios if isinstance(r.numerator, Recency) for part in (r.numerator, r.denominator)
    ]
    favourites = draw(
        st.lists(st.builds(Favourite, st.sampled_from(["department", "brand"]), _days), max_size=2)
    )
    computations = {
        **dict.fromkeys([*numbers, *ratios], FeatureType.NUMBER),
        **dict.fromkeys(favourites, FeatureType.CATEGORY),
        **dict.fromkeys(draw(st.lists(st.just(Attribute("age")), max_size=1)), FeatureType.BAND),
    }
    return Catalogue(
        Feature(f"feature_{n}", kind, "", "", "", computation)
        for n, (computation, kind) in enumerate(computations.items())
    )


@given(
    catalogue=catalogues(),
    steps=st.lists(st.sampled_from([0, 1, 1, 2, 5, 40]), min_size=1, max_size=3),
    seed=st.integers(0, 1000),
)
# Generation only, because every step to a smaller example computes marts.
@settings(
    max_examples=20, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)
def test_any_catalogue_grows_as_it_is_computed_in_full(catalogue, steps, seed):
    grows_as_in_full(random.Random(seed), catalogue, steps, days=60, rows=150)


def test_the_edges_of_windows_are_read_from_the_catalogue():
    edges = window_edges(feature.computation for feature in CATALOGUE)
    assert {days for event, days in edges if event == "purchase"} == {30, 60, 90, 180, 365}
    assert {days for event, days in edges if event in ("coupon_redeem", "exposure")} == {90, 365}
    near, far = by_reach(CATALOGUE)
    assert {feature.name for feature in near} > {"spend_30d", "spend_trend_30d", "orders_180d"}
    assert {days for _, days in window_edges(feature.computation for feature in near)} == {30, 60, 90, 180}
    assert {days for _, days in window_edges(feature.computation for feature in far)} == {365}
    windowless = {feature.name for feature in CATALOGUE} - {feature.name for feature in (*near, *far)}
    assert {"recency_days", "spend_lifetime", "age"} < windowless


def test_a_date_that_goes_back_or_another_catalogue_needs_a_full_computation():
    connection, day = ibis.duckdb.connect(), START + timedelta(days=100)
    starting(connection, random.Random(1), 100, 50)
    connection.create_table("features", full(connection, CATALOGUE, day))
    connection.create_table("touched", ibis.memtable([("c1", False)], schema=TOUCHED))
    before = connection.table("features").execute()
    assert not refresh(connection, CATALOGUE, day, day - timedelta(days=1))
    assert not refresh(connection, standard_catalogue(["GROCERY"]), day, day)
    pd.testing.assert_frame_equal(connection.table("features").execute(), before)
