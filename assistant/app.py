"""The assistant: answers questions about one workspace's customers, in conversations.

from assistant import Assistant
answer = Assistant.open("workspaces/demo").ask("who spent over $500 last quarter?")
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Queue
from typing import Any, cast

from assistant.back import KEPT_TURNS
from assistant.conversations import Conversations
from assistant.disclosure import EVERYBODY, Viewer, read_by, reader_of
from assistant.follow_ups import Answerable, follow_ups
from assistant.graph import TurnGraph
from assistant.grounding import to_json as evidence_json
from assistant.kept import KeptConversations
from assistant.linking.link import Confidence
from assistant.linking.linker import Linker
from assistant.llm import ChatModel
from assistant.rooms import Rooms, describe_segment, make_linker, member_ids
from assistant.run import Around, unwatched
from assistant.tools import Tools
from assistant.trace import RecordingChat, Trace, listening
from assistant.tracing import note, span
from assistant.turn import State, Turn
from assistant.wanted import nobody_goes, unless_gone
from assistant.workspace import open_workspace
from campaigns.plan import Strategy
from segments.codec import from_json, to_json
from segments.definition import Node
from segments.errors import UserError

MAX_QUESTION = 2_000
"""Characters of one message: far more than anybody types, and read in well under a second."""

NOT_REPLAYED = ("history", "turns", "bundle", "title", "shared")
"""What a conversation remembers that no answer comes from."""


@dataclass(frozen=True)
class Answer:
    """One answered turn; `to_dict` is the machine interface (`segassist ask --json`)."""

    question: str
    answer: str
    language: str
    tool_calls: list[dict[str, Any]]
    segment: dict[str, Any] | None
    evidence: list[dict[str, Any]]
    clarification: str | None
    refused: str | None
    confidence: Confidence | None
    timings: dict[str, float]
    conversation: str
    turn: int
    follow_ups: list[str] = field(default_factory=list)
    strategy: Strategy | None = field(default=None, repr=False)
    trace: Trace | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The stable JSON form."""
        names = (
            "question",
            "answer",
            "language",
            "tool_calls",
            "segment",
            "evidence",
            "clarification",
            "refused",
            "confidence",
            "follow_ups",
        )
        return {name: getattr(self, name) for name in names} | {"timings": self.timings}


def _figures(turn: Turn) -> int:
    return sum(len(evidence.figures) for evidence in (turn.result.evidence if turn.result else ()))


