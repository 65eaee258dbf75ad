"""The objective of a campaign: given, or the first that the segment's own figures call for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from segments.errors import DefinitionError
from segments.ports import Figure

Goal = Literal["win_back", "retain", "activate_coupon", "cross_sell", "grow_basket", "acquire_lookalikes"]
GOALS: tuple[Goal, ...] = get_args(Goal)
GOAL_WORDS: dict[Goal, tuple[str, str]] = {
    "win_back": ("win back lapsed customers", "挽回流失客户"),
    "retain": ("retain customers who buy less often", "留住购买减少的客户"),
    "activate_coupon": ("activate coupon use", "激活用券"),
    "cross_sell": ("cross-sell further categories", "交叉销售更多品类"),
    "grow_basket": ("grow the spend of regular customers", "提升常客消费"),
    "acquire_lookalikes": ("acquire lookalikes of the segment", "获取与该分群相似的客户"),
}
OFFER_GOALS = ("cross_sell", "acquire_lookalikes")
"""Goals that are met by a purchase of what is offered: something that the customer does not buy yet."""

OVERDUE = 3.0
"""Twice their usual gap is common noise among irregular buyers; three times is a lapse."""
FALLING = 0.8
COUPON_GAP = 0.5


@dataclass(frozen=True)
class Check:
    """One figure of the segment against its limit: `met` calls for `goal`. below: met when value < limit."""

    goal: Goal
    figure: str
    value: float
    limit: float
    below: bool
    label_en: str
    label_zh: str

    @property
    def met(self) -> bool:
        """Whether the figure calls for the goal."""
        return self.value < self.limit if self.below else self.value >= self.limit


@dataclass(frozen=True)
class Objective:
    """The goal, whether it was asked for, and the checks that were made (the reason is the first one met)."""

    goal: Goal
    given: bool
    checks: tuple[Check, ...]

    @property
    def reason(self) -> Check | None:
        """The check that decided; None when the goal was given or no check was met."""
        return None if self.given else next((check for check in self.checks if check.met), None)

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = []
        for c in self.checks:
            found += [
                Figure(f"check.{c.goal}", c.value, "ratio", c.label_en, c.label_zh),
                Figure(
                    f"check.{c.goal}.limit", c.limit, "ratio", f"{c.label_en}, limit", f"{c.label_zh}，界限"
                ),
            ]
        return tuple(found)


def choose_objective(goal: str | None, features: pd.DataFrame, inside: np.ndarray) -> Objective:
    """The goal as given, or the first whose check is met; growing the basket when none is.

    features: the mart; inside: the members' rows. Raises DefinitionError for an unknown goal.
    """
    checks = _checks(features, inside)
    if goal is not None:
        if goal not in GOALS:
            raise DefinitionError(
                f"There is no goal '{goal}'; choose one of {', '.join(GOALS)}.",
                f"没有目标“{goal}”；请选{'、'.join(GOALS)}之一。",
            )
        return Objective(goal, True, checks)
    chosen: Goal = next((check.goal for check in checks if check.met), "grow_basket")
    return Objective(chosen, False, checks)


def _checks(features: pd.DataFrame, inside: np.ndarray) -> tuple[Check, ...]:
    """In order of urgency: a lost customer cannot be sold anything more."""
    ours = features[inside]
    found = [
        Check(
            "win_back",
            "overdue_ratio",
            float(ours["overdue_ratio"].median()),
            OVERDUE,
            False,
            "days since the last purchase over the usual gap, median",
            "距上次购买天数与平均间隔之比的中位数",
        ),
        Check(
            "retain",
            "orders_trend_90d",
            float(ours["orders_trend_90d"].median()),
            FALLING,
            True,
            "orders in the last 90 days over the 90 days before, median",
            "最近90天订单与之前90天之比的中位数",
        ),
        Check(
            "activate_coupon",
            "coupons_redeemed_365d",
            _users(ours),
            COUPON_GAP * _users(features),
            True,
            "share of those reached by campaigns who used a coupon",
            "收到活动的客户中用过券的占比",
        ),
        Check(
            "cross_sell",
            "categories_365d",
            float(ours["categories_365d"].median()),
            float(features["categories_365d"].median()),
            True,
            "categories bought in 365 days, median",
            "365天购买品类数的中位数",
        ),
    ]
    return tuple(check for check in found if not np.isnan(check.value))


def _users(features: pd.DataFrame) -> float:
    reached = features[features["campaigns_received_365d"] > 0]
    return float((reached["coupons_redeemed_365d"] > 0).mean()) if len(reached) else float("nan")
