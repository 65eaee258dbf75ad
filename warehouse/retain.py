"""Retention by age: events before a date removed for good, with the persons of whom nothing is left.

The warehouse is copied without them into a new file, because a deleted row stays readable in the old one. The date is
kept in the warehouse, so that a later load of old files does not bring them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from segments.errors import ConflictError, UserError
from segments.ports import Progress, silent
from warehouse.connection import connect
from warehouse.export import MANIFEST, clear_unfinished, read_manifest, withdraw
from warehouse.pseudonyms import keep_only, read_vault
from warehouse.store import FILE, replacing, write_features
from warehouse.write import attach_old, count, has_table, looking_into, read_meta, write_meta

DATED = ("events", "rejects", "reviews", "review_scores")
"""The last two are only where there are reviews."""


@dataclass(frozen=True)
class Retained:
    """What was removed: rows by table, exports, and what is still older (nothing). before: the date."""

    before: date
    rows: dict[str, int]
    exports: tuple[str, ...]
    traces: tuple[str, ...]


def retain(folder: Path, months: int, progress: Progress = silent) -> Retained:
    """Keep only the last `months` months before the as-of date.

    Raises UserError for less than one month.
    """
    if months < 1:
        raise UserError(
            f"--months: must be at least 1; got {months}.", f"--months：至少为1，而给的是{months}。"
        )
    with replacing(folder / FILE) as partial:
        progress(0.0, "copying what is young enough")
        connection = connect(partial)
        try:
            attach_old(connection, folder / FILE)
            as_of = read_meta(connection, "old.meta")["as_of"]
            row = connection.execute(f"SELECT (DATE '{as_of}' - INTERVAL {months} MONTH)::DATE").fetchone()
            before = row[0] if row else date.min
            rows = _copy(connection, before)
        finally:
            connection.close()
        progress(0.5, "computing the feature mart")
        write_features(partial)
    progress(0.9, "forgetting who has nothing left")
    rows["vault"] = keep_only(folder, _known(folder))
    exports = _remove_exports(folder, before)
    progress(1.0, "retained")
    return Retained(before, rows, tuple(exports), tuple(older(folder, before)))


def older(folder: Path, before: date) -> list[str]:
    """Where the stores still hold something from before the date, or a person without events. Empty is the proof."""
    found = []
    with looking_into(folder / FILE) as connection:
        for table in (name for name in DATED if has_table(connection, name)):
            if count(connection, f"SELECT count(*) FROM {table} WHERE ts < TIMESTAMP '{before}'"):
                found.append(f"warehouse table {table}")
    if set(read_vault(folder)["customer_id"]) - _known(folder):
        found.append("vault")
    return found + [path.name for path in _old_exports(folder, before)]


def _copy(connection: duckdb.DuckDBPyConnection, before: date) -> dict[str, int]:
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'old' ORDER BY table_name <> 'events', 1"
    ).fetchall()
    removed = {}
    for (table,) in tables:
        # Of other events; they are made anew.
        if table in ("features", "daily"):
            continue
        where = ""
        if table in DATED:
            where = f"WHERE ts >= TIMESTAMP '{before}' OR ts IS NULL"
        elif table == "customers":
            where = "WHERE customer_id IN (SELECT customer_id FROM events)"
        connection.execute(f'CREATE TABLE "{table}" AS SELECT * FROM old."{table}" {where}')
        if where:
            removed[table] = count(
                connection, f'SELECT (SELECT count(*) FROM old."{table}") - (SELECT count(*) FROM "{table}")'
            )
    known = read_meta(connection)
    write_meta(connection, known | {"forget_before": before.isoformat()})
    connection.execute("DETACH old")
    return removed


def _known(folder: Path) -> set[str]:
    """Who has events, a row among the customers, rejected rows or reviews."""
    with looking_into(folder / FILE) as connection:
        named = [t for t in ("events", "customers", "rejects", "reviews") if has_table(connection, t)]
        rows = connection.execute(" UNION ".join(f"SELECT customer_id FROM {t}" for t in named)).fetchall()
    return {row[0] for row in rows if row[0] is not None}


def _old_exports(folder: Path, before: date) -> list[Path]:
    """Exports of members as of a date before, and those whose date cannot be read any more."""
    return [
        path.parent
        for path in sorted(folder.glob(f"exports/*/[!.]*/{MANIFEST}"))
        if (as_of := _date_of(path.parent)) is None or as_of < before
    ]


def _date_of(export_folder: Path) -> date | None:
    try:
        return date.fromisoformat(read_manifest(export_folder).as_of)
    except (ConflictError, ValueError):
        return None


def _remove_exports(folder: Path, before: date) -> list[str]:
    clear_unfinished(folder / "exports")
    removed = _old_exports(folder, before)
    for path in removed:
        withdraw(path)
    return [str(path.relative_to(folder)) for path in removed]
