"""Versions as MLflow reads them: the layout of its file store, version 3."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from propensity.candidate import Candidate
from propensity.model import PropensityModel
from propensity.registry import Registry
from propensity.tracking import track
from propensity.versions import Versions
from segments.errors import StorageError
from tests.propensity.conftest import CUSTOMER_IDS, sample_card

BABY = "purchase_30d:BABY FOODS & CO"


def made(folder: Path, model: PropensityModel) -> tuple[Versions, Candidate]:
    cards = (
        sample_card("purchase_30d:*", model="purchase_30d:*", created="2026-11-01T10:00:00+00:00"),
        sample_card(BABY, auc=0.75),
    )
    scores = pd.DataFrame({BABY: 0.5}, CUSTOMER_IDS)
    candidate = Candidate("purchase_30d:*", model.to_bytes(), scores, cards)
    versions = Versions(Registry(folder))
    versions.offer(candidate)
    return versions, candidate


def runs(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("*/*/meta.yaml"))


def test_a_version_is_a_run_with_its_figures_and_lineage(tmp_path: Path, model: PropensityModel) -> None:
    versions, candidate = made(tmp_path / "models", model)
    (version,) = versions.of("purchase_30d:*")
    track([(version, candidate.cards)], tmp_path / "mlruns")
    (run,) = runs(tmp_path / "mlruns")
    meta = yaml.safe_load((run / "meta.yaml").read_text())
    experiment = yaml.safe_load((run.parent / "meta.yaml").read_text())
    assert experiment["name"] == "propensity purchase_30d:*"
    assert (meta["run_id"], meta["experiment_id"]) == (run.name, run.parent.name)
    assert (meta["run_name"], meta["status"], meta["lifecycle_stage"]) == ("purchase_30d:* v1", 3, "active")
    when, value, step = (run / "metrics" / "auc").read_text().split()
    assert (int(when), float(value), step) == (1793527200000, 0.5, "0")
    baby = run / "metrics" / "purchase_30d" / "BABY FOODS _ CO" / "auc"
    assert float(baby.read_text().split()[1]) == 0.75
    assert (run / "params" / "data_hash").read_text() == candidate.cards[0].data_hash
    assert (run / "tags" / "status").read_text() == "in use"


def test_writing_again_changes_what_changed(tmp_path: Path, model: PropensityModel) -> None:
    versions, candidate = made(tmp_path / "models", model)
    track([(versions.of("purchase_30d:*")[0], candidate.cards)], tmp_path / "mlruns")
    versions.offer(candidate)
    track([(version, candidate.cards) for version in versions.of("purchase_30d:*")], tmp_path / "mlruns")
    found = runs(tmp_path / "mlruns")
    assert sorted((run / "tags" / "status").read_text() for run in found) == ["in use", "replaced"]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, model: PropensityModel) -> None:
    versions, candidate = made(tmp_path / "models", model)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"^Cannot write the runs into .*file: "):
        track([(versions.of("purchase_30d:*")[0], candidate.cards)], tmp_path / "file")
