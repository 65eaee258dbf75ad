"""A mapping's files and tables read into raw_events, raw_items, raw_customers and raw_campaigns, by DuckDB."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from segments.errors import DataError
from warehouse.database import table_view
from warehouse.mapping import Mapping, Source, TypeColumn

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
DEFAULTS = {"quantity": "1.0", "value": "0.0", "discount": "0.0"}
"""What a row without the field counts as."""


def source_mark(mapping: Mapping) -> str:
    """Changes whenever the mapping or one of its files (name, size, time of change) changes."""
    digest = hashlib.sha256(repr((mapping.name, mapping.sources)).encode())
    for source in mapping.sources:
        if source.database:
            # What a database holds now is known only by reading it.
            digest.update(f"{source.table}|{time.time_ns()}".encode())
        for path in mapping.paths(source):
            stat = path.stat()
            digest.update(f"{path.name}|{stat.st_size}|{stat.st_mtime_ns}".encode())
    return f"{mapping.name} {digest.hexdigest()[:16]}"


def load(mapping: Mapping, connection: duckdb.DuckDBPyConnection) -> None:
    """Create the raw tables. Raises DataError naming the file, the table and the field that cannot be read."""
    _create(connection, "raw_events", [_events(connection, mapping, s) for s in mapping.of("events")])
    _load_items(connection, mapping)
    _load_customers(connection, mapping)
    campaigns = [
        f"SELECT DISTINCT * FROM ({_campaigns(connection, mapping, source)})"
        for source in mapping.of("campaigns")
    ]
    empty = "NULL::VARCHAR AS campaign_id, NULL::VARCHAR AS type, NULL::DATE AS start_date, NULL::DATE AS end_date"
    _create(connection, "raw_campaigns", campaigns or [f"SELECT {empty} WHERE false"])


def _load_items(connection: duckdb.DuckDBPyConnection, mapping: Mapping) -> None:
    """One row an item, also for items that were bought but are not described."""
    found = [_items(connection, mapping, source) for source in mapping.of("items")]
    _create(connection, "given_items", found or [_empty(("item_id", *(name for name, _ in RAW_ITEMS)))])
    # The value an item has most often, so that a misspelt line does not make a second item.
    values = ", ".join(f"mode({name}) AS {name}" for name, _ in RAW_ITEMS)
    connection.execute(
        f"CREATE TEMP TABLE raw_items AS SELECT item_id, {values} FROM given_items "
        "WHERE item_id IS NOT NULL GROUP BY 1"
    )
    connection.execute(
        "INSERT INTO raw_items BY NAME SELECT DISTINCT item_id FROM raw_events WHERE type = 'purchase' "
        "AND item_id IS NOT NULL AND item_id NOT IN (SELECT item_id FROM raw_items)"
    )


def _load_customers(connection: duckdb.DuckDBPyConnection, mapping: Mapping) -> None:
    found = [_customers(connection, mapping, source) for source in mapping.of("customers")]
    _create(connection, "given_customers", found or [_empty(("source_id", *(n for n, _ in RAW_CUSTOMERS)))])
    values = ", ".join(f"any_value({name}) AS {name}" for name, _ in RAW_CUSTOMERS)
    connection.execute(
        f"CREATE TEMP TABLE raw_customers AS SELECT source_id, {values} FROM given_customers GROUP BY 1"
    )


def _empty(names: Sequence[str]) -> str:
    return "SELECT " + ", ".join(f"NULL::VARCHAR AS {name}" for name in names) + " WHERE false"


def _create(connection: duckdb.DuckDBPyConnection, table: str, queries: list[str]) -> None:
    try:
        connection.execute(f"CREATE TEMP TABLE {table} AS {' UNION ALL '.join(queries)}")
    except duckdb.Error as error:
        kind = table.split("_")[1]
        raise DataError(f"{kind}: cannot be read: {' '.join(str(error).splitlines()[:2])}") from error


def _events(connection: duckdb.DuckDBPyConnection, mapping: Mapping, source: Source) -> str:
    columns = _columns(connection, mapping, source)
    shown = []
    for name, field, kind in RAW_EVENTS:
        if name == "type":
            value = _type(source)
        elif field == "time":
            value = _time(source, columns)
        else:
            value = _value(source, field, columns, kind)
            if name in DEFAULTS:
                value = f"coalesce({value}, {DEFAULTS[name]})"
        shown.append(f"{value} AS {name}")
    where = [f"({source.where})"] if source.where else []
    if isinstance(source.type, TypeColumn):
        where.append(f"{identifier(source.type.column)}::VARCHAR IN ({_texts(source.type.values)})")
    return _select(connection, mapping, source, shown, where)


def _items(connection: duckdb.DuckDBPyConnection, mapping: Mapping, source: Source) -> str:
    columns = _columns(connection, mapping, source)
    shown = [f"{_value(source, 'item', columns)} AS item_id"]
    shown += [f"nullif(trim({_value(source, field, columns)}), '') AS {name}" for name, field in RAW_ITEMS]
    return _select(connection, mapping, source, shown, [source.where] if source.where else [])


def _customers(connection: duckdb.DuckDBPyConnection, mapping: Mapping, source: Source) -> str:
    columns = _columns(connection, mapping, source)
    shown = [f"{_value(source, 'customer', columns)} AS source_id"]
    shown += [f"{_value(source, field, columns)} AS {name}" for name, field in RAW_CUSTOMERS]
    return _select(connection, mapping, source, shown, [source.where] if source.where else [])


def _campaigns(connection: duckdb.DuckDBPyConnection, mapping: Mapping, source: Source) -> str:
    columns = _columns(connection, mapping, source)
    start = _value(source, "start", columns, "DATE")
    end = _value(source, "end", columns, "DATE") if "end" in source.columns else f"{start} + 30"
    shown = [
        f"{_value(source, 'campaign', columns)} AS campaign_id",
        f"coalesce({_value(source, 'type', columns)}, 'campaign') AS type",
        f"{start} AS start_date",
        f"({end})::DATE AS end_date",
    ]
    return _select(connection, mapping, source, shown, [source.where] if source.where else [])


def _select(
    connection: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    source: Source,
    shown: list[str],
    where: list[str],
) -> str:
    tests = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {', '.join(shown)} FROM {_rows(connection, mapping, source)}{tests}"


def _rows(connection: duckdb.DuckDBPyConnection, mapping: Mapping, source: Source) -> str:
    """What to select from: the files, or the database's table brought over."""
    if source.database:
        rows = table_view(connection, source.database, source.table)
    else:
        rows = reader(mapping.paths(source), source.header)
    # Numbered before any row is left out, so that several tables of one file number alike.
    return f"(SELECT *, row_number() OVER () AS row_number FROM {rows})" if source.row_number else rows


