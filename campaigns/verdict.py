"""What a campaign did, in words: the verdict first, then what it rests on. English and Chinese."""

from __future__ import annotations

from campaigns.display import difference, money, share, span
from campaigns.measure import Measurement, smallest_detectable
from segments.errors import DefinitionError

SHOWN_STRATA = 9
DIFFERS = 0.05
UNBALANCED = 0.1
"""A standardised difference that is no longer small (Austin 2009, Statistics in Medicine 28)."""

HEADLINES: dict[str, tuple[str, str]] = {
    "mismatch": (
        "**Do not trust this comparison of '{name}'.** The arms have {contact} and {holdout} customers, which is not "
        "the share that was assigned (p = {ratio_p}): one arm lost customers that the other kept. Find out "
        "why first.",
        "**“{name}”的对比不可信。** 触达组{contact}名、对照组{holdout}名，与设定比例不符（p = {ratio_p}）："
        "两组流失不一致，请先查明原因。",
    ),
    "gain": (
        "**'{name}' worked.** Contact brought {difference} more per customer ({range}{level}).",
        "**“{name}”有效。** 触达使每位客户增加{difference}（{range}{level}）。",
    ),
    "loss": (
        "**'{name}' did harm.** Contact brought {size} less per customer ({range}{level}).",
        "**“{name}”有负面效果。** 触达使每位客户减少{size}（{range}{level}）。",
    ),
    "none": (
        "**No difference was found for '{name}'.** It was {difference} per customer ({range}{level}), which "
        "may be chance; "
        "a true difference of {detectable} would have been found 4 times in 5.",
        "**未发现“{name}”的效果。** 每位客户差异为{difference}（{range}{level}），可能出于偶然；"
        "真实差异达到{detectable}时，5次中有4次能测出。",
    ),
}
OBSERVED: dict[str, tuple[str, str]] = {
    "gain": (
        "**Observed, not caused.** Nobody was held out of '{name}'. Those it reached had {difference} more "
        "per customer "
        "than the others ({range}{level}), adjusted for the time before; they were chosen, so this is not "
        "what it caused.",
        "**仅为观察，非因果。** “{name}”没有对照组。按此前消费校正后，"
        "触达客户人均比其他客户多{difference}（{range}{level}）；他们是挑选出来的，这并不等于活动带来的效果。",
    ),
    "loss": (
        "**Observed, not caused.** Nobody was held out of '{name}'. Those it reached had {size} less per "
        "customer than "
        "the others ({range}{level}), adjusted for the time before; they were chosen, so this is not what it caused.",
        "**仅为观察，非因果。** “{name}”没有对照组。按此前消费校正后，"
        "触达客户人均比其他客户少{size}（{range}{level}）；他们是挑选出来的，这并不等于活动造成的结果。",
    ),
    "none": (
        "**Observed, not caused.** Nobody was held out of '{name}'. Adjusted for the time before, those it reached "
        "differ from the others by {difference} per customer ({range}{level}), which may be chance.",
        "**仅为观察，非因果。** “{name}”没有对照组。按此前消费校正后，"
        "触达客户与其他客户人均相差{difference}（{range}{level}），可能出于偶然。",
    ),
}


def tell(m: Measurement, language: str, currency: str = "$") -> str:
    """Markdown; every number is in `m.figures()`. Raises DefinitionError for another language."""
    if language not in ("en", "zh"):
        raise DefinitionError(
            f"A result can be told in 'en' or 'zh', not '{language}'.",
            f"结果只能用 'en' 或 'zh' 来说，不能用 '{language}'。",
        )
    zh = language == "zh"
    parts = [_headline(m, zh, currency), *_basis(m, zh, currency)]
    if m.verdict != "mismatch":
        parts += [*_money(m, zh, currency), *_strata(m, zh, currency)]
    return "\n".join(parts)


