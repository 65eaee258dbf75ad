"""What Chinese says in its own way: occasions, sequences, ranks, what is left unsaid; and the house's own words."""

import pytest

from assistant.linking.linker import Linker
from assistant.plan import offered_tools
from assistant.rooms import Rooms, make_linker
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.definition import (
    WEEKDAYS,
    AllOf,
    AnyOf,
    ComparisonCondition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    ItemFilter,
    Node,
    Not,
    Occasion,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    Step,
    TouchCondition,
    Window,
)
from segments.explain import explain

BEER, COFFEE = ItemFilter(category=("BEERS/ALES",)), ItemFilter(category=("COFFEE",))
QUARTERS = (Window(365, 275), Window(275, 184), Window(184, 92), Window(92, 0))


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return make_linker(opened, dense=False)


EVER, ANYTHING = Window(), ItemFilter()


def bought(window: Window = EVER, items: ItemFilter = ANYTHING, **how: object) -> EventCondition:
    return EventCondition("purchase", items, window, **how)  # type: ignore[arg-type]


def same(reading: Node | None, expected: Node) -> bool:
    return reading is not None and fingerprint(reading) == fingerprint(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "近一年内,于周一至周五上午八时至十二时之间下单累计不少于十五次的客户",
            bought(Window(365), value=15, occasion=Occasion(WEEKDAYS[:5], (8, 12))),
        ),
        (
            "12月里晚上10点以后到凌晨2点买过啤酒",
            bought(Window(31), BEER, occasion=Occasion(hours=(22, 2))),
        ),
        (
            "近三十天内光顾三六七号门店达三次及以上的客户",
            bought(Window(30), value=3, occasion=Occasion(channel=("367",))),
        ),
        ("近90天工作日上午买过咖啡的", bought(Window(90), COFFEE, occasion=Occasion(WEEKDAYS[:5], (5, 12)))),
        (
            "近90天每逢周五晚上买啤酒的",
            bought(Window(90), BEER, occasion=Occasion(("fri",), (17, 22))),
        ),
        ("主要在晚上购物的客户", FeatureCondition("evening_share_365d", ">", 0.5)),
        (
            "周末上午十点前来买咖啡的",
            bought(items=COFFEE, occasion=Occasion(("sat", "sun"), (0, 10))),
        ),
        ("从不在周末来", Not(bought(occasion=Occasion(("sat", "sun"))))),
        ("周末订单占比>60%", FeatureCondition("weekend_share_365d", ">", 0.6)),
    ],
)
def test_days_hours_and_stores_are_when_it_happened_and_shares_are_habits(linker, text, expected):
    assert same(linker.link(text).reading, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "下半年收到活动后3天之内就下单的",
            SequenceCondition((Step("exposure"), Step("purchase", within_days=3)), window=Window(184)),
        ),
        (
            "第四季度内收到营销活动之后,七日以内未发生任何购买的客户",
            SequenceCondition((Step("exposure"),), Step("purchase", within_days=7), Window(92)),
        ),
        (
            "谁在收到直邮一周之内核销了优惠券",
            SequenceCondition((Step("exposure"), Step("coupon_redeem", within_days=7))),
        ),
        (
            "第四季度期间,曾在任意七日之内下单达六笔及以上的客户",
            RepeatCondition("purchase", 6, 7, window=Window(92)),
        ),
        ("9月里头有哪一周之内跑了5趟以上的", RepeatCondition("purchase", 5, 7, window=Window(122, 92))),
        ("首次购买发生于2017年第三季度的客户", TouchCondition("first", "purchase", window=Window(184, 92))),
        ("第一单就买了啤酒的", TouchCondition("first", "purchase", BEER)),
        ("最近一次来店，买的东西里有啤酒的", TouchCondition("last", "purchase", BEER)),
        (
            "看最近60天：活动发到之后3天之内就来下单的",
            SequenceCondition((Step("exposure"), Step("purchase", within_days=3)), window=Window(60)),
        ),
        ("近60天，出现过“任意3天内来了4趟”的", RepeatCondition("purchase", 4, 3, window=Window(60))),
        (
            "啤酒12月花的钱比11月多的人",
            ComparisonCondition(
                EventQuantity("purchase", BEER, Window(31), "value"),
                ">",
                EventQuantity("purchase", BEER, Window(61, 31), "value"),
            ),
        ),
        (
            "有孩子的家庭里，近一年花钱最多的前100户",
            RankCondition("spend_365d", 100, among=FeatureCondition("has_children", "=", True)),
        ),
        (
            "十二月消费额较十一月下降百分之四十及以上的客户",
            ComparisonCondition(
                EventQuantity("purchase", window=Window(31), measure="value"),
                "<=",
                EventQuantity("purchase", window=Window(61, 31), measure="value"),
                0.6,
            ),
        ),
        (
            "12月的订单数是11月的两倍以上",
            ComparisonCondition(
                EventQuantity("purchase", window=Window(31)),
                ">=",
                EventQuantity("purchase", window=Window(61, 31)),
                2,
            ),
        ),
        (
            "最近九十天订单数多于此前九十天,消费金额却反而减少的客户",
            AllOf(
                (FeatureCondition("orders_trend_90d", ">", 1), FeatureCondition("spend_trend_90d", "<", 1))
            ),
        ),
    ],
)
def test_behaviour_of_more_than_one_event_is_read_whole(linker, text, expected):
    assert same(linker.link(text).reading, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "第二、第三、第四季度均购买过咖啡,而第一季度未曾购买的客户",
            AllOf((*(bought(w, COFFEE) for w in QUARTERS[1:]), Not(bought(QUARTERS[0], COFFEE)))),
        ),
        (
            "咖啡断了的:上半年买过,下半年一次没买,近30天还来过",
            AllOf((bought(Window(365, 184), COFFEE), Not(bought(Window(184), COFFEE)), bought(Window(30)))),
        ),
        (
            "上半年买咖啡5次以上,下半年减到2次以下",
            AllOf((bought(Window(365, 184), COFFEE, value=5), bought(Window(184), COFFEE, op="<=", value=2))),
        ),
        (
            "第四季度累计消费金额超过一千元,且该季度内未使用过任何优惠券",
            AllOf(
                (
                    bought(Window(92), measure="value", op=">", value=1000),
                    Not(EventCondition("coupon_redeem", window=Window(92))),
                )
            ),
        ),
        (
            "近30天复购的,至少下过3单,平时客单价不到20的",
            AllOf((bought(Window(30), value=3), FeatureCondition("basket_value_365d", "<", 20))),
        ),
        ("最近一礼拜来过,再往前整整30天都没来过", AllOf((bought(Window(7)), Not(bought(Window(37, 7)))))),
        (
            "过去半年买咖啡、啤酒各5次以上",
            AllOf((bought(Window(180), COFFEE, value=5), bought(Window(180), BEER, value=5))),
        ),
        ("啤酒、咖啡任意一种,近60天买过", bought(Window(60), ItemFilter(category=("BEERS/ALES", "COFFEE")))),
        (
            "咖啡客:啤酒或者咖啡,一年花500以上",
            bought(Window(365), ItemFilter(category=("BEERS/ALES", "COFFEE")), measure="value", value=500),
        ),
        ("最近一次消费距今超过四十五日但不足九十日", FeatureCondition("recency_days", "between", (46, 89))),
        (
            "近一年花了1000以上,用券超过3张",
            AllOf(
                (
                    bought(Window(365), measure="value", value=1000),
                    EventCondition("coupon_redeem", window=Window(365), op=">", value=3),
                )
            ),
        ),
        (
            "有娃的、已婚的、65以上的,满足任何一个都行",
            AnyOf(
                (
                    FeatureCondition("has_children", "=", True),
                    FeatureCondition("marital_status", "=", "Married"),
                    FeatureCondition("age", "=", "65+"),
                )
            ),
        ),
        ("买过啤酒的统统剔掉,剩下近14天有消费的", AllOf((Not(bought(items=BEER)), bought(Window(14))))),
        ("除曾经购买啤酒者以外,近14天有消费的", AllOf((Not(bought(items=BEER)), bought(Window(14))))),
        (
            "平均购买间隔不超过十天,而距最近一次购买已超过二十五天",
            AllOf((FeatureCondition("mean_gap_days", "<=", 10), FeatureCondition("recency_days", ">", 25))),
        ),
        (
            "距上次购买45-90天,历史订单>=20",
            AllOf(
                (
                    FeatureCondition("recency_days", "between", (45, 90)),
                    FeatureCondition("orders_lifetime", ">=", 20),
                )
            ),
        ),
    ],
)
def test_what_a_clause_leaves_unsaid_is_taken_from_the_one_before(linker, text, expected):
    assert same(linker.link(text).reading, expected)


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("平均购买间隔不足10天", "<"),
        ("平均购买间隔不到10天", "<"),
        ("平均购买间隔少于10天", "<"),
        ("平均购买间隔不少于10天", ">="),
        ("平均购买间隔10天以上", ">="),
        ("平均购买间隔至少10天", ">="),
        ("平均购买间隔不超过10天", "<="),
        ("平均购买间隔10天以内", "<="),
        ("平均购买间隔至多10天", "<="),
        ("平均购买间隔超过10天", ">"),
        ("平均购买间隔>10天", ">"),
        ("平均购买间隔≤10天", "<="),
    ],
)
def test_a_length_compares_as_its_words_say(linker, text, op):
    assert linker.link(text).reading == FeatureCondition("mean_gap_days", op, 10)


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("按近一年消费额排,头部5%给我", RankCondition("spend_365d", share=0.05)),
        ("消费TOP10%的客户", RankCondition("spend_365d", share=0.1)),
        ("近90天消费额位列前二百名", RankCondition("spend_90d", count=200)),
        ("近90天客单价最低的20%", RankCondition("basket_value_90d", share=0.2, lowest=True)),
    ],
)
def test_a_rank_takes_those_at_its_end(linker, opened, text, rank):
    reading = linker.link(text).reading
    assert reading is not None
    found, meant = set(opened.audiences.members(reading)), set(opened.audiences.members(rank))
    # Customers with equal values may stand on either side of the edge.
    assert len(found ^ meant) <= 0.05 * len(meant)


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("请汇报第十三号营销活动的成效。", "measure_campaign"),
        ("近九十天用过优惠券的客户,未来十二周预计能贡献多少消费?", "customer_value"),
        ("有没有哪张券被薅得不正常", "find_anomalies"),
        ("请说明近三十天消费满五百元的客户数量变化情况。", "trend_segment"),
        ("请评估第八号营销活动的增益,区分因活动而购买者与本就会购买者。", "estimate_uplift"),
    ],
)
def test_a_tool_is_offered_by_its_words(linker, text, tool):
    assert tool in offered_tools(linker.link(text), has_segment=False)


