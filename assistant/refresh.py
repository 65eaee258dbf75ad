"""A workspace brought up to date: new files, features, index, scores, and every saved segment published again; then
it is looked whether the models still hold.

One at a time: a lock that the system lets go of when its holder is killed. What fails keeps its last good
result in use, and is told.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant.build import MAPPING_FILE, build_from, loaded_otherwise, mend, recalled
from assistant.rooms import Rooms
from assistant.watch import Watched, watch_models
from assistant.workspace import open_workspace
from propensity.registry import Registry
from segments.atomic import write_text
from segments.errors import ConflictError, NotFoundError, SegAssistError
from segments.ports import Progress, silent
from warehouse.export import Manifest, export, latest, newest_of, prune, read_manifest

BY = "refresh"
JUMP = 0.2
"""A segment whose size changes by more than this share from one refresh to the next is pointed out."""


Record = Callable[[Manifest], None]


def _untold(_manifest: Manifest) -> None:
    pass


@dataclass(frozen=True)
class Published:
    """A saved segment after a refresh.

    count and as_of: of the audience in use now, None when there never was one. before: what the refresh before
    published. error: why it was not published this time, the one in use being the last good one. redefined: its
    definition is not what the refresh before published.
    """

    name: str
    count: int | None
    as_of: str | None
    before: int | None
    error: str = ""
    redefined: bool = False

    @property
    def jumped(self) -> bool:
        """Whether the size of the same definition has changed more than usual."""
        if self.before is None or self.count is None or self.error or self.redefined:
            return False
        return abs(self.count - self.before) > JUMP * self.before


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did. data_error: why new data did not come in; everything then is as of the data before.

    models: whether each still holds. models_error: why that cannot be told.
    """

    at: str
    as_of: str
    ingested: str
    data_error: str
    segments: tuple[Published, ...]
    models: tuple[Watched, ...]
    models_error: str


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the workspace's lock. Raises ConflictError while another process holds it."""
    (folder / "run").mkdir(parents=True, exist_ok=True)
    with (folder / "run" / "refresh.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConflictError(
                f"{folder} is being ingested or refreshed by another process; wait for its end.",
                f"另一个进程正在导入或刷新{folder}；请等它结束。",
            ) from None
        yield


def refresh_all(
    folder: Path,
    progress: Callable[[str], Progress] = lambda _title: silent,
    record: Record = _untold,
) -> Refreshed:
    """Refresh a workspace. record: as of `export`, for each segment.

    Raises ConflictError when another refresh is at work, NotBuiltError.
    """
    check_refreshable(folder)
    with alone(folder):
        ingested, data_error = _ingest(folder, progress)
        rooms = Rooms(open_workspace(folder))
        try:
            names = rooms.library.names()
            report = progress("Publish saved segments")
            found = []
            for place, name in enumerate(names):
                report(place / len(names), name)
                found.append(publish(rooms, name, record))
            report(1.0, f"{len(names)} saved segments")
            progress("Look whether the models still hold")(0.0, "drift and what came true")
            models, models_error = _watch(rooms)
            at = datetime.now(UTC).isoformat(timespec="seconds")
            as_of = rooms.warehouse.as_of.isoformat()
            done = Refreshed(at, as_of, ingested, data_error, tuple(found), models, models_error)
        finally:
            rooms.warehouse.close()
        write_told(folder, done)
    return done


def check_refreshable(folder: Path) -> None:
    """Raise NotBuiltError for a folder that is no workspace. One whose last load was cut off knows its mapping, and is
    brought to its end by the refresh."""
    if not (folder / MAPPING_FILE).exists():
        open_workspace(folder)


def write_told(folder: Path, done: Refreshed) -> None:
    """Keep what a refresh did, for programs and for the doctor."""
    write_text(folder / "run" / "refresh.json", json.dumps(asdict(done), indent=1, ensure_ascii=False))


def _ingest(folder: Path, progress: Callable[[str], Progress]) -> tuple[str, str]:
    """What came in by the mapping that the workspace was made from and what was mended, and why not."""
    try:
        mapping = recalled(folder)
        if mapping is not None:
            done = build_from(mapping, folder, progress)
            return f"{done.intake.reason} {_mended(done.mended)}".strip(), ""
        told, error = _no_mapping(folder), ""
    except SegAssistError as failed:
        open_workspace(folder)  # what is there is in use, or the refresh ends here
        told, error = "", str(failed)
    # An ingest looks at the index and the models too; where there was none, that is still to be done.
    try:
        return f"{told} {_mended(mend(folder, progress))}".strip(), error
    except SegAssistError as failed:
        return told, f"{error} {failed}".strip()


def _no_mapping(folder: Path) -> str:
    stay = "The workspace was made from no mapping; its data stay as they are"
    if loaded_otherwise(folder):
        return f"{stay}, loaded by another version or for another encoder: run segassist build."
    return f"{stay}."


def _mended(steps: tuple[str, ...]) -> str:
    return f"What was damaged was made anew: {'; '.join(steps)}." if steps else ""


def _watch(rooms: Rooms) -> tuple[tuple[Watched, ...], str]:
    """Whether the models hold, and why that cannot be told."""
    try:
        return watch_models(rooms.propensity, Registry(rooms.workspace.models), rooms.warehouse), ""
    except SegAssistError as error:
        return (), str(error)


def publish(rooms: Rooms, name: str, record: Record = _untold) -> Published:
    """Export the members of a saved segment; where that fails, the export before stays in use."""
    folder = rooms.workspace.folder / "exports"
    last = newest_of(folder, name, BY)
    before = last.count if last else None
    try:
        definition = rooms.library.get(name).definition
        made = export(rooms.audiences, rooms.vault, definition, folder, name, "parquet", BY, record=record)
    except SegAssistError as error:
        used = _in_use(folder, name)
        return Published(name, used.count if used else None, used.as_of if used else None, before, str(error))
    prune(folder, name, BY)
    manifest = read_manifest(made)
    redefined = last is not None and last.fingerprint != manifest.fingerprint
    return Published(name, manifest.count, manifest.as_of, before, redefined=redefined)


def _in_use(folder: Path, name: str) -> Manifest | None:
    """What the export in use says of itself; None where there is none, or it is damaged and makes place now."""
    try:
        return read_manifest(latest(folder, name))
    except (NotFoundError, ConflictError):
        return None
