"""A mapping's files and tables read into raw_events, raw_items, raw_customers, raw_campaigns and raw_reviews, by DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from segments.attributes import CustomerAttribute
from segments.errors import DataError
from warehouse import left_out
from warehouse.allowed import refuse_personal
from warehouse.attributes import TYPES, few_levels, read_attribute
from warehouse.connection import identifier, quoted
from warehouse.database import Range, table_view
from warehouse.encodings import detected, parquet
from warehouse.ledger import Columns
from warehouse.mapping import Mapping, Source, TypeColumn
from warehouse.rates import UNKNOWN, rate_of, unknown
from warehouse.readable import UNREADABLE, condition, day, fault, first_fault, number, time, yes_no
from warehouse.reviews import RATINGS, take_reviews
from warehouse.unread import note_unread
from warehouse.utf8 import Utf8Copies, utf8_copies

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
MANY_LINES = ("reviews",)
"""Sources whose values often go over several lines."""
SURPRISES = ("CSV Error on Line", "JSON transform error")
"""What the engine says of a value that the first rows of its column had not led it to expect."""


FILE_COLUMN = "segassist_file"
"""Holds each row's path while files are read."""


@dataclass(frozen=True)
class _Reading:
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


def load(
    mapping: Mapping,
    connection: duckdb.DuckDBPyConnection,
    numbers: Table[Path, int] | None = None,
    parts: Table[int, Range | None] | None = None,
) -> dict[int, Columns]:
    """Create the raw tables from the files of these numbers (default: all) and these parts of the databases' tables
    (default: all of them, whole); the columns of each source read.

    A value that does not fit its column's first rows makes all be read anew, by columns that every value fits.
    Raises DataError naming the file, the table and the field that cannot be read.
    """
    if numbers is None:
        paths = [p for s in mapping.sources if not s.database for p in mapping.paths(s)]
        numbers = {path: number for number, path in enumerate(dict.fromkeys(paths))}
    with utf8_copies(connection) as copies:
        reading = _Reading(connection, mapping, numbers, copies, parts)
        connection.begin()
        try:
            columns = _load(reading)
        except DataError as error:
            connection.rollback()
            if not any(words in str(error) for words in SURPRISES):
                raise
            return _load(_Reading(connection, mapping, numbers, copies, parts, whole=True))
        except BaseException:
            connection.rollback()
            raise
        connection.commit()
        return columns


def _load(reading: _Reading) -> dict[int, Columns]:
    connection = reading.connection
    left_out.begin(connection)
    _load_events(reading)
    _load_items(reading)
    _load_customers(reading)
    campaigns = [_campaigns(reading, place, source) for place, source in reading.of("campaigns")]
    empty = "NULL::VARCHAR AS campaign_id, NULL::VARCHAR AS type, NULL::DATE AS start_date, NULL::DATE AS end_date"
    faults = "NULL::VARCHAR AS fault_start_date, NULL::VARCHAR AS fault_end_date"
    _create(connection, "given_campaigns", campaigns or [f"SELECT {empty}, {faults} WHERE false"])
    if campaigns:
        note_unread(connection, "campaigns", ("start_date", "end_date"))
    connection.execute(
        "CREATE TEMP TABLE raw_campaigns AS SELECT DISTINCT * EXCLUDE (fault_start_date, fault_end_date) "
        "FROM given_campaigns WHERE fault_start_date IS NULL"
    )
    _load_reviews(reading)
    return reading.columns


def _load_events(reading: _Reading) -> None:
    """A column that no source fills is computed where it is asked for: of a wide table a fifth less is kept."""
    filled = {said for _, source in reading.of("events") for said in source.columns}
    columns = {}
    queries = [_events(reading, place, source) for place, source in reading.of("events")]
    if reading.doubtful:
        filled.add(UNREADABLE)
    others = (
        ("file_no", "", "INTEGER"),
        (UNKNOWN, "currency", "VARCHAR"),
        (UNREADABLE, UNREADABLE, "VARCHAR"),
    )
    for name, said, kind in (*RAW_EVENTS, *others):
        # A rule of cleaning may set the quantity.
        told = said in ("", "quantity", *filled)
        columns[name] = kind if told else f"{kind} AS ({DEFAULTS.get(name, 'NULL')}::{kind})"
    shown = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    reading.connection.execute(f"CREATE TEMP TABLE raw_events ({shown})")
    if queries:
        kept = ", ".join(name for name, kind in columns.items() if " AS " not in kind)
        rows = f"SELECT {kept} FROM ({' UNION ALL '.join(queries)})"
        _run(reading.connection, "events", f"INSERT INTO raw_events ({kept}) {rows}")


