"""The shapes that a mapping's values must have, looked at before anything is read from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from warehouse.encodings import is_encoding


def wrong_shapes(data: Mapping[str, Any], kinds: Mapping[str, tuple[str, ...]]) -> list[str]:
    """One sentence for each value of a mapping that is not of its shape, naming the field and what is accepted.

    data: the TOML as read. kinds: table -> its fields.
    """
    found = [
        f"{name}: must be a text; got {data[name]!r}."
        for name in ("name", "currency")
        if not _is_text(data.get(name, ""))
    ]
    if not _texts(data.get("exclude_categories", [])):
        found.append(
            f'exclude_categories: must be a list of texts, such as ["FUEL"]; got {data["exclude_categories"]!r}.'
        )
    if not isinstance(data.get("rates", {}), dict):
        found.append(f"rates: must be a table [rates], such as EUR = 1.0; got {data['rates']!r}.")
    for kind, fields in kinds.items():
        tables = data.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            found.append(f"{kind}: must be tables, each under [[{kind}]] (two brackets).")
            continue
        for table in tables:
            found += _of_table(kind, table, fields)
    return found


def _of_table(kind: str, table: Mapping[str, Any], fields: tuple[str, ...]) -> list[str]:
    said = [field for field in fields if field != "type" or kind != "events"]
    columns: Mapping[str, tuple[Callable[[Any], bool], str]] = dict.fromkeys(
        said, (_is_text, "a column, or a text that begins with '='")
    )
    shapes = {**columns, **OPTIONS}
    return [
        f"{kind}.{name}: must be {accepted}; got {table[name]!r}."
        for name, (fits, accepted) in shapes.items()
        if name in table and not fits(table[name])
    ]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


@cache
def _zones() -> set[str]:
    return available_timezones()


OPTIONS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "files": (
        lambda value: _is_text(value) or _texts(value),
        'a text or a list of them, such as ["orders/*.csv"]',
    ),
    "header": (_texts, 'a list of column names, such as ["id", "day"]'),
    "row_number": (lambda value: isinstance(value, bool), "true or false"),
    "encoding": (is_encoding, "an encoding such as 'gb18030', 'windows-1252' or 'utf-16'"),
    "time_zone": (lambda value: value in _zones(), "a zone such as 'Europe/London' or 'Asia/Shanghai'"),
    **dict.fromkeys(("where", "time_format", "database", "table", "since"), (_is_text, "a text")),
}
"""Option of a table -> whether a value fits, and what is accepted."""
