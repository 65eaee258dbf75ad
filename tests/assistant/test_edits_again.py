"""An edit is read again beside the segment's own words, and where that is another reading, beside what led to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assistant import tool_reading
from assistant.app import Answer, Assistant
from assistant.bundle import make_bundle, replay
from assistant.edits_again import PLAINLY
from assistant.rooms import Rooms, make_linker
from assistant.second_reading import MUCH, SURE, SecondReader
from assistant.tool_reading import LACKING
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
    workspace: Path, sketch: dict[str, Any], wished: str = "always", sure: float = 0.9
) -> tuple[Assistant, Answer, ScriptedModel]:
    """After a first message that words and sketch read alike. sketch: of the next, beside whatever it is read."""
    wish(workspace, wished)
    model = ScriptedModel(call("define_segment"), sketch=SPENT)
    talk = Assistant.open(workspace, model)
    first = talk.ask(PLAIN)
    model.script(call("refine_segment", edits=["e1"]), sketch=sketch, sure=sure)
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
    talk, first, _ = conversation(workspace, MORE, sure=SURE - 0.01)
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
    """A FAKE adapted model whose sketch rests on how the segment is told: sketches, by what begins the text beside which it
    reads an edit. It reads the same tool in every message."""

    def __init__(
        self, sketches: dict[str, dict[str, Any]], tool: dict[str, Any] | None = None, sure: float = 0.9
    ) -> None:
        self.sketches, self.tool, self.sure = sketches, tool, sure
        self.likely: dict[str, float] = {}

    def weighed(
        self, messages: list[tuple[str, str]], _schema: dict[str, Any], _draw: int = 0
    ) -> tuple[dict[str, Any], float]:
        text = messages[-1][1]
        if self.tool is not None and messages == tool_reading.asked(text):
            return self.tool, self.sure
        begins = next(begins for begins in self.sketches if text.startswith(begins))
        return self.sketches[begins], self.likely.get(begins, 0.9)


@pytest.mark.parametrize(
    ("told", "led", "taken"),
    [
        (ALONE, ALONE, (ALONE, True)),
        (ALONE, PARENTS, (ALONE, False)),
        (SPENT, PARENTS, (PARENTS, False)),
        (ALONE, EDITED, (EDITED, False)),
        (EDITED, ALONE, (EDITED, False)),
        (SPENT, SPENT, None),
    ],
)
def test_a_reading_leads_unless_the_other_speaks_for_the_edit(
    opened: Rooms, told: dict[str, Any], led: dict[str, Any], taken: tuple[dict[str, Any], bool] | None
) -> None:
    linker, audiences = make_linker(opened, dense=False), opened.audiences
    model = ScriptedModel()
    model.tuned = ByTelling({"told": told, "led": led})  # type: ignore[assignment]
    reader = SecondReader(linker, model, audiences.vocabulary, audiences.members)
    current, edit = from_json(SPENT), from_json(EDITED)
    found = reader.edited(linker.link(EDIT, current), current, "told", "led", edit, lambda *_: True)
    assert found == (None if taken is None else (from_json(taken[0]), taken[1]))


def test_a_reading_that_is_much_surer_leads_though_the_other_speaks_for_the_edit(opened: Rooms) -> None:
    linker, audiences = make_linker(opened, dense=False), opened.audiences
    model, current, edit = ScriptedModel(), from_json(SPENT), from_json(EDITED)
    for sure, taken in ((0.9 - MUCH, (from_json(ALONE), False)), (0.91 - MUCH, (edit, False))):
        fake = ByTelling({"told": ALONE, "led": EDITED})
        fake.likely["led"] = sure
        model.tuned = fake  # type: ignore[assignment]
        reader = SecondReader(linker, model, audiences.vocabulary, audiences.members)
        link = linker.link(EDIT, current)
        assert reader.edited(link, current, "told", "led", edit, lambda *_: True) == taken


def test_nobody_is_found_only_by_both(workspace: Path) -> None:
    nobody = {"all_of": [SPENT, {"event": "purchase", "measure": "value", "op": ">", "value": 10**8}]}
    talk, first, model = conversation(workspace, EDITED)
    reads(model, {"tool": "refine_segment"}, nobody, ALONE)
    assert same(talk.ask(FRAGMENT, first.conversation), ALONE)
    talk.set_segment(first.conversation, from_json(SPENT))
    reads(model, {"tool": "refine_segment"}, nobody, nobody)
    model.script(call("define_segment"), sketch=SPENT)
    again = talk.ask(PLAIN)
    reads(model, {"tool": "refine_segment"}, nobody, nobody)
    assert same(talk.ask(FRAGMENT, again.conversation), nobody)


def test_a_refusal_gives_way_to_the_only_edit_of_the_words_where_a_reading_bears_it_out(
    workspace: Path,
) -> None:
    talk, first, model = conversation(workspace, EDITED)
    reads(model, LACKS, EDITED, ALONE, 0.8)
    assert same(talk.ask("flibber ones with children", first.conversation), EDITED)


@pytest.mark.parametrize("message", ["how many of them have a flibber card?", "what is their flibber tier?"])
def test_a_question_that_is_to_be_refused_edits_nothing(workspace: Path, message: str) -> None:
    talk, first, model = conversation(workspace, EDITED)
    reads(model, LACKS, ALONE, ALONE, 0.8)
    assert talk.ask(message, first.conversation).refused is not None
    assert talk.kept.state(first.conversation)["current"] == SPENT


def test_a_band_is_what_the_words_say_of_it(workspace: Path) -> None:
    talk, first, model = conversation(workspace, EDITED)
    band = {"feature": "age", "op": "=", "value": "55-64"}
    over = {"all_of": [SPENT, {"feature": "age", "op": ">=", "value": "55-64"}]}
    reads(model, {"tool": "refine_segment"}, {"all_of": [SPENT, band]}, {"all_of": [SPENT, band]})
    model.replies.append(call("refine_segment", edits=["e1"]))
    assert same(talk.ask("just the over 55s", first.conversation), over)


def test_a_reading_with_a_further_condition_is_none_where_the_edit_takes_one_away(workspace: Path) -> None:
    more = {"any_of": [{"all_of": [SPENT, PARENTS]}, {"feature": "age", "op": "=", "value": "45-54"}]}
    talk, first, _ = conversation(workspace, more)
    talk.set_segment(first.conversation, from_json(EDITED))
    assert same(talk.ask("drop the children condition", first.conversation), SPENT)


@pytest.mark.parametrize(("message", "kept"), [("exclude those with children", True), (EDIT, False)])
def test_a_reading_that_loses_an_exclusion_is_none(workspace: Path, message: str, kept: bool) -> None:
    talk, first, _ = conversation(workspace, ALONE, sure=SURE - 0.01)
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


FRAGMENT = "the half grand quarterlies no more, flibber"
"""Nothing of it is known here."""


def reads(
    model: ScriptedModel, tool: dict[str, Any], told: dict[str, Any], led: dict[str, Any], sure: float = 0.9
) -> None:
    """From now on the FAKE adapted model reads this tool, and this beside the segment's words and what led to it."""
    model.script()
    model.tuned = ByTelling({PLAIN: led, "customers who bought": told}, tool, sure)  # type: ignore[assignment]


