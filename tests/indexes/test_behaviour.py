"""Behaviour vectors: unit length, the same every time, from what was known before the date alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexes.behaviour import BehaviourVectors, encode_behaviour, habit_vectors, item_texts
from indexes.text import SentenceEncoder
from segments.errors import DataError
from tests.indexes.conftest import Tables
from tests.indexes.planted import AS_OF

CUT = date(2017, 10, 1)


class Letters:
    """A quick encoder: how often each of eight letters occurs."""

    name = "letters"
    dimension = 8

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        counts = np.array([[text.count(letter) for letter in "abcikmos"] for text in texts], dtype=np.float32)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


def norms(vectors: BehaviourVectors) -> np.ndarray:
    return np.linalg.norm(vectors.matrix, axis=1)


def nearest(vectors: BehaviourVectors, customer: str) -> str:
    similarity = vectors.matrix @ vectors.matrix[vectors.customer_ids.index(customer)]
    similarity[vectors.customer_ids.index(customer)] = -1
    return vectors.customer_ids[int(similarity.argmax())]


def test_every_customer_has_a_row_of_unit_length(encoded: BehaviourVectors, tables: Tables) -> None:
    assert encoded.customer_ids == tuple(sorted(tables.features.index))
    assert encoded.matrix.dtype == np.float32
    assert norms(encoded) == pytest.approx(1, abs=1e-5)
    assert encoded.as_of == AS_OF
    assert "all-MiniLM-L6-v2" in encoded.encoder


def test_the_same_tables_make_the_same_vectors(
    encoded: BehaviourVectors, tables: Tables, encoder: SentenceEncoder
) -> None:
    again = encode_behaviour(*tables, encoder, AS_OF)
    assert (again.matrix == encoded.matrix).all()
    assert (again.customer_ids, again.encoder) == (encoded.customer_ids, encoded.encoder)


def test_many_categories_make_the_same_vectors_too() -> None:
    # More than the dimensions kept, so that the decomposition is an approximation, drawn from a seed.
    random = np.random.default_rng(5)
    bought = pd.DataFrame(
        {
            "customer_id": [f"c{i:03d}" for i in random.integers(0, 300, 6000)],
            "item_id": [f"i{i}" for i in random.integers(0, 250, 6000)],
            "ts": pd.Timestamp(CUT) - pd.to_timedelta(random.integers(1, 300, 6000), unit="D"),
            "value": random.gamma(2, 5, 6000),
        }
    )
    items = pd.DataFrame(
        {"item_id": [f"i{i}" for i in range(250)], "category": [f"C{i}" for i in range(250)]}
    )
    features = pd.DataFrame({"orders_90d": random.random(300)}, [f"c{i:03d}" for i in range(300)])
    one, two = (encode_behaviour(bought, items, features, None, CUT).matrix for _ in range(2))
    assert (one == two).all()


def test_the_order_of_rows_does_not_matter(tables: Tables) -> None:
    one = encode_behaviour(*tables, Letters(), AS_OF)
    mixed = Tables(*(table.sample(frac=1, random_state=3) for table in tables))
    two = encode_behaviour(*mixed, Letters(), AS_OF)
    assert two.customer_ids == one.customer_ids
    assert two.matrix == pytest.approx(one.matrix, abs=1e-4)


later = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 86_400, 10_000_000]),
        st.sampled_from(["i0", "i7", "i99", "unknown"]),
        st.floats(0, 1e6),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@given(added=later, kept=st.floats(0, 1))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_purchases_at_or_after_the_date_change_nothing(
    tables: Tables, added: list[tuple[int, str, float, bool]], kept: float
) -> None:
    before = encode_behaviour(*tables, Letters(), CUT)
    start, someone = pd.Timestamp(CUT), tables.features.index[0]
    new = pd.DataFrame(
        [
            (someone if known else "newcomer", item, start + pd.Timedelta(seconds=seconds), value)
            for seconds, item, value, known in added
        ],
        columns=["customer_id", "item_id", "ts", "value"],
    )
    past = tables.purchases[tables.purchases["ts"] < start]
    rest = tables.purchases[tables.purchases["ts"] >= start].sample(frac=kept, random_state=1)
    items = pd.concat([tables.items, tables.items.head(1).assign(item_id="i99", category="NEW")])
    after = encode_behaviour(pd.concat([past, rest, new]), items, tables.features, Letters(), CUT)
    assert after.customer_ids == before.customer_ids
    assert after.matrix == pytest.approx(before.matrix, abs=1e-6)


def test_a_purchase_a_second_before_the_date_counts(tables: Tables) -> None:
    before = encode_behaviour(*tables, Letters(), CUT)
    last = pd.Timestamp(CUT) - pd.Timedelta(seconds=1)
    new = tables.purchases.head(1).assign(ts=last, item_id="i1", value=500.0)
    after = encode_behaviour(
        pd.concat([tables.purchases, new]), tables.items, tables.features, Letters(), CUT
    )
    row = before.rows(new["customer_id"].tolist())[0]
    assert np.abs(after.matrix[row] - before.matrix[row]).max() > 0.01


def test_customers_without_purchases_do_not_break_it(tables: Tables, encoder: SentenceEncoder) -> None:
    missing = pd.DataFrame(np.nan, ["new-1", "new-2"], tables.features.columns)
    features = pd.concat([tables.features, missing.astype(tables.features.dtypes.to_dict(), errors="ignore")])
    made = encode_behaviour(tables.purchases, tables.items, features, encoder, AS_OF)
    assert {"new-1", "new-2"} <= set(made.customer_ids)
    assert np.isfinite(made.matrix).all()
    assert norms(made) == pytest.approx(1, abs=1e-5)
    assert nearest(made, "new-1") == "new-2"


def test_odd_purchases_do_not_break_it(tables: Tables) -> None:
    odd = tables.purchases.head(3).assign(value=[0.0, -5.0, 1e9], item_id=["unknown", "i0", "i1"])
    bare = tables.items.assign(
        category=tables.items["category"].mask(tables.items["item_id"] == "i2"), name=None
    )
    made = encode_behaviour(pd.concat([tables.purchases, odd]), bare, tables.features, Letters(), AS_OF)
    assert np.isfinite(made.matrix).all()
    assert norms(made) == pytest.approx(1, abs=1e-5)


def test_without_a_text_encoder_meaning_is_left_out(tables: Tables, encoded: BehaviourVectors) -> None:
    made = encode_behaviour(*tables, None, AS_OF)
    assert norms(made) == pytest.approx(1, abs=1e-5)
    assert made.matrix.shape[1] < encoded.matrix.shape[1]
    assert "no-text" in made.encoder


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("quick", [None, Letters()], ids=["no text", "text"])
def test_a_handful_of_customers_can_be_encoded(tables: Tables, count: int, quick: Letters | None) -> None:
    features = tables.features.head(count)
    purchases = tables.purchases[tables.purchases["customer_id"].isin(features.index)]
    made = encode_behaviour(purchases, tables.items, features, quick, AS_OF)
    assert made.matrix.shape[0] == count
    assert np.isfinite(made.matrix).all()


def test_twins_have_the_same_vector_and_the_like_are_near(tables: Tables) -> None:
    who = tables.purchases["customer_id"].value_counts().index[0]
    copied = tables.purchases[tables.purchases["customer_id"] == who].assign(customer_id="twin")
    features = pd.concat([tables.features, tables.features.loc[[who]].rename(index={who: "twin"})])
    made = encode_behaviour(pd.concat([tables.purchases, copied]), tables.items, features, Letters(), AS_OF)
    twin, original = made.matrix[made.rows(["twin", who])]
    assert twin @ original == pytest.approx(1, abs=1e-5)
    assert nearest(made, "twin") == who


def test_no_purchases_are_told(tables: Tables) -> None:
    with pytest.raises(DataError, match="No purchases before 2015-01-01"):
        encode_behaviour(*tables, None, date(2015, 1, 1))


def test_item_texts_leave_out_what_is_missing() -> None:
    items = pd.DataFrame(
        {"department": ["GROCERY", None], "category": ["SOUP", None], "name": ["Tomato", "Beer"]}
    )
    assert list(item_texts(items)) == ["grocery | soup | tomato", "beer"]


def test_habit_vectors_are_unit_rows_in_id_order(tables: Tables) -> None:
    made = habit_vectors(tables.features.iloc[::-1])
    assert np.linalg.norm(made, axis=1) == pytest.approx(1, abs=1e-5)
    assert (made == habit_vectors(tables.features)).all()
