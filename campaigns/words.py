"""A strategy in words, as Markdown in English or Chinese. Every number comes from the strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from campaigns.budget import BUDGET_STEP
from campaigns.display import difference, money, share, span
from campaigns.goals import GOAL_WORDS
from campaigns.offer import PARTS_ZH, WEEKDAYS_EN, WEEKDAYS_ZH
from segments.errors import DefinitionError

if TYPE_CHECKING:
    from campaigns.plan import Strategy

Language = Literal["en", "zh"]
TIERS_ZH = {"high": "高", "middle": "中", "low": "低", "all": "全部"}

CAVEATS: dict[str, tuple[str, str]] = {
    "incremental_assumed": (
        "How much of the gain the campaign truly causes is assumed, not known; the holdout will tell.",
        "活动真正带来的增量比例是假设而非已知，需由对照组验证。",
    ),
    "one_horizon": (
        "Only the first {horizon} days count; later purchases are left out. The face value of redeemed "
        "coupons counts as a cost in full.",
        "仅计算前{horizon}天，不含之后的购买；核销券面值全额计入成本。",
    ),
    "lookalikes_known": (
        "Lookalikes are customers of yours outside the segment, and their profiles know nothing of whether they want it. "
        "People whom you do not know are in no data here: give the segment's export to an advertiser as a seed.",
        "相似客户是分群之外的现有客户，相似不等于有意愿。尚不认识的人不在数据中：可把该分群导出，作为广告平台的种子人群。",
    ),
    "lift_unmeasured": (
        "How much more the lookalikes are like the segment than others is not measured: it takes 40 members, and all "
        "customers to choose from.",
        "相似程度未经测量：需要至少40名成员，并从全部客户中选取。",
    ),
    "lift_unproven": (
        "Hiding half of the segment, the search found its members no better than chance would: do not send this.",
        "隐去一半成员后，搜索并不比随机更能找回他们：请勿发送。",
    ),
    "uplift_unknown": (
        "No randomised test tells who responds because of contact, so the tiers know only who responds. Run this plan "
        "as an experiment: once read, it tells the next plan.",
        "尚无随机试验说明谁因触达而响应，分层只反映谁会响应。请把本方案作为实验执行：读取结果后，下一个方案即可使用。",
    ),
    "observational": (
        "Past campaigns were sent to chosen customers, so response elsewhere may be lower.",
        "以往活动面向挑选过的客户，其他客户的响应可能更低。",
    ),
    "response_assumed": (
        "The response rate is assumed; no past campaign was used.",
        "响应率为假设值，未使用以往活动数据。",
    ),
    "few_exposures": (
        "The segment has only {exposures} past exposures of this kind; its rate leans on everyone's.",
        "该分群此类活动仅有{exposures}次触达，响应率主要参考全体客户。",
    ),
    "independent": (
        "Who would buy anyway and who responds are taken as independent; if the same customers do both, "
        "the true gain is smaller.",
        "假设“本来就会买”与“响应”相互独立；若重叠，实际增量更小。",
    ),
    "discount_set": (
        "The discount is the one asked for. What another discount does to the response is not known here, so the "
        "forecast changes its cost only.",
        "优惠力度按要求设定。不同力度对响应的影响没有数据，预测只改变其成本。",
    ),
    "loss_expected": (
        "Under the assumptions the campaign is expected to lose money; {paying} contacts "
        "(cost {paying_cost}) pay back.",
        "按此假设活动预期亏损；可回本的触达为{paying}次（成本{paying_cost}）。",
    ),
    "underpowered": (
        "The holdout cannot find the expected difference: it is {expected}, the smallest it finds is "
        "{detectable}.{needed}",
        "对照组无法测出预期差异：预期为{expected}，最小可测为{detectable}。{needed}",
    ),
    "budget_left": (
        "{left} of the budget stays unspent: every member worth contacting is already chosen.",
        "预算剩余{left}：值得触达的成员已全部入选。",
    ),
}


def notes(strategy: Strategy, language: Language, currency: str) -> list[str]:
    """The caveats as sentences."""
    zh, holdout = language == "zh", strategy.holdout
    needed = ""
    if holdout.needed is not None:
        needed = (
            f"需约{holdout.needed:,}名客户。" if zh else f" It would take about {holdout.needed:,} customers."
        )
    values = {
        "horizon": strategy.assumptions.horizon_days,
        "exposures": strategy.channel.exposures if strategy.channel else 0,
        "paying": strategy.split.paying_contacts,
        "paying_cost": money(strategy.split.paying_cost, currency),
        "expected": difference(holdout.metric.kind, holdout.metric.expected, currency),
        "detectable": difference(holdout.metric.kind, holdout.detectable, currency),
        "needed": needed,
        "left": money(strategy.budget - strategy.forecast.cost, currency),
    }
    return [CAVEATS[code][zh].format(**values) for code in strategy.caveats]


ENGLISH = """\
## Strategy: {goal_en}
**Objective.** {goal_en} ({reason_en}).

