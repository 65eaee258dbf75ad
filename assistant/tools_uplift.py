"""The tool of uplift: whom a past campaign moved, as evidence, and how far that may be believed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import pandas as pd

from assistant.scoring import group_words
from propensity.dataset import customer_matrix
from propensity.uplift.measure import LEVEL, TOP, Estimate
from propensity.uplift.study import GROUPS, CampaignStudy, group_shares, study_campaign
from segments.errors import DataError, NotFoundError, Sentence
from segments.ports import Evidence, Figure, Outcome
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

RESPONSE = Outcome("purchase_14d", "purchase", 14)
"""What counts as a response: a purchase soon after the start. Redeeming cannot be one: it takes a coupon to redeem."""
LABELS = {
    "persuadable": ("would buy because of it", "因它才会购买"),
    "sure_thing": ("would buy anyway", "没有它也会购买"),
    "lost_cause": ("would buy in neither case", "怎样都不会购买"),
    "do_not_disturb": ("would be put off by it", "反而会因它不买"),
}
SHOWN_DIFFERENCES = 5


@dataclass(frozen=True)
class _Learned:
    """A study with what it was learned from. response_value: currency, of one response."""

    study: CampaignStudy
    treated: pd.Series
    response: pd.Series
    start: date
    response_value: float


class CampaignUplift:
    """Studies of a workspace's past campaigns, each made when first asked for.

    Events do not say how customers were picked, so a campaign counts as targeted unless it is in `randomised`.
    contact_cost: currency a customer. gross_margin: share of revenue left after the cost of goods.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        current: Callable[[], pd.DataFrame],
        contact_cost: float,
        gross_margin: float,
        randomised: Collection[str] = (),
    ) -> None:
        self._warehouse, self._current, self._randomised = warehouse, current, randomised
        self._contact_cost, self._gross_margin = contact_cost, gross_margin
        self._tables = TrainingTables(warehouse)
        self._studies: dict[str, _Learned] = {}

    def evidence(self, members: Sequence[str], campaign: str | None) -> Evidence:
        """Whom of the members a campaign like that one would move. Raises NotFoundError, DataError."""
        chosen = self._choose(campaign)
        learned = self._learned(chosen)
        study = learned.study
        customers = study.customers.reindex(list(members)).dropna()
        shares = group_shares(customers).sum()
        groups = [Figure(name, round(shares[name]), "customers", *LABELS[name]) for name in GROUPS]
        about = _campaign_figures(chosen, learned.start, learned.treated, learned.response)
        worth = _policy_figures(study, learned.response_value, self._contact_cost)
        figures = (*groups, *about, *_belief_figures(study), *worth)
        notes = (
            "tells who" if study.tells_who else "does not tell who",
            "causal" if study.balance.causal else "not causal",
        )
        return Evidence("", "estimate_uplift", figures, tuple(_differences(study)), notes)

    @cached_property
    def campaigns(self) -> tuple[str, ...]:
        """The ids of the campaigns that reached somebody."""
        events = self._warehouse.table("events")
        reached = events.filter(events.type == "exposure").select("campaign_id").distinct()
        known = self._warehouse.fetch(reached)["campaign_id"].dropna()
        return tuple(sorted(map(str, known), key=_by_number))

    def effects(self, campaign: str) -> pd.Series:
        """By how much a campaign like that one would change the probability to buy, of every customer of today.

        Raises NotFoundError, DataError.
        """
        return self._learned(self._choose(campaign)).study.customers["effect"].rename("uplift")

    def doubts(self, campaign: str) -> Sentence:
        """How far the effects of a campaign may be believed. Raises NotFoundError, DataError."""
        study = self._learned(self._choose(campaign)).study
        causal, tells = study.balance.causal, study.tells_who
        en = (
            f"Campaign {campaign} was sent at random, so its effect is one."
            if causal
            else f"Campaign {campaign} was not sent at random: its uplift is learned from an observational study, a "
            "guess and not a causal effect."
        )
        zh = (
            f"营销活动 {campaign} 为随机投放，增益即其效果。"
            if causal
            else f"营销活动 {campaign} 并非随机投放，增益来自观察性研究：只是推测，不是因果效应。"
        )
        if not tells:
            en += " It does not tell who better than chance does."
            zh += "对“是谁”的判断不优于随机。"
        return Sentence(en, zh)

    def _learned(self, campaign: str) -> _Learned:
        if campaign not in self._studies:
            self._studies[campaign] = self._study(campaign)
        return self._studies[campaign]

    def _choose(self, campaign: str | None) -> str:
        """The campaign asked for, else the one that reached most customers (the latest of equals)."""
        reached = self._reached.groupby("campaign_id").agg(
            count=("customer_id", "nunique"), start=("ts", "min")
        )
        if campaign is not None:
            if campaign not in reached.index:
                known = ", ".join(self.campaigns[:30])
                raise NotFoundError(
                    f"campaign: there is no campaign '{campaign}'; known are {known or 'none'}.",
                    f"campaign：没有活动“{campaign}”；现有{known or '无'}。",
                )
            return campaign
        ended = reached[
            reached["start"] <= pd.Timestamp(self._tables.as_of - timedelta(days=RESPONSE.horizon_days))
        ]
        ended = ended[ended["start"] > pd.Timestamp(self._tables.first_day)]
        if ended.empty:
            raise DataError(
                "campaign: no campaign has been over for long enough to see what it changed.",
                "campaign：没有结束足够久的活动，看不出带来了什么变化。",
            )
        return str(ended.sort_values(["count", "start"]).index[-1])

    @cached_property
    def _reached(self) -> pd.DataFrame:
        return self._warehouse.events("exposure", "customer_id", "campaign_id", "ts")

    def _study(self, campaign: str) -> _Learned:
        reached = self._reached
        reached = reached[reached["campaign_id"] == campaign]
        start = reached["ts"].min().date()
        if start + timedelta(days=RESPONSE.horizon_days) > self._tables.as_of:
            raise DataError(
                f"campaign: {campaign} began on {start}, too lately to see what it changed.",
                f"campaign：{campaign}从{start}开始，时间太近，看不出带来了什么变化。",
            )
        features = customer_matrix(self._tables.features(start), self._tables.extra(start))
        treated = pd.Series(features.index.isin(reached["customer_id"]).astype(int), features.index)
        response = self._tables.labels(RESPONSE, start).reindex(features.index).fillna(0).astype(int)
        value = self._gross_margin * self._spent(start, response)
        current, at_random = self._current(), campaign in self._randomised
        study = study_campaign(features, treated, response, current, at_random, value, self._contact_cost)
        return _Learned(study, treated, response, start, value)

    def _spent(self, start: date, response: pd.Series) -> float:
        """What a responder spent on average in the time to respond, currency; 0 where nobody did."""
        bought = self._warehouse.events("purchase", "customer_id", "ts", "value")
        first = pd.Timestamp(start)
        inside = (bought["ts"] >= first) & (bought["ts"] < first + pd.Timedelta(days=RESPONSE.horizon_days))
        responders = set(response.index[response == 1])
        spent = bought[inside & bought["customer_id"].isin(responders)]["value"].sum()
        return float(spent) / max(1, len(responders))


