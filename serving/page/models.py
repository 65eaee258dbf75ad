"""The models page: how each propensity model tested, what drives it, for whom it works."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from assistant.scoring import group_words
from segments.errors import SegAssistError
from serving.page import model_plots, plots
from serving.page.drivers import column_words
from serving.page.html import notice, table
from serving.page.session import QUICK, Session


class Models:
    """The page's components and handlers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        say = session.say
        self.which = gr.Dropdown([], label=say("model.choose"), elem_id="model")
        self.summary = gr.HTML(notice(say("loading"), "loading"), elem_id="model-summary")
        with gr.Column(visible=False) as self.board:
            with gr.Row():
                self.gains = gr.Plot(show_label=False, elem_id="plot-gains", min_width=300)
                self.lift = gr.Plot(show_label=False, elem_id="plot-lift", min_width=300)
            with gr.Row():
                self.reliability = gr.Plot(show_label=False, elem_id="plot-reliability", min_width=300)
                self.roc = gr.Plot(show_label=False, elem_id="plot-roc", min_width=300)
            self.precision = gr.Plot(show_label=False, elem_id="plot-precision", min_width=300)
            self.drivers = gr.Plot(show_label=False, elem_id="plot-drivers")
            self.groups = gr.HTML("", elem_id="groups")

    def wire(self) -> None:
        """Draw anew when another model is chosen."""
        curves = [self.gains, self.lift, self.reliability, self.roc, self.precision, self.drivers]
        self.outputs = [self.which, self.summary, self.board, *curves, self.groups]
        self.which.input(self.draw, [self.which], self.outputs, **QUICK)

    def draw(self, which: str | None, request: gr.Request) -> dict[Any, Any]:
        """The card of a model, the first one where none is chosen yet."""
        session, say = self.session, self.session.say
        caller = session.caller(request)
        try:
            names = [name for name in session.views.models(caller) if not name.endswith("*")]
            if not names:
                return {self.summary: notice(say("model.none"))}
            chosen = which if which in names else names[0]
            content = session.views.model_card(caller, chosen)
        except SegAssistError as error:
            return {self.summary: self.session.error(error), self.board: gr.update(visible=False)}
        choices = [(say.outcome(name), name) for name in names]
        return {
            self.which: gr.update(choices=choices, value=chosen),
            self.summary: self._summary(content["card"]),
            self.board: gr.update(visible=True),
            self.groups: self._groups(content["fairness"]),
            **self._curves(content),
        }

    def _curves(self, content: Mapping[str, Any]) -> dict[Any, Any]:
        say, curves = self.session.say, content["curves"]
        chance = model_plots.level(content["card"]["positives"] / content["card"]["customers"])
        drivers = list(content["drivers"].items())[: plots.SHOWN]
        catalogue = self.session.service.rooms.warehouse.catalogue
        groups = [group_words(name, catalogue)[say.language == "zh"] for name, _ in drivers]
        return {
            self.gains: model_plots.gains(curves, say),
            self.lift: model_plots.lift(curves, say),
            self.reliability: model_plots.curve(curves, "reliability", say),
            self.roc: model_plots.curve(curves, "roc", say),
            self.precision: model_plots.curve(curves, "precision_recall", say, chance),
            self.drivers: plots.bars(
                [self._feature(name) for name, _ in drivers],
                [value for _, value in drivers],
                say("model.drivers"),
                hover=groups,
            ),
        }

    def _feature(self, column: str) -> str:
        feature = self.session.service.rooms.warehouse.catalogue.get(column)
        return (
            column_words(column, self.session.language) if feature is None else self.session.feature(feature)
        )

    def _summary(self, card: Mapping[str, Any]) -> str:
        say = self.session.say
        figures = [
            (say("model.auc"), f"{card['auc']:.3f}", f"{card['auc_low']:.3f}–{card['auc_high']:.3f}"),
            (say("model.rfm"), f"{card['baseline_auc']:.3f}", say("model.auc")),
            (say("model.ece"), f"{card['ece']:.3f}", ""),
            (say("model.lift"), f"{card['lift_top_decile']:.2f}×", ""),
            (say("model.brier"), f"{card['brier']:.3f}", ""),
        ]
        tiles = "".join(
            f'<div class="tile"><div class="hint">{escape(name)}</div><div class="figure">{escape(value)}</div>'
            f'<div class="hint">{escape(more)}</div></div>'
            for name, value, more in figures
        )
        tested = say(
            "model.tested",
            cut=card["test_cut"],
            customers=f"{card['customers']:,}",
            positives=f"{card['positives']:,}",
            train=", ".join(card["train_cuts"]),
            scored=card["scored_as_of"],
        )
        return f'<div class="tiles">{tiles}</div><p class="tested">{escape(tested)}</p>'

    def _groups(self, rows: list[dict[str, Any]]) -> str:
        say = self.session.say
        cells = []
        for row in rows:
            name = self._feature(row["feature"])
            area = "–" if row["auc"] is None else f"{row['auc']:.3f}"
            figures = [f"{row['customers']:,}", f"{row['rate']:.1%}", f"{row['mean_score']:.1%}", area]
            value = {"True": say("yes"), "False": say("no")}.get(str(row["value"]), str(row["value"]))
            cells.append([escape(f"{name}: {value}"), *figures, f"{row['ece']:.3f}"])
        heads = [say(f"model.{key}") for key in ("group", "customers", "rate", "said", "auc", "ece")]
        return table(heads, cells, say("model.groups"), numbers=(1, 2, 3, 4, 5)) if rows else ""
