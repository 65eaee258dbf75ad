"""A definition in words, in English or Chinese: what the marketer reads back and what the check compares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from segments.definition import (
    AllOf,
    AnyOf,
    EventCondition,
    FeatureCondition,
    ItemFilter,
    MemberOf,
    Node,
    Not,
    PropensityCondition,
    SimilarityCondition,
    Window,
)
from segments.features import Catalogue, Feature, FeatureType

Language = Literal["en", "zh"]

_OPS_EN = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than", "=": "exactly", "!=": "not"}
_OPS_ZH = {">=": "至少", ">": "超过", "<=": "至多", "<": "少于", "=": "等于", "!=": "不等于"}
_EVENTS_EN = {
    "view": ("viewed", "view"),
    "search": ("searched for", "search for"),
    "add_to_cart": ("added to cart", "add to cart"),
    "purchase": ("bought", "buy"),
    "return": ("returned", "return"),
    "review": ("reviewed", "review"),
    "exposure": ("received a campaign", "receive a campaign"),
    "ad_click": ("clicked an ad", "click an ad"),
    "coupon_redeem": ("redeemed a coupon", "redeem a coupon"),
}
_EVENTS_ZH = {
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


def explain(node: Node, catalogue: Catalogue, language: Language = "en", currency: str = "$") -> str:
    """One sentence that says who belongs."""
    words = _Chinese(catalogue, currency) if language == "zh" else _English(catalogue, currency)
    return words.whole(node)


def number(value: float) -> str:
    """1234.5 -> '1,234.5', 500.0 -> '500'."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}".rstrip("0").rstrip(".")


