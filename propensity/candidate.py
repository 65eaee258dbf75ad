"""What a training leaves of one model: its cards, and everything that the registry keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from propensity.drift import Reference
from propensity.evaluate import RFM, Evaluation
from propensity.model import CalibratedModel
from propensity.next_action import NextActionModel
from propensity.plan import TemporalPlan


@dataclass(frozen=True)
class Card:
    """What a model is and how it did, dates in ISO form.

    The figures are those of the model trained on `train_cuts` and tested on `test_cut`; the served model
    has the same rounds and calibration, fitted on `served_cuts`, and scores customers as of `scored_as_of`.
    The card of `purchase_30d:*` has the mean AUC over its `categories` largest categories. family: the served model's, of
    `propensity.families`; empty for a next action's.
    """

    outcome: str
    model: str
    train_cuts: tuple[str, ...]
    validation_cuts: tuple[str, ...]
    test_cut: str
    customers: int
    positives: int
    auc: float
    auc_low: float
    auc_high: float
    level: float
    ece: float
    ece_bins: int
    brier: float
    lift_top_decile: float
    baseline_auc: float
    baseline_ece: float
    baseline_features: tuple[str, ...]
    features: tuple[str, ...]
    rounds: int
    calibration: str
    served_cuts: tuple[str, ...]
    scored_as_of: str
    data_hash: str
    code_version: str
    created: str
    categories: int = 0
    family: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


@dataclass(frozen=True)
class Lineage:
    """From what a model was made: the data and the code, as hashes."""

    data_hash: str
    code_version: str


def card(
    outcome: str,
    model: str,
    result: Evaluation,
    served: CalibratedModel | NextActionModel,
    plan: TemporalPlan,
    held: Sequence[date],
    lineage: Lineage,
) -> Card:
    """The card of an outcome. served: the model in use. plan: the stages it went through; held: its validation cuts."""
    return Card(
        outcome=outcome,
        model=model,
        train_cuts=_iso(plan.train),
        validation_cuts=_iso(held),
        test_cut=plan.test.isoformat(),
        **asdict(result),
        baseline_features=RFM,
        features=served.features,
        rounds=served.rounds,
        calibration=served.calibration,
        served_cuts=_iso(plan.served),
        scored_as_of=plan.as_of.isoformat(),
        data_hash=lineage.data_hash,
        code_version=lineage.code_version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        family=served.family if isinstance(served, CalibratedModel) else "",
    )


def _iso(cuts: Sequence[date]) -> tuple[str, ...]:
    return tuple(cut.isoformat() for cut in cuts)


@dataclass(frozen=True)
class Candidate:
    """Everything a training leaves of one model.

    model: the served one, as bytes; trial: the one that was tested, None in models of older versions. scores:
    customers by outcomes. tested: probabilities and labels of the test cut, by customer_id, columns `<outcome>` and
    `label:<outcome>`. reference: the training columns' distributions (`propensity.drift`). asked: the declaration
    of an outcome of the workspace's own (`propensity.declared.to_json`). checked: the data and code for which this
    model was preferred to a newer one.
    """

    name: str
    model: bytes
    scores: pd.DataFrame
    cards: tuple[Card, ...]
    trial: bytes | None = None
    tested: pd.DataFrame | None = None
    reference: Reference | None = None
    asked: dict[str, Any] | None = None
    checked: Lineage | None = None
