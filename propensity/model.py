"""A propensity model: LightGBM, its number of rounds and its calibration chosen on later cuts.

Coupon redemption is rare and has few examples: there the trees are blended with a logistic regression, half and half in
log-odds. For purchases logistic regression, random forests, extra trees and count or time-to-purchase objectives were
tried beside the trees on three validation cuts each: none of them, alone or blended, was ahead by more than 0.001 AUC.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import pandas as pd

from propensity.calibrate import RECENT, Calibrator, choose, fit
from propensity.linear import Linear
from propensity.plan import STEP_DAYS, earlier
from segments.errors import InternalError
from segments.ports import Snapshot

THREADS = 1
"""With two, a training takes twenty times as long while any other process (the language model) holds a core."""
PATIENCE = 40
BOOSTED, BLEND = "lightgbm", "blend"
"""The families (`propensity.families`) that boost: their rounds are chosen on several cuts."""


@dataclass(frozen=True)
class Settings:
    """How a family of models is trained.

    folds: validation cuts. step_days: between training cuts. metric: LightGBM's name of what chooses the
    rounds, best mean over the folds. linear: the weight of a logistic regression beside the trees, in log-odds.
    extra_trees: thresholds drawn at random (Geurts et al. 2006). calibration: a kind of calibrator; None chooses one.
    family: of `propensity.families`; those that do not boost take the cuts and the calibration from here. steps: of
    training a sequence encoder, for the families that have one.
    """

    learning_rate: float = 0.03
    num_leaves: int = 8
    min_child_samples: int = 60
    feature_fraction: float = 0.4
    bagging_fraction: float = 0.7
    max_rounds: int = 300
    folds: int = 3
    step_days: int = STEP_DAYS
    metric: str = "binary_logloss"
    linear: float = 0.0
    extra_trees: bool = False
    calibration: str | None = None
    family: str = BOOSTED
    steps: int = 400

    def parameters(self) -> dict[str, object]:
        """LightGBM's parameters."""
        return {
            "objective": "binary",
            "metric": self.metric,
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_child_samples": self.min_child_samples,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "lambda_l2": 10.0,
            "extra_trees": self.extra_trees,
            "max_bin": 127,
            "num_threads": THREADS,
            "seed": 1,
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
        }


CUSTOMERS = Settings(calibration=RECENT)
"""The share who buy moves less from month to month than what models of earlier months miss it by. On twelve weekly dates
from 15 July to 30 September the ECE was 0.019 for purchase_14d and 0.014 for purchase_30d; with a kind chosen on the
folds 0.024 and 0.014, Platt 0.020 and 0.014, the last fold alone 0.028 and 0.016, the recent rate alone 0.021 and 0.018."""
COUPONS = Settings(
    num_leaves=4, folds=4, step_days=7, metric="auc", linear=0.5, extra_trees=True, family=BLEND
)
"""The share who redeem moves between 1 and 8 % with the campaigns that run: weekly cuts meet more of that
calendar, and rounds are chosen by AUC, since log loss on one quiet month prefers models that say nothing.
Four leaves had the best AUC of six settings on three validation cuts. The blend had 0.907 on three validation cuts (29
July, 12 and 26 August), the trees alone 0.903, the logistic regression alone 0.904. Thresholds drawn at random: 0.906, best
ones 0.905 (those cuts and 9 September, mean AUC of the trees alone 0.905 and 0.903)."""
CATEGORIES = Settings(
    learning_rate=0.08,
    num_leaves=15,
    min_child_samples=200,
    feature_fraction=0.5,
    bagging_fraction=0.5,
    max_rounds=160,
    folds=1,
)


