"""Looking at processes: whether one has ended, and which are of a group."""

import time
from contextlib import suppress
from pathlib import Path


def gone(pid: int, seconds: float = 10) -> bool:
    """Whether the process ends within the time (a zombie has ended)."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def group(leader: int) -> list[int]:
    """The processes of a group that have not ended (a zombie has)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, pgid = stat.read_text().rsplit(")", 1)[1].split()[:3]
            if int(pgid) == leader and state != "Z":
                found.append(int(stat.parent.name))
    return found
