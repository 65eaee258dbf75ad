"""Scores as of a later date by the models there are: what a new day needs, without training anything."""

from __future__ import annotations

from pathlib import Path

from propensity.registry import Registry
from propensity.tables import OutcomeTables
from propensity.training import Trainer, code_version
from segments.errors import NotBuiltError
from segments.ports import Progress, silent


def rescore_all(tables: OutcomeTables, folder: Path, progress: Progress = silent) -> None:
    """Score every customer as of the tables' date with every model of the folder.

    May be interrupted at any point: what is scored stays, and is not scored again. Raises NotBuiltError for
    models that are missing or of another version, ChecksumError for damaged ones: those must be trained.
    """
    registry, version = Registry(folder), code_version()
    today, data_hash = tables.as_of.isoformat(), tables.data_hash
    registry.check()
    names = registry.names()
    if any(registry.card(name).code_version != version for name in names):
        raise NotBuiltError("The propensity models are of another version; run: segassist build")
    trainer = Trainer(tables, registry, version)
    for place, name in enumerate(names):
        if registry.scored_on(name) == data_hash:
            continue
        progress(place / len(names), f"{name}: scores as of {today}")
        registry.rescore(name, trainer.scores(name, registry.model(name)), today, data_hash)
    progress(1.0, "scores ready")
