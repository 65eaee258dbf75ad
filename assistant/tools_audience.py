"""Tools over an audience: its size over time, who moved, its parts by a feature, how saved segments overlap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from campaigns.offer import PARTS_ZH, WEEKDAYS_EN, WEEKDAYS_ZH
from segments.catalogue import PARTS
from segments.definition import (
    EVERYONE,
    EventCondition,
    FeatureCondition,
    Node,
    Not,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
)
from segments.edit import add
from segments.errors import DefinitionError, NotFoundError, UserError
from segments.explain import explain
from segments.features import Catalogue
from segments.issues import Issue
from segments.ports import Evidence, Figure
from warehouse.breakdown import breakdown
from warehouse.estimate import draw
from warehouse.overlap import beside, overlaps
from warehouse.trend import change, drift, filled_from, trend
from warehouse.why import Verdict, why

if TYPE_CHECKING:
    from assistant.rooms import Rooms

POINTS, STEP_DAYS = 12, 30
SHOWN_PAIRS, SHOWN_ALIKE = 20, 5
HABIT_DAYS = 365
Falls = Callable[[pd.Series, pd.Series], pd.Series]
"""Of weekdays (0 is Monday) and hours (0 to 23): which of them fall into a time."""


def _on(day: int) -> Falls:
    return lambda days, _hours: days == day


def _between(start: int, end: int) -> Falls:
    return lambda _days, hours: (
        (hours >= start) & (hours < end) if start < end else (hours >= start) | (hours < end)
    )


WHEN: dict[str, tuple[Falls, str, str]] = {
    **{
        f"day.{place}": (_on(place), en, zh)
        for place, (en, zh) in enumerate(zip(WEEKDAYS_EN, WEEKDAYS_ZH, strict=True))
    },
    **{
        f"part.{name}": (
            _between(*PARTS[name]),
            f"{name} ({PARTS[name][0]} to {PARTS[name][1]} o'clock)",
            f"{PARTS_ZH[name]}（{PARTS[name][0]}至{PARTS[name][1]}点）",
        )
        for name in PARTS
    },
}
"""The times that orders are counted by."""


def trend_segment(rooms: Rooms, definition: Node) -> Evidence:
    """The size at twelve dates thirty days apart, the newest today's, and whether the last step is unusual."""
    points = trend(rooms.audiences, definition, POINTS, STEP_DAYS)
    figures: list[Figure] = []
    rows = []
    for point in points:
        day = point.as_of.isoformat()
        size = rooms.disclosure.shown(definition, point.as_of)
        figures.append(
            Figure(f"size.{day}", size, "customers", f"customers as of {day}", f"截至 {day} 的客户数")
        )
        rows.append({"as_of": day, "size": size})
    filled = filled_from(rooms.audiences, definition)
    if filled is not None and points and points[0].as_of < filled:
        label = "date from which on all its days are in the data", "数据涵盖其全部天数的起始日期"
        figures.append(Figure("filled_from", filled.isoformat(), "date", *label))
    moved = drift(points)
    notes: tuple[str, ...] = ()
    if (
        moved is not None
        and rooms.disclosure.margin is None
        and all(isinstance(row["size"], int) for row in rows)
    ):
        label = "change of the share in the last step", "最近一步的占比变化"
        figures.append(Figure("last_step", moved.step, "share", *label))
        label = "usual change of a step", "通常每步的变化"
        figures.append(Figure("usual_step", moved.usual, "share", *label))
        notes = ("unusual",) if moved.alert else ("usual",)
    return Evidence("", "trend_segment", tuple(figures), tuple(rows), notes)


