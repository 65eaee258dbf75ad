"""Scores, drivers and cards of the demo workspace, and what is said before anything is trained."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assistant import scoring
from assistant.scoring import DRIVERS, GROUPS, Explained, Propensities
from propensity.alike import alike_activity
from propensity.candidate import Card
from propensity.dataset import category_matrix, customer_matrix
from propensity.model import PropensityModel
from propensity.registry import Registry
from segments.errors import NotBuiltError, NotFoundError
from segments.ports import Figure
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

BABY = "purchase_30d:BABY FOODS"
OUTCOMES = ("purchase_14d", "purchase_30d", "coupon_redeem_30d", BABY)


@pytest.fixture(scope="module")
def registry(demo_folder: Path) -> Registry:
    return Registry(demo_folder / "models")


@pytest.fixture(scope="module")
def propensities(demo_warehouse: Warehouse, demo_folder: Path) -> Propensities:
    return Propensities(demo_warehouse, demo_folder / "models")


@pytest.fixture(scope="module")
def everyone(demo_warehouse: Warehouse) -> list[str]:
    return list(demo_warehouse.features().index)


@pytest.fixture(scope="module")
def loyal(demo_warehouse: Warehouse) -> list[str]:
    """The 300 who bought most often in the last quarter."""
    return list(demo_warehouse.features()["orders_90d"].nlargest(300).index)


@pytest.fixture(scope="module")
def lapsed(demo_warehouse: Warehouse) -> list[str]:
    """The 300 who have been away longest."""
    return list(demo_warehouse.features()["recency_days"].nlargest(300).index)


@pytest.fixture(scope="module")
def matrices(demo_warehouse: Warehouse) -> dict[str, pd.DataFrame]:
    """What the models see on the demo's day, by outcome."""
    tables, day = TrainingTables(demo_warehouse), demo_warehouse.as_of
    customers = customer_matrix(tables.features(day), tables.extra(day), tables.catalogue)
    panel, activity = tables.category_panel(["BABY FOODS"], day), tables.category_activity(day)
    alike = alike_activity(tables.item_purchases(day), activity)
    babies = category_matrix(customers, panel, activity, alike, ["BABY FOODS"], tables.catalogue)
    babies = babies.droplevel("category")
    return dict.fromkeys(OUTCOMES[:3], customers) | {BABY: babies}


def by_name(explained: Explained) -> dict[str, Figure]:
    return {figure.name: figure for figure in explained.figures()}


def log_odds(model: PropensityModel, matrix: pd.DataFrame) -> pd.Series:
    return pd.Series(model.log_odds(matrix), matrix.index)


KEY_NOISE = 0.003
"""Pseudonyms differ between workspaces, and with them the order of the rows that bagging draws from: the same data
gave 0.8715 and 0.8733 for purchase_30d under two keys."""


@pytest.mark.parametrize(
    ("outcome", "least"),
    [("purchase_14d", 0.85), ("purchase_30d", 0.87), ("coupon_redeem_30d", 0.905), (BABY, 0.915)],
)
def test_the_demo_models_are_as_good_as_asked(registry: Registry, outcome: str, least: float) -> None:
    card = registry.card(outcome)
    assert card.outcome == outcome
    assert card.auc >= least - KEY_NOISE
    assert card.auc_low < card.auc < card.auc_high
    assert card.auc >= card.baseline_auc - KEY_NOISE


def test_every_demo_card_is_tested_in_november_and_trained_before_october(registry: Registry) -> None:
    cards: list[Card] = registry.cards()
    assert len(cards) > 50
    for card in cards:
        assert card.test_cut == "2017-11-01"
        assert max(card.train_cuts) < "2017-10-01"
        assert set(card.validation_cuts) <= set(card.train_cuts)
        assert date.fromisoformat(card.scored_as_of) == date(2018, 1, 1)


