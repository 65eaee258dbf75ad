"""Trend, breakdown and overlap through the chat, in both languages, with small groups held back."""

import pytest

from assistant.plan import offered_tools
from segments.codec import from_json
from segments.errors import DefinitionError, NotFoundError
from tests.assistant.conftest import BIG_SPENDERS, SOUP, call
from warehouse.trend import trend


@pytest.mark.parametrize(
    "message", ["how has this segment changed over time?", "这个分群的人数变化趋势如何？"]
)
def test_a_trend_ends_with_the_size_of_today(talk, message):
    talk.ask("who spent over $500 in the last 90 days?", call("define_segment"))
    answer = talk.ask(message, call("trend_segment", segment="current"))
    points = trend(talk.rooms.audiences, from_json(BIG_SPENDERS), 12, 30)
    assert points[-1].size == answer.segment["size"]
    for point in points:
        assert f"{point.size:,}" in answer.answer or point.size < 10
    assert answer.refused is None


@pytest.mark.parametrize(
    ("message", "feature"),
    [
        ("break them down by age", "age"),
        ("split it by favourite department", "favourite_department"),
        ("按收入拆分", "income"),
        ("break it down by spend", "spend_365d"),
    ],
)
def test_a_breakdown_is_by_the_named_feature_and_adds_up(talk, message, feature):
    first = talk.ask("who spent over $500 in the last 90 days?", call("define_segment"))
    answer = talk.ask(message, call("breakdown_segment", segment="current"))
    assert answer.tool_calls[-1]["arguments"]["feature"] == feature
    figures = answer.evidence[-1]["figures"]
    sizes = [f["value"] for f in figures if f["name"].startswith("group.") and f["name"].count(".") == 1]
    shown = [size for size in sizes if not isinstance(size, str)]
    assert sum(shown) <= first.segment["size"]
    assert sum(shown) == first.segment["size"] or "held back" in sizes


def test_a_breakdown_without_a_feature_asks_by_what(talk):
    talk.ask("who spent over $500 in the last 90 days?", call("define_segment"))
    answer = talk.ask("break them down by shoe size", call("breakdown_segment", segment="current"))
    assert "by what" in (answer.clarification or "")


def test_overlap_tells_twins(talk):
    for name, definition in (("a1", SOUP), ("a2", SOUP), ("b", BIG_SPENDERS)):
        talk.rooms.library.save(name, from_json(definition))
    answer = talk.ask("do any saved segments overlap?", call("overlap_segments"))
    assert "a1 & a2" in answer.answer
    assert "Near-duplicates" in answer.answer
    answer = talk.ask("哪些分群重叠？", call("overlap_segments"))
    assert "几乎相同" in answer.answer


def test_the_words_offer_the_tools(talk):
    link = talk.assistant.linker.link
    current = from_json(SOUP)
    for message, tool in (
        ("is the segment growing?", "trend_segment"),
        ("show me the distribution of income", "breakdown_segment"),
        ("他们的年龄分布", "breakdown_segment"),
        ("which of my segments overlap with each other?", "overlap_segments"),
    ):
        assert tool in offered_tools(link(message, current), True), message


def test_one_customer_is_explained_by_their_own_id(talk):
    rooms, tools = talk.rooms, talk.assistant.tools
    definition = from_json({"all_of": [BIG_SPENDERS, SOUP]})
    inside = rooms.audiences.members(definition)[0]
    outside = next(
        c for c in rooms.audiences.members(from_json(SOUP)) if c not in rooms.audiences.members(definition)
    )
    for customer, belongs in ((inside, "yes"), (outside, "no")):
        (source,) = rooms.vault.source_ids([customer])
        evidence = tools.explain_membership(definition, source).evidence[1]
        assert evidence.figures[0].value == belongs
        states = {row["state"] for row in evidence.rows}
        assert (states == {"met"}) == (belongs == "yes")
    with pytest.raises(NotFoundError, match="no customer 'nobody'"):
        tools.explain_membership(definition, "nobody")


def test_a_segment_cannot_rest_on_itself_through_a_rank(talk):
    talk.rooms.library.save("ring", from_json(SOUP))
    loop = {"rank_by": "spend_365d", "count": 5, "among": {"member_of": "ring"}}
    with pytest.raises(DefinitionError):
        talk.rooms.library.save("ring", from_json(loop))