def reader(paths: Sequence[Path], header: Sequence[str] = ()) -> str:
    """The DuckDB table function for files of one kind (CSV, Parquet, JSON lines; gzip read as it is)."""
    kinds = {_kind(path) for path in paths}
    if len(kinds) > 1:
        raise DataError(
            f"files: {paths[0].name} and {paths[-1].name} are of different kinds; map them apart."
        )
    listed = "[" + ", ".join(_text(str(path)) for path in paths) + "]"
    match kinds.pop():
        case "parquet":
            return f"read_parquet({listed}, union_by_name = true)"
        case "json":
            return f"read_json_auto({listed}, union_by_name = true)"
        case _:
            named = f", header = false, names = [{_texts(header)}]" if header else ", header = true"
            return (
                f"read_csv({listed}, union_by_name = true, sample_size = 100000, null_padding = true{named})"
            )


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if ".parquet" in suffixes:
        return "parquet"
    if {".json", ".jsonl", ".ndjson"} & set(suffixes):
        return "json"
    if {".csv", ".tsv", ".txt"} & set(suffixes):
        return "csv"
    raise DataError(f"files: {path.name} is not CSV, Parquet or JSON lines (by its ending).")


def _columns(connection: duckdb.DuckDBPyConnection, mapping: Mapping, source: Source) -> list[str]:
    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM {_rows(connection, mapping, source)}").fetchall()
    except duckdb.Error as error:
        where = source.table or mapping.paths(source)[0]
        raise DataError(f"{source.kind}: cannot read {where}: {str(error).splitlines()[0]}") from error
    return [row[0] for row in rows]


def _value(source: Source, field: str, columns: Sequence[str], kind: str = "VARCHAR") -> str:
    said = source.columns.get(field)
    if said is None:
        return f"NULL::{kind}"
    if said.startswith("="):
        return f"({said[1:]})::{kind}"
    if said not in columns:
        raise DataError(
            f"{source.kind}.{field}: there is no column '{said}'; the file has {', '.join(columns[:20])}."
        )
    return f"{identifier(said)}::{kind}"


def _time(source: Source, columns: Sequence[str]) -> str:
    value = _value(source, "time", columns, "VARCHAR")
    if source.time_format == "unix":
        moment = f"to_timestamp({value}::DOUBLE)::TIMESTAMP"
    elif source.time_format:
        moment = f"strptime({value}, {_text(source.time_format)})"
    else:
        # ' UTC' is how some exports mark the zone; the cast knows only offsets.
        moment = f"replace({value}, ' UTC', '')::TIMESTAMP"
    if source.time_zone:
        moment = f"({moment} AT TIME ZONE 'UTC' AT TIME ZONE {_text(source.time_zone)})::TIMESTAMP"
    return moment


def _type(source: Source) -> str:
    if isinstance(source.type, TypeColumn):
        cases = " ".join(f"WHEN {_text(key)} THEN {_text(kind)}" for key, kind in source.type.values.items())
        return f"CASE {identifier(source.type.column)}::VARCHAR {cases} END"
    return _text(source.type)


def identifier(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _texts(values: Iterable[str]) -> str:
    return ", ".join(_text(value) for value in values)
