"""A damaged file of a model is found, and its version's copy or a new training takes its place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from propensity.registry import Registry
from propensity.training import train_all
from propensity.versions import Versions
from segments.errors import ChecksumError
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

NAME = "purchase_14d"
PUT_BACK = f"{NAME}: what was damaged is put back from its version's copy"


@pytest.fixture(scope="module")
def tables(retailer: Path) -> Iterator[TrainingTables]:
    warehouse = Warehouse(retailer)
    yield TrainingTables(warehouse)
    warehouse.close()


@pytest.fixture(scope="module")
def trained(tables: TrainingTables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "models"
    train_all(tables, folder, outcomes=(NAME,))
    return folder


def spoilt(trained: Path, folder: Path, pattern: str) -> Path:
    shutil.copytree(trained, folder)
    for path in folder.glob(pattern):
        path.write_bytes(path.read_bytes()[:-7] + b"damaged")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("part", ["scores.*", "model.*", "trial.*", "tested.*", "reference.*", "json"])
def test_a_damaged_part_is_put_back_without_a_training(
    trained: Path, tables: TrainingTables, tmp_path: Path, part: str
) -> None:
    folder = spoilt(trained, tmp_path / "models", f"{NAME}.{part}")
    with pytest.raises(ChecksumError, match=rf"{NAME}.* is damaged .*segassist build"):
        Registry(folder).candidate(NAME)
    heard: list[str] = []
    train_all(tables, folder, lambda _share, what: heard.append(what), outcomes=(NAME,))
    assert heard == [PUT_BACK, "propensity models ready"]
    assert contents(folder) == contents(trained)
    assert [version.status for version in Versions(Registry(folder)).of(NAME)] == ["in use"]


def test_without_a_sound_copy_it_is_trained_again(
    trained: Path, tables: TrainingTables, tmp_path: Path
) -> None:
    folder = spoilt(trained, tmp_path / "models", f"{NAME}.scores.*")
    for path in folder.glob(f"versions/{NAME}/1/{NAME}.model.*"):
        path.write_bytes(b"")
    heard: list[str] = []
    train_all(tables, folder, lambda _share, what: heard.append(what), outcomes=(NAME,))
    assert PUT_BACK not in heard
    assert f"{NAME}: training" in heard
    assert Registry(folder).candidate(NAME).scores.equals(Registry(trained).candidate(NAME).scores)
    assert [version.status for version in Versions(Registry(folder)).of(NAME)] == ["replaced", "in use"]


def test_a_damaged_ledger_is_named_and_begins_anew_with_the_next_version(
    trained: Path, tables: TrainingTables, tmp_path: Path
) -> None:
    folder = spoilt(trained, tmp_path / "models", f"versions/{NAME}/ledger.json")
    versions = Versions(Registry(folder))
    for ask in (lambda: versions.of(NAME), versions.names):
        with pytest.raises(ChecksumError, match=r"ledger\.json is damaged"):
            ask()
    versions.offer(Registry(folder).candidate(NAME))
    (version,) = versions.of(NAME)
    assert version.number == 1
    assert version.contest.words.endswith("the ledger was damaged")


def test_a_damaged_model_of_an_outcome_no_longer_declared_stops_no_build(
    trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(trained, folder)
    (folder / "churn_60d.json").write_text('{"asked": {')
    (folder / "churn_60d.model.0123").write_bytes(b"")
    Registry(folder).finish([NAME])
    assert not list(folder.glob("churn*"))
    assert Registry(folder).names() == (NAME,)
    Registry(folder).check()
