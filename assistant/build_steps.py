"""Steps that make a workspace one after another, each with a mark of what it was made from.

Each step writes its result atomically and then its mark. A mark that no longer fits (other source, other code) or a
result that is damaged makes the step run again, and the ones after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assistant.workspace import Workspace
from segments.atomic import write_text
from segments.errors import ChecksumError, InternalError, NotBuiltError, StorageError
from segments.ports import Progress

LOAD = "warehouse"
"""The step that reads the source."""
MADE = ("index", "models")
"""The steps whose results are files of their own, made of the warehouse."""


@dataclass(frozen=True)
class Step:
    """One step of a build: its name, what a person sees, the work, and whether its result can be used.

    code: the files (globs from the root of the packages) whose change makes the result another one. settings: what
    of the workspace's settings does so too.
    """

    name: str
    title: str
    run: Callable[[Progress], Any]
    check: Callable[[], Any]
    code: tuple[str, ...]
    settings: str = ""


@dataclass(frozen=True)
class Built:
    """A workspace after its steps. mended: of the index and the models what was damaged and was made anew, in the words
    a person sees."""

    workspace: Workspace
    mended: tuple[str, ...]


def run_steps(
    workspace: Workspace,
    steps: Sequence[Step],
    mark: str,
    source: str,
    progress: Callable[[str], Progress],
    in_use: bool = False,
    anew: bool = False,
) -> Built:
    """Run the steps that are due. mark: of what they start from. in_use: the workspace can be used while its steps are
    redone. anew: they are due whatever their marks say."""
    folder, redo = workspace.folder, anew
    mended = []
    for place, step in enumerate(steps):
        mark = mark_after(mark + step.settings, step.code)
        done = _done(folder, step)
        found = condition(step)
        usable = found == "sound"
        if not redo and mark_of(folder, step) == mark and usable:
            progress(step.title)(1.0, "already done")
            continue
        redo = True
        # The warehouse is swapped in at its end: while it is made, or cannot be, what is there stays in use.
        swapped = step.name == LOAD and usable
        if swapped:
            step.run(progress(step.title))
        if not (in_use and usable):
            workspace.ready.unlink(missing_ok=True)
        # What later steps made rests on what is made anew now: it must not pass for done if this one is cut off.
        for stale in steps[place:]:
            _done(folder, stale).unlink(missing_ok=True)
        if not swapped:
            step.run(progress(step.title))
        if step.name in MADE and found == "damaged":
            mended.append(step.title)
        done.parent.mkdir(parents=True, exist_ok=True)
        write_text(done, mark)
    if redo or not workspace.ready.exists():
        write_text(workspace.ready, json.dumps({"mark": mark, "source": source}))
    return Built(workspace, tuple(mended))


def _done(folder: Path, step: Step) -> Path:
    return folder / "run" / f"{step.name}.done"


def mark_of(folder: Path, step: Step) -> str:
    """What a finished step was made from; empty for one that is not finished."""
    done = _done(folder, step)
    return done.read_text() if done.exists() else ""


def is_finished(folder: Path, name: str) -> bool:
    """Whether a step's last run, if it had one, came to its end."""
    return (folder / "run" / f"{name}.done").exists()


def mark_after(before: str, code: tuple[str, ...]) -> str:
    """The mark of what a step is made from: the steps before it and its own code."""
    digest, root = hashlib.sha256(before.encode()), Path(__file__).parent.parent
    for pattern in code:
        paths = sorted(root.glob(pattern))
        if not paths:
            raise InternalError(f"build: a step names the code '{pattern}', which is not there.")
        for path in paths:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def condition(step: Step) -> Literal["sound", "damaged", "missing"]:
    """Of what the step wrote; damaged: it is there, and not what was written."""
    try:
        step.check()
    except ChecksumError:
        return "damaged"
    except (NotBuiltError, StorageError):
        return "missing"
    return "sound"
