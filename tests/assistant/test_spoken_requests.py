"""Short requests about the current segment and the last answer: read outright, without a language model."""

import pytest

from assistant.greetings import spoken_help
from assistant.spoken_requests import (
    spoken_figures,
    spoken_language,
    spoken_pair,
    spoken_removal,
    spoken_share,
    spoken_times,
)
from segments.codec import from_json
from segments.errors import DefinitionError
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, SOUP, call

BOTH = {"all_of": [BIG_SPENDERS, PARENTS]}


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("remove the last condition", -1),
        ("please drop the last filter again", -1),
        ("drop the second condition", 2),
        ("remove the 1st condition we added", 1),
        ("去掉最后一个条件", -1),
        ("把第二个条件去掉", 2),
        ("请删除第1个限制", 1),
        ("drop the soup condition", None),
        ("undo the last change", None),
        ("remove the last 30 days", None),
        ("remove the last condition and add beer", None),
        ("去掉年龄条件", None),
    ],
)
def test_a_condition_is_taken_out_by_its_place(message, place):
    assert spoken_removal(message) == place


@pytest.mark.parametrize(("drop_last", "drop_first"), [("remove the last condition", "drop the first condition"),
                                                       ("去掉最后一个条件", "把第一个条件去掉")])  # fmt: skip
def test_what_is_left_is_the_current_segment_and_the_change_is_shown(talk, drop_last, drop_first):
    talk.use(BOTH)
    answer = talk.ask(drop_last)
    assert talk.current == BIG_SPENDERS == answer.segment["definition"]
    assert [each["name"] for each in answer.tool_calls] == ["refine_segment"]
    assert ("Before the edit" if answer.language == "en" else "修改前") in answer.answer
    talk.use(BOTH)
    talk.ask(drop_first)
    assert talk.current == PARENTS


def test_the_only_condition_is_not_taken_out_and_a_missing_one_is_said(talk):
    talk.use(SOUP)
    assert "only condition" in talk.ask("remove the last condition").clarification
    assert "唯一的条件" in talk.ask("去掉最后一个条件").clarification
    talk.use(BOTH)
    assert "no condition with that number" in talk.ask("drop the third condition").clarification
    assert talk.current == BOTH


@pytest.mark.parametrize(
    ("message", "asks"),
    [
        ("what share of them is over 55?", True),
        ("What percentage of these customers have kids?", True),
        ("其中55岁以上的占多少？", True),
        ("他们有多少比例有孩子？", True),
        ("他们中有孩子的比例是多少？", True),
        ("what share of our customers is over 55?", False),
        ("customers with a share of beer over 20 %", False),
        ("其中有孩子的", False),
    ],
)
def test_a_share_of_them_is_asked_for(message, asks):
    assert spoken_share(message) is asks


@pytest.mark.parametrize(("question", "said"), [("what share of them has children?", "of them ("),
                                                ("其中有孩子的占多少？", "**其中 ")])  # fmt: skip
def test_the_share_is_told_beside_everyones_and_the_segment_stays(talk, question, said):
    talk.use(BIG_SPENDERS)
    answer = talk.ask(question)
    inside, size = (talk.rooms.audiences.size(from_json(node)) for node in (BOTH, BIG_SPENDERS))
    figures = {figure["name"]: figure for figure in answer.evidence[-1]["figures"]}
    assert figures["part"]["value"] == inside
    assert figures["part_share"]["value"] == pytest.approx(inside / size)
    everyone = talk.rooms.audiences.size(from_json(PARENTS)) / talk.rooms.audiences.population
    assert figures["everyone"]["value"] == pytest.approx(everyone)
    assert said in answer.answer
    assert figures["part_share"]["display"] in answer.answer
    assert talk.current == BIG_SPENDERS


def test_a_share_of_too_few_is_held_back(talk, tiny):
    talk.use(BIG_SPENDERS)
    figures = {
        figure["name"]: figure["value"]
        for item in talk.assistant.tools.count_part(from_json(BIG_SPENDERS), from_json(tiny)).evidence
        for figure in [{"name": f.name, "value": f.value} for f in item.figures]
    }
    assert figures["part"] == "<10"
    assert "part_share" not in figures


