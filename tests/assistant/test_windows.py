"""Time expressions: each reads as the same days in English and Chinese, on any as-of date."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant.linking.calendar_days import black_friday
from assistant.linking.link import is_chinese
from assistant.linking.rewrite import plain
from assistant.linking.windows import TimeMention, windows
from segments.definition import Window

NEW_YEAR = date(2018, 1, 1)
LEAP = date(2024, 3, 1)
SEPTEMBER = date(2017, 9, 1)
"""The day after 29 February."""


def read(text: str, as_of: date) -> list[TimeMention]:
    return windows(text, is_chinese(text), as_of)


def days(text: str, as_of: date) -> tuple[int | None, int]:
    """The only window of a text: from and to, in days before the as-of date."""
    found = read(text, as_of)
    assert len(found) == 1, f"{text}: {[mention.text for mention in found]}"
    return found[0].window.start, found[0].window.end


def between(first: date, last: date, as_of: date) -> tuple[int, int]:
    """The window of the days from `first` to `last`, both included."""
    return (as_of - first).days, (as_of - last).days - 1


@pytest.mark.parametrize(
    ("texts", "window"),
    [
        (
            (
                "past 90 days",
                "in the last 90 days",
                "over the previous ninety days",
                "最近90天",
                "过去九十天",
            ),
            (90, 0),
        ),
        (("in the past two weeks", "the last 2 weeks", "最近两周", "近2周", "两周内"), (14, 0)),
        (("the last three months", "in the past 3 months", "近三个月", "最近3个月", "过去三个月"), (90, 0)),
        (("over the past six months", "in the last half a year", "过去半年", "近半年"), (180, 0)),
        (("in the past year", "over the last year", "最近一年", "近一年"), (365, 0)),
        (("in the past month", "近一个月", "最近一个月"), (30, 0)),
        (("yesterday",), (1, 0)),
        (("in the last 1,000 days", "过去1000天", "过去一千天"), (1000, 0)),
        (("between 30 and 60 days ago", "60 to 30 days ago", "30到60天前", "三十到六十天前"), (60, 30)),
        (("between 2 and 4 weeks ago", "two to four weeks ago", "2到4周前"), (28, 14)),
        (("in the last 120 days", "过去一百二十天"), (120, 0)),
        (("in the last couple of weeks", "in the last couple weeks"), (14, 0)),
    ],
)
@pytest.mark.parametrize("as_of", [NEW_YEAR, LEAP])
def test_a_rolling_window_is_the_same_on_every_day(texts, window, as_of):
    assert {text: days(text, as_of) for text in texts} == dict.fromkeys(texts, window)


@pytest.mark.parametrize(
    ("texts", "as_of", "first", "last"),
    [
        (("last month", "上个月", "上月"), NEW_YEAR, date(2017, 12, 1), date(2017, 12, 31)),
        (("last month", "上个月"), LEAP, date(2024, 2, 1), date(2024, 2, 29)),
        (("last quarter", "the previous quarter", "上季度", "上个季度"), NEW_YEAR, date(2017, 10, 1), date(2017, 12, 31)),
        (("last quarter", "上季度"), LEAP, date(2023, 10, 1), date(2023, 12, 31)),
        (("last year", "去年"), NEW_YEAR, date(2017, 1, 1), date(2017, 12, 31)),
        (("last year", "in 2023", "去年", "2023年"), LEAP, date(2023, 1, 1), date(2023, 12, 31)),
        (("this year", "今年"), LEAP, date(2024, 1, 1), date(2024, 2, 29)),
        (("last week", "上周"), NEW_YEAR, date(2017, 12, 25), date(2017, 12, 31)),
        (("last week", "上周"), LEAP, date(2024, 2, 19), date(2024, 2, 25)),
        (("since Thanksgiving, which was November 23",), NEW_YEAR, date(2017, 11, 23), date(2017, 12, 31)),
        (("the week of Thanksgiving", "Thanksgiving week"), NEW_YEAR, date(2017, 11, 20), date(2017, 11, 26)),
        (("Thanksgiving weekend",), NEW_YEAR, date(2017, 11, 23), date(2017, 11, 26)),
        (("Labor Day weekend",), NEW_YEAR, date(2017, 9, 2), date(2017, 9, 4)),
        (("Halloween weekend",), NEW_YEAR, date(2017, 10, 28), date(2017, 10, 29)),
        (("on 23 or 24 December", "December 23 and 24"), NEW_YEAR, date(2017, 12, 23), date(2017, 12, 24)),
        (("between December 3 and 10",), NEW_YEAR, date(2017, 12, 3), date(2017, 12, 10)),
        (("the back half of November", "the second half of November"), NEW_YEAR, date(2017, 11, 16), date(2017, 11, 30)),
        (("from mid-October",), NEW_YEAR, date(2017, 10, 11), date(2017, 12, 31)),
        (("the week of December 13", "week of 13 December"), NEW_YEAR, date(2017, 12, 11), date(2017, 12, 17)),
        (("the week starting December 13",), NEW_YEAR, date(2017, 12, 13), date(2017, 12, 19)),
        (("in the last week of November", "11月最后一周"), NEW_YEAR, date(2017, 11, 24), date(2017, 11, 30)),
        (("12/1-12/24", "1/12 - 24/12"), NEW_YEAR, date(2017, 12, 1), date(2017, 12, 24)),
        (("since 9/1", "9/1 onward"), NEW_YEAR, date(2017, 9, 1), date(2017, 12, 31)),
        (("in 11/2017",), NEW_YEAR, date(2017, 11, 1), date(2017, 11, 30)),
        (("in June, July and August", "6-8月", "六到八月"), NEW_YEAR, date(2017, 6, 1), date(2017, 8, 31)),
        (("in Nov/Dec",), NEW_YEAR, date(2017, 11, 1), date(2017, 12, 31)),
        (("in the months of May and June",), NEW_YEAR, date(2017, 5, 1), date(2017, 6, 30)),
        (("三四月份",), NEW_YEAR, date(2017, 3, 1), date(2017, 4, 30)),
        (("in the first three quarters", "前三季度"), NEW_YEAR, date(2017, 1, 1), date(2017, 9, 30)),
        (("in the first two quarters of the year",), NEW_YEAR, date(2017, 1, 1), date(2017, 6, 30)),
        (("in the first ten days of December", "十二月头十天"), NEW_YEAR, date(2017, 12, 1), date(2017, 12, 10)),
        (("the holiday season", "over the Christmas period"), NEW_YEAR, date(2017, 11, 1), date(2017, 12, 31)),
        (("all year",), NEW_YEAR, date(2017, 1, 1), date(2017, 12, 31)),
        (("入秋以来",), NEW_YEAR, date(2017, 9, 1), date(2017, 12, 31)),
        (("暑期",), NEW_YEAR, date(2017, 7, 1), date(2017, 8, 31)),
        (("10月上半月",), NEW_YEAR, date(2017, 10, 1), date(2017, 10, 16)),
        (("八月下半月",), NEW_YEAR, date(2017, 8, 17), date(2017, 8, 31)),
        (("十月第一周",), NEW_YEAR, date(2017, 10, 1), date(2017, 10, 7)),
        (("十月份前两周", "十月头两周"), NEW_YEAR, date(2017, 10, 1), date(2017, 10, 14)),
        (("十月中旬到十一月底",), NEW_YEAR, date(2017, 10, 11), date(2017, 11, 30)),
        (("in Q3 and Q4",), NEW_YEAR, date(2017, 7, 1), date(2017, 12, 31)),
        (("国庆期间", "国庆长假", "国庆那周"), NEW_YEAR, date(2017, 10, 1), date(2017, 10, 7)),
        (("暑假",), NEW_YEAR, date(2017, 7, 1), date(2017, 8, 31)),
        (("since Black Friday", "黑五以来", "黑色星期五以来"), NEW_YEAR, date(2017, 11, 24), date(2017, 12, 31)),
        (("since Black Friday", "黑五以来"), LEAP, date(2023, 11, 24), date(2024, 2, 29)),
        (("on Black Friday", "黑五当天"), NEW_YEAR, date(2017, 11, 24), date(2017, 11, 24)),
        (("since Christmas", "圣诞节以来"), LEAP, date(2023, 12, 25), date(2024, 2, 29)),
        (("since November 15", "since the 15th of November"), NEW_YEAR, date(2017, 11, 15), date(2017, 12, 31)),
        (("since Nov 15", "11月15日以来"), NEW_YEAR, date(2017, 11, 15), date(2017, 12, 31)),
        (("in February", "二月"), LEAP, date(2024, 2, 1), date(2024, 2, 29)),
        (("in December", "十二月"), LEAP, date(2023, 12, 1), date(2023, 12, 31)),
        (("in March 2017", "2017年3月"), NEW_YEAR, date(2017, 3, 1), date(2017, 3, 31)),
        (("from June to August", "in summer", "6月到8月", "夏天"), NEW_YEAR, date(2017, 6, 1), date(2017, 8, 31)),
        (("in Q3", "in the third quarter", "第三季度"), LEAP, date(2023, 7, 1), date(2023, 9, 30)),
        (("in the first half of the year", "上半年"), NEW_YEAR, date(2017, 1, 1), date(2017, 6, 30)),
        (("last winter", "冬天"), LEAP, date(2023, 12, 1), date(2024, 2, 29)),
        (("last quarter", "上季度"), SEPTEMBER, date(2017, 4, 1), date(2017, 6, 30)),
        (("the last quarter of last year", "the last quarter of 2016"), SEPTEMBER, date(2016, 10, 1), date(2016, 12, 31)),
        (("in the first half of last year",), SEPTEMBER, date(2016, 1, 1), date(2016, 6, 30)),
        (("in Thanksgiving week 2016",), SEPTEMBER, date(2016, 11, 21), date(2016, 11, 27)),
        (("from November to February",), LEAP, date(2023, 11, 1), date(2024, 2, 29)),
    ],
)  # fmt: skip
def test_a_calendar_period_is_those_days(texts, as_of, first, last):
    expected = between(first, last, as_of)
    assert {text: days(text, as_of) for text in texts} == dict.fromkeys(texts, expected)
    for text in texts:
        assert (read(text, as_of)[0].first, read(text, as_of)[0].last) == (first, last)


@pytest.mark.parametrize(
    ("text", "as_of", "first", "last"),
    [
        ("去年3月", LEAP, date(2023, 3, 1), date(2023, 3, 31)),
        ("去年3月", NEW_YEAR, date(2017, 3, 1), date(2017, 3, 31)),
        ("今年2月", LEAP, date(2024, 2, 1), date(2024, 2, 29)),
    ],
)
def test_a_month_of_a_named_year_in_chinese_is_that_month(text, as_of, first, last):
    assert days(text, as_of) == between(first, last, as_of)


@pytest.mark.parametrize("text", ["since December 25", "since Christmas", "12月25日以来"])
def test_a_day_of_this_month_that_has_not_come_is_last_years(text):
    as_of = date(2017, 12, 10)
    assert days(text, as_of) == between(date(2016, 12, 25), date(2017, 12, 9), as_of)


@pytest.mark.parametrize(
    "text", ["more than 60 days ago", "60 days ago", "over two months ago", "60天前", "两个月以前"]
)
def test_how_long_ago_is_a_gap(text):
    (mention,) = read(text, NEW_YEAR)
    assert mention.gap
    assert mention.window.start == 60


def test_before_a_month_ends_where_the_month_begins():
    assert days("before June", NEW_YEAR) == (None, (NEW_YEAR - date(2017, 6, 1)).days)


@pytest.mark.parametrize(
    "text",
    [
        "until the end of June",
        "by the end of June",
        "before the end of June",
        "up to the end of June",
        "through June",
        "through the end of June",
    ],
)
def test_to_the_end_of_a_month_is_all_that_was_before_the_next(text):
    assert days(text, NEW_YEAR) == (None, (NEW_YEAR - date(2017, 7, 1)).days)


def test_a_range_goes_to_the_end_of_its_last_month():
    assert days("from May through June", NEW_YEAR) == between(date(2017, 5, 1), date(2017, 6, 30), NEW_YEAR)
    assert days("all through June", NEW_YEAR) == between(date(2017, 6, 1), date(2017, 6, 30), NEW_YEAR)


@pytest.mark.parametrize("text", ["2/3 of their orders", "in 1/4 of the trips", "9/1"])
def test_a_fraction_is_no_day(text):
    assert read(text, NEW_YEAR) == []


def test_two_times_of_one_question_are_both_read():
    found = read("bought soup last month but nothing in the past 14 days", NEW_YEAR)
    assert [mention.window.start for mention in found] == [31, 14]


@pytest.mark.parametrize("text", ["in 2019", "on the 5th of never", "who has children?", "有孩子的客户"])
def test_no_time_is_read_where_none_was_said(text):
    assert read(text, NEW_YEAR) == []


def test_black_friday_is_the_day_after_the_fourth_thursday():
    known = {2016: 25, 2017: 24, 2018: 23, 2019: 29, 2022: 25, 2023: 24, 2024: 29}
    assert {year: black_friday(year).day for year in known} == known


# --- On every day ------------------------------------------------------------------------------

as_ofs = st.dates(date(2012, 1, 1), date(2040, 12, 31))
MONTHS = "January February March April May June July August September October November December".split()
HOLIDAYS = [
    "Black Friday",
    "Thanksgiving",
    "Christmas",
    "Halloween",
    "Labor Day",
    "Independence Day",
    "New Year",
]
counts = st.integers(0, 400)
expressions = st.one_of(
    st.builds("in the last {} {}s".format, counts, st.sampled_from(["day", "week", "month", "quarter", "year"])),
    st.builds("{} {}s ago".format, counts, st.sampled_from(["day", "week", "month"])),
    st.builds("between {} and {} days ago".format, counts, counts),
    st.builds("{} {}".format, st.sampled_from(["last", "this"]), st.sampled_from(["week", "month", "quarter", "year"])),
    st.builds("{} {}".format, st.sampled_from(["since", "on"]), st.sampled_from(HOLIDAYS)),
    st.builds("{} {}".format, st.sampled_from(["since", "in", "before", "after"]), st.sampled_from(MONTHS)),
    st.builds("{} {} {}".format, st.sampled_from(["since", "before"]), st.sampled_from(MONTHS), st.integers(1, 31)),
    st.builds("from {} to {}".format, st.sampled_from(MONTHS), st.sampled_from(MONTHS)),
    st.builds("in {} {}".format, st.sampled_from(MONTHS), st.integers(2010, 2045)),
    st.builds("in {}".format, st.sampled_from(["spring", "summer", "fall", "winter", "Q1", "Q2", "Q3", "Q4"])),
    st.builds("最近{}{}".format, counts, st.sampled_from(["天", "周", "个月", "年"])),
    st.builds("{}到{}天前".format, counts, counts),
    st.builds("{}天前".format, counts),
    st.sampled_from("上个月 本月 上季度 去年 今年 上周 上半年 下半年 冬天 黑五以来 元旦以来".split()),
    st.builds("{}月{}日以来".format, st.integers(1, 12), st.integers(1, 31)),
    st.builds("{}月到{}月".format, st.integers(0, 14), st.integers(0, 14)),
)  # fmt: skip


@given(text=expressions, as_of=as_ofs)
@example("in the last 0 days", NEW_YEAR)
@example("before February 28", date(2024, 2, 20))
@example("before February 30", LEAP)
@settings(max_examples=400, deadline=None)
def test_no_window_is_empty_or_lies_in_the_future(text, as_of):
    for mention in read(text, as_of):
        start, end = mention.window.start, mention.window.end
        assert end >= 0, "it reaches beyond the as-of date"
        assert start is None or start > end, "nothing could happen in it"
        assert start is not None or end > 0, "it says nothing"


@given(text=expressions, as_of=as_ofs)
@settings(max_examples=200, deadline=None)
def test_the_days_that_are_stated_are_the_days_that_are_counted(text, as_of):
    for mention in read(text, as_of):
        if mention.first is not None and mention.last is not None:
            counted = (mention.window.start, mention.window.end)
            assert counted == between(mention.first, mention.last, as_of)
            assert mention.first <= mention.last < as_of


@given(as_of=as_ofs)
@settings(max_examples=100, deadline=None)
def test_last_month_is_the_whole_month_before(as_of):
    (mention,) = read("last month", as_of)
    assert mention.first is not None
    assert mention.first.day == 1
    assert mention.last == as_of.replace(day=1) - timedelta(days=1)


@given(as_of=as_ofs, holiday=st.sampled_from(HOLIDAYS))
@settings(max_examples=100, deadline=None)
def test_a_holiday_is_the_latest_that_has_passed(as_of, holiday):
    (mention,) = read(f"on {holiday}", as_of)
    assert mention.first is not None
    assert timedelta(0) < as_of - mention.first <= timedelta(days=371)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("自二〇一七年十一月一日起至十一月三十日止", date(2017, 11, 1), date(2017, 11, 30)),
        ("2017年全年", date(2017, 1, 1), date(2017, 12, 31)),
        ("双十一当天(11月11号)", date(2017, 11, 11), date(2017, 11, 11)),
        ("国庆黄金周(10月1号到7号)", date(2017, 10, 1), date(2017, 10, 7)),
        ("母亲节当周(五月八日至五月十四日)", date(2017, 5, 8), date(2017, 5, 14)),
        ("圣诞节前一周", date(2017, 12, 18), date(2017, 12, 24)),
        ("感恩节后三天", date(2017, 11, 24), date(2017, 11, 26)),
        ("2017Q3", date(2017, 7, 1), date(2017, 9, 30)),
        ("10、11两个月", date(2017, 10, 1), date(2017, 11, 30)),
    ],
)
def test_calendar_times_that_chinese_says_in_its_own_way(text, first, last):
    (mention,) = read(plain(text, True), NEW_YEAR)
    assert (mention.first, mention.last) == (first, last)


def test_a_time_said_of_each_month_or_quarter_has_parts():
    (quarters,) = read(plain("第二、第三、第四季度均", True), NEW_YEAR)
    assert quarters.parts == (Window(275, 184), Window(184, 92), Window(92, 0))
    (months,) = read("11月到12月每个月都", NEW_YEAR)
    assert months.parts == (Window(61, 31), Window(31, 0))
    (together,) = read("七月和八月", NEW_YEAR)
    assert not together.parts


def test_a_time_before_the_one_just_said_ends_where_that_began():
    recent, earlier = read("最近一周来过,再往前整整30天没来", NEW_YEAR)
    assert (recent.window, earlier.window) == (Window(7, 0), Window(37, 7))


@pytest.mark.parametrize("text", ["六十五周岁", "45-90天"])
def test_an_age_and_a_range_of_days_are_no_time(text):
    assert read(text, NEW_YEAR) == []


def test_the_days_before_those_end_where_the_others_begin() -> None:
    text = "none in the last 45 days, though five in the 90 days before those"
    assert [time.window for time in windows(text, False, date(2018, 1, 1))] == [
        Window(45, 0),
        Window(135, 45),
    ]
