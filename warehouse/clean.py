"""Cleaning rules: what is wrong with single rows or customers, and what is done about it.

Every row that a rule touches is first kept as it was in `rejects`, with the rule's name, so that a report
can show it and a person can take a rule back (`restore`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from segments.errors import NotFoundError
from warehouse.write import count_ids

MAX_QUANTITY = 1000
"""More units than this on one line is a meter reading (fuel in thousandths of a gallon), not a count."""
MAX_EVENTS_A_DAY = 2000
"""More events than this of one customer on one day are a program's, not a person's."""


@dataclass(frozen=True)
class Rule:
    """A cleaning rule: the rows it speaks of, and the statement that mends them.

    key: what commands call it. mends: the column that the statement changes; empty when it drops the rows, or when
    what it changes cannot be taken back.
    needs: a test of single rows; where none meets it, the rule touches none. Default: `where`. of_customer: such a test of
    raw_ids instead, of each customer once.
    """

    key: str
    name: str
    action: str
    where: str
    statement: str = "DELETE FROM raw_events WHERE {where}"
    mends: str = ""
    needs: str = ""
    of_customer: str = ""


BOTS = Rule(
    "bots",
    f"more than {MAX_EVENTS_A_DAY} events of one customer on one day",
    "customer's events dropped",
    "source_id IN (SELECT source_id FROM raw_events WHERE source_id IN (SELECT source_id FROM raw_ids "
    f"WHERE events > {MAX_EVENTS_A_DAY}) GROUP BY source_id, ts::DATE HAVING count(*) > {MAX_EVENTS_A_DAY})",
    of_customer=f"events > {MAX_EVENTS_A_DAY}",
)
CURRENCY = Rule(
    "currency", "amount in a currency without a rate", "event dropped", "unknown_currency IS NOT NULL"
)
REFUND = Rule(
    "refund",
    "purchase of less than no units, for less than nothing",
    "made a return",
    "type = 'purchase' AND quantity < 0 AND value < 0",
    "UPDATE raw_events SET type = 'return', quantity = -quantity, value = -value WHERE {where}",
)
FUTURE = Rule(
    "future",
    "event later than the day after it was loaded",
    "event dropped",
    # Whole days, because times without a zone may be of a clock that is half a day ahead.
    "ts >= current_date + 2",
)
UNREADABLE = Rule(
    "unreadable", "number or time that cannot be read", "event dropped", "unreadable IS NOT NULL"
)
NOBODY = Rule("nobody", "event without customer or time", "event dropped", "source_id IS NULL OR ts IS NULL")
_TESTER = (
    r"regexp_full_match(source_id, '(?i)(test|dummy|demo)([ _-]?(user|customer|account|order))?[ _-]?\d*')"
)
RULES = (
    # First, because an event whose time cannot be read has none.
    UNREADABLE,
    NOBODY,
    FUTURE,
    Rule(
        "repeated_id",
        "event with the id of a later one",
        "event dropped",
        # Rows keep the order of their files: the last one is the latest word.
        "event_id IS NOT NULL AND rowid NOT IN (SELECT max(rowid) FROM raw_events GROUP BY event_id)",
        needs="event_id IS NOT NULL",
    ),
    CURRENCY,
    REFUND,
    Rule(
        "empty",
        "purchase without units and value",
        "line dropped",
        "type = 'purchase' AND coalesce(quantity, 0) <= 0 AND coalesce(value, 0) <= 0",
    ),
    Rule("negative", "negative value on a purchase", "line dropped", "type = 'purchase' AND value < 0"),
    Rule(
        "meter",
        f"more than {MAX_QUANTITY} units on one line",
        "quantity set to 1",
        f"type = 'purchase' AND quantity > {MAX_QUANTITY}",
        "UPDATE raw_events SET quantity = 1 WHERE {where}",
        "quantity",
    ),
    Rule("test", "order of a test customer", "event dropped", _TESTER, of_customer=_TESTER),
    BOTS,
)


@dataclass(frozen=True)
class RuleResult:
    """How many rows a rule touched. restored: how many of them were taken back, the rule being off now."""

    name: str
    action: str
    rows: int
    restored: int = 0


def rule_of(key: str) -> Rule:
    """The rule of that key. Raises NotFoundError naming those there are."""
    found = next((rule for rule in RULES if rule.key == key), None)
    if found is None:
        raise NotFoundError(
            f"rule: there is no '{key}'; known are {', '.join(r.key for r in RULES)}.",
            f"rule：没有规则“{key}”；现有{'、'.join(r.key for r in RULES)}。",
        )
    return found


def clean(connection: duckdb.DuckDBPyConnection, off: Collection[str] = ()) -> tuple[RuleResult, ...]:
    """Apply the rules to raw_events in order; what they touch is kept in the table raw_rejects.

    off: keys of rules that are not to be applied.
    """
    connection.execute(
        "CREATE TEMP TABLE raw_rejects AS SELECT NULL::VARCHAR AS rule, * FROM raw_events LIMIT 0"
    )
    met = _met(connection)
    results = []
    for rule in RULES:
        if rule.key in off:
            results.append(RuleResult(rule.name, "not applied", 0))
            continue
        if not met[rule.key]:
            results.append(RuleResult(rule.name, rule.action, 0))
            continue
        kept = connection.execute(
            f"INSERT INTO raw_rejects SELECT $1, * FROM raw_events WHERE {rule.where}", [rule.name]
        ).fetchone()
        rows = int(kept[0]) if kept else 0
        if rows:
            connection.execute(rule.statement.format(where=rule.where))
        results.append(RuleResult(rule.name, rule.action, rows))
    return tuple(results)


def _met(connection: duckdb.DuckDBPyConnection) -> dict[str, bool]:
    """Which rules may touch a row, by their keys: one reading of the events and of their customers instead of one a rule.

    No rule makes a row that another one touches, so that what none meets before all, none meets later.
    """
    count_ids(connection)
    by_row = {rule.key: rule.needs or rule.where for rule in RULES if not rule.of_customer}
    by_customer = {rule.key: rule.of_customer for rule in RULES if rule.of_customer}
    found: dict[str, bool] = {}
    for table, tests in (("raw_events", by_row), ("raw_ids", by_customer)):
        shown = ", ".join(f"coalesce(bool_or({test}), false)" for test in tests.values())
        row = connection.execute(f"SELECT {shown} FROM {table}").fetchone()
        found |= dict(zip(tests, row or [True] * len(tests), strict=True))
    return found
