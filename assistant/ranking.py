"""The test of the product rankers, kept beside the workspace until the data or the rankers change.

It fits every ranker once more on an earlier date, which a server would otherwise wait for at each start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import insights
from assistant.workspace import Workspace
from insights.ranking_test import MethodScore, RankingTest
from segments.atomic import write_text

FILE = "ranking.json"


def kept_test(workspace: Workspace, make: Callable[[], RankingTest]) -> RankingTest:
    """The test that was kept for these data, settings and rankers; else it is made, and kept where the disk takes it."""
    path, mark = workspace.run / FILE, _mark(workspace)
    found = _read(path, mark)
    if found is None:
        found = make()
        with suppress(OSError):  # a workspace that is read-only does without
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, json.dumps({"mark": mark, "test": asdict(found)}, default=str))
    return found


def _mark(workspace: Workspace) -> str:
    """Changes with whatever the test is made from.

    Days dropped by `retain`, or a backup put back, leave the same words in the file that says ready: when it was written
    tells them apart.
    """
    digest = hashlib.sha256(workspace.ready.read_bytes())
    digest.update(str(workspace.ready.stat().st_mtime_ns).encode())
    digest.update(json.dumps(workspace.settings.exclude_categories).encode())
    for name in ("item_model.py", "rankers.py", "ranking_test.py"):
        digest.update((Path(insights.__path__[0]) / name).read_bytes())
    return digest.hexdigest()[:16]


def _read(path: Path, mark: str) -> RankingTest | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["mark"] != mark:
            return None
        test: dict[str, Any] = kept["test"]
        scores = tuple(_score(row) for row in test["scores"])
        return RankingTest(**test | {"cut": date.fromisoformat(test["cut"]), "scores": scores})
    except (OSError, ValueError, KeyError, TypeError):  # not there, or not whole
        return None


def _score(row: dict[str, Any]) -> MethodScore:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
    return MethodScore(**values)
