"""The check that an answer shows only figures which the evidence holds."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assistant.grounding import display, numbers_in, ungrounded
from segments.ports import Evidence, Figure


def figure(value, unit="customers", **interval) -> Figure:
    return Figure("figure", value, unit, "figure", "数字", **interval)


EVIDENCE = [
    Evidence(
        "e1",
        "define_segment",
        (
            figure(1234),
            figure(0.34127, "share"),
            figure(2513.678, "currency", low=2401.2, high=2630.9, level=0.9),
            figure("customers who spent more than $750 in the last 92 days", "text"),
            figure("2018-01-01", "date"),
        ),
        ({"name": "SOUP", "lift": 1.4187, "parts": [{"index": 57}, {"index": 0.088}]},),
        ("At least 45 customers are needed.",),
    )
]


@pytest.mark.parametrize(
    "text",
    [
        "1234 customers",
        "1,234 customers",
        "34.1 % of all",
        "34.13%",
        "34 %",
        "0.34 of all",
        "$2,514",
        "$2513.7 ($2,401 – $2,631)",
        "90 % sure",
        "more than $750 in the last 92 days",
        "as of 2018-01-01",
        "SOUP suits them 1.42 times as well",
        "an index of 57, another of 8.8 %",
        "at least 45",
        "共 1,234 位客户，占 34.1%，消费 2514 元",
        "１２３４ 位",
        "no figure at all",
        "",
    ],
)
def test_what_the_evidence_shows_is_grounded(text):
    assert ungrounded(text, EVIDENCE) == []


@pytest.mark.parametrize(
    ("text", "invented"),
    [
        ("1235 customers", ["1235"]),
        ("1,243 customers", ["1243"]),
        ("34.2 % of all", ["34.2"]),
        ("34.12 %", ["34.12"]),
        ("35 %", ["35"]),
        ("$2,513.60", ["2513.60"]),
        ("12 customers, 34.1 %", ["12"]),
        ("SOUP suits them 1.5 times as well", ["1.5"]),
        ("1,234 customers, 7 of whom left, and 8 more", ["7", "8"]),
        ("共 1,299 位客户，占 34.1%", ["1299"]),
        ("３４５６ 位", ["３４５６"]),
        ("2018-02-01", ["02"]),
    ],
)
def test_a_number_that_the_evidence_does_not_show_is_caught(text, invented):
    assert ungrounded(text, EVIDENCE) == invented


def test_without_evidence_every_number_is_invented():
    assert ungrounded("12 of 34", []) == ["12", "34"]
    assert ungrounded("nobody", []) == []


def test_only_a_share_may_be_shown_as_percent():
    assert ungrounded("34.1 %", [Evidence("e1", "t", (figure(0.341, "share"),))]) == []
    assert ungrounded("123,400 customers", [Evidence("e1", "t", (figure(1234),))]) == ["123400"]


def test_a_number_inside_a_name_is_not_a_figure():
    assert ungrounded("orders_90d and c5 of v2", []) == []


units = st.sampled_from(
    ["customers", "currency", "share", "probability", "days", "orders", "items", "ratio", "effect", "count"]
)
values = st.one_of(
    st.integers(0, 10_000_000), st.floats(-1e7, 1e7, allow_nan=False), st.floats(0, 1), st.floats(0, 100)
)


@given(values, units, st.sampled_from(["$", "€", "￥"]))
@settings(max_examples=300)
def test_a_figure_as_displayed_is_grounded_in_itself(value, unit, currency):
    shown = figure(value, unit)
    assert ungrounded(display(shown, currency), [Evidence("e1", "t", (shown,))]) == []


@given(st.lists(values, min_size=1, max_size=6).map(sorted), units)
@settings(max_examples=200)
def test_an_interval_as_displayed_is_grounded(edges, unit):
    shown = figure(edges[len(edges) // 2], unit, low=edges[0], high=edges[-1])
    assert ungrounded(display(shown), [Evidence("e1", "t", (shown,))]) == []


@given(
    st.lists(st.one_of(st.integers(0, 100_000), st.floats(0, 100_000)), max_size=8),
    st.integers(0, 10_000_000),
    st.integers(0, 3),
    st.sampled_from(["{} customers", "about {}%", "花了 ${} 元", "（{}）", "**{}**"]),
)
@settings(max_examples=300)
def test_any_number_not_derived_from_the_evidence_is_caught(shown, digits, places, sentence):
    number = digits / 10**places
    near = [v for v in [*shown, *(100 * v for v in shown)] if abs(v - number) <= 0.6 * 10**-places]
    assume(not near)
    written = f"{number:.{places}f}"
    evidence = [Evidence("e1", "t", tuple(figure(v) for v in shown))]
    assert ungrounded(sentence.format(written), evidence) == [written]


@given(st.integers(0, 10**9))
def test_thousands_separators_change_nothing(value):
    assert numbers_in(f"{value:,}") == numbers_in(str(value)) == [str(value)]


@pytest.mark.parametrize("text", ["-12", "+12", "−12", "12", "$-12", "(12)", "12%", "12元"])
def test_signs_and_units_are_not_part_of_a_number(text):
    assert [re.sub(r"\D", "", number) for number in numbers_in(text)] == ["12"]
