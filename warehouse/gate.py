"""The quality gate: what must hold of the cleaned tables before anything is computed from them.

Each check passes, warns or stops. The contract of columns (types, allowed values, ranges) is Pandera's; the
rest compares the data with itself over time: volume and distribution of the last weeks against those before.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import duckdb
import numpy as np
import pandas as pd

from segments.definition import EVENT_TYPES
from warehouse import daily
from warehouse.clean import CURRENCY, FUTURE, NOBODY, UNREADABLE
from warehouse.personal import personal_kind
from warehouse.write import count

Verdict = Literal["pass", "warn", "stop"]
ORPHANS_STOP = 0.05
INCOMPLETE_WARN, INCOMPLETE_STOP = 0.05, 0.5
TWINS_WARN = 0.01
TWINS_SAMPLE = 1_000_000
"""Rows that are compared with each other: of more, those of some customers stand for all."""
MANY_UNREADABLE = 20
"""Unreadable events of a type from which their share of it is judged by itself."""
STALE_DAYS = 7
RECENT, BEFORE = 28, 84
"""Days of the recent and of the earlier period that volume and distribution are compared over."""
VOLUME_WARN = (0.5, 2.0)
PSI_WARN = 0.25
"""The usual reading of the population stability index: below 0.1 stable, above 0.25 shifted."""


@dataclass(frozen=True)
class Check:
    """A check's verdict. dimension: contract, completeness, uniqueness, integrity, freshness, volume, drift.

    detail_zh: the detail in Chinese; reports of before have none.
    """

    name: str
    dimension: str
    verdict: Verdict
    detail: str
    detail_zh: str = ""


def checks(connection: duckdb.DuckDBPyConnection, today: date, history: str = "raw_daily") -> list[Check]:
    """Every check of the table raw_events by itself, the worst kinds first.

    today: what freshness is judged against. history: SQL of the daily counts (`warehouse.daily`) of all events, those
    of raw_events among them, over which freshness, volume and drift are judged.
    """
    _summarise(connection)
    daily.count_raw(connection)
    events = count(connection, "SELECT sum(events) FROM event_summary")
    purchases = count(connection, "SELECT events FROM event_summary WHERE type = 'purchase'")
    before = count(connection, f"SELECT sum(events) FROM {history}")
    found = [
        Check(
            "volume",
            "volume",
            "pass" if before else "stop",
            f"{events:,} events, {purchases:,} of them purchases.",
            f"{events:,}个事件，其中购买{purchases:,}个。",
        )
    ]
    if not events:
        return found
    found += _contract(connection)
    found += _completeness(connection, purchases)
    last = _last_day(connection, history)
    found += [_twins(connection, events), _freshness(last, today)]
    found += [_steady_volume(connection, history, last), _drift(connection, history, last)]
    return found


def _summarise(connection: duckdb.DuckDBPyConnection) -> None:
    """Create event_summary, what several checks ask of each type of event, in one reading of raw_events."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE event_summary AS SELECT type, "
        "CASE WHEN count(source_id) = count(*) THEN any_value(source_id) END AS source_id, "
        + "".join(f"min({name})::DOUBLE AS {name}, " for name in ("quantity", "value", "discount"))
        + "count(*) AS events, count(item_id) AS item_id, count(order_id) AS order_id, "
        "count(*) FILTER (ts > now()::TIMESTAMP) AS future FROM raw_events GROUP BY type"
    )


def currencies(connection: duckdb.DuckDBPyConnection) -> list[Check]:
    """Which currencies have no rate, among raw_rejects; nothing where every amount could be converted."""
    found = connection.execute(
        "SELECT unknown_currency, count(*) FROM raw_rejects WHERE rule = $1 GROUP BY 1 ORDER BY 2 DESC, 1",
        [CURRENCY.name],
    ).fetchall()
    if not found:
        return []
    rows = sum(of_it for _, of_it in found)
    share = _share_left_out(connection, rows)
    named = ", ".join(f"{code} ({of_it})" if code != "?" else f"none ({of_it})" for code, of_it in found[:10])
    return [
        Check(
            "currencies known",
            "contract",
            "warn" if share < ORPHANS_STOP else "stop",
            f"{rows} events ({share:.2%}) are in a currency without a rate on their day: {named}; "
            "add it to [rates] of the mapping.",
            f"{rows}个事件（{share:.2%}）的货币当日没有汇率：{named}；请加入映射的 [rates]。",
        )
    ]


