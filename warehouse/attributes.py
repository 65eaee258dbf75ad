"""Declared attributes of customers in the warehouse: how their columns are read, and which levels there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb

from segments.attributes import CustomerAttribute
from segments.errors import DataError
from warehouse.connection import identifier, quoted
from warehouse.gate import Check
from warehouse.ledger import Columns
from warehouse.mapping import Source
from warehouse.readable import Readable, day, number, readable, yes_no
from warehouse.write import count

TYPES = {"text": "VARCHAR", "ordered": "VARCHAR", "number": "DOUBLE", "yes-no": "BOOLEAN", "date": "DATE"}
"""What the column of each kind is in the warehouse."""
MOST_LEVELS = 100
"""More different values than this are no levels that people choose from, and may tell single customers apart."""


def read_attribute(attribute: CustomerAttribute, said: str, columns: Columns, source: Source) -> Readable:
    """An attribute read from a column, or '= SQL', of a source: what is none of its levels cannot be read."""
    match attribute.kind:
        case "number":
            return number(said, columns)
        case "yes-no":
            return yes_no(said, columns)
        case "date":
            return day(said, columns, source.time_format)
    text = "trim({}::VARCHAR)"
    if columns.get(said) in ("DOUBLE", "FLOAT"):
        # A column of whole numbers in which some are missing comes as one of fractions.
        text = f"regexp_replace({text}, '\\.0$', '')"
    if not attribute.levels:
        return readable(said, f"nullif({text}, '')", columns, [*columns])
    cases = " ".join(
        f"WHEN {quoted(level.strip().lower())} THEN {quoted(level)}" for level in attribute.levels
    )
    return readable(said, f"CASE lower({text}) {cases} END", columns, ())


def few_levels(connection: duckdb.DuckDBPyConnection, attributes: Sequence[CustomerAttribute]) -> None:
    """Raises DataError for a text in given_customers with more values than can be its levels."""
    for attribute in attributes:
        if not attribute.open:
            continue
        values = count(
            connection, f"SELECT count(DISTINCT {identifier(attribute.name)}) FROM given_customers"
        )
        if values > MOST_LEVELS:
            raise DataError(
                f"customers.attributes.{attribute.name}: has {values:,} different values, of {MOST_LEVELS} that an "
                "attribute may have; name its levels, make fewer of them with '= SQL', or leave it out."
            )


def with_levels(
    connection: duckdb.DuckDBPyConnection, attributes: Sequence[CustomerAttribute]
) -> tuple[CustomerAttribute, ...]:
    """The attributes with the levels that the table customers has, most frequent first; known ones keep their place.

    Raises DataError for more of them than an attribute may have.
    """
    found = []
    for attribute in attributes:
        if attribute.open:
            name = identifier(attribute.name)
            rows = connection.execute(
                f"SELECT {name} FROM customers WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1"
            ).fetchall()
            levels = tuple(dict.fromkeys([*attribute.levels, *(level for (level,) in rows)]))
            if len(levels) > MOST_LEVELS:
                raise DataError(
                    f"customers.attributes.{attribute.name}: has {len(levels)} different values by now, of "
                    f"{MOST_LEVELS} that an attribute may have; name its levels in the mapping, or leave it out."
                )
            attribute = replace(attribute, levels=levels)
        found.append(attribute)
    return tuple(found)


def levels_known(
    connection: duckdb.DuckDBPyConnection, attributes: Sequence[CustomerAttribute]
) -> list[Check]:
    """Which values of raw_customers no load before had, of texts whose levels are those that the data have."""
    found = []
    for attribute in attributes:
        if attribute.open and attribute.levels:
            name, listed = identifier(attribute.name), ", ".join(map(quoted, attribute.levels))
            rows = connection.execute(
                f"SELECT {name}, count(*) FROM raw_customers WHERE {name} IS NOT NULL AND {name} NOT IN ({listed}) "
                "GROUP BY 1 ORDER BY 2 DESC, 1"
            ).fetchall()
            found += [(attribute, level, customers) for level, customers in rows]
    if not any(attribute.open for attribute in attributes):
        return []
    named = "; ".join(f"{one.name} '{level}' ({customers})" for one, level, customers in found[:10])
    return [
        Check(
            "attribute values known",
            "drift",
            "warn" if found else "pass",
            f"Values that no customer had before: {named}; they are levels from now on."
            if found
            else "Every attribute has values that were there before.",
            f"以前没有的取值：{named}；现已成为可用的取值。" if found else "各属性的取值以前都出现过。",
        )
    ]
