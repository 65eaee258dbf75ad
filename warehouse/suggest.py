"""A first mapping proposed for a file: from its column names and values, with a reason for each guess.

A column is taken for a field when its name is one that shops use for it and its values look like it; a
person reads the proposal, mends it and ingests it. Nothing is loaded on a guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from segments.errors import DataError
from warehouse.connection import identifier, scratch
from warehouse.files import reader
from warehouse.personal import column_words, personal_kind

SAMPLE = 20_000


@dataclass(frozen=True)
class Column:
    """A column as the engine reads it: its type, the share of rows with a value, how many differ, examples."""

    name: str
    type: str
    filled: float
    distinct: int
    examples: tuple[str, ...]

    @property
    def words(self) -> str:
        """The name in lower case words."""
        return column_words(self.name)

    @property
    def personal(self) -> str | None:
        """What kind of personal data it holds, if any."""
        return personal_kind(self.name, self.examples)

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.type.startswith(
            ("INT", "BIGINT", "HUGEINT", "SMALLINT", "TINYINT", "DOUBLE", "FLOAT", "DECIMAL")
        )


@dataclass(frozen=True)
class Guess:
    """One line of the proposal: `table.field` from a column, and why."""

    field: str
    column: str
    reason: str


@dataclass(frozen=True)
class Suggestion:
    """The proposed mapping as TOML, the guesses behind it, and what a person should look at."""

    toml: str
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]


# Names that exports of shop systems use, most telling first.
_NAMES: dict[str, str] = {
    "customer": r"(customer|client|user|member|visitor|household|buyer|shopper|contact)( ?(id|no|number|key))?|"
    r"(cust|uid|userid|visitorid)( id)?|客户(编号)?|会员(号)?|用户(id)?",
    "time": r"(event|order|invoice|purchase|transaction|created|review)? ?(time|date|timestamp|datetime|at|ts)( at)?|"
    r"created at|purchased|time ?stamp|时间|日期|下单时间",
    "order": r"(order|invoice|basket|transaction|receipt|bill)( ?(id|no|number|key))?|transactionid|订单(号|编号)?",
    "item": r"(item|product|stock|sku|article|variant|asin|material)( ?(id|no|number|code|key))?|itemid|商品(编号|id)?",
    "session": r"(user |visit )?session( id)?|visit( id)?",
    "quantity": r"(quantity|qty|units|pieces|amount of items|count)|数量|件数",
    "price": r"(unit )?price|item price|单价|价格",
    "value": r"(sales |order |line |total )?(value|amount|revenue|total|sales|spend)|amt|金额|消费金额",
    "discount": r".*discount.*|rebate|折扣|优惠",
    "channel": r"(channel|store|shop|country|source|platform|device)( id| name)?|渠道|门店",
    "event": r"(event|action|behaviou?r|activity)( (type|name))?|type|行为(类型)?",
    "name": r"(item|product|stock)? ?(description|title|name)|商品名(称)?",
    "category": r"(item |product |main )?categor(y|ies)( ?(id|code|name))?|class|品类|类目",
    "department": r"(department|section|division|category group)( id| name)?|部门",
    "brand": r"brand( name)?|manufacturer|品牌",
}
_TYPES = {
    "view": r"(page ?)?views?|pv|viewed|product ?view|browse|浏览|点击",
    "add_to_cart": r"(add ?to ?)?(cart|basket)|addtocart|add|加购",
    "purchase": r"purchas(e|ed)|buy|bought|transaction|order(ed)?|sale|购买|下单",
    "return": r"returns?|refund(ed)?|退货",
    "search": r"search(ed)?|搜索",
    "review": r"reviews?|rating|评价",
    "ad_click": r"ad ?click|click",
}
_ITEM_FIELDS = ("name", "category", "department", "brand")
_NAMES_AN_ITEM = 1.2
"""More names than this for each item are not the items': a misspelt line or two is let pass."""
_TELLING = ("customer", "time")
_TIME = ("time", "time_format")
_FORMATS = (
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y%m%d",
)
"""Ways of writing a time that need to be named; the American order is tried before the European."""


