"""One turn as a LangGraph graph: link, plan, check, run, answer.

What lasts between turns is in `State` and checkpointed, so that a conversation survives a restart; what
one turn needs is in `Turn` and does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from assistant.again import again, say_again
from assistant.answer import plain
from assistant.assumed import assumptions
from assistant.back import KEPT_TURNS, as_cluster
from assistant.by_clause import by_clause
from assistant.check import instead, mistakes, objections, unsaid
from assistant.edits_again import as_sentence, instead_of_refusing, led_to, reread
from assistant.grounding import ungrounded
from assistant.linking.edits import begins_anew
from assistant.linking.link import Link, is_chinese
from assistant.linking.linker import Linker
from assistant.llm import ChatModel, writer
from assistant.moves import moved, part_asked_of
from assistant.naming import MAX_NAME
from assistant.outright import Known, outright
from assistant.phrasing import PHRASED, marketing_copy, pitch
from assistant.plan import (
    CURRENT,
    DESCRIBED,
    Plan,
    definition_of,
    edited,
    likeliest_edits,
    make_plan,
    offered_tools,
    with_every_change,
)
from assistant.replies import CLARIFY, GAVE_WAY, MENDED, REFUSE, WITHOUT_IT, reply
from assistant.rests import rests_on, why
from assistant.run import Outcome, run_tool
from assistant.second_reading import SecondReader, describes, doubtful
from assistant.several import is_step, taken_apart
from assistant.steps import planned_by, run_steps, stopped
from assistant.tool_reading import HESITANT, ToolReader, hesitates
from assistant.tools import ToolResult, Tools
from assistant.tracing import note, span
from assistant.turn import State, Turn
from assistant.wanted import wanted_until
from segments.canonical import fingerprint
from segments.check import issues
from segments.codec import from_json, to_json
from segments.definition import InCluster, Node
from segments.edit import add
from segments.errors import (
    InternalError,
    LLMUnavailableError,
    ModelRetryError,
    SegAssistError,
    Sentence,
    UserError,
)
from segments.explain import Language, explain
from segments.issues import in_language, sentences
from segments.ports import Evidence

MAX_REPAIRS = 1
SHOWN = Plan("show_segment", CURRENT, arguments={"confirmed": True})
"""What a message asks for that only goes to another segment."""


class TurnGraph:
    """Builds and holds the compiled graph."""

    def __init__(self, linker: Linker, model: ChatModel, tools: Tools, checkpointer: Any) -> None:
        self.linker, self.model, self.tools = linker, model, tools
        self.catalogue = tools.rooms.warehouse.catalogue
        audiences = tools.rooms.audiences
        self.tool = ToolReader(model)
        self.second = SecondReader(linker, model, audiences.vocabulary, audiences.members)
        graph = StateGraph(State, context_schema=Turn)
        for step in (self.link, self.plan, self.check, self.run, self.answer):
            graph.add_node(step.__name__, _timed(step))
        graph.add_edge(START, "link")
        graph.add_edge("link", "plan")
        graph.add_edge("plan", "check")
        graph.add_conditional_edges("check", self._after_check, {"plan": "plan", "run": "run"})
        graph.add_edge("run", "answer")
        graph.add_edge("answer", END)
        self.compiled = graph.compile(checkpointer=checkpointer)

    def link(self, state: State, turn: Turn) -> State:
        """Find what of the message exists here."""
        saved = self.tools.rooms.library.names()
        move = moved(turn.question, state, lambda said, both: self.linker.link(said, both, saved))
        turn.said, turn.moved = move.said, move.state
        part, state = part_asked_of(move.said, state), {**state, **move.state}
        link, turn.steps = self._linked(turn.said or turn.question, state, saved)
        turn.link = link
        turn.plan = self._outright(turn, state, saved) if turn.said else SHOWN
        if turn.plan is None:
            with wanted_until(turn.gone):
                asked = self.read_tool(turn, state, saved)
                turn.link = asked if turn.plan is not None else self.reread(asked, _current(state))
            if turn.link.asked == "define_segment" and turn.link.reading is None:
                turn.link = link  # no reading describes anybody
            turn.link = self._or_narrower(turn.link, _current(state))
            if turn.plan is not None and HESITANT in turn.plan.arguments:
                turn.plan, turn.link = self._after_all(turn, state, saved, link) or (turn.plan, turn.link)
        elif _lacking(turn.plan):
            turn.plan, turn.link = self._not_lacking(turn, state, saved) or (turn.plan, turn.link)
        counts = turn.plan is not None and (turn.plan.tool, turn.plan.segment) == ("count_part", DESCRIBED)
        if counts and part is not None and turn.link.reading is not None:
            turn.link = replace(turn.link, reading=add(part, turn.link.reading))
        turn.link = replace(turn.link, language="zh" if is_chinese(turn.question) else "en")
        turn.emit(
            "link", {"found": len(turn.link.candidates) + len(turn.link.edits), "unknown": turn.link.unknown}
        )
        current = _current(state)
        if turn.plan is None and turn.link.asked == "refine_segment" and current is not None:
            turn.link = self._clause_by_clause(turn.link, current, saved)
        return {}

    def _linked(
        self, question: str, state: State, saved: Sequence[str]
    ) -> tuple[Link, tuple[tuple[str, Link], ...]]:
        """What a message holds, apart from the steps that it asks for; none where it is not plainly a segment and
        steps on it."""
        current, discovery = _current(state), self._discovery(state)
        if _of_clusters(state, current):
            question = as_cluster(question)
        asked, parts = taken_apart(question)
        steps = tuple((part.tool, self.linker.link(part.text, None, saved)) for part in parts)
        if steps and not asked and all(is_step(tool, link) for tool, link in steps):
            return steps[0][1], steps
        link = _beside(self.linker.link(asked, current, saved, discovery), current)
        if not steps:
            return link, ()
        segment_alone = not (link.intents.tools or link.intents.destructive)
        if segment_alone and all(is_step(tool, link) for tool, link in steps):
            return link, steps
        return self.linker.link(question, current, saved, discovery), ()

    def _outright(self, turn: Turn, state: State, saved: Sequence[str]) -> Plan | None:
        """The plan where the words alone settle it."""
        assert turn.link is not None
        rooms = self.tools.rooms
        known = Known(
            _current(state),
            rooms.plans.names(),
            saved,
            bool(state.get("discovery")),
            self._discovery(state) is not None,
            state.get("pending"),
            [call["name"] for call in state.get("called", [])],
            _before(state),
            state.get("planned") or {},
            rooms.experiments.names(),
            bool(state.get("grouped")),
        )
        plan = outright(self.linker.spelt(turn.said)[0], turn.link, known)
        if plan is None and turn.steps_alone:
            return Plan(turn.steps[0][0], CURRENT, arguments={"confirmed": True, "steps": True})
        return plan

    def read_tool(self, turn: Turn, state: State, saved: Sequence[str]) -> Link:
        """The link as of a message that asks for the tool that the model reads, and the plan where that settles it; as it
        was where the workspace wishes no second reading, or the words' own finding stands."""
        assert turn.link is not None
        wished, current = self.tools.rooms.workspace.settings.second_reading, _current(state)
        offered = offered_tools(turn.link, current is not None)
        settled = len(offered) == 1 and not doubtful(turn.link)
        if turn.steps or wished == "off" or (wished == "doubt" and settled):
            return turn.link
        link, turn.plan = self.tool.followed(
            turn.link,
            offered,
            current,
            lambda asked: self.linker.link(turn.said, current, saved, self._discovery(state), asked),
        )
        return link

    def _discovery(self, state: State) -> str | None:
        """The discovery whose natural segments are named by number: of this conversation, else the newest."""
        return state.get("discovery") or next(reversed(self.tools.rooms.discoveries.versions()), None)

    def reread(self, link: Link, current: Node | None) -> Link:
        """Read a message once more where the workspace wishes it and the message describes a segment anew."""
        wished = self.tools.rooms.workspace.settings.second_reading
        if wished == "off" or not describes(link, current):
            return link
        return self.second.joined(link) if wished == "always" or doubtful(link) else link

    def _or_narrower(self, link: Link, current: Node | None) -> Link:
        """The link of a message that describes customers anew, with those of the segment at hand among them as its other
        reading; as it was where it has one, begins anew outright, or would find nobody or the same so."""
        if current is None or link.reading is None or link.asked != "define_segment":
            return link
        if link.alternative is not None or begins_anew(link.message):
            return link
        narrower, audiences = add(current, link.reading), self.tools.rooms.audiences
        if issues(narrower, audiences.vocabulary):
            return link
        others = 0 < audiences.size(narrower) < audiences.size(link.reading)
        return replace(link, alternative=narrower) if others else link

    def plan(self, state: State, turn: Turn) -> State:
        """Ask the model for the plan, where the words alone do not settle it."""
        assert turn.link is not None
        if turn.plan is not None:
            return {"pending": None}
        current = _current(state)
        if turn.link.asked == "refine_segment" and current is not None:
            likeliest = likeliest_edits(turn.link, current)
            if likeliest.edits:
                turn.plan = likeliest
                return {"pending": None}
        try:
            with wanted_until(turn.gone):
                turn.plan = make_plan(self.model, turn.link, current, self.catalogue, turn.correction)
            if turn.plan.tool == "refine_segment" and turn.plan.edits and current is not None:
                turn.plan = with_every_change(turn.plan, turn.link, current)
        except ModelRetryError as error:
            turn.plan = None
            turn.correction = str(error)
        turn.emit("plan", {"tool": turn.plan.tool if turn.plan else None})
        return {"pending": None}

    def _clause_by_clause(self, link: Link, current: Node, saved: Sequence[str]) -> Link:
        """The link of an edit, read clause by clause where that leaves less of it unsaid."""
        clauses = by_clause(
            link,
            current,
            lambda said, segment: self.linker.link(said, segment, saved, None, "refine_segment"),
            lambda segment: self.linker.disagreement(link, segment)[0],
        )
        return clauses or link

    def check(self, state: State, turn: Turn) -> State:
        """Say what is wrong with the plan. A plan that was not offered is asked for once more, then mended; an edit that
        does not hold gives way to another by the same words, else the marketer hears why: to ask the model again could
        bring no other choice."""
        assert turn.link is not None
        plan, current, vocabulary = turn.plan, _current(state), self.tools.rooms.audiences.vocabulary
        unread = Sentence("Your answer could not be read.", "模型的回答无法读取。")
        wrong = [Sentence(turn.correction, unread.zh) if turn.correction else unread] if plan is None else []
        objected: list[Sentence] = []
        if plan is not None and not plan.arguments.get("confirmed"):
            wrong = mistakes(plan, turn.link, current)
            if not wrong:
                objected = objections(plan, turn.link, current, vocabulary)
        turn.correction = " ".join(wrong) or None
        if wrong and turn.repairs >= MAX_REPAIRS:
            turn.plan, turn.mended, turn.correction = _mended(turn.link), True, None
        if objected and plan is not None:
            other = instead(plan, turn.link, current, vocabulary)
            if other is None:
                turn.clarification = " ".join(sentences(objected, turn.link.language))
            else:
                turn.plan, turn.gave_way = other, objected
        if current is not None and not wrong:
            self._reread_edit(turn, state, current)
        turn.emit("check", {"problems": sentences([*wrong, *objected], turn.link.language)})
        return {}

    def _not_lacking(self, turn: Turn, state: State, saved: Sequence[str]) -> tuple[Plan, Link] | None:
        """What a message asks of which the words alone find something lacking, where the model does not; None where the
        refusal stands, also where the model cannot be asked."""
        assert turn.link is not None
        if self.tools.rooms.workspace.settings.second_reading == "off":
            return None
        try:
            with wanted_until(turn.gone):
                reading = self.tool.read(turn.link.message)
            doubted = reading is not None and hesitates(reading)
            return self._after_all(turn, state, saved, turn.link) if doubted else None
        except LLMUnavailableError:
            return None

    def _after_all(
        self, turn: Turn, state: State, saved: Sequence[str], link: Link
    ) -> tuple[Plan, Link] | None:
        """What a message asks that else is refused for something that the data lack: the edit of the segment at hand, or
        where none is the segment, that two readings find in it; None where they differ, or words of it stay unread. Raises
        LLMUnavailableError."""
        current = _current(state)
        with wanted_until(turn.gone):
            if current is not None:
                return instead_of_refusing(self.second, link, current, *self._beside(link, current, state))
            described = self.linker.link(turn.said, None, saved, self._discovery(state), "define_segment")
            found = self.second.joined(replace(described, missing=()))
        believed = found.confidence == "high" and not doubtful(found)
        return (Plan("define_segment", DESCRIBED), found) if believed else None

    def _beside(self, link: Link, current: Node, state: State) -> tuple[str, str]:
        """What an edit is read beside: the current segment in words, and the messages that led to it."""
        words = explain(current, self.catalogue, link.language)
        return as_sentence(words, link.language), " ".join(state.get("led", []))

    def _reread_edit(self, turn: Turn, state: State, current: Node) -> None:
        """Read an edit once more, beside the current segment's words and what led to it."""
        assert turn.link is not None
        plan, wished = turn.plan, self.tools.rooms.workspace.settings.second_reading
        if plan is None or plan.arguments or wished == "off":
            return
        with wanted_until(turn.gone):
            found = reread(
                self.second,
                plan,
                turn.link,
                current,
                *self._beside(turn.link, current, state),
                nothing=turn.clarification is not None,
                always=wished == "always",
            )
        if found is not None:
            (turn.plan, turn.link), turn.clarification, turn.gave_way = found, None, []

    def _after_check(self, _state: State, runtime: Runtime[Turn]) -> Literal["plan", "run"]:
        turn = runtime.context
        if turn.correction is None:
            return "run"
        turn.repairs += 1
        turn.plan = None
        return "plan"

    def run(self, state: State, turn: Turn) -> State:
        """Run the tool."""
        assert turn.link is not None
        if turn.clarification:
            return {}
        plan, link = turn.plan or Plan("clarify"), turn.link
        if plan.tool == "clarify":
            vague = "vague_of_them" if link.means_them and _current(state) is not None else "vague"
            turn.clarification = reply(CLARIFY.get(plan.reason or "", CLARIFY[vague]), link.language)
            return {}
        if plan.tool == "refuse":
            return self._refuse(turn, plan, link)
        if "back" in plan.arguments:
            return self._back(state, turn, plan.arguments["back"])
        if plan.tool == "say_again":
            return self._again(state, turn, plan.arguments["language"])
        if plan.tool == "say_why":
            if "groups" in plan.arguments:
                turn.result = why(state.get("grouped", []), "groups")
            else:
                turn.result = why(state.get("rests", []), "answer")
            return {}
        current, outcome = _current(state), Outcome(turn.around)
        segment = edited(plan, link, current) if plan.edits and current else definition_of(plan, link)
        turn.calls = outcome.calls
        try:
            trail, before = state.get("trail", []), state.get("planned")
            if "steps" not in plan.arguments:
                run_tool(outcome, self.tools, plan, link, segment, current, trail, before)
            if turn.steps and outcome.question is None:
                run_steps(outcome, self.tools, turn.steps, current, trail, before)
        except UserError as error:
            turn.clarification = in_language(error, link.language)
            return {}
        turn.stopped = stopped(outcome, link.language)
        changed = outcome.result.definition if outcome.result else None
        made = {"made": outcome.calls, "definition": fingerprint(changed) if changed is not None else None}
        turn.emit("run", {"calls": [call["name"] for call in outcome.calls], **made})
        if outcome.question is not None:
            turn.clarification = outcome.question
            return {"pending": outcome.pending}
        turn.result = _numbered(outcome.result)
        shown = None if outcome.result is None else planned_by(outcome.result)
        planned: State = {"planned": shown} if shown else {}
        if outcome.result is not None and outcome.result.discovery is not None:
            planned = {"discovery": outcome.result.discovery}
        if turn.link.alternative is not None and plan.counts_other:
            # 'yes' takes the other reading.
            other = {"definition": to_json(turn.link.alternative)}
            planned = planned | {"pending": {"tool": "define_segment", "arguments": other}}
        if changed is None or changed == current:
            return turn.moved | planned
        passed = [state.get("current"), to_json(segment) if turn.steps and segment is not None else None]
        trail = [*state.get("trail", []), *(each for each in passed if each and each != to_json(changed))]
        return (
            turn.moved
            | planned
            | {
                "current": to_json(changed),
                "trail": [item for item in trail if item][-KEPT_TURNS:],
                "led": led_to(
                    plan, state.get("led", []), as_sentence(turn.said or turn.question, link.language)
                ),
            }
        )

    def _refuse(self, turn: Turn, plan: Plan, link: Link) -> State:
        """Say no. Where only one thing of a description is missing, 'yes' takes the rest."""
        lacking = ", ".join(link.missing or link.unknown)
        reason = plan.reason or "out_of_scope"
        if reason == "unknown_field" and not lacking:
            reason = "unnamed_field"
        turn.refused = reply(REFUSE[reason], link.language, lacking)
        if plan.reason != "unknown_field" or link.reading is None:
            return {}
        rest = explain(link.reading, self.catalogue, link.language)
        turn.refused += " " + reply(WITHOUT_IT, link.language, rest)
        return {"pending": {"tool": "define_segment", "arguments": {"definition": to_json(link.reading)}}}

    def _back(self, state: State, turn: Turn, number: int) -> State:
        """The segment before, or the one of that number from 1, is the current one again."""
        assert turn.link is not None
        trail = state.get("trail", [])
        current = state.get("current")
        segments = [*trail, current] if current else trail
        # The first ones of a long conversation are forgotten, and with them the numbers.
        known = bool(trail) if number == 0 else number <= len(segments) and len(trail) < KEPT_TURNS
        if not known:
            turn.clarification = reply(
                CLARIFY["nothing_before" if number == 0 else "no_such"], turn.link.language
            )
            return {}
        wanted, outcome = trail[-1] if number == 0 else segments[number - 1], Outcome()
        turn.calls = outcome.calls
        try:
            outcome.call("show_segment", self.tools.show_segment, from_json(wanted))
        except UserError as error:
            turn.clarification = in_language(error, turn.link.language)
            return {}
        made = {"made": outcome.calls, "definition": fingerprint(from_json(wanted))}
        turn.emit("run", {"calls": [call["name"] for call in outcome.calls], **made})
        turn.result = _numbered(outcome.result)
        left = trail[:-1] if number == 0 else segments[-KEPT_TURNS:]
        return {"current": wanted, "trail": left, "led": []}

    def _again(self, state: State, turn: Turn, language: Language) -> State:
        """What was answered last, in a language."""
        assert turn.link is not None
        turn.link = replace(turn.link, language=language)
        calls = again(state.get("called", []), _current(state))
        if calls is None:
            turn.clarification = reply(CLARIFY["not_again"], language)
            return {}
        outcome = Outcome()
        turn.calls = outcome.calls
        try:
            say_again(outcome, self.tools, calls)
        except UserError as error:
            turn.clarification = in_language(error, language)
            return {}
        turn.plan = Plan(calls[-1]["name"], arguments={"again": True})
        turn.emit("run", {"calls": [call["name"] for call in calls], "made": calls, "definition": None})
        turn.result = _numbered(outcome.result)
        return {}

    def answer(self, state: State, turn: Turn) -> State:
        """Put the evidence into words."""
        assert turn.link is not None
        if turn.clarification or turn.refused:
            turn.answer = turn.clarification or turn.refused or ""
        elif turn.result is not None:
            turn.answer = self._words(turn, turn.result)
        turn.emit("answer", {"text": turn.answer})
        entry = {
            "question": turn.question,
            "answer": turn.answer,
            "tool": turn.plan.tool if turn.plan else None,
            "definition": state.get("current"),
        }
        history = state.get("history", [])
        turns = state.get("turns", len(history)) + 1
        kept = [*history, entry]
        titled = state.get("title") or kept[0]["question"][:MAX_NAME]
        told: State = {"history": kept[-KEPT_TURNS:], "turns": turns, "title": titled}
        if not turn.calls or turn.result is None:
            return told
        rests = rests_on(turn.result.evidence, self.tools.rooms.workspace.settings.currency)
        told |= {"called": turn.calls, "rests": [list(line) for line in rests]}
        return told | {"grouped": told["rests"]} if turn.result.discovery is not None else told

    def _words(self, turn: Turn, result: ToolResult) -> str:
        assert turn.link is not None
        assert turn.plan is not None
        settings = self.tools.rooms.workspace.settings
        language, evidence = turn.link.language, result.evidence
        body = plain(result, language, settings.currency, self.tools.rooms.disclosure.k)
        own = {"back", "steps", "again"}.isdisjoint(turn.plan.arguments)
        notes = assumptions(turn.link, turn.plan, language) if own else []
        notes += sentences(unsaid(turn.plan, turn.link), language) if own else []
        for tool, link in turn.steps:
            notes += assumptions(link, Plan(tool, CURRENT), language)
        notes += [turn.stopped] if turn.stopped else []
        notes += [*sentences(turn.gave_way, language), reply(GAVE_WAY, language)] if turn.gave_way else []
        notes += [reply(MENDED[turn.plan.tool], language)] if turn.mended and turn.plan.tool in MENDED else []
        if notes:
            assumed = Evidence(f"e{len(evidence) + 1}", "assumptions", notes=tuple(notes))
            turn.result = replace(result, evidence=(*evidence, assumed))
        lead = ""
        if turn.plan.tool in PHRASED:
            turn.emit("words", {"text": body})
            try:
                lead = pitch(writer(self.model), result, language)
            except SegAssistError:
                # The figures stand without the model's sentences: an answer is not lost to its wording.
                lead = ""
        written = ""
        if any(call["name"] == "write_copy" for call in turn.calls):
            turn.emit("words", {"text": body})
            short = "shorter" in turn.plan.arguments
            written = marketing_copy(writer(self.model), result, language, settings.banned_words, short)
        text = "\n\n".join(part for part in (lead, body, written, "\n".join(notes)) if part)
        invented = ungrounded(text, turn.result.evidence if turn.result else evidence)
        if invented:
            raise InternalError(f"The answer shows {', '.join(invented)}, which no evidence holds.")
        return text


