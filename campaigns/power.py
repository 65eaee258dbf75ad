"""Power: how many customers not to contact so that the effect of a campaign can be measured.

Two shares are compared on the arcsine scale, two means on the scale of their standard deviation; both
are z tests, so one formula serves: an effect `e` is found with the wanted power at the two-sided
level alpha when `1/n1 + 1/n2 <= (e / (z[1 - alpha/2] + z[power])) ** 2` (Cohen 1988, Statistical Power
Analysis for the Behavioral Sciences, chapters 2 and 6).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import asin, ceil, floor, pi, sin, sqrt
from typing import Any, Literal

from scipy.stats import norm

from segments.errors import DefinitionError
from segments.ports import Figure

ALPHA = 0.05
POWER = 0.8
"""Conventional (Cohen 1988): a false alarm once in 20 times, a real effect found 4 times in 5."""
MAX_HOLDOUT_SHARE = 0.3
"""The largest share of the chosen customers that a plan leaves out on its own account."""


def share_effect(baseline: float, treated: float) -> float:
    """Cohen's h between two shares (0..1)."""
    return 2 * asin(sqrt(treated)) - 2 * asin(sqrt(baseline))


def sample_size(effect: float, *, ratio: float = 1.0, alpha: float = ALPHA, power: float = POWER) -> int:
    """Customers of the first arm to find a standardised effect; the second has `ratio` times as many.

    Raises DefinitionError for an effect of 0, which no sample finds.
    """
    if effect == 0:
        raise DefinitionError(
            "The effect to detect is 0; give the difference that would matter to you.",
            "要检出的效果是0；请给出对您有意义的差异。",
        )
    return ceil((_z(alpha, power) / effect) ** 2 * (1 + 1 / ratio))


def detectable_effect(first: int, second: int, *, alpha: float = ALPHA, power: float = POWER) -> float:
    """The smallest standardised effect that two arms of these sizes find."""
    return _z(alpha, power) * sqrt(1 / first + 1 / second)


def detectable_share(baseline: float, effect: float) -> float:
    """The share that lies a Cohen's h of `effect` above `baseline`, at most 1."""
    return sin(min(pi / 2, asin(sqrt(baseline)) + effect / 2)) ** 2


def _z(alpha: float, power: float) -> float:
    return float(norm.ppf(1 - alpha / 2) + norm.ppf(power))


@dataclass(frozen=True)
class Metric:
    """The primary metric: a share of customers, or a mean per customer with its standard deviation.

    expected: the difference (same unit) that the campaign should make.
    """

    name: str
    kind: Literal["share", "mean"]
    unit: str
    baseline: float
    expected: float
    deviation: float
    horizon_days: int
    label_en: str
    label_zh: str

    @property
    def effect(self) -> float:
        """The expected difference, standardised."""
        if self.kind == "share":
            return share_effect(self.baseline, min(1.0, self.baseline + self.expected))
        return self.expected / self.deviation if self.deviation > 0 else 0.0

    def difference(self, effect: float) -> float:
        """A standardised effect in the unit of the metric."""
        if self.kind == "share":
            return detectable_share(self.baseline, effect) - self.baseline
        return effect * self.deviation


@dataclass(frozen=True)
class Holdout:
    """An experiment: how many are contacted and how many are not, and what that can find.

    detectable: the smallest difference in the metric that it finds; powered: whether the expected
    difference is at least that; needed: customers in all for the expected difference at equal arms
    (None when no difference is expected).
    """

    contact: int
    holdout: int
    metric: Metric
    detectable: float
    powered: bool
    needed: int | None
    alpha: float
    power: float

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        m, unit = self.metric, self.metric.unit
        en, zh = m.label_en, m.label_zh
        found = [
            Figure("holdout", self.holdout, "customers", "customers held out", "对照组客户数"),
            Figure("chosen", self.contact + self.holdout, "customers", "customers chosen", "入选客户数"),
            Figure("contact", self.contact, "customers", "customers contacted", "触达组客户数"),
            Figure("baseline", m.baseline, unit, f"{en}, without contact", f"{zh}（不触达）"),
            Figure("expected", m.expected, unit, f"expected difference in {en}", f"{zh}的预期差异"),
            Figure(
                "detectable",
                self.detectable,
                unit,
                f"smallest difference found in {en}",
                f"{zh}的最小可测差异",
            ),
            Figure("horizon_days", m.horizon_days, "days", "days until it is read", "观察天数"),
            Figure("alpha", self.alpha, "probability", "significance level", "显著性水平"),
            Figure("power", self.power, "probability", "power", "检验功效"),
        ]
        if self.needed is not None:
            en, zh = "customers needed for the expected difference", "测出预期差异所需客户数"
            found.append(Figure("needed", self.needed, "customers", en, zh))
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict an arm."""
        return [
            {"arm": "contact", "customers": self.contact},
            {"arm": "holdout", "customers": self.holdout},
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def design_holdout(
    size: int,
    metric: Metric,
    *,
    alpha: float = ALPHA,
    power: float = POWER,
    max_share: float = MAX_HOLDOUT_SHARE,
) -> Holdout:
    """The smallest holdout out of `size` customers that finds the expected difference.

    When even `max_share` of them is too small, the holdout has that share, and `powered` is False.
    Raises DefinitionError below 2 customers or for a share outside (0, 0.5].
    """
    if size < 2:
        raise DefinitionError(
            f"A holdout takes at least 2 customers; there are {size}.",
            f"对照组至少需要2名客户，而这里有{size}名。",
        )
    if not 0 < max_share <= 0.5:
        raise DefinitionError(
            f"The largest holdout share must lie above 0 and at most 0.5, not {max_share}.",
            f"最大对照比例必须大于0且不超过0.5，而给的是{max_share}。",
        )
    largest = max(1, floor(size * max_share))
    effect = abs(metric.effect)
    holdout, needed = largest, None
    if effect > 0:
        needed = 2 * sample_size(effect, alpha=alpha, power=power)
        # 1/n + 1/(size - n) <= 1/each, solved for the smaller root n.
        each = (_z(alpha, power) / effect) ** 2
        root = size * size - 4 * size * each
        if root >= 0:
            holdout = min(largest, max(1, ceil((size - sqrt(root)) / 2)))
    found = detectable_effect(size - holdout, holdout, alpha=alpha, power=power)
    return Holdout(
        size - holdout, holdout, metric, metric.difference(found), effect >= found, needed, alpha, power
    )
