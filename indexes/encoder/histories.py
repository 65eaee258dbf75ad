"""Customers' histories as flat arrays, and batches of them as they stood on a day.

One step of a sequence is one day on which a customer bought: what (item texts, weighted by log spend), how
much, how long ago. A batch looks only at days before its cut; what comes after the cut are its targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from indexes.behaviour import item_texts
from segments.errors import DataError

EPOCH = pd.Timestamp("1970-01-01")


@dataclass(frozen=True)
class Histories:
    """Shopping days of all customers, oldest first within a customer.

    starts (n + 1): where each customer's days begin. days (m): day number. spend (m): log of the value.
    item_starts (m + 1): where each day's items begin. items, weights: text number and its share of the day.
    """

    customer_ids: tuple[str, ...]
    texts: tuple[str, ...]
    starts: np.ndarray
    days: np.ndarray
    spend: np.ndarray
    item_starts: np.ndarray
    items: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Batch:
    """Sequences of b customers, padded on the left to length l; the flat items of all their days.

    ages, gaps, spend (b, l): days before the cut, days since the day before, log value. known (b, l): real
    steps. items, weights, offsets: for an embedding bag over the b * l steps. last (b): days since the last.
    """

    items: torch.Tensor
    weights: torch.Tensor
    offsets: torch.Tensor
    ages: torch.Tensor
    gaps: torch.Tensor
    spend: torch.Tensor
    known: torch.Tensor
    last: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def day_number(day: object) -> int:
    """Days since 1970."""
    return int((pd.Timestamp(str(day)) - EPOCH).days)


def histories(
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    customer_ids: Sequence[str],
    texts: Sequence[str] | None = None,
) -> Histories:
    """Histories of these customers.

    purchases: customer_id, item_id, ts, value. items: item_id, department, category, name. texts: the
    numbering of item texts to begin with (those of a trained encoder); new ones follow. Raises DataError
    without purchases.
    """
    text_of = pd.Series(item_texts(items).to_numpy(), index=items["item_id"])
    rows = pd.DataFrame(
        {
            "who": pd.Index(customer_ids).get_indexer(pd.Index(purchases["customer_id"])),
            "day": (purchases["ts"].dt.normalize() - EPOCH).dt.days.to_numpy(),
            "text": text_of.reindex(purchases["item_id"]).to_numpy(),
            "value": purchases["value"].clip(lower=0).to_numpy(),
        }
    ).dropna()
    rows = rows[rows["who"] >= 0]
    if rows.empty:
        raise DataError("purchases: none of these customers bought an item that is described.")
    known = list(texts or ())
    numbers = pd.Index([*known, *sorted(set(rows["text"]) - set(known))])
    rows["item"] = numbers.get_indexer(pd.Index(rows["text"]))
    rows = rows.groupby(["who", "day", "item"])["value"].sum().reset_index()
    value = rows["value"].to_numpy()
    step = rows.groupby(["who", "day"], sort=True).ngroup().to_numpy()
    first = np.flatnonzero(np.r_[True, step[1:] != step[:-1]])
    weight = np.log1p(value) + 0.1
    share = weight / np.add.reduceat(weight, first)[step]
    who = rows["who"].to_numpy()[first]
    return Histories(
        tuple(customer_ids),
        tuple(numbers),
        np.searchsorted(who, np.arange(len(customer_ids) + 1)),
        rows["day"].to_numpy()[first],
        np.log1p(np.add.reduceat(value, first)).astype(np.float32),
        np.r_[first, len(rows)],
        rows["item"].to_numpy(),
        share.astype(np.float32),
    )


def before(found: Histories, customers: np.ndarray, cuts: np.ndarray, length: int) -> Batch:
    """The last `length` shopping days of customers (b) before their cuts (b, day numbers)."""
    begins, ends = found.starts[customers], found.starts[customers + 1]
    spans = zip(begins, ends, cuts, strict=True)
    stops = np.array([b + np.searchsorted(found.days[b:e], cut) for b, e, cut in spans], dtype=np.int64)
    steps = stops[:, None] + np.arange(-length, 0)
    known = steps >= begins[:, None]
    safe = np.where(known, steps, 0)
    days = found.days[safe]
    gaps = np.where(
        known, days - np.where(steps > begins[:, None], found.days[np.maximum(safe - 1, 0)], days), 0
    )
    counts = np.where(known, found.item_starts[safe + 1] - found.item_starts[safe], 0).ravel()
    flat = ranges(found.item_starts[safe].ravel(), counts)
    ages = np.where(known, cuts[:, None] - days, 0)
    last = np.where(known[:, -1], ages[:, -1], 999)
    return Batch(
        torch.from_numpy(found.items[flat]),
        torch.from_numpy(found.weights[flat]),
        torch.from_numpy(np.cumsum(counts) - counts),
        torch.from_numpy(ages.astype(np.float32)),
        torch.from_numpy(gaps.astype(np.float32)),
        torch.from_numpy(np.where(known, found.spend[safe], 0).astype(np.float32)),
        torch.from_numpy(known),
        torch.from_numpy(last.astype(np.float32)),
    )


def after(
    found: Histories, customers: np.ndarray, cuts: np.ndarray, horizon: int, width: int
) -> torch.Tensor:
    """1 where a customer bought the text within `horizon` days from the cut: float32 (b, width)."""
    target = torch.zeros(len(customers), width)
    for row, (customer, cut) in enumerate(zip(customers, cuts, strict=True)):
        begin, end = found.starts[customer], found.starts[customer + 1]
        low, high = begin + np.searchsorted(found.days[begin:end], [cut, cut + horizon])
        bought = found.items[found.item_starts[low] : found.item_starts[high]]
        target[row, torch.from_numpy(bought[bought < width])] = 1
    return target


def ranges(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """starts[0], starts[0] + 1, ... for counts[0] numbers, then from starts[1], and so on."""
    ends = np.cumsum(counts)
    return np.repeat(starts - (ends - counts), counts) + np.arange(ends[-1] if len(ends) else 0)
