"""Searching vectors by one FAISS index: all of them, or only some (filtered), each in the way that fits.

A filter is a mask of rows. Three ways: compare the allowed rows one by one (exact), let FAISS skip the
others as it goes (selector), or search everything for more and drop the others (post).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import faiss
import numpy as np

Way = Literal["exact", "selector", "post"]
ROWS_A_SEARCH = {"hnsw": 3000, "ivf_flat": 3000, "ivf_pq": 3000}
"""How many rows are compared one by one in the time of one unfiltered search; by `eval.bench.faiss`."""
FLAT_EXACT_SHARE = 0.5
"""Flat: share of the rows up to which copying the allowed ones together is quicker than a selector."""
GPU_EXACT_SHARE = 0.1
"""Flat on a GPU: the same share, from which searching everything there for more and dropping the others is quicker (400,000
customers on an H200 with 16 cores: at a tenth both take 5 to 6 ms, at a quarter 18 and 2)."""
POST_SHARE = 0.5
"""Share from which dropping the others afterwards is quicker than testing each one on the way."""
SPARE = 1.3
"""Times the expected number that is asked for before dropping; short answers are completed exactly."""
WHOLE_SHARE = 0.01
"""Asked for more than this share of all: everything is compared, approximate kinds are made for few."""
CANDIDATES, LEAST_CANDIDATES = 4, 200
"""IVF-PQ ranks this many times what is asked for (and never fewer than this) by the whole vectors."""
BLOCK = 64
GPU_MOST = 2048
"""Neighbours that faiss finds on a GPU at most, and cells that it looks into."""
TUNED_TO, TUNED_BY, TUNED_AT = 0.96, 100, 100
"""Recall that the breadth is widened to, on how many of the customers, at how many neighbours."""
SEED = 7


@dataclass(frozen=True)
class Searcher:
    """An index, the vectors (n, d) it was made of, how broadly it is searched, whether it is on a GPU.

    breadth: candidates that HNSW keeps (efSearch), cells that IVF looks into (nprobe); 0 for flat.
    """

    kind: str
    index: faiss.Index
    vectors: np.ndarray
    breadth: int = 0
    on_gpu: bool = False

    def nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(rows, cosines) of shape (m, k), nearest first; row -1 where there are fewer."""
        if self.kind != "flat" and k > WHOLE_SHARE * len(self.vectors):
            return self._exact(queries, k, None)
        return self._search(queries, k, None)

    def among(
        self, queries: np.ndarray, k: int, allowed: np.ndarray, way: Way | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `nearest`, from rows where the mask `allowed` (n,) holds; way None: `way_for` chooses."""
        count = int(allowed.sum())
        way = way or self.way_for(k, count)
        if way == "exact":
            return self._exact(queries, k, np.flatnonzero(allowed))
        if way == "selector":
            return self._search(queries, k, allowed)
        return self._post(queries, k, allowed, count)

    def is_exact(self, k: int, allowed: int) -> bool:
        """Whether a search for k among so many allowed rows compares each of them."""
        return self.kind == "flat" or self.way_for(k, allowed) == "exact"

    def way_for(self, k: int, allowed: int) -> Way:
        """The measured rule: exact for few allowed rows, post for many, the selector between."""
        total = len(self.vectors)
        if self.kind == "flat":
            few = GPU_EXACT_SHARE if self.on_gpu else FLAT_EXACT_SHARE
            if allowed <= few * total:
                return "exact"
            return "post" if self.on_gpu else "selector"
        # A search that must meet n / m times as many vectors takes n / m times as long; comparing m rows, m.
        if allowed <= math.sqrt(ROWS_A_SEARCH[self.kind] * total) or k > WHOLE_SHARE * allowed:
            return "exact"
        return "post" if self.on_gpu or allowed >= POST_SHARE * total else "selector"

    def _exact(self, queries: np.ndarray, k: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        vectors = self.vectors if rows is None else self.vectors[rows]
        if not len(vectors):
            return np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf, np.float32)
        scores, found = faiss.knn(queries, vectors, min(k, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)
        return (found if rows is None else rows[found]), scores

    def _post(
        self, queries: np.ndarray, k: int, allowed: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        wanted = min(len(self.vectors), int(SPARE * k * len(self.vectors) / max(1, count)) + 10)
        rows, scores = self.nearest(queries, wanted)
        kept = (rows >= 0) & allowed[rows]
        if (kept.sum(axis=1) < min(k, count)).any():
            return self._exact(queries, k, np.flatnonzero(allowed))
        order = np.argsort(~kept, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)

    def _search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        wanted = max(k * CANDIDATES, LEAST_CANDIDATES) if self.kind == "ivf_pq" else k
        wanted = min(len(self.vectors), wanted)
        if self.on_gpu and wanted > GPU_MOST:
            return self._exact(queries, k, None if allowed is None else np.flatnonzero(allowed))
        scores, rows = self.index.search(queries, wanted, params=self._parameters(k, allowed))
        return self._ranked(queries, rows, k) if self.kind == "ivf_pq" else (rows, scores)

    def _parameters(self, k: int, allowed: np.ndarray | None) -> faiss.SearchParameters | None:
        selector, breadth = {}, self.breadth
        if allowed is not None:
            selector["sel"] = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
            breadth = math.ceil(breadth / max(allowed.mean(), 1 / len(allowed)))
        if self.kind == "flat":
            return faiss.SearchParameters(**selector) if selector else None
        if self.kind == "hnsw":
            return faiss.SearchParametersHNSW(efSearch=max(breadth, math.ceil(SPARE * k)), **selector)
        # More neighbours lie in more cells: else a tenth that is kept afterwards has a recall of 0.8.
        probes = min(
            math.ceil(breadth * max(1, k / TUNED_AT)), GPU_MOST if self.on_gpu else len(self.vectors)
        )
        cells = faiss.SearchParametersIVF(nprobe=probes, **selector)
        return cells if self.kind == "ivf_flat" else faiss.SearchParametersPreTransform(index_params=cells)

    def _ranked(self, queries: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k best of the candidate rows, by the vectors themselves."""
        best, scores = [], []
        for start in range(0, len(queries), BLOCK):
            candidates = rows[start : start + BLOCK]
            exact = np.einsum("mcd,md->mc", self.vectors[candidates], queries[start : start + BLOCK])
            exact[candidates < 0] = -np.inf
            order = np.argsort(-exact, axis=1, kind="stable")[:, :k]
            best.append(np.take_along_axis(candidates, order, 1))
            scores.append(np.take_along_axis(exact, order, 1))
        return np.concatenate(best), np.concatenate(scores)


class Recall(NamedTuple):
    """What a search finds of the nearest `neighbours` (share 0..1), mean over `customers` chosen at random."""

    share: float
    neighbours: int
    customers: int


def tuned(searcher: Searcher, most: int) -> tuple[Searcher, Recall | None]:
    """The searcher at the least breadth (up to `most`) that finds enough of a sample's neighbours, and how many.

    Against comparing everything; None for flat, which does that.
    """
    if searcher.kind == "flat":
        return searcher, None
    chosen = np.random.default_rng(SEED).choice(
        len(searcher.vectors), min(TUNED_BY, len(searcher.vectors)), replace=False
    )
    queries = np.ascontiguousarray(searcher.vectors[np.sort(chosen)])
    k = min(TUNED_AT, max(1, int(WHOLE_SHARE * len(searcher.vectors))))
    truth = searcher._exact(queries, k, None)[0]
    found, breadth = 0.0, max(1, k if searcher.kind == "hnsw" else most // 256)
    while True:
        searcher = replace(searcher, breadth=breadth)
        rows = searcher.nearest(queries, k)[0]
        found = float(np.mean([len(set(a) & set(b)) for a, b in zip(rows, truth, strict=True)])) / k
        if found >= TUNED_TO or breadth >= most:
            return searcher, Recall(found, k, len(queries))
        breadth = min(most, math.ceil(breadth * 1.3))
