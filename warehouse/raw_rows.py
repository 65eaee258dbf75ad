"""The rows of one source as a raw table holds them: each field's SQL, with what of it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from segments.attributes import CustomerAttribute
from segments.errors import DataError
from warehouse import left_out
from warehouse.allowed import refuse_personal
from warehouse.attributes import TYPES, read_attribute
from warehouse.connection import identifier, quoted
from warehouse.database import Range, table_view
from warehouse.file_reader import MANY_LINES, describe, described, reader, texts
from warehouse.ledger import Columns
from warehouse.mapping import Mapping, Source, TypeColumn
from warehouse.rates import UNKNOWN, rate_of, unknown
from warehouse.readable import UNREADABLE, condition, day, fault, first_fault, number, time, yes_no
from warehouse.reviews import RATINGS
from warehouse.utf8 import Utf8Copies

RAW_EVENTS = (
    ("source_id", "customer", "VARCHAR"),
    ("ts", "time", "TIMESTAMP"),
    ("type", "", "VARCHAR"),
    ("item_id", "item", "VARCHAR"),
    ("order_id", "order", "VARCHAR"),
    ("session_id", "session", "VARCHAR"),
    ("quantity", "quantity", "DOUBLE"),
    ("value", "value", "DOUBLE"),
    ("discount", "discount", "DOUBLE"),
    ("channel", "channel", "VARCHAR"),
    ("campaign_id", "campaign", "VARCHAR"),
    ("event_id", "id", "VARCHAR"),
)
RAW_ITEMS = (
    ("department", "department"),
    ("category", "category"),
    ("brand", "brand"),
    ("name", "name"),
)
RAW_CUSTOMERS = tuple(
    (name, name)
    for name in (
        *("age", "income", "home_ownership", "marital_status", "household_size"),
        *("household_composition", "kids_count", "has_children"),
    )
)
AMOUNTS = ("value", "discount")
"""What is in a currency."""
DEFAULTS = {"quantity": "1.0", "value": "0.0", "discount": "0.0"}
"""What a row without the field counts as."""
FILE_COLUMN = "segassist_file"
"""Holds each row's path while files are read."""


@dataclass(frozen=True)
class Reading:
    """One load: which files are read, by number, and the columns that each source was found to have.

    parts: what is read of the databases' tables, by place (None: the whole table); without a
    place here a table is not read. None: all are read whole.
    whole: whether every row tells the type of its column, instead of the first ones. doubtful: the sources with a field
    that may be unreadable.
    """

    connection: duckdb.DuckDBPyConnection
    mapping: Mapping
    numbers: Table[Path, int]
    copies: Utf8Copies
    parts: Table[int, Range | None] | None = None
    columns: dict[int, Columns] = field(default_factory=dict)
    whole: bool = False
    doubtful: set[int] = field(default_factory=set)

    def of(self, kind: str) -> list[tuple[int, Source]]:
        """The sources of a kind that there is something to read for, with their places in the mapping."""
        sources = enumerate(self.mapping.sources)
        return [
            (place, source)
            for place, source in sources
            if source.kind == kind and (self.asked(place) if source.database else self.paths(source))
        ]

    def asked(self, place: int) -> bool:
        """Whether a database's table is read now."""
        return self.parts is None or place in self.parts

    def table(self, place: int, source: Source) -> str:
        """The temporary table with the rows of a database's table that are read now."""
        part = None if self.parts is None else self.parts[place]
        return table_view(self.connection, source.database, source.table, part)

    def paths(self, source: Source) -> list[Path]:
        """The files of a source that are read now."""
        return [path for path in self.mapping.paths(source) if path in self.numbers]

    def readable(self, source: Source) -> dict[Path, Path]:
        """The files of a source as the engine can read them: file -> itself, or its copy as UTF-8."""
        return {path: self.copies.of(path, source.encoding) for path in self.paths(source)}

    def file_no(self, source: Source) -> str:
        """SQL of the number of the file that a row of a source is of."""
        if source.database:
            return "NULL::INTEGER"
        files = sorted((str(copy), self.numbers[path]) for path, copy in self.readable(source).items())
        return f"({_number_of(files)})::INTEGER"


