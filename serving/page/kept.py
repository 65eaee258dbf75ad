"""Saved plans and experiments as lists with buttons: opened, downloaded, deleted after a second thought."""

from __future__ import annotations

from html import escape

from assistant.documents import Documents, SavedDocument
from assistant.tools_campaigns import file_stem
from campaigns.experiment import Experiment
from campaigns.page import to_html
from serving.access import Caller
from serving.page.html import button, notice, really, table
from serving.page.session import Session


def plan_list(session: Session, caller: Caller, saved: list[SavedDocument], asking: str, number: int) -> str:
    """Saved plans. asking: the one that is about to be deleted. number: of the list, so that no two are the same text."""
    say = session.say
    title = f"<h3>{escape(say('plan.saved'))}</h3><!--{number}-->"
    if not saved:
        return title + notice(say("plan.none"))
    rows = [
        [
            f"<strong>{escape(plan.name)}</strong>",
            f"{plan.saved_at:%Y-%m-%d}<div class=hint>{escape(say('library.version', version=plan.version))}</div>",
            _plan_buttons(session, caller, plan.name, asking),
        ]
        for plan in saved
    ]
    return title + table([say("plan.name"), say("library.saved"), say("library.do")], rows)


def experiment_list(session: Session, caller: Caller, tests: list[Experiment], number: int) -> str:
    """Experiments with how many are in each arm. number: of the list, so that no two are the same text."""
    say = session.say
    if not tests:
        return notice(say("test.none")) + f"<!--{number}-->"
    rows = [
        [
            escape(test.name),
            f"{test.start} – {test.end}",
            f"{len(test.customers('contact')):,}",
            f"{len(test.customers('holdout')):,}",
            str(len(test.looks)),
            _customers(session, caller, test.name),
        ]
        for test in tests
    ]
    heads = [say(f"test.{head}") for head in ("name", "window", "contact", "holdout", "looks")]
    return table([*heads, say("library.do")], rows, numbers=(2, 3, 4)) + f"<!--{number}-->"


FORMS = {"customers": "text/csv", "md": "text/markdown", "html": "text/html"}


def offered(session: Session, caller: Caller, documents: Documents, name: str, form: str) -> str:
    """Make a file of FORMS of a plan or an experiment; its address."""
    service = session.service
    if form == "customers":
        found = service.customers(caller, documents, name)
        file, text = found.file_name("csv"), found.text("csv", spreadsheet=True)
    else:
        words = session.views.plan(caller, name).to_markdown(session.language, session.currency)
        file = f"{file_stem(name)}.{form}"
        text = words if form == "md" else to_html(words, name, session.language)
    return session.downloads.offer(caller.name, file, FORMS[form], text.encode("utf-8"))


def _plan_buttons(session: Session, caller: Caller, name: str, asking: str) -> str:
    say = session.say
    if asking == name:
        return really(say, name, name)
    parts = [
        button(say("kept.open"), "open", title=f"{say('kept.open')}: {name}", name=name),
        button("Markdown", "md", title=f"Markdown: {name}", name=name),
        button("HTML", "html", title=f"HTML: {name}", name=name),
        _customers(session, caller, name),
    ]
    if caller.may("write"):
        delete = say("library.delete")
        parts.append(button(delete, "delete", title=f"{delete}: {name}", name=name))
    return "".join(parts)


def _customers(session: Session, caller: Caller, name: str) -> str:
    if not caller.may("export"):
        return ""
    label = session.say("kept.customers")
    return button(label, "customers", title=f"{label}: {name}", name=name)
