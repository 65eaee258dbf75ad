"""Values of customers, campaigns and reviews that cannot be read: counted by field, with an example, for the quality gate.

A customer keeps what can be read of them: the value counts as not given. A column that mostly cannot be read is mapped
wrongly, and stops the load.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from warehouse.connection import identifier, quoted
from warehouse.gate import Check, shown

UNREAD_STOP = 0.5
"""Share of a field's values that cannot be read, from which the column is taken for another than it is said to be."""
_COLUMNS = "kind VARCHAR, field VARCHAR, rows BIGINT, given BIGINT, example VARCHAR"
_CHINESE = {"customers": "客户", "campaigns": "活动", "reviews": "评论"}


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Create raw_unread, without a row, where it is not there: not every source has a mapping."""
    connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS raw_unread ({_COLUMNS})")


def note_unread(connection: duckdb.DuckDBPyConnection, kind: str, fields: Sequence[str]) -> None:
    """Count the columns of given_KIND: values in `field`, and in `fault_FIELD` what could not be read.

    Nothing is told of a table that this load has no rows of: a day is added without it.
    """
    begin(connection)
    for field in fields:
        failed = f"fault_{field}"
        connection.execute(
            f"INSERT INTO raw_unread SELECT {quoted(kind)}, {quoted(field)}, count({failed}), "
            f"count(*) FILTER ({failed} IS NOT NULL OR {identifier(field)} IS NOT NULL), min({failed}) "
            f"FROM given_{kind} HAVING count(*) > 0"
        )


def unread(connection: duckdb.DuckDBPyConnection) -> list[Check]:
    """A check for each kind of table whose fields were counted."""
    begin(connection)
    found = []
    for kind, zh in _CHINESE.items():
        rows = connection.execute(
            "SELECT field, rows, given, example FROM raw_unread WHERE kind = $1 ORDER BY rows DESC, field",
            [kind],
        ).fetchall()
        if not rows:
            continue
        failed = [row for row in rows if row[1]]
        empty = [field for field, _, given, _ in rows if not given]
        named = ", ".join(
            f"{field} ({number} of {given}, such as '{shown(example)}')"
            for field, number, given, example in failed
        )
        worst = max((number / given for _, number, given, _ in failed), default=0.0)
        en = (
            f"What cannot be read counts as not given: {named}."
            if failed
            else "Every value given can be read."
        )
        said = f"无法读取的取值按未提供处理：{named}。" if failed else "所有给出的取值都可读取。"
        if empty:
            en += f" Nobody has a value of {', '.join(empty)}."
            said += f"没有任何{zh}有{'、'.join(empty)}。"
        found.append(
            Check(
                f"{kind} readable",
                "contract",
                "stop" if worst >= UNREAD_STOP else "warn" if failed or empty else "pass",
                en,
                said,
            )
        )
    return found