class CalibratedModel(ABC):
    """A trained model of one outcome: matrices in, calibrated probabilities out. rounds: of boosting, 0 where none.
    encoder: of the shopping days whose vectors it sees (`segments.ports.SequenceEncoders`); empty where it sees none."""

    features: tuple[str, ...]
    calibrator: Calibrator
    rounds: int
    encoder: bytes = b""

    @property
    def calibration(self) -> str:
        """How log-odds become probabilities."""
        return self.calibrator.kind

    @property
    @abstractmethod
    def family(self) -> str:
        """Its name in `propensity.families`."""

    @abstractmethod
    def log_odds(self, features: pd.DataFrame) -> np.ndarray:
        """Before calibration, a value a row. Raises InternalError for a missing column."""

    @abstractmethod
    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """SHAP values in log-odds, rows and columns like the features."""

    @abstractmethod
    def calibrated(self, calibrator: Calibrator) -> Self:
        """The same model with another calibration."""

    @abstractmethod
    def refitted(self, snapshots: Sequence[Snapshot], settings: Settings) -> Self:
        """The same choices and calibration, fitted on these snapshots."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """JSON."""

    def predict(self, features: pd.DataFrame) -> pd.Series:
        """Probabilities (0..1) indexed like `features`. Raises InternalError for a missing column."""
        said = self.calibrator(self.log_odds(features))
        return pd.Series(said, index=features.index, name="probability")

    def at_rate(self, features: pd.DataFrame, rate: float) -> Self:
        """The same model, its level drawn to the share of such customers who did it lately (`Calibrator.at_rate`)."""
        return self.calibrated(self.calibrator.at_rate(self.log_odds(features), rate))


class PropensityModel(CalibratedModel):
    """Boosted trees, alone or blended with a logistic regression."""

    def __init__(
        self,
        booster: lgb.Booster,
        calibrator: Calibrator,
        rounds: int,
        linear: Linear | None = None,
        weight: float = 0.0,
    ) -> None:
        self._booster, self._linear, self._weight = booster, linear, weight
        self.calibrator, self.rounds = calibrator, rounds
        self.features: tuple[str, ...] = tuple(booster.feature_name())

    @property
    def family(self) -> str:
        """Its name in `propensity.families`."""
        return BLEND if self._weight else BOOSTED

    def log_odds(self, features: pd.DataFrame) -> np.ndarray:
        """Before calibration, a value a row."""
        matrix = columns_of(features, self.features)
        return _log_odds(self._booster, self._linear, self._weight, matrix, self.rounds)

    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """SHAP values in log-odds (TreeSHAP, Lundberg et al. 2018), rows and columns like the features."""
        matrix = columns_of(features, self.features)
        trees = self._booster.predict(matrix, pred_contrib=True, num_threads=THREADS)
        values = (1 - self._weight) * np.asarray(trees)[:, :-1]
        if self._linear is not None:
            values = values + self._weight * self._linear.contributions(matrix)
        return pd.DataFrame(values, features.index, list(self.features))

    def calibrated(self, calibrator: Calibrator) -> PropensityModel:
        """The same model with another calibration."""
        return PropensityModel(self._booster, calibrator, self.rounds, self._linear, self._weight)

    def refitted(self, snapshots: Sequence[Snapshot], settings: Settings) -> PropensityModel:
        """The same rounds and calibration, fitted on these snapshots."""
        booster = _boost(snapshots, settings, self.rounds)
        return PropensityModel(
            booster, self.calibrator, self.rounds, _line(snapshots, settings), settings.linear
        )

    def to_bytes(self) -> bytes:
        """JSON."""
        content = {
            "booster": self._booster.model_to_string(),
            "calibrator": asdict(self.calibrator),
            "rounds": self.rounds,
            "linear": self._linear.to_json() if self._linear is not None else None,
            "weight": self._weight,
        }
        return json.dumps(content).encode()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PropensityModel:
        """The model whose JSON `to_bytes` wrote."""
        booster, line = lgb.Booster(model_str=data["booster"]), data.get("linear")
        linear = Linear.from_json(line) if line is not None else None
        calibrator = calibrator_of(data["calibrator"])
        return cls(booster, calibrator, data["rounds"], linear, data.get("weight", 0.0))


def calibrator_of(data: dict[str, Any]) -> Calibrator:
    """The calibrator whose fields JSON holds."""
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return Calibrator(**fields)


def columns_of(features: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """The columns of those names as float32. Raises InternalError that names the missing ones."""
    missing = [name for name in names if name not in features]
    if missing:
        raise InternalError(f"The model's matrix lacks {', '.join(missing[:5])}.")
    matrix: np.ndarray = features[list(names)].to_numpy(dtype="float32")
    return matrix


def train(
    snapshots: Sequence[Snapshot], horizon_days: int, settings: Settings = CUSTOMERS
) -> PropensityModel:
    """Train on snapshots (oldest first, with labels); raise InternalError when none can validate another.

    Each of the last `folds` cuts is predicted by a model of the cuts whose labels end before it. The rounds
    with the least mean log loss there, and the calibration fitted there, go to the model of all cuts.
    """
    folds = temporal_folds(snapshots, horizon_days, settings)
    parameters = settings.parameters()
    runs = [(*boost_until(past, held, parameters, settings.max_rounds), held) for past, held in folds]
    rounds = best_rounds([curve for _, curve, _ in runs], settings.metric)
    log_odds = []
    for place, (booster, _, held) in enumerate(runs):
        matrix = held.features[booster.feature_name()].to_numpy(dtype="float32")
        line = _line(folds[place][0], settings)
        log_odds.append(_log_odds(booster, line, settings.linear, matrix, rounds))
    calibrator = held_out_calibrator(log_odds, [held for _, held in folds], settings)
    booster, line = _boost(snapshots, settings, rounds), _line(snapshots, settings)
    return PropensityModel(booster, calibrator, rounds, line, settings.linear)


def held_out_calibrator(
    log_odds: Sequence[np.ndarray], held: Sequence[Snapshot], settings: Settings
) -> Calibrator:
    """The calibration fitted, or chosen, on what models of earlier cuts said of each held cut."""
    labels, groups = [], []
    for place, snapshot in enumerate(held):
        labels.append(labels_of(snapshot))
        # A single fold is halved by customer, so that a calibration is never judged by its own rows.
        halves = pd.util.hash_array(snapshot.features.index.get_level_values(-1).to_numpy(dtype=object)) % 2
        groups.append(halves if len(held) == 1 else np.full(len(halves), place))
    held_out = np.concatenate(log_odds), np.concatenate(labels)
    if settings.calibration is None:
        return choose(*held_out, np.concatenate(groups))
    return fit(settings.calibration, *held_out)


def validation_cuts(cuts: Sequence[date], horizon_days: int, settings: Settings) -> list[date]:
    """The cuts that models are chosen on, oldest first: the last ones that have an earlier cut with complete
    labels, three weeks apart where cuts are weekly, so that they see different times."""
    apart = max(1, STEP_DAYS // settings.step_days)
    able = [cut for cut in cuts if earlier(cuts, cut, horizon_days)]
    return able[::-1][::apart][: settings.folds][::-1]


def temporal_folds(
    snapshots: Sequence[Snapshot], horizon_days: int, settings: Settings
) -> list[tuple[list[Snapshot], Snapshot]]:
    """Each validation cut with the cuts whose labels end before it. Raises InternalError when there is none."""
    by_cut = {snapshot.as_of: snapshot for snapshot in snapshots}
    cuts = sorted(by_cut)
    held = validation_cuts(cuts, horizon_days, settings)
    if not held:
        raise InternalError("No training cut has labels that end before another cut: nothing can validate.")
    return [([by_cut[past] for past in earlier(cuts, cut, horizon_days)], by_cut[cut]) for cut in held]


def labels_of(snapshot: Snapshot) -> np.ndarray:
    """A snapshot's labels in the order of its rows. Raises InternalError when it has none."""
    if snapshot.labels is None:
        raise InternalError(f"The snapshot of {snapshot.as_of} has no labels to train on.")
    labels: np.ndarray = snapshot.labels.reindex(snapshot.features.index).to_numpy()
    return labels


