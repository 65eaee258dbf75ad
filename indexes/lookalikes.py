"""Lookalikes: the customers whose behaviour is nearest to a segment's or one customer's."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from indexes.index import CustomerIndex, Match
from segments.errors import DefinitionError

NEIGHBOURS = 10


def lookalikes(
    index: CustomerIndex, seeds: Sequence[str], top: int, within: Collection[str] | None = None
) -> list[Match]:
    """The `top` customers nearest to the seeds' centroid relative to everyone's, seeds left out.

    The mean of all customers is subtracted from the seeds' mean: what the seeds share with everyone says
    nothing about them. Raises DefinitionError without seeds, NotFoundError for an unknown one.
    """
    if not seeds:
        raise DefinitionError("similar_to: the seed segment has no customers; widen it first.")
    centroid = index.vectors_of(seeds).mean(axis=0)
    direction = centroid - index.matrix().mean(axis=0)
    norm = float(np.linalg.norm(direction))
    query = direction / norm if norm > 1e-6 else centroid
    return index.search(query, top, exclude=seeds, within=within)


def by_votes(index: CustomerIndex, seeds: Sequence[str], top: int) -> list[Match]:
    """The rival: each seed votes for its nearest customers with their cosine; the highest sums win."""
    if not seeds:
        raise DefinitionError("similar_to: the seed segment has no customers; widen it first.")
    votes: dict[str, float] = {}
    left_out = set(seeds)
    for vector in index.vectors_of(seeds):
        for match in index.search(vector, NEIGHBOURS + 1):
            if match.customer_id not in left_out:
                votes[match.customer_id] = votes.get(match.customer_id, 0.0) + match.similarity
    best = sorted(votes.items(), key=lambda pair: (-pair[1], pair[0]))[:top]
    return [Match(customer, score) for customer, score in best]
