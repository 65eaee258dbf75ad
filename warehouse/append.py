"""New files added to a warehouse: at the cost of what is new, and as if everything had been loaded at once.

The warehouse is copied (bytes, which is cheap beside loading), the new rows are cleaned, checked and added in
the copy, and the copy takes its place: a running server keeps what it has open, and a kill leaves the old one.
What only a full build does anew: the departments that have features of their own, and the order of the rows.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from segments.attributes import CustomerAttribute, of_json, to_json
from segments.catalogue import standard_catalogue
from segments.ports import Progress, silent
from warehouse import daily, left_out, reviews
from warehouse.attributes import levels_known, with_levels
from warehouse.clean import BOTS, MAX_EVENTS_A_DAY, RULES, RuleResult
from warehouse.connection import connect, quoted
from warehouse.files import load
from warehouse.gate import Check
from warehouse.intake import Intake
from warehouse.ledger import Columns, write_ledger
from warehouse.mapping import Mapping
from warehouse.mart import used_events
from warehouse.quality import QualityReport, clean_and_check, report_of
from warehouse.store import FILE, build, refresh_features, replacing
from warehouse.write import (
    EVENT_ORDER,
    complete_events,
    count,
    forget_old,
    known_ids,
    pseudonymised,
    read_meta,
    write_meta,
)

_COMPARED = (
    *("ts", "type", "item_id", "order_id", "session_id", "quantity", "value", "channel", "campaign_id"),
)

_HISTORY = "(FROM daily UNION ALL FROM raw_daily)"
"""What volume and drift are judged over: the events there are with the new ones."""


@dataclass(frozen=True)
class Added:
    """What an append did: events that came in, and events that a correction took out."""

    events: int
    replaced: int


def load_all(
    mapping: Mapping, folder: Path, intake: Intake, made_by: str, progress: Progress = silent
) -> None:
    """Build the warehouse in full from the files of an intake, and begin its ledger."""
    columns: dict[int, Columns] = {}

    def read(connection: duckdb.DuckDBPyConnection) -> None:
        columns.update(load(mapping, connection, intake.paths, intake.parts))

    def note(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
        write_ledger(connection, intake.files, columns)
        base = uuid.uuid4().hex[:16]
        own = [to_json(one) for one in with_levels(connection, mapping.attributes)]
        return {
            "attributes": own,
            "ledger": {"mapping": intake.mapping_mark, "made_by": made_by, "base": base},
        }

    build(folder, read, progress, note)


def append(folder: Path, mapping: Mapping, intake: Intake, progress: Progress = silent) -> Added:
    """Add the files of an intake to the warehouse of a folder, corrected files taken out first.

    Raises DataError when the new rows do not pass the gate; the warehouse is as it was then.
    """
    with replacing(folder / FILE) as partial:
        progress(0.0, "copying the warehouse")
        shutil.copyfile(folder / FILE, partial)
        connection = connect(partial)
        try:
            progress(0.1, "reading the new files")
            columns = load(mapping, connection, intake.paths, intake.parts)
            before = read_meta(connection)
            forget_old(connection, before.get("forget_before"))
            known_ids(connection, folder, extend=True)
            daily.need(connection)
            gone = _take_out(connection, intake.replaced)
            progress(0.3, "cleaning and checking")
            off = before.get("rules_off", ())
            attributes = [of_json(one) for one in before.get("attributes", ())]
            report = clean_and_check(
                connection,
                folder,
                history=_HISTORY,
                more=lambda: [_overlap(connection), *levels_known(connection, attributes)],
                off=off,
            )
            progress(0.5, "adding the new rows")
            _touch(connection, before["departments"])
            added = _insert(connection)
            if BOTS.key not in off:
                _drop_robots(connection)
            write_ledger(connection, intake.files, columns)
            _note(connection, before, attributes, report)
        finally:
            connection.close()
        progress(0.6, "computing the feature mart")
        refresh_features(partial, date.fromisoformat(before["as_of"]))
    progress(1.0, "warehouse ready")
    return Added(added, gone)


def _take_out(connection: duckdb.DuckDBPyConnection, replaced: Sequence[int]) -> int:
    """Remove the rows of corrected files, and events whose id comes again; how many events."""
    for table in ("events", "rejects"):
        complete_events(connection, table)
    connection.execute("CREATE TABLE touched (customer_id VARCHAR, kept BOOLEAN)")
    gone = 0
    if replaced:
        listed = ", ".join(str(number) for number in replaced)
        for table in ("rejects", "left_out"):
            connection.execute(f"DELETE FROM {table} WHERE file_no IN ({listed})")
        reviews.take_out(connection, listed)
        gone += _delete(connection, f"file_no IN ({listed})")
    if count(connection, "SELECT count(event_id) FROM raw_events"):
        again = "event_id IN (SELECT event_id FROM raw_events WHERE event_id IS NOT NULL)"
        connection.execute(f"DELETE FROM rejects WHERE {again}")
        gone += _delete(connection, again)
    return gone


def _delete(connection: duckdb.DuckDBPyConnection, where: str) -> int:
    """Remove events, whose owners' features are then computed anew; they are looked for once."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE leaving AS SELECT rowid AS place, customer_id, ts, type, value "
        f"FROM events WHERE {where}"
    )
    if not count(connection, "SELECT count(*) FROM leaving"):
        return 0
    daily.take_out(connection, "leaving")
    connection.execute("INSERT INTO touched SELECT DISTINCT customer_id, false FROM leaving")
    return count(connection, "DELETE FROM events WHERE rowid IN (SELECT place FROM leaving)")