def diff_segment(rooms: Rooms, definition: Node, earlier: date, later: date | None = None) -> Evidence:
    """How many entered, left and stayed between two dates, both sizes, and beside them how all customers grew.

    Raises UserError for a date before or after the data, DefinitionError when a model is asked of the past.
    """
    found = change(rooms.audiences, definition, earlier, later or rooms.audiences.as_of)
    everyone, everyone_now = (rooms.audiences.at(day).population for day in (earlier, found.later))
    moved = rooms.disclosure.moved(definition, found)
    start, end = earlier.isoformat(), found.later.isoformat()
    figures = [
        Figure("earlier", start, "date", "from", "自"),
        Figure("later", end, "date", "to", "至"),
        Figure("before", moved.before, "customers", f"customers on {start}", f"{start} 的客户数"),
        Figure("after", moved.after, "customers", f"customers on {end}", f"{end} 的客户数"),
    ]
    if isinstance(moved.before, int) and isinstance(moved.after, int):
        grown = everyone_now / everyone - 1
        figures.append(Figure("grown_everyone", grown, "share", "growth of all customers", "全体客户的变化"))
        if moved.before:
            grown = moved.after / moved.before - 1
            figures.append(Figure("grown", grown, "share", "growth of the segment", "分群的变化"))
    if moved.parts is not None:
        entered, left, stayed = moved.parts
        figures += [
            Figure("entered", entered, "customers", "entered", "加入"),
            Figure("left", left, "customers", "left", "离开"),
            Figure("stayed", stayed, "customers", "stayed", "留下"),
        ]
        if moved.before:
            share = left / (left + stayed)
            figures.append(
                Figure("left_share", share, "share", "of those in it then left", "当时的客户中离开")
            )
    return Evidence("", "diff_segment", tuple(figures))


def breakdown_segment(rooms: Rooms, definition: Node, feature: str) -> Evidence:
    """The members by the values of a feature, beside everyone; small groups are held back."""
    catalogue, k = rooms.warehouse.catalogue, rooms.disclosure.k
    members, features = rooms.audiences.members(definition), rooms.warehouse.features()
    rooms.disclosure.check(members)
    whose = {"members": definition, "everyone": EVERYONE}
    groups = breakdown(
        members,
        features,
        catalogue,
        feature,
        k,
        rooms.disclosure.held_back,
        lambda who, sizes: rooms.disclosure.parts(whose[who], feature, sizes),
    )
    known = catalogue[feature]
    figures = [Figure("feature", known.name, "text", known.en, known.zh)]
    for place, group in enumerate(groups):
        size: int | str = "held back" if group.size is None else group.size
        figures.append(Figure(f"group.{place}", size, "customers", group.label, group.label))
        if group.share is not None:
            figures.append(Figure(f"group.{place}.share", group.share, "share", group.label, group.label))
        figures.append(Figure(f"group.{place}.everyone", group.everyone, "share", group.label, group.label))
    rows = tuple({"label": group.label, "place": place} for place, group in enumerate(groups))
    return Evidence("", "breakdown_segment", tuple(figures), rows)


def estimate_segment(rooms: Rooms, definition: Node, share: float | None) -> Evidence:
    """The size from a sample of the customers: the estimate with its interval, how many were drawn, and of how many.

    Raises what `draw` does, ForbiddenError where counts carry noise.
    """
    sample = draw(rooms.audiences, definition, share)
    found, drawn = rooms.disclosure.estimated(sample), sample.estimate
    size: tuple[int | str, int | None, int | None] = (
        ("held back", None, None) if found is None else (found.size, found.low, found.high)
    )
    catalogue, currency = rooms.warehouse.catalogue, rooms.workspace.settings.currency
    words = [explain(definition, catalogue, language, currency) for language in ("en", "zh")]
    return Evidence(
        "",
        "estimate_segment",
        (
            Figure(
                "size", size[0], "customers", "customers, estimated", "估计客户数", *size[1:], drawn.level
            ),
            Figure("sampled", drawn.sampled, "customers", "customers in the sample", "抽样客户数"),
            Figure("population", drawn.population, "customers", "customers in all", "客户总数"),
            Figure("as_of", rooms.warehouse.as_of.isoformat(), "date", "as of", "截至"),
            Figure("words_en", words[0], "text", "of whom", "对象"),
            Figure("words_zh", words[1], "text", "of whom", "对象"),
        ),
    )


