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

CHECK_SECONDS = 0.5
GRACE_SECONDS = 5


def watch(parent: int, command: list[str]) -> int:
    """Run `command` until it ends, we are told to stop, or `parent` is gone; its exit status."""
    asked = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: asked.set())
    child = subprocess.Popen(command)
    while child.poll() is None and os.getppid() == parent and not asked.wait(CHECK_SECONDS):
        pass
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(0, signal.SIGKILL)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(watch(int(sys.argv[1]), sys.argv[2:]))
