"""Every kind of index: chosen for a reason, right neighbours also in a filter, extended, reduced, mapped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest

from indexes import kinds
from indexes.behaviour import BehaviourVectors
from indexes.index import CustomerIndex
from indexes.kinds import KINDS, choose, index_bytes, make
from indexes.search import Searcher, Way
from segments.errors import ConflictError, DataError, NotBuiltError, StorageError
from tests.indexes.planted import ids_of, nearest_by_hand, random_vectors, vectors

COUNT, DIMENSION = 6_000, 16
EVERY = pytest.mark.parametrize("kind", KINDS)
GB = 10**9


def clustered(count: int, seed: int = 1) -> BehaviourVectors:
    """Vectors around forty centres, as customers are: neither groups nor noise alone."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(40, DIMENSION))
    return vectors(centres[random.integers(0, 40, count)] + random.normal(0, 0.4, (count, DIMENSION)))


EVERYONE = clustered(COUNT)
QUERIES = clustered(20, seed=5).matrix


@pytest.fixture(scope="module")
def built() -> dict[str, CustomerIndex]:
    return {kind: CustomerIndex.build(EVERYONE, "cpu", kind) for kind in KINDS}


def copy_of(index: CustomerIndex, folder: Path, **named: bool) -> CustomerIndex:
    index.save(folder)
    return CustomerIndex.load(folder, "cpu", **named)


def recall(
    index: CustomerIndex, among: BehaviourVectors, k: int = 50, within: set[str] | None = None
) -> float:
    shares = []
    for query in QUERIES:
        right = set(nearest_by_hand(among, query, k, within))
        found = index.search(query, k, within=within)
        shares.append(len(right & {match.customer_id for match in found}) / len(right))
    return float(np.mean(shares))


@EVERY
def test_every_kind_finds_nearly_all_neighbours_with_their_cosines(
    built: dict[str, CustomerIndex], kind: str
) -> None:
    assert recall(built[kind], EVERYONE) >= (1 if kind == "flat" else 0.94)
    best = built[kind].search(EVERYONE.matrix[7], 5)
    assert best[0].customer_id == "c00007"
    assert best[0].similarity == pytest.approx(1, abs=1e-5)


@EVERY
@pytest.mark.parametrize("share", [0.003, 0.01, 0.3, 0.7, 0.98])
def test_a_segment_of_any_size_is_searched_well(
    built: dict[str, CustomerIndex], kind: str, share: float
) -> None:
    chosen = np.random.default_rng(4).random(COUNT) < share
    within = {customer for customer, kept in zip(EVERYONE.customer_ids, chosen, strict=True) if kept}
    assert recall(built[kind], EVERYONE, 30, within) >= 0.93
    assert set(ids_of(built[kind], QUERIES[0], 30, within=within)) <= within


@EVERY
@pytest.mark.parametrize("way", ["exact", "selector", "post"])
def test_all_ways_of_filtering_agree(built: dict[str, CustomerIndex], kind: str, way: Way) -> None:
    allowed = np.random.default_rng(4).random(COUNT) < 0.4
    searcher = built[kind].searcher
    truth, scores = searcher.among(QUERIES, 20, allowed, "exact")
    rows, cosines = searcher.among(QUERIES, 20, allowed, way)
    assert rows.shape == cosines.shape == (20, 20)
    assert allowed[rows].all()
    assert np.mean([len(set(a) & set(b)) / 20 for a, b in zip(rows, truth, strict=True)]) >= 0.93
    assert cosines[:, 0] == pytest.approx(scores[:, 0], abs=1e-4)


def test_few_allowed_are_compared_one_by_one_and_most_are_dropped_afterwards() -> None:
    million = Searcher("hnsw", None, np.zeros((1_000_000, 1), dtype=np.float32), 100)
    assert million.way_for(100, 10_000) == "exact"
    assert million.way_for(100, 300_000) == "selector"
    assert million.way_for(100, 900_000) == "post"
    assert million.way_for(5_000, 300_000) == "exact"
    assert replace(million, on_gpu=True).way_for(100, 300_000) == "post"