@pytest.mark.parametrize(
    ("message", "asks"),
    [
        ("when do they shop?", True),
        ("which day of the week do they usually come?", True),
        ("他们一般什么时候购物？", True),
        ("他们周几来得最多？", True),
        ("when do they buy beer?", False),
        ("他们什么时候买啤酒？", False),
        ("when did they first buy?", False),
    ],
)
def test_when_they_shop_is_asked_for(message, asks):
    assert spoken_times(message) is asks


@pytest.mark.parametrize(("question", "head"), [("when do they shop?", "**When they shop**"),
                                                ("他们一般什么时候购物？", "**购物时间**")])  # fmt: skip
def test_when_they_shop_is_counted_over_their_orders(talk, question, head):
    talk.use(SOUP)
    answer = talk.ask(question)
    assert head in answer.answer
    figures = {figure["name"]: figure["value"] for figure in answer.evidence[-1]["figures"]}
    for kind in ("day.", "part."):
        for everyone in (False, True):
            shares = [
                value
                for name, value in figures.items()
                if name.startswith(kind) and name.endswith(".everyone") == everyone
            ]
            assert sum(shares) == pytest.approx(1)
    bought = talk.rooms.purchases.drop_duplicates("order_id")
    members = set(talk.rooms.audiences.members(from_json(SOUP)))
    theirs = bought[bought["customer_id"].isin(members) & (bought["ts"] >= "2017-01-01")]
    assert figures["orders"] == len(theirs)
    assert figures["day.5"] == pytest.approx((theirs["ts"].dt.day_of_week == 5).mean())
    assert talk.current == SOUP


def test_when_they_shop_is_not_told_of_too_few(talk, tiny):
    with pytest.raises(DefinitionError, match="too few"):
        talk.assistant.tools.profile_times(from_json(tiny))


@pytest.mark.parametrize(
    ("message", "pair"),
    [
        ("compare VIP with Soup", ("VIP", "Soup")),
        ("what do VIP and Soup have in common?", ("VIP", "Soup")),
        ("how much do Soup and VIP overlap?", ("Soup", "VIP")),
        ("VIP vs Soup", ("VIP", "Soup")),
        ("比较大客户和汤", ("大客户", "汤")),
        ("大客户和汤重叠多少？", ("大客户", "汤")),
        ("compare VIP with soup buyers", None),
        ("compare this with VIP", None),
        ("compare VIP with 'Other'", None),
    ],
)
def test_two_saved_segments_are_compared(message, pair):
    assert spoken_pair(message, ["VIP", "Soup", "大客户", "汤"]) == pair


@pytest.mark.parametrize("question", ["compare VIP with Soup", "比较VIP和Soup"])
def test_two_saved_segments_are_compared_without_a_current_one(talk, question):
    for name, definition in (("VIP", BIG_SPENDERS), ("Soup", SOUP)):
        talk.rooms.library.save(name, from_json(definition))
    answer = talk.ask(question)
    assert [each["name"] for each in answer.tool_calls] == ["open_segment", "compare_segments"]
    figures = {figure["name"]: figure["value"] for figure in answer.evidence[0]["figures"]}
    vip, soup = (set(talk.rooms.audiences.members(from_json(node))) for node in (BIG_SPENDERS, SOUP))
    assert (figures["size"], figures["other_size"], figures["overlap"]) == (
        len(vip),
        len(soup),
        len(vip & soup),
    )
    assert talk.current == BIG_SPENDERS


@pytest.mark.parametrize(
    ("message", "language"),
    [
        ("and in Chinese?", "zh"),
        ("in English please", "en"),
        ("can you say that in Chinese?", "zh"),
        ("Chinese version", "zh"),
        ("用英文说一遍", "en"),
        ("英文版", "en"),
        ("中文呢？", "zh"),
        ("customers in Chinese restaurants", None),
        ("who bought Chinese food?", None),
        ("会说中文的客户", None),
    ],
)
def test_another_language_is_asked_for(message, language):
    assert spoken_language(message) == language


