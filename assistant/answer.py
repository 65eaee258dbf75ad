"""The answer stage: words over evidence, in the marketer's language.

The plain rendering holds every figure. A plan opens with a pitch by the language model, which sees and
writes no figure: a small model that quotes numbers mixes up what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import prompts
from assistant import answer_market
from assistant.change_intents import DEFAULT_DAYS, DIFF
from assistant.copywriter import write_copy
from assistant.grounding import display, displayed, label, named
from assistant.linking.linker import Link
from assistant.llm import ChatModel
from assistant.one_customer import EXPLAIN, REVERSED
from assistant.plan import DESCRIBED, Plan
from assistant.tools import ToolResult
from campaigns.copy import BrandRules, to_markdown
from segments.explain import Language
from segments.ports import Evidence, Figure

PHRASED = frozenset({"plan_strategy"})
"""Tools whose answers open with a pitch by the language model, which may hold no figure at all."""
AVERAGES = 6
"""Of a profile: up to what a basket is worth."""
SHOWN = 5
"""Traits, recommendations and drivers shown; all of them are in the evidence."""
_STATES = {
    "met": ("met", "满足"),
    "nearly met": ("nearly met", "差一点满足"),
    "not met": ("not met", "不满足"),
    "not needed": ("not met, and not needed since another way in is", "不满足，但已有另一条件满足，无需满足"),
}
_YES_NO_ZH = {"yes": "是", "no": "否"}
_HIDDEN = {"definition_en", "definition_zh", "population", "as_of", "size_before", "seed_size", "top"}


def _say(language: Language, en: str, zh: str) -> str:
    return zh if language == "zh" else en


def plain(result: ToolResult, language: Language, currency: str, min_group: int) -> str:
    """The answer without a language model: the segment in a sentence, then the figures."""
    if result.parts:
        said = (plain(part, language, currency, min_group) for part in result.parts)
        return "\n\n".join(text for text in said if text)
    parts = []
    for item in result.evidence:
        figures = named(item)
        if "definition_en" in figures:
            parts.append(_segment(figures, language, currency, min_group))
        elif item.tool == "plan_strategy" and result.strategy is not None:
            parts.append(result.strategy.to_markdown(language, currency))
        elif result.texts is not None:
            parts.append(result.texts[language == "zh"])
        elif item.tool == "write_copy":
            continue
        else:
            render = _RENDERERS.get(item.tool, _figures)
            parts.append(render(item, language, currency))
    return "\n\n".join(part for part in parts if part)


def _segment(figures: dict[str, Figure], language: Language, currency: str, min_group: int) -> str:
    size = figures["size"].value
    words = str(figures[f"definition_{language}"].value)
    everyone, as_of = display(figures["population"], currency), figures["as_of"].value
    if size == 0:
        return _say(
            language,
            f"No customer matches: {words} (as of {as_of}).",
            f"没有符合条件的客户：{words}（截至 {as_of}）。",
        )
    if isinstance(size, str) and size.startswith("≈"):
        about = size.removeprefix("≈")
        return _say(
            language,
            f"**About {about} customers**: {words}, as of {as_of}. With a number shown before, the exact one would tell "
            "of a group too small to show.",
            f"**约 {about} 位客户**：{words}，截至 {as_of}。确切数字与此前的数字相比会暴露人数过少的群体。",
        )
    if isinstance(size, str):
        return _say(
            language,
            f"Fewer than {min_group} customers match: {words} (as of {as_of}). Groups this small are not shown.",
            f"符合条件的客户少于 {min_group} 位：{words}（截至 {as_of}）。人数过少，不予展示。",
        )
    share = display(figures["share"], currency)
    text = _say(
        language,
        f"**{display(figures['size'], currency)} customers** ({share} of {everyone}): {words}, as of {as_of}.",
        f"**{display(figures['size'], currency)} 位客户**（占 {everyone} 位的 {share}）：{words}，截至 {as_of}。",
    )
    before = figures.get("size_before")
    if before is not None and not isinstance(before.value, str):
        shown = display(before, currency)
        text += _say(language, f" Before the edit: {shown}.", f"修改前为 {shown} 位。")
    seed = figures.get("seed_size")
    if seed is not None:
        shown = display(seed, currency)
        text += _say(
            language,
            f" They behave most like the {shown} seed customers.",
            f"他们的行为与 {shown} 位种子客户最相似。",
        )
    asked = figures.get("top")
    if asked is not None and isinstance(size, int) and isinstance(asked.value, int) and size < asked.value:
        shown = display(asked, currency)
        text += _say(
            language,
            f" You asked for {shown}; there are no more to be found.",
            f"您要 {shown} 位，可找的只有这些。",
        )
    lines = [figures[name].value for name in (f"doubts_{language}", f"method_{language}") if name in figures]
    return "\n".join([text, *(f"- {line}" for line in lines)])


def _figures(item: Evidence, language: Language, currency: str) -> str:
    lines = [
        f"- {label(figure, language)}: {display(figure, currency)}"
        for figure in item.figures
        if figure.name not in _HIDDEN
    ]
    return "\n".join([*lines, *(f"- {note}" for note in item.notes)])


def _profile(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    lines = [_line(figures["spend"], language, currency), _line(figures["spend_share"], language, currency)]
    averages = [name for name in figures if name.startswith("average.") and name.count(".") == 1]
    for name in averages[:AVERAGES]:
        everyone = display(figures[f"{name}.everyone"], currency)
        lines.append(
            _line(figures[name], language, currency)
            + _say(language, f"; everyone {everyone}", f"；全体 {everyone}")
        )
    traits = [name for name in figures if name.startswith("trait.") and f"{name}.others" in figures]
    if traits:
        lines.append(
            _say(language, "\n**What sets them apart** (effect size)", "\n**与众不同之处**（效应量）")
        )
    for name in traits[:SHOWN]:
        others, effect = (display(figures[f"{name}.{part}"], currency) for part in ("others", "effect"))
        lines.append(
            _line(figures[name], language, currency)
            + _say(language, f"; others {others}; effect {effect}", f"；其他客户 {others}；效应量 {effect}")
        )
    return "\n".join(lines)


def _line(figure: Figure, language: Language, currency: str) -> str:
    return f"- {label(figure, language)}: {display(figure, currency)}"


def _propensity(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    shown = displayed(item, currency)
    lines = [
        f"- **{label(figures['probability'], language)}: {shown['probability']}**"
        + _say(language, f"; everyone's {shown['everyone']}", f"；全体客户 {shown['everyone']}"),
        _line(figures["expected"], language, currency),
        _say(
            language,
            f"- From {shown['p10']} (lowest tenth) to {shown['p90']} (highest tenth)",
            f"- 最低十分之一在 {shown['p10']} 以下，最高十分之一在 {shown['p90']} 以上",
        ),
    ]
    return "\n".join([*lines, *_drivers(item, language), _tested(shown, language)])


def _one_customer(item: Evidence, language: Language, currency: str) -> str:
    figures, shown = named(item), displayed(item, currency)
    first = f"- **{label(figures['probability'], language)}: {shown['probability']}**" + _say(
        language,
        f"; everyone's {shown['everyone']}; {shown['above']} of customers are less likely (as of {shown['as_of']})",
        f"；全体客户 {shown['everyone']}；{shown['above']} 的客户可能性更低（截至 {shown['as_of']}）",
    )
    drivers = _drivers(item, language) or [
        _say(
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
            _say(language, "raises it", "提高概率")
            if row["effect"] > 0
            else _say(language, "lowers it", "降低概率")
        )
        words = row["words_zh"] if language == "zh" else row["words"]
        lines.append(
            _say(
                language,
                f"- Because of {words}: {raises} ({row['effect']:+.2f} log-odds)",
                f"- 原因：{words}，{raises}（对数几率 {row['effect']:+.2f}）",
            )
        )
    return lines


def _tested(shown: dict[str, str], language: Language) -> str:
    return _say(
        language,
        f"- Tested on {shown['test_cut']}: AUC {shown['auc']}, plain RFM {shown['baseline_auc']}; "
        f"calibration error {shown['ece']}",
        f"- 测试日 {shown['test_cut']}：AUC {shown['auc']}，普通 RFM {shown['baseline_auc']}；校准误差 {shown['ece']}",
    )


def _uplift(item: Evidence, language: Language, currency: str) -> str:
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
        _say(
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
    return _say(
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
    return _say(
        language,
        f"- {how} and its groups are alike (they differ by at most {shown['before']} standard "
        f"deviations): the difference is its effect.",
        f"- {how_zh}，两组相似（最大相差 {shown['before']} 个标准差）：上述差异即其效果。",
    )


def _not_causal(item: Evidence, shown: dict[str, str], language: Language) -> str:
    differing = item.rows[0]["words_zh" if language == "zh" else "words"] if item.rows else ""
    if "at random" in item.notes:
        how, how_zh = _at_random(item)
        return _say(
            language,
            f"- **This is not a causal effect.** {how}, yet its groups differ by up to "
            f"{shown['before']} standard deviations (most in {differing}): find out why first.",
            f"- **这不是因果效应。**{how_zh}，但两组最大相差 {shown['before']} 个标准差（差别最大的是{differing}）："
            f"请先查明原因。",
        )
    return _say(
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
        return _say(
            language,
            f"- It orders customers better than chance: Qini {shown['qini']}; among the {shown['top_share']} with the "
            f"highest scores the difference is {shown['top_uplift']}.",
            f"- 排序优于随机：Qini系数 {shown['qini']}；得分最高的 {shown['top_share']} 客户中相差 {shown['top_uplift']}。",
        )
    return _say(
        language,
        f"- It does not tell who better than chance does (Qini {shown['qini']}): use the totals, not the names.",
        f"- 对“是谁”的判断不优于随机（Qini系数 {shown['qini']}）：请只看总数，不要据此点名。",
    )


def _worth(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    shown = displayed(item, currency)
    return "\n".join(
        [
            _say(
                language,
                f"- **Worth over the next {shown['weeks']} weeks: {shown['value']}**, {shown['value_each']} a customer",
                f"- **未来 {shown['weeks']} 周价值：{shown['value']}**，人均 {shown['value_each']}",
            ),
            _line(figures["transactions"], language, currency),
            _line(figures["active"], language, currency),
            _say(
                language,
                f"- Expected spend by BG/NBD and Gamma-Gamma models of {shown['history_weeks']} weeks of purchases; costs "
                f"and seasons are no part of it. Tried on the last {shown['tried_weeks']} weeks, customers spent "
                f"{shown['tried']} times what was expected.",
                f"- 由 BG/NBD 与 Gamma-Gamma 模型依据 {shown['history_weeks']} 周购买记录预计的消费额，未计成本与季节；"
                f"用最近 {shown['tried_weeks']} 周检验，实际消费为预计的 {shown['tried']} 倍。",
            ),
        ]
    )


def _recommendations(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    lines = [_say(language, "**Offer next**", "**建议推荐**")]
    for row in item.rows[:SHOWN]:
        start = f"{row['rank']}.{row['key']}"
        buying, everyone, lift, open_ = (
            display(figures[f"{start}.{part}"], currency)
            for part in ("buying", "buying_everyone", "lift", "open")
        )
        lines.append(
            _say(
                language,
                f"- **{row['name']}**: {buying} already buy it, {everyone} of everyone; {open_} have not bought it "
                f"lately; suits them {lift} times as well as everyone",
                f"- **{row['name']}**：{buying} 已购买（全体 {everyone}）；{open_} 近期未购买；适合度为全体的 {lift} 倍",
            )
        )
    return "\n".join(lines)


def _clusters(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    count, silhouette = display(figures["segments"], currency), display(figures["silhouette"], currency)
    en, zh = "", ""
    if "stability" in figures:
        agreement = display(figures["stability"], currency)
        en, zh = f"; agreement under resampling {agreement}", f"；重抽样一致性 {agreement}"
    lines = [
        _say(
            language,
            f"**{count} natural segments** (separation: silhouette {silhouette} of at most 1{en}).",
            f"**{count} 个自然分群**（轮廓系数 {silhouette}，最大为 1{zh}）。",
        )
    ]
    for row in item.rows:
        name, persona = (
            (row["name_zh"], row["persona_zh"]) if language == "zh" else (row["name"], row["persona"])
        )
        size = display(figures[f"size_{row['number']}"], currency)
        lines.append(
            _say(
                language,
                f"{row['number']}. **{name}**: {size} customers. {persona}",
                f"{row['number']}. **{name}**：{size} 位。{persona}",
            )
        )
    why, dense = item.notes[language == "zh" :: 2]
    lines += [
        _say(language, f"\nWhy this many: {why}.", f"\n为什么分成这么多类：{why}。"),
        _say(language, f"\nWith no number given: {dense}.", f"\n不指定类数时：{dense}。"),
    ]
    return "\n".join(lines)


def _saved(item: Evidence, language: Language, currency: str) -> str:
    lines = [_figures(item, language, currency)]
    lines += [
        _say(
            language,
            f"- **{row['name']}** (v{row['version']}): {row['size']}; {row['words']}",
            f"- **{row['name']}**（v{row['version']}）：{row['size_zh']}；{row['words_zh']}",
        )
        for row in item.rows
    ]
    return "\n".join(lines)


def _trend(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    lines = [_say(language, "**Customers over time**", "**人数变化**")]
    lines += [
        _say(language, f"- {row['as_of']}: {size}", f"- {row['as_of']}：{size}")
        for row in item.rows
        if (size := display(figures[f"size.{row['as_of']}"], currency))
    ]
    if "filled_from" in figures:
        filled = display(figures["filled_from"], currency)
        lines.append(
            _say(
                language,
                f"Before {filled} the data do not yet hold all the days that the segment looks back on, so those sizes "
                "cannot be compared with later ones.",
                f"{filled} 之前的数据尚未涵盖该分群所回看的全部天数，因此那些人数不能与之后的相比。",
            )
        )
    if item.notes:
        step, usual = _signed(figures["last_step"], currency), display(figures["usual_step"], currency)
        lines.append(
            _say(
                language,
                f"The last step changed its share of all customers by {step}; a usual step does by {usual}"
                + (". **That is a jump: look what changed.**" if item.notes == ("unusual",) else "."),
                f"最近一步占比变化 {step}，通常每步 {usual}"
                + ("。**变化异常，请查明原因。**" if item.notes == ("unusual",) else "。"),
            )
        )
    return "\n".join(lines)


def _diff(item: Evidence, language: Language, currency: str) -> str:
    figures, shown = named(item), displayed(item, currency)
    start, end = shown["earlier"], shown["later"]
    if "entered" in figures:
        lines = [
            _say(
                language,
                f"**{start} to {end}: {shown['entered']} entered, {shown['left']} left, {shown['stayed']} stayed**",
                f"**{start} 至 {end}：加入 {shown['entered']} 位，离开 {shown['left']} 位，留下 {shown['stayed']} 位**",
            )
        ]
    else:
        lines = [
            _say(
                language,
                f"**{start} to {end}**: how many entered and left is not shown, since it would tell of a group too small.",
                f"**{start} 至 {end}**：加入与离开的人数会暴露人数过少的群体，不予展示。",
            )
        ]
    sizes = _say(
        language,
        f"- {shown['before']} customers then, {shown['after']} at the end",
        f"- 当时 {shown['before']} 位，期末 {shown['after']} 位",
    )
    if "grown" in figures:
        mine, everyone = (_signed(figures[name], currency) for name in ("grown", "grown_everyone"))
        sizes += _say(
            language,
            f": {mine}, while all customers grew by {everyone}",
            f"：变化 {mine}，同期全体客户 {everyone}",
        )
    lines.append(sizes)
    if "left_share" in figures:
        lines.append(
            _say(
                language,
                f"- Of those in it then, {shown['left_share']} left",
                f"- 当时的客户中 {shown['left_share']} 已离开",
            )
        )
    return "\n".join(lines)


def _signed(figure: Figure, currency: str) -> str:
    plus = "+" if isinstance(figure.value, int | float) and figure.value > 0 else ""
    return f"{plus}{display(figure, currency)}"


def _breakdown(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    lines = [f"**{label(figures['feature'], language)}**"]
    for row in item.rows:
        start = f"group.{row['place']}"
        everyone = display(figures[f"{start}.everyone"], currency)
        if f"{start}.share" not in figures:
            lines.append(
                _say(
                    language,
                    f"- {row['label']}: held back, too few to show; everyone {everyone}",
                    f"- {row['label']}：人数过少，不予展示；全体 {everyone}",
                )
            )
            continue
        size, share = (display(figures[name], currency) for name in (start, f"{start}.share"))
        lines.append(
            _say(
                language,
                f"- {row['label']}: {size} ({share}); everyone {everyone}",
                f"- {row['label']}：{size}（{share}）；全体 {everyone}",
            )
        )
    return "\n".join(lines)


def _part(item: Evidence, language: Language, currency: str) -> str:
    figures, shown = named(item), displayed(item, currency)
    words = shown[f"part_{language}"]
    share = shown.get("part_share")
    line = _say(
        language,
        f"**{shown['part']} of them" + (f" ({share})" if share else "") + f"**: {words}",
        f"**其中 {shown['part']} 位" + (f"（{share}）" if share else "") + f"**：{words}",
    )
    if "everyone" in figures:
        line += _say(language, f"; of everyone {shown['everyone']}", f"；全体中 {shown['everyone']}")
    return line


def _when(item: Evidence, language: Language, currency: str) -> str:
    figures, shown = named(item), displayed(item, currency)
    names = [name for name in figures if name != "orders" and not name.endswith(".everyone")]
    lines = [
        _say(
            language,
            f"**When they shop** (shares of {shown['orders']} orders in a year)",
            f"**购物时间**（最近一年 {shown['orders']} 个订单的占比）",
        )
    ]
    for start in ("part.", "day."):
        parts = [name for name in names if name.startswith(start)]
        for name in sorted(parts, key=lambda name: -float(figures[name].value)):
            lines.append(
                _line(figures[name], language, currency)
                + _say(
                    language, f"; everyone {shown[f'{name}.everyone']}", f"；全体 {shown[f'{name}.everyone']}"
                )
            )
    return "\n".join(lines)


def _habits(head: tuple[str, str], total: str) -> Callable[[Evidence, Language, str], str]:
    """Shares of what a segment does beside everyone's. head: in English and Chinese, with a blank for the total."""

    def render(item: Evidence, language: Language, currency: str) -> str:
        figures, shown = named(item), displayed(item, currency)
        lines = [_say(language, *(text.format(shown[total]) for text in head))]
        for name in figures:
            if name != total and not name.endswith(".everyone"):
                all_ = shown[f"{name}.everyone"]
                beside = _say(language, f"; everyone {all_}", f"；全体 {all_}")
                lines.append(_line(figures[name], language, currency) + beside)
        return "\n".join(lines)

    return render


