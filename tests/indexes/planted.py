"""Vectors with known groups, and searches done by hand."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import numpy as np

from indexes.behaviour import BehaviourVectors
from indexes.index import CustomerIndex

AS_OF = date(2018, 1, 1)


def vectors(matrix: np.ndarray) -> BehaviourVectors:
    """The rows made unit length, customers named in order."""
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    ids = tuple(f"c{i:05d}" for i in range(len(matrix)))
    return BehaviourVectors(ids, unit.astype(np.float32), "planted", AS_OF)


def random_vectors(count: int, dimension: int = 16, seed: int = 1) -> BehaviourVectors:
    return vectors(np.random.default_rng(seed).normal(size=(count, dimension)))


def planted(groups: int, each: int, noise: float = 0.15, seed: int = 1) -> BehaviourVectors:
    """Customer number i belongs to group i % groups; groups point to different axes, with a common part."""
    random = np.random.default_rng(seed)
    centres = np.eye(groups, 16) + 0.5
    rows = np.tile(centres, (each, 1)) + random.normal(0, noise, (groups * each, 16))
    return vectors(rows)


def group_of(customer_id: str, groups: int) -> int:
    return int(customer_id[1:]) % groups


def nearest_by_hand(
    found: BehaviourVectors, query: np.ndarray, k: int, allowed: Collection[str] | None = None
) -> list[str]:
    """The k allowed customers with the highest cosine, by numpy alone."""
    order = np.argsort(-(found.matrix @ query), kind="stable")
    ids = [found.customer_ids[row] for row in order]
    kept = None if allowed is None else set(allowed)
    return [customer for customer in ids if kept is None or customer in kept][:k]


def ids_of(index: CustomerIndex, query: np.ndarray, k: int, **filters: Collection[str]) -> list[str]:
    return [match.customer_id for match in index.search(query, k, **filters)]
