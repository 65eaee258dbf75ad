"""What a campaign did: the difference between the arms with its interval, by stratum, and a verdict.

The primary result is adjusted for the time before where that is known, else plain. An early look is
tested at what it may spend of the error (`campaigns.monitor`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from campaigns.assign import SampleRatio, sample_ratio
from campaigns.effects import Effect, adjusted, difference_of_means, difference_of_shares, heterogeneity, holm
from campaigns.experiment import Experiment, outcomes
from campaigns.monitor import look_alpha, spent
from campaigns.spend import Timeline
from segments.errors import DataError, DefinitionError
from segments.ports import Figure

MIN_ARM = 10
"""Fewer customers in an arm would tell of single ones."""
LEAST_ALPHA = 1e-6
"""A look that may spend less than this could find nothing and is not taken."""

Verdict = Literal["mismatch", "gain", "loss", "none"]


@dataclass(frozen=True)
class StratumEffect:
    """The difference in one stratum; its interval holds for all strata at once, p_value is Holm's."""

    stratum: str
    effect: Effect
    p_value: float


@dataclass(frozen=True)
class Measurement:
    """A campaign measured. kind 'share': outcomes are 0/1; 'mean': currency.

    plain: the arms as they are; primary: the result, adjusted for the time before when `variance_left`
    (0..1) is told. imbalance: difference of the time before in standard deviations. ratio: None when
    nobody was assigned (randomised False: the arms are who was reached and who was not). elapsed: share
    of the window seen; total, profit: over the contacted customers, with their intervals (profit None
    when the outcome is no money).
    """

    name: str
    kind: Literal["mean", "share"]
    randomised: bool
    elapsed: float
    days: int
    plain: Effect
    primary: Effect
    variance_left: float | None
    imbalance: float | None
    ratio: SampleRatio | None
    strata: tuple[StratumEffect, ...]
    heterogeneity: float
    total: tuple[float, float, float]
    profit: tuple[float, float, float] | None

    @property
    def final(self) -> bool:
        """Whether the whole window was seen."""
        return self.elapsed >= 1

    @property
    def verdict(self) -> Verdict:
        """What may be said; a mismatch of the arms forbids anything else."""
        if self.ratio is not None and self.ratio.mismatch:
            return "mismatch"
        if not self.primary.found:
            return "none"
        return "gain" if self.primary.difference > 0 else "loss"

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        p, unit = self.primary, "share" if self.kind == "share" else "currency"
        found = [
            Figure("contact", p.contact, "customers", "customers contacted", "触达组客户数"),
            Figure("holdout", p.holdout, "customers", "customers not contacted", "未触达客户数"),
            Figure("mean_contact", self.plain.mean_contact, unit, "outcome of the contacted", "触达组结果"),
            Figure("mean_holdout", self.plain.mean_holdout, unit, "outcome of the others", "未触达组结果"),
            _interval("plain", self.plain, unit, "difference as observed", "原始差异"),
            _interval("difference", p, unit, "difference", "差异"),
            Figure("detectable", smallest_detectable(self), unit, "difference found 4 times in 5",
                   "5次中有4次能测出的差异"),
            Figure("p_value", p.p_value, "probability", "p-value", "p 值"),
            Figure("elapsed", self.elapsed, "share", "share of the window seen", "已观察的窗口比例"),
            Figure("days", self.days, "days", "days seen", "已观察天数"),
            Figure("heterogeneity", self.heterogeneity, "probability",
                   "p-value of a difference between strata (not told below 0.001)",
                   "分层差异的 p 值（低于 0.001 不细分）"),
            Figure("total", self.total[0], "count" if self.kind == "share" else "currency",
                   "difference over all contacted", "触达客户合计差异", *self.total[1:], p.level),
        ]  # fmt: skip
        if self.profit is not None:
            words = ("profit over all contacted", "触达客户合计利润")
            found.append(Figure("profit", self.profit[0], "currency", *words, *self.profit[1:], p.level))
        if self.variance_left is not None:
            words = ("variance left after adjusting", "校正后剩余方差")
            found.append(Figure("variance_left", self.variance_left, "share", *words))
        if self.imbalance is not None:
            words = ("difference before the campaign, in standard deviations", "活动前差异（标准差）")
            found.append(Figure("imbalance", self.imbalance, "effect", *words))
        if self.ratio is not None:
            words = ("p-value of the ratio of the arms", "组间比例的 p 值")
            found.append(Figure("ratio_p", self.ratio.p_value, "probability", *words))
        for s in self.strata:
            found.append(_interval(f"stratum.{s.stratum}", s.effect, unit, f"difference, {s.stratum}",
                                   f"差异，{s.stratum}"))  # fmt: skip
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """JSON form; it holds no customer."""
        return asdict(self) | {"verdict": self.verdict}


