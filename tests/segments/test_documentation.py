"""The examples of docs/segment-language.md hold, count somebody, and show every kind of condition."""

import json
import re

import pytest

from assistant.rooms import Rooms
from assistant.workspace import open_workspace
from segments.codec import KINDS, from_json, to_json
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "segment-language.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def _kinds(data: object) -> set[str]:
    if isinstance(data, dict):
        return {key for key in data if key in KINDS}.union(*map(_kinds, data.values()))
    return set().union(*map(_kinds, data)) if isinstance(data, list) else set()


@pytest.fixture(scope="module")
def rooms(demo_folder):
    return Rooms(open_workspace(demo_folder))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: next(iter(example)))
def test_every_example_is_counted(rooms, example):
    node = from_json(example)
    assert to_json(node) == example
    assert 0 < rooms.audiences.size(node) < rooms.audiences.population


def test_every_kind_of_condition_is_shown():
    shown = set().union(*map(_kinds, EXAMPLES))
    assert set(KINDS) - shown <= {"any_of", "last", "member_of"}
    assert all(f"`{kind}`" in PAGE or f'"{kind}"' in PAGE or kind == "last" for kind in KINDS)
