"""The customer index: right neighbours, also after a restart, and never from damaged files."""

from __future__ import annotations

import errno
import json
import os
import resource
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes import files, kinds
from indexes.files import MANIFEST
from indexes.index import CustomerIndex
from segments.errors import ChecksumError, DataError, NotBuiltError, NotFoundError, StorageError
from tests.indexes.planted import AS_OF, ids_of, nearest_by_hand, random_vectors

VECTORS = random_vectors(300)
INDEX = CustomerIndex.build(VECTORS, "cpu")
QUERY = random_vectors(1, seed=9).matrix[0]
no_gpu = pytest.mark.skipif(
    hasattr(faiss, "get_num_gpus") and faiss.get_num_gpus() > 0, reason="this machine has a GPU"
)


def index_file(folder: Path) -> Path:
    """The one file beside the manifest."""
    (path,) = (path for path in folder.iterdir() if path.name != MANIFEST)
    return path


@pytest.fixture
def hnsw(monkeypatch: pytest.MonkeyPatch) -> CustomerIndex:
    monkeypatch.setattr(kinds, "EXACT_BELOW", 500)
    return CustomerIndex.build(random_vectors(3000), "cpu")


def test_neighbours_and_cosines_are_those_of_numpy() -> None:
    for row in range(0, 300, 30):
        query = VECTORS.matrix[row]
        matches = INDEX.search(query, 10)
        assert [match.customer_id for match in matches] == nearest_by_hand(VECTORS, query, 10)
        assert matches[0].customer_id == VECTORS.customer_ids[row]
        cosines = [float(VECTORS.matrix[VECTORS.customer_ids.index(m.customer_id)] @ query) for m in matches]
        assert [match.similarity for match in matches] == pytest.approx(cosines, abs=1e-5)


subsets = st.sets(st.sampled_from([*VECTORS.customer_ids, "nobody"]), max_size=300)


@given(within=st.none() | subsets, exclude=subsets, k=st.integers(1, 320), seed=st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_filters_are_exact(within: set[str] | None, exclude: set[str], k: int, seed: int) -> None:
    query = random_vectors(1, seed=seed).matrix[0]
    allowed = (set(VECTORS.customer_ids) if within is None else within) - exclude
    found = [match.customer_id for match in INDEX.search(query, k, exclude=exclude, within=within)]
    assert found == nearest_by_hand(VECTORS, query, k, allowed)


def test_nobody_allowed_is_nobody_found() -> None:
    assert ids_of(INDEX, QUERY, 5, within=()) == []
    assert ids_of(INDEX, QUERY, 5, exclude=VECTORS.customer_ids) == []


def test_vectors_come_back_by_customer() -> None:
    assert INDEX.vectors_of(["c00007", "c00002"]) == pytest.approx(VECTORS.matrix[[7, 2]])
    assert INDEX.matrix() == pytest.approx(VECTORS.matrix)
    assert len(INDEX) == 300
    with pytest.raises(NotFoundError, match="'nobody' is not in the behaviour index of 2018-01-01"):
        INDEX.vectors_of(["c00001", "nobody"])


def test_a_saved_index_has_the_same_neighbours(tmp_path: Path) -> None:
    INDEX.save(tmp_path / "new")
    again = CustomerIndex.load(tmp_path / "new", "cpu")
    assert again.search(QUERY, 20) == INDEX.search(QUERY, 20)
    assert again.search(QUERY, 20, exclude=["c00001"]) == INDEX.search(QUERY, 20, exclude=["c00001"])
    assert (again.customer_ids, again.encoder, again.as_of) == (INDEX.customer_ids, "planted", AS_OF)
    assert again.reason == INDEX.reason
    assert set((tmp_path / "new").iterdir()) == {index_file(tmp_path / "new"), tmp_path / "new" / MANIFEST}


def test_saving_again_replaces_it(tmp_path: Path) -> None:
    INDEX.save(tmp_path)
    other = CustomerIndex.build(random_vectors(50, seed=4), "cpu")
    other.save(tmp_path)
    assert CustomerIndex.load(tmp_path).search(QUERY, 5) == other.search(QUERY, 5)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("missing", ["index", "manifest", "both"])
def test_a_missing_index_says_what_to_run(tmp_path: Path, missing: str) -> None:
    INDEX.save(tmp_path)
    for name, path in (("index", index_file(tmp_path)), ("manifest", tmp_path / MANIFEST)):
        if missing in (name, "both"):
            path.unlink()
    with pytest.raises(NotBuiltError, match=r"segassist build$"):
        CustomerIndex.load(tmp_path)


@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_a_changed_byte_of_the_index_is_noticed(tmp_path: Path, place: float) -> None:
    INDEX.save(tmp_path)
    path = index_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ChecksumError, match=rf"{path.name}.*segassist build$"):
        CustomerIndex.load(tmp_path)


