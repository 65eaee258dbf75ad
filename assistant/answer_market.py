"""What the market tools found, in words: every figure as its evidence shows it."""

from __future__ import annotations

from assistant.grounding import display, displayed, label, named
from segments.explain import Language
from segments.ports import Evidence

SHOWN = 5


def rules(item: Evidence, language: Language, currency: str) -> str:
    """What is bought together."""
    shown = displayed(item, currency)
    if language == "zh":
        lines = [f"**常一起购买**（{shown['baskets']}个购物篮，{shown['customers']}位客户）"]
    else:
        lines = [f"**Bought together** ({shown['baskets']} baskets of {shown['customers']} customers)"]
    for row in item.rows[:SHOWN]:
        support, share, lift = (shown[f"{row['rank']}.{part}"] for part in ("support", "confidence", "lift"))
        if language == "zh":
            lines.append(
                f"- **{row['item']} → {row['other']}**：含前者的购物篮中{share}也含后者；"
                f"提升度{lift}；占全部购物篮的{support}"
            )
        else:
            lines.append(
                f"- **{row['item']} → {row['other']}**: {share} of the baskets with the first have the second; "
                f"lift {lift}; in {support} of all baskets"
            )
    return "\n".join(lines)


def products(item: Evidence, language: Language, currency: str) -> str:
    """Next best products."""
    shown = displayed(item, currency)
    lines = ["**建议推荐的商品**" if language == "zh" else "**Products to offer next**"]
    for row in item.rows[:SHOWN]:
        start = f"{row['rank']}.{row['key']}"
        buying, lift = shown[f"{start}.buying"], shown[f"{start}.lift"]
        name = f"**{row['name']}** ({row['category']}, {row['key']})"
        if language == "zh":
            lines.append(f"- {name}：{buying}已购买；适合度为全体的{lift}倍")
        else:
            lines.append(f"- {name}: {buying} already buy it; suits them {lift} times as well as everyone")
    return "\n".join(lines)


def ranking(item: Evidence, language: Language, currency: str) -> str:
    """How such lists did on days not seen."""
    shown = displayed(item, currency)
    best = item.rows[0]
    method, other = str(best["method"]), item.rows[1]
    recall, ratio = shown[f"{method}.recall"], shown[f"{method}.recall_ratio"]
    second = shown[f"{other['method']}.recall"]
    if language == "zh":
        return (
            f"方法：{best['name_zh']}，在{shown['cut']}之后的{shown['horizon']}天上检验最好：前20项召回率{recall}，"
            f"为热门排行的{ratio}倍；次好的{other['name_zh']}为{second}。"
        )
    return (
        f"By the {best['name']}, which did best on the {shown['horizon']} days after {shown['cut']}: recall of the "
        f"first 20 {recall}, {ratio} times popularity's; next best, {other['name']}: {second}."
    )


def demand(item: Evidence, language: Language, currency: str) -> str:
    """Units expected, week by week, with stock-out risk and what to order."""
    figures = named(item)
    key = str(figures["key"].value)
    shown = {name.removeprefix(f"{key}."): display(figure, currency) for name, figure in figures.items()}
    zh = language == "zh"
    headline = figures[f"{key}.expected"]
    lines = [f"**{label(headline, language)}: {shown['expected']}**"]
    lines[0] += f"；过去同样长的时间为{shown['last']}" if zh else f"; the same time before: {shown['last']}"
    weeks = [name for name in shown if name.startswith("week_")]
    lines += [f"- {label(figures[f'{key}.{name}'], language)}: {shown[name]}" for name in weeks]
    if zh:
        lines.append(
            f"- 备货{shown['order_up_to']}件可以{shown['service']}的概率不断货（其中安全库存{shown['safety']}件）；"
            f"只备预期销量则缺货风险为{shown['risk_expected']}"
        )
    else:
        lines.append(
            f"- A stock of {shown['order_up_to']} lasts with probability {shown['service']} "
            f"({shown['safety']} of it safety stock); with only the expected units the risk of running out is "
            f"{shown['risk_expected']}"
        )
    if "stock" in shown and zh:
        lines.append(f"- 现有库存{shown['stock']}件：缺货风险{shown['risk']}；建议订货{shown['reorder']}件")
    elif "stock" in shown:
        lines.append(
            f"- With {shown['stock']} in stock the risk of running out is {shown['risk']}; order {shown['reorder']}"
        )
    if zh:
        lines.append(
            f"在未见过的周上检验（{shown['series']}个序列）：误差（WAPE）{shown['wape']}，季节性朴素预测{shown['naive_wape']}；"
            f"区间覆盖{shown['coverage']}的周。"
        )
    else:
        lines.append(
            f"Tested on weeks not seen, over {shown['series']} series: error (WAPE) {shown['wape']}, seasonal naive "
            f"{shown['naive_wape']}; {shown['coverage']} of the weeks fell inside their intervals."
        )
    return "\n".join(lines)


