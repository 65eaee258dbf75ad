"""Which of several events comes first: one gradient-boosted model over all answers, softmax with a temperature.

The temperature is fitted on held cuts by log loss (Guo et al. 2017, arXiv:1706.04599); the rounds are those with the
least mean log loss there, as for a single outcome.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from propensity.model import (
    THREADS,
    Settings,
    best_rounds,
    boost_until,
    columns_of,
    dataset,
    labels_of,
    temporal_folds,
)
from segments.errors import NotFoundError
from segments.ports import Snapshot

ACTIONS = Settings(learning_rate=0.05, max_rounds=200)
METRIC = "multi_logloss"


class NextActionModel:
    """A trained model: matrices in, probabilities of every answer out, which add up to one."""

    def __init__(
        self, booster: lgb.Booster, temperature: float, rounds: int, answers: tuple[str, ...]
    ) -> None:
        self._booster, self.temperature = booster, temperature
        self.rounds, self.answers = rounds, answers
        self.features: tuple[str, ...] = tuple(booster.feature_name())

    @property
    def calibration(self) -> str:
        """How margins become probabilities."""
        return f"temperature {self.temperature:.2f}"

    def predict_all(self, features: pd.DataFrame) -> pd.DataFrame:
        """Probabilities, rows as in `features`, a column an answer. Raises InternalError for a missing column."""
        raw = self._booster.predict(columns_of(features, self.features), raw_score=True, num_threads=THREADS)
        said = softmax(np.asarray(raw) / self.temperature, axis=1)
        return pd.DataFrame(said, features.index, list(self.answers))

    def answer(self, name: str) -> OneAnswer:
        """The model of one answer. Raises NotFoundError."""
        if name not in self.answers:
            raise NotFoundError(
                f"There is no answer '{name}'; the known ones are {', '.join(self.answers)}.",
                f"没有答案“{name}”；现有{'、'.join(self.answers)}。",
            )
        return OneAnswer(self, name)

    def contributions_of(self, name: str, features: pd.DataFrame) -> pd.DataFrame:
        """SHAP values of an answer's margin, rows and columns like the features."""
        matrix = columns_of(features, self.features)
        values = np.asarray(self._booster.predict(matrix, pred_contrib=True, num_threads=THREADS))
        parts = values.reshape(len(features), len(self.answers), len(self.features) + 1)
        own = parts[:, self.answers.index(name), :-1]
        return pd.DataFrame(own, features.index, list(self.features))

    def refitted(self, snapshots: Sequence[Snapshot], settings: Settings = ACTIONS) -> NextActionModel:
        """The same rounds and temperature, fitted on these snapshots."""
        parameters = _parameters(settings, len(self.answers))
        booster = lgb.train(parameters, dataset(snapshots), self.rounds)
        return NextActionModel(booster, self.temperature, self.rounds, self.answers)

    def to_bytes(self) -> bytes:
        """JSON."""
        content = {
            "booster": self._booster.model_to_string(),
            "temperature": self.temperature,
            "rounds": self.rounds,
            "answers": self.answers,
        }
        return json.dumps(content).encode()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> NextActionModel:
        """The model whose JSON `to_bytes` wrote."""
        booster = lgb.Booster(model_str=data["booster"])
        return cls(booster, data["temperature"], data["rounds"], tuple(data["answers"]))


class OneAnswer:
    """One answer of a next-action model, asked as if it were a model of its own."""

    def __init__(self, model: NextActionModel, name: str) -> None:
        self._model, self._name = model, name
        self.features, self.rounds = model.features, model.rounds

    def predict(self, features: pd.DataFrame) -> pd.Series:
        """Probabilities indexed like `features`."""
        return self._model.predict_all(features)[self._name].rename("probability")

    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """SHAP values in margins, rows and columns like the features."""
        return self._model.contributions_of(self._name, features)


def train_next(
    snapshots: Sequence[Snapshot],
    horizon_days: int,
    answers: Sequence[str],
    settings: Settings = ACTIONS,
) -> NextActionModel:
    """Train on snapshots whose labels are places in `answers`, oldest first; InternalError when none can validate."""
    parameters = _parameters(settings, len(answers))
    folds = temporal_folds(snapshots, horizon_days, settings)
    runs = [(*boost_until(past, held, parameters, settings.max_rounds), held) for past, held in folds]
    rounds = best_rounds([curve for _, curve, _ in runs], METRIC)
    margins = [
        booster.predict(
            columns_of(held.features, booster.feature_name()),
            raw_score=True,
            num_iteration=rounds,
            num_threads=THREADS,
        )
        for booster, _, held in runs
    ]
    labels = np.concatenate([labels_of(held) for _, _, held in runs]).astype(int)
    temperature = _temperature(np.concatenate(margins), labels)
    booster = lgb.train(parameters, dataset(snapshots), rounds)
    return NextActionModel(booster, temperature, rounds, tuple(answers))


def _parameters(settings: Settings, classes: int) -> dict[str, object]:
    return settings.parameters() | {
        "objective": "multiclass",
        "metric": METRIC,
        "num_class": classes,
    }


def _temperature(margins: np.ndarray, labels: np.ndarray) -> float:
    def loss(log_temperature: float) -> float:
        said = softmax(margins / np.exp(log_temperature), axis=1)[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(said, 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded").x))
