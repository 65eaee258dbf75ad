"""Families compared in time: what is best, when a simpler one will do, and that nothing of the future is used."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from propensity.compare import compare, fold_cuts, split
from propensity.families import FAMILIES, ON_SEQUENCES, Family
from propensity.tuning import tune
from segments.errors import DataError
from segments.ports import Snapshot

NAMED = {family.name: family for family in FAMILIES}
FAST = [NAMED[name] for name in ("naive_bayes", "logistic", "tree", "lightgbm")]
COUNT = 500


def planted(crossed: bool, cuts: int = 7) -> list[Snapshot]:
    """Customers whose outcome follows `a` and `b`: added up, or (crossed) only where both have the same sign."""
    found = []
    for number in range(cuts):
        random = np.random.default_rng(number)
        index = pd.Index([f"c{i}" for i in range(COUNT)], name="customer_id")
        frame = pd.DataFrame(random.normal(size=(COUNT, 4)), index, list("abcd"))
        frame.loc[random.random(COUNT) < 0.05, "d"] = np.nan
        signal = 2.0 * np.sign(frame["a"] * frame["b"]) if crossed else 1.2 * (frame["a"] - frame["b"])
        labels = (random.random(COUNT) < 1 / (1 + np.exp(0.5 - signal))).astype(int)
        found.append(
            Snapshot(date(2020, 1, 1) + timedelta(days=30 * number), frame, pd.Series(labels, index))
        )
    return found


def test_a_simple_family_wins_when_the_rest_is_not_better_beyond_chance():
    found = compare(planted(crossed=False), 30, FAST)
    rows = {row.family: row for row in found.rows}
    assert found.chosen in ("naive_bayes", "logistic")
    assert rows[found.chosen].behind_low <= 0
    assert rows["tree"].behind_low > 0
    assert "because it is simpler" in found.verdict or "better than every simpler" in found.verdict
    assert [row.log_loss for row in found.rows] == sorted(row.log_loss for row in found.rows)
    assert all(row.log_loss_low < row.log_loss < row.log_loss_high for row in found.rows)


def test_a_family_that_sees_more_wins_when_there_is_more_to_see():
    found = compare(planted(crossed=True), 30, FAST)
    rows = {row.family: row for row in found.rows}
    assert found.chosen in ("tree", "lightgbm")
    assert rows["logistic"].behind_low > 0.05
    assert rows["logistic"].auc < 0.6 < 0.75 < rows[found.chosen].auc
    assert rows[found.chosen].ece < 0.08


def test_a_family_on_other_columns_sees_only_these():
    snapshots = planted(crossed=True)
    told = [
        replace(s, features=pd.DataFrame({"product": s.features["a"] * s.features["b"]})) for s in snapshots
    ]
    families = [NAMED["logistic"], ON_SEQUENCES[1]]
    rows = {row.family: row for row in compare(snapshots, 30, families, others={"transformer": told}).rows}
    assert rows["logistic"].auc < 0.6 < 0.75 < rows["transformer"].auc


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_learns_and_is_calibrated(family: Family):
    stacked = family.fit is None
    families = [NAMED["logistic"], NAMED["tree"], family] if stacked else [family]
    row = next(
        r
        for r in compare(planted(crossed=False, cuts=4), 30, families, folds=1).rows
        if r.family == family.name
    )
    assert row.auc > 0.75
    assert row.ece < 0.1
    assert row.log_loss < 0.6


def test_a_cut_whose_labels_are_still_open_at_the_test_is_not_used():
    weekly = [
        Snapshot(date(2020, 1, 1) + timedelta(days=21 * i), s.features, s.labels)
        for i, s in enumerate(planted(crossed=False))
    ]
    before = weekly[-2]
    poisoned = [*weekly[:-2], Snapshot(before.as_of, -before.features, 1 - before.labels), weekly[-1]]
    found, again = (compare(snapshots, 30, FAST[:2], folds=1) for snapshots in (weekly, poisoned))
    assert [row.log_loss for row in again.rows] == [row.log_loss for row in found.rows]
    used = [
        *weekly[:-3],
        Snapshot(weekly[-3].as_of, -weekly[-3].features, 1 - weekly[-3].labels),
        *weekly[-2:],
    ]
    assert [row.log_loss for row in compare(used, 30, FAST[:2], folds=1).rows] != [
        row.log_loss for row in found.rows
    ]


def test_every_fold_learns_then_calibrates_then_tests():
    cuts = [date(2020, 1, 1) + timedelta(days=21 * i) for i in range(10)]
    for cut in fold_cuts(cuts, 30):
        past, held = split(cuts, cut, 30)
        assert max(past) + timedelta(days=30) <= held
        assert held + timedelta(days=30) <= cut


def test_too_short_a_history_is_said():
    with pytest.raises(DataError, match=r"The history has 2 cuts; .* three are needed"):
        compare(planted(crossed=False, cuts=2), 30, FAST)


def test_a_search_for_settings_is_no_worse_than_the_default_and_keeps_its_budget():
    pytest.importorskip("optuna")
    heard: list[str] = []
    settings = tune(planted(crossed=True), 30, trials=3, progress=lambda _share, what: heard.append(what))
    assert heard == ["settings 1 of 3", "settings 2 of 3", "settings 3 of 3", "settings chosen"]
    assert 3 <= settings.num_leaves <= 31
    assert settings.max_rounds == 300
