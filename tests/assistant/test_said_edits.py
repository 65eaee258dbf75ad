"""Edits as people say them: one thing in the place of another, a condition taken out by what it is about, fewer of the
highest; and which of the retailer's campaigns is meant."""

import pytest

from assistant.linking.linker import Linker
from assistant.linking.numbers import to_number
from assistant.rooms import Rooms, make_linker
from segments.canonical import fingerprint
from segments.codec import from_json, to_json
from tests.assistant.conftest import PARENTS

WINE = ["DOMESTIC WINE", "IMPORTED WINE", "MISC WINE"]
BEER = ["BEERS/ALES"]


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return make_linker(opened, dense=False)


def bought(*categories: str, days: int = 60) -> dict:
    return {"event": "purchase", "items": {"category": list(categories)}, "from_days_ago": days}


def both(*parts: dict) -> dict:
    return {"all_of": list(parts)}


def same(node: object, expected: dict) -> bool:
    return node is not None and fingerprint(node) == fingerprint(from_json(expected))


@pytest.mark.parametrize(
    "message",
    [
        "change wine to beer",
        "swap wine for beer",
        "replace the wine with beer please",
        "swap in beer for wine",
        "make it beer instead of wine",
        "把葡萄酒换成啤酒",
        "葡萄酒改成啤酒",
        "用啤酒代替葡萄酒",
        "我要啤酒而不是葡萄酒",
        "no, beer, not wine",
        "not wine but beer",
        "哦不对，是啤酒不是葡萄酒",
        "不是葡萄酒，是啤酒",
        "葡萄酒不要了，换啤酒",
        "葡萄酒就不看了，改看啤酒",
    ],
)
def test_one_kind_of_goods_is_put_in_the_place_of_another(talk, message):
    talk.use(both(bought(*WINE), PARENTS))
    answer = talk.ask(message)  # the words settle it: no model is asked
    assert [each["name"] for each in answer.tool_calls] == ["refine_segment"]
    assert same(from_json(talk.current), both(bought(*BEER), PARENTS))


def test_a_swap_keeps_the_other_goods_and_takes_the_time_that_is_said(linker):
    current = from_json(bought(*BEER, *WINE))
    (edit,) = linker.link("swap wine for soup", current).edits
    assert same(edit.apply(current), bought(*BEER, "SOUP"))
    (edit,) = linker.link("change wine to soup in the last 90 days", current).edits
    assert same(edit.apply(current), bought(*BEER, "SOUP", days=90))
    renters = from_json({"feature": "home_ownership", "op": "=", "value": "Homeowner"})
    (edit,) = linker.link("swap homeowners for renters", renters).edits
    assert same(edit.apply(renters), {"feature": "home_ownership", "op": "=", "value": "Renter"})


def test_the_same_of_other_goods_keeps_what_was_said_of_them(linker):
    current = from_json(bought(*WINE, days=60))
    edit, *_ = linker.link("Same, but beer.", current).edits
    assert same(edit.apply(current), bought(*BEER, days=60))


def test_what_is_not_there_is_not_swapped(linker):
    current = from_json(bought("SOUP"))
    assert not any(edit.settled for edit in linker.link("change wine to beer", current).edits)
    times = linker.link("change 60 days to 90 days", current).edits
    assert [same(edit.apply(current), bought("SOUP", days=90)) for edit in times] == [True]


@pytest.mark.parametrize(
    "message",
    [
        "drop the kids condition",
        "without the kids condition",
        "take the kids filter out",
        "把孩子的条件去掉",
        "不要孩子的条件了",
        "去掉孩子这个条件",
        "不限孩子",
    ],
)
@pytest.mark.parametrize("kids", [PARENTS, {"feature": "kids_count", "op": "=", "value": "2"}])
def test_a_condition_is_taken_out_by_what_it_is_about(linker, message, kids):
    current = from_json(both(bought("SOUP"), kids))
    link = linker.link(message, current)
    assert [same(edit.apply(current), bought("SOUP")) for edit in link.edits] == [True]
    assert link.reading is None
    assert not link.unknown or link.language == "en"


@pytest.mark.parametrize(
    ("message", "kept"), [("drop the spending condition", "SOUP"), ("去掉消费金额的条件", "SOUP")]
)
def test_a_sum_is_taken_out_by_its_name(linker, message, kept):
    spent = {"event": "purchase", "measure": "value", "op": ">", "value": 500}
    current = from_json(both(bought(kept), spent))
    (edit,) = linker.link(message, current).edits
    assert same(edit.apply(current), bought(kept))


