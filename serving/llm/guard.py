"""Keeps a server from outliving the process that asked for it.

    python -m serving.llm.guard PARENT_PID [--health URL] COMMAND...

A process of its own, so that it is the same for every backend and works while a server is busy loading;
it is the leader of the process group that the server and its workers share. Standard library only: it
starts in tens of milliseconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from http.client import HTTPException

CHECK_SECONDS = 0.5
GRACE_SECONDS = 5
QUICK_SECONDS, QUICK_ENDS = 5.0, 3
"""A server that ends so soon after a start, so often in a row, is not started again."""
LOOK_SECONDS, ANSWER_SECONDS, MISSED = 10.0, 30.0, 3
"""How often a server is asked for its health, how long it may take to answer, and how often in a row it may not answer
before it is taken to hang. One that is merely busy answers: both backends tell their health beside their work."""


def watch(parent: int, command: list[str], health: str = "") -> int:
    """Run `command` until it ends, we are told to stop, or `parent` is gone; its exit status.

    Once the parent has said that the server answers (SIGUSR1), a server that ends by itself is started again: killed
    for its memory, it is back within seconds. health: an address that it answers while all is well; when it does not any
    more, having done so before, it hangs, and is ended and started again too.
    """
    asked, answers = threading.Event(), threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: asked.set())
    signal.signal(signal.SIGUSR1, lambda *_: answers.set())
    quick = 0
    while True:
        began = time.monotonic()
        child, hangs = subprocess.Popen(command), threading.Event()
        if health:
            threading.Thread(target=_look, args=(health, child, hangs), daemon=True).start()
        while child.poll() is None and os.getppid() == parent and not asked.wait(CHECK_SECONDS):
            if hangs.is_set() and answers.is_set():
                print(f"The server does not answer {health} any more; it is ended.", flush=True)
                child.kill()
                child.wait()
        if child.poll() is None:
            _end(child)
            break
        quick = quick + 1 if time.monotonic() - began < QUICK_SECONDS else 0
        if asked.is_set() or os.getppid() != parent or not answers.is_set() or quick > QUICK_ENDS:
            break
        print(f"The server ended with {child.returncode}; it is started again.", flush=True)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _look(health: str, child: subprocess.Popen[bytes], hangs: threading.Event) -> None:
    """Say so when a server that has answered does not any more."""
    missed, answered = 0, False
    while child.poll() is None and not hangs.is_set():
        try:
            with urllib.request.urlopen(health, timeout=ANSWER_SECONDS):
                missed, answered = 0, True
        except (OSError, HTTPException):
            missed += answered
        if missed >= MISSED:
            hangs.set()
        time.sleep(LOOK_SECONDS)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    parent, *rest = sys.argv[1:]
    address = rest[1] if rest[:1] == ["--health"] else ""
    sys.exit(watch(int(parent), rest[2:] if address else rest, address))
