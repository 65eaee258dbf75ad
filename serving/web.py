"""The web server: API, MCP and chat page on one port, over one service and one language model server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette

from assistant.llm import OpenAIChat
from assistant.workspace import open_workspace
from segments.errors import DataError, PortInUseError
from serving.cli import llm_for
from serving.http.api import create_api
from serving.http.guard import THIS_MACHINE, caller_of
from serving.llm.probe import port_is_free, served_model
from serving.mcp import create_mcp
from serving.service import Service
from serving.terminal import steps
from serving.ui import CSS, create_page
from serving.users import Users

# Fonts of the reader's own system: the default theme would fetch its fonts from another company's server.
THEME = gr.themes.Soft(
    font=["system-ui", "Noto Sans CJK SC", "sans-serif"], font_mono=["ui-monospace", "monospace"]
)


def create_app(service: Service, ready: Callable[[], dict[str, str]] = dict) -> FastAPI:
    """API under /v1, MCP at /mcp, page at /."""
    api = create_api(service, ready)
    # The guard has looked at Host and Origin before; a second look would know no name but localhost.
    open_ = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    mcp = create_mcp(service).streamable_http_app(
        stateless_http=True, json_response=True, transport_security=open_
    )
    api.router.routes[:0] = mcp.routes
    _add_lifespan(api, mcp)
    page = create_page(service).queue(default_concurrency_limit=8)
    return gr.mount_gradio_app(
        api,
        page,
        path="/",
        theme=THEME,
        css=CSS,
        run_history=False,
        footer_links=[],
        auth_dependency=lambda request: caller_of(request.scope).name,
    )


def _add_lifespan(api: FastAPI, mcp: Starlette) -> None:
    before = api.router.lifespan_context

    @asynccontextmanager
    async def both(app: FastAPI) -> AsyncIterator[Any]:
        async with before(app) as state, mcp.router.lifespan_context(mcp):
            yield state

    api.router.lifespan_context = both


def check_port(host: str, port: int) -> None:
    """Raise PortInUseError when somebody listens on the port."""
    if not port_is_free(host, port):
        raise PortInUseError(f"Port {port} on {host} is in use; choose another with --port.")


def check_access(workspace: Path, host: str) -> None:
    """Raise DataError when strangers could reach a server that asks nobody who they are."""
    if host not in THIS_MACHINE and not Users(open_workspace(workspace).state).on:
        raise DataError(
            f"--host {host} is reached from other machines, and there are no users; first run: "
            f"segassist users add NAME --role admin --workspace {workspace}"
        )


def serve_web(workspace: Path, host: str, port: int, certificate: Path | None, key: Path | None) -> None:
    """Start everything and serve until interrupted."""
    check_port(host, port)
    check_access(workspace, host)
    with llm_for(workspace) as server, steps() as progress:
        report = progress("Open the workspace")
        service = Service.open(workspace, OpenAIChat(server.base_url, server.model, sha256=server.sha256))
        report(0.3, "rooms open")
        service.assistant.warm()
        report(1.0, f"language model: {server.backend} ({server.reason})")
        app = create_app(service, lambda: {"language model": _answers(server.base_url)})
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=3,
            server_header=False,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        scheme = "https" if certificate else "http"
        who = "sign in with an API key" if service.users.on else "no users: this machine only"
        print(
            f"\nsegment-assistant is ready: {scheme}://{host}:{port}   ({who}; API docs: /docs; Ctrl-C stops it)",
            flush=True,
        )
        uvicorn.Server(config).run()


def _answers(base_url: str) -> str:
    return (
        "ok"
        if served_model(base_url)
        else f"The language model at {base_url} does not answer; start it again."
    )


__all__ = ["check_access", "check_port", "create_app", "serve_web"]
