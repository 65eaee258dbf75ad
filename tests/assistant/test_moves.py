"""A message that goes to another segment of the conversation before it says more: the part that was counted, the one
before the last change, the first; and one that describes others in full, with no regard to the segment at hand."""

import pytest

from assistant.linking.edits import stands_alone
from assistant.linking.preamble import without_purpose
from tests.assistant.conftest import PARENTS, SOUP, call

RECENT = {"event": "purchase", "from_days_ago": 30}


@pytest.fixture
def counted(talk):
    """A conversation about soup, of which those with children were counted."""
    talk.use(SOUP)
    assert [each["name"] for each in talk.ask("do they have children?").tool_calls] == ["count_part"]
    assert talk.current == SOUP
    return talk


@pytest.mark.parametrize(
    "message",
    [
        "ok, go with those",
        "let's use them",
        "Perfect. Take those people.",
        "就他们了",
        "行，用这批，按这拨人建",
        "锁定这群",
    ],
)
def test_the_part_that_was_counted_becomes_the_segment(counted, message):
    answer = counted.ask(message)
    assert [each["name"] for each in answer.tool_calls] == ["show_segment"]
    assert counted.current == {"all_of": [SOUP, PARENTS]}
    counted.ask("undo")
    assert counted.current == SOUP


@pytest.mark.parametrize("message", ["cool, roll with em, but make it 90 days", "好，就用这批，不过改成90天"])
def test_the_part_that_was_counted_is_taken_and_changed(counted, message):
    counted.ask(message, call("refine_segment", edits=["e1"]))
    assert counted.current == {"all_of": [SOUP | {"from_days_ago": 90}, PARENTS]}


@pytest.mark.parametrize("message", ["keep those who used a coupon", "那些用过券的留下"])
def test_those_of_a_kind_are_no_part_that_was_counted(counted, message):
    counted.ask(message, call("refine_segment", edits=["e1"]))
    assert PARENTS not in counted.current["all_of"]


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("and of those, what share bought in the last 30 days?", {"all_of": [PARENTS, RECENT]}),
        ("what share of them bought in the last 30 days?", RECENT),
    ],
)
def test_of_those_is_of_the_part_that_was_counted(counted, message, part):
    (made,) = counted.ask(message, tool={"tool": "count_part"}, sure=0.97).tool_calls
    assert made["name"] == "count_part"
    assert made["arguments"]["part"] == part
    counted.ask("use those")
    parts = part.get("all_of", [part])
    assert counted.current == {"all_of": [SOUP, *parts]}


@pytest.fixture
def narrowed(talk):
    """A conversation about soup that was narrowed to those with children."""
    talk.use(SOUP)
    talk.ask("only those with children", call("refine_segment", edits=["e1"]))
    assert talk.current == {"all_of": [SOUP, PARENTS]}
    return talk


@pytest.mark.parametrize(
    "message",
    [
        "nah scrap that, make it 90 days instead",
        "forget the last change; make it 90 days",
        "呃刚才那句当我没说，改成90天",
        "撤销刚才的修改，改成90天",
    ],
)
def test_the_last_change_is_undone_and_another_made(narrowed, message):
    narrowed.ask(message, call("refine_segment", edits=["e1"]))
    assert narrowed.current == SOUP | {"from_days_ago": 90}


def test_what_is_scrapped_is_a_change_and_nothing_else(narrowed):
    narrowed.ask("what share of them bought in the last 30 days?")
    narrowed.ask("scrap that, make it 90 days", call("refine_segment", edits=["e1"]))
    assert narrowed.current == {"all_of": [SOUP | {"from_days_ago": 90}, PARENTS]}


@pytest.mark.parametrize(
    "message",
    [
        "Back to the original one, but 90 days",
        "go back to what I had at the very start, only make it 90 days",
        "还是回最开始那版吧，不过改成90天",
    ],
)
def test_the_first_segment_is_taken_and_changed(talk, message):
    talk.use(SOUP)
    talk.ask("only those with children", call("refine_segment", edits=["e1"]))
    talk.ask("only the married ones", call("refine_segment", edits=["e1"]))
    talk.ask(message, call("refine_segment", edits=["e1"]))
    assert talk.current == SOUP | {"from_days_ago": 90}
    talk.ask("undo")
    assert talk.current == SOUP


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("We're planning a winback, so keep only who bought wine", "keep only who bought wine"),
        (
            "This is for the steak promotion, therefore they must have bought beef",
            "they must have bought beef",
        ),
        ("下周寿司搞特价，所以只要去年买过寿司的", "只要去年买过寿司的"),
        ("准备做召回，只留45天没来过的", "只留45天没来过的"),
        ("老板说这波主打中老年，55岁往上就行", "55岁往上就行"),
        ("we want customers who bought wine, so only the 2017 ones", None),
        ("冷冻的勿算，只要新鲜海鲜", None),
        ("近60天没来的，只要女装", None),
        ("We're planning a winback, so plan a campaign for them", None),
    ],
)
def test_what_a_change_is_for_is_no_condition(message, left):
    chinese = not message.isascii()
    assert without_purpose(message, chinese) == (message if left is None else left)


@pytest.mark.parametrize(
    ("message", "alone"),
    [
        ("customers over 55 who bought seafood last year", True),
        ("can I see everyone who was mailed at least 2 campaigns in the last 90 days", True),
        ("households of 4 or more that bought paper towels", True),
        ("上季度买牛肉花了至少80的客户", True),
        ("上个月买过玩具、家里至少两个孩子的家庭", True),
        ("people who also bought wine", False),
        ("only customers who bought wine", False),
        ("customers of them who bought wine in March", False),
        ("without anybody who ever redeemed a coupon", False),
        ("bought wine in the last 30 days", False),
        ("只要买过牛肉的客户", False),
        ("再去掉买过牛肉的人", False),
        ("也买过牛肉的客户", False),
    ],
)
def test_a_full_description_has_no_word_of_the_segment_at_hand(message, alone):
    assert stands_alone(message) is alone


@pytest.mark.parametrize("message", ["customers who bought soup in the last 60 days", "近60天买过汤的客户"])
def test_a_full_description_begins_anew_and_tells_the_narrower_reading(talk, message):
    talk.use(PARENTS)
    answer = talk.ask(
        message, call("define_segment", segment="described"), tool={"tool": "define_segment"}, sure=0.97
    )
    assert talk.current == SOUP
    other = answer.evidence[1]
    assert other["tool"] == "other_reading"
    talk.ask("yes")
    assert talk.current == {"all_of": [PARENTS, SOUP]}


def test_who_is_described_with_the_segment_at_hand_narrows_it(talk):
    talk.use(PARENTS)
    talk.ask(
        "only customers who bought soup in the last 60 days",
        call("refine_segment", edits=["e1"]),
        tool={"tool": "define_segment"},
        sure=0.97,
    )
    assert talk.current == {"all_of": [PARENTS, SOUP]}
