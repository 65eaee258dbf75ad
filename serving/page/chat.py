"""The chat: a conversation with its steps, the plot that fits an answer, and what to ask next."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import gradio as gr

from assistant.app import Answer
from assistant.bundle import bundle_text
from segments.errors import SegAssistError, UserError
from segments.issues import in_language
from serving.markup import inert
from serving.page import plots
from serving.page.card import Card
from serving.page.downloads import FETCH
from serving.page.session import QUICK, Session
from serving.page.words import Say, both

NEXT = {
    "link": "plan",
    "plan": "check",
    "check": "run",
    "run": "answer",
    "words": "answer",
    "answer": "answer",
}
"""What works when a step has ended."""

Messages = list[dict[str, Any]]


class Chat:
    """The chat's components on the left, the card on the right."""

    def __init__(self, session: Session) -> None:
        self.session = session
        say = session.say
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                self.chat = gr.Chatbot(
                    label=say("chat.title"),
                    show_label=False,
                    height="64vh",
                    min_height=420,
                    elem_id="chat",
                    # `head.js` scrolls, which knows of plots that are drawn late.
                    autoscroll=False,
                    # No 'share' button: it would post the conversation to a public site.
                    buttons=["copy_all"],
                    sanitize_html=True,
                    allow_tags=False,
                    placeholder=say("chat.placeholder"),
                    examples=[{"text": say(f"chat.example.{number}")} for number in range(1, 6)],
                    feedback_options=None,
                )
                self.box = gr.Textbox(
                    label=say("chat.question"),
                    placeholder=say("chat.hint"),
                    elem_id="question",
                    submit_btn=say("chat.ask"),
                    max_length=2000,
                )
                self.keep = gr.Button(say("chat.bundle"), elem_id="to-bundle", min_width=90, size="sm")
                self.file = gr.Textbox(label="bundle", visible="hidden")
            with gr.Column(scale=2, min_width=320, elem_id="card"):
                self.card = Card(session)

    def wire(self, blocks: gr.Blocks, conversation: gr.BrowserState, current: gr.State) -> None:
        """Connect the components."""
        self.card.wire(current)
        outputs = [self.box, self.chat, conversation, *self.card.outputs]
        begun = [self.chat, conversation]
        past = self.card.drawing
        # They wait in the service's queue, where users take turns, and not in Gradio's.
        turn: dict[str, Any] = {"show_progress": "minimal", "concurrency_limit": None}
        self.box.submit(self.ask, [self.box, *begun], outputs, **turn).then(**past)
        self.chat.example_select(self.pick, begun, outputs, **turn).then(**past)
        self.chat.option_select(self.pick, begun, outputs, **turn).then(**past)
        self.chat.clear(self.clear, None, [conversation, *self.card.outputs], **QUICK)
        self.keep.click(self.bundle, [conversation], [self.file], show_progress="hidden").success(
            None, [self.file], js=FETCH
        )
        restored = [self.chat, *self.card.outputs]
        blocks.load(self.restore, [conversation], restored, **QUICK).then(**past)

    def pick(
        self, messages: Messages, conversation: str | None, request: gr.Request, event: gr.SelectData
    ) -> Iterator[tuple[Any, ...]]:
        """Ask an example or a follow-up."""
        picked = event.value
        question = picked if isinstance(picked, str) else str(picked.get("text") or picked.get("value") or "")
        yield from self.ask(question, messages, conversation, request)

    def ask(
        self, question: str, messages: Messages, conversation: str | None, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Stream one turn: each step as it ends, then the answer and the new card."""
        say = self.session.say
        if not question.strip():
            yield "", messages, conversation, *self._same()
            return
        messages = [*_without_options(messages), {"role": "user", "content": inert(question)}]
        step: dict[str, Any] = {"role": "assistant", "content": ""}
        step["metadata"] = {"title": f"⏳ {say('step.link')}", "status": "pending"}
        done: list[str] = []
        words: Messages = []
        yield "", [*messages, step], conversation, *self._same()
        try:
            caller = self.session.caller(request)
            for name, data in self.session.service.stream(caller, question, conversation):
                if name == "done":
                    took = say("chat.steps", steps=len(done), seconds=f"{data.timings['total']:.1f}")
                    step["metadata"] = {"title": took, "status": "done"}
                    messages = [*messages, step, *self._said(data)]
                    yield "", messages, data.conversation, *self.card.show(request, data.segment)
                    return
                if name == "queue":
                    waits = say("chat.waits", n=data["before"]) if data["before"] else say("chat.next")
                    step["metadata"] = {"title": f"⏳ {waits}", "status": "pending"}
                    yield "", [*messages, step], conversation, *self._same()
                    continue
                if name == "words":
                    words = [_text(data["text"])]
                else:
                    done.append(f"- {say(f'step.{name}')}{detail(say, name, data)}")
                step["content"] = "\n".join(done)
                step["metadata"] = {"title": f"⏳ {say(f'step.{NEXT[name]}')}", "status": "pending"}
                yield "", [*messages, step, *words], conversation, *self._same()
        except SegAssistError as error:
            yield (
                "",
                [*messages, _text(f"⚠️ {in_language(error, self.session.language)}")],
                conversation,
                *self._same(),
            )
        except Exception:
            logging.getLogger(__name__).exception("A turn failed")
            yield "", [*messages, _text(f"⚠️ {say('error.bug')}")], conversation, *self._same()

    def restore(self, conversation: str | None, request: gr.Request) -> tuple[Any, ...]:
        """What a reloaded page shows: the conversation's turns and its segment."""
        if not conversation:
            return [], *self.card.show(request, None)
        caller = self.session.caller(request)
        history, total, segment = self.session.service.conversation(caller, conversation)
        messages: Messages = []
        if total > len(history):
            messages.append(_text(self.session.say("chat.earlier", n=total - len(history))))
        for turn in history:
            messages.append({"role": "user", "content": inert(turn["question"])})
            messages.append(_text(turn["answer"]))
        return messages, *self.card.show(request, self.session.preview(request, segment) if segment else None)

    def bundle(self, conversation: str | None, request: gr.Request) -> str:
        """The address of the last answer's bundle."""
        with self.session.told():
            if not conversation:
                raise UserError(*both("none.answer"))
            caller = self.session.caller(request)
            found = bundle_text(self.session.service.bundle(caller, conversation))
        return self.session.downloads.offer(
            caller.name, "bundle.json", "application/json", found.encode("utf-8")
        )

    def clear(self, request: gr.Request) -> tuple[Any, ...]:
        """A new conversation."""
        return None, *self.card.show(request, None)

    def _same(self) -> tuple[Any, ...]:
        return tuple(gr.skip() for _ in self.card.outputs)

    def _said(self, answer: Answer) -> Messages:
        """The answer, its plot, and what may be asked next."""
        said = [_text(answer.answer)]
        figure = plots.of_answer(answer.evidence, self.session.say)
        if figure is not None:
            said.append({"role": "assistant", "content": gr.Plot(figure, show_label=False, container=False)})
        if answer.follow_ups:
            said[-1]["options"] = [{"value": question} for question in answer.follow_ups]
        return said


def detail(say: Say, name: str, data: dict[str, Any]) -> str:
    """What a step found, after its name: each mistake of a plan as a line below."""
    match name:
        case "link":
            return say("step.found", n=data["found"])
        case "plan":
            return f": {data['tool']}" if data["tool"] else ""
        case "check":
            problems = [f"\n    - {inert(problem)}" for problem in data["problems"]]
            return say("step.problems", n=len(problems)) + "".join(problems) if problems else say("step.fits")
        case "run":
            return f": {', '.join(data['calls'])}" if data["calls"] else ""
        case _:
            return ""


def _text(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": inert(text)}


def _without_options(messages: Messages) -> Messages:
    """What was offered after an answer is offered no more when something else is asked."""
    return [{**message, "options": None} if message.get("options") else message for message in messages]
