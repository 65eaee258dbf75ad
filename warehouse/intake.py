"""What an ingest has to do: build the warehouse in full, add what is new to it, or nothing.

A file is known by its name in the mapping's folder and by its content. Content that was ingested is not
ingested again, whatever the file is called now. A known file with other content is a correction: its old
content makes place, also when another file has it now (names that rotate).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from dataclasses import replace as changed_to
from functools import partial
from pathlib import Path
from typing import Literal

import duckdb

from segments.errors import ConflictError, DataError
from warehouse.connection import identifier, scratch
from warehouse.database import Range, newest
from warehouse.drift import SchemaDrift, lacking, schema_drift
from warehouse.file_reader import column_names, describe, reader
from warehouse.ledger import TABLE, File, Ledger, examine, examine_table, mark, read_up_to
from warehouse.mapping import Mapping, Source
from warehouse.utf8 import utf8_copies
from warehouse.write import count

LATE_DAYS = 1
"""A transaction may be committed after later ones were read."""


@dataclass(frozen=True)
class Intake:
    """What to do, and with which files.

    reason: one sentence. paths: where the files are, by their number. parts: what is read of databases' tables, by the
    source's place (None: the whole table). replaced: numbers of files whose events make place. notes: what a person
    should know. mark: of the warehouse that it leads to.
    """

    action: Literal["build", "add", "nothing"]
    reason: str
    files: tuple[File, ...]
    paths: dict[Path, int]
    replaced: tuple[int, ...]
    notes: tuple[str, ...]
    mark: str
    mapping_mark: str
    parts: Table[int, Range | None] = field(default_factory=dict)


def mapping_mark(mapping: Mapping) -> str:
    """16 hex digits of what a mapping says."""
    return hashlib.sha256(repr(mapping.said).encode()).hexdigest()[:16]


def take_in(
    mapping: Mapping,
    ledger: Ledger | None,
    made_by: str,
    *,
    replace: bool = False,
    rebuild: bool = False,
    accept_drift: bool = False,
) -> Intake:
    """Decide. made_by: the mark of the code that loads.

    Raises ConflictError for corrections without `replace`, DataError for columns that changed under a mapped
    field without `accept_drift`, and when a full build would lose files that are gone.
    """
    found = _found(mapping, ledger)
    # Of a table without a column that grows it is known only by reading it what it holds now.
    said, database = mapping_mark(mapping), any(s.database and not s.since for s in mapping.sources)
    why = _why_build(ledger, said, made_by, rebuild, database)
    if ledger is None or why:
        if ledger is not None and not rebuild:
            _nothing_lost(ledger, found, why)
        # What the version before took is not refused by a new one.
        taken = accept_drift or (ledger is not None and ledger.mapping == said and not rebuild)
        notes = _lacking(mapping, found, taken)
        return _build(mapping, found, said, why or "Nothing was ingested here before.", database, notes)
    known = {file.name: file for file in ledger.files}
    # A corrected file's old content is about to be taken out, so it is new where it arrives under another name.
    here = {file.name: file.sha256 for file in found.values()}
    contents = {
        (file.sources, file.sha256): file.name
        for file in ledger.files
        if here.get(file.name, file.sha256) == file.sha256
    }
    arriving, seen = [], []
    for path, file in found.items():
        earlier = contents.get((file.sources, file.sha256))
        if earlier is None:
            arriving.append(path)
            contents[file.sources, file.sha256] = file.name
        elif earlier != file.name:
            seen.append(f"{file.name} has the content of {earlier}, which is ingested: it changes nothing.")
    changed = [path for path in arriving if found[path].name in known]
    if any(mapping.sources[place].row_number for path in arriving for place in found[path].sources):
        why = "Customers are known by their row's number, so the files are read together."
        _nothing_lost(ledger, found, why)
        return _build(mapping, found, said, why, database)
    _corrections_allowed(mapping, [found[path] for path in changed], replace)
    in_files = {path: found[path] for path in arriving if not _is_table(found[path])}
    drift = _drift(mapping, ledger, in_files)
    if any(d.stops for d in drift) and not accept_drift:
        told = " ".join(d.sentence for d in drift if d.stops)
        raise DataError(f"{told} Mend the file or the mapping, or take it as it is with --accept-drift.")
    numbers = {
        path: max((f.number for f in ledger.files), default=-1) + 1 + n for n, path in enumerate(arriving)
    }
    files = tuple(changed_to(found[path], number=number) for path, number in numbers.items())
    kept = [file for file in ledger.files if file.name not in {file.name for file in files}]
    return Intake(
        "add" if arriving else "nothing",
        _told(files, len(changed), len(found) - len(arriving)),
        files,
        numbers,
        tuple(known[found[path].name].number for path in changed),
        (*seen, *(d.sentence for d in drift)),
        mark(said, [*kept, *files]),
        said,
        _parts(mapping, files, ledger),
    )


def _is_table(file: File) -> bool:
    return file.name.startswith(TABLE)


def _parts(mapping: Mapping, files: Iterable[File], ledger: Ledger | None = None) -> dict[int, Range | None]:
    """What is read of the tables among files, after what the ledger says was read."""
    found: dict[int, Range | None] = {}
    for file in filter(_is_table, files):
        (place,) = file.sources
        source = mapping.sources[place]
        found[place] = _part(source, file, read_up_to(ledger, source.table, place) if ledger else "")
    return found


def _part(source: Source, file: File, after: str) -> Range:
    """What is read of a table. Events with an id replace themselves, so that a day is read again for what came late."""
    again = LATE_DAYS if after and source.kind == "events" and "id" in source.columns else 0
    return Range(source.since, after, file.name.removeprefix(f"{TABLE}{source.table}@"), again)


def _found(mapping: Mapping, ledger: Ledger | None) -> dict[Path, File]:
    """The files of a mapping as they are now, with the places of the sources that read them."""
    sources: dict[Path, list[int]] = {}
    for place, source in enumerate(mapping.sources):
        for path in [] if source.database else mapping.paths(source):
            sources.setdefault(path, []).append(place)
    tables = {}
    for place, source in enumerate(mapping.sources):
        if source.since and (upto := newest(source.database, source.table, source.since)):
            tables[Path(f"{TABLE}{place}")] = examine_table(source.table, place, upto)
    known = {file.name: file for file in ledger.files} if ledger else {}
    named = {path: _name(mapping.folder, path) for path in sources}
    return {
        path: examine(path, named[path], places, known.get(named[path])) for path, places in sources.items()
    } | tables


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def _why_build(ledger: Ledger | None, said: str, made_by: str, rebuild: bool, database: bool) -> str:
    """Why everything is to be read anew; empty when what is new can be added."""
    if ledger is None:
        return ""
    if rebuild:
        return "Everything is read anew, as --rebuild asks."
    if database:
        return "A table of a database is read in full each time."
    if ledger.mapping != said:
        return "The mapping has changed, so everything is read anew."
    return "This version loads differently, so everything is read anew." if ledger.made_by != made_by else ""


def _nothing_lost(ledger: Ledger, found: dict[Path, File], why: str) -> None:
    here = {file.sha256 for file in found.values()} | {file.name for file in found.values()}
    gone = [f.name for f in ledger.files if not _is_table(f) and f.name not in here and f.sha256 not in here]
    if gone:
        raise DataError(
            f"{why} But {len(gone)} of the files ingested before are gone, the first of them {gone[0]}; "
            "put them back, or give --rebuild to go on without their rows."
        )


def _build(
    mapping: Mapping,
    found: dict[Path, File],
    said: str,
    why: str,
    database: bool,
    told: Sequence[str] = (),
) -> Intake:
    files: dict[Path, File] = {}
    contents: dict[tuple[tuple[int, ...], str], str] = {}
    notes = [*told]
    for path, file in found.items():
        first = contents.setdefault((file.sources, file.sha256), file.name)
        if first == file.name:
            files[path] = changed_to(file, number=len(files))
        else:
            notes.append(f"{file.name} has the content of {first}: it is read once.")
    parts: dict[int, Range | None] = {place: None for place, s in enumerate(mapping.sources) if s.database}
    parts |= _parts(mapping, files.values())
    stamp = f"{said}|{time.time_ns()}" if database else said
    paths = {path: file.number for path, file in files.items()}
    return Intake(
        "build", why, tuple(files.values()), paths, (), tuple(notes), mark(stamp, files.values()), said, parts
    )


def _corrections_allowed(mapping: Mapping, changed: Sequence[File], replace: bool) -> None:
    """Items, customers and campaigns have keys of their own, and so have events and reviews with an id."""

    def needs_asking(place: int) -> bool:
        source = mapping.sources[place]
        return source.kind in ("events", "reviews") and "id" not in source.columns

    asked = [file.name for file in changed if any(needs_asking(place) for place in file.sources)]
    if asked and not replace:
        raise ConflictError(
            f"{', '.join(asked[:5])}: was ingested before with other content. Give --replace to put the new "
            "content in the place of the old, or new rows a file of their own.",
            f"{'、'.join(asked[:5])}：以前导入过，但内容不同。用 --replace 以新内容替换，或把新的行放进另一个文件。",
        )


def _drift(mapping: Mapping, ledger: Ledger, arriving: dict[Path, File]) -> list[SchemaDrift]:
    found = []
    with scratch() as connection, utf8_copies(connection) as copies:
        for path, file in arriving.items():
            for place in file.sources:
                source, before = mapping.sources[place], ledger.columns.get(place, {})
                copy = copies.of(path, source.encoding)
                now = describe(connection, source, [copy])
                has_values = partial(_has_values, connection, reader([copy], source.header))
                found += schema_drift(source, file.name, before, now, has_values)
    return list(dict.fromkeys(found))


def _lacking(mapping: Mapping, found: dict[Path, File], taken: bool) -> list[str]:
    """Files without a mapped column that others of their source have. Raises DataError unless they are taken so."""
    told = []
    with scratch() as connection, utf8_copies(connection) as copies:
        for place, source in enumerate(mapping.sources):
            paths = [path for path, file in found.items() if place in file.sources and not _is_table(file)]
            if len(paths) > 1:
                heads = {path: copies.of(path, source.encoding, head=True) for path in paths}
                names = {found[path].name: column_names(connection, source, heads[path]) for path in paths}
                told += lacking(source, names)
    if told and not taken:
        raise DataError(
            f"{' '.join(told[:5])} Mend the file or the mapping, or take it as it is with --accept-drift."
        )
    return told


def _has_values(connection: duckdb.DuckDBPyConnection, rows: str, column: str) -> bool:
    """Whether a column of a file holds anything: an empty one has no type of its own."""
    return count(connection, f"SELECT count({identifier(column)}) FROM {rows}") > 0


def _told(files: Collection[File], corrected: int, seen: int) -> str:
    if not files:
        every = "the file was" if seen == 1 else f"all {seen} files were"
        return f"Nothing is new: {every} ingested before."
    new = len(files) - corrected
    parts = [f"{new} new" if new else "", f"{corrected} corrected" if corrected else ""]
    before = f"; {seen} ingested before" if seen else ""
    return f"{' and '.join(filter(None, parts))} {'file' if len(files) == 1 else 'files'}{before}."
