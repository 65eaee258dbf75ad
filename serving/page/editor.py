"""The visual editor: a definition as a form and as text, counted after each change."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from segments.canonical import fingerprint
from segments.check import issues_at
from segments.codec import from_json, to_json
from segments.definition import EVERYONE, Node
from segments.edit import rooted
from segments.errors import SegAssistError, UserError
from serving.page.editor_actions import act, tidy
from serving.page.editor_form import Form
from serving.page.html import ACTIONS, notice
from serving.page.session import EACH, QUIET, Segment, Session

MAX_UNDO = 50


@dataclass(frozen=True)
class Draft:
    """A definition being edited, and what it was before each change, newest last."""

    tree: Node = EVERYONE
    past: tuple[Node, ...] = ()

    def changed(self, tree: Node) -> Draft:
        """With one more change; the same tree again is none."""
        return self if tree == self.tree else Draft(tree, (*self.past, self.tree)[-MAX_UNDO:])

    def undone(self) -> Draft:
        """Before the last change."""
        return Draft(self.past[-1], self.past[:-1]) if self.past else self


class Editor:
    """The editor's components and handlers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        say = session.say
        self.draft = gr.State(Draft())
        self.parts = gr.Textbox(label="parts", visible="hidden")
        self.count = gr.HTML(notice(say("edit.start")), elem_id="count")
        with gr.Row(equal_height=True):
            self.undo = gr.Button(say("edit.undo"), elem_id="undo", min_width=80, size="sm")
            self.new = gr.Button(say("edit.new"), elem_id="new", min_width=80, size="sm")
            self.use = gr.Button(say("edit.use"), variant="primary", elem_id="use", min_width=140, size="sm")
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                self.form = gr.HTML("", js_on_load=ACTIONS, elem_id="form")
            with gr.Column(scale=1, min_width=300):
                self.text = gr.Code(
                    language="json",
                    interactive=True,
                    lines=14,
                    max_lines=28,
                    elem_id="definition",
                    label=say("edit.text"),
                )
                self.apply = gr.Button(say("edit.apply"), elem_id="apply")
                self.name = session.save_box("editor-save")

    def wire(self) -> None:
        """Connect what needs no other view."""
        self.outputs = [self.draft, self.count, self.form, self.text]
        self.form.act(self.change, [self.draft], self.outputs, **QUIET, **EACH)
        # By a question of its own, so that no edit waits for it.
        latest = QUIET | {"trigger_mode": "always_last"}
        self.form.change(self.count_parts, [self.draft], [self.parts], **latest).success(
            None, [self.parts], None, js="sizes => window.segassistHolds(JSON.parse(sizes || '{}'))"
        )
        # Its errors are told over the page, which only the queue brings there.
        applied = self.apply.click(self.read, [self.draft, self.text], self.outputs, show_progress="hidden")
        applied.success(None, js="() => document.querySelector('#definition .cm-scroller')?.scrollTo(0, 0)")
        self.undo.click(self.step_back, [self.draft], self.outputs, **QUIET)
        self.new.click(self.clear, [self.draft], self.outputs, **QUIET)
        self.name.submit(self.save, [self.name, self.draft], [self.name], show_progress="hidden")

    def show(self, draft: Draft, request: gr.Request) -> tuple[Any, ...]:
        """Values of `outputs`: the draft, its count, its form, its text."""
        views, service = self.session.views, self.session.service
        choices = views.choices(self.session.caller(request))
        problems = issues_at(draft.tree, service.rooms.audiences.vocabulary)
        counted = views.counts_parts(self.session.caller(request))
        form = Form(self.session, choices, problems, counted).html(draft.tree)
        text = json.dumps(to_json(tidy(draft.tree)), indent=2, ensure_ascii=False)
        # Never twice the same, so that the page always hears that it was drawn.
        drawn = f"{form}<!-- {time.monotonic_ns()} -->"
        return draft, self._count(draft, bool(problems), request), drawn, text

    def count_parts(self, draft: Draft, request: gr.Request) -> str:
        """How many customers each part holds by itself, in words by its fingerprint, as JSON."""
        session, caller = self.session, self.session.caller(request)
        k, sizes = session.service.smallest(caller), session.views.parts(caller, draft.tree)
        told = {
            part: "—" if size is None else session.say("edit.held", size=session.customers(k, size))
            for part, size in sizes.items()
        }
        return json.dumps(told, ensure_ascii=False)

    def change(self, draft: Draft, request: gr.Request, event: gr.EventData) -> tuple[Any, ...]:
        """Do what a control of the form stands for."""
        choices = self.session.views.choices(self.session.caller(request))
        try:
            draft = draft.changed(act(draft.tree, event._data, choices))
        except SegAssistError as error:
            # Drawn anew as it was, so that the page shows what holds.
            same, _, *rest = self.show(draft, request)
            return same, self.session.error(error), *rest
        return self.show(draft, request)

    def read(self, draft: Draft, text: str, request: gr.Request) -> tuple[Any, ...]:
        """Take the text's definition; what does not parse is told and changes nothing."""
        with self.session.told():
            try:
                tree = rooted(self.session.service.read(json.loads(text))) if text.strip() else EVERYONE
            except ValueError as error:
                raise UserError(
                    f"The definition is not valid JSON: {error}.", f"定义不是有效的 JSON：{error}。"
                ) from error
            return self.show(draft.changed(tree), request)

    def step_back(self, draft: Draft, request: gr.Request) -> tuple[Any, ...]:
        """Undo the last change."""
        return self.show(draft.undone(), request)

    def clear(self, draft: Draft, request: gr.Request) -> tuple[Any, ...]:
        """Begin with everyone; undo brings back what was there."""
        return self.show(draft.changed(EVERYONE), request)

    def open(self, draft: Draft, segment: Segment | None, request: gr.Request) -> tuple[Any, ...]:
        """Edit a segment; without one, go on with what is there."""
        if segment is None:
            return self.show(draft, request)
        tree = rooted(from_json(segment["definition"]))
        same = fingerprint(tree) == fingerprint(draft.tree)
        return self.show(draft if same else draft.changed(tree), request)

    def segment(self, draft: Draft, request: gr.Request) -> Segment:
        """The draft counted. Raises DefinitionError with what is wrong."""
        return self.session.preview(request, tidy(draft.tree))

    def save(self, name: str, draft: Draft, request: gr.Request) -> str:
        """Save the draft under a name."""
        with self.session.told():
            self.session.save(request, name, tidy(draft.tree))
        return ""

    def _count(self, draft: Draft, wrong: bool, request: gr.Request) -> str:
        if wrong:
            return (
                f'<div class="size">—</div><div class="hint">{escape(self.session.say("edit.wrong"))}</div>'
            )
        try:
            return self.session.summary(request, self.segment(draft, request), "count")
        except SegAssistError as error:
            return self.session.error(error)