def count_part(rooms: Rooms, definition: Node, part: Node) -> Evidence:
    """How many members meet one more condition, as a share of them, beside the share of everyone."""
    size, inside = (rooms.disclosure.shown(node) for node in (definition, add(definition, part)))
    everyone = rooms.disclosure.shown(part)
    catalogue, currency = rooms.warehouse.catalogue, rooms.workspace.settings.currency
    en, zh = (explain(part, catalogue, language, currency) for language in ("en", "zh"))
    figures = [
        Figure("part", inside, "customers", "of them", "其中"),
        Figure("part_en", en, "text", "who of them", "其中的谁"),
        Figure("part_zh", zh, "text", "who of them", "其中的谁"),
    ]
    if isinstance(inside, int) and isinstance(size, int) and size:
        figures.append(Figure("part_share", inside / size, "share", "share of them", "占比"))
    if isinstance(everyone, int):
        share = everyone / rooms.audiences.population
        figures.append(Figure("everyone", share, "share", "share of everyone", "占全体的比例"))
    return Evidence("", "count_part", tuple(figures))


def profile_times(rooms: Rooms, members: Sequence[str]) -> Evidence:
    """On which days of the week and at what time of the day the members ordered in the last year, beside everyone.

    Data that know no time of the day are counted by days alone. Raises DefinitionError where nobody ordered.
    """
    as_of = pd.Timestamp(rooms.warehouse.as_of)
    orders = rooms.purchases.drop_duplicates("order_id")
    orders = orders[(orders["ts"] < as_of) & (orders["ts"] >= as_of - pd.Timedelta(days=HABIT_DAYS))]
    inside = orders["customer_id"].isin(list(members))
    if not inside.any():
        raise DefinitionError.of(Issue("no_orders", days=HABIT_DAYS))
    figures = [Figure("orders", int(inside.sum()), "orders", "orders of the last year", "最近一年的订单数")]
    days, hours = orders["ts"].dt.day_of_week, orders["ts"].dt.hour
    timed = bool((hours > 0).any())
    for name, (falls, en, zh) in WHEN.items():
        if not timed and name.startswith("part."):
            continue
        there = falls(days, hours)
        figures += [
            Figure(name, float(there[inside].mean()), "share", en, zh),
            Figure(f"{name}.everyone", float(there.mean()), "share", en, zh),
        ]
    return Evidence("", "profile_times", tuple(figures))


def overlap_segments(rooms: Rooms) -> Evidence:
    """Every pair of saved segments, most alike first: customers in both, Jaccard, near-duplicates.

    A segment that cannot be counted is left out, and told with the reason.
    """
    saved, notes = _saved(rooms)
    if len(saved) < 2:
        raise NotFoundError(
            "overlap: fewer than two segments are saved that can be counted; save two to compare them.",
            "overlap：已保存且可计数的分群不足两个；保存两个才能比较。",
        )
    pairs = overlaps(rooms.audiences, saved)
    figures = [Figure("pairs", len(pairs), "count", "pairs of saved segments", "已保存分群的两两组合")]
    rows = []
    for place, pair in enumerate(pairs[:SHOWN_PAIRS]):
        label = f"{pair.first} & {pair.second}"
        both = rooms.disclosure.shown_both(saved[pair.first], saved[pair.second])
        figures.append(Figure(f"pair.{place}", both, "customers", label, label))
        if isinstance(both, int):
            figures.append(Figure(f"pair.{place}.jaccard", pair.jaccard, "share", label, label))
        rows.append({"place": place, "pair": label, "near_duplicate": pair.near_duplicate})
    return Evidence("", "overlap_segments", tuple(figures), tuple(rows), tuple(notes))


