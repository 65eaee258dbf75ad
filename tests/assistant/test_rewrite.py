"""What is made plain before a message is read: reasons said first, what is put right while speaking, ways to say dates."""

import pytest

from assistant.linking.corrections import corrected
from assistant.linking.preamble import asked_part
from assistant.linking.rewrite import plain


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        (
            "Somebody is offering us cat litter very cheaply. So who buys cat food here, four times or more?",
            "So who buys cat food here, four times or more?",
        ),
        (
            "My brother is so proud of his corner. May I have the people who took sushi in the last sixty days?",
            "May I have the people who took sushi in the last sixty days?",
        ),
        ("鲜花放不住，得赶紧卖。过去半年买过鲜花的，列个单子。", "过去半年买过鲜花的，列个单子。"),
        ("海鲜柜台快撑不住了，把这一年花了五十块以上的人找出来。", "把这一年花了五十块以上的人找出来。"),
    ],
)
def test_a_reason_said_before_the_request_is_left_unread(said: str, asked: str) -> None:
    assert asked_part(said, "。" in said) == asked


@pytest.mark.parametrize(
    "said",
    [
        "We've too much frozen pizza in the back. Who has bought it at least six times in ninety days?",
        "It's the parents we want. Who spent over $500 last quarter?",
        "They visited ten times or more from July through September. Who is that?",
        "Cat owners only. Who spent more than $50 in the last month?",
        "Who bought beer in December? My boss is so curious.",
        "It was over $500 last quarter. Who is still here after all that, please tell me now?",
        "去年花了五百以上的。给我列个名单。",
        "381号店要关门装修。这半年在那个店买过二十回以上的，都有谁？",
    ],
)
def test_what_holds_conditions_or_is_referred_to_is_kept(said: str) -> None:
    assert asked_part(said, "。" in said) == said


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("in the last month, no wait, make that 60 days", "in the last 60 days"),
        ("in the last month but no wait, make that two months", "in the last two months"),
        ("in the last month but no wait make that two months", "in the last two months"),
        ("in the last 30 days actually make that 60 days", "in the last 60 days"),
        ("at least 3 times or no sorry 4 times", "at least 4 times"),
        ("25 times in the past six months, no wait, make that 30 times", "30 times in the past six months"),
        ("in August or September, no wait, just September", "in September"),
        ("spent over 300 - no, 400 dollars", "spent over 400 dollars"),
        ("nothing for a week after it, no, make it ten days", "nothing for ten days after it"),
        ("at least 25% of orders, and no more than 30% on weekends", None),
        ("dog food since Labor Day, and no cat food, 3 trips", None),
        ("no wait, 60 days", None),
    ],
)
def test_what_is_put_right_takes_the_place_of_what_it_corrects(said: str, meant: str | None) -> None:
    assert corrected(said, chinese=False) == (meant or said)


def test_corrections_in_chinese() -> None:
    assert corrected("近30天，哦不，60天没买的", chinese=True) == "近60天没买的"
    assert corrected("不对称的30天", chinese=True) == "不对称的30天"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("June first to August thirty first", "June 1 to August 31"),
        ("the back half of November, the sixteenth to the thirtieth", "November 16 to 30"),
        ("in 2017-12", "in december 2017"),
        ("between thirty and sixty days", "between thirty and sixty days"),
        ("two hundred and fifty dollars", "250 dollars"),
        ("two weeks or more between shops on average", "purchase interval of 14 days or more"),
        ("four visits in five or more", "80% or more of visits"),
        (
            "nothing for 8 weeks, came 20 times before that",
            "nothing for 8 weeks, came 20 times more than 8 weeks ago",
        ),
        ("used in December, never before that month", "used in December, never before December"),
        ("before that", "before that"),
        ("between ten at night and five in the morning", "between 22:00 and 5:00"),
        ("Q4 spend > 2x Q3", "Q4 spend more than 2 times the Q3"),
        ("two in five orders", "40% of orders"),
        ("over $500 in 20 orders", "over $500 in 20 orders"),
        ("30 in 5 shops", "30 in 5 shops"),
    ],
)
def test_ways_to_say_it_in_english(said: str, meant: str) -> None:
    assert plain(said, chinese=False) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("9 月 4 日至 10 日", "9月4日至10日"),
        ("9/1以后", "9月1日以后"),
        ("双11当天（11.11）", "双11当天"),
        ("近90d GMV", "近90天消费额"),
        ("10w以上", "10万以上"),
        ("花的钱，比之前少了三成还多", "花的钱比之前少了超过30%"),
        ("需排除近 30 天无消费者", "近30天购买过"),
        ("過去一年購買的客戶", "过去一年购买的客户"),
        ("2017年全年", "2017年全年"),
        ("价格9.9元", "价格9.9元"),
    ],
)
def test_ways_to_say_it_in_chinese(said: str, meant: str) -> None:
    assert plain(said, chinese=True) == meant