def unreadable(connection: duckdb.DuckDBPyConnection) -> list[Check]:
    """Which fields hold what cannot be read, among raw_rejects; nothing where everything could be.

    A field that a whole type of events cannot be read in is a column mapped wrongly, however few these are.
    """
    found = connection.execute(
        "SELECT split_part(unreadable, ': ', 1) AS field, count(*) AS rows, "
        "min(substr(unreadable, strpos(unreadable, ': ') + 2)) AS example FROM raw_rejects WHERE rule = $1 "
        "GROUP BY 1 ORDER BY 2 DESC, 1",
        [UNREADABLE.name],
    ).fetchall()
    if not found:
        return []
    rows = sum(of_it for _, of_it, _ in found)
    share = _share_left_out(connection, rows)
    worst = connection.execute(
        "SELECT max(rows / (rows + coalesce(s.events, 0))) FROM (SELECT type, count(*) AS rows FROM raw_rejects "
        f"WHERE rule = $1 GROUP BY 1) LEFT JOIN event_summary s USING (type) WHERE rows >= {MANY_UNREADABLE}",
        [UNREADABLE.name],
    ).fetchone()
    of_a_type = (worst[0] if worst else None) or 0.0
    named = ", ".join(f"{field} ({of_it}, such as '{shown(example)}')" for field, of_it, example in found)
    return [
        Check(
            "values readable",
            "contract",
            "stop" if max(share, of_a_type) >= ORPHANS_STOP else "warn",
            f"{rows} events ({share:.2%}) hold what is no number or time: {named}; they were left out.",
            f"{rows}个事件（{share:.2%}）含有无法读取的数字或时间：{named}；已剔除。",
        )
    ]


def _share_left_out(connection: duckdb.DuckDBPyConnection, rows: int) -> float:
    """What share of all events so many that cleaning took out are."""
    return rows / ((rows + count(connection, "SELECT sum(events) FROM event_summary")) or 1)


def shown(example: str) -> str:
    """An example of a value, unless it looks personal."""
    return "..." if personal_kind("", (example,)) else example


def future(connection: duckdb.DuckDBPyConnection) -> Check:
    """What lies in the future, that among raw_rejects too: many such events are a time read wrongly."""
    out = count(connection, "SELECT count(*) FROM raw_rejects WHERE rule = $1", [FUTURE.name])
    kept = count(connection, "SELECT sum(future) FROM event_summary")
    share = _share_left_out(connection, out)
    return Check(
        "no future events",
        "freshness",
        "stop" if share >= ORPHANS_STOP else "warn" if out or kept else "pass",
        f"{out + kept} events lie in the future; {out} of them ({share:.2%}), later than tomorrow, were left out.",
        f"{out + kept}个事件在未来；其中{out}个（{share:.2%}）晚于明天，已剔除。",
    )


def somebodys(connection: duckdb.DuckDBPyConnection) -> Check:
    """How many of the new events cleaning left out because they are nobody's: most of them are an export gone wrong."""
    out = count(connection, "SELECT count(*) FROM raw_rejects WHERE rule = $1", [NOBODY.name])
    share = _share_left_out(connection, out)
    way = (" ", "") if share <= INCOMPLETE_WARN else _GUESTS
    return Check(
        "customer and time given",
        "completeness",
        "stop" if share > INCOMPLETE_STOP else "warn" if share > INCOMPLETE_WARN else "pass",
        f"{out} events ({share:.2%}) have no customer or no time and were left out.{way[0]}".strip(),
        f"{out}个事件（{share:.2%}）没有客户或时间，已剔除。{way[1]}",
    )


_GUESTS = (
    " If they are guests', leave them out by where in the mapping; else the export lacks the column's values.",
    "如果是游客的事件，请在映射中用 where 排除；否则是导出缺少该列的值。",
)


AGREED = ("source_id", "type", "quantity", "value", "discount")
"""Columns of events whose types and values are agreed on."""


