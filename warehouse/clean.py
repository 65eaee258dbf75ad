"""Cleaning rules: what is wrong with single rows or customers, and what is done about it.

Every row that a rule touches is first kept as it was in `rejects`, with the rule's name, so that a report
can show it and a person can take a rule back (`restore`).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

MAX_QUANTITY = 1000
"""More units than this on one line is a meter reading (fuel in thousandths of a gallon), not a count."""
MAX_EVENTS_A_DAY = 2000
"""More events than this of one customer on one day are a program's, not a person's."""
BOTS = f"more than {MAX_EVENTS_A_DAY} events of one customer on one day"


@dataclass(frozen=True)
class Rule:
    """A cleaning rule: the rows it speaks of, and the statement that mends them."""

    name: str
    action: str
    where: str
    statement: str = "DELETE FROM raw_events WHERE {where}"


RULES = (
    Rule("event without customer or time", "event dropped", "source_id IS NULL OR ts IS NULL"),
    Rule(
        "event with the id of a later one",
        "event dropped",
        # Rows keep the order of their files: the last one is the latest word.
        "event_id IS NOT NULL AND rowid NOT IN (SELECT max(rowid) FROM raw_events GROUP BY event_id)",
    ),
    Rule(
        "purchase without units and value",
        "line dropped",
        "type = 'purchase' AND coalesce(quantity, 0) <= 0 AND coalesce(value, 0) <= 0",
    ),
    Rule("negative value on a purchase", "line dropped", "type = 'purchase' AND value < 0"),
    Rule(
        f"more than {MAX_QUANTITY} units on one line",
        "quantity set to 1",
        f"type = 'purchase' AND quantity > {MAX_QUANTITY}",
        "UPDATE raw_events SET quantity = 1 WHERE {where}",
    ),
    Rule(
        "order of a test customer",
        "event dropped",
        r"regexp_full_match(source_id, '(?i)(test|dummy|demo)([ _-]?(user|customer|account|order))?[ _-]?\d*')",
    ),
    Rule(
        BOTS,
        "customer's events dropped",
        "source_id IN (SELECT source_id FROM raw_events GROUP BY source_id, ts::DATE "
        f"HAVING count(*) > {MAX_EVENTS_A_DAY})",
    ),
)


@dataclass(frozen=True)
class RuleResult:
    """How many rows a rule touched."""

    name: str
    action: str
    rows: int


def clean(connection: duckdb.DuckDBPyConnection) -> tuple[RuleResult, ...]:
    """Apply the rules to raw_events in order; what they touch is kept in the table raw_rejects."""
    connection.execute(
        "CREATE TEMP TABLE raw_rejects AS SELECT NULL::VARCHAR AS rule, * FROM raw_events LIMIT 0"
    )
    results = []
    for rule in RULES:
        kept = connection.execute(
            f"INSERT INTO raw_rejects SELECT $1, * FROM raw_events WHERE {rule.where}", [rule.name]
        ).fetchone()
        rows = int(kept[0]) if kept else 0
        if rows:
            connection.execute(rule.statement.format(where=rule.where))
        results.append(RuleResult(rule.name, rule.action, rows))
    return tuple(results)
