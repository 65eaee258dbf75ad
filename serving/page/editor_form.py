"""A definition as a form: groups in boxes, conditions as rows, what is wrong beside what it is wrong with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from segments.definition import (
    EVENT_MEASURES,
    EVENT_OPERATORS,
    EVENT_TYPES,
    AllOf,
    AnyOf,
    EventCondition,
    FeatureCondition,
    MemberOf,
    Node,
    Not,
    PropensityCondition,
)
from segments.edit import Place
from segments.features import Feature, FeatureType
from segments.issues import sentences
from serving.page.editor_actions import from_place
from serving.page.html import button
from serving.page.session import Session
from serving.views import Choices

KINDS = ("feature", "event", "propensity", "member", "group")
ITEM_FIELDS = ("department", "category", "brand", "text")
LABELS = {
    "value": "edit.value",
    "low": "edit.low",
    "high": "edit.high",
    "start": "edit.begin",
    "end": "edit.end",
}
Problems = Mapping[Place, Sequence[str]]


class Form:
    """Draws one tree."""

    def __init__(self, session: Session, choices: Choices, problems: Problems) -> None:
        self.session, self.say, self.choices, self.problems = session, session.say, choices, problems

    def html(self, tree: Node) -> str:
        """The whole form."""
        lists = "".join(_datalist(f"all-{name}", self.choices.items.get(name, ())) for name in ITEM_FIELDS)
        return f'<div class="editor">{self._part(tree, (), None)}{lists}</div>'

    def _part(
        self, node: Node, place: Place, size: int | None, negated: int = 0, outer: Place | None = None
    ) -> str:
        """One part. size: how many stand in its group. outer: the place of the `not` around it."""
        outer = place if outer is None else outer
        match node:
            case Not(child):
                inner = self._part(child, (*place, 0), size, negated + 1, outer)
                return inner if not self.problems.get(place) else inner + self._wrong(place)
            case AllOf() | AnyOf():
                return self._group(node, place, size, negated, outer)
            case _:
                css = "row wrong" if self.problems.get(place) else "row"
                tools = self._tools(outer, size, negated)
                return (
                    f'<div class="{css}">{self._not(negated)}<div class="fields">{self._fields(node, place)}</div>'
                    f"{tools}</div>{self._wrong(place)}"
                )

    def _group(self, node: AllOf | AnyOf, place: Place, size: int | None, negated: int, outer: Place) -> str:
        kind = "all_of" if isinstance(node, AllOf) else "any_of"
        names = [("all_of", self.say("edit.all_of")), ("any_of", self.say("edit.any_of"))]
        choose = self._select(place, "kind", names, kind, self.say("edit.group"), do="kind")
        count = len(node.children)
        parts = "".join(
            f'<li data-drop="{from_place((*place, number))}">{self._part(child, (*place, number), count)}</li>'
            for number, child in enumerate(node.children)
        )
        empty = f'<p class="hint">{escape(self.say(f"edit.empty.{kind}"))}</p>' if not count else ""
        adds = "".join(
            button(f"+ {self.say(f'edit.add.{add}')}", "add", css="add", place=from_place(place), kind=add)
            for add in KINDS
        )
        tools = self._tools(outer, size, negated) if outer else ""
        last = from_place((*place, count))
        return (
            f'<div class="group {kind}"><div class="head">{self._not(negated)}{choose}{tools}</div>{self._wrong(place)}'
            f'{empty}<ul>{parts}</ul><div class="adds" data-drop="{last}">{adds}</div></div>'
        )

    def _not(self, negated: int) -> str:
        return f'<span class="chip not">{escape(self.say("edit.not"))}</span>' * negated

    def _wrong(self, place: Place) -> str:
        problems = sentences(self.problems.get(place, ()), self.session.language)
        said = "".join(f"<div>{escape(problem)}</div>" for problem in problems)
        return f'<div class="problem" role="alert">{said}</div>' if said else ""

    def _tools(self, place: Place, size: int | None, negated: int) -> str:
        """The buttons of a part; the place is that of the part with its `not`."""
        at, say, number = from_place(place), self.say, place[-1] if place else 0
        handle = (
            f'<span class="handle" draggable="true" data-place="{at}" title="{escape(say("edit.drag"))}" '
            f'aria-hidden="true">⠿</span>'
        )

        def tool(sign: str, do: str, off: bool = False, css: str = "") -> str:
            return button(
                sign, do, title=say(f"edit.{do}"), css=f"tool {css}", off=off, place=at, key=f"{at}:{do}"
            )

        return (
            '<div class="tools">'
            + tool(say("edit.not"), "negate", css="on" if negated else "")
            + tool("up", "up", off=number == 0)
            + tool("down", "down", off=size is None or number >= size - 1)
            + tool("duplicate", "duplicate")
            + tool("nest", "nest")
            + tool("remove", "remove")
            + handle
            + "</div>"
        )

    def _fields(self, node: Node, place: Place) -> str:
        match node:
            case FeatureCondition():
                return self._feature(node, place)
            case EventCondition():
                return self._event(node, place)
            case PropensityCondition():
                return self._propensity(node, place)
            case MemberOf(name):
                known = [(segment, segment) for segment in self.choices.segments]
                names = known if name in self.choices.segments else [(name, name), *known]
                return self._label("edit.add.member") + self._select(
                    place, "segment", names, name, self.say("edit.add.member")
                )
            case _:
                words = escape(self.session.words(node))
                return f'<span class="words">{words}</span> <span class="hint">{escape(self.say("edit.as_text"))}</span>'

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

    def _unit(self, unit: str) -> str:
        shown = self.session.currency if unit == "currency" else self.say.unit(unit)
        return f'<span class="unit">{escape(shown)}</span>'

    def _event(self, node: EventCondition, place: Place) -> str:
        say = self.say
        events = [(event, say(f"event.{event}")) for event in EVENT_TYPES]
        measures = [(measure, say(f"measure.{measure}")) for measure in EVENT_MEASURES]
        operators = [(op, say(f"op.{op}")) for op in EVENT_OPERATORS]
        out = self._select(place, "event", events, node.event, say("edit.event"))
        out += self._select(place, "measure", measures, node.measure, say("edit.measure"))
        out += self._select(place, "op", operators, node.op, say("edit.operator"))
        if isinstance(node.value, tuple):
            out += (
                self._number(place, "low", node.value[0]) + "–" + self._number(place, "high", node.value[-1])
            )
        else:
            out += self._number(place, "value", node.value)
        out += f'<span class="window">{escape(say("edit.from"))}{self._number(place, "start", node.window.start)}'
        out += f"{escape(say('edit.to'))}{self._number(place, 'end', node.window.end)}{escape(say('edit.ago'))}</span>"
        occasion = f'<span class="hint">{escape(say("edit.occasion"))}</span>' if node.occasion else ""
        return out + self._items(node, place) + occasion

    def _items(self, node: EventCondition, place: Place) -> str:
        at, out = from_place(place), ""
        for name in ITEM_FIELDS:
            chosen = getattr(node.items, name)
            label = self.say(f"item.{name}")
            chips = "".join(
                f'<span class="chip item">{escape(value)}'
                + button(
                    "✕",
                    "set",
                    title=self.say("edit.drop", what=value),
                    place=at,
                    field=f"drop.{name}",
                    value=value,
                )
                + "</span>"
                for value in chosen
            )
            source = f' list="all-{name}"' if name != "text" else ""
            out += (
                f'<span class="pick">{chips}<input type="text" data-do="set" data-place="{at}" data-field="pick.{name}" '
                f'data-key="{at}:{name}" aria-label="{escape(label)}" placeholder="{escape(label)}…"{source}></span>'
            )
        return f'<div class="items">{escape(self.say("edit.items"))} {out}</div>'

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

    def _label(self, key: str) -> str:
        return f'<span class="label">{escape(self.say(key))}</span>'

    def _number(self, place: Place, field: str, value: object, percent: bool = False) -> str:
        at = from_place(place)
        shown = "" if value is None else value
        if percent and isinstance(value, int | float):
            shown = f"{value * 100:g}"
        elif isinstance(value, float):
            shown = f"{value:.15g}"
        ever = f' placeholder="{escape(self.say("edit.ever"))}"' if field == "start" else ""
        return (
            f'<input type="number" step="any" data-do="set" data-place="{at}" data-field="{field}" '
            f'data-key="{at}:{field}" aria-label="{escape(self.say(LABELS[field]))}" value="{escape(str(shown))}"{ever}>'
        )

    def _select(
        self,
        place: Place,
        field: str,
        options: Sequence[tuple[str, str]],
        chosen: str | tuple[str, ...],
        label: str,
        *,
        do: str = "set",
        css: str = "",
    ) -> str:
        at, many = from_place(place), isinstance(chosen, tuple)
        picked = set(chosen) if isinstance(chosen, tuple) else {chosen}
        rows = "".join(
            f'<option value="{escape(value)}"{" selected" if value in picked else ""}>{escape(words)}</option>'
            for value, words in options
        )
        multiple = f' multiple size="{min(4, max(2, len(options)))}"' if many else ""
        return (
            f'<select class="{css}" data-do="{do}" data-place="{at}" data-field="{field}" data-key="{at}:{field}" '
            f'aria-label="{escape(label)}"{multiple}>{rows}</select>'
        )


def _datalist(name: str, values: Sequence[str]) -> str:
    options = "".join(f'<option value="{escape(value)}">' for value in values)
    return f'<datalist id="{name}">{options}</datalist>'
