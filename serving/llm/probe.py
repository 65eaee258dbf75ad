"""Looking at addresses: which port is free, and which language model answers where."""

from __future__ import annotations

import socket

import httpx

ANSWER_SECONDS = 3.0


def free_port(host: str) -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there. A port that has just been given up counts as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def url_of(host: str, port: int) -> str:
    """The base URL for a client on this machine."""
    return f"http://{'127.0.0.1' if host in ('', '0.0.0.0') else host}:{port}/v1"


def served_model(base_url: str) -> str | None:
    """The name of the model that answers at the URL, or None when nothing does."""
    try:
        answer = httpx.get(f"{base_url.rstrip('/')}/models", timeout=ANSWER_SECONDS)
        answer.raise_for_status()
        return str(answer.json()["data"][0]["id"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, IndexError, TypeError):
        return None


def healthy(base_url: str) -> bool:
    """Whether the server's own `/health` (vLLM and llama.cpp both have it) says it is ready."""
    try:
        return httpx.get(base_url.removesuffix("/v1") + "/health", timeout=ANSWER_SECONDS).status_code == 200
    except httpx.HTTPError:
        return False