BY_ORDERS = {"rank_by": "orders_365d", "share": 0.1}
LIKELIEST = {"propensity": "purchase_30d", "top_share": 0.1}
SPENDERS = {"feature": "spend_365d", "op": ">=", "value": 3000}


@pytest.mark.parametrize(
    ("current", "message", "changed"),
    [
        (BY_ORDERS, "use the top 5% instead", {"rank_by": "orders_365d", "share": 0.05}),
        (BY_ORDERS, "top 200 instead", {"rank_by": "orders_365d", "count": 200}),
        (BY_ORDERS, "改成前5%", {"rank_by": "orders_365d", "share": 0.05}),
        (LIKELIEST, "use the top 5% instead", LIKELIEST | {"top_share": 0.05}),
        (LIKELIEST, "用前5%", LIKELIEST | {"top_share": 0.05}),
        (SPENDERS, "make it the top 5%", {"rank_by": "spend_365d", "share": 0.05}),
    ],
)
def test_fewer_of_the_highest_are_of_the_same_ranking(linker, current, message, changed):
    whole = from_json(both(current, PARENTS))
    (edit,) = linker.link(message, whole).edits
    assert same(edit.apply(whole), both(changed, PARENTS))
    assert edit.settled


def test_an_edit_of_a_negation_is_told_as_a_negation(talk):
    quiet = {"not": {"event": "purchase", "from_days_ago": 30}}
    talk.use(both(bought("SOUP", days=365), PARENTS))
    talk.rooms.library.save("Quiet", from_json(quiet))
    answer = talk.ask(
        "compare it with 'Quiet'", lambda _schema: {"tool": "compare_segments", "segment": "current"}
    )
    assert "only Quiet: customers who did not buy anything in the last 30 days" in answer.answer


RESPONDED = {"event": "coupon_redeem", "campaign": ["18"]}
RECEIVED = {"event": "exposure", "campaign": ["18"]}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("who responded to campaign 18?", RESPONDED),
        ("谁响应了活动18？", RESPONDED),
        ("使用过活动18优惠券的客户", RESPONDED),
        ("who redeemed a coupon of campaign 18", RESPONDED),
        ("who received campaign 18", RECEIVED),
        ("收到18号活动的客户", RECEIVED),
        ("got campaign 18 but did not respond", both(RECEIVED, {"not": RESPONDED})),
        ("non-responders of campaign 18", both(RECEIVED, {"not": RESPONDED})),
        ("收到活动18但没有响应的客户", both(RECEIVED, {"not": RESPONDED})),
        ("十八号活动的响应者", RESPONDED),
        ("received campaigns 8 and 13", {"event": "exposure", "campaign": ["8", "13"]}),
        (
            "got campaign 18 but did not respond within 14 days",
            {"sequence": [RECEIVED], "then_not": RESPONDED | {"within_days": 14}},
        ),
        ("mailed campaign 18 yet redeemed none of its coupons", both(RECEIVED, {"not": RESPONDED})),
        ("18号活动触达了，但这个活动的券一张都没核销的人群", both(RECEIVED, {"not": RESPONDED})),
        ("活动8和活动13的券，兑过任意一个的", {"event": "coupon_redeem", "campaign": ["8", "13"]}),
        (
            "mailed campaign 18 but not that campaign 13",
            both(RECEIVED, {"not": RECEIVED | {"campaign": ["13"]}}),
        ),
        ("received at least 3 campaigns", {"event": "exposure", "op": ">=", "value": 3}),
        ("收到过3次活动", {"event": "exposure", "op": ">=", "value": 3}),
    ],
)
def test_a_campaign_is_meant_by_its_name(linker, message, expected):
    link = linker.link(message)
    assert same(link.reading, expected)
    assert link.unused == ()


def test_those_who_responded_are_who_redeemed_a_coupon_of_that_campaign(talk):
    answer = talk.ask(
        "who responded to campaign 18?", lambda _schema: {"tool": "define_segment", "segment": "described"}
    )
    redeemed = talk.rooms.redemptions
    theirs = set(redeemed[redeemed["campaign_id"] == "18"]["customer_id"])
    assert set(talk.rooms.audiences.members(from_json(talk.current))) == theirs
    assert f"**{len(theirs)} customers**" in answer.answer
    assert "redeemed a coupon (campaign 18)" in answer.answer
    assert "I took a response as redeeming a coupon of the campaign." in answer.answer