def quantity(value: object, feature: Feature, currency: str) -> str:
    """A feature's value with its unit: '$500', '30 %', '45 days'."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if feature.type is FeatureType.SHARE:
        return f"{number(round(value * 100, 4))} %"
    return f"{currency}{number(value)}" if feature.unit == "currency" else number(value)


class _English:
    joiners = (" and ", " or ")

    def __init__(self, catalogue: Catalogue, currency: str) -> None:
        self.catalogue = catalogue
        self.currency = currency

    def whole(self, node: Node) -> str:
        return "everyone" if node == AllOf(()) else f"customers who {self.phrase(node)}"

    def phrase(self, node: Node, nested: bool = False) -> str:
        match node:
            case AllOf(()):
                return "are anyone"
            case AllOf(children):
                return _join(children, self.phrase, self.joiners[0], nested)
            case AnyOf(children):
                return _join(children, self.phrase, self.joiners[1], nested)
            case Not(EventCondition() as event):
                return self.event(event, did=False)
            case Not(child):
                return f"are not among those who ({self.phrase(child)})"
            case FeatureCondition():
                return self.feature(node)
            case EventCondition():
                return self.event(node, did=True)
            case PropensityCondition(outcome, low, top):
                if top is not None:
                    return f"are in the top {number(top * 100)} % by probability of {outcome}"
                return f"have a probability of {outcome} of at least {number((low or 0) * 100)} %"
            case SimilarityCondition(count, segment, customer):
                target = f"customer {customer}" if segment is None else self.whole(segment)
                return f"are among the {number(count)} most similar to ({target})"
            case MemberOf(name):
                return f"belong to the segment '{name}'"

    def feature(self, node: FeatureCondition) -> str:
        feature = self.catalogue.get(node.feature)
        if feature is None:
            return f"have {node.feature} {node.op} {node.value}"
        if feature.type is FeatureType.BOOLEAN:
            known = "are known to have" if node.value else "are known not to have"
            return f"{known} {feature.en.removeprefix('has ')}"
        value = node.value
        if isinstance(value, tuple):
            shown = [quantity(v, feature, self.currency) for v in value]
            if node.op == "between":
                return f"have {feature.en} from {shown[0]} to {shown[1]}"
            return f"have {feature.en} {'' if node.op == 'in' else 'not '}in {', '.join(shown)}"
        if not feature.numeric:
            edge = {">=": " or above", "<=": " or below"}.get(node.op, "")
            return f"have {feature.en} {'not ' if node.op == '!=' else ''}{value}{edge}"
        return f"have {feature.en} {_OPS_EN[node.op]} {quantity(value, feature, self.currency)}"

    def event(self, node: EventCondition, *, did: bool) -> str:
        past, bare = _EVENTS_EN[node.event]
        verb = past if did else f"did not {bare}"
        items = f" {self.items(node.items)}"
        if not node.items and node.event in ("exposure", "coupon_redeem", "ad_click"):
            items = ""
        return f"{verb}{items}{self.times(node)} {self.window(node.window)}"

    def items(self, items: ItemFilter) -> str:
        parts = [
            f"{name} {_any_of(getattr(items, name), ' or ')}"
            for name in ("department", "category", "brand")
            if getattr(items, name)
        ]
        if items.text:
            parts.append("products named " + _any_of(tuple(f"“{t}”" for t in items.text), " or "))
        return " with ".join(parts) or "anything"

    def times(self, node: EventCondition) -> str:
        if (node.measure, node.op, node.value) == ("count", ">=", 1):
            return ""
        value = node.value
        amount = f"{number(value[0])} to {number(value[1])}" if isinstance(value, tuple) else number(value)
        op = "" if isinstance(value, tuple) else _OPS_EN[node.op] + " "
        match node.measure:
            case "value":
                return f" for {op}{self.currency}{amount} in total"
            case "quantity":
                return f", {op}{amount} units in total,"
            case _:
                return f" {op}{amount} times"

    def window(self, window: Window) -> str:
        if window.start is None:
            return "ever" if not window.end else f"more than {window.end} days ago"
        if not window.end:
            return f"in the last {window.start} days"
        return f"between {window.start} and {window.end} days ago"


class _Chinese(_English):
    joiners = ("，并且", "，或者")

    def whole(self, node: Node) -> str:
        return "所有客户" if node == AllOf(()) else f"{self.phrase(node)}的客户"

    def phrase(self, node: Node, nested: bool = False) -> str:
        match node:
            case AllOf(()):
                return "任意"
            case Not(child) if not isinstance(child, EventCondition):
                return f"不属于（{self.phrase(child)}）"
            case PropensityCondition(outcome, low, top):
                if top is not None:
                    return f"{outcome} 概率位于前 {number(top * 100)} %"
                return f"{outcome} 概率至少 {number((low or 0) * 100)} %"
            case SimilarityCondition(count, segment, customer):
                target = f"客户 {customer}" if segment is None else self.whole(segment)
                return f"与（{target}）最相似的 {number(count)} 位"
            case MemberOf(name):
                return f"属于分群“{name}”"
            case _:
                return super().phrase(node, nested)

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
        return f"{feature.zh}{_OPS_ZH[node.op]} {quantity(value, feature, self.currency)}"

    def event(self, node: EventCondition, *, did: bool) -> str:
        verb = _EVENTS_ZH[node.event]
        items = (
            ""
            if not node.items and node.event in ("exposure", "coupon_redeem", "ad_click", "purchase")
            else (self.items(node.items))
        )
        return f"{self.window(node.window)}{'' if did else '未'}{verb}{items}{self.times(node)}"

    def items(self, items: ItemFilter) -> str:
        names = {"department": "部门", "category": "品类", "brand": "品牌"}
        parts = [
            f"{zh} {_any_of(getattr(items, name), '或')}"
            for name, zh in names.items()
            if getattr(items, name)
        ]
        if items.text:
            parts.append("名称含" + _any_of(tuple(f"“{t}”" for t in items.text), "或") + "的商品")
        return " 且 ".join(parts) or "任意商品"

    def times(self, node: EventCondition) -> str:
        if (node.measure, node.op, node.value) == ("count", ">=", 1):
            return ""
        value = node.value
        amount = f"{number(value[0])} 到 {number(value[1])}" if isinstance(value, tuple) else number(value)
        op = "" if isinstance(value, tuple) else _OPS_ZH[node.op]
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


def _join(children: Sequence[Node], phrase: Callable[..., str], joiner: str, nested: bool) -> str:
    text = joiner.join(phrase(child, True) for child in children)
    return f"({text})" if nested and len(children) > 1 else text


def _any_of(values: tuple[str, ...], joiner: str) -> str:
    return joiner.join(values)
