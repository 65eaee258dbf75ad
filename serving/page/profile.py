"""The profile of a segment: what sets it apart, when and how often it shops, on what, where it stands among all."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr
from gradio.events import Dependency

from segments.codec import to_json
from segments.definition import Node
from segments.errors import NotFoundError, SegAssistError, UserError
from serving.page import model_plots, plots
from serving.page.html import notice, table
from serving.page.session import QUICK, Segment, Session
from serving.page.words import both

USUAL = "purchase_30d"

Draw = Callable[[Node, str | None, gr.Request], dict[Any, Any]]
"""Draws a part of the board: new values of some of its components, for a definition and an outcome."""


class Profile:
    """The profile's components and handlers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        say = session.say
        outcomes = [name for name in session.service.rooms.propensity.outcomes if ":" not in name]
        with gr.Row():
            self.which = gr.Dropdown(
                [(say("profile.current"), "")],
                value="",
                label=say("profile.of"),
                elem_id="profile-of",
                min_width=240,
            )
            self.outcome = gr.Dropdown(
                [(say.outcome(name), name) for name in outcomes],
                value=USUAL if USUAL in outcomes else next(iter(outcomes), None),
                label=say("profile.outcome"),
                elem_id="profile-outcome",
                min_width=240,
            )
        self.summary = gr.HTML(notice(say("profile.none")), elem_id="profile-summary")
        with gr.Column(visible=False) as self.board:
            with gr.Row():
                self.effects = self._plot("plot-effects")
                self.map = self._plot("plot-map")
            with gr.Row():
                self.rfm = self._plot("plot-rfm")
                self.mix = self._plot("plot-mix")
            with gr.Row():
                self.probability = self._plot("plot-probability")
                self.drivers = self._plot("plot-segment-drivers")
            self.told = gr.HTML("", elem_id="outcome-told")
            with gr.Row():
                self.gains = self._plot("plot-outcome-gains")
                self.lift = self._plot("plot-outcome-lift")
            self._of_outcome = [self.probability, self.drivers, self.gains, self.lift]
            self.overlap = self._plot("plot-overlap")
            self.traits = gr.HTML("", elem_id="traits")

    def wire(self, tab: gr.Tab, current: gr.State) -> None:
        """Draw when the view is opened, and anew when another segment or outcome is chosen."""
        self.inputs: list[Any] = [self.which, self.outcome, current]
        told: list[Any] = [self.part(_no_plot), self.inputs, [self.summary, self.board]]
        self._draw(tab.select(self.names, None, [self.which], **QUICK).then(*told, **QUICK))
        self._draw(self.which.input(*told, **QUICK | {"trigger_mode": "always_last"}))
        ahead = [self.told, *self._of_outcome]
        shown = [self.summary, self.board, *ahead]
        self.outcome.input(
            self.part(self._ahead), self.inputs, shown, show_progress_on=self._of_outcome, **QUICK
        )

    def _draw(self, event: Dependency) -> None:
        """Each part after an event, the quickest first."""
        parts: list[tuple[Draw, list[Any]]] = [
            (self._apart, [self.effects, self.traits]),
            (self._habits, [self.rfm, self.mix]),
            (self._place, [self.map]),
            (self._shared, [self.overlap]),
            (self._ahead, [self.told, *self._of_outcome]),
        ]
        for draw, outputs in parts:
            all_ = [self.summary, self.board, *outputs]
            # Words that wait would grow too pale to be read.
            waiting = [each for each in outputs if isinstance(each, gr.Plot)]
            event = event.then(self.part(draw), self.inputs, all_, show_progress_on=waiting, **QUICK)

    def names(self, request: gr.Request) -> dict[str, Any]:
        """The segments to choose from, as they are saved now."""
        saved = self.session.views.choices(self.session.caller(request)).segments
        current = (self.session.say("profile.current"), "")
        return gr.update(choices=[current, *((name, name) for name in saved)])

    def part(self, draw: Draw) -> Callable[..., dict[Any, Any]]:
        """The handler that draws one part of the board for the chosen segment as it is now, and tells of it above."""

        def handler(
            which: str, outcome: str | None, current: Segment | None, request: gr.Request
        ) -> dict[Any, Any]:
            hidden = {self.board: gr.update(visible=False)}
            if not which and current is None:
                return {self.summary: notice(self.session.say("profile.none")), **hidden}
            try:
                node = self._definition(which, current, request)
                shown = {self.summary: self._summary(node, request), self.board: gr.update(visible=True)}
                return shown | draw(node, outcome, request)
            except SegAssistError as error:
                return {self.summary: self.session.error(error), **hidden}

        return handler

    def _definition(self, which: str, current: Segment | None, request: gr.Request) -> Node:
        if which:
            return self.session.views.saved(self.session.caller(request), which).definition
        return self.session.current(current)

    def _summary(self, node: Node, request: gr.Request) -> str:
        session = self.session
        segment = session.preview(request, node)
        size = segment.get("estimate", segment)["size"]
        k = session.smallest(request)
        if size is None or size < k:
            raise UserError(*both("none.profile", k=k))
        return session.summary(request, segment)

    def _traits(self, found: dict[str, Any]) -> str:
        """The same as the plot, as a table: for reading, and for those who cannot see it."""
        say = self.session.say
        rows = []
        for row in found["rows"]:
            label = row["label_zh" if say.language == "zh" else "label_en"]
            percent = row["unit"] == "share"
            mine, others = (
                f"{row[side]:.1%}" if percent else f"{row[side]:,.2f}" for side in ("members", "others")
            )
            rows.append([escape(label), mine, others, f"{row['effect']:.2f}"])
        head = [say("profile.trait"), say("profile.them"), say("profile.others"), say("profile.effect")]
        return table(head, rows, say("profile.traits"), numbers=(1, 2, 3))

    def _apart(self, node: Node, _outcome: str | None, request: gr.Request) -> dict[Any, Any]:
        service, caller = self.session.service, self.session.caller(request)
        found = service.call(caller, "profile_segment", {"definition": to_json(node)})["evidence"][-1]
        return {self.effects: plots.effects(found, self.session.say), self.traits: self._traits(found)}

    def _habits(self, node: Node, _outcome: str | None, request: gr.Request) -> dict[Any, Any]:
        views, caller, say = self.session.views, self.session.caller(request), self.session.say
        grid, mix = views.rfm(caller, node), views.category_mix(caller, node)
        axes = say("profile.frequency"), say("profile.recency")
        return {
            self.rfm: plots.heat(
                grid.rows, grid.columns, grid.cells, say("profile.rfm"), *axes, say("library.few")
            ),
            self.mix: plots.bars(
                [each.category for each in mix],
                [each.members for each in mix],
                say("profile.mix"),
                beside=(say("plot.everyone"), [each.everyone for each in mix]),
                name=say("plot.them"),
                percent=True,
            ),
        }

    def _place(self, node: Node, _outcome: str | None, request: gr.Request) -> dict[Any, Any]:
        say = self.session.say
        points = self.session.views.behaviour_map(self.session.caller(request), node)
        title = say("profile.map", kept=f"{points.kept:.0%}")
        names = say("plot.them"), say("plot.others")
        drawn = plots.behaviour_map(points.others.tolist(), points.members.tolist(), title, names)
        return {self.map: drawn}

    def _shared(self, node: Node, _outcome: str | None, request: gr.Request) -> dict[Any, Any]:
        title = self.session.say("profile.overlap")
        pairs = self.session.views.overlaps(self.session.caller(request), node)
        figure = plots.bars([name for name, _ in pairs], [value for _, value in pairs], title, percent=True)
        return {self.overlap: gr.update(value=figure, visible=bool(pairs))}

    def _ahead(self, node: Node, outcome: str | None, request: gr.Request) -> dict[Any, Any]:
        """How likely the members are to do what a model predicts, what drives that, and how good the model is at it."""
        hidden = {plot: gr.update(visible=False) for plot in self._of_outcome}
        if not outcome:
            return hidden
        views, caller, say = self.session.views, self.session.caller(request), self.session.say
        arguments = {"definition": to_json(node), "outcome": outcome}
        try:
            scored = self.session.service.call(caller, "score_propensity", arguments)["evidence"][-1]
        except NotFoundError as error:  # an outcome that is asked of none of them hides nothing else
            return {self.told: self.session.error(error)} | hidden
        found, tested = views.probabilities(caller, node, outcome), views.model_card(caller, outcome)
        title = say("profile.probability", outcome=say.outcome(outcome))
        names = say("plot.them"), say("plot.everyone")
        drawn = (
            plots.histogram(found.edges, found.members, found.everyone, title, names),
            plots.drivers(scored, say),
            model_plots.gains(tested["curves"], say),
            model_plots.lift(tested["curves"], say),
        )
        shown = {
            plot: gr.update(value=figure, visible=figure is not None)
            for plot, figure in zip(self._of_outcome, drawn, strict=True)
        }
        of_model = say("profile.tested", cut=tested["card"]["test_cut"])
        return {self.told: f'<p class="hint">{escape(of_model)}</p>'} | shown

    def _plot(self, name: str) -> gr.Plot:
        return gr.Plot(show_label=False, elem_id=name, min_width=300, container=True)


def _no_plot(_node: Node, _outcome: str | None, _request: gr.Request) -> dict[Any, Any]:
    return {}
