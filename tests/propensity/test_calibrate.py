"""Calibration: maps that keep the order, and the one chosen makes probabilities come true."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from propensity.calibrate import EDGE, KINDS, RECENT, Calibrator, choose, fit
from propensity.evaluate import ece

GRID = np.linspace(-9, 9, 2001)
Distortion = Callable[[np.ndarray], np.ndarray]


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def sample(count: int, distortion: Distortion, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a model reports, what happened, and three groups; the true log-odds are standard normal times 1.5."""
    random = np.random.default_rng(seed)
    true = random.normal(0, 1.5, count)
    labels = (random.random(count) < sigmoid(true)).astype(int)
    return distortion(true), labels, np.arange(count) % 3


def honest(true: np.ndarray) -> np.ndarray:
    return true


def overconfident(true: np.ndarray) -> np.ndarray:
    return 3 * true + 1


def bent(true: np.ndarray) -> np.ndarray:
    """Right below even odds, five times too sure above: no straight line mends it."""
    return np.where(true > 0, 5 * true, true)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("distortion", [honest, overconfident, bent])
@pytest.mark.parametrize("kind", KINDS)
def test_every_map_is_strictly_increasing(kind: str, distortion: Distortion, seed: int) -> None:
    reported, labels, _ = sample(800, distortion, seed)
    probabilities = fit(kind, reported, labels)(GRID)
    assert (np.diff(probabilities) > 0).all()
    assert probabilities.min() >= EDGE
    assert probabilities.max() <= 1 - EDGE


def test_without_calibration_probabilities_are_the_models_own() -> None:
    assert fit("none", *sample(500, overconfident, 0)[:2])(GRID) == pytest.approx(sigmoid(GRID), abs=EDGE)


def test_platt_finds_the_line_that_was_bent() -> None:
    reported, labels, _ = sample(40_000, overconfident, 1)
    line = fit("platt", reported, labels)
    assert line.slope == pytest.approx(1 / 3, abs=0.02)
    assert line.offset == pytest.approx(-1 / 3, abs=0.05)


def test_isotonic_is_the_mean_of_the_line_and_the_steps() -> None:
    reported, labels, _ = sample(800, bent, 2)
    mixed = fit("platt+isotonic", reported, labels)
    steps = IsotonicRegression(out_of_bounds="clip").fit(reported, labels)
    line = sigmoid(mixed.slope * GRID + mixed.offset)
    expected = EDGE + (1 - 2 * EDGE) * (line + steps.predict(GRID)) / 2
    assert mixed(GRID) == pytest.approx(expected, abs=1e-9)
    assert mixed.knots


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_wrong_way_round_or_one_class_is_left_alone(kind: str) -> None:
    reported, labels, _ = sample(500, honest, 3)
    assert fit(kind, -reported, labels) == Calibrator()
    assert fit(kind, reported, np.zeros(500, dtype=int)) == Calibrator()


@pytest.mark.parametrize(
    ("distortion", "before", "after"),
    [(honest, 0.0, 0.015), (overconfident, 0.15, 0.015), (bent, 0.08, 0.04)],
)
def test_the_chosen_map_comes_true_on_customers_not_seen(
    distortion: Distortion, before: float, after: float
) -> None:
    chosen = choose(*sample(6000, distortion, 4))
    reported, labels, _ = sample(20_000, distortion, 5)
    assert ece(labels, sigmoid(reported)) > before
    assert ece(labels, chosen(reported)) < after


def test_the_chosen_kind_fits_the_fault() -> None:
    assert choose(*sample(6000, bent, 6)).kind == "platt+isotonic"
    mended = choose(*sample(6000, overconfident, 6))
    assert mended.kind != "none"
    assert mended(GRID) == pytest.approx(sigmoid((GRID - 1) / 3), abs=0.05)
    assert choose(*sample(6000, honest, 6))(GRID) == pytest.approx(sigmoid(GRID), abs=0.05)


def test_steps_are_not_fitted_to_the_noise_of_few_customers() -> None:
    # By the customers that they were fitted on, steps would always win.
    kinds = [choose(*sample(150, honest, seed)).kind for seed in range(20)]
    assert kinds.count("platt+isotonic") <= 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_map_survives_json(kind: str) -> None:
    made = fit(kind, *sample(500, bent, 8)[:2])
    data = json.loads(json.dumps(asdict(made)))
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    again = Calibrator(**values)
    assert again == made
    assert (again(GRID) == made(GRID)).all()


def test_the_level_is_drawn_halfway_to_the_recent_rate() -> None:
    reported, labels, _ = sample(4000, honest, 9)
    made = fit(RECENT, reported, labels)
    later = reported[:500]
    at = made.at_rate(later, 0.8)
    assert at.recent is not None
    assert replace(made, offset=at.recent)(later).mean() == pytest.approx(0.8, abs=1e-3)
    assert at(later) == pytest.approx(replace(made, offset=(made.offset + at.recent) / 2)(later))
    assert at.at_rate(later, 0.8) == at
    assert made(later).mean() < at(later).mean() < 0.8


@pytest.mark.parametrize(("kind", "rate"), [("platt", 0.8), (RECENT, 0.0), (RECENT, 1.0)])
def test_other_kinds_and_rates_of_all_or_none_leave_the_level(kind: str, rate: float) -> None:
    reported, labels, _ = sample(500, honest, 10)
    made = fit(kind, reported, labels)
    assert made.at_rate(reported, rate) == made
