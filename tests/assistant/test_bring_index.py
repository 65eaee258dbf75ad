"""A workspace's index is brought to new data with the customers who changed, or made anew for a reason that is told."""

import shutil
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from assistant.behaviour import bring_index
from assistant.workspace import Workspace
from indexes.behaviour import encode_behaviour
from indexes.index import CustomerIndex
from indexes.kept import AGGREGATE, KeptTexts, kept_aggregate
from indexes.text import SentenceEncoder
from tests.conftest import loader, small_source
from warehouse.pseudonyms import Vault
from warehouse.store import Warehouse, build

FEW = ("3", "7", "11")


def tables(late: bool):
    """A year of 120 customers; without `late`, three of them did nothing in its last months, and one is not there."""
    made = small_source(customers=120)
    events = made["events"]
    hidden = events["source_id"].isin(FEW) & (events["ts"] >= datetime(2017, 9, 1))
    hidden |= events["source_id"] == "20"
    made["events"] = events[late | ~hidden].reset_index(drop=True)
    return made


def bring(folder: Path, code: str = "one", anew: bool = False) -> tuple[CustomerIndex, str]:
    """The index that is saved then, and what was told of it."""
    said: list[str] = []
    workspace = Workspace.of(folder)
    with closing(Warehouse(workspace.warehouse)) as warehouse:
        bring_index(workspace, warehouse, code, lambda _share, what: said.append(what), anew)
    return CustomerIndex.load(workspace.index, "cpu"), said[-1]


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A folder, the index before the late events, the one after them, and what was told of both."""
    folder = tmp_path_factory.mktemp("grown")
    build(folder, loader(tables(late=False)))
    (folder / "ready.json").write_text("{}")
    first = bring(folder)
    build(folder, loader(tables(late=True)))
    return folder, first, bring(folder)


def test_only_who_changed_is_put_in_again(grown):
    folder, (before, told_first), (after, told) = grown
    assert told_first.startswith("made anew, since there was none that can be used; exact search")
    assert told.startswith("updated: ")
    assert 2 <= after.changed <= 12
    vault = Vault(folder)
    assert vault.customer_id("20") in after.customer_ids
    assert vault.customer_id("20") not in before.customer_ids
    assert after.encoder == before.encoder


def test_it_is_the_index_that_the_same_aggregate_makes_of_all(grown):
    folder, _, (after, _) = grown
    workspace = Workspace.of(folder)
    with closing(Warehouse(workspace.warehouse)) as warehouse:
        purchases = warehouse.events("purchase", "customer_id", "item_id", "ts", "value")
        items, features = warehouse.fetch(warehouse.table("items")), warehouse.features()
        text = KeptTexts(SentenceEncoder(), workspace.index)
        learned = kept_aggregate(workspace.index)
        made = encode_behaviour(purchases, items, features, text, warehouse.as_of, learned=learned)
    assert text.encoded == 0, "item texts are kept"
    anew = CustomerIndex.build(made, "cpu")
    assert (after.encoder, after.as_of) == (anew.encoder, anew.as_of)
    for customer in (*anew.customer_ids[:20], *(Vault(folder).customer_id(each) for each in FEW)):
        query = anew.vectors_of([customer])[0]
        one, two = after.search(query, 10), anew.search(query, 10)
        # Who hardly moved keeps the older vector, so that near ties may change places.
        assert [m.similarity for m in one] == pytest.approx([m.similarity for m in two], abs=0.05)
        assert len({m.customer_id for m in one} & {m.customer_id for m in two}) >= 8


@pytest.mark.parametrize(
    ("spoil", "how", "why"),
    [
        (None, {"code": "two"}, "other code made the one before"),
        (None, {"anew": True}, "it was asked for"),
        ("lost", {}, "another encoder made the one before"),
        ("damaged", {}, "there was none that can be used"),
        ("settings", {}, "another encoder made the one before"),
    ],
)
def test_it_is_made_anew_for_a_reason(grown, tmp_path, spoil, how, why):
    folder = Path(shutil.copytree(grown[0], tmp_path / "copy"))
    if spoil == "lost":
        (folder / "indexes" / AGGREGATE).unlink()
    elif spoil == "damaged":
        (path,) = (folder / "indexes").glob("customers.*")
        path.write_bytes(b"damaged")
    elif spoil == "settings":
        index = CustomerIndex.load(folder / "indexes", "cpu")
        index.encoder = "lstm:all-MiniLM-L6-v2:00000000"
        index.save(folder / "indexes")
    index, told = bring(folder, **how)
    assert told.startswith(f"made anew, since {why}; ")
    assert index.changed == 0
