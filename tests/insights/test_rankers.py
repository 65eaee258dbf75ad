"""Rankers on small matrices against what they must say, and their measures by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from insights.rankers import METHODS, RANKERS, RIDGE
from insights.ranking_test import evaluate
from segments.errors import DefinitionError


def planted() -> sparse.csr_matrix:
    """60 customers: half buy things 0 to 4, half 5 to 9; each leaves out one of theirs."""
    marks = np.zeros((60, 10))
    for customer in range(60):
        half = 5 * (customer >= 30)
        marks[customer, half : half + 5] = 1.0
        marks[customer, half + customer % 5] = 0.0
    return sparse.csr_matrix(marks)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "popular"])
def test_every_personal_ranker_finds_what_is_left_out(method: str) -> None:
    weight = planted()
    scores = RANKERS[method](weight, weight).scores(np.arange(60))  # type: ignore[index]
    scores[weight.toarray() > 0] = -np.inf
    expected = np.array([5 * (c >= 30) + c % 5 for c in range(60)])
    # Six things are open to each; chance finds a sixth.
    assert (scores.argmax(axis=1) == expected).mean() > 0.6


def test_popularity_counts_recent_buyers() -> None:
    recent = sparse.csr_matrix(np.array([[1, 0, 1], [1, 0, 0]], bool))
    scores = RANKERS["popular"](recent, recent).scores(np.array([0, 1]))
    assert scores.tolist() == [[2.0, 0.0, 1.0]] * 2


def test_the_linear_ranker_is_the_ridge_regression() -> None:
    weight = sparse.csr_matrix(np.random.default_rng(3).random((40, 6)))
    together = weight.toarray().T @ weight.toarray()
    expected = weight.toarray() @ np.linalg.solve(together + RIDGE * 40 * np.eye(6), together)
    assert RANKERS["linear"](weight, weight).scores(np.arange(40)) == pytest.approx(expected)


def test_a_trend_raises_what_sells_better_lately() -> None:
    weight = planted()
    recent = sparse.csr_matrix((weight.toarray() > 0) & (np.arange(10) != 7))
    scores, plain = (RANKERS[name](weight, recent).scores(np.arange(60)) for name in ("trending", "linear"))
    bought, lasting = (np.asarray(matrix.sum(axis=0), dtype=float).ravel() for matrix in (recent, weight))
    trend = (bought + 5) / (lasting / lasting.sum() * bought.sum() + 5)
    assert trend[7] < 1 < trend[6]
    assert scores == pytest.approx(np.maximum(plain, 0) * np.sqrt(trend))


ITEMS = pd.DataFrame(
    {
        "item_id": [f"i{k}" for k in range(4)],
        "department": "D",
        "category": [f"c{k}" for k in range(4)],
        "name": [f"n{k}" for k in range(4)],
    }
)


def shopping(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "ts", "item_id"])
    return frame.assign(ts=pd.to_datetime(frame["ts"]))


def test_recall_and_ndcg_by_hand() -> None:
    # Popular before the cut: i0 (3 buyers), i1 (2), i2 (1). Then a buys i1 and i3, which nobody had.
    before = [("a", "i0"), ("b", "i0"), ("c", "i0"), ("b", "i1"), ("c", "i1"), ("c", "i2")]
    rows = [(who, "2024-01-20", what) for who, what in before]
    rows += [("a", "2024-02-10", "i1"), ("a", "2024-02-11", "i3"), ("a", "2024-02-12", "i0")]
    test = evaluate(["a", "b", "c"], shopping(rows), ITEMS, date(2024, 3, 1), methods=["popular"])
    popular = test.score("popular")
    assert test.customers == 1, "only a bought something new"
    assert popular.recall == pytest.approx(1 / 2), "i1 of {i1, i3}: what no model knows is a miss"
    # a had i0, so i1 stands first: gain 1, ideal 1 + 1 / log2(3).
    assert popular.ndcg == pytest.approx(1 / (1 + 1 / np.log2(3)))
    everything = evaluate(
        ["a"], shopping(rows), ITEMS, date(2024, 3, 1), methods=["popular"], repeats=True
    ).score("popular")
    assert everything.recall == pytest.approx(2 / 3)


def test_nothing_new_is_told() -> None:
    rows = [("a", "2024-01-20", "i0"), ("a", "2024-02-10", "i0")]
    with pytest.raises(DefinitionError, match="bought anything new"):
        evaluate(["a"], shopping(rows), ITEMS, date(2024, 3, 1), methods=["popular"])
