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

from propensity.model import PATIENCE, THREADS, Settings, columns_of, dataset, labels_of, temporal_folds
from segments.errors import NotFoundError
from segments.ports import Snapshot

ACTIONS = Settings(learning_rate=0.05, max_rounds=200)


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
        return pd.DataFrame(_softmax(np.asarray(raw) / self.temperature), features.index, list(self.answers))

    def answer(self, name: str) -> OneAnswer:
        """The model of one answer. Raises NotFoundError."""
        if name not in self.answers:
            raise NotFoundError(f"There is no answer '{name}'; the known ones are {', '.join(self.answers)}.")
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
    margins, labels, curves = [], [], []
    for past, held in temporal_folds(snapshots, horizon_days, settings):
        curve: dict[str, dict[str, list[float]]] = {}
        data = dataset(past)
        matrix, known = columns_of(held.features, [str(name) for name in past[0].features]), labels_of(held)
        booster = lgb.train(
            parameters,
            data,
            settings.max_rounds,
            valid_sets=[lgb.Dataset(matrix, known, reference=data)],
            valid_names=["held"],
            callbacks=[lgb.record_evaluation(curve), lgb.early_stopping(PATIENCE, verbose=False)],
        )
        curves.append(curve["held"]["multi_logloss"])
        labels.append(known)
        margins.append((booster, matrix))
    length = min(len(curve) for curve in curves)
    rounds = int(np.argmin(np.mean([curve[:length] for curve in curves], axis=0))) + 1
    raw = np.concatenate(
        [
            booster.predict(matrix, raw_score=True, num_iteration=rounds, num_threads=THREADS)
            for booster, matrix in margins
        ]
    )
    temperature = _temperature(raw, np.concatenate(labels).astype(int))
    booster = lgb.train(parameters, dataset(snapshots), rounds)
    return NextActionModel(booster, temperature, rounds, tuple(answers))


def _parameters(settings: Settings, classes: int) -> dict[str, object]:
    return settings.parameters() | {
        "objective": "multiclass",
        "metric": "multi_logloss",
        "num_class": classes,
    }


def _temperature(margins: np.ndarray, labels: np.ndarray) -> float:
    def loss(log_temperature: float) -> float:
        said = _softmax(margins / np.exp(log_temperature))[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(said, 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded").x))


def _softmax(margins: np.ndarray) -> np.ndarray:
    shifted = np.exp(margins - margins.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
