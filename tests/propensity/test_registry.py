"""The registry: what was saved comes back, what is damaged or half-written is never used."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assistant.build import _steps
from assistant.workspace import Settings, Workspace
from propensity import registry as module
from propensity.model import PropensityModel
from propensity.outcomes import CUSTOMER_OUTCOMES, POOLED
from propensity.registry import Registry
from segments.errors import ChecksumError, NotBuiltError, NotFoundError, OperatorError, StorageError
from tests.propensity import conftest
from tests.propensity.conftest import CUSTOMER_IDS, sample_card

NAME = "purchase_30d"
BABY, BEER = "purchase_30d:BABY FOODS", "purchase_30d:BEERS/ALES"
PARTS = ("json", "model", "scores")


def scores(*columns: str, seed: int = 1) -> pd.DataFrame:
    values = np.random.default_rng(seed).random((len(CUSTOMER_IDS), len(columns)))
    return pd.DataFrame(values, CUSTOMER_IDS, list(columns))


def save(folder: Path, model: PropensityModel, name: str = NAME, seed: int = 1) -> None:
    if name == POOLED:
        cards = [sample_card(POOLED, model=POOLED), sample_card(BABY, model=POOLED)]
        conftest.save(folder, name, model, scores(BABY, BEER, seed=seed), cards)
    else:
        conftest.save(folder, name, model, scores(name, seed=seed), [sample_card(name)])


def file_of(folder: Path, part: str, name: str = NAME) -> Path:
    return next(folder.glob(f"{name}.json" if part == "json" else f"{name}.{part}.*"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def use(folder: Path) -> None:
    """Read everything a registry can give of the model."""
    registry = Registry(folder)
    registry.card(NAME)
    registry.scores(NAME)
    registry.model(NAME)


def is_the_first(folder: Path, model: PropensityModel) -> bool:
    registry = Registry(folder)
    same = registry.scores(NAME).to_numpy() == scores(NAME)[NAME].to_numpy("float32")
    return bool(same.all()) and registry.model(NAME).to_bytes() == model.to_bytes()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def failing(function: Callable[..., Any], at: int, error: BaseException) -> Callable[..., Any]:
    """The function, but its call number `at` (from 1) raises instead."""
    calls = 0

    def instead(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise error
        return function(*args)

    return instead


def test_a_model_comes_back_as_it_was(tmp_path: Path, model: PropensityModel) -> None:
    save(tmp_path / "new" / "models", model)
    registry = Registry(tmp_path / "new" / "models")
    assert registry.cards() == [registry.card(NAME)] == [sample_card(NAME)]
    assert is_the_first(registry.folder, model)
    assert registry.outcomes() == (NAME,)


def test_a_pooled_model_answers_for_every_category(tmp_path: Path, model: PropensityModel) -> None:
    save(tmp_path, model)
    save(tmp_path, model, POOLED)
    registry = Registry(tmp_path)
    assert registry.outcomes() == (NAME, BABY, BEER)
    assert [each.outcome for each in registry.cards()] == [NAME, POOLED, BABY]
    assert registry.scores("purchase_30d:baby foods").name == BABY
    assert registry.card(BABY).outcome == BABY
    assert registry.card(BEER).outcome == POOLED, "a small category answers with the pooled card"
    assert registry.model(BEER).to_bytes() == model.to_bytes()


def test_unknown_names_are_told_apart_from_untrained_ones(tmp_path: Path, model: PropensityModel) -> None:
    save(tmp_path, model, POOLED)
    registry = Registry(tmp_path)
    with pytest.raises(NotFoundError, match="BEERS/ALES"):
        registry.scores("purchase_30d:BEER")
    with pytest.raises(NotFoundError, match="known ones are"):
        registry.card("churn")
    with pytest.raises(NotBuiltError, match=r"segassist build$"):
        registry.scores(NAME)


@pytest.mark.parametrize("ask", [lambda r: r.cards(), lambda r: r.card(NAME), lambda r: r.scores(BABY)])
def test_nothing_trained_says_what_to_run(tmp_path: Path, ask: Callable[[Registry], Any]) -> None:
    with pytest.raises(NotBuiltError, match=r"segassist build$"):
        ask(Registry(tmp_path / "none"))
    assert Registry(tmp_path / "none").outcomes() == ()
    assert not Registry(tmp_path / "none").has(NAME, "a", "b")


@pytest.mark.parametrize("damage", [flip, halve, empty], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("part", PARTS)
def test_a_damaged_file_is_not_used_and_says_the_way_out(
    tmp_path: Path, model: PropensityModel, part: str, damage: Callable[[Path], None]
) -> None:
    save(tmp_path, model)
    path = file_of(tmp_path, part)
    damage(path)
    with pytest.raises(ChecksumError) as raised:
        use(tmp_path)
    sentence = str(raised.value)
    assert path.name in sentence
    assert sentence.endswith("segassist build")
    assert "\n" not in sentence
    assert not Registry(tmp_path).has(NAME, "2017-11-01", "2017-11-01")


@pytest.mark.parametrize("part", ["model", "scores"])
def test_a_lost_file_is_a_damaged_model(tmp_path: Path, model: PropensityModel, part: str) -> None:
    save(tmp_path, model)
    file_of(tmp_path, part).unlink()
    with pytest.raises(ChecksumError, match=r"segassist build$"):
        use(tmp_path)


@pytest.mark.parametrize("content", ["{}", "[]", "null", '"text"', '{"sha256": 1}', "\xff"])
def test_a_manifest_of_another_form_is_damaged(tmp_path: Path, model: PropensityModel, content: str) -> None:
    save(tmp_path, model)
    file_of(tmp_path, "json").write_text(content, encoding="latin-1")
    with pytest.raises(ChecksumError, match=r"segassist build$"):
        Registry(tmp_path).cards()


def test_a_changed_figure_on_a_card_is_noticed(tmp_path: Path, model: PropensityModel) -> None:
    save(tmp_path, model)
    path = file_of(tmp_path, "json")
    text = path.read_text()
    assert '"auc": 0.5' in text
    path.write_text(text.replace('"auc": 0.5', '"auc": 0.9'))
    with pytest.raises(ChecksumError):
        Registry(tmp_path).card(NAME)


@pytest.mark.parametrize("part", PARTS)
def test_a_build_notices_a_damaged_model(tmp_path: Path, model: PropensityModel, part: str) -> None:
    # Otherwise "train it again with: segassist build" would answer "already done".
    workspace = Workspace(tmp_path, Settings())
    for each in (*(outcome.name for outcome in CUSTOMER_OUTCOMES), POOLED):
        save(workspace.models, model, each)
    Registry(workspace.models).finish([*(outcome.name for outcome in CUSTOMER_OUTCOMES), POOLED])
    check = next(step for step in _steps(workspace, lambda _connection: None) if step.name == "models").check
    check()
    flip(file_of(workspace.models, part))
    with pytest.raises(ChecksumError):
        check()


def test_a_card_of_an_older_version_says_the_way_out(tmp_path: Path, model: PropensityModel) -> None:
    save(tmp_path, model)
    path = file_of(tmp_path, "json")
    manifest = json.loads(path.read_text())
    del manifest["sha256"], manifest["cards"][0]["baseline_ece"]
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    manifest["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1))
    with pytest.raises(OperatorError, match=r"segassist build$"):
        Registry(tmp_path).cards()


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_save_cut_short_leaves_the_model_before_in_use(
    tmp_path: Path,
    model: PropensityModel,
    other_model: PropensityModel,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
) -> None:
    save(tmp_path, model)
    with monkeypatch.context() as patch:
        # Just before a rename, the bytes lie in a .partial file.
        patch.setattr(module.os, "replace", failing(os.replace, at, KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            save(tmp_path, other_model, seed=2)
    assert is_the_first(tmp_path, model)
    assert len(contents(tmp_path)) > 3, "something was left over"
    save(tmp_path, other_model, seed=2)
    assert len(contents(tmp_path)) == 3
    assert not is_the_first(tmp_path, model)
    use(tmp_path)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_first_save_cut_short_is_no_model(
    tmp_path: Path, model: PropensityModel, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(module.os, "replace", failing(os.replace, at, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, model)
    with pytest.raises(NotBuiltError):
        Registry(tmp_path).cards()
    assert not Registry(tmp_path).has(NAME, "2017-11-01", "2017-11-01")


def test_left_overs_go_with_the_next_save_and_other_models_stay(
    tmp_path: Path, model: PropensityModel, other_model: PropensityModel
) -> None:
    save(tmp_path, model, "purchase_14d")
    save(tmp_path, model, POOLED)
    kept = contents(tmp_path)
    for name in (f"{NAME}.model.0123456789ab", f"{NAME}.scores.ba9876543210.partial", f"{NAME}.json.partial"):
        (tmp_path / name).write_bytes(b"left over")
    save(tmp_path, model)
    save(tmp_path, other_model)
    now = contents(tmp_path)
    assert {name: now[name] for name in kept} == kept
    assert sorted(name.split(".")[1] for name in set(now) - set(kept)) == list(PARTS)


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "The disk is full"), (errno.EROFS, "Cannot write")]
)
def test_a_disk_that_takes_no_more_is_one_sentence_and_the_model_before_stays(
    tmp_path: Path,
    model: PropensityModel,
    other_model: PropensityModel,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    code: int,
    words: str,
) -> None:
    save(tmp_path, model)
    error = OSError(code, os.strerror(code))
    monkeypatch.setattr(module, "_write", failing(module._write, at, error))
    with pytest.raises(StorageError, match=rf"^{words}.*segassist build$") as raised:
        save(tmp_path, other_model, seed=2)
    assert "\n" not in str(raised.value)
    assert is_the_first(tmp_path, model)
    monkeypatch.undo()
    save(tmp_path, other_model, seed=2)
    assert not is_the_first(tmp_path, model)


def test_scores_already_read_follow_a_later_save(
    tmp_path: Path, model: PropensityModel, other_model: PropensityModel
) -> None:
    save(tmp_path, model)
    reader = Registry(tmp_path)
    first = reader.scores(NAME)
    save(tmp_path, other_model, seed=2)
    assert not reader.scores(NAME).equals(first)
    assert reader.scores(NAME).equals(Registry(tmp_path).scores(NAME))


def test_a_model_of_other_data_or_code_is_not_up_to_date(tmp_path: Path, model: PropensityModel) -> None:
    conftest.save(tmp_path, NAME, model, scores(NAME), [sample_card(NAME, data_hash="d1", code_version="v1")])
    registry = Registry(tmp_path)
    assert registry.has(NAME, "d1", "v1")
    assert not registry.has(NAME, "d2", "v1")
    assert not registry.has(NAME, "d1", "v2")
    assert not registry.has("purchase_14d", "d1", "v1")
