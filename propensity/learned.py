"""What families of models learn: log-odds of rows and what each column adds to them, written as JSON.

Every one tells SHAP values in log-odds: of trees and of what is linear in the columns exactly, of a neural network by
sampling (Strumbelj and Kononenko, 2014) two orders of the columns a row, one the other backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import lightgbm as lgb
import numpy as np
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier

from propensity.linear import Linear
from propensity.normal_scores import NormalScores

SEED = 1


class Learned(Protocol):
    """Before calibration. matrix: (rows, columns), float32, NaN for missing."""

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """A value a row."""
        ...

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """What each column adds, rows and columns like the matrix; with a constant they sum to the log-odds."""
        ...

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        ...


@dataclass(frozen=True)
class Trees:
    """Boosted trees, a random forest or a single tree, all by LightGBM."""

    booster: lgb.Booster
    rounds: int

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """Of the first `rounds` trees."""
        return np.asarray(
            self.booster.predict(matrix, raw_score=True, num_iteration=self.rounds, num_threads=1)
        )

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """TreeSHAP (Lundberg et al. 2018)."""
        values = self.booster.predict(matrix, pred_contrib=True, num_iteration=self.rounds, num_threads=1)
        return np.asarray(values)[:, :-1]

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        return {"booster": self.booster.model_to_string(num_iteration=self.rounds), "rounds": self.rounds}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Trees:
        """What `to_json` gave."""
        return cls(lgb.Booster(model_str=data["booster"]), data["rounds"])


@dataclass(frozen=True)
class Bayes:
    """Gaussian naive Bayes on normal scores. means, variances: (2, columns), of the labels 0 and 1."""

    scale: NormalScores
    means: np.ndarray
    variances: np.ndarray
    prior: float

    @classmethod
    def fit(cls, matrix: np.ndarray, labels: np.ndarray) -> Bayes:
        """From rows with 0/1 labels of both kinds."""
        scale = NormalScores.fit(matrix)
        model = GaussianNB().fit(scale.of(matrix), labels)
        prior = float(np.log(model.class_prior_[1] / model.class_prior_[0]))
        return cls(scale, model.theta_, model.var_, prior)

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """Of rows."""
        return np.asarray(self.contributions(matrix).sum(axis=1) + self.prior)

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Each column's log likelihood ratio: the model adds them up."""
        scores = self.scale.of(matrix)
        no, yes = (
            -0.5 * (np.log(variance) + (scores - mean) ** 2 / variance)
            for mean, variance in zip(self.means, self.variances, strict=True)
        )
        return np.asarray(yes - no)

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        values = {"means": self.means.tolist(), "variances": self.variances.tolist(), "prior": self.prior}
        return self.scale.to_json() | values

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Bayes:
        """What `to_json` gave."""
        means, variances = np.array(data["means"]), np.array(data["variances"])
        return cls(NormalScores.from_json(data), means, variances, data["prior"])


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron (ReLU) on normal scores. layers: (weights, offsets), the last one with one column."""

    scale: NormalScores
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    @classmethod
    def fit(cls, matrix: np.ndarray, labels: np.ndarray, model: MLPClassifier) -> Network:
        """model: a classifier with ReLU that is not fitted yet."""
        scale = NormalScores.fit(matrix)
        found = model.fit(scale.of(matrix), labels)
        return cls(scale, tuple(zip(found.coefs_, found.intercepts_, strict=True)))

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """Of rows."""
        weights, offsets = self.layers[0]
        return self._from_first(self.scale.of(matrix) @ weights + offsets)

    def _from_first(self, first: np.ndarray) -> np.ndarray:
        """The margin from what arrives at the first hidden layer."""
        values = first
        for weights, offsets in self.layers[1:]:
            values = np.maximum(values, 0) @ weights + offsets
        return np.asarray(values[:, 0])

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Sampled SHAP values against a customer whose every column is the median."""
        scores = self.scale.of(matrix)
        rows, columns = scores.shape
        order = np.random.default_rng(SEED).permuted(np.tile(np.arange(columns), (rows, 1)), axis=1)
        out, each = np.zeros(scores.shape), np.arange(rows)
        weights, offsets = self.layers[0]
        for way in (order, order[:, ::-1]):
            first = np.tile(offsets, (rows, 1))
            before = self._from_first(first)
            for place in range(columns):
                column = way[:, place]
                first += scores[each, column][:, None] * weights[column]
                now = self._from_first(first)
                out[each, column] += (now - before) / 2
                before = now
        return out

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        layers = [[weights.tolist(), offsets.tolist()] for weights, offsets in self.layers]
        return self.scale.to_json() | {"layers": layers}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Network:
        """What `to_json` gave."""
        layers = tuple((np.array(weights), np.array(offsets)) for weights, offsets in data["layers"])
        return cls(NormalScores.from_json(data), layers)


@dataclass(frozen=True)
class Weighted:
    """A weighted sum of others' log-odds: a blend, or a stack."""

    members: tuple[Learned, ...]
    weights: tuple[float, ...]
    offset: float = 0.0

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """Of rows."""
        return np.asarray(self._sum([member.log_odds(matrix) for member in self.members]) + self.offset)

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """The members', weighted alike."""
        return self._sum([member.contributions(matrix) for member in self.members])

    def _sum(self, values: Sequence[np.ndarray]) -> np.ndarray:
        pairs = zip(self.weights, values, strict=True)
        return np.asarray(sum(weight * value for weight, value in pairs))

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "members": [written(member) for member in self.members],
            "weights": list(self.weights),
            "offset": self.offset,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Weighted:
        """What `to_json` gave."""
        return cls(tuple(read(member) for member in data["members"]), tuple(data["weights"]), data["offset"])


KINDS: dict[str, Any] = {
    "trees": Trees,
    "linear": Linear,
    "bayes": Bayes,
    "network": Network,
    "weighted": Weighted,
}


def written(learned: Learned) -> dict[str, Any]:
    """JSON form that `read` reads."""
    kind = next(name for name, made in KINDS.items() if isinstance(learned, made))
    return {"kind": kind} | learned.to_json()


def read(data: dict[str, Any]) -> Learned:
    """What `written` wrote."""
    found: Learned = KINDS[data["kind"]].from_json(data)
    return found
