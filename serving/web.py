"""The web server: API and chat page on one port, over one assistant and one language model server."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI

from assistant.app import Assistant
from assistant.llm import OpenAIChat
from segments.errors import PortInUseError
from serving.api import create_api
from serving.cli import llm_for
from serving.llm.probe import port_is_free
from serving.terminal import steps
from serving.ui import CSS, create_page

# Fonts of the reader's own system: the default theme would fetch its fonts from another company's server.
THEME = gr.themes.Soft(
    font=["system-ui", "Noto Sans CJK SC", "sans-serif"], font_mono=["ui-monospace", "monospace"]
)


def create_app(assistant: Assistant) -> FastAPI:
    """API under /v1 and /healthz, page at /."""
    api = create_api(assistant)
    page = create_page(assistant).queue(default_concurrency_limit=8)
    return gr.mount_gradio_app(api, page, path="/", theme=THEME, css=CSS, run_history=False, footer_links=[])


def check_port(host: str, port: int) -> None:
    """Raise PortInUseError when somebody listens on the port."""
    if not port_is_free(host, port):
        raise PortInUseError(f"Port {port} on {host} is in use; choose another with --port.")


def serve_web(workspace: Path, host: str, port: int) -> None:
    """Start everything and serve until interrupted."""
    check_port(host, port)
    with llm_for(workspace) as server, steps() as progress:
        report = progress("Open the workspace")
        assistant = Assistant.open(workspace, OpenAIChat(server.base_url, server.model))
        report(0.3, "rooms open")
        assistant.warm()
        report(1.0, f"language model: {server.backend} ({server.reason})")
        app = create_app(assistant)
        config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=3)
        print(
            f"\nsegment-assistant is ready: http://{host}:{port}   (API docs: /docs; Ctrl-C stops it)",
            flush=True,
        )
        uvicorn.Server(config).run()


__all__ = ["check_port", "create_app", "serve_web"]
