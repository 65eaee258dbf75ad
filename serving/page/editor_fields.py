"""What a field of the visual editor's form does to a condition: functions from a condition and a value to another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from segments.codec import MAX_STEPS
from segments.definition import (
    EVENT_MEASURES,
    EVERYONE,
    REPEAT_UNITS,
    WEEKDAYS,
    ComparisonCondition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    InCluster,
    ItemFilter,
    MemberOf,
    Node,
    PropensityCondition,
    Quantity,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    SimilarityCondition,
    Step,
    TouchCondition,
    UpliftCondition,
    Value,
    Window,
)
from segments.errors import UserError
from segments.features import Feature, FeatureType
from serving.page import editor_values as values
from serving.page.editor_crowds import cluster_of, set_similar
from serving.views import Choices

WHOLE_DAY = (0, 24)
TOP_SHARE, TOP_COUNT = 0.1, 100
"""Of a rank that has just become one by share, or by number."""


def of_feature(feature: Feature, choices: Choices) -> FeatureCondition:
    """A condition on a feature with a value that fits its type."""
    match feature.type:
        case FeatureType.NUMBER:
            return FeatureCondition(feature.name, ">=", 1)
        case FeatureType.SHARE:
            return FeatureCondition(feature.name, ">=", 0.5)
        case FeatureType.BOOLEAN:
            return FeatureCondition(feature.name, "=", True)
        case _:
            return FeatureCondition(feature.name, "in", choices.values(feature)[:1])


def set_field(part: Node, field: str, value: Any, choices: Choices) -> Node:
    """The condition with one field as a control of the form set it. A dotted field is that of a part of it
    (`step.1.event`); a number may be the name of a parameter. Raises UserError for what cannot be read as the field's
    value."""
    if isinstance(part, FeatureCondition):
        return _set_feature(part, field, value, choices)
    value = values.meant(field, value, choices.parameters)
    match part:
        case EventCondition():
            return _set_event(part, field, value)
        case RepeatCondition():
            return _set_repeat(part, field, value)
        case TouchCondition():
            return _set_touch(part, field, value)
        case SequenceCondition():
            return _set_sequence(part, field, value)
        case ComparisonCondition():
            return _set_comparison(part, field, value, choices)
        case RankCondition():
            return _set_rank(part, field, value)
        case PropensityCondition():
            return _set_propensity(part, field, value)
        case UpliftCondition():
            return _set_uplift(part, field, value)
        case SimilarityCondition():
            return set_similar(part, field, value, choices)
        case MemberOf() if field == "segment":
            return MemberOf(str(value))
        case InCluster() if field == "cluster":
            return cluster_of(str(value))
        case _:
            raise UserError(
                f"edit: this condition has no field '{field}' here; change it in the text.",
                f"edit：这个条件在这里没有“{field}”这一项；请在文本中修改。",
            )


def _set_feature(part: FeatureCondition, field: str, value: Any, choices: Choices) -> FeatureCondition:
    feature = choices.catalogue.get(part.feature)
    if field == "feature" and (known := choices.catalogue.get(str(value))) is not None:
        return of_feature(known, choices)
    if feature is None:
        raise UserError(
            f"edit: '{part.feature}' is not in the catalogue; choose a feature first.",
            f"edit：特征目录中没有“{part.feature}”；请先选一个特征。",
        )
    if field == "op":
        return replace(part, op=str(value), value=_for_operator(part.value, str(value)))
    if feature.numeric:
        value = values.meant(field, value, choices.parameters)
    if field in ("low", "high"):
        low, high = part.value if isinstance(part.value, tuple) and len(part.value) == 2 else (0, 0)
        bound = _read(value, feature)
        return replace(part, value=(bound, high) if field == "low" else (low, bound))
    if isinstance(value, list):
        return replace(part, value=tuple(str(each) for each in value))
    return replace(part, value=_read(value, feature))


def _for_operator(value: Value | tuple[Value, ...], op: str) -> Value | tuple[Value, ...]:
    """The value in the shape that an operator takes: one, two, or a list."""
    given = value if isinstance(value, tuple) else (value,)
    if op == "between":
        return (given[0], given[-1]) if given else (0, 0)
    if op in ("in", "not_in"):
        return given
    return given[0] if given else ""


def _read(value: Any, feature: Feature) -> Value:
    """What was typed; what is no number stays as it is, and the check says so."""
    if feature.type is FeatureType.BOOLEAN:
        return value in (True, "true")
    if not feature.numeric:
        return str(value)
    read = values.number(value)
    return read if isinstance(read, str) or feature.type is FeatureType.NUMBER else values.share(read)


def _set_event(part: EventCondition, field: str, value: Any) -> EventCondition:
    if field == "op":
        return replace(part, op=str(value), value=_for_operator(part.value, str(value)))  # type: ignore[arg-type]
    if field in ("low", "high"):
        low, high = part.value if isinstance(part.value, tuple) else (part.value, part.value)
        return replace(
            part, value=(values.amount(value), high) if field == "low" else (low, values.amount(value))
        )
    if field == "value":
        return replace(part, value=values.amount(value))
    if field == "measure" and value in EVENT_MEASURES:
        return replace(part, measure=value)
    return _set_what(part, field, value)


def _set_repeat(part: RepeatCondition, field: str, value: Any) -> RepeatCondition:
    match field:
        case "times":
            return replace(part, times=values.whole("times", value))
        case "within_days":
            return replace(part, within_days=values.whole("within_days", value))
        case "unit" if value in REPEAT_UNITS:
            return replace(part, unit=value)
        case "without":
            return replace(part, without=str(value) or None)
    return _set_what(part, field, value)


def _set_touch(part: TouchCondition, field: str, value: Any) -> TouchCondition:
    if field == "which" and value in ("first", "last"):
        return replace(part, which=value)
    return _set_what(part, field, value)


_Happening = TypeVar("_Happening", EventCondition, EventQuantity, RepeatCondition, TouchCondition, Step)
_What = TypeVar("_What", EventCondition, EventQuantity, RepeatCondition, TouchCondition)


def _set_what(part: _What, field: str, value: Any) -> _What:
    """What is counted, measured, repeated or touched, and over which window."""
    if field in ("start", "end"):
        return replace(part, window=_window(part.window, field, value))
    return _set_happening(part, field, value, ("an event", "事件"))


def _set_happening(part: _Happening, field: str, value: Any, what: tuple[str, str]) -> _Happening:
    """The event, its items, its days, hours, channels and campaigns. what: in English and Chinese, for the error."""
    name, _, column = field.partition(".")
    if name in ("pick", "drop") and column == "channel":
        channels = _picked(part.occasion.channel, str(value), name == "pick")
        return replace(part, occasion=replace(part.occasion, channel=channels))
    if name in ("pick", "drop") and column == "campaign":
        campaigns = _picked(part.occasion.campaign, str(value), name == "pick")
        return replace(part, occasion=replace(part.occasion, campaign=campaigns))
    if name in ("pick", "drop"):
        return replace(part, items=_items(part.items, column, str(value), name == "pick"))
    if name == "weekday" and column in WEEKDAYS:
        chosen = {*part.occasion.weekdays, column} if value is True else {*part.occasion.weekdays} - {column}
        days = tuple(day for day in WEEKDAYS if day in chosen)
        return replace(part, occasion=replace(part.occasion, weekdays=days))
    if field in ("from_hour", "to_hour"):
        return replace(part, occasion=replace(part.occasion, hours=_hours(part.occasion.hours, field, value)))
    if field == "event":
        return replace(part, event=str(value))
    raise UserError(
        f"edit: {what[0]} has no field '{field}' here; change it in the text.",
        f"edit：{what[1]}在这里没有“{field}”这一项；请在文本中修改。",
    )


def _hours(hours: tuple[int, int] | None, field: str, value: Any) -> tuple[int, int] | None:
    """An empty end is that of the day, and the whole day is any hour."""
    first, last = hours or WHOLE_DAY
    if field == "from_hour":
        first = WHOLE_DAY[0] if value == values.NOT_EVER else values.whole("hours", value)
    else:
        last = WHOLE_DAY[1] if value == values.NOT_EVER else values.whole("hours", value)
    return None if (first, last) == WHOLE_DAY else (first, last)


def _window(window: Window, field: str, value: Any) -> Window:
    days = values.days(value)
    return replace(window, start=days) if field == "start" else replace(window, end=days or 0)


def _items(items: ItemFilter, column: str, value: str, pick: bool) -> ItemFilter:
    if column not in ("department", "category", "brand", "text"):
        raise UserError(f"edit: items have no '{column}'.", f"edit：商品没有“{column}”这一项。")
    return replace(items, **{column: _picked(getattr(items, column), value, pick)})


def _picked(given: tuple[str, ...], value: str, pick: bool) -> tuple[str, ...]:
    """The values with one more, or without one."""
    others = tuple(each for each in given if each != value)
    return (*others, value) if pick and value.strip() else others


def _set_propensity(part: PropensityCondition, field: str, value: Any) -> PropensityCondition:
    if field == "outcome":
        return replace(part, outcome=str(value))
    return PropensityCondition(part.outcome, *_set_share(part.min_probability, part.top_share, field, value))


def _set_uplift(part: UpliftCondition, field: str, value: Any) -> UpliftCondition:
    if field == "campaign":
        return replace(part, campaign=str(value))
    return UpliftCondition(part.campaign, *_set_share(part.min_effect, part.top_share, field, value))


def _set_share(
    least: float | None, top: float | None, field: str, value: Any
) -> tuple[float | None, float | None]:
    """The least score and the top share of a condition, of which one is given: after a change of which, or of how much."""
    share = top if top is not None else least
    if field == "value":
        share = values.share(value)
    by_share = value == "top_share" if field == "mode" else top is not None
    return None if by_share else share, share if by_share else None


def _set_sequence(part: SequenceCondition, field: str, value: Any) -> SequenceCondition:
    name, _, rest = field.partition(".")
    if name == "step":
        number, _, inner = rest.partition(".")
        place = int(number) if number.isdecimal() else -1
        if not 0 <= place < len(part.steps):
            raise UserError(
                f"edit: the sequence has no step '{number}' any more.", f"edit：序列不再有第“{number}”步。"
            )
        steps = list(part.steps)
        steps[place] = _set_step(steps[place], inner, value)
        return replace(part, steps=tuple(steps))
    if name == "then_not" and rest:
        return replace(part, then_not=_set_step(part.then_not or Step("purchase"), rest, value))
    match field:
        case "then_not" if value == "true":
            return replace(part, then_not=part.then_not or Step("purchase"))
        case "then_not" if len(part.steps) > 1:
            return replace(part, then_not=None)
        case "add_step" if len(part.steps) < MAX_STEPS:
            return replace(part, steps=(*part.steps, Step("purchase")))
        case "drop_step":
            return _without_step(part, str(value))
        case "same_item":
            return replace(part, same_item=value == "true")
        case "start" | "end":
            return replace(part, window=_window(part.window, field, value))
    raise UserError(
        f"edit: a sequence has no field '{field}' here; change it in the text.",
        f"edit：序列在这里没有“{field}”这一项；请在文本中修改。",
    )


def _without_step(part: SequenceCondition, number: str) -> SequenceCondition:
    """The first step follows nothing, so it has no days; one step alone takes a step that did not follow."""
    steps = tuple(step for place, step in enumerate(part.steps) if str(place) != number)
    if len(steps) < (1 if part.then_not else 2):
        raise UserError(
            "sequence: needs a second step, or one that did not follow; use an event for a single one.",
            "sequence：还要有第二步，或一个没有发生的步骤；只有一步请用事件。",
        )
    return replace(part, steps=(replace(steps[0], within_days=None), *steps[1:]))


def _set_step(step: Step, field: str, value: Any) -> Step:
    if field == "within_days":
        return replace(step, within_days=values.days(value))
    return _set_happening(step, field, value, ("a step", "步骤"))


def _set_comparison(
    part: ComparisonCondition, field: str, value: Any, choices: Choices
) -> ComparisonCondition:
    name, _, inner = field.partition(".")
    if name == "left":
        return replace(part, left=_set_quantity(part.left, inner, value, choices))
    if name == "right":
        return replace(part, right=_set_quantity(part.right, inner, value, choices))
    if field == "op":
        return replace(part, op=str(value))
    if field == "factor":
        return replace(part, factor=values.amount(value))
    raise UserError(
        f"edit: a comparison has no field '{field}' here; change it in the text.",
        f"edit：比较在这里没有“{field}”这一项；请在文本中修改。",
    )


def _set_quantity(side: Quantity, field: str, value: Any, choices: Choices) -> Quantity:
    """A side: a feature by its name, or a measure of events."""
    if field == "what":
        if choices.catalogue.get(str(value)) is not None:
            return str(value)
        return side if isinstance(side, EventQuantity) else EventQuantity("purchase", window=Window(90))
    if isinstance(side, EventQuantity) and field == "measure" and value in EVENT_MEASURES:
        return replace(side, measure=value)
    if isinstance(side, EventQuantity):
        return _set_what(side, field, value)
    raise UserError(
        f"edit: a feature has no field '{field}' here; change it in the text.",
        f"edit：特征在这里没有“{field}”这一项；请在文本中修改。",
    )


def _set_rank(part: RankCondition, field: str, value: Any) -> RankCondition:
    match field:
        case "feature":
            return replace(part, feature=str(value))
        case "lowest":
            return replace(part, lowest=value == "true")
        case "among" if value == "true":
            return replace(part, among=part.among or EVERYONE)
        case "among":
            return replace(part, among=None)
        case "mode" if value == "share" and part.share is None:
            return replace(part, count=None, share=TOP_SHARE)
        case "mode" if value == "count" and part.count is None:
            return replace(part, count=TOP_COUNT, share=None)
        case "mode":
            return part
        case "value" if part.share is not None:
            return replace(part, share=values.share(value))
        case "value":
            count = values.amount(value)
            if not isinstance(count, int):
                raise UserError(
                    f"rank_by: must be a whole number of customers; got {value}.",
                    f"rank_by：客户数必须是整数，而给的是{value}。",
                )
            return replace(part, count=count)
    raise UserError(
        f"edit: a rank has no field '{field}' here; change it in the text.",
        f"edit：排名在这里没有“{field}”这一项；请在文本中修改。",
    )
