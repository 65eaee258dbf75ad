"""What the models found, in words: how likely, why, what a mailing changes and what customers are worth."""

from __future__ import annotations

from assistant.grounding import displayed, label, named
from assistant.saying import line, say
from segments.explain import Language
from segments.ports import Evidence

SHOWN = 5
"""Drivers shown; all of them are in the evidence."""


def propensity(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    shown = displayed(item, currency)
    lines = [
        f"- **{label(figures['probability'], language)}: {shown['probability']}**"
        + say(language, f"; everyone's {shown['everyone']}", f"；全体客户 {shown['everyone']}"),
        line(figures["expected"], language, currency),
        say(
            language,
            f"- From {shown['p10']} (lowest tenth) to {shown['p90']} (highest tenth)",
            f"- 最低十分之一在 {shown['p10']} 以下，最高十分之一在 {shown['p90']} 以上",
        ),
    ]
    return "\n".join([*lines, *_drivers(item, language), _tested(shown, language)])


def one_customer(item: Evidence, language: Language, currency: str) -> str:
    figures, shown = named(item), displayed(item, currency)
    first = f"- **{label(figures['probability'], language)}: {shown['probability']}**" + say(
        language,
        f"; everyone's {shown['everyone']}; {shown['above']} of customers are less likely (as of {shown['as_of']})",
        f"；全体客户 {shown['everyone']}；{shown['above']} 的客户可能性更低（截至 {shown['as_of']}）",
    )
    drivers = _drivers(item, language) or [
        say(
            language,
            "- Nothing known of them moves it far from everyone's.",
            "- 没有哪项情况使其明显偏离全体客户。",
        )
    ]
    return "\n".join([first, *drivers, _tested(shown, language)])


def _drivers(item: Evidence, language: Language) -> list[str]:
    """What moves a probability, strongest first."""
    lines = []
    for row in item.rows[:SHOWN]:
        raises = (
            say(language, "raises it", "提高概率")
            if row["effect"] > 0
            else say(language, "lowers it", "降低概率")
        )
        words = row["words_zh"] if language == "zh" else row["words"]
        lines.append(
            say(
                language,
                f"- Because of {words}: {raises} ({row['effect']:+.2f} log-odds)",
                f"- 原因：{words}，{raises}（对数几率 {row['effect']:+.2f}）",
            )
        )
    return lines


def _tested(shown: dict[str, str], language: Language) -> str:
    return say(
        language,
        f"- Tested on {shown['test_cut']}: AUC {shown['auc']}, plain RFM {shown['baseline_auc']}; "
        f"calibration error {shown['ece']}",
        f"- 测试日 {shown['test_cut']}：AUC {shown['auc']}，普通 RFM {shown['baseline_auc']}；校准误差 {shown['ece']}",
    )


def uplift(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    shown = displayed(item, currency)
    lines = [
        f"- **{label(figures[name], language)}: {shown[name]}**"
        for name in ("persuadable", "sure_thing", "lost_cause", "do_not_disturb")
    ]
    bought, bought_zh = (
        ("bought what it offered", "购买所推商品") if "offer only" in item.notes else ("bought", "购买")
    )
    lines.append(
        say(
            language,
            f"- Learned from {figures['campaign'].label_en} {shown['campaign']} of {shown['start']}: of the "
            f"{shown['reached']} reached, {shown['rate_reached']} {bought} within {shown['horizon']} days; of the "
            f"{shown['left_out']} left out, "
            f"{shown['rate_left_out']}. Weighted by the chance of being reached, the difference is {shown['average']}.",
            f"- 依据 {shown['start']} 开始的{figures['campaign'].label_zh} {shown['campaign']}：触达的 "
            f"{shown['reached']} 位中 {shown['rate_reached']} 在 {shown['horizon']} 天内{bought_zh}，未触达的 "
            f"{shown['left_out']} 位中 "
            f"{shown['rate_left_out']}；按触达概率加权后相差 {shown['average']}。",
        )
    )
    lines.append(
        _causal(item, shown, language) if "causal" in item.notes else _not_causal(item, shown, language)
    )
    lines.append(_tells_who(item, shown, language))
    lines.append(_policy(shown, language))
    return "\n".join(lines)


def _policy(shown: dict[str, str], language: Language) -> str:
    """What it is worth to reach only whom it pays to reach."""
    return say(
        language,
        f"- Reaching only the {shown['policy_share']} of customers whose effect pays would gain "
        f"{shown['policy_gain']} a customer, {shown['policy_over_everyone']} more than reaching all "
        f"(a contact costs {shown['contact_cost']}, a response leaves {shown['response_value']}; AUUC {shown['auuc']}).",
        f"- 只触达效果高于成本的 {shown['policy_share']} 客户，人均净收益 {shown['policy_gain']}，比全部触达多 "
        f"{shown['policy_over_everyone']}（单次触达成本 {shown['contact_cost']}，一次响应的毛利 "
        f"{shown['response_value']}；AUUC {shown['auuc']}）。",
    )


def _at_random(item: Evidence) -> tuple[str, str]:
    if "experiment" in item.notes:
        return "Its arms were drawn at random", "实验随机分组"
    return "The campaign was sent at random", "活动为随机投放"


def _causal(item: Evidence, shown: dict[str, str], language: Language) -> str:
    how, how_zh = _at_random(item)
    return say(
        language,
        f"- {how} and its groups are alike (they differ by at most {shown['before']} standard "
        f"deviations): the difference is its effect.",
        f"- {how_zh}，两组相似（最大相差 {shown['before']} 个标准差）：上述差异即其效果。",
    )


def _not_causal(item: Evidence, shown: dict[str, str], language: Language) -> str:
    differing = item.rows[0]["words_zh" if language == "zh" else "words"] if item.rows else ""
    if "at random" in item.notes:
        how, how_zh = _at_random(item)
        return say(
            language,
            f"- **This is not a causal effect.** {how}, yet its groups differ by up to "
            f"{shown['before']} standard deviations (most in {differing}): find out why first.",
            f"- **这不是因果效应。**{how_zh}，但两组最大相差 {shown['before']} 个标准差（差别最大的是{differing}）："
            f"请先查明原因。",
        )
    return say(
        language,
        f"- **This is not a causal effect.** The campaign was not sent at random: who was reached can be foretold "
        f"(AUC {shown['targeting_auc']}), {shown['overlap']} of customers have a counterpart on the other side, and "
        f"the groups still differ by up to {shown['after']} standard deviations after weighting ({shown['before']} "
        f"before; most in {differing}). Take it as a guess, and hold out customers at random next time.",
        f"- **这不是因果效应。**活动并非随机投放：谁被触达可以预测（AUC {shown['targeting_auc']}），"
        f"{shown['overlap']} 的客户有可比对象，加权后两组最大仍相差 {shown['after']} 个标准差（加权前 "
        f"{shown['before']}；差别最大的是{differing}）。请只当作推测，下次随机留出对照组。",
    )


def _tells_who(item: Evidence, shown: dict[str, str], language: Language) -> str:
    if "tells who" in item.notes:
        return say(
            language,
            f"- It orders customers better than chance: Qini {shown['qini']}; among the {shown['top_share']} with the "
            f"highest scores the difference is {shown['top_uplift']}.",
            f"- 排序优于随机：Qini系数 {shown['qini']}；得分最高的 {shown['top_share']} 客户中相差 {shown['top_uplift']}。",
        )
    return say(
        language,
        f"- It does not tell who better than chance does (Qini {shown['qini']}): use the totals, not the names.",
        f"- 对“是谁”的判断不优于随机（Qini系数 {shown['qini']}）：请只看总数，不要据此点名。",
    )


def worth(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    shown = displayed(item, currency)
    return "\n".join(
        [
            say(
                language,
                f"- **Worth over the next {shown['weeks']} weeks: {shown['value']}**, {shown['value_each']} a customer",
                f"- **未来 {shown['weeks']} 周价值：{shown['value']}**，人均 {shown['value_each']}",
            ),
            line(figures["transactions"], language, currency),
            line(figures["active"], language, currency),
            say(
                language,
                f"- Expected spend by BG/NBD and Gamma-Gamma models of {shown['history_weeks']} weeks of purchases; costs "
                f"and seasons are no part of it. Tried on the last {shown['tried_weeks']} weeks, customers spent "
                f"{shown['tried']} times what was expected.",
                f"- 由 BG/NBD 与 Gamma-Gamma 模型依据 {shown['history_weeks']} 周购买记录预计的消费额，未计成本与季节；"
                f"用最近 {shown['tried_weeks']} 周检验，实际消费为预计的 {shown['tried']} 倍。",
            ),
        ]
    )
