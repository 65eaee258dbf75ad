"""What a plan takes for granted because no data of the retailer says it. Every plan returns them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from segments.errors import DefinitionError, Sentence
from segments.ports import Figure


@dataclass(frozen=True)
class Terms:
    """What one plan is asked for beside goal and budget. margin: gross margin, a share of revenue; discount: of every
    coupon, a share of the price. None: the workspace's margin, and the discount that the members' habits suggest."""

    margin: float | None = None
    discount: float | None = None


NO_TERMS = Terms()


@dataclass(frozen=True)
class Assumptions:
    """Parameters of a plan; the defaults are stated here and shown with every plan.

    contact_cost: currency for each mailed customer (print and postage of a mailed coupon).
    gross_margin: share of revenue left after the cost of goods; 0.25 is typical of US grocers.
    discount: depth of every coupon, 0..1; None: the next step of 5 % above what the members usually get.
    coupon_face_value: cost of one redeemed coupon; None: discount depth times the usual spend on the
    offer in one order. incremental_share: range of the share of the observed gain that the campaign
    truly causes; past data cannot tell (responders chose to respond), a holdout can; default: anywhere
    between a fifth and four fifths. response_rate, gain_per_response: used where no past campaign
    tells (share, currency). prior_exposures: how many exposures of everyone the segment's own
    response rate is blended with. min_contact_gap_days, mail_days: rest between two contacts, and
    days from posting to arrival. only_paying: leave out contacts that are expected to lose money.
    """

    contact_cost: float = 0.5
    gross_margin: float = 0.25
    discount: float | None = None
    coupon_face_value: float | None = None
    incremental_share: tuple[float, float] = (0.2, 0.8)
    response_rate: float | None = None
    gain_per_response: float | None = None
    prior_exposures: int = 50
    horizon_days: int = 30
    min_contact_gap_days: int = 14
    max_contacts_90d: int = 6
    tier_caps: tuple[tuple[str, int], ...] = ()
    mail_days: int = 2
    max_holdout_share: float = 0.3
    only_paying: bool = False
    draws: int = 4000
    level: float = 0.95
    seed: str = "strategy"

    def __post_init__(self) -> None:
        low, high = self.incremental_share
        issues: list[Sentence] = []
        if not self.contact_cost > 0:
            issues.append(
                Sentence(
                    f"contact_cost must be above 0, not {self.contact_cost}.",
                    f"contact_cost：必须大于0，而给的是{self.contact_cost}。",
                )
            )
        if not 0 < self.gross_margin <= 1:
            issues.append(
                Sentence(
                    f"gross_margin must lie above 0 and at most 1, not {self.gross_margin}.",
                    f"gross_margin：必须大于0且不超过1，而给的是{self.gross_margin}。",
                )
            )
        elif self.discount is not None and not 0 < self.discount <= self.gross_margin:
            issues.append(
                Sentence(
                    f"discount must lie above 0 and at most the gross margin of {self.gross_margin:.0%}, as a deeper one "
                    f"sells below cost, not {self.discount:.0%}.",
                    f"优惠力度（discount）：必须大于0且不超过毛利率{self.gross_margin:.0%}，更大的优惠会低于成本销售，"
                    f"而给的是{self.discount:.0%}。",
                )
            )
        if not 0 <= low <= high <= 1:
            issues.append(
                Sentence(
                    f"incremental_share must be a range within 0..1, not {low} to {high}.",
                    f"incremental_share：必须是0到1之内的范围，而给的是{low}到{high}。",
                )
            )
        if self.response_rate is not None and not 0 < self.response_rate < 1:
            issues.append(
                Sentence(
                    f"response_rate must lie between 0 and 1, not {self.response_rate}.",
                    f"response_rate：必须在0与1之间，而给的是{self.response_rate}。",
                )
            )
        if self.max_contacts_90d < 1:
            issues.append(
                Sentence(
                    f"max_contacts_90d must be at least 1, not {self.max_contacts_90d}.",
                    f"max_contacts_90d：至少为1，而给的是{self.max_contacts_90d}。",
                )
            )
        if issues:
            raise DefinitionError.of(*issues)

    def under(self, terms: Terms) -> Assumptions:
        """With a plan's own terms in the place of the workspace's. Raises DefinitionError for terms that cannot be."""
        margin = self.gross_margin if terms.margin is None else terms.margin
        return replace(self, gross_margin=margin, discount=terms.discount)

    @property
    def incremental(self) -> float:
        """The middle of the range of the incremental share."""
        return sum(self.incremental_share) / 2

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        low, high = self.incremental_share
        return (
            Figure(
                "contact_cost", self.contact_cost, "currency", "assumed cost of a contact", "假设每次触达成本"
            ),
            Figure("gross_margin", self.gross_margin, "share", "assumed gross margin", "假设毛利率"),
            Figure(
                "incremental_share",
                self.incremental,
                "share",
                "assumed share of the observed gain that the campaign causes",
                "假设观察到的增量中由活动带来的比例",
                low,
                high,
            ),
            Figure("horizon_days", self.horizon_days, "days", "days until the result is read", "观察天数"),
            Figure(
                "min_contact_gap_days",
                self.min_contact_gap_days,
                "days",
                "assumed rest between two contacts",
                "假设两次触达的最短间隔",
            ),
            Figure(
                "max_contacts_90d",
                self.max_contacts_90d,
                "count",
                "contacts in 90 days at most",
                "90天内触达上限",
            ),
        )
