"""Clauses turned into candidate conditions: the only conditions this turn's plan can choose from.

What the question leaves open is filled with a stated reading ('I took quiet as 30 days').
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.linking.clauses import Clause, Reading
from assistant.linking.cues import Vague
from assistant.linking.drafts import Draft, drafts
from assistant.linking.features import FeatureLinker, FeatureMention, fits, number_condition
from assistant.linking.here import EVENT_WORDS
from assistant.linking.items import ItemMention, merged
from assistant.linking.numbers import Number
from assistant.linking.ranks import RANKED_BY
from assistant.linking.trend import Top
from assistant.linking.windows import TimeMention
from segments.definition import (
    AllOf,
    AnyOf,
    ComparisonCondition,
    Condition,
    EventCondition,
    EventMeasure,
    EventQuantity,
    FeatureCondition,
    ItemFilter,
    Node,
    Not,
    PropensityCondition,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    TouchCondition,
    Window,
)
from segments.features import Catalogue, Feature, FeatureType

QUIET_DAYS = 30
"""'quiet', 'inactive' without a length: DESIGN's reading of 'recent'."""
LAPSED_DAYS = 90
"""'lapsed', 'churned' without a length."""
MOST = 0.5
"""'mostly', 'mainly', 'weekend shoppers': more than this share."""

Quantile = Callable[[str, float], float]
"""(feature, q) -> the q-quantile of the feature over all customers."""


@dataclass(frozen=True)
class Candidate:
    """A condition the question may ask for; `reading` states what was assumed, `joins` how it is attached."""

    node: Node
    start: int
    end: int
    joins: frozenset[str] = frozenset()
    reading: str = ""


def candidates(reading: Reading, linker: FeatureLinker, quantile: Quantile) -> list[Candidate]:
    """Every candidate of a question, in reading order."""
    found: list[Candidate] = []
    for draft in drafts(reading, linker.catalogue):
        found += _build(draft, reading, linker, quantile)
    unique: dict[Node, Candidate] = {}
    for candidate in found:
        unique.setdefault(candidate.node, candidate)
    return [c for c in unique.values() if not _overruled(c, list(unique.values()))]


_SAME_AS_SPEND = ("spend_365d", "spend_lifetime")
_SAME_AS_ORDERS = ("orders_365d",)


def _overruled(assumed: Candidate, all_: list[Candidate]) -> bool:
    """Whether a vague word was made exact elsewhere ('big spenders (over $5,000)', 'regulars, 50+ trips')."""
    node = assumed.node
    if assumed.reading == "quiet":
        return any(other is not assumed and _says_recency(other) for other in all_)
    if assumed.reading not in ("vague", "most") or not isinstance(node, FeatureCondition):
        return False
    for other in all_:
        stated = other.node
        if other is assumed or other.reading in ("vague", "most", "quiet"):
            continue
        if isinstance(stated, FeatureCondition):
            trend = node.feature == "overdue_ratio" and stated.feature.endswith("_trend_90d")
            if stated.feature == node.feature or trend:
                return True
        if isinstance(stated, EventCondition) and stated.event == "purchase" and not stated.items:
            if node.feature in _SAME_AS_SPEND and stated.measure == "value":
                return True
            if node.feature in _SAME_AS_ORDERS and stated.measure == "count" and stated.value != 1:
                return True
    return False


def _says_recency(candidate: Candidate) -> bool:
    """Whether a condition says itself how long ago the last purchase was ('lapsed: last order 31-75 days ago')."""
    node = candidate.node
    if candidate.reading == "quiet":
        return False
    if isinstance(node, FeatureCondition):
        return node.feature == "recency_days"
    leaf = node.child if isinstance(node, Not) else None
    return (
        isinstance(leaf, EventCondition)
        and leaf.event == "purchase"
        and not leaf.items
        and leaf.window.end == 0
    )


