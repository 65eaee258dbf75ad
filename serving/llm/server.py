"""One LLM server for the assistant, whichever backend runs it.

`start` launches vLLM or the embedded server, waits until it answers, and records it in the run folder so
that other commands use it; `running` finds a recorded server that is alive; `connect` uses one started
elsewhere. All three give a `RunningLLM`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assistant.llm import OpenAIChat
from segments.atomic import write_text
from segments.errors import LLMUnavailableError, OperatorError, PortInUseError
from segments.ports import Progress, silent
from serving.llm import vllm
from serving.llm.guard import GRACE_SECONDS
from serving.llm.probe import (
    SKETCH,
    free_port,
    health_of,
    healthy,
    port_is_free,
    served_adapter,
    served_model,
    url_of,
)
from serving.llm.vllm import Installed, VLLMOptions
from serving.llm.weights import ensure_model, own_model, packaged_adapter, packaged_sha256

RECORD = "llm.json"
NO_ADAPTER = "none"
AT_ONCE = {"embedded": 2, "vllm": 64, "external": 64}
"""The embedded server has one slot, and a turn works beside it too (linking, tools); vLLM batches."""
RECORDED = ("base_url", "model", "backend", "reason", "pid")
START_SECONDS = {"embedded": 120.0, "vllm": 900.0}
"""vLLM may first download the model's weights and compile."""


@dataclass(frozen=True)
class LLMSettings:
    """backend: auto, embedded or vllm. model: a GGUF path (embedded), a path or hub name (vllm), '' for the
    default. port: 0 takes a free one. adapter: a LoRA for sketches, GGUF (embedded) or a folder (vllm); '' for the
    packaged one where it fits the model, 'none' for none. profile: of `vllm.PROFILES`, or auto; vllm: options in place of
    any profile's. python: the interpreter that has vLLM, '' for our own."""

    backend: str = "auto"
    model: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    adapter: str = ""
    profile: str = "auto"
    vllm: VLLMOptions | None = None
    python: str = ""


