"""What every view of the page shares: the service, who asks, the words of its language, and how errors are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import gradio as gr

from assistant.library import MAX_NAME, SavedSegment
from segments.codec import from_json
from segments.definition import Node
from segments.errors import SegAssistError, UserError
from segments.explain import Language, explain
from segments.features import Feature
from segments.issues import in_language
from serving.access import OWNER, Caller, Permission
from serving.page.downloads import Downloads
from serving.page.html import notice
from serving.page.words import Say, both
from serving.views import Views
from warehouse.suppression import small

Segment = dict[str, Any]
"""A definition counted, as `Service.preview` gives it; size None when its caller may not see it."""

PATHS: dict[Language, str] = {"en": "/", "zh": "/zh/"}
"""Where the page of each language is."""
QUICK: dict[str, Any] = {"show_progress": "minimal", "queue": False}
"""Of events that answer at once or work while a person goes on: each is a request with its answer. What goes by the
queue is heard of on one stream, which closes after the last answer; an event put there at that moment is never heard
of again. So only what a person waits for goes by the queue."""
QUIET = QUICK | {"show_progress": "hidden"}
EACH: dict[str, Any] = {"trigger_mode": "multiple"}
"""Of clicks on what a handler drew: the next one may come before the page has put its last answer away, and would be
dropped. `actions.js` sends them one at a time."""


class Session:
    """One page (in one language) over one service."""

    def __init__(self, views: Views, language: Language = "en") -> None:
        self.views, self.service, self.language = views, views.service, language
        self.say, self.downloads = Say(language), Downloads(PATHS[language])
        self.currency = self.service.rooms.workspace.settings.currency

    @property
    def population(self) -> int:
        """Customers in all."""
        return self.service.rooms.audiences.population

    def caller(self, request: gr.Request) -> Caller:
        """Who uses the page, as the guard let them in."""
        return self.service.users.named(request.username or OWNER.name).by("page")

    def smallest(self, request: gr.Request) -> int:
        """The smallest group that is shown to who asks."""
        return self.service.smallest(self.caller(request))

    def may(self, request: gr.Request, permission: Permission) -> bool:
        """Whether to offer what takes a permission; the service decides when it is asked for."""
        return self.caller(request).may(permission)

    def preview(self, request: gr.Request, definition: Node) -> Segment:
        """A definition counted, in words of the page's language."""
        caller = self.caller(request)
        segment = self.service.preview(caller, definition) | {"words": self.words(definition)}
        if segment["size"] is not None or "estimate" in segment or self.service.noises(caller):
            return segment
        return segment | {"told": self.service.told(caller, definition)}

    def words(self, definition: Node) -> str:
        """A definition in words of the page's language."""
        return explain(definition, self.service.rooms.warehouse.catalogue, self.language, self.currency)

    def feature(self, feature: Feature) -> str:
        """A feature in words of the page's language."""
        return feature.zh if self.language == "zh" else feature.en

    def customers(self, k: int, size: int | str | None) -> str:
        """A number of customers as it may be shown; a text is what was told in its place ('<k', '≈N'). k: `smallest`."""
        if isinstance(size, str) and not size.startswith("<"):
            return size
        hidden = not isinstance(size, int) or small(size, k)
        return self.say("size.small", k=k) if hidden else f"{size:,}"

    def share(self, k: int, size: int | None) -> str:
        """A number of customers as a share of all; empty for a group too small to show."""
        if size is None or size < k or not self.population:
            return ""
        return f"{size / self.population:.1%}"

    def summary(self, request: gr.Request, segment: Segment, test_id: str = "") -> str:
        """A counted segment in HTML: its size, or what it is estimated to be, its share of all, its words."""
        k = self.smallest(request)
        if "estimate" in segment:
            return self._about(k, segment, test_id)
        share, test = self.share(k, segment["size"]), f' data-testid="{test_id}"' if test_id else ""
        all_ = f"{self.population:,}"
        of = self.say("card.share", share=share, all=all_) if share else self.say("card.customers")
        size = self.customers(k, segment.get("told", segment["size"]))
        return (
            f'<div class="size"{test}>{size}</div><div>{escape(of)}</div>'
            f'<p class="words">{escape(segment["words"])}</p>'
        )

    def _about(self, k: int, segment: Segment, test_id: str) -> str:
        about, test = segment["estimate"], f' data-testid="{test_id}"' if test_id else ""
        size = self.customers(k, about["size"])
        bounds = [self.customers(k, about[bound]) for bound in ("low", "high")]
        of = self.say("card.customers")
        if about["size"] is not None:
            size = self.say("card.about", size=size)
            sampled, all_ = f"{about['sampled']:,}", f"{about['population']:,}"
            of = self.say("card.sampled", low=bounds[0], high=bounds[1], sampled=sampled, all=all_)
        return (
            f'<div class="size"{test}>{size}</div><div>{escape(of)}</div>'
            f'<p class="words">{escape(segment["words"])}</p>'
        )

    def save_box(self, elem_id: str, label: str = "card.save", hint: str = "card.name") -> gr.Textbox:
        """Where a name is given to be saved under."""
        return gr.Textbox(
            label=self.say(label),
            placeholder=self.say(hint),
            submit_btn=self.say("card.save.button"),
            max_length=MAX_NAME,
            elem_id=elem_id,
        )

    def save(self, request: gr.Request, name: str, definition: Node) -> SavedSegment:
        """Save a definition under a name, and say so over the page."""
        saved = self.service.save(self.caller(request), name, definition)
        gr.Info(escape(self.say("card.saved", name=saved.name, version=saved.version)))
        return saved

    def current(self, segment: Segment | None) -> Node:
        """The current segment's definition. Raises UserError when there is none."""
        if segment is None:
            raise UserError(*both("none.segment"))
        return from_json(segment["definition"])

    def error(self, error: SegAssistError) -> str:
        """An error in place of content, in words of the page's language."""
        return notice(in_language(error, self.language), "error")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Errors as a message over the page, their text as text."""
        try:
            yield
        except SegAssistError as error:
            raise gr.Error(escape(in_language(error, self.language)), print_exception=False) from error