def suggest(path: Path) -> Suggestion:
    """A mapping for one file. Raises DataError when it cannot be read or holds no customer or time column."""
    if not path.is_file():
        raise DataError(f"--suggest: {path} is no file.")
    connection = scratch()
    columns = _columns(connection, path)
    guesses = _fields(columns)
    doubtful = _doubtful_name(connection, guesses)
    guesses = [guess for guess in guesses if guess != doubtful]
    found = {guess.field: guess.column for guess in guesses}
    lacking = [field for field in _TELLING if field not in found]
    if lacking:
        raise DataError(
            f"--suggest: no column of {path.name} looks like a {' or a '.join(lacking)}; "
            f"it has {', '.join(column.name for column in columns[:20])}. Write the mapping by hand."
        )
    types = _event_types(connection, path, found.pop("event", None))
    _tell_time(next(column for column in columns if column.name == found["time"]), found)
    notes = [*_notes(columns, found, types), *_personal(columns, found)]
    if doubtful is not None:
        notes.append(
            f"{doubtful.column} may be a person's name, as an item has several: it is not mapped and never read."
        )
    return Suggestion(_toml(path, found, types), tuple(guesses), tuple(notes))


def _columns(connection: duckdb.DuckDBPyConnection, path: Path) -> list[Column]:
    try:
        connection.execute(f"CREATE TABLE sample AS SELECT * FROM {reader([path])} LIMIT {SAMPLE}")
    except duckdb.Error as error:
        raise DataError(f"--suggest: cannot read {path}: {str(error).splitlines()[0]}") from error
    found = []
    for name, kind, *_ in connection.execute("DESCRIBE sample").fetchall():
        quoted = identifier(name)
        row = connection.execute(
            f"SELECT count({quoted}) / greatest(count(*), 1), count(DISTINCT {quoted}), "
            f"(list(DISTINCT {quoted}::VARCHAR) FILTER ({quoted} IS NOT NULL))[:5] FROM sample"
        ).fetchone()
        filled, distinct, examples = row or (0.0, 0, [])
        found.append(Column(name, kind, filled, distinct, tuple(examples or ())))
    return found


def _fields(columns: Sequence[Column]) -> list[Guess]:
    """The best column of each field: a name that fits wholly before one that holds it, and fitting values."""
    guesses, taken = [], set()
    for field, pattern in _NAMES.items():
        ranked = []
        for place, column in enumerate(columns):
            if column.name in taken or not _looks_like(field, column):
                continue
            # Of two columns with a category, the one that people can read; of two customers, the one without a name.
            spoken = (field in _ITEM_FIELDS and column.numeric) or column.personal is not None
            if re.fullmatch(pattern, column.words):
                ranked.append((0, spoken, place, column))
            elif re.search(rf"(^| )({pattern})( |$)", column.words):
                ranked.append((1, spoken, place, column))
        if ranked:
            how, _, _, column = min(ranked, key=lambda found: found[:3])
            taken.add(column.name)
            said = "its name says so" if how == 0 else "its name holds the word"
            shown = ", ".join(column.examples[:3])
            guesses.append(Guess(field, column.name, f"{said}; {column.type.lower()} such as {shown}"))
    return guesses


def _looks_like(field: str, column: Column) -> bool:
    # Only a customer becomes a pseudonym; everything else is kept as it is.
    if not column.distinct or (field != "customer" and column.personal is not None):
        return False
    match field:
        case "time":
            return (
                column.type.startswith(("TIMESTAMP", "DATE"))
                or _unix(column) is not None
                or (
                    column.type == "VARCHAR"
                    and any(re.search(r"\d{4}-\d\d-\d\d|\d+/\d+/\d+", e) for e in column.examples)
                )
            )
        case "quantity" | "price" | "value" | "discount":
            return column.numeric
        case "event":
            return (
                column.type == "VARCHAR" and column.distinct <= 30 and any(map(_event_type, column.examples))
            )
        case "name" | "brand":
            return column.type == "VARCHAR"
        case _:
            return True


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


