"""Whether the models in use still hold: how far their scores and features have moved, and what came true of the last
scores whose horizon is over. Asked by every refresh and by the doctor, who cannot look at each model by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from assistant.models import ModelDrift, Performance, drift_of, performance_of
from assistant.scoring import Propensities
from propensity.outcomes import CATEGORY_PREFIX
from propensity.registry import Registry
from warehouse.store import Warehouse

LEAST_CUSTOMERS = 400
"""Below this chance alone moves a PSI: of two samples of one distribution its mean is (bins - 1)(1/n + 1/m), so 0.05
for twice this many over ten bins (Yurdakul, 2018), half of what is worth watching."""


@dataclass(frozen=True)
class Watched:
    """A model in use. psi: of its scores since its test, None where too few customers tell nothing. holds: False when
    the scores have moved (`propensity.drift.MOVED`), or what came true is worse than the test said beyond chance.
    """

    outcome: str
    psi: float | None
    holds: bool
    words: str


def watch_models(scored: Propensities, registry: Registry, warehouse: Warehouse) -> tuple[Watched, ...]:
    """Every outcome that is asked of customers, not of each category: the categories' model sees the same columns.
    None where no model could be learned from the data.

    Raises NotBuiltError for models that are missing or made by an older version, ChecksumError for damaged ones.
    """
    if not registry.names():
        return ()
    names = [card.outcome for card in registry.cards() if not card.outcome.startswith(CATEGORY_PREFIX)]
    return tuple(_watched(name, scored, registry, warehouse) for name in names)


def _watched(outcome: str, scored: Propensities, registry: Registry, warehouse: Warehouse) -> Watched:
    known = [row for row in performance_of(outcome, registry, warehouse) if row.auc is not None]
    last = known[-1] if known else None
    worse = last is not None and last.auc_high is not None and last.auc_high < last.tested_auc
    came = _came_true(last, worse) if last is not None else ""
    customers = min(len(registry.tested(outcome)), len(scored.scores(outcome)))
    if customers < LEAST_CUSTOMERS:
        few = f"{outcome}: {customers} customers are too few to tell drift from chance"
        return Watched(outcome, None, not worse, few + came)
    moved = drift_of(outcome, scored, registry, warehouse.as_of)
    holds = moved.scores.verdict != "moved" and not worse
    return Watched(outcome, round(moved.scores.psi, 4), holds, _moved(moved) + came)


def _moved(found: ModelDrift) -> str:
    features = [drift.name for drift in found.features if drift.verdict == "moved"]
    named = f", most {', '.join(features[:3])}" if features else ""
    return (
        f"{found.outcome}: PSI of the scores {found.scores.psi:.3f} ({found.scores.verdict}), "
        f"{len(features)} of {len(found.features)} features moved{named}"
    )


def _came_true(row: Performance, worse: bool) -> str:
    return (
        f"; scores of {row.scored_as_of} came true with AUC {row.auc:.3f} ({row.auc_low:.3f}-{row.auc_high:.3f}), "
        f"{'worse than' if worse else 'beside'} {row.tested_auc:.3f} in the test"
    )