def test_the_last_campaign_is_the_one_that_began_last(linker, opened):
    last = str(opened.campaigns.sort_values("start")["campaign_id"].iloc[-1])
    for message in ("who responded to the last campaign?", "响应了上次活动的客户"):
        assert same(linker.link(message).reading, {"event": "coupon_redeem", "campaign": [last]})


KIDS = {"feature": "kids_count", "op": "=", "value": "2"}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "household income over 100k and 2 kids",
            both({"feature": "income", "op": ">=", "value": "100-124K"}, KIDS),
        ),
        ("income above 75k", {"feature": "income", "op": ">=", "value": "75-99K"}),
        ("people who make more than $75,000", {"feature": "income", "op": ">=", "value": "75-99K"}),
        ("earning under 35k", {"feature": "income", "op": "<=", "value": "25-34K"}),
        ("收入超过10万", {"feature": "income", "op": ">=", "value": "100-124K"}),
        ("收入低于3万5", {"feature": "income", "op": "<=", "value": "25-34K"}),
        ("收入超过10万2个孩子", both({"feature": "income", "op": ">=", "value": "100-124K"}, KIDS)),
        ("with two kids", KIDS),
        ("两个孩子", KIDS),
        ("独生子女家庭", KIDS | {"value": "1"}),
        ("3 or more kids", KIDS | {"value": "3+"}),
    ],
)
def test_bands_of_income_and_counts_of_kids_are_read(linker, message, expected):
    assert same(linker.link(message).reading, expected)


def test_a_number_after_ten_thousands_counts_thousands():
    assert [to_number(said) for said in ("3万5", "1万2", "3千5", "2万")] == [35_000, 12_000, 3_500, 20_000]


@pytest.mark.parametrize(
    ("message", "lost"),
    [
        ("500 customers who spent over $500", ("500 customers",)),
        ("找出500位消费超过500元的客户", ("500位",)),
        ("who spent over $90 in the last 90 days", ()),
        ("customers who spent over $500 in at least 5 orders", ()),
        ("top 100 by spend who spent over $2000", ()),
    ],
)
def test_a_number_is_held_by_a_condition_of_its_unit_alone(linker, message, lost):
    assert linker.link(message).unused == lost


@pytest.mark.parametrize(
    "message",
    [
        "which customers are about to leave?",
        "who might leave us soon",
        "哪些客户快要流失了？",
        "可能会离开的客户",
    ],
)
def test_who_is_about_to_leave_is_overdue(linker, message):
    assert same(linker.link(message).reading, {"feature": "overdue_ratio", "op": ">", "value": 2})


def test_who_left_has_not_bought_for_long(linker):
    gone = {"not": {"event": "purchase", "from_days_ago": 90}}
    assert same(linker.link("who left us?").reading, gone)


@pytest.mark.parametrize(
    "message",
    ["预测汤的需求", "forecast demand for Soup", "what sells with Soup?", "who bought Soup?", "谁买过汤？"],
)
def test_goods_win_over_a_segment_of_that_name(linker, message):
    link = linker.link(message, saved=["汤", "Soup"])
    assert link.categories == ("SOUP",)
    assert link.intents.name is None


def test_a_segment_named_like_goods_is_meant_where_no_goods_are_asked_for(linker):
    assert same(linker.link("plan a campaign for Soup", saved=["Soup"]).reading, {"member_of": "Soup"})


def test_money_that_somebody_left_here_was_spent(linker):
    read = linker.link("who left at least $800 with us from March to May?").reading
    assert read is not None
    assert to_json(read)["value"] == 800


@pytest.mark.parametrize(
    ("message", "tools"),
    [
        ("save it as kids winback", ("save_segment",)),
        ("存为带娃召回", ("save_segment",)),
        ("split by income", ("breakdown_segment",)),
        ("does putting soup in the mailer help?", ("placement_effect",)),
    ],
)
def test_a_tool_is_asked_for_by_words_that_are_no_name(linker, message, tools):
    assert linker.link(message).intents.tools == tools


RICH = {"feature": "income", "op": ">=", "value": "100-124K"}


@pytest.mark.parametrize("message", ["replace 2 kids with 3 or more kids", "把两个孩子换成三个以上孩子"])
def test_one_value_is_put_in_the_place_of_another(linker, message):
    current = from_json(both(RICH, KIDS))
    (edit,) = linker.link(message, current).edits
    assert same(edit.apply(current), both(RICH, KIDS | {"value": "3+"}))


