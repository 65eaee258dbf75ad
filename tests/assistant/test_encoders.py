"""The workspace's encoders are trained, judged and told, from the command line too."""

import json
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.behaviour import behind, made_from, wanted
from assistant.build import _build_index
from assistant.workspace import Workspace
from indexes.encoder.decision import Decision
from indexes.encoder.encoder import LearnedEncoder
from indexes.index import CustomerIndex
from indexes.lookalikes import lookalikes
from indexes.text import SentenceEncoder
from indexes.text_search import ItemTexts, customers_near
from segments.errors import ChecksumError, DataError, NotBuiltError
from segments.ports import silent
from serving.cli import app
from tests.conftest import loader, small_source
from warehouse.store import Warehouse, build


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    build(tmp_path, loader(small_source(customers=120)))
    (tmp_path / "ready.json").write_text("{}")
    return tmp_path


def test_encoders_are_trained_and_the_verdict_is_told(workspace):
    said = CliRunner().invoke(app, ["index", "train-encoder", "--steps", "2", "--workspace", str(workspace)])
    assert said.exit_code == 0, said.output
    *_, verdict, where = said.stdout.strip().splitlines()
    assert "stays the default" in verdict or "beats the aggregate" in verdict
    assert Decision.load(workspace / "indexes" / "encoder").words == verdict
    assert "mean AUROC" in verdict
    for name in ("aggregate", "transformer", "lstm", "aggregate + transformer"):
        assert any(line.startswith(name) and "churn 0." in line for line in said.stdout.splitlines())
    for kind in ("transformer", "lstm"):
        assert any(
            line.startswith(f"Loss of the {kind} on customers held out, by step (least at 2): 2: ")
            for line in said.stdout.splitlines()
        )
    folder = workspace / "indexes" / "encoder"
    assert str(folder) in where.replace("\n", "")
    assert LearnedEncoder.load(folder / "lstm", SentenceEncoder()).name.startswith("lstm:all-MiniLM")

    made = Workspace.of(workspace)
    assert wanted(made).name == Decision.load(folder).encoder, "what was decided makes the index"
    (workspace / "segassist.toml").write_text('behaviour_encoder = "aggregate + lstm"')
    made = Workspace.of(workspace)
    before = made_from(made)
    _build_index(made, silent)
    index = CustomerIndex.load(made.index, "cpu")
    assert behind(index.encoder) == "aggregate + lstm"
    assert "encoder: aggregate + lstm, as the settings name it" in index.reason
    with closing(Warehouse(made.warehouse)) as warehouse:
        purchases = warehouse.events("purchase", "customer_id", "item_id", "value")
        texts = ItemTexts(warehouse.fetch(warehouse.table("items")), SentenceEncoder())
        assert set(index.customer_ids) == set(warehouse.features().index)
    seeds = index.customer_ids[:5]
    assert len(lookalikes(index, seeds, 7)) == 7
    assert len(customers_near("soup", index, purchases, texts, 9)) == 9
    assert made_from(made) == before
    (folder / "lstm" / "encoder.pt").write_bytes(b"damaged")
    assert made_from(made) != before, "another training is another index"
    with pytest.raises(ChecksumError, match="segassist index train-encoder"):
        _build_index(made, silent)
    (folder / "lstm" / "encoder.pt").unlink()
    with pytest.raises(NotBuiltError, match="segassist index train-encoder"):
        _build_index(made, silent)
    (workspace / "segassist.toml").write_text('behaviour_encoder = "bert"')
    with pytest.raises(DataError, match=r"behaviour_encoder must be one of auto, aggregate, .* got 'bert'"):
        Workspace.of(workspace)


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
