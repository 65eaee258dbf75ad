"""Do the tables belong together: items, customers and campaigns that events name, against those that were given.

A file that is ingested is compared with what its mapping's tables hold (`known_items`, `known_customers`), and with what
the warehouse knows from before; a source without a mapping with the tables it made itself.
"""

from __future__ import annotations

import duckdb

from warehouse.gate import Check, Verdict
from warehouse.write import count

UNKNOWN_WARN, UNKNOWN_STOP = 0.0, 0.5
"""Share of events whose item or campaign is not known: goods leave a catalogue, but most of them are in it."""
STRANGERS_WARN = 0.05
DIFFERENT_WARN = 0.01


def key_checks(connection: duckdb.DuckDBPyConnection) -> list[Check]:
    """Integrity and uniqueness of the keys; nothing about a table that was not given."""
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    return [
        *_items(connection, tables),
        *(_customers(connection, tables) if "known_customers" in tables else ()),
        *_campaigns(connection, tables),
    ]


def _items(connection: duckdb.DuckDBPyConnection, tables: set[str]) -> list[Check]:
    given = "known_items" in tables
    known = f"SELECT item_id FROM {'known_items' if given else 'raw_items'}"
    if given and "items" in tables:
        # Whatever was bought is an item; those that a table told of have more than a number.
        known += " UNION ALL SELECT item_id FROM items WHERE coalesce(department, category, brand, name) IS NOT NULL"
    if not count(connection, f"SELECT count(*) FROM ({known})"):
        return []
    twice = count(connection, "SELECT count(*) - count(DISTINCT item_id) FROM raw_items")
    unique = Check(
        "item ids unique",
        "uniqueness",
        "stop" if twice else "pass",
        f"{twice} item ids occur twice.",
        f"{twice}个商品编号重复。",
    )
    if given:
        unique = _described_once(connection, "items", "item", "商品", DIFFERENT_WARN)
    named = "type = 'purchase' AND item_id IS NOT NULL"
    return [
        _named(connection, "items", "item_id", named, known, ("purchase lines", "an item", "行购买的商品")),
        unique,
    ]


def _customers(connection: duckdb.DuckDBPyConnection, tables: set[str]) -> list[Check]:
    known = "SELECT source_id FROM known_customers"
    later = "customers" in tables
    if later:
        known += " UNION ALL SELECT source_id FROM vault SEMI JOIN customers USING (customer_id)"
    if not count(connection, f"SELECT count(*) FROM ({known})"):
        return []
    row = connection.execute(
        f"SELECT count(*), count(*) FILTER (source_id NOT IN ({known})) FROM (SELECT DISTINCT source_id FROM raw_events)"
    ).fetchone()
    everybody, strangers = row or (0, 0)
    share = strangers / everybody if everybody else 0.0
    # A day may bring new customers alone; a whole load without a known one is read by another id.
    verdict: Verdict = "stop" if share == 1 and not later else "warn" if share > STRANGERS_WARN else "pass"
    return [
        Check(
            "customers known",
            "integrity",
            verdict,
            f"{strangers} customers with events ({share:.2%}) are not in the customer table.",
            f"{strangers}名有事件的客户（{share:.2%}）不在客户表中。",
        ),
        _described_once(connection, "customers", "customer", "客户", 0.0),
    ]


def _campaigns(connection: duckdb.DuckDBPyConnection, tables: set[str]) -> list[Check]:
    known = "SELECT campaign_id FROM raw_campaigns"
    if "campaigns" in tables:
        known += " UNION ALL SELECT campaign_id FROM campaigns"
    if not count(connection, f"SELECT count(*) FROM ({known})"):
        return []
    twice = count(connection, "SELECT count(*) - count(DISTINCT campaign_id) FROM raw_campaigns")
    return [
        _named(
            connection,
            "campaigns",
            "campaign_id",
            "campaign_id IS NOT NULL",
            known,
            ("events", "a campaign", "个事件的活动"),
        ),
        Check(
            "campaign ids unique",
            "uniqueness",
            "stop" if twice else "pass",
            f"{twice} campaign ids occur twice, with another type or other dates.",
            f"{twice}个活动编号重复，类型或日期不同。",
        ),
    ]


def _named(
    connection: duckdb.DuckDBPyConnection,
    what: str,
    key: str,
    named: str,
    known: str,
    words: tuple[str, str, str],
) -> Check:
    """Events that name what is not known, of those that name any."""
    row = connection.execute(
        f"SELECT count(*), count(*) FILTER ({key}::VARCHAR NOT IN (SELECT {key}::VARCHAR FROM ({known}))) "
        f"FROM raw_events WHERE {named}"
    ).fetchone()
    total, unknown = row or (0, 0)
    share = unknown / total if total else 0.0
    rows, one, zh = words
    table = f"{one.split()[-1]} table"
    return Check(
        f"{what} known",
        "integrity",
        "stop" if share >= UNKNOWN_STOP else "warn" if share > UNKNOWN_WARN else "pass",
        f"{unknown} {rows} ({share:.2%}) name {one} that the {table} lacks.",
        f"{unknown}{zh}（{share:.2%}）不在表中。",
    )


def _described_once(
    connection: duckdb.DuckDBPyConnection, what: str, one: str, zh: str, limit: float
) -> Check:
    row = connection.execute(f"SELECT count(*), count(*) FILTER (differs) FROM known_{what}").fetchone()
    total, different = row or (0, 0)
    taken = "the words it has most often are taken" if what == "items" else "any of them is taken"
    return Check(
        f"{one} ids unique",
        "uniqueness",
        "warn" if different > limit * total else "pass",
        f"{different} of {total} {what} are described in more than one way; {taken}.",
        f"{total}个{zh}中有{different}个的描述不止一种。",
    )
