"""Keeps a server from outliving the process that asked for it.

    python -m serving.llm.guard [--health URL [--model NAME]] PARENT_PID COMMAND...

A process of its own, so that it is the same for every backend and works while a server is busy loading;
it is the leader of the process group that the server and its workers share. Standard library only: it
starts in tens of milliseconds.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from queue import Queue

from serving.llm import pulse

CHECK_SECONDS = 0.5
GRACE_SECONDS = 5
QUICK_SECONDS, VAIN = 5.0, 3
"""A server that ends so soon, or before it answers, so often in a row, is given up: vLLM takes a minute to fail."""
LOOK_SECONDS, ANSWER_SECONDS, MISSED = 10.0, 30.0, 3
FIRST_LOOK_SECONDS = 1.0
"""How often a server is asked for its health (the last: until it first answers), how long it may take to answer, and how
often in a row it may not answer before it is taken to hang. One that is merely busy answers: both backends tell their
health beside their work."""


def watch(parent: int, command: list[str], health: str = "", model: str = "") -> int:
    """Run `command` until it ends, we are told to stop, or `parent` is gone; its exit status.

    Once the parent has said that the server answers (SIGUSR1), a server that ends by itself is started again: killed
    for its memory, it is back within seconds. health: an address that it answers while all is well; when it does not any
    more, having done so before, it hangs, and is ended and started again too. model: of a server whose engine may hang
    while its health is well (`serving.llm.pulse`), the model to ask for a token now and then.
    """
    asked, answers = threading.Event(), threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: asked.set())
    signal.signal(signal.SIGUSR1, lambda *_: answers.set())
    vain = 0
    while True:
        began = time.monotonic()
        child, works, hangs = subprocess.Popen(command), threading.Event(), Queue[str]()
        for look, of in ((_look, (health,)), (_feel, (health, model))):
            if all(of):
                threading.Thread(target=look, args=(*of, child, works, hangs), daemon=True).start()
        while child.poll() is None and os.getppid() == parent and not asked.wait(CHECK_SECONDS):
            if not hangs.empty() and answers.is_set():
                print(f"The server {hangs.get()} any more; it is ended.", flush=True)
                child.kill()
                child.wait()
        if child.poll() is None:
            _end(child)
        _kill_workers()
        well = time.monotonic() - began >= QUICK_SECONDS and (works.is_set() or not health)
        vain = 0 if well else vain + 1
        if asked.is_set() or os.getppid() != parent or not answers.is_set() or vain > VAIN:
            break
        print(f"The server ended with {child.returncode}; it is started again.", flush=True)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _look(health: str, child: subprocess.Popen[bytes], works: threading.Event, hangs: Queue[str]) -> None:
    """Say when a server first answers, and when it does not any more."""
    missed = 0
    while child.poll() is None and missed < MISSED:
        try:
            with urllib.request.urlopen(health, timeout=ANSWER_SECONDS):
                missed = 0
                works.set()
        except (OSError, HTTPException):
            missed += works.is_set()
        time.sleep(LOOK_SECONDS if works.is_set() else min(FIRST_LOOK_SECONDS, LOOK_SECONDS))
    if missed >= MISSED:
        hangs.put(f"does not answer {health}")


def _feel(
    health: str, model: str, child: subprocess.Popen[bytes], works: threading.Event, hangs: Queue[str]
) -> None:
    """Say when the engine behind a server that answers writes no token any more."""
    base = health.removesuffix("/health")
    while child.poll() is None:
        time.sleep(pulse.REST_SECONDS)
        if works.is_set() and pulse.stalled(base, model):
            hangs.put(f"writes no token for {model}")
            return


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


def _kill_workers() -> None:
    """End what a server left behind in our process group: vLLM's engines outlive a killed server and hold its memory.

    Where there is no /proc there is no vLLM, and the embedded server has no workers.
    """
    if os.getpid() != os.getpgrp():
        return  # not started in a session of its own: others are in this group
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        with suppress(ProcessLookupError, PermissionError):
            if pid != os.getpid() and os.getpgid(pid) == os.getpid():
                os.kill(pid, signal.SIGKILL)


def main() -> int:
    """Command line of the guard."""
    parser = argparse.ArgumentParser(
        description="Run a server until it is told to stop or its parent is gone."
    )
    parser.add_argument("--health", default="")
    parser.add_argument("--model", default="")
    parser.add_argument("parent", type=int)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    return watch(arguments.parent, arguments.command, arguments.health, arguments.model)


if __name__ == "__main__":
    sys.exit(main())
