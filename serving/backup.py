"""One file with everything a workspace owns, made while it is in use, and back again.

A gzipped tar with a manifest first (the SHA-256 of every file). The SQL files are copied by SQLite's own backup, so
that each is whole as of one moment; what a build writes is replaced in one step and so is whole at any.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from segments.atomic import sha256_of
from segments.errors import ChecksumError, ConflictError, DataError, StorageError
from segments.ports import Progress, silent

MANIFEST = "segassist-backup.json"
FORMAT = 1
RUN = "run"
"""Records of running servers, of no use on another machine; of this folder only a build's marks are kept."""
PASSING = (".partial", ".tmp", ".lock", "-wal", "-shm", "-journal")


def write_backup(workspace: Path, file: Path, progress: Progress = silent) -> int:
    """Write the backup and return how many files are in it; nothing is left of one that fails."""
    partial = file.with_name(f"{file.name}.partial")
    names = sorted(_names(workspace))
    with _disk(file), tempfile.TemporaryDirectory(prefix=".backup-", dir=workspace) as scratch:
        sources = {name: _still(workspace / name, Path(scratch) / str(n)) for n, name in enumerate(names)}
        manifest = {
            "format": FORMAT,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": {name: sha256_of(path) for name, path in sources.items()},
        }
        try:
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with (
                os.fdopen(handle, "wb") as raw,
                tarfile.open(fileobj=raw, mode="w:gz", compresslevel=3) as tar,
            ):
                _add_text(tar, json.dumps(manifest))
                for number, (name, path) in enumerate(sources.items()):
                    progress(number / len(sources), "packing")
                    tar.add(path, name, recursive=False)
            os.replace(partial, file)
        finally:
            partial.unlink(missing_ok=True)
    progress(1.0, "written")
    return len(sources)


def restore_backup(
    file: Path,
    workspace: Path,
    replace: bool = False,
    progress: Progress = silent,
    whole: Callable[[Path], None] = lambda _restored: None,
) -> int:
    """Restore into a folder and return how many files there are. Everything is verified before anything is replaced.

    whole: called with the folder that holds everything, verified, before it takes its place; what it raises stops it.

    Raises DataError (no backup), ChecksumError (wrong bytes), ConflictError (something is there, `replace` is off).
    """
    if not file.is_file():
        raise DataError(f"There is no backup at {file}.")
    if workspace.exists() and any(workspace.iterdir()) and not replace:
        raise ConflictError(
            f"{workspace} is not empty; choose another folder, or add --replace.",
            f"{workspace}不是空的；请换一个文件夹，或加上 --replace。",
        )
    fresh = workspace.with_name(f"{workspace.name}.restoring")
    with _disk(workspace):
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        try:
            count = _unpack(file, fresh, progress)
            whole(fresh)
            _swap(fresh, workspace)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    progress(1.0, "restored")
    return count


def _unpack(file: Path, folder: Path, progress: Progress) -> int:
    try:
        with tarfile.open(file, "r:gz") as tar:
            wanted = _manifest(tar, file)
            for number, name in enumerate(wanted):
                progress(number / max(len(wanted), 1), "unpacking")
                tar.extract(name, folder, filter="data")
    except (tarfile.TarError, EOFError, OSError, KeyError, ValueError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, tarfile.TarError):
            raise
        raise DataError(f"{file} is no whole backup of segassist ({error}).") from error
    for name, digest in wanted.items():
        if sha256_of(folder / name) != digest:
            raise ChecksumError(f"{file}: {name} is corrupt (wrong SHA-256); nothing was restored.")
    return len(wanted)


def _manifest(tar: tarfile.TarFile, file: Path) -> dict[str, str]:
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
    if content is None:
        raise DataError(f"{file} is no backup of segassist.")
    manifest = json.load(content)
    if manifest["format"] != FORMAT:
        raise DataError(f"{file} is of format {manifest['format']}; this version reads {FORMAT}.")
    files: dict[str, str] = manifest["files"]
    for name in files:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise DataError(f"{file} holds the path {name}, which leads out of the workspace.")
    return files


def _swap(fresh: Path, workspace: Path) -> None:
    """Put the restored folder in place; what was there, its audit log with it, stays beside it."""
    before = before_of(workspace)
    if workspace.exists():
        shutil.rmtree(before, ignore_errors=True)
        os.replace(workspace, before)
    os.replace(fresh, workspace)


def before_of(workspace: Path) -> Path:
    """Where a restore leaves the workspace that it took the place of."""
    return workspace.with_name(f"{workspace.name}.before")


def _names(workspace: Path) -> Iterator[str]:
    """The files that a backup holds, by their names in the workspace."""
    for folder, _, files in os.walk(workspace, followlinks=True):
        for file in files:
            name = Path(folder, file).relative_to(workspace)
            if name.parts[0] == RUN and name.suffix != ".done":
                continue
            if not file.endswith(PASSING) and not name.parts[0].startswith(".backup-"):
                yield str(name)


def _still(path: Path, copy: Path) -> Path:
    """A copy as of one moment: what is replaced in one step needs only its bytes held fast by a second name."""
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        shutil.copymode(path, copy)
        return copy
    try:
        os.link(path.resolve(), copy)
    except OSError:  # another disk, or a file system without links
        shutil.copy2(path, copy)
    return copy


def _add_text(tar: tarfile.TarFile, text: str) -> None:
    info = tarfile.TarInfo(MANIFEST)
    info.size, info.mode = len(text.encode()), 0o600
    tar.addfile(info, io.BytesIO(text.encode()))


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StorageError(
            f"A file of the workspace cannot be read ({error}); see: segassist doctor"
        ) from error
    except OSError as error:
        why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise StorageError(f"Cannot write {path}: {why}.") from error