def constant(snapshots: Sequence[Snapshot]) -> bool:
    """Whether all customers of all snapshots have the same label: nothing to learn or to test."""
    labels = np.concatenate([labels_of(snapshot) for snapshot in snapshots])
    return bool(len(labels) == 0 or labels.min() == labels.max())


def stacked(snapshots: Sequence[Snapshot]) -> tuple[np.ndarray, np.ndarray]:
    """Features (float32) and labels of snapshots, one under the other, columns as in the first."""
    names = list(snapshots[0].features)
    matrix = np.concatenate([snapshot.features[names].to_numpy(dtype="float32") for snapshot in snapshots])
    return matrix, np.concatenate([labels_of(snapshot) for snapshot in snapshots])


def dataset(snapshots: Sequence[Snapshot]) -> lgb.Dataset:
    """Snapshots one under the other, as LightGBM takes them."""
    return lgb.Dataset(*stacked(snapshots), feature_name=list(snapshots[0].features))


def _line(snapshots: Sequence[Snapshot], settings: Settings) -> Linear | None:
    return Linear.fit(*stacked(snapshots), THREADS) if settings.linear else None


def _log_odds(
    booster: lgb.Booster, line: Linear | None, weight: float, matrix: np.ndarray, rounds: int
) -> np.ndarray:
    raw = booster.predict(matrix, raw_score=True, num_iteration=rounds, num_threads=THREADS)
    trees: np.ndarray = np.asarray(raw)
    return trees if line is None else (1 - weight) * trees + weight * line.log_odds(matrix)


def _boost(snapshots: Sequence[Snapshot], settings: Settings, rounds: int) -> lgb.Booster:
    return lgb.train(settings.parameters(), dataset(snapshots), rounds)


def boost_until(
    past: Sequence[Snapshot], held: Snapshot, parameters: dict[str, object], max_rounds: int
) -> tuple[lgb.Booster, np.ndarray]:
    """The booster and its metric on the held snapshot after each round, until it stops improving."""
    curve: dict[str, dict[str, list[float]]] = {}
    train_set = dataset(past)
    held_set = lgb.Dataset(
        columns_of(held.features, list(past[0].features.columns)), labels_of(held), reference=train_set
    )
    booster = lgb.train(
        parameters,
        train_set,
        max_rounds,
        valid_sets=[held_set],
        valid_names=["held"],
        callbacks=[lgb.record_evaluation(curve), lgb.early_stopping(PATIENCE, verbose=False)],
    )
    return booster, np.array(curve["held"][str(parameters["metric"])])


def best_rounds(curves: Sequence[np.ndarray], metric: str) -> int:
    """The number of rounds with the best mean over the curves of a metric, as far as the shortest one goes."""
    length = min(len(curve) for curve in curves)
    mean = np.mean([curve[:length] for curve in curves], axis=0)
    return int(np.argmax(mean) if metric == "auc" else np.argmin(mean)) + 1
