"""Plots of how a model tested, on the cut in time that it never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from serving.page import plots
from serving.page.words import Say

Curves = Mapping[str, Mapping[str, Sequence[float]]]
"""x and y of each curve, as `propensity.model_card.curves` gives them."""
Line = tuple[Sequence[float], Sequence[float]]

WORDS = {
    "gains": ("model.gains", "model.contacted", "model.found"),
    "lift": ("model.lift.plot", "model.contacted", "model.times"),
    "reliability": ("model.reliability", "model.predicted", "model.observed"),
    "roc": ("model.roc", "model.false", "model.true"),
    "precision_recall": ("model.precision", "model.found", "model.right"),
}
"""Title, x and y of each."""
DIAGONAL: Line = ([0.0, 1.0], [0.0, 1.0])


def level(height: float) -> Line:
    """A line to compare with that is as high everywhere."""
    return [0.0, 1.0], [height, height]


def curve(curves: Curves, name: str, say: Say, reference: Line = DIAGONAL) -> go.Figure:
    """One curve of WORDS beside a line to compare with."""
    title, x, y = (say(word) for word in WORDS[name])
    return plots.line(
        curves[name]["x"],
        curves[name]["y"],
        title,
        marks=name == "reliability",
        x_title=x,
        y_title=y,
        reference=reference,
        percent=name != "lift",
        share_x=True,
    )


def gains(curves: Curves, say: Say) -> go.Figure:
    """The share of those who do it that is found by contacting the likeliest first."""
    return curve(curves, "gains", say)


def lift(curves: Curves, say: Say) -> go.Figure:
    """How many times everyone's rate the likeliest have; everyone's is 1."""
    return curve(curves, "lift", say, level(1.0))
