"""The page put together: its views side by side, and what leads from one to another."""

from __future__ import annotations

import asyncio
import uuid
from html import escape
from typing import Any

import gradio as gr
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from segments.codec import from_json
from segments.errors import SegAssistError
from segments.explain import Language
from serving.http.guard import caller_of
from serving.page.campaigns import Campaigns
from serving.page.chat import Chat
from serving.page.conversations import Conversations, Drawer
from serving.page.downloads import add_downloads
from serving.page.editor import Draft, Editor
from serving.page.fileless import Fileless
from serving.page.library import Library, Pick
from serving.page.look import CSS, THEME
from serving.page.models import Models
from serving.page.profile import Profile
from serving.page.quality import Quality
from serving.page.session import PATHS, QUICK, QUIET, Segment, Session
from serving.page.settings import HEAD, NAMES, Settings
from serving.service import Service
from serving.views import Views

READY: dict[str, Any] = {"render_children": True}
"""Views are there before they are shown: what is loaded as one is opened could else come before it and be lost."""


class Page:
    """One page in one language."""

    def __init__(self, views: Views, language: Language = "en") -> None:
        self.session = session = Session(views, language)
        say = session.say
        with Fileless(title="segment-assistant", analytics_enabled=False) as self.blocks:
            gr.HTML(self._header(), elem_id="header")
            self.conversation = gr.BrowserState(
                None, storage_key="segassist-conversation", secret="segassist"
            )
            self.current = gr.State(None)
            with gr.Tabs(selected="chat", elem_id="views") as self.tabs:
                with gr.Tab(say("tab.chat"), id="chat", elem_id="view-chat"):
                    self.chat = Chat(session)
                    self.talks = Conversations(session)
                with gr.Tab(say("tab.editor"), id="editor", elem_id="view-editor", **READY):
                    self.editor = Editor(session)
                with gr.Tab(say("tab.profile"), id="profile", elem_id="view-profile", **READY) as profile:
                    self.profile = Profile(session)
                with gr.Tab(say("tab.library"), id="library", elem_id="view-library", **READY) as library:
                    self.library = Library(session)
                with gr.Tab(
                    say("tab.campaigns"), id="campaigns", elem_id="view-campaigns", **READY
                ) as campaigns:
                    self.campaigns = Campaigns(session)
                with gr.Tab(say("tab.models"), id="models", elem_id="view-models", **READY) as models:
                    self.models = Models(session)
                with gr.Tab(say("tab.quality"), id="quality", elem_id="view-quality", **READY) as quality:
                    self.quality = Quality(session)
                with gr.Tab(say("tab.settings"), id="settings", elem_id="view-settings", **READY) as settings:
                    self.settings = Settings(session)
            self._wire(profile)
            # At once, not when it is opened: a late answer would undo the first change.
            self.blocks.load(self.editor.show, [self.editor.draft], self.editor.outputs, **QUIET)
            library.select(self.library.load, [self.library.shelf], [self.library.list], **QUICK)
            campaigns.select(self.campaigns.load, None, self.campaigns.lists, **QUICK)
            models.select(self.models.draw, [self.models.which], self.models.outputs, **QUICK)
            quality.select(self.quality.load, None, [self.quality.report], **QUICK)
            settings.select(self.settings.load, None, [self.settings.facts], **QUICK)
            self.blocks.load(None, None, None, js="() => window.segassistTheme?.()")

    def _wire(self, profile: gr.Tab) -> None:
        """What each view does by itself, then what leads from one to another."""
        self.chat.wire(self.blocks, self.conversation, self.current)
        self.talks.wire(self.blocks)
        going_on = [self.conversation, self.chat.chat, *self.chat.card.outputs, self.talks.list]
        opened = self.talks.acted.success(self.go_on, [self.talks.drawer], going_on, **QUIET)
        opened.success(**self.chat.card.drawing)
        self.editor.wire()
        self.profile.wire(profile, self.current)
        self.library.wire()
        self.campaigns.wire(self.current)
        self.models.wire()
        self.settings.wire(self.blocks)
        card, editor = self.chat.card, self.editor
        drafted = [editor.draft, self.current]
        to_editor = [self.tabs, *editor.outputs]
        card.edit.click(self.edit, drafted, to_editor, show_progress="hidden")
        card.profile.click(lambda: gr.Tabs(selected="profile"), None, [self.tabs], show_progress="hidden")
        to_chat = [self.tabs, self.conversation, *card.outputs]
        used = editor.use.click(self.use, [editor.draft, self.conversation], to_chat, show_progress="hidden")
        used.success(**card.drawing)
        asked = [self.library.picked, self.conversation, editor.draft]
        shown = [*to_chat, *editor.outputs, self.library.list]
        self.library.acted.success(self.go, asked, shown, **QUIET).success(**card.drawing)

    def go_on(self, drawer: Drawer, request: gr.Request) -> Any:
        """Show a conversation of the list in the chat, to be gone on with, where that was the button; what is wrong with
        it above the list."""
        if drawer.asking != "open":
            return gr.skip()
        same = [gr.skip() for _ in range(2 + len(self.chat.card.outputs))]
        try:
            return drawer.id, *self.chat.restore(drawer.id, request), gr.skip()
        except SegAssistError as error:
            return *same, self.talks.failed(drawer, error, request)

    def edit(self, draft: Draft, current: Segment | None, request: gr.Request) -> tuple[Any, ...]:
        """Open the current segment in the editor."""
        return gr.Tabs(selected="editor"), *self.editor.open(draft, current, request)

    def use(self, draft: Draft, conversation: str | None, request: gr.Request) -> tuple[Any, ...]:
        """Make the draft what 'them' means in the conversation."""
        with self.session.told():
            return self._talk_of(self.editor.segment(draft, request), conversation, request)

    def go(self, picked: Pick, conversation: str | None, draft: Draft, request: gr.Request) -> Any:
        """Open a saved segment in the chat or in the editor, where that was the button; what is wrong with it above the
        list."""
        if not picked.to:
            return gr.skip()
        same_card = [gr.skip() for _ in range(1 + len(self.chat.card.outputs))]
        same_form = [gr.skip() for _ in self.editor.outputs]
        try:
            saved = self.session.views.saved(self.session.caller(request), picked.name)
            segment = self.session.preview(request, saved.definition) | {"name": saved.name}
            if picked.to == "chat":
                return *self._talk_of(segment, conversation, request), *same_form, gr.skip()
            form = self.editor.open(draft, segment, request)
            return gr.Tabs(selected="editor"), *same_card, *form, gr.skip()
        except SegAssistError as error:
            return gr.skip(), *same_card, *same_form, self.library.failed(picked, error, request)

    def _talk_of(self, segment: Segment, conversation: str | None, request: gr.Request) -> tuple[Any, ...]:
        conversation = conversation or uuid.uuid4().hex[:12]
        definition = from_json(segment["definition"])
        self.session.service.set_segment(self.session.caller(request), conversation, definition)
        return gr.Tabs(selected="chat"), conversation, *self.chat.card.show(request, segment)

    def _header(self) -> str:
        say = self.session.say
        other: Language = "zh" if self.session.language == "en" else "en"
        return (
            f'<header><div><h1>segment-assistant</h1><p class="hint">{escape(say("about"))}</p></div>'
            f'<a class="act" href="{PATHS[other]}" lang="{other}">{NAMES[other]}</a></header>'
        )


