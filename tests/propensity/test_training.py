"""Training on a small retailer: resumable, tested on a cut that no choice has seen, and not done twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from propensity import training
from propensity.candidate import Card
from propensity.category_training import learned_categories
from propensity.evaluate import Evaluation, evaluate
from propensity.matrices import Matrices
from propensity.model import PropensityModel, Settings, train
from propensity.outcomes import CUSTOMER_OUTCOMES, POOLED
from propensity.plan import temporal_plan
from propensity.registry import Registry
from propensity.training import train_all
from propensity.versions import Versions
from segments.errors import NotBuiltError
from segments.ports import Outcome, Snapshot
from tests.conftest import CATEGORIES, loader
from tests.propensity.conftest import CUSTOMER_IDS, altered, retailer_source, sample_card, save
from warehouse.history import TrainingTables
from warehouse.store import Warehouse, build

ALL = ("purchase_14d", "purchase_30d", "coupon_redeem_30d", POOLED)
STOP = "purchase_30d: testing"
FIGURES = ("customers", "positives", "auc", "auc_low", "auc_high", "ece", "brier", "lift_top_decile")


class Stopped(Exception):
    """What a person's Ctrl-C is to a build."""


class Story(NamedTuple):
    """A training that was stopped in the second model, resumed, and called once more.

    tested: what the second model and its baseline said of the customers of the test cut.
    """

    folder: Path
    after_stop: dict[str, bytes]
    resumed: list[str]
    shares: list[float]
    again: list[str]
    cards: list[Card]
    tested: list[np.ndarray]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def watched(patch: pytest.MonkeyPatch) -> list[list[np.ndarray]]:
    """The scores and the baseline's of each test that is run from now on."""
    seen: list[list[np.ndarray]] = []

    def watch(labels: np.ndarray, *scores: np.ndarray) -> Evaluation:
        seen.append(list(scores))
        return evaluate(labels, *scores)

    patch.setattr(training.ev, "evaluate", watch)
    return seen


