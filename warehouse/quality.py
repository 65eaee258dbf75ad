"""The quality report of a load: for a machine (JSON) and for a person (an HTML file with plots, in English and Chinese)."""

from __future__ import annotations

import html
import json
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from segments.atomic import write_text
from segments.errors import DataError
from segments.explain import Language
from warehouse import daily, plots
from warehouse.clean import RuleResult, clean
from warehouse.gate import Check, Verdict, checks, currencies, future, somebodys, unreadable
from warehouse.keys import key_checks
from warehouse.left_out import LeftOut, begin, read
from warehouse.quality_words import in_words, left_out_in_words
from warehouse.unread import unread
from warehouse.write import complete_events, count

JSON_FILE = "quality.json"
HTML_FILE = "quality.html"
HTML_FILE_ZH = "quality.zh.html"
BARS = 60
_HEADS = {
    "title": ("Data quality", "数据质量"),
    "pass": ("pass", "通过"),
    "warn": ("warn", "警告"),
    "stop": ("stop", "阻止"),
    "events": ("The last load: {:,} events after cleaning.", "最近一次导入：清洗后有{:,}个事件。"),
    "checks": ("Checks", "检查"),
    "cleaning": ("Cleaning", "清洗"),
    "verdict": ("Verdict", "结论"),
    "dimension": ("Dimension", "维度"),
    "check": ("Check", "检查项"),
    "detail": ("Detail", "说明"),
    "rule": ("Rule", "规则"),
    "done": ("Done", "处理"),
    "rows": ("Rows", "行数"),
    "restored": ("Taken back", "已撤回"),
    "weekly": ("Events a week by type", "每周各类事件数"),
    "values": (
        "Value of purchase lines, the largest hundredth at the edge",
        "购买行的金额，最大的百分之一在边缘",
    ),
}
_COLUMNS = (("verdict", "dimension", "check", "detail"), ("rule", "done", "rows", "restored"))
_COLOURS = {"pass": "#1a7f37", "warn": "#9a6700", "stop": "#cf222e"}


