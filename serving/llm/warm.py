"""Lets a server read the instructions before the first question, once for good.

The instructions and examples are the same every turn; reading them takes the embedded server 10 s for 740
tokens on 2 cores. What it computed (21 MB) is kept in the run folder, so later starts restore it in
milliseconds. It holds the instructions only, never a question.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import httpx

from assistant.llm import PLAIN
from segments.errors import LLMUnavailableError
from serving.llm.server import RunningLLM

READ_SECONDS = 300.0
ROLES = {"human": "user", "ai": "assistant"}


def warm(server: RunningLLM, messages: Sequence[tuple[str, str]]) -> bool:
    """Put the unchanging `messages` (role, text) into the server's prompt cache.

    Returns True when a saved state was restored. Raises LLMUnavailableError.
    """
    state = None if server.states is None else server.states / _name(server.model, messages)
    try:
        if state is not None and state.exists() and _slot(server, "restore", state.name):
            return True
        _read(server, messages)
        if state is not None and _slot(server, "save", f"{state.name}.partial"):
            os.replace(f"{state}.partial", state)
            _forget_others(state)
    except httpx.HTTPError as error:
        raise LLMUnavailableError(
            f"The language model at {server.base_url} did not read its instructions ({error}); "
            f"start it again with: segassist serve llm"
        ) from error
    return False


def _name(model: str, messages: Sequence[tuple[str, str]]) -> str:
    """A name that changes with anything that the state depends on."""
    said = json.dumps([model, version("xllamacpp"), list(messages)], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:24] + ".state"


def _slot(server: RunningLLM, action: str, name: str) -> bool:
    url = f"{server.base_url.removesuffix('/v1')}/slots/0"
    answer = httpx.post(url, params={"action": action}, json={"filename": name}, timeout=READ_SECONDS)
    return answer.status_code == 200


def _read(server: RunningLLM, messages: Sequence[tuple[str, str]]) -> None:
    shown = [{"role": ROLES.get(role, role), "content": text} for role, text in messages]
    body = {"model": server.model, "messages": shown, "max_tokens": 1, "temperature": 0} | PLAIN
    httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=READ_SECONDS).raise_for_status()


def _forget_others(state: Path) -> None:
    for old in state.parent.iterdir():
        if old != state:
            old.unlink(missing_ok=True)
