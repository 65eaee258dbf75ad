"""English and Chinese wordings of one request give the same definition."""

from pathlib import Path

import pytest

from assistant.app import Rooms
from assistant.linking.linker import Linker
from segments.canonical import fingerprint
from tests.assistant.conftest import Talk

PAIRS = [
    line.split("\t")
    for line in (Path(__file__).parent / "paraphrases.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("# ")
]


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return Talk(opened, "paraphrases").assistant.linker


def test_there_are_enough_pairs():
    assert len(PAIRS) >= 140
    assert len({english for english, _ in PAIRS}) == len(PAIRS)


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=[english for english, _ in PAIRS])
def test_both_languages_give_one_definition(linker, english, chinese):
    first, second = linker.link(english), linker.link(chinese)
    assert (first.language, second.language) == ("en", "zh")
    assert first.reading is not None
    assert second.reading is not None
    assert fingerprint(first.reading) == fingerprint(second.reading)