def _by_number(name: str) -> tuple[int, str]:
    """Campaigns are numbered: 9 before 13."""
    return len(name), name


def _campaign_figures(
    campaign: str, start: date, treated: pd.Series, response: pd.Series
) -> tuple[Figure, ...]:
    rates = response.groupby(treated).mean()
    return (
        Figure("campaign", campaign, "text", "campaign", "营销活动"),
        Figure("start", start.isoformat(), "date", "began on", "开始日期"),
        Figure("horizon", RESPONSE.horizon_days, "days", "days to buy in", "购买期限（天）"),
        Figure("reached", int(treated.sum()), "customers", "customers reached", "触达客户数"),
        Figure("left_out", int((treated == 0).sum()), "customers", "customers left out", "未触达客户数"),
        Figure("rate_reached", float(rates[1]), "share", "of those reached bought", "触达客户中购买"),
        Figure("rate_left_out", float(rates[0]), "share", "of those left out bought", "未触达客户中购买"),
    )


def _belief_figures(study: CampaignStudy) -> tuple[Figure, ...]:
    balance, qini, auuc = study.balance, study.measures.qini, study.measures.auuc
    average, top = study.measures.average, study.measures.top_uplift
    return (
        Figure(
            "average",
            average.value,
            "share",
            "difference after weighting by the chance of being reached",
            "按触达概率加权后的差异",
            average.low,
            average.high,
            LEVEL,
        ),
        Figure("top_share", TOP, "share", "highest scores", "得分最高者"),
        Figure(
            "top_uplift",
            top.value,
            "share",
            "difference among the highest scores",
            "得分最高者的差异",
            top.low,
            top.high,
            LEVEL,
        ),
        Figure("qini", qini.value, "ratio", "Qini (0: as chance)", "Qini系数", qini.low, qini.high, LEVEL),
        Figure("auuc", auuc.value, "ratio", "AUUC (0: as chance)", "AUUC", auuc.low, auuc.high, LEVEL),
        Figure("targeting_auc", balance.targeting_auc, "ratio", "AUC of who was reached", "触达预测AUC"),
        Figure(
            "overlap", balance.overlap, "share", "of customers have a counterpart", "有可比对象的客户占比"
        ),
        Figure(
            "before",
            balance.largest_before,
            "effect",
            "largest difference before weighting",
            "加权前最大差异",
        ),
        Figure(
            "after", balance.largest_after, "effect", "largest difference after weighting", "加权后最大差异"
        ),
    )


def _policy_figures(study: CampaignStudy, value: float, cost: float) -> tuple[Figure, ...]:
    """What it is worth to reach only those whose effect pays, a customer of everyone."""
    policy = study.policy

    def gain(name: str, found: Estimate, en: str, zh: str) -> Figure:
        return Figure(name, found.value, "currency", en, zh, found.low, found.high, LEVEL)

    return (
        Figure("response_value", value, "currency", "margin of one response", "一次响应的毛利"),
        Figure("contact_cost", cost, "currency", "cost of a contact", "单次触达成本"),
        Figure(
            "policy_share",
            policy.treated_share,
            "share",
            "of customers would pay to be reached",
            "触达后收益高于成本的客户占比",
        ),
        gain(
            "policy_gain",
            policy.gain,
            "gained a customer by reaching only those",
            "只触达这些客户时，人均净收益",
        ),
        gain(
            "policy_everyone", policy.everyone, "gained a customer by reaching all", "全部触达时，人均净收益"
        ),
        gain(
            "policy_over_everyone",
            policy.over_everyone,
            "more a customer than by reaching all",
            "比全部触达人均多得",
        ),
    )


def _differences(study: CampaignStudy) -> list[dict[str, object]]:
    rows = []
    for name, row in study.balance.differences.head(SHOWN_DIFFERENCES).iterrows():
        words, words_zh = group_words(str(name))
        rows.append(
            {
                "feature": str(name),
                "words": words,
                "words_zh": words_zh,
                "before": round(float(row["before"]), 2),
                "after": round(float(row["after"]), 2),
            }
        )
    return rows
