"""How the engine reads files of one kind: CSV, Parquet or JSON lines, with what is wrong where it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from segments.errors import DataError
from warehouse.connection import quoted
from warehouse.encodings import detected, parquet
from warehouse.ledger import Columns
from warehouse.mapping import Source

MANY_LINES = ("reviews",)
"""Sources whose values often go over several lines."""


def reader(
    paths: Sequence[Path],
    header: Sequence[str] = (),
    path_column: str = "",
    *,
    whole: bool = False,
    lines: bool = False,
    sample: int = 100_000,
) -> str:
    """The DuckDB table function for files of one kind (CSV, Parquet, JSON lines; gzip read as it is).

    path_column: a column added with each row's path. whole: whether all rows tell the types of the columns; sample: else
    how many of a CSV. lines: whether a value may go over several lines, which several threads cannot read together.
    """
    kinds = {_kind(path) for path in paths}
    if len(kinds) > 1:
        raise DataError(
            f"files: {paths[0].name} and {paths[-1].name} are of different kinds; map them apart."
        )
    listed = "[" + ", ".join(quoted(str(path)) for path in paths) + "]"
    if path_column:
        listed += f", filename = '{path_column}'"
    match kinds.pop():
        case "parquet":
            return f"read_parquet({listed}, union_by_name = true)"
        case "json":
            rows = ", sample_size = -1" if whole else ""
            return f"read_json_auto({listed}, union_by_name = true{rows})"
        case _:
            named = f", header = false, names = [{texts(header)}]" if header else ", header = true"
            rows = f"sample_size = {-1 if whole else sample}"
            alone = ", parallel = false" if whole or lines else ""
            return f"read_csv({listed}, union_by_name = true, {rows}, null_padding = true{named}{alone})"


def _kind(path: Path) -> str:
    if parquet(path):
        return "parquet"
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if {".json", ".jsonl", ".ndjson"} & set(suffixes):
        return "json"
    if {".csv", ".tsv", ".txt"} & set(suffixes):
        return "csv"
    raise DataError(f"files: {path.name} is not CSV, Parquet or JSON lines (by its ending).")


def column_names(connection: duckdb.DuckDBPyConnection, source: Source, path: Path) -> list[str]:
    """The columns of one file, from its first rows. Raises DataError naming the file."""
    return [*described(connection, source, reader([path], source.header, sample=1000), path)]


def describe(
    connection: duckdb.DuckDBPyConnection, source: Source, paths: Sequence[Path], *, whole: bool = False
) -> Columns:
    """The columns of a source's files and their types, of all rows or the first. Raises DataError naming the file."""
    return described(connection, source, reader(paths, source.header, whole=whole), paths[0])


def described(connection: duckdb.DuckDBPyConnection, source: Source, rows: str, where: str | Path) -> Columns:
    """The columns of rows and their types. Raises DataError naming where they are from."""
    try:
        found = connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
    except duckdb.Error as error:
        raise DataError(f"{source.kind}: {unreadable(where, error)}") from error
    return {row[0]: row[1] for row in found}


def unreadable(where: str | Path, error: duckdb.Error) -> str:
    """What is wrong with a file or table that the engine cannot read, and what to do where that is known."""
    said = str(error)
    found = detected(where) if isinstance(where, Path) and where.is_file() and not parquet(where) else None
    if found:
        return (
            f"cannot read {where}: it is not UTF-8 but seems to be {found.encoding}; give its table "
            f'encoding = "{found.encoding}".'
        )
    if "not utf-8" in said:
        return (
            f"cannot read {where}: it is not UTF-8; say with encoding in its table what it is, such as "
            'encoding = "gb18030", "windows-1252", "big5" or "shift_jis".'
        )
    if "Error when sniffing" in said:
        return (
            f"cannot read {where}: neither commas, semicolons, tabs nor | part all its rows alike; look for a quote that "
            "is not closed, line ends of two kinds, or a file that is no CSV."
        )
    return f"cannot read {where}: {said.splitlines()[0]}"


def texts(values: Iterable[str]) -> str:
    """SQL of a list of texts."""
    return ", ".join(quoted(value) for value in values)
