"""Propensity in the assistant: models trained on the warehouse's own tables, scores, and what drives them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from assistant.sequences import ShoppingDays
from propensity.alike import alike_activity
from propensity.candidate import Card
from propensity.choices import Choices
from propensity.dataset import category_matrix, customer_matrix
from propensity.declared import Declared, to_json
from propensity.families import NAMED
from propensity.family_model import VECTOR
from propensity.model import CalibratedModel
from propensity.outcomes import CATEGORY_PREFIX, parse
from propensity.plan import MIN_HISTORY_DAYS, STEP_DAYS, TEST_LAG_DAYS, TRAIN_LAG_DAYS
from propensity.registry import Registry
from propensity.rescore import rescore_all
from propensity.training import train_all
from segments.atomic import write_text
from segments.errors import ChecksumError, NotBuiltError, NotFoundError
from segments.features import Catalogue
from segments.ports import Figure, Outcome, Progress, SequenceEncoders
from warehouse.history import TrainingTables
from warehouse.store import Warehouse

LEVEL = 0.9
Z = 1.645
"""Half width of a LEVEL interval in standard deviations."""
DRIVERS = 5
LEAST_EFFECT = 0.05
"""Log-odds below which a driver moves a probability by about one point at most: not worth telling."""

GROUPS: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    ("category_history", ("item_",), "how they bought this category before", "以往购买该品类的情况"),
    (
        "alike",
        ("alike_",),
        "what customers who buy the same products buy of it",
        "购买相同商品的客户购买该品类的情况",
    ),
    ("related", ("near_",), "related categories they buy", "购买的相关品类"),
    ("season", ("category_",), "how lively the category is", "该品类的热度"),
    ("coupons", ("coupon",), "coupons they used", "使用优惠券的情况"),
    ("campaigns", ("mail_", "campaign"), "campaigns they received and answered", "收到与响应的营销活动"),
    ("discounts", ("discount", "private_label"), "discounts and private label", "折扣与自有品牌"),
    (
        "rhythm",
        ("trip_", "recency", "tenure", "mean_gap", "overdue", "orders", "active_days"),
        "how often and how lately they buy",
        "购买的频率与近度",
    ),
    (
        "hours",
        ("weekend_", "morning_", "afternoon_", "evening_", "night_"),
        "when they shop",
        "购物时段",
    ),
    (
        "household",
        ("age", "income", "household", "kids", "has_children", "marital", "home"),
        "who they are at home",
        "家庭情况",
    ),
    (
        "sequence",
        (VECTOR,),
        "their shopping days, read in order by the sequence encoder",
        "序列编码器按顺序读取的购物日",
    ),
    ("basket", ("",), "how much they buy, and of what", "购买的金额与构成"),
)
"""Model columns by how their names begin, first match; SHAP values add up, so a group's is the sum."""


NEEDED_DAYS = MIN_HISTORY_DAYS + 2 * STEP_DAYS + TRAIN_LAG_DAYS + TEST_LAG_DAYS
"""The shortest history that models of what happens within 30 days are trained, validated and tested on."""
BASE_FILE = "base.txt"
"""Names what the models learned on: the load in full, the workspace's own outcomes and chosen families. Days added to
that load since need no new models; another declaration or choice does."""


def train(
    warehouse: Warehouse,
    folder: Path,
    progress: Progress,
    declared: Sequence[Declared] = (),
    sequences: SequenceEncoders | None = None,
) -> list[Card]:
    """Train the models of a workspace that are missing or out of date, those of its own outcomes too.

    None where no outcome can be learned, because each happened to nearly everybody or to nearly nobody, or because the
    purchases cover too few days; everything else works without.
    """
    tables = TrainingTables(warehouse)
    days = (tables.as_of - tables.first_day).days
    if days < NEEDED_DAYS and not declared and not _names(folder):
        Registry(folder).finish([])
        progress(1.0, f"The purchases cover {days} days; propensity models need at least {NEEDED_DAYS}.")
        return []
    try:
        found = train_all(tables, folder, progress, declared=declared, sequences=sequences)
    except NotBuiltError:
        if Registry(folder).names():
            raise
        found = []
        progress(1.0, "no propensity model can be learned from these data yet")
    write_text(folder / BASE_FILE, _learned_on(warehouse, folder, declared))
    return found


def _names(folder: Path) -> tuple[str, ...]:
    """The models there are, none where none were ever trained."""
    try:
        return Registry(folder).names()
    except NotBuiltError:
        return ()


