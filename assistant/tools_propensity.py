"""The tool of one customer's probability: what a model says of them, beside everyone, and what drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segments.errors import NotFoundError
from segments.ports import Evidence, Figure

if TYPE_CHECKING:
    from assistant.rooms import Rooms

QUOTED = ("auc", "baseline_auc", "ece", "test_cut")
"""Of the model's test, what belongs beside a single probability."""


def explain_propensity(rooms: Rooms, customer: str, outcome: str) -> Evidence:
    """The probability of one customer (an id of the source data). Rows: what drives it, as SHAP in log-odds against
    everyone's mean, strongest first. Raises NotFoundError for an unknown customer or outcome, and for one who is not
    asked (`Outcome.eligible`).
    """
    known, scores = rooms.vault.known(customer), rooms.propensity.scores(outcome)
    if known not in scores.index:
        raise NotFoundError(
            f"customer: '{customer}' has no probability of {outcome}, which is asked of other customers.",
            f"customer：客户“{customer}”没有{outcome}的概率：该结果只针对其他客户。",
        )
    explained = rooms.propensity.explain([known], outcome)
    probability, everyone = float(scores[known]), explained.everyone
    en, zh = explained.outcome.label_en, explained.outcome.label_zh
    test = {figure.name: figure for figure in explained.figures()}
    figures = (
        Figure("outcome", explained.outcome.name, "text", "outcome", "结果"),
        Figure("probability", probability, "probability", f"probability to {en}", f"{zh}的概率"),
        Figure("everyone", everyone, "probability", "everyone's", "全体客户"),
        Figure("lift", probability / everyone, "ratio", "times everyone's", "相对全体的倍数"),
        Figure(
            "above",
            float((scores < probability).mean()),
            "share",
            "of all customers are less likely",
            "的客户可能性更低",
        ),
        *(test[name] for name in QUOTED),
        Figure("as_of", rooms.warehouse.as_of.isoformat(), "date", "as of", "截至"),
    )
    return Evidence("", "explain_propensity", figures, tuple(explained.rows()))
