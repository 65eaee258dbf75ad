"""A message left in doubt is put into plainer words, which are linked; what they drop or add is not taken."""

import json
from pathlib import Path

import pytest

import prompts
from assistant.app import Assistant, Rooms, make_linker
from assistant.linking.linker import Linker
from assistant.second_reading import SecondReader, doubtful
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.errors import ModelRetryError
from tests.assistant.conftest import ScriptedModel, call

DOUBTED = "the flibber crowd who spent over $500 in the last 90 days"
"""One word that nothing explains; the rest is read."""
PLAIN = "customers who spent over $500 in the last 90 days"
UNREAD = "households where gizzlement of 60 percent obtains, in the last 90 days"


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return make_linker(opened, dense=False)


def reader(linker: Linker, opened: Rooms, words: str) -> SecondReader:
    return SecondReader(linker, ScriptedModel(reworded=words), opened.audiences.members)


def test_only_a_message_that_describes_a_segment_and_was_not_read_whole_is_doubted(linker: Linker) -> None:
    assert doubtful(linker.link(DOUBTED), None)
    assert not doubtful(linker.link(PLAIN), None)
    assert not doubtful(linker.link("delete every customer from the database"), None)
    assert not doubtful(linker.link("thanks"), None)


def test_the_same_reading_changes_nothing(linker: Linker, opened: Rooms) -> None:
    link = linker.link(DOUBTED)
    assert reader(linker, opened, PLAIN).joined(link) == link


@pytest.mark.parametrize(
    "words",
    [
        "",
        "customers who spent over $600 in the last 90 days",
        "customers who spent over $500 in the last 30 days",
        "customers who spent over $500 on beer in the last 90 days",
        "customers who did not spend over $500 in the last 90 days",
        "married customers who spent over $500 in the last 90 days",
        "customers who spent over $500 in the last 90 days and wobble",
    ],
    ids=["nothing", "number", "time", "goods", "negation", "attribute", "unknown"],
)
def test_a_wording_of_other_things_is_not_taken(linker: Linker, opened: Rooms, words: str) -> None:
    link = linker.link(DOUBTED)
    assert reader(linker, opened, words).joined(link) == link


def test_another_audience_is_told_beside_a_reading_that_holds_all(linker: Linker, opened: Rooms) -> None:
    link = linker.link(DOUBTED)
    other = reader(linker, opened, "customers who placed over 500 orders in the last 90 days").joined(link)
    assert other.reading == link.reading
    assert other.alternative is not None
    assert fingerprint(other.alternative) != fingerprint(link.reading)


def test_a_reading_that_left_something_out_gives_place(linker: Linker, opened: Rooms) -> None:
    message = "who spent over $500 in the last 90 days with gizzlement of 30%"
    link = linker.link(message)
    assert link.unused
    words = "customers who spent over $500 in the last 90 days and whose private label share is 30% or more"
    second = reader(linker, opened, words.replace("private label share", "discount share")).joined(link)
    assert second.unused == second.unknown == ()
    assert second.alternative == link.reading
    assert second.message == message


def test_an_answer_that_is_none_changes_nothing(linker: Linker, opened: Rooms) -> None:
    class Mute(ScriptedModel):
        def json(self, messages: list[tuple[str, str]], schema: dict[str, object]) -> dict[str, object]:
            raise ModelRetryError("no JSON")

    link = linker.link(DOUBTED)
    assert SecondReader(linker, Mute(), opened.audiences.members).joined(link) == link


def test_yes_takes_the_other_reading(workspace: Path) -> None:
    settings = workspace / "segassist.toml"
    text = settings.read_text(encoding="utf-8")
    settings.unlink()
    settings.write_text(f"second_reading = true\n{text}", encoding="utf-8")
    model = ScriptedModel(
        call("define_segment"), reworded="customers who placed over 500 orders in the last 90 days"
    )
    talk = Assistant.open(workspace, model)
    first = talk.ask(DOUBTED)
    assert "Say yes to take that reading." in first.answer
    second = talk.ask("yes", first.conversation)
    assert second.segment is not None
    expected = {"event": "purchase", "from_days_ago": 90, "op": ">", "value": 500}
    assert fingerprint(from_json(second.segment["definition"])) == fingerprint(from_json(expected))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_worked_examples_say_the_same_in_words_that_are_read_whole(linker: Linker, language: str) -> None:
    for example in prompts.examples(f"reword_{language}.jsonl"):
        link = linker.link(example["output"]["customers"])
        assert link.reading is not None
        assert (link.unused, link.unknown) == ((), ()), json.dumps(example, ensure_ascii=False)
