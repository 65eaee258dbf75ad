"""The library of saved segments: searched, opened, renamed, deleted after a second thought."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from assistant.library import SavedSegment
from segments.errors import SegAssistError
from segments.issues import in_language
from serving.page.html import ACTIONS, button, notice, pages, really, renaming, table
from serving.page.session import EACH, QUIET, Session
from serving.views import LibraryEntry

PAGE = 25
"""Segments on a page: more are neither read nor drawn at once."""


@dataclass(frozen=True)
class Shelf:
    """What the library shows. page: from 0. asking: what is about to be done ('rename' or 'delete') to `name`. number: of
    the list, so that no two are the same text."""

    search: str = ""
    page: int = 0
    asking: str = ""
    name: str = ""
    number: int = 0


@dataclass(frozen=True)
class Pick:
    """A saved segment to be opened in another view (`to`: 'chat' or 'edit'), and under which list it was picked; empty when
    the button was another."""

    to: str = ""
    name: str = ""
    shelf: Shelf = Shelf()


class Library:
    """The library's components and handlers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        say = session.say
        self.shelf, self.picked = gr.State(Shelf()), gr.State(Pick())
        self.search = gr.Textbox(
            label=say("library.search"), placeholder=say("library.hint"), elem_id="search"
        )
        self.list = gr.HTML(notice(say("loading"), "loading"), js_on_load=ACTIONS, elem_id="segments")

    def wire(self) -> None:
        """Connect what needs no other view. After `acted`, `picked` may say what is to be opened elsewhere."""
        self.search.input(
            self.find,
            [self.search, self.shelf],
            [self.shelf, self.list],
            **QUIET | {"trigger_mode": "always_last"},
        )
        outputs = [self.shelf, self.list, self.picked]
        self.acted = self.list.act(self.act, [self.shelf], outputs, **QUIET, **EACH)

    def load(self, shelf: Shelf, request: gr.Request) -> str:
        """The list as it is now."""
        try:
            return self._html(shelf, request)
        except SegAssistError as error:
            return self.session.error(error)

    def find(self, text: str, shelf: Shelf, request: gr.Request) -> tuple[Shelf, str]:
        """Only what matches a text."""
        shelf = replace(shelf, search=text, page=0)
        return shelf, self.load(shelf, request)

    def act(self, shelf: Shelf, request: gr.Request, event: gr.EventData) -> tuple[Shelf, str, Pick]:
        """Do what a button of the list stands for."""
        action: dict[str, Any] = event._data
        do, name = str(action["do"]), str(action.get("name", ""))
        after, said = replace(shelf, asking="", name="", number=shelf.number + 1), ""
        picked = Pick()
        if do in ("chat", "edit"):
            picked = Pick(do, name, after)
        elif do == "turn":
            after = replace(after, page=int(action["to"]))
        elif do in ("rename", "delete"):
            after = replace(after, asking=do, name=name)
        else:
            try:
                said = self._done(do, name, str(action.get("value", "")), request)
            except SegAssistError as error:
                said = self.session.error(error)
        return after, said + self.load(after, request), picked

    def failed(self, picked: Pick, error: SegAssistError, request: gr.Request) -> str:
        """The list with why what was picked could not be opened above it."""
        return self.session.error(error) + self.load(
            replace(picked.shelf, number=-picked.shelf.number), request
        )

    def _done(self, do: str, name: str, value: str, request: gr.Request) -> str:
        """Delete or rename; what was done, above the list."""
        session, caller = self.session, self.session.caller(request)
        if do == "really":
            session.service.delete(caller, name)
            return notice(session.say("library.deleted", name=name), "done")
        if do == "renamed" and value.strip() != name:
            new = session.service.rename(caller, name, value)
            return notice(session.say("library.renamed", name=name, new=new), "done")
        return ""

    def _html(self, shelf: Shelf, request: gr.Request) -> str:
        say = self.session.say
        views, caller = self.session.views, self.session.caller(request)
        wanted = partial(self._matches, text=shelf.search)
        page = shelf.page
        found, total = views.library(caller, wanted, page * PAGE, PAGE)
        if not found and total:  # the page was emptied behind it
            page = (total - 1) // PAGE
            found, total = views.library(caller, wanted, page * PAGE, PAGE)
        end = f"<!--{shelf.number}-->"
        if not found:
            some = views.choices(caller).segments
            return notice(say("library.nothing", text=shelf.search) if some else say("library.empty")) + end
        may, k = caller.may("write"), self.session.service.smallest(caller)
        heads = ("name", "owner", "size", "saved", "drift", "do")
        rows = [self._row(entry, shelf, may, k) for entry in found]
        listed = table([say(f"library.{head}") for head in heads], rows, say("tab.library"), numbers=(2,))
        return pages(say, page, PAGE, total, "above") + listed + pages(say, page, PAGE, total, "below") + end

    def _matches(self, saved: SavedSegment, owner: str, text: str) -> bool:
        words = f"{saved.name} {owner} {self.session.words(saved.definition)}".casefold()
        return all(part in words for part in text.casefold().split())

    def _row(self, entry: LibraryEntry, shelf: Shelf, may: bool, k: int) -> list[str]:
        say, saved = self.session.say, entry.saved
        words = f'<div class="hint">{escape(self.session.words(saved.definition))}</div>'
        problem = in_language(entry.problem, self.session.language) if entry.problem else ""
        size = f'<span class="problem">{escape(problem)}</span>' if problem else None
        version = escape(say("library.version", version=saved.version))
        when = f"<span class=day>{saved.saved_at:%Y-%m-%d}</span><div class=hint>{version}</div>"
        return [
            f"<strong>{escape(saved.name)}</strong>{words}",
            escape(entry.owner or say("library.unknown")),
            size or self.session.customers(k, entry.size),
            when,
            escape(self._moved(entry)),
            self._buttons(saved.name, shelf, may),
        ]

    def _moved(self, entry: LibraryEntry) -> str:
        say = self.session.say
        if entry.moved is None:
            return say("library.same" if entry.dated else "library.undated")
        entered, left = (say("library.few") if size is None else f"{size:,}" for size in entry.moved)
        return say("library.moved", entered=entered, left=left)

    def _buttons(self, name: str, shelf: Shelf, may: bool) -> str:
        say = self.session.say
        if shelf.name == name and shelf.asking == "delete":
            return really(say, name, name)
        if shelf.name == name and shelf.asking == "rename":
            return renaming(say, name, name, name)
        to_chat = button(say("library.chat"), "chat", title=f"{say('library.chat')}: {name}", name=name)
        to_editor = button(say("library.edit"), "edit", title=f"{say('library.edit')}: {name}", name=name)
        if not may:
            return to_editor
        rename = button(say("library.rename"), "rename", title=f"{say('library.rename')}: {name}", name=name)
        delete = button(say("library.delete"), "delete", title=f"{say('library.delete')}: {name}", name=name)
        return to_chat + to_editor + rename + delete
