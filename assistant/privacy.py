"""One person erased from a whole workspace: the data stores, the index, segments and conversations that name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.conversations import Conversations
from assistant.documents import KINDS, documents_of
from assistant.library import Library
from assistant.mentions import Mention
from assistant.workspace import Workspace
from indexes.discoveries import Discoveries
from indexes.index import CustomerIndex
from propensity.registry import Registry
from propensity.versions import Versions
from segments.definition import Node, SimilarityCondition, every_condition
from segments.ports import Progress, silent
from warehouse.erase import Erasure, erase
from warehouse.pseudonyms import load_or_create_key, pseudonym


@dataclass(frozen=True)
class ErasedPerson:
    """What was removed, and where the person is still found (nowhere, when all went well)."""

    data: Erasure
    in_index: bool
    segments: tuple[str, ...]
    conversations: int
    traces: tuple[str, ...]


def erase_person(workspace: Workspace, source_id: str, progress: Progress = silent) -> ErasedPerson:
    """Erase a customer by the retailer's own id. Raises NotFoundError when there is no such customer.

    The assistant must not be running: it holds the warehouse open (StorageError says so).
    """
    customer = pseudonym(load_or_create_key(workspace.folder), source_id)
    data = erase(workspace.folder, source_id, progress)
    index = CustomerIndex.load(workspace.index, "cpu")
    known = customer in index.customer_ids
    if known:
        index.remove([customer])
        index.save(workspace.index)
    discoveries = Discoveries(workspace.folder)
    discoveries.forget(customer)
    library = Library(workspace.state, workspace.settings.parameters)
    named = [saved.name for saved in library.all() if _speaks_of(saved.definition, customer)]
    for name in named:
        library.delete(name)
    stores = [documents_of(workspace, kind) for kind in KINDS]
    for store in stores:
        store.forget(customer)
    registry = Registry(workspace.models)
    registry.forget(customer)
    Versions(registry).forget(customer)
    conversations = Conversations(workspace.conversations)
    mention = mention_of(workspace, source_id)
    forgotten = conversations.forget(mention)
    traces = list(data.traces)
    if customer in CustomerIndex.load(workspace.index, "cpu").customer_ids:
        traces.append("behaviour index")
    if discoveries.forget(customer):
        traces.append("discovered clusters")
    if any(_speaks_of(saved.definition, customer) for saved in library.all()):
        traces.append("saved segments")
    if any(store.forget(customer) for store in stores):
        traces.append("plans and experiments")
    traces += [str(path) for path in _damaged(workspace) if customer.encode() in path.read_bytes()]
    if registry.forget(customer) or Versions(registry).forget(customer):
        traces.append("propensity scores")
    if conversations.forget(mention):
        traces.append("conversations")
    return ErasedPerson(data, known, tuple(named), forgotten, tuple(traces))


def mention_of(workspace: Workspace, source_id: str) -> Mention:
    """How stored texts speak of the customer with this id."""
    return Mention(pseudonym(load_or_create_key(workspace.folder), source_id), source_id)


def _damaged(workspace: Workspace) -> Iterator[Path]:
    """Files of plans and experiments that could not be moved into the state."""
    for kind in KINDS:
        yield from (workspace.folder / f"{kind}s").glob("*.json")


def _speaks_of(definition: Node, customer: str) -> bool:
    return any(
        isinstance(condition, SimilarityCondition) and condition.customer == customer
        for condition in every_condition(definition)
    )
