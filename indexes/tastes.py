"""How near each item is to a taste: the cosine of its text and the nearest of the taste's phrases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from indexes.behaviour import item_texts
from indexes.text import unread
from segments.errors import DataError
from segments.ports import Progress, TextEncoder, silent
from segments.tastes import Taste

BATCH = 1024
"""Item texts between two reports of progress."""


def nearness(
    items: pd.DataFrame, tastes: Sequence[Taste], encoder: TextEncoder, progress: Progress = silent
) -> pd.DataFrame:
    """item_id and one column a taste (its `column`), cosines in -1..1; null for an item without text.

    items: item_id, department, category, name. Raises DataError for phrases in a language that the encoder does not read.
    """
    if said := unread([phrase for taste in tastes for phrase in taste.phrases], encoder):
        raise DataError(
            f"tastes: the text encoder reads no Chinese, so {', '.join(said)} cannot be compared with items; write the "
            "phrases in English, or set a multilingual encoder.",
            f"tastes：文本编码器不懂中文，无法用{'、'.join(said)}与商品比较；请用英文写短语，或设置多语言编码器。",
        )
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