def train_or_rescore(
    warehouse: Warehouse,
    folder: Path,
    progress: Progress,
    declared: Sequence[Declared] = (),
    sequences: SequenceEncoders | None = None,
) -> None:
    """Score with the models there are when only days were added since they were trained; else train."""
    path = folder / BASE_FILE
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    if warehouse.base and known == _learned_on(warehouse, folder, declared):
        with suppress(NotBuiltError, ChecksumError):
            # Where nothing could be learned before, the days that came since may tell more.
            if Registry(folder).names():
                rescore_all(TrainingTables(warehouse), folder, progress, declared, sequences)
                return
    train(warehouse, folder, progress, declared, sequences)


def chosen_families(folder: Path) -> tuple[str, ...]:
    """What was chosen in place of the defaults; a build that finds other choices trains anew. Raises DataError."""
    return tuple(f"{each.outcome}: {each.family} {each.settings or ''}" for each in Choices(folder).all())


def reads_sequences(folder: Path) -> bool:
    """Whether a family on sequences was chosen for any outcome. Raises DataError."""
    return any(NAMED[each.family].sequence for each in Choices(folder).all())


def _learned_on(warehouse: Warehouse, folder: Path, declared: Sequence[Declared]) -> str:
    """What BASE_FILE holds of models trained now."""
    said = [warehouse.base, *(str(to_json(each)) for each in declared), *chosen_families(folder)]
    return "\n".join(said).strip()


def cards(folder: Path) -> list[dict[str, Any]]:
    """The cards of all models. Raises NotBuiltError."""
    return [card.to_dict() for card in Registry(folder).cards()]


@dataclass(frozen=True)
class Explained:
    """A segment's probability of an outcome beside everyone's, and what sets it apart.

    drivers: (group, words en, words zh, effect): mean SHAP of the members less everyone's, in log-odds.
    """

    outcome: Outcome
    scores: pd.Series
    everyone: float
    card: Card
    drivers: tuple[tuple[str, str, str, float], ...]

    def figures(self) -> tuple[Figure, ...]:
        """Mean probability, expected number with its interval, the comparison, and the model's test."""
        en, zh = self.outcome.label_en, self.outcome.label_zh
        mean, count = float(self.scores.mean()), len(self.scores)
        spread = Z * math.sqrt(float((self.scores * (1 - self.scores)).sum()))
        low, high = (max(0.0, mean * count - spread), min(float(count), mean * count + spread))
        card = self.card
        return (
            Figure("probability", mean, "probability", f"mean probability of {en}", f"{zh}的平均概率"),
            Figure("everyone", self.everyone, "probability", "everyone's", "全体客户"),
            Figure("lift", mean / self.everyone, "ratio", "times everyone's", "相对全体的倍数"),
            Figure(
                "expected",
                round(mean * count),
                "customers",
                "expected to do it",
                "预计人数",
                math.floor(low),
                math.ceil(high),
                LEVEL,
            ),
            Figure(
                "p10",
                float(self.scores.quantile(0.1)),
                "probability",
                "lowest tenth below",
                "最低十分之一低于",
            ),
            Figure(
                "p90",
                float(self.scores.quantile(0.9)),
                "probability",
                "highest tenth above",
                "最高十分之一高于",
            ),
            Figure("auc", card.auc, "ratio", "model AUC", "模型AUC", card.auc_low, card.auc_high, card.level),
            Figure("baseline_auc", card.baseline_auc, "ratio", "AUC of plain RFM", "普通RFM的AUC"),
            Figure("ece", card.ece, "ratio", "calibration error", "校准误差"),
            Figure("test_cut", card.test_cut, "date", "tested on", "测试日期"),
        )

    def rows(self) -> list[dict[str, Any]]:
        """The drivers, strongest first."""
        return [
            {"driver": name, "words": en, "words_zh": zh, "effect": round(effect, 2)}
            for name, en, zh, effect in self.drivers
        ]


