"""How near each item is to a taste: the cosine of its text and the nearest of the taste's phrases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from indexes.behaviour import item_texts
from segments.ports import Progress, TextEncoder, silent
from segments.tastes import Taste

BATCH = 1024
"""Item texts between two reports of progress."""


def nearness(
    items: pd.DataFrame, tastes: Sequence[Taste], encoder: TextEncoder, progress: Progress = silent
) -> pd.DataFrame:
    """item_id and one column a taste (its `column`), cosines in -1..1; null for an item without text.

    items: item_id, department, category, name.
    """
    texts = item_texts(items)
    unique = sorted(set(texts) - {""})
    phrases = encoder.encode([phrase.lower() for taste in tastes for phrase in taste.phrases])
    found = np.empty((len(unique), len(phrases)), dtype=np.float32)
    for start in range(0, len(unique), BATCH):
        progress(start / len(unique), "comparing item texts with the phrases")
        found[start : start + BATCH] = encoder.encode(unique[start : start + BATCH]) @ phrases.T
    columns, first = {"item_id": items["item_id"]}, 0
    for taste in tastes:
        nearest = found[:, first : first + len(taste.phrases)].max(axis=1)
        columns[taste.column] = texts.map(dict(zip(unique, nearest.astype("float64"), strict=True)))
        first += len(taste.phrases)
    return pd.DataFrame(columns)
