"""A mapping: how a retailer's own files become events, items, customers, campaigns and reviews. A small TOML file.

    name = "Our shop"
    currency = "£"

    [[events]]
    files = ["orders/*.csv.gz"]
    type = "purchase"                      # one type for all rows, or { column = "...", values = { ... } }
    customer = "CustomerID"
    time = "InvoiceDate"
    value = "= Quantity * UnitPrice"       # a text that begins with '=' is an SQL expression over the columns
    currency = "Currency"                  # value and discount are converted by [rates]

    [rates]                                # worth of one unit in the workspace's currency
    GBP = 1.0
    EUR = [{ from = 2024-01-01, rate = 0.87 }, { from = 2024-07-01, rate = 0.84 }]

Everything wrong with a mapping is told at once, each mistake naming its table and field; values of a wrong shape come
before the rest.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from segments.attributes import CustomerAttribute, read_attributes
from segments.catalogue import standard_catalogue
from segments.definition import EVENT_TYPES
from segments.errors import DataError, NotFoundError, Sentence
from warehouse.shapes import wrong_shapes

EVENT_FIELDS = (
    *("customer", "time", "item", "order", "session", "quantity", "value", "discount"),
    *("channel", "campaign", "id", "currency"),
)
FIELDS: Table[str, tuple[str, ...]] = {
    "events": EVENT_FIELDS,
    "items": ("item", "name", "category", "department", "brand"),
    "customers": (
        *("customer", "age", "income", "home_ownership", "marital_status", "household_size"),
        *("household_composition", "kids_count", "has_children"),
    ),
    "campaigns": ("campaign", "type", "start", "end"),
    "reviews": ("customer", "time", "item", "rating", "text", "id"),
}
REQUIRED: Table[str, tuple[str, ...]] = {
    "events": ("customer", "time"),
    "items": ("item",),
    "customers": ("customer",),
    "campaigns": ("campaign", "start"),
    "reviews": ("customer", "time", "text"),
}
TOP = ("name", "currency", "exclude_categories", "rates", *FIELDS)
Rates = Table[str, tuple[tuple[str, float], ...]]
"""Currency code -> (from this date on, ISO; worth of one unit in the workspace's currency), latest first."""


@dataclass(frozen=True)
class TypeColumn:
    """The event type is told by a column: source value -> event type; other rows are left out."""

    column: str
    values: Table[str, str]


@dataclass(frozen=True)
class Source:
    """Rows of one kind: the files, which rows of them (`where`, SQL), and field -> column or '= SQL'.

    header: column names of files that have none. time_zone: of timestamps that are UTC, the shop's zone.
    row_number: whether the column row_number (1, 2, ...) is added, for files without a customer id.
    encoding: of the files, where it is not UTF-8.
    database, table: a table of a database instead of files; the address, or 'env:NAME' to read it from the
    environment, where a password belongs. since: the table's column that only grows (a time of change, a number), by
    which later loads read only what is new; empty: the table is read whole each time. reach: of customers, channel ->
    the column that holds the consent.
    attributes: of customers, name of a declared attribute -> its column or '= SQL'.
    personal: columns that look personal and are meant to be read all the same.
    """

    kind: str
    files: tuple[str, ...]
    columns: Table[str, str]
    type: str | TypeColumn = ""
    where: str = ""
    header: tuple[str, ...] = ()
    time_format: str = ""
    time_zone: str = ""
    row_number: bool = False
    database: str = ""
    table: str = ""
    reach: Table[str, str] = field(default_factory=dict)
    # Of what was read before nothing changes by allowing more, so it is no part of the mapping's mark.
    personal: tuple[str, ...] = field(default=(), repr=False)
    # Part of the mark only where there are any (`Mapping.said`), so that mappings of before keep theirs.
    attributes: Table[str, str] = field(default_factory=dict, repr=False)
    since: str = field(default="", repr=False)
    encoding: str = field(default="", repr=False)

    @property
    def read(self) -> dict[str, str]:
        """Everything that is read as a value: field, reach.CHANNEL or attributes.NAME -> column or '= SQL'."""
        reach = {f"reach.{channel}": said for channel, said in self.reach.items()}
        own = {f"attributes.{name}": said for name, said in self.attributes.items()}
        return {**self.columns, **reach, **own}


@dataclass(frozen=True)
class Mapping:
    """A whole mapping; paths are relative to `folder`. text: the TOML it was read from.

    attributes: those that its tables of customers declare.
    """

    folder: Path
    name: str
    currency: str
    sources: tuple[Source, ...]
    exclude_categories: tuple[str, ...] = field(default=())
    rates: Rates = field(default_factory=dict)
    text: str = ""
    attributes: tuple[CustomerAttribute, ...] = ()

    @property
    def said(self) -> tuple[Any, ...]:
        """What it says; where its files are does not matter."""
        own = [(source.attributes, place) for place, source in enumerate(self.sources) if source.attributes]
        grows = [(source.since, place) for place, source in enumerate(self.sources) if source.since]
        written = [
            ("encoding", source.encoding, place)
            for place, source in enumerate(self.sources)
            if source.encoding
        ]
        more = (*((own, self.attributes) if own else ()), *((grows,) if grows else ()), *written)
        return (self.name, self.sources, self.rates, *more)

    def paths(self, source: Source) -> list[Path]:
        """The files of a source, sorted; of a folder, all below it. Raises DataError naming a pattern without one."""
        found: list[Path] = []
        for pattern in source.files:
            matched = _matches(self.folder / pattern)
            if not matched:
                raise DataError(f"{source.kind}.files: '{pattern}' matches no file in {self.folder}.")
            found += matched
        return list(dict.fromkeys(found))


def _matches(path: Path) -> list[Path]:
    """The files that a path names: itself, those below a folder, those of a pattern and below its folders, sorted."""
    if path.is_file():
        return [path]
    parts = path.parts
    fixed = next((n for n, part in enumerate(parts) if re.search(r"[*?\[]", part)), len(parts))
    named = (
        [path] if fixed == len(parts) or path.exists() else Path(*parts[:fixed]).glob("/".join(parts[fixed:]))
    )
    below = Path(*parts[:fixed])
    found = {file for one in named for file in ([one] if one.is_file() else one.rglob("*"))}
    return sorted(file for file in found if file.is_file() and not _aside(file.relative_to(below)))


def _aside(path: Path) -> bool:
    """Whether programs put it beside the data: .DS_Store, .part-0.csv.crc, _SUCCESS, _delta_log/0.json."""
    *folders, name = path.parts
    marks = name.startswith("_") and not path.suffix
    return marks or name.startswith(".") or any(folder.startswith(("_", ".")) for folder in folders)


def ready_made() -> dict[str, str]:
    """The mappings that come with the package: name -> TOML text."""
    folder = resources.files("warehouse").joinpath("mappings")
    files = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {name.removesuffix(".toml"): folder.joinpath(name).read_text("utf-8") for name in files}


def read_mapping(what: str, folder: Path | None = None) -> Mapping:
    """A mapping file, or a ready-made one by its name with the folder its files are in.

    Raises DataError with every mistake, NotFoundError for a name that is neither a file nor ready-made.
    """
    path = Path(what)
    if path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{what}: is not UTF-8; save it as UTF-8.") from error
        return parse_mapping(text, folder or path.parent, what)
    known = ready_made()
    if what not in known:
        near = get_close_matches(what, known, n=1) or sorted(known)
        raise NotFoundError(
            f"mapping: '{what}' is no file and no ready-made mapping; known are {', '.join(near)}.",
            f"mapping：“{what}”既不是文件也不是现成的映射；现有{'、'.join(near)}。",
        )
    if folder is None:
        raise DataError(f"mapping: '{what}' is ready-made; say with --data where its files are.")
    return parse_mapping(known[what], folder, what)


def parse_mapping(text: str, folder: Path, label: str) -> Mapping:
    """The mapping a TOML text describes. Raises DataError with every mistake at once."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{label}: not valid TOML ({error}).") from error
    mistakes = [_unknown("", key, TOP) for key in data if key not in TOP]
    shapes = wrong_shapes(data, FIELDS)
    if shapes:
        raise DataError(f"{label}: " + " ".join([*mistakes, *shapes]))
    sources = []
    attributes: dict[str, CustomerAttribute] = {}
    for kind in FIELDS:
        for table in data.get(kind, []):
            declared = (
                _attributes(table, attributes, mistakes)
                if kind == "customers" and "attributes" in table
                else {}
            )
            sources.append(_source(kind, table, declared, mistakes))
    mistakes += [
        f"customers.{name}: is declared as an attribute too; leave one of them out."
        for name in attributes
        if any(name in table for table in data.get("customers", []))
    ]
    if not data.get("events"):
        mistakes.append("events: at least one [[events]] table is needed.")
    rates = _rates(data.get("rates", {}), mistakes)
    if not rates and any("currency" in source.columns for source in sources):
        mistakes.append("rates: is missing; events.currency needs a table [rates], such as EUR = 1.0.")
    if mistakes:
        raise DataError(f"{label}: " + " ".join(mistakes))
    return Mapping(
        folder,
        str(data.get("name", folder.name)),
        str(data.get("currency", "$")),
        tuple(sources),
        tuple(data.get("exclude_categories", ())),
        rates,
        text,
        tuple(attributes.values()),
    )


def _attributes(
    table: dict[str, Any], known: dict[str, CustomerAttribute], mistakes: list[str]
) -> dict[str, str]:
    """Name -> column of what a table of customers declares; another table may declare the same again, alike."""
    issues: list[Sentence] = []
    computed = [feature.name for feature in standard_catalogue() if not feature.attribute]
    found = read_attributes(table["attributes"], "customers.attributes", issues, computed)
    mistakes += issues
    mistakes += [
        f"customers.attributes.{one.name}: is declared otherwise in another table of customers."
        for one in found
        if known.setdefault(one.name, one) != one
    ]
    return {one.name: column for one, column in found.items()}


_OPTIONS = tuple(
    "files encoding where header time_format time_zone row_number database table since personal".split()
)


def _source(kind: str, table: dict[str, Any], attributes: dict[str, str], mistakes: list[str]) -> Source:
    fields = FIELDS[kind]
    # An event's type says what happened; a campaign's is a column like any other.
    options = {"events": (*_OPTIONS, "type"), "customers": (*_OPTIONS, "reach", "attributes")}.get(
        kind, _OPTIONS
    )
    mistakes += [_unknown(kind, key, (*fields, *options)) for key in table if key not in (*fields, *options)]
    mistakes += [f"{kind}.{name}: is missing; name a column." for name in REQUIRED[kind] if name not in table]
    files = table.get("files", ())
    files = (files,) if isinstance(files, str) else tuple(files)
    database, name = str(table.get("database", "")), str(table.get("table", ""))
    if bool(database) != bool(name) or (database and files):
        mistakes.append(f"{kind}.database: needs an address and a table, and no files beside them.")
    elif not files and not database:
        mistakes.append(f"{kind}.files: is missing; name a file, a folder or a pattern such as orders/*.csv.")
    if table.get("encoding") and database:
        mistakes.append(f"{kind}.encoding: is of files; a database tells its own.")
    if table.get("since") and not database:
        mistakes.append(f"{kind}.since: is for a table of a database; new files are known by themselves.")
    reach = table.get("reach", {})
    if not isinstance(reach, dict) or not all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in reach):
        mistakes.append(
            f'{kind}.reach: must be channels in small letters, such as {{ email = "newsletter" }}.'
        )
        reach = {}
    personal = table.get("personal", [])
    if not isinstance(personal, list) or not all(isinstance(name, str) for name in personal):
        mistakes.append(f'{kind}.personal: must be a list of columns, such as ["email"].')
        personal = []
    columns = {name: str(table[name]) for name in fields if name in table}
    return Source(
        kind,
        files,
        columns,
        _type(table.get("type"), mistakes) if kind == "events" else "",
        str(table.get("where", "")),
        tuple(table.get("header", ())),
        str(table.get("time_format", "")),
        str(table.get("time_zone", "")),
        bool(table.get("row_number", False)),
        database,
        name,
        {channel: str(column) for channel, column in reach.items()},
        tuple(personal),
        attributes,
        str(table.get("since", "")),
        str(table.get("encoding", "")),
    )


def _type(value: Any, mistakes: list[str]) -> str | TypeColumn:
    accepted = f"one of {', '.join(EVENT_TYPES)}"
    if isinstance(value, dict) and isinstance(value.get("values"), dict) and value.get("column"):
        values = {str(key): str(kind) for key, kind in value["values"].items()}
        mistakes += [
            f"events.type: '{v}' is not {accepted}." for v in values.values() if v not in EVENT_TYPES
        ]
        return TypeColumn(str(value["column"]), values)
    if not isinstance(value, str) or value not in EVENT_TYPES:
        mistakes.append(
            f"events.type: {value!r} is not {accepted}, nor {{ column = ..., values = {{ ... }} }}."
        )
    return str(value)


def _rates(table: Table[str, Any], mistakes: list[str]) -> Rates:
    """A rate that always holds counts from the first day there is."""
    found = {}
    for code, said in table.items():
        dated = said if isinstance(said, list) else [{"from": "0001-01-01", "rate": said}]
        try:
            pairs = [(date.fromisoformat(str(one["from"])), float(one["rate"])) for one in dated]
        except (KeyError, TypeError, ValueError):
            pairs = []
        if not pairs or not all(0 < rate < math.inf for _, rate in pairs):
            mistakes.append(
                f"rates.{code}: must be a number above 0, or a list of {{ from = 2024-01-01, rate = 1.1 }}; got {said!r}."
            )
        found[str(code).upper()] = tuple((day.isoformat(), rate) for day, rate in sorted(pairs, reverse=True))
    return found


def _unknown(kind: str, key: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
    return f"{kind + '.' if kind else ''}{key}: is not a field; {hint}"
