"""A family on shopping days is built, scored, explained and taken back like any other; its encoder saw nothing later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assistant.scoring import Propensities, chosen_families, reads_sequences
from assistant.sequences import ShoppingDays, sequence_snapshots
from propensity.choices import Choices, by_hand
from propensity.drift import drifts
from propensity.family_model import VECTOR
from propensity.model_card import build_card, family, to_html
from propensity.registry import Registry
from propensity.training import Trainer, code_version, train_all
from propensity.versions import Versions
from segments.errors import InternalError
from segments.ports import Progress
from tests.propensity.conftest import altered
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

NAME = "purchase_14d"


class Watched(ShoppingDays):
    """Notes which trainings were asked for."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        super().__init__(warehouse, folder)
        self.trained: list[tuple[str, date, int]] = []

    def train(self, kind: str, before: date, steps: int, progress: Progress) -> bytes:
        self.trained.append((kind, before, steps))
        return super().train(kind, before, steps, progress)


@pytest.fixture(scope="module")
def open_retailer(retailer: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse(retailer)
    yield warehouse
    warehouse.close()


def choose(models: Path, kind: str, steps: int = 3) -> None:
    Choices(models).keep(replace(by_hand(NAME, kind), settings={"steps": steps}))


@pytest.fixture(scope="module")
def days(open_retailer: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return Watched(open_retailer, tmp_path_factory.mktemp("encoders"))


@pytest.fixture(scope="module")
def models(open_retailer: Warehouse, days: Watched, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 is an LSTM's."""
    folder = tmp_path_factory.mktemp("models")
    choose(folder, "lstm")
    train_all(TrainingTables(open_retailer), folder, outcomes=[NAME], sequences=days)
    return folder


def test_the_chosen_family_is_in_use_with_a_probability_for_everybody(
    models: Path, open_retailer: Warehouse
) -> None:
    card, scores = Registry(models).card(NAME), Registry(models).scores(NAME)
    assert card.family == "lstm"
    assert all(name.startswith(VECTOR) for name in card.features)
    assert set(scores.index) == set(open_retailer.features().index)
    assert scores.between(0, 1).all()
    assert scores.nunique() > 10
    assert card.baseline_auc > 0, "plain RFM is tested beside it as beside every model"


def test_the_encoder_saw_nothing_after_what_its_head_is_calibrated_on(models: Path, days: Watched) -> None:
    card = Registry(models).card(NAME)
    assert days.trained == [("lstm", date.fromisoformat(card.validation_cuts[0]), 3)]


def test_vectors_see_nothing_of_the_day_or_later(
    models: Path, open_retailer: Warehouse, retailer: Path, tmp_path: Path
) -> None:
    model = Registry(models).model(NAME)
    cut = date(2017, 9, 1)
    before = ShoppingDays(open_retailer).vectors(model.encoder, cut)
    changed = Warehouse(altered(retailer, tmp_path, f"DELETE FROM events WHERE ts >= '{cut}'"))
    after = ShoppingDays(changed).vectors(model.encoder, cut)
    changed.close()
    both = before.index.intersection(after.index)
    assert len(both) > 50
    np.testing.assert_allclose(before.loc[both], after.loc[both], atol=1e-5)


def test_it_is_explained_and_watched_as_one_thing(models: Path, open_retailer: Warehouse) -> None:
    told = Propensities(open_retailer, models)
    assert list(told.importance(NAME).index) == ["sequence"]
    best = told.scores(NAME).nlargest(15).index
    explained = told.explain(list(best), NAME)
    assert [driver[0] for driver in explained.drivers] in (["sequence"], [])
    matrix = told.matrix(NAME)
    model = Registry(models).model(NAME)
    pd.testing.assert_series_equal(
        model.predict(matrix),
        told.scores(NAME).loc[matrix.index],
        check_names=False,
        check_dtype=False,
        atol=1e-5,
    )
    moved = drifts(Registry(models).reference(NAME), matrix)
    assert {drift.name for drift in moved} == set(model.features)


def test_its_card_names_the_family(models: Path, open_retailer: Warehouse) -> None:
    registry = Registry(models)
    drivers = Propensities(open_retailer, models).importance(NAME)
    made_by = family(registry.model(NAME))
    content = build_card(
        registry.card(NAME), made_by, registry.tested(NAME), open_retailer.features()[[]], drivers
    )
    assert "LSTM on shopping days" in to_html(content)
    assert set(content["drivers"]) == {"sequence"}


def test_it_scores_a_later_day_and_is_put_back_in_use_with_its_own_encoder(
    models: Path, open_retailer: Warehouse, days: Watched
) -> None:
    tables, registry = TrainingTables(open_retailer), Registry(models)
    first, trained = registry.scores(NAME), len(days.trained)
    choose(models, "transformer")
    assert reads_sequences(models)
    assert chosen_families(models) == (f"{NAME}: transformer {{'steps': 3}}",)
    train_all(tables, models, outcomes=[NAME], sequences=days)
    assert [kind for kind, _, _ in days.trained[trained:]] == ["transformer"]
    choose(models, "lstm")
    trainer = Trainer(tables, registry, code_version(), (), ShoppingDays(open_retailer))
    if registry.card(NAME).family == "lstm":
        assert Versions(registry).of(NAME)[-1].status != "in use", "the second was worse and was refused"
    else:
        trainer.back(NAME, 1)
    assert registry.card(NAME).family == "lstm"
    trainer.rescore(NAME)
    pd.testing.assert_series_equal(registry.scores(NAME), first, atol=1e-5)
    assert len(days.trained) == trained + 1, "nothing is trained to score"


def test_a_build_without_encoders_says_so(models: Path, open_retailer: Warehouse, tmp_path: Path) -> None:
    choose(tmp_path, "lstm")
    with pytest.raises(InternalError, match="needs the sequence encoders"):
        train_all(TrainingTables(open_retailer), tmp_path, outcomes=[NAME])
    assert not reads_sequences(tmp_path / "other")
    with pytest.raises(InternalError, match="needs the sequence encoders"):
        Trainer(TrainingTables(open_retailer), Registry(models), code_version()).rescore(NAME)


def test_a_comparison_s_vectors_are_of_the_same_customers_and_labels(
    open_retailer: Warehouse, days: Watched
) -> None:
    trainer = Trainer(TrainingTables(open_retailer), Registry(Path("unused")), "", ())
    asked = trainer._asked[NAME]
    cuts = [date(2017, 8, day) for day in (1, 15, 29)] + [date(2017, 9, 12), date(2017, 9, 26)]
    snapshots = [trainer._matrices.snapshot(asked, cut) for cut in cuts]
    found = sequence_snapshots(days, snapshots, 14, 2, lambda _title: lambda _done, _what: None)
    assert set(found) == {"lstm", "transformer"}
    for own in found.values():
        for seen, told in zip(own, snapshots, strict=True):
            assert seen.features.index.equals(told.features.index)
            assert seen.features.notna().all().all()
            assert seen.labels is told.labels
