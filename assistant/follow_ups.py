"""What to ask next: questions that the assistant understands, by what was asked last."""

from __future__ import annotations

from collections.abc import Sequence

from segments.explain import Language

SHOWN = 3
QUESTIONS: dict[str, tuple[str, str]] = {
    "profile_segment": ("What sets them apart?", "他们有什么特点？"),
    "trend_segment": ("How has this segment changed over time?", "这个分群的人数变化趋势如何？"),
    "breakdown_segment": ("Break it down by age", "按年龄拆分看看"),
    "find_lookalikes": ("Find 200 people like them", "找200个像他们的人"),
    "score_propensity": ("Will they come back?", "他们会回来吗？"),
    "recommend_products": ("What should we recommend to them?", "给他们推荐什么商品？"),
    "plan_strategy": ("What do we offer them with $5,000?", "用5000元预算给他们什么优惠？"),
    "compare_plans": ("With $10,000 instead?", "如果换成10000元预算呢？"),
    "backtest_strategy": ("Back-test it", "回测一下"),
    "write_copy": ("Write the e-mail", "写一封邮件"),
    "cluster_1": ("Who is in cluster 1?", "第1类客户有哪些？"),
    "cluster_2": ("What sets cluster 2 apart?", "第2类客户有什么特点？"),
}
AFTER: dict[str, tuple[str, ...]] = {
    "define_segment": ("profile_segment", "trend_segment", "score_propensity"),
    "refine_segment": ("profile_segment", "find_lookalikes", "plan_strategy"),
    "profile_segment": ("find_lookalikes", "score_propensity", "recommend_products"),
    "trend_segment": ("profile_segment", "breakdown_segment", "score_propensity"),
    "breakdown_segment": ("profile_segment", "score_propensity", "plan_strategy"),
    "find_lookalikes": ("profile_segment", "score_propensity", "plan_strategy"),
    "score_propensity": ("plan_strategy", "recommend_products", "profile_segment"),
    "recommend_products": ("plan_strategy", "score_propensity", "find_lookalikes"),
    "plan_strategy": ("compare_plans", "backtest_strategy", "write_copy"),
    "compare_plans": ("backtest_strategy", "write_copy", "profile_segment"),
    "backtest_strategy": ("write_copy", "profile_segment", "find_lookalikes"),
    "discover_segments": ("cluster_1", "cluster_2"),
}
ANYTIME = ("profile_segment", "score_propensity", "plan_strategy")


def follow_ups(tools: Sequence[str], language: Language) -> list[str]:
    """Up to three questions about the current segment, after a turn that ran these tools."""
    last = next((tool for tool in reversed(tools) if tool in AFTER), "")
    wanted = AFTER.get(last, ANYTIME)
    return [QUESTIONS[tool][language == "zh"] for tool in wanted if tool not in tools][:SHOWN]
