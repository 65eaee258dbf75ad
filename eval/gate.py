"""The regression gate: metrics of a run held against a baseline that is kept with the code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from eval.metrics import METRICS, Metric, Record, measure
from segments.errors import DataError

GUARDED = tuple(metric for metric in METRICS if metric.unit == "share")
"""Seconds and tokens depend on the machine and are reported, not guarded."""
SLACK = 0.02
"""How far below the baseline a share may lie: one case of fifty may turn."""


def baseline(records: Sequence[Record]) -> str:
    """The JSON of a baseline: value and n of every guarded metric, and which run it was."""
    values = {
        metric.name: {"value": round(found.value, 4), "n": found.n}
        for metric in GUARDED
        if (found := measure(metric, records)).n
    }
    run = records[0]["run"] if records else {}
    return json.dumps({"run": run, "slack": SLACK, "metrics": values}, indent=1) + "\n"


def check(records: Sequence[Record], path: Path) -> list[str]:
    """One sentence for each metric that is worse than the baseline allows. Raises DataError for a bad file."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        slack, wanted = float(held["slack"]), dict(held["metrics"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a baseline ({error}); write one with --write-baseline.") from error
    return [
        sentence
        for metric in GUARDED
        if metric.name in wanted
        for sentence in _broken(metric, records, wanted[metric.name]["value"], slack)
    ]


def _broken(metric: Metric, records: Sequence[Record], value: float, slack: float) -> list[str]:
    found = measure(metric, records)
    if not found.n:
        return [f"{metric.name}: the baseline has it, this run does not."]
    if (found.value - value) * metric.better >= -slack - 1e-9:
        return []
    return [f"{metric.name}: {found.value:.1%} of {found.n}; the baseline is {value:.1%}, slack {slack:.0%}."]
