"""The ledger of a warehouse: which files it was made from, by the hash of their content, and what columns they had.

It lives in the warehouse's own file, so that what the ledger says and what the tables hold are always one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from segments.atomic import sha256_of
from warehouse.write import looking_into, read_meta

Columns = Mapping[str, str]
"""Column name -> DuckDB's type."""

TABLE = "table:"
"""The name of what was read of a database's table begins so: 'table:orders@2026-11-27 10:00:00'."""
NO_NUMBER = -1
"""Of a file that is found, before an intake numbers what it takes."""


@dataclass(frozen=True)
class File:
    """An ingested file. number: what its events carry as `file_no`; sources: places in the mapping it is read by."""

    number: int
    name: str
    sources: tuple[int, ...]
    size: int
    changed_ns: int
    sha256: str
    ingested_on: date


@dataclass(frozen=True)
class Ledger:
    """What was ingested: the mapping's mark, the files, and each source's columns.

    base: id of the last load in full, which later days were added to. made_by: the code that loaded it.
    """

    mapping: str
    made_by: str
    base: str
    files: tuple[File, ...]
    columns: Mapping[int, Columns]


def mark(mapping: str, files: Collection[File]) -> str:
    """16 hex digits of a mapping and the content of files: others whenever another content was ingested."""
    said = sorted(f"{file.name}|{file.sha256}" for file in files)
    return hashlib.sha256("\n".join((mapping, *said)).encode()).hexdigest()[:16]


def examine(path: Path, name: str, sources: Sequence[int], known: File | None) -> File:
    """A file as it is now, without a number.

    Its content is read only when size or time of change differ from what is known.
    """
    stat = path.stat()
    same = known is not None and (known.size, known.changed_ns) == (stat.st_size, stat.st_mtime_ns)
    digest = known.sha256 if known is not None and same else sha256_of(path)
    return File(NO_NUMBER, name, tuple(sources), stat.st_size, stat.st_mtime_ns, digest, date.today())


def examine_table(table: str, place: int, upto: str) -> File:
    """What a database's table holds up to a value of its growing column, as a file is known."""
    name = f"{TABLE}{table}@{upto}"
    return File(NO_NUMBER, name, (place,), 0, 0, hashlib.sha256(name.encode()).hexdigest(), date.today())


def read_up_to(ledger: Ledger, table: str, place: int) -> str:
    """Up to which value a table was read; empty when it was not."""
    begins = f"{TABLE}{table}@"
    read = [f for f in ledger.files if f.sources == (place,) and f.name.startswith(begins)]
    return max(read, key=lambda file: file.number).name.removeprefix(begins) if read else ""


def read_ledger(path: Path) -> Ledger | None:
    """The ledger of a warehouse file; None for one that is missing, damaged or made from no files."""
    if not path.exists():
        return None
    try:
        with looking_into(path) as connection:
            return _read(connection)
    except duckdb.Error:
        return None


def _read(connection: duckdb.DuckDBPyConnection) -> Ledger | None:
    said = read_meta(connection).get("ledger")
    if said is None:
        return None
    rows = connection.execute("SELECT * FROM ingested_files ORDER BY file_no").fetchall()
    files = [
        File(number, name, tuple(sources), size, changed, sha256, day)
        for number, name, sources, size, changed, sha256, day in rows
    ]
    columns: dict[int, dict[str, str]] = {}
    for source, name, kind in connection.execute("SELECT * FROM ingested_columns").fetchall():
        columns.setdefault(source, {})[name] = kind
    return Ledger(said["mapping"], said["made_by"], said["base"], tuple(files), columns)


def write_ledger(
    connection: duckdb.DuckDBPyConnection, files: Sequence[File], columns: Mapping[int, Columns]
) -> None:
    """Note files and columns in the open warehouse; a file's or column's earlier entry makes place."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS ingested_files (file_no INTEGER, name VARCHAR, sources INTEGER[], "
        "bytes BIGINT, changed_ns BIGINT, sha256 VARCHAR, ingested_on DATE)"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS ingested_columns (source INTEGER, name VARCHAR, type VARCHAR)"
    )
    for file in files:
        connection.execute("DELETE FROM ingested_files WHERE name = $1", [file.name])
        values: list[Any] = [file.number, file.name, list(file.sources), file.size, file.changed_ns]
        connection.execute(
            "INSERT INTO ingested_files VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [*values, file.sha256, file.ingested_on],
        )
    for source, known in columns.items():
        for name, kind in known.items():
            connection.execute("DELETE FROM ingested_columns WHERE source = $1 AND name = $2", [source, name])
            connection.execute("INSERT INTO ingested_columns VALUES ($1, $2, $3)", [source, name, kind])
