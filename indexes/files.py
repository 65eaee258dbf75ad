"""An index on disk: its vectors, its FAISS structure and a manifest, written atomically, checked when read.

The manifest, written last, is what makes the other files count; it names them with their SHA-256.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from segments.atomic import sha256_of, write_text
from segments.errors import ChecksumError, NotBuiltError, StorageError

MANIFEST = "manifest.json"
FORMAT = 2
"""Raised when an older index can no longer be read."""


@dataclass(frozen=True)
class Stored:
    """What a folder holds. vectors (n, d) are memory-mapped; index None where the vectors are all."""

    vectors: np.ndarray
    index: faiss.Index | None
    about: dict[str, Any]


def save(folder: Path, vectors: np.ndarray, index: faiss.Index | None, about: dict[str, Any]) -> None:
    """Write the files and then the manifest. Raises StorageError; the index before stays in use."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {"vectors": _write(folder, "npy", lambda path: _save_array(path, vectors))}
        if index is not None:
            names["index"] = _write(folder, "faiss", lambda path: faiss.write_index(index, str(path)))
        manifest = {"format": FORMAT, "files": names} | about
        manifest["sha256"] = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
        write_text(folder / MANIFEST, json.dumps(manifest))
        kept = {file["name"] for file in names.values()}
        for path in folder.glob("customers.*"):
            if path.name not in kept:
                path.unlink(missing_ok=True)
    except OSError as error:
        full = error.errno == errno.ENOSPC
        raise _unwritable(folder, "the disk is full" if full else str(error.strerror)) from error
    except RuntimeError as error:  # faiss has no other error for a failed write
        raise _unwritable(folder, "faiss could not write it, the disk may be full") from error


def load(folder: Path, mapped: bool = False) -> Stored:
    """Read a saved index. Raises NotBuiltError when absent or older, ChecksumError when its bytes changed.

    mapped: the FAISS structure is memory-mapped too; it can then be searched but not changed.
    """
    if not (folder / MANIFEST).exists():
        raise NotBuiltError(
            f"There is no behaviour index in {folder}; run: segassist build",
            "还没有行为索引；请管理员运行：segassist build",
        )
    manifest = _manifest(folder / MANIFEST)
    if manifest.pop("format", 1) != FORMAT:
        raise NotBuiltError(
            f"The behaviour index in {folder} is of an older form; run: segassist build",
            "行为索引是旧格式的；请管理员运行：segassist build",
        )
    paths = {role: _checked(folder, file) for role, file in manifest.pop("files").items()}
    index = None
    if "index" in paths:
        # FAISS has one flag to map inverted lists and one for everything else; each fails on the other.
        flag = faiss.IO_FLAG_MMAP if manifest["kind"].startswith("ivf") else faiss.IO_FLAG_MMAP_IFC
        index = faiss.read_index(str(paths["index"]), flag if mapped else 0)
    return Stored(np.load(paths["vectors"], mmap_mode="r"), index, manifest)


def _write(folder: Path, suffix: str, write: Callable[[Path], None]) -> dict[str, str]:
    """Write a file under a name that tells its content; its name and SHA-256."""
    partial = folder / f"customers.{suffix}.partial"
    write(partial)
    digest = sha256_of(partial)
    name = f"customers.{digest[:12]}.{suffix}"
    os.replace(partial, folder / name)
    return {"name": name, "sha256": digest}


def _save_array(path: Path, array: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, array)


def _checked(folder: Path, file: dict[str, str]) -> Path:
    path = folder / file["name"]
    if not path.exists():
        raise NotBuiltError(
            f"There is no behaviour index in {folder}; run: segassist build",
            "还没有行为索引；请管理员运行：segassist build",
        )
    if sha256_of(path) != file["sha256"]:
        raise ChecksumError(f"{path} is corrupt (wrong SHA-256); rebuild it with: segassist build")
    return path


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
        digest = manifest.pop("sha256")
        sound = hashlib.sha256(json.dumps(manifest).encode()).hexdigest() == digest
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise ChecksumError(f"{path} is corrupt; rebuild it with: segassist build")
    return manifest


def _unwritable(folder: Path, why: str) -> StorageError:
    return StorageError(
        f"Cannot write the behaviour index in {folder}: {why}; free some space, then run: segassist build"
    )
