"""The linear member of a blend: ranks as scikit-learn makes them, exact contributions, and a blend that holds both."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import QuantileTransformer

from propensity.linear import Linear
from propensity.model import CUSTOMERS, PropensityModel, train
from propensity.normal_scores import KNOTS
from propensity.served import load
from tests.propensity.conftest import snapshot, snapshots

LATER = snapshot(date(2018, 1, 1), 99)
MATRIX = LATER.features.to_numpy("float32")


@pytest.fixture(scope="module")
def line() -> Linear:
    assert LATER.labels is not None
    return Linear.fit(MATRIX, LATER.labels.to_numpy(), 1)


@pytest.fixture(scope="module")
def blend() -> PropensityModel:
    return train(snapshots(), 30, replace(CUSTOMERS, linear=0.5))


def test_scores_are_those_of_scikit_learn() -> None:
    rows = np.round(np.random.default_rng(1).exponential(size=(500, 4)), 1).astype("float32")
    line = Linear.fit(rows, (rows[:, 0] > 1).astype(int), 1)
    theirs = QuantileTransformer(n_quantiles=KNOTS, output_distribution="normal").fit(rows)
    ours, expected = line.scale.of(rows), theirs.transform(rows)
    inside = (rows > rows.min(axis=0)) & (rows < rows.max(axis=0))
    assert ours[inside] == pytest.approx(expected[inside], abs=1e-5)


def test_a_missing_value_counts_as_the_median(line: Linear) -> None:
    missing, middle = MATRIX[:1].copy(), MATRIX[:1].copy()
    missing[0, 2], middle[0, 2] = np.nan, line.scale.medians[2]
    assert line.log_odds(missing) == pytest.approx(line.log_odds(middle))


def test_a_column_that_is_never_known_does_no_harm() -> None:
    empty = MATRIX.copy()
    empty[:, 1] = np.nan
    assert np.isfinite(Linear.fit(empty, (MATRIX[:, 0] > 0).astype(int), 1).log_odds(empty)).all()


def test_contributions_and_the_offset_are_the_log_odds(line: Linear) -> None:
    total = line.contributions(MATRIX).sum(axis=1) + line.offset
    assert total == pytest.approx(line.log_odds(MATRIX))
    assert set(np.argsort(-np.abs(line.weights))[:2]) == {0, 1}


def test_json_makes_the_same_line(line: Linear) -> None:
    assert (Linear.from_json(line.to_json()).log_odds(MATRIX) == line.log_odds(MATRIX)).all()


def test_a_blend_comes_back_from_its_bytes_and_explains_itself(blend: PropensityModel) -> None:
    again = load(blend.to_bytes())
    pd.testing.assert_series_equal(again.predict(LATER.features), blend.predict(LATER.features))
    rest = blend.log_odds(LATER.features) - blend.contributions(LATER.features).sum(axis=1).to_numpy()
    assert np.ptp(rest) < 1e-5
    trees = train(snapshots(), 30)
    assert np.abs(blend.log_odds(LATER.features) - trees.log_odds(LATER.features)).max() > 0.01


def test_a_refitted_blend_is_one_too(blend: PropensityModel) -> None:
    settings = replace(CUSTOMERS, linear=0.5)
    same = blend.refitted(snapshots(), settings)
    assert same.log_odds(LATER.features) == pytest.approx(blend.log_odds(LATER.features))
