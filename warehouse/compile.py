"""A segment definition compiled to one Ibis expression: the ids of its members.

Two-valued logic: a comparison with a missing value is false, so every leaf is made non-null before
`not` sees it. An event condition becomes a grouped subquery; a measure that 0 satisfies (`fewer than 3`)
is compiled as the complement of the customers who fail it, so customers without events are in.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce

import ibis
import ibis.expr.types as ir
import pandas as pd

from segments.definition import (
    WEEKDAYS,
    AllOf,
    AnyOf,
    ComparisonCondition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    InCluster,
    ItemFilter,
    MemberOf,
    Node,
    Not,
    Occasion,
    PropensityCondition,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    SimilarityCondition,
    TouchCondition,
    UpliftCondition,
    Window,
)
from segments.errors import InternalError
from segments.features import Catalogue
from segments.intervals import from_comparison
from segments.ports import AudienceResolver
from warehouse import timeline
from warehouse.mart import in_hours

_COMPARE: dict[str, Callable[..., ir.BooleanValue]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "=": operator.eq,
    "!=": operator.ne,
}


EVENT_COLUMNS = (
    *("customer_id", "ts", "type", "item_id", "order_id", "session_id", "quantity", "value", "channel"),
    "campaign_id",
)
ITEM_COLUMNS = ("item_id", "department", "category", "brand", "name")
"""The columns that a condition may speak of."""


class Compiler:
    """Compiles definitions against one feature mart as of one date."""

    def __init__(
        self,
        features: ir.Table,
        events: ir.Table,
        items: ir.Table,
        catalogue: Catalogue,
        as_of: date,
        resolver: AudienceResolver | None,
        saved: Callable[[str], Node],
        members: Callable[[Node], list[str]],
    ) -> None:
        self.features, self.events, self.items = features, events, items
        self.catalogue, self.as_of = catalogue, as_of
        self._resolver, self._saved, self._members = resolver, saved, members

    def compile(self, node: Node) -> ir.Table:
        """A table with the one column customer_id: the members of a checked definition."""
        return self.features.filter(self._predicate(node)).select("customer_id")

    def test(self, node: Node) -> ir.Table:
        """A table with the one column met: for each customer of the feature mart, whether they are a member."""
        return self.features.select(met=self._predicate(node))

    def places(self, node: Node) -> ir.Table:
        """A table with the one column place: the members' row numbers in the stored feature mart."""
        self.features = self.features.mutate(place=self.features.rowid())
        return self.features.filter(self._predicate(node)).select("place")

    def tests(self, nodes: Sequence[Node]) -> ir.Table:
        """As `test`, of several definitions at once: their columns are numbered, after the row numbers as `place`."""
        met = {str(number): self._predicate(node) for number, node in enumerate(nodes)}
        return self.features.select(place=self.features.rowid(), **met)

    def _predicate(self, node: Node) -> ir.BooleanValue:
        match node:
            case AllOf(children):
                parts = [self._predicate(child) for child in children]
                return reduce(operator.and_, parts) if parts else ibis.literal(True)
            case AnyOf(children):
                parts = [self._predicate(child) for child in children]
                return reduce(operator.or_, parts) if parts else ibis.literal(False)
            case Not(child):
                return ~self._predicate(child)
            case FeatureCondition():
                return self._feature(node).fill_null(False)
            case EventCondition():
                return self._event(node)
            case SequenceCondition():
                return self._among(timeline.sequence(node, self.rows, self.as_of))
            case RepeatCondition():
                return self._among(timeline.repeat(node, self.rows))
            case TouchCondition():
                return self._among(timeline.touch(node, self.rows, self.as_of))
            case ComparisonCondition():
                return self._among(self._comparison(node))
            case RankCondition():
                return self._among(self._ranked(node))
            case PropensityCondition():
                return self._propensity(node)
            case UpliftCondition():
                return self._uplift(node)
            case SimilarityCondition():
                return self._similar(node)
            case MemberOf(name):
                return self._predicate(self._saved(name))
            case InCluster():
                return self._cluster(node)

    def _feature(self, node: FeatureCondition) -> ir.BooleanValue:
        column, levels, value = self.features[node.feature], self.catalogue[node.feature].levels, node.value
        if isinstance(value, tuple):
            if node.op == "between" and levels:
                return column.isin(levels[levels.index(str(value[0])) : levels.index(str(value[1])) + 1])
            if node.op == "between":
                return column.between(value[0], value[1])
            return column.isin(value) if node.op == "in" else column.notin(value)
        if levels and node.op in (">=", "<="):
            place = levels.index(str(value))
            return column.isin(levels[place:] if node.op == ">=" else levels[: place + 1])
        return _COMPARE[node.op](column, value)

    def _event(self, node: EventCondition) -> ir.BooleanValue:
        measured = self.measured(node)
        interval = from_comparison(node.op, node.value)
        if interval is None:
            raise InternalError(f"An event condition with {node.op} {node.value} passed the checks.")
        test = _compare(measured.measure, node.op, node.value)
        zero_fits = (interval.low < 0 or (interval.low == 0 and interval.low_in)) and (
            interval.high > 0 or (interval.high == 0 and interval.high_in)
        )
        if zero_fits:
            return self.features.customer_id.notin(measured.filter(~test).customer_id)
        return self._among(measured.filter(test))

    def rows(
        self,
        event: str,
        items: ItemFilter = ItemFilter(),  # noqa: B008 - frozen
        window: Window = Window(),  # noqa: B008 - frozen
        occasion: Occasion = Occasion(),  # noqa: B008 - frozen
    ) -> ir.Table:
        """The events of one type, on the items and occasions, in the window, before the as-of date."""
        events = self.events
        tests = [events.type == event, *timeline.in_window(events, window, self.as_of)]
        if items:
            tests.append(events.item_id.isin(matching_items(self.items, items).item_id))
        return events.filter(*tests, *_on_occasion(events, occasion))

    def measured(self, node: EventCondition | EventQuantity) -> ir.Table:
        """customer_id and the measure, for the customers with such events."""
        rows = self.rows(node.event, node.items, node.window, node.occasion)
        return rows.group_by("customer_id").aggregate(measure=_measure(rows, node))

    def _comparison(self, node: ComparisonCondition) -> ir.Table:
        table = self.features
        for name, side in (("left", node.left), ("right", node.right)):
            if isinstance(side, str):
                table = table.mutate(**{name: table[side].cast("float64")})
            else:
                # A key of its own, because leaving out one of two columns (EXCEPT) is not in every engine's SQL.
                measured = self.measured(side).rename(**{name: "measure", f"{name}_id": "customer_id"})
                table = table.left_join(measured, table.customer_id == measured[f"{name}_id"])
                table = table.mutate(**{name: table[name].cast("float64").fill_null(0.0)})
        return table.filter(_COMPARE[node.op](table.left, table.right * float(node.factor)))

    def _ranked(self, node: RankCondition) -> ir.Table:
        group = self.features if node.among is None else self.features.filter(self._predicate(node.among))
        group = group.filter(group[node.feature].notnull())
        order = ibis.asc(node.feature) if node.lowest else ibis.desc(node.feature)
        place = ibis.row_number().over(order_by=[order, ibis.asc("customer_id")])
        placed = group.mutate(place=place, ranked=ibis._.count().over())
        if node.count is not None:
            return placed.filter(placed.place < node.count)
        # A hair below the product, so that 0.07 * 100, a hair above 7, is seven customers.
        return placed.filter(placed.place < placed.ranked * float(node.share or 0) - 1e-9)

    def _among(self, customers: ir.Table) -> ir.BooleanValue:
        return self.features.customer_id.isin(customers.customer_id)

    def _propensity(self, node: PropensityCondition) -> ir.BooleanValue:
        if self._resolver is None:
            raise InternalError("This audience has no propensity models behind it.")
        return self._highest(self._resolver.propensity(node.outcome), node.min_probability, node.top_share)

    def _uplift(self, node: UpliftCondition) -> ir.BooleanValue:
        if self._resolver is None:
            raise InternalError("This audience has no studies of campaigns behind it.")
        return self._highest(self._resolver.uplift(node.campaign), node.min_effect, node.top_share)

    def _highest(self, scores: pd.Series, least: float | None, share: float | None) -> ir.BooleanValue:
        """The customers with a score of at least that, or the share of them with the highest."""
        if share is not None:
            count = max(1, round(len(scores) * share))
            return self._listed(list(scores.sort_values(ascending=False, kind="stable").index[:count]))
        return self._listed(list(scores.index[scores >= (least or 0)]))

    def _similar(self, node: SimilarityCondition) -> ir.BooleanValue:
        if self._resolver is None:
            raise InternalError("This audience has no behaviour index behind it.")
        within = None if node.among is None else self._members(node.among)
        if node.text is not None:
            return self._listed(self._resolver.caring(node.text, node.top, within))
        seeds = [node.customer] if node.customer is not None else self._members(node.segment or AllOf(()))
        return self._listed(self._resolver.similar(seeds, node.top, within))

    def _cluster(self, node: InCluster) -> ir.BooleanValue:
        if self._resolver is None:
            raise InternalError("This audience has no discoveries behind it.")
        return self._listed(self._resolver.cluster(node.discovery, node.number))

    def _listed(self, customer_ids: list[str]) -> ir.BooleanValue:
        table = ibis.memtable(pd.DataFrame({"customer_id": pd.Series(customer_ids, dtype="str")}))
        return self._among(table)