def event_rows(reading: Reading, place: int, source: Source) -> str:
    """SQL of a source of events."""
    columns = columns_of(reading, place, source)
    typed = {
        name: number(_known(source, name, source.columns[name], columns), columns)
        for name in DEFAULTS
        if name in source.columns
    }
    typed["time"] = time(
        _known(source, "time", source.columns["time"], columns), columns, source.time_format, source.time_zone
    )
    if source.where:
        typed["where"] = condition(source.where, columns)
    code, moment = _value(source, "currency", columns), typed["time"].value
    rate = rate_of(code, moment, reading.mapping.rates) if "currency" in source.columns else ""
    shown = []
    for name, said, kind in RAW_EVENTS:
        if name == "type":
            value = _type(source)
        elif said in typed:
            value = typed[said].value
        else:
            value = _value(source, said, columns, kind)
        if name in AMOUNTS and rate:
            value = f"{value} * coalesce({rate}, 1)"
        if name in DEFAULTS:
            value = f"coalesce({value}, {DEFAULTS[name]})"
        shown.append(f"{value} AS {name}")
    shown.append(f"{reading.file_no(source)} AS file_no")
    if rate:
        amounts = [typed[name].value for name in AMOUNTS if name in typed] or ["NULL"]
        shown.append(f"{unknown(code, moment, amounts, reading.mapping.rates)} AS {UNKNOWN}")
    else:
        shown.append(f"NULL::VARCHAR AS {UNKNOWN}")
    fault = first_fault(typed.items())
    if fault:
        reading.doubtful.add(place)
    shown.append(f"{fault or 'NULL::VARCHAR'} AS {UNREADABLE}")
    return _select(reading, place, source, columns, shown)


def item_rows(reading: Reading, place: int, source: Source) -> str:
    """SQL of a source of items."""
    columns = columns_of(reading, place, source)
    shown = [f"{_value(source, 'item', columns)} AS item_id"]
    shown += [f"nullif(trim({_value(source, field, columns)}), '') AS {name}" for name, field in RAW_ITEMS]
    return _select(reading, place, source, columns, shown)


def customer_rows(reading: Reading, place: int, source: Source, channels: Sequence[str]) -> str:
    """SQL of a source of customers."""
    columns = columns_of(reading, place, source)
    shown = [f"{_value(source, 'customer', columns)} AS source_id"]
    own = reading.mapping.attributes
    replaced = {attribute.name for attribute in own}
    shown += [
        f"{_value(source, field, columns)} AS {name}" for name, field in RAW_CUSTOMERS if name not in replaced
    ]
    for attribute in own:
        said = source.attributes.get(attribute.name)
        if said is None:
            shown += not_given(attribute)
            continue
        said = _known(source, f"attributes.{attribute.name}", said, columns)
        value = read_attribute(attribute, said, columns, source)
        shown.append(f"({value.value})::{TYPES[attribute.kind]} AS {identifier(attribute.name)}")
        shown.append(f"{fault(value)} AS fault_{attribute.name}")
    shown += [f"{_consent(source, channel, columns)} AS reach_{channel}" for channel in channels]
    return _select(reading, place, source, columns, shown)


def not_given(attribute: CustomerAttribute) -> tuple[str, str]:
    """SQL of the two columns of an attribute that a source of customers does not have."""
    return (
        f"NULL::{TYPES[attribute.kind]} AS {identifier(attribute.name)}",
        f"NULL::VARCHAR AS fault_{attribute.name}",
    )


def campaign_rows(reading: Reading, place: int, source: Source) -> str:
    """SQL of a source of campaigns."""
    columns = columns_of(reading, place, source)
    said = {name: source.columns[name] for name in ("start", "end") if name in source.columns}
    days = {
        name: day(_known(source, name, column, columns), columns, source.time_format)
        for name, column in said.items()
    }
    start = days["start"].value
    end = days["end"].value if "end" in days else f"{start} + 30"
    shown = [
        f"{_value(source, 'campaign', columns)} AS campaign_id",
        f"coalesce({_value(source, 'type', columns)}, 'campaign') AS type",
        f"{start} AS start_date",
        # Whose end cannot be read lasts as long as one without an end.
        f"coalesce({end}, {start} + 30)::DATE AS end_date",
        *(
            f"{fault(days[name]) if name in days else 'NULL::VARCHAR'} AS fault_{name}_date"
            for name in ("start", "end")
        ),
    ]
    return _select(reading, place, source, columns, shown)


def review_rows(reading: Reading, place: int, source: Source) -> str:
    """SQL of a source of reviews."""
    columns = columns_of(reading, place, source)
    said = {
        name: _known(source, name, source.columns[name], columns)
        for name in ("time", "rating")
        if name in source.columns
    }
    moment = time(said["time"], columns, source.time_format, source.time_zone)
    rating, failed = "NULL::DOUBLE", "NULL::VARCHAR"
    if "rating" in said:
        read = number(said["rating"], columns)
        within = f"{read.value} BETWEEN {RATINGS[0]} AND {RATINGS[1]}"
        rating = f"CASE WHEN {within} THEN {read.value} END"
        failed = f"coalesce({fault(read)}, CASE WHEN NOT ({within}) THEN ({read.value})::VARCHAR END)"
    shown = [
        f"{_value(source, 'customer', columns)} AS source_id",
        f"{moment.value} AS ts",
        f"{fault(moment)} AS fault_ts",
        f"{_value(source, 'item', columns)} AS item_id",
        f"{rating} AS rating",
        f"{failed} AS fault_rating",
        f"{_value(source, 'text', columns)} AS text",
        f"{_value(source, 'id', columns)} AS review_id",
        f"{reading.file_no(source)} AS file_no",
    ]
    return _select(reading, place, source, columns, shown)


