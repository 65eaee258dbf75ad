"""Outcomes of a workspace's own: read from its settings, labelled by hand, trained, served, and dropped again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assistant.scoring import Propensities
from assistant.workspace import read_settings
from propensity.declared import answers, read_outcomes, to_json
from propensity.next_action import NextActionModel, train_next
from propensity.registry import Registry
from propensity.served import load
from propensity.training import Trainer, train_all
from propensity.versions import Versions
from segments.definition import ItemFilter
from segments.errors import DataError, NotFoundError
from segments.ports import Eligible, NextAction, Outcome, Snapshot
from tests.propensity.conftest import CUSTOMER_IDS, snapshots
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

CUT = date(2017, 10, 1)
QUIET = Outcome(
    "quiet_21d", "purchase", 21, None, "gone", "流失", absent=True, eligible=Eligible("purchase", 60, 2)
)
SOUP = Outcome("soup_20d", "purchase", 20, ItemFilter(category=("SOUP",)), "soup", "汤")
NEXT = NextAction("next_20d", ("purchase", "coupon_redeem", "return"), 20, "next", "下一步")
SETTINGS = """
name = "Shop"
[[outcomes]]
name = "quiet_21d"
event = "purchase"
absent = true
horizon_days = 21
eligible = { event = "purchase", within_days = 60, at_least = 2 }
label = "gone"
label_zh = "流失"

