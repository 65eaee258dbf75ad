"""English and Chinese wordings of one request give the same definition."""

from pathlib import Path

import pytest

from assistant.linking.linker import Linker
from assistant.rooms import Rooms
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


@pytest.mark.parametrize(
    ("said", "plainly"),
    [
        ("Who: wine buyers in Q4. Exclude: kids at home.", "wine buyers in Q4, excluding those with kids"),
        ("Keep: egg buyers (60 days)\nDrop: income below 25K", "egg buyers in 60 days, excluding income below 25K"),
        ("who spends the most on meat, top 3%?", "top 3% by meat spend"),
        ("pizza and wine last 30", "bought pizza and wine in the last 30 days"),
        (
            "got mail from us at least three times in the last ninety days and never redeemed a coupon",
            "received 3 or more campaigns in the last 90 days and never redeemed a coupon",
        ),
        ("who hasn't been mailed in the last 30 days", "who has not received a campaign in the last 30 days"),
        (
            "spending in the last 30 days is at least one and a half times the thirty days before",
            "spending in the last 30 days at least 1.5 times what it was in the 30 days before",
        ),
        ("whose basket is usually over forty dollars", "average basket over $40"),
        (
            "average basket under $15 and 80 or more orders a year",
            "average basket under $15 and at least 80 orders a year",
        ),
        ("new since August, 20+ trips", "first purchase since August and 20 or more trips"),
        ("人群：近30天买过鲜花；排除：近30天用过券", "近30天买过鲜花，近30天没用过券"),
        ("L90D来≥10次的", "最近90天来过10次以上的客户"),
        ("首次购物是三个月以内的", "首次购买在最近90天内的客户"),
        ("买了剃须刀三十天以内又买了除臭剂的", "买了剃须刀后30天内又买除臭剂的客户"),
    ],
)  # fmt: skip
def test_what_is_said_otherwise_is_read_as_what_is_said_plainly(linker, said, plainly):
    first, second = linker.link(said), linker.link(plainly)
    assert first.reading is not None
    assert second.reading is not None
    assert fingerprint(first.reading) == fingerprint(second.reading)
