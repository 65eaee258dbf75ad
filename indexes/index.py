"""The FAISS index over behaviour vectors: built, saved atomically with a checksum, loaded, searched.

Inner product on unit vectors is the cosine. Exact (Flat) up to a size, then HNSW; the reason is kept.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from indexes.behaviour import BehaviourVectors
from segments.errors import ChecksumError, DataError, NotBuiltError, NotFoundError, StorageError

INDEX_FILE, MANIFEST = "customers.{}.faiss", "manifest.json"
EXACT_BELOW = 200_000
"""Exact search of 200,000 x 138 floats takes about 10 ms on 2 cores; beyond, HNSW."""
HNSW_LINKS, HNSW_BUILD, HNSW_SEARCH = 32, 80, 128


@dataclass(frozen=True)
class Match:
    """A customer found, and the cosine to what was searched for."""

    customer_id: str
    similarity: float


class CustomerIndex:
    """Customers by behaviour. `reason` says why this kind of index (and device) was chosen."""

    def __init__(
        self, index: faiss.Index, customer_ids: Sequence[str], encoder: str, as_of: date, reason: str
    ):
        self._index = index
        self.customer_ids = tuple(customer_ids)
        self.encoder, self.as_of, self.reason = encoder, as_of, reason
        self._place = {customer: i for i, customer in enumerate(self.customer_ids)}

    def __len__(self) -> int:
        return len(self.customer_ids)

    @classmethod
    def build(cls, vectors: BehaviourVectors, device: str = "auto") -> CustomerIndex:
        """Index the vectors. device: auto, cpu or gpu (DataError when no GPU build is there)."""
        size, dimension = vectors.matrix.shape
        if size < EXACT_BELOW:
            index, reason = faiss.IndexFlatIP(dimension), f"exact search: {size} < {EXACT_BELOW} customers"
        else:
            index = faiss.IndexHNSWFlat(dimension, HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction, index.hnsw.efSearch = HNSW_BUILD, HNSW_SEARCH
            reason = f"HNSW: {size} >= {EXACT_BELOW} customers"
        index.add(np.ascontiguousarray(vectors.matrix, dtype=np.float32))
        index, where = on_device(index, device)
        return cls(index, vectors.customer_ids, vectors.encoder, vectors.as_of, f"{reason}; {where}")

    def save(self, folder: Path) -> None:
        """Write index and manifest; the manifest, written last, is what makes them count.

        Raises StorageError; the index before stays in use.
        """
        try:
            self._save(folder)
        except OSError as error:
            full = error.errno == errno.ENOSPC
            raise _unwritable(folder, "the disk is full" if full else str(error.strerror)) from error
        except RuntimeError as error:  # faiss has no other error for a failed write
            raise _unwritable(folder, "faiss could not write it, the disk may be full") from error

    def _save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        index = faiss.index_gpu_to_cpu(self._index) if hasattr(self._index, "getDevice") else self._index
        partial = folder / "customers.faiss.partial"
        faiss.write_index(index, str(partial))
        digest = _sha256(partial)
        name = INDEX_FILE.format(digest[:12])
        os.replace(partial, folder / name)
        manifest: dict[str, Any] = {
            "file": name,
            "file_sha256": digest,
            "encoder": self.encoder,
            "as_of": self.as_of.isoformat(),
            "dimension": self._index.d,
            "reason": self.reason,
            "customer_ids": self.customer_ids,
        }
        temporary = folder / (MANIFEST + ".partial")
        manifest["sha256"] = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
        temporary.write_text(json.dumps(manifest))
        os.replace(temporary, folder / MANIFEST)
        for path in folder.glob("customers.*faiss*"):
            if path.name != name:
                path.unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> CustomerIndex:
        """Read a saved index. Raises NotBuiltError when absent, ChecksumError when its bytes changed."""
        if not (folder / MANIFEST).exists():
            raise NotBuiltError(f"There is no behaviour index in {folder}; run: segassist build")
        manifest = _manifest(folder / MANIFEST)
        path = folder / manifest["file"]
        if not path.exists():
            raise NotBuiltError(f"There is no behaviour index in {folder}; run: segassist build")
        if _sha256(path) != manifest["file_sha256"]:
            raise ChecksumError(f"{path} is corrupt (wrong SHA-256); rebuild it with: segassist build")
        index, _ = on_device(faiss.read_index(str(path)), device)
        as_of = date.fromisoformat(manifest["as_of"])
        return cls(index, manifest["customer_ids"], manifest["encoder"], as_of, manifest["reason"])

    def vectors_of(self, customer_ids: Sequence[str]) -> np.ndarray:
        """Vectors (n, d) of customers. Raises NotFoundError naming the first that is not indexed."""
        missing = next((c for c in customer_ids if c not in self._place), None)
        if missing is not None:
            raise NotFoundError(f"customer: '{missing}' is not in the behaviour index of {self.as_of}.")
        return self._index.reconstruct_batch(np.array([self._place[c] for c in customer_ids], dtype=np.int64))

    def matrix(self) -> np.ndarray:
        """All vectors (n, d), in the order of `customer_ids`."""
        return self._index.reconstruct_n(0, len(self))

    def search(
        self, query: np.ndarray, k: int, exclude: Collection[str] = (), within: Collection[str] | None = None
    ) -> list[Match]:
        """The k customers nearest to a query vector (d,), nearest first."""
        if within is not None or exclude:
            allowed = set(within) if within is not None else set(self.customer_ids)
            rows = np.array(
                sorted(self._place[c] for c in allowed - set(exclude) if c in self._place), dtype=np.int64
            )
            if not len(rows):
                return []
            if len(rows) < EXACT_BELOW:
                # A walk through HNSW meets few of few allowed customers; comparing them all is quick and exact.
                return self._among(rows, query, k)
            # The batch selector is exact for Flat and filters during the walk for HNSW.
            parameters = self._parameters(faiss.IDSelectorBatch(rows))
            k = min(k, len(rows))
        else:
            parameters = None
        scores, found = self._index.search(
            np.ascontiguousarray(query.reshape(1, -1), dtype=np.float32), min(k, len(self)), params=parameters
        )
        pairs = zip(found[0], scores[0], strict=True)
        return [Match(self.customer_ids[int(i)], float(score)) for i, score in pairs if i >= 0]

    def _among(self, rows: np.ndarray, query: np.ndarray, k: int) -> list[Match]:
        scores = self._index.reconstruct_batch(rows) @ query.astype(np.float32)
        best = np.argsort(-scores, kind="stable")[:k]
        return [Match(self.customer_ids[int(rows[i])], float(scores[i])) for i in best]

    def _parameters(self, selector: faiss.IDSelector) -> faiss.SearchParameters:
        if isinstance(self._index, faiss.IndexHNSW):
            return faiss.SearchParametersHNSW(sel=selector, efSearch=HNSW_SEARCH)
        return faiss.SearchParameters(sel=selector)


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


def on_device(index: faiss.Index, device: str) -> tuple[faiss.Index, str]:
    """The index on the CPU or the GPU, and why. Raises DataError for an impossible setting."""
    count = faiss.get_num_gpus() if hasattr(faiss, "get_num_gpus") else 0
    if device == "cpu" or (device == "auto" and not count):
        return index, "on the CPU" + ("" if device == "cpu" else " (no GPU or no faiss-gpu)")
    if device not in ("auto", "gpu"):
        raise DataError(f"index_device: '{device}' is not one of auto, cpu, gpu.")
    if not count:
        raise DataError(
            "index_device is gpu, but faiss finds none; run: pip install 'segment-assistant[gpu]'"
        )
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index), "on the GPU"


def _unwritable(folder: Path, why: str) -> StorageError:
    return StorageError(
        f"Cannot write the behaviour index in {folder}: {why}; free some space, then run: segassist build"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
