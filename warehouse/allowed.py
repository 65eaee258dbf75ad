"""Personal columns are not read by accident: a mapping that reads one must name it in `personal`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from segments.errors import DataError
from warehouse.connection import identifier
from warehouse.drift import reads
from warehouse.mapping import Source
from warehouse.personal import personal_kind

ROWS, EXAMPLES = 1000, 20
"""How many of the first rows are looked at, and how many different values of them."""
NEVER_KEPT = ("customer", "time", "quantity", "value", "discount", "start", "end")
"""Fields that become a pseudonym, a time or a number; consent (`reach`) becomes yes or no."""


def refuse_personal(
    connection: duckdb.DuckDBPyConnection, source: Source, columns: Sequence[str], rows: str
) -> None:
    """Look at the mapped columns' names and at some of their values (rows: what to select from, SQL).

    Raises DataError naming every column that looks personal and is not allowed.
    """
    kept = [
        (field, column)
        for field, said in source.read.items()
        for column in columns
        if _kept(field) and column not in source.personal and reads(said, column)
    ]
    if not kept:
        return
    examples = dict(_examples(connection, sorted({column for _, column in kept}), rows))
    found = [
        (field, column, kind)
        for field, column in kept
        if (kind := _looks(field, column, examples.get(column, ())) or _named(field)) is not None
    ]
    if found:
        told = ", ".join(f"'{column}' (as {field}; {kind})" for field, column, kind in found)
        names = ", ".join(f'"{column}"' for column in dict.fromkeys(column for _, column, _ in found))
        raise DataError(
            f"{source.kind}: what looks personal would be kept as it is: {told}; leave it out of the mapping, or allow "
            f"it with personal = [{names}]."
        )


def _looks(field: str, column: str, values: Sequence[str]) -> str | None:
    """What kind of personal data a column looks like. Of a review's text its values tell, not that it is called one."""
    return personal_kind("" if field == "text" else column, values)


def _kept(field: str) -> bool:
    return field not in NEVER_KEPT and not field.startswith("reach.")


def _named(field: str) -> str | None:
    """What kind of personal data the name of an attribute tells, whatever its column is called."""
    name = field.removeprefix("attributes.")
    return None if name == field else personal_kind(name, ())


def _examples(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[str], rows: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    named = [identifier(column) for column in columns]
    lists = ", ".join(
        f"(list(DISTINCT {name}::VARCHAR) FILTER ({name} IS NOT NULL))[:{EXAMPLES}]" for name in named
    )
    try:
        row = connection.execute(
            f"SELECT {lists} FROM (SELECT {', '.join(named)} FROM {rows} LIMIT {ROWS})"
        ).fetchone()
    except duckdb.OutOfMemoryException:
        raise  # says what to raise, where it is told
    except duckdb.Error as error:
        raise DataError(f"the values cannot be read: {' '.join(str(error).splitlines()[:2])}") from error
    for column, values in zip(columns, row or (), strict=False):
        yield column, tuple(values or ())
