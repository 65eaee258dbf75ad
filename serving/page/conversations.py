"""One's conversations under the chat: gone on with, named, shared by a link, deleted after a second thought; and a
conversation that somebody else shared, to read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Any

import gradio as gr

from assistant.kept import KeptConversation
from segments.errors import SegAssistError
from serving.access import Caller
from serving.page.html import ACTIONS, button, notice, pages, really, renaming, table
from serving.page.session import EACH, PATHS, QUICK, QUIET, Session

PAGE = 25
"""Conversations on a page, the last changed first."""
TOKEN = "() => new URLSearchParams(window.location.search).get('shared') || ''"
"""The script that reads the link's token from the page's address."""


@dataclass(frozen=True)
class Drawer:
    """What the list is about. asking: what was asked for of `id` ('open', 'rename', 'delete', 'shared'). token: of the link
    that was made of it. page: from 0. number: of the list, so that no two are the same text."""

    asking: str = ""
    id: str = ""
    token: str = ""
    page: int = 0
    number: int = 0


class Conversations:
    """The components and handlers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        say = session.say
        self.drawer = gr.State(Drawer())
        with gr.Accordion(say("talks.title"), open=False, elem_id="talks") as self.fold:
            self.list = gr.HTML(notice(say("loading"), "loading"), js_on_load=ACTIONS, elem_id="talk-list")
        self.token = gr.Textbox(label="shared", visible="hidden")
        self.shared = gr.HTML("", elem_id="shared-talk")

    def wire(self, blocks: gr.Blocks) -> None:
        """Connect the components. After `acted`, `drawer` may say which conversation is to be gone on with."""
        self.fold.expand(self.load, [self.drawer], [self.list], **QUICK)
        self.acted = self.list.act(self.act, [self.drawer], [self.drawer, self.list], **QUIET, **EACH)
        blocks.load(self.read, [self.token], [self.shared], js=TOKEN, **QUICK)

    def load(self, drawer: Drawer, request: gr.Request) -> str:
        """The list as it is now."""
        session = self.session
        try:
            return self._html(drawer, session.caller(request))
        except SegAssistError as error:
            return session.error(error)

    def act(self, drawer: Drawer, request: gr.Request, event: gr.EventData) -> tuple[Drawer, str]:
        """Do what a button of the list stands for."""
        action: dict[str, Any] = event._data
        do, name = str(action["do"]), str(action.get("name", ""))
        session, caller, number = self.session, self.session.caller(request), drawer.number + 1
        after, failed = Drawer(page=drawer.page, number=number), ""
        try:
            if do in ("open", "rename", "delete"):
                after = replace(after, asking=do, id=name)
            elif do == "turn":
                after = replace(after, page=int(action["to"]))
            elif do == "share":
                token = session.service.share_conversation(caller, name)
                after = replace(after, asking="shared", id=name, token=token)
            elif do == "unshare":
                session.service.unshare_conversation(caller, name)
            elif do == "renamed":
                session.service.rename_conversation(caller, name, str(action.get("value", "")))
            elif do == "really":
                session.service.delete_conversation(caller, name)
        except SegAssistError as error:  # above the list: only the queue brings messages over the page
            failed = session.error(error)
        return after, failed + self.load(after, request)

    def failed(self, drawer: Drawer, error: SegAssistError, request: gr.Request) -> str:
        """The list with why a conversation could not be gone on with above it."""
        return self.session.error(error) + self.load(drawer, request)

    def read(self, token: str, request: gr.Request) -> str:
        """The conversation whose link this page was opened by, as text; nothing without one."""
        if not token:
            return ""
        session, say = self.session, self.session.say
        try:
            found = session.service.shared_conversation(session.caller(request), token)
        except SegAssistError as error:
            return session.error(error)
        owner = found.space.rstrip(":")
        by = say("talks.by", owner=owner) if owner else ""
        earlier = found.total - len(found.turns)
        more = notice(say("chat.earlier", n=earlier)) if earlier else ""
        said = "".join(
            f"<dt>{escape(turn['question'])}</dt><dd>{escape(turn['answer'])}</dd>" for turn in found.turns
        )
        return (
            f'<section aria-label="{escape(say("talks.read"))}"><h2>{escape(found.title)}</h2>'
            f'<p class="hint">{escape(say("talks.read"))}{escape(by)}</p>{more}<dl class="talk">{said}</dl></section>'
        )

    def _html(self, drawer: Drawer, caller: Caller) -> str:
        say = self.session.say
        page, service = drawer.page, self.session.service
        found, total = service.conversations(caller, page * PAGE, PAGE)
        if not found and total:  # the page was emptied behind it
            page = (total - 1) // PAGE
            found, total = service.conversations(caller, page * PAGE, PAGE)
        end = f"<!--{drawer.number}-->"
        if not found:
            return notice(say("talks.none")) + end
        rows = [
            [
                f"<strong>{escape(kept.title or say('talks.untitled'))}</strong>{self._link(kept, drawer)}",
                f"{kept.changed_at[:16].replace('T', ' ')}",
                str(kept.turns),
                self._buttons(kept, drawer),
            ]
            for kept in found
        ]
        heads = [say(f"talks.{head}") for head in ("name", "when", "turns")]
        listed = table([*heads, say("library.do")], rows, say("talks.title"), numbers=(2,))
        return listed + pages(say, page, PAGE, total, "below") + end

    def _link(self, kept: KeptConversation, drawer: Drawer) -> str:
        say = self.session.say
        if drawer.asking == "shared" and drawer.id == kept.id:
            address = f"{PATHS[self.session.language]}?shared={drawer.token}"
            return (
                f'<div class="hint" role="status">{escape(say("talks.link"))} '
                f'<a href="{escape(address)}" target="_blank" rel="noopener">{escape(address)}</a></div>'
            )
        return f'<div class="hint">{escape(say("talks.is_shared"))}</div>' if kept.shared else ""

    def _buttons(self, kept: KeptConversation, drawer: Drawer) -> str:
        say, title = self.session.say, kept.title or self.session.say("talks.untitled")
        if drawer.id == kept.id and drawer.asking == "delete":
            return really(say, title, kept.id)
        if drawer.id == kept.id and drawer.asking == "rename":
            return renaming(say, title, kept.title, kept.id)
        asked = [("talks.open", "open"), ("library.rename", "rename"), ("talks.share", "share")]
        asked += [("talks.unshare", "unshare")] if kept.shared else []
        return "".join(
            button(say(word), do, title=f"{say(word)}: {title}", name=kept.id)
            for word, do in [*asked, ("library.delete", "delete")]
        )
