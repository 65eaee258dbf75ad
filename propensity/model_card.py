"""A model's card: what it predicts, how it was tested, for whom it works, what drives it, from what it was made.

JSON for machines; one HTML file with its plots inside for people. Plots are of the test cut, which the tested model
never saw.
"""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from propensity.candidate import Card
from propensity.choices import Choice
from propensity.evaluate import BINS, auc, ece
from propensity.families import NAMED
from propensity.model import CalibratedModel, PropensityModel
from propensity.next_action import OneAnswer

LEAST_GROUP = 50
"""Customers below which a group's figures are chance and close to persons."""
SHOWN_DRIVERS = 20
POINTS = 101


def family(model: CalibratedModel | OneAnswer) -> str:
    """What kind of model it is, in words."""
    if isinstance(model, OneAnswer):
        return "LightGBM with an answer for each event"
    if not isinstance(model, PropensityModel):
        return NAMED[model.family].words
    # Read from what is saved: a change of the model's own source would have every workspace train anew.
    weight = json.loads(model.to_bytes())["weight"]
    return f"LightGBM and, at {weight:.0%} of the log-odds, logistic regression" if weight else "LightGBM"


def build_card(
    card: Card,
    made_by: str,
    tested: pd.DataFrame,
    groups: pd.DataFrame,
    drivers: pd.Series,
    choice: Choice | None = None,
) -> dict[str, Any]:
    """The card as JSON. made_by: the kind of model, in words (`family`). tested: `score` and `label` by customer_id.
    groups: demographic columns by customer_id. drivers: mean absolute SHAP value in log-odds by column. choice: of the
    family of models, where one was made."""
    labels, scores = tested["label"].to_numpy(), tested["score"].to_numpy()
    top = drivers.sort_values(ascending=False).head(SHOWN_DRIVERS)
    return {
        "card": card.to_dict(),
        "family": made_by,
        "average_precision": float(average_precision_score(labels, scores)),
        "curves": curves(labels, scores),
        "drivers": {str(name): round(float(value), 4) for name, value in top.items()},
        "fairness": fairness(tested, groups),
        "choice": choice.to_dict() if choice is not None else None,
    }


def curves(labels: np.ndarray, scores: np.ndarray) -> dict[str, dict[str, list[float]]]:
    """ROC, precision and recall, reliability, gains and lift, each as x and y."""
    false_rate, true_rate, _ = roc_curve(labels, scores)
    precision, recall, _ = precision_recall_curve(labels, scores)
    order = np.argsort(-scores, kind="stable")
    share = np.linspace(0, 1, POINTS)
    found = np.concatenate([[0], np.cumsum(labels[order])]) / max(1, labels.sum())
    gains = np.interp(share, np.linspace(0, 1, len(found)), found)
    bins = [part for part in np.array_split(np.argsort(scores, kind="stable"), BINS) if len(part)]
    grid = np.linspace(0, 1, POINTS)
    return {
        "roc": _points(grid, np.interp(grid, false_rate, true_rate)),
        "precision_recall": _points(grid, np.interp(grid, recall[::-1], precision[::-1])),
        "reliability": _points(
            np.array([scores[part].mean() for part in bins]), np.array([labels[part].mean() for part in bins])
        ),
        "gains": _points(share, gains),
        "lift": _points(share[1:], gains[1:] / share[1:]),
    }


def fairness(tested: pd.DataFrame, groups: pd.DataFrame) -> list[dict[str, Any]]:
    """For each value of each demographic column with enough customers: how many, how many did it, what was said, how
    well they were ordered (NaN as None where only one answer occurs) and calibrated."""
    found = []
    for name in groups:
        values = groups[name].reindex(tested.index)
        for value in sorted(values.dropna().unique(), key=str):
            part = tested[values == value]
            if len(part) < LEAST_GROUP:
                continue
            labels, scores = part["label"].to_numpy(), part["score"].to_numpy()
            area = auc(labels, scores)
            found.append(
                {
                    "feature": str(name),
                    "value": str(value),
                    "customers": len(part),
                    "rate": float(labels.mean()),
                    "mean_score": float(scores.mean()),
                    "auc": None if np.isnan(area) else float(area),
                    "ece": ece(labels, scores),
                }
            )
    return found


