"""What a strategy is: its parts, the numbers of it that may be quoted, and its forms as JSON and words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from typing import Any, ClassVar, Protocol

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError

from campaigns.acquire import Acquisition
from campaigns.assumptions import NO_TERMS, Assumptions, Terms
from campaigns.budget import BUDGET_STEP, BudgetSplit
from campaigns.expect import Forecast
from campaigns.goals import Objective
from campaigns.mind import Imbalance
from campaigns.offer import Channel, Offer, Timing
from campaigns.power import Holdout
from campaigns.response import SpendChange
from campaigns.uplift import UpliftStudy
from campaigns.words import Language, notes, render
from segments.errors import DataError
from segments.ports import Figure


@dataclass(frozen=True)
class TierPlan:
    """One tier of the members by expected gain (response times gain): how many, whom to contact, with what.

    offers: (offer, customers chosen for it).
    """

    name: str
    size: int
    response: float
    gain: float
    chosen: int
    contact: int
    holdout: int
    offers: tuple[tuple[str, int], ...]
    forecast: Forecast


@dataclass(frozen=True)
class Strategy:
    """A plan. `forecast` is of the contacted customers; `split` of contacted and held-out ones together.

    break_even: the incremental share at which the margin just covers the cost (above 1: it cannot).
    left_alone: members contacted too often of late; passed_over: attributes of which a group is chosen
    much less often. caveats: codes, in words by `notes`. arms: customer_id -> (tier, offer, arm), for the export only.
    definition: of the segment, as JSON; None for a plan that was saved before plans held it. uplift: the randomised test
    that told what contact causes in each customer. acquisition: how the members were found, where they are lookalikes.
    terms: what was asked for instead of the workspace's margin and the usual discount.
    """

    # Break-even may be infinite, which JSON writes as a word.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_inf_nan="strings")

    objective: Objective
    as_of: date
    size: int
    budget: float
    tiers: tuple[TierPlan, ...]
    offers: tuple[Offer, ...]
    channel: Channel | None
    channels: tuple[Channel, ...]
    gain: SpendChange | None
    timing: Timing
    split: BudgetSplit
    forecast: Forecast
    break_even: float
    holdout: Holdout
    left_alone: int
    passed_over: tuple[Imbalance, ...]
    assumptions: Assumptions
    caveats: tuple[str, ...]
    arms: dict[str, tuple[str, str, str]]
    definition: dict[str, Any] | None = None
    uplift: UpliftStudy | None = None
    acquisition: Acquisition | None = None
    terms: Terms = NO_TERMS

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        level = self.assumptions.level
        f = self.forecast
        found = [
            Figure("size", self.size, "customers", "customers in the segment", "分群客户数"),
            Figure("budget", self.budget, "currency", "budget", "预算"),
            *_forecast_figures("", f, "", "", level),
            Figure(
                "break_even",
                self.break_even,
                "ratio",
                "incremental share at break-even",
                "盈亏平衡的增量比例",
            ),
            Figure(
                "shadow_price",
                self.split.shadow_price,
                "currency",
                "net margin of one more unit",
                "追加一元的净毛利",
            ),
            Figure("budget_step", BUDGET_STEP, "currency", "one more unit of budget", "追加的一元预算"),
            Figure(
                "margin_kept",
                self.margin_kept,
                "share",
                "margin left on what a coupon buys",
                "用券商品剩余毛利率",
            ),
            Figure(
                "left_alone", self.left_alone, "customers", "members contacted too often", "触达过多的成员"
            ),
            Figure(
                "usual_discount",
                self.offers[0].usual_discount,
                "share",
                "members' usual discount",
                "成员的平均折扣率",
            ),
            Figure(
                "paying_contacts",
                self.split.paying_contacts,
                "customers",
                "contacts that pay back",
                "可回本的触达数",
            ),
            Figure(
                "paying_cost",
                self.split.paying_cost,
                "currency",
                "cost of the contacts that pay back",
                "可回本触达的成本",
            ),
        ]
        for tier in self.tiers:
            name, en, zh = f"tier.{tier.name}.", f", tier {tier.name}", f"，{tier.name}层"
            found += [
                Figure(f"{name}size", tier.size, "customers", f"customers{en}", f"客户数{zh}"),
                Figure(
                    f"{name}response", tier.response, "probability", f"mean response{en}", f"平均响应概率{zh}"
                ),
                Figure(f"{name}held", tier.holdout, "customers", f"held out{en}", f"对照组{zh}"),
                *_forecast_figures(name, tier.forecast, en, zh, level),
            ]
        for channel in self.channels:
            en, zh = f"response rate in the segment, {channel.type}", f"分群响应率，{channel.type}"
            found.append(
                Figure(
                    f"channel.{channel.type}", channel.rate, "share", en, zh, channel.low, channel.high, level
                )
            )
            en, zh = f"response rate of everyone, {channel.type}", f"全体响应率，{channel.type}"
            found.append(Figure(f"channel.{channel.type}.everyone", channel.rate_everyone, "share", en, zh))
        for place, group in enumerate(self.passed_over):
            for which, name, value in (
                ("least", group.least, group.least_share),
                ("most", group.most, group.most_share),
            ):
                en, zh = f"chosen of {group.attribute} {name}", f"{group.attribute} {name} 入选占比"
                found.append(Figure(f"passed_over.{place}.{which}", value, "share", en, zh))
        parts: tuple[tuple[str, HasFigures], ...] = (
            ("objective", self.objective),
            *((f"offer.{offer.key}", offer) for offer in self.offers),
            ("timing", self.timing),
            ("holdout", self.holdout),
            ("assumption", self.assumptions),
            *(() if self.uplift is None else (("uplift", self.uplift),)),
            *(() if self.acquisition is None else (("acquisition", self.acquisition),)),
        )
        for prefix, part in parts:
            found += [replace(figure, name=f"{prefix}.{figure.name}") for figure in part.figures()]
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a tier."""
        return [
            {key: value for key, value in asdict(tier).items() if key not in ("forecast", "offers")}
            | {
                "offers": dict(tier.offers),
                "cost": tier.forecast.cost,
                "responders": tier.forecast.responders,
            }
            | {"revenue": tier.forecast.revenue, "roi": tier.forecast.roi}
            for tier in self.tiers
        ]

    def export_rows(self) -> list[dict[str, str]]:
        """customer_id, arm, tier and offer of every customer who is contacted or held out."""
        return [
            {"customer_id": c, "arm": arm, "tier": tier, "offer": offer}
            for c, (tier, offer, arm) in self.arms.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON form, without customer ids, and so without the definition, which may name one."""
        plain = asdict(replace(self, arms={}))
        del plain["arms"], plain["definition"]
        for allocation in plain["split"]["allocations"]:
            del allocation["chosen"]
        plain["objective"]["reason"] = asdict(self.objective.reason) if self.objective.reason else None
        return _jsonable(plain)

    def saved(self) -> dict[str, Any]:
        """JSON form with the customers: to save, not to show."""
        found: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return found

    @classmethod
    def restored(cls, content: dict[str, Any]) -> Strategy:
        """The plan of a `saved`. Raises DataError for anything else."""
        try:
            return _adapter().validate_python(content, strict=False)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(f"{where}: this is not a saved plan ({first['msg']}).") from error

    @property
    def margin_kept(self) -> float:
        """Margin left on what a coupon buys, as a share of what the customer pays: (margin - depth) / (1 - depth)."""
        depth = self.offers[0].depth
        return (self.assumptions.gross_margin - depth) / (1 - depth)

    def notes(self, language: Language = "en", currency: str = "$") -> tuple[str, ...]:
        """The caveats as sentences."""
        return tuple(notes(self, language, currency))

    def to_markdown(self, language: str = "en", currency: str = "$") -> str:
        """The plan in words ('en' or 'zh')."""
        return render(self, language, currency)


@cache
def _adapter() -> TypeAdapter[Strategy]:
    return TypeAdapter(Strategy)


class HasFigures(Protocol):
    """A part of a plan with numbers of its own."""

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        ...


def _forecast_figures(prefix: str, f: Forecast, en: str, zh: str, level: float) -> list[Figure]:
    """The numbers of a forecast, with their intervals at `level`."""
    numbers = (
        (
            "responders",
            f.responders,
            f.responders_interval,
            "customers",
            "expected responders",
            "预期响应客户数",
        ),
        (
            "revenue",
            f.revenue,
            f.revenue_interval,
            "currency",
            "expected incremental revenue",
            "预期增量收入",
        ),
        ("cost", f.cost, f.cost_interval, "currency", "expected cost", "预期成本"),
        ("net", f.net, f.net_interval, "currency", "expected net margin", "预期净毛利"),
        ("roi", f.roi, f.roi_interval, "ratio", "expected return on cost", "预期投资回报率"),
    )
    return [
        Figure(f"{prefix}contacts", f.contacts, "customers", f"customers contacted{en}", f"触达客户数{zh}"),
        *(
            Figure(f"{prefix}{name}", value, unit, f"{e}{en}", f"{z}{zh}", low, high, level)
            for name, value, (low, high), unit, e, z in numbers
        ),
        Figure(
            f"{prefix}chance_to_pay",
            f.chance_to_pay,
            "probability",
            f"chance to pay back{en}",
            f"回本概率{zh}",
        ),
    ]


def _jsonable(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [_jsonable(item) for item in value]
        case date():
            return value.isoformat()
        case float() if not np.isfinite(value):
            return None
        case _:
            return value
