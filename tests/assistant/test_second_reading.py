"""A message is read again as a sketch; what the sketch drops or makes up is not taken."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.app import Assistant
from assistant.bundle import make_bundle, replay
from assistant.linking.linker import Linker
from assistant.rooms import Rooms, make_linker
from assistant.second_reading import SecondReader, describes, doubtful, said_outright
from assistant.workspace import open_workspace
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.definition import TouchCondition
from segments.errors import DataError, ModelRetryError
from tests.assistant.conftest import ScriptedModel, call, wish

DOUBTED = "the flibber crowd who spent over $500 in the last 90 days"
"""One word that nothing explains; the rest is read."""
PLAIN = "customers who spent over $500 in the last 90 days"
LEFT_OUT = "who spent over $500 in the last 90 days with gizzlement of 20%"
SPENT = {"event": "purchase", "measure": "value", "op": ">", "value": 500, "from_days_ago": 90}
BELOW = SPENT | {"op": "<="}
"""Holds the same words, finds others."""
NOBODY = SPENT | {"measure": "count"}
SHARE = {"feature": "discount_rate_365d", "op": ">=", "value": 0.2}


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return make_linker(opened, dense=False)


def reader(
    linker: Linker, opened: Rooms, sketch: dict[str, Any] | Exception | list[Any] | None, sure: float = 0.9
) -> SecondReader:
    model, audiences = ScriptedModel(sketch=sketch, sure=sure), opened.audiences
    return SecondReader(linker, model, audiences.vocabulary, audiences.members)


def test_only_a_message_that_describes_a_segment_is_read_again(linker: Linker) -> None:
    assert describes(linker.link(DOUBTED), None)
    assert describes(linker.link(PLAIN), None)
    assert not describes(linker.link("delete every customer from the database"), None)
    assert not describes(linker.link("thanks"), None)


def test_what_was_not_read_whole_is_doubted(linker: Linker) -> None:
    assert doubtful(linker.link(DOUBTED))
    assert doubtful(linker.link(LEFT_OUT))
    assert not doubtful(linker.link(PLAIN))


def test_without_an_adapter_nothing_is_said_of_confidence(linker: Linker, opened: Rooms) -> None:
    link = linker.link(DOUBTED)
    assert reader(linker, opened, None).joined(link) == link


def test_two_readings_that_find_the_same_customers_are_believed(linker: Linker, opened: Rooms) -> None:
    link = linker.link(DOUBTED)
    assert reader(linker, opened, SPENT, sure=0.01).joined(link) == replace(link, confidence="high")


UNFIT = [
    ModelRetryError("no JSON"),
    SPENT | {"value": 600},
    SPENT | {"from_days_ago": 30},
    SPENT | {"items": "gizzlements"},
    NOBODY,
    {"feature": "shoe_size", "op": ">", "value": 500},
    {"feature": "spend_90d"},
]
NAMES = ["no answer", "number", "time", "no goods", "nobody", "feature", "no sketch"]


CONTRARY = ("number", "time")
"""A sketch that says something else in the place of what was said."""


@pytest.mark.parametrize(
    ("message", "sketch"),
    [
        pytest.param(message, sketch, id=f"{name} {'plain' if message == PLAIN else 'doubted'}")
        for message in (DOUBTED, PLAIN)
        for name, sketch in zip(NAMES, UNFIT, strict=True)
        if message == PLAIN or name not in CONTRARY
    ],
)
def test_a_sketch_that_does_not_fit_is_not_taken_and_lowers_confidence(
    linker: Linker, opened: Rooms, message: str, sketch: dict[str, Any] | Exception
) -> None:
    link = linker.link(message)
    again = reader(linker, opened, sketch).joined(link)
    assert (again.reading, again.confidence) == (link.reading, "low")


def test_what_a_sketch_leaves_unsaid_of_a_doubted_message_is_told(linker: Linker, opened: Rooms) -> None:
    again = reader(linker, opened, SPENT | {"value": 600}).joined(linker.link(DOUBTED))
    assert again.reading == from_json(SPENT | {"value": 600})
    assert any("500" in words for words in again.unused)


@pytest.mark.parametrize("message", [PLAIN, DOUBTED])
def test_what_the_model_reads_into_a_message_each_time_is_taken(
    linker: Linker, opened: Rooms, message: str
) -> None:
    more = {"all_of": [SPENT, SHARE]}
    again = reader(linker, opened, more).joined(linker.link(message))
    assert (again.reading, again.confidence) == (from_json(more), "medium")


@pytest.mark.parametrize(
    ("message", "held", "lost"),
    [
        (
            "who redeemed a coupon in the last 90 days?",
            {"event": "coupon_redeem", "from_days_ago": 90},
            {"event": "purchase", "from_days_ago": 90},
        ),
        (
            "who bought beer and then nothing at all in the last 90 days?",
            {"not": {"event": "purchase", "from_days_ago": 90}},
            {"event": "purchase", "from_days_ago": 90},
        ),
    ],
    ids=["event", "absence"],
)
def test_a_sketch_that_loses_an_event_or_an_absence_leads_only_where_the_model_is_rather_sure(
    linker: Linker, opened: Rooms, message: str, held: dict[str, Any], lost: dict[str, Any]
) -> None:
    link = replace(linker.link(message), reading=from_json(held))
    unsure = reader(linker, opened, lost, sure=0.4).joined(link)
    assert (unsure.reading, unsure.confidence) == (from_json(held), "low")
    assert reader(linker, opened, lost, sure=0.9).joined(link).reading == from_json(lost)


def test_whose_last_purchase_was_then_loses_no_absence() -> None:
    last = {"last": "purchase", "from_days_ago": 122, "to_days_ago": 92}
    recency = {"feature": "recency_days", "op": "between", "value": [92, 122]}
    assert said_outright(from_json(recency)) == said_outright(from_json(last)) == {"absence"}


def test_of_readings_that_differ_the_likeliest_sketch_leads_and_the_linkers_is_told(
    linker: Linker, opened: Rooms
) -> None:
    link = linker.link(PLAIN)
    read = reader(linker, opened, [BELOW, NOBODY]).joined(link)
    assert (read.reading, read.alternative, read.confidence) == (from_json(BELOW), link.reading, "low")


def test_a_second_draw_that_finds_what_the_linker_found_settles_it(linker: Linker, opened: Rooms) -> None:
    link = linker.link(PLAIN)
    assert reader(linker, opened, [BELOW, SPENT]).joined(link) == replace(link, confidence="medium")


def test_where_the_words_told_nothing_one_sketch_alone_is_not_believed(linker: Linker, opened: Rooms) -> None:
    link = linker.link("who won the super bowl last year?")
    assert link.reading is None
    assert reader(linker, opened, [SPENT, NOBODY]).joined(link) == link
    agreed = reader(linker, opened, SPENT).joined(link)
    assert (agreed.reading, agreed.confidence) == (from_json(SPENT), "medium")


def test_two_sketches_alike_overrule_words_that_were_left_out(linker: Linker, opened: Rooms) -> None:
    link = linker.link(LEFT_OUT)
    assert link.unused
    whole = {"all_of": [SPENT, SHARE]}
    for sketch, confidence, other in ((whole, "medium", None), ([whole, NOBODY], "low", link.reading)):
        second = reader(linker, opened, sketch).joined(link)
        assert second.reading == from_json(whole)
        assert (second.alternative, second.confidence) == (other, confidence)
        assert (second.unused, second.unknown, second.message) == ((), (), LEFT_OUT)


def test_the_model_is_asked_until_two_readings_agree(linker: Linker, opened: Rooms) -> None:
    link, other = linker.link(PLAIN), SPENT | {"value": 501}
    second = reader(linker, opened, [BELOW, other, SPENT])
    assert second.joined(link) == replace(link, confidence="medium")
    assert len(second.model.tuned.asked) == 3  # type: ignore[attr-defined]
    soon = reader(linker, opened, [BELOW, SPENT, other])
    soon.joined(link)
    assert len(soon.model.tuned.asked) == 2  # type: ignore[attr-defined]


def test_what_a_reading_leaves_unsaid_is_told_with_it(linker: Linker, opened: Rooms) -> None:
    """The linker leaves the share out, the sketch the time; nothing hides either."""
    link = linker.link(LEFT_OUT)
    ever = {name: value for name, value in SPENT.items() if name != "from_days_ago"}
    second = reader(linker, opened, {"all_of": [ever, SHARE]}).joined(link)
    assert second.reading == from_json({"all_of": [ever, SHARE]})
    assert any("90 days" in words for words in second.unused)


def test_the_dates_told_are_those_of_the_reading_taken(linker: Linker, opened: Rooms) -> None:
    link = linker.link("who spent over $500 last quarter")
    assert link.dates == ("last quarter = 2017-10-01 to 2017-12-31",)
    by_words = {"event": "purchase", "measure": "quantity", "op": ">", "value": 500, "when": "last quarter"}
    assert reader(linker, opened, by_words).joined(link).dates == link.dates
    assert linker.dates(link.message, from_json(BELOW)) == ()


def test_a_reading_that_contradicts_itself_gives_place(linker: Linker, opened: Rooms) -> None:
    never = {"all_of": [SPENT, {"not": SPENT}]}
    link = replace(linker.link(PLAIN), reading=from_json(never))
    second = reader(linker, opened, SPENT).joined(link)
    assert (second.reading, second.alternative) == (from_json(SPENT), None)


def test_yes_takes_the_other_reading_and_a_bundle_of_it_replays(workspace: Path) -> None:
    wish(workspace, "always")
    model = ScriptedModel(call("define_segment"), sketch=[BELOW, NOBODY])
    talk = Assistant.open(workspace, model)
    first = talk.ask(PLAIN)
    assert first.confidence == "low"
    bundle = make_bundle(talk.tools.rooms, first)
    assert replay(bundle | {"model": {"adapter": "sketch"}}, open_workspace(workspace)).same
    second = talk.ask("yes", first.conversation)
    assert second.segment is not None
    assert fingerprint(from_json(second.segment["definition"])) == fingerprint(from_json(SPENT))


@pytest.mark.parametrize(
    ("message", "which", "yes"),
    [
        (PLAIN, "Which of the two do you mean?", "yes"),
        ("最近90天消费超过500元的客户", "您指的是哪一种？", "是的"),
    ],
)
def test_at_low_confidence_both_readings_are_told_with_their_sizes_and_yes_takes_the_other(
    workspace: Path, message: str, which: str, yes: str
) -> None:
    wish(workspace, "always")
    model = ScriptedModel(call("define_segment"), sketch=[BELOW, NOBODY])
    talk = Assistant.open(workspace, model)
    first = talk.ask(message)
    assert first.confidence == "low"
    assert first.segment is not None
    assert fingerprint(from_json(first.segment["definition"])) == fingerprint(from_json(BELOW))
    assert which in first.answer
    size = talk.rooms.audiences.size(from_json(SPENT))
    assert isinstance(first.segment["size"], int)
    other = {figure["name"]: figure["value"] for figure in first.evidence[1]["figures"]}["other_size"]
    assert other == size != first.segment["size"]
    assert f"{size:,}" in first.answer
    second = talk.ask(yes, first.conversation)
    assert second.segment is not None
    assert fingerprint(from_json(second.segment["definition"])) == fingerprint(from_json(SPENT))


def test_the_size_of_the_other_reading_is_held_back_where_it_is_too_small(workspace: Path) -> None:
    wish(workspace, "always")
    rooms = Rooms(open_workspace(workspace))
    told_of = rooms.warehouse.features().loc[rooms.audiences.members(from_json(SPENT))]
    longest = int(told_of["recency_days"].nlargest(5).iloc[-1])
    few = {"feature": "recency_days", "op": ">=", "value": longest}
    model = ScriptedModel(call("define_segment"), sketch=[BELOW, {"all_of": [SPENT, few]}, NOBODY])
    first = Assistant(rooms, model).ask(DOUBTED)
    assert {figure["name"]: figure["value"] for figure in first.evidence[1]["figures"]}["other_size"] == "<10"
    assert "<10" in first.answer


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


def test_nobody_may_be_the_answer_where_the_sketch_says_all_that_was_said(workspace: Path) -> None:
    """Nobody bought diapers for the first time in a month of the past year: that is what was asked, and the answer."""
    none = {"first": "purchase", "items": "diapers", "when": "in August"}
    wish(workspace, "always")
    model = ScriptedModel(call("define_segment"), sketch=none, sure=0.95)
    talk = Assistant.open(workspace, model)
    answer = talk.ask("new nappy families, the first diapers of theirs fell in August")
    assert answer.segment is not None
    definition = from_json(answer.segment["definition"])
    assert isinstance(definition, TouchCondition)
    assert talk.rooms.audiences.size(definition) == 0


def test_a_time_said_by_both_its_ends_is_never_lost_to_a_sketch(workspace: Path) -> None:
    wish(workspace, "always")
    wrong = {"event": "purchase", "from_days_ago": 14, "to_days_ago": 7}
    model = ScriptedModel(call("define_segment"), sketch=wrong, sure=0.95)
    answer = Assistant.open(workspace, model).ask("customers who bought between 2 and 4 weeks ago")
    assert answer.segment is not None
    assert answer.segment["definition"] == {"event": "purchase", "from_days_ago": 28, "to_days_ago": 14}