def _load_items(reading: _Reading) -> None:
    """One row an item, also for items that were bought but are not described."""
    connection = reading.connection
    found = [_items(reading, place, source) for place, source in reading.of("items")]
    _create(connection, "given_items", found or [_empty(("item_id", *(name for name, _ in RAW_ITEMS)))])
    # The value an item has most often, so that a misspelt line does not make a second item.
    _one_each(connection, "items", "item_id", "mode", [name for name, _ in RAW_ITEMS])
    connection.execute(
        "INSERT INTO raw_items BY NAME SELECT DISTINCT item_id FROM raw_events WHERE type = 'purchase' "
        "AND item_id IS NOT NULL AND item_id NOT IN (SELECT item_id FROM raw_items)"
    )


def _load_customers(reading: _Reading) -> None:
    connection = reading.connection
    sources = reading.of("customers")
    channels = sorted({channel for _, source in sources for channel in source.reach})
    own = [attribute.name for attribute in reading.mapping.attributes]
    known = [name for name, _ in RAW_CUSTOMERS if name not in own]
    found = [_customers(reading, place, source, channels) for place, source in sources]
    if not found:
        rows = _empty(("source_id", *known))
        given = "".join(f", {column}" for one in reading.mapping.attributes for column in _not_given(one))
        found = [rows.replace(" WHERE false", f"{given} WHERE false")]
    _create(connection, "given_customers", found)
    note_unread(connection, "customers", own)
    few_levels(connection, reading.mapping.attributes)
    names = [*known, *map(identifier, own), *(f"reach_{channel}" for channel in channels)]
    _one_each(connection, "customers", "source_id", "any_value", names)


def _load_reviews(reading: _Reading) -> None:
    """Only where there are any: most mappings have none."""
    found = [_reviews(reading, place, source) for place, source in reading.of("reviews")]
    if found:
        _create(reading.connection, "given_reviews", found)
        note_unread(reading.connection, "reviews", ("ts", "rating"))
        take_reviews(reading.connection)


def _one_each(
    connection: duckdb.DuckDBPyConnection, what: str, key: str, choice: str, names: Sequence[str]
) -> None:
    """One row a key, in raw_WHAT, of what was given; the gate is told in the view known_WHAT which keys differ."""
    values = ", ".join(f"{choice}({name}) AS {name}" for name in names)
    alike = f"hash({', '.join(names)})"
    connection.execute(
        f"CREATE TEMP TABLE known_{what} AS SELECT {key}, {values}, min({alike}) <> max({alike}) AS differs "
        f"FROM given_{what} WHERE {key} IS NOT NULL GROUP BY 1"
    )
    connection.execute(f"CREATE TEMP TABLE raw_{what} AS SELECT * EXCLUDE (differs) FROM known_{what}")


def _empty(names: Sequence[str]) -> str:
    return "SELECT " + ", ".join(f"NULL::VARCHAR AS {name}" for name in names) + " WHERE false"


def _create(connection: duckdb.DuckDBPyConnection, table: str, queries: list[str]) -> None:
    statement = f"CREATE TEMP TABLE {table} AS {' UNION ALL '.join(queries)}"
    _run(connection, table.split("_")[1], statement)


def _run(connection: duckdb.DuckDBPyConnection, kind: str, statement: str) -> None:
    try:
        connection.execute(statement)
    except duckdb.Error as error:
        if isinstance(error, duckdb.OutOfMemoryException) or "No space left" in str(error):
            raise
        raise DataError(f"{kind}: cannot be read: {' '.join(str(error).splitlines()[:2])}") from error


def _events(reading: _Reading, place: int, source: Source) -> str:
    columns = _columns(reading, place, source)
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


def _items(reading: _Reading, place: int, source: Source) -> str:
    columns = _columns(reading, place, source)
    shown = [f"{_value(source, 'item', columns)} AS item_id"]
    shown += [f"nullif(trim({_value(source, field, columns)}), '') AS {name}" for name, field in RAW_ITEMS]
    return _select(reading, place, source, columns, shown)


