"""The card of the current segment: size, share, words, trend, definition, SQL, versions, saving and downloading."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import gradio as gr

from segments.errors import SegAssistError
from segments.issues import in_language
from serving.customers import csv_text
from serving.page.downloads import FETCH
from serving.page.html import chip, notice, sparkline
from serving.page.plots import number
from serving.page.session import QUIET, Segment, Session


class Card:
    """The card's components and what they do. `current` holds the segment that 'them' means; `drawing` is the event that
    draws its trend once the card is shown."""

    def __init__(self, session: Session) -> None:
        self.session = session
        say = session.say
        gr.HTML(f"<h2>{escape(say('card.title'))}</h2>")
        self.size = gr.HTML(notice(say("card.empty")), elem_id="size")
        self.trend = gr.HTML("", elem_id="trend")
        with gr.Row(equal_height=True):
            self.edit = gr.Button(say("card.edit"), elem_id="to-editor", min_width=90, size="sm")
            self.profile = gr.Button(say("card.profile"), elem_id="to-profile", min_width=90, size="sm")
            self.download = gr.Button(say("card.download"), elem_id="download", min_width=90, size="sm")
        self.name = session.save_box("save-as")
        self.file = gr.Textbox(label="file", visible="hidden")
        with gr.Accordion(say("card.definition"), open=False):
            self.definition = gr.Code(
                language="json",
                interactive=False,
                lines=6,
                max_lines=18,
                elem_id="card-definition",
                label=say("card.definition"),
            )
        with gr.Accordion("SQL", open=False):
            self.sql = gr.Code(
                language="sql", interactive=False, lines=6, max_lines=24, label="SQL", elem_id="sql"
            )

    def wire(self, current: gr.State) -> None:
        """Connect what the card does by itself."""
        self.outputs = [current, self.size, self.trend, self.definition, self.sql]
        self.drawing: dict[str, Any] = {
            "fn": self.past,
            "inputs": [current],
            "outputs": [self.trend],
            **QUIET,
        }
        self.download.click(self.members, [current], [self.file], show_progress="hidden").success(
            None, [self.file], js=FETCH
        )
        self.name.submit(self.save, [self.name, current], [self.name, *self.outputs], show_progress="hidden")

    def show(self, request: gr.Request, segment: Segment | None) -> tuple[Any, ...]:
        """Values of `outputs`: the segment counted; its trend follows with `past`."""
        if segment is None:
            return None, notice(self.session.say("card.empty")), "", "", ""
        definition = json.dumps(segment["definition"], indent=2, ensure_ascii=False)
        return segment, self._size(request, segment), "", definition, str(segment["sql"])

    def past(self, segment: Segment | None, request: gr.Request) -> str:
        """The sparkline of a year, or one sentence that says why there is none."""
        if segment is None:
            return ""
        say = self.session.say
        try:
            caller = self.session.caller(request)
            arguments = {"definition": segment["definition"]}
            result = self.session.service.call(caller, "trend_segment", arguments)
        except SegAssistError as error:
            return f'<div class="hint">{escape(say("card.no_trend", why=in_language(error, self.session.language)))}</div>'
        rows = result["evidence"][-1]["rows"]
        sizes = [None if (size := number(row["size"])) is None else int(size) for row in rows]
        k = self.session.service.smallest(caller)
        first, last = (self.session.customers(k, sizes[place]) for place in (0, -1))
        unusual = "unusual" in result["evidence"][-1]["notes"]
        label = say("card.trend", since=rows[0]["as_of"], first=first, last=last)
        return sparkline(sizes, label) + (chip(say("card.jumped"), "warn") if unusual else "")

    def save(self, name: str, segment: Segment | None, request: gr.Request) -> tuple[Any, ...]:
        """Save the current segment under a name."""
        with self.session.told():
            session = self.session
            saved = session.save(request, name, session.current(segment))
            again = session.preview(request, saved.definition) | {"name": saved.name}
            shown = self.show(request, again)
        return "", *shown[:2], gr.skip(), *shown[3:]

    def members(self, segment: Segment | None, request: gr.Request) -> str:
        """The address of the members' source ids as CSV."""
        with self.session.told():
            definition = self.session.current(segment)
            caller = self.session.caller(request)
            members, _ = self.session.service.members(caller, definition)
        return self.session.downloads.offer(caller.name, "members.csv", "text/csv", csv_of(members))

    def _size(self, request: gr.Request, segment: Segment) -> str:
        session, say = self.session, self.session.say
        named = ""
        if segment["name"]:
            saved = session.views.saved(session.caller(request), segment["name"])
            named = chip(say("card.named", name=saved.name, version=saved.version), "name")
        return named + session.summary(request, segment, "size")


def csv_of(members: list[str]) -> bytes:
    """A CSV file with one column, customer_id; cells that a spreadsheet would run are quoted."""
    return csv_text(["customer_id"], ([m] for m in members), spreadsheet=True).encode("utf-8")
