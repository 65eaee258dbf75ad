"""Plots (Plotly) of what tools and views return. Colours hold on light and dark; nothing is fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from insights.anomalies import LABELS
from serving.page.words import Say

ACCENT, OTHER, WARM, GRID, TEXT = "#6366f1", "#94a3b8", "#d97706", "rgba(128,128,128,.25)", "#4b5565"
SHOWN = 10
Evidence = Mapping[str, Any]


def bars(
    labels: Sequence[str],
    values: Sequence[float | None],
    title: str,
    *,
    hover: Sequence[str] | None = None,
    beside: tuple[str, Sequence[float | None]] | None = None,
    name: str = "",
    percent: bool = False,
    spread: tuple[Sequence[float], Sequence[float]] | None = None,
) -> go.Figure:
    """Horizontal bars, the first on top; `beside`: a second bar for each, by name. spread: lows and highs."""
    figure = go.Figure()
    error = None
    if spread is not None:
        known = [value or 0.0 for value in values]
        error = {
            "type": "data",
            "array": [high - value for high, value in zip(spread[1], known, strict=True)],
            "arrayminus": [value - low for low, value in zip(spread[0], known, strict=True)],
            "color": OTHER,
        }
    short = [_short(label) for label in labels]
    if beside is not None:
        figure.add_bar(
            y=short,
            x=list(beside[1]),
            name=beside[0],
            orientation="h",
            marker_color=OTHER,
            hovertext=list(hover or labels),
        )
    figure.add_bar(
        y=short,
        x=list(values),
        name=name,
        orientation="h",
        marker_color=ACCENT,
        error_x=error,
        hovertext=list(hover or labels),
    )
    figure.update_layout(barmode="group", showlegend=beside is not None)
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(tickformat=".0%" if percent else ",")
    two_lines = any("<br>" in label for label in short)
    return styled(figure, title, max(190, 90 + len(labels) * (34 if beside or two_lines else 26)))


def line(
    x: Sequence[Any],
    y: Sequence[float | None],
    title: str,
    *,
    band: tuple[Sequence[float], Sequence[float]] | None = None,
    marks: bool = True,
    x_title: str = "",
    y_title: str = "",
    reference: tuple[Sequence[float], Sequence[float]] | None = None,
    percent: bool = False,
    share_x: bool = False,
) -> go.Figure:
    """One line; band: lows and highs around it. reference: a dotted line to compare with."""
    figure = go.Figure()
    if band is not None:
        figure.add_scatter(x=list(x), y=list(band[1]), line_width=0, hoverinfo="skip")
        figure.add_scatter(
            x=list(x),
            y=list(band[0]),
            line_width=0,
            fill="tonexty",
            fillcolor="rgba(99,102,241,.2)",
            hoverinfo="skip",
        )
    if reference is not None:
        figure.add_scatter(
            x=list(reference[0]), y=list(reference[1]), mode="lines", line={"color": OTHER, "dash": "dot"}
        )
    mode = "lines+markers" if marks else "lines"
    figure.add_scatter(x=list(x), y=list(y), mode=mode, line={"color": ACCENT, "width": 2.5})
    figure.update_layout(showlegend=False)
    figure.update_xaxes(title=x_title or None, tickformat=".0%" if share_x else None)
    figure.update_yaxes(rangemode="tozero", title=y_title or None, tickformat=".0%" if percent else ",")
    return styled(figure, title, 270)


def heat(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[float | None]],
    title: str,
    x: str,
    y: str,
    few: str,
) -> go.Figure:
    """A grid of shares; few: said in cells that are not shown."""
    texts = [["" if value is None else f"{value:.0%}" for value in row] for row in cells]
    figure = go.Figure(
        go.Heatmap(
            z=[list(row) for row in cells],
            x=list(columns),
            y=list(rows),
            text=texts,
            texttemplate="%{text}",
            colorscale=[[0, "rgba(99,102,241,.06)"], [1, "rgba(99,102,241,.5)"]],
            showscale=False,
            hoverongaps=False,
            xgap=2,
            ygap=2,
        )
    )
    for row, shares in enumerate(cells):
        for column, share in enumerate(shares):
            if share is None:  # a category's place: its name would be taken for a number
                figure.add_annotation(x=column, y=row, text=few, showarrow=False)
    figure.update_xaxes(title=x, showgrid=False, type="category")
    figure.update_yaxes(title=y, showgrid=False, type="category")
    return styled(figure, title, 430)


def histogram(
    edges: Sequence[float],
    them: Sequence[float | None],
    everyone: Sequence[float],
    title: str,
    names: tuple[str, str],
) -> go.Figure:
    """Shares by ranges of probability, members beside everyone."""
    labels = [f"{low * 100:.0f}–{high:.0%}" for low, high in pairwise(edges)]
    figure = go.Figure()
    figure.add_bar(x=labels, y=list(everyone), name=names[1], marker_color=OTHER)
    figure.add_bar(x=labels, y=list(them), name=names[0], marker_color=ACCENT)
    figure.update_layout(barmode="group")
    figure.update_yaxes(tickformat=".0%")
    return styled(figure, title, 290)


def behaviour_map(
    others: Sequence[Sequence[float]], members: Sequence[Sequence[float]], title: str, names: tuple[str, str]
) -> go.Figure:
    """Customers as points, those of the segment lit."""
    figure = go.Figure()
    for points, name, colour, opacity in ((others, names[1], OTHER, 0.35), (members, names[0], WARM, 0.75)):
        figure.add_scatter(
            x=[point[0] for point in points],
            y=[point[1] for point in points],
            mode="markers",
            name=name,
            marker={"size": 4, "color": colour, "opacity": opacity},
            hoverinfo="skip",
        )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_layout(legend={"itemsizing": "constant"})
    return styled(figure, title, 430)


def styled(figure: go.Figure, title: str, height: int) -> go.Figure:
    """The page's look: no frame, quiet grid, the title above and the legend under it."""
    figure.update_layout(
        title={
            "text": title,
            "x": 0.01,
            "xanchor": "left",
            "y": 0.98,
            "yanchor": "top",
            "font": {"size": 15},
        },
        height=height,
        margin={"l": 8, "r": 16, "t": 44, "b": 34},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "color": TEXT, "size": 12},
        template="none",
        dragmode=False,
        bargap=0.25,
    )
    if figure.layout.showlegend is not False:
        legend = {"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0, "traceorder": "reversed"}
        figure.update_layout(legend=legend)
        figure.update_layout(margin_t=68)
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    return figure


def _short(label: str, most: int = 30) -> str:
    """A label on two lines at most, the rest cut off."""
    lines = wrap(label, most, max_lines=2, placeholder="…")
    return "<br>".join(lines)


def of_answer(evidence: Sequence[Evidence], say: Say) -> go.Figure | None:
    """The plot that fits an answer, of the last evidence that has one."""
    for item in reversed(evidence):
        draw = _PLOTS.get(item["tool"])
        if draw is not None and (item["rows"] or item["tool"] in _OF_FIGURES):
            figure = draw(item, say)
            if figure is not None:
                return figure
    return None


def values(item: Evidence) -> dict[str, Any]:
    """The figures of evidence by name."""
    return {figure["name"]: figure["value"] for figure in item["figures"]}


def number(value: object) -> float | None:
    """A figure as a number; None for one that is held back."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def trend(item: Evidence, say: Say) -> go.Figure | None:
    """Size at past dates."""
    rows = item["rows"]
    return line([row["as_of"] for row in rows], [number(row["size"]) for row in rows], say("plot.trend"))


def _moved(item: Evidence, say: Say) -> go.Figure | None:
    """Who entered, left and stayed; nothing where that is held back."""
    found, parts = values(item), ("entered", "left", "stayed")
    if "entered" not in found:
        return None
    title = say("plot.moved", earlier=found["earlier"], later=found["later"])
    return bars([say(f"plot.moved.{part}") for part in parts], [number(found[part]) for part in parts], title)


def breakdown(item: Evidence, say: Say) -> go.Figure | None:
    """Shares by value, beside everyone."""
    found = values(item)
    places = [row["place"] for row in item["rows"]]
    mine = [number(found.get(f"group.{place}.share")) for place in places]
    everyone = [number(found.get(f"group.{place}.everyone")) for place in places]
    labels = [str(row["label"]) for row in item["rows"]]
    title = next(f["label"] for f in item["figures"] if f["name"] == "feature")
    return bars(
        labels, mine, title, beside=(say("plot.everyone"), everyone), name=say("plot.them"), percent=True
    )


def effects(item: Evidence, say: Say) -> go.Figure | None:
    """What sets a segment apart, by effect size."""
    rows = [row for row in item["rows"] if row.get("effect") is not None][:SHOWN]
    if not rows:
        return None
    labels = [row["label_zh" if say.language == "zh" else "label_en"] for row in rows]
    spread = ([row["low"] for row in rows], [row["high"] for row in rows])
    return bars(labels, [row["effect"] for row in rows], say("plot.effects"), spread=spread)


def _probability(item: Evidence, say: Say) -> go.Figure | None:
    found = values(item)
    pair = [number(found["probability"]), number(found["everyone"])]
    return bars([say("plot.them"), say("plot.everyone")], pair, say("plot.probability"), percent=True)


def drivers(item: Evidence, say: Say) -> go.Figure | None:
    """What makes the members likelier or less likely than everyone, as mean SHAP in log-odds; None where nothing does."""
    rows = item["rows"]
    if not rows:
        return None
    labels = [row["words_zh" if say.language == "zh" else "words"] for row in rows]
    return bars(labels, [row["effect"] for row in rows], say("profile.drivers"))


def _clusters(item: Evidence, say: Say) -> go.Figure | None:
    rows = item["rows"]
    names = [f"{row['number']}. {row['name_zh' if say.language == 'zh' else 'name']}" for row in rows]
    return bars(names, [row["size"] for row in rows], say("plot.clusters"))


def _recommended(item: Evidence, say: Say) -> go.Figure | None:
    rows = item["rows"][:SHOWN]
    everyone = [row["buying_everyone"] for row in rows]
    return bars(
        [row["name"] for row in rows],
        [row["buying"] for row in rows],
        say("plot.recommended"),
        beside=(say("plot.everyone"), everyone),
        name=say("plot.them"),
        percent=True,
    )


def plan(item: Evidence, say: Say) -> go.Figure | None:
    """Who is contacted and who is held out, by tier."""
    rows = item["rows"]
    tiers = [say(f"tier.{row['name']}") for row in rows]
    return bars(
        tiers,
        [row["contact"] for row in rows],
        say("plot.plan"),
        beside=(say("arm.holdout"), [row["holdout"] for row in rows]),
        name=say("arm.contact"),
    )


def _demand(item: Evidence, say: Say) -> go.Figure | None:
    rows = item["rows"]
    band = ([row["low"] for row in rows], [row["high"] for row in rows])
    return line(
        [row["start"] for row in rows], [row["expected"] for row in rows], say("plot.demand"), band=band
    )


def _together(item: Evidence, say: Say) -> go.Figure | None:
    rows = item["rows"][:SHOWN]
    return bars(
        [f"{row['item']} + {row['other']}" for row in rows],
        [row["lift"] for row in rows],
        say("plot.together"),
    )


def arms(item: Evidence, say: Say) -> go.Figure | None:
    """Mean outcome of those contacted and those held out."""
    found = values(item)
    if "mean_contact" not in found:
        return None
    pair = [number(found["mean_contact"]), number(found["mean_holdout"])]
    return bars([say("arm.contact"), say("arm.holdout")], pair, say("plot.arms"))


def _uplift(item: Evidence, say: Say) -> go.Figure | None:
    found = values(item)
    groups = ("persuadable", "sure_thing", "lost_cause", "do_not_disturb")
    return bars(
        [say(f"uplift.{g}") for g in groups], [number(found.get(g)) for g in groups], say("plot.uplift")
    )


def _overlap(item: Evidence, say: Say) -> go.Figure | None:
    found, rows = values(item), item["rows"][:SHOWN]
    both = [number(found.get(f"pair.{row['place']}.jaccard")) for row in rows]
    return bars([row["pair"] for row in rows], both, say("plot.overlap"), percent=True)


def _frequency(item: Evidence, say: Say) -> go.Figure | None:
    """The response curve of campaigns a month."""
    rows = item["rows"]
    return line(
        [f"{row['campaigns']}{'+' if row['at_least'] else ''}" for row in rows],
        [row["responding"] for row in rows],
        say("plot.frequency", level=_level(item)),
        band=_band(rows),
        x_title=say("plot.frequency.x"),
        percent=True,
    )


def _placement(item: Evidence, say: Say) -> go.Figure | None:
    """Units with each position over units without."""
    rows = item["rows"]
    return bars(
        [say(f"placement.{row['position']}") for row in rows],
        [row["factor"] for row in rows],
        say("plot.placement", level=_level(item)),
        spread=_band(rows),
    )


def _positions(item: Evidence, say: Say) -> go.Figure | None:
    """Units in the stores with each display over units in stores without any."""
    rows = item["rows"]
    return bars(
        [row["words_zh" if say.language == "zh" else "words"] for row in rows],
        [row["factor"] for row in rows],
        say("plot.placement", level=_level(item)),
        spread=_band(rows),
    )


def _reviews(item: Evidence, say: Say) -> go.Figure | None:
    """Share of praise by aspect."""
    rows = item["rows"]
    name = "aspect_zh" if say.language == "zh" else "aspect"
    return bars(
        [row[name] for row in rows],
        [row["praise"] for row in rows],
        say("plot.reviews", level=_level(item)),
        spread=_band(rows),
        percent=True,
    )


def _anomalies(item: Evidence, say: Say) -> go.Figure | None:
    """How many are odd for which reason; a count that is held back has no bar."""
    found = {name: value for name, value in values(item).items() if name.startswith("reason.")}
    if not found:
        return None
    labels = [LABELS[name.removeprefix("reason.")][say.language == "zh"] for name in found]
    return bars(labels, [number(value) for value in found.values()], say("plot.anomalies"))


def _value(item: Evidence, say: Say) -> go.Figure | None:
    """Expected spend, the further ahead the more."""
    rows = [{"weeks": 0.0, "expected": 0.0, "low": 0.0, "high": 0.0}, *item["rows"]]
    return line(
        [row["weeks"] for row in rows],
        [row["expected"] for row in rows],
        say("plot.value", level=_level(item)),
        band=_band(rows),
        x_title=say("plot.value.x"),
    )


def _band(rows: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[float]]:
    return [row["low"] for row in rows], [row["high"] for row in rows]


def _level(item: Evidence) -> str:
    """The level of the intervals of evidence, in per cent."""
    return f"{next(figure['level'] for figure in item['figures'] if 'level' in figure):.0%}"


_PLOTS: dict[str, Callable[[Evidence, Say], go.Figure | None]] = {
    "trend_segment": trend,
    "diff_segment": _moved,
    "breakdown_segment": breakdown,
    "profile_segment": effects,
    "score_propensity": _probability,
    "discover_segments": _clusters,
    "recommend_products": _recommended,
    "plan_strategy": plan,
    "forecast_demand": _demand,
    "bought_together": _together,
    "measure_campaign": arms,
    "estimate_uplift": _uplift,
    "overlap_segments": _overlap,
    "mail_frequency": _frequency,
    "placement_effect": _placement,
    "display_positions": _positions,
    "find_anomalies": _anomalies,
    "review_sentiment": _reviews,
    "customer_value": _value,
}
_OF_FIGURES = frozenset(
    {"diff_segment", "find_anomalies", "score_propensity", "measure_campaign", "estimate_uplift"}
)
"""Tools whose plot needs no rows."""
