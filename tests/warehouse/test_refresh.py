"""A feature mart brought to a later date is the one computed in full, whatever came in between."""

import random
from datetime import date, datetime, timedelta

import ibis
import pandas as pd
import pytest

from segments.catalogue import standard_catalogue
from warehouse.mart import feature_mart
from warehouse.refresh import changed_customers, refreshed, window_edges

CATALOGUE = standard_catalogue(["GROCERY", "DRUG"])
START = date(2023, 1, 1)
ITEMS = pd.DataFrame(
    {
        "item_id": [f"p{n}" for n in range(6)],
        "department": ["GROCERY", "GROCERY", "DRUG", "DRUG", "FLORAL", None],
        "category": [f"KIND {n % 4}" for n in range(6)],
        "brand": ["Private", "National"] * 3,
    }
)
EVENT_COLUMNS = {
    **dict.fromkeys(("customer_id", "type", "item_id", "order_id", "channel"), "string"),
    **{"ts": "timestamp", "value": "float64", "discount": "float64", "quantity": "float64"},
}


def some_events(rng: random.Random, first: int, last: int, rows: int) -> list[dict]:
    """Events of 30 customers on the days [first, last) after START."""
    found = []
    for _ in range(rows):
        customer, day = f"c{rng.randrange(30)}", rng.randrange(first, last)
        kind = rng.choice(["purchase", "purchase", "purchase", "view", "return", "coupon_redeem", "exposure"])
        found.append(
            {
                "customer_id": customer,
                "type": kind,
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


@pytest.mark.parametrize("seed", range(3))
def test_appended_days_give_the_mart_of_a_full_computation(seed):
    rng = random.Random(seed)
    connection = ibis.duckdb.connect()
    items = connection.create_table("items", ITEMS)
    ages = {f"c{n}": rng.choice(["25-34", "65+"]) for n in range(20)}
    rows, day = some_events(rng, 0, 400, 900), 400
    events, customers = stored(connection, rows, ages)
    before = START + timedelta(days=day)
    mart = connection.create_table("mart", feature_mart(events, items, customers, CATALOGUE, before))
    for later in (day, day + 1, day + 2, day + 32, day + 232):
        # What arrives: the new days, some late events, another attribute, and a correction that takes rows out.
        came = some_events(rng, day, later, 10 * (later - day)) + some_events(rng, 0, day, rng.randrange(4))
        gone = [rows.pop(rng.randrange(len(rows))) for _ in range(rng.randrange(4))]
        ages["c3"] = rng.choice(["35-44", "45-54"])
        rows, day = rows + came, later
        touched = {row["customer_id"] for row in came + gone} | {"c3"}
        events, customers = stored(connection, rows, ages)
        who = connection.create_table(
            "touched", pd.DataFrame({"customer_id": sorted(touched)}), overwrite=True
        )
        as_of = START + timedelta(days=day)
        whom = changed_customers(events, CATALOGUE, who, before, as_of)
        expression = refreshed(events, items, customers, CATALOGUE, mart, whom, before, as_of)
        anew = connection.create_table(f"mart_{day}", expression, overwrite=True)
        full = feature_mart(events, items, customers, CATALOGUE, as_of)
        pd.testing.assert_frame_equal(in_order(anew.execute()), in_order(full.execute()), check_exact=True)
        mart, before = anew, as_of


def stored(connection, rows, ages):
    frame = pd.DataFrame(rows, columns=list(EVENT_COLUMNS))
    people = pd.DataFrame({"customer_id": list(ages), "age": list(ages.values())})
    return (
        connection.create_table("events", frame, schema=EVENT_COLUMNS, overwrite=True),
        connection.create_table("customers", people, overwrite=True),
    )


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("customer_id").reset_index(drop=True)


def test_the_edges_of_windows_are_read_from_the_catalogue():
    edges = window_edges(CATALOGUE)
    assert edges["purchase"] == {30, 60, 90, 180, 365}
    assert edges["coupon_redeem"] == edges["exposure"] == {90, 365}


def test_a_date_that_goes_back_or_another_catalogue_needs_a_full_computation():
    connection = ibis.duckdb.connect()
    rows = pd.DataFrame(some_events(random.Random(1), 0, 100, 50), columns=list(EVENT_COLUMNS))
    events = connection.create_table("events", rows, schema=EVENT_COLUMNS)
    items = connection.create_table("items", ITEMS)
    people = connection.create_table("customers", pd.DataFrame({"customer_id": ["c1"], "age": ["65+"]}))
    day = START + timedelta(days=100)
    mart = connection.create_table("mart", feature_mart(events, items, people, CATALOGUE, day))
    none = mart.select("customer_id").limit(0)
    earlier, fewer = day - timedelta(days=1), standard_catalogue(["GROCERY"])
    assert refreshed(events, items, people, CATALOGUE, mart, none, day, earlier) is None
    assert refreshed(events, items, people, fewer, mart, none, day, day) is None