def test_scores_are_probabilities_of_every_customer(registry: Registry, everyone: list[str]) -> None:
    outcomes = registry.outcomes()
    assert set(OUTCOMES) <= set(outcomes)
    assert len(outcomes) > 200
    for outcome in (*OUTCOMES, *outcomes[::10]):
        scores = registry.scores(outcome)
        assert scores.between(0, 1, inclusive="neither").all(), outcome
        assert sorted(scores.index) == everyone, outcome


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_saved_scores_are_what_the_model_says_today(
    registry: Registry, matrices: dict[str, pd.DataFrame], outcome: str
) -> None:
    now = registry.model(outcome).predict(matrices[outcome])
    pd.testing.assert_series_equal(
        registry.scores(outcome).sort_index().astype("float64"), now, check_names=False, atol=1e-6
    )


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_drivers_add_up_to_the_difference_in_log_odds(
    propensities: Propensities,
    registry: Registry,
    matrices: dict[str, pd.DataFrame],
    loyal: list[str],
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
) -> None:
    monkeypatch.setattr(scoring, "DRIVERS", len(GROUPS))
    monkeypatch.setattr(scoring, "LEAST_EFFECT", 0.0)
    drivers = propensities.explain(loyal, outcome).drivers
    raw = log_odds(registry.model(outcome), matrices[outcome])
    assert sum(effect for *_, effect in drivers) == pytest.approx(raw[loyal].mean() - raw.mean(), abs=1e-6)
    assert len({name for name, *_ in drivers}) == len(drivers) > DRIVERS


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_figures_are_sane(propensities: Propensities, loyal: list[str], outcome: str) -> None:
    explained = propensities.explain(loyal, outcome)
    figures = by_name(explained)
    assert len(figures) == len(explained.figures())
    assert all(figure.label_en and figure.label_zh for figure in figures.values())
    assert all(
        math.isfinite(figure.value) for figure in figures.values() if not isinstance(figure.value, str)
    )
    values = {name: figure.value for name, figure in figures.items()}
    for name in ("probability", "everyone", "p10", "p90"):
        assert 0 < values[name] < 1
    assert values["p10"] <= values["probability"] <= values["p90"]
    assert values["lift"] == pytest.approx(values["probability"] / values["everyone"])
    expected = figures["expected"]
    assert expected.low is not None
    assert expected.high is not None
    assert 0 <= expected.low <= expected.value <= expected.high <= len(loyal)
    assert expected.value == pytest.approx(values["probability"] * len(loyal), abs=0.5)
    assert (values["auc"], values["test_cut"]) == (explained.card.auc, "2017-11-01")


def test_the_expected_interval_holds_what_chance_makes_of_it(
    propensities: Propensities, lapsed: list[str]
) -> None:
    explained = propensities.explain(lapsed, "purchase_30d")
    expected = by_name(explained)["expected"]
    random = np.random.default_rng(1)
    drawn = (random.random((4000, len(lapsed))) < explained.scores.to_numpy()).sum(axis=1)
    inside = np.mean((drawn >= expected.low) & (drawn <= expected.high))
    assert 0.89 <= inside <= 0.96


def test_one_customer_has_an_interval_within_one(propensities: Propensities, loyal: list[str]) -> None:
    expected = by_name(propensities.explain(loyal[:1], "purchase_30d"))["expected"]
    assert (expected.low, expected.high) == (0, 1)


@pytest.mark.parametrize("outcome", ["purchase_30d", BABY])
def test_everyone_is_not_set_apart_from_everyone(
    propensities: Propensities, everyone: list[str], outcome: str
) -> None:
    explained = propensities.explain(everyone, outcome)
    assert by_name(explained)["lift"].value == pytest.approx(1)
    assert all(effect == pytest.approx(0, abs=1e-9) for *_, effect in explained.drivers)


def test_who_comes_often_comes_again_and_rhythm_says_why(
    propensities: Propensities, loyal: list[str], lapsed: list[str]
) -> None:
    often, seldom = (propensities.explain(members, "purchase_30d") for members in (loyal, lapsed))
    assert often.scores.mean() > often.everyone > seldom.scores.mean()
    assert (often.drivers[0][0], seldom.drivers[0][0]) == ("rhythm", "rhythm")
    assert often.drivers[0][3] > 0 > seldom.drivers[0][3]


def test_the_strongest_drivers_come_first_in_both_languages(
    propensities: Propensities, loyal: list[str]
) -> None:
    explained = propensities.explain(loyal, "purchase_30d:baby foods")
    strengths = [abs(effect) for *_, effect in explained.drivers]
    assert strengths == sorted(strengths, reverse=True)
    assert 0 < len(strengths) <= DRIVERS
    assert min(strengths) >= scoring.LEAST_EFFECT
    rows = explained.rows()
    assert all(row["words"] and row["words_zh"] and row["words"] != row["words_zh"] for row in rows)
    assert {row["driver"] for row in rows} <= {name for name, *_ in GROUPS}


def test_a_wrong_outcome_is_answered_with_the_right_ones(
    propensities: Propensities, loyal: list[str]
) -> None:
    with pytest.raises(NotFoundError, match="Did you mean BABY FOODS"):
        propensities.explain(loyal, "purchase_30d:BABY FOOD")
    with pytest.raises(NotFoundError, match="purchase_14d, purchase_30d, coupon_redeem_30d"):
        propensities.scores("churn")


def test_before_training_nothing_can_be_answered(small_warehouse: Warehouse, tmp_path: Path) -> None:
    untrained = Propensities(small_warehouse, tmp_path)
    assert untrained.outcomes == ()
    with pytest.raises(NotBuiltError, match=r"segassist build$"):
        untrained.explain(["anyone"], "purchase_30d")
    with pytest.raises(NotBuiltError, match=r"segassist build$"):
        scoring.cards(tmp_path)
