"""An edit is read again beside the segment's own words, and where that is another reading, beside what led to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assistant.app import Answer, Assistant
from assistant.bundle import make_bundle, replay
from assistant.rooms import Rooms, make_linker
from assistant.second_reading import SecondReader
from assistant.workspace import open_workspace
from segments.canonical import fingerprint
from segments.codec import from_json
from tests.assistant.conftest import PARENTS, ScriptedModel, call, wish
from tests.assistant.test_second_reading import PLAIN, SPENT

EDIT = "only those with children"
EDITED = {"all_of": [SPENT, PARENTS]}
ALONE = SPENT | {"value": 700}
"""Some of those of before, and not those with children."""
MORE = SPENT | {"value": 300}


def conversation(
    workspace: Path, sketch: dict[str, Any], wished: str = "always"
) -> tuple[Assistant, Answer, ScriptedModel]:
    """After a first message that words and sketch read alike."""
    wish(workspace, wished)
    model = ScriptedModel(call("define_segment"), sketch=SPENT)
    talk = Assistant.open(workspace, model)
    first = talk.ask(PLAIN)
    model.script(call("refine_segment", edits=["e1"]), sketch=sketch)
    return talk, first, model


def same(answer: Answer, definition: dict[str, Any]) -> bool:
    assert answer.segment is not None
    return fingerprint(from_json(answer.segment["definition"])) == fingerprint(from_json(definition))


def test_an_edit_that_a_sketch_reads_alike_is_asked_for_once(workspace: Path) -> None:
    talk, first, model = conversation(workspace, EDITED)
    second = talk.ask(EDIT, first.conversation)
    assert same(second, EDITED)
    assert model.tuned is not None
    assert len(model.tuned.asked) == 1
    assert "Confidence" not in second.answer


def test_another_reading_is_taken_with_the_edit_told_beside_it_and_yes_takes_it(
    workspace: Path,
) -> None:
    talk, first, _ = conversation(workspace, ALONE)
    second = talk.ask(EDIT, first.conversation)
    assert same(second, ALONE)
    assert second.confidence == "low"
    assert "Which of the two do you mean?" in second.answer
    bundle = make_bundle(talk.tools.rooms, second)
    assert replay(bundle | {"model": {"adapter": "sketch"}}, open_workspace(workspace)).same
    assert same(talk.ask("yes", first.conversation), EDITED)


def test_a_sketch_of_the_segment_as_it_was_changes_nothing(workspace: Path) -> None:
    talk, first, _ = conversation(workspace, SPENT)
    assert same(talk.ask(EDIT, first.conversation), EDITED)


@pytest.mark.parametrize("wished", ["off", "doubt"])
def test_what_was_read_whole_is_read_again_only_where_the_workspace_wishes_it(
    workspace: Path, wished: str
) -> None:
    talk, first, model = conversation(workspace, ALONE, wished)
    assert same(talk.ask(EDIT, first.conversation), EDITED)
    assert model.tuned is not None
    assert model.tuned.asked == []


def test_what_plainly_lets_more_in_is_not_read_again(workspace: Path) -> None:
    talk, first, model = conversation(workspace, ALONE)
    widened = talk.ask("also include those with children", first.conversation)
    assert model.tuned is not None
    assert model.tuned.asked == []
    assert same(widened, {"any_of": [SPENT, PARENTS]})


def test_a_reading_that_lets_more_in_is_none_where_the_edit_narrows(workspace: Path) -> None:
    talk, first, _ = conversation(workspace, MORE)
    assert same(talk.ask(EDIT, first.conversation), EDITED)


def test_a_reading_that_loses_a_condition_is_none_where_the_edit_changes_one(workspace: Path) -> None:
    talk, first, model = conversation(workspace, EDITED)
    talk.ask(EDIT, first.conversation)
    model.script(call("refine_segment", edits=["e1"]), sketch=MORE)
    changed = talk.ask("make it $300", first.conversation)
    assert same(changed, {"all_of": [MORE, PARENTS]})


def test_what_takes_a_condition_away_is_read_again(workspace: Path) -> None:
    talk, first, model = conversation(workspace, EDITED)
    talk.ask(EDIT, first.conversation)
    model.script(call("refine_segment", edits=["e1"]), sketch=PARENTS)
    assert same(talk.ask("drop the spend condition", first.conversation), PARENTS)
    assert model.tuned is not None
    assert len(model.tuned.asked) == 1


def test_a_segment_that_no_sketch_can_say_is_not_read_again(workspace: Path) -> None:
    talk, first, model = conversation(workspace, ALONE)
    alike = {"similar_to": {"segment": SPENT}, "top": 100}
    talk.set_segment(first.conversation, from_json(alike))
    second = talk.ask(EDIT, first.conversation)
    assert model.tuned is not None
    assert model.tuned.asked == []
    assert same(second, {"all_of": [alike, PARENTS]})


class ByTelling:
    """A FAKE adapted model whose sketch rests on how the segment is told."""

    def __init__(self, **sketches: dict[str, Any]) -> None:
        self.sketches = sketches

    def weighed(
        self, messages: list[tuple[str, str]], _schema: dict[str, Any], _draw: int = 0
    ) -> tuple[dict[str, Any], float]:
        return self.sketches[messages[-1][1].split()[0]], 0.9


@pytest.mark.parametrize(
    ("told", "led", "taken"),
    [
        (ALONE, ALONE, (ALONE, True)),
        (ALONE, PARENTS, (ALONE, False)),
        (SPENT, PARENTS, (PARENTS, False)),
        (ALONE, EDITED, None),
        (EDITED, ALONE, None),
        (SPENT, SPENT, None),
    ],
)
def test_a_reading_leads_unless_the_other_speaks_for_the_edit(
    opened: Rooms, told: dict[str, Any], led: dict[str, Any], taken: tuple[dict[str, Any], bool] | None
) -> None:
    linker, audiences = make_linker(opened, dense=False), opened.audiences
    model = ScriptedModel()
    model.tuned = ByTelling(led=led, told=told)  # type: ignore[assignment]
    reader = SecondReader(linker, model, audiences.vocabulary, audiences.members)
    current, edit = from_json(SPENT), from_json(EDITED)
    found = reader.edited(linker.link(EDIT, current), current, "told", "led", edit, lambda *_: True)
    assert found == (None if taken is None else (from_json(taken[0]), taken[1]))


def test_a_reading_with_a_further_condition_is_none_where_the_edit_takes_one_away(workspace: Path) -> None:
    more = {"any_of": [{"all_of": [SPENT, PARENTS]}, {"feature": "age", "op": "=", "value": "45-54"}]}
    talk, first, _ = conversation(workspace, more)
    talk.set_segment(first.conversation, from_json(EDITED))
    assert same(talk.ask("drop the children condition", first.conversation), SPENT)


@pytest.mark.parametrize(("message", "kept"), [("exclude those with children", True), (EDIT, False)])
def test_a_reading_that_loses_an_exclusion_is_none(workspace: Path, message: str, kept: bool) -> None:
    talk, first, _ = conversation(workspace, ALONE)
    second = talk.ask(message, first.conversation)
    assert same(second, {"all_of": [SPENT, {"not": PARENTS}]} if kept else ALONE)


def test_a_segment_that_came_in_another_way_is_read_beside_its_words_alone(workspace: Path) -> None:
    talk, first, model = conversation(workspace, ALONE)
    talk.set_segment(first.conversation, from_json(SPENT | {"value": 400}))
    assert same(talk.ask(EDIT, first.conversation), ALONE)
    assert model.tuned is not None
    assert len(model.tuned.asked) == 1


def test_an_edit_is_told_with_the_messages_before_it(workspace: Path) -> None:
    talk, first, model = conversation(workspace, EDITED)
    talk.ask(EDIT, first.conversation)
    model.replies.append(call("profile_segment", segment="current"))
    talk.ask("what are they like?", first.conversation)
    model.script(call("refine_segment", edits=["e1"]), sketch=ALONE)
    talk.ask("exclude those who bought beer", first.conversation)
    assert model.tuned is not None
    told, led = [messages[-1][1] for messages in model.tuned.asked]
    assert told.startswith("customers who ")
    assert told.endswith(". exclude those who bought beer")
    assert led == f"{PLAIN}. {EDIT}. exclude those who bought beer"
