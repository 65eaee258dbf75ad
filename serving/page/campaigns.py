"""Plans for the current segment, and experiments: assigned, and read when they are due."""

from __future__ import annotations

import time
from html import escape
from typing import Any

import gradio as gr

from assistant.toolbox import result_json
from campaigns.goals import GOALS
from segments.codec import to_json
from segments.errors import SegAssistError
from serving.page import plots
from serving.page.downloads import FETCH
from serving.page.html import ACTIONS, notice
from serving.page.kept import FORMS, experiment_list, offered, plan_list
from serving.page.session import EACH, QUIET, Segment, Session

BUDGET, HOLDOUT = 5000, 20


class Campaigns:
    """The page's components and handlers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        say = session.say
        self.file = gr.Textbox(label="file", visible="hidden")
        goals = [(say("goal.auto"), ""), *((say(f"goal.{goal}"), goal) for goal in GOALS)]
        with gr.Row():
            with gr.Column(min_width=320):
                gr.HTML(f"<h2>{escape(say('plan.title'))}</h2>")
                with gr.Row():
                    label = f"{say('plan.budget')} ({session.currency})"
                    self.budget = gr.Number(BUDGET, label=label, minimum=1, elem_id="budget", min_width=160)
                    self.goal = gr.Dropdown(
                        goals, value="", label=say("plan.goal"), elem_id="goal", min_width=200
                    )
                self.make = gr.Button(say("plan.make"), variant="primary", elem_id="make-plan", size="sm")
                self.told = gr.HTML(notice(say("plan.empty")), elem_id="plan-told")
                self.plot = gr.Plot(show_label=False, visible=False, elem_id="plot-plan")
                self.plan = gr.Markdown("", elem_id="plan")
                self.name = session.save_box("save-plan", "plan.save", "plan.name")
                self.plans = gr.HTML("", js_on_load=ACTIONS, elem_id="plans")
            with gr.Column(min_width=320):
                gr.HTML(f"<h2>{escape(say('test.title'))}</h2>")
                with gr.Row():
                    self.share = gr.Number(
                        HOLDOUT,
                        label=f"{say('test.share')} (%)",
                        minimum=1,
                        maximum=99,
                        elem_id="holdout",
                        min_width=120,
                    )
                    self.assign = gr.Button(say("test.assign"), elem_id="assign", size="sm")
                loading = notice(say("loading"), "loading")
                self.tests = gr.HTML(loading, js_on_load=ACTIONS, elem_id="experiments")
                self.which = gr.Dropdown([], label=say("test.choose"), elem_id="which-campaign")
                self.read = gr.Button(say("test.read"), elem_id="read-campaign", size="sm")
                self.result = gr.Markdown("", elem_id="campaign-result")
                self.arms = gr.Plot(show_label=False, visible=False, elem_id="plot-arms")

    def wire(self, current: gr.State) -> None:
        """Connect the components."""
        asked: list[Any] = [self.budget, self.goal, current]
        busy: dict[str, Any] = {"show_progress": "minimal"}
        self.lists = [self.tests, self.which, self.plans]
        self.make.click(self.plan_it, asked, [self.told, self.plan, self.plot], **busy)
        self.name.submit(self.save, [self.name, *asked], [self.name, *self.lists], **busy)
        self.assign.click(self.begin, [self.share, current], [self.result, self.arms, *self.lists], **busy)
        self.read.click(self.measure, [self.which], [self.result, self.arms], **busy)
        opened = [self.plans, self.file, self.plan, self.plot]
        acted = self.plans.act(self.act_on_plan, None, opened, **QUIET, **EACH)
        asked_of = self.tests.act(self.act_on_test, None, [self.tests, self.file], **QUIET, **EACH)
        for done in (acted, asked_of):
            done.success(None, [self.file], js=FETCH)

    def load(self, request: gr.Request) -> tuple[Any, ...]:
        """Values of `lists`: experiments, what may be read, saved plans."""
        session = self.session
        views, caller = session.views, session.caller(request)
        try:
            tests, plans, past = views.experiments(caller), views.plans(caller), views.campaigns(caller)
        except SegAssistError as error:
            return self.session.error(error), gr.skip(), ""
        listed = experiment_list(session, caller, tests, 0)
        names = [(test.name, test.name) for test in reversed(tests)]
        names += [(f"{number} · {kind} · {start}", number) for number, kind, start in past]
        saved = plan_list(session, caller, plans, "", 0)
        return listed, gr.update(choices=names, value=names[0][1] if names else None), saved

    def act_on_plan(self, request: gr.Request, event: gr.EventData) -> tuple[Any, ...]:
        """Do what a button of the saved plans stands for."""
        session, caller = self.session, self.session.caller(request)
        plans = session.service.rooms.plans
        do, name = _pressed(event)
        said, file, words, hidden = "", "", gr.skip(), gr.skip()
        try:
            if do == "open":
                words = session.views.plan(caller, name).to_markdown(session.language, session.currency)
                hidden = gr.update(visible=False)
            elif do == "really":
                session.service.delete_document(caller, plans, name)
                said = notice(session.say("library.deleted", name=name), "done")
            elif do in FORMS:
                file = offered(session, caller, plans, name, do)
        except SegAssistError as error:
            said = session.error(error)
        asking = name if do == "delete" else ""
        try:
            shown = said + plan_list(session, caller, session.views.plans(caller), asking, _now())
        except SegAssistError as error:
            shown = session.error(error)
        return shown, file, words, hidden

    def act_on_test(self, request: gr.Request, event: gr.EventData) -> tuple[str, str]:
        """Have an experiment's customers written."""
        session, caller = self.session, self.session.caller(request)
        _, name = _pressed(event)
        said, file = "", ""
        try:
            file = offered(session, caller, session.service.rooms.experiments, name, "customers")
        except SegAssistError as error:
            said = session.error(error)
        try:
            shown = said + experiment_list(session, caller, session.views.experiments(caller), _now())
        except SegAssistError as error:
            shown = session.error(error)
        return shown, file

    def plan_it(
        self, budget: float, goal: str, current: Segment | None, request: gr.Request
    ) -> tuple[Any, ...]:
        """The plan in words, and who is contacted."""
        session = self.session
        try:
            arguments = self._arguments(budget, goal, current)
            result = session.service.run(session.caller(request), "plan_strategy", arguments)
        except SegAssistError as error:
            return self.session.error(error), "", gr.update(visible=False)
        assert result.strategy is not None
        words = result.strategy.to_markdown(session.language, session.currency)
        evidence = result_json(result, session.currency)["evidence"][-1]
        return "", words, gr.update(value=plots.plan(evidence, session.say), visible=True)

    def save(
        self, name: str, budget: float, goal: str, current: Segment | None, request: gr.Request
    ) -> tuple[Any, ...]:
        """Keep the plan under a name."""
        with self.session.told():
            arguments = self._arguments(budget, goal, current) | {"name": name}
            result = self.session.service.run(self.session.caller(request), "save_plan", arguments)
            gr.Info(escape(self._words(result.texts).replace("**", "")))
        return "", *self.load(request)

    def begin(self, share: float, current: Segment | None, request: gr.Request) -> tuple[Any, ...]:
        """Assign the current segment to contact and holdout."""
        with self.session.told():
            definition = to_json(self.session.current(current))
            arguments = {"definition": definition, "share": share / 100}
            result = self.session.service.run(self.session.caller(request), "assign_holdout", arguments)
        return self._words(result.texts), gr.update(visible=False), *self.load(request)

    def measure(self, which: str | None, request: gr.Request) -> tuple[Any, ...]:
        """How an experiment or a past campaign did."""
        session = self.session
        with self.session.told():
            arguments = {"name": which} if which else {}
            result = session.service.run(session.caller(request), "measure_campaign", arguments)
        figure = plots.arms(result_json(result, session.currency)["evidence"][-1], session.say)
        return self._words(result.texts), gr.update(value=figure, visible=figure is not None)

    def _arguments(self, budget: float, goal: str, current: Segment | None) -> dict[str, Any]:
        definition = to_json(self.session.current(current))
        return {"definition": definition, "budget": budget} | ({"goal": goal} if goal else {})

    def _words(self, texts: tuple[str, str] | None) -> str:
        assert texts is not None
        return texts[self.session.language == "zh"]


def _now() -> int:
    """A number that no list had before."""
    return time.monotonic_ns()


def _pressed(event: gr.EventData) -> tuple[str, str]:
    """What a button of a list does, and to which name."""
    action: dict[str, Any] = event._data
    return str(action["do"]), str(action.get("name", ""))
