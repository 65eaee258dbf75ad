"""One person removed from the data of a workspace, for good: warehouse, vault, exports, and later loads.

The warehouse is copied without the person into a new file, because a deleted row stays readable in the old
one. The pseudonym goes on a list first, so that an erasure cut off half-way is finished by running it again,
and a later load of the same files does not bring the person back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb

from segments.atomic import sha256_of, write_text
from segments.errors import ConflictError, NotFoundError
from segments.ports import Progress, silent
from warehouse.connection import connect
from warehouse.export import (
    MANIFEST,
    clear_unfinished,
    members_files,
    read_manifest,
    readable_members,
    withdraw,
    write_members,
)
from warehouse.pseudonyms import (
    erased_pseudonyms,
    forget,
    load_or_create_key,
    note_erased,
    pseudonym,
    read_vault,
)
from warehouse.store import FILE, replacing
from warehouse.write import attach_old, count, looking_into


@dataclass(frozen=True)
class Erasure:
    """What was removed: rows by table, members files that named the person, and what still does (nothing)."""

    rows: dict[str, int]
    exports: tuple[str, ...]
    traces: tuple[str, ...]


def erase(folder: Path, source_id: str, progress: Progress = silent) -> Erasure:
    """Remove the customer with this id of the source data.

    Raises NotFoundError when there is no such customer and none was erased under this id before.
    """
    customer = pseudonym(load_or_create_key(folder), source_id)
    known = read_vault(folder)["customer_id"]
    if customer not in set(known) and customer not in erased_pseudonyms(folder):
        raise NotFoundError(
            f"customer: there is no customer '{source_id}'; give an id of the source data.",
            f"customer：没有客户“{source_id}”；请给出源数据中的编号。",
        )
    note_erased(folder, customer)
    progress(0.1, "copying the warehouse without the customer")
    rows = _copy_without(folder / FILE, customer)
    progress(0.8, "removing the customer from the vault and from exports")
    forget(folder, customer)
    clear_unfinished(folder / "exports")
    exports = [path for path in members_files(folder / "exports") if _remove_from(path, source_id)]
    traces = find_traces(folder, customer, source_id)
    progress(1.0, "erased")
    return Erasure(rows, tuple(str(path.relative_to(folder)) for path in exports), tuple(traces))


def find_traces(folder: Path, customer: str, source_id: str) -> list[str]:
    """Where the data stores still hold the person: tables, the vault, members files. Empty is the proof."""
    found = []
    with looking_into(folder / FILE) as connection:
        for table in _customer_tables(connection):
            if count(connection, f'SELECT count(*) FROM "{table}" WHERE customer_id = $1', [customer]):
                found.append(f"warehouse table {table}")
    if customer in set(read_vault(folder)["customer_id"]):
        found.append("vault")
    for path in members_files(folder / "exports"):
        members = readable_members(path)
        if members is None or source_id in members:
            found.append(str(path.relative_to(folder)))
    return found


def _customer_tables(connection: duckdb.DuckDBPyConnection) -> Collection[str]:
    """The tables of the attached warehouse that name customers."""
    rows = connection.execute(
        "SELECT table_name FROM duckdb_columns() WHERE column_name = 'customer_id' "
        "AND database_name = 'old' AND NOT internal"
    ).fetchall()
    return sorted({str(row[0]) for row in rows})


def _copy_without(path: Path, customer: str) -> dict[str, int]:
    removed: dict[str, int] = {}
    with replacing(path) as partial, connect(partial) as connection:
        attach_old(connection, path)
        theirs = _customer_tables(connection)
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'old' AND table_name <> 'daily' ORDER BY 1"
        ).fetchall()
        for (table,) in tables:
            if table not in theirs:
                connection.execute(f'CREATE TABLE "{table}" AS SELECT * FROM old."{table}"')
                continue
            removed[table] = count(
                connection, f'SELECT count(*) FROM old."{table}" WHERE customer_id = $1', [customer]
            )
            connection.execute(
                f'CREATE TABLE "{table}" AS SELECT * FROM old."{table}" '
                f"WHERE customer_id IS DISTINCT FROM '{customer}'"
            )
    return removed


def _remove_from(path: Path, source_id: str) -> bool:
    """Take the person out of an export's file; its manifest then tells the smaller count.

    A file or manifest that is damaged cannot be used any more, nor be shown to be without the person: that export goes.
    """
    members = readable_members(path)
    if members is not None and source_id not in members:
        return False
    try:
        manifest = read_manifest(path.parent)
    except ConflictError:
        manifest = None
    if members is None or manifest is None:
        withdraw(path.parent)
        return True
    kept = [member for member in members if member != source_id]
    temporary = path.with_name(f".kept{path.suffix}")
    write_members(temporary, kept)
    digest = sha256_of(temporary)
    changed = replace(manifest, count=len(kept), sha256=digest, total=None, reachable={})
    os.replace(temporary, path)
    write_text(path.parent / MANIFEST, json.dumps(asdict(changed), indent=1))
    return True