def _touch(connection: duckdb.DuckDBPyConnection, departments: Sequence[str]) -> None:
    """Note who comes new, has new events or other attributes, or bought an item that is described otherwise now."""
    events = ", ".join(map(quoted, used_events(standard_catalogue(departments))))
    connection.execute(
        "INSERT INTO touched SELECT customer_id, source_id IN (SELECT source_id FROM raw_events) "
        "OR customer_id IN (SELECT customer_id FROM features) "
        "FROM vault WHERE source_id IN (SELECT source_id FROM raw_customers "
        f"UNION ALL SELECT source_id FROM raw_events WHERE type IN ({events})) "
        "OR customer_id NOT IN (SELECT customer_id FROM features)"
    )
    other = " OR ".join(
        f"coalesce(n.{name}, o.{name}) IS DISTINCT FROM o.{name}"
        for name in ("department", "category", "brand")
    )
    items = f"SELECT n.item_id FROM raw_items n LEFT JOIN items o USING (item_id) WHERE o.item_id IS NULL OR {other}"
    if count(connection, f"SELECT count(*) FROM ({items})"):
        connection.execute(
            f"INSERT INTO touched SELECT DISTINCT customer_id, true FROM events WHERE item_id IN ({items})"
        )


def _overlap(connection: duckdb.DuckDBPyConnection) -> Check:
    """New rows that equal rows from before in every column: exports whose periods overlap."""
    shown = ", ".join(_COMPARED)
    new = f"SELECT customer_id, {shown} FROM ({pseudonymised('events')})"
    twice = count(
        connection,
        f"SELECT count(*) FROM ({new} INTERSECT SELECT customer_id, {shown} FROM events "
        "WHERE ts >= (SELECT min(ts) FROM raw_events) AND ts <= (SELECT max(ts) FROM raw_events))",
    )
    return Check(
        "not ingested before",
        "uniqueness",
        "warn" if twice else "pass",
        f"{twice} new rows equal rows ingested before; exports that overlap need the field 'id' in the mapping.",
        f"{twice}个新行与以前导入的行完全相同；时间有重叠的导出需要在映射中给出字段 id。",
    )


def _insert(connection: duckdb.DuckDBPyConnection) -> int:
    added = count(connection, f"INSERT INTO events BY NAME {pseudonymised('events')} ORDER BY {EVENT_ORDER}")
    daily.add(connection, f"({pseudonymised('events')})", added)
    connection.execute(f"INSERT INTO rejects BY NAME {pseudonymised('rejects')}")
    left_out.keep(connection)
    connection.execute(f"CREATE TEMP TABLE new_customers AS {pseudonymised('customers')}")
    _upsert(connection, "customers", "new_customers", "customer_id")
    _upsert(connection, "items", "raw_items", "item_id")
    _upsert(connection, "campaigns", "raw_campaigns", "campaign_id")
    reviews.keep(connection)
    return added


def _upsert(connection: duckdb.DuckDBPyConnection, table: str, new: str, key: str) -> None:
    """New rows by their key over the old ones; what the new row does not tell stays."""
    known = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = $1 AND database_name = current_database()",
        [table],
    ).fetchall()
    told = {row[0] for row in connection.execute(f"DESCRIBE {new}").fetchall()}
    changed = ", ".join(
        f"{name} = coalesce(n.{name}, {table}.{name})" for (name,) in known if name != key and name in told
    )
    connection.execute(f"UPDATE {table} SET {changed} FROM {new} n WHERE n.{key} = {table}.{key}")
    connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM {new} n ANTI JOIN {table} USING ({key})")


def _drop_robots(connection: duckdb.DuckDBPyConnection) -> None:
    """A program is known by a whole day, which may have come in parts, and for good."""
    connection.execute(
        "CREATE TEMP TABLE robots AS SELECT customer_id FROM events "
        "WHERE customer_id IN (SELECT customer_id FROM vault) "
        # Earlier days were judged when they came.
        "AND ts >= (SELECT min(ts)::DATE FROM raw_events) GROUP BY customer_id, ts::DATE "
        f"HAVING count(*) > {MAX_EVENTS_A_DAY} UNION SELECT customer_id FROM rejects "
        "WHERE rule = $1 AND customer_id IN (SELECT customer_id FROM vault)",
        [BOTS.name],
    )
    if count(connection, "SELECT count(*) FROM robots"):
        theirs = "customer_id IN (SELECT customer_id FROM robots)"
        connection.execute(
            f"INSERT INTO rejects BY NAME SELECT $1 AS rule, * FROM events WHERE {theirs}", [BOTS.name]
        )
        _delete(connection, theirs)


def _note(
    connection: duckdb.DuckDBPyConnection,
    known: Table[str, Any],
    attributes: Sequence[CustomerAttribute],
    report: QualityReport,
) -> None:
    """The meta data known before with the new as-of date and quality report, whose rules count all loads."""
    before = {rule.name: rule for rule in report_of(known["quality"]).rules}
    counts = dict(connection.execute("SELECT rule, count(*) FROM rejects GROUP BY 1").fetchall())
    rules = tuple(
        before[rule.name]
        if rule.key in known.get("rules_off", ())
        else RuleResult(rule.name, rule.action, counts.get(rule.name, 0))
        for rule in RULES
    )
    whole = replace(
        report,
        events=count(connection, "SELECT count(*) FROM events"),
        rules=rules,
        left_out=left_out.read(connection, "left_out"),
    )
    own = [to_json(one) for one in with_levels(connection, attributes)]
    write_meta(connection, {**known, "attributes": own, "quality": whole.to_dict()})
