"""What makes the behaviour index of a workspace: the plain aggregate, a learned encoder, or both side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assistant.workspace import Workspace
from indexes.behaviour import BehaviourVectors, encode_behaviour
from indexes.encoder.decision import AGGREGATE, TRAINED, Decision
from indexes.text import SentenceEncoder
from segments.atomic import sha256_of
from segments.ports import Progress
from warehouse.store import Warehouse


@dataclass(frozen=True)
class Wanted:
    """The encoder that the index is to be made with, and why."""

    name: str
    why: str

    @property
    def learned(self) -> str | None:
        """The kind of learned encoder in it."""
        kind = self.name.split(" + ")[-1]
        return None if kind == AGGREGATE else kind


def wanted(workspace: Workspace) -> Wanted:
    """What the settings name, else what was decided, else the aggregate. Raises DataError for a damaged decision."""
    named = workspace.settings.behaviour_encoder
    if named != "auto":
        return Wanted(named, f"encoder: {named}, as the settings name it")
    decided = Decision.load(folder_of(workspace))
    if decided is None:
        return Wanted(AGGREGATE, "encoder: aggregate, since no learned one was compared with it")
    return Wanted(decided.encoder, f"encoder: {decided.encoder}. {decided.words}")


def folder_of(workspace: Workspace) -> Path:
    """Where the learned encoders of a workspace are."""
    return workspace.index / "encoder"


def made_from(workspace: Workspace) -> str:
    """Changes with the encoder and with its training; empty for the aggregate."""
    found = wanted(workspace)
    if found.learned is None:
        return ""
    path = folder_of(workspace) / found.learned / TRAINED
    return f"{found.name} {sha256_of(path) if path.exists() else 'not trained'}"


def behind(name: str) -> str:
    """The encoder, as the settings name it, that made vectors of that name."""
    return " + ".join(part.split(":")[0] for part in name.split(" + "))


def behaviour_vectors(
    workspace: Workspace, warehouse: Warehouse, progress: Progress
) -> tuple[BehaviourVectors, str]:
    """Every customer's vector as of the warehouse's date, and why by this encoder.

    Raises NotBuiltError for a learned encoder that was not trained, DataError for one of another text encoder.
    """
    found, text = wanted(workspace), SentenceEncoder(workspace.settings.encoder)
    purchases = warehouse.events("purchase", "customer_id", "item_id", "ts", "value")
    items, features = warehouse.fetch(warehouse.table("items")), warehouse.features()
    if found.learned is None:
        return encode_behaviour(purchases, items, features, text, warehouse.as_of, progress), found.why
    # PyTorch takes seconds to load: only those whose index needs it wait.
    from indexes.encoder.encoder import LearnedEncoder, joined

    encoder = LearnedEncoder.load(folder_of(workspace) / found.learned, text)
    progress(0.1, f"shopping days read by the {found.learned}")
    learned = encoder.encode(purchases, items, list(features.index), warehouse.as_of)
    if found.name == found.learned:
        return learned, found.why
    aggregate = encode_behaviour(purchases, items, features, text, warehouse.as_of, progress)
    return joined(aggregate, learned), found.why