def _numbered(result: ToolResult | None) -> ToolResult | None:
    if result is None:
        return None
    evidence = tuple(
        Evidence(f"e{i}", e.tool, e.figures, e.rows, e.notes) for i, e in enumerate(result.evidence, 1)
    )
    return replace(result, evidence=evidence)


def _of_clusters(state: State, current: Node | None) -> bool:
    """Whether a number alone means a natural segment: they were just shown, or one of them is the current segment."""
    last = (state.get("history") or [{}])[-1].get("tool")
    return last == "discover_segments" or (bool(state.get("discovery")) and isinstance(current, InCluster))


def _beside(link: Link, current: Node | None) -> Link:
    """'Compare it with the first one', of natural segments: the one named is what the current one is compared with."""
    one = isinstance(link.reading, InCluster) and isinstance(current, InCluster) and link.other is None
    if not one or "compare_segments" not in link.intents.tools:
        return link
    return replace(link, candidates=(), reading=None, alternative=None, edits=(), other=link.reading)


def _lacking(plan: Plan | None) -> bool:
    """Whether a plan refuses for something that the data lack."""
    return plan is not None and plan.tool == "refuse" and plan.reason == "unknown_field"


def _current(state: State) -> Node | None:
    data = state.get("current")
    return from_json(data) if data else None


