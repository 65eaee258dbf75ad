"""A definition in English."""

from __future__ import annotations

from collections.abc import Sequence

from segments.amounts import number, quantity
from segments.definition import (
    AllOf,
    AnyOf,
    ComparisonCondition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    InCluster,
    ItemFilter,
    MemberOf,
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
from segments.features import Catalogue, FeatureType

_OPS = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than", "=": "exactly", "!=": "not"}
_EVENTS = {
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
_NOUNS = {
    "view": "view",
    "search": "search",
    "add_to_cart": "add to cart",
    "purchase": "purchase",
    "return": "return",
    "review": "review",
    "exposure": "campaign",
    "ad_click": "ad click",
    "coupon_redeem": "coupon redemption",
}
_DAYS = dict(
    zip(
        ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"),
        strict=True,
    )
)
WITHOUT_ITEMS = ("exposure", "coupon_redeem", "ad_click")
"""Events that speak for themselves when no items are named."""


class English:
    """Renders definitions; `Chinese` overrides the sentences."""

    joiners = (" and ", " or ")

    def __init__(self, catalogue: Catalogue, currency: str) -> None:
        self.catalogue = catalogue
        self.currency = currency

    def whole(self, node: Node) -> str:
        """The definition as a noun phrase."""
        return "everyone" if node == AllOf(()) else f"customers who {self.phrase(node)}"

    def phrase(self, node: Node, nested: bool = False) -> str:
        """The definition as what the customers did or are."""
        match node:
            case AllOf(()):
                return "are anyone"
            case AllOf(children):
                return self._join(children, self.joiners[0], nested)
            case AnyOf(children):
                return self._join(children, self.joiners[1], nested)
            case Not(EventCondition() as event):
                return self.event(event, did=False)
            case Not(child):
                return f"are not among those who ({self.phrase(child)})"
            case FeatureCondition():
                return self.feature(node)
            case EventCondition():
                return self.event(node, did=True)
            case SequenceCondition():
                return self.sequence(node)
            case RepeatCondition():
                return self.repeat(node)
            case TouchCondition():
                return self.touch(node)
            case ComparisonCondition():
                return self.comparison(node)
            case RankCondition():
                return self.rank(node)
            case PropensityCondition():
                return self.propensity(node)
            case UpliftCondition():
                return self.uplift(node)
            case SimilarityCondition():
                return self.similar(node)
            case MemberOf(name):
                return self.member(name)
            case InCluster():
                return self.cluster(node)

    def _join(self, children: Sequence[Node], joiner: str, nested: bool) -> str:
        text = joiner.join(self.phrase(child, True) for child in children)
        return f"({text})" if nested and len(children) > 1 else text

    def name(self, feature: str) -> str:
        """A feature in words, or its name when the catalogue lacks it."""
        known = self.catalogue.get(feature)
        return feature if known is None else known.en

    def propensity(self, node: PropensityCondition) -> str:
        if node.top_share is not None:
            return f"are in the top {number(node.top_share * 100)} % by probability of {node.outcome}"
        share = number((node.min_probability or 0) * 100)
        return f"have a probability of {node.outcome} of at least {share} %"

    def uplift(self, node: UpliftCondition) -> str:
        """Said to be an estimate: how far it may be believed, the study of the campaign tells."""
        if node.top_share is not None:
            return f"are in the top {number(node.top_share * 100)} % by estimated uplift of campaign {node.campaign}"
        gain = number((node.min_effect or 0) * 100)
        return (
            f"are estimated to be at least {gain} points likelier to buy because of campaign {node.campaign}"
        )

    def similar(self, node: SimilarityCondition) -> str:
        target = f"customer {node.customer}" if node.segment is None else self.whole(node.segment)
        if node.text is not None:
            target = f"those who care most about '{node.text}'"
        text = f"are among the {number(node.top)} most similar to ({target})"
        return text if node.among is None else f"{text} among ({self.whole(node.among)})"

    def member(self, name: str) -> str:
        return f"belong to the segment '{name}'"

    def cluster(self, node: InCluster) -> str:
        return f"belong to cluster {node.number} of the discovery {node.discovery}"

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
        return f"have {feature.en} {_OPS[node.op]} {quantity(value, feature, self.currency)}"

    def event(self, node: EventCondition, *, did: bool) -> str:
        past, bare = _EVENTS[node.event]
        verb = past if did else f"did not {bare}"
        return f"{verb}{self._object(node)}{self.times(node)}{self.occasion(node.occasion)} {self.window(node.window)}"

    def _object(self, node: EventCondition | RepeatCondition | Step) -> str:
        return "" if not node.items and node.event in WITHOUT_ITEMS else f" {self.items(node.items)}"

    def sequence(self, node: SequenceCondition) -> str:
        past = [f"{_EVENTS[step.event][0]}{self._object(step)}" for step in node.steps]
        text = past[0] + self.occasion(node.steps[0].occasion) + f" {self.window(node.window)}"
        for step, did in zip(node.steps[1:], past[1:], strict=True):
            text += f" and then{self._within(step)} {did}{self.occasion(step.occasion)}"
        if node.then_not is not None:
            step = node.then_not
            bare = f"{_EVENTS[step.event][1]}{self._object(step)}{self.occasion(step.occasion)}"
            text += f" and then did not {bare}{self._within(step)}"
        return text + (" (the same item)" if node.same_item else "")

    def _within(self, step: Step) -> str:
        return "" if step.within_days is None else f" within {number(step.within_days)} days"

    def repeat(self, node: RepeatCondition) -> str:
        where = f" in {node.times} {node.unit} begun within {number(node.within_days)} days"
        text = f"{_EVENTS[node.event][0]}{self._object(node)}{where}{self.occasion(node.occasion)}"
        without = "" if node.without is None else f" without a {_NOUNS[node.without]} in between"
        return f"{text}{without} {self.window(node.window)}"

    def touch(self, node: TouchCondition) -> str:
        items = f" of {self.items(node.items)}" if node.items else ""
        noun = f"their {node.which} {_NOUNS[node.event]}"
        return f"had {noun}{items}{self.occasion(node.occasion)} {self.window(node.window)}"

    def comparison(self, node: ComparisonCondition) -> str:
        factor = "" if node.factor == 1 else f"{number(node.factor)} times "
        return f"have {self.quantity(node.left)} {_OPS[node.op]} {factor}{self.quantity(node.right)}"

    def quantity(self, side: Quantity) -> str:
        """What is compared."""
        if isinstance(side, str):
            return self.name(side)
        noun = _NOUNS[side.event]
        what = {"value": f"the value of {noun}s", "quantity": f"the units of {noun}s"}
        return f"{what.get(side.measure, f'the number of {noun}s')}{self._on(side)}"

    def _on(self, side: EventQuantity) -> str:
        items = f" of {self.items(side.items)}" if side.items else ""
        return f"{items}{self.occasion(side.occasion)} {self.window(side.window)}"

    def rank(self, node: RankCondition) -> str:
        edge = "lowest" if node.lowest else "highest"
        if node.count is not None:
            text = f"are the {number(node.count)} with the {edge} {self.name(node.feature)}"
        else:
            side = "bottom" if node.lowest else "top"
            text = f"are in the {side} {number((node.share or 0) * 100)} % by {self.name(node.feature)}"
        return text if node.among is None else f"{text} among ({self.whole(node.among)})"

    def items(self, items: ItemFilter) -> str:
        """Which items."""
        parts = [
            f"{name} {' or '.join(getattr(items, name))}"
            for name in ("department", "category", "brand")
            if getattr(items, name)
        ]
        if items.text:
            parts.append("products named " + " or ".join(f"“{text}”" for text in items.text))
        return " with ".join(parts) or "anything"

    def occasion(self, occasion: Occasion) -> str:
        """On which days, hours and channels, of which campaigns, with a space before; nothing when always."""
        text = f" on {' or '.join(_DAYS[day] for day in occasion.weekdays)}" if occasion.weekdays else ""
        if occasion.hours is not None:
            text += f" between {occasion.hours[0]}:00 and {occasion.hours[1]}:00"
        text += f" through channel {' or '.join(occasion.channel)}" if occasion.channel else ""
        return text + (f" (campaign {' or '.join(occasion.campaign)})" if occasion.campaign else "")

    def times(self, node: EventCondition) -> str:
        """How often or how much; nothing for 'at least once'."""
        if (node.measure, node.op, node.value) == ("count", ">=", 1):
            return ""
        value = node.value
        amount = f"{number(value[0])} to {number(value[1])}" if isinstance(value, tuple) else number(value)
        op = "" if isinstance(value, tuple) else _OPS[node.op] + " "
        match node.measure:
            case "value":
                return f" for {op}{self.currency}{amount} in total"
            case "quantity":
                return f", {op}{amount} units in total,"
            case _:
                return f" {op}{amount} times"

    def window(self, window: Window) -> str:
        """The days spoken of."""
        if window.start is None:
            return "ever" if not window.end else f"more than {window.end} days ago"
        if not window.end:
            return f"in the last {window.start} days"
        return f"between {window.start} and {window.end} days ago"
