"""Drift: nothing moved is told as stable, a planted shift as moved, and the index is the published formula."""

import numpy as np
import pandas as pd
import pytest

from propensity.drift import drifts, psi, reference

COUNT = 4000


def frame(seed: int, shift: float = 0.0, missing: float = 0.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    found = pd.DataFrame({"same": random.normal(size=COUNT), "shifted": random.normal(shift, 1, COUNT)})
    found["gaps"] = np.where(random.random(COUNT) < 0.1 + missing, np.nan, random.exponential(size=COUNT))
    found["rare"] = (random.random(COUNT) < 0.02).astype(float)
    return found


def test_the_index_is_the_formula():
    then, now = [0.5, 0.3, 0.2], [0.4, 0.4, 0.2]
    assert psi(then, now) == pytest.approx(-0.1 * np.log(0.8) + 0.1 * np.log(4 / 3))
    assert psi(then, then) == 0


def test_another_sample_of_the_same_customers_is_stable():
    found = drifts(reference([frame(1), frame(2)]), frame(3))
    assert {drift.name for drift in found} == {"same", "shifted", "gaps", "rare"}
    assert {drift.verdict for drift in found} == {"stable"}


def test_what_moved_comes_first_and_is_told():
    found = drifts(reference([frame(1)]), frame(2, shift=1.0))
    assert (found[0].name, found[0].verdict) == ("shifted", "moved")
    assert {drift.verdict for drift in found[1:]} == {"stable"}


def test_values_that_go_missing_and_columns_that_go_away_have_moved():
    found = {
        drift.name: drift
        for drift in drifts(reference([frame(1)]), frame(2, missing=0.3).drop(columns="same"))
    }
    assert found["gaps"].verdict == "moved"
    assert found["same"].verdict == "moved"
