"""The embedded LLM server: llama.cpp (xllamacpp) in a process of its own, speaking the OpenAI protocol.

    python -m serving.llm.embedded --model FILE.gguf --port 8081

One slot on purpose: every turn begins with the same instructions, and with one slot the prompt cache
always holds them; turns of several users queue. The process ends with the parent that it was given.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path

CONTEXT_TOKENS = 4096
"""The plan's instructions, examples and message take under 2,000 tokens; the answer under 200."""
PARENT_CHECK_SECONDS = 1.0


def threads() -> int:
    """Cores this process may use: more threads than cores slow llama.cpp down."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def serve(model: Path, host: str, port: int, parent: int | None) -> None:
    """Serve until interrupted (or until the parent process is gone)."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {model.stem}
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = threads()
    parameters.cpuparams_batch.n_threads = threads()
    parameters.cache_prompt = True
    parameters.endpoint_metrics = True
    parameters.hostnames = [host]
    parameters.port = port
    server = xllamacpp.Server(parameters)
    print(f"serving {model.name} at {server.listening_address}", flush=True)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    while not stop.wait(PARENT_CHECK_SECONDS):
        if parent is not None and os.getppid() != parent:
            break
    # llama.cpp's own threads would otherwise hold the process while a request runs.
    os._exit(0)


def main() -> None:
    """Command line of the server process."""
    parser = argparse.ArgumentParser(description="Serve a GGUF over the OpenAI protocol.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--parent", type=int, default=None)
    arguments = parser.parse_args()
    serve(arguments.model, arguments.host, arguments.port, arguments.parent)


if __name__ == "__main__":
    main()