def _unix(column: Column) -> str | None:
    """'unix' for seconds since 1970 (2001 to 2033), 'milliseconds' for thousandths of them."""
    if not column.numeric or not column.examples:
        return None
    value = float(column.examples[0])
    if 1e9 <= value < 2e9:
        return "unix"
    return "milliseconds" if 1e12 <= value < 2e12 else None


def _tell_time(column: Column, found: dict[str, str]) -> None:
    """Add how the times are written, where the engine does not know by itself."""
    unix = _unix(column)
    if unix is not None:
        found["time_format"] = "unix"
        if unix == "milliseconds":
            found["time"] = f"= {identifier(column.name)} / 1000"
    elif column.type == "VARCHAR":
        written = next((f for f in _FORMATS if all(_fits(value, f) for value in column.examples)), None)
        if written is not None:
            found["time_format"] = written


def _fits(value: str, written: str) -> bool:
    try:
        datetime.strptime(value, written)
    except ValueError:
        return False
    return True


def _event_type(value: str) -> str | None:
    words = re.sub(r"[_-]", " ", value.lower())
    return next((kind for kind, pattern in _TYPES.items() if re.fullmatch(pattern, words)), None)


def _event_types(
    connection: duckdb.DuckDBPyConnection, path: Path, column: str | None
) -> tuple[str, dict[str, str], list[str]] | None:
    """The type column, its values as event types, and the values that were not understood."""
    if column is None:
        return None
    quoted = identifier(column)
    rows = connection.execute(f"SELECT DISTINCT {quoted}::VARCHAR FROM {reader([path])}").fetchall()
    values = sorted(value for (value,) in rows if value)
    known = {value: kind for value in values if (kind := _event_type(value)) is not None}
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
    return notes


def _personal(columns: Sequence[Column], found: dict[str, str]) -> list[str]:
    notes = []
    for column in columns:
        if column.personal is not None:
            mapped = column.name == found["customer"]
            left = "it becomes a keyed pseudonym" if mapped else "it is not mapped and never read"
            notes.append(f"{column.name} looks personal ({column.personal}): {left}.")
    return notes


def _toml(path: Path, found: dict[str, str], types: tuple[str, dict[str, str], list[str]] | None) -> str:
    lines = [f"name = {_quoted(path.name.split('.')[0])}", 'currency = "$"', "", "[[events]]"]
    lines += [f"files = [{_quoted(path.name)}]"]
    if types is None:
        lines.append('type = "purchase"')
    else:
        values = ", ".join(f"{_quoted(value)} = {_quoted(kind)}" for value, kind in types[1].items())
        lines.append(f"type = {{ column = {_quoted(types[0])}, values = {{ {values} }} }}")
    for field in ("customer", *_TIME, "item", "order", "session", "quantity", "discount", "channel"):
        if field in found:
            lines.append(f"{field} = {_quoted(found[field])}")
    lines += _money(found)
    if "item" in found and any(field in found for field in _ITEM_FIELDS):
        lines += ["", "[[items]]", f"files = [{_quoted(path.name)}]", f"item = {_quoted(found['item'])}"]
        lines += [f"{field} = {_quoted(found[field])}" for field in _ITEM_FIELDS if field in found]
    return "\n".join(lines) + "\n"


def _money(found: dict[str, str]) -> list[str]:
    if "value" in found:
        return [f"value = {_quoted(found['value'])}"]
    if "price" not in found:
        return []
    price = identifier(found["price"])
    if "quantity" in found:
        product = f"= {identifier(found['quantity'])} * {price}"
        return [f"value = {_quoted(product)}"]
    return [f"value = {_quoted(found['price'])}"]


def _quoted(text: str) -> str:
    # A JSON string is also a TOML one.
    return json.dumps(text, ensure_ascii=False)
