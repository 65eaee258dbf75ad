"""The chat page (Gradio): a conversation on the left, the current segment on the right."""

from __future__ import annotations

import csv
import json
import logging
import tempfile
import uuid
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from segments.codec import from_json
from segments.definition import Node
from segments.errors import SegAssistError, UserError
from serving.access import OWNER, Caller
from serving.markup import inert
from serving.service import Service

EXAMPLES = (
    "who spent over $500 last quarter but went quiet for two weeks?",
    "find 200 people like them",
    "will they come back?",
    "what do we offer them with $5,000?",
    "近三个月至少买过3次啤酒但从没买过葡萄酒的客户",
)
STEPS = {
    "link": "Reading the question",
    "plan": "Planning",
    "check": "Checking the plan against the question",
    "run": "Running the tools",
    "words": "Putting it into words",
    "answer": "Answer",
}
NEXT = {
    "link": "plan",
    "plan": "check",
    "check": "run",
    "run": "answer",
    "words": "answer",
    "answer": "answer",
}
"""What works when a step has ended."""
FETCH = "() => setTimeout(() => document.querySelector('#file a, a#file, #file')?.click(), 100)"
CSS = """
#card .size {font-size: 2.4rem; font-weight: 700; line-height: 1.1}
#card .words {margin-top: .4rem}
#card .empty {opacity: .75}
#chat table {display: block; max-width: 100%; overflow-x: auto}
gradio-app, .gradio-container, .gradio-container :is(.main, .wrap, main, .row, .column) {min-width: 0}
#chat, #chat :is(.message-row, .flex-wrap, .message) {min-width: 0}
#chat th, #chat td {white-space: nowrap; padding: .25rem .5rem}
.gradio-container {width: 100%; max-width: 1400px !important; margin: 0 auto}
"""
EMPTY = '<div class="empty">No segment yet. Ask for customers, and their definition appears here.</div>'

Messages = list[dict[str, Any]]


def card_html(segment: dict[str, Any] | None, population: int, min_group: int) -> str:
    """The segment card: size, share, words. Groups below the minimum show no size."""
    if segment is None:
        return EMPTY
    size = segment["size"]
    if size is None:
        # Too small a group to show to this caller, or one that would tell of such a group.
        shown, share = "not shown", "customers"
    else:
        shown = f"{size:,}" if size == 0 or size >= min_group else f"fewer than {min_group}"
        share = f"{size / population:.1%} of {population:,} customers" if size >= min_group else "customers"
    return (
        f'<div class="size" data-testid="size">{shown}</div><div>{share}</div>'
        f'<div class="words">{escape(segment["words"])}</div>'
    )


class Page:
    """The page's handlers over one service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.population = service.rooms.audiences.population
        self.min_group = service.rooms.workspace.settings.min_group

    def caller(self, request: gr.Request) -> Caller:
        """Who uses the page, as the guard let them in."""
        return self.service.users.named(request.username or OWNER.name).by("page")

    def card(self, segment: dict[str, Any] | None) -> tuple[str, str, str]:
        """(card HTML, definition JSON, SQL) of a segment."""
        html = card_html(segment, self.population, self.min_group)
        if segment is None:
            return html, "", ""
        return html, json.dumps(segment["definition"], indent=2, ensure_ascii=False), str(segment["sql"])

    def chat(
        self, question: str, messages: Messages, conversation: str | None, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Stream one turn: each step as it ends, then the answer and the new card."""
        messages = [*messages, {"role": "user", "content": inert(question)}]
        step = {
            "role": "assistant",
            "content": "",
            "metadata": {"title": f"⏳ {STEPS['link']}", "status": "pending"},
        }
        done: list[str] = []
        words: Messages = []
        keep = (gr.skip(), gr.skip(), gr.skip())
        yield "", [*messages, step], conversation, *keep
        try:
            for name, data in self.service.stream(self.caller(request), question, conversation):
                if name == "done":
                    step["metadata"] = {
                        "title": f"{len(done)} steps, {data.timings['total']:.1f} s",
                        "status": "done",
                    }
                    messages = [*messages, step, _said(data.answer)]
                    yield "", messages, data.conversation, *self.card(data.segment)
                    return
                if name == "words":
                    words = [_said(data["text"])]
                else:
                    done.append(f"- {STEPS[name]}{_detail(name, data)}")
                step["content"] = "\n".join(done)
                step["metadata"] = {"title": f"⏳ {STEPS[NEXT[name]]}", "status": "pending"}
                yield "", [*messages, step, *words], conversation, *keep
        except SegAssistError as error:
            yield "", [*messages, _said(f"⚠️ {error}")], conversation, *keep
        except Exception:
            logging.getLogger(__name__).exception("A turn failed")
            yield "", [*messages, _said("⚠️ Something went wrong on our side.")], conversation, *keep

    def restore(self, conversation: str | None, request: gr.Request) -> tuple[Any, ...]:
        """What a reloaded page shows: the conversation's turns and its segment."""
        if not conversation:
            return [], *self.card(None)
        caller = self.caller(request)
        history, segment = self.service.conversation(caller, conversation)
        messages: Messages = []
        for turn in history:
            messages.append({"role": "user", "content": inert(turn["question"])})
            messages.append(_said(turn["answer"]))
        return messages, *self.card(self.service.preview(caller, segment) if segment else None)

    def clear(self) -> tuple[Any, ...]:
        """A new conversation."""
        return None, *self.card(None)

    def apply(self, text: str, conversation: str | None, request: gr.Request) -> tuple[Any, ...]:
        """Make the edited JSON the current segment."""
        try:
            caller, definition = self.caller(request), self._definition(text)
            segment = self.service.preview(caller, definition)
            conversation = conversation or uuid.uuid4().hex[:12]
            self.service.set_segment(caller, conversation, definition)
        except SegAssistError as error:
            raise gr.Error(escape(str(error))) from error
        return conversation, *self.card(segment)

    def download(self, text: str, request: gr.Request) -> str:
        """Write the members' source ids as CSV; return the file."""
        try:
            members, _ = self.service.members(self.caller(request), self._definition(text))
        except SegAssistError as error:
            raise gr.Error(escape(str(error))) from error
        return write_csv(members)

    @staticmethod
    def _definition(text: str) -> Node:
        if not text.strip():
            raise UserError("There is no segment yet; ask for customers first.")
        try:
            return from_json(json.loads(text))
        except ValueError as error:
            raise UserError(f"The definition is not valid JSON: {error}.") from error


