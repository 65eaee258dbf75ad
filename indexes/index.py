"""The index over behaviour vectors: built, extended, searched inside a filter, saved, loaded.

Inner product on unit vectors is the cosine. It belongs to the encoder that made its vectors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import faiss
import numpy as np

from indexes import files
from indexes.behaviour import BehaviourVectors
from indexes.kinds import broadest, choose, make
from indexes.search import Recall, Searcher, tuned
from segments.errors import ConflictError, DataError, NotFoundError, StorageError

REBUILT_FROM = 0.2
"""Share of removed rows from which the index is made anew: searches step over each of them."""


@dataclass(frozen=True)
class Match:
    """A customer found, and the cosine to what was searched for."""

    customer_id: str
    similarity: float


class CustomerIndex:
    """Customers by behaviour. `reason` says why this kind of index (and device) was chosen, `recall` what its searches
    find where they are not exact, `changed` how many customers were changed since it was made anew, `code` by what code
    that was.

    A removed customer's row stays, empty (None in `_ids`, zeros in the vectors), so that rows never move.
    """

    def __init__(
        self,
        searcher: Searcher,
        ids: Sequence[str | None],
        encoder: str,
        as_of: date,
        reason: str,
        recall: Recall | None = None,
    ) -> None:
        self.encoder, self.as_of, self.reason, self.recall = encoder, as_of, reason, recall
        self.changed, self.code = 0, ""
        self._read_only = False
        self._take(searcher, ids)

    def _take(self, searcher: Searcher, ids: Sequence[str | None]) -> None:
        self.searcher, self._ids = searcher, tuple(ids)
        self._live = np.array([customer is not None for customer in self._ids], dtype=bool)
        self.customer_ids = tuple(customer for customer in self._ids if customer is not None)
        self._place = {customer: i for i, customer in enumerate(self._ids) if customer is not None}

    def __len__(self) -> int:
        return len(self.customer_ids)

    @property
    def kind(self) -> str:
        """flat, hnsw, ivf_flat or ivf_pq."""
        return self.searcher.kind

    @classmethod
    def build(
        cls,
        vectors: BehaviourVectors,
        device: str = "auto",
        kind: str = "auto",
        memory: int | None = None,
        made_by: str = "",
    ) -> CustomerIndex:
        """Index the vectors. device: auto, cpu or gpu (DataError when no GPU build is there).

        kind: auto (by size and by `memory`, in bytes; None: half of what is free) or one of `kinds.KINDS`.
        made_by: why this encoder made the vectors, told with the reason.
        """
        gpu = _gpu(device)
        count, dimension = vectors.matrix.shape
        chosen, reason = (kind, f"{kind} was asked for")
        if kind == "auto":
            chosen, reason = choose(count, dimension, gpu, memory)
        matrix = np.ascontiguousarray(vectors.matrix, dtype=np.float32)
        searcher = Searcher(chosen, make(chosen, matrix), matrix)
        searcher, recall = tuned(_placed(searcher, gpu), broadest(chosen, count))
        found = _told(recall, searcher.breadth)
        why = "; ".join(part for part in (reason, found, _where(device, gpu), made_by) if part)
        return cls(searcher, vectors.customer_ids, vectors.encoder, vectors.as_of, why, recall)

    def save(self, folder: Path) -> None:
        """Write it atomically. Raises StorageError; the index before stays in use."""
        about = {
            "kind": self.kind,
            "breadth": self.searcher.breadth,
            "encoder": self.encoder,
            "as_of": self.as_of.isoformat(),
            "reason": self.reason,
            "recall": self.recall,
            "changed": self.changed,
            "code": self.code,
            "customer_ids": self._ids,
        }
        structure = None if self.kind == "flat" else _on_cpu(self.searcher)
        files.save(folder, self.searcher.vectors, structure, about)

    @classmethod
    def load(cls, folder: Path, device: str = "auto", mapped: bool = False) -> CustomerIndex:
        """Read a saved index. Raises NotBuiltError when absent, ChecksumError when its bytes changed.

        The vectors are memory-mapped always, the FAISS structure when `mapped`: then searches only.
        """
        stored = files.load(folder, mapped)
        vectors, index, about = stored.vectors, stored.index, stored.about
        # An index made where there was no GPU stays usable where there is one.
        gpu = _gpu(device) and (device == "gpu" or about["kind"] != "hnsw")
        structure = make("flat", vectors) if index is None else index
        searcher = _placed(Searcher(about["kind"], structure, vectors, about["breadth"]), gpu)
        as_of = date.fromisoformat(about["as_of"])
        recall = Recall(*about["recall"]) if about.get("recall") else None
        made = cls(searcher, about["customer_ids"], about["encoder"], as_of, about["reason"], recall)
        made.changed, made.code = about.get("changed", 0), about.get("code", "")
        made._read_only = mapped and index is not None
        return made

    def add(self, vectors: BehaviourVectors) -> None:
        """Add customers; those already here get the new vector. Cells and codes stay as they were trained.

        Raises ConflictError when another encoder made the vectors.
        """
        if (vectors.encoder, vectors.matrix.shape[1]) != (self.encoder, self.searcher.vectors.shape[1]):
            raise ConflictError(
                f"encoder: the index was made by {self.encoder}, the new vectors by {vectors.encoder}; "
                "their cosines mean nothing together, so rebuild it with: segassist build",
                f"encoder：索引由{self.encoder}编码，新向量由{vectors.encoder}编码，"
                f"两者的余弦没有可比性；请重建：segassist build",
            )
        self.remove([customer for customer in vectors.customer_ids if customer in self._place])
        rows = np.concatenate([self.searcher.vectors, vectors.matrix.astype(np.float32)])
        index = self._changeable()
        first = len(self.searcher.vectors)
        if self.kind.startswith("ivf"):
            index.add_with_ids(vectors.matrix, np.arange(first, len(rows)))
        else:
            index.add(np.ascontiguousarray(vectors.matrix, dtype=np.float32))
        self._changed(index, rows, self._ids + tuple(vectors.customer_ids))
        self.as_of = max(self.as_of, vectors.as_of)

    def remove(self, customer_ids: Iterable[str]) -> None:
        """Take customers out: no search finds them, and their numbers are overwritten (unknown ones: nothing)."""
        rows = np.array(sorted({self._place[c] for c in customer_ids if c in self._place}), dtype=np.int64)
        if not len(rows):
            return
        index = self._changeable()
        vectors = np.array(self.searcher.vectors)
        vectors[rows] = 0
        ids = list(self._ids)
        for row in rows:
            ids[row] = None
        if self.kind == "flat" or ids.count(None) > REBUILT_FROM * len(ids):
            kept = np.array([customer is not None for customer in ids])
            vectors, ids = vectors[kept], [customer for customer in ids if customer is not None]
            index = make(self.kind, vectors)
        elif self.kind == "hnsw":
            stored = faiss.downcast_index(index.storage)
            faiss.rev_swig_ptr(stored.get_xb(), vectors.size).reshape(vectors.shape)[rows] = 0
        else:
            faiss.extract_index_ivf(index).remove_ids(faiss.IDSelectorBatch(rows))
        self._changed(index, vectors, ids)

    def _changed(self, index: faiss.Index, vectors: np.ndarray, ids: Sequence[str | None]) -> None:
        searcher = replace(self.searcher, index=index, vectors=vectors, on_gpu=False)
        self._take(_placed(searcher, self.searcher.on_gpu), ids)

    def _changeable(self) -> faiss.Index:
        if self._read_only:
            raise StorageError("This index is memory-mapped for searching; load it unmapped to change it.")
        return _on_cpu(self.searcher)

    def vectors_of(self, customer_ids: Sequence[str]) -> np.ndarray:
        """Vectors (n, d) of customers. Raises NotFoundError naming the first that is not indexed."""
        missing = next((c for c in customer_ids if c not in self._place), None)
        if missing is not None:
            raise NotFoundError(
                f"customer: '{missing}' is not in the behaviour index of {self.as_of}.",
                f"customer：截至{self.as_of}的行为索引中没有“{missing}”。",
            )
        return np.asarray(self.searcher.vectors[[self._place[c] for c in customer_ids]])

    def matrix(self) -> np.ndarray:
        """All vectors (n, d), in the order of `customer_ids`."""
        vectors = self.searcher.vectors
        return np.asarray(vectors) if self._live.all() else vectors[self._live]

    def search(
        self, query: np.ndarray, k: int, exclude: Collection[str] = (), within: Collection[str] | None = None
    ) -> list[Match]:
        """The k customers nearest to a query vector (d,), nearest first."""
        allowed = self._allowed(exclude, within)
        (matches,) = self._found(query.reshape(1, -1), k, allowed)
        return matches

    def is_exact(self, k: int, exclude: Collection[str] = (), within: Collection[str] | None = None) -> bool:
        """Whether `search` for so many, so filtered, compares every customer who may be found."""
        allowed = self._allowed(exclude, within)
        return self.searcher.is_exact(k, len(self) if allowed is None else int(allowed.sum()))

    def search_many(self, queries: np.ndarray, k: int) -> list[list[Match]]:
        """As `search` among everyone, for every row of queries (m, d)."""
        return self._found(queries, k, self._allowed((), None))

    def _allowed(self, exclude: Collection[str], within: Collection[str] | None) -> np.ndarray | None:
        """The rows that may be found; None where that is all."""
        if within is None and not exclude:
            return None if self._live.all() else self._live
        if within is None:
            allowed = self._live.copy()
        else:
            allowed = np.zeros(len(self._ids), dtype=bool)
            allowed[[self._place[c] for c in within if c in self._place]] = True
        allowed[[self._place[c] for c in exclude if c in self._place]] = False
        return allowed

    def _found(self, queries: np.ndarray, k: int, allowed: np.ndarray | None) -> list[list[Match]]:
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        k = min(k, len(self) if allowed is None else int(allowed.sum()))
        if k < 1:
            return [[] for _ in queries]
        if allowed is None:
            rows, scores = self.searcher.nearest(queries, k)
        else:
            rows, scores = self.searcher.among(queries, k, allowed)
        return [
            [Match(str(self._ids[row]), float(score)) for row, score in zip(*pair, strict=True) if row >= 0]
            for pair in zip(rows.tolist(), scores.tolist(), strict=True)
        ]


def _placed(searcher: Searcher, gpu: bool) -> Searcher:
    if not gpu:
        return searcher
    if searcher.kind == "hnsw":
        raise DataError(
            "index_device: HNSW does not run on a GPU; set it to cpu, or rebuild: segassist build"
        )
    moved = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, searcher.index)
    return replace(searcher, index=moved, on_gpu=True)


def _on_cpu(searcher: Searcher) -> faiss.Index:
    return faiss.index_gpu_to_cpu(searcher.index) if searcher.on_gpu else searcher.index


def _gpu(device: str) -> bool:
    """Whether the index goes to a GPU. Raises DataError for an impossible setting."""
    if device not in ("auto", "cpu", "gpu"):
        raise DataError(f"index_device: '{device}' is not one of auto, cpu, gpu.")
    count = faiss.get_num_gpus() if hasattr(faiss, "get_num_gpus") else 0
    if device == "gpu" and not count:
        raise DataError(
            "index_device is gpu, but faiss finds none; run: pip install 'segment-assistant[gpu]'"
        )
    return device != "cpu" and count > 0


def _told(recall: Recall | None, breadth: int) -> str:
    if recall is None:
        return ""
    return (
        f"recall@{recall.neighbours} {recall.share:.3f} on {recall.customers} customers at breadth {breadth}"
    )


def _where(device: str, gpu: bool) -> str:
    if gpu:
        return "on the GPU"
    return "on the CPU" + ("" if device == "cpu" else " (no GPU or no faiss-gpu)")
