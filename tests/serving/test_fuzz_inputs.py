"""Broken definitions and files by the thousand: each is taken, or refused with an error of ours; nothing crashes.

SEGASSIST_FUZZ=100000 says how many (2,000 here). The same number gives the same inputs.
"""

import copy
import json
import os
import random
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from segments.codec import from_json, to_json
from segments.errors import SegAssistError
from segments.issues import in_language
from serving.backup import restore_backup, write_backup
from serving.cli import read_questions
from serving.options import read_definition
from tests.conftest import ROOT
from warehouse.audience import Audiences
from warehouse.store import Warehouse

CASES = int(os.environ.get("SEGASSIST_FUZZ", "2000"))
PAGE = (ROOT / "docs" / "segment-language.md").read_text(encoding="utf-8")
SEEDS = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**70), 1e308, float("inf"), float("nan"), 0.1, "", " ", "x" * 5000,
    "'; DROP TABLE events; --", "\x00", "\ud800", "数", "\u202e", "%s{}", [], {}, [[]], [None], {"": {}}, "2017-02-30",
    "orders_90d", "purchase", ">=", "between", ["a", 1], {"feature": "orders_90d", "op": ">=", "value": 1},
]  # fmt: skip
KEYS = sorted({key for seed in SEEDS for key in re.findall(r'"(\w+)":', json.dumps(seed))})


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every part of a JSON value."""
    keys: Any = part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    return [path, *(place for key in keys for place in places(part[key], (*path, key)))]


def broken(rng: random.Random) -> Any:
    """An example of the language with one to four parts replaced, renamed, removed, added, doubled or nested."""
    made = copy.deepcopy(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 4)):
        path = rng.choice(places(made))
        if not path:
            made = rng.choice([{"all_of": [made, made]}, {"not": made}, {"any_of": [made]}, rng.choice(ODD)])
            continue
        holder = made
        for key in path[:-1]:
            holder = holder[key]
        change = rng.random()
        if change < 0.5:
            holder[path[-1]] = copy.deepcopy(rng.choice(ODD))
        elif change < 0.65:
            del holder[path[-1]]
        elif isinstance(holder, dict) and change < 0.8:
            holder[rng.choice(KEYS)] = holder.pop(path[-1])
        elif isinstance(holder, dict):
            holder[rng.choice(KEYS)] = copy.deepcopy(rng.choice([*ODD, *SEEDS]))
        else:
            holder.append(copy.deepcopy(rng.choice([*ODD, *SEEDS])))
    return made


@pytest.fixture(scope="module")
def audiences(small_folder) -> Audiences:
    return Audiences(Warehouse(small_folder / "warehouse.duckdb"))


def test_a_broken_definition_is_taken_or_refused(audiences):
    rng, taken, refused = random.Random(20), 0, 0
    for number in range(CASES):
        made = broken(rng)
        try:
            node = from_json(made)
            assert from_json(to_json(node)) == node
            sql = audiences.sql(node)
            if number % 20 == 0:
                assert 0 <= audiences.size(node) <= audiences.population
        except SegAssistError as error:
            refused += bool(in_language(error, "zh"))
        except Exception as error:
            raise AssertionError(f"case {number}: {made!r}") from error
        else:
            assert sql
            taken += 1
    assert taken > CASES / 100
    assert refused > CASES / 10


def test_a_definition_that_is_nested_without_end_is_refused(audiences):
    for depth in (50, 500, 5_000):
        made: Any = {"feature": "orders_90d", "op": ">=", "value": 1}
        for _ in range(depth):
            made = {"not": {"all_of": [made]}}
        with suppress(SegAssistError):
            audiences.sql(from_json(made))


def spoilt(rng: random.Random, whole: bytes) -> bytes:
    """Bytes with some changed, cut out, doubled or put in; or cut off."""
    made = bytearray(whole)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(made) + 1)
        match rng.randrange(5):
            case 0:
                made[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del made[at : at + rng.randint(1, 20)]
            case 2:
                made[at:at] = rng.choice(
                    [b"\xff\xfe", b"\x00", b"{", b"[" * 2000, b'"', b"\n\n", b"\xed\xa0\x80"]
                )
            case 3:
                made[at:at] = made[: rng.randint(1, 30)]
            case _:
                del made[at:]
    return bytes(made)


@pytest.fixture(scope="module")
def backup(tmp_path_factory) -> bytes:
    folder = tmp_path_factory.mktemp("little")
    (folder / "ready.json").write_text("{}")
    (folder / "segassist.toml").write_text('name = "little"\n')
    write_backup(folder, folder.parent / "little.tar.gz")
    return (folder.parent / "little.tar.gz").read_bytes()


def _restore(path: Path) -> None:
    restore_backup(path, path.with_name("restored"), replace=True)


@pytest.mark.parametrize("kind", ["definition", "questions", "backup"])
def test_a_spoilt_file_is_read_or_refused(kind, tmp_path, backup):
    readers: dict[str, tuple[Callable[[Path], Any], bytes, int]] = {
        "definition": (
            partial(read_definition, workspace=tmp_path),
            json.dumps(SEEDS[0], ensure_ascii=False).encode(),
            1,
        ),
        "questions": (
            read_questions,
            '"who bought beer?"\n["啤酒", "only those with children"]\n'.encode(),
            1,
        ),
        "backup": (_restore, backup, 10),
    }
    read, whole, share = readers[kind]
    rng, path = random.Random(21), tmp_path / "file"
    for number in range(CASES // share):
        path.write_bytes(spoilt(rng, whole))
        try:
            with suppress(SegAssistError):
                read(path)
        except Exception as error:
            raise AssertionError(f"case {number}: {path.read_bytes()!r}") from error