@pytest.mark.parametrize("message", ["top 50 of them by spend", "其中消费最高的50名"])
def test_the_highest_of_them_are_ranked_among_them(talk, message):
    talk.use(PARENTS)
    answer = talk.ask(message)
    assert talk.current == {"rank_by": "spend_365d", "count": 50, "among": PARENTS}
    assert answer.segment["size"] == 50


@pytest.mark.parametrize(
    "message",
    ["redeemed coupons from campaign 13 but not campaign 18", "用过活动13的券但没用过活动18的券的客户"],
)
def test_what_is_said_of_one_campaign_holds_for_the_next(linker, message):
    thirteen = RESPONDED | {"campaign": ["13"]}
    assert same(linker.link(message).reading, both(thirteen, {"not": RESPONDED}))


@pytest.mark.parametrize("message", ["send them a campaign with $1,500", "用1500元给他们做活动"])
def test_a_campaign_to_come_is_planned(linker, message):
    link = linker.link(message, from_json(PARENTS))
    assert link.intents.tools == ("plan_strategy",)
    assert (link.intents.budget, link.reading) == (1500, None)


def test_their_distribution_is_a_breakdown(linker):
    intents = linker.link("show me their age distribution").intents
    assert (intents.tools, intents.feature) == (("breakdown_segment",), "age")


def spent(low: float, high: float) -> dict:
    value = [low, high]
    return {"event": "purchase", "from_days_ago": 90, "measure": "value", "op": "between", "value": value}


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("raise the lower bound to 600", (600, 800)),
        ("change the upper limit to $700", (400, 700)),
        ("下限改成600", (600, 800)),
    ],
)
def test_an_end_of_a_range_is_moved(linker: Linker, message: str, left: tuple[float, float]) -> None:
    current = from_json(spent(400, 800))
    moved = [edit.apply(current) for edit in linker.link(message, current).edits if edit.kind == "change"]
    assert any(same(node, spent(*left)) for node in moved)


def test_a_range_of_which_no_end_is_meant_stays_whole(linker: Linker) -> None:
    current = from_json(spent(400, 800))
    for message in ("make it 600", "raise the lower bound to 900", "change the upper limit to $300"):
        after = [to_json(edit.apply(current)) for edit in linker.link(message, current).edits]
        assert all(node["op"] != "between" or node["value"] == [400, 800] for node in after if "op" in node)


@pytest.mark.parametrize(
    "message",
    [
        "drop the ones who bought beer in the same period",
        "now exclude everyone who bought beer during that time",
        "and no beer in those days",
        "另请剔除同一时期内买过啤酒的客户",
        "去掉同期买过啤酒的人",
    ],
)
def test_the_time_said_before_is_the_segments_own(linker, message):
    current = from_json(bought(*WINE))
    edited = [edit.apply(current) for edit in linker.link(message, current).edits]
    assert any(same(node, both(bought(*WINE), {"not": bought(*BEER)})) for node in edited)


def test_the_same_quarter_is_not_the_first_one(linker):
    current = from_json(bought(*WINE, days=92))
    (edit,) = linker.link("另请剔除同一季度内购买过啤酒的客户。", current).edits
    assert same(edit.apply(current), both(bought(*WINE, days=92), {"not": bought(*BEER, days=92)}))


def test_a_time_said_before_is_no_time_where_nothing_was_said(linker):
    current = from_json(PARENTS)
    (edit, *_) = linker.link("drop the ones who bought beer in the same period", current).edits
    assert same(
        edit.apply(current), both(PARENTS, {"not": {"event": "purchase", "items": {"category": BEER}}})
    )


@pytest.mark.parametrize(
    "message",
    ["keep just those who bought soup too", "only the ones who bought soup as well", "其中也买过汤的"],
)
def test_keeping_only_some_lets_nobody_in(linker, message):
    current = from_json(bought(*BEER))
    assert {edit.kind for edit in linker.link(message, current).edits} == {"add"}


@pytest.mark.parametrize("message", ["add those who bought soup as well", "也包括买过汤的"])
def test_too_lets_more_in(linker, message):
    current = from_json(bought(*BEER))
    assert linker.link(message, current).edits[0].kind == "widen"


RANKED = {"rank_by": "spend_365d", "count": 300}
ALIKE = {"similar_to": {"segment": bought("SOUP")}, "top": 300}


