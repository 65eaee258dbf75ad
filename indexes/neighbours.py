"""How far each customer is from the nearest others, by the index, not by a comparison of all with all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from indexes.index import CustomerIndex

NEIGHBOURS = 10
BLOCK = 4096
"""Customers that are searched for at a time, so that what is found of a million is never held at once."""


def distances(index: CustomerIndex, neighbours: int = NEIGHBOURS) -> pd.Series:
    """Mean cosine distance (0..2) to the nearest others by customer_id; NaN for who is alone in the index.

    As exact as the index is: an approximate one may miss a neighbour, and so tells a distance that is slightly larger.
    """
    ids, matrix = index.customer_ids, index.matrix()
    found = np.full(len(ids), np.nan)
    for start in range(0, len(ids), BLOCK):
        for place, matches in enumerate(
            index.search_many(matrix[start : start + BLOCK], neighbours + 1), start
        ):
            others = [match.similarity for match in matches if match.customer_id != ids[place]][:neighbours]
            if others:
                found[place] = 1 - sum(others) / len(others)
    return pd.Series(found, index=pd.Index(ids, name="customer_id"), name="distance")