def _build(draft: Draft, reading: Reading, linker: FeatureLinker, quantile: Quantile) -> list[Candidate]:
    clause, catalogue = draft.clause, linker.catalogue
    free = list(clause.numbers)
    made: list[tuple[Node, str, bool]] = []
    items = list(draft.items or [])
    made += [
        (_in_time(_as_trend(p.condition, catalogue), draft.window), "", False)
        for p in clause.patterns
        if _known(p.condition, catalogue)
    ]
    made += [(t.condition, "", False) for t in clause.trends if t.condition.feature in catalogue]
    made += [
        (_top(top, items, draft.window or _ranked_over(reading), linker), "top", False) for top in clause.tops
    ]
    made += [_vague(vague, quantile, draft.window) for vague in clause.vague]
    made += _features(clause, reading, free, items, draft.window, linker, quantile)
    made += _shares(free, items, clause, catalogue)
    if any(isinstance(node, FeatureCondition) and node.feature in _LENGTHS for node, _, _ in made):
        # 'a gap of 14 days': the length is the feature's value, not when something was bought.
        draft = replace(draft, window=None if len(clause.windows) < 2 else clause.windows[-1])
    event, note = _event(draft, reading, free, items)
    handled = "neg" in clause.flags and event is None
    if event is not None:
        event = _all_of_them(_alternatives(event, items), reading.text[clause.start : clause.end + 4], items)
        if isinstance(event, EventCondition) and not draft.negative and draft.kind != "quiet":
            made += _second_counts(event, free)
        event = _in_each(event, draft.window)
        made.append((Not(event) if draft.negative or draft.kind == "quiet" else event, note, True))
    made += _by_unit(free, clause, linker, draft.kind)
    out = []
    for node, text, polar in made:
        if not polar and (handled or (draft.negative and event is None)):
            node = Not(node)
        out.append(Candidate(node, clause.start, clause.end, clause.joins, text))
    return out


_ALL_OF_THEM = re.compile(r"都(?![没不未])|全都|\b(?:both|all (?:of them|three|four))\b", re.IGNORECASE)


def _all_of_them(event: Node, said: str, items: list[ItemMention]) -> Node:
    """'猫砂猫粮都买': every one of the items, not any."""
    if not isinstance(event, EventCondition) or len(items) < 2 or not _ALL_OF_THEM.search(said):
        return event
    if event.measure != "count" or event.value != 1:
        return event
    return AllOf(tuple(replace(event, items=item.items) for item in items))


def _known(condition: Condition, catalogue: Catalogue) -> bool:
    """Whether the features that a pattern compares are the catalogue's."""
    if not isinstance(condition, ComparisonCondition):
        return True
    return all(side in catalogue for side in (condition.left, condition.right) if isinstance(side, str))


def _in_each(event: Node, window: TimeMention | None) -> Node:
    """'in each of the months October, November and December': once for every one of them."""
    if window is None or not window.parts or not isinstance(event, EventCondition):
        return event
    return AllOf(tuple(replace(event, window=part) for part in window.parts))


def _in_time(condition: Condition, window: TimeMention | None) -> Node:
    """A pattern in the time said beside it."""
    if window is None or window.gap or isinstance(condition, ComparisonCondition):
        return condition
    span = condition.within_days if isinstance(condition, RepeatCondition) else 0
    if window.window.end == 0 and (window.window.start or span + 1) <= span:
        return condition  # 'on at least one day' is the span itself.
    if isinstance(condition, SequenceCondition | RepeatCondition | TouchCondition):
        return condition if condition.window != Window() else replace(condition, window=window.window)
    return condition


_TRENDS = {
    ("value", Window(90, 0), Window(180, 90)): "spend_trend_90d",
    ("count", Window(90, 0), Window(180, 90)): "orders_trend_90d",
    ("value", Window(30, 0), Window(60, 30)): "spend_trend_30d",
}
"""Comparisons of two windows that the catalogue has as one feature."""


def _as_trend(condition: Condition, catalogue: Catalogue) -> Condition:
    """'消费少于此前九十天' is the house's trend, where the catalogue has it."""
    if not isinstance(condition, ComparisonCondition):
        return condition
    left, right = condition.left, condition.right
    if (
        not (isinstance(left, EventQuantity) and isinstance(right, EventQuantity))
        or left.items
        or left.occasion
    ):
        return condition
    feature = _TRENDS.get((left.measure, left.window, right.window), "")
    if left.event != "purchase" or feature not in catalogue:
        return condition
    return FeatureCondition(feature, condition.op, _plain(condition.factor))