def anomalies(item: Evidence, language: Language, currency: str) -> str:
    """What is odd and how many; of coupons the oddest with their reasons."""
    figures = named(item)
    flagged, population = (display(figures[name], currency) for name in ("flagged", "population"))
    what = label(figures["flagged"], language)
    lines = [
        f"**{what}：{flagged}**（共检查{population}）"
        if language == "zh"
        else f"**{flagged} {what}** (of {population})"
    ]
    lines += [
        f"- {label(figure, language)}: {display(figure, currency)}"
        for name, figure in figures.items()
        if name.startswith("reason.")
    ]
    if item.rows:
        lines.append("\n**最可疑的**" if language == "zh" else "\n**The oddest**")
    for row in item.rows[:SHOWN]:
        reasons = row["reasons_zh" if language == "zh" else "reasons"]
        lines.append(f"- {row['id']}: " + ("；" if language == "zh" else "; ").join(reasons))
    if not item.rows and figures["flagged"].value != 0:
        lines.append(
            "具体是谁不在对话中显示；有导出权限的人可用工具 export_anomalies 取得清单。"
            if language == "zh"
            else "Which they are is not told in a chat; somebody who may export gets the list by the tool export_anomalies."
        )
    lines.append(
        "异常不等于有问题，请先核查。" if language == "zh" else "Odd is not guilty: look before you act."
    )
    return "\n".join(lines)


def placement(item: Evidence, language: Language, currency: str) -> str:
    """What display and mailer go with, and the warning."""
    figures = named(item)
    category, items = figures["category"].value, display(figures["items"], currency)
    lines = [
        f"**{category}**：{items}种商品与自身相比"
        if language == "zh"
        else f"**{category}**: {items} items compared with themselves, week by week"
    ]
    for row in item.rows:
        factor, share = (
            display(figures[f"{row['position']}.{part}"], currency) for part in ("factor", "share")
        )
        words = label(figures[f"{row['position']}.factor"], language)
        lines.append(
            f"- {words}：{factor}（通常覆盖{share}的门店）"
            if language == "zh"
            else f"- {factor} {words} (in the usual {share} of stores)"
        )
    lines.append(item.notes[language == "zh"])
    return "\n".join(lines)


def positions(item: Evidence, language: Language, currency: str) -> str:
    """What single displays go with, greatest first."""
    shown, zh = displayed(item, currency), language == "zh"
    lines = [
        "**各陈列位**：有该陈列的门店与没有任何陈列的门店相比，同一商品、同一周的销量倍数"
        if zh
        else "**By display**: units in the stores that had it, times those in stores without any, same item, same week"
    ]
    for row in item.rows:
        name, factor = row["words_zh" if zh else "words"], shown[f"{row['position']}.factor"]
        weeks = shown[f"{row['position']}.store_weeks"]
        lines.append(
            f"- {name}：{factor}（{weeks}个商品门店周）"
            if zh
            else f"- {name}: {factor} ({weeks} item-store-weeks)"
        )
    lines.append(
        "区间重叠的陈列位分不出高下；邮报各版面无法区分，因为几乎所有门店用同一份邮报。"
        if zh
        else "Where intervals overlap, which is better cannot be told. Places in the mailer cannot be told apart: nearly "
        "every store has the same."
    )
    return "\n".join(lines)


