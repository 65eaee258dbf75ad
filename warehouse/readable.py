"""A mapped field read as a number or a time, in SQL: what cannot be read is null, and told beside it with an example.

Only a text can be unreadable: fields whose columns have the type already are read as fast as ever. Each cast is made one
that gives null (DuckDB's TRY is none of them: it moves common parts of what it guards out of it, 1.5).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlglot
from sqlglot import expressions as sge
from sqlglot.errors import SqlglotError

from warehouse.connection import identifier, quoted
from warehouse.drift import reads
from warehouse.ledger import Columns

UNREADABLE = "unreadable"
"""The column of raw_events that says 'field: what it holds', of the first field of a row that cannot be read."""
TEXTS = ("VARCHAR", "JSON")
"""Types that hold anything."""
YES = ("1", "1.0", "true", "t", "yes", "y", "opt-in", "opted in", "subscribed", "是", "同意")
NO = ("0", "0.0", "false", "f", "no", "n", "opt-out", "opted out", "unsubscribed", "否", "不同意")
SHOWN = 40
"""Characters of an unreadable value that are kept."""


@dataclass(frozen=True)
class Readable:
    """SQL of a field's value. fails: SQL that tells whether it cannot be read, empty where it always can be;
    given: SQL of the texts it was read from."""

    value: str
    fails: str = ""
    given: str = ""


def readable(said: str, read: str, types: Columns, sure: Collection[str]) -> Readable:
    """A field that a mapping says is `said`: a column of these, or '= SQL' over them.

    read: SQL of the value, with {} for what is said; null where it fails. sure: columns that it cannot fail on. A text
    without anything in it is no value, so it can be read.
    """
    doubtful = [name for name in types if name not in sure and reads(said.lower(), name.lower())]
    if not said.startswith("="):
        text = _text(said, types) if doubtful else identifier(said)
        value = read.replace("{}", text)
        return (
            Readable(value, f"{text} IS NOT NULL AND {value} IS NULL", text) if doubtful else Readable(value)
        )
    if not doubtful:
        return Readable(read.replace("{}", f"({said[1:]})"))
    expression, attempts = _careful(said[1:], types)
    value = read.replace("{}", f"({expression})")
    failed = " OR ".join([*attempts, f"trim(({expression})::VARCHAR) <> ''"])
    return Readable(value, f"{value} IS NULL AND ({failed})", _given(doubtful, types))


def number(said: str, types: Columns) -> Readable:
    """A field as a number."""
    return readable(
        said, "TRY_CAST({} AS DOUBLE)", types, [name for name, of in types.items() if of not in TEXTS]
    )


def time(said: str, types: Columns, time_format: str = "", time_zone: str = "") -> Readable:
    """A field as a time. time_format, time_zone: of the source."""
    sure = [name for name, kind in types.items() if kind == "DATE" or kind.startswith("TIMESTAMP")]
    if time_format == "unix":
        read = "to_timestamp(TRY_CAST({} AS DOUBLE))::TIMESTAMP"
        sure = [name for name, kind in types.items() if kind not in TEXTS]
    elif time_format:
        read, sure = f"try_strptime({{}}::VARCHAR, {quoted(time_format)})", []
    elif types.get(said) in ("DATE", "TIMESTAMP"):
        read = "{}::TIMESTAMP"
    else:
        # ' UTC' is how some exports mark the zone; the cast knows only offsets.
        read = "TRY_CAST(replace({}::VARCHAR, ' UTC', '') AS TIMESTAMP)"
    if time_zone:
        read = f"({read} AT TIME ZONE 'UTC' AT TIME ZONE {quoted(time_zone)})::TIMESTAMP"
    return readable(said, read, types, sure)


def day(said: str, types: Columns, time_format: str = "") -> Readable:
    """A field as a date, of no time zone; one that the engine knows for one is of no format either."""
    if types.get(said) == "DATE":
        return Readable(identifier(said))
    found = time(said, types, time_format)
    return Readable(f"({found.value})::DATE", found.fails, found.given)


def yes_no(said: str, types: Columns) -> Readable:
    """A field as yes or no, as files write them."""
    text = "lower(trim({}::VARCHAR))"
    listed = [", ".join(map(quoted, words)) for words in (YES, NO)]
    return readable(
        said,
        f"CASE WHEN {text} IN ({listed[0]}) THEN true WHEN {text} IN ({listed[1]}) THEN false END",
        types,
        (),
    )


def condition(where: str, types: Columns) -> Readable:
    """A mapping's `where` as a test. A row that it cannot be told of is taken: the field it asks of is at fault."""
    test, attempts = _careful(where, types)
    if not attempts:
        return Readable(f"({where})")
    asked = [name for name, of in types.items() if of in TEXTS and reads(f"= {where}".lower(), name.lower())]
    failed = f"({test}) IS NULL AND ({' OR '.join(attempts)})"
    return Readable(f"(({test}) OR ({failed}))", failed, _given(asked, types))


