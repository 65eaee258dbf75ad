"""Records as a run writes them, without a run; the demo's rooms."""

from pathlib import Path
from typing import Any

import pytest

from assistant.rooms import Rooms
from assistant.workspace import open_workspace
from tests.assistant.conftest import fresh_workspace

BASE = {
    "split": "dev",
    "language": "en",
    "kind": "basic",
    "tool": "define_segment",
    "gold": {"event": "purchase"},
    "also": [],
    "found": {"event": "purchase"},
    "words": "customers who bought anything ever",
    "called": ["define_segment"],
    "answer": "**2 customers** bought.",
    "evidence": [],
    "refused": None,
    "clarification": None,
    "timings": {},
    "plan": None,
    "error": "",
    "seconds": [2.0],
    "tokens": {"prompt": [900], "completion": [20], "cached_share": [0.9]},
    "run": {"commit": "abc", "prompts": "p", "tools": "t", "model": "m", "arm": ""},
    "scores": {"f1": 1.0, "exact": 1.0, "tool": 1.0, "grounded": None, "language": 1.0, "rubric": None},
}


@pytest.fixture
def record():
    """Makes a record; what is given replaces the usual, scores one by one."""

    def make(case_id: str, question: str = "who bought?", **given: Any) -> dict[str, Any]:
        scores = BASE["scores"] | given.pop("scores", {})  # type: ignore[operator]
        return BASE | {"id": case_id, "turns": [question]} | given | {"scores": scores}

    return make


@pytest.fixture(scope="session")
def opened(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    """The demo's rooms, with nothing saved and nothing said."""
    return Rooms(open_workspace(fresh_workspace(demo_folder, tmp_path_factory.mktemp("demo"))))