def _headline(m: Measurement, zh: bool, currency: str) -> str:
    p = m.primary
    texts = HEADLINES if m.randomised else OBSERVED
    level = f", {p.level:.0%} interval" if m.final else ", wide because it is early"
    level_zh = f"，{p.level:.0%}区间" if m.final else "，提前查看故较宽"
    return texts[m.verdict][zh].format(
        name=m.name,
        contact=f"{p.contact:,}",
        holdout=f"{p.holdout:,}",
        ratio_p=f"{m.ratio.p_value:.4f}" if m.ratio else "",
        difference=difference(m.kind, p.difference, currency),
        size=difference(m.kind, -p.difference, currency),
        range=span(p.low, p.high, lambda value: difference(m.kind, value, currency)),
        level=level_zh if zh else level,
        detectable=difference(m.kind, smallest_detectable(m), currency),
    )


def _basis(m: Measurement, zh: bool, currency: str) -> list[str]:
    plain, found = m.plain, []
    one, two = (
        share(mean) if m.kind == "share" else money(mean, currency)
        for mean in (plain.mean_contact, plain.mean_holdout)
    )
    found.append(
        f"- 触达组{plain.contact:,}名，平均{one}；未触达{plain.holdout:,}名，平均{two}。"
        if zh
        else f"- Contacted: {plain.contact:,} customers, {one} on average; not contacted: {plain.holdout:,}, {two}."
    )
    if m.variance_left is not None:
        left = share(m.variance_left)
        found.append(
            f"- 已按活动前的表现校正（CUPED），剩余方差{left}。"
            if zh
            else f"- Adjusted for the time before (CUPED), which leaves {left} of the variance."
        )
    if m.imbalance is not None and abs(m.imbalance) > UNBALANCED:
        gap = f"{m.imbalance:.2f}"
        found.append(
            f"- 注意：两组在活动前已相差{gap}个标准差。"
            if zh
            else f"- Mind: the two groups differed by {gap} standard deviations before it began."
        )
    if not m.final:
        found.append(
            f"- 这是第{m.days}天的提前查看（窗口的{share(m.elapsed)}），请等窗口结束再下结论。"
            if zh
            else f"- This is an early look on day {m.days} ({share(m.elapsed)} of the window); decide when it is over."
        )
    return found


def _money(m: Measurement, zh: bool, currency: str) -> list[str]:
    if m.profit is None or not m.randomised:
        return []
    total, profit = (
        f"{money(value, currency)} ({span(low, high, lambda v: money(v, currency))})"
        for value, low, high in (m.total, m.profit)
    )
    if zh:
        total, profit = (text.replace(" (", "（").replace(")", "）") for text in (total, profit))
        return [f"- 合计增量收入{total}；扣除商品与触达成本后利润{profit}。"]
    return [f"- Over everyone contacted: revenue {total}; profit after goods and contacts {profit}."]


def _strata(m: Measurement, zh: bool, currency: str) -> list[str]:
    if not m.strata:
        return []
    differs = m.heterogeneity < DIFFERS
    p = f"p = {m.heterogeneity:.3f}" if m.heterogeneity >= 0.001 else "p < 0.001"
    if zh:
        found = [f"- 各分层效果{'不同' if differs else '未见差别'}（{p}，多重比较已校正）："]
    else:
        seen = "differs between strata" if differs else "is not seen to differ between strata"
        found = [f"- It {seen} ({p}; intervals hold for all at once):"]
    for s in m.strata[:SHOWN_STRATA]:
        effect = s.effect
        reach = span(effect.low, effect.high, lambda value: difference(m.kind, value, currency))
        shown = difference(m.kind, effect.difference, currency)
        name = (
            s.stratum.replace("value", "价值").replace("recency", "近度").replace(", ", "，")
            if zh
            else s.stratum
        )
        found.append(f"  - {name}：{shown}（{reach}）" if zh else f"  - {name}: {shown} ({reach})")
    return found