@pytest.mark.parametrize(
    ("count", "gpu", "memory", "kind", "reason"),
    [
        (199_999, False, 0, "flat", "exact search: 199999 < 200000"),
        (1_000_000, False, 4 * GB, "hnsw", "HNSW: 1000000 >= 200000 customers; 0.80 GB of the 4.00 GB"),
        (1_000_000, True, 4 * GB, "ivf_flat", "HNSW does not run on a GPU; 0.52 GB of the 4.00 GB"),
        (1_000_000, False, 6 * GB // 10, "ivf_flat", "HNSW would need 0.80 GB; 0.52 GB of the 0.60 GB"),
        (
            1_000_000,
            False,
            3 * GB // 10,
            "ivf_pq",
            "whole vectors would need 0.52 GB; 0.04 GB of the 0.30 GB",
        ),
        (9_000_000, False, 9 * GB, "ivf_flat", "more than HNSW builds quickly"),
    ],
)
def test_the_kind_is_chosen_by_size_and_memory(
    count: int, gpu: bool, memory: int, kind: str, reason: str
) -> None:
    choice = choose(count, 128, gpu, memory)
    assert choice.kind == kind
    assert reason in choice.reason


def test_free_memory_is_what_counts_when_nothing_is_said() -> None:
    assert 0 < kinds.free_memory() < 10**14
    room = f"{kinds.free_memory() * kinds.MEMORY_SHARE / 1e9:.0f}"
    assert abs(float(choose(1_000_000, 128).reason.split("of the ")[1].split(" GB")[0]) - float(room)) < 2


@EVERY
def test_the_memory_told_is_that_of_the_bytes(kind: str) -> None:
    everyone = EVERYONE.matrix
    assert len(faiss.serialize_index(make(kind, everyone))) == pytest.approx(
        index_bytes(kind, len(everyone), DIMENSION), rel=0.15
    )


def test_pq_takes_a_tenth_of_the_raw_vectors() -> None:
    assert index_bytes("ivf_pq", 1_000_000, 128) <= 0.1 * 4 * 128 * 1_000_000


def test_an_unknown_kind_is_told() -> None:
    with pytest.raises(DataError, match="'lsh' is not one of auto, flat, hnsw, ivf_flat, ivf_pq"):
        CustomerIndex.build(EVERYONE, "cpu", "lsh")


@pytest.mark.parametrize("kind", KINDS)
def test_few_customers_can_be_indexed_in_every_kind(kind: str) -> None:
    few = random_vectors(300)
    index = CustomerIndex.build(few, "cpu", kind)
    assert ids_of(index, few.matrix[3], 1) == ["c00003"]


def test_the_breadth_is_as_measured(built: dict[str, CustomerIndex]) -> None:
    assert built["flat"].searcher.breadth == 0
    for kind in KINDS[1:]:
        assert f"on 100 customers at breadth {built[kind].searcher.breadth}" in built[kind].reason


@EVERY
@pytest.mark.parametrize("mapped", [False, True])
def test_a_saved_index_searches_the_same(
    built: dict[str, CustomerIndex], tmp_path: Path, kind: str, mapped: bool
) -> None:
    again = copy_of(built[kind], tmp_path, mapped=mapped)
    assert (again.kind, again.reason, again.searcher.breadth) == (
        kind,
        built[kind].reason,
        built[kind].searcher.breadth,
    )
    assert isinstance(again.searcher.vectors, np.memmap)
    for query in QUERIES[:5]:
        assert again.search(query, 20) == built[kind].search(query, 20)
        within = set(EVERYONE.customer_ids[::2])
        assert again.search(query, 20, within=within) == built[kind].search(query, 20, within=within)


@EVERY
def test_added_customers_are_found(built: dict[str, CustomerIndex], tmp_path: Path, kind: str) -> None:
    index = copy_of(built[kind], tmp_path)
    fresh = clustered(500, seed=8)
    more = replace(fresh, customer_ids=tuple(f"n{i:05d}" for i in range(500)))
    index.add(more)
    assert len(index) == COUNT + 500
    found = [
        ids_of(index, vector, 1) == [who] for who, vector in zip(more.customer_ids, more.matrix, strict=True)
    ]
    assert np.mean(found) >= (1 if kind == "flat" else 0.97)
    both = BehaviourVectors(
        EVERYONE.customer_ids + more.customer_ids,
        np.vstack([EVERYONE.matrix, more.matrix]),
        EVERYONE.encoder,
        EVERYONE.as_of,
    )
    assert recall(index, both) >= 0.92
    index.save(tmp_path)
    again = CustomerIndex.load(tmp_path, "cpu")
    assert again.search(QUERIES[0], 20) == index.search(QUERIES[0], 20)
    assert again.matrix() == pytest.approx(both.matrix)


@EVERY
def test_a_known_customer_who_is_added_moves(
    built: dict[str, CustomerIndex], tmp_path: Path, kind: str
) -> None:
    index = copy_of(built[kind], tmp_path)
    target = EVERYONE.matrix[20:21]
    index.add(BehaviourVectors(("c00010",), target, EVERYONE.encoder, EVERYONE.as_of))
    assert len(index) == COUNT
    assert set(ids_of(index, target[0], 2)) == {"c00010", "c00020"}
    assert index.vectors_of(["c00010"]) == pytest.approx(target)
    assert "c00010" not in ids_of(index, EVERYONE.matrix[10], 3)


@EVERY
@pytest.mark.parametrize("removed", [40, 2000])
def test_removed_customers_are_gone_from_searches_and_from_the_files(
    built: dict[str, CustomerIndex], tmp_path: Path, kind: str, removed: int
) -> None:
    index = copy_of(built[kind], tmp_path)
    near = ids_of(index, QUERIES[0], removed)
    index.remove([*near, "nobody"])
    gone = set(near)
    assert len(index) == COUNT - removed
    assert not gone & set(index.customer_ids)
    assert not gone & set(ids_of(index, QUERIES[0], 100))
    assert not gone & set(ids_of(index, QUERIES[0], 50, within=[*near, *EVERYONE.customer_ids[:500]]))
    kept = [row for row, customer in enumerate(EVERYONE.customer_ids) if customer not in gone]
    left = BehaviourVectors(index.customer_ids, EVERYONE.matrix[kept], EVERYONE.encoder, EVERYONE.as_of)
    assert index.customer_ids == tuple(EVERYONE.customer_ids[row] for row in kept)
    assert index.matrix() == pytest.approx(left.matrix)
    assert recall(index, left) >= 0.9
    index.save(tmp_path)
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for customer in near[:40]:
        assert customer.encode() not in written
        assert EVERYONE.matrix[int(customer[1:])].tobytes() not in written
    assert CustomerIndex.load(tmp_path, "cpu").search(QUERIES[0], 20) == index.search(QUERIES[0], 20)


@EVERY
def test_added_after_removed_is_found(built: dict[str, CustomerIndex], tmp_path: Path, kind: str) -> None:
    index = copy_of(built[kind], tmp_path)
    index.remove(EVERYONE.customer_ids[:30])
    index.add(BehaviourVectors(("c00005",), EVERYONE.matrix[5:6], EVERYONE.encoder, EVERYONE.as_of))
    assert ids_of(index, EVERYONE.matrix[5], 1) == ["c00005"]
    assert len(index) == COUNT - 29


def test_vectors_of_another_encoder_are_refused(built: dict[str, CustomerIndex]) -> None:
    with pytest.raises(ConflictError, match=r"made by planted, the new vectors by other.*segassist build$"):
        built["flat"].add(replace(random_vectors(3), encoder="other"))
    with pytest.raises(ConflictError):
        built["flat"].add(random_vectors(3, dimension=8))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_mapped_index_is_for_searching_only(
    built: dict[str, CustomerIndex], tmp_path: Path, kind: str
) -> None:
    index = copy_of(built[kind], tmp_path, mapped=True)
    with pytest.raises(StorageError, match="load it unmapped"):
        index.remove(["c00001"])
    with pytest.raises(StorageError, match="load it unmapped"):
        index.add(replace(random_vectors(1), customer_ids=("new",)))


def test_an_index_of_an_older_form_says_what_to_run(tmp_path: Path) -> None:
    manifest = {"file": "customers.x.faiss", "file_sha256": "", "encoder": "e", "customer_ids": []}
    manifest["sha256"] = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(NotBuiltError, match=r"older form; run: segassist build$"):
        CustomerIndex.load(tmp_path)