def mount_pages(app: FastAPI, service: Service) -> FastAPI:
    """The page in Chinese at /zh and in English at /, over one service."""

    @app.get("/zh", include_in_schema=False)
    def chinese() -> RedirectResponse:
        return RedirectResponse(PATHS["zh"])

    views = Views(service)
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:  # what is mounted at / would take everything
        page = Page(views, language)
        add_downloads(app, page.session.downloads)
        app = gr.mount_gradio_app(
            app,
            page.blocks.queue(default_concurrency_limit=8),
            path=PATHS[language].rstrip("/") or "/",
            theme=THEME,
            css=CSS,
            head=HEAD,
            run_history=False,
            footer_links=[],
            auth_dependency=lambda request: caller_of(request.scope).name,
        )
    return app


async def let_go_of_pages(app: FastAPI) -> None:
    """Once no page waits for an answer, end the connection that each open page holds, which never ends by itself."""
    mounted = [getattr(route, "app", None) for route in app.routes]
    pages = [page for page in mounted if isinstance(page, gr.routes.App)]
    while any(_answering(page) for page in pages):
        await asyncio.sleep(0.1)
    for page in pages:
        page.stop_event.set()


def _answering(page: gr.routes.App) -> bool:
    return any(page.get_blocks()._queue.pending_event_ids_session.values())