def _second_counts(event: EventCondition, free: list[Number]) -> list[tuple[Node, str, bool]]:
    """'at least $2,500 from fewer than 60 orders': one verb, two measures."""
    if event.event != "purchase" or event.items:
        return []
    counts = [n for n in free if n.unit in ("orders", "times") and event.measure == "value"]
    sums = [n for n in free if n.unit == "money" and event.measure == "count"]
    out: list[tuple[Node, str, bool]] = []
    for number in (*counts, *sums):
        out.append(
            (_counted(EventCondition("purchase", window=event.window), free, (number.unit,)), "", False)
        )
    return out


def _alternatives(event: Node, items: list[ItemMention]) -> Node:
    """'bananas or apples', one a product name and one a category: one filter would ask for both at once."""
    if not isinstance(event, EventCondition):
        return event
    parts = [
        ItemFilter(**{name: getattr(event.items, name)}, brand=event.items.brand)
        for name in ("department", "category", "text")
        if getattr(event.items, name)
    ]
    single = any(sum(map(bool, (i.items.department, i.items.category, i.items.text))) > 1 for i in items)
    if len(parts) < 2 or single:
        return event
    return AnyOf(tuple(replace(event, items=part) for part in parts))


def _vague(vague: Vague, quantile: Quantile, window: TimeMention | None) -> tuple[Node, str, bool]:
    """A vague word's own condition; a time said with it ('new customers in the last 60 days') replaces its own."""
    node = vague.node
    if window is not None and not window.gap:
        if isinstance(node, EventCondition):
            return replace(node, window=window.window), "", False
        if isinstance(node, FeatureCondition) and node.feature == "tenure_days" and window.window.start:
            return replace(node, value=window.window.start), "", False
    if vague.quantile is not None and isinstance(node, FeatureCondition):
        node = replace(node, value=_round(quantile(node.feature, vague.quantile)))
    return node, "vague", False


def _ranked_over(reading: Reading) -> TimeMention | None:
    """'rank them by their spend over the trailing 180 days and return the top 20 %': the time of the spend."""
    ranked = RANKED_BY.search(reading.text)
    if ranked is None:
        return None
    times = [time for clause in reading.clauses for time in clause.windows]
    return next((time for time in times if 0 <= time.span[0] - ranked.end() <= 2), None)


def _top(top: Top, items: list[ItemMention], window: TimeMention | None, linker: FeatureLinker) -> Node:
    """A rank by the feature that its words name, over the time said with them."""
    name = top.feature
    if top.by:
        spent = re.search(r"spen[dt]|buyers|shoppers|revenue|sales|value", top.by, re.IGNORECASE)
        department = next((i for i in items if i.items.department), None)
        saved = re.search(r"money|dollars|amount|save", top.by, re.IGNORECASE) and "discount" in top.by
        own = _share_feature(department.items, linker.catalogue, "spend") if department and spent else None
        name = (
            own
            or ("discount_365d" if saved else "")
            or linker.named(top.by, chinese=False)
            or ("spend_365d" if spent else top.feature)
        )
        if own:
            items.remove(department)  # type: ignore[arg-type]
    lowest = top.lowest
    feature = _of_window(name, window, linker.catalogue)
    return RankCondition(feature.name, top.count, top.share, lowest)


def _round(value: float) -> float:
    """Two leading digits are as much as a stated reading deserves."""
    if value >= 100:
        value = round(value, -int(len(str(int(value))) - 2))
    return int(value) if float(value).is_integer() else round(value, 2)