@pytest.fixture(scope="module")
def open_retailer(retailer: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse(retailer)
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def story(open_retailer: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("training") / "models"
    tables = TrainingTables(open_retailer)

    def stop(_share: float, what: str) -> None:
        if what.startswith(STOP):
            raise Stopped

    with pytest.raises(Stopped):
        train_all(tables, folder, stop)
    after_stop = contents(folder)
    resumed: list[tuple[float, str]] = []
    with pytest.MonkeyPatch.context() as patch:
        tested = watched(patch)
        cards = train_all(tables, folder, lambda share, what: resumed.append((share, what)))
    again: list[str] = []
    train_all(TrainingTables(open_retailer), folder, lambda _share, what: again.append(what))
    said, shares = [what for _, what in resumed], [share for share, _ in resumed]
    return Story(folder, after_stop, said, shares, again, cards, tested[0])


def trained(messages: list[str]) -> set[str]:
    """The models that were worked on, by the first word of each message."""
    return {what.split(":")[0] for what in messages if ":" in what}


def test_what_was_finished_before_the_stop_stays(story: Story) -> None:
    assert {name.split(".")[0] for name in story.after_stop} == {"purchase_14d"}
    now = contents(story.folder)
    assert {name: now[name] for name in story.after_stop} == story.after_stop


def test_the_second_call_trains_only_the_rest(story: Story) -> None:
    assert trained(story.resumed) == {"purchase_30d", "coupon_redeem_30d", "category model"}
    assert {card.model for card in story.cards} == set(ALL)


def test_the_third_call_trains_nothing(story: Story) -> None:
    assert story.again == ["propensity models ready"]


def test_progress_never_goes_back(story: Story) -> None:
    assert story.shares == sorted(story.shares)
    assert story.shares[0] >= 0
    assert story.shares[-1] == 1.0


def test_every_card_keeps_its_stages_apart(story: Story, open_retailer: Warehouse) -> None:
    plan = temporal_plan(TrainingTables(open_retailer).first_day, open_retailer.as_of)
    for card in story.cards:
        test = date.fromisoformat(card.test_cut)
        assert test == plan.test
        assert set(card.validation_cuts) <= set(card.train_cuts)
        assert all(date.fromisoformat(cut) + timedelta(days=30) <= test for cut in card.train_cuts)
        served = max(date.fromisoformat(cut) for cut in card.served_cuts)
        assert test < served <= open_retailer.as_of - timedelta(days=30)
        assert card.scored_as_of == open_retailer.as_of.isoformat()


def test_scores_are_probabilities_of_every_customer(story: Story, open_retailer: Warehouse) -> None:
    registry = Registry(story.folder)
    assert {f"purchase_30d:{category}" for category in CATEGORIES} <= set(registry.outcomes())
    for outcome in registry.outcomes():
        scores = registry.scores(outcome)
        assert scores.between(0, 1, inclusive="neither").all()
        assert sorted(scores.index) == sorted(open_retailer.features().index)


def test_the_level_in_use_is_drawn_to_the_rate_of_the_last_weeks(
    story: Story, open_retailer: Warehouse
) -> None:
    tables = TrainingTables(open_retailer)
    matrices, asked = Matrices(tables), CUSTOMER_OUTCOMES[1]
    last = tables.as_of - timedelta(days=30)
    rates = [tables.labels(asked, last - timedelta(weeks=week)).mean() for week in range(4)]
    assert matrices.recent_rate(asked, tables.as_of) == pytest.approx(np.mean(rates))
    model = Registry(story.folder).model("purchase_30d")
    assert isinstance(model, PropensityModel)
    level = model.calibrator
    assert level.recent is not None
    log_odds = model.log_odds(matrices.customers(tables.as_of))
    assert replace(level, offset=level.recent)(log_odds).mean() == pytest.approx(np.mean(rates), abs=1e-3)


def test_the_pooled_card_is_the_mean_of_its_categories(story: Story) -> None:
    pooled = next(card for card in story.cards if card.outcome == POOLED)
    own = [card for card in story.cards if card.model == POOLED and card.outcome != POOLED]
    assert pooled.categories == len(own) == len(CATEGORIES)
    for name in ("auc", "ece", "brier", "baseline_auc", "baseline_ece"):
        mean = sum(getattr(card, name) for card in own) / len(own)
        assert getattr(pooled, name) == pytest.approx(mean), name
    assert pooled.auc_low < pooled.auc < pooled.auc_high


def card_after(path: Path, folder: Path) -> Card:
    """The card of purchase_30d trained on a warehouse file."""
    warehouse = Warehouse(path)
    try:
        return train_all(TrainingTables(warehouse), folder / "models", outcomes=("purchase_30d",))[0]
    finally:
        warehouse.close()


def test_what_comes_after_the_tests_labels_changes_no_figure(
    story: Story, retailer: Path, tmp_path: Path
) -> None:
    first = Registry(story.folder).card("purchase_30d")
    end = date.fromisoformat(first.test_cut) + timedelta(days=30)
    second = card_after(altered(retailer, tmp_path, f"DELETE FROM events WHERE ts >= '{end}'"), tmp_path)
    assert second.data_hash != first.data_hash
    for name in (*FIGURES, "rounds", "calibration", "baseline_auc"):
        assert getattr(second, name) == pytest.approx(getattr(first, name)), name


def test_what_happens_from_the_test_cut_on_changes_no_score_there(
    story: Story, retailer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Registry(story.folder).card("purchase_30d")
    drop = f"DELETE FROM events WHERE ts >= '{first.test_cut}' AND rowid % 3 <> 0"
    tested = watched(monkeypatch)
    second = card_after(altered(retailer, tmp_path, drop), tmp_path)
    assert second.positives < first.positives
    for before, after in zip(story.tested, tested[0], strict=True):
        assert after == pytest.approx(before, abs=1e-6)
    assert (second.rounds, second.calibration) == (first.rounds, first.calibration)


def test_new_code_trains_again(
    story: Story, open_retailer: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "code_version", lambda: "newer")
    seen: list[str] = []

    def stop(_share: float, what: str) -> None:
        seen.append(what)
        raise Stopped

    with pytest.raises(Stopped):
        train_all(TrainingTables(open_retailer), story.folder, stop)
    assert trained(seen) == {"purchase_14d"}


def test_only_what_is_asked_for_is_trained(story: Story, open_retailer: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError):
        train_all(TrainingTables(open_retailer), tmp_path, outcomes=())
    cards = train_all(TrainingTables(open_retailer), story.folder, outcomes=("purchase_30d:SOUP",))
    assert cards == story.cards, "it was there already"


CHANGES = {
    "a value": "UPDATE events SET value = value + 0.01 WHERE rowid = 5",
    "an event less": "DELETE FROM events WHERE rowid = 5",
    "another item": """UPDATE events SET item_id = CASE item_id WHEN 'i1' THEN 'i2' WHEN 'i2' THEN 'i1'
                       ELSE item_id END""",
    "another hour": "UPDATE events SET ts = date_trunc('day', ts) + INTERVAL 3 HOUR",
    "a discount": "UPDATE events SET discount = discount * 3",
    "a customer's age": "UPDATE customers SET age = '65+'",
    "an item's category": "UPDATE items SET category = 'SOUP' WHERE item_id = 'i1'",
    "an item's brand": "UPDATE items SET brand = 'Private' WHERE item_id = 'i1'",
    "a campaign's end": "UPDATE campaigns SET end_date = DATE '2017-11-30' WHERE campaign_id = '2'",
}


@pytest.mark.parametrize("change", CHANGES)
def test_models_are_out_of_date_when_the_data_changed(
    open_retailer: Warehouse, retailer: Path, tmp_path: Path, change: str
) -> None:
    before = TrainingTables(open_retailer).data_hash
    warehouse = Warehouse(altered(retailer, tmp_path, CHANGES[change]))
    try:
        assert TrainingTables(warehouse).data_hash != before
    finally:
        warehouse.close()


def test_the_same_data_has_the_same_hash(open_retailer: Warehouse, retailer: Path, tmp_path: Path) -> None:
    warehouse = Warehouse(altered(retailer, tmp_path))
    try:
        assert TrainingTables(warehouse).data_hash == TrainingTables(open_retailer).data_hash
    finally:
        warehouse.close()


def test_a_retailer_without_item_categories_has_no_category_model(
    tmp_path: Path, model: PropensityModel
) -> None:
    source = retailer_source()
    source["items"]["category"] = pd.Series([None] * len(source["items"]), dtype="string")
    warehouse = Warehouse(build(tmp_path, loader(source)))
    try:
        tables = TrainingTables(warehouse)
        assert tables.categories == ()
        done = sample_card("purchase_14d", data_hash=tables.data_hash, code_version=training.code_version())
        scores = pd.DataFrame({"purchase_14d": 0.5}, CUSTOMER_IDS)
        save(tmp_path / "models", "purchase_14d", model, scores, [done])
        assert train_all(tables, tmp_path / "models", outcomes=("purchase_14d", POOLED)) == [done]
    finally:
        warehouse.close()


def test_where_no_category_was_bought_in_the_test_there_is_no_category_model(
    retailer: Path, tmp_path: Path
) -> None:
    """As in data whose goods are only known until some day."""
    test = temporal_plan(date(2017, 5, 20), date(2018, 1, 1)).test
    unknown = f"UPDATE events SET item_id = 'unknown' WHERE ts >= '{test}'"
    warehouse, said = Warehouse(altered(retailer, tmp_path / "data", unknown)), []
    cards = train_all(
        TrainingTables(warehouse),
        tmp_path / "models",
        lambda _share, what: said.append(what),
        [POOLED, "purchase_30d"],
    )
    assert {card.model for card in cards} == {"purchase_30d"}
    assert any(what.startswith("category model: the data has no such purchases") for what in said)


def test_categories_learned_from_are_the_largest_and_some_of_the_rest() -> None:
    names = [f"C{i}" for i in range(300)]
    chosen = learned_categories(names)
    assert chosen[:25] == names[:25]
    assert len(chosen) == len(set(chosen)) == 40
    assert names.index(chosen[-1]) > 250
    assert learned_categories(names[:10]) == names[:10]
    assert learned_categories(names[:30]) == names[:30]


def test_the_card_says_what_the_served_model_is(story: Story) -> None:
    registry = Registry(story.folder)
    for card in story.cards:
        model = registry.model(card.outcome)
        assert (model.rounds, model.calibrator.kind) == (card.rounds, card.calibration)
        assert model.features == card.features


def test_a_worse_model_is_refused_and_the_one_before_scores_today(
    story: Story, open_retailer: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(story.folder, folder)
    registry, versions = Registry(folder), Versions(Registry(folder))
    before = registry.candidate("purchase_14d")
    tables = TrainingTables(open_retailer)
    monkeypatch.setattr(training, "code_version", lambda: "worse")

    def from_wrong_labels(
        asked: Outcome, snapshots: list[Snapshot], settings: Settings, _encoder: bytes
    ) -> PropensityModel:
        wrong = [replace(each, labels=1 - each.labels) for each in snapshots if each.labels is not None]
        return train(wrong, asked.horizon_days, settings)

    monkeypatch.setattr(training, "learn", from_wrong_labels)
    train_all(tables, folder, outcomes=("purchase_14d",))
    first, second = versions.of("purchase_14d")
    assert (first.status, second.status) == ("in use", "refused")
    assert "worse than the model in use beyond chance" in second.contest.words
    assert second.code_version == "worse"
    kept = registry.candidate("purchase_14d")
    assert (kept.model, kept.cards) == (before.model, before.cards)
    assert kept.scores["purchase_14d"].to_numpy() == pytest.approx(before.scores["purchase_14d"].to_numpy())
    again: list[str] = []
    train_all(tables, folder, lambda _share, what: again.append(what), outcomes=("purchase_14d",))
    assert again == ["propensity models ready"], "what was refused is not trained again"


def test_back_to_an_earlier_version_stays_until_something_changes(
    story: Story, open_retailer: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(story.folder, folder)
    tables = TrainingTables(open_retailer)
    first = Registry(folder).model("purchase_14d").to_bytes()
    monkeypatch.setattr(training, "code_version", lambda: "newer")
    monkeypatch.setattr(training, "CUSTOMERS", replace(training.CUSTOMERS, learning_rate=0.04))
    train_all(tables, folder, outcomes=("purchase_14d",))
    assert [v.status for v in Versions(Registry(folder)).of("purchase_14d")] == ["replaced", "in use"]
    assert Registry(folder).model("purchase_14d").to_bytes() != first
    back = training.Trainer(tables, Registry(folder), "newer").back("purchase_14d")
    assert (back.number, back.status) == (1, "in use")
    assert Registry(folder).model("purchase_14d").to_bytes() == first
    train_all(tables, folder, outcomes=("purchase_14d",))
    assert Registry(folder).model("purchase_14d").to_bytes() == first
