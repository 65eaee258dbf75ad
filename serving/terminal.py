"""Progress of long work in the terminal: a bar where there is one, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from segments.ports import Progress as Report


@contextmanager
def steps() -> Iterator[Callable[[str], Report]]:
    """Yields `progress(title) -> Report`, one bar (or a few lines) for each step."""
    if not sys.stderr.isatty():
        yield _lines
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def step(title: str) -> Report:
            task = bars.add_task(title, total=1.0, what="")

            def report(share: float, what: str) -> None:
                bars.update(task, completed=share, what=what)

            return report

        yield step


def _lines(title: str) -> Report:
    began = time.monotonic()
    last = ""
    print(f"== {title}", file=sys.stderr, flush=True)

    def report(share: float, what: str) -> None:
        nonlocal last
        if what != last:
            last = what
            print(f"   {time.monotonic() - began:6.1f} s {share:4.0%} {what}", file=sys.stderr, flush=True)

    return report