def _said(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": inert(text)}


def write_csv(members: list[str]) -> str:
    """A CSV file with one column, customer_id; cells that a spreadsheet would run are quoted."""
    path = Path(tempfile.mkdtemp(prefix="segassist-")) / "members.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["customer_id"])
        writer.writerows([f"'{m}" if m[:1] in "=+-@" else m] for m in members)
    return str(path)


def _detail(name: str, data: dict[str, Any]) -> str:
    if name == "link":
        return f": {data['found']} conditions found"
    if name == "plan":
        return f": {data['tool']}" if data["tool"] else ""
    if name == "check":
        return f": {len(data['problems'])} problems" if data["problems"] else ": it fits"
    if name == "run":
        return f": {', '.join(data['calls'])}" if data["calls"] else ""
    return ""


def create_page(service: Service) -> gr.Blocks:
    """The page over one service."""
    page = Page(service)
    with gr.Blocks(title="segment-assistant", analytics_enabled=False) as blocks:
        gr.Markdown(
            "# segment-assistant\nAsk for customers in English or Chinese. Data and model stay on this machine."
        )
        conversation = gr.BrowserState(None, storage_key="segassist-conversation", secret="segassist")
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                chat = gr.Chatbot(
                    label="Conversation",
                    show_label=False,
                    height=560,
                    elem_id="chat",
                    # No 'share' button: it would post the conversation to a public site.
                    buttons=["copy_all"],
                    sanitize_html=True,
                    allow_tags=False,
                    placeholder="Ask who your customers are, what they will do, and what to offer them.",
                    feedback_options=None,
                )
                box = gr.Textbox(
                    label="Question",
                    placeholder="who bought beer?",
                    elem_id="question",
                    submit_btn="Ask",
                    max_length=2000,
                )
                gr.Examples([[example] for example in EXAMPLES], inputs=box, label="Try")
            with gr.Column(scale=2, min_width=320, elem_id="card"):
                gr.Markdown("### Current segment")
                size = gr.HTML(EMPTY)
                download = gr.Button("Download members (CSV)", elem_id="download")
                file = gr.DownloadButton("file", elem_id="file", visible="hidden")
                with gr.Accordion("Definition (edit and apply)", open=True):
                    definition = gr.Code(
                        language="json",
                        interactive=True,
                        lines=8,
                        max_lines=18,
                        elem_id="definition",
                        label="Definition",
                    )
                    apply = gr.Button("Apply", elem_id="apply")
                with gr.Accordion("SQL", open=False):
                    sql = gr.Code(language="sql", interactive=False, lines=8, max_lines=24, label="SQL")
        outputs = [box, chat, conversation, size, definition, sql]
        box.submit(page.chat, [box, chat, conversation], outputs, show_progress="minimal")
        shown = [conversation, size, definition, sql]
        apply.click(page.apply, [definition, conversation], shown, show_progress="hidden")
        chat.clear(page.clear, None, shown)
        download.click(page.download, [definition], [file], show_progress="hidden").success(None, js=FETCH)
        blocks.load(page.restore, [conversation], [chat, size, definition, sql], show_progress="hidden")
    return blocks
