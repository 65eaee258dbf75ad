"""The web server: API, MCP and chat page on one port, over one service and one language model server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from serving.cli import llm_for
from serving.logs import start_logging
from serving.page.composition import let_go_of_pages, mount_pages
from serving.programs import (
    check_access,
    check_port,
    create_programs,
    model_answers,
    say_ready,
    uvicorn_options,
)
from serving.service import Service
from serving.terminal import steps
from serving.tracing import start_tracing


def create_app(service: Service, ready: Callable[[], dict[str, str]] = dict) -> FastAPI:
    """API under /v1, MCP at /mcp, page at / and (in Chinese) at /zh."""
    return mount_pages(create_programs(service, ready), service)


def serve_web(workspace: Path, host: str, port: int, certificate: Path | None, key: Path | None) -> None:
    """Start everything and serve until interrupted."""
    check_port(host, port)
    check_access(workspace, host)
    start_logging()
    start_tracing()
    with llm_for(workspace) as server, steps() as progress:
        report = progress("Open the workspace")
        service = Service.open(workspace, server.chat, server.at_once)
        report(0.3, "rooms open")
        service.assistant.warm()
        report(1.0, f"language model: {server.backend} ({server.reason})")
        app = create_app(service, lambda: {"language model": model_answers(server.base_url)})
        who = "sign in with an API key" if service.users.on else "no users: this machine only"
        say_ready(host, port, certificate, f"{who}; API docs: /docs; Ctrl-C stops it")
        WebServer(app, uvicorn.Config(app, **uvicorn_options(host, port, certificate, key))).run()


class WebServer(uvicorn.Server):
    """A server that ends once what was asked is answered, although pages are open."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; at the latest after the config's `timeout_graceful_shutdown`."""
        letting_go = asyncio.create_task(let_go_of_pages(self.app))
        await super().shutdown(sockets)
        letting_go.cancel()


__all__ = ["create_app", "serve_web"]
