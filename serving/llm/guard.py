"""Keeps a server from outliving the process that asked for it.

    python -m serving.llm.guard PARENT_PID COMMAND...

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

CHECK_SECONDS = 0.5
GRACE_SECONDS = 5
QUICK_SECONDS, QUICK_ENDS = 5.0, 3
"""A server that ends so soon after a start, so often in a row, is not started again."""


def watch(parent: int, command: list[str]) -> int:
    """Run `command` until it ends, we are told to stop, or `parent` is gone; its exit status.

    Once the parent has said that the server answers (SIGUSR1), a server that ends by itself is started again: killed
    for its memory, it is back within seconds.
    """
    asked, answers = threading.Event(), threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: asked.set())
    signal.signal(signal.SIGUSR1, lambda *_: answers.set())
    quick = 0
    while True:
        began = time.monotonic()
        child = subprocess.Popen(command)
        while child.poll() is None and os.getppid() == parent and not asked.wait(CHECK_SECONDS):
            pass
        if child.poll() is None:
            _end(child)
            break
        quick = quick + 1 if time.monotonic() - began < QUICK_SECONDS else 0
        if asked.is_set() or os.getppid() != parent or not answers.is_set() or quick > QUICK_ENDS:
            break
        print(f"The server ended with {child.returncode}; it is started again.", flush=True)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(watch(int(sys.argv[1]), sys.argv[2:]))