def _features(
    clause: Clause,
    reading: Reading,
    free: list[Number],
    items: list[ItemMention],
    window: TimeMention | None,
    linker: FeatureLinker,
    quantile: Quantile,
) -> list[tuple[Node, str, bool]]:
    made: list[tuple[Node, str, bool]] = []
    for mention in clause.features:
        if mention.condition is not None:
            made.append((mention.condition, "", False))
            continue
        feature = _of_window(_by_number(mention.feature, free), window, linker.catalogue)
        high = "high" in clause.flags or _HIGH.search(mention.text) is not None
        low = "low" in clause.flags or _LOW.search(mention.text) is not None
        near = sorted(free, key=lambda n: abs(n.span[0] - mention.span[0]))
        number = next((n for n in near if fits(feature, n)), None)
        if number is not None and feature.name == "quantity_365d" and items:
            # 'units of yogurt': the units are of what was bought.
            free[free.index(number)] = replace(number, unit="units")
            continue
        condition = number_condition(feature, number) if number is not None else None
        if condition is not None and number is not None:
            free.remove(number)
            made.append((condition, "", False))
        elif feature.name == "quantity_365d" and items and number is None:
            continue
        elif feature.unit == "days" and window is not None:
            length = next((w for w in clause.windows if w.bare or w.gap), window)
            made.append((_length_condition(feature.name, length, reading.text), "", False))
        elif feature.type is FeatureType.CATEGORY and items:
            values = tuple(i.items.department[0] for i in items if i.items.department)
            if values:
                one = len(values) == 1
                condition = FeatureCondition(feature.name, "=" if one else "in", values[0] if one else values)
                made.append((condition, "", False))
                items.clear()
        elif feature.type is FeatureType.SHARE and feature.name.endswith(
            ("day_share_365d", "ing_share_365d", "noon_share_365d", "end_share_365d", "night_share_365d")
        ):
            made.append((FeatureCondition(feature.name, ">", MOST), "most", False))
        elif feature.numeric and clause.flags & {"high", "low", "mostly"}:
            op, q = ("<=", 0.2) if "low" in clause.flags else (">=", 0.8)
            made.append(
                (FeatureCondition(feature.name, op, _round(quantile(feature.name, q))), "vague", False)
            )
        elif feature.type is FeatureType.BAND and (high or low):
            levels = feature.levels
            cut = len(levels) * 2 // 3 if high else len(levels) // 3 - 1
            op = ">=" if high else "<="
            made.append((FeatureCondition(feature.name, op, levels[max(cut, 0)]), "vague", False))
    return made


def _by_number(name: str, free: list[Number]) -> str:
    """'每单至少12件' is a basket's items, '每单50元' its value: the number says which."""
    if name.startswith("basket_value") and {number.unit for number in free} == {"units"}:
        return "basket_lines_365d"
    return name


_HIGH = re.compile(r"high|affluent|wealthy|高", re.IGNORECASE)
_LOW = re.compile(r"\blow|低", re.IGNORECASE)


def _of_window(name: str, window: TimeMention | None, catalogue: Catalogue) -> Feature:
    """The feature over the time that was said, where the catalogue has it ('average order in the last 90 days')."""
    if window is not None and window.window.end == 0:
        return catalogue.get(name.replace("_365d", f"_{window.window.start}d")) or catalogue[name]
    return catalogue[name]


def _length_condition(feature: str, length: TimeMention, text: str) -> Condition:
    """'首次购买发生于第三季度' says when the first purchase was; any other length is the feature's value."""
    ended = length.calendar and length.window.end > 0
    if feature == "tenure_days" and ended:
        return TouchCondition("first", "purchase", window=length.window)
    if feature == "recency_days" and length.window.end > 0 and length.window.start is not None:
        return FeatureCondition(feature, "between", (length.window.end, length.window.start))
    return FeatureCondition(feature, *_days(length, text, feature))


_LENGTH_ZH = (
    ("<=", re.compile(r"(?:不|没有?|未)(?:超过|多于|大于)|至多|最多|以内|之内|以下")),
    (">=", re.compile(r"(?:不|没有?)(?:少于|低于|小于)|至少|以上|(?<![不未])满")),
    ("<", re.compile(r"[不没未]到|少于|低于|小于|不足|[不未]满")),
    (">", re.compile(r"超过|多于|大于|逾")),
)
"""How a Chinese length compares, the negated words before those they hold."""


def _days(window: TimeMention, text: str, feature: str) -> tuple[str, float]:
    """A length of time as a comparison: 'gap over 20 days', 'customer for at least 6 months'."""
    days = window.window.start or 0
    if feature == "tenure_days" and window.calendar:
        return "<=", days
    before = text[max(0, window.span[0] - 25) : window.span[0]] + window.text
    after = text[window.span[1] : window.span[1] + 20]
    said = window.text + after[:2]
    if (op := next((op for op, words in _LENGTH_ZH if words.search(said)), None)) is not None:
        return op, days
    if window.text.endswith("内"):
        return "<=", days
    if re.search(r"or less|or fewer|at most|up to|no more than|<=|≤|以内|不超过", before + after, re.I):
        return "<=", days
    if re.search(r">=|≥", before):
        return ">=", days
    if re.search(r"less than|under|fewer|within|<|不到|少于|低于", before, re.I):
        return "<", days
    if re.search(r"at least|至少|以上|不少于|or more", before, re.I):
        return ">=", days
    if feature == "tenure_days" and re.search(r"in the (?:last|past)|最近|近", before, re.I):
        return "<=", days
    return ">", days


