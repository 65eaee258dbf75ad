"""What an index is made with is kept: later vectors compare with it, texts are encoded once, damage is made good."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from indexes.behaviour import encode_behaviour, learn_behaviour
from indexes.kept import AGGREGATE, TEXTS, KeptTexts, keep_aggregate, kept_aggregate
from indexes.update import MOVED
from tests.indexes.conftest import Tables
from tests.indexes.planted import AS_OF
from tests.indexes.test_behaviour import Letters


def test_what_was_learned_makes_the_same_vectors_again(tables: Tables, tmp_path: Path) -> None:
    made, learned = learn_behaviour(*tables, Letters(), AS_OF)
    keep_aggregate(tmp_path, learned)
    again = encode_behaviour(*tables, Letters(), AS_OF, learned=kept_aggregate(tmp_path))
    assert (again.matrix == made.matrix).all()
    assert again.encoder == made.encoder


def test_of_a_later_day_only_who_bought_moves_far(tables: Tables, tmp_path: Path) -> None:
    made, learned = learn_behaviour(*tables, Letters(), AS_OF)
    who = (
        tables.purchases["customer_id"].value_counts().index[-1]
    )  # few purchases: two more are another behaviour
    place = made.customer_ids.index(who)
    new = tables.purchases.head(2).assign(customer_id=who, ts=pd.Timestamp(AS_OF), value=80.0)
    day = AS_OF + timedelta(days=1)
    later = encode_behaviour(
        pd.concat([tables.purchases, new]), tables.items, tables.features, Letters(), day, learned=learned
    )
    assert later.encoder == made.encoder, "they compare"
    distance = 1 - (later.matrix * made.matrix).sum(axis=1)
    assert np.delete(distance, place).max() < MOVED < distance[place]
    other, _ = learn_behaviour(
        pd.concat([tables.purchases, new]), tables.items, tables.features, Letters(), day
    )
    assert other.encoder != made.encoder, "learned of other data, they do not"


def test_new_and_missing_categories_do_not_break_it(tables: Tables) -> None:
    _, learned = learn_behaviour(*tables, Letters(), AS_OF)
    first = tables.items["category"].iloc[0]
    items = tables.items.assign(category=tables.items["category"].replace({first: "NEVER SEEN"}))
    made = encode_behaviour(tables.purchases, items, tables.features, Letters(), AS_OF, learned=learned)
    assert np.isfinite(made.matrix).all()
    assert np.linalg.norm(made.matrix, axis=1) == pytest.approx(1, abs=1e-5)


def test_texts_are_encoded_once_and_only_those_in_use_are_kept(tmp_path: Path) -> None:
    first = KeptTexts(Letters(), tmp_path)
    vectors = first.encode(["soup", "milk", "soup"])
    assert (vectors == Letters().encode(["soup", "milk", "soup"])).all()
    first.save()
    second = KeptTexts(Letters(), tmp_path)
    assert (second.encode(["milk", "beer"]) == Letters().encode(["milk", "beer"])).all()
    assert (first.encoded, second.encoded) == (2, 1)
    second.save()
    third = KeptTexts(Letters(), tmp_path)
    third.encode(["soup"])
    assert third.encoded == 1, "what the day before no longer used is not kept"


def test_another_text_encoders_vectors_are_not_taken(tmp_path: Path) -> None:
    first = KeptTexts(Letters(), tmp_path)
    first.encode(["soup"])
    first.save()
    other = Letters()
    other.name = "other"
    again = KeptTexts(other, tmp_path)
    again.encode(["soup"])
    assert again.encoded == 1


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_damaged_files_are_made_again(tables: Tables, tmp_path: Path, share: float) -> None:
    texts = KeptTexts(Letters(), tmp_path)
    texts.encode(["soup", "milk"])
    texts.save()
    keep_aggregate(tmp_path, learn_behaviour(*tables, Letters(), AS_OF)[1])
    for name in (TEXTS, AGGREGATE):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(len(content) * share)])
    assert kept_aggregate(tmp_path) is None
    again = KeptTexts(Letters(), tmp_path)
    assert (again.encode(["soup"]) == Letters().encode(["soup"])).all()
    assert again.encoded == 1
