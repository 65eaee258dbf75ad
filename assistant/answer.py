"""The answer stage: words over evidence, in the marketer's language. They hold every figure, as its evidence shows it."""

from __future__ import annotations

from collections.abc import Callable

from assistant import answer_market, answer_scores
from assistant.change_intents import DIFF
from assistant.grounding import display, displayed, label, named
from assistant.one_customer import EXPLAIN
from assistant.saying import line, say
from assistant.tools import ToolResult
from segments.explain import Language
from segments.ports import Evidence, Figure

AVERAGES = 6
"""Of a profile: up to what a basket is worth."""
SHOWN = 5
"""Traits and recommendations shown; all of them are in the evidence."""
_STATES = {
    "met": ("met", "满足"),
    "nearly met": ("nearly met", "差一点满足"),
    "not met": ("not met", "不满足"),
    "not needed": ("not met, and not needed since another way in is", "不满足，但已有另一条件满足，无需满足"),
}
_YES_NO_ZH = {"yes": "是", "no": "否"}
_HIDDEN = {"definition_en", "definition_zh", "population", "as_of", "size_before", "seed_size", "top"}


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
        return say(
            language,
            f"No customer matches: {words} (as of {as_of}).",
            f"没有符合条件的客户：{words}（截至 {as_of}）。",
        )
    if isinstance(size, str) and size.startswith("≈"):
        about = size.removeprefix("≈")
        return say(
            language,
            f"**About {about} customers**: {words}, as of {as_of}. With a number shown before, the exact one would tell "
            "of a group too small to show.",
            f"**约 {about} 位客户**：{words}，截至 {as_of}。确切数字与此前的数字相比会暴露人数过少的群体。",
        )
    if isinstance(size, str):
        return say(
            language,
            f"Fewer than {min_group} customers match: {words} (as of {as_of}). Groups this small are not shown.",
            f"符合条件的客户少于 {min_group} 位：{words}（截至 {as_of}）。人数过少，不予展示。",
        )
    share = display(figures["share"], currency)
    text = say(
        language,
        f"**{display(figures['size'], currency)} customers** ({share} of {everyone}): {words}, as of {as_of}.",
        f"**{display(figures['size'], currency)} 位客户**（占 {everyone} 位的 {share}）：{words}，截至 {as_of}。",
    )
    before = figures.get("size_before")
    if before is not None and not isinstance(before.value, str):
        shown = display(before, currency)
        text += say(language, f" Before the edit: {shown}.", f"修改前为 {shown} 位。")
    seed = figures.get("seed_size")
    if seed is not None:
        shown = display(seed, currency)
        text += say(
            language,
            f" They behave most like the {shown} seed customers.",
            f"他们的行为与 {shown} 位种子客户最相似。",
        )
    asked = figures.get("top")
    if asked is not None and isinstance(size, int) and isinstance(asked.value, int) and size < asked.value:
        shown = display(asked, currency)
        text += say(
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
    lines = [line(figures["spend"], language, currency), line(figures["spend_share"], language, currency)]
    averages = [name for name in figures if name.startswith("average.") and name.count(".") == 1]
    for name in averages[:AVERAGES]:
        everyone = display(figures[f"{name}.everyone"], currency)
        lines.append(
            line(figures[name], language, currency)
            + say(language, f"; everyone {everyone}", f"；全体 {everyone}")
        )
    traits = [name for name in figures if name.startswith("trait.") and f"{name}.others" in figures]
    if traits:
        lines.append(
            say(language, "\n**What sets them apart** (effect size)", "\n**与众不同之处**（效应量）")
        )
    for name in traits[:SHOWN]:
        others, effect = (display(figures[f"{name}.{part}"], currency) for part in ("others", "effect"))
        lines.append(
            line(figures[name], language, currency)
            + say(language, f"; others {others}; effect {effect}", f"；其他客户 {others}；效应量 {effect}")
        )
    return "\n".join(lines)


def _recommendations(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    lines = [say(language, "**Offer next**", "**建议推荐**")]
    for row in item.rows[:SHOWN]:
        start = f"{row['rank']}.{row['key']}"
        buying, everyone, lift, open_ = (
            display(figures[f"{start}.{part}"], currency)
            for part in ("buying", "buying_everyone", "lift", "open")
        )
        lines.append(
            say(
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
    agreement = display(figures["stability"], currency)
    lines = [
        say(
            language,
            f"**{count} natural segments** (separation: silhouette {silhouette} of at most 1; agreement under "
            f"resampling {agreement}).",
            f"**{count} 个自然分群**（轮廓系数 {silhouette}，最大为 1；重抽样一致性 {agreement}）。",
        )
    ]
    for row in item.rows:
        name, persona = (
            (row["name_zh"], row["persona_zh"]) if language == "zh" else (row["name"], row["persona"])
        )
        size = display(figures[f"size_{row['number']}"], currency)
        lines.append(
            say(
                language,
                f"{row['number']}. **{name}**: {size} customers. {persona}",
                f"{row['number']}. **{name}**：{size} 位。{persona}",
            )
        )
    why, dense = item.notes[language == "zh" :: 2]
    lines += [
        say(language, f"\nWhy this many: {why}.", f"\n为什么分成这么多类：{why}。"),
        say(language, f"\nWith no number given: {dense}.", f"\n不指定类数时：{dense}。"),
    ]
    return "\n".join(lines)


def _saved(item: Evidence, language: Language, currency: str) -> str:
    lines = [_figures(item, language, currency)]
    lines += [
        say(
            language,
            f"- **{row['name']}** (v{row['version']}): {row['size']}; {row['words']}",
            f"- **{row['name']}**（v{row['version']}）：{row['size_zh']}；{row['words_zh']}",
        )
        for row in item.rows
    ]
    return "\n".join(lines)


def _trend(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    lines = [say(language, "**Customers over time**", "**人数变化**")]
    lines += [
        say(language, f"- {row['as_of']}: {size}", f"- {row['as_of']}：{size}")
        for row in item.rows
        if (size := display(figures[f"size.{row['as_of']}"], currency))
    ]
    if "filled_from" in figures:
        filled = display(figures["filled_from"], currency)
        lines.append(
            say(
                language,
                f"Before {filled} the data do not yet hold all the days that the segment looks back on, so those sizes "
                "cannot be compared with later ones.",
                f"{filled} 之前的数据尚未涵盖该分群所回看的全部天数，因此那些人数不能与之后的相比。",
            )
        )
    if item.notes:
        step, usual = _signed(figures["last_step"], currency), display(figures["usual_step"], currency)
        lines.append(
            say(
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
            say(
                language,
                f"**{start} to {end}: {shown['entered']} entered, {shown['left']} left, {shown['stayed']} stayed**",
                f"**{start} 至 {end}：加入 {shown['entered']} 位，离开 {shown['left']} 位，留下 {shown['stayed']} 位**",
            )
        ]
    else:
        lines = [
            say(
                language,
                f"**{start} to {end}**: how many entered and left is not shown, since it would tell of a group too small.",
                f"**{start} 至 {end}**：加入与离开的人数会暴露人数过少的群体，不予展示。",
            )
        ]
    sizes = say(
        language,
        f"- {shown['before']} customers then, {shown['after']} at the end",
        f"- 当时 {shown['before']} 位，期末 {shown['after']} 位",
    )
    if "grown" in figures:
        mine, everyone = (_signed(figures[name], currency) for name in ("grown", "grown_everyone"))
        sizes += say(
            language,
            f": {mine}, while all customers grew by {everyone}",
            f"：变化 {mine}，同期全体客户 {everyone}",
        )
    lines.append(sizes)
    if "left_share" in figures:
        lines.append(
            say(
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
                say(
                    language,
                    f"- {row['label']}: held back, too few to show; everyone {everyone}",
                    f"- {row['label']}：人数过少，不予展示；全体 {everyone}",
                )
            )
            continue
        size, share = (display(figures[name], currency) for name in (start, f"{start}.share"))
        lines.append(
            say(
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
    line = say(
        language,
        f"**{shown['part']} of them" + (f" ({share})" if share else "") + f"**: {words}",
        f"**其中 {shown['part']} 位" + (f"（{share}）" if share else "") + f"**：{words}",
    )
    if "everyone" in figures:
        line += say(language, f"; of everyone {shown['everyone']}", f"；全体中 {shown['everyone']}")
    return line


def _when(item: Evidence, language: Language, currency: str) -> str:
    figures, shown = named(item), displayed(item, currency)
    names = [name for name in figures if name != "orders" and not name.endswith(".everyone")]
    lines = [
        say(
            language,
            f"**When they shop** (shares of {shown['orders']} orders in a year)",
            f"**购物时间**（最近一年 {shown['orders']} 个订单的占比）",
        )
    ]
    for start in ("part.", "day."):
        parts = [name for name in names if name.startswith(start)]
        for name in sorted(parts, key=lambda name: -float(figures[name].value)):
            lines.append(
                line(figures[name], language, currency)
                + say(
                    language, f"; everyone {shown[f'{name}.everyone']}", f"；全体 {shown[f'{name}.everyone']}"
                )
            )
    return "\n".join(lines)


def _habits(head: tuple[str, str], total: str) -> Callable[[Evidence, Language, str], str]:
    """Shares of what a segment does beside everyone's. head: in English and Chinese, with a blank for the total."""

    def render(item: Evidence, language: Language, currency: str) -> str:
        figures, shown = named(item), displayed(item, currency)
        lines = [say(language, *(text.format(shown[total]) for text in head))]
        for name in figures:
            if name != total and not name.endswith(".everyone"):
                all_ = shown[f"{name}.everyone"]
                beside = say(language, f"; everyone {all_}", f"；全体 {all_}")
                lines.append(line(figures[name], language, currency) + beside)
        return "\n".join(lines)

    return render


def _overlap(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    lines = [say(language, "**Overlap of the saved segments**", "**已保存分群的重叠**")]
    for row in item.rows:
        start = f"pair.{row['place']}"
        both = display(figures[start], currency)
        share = display(figures[f"{start}.jaccard"], currency) if f"{start}.jaccard" in figures else ""
        twins = say(language, " **Near-duplicates.**", " **几乎相同。**") if row["near_duplicate"] else ""
        lines.append(_in_both(row["pair"], both, share, language) + twins)
    if int(figures["pairs"].value) > len(item.rows):
        shown, pairs = len(item.rows), display(figures["pairs"], currency)
        lines.append(
            say(
                language,
                f"- These are the {shown} most alike of {pairs} pairs.",
                f"- 以上是{pairs}个组合中最相似的{shown}个。",
            )
        )
    lines += [f"- {note}" for note in item.notes[language == "zh" :: 2]]
    return "\n".join(lines)


def _duplicates(item: Evidence, language: Language, currency: str) -> str:
    figures, shown = named(item), displayed(item, currency)
    saved, twins = int(figures["saved"].value), int(figures["duplicates"].value)
    if not saved:
        head = say(language, "**No saved segment can be compared with it.**", "**没有可比较的已保存分群。**")
    elif not twins:
        head = say(
            language,
            f"**None of {shown['saved']} saved segments is a near-duplicate of it.**",
            f"**{shown['saved']}个已保存分群中没有与它几乎相同的。**",
        )
    else:
        head = say(
            language,
            f"**Near-duplicates of it: {shown['duplicates']} of {shown['saved']} saved segments.**",
            f"**{shown['saved']}个已保存分群中，有{shown['duplicates']}个与它几乎相同。**",
        )
    lines = [head]
    for row in item.rows:
        start = f"saved.{row['place']}"
        verdict = ""
        if row["same_meaning"]:
            verdict = say(language, " **It means the same.**", " **含义相同。**")
        elif row["near_duplicate"]:
            verdict = say(language, " **Near-duplicate.**", " **几乎相同。**")
        alike = shown.get(f"{start}.jaccard", "")
        lines.append(_in_both(row["name"], shown[start], alike, language) + verdict)
    lines += [f"- {note}" for note in item.notes[language == "zh" :: 2]]
    return "\n".join(lines)


def _in_both(name: str, both: str, jaccard: str, language: Language) -> str:
    """How many customers are in both of two segments, and how alike these are where that may be told."""
    alike = say(language, f", Jaccard {jaccard}", f"，重叠度 {jaccard}") if jaccard else ""
    return say(language, f"- {name}: {both} in both{alike}.", f"- {name}：共有 {both} 位{alike}。")


def _membership(item: Evidence, language: Language, currency: str) -> str:
    figures = named(item)
    belongs = figures["belongs"].value == "yes"
    lines = [
        say(language, "**This customer is in the segment.**", "**该客户属于此分群。**")
        if belongs
        else say(language, "**This customer is not in the segment.**", "**该客户不属于此分群。**")
    ]
    for place, row in enumerate(item.rows):
        state = say(language, *_STATES[row["state"]])
        theirs = figures.get(f"condition.{place}.value")
        value = ""
        if theirs is not None:
            told = display(theirs, currency)
            told = say(language, told, _YES_NO_ZH.get(told, told))
            value = say(
                language, f" ({label(theirs, language)}: {told})", f"（{label(theirs, language)}：{told}）"
            )
        lines.append(
            say(
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
    return say(
        language,
        f"It may also be read as \u201c{words}\u201d: {size}. Say yes to take that reading.",
        f"也可以理解为“{words}”：{size} 位。回答“是”即改用这种理解。",
    )


_RENDERERS: dict[str, Callable[[Evidence, Language, str], str]] = {
    "profile_segment": _profile,
    "score_propensity": answer_scores.propensity,
    EXPLAIN: answer_scores.one_customer,
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
    "find_duplicates": _duplicates,
    "explain_membership": _membership,
    "estimate_uplift": answer_scores.uplift,
    "customer_value": answer_scores.worth,
    "other_reading": _other_reading,
    "compare_segments": _comparison,
    "recommend_products": _recommendations,
    "discover_segments": _clusters,
    "list_segments": _saved,
    **answer_market.RENDERERS,
}