**Who.** {size} customers{found_en}, tiers by response times gain{uplift_en}.

| tier | customers | mean response | contacted | held out | cost | responders | revenue | ROI | offers |
|---|---|---|---|---|---|---|---|---|---|
{tiers_en}

**Offer.** {depth} off, each customer the one that suits them: {offers_en}. The members' usual discount is {usual}; \
of the gross margin of {margin} (assumed), {kept} is left on what the coupon buys.
**Channel.** {channel_en}
**Timing.** Post on {post_on}, to arrive on {arrive_on}: {weekday_en} has {weekday_share} of their \
orders, the {part_en} {part_share}. Last contact: {last_en}; \
{contacts_90d} contacts in 90 days; rest at least {rest} days.
**Budget.** {budget}; expected cost {cost}; {more_en}.
**Expected** in {horizon} days ({level} intervals): {responders} responders ({responders_range}) \
of {contacts} contacted, incremental revenue {revenue} ({revenue_range}), net margin {net} ({net_range}), \
ROI {roi} ({roi_range}); chance to pay back {chance}. \
It breaks even when the campaign causes {break_even} of the gain.
**Holdout.** {held} of {chosen} chosen customers are not contacted. Primary metric: {metric_en}. \
Smallest difference found: {detectable}; expected: {expected} (level {alpha}, power {power}). \
Stop and read it once, {read_after} days after arrival; no earlier look.

**Assumed.** Contact {contact_cost}; gross margin {margin}; incremental share {incremental}.

**Do not.**
{avoid_en}

**Mind.**
{notes_en}
"""

CHINESE = """\
## 策略：{goal_zh}
**目标。** {goal_zh}（{reason_zh}）。

**对象。** {size}名客户{found_zh}，按响应概率与收益之积分层{uplift_zh}。

| 层 | 客户数 | 平均响应 | 触达 | 对照 | 成本 | 响应客户 | 收入 | 投资回报率 | 优惠 |
|---|---|---|---|---|---|---|---|---|---|
{tiers_zh}

**优惠。** 优惠{depth}，每位客户选最适合的一种：{offers_zh}。成员平均折扣{usual}；假设毛利率{margin}，用券商品还剩{kept}。
**渠道。** {channel_zh}
**时机。** {post_on}寄出，{arrive_on}送达：{weekday_zh}占其订单{weekday_share}，{part_zh}占{part_share}。\
上次触达：{last_zh}；90天内{contacts_90d}次；两次触达至少间隔{rest}天。
**预算。** {budget}；预期成本{cost}；{more_zh}。
**预期**（{horizon}天，{level}区间）：触达{contacts}名，响应{responders}名（{responders_range}），\
增量收入{revenue}（{revenue_range}），净毛利{net}（{net_range}），投资回报率{roi}（{roi_range}）；\
回本概率{chance}。活动带来的增量占{break_even}时盈亏平衡。
**对照组。** {chosen}名入选客户中{held}名不触达。主要指标：{metric_zh}。\
最小可测差异{detectable}，预期{expected}（显著性{alpha}，功效{power}）。送达后{read_after}天一次性读取，不提前查看。

**假设。** 每次触达{contact_cost}；毛利率{margin}；增量比例{incremental}。

**不要。**
{avoid_zh}