def _contract(connection: duckdb.DuckDBPyConnection) -> list[Check]:
    """Column by column, by Pandera, of each type's extremes: rows that keep it are not looked at singly."""
    summary = connection.execute(f"SELECT {', '.join(AGREED)} FROM event_summary").df()
    with warnings.catch_warnings():
        # Pandera looks for Spark at its first check, and Spark warns of pandas 3 where it is installed.
        warnings.simplefilter("ignore", FutureWarning)
        broken = _broken(summary)
    return [
        Check(
            f"{name} as agreed",
            "contract",
            # An unknown type or a missing customer is a mapping gone wrong; an odd number is an odd number.
            "pass" if name not in broken else "stop" if name in ("source_id", "type") else "warn",
            f"Breaks {broken[name]}." if name in broken else "Type and values are as agreed.",
            f"不符合{broken[name]}。" if name in broken else "类型和取值符合约定。",
        )
        for name in AGREED
    ]


def _broken(summary: pd.DataFrame) -> dict[str, str]:
    """The columns that do not keep the contract, each with the check that it breaks."""
    import pandera.pandas as pandera

    schema = pandera.DataFrameSchema(
        {
            "source_id": pandera.Column(str, nullable=False),
            "type": pandera.Column(str, pandera.Check.isin(list(EVENT_TYPES)), nullable=False),
            "quantity": pandera.Column(float, pandera.Check.ge(0), nullable=True),
            "value": pandera.Column(float, nullable=True),
            "discount": pandera.Column(float, pandera.Check.ge(0), nullable=True),
        }
    )
    try:
        schema.validate(summary, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return {str(error.schema.name): str(error.check) for error in errors.schema_errors}
    return {}


def _completeness(connection: duckdb.DuckDBPyConnection, purchases: int) -> list[Check]:
    wanted = {
        "item_id": ("purchase lines without an item", "的购买行没有商品"),
        "order_id": (
            "purchase lines without an order number; those of a customer at one time are taken for one order",
            "的购买行没有订单号；同一客户同一时间的行视为一个订单",
        ),
    }
    found = []
    for column, (what, zh) in wanted.items():
        there = count(connection, f"SELECT {column} FROM event_summary WHERE type = 'purchase'")
        share = 1 - there / purchases if purchases else 0.0
        verdict: Verdict = "pass" if share <= INCOMPLETE_WARN else "warn"
        detail, said = f"{share:.2%} {what}.", f"{share:.2%}{zh}。"
        if column == "item_id" and not _given(connection, column):
            detail += " No source tells the items, so whatever asks of goods finds nobody."
            said += "没有来源提供商品，涉及商品的条件找不到客户。"
        elif column == "item_id" and share > INCOMPLETE_STOP:
            verdict = "stop"
        found.append(Check(f"{column} complete", "completeness", verdict, detail, said))
    return found


def _given(connection: duckdb.DuckDBPyConnection, column: str) -> bool:
    """Whether a source fills the column of raw_events; one that none fills is computed where it is asked for."""
    return not count(
        connection,
        "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'raw_events' AND column_name = $1 "
        "AND column_default IS NOT NULL",
        [column],
    )


def _twins(connection: duckdb.DuckDBPyConnection, events: int) -> Check:
    """Rows that equal another; of large data among a part of the customers, who keep all their rows."""
    part = max(1, round(events / TWINS_SAMPLE))
    columns = "source_id, ts, type, item_id, order_id, session_id, quantity, value, channel, campaign_id"
    # Of a million different rows, fewer than one in ten million times do two have one hash.
    row = connection.execute(
        f"SELECT count(*), count(DISTINCT hash({columns})) FROM raw_events WHERE hash(source_id) % {part} = 0"
    ).fetchone()
    looked_at, distinct = row or (0, 0)
    share = 1 - distinct / looked_at if looked_at else 0.0
    where = f" among one customer in {part}" if part > 1 else ""
    return Check(
        "no equal rows",
        "uniqueness",
        "warn" if share > TWINS_WARN else "pass",
        f"{looked_at - distinct} rows{where} ({share:.2%}) equal another in every column; an order may hold an item "
        "twice, an export loaded twice shows here.",
        f"{looked_at - distinct}行（{share:.2%}{f'，每{part}名客户取一名' if part > 1 else ''}）与另一行完全相同；"
        "同一订单可以有两件相同商品，重复导入的文件会在这里显现。",
    )


def _freshness(last: date, today: date) -> Check:
    age = (today - last).days
    return Check(
        "fresh",
        "freshness",
        "warn" if age > STALE_DAYS else "pass",
        f"The last event is of {last}, {max(age, 0)} days ago; 'today' is the day after it everywhere.",
        f"最后一个事件在{last}，{max(age, 0)}天前；各处的“今天”都是它的次日。",
    )


def _steady_volume(connection: duckdb.DuckDBPyConnection, history: str, last: date) -> Check:
    lately, earlier = _periods(last)
    row = connection.execute(
        f"SELECT coalesce(sum(events) FILTER ({lately}), 0), coalesce(sum(events) FILTER ({earlier}), 0) "
        f"FROM {history}"
    ).fetchone()
    recent, before = (int(row[0]) / RECENT, int(row[1]) / BEFORE) if row else (0, 0)
    if not before:
        return Check(
            "steady volume",
            "volume",
            "pass",
            "There is too little history to compare the volume with.",
            "历史太短，无法比较数量。",
        )
    ratio = recent / before
    low, high = VOLUME_WARN
    return Check(
        "steady volume",
        "volume",
        "pass" if low <= ratio <= high else "warn",
        f"{recent:,.0f} events a day in the last {RECENT} days, {ratio:.2f} times the {BEFORE} days before.",
        f"最近{RECENT}天每天{recent:,.0f}个事件，是之前{BEFORE}天的{ratio:.2f}倍。",
    )


def _drift(connection: duckdb.DuckDBPyConnection, history: str, last: date) -> Check:
    """Population stability index of the line values, over tenths of the earlier period."""
    lately, earlier = _periods(last)
    found = connection.execute(
        f"SELECT value, coalesce(sum(events) FILTER ({lately}), 0)::DOUBLE AS recent, "
        f"coalesce(sum(events) FILTER ({earlier}), 0)::DOUBLE AS earlier FROM {history} "
        f"WHERE type = 'purchase' AND value IS NOT NULL AND ({lately} OR {earlier}) GROUP BY 1 ORDER BY 1"
    ).fetchnumpy()
    psi = _stability(np.asarray(found["value"]), np.asarray(found["recent"]), np.asarray(found["earlier"]))
    if psi is None:
        return Check(
            "steady values",
            "drift",
            "pass",
            "There is too little history to compare the values with.",
            "历史太短，无法比较金额。",
        )
    return Check(
        "steady values",
        "drift",
        "warn" if psi > PSI_WARN else "pass",
        f"Population stability index of the line values {psi:.3f} (above {PSI_WARN} they have shifted).",
        f"各行金额的群体稳定性指数为{psi:.3f}（高于{PSI_WARN}即已偏移）。",
    )


def _stability(values: np.ndarray, recent: np.ndarray, earlier: np.ndarray) -> float | None:
    """The index of how often each value came in two periods; None where there is nothing to compare with."""
    if not earlier.sum():
        return None
    reached = np.cumsum(earlier) / earlier.sum()
    # A hair below, because tenths are no exact numbers.
    cuts = values[np.searchsorted(reached, np.arange(1, 10) / 10 - 1e-12)]
    part = np.unique(np.searchsorted(cuts, values), return_inverse=True)[1]
    shares = []
    for lines in (recent, earlier):
        of_part = np.bincount(part, lines) + 0.5
        shares.append(of_part / of_part.sum())
    r, e = shares
    return float(((r - e) * np.log(r / e)).sum())


def _last_day(connection: duckdb.DuckDBPyConnection, history: str) -> date:
    row = connection.execute(
        f"SELECT max(day) FROM (SELECT day FROM {history} GROUP BY 1 HAVING sum(events) > 0)"
    ).fetchone()
    day = row[0] if row else None
    return day if isinstance(day, date) else date.min


def _periods(last: date) -> tuple[str, str]:
    """The SQL tests of the recent and of the earlier period."""
    turn = last - timedelta(days=RECENT - 1)
    return f"day >= DATE '{turn}'", f"day >= DATE '{turn - timedelta(days=BEFORE)}' AND day < DATE '{turn}'"
