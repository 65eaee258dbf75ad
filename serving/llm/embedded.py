"""The embedded LLM server: llama.cpp (xllamacpp) in a process of its own, speaking the OpenAI protocol.

    python -m serving.llm.embedded --model FILE.gguf --port 8081

Every plan begins with the same instructions, so a slot is theirs alone and always holds them; turns of several users
queue. What an adapter has read is of no use without it, so it has a slot of its own; whatever else is asked (copy,
reviews) has the last.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

CONTEXT_TOKENS = 8192
"""As vLLM's: a prompt that fits one backend fits the other. 235 MB of cache for the 1.5B model."""
NO_STATES_IN_MEMORY = 0
"""MiB of prompt states that llama.cpp keeps beside its slots. With any, two requests at the same time get each other's
answers: one of four users' messages was answered with another's segment (ggml-org/llama.cpp#27148)."""
ALIKE = 0.5
"""Which share of a prompt has to be in a slot already for it to be taken, of clients that name none: else the oldest is."""
SPIN = "1000"
"""How long a thread spins for the others before it sleeps. With libgomp's default one busy process beside
the server slowed writing from 29 to 0.3 tokens/s (2 cores); with this, to 13, and alone it is as fast."""
CPU = Path("/sys/devices/system/cpu")
QUOTA = Path("/sys/fs/cgroup/cpu.max")


def slots(adapter: bool) -> int:
    """Of the instructions, of what begins otherwise, and of the adapter where there is one."""
    return 3 if adapter else 2


def cores() -> int:
    """Physical cores this process may use: with more threads than that, llama.cpp's threads wait for each
    other while spinning, and everything takes many times as long."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    physical = len({_siblings(cpu) for cpu in allowed})
    return max(1, min(physical, _quota()))


def _siblings(cpu: int) -> str:
    """What the hardware threads of one core have in common."""
    try:
        return (CPU / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text()
    except OSError:
        return str(cpu)


def _quota() -> int:
    """Cores a container may use (cgroup v2: 'max 100000' or '200000 100000' microseconds)."""
    try:
        used, period = QUOTA.read_text().split()
        return sys.maxsize if used == "max" else max(1, int(used) // int(period))
    except (OSError, ValueError):
        return sys.maxsize


def serve(
    model: Path, host: str, port: int, threads: int, states: Path | None = None, adapter: Path | None = None
) -> None:
    """Serve until SIGTERM or SIGINT. states: folder where prompt states may be saved (serving.llm.warm). adapter: a LoRA
    that only the requests use which ask for it."""
    # libgomp reads it once, when llama.cpp's library is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {model.stem}
    parameters.n_parallel = slots(adapter is not None)
    parameters.n_ctx = CONTEXT_TOKENS * parameters.n_parallel
    if adapter is not None:
        info = xllamacpp.CommonAdapterLoraInfo()
        # A scale of its own in the request brings the adapter in; of any other request it has no part.
        info.path, info.scale = str(adapter), 0.0
        parameters.lora_adapters = [info]
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.cache_prompt = True
    parameters.slot_prompt_similarity = ALIKE
    parameters.cache_ram_mib = NO_STATES_IN_MEMORY
    parameters.cache_idle_slots = False
    parameters.endpoint_metrics = True
    # /slots shows the prompts of others, and llama.cpp answers every web page's script by default.
    parameters.endpoint_slots = False
    parameters.ui = False
    parameters.cors_origins = ""
    if states is not None:
        parameters.slot_save_path = f"{states}{os.sep}"
    parameters.hostnames = [host]
    parameters.port = port
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    server = xllamacpp.Server(parameters)
    print(f"serving {model.name} at {server.listening_address} with {threads} threads", flush=True)
    stop.wait()
    # llama.cpp's own threads would otherwise hold the process while a request runs.
    os._exit(0)


def main() -> None:
    """Command line of the server process."""
    parser = argparse.ArgumentParser(description="Serve a GGUF over the OpenAI protocol.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=0, help="0: the physical cores it may use")
    parser.add_argument("--states", type=Path, default=None, help="folder of saved prompt states")
    parser.add_argument("--adapter", type=Path, default=None, help="a LoRA adapter in GGUF")
    arguments = parser.parse_args()
    threads = arguments.threads or cores()
    serve(arguments.model, arguments.host, arguments.port, threads, arguments.states, arguments.adapter)


if __name__ == "__main__":
    main()