def _on_occasion(events: ir.Table, occasion: Occasion) -> list[ir.BooleanValue]:
    tests = []
    if occasion.weekdays:
        tests.append(events.ts.day_of_week.index().isin([WEEKDAYS.index(day) for day in occasion.weekdays]))
    if occasion.hours is not None:
        tests.append(in_hours(events.ts, *occasion.hours))
    if occasion.channel:
        tests.append(events.channel.isin(occasion.channel))
    if occasion.campaign:
        tests.append(events.campaign_id.isin(occasion.campaign))
    return tests


def matching_items(items: ir.Table, wanted: ItemFilter) -> ir.Table:
    """The items that meet every given field of the filter."""
    tests = [
        items[name].isin(getattr(wanted, name))
        for name in ("department", "category", "brand")
        if getattr(wanted, name)
    ]
    if wanted.text:
        names = items.name.upper()
        tests.append(reduce(operator.or_, [names.re_search(_word_pattern(text)) for text in wanted.text]))
    return items.filter(*tests)


def _word_pattern(text: str) -> str:
    """Whole words, in any case; the last word in singular or plural."""
    words = text.upper().split()
    if len(words[-1]) > 3 and words[-1].endswith("S") and not words[-1].endswith("SS"):
        words[-1] = words[-1][:-1]
    return r"(^|[^A-Z0-9])" + r"[^A-Z0-9]+".join(map(re.escape, words)) + r"(E?S)?($|[^A-Z0-9])"


def _measure(rows: ir.Table, node: EventCondition | EventQuantity) -> ir.NumericValue:
    match node.measure:
        case "value":
            return rows.value.sum().fill_null(0)
        case "quantity":
            return rows.quantity.sum().fill_null(0)
        case _:
            return rows.order_id.nunique() if node.event in ("purchase", "return") else rows.count()


def _compare(column: ir.Value, op: str, value: object) -> ir.BooleanValue:
    if isinstance(value, tuple):
        return column.between(value[0], value[1])
    return _COMPARE[op](column, value)
