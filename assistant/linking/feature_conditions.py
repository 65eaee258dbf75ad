"""What a clause says of features, as conditions: a number on one, a share, a rank, a unit that names it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from assistant.linking.clauses import Clause, Reading
from assistant.linking.event_conditions import counted, window_of
from assistant.linking.features import FeatureLinker, fits, number_condition
from assistant.linking.items import PRIVATE_LABEL, ItemMention
from assistant.linking.lengths import length_condition, since_condition
from assistant.linking.numbers import Number
from assistant.linking.occasions import SHARE_OF_OCCASION
from assistant.linking.ranks import RANKED_BY, Top
from assistant.linking.ranks_zh import SHARE_OF_GOODS
from assistant.linking.windows import TimeMention
from segments.definition import (
    EventCondition,
    FeatureCondition,
    ItemFilter,
    Node,
    RankCondition,
)
from segments.features import Catalogue, Feature, FeatureType

MOST = 0.5
"""'mostly', 'mainly', 'weekend shoppers': more than this share."""
Quantile = Callable[[str, float], float]
"""(feature, q) -> the q-quantile of the feature over all customers."""


def feature_conditions(
    clause: Clause,
    reading: Reading,
    free: list[Number],
    items: list[ItemMention],
    window: TimeMention | None,
    linker: FeatureLinker,
    quantile: Quantile,
) -> list[tuple[Node, str, bool]]:
    """The conditions on the features that a clause names; numbers and items that they take are no longer free."""
    made: list[tuple[Node, str, bool]] = []
    for mention in clause.features:
        if mention.condition is not None:
            made.append((mention.condition, "", False))
            continue
        feature = _of_window(_by_number(mention.feature, free), window, linker.catalogue)
        high = "high" in clause.flags or _HIGH.search(mention.text) is not None
        low = "low" in clause.flags or _LOW.search(mention.text) is not None
        near = sorted(free, key=lambda n: abs(n.span[0] - mention.span[0]))
        number = next((n for n in near if fits(feature, n)), None)
        if number is not None and feature.name == "quantity_365d" and items:
            # 'units of yogurt': the units are of what was bought.
            free[free.index(number)] = replace(number, unit="units")
            continue
        condition = number_condition(feature, number) if number is not None else None
        if condition is not None and number is not None:
            free.remove(number)
            made.append((condition, "", False))
        elif feature.name == "quantity_365d" and items and number is None:
            continue
        elif feature.attribute and feature.unit == "days" and window is not None:
            made.append((since_condition(feature.name, window, reading.text), "", False))
        elif feature.unit == "days" and window is not None:
            length = next((w for w in clause.windows if w.bare or w.gap), window)
            made.append((length_condition(feature.name, length, reading.text), "", False))
        elif feature.type is FeatureType.CATEGORY and items:
            values = tuple(i.items.department[0] for i in items if i.items.department)
            if values:
                one = len(values) == 1
                condition = FeatureCondition(feature.name, "=" if one else "in", values[0] if one else values)
                made.append((condition, "", False))
                items.clear()
        elif feature.name in SHARE_OF_OCCASION:
            made.append((FeatureCondition(feature.name, ">", MOST), "most", False))
        elif feature.numeric and clause.flags & {"high", "low", "mostly"}:
            op, q = ("<=", 0.2) if "low" in clause.flags else (">=", 0.8)
            made.append(
                (FeatureCondition(feature.name, op, two_digits(quantile(feature.name, q))), "vague", False)
            )
        elif feature.type is FeatureType.BAND and (high or low):
            levels = feature.levels
            cut = len(levels) * 2 // 3 if high else len(levels) // 3 - 1
            op = ">=" if high else "<="
            made.append((FeatureCondition(feature.name, op, levels[max(cut, 0)]), "vague", False))
    return made


def _by_number(name: str, free: list[Number]) -> str:
    """'每单至少12件' is a basket's items, '每单50元' its value: the number says which."""
    if name.startswith("basket_value") and {number.unit for number in free} == {"units"}:
        return "basket_lines_365d"
    return name


_HIGH = re.compile(r"high|affluent|wealthy|高", re.IGNORECASE)
_LOW = re.compile(r"\blow|低", re.IGNORECASE)


def _of_window(name: str, window: TimeMention | None, catalogue: Catalogue) -> Feature:
    """The feature over the time that was said, where the catalogue has it ('average order in the last 90 days')."""
    if window is not None and window.window.end == 0:
        return catalogue.get(name.replace("_365d", f"_{window.window.start}d")) or catalogue[name]
    return catalogue[name]


def share_conditions(
    free: list[Number], items: list[ItemMention], clause: Clause, catalogue: Catalogue
) -> list[tuple[Node, str, bool]]:
    """'over 40 % private label', 'at least 30 % of their spend on produce', 'mostly store brand'."""
    made: list[tuple[Node, str, bool]] = []
    percent = next((n for n in free if n.unit == "percent"), None)
    if percent is None and "mostly" not in clause.flags:
        return made
    for mention in list(items):
        name = _share_feature(mention.items, catalogue)
        if name is None:
            continue
        if percent is not None:
            condition = number_condition(catalogue[name], percent)
            free.remove(percent)
        else:
            condition = FeatureCondition(name, ">", MOST)
        if condition is not None:
            made.append((condition, "" if percent else "most", False))
            items.remove(mention)
        break
    return made