def _overlap(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    lines = [_say(language, "**Overlap of the saved segments**", "**已保存分群的重叠**")]
    for row in item.rows:
        start = f"pair.{row['place']}"
        both = display(figures[start], currency)
        share = display(figures[f"{start}.jaccard"], currency) if f"{start}.jaccard" in figures else ""
        twins = _say(language, " **Near-duplicates.**", " **几乎相同。**") if row["near_duplicate"] else ""
        jaccard = _say(language, f", Jaccard {share}", f"，重叠度 {share}") if share else ""
        lines.append(
            _say(
                language,
                f"- {row['pair']}: {both} in both{jaccard}.",
                f"- {row['pair']}：共有 {both} 位{jaccard}。",
            )
            + twins
        )
    if float(figures["pairs"].value) > len(item.rows):
        shown, pairs = len(item.rows), display(figures["pairs"], currency)
        lines.append(
            _say(
                language,
                f"- These are the {shown} most alike of {pairs} pairs.",
                f"- 以上是{pairs}个组合中最相似的{shown}个。",
            )
        )
    lines += [f"- {note}" for note in item.notes[language == "zh" :: 2]]
    return "\n".join(lines)


def _membership(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    belongs = figures["belongs"].value == "yes"
    lines = [
        _say(language, "**This customer is in the segment.**", "**该客户属于此分群。**")
        if belongs
        else _say(language, "**This customer is not in the segment.**", "**该客户不属于此分群。**")
    ]
    for place, row in enumerate(item.rows):
        state = _say(language, *_STATES[row["state"]])
        theirs = figures.get(f"condition.{place}.value")
        value = ""
        if theirs is not None:
            told = display(theirs, currency)
            told = _say(language, told, _YES_NO_ZH.get(told, told))
            value = _say(
                language, f" ({label(theirs, language)}: {told})", f"（{label(theirs, language)}：{told}）"
            )
        lines.append(
            _say(
                language,
                f"- {state}: {row['condition_en']}{value}",
                f"- {state}：{row['condition_zh']}{value}",
            )
        )
    return "\n".join(lines)


def _comparison(item: Evidence, language: Language, currency: str) -> str:
    lines = [_figures(item, language, currency)]
    for row in item.rows:
        only = row["only"]
        lines.append(
            f"- 仅{'本群' if only == 'here' else only}：{row['words_zh']}"
            if language == "zh"
            else f"- only {only}: {row['words']}"
        )
    return "\n".join(lines)


def _other_reading(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    words, size = figures[f"other_{language}"].value, display(figures["other_size"], currency)
    return _say(
        language,
        f"It may also be read as \u201c{words}\u201d: {size}. Say yes to take that reading.",
        f"也可以理解为“{words}”：{size} 位。回答“是”即改用这种理解。",
    )


_RENDERERS: dict[str, Callable[[Evidence, Language, str], str]] = {
    "profile_segment": _profile,
    "score_propensity": _propensity,
    EXPLAIN: _one_customer,
    "trend_segment": _trend,
    DIFF: _diff,
    "breakdown_segment": _breakdown,
    "count_part": _part,
    "profile_times": _when,
    "profile_places": _habits(
        ("**Where they shop** (shares of {0} orders in a year)", "**购物地点**（最近一年 {0} 个订单的占比）"),
        "orders",
    ),
    "profile_goods": _habits(
        ("**What they buy** (shares of {0} spent in a year)", "**他们买什么**（最近一年消费额 {0} 的占比）"),
        "spent",
    ),
    "overlap_segments": _overlap,
    "explain_membership": _membership,
    "estimate_uplift": _uplift,
    "customer_value": _worth,
    "other_reading": _other_reading,
    "compare_segments": _comparison,
    "recommend_products": _recommendations,
    "discover_segments": _clusters,
    "list_segments": _saved,
    **answer_market.RENDERERS,
}


def assumptions(link: Link, plan: Plan, language: Language) -> list[str]:
    """What the message left open and how it was read, each as a sentence."""
    said = [
        _say(language, f"I read '{word}' as '{better}'.", f"我把“{word}”理解为“{better}”。")
        for word, better in link.corrected
    ]
    for text in link.dates:
        said.append(
            _say(
                language,
                f"I took {text}.",
                f"我把“{text.replace(' = ', '”理解为 ').replace(' to ', ' 至 ')}。",
            )
        )
    described = plan.segment == DESCRIBED
    readings = {candidate.reading for candidate in link.candidates} if described else set()
    readings |= {link.edit(name).reading for name in plan.edits}
    sentences = {
        "quiet": ("I took 'quiet' as no purchase in the window shown.", "“沉默”按所示时间窗内无购买理解。"),
        "vague": (
            "You gave no threshold, so I chose the one shown; say another and I will change it.",
            "您没有给出阈值，我采用了所示的值；需要可以修改。",
        ),
        "most": ("I took 'mostly' as more than half.", "“主要”按超过一半理解。"),
        "top": (
            "You named no share, so I took the likeliest fifth.",
            "您没有给出比例，因此取可能性最高的五分之一。",
        ),
        "responded": (
            "I took a response as redeeming a coupon of the campaign.",
            "“响应”按使用了该活动的优惠券理解。",
        ),
        "ever": (
            "You gave no time window, so I counted the whole history.",
            "您没有给出时间范围，因此按全部历史计算。",
        ),
    }
    said += [_say(language, *sentences[reading]) for reading in sorted(readings) if reading in sentences]
    if REVERSED in link.intents.arguments:
        said.append(
            _say(
                language,
                "No model of leaving is declared here, so this is the probability to come: what lowers it speaks for "
                "leaving. A churn outcome can be declared in the settings.",
                "这里没有声明流失模型，因此给出的是购买的概率：使其降低的就是流失的原因。可以在设置中声明流失结果。",
            )
        )
    if plan.tool == DIFF and not link.intents.arguments.get("dated", True):
        said.append(
            _say(
                language,
                f"You named no date, so I compared with {DEFAULT_DAYS} days before.",
                f"您没有给出日期，因此与 {DEFAULT_DAYS} 天前比较。",
            )
        )
    left = [*link.unused, *link.unknown] if described or plan.edits else []
    if left:
        words = ", ".join(left[:6])
        said.append(_say(language, f"I did not use: {words}.", f"这些内容没有用上：{words}。"))
    if plan.read_twice and link.confidence is not None:
        two = link.confidence == "low" and link.alternative is not None and plan.counts_other
        said.append(_say(language, *(_WHICH if two else _CONFIDENCE[link.confidence])))
    return said


_CONFIDENCE = {
    "high": ("Confidence in this reading: high.", "理解把握：高。"),
    "medium": ("Confidence in this reading: medium.", "理解把握：中。"),
    "low": (
        "Confidence in this reading: low; please check the definition.",
        "理解把握：低，请核对上面的定义。",
    ),
}
_WHICH = (
    "Confidence in this reading: low. Which of the two do you mean?",
    "理解把握：低。您指的是哪一种？",
)


def marketing_copy(
    model: ChatModel, result: ToolResult, language: Language, banned: tuple[str, ...], short: bool = False
) -> str:
    """Two variants by the language model, or why none is shown. Raises LLMUnavailableError."""
    if result.strategy is None:
        return ""
    copies, left_out = write_copy(model, result.strategy, language, BrandRules(banned), short)
    if not copies:
        return _say(
            language,
            "The language model wrote no copy that keeps the rules, so none is shown. Ask again, or write it yourself.",
            "语言模型写出的文案不符合规则，因此不予展示。可以再试一次，或自行撰写。",
        )
    missing = _say(
        language,
        "One variant broke the rules and is left out.",
        "另一个版本不符合规则，已略去。",
    )
    return "\n\n".join([to_markdown(copies, language), *([missing] if left_out else [])])


def pitch(model: ChatModel, result: ToolResult, language: Language) -> str:
    """Two sentences by the language model that introduce a plan, or nothing when they hold a figure.

    The model is shown words, not figures: it cannot misquote what it has not seen.
    """
    if result.strategy is None:
        return ""
    facts = result.strategy.to_dict()
    offer = ", ".join(str(offer["name"]) for offer in facts["offers"])
    system = prompts.render("phrase_system.md", language="Chinese" if language == "zh" else "English")
    asked = f"Objective: {facts['objective']['goal'].replace('_', ' ')}\nOffer: a discount on {offer.lower()}"
    text = " ".join("".join(model.stream([("system", system), ("human", asked)])).split())
    whole = text[: max(text.rfind(mark) for mark in (".", "。", "!", "！")) + 1]
    return "" if _QUANTITY.search(whole) else _without_markup(whole)


_QUANTITY = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|twenty|thirty|forty|fifty|sixty|seventy"
    r"|eighty|ninety|hundreds?|thousands?|millions?|half|third|quarter|double|triple|twice|per ?cent)\b"
    r"|百分|[一二两三四五六七八九十百千万半]+(?:成|折|倍|位|个|元|块|天|周|月|年|次|半)",
    re.IGNORECASE,
)
"""A figure, in digits or in words: a pitch that holds one is not shown."""


def _without_markup(text: str) -> str:
    """What a model wrote is words: characters that a page would render are dropped."""
    return re.sub(r"[<>*_`#\[\]|]", "", text)
