"""The kinds of index on generated customers, against exact search in the same run.

    python -m eval.bench.faiss [--customers 1000000] [--dimension 128] [--kinds hnsw,ivf_flat,ivf_pq] [--device cpu]
                              [--threads 2] [--busy] [--beside-cpu]

Customers draw purchases from mixtures of tastes over categories of Zipf popularity; the product's own taste
block (`indexes.behaviour.tastes`) and ten habit dimensions make their vectors. Queries are customers with a
little noise. Recall@100 and queries a second are against exact search (FAISS, all cores) of the same queries,
in one batch and one at a time, as a marketer's question asks. The filter table compares the three ways inside
segments of several sizes (each over the same 20 queries); from it come the constants of `indexes.search`.
With --device gpu --beside-cpu each kind is made and searched on the CPU too, at the same recall, and their speeds compared.
On a machine that others use, --busy counts CPU seconds, which waiting for a core does not lengthen; with
--threads 1, since waiting threads would count.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable
from datetime import date

import faiss
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import sparse

from indexes.behaviour import BehaviourVectors, tastes
from indexes.index import CustomerIndex
from indexes.kinds import index_bytes
from indexes.search import Searcher, Way

CATEGORIES, TASTES, HABITS = 300, 60, 10
QUERIES, ONE_BY_ONE, EXACT_ONE_BY_ONE, FILTERED = 1000, 200, 30, 20
K = 100
NOISE = 0.03
SEED = 7
SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.9)
WAYS: tuple[Way, ...] = ("exact", "selector", "post")
Search = Callable[[np.ndarray], np.ndarray]
Clock = Callable[[], float]


def purchases(count: int) -> sparse.csr_matrix:
    """Spend (count customers, categories): three tastes each, log-normal activity, a fifth at random."""
    random = np.random.default_rng(SEED)
    popularity = random.permutation(1 / np.arange(1, CATEGORIES + 1) ** 0.9)
    popularity /= popularity.sum()
    tables = np.vstack([[random.dirichlet(popularity * 40) for _ in range(TASTES)], popularity]).cumsum(
        axis=1
    )
    activity = np.clip(random.lognormal(3.2, 0.8, count), 3, 300).astype(np.int64)
    who = np.repeat(np.arange(count, dtype=np.int32), activity)
    common = 1 / np.arange(1, TASTES + 1) ** 0.7
    own = random.choice(TASTES, (count, 3), p=common / common.sum()).astype(np.int16)
    taste = own[who, random.choice(3, len(who), p=[0.6, 0.3, 0.1])]
    taste[random.random(len(who)) < 0.2] = TASTES
    drawn = random.random(len(who))
    what = np.empty(len(who), dtype=np.int32)
    for number, table in enumerate(tables):
        chosen = taste == number
        what[chosen] = np.minimum(np.searchsorted(table, drawn[chosen]), CATEGORIES - 1)
    spent = random.gamma(1.5, 1.0, len(who))
    return sparse.csr_matrix((spent, (who, what)), shape=(count, CATEGORIES))


def generate(count: int, dimension: int) -> BehaviourVectors:
    """Behaviour vectors of generated customers: tastes by the product's own encoder, and habits."""
    block = tastes(purchases(count), dimension - HABITS)
    random = np.random.default_rng(SEED + 1)
    habits = random.normal(size=(count, 3)) @ random.normal(size=(3, HABITS))
    habits += random.normal(0, 0.5, habits.shape)
    matrix = np.hstack([_unit(block), 0.25 * _unit(habits)]).astype(np.float32)
    ids = tuple(f"c{i:08d}" for i in range(count))
    return BehaviourVectors(ids, _unit(matrix), "generated", date(2018, 1, 1))


def _unit(matrix: np.ndarray) -> np.ndarray:
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)