@pytest.mark.parametrize("which", ["index", "manifest"])
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_truncated_file_is_noticed(tmp_path: Path, which: str, share: float) -> None:
    INDEX.save(tmp_path)
    path = index_file(tmp_path) if which == "index" else tmp_path / MANIFEST
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ChecksumError, match=rf"{path.name}.*segassist build$"):
        CustomerIndex.load(tmp_path)


@pytest.mark.parametrize("content", ["{}", "[]", "null", '"text"', '{"sha256": 1}', "\xff"])
def test_a_manifest_of_another_form_is_damaged(tmp_path: Path, content: str) -> None:
    INDEX.save(tmp_path)
    (tmp_path / MANIFEST).write_text(content, encoding="latin-1")
    with pytest.raises(ChecksumError, match=r"segassist build$"):
        CustomerIndex.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"), [("c00007", "c00299"), ('"c00007", ', ""), ("2018-01-01", "2018-01-07")]
)
def test_a_manifest_with_other_customers_or_another_date_is_noticed(
    tmp_path: Path, old: str, new: str
) -> None:
    INDEX.save(tmp_path)
    text = (tmp_path / MANIFEST).read_text()
    assert text.count(old) == 1
    json.loads(text.replace(old, new))
    (tmp_path / MANIFEST).write_text(text.replace(old, new))
    with pytest.raises(ChecksumError):
        CustomerIndex.load(tmp_path)


@pytest.mark.parametrize("at", [1, 2])
def test_a_save_cut_short_leaves_the_index_before_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    INDEX.save(tmp_path)
    real, calls = os.replace, []

    def cut_short(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == at:
            raise KeyboardInterrupt
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", cut_short)
        with pytest.raises(KeyboardInterrupt):
            CustomerIndex.build(random_vectors(50, seed=4), "cpu").save(tmp_path)
    assert CustomerIndex.load(tmp_path).search(QUERY, 5) == INDEX.search(QUERY, 5)


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    INDEX.save(tmp_path)

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", full)
        with pytest.raises(StorageError, match="disk is full"):
            CustomerIndex.build(random_vectors(50, seed=4), "cpu").save(tmp_path)
    assert CustomerIndex.load(tmp_path).search(QUERY, 5) == INDEX.search(QUERY, 5)


def test_bytes_that_cannot_be_written_are_one_sentence(tmp_path: Path) -> None:
    INDEX.save(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StorageError):
            CustomerIndex.build(random_vectors(500, seed=4), "cpu").save(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert CustomerIndex.load(tmp_path).search(QUERY, 5) == INDEX.search(QUERY, 5)


def test_a_large_index_is_hnsw_and_finds_nearly_all_neighbours(hnsw: CustomerIndex) -> None:
    assert hnsw.reason.startswith("HNSW: 3000 >= 500 customers")
    assert INDEX.reason.startswith("exact search: 300 <")
    everyone = random_vectors(3000)
    found = [
        len(set(ids_of(hnsw, query, 10)) & set(nearest_by_hand(everyone, query, 10)))
        for query in everyone.matrix[::100]
    ]
    assert np.mean(found) >= 9.5


def test_a_saved_hnsw_index_has_the_same_neighbours(hnsw: CustomerIndex, tmp_path: Path) -> None:
    hnsw.save(tmp_path)
    assert CustomerIndex.load(tmp_path, "cpu").search(QUERY, 20) == hnsw.search(QUERY, 20)


@pytest.mark.parametrize("size", [2000, 200, 30, 5])
def test_hnsw_filters_find_as_many_as_there_are(hnsw: CustomerIndex, size: int) -> None:
    everyone = random_vectors(3000)
    allowed = {
        everyone.customer_ids[row] for row in np.random.default_rng(3).choice(3000, size, replace=False)
    }
    right = 0
    for query in everyone.matrix[:10]:
        found = ids_of(hnsw, query, 10, within=allowed)
        assert set(found) <= allowed
        assert len(found) == min(10, size)
        right += len(set(found) & set(nearest_by_hand(everyone, query, 10, allowed)))
    assert right >= 0.9 * 10 * min(10, size)


@no_gpu
def test_a_gpu_that_is_not_there_says_what_to_install() -> None:
    with pytest.raises(DataError, match=r"gpu.*pip install 'segment-assistant\[gpu\]'$"):
        CustomerIndex.build(VECTORS, "gpu")


@no_gpu
def test_a_saved_index_does_not_load_on_a_gpu_that_is_not_there(tmp_path: Path) -> None:
    INDEX.save(tmp_path)
    with pytest.raises(DataError, match="faiss finds none"):
        CustomerIndex.load(tmp_path, "gpu")
    assert CustomerIndex.build(VECTORS, "auto").reason.endswith("on the CPU (no GPU or no faiss-gpu)")


def test_an_unknown_device_is_told() -> None:
    with pytest.raises(DataError, match="'tpu' is not one of auto, cpu, gpu"):
        CustomerIndex.build(VECTORS, "tpu")
