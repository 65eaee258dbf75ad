"""Versions of models as runs of MLflow, in its file layout: an experiment a model, a run a version.

Written without MLflow. MLflow 3 reads the folder with MLFLOW_ALLOW_FILE_STORE=true, and `mlflow migrate-filestore`
takes it into a database. Experiment and run ids come from names and numbers: writing again changes what changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from propensity.candidate import Card
from propensity.versions import Version
from segments.atomic import write_text
from segments.errors import StorageError

METRICS = (
    "auc",
    "auc_low",
    "auc_high",
    "ece",
    "brier",
    "lift_top_decile",
    "baseline_auc",
    "baseline_ece",
    "customers",
    "positives",
)
PARAMETERS = ("test_cut", "rounds", "calibration", "scored_as_of", "data_hash", "code_version")
FINISHED, LOCAL = 3, 4
"""MLflow's numbers of a finished run and of a run that no project started."""


def track(runs: Sequence[tuple[Version, Sequence[Card]]], folder: Path) -> None:
    """Write each version with its cards as a run under `folder`. Raises StorageError."""
    try:
        for version, cards in runs:
            _write_run(version, cards, folder)
    except OSError as error:
        raise StorageError(f"Cannot write the runs into {folder}: {error.strerror}.") from error


def _write_run(version: Version, cards: Sequence[Card], folder: Path) -> None:
    experiment_id = str(int(hashlib.sha256(version.model.encode()).hexdigest()[:14], 16))
    run_id = hashlib.sha256(f"{version.model}|{version.number}|{version.created}".encode()).hexdigest()[:32]
    made = int(datetime.fromisoformat(version.created).timestamp() * 1000)
    experiment = folder / experiment_id
    run = experiment / run_id
    for part in ("metrics", "params", "tags", "artifacts"):
        (run / part).mkdir(parents=True, exist_ok=True)
    uri = experiment.resolve().as_uri()
    _yaml(
        experiment / "meta.yaml",
        {
            "artifact_location": uri,
            "creation_time": made,
            "experiment_id": experiment_id,
            "last_update_time": made,
            "lifecycle_stage": "active",
            "name": f"propensity {version.model}",
        },
    )
    name = f"{version.model} v{version.number}"
    for card in cards:
        # MLflow takes a slash in a name as a folder; the model's own figures have no prefix.
        prefix = "" if card is cards[0] else f"{card.outcome.replace(':', '/', 1)}/"
        for metric in METRICS:
            _one(run / "metrics", prefix + metric, f"{made} {float(getattr(card, metric))!r} 0\n")
    for parameter in PARAMETERS:
        _one(run / "params", parameter, str(getattr(cards[0], parameter)))
    _one(run / "params", "features", version.features)
    _one(run / "params", "train_cuts", ", ".join(cards[0].train_cuts))
    tags = {"mlflow.runName": name, "status": version.status, "contest": version.contest.words}
    for tag, text in tags.items():
        _one(run / "tags", tag, text)
    # Last: MLflow sees a run once it has this file.
    _yaml(
        run / "meta.yaml",
        {
            "artifact_uri": f"{uri}/{run_id}/artifacts",
            "end_time": made,
            "entry_point_name": "",
            "experiment_id": experiment_id,
            "lifecycle_stage": "active",
            "run_id": run_id,
            "run_name": name,
            "run_uuid": run_id,
            "source_name": "",
            "source_type": LOCAL,
            "source_version": version.code_version,
            "start_time": made,
            "status": FINISHED,
            "tags": [],
            "user_id": "segassist",
        },
    )


def _one(folder: Path, name: str, text: str) -> None:
    path = folder.joinpath(*(_allowed(part) for part in name.split("/")))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)


def _allowed(name: str) -> str:
    """A name of the signs that MLflow allows."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "_-. :") else "_" for sign in name)


def _yaml(path: Path, values: dict[str, object]) -> None:
    """JSON values are YAML too."""
    write_text(path, "".join(f"{key}: {json.dumps(value)}\n" for key, value in values.items()))
