"""A query written for another engine. sqlglot writes it; what it would write wrongly is put first as any engine has it."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

_A_MONDAY = "1970-01-05"
_LIST = r"ibis_pandas_memtable_\w+"


def naming_lists(sql: str) -> str:
    """Lists of customers that models or the index made, whose names differ at each run, as listed_customers_1, _2 ..."""
    names = list(dict.fromkeys(re.findall(_LIST, sql)))
    return re.sub(_LIST, lambda found: f"listed_customers_{names.index(found[0]) + 1}", sql)


def in_dialect(sql: str, dialect: str) -> str:
    """DuckDB's SQL as the dialect has it, formatted. Raises ValueError for a dialect that sqlglot does not know."""
    return sqlglot.parse_one(sql, read="duckdb").transform(_plain).sql(dialect=dialect, pretty=True)


def _plain(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.TimestampFromParts):
        return _moment(node)
    # What tells a place or a neighbour has no frame: some engines refuse one.
    if isinstance(node, exp.Window) and isinstance(node.this, exp.RowNumber | exp.Lag | exp.Lead):
        node.set("spec", None)
    # Ibis' weekday, Monday 0: engines count days of a week from 0 or from 1, and sqlglot takes DuckDB's for the other.
    if isinstance(node, exp.Mod) and isinstance(week := node.this.unnest().this, exp.DayOfWeek):
        day = exp.cast(week.this, exp.DType.DATE)
        monday = exp.cast(exp.Literal.string(_A_MONDAY), exp.DType.DATE)
        days = exp.DateDiff(this=day, expression=monday, unit=exp.var("DAY"))
        return exp.Mod(this=exp.paren(days), expression=node.expression)
    return node


def _moment(node: exp.TimestampFromParts) -> exp.Expr:
    """A time put together from numbers, a function that few engines have, as its text."""
    parts = [node.args[name] for name in ("year", "month", "day", "hour", "min", "sec")]
    year, month, day, hour, minute = (int(part.this) for part in parts[:5])
    second = float(parts[5].this)
    text = f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:09.6f}"
    return exp.cast(exp.Literal.string(text.removesuffix(".000000")), exp.DType.TIMESTAMP)
