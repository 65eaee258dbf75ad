"""Lookalikes: the customers who behave most like a segment or one customer, by one of three methods.

`eval.bench.lookalikes` compares them on buyers held out; the best of them is the default.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, get_args

import numpy as np
from sklearn.svm import OneClassSVM

from indexes.index import CustomerIndex, Match
from segments.errors import DefinitionError

Method = Literal["centroid", "votes", "one_class"]
METHODS: tuple[Method, ...] = get_args(Method)
DEFAULT: Method = "centroid"
NEIGHBOURS = 50
OUTSIDE = 0.9
"""One-class SVM: share of the seeds that may lie outside the region it draws (its nu)."""


def lookalikes(
    index: CustomerIndex,
    seeds: Sequence[str],
    top: int,
    within: Collection[str] | None = None,
    method: Method = DEFAULT,
) -> list[Match]:
    """The `top` customers most like the seeds, who are left out; nearest first.

    centroid: nearest to the seeds' mean relative to everyone's; what all share says nothing about the seeds.
    votes: each seed votes for its nearest customers with their cosine; the highest sums win (maybe < top).
    one_class: deepest inside the region that a one-class SVM draws around the seeds.
    similarity is a cosine for centroid, the method's own score for the others.
    Raises DefinitionError without seeds or for another method, NotFoundError for an unknown seed.
    """
    if not seeds:
        raise DefinitionError(
            "similar_to: the seed segment has no customers; widen it first.",
            "similar_to：种子分群没有客户；请先放宽条件。",
        )
    if method not in METHODS:
        raise DefinitionError(
            f"method: '{method}' is not one of {', '.join(METHODS)}.",
            f"method：“{method}”不在{'、'.join(METHODS)}之中。",
        )
    if method == "votes":
        return _by_votes(index, seeds, top, within)
    if method == "one_class":
        return _by_one_class(index, seeds, top, within)
    centroid = index.vectors_of(seeds).mean(axis=0)
    direction = centroid - index.matrix().mean(axis=0)
    norm = float(np.linalg.norm(direction))
    query = direction / norm if norm > 1e-6 else centroid
    return index.search(query, top, exclude=seeds, within=within)


def _by_votes(
    index: CustomerIndex, seeds: Sequence[str], top: int, within: Collection[str] | None
) -> list[Match]:
    votes: dict[str, float] = {}
    left_out, allowed = set(seeds), None if within is None else set(within)
    for matches in index.search_many(index.vectors_of(seeds), NEIGHBOURS + 1):
        for customer, similarity in ((match.customer_id, match.similarity) for match in matches):
            if customer not in left_out and (allowed is None or customer in allowed):
                votes[customer] = votes.get(customer, 0.0) + similarity
    return _best(votes, top)


def _by_one_class(
    index: CustomerIndex, seeds: Sequence[str], top: int, within: Collection[str] | None
) -> list[Match]:
    model = OneClassSVM(nu=OUTSIDE, gamma="scale").fit(index.vectors_of(seeds))
    left_out, allowed = set(seeds), None if within is None else set(within)
    scores = {
        customer: float(score)
        for customer, score in zip(index.customer_ids, model.score_samples(index.matrix()), strict=True)
        if customer not in left_out and (allowed is None or customer in allowed)
    }
    return _best(scores, top)


def _best(scores: dict[str, float], top: int) -> list[Match]:
    best = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:top]
    return [Match(customer, score) for customer, score in best]
