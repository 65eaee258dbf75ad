"""What to ask next: questions that the assistant understands and this workspace can answer, by what was asked last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from assistant.change_intents import DIFF
from assistant.tools import COUNTING
from segments.explain import Language
from segments.features import Catalogue, Feature, FeatureType

SHOWN = 3
QUESTIONS: dict[str, tuple[str, str]] = {
    "profile_segment": ("What sets them apart?", "他们有什么特点？"),
    "trend_segment": ("How has this segment changed over time?", "这个分群的人数变化趋势如何？"),
    DIFF: ("Who entered and who left since last month?", "上个月以来有多少人加入、多少人离开？"),
    "breakdown_segment": ("Break it down by {feature}", "按{feature}拆分看看"),
    "find_lookalikes": ("Find 200 people like them", "找200个像他们的人"),
    "score_propensity": ("Will they come back?", "他们会回来吗？"),
    "recommend_products": ("What should we recommend to them?", "给他们推荐什么商品？"),
    "plan_strategy": ("What do we offer them with {amount}?", "用{amount}预算给他们什么优惠？"),
    "compare_plans": ("What if the budget were {more}?", "如果预算换成{more}呢？"),
    "backtest_strategy": ("Back-test it", "回测一下"),
    "write_copy": ("Write the e-mail", "写一封邮件"),
    "cluster_1": ("Who is in cluster 1?", "第1类客户有哪些？"),
    "cluster_2": ("What sets cluster 2 apart?", "第2类客户有什么特点？"),
}
"""feature: the one to break down by. amount, more: budgets in the workspace's currency."""
AMOUNT, MORE = 5_000, 10_000
AFTER: dict[str, tuple[str, ...]] = {
    "define_segment": ("profile_segment", "trend_segment", "score_propensity", "breakdown_segment"),
    "refine_segment": ("profile_segment", "find_lookalikes", "plan_strategy", "trend_segment"),
    "profile_segment": ("find_lookalikes", "score_propensity", "recommend_products"),
    "trend_segment": (DIFF, "profile_segment", "breakdown_segment"),
    DIFF: ("trend_segment", "profile_segment", "score_propensity"),
    "breakdown_segment": ("profile_segment", "score_propensity", "plan_strategy", "trend_segment"),
    "find_lookalikes": ("profile_segment", "score_propensity", "plan_strategy"),
    "score_propensity": ("plan_strategy", "recommend_products", "profile_segment"),
    "recommend_products": ("plan_strategy", "score_propensity", "find_lookalikes"),
    "plan_strategy": ("compare_plans", "backtest_strategy", "write_copy"),
    "compare_plans": ("backtest_strategy", "write_copy", "profile_segment"),
    "backtest_strategy": ("write_copy", "profile_segment", "find_lookalikes"),
    "discover_segments": ("cluster_1", "cluster_2"),
}
ANYTIME = ("profile_segment", "score_propensity", "plan_strategy", "trend_segment")
_OUTCOME = "purchase_30d"
"""Whether they come back."""


@dataclass(frozen=True)
class Answerable:
    """What a workspace can answer. features: those that tell its customers apart. outcomes: with a trained model.
    responses: whether it is known how campaigns were responded to. counts_only: the reader is told counts alone."""

    features: Catalogue
    currency: str
    outcomes: Collection[str]
    responses: bool
    counts_only: bool = False

    def __contains__(self, tool: str) -> bool:
        if self.counts_only and (tool not in COUNTING or tool == "breakdown_segment"):
            return False
        match tool:
            case "breakdown_segment":
                return self._groups is not None
            case "score_propensity":
                return _OUTCOME in self.outcomes
            case "plan_strategy" | "compare_plans" | "backtest_strategy" | "write_copy":
                return self.responses
            case _:
                return True

    def question(self, tool: str, language: Language) -> str:
        """The question that asks for a tool."""
        chinese, feature = language == "zh", self._groups
        words = "" if feature is None else (feature.synonyms_zh if chinese else feature.synonyms_en)[0]
        return QUESTIONS[tool][chinese].format(
            feature=words, amount=self._money(AMOUNT), more=self._money(MORE)
        )

    @property
    def _groups(self) -> Feature | None:
        """The first feature with values to group by, bands before categories, that has a short word in both languages."""
        kinds = (FeatureType.BAND, FeatureType.CATEGORY)
        spoken = [feature for feature in self.features if feature.synonyms_en and feature.synonyms_zh]
        return next((feature for kind in kinds for feature in spoken if feature.type is kind), None)

    def _money(self, amount: int) -> str:
        # 'CHF 5,000': a number that follows letters is no number.
        return f"{self.currency}{' ' if self.currency[-1:].isalpha() else ''}{amount:,}"


def follow_ups(tools: Sequence[str], language: Language, here: Answerable) -> list[str]:
    """Up to three questions about the current segment, after a turn that ran these tools."""
    last = next((tool for tool in reversed(tools) if tool in AFTER), "")
    wanted = [tool for tool in AFTER.get(last, ANYTIME) if tool not in tools and tool in here]
    return [here.question(tool, language) for tool in wanted][:SHOWN]