def _interval(name: str, effect: Effect, unit: str, en: str, zh: str) -> Figure:
    return Figure(name, effect.difference, unit, en, zh, effect.low, effect.high, effect.level)


def measure(
    table: pd.DataFrame,
    *,
    name: str = "campaign",
    kind: Literal["mean", "share"] = "mean",
    level: float = 0.95,
    holdout_share: float | None = None,
    elapsed: float = 1.0,
    days: int = 0,
    contact_cost: float = 0.0,
    gross_margin: float = 1.0,
) -> Measurement:
    """Compare the arms of a table: arm ('contact', 'holdout'), outcome, and where known before and stratum.

    before: one column of the same customers' time before, or several that start with 'before'.
    holdout_share: the share that was assigned; None: nobody was (observational). Raises DataError for
    fewer than 10 customers in an arm or outcomes that are missing or, for shares, not 0 or 1.
    """
    _check(table, kind)
    treated = (table["arm"] == "contact").to_numpy()
    outcome = table["outcome"].to_numpy(float)
    compare = difference_of_shares if kind == "share" else difference_of_means
    plain = primary = compare(outcome[treated], outcome[~treated], level)
    known = [column for column in table if str(column).startswith("before")]
    left = imbalance = None
    if known and table[known].to_numpy(float).std() > 0:
        before = table[known].to_numpy(float)
        outcome, left = adjusted(outcome, before, treated)
        primary = difference_of_means(outcome[treated], outcome[~treated], level)
        spread = float(before[:, 0].std(ddof=1))
        imbalance = float(before[treated, 0].mean() - before[~treated, 0].mean()) / spread if spread else 0.0
    strata = _by_stratum(table, outcome, treated, level)
    gains = np.array([primary.difference, primary.low, primary.high]) * primary.contact
    total = (float(gains[0]), float(gains[1]), float(gains[2]))
    profits = gains * gross_margin - contact_cost * primary.contact
    ratio = None
    if holdout_share is not None:
        ratio = sample_ratio(primary.contact, primary.holdout, holdout_share)
    return Measurement(
        name=name,
        kind=kind,
        randomised=holdout_share is not None,
        elapsed=elapsed,
        days=days,
        plain=plain,
        primary=primary,
        variance_left=left,
        imbalance=imbalance,
        ratio=ratio,
        strata=strata,
        heterogeneity=heterogeneity([s.effect for s in strata]),
        total=total,
        profit=None if kind == "share" else (float(profits[0]), float(profits[1]), float(profits[2])),
    )


def _check(table: pd.DataFrame, kind: str) -> None:
    sizes = table["arm"].value_counts()
    for arm in ("contact", "holdout"):
        if sizes.get(arm, 0) < MIN_ARM:
            raise DataError(
                f"arm '{arm}': not enough data, {sizes.get(arm, 0)} customers with an outcome; it takes {MIN_ARM}.",
                f"组“{arm}”：数据不足，有结果的客户{sizes.get(arm, 0)}名；至少需要{MIN_ARM}名。",
            )
    if not np.isfinite(table["outcome"].to_numpy(float)).all():
        raise DataError(
            "outcome: some customers have none; give 0 to those who did nothing.",
            "outcome：有的客户没有结果；什么都没做的请给0。",
        )
    if kind == "share" and not table["outcome"].isin([0, 1]).all():
        raise DataError(
            "outcome: a share takes 0 or 1 for each customer.", "outcome：比例要求每名客户为0或1。"
        )


