"""Numbers with their comparison and unit, in English and Chinese; none is read as another number."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.linking.link import is_chinese
from assistant.linking.numbers import Number, numbers, to_number
from assistant.linking.rewrite import plain


def only(text: str) -> Number:
    """The only number of a text."""
    chinese = is_chinese(text)
    found = numbers(plain(text, chinese), chinese, [])
    assert len(found) == 1, f"{text}: {[(n.value, n.unit) for n in found]}"
    return found[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,200", 1200),
        ("12.5", 12.5),
        ("1.5k", 1500),
        ("75K", 75_000),
        ("twelve", 12),
        ("a dozen", 12),
        ("half a dozen", 6),
        ("five hundred", 500),
        ("两", 2),
        ("十", 10),
        ("十五", 15),
        ("三十", 30),
        ("一百二十", 120),
        ("一百零五", 105),
        ("两千", 2000),
        ("一千零五十", 1050),
        ("两万", 20_000),
        ("十二万", 120_000),
        ("1.5万", 15_000),
        ("3千", 3000),
        ("五万六千七百八十九", 56_789),
    ],
)
def test_a_number_has_its_value(text, value):
    assert to_number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twenty-five dollars", 25),
        ("ninety five dollars", 95),
        ("three thousand dollars", 3000),
        ("over five thousand dollars", 5000),
        ("one hundred and fifty dollars", 150),
        ("$1.5 million", 1_500_000),
    ],
)
def test_a_number_of_several_words_is_one_number(text, value):
    assert only(text).value == value


@pytest.mark.parametrize(
    ("text", "value"), [("两千五", 2500), ("一百一", 110), ("三万六", 36_000), ("一万二", 12_000)]
)
def test_the_last_digit_of_spoken_chinese_is_of_the_next_unit(text, value):
    assert to_number(text) == value


@pytest.mark.parametrize(
    ("text", "op", "value", "unit"),
    [
        ("over $500", ">", 500, "money"),
        ("more than $1,234.56", ">", 1234.56, "money"),
        ("$1.5k", None, 1500, "money"),
        ("€20", None, 20, "money"),
        ("under 25 bucks", "<", 25, "money"),
        ("at least 3 times", ">=", 3, "times"),
        ("no more than 3 trips", "<=", 3, "orders"),
        ("5 or more orders", ">=", 5, "orders"),
        ("5+ trips", ">=", 5, "orders"),
        ("at most two coupons", "<=", 2, "coupons"),
        ("up to 5 campaigns", "<=", 5, "campaigns"),
        ("fewer than 10 units", "<", 10, "units"),
        ("exactly 4 stores", "=", 4, "stores"),
        ("≥ 10 orders", ">=", 10, "orders"),
        ("more than 40 percent", ">", 40, "percent"),
        ("12.5%", None, 12.5, "percent"),
        ("under 25 years old", "<", 25, "years"),
        ("3 kids", None, 3, "kids"),
        ("$20 per order", None, 20, "per_order"),
        ("超过500元", ">", 500, "money"),
        ("两千元", None, 2000, "money"),
        ("消费超过两万元", ">", 20_000, "money"),
        ("1.5万元", None, 15_000, "money"),
        ("至少3次", ">=", 3, "times"),
        ("不少于十二次", ">=", 12, "times"),
        ("5次以上", ">=", 5, "times"),
        ("不超过3张", "<=", 3, "coupons"),
        ("不到20单", "<", 20, "orders"),
        ("25岁以下", "<=", 25, "years"),
        ("年满六十五周岁", ">=", 65, "years"),
        ("下单达六笔及以上", ">=", 6, "orders"),
        ("百分之四十及以上", ">=", 40, "percent"),
        ("去过6家店以上", ">=", 6, "stores"),
        ("订单数>=4", ">=", 4, "orders"),
        ("用券<3张", "<", 3, "coupons"),
        ("5成", None, 50, "percent"),
        ("三成", None, 30, "percent"),
        ("10%以上", ">=", 10, "percent"),
        ("两个孩子", None, 2, "kids"),
    ],
)
def test_a_number_has_its_comparison_and_unit(text, op, value, unit):
    found = only(text)
    assert (found.op, found.value, found.unit) == (op, value, unit)


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("between $100 and $200", 100, 200, "money"),
        ("from 100 to 200 dollars", 100, 200, "money"),
        ("$50k to $75k", 50_000, 75_000, "money"),
        ("50-74K", 50_000, 74_000, ""),
        ("30-40%", 30, 40, "percent"),
        ("2 to 4 times", 2, 4, "times"),
        ("500到1000元", 500, 1000, "money"),
        ("五百至一千元", 500, 1000, "money"),
        ("30%-40%", 30, 40, "percent"),
        ("3到5次", 3, 5, "times"),
        ("一两趟", 1, 2, "times"),
        ("五到七万五", 50_000, 75_000, ""),
    ],
)
def test_a_range_is_one_number_with_two_ends(text, low, high, unit):
    found = only(text)
    assert (found.op, found.value, found.high, found.unit) == ("between", low, high, unit)


@pytest.mark.parametrize(
    "text", ["一下", "买了一些东西", "一起", "唯一的", "袋装零食", "who has children?", "no numbers here"]
)
def test_a_word_that_only_looks_like_a_number_is_none(text):
    assert numbers(text, is_chinese(text), []) == []


def test_half_in_chinese_is_not_the_number_one():
    assert all(number.value != 1 for number in numbers(plain("占比超过一半", True), True, []))


def test_a_number_inside_a_time_is_not_read_again():
    text = "over $20 in the last 30 days"
    (found,) = numbers(text, False, [(9, len(text))])
    assert found.value == 20


@given(st.integers(0, 10**9), st.sampled_from(["{}", "{:,}"]))
def test_digits_are_read_as_they_are(value, form):
    assert only("over $" + form.format(value)).value == value


DIGITS_ZH = "零一二三四五六七八九"


def in_chinese(value: int) -> str:
    """A number below a hundred million as it is written out in full."""
    if value >= 10_000:
        rest = value % 10_000
        return (
            in_chinese(value // 10_000) + "万" + ("零" * (0 < rest < 1000) + in_chinese(rest) if rest else "")
        )
    out, zero = "", False
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, size)
        if digit:
            out += ("零" if zero else "") + DIGITS_ZH[digit] + unit
            zero = False
        elif out:
            zero = True
    return out


@given(st.integers(1, 99_999_999))
@settings(max_examples=300)
def test_chinese_written_out_in_full_has_its_value(value):
    assert to_number(in_chinese(value)) == value


@given(
    st.text(
        st.sampled_from(string.printable + "零一二两三十百千万半几成元次岁月日年天前到超过至少%％￥＄５０"),
        max_size=30,
    )
)
@settings(max_examples=400, deadline=None)
def test_no_text_is_too_odd_to_read(text):
    for chinese in (False, True):
        for number in numbers(text, chinese, []):
            assert number.value >= 0
            assert number.high is None or number.high > number.value
            assert 0 <= number.span[0] < number.span[1] <= len(text)
