"""A segment over time: its size at past dates, who entered and left, and whether it jumped."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import pandas as pd

from segments.definition import (
    ComparisonCondition,
    EventCondition,
    Node,
    RepeatCondition,
    SequenceCondition,
    TouchCondition,
    every_condition,
    used_features,
)
from segments.errors import UserError
from segments.features import Catalogue
from segments.ports import Progress, silent
from warehouse.audience import Audiences
from warehouse.refresh import window_edges

MAX_POINTS = 60


@dataclass(frozen=True)
class Point:
    """The size at a date, and how many customers were known then."""

    as_of: date
    size: int
    population: int


@dataclass(frozen=True)
class Change:
    """Who belongs at `later` but not at `earlier`, who no longer does, and how many stayed."""

    earlier: date
    later: date
    entered: tuple[str, ...]
    left: tuple[str, ...]
    stayed: int


@dataclass(frozen=True)
class Drift:
    """The last step of a trend against the steps before it.

    step: relative change of the share of the population, below 0 where it shrank; usual: the median absolute relative
    change of the earlier steps; alert: the step is, up or down, larger than both `factor` times the usual one and `least`.
    """

    step: float
    usual: float
    alert: bool


def trend(
    audiences: Audiences, definition: Node, points: int = 12, days: int = 30, progress: Progress = silent
) -> list[Point]:
    """The size at `points` dates, `days` apart, oldest first, the last one today's.

    Dates before the data begin are left out. Raises DefinitionError when a model is asked of the past.
    """
    if not 1 <= points <= MAX_POINTS or days < 1:
        raise UserError(
            f"trend: needs 1 to {MAX_POINTS} points at least a day apart; got {points} and {days} days.",
            f"trend：需要1到{MAX_POINTS}个点，相隔至少一天，而给的是{points}个点、{days}天。",
        )
    found = []
    for place in range(points):
        progress(place / points, "counting at past dates")
        past = audiences.at(audiences.as_of - timedelta(days=days * (points - 1 - place)))
        if past.population:
            found.append(Point(past.as_of, past.size(definition), past.population))
    return found


_STREAMS = frozenset({"view", "search", "add_to_cart"})
"""What a site may have begun to record later than its purchases; other events are rare enough to begin late by chance."""


def filled_from(audiences: Audiences, definition: Node) -> date | None:
    """The first date at which the data hold all the days that the definition looks back on; before it, sizes are of what
    there was. None where it looks back on no number of days, or nothing of it ever happened."""
    warehouse = audiences.warehouse
    events = warehouse.table("events")
    found = warehouse.fetch(events.group_by("type").aggregate(day=events.ts.min().date()))
    first = dict(zip(found["type"], pd.to_datetime(found["day"]).dt.date, strict=True))
    begins = [
        first[kind] + timedelta(days=days)
        for event, days in looked_back(definition, warehouse.catalogue)
        if days and (kind := event if event in _STREAMS else "purchase") in first
    ]
    return max(begins, default=None)


def looked_back(definition: Node, catalogue: Catalogue) -> set[tuple[str, int]]:
    """(type of event, days) that the conditions look back on; 0 days where one looks back on no number of them."""
    found = window_edges([catalogue[name].computation for name in used_features(definition)])
    for condition in every_condition(definition):
        match condition:
            case EventCondition() | RepeatCondition() | TouchCondition():
                found.add((condition.event, condition.window.start or 0))
            case SequenceCondition():
                found |= {(step.event, condition.window.start or 0) for step in condition.steps}
            case ComparisonCondition(left=left, right=right):
                sides = (side for side in (left, right) if not isinstance(side, str))
                found |= {(side.event, side.window.start or 0) for side in sides}
            case _:
                pass
    return found


def change(audiences: Audiences, definition: Node, earlier: date, later: date) -> Change:
    """Who entered and who left between two dates.

    Raises UserError for dates in the wrong order, before the data begin or after their end.
    """
    if earlier >= later:
        raise UserError(f"change: {earlier} is not before {later}.", f"change：{earlier}不早于{later}。")
    past = audiences.at(earlier)
    if not past.population:
        raise UserError(
            f"change: the data do not reach back to {earlier}; name a later date.",
            f"change：数据尚未包含{earlier}；请给出更晚的日期。",
        )
    before = set(past.members(definition))
    after = set(audiences.at(later).members(definition))
    return Change(
        earlier, later, tuple(sorted(after - before)), tuple(sorted(before - after)), len(before & after)
    )


def drift(points: Sequence[Point], factor: float = 3.0, least: float = 0.2) -> Drift | None:
    """Whether the last step is out of the usual; None with fewer than four points to judge by."""
    shares = [point.size / point.population for point in points]
    if len(shares) < 4:
        return None
    *earlier, last = [(b - a) / a if a else float(b > 0) for a, b in pairwise(shares)]
    usual = statistics.median(abs(step) for step in earlier)
    return Drift(last, usual, abs(last) > max(factor * usual, least))