def _customers(reading: _Reading, place: int, source: Source, channels: Sequence[str]) -> str:
    columns = _columns(reading, place, source)
    shown = [f"{_value(source, 'customer', columns)} AS source_id"]
    own = reading.mapping.attributes
    replaced = {attribute.name for attribute in own}
    shown += [
        f"{_value(source, field, columns)} AS {name}" for name, field in RAW_CUSTOMERS if name not in replaced
    ]
    for attribute in own:
        said = source.attributes.get(attribute.name)
        if said is None:
            shown += _not_given(attribute)
            continue
        said = _known(source, f"attributes.{attribute.name}", said, columns)
        value = read_attribute(attribute, said, columns, source)
        shown.append(f"({value.value})::{TYPES[attribute.kind]} AS {identifier(attribute.name)}")
        shown.append(f"{fault(value)} AS fault_{attribute.name}")
    shown += [f"{_consent(source, channel, columns)} AS reach_{channel}" for channel in channels]
    return _select(reading, place, source, columns, shown)


def _not_given(attribute: CustomerAttribute) -> tuple[str, str]:
    """SQL of the two columns of an attribute that a source of customers does not have."""
    return (
        f"NULL::{TYPES[attribute.kind]} AS {identifier(attribute.name)}",
        f"NULL::VARCHAR AS fault_{attribute.name}",
    )


def _campaigns(reading: _Reading, place: int, source: Source) -> str:
    columns = _columns(reading, place, source)
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


def _reviews(reading: _Reading, place: int, source: Source) -> str:
    columns = _columns(reading, place, source)
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


def _select(reading: _Reading, place: int, source: Source, columns: Columns, shown: list[str]) -> str:
    """SQL of a source's rows that its `where` and its column of types take; how many those are is counted."""
    rows = _rows(reading, place, source)
    where = condition(source.where, columns).value if source.where else ""
    said = mapped = ""
    if isinstance(source.type, TypeColumn):
        said = f"{identifier(source.type.column)}::VARCHAR"
        mapped = f"{said} IN ({_texts(source.type.values)})"
    if where or mapped:
        label = quoted(_label(place, source))
        count = left_out.counting(label, rows, reading.file_no(source), where, said, mapped)
        _run(reading.connection, source.kind, count)
    tests = " AND ".join(filter(None, (where, mapped)))
    return f"SELECT {', '.join(shown)} FROM {rows}{f' WHERE {tests}' if tests else ''}"


def _label(place: int, source: Source) -> str:
    """What a report calls a source."""
    return f"{source.kind} {place + 1}: {source.table or ', '.join(source.files)}"


def _rows(reading: _Reading, place: int, source: Source) -> str:
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
            named = f", header = false, names = [{_texts(header)}]" if header else ", header = true"
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


def _columns(reading: _Reading, place: int, source: Source) -> Columns:
    if source.database:
        rows = reading.table(place, source)
        found = _described(reading.connection, source, rows, source.table)
    else:
        paths = list(reading.readable(source).values())
        found = describe(reading.connection, source, paths, whole=reading.whole)
        reading.columns[place] = found
        rows = reader(paths[:1], source.header, whole=reading.whole, lines=source.kind in MANY_LINES)
    refuse_personal(reading.connection, source, list(found), rows)
    return {**found, "row_number": "BIGINT"} if source.row_number else found


def column_names(connection: duckdb.DuckDBPyConnection, source: Source, path: Path) -> list[str]:
    """The columns of one file, from its first rows. Raises DataError naming the file."""
    return [*_described(connection, source, reader([path], source.header, sample=1000), path)]


def describe(
    connection: duckdb.DuckDBPyConnection, source: Source, paths: Sequence[Path], *, whole: bool = False
) -> Columns:
    """The columns of a source's files and their types, of all rows or the first. Raises DataError naming the file."""
    return _described(connection, source, reader(paths, source.header, whole=whole), paths[0])


def _described(
    connection: duckdb.DuckDBPyConnection, source: Source, rows: str, where: str | Path
) -> Columns:
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


def _texts(values: Iterable[str]) -> str:
    return ", ".join(quoted(value) for value in values)
