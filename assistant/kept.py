"""Conversations as they are kept: read, continued, listed, named, copied, deleted, and shared by a link to read.

Whatever is known of a conversation is in its checkpoints, so that what deletes or erases these leaves nothing of it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from assistant.back import KEPT_TURNS
from assistant.conversations import Conversations, is_copy
from assistant.graph import TurnGraph
from assistant.naming import checked_name
from segments.errors import NotFoundError


@dataclass(frozen=True)
class KeptConversation:
    """One of a list. title: its first question, or the name it was given; empty before the first question. turns: how
    many there were. changed_at: ISO time of the last change. shared: whether there is a link to it."""

    id: str
    title: str
    turns: int
    changed_at: str
    shared: bool


@dataclass(frozen=True)
class SharedConversation:
    """What a link shows: a page of the turns there were when it was made, of `total`. space: whose it is; exact: whether
    counts in it are exact where other people's carry noise; k: the smallest group that its owner was shown, where that
    was more than the workspace's."""

    space: str
    id: str
    title: str
    turns: list[dict[str, Any]]
    total: int
    exact: bool
    k: int


class KeptConversations:
    """The conversations of one workspace, by the id of their thread. Raises StorageError."""

    def __init__(self, conversations: Conversations, graph: TurnGraph) -> None:
        self._conversations, self._compiled = conversations, graph.compiled

    def state(self, thread: str) -> dict[str, Any]:
        """Where a conversation stands (`assistant.graph.State`); empty where there is none."""
        with self._conversations.used():
            return dict(self._compiled.get_state(_config(thread)).values)

    def put(self, thread: str, values: dict[str, Any]) -> None:
        """Change where a conversation stands; one that is not there begins so."""
        with self._conversations.used():
            self._compiled.update_state(_config(thread), values, as_node="answer")

    def turns(
        self, thread: str, offset: int = 0, limit: int = KEPT_TURNS
    ) -> tuple[list[dict[str, Any]], int]:
        """What was said: number, question, answer, tool, definition of each of the last `limit` turns before the last
        `offset` ones, in the order they were said; and how many turns there were."""
        with self._conversations.used():
            values = self._compiled.get_state(_config(thread)).values
            return self._page(thread, values, _count(values), offset, limit)

    def _page(
        self, thread: str, values: dict[str, Any], total: int, offset: int, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        """As `turns`, of the first `total` ones. Older ones than a state holds are in the states before it."""
        last = total - offset
        first = max(1, last - limit + 1)
        found: dict[int, dict[str, Any]] = {turn["number"]: turn for turn in _numbered(values)}
        if last >= first and first not in found:
            puts = self._compiled.get_state_history(_config(thread), filter={"source": "update"})
            for state in puts:
                found |= {turn["number"]: turn for turn in _numbered(state.values)}
                if first in found:
                    break
        return [found[number] for number in range(first, last + 1) if number in found], total

    def copy(self, thread: str, other: str) -> bool:
        """Copy where a conversation stands under another id; False when there is no such conversation."""
        values = {name: value for name, value in self.state(thread).items() if name != "shared"}
        if values:
            self.put(other, values)
        return bool(values)

    def keep_bundle(self, thread: str, turn: int, bundle: dict[str, Any]) -> None:
        """Keep a turn's bundle with its conversation."""
        self.put(thread, {"bundle": bundle | {"turn": turn}})

    def bundle(self, thread: str, turn: int | None = None) -> dict[str, Any] | None:
        """The bundle of a turn, of the last one by default; None where none is kept."""
        with self._conversations.used():
            values = self._compiled.get_state(_config(thread)).values
            wanted = values.get("turns") if turn is None else turn
            if turn is None or turn == values.get("turns"):
                states = [values]
            else:  # a bundle is put into a conversation's state, and stays in it until the next turn begins
                puts = self._compiled.get_state_history(_config(thread), filter={"source": "update"})
                states = [state.values for state in puts]
        found = (dict(state["bundle"]) for state in states if state.get("bundle"))
        return next((bundle for bundle in found if bundle.pop("turn") == wanted), None)

    def all(self, space: str, offset: int = 0, limit: int = 100) -> tuple[list[KeptConversation], int]:
        """Conversations of a space (the beginning of their threads, '' or 'user:'), the last changed first, and how many
        there are; copies left out."""
        with self._conversations.used():
            threads = [t for t in self._conversations.threads(space) if _listed(t.removeprefix(space))]
            states = [self._compiled.get_state(_config(t)) for t in threads[offset : offset + limit]]
        return [
            KeptConversation(
                thread.removeprefix(space),
                _title(state.values),
                int(state.values.get("turns", 0)),
                str(state.created_at),
                bool(state.values.get("shared")),
            )
            for thread, state in zip(threads[offset:], states, strict=False)
        ], len(threads)

    def rename(self, thread: str, title: str) -> str:
        """Give a conversation another title. Raises NotFoundError, UserError."""
        title = checked_name(title)
        self._known(thread)
        self.put(thread, {"title": title})
        return title

    def delete(self, thread: str) -> None:
        """Delete a conversation with its bundles and its link. Raises NotFoundError."""
        self._known(thread)
        with self._conversations.used():
            self._conversations.delete(thread)

    def share(self, thread: str, exact: bool, k: int) -> str:
        """A link's token, by which the turns there are now may be read; a token before it is no longer good. Raises
        NotFoundError."""
        turns = self._known(thread).get("turns", 0)
        secret = secrets.token_urlsafe(24)
        self.put(thread, {"shared": {"digest": _digest(secret), "turns": turns, "exact": exact, "k": k}})
        return f"{base64.urlsafe_b64encode(thread.encode()).decode().rstrip('=')}.{secret}"

    def unshare(self, thread: str) -> None:
        """End the link of a conversation. Raises NotFoundError."""
        self._known(thread)
        self.put(thread, {"shared": None})

    def shared(self, token: str, offset: int = 0, limit: int = KEPT_TURNS) -> SharedConversation:
        """What a token opens, a page of its turns as of `turns`. Raises NotFoundError, in the same words whether there was
        one or not."""
        name, _, secret = token.partition(".")
        try:
            thread = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
        except (binascii.Error, UnicodeError):
            thread = ""
        values = self.state(thread) if thread else {}
        link = values.get("shared")
        if not link or not hmac.compare_digest(link["digest"], _digest(secret)):
            raise NotFoundError(
                "There is no shared conversation at this link, or it is no longer shared.",
                "这个链接没有共享的对话，或已停止共享。",
            )
        with self._conversations.used():
            turns, total = self._page(thread, values, link["turns"], offset, limit)
        space, colon, own = thread.rpartition(":")
        exact, k = bool(link["exact"]), int(link.get("k", 0))
        return SharedConversation(space + colon, own, _title(values), turns, total, exact, k)

    def _known(self, thread: str) -> dict[str, Any]:
        values = self.state(thread)
        if not values:
            own = thread.rpartition(":")[2]
            raise NotFoundError(f"There is no conversation '{own}'.", f"没有对话“{own}”。")
        return values


def _config(thread: str) -> Any:
    return {"configurable": {"thread_id": thread}}


def _listed(name: str) -> bool:
    return ":" not in name and not is_copy(name)


def _title(values: dict[str, Any]) -> str:
    """The one given, else the first question that is known."""
    history = values.get("history") or [{"question": ""}]
    return str(values.get("title") or history[0]["question"])


def _count(values: dict[str, Any]) -> int:
    return int(values.get("turns", len(values.get("history", []))))


def _numbered(values: dict[str, Any]) -> list[dict[str, Any]]:
    history = values.get("history", [])
    first = _count(values) - len(history) + 1
    return [{"number": number} | turn for number, turn in enumerate(history, first)]


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
