"""How stable natural segments are and why they are so many is answered by what was found of them."""

import pytest

from assistant.spoken_groups import spoken_groups, spoken_of_groups
from tests.assistant.conftest import call, shown_in, values

OF_GROUPS = (
    "how stable are these groups?",
    "Are these clusters reliable?",
    "can I trust these segments?",
    "why five groups?",
    "why so many groups?",
    "how did you decide on five clusters?",
    "为什么是5类？",
    "为什么分成5群而不是4群",
    "这些分群稳定吗？",
    "这五类稳不稳",
    "类数是怎么定的？",
)
BARE = ("why five?", "why not four?", "how did you choose 5?", "为什么是五？", "稳定吗？")


@pytest.mark.parametrize("message", OF_GROUPS)
def test_words_that_ask_how_far_groups_may_be_believed(message):
    assert spoken_groups(message)


@pytest.mark.parametrize("message", BARE)
def test_words_that_ask_so_of_what_was_just_shown(message):
    assert spoken_of_groups(message)
    assert not spoken_groups(message)


@pytest.mark.parametrize(
    "message",
    [
        "how big are these groups?",
        "how many are in group 2?",
        "who is in cluster 2?",
        "is this segment growing?",
        "why do they buy so much beer?",
        "why?",
        "find 5 natural groups",
        "compare these groups",
        "为什么他们买啤酒？",
        "第五类有多少人",
        "把客户分成5类",
        "这些客户消费稳定吗",
    ],
)
def test_words_that_ask_for_something_else(message):
    assert not spoken_groups(message)
    assert not spoken_of_groups(message)


def test_groups_that_were_found_answer_for_themselves(talk):
    shown = talk.ask("find natural segments", call("discover_segments"))
    figures = {figure["name"]: figure["display"] for figure in shown.evidence[0]["figures"]}
    why, why_zh = shown.evidence[0]["notes"][:2]
    for question in ("how stable are these groups?", "why five?"):
        answer = talk.ask(question)
        assert answer.tool_calls == []
        assert why in answer.answer
        assert figures["silhouette"] in answer.answer
        assert figures["stability"] in answer.answer
        assert values(answer.answer) <= shown_in(answer.evidence)
    talk.ask("customers who bought beer", call("define_segment"))
    assert why_zh in talk.ask("为什么是5类？").answer
    assert "natural segments" not in talk.ask("why?").answer


def test_groups_of_a_number_that_was_asked_for_are_tried_too(talk):
    talk.ask("find 4 natural segments", call("discover_segments"))
    answer = talk.ask("are these groups stable?").answer
    assert "4 was asked for" in answer
    assert "under resampling" in answer


def test_where_none_was_found_they_are_found_first(talk):
    answer = talk.ask("how stable are our customer groups?")
    assert [called["name"] for called in answer.tool_calls] == ["discover_segments"]
    assert "under resampling" in answer.answer
