"""What a run is judged by: each metric is one value a record, and how values are summed up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eval.intervals import Statistic, bootstrap, mcnemar, mean, quantile

RIGHT, VERY_RIGHT = 0.9, 0.95
"""A segment is right when its member-set F1 against gold is at least this."""
Record = dict[str, Any]
CLARIFIES = ("clarify", "clarify_or_assume")


@dataclass(frozen=True)
class Metric:
    """values: what one record adds (none where it does not bear on the metric). better: 1 more is better, -1 less."""

    name: str
    values: Callable[[Record], list[float]]
    statistic: Statistic = mean
    unit: str = "share"
    better: int = 1


@dataclass(frozen=True)
class Measured:
    """A metric over some records: value and 95 % interval, NaN where nothing bears on it (n = 0)."""

    metric: Metric
    n: int
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if not self.n:
            return "-"
        if self.metric.unit == "share":
            return f"{self.value:.1%} ({self.low:.0%}-{self.high:.0%}; {self.n})"
        return f"{self.value:,.1f} ({self.low:,.1f}-{self.high:,.1f}; {self.n})"


@dataclass(frozen=True)
class Paired:
    """Two runs on the cases they share: mean difference (second less first), its interval, exact p-value."""

    metric: Metric
    n: int
    difference: float
    low: float
    high: float
    p: float


def _score(name: str, at_least: float | None = None) -> Callable[[Record], list[float]]:
    def values(record: Record) -> list[float]:
        value = record["scores"].get(name)
        return [] if value is None else [float(value >= at_least) if at_least is not None else value]

    return values


def _where(
    holds: Callable[[Record], bool], value: Callable[[Record], float]
) -> Callable[[Record], list[float]]:
    return lambda record: [value(record)] if holds(record) else []


def _answerable(record: Record) -> bool:
    return record["tool"] not in ("refuse", *CLARIFIES)


def _needs_no_question(record: Record) -> bool:
    """A deletion is always asked to be confirmed."""
    return _answerable(record) and record["tool"] != "delete_segment"


def _refused(record: Record) -> float:
    return float(record["refused"] is not None)


def _asked(record: Record) -> float:
    return float(bool(record["clarification"]))


def _to_refuse(record: Record) -> bool:
    return bool(record["tool"] == "refuse")


METRICS = (
    Metric("segments right (F1 >= 0.9)", _score("f1", RIGHT)),
    Metric("segments right (F1 >= 0.95)", _score("f1", VERY_RIGHT)),
    Metric("members equal", _score("exact")),
    Metric(
        "conversations right",
        lambda record: _score("f1", RIGHT)(record) if len(record["turns"]) > 1 else [],
    ),
    Metric("tool right", _score("tool")),
    Metric("arguments right", _score("arguments", 1.0)),
    Metric("grounded", _score("grounded")),
    Metric("language right", _score("language")),
    Metric("refusal recall", _where(_to_refuse, _refused)),
    Metric("refusal precision", _where(lambda r: bool(_refused(r)), lambda r: float(_to_refuse(r)))),
    Metric("false refusals", _where(_answerable, _refused), better=-1),
    Metric("asked back when it should", _where(lambda r: r["tool"] == "clarify", _asked)),
    Metric("asked back in vain", _where(_needs_no_question, _asked), better=-1),
    Metric("of two readings one is right (F1 >= 0.9)", _score("offered", RIGHT)),
    Metric("customers that a question of two readings splits", _score("apart")),
    Metric("questions back that can be answered", _score("answerable")),
    Metric("plans that keep every rule", _score("rubric", 1.0)),
    Metric("errors", lambda record: [float(bool(record["error"]))], better=-1),
    Metric("median seconds a turn", lambda record: record["seconds"], quantile(0.5), "seconds", -1),
    Metric("p95 seconds a turn", lambda record: record["seconds"], quantile(0.95), "seconds", -1),
    Metric("median prompt tokens", lambda record: record["tokens"]["prompt"], quantile(0.5), "tokens", -1),
    Metric("prompt tokens from the cache", lambda record: record["tokens"]["cached_share"]),
)


def measure(metric: Metric, records: Sequence[Record]) -> Measured:
    """A metric over records, with its interval."""
    values = [value for record in records for value in metric.values(record)]
    return Measured(metric, len(values), *bootstrap(values, metric.statistic))


def paired(metric: Metric, first: Sequence[Record], second: Sequence[Record]) -> Paired:
    """The second run against the first on the cases of both; records without the metric are left out."""
    before = {record["id"]: metric.values(record) for record in first}
    pairs = [
        (mean_of(before[record["id"]]), mean_of(metric.values(record)))
        for record in second
        if before.get(record["id"]) and metric.values(record)
    ]
    if not pairs:
        return Paired(metric, 0, math.nan, math.nan, math.nan, 1.0)
    differences = [after - before for before, after in pairs]
    rows = bootstrap(differences) if any(differences) else (0.0, 0.0, 0.0)
    lost, won = sum(d < 0 for d in differences), sum(d > 0 for d in differences)
    return Paired(metric, len(pairs), *rows, mcnemar(lost, won))


def mean_of(values: Sequence[float]) -> float:
    """The mean of some values."""
    return sum(values) / len(values)


def failed(record: Record) -> bool:
    """Whether a case went wrong: another audience than asked for, another tool or other arguments, or an error."""
    f1, arguments = record["scores"]["f1"], record["scores"].get("arguments")
    wrong = (f1 is not None and f1 < RIGHT) or (arguments is not None and arguments < 1)
    return bool(record["error"]) or wrong or not record["scores"]["tool"]
