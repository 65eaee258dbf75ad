"""Which family of models predicts an outcome best, by log loss on later cuts, and whether a simpler one does as well.

Every fold is a cut in time: families learn on cuts whose labels are complete before it. Intervals are bootstraps over
customers, whose rows of all folds stay together; differences are paired.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from propensity.evaluate import LEVEL, auc, ece, log_losses, resampled
from propensity.families import FAMILIES, Family, Rows, fit_families
from propensity.model import labels_of, stacked
from propensity.plan import earlier
from segments.errors import DataError
from segments.ports import Progress, Snapshot, silent

FOLDS = 3


@dataclass(frozen=True)
class Row:
    """One family's figures over all folds. behind: its log loss less the best family's, with its interval; a `low` of at
    most 0 says that it is not worse beyond chance. seconds: to learn, all folds."""

    family: str
    words: str
    log_loss: float
    log_loss_low: float
    log_loss_high: float
    behind: float
    behind_low: float
    behind_high: float
    auc: float
    ece: float
    brier: float
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """All families on one outcome, best first. chosen: the simplest that is not worse than the best beyond chance."""

    rows: tuple[Row, ...]
    chosen: str
    folds: tuple[date, ...]
    customers: int

    @property
    def verdict(self) -> str:
        """The choice in a sentence."""
        best = self.rows[0]
        chosen = next(row for row in self.rows if row.family == self.chosen)
        if best.family == chosen.family:
            return f"{best.words} is the best, and better than every simpler family beyond chance."
        return (
            f"{best.words} has the least log loss but is not better than {chosen.words} beyond chance "
            f"({chosen.behind:.4f}, {LEVEL:.0%} interval {chosen.behind_low:.4f} to {chosen.behind_high:.4f}): "
            f"{chosen.words} is chosen, because it is simpler."
        )


def compare(
    snapshots: Sequence[Snapshot],
    horizon_days: int,
    families: Sequence[Family] = FAMILIES,
    progress: Progress = silent,
    folds: int = FOLDS,
    others: Mapping[str, Sequence[Snapshot]] | None = None,
) -> Comparison:
    """Compare families on snapshots with labels, oldest first. families: simplest first.

    others: by name of a family that sees other columns, snapshots of the same cuts, customers and labels.
    Raises DataError when there are too few cuts to learn, to calibrate and to test on in this order.
    """
    cuts = [snapshot.as_of for snapshot in snapshots]
    seen = {name: {each.as_of: each for each in own} for name, own in (others or {}).items()}
    by_cut = {snapshot.as_of: snapshot for snapshot in snapshots}
    tests = fold_cuts(cuts, horizon_days)[-folds:]
    parts, seconds = [], dict.fromkeys((family.name for family in families), 0.0)
    for place, cut in enumerate(tests):
        past, held = split(cuts, cut, horizon_days)
        heard = _hear(families, seconds, progress, place, len(tests), cut)
        rows = {name: _rows(own, past, held, cut) for name, own in seen.items()}
        probabilities = fit_families(families, *_rows(by_cut, past, held, cut), heard, rows)
        test = by_cut[cut]
        parts.append((test.features.index.to_numpy(), labels_of(test), probabilities))
    progress(1.0, "families compared")
    return _judge(parts, families, seconds, tests)


def _rows(by_cut: Mapping[date, Snapshot], past: Sequence[date], held: date, test: date) -> Rows:
    learned = stacked([by_cut[each] for each in past])
    return learned, stacked([by_cut[held]]), stacked([by_cut[test]])[0]


def fold_cuts(cuts: Sequence[date], horizon_days: int) -> list[date]:
    """The cuts that have one before them to calibrate on and one before that to learn on. Raises DataError."""
    able = [cut for cut in cuts if split(cuts, cut, horizon_days)[0]]
    if not able:
        raise DataError(
            f"The history has {len(cuts)} cuts; to compare families, three are needed that lie at least {horizon_days} "
            "days apart."
        )
    return able


def split(cuts: Sequence[date], test: date, horizon_days: int) -> tuple[list[date], date]:
    """The cuts to learn on and the one to calibrate on, all with labels complete where they are used."""
    past = earlier(cuts, test, horizon_days)
    return (earlier(cuts, past[-1], horizon_days), past[-1]) if past else ([], test)


def _hear(
    families: Sequence[Family],
    seconds: dict[str, float],
    progress: Progress,
    place: int,
    parts: int,
    cut: date,
) -> Callable[[str], None]:
    """What is told as each family ends: its time is noted, the progress shown."""
    names = {family.words: family.name for family in families}
    state = {"began": time.perf_counter(), "done": 0.0}

    def heard(words: str) -> None:
        now = time.perf_counter()
        seconds[names[words]] += now - state["began"]
        state["began"], state["done"] = now, state["done"] + 1
        progress((place + state["done"] / len(families)) / parts, f"{words}, tested on {cut}")

    return heard


def _judge(
    parts: Sequence[tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]],
    families: Sequence[Family],
    seconds: dict[str, float],
    tests: Sequence[date],
) -> Comparison:
    who = np.concatenate([customers for customers, _, _ in parts])
    labels = np.concatenate([known for _, known, _ in parts])
    names = [family.name for family in families]
    scores = {name: np.concatenate([probabilities[name] for _, _, probabilities in parts]) for name in names}
    losses = np.column_stack([log_losses(labels, scores[name]) for name in names])
    customers, place = np.unique(who, return_inverse=True)
    totals = np.zeros((len(customers), len(names)))
    np.add.at(totals, place, losses)
    rows_of = np.bincount(place)
    weights = resampled(len(customers))
    samples = (weights @ totals) / (weights @ rows_of)[:, None]
    means = losses.mean(axis=0)
    best = int(np.argmin(means))
    edges = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(samples, edges, axis=0)
    behind_low, behind_high = np.quantile(samples - samples[:, [best]], edges, axis=0)
    chosen = next(name for i, name in enumerate(names) if behind_low[i] <= 0)
    rows = [
        Row(
            family.name,
            family.words,
            float(means[i]),
            float(low[i]),
            float(high[i]),
            float(means[i] - means[best]),
            float(behind_low[i]),
            float(behind_high[i]),
            float(np.mean([auc(known, probabilities[family.name]) for _, known, probabilities in parts])),
            float(np.mean([ece(known, probabilities[family.name]) for _, known, probabilities in parts])),
            float(np.mean((scores[family.name] - labels) ** 2)),
            seconds[family.name],
        )
        for i, family in enumerate(families)
    ]
    return Comparison(tuple(sorted(rows, key=lambda row: row.log_loss)), chosen, tuple(tests), len(customers))
