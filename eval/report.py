"""The report of a run as one HTML file that needs nothing else: metrics with intervals, kinds, failures of the dev split.

Of the test split only sums are shown, never a question or an answer. Everything that a model or a person wrote is
escaped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby
from typing import Any

from eval.arguments import wanted
from eval.metrics import METRICS, RIGHT, Measured, Metric, Record, failed, measure, paired

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;margin:1rem 0;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
td.number{white-space:nowrap;font-variant-numeric:tabular-nums}
.interval{color:#666;font-size:.85em}
.bar{display:inline-block;height:.7em;background:#2a6f97;margin-right:.5em}
details{border:1px solid #ddd;border-radius:4px;padding:.4rem .8rem;margin:.4rem 0}
summary{cursor:pointer}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6;padding:.6rem;border-radius:4px}
.better{color:#176f3b}.worse{color:#a61b1b}
"""
BAR_REM = 12.0


def html(records: Sequence[Record], before: Sequence[Record] = ()) -> str:
    """The page: header, metrics, kinds, comparison with an earlier run when there is one, failures."""
    parts = [
        "<h1>Evaluation</h1>",
        _header(records),
        "<h2>Metrics</h2>",
        _metrics(records),
        "<h2>By kind of question</h2>",
        _kinds(records),
    ]
    if before:
        parts += ["<h2>Against the earlier run</h2>", _comparison(before, records)]
    parts += ["<h2>Failures of the dev split</h2>", _failures(records)]
    body = "\n".join(parts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Evaluation</title>'
        f"<style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def _header(records: Sequence[Record]) -> str:
    runs = {json.dumps(record["run"], sort_keys=True) for record in records}
    lines = [
        ", ".join(f"{escape(name)} {escape(str(value))}" for name, value in json.loads(run).items() if value)
        for run in sorted(runs)
    ]
    return f"<p>{len(records)} cases. {'<br>'.join(lines)}</p><p>Shares with 95 % bootstrap intervals over cases.</p>"


def _groups(records: Sequence[Record]) -> dict[str, list[Record]]:
    groups = {
        f"{split} {language}": [
            record
            for record in records
            if record["split"] == split and language in (record["language"], "both")
        ]
        for split in ("dev", "test")
        for language in ("en", "zh", "both")
    }
    return {name: chosen for name, chosen in groups.items() if chosen}


def _cell(found: Measured) -> str:
    if not found.n:
        return "<td>-</td>"
    if found.metric.unit == "share":
        value, interval = f"{found.value:.1%}", f"{found.low:.0%} to {found.high:.0%}"
    else:
        value, interval = f"{found.value:,.1f}", f"{found.low:,.1f} to {found.high:,.1f}"
    return f'<td class="number">{value}<br><span class="interval">{interval}; n {found.n}</span></td>'


def _metrics(records: Sequence[Record]) -> str:
    groups = _groups(records)
    rows = []
    for metric in METRICS:
        cells = [measure(metric, chosen) for chosen in groups.values()]
        if any(cell.n for cell in cells):
            rows.append(f"<tr><td>{escape(metric.name)}</td>{''.join(map(_cell, cells))}</tr>")
    return _table(["", *groups], rows)


def _kinds(records: Sequence[Record]) -> str:
    def key(record: Record) -> tuple[str, str]:
        return record["kind"], record["split"]

    right = _not_failed()
    rows = []
    for (kind, split), group in groupby(sorted(records, key=key), key):
        found = measure(right, list(group))
        bar = f'<span class="bar" style="width:{BAR_REM * found.value:.2f}rem"></span>'
        rows.append(f"<tr><td>{escape(kind)}</td><td>{split}</td>{_cell(found)}<td>{bar}</td></tr>")
    return _table(["kind", "split", "right", ""], rows)


def _not_failed() -> Metric:
    return Metric("right", lambda record: [float(not failed(record))])


def _comparison(before: Sequence[Record], after: Sequence[Record]) -> str:
    rows = []
    for metric in METRICS:
        found = paired(metric, before, after)
        if not found.n:
            continue
        number: Callable[[float], str] = (
            (lambda v: f"{v:+.1%}") if metric.unit == "share" else lambda v: f"{v:+,.2f}"
        )
        gain = found.difference * metric.better
        tone = "better" if gain > 0 else "worse" if gain < 0 else ""
        rows.append(
            f'<tr><td>{escape(metric.name)}</td><td>{found.n}</td><td class="{tone}">{number(found.difference)}</td>'
            f"<td>{number(found.low)} to {number(found.high)}</td><td>{found.p:.3f}</td></tr>"
        )
    table = _table(["", "cases of both", "difference", "95 % interval", "p (McNemar)"], rows)
    return table + _turned(before, after)


def _turned(before: Sequence[Record], after: Sequence[Record]) -> str:
    """The cases that only one of the runs got right; of the test split, how many."""
    was = {record["id"]: failed(record) for record in before}
    parts = []
    for title, turned_to in (("Newly right", False), ("Newly wrong", True)):
        turned = [r for r in after if r["id"] in was and failed(r) == turned_to and was[r["id"]] != turned_to]
        shown = [r for r in turned if r["split"] != "test"]
        lines = "".join(f"<li>{escape(r['id'])}: {escape(' / '.join(r['turns']))}</li>" for r in shown)
        parts.append(
            f"<p>{title}: {len(turned)}, of them {len(turned) - len(shown)} of the test split</p><ul>{lines}</ul>"
        )
    return "".join(parts)


def _failures(records: Sequence[Record]) -> str:
    wrong = [record for record in records if failed(record)]
    shown = [record for record in wrong if record["split"] != "test"]
    lead = (
        f"<p>{len(shown)} cases; {len(wrong) - len(shown)} more of the test split are counted, not shown.</p>"
    )
    return lead + "".join(map(_failure, shown))


def _failure(record: Record) -> str:
    f1 = record["scores"]["f1"]
    why = [record["error"]] if record["error"] else []
    why += [f"F1 {f1:.2f}"] if f1 is not None and f1 < RIGHT else []
    why += [] if record["scores"]["tool"] else [f"tool {record['called'] or 'none'}, wanted {record['tool']}"]
    arguments = record["scores"].get("arguments")
    asked = wanted().get(tuple(record["turns"])) if arguments is not None and arguments < 1 else None
    why += ["arguments"] if asked is not None and record["scores"]["tool"] else []
    turns = "".join(f"<li>{escape(turn)}</li>" for turn in record["turns"])
    details = {
        "Answer": record["answer"],
        "Definition wanted": _json(record["gold"]),
        "Definition got": _json(record["found"]),
        "In words": record["words"],
        "Another reading offered": _json(record.get("other")),
        "Arguments wanted": _json(asked),
        "Calls": _json(record.get("calls")) if asked is not None else "",
        "Evidence": _json(record["evidence"]),
    }
    body = "".join(f"<b>{name}</b><pre>{escape(str(text))}</pre>" for name, text in details.items() if text)
    return (
        f"<details><summary>{escape(record['id'])} - {escape('; '.join(why))} - {escape(record['turns'][-1])}</summary>"
        f"<ol>{turns}</ol>{body}</details>"
    )


def _json(value: Any) -> str:
    return "" if not value else json.dumps(value, ensure_ascii=False, indent=1)


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"
