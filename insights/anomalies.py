"""The oddest orders, customers or coupons, each with its reasons in words. Odd is not guilty: look first.

Score: the mean of two ranks in 0..1, that of an isolation forest over all signals (Liu, Ting and Zhou 2008)
and that of the strongest single surprise. On sales reports with known frauds it found more than the usual
rule on unit prices (`python -m eval.bench.anomalies`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from insights.signals import WORDS, Kind, Signals
from segments.errors import DataError
from segments.ports import Figure

THRESHOLD = 3.5
"""A surprise from here on is told as a reason (Iglewicz and Hoaglin 1993 for robust z scores)."""
TREES, SAMPLE, FITTED_ON = 200, 1024, 50_000
SEED = 41
MIN_SUBJECTS = 50

NAMES: dict[Kind, tuple[str, str]] = {
    "order": ("orders", "订单"),
    "customer": ("customers", "客户"),
    "coupon": ("coupons", "优惠券"),
}


@dataclass(frozen=True)
class Anomaly:
    """One odd subject: its score (0..1, for ranking) and why, strongest reason first."""

    rank: int
    id: str
    score: float
    signals: tuple[str, ...]
    reasons: tuple[str, ...]
    reasons_zh: tuple[str, ...]


@dataclass(frozen=True)
class Anomalies:
    """The oddest of `population` subjects; `flagged` have at least one reason, by signal in `by_reason`."""

    kind: Kind
    population: int
    flagged: int
    by_reason: tuple[tuple[str, int], ...]
    anomalies: tuple[Anomaly, ...]

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted; counts of customers are the caller's to hide when small."""
        en, zh = NAMES[self.kind]
        unit = "customers" if self.kind == "customer" else "count"
        found = [
            Figure("population", self.population, unit, f"{en} looked at", f"检查的{zh}数"),
            Figure("flagged", self.flagged, unit, f"{en} with something odd", f"存在异常的{zh}数"),
        ]
        for name, count in self.by_reason:
            found.append(Figure(f"reason.{name}", count, unit, LABELS[name][0], LABELS[name][1]))
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a subject, oddest first."""
        return [
            {"rank": a.rank, "kind": self.kind, "id": a.id, "score": round(a.score, 4)}
            | {"reasons": list(a.reasons), "reasons_zh": list(a.reasons_zh)}
            for a in self.anomalies
        ]


LABELS = {
    "price": ("unit price far from the item's usual", "单价远离该商品平时水平"),
    "quantity": ("units in a line far from the item's usual", "单行数量远离该商品平时水平"),
    "value": ("order value far from the customer's usual", "订单金额远离该客户平时水平"),
    "discount": ("discount far above everyone's", "折扣远高于其他"),
    "orders_a_day": ("many orders in one day", "一天内订单很多"),
    "stores_a_day": ("many stores in one day", "一天内门店很多"),
    "coupons_a_day": ("many coupons in one day", "一天内核销很多优惠券"),
    "behaviour": ("behaviour unlike anyone's", "行为与众不同"),
    "redemptions": ("redeemed far more often than other coupons", "核销次数远多于其他优惠券"),
    "one_customer": ("redeemed mostly by one customer", "主要由同一客户核销"),
    "repeated": ("redeemed again and again by one customer", "同一客户反复核销"),
    "not_sent": ("redeemed by customers it was not sent to", "由未收到活动的客户核销"),
    "out_of_time": ("redeemed outside the campaign's dates", "在活动日期之外核销"),
}
"""Every signal as a heading."""


def find_anomalies(signals: Signals, top: int = 10) -> Anomalies:
    """The `top` oddest subjects among those with a reason, and how many have which reason.

    Raises DataError when there are fewer than 50 subjects: nothing is usual among so few.
    """
    surprise = signals.surprise
    if len(surprise) < MIN_SUBJECTS:
        raise DataError(
            f"There are {len(surprise)} {NAMES[signals.kind][0]}; it takes {MIN_SUBJECTS} to tell what is odd.",
            f"只有{len(surprise)}个{NAMES[signals.kind][1]}；至少需要{MIN_SUBJECTS}个才能看出异常。",
        )
    score = scores(surprise)
    odd = surprise >= THRESHOLD
    flagged = odd.any(axis=1)
    order = score[flagged].sort_values(ascending=False, kind="stable").index[:top]
    counts = odd.sum().sort_values(ascending=False, kind="stable")
    return Anomalies(
        kind=signals.kind,
        population=len(surprise),
        flagged=int(flagged.sum()),
        by_reason=tuple((str(name), int(count)) for name, count in counts.items() if count),
        anomalies=tuple(_anomaly(signals, rank, key, score) for rank, key in enumerate(order, 1)),
    )


def scores(surprise: pd.DataFrame) -> pd.Series:
    """How odd every subject is among the others, 0..1: the mean of the forest's rank and the surprise's."""
    from sklearn.ensemble import IsolationForest

    # A few wild values would stretch the forest's cuts over emptiness.
    table = surprise.clip(upper=surprise.quantile(0.9995), axis=1).to_numpy(float)
    fitted = table
    if len(table) > FITTED_ON:
        fitted = table[np.random.default_rng(SEED).choice(len(table), FITTED_ON, replace=False)]
    forest = IsolationForest(n_estimators=TREES, max_samples=min(SAMPLE, len(fitted)), random_state=SEED)
    lonely = pd.Series(-forest.fit(fitted).score_samples(table), index=surprise.index)
    return (lonely.rank(pct=True) + surprise.max(axis=1).rank(pct=True)) / 2


def _anomaly(signals: Signals, rank: int, key: Any, score: pd.Series) -> Anomaly:
    told = signals.facts.loc[key]
    strength = signals.surprise.loc[key].sort_values(ascending=False, kind="stable")
    names = tuple(str(name) for name in strength[strength >= THRESHOLD].index)
    facts = [(WORDS[name], float(told[name])) for name in names]
    en, zh = (tuple(words[language].format(x=fact) for words, fact in facts) for language in (0, 1))
    return Anomaly(rank, str(key), float(score[key]), names, en, zh)
