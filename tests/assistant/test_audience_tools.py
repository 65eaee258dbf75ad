"""Trend, breakdown and overlap through the chat, in both languages, with small groups held back."""

from datetime import date, timedelta

import pytest

from assistant.answer import plain
from assistant.change_intents import asks_change
from assistant.grounding import display
from assistant.plan import offered_tools
from assistant.spoken_duplicates import spoken_duplicates
from segments.codec import from_json
from segments.errors import DefinitionError, NotFoundError
from segments.ports import Figure
from tests.assistant.conftest import BIG_SPENDERS, SOUP, call
from warehouse.trend import change, trend


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
        ("are they growing?", "trend_segment"),
        ("他们在增长吗？", "trend_segment"),
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


def test_why_a_customer_is_in_or_out_is_told_in_words_with_what_they_have(talk):
    rooms, tools = talk.rooms, talk.assistant.tools
    spent = {"feature": "spend_365d", "op": ">=", "value": 1_000_000}
    lately = {"feature": "recency_days", "op": "<", "value": 60}
    definition = from_json({"any_of": [{"all_of": [spent, {"not": lately}]}, SOUP]})
    customer = rooms.audiences.members(from_json(SOUP))[0]
    (source,) = rooms.vault.source_ids([customer])
    result = tools.explain_membership(definition, source)
    en, zh = (plain(result, language, "$", 10) for language in ("en", "zh"))
    spend = rooms.warehouse.features()["spend_365d"][customer]
    assert "**This customer is in the segment.**" in en
    figure = Figure("", float(spend), "currency", "", "")
    assert f"last 365 days at least $1,000,000 (spend in the last 365 days: {display(figure)})" in en
    assert "- not met, and not needed since another way in is: customers who are not among those who" in en
    assert "**该客户属于此分群。**" in zh
    assert "- 不满足，但已有另一条件满足，无需满足：" in zh
    assert "met" not in zh


def test_a_segment_that_cannot_be_counted_does_not_take_the_overlap_away(talk):
    library = talk.rooms.library
    for name, definition in {"inner": SOUP, "outer": {"member_of": "inner"}, "o1": SOUP, "o2": SOUP}.items():
        library.save(name, from_json(definition))
    library.delete("inner")
    try:
        result = talk.assistant.tools.overlap_segments()
        listed = plain(talk.assistant.tools.list_segments(), "zh", "$", 10)
    finally:
        library.delete("outer")
    pairs = [row["pair"] for row in result.evidence[0].rows]
    assert "o1 & o2" in pairs
    assert not any("outer" in pair for pair in pairs)
    en, zh = (plain(result, language, "$", 10) for language in ("en", "zh"))
    assert "- outer is left out: member_of: no saved segment is named 'inner'." in en
    assert "- 未计入outer：member_of：没有名为“inner”的已保存分群。" in zh
    assert "**outer**（v1）：member_of：没有名为“inner”的已保存分群" in listed


@pytest.mark.parametrize(
    "message",
    [
        "do we already have this segment?",
        "find near duplicates of this definition among the saved ones",
        "is it already saved?",
        "have we saved something like this before?",
        "which saved segments are nearly the same as this one?",
        "is there a saved segment similar to it?",
        "does this overlap with any saved segment?",
        "这个分群和已保存的分群重复吗？",
        "有没有和这个分群几乎一样的已保存分群？",
        "这个分群保存过了吗？",
        "哪些已保存的分群和它相似？",
    ],
)
def test_the_segment_at_hand_is_compared_with_the_saved_ones(talk, message):
    unsaved = {"not": {"not": SOUP}}
    talk.rooms.library.save("Soup club", from_json(SOUP))
    talk.use(unsaved)
    answer = talk.ask(message)
    assert answer.tool_calls[-1]["name"] == "find_duplicates"
    size = talk.rooms.audiences.size(from_json(SOUP))
    figures = {figure["name"]: figure["value"] for figure in answer.evidence[-1]["figures"]}
    (row,) = [row for row in answer.evidence[-1]["rows"] if row["name"] == "Soup club"]
    assert figures[f"saved.{row['place']}"] == size
    assert (figures[f"saved.{row['place']}.jaccard"], row["same_meaning"]) == (1, True)
    said = "It means the same." if message.isascii() else "含义相同。"
    assert f"**{said}**" in next(line for line in answer.answer.splitlines() if "Soup club" in line)