class Assistant:
    """Answers questions about one workspace's customers, in conversations that survive a restart."""

    def __init__(
        self,
        rooms: Rooms,
        model: ChatModel,
        linker: Linker | None = None,
        graph: type[TurnGraph] = TurnGraph,
    ) -> None:
        """linker, graph: other stages than the product's own, for experiments that leave one out."""
        self.rooms = rooms
        self.tools = Tools(rooms)
        self.linker = linker or make_linker(rooms)
        self.conversations = Conversations(rooms.workspace.conversations)
        self._model = RecordingChat(model)
        self._graph = graph(self.linker, self._model, self.tools, self.conversations.saver)
        self.kept = KeptConversations(self.conversations, self._graph)

    @classmethod
    def open(cls, folder: str | Path, model: ChatModel) -> Assistant:
        """Open a built workspace. Raises NotBuiltError."""
        return cls(Rooms(open_workspace(Path(folder))), model)

    def ask(
        self,
        question: str,
        conversation: str | None = None,
        on_step: Callable[[str, dict[str, Any]], None] = lambda _step, _data: None,
        viewer: Viewer = EVERYBODY,
        judged: Sequence[bool] = (),
        gone: Callable[[], bool] = nobody_goes,
        around: Around = unwatched,
    ) -> Answer:
        """Answer one turn. `on_step` hears of every step as it ends. viewer: who pays for noised counts.
        around: entered around each call of a tool.
        judged: of the sizes that are told, which give a small group away, where that is known from an earlier time.
        gone: whether who asked has left; their turn is given up while it has done nothing, its call of the language
        model broken off. One whose tools have run is finished and kept.

        Raises LLMUnavailableError, GoneError, UserError for a question that is too long.
        """
        if len(question) > MAX_QUESTION:
            raise UserError(
                f"question: may have {MAX_QUESTION:,} characters; got {len(question):,}.",
                f"question：最多{MAX_QUESTION:,}个字符，而给了{len(question):,}个。",
            )
        thread = conversation or uuid.uuid4().hex[:12]
        turn = Turn(question, unless_gone(gone, on_step), gone, around)
        started = time.perf_counter()
        config: Any = {"configurable": {"thread_id": thread}}
        with (
            span("turn") as opened,
            self.conversations.used(),
            listening() as replies,
            read_by(reader_of(thread), viewer, judged) as judgements,
        ):
            if self.rooms.workspace.settings.trace_content:
                note(opened, question=question, conversation=thread)
            before = self._graph.compiled.get_state(config).values
            saved = tuple(self.rooms.library.all())
            state = cast(State, self._graph.compiled.invoke({"bundle": None}, config, context=turn))
            note(opened, tool=turn.plan.tool if turn.plan else None, figures=_figures(turn))
        turn.timings["total"] = time.perf_counter() - started
        kept = {name: value for name, value in before.items() if name not in NOT_REPLAYED}
        trace = Trace(
            kept, saved, tuple(replies), self._model.identity, tuple(judgements.made), viewer.exact, viewer.k
        )
        answer = self._answer(turn, state, thread)
        return replace(answer, trace=trace, follow_ups=self._follow_ups(answer, viewer))

    def stream(
        self,
        question: str,
        conversation: str | None = None,
        on_step: Callable[[str, dict[str, Any]], None] = lambda _step, _data: None,
        viewer: Viewer = EVERYBODY,
        ended: Callable[[], None] = lambda: None,
        gone: Callable[[], bool] = nobody_goes,
        around: Around = unwatched,
    ) -> Iterator[tuple[str, Any]]:
        """(step, data) as steps end, and last ('done', Answer); an error is raised where it happened.

        `on_step` hears of a step first, and of every one, even when nobody reads on; `ended` is called after the last.
        gone, around: as in `ask`.
        """
        queue: Queue[tuple[str, Any]] = Queue()

        def hear(step: str, data: dict[str, Any]) -> None:
            on_step(step, data)
            queue.put((step, data))

        def work() -> None:
            try:
                done = self.ask(question, conversation, hear, viewer, gone=gone, around=around)
                queue.put(("done", done))
            except BaseException as error:  # noqa: BLE001 - handed to the reader, who raises it
                queue.put(("error", error))
            finally:
                ended()

        context = copy_context()  # the turn's spans belong to whoever reads on
        threading.Thread(target=context.run, args=(work,), daemon=True).start()
        while True:
            step, data = queue.get()
            if step == "error":
                raise data
            yield step, data
            if step == "done":
                return

    def warm(self) -> None:
        """Load what the first question would otherwise wait for."""
        self.rooms.warm()
        self.linker.link("warm up")

    def history(self, conversation: str, limit: int = KEPT_TURNS) -> list[dict[str, Any]]:
        """What was said in a conversation: number, question, answer, tool, definition of each of the last turns."""
        return self.kept.turns(conversation, 0, limit)[0]

    def segment(self, conversation: str) -> Node | None:
        """A conversation's current segment."""
        data = self.kept.state(conversation).get("current")
        return from_json(data) if data else None

    def set_segment(self, conversation: str, definition: Node) -> None:
        """Make an edited definition the conversation's current segment; undo takes it back. Raises DefinitionError."""
        self.rooms.audiences.size(definition)
        values, made = self.kept.state(conversation), to_json(definition)
        before = values.get("current")
        trail = [*values.get("trail", []), *([before] if before and before != made else [])]
        self.kept.put(conversation, {"current": made, "trail": trail[-KEPT_TURNS:], "led": []})

    def members(self, definition: Node) -> list[str]:
        """Source ids of the members, for export."""
        return member_ids(self.rooms, definition)

    def _follow_ups(self, answer: Answer, viewer: Viewer) -> list[str]:
        """What may be asked next: of a segment large enough to tell of, or of natural segments that were found."""
        settings, rooms = self.rooms.workspace.settings, self.rooms
        tools = [str(call["name"]) for call in answer.tool_calls]
        large = answer.segment is not None and answer.segment["size"] >= rooms.disclosure.smallest(viewer)
        if answer.clarification or answer.refused or not (large or tools[-1:] == ["discover_segments"]):
            return []
        happened = set(rooms.warehouse.happened["types"])
        here = Answerable(
            self.linker.catalogue,
            settings.currency,
            rooms.propensity.outcomes,
            bool(settings.response_rate) or {"exposure", "coupon_redeem"} <= happened,
            rooms.noise is not None and not viewer.exact,
        )
        return follow_ups(tools, "zh" if answer.language == "zh" else "en", here)

    def _answer(self, turn: Turn, state: State, thread: str) -> Answer:
        current = state.get("current")
        language = turn.link.language if turn.link else "en"
        stopped = turn.refused is not None
        segment = (
            None
            if current is None or stopped
            else describe_segment(self.rooms, from_json(current), language=language)
        )
        currency = self.rooms.workspace.settings.currency
        evidence = [evidence_json(e, currency) for e in (turn.result.evidence if turn.result else ())]
        timings = {
            name: round(turn.timings.get(name, 0.0), 4)
            for name in ("link", "plan", "check", "run", "answer", "total")
        }
        return Answer(
            turn.question,
            turn.answer,
            language,
            turn.calls,
            segment,
            evidence,
            turn.clarification,
            turn.refused,
            turn.confidence,
            timings,
            thread,
            state["turns"],
            strategy=turn.result.strategy if turn.result else None,
        )
