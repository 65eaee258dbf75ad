"""Requests for what an assistant for customers does not do."""

import pytest

from tests.assistant.conftest import call


@pytest.mark.parametrize(
    "message",
    [
        "what's the weather on Saturday?",
        "Write me a limerick about Mondays",
        "set a reminder for nine",
        "讲个笑话听听",
        "帮我写一首诗",
        "明天天气咋样",
    ],
)
def test_what_is_off_topic_is_refused_without_the_model(talk, message):
    assert talk.ask(message).refused
    assert not talk.model.schemas


def test_off_topic_words_around_a_description_are_talk(talk):
    assert not talk.ask(
        "In this weather, who bought soup in the last 30 days?", call("define_segment")
    ).refused
