"""Looking at addresses: which port is free, and which language model answers where."""

from __future__ import annotations

import socket
from pathlib import PurePath

import httpx

from segments.errors import LLMUnavailableError

ANSWER_SECONDS = 3.0
ADAPTER_SECONDS = 60.0
"""A llama.cpp that is at work lists its adapters only when it has read the prompt at hand."""
SKETCH = "sketch"
"""What the name of an adapter begins with that writes sketches (`assistant.sketch`)."""


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


def served_adapter(base_url: str) -> str:
    """The name of the sketch adapter that the server has beside its model: vLLM lists it as a model, llama.cpp apart.

    Empty when it has none. Raises LLMUnavailableError for a server that does not say: without its adapter it would be asked
    otherwise, and answer otherwise.
    """
    try:
        models = httpx.get(f"{base_url.rstrip('/')}/models", timeout=ADAPTER_SECONDS).json()["data"]
        named = [str(model["id"]) for model in models if str(model["id"]).startswith(SKETCH)]
        if named:
            return named[0]
        listed = httpx.get(base_url.removesuffix("/v1") + "/lora-adapters", timeout=ADAPTER_SECONDS)
        paths = [str(adapter["path"]) for adapter in listed.json()] if listed.status_code == 200 else []
        return next((PurePath(path).stem for path in paths if PurePath(path).stem.startswith(SKETCH)), "")
    except httpx.HTTPError as error:
        raise LLMUnavailableError(
            f"The language model's server at {base_url} does not say which adapters it has ({type(error).__name__}); "
            "it is busy or gone: try again, or see segassist doctor."
        ) from error
    except (httpx.InvalidURL, ValueError, KeyError, TypeError):
        return ""


def health_of(base_url: str) -> str:
    """Where a server says whether it is ready; vLLM and llama.cpp have it at the same place."""
    return f"{base_url.removesuffix('/v1')}/health"


def healthy(base_url: str) -> bool:
    """Whether the server itself says it is ready."""
    try:
        return httpx.get(health_of(base_url), timeout=ANSWER_SECONDS).status_code == 200
    except httpx.HTTPError:
        return False
