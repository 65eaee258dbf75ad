"""The plots of answers, drawn from what the tools really return."""

from dataclasses import asdict

import pytest

from assistant.toolbox import call_tool
from assistant.tools import Tools
from insights.anomalies import LABELS
from insights.positions import PositionEffect, Positions
from serving.page import plots
from serving.page.words import Say

LOYAL = {"feature": "orders_90d", "op": ">=", "value": 5}
EN, ZH = Say("en"), Say("zh")


@pytest.fixture(scope="module")
def found(guarded):
    """Evidence of a tool, as the page has it."""
    tools = Tools(guarded.service.rooms)
    return lambda name, **arguments: call_tool(tools, name, arguments)["evidence"]


def curve(figure):
    """The line of a figure, and the edges of its band."""
    high, low, line = figure.data
    return list(line.y), list(low.y), list(high.y)


def test_the_response_curve_has_its_interval(found):
    evidence = found("mail_frequency")
    figure = plots.of_answer(evidence, EN)
    rows = evidence[-1]["rows"]
    middle, low, high = curve(figure)
    assert middle == [row["responding"] for row in rows]
    assert all(a <= m <= b for a, m, b in zip(low, middle, high, strict=True))
    assert list(figure.data[-1].x) == [*(str(row["campaigns"]) for row in rows[:-1]), f"{len(rows) - 1}+"]
    assert figure.layout.title.text == "Share that redeems (95% interval)"
    assert "核销率" in plots.of_answer(evidence, ZH).layout.title.text


def test_positions_are_bars_with_their_intervals(found):
    evidence = found("placement_effect", category="SOUP")[:1]
    (bar,) = plots.of_answer(evidence, EN).data
    rows = evidence[0]["rows"]
    assert list(bar.y) == ["in-store display", "mailer"]
    assert list(bar.x) == [row["factor"] for row in rows]
    assert [x + up for x, up in zip(bar.x, bar.error_x.array, strict=True)] == pytest.approx(
        [row["high"] for row in rows]
    )
    assert list(plots.of_answer(evidence, ZH).data[0].y) == ["店内陈列", "广告邮件"]


def test_single_displays_are_bars_of_their_own():
    effects = (
        PositionEffect("display_front_end_cap", 2.1, 1.8, 2.5, 4000),
        PositionEffect("display_in_shelf", 1.7, 1.4, 2.2, 3000),
    )
    found = Positions(effects, 0.95)
    evidence = [
        {
            "tool": "display_positions",
            "rows": found.rows(),
            "figures": [asdict(figure) for figure in found.figures()],
        }
    ]
    (bar,) = plots.of_answer(evidence, EN).data
    assert sorted(zip(bar.y, bar.x, strict=True)) == [("front end cap", 2.1), ("in-shelf display", 1.7)]
    assert "前端架" in plots.of_answer(evidence, ZH).data[0].y


def test_anomalies_are_counted_by_their_reason_and_few_customers_have_no_bar(found):
    evidence = found("find_anomalies", kind="customer")
    (bar,) = plots.of_answer(evidence, ZH).data
    counts = {
        figure["name"].removeprefix("reason."): figure["value"]
        for figure in evidence[-1]["figures"]
        if figure["name"].startswith("reason.")
    }
    assert [LABELS[name][1] for name in counts] == [label.replace("<br>", "") for label in bar.y]
    assert list(bar.x) == [None if isinstance(count, str) else count for count in counts.values()]
    assert None in bar.x
    assert max(x for x in bar.x if x is not None) > 10


def test_the_expected_spend_grows_to_what_is_answered(found):
    evidence = found("customer_value", definition=LOYAL, weeks=26)
    figure = plots.of_answer(evidence, EN)
    middle, low, high = curve(figure)
    assert list(figure.data[-1].x) == [0, 6.5, 13, 19.5, 26]
    assert middle == sorted(middle)
    assert all(a <= m <= b for a, m, b in zip(low, middle, high, strict=True))
    value = next(figure for figure in evidence[-1]["figures"] if figure["name"] == "value")
    assert (low[-1], middle[-1], high[-1]) == pytest.approx(
        (value["low"], value["value"], value["high"]), abs=0.01
    )
    assert figure.layout.title.text == "Expected spend (90% interval)"


def test_who_moved_is_three_bars_and_none_where_it_is_held_back(found):
    evidence = found("diff_segment", definition=LOYAL, earlier="2017-10-01")
    shown = plots.values(evidence[-1])
    (bar,) = plots.of_answer(evidence, EN).data
    assert list(bar.y) == ["entered", "left", "stayed"]
    assert list(bar.x) == [shown["entered"], shown["left"], shown["stayed"]]
    figure = plots.of_answer(evidence, ZH)
    assert list(figure.data[0].y) == ["加入", "离开", "留下"]
    assert figure.layout.title.text == "2017-10-01 至 2018-01-01 的变动"
    held_back = [
        figure for figure in evidence[-1]["figures"] if figure["name"] not in ("entered", "left", "stayed")
    ]
    assert plots.of_answer([evidence[-1] | {"figures": held_back}], EN) is None


def test_what_drives_a_segments_probability_are_the_tools_own_shap_values(found):
    evidence = found("score_propensity", definition=LOYAL, outcome="purchase_30d")[-1]
    figure = plots.drivers(evidence, EN)
    assert list(figure.data[0].x) == [row["effect"] for row in evidence["rows"]]
    assert max(figure.data[0].x) > 0, "who orders often is likelier to order"
    assert "SHAP" in figure.layout.title.text
    assert "how often and how lately" in " ".join(figure.data[0].hovertext)
    assert "购买的频率" in " ".join(plots.drivers(evidence, ZH).data[0].hovertext)
    assert plots.drivers(evidence | {"rows": []}, EN) is None


def test_the_gains_and_lift_of_a_model_are_those_of_its_test(guarded):
    from serving.access import OWNER
    from serving.page import model_plots
    from serving.views import Views

    content = Views(guarded.service).model_card(OWNER, "purchase_30d")
    gains, lift = model_plots.gains(content["curves"], EN), model_plots.lift(content["curves"], EN)
    tenth = list(lift.data[1].x).index(0.1)
    assert lift.data[1].y[tenth] == pytest.approx(content["card"]["lift_top_decile"], rel=0.02)
    assert (gains.data[1].x[-1], gains.data[1].y[-1]) == (1.0, 1.0)
    assert list(lift.data[0].y) == [1.0, 1.0], "everyone's rate"


def test_a_cell_of_the_grid_that_is_held_back_says_so_in_its_place():
    figure = plots.heat(("1", "2"), ("1", "2"), ((0.5, None), (0.25, 0.25)), "RFM", "x", "y", "few")
    (said,) = figure.layout.annotations
    assert (said.x, said.y, said.text) == (1, 0, "few")
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("category", "category")
