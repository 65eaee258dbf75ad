"""A mapping proposed for a file of events, with what it tells of items: fields, types, times, money."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from warehouse.connection import identifier
from warehouse.file_reader import reader
from warehouse.personal import column_words
from warehouse.suggest_columns import (
    ITEM_FIELDS,
    Column,
    Guess,
    event_type,
    nested_notes,
    time_said,
    toml_text,
    unix,
)
from warehouse.suggest_money import SYMBOLS, amount, sign_of, written_amounts

_NAMES_AN_ITEM = 1.2
"""More names than this for each item are not the items': a misspelt line or two is let pass."""
MONEY = ("value", "price", "discount")
_OWN = r"(.+ )?(id|no|number|key|uuid|guid)|.*(编号|序号|单号|流水号)|.+号"
"""What a column is called that numbers the rows."""


@dataclass
class Proposal:
    """What is proposed for one file. kind: of its rows. keys: field -> column of the ids it holds.

    lines: its tables without `files`, each after its head. encoding: of the file, where it is not UTF-8. sign: of its
    currency. codes: currencies by how many rows.
    """

    path: Path
    kind: str
    keys: dict[str, str]
    lines: list[tuple[str, list[str]]]
    guesses: list[Guess]
    notes: list[str]
    sign: str | None = None
    encoding: str = ""
    codes: list[str] = field(default_factory=list)


def propose_events(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[Column], guesses: list[Guess]
) -> Proposal:
    """The table `sample` as events. The guesses name a customer and a time."""
    doubtful = _doubtful_name(connection, guesses)
    guesses = [guess for guess in guesses if guess != doubtful]
    found = {guess.field: guess.column for guess in guesses}
    ids: tuple[str, ...] = ("customer", "item", "order", "campaign")
    keys = {name: found[name] for name in ids if name in found}
    by_name = {column.name: column for column in columns}
    types = _event_types(connection, path, found.pop("event", None))
    zoned = by_name[found["time"]]
    found["time"], time_format = time_said(zoned)
    if time_format:
        found["time_format"] = time_format
    codes = _codes(connection, found.get("currency"))
    personal = personal_notes(columns, found["customer"])
    notes = [*_notes(columns, found, types), *utc_notes(zoned), *personal, *nested_notes(columns)]
    if doubtful is not None:
        notes.append(
            f"{doubtful.column} may be a person's name, as an item has several: it is not mapped and never read."
        )
    signs = [sign_of(found[name], by_name[found[name]].examples) for name in MONEY if name in found]
    sign = SYMBOLS.get(codes[0], f"{codes[0]} ") if codes else next(filter(None, signs), None)
    money = {name: _amount(by_name[found[name]]) for name in MONEY if name in found}
    lines = [("[[events]]", _lines(found, types, money, several=len(codes) > 1))]
    if "item" in found and any(field in found for field in ITEM_FIELDS):
        told = [f"{field} = {toml_text(found[field])}" for field in ("item", *ITEM_FIELDS) if field in found]
        lines.append(("[[items]]", told))
    return Proposal(path, "events", keys, lines, guesses, notes, sign, codes=codes)


def _codes(connection: duckdb.DuckDBPyConnection, column: str | None) -> list[str]:
    """The currencies of a column, most frequent first."""
    if column is None:
        return []
    said = identifier(column)
    rows = connection.execute(
        f"SELECT upper(trim({said})) FROM sample WHERE trim({said}) <> '' GROUP BY 1 ORDER BY count(*) DESC, 1"
    ).fetchall()
    return [code for (code,) in rows]


def _amount(column: Column) -> str:
    """A column of money as a mapping says it, or as part of an expression: SQL."""
    if not column.numeric and written_amounts(column.examples):
        return amount(column.name, column.examples)
    return identifier(column.name)


def _lines(
    found: dict[str, str],
    types: tuple[str, dict[str, str], list[str]] | None,
    money: dict[str, str],
    *,
    several: bool,
) -> list[str]:
    if types is None:
        lines = ['type = "purchase"']
    else:
        values = ", ".join(f"{toml_text(value)} = {toml_text(kind)}" for value, kind in types[1].items())
        lines = [f"type = {{ column = {toml_text(types[0])}, values = {{ {values} }} }}"]
    plain = ("customer", "time", "time_format", "item", "order", "session", "quantity", "channel", "campaign")
    lines += [f"{field} = {toml_text(found[field])}" for field in plain if field in found]
    if "discount" in money:
        lines.append(f"discount = {_said(money['discount'], found['discount'])}")
    if "value" in money:
        lines.append(f"value = {_said(money['value'], found['value'])}")
    elif "price" in money and "quantity" in found:
        product = f"= {identifier(found['quantity'])} * {money['price']}"
        lines.append(f"value = {toml_text(product)}")
    elif "price" in money:
        lines.append(f"value = {_said(money['price'], found['price'])}")
    if several:
        lines.append(f"currency = {toml_text(found['currency'])}")
    return lines