def queries_of(matrix: np.ndarray) -> np.ndarray:
    """Customers with a little noise, so that nobody is their own exact neighbour."""
    random = np.random.default_rng(SEED + 2)
    rows = random.choice(len(matrix), QUERIES, replace=False)
    return _unit(matrix[rows] + random.normal(0, NOISE, (QUERIES, matrix.shape[1])).astype(np.float32))


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean share of the true neighbours that were found."""
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, truth, strict=True)]))


def seconds(search: Search, queries: np.ndarray, one_by_one: int, clock: Clock) -> tuple[float, float]:
    """Seconds a query: all in one batch, and one at a time."""
    began = clock()
    search(queries)
    batch = (clock() - began) / len(queries)
    began = clock()
    for row in range(one_by_one):
        search(queries[row : row + 1])
    return batch, (clock() - began) / one_by_one


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--kinds", default="hnsw,ivf_flat,ivf_pq")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--beside-cpu", action="store_true")
    arguments = parser.parse_args()
    if arguments.beside_cpu and arguments.device != "gpu":
        parser.error("--beside-cpu sets a GPU beside the CPU: it takes --device gpu")
    faiss.omp_set_num_threads(arguments.threads)
    clock = time.process_time if arguments.busy else time.perf_counter
    console = Console(width=120)
    began = time.perf_counter()
    made = generate(arguments.customers, arguments.dimension)
    console.print(
        f"{arguments.customers} x {arguments.dimension} generated in {time.perf_counter() - began:.0f} s; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {arguments.threads} FAISS threads, "
        f"{'CPU' if arguments.busy else 'wall'} seconds"
    )
    queries = queries_of(made.matrix)
    flat = CustomerIndex.build(made, arguments.device, "flat").searcher
    truth = flat.nearest(queries, K)[0]
    for kind in arguments.kinds.split(","):
        began = clock()
        index = CustomerIndex.build(made, arguments.device, kind)
        built = clock() - began
        _print(console, index, built, flat, queries, truth, clock)
        if arguments.beside_cpu:
            cpu = CustomerIndex.build(made, "cpu", kind).searcher
            _beside(console, index.searcher, cpu, queries, truth, clock)
        _filters(console, index.searcher, queries[:FILTERED], clock)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    console.print(f"peak memory of this process {peak:.1f} GB")


def _print(
    console: Console,
    index: CustomerIndex,
    built: float,
    flat: Searcher,
    queries: np.ndarray,
    truth: np.ndarray,
    clock: Clock,
) -> None:
    """Recall, speed against exact search (timed just before and just after), build time, memory."""
    searcher = index.searcher
    before = _speeds(flat, queries, EXACT_ONE_BY_ONE, clock)
    own = _speeds(searcher, queries, ONE_BY_ONE, clock)
    after = _speeds(flat, queries, EXACT_ONE_BY_ONE, clock)
    exact = [(a + b) / 2 for a, b in zip(before, after, strict=True)]
    found = recall(searcher.nearest(queries, K)[0], truth)
    raw = searcher.vectors.nbytes
    size = index_bytes(index.kind, *searcher.vectors.shape)
    table = Table(title=f"{index.kind}: {index.reason}")
    for name in (
        "recall@100",
        "batch QPS (exact)",
        "times",
        "single QPS (exact)",
        "times",
        "build",
        "memory",
    ):
        table.add_column(name)
    table.add_row(
        f"{found:.3f}",
        f"{1 / own[0]:.0f} ({1 / exact[0]:.0f})",
        f"{exact[0] / own[0]:.1f}",
        f"{1 / own[1]:.0f} ({1 / exact[1]:.0f})",
        f"{exact[1] / own[1]:.1f}",
        f"{built:.0f} s",
        f"{size / 1e6:.0f} MB = {size / raw:.3f} of raw",
    )
    console.print(table)


def _speeds(searcher: Searcher, queries: np.ndarray, one_by_one: int, clock: Clock) -> tuple[float, float]:
    return seconds(lambda some: searcher.nearest(some, K)[0], queries, one_by_one, clock)


def _beside(
    console: Console, gpu: Searcher, cpu: Searcher, queries: np.ndarray, truth: np.ndarray, clock: Clock
) -> None:
    """The same kind on both devices, each as broadly searched as it takes to find the same share of the neighbours."""
    table = Table(title=f"{gpu.kind} on the GPU beside {faiss.omp_get_max_threads()} threads of the CPU")
    for name in ("device", "breadth", "recall@100", "batch QPS", "single QPS"):
        table.add_column(name)
    took = {}
    for device, searcher in (("gpu", gpu), ("cpu", cpu)):
        _speeds(searcher, queries, 1, clock)
        took[device] = _speeds(searcher, queries, ONE_BY_ONE, clock)
        found = recall(searcher.nearest(queries, K)[0], truth)
        speeds = (f"{1 / taken:.0f}" for taken in took[device])
        table.add_row(device, f"{searcher.breadth}", f"{found:.3f}", *speeds)
    ratios = (f"{slow / fast:.1f} times" for fast, slow in zip(took["gpu"], took["cpu"], strict=True))
    table.add_row("gpu / cpu", "", "", *ratios)
    console.print(table)


def _filters(console: Console, searcher: Searcher, queries: np.ndarray, clock: Clock) -> None:
    """Recall and milliseconds a query of each way inside random segments; the rule's choice is starred."""
    random = np.random.default_rng(SEED + 3)
    table = Table(title=f"{searcher.kind} inside a segment: recall@100 and ms a query, one at a time")
    ways = tuple(way for way in WAYS if not (way == "selector" and searcher.on_gpu))
    for name in ("share", *ways, "chosen: recall"):
        table.add_column(name)
    for share in SHARES:
        allowed = random.random(len(searcher.vectors)) < share
        truth = searcher.among(queries, K, allowed, "exact")[0]
        chosen = searcher.way_for(K, int(allowed.sum()))
        cells = []
        right = 0.0
        for way in ways:
            began = clock()
            rows = np.vstack([searcher.among(query[None], K, allowed, way)[0] for query in queries])
            taken = (clock() - began) / len(queries)
            right = recall(rows, truth) if way == chosen else right
            cells.append(f"{recall(rows, truth):.3f} {1000 * taken:.1f}{' *' if way == chosen else ''}")
        table.add_row(f"{share:.1%}", *cells, f"{right:.3f}")
    console.print(table)


if __name__ == "__main__":
    main()