[[outcomes]]
name = "next_20d"
first_of = ["purchase", "coupon_redeem", "return"]
horizon_days = 20
label = "next"
label_zh = "下一步"
"""


@pytest.fixture(scope="module")
def open_retailer(retailer: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse(retailer)
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def trained(open_retailer: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("declared") / "models"
    names = ["quiet_21d", "next_20d:purchase"]
    train_all(TrainingTables(open_retailer), folder, outcomes=names, declared=(QUIET, NEXT))
    return folder


def test_the_settings_declare_outcomes(tmp_path: Path) -> None:
    (tmp_path / "segassist.toml").write_text(SETTINGS, encoding="utf-8")
    assert read_settings(tmp_path).outcomes == (QUIET, NEXT)


@pytest.mark.parametrize("declared", [QUIET, SOUP, NEXT], ids=lambda each: each.name)
def test_a_declaration_is_read_back_as_it_was_written(declared: Any) -> None:
    assert read_outcomes([to_json(declared)], (), "x.toml") == (declared,)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"event": "fly"}, r"outcomes\[0\]\.event: must be one of view"),
        ({"horizon_days": 0}, r"horizon_days: must be a whole number of days, at least 1"),
        ({"horizon_days": 999}, r"horizon_days: must be at most 180; got 999"),
        ({"name": "Big Spender"}, r"name: must be small letters, digits and _"),
        ({"name": "purchase_30d"}, r"name: there is an outcome 'purchase_30d' already"),
        ({"wihtin": 3}, r"wihtin: not a field here; accepted are absent"),
        ({"items": {"colour": ["red"]}}, r"items\.colour: not a field here"),
        ({"eligible": {"event": "purchase", "within_days": 0}}, r"eligible\.within_days: must be a whole"),
        ({"first_of": ["purchase"]}, r"first_of: must be at least two of"),
    ],
)
def test_a_wrong_declaration_is_told_by_its_field(change: dict[str, Any], words: str) -> None:
    right = {"name": "churn", "event": "purchase", "horizon_days": 30}
    with pytest.raises(DataError, match=words):
        read_outcomes([right | change], ("purchase_30d",), "segassist.toml")


def test_every_mistake_is_told_at_once() -> None:
    wrong = [
        {"name": "A", "event": "purchase", "horizon_days": 5},
        {"name": "b1", "event": "x", "horizon_days": 5},
    ]
    with pytest.raises(DataError, match=r"outcomes\[0\]\.name.*outcomes\[1\]\.event"):
        read_outcomes(wrong, (), "segassist.toml")


def events_of(warehouse: Warehouse) -> pd.DataFrame:
    return warehouse.fetch(warehouse.table("events").left_join(warehouse.table("items"), "item_id"))


def test_an_absence_is_asked_of_the_eligible_alone(open_retailer: Warehouse) -> None:
    events, start = events_of(open_retailer), pd.Timestamp(CUT)
    bought = events[events["type"] == "purchase"]
    recent = bought[(bought["ts"] < start) & (bought["ts"] >= start - pd.Timedelta(days=60))]
    counts = recent.groupby("customer_id").size()
    asked = set(counts[counts >= 2].index)
    came = bought[(bought["ts"] >= start) & (bought["ts"] < start + pd.Timedelta(days=21))]
    who = set(came["customer_id"])
    labels = TrainingTables(open_retailer).labels(QUIET, CUT)
    assert labels.to_dict() == {customer: int(customer not in who) for customer in asked}
    assert 0 < labels.mean() < 1


def test_the_first_action_is_what_comes_first(open_retailer: Warehouse) -> None:
    events, start = events_of(open_retailer), pd.Timestamp(CUT)
    inside = events[(events["ts"] >= start) & (events["ts"] < start + pd.Timedelta(days=20))]
    inside = inside[inside["type"].isin(NEXT.events)]
    places = inside["type"].map({event: place for place, event in enumerate(NEXT.events)})
    ordered = inside.assign(place=places).sort_values(["ts", "place"]).drop_duplicates("customer_id")
    expected = dict(zip(ordered["customer_id"], ordered["place"], strict=True))
    found = TrainingTables(open_retailer).first_actions(NEXT, CUT)
    assert found.to_dict() == {customer: expected.get(customer, 3) for customer in found.index}
    assert found.nunique() >= 3


def test_an_outcome_of_the_shops_own_is_scored_and_explained(trained: Path, open_retailer: Warehouse) -> None:
    propensities = Propensities(open_retailer, trained)
    asked = TrainingTables(open_retailer).eligible(QUIET.eligible, open_retailer.as_of)
    scores = propensities.scores("quiet_21d")
    assert sorted(scores.index) == sorted(asked)
    explained = propensities.explain(list(asked[:30]), "quiet_21d")
    assert explained.outcome == QUIET
    assert explained.scores.between(0, 1, inclusive="neither").all()
    others = [c for c in open_retailer.features().index if c not in set(asked)]
    with pytest.raises(NotFoundError, match="quiet_21d is asked of customers with purchase in the last 60"):
        propensities.explain(others, "quiet_21d")


def test_the_answers_of_a_next_action_add_up_to_one(trained: Path, open_retailer: Warehouse) -> None:
    registry = Registry(trained)
    names = [outcome.name for outcome in answers(NEXT)]
    assert names == ["next_20d:purchase", "next_20d:coupon_redeem", "next_20d:return", "next_20d:none"]
    assert set(names) <= set(registry.outcomes())
    total = sum(registry.scores(name) for name in names)
    assert total.to_numpy() == pytest.approx(1, abs=1e-5)
    cards = {card.outcome: card for card in registry.cards()}
    own = [cards[name].auc for name in names if name in cards]
    assert cards["next_20d"].auc == pytest.approx(np.mean(own))
    explained = Propensities(open_retailer, trained).explain(list(total.index[:20]), "next_20d:none")
    assert explained.card.outcome == "next_20d:none"


def test_an_outcome_no_longer_declared_has_no_model(trained: Path, open_retailer: Warehouse) -> None:
    registry = Registry(trained)
    registry.finish(["quiet_21d"])
    assert "next_20d:none" not in registry.outcomes()
    assert "quiet_21d" in registry.outcomes()


def test_a_version_of_another_declaration_is_not_put_back(
    trained: Path, open_retailer: Warehouse, tmp_path: Path
) -> None:
    registry = Registry(shutil.copytree(trained, tmp_path / "models"))
    soup = replace(QUIET, items=SOUP.items)

    def back(*declared: Outcome) -> int:
        return Trainer(TrainingTables(open_retailer), registry, "code", declared).back("quiet_21d").number

    Versions(registry).offer(replace(registry.candidate("quiet_21d"), asked=to_json(soup)))
    for declared in ((soup,), ()):
        with pytest.raises(NotFoundError, match="Version 1 of quiet_21d was made for another declaration"):
            back(*declared)
    assert registry.candidate("quiet_21d").asked == to_json(soup)
    assert back(QUIET) == 1
    assert registry.candidate("quiet_21d").asked == to_json(QUIET)
    assert back(soup) == 2


def test_a_horizon_longer_than_the_history_names_the_outcome(
    open_retailer: Warehouse, tmp_path: Path
) -> None:
    year = Outcome("year", "purchase", 180)
    with pytest.raises(DataError, match="'year' looks 180 days ahead"):
        train_all(TrainingTables(open_retailer), tmp_path, outcomes=["year"], declared=(year,))


def classes(seed: int) -> list[Snapshot]:
    """Snapshots whose label is 0 where `a` is large, 1 where `b` is, else mostly 2."""
    found = []
    for snapshot in snapshots(seed=seed):
        random = np.random.default_rng(seed + snapshot.as_of.toordinal())
        margins = np.column_stack([2 * snapshot.features["a"], 2 * snapshot.features["b"], np.zeros(400)])
        drawn = (margins + random.gumbel(size=margins.shape)).argmax(axis=1)
        found.append(Snapshot(snapshot.as_of, snapshot.features, pd.Series(drawn, CUSTOMER_IDS)))
    return found


def test_a_next_action_model_learns_which_comes_first_and_explains_it() -> None:
    model = train_next(classes(0), 30, ["x", "y", "z"])
    held = classes(100)[0]
    said = model.predict_all(held.features)
    assert held.labels is not None
    truth = said.to_numpy()[np.arange(400), held.labels.to_numpy()]
    shares = held.labels.value_counts(normalize=True)
    assert -np.log(truth).mean() < float(-(shares * np.log(shares)).sum()) - 0.2
    again = load(model.to_bytes())
    assert isinstance(again, NextActionModel)
    pd.testing.assert_frame_equal(again.predict_all(held.features), said)
    values = model.answer("x").contributions(held.features)
    assert values.abs().mean().idxmax() == "a"
    with pytest.raises(NotFoundError, match="known ones are x, y, z"):
        model.answer("w")