def _by_stratum(
    table: pd.DataFrame, outcome: np.ndarray, treated: np.ndarray, level: float
) -> tuple[StratumEffect, ...]:
    """Every stratum with enough customers in both arms, corrected for how many there are."""
    if "stratum" not in table or table["stratum"].nunique() < 2:
        return ()
    parts = []
    for stratum in sorted(table["stratum"].unique()):
        inside = (table["stratum"] == stratum).to_numpy()
        if min((inside & treated).sum(), (inside & ~treated).sum()) >= MIN_ARM:
            parts.append((str(stratum), inside))
    wide = 1 - (1 - level) / max(1, len(parts))
    effects = [difference_of_means(outcome[i & treated], outcome[i & ~treated], wide) for _, i in parts]
    corrected = holm([effect.p_value for effect in effects])
    return tuple(StratumEffect(s, e, p) for (s, _), e, p in zip(parts, effects, corrected, strict=True))


def read_experiment(experiment: Experiment, purchases: pd.DataFrame, as_of: date) -> Measurement:
    """Measure an experiment with the purchases before `as_of`, with the columns that `outcomes` takes.

    Raises DefinitionError when the window has not begun or a look this early could find nothing.
    """
    elapsed = experiment.elapsed(as_of)
    days = round(elapsed * experiment.horizon_days)
    if elapsed <= 0:
        raise DefinitionError(
            f"'{experiment.name}' starts on {experiment.start}, and the data end before {as_of}: nothing to "
            f"measure yet. Add newer data; its result is due on {experiment.end}.",
            f"“{experiment.name}”从{experiment.start}开始，而数据在{as_of}之前结束，还没有可以衡量的。请补充新数据；结果要到{experiment.end}。",
        )
    earlier = [experiment.elapsed(day) for day in experiment.looks]
    alpha = look_alpha(elapsed, earlier, experiment.alpha)
    if alpha < LEAST_ALPHA:
        first = next(
            d
            for d in range(days, experiment.horizon_days + 1)
            if spent(d / experiment.horizon_days, experiment.alpha) - spent(elapsed, experiment.alpha)
            >= LEAST_ALPHA
        )
        raise DefinitionError(
            f"'{experiment.name}' is on day {days} of {experiment.horizon_days}: too early to tell anything. "
            f"Look from day {first} on; its result is due on {experiment.end}.",
            f"“{experiment.name}”目前是{experiment.horizon_days}天中的第{days}天，还太早，说明不了什么。请从第{first}天起再看；结果要到{experiment.end}。",
        )
    return measure(
        outcomes(experiment, purchases, as_of),
        name=experiment.name,
        kind=experiment.kind,
        level=1 - alpha,
        holdout_share=experiment.holdout_share,
        elapsed=elapsed,
        days=days,
        contact_cost=experiment.contact_cost,
        gross_margin=experiment.gross_margin,
    )


def smallest_detectable(measurement: Measurement, power: float = 0.8) -> float:
    """The difference that this comparison would have found with the power given."""
    alpha = 1 - measurement.primary.level
    return float(norm.isf(alpha / 2) + norm.ppf(power)) * measurement.primary.error


def past_campaign(
    name: str,
    start: date,
    days: int,
    reached: set[str],
    strata: pd.Series,
    purchases: pd.DataFrame,
    as_of: date,
) -> Measurement:
    """Those whom a past campaign reached against the other customers of `strata`: observed, not caused.

    Nobody was assigned, so the time before is adjusted for in three slices; what else sets the reached
    apart stays in the difference. Raises DefinitionError when the data do not cover the window.
    """
    moment = pd.Timestamp(start)
    if moment + pd.Timedelta(days=days) > pd.Timestamp(as_of):
        raise DefinitionError(
            f"Campaign '{name}' ran until the end of the data; its {days} days are not over.",
            f"活动“{name}”一直到数据的末尾，它的{days}天还没有结束。",
        )
    if moment - pd.Timedelta(days=days) < purchases["ts"].min().normalize():
        raise DefinitionError(
            f"Campaign '{name}': not enough data, the {days} days before it are not there.",
            f"活动“{name}”：数据不足，没有它之前{days}天的数据。",
        )
    customers = pd.Series(strata.index.astype("str"))
    line, moments = Timeline(purchases), pd.Series([moment] * len(customers))
    spend = {"outcome": line.spend(customers, moments, 0, days)}
    for slice_, (first, last) in enumerate(((-days, 0), (-days // 3, 0), (-2 * days // 3, -days // 3))):
        spend[f"before{slice_}"] = line.spend(customers, moments, first, last)
    arm = np.where(customers.isin(reached), "contact", "holdout")
    table = pd.DataFrame(spend | {"arm": arm, "stratum": strata.to_numpy()}, index=customers)
    return measure(table, name=name, days=days)
