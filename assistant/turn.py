"""What a conversation remembers between turns, and what one turn needs while it is at work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypedDict

from assistant.linking.link import Confidence, Link
from assistant.plan import Plan
from assistant.run import Around, unwatched
from assistant.tools import ToolResult
from assistant.wanted import nobody_goes
from segments.errors import Sentence


class State(TypedDict, total=False):
    """What a conversation remembers: the current segment, the ones before it, and what was said.

    planned: goal, budget, segment (its hash) and own terms of the last plan. discovery: of the natural segments shown last.
    called: the tool calls of the last turn that made any. rests: what its answer rests on, each line in English and
    Chinese; grouped: the same of the natural segments shown last. led: the messages that defined the current segment and
    edited it since; none where it came in another way.
    turns: how many there were, of which history has the last ones.
    bundle: the last turn's, until the next one begins.
    title: the first question, or the name that was given. shared: the link by which others may read it, if any.
    """

    current: dict[str, Any] | None
    trail: list[dict[str, Any]]
    history: list[dict[str, Any]]
    pending: dict[str, Any] | None
    planned: dict[str, Any] | None
    discovery: str | None
    called: list[dict[str, Any]]
    rests: list[list[str]]
    grouped: list[list[str]]
    led: list[str]
    turns: int
    bundle: dict[str, Any] | None
    title: str
    shared: dict[str, Any] | None


Emit = Callable[[str, dict[str, Any]], None]
"""Called with a step's name (link, plan, check, run, words, answer) and what to show of it."""


@dataclass
class Turn:
    """One turn at work. said: what is left to read of the question once it has gone to another segment
    (`assistant.moves`), all of it for most; moved: what going there changes of the conversation's state, kept when the
    turn has a result. steps: the tools of a message that asks for several, each with what its words hold; `link` is of
    the rest. gone: whether who asked has left. around: entered around each tool. stopped: why one of the steps could
    not be run. mended: whether the plan is not the model's own. gave_way: why the edit that was chosen gave way to
    another.
    """

    question: str
    emit: Emit
    gone: Callable[[], bool] = nobody_goes
    around: Around = unwatched
    said: str = ""
    moved: State = field(default_factory=lambda: State())
    timings: dict[str, float] = field(default_factory=dict)
    link: Link | None = None
    steps: tuple[tuple[str, Link], ...] = ()
    stopped: str | None = None
    plan: Plan | None = None
    correction: str | None = None
    repairs: int = 0
    mended: bool = False
    gave_way: list[Sentence] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    result: ToolResult | None = None
    answer: str = ""
    clarification: str | None = None
    refused: str | None = None

    @property
    def steps_alone(self) -> bool:
        """Whether the message asks for steps only, and describes nobody: then its link is the first one's."""
        return bool(self.steps) and self.link is self.steps[0][1]

    @property
    def confidence(self) -> Confidence | None:
        """In the description that the answer rests on; None where it rests on none, or on one that was read once."""
        rests = self.result is not None and self.plan is not None and self.plan.read_twice
        return self.link.confidence if self.link is not None and rests else None