def _before(state: State) -> Node | None:
    """The segment before the current one."""
    trail = state.get("trail", [])
    return from_json(trail[-1]) if trail else None


def _mended(link: Link) -> Plan:
    """After a failed repair: the likeliest edit, else the segment that the message describes; else ask the user."""
    if link.intents.destructive:
        return Plan("refuse", reason="destructive")
    if link.edits:
        return Plan("refine_segment", edits=("e1",))
    return Plan("define_segment", DESCRIBED) if link.reading is not None else Plan("clarify")


def _timed(step: Callable[[State, Turn], State]) -> Any:
    def run(state: State, *, runtime: Runtime[Turn]) -> State:
        turn, started = runtime.context, time.perf_counter()
        if step.__name__ != "answer":  # what the last step keeps is kept by then
            state = {**state, **turn.moved}
        with span(step.__name__) as opened:
            out = step(state, turn)
            note(opened, **_shown(step.__name__, turn))
        turn.timings[step.__name__] = turn.timings.get(step.__name__, 0.0) + time.perf_counter() - started
        return out

    run.__name__ = step.__name__
    return run


def _shown(step: str, turn: Turn) -> dict[str, Any]:
    """What a step's span says: names and counts, nothing that was asked."""
    tool = turn.plan.tool if turn.plan else None
    match step:
        case "link" if turn.link is not None:
            return {"language": turn.link.language, "candidates": len(turn.link.candidates)}
        case "plan":
            return {"tool": tool, "repair": turn.repairs or None}
        case "check":
            return {"holds": turn.correction is None}
        case "run":
            return {"tools": [call["name"] for call in turn.calls]}
        case _:
            return {"tool": tool, "refused": turn.refused is not None}
