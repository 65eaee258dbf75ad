"""A trained model of whichever kind, read back and asked about every customer it answers for."""

from __future__ import annotations

import json
from datetime import date

import pandas as pd

from propensity.calibrate import RECENT
from propensity.family_model import FamilyModel
from propensity.matrices import Matrices
from propensity.model import CalibratedModel, PropensityModel
from propensity.next_action import NextActionModel
from propensity.outcomes import POOLED
from segments.ports import NextAction, Outcome

Model = PropensityModel | FamilyModel | NextActionModel


def load(content: bytes) -> Model:
    """The model that `to_bytes` wrote."""
    data = json.loads(content)
    if "answers" in data:
        return NextActionModel.from_json(data)
    return FamilyModel.from_json(data) if "family" in data else PropensityModel.from_json(data)


def scores(
    matrices: Matrices, name: str, model: Model, asked: Outcome | NextAction | None, as_of: date
) -> pd.DataFrame:
    """Probabilities as of a date: eligible customers by outcome names. asked: None for the pooled category model.

    Raises InternalError when the data no longer has a column that the model needs.
    """
    model = dated(matrices, model, asked, as_of)
    if isinstance(model, NextActionModel):
        return model.predict_all(matrices.customers(as_of, asked.eligible if asked else None))
    if name == POOLED:
        return matrices.category_scores(model, matrices.tables.categories, as_of)
    customers = matrices.customers(as_of, asked.eligible if asked else None, model.encoder)
    return model.predict(customers).to_frame(name)


def dated(matrices: Matrices, model: Model, asked: Outcome | NextAction | None, as_of: date) -> Model:
    """The model at the level of a date, where its calibration follows the recent rate."""
    if isinstance(asked, Outcome) and isinstance(model, CalibratedModel) and model.calibration == RECENT:
        customers = matrices.customers(as_of, asked.eligible, model.encoder)
        model = model.at_rate(customers, matrices.recent_rate(asked, as_of))
    return model
