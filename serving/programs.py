"""What programs use, on one port: the API and the MCP server, from one process or several. Without the page, whose
library takes seconds to load."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from uvicorn.config import LOGGING_CONFIG
from uvicorn.supervisors import Multiprocess

from assistant.llm import OpenAIChat
from segments.errors import DataError, PortInUseError
from serving.callers import users_of
from serving.cli import llm_for
from serving.http.api import create_api
from serving.http.guard import THIS_MACHINE
from serving.llm.probe import port_is_free, served_model
from serving.logs import in_json, start_logging
from serving.mcp import create_mcp
from serving.metrics import counting_together
from serving.service import Service
from serving.tracing import start_tracing

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is held: longer than proxies (60 s) and clients hold theirs, so that none sends a request
into one that is being closed."""
SHUTDOWN_SECONDS = 45
"""How long a server that is told to end lets requests be answered: a turn on two cores takes that long at times. What
stops it (deploy/segassist.service, compose.yaml) waits 60 s, in which export jobs are handed back and the language model
ends too."""
WORKSPACE_VARIABLE, LLM_VARIABLE = "SEGASSIST_SERVED_WORKSPACE", "SEGASSIST_SERVED_LLM"


def create_programs(service: Service, ready: Callable[[], dict[str, str]] = dict) -> FastAPI:
    """API under /v1, MCP at /mcp."""
    api = create_api(service, ready)
    # The guard has looked at Host and Origin before; a second look would know no name but localhost.
    open_ = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    mcp = create_mcp(service).streamable_http_app(
        stateless_http=True, json_response=True, transport_security=open_
    )
    api.router.routes[:0] = mcp.routes
    _add_lifespan(api, mcp)
    return api


def serve_api(
    workspace: Path, host: str, port: int, workers: int, certificate: Path | None, key: Path | None
) -> None:
    """Serve API and MCP from several processes that share the state, until interrupted."""
    check_port(host, port)
    check_access(workspace, host)
    start_logging()
    with llm_for(workspace) as server:
        os.environ[WORKSPACE_VARIABLE] = str(workspace.absolute())
        os.environ[LLM_VARIABLE] = json.dumps(
            [server.base_url, server.model, server.chat.adapter, server.at_once]
        )
        say_ready(host, port, certificate, f"{workers} workers; API docs: /docs; Ctrl-C stops it")
        options = uvicorn_options(host, port, certificate, key)
        if workers == 1:
            uvicorn.run("serving.programs:worker", factory=True, **options)
        else:
            config = uvicorn.Config("serving.programs:worker", factory=True, workers=workers, **options)
            with counting_together():
                Multiprocess(config, sockets=[listen(config)]).run()


def listen(config: uvicorn.Config) -> socket.socket:
    """The socket that several processes accept from, whose connections send what they have at once."""
    listening = config.bind_socket()
    # asyncio does so with sockets it makes itself; without it an answer waits 40 ms for the client's ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def worker() -> FastAPI:
    """The app of one process of `serve_api`, which says in the environment what it is to serve."""
    start_logging()
    start_tracing()
    base_url, model, adapter, at_once = json.loads(os.environ[LLM_VARIABLE])
    chat = OpenAIChat(base_url, model, adapter=adapter)
    service = Service.open(Path(os.environ[WORKSPACE_VARIABLE]), chat, at_once)
    return create_programs(service, lambda: {"language model": model_answers(base_url)})


def check_port(host: str, port: int) -> None:
    """Raise PortInUseError when somebody listens on the port."""
    if not port_is_free(host, port):
        raise PortInUseError(f"Port {port} on {host} is in use; choose another with --port.")


def check_access(workspace: Path, host: str) -> None:
    """Raise DataError when strangers could reach a server that asks nobody who they are."""
    if host not in THIS_MACHINE and not users_of(workspace).on:
        raise DataError(
            f"--host {host} is reached from other machines, and there are no users; first run: "
            f"segassist users add NAME --role admin --workspace {workspace}"
        )


def model_answers(base_url: str) -> str:
    """'ok', or what is wrong with the language model."""
    if served_model(base_url):
        return "ok"
    return f"The language model at {base_url} does not answer; start it again."


def uvicorn_options(host: str, port: int, certificate: Path | None, key: Path | None) -> dict[str, Any]:
    """What every server of ours is started with."""
    return {
        "host": host,
        "port": port,
        "log_level": "warning",
        "log_config": None if in_json() else LOGGING_CONFIG,
        "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "server_header": False,
        "ssl_certfile": certificate,
        "ssl_keyfile": key,
    }


def say_ready(host: str, port: int, certificate: Path | None, about: str) -> None:
    """Tell the person who started it where it is."""
    scheme = "https" if certificate else "http"
    print(f"\nsegment-assistant is ready: {scheme}://{host}:{port}   ({about})", flush=True)


def _add_lifespan(api: FastAPI, mcp: Starlette) -> None:
    before = api.router.lifespan_context

    @asynccontextmanager
    async def both(app: FastAPI) -> AsyncIterator[Any]:
        async with before(app) as state, mcp.router.lifespan_context(mcp):
            yield state

    api.router.lifespan_context = both