**注意。**
{notes_zh}
"""


def render(strategy: Strategy, language: str, currency: str = "$") -> str:
    """Markdown; raises DefinitionError for a language other than 'en' and 'zh'."""
    if language not in ("en", "zh"):
        raise DefinitionError(
            f"A strategy can be told in 'en' or 'zh', not '{language}'.",
            f"方案只能用 'en' 或 'zh' 来说，不能用 '{language}'。",
        )
    template = CHINESE if language == "zh" else ENGLISH
    parts = (
        _plan_words(strategy),
        _numbers(strategy, currency),
        _lists(strategy, currency),
        _rules(strategy, currency),
    )
    return template.format(**{name: text for part in parts for name, text in part.items()})


def _plan_words(s: Strategy) -> dict[str, str]:
    """Objective, discount and timing."""
    o, t, reason = s.offers[0], s.timing, s.objective.reason
    goal_en, goal_zh = GOAL_WORDS[s.objective.goal]
    why_en, why_zh = (
        ("as asked", "按要求") if s.objective.given else ("nothing more urgent", "没有更紧迫的信号")
    )
    if reason:
        side_en, side_zh = ("below", "低于") if reason.below else ("at least", "不低于")
        why_en = f"{reason.label_en}: {reason.value:.2f}, {side_en} {reason.limit:.2f}"
        why_zh = f"{reason.label_zh}为{reason.value:.2f}，{side_zh}{reason.limit:.2f}"
    last = t.last_contact_days
    tested = s.uplift.words if s.uplift else None
    found = s.acquisition.words if s.acquisition else ("", "")
    return {
        "goal_en": goal_en.capitalize(),
        "goal_zh": goal_zh,
        "reason_en": why_en,
        "reason_zh": why_zh,
        "found_en": found[0],
        "found_zh": found[1],
        "uplift_en": f" times what contact causes in each, as {tested[0]} tells" if tested else "",
        "uplift_zh": f"，再乘以{tested[1]}所说明的个体增量" if tested else "",
        "depth": share(o.depth),
        "usual": share(o.usual_discount),
        "kept": share(s.margin_kept),
        "post_on": t.post_on.isoformat(),
        "arrive_on": t.arrive_on.isoformat(),
        "weekday_en": WEEKDAYS_EN[t.weekday],
        "weekday_zh": WEEKDAYS_ZH[t.weekday],
        "weekday_share": share(t.weekday_share),
        "part_en": t.part,
        "part_zh": PARTS_ZH[t.part],
        "part_share": share(t.part_share),
        "last_en": "never" if last is None else f"median {last:.0f} days ago",
        "last_zh": "从未" if last is None else f"中位数{last:.0f}天前",
        "contacts_90d": f"{t.contacts_90d:.1f}",
        "rest": str(s.assumptions.min_contact_gap_days),
    }


def _numbers(s: Strategy, currency: str) -> dict[str, str]:
    """Budget, forecast, holdout and assumptions."""
    f, h, a = s.forecast, s.holdout, s.assumptions

    def cash(value: float) -> str:
        return money(value, currency)

    price = s.split.shadow_price
    one = cash(BUDGET_STEP)
    more = (
        (f"one more {one} would bring {cash(price)} net", f"再加{one}可多得净毛利{cash(price)}")
        if price >= 0
        else (f"one more {one} would lose {cash(-price)} net", f"再加{one}将多亏净毛利{cash(-price)}")
    )
    return {
        "size": f"{s.size:,}",
        "budget": cash(s.budget),
        "cost": cash(f.cost),
        "more_en": more[0],
        "more_zh": more[1],
        "horizon": str(a.horizon_days),
        "level": f"{a.level:.0%}",
        "contacts": f"{f.contacts:,}",
        "responders": f"{f.responders:,.0f}",
        "responders_range": span(*f.responders_interval, lambda x: f"{x:,.0f}"),
        "revenue": cash(f.revenue),
        "revenue_range": span(*f.revenue_interval, cash),
        "net": cash(f.net),
        "net_range": span(*f.net_interval, cash),
        "roi": share(f.roi),
        "roi_range": span(*f.roi_interval, share),
        "chance": share(f.chance_to_pay),
        "break_even": share(s.break_even),
        "held": f"{h.holdout:,}",
        "chosen": f"{h.holdout + h.contact:,}",
        "metric_en": h.metric.label_en,
        "metric_zh": h.metric.label_zh,
        "detectable": difference(h.metric.kind, h.detectable, currency),
        "expected": difference(h.metric.kind, h.metric.expected, currency),
        "alpha": f"{h.alpha:.0%}",
        "power": f"{h.power:.0%}",
        "read_after": str(h.metric.horizon_days),
        "contact_cost": cash(a.contact_cost),
        "margin": share(a.gross_margin),
        "incremental": span(*a.incremental_share, share),
    }


def _lists(s: Strategy, currency: str) -> dict[str, str]:
    """The tier table, the offers and the channel, in both languages."""
    rows = {"en": "", "zh": ""}
    for language in rows:
        names = TIERS_ZH if language == "zh" else {name: name for name in TIERS_ZH}
        comma = "、" if language == "zh" else ", "
        rows[language] = "\n".join(
            f"| {names[t.name]} | {t.size:,} | {share(t.response)} | {t.contact:,} | {t.holdout:,} "
            f"| {money(t.forecast.cost, currency)} | {t.forecast.responders:,.0f} "
            f"| {money(t.forecast.revenue, currency)} | {share(t.forecast.roi) if t.contact else '–'} "
            f"| {comma.join(f'{name} {count:,}' for name, count in t.offers) or '–'} |"
            for t in s.tiers
        )
    faces = [(offer.name, money(offer.face_value, currency)) for offer in s.offers]
    channel_en, channel_zh = "No past campaign tells which one.", "没有以往活动可供参考。"
    if c := s.channel:
        low_high = span(c.low, c.high, share)
        everyone = share(c.rate_everyone)
        others = [f"{x.type} {share(x.rate)}" for x in s.channels if x.type != c.type]
        channel_en = f"As {c.type} campaigns were: response {share(c.rate)} ({low_high}); everyone {everyone}"
        channel_zh = f"沿用{c.type}活动：响应率{share(c.rate)}（{low_high}）；全体{everyone}"
        channel_en = "; ".join([channel_en, *others]) + "."
        channel_zh = "；".join([channel_zh, *others]) + "。"
    return {
        "tiers_en": rows["en"],
        "tiers_zh": rows["zh"],
        "offers_en": ", ".join(f"{name} (a redeemed coupon costs {face})" for name, face in faces),
        "offers_zh": "、".join(f"{name}（每张核销券成本{face}）" for name, face in faces),
        "channel_en": channel_en,
        "channel_zh": channel_zh,
    }


def _rules(s: Strategy, currency: str) -> dict[str, str]:
    """What not to do, and the caveats."""
    most, rest = s.assumptions.max_contacts_90d, s.assumptions.min_contact_gap_days
    avoid_en = [
        f"Contact nobody who had {most} contacts in 90 days: {s.left_alone:,} members are left alone.",
        f"Send nothing else to either arm until the result is read, and nothing within {rest} days of a contact.",
    ]
    avoid_zh = [
        f"90天内已触达{most}次的客户不再触达：共{s.left_alone:,}名成员被排除。",
        f"读取结果前，两组都不要发送其他活动；两次触达间隔不少于{rest}天。",
    ]
    for group in s.passed_over:
        least, often = share(group.least_share), share(group.most_share)
        avoid_en.append(
            f"Do not send it unexamined: of {group.attribute} {group.least}, {least} are chosen, of {group.most} "
            f"{often}."
        )
        avoid_zh.append(
            f"发送前请核查公平性：{group.attribute}为{group.least}的客户入选{least}，为{group.most}的入选{often}。"
        )
    return {
        "avoid_en": "\n".join(f"- {text}" for text in avoid_en),
        "avoid_zh": "\n".join(f"- {text}" for text in avoid_zh),
        "notes_en": "\n".join(f"- {note}" for note in notes(s, "en", currency)),
        "notes_zh": "\n".join(f"- {note}" for note in notes(s, "zh", currency)),
    }
