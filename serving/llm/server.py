"""One LLM server for the assistant, whichever backend runs it.

`start` launches vLLM or the embedded server, waits until it answers, and records it in the run folder so
that other commands use it; `running` finds a recorded server that is alive.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import httpx

from segments.errors import LLMUnavailableError, OperatorError, PortInUseError
from segments.ports import Progress, silent
from serving.llm.weights import ensure_model, own_model

RECORD = "llm.json"
START_SECONDS = {"embedded": 120, "vllm": 900}
GRACE_SECONDS = 5
VLLM_MODEL = "Qwen/Qwen3-8B"
"""What vLLM serves unless settings name another: the class of model DESIGN names for one GPU."""


@dataclass(frozen=True)
class LLMSettings:
    """backend: auto, embedded or vllm. model: a GGUF path (embedded), a path or hub name (vllm); '' = default."""

    backend: str = "auto"
    model: str = ""
    host: str = "127.0.0.1"
    port: int = 0


@dataclass
class RunningLLM:
    """A server that answers. `stop` ends it only if this process started it."""

    base_url: str
    model: str
    backend: str
    reason: str
    pid: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    record: Path | None = None

    def __enter__(self) -> RunningLLM:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Terminate the server's process group; kill it after a grace time."""
        if self.process is None:
            return
        _end(self.process)
        self.process = None
        if self.record is not None:
            self.record.unlink(missing_ok=True)


def has_gpu() -> bool:
    """Whether an NVIDIA GPU answers."""
    if shutil.which("nvidia-smi") is None:
        return False
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and b"GPU" in done.stdout


def choose_backend(asked: str) -> tuple[str, str]:
    """(backend, why). Raises OperatorError when the one asked for cannot run here."""
    gpu, vllm = has_gpu(), find_spec("vllm") is not None
    if asked == "embedded":
        return "embedded", "asked for"
    if asked == "vllm":
        if not vllm:
            raise OperatorError("vLLM is not installed; run: pip install 'segment-assistant[gpu]'")
        return "vllm", "asked for"
    if asked != "auto":
        raise OperatorError(f"llm backend: '{asked}' is not one of auto, embedded, vllm.")
    if gpu and vllm:
        return "vllm", "a GPU and vLLM are present"
    missing = "no GPU was found" if not gpu else "vLLM is not installed"
    return "embedded", f"{missing}, so the embedded server runs on the CPU"


def start(
    settings: LLMSettings, run_folder: Path, progress: Progress = silent, *, keep: bool = False
) -> RunningLLM:
    """Start a server and wait until it answers.

    keep: it outlives this process (a daemon); else it ends with it. Raises PortInUseError,
    LLMUnavailableError (with the end of the server's log), OperatorError.
    """
    backend, reason = choose_backend(settings.backend)
    port = settings.port or free_port(settings.host)
    if settings.port and not _port_is_free(settings.host, settings.port):
        raise PortInUseError(
            f"Port {settings.port} on {settings.host} is in use; choose another with --port."
        )
    if backend == "embedded":
        model = own_model(Path(settings.model)) if settings.model else ensure_model(progress=progress)
        command, name = embedded_command(model, settings.host, port, keep), model.stem
    else:
        name = settings.model or VLLM_MODEL
        command = vllm_command(name, settings.host, port)
    run_folder.mkdir(parents=True, exist_ok=True)
    log = run_folder / f"llm-{backend}.log"
    progress(0.0, f"starting {backend} server for {name}")
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    url = f"http://{settings.host}:{port}/v1"
    try:
        _wait(process, url, log, START_SECONDS[backend], progress)
    except BaseException:
        _end(process)
        raise
    record = run_folder / RECORD
    running = RunningLLM(url, name, backend, reason, process.pid, process, record)
    _write_record(record, running)
    return running


def embedded_command(model: Path, host: str, port: int, keep: bool) -> list[str]:
    """The command line of the embedded server."""
    command = [sys.executable, "-m", "serving.llm.embedded", "--model", str(model), "--host", host]
    return [*command, "--port", str(port), *([] if keep else ["--parent", str(os.getpid())])]


def vllm_command(model: str, host: str, port: int) -> list[str]:
    """The command line of vLLM: prefix caching for the unchanging instructions, room for one turn.

    Structured outputs (`response_format: json_schema`) need no flag.
    """
    return [
        sys.executable,
        "-m",
        "vllm.entrypoints.openai.api_server",
        *("--model", model, "--served-model-name", model, "--host", host, "--port", str(port)),
        "--enable-prefix-caching",
        *("--max-model-len", "8192", "--gpu-memory-utilization", "0.85"),
    ]


def connect(base_url: str) -> RunningLLM:
    """A server started elsewhere; never stopped from here. Raises LLMUnavailableError."""
    name = served_model(base_url)
    if name is None:
        raise LLMUnavailableError(
            f"No language model answers at {base_url}; start it with: segassist serve llm"
        )
    return RunningLLM(base_url, name, "external", "its address is set")


def running(run_folder: Path) -> RunningLLM | None:
    """The server recorded in the folder if it answers; a stale record is removed."""
    record = run_folder / RECORD
    try:
        data = json.loads(record.read_text())
        found = RunningLLM(data["base_url"], data["model"], data["backend"], data["reason"], data["pid"])
    except (OSError, ValueError, KeyError):
        return None
    if served_model(found.base_url) is None:
        record.unlink(missing_ok=True)
        return None
    return found


def served_model(base_url: str) -> str | None:
    """The name of the model that answers at the URL, or None when nothing does."""
    try:
        answer = httpx.get(f"{base_url}/models", timeout=3)
        answer.raise_for_status()
        return str(answer.json()["data"][0]["id"])
    except (httpx.HTTPError, ValueError, KeyError, IndexError):
        return None


def free_port(host: str) -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _port_is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, seconds: int, progress: Progress) -> None:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if process.poll() is not None:
            raise LLMUnavailableError(f"The language model server stopped while starting: {_tail(log)}")
        if served_model(url) is not None:
            progress(1.0, "language model ready")
            return
        progress(min(0.95, (time.monotonic() - began) / seconds), "loading the language model")
        time.sleep(0.25)
    raise LLMUnavailableError(f"The language model server did not start within {seconds} s: {_tail(log)}")


def _tail(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-3:])[-400:] or "it wrote no log."


def _end(process: subprocess.Popen[bytes]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signum)
        except ProcessLookupError:
            break
        try:
            process.wait(GRACE_SECONDS)
            break
        except subprocess.TimeoutExpired:
            continue
    process.poll()


def _write_record(record: Path, server: RunningLLM) -> None:
    data = {name: getattr(server, name) for name in ("base_url", "model", "backend", "reason", "pid")}
    temporary = record.with_suffix(".partial")
    temporary.write_text(json.dumps(data))
    os.replace(temporary, record)
