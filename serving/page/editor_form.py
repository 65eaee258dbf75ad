"""A definition as a form: groups in boxes, conditions as rows, what is wrong beside what it is wrong with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from segments.canonical import fingerprint
from segments.definition import AllOf, AnyOf, Node, Not, RankCondition, SimilarityCondition, inner_groups
from segments.edit import Place, part_at
from segments.errors import Sentence
from segments.issues import sentences
from serving.page.editor_actions import beyond, from_place
from serving.page.editor_controls import ITEM_FIELDS
from serving.page.editor_rows import Rows
from serving.page.html import button
from serving.page.session import Session
from serving.views import Choices

KINDS = (
    "feature",
    "event",
    "campaign",
    "repeat",
    "touch",
    "sequence",
    "comparison",
    "rank",
    "propensity",
    "uplift",
    "similar",
    "member",
    "cluster",
    "group",
)
Problems = Mapping[Place, Sequence[Sentence]]


class Form(Rows):
    """Draws one tree. counted: whether each part has a place for how many customers it holds."""

    def __init__(self, session: Session, choices: Choices, problems: Problems, counted: bool = False) -> None:
        super().__init__(session, choices)
        self.problems, self.counted = problems, counted

    def html(self, tree: Node) -> str:
        """The whole form."""
        self.tree = tree
        values = {name: self.choices.items.get(name, ()) for name in ITEM_FIELDS}
        values |= {"channel": self.choices.channels}
        lists = "".join(_datalist(name, dict.fromkeys(each, "")) for name, each in values.items())
        lists += _datalist("campaign", self.choices.campaigns)
        lists += _datalist(
            "parameter", {name: f"{value:.15g}" for name, value in self.choices.parameters.items()}
        )
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
                side = self._side(place, outer, size, negated)
                row = (
                    f'<div class="{css}">{self._not(negated)}<div class="fields">{self._fields(node, place)}</div>'
                    f"{side}</div>{self._wrong(place)}"
                )
                return row + self._inner(node, place)

    def _inner(self, node: Node, place: Place) -> str:
        """The groups inside a condition; of a similarity, which of the two each is."""
        groups = inner_groups(node) if isinstance(node, RankCondition | SimilarityCondition) else ()
        named = {}
        if isinstance(node, SimilarityCondition):
            named = {id(node.segment): "edit.similar.to", id(node.among): "edit.similar.among"}
        return "".join(
            f'<div class="inner">{self._label(named[id(group)]) if named else ""}'
            f"{self._part(group, (*place, number), None)}</div>"
            for number, group in enumerate(groups)
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
        side = self._side(place, outer, size, negated) if outer else ""
        last = from_place((*place, count))
        return (
            f'<div class="group {kind}"><div class="head">{self._not(negated)}{choose}{side}</div>{self._wrong(place)}'
            f'{empty}<ul>{parts}</ul><div class="adds" data-drop="{last}">{self._adds(place, not count)}</div></div>'
        )

    def _adds(self, place: Place, empty: bool) -> str:
        """What may be added to a group; folded away in one inside another that holds something already."""
        at, say = from_place(place), self.say
        adds = "".join(
            button(
                f"+ {(name := say(f'edit.add.{kind}'))}",
                "add",
                css="add",
                title=f"+ {name}: {say(f'edit.why.{kind}')}",
                place=at,
                kind=kind,
            )
            for kind in KINDS
        )
        if not place or empty:
            return adds
        return (
            f'<details data-key="{at}:adds"><summary data-key="{at}:adds.summary">{escape(say("edit.add"))}'
            f"</summary>{adds}</details>"
        )

    def _not(self, negated: int) -> str:
        return f'<span class="chip not">{escape(self.say("edit.not"))}</span>' * negated

    def _side(self, place: Place, outer: Place, size: int | None, negated: int) -> str:
        """What stands beside a part: how many customers it holds by itself, with its `not`, and its tools."""
        key = fingerprint(part_at(self.tree, outer))
        holds = self._holds(key, place) if self.counted else ""
        # A group of one means what its part means, and is moved by itself.
        moved = f"group.{key}" if isinstance(part_at(self.tree, place), AllOf | AnyOf) else key
        return f'<div class="side">{holds}{self._tools(outer, moved, size, negated)}</div>'

    def _holds(self, key: str, place: Place) -> str:
        """Where the page writes a part's count once there is one (`head.js`)."""
        wrong = any(each[: len(place)] == place for each, said in self.problems.items() if said)
        named = "" if wrong else f' data-holds="{key}"'
        return f'<span class="holds" title="{escape(self.say("edit.holds"))}"{named}></span>'

    def _wrong(self, place: Place) -> str:
        problems = sentences(self.problems.get(place, ()), self.session.language)
        said = "".join(f"<div>{escape(problem)}</div>" for problem in problems)
        return f'<div class="problem" role="alert">{said}</div>' if said else ""

    def _tools(self, place: Place, part: str, size: int | None, negated: int) -> str:
        """The buttons of a part. place: with its `not`. part: its meaning, by which it is found again once it is moved."""
        at, say = from_place(place), self.say
        handle = (
            f'<span class="handle" draggable="true" data-place="{at}" title="{escape(say("edit.drag"))}" '
            f'aria-hidden="true">⠿</span>'
        )

        def tool(sign: str, do: str, off: bool = False, css: str = "") -> str:
            # The focus goes along with what is moved.
            moves = size is not None and do in ("up", "down", "nest")
            key = f"{part if moves else at}:{do}"
            return button(sign, do, title=say(f"edit.{do}"), css=f"tool {css}", off=off, place=at, key=key)

        def ends(down: bool) -> bool:
            return not place or beyond(self.tree, place, down) is None

        return (
            '<div class="tools">'
            + tool(say("edit.not"), "negate", css="on" if negated else "")
            + tool("up", "up", off=ends(down=False))
            + tool("down", "down", off=ends(down=True))
            + tool("duplicate", "duplicate", off=size is None)
            + tool("nest", "nest")
            + tool("remove", "remove")
            + handle
            + "</div>"
        )


def _datalist(name: str, values: Mapping[str, str]) -> str:
    """The values of a field, each with what it is where that says more."""
    options = "".join(
        f'<option value="{escape(value)}">{escape(about)}</option>' for value, about in values.items()
    )
    return f'<datalist id="all-{name}">{options}</datalist>'
