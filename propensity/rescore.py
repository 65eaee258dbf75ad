"""Scores as of a later date by the models there are: what a new day needs, without training anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from propensity.declared import Declared
from propensity.registry import Registry
from propensity.tables import OutcomeTables
from propensity.training import Trainer, code_version
from segments.ports import Progress, SequenceEncoders, silent


def rescore_all(
    tables: OutcomeTables,
    folder: Path,
    progress: Progress = silent,
    declared: Sequence[Declared] = (),
    sequences: SequenceEncoders | None = None,
) -> None:
    """Score every customer as of the tables' date with every model of the folder. sequences: as for `train_all`.

    May be interrupted at any point: what is scored stays, and is not scored again. Raises NotBuiltError for
    models that are missing or of another version, ChecksumError for damaged ones: those must be trained.
    """
    registry = Registry(folder)
    names = registry.names()
    trainer = Trainer(tables, registry, code_version(), declared, sequences)
    for place, name in enumerate(names):
        if not trainer.done(name):
            progress(place / len(names), f"{name}: scores as of {tables.as_of}")
            trainer.rescore(name)
    progress(1.0, "scores ready")