def frequency(item: Evidence, language: Language, currency: str) -> str:
    """The response curve, the cap it shows, and the warning."""
    figures = named(item)
    shown = displayed(item, currency)
    zh = language == "zh"
    if shown["capped"] == "True":
        lines = [
            f"**建议上限：30天内{shown['cap']}次活动**；再多一次看不出提升"
            if zh
            else f"**Cap: {shown['cap']} in 30 days**; one more shows no gain beyond chance"
        ]
    else:
        lines = [
            "**数据中未见上限**" if zh else "**No cap shows**: the response still rises with each campaign"
        ]
    for row in item.rows:
        name = f"campaigns_{row['campaigns']}"
        line = f"- {label(figures[f'{name}.responding'], language)}: {shown[f'{name}.responding']}"
        if f"{name}.gain" in shown:
            line += f"；提升{shown[f'{name}.gain']}" if zh else f"; gained {shown[f'{name}.gain']}"
        lines.append(line)
    lines.append(item.notes[zh])
    return "\n".join(lines)


def reviews(item: Evidence, language: Language, currency: str) -> str:
    """What reviews say: praise in all, by aspect, and what told praise from complaint."""
    shown, zh = displayed(item, currency), language == "zh"
    goods = f"**{shown['goods']}** " if shown["goods"] else ""
    lines = [
        f"{goods}**{shown['reviews']}条评论，其中表态的有{shown['praise']}为好评**"
        if zh
        else f"{goods}**{shown['reviews']} reviews; of those that say either, {shown['praise']} praise**"
    ]
    for row in item.rows:
        name = row["aspect"]
        mentions, praise = shown[f"{name}.mentions"], shown[f"{name}.praise"]
        lines.append(
            f"- {row['aspect_zh']}：{mentions}条提到，{praise}为好评"
            if zh
            else f"- {name}: {mentions} mention it, {praise} praise it"
        )
    if "held_back" in shown:
        lines.append(
            f"- 另有{shown['held_back']}个方面提到的人太少，不显示"
            if zh
            else f"- {shown['held_back']} more: spoken of by too few to be shown"
        )
    lines.append(_scorer(shown, zh))
    return "\n".join(lines)


def _scorer(shown: dict[str, str], zh: bool) -> str:
    trained = shown["scorer"] == "trained"
    if zh:
        by = "由本店有星级的评论训练的模型判断" if trained else "由褒贬词表判断"
        tested = (
            f"；在{shown['held_out']}条未见过的有星级评论上宏平均F1为{shown['f1']}"
            if "f1" in shown
            else "；有星级的评论太少，无法检验其准确性"
        )
        told = f"，词表为{shown['words_f1']}" if trained else ""
        return f"有星级的以星级为准，其余{by}{tested}{told}。"
    by = "a model of your own rated reviews" if trained else "a list of words"
    tested = (
        f"; its macro-F1 on {shown['held_out']} rated reviews that it had not seen: {shown['f1']}"
        if "f1" in shown
        else "; too few reviews have stars to test it on"
    )
    told = f", the word list's: {shown['words_f1']}" if trained else ""
    return f"Stars count where a review has some; else, and for the aspects, {by} tells{tested}{told}."


def reviewed_items(item: Evidence, language: Language, currency: str) -> str:
    """The items that are praised surely less often."""
    shown, zh = displayed(item, currency), language == "zh"
    lines = ["**好评明显较少的商品**" if zh else "**Praised surely less often**"]
    for row in item.rows:
        count, praise = (shown[f"{row['item_id']}.{part}"] for part in ("reviews", "praise"))
        lines.append(
            f"- {row['name']}：{count}条评论，{praise}为好评"
            if zh
            else f"- {row['name']}: {praise} of {count} reviews praise it"
        )
    return "\n".join(lines)


def reviews_read(item: Evidence, language: Language, currency: str) -> str:
    """What the language model made of those that it has read."""
    shown, zh = displayed(item, currency), language == "zh"
    parts = [
        f"{row['aspect_zh'] if zh else row['aspect']} {shown[row['aspect'] + '.praise']}" for row in item.rows
    ]
    if zh:
        by = f"其中{shown['reviews']}条由语言模型阅读：{shown['praise']}为好评"
        return by + (f"；{'；'.join(parts)}。" if parts else "。")
    by = f"Read by the language model, {shown['reviews']} of them: {shown['praise']} praise"
    return by + (f"; {'; '.join(parts)}." if parts else ".")


RENDERERS = {
    "bought_together": rules,
    "recommend_items": products,
    "ranking_test": ranking,
    "forecast_demand": demand,
    "find_anomalies": anomalies,
    "placement_effect": placement,
    "display_positions": positions,
    "mail_frequency": frequency,
    "review_sentiment": reviews,
    "reviewed_items": reviewed_items,
    "reviews_read": reviews_read,
}