def _shares(
    free: list[Number], items: list[ItemMention], clause: Clause, catalogue: Catalogue
) -> list[tuple[Node, str, bool]]:
    """'over 40 % private label', 'at least 30 % of their spend on produce', 'mostly store brand'."""
    made: list[tuple[Node, str, bool]] = []
    percent = next((n for n in free if n.unit == "percent"), None)
    if percent is None and "mostly" not in clause.flags:
        return made
    for mention in list(items):
        name = _share_feature(mention.items, catalogue)
        if name is None:
            continue
        if percent is not None:
            condition = number_condition(catalogue[name], percent)
            free.remove(percent)
        else:
            condition = FeatureCondition(name, ">", MOST)
        if condition is not None:
            made.append((condition, "" if percent else "most", False))
            items.remove(mention)
        break
    return made


def _share_feature(items: ItemFilter, catalogue: Catalogue, measure: str = "share") -> str | None:
    if measure == "share" and items.brand == ("Private",):
        return "private_label_share_365d" if "private_label_share_365d" in catalogue else None
    if items.department:
        slug = re.sub(r"[^a-z0-9]+", "_", items.department[0].lower()).strip("_")
        name = f"{measure}_{slug}_365d"
        return name if name in catalogue else None
    return None


_LENGTHS = ("recency_days", "tenure_days", "mean_gap_days", "coupon_recency_days", "campaign_recency_days")
_EVENTS = {"redeem": "coupon_redeem", "campaign": "exposure"}


def _event(
    draft: Draft, reading: Reading, free: list[Number], items: list[ItemMention]
) -> tuple[Node | None, str]:
    """The event condition of a clause, and the reading it needed."""
    kind, window = draft.kind, draft.window
    if kind == "first_purchase":
        if window is None:
            return None, ""
        op, days = ("<=", window.window.start or 0) if not window.gap else _days(window, reading.text, "")
        return FeatureCondition("tenure_days", op, days), ""
    if kind == "last_purchase" and not items:
        return _last_purchase(reading, window), ""
    if kind == "quiet" and not items:
        if window is not None:
            return EventCondition("purchase", window=window.window), ""
        words = reading.text[draft.clause.start : draft.clause.end]
        lapsed = re.search(r"laps|churn|dormant|流失|沉睡", words, re.I)
        days = LAPSED_DAYS if lapsed else QUIET_DAYS
        # 'never made a purchase' has no time and needs none.
        return EventCondition("purchase", window=Window(days, 0)), "quiet"
    if kind in EVENT_WORDS:
        wanted = merged([item.items for item in items])
        condition = EventCondition(kind, wanted, _window(window), occasion=draft.occasion)
        return _counted(condition, free, ("money", "times", "orders", "units", "")), ""
    if kind in ("redeem", "campaign"):
        condition = EventCondition(_EVENTS[kind], window=_window(window))
        return _counted(condition, free, ("coupons", "campaigns", "times", "")), ""
    if kind in ("purchase", "spend", "quiet", "last_purchase"):
        return _purchase(draft, reading.text, free, items)
    if kind == "" and items and not draft.clause.features:
        return _purchase(draft, reading.text, free, items)
    if kind == "" and draft.negative and window is not None and not draft.clause.content:
        return EventCondition("purchase", window=window.window), ""
    return None, ""


def _last_purchase(reading: Reading, window: TimeMention | None) -> Node | None:
    if window is None:
        return None
    start, end = window.window.start, window.window.end
    before = reading.text[max(0, window.span[0] - 6) : window.span[0]]
    if re.search(r"<=?|≤", before):
        return FeatureCondition(
            "recency_days", "<" if "<" in before and "=" not in before else "<=", start or 0
        )
    if window.gap or (window.bare and re.search(r"more|over|least|超过|以上", window.text)):
        op = ">=" if re.search(r"at least|至少|or more|以上", window.text, re.I) else ">"
        return FeatureCondition("recency_days", op, start or 0)
    if end and start:
        return FeatureCondition("recency_days", "between", (end, start))
    if start is None:
        return FeatureCondition("recency_days", ">", end)
    return EventCondition("purchase", window=window.window)


