"""The conditions of the visual editor, each as a row of controls."""

from __future__ import annotations

from html import escape

from segments.codec import MAX_STEPS
from segments.definition import (
    COMPARE_OPERATORS,
    EVENT_MEASURES,
    EVENT_OPERATORS,
    EVENT_TYPES,
    REPEAT_UNITS,
    ComparisonCondition,
    EventCondition,
    FeatureCondition,
    InCluster,
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
)
from segments.edit import Place
from segments.features import Feature, FeatureType
from serving.page.editor_actions import from_place
from serving.page.editor_controls import Controls
from serving.page.editor_crowds import key_of
from serving.page.html import button

DATE = 10
"""Characters of the day that a discovery's version begins with."""
EVENTS = ""
"""Chosen in place of a feature where events are measured."""


class Rows(Controls):
    """Draws conditions."""

    def _fields(self, node: Node, place: Place) -> str:
        match node:
            case FeatureCondition():
                return self._feature(node, place)
            case EventCondition():
                return self._event(node, place)
            case RepeatCondition():
                return self._repeat(node, place)
            case TouchCondition():
                return self._touch(node, place)
            case SequenceCondition():
                return self._sequence(node, place)
            case ComparisonCondition():
                return self._comparison(node, place)
            case RankCondition():
                return self._rank(node, place)
            case PropensityCondition():
                return self._propensity(node, place)
            case UpliftCondition():
                return self._uplift(node, place)
            case MemberOf(name):
                known = [(segment, segment) for segment in self.choices.segments]
                names = known if name in self.choices.segments else [(name, name), *known]
                return self._label("edit.add.member") + self._select(
                    place, "segment", names, name, self.say("edit.add.member")
                )
            case SimilarityCondition():
                return self._similar(node, place)
            case InCluster():
                return self._cluster(node, place)
            case _:  # a group, which is drawn as one
                return ""

    def _feature(self, node: FeatureCondition, place: Place) -> str:
        features = [(each.name, self.session.feature(each)) for each in self.choices.catalogue]
        feature = self.choices.catalogue.get(node.feature)
        if feature is None:
            features.insert(0, (node.feature, node.feature))
        out = self._select(place, "feature", features, node.feature, self.say("edit.feature"), css="wide")
        if feature is None:
            return out
        if len(feature.operators) > 1:
            operators = [(op, self.say(f"op.{op}")) for op in feature.operators]
            out += self._select(place, "op", operators, node.op, self.say("edit.operator"))
        return out + self._value(node, feature, place)

    def _value(self, node: FeatureCondition, feature: Feature, place: Place) -> str:
        say, value = self.say, node.value
        if feature.type is FeatureType.BOOLEAN:
            options = [("true", say("yes")), ("false", say("no"))]
            return self._select(
                place, "value", options, "true" if value is True else "false", say("edit.value")
            )
        if feature.numeric:
            percent = feature.type is FeatureType.SHARE
            unit = "%" if percent else self._unit(feature.unit)
            if node.op == "between":
                low, high = value if isinstance(value, tuple) and len(value) == 2 else (value, value)
                both = (
                    self._number(place, "low", low, percent)
                    + "–"
                    + self._number(place, "high", high, percent)
                )
                return both + unit
            return self._number(place, "value", value, percent) + unit
        options = [(level, level) for level in self.choices.values(feature)]
        if node.op in ("in", "not_in"):
            chosen = value if isinstance(value, tuple) else (value,)
            return self._select(place, "value", options, tuple(map(str, chosen)), say("edit.value"))
        if node.op == "between":
            low, high = value if isinstance(value, tuple) and len(value) == 2 else (value, value)
            first = self._select(place, "low", options, str(low), say("edit.low"))
            return first + "–" + self._select(place, "high", options, str(high), say("edit.high"))
        return self._select(place, "value", options, str(value), say("edit.value"))

    def _event(self, node: EventCondition, place: Place) -> str:
        say = self.say
        measures = [(measure, say(f"measure.{measure}")) for measure in EVENT_MEASURES]
        operators = [(op, say(f"op.{op}")) for op in EVENT_OPERATORS]
        out = self._events(place, "event", node.event, say("edit.event"))
        out += self._select(place, "measure", measures, node.measure, say("edit.measure"))
        out += self._select(place, "op", operators, node.op, say("edit.operator"))
        if isinstance(node.value, tuple):
            out += (
                self._number(place, "low", node.value[0]) + "–" + self._number(place, "high", node.value[-1])
            )
        else:
            out += self._number(place, "value", node.value)
        return out + self._what(node, place)

    def _events(self, place: Place, field: str, chosen: str, label: str) -> str:
        here, none = self.choices.events, self.say("edit.none_here")
        events = [
            (event, self.say(f"event.{event}") + ("" if event in here else f" {none}"))
            for event in sorted(EVENT_TYPES, key=lambda event: event not in here)
        ]
        return self._select(place, field, events, chosen, label)

    def _what(self, node: EventCondition | RepeatCondition | TouchCondition, place: Place) -> str:
        return (
            self._window(node.window, place)
            + self._items(node.items, place)
            + self._occasion(node.occasion, place)
        )

    def _repeat(self, node: RepeatCondition, place: Place) -> str:
        say = self.say
        units = [(unit, say(f"unit.{unit}")) for unit in REPEAT_UNITS]
        others = [
            (event, say("edit.without.event", event=say(f"event.{event}")))
            for event in EVENT_TYPES
            if event != node.event
        ]
        return (
            self._label("edit.add.repeat")
            + self._events(place, "event", node.event, say("edit.event"))
            + self._number(place, "times", node.times)
            + self._select(place, "unit", units, node.unit, say("edit.unit"))
            + f'<span class="window">{escape(say("edit.within"))}'
            + self._number(place, "within_days", node.within_days)
            + "</span>"
            + self._select(
                place,
                "without",
                [("", say("edit.without.none")), *others],
                node.without or "",
                say("edit.without"),
            )
            + self._what(node, place)
        )

    def _touch(self, node: TouchCondition, place: Place) -> str:
        which = [("first", self.say("edit.first")), ("last", self.say("edit.last"))]
        return (
            self._select(place, "which", which, node.which, self.say("edit.which"))
            + self._events(place, "event", node.event, self.say("edit.event"))
            + self._what(node, place)
        )

    def _sequence(self, node: SequenceCondition, place: Place) -> str:
        say, at, few = self.say, from_place(place), len(node.steps) < (2 if node.then_not else 3)
        steps = "".join(
            f"<li>{self._step(step, place, f'step.{number}.', say('edit.step', number=number + 1), number > 0)}"
            + button(
                "✕",
                "set",
                title=say("edit.step.drop", number=number + 1),
                off=few,
                place=at,
                field="drop_step",
                value=str(number),
            )
            + "</li>"
            for number, step in enumerate(node.steps)
        )
        more = button(
            f"+ {say('edit.step.add')}", "set", off=len(node.steps) >= MAX_STEPS, place=at, field="add_step"
        )
        same = [("false", say("edit.any_item")), ("true", say("edit.same_item"))]
        ends = [("false", say("edit.then_any")), ("true", say("edit.then_not"))]
        out = self._label("edit.add.sequence")
        out += self._select(place, "same_item", same, _word(node.same_item), say("edit.same"))
        out += self._window(node.window, place, of=say("edit.step", number=1))
        out += f'<ol class="steps">{steps}</ol>'
        if len(node.steps) > 1 or node.then_not is None:
            out += more + self._select(
                place, "then_not", ends, _word(node.then_not is not None), say("edit.ends")
            )
        else:
            out += f'{more}<span class="label">{escape(say("edit.then_not"))}</span>'
        if node.then_not is not None:
            out += f"<div>{self._step(node.then_not, place, 'then_not.', say('edit.then_not'), True)}</div>"
        return out

    def _step(self, step: Step, place: Place, before: str, of: str, follows: bool) -> str:
        say = self.say
        out = self._events(place, f"{before}event", step.event, f"{of} {say('edit.event')}")
        if follows:
            days = self._number(place, f"{before}within_days", step.within_days, of=of)
            out += f'<span class="window">{escape(say("edit.within"))}{days}</span>'
        return (
            out
            + self._items(step.items, place, before, of)
            + self._occasion(step.occasion, place, before, of)
        )

    def _comparison(self, node: ComparisonCondition, place: Place) -> str:
        say = self.say
        operators = [(op, say(f"op.{op}")) for op in COMPARE_OPERATORS]
        return (
            self._quantity(node.left, place, "left")
            + self._select(place, "op", operators, node.op, say("edit.operator"))
            + self._number(place, "factor", node.factor)
            + '<span class="unit">×</span>'
            + self._quantity(node.right, place, "right")
        )

    def _quantity(self, side: Quantity, place: Place, name: str) -> str:
        say, of = self.say, self.say(f"edit.{name}")
        known = [(f.name, self.session.feature(f)) for f in self.choices.catalogue if f.numeric]
        options = [(EVENTS, say("edit.events")), *known]
        if isinstance(side, str):
            if side not in dict(known):
                options.insert(0, (side, side))
            return f"<div>{self._select(place, f'{name}.what', options, side, of, css='wide')}</div>"
        measures = [(measure, say(f"measure.{measure}")) for measure in EVENT_MEASURES]
        before = f"{name}."
        return (
            f"<div>{self._select(place, f'{name}.what', options, EVENTS, of, css='wide')}"
            + self._events(place, f"{before}event", side.event, f"{of} {say('edit.event')}")
            + self._select(place, f"{before}measure", measures, side.measure, f"{of} {say('edit.measure')}")
            + self._window(side.window, place, before, of)
            + self._items(side.items, place, before, of)
            + f"{self._occasion(side.occasion, place, before, of)}</div>"
        )

    def _rank(self, node: RankCondition, place: Place) -> str:
        say, by_share = self.say, node.share is not None
        known = [(f.name, self.session.feature(f)) for f in self.choices.catalogue if f.numeric]
        if node.feature not in dict(known):
            known.insert(0, (node.feature, node.feature))
        ends = [("false", say("edit.highest")), ("true", say("edit.lowest"))]
        modes = [("count", say("edit.customers")), ("share", "%")]
        value = node.share if by_share else node.count
        return (
            self._select(place, "lowest", ends, _word(node.lowest), say("edit.end_of_rank"))
            + self._number(place, "value", value, percent=by_share)
            + self._select(place, "mode", modes, "share" if by_share else "count", say("edit.rank_mode"))
            + f'<span class="label">{escape(say("edit.by"))}</span>'
            + self._select(place, "feature", known, node.feature, say("edit.feature"), css="wide")
            + self._among(node, place)
        )

    def _among(self, node: RankCondition | SimilarityCondition, place: Place) -> str:
        among = [("false", self.say("edit.among.all")), ("true", self.say("edit.among.group"))]
        return self._select(place, "among", among, _word(node.among is not None), self.say("edit.among"))

    def _similar(self, node: SimilarityCondition, place: Place) -> str:
        say = self.say
        modes = [("segment", say("edit.similar.segment")), ("text", say("edit.similar.text"))]
        mode = "segment" if node.segment is not None else "text"
        if node.customer is not None:
            mode, modes = "customer", [*modes, ("customer", say("edit.similar.customer"))]
        out = self._label("edit.similar") + self._number(place, "top", node.top)
        out += self._select(place, "mode", modes, mode, say("edit.similar.mode"))
        for field, said in (("text", node.text), ("customer", node.customer)):
            if said is not None:
                out += self._said(place, field, said, say(f"edit.similar.{field}"))
        return out + self._among(node, place)

    def _cluster(self, node: InCluster, place: Place) -> str:
        chosen, zh = key_of(node), self.session.language == "zh"
        names = [
            (key, f"{key.rpartition('#')[2]} · {words[zh]} ({key[:DATE]})")
            for key, words in self.choices.clusters.items()
        ]
        if chosen not in self.choices.clusters:
            names.insert(0, (chosen, chosen))
        label = "edit.add.cluster"
        return self._label(label) + self._select(place, "cluster", names, chosen, self.say(label), css="wide")

    def _propensity(self, node: PropensityCondition, place: Place) -> str:
        say, by_share = self.say, node.top_share is not None
        outcomes = [(name, say.outcome(name)) for name in self.choices.outcomes]
        modes = [("top_share", say("edit.top_share")), ("min_probability", say("edit.min_probability"))]
        mode = "top_share" if by_share else "min_probability"
        value = node.top_share if by_share else node.min_probability
        return (
            self._label("edit.add.propensity")
            + self._select(place, "outcome", outcomes, node.outcome, say("edit.outcome"), css="wide")
            + self._select(place, "mode", modes, mode, say("edit.mode"))
            + self._number(place, "value", value, percent=True)
            + '<span class="unit">%</span>'
        )

    def _uplift(self, node: UpliftCondition, place: Place) -> str:
        say, by_share = self.say, node.top_share is not None
        known = [(name, self._item("campaign", name)) for name in self.choices.trials]
        names = known if node.campaign in self.choices.trials else [(node.campaign, node.campaign), *known]
        modes = [("top_share", say("edit.top_share")), ("min_effect", say("edit.min_effect"))]
        return (
            self._label("edit.add.uplift")
            + self._select(place, "campaign", names, node.campaign, say("edit.campaign"))
            + self._select(
                place, "mode", modes, "top_share" if by_share else "min_effect", say("edit.mode_uplift")
            )
            + self._number(place, "value", node.top_share if by_share else node.min_effect, percent=True)
            + '<span class="unit">%</span>'
            + f'<span class="hint">{escape(say("edit.uplift_hint"))}</span>'
        )


def _word(flag: bool) -> str:
    return "true" if flag else "false"
