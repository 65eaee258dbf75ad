"""A cleaning rule taken back: what it dropped or changed is as it was in the source, and it is not applied again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb

from segments.errors import UserError
from segments.ports import Progress, silent
from warehouse import daily
from warehouse.clean import Rule, RuleResult, rule_of
from warehouse.connection import connect
from warehouse.quality import QualityReport, report_of, write_report
from warehouse.store import FILE, replacing, write_features
from warehouse.write import count, read_meta, write_meta

FOR_GOOD = {
    "refund": "less than nothing cannot be bought; map such rows apart where they are no returns",
    "nobody": "it would be nobody's",
    "currency": "what it is worth is not known before its rate is in the mapping, which then reads everything anew",
}
"""Rules whose rows cannot be events, and why."""


def restore(folder: Path, key: str, progress: Progress = silent) -> int:
    """Take a rule back; how many rows came back.

    Raises NotFoundError for an unknown rule, UserError for one whose rows cannot be events.
    """
    rule = rule_of(key)
    if key in FOR_GOOD:
        raise UserError(
            f"rule: '{rule.name}' cannot be taken back: {FOR_GOOD[key]}.",
            f"rule：“{rule.name}”不能撤回：{FOR_GOOD[key]}。",
        )
    with replacing(folder / FILE) as partial:
        progress(0.0, "copying the warehouse")
        shutil.copyfile(folder / FILE, partial)
        connection = connect(partial)
        try:
            progress(0.2, "putting the rows back")
            rows = _put_back(connection, rule)
            known = read_meta(connection)
            report = _told(connection, report_of(known["quality"]), rule, rows)
            off = sorted({*known.get("rules_off", ()), key})
            write_meta(connection, known | {"quality": report.to_dict(), "rules_off": off})
            daily.forget(connection)
            daily.need(connection)
            write_report(connection, folder, report, "daily")
        finally:
            connection.close()
        progress(0.4, "computing the feature mart")
        write_features(partial)
    progress(1.0, "warehouse ready")
    return rows


def enforce(folder: Path, key: str) -> None:
    """Apply a rule again, to what is loaded from now on."""
    rule_of(key)
    with replacing(folder / FILE) as partial:
        shutil.copyfile(folder / FILE, partial)
        with connect(partial) as connection:
            known = read_meta(connection)
            off = [other for other in known.get("rules_off", ()) if other != key]
            write_meta(connection, known | {"rules_off": off})


def _put_back(connection: duckdb.DuckDBPyConnection, rule: Rule) -> int:
    # Whatever rule found it first, an event has a customer and a time.
    somebodys = "customer_id IS NOT NULL AND ts IS NOT NULL"
    if rule.mends:
        rows = _unmend(connection, rule)
    else:
        rows = count(
            connection,
            "INSERT INTO events BY NAME SELECT * EXCLUDE (rule) FROM rejects WHERE rule = $1 "
            f"AND {somebodys} ORDER BY customer_id, ts",
            [rule.name],
        )
    connection.execute(f"DELETE FROM rejects WHERE rule = $1 AND {somebodys}", [rule.name])
    return rows


def _unmend(connection: duckdb.DuckDBPyConnection, rule: Rule) -> int:
    """Give changed rows their value back, also where a later rule dropped them; how many are events."""
    columns = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'events' "
        "AND database_name = current_database()"
    ).fetchall()
    changed = 0
    for table in ("rejects", "events"):
        alike = " AND ".join(
            f"{table}.{name} IS NOT DISTINCT FROM r.{name}" for (name,) in columns if name != rule.mends
        )
        changed = count(
            connection,
            f"UPDATE {table} SET {rule.mends} = r.{rule.mends} FROM rejects r "
            f"WHERE r.rule = $1 AND {table}.{rule.mends} = 1 AND {alike}",
            [rule.name],
        )
    return changed


def _told(
    connection: duckdb.DuckDBPyConnection, report: QualityReport, rule: Rule, rows: int
) -> QualityReport:
    """The report with the rule's rows counted as taken back."""
    rules = tuple(
        RuleResult(found.name, "taken back", found.rows, found.restored + rows)
        if found.name == rule.name
        else found
        for found in report.rules
    )
    return replace(report, events=count(connection, "SELECT count(*) FROM events"), rules=rules)
