"""Versions: kept with their lineage, put in use unless worse beyond chance, and back again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from propensity.candidate import Candidate
from propensity.model import PropensityModel
from propensity.promotion import contest
from propensity.registry import Registry
from propensity.versions import KEPT, Versions
from segments.errors import InternalError, NotFoundError
from tests.propensity.conftest import CUSTOMER_IDS, sample_card

NAME = "purchase_30d"


def candidate(model: PropensityModel, seed: int = 1, **card: object) -> Candidate:
    scores = pd.DataFrame({NAME: np.random.default_rng(seed).random(len(CUSTOMER_IDS))}, CUSTOMER_IDS)
    return Candidate(NAME, model.to_bytes(), scores, (sample_card(NAME, **card),), model.to_bytes())


def said(noise: float, seed: int = 3) -> pd.DataFrame:
    """What a model said of 2,000 customers, the truer the less noise, and what they did."""
    random = np.random.default_rng(seed)
    margin = random.normal(size=2000)
    label = (random.random(2000) < 1 / (1 + np.exp(-margin))).astype(int)
    score = 1 / (1 + np.exp(-(margin + noise * np.random.default_rng(9).normal(size=2000))))
    return pd.DataFrame({NAME: score, f"label:{NAME}": label})


def test_a_better_model_is_promoted_and_a_worse_one_refused() -> None:
    good, bad = said(0), said(2)
    better, worse = contest(good, lambda: bad[[NAME]]), contest(bad, lambda: good[[NAME]])
    assert better.promoted
    assert better.behind_high is not None
    assert better.behind_high < 0
    assert "better than" in better.words
    assert not worse.promoted
    assert worse.behind == pytest.approx(-better.behind)
    assert "beyond chance" in worse.words


def test_one_that_is_not_worse_beyond_chance_is_promoted() -> None:
    even = contest(said(0.05), lambda: said(0)[[NAME]])
    assert even.promoted
    assert even.behind_low is not None
    assert even.behind_low <= 0


def test_where_the_model_in_use_cannot_be_asked_the_words_say_why() -> None:
    def fails() -> pd.DataFrame:
        raise InternalError("The model's matrix lacks trip_days.")

    judged = contest(said(2), fails)
    assert judged.promoted
    assert "lacks trip_days" in judged.words
    assert judged.behind is None


def test_a_refused_version_is_kept_and_not_used(
    tmp_path: Path, model: PropensityModel, other_model: PropensityModel
) -> None:
    registry = Registry(tmp_path)
    versions = Versions(registry)
    versions.offer(candidate(model, data_hash="d1"))
    worse = contest(said(2), lambda: said(0)[[NAME]])
    second = versions.offer(candidate(other_model, 2, data_hash="d2"), worse)
    assert [v.status for v in versions.of(NAME)] == ["in use", "refused"]
    assert registry.card(NAME).data_hash == "d1"
    assert registry.model(NAME).to_bytes() == model.to_bytes()
    assert versions.registry_of(second).model(NAME).to_bytes() == other_model.to_bytes()
    assert versions.of(NAME)[1].contest == worse, "the ledger says why"


def test_back_is_the_version_that_was_in_use_before(
    tmp_path: Path, model: PropensityModel, other_model: PropensityModel
) -> None:
    versions = Versions(Registry(tmp_path))
    versions.offer(candidate(model))
    with pytest.raises(NotFoundError, match=r"no earlier version of purchase_30d.*1 \(in use\)"):
        versions.earlier(NAME)
    versions.offer(candidate(other_model))
    version, kept = versions.earlier(NAME)
    assert (version.number, kept.model) == (1, model.to_bytes())
    versions.mark_in_use(version)
    assert [v.status for v in versions.of(NAME)] == ["in use", "replaced"]
    assert versions.earlier(NAME)[0].number == 2
    with pytest.raises(NotFoundError, match="no other version 7 of purchase_30d"):
        versions.earlier(NAME, 7)


def test_only_so_many_versions_are_kept_and_always_the_one_in_use(
    tmp_path: Path, model: PropensityModel
) -> None:
    versions = Versions(Registry(tmp_path))
    versions.offer(candidate(model))
    refused = contest(said(2), lambda: said(0)[[NAME]])
    for seed in range(KEPT + 2):
        versions.offer(candidate(model, seed), refused)
    kept = versions.of(NAME)
    assert kept[0].status == "in use"
    assert [v.number for v in kept] == [1, *range(4, KEPT + 4)]
    assert sorted(int(p.name) for p in (tmp_path / "versions" / NAME).iterdir() if p.is_dir()) == [
        v.number for v in kept
    ]


def test_a_cut_off_offer_leaves_the_model_before_in_use(
    tmp_path: Path, model: PropensityModel, other_model: PropensityModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(tmp_path)
    versions = Versions(registry)
    versions.offer(candidate(model, data_hash="d1", code_version="c1"))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    newer = candidate(other_model, data_hash="d2", code_version="c1")
    with monkeypatch.context() as patch:
        patch.setattr(versions, "_write", stop)
        with pytest.raises(KeyboardInterrupt):
            versions.offer(newer)
    assert registry.model(NAME).to_bytes() == model.to_bytes()
    assert not registry.has(NAME, "d2", "c1"), "so the next build trains again"
    versions.offer(candidate(other_model, data_hash="d2", code_version="c1"))
    assert [v.number for v in versions.of(NAME)] == [1, 2]


def test_a_preferred_model_is_up_to_date_without_pretending_to_be_new(
    tmp_path: Path, model: PropensityModel
) -> None:
    from propensity.candidate import Lineage

    registry = Registry(tmp_path)
    registry.commit(replace(candidate(model, data_hash="d1", code_version="c1"), checked=Lineage("d2", "c2")))
    assert registry.has(NAME, "d2", "c2")
    assert not registry.has(NAME, "d1", "c1")
    assert registry.card(NAME).data_hash == "d1"
    assert registry.candidate(NAME).checked == Lineage("d2", "c2")


def test_an_erased_customer_is_in_no_version(
    tmp_path: Path, model: PropensityModel, other_model: PropensityModel
) -> None:
    registry = Registry(tmp_path)
    versions = Versions(registry)
    tested = pd.DataFrame({NAME: 0.5, f"label:{NAME}": 1.0}, CUSTOMER_IDS)
    for each in (model, other_model):
        versions.offer(replace(candidate(each), tested=tested))
    registry.finish([NAME])
    gone = CUSTOMER_IDS[7]
    assert registry.forget(gone)
    assert versions.forget(gone)
    for folder in (tmp_path, tmp_path / "versions" / NAME / "1", tmp_path / "versions" / NAME / "2"):
        left = Registry(folder)
        assert gone not in left.scores(NAME).index
        assert gone not in left.tested(NAME).index
        assert len(left.scores(NAME)) == len(CUSTOMER_IDS) - 1
    assert not registry.forget(gone)
    assert not versions.forget(gone)
    registry.check()