def fault(one: Readable) -> str:
    """SQL of what a field holds where it cannot be read, else null."""
    return f"CASE WHEN {one.fails} THEN left({one.given}, {SHOWN}) END" if one.fails else "NULL::VARCHAR"


def first_fault(fields: Iterable[tuple[str, Readable]]) -> str:
    """SQL of what `UNREADABLE` holds; empty where every field can always be read."""
    cases = [
        f"WHEN {one.fails} THEN {quoted(name + ': ')} || left({one.given}, {SHOWN})"
        for name, one in fields
        if one.fails
    ]
    return f"CASE {' '.join(cases)} END" if cases else ""


def _given(columns: Iterable[str], types: Columns) -> str:
    return f"concat_ws(' ', {', '.join(_text(name, types) for name in columns)})"


def _text(column: str, types: Columns) -> str:
    """SQL of what a column holds as a text, null for an empty one."""
    text = f"({identifier(column)} ->> '$')" if types[column] == "JSON" else f"{identifier(column)}::VARCHAR"
    return f"nullif(trim({text}), '')"


def _careful(expression: str, types: Columns) -> tuple[str, list[str]]:
    """An expression whose casts give null where they fail, and the tests, in SQL, that one of them did.

    Columns of text that are calculated or compared with a number are read as numbers: one 'N/A' makes a text of a
    column of numbers, which the engine would calculate nothing with.
    """
    try:
        tree = sqlglot.parse_one(expression, read="duckdb")
    except SqlglotError:
        return expression, []
    texts = {name.lower(): name for name, of in types.items() if of in TEXTS}
    attempts = []
    # The innermost first, so that a test of an outer one holds the inner ones as they are now.
    for node in reversed(list(tree.walk())):
        attempt = _attempt(node, texts, types)
        if attempt is None:
            continue
        given = node.this if isinstance(node, (sge.Cast, sge.StrToTime)) else node
        attempts.append(
            f"(trim(({given.sql(dialect='duckdb')})::VARCHAR) <> '' AND {attempt.sql(dialect='duckdb')} IS NULL)"
        )
        tree = attempt if node is tree else tree
        node.replace(attempt)
    return (tree.sql(dialect="duckdb"), attempts) if attempts else (expression, [])


def _attempt(node: sge.Expr, texts: Columns, types: Columns) -> sge.Expr | None:
    """What a part of an expression becomes so that it gives null instead of an error; None where it stays."""
    if isinstance(node, sge.Cast) and not isinstance(node, sge.TryCast):
        return sge.TryCast(this=node.this.copy(), to=node.args["to"].copy())
    if isinstance(node, sge.StrToTime):
        return sge.func("try_strptime", node.this.copy(), node.args["format"].copy())
    if isinstance(node, sge.Column) and node.name.lower() in texts and _calculated(node):
        text = _text(texts[node.name.lower()], types)
        return sqlglot.parse_one(f"TRY_CAST({text} AS DOUBLE)", read="duckdb")
    return None


def _calculated(column: sge.Expr) -> bool:
    """Whether a column is part of a calculation, or compared with a number."""
    around = column.parent
    while isinstance(around, (sge.Paren, sge.Neg)):
        if isinstance(around, sge.Neg):
            return True
        around = around.parent
    if isinstance(around, (sge.Add, sge.Sub, sge.Mul, sge.Div, sge.IntDiv, sge.Mod)):
        return True
    compared = (sge.GT, sge.GTE, sge.LT, sge.LTE, sge.EQ, sge.NEQ, sge.Between)
    return isinstance(around, compared) and any(
        isinstance(part, sge.Literal) and not part.is_string
        for part in (part.this if isinstance(part, sge.Neg) else part for part in around.iter_expressions())
    )
