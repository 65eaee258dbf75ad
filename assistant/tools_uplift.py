"""The tool of uplift: whom a past campaign moved, as evidence, and how far that may be believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from assistant.scoring import group_words
from assistant.trials import Trial, TrialData, Trials
from campaigns.uplift import Uplift
from propensity.uplift.measure import LEVEL, TOP, Estimate
from propensity.uplift.study import GROUPS, CampaignStudy, group_shares, study_campaign
from segments.errors import DataError, Sentence
from segments.features import Catalogue
from segments.ports import Evidence, Figure

LABELS = {
    "persuadable": ("would buy because of it", "因它才会购买"),
    "sure_thing": ("would buy anyway", "没有它也会购买"),
    "lost_cause": ("would buy in neither case", "怎样都不会购买"),
    "do_not_disturb": ("would be put off by it", "反而会因它不买"),
}
SHOWN_DIFFERENCES = 5
PLANNED_WITH = 3
"""How many random tests a plan looks at, largest first: a study of 2,500 customers takes 5 s of one core."""


@dataclass(frozen=True)
class _Learned:
    """A study with what it was learned from. response_value: currency, of one response."""

    study: CampaignStudy
    data: TrialData
    response_value: float


class CampaignUplift:
    """Studies of a workspace's past campaigns and experiments, each made when first asked for.

    contact_cost: currency a customer. gross_margin: share of revenue left after the cost of goods.
    """

    def __init__(
        self, trials: Trials, current: Callable[[], pd.DataFrame], contact_cost: float, gross_margin: float
    ) -> None:
        self._trials, self._current = trials, current
        self._contact_cost, self._gross_margin = contact_cost, gross_margin
        self._studies: dict[Trial, _Learned | DataError] = {}

    def evidence(self, members: Sequence[str], campaign: str | None) -> Evidence:
        """Whom of the members a campaign like that one would move. Raises NotFoundError, DataError."""
        learned = self._learned(self._trials.newest() if campaign is None else self._trials.named(campaign))
        study, trial = learned.study, learned.data.trial
        customers = study.customers.reindex(list(members)).dropna()
        shares = group_shares(customers).sum()
        groups = [Figure(name, round(shares[name]), "customers", *LABELS[name]) for name in GROUPS]
        worth = _policy_figures(study, learned.response_value, self._contact_cost)
        figures = (*groups, *_trial_figures(learned.data), *_belief_figures(study), *worth)
        notes = (
            "tells who" if study.tells_who else "does not tell who",
            "causal" if study.balance.causal else "not causal",
            trial.kind,
            "at random" if trial.randomised else "targeted",
            "offer only" if trial.offer_only else "any purchase",
        )
        return Evidence(
            "", "estimate_uplift", figures, tuple(_differences(study, self._trials.tables.catalogue)), notes
        )

    def effects(self, campaign: str) -> pd.Series:
        """By how much a campaign like that one would change the probability to buy, of every customer of today.

        Raises NotFoundError, DataError.
        """
        study = self._learned(self._trials.named(campaign)).study
        return study.customers["effect"].rename("uplift")

    def doubts(self, campaign: str) -> Sentence:
        """How far the effects of a campaign may be believed. Raises NotFoundError, DataError."""
        learned = self._learned(self._trials.named(campaign))
        study, trial = learned.study, learned.data.trial
        of, of_zh = ("Experiment", "实验") if trial.kind == "experiment" else ("Campaign", "营销活动")
        at_random = ("drawn", "分组") if trial.kind == "experiment" else ("sent", "投放")
        if study.balance.causal:
            en = f"{of} {campaign} was {at_random[0]} at random, so its effect is one."
            zh = f"{of_zh} {campaign} 为随机{at_random[1]}，增益即其效果。"
        elif trial.randomised:
            en = f"{of} {campaign} was {at_random[0]} at random, yet its groups differ: its uplift is no causal effect."
            zh = f"{of_zh} {campaign} 为随机{at_random[1]}，但两组并不相似：增益不是因果效应。"
        else:
            en = (
                f"{of} {campaign} was not sent at random: its uplift is learned from an observational study, a guess "
                "and not a causal effect."
            )
            zh = f"{of_zh} {campaign} 并非随机投放，增益来自观察性研究：只是推测，不是因果效应。"
        if not study.tells_who:
            en += " It does not tell who better than chance does."
            zh += "对“是谁”的判断不优于随机。"
        return Sentence(en, zh)

    def for_plans(self) -> Uplift | None:
        """What contact causes in each customer, by the largest random test that tells who; None where none does."""
        for trial in self._trials.random()[:PLANNED_WITH]:
            try:
                learned = self._learned(trial)
            except DataError:
                continue
            if learned.study.tells_who and learned.study.balance.causal:
                return Uplift(learned.data.study, learned.study.customers["effect"])
        return None

    def _learned(self, trial: Trial) -> _Learned:
        if trial not in self._studies:
            try:
                self._studies[trial] = self._study(trial)
            except DataError as error:  # too few responded, or did not: they are as few the next time
                self._studies[trial] = error
        found = self._studies[trial]
        if isinstance(found, DataError):
            raise found
        return found

    def _study(self, trial: Trial) -> _Learned:
        data = self._trials.data(trial)
        responders = data.response == 1
        value = self._gross_margin * float(data.spent[responders].sum()) / max(1, int(responders.sum()))
        study = study_campaign(
            data.features,
            data.treated,
            data.response,
            self._current(),
            trial.randomised,
            value,
            self._contact_cost,
        )
        # What was known on that day is large, and of no more use.
        return _Learned(study, replace(data, features=data.features[[]]), value)


def _trial_figures(data: TrialData) -> tuple[Figure, ...]:
    rates, trial = data.response.groupby(data.treated).mean(), data.trial
    names = ("experiment", "实验") if trial.kind == "experiment" else ("campaign", "营销活动")
    return (
        Figure("campaign", trial.name, "text", *names),
        Figure("start", trial.start.isoformat(), "date", "began on", "开始日期"),
        Figure("horizon", trial.horizon_days, "days", "days to buy in", "购买期限（天）"),
        Figure("reached", int(data.treated.sum()), "customers", "customers reached", "触达客户数"),
        Figure("left_out", int((data.treated == 0).sum()), "customers", "customers left out", "未触达客户数"),
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


def _differences(study: CampaignStudy, catalogue: Catalogue) -> list[dict[str, object]]:
    rows = []
    for name, row in study.balance.differences.head(SHOWN_DIFFERENCES).iterrows():
        words, words_zh = group_words(str(name), catalogue)
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