@pytest.mark.parametrize(
    "message",
    ["do any saved segments overlap?", "do we have beer buyers?", "哪些分群重叠？", "do we have them?"],
)
def test_other_questions_ask_for_no_duplicates(message):
    assert not spoken_duplicates(message)


def test_where_no_saved_segment_is_alike_that_is_said(talk):
    library = talk.rooms.library
    for name in library.names():
        library.delete(name)
    beer = from_json({"event": "purchase", "items": {"category": ["BEERS/ALES"]}})
    none = talk.assistant.tools.find_duplicates(beer)
    library.save("Soup club", from_json(SOUP))
    library.save("inner", from_json(SOUP))
    library.save("outer", from_json({"member_of": "inner"}))
    library.delete("inner")
    found = talk.assistant.tools.find_duplicates(beer)
    library.delete("outer")
    assert "**No saved segment can be compared with it.**" in plain(none, "en", "$", 10)
    assert "**None of 1 saved segments is a near-duplicate of it.**" in plain(found, "en", "$", 10)
    assert "- outer is left out: member_of" in plain(found, "en", "$", 10)
    zh = plain(found, "zh", "$", 10)
    assert "**1个已保存分群中没有与它几乎相同的。**" in zh
    assert "重叠度" in zh


def test_a_segment_cannot_rest_on_itself_through_a_rank(talk):
    talk.rooms.library.save("ring", from_json(SOUP))
    loop = {"rank_by": "spend_365d", "count": 5, "among": {"member_of": "ring"}}
    with pytest.raises(DefinitionError):
        talk.rooms.library.save("ring", from_json(loop))


@pytest.mark.parametrize(
    ("message", "earlier", "later"),
    [
        ("who entered and who left this segment since October?", date(2017, 10, 1), None),
        ("how did it change since last month?", date(2017, 12, 1), None),
        ("How has this segment changed since Black Friday?", date(2017, 11, 24), None),
        ("Who joined and who left between October 1 and December 1?", date(2017, 10, 1), date(2017, 12, 1)),
        ("how many joined and left this group in November?", date(2017, 11, 1), date(2017, 12, 1)),
        ("how does it compare to last month?", date(2017, 12, 1), None),
        ("who came in and who dropped out over the last 90 days?", date(2017, 10, 3), None),
        ("compare it with a month ago", date(2017, 12, 2), None),
        ("上个月以来有多少人加入、多少人流失？", date(2017, 12, 1), None),
        ("10月以来谁加入了这个分群，谁离开了？", date(2017, 10, 1), None),
        ("和上个月相比有什么变化？", date(2017, 12, 1), None),
        ("近三个月有多少人进入、多少人退出？", date(2017, 10, 3), None),
        ("自9月1日起新增了多少、流失了多少？", date(2017, 9, 1), None),
        ("比上个月多了多少人？", date(2017, 12, 1), None),
        ("跟感恩节那时相比，人数有什么变化？", date(2017, 11, 23), None),
    ],
)
def test_a_change_is_told_between_the_dates_that_are_said(talk, message, earlier, later):
    rooms, segment = talk.rooms, from_json(BIG_SPENDERS)
    link = talk.assistant.linker.link(message, segment)
    assert offered_tools(link, True) == ("diff_segment",)
    assert link.reading is None
    assert (link.intents.arguments["earlier"], link.intents.arguments["later"]) == (earlier, later)
    found = change(rooms.audiences, segment, earlier, later or rooms.audiences.as_of)
    talk.ask("who spent over $500 in the last 90 days?", call("define_segment"))
    answer = talk.ask(message, call("diff_segment", segment="current"))
    assert answer.tool_calls[-1]["arguments"]["earlier"] == earlier.isoformat()
    shown = {figure["name"]: figure["value"] for figure in answer.evidence[-1]["figures"]}
    assert (shown["entered"], shown["left"]) == (len(found.entered), len(found.left))
    assert shown["before"] == found.stayed + len(found.left)
    for size in (shown["entered"], shown["left"], shown["stayed"]):
        assert f"{size:,}" in answer.answer
    assert earlier.isoformat() in answer.answer


