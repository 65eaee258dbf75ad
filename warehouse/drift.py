"""Schema drift: what of a new file's columns is not as it was in the files ingested before, one sentence each."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from warehouse.ledger import Columns
from warehouse.mapping import Source, TypeColumn

IDS = ("customer", "item", "order", "session", "campaign", "id")
"""Fields in which 7 and 7.0 are two."""
TYPED = ("time", "quantity", "value", "discount")
"""Fields that a text may be read in: what cannot be read is counted row by row, and stops the load where it is much."""
_WHOLE = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
_FRACTION = re.compile(r"DOUBLE|FLOAT|DECIMAL.*")


@dataclass(frozen=True)
class SchemaDrift:
    """One difference. stops: whether ingesting it would change what a mapped field means."""

    sentence: str
    stops: bool


def schema_drift(
    source: Source, label: str, before: Columns, now: Columns, has_values: Callable[[str], bool]
) -> list[SchemaDrift]:
    """New, missing and retyped columns of one file. has_values: whether a column of it holds anything at all."""
    found = []
    for name, kind in now.items():
        if name not in before:
            read = "" if field_of(source, name) else "; it is not mapped, so it is not read"
            found.append(SchemaDrift(f"{label}: the column '{name}' ({kind}) is new{read}.", False))
    for name, kind in before.items():
        field = field_of(source, name)
        if name not in now:
            what = f"which is read as {field}, is missing" if field else "which is not mapped, is missing"
            found.append(
                SchemaDrift(f"{label}: the column '{name}', {what}; it was there before.", bool(field))
            )
        elif _family(kind, field) != _family(now[name], field) and has_values(name):
            what = f"; it is read as {field}" if field else "; it is not mapped, so nothing changes"
            counted = field is not None and (field in TYPED or field.startswith("attributes."))
            stops = bool(field) and not (counted and {"VARCHAR", "JSON"} & {kind, now[name]})
            found.append(
                SchemaDrift(f"{label}: the column '{name}' was {kind} and is {now[name]}{what}.", stops)
            )
    return found


def lacking(source: Source, columns: Mapping[str, Collection[str]]) -> list[str]:
    """Of files read together, those without a column that others have and the mapping reads. columns: label -> names."""
    known = list(dict.fromkeys(name for names in columns.values() for name in names))
    read = [(name, field) for name in known if (field := field_of(source, name))]
    others = f"other files of {', '.join(source.files)} have it."
    return [
        f"{label}: the column '{name}', which is read as {field}, is missing; {others}"
        for label, names in columns.items()
        for name, field in read
        if name not in names
    ]


def field_of(source: Source, column: str) -> str | None:
    """The mapping's field that reads a column, by itself or in an expression; None when none does."""
    for field, said in source.read.items():
        if reads(said, column):
            return field
    if isinstance(source.type, TypeColumn) and source.type.column == column:
        return "type"
    return "where" if reads(f"= {source.where}", column) else None


def reads(said: str, column: str) -> bool:
    """Whether what a mapping says of a field, a column or an expression, reads the column."""
    return said == column or (
        said.startswith("=") and re.search(rf"(?<!\w){re.escape(column)}(?!\w)", said) is not None
    )


def _family(kind: str, field: str | None) -> str:
    """Types that read alike; a number's width never matters."""
    if _WHOLE.fullmatch(kind):
        return "whole number" if field in IDS else "number"
    if _FRACTION.fullmatch(kind):
        return "fraction" if field in IDS else "number"
    return "time" if kind in ("DATE", "TIMESTAMP", "TIMESTAMP_NS") else kind
