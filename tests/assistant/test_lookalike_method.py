"""Lookalikes name how they were found: the method, what it was tried on, and the index, in both languages."""

from dataclasses import replace

import pytest

from assistant.answer import plain
from assistant.grounding import ungrounded
from assistant.lookalike_method import how_found
from assistant.rooms import Rooms
from assistant.tools import Tools
from assistant.workspace import open_workspace
from indexes.search import Recall
from indexes.trial import Trial, try_methods
from segments.codec import from_json
from tests.assistant.conftest import BIG_SPENDERS, call, fresh_workspace

METHOD = {"en": "Method: centroid", "zh": "方法：质心法"}


def tried(rooms: Rooms) -> Trial:
    purchases = rooms.purchases[["customer_id", "item_id", "ts", "value"]]
    found = try_methods(rooms.index, purchases, rooms.items, rooms.workspace.settings.exclude_categories)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def measured(demo_folder, tmp_path_factory):
    """The demo with a trial made here, whatever the build that is shared has beside its index."""
    rooms = Rooms(open_workspace(fresh_workspace(demo_folder, tmp_path_factory.mktemp("measured"))))
    found = rooms.lookalike_trial = tried(rooms)
    yield Tools(rooms), found
    rooms.warehouse.close()


def line(result, language):
    return next(f.value for f in result.evidence[-1].figures if f.name == f"method_{language}")


def figures(result):
    return {figure.name: figure for figure in result.evidence[-1].figures}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_line_tells_what_was_measured_here(measured, language):
    tools, trial = measured
    result = tools.find_lookalikes(from_json(BIG_SPENDERS), top=50)
    said, found = line(result, language), figures(result)
    assert said.startswith(METHOD[language])
    assert found["centroid_lift"].value == trial.found["centroid"].lift
    assert (found["centroid_lift"].low, found["centroid_lift"].high) == (
        trial.found["centroid"].low,
        trial.found["centroid"].high,
    )
    for method in ("centroid", "votes", "one_class"):
        assert f"{trial.found[method].lift:.2f}".rstrip("0").rstrip(".") in said
    assert f"{trial.found['centroid'].recall * 100:.1f} %".replace(".0 %", " %") in said
    assert str(trial.categories) in said
    assert "Flat" in said
    assert "\n" not in said
    (item,) = result.evidence
    kept = tuple(figure for figure in item.figures if not figure.name.startswith("method_"))
    assert ungrounded(said, [replace(item, figures=kept)]) == [], "every number is a figure of its own"


def test_one_customers_lookalikes_name_it_too(measured):
    tools, _ = measured
    result = tools.find_lookalikes_of_customer("718", top=20)
    assert line(result, "en").startswith(METHOD["en"])
    assert figures(result)["index_search"].value == "exact"


def test_the_dial_names_it_under_its_table(measured):
    tools, _ = measured
    result = tools.dial_lookalikes(from_json(BIG_SPENDERS))
    assert result.texts[0].endswith(line(result, "en"))
    assert result.texts[1].endswith(line(result, "zh"))


def test_an_approximate_index_tells_what_it_finds(measured, monkeypatch):
    tools, _ = measured
    index = tools.rooms.index
    monkeypatch.setattr(index, "recall", Recall(0.961, 100, 100))
    monkeypatch.setattr(index, "is_exact", lambda *_: False)
    result = tools.find_lookalikes(from_json(BIG_SPENDERS), top=50)
    assert line(result, "en").endswith("approximate: finds 96.1 % of the nearest 100.")
    assert line(result, "zh").endswith("近似检索，能找到最近 100 名中的 96.1 %。")


def test_another_method_is_used_and_named_where_the_trial_chose_it(measured):
    tools, trial = measured
    people = from_json(BIG_SPENDERS)
    before = tools.rooms.audiences.members(tools.find_lookalikes(people, top=50).definition)
    chosen = Trial("one_class", trial.as_of, trial.categories, trial.customers, trial.found)
    rooms = Rooms(tools.rooms.workspace)
    try:
        rooms.lookalike_trial = chosen
        result = Tools(rooms).find_lookalikes(people, top=50)
        assert line(result, "en").startswith("Method: one-class SVM")
        after = rooms.audiences.members(result.definition)
        assert len(after) == 50
        assert set(after) != set(before)
        assert rooms.lookalike_method(1) == "centroid", "of one customer nothing was tried"
    finally:
        rooms.warehouse.close()


def test_without_a_trial_nothing_is_claimed(measured, monkeypatch):
    tools, _ = measured
    monkeypatch.setattr(tools.rooms, "lookalike_trial", None)
    result = tools.find_lookalikes(from_json(BIG_SPENDERS), top=50)
    assert "the default; nothing was measured here" in line(result, "en")
    assert "尚未在本数据上检验" in line(result, "zh")
    assert "centroid_lift" not in figures(result)


def test_where_counts_carry_noise_the_trial_is_not_told(measured, monkeypatch):
    tools, _ = measured
    monkeypatch.setattr(type(tools.rooms.disclosure), "margin", 40)
    found = how_found(tools.rooms, list(tools.rooms.index.customer_ids[:30]), 50)
    assert not any("_lift" in figure.name or "_recall" in figure.name for figure in found)
    assert "not told where counts carry noise" in found[-2].value
    assert "不公布检验结果" in found[-1].value


def test_a_chat_shows_it(talk):
    talk.ask("who spent over $500 in the last 90 days?", call("define_segment"))
    answer = talk.ask("find 50 lookalikes of them", call("find_lookalikes", segment="current"))
    assert METHOD["en"] in answer.answer
    assert answer.answer.count("Method:") == 1


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "You asked for 5,000; there are no more to be found."),
        ("zh", "您要 5,000 位，可找的只有这些。"),
    ],
)
def test_fewer_than_asked_for_are_told(measured, language, told):
    tools, _ = measured
    more = tools.find_lookalikes(from_json(BIG_SPENDERS), top=5000)
    assert told in plain(more, language, "$", 10)
    enough = tools.find_lookalikes(from_json(BIG_SPENDERS), top=50)
    assert told[:8] not in plain(enough, language, "$", 10)
    assert ungrounded(plain(more, language, "$", 10), more.evidence) == []


def test_the_dial_of_lookalikes_is_that_of_their_seed(measured):
    tools, _ = measured
    people = from_json(BIG_SPENDERS)
    alike = tools.find_lookalikes(people, top=100).definition
    of_seed, of_alike = tools.dial_lookalikes(people), tools.dial_lookalikes(alike)
    assert of_alike.texts == of_seed.texts
    assert of_alike.definition == people
