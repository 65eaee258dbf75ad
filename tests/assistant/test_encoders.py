"""The workspace's encoders are trained, judged and told, from the command line too."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexes.encoder.encoder import LearnedEncoder
from indexes.text import SentenceEncoder
from serving.cli import app
from tests.conftest import loader, small_source
from warehouse.store import build


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    build(tmp_path, loader(small_source(customers=120)))
    (tmp_path / "ready.json").write_text("{}")
    return tmp_path


def test_encoders_are_trained_and_the_verdict_is_told(workspace):
    said = CliRunner().invoke(app, ["index", "train-encoder", "--steps", "2", "--workspace", str(workspace)])
    assert said.exit_code == 0, said.output
    *_, verdict, where = said.stdout.strip().splitlines()
    assert "the default" in verdict or "beats the aggregate" in verdict
    assert "mean AUROC" in verdict
    for name in ("aggregate", "transformer", "lstm", "aggregate + transformer"):
        assert any(line.startswith(name) and "churn 0." in line for line in said.stdout.splitlines())
    folder = workspace / "indexes" / "encoder"
    assert str(folder) in where.replace("\n", "")
    assert LearnedEncoder.load(folder / "lstm", SentenceEncoder()).name.startswith("lstm:all-MiniLM")


def test_no_steps_are_bad_use(workspace):
    said = CliRunner().invoke(app, ["index", "train-encoder", "--steps", "0", "--workspace", str(workspace)])
    assert said.exit_code != 0
    assert "at least 1; got 0" in str(said.exception)


def test_families_on_sequences_are_compared_by_encoders_that_saw_no_fold(workspace):
    asked = ["models", "compare", "purchase_14d", "--sequences", "2", "--json", "--workspace", str(workspace)]
    said = CliRunner().invoke(app, asked)
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    rows = {row["family"]: row for row in found["rows"]}
    assert {"lstm", "transformer", "lightgbm", "stack"} <= rows.keys()
    assert 0.5 < rows["transformer"]["auc"] < 1
    (folder,) = (workspace / "indexes" / "encoder").glob("before-*")
    end = date.fromisoformat(folder.name.removeprefix("before-"))
    assert end + timedelta(days=14) <= date.fromisoformat(found["folds"][0])
    assert {each.name for each in folder.iterdir()} == {"lstm", "transformer"}