def test_the_number_of_a_campaign_is_no_condition(linker):
    link = linker.link("请评估第八号营销活动对有子女家庭的增益,区分因活动而购买者与本就会购买者。")
    assert link.intents.campaign == "8"
    assert link.reading == FeatureCondition("has_children", "=", True)


OWN = [
    {"feature": "income", "op": ">=", "value": "75-99K"},
    {"feature": "income", "op": "<=", "value": "25-34K"},
    {"feature": "income", "op": "between", "value": ["50-74K", "75-99K"]},
    {"feature": "age", "op": ">=", "value": "55-64"},
    {"feature": "home_ownership", "op": "=", "value": "Renter"},
    {"feature": "household_composition", "op": "=", "value": "1 Adult Kids"},
    {"feature": "active_days_365d", "op": ">=", "value": 100},
    {"feature": "spend_trend_90d", "op": "<=", "value": 0.7},
    {"feature": "discount_rate_365d", "op": "<", "value": 0.15},
    {"event": "purchase", "items": {"category": ["DOG FOODS", "CAT FOOD"]}, "from_days_ago": 60},
    {"event": "purchase", "items": {"category": ["COFFEE"], "brand": ["Private"]}},
    {"event": "purchase", "items": {"text": ["shampoo", "toothpaste"]}, "from_days_ago": 30},
    {"event": "purchase", "from_days_ago": 92, "to_days_ago": 61, "measure": "value", "op": ">", "value": 50},
    {"event": "purchase", "from_days_ago": 30, "weekdays": ["mon", "tue"], "hours": [8, 12]},
    {
        "event": "purchase",
        "from_days_ago": 30,
        "channel": ["367"],
        "measure": "count",
        "op": ">=",
        "value": 3,
    },
    {"sequence": [{"event": "exposure"}, {"event": "purchase", "within_days": 3}], "from_days_ago": 184},
    {"sequence": [{"event": "exposure"}], "then_not": {"event": "coupon_redeem", "within_days": 14}},
    {"repeat": "purchase", "times": 5, "within_days": 7, "from_days_ago": 122, "to_days_ago": 92},
    {"first": "purchase", "from_days_ago": 184, "to_days_ago": 92},
    {"first": "purchase", "items": {"category": ["COFFEE"]}, "from_days_ago": 184},
    {
        "compare": {"event": "purchase", "from_days_ago": 31, "measure": "value"},
        "op": "<=",
        "factor": 0.6,
        "than": {"event": "purchase", "from_days_ago": 61, "to_days_ago": 31, "measure": "value"},
    },
    {"propensity": "coupon_redeem_30d", "top_share": 0.05},
    {"propensity": "purchase_14d", "min_probability": 0.9},
]


@pytest.mark.parametrize("definition", OWN, ids=str)
def test_the_assistant_understands_its_own_words(linker, definition):
    node = from_json(definition)
    said = explain(node, linker.catalogue, "zh")
    assert same(linker.link(said).reading, node), said


def test_own_words_stand_together(linker):
    parts = tuple(from_json(OWN[place]) for place in (0, 4, 9))
    node = AllOf((*parts, Not(bought(Window(30), ItemFilter(category=("BEERS/ALES",))))))
    assert same(linker.link(explain(node, linker.catalogue, "zh")).reading, node)


def test_three_hundred_alike_are_people_and_three_kinds_are_segments(linker):
    assert linker.link("帮我从爱买有机蔬果的客群往外扩，找三百个类似的人").intents.top == 300
    assert linker.link("把客户分成3类").intents.k == 3