def test_what_the_model_reads_as_an_edit_is_one_though_no_word_of_it_is_known(workspace: Path) -> None:
    talk, first, model = conversation(workspace, EDITED)
    reads(model, {"tool": "refine_segment"}, ALONE, ALONE)
    second = talk.ask(FRAGMENT, first.conversation)
    assert same(second, ALONE)
    assert second.confidence == "medium", "both readings find it, and there is no edit to tell beside it"


def test_an_edit_that_no_sketch_reads_is_asked_back(workspace: Path) -> None:
    talk, first, model = conversation(workspace, EDITED)
    reads(model, {"tool": "refine_segment"}, SPENT, SPENT)
    second = talk.ask(FRAGMENT, first.conversation)
    assert second.clarification is not None or second.refused is not None
    assert talk.kept.state(first.conversation)["current"] == SPENT


LACKS = {"tool": "refuse", "reason": "unknown_field"}


@pytest.mark.parametrize(
    ("sure", "led", "edits"),
    [(LACKING - 0.01, ALONE, True), (LACKING - 0.01, EDITED, False), (LACKING, ALONE, False)],
)
def test_a_refusal_that_the_model_hesitates_to_gives_way_to_what_both_readings_find(
    workspace: Path, sure: float, led: dict[str, Any], edits: bool
) -> None:
    talk, first, model = conversation(workspace, EDITED)
    reads(model, LACKS, ALONE, led, sure)
    second = talk.ask("only those with a flibber card", first.conversation)
    if edits:
        assert same(second, ALONE)
    else:
        assert second.refused is not None


def test_where_nothing_is_at_hand_a_refusal_stands(workspace: Path) -> None:
    wish(workspace, "always")
    model = ScriptedModel(sketch=ALONE, tool=LACKS, sure=0.6)
    assert Assistant.open(workspace, model).ask("only those with a flibber card").refused is not None


def test_what_both_readings_find_need_not_hold_what_the_edits_words_say(workspace: Path) -> None:
    talk, first, model = conversation(workspace, MORE)
    model.script(call("refine_segment", edits=["e1"]), sketch=MORE, sure=0.9)
    talk.set_segment(first.conversation, from_json(SPENT | {"value": 400}))
    narrowed = talk.ask(EDIT, first.conversation)
    assert same(narrowed, {"all_of": [SPENT | {"value": 400}, PARENTS]}), (
        "it was read once: no message led to it"
    )
    model.script(call("define_segment"), sketch=SPENT)
    talk.ask(f"start over: {PLAIN}", first.conversation)
    model.script(call("refine_segment", edits=["e1"]), sketch=MORE, sure=0.9)
    assert same(talk.ask(EDIT, first.conversation), MORE)


@pytest.mark.parametrize(("sure", "led"), [(PLAINLY - 0.01, MORE), (PLAINLY, ALONE)])
def test_another_number_that_one_condition_alone_can_take_gives_way_to_what_is_quite_sure(
    workspace: Path, sure: float, led: dict[str, Any]
) -> None:
    talk, first, _ = conversation(workspace, ALONE, sure=sure)
    assert same(talk.ask("make it $300", first.conversation), led)