@pytest.mark.parametrize(
    ("message", "times"), [("double it", 2), ("名额翻倍", 2), ("halve the list", 0.5), ("人数减半吧", 0.5)]
)
def test_so_many_times_as_many_of_the_ranked_or_similar(linker, message, times):
    for current, sized in ((RANKED, "count"), (ALIKE, "top")):
        (edit,) = linker.link(message, from_json(current)).edits
        assert same(edit.apply(from_json(current)), current | {sized: int(300 * times)})
    tenth = {"rank_by": "spend_365d", "share": 0.1}
    (edit,) = linker.link(message, from_json(tenth)).edits
    assert same(edit.apply(from_json(tenth)), tenth | {"share": 0.1 * times})


@pytest.mark.parametrize(
    "message",
    [
        "only those who doubled their spend",
        "只要消费翻倍的客户",
        "what would happen if we double the list?",
        "double that discount for parents",
        "take wine out of it",
        "take parents out of the list",
        "从这些人里面挑有孩子的",
        "select only the parents out of those",
        "pick another 50 from parents",
    ],
)
def test_the_ranked_stay_where_something_else_is_said(linker, message):
    current = from_json(both(RANKED, bought(*WINE)))
    assert not any(edit.ranks for edit in linker.link(message, current).edits)


@pytest.mark.parametrize("message", ["pick those 300 from parents only", "只在有孩子的家庭里面挑"])
def test_the_ranked_or_similar_are_picked_from_others(linker, message):
    for current in (RANKED, ALIKE):
        (edit,) = linker.link(message, from_json(current)).edits
        assert same(edit.apply(from_json(current)), current | {"among": PARENTS})
    assert not any(edit.ranks for edit in linker.link("only parents", from_json(RANKED)).edits)


@pytest.mark.parametrize("message", ["or beer", "beer counts too", "throw beer in as well", "啤酒也算上"])
def test_more_goods_are_put_beside_those_of_the_one_condition_on_goods(linker, message):
    current = from_json(both(bought(*WINE), PARENTS))
    edit, *_ = linker.link(message, current).edits
    assert same(edit.apply(current), both(bought(*WINE, *BEER), PARENTS))


@pytest.mark.parametrize(
    "message",
    [
        "drop beer as well",
        "they must have beer as well",
        "only with beer too",
        "同时也要啤酒",
        "太多了，也要限制在有啤酒的",
    ],
)
def test_goods_are_not_put_beside_others_where_both_or_fewer_are_asked_for(linker, message):
    current = from_json(bought(*WINE))
    for edit in linker.link(message, current).edits:
        assert not same(edit.apply(current), bought(*WINE, *BEER))


@pytest.mark.parametrize("message", ["also include those who bought beer", "买啤酒的人也算进来"])
def test_others_who_are_described_are_let_in_beside_the_segment(linker, message):
    current = from_json(bought(*WINE))
    edit = next(edit for edit in linker.link(message, current).edits if edit.kind == "widen")
    beer = {"event": "purchase", "items": {"category": BEER}}
    assert same(edit.apply(current), {"any_of": [bought(*WINE), beer]})


def test_what_is_out_is_taken_out(linker):
    current = from_json(both(bought("TEAS"), bought("COFFEE")))
    edits = linker.link("tea's out", current).edits
    assert same(edits[0].apply(current), bought("COFFEE"))


@pytest.mark.parametrize("message", ["the other way round", "no, the opposite please", "反过来", "弄反了"])
def test_the_other_way_round(linker, message):
    current = from_json(both(bought("TURKEY"), {"not": bought("BEEF")}))
    (edit,) = linker.link(message, current).edits
    assert same(edit.apply(current), both({"not": bought("TURKEY")}, bought("BEEF")))
    (edit,) = linker.link(message, from_json(bought("BEEF"))).edits
    assert same(edit.apply(from_json(bought("BEEF"))), {"not": bought("BEEF")})
    assert not linker.link("the other way round", from_json(both(bought("BEEF"), PARENTS))).edits


def test_what_must_be_met_as_well_narrows(linker):
    current = from_json(bought("TURKEY"))
    edits = linker.link("they need to have bought pork as well", current).edits
    assert [edit.kind for edit in edits] == ["add"]


@pytest.mark.parametrize("message", ["june and august count too", "5月的也要"])
def test_another_time_beside_the_one_that_is_there_is_not_put_in_its_place(linker, message):
    current = from_json({"event": "purchase", "from_days_ago": 184, "to_days_ago": 153})
    assert not any(edit.values for edit in linker.link(message, current).edits)


