"""Mistakes in words: every one in English and Chinese, with the same particulars."""

import copy
import pickle
import re
from string import Formatter

import pytest

from segments.catalogue import standard_catalogue
from segments.check import issues
from segments.codec import from_json
from segments.issues import WORDS, Issue, sentences
from segments.vocabulary import Vocabulary

VOCABULARY = Vocabulary(standard_catalogue())
BEER = {"event": "purchase"}


def blanks(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("code", WORDS)
def test_a_mistake_has_words_in_both_languages(code):
    english, chinese = WORDS[code]
    assert re.search("[a-z]", english)
    assert re.search("[\u4e00-\u9fff]", chinese)
    # A unit has no Chinese word, and what is known is named once.
    assert blanks(english) - {"unit", "field"} <= blanks(chinese) <= blanks(english)


@pytest.mark.parametrize(
    ("definition", "english", "chinese"),
    [
        ({"feature": "orders_90", "op": ">=", "value": 1}, "did you mean orders_90d", "您是指orders_90d"),
        ({"feature": "orders_90d", "op": "in", "value": ["a"]}, "accepted are >=, >, <=", "可用>=、>、<="),
        (
            {"feature": "orders_90d", "op": ">=", "value": "many"},
            "must be a number",
            "必须是数字，而给的是“many”",
        ),
        ({"feature": "orders_90d", "op": "between", "value": [5, 1]}, "low <= high", "下限不能大于上限"),
        ({"event": "purchase", "from_days_ago": 5, "to_days_ago": 9}, "is empty", "从5天前到9天前没有日子"),
        ({"all_of": [BEER, {"not": BEER}]}, "its opposite", "它的反面"),
        ({"any_of": []}, "has no conditions", "没有条件"),
    ],
)
def test_checks_speak_both(definition, english, chinese):
    node = from_json(definition)
    found = issues(node, VOCABULARY)
    assert english in found[0]
    assert chinese in sentences(found, "zh")[0]
    assert sentences(found, "en") == found


def test_a_mistake_can_be_copied_and_sent():
    issue = Issue("times", name="purchase", most=10, value=11)
    for again in (copy.deepcopy(issue), pickle.loads(pickle.dumps(issue))):
        assert (again, again.zh) == (issue, issue.zh)