def _select(reading: Reading, place: int, source: Source, columns: Columns, shown: list[str]) -> str:
    """SQL of a source's rows that its `where` and its column of types take; how many those are is counted."""
    rows = _rows(reading, place, source)
    where = condition(source.where, columns).value if source.where else ""
    said = mapped = ""
    if isinstance(source.type, TypeColumn):
        said = f"{identifier(source.type.column)}::VARCHAR"
        mapped = f"{said} IN ({texts(source.type.values)})"
    if where or mapped:
        label = quoted(_label(place, source))
        count = left_out.counting(label, rows, reading.file_no(source), where, said, mapped)
        run(reading.connection, source.kind, count)
    tests = " AND ".join(filter(None, (where, mapped)))
    return f"SELECT {', '.join(shown)} FROM {rows}{f' WHERE {tests}' if tests else ''}"


def _label(place: int, source: Source) -> str:
    """What a report calls a source."""
    return f"{source.kind} {place + 1}: {source.table or ', '.join(source.files)}"


def _rows(reading: Reading, place: int, source: Source) -> str:
    """What to select from: the files with each row's path, or the database's table brought over."""
    if source.database:
        rows = reading.table(place, source)
    else:
        lines = source.kind in MANY_LINES
        paths = list(reading.readable(source).values())
        rows = reader(paths, source.header, FILE_COLUMN, whole=reading.whole, lines=lines)
    # Numbered before any row is left out, so that several tables of one file number alike.
    if source.row_number:
        rows = f"(SELECT *, row_number() OVER () AS row_number FROM {rows})"
    return rows


def _number_of(files: Sequence[tuple[str, int]]) -> str:
    """SQL of the number of the file that a row is of; files: path and number, by their paths.

    By halves, because the engine asks once for many rows of one file, which is faster than to join the numbers.
    """
    if len(files) == 1:
        return str(files[0][1])
    half = len(files) // 2
    before, after = _number_of(files[:half]), _number_of(files[half:])
    return f"CASE WHEN {FILE_COLUMN} < {quoted(files[half][0])} THEN {before} ELSE {after} END"


def columns_of(reading: Reading, place: int, source: Source) -> Columns:
    """The columns of a source and their types; none may hold a person."""
    if source.database:
        rows = reading.table(place, source)
        found = described(reading.connection, source, rows, source.table)
    else:
        paths = list(reading.readable(source).values())
        found = describe(reading.connection, source, paths, whole=reading.whole)
        reading.columns[place] = found
        rows = reader(paths[:1], source.header, whole=reading.whole, lines=source.kind in MANY_LINES)
    refuse_personal(reading.connection, source, list(found), rows)
    return {**found, "row_number": "BIGINT"} if source.row_number else found


def _value(source: Source, field: str, columns: Columns, kind: str = "VARCHAR") -> str:
    said = source.columns.get(field)
    return f"NULL::{kind}" if said is None else _read(source, field, said, columns, kind)


def _read(source: Source, field: str, said: str, columns: Columns, kind: str = "VARCHAR") -> str:
    """SQL of what a mapping says of a field: a column, or an expression."""
    if said.startswith("="):
        return f"({said[1:]})::{kind}"
    return f"{identifier(_known(source, field, said, columns))}::{kind}"


def _known(source: Source, field: str, said: str, columns: Columns) -> str:
    """The column or expression. Raises DataError where there is no such column."""
    if not said.startswith("=") and said not in columns:
        raise DataError(
            f"{source.kind}.{field}: there is no column '{said}'; the file has {', '.join([*columns][:20])}."
        )
    return said


def _consent(source: Source, channel: str, columns: Columns) -> str:
    """Whether the customer agreed to a channel: yes or no as files write it, null for anything else."""
    said = source.reach.get(channel)
    if said is None:
        return "NULL::BOOLEAN"
    return yes_no(_known(source, f"reach.{channel}", said, columns), columns).value


def _type(source: Source) -> str:
    if isinstance(source.type, TypeColumn):
        cases = " ".join(
            f"WHEN {quoted(key)} THEN {quoted(kind)}" for key, kind in source.type.values.items()
        )
        return f"CASE {identifier(source.type.column)}::VARCHAR {cases} END"
    return quoted(source.type)


def run(connection: duckdb.DuckDBPyConnection, kind: str, statement: str) -> None:
    """Run a statement of a kind of source. Raises DataError where the files cannot be read."""
    try:
        connection.execute(statement)
    except duckdb.Error as error:
        if isinstance(error, duckdb.OutOfMemoryException) or "No space left" in str(error):
            raise
        raise DataError(f"{kind}: cannot be read: {' '.join(str(error).splitlines()[:2])}") from error
