"""Whether what a model sees has moved away from what it learned on: the population stability index (PSI).

PSI is the sum over bins of (share now - share then) * ln(share now / share then) (Siddiqi, 2006). Bins are tenths of the
training values, with one more for missing ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

BINS = 10
WATCH, MOVED = 0.1, 0.25
"""Below the first nothing has moved; from the second on a model should be trained anew (Siddiqi, 2006)."""
LEAST = 1e-4
"""The share of an empty bin, so that a logarithm exists."""
Reference = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Drift:
    """How far one column has moved."""

    name: str
    psi: float

    @property
    def verdict(self) -> str:
        """stable, watch or moved."""
        return "moved" if self.psi >= MOVED else "watch" if self.psi >= WATCH else "stable"


def reference(frames: Sequence[pd.DataFrame]) -> Reference:
    """Edges and shares of each numeric column over the frames, as JSON takes them."""
    found: Reference = {}
    for name in frames[0]:
        values = np.concatenate([frame[name].to_numpy(dtype="float64") for frame in frames])
        known = values[np.isfinite(values)]
        edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else np.array([])
        found[str(name)] = {"edges": edges.tolist(), "shares": _shares(values, edges).tolist()}
    return found


def drifts(then: Mapping[str, Any], now: pd.DataFrame) -> list[Drift]:
    """The columns of a reference, the most moved first; one that is not there any more counts as all missing."""
    found = []
    for name, bins in then.items():
        values = now[name].to_numpy(dtype="float64") if name in now else np.full(len(now), np.nan)
        found.append(Drift(name, psi(bins["shares"], _shares(values, np.array(bins["edges"])))))
    return sorted(found, key=lambda drift: -drift.psi)


def psi(then: Iterable[float], now: Iterable[float]) -> float:
    """The index of two distributions over the same bins."""
    before, after = (np.maximum(np.asarray(list(shares)), LEAST) for shares in (then, now))
    return float(((after - before) * np.log(after / before)).sum())


def _shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    places = np.where(known, np.searchsorted(edges, values, side="left"), len(edges) + 1)
    return np.asarray(np.bincount(places, minlength=len(edges) + 2) / max(1, len(values)))
