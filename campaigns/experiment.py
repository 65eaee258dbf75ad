"""An experiment as an object: who is in which arm, what is measured and when, and every look taken at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from campaigns.assign import assign
from campaigns.spend import Timeline
from segments.errors import DataError, DefinitionError, Sentence

MetricName = Literal["spend", "bought"]
METRICS: tuple[MetricName, ...] = get_args(MetricName)
MAX_NAME = 80


@dataclass(frozen=True)
class Experiment:
    """A campaign with a holdout. arms: customer_id -> (stratum, arm).

    The outcome of a customer is the spend (currency), or whether they bought (0/1), in
    `[start, start + horizon_days)`; the same of the `horizon_days` before is the covariate. looks: dates
    as of which the outcome was read. contact_cost (currency), gross_margin (share): to tell the profit.
    """

    name: str
    start: date
    metric: MetricName
    horizon_days: int
    holdout_share: float
    salt: str
    arms: Mapping[str, tuple[str, str]]
    alpha: float = 0.05
    definition: Mapping[str, Any] | None = None
    contact_cost: float = 0.0
    gross_margin: float = 1.0
    looks: tuple[date, ...] = field(default=())

    def __post_init__(self) -> None:
        issues: list[Sentence] = []
        if not self.name.strip() or len(self.name) > MAX_NAME or not self.name.isprintable():
            issues.append(
                Sentence(
                    f"name: must be 1 to {MAX_NAME} printable characters; got {self.name[:20]!r}.",
                    f"name：必须是1到{MAX_NAME}个可打印字符，而给的是{self.name[:20]!r}。",
                )
            )
        if self.metric not in METRICS:
            issues.append(
                Sentence(
                    f"metric: must be one of {', '.join(METRICS)}; got {self.metric!r}.",
                    f"metric：必须是{'、'.join(METRICS)}之一，而给的是{self.metric!r}。",
                )
            )
        if not self.horizon_days >= 1:
            issues.append(
                Sentence(
                    f"horizon_days: must be at least 1; got {self.horizon_days}.",
                    f"horizon_days：至少为1，而给的是{self.horizon_days}。",
                )
            )
        if not 0 < self.holdout_share < 1:
            issues.append(
                Sentence(
                    f"holdout_share: must lie between 0 and 1; got {self.holdout_share}.",
                    f"holdout_share：必须在0与1之间，而给的是{self.holdout_share}。",
                )
            )
        if not 0 < self.alpha < 1:
            issues.append(
                Sentence(
                    f"alpha: must lie between 0 and 1; got {self.alpha}.",
                    f"alpha：必须在0与1之间，而给的是{self.alpha}。",
                )
            )
        if issues:
            raise DefinitionError.of(*issues)

    @property
    def end(self) -> date:
        """The first day that no longer counts."""
        return self.start + timedelta(days=self.horizon_days)

    def customers(self, arm: str) -> list[str]:
        """The ids of one arm."""
        return [customer for customer, (_, own) in self.arms.items() if own == arm]

    def elapsed(self, as_of: date) -> float:
        """The share of the window (0..1) that has passed before `as_of`."""
        return min(1.0, max(0.0, (as_of - self.start).days / self.horizon_days))

    def looked(self, as_of: date) -> Experiment:
        """The experiment with one more look noted; the same day again changes nothing."""
        day = min(as_of, self.end)
        return self if day in self.looks else replace(self, looks=tuple(sorted((*self.looks, day))))

    def extended(self, strata: pd.Series) -> Experiment:
        """With further customers: those who have an arm keep it, newcomers are assigned by the same salt."""
        known = {c: stratum for c, (stratum, _) in self.arms.items()}
        everyone = pd.Series(strata.astype("str").to_dict() | known)
        fixed = {c: arm for c, (_, arm) in self.arms.items()}
        return replace(self, arms=_arms(everyone, assign(everyone, self.holdout_share, self.salt, fixed)))

    def export_rows(self) -> list[dict[str, str]]:
        """customer_id, arm, tier (the stratum that the arms are balanced in) and offer of everyone."""
        return [
            {"customer_id": c, "arm": arm, "tier": stratum, "offer": ""}
            for c, (stratum, arm) in self.arms.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with the customers: to save, not to show."""
        plain = asdict(self) | {"start": self.start.isoformat()}
        return plain | {"looks": [day.isoformat() for day in self.looks]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Experiment:
        """The experiment of a `to_dict`. Raises DataError for anything else."""
        try:
            arms = {str(c): (str(stratum), str(arm)) for c, (stratum, arm) in plain["arms"].items()}
            looks = tuple(date.fromisoformat(day) for day in plain["looks"])
            start = date.fromisoformat(plain["start"])
            return cls(**{**plain, "arms": arms, "looks": looks, "start": start})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"This is not a saved experiment ({error}); it was changed by hand.") from error


def make_experiment(
    name: str,
    start: date,
    strata: pd.Series,
    *,
    metric: MetricName = "spend",
    horizon_days: int = 30,
    holdout_share: float = 0.2,
    alpha: float = 0.05,
    **told: Any,
) -> Experiment:
    """Assign the customers of `strata` (stratum by customer_id) to arms; the name and start are the salt.

    told: definition, contact_cost, gross_margin. Raises DefinitionError for settings out of range, or
    when an arm would be empty.
    """
    salt = f"{name}:{start.isoformat()}"
    made = Experiment(name, start, metric, horizon_days, holdout_share, salt, {}, alpha, **told)
    arms = assign(strata, holdout_share, salt)
    if arms.nunique() < 2:
        raise DefinitionError(
            f"holdout_share: {holdout_share} of {len(strata)} customers leaves an arm empty; take more customers.",
            f"holdout_share：{len(strata)}名客户的{holdout_share}会使某一组为空；请用更多客户。",
        )
    return replace(made, arms=_arms(strata, arms))


def _arms(strata: pd.Series, arms: pd.Series) -> dict[str, tuple[str, str]]:
    return {str(c): (str(s), str(a)) for c, s, a in zip(strata.index, strata, arms, strict=True)}


def outcomes(experiment: Experiment, purchases: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Columns arm, stratum, outcome, before by customer_id, from purchases (customer_id, ts, value).

    Before the window is over only its days up to `as_of` count, in both arms alike.
    """
    days = min(experiment.horizon_days, (as_of - experiment.start).days)
    rows = [(c, stratum, arm) for c, (stratum, arm) in experiment.arms.items()]
    table = pd.DataFrame(rows, columns=["customer_id", "stratum", "arm"])
    moments = pd.Series([pd.Timestamp(experiment.start)] * len(table))
    line = Timeline(purchases)
    outcome = line.spend(table["customer_id"], moments, 0, max(0, days))
    before = line.spend(table["customer_id"], moments, -experiment.horizon_days, 0)
    if experiment.metric == "bought":
        # A purchase that was returned in full nets to 0 and is none.
        outcome, before = (outcome > 0).astype(float), (before > 0).astype(float)
    return table.assign(outcome=np.asarray(outcome), before=np.asarray(before)).set_index("customer_id")
