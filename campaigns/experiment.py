"""An experiment as an object: who is in which arm, what is measured and when, and every look taken at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal, get_args

import pandas as pd

from campaigns.assign import assign
from campaigns.plan import Strategy
from campaigns.spend import Timeline
from segments.errors import DataError, DefinitionError, Sentence

MetricName = Literal["spend", "bought", "bought_offer"]
METRICS: tuple[MetricName, ...] = get_args(MetricName)
METRIC_OF: dict[str, MetricName] = {
    "spend_adjusted": "spend",
    "bought": "bought",
    "bought_offer": "bought_offer",
}
"""By the name of a plan's primary metric. Spend is read adjusted wherever the time before is known."""
MAX_NAME = 80


@dataclass(frozen=True)
class Experiment:
    """A campaign with a holdout. arms: customer_id -> (stratum, arm).

    The outcome of a customer is the spend (currency), whether they bought, or whether they bought what they are
    offered (0/1), in `[start, start + horizon_days)`; the same of the `horizon_days` before is the covariate. looks:
    dates as of which the outcome was read. contact_cost (currency), gross_margin (share): to tell the profit. offers:
    customer_id -> category, of both arms, where a plan chose one.
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
    offers: Mapping[str, str] = field(default_factory=dict)

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
    def kind(self) -> Literal["mean", "share"]:
        """What the arms are compared by: a mean of spend, or a share who bought."""
        return "mean" if self.metric == "spend" else "share"

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
            {"customer_id": c, "arm": arm, "tier": stratum, "offer": self.offers.get(c, "")}
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

    told: definition, contact_cost, gross_margin, offers. Raises DefinitionError for settings out of range, or
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


def experiment_of_plan(
    plan: Strategy, name: str, start: date, definition: Mapping[str, Any] | None, share: float | None = None
) -> Experiment:
    """A plan carried out as an experiment: its chosen customers with their offers and arms, its primary metric and window.

    share: of its customers to hold out instead of as many as it sized. Raises DefinitionError as `make_experiment`.
    """
    metric, sizes = plan.holdout.metric, (plan.holdout.holdout, plan.holdout.contact)
    made = make_experiment(
        name,
        start,
        pd.Series({customer: tier for customer, (tier, _, _) in plan.arms.items()}),
        metric=METRIC_OF[metric.name],
        horizon_days=metric.horizon_days,
        holdout_share=sizes[0] / sum(sizes) if share is None else share,
        alpha=plan.holdout.alpha,
        definition=definition,
        contact_cost=plan.assumptions.contact_cost,
        gross_margin=plan.assumptions.gross_margin,
        # What a plan offers are categories, whose names are their keys.
        offers={customer: offer for customer, (_, offer, _) in plan.arms.items()},
    )
    if share is not None:
        return made
    arms = {customer: (tier, arm) for customer, (tier, _, arm) in plan.arms.items()}
    return replace(made, arms=arms, salt=plan.assumptions.seed)


def _arms(strata: pd.Series, arms: pd.Series) -> dict[str, tuple[str, str]]:
    return {str(c): (str(s), str(a)) for c, s, a in zip(strata.index, strata, arms, strict=True)}


def purchases_read(experiment: Experiment, purchases: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """What an experiment is read by: with the category of each purchase where only what was offered counts."""
    if experiment.metric != "bought_offer":
        return purchases
    return purchases.merge(items[["item_id", "category"]], on="item_id")


def outcomes(experiment: Experiment, purchases: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Columns arm, stratum, outcome, before, spent by customer_id, from purchases (customer_id, ts, value; category too
    where only what was offered counts).

    spent: currency, on what counts. Before the window is over only its days up to `as_of` count, in both arms alike.
    """
    days = min(experiment.horizon_days, (as_of - experiment.start).days)
    rows = [(c, stratum, arm) for c, (stratum, arm) in experiment.arms.items()]
    table = pd.DataFrame(rows, columns=["customer_id", "stratum", "arm"])
    moments = pd.Series([pd.Timestamp(experiment.start)] * len(table))
    if experiment.metric == "bought_offer":
        offered = purchases["customer_id"].map(pd.Series(experiment.offers, dtype="object"))
        purchases = purchases[purchases["category"].astype("object") == offered]
    line = Timeline(purchases)
    outcome = line.spend(table["customer_id"], moments, 0, max(0, days))
    before = line.spend(table["customer_id"], moments, -experiment.horizon_days, 0)
    spent = outcome
    if experiment.kind == "share":
        # A purchase that was returned in full nets to 0 and is none.
        outcome, before = (outcome > 0).astype(float), (before > 0).astype(float)
    return table.assign(outcome=outcome, before=before, spent=spent).set_index("customer_id")
