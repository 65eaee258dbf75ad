"""Who a segment is: its size and worth, its main figures, and what sets it apart from everyone else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from insights.effects import mean_interval
from insights.traits import Trait, find_traits, trait_figures
from segments.errors import DataError, DefinitionError
from segments.features import Catalogue, Feature
from segments.ports import Figure

MAIN_FIGURES = (
    "recency_days",
    "orders_90d",
    "spend_90d",
    "orders_365d",
    "spend_365d",
    "basket_value_365d",
    "categories_365d",
    "discount_rate_365d",
)
"""Recency, frequency and monetary figures that every profile shows, where the catalogue has them."""
MIN_SIZE = 10
"""Smaller groups are not described: their figures would tell of single customers."""


@dataclass(frozen=True)
class Average:
    """A feature's mean among the `known` members who have a value, with an interval, and among everyone."""

    feature: str
    unit: str
    members: float
    low: float
    high: float
    everyone: float
    known: int
    label_en: str
    label_zh: str


@dataclass(frozen=True)
class Profile:
    """A segment described. Shares lie in 0..1; spend is that of the column `value_column`."""

    size: int
    population: int
    share: float
    value_column: str
    spend: float
    spend_share: float
    level: float
    averages: tuple[Average, ...]
    traits: tuple[Trait, ...]
    compared: int

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = [
            Figure("size", self.size, "customers", "customers in the segment", "分群客户数"),
            Figure("population", self.population, "customers", "customers in all", "全部客户数"),
            Figure("share", self.share, "share", "share of all customers", "占全部客户的比例"),
            Figure("spend", self.spend, "currency", "spend of the segment", "分群消费金额"),
            Figure("spend_share", self.spend_share, "share", "share of all spend", "占全部消费的比例"),
        ]
        for a in self.averages:
            name, unit = f"average.{a.feature}", a.unit
            en, zh = f"average {a.label_en}", f"平均{a.label_zh}"
            found.append(Figure(name, a.members, unit, en, zh, a.low, a.high, self.level))
            everyone = f"average {a.label_en}, everyone", f"全部客户平均{a.label_zh}"
            found.append(Figure(f"{name}.everyone", a.everyone, unit, *everyone))
            known = f"members whose {a.label_en} is known", f"已知{a.label_zh}的成员数"
            found.append(Figure(f"{name}.known", a.known, "customers", *known))
        for trait in self.traits:
            found += trait_figures(trait, self.level)
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a trait, strongest first."""
        return [asdict(trait) for trait in self.traits]


def profile(
    members: Sequence[str],
    features: pd.DataFrame,
    catalogue: Catalogue,
    purchases_value: str = "spend_365d",
    *,
    top: int = 12,
    level: float = 0.95,
    min_size: int = MIN_SIZE,
    exclude: Collection[str] = (),
) -> Profile:
    """Describe `members` against all other customers of the feature mart.

    purchases_value: the spend column (currency) that the share of spend is taken of. exclude: features
    not to list as traits, e.g. those that define the segment.
    Raises DefinitionError when fewer than `min_size` members are given or one of them is unknown, and
    DataError when the mart lacks a feature of the catalogue.
    """
    inside = _membership(members, features, min_size)
    missing = [name for name in (purchases_value, *(f.name for f in catalogue)) if name not in features]
    if missing:
        raise DataError(f"The feature mart lacks '{missing[0]}'; build the features again.")
    total = float(features[purchases_value].sum())
    spend = float(features.loc[inside, purchases_value].sum())
    traits, compared = find_traits(
        inside, features, catalogue, top=top, level=level, min_size=min_size, exclude=exclude
    )
    size = int(inside.sum())
    return Profile(
        size=size,
        population=len(features),
        share=size / len(features),
        value_column=purchases_value,
        spend=spend,
        spend_share=spend / total if total else 0.0,
        level=level,
        averages=tuple(
            _average(catalogue[name], features[name], inside, level)
            for name in MAIN_FIGURES
            if name in catalogue and features.loc[inside, name].notna().any()
        ),
        traits=traits,
        compared=compared,
    )


def _membership(members: Sequence[str], features: pd.DataFrame, min_size: int) -> np.ndarray:
    wanted = set(members)
    if len(wanted) < min_size:
        raise DefinitionError(
            f"A segment of {len(wanted)} is too small to describe; it takes at least {min_size} customers.",
            f"{len(wanted)}名客户的分群太小，无法描述；至少需要{min_size}名。",
        )
    inside = features.index.isin(wanted)
    if int(inside.sum()) < len(wanted):
        raise DefinitionError(
            f"{len(wanted) - int(inside.sum())} of the {len(wanted)} members are not among the customers "
            "of the feature mart; take the members as of the same date.",
            f"{len(wanted)}名成员中有{len(wanted) - int(inside.sum())}名不在特征表的客户中；请取同一日期的成员。",
        )
    return inside


def _average(feature: Feature, column: pd.Series, inside: np.ndarray, level: float) -> Average:
    values = column[inside].dropna().to_numpy(float)
    mean, low, high = mean_interval(values, level)
    unit = feature.unit or "ratio"
    return Average(
        feature.name, unit, mean, low, high, float(column.mean()), len(values), feature.en, feature.zh
    )
