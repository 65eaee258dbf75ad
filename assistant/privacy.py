"""One person erased from a whole workspace: the data stores, the index, segments and conversations that name them; and
old events from everything that is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.build import refresh
from assistant.build_steps import MADE, is_finished
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
from warehouse.export import remove_from_tables, remove_older
from warehouse.pseudonyms import load_or_create_key, pseudonym, read_vault
from warehouse.retain import Retained, retain


@dataclass(frozen=True)
class ErasedPerson:
    """What was removed, and where the person is still found (nowhere, when all went well)."""

    data: Erasure
    in_index: bool
    segments: tuple[str, ...]
    conversations: int
    traces: tuple[str, ...]
    tables: dict[str, int]
    """Rows removed from the tables that exports went to, by table."""


def erase_person(workspace: Workspace, source_id: str, progress: Progress = silent) -> ErasedPerson:
    """Erase a customer by the retailer's own id. Raises NotFoundError when there is no such customer.

    The assistant must not be running: it holds the warehouse open (StorageError says so).
    """
    customer = pseudonym(load_or_create_key(workspace.folder), source_id)
    database = workspace.settings.export_database
    tables = remove_from_tables(workspace.folder / "exports", database, source_id) if database else {}
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
    return ErasedPerson(data, known, tuple(named), forgotten, tuple(traces), tables)


@dataclass(frozen=True)
class RetainedData:
    """What was removed, rows of the tables that exports went to by table, and where something older still is (nowhere)."""

    data: Retained
    tables: dict[str, int]
    traces: tuple[str, ...]


def retain_data(
    workspace: Workspace, months: int, progress: Callable[[str], Progress] = lambda _title: silent
) -> RetainedData:
    """Keep the last months of events, and make index and scores anew where that, or a run before that was cut off, took
    somebody out. Raises UserError for less than one month, DataError for a database of exports that cannot be reached."""
    data = retain(workspace.folder, months, progress(f"Keep the last {months} months"))
    database = workspace.settings.export_database
    tables = remove_older(workspace.folder / "exports", database, data.before) if database else {}
    if any(data.rows.values()) or _names_who_is_gone(workspace):
        refresh(workspace.folder, progress)
    left = ["behaviour index"] if _names_who_is_gone(workspace) else []
    return RetainedData(data, tables, (*data.traces, *left))


def _names_who_is_gone(workspace: Workspace) -> bool:
    """Whether the index, which is made before the scores, names somebody whom the vault does not, or was cut off."""
    if not all(is_finished(workspace.folder, name) for name in MADE):
        return True
    index = CustomerIndex.load(workspace.index, "cpu")
    return not set(index.customer_ids) <= set(read_vault(workspace.folder)["customer_id"])


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