def _window(mention: TimeMention | None) -> Window:
    if mention is None:
        return Window()
    if mention.gap:
        return Window(None, mention.window.start or 0)
    return mention.window


def _purchase(
    draft: Draft, text: str, free: list[Number], items: list[ItemMention]
) -> tuple[Node | None, str]:
    wanted = merged([item.items for item in items])
    condition = EventCondition("purchase", wanted, _window(draft.window), occasion=draft.occasion)
    counted = _counted(
        condition,
        free,
        ("money", "orders", "times", "units", ""),
        [item for item in items if not _TRIPS.match(text, item.span[1])],
        spend=draft.kind == "spend",
    )
    if counted == condition and not wanted and draft.window is None and not draft.occasion:
        habit = any(mention.condition is None for mention in draft.clause.features)
        if draft.negative and draft.kind == "purchase" and draft.clause.flags & {"purchase"} and not habit:
            return EventCondition("purchase", window=Window(QUIET_DAYS, 0)), "quiet"
        return None, ""
    if counted == condition and draft.kind == "spend" and not wanted:
        return (condition, "") if draft.negative else (None, "")
    if isinstance(counted, EventCondition) and counted.measure == "value" and counted.window == Window():
        return counted, "ever"
    return counted, ""


_TRIPS = re.compile(r"[\s-]*(?:trips?|orders?|visits?|runs?|purchases|times|次|单)\b", re.IGNORECASE)


_MEASURES: dict[str, EventMeasure] = {"money": "value", "units": "quantity"}


def _counted(
    condition: EventCondition,
    free: list[Number],
    units: tuple[str, ...],
    items: Sequence[ItemMention] = (),
    *,
    spend: bool = False,
) -> EventCondition:
    number = next((n for n in free if n.unit in units), None)
    if number is None:
        return condition
    # '6 or more frozen pizzas' counts pizzas; 'frozen pizza at least 6 times' and '6 pizza trips' orders.
    adjacent = any(0 <= item.span[0] - number.span[1] <= 1 for item in items)
    free.remove(number)
    measure = _MEASURES.get(number.unit, "count")
    if number.unit == "" and spend:
        measure = "value"
    elif number.unit == "" and condition.items and condition.event == "purchase":
        measure = "quantity" if number.value > 1 and (number.op is None or adjacent) else "count"
    value: float | tuple[float, float] = _plain(number.value)
    op = number.op or ("=" if number.value == 0 else ">=")
    if op == "between" and number.high is not None:
        value = (_plain(number.value), _plain(number.high))
    return replace(condition, measure=measure, op=op, value=value)


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def _by_unit(
    free: list[Number], clause: Clause, linker: FeatureLinker, kind: str
) -> list[tuple[Node, str, bool]]:
    """Numbers that name their feature by their unit ('5 stores', 'over 55', '75K')."""
    made: list[tuple[Node, str, bool]] = []
    for number in list(free):
        feature = linker.by_unit(number.unit)
        if number.unit == "" and number.thousands and clause.windows and not clause.features:
            # 'over 3k last year': what was spent in a time, not what is earned.
            event = EventCondition("purchase", window=_window(clause.windows[0]))
            made.append((_counted(event, free, ("",), spend=True), "", False))
            continue
        if feature is None and number.unit == "" and number.thousands and "income" in linker.catalogue:
            feature = linker.catalogue["income"]
        if feature is None and number.unit == "" and kind == "" and (number.op or clause.start == 0):
            plausible = 18 <= number.value <= 90 and number.op is not None
            feature = linker.catalogue.get("age") if plausible else None
        if feature is None or not fits(feature, replace(number, unit=number.unit or "")):
            continue
        condition = number_condition(feature, number)
        if condition is not None:
            free.remove(number)
            made.append((condition, "", False))
    return made


def propensity_candidate(outcome: str, share: float | None) -> Candidate:
    """'the 10 % most likely to buy': a propensity condition (a fifth when no share was said)."""
    return Candidate(
        PropensityCondition(outcome, top_share=share or 0.2), 0, 0, frozenset(), "" if share else "top"
    )


__all__ = ["Candidate", "FeatureMention", "candidates", "propensity_candidate"]
