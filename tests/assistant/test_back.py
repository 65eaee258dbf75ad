"""A conversation goes back to an earlier segment: the one before, or one by its number."""

import pytest

from assistant.back import spoken_back, spoken_other
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, SOUP, call

BOTH = {"all_of": [BIG_SPENDERS, PARENTS]}


@pytest.mark.parametrize(
    "message",
    [
        "undo",
        "Undo!",
        "undo that",
        "please undo the last change",
        "go back",
        "go back to the previous segment",
        "back to the previous one",
        "revert",
        "revert that, please",
        "take that back",
        "撤销",
        "撤销刚才的修改",
        "撤回",
        "请撤回上一步",
        "回到上一步",
        "回到上一个分群",
        "恢复到上一个版本",
    ],
)
def test_the_segment_before_is_asked_for(message: str):
    assert spoken_back(message) == 0


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("the first segment", 1),
        ("go back to the second segment", 2),
        ("show me the original segment", 1),
        ("the 3rd segment", 3),
        ("第一个分群", 1),
        ("回到第二个分群", 2),
    ],
)
def test_a_segment_is_asked_for_by_its_number(message: str, number: int):
    assert spoken_back(message) == number


@pytest.mark.parametrize(
    "message",
    [
        "undo the age filter",
        "the second one",
        "back",
        "customers who came back",
        "win them back",
        "will they come back?",
        "go back 90 days",
        "the first segment who bought beer",
        "save the first segment as x",
        "segment 2",
        "撤销年龄条件",
        "恢复购买的客户",
        "第一次购买的客户",
    ],
)
def test_whoever_says_more_does_not_go_back(message: str):
    assert spoken_back(message) is None


@pytest.mark.parametrize(("undo", "told"), [("undo that", "customers** ("), ("撤销", "位客户**")])
def test_undo_makes_the_segment_before_the_current_one_again(talk, undo, told):
    talk.use(BIG_SPENDERS)
    narrowed = talk.ask("only those with children", call("refine_segment"))
    assert talk.current == BOTH
    back = talk.ask(undo)
    assert talk.current == BIG_SPENDERS == back.segment["definition"]
    assert told in back.answer
    assert f"{back.segment['size']:,}" in back.answer
    assert back.segment["size"] > narrowed.segment["size"]
    assert [each["name"] for each in back.tool_calls] == ["show_segment"]
    assert talk.assistant.history(talk.name)[-1]["definition"] == BIG_SPENDERS


def test_each_undo_goes_one_further_until_there_is_nothing_left(talk):
    talk.use(SOUP)
    talk.use(BIG_SPENDERS)
    talk.ask("only those with children", call("refine_segment"))
    talk.ask("undo")
    assert talk.ask("undo").segment["definition"] == SOUP
    nothing = talk.ask("undo")
    assert "nothing to undo" in nothing.clarification
    assert "没有可以撤销的内容" in talk.ask("撤回").clarification
    assert talk.current == SOUP


def test_nothing_can_be_undone_before_anything_was_done(talk):
    assert "nothing to undo" in talk.ask("undo").clarification
    assert talk.current is None


@pytest.mark.parametrize(
    ("first", "second", "none"),
    [
        ("the first segment", "back to the second segment", "the 9th segment"),
        ("第一个分群", "回到第二个分群", "第九个分群"),
    ],
)
def test_segments_are_numbered_as_they_came(talk, first, second, none):
    for each in (SOUP, BIG_SPENDERS, BOTH):
        talk.use(each)
    assert talk.ask(first).segment["definition"] == SOUP
    assert talk.ask(second).segment["definition"] == BIG_SPENDERS
    assert talk.ask("undo").segment["definition"] == SOUP
    assert talk.ask(none).clarification
    assert talk.current == SOUP


@pytest.mark.parametrize(
    ("message", "number"),
    [("go back to the first one", 1), ("back to the original one", 1), ("回到第一个", 1), ("返回第二个", 2)],
)
def test_a_going_verb_needs_no_word_for_the_segment(message: str, number: int):
    assert spoken_back(message) == number


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("compare it with the first one", 1),
        ("how do they differ from the second segment?", 2),
        ("和第一个比较", 1),
        ("跟第二个分群有什么区别？", 2),
        ("compare it with the dog food crowd", None),
        ("compare the first quarter with the second quarter", None),
    ],
)
def test_what_is_compared_with_may_be_numbered(message: str, number: int | None):
    assert spoken_other(message) == number


def test_a_comparison_with_the_first_one_takes_the_first_and_tells_what_differs(talk):
    talk.ask("who spent over $500 in the last 90 days?", call("define_segment"))
    talk.ask("only parents", call("refine_segment"))
    talk.ask("who bought soup?", call("define_segment"))
    answer = talk.ask("compare it with the first one", call("compare_segments", segment="current"))
    assert answer.tool_calls[-1]["arguments"]["name"] == "segment 1"
    assert answer.tool_calls[-1]["arguments"]["other"] == BIG_SPENDERS
    answer = talk.ask("和第一个比较", call("compare_segments", segment="current"))
    assert "第 1 个分群" in answer.answer
    assert "only" not in answer.answer
    answer = talk.ask("compare it with the seventh one", call("compare_segments", segment="current"))
    assert answer.clarification
