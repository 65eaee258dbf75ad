"""The profile of a segment: what sets it apart, when and how often it shops, on what, where it stands among all."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from segments.codec import to_json
from segments.definition import Node
from segments.errors import SegAssistError, UserError
from serving.page import plots
from serving.page.html import notice, table
from serving.page.session import Segment, Session
from serving.page.words import both

USUAL = "purchase_30d"


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
                self.overlap = self._plot("plot-overlap")
            self.traits = gr.HTML("", elem_id="traits")

    def wire(self, current: gr.State) -> None:
        """Draw anew when another segment or outcome is chosen."""
        shown = [self.summary, self.board, self.effects, self.traits, self.rfm, self.mix, self.map]
        outputs = [*shown, self.probability, self.overlap]
        inputs = [self.which, self.outcome, current]
        self.which.input(self.draw, inputs, outputs, show_progress="minimal", trigger_mode="always_last")
        self.outcome.input(self.histogram, inputs, [self.probability, self.summary], show_progress="minimal")
        self.outputs, self.inputs = outputs, inputs

    def names(self, request: gr.Request) -> dict[str, Any]:
        """The segments to choose from, as they are saved now."""
        saved = self.session.views.choices(self.session.caller(request)).segments
        current = (self.session.say("profile.current"), "")
        return gr.update(choices=[current, *((name, name) for name in saved)])

    def draw(
        self, which: str, outcome: str | None, current: Segment | None, request: gr.Request
    ) -> Iterator[dict[Any, Any]]:
        """Each part as it is ready, the quickest first."""
        session, say = self.session, self.session.say
        views, caller = session.views, session.caller(request)
        try:
            if not which and current is None:
                yield {self.summary: notice(say("profile.none")), self.board: gr.update(visible=False)}
                return
            node = self._definition(which, current, request)
            yield {self.summary: self._summary(node, request), self.board: gr.update(visible=True)}
            found = session.service.call(caller, "profile_segment", {"definition": to_json(node)})[
                "evidence"
            ][-1]
            yield {self.effects: plots.effects(found, say), self.traits: self._traits(found)}
            grid = views.rfm(caller, node)
            axes = say("profile.frequency"), say("profile.recency")
            mix = views.category_mix(caller, node)
            yield {
                self.rfm: plots.heat(grid.rows, grid.columns, grid.cells, say("profile.rfm"), *axes),
                self.mix: plots.bars(
                    [each.category for each in mix],
                    [each.members for each in mix],
                    say("profile.mix"),
                    beside=(say("plot.everyone"), [each.everyone for each in mix]),
                    name=say("plot.them"),
                    percent=True,
                ),
            }
            points = views.behaviour_map(caller, node)
            title = say("profile.map", kept=f"{points.kept:.0%}")
            names = say("plot.them"), say("plot.everyone")
            yield {
                self.map: plots.behaviour_map(points.others.tolist(), points.members.tolist(), title, names)
            }
            yield {
                self.probability: self._histogram(node, outcome, request),
                self.overlap: self._overlap(node, request),
            }
        except SegAssistError as error:
            yield {self.summary: self.session.error(error), self.board: gr.update(visible=False)}

    def histogram(
        self, which: str, outcome: str | None, current: Segment | None, request: gr.Request
    ) -> tuple[Any, Any]:
        """The probabilities of another outcome."""
        try:
            node = self._definition(which, current, request)
            return self._histogram(node, outcome, request), gr.skip()
        except SegAssistError as error:
            return gr.skip(), self.session.error(error)

    def _definition(self, which: str, current: Segment | None, request: gr.Request) -> Node:
        if which:
            return self.session.views.versions(self.session.caller(request), which)[0].definition
        return self.session.current(current)

    def _summary(self, node: Node, request: gr.Request) -> str:
        session = self.session
        segment = session.preview(request, node)
        if segment["size"] is None or segment["size"] < session.min_group:
            raise UserError(*both("none.profile", k=session.min_group))
        return session.summary(segment)

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

    def _histogram(self, node: Node, outcome: str | None, request: gr.Request) -> Any:
        if not outcome:
            return None
        session, say = self.session, self.session.say
        found = session.views.probabilities(session.caller(request), node, outcome)
        title = say("profile.probability", outcome=say.outcome(outcome))
        names = say("plot.them"), say("plot.everyone")
        return plots.histogram(found.edges, found.members, found.everyone, title, names)

    def _overlap(self, node: Node, request: gr.Request) -> Any:
        title = self.session.say("profile.overlap")
        pairs = self.session.views.overlaps(self.session.caller(request), node)
        figure = plots.bars([name for name, _ in pairs], [value for _, value in pairs], title, percent=True)
        return gr.update(value=figure, visible=bool(pairs))

    def _plot(self, name: str) -> gr.Plot:
        return gr.Plot(show_label=False, elem_id=name, min_width=300, container=True)