@dataclass(frozen=True)
class QualityReport:
    """What cleaning did, what the gate says, and what the mapping left out before both."""

    events: int
    rules: tuple[RuleResult, ...]
    checks: tuple[Check, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of the checks."""
        found = {check.verdict for check in self.checks}
        return "stop" if "stop" in found else "warn" if "warn" in found else "pass"

    def to_dict(self) -> dict[str, object]:
        """JSON form."""
        return {"verdict": self.verdict, **asdict(self)}


def clean_and_check(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    today: date | None = None,
    history: str = "raw_daily",
    more: Callable[[], Sequence[Check]] = tuple,
    off: Collection[str] = (),
) -> QualityReport:
    """Clean raw_events, ask the gate, write both reports into the folder.

    history: as in `checks`. more: further checks of the cleaned events. off: keys of rules not to be applied.
    Raises DataError when a check says stop; the reports are written then too, to show why.
    """
    complete_events(connection)
    begin(connection)
    rules = clean(connection, off)
    found = (
        *checks(connection, today or date.today(), history),
        *key_checks(connection),
        somebodys(connection),
        future(connection),
        *currencies(connection),
        *unreadable(connection),
        *unread(connection),
        *more(),
    )
    report = QualityReport(
        count(connection, "SELECT count(*) FROM raw_events"), rules, found, read(connection, "raw_left_out")
    )
    write_report(connection, folder, report, history)
    stops = [check.detail for check in found if check.verdict == "stop"]
    if stops:
        raise DataError(f"The data did not pass the checks: {' '.join(stops)} See {folder / HTML_FILE}.")
    return report


def write_report(
    connection: duckdb.DuckDBPyConnection, folder: Path, report: QualityReport, history: str
) -> None:
    """Write the reports; history: SQL of the daily counts of all events, for the plots."""
    write_text(folder / JSON_FILE, json.dumps(report.to_dict(), indent=1))
    weekly, values = _weekly(connection, history), _values(connection, history)
    write_text(folder / HTML_FILE, _page(report, _plots(weekly, values, "en"), "en"))
    write_text(folder / HTML_FILE_ZH, _page(report, _plots(weekly, values, "zh"), "zh"))


def report_of(known: Mapping[str, Any]) -> QualityReport:
    """A report from its JSON form."""
    return QualityReport(
        known["events"],
        tuple(RuleResult(**rule) for rule in known["rules"]),
        tuple(Check(**check) for check in known["checks"]),
        tuple(LeftOut(**source) for source in known.get("left_out", ())),
    )


def _page(report: QualityReport, drawn: Sequence[tuple[str, str]], language: Language) -> str:
    heads = {head: html.escape(words[language == "zh"]) for head, words in _HEADS.items()}
    rules = "".join(
        f"<tr><td>{html.escape(in_words(rule.name, language))}</td>"
        f"<td>{html.escape(in_words(rule.action, language))}</td>"
        f"<td>{rule.rows:,}</td><td>{rule.restored:,}</td></tr>"
        for rule in report.rules
    )
    rows = "".join(
        f'<tr><td style="color:{_COLOURS[check.verdict]}">{heads[check.verdict]}</td>'
        f"<td>{html.escape(in_words(check.dimension, language))}</td>"
        f"<td>{html.escape(in_words(check.name, language))}</td>"
        f"<td>{html.escape((check.detail_zh if language == 'zh' else '') or check.detail)}</td></tr>"
        for check in report.checks
    )
    left = "".join(f"<p>{html.escape(left_out_in_words(source, language))}</p>" for source in report.left_out)
    images = "".join(
        f"<figure>{plot}<figcaption>{heads[title]}</figcaption></figure>" for title, plot in drawn
    )
    titles = ["".join(f"<th>{heads[head]}</th>" for head in columns) for columns in _COLUMNS]
    other, its_name = (HTML_FILE, "English") if language == "zh" else (HTML_FILE_ZH, "中文")
    return f"""<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{heads["title"]}</title>
<style>body{{font:16px system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}td,th{{border-bottom:1px solid #ddd;padding:.4rem;text-align:left}}
svg{{max-width:100%}}figure{{margin:1rem 0}}</style></head><body>
<p><a href="{other}" lang="{"en" if language == "zh" else "zh"}">{its_name}</a></p>
<h1>{heads["title"]}: <span style="color:{_COLOURS[report.verdict]}">{heads[report.verdict]}</span></h1>
<p>{heads["events"].format(report.events)}</p>
<h2>{heads["checks"]}</h2><table><tr>{titles[0]}</tr>{rows}</table>
<h2>{heads["cleaning"]}</h2><table><tr>{titles[1]}</tr>{rules}</table>
{left}{images}</body></html>
"""


def _weekly(connection: duckdb.DuckDBPyConnection, history: str) -> dict[str, list[tuple[date, int]]]:
    """Events of each week by type."""
    rows = connection.execute(
        f"SELECT type, date_trunc('week', day)::DATE, sum(events)::BIGINT FROM {history} "
        "WHERE type IS NOT NULL GROUP BY ALL HAVING sum(events) > 0 ORDER BY ALL"
    ).fetchall()
    found: dict[str, list[tuple[date, int]]] = {}
    for kind, week, events in rows:
        found.setdefault(kind, []).append((week, events))
    return found


def _values(connection: duckdb.DuckDBPyConnection, history: str) -> tuple[dict[int, int], float]:
    """How many purchase lines are worth so many widths, and a width; the largest hundredth at the edge."""
    rows = connection.execute(
        f"SELECT value, sum(events)::BIGINT FROM {history} WHERE type = 'purchase' AND value > 0 AND isfinite(value) "
        "GROUP BY 1 HAVING sum(events) > 0 ORDER BY 1"
    ).fetchall()
    in_all, reached, top = sum(lines for _, lines in rows), 0, 0.0
    for value, lines in rows:
        top, reached = value, reached + lines
        if reached >= 0.99 * in_all:
            break
    if not top:
        return {}, 0.0
    # In whole steps of what values are rounded to, or else some bars would hold one step more than others.
    step = 10.0 ** (math.floor(math.log10(top)) - daily.DIGITS + 1)
    steps = math.ceil(round(top / step) / BARS)
    bars: Counter[int] = Counter()
    for value, lines in rows:
        bars[round(min(value, top) / step) // steps] += lines
    return bars, steps * step


def _plots(
    weekly: Mapping[str, Sequence[tuple[date, int]]],
    values: tuple[Mapping[int, int], float],
    language: Language,
) -> list[tuple[str, str]]:
    """(key of the title, SVG) of events a week by type, and of the line values."""
    title = {key: _HEADS[key][language == "zh"] for key in ("weekly", "values")}
    found = [("weekly", plots.lines(weekly, title["weekly"]))] if weekly else []
    return found + ([("values", plots.bars(*values, title["values"]))] if values[0] else [])
