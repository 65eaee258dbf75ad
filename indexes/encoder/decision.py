"""Whether a learned encoder makes the index in place of the aggregate: only where it is better beyond chance.

A rival's AUROC less the aggregate's is paired by customer; its interval is a bootstrap over customers of the held-out
tasks. What was decided, and why, is kept beside the encoders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from indexes.encoder.evaluate import Scores, Tasks
from segments.atomic import write_text
from segments.errors import DataError

AGGREGATE = "aggregate"
FILE = "decision.json"
TRAINED = "encoder.pt"
"""A trained encoder's file; named here, where PyTorch is not loaded."""
LEVEL, RESAMPLES, SEED = 0.95, 200, 7


@dataclass(frozen=True)
class Gain:
    """Mean AUROC (of churn, categories, products) less the aggregate's, and that of the products alone, with intervals."""

    mean: float
    low: float
    high: float
    product: float
    product_low: float
    product_high: float

    @property
    def sure(self) -> bool:
        """Whether both are above the aggregate's, the mean beyond chance."""
        return self.low > 0 and self.product > 0


def gain(base: pd.DataFrame, rival: pd.DataFrame, found: Tasks) -> Gain:
    """Compare what two heads said of the same tasks (customers by tasks, `linear_head`)."""
    count = len(found.labels)
    drawn = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    weights = np.vstack([np.ones(count), drawn])
    kinds = []
    for kind in ("churn", "category", "product"):
        each = []
        for name in found.of(kind):
            known = found.labels[name].notna().to_numpy()
            labels, part = found.labels.loc[known, name].to_numpy(), weights[:, known]
            each.append(
                _areas(labels, rival.loc[known, name].to_numpy(), part)
                - _areas(labels, base.loc[known, name].to_numpy(), part)
            )
        # A resample without any customer of one label tells nothing of that task.
        kinds.append(np.nanmean(each, axis=0))
    mean, edges = np.mean(kinds, axis=0), [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.nanquantile(mean[1:], edges)
    product_low, product_high = np.nanquantile(kinds[2][1:], edges)
    return Gain(
        float(mean[0]),
        float(low),
        float(high),
        float(kinds[2][0]),
        float(product_low),
        float(product_high),
    )


def _areas(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """AUROC under each row of weights, ties half; NaN where only one label has weight."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    positive = np.add.reduceat(weights[:, order] * labels[order], starts, axis=1)
    negative = np.add.reduceat(weights[:, order] * (1 - labels[order]), starts, axis=1)
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(pairs > 0, (positive * below).sum(axis=1) / pairs, np.nan))


@dataclass(frozen=True)
class Decision:
    """encoder: `aggregate`, a kind of learned encoder, or both (`aggregate + lstm`). gains: of every rival."""

    encoder: str
    words: str
    as_of: str
    gains: Mapping[str, Gain]

    def save(self, folder: Path) -> None:
        """Keep it beside the encoders."""
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / FILE, json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, folder: Path) -> Decision | None:
        """What was decided; None before anything was compared. Raises DataError for a file that cannot be read."""
        path = folder / FILE
        if not path.exists():
            return None
        try:
            data = json.loads(path.read_bytes())
            gains = {name: Gain(**one) for name, one in data["gains"].items()}
            if data["encoder"] != AGGREGATE and data["encoder"] not in gains:
                raise ValueError(f"it names the encoder '{data['encoder']}', which was not compared")
            return cls(data["encoder"], data["words"], data["as_of"], gains)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{path} is damaged ({error}); compare again with: segassist index train-encoder, or name the encoder in "
                "segassist.toml (behaviour_encoder)"
            ) from error


def decide(judged: Mapping[str, Scores], gains: Mapping[str, Gain], as_of: date) -> Decision:
    """The rival with the most mean AUROC of those that are surely better, else the aggregate."""
    base = judged[AGGREGATE]
    able = [name for name in gains if gains[name].sure] or list(gains)
    best = max(able, key=lambda name: gains[name].mean)
    found, by = judged[best], gains[best]
    told = (
        f"mean AUROC {found.mean:.4f} against {base.mean:.4f} ({by.mean:+.4f}, {LEVEL:.0%} interval {by.low:+.4f} to "
        f"{by.high:+.4f}), product propensity {found.product:.4f} against {base.product:.4f}"
    )
    if by.sure:
        words = f"The {best} beats the aggregate on held-out tasks: {told}."
        return Decision(best, words, as_of.isoformat(), dict(gains))
    words = f"The aggregate stays the default: the {best} is not surely better on held-out tasks ({told})."
    return Decision(AGGREGATE, words, as_of.isoformat(), dict(gains))
