"""Cleaning rules and the checks that stop bad data before it becomes features.

Each rule says what it found and what it did; the report is kept with the warehouse.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import duckdb

from segments.errors import DataError

MAX_QUANTITY = 1000
"""More units than this on one line is a meter reading (fuel in thousandths of a gallon), not a count."""


@dataclass(frozen=True)
class Rule:
    """A cleaning rule: the rows it speaks of, and the statement that mends them."""

    name: str
    action: str
    where: str
    statement: str


RULES = (
    Rule(
        "purchase without units and value",
        "line dropped",
        "type = 'purchase' AND coalesce(quantity, 0) <= 0 AND coalesce(value, 0) <= 0",
        "DELETE FROM raw_events WHERE {where}",
    ),
    Rule(
        "negative value on a purchase",
        "line dropped",
        "type = 'purchase' AND value < 0",
        "DELETE FROM raw_events WHERE {where}",
    ),
    Rule(
        f"more than {MAX_QUANTITY} units on one line",
        "quantity set to 1",
        f"type = 'purchase' AND quantity > {MAX_QUANTITY}",
        "UPDATE raw_events SET quantity = 1 WHERE {where}",
    ),
    Rule(
        "event without customer or time",
        "event dropped",
        "source_id IS NULL OR ts IS NULL",
        "DELETE FROM raw_events WHERE {where}",
    ),
)


@dataclass(frozen=True)
class RuleResult:
    """How many rows a rule touched."""

    name: str
    action: str
    rows: int


@dataclass(frozen=True)
class Check:
    """A check's verdict: pass, warn or stop."""

    name: str
    verdict: str
    detail: str


@dataclass(frozen=True)
class QualityReport:
    """What cleaning did and what the checks say."""

    events: int
    rules: tuple[RuleResult, ...]
    checks: tuple[Check, ...]

    def to_dict(self) -> dict[str, object]:
        """JSON form."""
        return asdict(self)


def clean(connection: duckdb.DuckDBPyConnection) -> QualityReport:
    """Apply the rules to raw_events, run the checks. Raises DataError when a check says stop."""
    results = []
    for rule in RULES:
        rows = _scalar(connection, f"SELECT count(*) FROM raw_events WHERE {rule.where}")
        if rows:
            connection.execute(rule.statement.format(where=rule.where))
        results.append(RuleResult(rule.name, rule.action, rows))
    events = _scalar(connection, "SELECT count(*) FROM raw_events")
    report = QualityReport(events, tuple(results), tuple(_checks(connection, events)))
    stops = [check.detail for check in report.checks if check.verdict == "stop"]
    if stops:
        raise DataError("The data did not pass the checks: " + " ".join(stops))
    return report


def _checks(connection: duckdb.DuckDBPyConnection, events: int) -> list[Check]:
    purchases = _scalar(connection, "SELECT count(*) FROM raw_events WHERE type = 'purchase'")
    orphans = _scalar(
        connection,
        "SELECT count(*) FROM raw_events e WHERE type = 'purchase' "
        "AND NOT EXISTS (SELECT 1 FROM raw_items i WHERE i.item_id = e.item_id)",
    )
    duplicates = _scalar(connection, "SELECT count(*) - count(DISTINCT item_id) FROM raw_items")
    future = _scalar(connection, "SELECT count(*) FROM raw_events WHERE ts > now()::TIMESTAMP")
    share = orphans / purchases if purchases else 0.0
    return [
        Check("volume", "pass" if purchases else "stop", f"{purchases} purchases of {events} events."),
        Check(
            "items known",
            "pass" if share == 0 else "warn" if share < 0.05 else "stop",
            f"{orphans} purchase lines ({share:.2%}) name an item that the item table lacks.",
        ),
        Check("item ids unique", "stop" if duplicates else "pass", f"{duplicates} item ids occur twice."),
        Check("no future events", "warn" if future else "pass", f"{future} events lie in the future."),
    ]


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