@pytest.mark.parametrize(
    ("question", "tool", "again", "said"),
    [
        ("what makes them different?", "profile_segment", "and in Chinese?", "**与众不同之处**"),
        ("他们有什么特点？", "profile_segment", "用英文说一遍", "**What sets them apart**"),
        ("给他们推荐什么？", "recommend_products", "英文版", "**Offer next**"),
    ],
)
def test_the_last_answer_is_said_again_in_another_language(talk, question, tool, again, said):
    talk.use(SOUP)
    first = talk.ask(question, call(tool))
    other = talk.ask(again)
    assert said in other.answer
    assert other.language != first.language
    assert [each["name"] for each in other.tool_calls] == [tool]
    assert [[f["value"] for f in item["figures"]] for item in other.evidence] == [
        [f["value"] for f in item["figures"]] for item in first.evidence
    ]
    assert talk.current == SOUP


def test_a_segment_is_told_again_as_it_is_and_copy_is_written_anew(talk):
    talk.ask("who spent over $500 in the last 90 days?", call("define_segment"))
    told = talk.ask("and in Chinese?")
    assert "位客户**" in told.answer
    assert talk.current == BIG_SPENDERS

    def chinese(_schema):
        return {
            "subject": "为您准备的小惊喜",
            "body": "下次购物时请使用这张优惠券。",
            "sms": "您有一张优惠券。",
        }

    def english(_schema):
        return {
            "subject": "A treat for you",
            "body": "Use the coupon on your next trip.",
            "sms": "A coupon waits.",
        }

    talk.ask("write the e-mail", call("write_copy"), english, english, lawless=True)
    assert "为您准备的小惊喜" in talk.ask("and in Chinese?", chinese, chinese, lawless=True).answer


def test_what_was_saved_is_not_saved_again_in_another_language(talk):
    talk.use(SOUP)
    talk.ask("save it as 'Soup'", call("save_segment"))
    assert "不会再做一遍" in talk.ask("and in Chinese?").clarification


def test_where_nothing_was_answered_another_language_is_no_request(talk):
    assert talk.ask("in Chinese", call("clarify")).clarification


@pytest.mark.parametrize(
    ("message", "asks"),
    [
        ("what is their average basket?", True),
        ("how much do they spend a month?", True),
        ("how does that compare to everyone?", True),
        ("what percentage of revenue comes from them?", True),
        ("how often do they come?", True),
        ("他们占总销售额的多少？", True),
        ("他们人均消费多少？", True),
        ("和全体相比呢？", True),
        ("how much will they spend?", False),
        ("customers who spend over $500", False),
        ("人均消费超过100元的客户", False),
    ],
)
def test_the_main_figures_are_asked_for(message, asks):
    assert spoken_figures(message) is asks


@pytest.mark.parametrize("question", ["what is their average basket?", "他们的客单价是多少？"])
def test_the_main_figures_are_the_profiles(talk, question):
    talk.use(SOUP)
    answer = talk.ask(question)
    assert [each["name"] for each in answer.tool_calls] == ["profile_segment"]
    figures = {figure["name"]: figure["display"] for figure in answer.evidence[-1]["figures"]}
    assert figures["average.basket_value_365d"] in answer.answer
    assert figures["average.basket_value_365d.everyone"] in answer.answer


@pytest.mark.parametrize("question", ["do they have children?", "他们有孩子吗？"])
def test_whether_they_are_of_a_kind_is_a_share_and_no_edit(talk, question):
    talk.use(BIG_SPENDERS)
    answer = talk.ask(question)
    assert [each["name"] for each in answer.tool_calls] == ["count_part"]
    assert talk.current == BIG_SPENDERS


