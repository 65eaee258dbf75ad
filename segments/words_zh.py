"""A definition in Chinese."""

from __future__ import annotations

from segments.amounts import number, quantity
from segments.definition import (
    AllOf,
    ComparisonCondition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    InCluster,
    ItemFilter,
    Node,
    Not,
    Occasion,
    PropensityCondition,
    Quantity,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    SimilarityCondition,
    Step,
    TouchCondition,
    UpliftCondition,
    Window,
)
from segments.features import FeatureType
from segments.words_en import WITHOUT_ITEMS, English

_OPS = {">=": "至少", ">": "超过", "<=": "至多", "<": "少于", "=": "等于", "!=": "不等于"}
_EVENTS = {
    "view": "浏览",
    "search": "搜索",
    "add_to_cart": "加购",
    "purchase": "购买",
    "return": "退货",
    "review": "评价",
    "exposure": "收到营销活动",
    "ad_click": "点击广告",
    "coupon_redeem": "使用优惠券",
}
_UNITS = {"orders": "笔订单", "sessions": "次会话", "days": "天"}
_DAYS = dict(zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "一二三四五六日", strict=True))
_FIELDS = {"department": "部门", "category": "品类", "brand": "品牌"}


class Chinese(English):
    """Renders definitions in Chinese."""

    joiners = ("，并且", "，或者")

    def whole(self, node: Node) -> str:
        return "所有客户" if node == AllOf(()) else f"{self.phrase(node)}的客户"

    def phrase(self, node: Node, nested: bool = False) -> str:
        match node:
            case AllOf(()):
                return "任意"
            case Not(child) if not isinstance(child, EventCondition):
                return f"不属于（{self.phrase(child)}）"
            case _:
                return super().phrase(node, nested)

    def name(self, feature: str) -> str:
        known = self.catalogue.get(feature)
        return feature if known is None else known.zh

    def propensity(self, node: PropensityCondition) -> str:
        if node.top_share is not None:
            return f"{node.outcome} 概率位于前 {number(node.top_share * 100)} %"
        return f"{node.outcome} 概率至少 {number((node.min_probability or 0) * 100)} %"

    def uplift(self, node: UpliftCondition) -> str:
        if node.top_share is not None:
            return f"营销活动 {node.campaign} 的估计增益位于前 {number(node.top_share * 100)} %"
        gain = number((node.min_effect or 0) * 100)
        return f"估计因营销活动 {node.campaign} 而购买的概率至少提高 {gain} 个百分点"

    def similar(self, node: SimilarityCondition) -> str:
        target = f"客户 {node.customer}" if node.segment is None else self.whole(node.segment)
        if node.text is not None:
            target = f"最关心“{node.text}”的客户"
        group = "" if node.among is None else f"（{self.whole(node.among)}）之中"
        return f"{group}与（{target}）最相似的 {number(node.top)} 位"

    def member(self, name: str) -> str:
        return f"属于分群“{name}”"

    def cluster(self, node: InCluster) -> str:
        return f"属于发现 {node.discovery} 的第{node.number}个自然分群"

    def feature(self, node: FeatureCondition) -> str:
        feature = self.catalogue.get(node.feature)
        if feature is None:
            return f"{node.feature} {node.op} {node.value}"
        if feature.type is FeatureType.BOOLEAN:
            return feature.zh if node.value else "已知没" + feature.zh
        value = node.value
        if isinstance(value, tuple):
            shown = [quantity(v, feature, self.currency) for v in value]
            if node.op == "between":
                return f"{feature.zh}在 {shown[0]} 到 {shown[1]} 之间"
            return f"{feature.zh}{'为' if node.op == 'in' else '不为'} {'、'.join(shown)}"
        if not feature.numeric:
            edge = {">=": "及以上", "<=": "及以下"}.get(node.op, "")
            return f"{feature.zh}{'不' if node.op == '!=' else ''}为 {value}{edge}"
        return f"{feature.zh}{_OPS[node.op]} {quantity(value, feature, self.currency)}"

    def event(self, node: EventCondition, *, did: bool) -> str:
        negation = "" if did else "未"
        when = self.window(node.window) + self.occasion(node.occasion)
        return f"{when}{negation}{_EVENTS[node.event]}{self._object(node)}{self.times(node)}"

    def _object(self, node: EventCondition | RepeatCondition | Step) -> str:
        unsaid = not node.items and node.event in (*WITHOUT_ITEMS, "purchase")
        return "" if unsaid else self.items(node.items)

    def sequence(self, node: SequenceCondition) -> str:
        first = node.steps[0]
        text = self.window(node.window) + self._step(first)
        for step in node.steps[1:]:
            text += f"，之后{self._within(step)}又{self._step(step)}"
        if node.then_not is not None:
            text += f"，之后{self._within(node.then_not)}未{self._step(node.then_not)}"
        return text + ("（同一商品）" if node.same_item else "")

    def _step(self, step: Step) -> str:
        return f"{self.occasion(step.occasion)}{_EVENTS[step.event]}{self._object(step)}"

    def _within(self, step: Step) -> str:
        return "" if step.within_days is None else f" {number(step.within_days)} 天内"

    def repeat(self, node: RepeatCondition) -> str:
        what = f"{self.occasion(node.occasion)}{_EVENTS[node.event]}{self._object(node)}"
        span = f"在 {number(node.within_days)} 天之内有 {node.times} {_UNITS[node.unit]}{what}"
        without = "" if node.without is None else f"且其间未{_EVENTS[node.without]}"
        return f"{self.window(node.window)}{span}{without}"

    def touch(self, node: TouchCondition) -> str:
        which = "首次" if node.which == "first" else "最近一次"
        items = f"的是{self.items(node.items)}" if node.items else ""
        return f"{which}{_EVENTS[node.event]}{items}，时间为{self.window(node.window)}{self.occasion(node.occasion)}"

    def comparison(self, node: ComparisonCondition) -> str:
        factor = "" if node.factor == 1 else f"的 {number(node.factor)} 倍"
        return f"{self.quantity(node.left)}{_OPS[node.op]}{self.quantity(node.right)}{factor}"

    def quantity(self, side: Quantity) -> str:
        if isinstance(side, str):
            return self.name(side)
        what = {"value": "金额", "quantity": "件数"}
        return f"{self._on(side)}的{what.get(side.measure, '次数')}"

    def _on(self, side: EventQuantity) -> str:
        items = self.items(side.items) if side.items else ""
        return f"{self.window(side.window)}{self.occasion(side.occasion)}{_EVENTS[side.event]}{items}"

    def rank(self, node: RankCondition) -> str:
        edge = "最低" if node.lowest else "最高"
        size = (
            f"{number(node.count)} 位" if node.count is not None else f"{number((node.share or 0) * 100)} %"
        )
        group = "" if node.among is None else f"（{self.whole(node.among)}）之中"
        return f"{group}{self.name(node.feature)}{edge}的 {size}"

    def items(self, items: ItemFilter) -> str:
        parts = [
            f"{zh} {'或'.join(getattr(items, name))}" for name, zh in _FIELDS.items() if getattr(items, name)
        ]
        if items.text:
            parts.append("名称含" + "或".join(f"“{text}”" for text in items.text) + "的商品")
        return " 且 ".join(parts) or "任意商品"

    def occasion(self, occasion: Occasion) -> str:
        text = "、".join(f"周{_DAYS[day]}" for day in occasion.weekdays)
        if occasion.hours is not None:
            text += f" {occasion.hours[0]} 点至 {occasion.hours[1]} 点"
        if occasion.channel:
            text += f"经渠道 {'或'.join(occasion.channel)} "
        if occasion.campaign:
            text += f"活动 {'或'.join(occasion.campaign)} 中"
        return f"在{text}" if text else ""

    def times(self, node: EventCondition) -> str:
        if (node.measure, node.op, node.value) == ("count", ">=", 1):
            return ""
        value = node.value
        amount = f"{number(value[0])} 到 {number(value[1])}" if isinstance(value, tuple) else number(value)
        op = "" if isinstance(value, tuple) else _OPS[node.op]
        match node.measure:
            case "value":
                return f"合计{op} {self.currency}{amount}"
            case "quantity":
                return f"合计{op} {amount} 件"
            case _:
                return f"{op} {amount} 次"

    def window(self, window: Window) -> str:
        if window.start is None:
            return "曾经" if not window.end else f"{window.end} 天以前"
        if not window.end:
            return f"最近 {window.start} 天内"
        return f"{window.start} 天前到 {window.end} 天前之间"