def test_a_change_of_whom_the_message_describes(talk):
    message = "Who entered or left the beer buyers of the last 30 days since 1 November 2017?"
    answer = talk.ask(message, call("diff_segment", segment="described"))
    beer = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}, "from_days_ago": 30}
    assert from_json(answer.tool_calls[0]["arguments"]["definition"]) == from_json(beer)
    assert answer.tool_calls[-1]["arguments"] == {"earlier": "2017-11-01"}


def test_a_change_without_a_date_says_which_it_took(talk):
    talk.ask("who spent over $500 in the last 90 days?", call("define_segment"))
    answer = talk.ask("who entered and who left?", call("diff_segment", segment="current"))
    assert answer.tool_calls[-1]["arguments"]["earlier"] == "2017-12-02"
    assert "You named no date, so I compared with 30 days before." in answer.answer
    answer = talk.ask("谁离开了这个分群？", call("diff_segment", segment="current"))
    assert "您没有给出日期" in answer.answer


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("since 2016, who entered and who left?", "do not reach back to 2016-01-01"),
        ("who left it?", "current"),
    ],
)
def test_a_change_that_cannot_be_told_says_why(talk, message, said):
    if "2016" in message:
        talk.ask("who spent over $500 in the last 90 days?", call("define_segment"))
    answer = talk.ask(message, call("diff_segment"))
    assert said in (answer.clarification or "")


def test_a_change_that_tells_of_a_small_group_is_held_back(talk):
    rooms, tools = talk.rooms, talk.assistant.tools
    segment, later = from_json(SOUP), rooms.audiences.as_of
    day = next(
        day
        for day in (later - timedelta(days=days) for days in range(1, 30))
        if 0 < len(change(rooms.audiences, segment, day, later).entered) < 10
    )
    evidence = tools.diff_segment(segment, day).evidence[1]
    names = {figure.name for figure in evidence.figures}
    assert {"before", "after"} <= names
    assert not {"entered", "left", "stayed", "left_share"} & names


@pytest.mark.parametrize(
    "message",
    [
        "How has this segment changed over time?",
        "who joined us in the last 60 days and left no review",
        "customers who bought more in December compared with November",
        "这个分群的人数变化趋势如何？",
        "比上个月多花了钱的客户",
        "how do they compare with the dog food crowd?",
        "how do they compare to those who bought beer last month?",
        "and how are they different from the butter buyers?",
    ],
)
def test_other_questions_ask_for_no_change(message):
    assert not asks_change(message)


@pytest.mark.parametrize("message", ["who joined " + "and " * 400 + "x", "又" * 900 + "加入" + "又" * 900])
def test_a_long_message_is_read_in_one_way_only(message):
    """With two ways for each word it would not be read within the time of a test."""
    assert not asks_change(message)


@pytest.mark.parametrize("message", ["who left since last month?", "上个月以来谁离开了？"])
def test_who_left_since_a_day_needs_no_word_for_the_segment(talk, message):
    talk.use(SOUP)
    answer = talk.ask(message, call("diff_segment"))
    assert answer.tool_calls[-1]["arguments"]["earlier"] == "2017-12-01"
    assert talk.current == SOUP


def test_an_estimate_keeps_its_sample_and_its_interval_in_the_evidence(rooms):
    from assistant.toolbox import call_tool
    from assistant.tools import Tools

    found = call_tool(Tools(rooms), "estimate_segment", {"definition": SOUP, "share": 0.5})
    figures = {figure["name"]: figure for figure in found["evidence"][0]["figures"]}
    population, size = rooms.audiences.population, rooms.audiences.size(from_json(SOUP))
    assert figures["population"]["value"] == population
    assert 0.3 * population < figures["sampled"]["value"] < 0.7 * population
    assert figures["size"]["low"] < figures["size"]["value"] < figures["size"]["high"]
    assert figures["size"]["level"] == 0.95
    assert abs(figures["size"]["value"] - size) < 0.1 * population
    assert figures["words_en"]["value"].startswith("customers who bought category SOUP")
    assert "SOUP" in figures["words_zh"]["value"]
