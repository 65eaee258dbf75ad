"""The data quality page: what the gate says of the data, and what cleaning did to them."""

from __future__ import annotations

from html import escape

import gradio as gr

from segments.errors import SegAssistError
from serving.page.html import chip, notice, table
from serving.page.session import Session
from warehouse.left_out import LeftOut
from warehouse.quality_words import in_words, left_out_in_words

WORST_FIRST = {"stop": 0, "warn": 1, "pass": 2}


class Quality:
    """The page's one component."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.report = gr.HTML(notice(session.say("loading"), "loading"), elem_id="quality")

    def load(self, request: gr.Request) -> str:
        """The report as the last build left it."""
        session, say = self.session, self.session.say
        try:
            report = session.views.quality(session.caller(request))
        except SegAssistError as error:
            return self.session.error(error)

        def verdict(kind: str) -> str:
            return chip(say(f"quality.{kind}"), kind)

        checks = [
            [
                verdict(each["verdict"]),
                escape(in_words(each["dimension"], say.language)),
                escape(in_words(each["name"], say.language)),
                escape((each.get("detail_zh") if say.language == "zh" else "") or each["detail"]),
            ]
            for each in sorted(report["checks"], key=lambda each: WORST_FIRST[each["verdict"]])
        ]
        rules = [
            [
                escape(in_words(r["name"], say.language)),
                escape(in_words(r["action"], say.language)),
                f"{r['rows']:,}",
            ]
            for r in report["rules"]
        ]
        as_of = session.service.rooms.warehouse.as_of.isoformat()
        cleaned = say("quality.events", events=f"{report['events']:,}", as_of=as_of)
        title = say("quality.title", verdict=say(f"quality.{report['verdict']}"))
        heads = [say(f"quality.{head}") for head in ("verdict", "dimension", "check", "detail")]
        done = [say(f"quality.{head}") for head in ("rule", "action", "rows")]
        return (
            f"<h2>{escape(title)}</h2><p>{escape(cleaned)}</p>"
            + table(heads, checks, say("quality.checks"))
            + table(done, rules, say("quality.cleaning"), numbers=(2,))
            + "".join(
                f"<p>{escape(left_out_in_words(LeftOut(**source), say.language))}</p>"
                for source in report.get("left_out", ())
            )
        )