class Propensities:
    """Scores and explanations of one workspace's models."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self._warehouse, self._registry = warehouse, Registry(folder)
        self._tables, self._days = TrainingTables(warehouse), ShoppingDays(warehouse)

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that can be answered; none before the models are trained."""
        try:
            return self._registry.outcomes()
        except NotBuiltError:
            return ()

    def scores(self, outcome: str) -> pd.Series:
        """Calibrated probability of every customer. Raises NotFoundError, NotBuiltError, ChecksumError."""
        return self._registry.scores(outcome)

    def explain(self, members: Sequence[str], outcome: str) -> Explained:
        """The probability of a segment of at least one customer, against everyone's.

        Raises NotFoundError when the outcome is asked of none of them.
        """
        scores, asked = self.scores(outcome), self._registry.outcome(outcome)
        own = scores.reindex(list(members))
        if asked.eligible is not None and own.isna().all():
            within = asked.eligible.within_days
            raise NotFoundError(
                f"{asked.name} is asked of customers with {asked.eligible.event} in the last {within} days; "
                "the segment has none.",
                f"{asked.name}只针对最近{within}天有{asked.eligible.event}的客户；该分群中没有。",
            )
        return Explained(
            asked,
            own.fillna(scores.min()) if asked.eligible is None else own.dropna(),
            float(scores.mean()),
            self._registry.card(outcome),
            self._drivers(members, outcome),
        )

    def importance(self, outcome: str) -> pd.Series:
        """Mean absolute SHAP value over all customers, in log-odds, by the model's column; a sequence encoder's vector,
        whose dimensions have no names, as one."""
        values = self._registry.model(outcome).contributions(self.matrix(outcome))
        named = [VECTOR.strip(":") if str(name).startswith(VECTOR) else str(name) for name in values]
        return values.T.groupby(named, sort=False).sum().T.abs().mean()

    def warm(self) -> None:
        """Compute what explanations would otherwise wait for."""
        self.customers  # noqa: B018
        self._alike  # noqa: B018

    @cached_property
    def customers(self) -> pd.DataFrame:
        """The models' columns of every customer, as of the workspace's date."""
        as_of = self._warehouse.as_of
        catalogue = self._warehouse.catalogue
        return customer_matrix(self._tables.features(as_of), self._tables.extra(as_of), catalogue)

    @cached_property
    def _activity(self) -> pd.DataFrame:
        return self._tables.category_activity(self._warehouse.as_of)

    @cached_property
    def _alike(self) -> pd.DataFrame:
        return alike_activity(self._tables.item_purchases(self._warehouse.as_of), self._activity)

    def _drivers(self, members: Sequence[str], outcome: str) -> tuple[tuple[str, str, str, float], ...]:
        model = self._registry.model(outcome)
        values = model.contributions(self.matrix(outcome))
        if isinstance(values.index, pd.MultiIndex):
            values = values.droplevel("category")
        values = (
            values.T.groupby([_group(str(name), self._warehouse.catalogue)[0] for name in values]).sum().T
        )
        effects = values.reindex(list(members)).mean() - values.mean()
        named = [(name, en, zh, float(effects[name])) for name, _, en, zh in GROUPS if name in effects]
        telling = [driver for driver in named if abs(driver[3]) >= LEAST_EFFECT]
        return tuple(sorted(telling, key=lambda driver: -abs(driver[3]))[:DRIVERS])

    def matrix(self, outcome: str) -> pd.DataFrame:
        """The columns that an outcome's model sees, as of the workspace's date."""
        if not outcome.startswith(CATEGORY_PREFIX):
            eligible, encoder = self._registry.outcome(outcome).eligible, self._encoder(outcome)
            everyone = self.customers
            if encoder:
                everyone = everyone.join(self._days.vectors(encoder, self._warehouse.as_of))
            if eligible is None:
                return everyone
            return everyone.reindex(self._tables.eligible(eligible, self._warehouse.as_of))
        category = parse(outcome, self._tables.categories).name.removeprefix(CATEGORY_PREFIX)
        panel = self._tables.category_panel([category], self._warehouse.as_of)
        own, alike, catalogue = self._activity, self._alike, self._warehouse.catalogue
        return category_matrix(self.customers, panel, own, alike, [category], catalogue)

    def _encoder(self, outcome: str) -> bytes:
        """Of the model in use; empty where it reads no sequences, as a next action's never does."""
        model = self._registry.model(outcome)
        return model.encoder if isinstance(model, CalibratedModel) else b""


def group_words(column: str, catalogue: Catalogue = Catalogue(())) -> tuple[str, str]:  # noqa: B008 - never changed
    """What a model's column speaks of, in English and Chinese; the catalogue tells who declared it, where it is of one."""
    return _group(column, catalogue)[1:]


def _group(column: str, catalogue: Catalogue) -> tuple[str, str, str]:
    """Name and words of a column's group; the attributes that a retailer declares tell who customers are."""
    feature = catalogue.get(column)
    own = feature is not None and feature.attribute
    return next(
        (name, en, zh)
        for name, starts, en, zh in GROUPS
        if (name == "household" if own else column.startswith(starts))
    )
