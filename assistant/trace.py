"""What a turn started from and what the language model said in it: enough to run the turn again without the model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

from assistant.library import SavedSegment
from assistant.llm import ChatModel, TunedModel, tuned
from segments.errors import LLMUnavailableError, ModelRetryError


@dataclass(frozen=True)
class Reply:
    """One answer of the language model: to what (the digest of messages and schema), what it said (None: nothing that
    could be read), and the probability that it gave to that, where it was asked for it."""

    asked: str
    said: dict[str, Any] | str | None
    probability: float | None = None


@dataclass(frozen=True)
class Trace:
    """state: the conversation before the turn, without what was said in it. library: the saved segments then.
    judged: of each size that was told, whether it would give a small group away. exact: whether counts were without noise.
    k: the smallest group that the asker's role is shown, where that is more than the workspace's.
    """

    state: dict[str, Any]
    library: tuple[SavedSegment, ...]
    replies: tuple[Reply, ...]
    model: dict[str, Any]
    judged: tuple[bool, ...] = ()
    exact: bool = False
    k: int = 0


_heard: ContextVar[list[Reply] | None] = ContextVar("heard", default=None)


@contextmanager
def listening() -> Iterator[list[Reply]]:
    """Collects what a `RecordingChat` is told inside the block, in this thread and those it hands its context to."""
    heard: list[Reply] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


class RecordingChat:
    """A `ChatModel` that writes down what the model below it says."""

    def __init__(self, model: ChatModel) -> None:
        self.model = model

    def json(self, messages: list[tuple[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """One completion under a schema."""
        with _noting_unread(messages, schema):
            said = self.model.json(messages, schema)
        _note(Reply(digest(messages, schema), said))
        return said

    def stream(self, messages: list[tuple[str, str]]) -> Iterator[str]:
        """A free-text completion; written down when it has come to its end."""
        pieces = []
        for piece in self.model.stream(messages):
            pieces.append(piece)
            yield piece
        _note(Reply(digest(messages), "".join(pieces)))

    @property
    def tuned(self) -> RecordingAdapter | None:
        """The model with its adapter, whose answers are written down among the others."""
        adapted = tuned(self.model)
        return None if adapted is None else RecordingAdapter(adapted)

    @property
    def identity(self) -> dict[str, Any]:
        """What is known of the model: name, address, seed, SHA-256 of its weights."""
        return dict(getattr(self.model, "identity", {}))


@dataclass(frozen=True)
class RecordingAdapter:
    """A `TunedModel` that writes down what the model below it says."""

    model: TunedModel

    def weighed(
        self, messages: list[tuple[str, str]], schema: dict[str, Any], draw: int = 0
    ) -> tuple[dict[str, Any], float]:
        """One completion under a schema, and its probability."""
        with _noting_unread(messages, schema):
            said, probability = self.model.weighed(messages, schema, draw)
        _note(Reply(digest(messages, schema), said, probability))
        return said, probability


class ReplayedChat:
    """A `ChatModel` that says again what was written down, in that order.

    differing: the numbers (from 1) of the calls that were asked something else than then.
    """

    def __init__(self, replies: Sequence[Reply], adapted: bool = False) -> None:
        self._replies = list(replies)
        self.tuned = self if adapted else None
        self.asked, self.differing = 0, list[int]()

    def __len__(self) -> int:
        return len(self._replies)

    def json(self, messages: list[tuple[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """The recorded object. Raises ModelRetryError as the model did, LLMUnavailableError when none is left."""
        return self.weighed(messages, schema)[0]

    def weighed(
        self, messages: list[tuple[str, str]], schema: dict[str, Any], draw: int = 0
    ) -> tuple[dict[str, Any], float]:
        """The recorded object and its probability; a bundle from before 0.6 holds none, which counts as certain."""
        reply = self._next(digest(messages, schema))
        if reply.said is None:
            raise ModelRetryError("The recorded answer could not be read.")
        said = reply.said if isinstance(reply.said, dict) else {}
        return said, 1.0 if reply.probability is None else reply.probability

    def stream(self, messages: list[tuple[str, str]]) -> Iterator[str]:
        """The recorded text. Raises LLMUnavailableError when none is left."""
        yield str(self._next(digest(messages)).said)

    def _next(self, asked: str) -> Reply:
        self.asked += 1
        if self.asked > len(self._replies):
            raise LLMUnavailableError(
                f"The turn asks the language model a {self.asked}. time, but the bundle holds "
                f"{len(self._replies)} of its answers; replay it with --ask-model."
            )
        reply = self._replies[self.asked - 1]
        if reply.asked != asked:
            self.differing.append(self.asked)
        return reply


def digest(messages: Sequence[tuple[str, str]], schema: dict[str, Any] | None = None) -> str:
    """16 hex digits of what a model is asked."""
    text = json.dumps([list(messages), schema], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def _noting_unread(messages: Sequence[tuple[str, str]], schema: dict[str, Any]) -> Iterator[None]:
    """Writes down that an answer could not be read: the replay has to come to the same place."""
    try:
        yield
    except ModelRetryError:
        _note(Reply(digest(messages, schema), None))
        raise


def reply_json(reply: Reply) -> dict[str, Any]:
    """A reply as JSON."""
    return asdict(reply)


def _note(reply: Reply) -> None:
    heard = _heard.get()
    if heard is not None:
        heard.append(reply)
