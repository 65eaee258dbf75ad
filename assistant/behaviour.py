"""What makes the behaviour index of a workspace: the plain aggregate, a learned encoder, or both side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assistant.workspace import Workspace
from indexes.behaviour import Aggregate, BehaviourVectors, encode_behaviour, learn_behaviour
from indexes.encoder.decision import AGGREGATE, TRAINED, Decision
from indexes.index import CustomerIndex
from indexes.kept import KeptTexts, keep_aggregate, kept_aggregate
from indexes.text import SentenceEncoder
from indexes.update import update
from segments.atomic import sha256_of
from segments.errors import ChecksumError, NotBuiltError
from segments.ports import Progress, TextEncoder
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


@dataclass(frozen=True)
class Made:
    """Vectors, why by this encoder, and what the aggregate in it learned of all; None where it has none."""

    vectors: BehaviourVectors
    why: str
    learned: Aggregate | None


def bring_index(
    workspace: Workspace, warehouse: Warehouse, code: str, progress: Progress, anew: bool = False
) -> CustomerIndex:
    """Save the index of the warehouse's date: the one that is there with the customers who changed, or made anew.

    code: tells of the code that makes it; by other code, or asked for `anew`, it is not updated. Raises as
    `behaviour_vectors`.
    """
    text = KeptTexts(SentenceEncoder(workspace.settings.encoder), workspace.index)
    why = "it was asked for"
    if not anew:
        index, why = _updated(workspace, warehouse, code, text, progress)
        if index is not None:
            index.save(workspace.index)
            text.save()
            progress(1.0, f"{why}; {index.reason}")
            return index
    made = behaviour_vectors(workspace, warehouse, text, progress)
    index = CustomerIndex.build(made.vectors, workspace.settings.index_device, made_by=made.why)
    index.code = code
    # The aggregate first: beside an older index it has another name, and is not used.
    if made.learned is not None:
        keep_aggregate(workspace.index, made.learned)
    index.save(workspace.index)
    text.save()
    progress(1.0, f"made anew, since {why}; {index.reason}")
    return index


def _updated(
    workspace: Workspace, warehouse: Warehouse, code: str, text: TextEncoder, progress: Progress
) -> tuple[CustomerIndex | None, str]:
    """The index as it is now, or None; and what was done to it, or why it cannot be updated."""
    try:
        index = CustomerIndex.load(workspace.index, workspace.settings.index_device)
    except (NotBuiltError, ChecksumError):
        return None, "there was none that can be used"
    if index.code != code:
        return None, "other code made the one before"
    learned = kept_aggregate(workspace.index)
    if behind(index.encoder) != wanted(workspace).name or (AGGREGATE in index.encoder and learned is None):
        return None, "another encoder made the one before"
    done = update(index, behaviour_vectors(workspace, warehouse, text, progress, learned).vectors)
    return (None, done.words) if done.why_not else (index, done.words)


def behaviour_vectors(
    workspace: Workspace,
    warehouse: Warehouse,
    text: TextEncoder,
    progress: Progress,
    learned: Aggregate | None = None,
) -> Made:
    """Every customer's vector as of the warehouse's date. learned: by an aggregate of an earlier day.

    Raises NotBuiltError for a learned encoder that was not trained, DataError for one of another text encoder.
    """
    found = wanted(workspace)
    purchases = warehouse.events("purchase", "customer_id", "item_id", "ts", "value")
    items, features = warehouse.fetch(warehouse.table("items")), warehouse.features()
    vectors: BehaviourVectors | None = None
    if AGGREGATE in found.name:
        tables = purchases, items, features, text, warehouse.as_of
        if learned is None:
            vectors, learned = learn_behaviour(*tables, progress)
        else:
            vectors = encode_behaviour(*tables, progress, learned)
    if found.learned is None and vectors is not None:
        return Made(vectors, found.why, learned)
    # PyTorch takes seconds to load: only those whose index needs it wait.
    from indexes.encoder.encoder import LearnedEncoder, joined

    encoder = LearnedEncoder.load(folder_of(workspace) / str(found.learned), text)
    progress(0.9, f"shopping days read by the {found.learned}")
    read = encoder.encode(purchases, items, list(features.index), warehouse.as_of)
    return Made(read if vectors is None else joined(vectors, read), found.why, learned)