@dataclass
class RunningLLM:
    """A server that answers. `stop` ends it only if this process started it.

    states: where an embedded server may save what it has read (see `serving.llm.warm`).
    """

    base_url: str
    model: str
    backend: str
    reason: str
    pid: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    record: Path | None = None
    states: Path | None = None

    @property
    def chat(self) -> OpenAIChat:
        """A client of it, which knows of the adapter that it has."""
        return OpenAIChat(
            self.base_url, self.model, sha256=self.sha256, adapter=served_adapter(self.base_url)
        )

    @property
    def at_once(self) -> int:
        """Turns that it answers well together."""
        return AT_ONCE[self.backend]

    @property
    def sha256(self) -> str:
        """Of the model's weights, where they are the packaged ones; empty when not known."""
        return packaged_sha256(self.model)

    def __enter__(self) -> RunningLLM:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Terminate the server; kill what is left of its process group after a grace time."""
        if self.process is None:
            return
        _end(self.process)
        self.process = None
        if self.record is not None and _read_record(self.record).get("pid") == self.pid:
            self.record.unlink(missing_ok=True)


@dataclass(frozen=True)
class Chosen:
    """A backend and why it was taken. vllm: the one that runs, where it is vLLM."""

    backend: str
    reason: str
    vllm: Installed | None = None


def choose_backend(settings: LLMSettings) -> Chosen:
    """The backend that the settings ask for, or that fits here. Raises OperatorError when the one asked for cannot run."""
    asked, model = settings.backend, settings.model
    if asked == "embedded":
        return Chosen("embedded", "asked for")
    if asked == "vllm":
        return Chosen("vllm", "asked for", vllm.check(settings.python))
    if asked != "auto":
        raise OperatorError(f"llm backend: '{asked}' is not one of auto, embedded, vllm.")
    if model.endswith(".gguf"):
        why = f"{Path(model).name} is a GGUF file, which the embedded server serves"
        return Chosen("embedded", why)
    found, on_cpu = vllm.installed(settings.python), "so the embedded server runs on the CPU"
    if found is None or found.on_cpu or not vllm.has_gpu():
        lacks = (
            "vLLM is not installed"
            if found is None
            else "vLLM is here as its CPU build, which is slower"
            if found.on_cpu
            else "no GPU was found"
        )
        if model:
            raise OperatorError(
                f"llm_model: {lacks}, and the embedded server takes a GGUF file, not {model}; name a GGUF file, or none "
                "for the packaged model."
            )
        return Chosen("embedded", f"{lacks}, {on_cpu}")
    vllm.check_release(found)
    return Chosen("vllm", f"a GPU and vLLM {found.version} are present", found)


def start(
    settings: LLMSettings,
    run_folder: Path,
    progress: Progress = silent,
    *,
    keep: bool = False,
    share: bool = True,
    seconds: float | None = None,
) -> RunningLLM:
    """Start a server and wait until it answers, at most `seconds` (default: START_SECONDS).

    keep: it outlives this process (a daemon); else it ends with it, however it ends. share: recorded, so
    that other commands use it. Raises PortInUseError, LLMUnavailableError (with the end of the server's
    log), OperatorError.
    """
    chosen = choose_backend(settings)
    backend, reason = chosen.backend, chosen.reason
    if chosen.vllm is not None and settings.vllm is None:
        options, why = vllm.choose_profile(settings.profile, chosen.vllm)
        settings, reason = replace(settings, vllm=options), f"{reason}; {why}"
    if settings.port and not port_is_free(settings.host, settings.port):
        raise PortInUseError(
            f"Port {settings.port} on {settings.host} is in use; choose another with --port."
        )
    port = settings.port or free_port(settings.host)
    command, name, states = _command(chosen.vllm, settings, port, run_folder, progress)
    if not keep:
        watched = ["--health", health_of(url_of(settings.host, port))]
        # vLLM's health is its server's, not its engine's.
        watched += ["--model", name] if backend == "vllm" else []
        command = [sys.executable, "-m", "serving.llm.guard", *watched, str(os.getpid()), *command]
    (states or run_folder).mkdir(parents=True, exist_ok=True)
    log = run_folder / f"llm-{backend}.log"
    progress(0.0, f"starting {backend} server for {name}")
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = RunningLLM(url_of(settings.host, port), name, backend, reason, process.pid, process)
    server.states = states
    try:
        _wait(server, log, seconds or START_SECONDS[backend], progress)
        if not keep:
            process.send_signal(signal.SIGUSR1)  # the guard starts it again from here on
        if share:
            server.record = run_folder / RECORD
            _write_record(server.record, server)
    except BaseException:
        server.stop()
        raise
    return server


def connect(base_url: str) -> RunningLLM:
    """A server started elsewhere; never stopped from here. Raises LLMUnavailableError."""
    name = served_model(base_url)
    if name is None:
        raise LLMUnavailableError(
            f"No language model answers at {base_url}; start it with: segassist serve llm"
        )
    return RunningLLM(base_url, name, "external", "its address is set")


def running(run_folder: Path) -> RunningLLM | None:
    """The server recorded in the folder if it lives and answers; a stale record is removed."""
    record = run_folder / RECORD
    data = _read_record(record)
    if set(RECORDED) <= set(data):
        found = RunningLLM(**{name: data[name] for name in RECORDED})
        if _alive(found.pid) and served_model(found.base_url) == found.model:
            return found
    record.unlink(missing_ok=True)
    return None


def _command(
    found: Installed | None, settings: LLMSettings, port: int, run_folder: Path, progress: Progress
) -> tuple[list[str], str, Path | None]:
    """The server's command line, the name under which it serves the model, where it saves its state. found: the vLLM that
    is to run; None for the embedded server."""
    if found is not None:
        name = settings.model or vllm.MODEL
        lora = "" if settings.adapter == NO_ADAPTER else settings.adapter
        vllm.check_files(name, lora)
        options = settings.vllm or VLLMOptions()
        return vllm.command(found, name, settings.host, port, options, lora), name, None
    model = own_model(Path(settings.model)) if settings.model else ensure_model(progress=progress)
    stat = model.stat()
    states = run_folder / "states" / f"{model.stem}-{stat.st_size}-{stat.st_mtime_ns}"
    module = (sys.executable, "-m", "serving.llm.embedded", "--model", str(model))
    adapter = _adapter(settings, model)
    return (
        [
            *(*module, "--host", settings.host, "--port", str(port), "--states", str(states)),
            *(("--adapter", str(adapter)) if adapter else ()),
        ],
        model.stem,
        states,
    )


def _adapter(settings: LLMSettings, model: Path) -> Path | None:
    """The adapter that the embedded server is to have. Raises OperatorError for a file that is not there."""
    if settings.adapter == NO_ADAPTER:
        return None
    if settings.adapter:
        named = Path(settings.adapter)
        if not named.is_file():
            raise OperatorError(
                f"llm_adapter: {named} does not exist; name a GGUF file, or 'none' for no adapter."
            )
        if not named.stem.startswith(SKETCH):
            raise OperatorError(
                f"llm_adapter: the name of {named} must begin with '{SKETCH}', else nobody asks for it."
            )
        return named
    return packaged_adapter(model.stem)


def _wait(server: RunningLLM, log: Path, seconds: float, progress: Progress) -> None:
    """Until the server says it is ready and serves our model (not somebody else who took the port)."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < seconds:
        if server.process is None or server.process.poll() is not None:
            raise LLMUnavailableError(f"The language model server stopped while starting: {_tail(log)}")
        if healthy(server.base_url) and served_model(server.base_url) == server.model:
            progress(1.0, "language model ready")
            return
        progress(min(0.95, waited / seconds), "loading the language model")
        time.sleep(0.1)
    raise LLMUnavailableError(f"The language model server did not start within {seconds:g} s: {_tail(log)}")


def _tail(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"{' / '.join(lines[-3:])[-400:] or 'it wrote nothing'} (log: {log})"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the leader, which ends its workers; then kill whoever of the group is left."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        # The guard itself waits for the server and needs a moment more.
        process.wait(GRACE_SECONDS + 1)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read_record(record: Path) -> dict[str, Any]:
    try:
        data = json.loads(record.read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _write_record(record: Path, server: RunningLLM) -> None:
    write_text(record, json.dumps({name: getattr(server, name) for name in RECORDED}))
