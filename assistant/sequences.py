"""What families of models on sequences see: vectors of customers' shopping days, by encoders trained before any fold.

An encoder learns without labels on purchases before the first date that anything is calibrated on, so that no fold is
judged by what its encoder has seen. A model keeps its encoder: what is put back in use sees what it saw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import indexes.encoder
from assistant.behaviour import folder_of
from assistant.workspace import Workspace
from indexes.text import DEFAULT, RememberedTexts, SentenceEncoder
from propensity.compare import FOLDS, fold_cuts, split
from propensity.families import ON_SEQUENCES
from propensity.family_model import VECTOR
from segments.errors import InternalError
from segments.ports import Progress, Snapshot, TextEncoder
from warehouse.store import Warehouse

if TYPE_CHECKING:
    from indexes.encoder.encoder import LearnedEncoder

COLUMNS = ("customer_id", "item_id", "ts", "value")


class ShoppingDays:
    """The sequence encoders of one warehouse (satisfies `segments.ports.SequenceEncoders`).

    folder: of checkpoints, from which an interrupted training goes on; None where nothing is trained. text: the text
    encoder that items of a new encoder start from. PyTorch is loaded by what needs it.
    """

    def __init__(self, warehouse: Warehouse, folder: Path | None = None, text: str = DEFAULT) -> None:
        self._warehouse, self._folder, self._text = warehouse, folder, text
        self._texts: dict[str, TextEncoder] = {}
        self._encoders: dict[bytes, LearnedEncoder] = {}
        self._vectors: dict[tuple[bytes, date], pd.DataFrame] = {}

    @cached_property
    def version(self) -> str:
        """12 hex digits over the encoders' source."""
        digest = hashlib.sha256()
        for path in sorted(Path(indexes.encoder.__file__).parent.glob("*.py")):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]

    def train(self, kind: str, before: date, steps: int, progress: Progress) -> bytes:
        """An encoder trained on purchases before a date. Raises DataError where there are none."""
        from indexes.encoder.encoder import train_encoder
        from indexes.encoder.network import KINDS, Shape
        from indexes.encoder.training import Training

        if self._folder is None:
            raise InternalError("There is no folder for the checkpoints of a training.")
        shape = Shape(next(known for known in KINDS if known == kind))
        made = train_encoder(
            self._warehouse.events("purchase", *COLUMNS),
            self._warehouse.fetch(self._warehouse.table("items")),
            self._encoder_of(self._text),
            before,
            self._folder / f"before-{before}" / kind,
            shape,
            Training(steps=steps),
            progress,
        )
        return made.to_bytes()

    def vectors(self, encoder: bytes, as_of: date) -> pd.DataFrame:
        """Every customer's vector as of a date, by customer_id."""
        name = hashlib.sha256(encoder).digest()
        if (name, as_of) not in self._vectors:
            self._vectors[name, as_of] = self._read(name, encoder, as_of)
        return self._vectors[name, as_of]

    def _read(self, name: bytes, content: bytes, as_of: date) -> pd.DataFrame:
        from indexes.encoder.encoder import LearnedEncoder

        if name not in self._encoders:
            self._encoders[name] = LearnedEncoder.from_bytes(content, self._encoder_of)
        items = self._warehouse.fetch(self._warehouse.table("items"))
        bought = self._warehouse.events("purchase", *COLUMNS)
        found = self._encoders[name].encode(bought, items, list(self._warehouse.features(as_of).index), as_of)
        index = pd.Index(found.customer_ids, name="customer_id")
        return pd.DataFrame(found.matrix, index).rename(columns=(VECTOR + "{}").format)

    def _encoder_of(self, name: str) -> TextEncoder:
        if name not in self._texts:
            self._texts[name] = RememberedTexts(SentenceEncoder(name))
        return self._texts[name]


def days_of(workspace: Workspace, warehouse: Warehouse) -> ShoppingDays:
    """A workspace's, able to train."""
    return ShoppingDays(warehouse, folder_of(workspace), workspace.settings.encoder)


def sequence_snapshots(
    days: ShoppingDays,
    snapshots: Sequence[Snapshot],
    horizon_days: int,
    steps: int,
    progress: Callable[[str], Progress],
) -> dict[str, list[Snapshot]]:
    """By family: the same cuts, customers and labels with its encoder's vectors for columns.

    steps: of training. Raises DataError when there are too few cuts.
    """
    cuts = [snapshot.as_of for snapshot in snapshots]
    end = split(cuts, fold_cuts(cuts, horizon_days)[-FOLDS:][0], horizon_days)[1]
    found = {}
    for family in ON_SEQUENCES:
        encoder = days.train(family.name, end, steps, progress(f"Train the {family.name}"))
        found[family.name] = [
            replace(each, features=days.vectors(encoder, each.as_of).reindex(each.features.index))
            for each in snapshots
        ]
    return found
