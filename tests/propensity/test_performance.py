"""What came true of past scores: every version is judged by the question that it was asked itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assistant.models import Performance, past_performance
from assistant.workspace import Settings, Workspace
from propensity.candidate import Candidate
from propensity.declared import Declared, each_outcome, to_json
from propensity.evaluate import auc, ece
from propensity.model import PropensityModel
from propensity.registry import Registry
from propensity.versions import Versions
from segments.errors import NotFoundError
from segments.ports import Eligible, NextAction, Outcome
from tests.propensity.conftest import sample_card
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

CUT, LATER = date(2017, 10, 1), date(2017, 12, 20)
BACK = Outcome("back", "purchase", 7, None, "back", "回来", eligible=Eligible("purchase", 60, 2))
GONE = replace(BACK, horizon_days=21, absent=True, eligible=None)
NEXT = NextAction("next", ("purchase", "coupon_redeem"), 20, "next", "下一步")
TURNED = replace(NEXT, events=("coupon_redeem", "purchase", "return"), horizon_days=30)


@pytest.fixture
def tables(retailer: Path) -> Iterator[TrainingTables]:
    warehouse = Warehouse(retailer)
    yield TrainingTables(warehouse)
    warehouse.close()


@pytest.fixture
def workspace(retailer: Path, tmp_path: Path) -> Workspace:
    """Declares GONE and TURNED now, BACK and NEXT before."""
    os.link(retailer, tmp_path / "warehouse.duckdb")
    return Workspace(tmp_path, Settings(outcomes=(GONE, TURNED)))


def scores_of(tables: TrainingTables, declared: Declared, cut: date) -> pd.DataFrame:
    who, names = tables.eligible(declared.eligible, cut), [each.name for each in each_outcome(declared)]
    return pd.DataFrame(np.random.default_rng(1).random((len(who), len(names))), who, names)


def offer(
    workspace: Workspace, model: PropensityModel, declared: Declared | str, scores: pd.DataFrame, cut: date
) -> None:
    """Put a version in use that scored the customers as of a date. declared: of a given outcome its name."""
    name = declared if isinstance(declared, str) else declared.name
    cards = tuple(sample_card(each, model=name, scored_as_of=cut.isoformat()) for each in (name, *scores))
    asked = None if isinstance(declared, str) else to_json(declared)
    Versions(Registry(workspace.models)).offer(Candidate(name, model.to_bytes(), scores, cards, asked=asked))


def check(row: Performance, said: pd.Series, known: pd.Series) -> None:
    said, known = said.astype("float32").astype("float64"), known.reindex(said.index)
    assert 0 < known.sum() < len(known)
    assert (row.customers, row.positives) == (len(known), known.sum())
    assert row.auc == pytest.approx(auc(known.to_numpy(), said.to_numpy()))
    assert row.ece == pytest.approx(ece(known.to_numpy(), said.to_numpy()))
    assert (row.auc_low, row.auc_high) != (None, None)


def test_a_version_is_judged_by_its_own_declaration(
    workspace: Workspace, tables: TrainingTables, model: PropensityModel
) -> None:
    before, now = scores_of(tables, BACK, CUT), scores_of(tables, GONE, LATER)
    offer(workspace, model, BACK, before, CUT)
    offer(workspace, model, GONE, now, LATER)
    first, second = past_performance(workspace, "back")
    assert (first.scored_as_of, first.known_from) == (CUT, CUT + timedelta(days=7))
    assert len(before) < len(tables.eligible(None, CUT))
    check(first, before["back"], tables.labels(BACK, CUT))
    assert second.known_from == LATER + timedelta(days=21) > tables.as_of
    assert second.auc is None


def test_an_answer_is_judged_by_its_place_then_and_skipped_where_there_was_none(
    workspace: Workspace, tables: TrainingTables, model: PropensityModel
) -> None:
    before, now = scores_of(tables, NEXT, CUT), scores_of(tables, TURNED, CUT)
    offer(workspace, model, NEXT, before, CUT)
    offer(workspace, model, TURNED, now, CUT)
    first, second = past_performance(workspace, "next:purchase")
    assert (first.known_from, second.known_from) == (CUT + timedelta(days=20), CUT + timedelta(days=30))
    check(first, before["next:purchase"], (tables.first_actions(NEXT, CUT) == 0).astype("int8"))
    check(second, now["next:purchase"], (tables.first_actions(TURNED, CUT) == 1).astype("int8"))
    assert [row.version for row in past_performance(workspace, "next:return")] == [2]


def test_a_given_outcome_is_judged_as_ever(
    workspace: Workspace, tables: TrainingTables, model: PropensityModel
) -> None:
    who = tables.eligible(None, CUT)
    scores = pd.DataFrame({"purchase_14d": np.random.default_rng(2).random(len(who))}, who)
    offer(workspace, model, "purchase_14d", scores, CUT)
    (row,) = past_performance(workspace, "purchase_14d")
    assert row.known_from == CUT + timedelta(days=14)
    check(row, scores["purchase_14d"], tables.labels(Registry(workspace.models).outcome("purchase_14d"), CUT))
    with pytest.raises(NotFoundError, match="world_peace"):
        past_performance(workspace, "world_peace")
