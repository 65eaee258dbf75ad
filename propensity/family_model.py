"""A model of a family that does not boost: chosen by a comparison, trained, calibrated and kept as the others are."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from propensity.calibrate import Calibrator
from propensity.families import fit_again, fit_one
from propensity.learned import Learned, read, written
from propensity.model import (
    CalibratedModel,
    Settings,
    calibrator_of,
    columns_of,
    held_out_calibrator,
    stacked,
    temporal_folds,
)
from segments.ports import Snapshot

VECTOR = "sequence:"
"""How the columns of a sequence encoder's vector begin; no feature's name has a colon."""


class FamilyModel(CalibratedModel):
    """A family's log-odds under a calibration."""

    def __init__(
        self,
        family: str,
        learned: Learned,
        features: Sequence[str],
        calibrator: Calibrator,
        encoder: bytes = b"",
    ) -> None:
        self._family, self._learned, self.encoder = family, learned, encoder
        self.features, self.calibrator, self.rounds = tuple(features), calibrator, 0

    @property
    def family(self) -> str:
        """Its name in `propensity.families`."""
        return self._family

    def log_odds(self, features: pd.DataFrame) -> np.ndarray:
        """Before calibration, a value a row. Raises InternalError for a missing column."""
        return self._learned.log_odds(columns_of(features, self.features))

    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """SHAP values in log-odds, rows and columns like the features."""
        values = self._learned.contributions(columns_of(features, self.features))
        return pd.DataFrame(values, features.index, list(self.features))

    def calibrated(self, calibrator: Calibrator) -> FamilyModel:
        """The same model with another calibration."""
        return FamilyModel(self._family, self._learned, self.features, calibrator, self.encoder)

    def refitted(self, snapshots: Sequence[Snapshot], _settings: Settings) -> FamilyModel:
        """The same rounds, weights and calibration, fitted on these snapshots."""
        learned = fit_again(self._family, self._learned, *stacked(_seen(snapshots, self.features)))
        return FamilyModel(self._family, learned, self.features, self.calibrator, self.encoder)

    def to_bytes(self) -> bytes:
        """JSON."""
        content = {
            "family": self._family,
            "features": self.features,
            "learned": written(self._learned),
            "calibrator": asdict(self.calibrator),
            "encoder": base64.b64encode(self.encoder).decode(),
        }
        return json.dumps(content).encode()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FamilyModel:
        """The model whose JSON `to_bytes` wrote."""
        calibrator = calibrator_of(data["calibrator"])
        encoder = base64.b64decode(data.get("encoder", ""))
        return cls(data["family"], read(data["learned"]), data["features"], calibrator, encoder)


def train_family(
    snapshots: Sequence[Snapshot], horizon_days: int, settings: Settings, encoder: bytes = b""
) -> FamilyModel:
    """Train `settings.family` on snapshots (oldest first, with labels); InternalError when none can validate another.

    Calibrated on what models of earlier cuts said of each of the last `folds` cuts, as `propensity.model.train`. encoder:
    whose vectors are among the columns; nothing else is seen then.
    """
    features = [str(name) for name in snapshots[0].features if not encoder or str(name).startswith(VECTOR)]
    snapshots = _seen(snapshots, features)
    folds = temporal_folds(snapshots, horizon_days, settings)
    said = []
    for past, held in folds:
        learned = fit_one(settings.family, stacked(past), stacked([held]))
        said.append(learned.log_odds(columns_of(held.features, features)))
    calibrator = held_out_calibrator(said, [held for _, held in folds], settings)
    # The last fold's model has seen what stacking and boosting look at; its choices hold for all cuts.
    learned = fit_again(settings.family, learned, *stacked(snapshots))
    return FamilyModel(settings.family, learned, features, calibrator, encoder)


def _seen(snapshots: Sequence[Snapshot], names: Sequence[str]) -> list[Snapshot]:
    return [replace(snapshot, features=snapshot.features[list(names)]) for snapshot in snapshots]
