"""The test of the rankers is made once for the same data, and anew when anything it rests on changes."""

import os
from datetime import date
from pathlib import Path

import pytest

from assistant.ranking import FILE, kept_test
from assistant.workspace import Settings, Workspace
from insights.ranking_test import MethodScore, RankingTest

SCORE = MethodScore("als", 0.1, (0.05, 0.15), 1.5, (1.2, 1.8), 0.2, (0.1, 0.3), 1.4, (1.1, 1.7))
TEST = RankingTest("product", date(2017, 12, 1), 30, 900, False, 0.95, (SCORE,))


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    (tmp_path / "ready.json").write_text('{"mark": "one"}')
    return Workspace(tmp_path, Settings())


@pytest.fixture
def made() -> list[RankingTest]:
    return []


@pytest.fixture
def make(made):
    def make() -> RankingTest:
        made.append(TEST)
        return TEST

    return make


def test_it_is_read_back_as_it_was_made(workspace, make, made):
    assert kept_test(workspace, make) == TEST
    assert kept_test(workspace, make) == TEST
    assert len(made) == 1


def test_other_data_and_other_settings_make_it_anew(workspace, make, made):
    kept_test(workspace, make)
    workspace.ready.write_text('{"mark": "two"}')
    kept_test(workspace, make)
    kept_test(Workspace(workspace.folder, Settings(exclude_categories=("FUEL",))), make)
    assert len(made) == 3


def test_data_made_ready_again_in_the_same_words_make_it_anew(workspace, make, made):
    kept_test(workspace, make)
    before = workspace.ready.stat().st_mtime_ns
    workspace.ready.write_text(workspace.ready.read_text())
    os.utime(workspace.ready, ns=(before, before + 1_000_000))
    kept_test(workspace, make)
    assert len(made) == 2


@pytest.mark.parametrize("spoilt", ["", "{", '{"mark": 1}', '{"mark": "x", "test": {}}'])
def test_a_file_that_is_not_whole_is_made_anew(workspace, make, made, spoilt):
    kept_test(workspace, make)
    path: Path = workspace.run / FILE
    path.write_text(spoilt)
    assert kept_test(workspace, make) == TEST
    assert kept_test(workspace, make) == TEST
    assert len(made) == 2
