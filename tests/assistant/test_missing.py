"""Words that ask for what the data lack, and words that people only say around what they want."""

import pytest

from assistant.plan import offered_tools
from assistant.rooms import make_linker
from assistant.second_reading import describes


@pytest.fixture(scope="module")
def linker(opened):
    return make_linker(opened)


@pytest.mark.parametrize(
    ("message", "lacks"),
    [
        ("women who bought makeup", "women"),
        ("female customers who bought beer", "female"),
        ("everyone in zip code 45202 who bought milk last week", "zip"),
        ("customers living within 5 miles of the Dayton store who spent over $500", "miles"),
        ("who bought beer and opened our last email?", "opened"),
        ("beer buyers who returned something", "returned"),
        ("send me their emails, all the beer buyers", "emails"),
        ("住在加州、买过咖啡的客户", "加州"),
        ("用支付宝付款、消费超过500的顾客", "支付宝"),
        ("买过啤酒的女性客户", "女性"),
        ("毛利率低于10%的客户", "毛利"),
        ("customers by zodiac sign, just the Leos", "zodiac"),
        ("Customers with a credit score under 600", "credit"),
        ("vegans w/ spend > $500", "vegans"),
        ("everybody who bought wine and has a college degree", "degree"),
        ("Dog owners in Manchester who bought cat food", "manchester"),
        ("Customers which speak French and buy cheese", "french"),
        ("customers who complaned to suport and spent over 300", "support"),
        ("who looked at our website but didn't order?", "website"),
        ("Which clients came by recommendation of a friend?", "friend"),
        ("住在浦东、买过啤酒的人", "住在"),
        ("用安卓手机且消费过千的", "安卓"),
        ("筛选拥有私家车且购买过燃油的客户", "私家车"),
        ("怎么看哪些客户是从抖音来的呀？", "抖音"),
    ],
)
def test_an_attribute_that_the_data_lack_is_missing(linker, message, lacks):
    link = linker.link(message)
    assert lacks in link.missing
    assert not describes(link, None)


@pytest.mark.parametrize(
    "message",
    [
        "Phone list by noon please. Came in fewer than ten times over the past year",
        "Who cashed in a coupon at some point before October and has not touched one since October 1?",
        "Store 367 - who left a thousand dollars or more there during 2017?",
        "Our meat man says pork folks never buy lamb. Find me lamb buyers of the last 90 days",
        "The deli girls complain about the noon rush. So tell me who bought bread 20 times or more this year",
        "Having regard to the campaign, customers who spent over $500 in the last 90 days",
        "Please rank the households with a coupon in 2017 by spend and return the top 200",
        "Customers whose annual expenditure is below $250 although their annual orders number 80 or more",
        "Same coffee twice in a fortnight. Those I'd put on subscription.",
        "近一年买洗衣粉六回以上的，打电话通知他们半价",
        "今天又有人投诉没收到券。查一下30天内收过活动的客户",
        "不要学生（19-24都去掉），近30天买过啤酒的",
        "For a talk in Lyon. Who bought margarine more than twice this year?",
        "the people who haven't darkened our door in eighty days",
        "households with four persons living together that bought eggs",
        "累计花满150刀的客户名单，谢谢老师",
        "近三个月买过洗发水的，群发短信、邮件都行",
    ],
)
def test_what_is_said_around_a_description_is_not_missing(linker, message):
    link = linker.link(message)
    assert link.missing == ()
    assert describes(link, None)


@pytest.mark.parametrize(
    "message",
    [
        "Return those customers whose loyalty has deteriorated materially.",
        "neglected customers",
        "people with potential",
        "give me the people worth calling this week",
        "爱占便宜的顾客",
        "帮我找出对品牌忠诚度下降的人群",
    ],
)
def test_a_quality_is_for_the_marketer_to_say_in_words_of_the_data(linker, message):
    link = linker.link(message)
    assert link.missing == ()
    assert "refuse" not in offered_tools(link, has_segment=False)


@pytest.mark.parametrize(
    "message",
    [
        "half a dozen or more frozen pizzas in units over the last three weeks",
        "never mailed",
        "一年折扣拿了88到650块之间的",
    ],
)
def test_what_is_measured_is_read_twice_without_a_word_of_customers(linker, message):
    assert describes(linker.link(message), None)


@pytest.mark.parametrize(
    "message",
    [
        "write me a poem about autumn leaves",
        "book me a flight to Denver on Friday",
        "今天的股市怎么样？",
        "hm",
    ],
)
def test_what_is_about_something_else_is_not(linker, message):
    assert not describes(linker.link(message), None)


@pytest.mark.parametrize(
    "message",
    [
        "orders of the L90D vs prior 90D up 50% or more",
        "purchases: Dec vs Nov, Dec at least double",
        "近45天 vs 前45天，啤酒消费下降60%以上",
    ],
)
def test_a_time_against_another_compares_no_segments(linker, message):
    assert "compare_segments" not in linker.link(message).intents.tools


def test_segments_are_still_compared(linker):
    assert "compare_segments" in linker.link("beer buyers vs wine buyers").intents.tools
    assert "compare_segments" in linker.link("有孩子的和没孩子的对比").intents.tools
