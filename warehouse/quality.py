"""The quality report of a load: for a machine (JSON) and for a person (one HTML file with plots)."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from segments.atomic import write_text
from segments.errors import DataError
from warehouse.clean import RuleResult, clean
from warehouse.gate import Check, Verdict, checks, currencies, future
from warehouse.keys import key_checks
from warehouse.write import complete_events, count

JSON_FILE = "quality.json"
HTML_FILE = "quality.html"
BARS = 60
_COLOURS = {"pass": "#1a7f37", "warn": "#9a6700", "stop": "#cf222e"}


@dataclass(frozen=True)
class QualityReport:
    """What cleaning did and what the gate says."""

    events: int
    rules: tuple[RuleResult, ...]
    checks: tuple[Check, ...]

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
    history: str = "raw_events",
    more: Callable[[], Sequence[Check]] = tuple,
    off: Collection[str] = (),
) -> QualityReport:
    """Clean raw_events, ask the gate, write both reports into the folder.

    history: as in `checks`. more: further checks of the cleaned events. off: keys of rules not to be applied.
    Raises DataError when a check says stop; the reports are written then too, to show why.
    """
    complete_events(connection)
    rules = clean(connection, off)
    found = (
        *checks(connection, today or date.today(), history),
        *key_checks(connection),
        future(connection),
        *currencies(connection),
        *more(),
    )
    report = QualityReport(count(connection, "SELECT count(*) FROM raw_events"), rules, found)
    write_report(connection, folder, report, history)
    stops = [check.detail for check in found if check.verdict == "stop"]
    if stops:
        raise DataError(f"The data did not pass the checks: {' '.join(stops)} See {folder / HTML_FILE}.")
    return report


def write_report(
    connection: duckdb.DuckDBPyConnection, folder: Path, report: QualityReport, history: str
) -> None:
    """Write both reports; history: a table with ts, type and value of all events, for the plots."""
    write_text(folder / JSON_FILE, json.dumps(report.to_dict(), indent=1))
    write_text(folder / HTML_FILE, _page(report, _plots(connection, history) if report.events else []))


def report_of(known: Mapping[str, Any]) -> QualityReport:
    """A report from its JSON form."""
    return QualityReport(
        known["events"],
        tuple(RuleResult(**rule) for rule in known["rules"]),
        tuple(Check(**check) for check in known["checks"]),
    )


def _page(report: QualityReport, plots: Sequence[tuple[str, str]]) -> str:
    rules = "".join(
        f"<tr><td>{html.escape(rule.name)}</td><td>{html.escape(rule.action)}</td>"
        f"<td>{rule.rows:,}</td><td>{rule.restored:,}</td></tr>"
        for rule in report.rules
    )
    rows = "".join(
        f'<tr><td style="color:{_COLOURS[check.verdict]}">{check.verdict}</td>'
        f"<td>{html.escape(check.dimension)}</td><td>{html.escape(check.name)}</td>"
        f"<td>{html.escape(check.detail)}</td></tr>"
        for check in report.checks
    )
    images = "".join(
        f'<figure><img alt="{html.escape(title)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{html.escape(title)}</figcaption></figure>"
        for title, data in plots
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Data quality</title>
<style>body{{font:16px system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}td,th{{border-bottom:1px solid #ddd;padding:.4rem;text-align:left}}
img{{max-width:100%}}figure{{margin:1rem 0}}</style></head><body>
<h1>Data quality: <span style="color:{_COLOURS[report.verdict]}">{report.verdict}</span></h1>
<p>{report.events:,} events after cleaning.</p>
<h2>Checks</h2><table><tr><th>Verdict</th><th>Dimension</th><th>Check</th><th>Detail</th></tr>{rows}</table>
<h2>Cleaning</h2><table><tr><th>Rule</th><th>Done</th><th>Rows</th><th>Taken back</th></tr>{rules}</table>
{images}</body></html>
"""


def _plots(connection: duckdb.DuckDBPyConnection, history: str) -> list[tuple[str, str]]:
    """(title, PNG in base64) of events a week by type, and of the line values."""
    from matplotlib.figure import Figure

    weekly = connection.execute(
        # By days first, of which there are few: a week is costly to find for each row.
        "SELECT date_trunc('week', day)::DATE AS week, type, sum(events)::BIGINT AS events "
        f"FROM (SELECT ts::DATE AS day, type, count(*) AS events FROM {history} GROUP BY ALL) GROUP BY ALL ORDER BY ALL"
    ).df()
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.add_subplot()
    for kind, rows in weekly.groupby("type"):
        axes.plot(rows["week"], rows["events"], label=str(kind))
    axes.set_yscale("log")
    axes.legend(fontsize=8)
    plots = [("Events a week by type", _png(figure))]
    # Counted by the engine: to draw a sample of rows takes it longer than to count them all.
    bars = connection.execute(
        f"WITH lines AS (SELECT value FROM {history} WHERE type = 'purchase' AND value > 0), "
        "edge AS (SELECT quantile_disc(value, 0.99) AS top FROM lines) "
        f"SELECT least(floor(value / top * {BARS}), {BARS - 1})::UTINYINT AS bar, top, count(*) AS lines "
        "FROM lines, edge GROUP BY ALL"
    ).df()
    if len(bars):
        figure = Figure(figsize=(9, 3), layout="constrained")
        axes = figure.add_subplot()
        width = bars["top"].iloc[0] / BARS
        axes.bar(bars["bar"] * width, bars["lines"], width=width, align="edge")
        plots.append(("Value of purchase lines, the largest hundredth at the edge", _png(figure)))
    return plots


def _png(figure: object) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)  # type: ignore[attr-defined]
    return base64.b64encode(buffer.getvalue()).decode()
