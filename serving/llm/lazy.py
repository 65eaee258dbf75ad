"""A language model that is found or started when the first question comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from assistant.llm import ChatModel, TunedModel, tuned, writer


class Server(Protocol):
    """Where a language model answers."""

    @property
    def chat(self) -> ChatModel:
        """A client of it."""
        ...


class LazyChat:
    """A `ChatModel` over the server that `find` opens; closed with `close`."""

    def __init__(self, find: AbstractContextManager[Server]) -> None:
        self._find, self._stack, self._lock = find, ExitStack(), threading.Lock()
        self._chat: ChatModel | None = None

    def _opened(self) -> ChatModel:
        with self._lock:
            if self._chat is None:
                server = self._stack.enter_context(self._find)
                self._chat = server.chat
            return self._chat

    def json(self, messages: list[tuple[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """One completion under a schema."""
        return self._opened().json(messages, schema)

    def stream(self, messages: list[tuple[str, str]]) -> Iterator[str]:
        """A free-text completion."""
        return self._opened().stream(messages)

    @property
    def tuned(self) -> TunedModel | None:
        """The model with its adapter, if the server has one."""
        return tuned(self._opened())

    @property
    def writer(self) -> ChatModel:
        """The model for what is no plan."""
        return writer(self._opened())

    @property
    def identity(self) -> dict[str, Any]:
        """What is known of the model, once it was asked."""
        return dict(getattr(self._chat, "identity", {}))

    def close(self) -> None:
        """Stop what was started."""
        self._stack.close()