def test_a_bare_number_is_days_where_the_condition_has_only_them(linker):
    for message in ("tighten to 60", "make it 60"):
        (edit,) = linker.link(message, from_json(bought(*WINE, days=90))).edits
        assert same(edit.apply(from_json(bought(*WINE, days=90))), bought(*WINE, days=60))


@pytest.mark.parametrize(
    ("message", "node"),
    [
        ("and redeemed a coupon from it", RESPONDED),
        ("who redeemed one of its coupons", RESPONDED),
        ("这个活动的券一张没兑的", {"not": RESPONDED}),
    ],
)
def test_the_campaign_of_the_segment_at_hand_is_meant(linker, message, node):
    (edit,) = linker.link(message, from_json(RECEIVED)).edits
    assert same(edit.apply(from_json(RECEIVED)), both(RECEIVED, node))
    edit, *_ = linker.link(message, from_json(PARENTS)).edits
    assert "campaign" not in str(to_json(edit.apply(from_json(PARENTS))))


COUPON = {"event": "coupon_redeem", "from_days_ago": 60}


@pytest.mark.parametrize(
    ("message", "edited"),
    [
        ("drop anyone who's never redeemed a coupon", both(bought("SOUP"), {"event": "coupon_redeem"})),
        ("exclude people who didn't buy beer in the last 60 days", both(bought("SOUP"), bought(*BEER))),
        ("把没用过券的去掉", both(bought("SOUP"), {"event": "coupon_redeem"})),
        ("who bought beer in the last 60 days, also out", both(bought("SOUP"), {"not": bought(*BEER)})),
        (
            "exclude customers who bought beer in the last 60 days",
            both(bought("SOUP"), {"not": bought(*BEER)}),
        ),
    ],
)
def test_who_is_left_out(linker, message, edited):
    current = from_json(bought("SOUP"))
    edit = linker.link(message, current).edits[0]
    assert same(edit.apply(current), edited)


def test_who_is_not_to_be_left_out_is_no_condition_for_others(linker):
    current = from_json(bought("SOUP"))
    kept = both(bought("SOUP"), {"event": "coupon_redeem"})
    edits = linker.link("don't drop anyone who hasn't used a coupon", current).edits
    assert not any(same(edit.apply(current), kept) for edit in edits)


def test_nothing_is_enough_where_only_one_kind_of_goods_is_asked_for(linker):
    current = from_json(both(bought("SOUP"), PARENTS))
    assert not linker.link("either one is fine", current).edits


@pytest.mark.parametrize(
    "message", ["90 days on both", "push the whole thing out to 90 days", "两个都改成90天", "时间都改成90天"]
)
def test_a_time_is_put_into_every_condition(linker, message):
    current = from_json(both(bought("SOUP"), COUPON))
    edit = linker.link(message, current).edits[0]
    assert same(edit.apply(current), both(bought("SOUP", days=90), COUPON | {"from_days_ago": 90}))


def test_a_time_for_all_that_cannot_be_put_everywhere_is_an_edit_of_one(linker):
    current = from_json(both({"any_of": [bought("SOUP"), PARENTS]}, {"any_of": [bought("SOUP"), COUPON]}))
    assert linker.link("120 days on both", current).edits


@pytest.mark.parametrize(
    "message",
    [
        "either one is fine, needn't be both",
        "hmm wait, any of them will do",
        "sorry, or beer i mean, doesn't have to be both",
        "任一即可",
        "不用都买，一样就行",
    ],
)
def test_one_of_the_goods_is_enough(linker, message):
    current = from_json(both(bought("SOUP"), bought(*BEER), PARENTS))
    (edit,) = linker.link(message, current).edits
    assert same(edit.apply(current), both(PARENTS, {"any_of": [bought("SOUP"), bought(*BEER)]}))


@pytest.mark.parametrize(
    ("message", "edited"),
    [
        ("bin the soup condition", PARENTS),
        ("once is enough really", both(PARENTS, bought("SOUP"))),
    ],
)
def test_what_is_no_longer_asked_for(linker, message, edited):
    often = bought("SOUP") | {"measure": "count", "op": ">=", "value": 3}
    current = from_json(both(PARENTS, often))
    edit = linker.link(message, current).edits[0]
    assert same(edit.apply(current), edited)
