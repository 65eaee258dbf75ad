"""Natural segments: groups of behaviour vectors, each named by what its customers do.

Names and personas are made from figures by rule, so that the same clusters have the same names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from indexes.index import CustomerIndex
from indexes.partition import K_RANGE, Density, density, partition
from segments.errors import DefinitionError, Sentence

TRAITS: tuple[tuple[str, str, str, str, str], ...] = (
    ("orders_365d", "Frequent", "高频", "Occasional", "低频"),
    ("spend_365d", "high-spending", "高消费", "low-spending", "低消费"),
    ("basket_value_365d", "big-basket", "大客单", "small-basket", "小客单"),
    ("recency_days", "lapsing", "渐沉默", "recently active", "近期活跃"),
    ("private_label_share_365d", "own-brand", "偏好自有品牌", "name-brand", "偏好全国品牌"),
    ("discount_rate_365d", "deal-seeking", "爱折扣", "full-price", "少用折扣"),
    ("weekend_share_365d", "weekend", "周末型", "weekday", "工作日型"),
)
"""Feature, and its adjective when far above or far below everyone (en, zh)."""


@dataclass(frozen=True)
class Cluster:
    """One natural segment: size, its over-indexed categories (share of spend here / everywhere), traits."""

    number: int
    size: int
    share: float
    name_en: str
    name_zh: str
    persona_en: str
    persona_zh: str
    categories: tuple[tuple[str, float], ...]
    traits: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Clusters:
    """A partition of all customers. labels: cluster number by customer_id.

    stability: mean adjusted Rand index under resampling. reason: why this k.
    """

    labels: pd.Series
    clusters: tuple[Cluster, ...]
    silhouette: float
    stability: float
    reason: Sentence
    density: Density


def discover(
    index: CustomerIndex,
    features: pd.DataFrame,
    spend: pd.DataFrame,
    k: int | None = None,
    currency: str = "$",
) -> Clusters:
    """Partition the indexed customers into k clusters (k None: the best separated stable number of 3..8).

    features: indexed by customer_id. spend: customer_id, category, value. Raises DefinitionError for a k
    outside 2..20.
    """
    if k is not None and not 2 <= k <= 20:
        raise DefinitionError(f"k: must lie between 2 and 20; got {k}.", f"k：必须在2到20之间，而给的是{k}。")
    matrix = np.ascontiguousarray(index.matrix(), dtype=np.float32)
    least = (k or K_RANGE[0]) + 1
    if len(matrix) < least:
        raise DefinitionError(
            f"k: {least - 1} segments need at least {least} customers; there are {len(matrix)}.",
            f"k：分成{least - 1}类至少需要{least}名客户，而这里有{len(matrix)}名。",
        )
    found = partition(matrix, k)
    labels = found.labels
    # Numbered from the largest, so that numbers mean the same on every run.
    order = pd.Series(labels).value_counts().index.tolist()
    series = pd.Series(
        [order.index(label) + 1 for label in labels], index=list(index.customer_ids), name="cluster"
    )
    described = [describe(number, series, features, spend, currency) for number in range(1, len(order) + 1)]
    return Clusters(
        series,
        tuple(_distinct(described)),
        found.silhouette,
        found.stability,
        found.reason,
        density(matrix),
    )


def describe(
    number: int, labels: pd.Series, features: pd.DataFrame, spend: pd.DataFrame, currency: str = "$"
) -> Cluster:
    """What a cluster does more and less than everyone."""
    members = labels.index[labels == number]
    inside, everyone = features.loc[members], features
    traits = []
    for name, *_ in TRAITS:
        if name in features:
            spread = float(everyone[name].std()) or 1.0
            difference = (float(inside[name].mean()) - float(everyone[name].mean())) / spread
            traits.append((name, 0.0 if np.isnan(difference) else difference))
    traits.sort(key=lambda pair: -abs(pair[1]))
    categories = _over_indexed(set(members), spend)
    name_en, name_zh = _name(traits, categories)
    persona_en, persona_zh = _persona(inside, categories, currency)
    return Cluster(
        number,
        len(members),
        len(members) / len(labels),
        name_en,
        name_zh,
        persona_en,
        persona_zh,
        tuple(categories),
        tuple(traits[:4]),
    )


def _over_indexed(members: set[str], spend: pd.DataFrame) -> list[tuple[str, float]]:
    total = spend.groupby("category")["value"].sum()
    own = spend[spend["customer_id"].isin(members)].groupby("category")["value"].sum()
    share_all, share_own = total / total.sum(), own / max(own.sum(), 1e-9)
    large = share_all[share_all >= 0.005].index
    lift = (share_own.reindex(large).fillna(0) / share_all.loc[large]).sort_values(ascending=False)
    return [(str(category), float(value)) for category, value in lift.head(3).items() if value > 1]


def _name(traits: list[tuple[str, float]], categories: list[tuple[str, float]]) -> tuple[str, str]:
    words = {name: (high, high_zh, low, low_zh) for name, high, high_zh, low, low_zh in TRAITS}
    en, zh = [], []
    for name, difference in traits[:2]:
        if abs(difference) >= 0.25:
            high, high_zh, low, low_zh = words[name]
            en.append(high if difference > 0 else low)
            zh.append(high_zh if difference > 0 else low_zh)
    top = categories[0][0].lower() if categories and categories[0][1] >= 1.2 else ""
    words_en = " ".join(en) or "Typical"
    return (
        f"{words_en[0].upper()}{words_en[1:]} {f'{top} ' if top else ''}shoppers".replace("  ", " "),
        f"{'、'.join(zh) or '典型'}{f'、偏好 {top} ' if top else ''}客户",
    )


def _persona(inside: pd.DataFrame, categories: list[tuple[str, float]], currency: str) -> tuple[str, str]:
    orders, spend = inside["orders_365d"].median(), inside["spend_365d"].median()
    basket, recency = inside["basket_value_365d"].median(), inside["recency_days"].median()
    liked = ", ".join(category.lower() for category, _ in categories)
    each_en, each_zh = (
        ("", "")
        if np.isnan(basket)
        else (f", {currency}{basket:.0f} an order", f"，每单 {currency}{basket:.0f}")
    )
    seen_en, seen_zh = (
        ("", "")
        if np.isnan(recency)
        else (f", last seen {recency:.0f} days ago", f"，{recency:.0f} 天前来过")
    )
    more_en, more_zh = (f"; buys more than others of {liked}", f"；更常购买 {liked}") if liked else ("", "")
    return (
        f"Typically {orders:.0f} orders and {currency}{spend:,.0f} a year{each_en}{seen_en}{more_en}.",
        f"典型客户每年 {orders:.0f} 单、消费 {currency}{spend:,.0f}{each_zh}{seen_zh}{more_zh}。",
    )


def _distinct(clusters: list[Cluster]) -> list[Cluster]:
    """Two clusters never share a name: the later one takes its number along."""
    seen: set[str] = set()
    out = []
    for cluster in clusters:
        if cluster.name_en in seen:
            cluster = replace(
                cluster,
                name_en=f"{cluster.name_en} ({cluster.number})",
                name_zh=f"{cluster.name_zh}({cluster.number})",
            )
        seen.add(cluster.name_en)
        out.append(cluster)
    return out
