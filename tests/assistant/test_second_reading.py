"""A message is read again as a sketch; what the sketch drops or makes up is not taken."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.app import Assistant, Rooms, make_linker
from assistant.bundle import make_bundle, replay
from assistant.linking.linker import Linker
from assistant.second_reading import SecondReader, describes, doubtful
from assistant.workspace import open_workspace
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.errors import DataError, ModelRetryError
from tests.assistant.conftest import ScriptedModel, call

DOUBTED = "the flibber crowd who spent over $500 in the last 90 days"
"""One word that nothing explains; the rest is read."""
PLAIN = "customers who spent over $500 in the last 90 days"
LEFT_OUT = "who spent over $500 in the last 90 days with gizzlement of 30%"
SPENT = {"event": "purchase", "measure": "value", "op": ">", "value": 500, "from_days_ago": 90}
ORDERED = {"event": "purchase", "measure": "count", "op": ">", "value": 500, "from_days_ago": 90}
SHARE = {"feature": "discount_rate_365d", "op": ">=", "value": 0.3}


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return make_linker(opened, dense=False)


def reader(linker: Linker, opened: Rooms, sketch: dict[str, Any] | Exception | None) -> SecondReader:
    audiences = opened.audiences
    return SecondReader(linker, ScriptedModel(sketch=sketch), audiences.vocabulary, audiences.members)


def test_only_a_message_that_describes_a_segment_is_read_again(linker: Linker) -> None:
    assert describes(linker.link(DOUBTED), None)
    assert describes(linker.link(PLAIN), None)
    assert not describes(linker.link("delete every customer from the database"), None)
    assert not describes(linker.link("thanks"), None)


def test_what_was_not_read_whole_is_doubted(linker: Linker) -> None:
    assert doubtful(linker.link(DOUBTED))
    assert doubtful(linker.link(LEFT_OUT))
    assert not doubtful(linker.link(PLAIN))


@pytest.mark.parametrize(
    "sketch",
    [
        None,
        SPENT,
        ModelRetryError("no JSON"),
        SPENT | {"value": 600},
        SPENT | {"from_days_ago": 30},
        SPENT | {"items": "beer"},
        SPENT | {"items": "gizzlements"},
        {"all_of": [SPENT, SHARE]},
        {"feature": "shoe_size", "op": ">", "value": 500},
        {"feature": "spend_90d"},
    ],
    ids=[
        "no adapter",
        "same",
        "no answer",
        "number",
        "time",
        "goods",
        "no goods",
        "more",
        "feature",
        "no sketch",
    ],
)
def test_a_sketch_that_says_the_same_or_something_else_changes_nothing(
    linker: Linker, opened: Rooms, sketch: dict[str, Any] | Exception | None
) -> None:
    link = linker.link(DOUBTED)
    assert reader(linker, opened, sketch).joined(link) == link


def test_a_reading_in_doubt_gives_place_and_stays_the_other_reading(linker: Linker, opened: Rooms) -> None:
    link = linker.link(LEFT_OUT)
    assert link.unused
    second = reader(linker, opened, {"all_of": [SPENT, SHARE]}).joined(link)
    assert second.reading == from_json({"all_of": [SPENT, SHARE]})
    assert second.alternative == link.reading
    assert (second.unused, second.unknown, second.message) == ((), (), LEFT_OUT)


def test_another_audience_is_told_beside_a_reading_that_holds_all(linker: Linker, opened: Rooms) -> None:
    link = linker.link(PLAIN)
    second = reader(linker, opened, ORDERED).joined(link)
    assert (second.reading, second.alternative) == (link.reading, from_json(ORDERED))


def test_a_reading_that_contradicts_itself_gives_place(linker: Linker, opened: Rooms) -> None:
    never = {"all_of": [SPENT, {"not": SPENT}]}
    link = replace(linker.link(PLAIN), reading=from_json(never))
    second = reader(linker, opened, SPENT).joined(link)
    assert (second.reading, second.alternative) == (from_json(SPENT), None)


def test_yes_takes_the_other_reading_and_a_bundle_of_it_replays(workspace: Path) -> None:
    wish(workspace, "always")
    model = ScriptedModel(call("define_segment"), sketch=ORDERED)
    talk = Assistant.open(workspace, model)
    first = talk.ask(PLAIN)
    assert "Say yes to take that reading." in first.answer
    bundle = make_bundle(talk.tools.rooms, first)
    assert replay(bundle | {"model": {"adapter": "sketch"}}, open_workspace(workspace)).same
    second = talk.ask("yes", first.conversation)
    assert second.segment is not None
    assert fingerprint(from_json(second.segment["definition"])) == fingerprint(from_json(ORDERED))


@pytest.mark.parametrize(("wish_for", "asked"), [("off", 0), ("doubt", 1), ("always", 2)])
def test_the_workspace_says_what_is_read_again(workspace: Path, wish_for: str, asked: int) -> None:
    wish(workspace, wish_for)
    model = ScriptedModel(call("define_segment"), call("define_segment"), sketch=SPENT)
    talk = Assistant.open(workspace, model)
    talk.ask(PLAIN)
    talk.ask(DOUBTED)
    assert model.tuned is not None
    assert len(model.tuned.asked) == asked


def test_an_unknown_wish_is_named(workspace: Path) -> None:
    wish(workspace, "maybe")
    with pytest.raises(DataError, match=r"second_reading must be one of off, doubt, always; got 'maybe'"):
        open_workspace(workspace)


def wish(workspace: Path, second_reading: str) -> None:
    settings = workspace / "segassist.toml"
    text = settings.read_text(encoding="utf-8")
    settings.unlink()
    settings.write_text(f'second_reading = "{second_reading}"\n{text}', encoding="utf-8")
