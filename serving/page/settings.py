"""Settings: language, theme, and what the operator has set (read only)."""

from __future__ import annotations

from html import escape
from pathlib import Path

import gradio as gr

from segments.explain import Language
from serving.page.session import PATHS, Session

NAMES: dict[Language, str] = {"en": "English", "zh": "中文"}
CHOSEN = "() => localStorage.getItem('segassist-theme') ?? 'system'"
THEME = "theme => { localStorage.setItem('segassist-theme', theme); window.segassistTheme(); }"
HEAD = f"<script>{(Path(__file__).parent / 'head.js').read_text(encoding='utf-8')}</script>"

SIGN_OUT = '<form method="post" action="/signout"><button class="act">{}</button></form>'
"""Sent, not followed: the guard lets no other site's page send it, and no link or prefetch signs anybody out."""


class Settings:
    """The page's components."""

    def __init__(self, session: Session) -> None:
        self.session = session
        say = session.say
        links = "".join(
            f'<a class="act{" on" if language == session.language else ""}" href="{path}" lang="{language}" '
            f"""{'aria-current="page"' if language == session.language else ""}>{NAMES[language]}</a>"""
            for language, path in PATHS.items()
        )
        gr.HTML(f"<h2>{escape(say('settings.language'))}</h2><p>{links}</p>", elem_id="language")
        self.theme = gr.Radio(
            [(say(f"settings.{theme}"), theme) for theme in ("system", "light", "dark")],
            value="system",
            label=say("settings.theme"),
            elem_id="theme",
        )
        self.facts = gr.HTML("", elem_id="facts")

    def wire(self, blocks: gr.Blocks) -> None:
        """The theme is the browser's business alone."""
        blocks.load(None, None, [self.theme], js=CHOSEN)
        self.theme.input(None, [self.theme], None, js=THEME)

    def load(self, request: gr.Request) -> str:
        """Who asks, and what is set."""
        session, say = self.session, self.session.say
        rooms, caller = session.service.rooms, session.caller(request)
        role = caller.role.zh if session.language == "zh" else caller.role.name
        leave = SIGN_OUT.format(escape(say("settings.signout"))) if session.service.users.on else ""
        facts = [
            (
                say("settings.who"),
                escape(say("settings.role", name=caller.name, role=role)) + leave,
            ),
            (
                say("settings.k"),
                f'{session.smallest(request)}<div class="hint">{escape(say("settings.k.why"))}</div>',
            ),
            (say("settings.workspace"), escape(rooms.workspace.settings.name)),
            (say("settings.as_of"), rooms.warehouse.as_of.isoformat()),
            (say("settings.customers"), f"{session.population:,}"),
        ]
        return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in facts) + "</dl>"
