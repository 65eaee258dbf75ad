"""A comparison decides what a build trains; every family can be kept, explained, put in use and taken back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from assistant.scoring import chosen_families
from propensity.choices import Choice, Choices, by_hand, chosen, trained_by
from propensity.compare import compare
from propensity.evaluate import auc, ece
from propensity.families import FAMILIES, NAMED, searched
from propensity.family_model import FamilyModel, train_family
from propensity.learned import Network
from propensity.model import BLEND, BOOSTED, COUPONS, CUSTOMERS, train
from propensity.model_card import build_card, family, to_html
from propensity.normal_scores import NormalScores
from propensity.registry import Registry
from propensity.served import load
from propensity.training import settings_of, train_all
from propensity.versions import Versions
from segments.errors import DataError
from serving.cli import app
from tests.propensity.conftest import sample_card, snapshot, snapshots
from tests.propensity.test_compare import planted
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

LATER = snapshot(date(2018, 1, 1), 99)
NAME = "purchase_14d"
UNBOOSTED = [each.name for each in FAMILIES if each.name not in (BOOSTED, BLEND)]


@pytest.fixture(scope="module", params=UNBOOSTED)
def made(request: pytest.FixtureRequest) -> FamilyModel:
    return train_family(snapshots(), 30, replace(CUSTOMERS, family=request.param))


def test_every_family_learns_what_was_planted(made: FamilyModel) -> None:
    assert LATER.labels is not None
    labels, scores = LATER.labels.to_numpy(), made.predict(LATER.features).to_numpy()
    assert (
        auc(labels, scores) > auc(labels, (1.5 * LATER.features["a"] - LATER.features["b"]).to_numpy()) - 0.06
    )
    assert ece(labels, scores) < 0.1


def test_every_family_comes_back_from_its_bytes(made: FamilyModel) -> None:
    again = load(made.to_bytes())
    assert isinstance(again, FamilyModel)
    assert (again.family, again.features, again.calibrator) == (made.family, made.features, made.calibrator)
    pd.testing.assert_series_equal(again.predict(LATER.features), made.predict(LATER.features))


def test_every_family_explains_itself_in_log_odds(made: FamilyModel) -> None:
    values = made.contributions(LATER.features)
    rest = made.log_odds(LATER.features) - values.sum(axis=1).to_numpy()
    assert np.ptp(rest) < 1e-5, "the columns' shares and a constant are all there is"
    assert values.abs().mean().idxmax() == "a"


def test_a_refitted_family_has_the_calibration_of_before(made: FamilyModel) -> None:
    again = made.refitted([*snapshots(), LATER], CUSTOMERS)
    assert (again.family, again.calibrator) == (made.family, made.calibrator)
    assert not np.array_equal(again.log_odds(LATER.features), made.log_odds(LATER.features))
    assert family(again) == NAMED[made.family].words


def test_a_network_that_is_a_line_has_the_line_s_shares() -> None:
    matrix = LATER.features.to_numpy("float32")
    scale = NormalScores.fit(matrix)
    line = np.array([[1.0], [-2.0], [0.5], [0.0], [3.0]])
    layers = ((np.hstack([line, -line]), np.zeros(2)), (np.array([[1.0], [-1.0]]), np.array([0.7])))
    network = Network(scale, layers)
    assert network.contributions(matrix) == pytest.approx(scale.of(matrix) * line.T)
    assert network.log_odds(matrix) == pytest.approx((scale.of(matrix) @ line)[:, 0] + 0.7)


def test_the_comparison_s_choice_is_what_is_written_and_read(tmp_path: Path) -> None:
    found = compare(planted(crossed=False), 30, [NAMED[name] for name in ("logistic", "tree", BOOSTED)])
    choice = chosen(NAME, found, None)
    Choices(tmp_path).keep(choice)
    assert Choices(tmp_path).of(NAME) == choice
    assert Choices(tmp_path).all() == (choice,)
    assert (choice.family, choice.words) == (found.chosen, found.verdict)
    assert {row["family"] for row in choice.rows} == {"logistic", "tree", BOOSTED}
    assert Choices(tmp_path).drop(NAME)
    assert Choices(tmp_path).of(NAME) is None
    assert not Choices(tmp_path).drop(NAME)


def test_a_family_on_sequences_is_chosen_where_it_is_ahead_and_keeps_its_steps() -> None:
    cuts = planted(crossed=True)
    told = [replace(s, features=pd.DataFrame({"product": s.features["a"] * s.features["b"]})) for s in cuts]
    families = [NAMED["naive_bayes"], NAMED["logistic"], NAMED["lstm"]]
    found = compare(cuts, 30, families, others={"lstm": told})
    assert found.chosen == found.rows[0].family == "lstm"
    choice = chosen(NAME, found, None, 70)
    settings = trained_by(choice, CUSTOMERS)
    assert (settings.family, settings.steps, settings.folds) == ("lstm", 70, CUSTOMERS.folds)


def test_a_family_on_sequences_that_is_not_ahead_is_not_chosen() -> None:
    cuts = planted(crossed=False)
    blind = [replace(s, features=pd.DataFrame({"none": 0.0 * s.features["a"]})) for s in cuts]
    found = compare(cuts, 30, [NAMED["logistic"], NAMED["lstm"]], others={"lstm": blind})
    assert found.chosen == "logistic"


def test_searched_settings_are_kept_with_the_choice() -> None:
    tuned = replace(CUSTOMERS, num_leaves=13, learning_rate=0.05)
    found = compare(planted(crossed=True), 30, [searched(tuned)], folds=1)
    choice = chosen(NAME, found, tuned)
    assert choice.family == BOOSTED
    settings = trained_by(choice, CUSTOMERS)
    assert (settings.num_leaves, settings.learning_rate) == (13, 0.05)


@pytest.mark.parametrize("base", [CUSTOMERS, COUPONS])
def test_the_default_chosen_is_the_default(base) -> None:
    assert trained_by(by_hand(NAME, base.family), base) == base
    other = trained_by(by_hand(NAME, "forest"), base)
    assert (other.family, other.step_days, other.folds) == ("forest", base.step_days, base.folds)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"outcome": "purchase_14d"}',
        json.dumps(by_hand(NAME, "svm").to_dict() | {"family": "oracle"}),
    ],
)
def test_a_damaged_choice_is_told_with_the_way_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "choices").mkdir()
    (tmp_path / "choices" / f"{NAME}.json").write_text(text)
    for ask in (lambda: Choices(tmp_path).of(NAME), lambda: chosen_families(tmp_path)):
        with pytest.raises(DataError, match=f"damaged.*segassist models choose {NAME} default"):
            ask()


def test_a_family_that_there_is_not_is_told() -> None:
    with pytest.raises(DataError, match=r"family: 'oracle' is not one of naive_bayes, .*, or default"):
        by_hand(NAME, "oracle")


@pytest.fixture(scope="module")
def open_retailer(retailer: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse(retailer)
    yield warehouse
    warehouse.close()


def test_a_build_trains_the_chosen_family_and_the_default_again_when_it_is_taken_back(
    open_retailer: Warehouse, tmp_path: Path
) -> None:
    tables, heard = TrainingTables(open_retailer), []

    def train_it() -> str:
        heard.clear()
        train_all(tables, tmp_path, lambda _share, what: heard.append(what), [NAME])
        return Versions(Registry(tmp_path)).of(NAME)[-1].status

    train_it()
    assert Registry(tmp_path).card(NAME).family == BOOSTED
    Choices(tmp_path).keep(by_hand(NAME, BOOSTED))
    train_it()
    assert heard == ["propensity models ready"], "the default chosen is no reason to train again"
    Choices(tmp_path).keep(by_hand(NAME, "naive_bayes"))
    status = train_it()
    left = Versions(Registry(tmp_path)).registry_of(Versions(Registry(tmp_path)).of(NAME)[-1])
    assert (left.card(NAME).family, left.card(NAME).rounds) == ("naive_bayes", 0)
    assert Registry(tmp_path).card(NAME).family == ("naive_bayes" if status == "in use" else BOOSTED)
    train_it()
    assert heard == ["propensity models ready"]
    Choices(tmp_path).drop(NAME)
    train_it()
    assert heard[0].startswith(NAME), "it is looked at again"
    assert Registry(tmp_path).card(NAME).family == BOOSTED


def test_the_card_says_which_rivals_were_behind_and_by_how_much() -> None:
    found = compare(planted(crossed=True), 30, [NAMED["logistic"], NAMED[BOOSTED]], folds=2)
    choice = chosen(NAME, found, None)
    assert choice.family == BOOSTED
    tested = pd.DataFrame({"score": [0.2, 0.8] * 50, "label": [0, 1] * 50})
    groups, drivers = pd.DataFrame(index=tested.index), pd.Series({"a": 1.0})

    def page(choice: Choice | None, used: str) -> str:
        return to_html(
            build_card(sample_card(NAME, family=used), "LightGBM", tested, groups, drivers, choice)
        )

    said = page(choice, BOOSTED)
    behind = next(row for row in found.rows if row.family == "logistic")
    assert f"{behind.behind:+.4f} ({behind.behind_low:+.4f} to {behind.behind_high:+.4f})" in said
    assert "better than every simpler family beyond chance" in said
    assert "of another family" not in said
    assert "The model in use is of another family: the next build trains this one." in page(choice, "svm")
    assert "No families were compared for this outcome" in page(None, BOOSTED)


def test_settings_of_an_unknown_choice_are_the_default_s() -> None:
    from propensity.outcomes import CUSTOMER_OUTCOMES

    assert [settings_of(each).family for each in CUSTOMER_OUTCOMES] == [BOOSTED, BOOSTED, BLEND]
    assert train(snapshots(), 30, replace(COUPONS, step_days=21, folds=2)).family == BLEND


def test_the_command_line_compares_keeps_and_takes_back(retailer: Path, tmp_path: Path) -> None:
    shutil.copy(retailer, tmp_path / "warehouse.duckdb")
    (tmp_path / "ready.json").write_text("{}")
    at = ["--workspace", str(tmp_path)]
    said = CliRunner().invoke(app, ["models", "compare", NAME, *at])
    assert said.exit_code == 0, said.output
    choice = Choices(tmp_path / "models").of(NAME)
    assert choice is not None
    assert choice.words in said.stdout
    assert f"The next `segassist build` or `refresh` trains it for {NAME}" in said.stdout
    said = CliRunner().invoke(app, ["models", "choose", NAME, "forest", *at])
    assert "random forest" in said.stdout
    assert Choices(tmp_path / "models").all()[0].family == "forest"
    said = CliRunner().invoke(app, ["models", "choose", NAME, "default", *at])
    assert said.stdout.strip() == f"The next build trains the default for {NAME}."
    assert Choices(tmp_path / "models").all() == ()
    said = CliRunner().invoke(app, ["models", "choose", "purchase_30d:SOUP", "svm", *at])
    assert "has no model of its own" in str(said.exception)
