"""What the check says of a plan: a negation that got lost, and an edit that does not hold gives way to one that does."""

import pytest

from assistant.check import unsaid
from assistant.negation import negates, said_negation
from assistant.plan import DESCRIBED, Plan
from eval.cases import load_cases
from segments.codec import from_json
from segments.definition import Not
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, SOUP, call

NO_BEER = {"not": {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}}


@pytest.mark.parametrize(
    ("message", "language", "word"),
    [
        ("who bought soup but not beer?", "en", "not"),
        ("haven't bought anything", "en", "haven't"),
        ("soup buyers without kids", "en", "without"),
        ("everyone except renters", "en", "except"),
        ("no more than 3 orders", "en", None),
        ("I don't mind which, soup buyers", "en", None),
        ("last 30 days, no wait, 60 days", "en", None),
        ("买过汤但没买啤酒的客户", "zh", "没"),
        ("排除有孩子的", "zh", "排除"),
        ("消费不超过100元的", "zh", None),
        ("有没有买过汤的客户", "zh", None),
        ("未婚的客户", "zh", None),
    ],
)
def test_words_that_negate_are_told_from_those_that_do_not(message, language, word):
    assert said_negation(message, language) == word


@pytest.mark.parametrize(
    ("definition", "leaves_out"),
    [
        (SOUP, False),
        (PARENTS, False),
        (BIG_SPENDERS, False),
        (NO_BEER, True),
        ({"all_of": [SOUP, NO_BEER]}, True),
        ({"feature": "has_children", "op": "=", "value": False}, True),
        ({"feature": "recency_days", "op": ">", "value": 60}, True),
    ],
)
def test_a_definition_that_leaves_somebody_out_is_known(definition, leaves_out):
    assert negates(from_json(definition)) is leaves_out


def test_of_the_golds_nearly_all_negations_are_heard_and_few_are_made_up():
    """On the dev questions, without a model; what is held to here was measured when the words were chosen."""
    heard = leaving = alarms = plain = 0
    for case in load_cases("dev"):
        if len(case.turns) > 1 or case.gold is None or case.tool != "define_segment":
            continue
        said = said_negation(case.turns[0], case.language) is not None
        if any(isinstance(node, Not) for node in (case.gold, *getattr(case.gold, "children", ()))):
            leaving, heard = leaving + 1, heard + said
        elif not any(negates(gold) for gold in (case.gold, *case.also)):
            plain, alarms = plain + 1, alarms + said
    assert leaving > 150
    assert heard / leaving > 0.95
    assert plain > 400
    assert alarms / plain < 0.02


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("who bought soup, leaving out the zorbulous ones", "Your message says 'leaving out'"),
        ("买过汤的客户，排除某些奇怪的", "您的话里有“排除”"),
    ],
)
def test_a_negation_that_no_condition_holds_is_told(talk, question, told):
    answer = talk.ask(question, call("define_segment"))
    assert not negates(from_json(answer.segment["definition"]))
    assert told in answer.answer


@pytest.mark.parametrize("question", ["who bought soup but not beer?", "买过汤但没买过啤酒的客户"])
def test_a_negation_that_is_held_is_not_told(talk, question):
    answer = talk.ask(question, call("define_segment"))
    assert negates(from_json(answer.segment["definition"]))
    assert "leaves nobody out" not in answer.answer
    assert "没有排除任何人" not in answer.answer


def test_a_tool_on_the_current_segment_lacks_nothing(talk):
    link = talk.assistant.linker.link("what should we not offer them?", from_json(SOUP))
    assert unsaid(Plan("plan_strategy", "current"), link) == []
    assert DESCRIBED == "described"


MARRIED = {"feature": "marital_status", "op": "=", "value": "Married"}


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Sorry, I meant the unmarried ones.", "So I took your words another way"),
        ("不对，我是说未婚的", "因此我换了一种理解"),
    ],
)
def test_an_edit_that_contradicts_gives_way_to_one_that_holds(talk, question, told):
    talk.use(MARRIED)
    answer = talk.ask(question, call("refine_segment", edits=["e2"]))
    assert talk.current == MARRIED | {"value": "Unmarried"}
    assert told in answer.answer
    assert len(talk.model.prompts) == 1, "the model has no other choice to make"
    chosen = talk.ask("undo")
    assert chosen.segment["definition"] == MARRIED
    assert told not in talk.ask(question, call("refine_segment", edits=["e1"])).answer