@pytest.mark.parametrize(
    ("counted", "changed"),
    [
        ("what share of them has not bought in 30 days?", "make the 30 days two weeks"),
        ("其中最近30天没来的占多少？", "把30天改成两周"),
    ],
)
def test_a_part_that_was_counted_is_the_segment_once_it_is_changed(talk, counted, changed):
    talk.use(SOUP)
    assert [each["name"] for each in talk.ask(counted).tool_calls] == ["count_part"]
    assert talk.current == SOUP
    talk.ask(changed, call("refine_segment", edits=["e1"]))
    assert talk.current == {"all_of": [SOUP, {"not": {"event": "purchase", "from_days_ago": 14}}]}
    talk.ask("undo")
    assert talk.current == {"all_of": [SOUP, {"not": {"event": "purchase", "from_days_ago": 30}}]}
    talk.ask("undo")
    assert talk.current == SOUP


def test_another_edit_after_a_part_was_counted_is_of_the_segment(talk):
    talk.use(SOUP)
    talk.ask("what share of them has kids?")
    talk.ask("only those over 55", call("refine_segment", edits=["e1"]))
    assert PARENTS not in talk.current["all_of"]


@pytest.mark.parametrize("question", ["how many are left?", "还剩多少人？", "what do you mean by best?"])
def test_how_many_are_left_and_what_was_meant_shows_the_segment(talk, question):
    talk.use(SOUP)
    answer = talk.ask(question)
    assert [each["name"] for each in answer.tool_calls] == ["show_segment"]
    assert f"{talk.rooms.audiences.size(from_json(SOUP)):,}" in answer.answer


@pytest.mark.parametrize("question", ["how many customers do we have?", "我们有多少客户？"])
def test_everyone_is_counted(talk, question):
    answer = talk.ask(question)
    assert answer.clarification is None
    assert f"{talk.rooms.audiences.population:,}" in answer.answer


@pytest.mark.parametrize("question", ["hello", "Thanks!", "what can you do?", "谢谢", "你能做什么？"])
def test_who_greets_or_thanks_is_told_what_can_be_asked(talk, question):
    answer = talk.ask(question)
    assert answer.refused is None
    assert ("for example" if answer.language == "en" else "例如") in answer.clarification.lower()


@pytest.mark.parametrize("question", ["thank-you campaign for them", "hello kitty buyers", "好客户"])
def test_whoever_says_more_than_a_greeting_is_asked_of_the_model(question):
    assert not spoken_help(question)


@pytest.mark.parametrize(("first", "other"), [("forecast demand for soup", "what about beer?"),
                                              ("预测汤的需求", "啤酒呢？")])  # fmt: skip
def test_the_same_is_asked_of_other_goods(talk, first, other):
    talk.ask(first, call("forecast_demand"))
    answer = talk.ask(other)
    assert answer.tool_calls == [{"name": "forecast_demand", "arguments": {"category": "BEERS/ALES"}}]
    assert talk.current is None


def test_the_same_is_asked_of_another_campaign(talk):
    talk.ask("how did campaign 18 do?", call("measure_campaign"))
    answer = talk.ask("and campaign 13?")
    assert answer.tool_calls == [{"name": "measure_campaign", "arguments": {"name": "13"}}]


@pytest.mark.parametrize("question", ["break it down by age", "按年龄拆分"])
def test_everyone_is_broken_down_where_there_is_no_segment(talk, question):
    answer = talk.ask(question, call("breakdown_segment"))
    assert answer.clarification is None
    assert f"{talk.rooms.audiences.population:,}" in answer.answer


@pytest.mark.parametrize(
    ("third", "compare"),
    [("and the third?", "compare it with the first one"), ("第三个呢？", "和第一个比较一下")],
)
def test_natural_segments_are_spoken_of_by_their_places(talk, third, compare):
    talk.ask("find natural segments", call("discover_segments"))
    told = talk.ask(third, call("profile_segment"))
    assert told.segment["definition"]["member_of"]["cluster"] == 3
    compared = talk.ask(compare, call("compare_segments"))
    assert compared.tool_calls[-1]["arguments"]["other"]["member_of"]["cluster"] == 1
    assert talk.current == told.segment["definition"]