def _share_feature(items: ItemFilter, catalogue: Catalogue, measure: str = "share") -> str | None:
    if measure == "share" and items.brand == ("Private",):
        return "private_label_share_365d" if "private_label_share_365d" in catalogue else None
    if items.department:
        slug = re.sub(r"[^a-z0-9]+", "_", items.department[0].lower()).strip("_")
        name = f"{measure}_{slug}_365d"
        return name if name in catalogue else None
    return None


def unit_conditions(
    free: list[Number], clause: Clause, linker: FeatureLinker, kind: str
) -> list[tuple[Node, str, bool]]:
    """Numbers that name their feature by their unit ('5 stores', 'over 55', '75K')."""
    made: list[tuple[Node, str, bool]] = []
    for number in list(free):
        feature = linker.by_unit(number.unit)
        if number.unit == "" and number.thousands and clause.windows and not clause.features:
            # 'over 3k last year': what was spent in a time, not what is earned.
            event = EventCondition("purchase", window=window_of(clause.windows[0]))
            made.append((counted(event, free, ("",), spend=True), "", False))
            continue
        if feature is None and number.unit == "" and number.thousands and "income" in linker.catalogue:
            feature = linker.catalogue["income"]
        if feature is None and number.unit == "" and kind == "" and (number.op or clause.start == 0):
            plausible = 18 <= number.value <= 90 and number.op is not None
            feature = linker.catalogue.get("age") if plausible else None
        if feature is None or not fits(feature, replace(number, unit=number.unit or "")):
            continue
        condition = number_condition(feature, number)
        if condition is not None:
            free.remove(number)
            made.append((condition, "", False))
    return made


def rank_condition(
    top: Top, items: list[ItemMention], window: TimeMention | None, linker: FeatureLinker
) -> Node | None:
    """A rank by the feature that its words name, over the time said with them; None where they name none."""
    spent = _SPENT.search(top.by) is not None

    def of_spend(goods: ItemMention) -> bool:
        # '果蔬消费额排前200': what was spent on what stands just before.
        beside = (
            not top.by
            and top.feature.startswith(("spend_", SHARE_OF_GOODS))
            and 0 <= top.span[0] - goods.span[1] <= 3
        )
        return bool(goods.items.department or goods.items.brand) and (spent or beside)

    goods = next(filter(of_spend, items), None)
    measure = "share" if top.feature == SHARE_OF_GOODS else "spend"
    own = _share_feature(goods.items, linker.catalogue, measure) if goods else None
    if own and goods:
        items.remove(goods)
    if own is None and top.feature == SHARE_OF_GOODS:
        return None
    name = own or (_ranked_by(top.by, spent, linker) if top.by else top.feature)
    if name is None:
        return None
    feature = _of_window(name, window, linker.catalogue)
    return RankCondition(feature.name, top.count, top.share, top.lowest)


_SPENT = re.compile(r"spen[dt]|buyers|shoppers|revenue|sales|value|valuable", re.IGNORECASE)
_BASKETS = re.compile(r"(?:average |typical |mean )?(?:shopping )?baskets?", re.IGNORECASE)
_SAVED = re.compile(r"money|dollars|amount|save", re.IGNORECASE)


def _ranked_by(by: str, spent: bool, linker: FeatureLinker) -> str | None:
    """The feature that the words of a rank name."""
    if (share := _share_named(by, linker.catalogue)) is not None:
        return share
    if spent and (spend := _of_department(by, linker.catalogue, "spend")) is not None:
        return spend
    if "discount" in by and _SAVED.search(by):
        return "discount_365d"
    if _BASKETS.fullmatch(by):
        return "basket_value_365d"
    return linker.named(by, chinese=False) or ("spend_365d" if spent else None)


_SHARE = re.compile(r"\b(?:share|proportion|percentage|fraction|part|portion)\b", re.IGNORECASE)


def _share_named(by: str, catalogue: Catalogue) -> str | None:
    """'the proportion of their spend going to private label': a share of spend that the catalogue has."""
    if not _SHARE.search(by):
        return None
    if re.search(PRIVATE_LABEL, by, re.IGNORECASE):
        return _share_feature(ItemFilter(brand=("Private",)), catalogue)
    return _of_department(by, catalogue, "share")


def _of_department(by: str, catalogue: Catalogue, measure: str) -> str | None:
    """The catalogue's share of spend in a department, or spend in one, whose name is longest among those said."""
    said = " ".join(re.findall(r"[a-z0-9]+", re.sub(r"\b(?:pre-?)?packaged (\w+)", r"\1 pckgd", by.lower())))
    names = [f.name for f in catalogue if re.fullmatch(rf"{measure}_[a-z]\w+_365d", f.name)]
    known = {name.removeprefix(f"{measure}_")[:-5].replace("_", " "): name for name in names}
    found = [words for words in known if re.search(rf"\b{words}\b", said)]
    return known[max(found, key=len)] if found else None


def ranked_over(reading: Reading) -> TimeMention | None:
    """'rank them by their spend over the trailing 180 days and return the top 20 %': the time of the spend."""
    ranked = RANKED_BY.search(reading.text)
    if ranked is None:
        return None
    times = [time for clause in reading.clauses for time in clause.windows]
    return next((time for time in times if 0 <= time.span[0] - ranked.end() <= 2), None)


def two_digits(value: float) -> float:
    """Two leading digits are as much as a stated reading deserves."""
    if value >= 100:
        value = round(value, -int(len(str(int(value))) - 2))
    return int(value) if float(value).is_integer() else round(value, 2)