def _said(expression: str, column: str) -> str:
    return toml_text(column if expression == identifier(column) else f"= {expression}")


def _doubtful_name(connection: duckdb.DuckDBPyConnection, guesses: Sequence[Guess]) -> Guess | None:
    """The guess for a product's name when it is called just 'name' and the items do not tell it: a person may be meant."""
    found = {guess.field: guess for guess in guesses}
    name, item = found.get("name"), found.get("item")
    if name is None or column_words(name.column) != "name":
        return None
    if item is None:
        return name
    said, of = identifier(name.column), identifier(item.column)
    row = connection.execute(
        f"SELECT count(DISTINCT {of}), count(DISTINCT ({of}, {said})) FROM sample WHERE {said} IS NOT NULL"
    ).fetchone()
    items, pairs = row or (0, 0)
    return name if pairs > _NAMES_AN_ITEM * items else None


def _event_types(
    connection: duckdb.DuckDBPyConnection, path: Path, column: str | None
) -> tuple[str, dict[str, str], list[str]] | None:
    """The type column, its values as event types, and the values that were not understood."""
    if column is None:
        return None
    quoted = identifier(column)
    rows = connection.execute(f"SELECT DISTINCT {quoted}::VARCHAR FROM {reader([path])}").fetchall()
    values = sorted(value for (value,) in rows if value)
    known = {value: kind for value in values if (kind := event_type(value)) is not None}
    return column, known, [value for value in values if value not in known]


def _notes(
    columns: Sequence[Column], found: dict[str, str], types: tuple[str, dict[str, str], list[str]] | None
) -> list[str]:
    by_name = {column.name: column for column in columns}
    notes = []
    if types is None:
        notes.append("No column tells what happened, so every row is taken for a purchase.")
    elif types[2]:
        notes.append(f"Values of {types[0]} that are left out: {', '.join(types[2][:10])}.")
    if by_name[found["customer"]].filled < 1:
        share = by_name[found["customer"]].filled
        notes.append(f"{1 - share:.1%} of the rows have no customer; they are counted and kept apart.")
    if "value" not in found and "price" not in found:
        notes.append("No column holds money, so spend will be 0; add a value if there is one.")
    if "order" not in found and (types is None or "purchase" in types[1].values()):
        notes.append("No column numbers the orders, so what a customer bought at one time is one order.")
    own = _own_id(columns, found)
    if own is not None:
        notes.append(
            f"No two rows seen have one {own}: if none ever do, add id = {toml_text(own)}, and a row that comes again with "
            "a correction replaces itself."
        )
    return notes


def _own_id(columns: Sequence[Column], found: dict[str, str]) -> str | None:
    """The column that numbers the rows: one that means nothing else, before that of the orders where each is one row."""
    order = found.get("order")
    other = {column for field, column in found.items() if field != "order"}
    numbers = [
        column.name
        for column in columns
        if column.rows > 1
        and column.distinct == column.rows
        and column.name not in other
        and column.personal is None
        and not column.nested
        and re.fullmatch(_OWN, column.words)
    ]
    return min(numbers, key=lambda name: name == order, default=None)


def utc_notes(column: Column) -> list[str]:
    """That a moment in UTC has the shop's hour only by its zone."""
    if unix(column) is None and column.type != "TIMESTAMP WITH TIME ZONE":
        return []
    return [
        f"{column.name} is in UTC, and so will days and hours be; for the shop's own add its zone, such as "
        'time_zone = "Europe/London".'
    ]


def personal_notes(columns: Sequence[Column], customer: str) -> list[str]:
    """A sentence for every column that looks personal."""
    notes = []
    for column in columns:
        if column.personal is not None:
            mapped = column.name == customer
            left = "it becomes a keyed pseudonym" if mapped else "it is not mapped and never read"
            notes.append(f"{column.name} looks personal ({column.personal}): {left}.")
    return notes
