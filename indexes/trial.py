"""Which way to find lookalikes suits these customers: every method tried on buyers held out, for each of the largest
categories, and what was found is kept beside the index.

A category's buyers are the twentieth of customers who spent most on it in the year before: nearly everybody buys
something of a large category, so that of 'any buyer' no search could find more than chance does. Half of them are the
seed, the other half is looked for among everyone else, recall at N, N the number held out. The vectors know what was
bought of the category; `eval.bench.lookalikes` tries the methods also on vectors that do not.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from indexes.behaviour import BehaviourVectors
from indexes.index import CustomerIndex
from indexes.lookalikes import DEFAULT, METHODS, Method, lookalikes
from segments.atomic import write_text
from segments.errors import ChecksumError

FILE = "lookalikes.json"
BUYERS, LEAST_BUYERS = 0.05, 20
YEAR = 365
CATEGORIES, LEAST_CATEGORIES = 20, 5
"""Fewer categories than the latter give no interval worth telling."""
SAMPLE = 10_000
"""Customers, drawn where there are more: a one-class machine compares every seed with everyone."""
LEVEL, RESAMPLES, SEED = 0.95, 2_000, 11


@dataclass(frozen=True)
class Tried:
    """Mean over the categories. recall: share of the held out that was found; lift: that over chance, with its interval."""

    recall: float
    lift: float
    low: float
    high: float


@dataclass(frozen=True)
class Trial:
    """method: the one that is used. categories: how many it was tried on; customers: among how many; found: by method."""

    method: Method
    as_of: str
    categories: int
    customers: int
    found: Mapping[Method, Tried]

    def save(self, folder: Path) -> None:
        """Keep it beside the index."""
        write_text(folder / FILE, json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, folder: Path) -> Trial | None:
        """What was found; None where nothing could be tried. Raises ChecksumError for a damaged file."""
        path = folder / FILE
        if not path.exists():
            return None
        try:
            said = json.loads(path.read_bytes())
            found = {method: Tried(**said["found"][method]) for method in METHODS}
            if said["method"] not in METHODS:
                raise ValueError(f"it names the method '{said['method']}'")
            return cls(said["method"], said["as_of"], said["categories"], said["customers"], found)
        except (ValueError, KeyError, TypeError) as error:
            raise ChecksumError(f"{path} is damaged ({error}); make it anew with: segassist build") from error


def forget(folder: Path) -> None:
    """Of an index that nothing can be tried on: no older trial speaks for it."""
    (folder / FILE).unlink(missing_ok=True)


def halves(spend: pd.Series, share: float = BUYERS) -> tuple[list[str], list[str]]:
    """(seed, held out): the customers with the highest spend, split at random."""
    best = spend.sort_values(ascending=False, kind="stable").index[
        : max(LEAST_BUYERS, round(len(spend) * share))
    ]
    order = np.random.default_rng(SEED).permutation(sorted(best))
    return list(order[: len(order) // 2]), list(order[len(order) // 2 :])


def recall(found: Sequence[str], held: Sequence[str]) -> float:
    """Share of the held out that was found."""
    return len(set(found) & set(held)) / len(held)


def try_methods(
    index: CustomerIndex, purchases: pd.DataFrame, items: pd.DataFrame, excluded: Collection[str] = ()
) -> Trial | None:
    """Every method on the largest categories; None where there are too few customers or categories with buyers.

    purchases: customer_id, item_id, ts, value. items: item_id, category. excluded: categories that are no goods.
    """
    index = _sampled(index)
    spend = _spend(index, purchases, items, excluded)
    lifts: dict[Method, list[float]] = {method: [] for method in METHODS}
    recalls: dict[Method, list[float]] = {method: [] for method in METHODS}
    for category in spend.columns:
        seeds, held = halves(spend[category])
        base = len(held) / (len(index) - len(seeds))
        for method in METHODS:
            found = lookalikes(index, seeds, len(held), method=method)
            share = recall([match.customer_id for match in found], held)
            recalls[method].append(share)
            lifts[method].append(share / base)
    if len(spend.columns) < LEAST_CATEGORIES:
        return None
    drawn = np.random.default_rng(SEED).integers(0, len(spend.columns), (RESAMPLES, len(spend.columns)))
    found_by = {method: _tried(recalls[method], lifts[method], drawn) for method in METHODS}
    return Trial(_best(lifts, drawn), index.as_of.isoformat(), len(spend.columns), len(index), found_by)


def _tried(recalls: Sequence[float], lifts: Sequence[float], drawn: np.ndarray) -> Tried:
    low, high = _interval(np.array(lifts)[drawn].mean(axis=1))
    return Tried(float(np.mean(recalls)), float(np.mean(lifts)), low, high)


def _best(lifts: Mapping[Method, Sequence[float]], drawn: np.ndarray) -> Method:
    """The default, unless the one-class machine is better beyond chance (paired by category).

    Votes rank only who is near a seed, which may be fewer than a marketer asks for: they are told and not chosen.
    """
    more = np.array(lifts["one_class"]) - np.array(lifts[DEFAULT])
    return "one_class" if _interval(more[drawn].mean(axis=1))[0] > 0 else DEFAULT


def _interval(means: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _sampled(index: CustomerIndex) -> CustomerIndex:
    """As exact search over at most `SAMPLE` of the customers."""
    count, ids = len(index), index.customer_ids
    rows = np.arange(count)
    if count > SAMPLE:
        rows = np.sort(np.random.default_rng(SEED).choice(count, SAMPLE, replace=False))
    chosen = tuple(ids[row] for row in rows)
    vectors = BehaviourVectors(chosen, index.vectors_of(chosen), index.encoder, index.as_of)
    return CustomerIndex.build(vectors, "cpu", kind="flat")


def _spend(
    index: CustomerIndex, purchases: pd.DataFrame, items: pd.DataFrame, excluded: Collection[str]
) -> pd.DataFrame:
    """Spend of the last year (customers by category) on the largest categories that have enough buyers."""
    end = pd.Timestamp(index.as_of)
    recent = purchases[
        (purchases["ts"] < end)
        & (purchases["ts"] >= end - pd.Timedelta(days=YEAR))
        & (purchases["value"] > 0)
        & purchases["customer_id"].isin(index.customer_ids)
    ]
    category = recent["item_id"].map(items.set_index("item_id")["category"])
    recent = recent.assign(category=category)[category.notna() & ~category.isin(list(excluded))]
    wide = recent.pivot_table(index="customer_id", columns="category", values="value", aggfunc="sum")
    wide = wide.reindex(list(index.customer_ids))
    enough = wide.columns[wide.notna().sum() >= max(LEAST_BUYERS, round(len(wide) * BUYERS))]
    largest = wide[enough].sum().sort_values(ascending=False, kind="stable").index[:CATEGORIES]
    return wide[largest].fillna(0.0)
