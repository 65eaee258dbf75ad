"""The kinds of FAISS index: which suits how many vectors and how much memory, how each is made and searched.

Flat compares everything; HNSW walks a graph; IVF-Flat looks into the nearest cells; IVF-PQ looks into the
nearest cells at vectors compressed after a rotation (OPQ), and ranks what it found by the vectors themselves.
The settings are the same on the CPU and the GPU (which has no HNSW). `eval.bench.faiss` measures them.
"""

from __future__ import annotations

import math
import os
from typing import NamedTuple

import faiss
import numpy as np

from segments.errors import DataError

KINDS = ("flat", "hnsw", "ivf_flat", "ivf_pq")
EXACT_BELOW = 200_000
"""Exact search of 200,000 x 138 floats takes about 10 ms on 2 cores; beyond, an approximate kind."""
HNSW_UP_TO = 3_000_000
"""HNSW builds in about 5 minutes a million on 2 cores; beyond, cells build sooner."""
HNSW_LINKS, HNSW_BUILD, HNSW_BROADEST = 32, 80, 2048
TRAINED_ON = 40
"""Vectors a cell that k-means is trained on; faiss asks for at least 39."""
PQ_FLOATS_A_BYTE = 4
"""IVF-PQ keeps one byte for 4 floats: a twelfth of the memory with the ids."""
MEMORY_SHARE = 0.5
"""Of the machine's free memory, what an index may take."""
SEED = 7


class Choice(NamedTuple):
    """A kind of index and why."""

    kind: str
    reason: str


def index_bytes(kind: str, count: int, dimension: int) -> int:
    """Memory of an index over `count` float32 vectors, without the memory-mapped file of the vectors."""
    raw = 4 * dimension
    each = {
        "flat": raw,
        "hnsw": raw + 4 * (2 * HNSW_LINKS + 8),
        "ivf_flat": raw + 8,
        "ivf_pq": _codes(dimension) * _bits(count) // 8 + 8,
    }[kind]
    once = cells_of(count) * raw if kind.startswith("ivf") else 0
    if kind == "ivf_pq":
        once += (2 ** _bits(count) + dimension) * raw  # the tables of its codes, the rotation
    return count * each + once


def free_memory() -> int:
    """Bytes of memory free on this machine."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def choose(count: int, dimension: int, gpu: bool = False, memory: int | None = None) -> Choice:
    """The kind for `count` vectors in `memory` bytes (None: half of what is free), and the reason."""
    room = int(free_memory() * MEMORY_SHARE) if memory is None else memory
    if count < EXACT_BELOW:
        return Choice("flat", f"exact search: {count} < {EXACT_BELOW} customers")

    def of(kind: str) -> str:
        return f"{_gb(index_bytes(kind, count, dimension))} of the {_gb(room)} it may take"

    if not gpu and count <= HNSW_UP_TO and index_bytes("hnsw", count, dimension) <= room:
        return Choice("hnsw", f"HNSW: {count} >= {EXACT_BELOW} customers; {of('hnsw')}")
    if index_bytes("ivf_flat", count, dimension) <= room:
        why = "HNSW does not run on a GPU" if gpu else f"more than HNSW builds quickly ({HNSW_UP_TO})"
        if not gpu and count <= HNSW_UP_TO:
            why = f"HNSW would need {_gb(index_bytes('hnsw', count, dimension))}"
        return Choice("ivf_flat", f"IVF-Flat: {count} customers, {why}; {of('ivf_flat')}")
    more = _gb(index_bytes("ivf_flat", count, dimension))
    return Choice("ivf_pq", f"IVF-PQ: whole vectors would need {more}; {of('ivf_pq')}")


def cells_of(count: int) -> int:
    """Number of cells: 4 times the square root (faiss's guideline), so that each is trained on enough."""
    return max(1, min(int(4 * math.sqrt(count)), count // TRAINED_ON))


def broadest(kind: str, count: int) -> int:
    """The most candidates (HNSW) or cells (IVF) that a search may look at."""
    return {"flat": 0, "hnsw": HNSW_BROADEST}.get(kind, cells_of(count))


def make(kind: str, matrix: np.ndarray) -> faiss.Index:
    """An index of this kind over the rows of matrix (n, d), float32. Raises DataError for another kind."""
    dimension = matrix.shape[1]
    index: faiss.Index
    if kind == "flat":
        index = faiss.IndexFlatIP(dimension)
    elif kind == "hnsw":
        index = faiss.IndexHNSWFlat(dimension, HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = HNSW_BUILD
    elif kind in KINDS:
        index = _cells(kind, matrix)
    else:
        raise DataError(f"index_kind: '{kind}' is not one of auto, {', '.join(KINDS)}.")
    index.add(np.ascontiguousarray(matrix, dtype=np.float32))
    return index


def _cells(kind: str, matrix: np.ndarray) -> faiss.Index:
    count, dimension = matrix.shape
    cells = cells_of(count)
    coarse = faiss.IndexFlatIP(dimension)
    if kind == "ivf_flat":
        ivf = faiss.IndexIVFFlat(coarse, dimension, cells, faiss.METRIC_INNER_PRODUCT)
        index = ivf
    else:
        codes = _codes(dimension)
        bits = _bits(count)
        # Sub-vectors must be equally long: the rotation pads the dimension to a multiple of their number.
        wide = -(-dimension // codes) * codes
        ivf = faiss.IndexIVFPQ(faiss.IndexFlatIP(wide), wide, cells, codes, bits, faiss.METRIC_INNER_PRODUCT)
        rotation = faiss.OPQMatrix(dimension, codes, wide)
        rotation.pq = faiss.ProductQuantizer(wide, codes, bits)
        rotation.niter, rotation.max_train_points = 10, 256 * TRAINED_ON
        index = faiss.IndexPreTransform(rotation, ivf)
    ivf.cp.spherical, ivf.cp.niter, ivf.cp.seed = True, 10, SEED
    sample = np.random.default_rng(SEED).choice(count, min(count, cells * TRAINED_ON), replace=False)
    index.train(np.ascontiguousarray(matrix[np.sort(sample)], dtype=np.float32))
    return index


def _codes(dimension: int) -> int:
    return max(1, dimension // PQ_FLOATS_A_BYTE)


def _bits(count: int) -> int:
    """Of one code: as many as there are vectors to train their tables on."""
    return 8 if count >= 256 * TRAINED_ON else 4


def _gb(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