def to_html(content: Mapping[str, Any]) -> str:
    """The card as one file that needs nothing else."""
    card, lines = content["card"], content["curves"]
    plots = {
        "ROC": _plot(lines["roc"], "share of the others", "share of those who did", diagonal=True),
        "Precision and recall": _plot(lines["precision_recall"], "recall", "precision"),
        "Reliability": _plot(lines["reliability"], "predicted", "observed", diagonal=True, marks=True),
        "Gains": _plot(
            lines["gains"], "share of customers, highest first", "share of those who did", diagonal=True
        ),
        "Lift": _plot(lines["lift"], "share of customers, highest first", "times everyone's rate"),
        "What drives it": _bars(content["drivers"]),
    }
    figures = "".join(
        f'<figure><figcaption>{html.escape(title)}</figcaption><img alt="{html.escape(title)}" '
        f'src="data:image/svg+xml;base64,{image}"></figure>'
        for title, image in plots.items()
    )
    name = html.escape(card["outcome"])
    rounds = f"{card['rounds']} rounds, " if card["rounds"] else ""
    summary = (
        f"Tested on {card['test_cut']} with {card['customers']:,} customers, {card['positives']:,} of whom did it: AUC "
        f"{card['auc']:.3f} ({card['auc_low']:.3f} to {card['auc_high']:.3f}; plain RFM {card['baseline_auc']:.3f}), "
        f"calibration error {card['ece']:.3f}, Brier score {card['brier']:.3f}, average precision "
        f"{content['average_precision']:.3f}, lift of the top tenth {card['lift_top_decile']:.2f}."
    )
    made = {
        "model": f"{card['model']}: {content['family']}, {rounds}calibration: {card['calibration']}",
        "trained on": ", ".join(card["train_cuts"]),
        "chosen on": ", ".join(card["validation_cuts"]),
        "served model fitted on": ", ".join(card["served_cuts"]),
        "scores as of": card["scored_as_of"],
        "data hash": card["data_hash"],
        "code version": card["code_version"],
        "created": card["created"],
        f"{len(card['features'])} features": ", ".join(card["features"]),
    }
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Model card: {name}</title><style>{_STYLE}</style>'
        f"<h1>Model card: {name}</h1><p>{html.escape(summary)}</p><div class='plots'>{figures}</div>"
        f"<h2>By group</h2>{_table(content['fairness'], f'No demographic group has {LEAST_GROUP} customers.')}"
        f"<h2>Rivals</h2>{_rivals(content)}<h2>How it was made</h2>{_pairs(made)}</html>\n"
    )


def _rivals(content: Mapping[str, Any]) -> str:
    """Why it is a model of this family, and how far the others were behind."""
    choice, name = content["choice"], content["card"]["outcome"]
    if choice is None:
        why = (
            f"No families were compared for this outcome: it has the default. segassist models compare {name}"
        )
        return f"<p>{html.escape(why)}</p>"
    why = f"{choice['words']} ({choice['decided']})"
    if choice["family"] != content["card"]["family"]:
        why += " The model in use is of another family: the next build trains this one."
    rows = [
        {
            "family": row["words"],
            "log loss": f"{row['log_loss']:.4f}",
            "behind": f"{row['behind']:+.4f} ({row['behind_low']:+.4f} to {row['behind_high']:+.4f})",
            "AUC": row["auc"],
            "ECE": row["ece"],
        }
        for row in choice["rows"]
    ]
    tested = f"{choice['customers']:,} customers on {', '.join(choice['folds'])}; 95 % intervals, paired"
    told = f"<p>{html.escape(tested)}</p>" if rows else ""
    return f"<p>{html.escape(why)}</p>{told}{_table(rows, 'Nothing was compared.')}"


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1d2733}"
    ".plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figcaption{font-weight:600}"
    "table{border-collapse:collapse}td,th{padding:.25rem .75rem;border-bottom:1px solid #d5dbe3;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}"
)


def _table(rows: list[dict[str, Any]], without: str) -> str:
    if not rows:
        return f"<p>{html.escape(without)}</p>"
    head = "".join(f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row.values()) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _pairs(pairs: Mapping[str, str]) -> str:
    rows = "".join(
        f"<tr><th>{html.escape(key)}</th><td>{html.escape(value)}</td></tr>" for key, value in pairs.items()
    )
    return f"<table>{rows}</table>"


def _cell(value: object) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else html.escape(str(value))


def _points(x: np.ndarray, y: np.ndarray) -> dict[str, list[float]]:
    return {"x": [round(float(v), 5) for v in x], "y": [round(float(v), 5) for v in y]}


def _plot(
    line: Mapping[str, list[float]], x: str, y: str, *, diagonal: bool = False, marks: bool = False
) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3.4), layout="constrained")
    axes = figure.add_subplot()
    if diagonal:
        axes.plot([0, 1], [0, 1], color="#9aa5b1", linestyle=":")
    axes.plot(line["x"], line["y"], color="#1f6feb", marker="o" if marks else None)
    axes.set(xlabel=x, ylabel=y, ylim=(0, None))
    return _svg(figure)


def _bars(values: Mapping[str, float]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(list(values)[::-1], list(values.values())[::-1], color="#1f6feb")
    axes.set(xlabel="mean absolute SHAP value (log-odds)")
    return _svg(figure)


def _svg(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return base64.b64encode(buffer.getvalue()).decode()