def find_duplicates(rooms: Rooms, definition: Node) -> Evidence:
    """The saved segments beside a definition that need not be saved: near-duplicates first, then the most alike.

    A segment that cannot be counted is left out, and told with the reason.
    """
    saved, notes = _saved(rooms)
    found = beside(rooms.audiences, definition, saved)
    twins = sum(each.near_duplicate for each in found)
    figures = [
        Figure("saved", len(saved), "count", "saved segments", "已保存分群"),
        Figure("duplicates", twins, "count", "near-duplicates", "几乎相同的分群"),
    ]
    rows = []
    for place, each in enumerate(found[: max(SHOWN_ALIKE, min(twins, SHOWN_PAIRS))]):
        both = rooms.disclosure.shown_both(definition, saved[each.name])
        figures.append(Figure(f"saved.{place}", both, "customers", each.name, each.name))
        if isinstance(both, int):
            figures.append(Figure(f"saved.{place}.jaccard", each.jaccard, "share", each.name, each.name))
        twin = {"near_duplicate": each.near_duplicate, "same_meaning": each.same_meaning}
        rows.append({"place": place, "name": each.name} | twin)
    return Evidence("", "find_duplicates", tuple(figures), tuple(rows), tuple(notes))


def _saved(rooms: Rooms) -> tuple[dict[str, Node], list[str]]:
    """The saved segments that can be counted, and why the others cannot, in English and Chinese by turns."""
    saved: dict[str, Node] = {}
    notes: list[str] = []
    for segment in rooms.library.all():
        try:
            rooms.audiences.size(segment.definition)
            saved[segment.name] = segment.definition
        except UserError as error:
            notes += [f"{segment.name} is left out: {error}", f"未计入{segment.name}：{error.zh}"]
    return saved, notes


def explain_membership(rooms: Rooms, definition: Node, customer: str) -> Evidence:
    """Why one customer (an id of the source data) is in the segment, or what is missing, near misses first.

    Each condition is worded as the segment asks for it, with the `not` around it.
    """
    found = why(rooms.audiences, definition, rooms.vault.known(customer))
    catalogue, currency = rooms.warehouse.catalogue, rooms.workspace.settings.currency
    verdict = "yes" if found.belongs else "no"
    figures = [Figure("belongs", verdict, "text", "in the segment", "是否属于分群")]
    rows = []
    others = sorted((v for v in found.verdicts if v.met or not v.needed), key=lambda v: not v.met)
    for place, each in enumerate((*found.missing, *others)):
        asked: Node = each.condition if each.wanted else Not(each.condition)
        en, zh = (explain(asked, catalogue, language, currency) for language in ("en", "zh"))
        state = "met" if each.met else "nearly met" if each.near_miss else "not met"
        if not (each.met or each.needed):
            state = "not needed"
        figures.append(Figure(f"condition.{place}", state, "text", en, zh))
        if each.value is not None:
            figures.append(_theirs(f"condition.{place}.value", each, catalogue))
        rows.append({"condition_en": en, "condition_zh": zh, "state": state, "value": each.value})
    return Evidence("", "explain_membership", tuple(figures), tuple(rows))


def _theirs(name: str, verdict: Verdict, catalogue: Catalogue) -> Figure:
    """What the customer has of what a condition measures."""
    condition, value = verdict.condition, verdict.value
    en, zh, unit = "theirs", "该客户", "count"
    if isinstance(condition, FeatureCondition | RankCondition):
        known = catalogue[condition.feature]
        en, zh, unit = known.en, known.zh, known.unit or unit
    elif isinstance(condition, SequenceCondition):
        steps = len(condition.steps)
        en, zh = f"steps done in order, of {steps}", f"依次完成的步数，共{steps}步"
    elif isinstance(condition, RepeatCondition):
        en, zh = f"most within {condition.within_days} days", f"{condition.within_days}天内最多"
    elif isinstance(condition, EventCondition) and condition.measure == "value":
        unit = "currency"
    if isinstance(value, bool):
        return Figure(name, "yes" if value else "no", "text", en, zh)
    return Figure(
        name, value if value is not None else "", "text" if isinstance(value, str) else unit, en, zh
    )
