"""Search for LightGBM's settings within a budget, on cuts that end before any fold of a comparison begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from propensity.compare import FOLDS, fold_cuts, split
from propensity.evaluate import log_losses
from propensity.families import Family, boosted, fit_families
from propensity.model import CUSTOMERS, Settings, stacked
from segments.errors import NotBuiltError
from segments.ports import Progress, Snapshot, silent

if TYPE_CHECKING:
    import optuna

SEED = 1
TUNED = ("learning_rate", "num_leaves", "min_child_samples", "feature_fraction", "bagging_fraction")
"""Settings that are searched for."""


def tune(
    snapshots: Sequence[Snapshot],
    horizon_days: int,
    trials: int,
    seconds: float = 600.0,
    folds: int = FOLDS,
    progress: Progress = silent,
) -> Settings:
    """The settings with the least log loss among `trials` (fewer when `seconds` are over), the default included.

    The search sees only cuts with labels complete before the first of the comparison's `folds`. Raises DataError when
    there are none, NotBuiltError when Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise NotBuiltError(
            "The search for settings needs Optuna; run: pip install 'segment-assistant[tuning]'"
        ) from error
    by_cut = {snapshot.as_of: snapshot for snapshot in snapshots}
    cuts = sorted(by_cut)
    first = fold_cuts(cuts, horizon_days)[-folds:][0]
    before = [cut for cut in cuts if (first - cut).days >= horizon_days]
    tests = fold_cuts(before, horizon_days)[-2:]
    data = []
    for cut in tests:
        past, held = split(before, cut, horizon_days)
        data.append([stacked([by_cut[each] for each in group]) for group in (past, [held], [cut])])

    def loss(settings: Settings) -> float:
        family = Family("trial", "trial", boosted(settings))
        total = 0.0
        for past_rows, held_rows, (features, labels) in data:
            scores = fit_families([family], past_rows, held_rows, features)["trial"]
            total += float(log_losses(labels, scores).mean())
        return total / len(data)

    def objective(trial: optuna.Trial) -> float:
        progress(trial.number / trials, f"settings {trial.number + 1} of {trials}")
        return loss(_suggest(trial))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=SEED))
    study.enqueue_trial({name: getattr(CUSTOMERS, name) for name in TUNED})
    study.optimize(objective, n_trials=trials, timeout=seconds)
    progress(1.0, "settings chosen")
    return replace(CUSTOMERS, **study.best_params)


def _suggest(trial: optuna.Trial) -> Settings:
    return replace(
        CUSTOMERS,
        learning_rate=trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
        num_leaves=trial.suggest_int("num_leaves", 3, 31, log=True),
        min_child_samples=trial.suggest_int("min_child_samples", 20, 300, log=True),
        feature_fraction=trial.suggest_float("feature_fraction", 0.1, 0.9),
        bagging_fraction=trial.suggest_float("bagging_fraction", 0.4, 1.0),
    )
