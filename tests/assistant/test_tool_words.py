"""Misspelt words of requests."""

import pytest

from assistant.linking.tool_words import spelt

KNOWN = frozenset({"perform", "spend", "message"})


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("make me a campain plan with 1000$ buget", "make me a campaign plan with 1000$ budget"),
        ("what prodcts shuold we recomend", "what products should we recommend"),
        ("how likly they buy agian", "how likely they buy again"),
    ],
)
def test_a_misspelt_word_of_a_request_is_put_right(message, meant):
    text, corrected = spelt(message, KNOWN)
    assert text == meant
    assert all(word in message and better in meant for word, better in corrected)


@pytest.mark.parametrize(
    "message",
    [
        "save it as Recomend",
        'open "campain"',
        "who bought Campaig chocolate",
        "how did it perform",
        "tea and pea soup",
    ],
)
def test_names_and_known_words_stay(message):
    assert spelt(message, KNOWN) == (message, ())
