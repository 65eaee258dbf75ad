"""The model: what it learns, explains, writes and refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from propensity.calibrate import RECENT
from propensity.evaluate import auc, ece
from propensity.model import COUPONS, CUSTOMERS, PropensityModel, train, validation_cuts
from propensity.served import load
from segments.errors import InternalError
from tests.propensity.conftest import snapshot, snapshots

LATER = snapshot(date(2018, 1, 1), 99)


def test_it_finds_what_was_planted(model: PropensityModel) -> None:
    assert LATER.labels is not None
    labels, scores = LATER.labels.to_numpy(), model.predict(LATER.features)
    oracle = 1.5 * LATER.features["a"] - LATER.features["b"]
    assert auc(labels, scores.to_numpy()) > auc(labels, oracle.to_numpy()) - 0.04
    assert ece(labels, scores.to_numpy()) < 0.08
    assert scores.between(0, 1, inclusive="neither").all()
    assert scores.index.equals(LATER.features.index)


def test_shap_values_and_the_average_add_up_to_the_log_odds(model: PropensityModel) -> None:
    booster = lgb.Booster(model_str=json.loads(model.to_bytes())["booster"])
    raw = np.asarray(booster.predict(LATER.features.to_numpy("float32"), raw_score=True))
    rest = raw - model.contributions(LATER.features).sum(axis=1).to_numpy()
    assert np.ptp(rest) < 1e-6
    assert model.predict(LATER.features).to_numpy() == pytest.approx(model.calibrator(raw))


def test_shap_values_point_at_the_columns_that_matter(model: PropensityModel) -> None:
    weight = model.contributions(LATER.features).abs().mean()
    assert list(weight.sort_values(ascending=False).index[:2]) == ["a", "b"]


def test_bytes_make_the_same_model(model: PropensityModel) -> None:
    again = load(model.to_bytes())
    assert (again.calibrator, again.rounds, again.features) == (
        model.calibrator,
        model.rounds,
        model.features,
    )
    pd.testing.assert_series_equal(again.predict(LATER.features), model.predict(LATER.features))


def test_training_twice_makes_the_same_model(model: PropensityModel) -> None:
    assert train(snapshots(), 30).to_bytes() == model.to_bytes()


def test_columns_are_found_by_name(model: PropensityModel) -> None:
    mixed = LATER.features[list("edcba")].assign(z=1.0)
    pd.testing.assert_series_equal(model.predict(mixed), model.predict(LATER.features))
    with pytest.raises(InternalError, match="lacks a, d"):
        model.predict(LATER.features.drop(columns=["a", "d"]))


def test_labels_are_found_by_customer() -> None:
    mixed = [replace(s, labels=s.labels.iloc[::-1]) for s in snapshots() if s.labels is not None]
    assert train(mixed, 30).to_bytes() == train(snapshots(), 30).to_bytes()


def test_refitting_keeps_rounds_and_calibration(model: PropensityModel) -> None:
    again = model.refitted([*snapshots(), LATER], CUSTOMERS)
    assert (again.rounds, again.calibrator) == (model.rounds, model.calibrator)
    assert not again.predict(LATER.features).equals(model.predict(LATER.features))


def test_a_single_validation_cut_still_calibrates() -> None:
    made = train(snapshots(2), 30)
    assert made.calibrator.kind == RECENT
    assert made.rounds >= 1


def test_nothing_trains_without_labels_or_a_later_cut() -> None:
    with pytest.raises(InternalError, match="nothing can validate"):
        train(snapshots(2), 31)
    with pytest.raises(InternalError, match="no labels"):
        train([replace(s, labels=None) for s in snapshots(2)], 30)


def test_validation_cuts_are_the_last_with_complete_labels_before_them() -> None:
    cuts = [date(2017, 1, 1) + timedelta(days=21 * i) for i in range(5)]
    assert validation_cuts(cuts, 30, replace(CUSTOMERS, folds=2)) == cuts[3:]
    assert validation_cuts(cuts, 30, replace(CUSTOMERS, folds=9)) == cuts[2:]
    assert validation_cuts(cuts, 21, replace(CUSTOMERS, folds=9)) == cuts[1:]
    assert validation_cuts(cuts, 90, replace(CUSTOMERS, folds=9)) == []


def test_weekly_cuts_are_validated_three_weeks_apart() -> None:
    cuts = [date(2017, 1, 1) + timedelta(days=7 * i) for i in range(20)]
    held = validation_cuts(cuts, 30, replace(COUPONS, folds=3))
    assert held == [cuts[13], cuts[16], cuts[19]]
